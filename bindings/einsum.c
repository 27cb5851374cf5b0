/* mlpl.einsum(equation, operand, ...) */
#include "bind.h"

#include <string.h>

#define MOST 16 /* operands, as in the engine */

int mlplb_einsum(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  mlpl_tensor *in[MOST], *out = NULL;
  size_t length;
  int n = lua_gettop(L) - 1, tries = 0;
  luaL_checktype(L, 1, LUA_TSTRING);
  const char *equation = lua_tolstring(L, 1, &length);
  luaL_argcheck(L, strlen(equation) == length, 1, "an equation cannot hold a zero byte");
  if (n < 1 || n > MOST)
    return luaL_error(L, "einsum: %d operands; it takes 1 to %d", n, MOST);
  for (int i = 0; i < n; i++) in[i] = mlplb_check_tensor(L, i + 2);
  mlplb_pressure(L, s);
  mlplb_box *box = mlplb_tensor_box(L);
  mlpl_status status;
  do status = mlpl_einsum(s->cx, &out, equation, in, n);
  while (mlplb_again(L, s, status, &tries));
  box->object = out;
  return status == MLPL_OK ? 1 : mlplb_raise(L, s);
}
