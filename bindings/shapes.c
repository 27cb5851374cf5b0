/*
** Functions that join and cut tensors by shape: rows whose input is a list (cat, stack),
** methods and functions that give several tensors (split, chunk, unbind, meshgrid).
*/
#include "bind.h"

#include <string.h>

/* ---- several tensors --------------------------------------------------------------- */

static const mlpl_param dim_params[] = {
    {"dim", MLPL_PARAM_AXIS, MLPL_OPTIONAL, 0, 0, 0, NULL, 0}};
static const mlpl_param chunk_params[] = {
    {"chunks", MLPL_PARAM_INT, MLPL_REQUIRED, 0, 1, 9e15, NULL, 0},
    {"dim", MLPL_PARAM_AXIS, MLPL_OPTIONAL, 0, 0, 0, NULL, 0}};

/* Push a part; the row checks what it is given. */
static void push_part(lua_State *L, const char *what, const mlpl_op *op, mlpl_tensor *x,
    const mlpl_value *p) {
  mlplb_state *s = mlplb_get(L);
  mlplb_box *box = mlplb_tensor_box(L);
  mlpl_tensor *out = NULL;
  int tries = 0;
  mlpl_status status;
  do status = mlpl_op_apply(s->cx, &out, op, &x, 1, p);
  while (mlplb_again(L, s, status, &tries));
  box->object = out;
  if (status != MLPL_OK) mlplb_raise_as(L, s, what);
}

/* *axis from 0; the engine's sentence is raised when there is none. */
static int64_t axis_size(
    lua_State *L, const char *what, mlpl_tensor *x, mlpl_value *axis) {
  int n = mlpl_tensor_ndim(x);
  int64_t d = axis->i < 0 ? axis->i + n : axis->i;
  lua_Integer shown = axis->i < 0 ? axis->i : axis->i + 1;
  if (n == 0) luaL_error(L, "%s: axis %I of a tensor without axes", what, shown);
  if (d < 0 || d >= n)
    luaL_error(L, "%s: axis %I is outside 1 to %d (or -%d to -1 from the end)", what,
        shown, n, n);
  axis->i = d;
  return mlpl_tensor_shape(x)[d];
}

enum { MOST_PARTS = 1 << 18 }; /* that one call returns */

static void room_for(lua_State *L, const char *what, int64_t parts) {
  if (parts > MOST_PARTS || !lua_checkstack(L, (int)parts + 8))
    luaL_error(
        L, "%s: %I parts are more than one call can return", what, (lua_Integer)parts);
}

/* Parts of `size`, the last with what is left; of nothing, so many empty parts. */
static int push_equal(lua_State *L, const char *what, mlpl_tensor *x, int64_t axis,
    int64_t n, int64_t size, int64_t empty) {
  const mlpl_op *narrow = mlpl_op_find("narrow");
  int64_t parts = n == 0 ? empty : (n - 1) / size + 1;
  room_for(L, what, parts);
  for (int64_t i = 0; i < parts; i++) {
    mlpl_value p[3] = {{.i = axis}, {.i = n ? i * size : 0}, {.i = size}};
    if (n - p[1].i < size) p[2].i = n - p[1].i;
    push_part(L, what, narrow, x, p);
  }
  return (int)parts;
}

static int push_sizes(lua_State *L, mlpl_tensor *x, int64_t axis, int64_t n, int sizes) {
  const mlpl_op *narrow = mlpl_op_find("narrow");
  int64_t parts = (int64_t)lua_rawlen(L, sizes), sum = 0;
  mlplb_only_array(L, sizes, "split", "sizes; options have a table of their own");
  room_for(L, "split", parts);
  for (int i = 1; i <= parts; i++) {
    lua_rawgeti(L, sizes, i);
    lua_Integer size = mlplb_whole(L, -1, "split", "a size");
    lua_pop(L, 1);
    if (size < 0) luaL_error(L, "split: a size is %I; it must be 0 or more", size);
    if (size > n - sum)
      luaL_error(L, "split: the sizes add up to more than axis %I, which has size %I",
          (lua_Integer)axis + 1, (lua_Integer)n);
    mlpl_value p[3] = {{.i = axis}, {.i = sum}, {.i = size}};
    push_part(L, "split", narrow, x, p);
    sum += size;
  }
  if (sum != n)
    luaL_error(L, "split: the sizes add up to %I, axis %I has size %I", (lua_Integer)sum,
        (lua_Integer)axis + 1, (lua_Integer)n);
  return (int)parts;
}

