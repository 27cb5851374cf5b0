/*
** The heap under everything: alignment, reuse, limits, sizes near the largest, what the
** host's allocator sees, and that a training loop in its stride asks for nothing.
*/
#include "tensor_test.h"

/* Sanitizers see nothing in recycled memory, so under them the engine recycles none
   (base/heap.c). */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define RECYCLES 0
#else
#define RECYCLES 1
#endif

static void needs_recycling(void) {
  if (RECYCLES) return;
  print_message("skipped: this build's sanitizer turns recycling off\n");
  skip();
}

static mlpli_heap heap_of(test_heap *h) {
  test_heap_init(h);
  return (mlpli_heap){.host = h->allocator};
}

static void heap_end(mlpli_heap *heap, test_heap *h) {
  assert_int_equal(heap->live, 0);
  mlpli_heap_trim(heap);
  assert_int_equal(heap->cached, 0);
  assert_int_equal(h->blocks, 0);
  assert_int_equal(h->bytes, 0);
  assert_int_equal(h->broken, 0);
}

/* ---- blocks ------------------------------------------------------------------------ */

static void blocks_are_aligned_and_large_enough(void **state) {
  (void)state;
  test_heap h;
  mlpli_heap heap = heap_of(&h);
  for (size_t bytes = 0; bytes < 70000; bytes += bytes < 2100 ? 1 : 61) {
    unsigned char *p = mlpli_alloc(&heap, bytes);
    assert_non_null(p);
    assert_int_equal((uintptr_t)p % MLPLI_ALIGN, 0);
    assert_true(mlpli_block_bytes(p) >= bytes);
    if (bytes > 1024)
      assert_true(
          mlpli_block_bytes(p) <= bytes + bytes / 8 + 64); /* an eighth lost at most */
    memset(p, 0x5a,
        mlpli_block_bytes(p)); /* the guards of the test's allocator lie behind it */
    assert_int_equal(heap.live, mlpli_block_bytes(p));
    mlpli_free(&heap, p);
  }
  mlpli_free(&heap, NULL);
  heap_end(&heap, &h);
}

/* Block sizes grow with what is asked: a freed block is never too small for its bin. */
static void sizes_up_to_a_gigabyte(void **state) {
  (void)state;
  test_heap h;
  mlpli_heap heap = heap_of(&h);
  size_t before = 0;
  for (size_t bytes = 1; bytes <= (size_t)1 << 30; bytes += bytes / 3 + 1) {
    h.fail_at = bytes > (size_t)4 << 20 ? 1 : 0,
    h.forever = true; /* only looked at, not filled */
    void *p = mlpli_alloc(&heap, bytes);
    if (!p) continue;
    assert_true(mlpli_block_bytes(p) >= bytes && mlpli_block_bytes(p) >= before);
    before = mlpli_block_bytes(p);
    mlpli_free(&heap, p);
  }
  heap_end(&heap, &h);
}

static void freed_blocks_are_used_again(void **state) {
  (void)state;
  needs_recycling();
  test_heap h;
  mlpli_heap heap = heap_of(&h);
  static const size_t sizes[] = {0, 1, 64, 65, 1000, 1024, 1025, 5000, 100000, 3000000};
  for (int i = 0; i < COUNT(sizes); i++) {
    void *p = mlpli_alloc(&heap, sizes[i]);
    uint64_t requests = heap.requests;
    for (int k = 0; k < 3; k++) {
      mlpli_free(&heap, p);
      assert_true(heap.cached > 0);
      assert_ptr_equal(mlpli_alloc(&heap, sizes[i]), p);
    }
    assert_int_equal(heap.requests, requests);
    mlpli_free(&heap, p);
  }
  assert_true(heap.cached > 3100000);
  heap_end(&heap, &h);
}

