/* Modules: constructors of every kind, models as callable values, functional forms,
   initialisers. */
#include "bind.h"

#include <stdio.h>
#include <string.h>

/* ---- pushing modules --------------------------------------------------------------- */

/* The box of a module: user value 1 holds the Lua function of a custom layer, or the
   children of a container. */
static void push_module(lua_State *L, mlpl_module *m) {
  if (mlplb_push_known(L, m)) return;
  mlplb_box *box = mlplb_box_push(L, MLPLB_MODULE, 1);
  box->object = mlpl_module_retain(m);
  mlplb_remember(L, m);
}

mlpl_module *mlpl_lua_check_module(lua_State *L, int arg) {
  return mlplb_check_anywhere(L, arg, MLPLB_MODULE);
}
static mlpl_module *check_module(lua_State *L, int arg) {
  return mlplb_check(L, arg, MLPLB_MODULE);
}

static int module_release(lua_State *L) { return mlplb_release(L, MLPLB_MODULE); }

/* A module just made goes into its box, on top of the stack. */
static int give_module(
    lua_State *L, const char *what, mlplb_box *box, mlpl_module *m, mlpl_status status) {
  box->object = m;
  if (status != MLPL_OK) return mlplb_raise_as(L, mlplb_get(L), what);
  mlplb_remember(L, m);
  return 1;
}

/* ---- layers written in Lua --------------------------------------------------------- */

typedef struct callback {
  mlpl_module *self;
  mlpl_tensor *x, *y;
} callback;

/* Protected: call the function of a custom layer. Argument: the callback. */
static int run_callback(lua_State *L) {
  callback *c = lua_touserdata(L, 1);
  if (!mlplb_push_known(L, c->self) || lua_getiuservalue(L, -1, 1) != LUA_TFUNCTION) {
    lua_pushliteral(L, "a Lua layer was called after it was released");
    return 1;
  }
  lua_pushvalue(L, -1);
  mlplb_push_tensor(L, c->x);
  lua_call(L, 1, 1);
  const mlplb_box *box = mlplb_test_box_anywhere(L, -1, MLPLB_TENSOR);
  if (!box || !box->object) {
    const char *given = box ? "a tensor that was released" : mlplb_shown(L, -1);
    lua_pushfstring(L, "a Lua layer must return a tensor, %s returned %s",
        mlplb_function_text(L, 3), given);
    return 1;
  }
  c->y = mlpl_tensor_retain(box->object);
  return 0;
}

/* Called by the engine. */
static mlpl_status call_lua_layer(
    mlpl_ctx *cx, mlpl_module *self, void *ud, mlpl_tensor **y, mlpl_tensor *x) {
  (void)cx;
  callback c = {self, x, NULL};
  mlpl_status status = mlplb_call_back(ud, "a Lua layer", run_callback, &c);
  *y = c.y;
  return status;
}

/* Wrap the function on top of the stack; its box replaces it. */
static mlpl_module *push_lua_layer(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  mlpl_module *m = NULL;
  mlpl_custom custom = {.name = "function", .forward = call_lua_layer, .ud = s};
  mlplb_box *box = mlplb_box_push(L, MLPLB_MODULE, 1);
  mlpl_status status = mlpl_module_custom(s->cx, &m, &custom);
  give_module(L, "Sequential", box, m, status);
  lua_pushvalue(L, -2);
  lua_setiuservalue(L, -2, 1);
  lua_replace(L, -2);
  return m;
}

/* ---- constructors ------------------------------------------------------------------ */

/* nn.Linear(784, 10, { bias = false }): the kind's name is upvalue 3. */
static int construct(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  const char *kind = lua_tostring(L, lua_upvalueindex(3));
  mlpl_value values[MLPL_MAX_PARAMS];
  mlplb_named named = {0};
  mlpl_module *m = NULL;
  mlpl_status status;
  int n, tries = 0;
  const mlpl_param *params = mlpl_kind_params(kind, &n);
  while (mlpl_kind_tensor(kind, named.n)) {
    named.name[named.n] = mlpl_kind_tensor(kind, named.n);
    named.n++;
  }
  mlplb_params(L, kind, 1, params, n, values, &named);
  mlplb_pressure(L, s);
  mlplb_box *box = mlplb_box_push(L, MLPLB_MODULE, 1);
  do status = mlpl_module_make(s->cx, &m, kind, values);
  while (mlplb_again(L, s, status, &tries));
  give_module(L, kind, box, m, status);
  for (int i = 0; i < named.n; i++)
    if (named.tensor[i] &&
        mlpl_module_set_tensor(s->cx, m, named.name[i], named.tensor[i]) != MLPL_OK)
      return mlplb_raise_as(L, s, kind);
  return 1;
}

