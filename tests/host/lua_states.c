/*
** Lua states: several in one process, each with the library and a context of its own, in
** turn, at once in threads, through the archive and through mlpl.so; on small stacks;
** with what a host configures.
*/
#define _POSIX_C_SOURCE 200809L
#include "mlpl_lua.h"

#include "lauxlib.h"
#include "lualib.h"

#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define THREADS 8
#define BITS 8192

/* Trains on the digits with the seed given, and returns the weights as a string. */
static const char script[] =
    "local mlpl = require 'mlpl'\n"
    "local nn = mlpl.nn\n"
    "mlpl.seed(...)\n"
    "local ds = assert(mlpl.data.csv('examples/data/digits.csv.gz', { labels = -1 }))\n"
    "local net = nn.Sequential { nn.Linear(64, 12), nn.ReLU(), nn.Linear(12, 10) }\n"
    "local opt = mlpl.optim.Adam(net:parameters(), { lr = 0.01 })\n"
    "for x, y in ds:batches { size = 64, shuffle = true } do\n"
    "  local loss = nn.cross_entropy(net(x), y)\n"
    "  opt:zero_grad()\n"
    "  loss:backward()\n"
    "  opt:step()\n"
    "end\n"
    "local out = {}\n"
    "for _, p in ipairs(net:parameters()) do\n"
    "  for _, v in ipairs(p:flatten(1):totable()) do out[#out + 1] = ('f'):pack(v) end\n"
    "end\n"
    "return table.concat(out)\n";

typedef struct job {
  lua_CFunction open;
  lua_Integer seed;
  size_t n;
  char bits[BITS], error[512];
} job;

/* A state's life. */
static void *run(void *arg) {
  job *j = arg;
  lua_State *L = luaL_newstate();
  j->n = 0;
  if (!L) return NULL;
  luaL_openlibs(L);
  luaL_requiref(L, "mlpl", j->open, 0);
  lua_pop(L, 1);
  if (luaL_loadstring(L, script) == LUA_OK) lua_pushinteger(L, j->seed);
  if (lua_gettop(L) == 2 && lua_pcall(L, 1, 1, 0) == LUA_OK) {
    const char *bits = lua_tolstring(L, -1, &j->n);
    if (j->n > BITS) j->n = 0;
    memcpy(j->bits, bits, j->n);
  }
  else snprintf(j->error, sizeof j->error, "%s", lua_tostring(L, -1));
  lua_close(L);
  return NULL;
}

static void check_same(const job *a, const job *b) {
  if (a->n == 0 || b->n == 0) fail_msg("%s%s", a->error, b->error);
  assert_int_equal(a->n, b->n);
  assert_memory_equal(a->bits, b->bits, a->n);
}

/* n threads at once, each with a state, against one after the other. */
static void together(int n, lua_CFunction open, size_t stack) {
  job *alone = calloc((size_t)n, sizeof *alone),
      *at_once = calloc((size_t)n, sizeof *at_once);
  pthread_t thread[THREADS];
  pthread_attr_t attr;
  assert_true(alone && at_once);
  assert_int_equal(pthread_attr_init(&attr), 0);
  if (stack) assert_int_equal(pthread_attr_setstacksize(&attr, stack), 0);
  for (int i = 0; i < n; i++) {
    alone[i].open = at_once[i].open = open;
    alone[i].seed = at_once[i].seed = i + 1;
    run(&alone[i]);
  }
  for (int i = 0; i < n; i++)
    assert_int_equal(pthread_create(&thread[i], &attr, run, &at_once[i]), 0);
  for (int i = 0; i < n; i++) assert_int_equal(pthread_join(thread[i], NULL), 0);
  pthread_attr_destroy(&attr);
  for (int i = 0; i < n; i++) check_same(&alone[i], &at_once[i]);
  free(alone);
  free(at_once);
}

static void two_states(void **state) {
  (void)state;
  together(2, luaopen_mlpl, 0);
}

static void eight_states(void **state) {
  (void)state;
  together(8, luaopen_mlpl, 0);
}

static void on_a_small_stack(void **state) {
  (void)state;
  together(1, luaopen_mlpl, (size_t)256 << 10);
}

