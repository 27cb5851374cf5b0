/* mlpl.load and mlpl.save: tensors in files, whose kind their ending says. */
#include "bind.h"

#include <string.h>

typedef enum file_kind { NPY, NPZ, SAFETENSORS } file_kind;

static bool same_letters(const char *a, const char *b) {
  for (; *a && *b; a++, b++)
    if ((*a >= 'A' && *a <= 'Z' ? *a - 'A' + 'a' : *a) != *b) return false;
  return *a == *b;
}

static file_kind kind_of(lua_State *L, const char *what, const char *path) {
  static const char *const endings[] = {".npy", ".npz", ".safetensors"};
  const char *name = strrchr(path, '/');
  const char *ending = strrchr(name ? name : path, '.');
  for (int i = 0; ending && i < 3; i++)
    if (same_letters(ending, endings[i])) return (file_kind)i;
  lua_settop(L, 1);
  luaL_error(L,
      "%s: the ending of the path %s says no kind of file; it must be .npy (a tensor), "
      ".npz or "
      ".safetensors (a table of named tensors)",
      what, mlplb_shown(L, 1));
  return NPY;
}

/* ---- loading ----------------------------------------------------------------------- */

static int load_tensor(lua_State *L, const char *path) {
  mlplb_state *s = mlplb_get(L);
  mlpl_tensor *t = NULL;
  mlpl_status status;
  int tries = 0;
  mlplb_pressure(L, s);
  mlplb_box *box = mlplb_tensor_box(L);
  do status = mlpl_npy_read(s->cx, &t, path);
  while (mlplb_again(L, s, status, &tries));
  box->object = t;
  return status == MLPL_OK ? 1 : mlplb_outside(L, s, status);
}

/* The box of the list keeps the tensors until every one has a box of its own. */
static int load_table(lua_State *L, const char *path, file_kind kind) {
  mlplb_state *s = mlplb_get(L);
  mlpl_tensors *list = NULL;
  mlpl_status status;
  int tries = 0;
  mlplb_pressure(L, s);
  mlplb_box *box = mlplb_box_push(L, MLPLB_TENSORS, 0);
  do
    status = kind == NPZ ? mlpl_npz_read(s->cx, &list, path)
                         : mlpl_safetensors_read(s->cx, &list, path);
  while (mlplb_again(L, s, status, &tries));
  box->object = list;
  if (status != MLPL_OK) return mlplb_outside(L, s, status);
  lua_createtable(L, 0, 8);
  const mlpl_named *item;
  for (int64_t i = 0; (item = mlpl_tensors_at(list, i)); i++) {
    lua_pushstring(L, item->name);
    mlplb_push_tensor(L, item->tensor);
    lua_rawset(L, -3);
  }
  box->object = NULL;
  mlpl_tensors_release(list);
  return 1;
}

/* load(path): a tensor, or a table of tensors by name */
static int load(lua_State *L) {
  mlplb_at_most(L, "load", 1);
  const char *path = mlplb_path(L, 1);
  file_kind kind = kind_of(L, "load", path);
  return kind == NPY ? load_tensor(L, path) : load_table(L, path, kind);
}

int mlplb_npy(lua_State *L) {
  mlplb_at_most(L, "npy", 1);
  return load_tensor(L, mlplb_path(L, 1));
}

/* ---- saving ------------------------------------------------------------------------ */

/*
** Pushes a copy of the table at 2, all of whose entries are named tensors, and counts them:
** a finalizer of the user's may run while the file is written, and change the table.
*/
static int64_t copy_items(lua_State *L) {
  int64_t n = 0;
  lua_createtable(L, 0, 8);
  lua_pushnil(L);
  for (; lua_next(L, 2); n++) {
    if (lua_type(L, -2) != LUA_TSTRING)
      luaL_error(L, "save: the value has a key %s; every tensor needs a name",
          mlplb_shown(L, -2));
    if (strlen(lua_tostring(L, -2)) != lua_rawlen(L, -2))
      luaL_error(L, "save: a name holds a zero byte");
    const char *name = lua_tostring(L, -2);
    if (!mlplb_test_tensor(L, -1))
      luaL_error(L, "save: '%s' in the value is %s; it must be a tensor", name,
          mlplb_shown(L, -1));
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, -4);
  }
  return n;
}

