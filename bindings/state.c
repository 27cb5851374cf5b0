/* The state: its context, errors, memory pressure, and what types have in common. */
#include "bind.h"

#include <stdlib.h>
#include <string.h>

/* Garbage, in bytes of tensors, before everything is collected. */
#define ROOM_LEAST ((size_t)320 << 10)
#define ROOM_MOST ((size_t)64 << 20)
#define FIRST_ROUNDS 32 /* collections with a quarter more room */

/* Addresses that serve as keys of the registry. */
static const char state_key = 0, config_key = 0, hint_key = 0;

/* ---- the context ------------------------------------------------------------------- */

/* A userdata, whose user value keeps the text of isa. */
typedef struct config_copy {
  mlpl_config config;
  mlpl_allocator allocator;
} config_copy;

void mlpl_lua_configure(lua_State *L, const mlpl_config *config) {
  if (mlpl_lua_context(L)) luaL_error(L, "mlpl: configure before the library is opened");
  config_copy *copy = lua_newuserdatauv(L, sizeof *copy, 1);
  copy->config = *config;
  copy->config.isa = lua_pushstring(L, config->isa); /* NULL gives nil and NULL */
  lua_setiuservalue(L, -2, 1);
  if (config->allocator) {
    copy->allocator = *config->allocator;
    copy->config.allocator = &copy->allocator;
  }
  lua_rawsetp(L, LUA_REGISTRYINDEX, &config_key);
}

static int state_gc(lua_State *L) {
  mlplb_state *s = lua_touserdata(L, 1);
  mlplb_boxes_close(s);
  mlplb_anchors_close(s);
  if (s->cx) mlpl_set_anomaly(s->cx, false, NULL, NULL); /* its place is ours */
  mlpl_close(s->cx);
  s->cx = NULL;
  return 0;
}

/* The environment's MLPL_ISA chooses the instruction set where the host did not: for
   experiments and tests. */
static mlpl_status open_context(lua_State *L, mlplb_state *s) {
  mlpl_config config = {0};
  lua_rawgetp(L, LUA_REGISTRYINDEX, &config_key);
  const config_copy *copy = lua_touserdata(L, -1);
  if (copy) config = copy->config;
  bool ignored = lua_getfield(L, LUA_REGISTRYINDEX, "LUA_NOENV") !=
      LUA_TNIL; /* mlpl -E */
  lua_pop(L, 1);
  if (!config.isa && !ignored) config.isa = getenv("MLPL_ISA");
  config.index_base = 1;
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
  s->L = s->main = lua_tothread(L, -1);
  lua_pop(L, 1);
  s->seed = (lua_Integer)config.seed;
  mlpl_status status = mlpl_open(&s->cx, &config);
  lua_pop(L, 1);
  return status;
}

static void cannot_open(lua_State *L, mlpl_status status) {
  const char *isa = getenv("MLPL_ISA");
  if (status == MLPL_ENOMEM) luaL_error(L, "mlpl: not enough memory to open a context");
  if (isa)
    luaL_error(L,
        "mlpl: MLPL_ISA is '%s'; it must be one of base, avx2, avx512 that this machine "
        "runs",
        isa);
  luaL_error(L,
      "mlpl: cannot open a context: the host's configuration is wrong (threads 0 to 256; "
      "isa base, avx2 or avx512, "
      "as this machine runs)");
}

mlplb_state *mlplb_state_push(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &state_key) == LUA_TUSERDATA)
    return lua_touserdata(L, -1);
  lua_pop(L, 1);
  mlplb_state *s = lua_newuserdatauv(L, sizeof *s, MLPLB_STATE_VALUES);
  memset(s, 0, sizeof *s);
  s->soft_limit = ROOM_LEAST;
  s->print = mlplb_print_standard;
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, state_gc);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  mlpl_status status = open_context(L, s);
  if (status != MLPL_OK) cannot_open(L, status);
  mlplb_boxes_open(L);
  mlplb_anchors_open(L);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &state_key);
  return s;
}

mlplb_state *mlplb_state_of(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &state_key);
  mlplb_state *s = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return s;
}

mlpl_ctx *mlpl_lua_context(lua_State *L) {
  const mlplb_state *s = mlplb_state_of(L);
  return s ? s->cx : NULL;
}

