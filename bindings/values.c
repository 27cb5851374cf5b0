/* Values put into tensors that exist (fill_, zero_, copy_), and answers about all of a
   tensor at once (equal, allclose). */
#include "bind.h"

#include <math.h>

/* ---- in place ---------------------------------------------------------------------- */

bool mlplb_fits(lua_State *L, int arg, mlpl_dtype dtype) {
  lua_Integer whole = 0;
  if (lua_isboolean(L, arg)) return true;
  if (dtype != MLPL_I64 && dtype != MLPL_U8) return true;
  if (lua_isinteger(L, arg))
    whole = lua_tointeger(L, arg);
  else if (!lua_numbertointeger(floor(lua_tonumber(L, arg)), &whole) ||
      (lua_Number)whole != lua_tonumber(L, arg))
    return false;
  return dtype == MLPL_I64 || (whole >= 0 && whole <= 255);
}

mlpl_status mlplb_full(mlpl_ctx *cx, mlpl_tensor **t, mlpl_dtype dtype, int ndim,
    const int64_t *shape, mlpl_element v) {
  if (dtype == MLPL_I64 && (double)v.whole == v.f)
    return mlpl_tensor_full_int(cx, t, dtype, ndim, shape, v.whole);
  return mlpl_tensor_full(cx, t, dtype, ndim, shape, v.f);
}

static mlpl_status fill(mlpl_ctx *cx, mlpl_tensor *t, mlpl_element v) {
  if (mlpl_tensor_dtype(t) == MLPL_I64 && (double)v.whole == v.f)
    return mlpl_tensor_fill_int(cx, t, v.whole);
  return mlpl_tensor_fill(cx, t, v.f);
}

static int changed(lua_State *L, mlplb_state *s, const char *what, mlpl_status status) {
  lua_settop(L, 1);
  return status == MLPL_OK ? 1 : mlplb_raise_as(L, s, what);
}

/* x:fill_(2.5): a number, or a tensor without axes */
static int tensor_fill(lua_State *L) {
  mlplb_at_most(L, "fill_", 2);
  mlplb_state *s = mlplb_get(L);
  mlpl_tensor *t = mlplb_check_tensor(L, 1), *value = mlplb_test_tensor(L, 2);
  mlpl_status status;
  int tries = 0;
  if (value && mlpl_tensor_ndim(value) > 0)
    return luaL_error(
        L, "fill_: the value is a tensor with axes; it must be one number (see copy_)");
  if (!value && lua_type(L, 2) != LUA_TNUMBER && !lua_isboolean(L, 2))
    luaL_typeerror(L, 2, "a number");
  if (!value && !mlplb_fits(L, 2, mlpl_tensor_dtype(t)))
    return luaL_error(L, "fill_: value %s does not fit %s", mlplb_shown(L, 2),
        mlpl_dtype_name(mlpl_tensor_dtype(t)));
  do
    status = value ? mlpl_tensor_copy_from(s->cx, t, value)
                   : fill(s->cx, t, mlplb_element(L, 2));
  while (mlplb_again(L, s, status, &tries));
  return changed(L, s, "fill_", status);
}

static int tensor_zero(lua_State *L) {
  mlplb_at_most(L, "zero_", 1);
  mlplb_state *s = mlplb_get(L);
  return changed(L, s, "zero_", mlpl_tensor_zero(s->cx, mlplb_check_tensor(L, 1)));
}

/* x:copy_(y): y stretches to x's shape and is converted to its dtype */
static int tensor_copy(lua_State *L) {
  mlplb_at_most(L, "copy_", 2);
  mlplb_state *s = mlplb_get(L);
  mlpl_tensor *t = mlplb_check_tensor(L, 1), *from = mlplb_check_tensor(L, 2);
  mlpl_status status;
  int tries = 0;
  mlplb_pressure(L, s);
  do status = mlpl_tensor_copy_from(s->cx, t, from);
  while (mlplb_again(L, s, status, &tries));
  return changed(L, s, "copy_", status);
}

/* ---- answers ----------------------------------------------------------------------- */

static int answer(
    lua_State *L, mlplb_state *s, const char *what, mlpl_status status, bool yes) {
  if (status != MLPL_OK) return mlplb_raise_as(L, s, what);
  lua_pushboolean(L, yes);
  return 1;
}

static int equal(lua_State *L) {
  mlplb_at_most(L, "equal", 2);
  mlplb_state *s = mlplb_get(L);
  mlpl_tensor *a = mlplb_check_tensor(L, 1), *b = mlplb_check_tensor(L, 2);
  mlpl_status status;
  bool yes;
  int tries = 0;
  mlplb_pressure(L, s);
  do status = mlpl_tensor_equal(s->cx, a, b, &yes);
  while (mlplb_again(L, s, status, &tries));
  return answer(L, s, "equal", status, yes);
}

/* allclose(a, b, { rtol = 1e-5, atol = 1e-8, equal_nan = false }): isclose everywhere */
static int allclose(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  mlpl_tensor *a = mlplb_check_tensor(L, 1), *b = mlplb_check_tensor(L, 2);
  mlpl_value v[MLPL_MAX_PARAMS];
  mlpl_status status;
  bool yes;
  int n, tries = 0;
  const mlpl_param *params = mlpl_op_params(mlpl_op_find("isclose"), &n);
  mlplb_params(L, "allclose", 3, params, n, v, NULL);
  mlplb_pressure(L, s);
  do status = mlpl_tensor_allclose(s->cx, a, b, v[0].f, v[1].f, v[2].i, &yes);
  while (mlplb_again(L, s, status, &tries));
  return answer(L, s, "allclose", status, yes);
}

void mlplb_open_answers(lua_State *L) {
  static const luaL_Reg answers[] = {
      {"equal", equal}, {"allclose", allclose}, {NULL, NULL}};
  mlplb_setfuncs(L, answers);
}

void mlplb_open_values(lua_State *L) {
  static const luaL_Reg methods[] = {{"fill_", tensor_fill}, {"zero_", tensor_zero},
      {"copy_", tensor_copy}, {NULL, NULL}};
  mlplb_setfuncs(L, methods);
  mlplb_open_answers(L);
}
