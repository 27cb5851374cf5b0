/* The tensor type: what is not an operation of the table. */
#include "bind.h"

#include <string.h>

/* ---- boxes: the hot path ----------------------------------------------------------- */

mlpl_tensor *mlplb_test_tensor(lua_State *L, int arg) {
  const mlplb_box *box = mlplb_test_box(L, arg, MLPLB_TENSOR);
  if (!box) return NULL;
  if (!box->object) luaL_argerror(L, arg, "this tensor was released");
  return box->object;
}

mlpl_tensor *mlplb_check_tensor(lua_State *L, int arg) {
  mlpl_tensor *t = mlplb_test_tensor(L, arg);
  if (!t) luaL_typeerror(L, arg, mlplb_type_name[MLPLB_TENSOR]);
  return t;
}

/* For functions without the binding's upvalues too. */
void mlplb_push_tensor(lua_State *L, mlpl_tensor *t) {
  if (!t) {
    lua_pushnil(L);
    return;
  }
  if (mlplb_push_known(L, t)) return;
  mlplb_box *box = mlplb_box_push(L, MLPLB_TENSOR, 0);
  box->object = mlpl_tensor_retain(t);
  mlplb_remember(L, t);
}

void mlpl_lua_push_tensor(lua_State *L, mlpl_tensor *t) { mlplb_push_tensor(L, t); }
mlpl_tensor *mlpl_lua_check_tensor(lua_State *L, int arg) {
  return mlplb_check_anywhere(L, arg, MLPLB_TENSOR);
}

static int tensor_release(lua_State *L) { return mlplb_release(L, MLPLB_TENSOR); }

/* ---- what a tensor is -------------------------------------------------------------- */

/* "[2x3]", as messages show shapes. */
static int shape_tostring(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  int n = (int)lua_rawlen(L, 1);
  luaL_addchar(&b, '[');
  for (int d = 1; d <= n; d++) {
    lua_rawgeti(L, 1, d);
    luaL_tolstring(L, -1, NULL);
    lua_remove(L, -2);
    luaL_addvalue(&b);
    if (d < n) luaL_addchar(&b, 'x');
  }
  luaL_addchar(&b, ']');
  luaL_pushresult(&b);
  return 1;
}

static int shape_concat(lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  luaL_tolstring(L, 2, NULL);
  lua_concat(L, 2);
  return 1;
}

/* Arrays with the same entries are equal. */
static int shape_eq(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_Unsigned n = lua_rawlen(L, 1);
  bool equal = lua_rawlen(L, 2) == n;
  for (lua_Unsigned d = 1; equal && d <= n; d++) {
    lua_rawgeti(L, 1, (lua_Integer)d);
    lua_rawgeti(L, 2, (lua_Integer)d);
    equal = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
  }
  lua_pushboolean(L, equal);
  return 1;
}

#define SHAPE_TYPE "mlpl.Shape"

static void open_shape(lua_State *L) {
  static const luaL_Reg meta[] = {{"__tostring", shape_tostring},
      {"__concat", shape_concat}, {"__eq", shape_eq}, {NULL, NULL}};
  luaL_newmetatable(L, SHAPE_TYPE);
  luaL_setfuncs(L, meta, 0);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1);
}

/* A table of the sizes: a script may change it, and prints and compares it as a whole. */
static int push_shape(lua_State *L, const mlpl_tensor *t) {
  int n = mlpl_tensor_ndim(t);
  lua_createtable(L, n, 0);
  luaL_setmetatable(L, SHAPE_TYPE);
  for (int d = 0; d < n; d++) {
    lua_pushinteger(L, mlpl_tensor_shape(t)[d]);
    lua_rawseti(L, -2, d + 1);
  }
  return 1;
}

/* The axis that argument 2 counts, from 0. */
static int axis_at(lua_State *L, const mlpl_tensor *t, const char *what) {
  const int n = mlpl_tensor_ndim(t);
  lua_Integer d = mlplb_whole(L, 2, what, "dim");
  if (d < 0) d += n + 1;
  if (d < 1 || d > n)
    luaL_error(L, "%s: axis %I is outside 1 to %d (or -%d to -1 from the end)", what,
        luaL_checkinteger(L, 2), n, n);
  return (int)d - 1;
}

static int tensor_size(lua_State *L) {
  mlplb_at_most(L, "size", 2);
  const mlpl_tensor *t = mlplb_check_tensor(L, 1);
  if (lua_isnoneornil(L, 2)) return push_shape(L, t);
  lua_pushinteger(L, mlpl_tensor_shape(t)[axis_at(L, t, "size")]);
  return 1;
}

