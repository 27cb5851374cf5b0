/*
** Lua that the engine calls, and Lua values that it holds. Nothing may jump across an
** engine frame, so all that can raise runs under pcall; the error waits in the state's
** user value until the outer call is back in Lua.
*/
#include "bind.h"

#include <string.h>

/* ---- protected calls --------------------------------------------------------------- */

/* Push "train.lua:12: ", the innermost line of a script. */
static void push_line(lua_State *L) {
  lua_Debug d;
  for (int level = 1; lua_getstack(L, level, &d); level++) {
    lua_getinfo(L, "Sl", &d);
    if (d.currentline < 1 || mlplb_is_ours(&d)) continue;
    lua_pushfstring(L, "%s:%d: ", d.short_src, d.currentline);
    return;
  }
  lua_pushliteral(L, "");
}

/* Was what raises called by a C function? Then its message has no place in a script. */
static bool is_called_by_c(lua_State *L) {
  lua_Debug d;
  for (int level = 1; level <= 2; level++) {
    if (!lua_getstack(L, level, &d)) return false;
    lua_getinfo(L, "S", &d);
    if (*d.what != 'C') return false;
  }
  return true;
}

/* The engine's frames cannot be resumed. */
static bool is_of_a_yield(lua_State *L) {
  return strstr(lua_tostring(L, 1), "attempt to yield across") != NULL;
}

static void name_the_yield(lua_State *L) {
  const char *who = mlplb_state_push(L)->who;
  push_line(L);
  lua_pushfstring(L, "%s cannot yield: %s", who, lua_tostring(L, 1));
  lua_concat(L, 2);
  lua_replace(L, 1);
  lua_settop(L, 1);
}

/* The message at 1 begins with a line of the script. */
static void complete_message(lua_State *L) {
  push_line(L);
  lua_pushvalue(L, 1);
  lua_concat(L, 2);
  lua_replace(L, 1);
  lua_settop(L, 1);
}

/* Push the kept traceback of the message at 1, or nil. It must end with the stack as it is
   now: the outer call raises the message again below where it was raised first. */
static void push_kept(lua_State *L) {
  size_t all, outer = 0;
  mlplb_state_push(L);
  const int state = lua_gettop(L);
  lua_getiuservalue(L, state, MLPLB_STATE_MESSAGE);
  lua_getiuservalue(L, state, MLPLB_STATE_TRACE);
  bool kept = lua_rawequal(L, 1, -2) && lua_isstring(L, -1);
  if (kept) {
    luaL_traceback(L, L, NULL, 1);
    const char *trace = lua_tolstring(L, -2, &all), *now = lua_tostring(L, -1);
    now = strchr(now, '\n') ? strchr(now, '\n') : "";
    outer = strlen(now);
    kept = outer <= all && memcmp(trace + all - outer, now, outer) == 0;
    lua_pop(L, 1);
  }
  if (!kept) lua_pushnil(L);
  lua_replace(L, state);
  lua_settop(L, state);
}

static int note(lua_State *L, bool complete) {
  if (lua_type(L, 1) != LUA_TSTRING) return 1;
  push_kept(L);
  const bool known = !lua_isnil(L, -1);
  lua_settop(L, 1);
  if (known) return 1;
  if (is_of_a_yield(L))
    name_the_yield(L);
  else if (complete && is_called_by_c(L))
    complete_message(L);
  luaL_traceback(L, L, lua_tostring(L, 1), 1);
  mlplb_state_push(L);
  lua_insert(L, 1);
  lua_setiuservalue(L, 1, MLPLB_STATE_TRACE);
  lua_pushvalue(L, 2);
  lua_setiuservalue(L, 1, MLPLB_STATE_MESSAGE);
  return 1;
}

int mlplb_note_traceback(lua_State *L) { return note(L, true); }
static int note_alone(lua_State *L) { return note(L, false); }

int mlplb_call_through(lua_State *L, mlplb_state *s, const char *who) {
  const char *was = s->who;
  s->who = who;
  lua_pushcfunction(L, note_alone);
  lua_insert(L, 1);
  int failed = lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 1);
  lua_remove(L, 1);
  s->who = was;
  return failed;
}

/* An error with a __tostring speaks for itself; anything else gets a traceback. */
int mlpl_traceback(lua_State *L) {
  const char *message = lua_tostring(L, 1);
  lua_settop(L, 1);
  if (!message) {
    if (luaL_callmeta(L, 1, "__tostring") && lua_type(L, -1) == LUA_TSTRING) return 1;
    message = lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
  }
  else if (mlpl_lua_context(L)) {
    push_kept(L);
    if (!lua_isnil(L, -1)) return 1;
  }
  luaL_traceback(L, L, message, 1);
  return 1;
}

