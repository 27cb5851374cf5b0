/*
** x[key] and x[key] = value. A key is a whole number, a mask, an index tensor, or a table
** with an entry for each leading axis: a number (the axis goes), a range {first, last} or
** {first, last, step}, {} for the whole axis, an index tensor, or a mask (which stands
** for as many axes as it has). Numbers and ranges give views, made by the table's select
** and slice; masks and index tensors give copies (index). Gradients flow through all of
** them.
*/
#include "bind.h"

#include <string.h>

static const mlpl_op *row(mlplb_state *s, mlplb_row which) {
  static const char *const name[MLPLB_N_ROWS] = {
      "select", "slice", "index", "nonzero", "masked_select"};
  if (!s->row[which]) s->row[which] = mlpl_op_find(name[which]);
  return s->row[which];
}

/* Push what a row gives. */
static mlpl_tensor *apply(
    lua_State *L, mlplb_row which, mlpl_tensor *const *in, int n, const mlpl_value *p) {
  mlplb_state *s = mlplb_get(L);
  mlplb_box *box = mlplb_tensor_box(L);
  mlpl_tensor *out = NULL;
  int tries = 0;
  mlpl_status status;
  lua_State *was = mlplb_enter(s, L);
  do status = mlpl_op_apply(s->cx, &out, row(s, which), in, n, p);
  while (mlplb_again(L, s, status, &tries));
  s->L = was;
  box->object = out;
  if (status != MLPL_OK) mlplb_raise(L, s);
  return out;
}

/* ---- a key ------------------------------------------------------------------------- */

/* What the entries of a key say, axis by axis. Tensors of it stay on the stack. */
typedef struct subscript {
  const mlpl_tensor *x;
  int axis;          /* of x, the next that an entry stands for */
  int left;          /* axes that are left so far of those before it */
  bool part;         /* something is cut from x */
  mlpl_value cut[3]; /* start, step, count for the row slice */
  int n_index;       /* axes that are left up to the last with an index tensor */
  mlpl_tensor *index[MLPL_MAX_RANK]; /* by axes that are left */
  int entry[MLPL_MAX_RANK]; /* of the key, from 1, that an index tensor is from */
  bool mask[MLPL_MAX_RANK]; /* whether that is a mask */
  int k;                    /* the entry that is read */
} subscript;

enum { START, STEP, COUNT };

static void set_cut(subscript *u, int64_t start, int64_t step, int64_t count) {
  u->cut[START].sizes.v[u->axis] = start;
  u->cut[STEP].sizes.v[u->axis] = step;
  u->cut[COUNT].sizes.v[u->axis] = count;
  u->axis++;
  for (int i = START; i <= COUNT; i++) u->cut[i].sizes.n = u->axis;
}

static int64_t size_of(const subscript *u) { return mlpl_tensor_shape(u->x)[u->axis]; }

/* The whole axis, perhaps with an index tensor, which may be of a mask. */
static void whole(subscript *u, mlpl_tensor *index, bool mask) {
  set_cut(u, 0, 1, size_of(u));
  u->entry[u->left] = u->k;
  u->mask[u->left] = mask;
  u->index[u->left++] = index;
  if (index) u->n_index = u->left;
}

/* ipairs asks for the element after the last: it waits for nil, which is no element. */
static void check_ipairs(lua_State *L, lua_Integer i, int64_t n) {
  lua_Debug caller;
  if (i < 1 || i - 1 != n || !lua_getstack(L, 1, &caller)) return;
  lua_getinfo(L, "S", &caller);
  if (*caller.what != 'C') return;
  luaL_where(L, 2);
  lua_pushliteral(L, "ipairs finds no end in a tensor; for i = 1, #x goes through it");
  lua_concat(L, 2);
  lua_error(L);
}

/* A position along an axis of size n, from 0; i counts from 1 or, negative, from the end.
   k: the axis as the script counts. */
static int64_t place(lua_State *L, lua_Integer i, int k, int64_t n) {
  if (i >= 1 && i <= n) return i - 1;
  if (i < 0 && i >= -n) return n + i;
  check_ipairs(L, i, n);
  return luaL_error(L, "index %I is outside axis %d, which has size %I%s", i, k,
      (lua_Integer)n, i == 0 ? " (indices count from 1)" : "");
}

