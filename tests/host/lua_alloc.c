/*
** Every allocation fails, in Lua, in the binding and in the engine: the n-th one, for all n,
** in a program that makes a state, opens the library, reads a table, trains a network,
** saves, loads and predicts. Each time it ends in a Lua error that says so (or in no state
** at all), leaves no temporary file, and the same state then does all of it with the right
** bits; when the state is closed nothing is left, and no block was overrun.
*/
#define _POSIX_C_SOURCE 200809L
#include "mlpl_lua.h"

#include "lauxlib.h"
#include "lualib.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* With an eager collector a run takes ten times as long: one point in five, others each time. */
#define SAMPLE 5

/* ---- the allocator of both --------------------------------------------------------- */

#define GUARD 16
#define FOREVER UINT64_MAX

typedef enum side { LUA = 1, ENGINE = 2, BOTH = 3 } side;

typedef struct heap {
  side counts;       /* whose requests count, and fail */
  uint64_t requests; /* counted ones */
  uint64_t first, n; /* these fail: first, first + 1, ...; first 0: none */
  int64_t blocks;
  size_t bytes;
  int broken; /* blocks overrun, or freed with another size */
} heap;

static bool refused(heap *h, side who) {
  if (!(h->counts & who)) return false;
  h->requests++;
  return h->first && h->requests >= h->first && h->requests - h->first < h->n;
}

static void fail_at(heap *h, uint64_t first, uint64_t n) {
  h->requests = 0;
  h->first = first;
  h->n = n;
}

static unsigned char *new_block(heap *h, size_t bytes) {
  unsigned char *p = malloc(bytes + 2 * GUARD);
  if (!p) return NULL;
  memset(p, 0xfd, GUARD);
  memcpy(p, &bytes, sizeof bytes);
  memset(p + GUARD, 0xa5, bytes);
  memset(p + GUARD + bytes, 0xfd, GUARD);
  h->blocks++;
  h->bytes += bytes;
  return p + GUARD;
}

static void drop_block(heap *h, void *block, size_t bytes) {
  unsigned char *p = (unsigned char *)block - GUARD, guard[GUARD];
  memset(guard, 0xfd, GUARD);
  if (memcmp(p + GUARD + bytes, guard, GUARD) != 0) h->broken++;
  memcpy(guard, &bytes, sizeof bytes);
  if (memcmp(p, guard, GUARD) != 0) h->broken++;
  memset(block, 0xdd, bytes);
  h->blocks--;
  h->bytes -= bytes;
  free(p);
}

static void *engine_alloc(void *ud, size_t bytes) {
  return refused(ud, ENGINE) ? NULL : new_block(ud, bytes);
}
static void engine_free(void *ud, void *p, size_t bytes) { drop_block(ud, p, bytes); }

static void *lua_memory(void *ud, void *old, size_t old_bytes, size_t bytes) {
  if (bytes == 0) {
    if (old) drop_block(ud, old, old_bytes);
    return NULL;
  }
  void *p = refused(ud, LUA) ? NULL : new_block(ud, bytes);
  if (!p || !old) return p;
  memcpy(p, old, old_bytes < bytes ? old_bytes : bytes);
  drop_block(ud, old, old_bytes);
  return p;
}

/* ---- the program ------------------------------------------------------------------- */

static char folder[256];

static const char script[] =
    "local folder = ...\n"
    "local mlpl = require 'mlpl'\n"
    "local nn, optim, data = mlpl.nn, mlpl.optim, mlpl.data\n"
    "mlpl.seed(7)\n"
    "local ds = assert(data.csv(folder .. '/rows.csv', { labels = 'kind' }))\n"
    "local train, test = ds:split(0.75, { shuffle = true, stratify = true })\n"
    "local net = nn.Sequential {\n"
    "  nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 4), nn.Tanh(), nn.Dropout(0.1), "
    "nn.Linear(4, 2) }\n"
    "local opt = optim.Adam(net:parameters(), { lr = 0.1 })\n"
    "for x, y in train:batches { size = 4, shuffle = true } do\n"
    "  local loss = nn.cross_entropy(net(x), y)\n"
    "  opt:zero_grad()\n"
    "  loss:backward()\n"
    "  opt:step()\n"
    "end\n"
    "local step = mlpl.train_step(net, nn.CrossEntropyLoss(), opt)\n"
    "local loss = step(train.x, train.y)\n"
    "net:save(folder .. '/net')\n"
    "local again = assert(nn.load(folder .. '/net'))\n"
    "local whole = nn.Sequential { again, function(h) return (h * 2):softmax(2) end }\n"
    "local square = mlpl.autograd.Function {\n"
    "  forward = function(ctx, x) ctx:save_for_backward(x) return x * x end,\n"
    "  backward = function(ctx, g) return g * ctx.saved_tensors[1] * 2 end }\n"
    "local v = mlpl.tensor({ 1, 2 }, { requires_grad = true })\n"
    "local hook = v:register_hook(function(g) return g * 3 end)\n"
    "square(v):sum():backward()\n"
    "hook:remove()\n"
    "assert(v.grad:totable()[2] == 12)\n"
    "local out = { ('d'):pack(loss) }\n"
    "for _, row in ipairs(whole:predict(test.x):totable()) do\n"
    "  for _, p in ipairs(row) do out[#out + 1] = ('d'):pack(p) end\n"
    "end\n"
    "return table.concat(out)\n";

