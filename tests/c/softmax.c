/*
** Softmax, log-softmax, their gradients and cross-entropy against plain loops, for
** short rows (turned into lanes), long rows and the border between; the same bits
** however rows are cut.
*/
#include "kernel_test.h"

enum { ROWS = 37, LONGEST = 600 };

static const ptrdiff_t widths[] = {
    1, 2, 3, 7, 10, 31, 32, 33, 64, 100, 255, 256, 257, 600};
static const ptrdiff_t heights[] = {0, 1, 2, 7, 8, 9, 15, 16, 17, 37};
#define COUNT(array) (sizeof(array) / sizeof *(array))

static void fill_random(
    const mlplk_table *t, void *x, ptrdiff_t n, double lo, double hi) {
  for (ptrdiff_t i = 0; i < n; i++)
    put(t, x, i, test_uniform(lo, hi));
}

/* log sum exp of k elements from x[i] on. */
static long double log_sum_exp(
    const mlplk_table *t, const void *x, ptrdiff_t i, ptrdiff_t k) {
  long double max = -INFINITY, sum = 0;
  for (ptrdiff_t c = 0; c < k; c++)
    max = fmaxl(max, get(t, x, i + c));
  for (ptrdiff_t c = 0; c < k; c++)
    sum += expl(get(t, x, i + c) - max);
  return max + logl(sum);
}

/*
** Logits are in [-6, 6]: x - max is off by half an epsilon of 12, and so is e^(x -
** max), relatively; the sum adds at most 32 roundings in a row, the rest a few more.
*/
static double slack(const mlplk_table *t) {
  return 25 * epsilon(t);
}

static void near(const mlplk_table *t, double got, long double exact, double size) {
  if (!(fabsl(got - exact) <= slack(t) * size))
    fail_msg(
        "f%d %s: %.17g, should be %.17Lg", (int)t->real_bytes * 8, t->isa, got, exact);
}

/* ---- forward ----------------------------------------------------------------------- */

static void check_forward(const mlplk_table *t, ptrdiff_t n, ptrdiff_t k, ptrdiff_t gap) {
  const ptrdiff_t s_x = k + gap, s_y = k + 2 * gap;
  void *x = guarded_new(t, n * s_x), *y = guarded_new(t, n * s_y);
  void *log_y = guarded_new(t, n * s_y), *one = guarded_new(t, k);
  fill_random(t, x, n * s_x, -6, 6);
  t->softmax(n, k, y, s_y, x, s_x);
  t->log_softmax(n, k, log_y, s_y, x, s_x);
  for (ptrdiff_t i = 0; i < n; i++) {
    const long double lse = log_sum_exp(t, x, i * s_x, k);
    for (ptrdiff_t c = 0; c < k; c++) {
      const long double exact = get(t, x, i * s_x + c) - lse;
      near(t, get(t, y, i * s_y + c), expl(exact), (double)expl(exact));
      near(t, get(t, log_y, i * s_y + c), exact, 1);
    }
    for (ptrdiff_t c = k; c < s_y && i < n - 1; c++)
      assert_true(get(t, y, i * s_y + c) == guard_value);
    t->softmax(1, k, one, k, at(t, x, i * s_x), s_x);
    for (ptrdiff_t c = 0; c < k; c++)
      assert_true(same_bits(t, y, i * s_y + c, one, c));
    t->log_softmax(1, k, one, k, at(t, x, i * s_x), s_x);
    for (ptrdiff_t c = 0; c < k; c++)
      assert_true(same_bits(t, log_y, i * s_y + c, one, c));
  }
  t->softmax(n, k, x, s_x, x, s_x);
  for (ptrdiff_t i = 0; i < n; i++)
    for (ptrdiff_t c = 0; c < k; c++)
      assert_true(same_bits(t, x, i * s_x + c, y, i * s_y + c));
  guarded_free(t, x, n * s_x);
  guarded_free(t, y, n * s_y);
  guarded_free(t, log_y, n * s_y);
  guarded_free(t, one, k);
}

static void forward(const mlplk_table *t) {
  for (size_t w = 0; w < COUNT(widths); w++)
    for (size_t h = 0; h < COUNT(heights); h++)
      check_forward(t, heights[h], widths[w], h % 2 ? 3 : 0);
}

static void softmax_agrees_with_loops(void **state) {
  (void)state;
  each_table(forward);
}

