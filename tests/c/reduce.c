/*
** Reductions against plain loops, and the same bits however n is cut.
**
** Bound for a sum: an element passes at most 64 additions in its lane or span, 6 to
** add the lanes, 16 of what is left and one for each halving of r, each off by half an
** epsilon of the sum of |x|; a square is rounded once more.
*/
#include "kernel_test.h"

static double sum_bound(const mlplk_table *t, ptrdiff_t r, double size) {
  return epsilon(t) / 2 * (87 + log2((double)r + 1)) * size;
}

static void fill_random(const mlplk_table *t, void *x, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++)
    put(t, x, i, test_uniform(-1, 2));
}

/* One call, one call per row, and pieces of 3 rows: all the same bits. */
static void check_cuts(const mlplk_table *t, int kind, ptrdiff_t n, ptrdiff_t r, char *x,
    ptrdiff_t s_n, ptrdiff_t s_r, void *whole) {
  mlplk_reduce *const reduce = t->reduce[kind];
  reduce(n, r, whole, x, s_n, s_r);
  for (ptrdiff_t step = 1; step <= 3; step += 2)
    for (ptrdiff_t i = 0; i < n; i += step) {
      double part[3];
      const ptrdiff_t m = n - i < step ? n - i : step;
      reduce(m, r, part, at(t, x, i * s_n), s_n, s_r);
      for (ptrdiff_t j = 0; j < m; j++)
        assert_true(same_bits(t, whole, i + j, part, j));
    }
}

static void check_sum(const mlplk_table *t, int kind, ptrdiff_t n, ptrdiff_t r, char *x,
    ptrdiff_t s_n, ptrdiff_t s_r) {
  void *out = guarded_new(t, n);
  check_cuts(t, kind, n, r, x, s_n, s_r, out);
  for (ptrdiff_t i = 0; i < n; i++) {
    long double sum = 0, size = 0;
    for (ptrdiff_t j = 0; j < r; j++) {
      const long double v = get(t, x, i * s_n + j * s_r);
      sum += kind == MLPLK_SUM ? v : v * v;
      size += kind == MLPLK_SUM ? fabsl(v) : v * v;
    }
    if (fabsl(get(t, out, i) - sum) > sum_bound(t, r, (double)size))
      fail_msg("%s: sum %d of %td with strides %td %td is %.17g, should be %.17Lg", t->isa,
          kind, r, s_n, s_r, get(t, out, i), sum);
  }
  guarded_free(t, out, n);
}

static void check_sums(const mlplk_table *t, ptrdiff_t n, ptrdiff_t r, char *x,
    ptrdiff_t s_n, ptrdiff_t s_r) {
  check_sum(t, MLPLK_SUM, n, r, x, s_n, s_r);
  check_sum(t, MLPLK_SUM_SQUARES, n, r, x, s_n, s_r);
}

static void check_extreme(const mlplk_table *t, ptrdiff_t n, ptrdiff_t r, char *x,
    ptrdiff_t s_n, ptrdiff_t s_r, int sign) {
  void *out = guarded_new(t, n);
  int64_t *where = malloc(((size_t)n + 1) * sizeof *where);
  assert_non_null(where);
  check_cuts(t, sign > 0 ? MLPLK_MAX : MLPLK_MIN, n, r, x, s_n, s_r, out);
  where[n] = -77;
  t->reduce[sign > 0 ? MLPLK_ARGMAX : MLPLK_ARGMIN](n, r, where, x, s_n, s_r);
  for (ptrdiff_t i = 0; i < n; i++) {
    ptrdiff_t best = 0;
    for (ptrdiff_t j = 1; j < r; j++) {
      const double v = get(t, x, i * s_n + j * s_r), b = get(t, x, i * s_n + best * s_r);
      if (sign * v > sign * b || (isnan(v) && !isnan(b)))
        best = j;
    }
    const double expected = get(t, x, i * s_n + best * s_r), got = get(t, out, i);
    assert_true(got == expected || (isnan(got) && isnan(expected)));
    assert_int_equal(where[i], best);
  }
  assert_int_equal(where[n], -77);
  free(where);
  guarded_free(t, out, n);
}

