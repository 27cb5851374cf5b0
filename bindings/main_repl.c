/*
** The interactive mode: read a chunk, run it, print what it returns. Here, and only here,
** are the library's tables global.
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lauxlib.h"
#include "lua.h"

#include "main.h"

/* ---- completion -------------------------------------------------------------------- */

/*
** Push where a value looks for what it does not have, if that is a table. The library's
** types have functions there, which keep their methods as an upvalue (mlplb_new_type).
*/
static bool push_index(lua_State *L) {
  if (luaL_getmetafield(L, -1, "__index") == LUA_TNIL) return false;
  if (lua_iscfunction(L, -1) && lua_getupvalue(L, -1, 3) != NULL) lua_remove(L, -2);
  return true;
}

/* Replace the value on top by its member, found without running any code; false: none. */
static bool step_into(lua_State *L, const char *name, size_t length) {
  luaL_checkstack(L, 4, NULL);
  int value = lua_gettop(L);
  lua_pushvalue(L, value);
  while (!lua_isnil(L, -1)) {
    if (lua_istable(L, -1)) {
      lua_pushlstring(L, name, length);
      if (lua_rawget(L, -2) != LUA_TNIL) {
        lua_replace(L, value);
        lua_settop(L, value);
        return true;
      }
      lua_pop(L, 1);
    }
    if (lua_gettop(L) > value + 100 || !push_index(L)) break;
  }
  lua_settop(L, value);
  return false;
}

