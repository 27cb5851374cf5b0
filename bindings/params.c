/* Arguments and options, checked against the engine's descriptions of them. */
#include "bind.h"

#include <math.h>
#include <string.h>

#define SHOWN 60 /* bytes of a text that messages show */

static const char *shown_text(lua_State *L, int index) {
  luaL_Buffer b;
  size_t n;
  const char *text = lua_tolstring(L, index, &n);
  luaL_buffinit(L, &b);
  luaL_addchar(&b, '\'');
  luaL_addlstring(&b, text, n < SHOWN ? n : SHOWN);
  luaL_addstring(&b, n < SHOWN ? "'" : "...'");
  luaL_pushresult(&b);
  return lua_tostring(L, -1);
}

const char *mlplb_shown(lua_State *L, int index) {
  index = lua_absindex(L, index);
  switch (lua_type(L, index)) {
    case LUA_TNONE: return lua_pushliteral(L, "missing");
    case LUA_TNIL: return lua_pushliteral(L, "nil");
    case LUA_TBOOLEAN:
      return lua_pushstring(L, lua_toboolean(L, index) ? "true" : "false");
    case LUA_TNUMBER:
      if (lua_tonumber(L, index) != lua_tonumber(L, index)) /* else perhaps "-nan" */
        return lua_pushliteral(L, "nan");
      return luaL_tolstring(L, index, NULL);
    case LUA_TSTRING: return shown_text(L, index);
    default: break;
  }
  const char *type = luaL_typename(L, index);
  if (luaL_getmetafield(L, index, "__name") == LUA_TSTRING) type = lua_tostring(L, -1);
  return lua_pushfstring(L, "a %s", type);
}

/* "what: name is ...": every complaint about an option reads alike. */
static int complain(
    lua_State *L, int index, const char *what, const char *name, const char *rule) {
  const char *value = mlplb_shown(L, index);
  mlplb_where(L);
  lua_pushfstring(L, "%s: %s is %s; it must be %s", what, name, value, rule);
  lua_concat(L, 2);
  return lua_error(L);
}

lua_Integer mlplb_whole(lua_State *L, int index, const char *what, const char *name) {
  int ok = 0;
  lua_Integer v = lua_type(L, index) == LUA_TNUMBER ? lua_tointegerx(L, index, &ok) : 0;
  if (!ok) complain(L, index, what, name, "a whole number");
  return v;
}

/* Positions count from 1 in Lua, or from the end with a minus sign; the engine's from
   0. */
static lua_Integer position(lua_State *L, int index, const char *what, const char *name) {
  lua_Integer v = mlplb_whole(L, index, what, name);
  if (v == 0)
    luaL_error(L, "%s: %s is 0; it counts from 1, or from -1 at the end", what, name);
  if (v == MLPL_NO_AXIS) v++; /* outside every axis, too, but not "all" */
  return v > 0 ? v - 1 : v;
}

/* One axis, or an array of them. */
static void axes(
    lua_State *L, int index, const char *what, const mlpl_param *p, mlpl_value *v) {
  int64_t axis[MLPL_MAX_RANK];
  if (!lua_istable(L, index)) {
    if (lua_type(L, index) != LUA_TNUMBER)
      complain(L, index, what, p->name, "an axis or an array of axes");
    v->i = position(L, index, what, p->name);
    return;
  }
  lua_Unsigned n = lua_rawlen(L, index);
  if (n > MLPL_MAX_RANK)
    luaL_error(L, "%s: %s has %I axes; a tensor has at most %d", what, p->name,
        (lua_Integer)n, MLPL_MAX_RANK);
  mlplb_only_array(L, index, what, "axes");
  for (int i = 0; i < (int)n; i++) {
    lua_rawgeti(L, index, i + 1);
    axis[i] = position(L, -1, what, p->name);
    lua_pop(L, 1);
  }
  mlpl_value_axes(v, (int)n, axis);
}

/* A number stands for the choice of that name: 2, -1, math.huge for inf. */
static const char *choice_text(lua_State *L, int index) {
  if (lua_type(L, index) == LUA_TSTRING) return lua_tostring(L, index);
  if (lua_type(L, index) != LUA_TNUMBER) return NULL;
  lua_Number v = lua_tonumber(L, index);
  lua_Integer whole;
  if (lua_numbertointeger(v, &whole) && (lua_Number)whole == v)
    return lua_pushfstring(L, "%I", (LUAI_UACINT)whole);
  return v == (lua_Number)HUGE_VAL ? "inf" : v == -(lua_Number)HUGE_VAL ? "-inf" : NULL;
}

