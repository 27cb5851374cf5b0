/*
** autograd.Function: differentiable functions with both passes written in Lua. forward
** runs without recording; what it returns is recorded as one operation, whose backward
** pass calls `backward`. The engine keeps saved tensors, and checks that they are as they
** were; the context, a table, keeps the rest.
*/
#include "bind.h"

#include <string.h>

/* Addresses that serve as keys of a context: its saved tensors, and those without
   gradient. */
static const char saved_key = 0, constant_key = 0;

/* ---- the context ------------------------------------------------------------------- */

/* The tensors that a method of the context was given, with holes for nil, and their
   number in n. */
static int keep_tensors(lua_State *L, const char *method, const char *key) {
  luaL_checktype(L, 1, LUA_TTABLE);
  int n = lua_gettop(L) - 1;
  lua_createtable(L, n, 1);
  for (int i = 1; i <= n; i++) {
    if (!lua_isnil(L, i + 1) && !mlplb_test_box_anywhere(L, i + 1, MLPLB_TENSOR))
      return luaL_error(L,
          "%s: argument %d is %s; it takes tensors, a field of the context takes "
          "anything",
          method, i, mlplb_shown(L, i + 1));
    lua_pushvalue(L, i + 1);
    lua_rawseti(L, -2, i);
  }
  lua_pushinteger(L, n);
  lua_setfield(L, -2, "n");
  lua_rawsetp(L, 1, key);
  return 0;
}

static int save_for_backward(lua_State *L) {
  return keep_tensors(L, "save_for_backward", &saved_key);
}

static int mark_non_differentiable(lua_State *L) {
  return keep_tensors(L, "mark_non_differentiable", &constant_key);
}

static int context_index(lua_State *L) {
  const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  if (strcmp(key, "save_for_backward") == 0)
    lua_pushcfunction(L, save_for_backward);
  else if (strcmp(key, "mark_non_differentiable") == 0)
    lua_pushcfunction(L, mark_non_differentiable);
  else if (strcmp(key, "saved_tensors") == 0)
    lua_rawgetp(L, 1, &saved_key);
  else
    lua_pushnil(L);
  return 1;
}

static void push_context(lua_State *L) {
  lua_createtable(L, 0, 4);
  if (luaL_newmetatable(L, "mlpl.Context")) {
    lua_pushcfunction(L, context_index);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
  }
  lua_setmetatable(L, -2);
}

/* ---- what is recorded -------------------------------------------------------------- */

/* Which arguments and results are tensors that the engine knows; the entries are places
   from 1. */
typedef struct places {
  int n_args, n_in, n_results, n_out, n_kept, n_saved;
  int *in, *out, *saved;
} places;

/* The value that the engine holds: { context, backward, places, name }. */
enum { CONTEXT = 1, BACKWARD, PLACES, FUNCTION_NAME };

typedef struct run {
  mlplb_anchor *self;
  mlpl_tensor **gx;
  mlpl_tensor *const *gy, *const *saved;
} run;

/* The table that `saved_tensors` is during a backward pass. */
static void push_saved(lua_State *L, const places *p, mlpl_tensor *const *saved) {
  lua_createtable(L, p->n_kept, 1);
  for (int k = 0; k < p->n_saved; k++) {
    mlplb_push_tensor(L, saved[k]);
    lua_rawseti(L, -2, p->saved[k]);
  }
  lua_pushinteger(L, p->n_kept);
  lua_setfield(L, -2, "n");
}

/* The gradient at index of argument i; nil is zero. What is wrong with it, or NULL. */
static const char *take_gradient(
    lua_State *L, const places *p, run *r, int i, int index) {
  int k = 0;
  if (lua_isnil(L, index)) return NULL;
  while (k < p->n_in && p->in[k] != i) k++;
  if (k == p->n_in)
    return lua_pushfstring(L,
        "a gradient for argument %d, which is no tensor that has one; return nil in its "
        "place",
        i);
  const mlplb_box *box = mlplb_test_box_anywhere(L, index, MLPLB_TENSOR);
  if (!box || !box->object)
    return lua_pushfstring(L,
        "%s as the gradient of argument %d; it must be a tensor or nil",
        box ? "a tensor that was released" : mlplb_shown(L, index), i);
  r->gx[k] = mlpl_tensor_retain(box->object);
  return NULL;
}

