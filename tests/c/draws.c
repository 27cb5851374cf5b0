/*
** Draws by probability and by weight, permutations and fills in place: their
** distributions, that they do not depend on threads, and what is refused.
*/
#include "tensor_test.h"

/* Chi-square of counts against expected ones; k of them above 0: mean k - 1, deviation
   sqrt(2 (k - 1)). */
static void check_counts(const int64_t *count, const double *expected, int n) {
  double chi = 0;
  int k = 0;
  for (int i = 0; i < n; i++) {
    if (expected[i] == 0) assert_int_equal(count[i], 0);
    if (expected[i] == 0) continue;
    chi += pow((double)count[i] - expected[i], 2) / expected[i];
    k++;
  }
  if (chi > k - 1 + 5 * sqrt(2.0 * (k - 1))) fail_msg("chi-square %g of %d", chi, k);
}

/* ---- permutations ------------------------------------------------------------------ */

static void randperm_holds_each_number_once(void **state) {
  (void)state;
  for (int base = 0; base <= 1; base++) {
    mlpl_ctx *cx = test_open(base);
    static const mlpl_dtype dtypes[] = {MLPL_I64, MLPL_F32, MLPL_F64, MLPL_U8};
    for (int k = 0; k < COUNT(dtypes); k++) {
      mlpl_tensor *t;
      bool seen[200] = {false};
      assert_works(cx, mlpl_tensor_randperm(cx, &t, dtypes[k], 200));
      for (int i = 0; i < 200; i++) {
        int v = (int)test_element(t, i) - base;
        assert_in_range(v, 0, 199);
        assert_false(seen[v]);
        seen[v] = true;
      }
      mlpl_tensor_release(t);
    }
    static const int64_t sizes[] = {1, 2, 63, 64, 65, 66, 128, 129, 130};
    for (int k = 0; k < COUNT(sizes); k++) { /* so many are drawn ahead */
      mlpl_tensor *t;
      bool seen[200] = {false};
      assert_works(cx, mlpl_tensor_randperm(cx, &t, MLPL_I64, sizes[k]));
      for (int i = 0; i < sizes[k]; i++) seen[(int)test_element(t, i) - base] = true;
      for (int i = 0; i < sizes[k]; i++) assert_true(seen[i]);
      mlpl_tensor_release(t);
    }
    mlpl_tensor *empty;
    assert_works(cx, mlpl_tensor_randperm(cx, &empty, MLPL_I64, 0));
    assert_int_equal(test_hold(empty)->numel, 0);
    assert_fails(cx, mlpl_tensor_randperm(cx, &empty, MLPL_I64, -1), MLPL_EARG,
        "randperm: n is -1; it must be 0 or more");
    assert_fails(cx, mlpl_tensor_randperm(cx, &empty, MLPL_U8, 257), MLPL_EARG,
        base ? "randperm: n is too large: the numbers up to 257 do not fit u8"
             : "randperm: n is too large: the numbers up to 256 do not fit u8");
    assert_fails(cx, mlpl_tensor_randperm(cx, &empty, (mlpl_dtype)9, 1), MLPL_EARG,
        "randperm: no dtype has number 9");
    test_drop_and_close(cx);
  }
}

/* ---- by probabilities -------------------------------------------------------------- */

static void bernoulli_meets_its_probabilities(void **state) {
  (void)state;
  enum { N = 40000 };
  mlpl_ctx *cx = test_open(0);
  static const double shares[] = {0, 0.02, 0.3, 0.5, 0.97, 1};
  for (int dtype = MLPL_F32; dtype <= MLPL_F64; dtype++)
    for (int k = 0; k < COUNT(shares); k++) {
      mlpl_tensor *p, *t;
      int64_t count[2] = {0};
      assert_works(cx, mlpl_tensor_full(cx, &p, dtype, SIZES(N), shares[k]));
      assert_works(cx, mlpl_tensor_bernoulli(cx, &t, p));
      for (int i = 0; i < N; i++) count[(int)test_element(t, i)]++;
      double share = test_element(p, 0);
      check_counts(count, VALUES(N * (1 - share), N * share), 2);
      mlpl_tensor_release(t);
      mlpl_tensor_release(p);
    }
  mlpl_tensor *t, *m = MATRIX(cx, 2, 2, 0, 1, 1, 0);
  assert_works(cx, mlpl_tensor_bernoulli(cx, &t, CALL1(cx, "t", m)));
  assert_values(test_hold(t), 0, 1, 1, 0);
  assert_works(cx, mlpl_tensor_bernoulli(cx, &t, test_new(cx, MLPL_F32, SIZES(0, 3))));
  assert_int_equal(test_hold(t)->numel, 0);
  test_drop_and_close(cx);
}