/* A layer or a function at index i of the table at `list`; its box goes into the table at
   `kept`. */
static mlpl_module *take_child(lua_State *L, int list, int i, int kept) {
  lua_rawgeti(L, list, i);
  const mlplb_box *box = mlplb_test_box(L, -1, MLPLB_MODULE);
  mlpl_module *m = box ? box->object : NULL;
  if (lua_tocfunction(L, -1) == construct) {
    const char *kind = lua_tostring(
        L, lua_getupvalue(L, -1, MLPLB_UPVALUES + 1) ? -1 : 0);
    luaL_error(L,
        "Sequential: layer %d is the constructor nn.%s itself; call it: nn.%s()", i, kind,
        kind);
  }
  if (lua_isfunction(L, -1))
    m = push_lua_layer(L);
  else if (!box)
    luaL_error(L, "Sequential: layer %d is %s; it must be a module or a function", i,
        mlplb_shown(L, -1));
  if (!m) luaL_error(L, "Sequential: layer %d was released", i);
  lua_rawseti(L, kept, i);
  return m;
}

/* nn.Sequential{ layer, ... } or nn.Sequential(layer, ...) */
static int sequential(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  int n = lua_gettop(L);
  if (n == 1 && lua_istable(L, 1))
    n = (int)lua_rawlen(L, 1);
  else {
    lua_createtable(L, n, 0);
    lua_insert(L, 1);
    for (int i = n; i >= 1; i--) lua_rawseti(L, 1, i);
  }
  for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1))
    if (!lua_isinteger(L, -2) || lua_tointeger(L, -2) < 1 || lua_tointeger(L, -2) > n)
      luaL_error(L,
          "Sequential: unknown option %s; it takes layers only, numbered from 1 without "
          "a gap",
          mlplb_shown(L, -2));
  lua_createtable(L, n, 0);
  mlpl_module **child = lua_newuserdatauv(L, (size_t)(n ? n : 1) * sizeof *child, 0);
  for (int i = 1; i <= n; i++) child[i - 1] = take_child(L, 1, i, 2);
  mlpl_module *m = NULL;
  mlplb_box *box = mlplb_box_push(L, MLPLB_MODULE, 1);
  mlpl_status status = mlpl_sequential_new(s->cx, &m, child, n);
  give_module(L, "Sequential", box, m, status);
  lua_pushvalue(L, 2);
  lua_setiuservalue(L, -2, 1);
  return 1;
}

/* ---- running ----------------------------------------------------------------------- */

typedef mlpl_status runner(mlpl_ctx *cx, mlpl_module *m, mlpl_tensor **y, mlpl_tensor *x);

/* Forward, or `how` if it is not NULL. Lua layers may release whatever they can reach:
   what the engine works on is held meanwhile. (More than two tensors are the engine's to
   complain of.) */
static mlpl_status run(lua_State *L, mlpl_module *m, mlpl_tensor **y,
    mlpl_tensor *const *x, int n, runner *how) {
  mlplb_state *s = mlplb_get(L);
  mlpl_status status;
  int tries = 0, held = n < 2 ? n : 2;
  mlpl_module_retain(m);
  for (int i = 0; i < held; i++) mlpl_tensor_retain(x[i]);
  lua_State *was = mlplb_enter(s, L);
  do status = how ? how(s->cx, m, y, x[0]) : mlpl_forward(s->cx, m, y, x, n);
  while (mlplb_again(L, s, status, &tries));
  s->L = was;
  for (int i = 0; i < held; i++) mlpl_tensor_release(x[i]);
  mlpl_module_release(m);
  return status;
}

