/* Tensors from sizes, other tensors and tables. */
#include "bind.h"

#include <math.h>
#include <string.h>

/* ---- the trailing table of every function here: dtype, requires_grad --------------- */

typedef struct making {
  mlplb_making made;
  bool truth;        /* bool because the first value is true or false: all must be */
  int ndim, options; /* options: where the trailing table is; 0: none */
  int64_t shape[MLPL_MAX_RANK];
} making;

mlplb_making mlplb_making_of(
    lua_State *L, int options, const char *what, mlpl_dtype standard) {
  mlplb_making m = {.what = what, .dtype = standard};
  if (!options) return m;
  if (mlplb_get_option(L, options, "dtype") != LUA_TNIL)
    m.dtype = mlplb_dtype(L, lua_gettop(L), what);
  lua_pop(L, 1);
  m.requires_grad = mlplb_get_flag(L, options, what, "requires_grad", false);
  return m;
}

static making begin(lua_State *L, const char *what, mlpl_dtype standard) {
  static const char *const keys[] = {"dtype", "requires_grad", NULL};
  making m = {.options = mlplb_options(L)};
  mlplb_known_keys(L, m.options, what, keys);
  m.made = mlplb_making_of(L, m.options, what, standard);
  return m;
}

static int end_of_arguments(lua_State *L, const making *m) {
  return m->options ? m->options : lua_gettop(L) + 1;
}

/* Sizes at arg and after, up to the options. */
static void read_shape(lua_State *L, making *m, int arg) {
  m->ndim = mlplb_sizes(L, m->made.what, arg, end_of_arguments(L, m), m->shape);
}

static void no_more(lua_State *L, const making *m, int arg) {
  if (arg < end_of_arguments(L, m))
    luaL_error(L, "%s: one argument too many: %s", m->made.what, mlplb_shown(L, arg));
}

int mlplb_finish(lua_State *L, const mlplb_making *m, mlplb_box *box, mlpl_tensor *t,
    mlpl_status status) {
  mlplb_state *s = mlplb_get(L);
  box->object = t;
  if (status == MLPL_OK && m->requires_grad)
    status = mlpl_tensor_set_requires_grad(s->cx, t, true);
  return status == MLPL_OK ? 1 : mlplb_raise_as(L, s, m->what);
}

/* The number at arg, which must arrive as it is. */
static mlpl_element fitting(lua_State *L, const making *m, const char *name, int arg) {
  if (!mlplb_fits(L, arg, m->made.dtype))
    luaL_error(L, "%s: %s %s does not fit %s", m->made.what, name, mlplb_shown(L, arg),
        mlpl_dtype_name(m->made.dtype));
  return mlplb_element(L, arg);
}

/* ---- constants --------------------------------------------------------------------- */

static int make_full(lua_State *L, const making *m, mlpl_element value) {
  mlplb_state *s = mlplb_get(L);
  mlpl_tensor *t = NULL;
  mlpl_status status;
  int tries = 0;
  mlplb_pressure(L, s);
  mlplb_box *box = mlplb_tensor_box(L);
  do status = mlplb_full(s->cx, &t, m->made.dtype, m->ndim, m->shape, value);
  while (mlplb_again(L, s, status, &tries));
  return mlplb_finish(L, &m->made, box, t, status);
}

/* Contents are not set. */
static int make_empty(lua_State *L, const making *m) {
  mlplb_state *s = mlplb_get(L);
  mlpl_tensor *t = NULL;
  mlpl_status status;
  int tries = 0;
  mlplb_pressure(L, s);
  mlplb_box *box = mlplb_tensor_box(L);
  do status = mlpl_tensor_new(s->cx, &t, m->made.dtype, m->ndim, m->shape);
  while (mlplb_again(L, s, status, &tries));
  return mlplb_finish(L, &m->made, box, t, status);
}

static int empty(lua_State *L) {
  making m = begin(L, "empty", MLPL_F32);
  read_shape(L, &m, 1);
  return make_empty(L, &m);
}