static int tensor_dim(lua_State *L) {
  mlplb_at_most(L, "dim", 1);
  lua_pushinteger(L, mlpl_tensor_ndim(mlplb_check_tensor(L, 1)));
  return 1;
}

static int tensor_numel(lua_State *L) {
  mlplb_at_most(L, "numel", 1);
  lua_pushinteger(L, mlpl_tensor_numel(mlplb_check_tensor(L, 1)));
  return 1;
}

/* How many elements lie between neighbours along each axis, or along one. */
static int tensor_stride(lua_State *L) {
  mlplb_at_most(L, "stride", 2);
  const mlpl_tensor *t = mlplb_check_tensor(L, 1);
  const int n = mlpl_tensor_ndim(t);
  if (!lua_isnoneornil(L, 2)) {
    lua_pushinteger(L, mlpl_tensor_strides(t)[axis_at(L, t, "stride")]);
    return 1;
  }
  lua_createtable(L, n, 0);
  luaL_setmetatable(L, SHAPE_TYPE);
  for (int d = 0; d < n; d++) {
    lua_pushinteger(L, mlpl_tensor_strides(t)[d]);
    lua_rawseti(L, -2, d + 1);
  }
  return 1;
}

static int tensor_is_floating_point(lua_State *L) {
  mlplb_at_most(L, "is_floating_point", 1);
  lua_pushboolean(L, mlpl_tensor_dtype(mlplb_check_tensor(L, 1)) <= MLPL_F64);
  return 1;
}

static int tensor_is_contiguous(lua_State *L) {
  mlplb_at_most(L, "is_contiguous", 1);
  lua_pushboolean(L, mlpl_tensor_is_contiguous(mlplb_check_tensor(L, 1)));
  return 1;
}

static int tensor_len(lua_State *L) {
  const mlpl_tensor *t = mlplb_check_tensor(L, 1);
  if (mlpl_tensor_ndim(t) == 0)
    return luaL_error(
        L, "#: a tensor without axes has no length; :item() gives its value");
  lua_pushinteger(L, mlpl_tensor_shape(t)[0]);
  return 1;
}

/* ---- values out -------------------------------------------------------------------- */

static void push_value(lua_State *L, mlpl_dtype dtype, const char *p) {
  float f;
  double d;
  int64_t i;
  switch (dtype) {
    case MLPL_F32:
      memcpy(&f, p, sizeof f);
      lua_pushnumber(L, (lua_Number)f);
      return;
    case MLPL_F64:
      memcpy(&d, p, sizeof d);
      lua_pushnumber(L, d);
      return;
    case MLPL_I64:
      memcpy(&i, p, sizeof i);
      lua_pushinteger(L, i);
      return;
    case MLPL_U8: lua_pushinteger(L, *(const unsigned char *)p); return;
    case MLPL_BOOL: lua_pushboolean(L, *p != 0); return;
  }
}

static int tensor_item(lua_State *L) {
  mlplb_at_most(L, "item", 1);
  mlplb_state *s = mlplb_get(L);
  mlpl_tensor *t = mlplb_check_tensor(L, 1);
  double v;
  if (mlpl_tensor_item(s->cx, t, &v) != MLPL_OK) return mlplb_raise_as(L, s, "item");
  push_value(L, mlpl_tensor_dtype(t), mlpl_tensor_data(t));
  return 1;
}

static void push_nested(lua_State *L, mlpl_tensor *t, int axis, const char *p) {
  mlpl_dtype dtype = mlpl_tensor_dtype(t);
  if (axis == mlpl_tensor_ndim(t)) {
    push_value(L, dtype, p);
    return;
  }
  int64_t n = mlpl_tensor_shape(t)[axis];
  int64_t step = mlpl_tensor_strides(t)[axis] * (int64_t)mlpl_dtype_bytes(dtype);
  luaL_checkstack(L, 3, "totable");
  lua_createtable(L, n < 1 << 20 ? (int)n : 0, 0);
  for (int64_t i = 0; i < n; i++) {
    push_nested(L, t, axis + 1, p + i * step);
    lua_rawseti(L, -2, i + 1);
  }
}

static int tensor_totable(lua_State *L) {
  mlplb_at_most(L, "totable", 1);
  mlpl_tensor *t = mlplb_check_tensor(L, 1);
  push_nested(L, t, 0, mlpl_tensor_data(t));
  return 1;
}