/* As PyTorch: a NaN or an infinite maximum spoils its row and no other. */
static void not_finite(const mlplk_table *t) {
  for (ptrdiff_t k = 3; k <= 43; k += 40) {
    void *x = guarded_new(t, 5 * k), *y = guarded_new(t, 5 * k),
         *z = guarded_new(t, 5 * k);
    fill_random(t, x, 5 * k, -1, 1);
    put(t, x, 0 * k + 1, NAN);
    put(t, x, 1 * k + 1, INFINITY);
    put(t, x, 2 * k + 1, -INFINITY);
    for (ptrdiff_t c = 0; c < k; c++)
      put(t, x, 3 * k + c, -INFINITY);
    for (ptrdiff_t c = 0; c < k; c++)
      put(t, x, 4 * k + c, c == 0 ? 3e4 : -3e4); /* far beyond exp's range */
    t->softmax(5, k, y, k, x, k);
    t->log_softmax(5, k, z, k, x, k);
    for (ptrdiff_t c = 0; c < k; c++) {
      assert_true(isnan(get(t, y, c)) && isnan(get(t, z, c)));
      assert_true(isnan(get(t, y, k + c)) && isnan(get(t, y, 3 * k + c)));
      assert_true(get(t, y, 2 * k + c) >= 0 && get(t, z, 2 * k + c) < 0);
      assert_true(get(t, y, 4 * k + c) == (c == 0));
      assert_true(get(t, z, 4 * k + c) == (c == 0 ? 0 : -6e4));
    }
    assert_true(get(t, y, 2 * k + 1) == 0 && get(t, z, 2 * k + 1) == -INFINITY);
    guarded_free(t, x, 5 * k);
    guarded_free(t, y, 5 * k);
    guarded_free(t, z, 5 * k);
  }
}

static void nan_and_infinity_stay_in_their_row(void **state) {
  (void)state;
  each_table(not_finite);
}

/* ---- gradients --------------------------------------------------------------------- */

static void check_gradients(const mlplk_table *t, ptrdiff_t n, ptrdiff_t k) {
  void *g = guarded_new(t, n * k), *x = guarded_new(t, n * k), *y = guarded_new(t, n * k);
  void *a = guarded_new(t, n * k), *b = guarded_new(t, n * k), *one = guarded_new(t, k);
  fill_random(t, x, n * k, -6, 6);
  fill_random(t, g, n * k, -1, 1);
  t->softmax(n, k, y, k, x, k);
  t->log_softmax(n, k, x, k, x, k);
  t->softmax_grad(n, k, a, g, y);
  t->log_softmax_grad(n, k, b, g, x);
  for (ptrdiff_t i = 0; i < n; i++) {
    long double dot = 0, sum = 0;
    for (ptrdiff_t c = i * k; c < i * k + k; c++) {
      dot += (long double)get(t, g, c) * get(t, y, c);
      sum += get(t, g, c);
    }
    for (ptrdiff_t c = i * k; c < i * k + k; c++) {
      near(t, get(t, a, c), get(t, y, c) * (get(t, g, c) - dot), 1);
      near(t, get(t, b, c), get(t, g, c) - expl(get(t, x, c)) * sum, 1 + sqrt((double)k));
    }
    t->softmax_grad(1, k, one, at(t, g, i * k), at(t, y, i * k));
    for (ptrdiff_t c = 0; c < k; c++)
      assert_true(same_bits(t, a, i * k + c, one, c));
    t->log_softmax_grad(1, k, one, at(t, g, i * k), at(t, x, i * k));
    for (ptrdiff_t c = 0; c < k; c++)
      assert_true(same_bits(t, b, i * k + c, one, c));
  }
  guarded_free(t, g, n * k);
  guarded_free(t, x, n * k);
  guarded_free(t, y, n * k);
  guarded_free(t, a, n * k);
  guarded_free(t, b, n * k);
  guarded_free(t, one, k);
}

static void gradients(const mlplk_table *t) {
  for (size_t w = 0; w < COUNT(widths); w++)
    for (size_t h = 0; h < COUNT(heights); h++)
      check_gradients(t, heights[h], widths[w]);
}

static void softmax_gradients_agree_with_loops(void **state) {
  (void)state;
  each_table(gradients);
}

/* ---- columns ----------------------------------------------------------------------- */