static int constant(lua_State *L, const char *what, mlpl_dtype standard, int value) {
  making m = begin(L, what, standard);
  read_shape(L, &m, 1);
  return make_full(L, &m, (mlpl_element){value, value});
}

static void check_number(lua_State *L, const char *what, int arg) {
  if (lua_type(L, arg) != LUA_TNUMBER && !lua_isboolean(L, arg))
    luaL_error(L, "%s: the value is %s; it must be a number", what, mlplb_shown(L, arg));
}

/* {2, 3}, 7 */
static int full_of(lua_State *L, const char *what, mlpl_dtype standard) {
  making m = begin(L, what, standard);
  if (!lua_istable(L, 1))
    luaL_error(L, "%s: the sizes must be an array: %s({2, 3}, value)", what, what);
  m.ndim = mlplb_sizes(L, what, 1, 2, m.shape);
  check_number(L, what, 2);
  no_more(L, &m, 3);
  return make_full(L, &m, fitting(L, &m, "value", 2));
}

static int zeros(lua_State *L) { return constant(L, "zeros", MLPL_F32, 0); }
static int ones(lua_State *L) { return constant(L, "ones", MLPL_F32, 1); }
static int full(lua_State *L) { return full_of(L, "full", MLPL_F32); }

/* x:new_zeros(2, 3): of x's dtype unless another is asked for. x goes, the sizes stay. */
static mlpl_dtype dtype_of_receiver(lua_State *L) {
  mlpl_dtype dtype = mlpl_tensor_dtype(mlplb_check_tensor(L, 1));
  lua_remove(L, 1);
  return dtype;
}

static int new_zeros(lua_State *L) {
  return constant(L, "new_zeros", dtype_of_receiver(L), 0);
}
static int new_ones(lua_State *L) {
  return constant(L, "new_ones", dtype_of_receiver(L), 1);
}
static int new_full(lua_State *L) { return full_of(L, "new_full", dtype_of_receiver(L)); }

/* Numbers of a range that whole numbers are asked of. */
static void check_range(lua_State *L, const making *m, int n) {
  double last = lua_tonumber(L, n > 1 ? 2 : 1), step = n > 2 ? lua_tonumber(L, 3) : 1;
  if (n > 1) fitting(L, m, "first", 1);
  if (m->made.dtype == MLPL_U8 && !(last > -1 && last < 256))
    luaL_error(L, "arange: last %s does not fit u8", mlplb_shown(L, n > 1 ? 2 : 1));
  if (step != floor(step))
    luaL_error(L, "arange: the step is %s; for %s it must be a whole number",
        mlplb_shown(L, 3), mlpl_dtype_name(m->made.dtype));
}

/* A range of first, last and step, the numbers at 1 to n: exact where they are whole and
   whole numbers are asked for. */
static mlpl_status range(
    lua_State *L, mlpl_ctx *cx, mlpl_tensor **t, mlpl_dtype dtype, int n) {
  const double first = n > 1 ? lua_tonumber(L, 1) : 1,
               step = n > 2 ? lua_tonumber(L, 3) : 1;
  const int at = n > 1 ? 2 : 1;
  lua_Integer from = 1, by = 1, to;
  int whole[3] = {1, 1, 1};
  if (n > 1) from = lua_tointegerx(L, 1, &whole[0]);
  if (n > 2) by = lua_tointegerx(L, 3, &whole[1]);
  to = lua_tointegerx(L, at, &whole[2]);
  if (dtype == MLPL_I64 && whole[0] && whole[1] && whole[2])
    return mlpl_tensor_arange_int(cx, t, from, to, by);
  return mlpl_tensor_arange(cx, t, dtype, first, lua_tonumber(L, at), step);
}

