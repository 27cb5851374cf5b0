/*
** Contexts in threads: each trains and predicts in its own, all at once, and gets the
** bits that it gets alone. Built with -fsanitize=thread this shows that they share
** nothing.
*/
#define _POSIX_C_SOURCE 200809L
#include "net.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MOST 8

typedef mlpl_status task(mlpl_ctx *cx, uint64_t seed, net_bits *bits);

/* What one thread is to do, and what came of it. */
typedef struct job {
  task *run;
  uint64_t seed;
  int threads;
  mlpl_status status;
  char text[256];
  net_bits *bits;
} job;

static void *work(void *arg) {
  job *j = arg;
  mlpl_ctx *cx;
  j->status = mlpl_open(&cx, &(mlpl_config){.threads = j->threads, .seed = j->seed});
  if (j->status) return NULL;
  j->bits->n = 0;
  j->status = j->run(cx, j->seed, j->bits);
  snprintf(j->text, sizeof j->text, "%.255s", mlpl_error(cx));
  mlpl_close(cx);
  return NULL;
}

/* Once one after the other, once all at the same time. */
static void compare(int n, task *run, int threads) {
  job alone[MOST], together[MOST];
  pthread_t thread[MOST];
  for (int i = 0; i < n; i++) {
    alone[i] = (job){.run = run, .seed = (uint64_t)i + 1, .threads = threads};
    together[i] = alone[i];
    alone[i].bits = calloc(1, sizeof(net_bits));
    together[i].bits = calloc(1, sizeof(net_bits));
    assert_true(alone[i].bits && together[i].bits);
    work(&alone[i]);
  }
  for (int i = 0; i < n; i++)
    assert_int_equal(pthread_create(&thread[i], NULL, work, &together[i]), 0);
  for (int i = 0; i < n; i++) assert_int_equal(pthread_join(thread[i], NULL), 0);
  for (int i = 0; i < n; i++) {
    if (together[i].status) fail_msg("context %d: %s", i, together[i].text);
    assert_int_equal(alone[i].status, MLPL_OK);
    assert_true(net_same(alone[i].bits, together[i].bits));
    if (i) assert_false(net_same(alone[i].bits, alone[0].bits)); /* seeds differ */
  }
  for (int i = 0; i < n; i++) {
    free(alone[i].bits);
    free(together[i].bits);
  }
}

/* ---- what they do ------------------------------------------------------------------ */

/* Digits: reading, shuffling, training, predicting, and an error of its own in each
 * context. */
static mlpl_status digits(mlpl_ctx *cx, uint64_t seed, net_bits *bits) {
  net n;
  double share;
  mlpl_dataset *none;
  char name[64], text[256];
  snprintf(name, sizeof name, "there is no %d.csv", (int)seed);
  mlpl_csv_read(cx, &none, name, &(mlpl_csv_options){.header = -1});
  snprintf(text, sizeof text, "%.255s", mlpl_error(cx));
  mlpl_status status = net_open(cx, &n);
  for (int i = 0; i < 2 && !status; i++) status = net_epoch(cx, &n);
  if (!status) status = net_weights(cx, n.model, bits);
  if (!status) status = net_predict(cx, n.model, n.test, bits, &share);
  net_close(&n);
  if (!status && (!strstr(text, name) || strcmp(text, mlpl_error(cx)) != 0))
    return mlpl_fail(
        cx, MLPL_ESTATE, "another context's error text: '%s'", mlpl_error(cx));
  return status;
}

/* Products large enough for the context's own threads: y = relu(x w), loss = mean(y y).
 */
static mlpl_status large(mlpl_ctx *cx, uint64_t seed, net_bits *bits) {
  mlpl_tensor *x = NULL, *w = NULL, *y = NULL, *r = NULL, *loss = NULL, *row = NULL;
  (void)seed;
  mlpl_status status =
      mlpl_tensor_randn(cx, &x, MLPL_F32, 2, (int64_t[]){256, 300}, 0, 1);
  if (!status)
    status = mlpl_tensor_randn(cx, &w, MLPL_F32, 2, (int64_t[]){300, 512}, 0, 1);
  if (!status) status = mlpl_tensor_set_requires_grad(cx, w, true);
  for (int i = 0; i < 3 && !status; i++) {
    status = mlpl_call(cx, &y, "matmul", (mlpl_tensor *[]){x, w}, 2, NULL);
    if (!status) status = mlpl_call(cx, &r, "relu", &y, 1, NULL);
    mlpl_tensor_release(y);
    if (!status) status = mlpl_call(cx, &y, "mul", (mlpl_tensor *[]){r, r}, 2, NULL);
    if (!status) status = mlpl_call(cx, &loss, "mean", &y, 1, NULL);
    if (!status) status = mlpl_backward(cx, loss, NULL, 0);
    mlpl_tensor_release(y);
    mlpl_tensor_release(r);
    mlpl_tensor_release(loss);
    y = r = loss = NULL;
  }
  if (!status)
    status = mlpl_call(cx, &row, "sum", (mlpl_tensor *[]){mlpl_tensor_grad(w)}, 1,
        (mlpl_arg[]){{.name = "dim", .value = 0}, {0}});
  if (!status) status = net_take(cx, row, bits);
  mlpl_tensor_release(row);
  mlpl_tensor_release(x);
  mlpl_tensor_release(w);
  return status;
}

static void two_contexts(void **state) {
  (void)state;
  compare(2, digits, 1);
}

static void eight_contexts(void **state) {
  (void)state;
  compare(8, digits, 1);
}

static void two_contexts_with_threads_of_their_own(void **state) {
  (void)state;
  compare(2, large, 2);
}

static void eight_contexts_with_threads_of_their_own(void **state) {
  (void)state;
  compare(8, large, 2);
}

/* A context, its own threads included, may move to another thread between two calls. */
typedef struct move {
  mlpl_ctx *cx;
  mlpl_status status;
  net_bits bits;
} move;

static void *use(void *arg) {
  move *m = arg;
  m->bits.n = 0;
  mlpl_seed(m->cx, 1);
  m->status = large(m->cx, 1, &m->bits);
  return NULL;
}

static void a_context_moves(void **state) {
  (void)state;
  move *m = calloc(2, sizeof *m);
  pthread_t thread;
  assert_non_null(m);
  assert_int_equal(mlpl_open(&m[0].cx, &(mlpl_config){.threads = 2}), MLPL_OK);
  m[1].cx = m[0].cx;
  use(&m[0]);
  assert_int_equal(pthread_create(&thread, NULL, use, &m[1]), 0);
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_int_equal(m[0].status, MLPL_OK);
  assert_int_equal(m[1].status, MLPL_OK);
  assert_true(net_same(&m[0].bits, &m[1].bits));
  mlpl_close(m[0].cx);
  free(m);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(two_contexts),
      cmocka_unit_test(eight_contexts),
      cmocka_unit_test(two_contexts_with_threads_of_their_own),
      cmocka_unit_test(eight_contexts_with_threads_of_their_own),
      cmocka_unit_test(a_context_moves)};
  return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