static int choice(lua_State *L, int index, const char *what, const mlpl_param *p) {
  int top = lua_gettop(L);
  const char *text = choice_text(L, index);
  for (int i = 0; text && p->choices[i]; i++)
    if (strcmp(text, p->choices[i]) == 0) {
      lua_settop(L, top);
      return i;
    }
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  luaL_addstring(&b, "one of ");
  for (int i = 0; p->choices[i]; i++) {
    if (i) luaL_addstring(&b, ", ");
    luaL_addstring(&b, p->choices[i]);
  }
  luaL_pushresult(&b);
  return complain(L, index, what, p->name, lua_tostring(L, -1));
}

static void pair(
    lua_State *L, int index, const char *what, const mlpl_param *p, double *v) {
  if (!lua_istable(L, index) || lua_rawlen(L, index) != 2)
    complain(L, index, what, p->name, "two numbers in a table");
  mlplb_only_array(L, index, what, p->name);
  for (int i = 0; i < 2; i++) {
    if (lua_rawgeti(L, index, i + 1) != LUA_TNUMBER)
      complain(L, -1, what, p->name, "two numbers in a table");
    v[i] = lua_tonumber(L, -1);
    lua_pop(L, 1);
  }
}

void mlplb_only_array(lua_State *L, int index, const char *what, const char *holds) {
  lua_Integer n = (lua_Integer)lua_rawlen(L, index);
  index = lua_absindex(L, index);
  if (n)
    lua_pushinteger(L, n); /* named keys come after the array */
  else
    lua_pushnil(L);
  for (; lua_next(L, index); lua_pop(L, 1)) {
    int whole;
    lua_Integer i = lua_type(L, -2) == LUA_TNUMBER ? lua_tointegerx(L, -2, &whole) : 0;
    if (i < 1 || i > n)
      luaL_error(L, "%s: unknown key %s among the %s", what, mlplb_shown(L, -2), holds);
  }
}

const char *mlplb_path(lua_State *L, int arg) {
  size_t n;
  luaL_checktype(L, arg, LUA_TSTRING); /* a number would pass for the name of a file */
  const char *path = lua_tolstring(L, arg, &n);
  luaL_argcheck(L, strlen(path) == n, arg, "a path cannot hold a zero byte");
  return path;
}

static int sizes_of(lua_State *L, const char *what, const char *name, int arg, int end,
    int64_t *sizes) {
  bool array = arg < end && lua_istable(L, arg);
  lua_Integer n = array ? (lua_Integer)lua_rawlen(L, arg) : end - arg;
  const char *all = strcmp(name, "a size") == 0 ? "sizes" : name;
  if (array && end - arg > 1)
    luaL_error(L, "%s: %s are numbers or one array of numbers, not both", what, all);
  if (array) {
    lua_pushfstring(L, "%s; options have a table of their own", all);
    mlplb_only_array(L, arg, what, lua_tostring(L, -1));
    lua_pop(L, 1);
  }
  if (n > MLPL_MAX_RANK && strcmp(name, "a size") != 0)
    luaL_error(L, "%s: %s has %I values; a tensor has at most %d axes", what, name, n,
        MLPL_MAX_RANK);
  if (n > MLPL_MAX_RANK)
    luaL_error(L, "%s: %I sizes; a tensor has at most %d axes", what, n, MLPL_MAX_RANK);
  for (int i = 0; i < n; i++) {
    if (array) lua_rawgeti(L, arg, i + 1);
    sizes[i] = mlplb_whole(L, array ? -1 : arg + i, what, name);
    if (array) lua_pop(L, 1);
  }
  return (int)n;
}

int mlplb_sizes(lua_State *L, const char *what, int arg, int end, int64_t *sizes) {
  return sizes_of(L, what, "a size", arg, end, sizes);
}

/* What one of an option's numbers is called: those of `sizes` are sizes. */
static const char *each_of(const mlpl_param *p) {
  return strcmp(p->name, "sizes") == 0 ? "a size" : p->name;
}

/* Axes, from arg up to (not including) end: numbers or one array. */
static void axis_list(
    lua_State *L, int arg, int end, const char *what, const char *name, mlpl_value *v) {
  v->sizes.n = sizes_of(L, what, name, arg, end, v->sizes.v);
  for (int i = 0; i < v->sizes.n; i++) {
    lua_pushinteger(L, v->sizes.v[i]);
    v->sizes.v[i] = position(L, -1, what, name);
    lua_pop(L, 1);
  }
}