static void zeroed_blocks_are_zero(void **state) {
  (void)state;
  test_heap h;
  mlpli_heap heap = heap_of(&h);
  for (int k = 0; k < 2; k++) { /* the second one was written to before */
    unsigned char *p = mlpli_alloc_zeroed(&heap, 1000);
    for (int i = 0; i < 1000; i++) assert_int_equal(p[i], 0);
    memset(p, 1, 1000);
    mlpli_free(&heap, p);
  }
  heap_end(&heap, &h);
}

static void realloc_keeps_what_was_there(void **state) {
  (void)state;
  test_heap h;
  mlpli_heap heap = heap_of(&h);
  unsigned char *p = mlpli_realloc(&heap, NULL, 10);
  for (size_t n = 10; n < 100000; n = n * 3 / 2) {
    for (size_t i = 0; i < n; i++) p[i] = (unsigned char)i;
    p = mlpli_realloc(&heap, p, n * 3 / 2);
    for (size_t i = 0; i < n; i++) assert_int_equal(p[i], (unsigned char)i);
  }
  size_t n = mlpli_block_bytes(p), live = heap.live;
  assert_ptr_equal(mlpli_realloc(&heap, p, 1), p);
  mlpli_heap_trim(&heap);
  test_heap_fail(&h, 1, true);
  assert_null(mlpli_realloc(&heap, p, n + 1));
  assert_int_equal(heap.live, live);
  assert_int_equal(p[7], 7);
  test_heap_fail(&h, 0, false);
  mlpli_free(&heap, p);
  heap_end(&heap, &h);
}

/* ---- what cannot be had ------------------------------------------------------------ */

static void sizes_that_overflow_are_refused(void **state) {
  (void)state;
  test_heap h;
  mlpli_heap heap = heap_of(&h);
  static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 63, SIZE_MAX - 64,
      SIZE_MAX - 128, SIZE_MAX / 2, SIZE_MAX / 2 + 1, SIZE_MAX / 2 - 127, SIZE_MAX / 4,
      SIZE_MAX / 4 + 1};
  for (int i = 0; i < COUNT(sizes); i++) {
    assert_null(mlpli_alloc(&heap, sizes[i]));
    assert_null(mlpli_alloc_zeroed(&heap, sizes[i]));
    assert_null(mlpli_realloc(&heap, NULL, sizes[i]));
  }
  size_t v;
  assert_false(mlpli_mul(SIZE_MAX / 2, 3, &v));
  assert_false(mlpli_add(SIZE_MAX, 1, &v));
  assert_true(mlpli_mul(1 << 20, 1 << 20, &v) && v == (size_t)1 << 40);
  heap_end(&heap, &h);
}

static void the_limit_holds_live_bytes(void **state) {
  (void)state;
  test_heap h;
  mlpli_heap heap = heap_of(&h);
  heap.limit = 10000;
  void *a = mlpli_alloc(&heap, 6000);
  assert_non_null(a);
  assert_null(mlpli_alloc(&heap, 6000));
  void *b = mlpli_alloc(&heap, 2000);
  assert_non_null(b);
  mlpli_free(&heap, a);
  void *c = mlpli_alloc(&heap, 6000); /* what is free again counts no more */
  assert_non_null(c);
  heap.limit = 1000; /* below what is live: nothing more, until enough was freed */
  assert_null(mlpli_alloc(&heap, 1));
  mlpli_free(&heap, c);
  assert_null(mlpli_alloc(&heap, 1));
  mlpli_free(&heap, b);
  b = mlpli_alloc(&heap, 1);
  assert_non_null(b);
  mlpli_free(&heap, b);
  heap.limit = 0;
  b = mlpli_alloc(&heap, 1000000);
  assert_non_null(b);
  mlpli_free(&heap, b);
  heap_end(&heap, &h);
}

/* Before giving up, the heap gives back what it keeps and asks again. */
static void a_refusal_is_tried_again_without_the_cache(void **state) {
  (void)state;
  needs_recycling();
  test_heap h;
  mlpli_heap heap = heap_of(&h);
  mlpli_free(&heap, mlpli_alloc(&heap, 100));
  assert_true(heap.cached > 0);
  test_heap_fail(&h, 1, false);
  void *p = mlpli_alloc(&heap, 5000);
  assert_non_null(p);
  assert_int_equal(heap.cached, 0);
  mlpli_free(&heap, p);
  heap_end(&heap, &h);
}

