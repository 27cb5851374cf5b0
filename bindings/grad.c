/*
** Gradients: backward, gradients of chosen tensors, hooks, modes of recording, the search
** for NaN.
*/
#include "bind.h"

#include <stdio.h>

/* ---- lists of tensors -------------------------------------------------------------- */

typedef struct list {
  int n;
  bool single; /* a tensor was given, not an array of them */
  mlpl_tensor **t;
} list;

/* n pointers in a buffer that the collector owns; pushes it. */
static void *buffer(lua_State *L, size_t n, size_t size) {
  void *p = lua_newuserdatauv(L, (n ? n : 1) * size, 0);
  for (size_t i = 0; i < n * size; i++) ((char *)p)[i] = 0;
  return p;
}

/* A tensor or an array of them at an absolute index. Pushes the buffer. */
static list tensors_at(lua_State *L, int index, const char *what, const char *name) {
  list l = {1, true, NULL};
  const mlplb_box *box = mlplb_test_box(L, index, MLPLB_TENSOR);
  if (!box && !lua_istable(L, index))
    luaL_error(L, "%s: %s is %s; it must be a tensor or an array of tensors", what, name,
        mlplb_shown(L, index));
  if (!box) {
    mlplb_only_array(L, index, what, name);
    l.n = (int)lua_rawlen(L, index);
    l.single = false;
  }
  l.t = buffer(L, (size_t)l.n, sizeof *l.t);
  for (int i = 0; i < l.n; i++) {
    if (l.single)
      lua_pushvalue(L, index);
    else
      lua_rawgeti(L, index, i + 1);
    box = mlplb_test_box(L, -1, MLPLB_TENSOR);
    if (!box)
      luaL_error(L, "%s: entry %d of %s is %s; it must be a tensor", what, i + 1, name,
          mlplb_shown(L, -1));
    if (!box->object) luaL_error(L, "%s: entry %d of %s was released", what, i + 1, name);
    l.t[i] = box->object;
    lua_pop(L, 1);
  }
  return l;
}

static void hold(const list *l) {
  for (int i = 0; i < l->n; i++) mlpl_tensor_retain(l->t[i]);
}

static void let_go(const list *l) {
  for (int i = 0; i < l->n; i++) mlpl_tensor_release(l->t[i]);
}

/* New tensors for boxes on top of the stack, one for each of like; as one value or in a
   table, as like was given. Pushes that value below the buffer that is returned. */
static mlplb_box **result_boxes(lua_State *L, const list *like) {
  mlplb_box **box = buffer(L, (size_t)like->n, sizeof *box);
  if (!like->single) lua_createtable(L, like->n, 0);
  for (int i = 0; i < like->n; i++) {
    box[i] = mlplb_tensor_box(L);
    if (!like->single) lua_rawseti(L, -2, i + 1);
  }
  lua_insert(L, -2);
  return box;
}

/* The value from result_boxes, alone on top, with nothing where there is no tensor. */
static void put_results(
    lua_State *L, const list *like, mlplb_box **box, mlpl_tensor **t) {
  for (int i = 0; i < like->n; i++) box[i]->object = t[i];
  lua_pop(L, 1);
  for (int i = 0; i < like->n; i++) {
    if (t[i]) continue;
    lua_pushnil(L);
    if (like->single)
      lua_replace(L, -2);
    else
      lua_rawseti(L, -2, i + 1);
  }
}

/* ---- backward ---------------------------------------------------------------------- */

static int graph_flags(lua_State *L, int options, const char *what) {
  int flags = 0;
  if (mlplb_get_flag(L, options, what, "retain_graph", false)) flags |= MLPL_RETAIN_GRAPH;
  if (mlplb_get_flag(L, options, what, "create_graph", false)) flags |= MLPL_CREATE_GRAPH;
  return flags;
}

/* The trailing table at index, or 0 where there is nothing. */
static int options_at(
    lua_State *L, int index, const char *what, const char *const *names) {
  if (lua_gettop(L) > index) mlplb_at_most(L, what, index);
  if (lua_isnoneornil(L, index)) return 0;
  if (!lua_istable(L, index))
    luaL_error(
        L, "%s: the options are %s; they must be a table", what, mlplb_shown(L, index));
  mlplb_known_keys(L, index, what, names);
  return index;
}

/* True or false at *arg, which moves on; nil stands for false. */
static int positional_flag(lua_State *L, int *arg, int flag) {
  bool nothing = lua_isnil(L, *arg) && *arg < lua_gettop(L);
  if (!lua_isboolean(L, *arg) && !nothing) return 0;
  return lua_toboolean(L, (*arg)++) ? flag : 0;
}

