/* The context: what it takes to open one, its errors, log and settings, and objects
   that outlive it. */
#include "tensor_test.h"

/* ---- opening ----------------------------------------------------------------------- */

static void configurations(void **state) {
  (void)state;
  static const mlpl_config wrong[] = {{.threads = -1}, {.threads = 257},
      {.index_base = 2}, {.index_base = -1}, {.isa = "sse9"}, {.isa = ""}};
  mlpl_ctx *cx;
  for (int i = 0; i < COUNT(wrong); i++) {
    cx = (mlpl_ctx *)&cx;
    assert_int_equal(mlpl_open(&cx, &wrong[i]), MLPL_EARG);
    assert_null(cx);
  }
  assert_int_equal(mlpl_open(&cx, NULL), MLPL_OK);
  assert_string_equal(mlpl_error(cx), "");
  assert_true(mlpl_threads(cx) >= 1 && mlpl_threads(cx) <= 256);
  assert_int_equal(mlpl_index_base(cx), 0);
  assert_true(mlpl_grad_enabled(cx));
  assert_non_null(mlpl_isa(cx));
  mlpl_close(cx);
  assert_int_equal(
      mlpl_open(&cx, &(mlpl_config){.isa = "base", .index_base = 1, .threads = 256}),
      MLPL_OK);
  assert_string_equal(mlpl_isa(cx), "base");
  assert_int_equal(mlpl_index_base(cx), 1);
  assert_int_equal(mlpl_threads(cx), 256); /* none of them has started */
  mlpl_close(cx);
  mlpl_close(NULL);
}

static void opening_may_fail_anywhere(void **state) {
  (void)state;
  for (int forever = 0; forever <= 1; forever++) {
    mlpl_status status = MLPL_ENOMEM;
    uint64_t n = 1;
    for (; status != MLPL_OK; n++) {
      test_heap h;
      mlpl_ctx *cx;
      test_heap_init(&h);
      test_heap_fail(&h, n, forever);
      status = mlpl_open(&cx, &(mlpl_config){.allocator = &h.allocator, .threads = 3});
      if (status == MLPL_OK) mlpl_close(cx);
      else {
        assert_int_equal(status, MLPL_ENOMEM);
        assert_null(cx);
      }
      assert_int_equal(h.blocks, 0);
      assert_int_equal(h.broken, 0);
    }
    assert_in_range(n, 3, 10);
  }
  mlpl_ctx *cx; /* a limit too small for a context */
  assert_int_equal(mlpl_open(&cx, &(mlpl_config){.memory_limit = 100}), MLPL_ENOMEM);
  assert_null(cx);
}

/* ---- errors ------------------------------------------------------------------------ */

static void the_last_error_stays(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *t = test_new(cx, MLPL_F32, SIZES(2)), *y;
  assert_fails(cx, mlpl_call(cx, &y, "no such", &t, 1, NULL), MLPL_EARG,
      "call: there is no operation 'no such'");
  test_new(cx, MLPL_F32, SIZES(3)); /* a success leaves the text */
  assert_string_equal(mlpl_error(cx), "call: there is no operation 'no such'");
  assert_int_equal(mlpl_fail(cx, MLPL_ECALLBACK, "row %d: %s", 3, mlpl_error(cx)),
      MLPL_ECALLBACK); /* of itself */
  assert_string_equal(mlpl_error(cx), "row 3: call: there is no operation 'no such'");
  char lengthy[2000];
  memset(lengthy, 'x', sizeof lengthy - 1), lengthy[sizeof lengthy - 1] = '\0';
  mlpl_fail(cx, MLPL_EIO, "%s", lengthy); /* cut */
  assert_int_equal(strlen(mlpl_error(cx)), MLPLI_TEXT - 1);
  const char *const texts[][2] = {{"tensor: no room", "zeros: no room"},
      {"data set: no rows", "zeros: no rows"}, {"no name here", "zeros: no name here"},
      {"cannot write a b: no", "zeros: cannot write a b: no"}};
  for (int i = 0; i < COUNT(texts); i++) {
    mlpl_fail(cx, MLPL_EARG, "%s", texts[i][0]);
    mlpl_error_of(cx, "zeros");
    assert_string_equal(mlpl_error(cx), texts[i][1]);
  }
  test_drop_and_close(cx);
}