static mlpl_tensor *check_input(lua_State *L, const mlpl_module *m, int arg) {
  const char *name = arg == 2 ? "input" : "target", *kind = mlpl_module_kind(m);
  const int takes = mlpl_module_is_custom(m) ? 1 : mlpl_kind_inputs(kind);
  if (arg - 1 > takes && !mlplb_test_box(L, arg, MLPLB_TENSOR))
    luaL_error(L, "%s: one argument too many: %s; it takes %s", kind, mlplb_shown(L, arg),
        takes == 1 ? "one tensor, no target" : "an input and a target");
  const mlplb_box *box = mlplb_test_box(L, arg, MLPLB_TENSOR);
  if (!box)
    luaL_error(
        L, "%s: the %s is %s; it must be a tensor", kind, name, mlplb_shown(L, arg));
  if (!box->object) luaL_error(L, "%s: the %s was released", kind, name);
  return box->object;
}

/* model(x), loss(x, y) */
static int module_forward(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  mlpl_module *m = check_module(L, 1);
  mlpl_tensor *x[2] = {NULL, NULL}, *y = NULL;
  int n = lua_gettop(L) - 1;
  if (n < 1) check_input(L, m, 2);
  for (int i = 0; i < n && i < 2; i++) x[i] = check_input(L, m, i + 2);
  if (n > 2) check_input(L, m, 4);
  mlplb_pressure(L, s);
  mlplb_box *box = mlplb_tensor_box(L);
  mlpl_status status = run(L, m, &y, x, n, NULL);
  box->object = y;
  if (y && y == x[0]) lua_pushvalue(L, 2); /* one tensor, one value */
  return status == MLPL_OK ? 1 : mlplb_raise(L, s);
}

/* nn.checkpoint(module, x) */
static int checkpoint(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  mlpl_module *m = check_module(L, 1);
  mlpl_tensor *x = mlplb_check_tensor(L, 2), *y = NULL;
  mlplb_pressure(L, s);
  mlplb_box *box = mlplb_tensor_box(L);
  mlpl_status status = run(L, m, &y, &x, 1, mlpl_checkpoint);
  box->object = y;
  return status == MLPL_OK ? 1 : mlplb_raise(L, s);
}

static int module_predict(lua_State *L) {
  mlplb_at_most(L, "predict", 2);
  mlplb_state *s = mlplb_get(L);
  mlpl_module *m = check_module(L, 1);
  mlpl_tensor *x = check_input(L, m, 2), *y = NULL;
  mlplb_pressure(L, s);
  mlplb_box *box = mlplb_tensor_box(L);
  mlpl_status status = run(L, m, &y, &x, 1, mlpl_predict);
  box->object = y;
  return status == MLPL_OK ? 1 : mlplb_raise(L, s);
}

static int module_train(lua_State *L) {
  mlplb_at_most(L, "train", 2);
  bool on = true;
  if (!lua_isnoneornil(L, 2)) {
    luaL_checktype(L, 2, LUA_TBOOLEAN);
    on = lua_toboolean(L, 2);
  }
  mlpl_module_train(check_module(L, 1), on);
  lua_settop(L, 1);
  return 1;
}

static int module_eval(lua_State *L) {
  mlplb_at_most(L, "eval", 1);
  mlpl_module_train(check_module(L, 1), false);
  lua_settop(L, 1);
  return 1;
}

/* ---- parameters -------------------------------------------------------------------- */

/* Is parameter i one that came before? A layer may stand in a model twice; its parameters
   are listed once, as in PyTorch. */
static bool is_repeated(const mlpl_module *m, int i) {
  const mlpl_tensor *t = mlpl_module_parameter(m, i);
  for (int k = 0; k < i; k++)
    if (mlpl_module_parameter(m, k) == t) return true;
  return false;
}

static int module_parameters(lua_State *L) {
  mlplb_at_most(L, "parameters", 1);
  const mlpl_module *m = check_module(L, 1);
  int n = mlpl_module_n_parameters(m), listed = 0;
  lua_createtable(L, n, 0);
  for (int i = 0; i < n; i++) {
    if (is_repeated(m, i)) continue;
    mlplb_push_tensor(L, mlpl_module_parameter(m, i));
    lua_rawseti(L, -2, ++listed);
  }
  return 1;
}