/* A number, a table of them, or a word. */
static void extent(
    lua_State *L, int index, const char *what, const mlpl_param *p, mlpl_value *v) {
  if (p->choices && lua_type(L, index) == LUA_TSTRING) {
    v->sizes.n = -1 - choice(L, index, what, p);
    return;
  }
  if (!lua_istable(L, index)) {
    v->sizes.n = 1;
    v->sizes.v[0] = mlplb_whole(L, index, what, p->name);
    return;
  }
  lua_Integer n = (lua_Integer)lua_rawlen(L, index);
  mlplb_only_array(L, index, what, p->name);
  if (n < 1 || n > MLPL_MAX_RANK)
    luaL_error(
        L, "%s: %s has %I values; it takes one, or one an axis", what, p->name, n);
  v->sizes.n = (int)n;
  for (int i = 0; i < n; i++) {
    lua_rawgeti(L, index, i + 1);
    v->sizes.v[i] = mlplb_whole(L, -1, what, p->name);
    lua_pop(L, 1);
  }
}

mlpl_element mlplb_element(lua_State *L, int index) {
  if (lua_isboolean(L, index)) return (mlpl_element){lua_toboolean(L, index), 0};
  return (mlpl_element){lua_tonumber(L, index), lua_tointeger(L, index)};
}

/* The value at an absolute index, in its option's type. */
static void convert(
    lua_State *L, int index, const char *what, const mlpl_param *p, mlpl_value *v) {
  memset(v, 0, sizeof *v);
  switch (p->type) {
    case MLPL_PARAM_INT: v->i = mlplb_whole(L, index, what, p->name); return;
    case MLPL_PARAM_AXIS:
    case MLPL_PARAM_INDEX: v->i = position(L, index, what, p->name); return;
    case MLPL_PARAM_CHOICE: v->i = choice(L, index, what, p); return;
    case MLPL_PARAM_PAIR: pair(L, index, what, p, v->pair); return;
    case MLPL_PARAM_AXES: axes(L, index, what, p, v); return;
    case MLPL_PARAM_EXTENT: extent(L, index, what, p, v); return;
    case MLPL_PARAM_SIZES:
      v->sizes.n = sizes_of(L, what, each_of(p), index, index + 1, v->sizes.v);
      return;
    case MLPL_PARAM_AXIS_LIST: axis_list(L, index, index + 1, what, p->name, v); return;
    case MLPL_PARAM_REAL:
      if (lua_type(L, index) != LUA_TNUMBER)
        complain(L, index, what, p->name, "a number");
      v->element = mlplb_element(L, index);
      return;
    case MLPL_PARAM_BOOL:
      if (!lua_isboolean(L, index)) complain(L, index, what, p->name, "true or false");
      v->i = lua_toboolean(L, index);
      return;
  }
}

void mlplb_at_most(lua_State *L, const char *what, int n) {
  if (lua_gettop(L) > n)
    luaL_error(L, "%s: one argument too many: %s", what, mlplb_shown(L, n + 1));
}

/* ---- the trailing table ------------------------------------------------------------ */

static bool is_options(lua_State *L, int index) {
  return lua_istable(L, index) && lua_rawlen(L, index) == 0;
}

/* {} where sizes are due is the shape of a number, not a table of options. */
static bool is_empty(lua_State *L, int index) {
  lua_pushnil(L);
  if (!lua_next(L, index)) return true;
  lua_pop(L, 2);
  return false;
}

int mlplb_options(lua_State *L) {
  int top = lua_gettop(L);
  return top && is_options(L, top) ? top : 0;
}

static void list_names(luaL_Buffer *b, const char *name, bool *first) {
  if (!*first) luaL_addstring(b, ", ");
  *first = false;
  luaL_addstring(b, name);
}

/* The key at index -2 of a table is not an option. */
static int unknown(lua_State *L, const char *what, const mlpl_param *params, int n,
    const mlplb_named *named) {
  luaL_Buffer b;
  bool first = true;
  const char *key = mlplb_shown(L, -2);
  luaL_buffinit(L, &b);
  for (int i = 0; i < n; i++) list_names(&b, params[i].name, &first);
  for (int i = 0; named && i < named->n; i++) list_names(&b, named->name[i], &first);
  if (named && named->generator) list_names(&b, "generator", &first);
  luaL_pushresult(&b);
  if (first) return luaL_error(L, "%s: unknown option %s; it has no options", what, key);
  return luaL_error(
      L, "%s: unknown option %s; the options are %s", what, key, lua_tostring(L, -1));
}

void mlplb_known_keys(
    lua_State *L, int index, const char *what, const char *const *names) {
  if (!index) return;
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
    int i = 0;
    while (names[i] && strcmp(names[i], key) != 0) i++;
    if (names[i]) continue;
    luaL_Buffer b;
    bool first = true;
    key = mlplb_shown(L, -2);
    luaL_buffinit(L, &b);
    for (i = 0; names[i]; i++) list_names(&b, names[i], &first);
    luaL_pushresult(&b);
    luaL_error(
        L, "%s: unknown option %s; the options are %s", what, key, lua_tostring(L, -1));
  }
}

