/* A host without Lua builds, trains, saves, loads and predicts, and gets the bits that
 * Lua gets. */
#define _POSIX_C_SOURCE 200809L
#include "net.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#define EPOCHS 4

static char folder[256];
static mlpl_ctx *cx;
static net trained;
static net_bits expected; /* the weights, then the predictions */
static double share;

#define works(call)                                                                      \
  if (call) fail_msg("%s", mlpl_error(cx))

static const char *path(const char *name) {
  static char text[2][512];
  static int which;
  char *p = text[which ^= 1];
  snprintf(p, sizeof text[0], "%s/%s", folder, name);
  return p;
}

/* Train once; every test looks at the result. */
static int set_up(void **state) {
  (void)state;
  const char *tmp = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%.200s/mlpl-host-XXXXXX", tmp && *tmp ? tmp : "/tmp");
  if (!mkdtemp(folder)) return -1;
  if (mlpl_open(&cx, &(mlpl_config){.seed = NET_SEED})) return -1;
  mlpl_status status = net_open(cx, &trained);
  for (int i = 0; i < EPOCHS && !status; i++) status = net_epoch(cx, &trained);
  if (!status) status = net_weights(cx, trained.model, &expected);
  if (!status) status = net_predict(cx, trained.model, trained.test, &expected, &share);
  if (!status) status = mlpl_module_save(cx, trained.model, path("net"));
  if (status) print_error("%s\n", mlpl_error(cx));
  return status;
}

static int tear_down(void **state) {
  (void)state;
  static const char *const names[] = {"net", "again", "lua", "lua.bits", "lua.said"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) unlink(path(names[i]));
  net_close(&trained);
  mlpl_close(cx);
  return rmdir(folder); /* fails when something else was left there */
}

static unsigned char *contents(const char *name, size_t *n) {
  FILE *f = fopen(path(name), "rb");
  if (!f) fail_msg("there is no %s", path(name));
  fseek(f, 0, SEEK_END);
  *n = (size_t)ftell(f);
  rewind(f);
  unsigned char *bytes = malloc(*n + 1);
  assert_non_null(bytes);
  assert_int_equal(fread(bytes, 1, *n, f), *n);
  bytes[*n] = 0;
  fclose(f);
  return bytes;
}

static void same_as_trained(mlpl_module *model) {
  net_bits *bits = calloc(1, sizeof *bits);
  double s;
  assert_non_null(bits);
  works(net_weights(cx, model, bits));
  works(net_predict(cx, model, trained.test, bits, &s));
  assert_true(net_same(bits, &expected));
  assert_true(s == share);
  free(bits);
}

/* ---- tests ------------------------------------------------------------------------- */

static void learns(void **state) {
  (void)state;
  if (share < 0.9) fail_msg("accuracy is %g", share);
}

static void trains_to_the_same_bits_again(void **state) {
  (void)state;
  for (int threads = 1; threads <= 3; threads++) {
    net_bits *bits = calloc(1, sizeof *bits);
    mlpl_ctx *other;
    double s;
    assert_non_null(bits);
    assert_int_equal(mlpl_open(&other, &(mlpl_config){.threads = threads}), MLPL_OK);
    assert_int_equal(net_run(other, EPOCHS, bits, &s), MLPL_OK);
    assert_true(net_same(bits, &expected));
    mlpl_close(other);
    free(bits);
  }
}

static void loads_from_a_file(void **state) {
  (void)state;
  mlpl_module *model;
  works(mlpl_module_load(cx, &model, path("net")));
  same_as_trained(model);
  works(mlpl_module_save(cx, model, path("again")));
  mlpl_module_release(model);
  size_t n, n_again;
  unsigned char *bytes = contents("net", &n), *again = contents("again", &n_again);
  assert_int_equal(n, n_again);
  assert_memory_equal(bytes, again, n);
  free(bytes);
  free(again);
}

static void loads_from_memory(void **state) {
  (void)state;
  mlpl_module *model;
  size_t n;
  unsigned char *bytes = contents("net", &n);
  works(mlpl_module_load_memory(cx, &model, bytes, n));
  free(bytes); /* the model has its own copy */
  same_as_trained(model);
  mlpl_module_release(model);
}

/* What the context needs by itself is small, and all else goes with the objects. */
static void leaves_nothing_behind(void **state) {
  (void)state;
  mlpl_ctx *other;
  net n;
  assert_int_equal(
      mlpl_open(&other, &(mlpl_config){.threads = 1, .seed = NET_SEED}), MLPL_OK);
  size_t before = mlpl_memory_use(other).live;
  assert_int_equal(net_open(other, &n), MLPL_OK);
  assert_int_equal(net_epoch(other, &n), MLPL_OK);
  net_close(&n);
  assert_int_equal(mlpl_memory_use(other).live, before);
  mlpl_close(other);
}

/* Objects outlive their context, in whatever order a host lets go of them. */
static void objects_outlive_the_context(void **state) {
  (void)state;
  mlpl_ctx *other;
  mlpl_module *model;
  assert_int_equal(mlpl_open(&other, NULL), MLPL_OK);
  assert_int_equal(net_layers(other, &model), MLPL_OK);
  mlpl_tensor *weight = mlpl_tensor_retain(mlpl_module_parameter(model, 0));
  mlpl_close(other);
  mlpl_module_release(model);
  assert_int_equal(mlpl_tensor_numel(weight), 64 * 32);
  assert_true(((const float *)mlpl_tensor_data(weight))[0] != 0);
  mlpl_tensor_release(weight);
}

static void errors_say_what_is_wrong(void **state) {
  (void)state;
  mlpl_module *model = (mlpl_module *)1;
  assert_int_equal(mlpl_module_load(cx, &model, path("none")), MLPL_EIO);
  assert_null(model);
  assert_non_null(strstr(mlpl_error(cx), path("none")));
  assert_int_equal(mlpl_module_load_memory(cx, &model, "not a model", 11), MLPL_EFORMAT);
  assert_null(model);
}

/* ---- the same from Lua ------------------------------------------------------------- */

static void lua_gets_the_same_bits(void **state) {
  (void)state;
  char line[2048];
  snprintf(line, sizeof line,
      "%s/mlpl tests/host/model.lua %d '%s/lua' '%s/lua.bits' >'%s/lua.said' 2>&1",
      net_build(), EPOCHS, folder, folder, folder);
  size_t n, n_lua;
  if (system(line) != 0) {
    unsigned char *said = contents("lua.said", &n);
    print_error("%s\n", (char *)said);
    free(said);
    fail_msg("failed: %s", line);
  }
  unsigned char *bytes = contents("net", &n), *lua = contents("lua", &n_lua);
  assert_int_equal(n, n_lua);
  assert_memory_equal(bytes, lua, n);
  free(lua);
  free(bytes);
  lua = contents("lua.bits", &n_lua);
  n = n_lua / sizeof(float);
  assert_true(n > 3000 && n < expected.n);
  assert_memory_equal(lua, expected.v + expected.n - n, n_lua);
  free(lua);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(learns),
      cmocka_unit_test(trains_to_the_same_bits_again),
      cmocka_unit_test(loads_from_a_file), cmocka_unit_test(loads_from_memory),
      cmocka_unit_test(leaves_nothing_behind),
      cmocka_unit_test(objects_outlive_the_context),
      cmocka_unit_test(errors_say_what_is_wrong),
      cmocka_unit_test(lua_gets_the_same_bits)};
  return cmocka_run_group_tests_name("model", tests, set_up, tear_down);
}