static void push_parameter_name(lua_State *L, const mlpl_module *m, int i) {
  luaL_Buffer b;
  size_t n = mlpl_module_parameter_name(m, i, NULL, 0);
  char *name = luaL_buffinitsize(L, &b, n + 1);
  mlpl_module_parameter_name(m, i, name, n + 1);
  luaL_pushresultsize(&b, n);
}

static int next_parameter(lua_State *L) {
  const mlpl_module *m = check_module(L, lua_upvalueindex(3));
  int i = (int)lua_tointeger(L, lua_upvalueindex(4)), n = mlpl_module_n_parameters(m);
  while (i < n && is_repeated(m, i)) i++;
  if (i >= n) return 0;
  lua_pushinteger(L, i + 1);
  lua_replace(L, lua_upvalueindex(4));
  push_parameter_name(L, m, i);
  mlplb_push_tensor(L, mlpl_module_parameter(m, i));
  return 2;
}

/* for name, tensor in model:named_parameters() */
static int module_named_parameters(lua_State *L) {
  mlplb_at_most(L, "named_parameters", 1);
  check_module(L, 1);
  mlplb_push_upvalues(L);
  lua_pushvalue(L, 1);
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, next_parameter, MLPLB_UPVALUES + 2);
  return 1;
}

static int module_zero_grad(lua_State *L) {
  mlplb_at_most(L, "zero_grad", 1);
  mlpl_module_zero_grad(check_module(L, 1));
  return 0;
}

static int module_to(lua_State *L) {
  mlplb_at_most(L, "to", 2);
  mlplb_state *s = mlplb_get(L);
  mlpl_module *m = check_module(L, 1);
  mlpl_status status;
  int tries = 0;
  mlpl_dtype dtype = mlplb_dtype(L, 2, "to");
  do status = mlpl_module_to(s->cx, m, dtype);
  while (mlplb_again(L, s, status, &tries));
  if (status != MLPL_OK) return mlplb_raise_as(L, s, "to");
  lua_settop(L, 1);
  return 1;
}

/* ---- files ------------------------------------------------------------------------- */

/* Saving raises, so that nothing is lost silently. */
static int module_save(lua_State *L) {
  mlplb_at_most(L, "save", 2);
  mlplb_state *s = mlplb_get(L);
  mlpl_module *m = check_module(L, 1);
  const char *path = mlplb_path(L, 2);
  mlpl_status status;
  int tries = 0;
  do status = mlpl_module_save(s->cx, m, path);
  while (mlplb_again(L, s, status, &tries));
  return status == MLPL_OK ? 0 : mlplb_raise_as(L, s, "save");
}

static int load(lua_State *L) {
  mlplb_at_most(L, "load", 1);
  mlplb_state *s = mlplb_get(L);
  const char *path = mlplb_path(L, 1);
  mlpl_module *m = NULL;
  mlpl_status status;
  int tries = 0;
  mlplb_pressure(L, s);
  mlplb_box *box = mlplb_box_push(L, MLPLB_MODULE, 1);
  do status = mlpl_module_load(s->cx, &m, path);
  while (mlplb_again(L, s, status, &tries));
  if (status != MLPL_OK) return mlplb_outside(L, s, status);
  return give_module(L, "load", box, m, status);
}

/* ---- what a model is --------------------------------------------------------------- */

static void add_value(
    lua_State *L, luaL_Buffer *b, const mlpl_param *p, const mlpl_value *v) {
  char text[64];
  switch (p->type) {
    case MLPL_PARAM_REAL: snprintf(text, sizeof text, "%.14g", v->f); break;
    case MLPL_PARAM_BOOL:
      snprintf(text, sizeof text, "%s", v->i ? "true" : "false");
      break;
    case MLPL_PARAM_CHOICE:
      snprintf(text, sizeof text, "\"%s\"", p->choices[v->i]);
      break;
    case MLPL_PARAM_AXIS:
      snprintf(text, sizeof text, "%lld", (long long)(v->i < 0 ? v->i : v->i + 1));
      break;
    default: snprintf(text, sizeof text, "%lld", (long long)v->i);
  }
  (void)L;
  luaL_addstring(b, p->name);
  luaL_addchar(b, '=');
  luaL_addstring(b, text);
}

