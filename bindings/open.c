/* Opening the library: the table, its C half, and the scripts that add the Lua half. */
#include "bind.h"
#include "scripts.h"

#include <string.h>

/* ---- functions of the table itself ------------------------------------------------- */

/* mlpl.seed(n); mlpl.seed() gives the seed that was last set */
static int seed(lua_State *L) {
  mlplb_at_most(L, "seed", 1);
  mlplb_state *s = mlplb_get(L);
  if (!lua_isnoneornil(L, 1)) {
    s->seed = mlplb_whole(L, 1, "seed", "the seed");
    mlpl_seed(s->cx, (uint64_t)s->seed);
  }
  lua_pushinteger(L, s->seed);
  return 1;
}

/* mlpl.threads(n); mlpl.threads() gives the present number */
static int threads(lua_State *L) {
  mlplb_at_most(L, "threads", 1);
  mlplb_state *s = mlplb_get(L);
  if (!lua_isnoneornil(L, 1)) {
    lua_Integer n = mlplb_whole(L, 1, "threads", "n");
    if (mlpl_set_threads(s->cx, n < -1 || n > 1 << 20 ? -1 : (int)n) != MLPL_OK)
      return mlplb_raise(L, s);
  }
  lua_pushinteger(L, mlpl_threads(s->cx));
  return 1;
}

static int isa(lua_State *L) {
  mlplb_at_most(L, "isa", 0);
  lua_pushstring(L, mlpl_isa(mlplb_get(L)->cx));
  return 1;
}

static int clock_(lua_State *L) {
  mlplb_at_most(L, "clock", 0);
  lua_pushnumber(L, mlpl_clock());
  return 1;
}

static void set_bytes(lua_State *L, const char *name, size_t bytes) {
  lua_pushinteger(L, (lua_Integer)bytes);
  lua_setfield(L, -2, name);
}

/* mlpl.memory(): bytes live, at the peak, cached; the limit (0: none); requests made of
   the allocator */
static int memory(lua_State *L) {
  mlplb_at_most(L, "memory", 0);
  mlpl_memory m = mlpl_memory_use(mlplb_get(L)->cx);
  lua_createtable(L, 0, 5);
  set_bytes(L, "live", m.live);
  set_bytes(L, "peak", m.peak);
  set_bytes(L, "cached", m.cached);
  set_bytes(L, "limit", m.limit);
  set_bytes(L, "requests", m.requests);
  return 1;
}

/* mlpl.memory_limit(bytes): 0 for none */
static int memory_limit(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  if (!lua_isnoneornil(L, 1)) {
    lua_Integer n = mlplb_whole(L, 1, "memory_limit", "bytes");
    if (n < 0)
      return luaL_error(L, "memory_limit: %I bytes; it must be 0 (none) or more", n);
    mlpl_memory_set_limit(s->cx, (size_t)n);
  }
  lua_pushinteger(L, (lua_Integer)mlpl_memory_use(s->cx).limit);
  return 1;
}

static int is_grad_enabled(lua_State *L) {
  mlplb_at_most(L, "is_grad_enabled", 0);
  lua_pushboolean(L, mlpl_grad_enabled(mlplb_get(L)->cx));
  return 1;
}

/* ---- metrics ----------------------------------------------------------------------- */

/* metrics.accuracy(scores or labels, target): a share from 0 to 1 */
static int accuracy(lua_State *L) {
  mlplb_at_most(L, "accuracy", 2);
  mlplb_state *s = mlplb_get(L);
  double share;
  if (mlpl_accuracy(s->cx, &share, mlplb_check_tensor(L, 1), mlplb_check_tensor(L, 2)) !=
      MLPL_OK)
    return mlplb_raise_as(L, s, "accuracy");
  lua_pushnumber(L, share);
  return 1;
}

/* ---- scripts ----------------------------------------------------------------------- */

static const struct mlplb_script *find_script(const char *name) {
  for (const struct mlplb_script *s = mlplb_scripts; s->name; s++)
    if (strcmp(s->name, name) == 0) return s;
  return NULL;
}

/* Push the loaded chunk; text only, never bytecode. */
static void load_script(lua_State *L, const char *name) {
  const struct mlplb_script *s = find_script(name);
  if (!s) luaL_error(L, "mlpl has no script '%s'", name);
  if (luaL_loadbufferx(L, (const char *)s->bytes, s->size, s->chunk, "t") != LUA_OK)
    lua_error(L);
}

/* script("args"): run mlpl.args with the library's table (upvalue 3) and this function,
   and give its result. */
static int script(lua_State *L) {
  load_script(L, lua_pushfstring(L, "mlpl.%s", luaL_checkstring(L, 1)));
  lua_pushvalue(L, lua_upvalueindex(3));
  mlplb_push_upvalues(L);
  lua_pushvalue(L, lua_upvalueindex(3));
  lua_pushcclosure(L, script, MLPLB_UPVALUES + 1);
  lua_call(L, 2, 1);
  return 1;
}

/* The Lua half: scripts/mlpl/init.lua gets the table on top and the loader of the
   others. */
static void run_scripts(lua_State *L) {
  int table = lua_gettop(L);
  load_script(L, "mlpl");
  lua_pushvalue(L, table);
  mlplb_push_upvalues(L);
  lua_pushvalue(L, table);
  lua_pushcclosure(L, script, MLPLB_UPVALUES + 1);
  lua_call(L, 2, 0);
}

/* ---- the table --------------------------------------------------------------------- */

static const luaL_Reg functions[] = {{"seed", seed}, {"threads", threads}, {"isa", isa},
    {"clock", clock_}, {"memory", memory}, {"memory_limit", memory_limit},
    {"is_grad_enabled", is_grad_enabled}, {"terminal", mlplb_terminal},
    {"einsum", mlplb_einsum}, {"tensordot", mlplb_tensordot}, {NULL, NULL}};

static void open_metrics(lua_State *L) {
  static const luaL_Reg metrics[] = {{"accuracy", accuracy}, {NULL, NULL}};
  lua_createtable(L, 0, 1);
  mlplb_setfuncs(L, metrics);
}

int luaopen_mlpl(lua_State *L) {
  luaL_checkversion(L);
  mlplb_open_tensor(L);
  lua_createtable(L, 0, 32);
  lua_pushliteral(L, "mlpl " MLPL_VERSION);
  lua_setfield(L, -2, "_VERSION");
  lua_pushliteral(L, MLPL_VERSION);
  lua_setfield(L, -2, "version");
  mlplb_setfuncs(L, functions);
  mlplb_open_create(L);
  mlplb_open_sequences(L);
  mlplb_open_shapes(L);
  mlplb_open_grad(L);
  mlplb_open_generators(L);
  mlplb_open_draws(L);
  mlplb_open_files(L);
  mlplb_open_print(L);
  mlplb_open_nn(L);
  lua_setfield(L, -2, "nn");
  mlplb_open_optim(L);
  lua_setfield(L, -2, "optim");
  mlplb_open_data(L);
  lua_setfield(L, -2, "data");
  mlplb_open_group(L, "linalg");
  lua_setfield(L, -2, "linalg");
  mlplb_open_step(L);
  mlplb_open_profile(L);
  mlplb_open_functions(L);
  mlplb_open_describe(L);
  open_metrics(L);
  lua_setfield(L, -2, "metrics");
  run_scripts(L);
  return 1;
}

void mlpl_openlib(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, luaopen_mlpl);
  lua_setfield(L, -2, "mlpl");
  lua_pop(L, 1);
}