/* Rows of the same numbers say what columns should hold, up to the order of sums. */
static void check_columns(const mlplk_table *t, ptrdiff_t n, ptrdiff_t k, ptrdiff_t gap) {
  const ptrdiff_t step = n + gap, size = k * step;
  void *x = guarded_new(t, size), *g = guarded_new(t, size), *y = guarded_new(t, size);
  void *log_y = guarded_new(t, size), *out = guarded_new(t, size);
  void *row = guarded_new(t, k), *row_g = guarded_new(t, k), *one = guarded_new(t, k);
  const void *const a[] = {x, x, g, g}, *const b[] = {NULL, NULL, y, log_y};
  fill_random(t, x, size, -6, 6);
  fill_random(t, g, size, -1, 1);
  mlplk_softmax_columns(t, MLPLK_SOFTMAX, n, k, step, y, x, NULL);
  mlplk_softmax_columns(t, MLPLK_LOG_SOFTMAX, n, k, step, log_y, x, NULL);
  for (int kind = MLPLK_SOFTMAX; kind <= MLPLK_LOG_SOFTMAX_GRAD; kind++) {
    mlplk_softmax_columns(t, (mlplk_softmax_kind)kind, n, k, step, out, a[kind], b[kind]);
    for (ptrdiff_t i = 0; i < n; i++) {
      for (ptrdiff_t c = 0; c < k; c++) {
        put(t, row, c, get(t, kind < MLPLK_SOFTMAX_GRAD ? x : b[kind], c * step + i));
        put(t, row_g, c, get(t, g, c * step + i));
      }
      if (kind == MLPLK_SOFTMAX) t->softmax(1, k, one, k, row, k);
      if (kind == MLPLK_LOG_SOFTMAX) t->log_softmax(1, k, one, k, row, k);
      if (kind == MLPLK_SOFTMAX_GRAD) t->softmax_grad(1, k, one, row_g, row);
      if (kind == MLPLK_LOG_SOFTMAX_GRAD) t->log_softmax_grad(1, k, one, row_g, row);
      for (ptrdiff_t c = 0; c < k; c++)
        near(t, get(t, out, c * step + i), get(t, one, c), 1);
      /* alone, into its own place: the same bits */
      mlplk_softmax_columns(t, (mlplk_softmax_kind)kind, 1, k, step, at(t, g, i),
          (const char *)a[kind] + i * (ptrdiff_t)t->real_bytes,
          b[kind] ? (const char *)b[kind] + i * (ptrdiff_t)t->real_bytes : NULL);
      for (ptrdiff_t c = 0; c < k; c++) {
        assert_true(same_bits(t, out, c * step + i, g, c * step + i));
        put(t, g, c * step + i, get(t, row_g, c));
      }
    }
    for (ptrdiff_t c = 0; c < k - 1; c++)
      for (ptrdiff_t i = n; i < step; i++)
        assert_true(get(t, out, c * step + i) == guard_value);
  }
  void *all[] = {x, g, y, log_y, out};
  for (size_t i = 0; i < COUNT(all); i++) guarded_free(t, all[i], size);
  guarded_free(t, row, k);
  guarded_free(t, row_g, k);
  guarded_free(t, one, k);
}

static void columns(const mlplk_table *t) {
  static const ptrdiff_t n[] = {0, 1, 2, 15, 16, 17, 255, 256, 257, 300};
  static const ptrdiff_t k[] = {1, 2, 3, 63, 64, 65, 130};
  for (size_t i = 0; i < COUNT(n); i++)
    for (size_t j = 0; j < COUNT(k); j++) check_columns(t, n[i], k[j], i % 2 ? 3 : 0);
}

static void columns_agree_with_rows(void **state) {
  (void)state;
  each_table(columns);
}

/* A NaN or an infinite maximum spoils its column and no other. */
static void columns_not_finite(const mlplk_table *t) {
  enum { N = 5, K = 70 };
  void *x = guarded_new(t, N * K), *y = guarded_new(t, N * K), *z = guarded_new(t, N * K);
  fill_random(t, x, N * K, -1, 1);
  put(t, x, 66 * N + 0, NAN);
  put(t, x, 1 * N + 1, INFINITY);
  put(t, x, 1 * N + 2, -INFINITY);
  for (ptrdiff_t c = 0; c < K; c++) put(t, x, c * N + 3, -INFINITY);
  for (ptrdiff_t c = 0; c < K; c++) put(t, x, c * N + 4, c == 0 ? 3e4 : -3e4);
  mlplk_softmax_columns(t, MLPLK_SOFTMAX, N, K, N, y, x, NULL);
  mlplk_softmax_columns(t, MLPLK_LOG_SOFTMAX, N, K, N, z, x, NULL);
  for (ptrdiff_t c = 0; c < K; c++) {
    assert_true(isnan(get(t, y, c * N)) && isnan(get(t, z, c * N)));
    assert_true(isnan(get(t, y, c * N + 1)) && isnan(get(t, y, c * N + 3)));
    assert_true(get(t, y, c * N + 2) >= 0 && get(t, z, c * N + 2) < 0);
    assert_true(get(t, y, c * N + 4) == (c == 0));
    assert_true(get(t, z, c * N + 4) == (c == 0 ? 0 : -6e4));
  }
  assert_true(get(t, y, N + 2) == 0 && get(t, z, N + 2) == -INFINITY);
  guarded_free(t, x, N * K);
  guarded_free(t, y, N * K);
  guarded_free(t, z, N * K);
}

