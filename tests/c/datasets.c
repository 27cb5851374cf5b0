/* Data sets, their division and their batches; accuracy. */
#include "support.h"

/* [n x 3] in the dtype, row i holds 3i, 3i+1, 3i+2; labels i mod n_classes from the base. */
static mlpl_dataset *make(mlpl_ctx *cx, mlpl_dtype dtype, int64_t n, int n_classes) {
  static const char *const names[] = {"a", "b", "c", "d", "e"};
  mlpl_tensor *x, *y = NULL;
  mlpl_dataset *ds;
  assert_works(cx, mlpl_tensor_new(cx, &x, dtype, 2, (int64_t[]){n, 3}));
  for (int64_t i = 0; i < 3 * n; i++) {
    void *p = mlpl_tensor_data(x);
    switch (dtype) {
      case MLPL_F32: ((float *)p)[i] = (float)i; break;
      case MLPL_F64: ((double *)p)[i] = (double)i; break;
      case MLPL_I64: ((int64_t *)p)[i] = i; break;
      default: ((uint8_t *)p)[i] = (uint8_t)i;
    }
  }
  if (n_classes) {
    assert_works(cx, mlpl_tensor_new(cx, &y, MLPL_I64, 1, &n));
    for (int64_t i = 0; i < n; i++) ((int64_t *)mlpl_tensor_data(y))[i] = i % n_classes + mlpl_index_base(cx);
  }
  assert_works(cx, mlpl_dataset_new(cx, &ds, x, y, names, n_classes));
  mlpl_tensor_release(x);
  mlpl_tensor_release(y);
  return ds;
}

/* Which row of make's x this is; all of it is there, and the label fits. */
static int64_t row_of(mlpl_tensor *x, mlpl_tensor *y, int64_t i, int n_classes, int base) {
  int64_t row = (int64_t)test_at2(x, i, 0) / 3;
  for (int k = 0; k < 3; k++) assert_true(test_at2(x, i, k) == (double)(3 * row + k));
  if (y) assert_true(test_at1(y, i) == (double)(row % n_classes + base));
  return row;
}

static void holds_its_parts(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(1);
  mlpl_dataset *ds = make(cx, MLPL_F32, 6, 2);
  assert_int_equal(mlpl_dataset_size(ds), 6);
  assert_int_equal(mlpl_dataset_n_classes(ds), 2);
  assert_string_equal(mlpl_dataset_class(ds, 1), "b");
  assert_null(mlpl_dataset_class(ds, 2));
  assert_int_equal(mlpl_dataset_n_names(ds), 0);
  mlpl_dataset_release(mlpl_dataset_retain(ds));
  mlpl_dataset_release(ds);
  mlpl_dataset_release(NULL);
  test_close(cx);
}

