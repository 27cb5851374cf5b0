/* Optimizers. An option is a field: opt.lr = 0.01. */
#include "bind.h"

#include <string.h>

static mlpl_optimizer *check(lua_State *L, int arg) {
  return mlplb_check(L, arg, MLPLB_OPTIMIZER);
}

static int optimizer_release(lua_State *L) { return mlplb_release(L, MLPLB_OPTIMIZER); }

/* The parameters in the array at 1, in a buffer that the collector owns. */
static mlpl_tensor **parameters(lua_State *L, const char *kind, int *n) {
  if (!lua_istable(L, 1))
    luaL_error(L,
        "%s: the first argument is %s; it must be an array of tensors, as "
        "model:parameters() gives",
        kind, mlplb_shown(L, 1));
  mlplb_only_array(L, 1, kind, "parameters; options have a table of their own");
  *n = (int)lua_rawlen(L, 1);
  mlpl_tensor **list = lua_newuserdatauv(L, (size_t)(*n ? *n : 1) * sizeof *list, 0);
  for (int i = 1; i <= *n; i++) {
    lua_rawgeti(L, 1, i);
    const mlplb_box *box = mlplb_test_box(L, -1, MLPLB_TENSOR);
    if (!box)
      luaL_error(
          L, "%s: parameter %d is %s; it must be a tensor", kind, i, mlplb_shown(L, -1));
    if (!box->object) luaL_error(L, "%s: parameter %d was released", kind, i);
    list[i - 1] = box->object;
    lua_pop(L, 1);
  }
  return list;
}

/* optim.Adam(model:parameters(), { lr = 1e-3 }): the kind is upvalue 3. */
static int construct(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  const char *kind = lua_tostring(L, lua_upvalueindex(3));
  mlpl_value values[MLPL_MAX_PARAMS];
  mlpl_optimizer *o = NULL;
  int n_params, n;
  const mlpl_param *params = mlpl_optimizer_kind_params(kind, &n_params);
  if (lua_gettop(L) > 1)
    mlplb_params(L, kind, 2, params, n_params, values, NULL);
  else {
    lua_settop(L, 1);
    mlplb_params(L, kind, 2, params, n_params, values, NULL);
  }
  mlpl_tensor **list = parameters(L, kind, &n);
  mlplb_box *box = mlplb_box_push(L, MLPLB_OPTIMIZER, 0);
  mlpl_status status = mlpl_optimizer_make(s->cx, &o, kind, list, n, values);
  box->object = o;
  return status == MLPL_OK ? 1 : mlplb_raise_as(L, s, kind);
}

static int optimizer_step(lua_State *L) {
  mlplb_at_most(L, "step", 1);
  mlplb_state *s = mlplb_get(L);
  mlpl_optimizer *o = check(L, 1);
  mlpl_status status;
  int tries = 0;
  do status = mlpl_optimizer_step(s->cx, o);
  while (mlplb_again(L, s, status, &tries));
  return status == MLPL_OK ? 0 : mlplb_raise(L, s);
}

static int optimizer_zero_grad(lua_State *L) {
  mlplb_at_most(L, "zero_grad", 1);
  mlpl_optimizer_zero_grad(check(L, 1));
  return 0;
}

static const mlpl_param *option(lua_State *L, const mlpl_optimizer *o) {
  int n;
  const mlpl_param *params = mlpl_optimizer_kind_params(mlpl_optimizer_kind(o), &n);
  const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  for (int i = 0; i < n; i++)
    if (params[i].type != MLPL_PARAM_PAIR && strcmp(params[i].name, key) == 0)
      return &params[i];
  return NULL;
}

static int optimizer_index(lua_State *L) {
  if (mlplb_push_method(L)) return 1;
  mlplb_state *s = mlplb_get(L);
  const mlpl_optimizer *o = check(L, 1);
  const mlpl_param *p = option(L, o);
  double v;
  if (!p) return mlplb_method(L, mlpl_optimizer_kind(o));
  if (mlpl_optimizer_get(s->cx, o, p->name, &v) != MLPL_OK) return mlplb_raise(L, s);
  if (p->type == MLPL_PARAM_BOOL)
    lua_pushboolean(L, v != 0);
  else
    lua_pushnumber(L, v);
  return 1;
}

static int optimizer_newindex(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  mlpl_optimizer *o = check(L, 1);
  const mlpl_param *p = option(L, o);
  if (!p)
    return luaL_error(L, "%s: it has no option %s that can be set",
        mlpl_optimizer_kind(o), mlplb_shown(L, 2));
  if (lua_type(L, 3) != (p->type == MLPL_PARAM_BOOL ? LUA_TBOOLEAN : LUA_TNUMBER))
    return luaL_error(L, "%s: %s is %s; it must be %s", mlpl_optimizer_kind(o), p->name,
        mlplb_shown(L, 3), p->type == MLPL_PARAM_BOOL ? "true or false" : "a number");
  double v = p->type == MLPL_PARAM_BOOL ? lua_toboolean(L, 3) : lua_tonumber(L, 3);
  return mlpl_optimizer_set(s->cx, o, p->name, v) == MLPL_OK ? 0 : mlplb_raise(L, s);
}

static int optimizer_tostring(lua_State *L) {
  const mlplb_box *box = mlplb_check_box(L, 1, MLPLB_OPTIMIZER);
  if (!box->object) {
    lua_pushliteral(L, "optimizer (released)");
    return 1;
  }
  double lr;
  mlplb_state *s = mlplb_get(L);
  if (mlpl_optimizer_get(s->cx, box->object, "lr", &lr) != MLPL_OK)
    return mlplb_raise(L, s);
  lua_pushfstring(L, "%s(lr=%f)", mlpl_optimizer_kind(box->object), lr);
  return 1;
}

void mlplb_open_optim(lua_State *L) {
  static const luaL_Reg meta[] = {{"__newindex", optimizer_newindex},
      {"__tostring", optimizer_tostring}, {NULL, NULL}};
  static const luaL_Reg methods[] = {
      {"step", optimizer_step}, {"zero_grad", optimizer_zero_grad}, {NULL, NULL}};
  mlplb_new_type(L, MLPLB_OPTIMIZER, meta, methods, optimizer_index, optimizer_release);
  lua_pop(L, 1);
  lua_createtable(L, 0, 0);
  for (int i = 0; mlpl_optimizer_kind_at(i); i++) {
    mlplb_push_upvalues(L);
    lua_pushstring(L, mlpl_optimizer_kind_at(i));
    lua_pushcclosure(L, construct, MLPLB_UPVALUES + 1);
    lua_setfield(L, -2, mlpl_optimizer_kind_at(i));
  }
}