static lua_Integer whole_key(lua_State *L, int index, const char *what) {
  int ok;
  lua_Integer i = lua_tointegerx(L, index, &ok);
  if (!ok || lua_type(L, index) != LUA_TNUMBER)
    luaL_error(L,
        "%s is %s; an index is a whole number, a range {first, last}, {} for the whole "
        "axis, a mask or an index tensor",
        what, mlplb_shown(L, index));
  return i;
}

/* ---- ranges ------------------------------------------------------------------------ */

static lua_Integer range_end(lua_State *L, int range, int which) {
  lua_rawgeti(L, range, which);
  lua_Integer i = whole_key(L, -1, "an end of a range");
  lua_pop(L, 1);
  return i;
}

/* Where i is from 0, in an axis of size n or not; 0 is before the first. */
static int64_t unchecked(lua_Integer i, int64_t n) { return i < 0 ? n + i : i - 1; }

/* {a, b} along the next axis: both ends included. Empty where b is just before a, as in a
   for loop: {1, 0}, {n + 1, n}, and both written from the end. */
static void plain_range(lua_State *L, subscript *u, lua_Integer a, lua_Integer b) {
  int k = u->axis + 1;
  int64_t n = size_of(u), first = unchecked(a, n), last = unchecked(b, n);
  const bool empty = last == first - 1 && first >= 0 && first <= n;
  if (!empty) first = place(L, a, k, n), last = place(L, b, k, n);
  if (last < first - 1)
    luaL_error(L,
        "range {%I, %I} of axis %d runs backwards; {%I, %I, -1} gives it in that order",
        a, b, k, a, b);
  int64_t count = last - first + 1;
  u->part = u->part || count != n;
  set_cut(u, count ? first : 0, 1, count);
  u->index[u->left++] = NULL;
}

/* {a, b, step}: b included where it is met. */
static void stepped_range(
    lua_State *L, subscript *u, lua_Integer a, lua_Integer b, lua_Integer step) {
  int k = u->axis + 1;
  int64_t first = place(L, a, k, size_of(u)), last = place(L, b, k, size_of(u));
  if (step == 0) luaL_error(L, "range {%I, %I, 0} of axis %d: the step is 0", a, b, k);
  if (step > 0 ? last < first : last > first)
    luaL_error(L, "range {%I, %I, %I} of axis %d runs the other way", a, b, step, k);
  /* the quotient of negative numbers; -2^63 is one step at most */
  int64_t more = step == LUA_MININTEGER ? 0 : (last - first) / step;
  u->part = true;
  set_cut(u, first, more ? step : 1, more + 1);
  u->index[u->left++] = NULL;
}

static void range(lua_State *L, subscript *u, int index) {
  size_t length = lua_rawlen(L, index);
  mlplb_only_array(L, index, "index", "ends of a range");
  if (length == 0)
    whole(u, NULL, false);
  else if (length == 2)
    plain_range(L, u, range_end(L, index, 1), range_end(L, index, 2));
  else if (length == 3)
    stepped_range(
        L, u, range_end(L, index, 1), range_end(L, index, 2), range_end(L, index, 3));
  else
    luaL_error(L,
        "a range has %d number%s; it is {first, last}, {first, last, step}, or {} for "
        "the whole axis",
        (int)length, length == 1 ? "" : "s");
}

/* ---- masks and index tensors ------------------------------------------------------- */

static const char *shape_text(lua_State *L, int n, const int64_t *shape) {
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  luaL_addchar(&b, '[');
  for (int d = 0; d < n; d++) {
    if (d) luaL_addchar(&b, 'x');
    lua_pushinteger(L, shape[d]);
    luaL_addvalue(&b);
  }
  luaL_addchar(&b, ']');
  luaL_pushresult(&b);
  return lua_tostring(L, -1);
}

/* A mask becomes an index tensor for each axis that it stands for. */
static void mask(lua_State *L, subscript *u, mlpl_tensor *m) {
  int n = mlpl_tensor_ndim(m), left = mlpl_tensor_ndim(u->x) - u->axis;
  const int64_t *own = mlpl_tensor_shape(m), *of = mlpl_tensor_shape(u->x) + u->axis;
  mlpl_value column[2];
  memset(column, 0, sizeof column);
  column[0].i = 1;
  bool fits = n >= 1 && n <= left;
  for (int d = 0; d < n && fits; d++) fits = own[d] == of[d];
  if (!fits)
    luaL_error(L,
        "the mask is %s, the axes of the tensor from %d on are %s; it must have the "
        "sizes of the first of them",
        shape_text(L, n, own), u->axis + 1, shape_text(L, left, of));
  mlpl_tensor *rows = apply(L, MLPLB_NONZERO, &m, 1, NULL);
  for (int d = 0; d < n; d++) {
    column[1].i = d;
    whole(u, apply(L, MLPLB_SELECT, &rows, 1, column), true);
  }
}