/* x:split(3), x:split({1, 2, 1}, dim): views */
static int split(lua_State *L) {
  mlpl_tensor *x = mlplb_check_tensor(L, 1);
  mlpl_value axis;
  bool list = lua_istable(L, 2) && lua_rawlen(L, 2) > 0;
  lua_Integer size = list ? 1 : mlplb_whole(L, 2, "split", "the size");
  if (size < 1)
    return luaL_error(L, "split: the size is %I; it must be at least 1", size);
  mlplb_pressure(L, mlplb_get(L));
  mlplb_params(L, "split", 3, dim_params, 1, &axis, NULL);
  int64_t n = axis_size(L, "split", x, &axis);
  return list ? push_sizes(L, x, axis.i, n, 2)
              : push_equal(L, "split", x, axis.i, n, size, 1);
}

/* x:chunk(3, dim): at most so many parts of one size, the last may be smaller; views. As
   PyTorch has it, nothing is cut into all of them. */
static int chunk(lua_State *L) {
  mlpl_tensor *x = mlplb_check_tensor(L, 1);
  mlpl_value v[2];
  mlplb_pressure(L, mlplb_get(L));
  mlplb_params(L, "chunk", 2, chunk_params, 2, v, NULL);
  int64_t n = axis_size(L, "chunk", x, &v[1]);
  if (v[0].i < 1)
    return luaL_error(
        L, "chunk: chunks is %I; it must be at least 1", (lua_Integer)v[0].i);
  int64_t size = n / v[0].i + (n % v[0].i != 0);
  return push_equal(L, "chunk", x, v[1].i, n, size, v[0].i);
}

/* The part of x between two places of an axis, pushed. */
static void push_between(lua_State *L, const char *what, mlpl_tensor *x, int64_t axis,
    int64_t start, int64_t end) {
  mlpl_value p[3] = {{.i = axis}, {.i = start}, {.i = end > start ? end - start : 0}};
  push_part(L, what, mlpl_op_find("narrow"), x, p);
}

/* A place of an axis of size n: where there is none, its end. */
static int64_t place_in(lua_State *L, const char *what, int64_t n) {
  lua_Integer at = mlplb_whole(L, -1, what, "a place");
  lua_pop(L, 1);
  if (at < 0) at += n;
  return at < 0 ? 0 : at > n ? n : at;
}

/* n parts as equal as can be, the larger ones first, or cut behind places; argument 2 */
static int cut_along(lua_State *L, const char *what, mlpl_tensor *x, mlpl_value axis) {
  const int64_t n = axis_size(L, what, x, &axis);
  int64_t start = 0;
  if (!lua_istable(L, 2)) {
    const lua_Integer parts = mlplb_whole(L, 2, what, "sections");
    if (parts < 1)
      return luaL_error(L, "%s: sections is %I; it must be at least 1", what, parts);
    if (parts > MOST_PARTS)
      return luaL_error(
          L, "%s: sections is %I; one call can return %d", what, parts, MOST_PARTS);
    room_for(L, what, parts);
    for (int64_t i = 0; i < parts; i++) {
      const int64_t end = start + n / parts + (i < n % parts);
      push_between(L, what, x, axis.i, start, end);
      start = end;
    }
    return (int)parts;
  }
  const int64_t cuts = (int64_t)lua_rawlen(L, 2);
  mlplb_only_array(L, 2, what, "places; options have a table of their own");
  room_for(L, what, cuts + 1);
  for (int64_t i = 1; i <= cuts; i++) {
    lua_rawgeti(L, 2, i);
    const int64_t end = place_in(L, what, n);
    push_between(L, what, x, axis.i, start, end);
    start = end;
  }
  push_between(L, what, x, axis.i, start, n);
  return (int)cuts + 1;
}

/* x:tensor_split(3, dim), x:tensor_split({2, 5}, dim): views */
static int tensor_split(lua_State *L) {
  mlpl_tensor *x = mlplb_check_tensor(L, 1);
  mlpl_value axis;
  mlplb_pressure(L, mlplb_get(L));
  mlplb_params(L, "tensor_split", 3, dim_params, 1, &axis, NULL);
  return cut_along(L, "tensor_split", x, axis);
}

/* Along the axis whose name it has: rows, columns (of a vector its elements), sheets. */
static int split_axis(lua_State *L, const char *what, int axis, int least) {
  mlplb_at_most(L, what, 2);
  mlpl_tensor *x = mlplb_check_tensor(L, 1);
  const int n = mlpl_tensor_ndim(x);
  if (n < least)
    return luaL_error(
        L, "%s: the tensor has %d axes; it must have %d or more", what, n, least);
  mlplb_pressure(L, mlplb_get(L));
  return cut_along(L, what, x, (mlpl_value){.i = n == 1 ? 0 : axis});
}
static int vsplit(lua_State *L) { return split_axis(L, "vsplit", 0, 2); }
static int hsplit(lua_State *L) { return split_axis(L, "hsplit", 1, 1); }
static int dsplit(lua_State *L) { return split_axis(L, "dsplit", 2, 3); }