static void bernoulli_fills(void **state) {
  (void)state;
  enum { N = 20000 };
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *p = test_scalar(cx, 0.25);
  for (int dtype = MLPL_F32; dtype <= MLPL_BOOL; dtype++) {
    int64_t count[2] = {0};
    mlpl_tensor *t = test_new(cx, dtype, SIZES(N));
    assert_works(cx, mlpl_tensor_fill_bernoulli(cx, t, p));
    for (int i = 0; i < N; i++) count[(int)test_element(t, i)]++;
    check_counts(count, VALUES(N * 0.75, N * 0.25), 2);
  }
  mlpl_tensor *t = CALL1(cx, "t", MATRIX(cx, 2, 2, 9, 9, 9, 9)); /* any strides */
  assert_works(cx, mlpl_tensor_fill_bernoulli(cx, t, MATRIX(cx, 2, 2, 0, 1, 0, 1)));
  assert_values(t, 0, 1, 0, 1);
  test_drop_and_close(cx);
}

/* ---- by weights -------------------------------------------------------------------- */

static void multinomial_with_replacement(void **state) {
  (void)state;
  enum { N = 60000 };
  mlpl_ctx *cx = test_open(1);
  mlpl_tensor *w = MATRIX(cx, 2, 5, 0, 1, 2, 0, 3, 10, 0, 0, 30, 0), *t;
  assert_works(cx, mlpl_tensor_multinomial(cx, &t, w, N, true));
  test_hold(t);
  assert_int_equal(t->dtype, MLPL_I64);
  assert_int_equal(t->shape[0], 2);
  int64_t count[2][5] = {{0}};
  for (int64_t i = 0; i < 2 * N; i++)
    count[i / N][(int64_t)test_element(t, i) - 1]++;
  check_counts(count[0], VALUES(0, N / 6., N / 3., 0, N / 2.), 5);
  check_counts(count[1], VALUES(N / 4., 0, 0, N * 0.75, 0), 5);
  test_drop_and_close(cx);
}

/* The six orders of two out of three: w_a / sum * w_b / (sum - w_a). */
static void multinomial_without_replacement(void **state) {
  (void)state;
  enum { N = 30000 };
  mlpl_ctx *cx = test_open(0);
  static const double w[] = {1, 2, 5};
  double expected[9] = {0};
  int64_t count[9] = {0};
  mlpl_tensor *rows, *t, *one = VECTOR(cx, 1, 2, 5);
  for (int a = 0; a < 3; a++)
    for (int b = 0; b < 3; b++)
      if (a != b) expected[3 * a + b] = N * w[a] / 8 * w[b] / (8 - w[a]);
  int64_t sizes[] = {N, 3};
  mlpl_arg args[] = {{.name = "sizes", .value = 2, .sizes = sizes}, {0}};
  rows = test_call(cx, "expand", &one, 1, args);
  assert_works(cx, mlpl_tensor_multinomial(cx, &t, rows, 2, false));
  test_hold(t);
  for (int i = 0; i < N; i++)
    count[3 * (int)test_element(t, 2 * i) + (int)test_element(t, 2 * i + 1)]++;
  check_counts(count, expected, 9);
  mlpl_tensor *few = VECTOR(cx, 0, 1, 0, 1);
  for (int i = 0; i < 100; i++) {
    assert_works(cx, mlpl_tensor_multinomial(cx, &t, few, 2, false));
    double first = test_element(t, 0), second = test_element(t, 1);
    assert_true((first == 1 && second == 3) || (first == 3 && second == 1));
    mlpl_tensor_release(t);
  }
  test_drop_and_close(cx);
}