/* The tensor on top, which stays there. */
static void tensor_entry(lua_State *L, subscript *u, mlpl_tensor *t) {
  mlpl_dtype dtype = mlpl_tensor_dtype(t);
  if (dtype == MLPL_BOOL)
    mask(L, u, t);
  else if (dtype == MLPL_I64)
    whole(u, t, false);
  else
    luaL_error(L, "an index tensor is %s; indices are i64, masks are bool",
        mlpl_dtype_name(dtype));
}

static bool broadcast(const mlpl_tensor *a, const mlpl_tensor *b) {
  const int n = mlpl_tensor_ndim(a), m = mlpl_tensor_ndim(b);
  for (int d = 1; d <= n && d <= m; d++) {
    const int64_t x = mlpl_tensor_shape(a)[n - d], y = mlpl_tensor_shape(b)[m - d];
    if (x != y && x != 1 && y != 1) return false;
  }
  return true;
}

static const char *index_text(lua_State *L, const subscript *u, int i) {
  const mlpl_tensor *t = u->index[i];
  const char *shape = shape_text(L, mlpl_tensor_ndim(t), mlpl_tensor_shape(t));
  if (!u->mask[i]) return lua_pushfstring(L, "entry %d is %s", u->entry[i], shape);
  return lua_pushfstring(L, "entry %d is a mask with %I places", u->entry[i],
      (lua_Integer)mlpl_tensor_shape(t)[0]);
}

/* Index tensors of several entries stand beside each other. */
static void check_together(lua_State *L, const subscript *u) {
  for (int i = 0; i < u->n_index; i++)
    for (int k = 0; k < i; k++)
      if (u->index[i] && u->index[k] && !broadcast(u->index[i], u->index[k]))
        luaL_error(L,
            "index: %s, %s; the sizes of index tensors, aligned at the last axis, must "
            "be equal or 1%s",
            index_text(L, u, k), index_text(L, u, i),
            u->mask[i] || u->mask[k] ? " (a mask counts as a list of its places)" : "");
}

/* ---- entries ----------------------------------------------------------------------- */

static void number_entry(lua_State *L, subscript *u, lua_Integer i) {
  u->part = true;
  set_cut(u, place(L, i, u->axis + 1, size_of(u)), 1, -1);
}

/* The entry on top; tensors stay on the stack. */
static void entry(lua_State *L, subscript *u, const char *what) {
  mlplb_box *box = mlplb_test_box(L, -1, MLPLB_TENSOR);
  if (box && !box->object) luaL_error(L, "%s is a tensor that was released", what);
  if (box) {
    tensor_entry(L, u, box->object);
    return;
  }
  if (lua_istable(L, -1))
    range(L, u, lua_gettop(L));
  else
    number_entry(L, u, whole_key(L, -1, what));
  lua_pop(L, 1);
}

static void too_many(lua_State *L, const mlpl_tensor *x, int n) {
  luaL_error(L, "%d %s for a tensor with %d axes", n, n == 1 ? "index" : "indices",
      mlpl_tensor_ndim(x));
}

static void read_key(lua_State *L, subscript *u, const mlpl_tensor *x, int key) {
  memset(u, 0, sizeof *u);
  u->x = x;
  luaL_checkstack(L, 4 * MLPL_MAX_RANK, "index");
  if (!lua_istable(L, key)) {
    if (mlpl_tensor_ndim(x) == 0) {
      if (!mlplb_test_box(L, key, MLPLB_TENSOR)) whole_key(L, key, "the index");
      luaL_error(L, "a tensor without axes cannot be indexed; :item() gives its value");
    }
    lua_pushvalue(L, key);
    entry(L, u, "the index");
    return;
  }
  int n = (int)lua_rawlen(L, key);
  if (n > mlpl_tensor_ndim(x)) too_many(L, x, n);
  mlplb_only_array(L, key, "index", "indices");
  for (int k = 1; k <= n; k++) {
    if (u->axis == mlpl_tensor_ndim(x))
      luaL_error(L,
          "index %d has no axis left: a mask stands for as many as it has, and the "
          "tensor has %d",
          k, mlpl_tensor_ndim(x));
    lua_rawgeti(L, key, k);
    u->k = k;
    entry(L, u, "an entry of the index table");
  }
  check_together(L, u);
}