mlpl_tensor *mlplb_option_tensor(lua_State *L, const char *what, const char *name) {
  const mlplb_box *box = mlplb_test_box(L, lua_gettop(L), MLPLB_TENSOR);
  if (!box) complain(L, -1, what, name, "a tensor");
  if (!box->object) luaL_error(L, "%s: %s is a tensor that was released", what, name);
  return box->object;
}

static void one_option(lua_State *L, const char *what, const mlpl_param *params, int n,
    mlpl_value *values, bool *given, mlplb_named *named) {
  const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
  for (int i = 0; i < n; i++) {
    if (strcmp(params[i].name, key) != 0) continue;
    if (given[i]) luaL_error(L, "%s: %s is given twice", what, key);
    convert(L, lua_gettop(L), what, &params[i], &values[i]);
    given[i] = true;
    return;
  }
  for (int i = 0; named && i < named->n; i++) {
    if (strcmp(named->name[i], key) != 0) continue;
    if (named->tensor[i]) luaL_error(L, "%s: %s is given twice", what, key);
    named->tensor[i] = mlplb_option_tensor(L, what, key);
    return;
  }
  if (named && named->out && strcmp(key, "out") == 0) return;
  if (named && named->generator && strcmp(key, "generator") == 0) return;
  unknown(L, what, params, n, named);
}

/* Raw: no metamethod may run, and release what the caller works on. */
int mlplb_get_option(lua_State *L, int index, const char *name) {
  lua_pushstring(L, name);
  if (index) return lua_rawget(L, index);
  lua_pop(L, 1);
  lua_pushnil(L);
  return LUA_TNIL;
}

bool mlplb_get_flag(
    lua_State *L, int index, const char *what, const char *name, bool standard) {
  int type = mlplb_get_option(L, index, name);
  if (type != LUA_TNIL && type != LUA_TBOOLEAN)
    luaL_error(
        L, "%s: %s is %s; it must be true or false", what, name, mlplb_shown(L, -1));
  bool v = type == LUA_TNIL ? standard : lua_toboolean(L, -1);
  lua_pop(L, 1);
  return v;
}

/* ---- all options of a call --------------------------------------------------------- */

static bool is_list(const mlpl_param *p) {
  return p->type == MLPL_PARAM_SIZES || p->type == MLPL_PARAM_AXIS_LIST;
}

void mlplb_params(lua_State *L, const char *what, int first, const mlpl_param *params,
    int n, mlpl_value *values, mlplb_named *named) {
  bool given[MLPL_MAX_PARAMS] = {false};
  int top = lua_gettop(L), options = top >= first ? mlplb_options(L) : 0;
  if (options == first && n && is_list(&params[0]) && is_empty(L, options)) options = 0;
  int end = options ? options : top + 1;
  int i = 0, arg = first;
  for (; arg < end && i < n; i++) {
    bool left_out = lua_isnil(L, arg) &&
        (!is_list(&params[i]) || !(params[i].flags & MLPL_REQUIRED));
    if (is_list(&params[i]) && i == n - 1 && !left_out) { /* the last takes the rest */
      memset(&values[i], 0, sizeof values[i]);
      if (params[i].type == MLPL_PARAM_AXIS_LIST)
        axis_list(L, arg, end, what, params[i].name, &values[i]);
      else
        values[i].sizes.n =
            sizes_of(L, what, each_of(&params[i]), arg, end, values[i].sizes.v);
      arg = end;
      given[i] = true;
    }
    else if (left_out)
      values[i] = mlpl_param_standard(&params[i]), arg++;
    else
      convert(L, arg++, what, &params[i], &values[i]), given[i] = true;
  }
  for (; i < n; i++) values[i] = mlpl_param_standard(&params[i]);
  for (; arg < end; arg++)
    if (!lua_isnil(L, arg))
      luaL_error(L, "%s: one argument too many: %s", what, mlplb_shown(L, arg));
  if (options)
    for (lua_pushnil(L); lua_next(L, options); lua_pop(L, 1))
      one_option(L, what, params, n, values, given, named);
  for (i = 0; i < n; i++)
    if ((params[i].flags & MLPL_REQUIRED) && !given[i] &&
        params[i].type != MLPL_PARAM_SIZES)
      luaL_error(L, "%s: %s is missing", what, params[i].name);
  const char *missing[2] = {"", ""};
  if (mlpl_param_none_of(params, n, given, missing))
    luaL_error(L, "%s: neither %s nor %s is given", what, missing[0], missing[1]);
}

mlpl_dtype mlplb_dtype(lua_State *L, int index, const char *what) {
  const char *text = lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : "";
  for (int d = MLPL_F32; d <= MLPL_BOOL; d++)
    if (strcmp(text, mlpl_dtype_name((mlpl_dtype)d)) == 0) return (mlpl_dtype)d;
  return (mlpl_dtype)complain(L, index, what, "dtype", "one of f32, f64, i64, u8, bool");
}