/* The gradients that are the n values from index first on. */
static const char *take_gradients(
    lua_State *L, const places *p, run *r, int n, int first) {
  const char *wrong = NULL;
  for (int i = p->n_args + 1; i <= n; i++)
    if (!lua_isnil(L, first - 1 + i))
      return lua_pushfstring(
          L, "%d gradients for %d argument%s", n, p->n_args, p->n_args == 1 ? "" : "s");
  for (int i = 1; i <= n && i <= p->n_args && !wrong; i++)
    wrong = take_gradient(L, p, r, i, first - 1 + i);
  return wrong;
}

static int run_backward(lua_State *L) {
  run *r = lua_touserdata(L, 1);
  mlplb_anchor_push(L, r->self);
  int self = lua_gettop(L);
  lua_rawgeti(L, self, PLACES);
  const places *p = lua_touserdata(L, -1);
  lua_rawgeti(L, self, FUNCTION_NAME);
  const char *name = lua_tostring(L, -1);
  luaL_checkstack(L, p->n_results + 8, name);
  lua_rawgeti(L, self, BACKWARD);
  lua_rawgeti(L, self, CONTEXT);
  push_saved(L, p, r->saved);
  lua_rawsetp(L, -2, &saved_key);
  int first = lua_gettop(L), k = 0;
  for (int i = 1; i <= p->n_results; i++) {
    if (k < p->n_out && p->out[k] == i)
      mlplb_push_tensor(L, r->gy[k++]);
    else
      lua_pushnil(L);
  }
  lua_call(L, 1 + p->n_results, LUA_MULTRET);
  int n = lua_gettop(L) - first + 2;
  luaL_checkstack(L, 8, name);
  const char *wrong = take_gradients(L, p, r, n, first - 1);
  if (!wrong) return 0;
  lua_rawgeti(L, self, BACKWARD);
  lua_pushfstring(
      L, "%s: backward, %s, returned %s", name, mlplb_function_text(L, -1), wrong);
  return 1;
}

/* Saved outputs belong to the graph: nothing that the graph holds may hold them. */
static int forget_saved(lua_State *L) {
  const mlplb_anchor *self = lua_touserdata(L, 1);
  mlplb_anchor_push(L, self);
  lua_rawgeti(L, -1, CONTEXT);
  lua_pushnil(L);
  lua_rawsetp(L, -2, &saved_key);
  return 0;
}

static mlpl_status call_backward(mlpl_ctx *cx, void *ud, mlpl_tensor **gx,
    mlpl_tensor *const *gy, mlpl_tensor *const *saved) {
  run r = {ud, gx, gy, saved};
  mlplb_state *s = mlplb_anchor_state(cx, ud);
  if (!s) return MLPL_ECALLBACK;
  mlpl_status status = mlplb_call_back(s, "the backward of a function", run_backward, &r);
  lua_State *L = s->L;
  lua_pushcfunction(L, forget_saved); /* cannot fail: the key exists */
  lua_pushlightuserdata(L, ud);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1);
  return status;
}

/* ---- the forward pass -------------------------------------------------------------- */

static mlpl_tensor *tensor_at(lua_State *L, int index) {
  const mlplb_box *box = mlplb_test_box(L, index, MLPLB_TENSOR);
  return box ? box->object : NULL;
}

static bool is_real(const mlpl_tensor *t) {
  return mlpl_tensor_dtype(t) == MLPL_F32 || mlpl_tensor_dtype(t) == MLPL_F64;
}

#define MOST_SAVED 1000000 /* more than one call can be given */

/* How many tensors the list at index holds. A script can reach it, and change it. */
static int list_length(lua_State *L, int index) {
  int whole;
  lua_pushliteral(L, "n");
  lua_rawget(L, index < 0 ? index - 1 : index);
  lua_Integer n = lua_tointegerx(L, -1, &whole);
  if (!whole || lua_type(L, -1) != LUA_TNUMBER || n < 0 || n > MOST_SAVED)
    luaL_error(L, "%s: saved_tensors was changed: its n is not the number of tensors",
        lua_tostring(L, lua_upvalueindex(5)));
  lua_pop(L, 1);
  return (int)n;
}