/* How the collector works: finalizers are calls, for which there may be no memory either.
 */
static enum { STANDARD, EAGER, GENERATIONAL } collector = STANDARD;

/* Argument: the heap, as a light userdata. */
static int open_libraries(lua_State *L) {
  heap *h = lua_touserdata(L, 1);
  if (collector == EAGER) lua_gc(L, LUA_GCINC, 10, 1000, 2);
  if (collector == GENERATIONAL) lua_gc(L, LUA_GCGEN, 5, 20);
  luaL_openlibs(L);
  if (mlpl_lua_context(L)) return 0; /* a second try */
  mlpl_lua_configure(
      L, &(mlpl_config){
             .allocator = &(mlpl_allocator){engine_alloc, engine_free, h}, .threads = 1});
  mlpl_openlib(L);
  return 0;
}

static int run_script(lua_State *L) {
  if (luaL_loadbufferx(L, script, sizeof script - 1, "=script", "t") != LUA_OK)
    return lua_error(L);
  lua_pushstring(L, folder);
  lua_call(L, 1, 1);
  return 1;
}

/* All of it, protected. LUA_OK leaves the bits on the stack, else the error is there. */
static int program(lua_State *L, heap *h) {
  lua_settop(L, 0);
  lua_pushcfunction(L, open_libraries);
  lua_pushlightuserdata(L, h);
  int status = lua_pcall(L, 1, 0, 0);
  if (status != LUA_OK) return status;
  lua_pushcfunction(L, run_script);
  return lua_pcall(L, 0, 1, 0);
}

static int count_files(void) {
  int n = 0;
  DIR *d = opendir(folder);
  if (!d) return -1;
  while (readdir(d)) n++;
  closedir(d);
  return n - 2; /* without . and .. */
}

/* ---- one failure ------------------------------------------------------------------- */

typedef struct tally {
  uint64_t points, errors, no_state, survived;
} tally;

static char expected[4096];
static size_t n_expected;

static void check_error(lua_State *L, int status, uint64_t at) {
  const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
  if (!text || !strstr(text, "not enough memory"))
    fail_msg("allocation %llu: error %d is \"%s\"", (unsigned long long)at, status,
        text ? text : "no text");
}

static void check_bits(lua_State *L, uint64_t at) {
  size_t n;
  const char *bits = lua_tolstring(L, -1, &n);
  if (!bits || n != n_expected || memcmp(bits, expected, n) != 0)
    fail_msg("allocation %llu: other bits came out", (unsigned long long)at);
}

/* The program has failed: with the right error, and so that it runs now. */
static void check_failure(lua_State *L, heap *h, int status, uint64_t at) {
  check_error(L, status, at);
  if (count_files() > 2)
    fail_msg("allocation %llu: a temporary file is left", (unsigned long long)at);
  if (program(L, h) != LUA_OK)
    fail_msg("allocation %llu: not usable afterwards: %s", (unsigned long long)at,
        lua_tostring(L, -1));
}

/* Runs the program in a new state and closes it. false: the failure was not reached. */
static bool run_state(lua_State *L, heap *h, uint64_t at, tally *t) {
  int status = program(L, h);
  const bool reached = h->requests >= at;
  fail_at(h, 0, 0);
  if (status != LUA_OK) check_failure(L, h, status, at);
  check_bits(L, at);
  lua_close(L);
  if (status != LUA_OK) t->errors++;
  else if (reached) t->survived++;
  return reached;
}