static void what_draws_refuse(void **state) {
  (void)state;
  for (int base = 0; base <= 1; base++) {
    mlpl_ctx *cx = test_open(base);
    mlpl_random_state before = mlpl_random_get(cx);
    mlpl_tensor *t, *whole = test_new(cx, MLPL_I64, SIZES(2));
    assert_fails(cx, mlpl_tensor_bernoulli(cx, &t, VECTOR(cx, 0.5, 1.25)), MLPL_EARG,
        base ? "bernoulli: p at element 2 is 1.25; it must be from 0 to 1"
             : "bernoulli: p at element 1 is 1.25");
    assert_null(t);
    assert_fails(cx, mlpl_tensor_bernoulli(cx, &t, VECTOR(cx, 0.5, NAN)), MLPL_EARG,
        "is nan; it must be from 0 to 1");
    assert_fails(cx, mlpl_tensor_bernoulli(cx, &t, whole), MLPL_EARG,
        "bernoulli: dtype is i64; random real numbers need f32 or f64");
    assert_fails(cx, mlpl_tensor_fill_bernoulli(cx, whole, test_scalar(cx, -1)), MLPL_EARG,
        "bernoulli_: p is -1; it must be from 0 to 1");
    assert_fails(cx, mlpl_tensor_fill_bernoulli(cx, whole, VECTOR(cx, 0, 0, 0)),
        MLPL_ESHAPE,
        "bernoulli_: the tensor is [2], p is [3]; it must have its shape");
    assert_fails(cx, mlpl_tensor_multinomial(cx, &t, VECTOR(cx, 1, -2), 1, true),
        MLPL_EARG,
        base ? "multinomial: weight 2 of row 1 is -2; weights are finite and not negative"
             : "multinomial: weight 1 of row 0 is -2");
    assert_fails(cx, mlpl_tensor_multinomial(cx, &t, VECTOR(cx, 1, INFINITY), 1, true),
        MLPL_EARG, "is inf; weights are finite");
    assert_fails(cx, mlpl_tensor_multinomial(cx, &t, VECTOR(cx, 0, 0), 1, true), MLPL_EARG,
        "add up to 0; the sum must be finite and above 0");
    assert_fails(cx, mlpl_tensor_multinomial(cx, &t, VECTOR(cx, 1e308, 1e308), 1, true),
        MLPL_EARG, "add up to inf");
    assert_fails(cx, mlpl_tensor_multinomial(cx, &t, VECTOR(cx, 0, 3), 2, false), MLPL_EARG,
        base ? "multinomial: row 1 has 1 weights above 0; without replacement, 2 cannot be "
               "drawn"
             : "multinomial: row 0 has 1 weights above 0");
    assert_fails(cx, mlpl_tensor_multinomial(cx, &t, VECTOR(cx, 3), 0, true), MLPL_EARG,
        "multinomial: n is 0; it must be at least 1");
    assert_fails(cx, mlpl_tensor_multinomial(cx, &t, test_scalar(cx, 1), 1, true),
        MLPL_ESHAPE,
        "multinomial: the weights are []; they must have one axis, or two for rows");
    assert_null(t);
    assert_true(mlpl_random_get(cx).counter == before.counter);
    test_drop_and_close(cx);
  }
}

/* ---- in place ---------------------------------------------------------------------- */

static void fills_have_their_distributions(void **state) {
  (void)state;
  enum { N = 60000, BINS = 10 };
  mlpl_ctx *cx = test_open(0);
  double even[BINS];
  for (int i = 0; i < BINS; i++) even[i] = N / (double)BINS;
  for (int dtype = MLPL_F32; dtype <= MLPL_F64; dtype++)
    for (int kind = 0; kind < 3; kind++) {
      int64_t count[BINS] = {0};
      mlpl_tensor *t = test_new(cx, dtype, SIZES(N));
      uint32_t version = t->storage->version;
      assert_works(cx,
          kind == 0       ? mlpl_tensor_fill_uniform(cx, t, -2, 3)
              : kind == 1 ? mlpl_tensor_fill_normal(cx, t, 1, 2)
                          : mlpl_tensor_fill_exponential(cx, t, 0.5));
      assert_true(t->storage->version != version); /* recorded operations notice */
      for (int i = 0; i < N; i++) { /* the distribution function makes it uniform */
        double v = test_element(t, i), u = kind == 0 ? (v + 2) / 5
            : kind == 1                              ? 0.5 * erfc(-(v - 1) / 2 / sqrt(2))
                                                     : -expm1(-0.5 * v);
        assert_true(u >= 0 && u <= 1);
        count[u < 1 ? (int)(u * BINS) : BINS - 1]++;
      }
      check_counts(count, even, BINS);
    }
  test_drop_and_close(cx);
}

static void fills_reach_a_view_and_no_more(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *t = test_new(cx, MLPL_F32, SIZES(4, 6)), *turned = CALL1(cx, "t", t);
  mlpl_tensor *part = test_call(cx, "narrow", &turned, 1,
      ARGS(ARG("dim", 0), ARG("start", 2), ARG("length", 3)));
  assert_works(cx, mlpl_tensor_fill_uniform(cx, part, 1, 2));
  for (int i = 0; i < 4; i++)
    for (int k = 0; k < 6; k++) {
      double v = test_at2(t, i, k);
      assert_true(k < 2 || k > 4 ? v == 0 : v >= 1 && v < 2);
    }
  test_drop_and_close(cx);
}