/* unravel_index(index, {2, 3}): a tensor for each axis */
static int unravel_index(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  mlpl_tensor *index = mlplb_check_tensor(L, 1), *out[MLPL_MAX_RANK] = {NULL};
  int64_t shape[MLPL_MAX_RANK];
  mlplb_box *box[MLPL_MAX_RANK];
  mlpl_status status;
  int tries = 0;
  const int n = mlplb_sizes(L, "unravel_index", 2, lua_gettop(L) + 1, shape);
  mlplb_pressure(L, s);
  luaL_checkstack(L, MLPL_MAX_RANK, "unravel_index");
  for (int d = 0; d < n; d++) box[d] = mlplb_tensor_box(L);
  do status = mlpl_unravel_index(s->cx, out, index, n, shape);
  while (mlplb_again(L, s, status, &tries));
  for (int d = 0; d < n; d++) box[d]->object = out[d];
  return status == MLPL_OK ? n : mlplb_raise_as(L, s, "unravel_index");
}

/* x:unbind(dim): every element of an axis; views */
static int unbind(lua_State *L) {
  mlpl_tensor *x = mlplb_check_tensor(L, 1);
  const mlpl_op *op = mlpl_op_find("select");
  mlpl_value axis;
  mlplb_pressure(L, mlplb_get(L));
  mlplb_params(L, "unbind", 2, dim_params, 1, &axis, NULL);
  int64_t n = axis_size(L, "unbind", x, &axis);
  room_for(L, "unbind", n);
  for (int64_t i = 0; i < n; i++) {
    mlpl_value p[2] = {axis, {.i = i}};
    push_part(L, "unbind", op, x, p);
  }
  return (int)n;
}

/* meshgrid(a, b, { indexing = "xy" }): every tensor stretched over the grid of all of
   them; views */
static int meshgrid(lua_State *L) {
  static const char *const keys[] = {"indexing", NULL};
  const mlpl_op *reshape = mlpl_op_find("reshape"), *expand = mlpl_op_find("expand"),
                *swap = mlpl_op_find("transpose");
  int options = mlplb_options(L), n = options ? options - 1 : lua_gettop(L);
  mlpl_tensor *in[MLPL_MAX_RANK];
  mlpl_value grid, swapped[2];
  bool xy = false;
  mlplb_known_keys(L, options, "meshgrid", keys);
  if (mlplb_get_option(L, options, "indexing") != LUA_TNIL) {
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
    xy = strcmp(text, "xy") == 0;
    if (!xy && strcmp(text, "ij") != 0)
      return luaL_error(
          L, "meshgrid: indexing is %s; it must be one of ij, xy", mlplb_shown(L, -1));
  }
  if (n < 1 || n > MLPL_MAX_RANK)
    return luaL_error(L, "meshgrid: %d tensors; it takes 1 to %d", n, MLPL_MAX_RANK);
  memset(&grid, 0, sizeof grid);
  memset(swapped, 0, sizeof swapped);
  grid.sizes.n = n;
  swapped[1].i = 1;
  for (int i = 0; i < n; i++) {
    in[i] = mlplb_check_tensor(L, i + 1);
    if (mlpl_tensor_ndim(in[i]) > 1)
      return luaL_error(L, "meshgrid: tensor %d has %d axes; it must have one", i + 1,
          mlpl_tensor_ndim(in[i]));
    grid.sizes.v[i] = mlpl_tensor_numel(in[i]);
  }
  mlplb_pressure(L, mlplb_get(L));
  luaL_checkstack(L, 4 * n, "meshgrid");
  for (int i = 0; i < n; i++) {
    mlpl_value own = grid;
    for (int d = 0; d < n; d++) own.sizes.v[d] = d == i ? grid.sizes.v[i] : 1;
    push_part(L, "meshgrid", reshape, in[i], &own);
    push_part(L, "meshgrid", expand, mlplb_check_tensor(L, -1), &grid);
    if (xy && n > 1) push_part(L, "meshgrid", swap, mlplb_check_tensor(L, -1), swapped);
    lua_copy(L, -1, i + 1); /* the engine's views hold the memory */
    lua_settop(L, -2 - (xy && n > 1) - 1);
  }
  lua_settop(L, n);
  return n;
}