/* loss:backward(), y:backward(gradient, { retain_graph = true, inputs = { w } }) */
static int tensor_backward(lua_State *L) {
  static const char *const names[] = {"retain_graph", "create_graph", "inputs", NULL};
  mlplb_state *s = mlplb_get(L);
  mlpl_tensor *t = mlplb_check_tensor(L, 1), *seed = NULL;
  list inputs = {0};
  bool given = !lua_isnoneornil(L, 2) && !lua_istable(L, 2);
  if (given) seed = mlplb_check_tensor(L, 2);
  int next = given || lua_isnil(L, 2) ? 3 : 2;
  int flags = next == 3 ? positional_flag(L, &next, MLPL_RETAIN_GRAPH) : 0;
  if (next == 4) flags |= positional_flag(L, &next, MLPL_CREATE_GRAPH);
  int options = options_at(L, next, "backward", names);
  flags |= graph_flags(L, options, "backward");
  bool chosen = mlplb_get_option(L, options, "inputs") != LUA_TNIL;
  if (chosen) inputs = tensors_at(L, lua_gettop(L), "backward", "inputs");
  mlplb_pressure(L, s);
  /* hooks and Lua layers may release whatever they can reach */
  lua_State *was = mlplb_enter(s, L);
  mlpl_tensor_retain(t);
  mlpl_status status = chosen
      ? mlpl_backward_into(s->cx, t, seed, inputs.t, inputs.n, flags)
      : mlpl_backward(s->cx, t, seed, flags);
  s->L = was;
  mlpl_tensor_release(t);
  return status == MLPL_OK ? 0 : mlplb_raise(L, s);
}

/* Entry i of option grad_outputs, which is a tensor where there is one output. */
static mlpl_tensor **seeds_at(lua_State *L, int options, const list *outputs) {
  if (mlplb_get_option(L, options, "grad_outputs") == LUA_TNIL) return NULL;
  int index = lua_gettop(L);
  bool single = mlplb_test_box(L, index, MLPLB_TENSOR) != NULL;
  mlpl_tensor **seeds = buffer(L, (size_t)outputs->n, sizeof *seeds);
  if (!single && !lua_istable(L, index))
    luaL_error(L, "grad: grad_outputs is %s; it must be a tensor or an array of tensors",
        mlplb_shown(L, index));
  if ((single && outputs->n != 1) ||
      (!single && (lua_Integer)lua_rawlen(L, index) > outputs->n))
    luaL_error(L, "grad: %d gradients are given for %d outputs",
        single ? 1 : (int)lua_rawlen(L, index), outputs->n);
  for (int i = 0; i < outputs->n; i++) {
    if (single)
      lua_pushvalue(L, index);
    else
      lua_rawgeti(L, index, i + 1);
    if (!lua_isnil(L, -1)) {
      seeds[i] = mlplb_test(L, lua_gettop(L), MLPLB_TENSOR);
      if (!seeds[i])
        luaL_error(L, "grad: entry %d of grad_outputs is %s; it must be a tensor", i + 1,
            mlplb_shown(L, -1));
    }
    lua_pop(L, 1);
  }
  return seeds;
}

/* autograd.grad(outputs, inputs, { ... }): a gradient, or an array of them, as inputs is a
   tensor or an array */
static int grad(lua_State *L) {
  static const char *const names[] = {
      "grad_outputs", "retain_graph", "create_graph", "allow_unused", NULL};
  mlplb_state *s = mlplb_get(L);
  int options = options_at(L, 3, "grad", names);
  list outputs = tensors_at(L, 1, "grad", "outputs");
  list inputs = tensors_at(L, 2, "grad", "inputs");
  mlpl_tensor **seeds = seeds_at(L, options, &outputs);
  int flags = graph_flags(L, options, "grad");
  if (mlplb_get_flag(L, options, "grad", "allow_unused", false))
    flags |= MLPL_ALLOW_UNUSED;
  mlpl_tensor **grads = buffer(L, (size_t)inputs.n, sizeof *grads);
  mlplb_pressure(L, s);
  mlplb_box **box = result_boxes(L, &inputs);
  lua_State *was = mlplb_enter(s, L);
  mlpl_status status = mlpl_grad(
      s->cx, grads, outputs.t, seeds, outputs.n, inputs.t, inputs.n, flags);
  s->L = was;
  if (status != MLPL_OK) return mlplb_raise(L, s);
  put_results(L, &inputs, box, grads);
  return 1;
}