static void check_max(const mlplk_table *t, ptrdiff_t n, ptrdiff_t r, char *x,
    ptrdiff_t s_n, ptrdiff_t s_r) {
  check_extreme(t, n, r, x, s_n, s_r, 1);
  check_extreme(t, n, r, x, s_n, s_r, -1);
}

/* Products, and counts of what is not 0. */
static void check_prod(const mlplk_table *t, ptrdiff_t n, ptrdiff_t r, char *x,
    ptrdiff_t s_n, ptrdiff_t s_r) {
  void *out = guarded_new(t, n);
  int64_t *count = malloc(((size_t)n + 1) * sizeof *count);
  assert_non_null(count);
  check_cuts(t, MLPLK_PROD, n, r, x, s_n, s_r, out);
  count[n] = -77;
  t->reduce[MLPLK_NONZERO](n, r, count, x, s_n, s_r);
  for (ptrdiff_t i = 0; i < n; i++) {
    long double product = 1;
    int64_t not_0 = 0;
    for (ptrdiff_t j = 0; j < r; j++) {
      product *= get(t, x, i * s_n + j * s_r);
      not_0 += get(t, x, i * s_n + j * s_r) != 0;
    }
    assert_int_equal(count[i], not_0);
    if (fabsl(get(t, out, i) - product) > epsilon(t) * (double)(r + 1) * fabsl(product))
      fail_msg("%s: product of %td is %.17g, should be %.17Lg", t->isa, r, get(t, out, i),
          product);
  }
  assert_int_equal(count[n], -77);
  free(count);
  guarded_free(t, out, n);
}

typedef void layout_check(const mlplk_table *t, ptrdiff_t n, ptrdiff_t r, char *x,
    ptrdiff_t s_n, ptrdiff_t s_r);

/* Rows, rows with gaps, columns, columns with gaps, neither, backwards. */
static void every_layout(
    const mlplk_table *t, layout_check *check, ptrdiff_t n, ptrdiff_t r, char *x) {
  const ptrdiff_t rows = n > 0 ? n - 1 : 0, last = r > 0 ? r - 1 : 0;
  check(t, n, r, x, r, 1);
  check(t, n, r, x, r + 3, 1);
  check(t, n, r, x, 1, n);
  check(t, n, r, x, 1, n + 3);
  check(t, n, r, x, 2 * r, 2);
  check(t, n, r, at(t, x, rows * r + last), -r, -1);
  check(t, n, r, at(t, x, last * n), 1, -n);
  check(t, n, r, x, 0, 1);
}

enum { LARGEST = 50000 };

static void sums(const mlplk_table *t) {
  static const ptrdiff_t longer[] = {
      127, 128, 129, 255, 257, 1000, 2047, 2048, 2049, 4095, 4096, 4097, 8200};
  static const ptrdiff_t wider[] = {31, 32, 33, 63, 64, 65, 130};
  void *x = guarded_new(t, LARGEST);
  fill_random(t, x, LARGEST);
  for (ptrdiff_t n = 0; n <= 3; n++)
    for (ptrdiff_t r = 0; r <= 70; r++)
      every_layout(t, check_sums, n, r, x);
  for (size_t i = 0; i < sizeof longer / sizeof *longer; i++)
    every_layout(t, check_sums, 2, longer[i], x);
  for (size_t i = 0; i < sizeof wider / sizeof *wider; i++)
    for (ptrdiff_t r = 0; r <= 130; r += 13)
      every_layout(t, check_sums, wider[i], r, x);
  guarded_free(t, x, LARGEST);
}

static void sums_agree_with_loops(void **state) {
  (void)state;
  each_table(sums);
}