static void nan_and_infinity_stay_in_their_column(void **state) {
  (void)state;
  each_table(columns_not_finite);
}

/* ---- cross-entropy ----------------------------------------------------------------- */

static double weight_at(const mlplk_table *t, const mlplk_xent *a, ptrdiff_t c) {
  return a->weight ? get(t, a->weight, c) : 1;
}

/* q_c = (1 - e) w_y [c = y] + (e / k) w_c */
static double target_at(
    const mlplk_table *t, const mlplk_xent *a, ptrdiff_t i, ptrdiff_t c) {
  const int64_t y = a->label[i];
  return (c == y ? (1 - a->smoothing) * weight_at(t, a, y) : 0) +
      a->smoothing / (double)a->k * weight_at(t, a, c);
}

static void check_row(const mlplk_table *t, const mlplk_xent *a, ptrdiff_t i) {
  const ptrdiff_t k = a->k;
  if (a->label[i] < 0) {
    assert_true(get(t, a->loss, i) == 0);
    for (ptrdiff_t c = 0; c < k; c++)
      assert_true(get(t, a->dx, i * k + c) == 0);
    return;
  }
  const long double lse = log_sum_exp(t, a->x, i * a->s_x, k);
  long double loss = 0, mass = 0;
  for (ptrdiff_t c = 0; c < k; c++) {
    const double q = target_at(t, a, i, c);
    mass += q;
    loss += q * (lse - get(t, a->x, i * a->s_x + c));
  }
  near(t, get(t, a->loss, i), loss, 1 + 3 * fabs((double)loss));
  for (ptrdiff_t c = 0; c < k; c++) {
    const long double p = expl(get(t, a->x, i * a->s_x + c) - lse);
    near(t, get(t, a->dx, i * k + c), a->scale * (mass * p - target_at(t, a, i, c)),
        3 * a->scale);
  }
}

/* Row by row, and without dx: the same bits. */
static void check_xent_cuts(const mlplk_table *t, const mlplk_xent *a) {
  void *dx = guarded_new(t, a->k);
  for (ptrdiff_t i = 0; i < a->n; i++) {
    double loss = 0;
    mlplk_xent one = *a;
    one.n = 1;
    one.x = (const char *)a->x + (size_t)(i * a->s_x) * t->real_bytes;
    one.label = a->label + i;
    one.loss = &loss;
    one.dx = dx;
    t->xent(&one);
    assert_true(same_bits(t, a->loss, i, &loss, 0));
    for (ptrdiff_t c = 0; c < a->k; c++)
      assert_true(same_bits(t, a->dx, i * a->k + c, dx, c));
    one.dx = NULL;
    t->xent(&one);
    assert_true(same_bits(t, a->loss, i, &loss, 0));
  }
  guarded_free(t, dx, a->k);
}

static void check_xent(const mlplk_table *t, ptrdiff_t n, ptrdiff_t k, int weighted,
    double smoothing) {
  const ptrdiff_t s_x = k + n % 3;
  void *x = guarded_new(t, n * s_x), *weight = guarded_new(t, k);
  void *loss = guarded_new(t, n), *dx = guarded_new(t, n * k);
  int64_t label[ROWS];
  fill_random(t, x, n * s_x, -6, 6);
  fill_random(t, weight, k, 0, 2);
  for (ptrdiff_t i = 0; i < n; i++)
    label[i] = i % 5 == 3 ? -1 - i : (int64_t)test_uniform(0, (double)k);
  const mlplk_xent args = {.n = n,
      .k = k,
      .x = x,
      .s_x = s_x,
      .label = label,
      .weight = weighted ? weight : NULL,
      .smoothing = smoothing,
      .scale = 0.37,
      .loss = loss,
      .dx = dx};
  t->xent(&args);
  for (ptrdiff_t i = 0; i < n; i++)
    check_row(t, &args, i);
  check_xent_cuts(t, &args);
  guarded_free(t, x, n * s_x);
  guarded_free(t, weight, k);
  guarded_free(t, loss, n);
  guarded_free(t, dx, n * k);
}