static void checks_its_parts(void **state) {
  (void)state;
  static const char *const names[] = {"a", "b", NULL};
  mlpl_ctx *cx = test_open(1);
  mlpl_dataset *ds;
  mlpl_tensor *x, *scalar, *short_y, *real_y, *y, *wide_y;
  mlpl_tensor_full(cx, &x, MLPL_F32, 2, (int64_t[]){3, 2}, 0);
  mlpl_tensor_full(cx, &scalar, MLPL_F32, 0, NULL, 0);
  mlpl_tensor_full(cx, &short_y, MLPL_I64, 1, (int64_t[]){2}, 1);
  mlpl_tensor_full(cx, &real_y, MLPL_F32, 1, (int64_t[]){3}, 1);
  mlpl_tensor_full(cx, &wide_y, MLPL_I64, 2, (int64_t[]){3, 1}, 1);
  mlpl_tensor_copy(cx, &y, MLPL_I64, 1, (int64_t[]){3}, (int64_t[]){1, 2, 3});
  assert_fails(cx, mlpl_dataset_new(cx, &ds, scalar, NULL, NULL, 0), MLPL_ESHAPE, "data set: x is a scalar");
  assert_fails(cx, mlpl_dataset_new(cx, &ds, x, short_y, NULL, 0), MLPL_ESHAPE,
      "data set: x and y differ in rows: x is [3x2], y is [2]");
  assert_fails(cx, mlpl_dataset_new(cx, &ds, x, scalar, NULL, 0), MLPL_ESHAPE, "differ in rows");
  assert_fails(cx, mlpl_dataset_new(cx, &ds, x, NULL, names, 2), MLPL_EARG, "there are classes, but no y");
  assert_fails(cx, mlpl_dataset_new(cx, &ds, x, real_y, names, 2), MLPL_EARG,
      "data set: with classes y holds i64 labels [n]; it is f32 [3]");
  assert_fails(cx, mlpl_dataset_new(cx, &ds, x, wide_y, names, 2), MLPL_ESHAPE, "labels [n]; it is i64 [3x1]");
  assert_fails(cx, mlpl_dataset_new(cx, &ds, x, y, names, 2), MLPL_EARG, "data set: row 3 of the target is 3");
  assert_fails(cx, mlpl_dataset_new(cx, &ds, x, y, names, 3), MLPL_EARG, "data set: class 3 has no name");
  assert_fails(cx, mlpl_dataset_new(cx, &ds, x, y, NULL, 3), MLPL_EARG, "data set: 3 classes without names");
  assert_null(ds);
  mlpl_tensor *all[] = {x, scalar, short_y, real_y, y, wide_y};
  for (int i = 0; i < COUNT(all); i++) mlpl_tensor_release(all[i]);
  test_close(cx);
}

/* ---- split ----------------------------------------------------------------------------------------- */

/* a and b hold every row once; marks a's rows in `in_a`. */
static void check_parts(mlpl_dataset *a, mlpl_dataset *b, int64_t n, int n_classes, int base, bool *in_a, bool sorted) {
  int seen[200] = {0};
  mlpl_dataset *part[] = {a, b};
  for (int k = 0; k < 2; k++) {
    int64_t last = -1;
    for (int64_t i = 0; i < mlpl_dataset_size(part[k]); i++) {
      int64_t row = row_of(mlpl_dataset_x(part[k]), mlpl_dataset_y(part[k]), i, n_classes, base);
      assert_in_range(row, 0, n - 1);
      seen[row]++;
      in_a[row] = k == 0;
      if (sorted) assert_true(row > last);
      last = row;
    }
  }
  for (int64_t i = 0; i < n; i++) assert_int_equal(seen[i], 1);
}

static void splits(void **state) {
  (void)state;
  for (int base = 0; base <= 1; base++)
    for (int flags = 0; flags < 4; flags++)
      for (int64_t n = 0; n <= 60; n += n < 6 ? 1 : 27) {
        mlpl_ctx *cx = test_open(base);
        mlpl_dataset *ds = make(cx, MLPL_F32, n, 3), *a, *b;
        bool in_a[200];
        assert_works(cx, mlpl_dataset_split(cx, ds, .7, flags, &a, &b));
        check_parts(a, b, n, 3, base, in_a, !(flags & MLPL_SHUFFLE));
        int64_t wanted = (int64_t)floor(.7 * (double)n + .5);
        if (flags & MLPL_STRATIFY) {
          int count[3] = {0}, taken[3] = {0};
          for (int64_t i = 0; i < n; i++) count[i % 3]++, taken[i % 3] += in_a[i];
          for (int c = 0; c < 3; c++) assert_int_equal(taken[c], (int)floor(.7 * count[c] + .5));
        } else {
          assert_int_equal(mlpl_dataset_size(a), wanted);
        }
        if (flags == 0)
          for (int64_t i = 0; i < n; i++) assert_int_equal(in_a[i], i < wanted);
        assert_int_equal(mlpl_dataset_n_classes(b), 3);
        assert_string_equal(mlpl_dataset_class(b, 2), "c");
        mlpl_dataset_release(ds);
        mlpl_dataset_release(a);
        mlpl_dataset_release(b);
        test_close(cx);
      }
}