static void maxima(const mlplk_table *t) {
  void *x = guarded_new(t, LARGEST);
  for (int round = 0; round < 3; round++) {
    for (ptrdiff_t i = 0; i < LARGEST; i++) {
      put(t, x, i, floor(test_uniform(-9, 9))); /* many ties */
      if (round == 1 && i % 23 == 11)
        put(t, x, i, NAN);
      if (round == 2)
        put(t, x, i, i % 5 ? -INFINITY : i % 3 ? INFINITY : -1);
    }
    for (ptrdiff_t n = 0; n <= 3; n++)
      for (ptrdiff_t r = 1; r <= 70; r++)
        every_layout(t, check_max, n, r, x);
    for (ptrdiff_t r = 127; r <= 260; r += 19)
      every_layout(t, check_max, 67, r, x);
  }
  guarded_free(t, x, LARGEST);
}

static void maxima_agree_with_loops(void **state) {
  (void)state;
  each_table(maxima);
}

static void products(const mlplk_table *t) {
  void *x = guarded_new(t, LARGEST);
  for (int round = 0; round < 2; round++) {
    for (ptrdiff_t i = 0; i < LARGEST; i++)
      put(t, x, i, round && i % 97 == 13 ? 0 : test_uniform(-1.5, 1.5));
    for (ptrdiff_t n = 0; n <= 3; n++)
      for (ptrdiff_t r = 0; r <= 70; r++)
        every_layout(t, check_prod, n, r, x);
    for (ptrdiff_t r = 17; r <= 90; r += 19)
      every_layout(t, check_prod, 67, r, x);
  }
  guarded_free(t, x, LARGEST);
}

static void products_agree_with_loops(void **state) {
  (void)state;
  each_table(products);
}

/* A million numbers in [0, 1): added one after the other, f32 would be off by 1e-5 or
   more. */
static void million(const mlplk_table *t) {
  enum { N = 1000000 };
  void *x = guarded_new(t, N);
  long double exact = 0, exact_even = 0;
  for (ptrdiff_t i = 0; i < N; i++) {
    put(t, x, i, test_uniform(0, 1));
    exact += get(t, x, i);
    exact_even += i % 2 ? 0 : get(t, x, i);
  }
  double row = 0, column = 0, neither = 0;
  t->reduce[MLPLK_SUM](1, N, &row, x, N, 1);
  t->reduce[MLPLK_SUM](1, N / 2, &column, x, 1, 2);
  t->reduce[MLPLK_SUM](1, N / 2, &neither, x, 2, 2);
  assert_true(fabsl(get(t, &row, 0) / exact - 1) < 4 * epsilon(t));
  assert_true(fabsl(get(t, &column, 0) / exact_even - 1) < 4 * epsilon(t));
  assert_true(fabsl(get(t, &neither, 0) / exact_even - 1) < 4 * epsilon(t));
  guarded_free(t, x, N);
}

static void a_million_terms_keep_their_digits(void **state) {
  (void)state;
  each_table(million);
}

/* The order of additions is written in the source, so every instruction set has the
   same bits. */
static void every_isa_gives_the_same_bits(void **state) {
  (void)state;
  for (size_t bytes = 4; bytes <= 8; bytes += 4) {
    const mlplk_table *base = mlplk_select(bytes, "base");
    const mlplk_table *best = mlplk_select(bytes, NULL);
    void *x = guarded_new(base, 9999);
    fill_random(base, x, 9999);
    for (ptrdiff_t r = 0; r < 9999; r = r * 5 / 4 + 1) {
      double a = 0, b = 0;
      base->reduce[MLPLK_SUM](1, r, &a, x, r, 1);
      best->reduce[MLPLK_SUM](1, r, &b, x, r, 1);
      assert_true(same_bits(base, &a, 0, &b, 0));
    }
    guarded_free(base, x, 9999);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sums_agree_with_loops),
      cmocka_unit_test(maxima_agree_with_loops),
      cmocka_unit_test(products_agree_with_loops),
      cmocka_unit_test(a_million_terms_keep_their_digits),
      cmocka_unit_test(every_isa_gives_the_same_bits),
  };
  return cmocka_run_group_tests_name("reduce", tests, NULL, NULL);
}