/* The module brings an engine of its own; Lua's functions it finds in this program. */
static void two_states_through_the_module(void **state) {
  (void)state;
  const char *build = getenv("MLPL_BUILD"), *sanitizer = getenv("MLPL_SANITIZE");
  char path[512];
  lua_CFunction open;
  if (sanitizer && *sanitizer) {
    print_message("# a module made for a sanitizer is not loaded\n");
    skip();
  }
  snprintf(path, sizeof path, "%s/mlpl.so", build && *build ? build : "build/release");
  void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!module) fail_msg("%s", dlerror());
  *(void **)&open = dlsym(module, "luaopen_mlpl");
  assert_non_null(open);
  together(2, open, 0);
  job *ours = calloc(2, sizeof *ours);
  assert_non_null(ours);
  ours[0].open = luaopen_mlpl;
  ours[1].open = open;
  ours[0].seed = ours[1].seed = 1;
  run(&ours[0]);
  run(&ours[1]);
  check_same(&ours[0], &ours[1]);
  free(ours);
  dlclose(module);
}

/* Two states side by side in one thread do not see each other. */
static void states_are_separate(void **state) {
  (void)state;
  lua_State *a = luaL_newstate(), *b = luaL_newstate();
  assert_true(a && b);
  for (lua_State *L = a; L; L = L == a ? b : NULL) {
    luaL_openlibs(L);
    mlpl_openlib(L);
    assert_null(mlpl_lua_context(L));
    assert_int_equal(luaL_dostring(L, "mlpl = require 'mlpl'; mlpl.seed(9)"), LUA_OK);
  }
  assert_ptr_not_equal(mlpl_lua_context(a), mlpl_lua_context(b));
  assert_int_equal(
      luaL_dostring(a, "mlpl.threads(3) x = mlpl.randn(100) return x:sum():item()"),
      LUA_OK);
  assert_int_equal(
      luaL_dostring(b, "mlpl.threads(2) return mlpl.randn(100):sum():item()"), LUA_OK);
  assert_true(lua_tonumber(a, -1) == lua_tonumber(b, -1));
  assert_int_equal(mlpl_threads(mlpl_lua_context(a)), 3);
  assert_int_equal(mlpl_threads(mlpl_lua_context(b)), 2);
  lua_gc(a, LUA_GCCOLLECT);
  lua_gc(b, LUA_GCCOLLECT);
  assert_true(mlpl_memory_use(mlpl_lua_context(a)).live >
              mlpl_memory_use(mlpl_lua_context(b)).live);
  lua_close(b);
  assert_int_equal(luaL_dostring(a, "return (x * 2):numel()"), LUA_OK);
  lua_close(a);
}

/* ---- what a host says and gets ----------------------------------------------------- */

static int configure(lua_State *L) {
  char isa[] = "base"; /* gone when the library is opened */
  mlpl_lua_configure(
      L, &(mlpl_config){.threads = 3, .memory_limit = 8 << 20, .seed = 5, .isa = isa});
  memset(isa, 'x', sizeof isa - 1);
  return 0;
}

static void configured(void **state) {
  (void)state;
  lua_State *L = luaL_newstate();
  assert_non_null(L);
  luaL_openlibs(L);
  lua_pushcfunction(L, configure);
  assert_int_equal(lua_pcall(L, 0, 0, 0), LUA_OK);
  lua_gc(L, LUA_GCCOLLECT);
  mlpl_openlib(L);
  if (luaL_dostring(L,
          "local mlpl = require 'mlpl'\n"
          "assert(mlpl.threads() == 3 and mlpl.isa() == 'base' and mlpl.seed() == 5)\n"
          "assert(mlpl.memory_limit() == 8 << 20)\n"
          "local ok, message = pcall(mlpl.zeros, 2000, 2000)\n"
          "assert(not ok and message:find 'not enough memory')\n"
          "assert(mlpl.tensor({ 3, 5 }):argmax():item() == 2)")) /* indices count from 1
                                                                    all the same */
    fail_msg("%s", lua_tostring(L, -1));
  lua_pushcfunction(L, configure);
  assert_int_equal(lua_pcall(L, 0, 0, 0), LUA_ERRRUN);
  assert_non_null(strstr(lua_tostring(L, -1), "before the library is opened"));
  lua_close(L);
}

static int the_sum(lua_State *L) {
  mlpl_ctx *cx = mlpl_lua_context(L);
  mlpl_tensor *x = mlpl_lua_check_tensor(L, 1), *y;
  if (mlpl_call(cx, &y, "sum", &x, 1, NULL) != MLPL_OK)
    return luaL_error(L, "%s", mlpl_error(cx));
  mlpl_lua_push_tensor(L, y);
  mlpl_tensor_release(y);
  mlpl_lua_push_tensor(L, NULL);
  return 2;
}

/* Tensors and modules that go to the host and back; a tensor that the host holds outlives
 * the state. */
