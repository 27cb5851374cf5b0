/* Tensors made by a rule: numbers at equal distances, the unit matrix, indices of a
   triangle. */
#include "bind.h"

#include <string.h>

#define NOT_GIVEN (-4611686018427387904.0) /* -2^62 */

static const mlpl_param eye_params[] = {
    {"n", MLPL_PARAM_INT, MLPL_REQUIRED, 0, 0, 9e15, NULL, 0},
    {"m", MLPL_PARAM_INT, MLPL_OPTIONAL, NOT_GIVEN, 0, 9e15, NULL, 0}};
static const mlpl_param space_params[] = {
    {"start", MLPL_PARAM_REAL, MLPL_REQUIRED, 0, 0, 0, NULL, 0},
    {"stop", MLPL_PARAM_REAL, MLPL_REQUIRED, 0, 0, 0, NULL, 0},
    {"steps", MLPL_PARAM_INT, MLPL_REQUIRED, 0, 0, 9e15, NULL, 0},
    {"base", MLPL_PARAM_REAL, MLPL_OPTIONAL, 10, 0, 0, NULL, 0}};
static const mlpl_param triangle_params[] = {
    {"row", MLPL_PARAM_INT, MLPL_REQUIRED, 0, 0, 9e15, NULL, 0},
    {"col", MLPL_PARAM_INT, MLPL_REQUIRED, 0, 0, 9e15, NULL, 0},
    {"offset", MLPL_PARAM_INT, MLPL_OPTIONAL, 0, -9e15, 9e15, NULL, 0}};

/* What a maker is told; dtype and requires_grad are taken out of the trailing table, into a
   copy of the others. */
static mlplb_making take_making(lua_State *L, const char *what, mlpl_dtype standard) {
  int options = mlplb_options(L);
  mlplb_making m = mlplb_making_of(L, options, what, standard);
  if (!options) return m;
  lua_createtable(L, 0, 4);
  for (lua_pushnil(L); lua_next(L, options);) {
    const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
    bool ours = strcmp(key, "dtype") == 0 || strcmp(key, "requires_grad") == 0;
    lua_pushvalue(L, -2);
    lua_insert(L, -2); /* key, key, value */
    if (ours)
      lua_pop(L, 2);
    else
      lua_rawset(L, -4);
  }
  lua_replace(L, options);
  return m;
}

/* eye(3), eye(2, 3) */
static int eye(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  mlpl_value v[2];
  mlpl_tensor *t = NULL;
  mlpl_status status;
  int tries = 0;
  mlplb_making m = take_making(L, "eye", MLPL_F32);
  mlplb_params(L, "eye", 1, eye_params, 2, v, NULL);
  int64_t cols = v[1].i == (int64_t)NOT_GIVEN ? v[0].i : v[1].i;
  for (int i = 0; i < 2; i++)
    if ((i ? cols : v[0].i) < 0)
      return luaL_error(L, "eye: %s is %I; it must be at least 0", eye_params[i].name,
          (lua_Integer)(i ? cols : v[0].i));
  mlplb_pressure(L, s);
  mlplb_box *box = mlplb_tensor_box(L);
  do status = mlpl_tensor_eye(s->cx, &t, m.dtype, v[0].i, cols);
  while (mlplb_again(L, s, status, &tries));
  return mlplb_finish(L, &m, box, t, status);
}

/* linspace(0, 1, 11), logspace(-3, 3, 7): both ends included */
static int space(lua_State *L, const char *what, bool logarithmic) {
  mlplb_state *s = mlplb_get(L);
  mlpl_value v[4];
  mlpl_tensor *t = NULL;
  mlpl_status status;
  int tries = 0;
  mlplb_making m = take_making(L, what, MLPL_F32);
  mlplb_params(L, what, 1, space_params, logarithmic ? 4 : 3, v, NULL);
  mlplb_pressure(L, s);
  mlplb_box *box = mlplb_tensor_box(L);
  do
    status = logarithmic
        ? mlpl_tensor_logspace(s->cx, &t, m.dtype, v[0].f, v[1].f, v[2].i, v[3].f)
        : mlpl_tensor_linspace(s->cx, &t, m.dtype, v[0].f, v[1].f, v[2].i);
  while (mlplb_again(L, s, status, &tries));
  return mlplb_finish(L, &m, box, t, status);
}
static int linspace(lua_State *L) { return space(L, "linspace", false); }
static int logspace(lua_State *L) { return space(L, "logspace", true); }

/* tril_indices(3, 3): a row of rows and a row of columns, ready to index with */
static int triangle(lua_State *L, const char *what, bool lower) {
  mlplb_state *s = mlplb_get(L);
  mlpl_value v[3];
  mlpl_tensor *t = NULL;
  mlpl_status status;
  int tries = 0;
  mlplb_params(L, what, 1, triangle_params, 3, v, NULL);
  mlplb_pressure(L, s);
  mlplb_box *box = mlplb_tensor_box(L);
  do status = mlpl_tensor_triangle_indices(s->cx, &t, v[0].i, v[1].i, v[2].i, lower);
  while (mlplb_again(L, s, status, &tries));
  return mlplb_finish(L, &(mlplb_making){.what = what, .dtype = MLPL_I64}, box, t, status);
}
static int tril_indices(lua_State *L) { return triangle(L, "tril_indices", true); }
static int triu_indices(lua_State *L) { return triangle(L, "triu_indices", false); }

void mlplb_open_sequences(lua_State *L) {
  static const luaL_Reg functions[] = {{"eye", eye}, {"linspace", linspace},
      {"logspace", logspace}, {"tril_indices", tril_indices},
      {"triu_indices", triu_indices}, {NULL, NULL}};
  mlplb_setfuncs(L, functions);
}