static void describe(lua_State *L, luaL_Buffer *b, const mlpl_module *m, int depth) {
  char text[32];
  int n = 0, children = mlpl_module_n_children(m);
  const mlpl_param *params = mlpl_module_is_custom(m)
      ? NULL
      : mlpl_kind_params(mlpl_module_kind(m), &n);
  luaL_addstring(b, mlpl_module_kind(m));
  luaL_addchar(b, '(');
  for (int i = 0; i < n; i++) {
    if (i) luaL_addstring(b, ", ");
    add_value(L, b, &params[i], &mlpl_module_params(m)[i]);
  }
  for (int i = 0; i < children; i++) {
    luaL_addchar(b, '\n');
    for (int d = 0; d <= depth; d++) luaL_addstring(b, "  ");
    snprintf(text, sizeof text, "(%d): ", i + 1);
    luaL_addstring(b, text);
    describe(L, b, mlpl_module_child(m, i), depth + 1);
  }
  if (children) {
    luaL_addchar(b, '\n');
    for (int d = 0; d < depth; d++) luaL_addstring(b, "  ");
  }
  luaL_addchar(b, ')');
}

static int module_tostring(lua_State *L) {
  luaL_Buffer b;
  const mlplb_box *box = mlplb_check_box(L, 1, MLPLB_MODULE);
  if (!box->object) {
    lua_pushliteral(L, "module (released)");
    return 1;
  }
  luaL_buffinit(L, &b);
  describe(L, &b, box->object, 0);
  luaL_pushresult(&b);
  return 1;
}

static int module_len(lua_State *L) {
  lua_pushinteger(L, mlpl_module_n_children(check_module(L, 1)));
  return 1;
}

/* model[i] is layer i, from 1 or, negative, from the end */
static int child(lua_State *L, const mlpl_module *m) {
  int n = mlpl_module_n_children(m);
  lua_Integer i = mlplb_whole(L, 2, mlpl_module_kind(m), "the layer's number"),
              at = i < 0 ? i + n : i - 1;
  if (i == 0 || at < 0 || at >= n)
    return luaL_error(L, "%s: layer %I is outside 1 to %d", mlpl_module_kind(m), i, n);
  push_module(L, mlpl_module_child(m, (int)at));
  return 1;
}

static bool push_parameter(lua_State *L, const mlpl_module *m, const char *key) {
  char name[16];
  for (int i = 0; i < mlpl_module_n_parameters(m); i++) {
    mlpl_module_parameter_name(m, i, name, sizeof name);
    if (strcmp(name, key) != 0) continue;
    mlplb_push_tensor(L, mlpl_module_parameter(m, i));
    return true;
  }
  return false;
}

/* A parameter that an option has left out: Linear's bias. */
static bool left_out(const mlpl_module *m, const char *key) {
  int n = 0;
  const mlpl_param *params = mlpl_module_is_custom(m)
      ? NULL
      : mlpl_kind_params(mlpl_module_kind(m), &n);
  for (int i = 0; i < n; i++)
    if (strcmp(params[i].name, key) == 0) return true;
  return false;
}

/* Methods, children by number, a layer's own parameters by name ("weight", "bias"), and
   `training`. */
static int module_index(lua_State *L) {
  if (lua_type(L, 2) == LUA_TSTRING && mlplb_push_method(L)) return 1;
  const mlpl_module *m = check_module(L, 1);
  if (lua_type(L, 2) == LUA_TNUMBER) return child(L, m);
  const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  if (strcmp(key, "training") == 0) {
    lua_pushboolean(L, mlpl_module_is_training(m));
    return 1;
  }
  if (strcmp(key, "weight") == 0 || strcmp(key, "bias") == 0)
    if (push_parameter(L, m, key)) return 1;
  if (strcmp(key, "bias") == 0 && left_out(m, key)) {
    lua_pushnil(L);
    return 1;
  }
  return mlplb_method(L, mlpl_module_kind(m));
}

/* ---- nn.init ----------------------------------------------------------------------- */

/* nn.init.normal_(tensor, options): the rule is upvalue 3, the name upvalue 4. Returns the
   tensor. */