/* n requests fail from the one at `at`. false: the program is over before that one. */
static bool fail_once(side who, uint64_t at, uint64_t n, tally *t) {
  heap h = {.counts = who};
  fail_at(&h, at, n);
  lua_State *L = lua_newstate(lua_memory, &h);
  if (!L) t->no_state++;
  else if (!run_state(L, &h, at, t)) return false;
  t->points++;
  if (h.blocks || h.bytes)
    fail_msg("allocation %llu, %llu failed: %lld blocks, %zu bytes are left",
        (unsigned long long)at, (unsigned long long)n, (long long)h.blocks, h.bytes);
  assert_int_equal(h.broken, 0);
  return true;
}

static void every_failure(side who, uint64_t n, const char *name) {
  tally t = {0};
  const uint64_t stride = collector == STANDARD ? 1 : SAMPLE;
  const uint64_t first = 1 + (uint64_t)getpid() % stride;
  for (uint64_t at = first; fail_once(who, at, n, &t); at += stride) continue;
  assert_true(t.points > 100);
  print_message("# %s: %llu points%s: %llu errors, %llu without a state, %llu survived\n",
      name, (unsigned long long)t.points, stride > 1 ? " (a sample)" : "",
      (unsigned long long)t.errors, (unsigned long long)t.no_state,
      (unsigned long long)t.survived);
}

/* ---- tests ------------------------------------------------------------------------- */

/* Once: Lua and the binding collect and try again, and so hide most. Four in a row get
 * through to the script. */
static void fails_once(void **state) {
  (void)state;
  every_failure(BOTH, 1, "once");
}

static void fails_four_times(void **state) {
  (void)state;
  every_failure(BOTH, 4, "four times in a row");
}

static void fails_from_then_on(void **state) {
  (void)state;
  every_failure(BOTH, FOREVER, "from then on");
}

static void fails_in_lua(void **state) {
  (void)state;
  every_failure(LUA, 2, "twice, in Lua alone");
}

static void fails_in_the_engine(void **state) {
  (void)state;
  every_failure(ENGINE, 1, "once, in the engine alone");
  every_failure(ENGINE, 4, "four times, in the engine alone");
  every_failure(ENGINE, FOREVER, "from then on, in the engine alone");
}

static void fails_while_the_collector_works(void **state) {
  (void)state;
  collector = EAGER;
  every_failure(BOTH, 4, "four times in a row, an eager collector");
  every_failure(BOTH, FOREVER, "from then on, an eager collector");
  collector = GENERATIONAL;
  every_failure(BOTH, 4, "four times in a row, a generational collector");
  collector = STANDARD;
}

static void write_rows(void) {
  char path[512];
  snprintf(path, sizeof path, "%s/rows.csv", folder);
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  fputs("a,b,c,kind\n", f);
  for (int i = 0; i < 12; i++)
    fprintf(f, "%d,%g,%g,%s\n", i, i * 0.25, 1.0 / (i + 1), i % 3 ? "odd" : "even");
  assert_int_equal(fclose(f), 0);
}

/* A folder in memory where there is one: each run syncs the file it saves. Then the bits
 * of a run without failures. */
static int set_up(void **state) {
  (void)state;
  snprintf(folder, sizeof folder, "%s/mlpl-alloc-XXXXXX",
      access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
  if (!mkdtemp(folder)) return -1;
  write_rows();
  heap h = {.counts = BOTH};
  lua_State *L = lua_newstate(lua_memory, &h);
  if (!L) return -1;
  if (program(L, &h) != LUA_OK) {
    print_error("%s\n", lua_tostring(L, -1));
    return -1;
  }
  const char *bits = lua_tolstring(L, -1, &n_expected);
  if (n_expected < 5 * sizeof(double) || n_expected > sizeof expected) return -1;
  memcpy(expected, bits, n_expected);
  lua_close(L);
  return h.blocks || h.broken ? -1 : 0;
}

static int tear_down(void **state) {
  (void)state;
  static const char *const names[] = {"rows.csv", "net"};
  char path[512];
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    snprintf(path, sizeof path, "%s/%s", folder, names[i]);
    unlink(path);
  }
  return rmdir(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(fails_once),
      cmocka_unit_test(fails_four_times), cmocka_unit_test(fails_from_then_on),
      cmocka_unit_test(fails_in_lua), cmocka_unit_test(fails_in_the_engine),
      cmocka_unit_test(fails_while_the_collector_works)};
  return cmocka_run_group_tests_name("lua_alloc", tests, set_up, tear_down);
}