/* Is t among the tensors that a method of the context was given? */
static bool is_listed(lua_State *L, int context, const char *key, const mlpl_tensor *t) {
  bool found = false;
  if (lua_rawgetp(L, context, key) == LUA_TTABLE) {
    int n = list_length(L, -1);
    for (int i = 1; i <= n && !found; i++) {
      lua_rawgeti(L, -1, i);
      found = !lua_isnil(L, -1) && tensor_at(L, lua_gettop(L)) == t;
      lua_pop(L, 1);
    }
  }
  lua_pop(L, 1);
  return found;
}

/* needs_input_grad[i]: does argument i want a gradient? Returns whether any does. */
static bool needs_gradients(lua_State *L, int n_args, int context) {
  bool any = false;
  lua_createtable(L, n_args, 0);
  for (int i = 1; i <= n_args; i++) {
    const mlpl_tensor *t = tensor_at(L, i);
    bool needs = t && is_real(t) && mlpl_tensor_requires_grad(t);
    any = any || needs;
    lua_pushboolean(L, needs);
    lua_rawseti(L, -2, i);
  }
  lua_setfield(L, context, "needs_input_grad");
  return any;
}

/* forward(ctx, ...) with recording off; the results begin at the index returned. */
static int run_forward(lua_State *L, int n_args, int context) {
  mlplb_state *s = mlplb_get(L);
  const char *was_who = s->who;
  luaL_checkstack(L, n_args + 8, "forward");
  lua_pushcfunction(L, mlplb_note_traceback);
  int handler = lua_gettop(L);
  lua_pushvalue(L, lua_upvalueindex(3));
  lua_pushvalue(L, context);
  for (int i = 1; i <= n_args; i++) lua_pushvalue(L, i);
  bool was = mlpl_set_grad_enabled(s->cx, false);
  s->who = "the forward of a function";
  int failed = lua_pcall(L, n_args + 1, LUA_MULTRET, handler);
  s->who = was_who;
  mlpl_set_grad_enabled(s->cx, was);
  if (failed) lua_error(L);
  return handler + 1;
}

/* What one call works on: arrays that the collector owns. */
typedef struct recording {
  places *p;
  mlpl_tensor **in, **out, **saved;
  mlplb_box **box;
} recording;

static void *array(lua_State *L, int n, size_t size) {
  return lua_newuserdatauv(L, (size_t)(n ? n : 1) * size, 0);
}

static places *push_places(lua_State *L, int n_args, int n_results, int n_kept) {
  size_t n = (size_t)n_args + (size_t)n_results + (size_t)n_kept;
  places *p = lua_newuserdatauv(L, sizeof *p + n * sizeof(int), 0);
  memset(p, 0, sizeof *p);
  p->n_args = n_args;
  p->n_results = n_results;
  p->n_kept = n_kept;
  p->in = (int *)(void *)(p + 1);
  p->out = p->in + n_args;
  p->saved = p->out + n_results;
  return p;
}

static void find_inputs(lua_State *L, recording *r) {
  r->in = array(L, r->p->n_args, sizeof *r->in);
  for (int i = 1; i <= r->p->n_args; i++) {
    mlpl_tensor *t = tensor_at(L, i);
    if (!t || !is_real(t)) continue;
    r->in[r->p->n_in] = t;
    r->p->in[r->p->n_in++] = i;
  }
}

static void find_outputs(lua_State *L, recording *r, int context, int first) {
  r->out = array(L, r->p->n_results, sizeof *r->out);
  for (int i = 1; i <= r->p->n_results; i++) {
    mlpl_tensor *t = tensor_at(L, first + i - 1);
    if (!t || !is_real(t) || is_listed(L, context, &constant_key, t)) continue;
    r->out[r->p->n_out] = t;
    r->p->out[r->p->n_out++] = i;
  }
}

