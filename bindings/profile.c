/* The engine's profile for scripts/mlpl/profiler.lua, which measures peaks and prints. */
#include "bind.h"

static int profile_start(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  return mlpl_profile_start(s->cx) == MLPL_OK ? 0 : mlplb_raise(L, s);
}

static int profile_stop(lua_State *L) {
  mlpl_profile_stop(mlplb_get(L)->cx);
  return 0;
}

static void set_number(lua_State *L, const char *name, double v) {
  lua_pushnumber(L, v);
  lua_setfield(L, -2, name);
}

static void set_string(lua_State *L, const char *name, const char *v) {
  lua_pushstring(L, v);
  lua_setfield(L, -2, name);
}

/* An array of { layer, operation, pass, calls, seconds, bytes, flops }. */
static int profile_entries(lua_State *L) {
  const mlpl_ctx *cx = mlplb_get(L)->cx;
  int n = mlpl_profile_count(cx);
  lua_createtable(L, n, 0);
  for (int i = 0; i < n; i++) {
    const mlpl_profile_entry *e = mlpl_profile_at(cx, i);
    lua_createtable(L, 0, 7);
    set_string(L, "layer", e->layer);
    set_string(L, "operation", e->operation);
    set_string(L, "pass", e->pass);
    lua_pushinteger(L, (lua_Integer)e->calls);
    lua_setfield(L, -2, "calls");
    set_number(L, "seconds", e->seconds);
    set_number(L, "bytes", e->bytes);
    set_number(L, "flops", e->flops);
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

void mlplb_open_profile(lua_State *L) {
  static const luaL_Reg functions[] = {{"_profile_start", profile_start},
      {"_profile_stop", profile_stop}, {"_profile_entries", profile_entries},
      {NULL, NULL}};
  mlplb_setfuncs(L, functions);
}