static bool is_name(const char *text) {
  static const char letters[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
  for (const char *c = text; *c != '\0'; c++)
    if (strchr(letters, *c) == NULL) return false;
  return true;
}

/* Add prefix .. key to the table at `out` for every key of the table on top that fits. */
static void add_names(lua_State *L, int out, const char *prefix, const char *start) {
  size_t n = strlen(start);
  lua_pushnil(L);
  while (lua_next(L, -2) != 0) {
    lua_pop(L, 1);
    if (lua_type(L, -1) != LUA_TSTRING) continue;
    const char *key = lua_tostring(L, -1);
    bool hidden = key[0] == '_' && start[0] != '_';
    if (strncmp(key, start, n) == 0 && is_name(key) && !hidden) {
      lua_pushfstring(L, "%s%s", prefix, key);
      lua_pushboolean(L, 1);
      lua_rawset(L, out);
    }
  }
}

/* complete(text): an array of the names that begin with text, sorted. */
static int names_of(lua_State *L) {
  const char *text = luaL_checkstring(L, 1);
  lua_newtable(L); /* 2: a set of what was found */
  lua_pushglobaltable(L);
  const char *rest = text, *dot;
  while ((dot = strpbrk(rest, ".:")) != NULL) {
    if (!step_into(L, rest, (size_t)(dot - rest))) break;
    rest = dot + 1;
  }
  if (dot == NULL) {
    const char *prefix = lua_pushlstring(L, text, (size_t)(rest - text));
    lua_insert(L, -2);
    for (int depth = 0; depth < 100; depth++) { /* up the chain of __index tables */
      luaL_checkstack(L, 6, NULL);
      if (lua_istable(L, -1)) add_names(L, 2, prefix, rest);
      if (!push_index(L)) break;
    }
  }
  lua_settop(L, 2);

  lua_newtable(L); /* 3: the same, as an array */
  lua_pushnil(L);
  for (lua_Integer i = 1; lua_next(L, 2) != 0; i++) {
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_rawseti(L, 3, i);
  }
  return 1;
}

static size_t common_length(const char *a, const char *b) {
  size_t n = 0;
  while (a[n] != '\0' && a[n] == b[n]) n++;
  return n;
}

static char *copy(const char *text, size_t length) {
  char *mine = malloc(length + 1);
  if (mine != NULL) {
    memcpy(mine, text, length);
    mine[length] = '\0';
  }
  return mine;
}

/* The array of names on top, as the editing libraries want it. */
static char **as_matches(lua_State *L, size_t n) {
  char **matches = calloc(n + 2, sizeof *matches);
  for (size_t i = 1; matches != NULL && i <= n; i++) {
    lua_rawgeti(L, -1, (lua_Integer)i);
    const char *name = lua_tostring(L, -1);
    matches[i] = copy(name, strlen(name));
    lua_pop(L, 1);
  }
  if (matches == NULL) return NULL;
  bool complete = true;
  for (size_t i = 1; i <= n; i++) complete = complete && matches[i] != NULL;
  if (complete) {
    size_t length = strlen(matches[1]);
    for (size_t i = 2; i <= n; i++) {
      size_t common = common_length(matches[1], matches[i]);
      length = common < length ? common : length;
    }
    matches[0] = copy(matches[1], length);
  }
  if (matches[0] == NULL) {
    for (size_t i = 1; i <= n; i++) free(matches[i]);
    free(matches);
    return NULL;
  }
  return matches;
}

static char **complete(void *ud, const char *text) {
  lua_State *L = ud;
  int top = lua_gettop(L);
  char **matches = NULL;
  lua_pushcfunction(L, names_of);
  lua_pushstring(L, text);
  if (lua_pcall(L, 1, 1, 0) == LUA_OK && lua_rawlen(L, -1) > 0)
    matches = as_matches(L, lua_rawlen(L, -1));
  lua_settop(L, top);
  return matches;
}

/* ---- reading a chunk --------------------------------------------------------------- */

/* prompt(name, default): the raw global as text; strict environments must not stop us. */
static int prompt_text(lua_State *L) {
  lua_pushglobaltable(L);
  lua_pushvalue(L, 1);
  if (lua_rawget(L, -2) == LUA_TNIL) lua_pushvalue(L, 2);
  luaL_tolstring(L, -1, NULL);
  return 1;
}

static const char *push_prompt(lua_State *L, bool first) {
  const char *usual = first ? "> " : ">> ";
  lua_pushcfunction(L, prompt_text);
  lua_pushstring(L, first ? "_PROMPT" : "_PROMPT2");
  lua_pushstring(L, usual);
  if (lua_pcall(L, 2, 1, 0) != LUA_OK) {
    lua_pop(L, 1);
    lua_pushstring(L, usual);
  }
  return lua_tostring(L, -1);
}

/* Push the next line, if there is one. */
static mlplb_input push_line(lua_State *L, bool first) {
  char *line;
  size_t length;
  mlplb_input input = mlplb_edit_read(push_prompt(L, first), &line, &length);
  lua_pop(L, 1);
  if (input == MLPLB_LINE) {
    if (first && line[0] == '=') /* as Lua 5.2 had it; hands remember */
      lua_pushfstring(L, "return %s", line + 1);
    else
      lua_pushlstring(L, line, length);
    free(line);
  }
  return input;
}

static int load(lua_State *L, int index) {
  size_t length;
  const char *text = lua_tolstring(L, index, &length);
  return luaL_loadbufferx(L, text, length, "=stdin", "t");
}

/* The line at index 1 as an expression; leaves the function, or nothing. */
static bool load_expression(lua_State *L) {
  lua_pushfstring(L, "return %s", lua_tostring(L, 1));
  bool fine = load(L, -1) == LUA_OK;
  lua_remove(L, -2);
  if (!fine) lua_pop(L, 1);
  return fine;
}

static bool wants_more(lua_State *L, int status) {
  static const char mark[] = "<eof>";
  size_t n = sizeof mark - 1, length;
  if (status != LUA_ERRSYNTAX) return false;
  const char *message = lua_tolstring(L, -1, &length);
  return length >= n && strcmp(message + length - n, mark) == 0;
}

/*
** Read a chunk and load it: its text at index 1, the function or the error message above.
** While the compiler misses the end, more lines are asked for.
*/
static mlplb_input load_chunk(lua_State *L, int *status) {
  lua_settop(L, 0);
  mlplb_input input = push_line(L, true);
  if (input != MLPLB_LINE) return input;
  *status = LUA_OK;
  if (!load_expression(L)) {
    while (wants_more(L, *status = load(L, 1))) {
      input = push_line(L, false);
      if (input == MLPLB_CLEARED) return input;
      if (input == MLPLB_END) break; /* the message on top says what is missing */
      lua_remove(L, 2);
      lua_pushliteral(L, "\n");
      lua_insert(L, 2);
      lua_concat(L, 3);
    }
  }
  mlplb_edit_remember(lua_tostring(L, 1));
  return MLPLB_LINE;
}

/* ---- the loop ---------------------------------------------------------------------- */

/* Print what the chunk left on the stack, through whatever `print` is now. */
static void print_results(lua_State *L) {
  int n = lua_gettop(L);
  if (n == 0) return;
  luaL_checkstack(L, LUA_MINSTACK, "too many results to print");
  lua_getglobal(L, "print");
  lua_insert(L, 1);
  int status = mlplb_call(L, n, 0);
  if (status != LUA_OK) {
    lua_pushfstring(L, "error calling 'print' (%s)", lua_tostring(L, -1));
    mlplb_report(L, NULL, status);
  }
}

static int set_globals(lua_State *L) {
  lua_getglobal(L, "require");
  lua_pushliteral(L, "mlpl");
  lua_call(L, 1, 1);
  lua_pushglobaltable(L);
  /* A script that ran before us keeps what it has set. */
  static const char *const names[] = {"mlpl", "nn", "optim", "data"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    lua_pushstring(L, names[i]);
    bool taken = lua_rawget(L, 2) != LUA_TNIL;
    lua_settop(L, 2);
    if (taken) continue;
    lua_pushstring(L, names[i]);
    if (i == 0)
      lua_pushvalue(L, 1);
    else
      lua_getfield(L, 1, names[i]);
    lua_rawset(L, 2);
  }
  return 0;
}

void mlplb_repl(lua_State *L) {
  lua_settop(L, 0);
  lua_pushcfunction(L, set_globals);
  mlplb_report(L, NULL, mlplb_call(L, 0, 0));
  mlplb_edit_open(complete, L);
  mlplb_input input;
  int status = LUA_OK;
  while ((input = load_chunk(L, &status)) != MLPLB_END) {
    if (input == MLPLB_CLEARED) {
      putchar('\n');
      continue;
    }
    lua_remove(L, 1);
    if (status == LUA_OK) status = mlplb_call(L, 0, LUA_MULTRET);
    if (status == LUA_OK)
      print_results(L);
    else
      mlplb_report(L, NULL, status);
  }
  lua_settop(L, 0);
  putchar('\n');
  fflush(stdout);
}