/* What is kept stays near what was needed at once: 64 MB above the peak. */
static void the_cache_is_bounded(void **state) {
  (void)state;
  needs_recycling();
  test_heap h;
  mlpli_heap heap = heap_of(&h);
  const size_t part = (size_t)10 << 20;
  for (int round = 0; round < 20;
       round++) { /* ever other sizes, so that nothing fits again */
    void *p = mlpli_alloc(&heap, part + (size_t)round * part / 2);
    assert_non_null(p);
    mlpli_free(&heap, p);
    assert_true(heap.live + heap.cached <= heap.peak + ((size_t)64 << 20));
  }
  heap_end(&heap, &h);
}

/* ---- as hosts see it --------------------------------------------------------------- */

static mlpl_ctx *open_with(test_heap *h) {
  mlpl_ctx *cx;
  test_heap_init(h);
  assert_int_equal(
      mlpl_open(&cx, &(mlpl_config){.allocator = &h->allocator, .threads = 2, .seed = 1}),
      MLPL_OK);
  return cx;
}

static void memory_is_counted(void **state) {
  (void)state;
  test_heap h;
  mlpl_ctx *cx = open_with(&h);
  mlpl_memory start = mlpl_memory_use(cx), m;
  mlpl_tensor *t = NULL;
  assert_works(cx, mlpl_tensor_new(cx, &t, MLPL_F32, SIZES(1000000)));
  m = mlpl_memory_use(cx);
  assert_true(m.live >= start.live + 4000000 && m.live <= start.live + 4600000);
  assert_true(m.peak >= m.live && h.bytes >= m.live);
  mlpl_tensor_release(t);
  m = mlpl_memory_use(cx);
  assert_int_equal(m.live, start.live);
  assert_true(m.peak > start.live + 4000000);
  if (RECYCLES) assert_true(m.cached >= 4000000);
  mlpl_memory_reset_peak(cx);
  mlpl_memory_trim(cx);
  m = mlpl_memory_use(cx);
  assert_int_equal(m.peak, start.live);
  assert_int_equal(m.cached, 0);
  assert_true(h.bytes < 100000);
  mlpl_memory_set_limit(cx, 1000000);
  assert_int_equal(mlpl_memory_use(cx).limit, 1000000);
  assert_fails(cx, mlpl_tensor_new(cx, &t, MLPL_F32, SIZES(1000000)), MLPL_ENOMEM,
      "tensor: not enough memory: 4000000 "
      "bytes more than the ");
  assert_non_null(strstr(mlpl_error(cx), "in use (limit 1000000)"));
  assert_null(t);
  mlpl_memory_set_limit(cx, 0);
  assert_works(cx, mlpl_tensor_new(cx, &t, MLPL_F32, SIZES(1000000)));
  mlpl_tensor_release(t);
  mlpl_close(cx);
  assert_int_equal(h.blocks, 0);
  assert_int_equal(h.broken, 0);
}

/* One training step: forward, loss, zero_grad, backward, update. */
static void one_step(
    mlpl_ctx *cx, mlpl_module *m, mlpl_optimizer *o, mlpl_tensor *x, mlpl_tensor *t) {
  mlpl_tensor *y, *loss;
  assert_works(cx, mlpl_forward(cx, m, &y, &x, 1));
  assert_works(
      cx, mlpl_call(cx, &loss, "cross_entropy", (mlpl_tensor *[]){y, t}, 2, NULL));
  mlpl_optimizer_zero_grad(o);
  assert_works(cx, mlpl_backward(cx, loss, NULL, 0));
  assert_works(cx, mlpl_optimizer_step(cx, o));
  mlpl_tensor_release(y);
  mlpl_tensor_release(loss);
}

