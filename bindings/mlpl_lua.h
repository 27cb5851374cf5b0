/*
** mlpl in a host's own Lua 5.4 state. Link libmlpl_lua.a and libmlpl.a.
**
**   lua_State *L = luaL_newstate();
**   luaL_openlibs(L);
**   mlpl_openlib(L);                        -- now scripts can say: local mlpl = require "mlpl"
**
** A state has one context, which lua_close closes.
*/
#ifndef MLPL_LUA_H
#define MLPL_LUA_H

#include "mlpl.h"

#include "lua.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Open the library and leave its table on the stack, as require calls it. Raises on a Lua
   that is not 5.4 and on exhausted memory. */
MLPL_API int luaopen_mlpl(lua_State *L);

/* Make `require "mlpl"` work (package.preload); nothing is opened before a script
   asks. */
MLPL_API void mlpl_openlib(lua_State *L);

/*
** How the state's context is to be made: its allocator, limit, threads. Call before the
** library is opened; the structures are copied (the text of isa is borrowed). index_base
** is 1 in Lua whatever it says. Raises when the library is open already.
*/
MLPL_API void mlpl_lua_configure(lua_State *L, const mlpl_config *config);

/* The state's context, or NULL when the library is not open. */
MLPL_API mlpl_ctx *mlpl_lua_context(lua_State *L);

/*
** A message handler for lua_pcall: the message with a traceback. Of an error in a function
** that the engine called (a layer, a hook, a Function) it begins there, where the outer
** call raises the message alone.
*/
MLPL_API int mlpl_traceback(lua_State *L);

/* Push t (a NULL pointer as nil); the same tensor is the same Lua value. Borrows t.
   Raises on exhausted memory. */
MLPL_API void mlpl_lua_push_tensor(lua_State *L, mlpl_tensor *t);
/* The tensor, or the module, at a stack index, borrowed; raises an argument error when
   there is none. */
MLPL_API mlpl_tensor *mlpl_lua_check_tensor(lua_State *L, int arg);
MLPL_API mlpl_module *mlpl_lua_check_module(lua_State *L, int arg);

#ifdef __cplusplus
}
#endif

#endif