/* arange(5) is 1..5, arange(a, b), arange(a, b, step); both ends included */
static int arange(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  making m = begin(L, "arange", MLPL_F32);
  int n = end_of_arguments(L, &m) - 1, tries = 0;
  for (int i = 1; i <= n; i++)
    if (lua_type(L, i) != LUA_TNUMBER)
      luaL_error(
          L, "arange: argument %d is %s; it must be a number", i, mlplb_shown(L, i));
  no_more(L, &m, 4);
  if (n < 1)
    luaL_error(L,
        "arange: last is missing; it takes last, or first and last, or first, "
        "last and step");
  if (m.made.dtype == MLPL_I64 || m.made.dtype == MLPL_U8) check_range(L, &m, n);
  mlpl_tensor *t = NULL;
  mlpl_status status;
  mlplb_pressure(L, s);
  mlplb_box *box = mlplb_tensor_box(L);
  do status = range(L, s->cx, &t, m.made.dtype, n);
  while (mlplb_again(L, s, status, &tries));
  return mlplb_finish(L, &m.made, box, t, status);
}

/* ---- of x's shape and dtype -------------------------------------------------------- */

/* A tensor like the one at 1, which n_args arguments say. */
static making begin_like(lua_State *L, const char *what, int n_args) {
  const mlpl_tensor *x = mlplb_check_tensor(L, 1);
  making m = begin(L, what, mlpl_tensor_dtype(x));
  no_more(L, &m, n_args + 1);
  m.ndim = mlpl_tensor_ndim(x);
  memcpy(m.shape, mlpl_tensor_shape(x), (size_t)m.ndim * sizeof *m.shape);
  return m;
}

static int zeros_like(lua_State *L) {
  making m = begin_like(L, "zeros_like", 1);
  return make_full(L, &m, (mlpl_element){0, 0});
}

static int ones_like(lua_State *L) {
  making m = begin_like(L, "ones_like", 1);
  return make_full(L, &m, (mlpl_element){1, 1});
}

static int empty_like(lua_State *L) {
  making m = begin_like(L, "empty_like", 1);
  return make_empty(L, &m);
}

/* full_like(x, 7) */
static int full_like(lua_State *L) {
  mlplb_check_tensor(L, 1);
  check_number(L, "full_like", 2);
  making m = begin_like(L, "full_like", 2);
  return make_full(L, &m, fitting(L, &m, "value", 2));
}

/* ---- values ------------------------------------------------------------------------ */

/* The shape of nested tables, from the first entry of each; whether the values are truth
   values. */
static bool shape_of(lua_State *L, making *m) {
  int top = lua_gettop(L);
  lua_pushvalue(L, 1);
  while (lua_istable(L, -1)) {
    if (m->ndim == MLPL_MAX_RANK)
      luaL_error(
          L, "tensor: the values have more than %d levels of tables", MLPL_MAX_RANK);
    m->shape[m->ndim++] = (int64_t)lua_rawlen(L, -1);
    luaL_checkstack(L, 2, "tensor");
    lua_rawgeti(L, -1, 1);
  }
  bool boolean = lua_isboolean(L, -1);
  lua_settop(L, top);
  return boolean;
}

static void store(lua_State *L, const making *m, char *p) {
  mlpl_dtype dtype = m->made.dtype;
  int ok = 1;
  lua_Number v = lua_isboolean(L, -1) ? lua_toboolean(L, -1) : 0;
  if (!lua_isboolean(L, -1) && lua_type(L, -1) != LUA_TNUMBER)
    luaL_error(L, "tensor: a value is %s; values are numbers%s", mlplb_shown(L, -1),
        mlplb_test_box(L, -1, MLPLB_TENSOR) ? " (stack and cat join tensors)" : "");
  if (m->truth && !lua_isboolean(L, -1))
    luaL_error(L,
        "tensor: %s stands among truth values; say the dtype if numbers are meant",
        mlplb_shown(L, -1));
  if (lua_type(L, -1) == LUA_TNUMBER) v = lua_tonumber(L, -1);
  float f = (float)v;
  int64_t i = 0;
  if (dtype == MLPL_I64 || dtype == MLPL_U8) {
    if (lua_isboolean(L, -1))
      i = v != 0;
    else
      i = lua_tointegerx(L, -1, &ok);
    if (!ok || (dtype == MLPL_U8 && (i < 0 || i > 255)))
      luaL_error(
          L, "tensor: %s does not fit %s", mlplb_shown(L, -1), mlpl_dtype_name(dtype));
  }
  switch (dtype) {
    case MLPL_F32: memcpy(p, &f, sizeof f); return;
    case MLPL_F64: memcpy(p, &v, sizeof v); return;
    case MLPL_I64: memcpy(p, &i, sizeof i); return;
    case MLPL_U8: *p = (char)i; return;
    case MLPL_BOOL: *p = v != 0; return;
  }
}