mlpl_status mlplb_call_back(
    mlplb_state *s, const char *who, lua_CFunction run, void *arg) {
  lua_State *L = s->L;
  const char *was = s->who;
  if (!lua_checkstack(L, 8))
    return mlpl_fail(s->cx, MLPL_ENOMEM, "%s: not enough memory for the Lua stack", who);
  int top = lua_gettop(L);
  s->who = who;
  lua_pushcfunction(L, mlplb_note_traceback);
  lua_pushcfunction(L, run);
  lua_pushlightuserdata(L, arg);
  int failed = lua_pcall(L, 1, 1, top + 1);
  mlpl_status status = MLPL_OK;
  if (failed && lua_isnil(L, -1)) /* a nil that waits says that there is none */
    lua_pushfstring(L, "%s raised an error that is nil", who);
  s->L = L;
  s->who = was;
  if (failed) {
    mlplb_state_push(L);
    lua_pushvalue(L, -2);
    lua_setiuservalue(L, -2, MLPLB_STATE_ERROR);
    status = mlpl_fail(s->cx, MLPL_ECALLBACK, MLPLB_LUA_FAILED);
  }
  else if (lua_type(L, -1) == LUA_TSTRING)
    status = mlpl_fail(s->cx, MLPL_EARG, "%s", lua_tostring(L, -1));
  lua_settop(L, top);
  return status;
}

const char *mlplb_function_text(lua_State *L, int index) {
  lua_Debug d;
  if (!lua_isfunction(L, index)) return lua_pushliteral(L, "it");
  lua_pushvalue(L, index);
  lua_getinfo(L, ">S", &d);
  if (d.linedefined < 1) return lua_pushliteral(L, "it");
  return lua_pushfstring(L, "the function at %s:%d", d.short_src, d.linedefined);
}

/* ---- values that the engine holds -------------------------------------------------- */

/* Lua's allocator made it, and outlives the state. The value is in the state's table of
   anchors, at the anchor's address. */
struct mlplb_anchor {
  lua_Alloc alloc;
  void *alloc_ud;
  mlplb_state *s; /* NULL: closed */
  mlplb_anchor *before, *next;
};

void mlplb_anchors_open(lua_State *L) {
  lua_createtable(L, 0, 0);
  lua_setiuservalue(L, -2, MLPLB_STATE_ANCHORS);
}

static void unlink_anchor(mlplb_anchor *a) {
  if (a->before)
    a->before->next = a->next;
  else if (a->s)
    a->s->anchors = a->next;
  if (a->next) a->next->before = a->before;
  a->before = a->next = NULL;
}

void mlplb_anchors_close(mlplb_state *s) {
  while (s->anchors) {
    mlplb_anchor *a = s->anchors;
    unlink_anchor(a);
    a->s = NULL;
  }
}

static void free_anchor(mlplb_anchor *a) { a->alloc(a->alloc_ud, a, sizeof *a, 0); }

/* Protected: put the value at 3 into the table at 1 under the address at 2. */
static int put_value(lua_State *L) {
  lua_rawsetp(L, 1, lua_touserdata(L, 2));
  return 0;
}

mlplb_anchor *mlplb_anchor_new(lua_State *L) {
  mlplb_state *s = mlplb_state_push(L);
  lua_getiuservalue(L, -1, MLPLB_STATE_ANCHORS);
  void *alloc_ud;
  lua_Alloc alloc = lua_getallocf(L, &alloc_ud);
  mlplb_anchor *a = alloc(alloc_ud, NULL, 0, sizeof *a);
  if (!a) {
    lua_gc(L, LUA_GCCOLLECT);
    a = alloc(alloc_ud, NULL, 0, sizeof *a);
  }
  if (!a) luaL_error(L, "not enough memory");
  *a = (mlplb_anchor){alloc, alloc_ud, NULL, NULL, NULL};
  lua_pushcfunction(L, put_value);
  lua_pushvalue(L, -2);
  lua_pushlightuserdata(L, a);
  lua_pushvalue(L, -6);
  if (lua_pcall(L, 3, 0, 0) != LUA_OK) {
    free_anchor(a);
    lua_error(L);
  }
  lua_pop(L, 3);
  a->s = s;
  a->next = s->anchors;
  if (a->next) a->next->before = a;
  s->anchors = a;
  return a;
}

/* Perhaps from a finalizer, in any thread. Nothing here allocates: the key exists. */
void mlplb_anchor_release(void *anchor) {
  mlplb_anchor *a = anchor;
  mlplb_state *s = a->s;
  if (s && lua_checkstack(s->main, 4)) {
    lua_State *L = s->main;
    mlplb_state_push(L);
    lua_getiuservalue(L, -1, MLPLB_STATE_ANCHORS);
    lua_pushnil(L);
    lua_rawsetp(L, -2, a);
    lua_pop(L, 2);
  }
  unlink_anchor(a);
  free_anchor(a);
}

mlplb_state *mlplb_anchor_state(mlpl_ctx *cx, const mlplb_anchor *a) {
  if (!a->s)
    mlpl_fail(cx, MLPL_ECALLBACK, "a Lua function was called after its state was closed");
  return a->s;
}

void mlplb_anchor_push(lua_State *L, const mlplb_anchor *a) {
  mlplb_state_push(L);
  lua_getiuservalue(L, -1, MLPLB_STATE_ANCHORS);
  lua_rawgetp(L, -1, a);
  lua_replace(L, -3);
  lua_pop(L, 1);
}