/* _autograd.jacobian(y, inputs, create_graph) */
static int jacobian(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  mlpl_tensor *y = mlplb_check_tensor(L, 1);
  list inputs = tensors_at(L, 2, "jacobian", "inputs");
  int flags = lua_toboolean(L, 3) ? MLPL_CREATE_GRAPH : 0;
  mlpl_tensor **out = buffer(L, (size_t)inputs.n, sizeof *out);
  mlplb_pressure(L, s);
  mlplb_box **box = result_boxes(L, &inputs);
  lua_State *was = mlplb_enter(s, L);
  mlpl_tensor_retain(y);
  hold(&inputs);
  mlpl_status status = mlpl_jacobian(s->cx, out, y, inputs.t, inputs.n, flags);
  let_go(&inputs);
  mlpl_tensor_release(y);
  s->L = was;
  if (status != MLPL_OK) return mlplb_raise(L, s);
  put_results(L, &inputs, box, out);
  return 1;
}

/* ---- functions that the engine calls ----------------------------------------------- */

typedef struct call {
  const mlplb_anchor *f;
  const char *who;
  bool may_be_nil; /* the result */
  mlpl_tensor *const *x;
  int n;
  mlpl_tensor *y;
} call;

/* The tensor on top of the stack, retained; NULL for nil where that is allowed. Anything
   else pushes what is wrong with it, and gives false. */
static bool take_result(lua_State *L, call *c, int f) {
  const mlplb_box *box = mlplb_test_box_anywhere(L, -1, MLPLB_TENSOR);
  if (!box && c->may_be_nil && lua_isnil(L, -1)) return true;
  if (box && box->object) {
    c->y = mlpl_tensor_retain(box->object);
    return true;
  }
  const char *given = box ? "a tensor that was released" : mlplb_shown(L, -1);
  lua_pushfstring(L, "%s must return a tensor%s, %s returned %s", c->who,
      c->may_be_nil ? " or nothing" : "", mlplb_function_text(L, f), given);
  return false;
}

static int run_call(lua_State *L) {
  call *c = lua_touserdata(L, 1);
  luaL_checkstack(L, c->n + 8, c->who);
  mlplb_anchor_push(L, c->f);
  int f = lua_gettop(L);
  lua_pushvalue(L, f);
  for (int i = 0; i < c->n; i++) mlplb_push_tensor(L, c->x[i]);
  lua_call(L, c->n, 1);
  return take_result(L, c, f) ? 0 : 1;
}

static mlpl_status call_lua(mlpl_ctx *cx, call *c, mlpl_tensor **y) {
  mlplb_state *s = mlplb_anchor_state(cx, c->f);
  *y = NULL;
  if (!s) return MLPL_ECALLBACK;
  mlpl_status status = mlplb_call_back(s, c->who, run_call, c);
  *y = c->y;
  return status;
}

static bool is_callable(lua_State *L, int arg) {
  if (lua_isfunction(L, arg)) return true;
  if (luaL_getmetafield(L, arg, "__call") == LUA_TNIL) return false;
  lua_pop(L, 1);
  return true;
}

static void check_callable(lua_State *L, int arg) {
  if (!is_callable(L, arg)) luaL_typeerror(L, arg, "function");
}

static mlplb_anchor *anchor_at(lua_State *L, int arg) {
  lua_pushvalue(L, arg);
  return mlplb_anchor_new(L);
}

/* ---- hooks ------------------------------------------------------------------------- */

static mlpl_status call_hook(
    mlpl_ctx *cx, void *ud, mlpl_tensor **replacement, mlpl_tensor *g) {
  call c = {ud, "a hook", true, &g, 1, NULL};
  return call_lua(cx, &c, replacement);
}

static mlpl_hook *check_hook(lua_State *L) { return mlplb_check(L, 1, MLPLB_HOOK); }

/* h = x:register_hook(function(g) return g * 2 end) */
static int tensor_register_hook(lua_State *L) {
  mlplb_at_most(L, "register_hook", 2);
  mlplb_state *s = mlplb_get(L);
  mlpl_tensor *t = mlplb_check_tensor(L, 1);
  mlpl_hook *hook = NULL;
  check_callable(L, 2);
  mlplb_box *box = mlplb_box_push(L, MLPLB_HOOK, 0);
  mlplb_anchor *f = anchor_at(L, 2);
  mlpl_status status = mlpl_tensor_register_hook(
      s->cx, &hook, t, call_hook, mlplb_anchor_release, f);
  box->object = hook;
  return status == MLPL_OK ? 1 : mlplb_raise_as(L, s, "register_hook");
}

