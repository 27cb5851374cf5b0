/*
** A program with a Lua of its own, in which scripts can say: local mlpl = require "mlpl"
**
**   lua_host examples/digits.lua --epochs 3
**
**   cc lua_host.c -lmlpl_lua -lmlpl -llua5.4 -lz -lm -lpthread
*/
#include "mlpl_lua.h"

#include "lauxlib.h"
#include "lualib.h"

#include <stdio.h>

int main(int argc, char **argv) {
  lua_State *L = luaL_newstate();
  if (!L || argc < 2) return fprintf(stderr, "usage: lua_host SCRIPT [ARGUMENT...]\n"), 2;
  luaL_openlibs(L);
  mlpl_openlib(L);

  lua_createtable(L, argc - 2, 2); /* the script's `arg` */
  for (int i = 0; i < argc; i++) {
    lua_pushstring(L, argv[i]);
    lua_rawseti(L, -2, i - 1);
  }
  lua_setglobal(L, "arg");

  lua_settop(L, 0);
  lua_pushcfunction(L, mlpl_traceback); /* errors come with the lines that led to them */
  int failed = luaL_loadfile(L, argv[1]) || lua_pcall(L, 0, 0, 1);
  if (failed) fprintf(stderr, "lua_host: %s\n", lua_tostring(L, -1));
  lua_close(L);
  return failed ? 1 : 0;
}
