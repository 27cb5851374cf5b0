/* What the engine says of its operations, layers and optimizers, for scripts/mlpl/help.lua:
   inputs and options as Lua sees them. */
#include "bind.h"

#include <math.h>

static const char *type_name(const mlpl_param *p) {
  switch (p->type) {
    case MLPL_PARAM_INT: return "integer";
    case MLPL_PARAM_REAL: return "number";
    case MLPL_PARAM_BOOL: return "boolean";
    case MLPL_PARAM_AXIS: return "axis";
    case MLPL_PARAM_AXES: return "axes";
    case MLPL_PARAM_AXIS_LIST: return "axis list";
    case MLPL_PARAM_EXTENT: return "extent";
    case MLPL_PARAM_INDEX: return "index";
    case MLPL_PARAM_CHOICE: return "choice";
    case MLPL_PARAM_SIZES: return "sizes";
    case MLPL_PARAM_PAIR: return "pair";
  }
  return "any";
}

static void set_text(lua_State *L, const char *name, const char *text) {
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

/* The value that stands for an option left out, as a script would write it, or nil. */
static void push_standard(lua_State *L, const mlpl_param *p) {
  mlpl_value v = mlpl_param_standard(p);
  switch (p->type) {
    case MLPL_PARAM_BOOL: lua_pushboolean(L, v.i != 0); return;
    case MLPL_PARAM_CHOICE: lua_pushstring(L, p->choices[v.i]); return;
    case MLPL_PARAM_REAL: lua_pushnumber(L, v.f); return;
    case MLPL_PARAM_INT: lua_pushinteger(L, (lua_Integer)v.i); return;
    case MLPL_PARAM_AXIS:
      if (v.i == MLPL_NO_AXIS)
        lua_pushnil(L);
      else
        lua_pushinteger(L, (lua_Integer)(v.i < 0 ? v.i : v.i + 1));
      return;
    case MLPL_PARAM_PAIR:
      lua_createtable(L, 2, 0);
      for (int i = 0; i < 2; i++) {
        lua_pushnumber(L, v.pair[i]);
        lua_rawseti(L, -2, i + 1);
      }
      return;
    default: lua_pushnil(L);
  }
}

static void set_limit(lua_State *L, const char *name, double limit) {
  if (!isfinite(limit)) return;
  lua_pushnumber(L, limit);
  lua_setfield(L, -2, name);
}

/* { name=, type=, required=, standard=, min=, max=, nan=, choices= } */
static void push_param(lua_State *L, const mlpl_param *p) {
  lua_createtable(L, 0, 6);
  set_text(L, "name", p->name);
  set_text(L, "type", type_name(p));
  lua_pushboolean(L, p->flags & MLPL_REQUIRED);
  lua_setfield(L, -2, "required");
  if (!(p->flags & MLPL_REQUIRED)) {
    push_standard(L, p);
    lua_setfield(L, -2, "standard");
  }
  if (p->type == MLPL_PARAM_REAL || p->type == MLPL_PARAM_INT ||
      p->type == MLPL_PARAM_PAIR) {
    set_limit(L, "min", p->min);
    set_limit(L, "max", p->max);
  }
  if (p->flags & MLPL_MAY_BE_NAN) {
    lua_pushboolean(L, true);
    lua_setfield(L, -2, "nan");
  }
  if (p->type != MLPL_PARAM_CHOICE) return;
  lua_newtable(L);
  for (int i = 0; p->choices[i]; i++) {
    lua_pushstring(L, p->choices[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "choices");
}

static void set_params(lua_State *L, const mlpl_param *params, int n) {
  lua_createtable(L, n, 0);
  for (int i = 0; i < n; i++) {
    push_param(L, &params[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "params");
}

static void set_flag(lua_State *L, const char *name, bool flag) {
  lua_pushboolean(L, flag);
  lua_setfield(L, -2, name);
}

/* domain = what it holds, dtypes = { "f32", ... }, number = whether one may stand for
   it (in a row that broadcasts for one of the two) */
static void set_domain(lua_State *L, const mlpl_op *op, int i) {
  int n = 0;
  set_text(L, "domain", mlpl_op_input_domain(op, i));
  set_flag(L, "number", mlpl_op_broadcasts(op) || mlpl_op_takes_number(op, i));
  lua_newtable(L);
  const mlpl_op *other = mlpl_op_by_tensor(op); /* which takes the call then */
  for (int d = MLPL_F32; d <= MLPL_BOOL; d++) {
    if (!mlpl_op_takes_dtype(op, i, (mlpl_dtype)d) &&
        !(other && mlpl_op_takes_dtype(other, i, (mlpl_dtype)d)))
      continue;
    lua_pushstring(L, mlpl_dtype_name((mlpl_dtype)d));
    lua_rawseti(L, -2, ++n);
  }
  lua_setfield(L, -2, "dtypes");
}

static void set_inputs(lua_State *L, const mlpl_op *op) {
  int required, n = mlpl_op_inputs(op, &required);
  lua_createtable(L, n, 0);
  for (int i = 0; i < n; i++) {
    lua_createtable(L, 0, 3);
    set_text(L, "name", mlpl_op_input_name(op, i));
    set_flag(L, "required", i < required);
    set_domain(L, op, i);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "inputs");
}

/* tensor = true for options that may be tensors; the description is on top. */
static void mark_tensors(lua_State *L, const mlpl_op *op) {
  const mlpl_op *other = mlpl_op_by_tensor(op);
  if (!other) return;
  const int first = mlpl_op_inputs(op, NULL), n = mlpl_op_inputs(other, NULL);
  lua_getfield(L, -1, "params");
  for (int i = first; i < n; i++) {
    lua_rawgeti(L, -1, i - first + 1 + mlpl_op_options_first(op));
    set_flag(L, "tensor", true);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

/* promotes = whether inputs that hold numbers are converted to one dtype, among computes
   = { "f32", ... }; result = the dtype of the first result, or the input whose dtype it has
   after that, or nil: the values or options decide */
static void set_dtypes(lua_State *L, const mlpl_op *op) {
  const unsigned computes = mlpl_op_computes(op);
  int n = 0;
  lua_newtable(L);
  for (int d = MLPL_F32; d <= MLPL_BOOL; d++) {
    if (!(computes >> d & 1)) continue;
    lua_pushstring(L, mlpl_dtype_name((mlpl_dtype)d));
    lua_rawseti(L, -2, ++n);
  }
  lua_setfield(L, -2, "computes");
  set_flag(L, "promotes", computes != 0);
  set_flag(L, "random", mlpl_op_is_random(op));
  const char *result = mlpl_op_result(op);
  if (result) set_text(L, "result", result);
}

/* All that a script can call. */
static int push_names(lua_State *L) {
  lua_newtable(L);
  for (int i = 0, n = 0; mlpl_op_at(i); i++) {
    if (mlpl_op_is_internal(mlpl_op_at(i))) continue;
    lua_pushstring(L, mlpl_op_name(mlpl_op_at(i)));
    lua_rawseti(L, -2, ++n);
  }
  return 1;
}

/* _describe_op(name): { name = the row's own, inputs =, params =, outputs =, group =, list =, broadcasts =,
   in_place =, options_first =, internal =, computes =, promotes =, random =, result = },
   or nil; _describe_op(): the names */
static int describe_op(lua_State *L) {
  if (lua_isnoneornil(L, 1)) return push_names(L);
  const mlpl_op *op = mlpl_op_find(luaL_checkstring(L, 1));
  if (!op) op = mlplb_other_name(lua_tostring(L, 1));
  if (!op) return 0;
  int n;
  const mlpl_param *params = mlpl_op_params(op, &n);
  lua_createtable(L, 0, 6);
  set_text(L, "name", mlpl_op_name(op));
  set_inputs(L, op);
  set_params(L, params, n);
  mark_tensors(L, op);
  lua_pushinteger(L, mlpl_op_outputs(op));
  lua_setfield(L, -2, "outputs");
  if (mlpl_op_group(op)) set_text(L, "group", mlpl_op_group(op));
  set_flag(L, "list", mlpl_op_takes_list(op));
  set_flag(L, "broadcasts", mlpl_op_broadcasts(op));
  set_flag(L, "in_place", mlpl_op_has_in_place(op));
  lua_pushinteger(L, mlpl_op_options_first(op));
  lua_setfield(L, -2, "options_first");
  set_flag(L, "internal", mlpl_op_is_internal(op));
  set_dtypes(L, op);
  return 1;
}

/* tensors = the names of those that a kind takes beside its options */
static void set_tensors(lua_State *L, const char *kind) {
  lua_newtable(L);
  for (int i = 0; mlpl_kind_tensor(kind, i); i++) {
    lua_pushstring(L, mlpl_kind_tensor(kind, i));
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "tensors");
}

/* _describe_kind(name): { params =, tensors = } of a layer, a loss or an optimizer, or
   nil */
static int describe_kind(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  int n;
  const mlpl_param *params = mlpl_kind_params(name, &n);
  if (!params) params = mlpl_optimizer_kind_params(name, &n);
  if (!params) return 0;
  lua_createtable(L, 0, 2);
  set_params(L, params, n);
  set_tensors(L, name);
  return 1;
}

/* _methods("Tensor"): what values of that type can be asked to do, a table of functions;
   or nil */
static int methods(lua_State *L) {
  mlplb_push_methods(L, lua_pushfstring(L, "mlpl.%s", luaL_checkstring(L, 1)));
  return 1;
}

/* _shown(value): how messages show a value, a long text cut short */
static int shown(lua_State *L) {
  lua_settop(L, 1);
  mlplb_shown(L, 1);
  return 1;
}

/* _raise(text): error(text) at the line of the user's script */
static int raise_text(lua_State *L) {
  mlplb_where(L);
  lua_pushvalue(L, 1);
  lua_concat(L, 2);
  return lua_error(L);
}

void mlplb_open_describe(lua_State *L) {
  static const luaL_Reg functions[] = {{"_describe_op", describe_op},
      {"_describe_kind", describe_kind}, {"_methods", methods}, {"_shown", shown},
      {"_raise", raise_text}, {"_on_missing", mlplb_on_missing}, {NULL, NULL}};
  mlplb_setfuncs(L, functions);
}
