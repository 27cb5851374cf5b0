/* What a script needs to know before it redraws a line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bind.h"

static int check_descriptor(lua_State *L) {
  if (lua_isinteger(L, 1)) {
    lua_Integer fd = lua_tointeger(L, 1);
    luaL_argcheck(L, fd >= 0 && fd <= 0xffff, 1, "no such file descriptor");
    return (int)fd;
  }
  luaL_Stream *file = luaL_checkudata(L, 1, LUA_FILEHANDLE);
  luaL_argcheck(L, file->closef != NULL, 1, "the file is closed");
  return fileno(file->f);
}

/*
** terminal(file): the width in columns of the terminal that a file, or a descriptor's
** number, writes to; nil if it is none, or one that cannot go back to the start of a
** line.
*/
int mlplb_terminal(lua_State *L) {
  mlplb_at_most(L, "terminal", 1);
  int fd = check_descriptor(L);
  const char *term = getenv("TERM");
  if (!isatty(fd) || term == NULL || strcmp(term, "dumb") == 0) {
    lua_pushnil(L);
    return 1;
  }
  struct winsize size;
  int known = ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  lua_pushinteger(L, known ? size.ws_col : 80);
  return 1;
}