static int tensor_tostring(lua_State *L) {
  const mlplb_box *box = mlplb_test_box(L, 1, MLPLB_TENSOR);
  if (box && !box->object)
    lua_pushliteral(L, "tensor (released)");
  else
    mlplb_tostring(L, mlplb_check_tensor(L, 1));
  return 1;
}

/* ---- new tensors ------------------------------------------------------------------- */

static int tensor_detach(lua_State *L) {
  mlplb_at_most(L, "detach", 1);
  mlplb_state *s = mlplb_get(L);
  mlpl_tensor *t = mlplb_check_tensor(L, 1), *out = NULL;
  mlplb_box *box = mlplb_tensor_box(L);
  mlpl_status status = mlpl_tensor_detach(s->cx, &out, t);
  box->object = out;
  return status == MLPL_OK ? 1 : mlplb_raise_as(L, s, "detach");
}

static int convert(lua_State *L, const char *what, mlpl_dtype dtype) {
  mlplb_state *s = mlplb_get(L);
  mlpl_tensor *t = mlplb_check_tensor(L, 1), *out = NULL;
  lua_settop(L, 1);
  if (dtype == mlpl_tensor_dtype(t)) return 1;
  const bool record = mlpl_tensor_requires_grad(t) && mlpl_grad_enabled(s->cx);
  const mlpl_value option = {.i = dtype};
  mlplb_pressure(L, s);
  mlplb_box *box = mlplb_tensor_box(L);
  mlpl_status status;
  int tries = 0;
  do
    status = record ? mlpl_op_apply(s->cx, &out, mlpl_op_find("to"), &t, 1, &option)
                    : mlpl_tensor_to(s->cx, &out, t, dtype);
  while (mlplb_again(L, s, status, &tries));
  box->object = out;
  return status == MLPL_OK ? 1 : mlplb_raise_as(L, s, what);
}

/* x:to "f64"; x itself when it has that dtype already */
static int tensor_to(lua_State *L) {
  mlplb_at_most(L, "to", 2);
  mlplb_check_tensor(L, 1);
  return convert(L, "to", mlplb_dtype(L, 2, "to"));
}

static int tensor_type_as(lua_State *L) {
  mlplb_at_most(L, "type_as", 2);
  mlplb_check_tensor(L, 1);
  return convert(L, "type_as", mlpl_tensor_dtype(mlplb_check_tensor(L, 2)));
}

/* x itself when it is contiguous, else a copy (recorded, as clone is) */
static int tensor_contiguous(lua_State *L) {
  mlplb_at_most(L, "contiguous", 1);
  lua_settop(L, 1);
  if (mlpl_tensor_is_contiguous(mlplb_check_tensor(L, 1))) return 1;
  return mlplb_op_call(L, mlpl_op_find("clone"), "contiguous");
}

/* ---- gradients --------------------------------------------------------------------- */

static int tensor_requires_grad(lua_State *L) {
  mlplb_at_most(L, "requires_grad_", 2);
  mlplb_state *s = mlplb_get(L);
  mlpl_tensor *t = mlplb_check_tensor(L, 1);
  bool on = true;
  if (!lua_isnoneornil(L, 2)) {
    luaL_checktype(L, 2, LUA_TBOOLEAN);
    on = lua_toboolean(L, 2);
  }
  if (mlpl_tensor_set_requires_grad(s->cx, t, on) != MLPL_OK)
    return mlplb_raise_as(L, s, "requires_grad_");
  lua_settop(L, 1);
  return 1;
}

static int tensor_zero_grad(lua_State *L) {
  mlplb_at_most(L, "zero_grad", 1);
  mlpl_tensor_zero_grad(mlplb_check_tensor(L, 1));
  return 0;
}

/* ---- comparisons: none of Lua's would be right ------------------------------------- */

static int no_order(lua_State *L) {
  return luaL_error(L,
      "tensors are not ordered by <, <=, > and >=; :lt, :le, :gt and :ge compare their "
      "elements, :item() gives a number");
}

/* ---- fields ------------------------------------------------------------------------ */

/* x.T of a matrix, x.mT of the matrices of a stack: views */
static int push_turned(lua_State *L, bool stack) {
  const int n = mlpl_tensor_ndim(mlplb_check_tensor(L, 1));
  lua_settop(L, 1);
  if (!stack && n > 2)
    return luaL_error(L,
        "T: the tensor has %d axes; mT turns the matrices of a stack, permute any axes",
        n);
  if (stack && n < 2)
    return luaL_error(L, "mT: the tensor has %d axes; matrices have two or more", n);
  if (!stack) return mlplb_op_call(L, mlpl_op_find("t"), "T");
  lua_pushinteger(L, -2);
  lua_pushinteger(L, -1);
  return mlplb_op_call(L, mlpl_op_find("transpose"), "mT");
}