static void what_fills_refuse(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = VECTOR(cx, 1, 2), *whole = test_new(cx, MLPL_I64, SIZES(2));
  assert_fails(cx, mlpl_tensor_fill_uniform(cx, x, 2, 1), MLPL_EARG,
      "uniform_: from 2 to 1; the bounds must be finite and in order");
  mlpl_tensor *t;
  assert_fails(cx, mlpl_tensor_rand(cx, &t, MLPL_F64, SIZES(2), -1e308, 1.5e308),
      MLPL_EARG, "rand: from -1e+308 to 1.5e+308; the bounds must be finite");
  assert_null(t);
  assert_fails(cx, mlpl_tensor_fill_normal(cx, x, 0, -1), MLPL_EARG,
      "normal_: mean 0, std -1; they must be finite, std not negative");
  assert_fails(cx, mlpl_tensor_fill_exponential(cx, x, 0), MLPL_EARG,
      "exponential_: lambd is 0; it must be finite and above 0");
  assert_fails(cx, mlpl_tensor_fill_normal(cx, whole, 0, 1), MLPL_EARG,
      "normal_: dtype is i64; random real numbers need f32 or f64");
  int64_t sizes[] = {2, 2};
  mlpl_arg args[] = {{.name = "sizes", .value = 2, .sizes = sizes}, {0}};
  mlpl_tensor *wide = test_call(cx, "expand", &x, 1, args);
  assert_fails(cx, mlpl_tensor_fill_uniform(cx, wide, 0, 1), MLPL_EARG,
      "uniform_: the tensor, [2x2], is stretched: several of its elements share one place "
      "in memory; :clone() it first");
  test_leaf(cx, x);
  assert_fails(cx, mlpl_tensor_fill_uniform(cx, x, 0, 1), MLPL_ESTATE,
      "uniform_: the tensor is a leaf that requires a gradient, and what was recorded with "
      "it would lose its value; change it under no_grad");
  assert_values(x, 1, 2);
  mlpl_set_grad_enabled(cx, false);
  assert_works(cx, mlpl_tensor_fill_uniform(cx, x, 5, 6));
  mlpl_set_grad_enabled(cx, true);
  assert_true(test_element(x, 0) >= 5);
  test_drop_and_close(cx);
}

/* ---- all of them ------------------------------------------------------------------- */

static mlpl_status draw_all(mlpl_ctx *cx, mlpl_tensor **t) {
  mlpl_tensor *p = NULL;
  mlpl_status status = mlpl_tensor_full(cx, &p, MLPL_F32, SIZES(3, 40000), 0.3);
  if (status == MLPL_OK) status = mlpl_tensor_bernoulli(cx, &t[0], p);
  if (status == MLPL_OK) status = mlpl_tensor_multinomial(cx, &t[1], p, 70, false);
  if (status == MLPL_OK) status = mlpl_tensor_multinomial(cx, &t[2], p, 70, true);
  if (status == MLPL_OK) status = mlpl_tensor_randperm(cx, &t[3], MLPL_F32, 100);
  if (status == MLPL_OK) status = mlpl_tensor_clone(cx, &t[4], p);
  if (status == MLPL_OK) status = mlpl_tensor_fill_exponential(cx, t[4], 2);
  if (status == MLPL_OK) status = mlpl_tensor_clone(cx, &t[5], p);
  if (status == MLPL_OK) status = mlpl_tensor_fill_bernoulli(cx, t[5], p);
  mlpl_tensor_release(p);
  return status;
}

static void streams_do_not_depend_on_threads(void **state) {
  (void)state;
  static const int threads[] = {1, 2, 5};
  mlpl_tensor *t[COUNT(threads)][6] = {{NULL}};
  mlpl_ctx *cx = test_open(0);
  for (int k = 0; k < COUNT(threads); k++) {
    assert_works(cx, mlpl_set_threads(cx, threads[k]));
    mlpl_seed(cx, 3);
    assert_works(cx, draw_all(cx, t[k]));
    for (int i = 0; i < 6; i++) {
      test_hold(t[k][i]);
      assert_true(test_same_bits(t[0][i], t[k][i]));
    }
  }
  test_drop_and_close(cx);
}

static mlpl_status draw_and_drop(mlpl_ctx *cx, void *ud) {
  (void)ud;
  mlpl_tensor *t[6] = {NULL};
  mlpl_status status = draw_all(cx, t);
  for (int i = 0; i < 6; i++) mlpl_tensor_release(t[i]);
  return status;
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  test_every_failure(draw_and_drop, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(randperm_holds_each_number_once),
      cmocka_unit_test(bernoulli_meets_its_probabilities),
      cmocka_unit_test(bernoulli_fills),
      cmocka_unit_test(multinomial_with_replacement),
      cmocka_unit_test(multinomial_without_replacement),
      cmocka_unit_test(what_draws_refuse),
      cmocka_unit_test(fills_have_their_distributions),
      cmocka_unit_test(fills_reach_a_view_and_no_more),
      cmocka_unit_test(what_fills_refuse),
      cmocka_unit_test(streams_do_not_depend_on_threads),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests_name("draws", tests, NULL, NULL);
}