/* Copy the table on top along an axis and on; returns where the next value goes. */
static char *fill(lua_State *L, const making *m, int axis, char *p) {
  if (axis == m->ndim) {
    if (lua_istable(L, -1))
      luaL_error(
          L, "tensor: a table where a number should be: the tables are nested unevenly");
    store(L, m, p);
    return p + mlpl_dtype_bytes(m->made.dtype);
  }
  if (!lua_istable(L, -1))
    luaL_error(L, "tensor: %s where a table should be: the tables are nested unevenly",
        mlplb_shown(L, -1));
  int64_t n = (int64_t)lua_rawlen(L, -1);
  if (n != m->shape[axis])
    luaL_error(L,
        "tensor: a table at level %d has size %I, the first one there has size %I",
        axis + 1, (lua_Integer)n, (lua_Integer)m->shape[axis]);
  luaL_checkstack(L, 8, "tensor");
  mlplb_only_array(L, -1, "tensor", "values; options have a table of their own");
  for (int64_t i = 1; i <= n; i++) {
    lua_rawgeti(L, -1, i);
    p = fill(L, m, axis + 1, p);
    lua_pop(L, 1);
  }
  return p;
}

/* tensor{ {1, 2}, {3, 4} }, tensor(5): f32 unless all is true or false, or a dtype is
   asked for */
static int tensor(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  if (lua_isnoneornil(L, 1))
    return luaL_argerror(L, 1, "a number or nested tables of numbers expected");
  making m = begin(L, "tensor", (mlpl_dtype)-1);
  if (m.options == 1) { /* tensor{}: no elements */
    lua_pushnil(L);
    if (lua_next(L, 1))
      return luaL_error(L,
          "tensor: the first argument has no values; it must be a number or nested "
          "tables");
    m.options = 0;
  }
  if (end_of_arguments(L, &m) > 2 && lua_type(L, 2) == LUA_TNUMBER)
    luaL_error(L,
        "tensor: one argument too many: %s; several values stand in a table: "
        "tensor{1, 2, 3}",
        mlplb_shown(L, 2));
  no_more(L, &m, 2);
  bool boolean = shape_of(L, &m);
  m.truth = boolean && m.made.dtype == (mlpl_dtype)-1;
  if (m.made.dtype == (mlpl_dtype)-1) m.made.dtype = boolean ? MLPL_BOOL : MLPL_F32;
  mlpl_tensor *t = NULL;
  mlpl_status status;
  int tries = 0;
  mlplb_pressure(L, s);
  mlplb_box *box = mlplb_tensor_box(L);
  do status = mlpl_tensor_new(s->cx, &t, m.made.dtype, m.ndim, m.shape);
  while (mlplb_again(L, s, status, &tries));
  mlplb_finish(L, &m.made, box, t, status);
  lua_pushvalue(L, 1);
  fill(L, &m, 0, mlpl_tensor_data(t));
  lua_pop(L, 1);
  return 1;
}

void mlplb_open_create(lua_State *L) {
  static const luaL_Reg functions[] = {{"tensor", tensor}, {"zeros", zeros},
      {"ones", ones}, {"full", full}, {"arange", arange}, {"empty", empty},
      {"empty_like", empty_like}, {"zeros_like", zeros_like}, {"ones_like", ones_like},
      {"full_like", full_like}, {NULL, NULL}};
  mlplb_setfuncs(L, functions);
}

void mlplb_open_new_methods(lua_State *L) {
  static const luaL_Reg methods[] = {{"new_zeros", new_zeros}, {"new_ones", new_ones},
      {"new_full", new_full}, {NULL, NULL}};
  mlplb_setfuncs(L, methods);
}