static int init(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  const char *rule = lua_tostring(L, lua_upvalueindex(3)),
             *name = lua_tostring(L, lua_upvalueindex(4));
  mlpl_tensor *t = mlplb_check_tensor(L, 1);
  mlpl_value values[MLPL_MAX_PARAMS];
  int n;
  const mlpl_param *params = mlpl_init_params(rule, &n);
  mlplb_params(L, name, 2, params, n, values, NULL);
  if (mlpl_init_apply(s->cx, t, rule, values) != MLPL_OK)
    return mlplb_raise_as(L, s, name);
  lua_settop(L, 1);
  return 1;
}

static void open_init(lua_State *L) {
  lua_createtable(L, 0, 0);
  for (int i = 0; mlpl_init_at(i); i++) {
    lua_pushfstring(L, "%s_", mlpl_init_at(i));
    mlplb_push_upvalues(L);
    lua_pushstring(L, mlpl_init_at(i));
    lua_pushvalue(L, -MLPLB_UPVALUES - 2); /* the name */
    lua_pushcclosure(L, init, MLPLB_UPVALUES + 2);
    lua_rawset(L, -3);
  }
}

/* ---- the table --------------------------------------------------------------------- */

static void open_type(lua_State *L) {
  static const luaL_Reg meta[] = {{"__call", module_forward},
      {"__tostring", module_tostring}, {"__len", module_len}, {NULL, NULL}};
  static const luaL_Reg methods[] = {{"forward", module_forward},
      {"predict", module_predict}, {"train", module_train}, {"eval", module_eval},
      {"parameters", module_parameters}, {"named_parameters", module_named_parameters},
      {"zero_grad", module_zero_grad}, {"to", module_to}, {"save", module_save},
      {NULL, NULL}};
  mlplb_new_type(L, MLPLB_MODULE, meta, methods, module_index, module_release);
  lua_pop(L, 1);
}

/* Functional forms: the table's operations that take a model's output, under PyTorch's
   names. */
static void open_functions(lua_State *L) {
  static const char *const names[] = {"linear", "relu", "leaky_relu", "elu", "sigmoid",
      "tanh", "softmax", "log_softmax", "dropout", "cross_entropy", "mse_loss",
      "binary_cross_entropy_with_logits", "nll_loss", "l1_loss", "smooth_l1_loss",
      "huber_loss", "kl_div", "poisson_nll_loss", "soft_margin_loss",
      "hinge_embedding_loss", "margin_ranking_loss", "binary_cross_entropy", "pad",
      "one_hot", "gelu", "silu", "mish", "softplus", "softsign", "hardtanh", "relu6",
      "hardsigmoid", "hardswish", "selu", "celu", "logsigmoid", "tanhshrink",
      "softshrink", "hardshrink", "threshold", "prelu", "step", "glu", "conv1d", "conv2d",
      "conv_transpose1d", "conv_transpose2d", "max_pool1d", "max_pool2d", "avg_pool1d",
      "avg_pool2d", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_max_pool1d",
      "adaptive_max_pool2d", "normalize", "cosine_similarity", "pairwise_distance", NULL};
  mlplb_push_methods(L, mlplb_type_name[MLPLB_TENSOR]);
  for (int i = 0; names[i]; i++) {
    lua_getfield(L, -1, names[i]);
    lua_setfield(L, -3, names[i]);
  }
  lua_pop(L, 1);
}

/* PyTorch's names; tensors have an unfold of another kind. */
static int unfold(lua_State *L) {
  return mlplb_op_call(L, mlpl_op_find("im2col"), "unfold");
}

static int fold(lua_State *L) { return mlplb_op_call(L, mlpl_op_find("col2im"), "fold"); }

void mlplb_open_nn(lua_State *L) {
  static const luaL_Reg functions[] = {{"Sequential", sequential}, {"load", load},
      {"checkpoint", checkpoint}, {"unfold", unfold}, {"fold", fold}, {NULL, NULL}};
  open_type(L);
  lua_createtable(L, 0, 0);
  open_functions(L);
  for (int i = 0; mlpl_kind_at(i); i++) {
    mlplb_push_upvalues(L);
    lua_pushstring(L, mlpl_kind_at(i));
    lua_pushcclosure(L, construct, MLPLB_UPVALUES + 1);
    lua_setfield(L, -2, mlpl_kind_at(i));
  }
  mlplb_setfuncs(L, functions);
  open_init(L);
  lua_setfield(L, -2, "init");
}