static void split_repeats_with_its_seed(void **state) {
  (void)state;
  bool in_a[3][200];
  for (int k = 0; k < 3; k++) {
    mlpl_ctx *cx = test_open(0);
    mlpl_seed(cx, k < 2 ? 7 : 8);
    mlpl_dataset *ds = make(cx, MLPL_F32, 80, 4), *a, *b;
    assert_works(cx, mlpl_dataset_split(cx, ds, .5, MLPL_SHUFFLE | MLPL_STRATIFY, &a, &b));
    check_parts(a, b, 80, 4, 0, in_a[k], false);
    mlpl_dataset_release(ds);
    mlpl_dataset_release(a);
    mlpl_dataset_release(b);
    test_close(cx);
  }
  assert_memory_equal(in_a[0], in_a[1], 80);
  assert_memory_not_equal(in_a[0], in_a[2], 80);
}

static void split_checks_its_arguments(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_dataset *ds = make(cx, MLPL_F32, 4, 0), *a, *b;
  static const double bad[] = {0, 1, -1, 2, NAN, INFINITY};
  for (int i = 0; i < COUNT(bad); i++)
    assert_fails(cx, mlpl_dataset_split(cx, ds, bad[i], 0, &a, &b), MLPL_EARG, "is not between 0 and 1");
  assert_fails(cx, mlpl_dataset_split(cx, ds, .5, MLPL_STRATIFY, &a, &b), MLPL_EARG,
      "split: stratify needs a data set with classes");
  assert_fails(cx, mlpl_dataset_split(cx, ds, .5, 8, &a, &b), MLPL_EARG, "split: unknown flags 8");
  assert_null(a);
  assert_null(b);
  mlpl_dataset_release(ds);
  test_close(cx);
}

/* ---- batches ------------------------------------------------------------------------------------------ */

static void batches_meet_every_row_once(void **state) {
  (void)state;
  static const mlpl_dtype dtypes[] = {MLPL_F32, MLPL_F64, MLPL_I64, MLPL_U8};
  mlpl_ctx *cx = test_open(1);
  for (int64_t n = 0; n <= 70; n += n < 5 ? 1 : 13)
    for (int64_t size = 1; size <= 40; size *= 3)
      for (int k = 0; k < 4 * COUNT(dtypes); k++) {
        const bool shuffle = k & 1, drop = k & 2;
        mlpl_dataset *ds = make(cx, dtypes[k / 4], n, 3);
        mlpl_batches *b;
        mlpl_tensor *x, *y;
        assert_works(cx, mlpl_batches_new(cx, &b, ds, size, shuffle, drop));
        mlpl_dataset_release(ds); /* the batches keep it */
        int seen[200] = {0};
        int64_t count = 0, rows = 0;
        for (;;) {
          assert_works(cx, mlpl_batches_next(cx, b, &x, &y));
          if (!x) break;
          int64_t m = mlpl_tensor_shape(x)[0];
          assert_true(mlpl_tensor_is_contiguous(x));
          assert_int_equal(mlpl_tensor_shape(y)[0], m);
          assert_int_equal(m, n - rows < size ? n - rows : size);
          for (int64_t i = 0; i < m; i++) {
            int64_t row = row_of(x, y, i, 3, 1);
            if (!shuffle) assert_int_equal(row, rows + i);
            seen[row]++;
          }
          rows += m, count++;
          mlpl_tensor_release(x);
          mlpl_tensor_release(y);
        }
        assert_null(y);
        assert_int_equal(rows, drop ? n - n % size : n);
        assert_int_equal(count, mlpl_batches_count(b));
        for (int64_t i = 0; i < n; i++) assert_true(seen[i] == 1 || (drop && seen[i] == 0));
        mlpl_batches_release(b);
      }
  mlpl_batches_release(NULL);
  test_close(cx);
}