/* Tables have no order; by bytes of the name, the same table is the same file. */
static void sort(mlpl_named *items, int64_t n) {
  for (int64_t gap = n / 2; gap > 0; gap /= 2)
    for (int64_t i = gap; i < n; i++) {
      mlpl_named item = items[i];
      int64_t at = i;
      for (; at >= gap && strcmp(items[at - gap].name, item.name) > 0; at -= gap)
        items[at] = items[at - gap];
      items[at] = item;
    }
}

/* Pushes the list; names and tensors are kept by the copy, which is on top. */
static mlpl_named *list_of(lua_State *L, int64_t n) {
  mlpl_named *items = lua_newuserdatauv(L, (size_t)(n ? n : 1) * sizeof *items, 0);
  int64_t i = 0;
  lua_pushnil(L);
  for (; lua_next(L, -3); i++) {
    items[i] = (mlpl_named){lua_tostring(L, -2), mlplb_test_tensor(L, -1)};
    lua_pop(L, 1);
  }
  sort(items, n);
  return items;
}

static int save_table(lua_State *L, const char *path, file_kind kind, bool compressed) {
  mlplb_state *s = mlplb_get(L);
  mlpl_status status;
  int tries = 0;
  if (!lua_istable(L, 2))
    return luaL_error(L,
        "save: the value is %s; a %s file holds a table of named tensors",
        mlplb_shown(L, 2), kind == NPZ ? ".npz" : ".safetensors");
  int64_t n = copy_items(L);
  mlpl_named *items = list_of(L, n);
  do
    status = kind == NPZ ? mlpl_npz_write(s->cx, items, n, compressed, path)
                         : mlpl_safetensors_write(s->cx, items, n, path);
  while (mlplb_again(L, s, status, &tries));
  return status == MLPL_OK ? 0 : mlplb_raise_as(L, s, "save");
}

static int save_tensor(lua_State *L, const char *path) {
  mlplb_state *s = mlplb_get(L);
  const mlpl_tensor *t = mlplb_test_tensor(L, 2);
  mlpl_status status;
  int tries = 0;
  if (!t)
    return luaL_error(L,
        "save: the value is %s; a .npy file holds one tensor (a table: .npz or "
        ".safetensors)",
        mlplb_shown(L, 2));
  do status = mlpl_npy_write(s->cx, t, path);
  while (mlplb_again(L, s, status, &tries));
  return status == MLPL_OK ? 0 : mlplb_raise_as(L, s, "save");
}

static const char *const save_keys[] = {"compressed", NULL};

/* save(path, value, { compressed = true }) */
static int save(lua_State *L) {
  mlplb_at_most(L, "save", 3);
  const char *path = mlplb_path(L, 1);
  int options = lua_isnoneornil(L, 3) ? 0 : 3;
  if (options && !lua_istable(L, options))
    return luaL_error(L, "save: the options are %s; they must be a table with names",
        mlplb_shown(L, options));
  mlplb_known_keys(L, options, "save", save_keys);
  bool compressed = mlplb_get_flag(L, options, "save", "compressed", false);
  file_kind kind = kind_of(L, "save", path);
  if (compressed && kind != NPZ)
    return luaL_error(L, "save: only .npz files can be compressed");
  return kind == NPY ? save_tensor(L, path) : save_table(L, path, kind, compressed);
}

static int tensors_release(lua_State *L) { return mlplb_release(L, MLPLB_TENSORS); }
static int tensors_index(lua_State *L) { return mlplb_method(L, "list of tensors"); }

void mlplb_open_files(lua_State *L) {
  static const luaL_Reg none[] = {{NULL, NULL}};
  static const luaL_Reg functions[] = {{"load", load}, {"save", save}, {NULL, NULL}};
  mlplb_new_type(L, MLPLB_TENSORS, none, none, tensors_index, tensors_release);
  lua_pop(L, 1);
  mlplb_setfuncs(L, functions);
}