void mlplb_push_upvalues(lua_State *L) {
  mlplb_state_push(L);
  luaL_getmetatable(L, mlplb_type_name[MLPLB_TENSOR]);
}

void mlplb_setfuncs(lua_State *L, const luaL_Reg *functions) {
  mlplb_push_upvalues(L);
  luaL_setfuncs(L, functions, MLPLB_UPVALUES);
}

/* ---- errors ------------------------------------------------------------------------ */

/* A Lua function's error waits in the state's user value. */
static bool push_callback_error(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &state_key);
  bool found = lua_getiuservalue(L, -1, MLPLB_STATE_ERROR) != LUA_TNIL;
  lua_pushnil(L);
  lua_setiuservalue(L, -3, MLPLB_STATE_ERROR);
  lua_remove(L, -2);
  if (!found) lua_pop(L, 1);
  return found;
}

bool mlplb_is_ours(const lua_Debug *d) {
  return strncmp(d->source, "@scripts/mlpl/", sizeof "@scripts/mlpl/" - 1) == 0;
}

void mlplb_where(lua_State *L) {
  lua_Debug d;
  bool ours = false;
  for (int level = 1; lua_getstack(L, level, &d); level++) {
    lua_getinfo(L, "Sl", &d);
    if (d.currentline > 0 && !mlplb_is_ours(&d)) {
      lua_pushfstring(L, "%s:%d: ", d.short_src, d.currentline);
      return;
    }
    if (d.currentline > 0) ours = true;
    if (!ours) break;
  }
  lua_pushliteral(L, "");
}

int mlplb_raise(lua_State *L, mlplb_state *s) {
  /* one that a host's own call left behind is none of ours */
  if (push_callback_error(L)) {
    if (strcmp(mlpl_error(s->cx), MLPLB_LUA_FAILED) == 0) return lua_error(L);
    lua_pop(L, 1);
  }
  mlplb_where(L);
  lua_pushstring(L, mlpl_error(s->cx));
  lua_concat(L, 2);
  return lua_error(L);
}

int mlplb_raise_as(lua_State *L, mlplb_state *s, const char *what) {
  if (strcmp(mlpl_error(s->cx), MLPLB_LUA_FAILED) != 0) mlpl_error_of(s->cx, what);
  return mlplb_raise(L, s);
}

static const char *code_name(mlpl_status status) {
  switch (status) {
    case MLPL_EIO: return "EIO";
    case MLPL_EFORMAT: return "EFORMAT";
    default: return NULL;
  }
}

int mlplb_outside(lua_State *L, mlplb_state *s, mlpl_status status) {
  const char *code = code_name(status);
  if (!code) return mlplb_raise(L, s);
  luaL_pushfail(L);
  lua_pushstring(L, mlpl_error(s->cx));
  lua_pushstring(L, code);
  return 3;
}

/* ---- memory ------------------------------------------------------------------------ */

/*
** A collection takes time by the size of Lua's own heap, so that decides how much garbage
** may gather between two, not what is live. Little, since memory that is used again soon
** is still in the processor's caches: a step of a small net takes half the time with 1 MB
** that it takes with 64 MB. Lua's own pace will not do: values with finalizers outlive a
** cycle, so each cycle starts later than the one before.
**
** The first rounds gather more than later ones ever will: then there are blocks of every
** size, wherever in a training step a later round ends, and a loop in its stride asks the
** host for nothing.
*/
void mlplb_pressure(lua_State *L, mlplb_state *s) {
  if (mlpl_memory_use(s->cx).live <= s->soft_limit) return;
  /* stopped by the script, or in a finalizer */
  if (lua_gc(L, LUA_GCISRUNNING) != 1) return;
  lua_gc(L, LUA_GCCOLLECT);
  size_t room = 1024 * (size_t)lua_gc(L, LUA_GCCOUNT); /* as much as Lua has */
  room = room < ROOM_LEAST ? ROOM_LEAST : room > ROOM_MOST ? ROOM_MOST : room;
  if (s->rounds < FIRST_ROUNDS) {
    s->rounds++;
    room += room / 4;
  }
  s->soft_limit = mlpl_memory_use(s->cx).live + room;
}

bool mlplb_again(lua_State *L, mlplb_state *s, mlpl_status status, int *tries) {
  if (status != MLPL_ENOMEM || (*tries)++) return false;
  lua_gc(L, LUA_GCCOLLECT);
  mlpl_memory_trim(s->cx);
  return true;
}

