/* The context's random numbers: state, independence of threads, whole numbers without
   bias, permutations. */
#include "tensor_test.h"

static void a_state_repeats_what_followed_it(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *t[2][4];
  assert_works(cx,
      mlpl_tensor_rand(
          cx, &t[0][0], MLPL_F32, SIZES(7), 0, 1)); /* not at the start of the stream */
  mlpl_tensor_release(t[0][0]);
  mlpl_random_state saved = mlpl_random_get(cx);
  for (int k = 0; k < 2; k++) {
    mlpl_random_set(cx, saved);
    assert_works(cx, mlpl_tensor_rand(cx, &t[k][0], MLPL_F32, SIZES(1001), -1, 1));
    assert_works(cx, mlpl_tensor_randn(cx, &t[k][1], MLPL_F64, SIZES(7, 3), 0, 1));
    assert_works(cx, mlpl_tensor_randint(cx, &t[k][2], MLPL_I64, SIZES(100), -5, 5));
    assert_works(cx, mlpl_tensor_rand(cx, &t[k][3], MLPL_F64, SIZES(1), 0, 1));
    for (int i = 0; i < 4; i++) test_hold(t[k][i]);
  }
  for (int i = 0; i < 4; i++) assert_true(test_same_bits(t[0][i], t[1][i]));
  assert_false(test_element(t[0][0], 0) == test_element(t[0][0], 4));
  test_drop_and_close(cx);
}

static void seeds_make_streams(void **state) {
  (void)state;
  static const uint64_t seeds[] = {0, 1, 2, UINT64_MAX, UINT64_C(1) << 32};
  mlpl_ctx *cx = test_open(0);
  double first[COUNT(seeds)][2];
  for (int k = 0; k < 2; k++)
    for (int i = 0; i < COUNT(seeds); i++) {
      mlpl_tensor *t;
      mlpl_seed(cx, seeds[i]);
      assert_works(cx, mlpl_tensor_rand(cx, &t, MLPL_F64, 0, NULL, 0, 1));
      first[i][k] = test_element(t, 0);
      mlpl_tensor_release(t);
      if (k) assert_true(first[i][0] == first[i][1]);
      for (int j = 0; j < i; j++) assert_true(first[i][k] != first[j][k]);
    }
  mlpl_ctx *other; /* of the config: the same as mlpl_seed */
  assert_int_equal(mlpl_open(&other, &(mlpl_config){.seed = 2}), MLPL_OK);
  mlpl_seed(cx, 2);
  mlpl_random_state a = mlpl_random_get(cx), b = mlpl_random_get(other);
  assert_true(a.key[0] == b.key[0] && a.key[1] == b.key[1] && a.counter == b.counter);
  mlpl_close(other);
  test_close(cx);
}

static void streams_do_not_depend_on_threads(void **state) {
  (void)state;
  static const int threads[] = {1, 2, 3, 8};
  mlpl_tensor *first[3] = {NULL};
  mlpl_ctx *cx = test_open(0);
  for (int k = 0; k < COUNT(threads); k++) {
    mlpl_tensor *t[3];
    assert_works(cx, mlpl_set_threads(cx, threads[k]));
    mlpl_seed(cx, 3);
    assert_works(cx,
        mlpl_tensor_rand(cx, &t[0], MLPL_F32, SIZES(100003), 0, 1)); /* cut into parts */
    assert_works(cx, mlpl_tensor_randn(cx, &t[1], MLPL_F64, SIZES(70001), 0, 1));
    assert_works(cx, mlpl_call(cx, &t[2], "dropout", &t[0], 1, NULL));
    for (int i = 0; i < 3; i++) {
      test_hold(t[i]);
      if (k == 0) first[i] = t[i];
      assert_true(test_same_bits(first[i], t[i]));
    }
  }
  test_drop_and_close(cx);
}

/* Chi-square of counts that should be equal: mean n - 1, deviation sqrt(2 (n - 1)). */
static void check_even(const int64_t *count, int n, int64_t draws) {
  double expected = (double)draws / n, chi = 0;
  for (int i = 0; i < n; i++) chi += pow((double)count[i] - expected, 2) / expected;
  assert_true(fabs(chi - (n - 1)) < 5 * sqrt(2.0 * (n - 1)));
}