static void statuses_have_words(void **state) {
  (void)state;
  static const char *const words[] = {"no error", "out of memory", "shapes do not fit",
      "bad argument", "not possible now", "input or output failed", "bad file format",
      "not a finite number", "a callback failed"};
  for (int i = 0; i < COUNT(words); i++)
    assert_string_equal(mlpl_status_text((mlpl_status)-i), words[i]);
  assert_string_equal(mlpl_status_text((mlpl_status)-99), "unknown status");
}

/* ---- settings ---------------------------------------------------------------------- */

static void threads_may_change(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  assert_fails(cx, mlpl_set_threads(cx, 0), MLPL_EARG, "threads: n is 0, which is outside 1 to 256");
  assert_fails(
      cx, mlpl_set_threads(cx, 257), MLPL_EARG, "threads: n is 257, which is outside 1 to 256");
  assert_int_equal(mlpl_threads(cx), 1);
  for (int n = 1; n <= 4; n++) {
    mlpl_tensor *x;
    assert_works(cx, mlpl_set_threads(cx, n));
    assert_works(cx, mlpl_set_threads(cx, n));
    assert_int_equal(mlpl_threads(cx), n);
    assert_works(cx, mlpl_tensor_full(cx, &x, MLPL_F64, SIZES(100000), 2));
    assert_true(test_item(cx, CALL1(cx, "sum", CALL1(cx, "exp", test_hold(x)))) > 700000);
  }
  mlpl_memory_set_limit(cx, 1);
  assert_fails(cx, mlpl_set_threads(cx, 200), MLPL_ENOMEM, "threads: not enough memory");
  assert_int_equal(mlpl_threads(cx), 4);
  mlpl_memory_set_limit(cx, 0);
  test_drop_and_close(cx);
}

static void the_limit_of_the_configuration(void **state) {
  (void)state;
  mlpl_ctx *cx;
  mlpl_tensor *t;
  assert_int_equal(
      mlpl_open(&cx, &(mlpl_config){.memory_limit = 1 << 20, .threads = 1}), MLPL_OK);
  assert_works(cx, mlpl_tensor_new(cx, &t, MLPL_F32, SIZES(200000)));
  mlpl_tensor *u;
  assert_fails(cx, mlpl_tensor_new(cx, &u, MLPL_F32, SIZES(200000)), MLPL_ENOMEM,
      "(limit 1048576)");
  assert_null(u);
  mlpl_tensor_release(t);
  assert_works(cx, mlpl_tensor_new(cx, &t, MLPL_F32, SIZES(200000)));
  mlpl_tensor_release(t);
  test_close(cx);
}

static void the_clock_runs_forwards(void **state) {
  (void)state;
  double before = mlpl_clock();
  for (int i = 0; i < 1000; i++) {
    double now = mlpl_clock();
    assert_true(now >= before);
    before = now;
  }
}

/* ---- log --------------------------------------------------------------------------- */

typedef struct lines {
  int n;
  char last[1024];
} lines;

static void keep_line(void *ud, const char *line) {
  lines *l = ud;
  l->n++;
  snprintf(l->last, sizeof l->last, "%s", line);
}

static void the_log_is_the_hosts(void **state) {
  (void)state;
  lines l = {0};
  mlpl_ctx *cx;
  assert_int_equal(
      mlpl_open(&cx, &(mlpl_config){.log = keep_line, .log_ud = &l, .threads = 1}),
      MLPL_OK);
  int before = l.n;
  mlpli_logf(cx, "epoch %d: %s", 3, "fine");
  assert_int_equal(l.n, before + 1);
  assert_string_equal(l.last, "epoch 3: fine");
  mlpli_logf(cx, "%2000d", 1); /* cut */
  assert_int_equal(strlen(l.last), MLPLI_TEXT - 1);
  mlpl_close(cx);
  cx = test_open(0);
  mlpli_logf(cx, "nobody listens");
  assert_int_equal(l.n, before + 2);
  test_close(cx);
}

/* ---- objects that outlive their context -------------------------------------------- */

static mlpl_ctx *open_counted(test_heap *h) {
  mlpl_ctx *cx;
  test_heap_init(h);
  assert_int_equal(
      mlpl_open(&cx, &(mlpl_config){.allocator = &h->allocator, .threads = 2}), MLPL_OK);
  return cx;
}

/* A collector may finalise in any order; so the context goes first here, and
   everything else after it. */