/* ---- types ------------------------------------------------------------------------- */

static int no_new_field(lua_State *L) {
  const char *type = lua_tostring(L, lua_upvalueindex(1));
  return luaL_error(L, "a %s has no field %s that can be set", type, mlplb_shown(L, 2));
}

/* __pairs: Lua's own message would name an iterator that is not in the script. */
static int no_pairs(lua_State *L) {
  const char *type = lua_tostring(L, lua_upvalueindex(1));
  const bool tensor = strcmp(type, mlplb_type_name[MLPLB_TENSOR]) == 0;
  return luaL_error(L, "pairs goes through tables; this is a %s%s", type,
      tensor ? ": for i = 1, #x goes through it, x:totable() makes a table of it" : "");
}

bool mlplb_push_method(lua_State *L) {
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(MLPLB_UPVALUES + 1)) != LUA_TNIL) return true;
  lua_pop(L, 1);
  return false;
}

/* Push what the Lua half says of a name that `whose` methods (upvalue 3) lack, or "". */
static void push_hint(lua_State *L, const char *whose) {
  int top = lua_gettop(L);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &hint_key) == LUA_TFUNCTION) {
    lua_pushvalue(L, 2);
    lua_pushstring(L, whose);
    lua_pushvalue(L, lua_upvalueindex(MLPLB_UPVALUES + 1));
    if (lua_pcall(L, 3, 1, 0) == LUA_OK && lua_type(L, -1) == LUA_TSTRING) return;
  }
  lua_settop(L, top);
  lua_pushliteral(L, "");
}

int mlplb_no_field(lua_State *L, const char *whose) {
  const char *name = mlplb_shown(L, 2);
  mlplb_where(L);
  lua_pushfstring(L, "%s has no field or method %s", whose, name);
  push_hint(L, whose);
  lua_concat(L, 3);
  return lua_error(L);
}

int mlplb_method(lua_State *L, const char *type) {
  if (mlplb_push_method(L)) return 1;
  return mlplb_no_field(
      L, lua_pushfstring(L, "%s %s", strchr("AEIOU", *type) ? "an" : "a", type));
}

/* _on_missing(function(name, whose, methods) return "; did you mean ...?" end) */
int mlplb_on_missing(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &hint_key);
  return 0;
}

void mlplb_new_type(lua_State *L, mlplb_type type, const luaL_Reg *meta,
    const luaL_Reg *methods, lua_CFunction index, lua_CFunction release) {
  luaL_newmetatable(L, mlplb_type_name[type]);
  mlplb_state_push(L)->meta[type] = lua_topointer(L, -2);
  lua_pop(L, 1);
  lua_pushstring(L, mlplb_type_name[type]);
  lua_pushcclosure(L, no_new_field, 1);
  lua_setfield(L, -2, "__newindex"); /* meta may have a better one */
  lua_pushstring(L, mlplb_type_name[type]);
  lua_pushcclosure(L, no_pairs, 1);
  lua_setfield(L, -2, "__pairs");
  mlplb_setfuncs(L, meta);
  const luaL_Reg end[] = {{"__gc", mlplb_collect}, {"__close", release}, {NULL, NULL}};
  mlplb_setfuncs(L, end);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable"); /* scripts cannot take it off */
  mlplb_push_upvalues(L);
  lua_createtable(L, 0, 0);
  mlplb_setfuncs(L, methods);
  mlplb_push_upvalues(L);
  lua_pushboolean(L, 1); /* upvalue 3, which says that it is the method */
  lua_pushcclosure(L, release, MLPLB_UPVALUES + 1);
  lua_setfield(L, -2, "release");
  lua_pushvalue(L, -1);
  lua_insert(L, -5); /* below the metatable: the methods, for the caller */
  lua_pushcclosure(L, index, MLPLB_UPVALUES + 1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

/* The metatable's __index keeps them. */
void mlplb_push_methods(lua_State *L, const char *type_name) {
  lua_pushstring(L, type_name);
  if (lua_rawget(L, LUA_REGISTRYINDEX) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_pushnil(L);
    return;
  }
  lua_getfield(L, -1, "__index");
  lua_getupvalue(L, -1, MLPLB_UPVALUES + 1);
  lua_replace(L, -3);
  lua_pop(L, 1);
}