/* That all arguments are tensors, and how many. */
static int all_tensors(lua_State *L, const char *what) {
  const int n = lua_gettop(L);
  if (n < 1) return luaL_error(L, "%s: no tensors; it takes one or more", what);
  for (int i = 1; i <= n; i++) mlplb_check_tensor(L, i);
  luaL_checkstack(L, n + 4, what);
  mlplb_pressure(L, mlplb_get(L));
  return n;
}

/* broadcast_tensors(a, b, ...): all stretched to one shape; views */
static int broadcast_tensors(lua_State *L) {
  const mlpl_op *expand = mlpl_op_find("expand");
  const int n = all_tensors(L, "broadcast_tensors");
  mlpl_value wide;
  memset(&wide, 0, sizeof wide);
  for (int i = 1; i <= n; i++) {
    mlpl_tensor *t = mlplb_check_tensor(L, i);
    const int ndim = mlpl_tensor_ndim(t);
    while (wide.sizes.n < ndim) wide.sizes.v[wide.sizes.n++] = 1; /* the last axis first */
    for (int d = 0; d < ndim; d++) {
      const int64_t size = mlpl_tensor_shape(t)[ndim - 1 - d];
      if (wide.sizes.v[d] != size && wide.sizes.v[d] != 1 && size != 1)
        return luaL_error(L,
            "broadcast_tensors: tensor %d has size %I along axis -%d, others have %I; sizes "
            "must be equal or 1",
            i, (lua_Integer)size, d + 1, (lua_Integer)wide.sizes.v[d]);
      if (size != 1) wide.sizes.v[d] = size;
    }
  }
  for (int a = 0, b = wide.sizes.n - 1; a < b; a++, b--) {
    const int64_t size = wide.sizes.v[a];
    wide.sizes.v[a] = wide.sizes.v[b], wide.sizes.v[b] = size;
  }
  for (int i = 1; i <= n; i++)
    push_part(L, "broadcast_tensors", expand, mlplb_check_tensor(L, i), &wide);
  return n;
}

/* atleast_2d(a, b, ...): axes of size 1 in front of those with fewer; atleast_3d puts the
   third behind, as NumPy and PyTorch do */
static int at_least(lua_State *L, const char *what, int rank) {
  const mlpl_op *reshape = mlpl_op_find("reshape");
  const int n = all_tensors(L, what);
  for (int i = 1; i <= n; i++) {
    mlpl_tensor *t = mlplb_check_tensor(L, i);
    const int ndim = mlpl_tensor_ndim(t);
    const int front = ndim == 0 ? 0 : ndim == 1 && rank > 1 ? 1 : 0;
    mlpl_value sizes;
    memset(&sizes, 0, sizeof sizes);
    sizes.sizes.n = ndim > rank ? ndim : rank;
    for (int d = 0; d < sizes.sizes.n; d++)
      sizes.sizes.v[d] =
          d >= front && d - front < ndim ? mlpl_tensor_shape(t)[d - front] : 1;
    if (ndim >= rank)
      lua_pushvalue(L, i);
    else
      push_part(L, what, reshape, t, &sizes);
  }
  return n;
}
static int atleast_1d(lua_State *L) { return at_least(L, "atleast_1d", 1); }
static int atleast_2d(lua_State *L) { return at_least(L, "atleast_2d", 2); }
static int atleast_3d(lua_State *L) { return at_least(L, "atleast_3d", 3); }

/* ---- opening ----------------------------------------------------------------------- */

void mlplb_open_parts(lua_State *L) {
  static const luaL_Reg methods[] = {{"split", split}, {"chunk", chunk},
      {"unbind", unbind}, {"tensor_split", tensor_split}, {"hsplit", hsplit},
      {"vsplit", vsplit}, {"dsplit", dsplit}, {NULL, NULL}};
  mlplb_setfuncs(L, methods);
}

void mlplb_open_shapes(lua_State *L) {
  static const luaL_Reg functions[] = {{"meshgrid", meshgrid},
      {"broadcast_tensors", broadcast_tensors}, {"atleast_1d", atleast_1d},
      {"atleast_2d", atleast_2d}, {"atleast_3d", atleast_3d},
      {"unravel_index", unravel_index}, {NULL, NULL}};
  mlplb_setfuncs(L, functions);
  for (int i = 0; mlpl_op_at(i); i++) {
    const mlpl_op *op = mlpl_op_at(i);
    if (mlpl_op_is_internal(op) || !mlpl_op_takes_list(op) || mlpl_op_group(op)) continue;
    mlplb_push_upvalues(L);
    lua_pushlightuserdata(L, (void *)(uintptr_t)op);
    lua_pushcclosure(L, mlplb_list_function, MLPLB_UPVALUES + 1);
    lua_setfield(L, -2, mlpl_op_name(op));
  }
  mlplb_open_other_lists(L);
}