static mlpl_module *small_net(mlpl_ctx *cx) {
  mlpl_module *part[5], *net;
  assert_works(cx,
      mlpl_module_new(
          cx, &part[0], "Linear", ARGS(ARG("in_features", 8), ARG("out_features", 32))));
  assert_works(cx, mlpl_module_new(cx, &part[1], "Tanh", NULL));
  assert_works(cx, mlpl_module_new(cx, &part[2], "Dropout", NULL));
  assert_works(cx, mlpl_module_new(cx, &part[3], "ReLU", NULL));
  assert_works(cx,
      mlpl_module_new(
          cx, &part[4], "Linear", ARGS(ARG("in_features", 32), ARG("out_features", 3))));
  assert_works(cx, mlpl_sequential_new(cx, &net, part, 5));
  for (int i = 0; i < 5; i++) mlpl_module_release(part[i]);
  return net;
}

static void a_training_loop_asks_for_nothing(void **state) {
  (void)state;
  needs_recycling();
  test_heap h;
  mlpl_ctx *cx = open_with(&h);
  mlpl_module *net = small_net(cx);
  mlpl_tensor *p[4], *x, *t, *bx, *by;
  mlpl_optimizer *o;
  mlpl_dataset *ds;
  mlpl_batches *batches;
  uint64_t requests = 0, calls = 0;
  size_t live = 0;
  for (int i = 0; i < 4; i++) p[i] = mlpl_module_parameter(net, i);
  assert_works(cx, mlpl_optimizer_new(cx, &o, "Adam", p, 4, NULL));
  assert_works(cx, mlpl_tensor_randn(cx, &x, MLPL_F32, SIZES(100, 8), 0, 1));
  assert_works(cx, mlpl_tensor_randint(cx, &t, MLPL_I64, SIZES(100), 0, 2));
  assert_works(cx, mlpl_dataset_new(cx, &ds, x, t, (const char *[]){"a", "b", "c"}, 3));
  for (int steps = 0; steps < 1000;) { /* batches of 16, the last of 4 */
    assert_works(cx, mlpl_batches_new(cx, &batches, ds, 16, true, false));
    for (;; steps++) {
      assert_works(cx, mlpl_batches_next(cx, batches, &bx, &by));
      if (!bx) break;
      one_step(cx, net, o, bx, by);
      mlpl_tensor_release(bx);
      mlpl_tensor_release(by);
    }
    mlpl_batches_release(batches);
    if (steps == 14)
      requests = mlpl_memory_use(cx).requests, calls = h.calls,
      live = mlpl_memory_use(cx).live;
  }
  assert_true(requests > 0);
  assert_int_equal(mlpl_memory_use(cx).requests, requests);
  assert_int_equal(h.calls, calls);
  assert_int_equal(mlpl_memory_use(cx).live, live);
  mlpl_dataset_release(ds);
  mlpl_tensor_release(x);
  mlpl_tensor_release(t);
  mlpl_optimizer_release(o);
  mlpl_module_release(net);
  mlpl_close(cx);
  assert_int_equal(h.blocks, 0);
  assert_int_equal(h.broken, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(blocks_are_aligned_and_large_enough),
      cmocka_unit_test(sizes_up_to_a_gigabyte),
      cmocka_unit_test(freed_blocks_are_used_again),
      cmocka_unit_test(zeroed_blocks_are_zero),
      cmocka_unit_test(realloc_keeps_what_was_there),
      cmocka_unit_test(sizes_that_overflow_are_refused),
      cmocka_unit_test(the_limit_holds_live_bytes),
      cmocka_unit_test(a_refusal_is_tried_again_without_the_cache),
      cmocka_unit_test(the_cache_is_bounded),
      cmocka_unit_test(memory_is_counted),
      cmocka_unit_test(a_training_loop_asks_for_nothing),
  };
  return cmocka_run_group_tests_name("heap", tests, NULL, NULL);
}