static void batches_of_other_shapes(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_dataset *ds;
  mlpl_batches *b;
  mlpl_tensor *x, *t, *y, *bx, *by;
  /* x is a transposed view, y has two axes, no row has a label. */
  assert_works(cx, mlpl_tensor_arange(cx, &x, MLPL_F64, 0, 23, 1));
  assert_works(cx, mlpl_call(cx, &t, "reshape", &x, 1, (mlpl_arg[]){{.name = "sizes", .value = 3, .sizes = (int64_t[]){2, 3, 4}}, {0}}));
  mlpl_tensor_release(x);
  assert_works(cx, mlpl_call(cx, &x, "transpose", &t, 1, (mlpl_arg[]){{.name = "dim0"}, {.name = "dim1", .value = 2}, {0}}));
  assert_false(mlpl_tensor_is_contiguous(x)); /* [4 x 3 x 2] */
  assert_works(cx, mlpl_tensor_full(cx, &y, MLPL_F32, 2, (int64_t[]){4, 0}, 0));
  assert_works(cx, mlpl_dataset_new(cx, &ds, x, y, NULL, 0));
  for (int shuffle = 0; shuffle <= 1; shuffle++) {
    assert_works(cx, mlpl_batches_new(cx, &b, ds, 3, shuffle, false));
    assert_works(cx, mlpl_batches_next(cx, b, &bx, &by));
    assert_int_equal(mlpl_tensor_ndim(bx), 3);
    assert_int_equal(mlpl_tensor_shape(bx)[2], 2);
    assert_int_equal(mlpl_tensor_shape(by)[1], 0);
    for (int64_t i = 0; i < 3; i++) {
      double first = test_get(bx, (int64_t[]){i, 0, 0}); /* element [row, 0, 0] = row */
      if (!shuffle) assert_true(first == (double)i);
      for (int64_t k = 0; k < 6; k++)
        assert_true(test_get(bx, (int64_t[]){i, k / 2, k % 2}) == first + 4 * (double)(k / 2) + 12 * (double)(k % 2));
    }
    mlpl_tensor_release(bx);
    mlpl_tensor_release(by);
    mlpl_batches_release(b);
  }
  mlpl_tensor_release(x);
  mlpl_tensor_release(t);
  mlpl_tensor_release(y);
  mlpl_dataset_release(ds);
  test_close(cx);
}

/* Large batches are copied by several threads: the same rows. */
static void large_batches(void **state) {
  (void)state;
  const int64_t n = 3001, width = 131;
  float *first = NULL;
  for (int threads = 1; threads <= 3; threads++) {
    mlpl_ctx *cx;
    mlpl_dataset *ds;
    mlpl_batches *b;
    mlpl_tensor *x, *bx, *by;
    assert_int_equal(mlpl_open(&cx, &(mlpl_config){.threads = threads, .seed = 3}), MLPL_OK);
    assert_works(cx, mlpl_tensor_randn(cx, &x, MLPL_F32, 2, (int64_t[]){n, width}, 0, 1));
    assert_works(cx, mlpl_dataset_new(cx, &ds, x, NULL, NULL, 0));
    assert_works(cx, mlpl_batches_new(cx, &b, ds, 2000, true, false));
    assert_works(cx, mlpl_batches_next(cx, b, &bx, &by));
    assert_null(by);
    const size_t bytes = 2000 * (size_t)width * sizeof(float);
    if (!first) first = memcpy(malloc(bytes), mlpl_tensor_data(bx), bytes);
    assert_memory_equal(first, mlpl_tensor_data(bx), bytes);
    mlpl_tensor_release(x);
    mlpl_tensor_release(bx);
    mlpl_batches_release(b);
    mlpl_dataset_release(ds);
    test_close(cx);
  }
  free(first);
}