static int hook_remove(lua_State *L) {
  mlplb_at_most(L, "remove", 1);
  mlpl_hook_remove(check_hook(L));
  return 0;
}

static int hook_index(lua_State *L) { return mlplb_method(L, "hook"); }
static int hook_release(lua_State *L) { return mlplb_release(L, MLPLB_HOOK); }

static void open_hook(lua_State *L) {
  static const luaL_Reg meta[] = {{NULL, NULL}};
  static const luaL_Reg methods[] = {{"remove", hook_remove}, {NULL, NULL}};
  mlplb_new_type(L, MLPLB_HOOK, meta, methods, hook_index, hook_release);
  lua_pop(L, 1);
}

/* ---- what a tensor is to the graph ------------------------------------------------- */

static int tensor_retain_grad(lua_State *L) {
  mlplb_at_most(L, "retain_grad", 1);
  mlplb_state *s = mlplb_get(L);
  return mlpl_tensor_retain_grad(s->cx, mlplb_check_tensor(L, 1)) == MLPL_OK
      ? 1
      : mlplb_raise_as(L, s, "retain_grad");
}

/* x itself, cut from the graph that made it */
static int tensor_cut(lua_State *L) {
  mlplb_at_most(L, "detach_", 1);
  mlpl_tensor_cut(mlplb_check_tensor(L, 1));
  return 1;
}

/* ---- checks by differences --------------------------------------------------------- */

static mlpl_status call_checked(
    mlpl_ctx *cx, void *ud, mlpl_tensor **y, mlpl_tensor *const *x, int n) {
  call c = {ud, "gradcheck: f", false, x, n, NULL};
  return call_lua(cx, &c, y);
}

static mlpl_status call_moved(
    mlpl_ctx *cx, void *ud, mlpl_tensor **y, mlpl_tensor *const *x, int n) {
  call c = {ud, "numeric_grad: f", false, x, n, NULL};
  return call_lua(cx, &c, y);
}

/* _autograd.gradcheck(f, inputs, eps, atol, rtol) */
static int gradcheck(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  check_callable(L, 1);
  list x = tensors_at(L, 2, "gradcheck", "inputs");
  double eps = luaL_checknumber(L, 3), atol = luaL_checknumber(L, 4),
         rtol = luaL_checknumber(L, 5);
  mlplb_anchor *f = anchor_at(L, 1);
  lua_State *was = mlplb_enter(s, L);
  hold(&x);
  mlpl_status status = mlpl_gradcheck(s->cx, call_checked, f, x.t, x.n, eps, atol, rtol);
  let_go(&x);
  s->L = was;
  mlplb_anchor_release(f);
  if (status != MLPL_OK) return mlplb_raise(L, s);
  lua_pushboolean(L, true);
  return 1;
}

/* _autograd.numeric_grad(f, inputs, eps) */
static int numeric_grad(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  check_callable(L, 1);
  list x = tensors_at(L, 2, "numeric_grad", "inputs");
  double eps = luaL_checknumber(L, 3);
  mlpl_tensor **grads = buffer(L, (size_t)x.n, sizeof *grads);
  mlplb_pressure(L, s);
  mlplb_box **box = result_boxes(L, &x);
  mlplb_anchor *f = anchor_at(L, 1);
  lua_State *was = mlplb_enter(s, L);
  hold(&x);
  mlpl_status status = mlpl_numeric_grad(s->cx, grads, call_moved, f, x.t, x.n, eps);
  let_go(&x);
  s->L = was;
  mlplb_anchor_release(f);
  if (status != MLPL_OK) return mlplb_raise(L, s);
  put_results(L, &x, box, grads);
  return 1;
}

/* ---- modes ------------------------------------------------------------------------- */

/* f's results; the mode is as before whatever happens in f */
static int with_recording(lua_State *L, bool on) {
  mlplb_state *s = mlplb_get(L);
  check_callable(L, 1);
  bool was = mlpl_set_grad_enabled(s->cx, on);
  int failed = mlplb_call_through(
      L, s, on ? "a function under enable_grad" : "a function under no_grad");
  mlpl_set_grad_enabled(s->cx, was);
  return failed ? lua_error(L) : lua_gettop(L);
}

