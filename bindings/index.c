/* x[i] and x[{ {a, b}, i, {} }]: views, made by the table's select and narrow, so that
   gradients flow. */
#include "bind.h"

#include <string.h>

/* Apply select or narrow to the tensor in the box on top, and replace that box. */
static void apply(lua_State *L, const char *row, const mlpl_value *p) {
  mlplb_state *s = mlplb_get(L);
  mlpl_tensor *in = mlplb_check_tensor(L, -1), *out = NULL;
  mlplb_box *box = mlplb_tensor_box(L);
  int tries = 0;
  mlpl_status status;
  lua_State *was = mlplb_enter(s, L);
  do status = mlpl_op_apply(s->cx, &out, mlpl_op_find(row), &in, 1, p);
  while (mlplb_again(L, s, status, &tries));
  s->L = was;
  box->object = out;
  if (status != MLPL_OK) mlplb_raise(L, s);
  lua_remove(L, -2);
}

/* A position along an axis of size n, from 0; i counts from 1 or, negative, from the end.
   k: the axis as the script counts. */
static int64_t place(lua_State *L, lua_Integer i, int k, int64_t n) {
  if (i >= 1 && i <= n) return i - 1;
  if (i < 0 && i >= -n) return n + i;
  return luaL_error(L, "index %I is outside axis %d, which has size %I%s", i, k,
      (lua_Integer)n, i == 0 ? " (indices count from 1)" : "");
}

static lua_Integer whole_key(lua_State *L, int index, const char *what) {
  int ok;
  lua_Integer i = lua_tointegerx(L, index, &ok);
  if (!ok || lua_type(L, index) != LUA_TNUMBER)
    luaL_error(L,
        "%s is %s; an index is a whole number, a range {first, last} or {} for the whole "
        "axis",
        what, mlplb_shown(L, index));
  return i;
}

static lua_Integer range_end(lua_State *L, int range, int which) {
  lua_rawgeti(L, range, which);
  lua_Integer i = whole_key(L, -1, "an end of a range");
  lua_pop(L, 1);
  return i;
}

static int push_self(lua_State *L) {
  lua_pushvalue(L, 1);
  return 1;
}

/* {a, b} along an axis of the tensor on top: both ends included. */
static void narrow(lua_State *L, int range, int axis, int k) {
  mlpl_tensor *t = mlplb_check_tensor(L, -1);
  int64_t n = mlpl_tensor_shape(t)[axis];
  size_t length = lua_rawlen(L, range);
  mlplb_only_array(L, range, "index", "ends of a range");
  if (length == 0) return;
  if (length != 2)
    luaL_error(L, "a range has %d numbers; it is {first, last}, or {} for the whole axis",
        (int)length);
  lua_Integer a = range_end(L, range, 1), b = range_end(L, range, 2);
  /* {n + 1, n} is empty, as in a for loop */
  int64_t first = a == n + 1 && b == n ? n : place(L, a, k, n);
  int64_t last = b == 0 && a == 1 ? -1 : place(L, b, k, n);
  if (last < first - 1)
    luaL_error(L, "range {%I, %I} of axis %d runs backwards", a, b, k);
  mlpl_value p[3];
  memset(p, 0, sizeof p);
  p[0].i = axis;
  p[1].i = first;
  p[2].i = last - first + 1;
  apply(L, "narrow", p);
}

static void select(lua_State *L, lua_Integer i, int axis, int k) {
  mlpl_value p[2];
  memset(p, 0, sizeof p);
  p[0].i = axis;
  p[1].i = place(L, i, k, mlpl_tensor_shape(mlplb_check_tensor(L, -1))[axis]);
  apply(L, "select", p);
}

/* One entry of the key table for each leading axis; selected axes disappear, so `axis`
   counts those that stay. */
static int by_table(lua_State *L, const mlpl_tensor *t, int key) {
  int n = (int)lua_rawlen(L, key), axis = 0;
  if (n > mlpl_tensor_ndim(t))
    return luaL_error(L, "%d indices for a tensor with %d axes", n, mlpl_tensor_ndim(t));
  mlplb_only_array(L, key, "index", "indices");
  push_self(L);
  for (int k = 1; k <= n; k++) {
    if (lua_rawgeti(L, key, k) == LUA_TTABLE) {
      int range = lua_gettop(L);
      lua_pushvalue(L, -2);
      narrow(L, range, axis++, k);
      lua_replace(L, range - 1);
      lua_pop(L, 1);
    }
    else {
      lua_Integer i = whole_key(L, -1, "an entry of the index table");
      lua_pop(L, 1);
      select(L, i, axis, k);
    }
  }
  return 1;
}

int mlplb_index(lua_State *L, mlpl_tensor *t, int key) {
  if (lua_istable(L, key)) return by_table(L, t, key);
  lua_Integer i = whole_key(L, key, "the index");
  if (mlpl_tensor_ndim(t) == 0)
    return luaL_error(
        L, "a tensor without axes cannot be indexed; :item() gives its value");
  push_self(L);
  select(L, i, 0, 1);
  return 1;
}