/* The mask at key, if both it and x are single numbers without axes: x or nothing. */
static mlpl_tensor *mask_of_one(lua_State *L, const mlpl_tensor *x, int key) {
  mlpl_tensor *m = mlpl_tensor_ndim(x) == 0 ? mlplb_test_tensor(L, key) : NULL;
  bool fits = m && mlpl_tensor_dtype(m) == MLPL_BOOL && mlpl_tensor_ndim(m) == 0;
  return fits ? m : NULL;
}

/* ---- reading ----------------------------------------------------------------------- */

static int select(lua_State *L, mlpl_tensor *x, int key) {
  mlpl_value p[2];
  lua_Integer i = whole_key(L, key, "the index");
  if (mlpl_tensor_ndim(x) == 0)
    return luaL_error(
        L, "a tensor without axes cannot be indexed; :item() gives its value");
  memset(p, 0, sizeof p);
  p[1].i = place(L, i, 1, mlpl_tensor_shape(x)[0]);
  apply(L, MLPLB_SELECT, &x, 1, p);
  return 1;
}

int mlplb_index(lua_State *L, mlpl_tensor *x, int key) {
  subscript u;
  mlplb_pressure(L, mlplb_get(L));
  if (lua_type(L, key) == LUA_TNUMBER) return select(L, x, key);
  mlpl_tensor *in[1 + MLPL_MAX_RANK] = {x, mask_of_one(L, x, key)};
  if (in[1]) {
    apply(L, MLPLB_MASKED_SELECT, in, 2, NULL);
    return 1;
  }
  read_key(L, &u, x, key);
  lua_pushvalue(L, 1);
  if (u.part || !u.n_index) in[0] = apply(L, MLPLB_SLICE, in, 1, u.cut);
  memcpy(in + 1, u.index, sizeof u.index);
  if (u.n_index) apply(L, MLPLB_INDEX, in, 1 + u.n_index, NULL);
  return 1;
}

/* ---- assignment -------------------------------------------------------------------- */

/* A number as a tensor of x's dtype, pushed; it must arrive as it is. */
static mlpl_tensor *number(lua_State *L, const mlpl_tensor *x, int value) {
  mlplb_state *s = mlplb_get(L);
  mlpl_dtype dtype = mlpl_tensor_dtype(x);
  mlpl_tensor *t = NULL;
  if (!mlplb_fits(L, value, dtype))
    luaL_error(L, "assignment: %s does not fit %s", mlplb_shown(L, value),
        mlpl_dtype_name(dtype));
  mlplb_box *box = mlplb_tensor_box(L);
  mlpl_status status = mlplb_full(s->cx, &t, dtype, 0, NULL, mlplb_element(L, value));
  if (status != MLPL_OK) mlplb_raise(L, s);
  box->object = t;
  return t;
}

int mlplb_set_index(lua_State *L, mlpl_tensor *x, int key, int value) {
  mlplb_state *s = mlplb_get(L);
  subscript u;
  int tries = 0;
  mlpl_status status;
  mlplb_pressure(L, s);
  const mlplb_box *box = mlplb_test_box(L, value, MLPLB_TENSOR);
  mlpl_tensor *v = box ? box->object : NULL;
  if (box && !v)
    return luaL_error(L, "assignment: the value is a tensor that was released");
  if (!v && lua_type(L, value) != LUA_TNUMBER && !lua_isboolean(L, value))
    return luaL_error(L, "assignment: the value is %s; it must be a number or a tensor",
        mlplb_shown(L, value));
  mlpl_tensor *one = mask_of_one(L, x, key);
  if (one)
    memset(&u, 0, sizeof u); /* all of x */
  else
    read_key(L, &u, x, key);
  if (!v) v = number(L, x, value);
  if (one && !*(const bool *)mlpl_tensor_data(one)) return 0;
  do status = mlpl_tensor_assign(s->cx, x, v, u.index, u.n_index, u.cut);
  while (mlplb_again(L, s, status, &tries));
  return status == MLPL_OK ? 0 : mlplb_raise(L, s);
}
