/* Everything works on a thread with a stack of 256 KiB, as audio and game threads have
 * them. */
#define _POSIX_C_SOURCE 200809L
#include "net.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#define STACK ((size_t)256 << 10)

typedef struct job {
  mlpl_status (*run)(mlpl_ctx *cx, net_bits *bits);
  mlpl_status status;
  char text[256];
  net_bits bits;
} job;

static void *work(void *arg) {
  job *j = arg;
  mlpl_ctx *cx;
  j->status = mlpl_open(&cx, &(mlpl_config){.threads = 2, .seed = 1});
  if (j->status) return NULL;
  j->status = j->run(cx, &j->bits);
  snprintf(j->text, sizeof j->text, "%.255s", mlpl_error(cx));
  mlpl_close(cx);
  return NULL;
}

static void on_a_small_stack(mlpl_status (*run)(mlpl_ctx *, net_bits *)) {
  pthread_attr_t attr;
  pthread_t thread;
  job *j = calloc(2, sizeof *j);
  assert_non_null(j);
  j[0].run = j[1].run = run;
  work(&j[0]);
  assert_int_equal(pthread_attr_init(&attr), 0);
  assert_int_equal(pthread_attr_setstacksize(&attr, STACK), 0);
  assert_int_equal(pthread_create(&thread, &attr, work, &j[1]), 0);
  assert_int_equal(pthread_join(thread, NULL), 0);
  pthread_attr_destroy(&attr);
  if (j[1].status) fail_msg("%s", j[1].text);
  assert_true(net_same(&j[0].bits, &j[1].bits));
  free(j);
}

/* ---- what is done there ------------------------------------------------------------ */

static mlpl_status train(mlpl_ctx *cx, net_bits *bits) {
  double share;
  return net_run(cx, 1, bits, &share);
}

static mlpl_status save_and_load(mlpl_ctx *cx, net_bits *bits) {
  char path[] = "/tmp/mlpl-stack-XXXXXX";
  int file = mkstemp(path);
  mlpl_module *model = NULL, *again = NULL;
  if (file < 0) return mlpl_fail(cx, MLPL_EIO, "no temporary file");
  close(file);
  mlpl_status status = net_layers(cx, &model);
  if (!status) status = mlpl_module_save(cx, model, path);
  if (!status) status = mlpl_module_load(cx, &again, path);
  if (!status) status = net_weights(cx, again, bits);
  mlpl_module_release(model);
  mlpl_module_release(again);
  unlink(path);
  return status;
}

/* A product in blocks, packed, on two threads; the first draws numbers and sums in
 * double. */
static mlpl_status multiply(mlpl_ctx *cx, net_bits *bits) {
  mlpl_tensor *a = NULL, *c = NULL, *row = NULL, *f = NULL;
  mlpl_status status =
      mlpl_tensor_randn(cx, &a, MLPL_F64, 2, (int64_t[]){700, 700}, 0, 1);
  if (!status) status = mlpl_call(cx, &c, "matmul", (mlpl_tensor *[]){a, a}, 2, NULL);
  if (!status)
    status = mlpl_call(
        cx, &row, "softmax", &c, 1, (mlpl_arg[]){{.name = "dim", .value = 1}, {0}});
  mlpl_tensor_release(c);
  c = NULL;
  if (!status)
    status =
        mlpl_call(cx, &c, "sum", &row, 1, (mlpl_arg[]){{.name = "dim", .value = 0}, {0}});
  if (!status) status = mlpl_tensor_to(cx, &f, c, MLPL_F32);
  if (!status) status = net_take(cx, f, bits);
  mlpl_tensor_release(a);
  mlpl_tensor_release(c);
  mlpl_tensor_release(row);
  mlpl_tensor_release(f);
  return status;
}

/* A graph of 100 000 operations: recorded, gone through and freed without recursion. */
static mlpl_status long_graph(mlpl_ctx *cx, net_bits *bits) {
  mlpl_tensor *w, *y, *next = NULL;
  TRY(mlpl_tensor_full(cx, &w, MLPL_F32, 1, (int64_t[]){2}, 1));
  mlpl_status status = mlpl_tensor_set_requires_grad(cx, w, true);
  y = mlpl_tensor_retain(w);
  for (int i = 0; i < 100000 && !status; i++) {
    status = mlpl_call(cx, &next, "neg", &y, 1, NULL);
    mlpl_tensor_release(y);
    y = next;
  }
  if (!status) status = mlpl_call(cx, &next, "sum", &y, 1, NULL);
  mlpl_tensor_release(y);
  if (!status) status = mlpl_backward(cx, next, NULL, 0);
  if (!status) status = net_take(cx, mlpl_tensor_grad(w), bits);
  if (!status) mlpl_tensor_release(next);
  mlpl_tensor_release(w);
  return status;
}

/* Containers in containers, deeper than anybody needs: refused, not run into the ground.
 */
static mlpl_status deep_model(mlpl_ctx *cx, net_bits *bits) {
  mlpl_module *m, *outer;
  mlpl_tensor *x = NULL, *y = NULL;
  TRY(mlpl_module_new(cx, &m, "ReLU", NULL));
  mlpl_status status = MLPL_OK;
  int depth = 0;
  for (; depth < 100000 && !status; depth++) {
    status = mlpl_sequential_new(cx, &outer, &m, 1);
    if (status) break;
    mlpl_module_release(m);
    m = outer;
  }
  if (status == MLPL_EARG &&
      strstr(mlpl_error(cx), "Sequential: layers are nested more than"))
    status = MLPL_OK;
  if (!status) status = mlpl_tensor_full(cx, &x, MLPL_F32, 1, (int64_t[]){2}, 3);
  if (!status) status = mlpl_predict(cx, m, &y, x);
  if (!status) status = net_take(cx, y, bits);
  mlpl_tensor_release(x);
  mlpl_tensor_release(y);
  mlpl_module_release(m);
  return depth < 50 ? mlpl_fail(cx, MLPL_EARG, "only %d containers in each other", depth)
                    : status;
}

static void trains(void **state) {
  (void)state;
  on_a_small_stack(train);
}

static void saves_and_loads(void **state) {
  (void)state;
  on_a_small_stack(save_and_load);
}

static void multiplies(void **state) {
  (void)state;
  on_a_small_stack(multiply);
}

static void goes_through_a_long_graph(void **state) {
  (void)state;
  on_a_small_stack(long_graph);
}

static void runs_a_deep_model(void **state) {
  (void)state;
  on_a_small_stack(deep_model);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(trains),
      cmocka_unit_test(saves_and_loads), cmocka_unit_test(multiplies),
      cmocka_unit_test(goes_through_a_long_graph), cmocka_unit_test(runs_a_deep_model)};
  return cmocka_run_group_tests_name("small_stack", tests, NULL, NULL);
}
