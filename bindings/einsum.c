/* mlpl.einsum(equation, operand, ...) and mlpl.tensordot(a, b, dims) */
#include "bind.h"

#include <string.h>

#define MOST 16 /* operands, as in the engine */

/* The sum, pushed. */
static int push_sum(lua_State *L, mlplb_state *s, const char *what, const char *equation,
    mlpl_tensor *const *in, int n) {
  mlpl_tensor *out = NULL;
  int tries = 0;
  mlplb_pressure(L, s);
  mlplb_box *box = mlplb_tensor_box(L);
  mlpl_status status;
  do status = mlpl_einsum(s->cx, &out, equation, in, n);
  while (mlplb_again(L, s, status, &tries));
  box->object = out;
  return status == MLPL_OK ? 1 : mlplb_raise_as(L, s, what);
}

/* The operands of the array at 2 come to stand behind the equation. */
static void spread_operands(lua_State *L) {
  const lua_Unsigned n = lua_rawlen(L, 2);
  mlplb_at_most(L, "einsum", 2);
  mlplb_only_array(L, 2, "einsum", "operands");
  if (n > MOST)
    luaL_error(L, "einsum: %I operands; it takes 1 to %d", (lua_Integer)n, MOST);
  luaL_checkstack(L, MOST, "einsum");
  for (lua_Unsigned i = 1; i <= n; i++) {
    lua_rawgeti(L, 2, (lua_Integer)i);
    if (!mlplb_test_tensor(L, -1))
      luaL_error(L, "einsum: operand %I is %s; it must be a tensor", (lua_Integer)i,
          mlplb_shown(L, -1));
  }
  lua_remove(L, 2);
}

/* einsum(equation, a, b, ..), einsum(equation, {a, b, ..}) */
int mlplb_einsum(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  mlpl_tensor *in[MOST];
  size_t length;
  luaL_checktype(L, 1, LUA_TSTRING);
  if (lua_istable(L, 2)) spread_operands(L);
  const int n = lua_gettop(L) - 1;
  const char *equation = lua_tolstring(L, 1, &length);
  luaL_argcheck(L, strlen(equation) == length, 1, "an equation cannot hold a zero byte");
  if (n < 1 || n > MOST)
    return luaL_error(L, "einsum: %d operands; it takes 1 to %d", n, MOST);
  for (int i = 0; i < n; i++) in[i] = mlplb_check_tensor(L, i + 2);
  return push_sum(L, s, "einsum", equation, in, n);
}

/* ---- tensordot --------------------------------------------------------------------- */

/* Axes, from 0, of the list at the top of the stack. */
static int axes_of(lua_State *L, const mlpl_tensor *t, const char *name, int *axis) {
  int top = lua_gettop(L), ndim = mlpl_tensor_ndim(t);
  lua_Integer n = lua_istable(L, top) ? (lua_Integer)lua_rawlen(L, top) : -1;
  if (n < 0 || n > ndim)
    luaL_error(L, "tensordot: dims of %s is %s; it must be a table of at most %d axes",
        name, mlplb_shown(L, top), ndim);
  mlplb_only_array(L, top, "tensordot", "dims");
  for (int i = 0; i < n; i++) {
    lua_rawgeti(L, top, i + 1);
    lua_Integer v = mlplb_whole(L, -1, "tensordot", "an axis");
    lua_pop(L, 1);
    if (v == 0 || v > ndim || v < -ndim)
      luaL_error(L, "tensordot: axis %I of %s, which has %d axes", v, name, ndim);
    axis[i] = (int)(v > 0 ? v - 1 : v + ndim);
    for (int k = 0; k < i; k++)
      if (axis[k] == axis[i])
        luaL_error(L, "tensordot: axis %I of %s is given twice", v, name);
  }
  return (int)n;
}

/* The axes to sum over: the last of a with the first of b, or two lists. */
static int pairs_of(
    lua_State *L, const mlpl_tensor *a, const mlpl_tensor *b, int *of_a, int *of_b) {
  int na = mlpl_tensor_ndim(a), nb = mlpl_tensor_ndim(b);
  if (!lua_istable(L, 3)) {
    lua_Integer n = lua_isnil(L, 3) ? 2 : mlplb_whole(L, 3, "tensordot", "dims");
    if (n < 0 || n > na || n > nb)
      luaL_error(L, "tensordot: dims is %I; a has %d axes, b has %d", n, na, nb);
    for (int i = 0; i < n; i++) of_a[i] = na - (int)n + i, of_b[i] = i;
    return (int)n;
  }
  if (lua_rawlen(L, 3) != 2)
    luaL_error(L, "tensordot: dims must be a number or two tables of axes");
  mlplb_only_array(L, 3, "tensordot", "dims");
  lua_rawgeti(L, 3, 1);
  int n = axes_of(L, a, "a", of_a);
  lua_rawgeti(L, 3, 2);
  int m = axes_of(L, b, "b", of_b);
  lua_settop(L, 3);
  if (n != m) luaL_error(L, "tensordot: dims has %d axes of a and %d of b", n, m);
  return n;
}

int mlplb_tensordot(lua_State *L) {
  mlplb_at_most(L, "tensordot", 3);
  mlplb_state *s = mlplb_get(L);
  mlpl_tensor *in[2] = {mlplb_check_tensor(L, 1), mlplb_check_tensor(L, 2)};
  int of_a[MLPL_MAX_RANK], of_b[MLPL_MAX_RANK];
  int na = mlpl_tensor_ndim(in[0]), nb = mlpl_tensor_ndim(in[1]), at = 0;
  char equation[4 * MLPL_MAX_RANK + 8];
  lua_settop(L, 3);
  int n = pairs_of(L, in[0], in[1], of_a, of_b);
  char *b = equation + na + 1;
  for (int d = 0; d < na; d++) equation[d] = (char)('a' + d);
  for (int d = 0; d < nb; d++) b[d] = (char)('A' + d);
  for (int i = 0; i < n; i++) {
    int64_t sa = mlpl_tensor_shape(in[0])[of_a[i]],
            sb = mlpl_tensor_shape(in[1])[of_b[i]];
    if (sa != sb)
      return luaL_error(L,
          "tensordot: axis %d of a has size %I, axis %d of b has size %I", of_a[i] + 1,
          (lua_Integer)sa, of_b[i] + 1, (lua_Integer)sb);
    b[of_b[i]] = equation[of_a[i]];
  }
  equation[na] = ',';
  memcpy(b + nb, "->", 2);
  char *result = b + nb + 2;
  for (int d = 0; d < na; d++)
    if (!memchr(b, equation[d], (size_t)nb)) result[at++] = equation[d];
  for (int d = 0; d < nb; d++)
    if (!memchr(equation, b[d], (size_t)na)) result[at++] = b[d];
  result[at] = '\0';
  return push_sum(L, s, "tensordot", equation, in, 2);
}
