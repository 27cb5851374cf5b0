/* A training step as one call: step(x, y) gives the loss, a number. */
#include "bind.h"

static mlpl_step *check(lua_State *L, int arg) { return mlplb_check(L, arg, MLPLB_STEP); }

static int step_release(lua_State *L) { return mlplb_release(L, MLPLB_STEP); }

/* mlpl.train_step(model, loss, optimizer). The model's box stays alive with it, and so do
   layers written in Lua. */
static int train_step(lua_State *L) {
  mlplb_at_most(L, "train_step", 3);
  mlplb_state *s = mlplb_get(L);
  mlpl_module *model = mlplb_check(L, 1, MLPLB_MODULE),
              *loss = mlplb_check(L, 2, MLPLB_MODULE);
  mlpl_optimizer *optimizer = mlplb_check(L, 3, MLPLB_OPTIMIZER);
  mlpl_step *step = NULL;
  mlplb_box *box = mlplb_box_push(L, MLPLB_STEP, 1);
  mlpl_status status = mlpl_step_new(s->cx, &step, model, loss, optimizer);
  box->object = step;
  if (status != MLPL_OK) return mlplb_raise_as(L, s, "train_step");
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  return 1;
}

/* Lua layers may release whatever they can reach: what the engine works on is held
   meanwhile. */
static mlpl_status run(
    lua_State *L, mlpl_step *step, mlpl_tensor *x, mlpl_tensor *y, double *loss) {
  mlplb_state *s = mlplb_get(L);
  mlpl_status status;
  int tries = 0;
  mlpl_step_retain(step);
  mlpl_tensor_retain(x);
  mlpl_tensor_retain(y);
  lua_State *was = mlplb_enter(s, L);
  do status = mlpl_step_run(s->cx, step, x, y, loss);
  while (mlplb_again(L, s, status, &tries));
  s->L = was;
  mlpl_tensor_release(x);
  mlpl_tensor_release(y);
  mlpl_step_release(step);
  return status;
}

static int step_call(lua_State *L) {
  mlplb_at_most(L, "train_step", 3);
  mlplb_state *s = mlplb_get(L);
  mlpl_step *step = check(L, 1);
  mlpl_tensor *x = mlplb_check_tensor(L, 2), *y = mlplb_check_tensor(L, 3);
  double loss;
  mlplb_pressure(L, s);
  mlpl_status status = run(L, step, x, y, &loss);
  if (status != MLPL_OK) return mlplb_raise(L, s);
  lua_pushnumber(L, loss);
  return 1;
}

static int step_is_planned(lua_State *L) {
  mlplb_at_most(L, "is_planned", 1);
  lua_pushboolean(L, mlpl_step_is_planned(check(L, 1)));
  return 1;
}

static int step_index(lua_State *L) { return mlplb_method(L, "training step"); }

void mlplb_open_step(lua_State *L) {
  static const luaL_Reg meta[] = {{"__call", step_call}, {NULL, NULL}};
  static const luaL_Reg methods[] = {{"is_planned", step_is_planned}, {NULL, NULL}};
  static const luaL_Reg functions[] = {{"train_step", train_step}, {NULL, NULL}};
  mlplb_new_type(L, MLPLB_STEP, meta, methods, step_index, step_release);
  lua_pop(L, 1);
  mlplb_setfuncs(L, functions);
}