/* The list on top of the stack, or nil. */
static void find_saved(lua_State *L, recording *r, int list) {
  r->saved = array(L, r->p->n_kept, sizeof *r->saved);
  for (int i = 1; i <= r->p->n_kept; i++) {
    lua_rawgeti(L, list, i);
    if (!lua_isnil(L, -1)) {
      mlpl_tensor *t = tensor_at(L, lua_gettop(L));
      if (!t) luaL_error(L, "save_for_backward: tensor %d was released", i);
      r->saved[r->p->n_saved] = t;
      r->p->saved[r->p->n_saved++] = i;
    }
    lua_pop(L, 1);
  }
}

/* Pushes the value that the engine is to hold. */
static void push_self(lua_State *L, int context, int places_at) {
  lua_createtable(L, 4, 0);
  lua_pushvalue(L, context);
  lua_rawseti(L, -2, CONTEXT);
  lua_pushvalue(L, lua_upvalueindex(4));
  lua_rawseti(L, -2, BACKWARD);
  lua_pushvalue(L, places_at);
  lua_rawseti(L, -2, PLACES);
  lua_pushvalue(L, lua_upvalueindex(5));
  lua_rawseti(L, -2, FUNCTION_NAME);
}

static void record(lua_State *L, int n_args, int context, int first, int n_results) {
  mlplb_state *s = mlplb_get(L);
  const char *name = lua_tostring(L, lua_upvalueindex(5));
  recording r;
  int n_kept = 0;
  luaL_checkstack(L, n_results + 24, name);
  lua_rawgetp(L, context, &saved_key);
  int list = lua_gettop(L);
  if (lua_istable(L, list)) n_kept = list_length(L, list);
  r.p = push_places(L, n_args, n_results, n_kept);
  int places_at = lua_gettop(L);
  find_inputs(L, &r);
  find_outputs(L, &r, context, first);
  find_saved(L, &r, list);
  if (r.p->n_out == 0) return;
  r.box = array(L, r.p->n_out, sizeof *r.box);
  int boxes = lua_gettop(L) + 1;
  for (int i = 0; i < r.p->n_out; i++) r.box[i] = mlplb_tensor_box(L);
  lua_pushnil(L);
  lua_rawsetp(L, context, &saved_key);
  push_self(L, context, places_at);
  mlplb_anchor *self = mlplb_anchor_new(L);
  for (int i = 0; i < r.p->n_out; i++) mlpl_tensor_retain(r.out[i]);
  const mlpl_custom_function f = {name, call_backward, mlplb_anchor_release, self};
  lua_State *was = mlplb_enter(s, L);
  mlpl_status status = mlpl_record_custom(
      s->cx, &f, r.in, r.p->n_in, r.out, r.p->n_out, r.saved, r.p->n_saved);
  s->L = was;
  for (int i = 0; i < r.p->n_out; i++) r.box[i]->object = r.out[i];
  if (status != MLPL_OK) mlplb_raise(L, s);
  for (int i = 0; i < r.p->n_out; i++) {
    lua_pushvalue(L, boxes + i);
    lua_replace(L, first + r.p->out[i] - 1);
  }
}

/* F(x, ...): upvalues 3 to 5 are forward, backward and the function's name. */
int mlplb_function_call(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  int n_args = lua_gettop(L);
  for (int i = 1; i <= n_args; i++)
    mlplb_test_tensor(L, i); /* raises for released ones */
  mlplb_pressure(L, s);
  push_context(L);
  int context = n_args + 1;
  bool records = needs_gradients(L, n_args, context) && mlpl_grad_enabled(s->cx);
  int first = run_forward(L, n_args, context), n_results = lua_gettop(L) - first + 1;
  bool any = false;
  for (int i = 0; i < n_results; i++)
    any = any || mlplb_test_tensor(L, first + i) != NULL;
  if (!any)
    return luaL_error(
        L, "%s: forward returned no tensor", lua_tostring(L, lua_upvalueindex(5)));
  if (records) record(L, n_args, context, first, n_results);
  lua_settop(L, first + n_results - 1);
  return n_results;
}