static void objects_may_be_released_after_the_context(void **state) {
  (void)state;
  for (int order = 0; order < 5; order++) {
    test_heap h;
    mlpl_ctx *cx = open_counted(&h);
    mlpl_module *m;
    mlpl_tensor *x, *y, *loss, *w;
    mlpl_optimizer *o;
    mlpl_dataset *ds;
    mlpl_batches *b;
    assert_works(cx,
        mlpl_module_new(
            cx, &m, "Linear", ARGS(ARG("in_features", 3), ARG("out_features", 2))));
    assert_works(cx,
        mlpl_tensor_rand(
            cx, &x, MLPL_F32, SIZES(50000, 3), 0, 1)); /* threads have been at work */
    w = mlpl_tensor_retain(mlpl_module_parameter(m, 0));
    assert_works(cx, mlpl_optimizer_new(cx, &o, "Adam", &w, 1, NULL));
    assert_works(cx, mlpl_forward(cx, m, &y, &x, 1));
    assert_works(cx, mlpl_call(cx, &loss, "sum", &y, 1, NULL));
    assert_works(cx, mlpl_backward(cx, loss, NULL, MLPL_RETAIN_GRAPH));
    assert_works(cx, mlpl_optimizer_step(cx, o));
    assert_works(cx, mlpl_dataset_new(cx, &ds, x, NULL, NULL, 0));
    assert_works(cx, mlpl_batches_new(cx, &b, ds, 16, true, false));
    mlpl_close(cx);
    assert_true(h.blocks > 0);
    assert_true(test_element(w, 0) == test_element(w, 0)); /* still there to be read */
    for (int i = 0; i < 5; i++) {
      int which = (i + order) % 5;
      if (which == 0) mlpl_module_release(m);
      if (which == 1) mlpl_tensor_release(x), mlpl_tensor_release(w);
      if (which == 2) mlpl_tensor_release(y), mlpl_tensor_release(loss);
      if (which == 3) mlpl_optimizer_release(o);
      if (which == 4) mlpl_batches_release(b), mlpl_dataset_release(ds);
      assert_int_equal(h.blocks == 0, i == 4); /* the last one out frees the context */
    }
    assert_int_equal(h.broken, 0);
  }
}

/* A closed context has no threads any more; its tensors can still be computed with. */
static void a_closed_context_works_on_one_thread(void **state) {
  (void)state;
  test_heap h;
  mlpl_ctx *cx = open_counted(&h);
  mlpl_tensor *x, *y;
  assert_works(cx, mlpl_tensor_full(cx, &x, MLPL_F32, SIZES(100000), 3));
  mlpl_close(cx);
  assert_works(cx, mlpl_call(cx, &y, "neg", &x, 1, NULL)); /* x keeps cx alive */
  assert_int_equal(mlpl_threads(cx), 1);
  assert_true(test_element(y, 99999) == -3);
  mlpl_tensor_release(x);
  mlpl_tensor_release(y);
  assert_int_equal(h.blocks, 0);
}

/* Two contexts share nothing: not the error, not the numbers, not the memory. */
static void contexts_are_apart(void **state) {
  (void)state;
  test_heap ha, hb;
  mlpl_ctx *a = open_counted(&ha), *b = open_counted(&hb);
  mlpl_tensor *t;
  mlpl_seed(a, 1);
  assert_true(mlpl_random_get(a).key[0] != mlpl_random_get(b).key[0]);
  assert_fails(a, mlpl_set_threads(a, 0), MLPL_EARG, "threads: n is 0");
  assert_string_equal(mlpl_error(b), "");
  size_t before = hb.bytes;
  assert_works(a, mlpl_tensor_new(a, &t, MLPL_F32, SIZES(1000)));
  assert_int_equal(hb.bytes, before);
  mlpl_set_grad_enabled(a, false);
  assert_true(mlpl_grad_enabled(b));
  mlpl_close(b);
  mlpl_tensor_release(t);
  mlpl_close(a);
  assert_int_equal(ha.blocks + hb.blocks, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(configurations),
      cmocka_unit_test(opening_may_fail_anywhere),
      cmocka_unit_test(the_last_error_stays),
      cmocka_unit_test(statuses_have_words),
      cmocka_unit_test(threads_may_change),
      cmocka_unit_test(the_limit_of_the_configuration),
      cmocka_unit_test(the_clock_runs_forwards),
      cmocka_unit_test(the_log_is_the_hosts),
      cmocka_unit_test(objects_may_be_released_after_the_context),
      cmocka_unit_test(a_closed_context_works_on_one_thread),
      cmocka_unit_test(contexts_are_apart),
  };
  return cmocka_run_group_tests_name("context", tests, NULL, NULL);
}
