/*
** Generators of random numbers beside the state's own, and their states as text.
**
** A generator lends its state to the context for the time of an engine call. Its text
** holds the seed as well, so that it survives a file whole.
*/
#include "bind.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define GENERATOR "mlpl.Generator"

struct mlplb_generator {
  mlpl_random_state state;
  lua_Integer seed;
};

/* ---- lending ----------------------------------------------------------------------- */

/* The option `generator` of the table at index, or NULL: the state's own. Pushes it. */
mlplb_generator *mlplb_generator_at(lua_State *L, int options, const char *what) {
  if (mlplb_get_option(L, options, "generator") == LUA_TNIL) return NULL;
  mlplb_generator *g = luaL_testudata(L, -1, GENERATOR);
  if (!g)
    luaL_error(
        L, "%s: generator is %s; it must be a mlpl.Generator", what, mlplb_shown(L, -1));
  return g;
}

/* The context takes the generator's state and gives its own; twice: as before. */
void mlplb_generator_swap(mlplb_state *s, mlplb_generator *g) {
  if (!g) return;
  mlpl_random_state own = mlpl_random_get(s->cx);
  mlpl_random_set(s->cx, g->state);
  g->state = own;
}

/* ---- states as text ---------------------------------------------------------------- */

/* "philox4x32-10 seed key0 key1 counter" */
#define FORM "philox4x32-10"

static int push_state(lua_State *L, mlpl_random_state state, lua_Integer seed) {
  char text[96];
  snprintf(text, sizeof text, FORM " %lld %08" PRIx32 " %08" PRIx32 " %016" PRIx64,
      (long long)seed, state.key[0], state.key[1], state.counter);
  lua_pushstring(L, text);
  return 1;
}

/* Believed only when it is what push_state writes for these numbers. */
static mlpl_random_state check_state(
    lua_State *L, int arg, const char *what, lua_Integer *seed) {
  mlpl_random_state state;
  long long number = 0;
  size_t n = 0;
  const char *text = lua_type(L, arg) == LUA_TSTRING ? lua_tolstring(L, arg, &n) : "";
  bool good = n < 96 &&
      sscanf(text, FORM " %lld %" SCNx32 " %" SCNx32 " %" SCNx64, &number, &state.key[0],
          &state.key[1], &state.counter) == 4;
  if (good) {
    push_state(L, state, number);
    good = lua_rawequal(L, -1, arg);
    lua_pop(L, 1);
  }
  if (!good)
    luaL_error(L, "%s: %s is not a generator's state", what, mlplb_shown(L, arg));
  *seed = number;
  return state;
}

/* mlpl.get_rng_state(), mlpl.set_rng_state(state) */
static int get_rng_state(lua_State *L) {
  const mlplb_state *s = mlplb_get(L);
  mlplb_at_most(L, "get_rng_state", 0);
  return push_state(L, mlpl_random_get(s->cx), s->seed);
}

static int set_rng_state(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  mlplb_at_most(L, "set_rng_state", 1);
  mlpl_random_state state = check_state(L, 1, "set_rng_state", &s->seed);
  mlpl_random_set(s->cx, state);
  return 0;
}

/* ---- generators -------------------------------------------------------------------- */

static mlplb_generator *check(lua_State *L) { return luaL_checkudata(L, 1, GENERATOR); }

static void seed_it(mlplb_state *s, mlplb_generator *g, lua_Integer seed) {
  mlpl_random_state own = mlpl_random_get(s->cx);
  mlpl_seed(s->cx, (uint64_t)seed);
  g->state = mlpl_random_get(s->cx);
  g->seed = seed;
  mlpl_random_set(s->cx, own);
}

/* mlpl.Generator(seed) */
static int new_generator(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  mlplb_at_most(L, "Generator", 1);
  lua_Integer seed = lua_isnoneornil(L, 1) ? 0
                                           : mlplb_whole(L, 1, "Generator", "the seed");
  mlplb_generator *g = lua_newuserdatauv(L, sizeof *g, 0);
  seed_it(s, g, seed);
  luaL_setmetatable(L, GENERATOR);
  return 1;
}

/* g:seed(n) seeds it anew and gives n; g:seed() gives the seed that was last set */
static int generator_seed(lua_State *L) {
  mlplb_generator *g = check(L);
  mlplb_at_most(L, "seed", 2);
  if (!lua_isnoneornil(L, 2))
    seed_it(mlplb_get(L), g, mlplb_whole(L, 2, "seed", "the seed"));
  lua_pushinteger(L, g->seed);
  return 1;
}

/* PyTorch's: g itself */
static int generator_manual_seed(lua_State *L) {
  mlplb_generator *g = check(L);
  mlplb_at_most(L, "manual_seed", 2);
  seed_it(mlplb_get(L), g, mlplb_whole(L, 2, "manual_seed", "the seed"));
  lua_settop(L, 1);
  return 1;
}

static int generator_initial_seed(lua_State *L) {
  mlplb_at_most(L, "initial_seed", 1);
  lua_pushinteger(L, check(L)->seed);
  return 1;
}

static int generator_state_as(lua_State *L, const char *what) {
  const mlplb_generator *g = check(L);
  mlplb_at_most(L, what, 1);
  return push_state(L, g->state, g->seed);
}

static int generator_state(lua_State *L) { return generator_state_as(L, "state"); }
static int generator_get_state(lua_State *L) {
  return generator_state_as(L, "get_state");
}

static int generator_set_state(lua_State *L) {
  mlplb_generator *g = check(L);
  mlplb_at_most(L, "set_state", 2);
  mlpl_random_state state = check_state(L, 2, "set_state", &g->seed);
  g->state = state;
  lua_settop(L, 1);
  return 1;
}

static int generator_tostring(lua_State *L) {
  lua_pushfstring(L, "Generator(%I)", check(L)->seed);
  return 1;
}

static int generator_index(lua_State *L) { return mlplb_method(L, "generator"); }

static int no_field(lua_State *L) {
  return luaL_error(L, "a generator has no field %s that can be set", mlplb_shown(L, 2));
}

static void open_generator(lua_State *L) {
  static const luaL_Reg meta[] = {
      {"__tostring", generator_tostring}, {"__newindex", no_field}, {NULL, NULL}};
  static const luaL_Reg methods[] = {{"seed", generator_seed},
      {"manual_seed", generator_manual_seed}, {"initial_seed", generator_initial_seed},
      {"state", generator_state}, {"get_state", generator_get_state},
      {"set_state", generator_set_state}, {NULL, NULL}};
  luaL_newmetatable(L, GENERATOR);
  mlplb_setfuncs(L, meta);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  mlplb_push_upvalues(L);
  lua_createtable(L, 0, 8);
  mlplb_setfuncs(L, methods);
  lua_pushcclosure(L, generator_index, MLPLB_UPVALUES + 1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

void mlplb_open_generators(lua_State *L) {
  static const luaL_Reg functions[] = {{"Generator", new_generator},
      {"get_rng_state", get_rng_state}, {"set_rng_state", set_rng_state}, {NULL, NULL}};
  open_generator(L);
  mlplb_setfuncs(L, functions);
}