static void below_is_unbiased(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  static const int sizes[] = {2, 3, 7, 10, 100};
  for (int k = 0; k < COUNT(sizes); k++) {
    int64_t count[100] = {0};
    for (int i = 0; i < 100000; i++) count[mlpli_random_below(cx, (uint64_t)sizes[k])]++;
    check_even(count, sizes[k], 100000);
  }
  assert_int_equal(mlpli_random_below(cx, 1), 0);
  /* 3 * 2^62: a remainder of 64 bits would give the lowest third twice as often as the
     others */
  int64_t third[3] = {0};
  for (int i = 0; i < 30000; i++) {
    uint64_t v = mlpli_random_below(cx, UINT64_C(3) << 62);
    assert_true(v < UINT64_C(3) << 62);
    third[v >> 62]++;
  }
  check_even(third, 3, 30000);
  uint64_t all = 0;
  for (int i = 0; i < 1000; i++) all |= mlpli_random_below(cx, UINT64_MAX);
  assert_true(all == UINT64_MAX);
  test_close(cx);
}

static void randint_meets_both_ends(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  static const mlpl_dtype dtypes[] = {MLPL_F32, MLPL_F64, MLPL_I64, MLPL_U8};
  for (int k = 0; k < COUNT(dtypes); k++) {
    mlpl_tensor *t;
    int64_t count[6] = {0}, lo = dtypes[k] == MLPL_U8 ? 250 : -3;
    assert_works(cx, mlpl_tensor_randint(cx, &t, dtypes[k], SIZES(60000), lo, lo + 5));
    for (int64_t i = 0; i < t->numel; i++) count[(int64_t)test_element(t, i) - lo]++;
    check_even(count, 6, 60000);
    mlpl_tensor_release(t);
  }
  mlpl_tensor *t; /* a span beyond a double's whole numbers */
  assert_works(cx,
      mlpl_tensor_randint(
          cx, &t, MLPL_I64, SIZES(1000), INT64_MIN + 2048, INT64_MAX - 2048));
  int negative = 0;
  for (int64_t i = 0; i < t->numel; i++) negative += test_element(t, i) < 0;
  assert_in_range(negative, 400, 600);
  mlpl_tensor_release(t);
  test_close(cx);
}

/* All 24 orders of four, each about as often as the others. */
static void permutations_are_even(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  int64_t count[24] = {0}, p[4];
  for (int k = 0; k < 48000; k++) {
    int order = 0, seen = 0;
    mlpli_random_permutation(cx, p, 4);
    for (int i = 0; i < 4; i++) {
      int smaller = 0;
      assert_in_range(p[i], 0, 3);
      for (int j = i + 1; j < 4; j++) smaller += p[j] < p[i];
      order = order * (4 - i) + smaller;
      seen |= 1 << p[i];
    }
    assert_int_equal(seen, 15);
    count[order]++;
  }
  check_even(count, 24, 48000);
  test_close(cx);
}

/* Where each element goes: the first of many in particular. */
static void long_permutations(void **state) {
  (void)state;
  enum { N = 1000 };
  mlpl_ctx *cx = test_open(0);
  int64_t p[N], count[10] = {0};
  for (int k = 0; k < 2000; k++) {
    mlpli_random_permutation(cx, p, N);
    for (int i = 0; i < N; i++)
      if (p[i] == 0) count[i / 100]++;
  }
  check_even(count, 10, 2000);
  bool seen[N] = {false};
  for (int i = 0; i < N; i++) {
    assert_false(seen[p[i]]);
    seen[p[i]] = true;
  }
  mlpli_random_permutation(cx, p, 0);
  mlpli_random_permutation(cx, p, 1);
  assert_int_equal(p[0], 0);
  test_close(cx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_state_repeats_what_followed_it),
      cmocka_unit_test(seeds_make_streams),
      cmocka_unit_test(streams_do_not_depend_on_threads),
      cmocka_unit_test(below_is_unbiased),
      cmocka_unit_test(randint_meets_both_ends),
      cmocka_unit_test(permutations_are_even),
      cmocka_unit_test(long_permutations),
  };
  return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