static void batches_check_their_size(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_dataset *ds = make(cx, MLPL_F32, 4, 0);
  mlpl_batches *b;
  assert_fails(cx, mlpl_batches_new(cx, &b, ds, 0, false, false), MLPL_EARG, "batches: size 0 is less than 1");
  assert_fails(cx, mlpl_batches_new(cx, &b, ds, -5, true, false), MLPL_EARG, "batches: size -5 is less than 1");
  assert_null(b);
  assert_works(cx, mlpl_batches_new(cx, &b, ds, INT64_MAX, true, false));
  assert_int_equal(mlpl_batches_count(b), 1);
  mlpl_batches_release(b);
  mlpl_dataset_release(ds);
  test_close(cx);
}

/* A training loop in its stride asks the host for nothing. */
static void batches_allocate_nothing_new(void **state) {
  (void)state;
#ifdef __SANITIZE_ADDRESS__
  print_message("skipped: under the sanitizer no memory is recycled\n");
  skip();
#endif
  mlpl_ctx *cx = test_open(0);
  mlpl_dataset *ds = make(cx, MLPL_F32, 50, 5);
  uint64_t before = 0;
  for (int epoch = 0; epoch < 4; epoch++) {
    mlpl_batches *b;
    mlpl_tensor *x, *y;
    assert_works(cx, mlpl_batches_new(cx, &b, ds, 8, true, false));
    while (mlpl_batches_next(cx, b, &x, &y) == MLPL_OK && x) {
      mlpl_tensor_release(x);
      mlpl_tensor_release(y);
    }
    mlpl_batches_release(b);
    if (epoch == 0) before = mlpl_memory_use(cx).requests;
  }
  assert_int_equal(mlpl_memory_use(cx).requests, before);
  mlpl_dataset_release(ds);
  test_close(cx);
}

static mlpl_status whole_task(mlpl_ctx *cx, void *unused) {
  (void)unused;
  static const char *const names[] = {"a", "b"};
  mlpl_tensor *x = NULL, *y = NULL, *bx = NULL, *by = NULL;
  mlpl_dataset *ds = NULL, *a = NULL, *b = NULL;
  mlpl_batches *batches = NULL;
  const int64_t labels[] = {0, 1, 0, 1};
  mlpl_status s = mlpl_tensor_full(cx, &x, MLPL_F32, 2, (int64_t[]){4, 3}, 1);
  if (s == MLPL_OK) s = mlpl_tensor_copy(cx, &y, MLPL_I64, 1, (int64_t[]){4}, labels);
  if (s == MLPL_OK) s = mlpl_dataset_new(cx, &ds, x, y, names, 2);
  if (s == MLPL_OK) s = mlpl_dataset_split(cx, ds, .5, MLPL_SHUFFLE | MLPL_STRATIFY, &a, &b);
  if (s == MLPL_OK) s = mlpl_batches_new(cx, &batches, a, 1, true, false);
  if (s == MLPL_OK) s = mlpl_batches_next(cx, batches, &bx, &by);
  double share;
  if (s == MLPL_OK) s = mlpl_accuracy(cx, &share, bx, by);
  mlpl_tensor_release(x);
  mlpl_tensor_release(y);
  mlpl_tensor_release(bx);
  mlpl_tensor_release(by);
  mlpl_batches_release(batches);
  mlpl_dataset_release(ds);
  mlpl_dataset_release(a);
  mlpl_dataset_release(b);
  return s;
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  test_every_failure(whole_task, NULL);
}

/* ---- accuracy -------------------------------------------------------------------------------------------- */