static void cross_entropies(const mlplk_table *t) {
  for (size_t w = 0; w < COUNT(widths); w++)
    for (size_t h = 0; h < COUNT(heights); h++)
      for (int form = 0; form < 4; form++)
        check_xent(t, heights[h], widths[w], form & 1, form & 2 ? 0.1 : 0);
}

static void cross_entropy_agrees_with_loops(void **state) {
  (void)state;
  each_table(cross_entropies);
}

/* The row of an ignored label may hold anything; elsewhere NaN must show, and -inf is a
   probability of 0. */
static void odd_rows(const mlplk_table *t) {
  for (ptrdiff_t k = 3; k <= 43; k += 40) {
    const int64_t label[4] = {-1, 0, 0, 1};
    void *x = guarded_new(t, 4 * k), *dx = guarded_new(t, 4 * k),
         *loss = guarded_new(t, 4);
    fill_random(t, x, 4 * k, -1, 1);
    put(t, x, 0 * k + 1, NAN);
    put(t, x, 1 * k + 1, NAN);
    put(t, x, 2 * k + 1, -INFINITY);
    put(t, x, 3 * k + 1, -INFINITY);
    t->xent(&(mlplk_xent){.n = 4, .k = k, .x = x, .s_x = k, .label = label, .scale = 1,
        .loss = loss, .dx = dx});
    assert_true(get(t, loss, 0) == 0 && isnan(get(t, loss, 1)));
    assert_true(isfinite(get(t, loss, 2)) && get(t, loss, 3) == INFINITY);
    for (ptrdiff_t c = 0; c < k; c++) {
      assert_true(get(t, dx, c) == 0 && isnan(get(t, dx, k + c)));
      assert_true(isfinite(get(t, dx, 2 * k + c)) && isfinite(get(t, dx, 3 * k + c)));
    }
    assert_true(get(t, dx, 3 * k + 1) == -1);
    guarded_free(t, x, 4 * k);
    guarded_free(t, dx, 4 * k);
    guarded_free(t, loss, 4);
  }
}

static void odd_rows_do_as_in_pytorch(void **state) {
  (void)state;
  each_table(odd_rows);
}

/* PyTorch's numbers, numerics.md section 3. */
static void golden(const mlplk_table *t) {
  static const double logits[12] = {.2, -1, 3, .5, 1.5, .3, -.7, 0, -2, .1, .4, 2.2};
  static const double weight[4] = {1, 2, .5, 3};
  static const int64_t plain[3] = {2, 0, 3}, ignored[3] = {2, -1, 3};
  static const struct {
    const int64_t *label;
    const double *weight;
    double smoothing, sum;
  } cases[] = {
      {plain, NULL, 0, 0.9056620699226956},
      {plain, weight, 0, 1.3598866870105453},
      {ignored, NULL, 0, 0.4139412683566461},
      {plain, NULL, 0.1, 1.4631620699226957},
      {plain, weight, 0.1, 2.2610681046719288},
      {ignored, weight, 0.1, 0.4396042151451432 * 3.5},
  };
  static const double gradient[4] = {0.01745593704283498, 0.005257627200805697,
      -0.046276614605403665, 0.023563050361763007};
  if (t->real_bytes == 4)
    return;
  for (size_t i = 0; i < COUNT(cases); i++) {
    double loss[3], dx[12];
    t->xent(&(mlplk_xent){.n = 3, .k = 4, .x = logits, .s_x = 4, .label = cases[i].label,
        .weight = cases[i].weight, .smoothing = cases[i].smoothing, .scale = 1. / 3,
        .loss = loss, .dx = dx});
    assert_true(fabs(loss[0] + loss[1] + loss[2] - cases[i].sum) <= 1e-12);
    for (int c = 0; c < 4 && i == 0; c++)
      assert_true(fabs(dx[c] - gradient[c]) <= 1e-14);
  }
}

static void cross_entropy_agrees_with_golden_numbers(void **state) {
  (void)state;
  each_table(golden);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(softmax_agrees_with_loops),
      cmocka_unit_test(nan_and_infinity_stay_in_their_row),
      cmocka_unit_test(softmax_gradients_agree_with_loops),
      cmocka_unit_test(columns_agree_with_rows),
      cmocka_unit_test(nan_and_infinity_stay_in_their_column),
      cmocka_unit_test(cross_entropy_agrees_with_loops),
      cmocka_unit_test(odd_rows_do_as_in_pytorch),
      cmocka_unit_test(cross_entropy_agrees_with_golden_numbers),
  };
  return cmocka_run_group_tests_name("softmax", tests, NULL, NULL);
}