/* mlpl.no_grad(f, ...), mlpl.enable_grad(f, ...) */
static int no_grad(lua_State *L) { return with_recording(L, false); }
static int enable_grad(lua_State *L) { return with_recording(L, true); }

static bool check_flag(lua_State *L, const char *what) {
  if (!lua_isboolean(L, 1))
    luaL_error(L, "%s: on is %s; it must be true or false", what, mlplb_shown(L, 1));
  mlplb_at_most(L, what, 1);
  return lua_toboolean(L, 1);
}

static int set_grad_enabled(lua_State *L) {
  bool on = check_flag(L, "set_grad_enabled");
  mlpl_set_grad_enabled(mlplb_get(L)->cx, on);
  return 0;
}

/* "train.lua:12" of the innermost function of a user's script. Allocates nothing. */
static void where(void *ud, char *text, size_t size) {
  const mlplb_state *s = ud;
  lua_Debug d;
  for (int i = 0; lua_getstack(s->L, i, &d); i++) {
    lua_getinfo(s->L, "Sl", &d);
    if (d.currentline < 1 || mlplb_is_ours(&d)) continue;
    snprintf(text, size, "%s:%d", d.short_src, d.currentline);
    return;
  }
}

static int with_detection(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  bool was = mlpl_anomaly(s->cx);
  mlpl_set_anomaly(s->cx, true, where, s);
  int failed = mlplb_call_through(L, s, "a function under detect_anomaly");
  mlpl_set_anomaly(s->cx, was, where, s);
  return failed ? lua_error(L) : lua_gettop(L);
}

/* mlpl.detect_anomaly(on), or mlpl.detect_anomaly(f, ...): for this call alone; without
   arguments: is it on? */
static int detect_anomaly(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  if (lua_gettop(L) == 0) {
    lua_pushboolean(L, mlpl_anomaly(s->cx));
    return 1;
  }
  if (!lua_isboolean(L, 1)) {
    check_callable(L, 1);
    return with_detection(L);
  }
  mlpl_set_anomaly(s->cx, check_flag(L, "detect_anomaly"), where, s);
  return 0;
}

/* ---- opening ----------------------------------------------------------------------- */

static int is_tensor(lua_State *L) {
  lua_pushboolean(L, mlplb_test_box(L, 1, MLPLB_TENSOR) != NULL);
  return 1;
}

/* a tensor that was not released */
static int is_live(lua_State *L) {
  lua_pushboolean(L, mlplb_test(L, 1, MLPLB_TENSOR) != NULL);
  return 1;
}

static int callable(lua_State *L) {
  luaL_checkany(L, 1);
  lua_pushboolean(L, is_callable(L, 1));
  return 1;
}

static int shown(lua_State *L) {
  luaL_checkany(L, 1);
  mlplb_shown(L, 1);
  return 1;
}

/* _autograd.function(forward, backward, name) */
static int function(lua_State *L) {
  check_callable(L, 1);
  check_callable(L, 2);
  luaL_checkstring(L, 3);
  lua_settop(L, 3);
  mlplb_push_upvalues(L);
  lua_rotate(L, 1, 2);
  lua_pushcclosure(L, mlplb_function_call, MLPLB_UPVALUES + 3);
  return 1;
}

void mlplb_open_grad_methods(lua_State *L) {
  static const luaL_Reg methods[] = {{"backward", tensor_backward},
      {"register_hook", tensor_register_hook}, {"retain_grad", tensor_retain_grad},
      {"detach_", tensor_cut}, {NULL, NULL}};
  mlplb_setfuncs(L, methods);
}

/* What the Lua half makes mlpl.autograd of is in _autograd. */
void mlplb_open_grad(lua_State *L) {
  static const luaL_Reg functions[] = {{"no_grad", no_grad}, {"enable_grad", enable_grad},
      {"set_grad_enabled", set_grad_enabled}, {"detect_anomaly", detect_anomaly},
      {NULL, NULL}};
  static const luaL_Reg autograd[] = {{"grad", grad}, {"jacobian", jacobian},
      {"gradcheck", gradcheck}, {"numeric_grad", numeric_grad}, {"function", function},
      {"is_tensor", is_tensor}, {"is_live", is_live}, {"is_callable", callable},
      {"shown", shown}, {NULL, NULL}};
  open_hook(L);
  mlplb_setfuncs(L, functions);
  lua_createtable(L, 0, 8);
  mlplb_setfuncs(L, autograd);
  lua_setfield(L, -2, "_autograd");
}