static void counts_hits(void **state) {
  (void)state;
  for (int base = 0; base <= 1; base++) {
    mlpl_ctx *cx = test_open(base);
    mlpl_tensor *scores, *target, *labels;
    double share;
    const double s[] = {1, 3, 2, 5, 5, 0, 0, 0, 0, 1, NAN, 9, -2, -1, -3};
    int64_t y[] = {1, 0, 0, 1, 0}, z[] = {1, 1, 0, 1, 2};
    for (int i = 0; i < 5; i++) y[i] += base, z[i] += base;
    assert_works(cx, mlpl_tensor_copy(cx, &scores, MLPL_F64, 2, (int64_t[]){5, 3}, s));
    assert_works(cx, mlpl_tensor_copy(cx, &target, MLPL_I64, 1, (int64_t[]){5}, y));
    assert_works(cx, mlpl_tensor_copy(cx, &labels, MLPL_I64, 1, (int64_t[]){5}, z));
    assert_works(cx, mlpl_accuracy(cx, &share, scores, target));
    assert_true(share == 4. / 5);
    assert_works(cx, mlpl_accuracy(cx, &share, labels, target));
    assert_true(share == 3. / 5);
    mlpl_tensor_release(scores);
    mlpl_tensor_release(target);
    mlpl_tensor_release(labels);
    test_close(cx);
  }
}

static void accuracy_checks_its_arguments(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(1);
  mlpl_tensor *scores, *y, *real, *empty, *none, *wild;
  double share;
  mlpl_tensor_full(cx, &scores, MLPL_F32, 2, (int64_t[]){3, 2}, 0);
  mlpl_tensor_full(cx, &y, MLPL_I64, 1, (int64_t[]){2}, 1);
  mlpl_tensor_full(cx, &wild, MLPL_I64, 1, (int64_t[]){3}, 3);
  mlpl_tensor_full(cx, &real, MLPL_F32, 1, (int64_t[]){3}, 1);
  mlpl_tensor_full(cx, &empty, MLPL_F32, 2, (int64_t[]){0, 2}, 1);
  mlpl_tensor_full(cx, &none, MLPL_I64, 1, (int64_t[]){0}, 1);
  assert_fails(cx, mlpl_accuracy(cx, &share, scores, y), MLPL_ESHAPE,
      "accuracy: expected scores [n x k] or labels [n] and a target [n]: they are [3x2] and [2]");
  assert_fails(cx, mlpl_accuracy(cx, &share, scores, scores), MLPL_ESHAPE, "[3x2] and [3x2]");
  assert_fails(cx, mlpl_accuracy(cx, &share, scores, real), MLPL_EARG, "accuracy: the target is f32; labels are i64");
  assert_fails(cx, mlpl_accuracy(cx, &share, real, wild), MLPL_EARG, "accuracy: the labels in scores are f32; they are i64");
  assert_fails(cx, mlpl_accuracy(cx, &share, scores, wild), MLPL_EARG,
      "accuracy: row 1 of the target is 3; with 2 classes labels run from 1 to 2");
  assert_works(cx, mlpl_accuracy(cx, &share, empty, none));
  assert_true(isnan(share));
  assert_works(cx, mlpl_accuracy(cx, &share, none, none));
  assert_true(isnan(share));
  mlpl_tensor *all[] = {scores, y, real, empty, none, wild};
  for (int i = 0; i < COUNT(all); i++) mlpl_tensor_release(all[i]);
  test_close(cx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(holds_its_parts),
      cmocka_unit_test(checks_its_parts),
      cmocka_unit_test(splits),
      cmocka_unit_test(split_repeats_with_its_seed),
      cmocka_unit_test(split_checks_its_arguments),
      cmocka_unit_test(batches_meet_every_row_once),
      cmocka_unit_test(batches_of_other_shapes),
      cmocka_unit_test(large_batches),
      cmocka_unit_test(batches_check_their_size),
      cmocka_unit_test(batches_allocate_nothing_new),
      cmocka_unit_test(every_allocation_may_fail),
      cmocka_unit_test(counts_hits),
      cmocka_unit_test(accuracy_checks_its_arguments),
  };
  return cmocka_run_group_tests_name("datasets", tests, NULL, NULL);
}
