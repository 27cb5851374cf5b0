/* Data sets, their batches, and the readers of files. */
#include "bind.h"

#include <string.h>

static mlpl_dataset *check_dataset(lua_State *L, int arg) {
  return mlplb_check(L, arg, MLPLB_DATASET);
}

/* The index of the table of options at arg, the last argument; 0: not given. */
static int trailing(lua_State *L, const char *what, int arg) {
  if (lua_gettop(L) > arg)
    return luaL_error(L, "%s: one argument too many: %s", what, mlplb_shown(L, arg + 1));
  if (lua_isnoneornil(L, arg)) return 0;
  if (!lua_istable(L, arg) || lua_rawlen(L, arg) > 0)
    return luaL_error(L,
        "%s: the options are %s; they must be a table with names: { name = value }", what,
        lua_istable(L, arg) ? "an array" : mlplb_shown(L, arg));
  return arg;
}

/* ---- data sets --------------------------------------------------------------------- */

static int dataset_release(lua_State *L) { return mlplb_release(L, MLPLB_DATASET); }

static int dataset_len(lua_State *L) {
  lua_pushinteger(L, mlpl_dataset_size(check_dataset(L, 1)));
  return 1;
}

static const char *const split_keys[] = {"shuffle", "stratify", NULL};

/* ds:split(0.8, { shuffle = true, stratify = true }) */
static int dataset_split(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  const mlpl_dataset *ds = check_dataset(L, 1);
  mlpl_dataset *a = NULL, *b = NULL;
  if (lua_type(L, 2) != LUA_TNUMBER)
    return luaL_error(L, "split: the share is %s; it must be a number between 0 and 1",
        mlplb_shown(L, 2));
  double fraction = lua_tonumber(L, 2);
  int options = trailing(L, "split", 3), tries = 0;
  mlplb_known_keys(L, options, "split", split_keys);
  int flags = (mlplb_get_flag(L, options, "split", "shuffle", false) ? MLPL_SHUFFLE : 0) |
      (mlplb_get_flag(L, options, "split", "stratify", false) ? MLPL_STRATIFY : 0);
  mlpl_status status;
  mlplb_pressure(L, s);
  mlplb_box *first = mlplb_box_push(L, MLPLB_DATASET, 0),
            *second = mlplb_box_push(L, MLPLB_DATASET, 0);
  do status = mlpl_dataset_split(s->cx, ds, fraction, flags, &a, &b);
  while (mlplb_again(L, s, status, &tries));
  first->object = a;
  second->object = b;
  return status == MLPL_OK ? 2 : mlplb_raise_as(L, s, "split");
}

static const char *const batch_keys[] = {"size", "shuffle", "drop_last", NULL};

/* ds:batches { size = 32, shuffle = true, drop_last = false }: one pass, for a generic
   for */
static int dataset_batches(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  mlpl_dataset *ds = check_dataset(L, 1);
  mlpl_batches *b = NULL;
  int options = trailing(L, "batches", 2), tries = 0;
  mlplb_known_keys(L, options, "batches", batch_keys);
  lua_Integer size = 32;
  if (mlplb_get_option(L, options, "size") != LUA_TNIL)
    size = mlplb_whole(L, lua_gettop(L), "batches", "size");
  lua_pop(L, 1);
  bool shuffle = mlplb_get_flag(L, options, "batches", "shuffle", false);
  bool drop_last = mlplb_get_flag(L, options, "batches", "drop_last", false);
  mlpl_status status;
  mlplb_box *box = mlplb_box_push(L, MLPLB_BATCHES, 0);
  do status = mlpl_batches_new(s->cx, &b, ds, size, shuffle, drop_last);
  while (mlplb_again(L, s, status, &tries));
  box->object = b;
  if (status != MLPL_OK) return mlplb_raise_as(L, s, "batches");
  /* iterator, state, control, closing value: the pass lets go of its memory when the loop
     ends, however it ends */
  lua_pushnil(L);
  lua_pushnil(L);
  lua_pushvalue(L, -3);
  return 4;
}