static int property(lua_State *L, mlpl_tensor *t, const char *name) {
  if (strcmp(name, "shape") == 0) return push_shape(L, t);
  if (strcmp(name, "dtype") == 0) {
    lua_pushstring(L, mlpl_dtype_name(mlpl_tensor_dtype(t)));
    return 1;
  }
  if (strcmp(name, "grad") == 0) {
    mlplb_push_tensor(L, mlpl_tensor_grad(t));
    return 1;
  }
  if (strcmp(name, "requires_grad") == 0) {
    lua_pushboolean(L, mlpl_tensor_requires_grad(t));
    return 1;
  }
  if (strcmp(name, "is_leaf") == 0) {
    lua_pushboolean(L, mlpl_tensor_is_leaf(t));
    return 1;
  }
  if (strcmp(name, "grad_fn") == 0) {
    lua_pushstring(L, mlpl_tensor_grad_fn(t)); /* nil for a leaf */
    return 1;
  }
  if (strcmp(name, "retains_grad") == 0) {
    lua_pushboolean(L, mlpl_tensor_retains_grad(t));
    return 1;
  }
  if (strcmp(name, "T") == 0 || strcmp(name, "mT") == 0)
    return push_turned(L, name[0] == 'm');
  if (strcmp(name, "ndim") == 0) {
    lua_pushinteger(L, mlpl_tensor_ndim(t));
    return 1;
  }
  return mlplb_no_field(L, "a tensor");
}

/* Methods by name, then fields; everything else is an index. */
static int tensor_index(lua_State *L) {
  if (lua_type(L, 2) == LUA_TSTRING) {
    if (mlplb_push_method(L)) return 1;
    return property(L, mlplb_check_tensor(L, 1), lua_tostring(L, 2));
  }
  return mlplb_index(L, mlplb_check_tensor(L, 1), 2);
}

static int tensor_newindex(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  mlpl_tensor *t = mlplb_check_tensor(L, 1);
  const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : NULL;
  if (!name) return mlplb_set_index(L, t, 2, 3);
  if (strcmp(name, "requires_grad") == 0 && lua_isboolean(L, 3))
    return mlpl_tensor_set_requires_grad(s->cx, t, lua_toboolean(L, 3)) == MLPL_OK
        ? 0
        : mlplb_raise(L, s);
  if (strcmp(name, "grad") == 0 && lua_isnil(L, 3)) {
    mlpl_tensor_zero_grad(t);
    return 0;
  }
  if (strcmp(name, "grad") == 0)
    return luaL_error(L, "a tensor's grad can only be set to nil");
  if (strcmp(name, "requires_grad") == 0)
    return luaL_error(L, "requires_grad must be true or false");
  return luaL_error(L, "a tensor has no field %s that can be set", mlplb_shown(L, 2));
}

void mlplb_open_tensor(lua_State *L) {
  static const luaL_Reg meta[] = {{"__tostring", tensor_tostring}, {"__len", tensor_len},
      {"__newindex", tensor_newindex}, {"__lt", no_order}, {"__le", no_order},
      {NULL, NULL}};
  static const luaL_Reg methods[] = {{"size", tensor_size}, {"dim", tensor_dim},
      {"numel", tensor_numel}, {"is_contiguous", tensor_is_contiguous},
      {"item", tensor_item}, {"totable", tensor_totable}, {"detach", tensor_detach},
      {"to", tensor_to}, {"type_as", tensor_type_as}, {"stride", tensor_stride},
      {"is_floating_point", tensor_is_floating_point}, {"contiguous", tensor_contiguous},
      {"requires_grad_", tensor_requires_grad}, {"zero_grad", tensor_zero_grad},
      {"unique", mlplb_unique}, {"unique_consecutive", mlplb_unique_consecutive},
      {NULL, NULL}};
  open_shape(L);
  mlplb_new_type(L, MLPLB_TENSOR, meta, methods, tensor_index, tensor_release);
  mlplb_open_ops(L);
  mlplb_open_values(L);
  mlplb_open_parts(L);
  mlplb_open_grad_methods(L);
  mlplb_open_draw_methods(L);
  mlplb_open_new_methods(L);
  lua_pop(L, 1);
}