static void exchanged(void **state) {
  (void)state;
  lua_State *L = luaL_newstate();
  assert_non_null(L);
  luaL_openlibs(L);
  mlpl_openlib(L);
  lua_register(L, "the_sum", the_sum);
  if (luaL_dostring(L,
          "local mlpl = require 'mlpl'\n"
          "local x = mlpl.ones(3)\n"
          "local y, none = the_sum(x)\n"
          "assert(y:item() == 3 and none == nil)\n"
          "local ok, message = pcall(the_sum, 'x')\n"
          "assert(not ok and message:find 'mlpl.Tensor expected, got string', message)\n"
          "x:release()\n"
          "ok, message = pcall(the_sum, x)\n"
          "assert(not ok and message:find 'was released', message)\n"
          "return mlpl.full({ 4 }, 7), mlpl.nn.Linear(2, 3)"))
    fail_msg("%s", lua_tostring(L, -1));
  mlpl_tensor *kept = mlpl_tensor_retain(mlpl_lua_check_tensor(L, -2));
  mlpl_module *layer = mlpl_module_retain(mlpl_lua_check_module(L, -1));
  lua_close(L);
  assert_int_equal(mlpl_tensor_numel(kept), 4);
  assert_true(((const float *)mlpl_tensor_data(kept))[3] == 7);
  assert_int_equal(mlpl_module_n_parameters(layer), 2);
  mlpl_module_release(layer);
  mlpl_tensor_release(kept);
}

/* The message of an error in a function that the engine called, with the way to it; before
   and after the library is open a plain traceback. */
static void tracebacks(void **state) {
  (void)state;
  static const char *const scripts[] = {"local function fail() error('boo') end\nfail()",
      "local function fail() error('boo') end\nlocal nn = require('mlpl').nn\n"
      "nn.Sequential { function(x) fail() return x end }(require('mlpl').ones(1))"};
  lua_State *L = luaL_newstate();
  assert_non_null(L);
  luaL_openlibs(L);
  mlpl_openlib(L);
  for (int i = 0; i < 4; i++) {
    lua_settop(L, 0);
    lua_pushcfunction(L, mlpl_traceback);
    const char *chunk = scripts[i % 2];
    assert_int_equal(luaL_loadbuffer(L, chunk, strlen(chunk), "=host"), LUA_OK);
    assert_int_equal(lua_pcall(L, 0, 0, 1), LUA_ERRRUN);
    const char *text = lua_tostring(L, -1);
    const char start[] = "host:1: boo\nstack traceback:\n\t[C]: in function 'error'\n"
                         "\thost:1: in ";
    assert_memory_equal(text, start, sizeof start - 1);
    assert_non_null(strstr(text, i % 2 ? "host:3: in main chunk" : "host:2: in main chunk"));
    assert_null(strstr(strstr(text, "traceback") + 1, "traceback"));
  }
  lua_close(L);
}

/* A graph with Lua functions in it outlives the state: they are gone, which is an error. */
static void graphs_outlive_the_state(void **state) {
  (void)state;
  lua_State *L = luaL_newstate();
  assert_non_null(L);
  luaL_openlibs(L);
  mlpl_openlib(L);
  if (luaL_dostring(L,
          "local mlpl = require 'mlpl'\n"
          "mlpl.detect_anomaly(true)\n"
          "local F = mlpl.autograd.Function {\n"
          "  forward = function(_, x) return x * 2 end,\n"
          "  backward = function(_, g) return g * 2 end }\n"
          "local x = mlpl.ones(2, { requires_grad = true })\n"
          "local h = x * 3\n"
          "h:register_hook(function(g) return g end)\n"
          "return F(x):sum(), h:sum(), x:sum()"))
    fail_msg("%s", lua_tostring(L, -1));
  mlpl_ctx *cx = mlpl_lua_context(L);
  mlpl_tensor *y[3];
  for (int i = 0; i < 3; i++)
    y[i] = mlpl_tensor_retain(mlpl_lua_check_tensor(L, i - 3));
  lua_close(L);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(mlpl_backward(cx, y[i], NULL, 0), MLPL_ECALLBACK);
    assert_string_equal(
        mlpl_error(cx), "a Lua function was called after its state was closed");
  }
  assert_int_equal(mlpl_backward(cx, y[2], NULL, 0), MLPL_OK);
  for (int i = 0; i < 3; i++) mlpl_tensor_release(y[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(two_states),
      cmocka_unit_test(eight_states), cmocka_unit_test(on_a_small_stack),
      cmocka_unit_test(two_states_through_the_module),
      cmocka_unit_test(states_are_separate), cmocka_unit_test(configured),
      cmocka_unit_test(exchanged), cmocka_unit_test(tracebacks),
      cmocka_unit_test(graphs_outlive_the_state)};
  return cmocka_run_group_tests_name("lua_states", tests, NULL, NULL);
}