static int push_strings(lua_State *L, const mlpl_dataset *ds, int n,
    const char *(*get)(const mlpl_dataset *, int)) {
  lua_createtable(L, n, 0);
  for (int i = 0; i < n; i++) {
    lua_pushstring(L, get(ds, i));
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

static int dataset_index(lua_State *L) {
  if (mlplb_push_method(L)) return 1;
  const mlpl_dataset *ds = check_dataset(L, 1);
  const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  if (strcmp(key, "x") == 0 || strcmp(key, "y") == 0) {
    mlplb_push_tensor(L, *key == 'x' ? mlpl_dataset_x(ds) : mlpl_dataset_y(ds));
    return 1;
  }
  if (strcmp(key, "classes") == 0)
    return push_strings(L, ds, mlpl_dataset_n_classes(ds), mlpl_dataset_class);
  if (strcmp(key, "names") == 0)
    return push_strings(L, ds, mlpl_dataset_n_names(ds), mlpl_dataset_name);
  return mlplb_method(L, "data set");
}

static int dataset_tostring(lua_State *L) {
  const mlplb_box *box = mlplb_check_box(L, 1, MLPLB_DATASET);
  if (!box->object) {
    lua_pushliteral(L, "data set (released)");
    return 1;
  }
  const mlpl_dataset *ds = box->object;
  lua_pushfstring(L, "data set of %I rows, %d classes",
      (lua_Integer)mlpl_dataset_size(ds), mlpl_dataset_n_classes(ds));
  return 1;
}

/* ---- batches ----------------------------------------------------------------------- */

static int batches_release(lua_State *L) { return mlplb_release(L, MLPLB_BATCHES); }

/* The next x, y; nil at the end. */
static int batches_next(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  mlpl_batches *b = mlplb_check(L, 1, MLPLB_BATCHES);
  mlpl_tensor *x = NULL, *y = NULL;
  mlpl_status status;
  int tries = 0;
  mlplb_pressure(L, s);
  mlplb_box *bx = mlplb_tensor_box(L), *by = mlplb_tensor_box(L);
  do status = mlpl_batches_next(s->cx, b, &x, &y);
  while (mlplb_again(L, s, status, &tries));
  bx->object = x;
  by->object = y;
  if (status != MLPL_OK) return mlplb_raise(L, s);
  if (!x) return 0;
  if (!y) lua_pop(L, 1);
  return y ? 2 : 1;
}

static int batches_len(lua_State *L) {
  lua_pushinteger(L, mlpl_batches_count(mlplb_check(L, 1, MLPLB_BATCHES)));
  return 1;
}

static int batches_index(lua_State *L) { return mlplb_method(L, "pass of batches"); }

/* ---- readers ----------------------------------------------------------------------- */

/* A column by name or number, as text in a stack slot that stays; NULL when not given. */
static const char *column(lua_State *L, int options, const char *name) {
  int type = mlplb_get_option(L, options, name);
  if (type == LUA_TNIL) return NULL;
  /* 2.0 is 2 */
  if (type == LUA_TNUMBER)
    lua_pushinteger(L, mlplb_whole(L, lua_gettop(L), "csv", name));
  else if (type != LUA_TSTRING)
    luaL_error(L, "csv: %s is %s; it must be a column's name or number", name,
        mlplb_shown(L, -1));
  return lua_tostring(L, -1);
}

static const char *const csv_keys[] = {
    "labels", "target", "separator", "header", "dtype", NULL};

/* data.csv(path, { labels = -1 }) */
static int csv(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  const char *path = mlplb_path(L, 1);
  int options = trailing(L, "csv", 2), tries = 0;
  mlpl_csv_options o = {.header = -1, .dtype = MLPL_F32};
  mlpl_dataset *ds = NULL;
  mlplb_known_keys(L, options, "csv", csv_keys);
  o.labels = column(L, options, "labels");
  o.target = column(L, options, "target");
  if (mlplb_get_option(L, options, "separator") != LUA_TNIL) {
    if (lua_type(L, -1) != LUA_TSTRING || lua_rawlen(L, -1) != 1)
      luaL_error(L, "csv: separator is %s; it must be one character", mlplb_shown(L, -1));
    o.separator = *lua_tostring(L, -1);
  }
  if (mlplb_get_option(L, options, "header") != LUA_TNIL)
    o.header = mlplb_get_flag(L, options, "csv", "header", false);
  if (mlplb_get_option(L, options, "dtype") != LUA_TNIL)
    o.dtype = mlplb_dtype(L, lua_gettop(L), "csv");
  mlpl_status status;
  mlplb_pressure(L, s);
  mlplb_box *box = mlplb_box_push(L, MLPLB_DATASET, 0);
  do status = mlpl_csv_read(s->cx, &ds, path, &o);
  while (mlplb_again(L, s, status, &tries));
  box->object = ds;
  return status == MLPL_OK ? 1 : mlplb_outside(L, s, status);
}

/* data.idx(images, labels) is a data set; data.idx(file) a tensor */
static int idx(lua_State *L) {
  mlplb_at_most(L, "idx", 2);
  mlplb_state *s = mlplb_get(L);
  const char *images = mlplb_path(L, 1),
             *labels = lua_isnoneornil(L, 2) ? NULL : mlplb_path(L, 2);
  mlpl_dataset *ds = NULL;
  mlpl_tensor *t = NULL;
  mlpl_status status;
  int tries = 0;
  mlplb_pressure(L, s);
  mlplb_box *box = labels ? mlplb_box_push(L, MLPLB_DATASET, 0) : mlplb_tensor_box(L);
  do
    status = labels ? mlpl_idx_read_pair(s->cx, &ds, images, labels)
                    : mlpl_idx_read(s->cx, &t, images);
  while (mlplb_again(L, s, status, &tries));
  box->object = labels ? (void *)ds : (void *)t;
  return status == MLPL_OK ? 1 : mlplb_outside(L, s, status);
}

static const char *const dataset_keys[] = {"classes", NULL};

/* data.TensorDataset(x, y, { classes = { "no", "yes" } }) */
static int tensor_dataset(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  mlpl_tensor *x = mlplb_check_tensor(L, 1);
  int options = trailing(L, "TensorDataset", lua_istable(L, 2) ? 2 : 3);
  mlpl_tensor *y = options == 2 || lua_isnoneornil(L, 2) ? NULL
                                                         : mlplb_check_tensor(L, 2);
  mlpl_dataset *ds = NULL;
  mlplb_known_keys(L, options, "TensorDataset", dataset_keys);
  int n = 0, list = 0;
  if (mlplb_get_option(L, options, "classes") != LUA_TNIL) {
    list = lua_gettop(L);
    if (!lua_istable(L, list))
      luaL_error(L, "TensorDataset: classes is %s; it must be an array of names",
          mlplb_shown(L, list));
    mlplb_only_array(L, list, "TensorDataset", "classes");
    n = (int)lua_rawlen(L, list);
  }
  const char **classes = lua_newuserdatauv(L, (size_t)(n ? n : 1) * sizeof *classes, 0);
  for (int i = 0; i < n; i++) {
    if (lua_rawgeti(L, list, i + 1) != LUA_TSTRING)
      luaL_error(L, "TensorDataset: class %d is %s; it must be a name", i + 1,
          mlplb_shown(L, -1));
    classes[i] = lua_tostring(L, -1); /* the table keeps it */
    lua_pop(L, 1);
  }
  mlplb_box *box = mlplb_box_push(L, MLPLB_DATASET, 0);
  mlpl_status status = mlpl_dataset_new(s->cx, &ds, x, y, classes, n);
  box->object = ds;
  return status == MLPL_OK ? 1 : mlplb_raise_as(L, s, "TensorDataset");
}

void mlplb_open_data(lua_State *L) {
  static const luaL_Reg dataset_meta[] = {
      {"__len", dataset_len}, {"__tostring", dataset_tostring}, {NULL, NULL}};
  static const luaL_Reg dataset_methods[] = {
      {"split", dataset_split}, {"batches", dataset_batches}, {NULL, NULL}};
  static const luaL_Reg batches_meta[] = {
      {"__call", batches_next}, {"__len", batches_len}, {NULL, NULL}};
  static const luaL_Reg batches_methods[] = {{NULL, NULL}};
  static const luaL_Reg functions[] = {
      {"csv", csv}, {"idx", idx}, {"npy", mlplb_npy}, {"TensorDataset", tensor_dataset}, {NULL, NULL}};
  mlplb_new_type(
      L, MLPLB_DATASET, dataset_meta, dataset_methods, dataset_index, dataset_release);
  mlplb_new_type(
      L, MLPLB_BATCHES, batches_meta, batches_methods, batches_index, batches_release);
  lua_pop(L, 2);
  lua_createtable(L, 0, 0);
  mlplb_setfuncs(L, functions);
}
