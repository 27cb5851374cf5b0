/*
** Random fills: Philox's published vectors, every fill against mlplk_philox, cuts,
** bounds, and the statistics of a million draws with a fixed seed.
*/
#include "kernel_test.h"

static void check_block(
    const uint32_t key[2], uint64_t counter, const uint32_t expected[4]) {
  uint32_t out[4];
  mlplk_philox(key, counter, out);
  for (int i = 0; i < 4; i++)
    assert_int_equal(out[i], expected[i]);
}

/*
** Of the three vectors in Random123's kat_vectors only the first has words 2 and 3 of the
** counter zero, as ours always are. The second here comes from a separate program that
** reproduces all three.
*/
static void philox_agrees_with_published_vectors(void **state) {
  (void)state;
  check_block((const uint32_t[2]){0, 0}, 0,
      (const uint32_t[4]){0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  check_block((const uint32_t[2]){0xa4093822, 0x299f31d0}, 0x0123456789abcdefu,
      (const uint32_t[4]){0xf15c8970, 0x843da639, 0xff6fc5f0, 0xae625335});
}

/* ---- fills against their definition ------------------------------------------------ */

/* The number in [0, 1) that element i is made of. */
static double unit_at(const mlplk_table *t, const mlplk_stream *s, ptrdiff_t i) {
  const ptrdiff_t per = t->per_block;
  uint32_t w[4];
  mlplk_philox(s->key, s->counter + (uint64_t)(i / per), w);
  if (per == 4)
    return (w[i % 4] >> 8) * 0x1p-24;
  const uint64_t pair = (uint64_t)w[2 * (i % 2) + 1] << 32 | w[2 * (i % 2)];
  return (double)(pair >> 12) * 0x1p-52;
}

/* Box and Muller in double from the same bits. */
static double normal_at(const mlplk_table *t, const mlplk_stream *s, ptrdiff_t i) {
  const ptrdiff_t per = t->per_block;
  const int which = (int)(i % per);
  uint32_t w[4];
  double u, turn;
  mlplk_philox(s->key, s->counter + (uint64_t)(i / per), w);
  if (per == 4) {
    u = (w[which / 2 * 2] >> 1) * 0x1p-31 + 0x1p-32;
    const uint32_t a = w[which / 2 * 2 + 1];
    turn = (a >> 30) + (double)(int32_t)(a << 2) * 0x1p-32;
  } else {
    const uint64_t a = (uint64_t)w[3] << 32 | w[2], b = (uint64_t)w[1] << 32 | w[0];
    u = 1 - (double)(b >> 12) * 0x1p-52;
    turn = (double)(a >> 62) + (double)((a << 2) >> 12) * 0x1p-52 - 0.5;
  }
  const double angle = turn * 1.57079632679489661923;
  return sqrt(-2 * log(u)) * (which % 2 ? sin(angle) : cos(angle));
}

enum { SOME = 331 };
static const mlplk_stream crossing = {
    {0x12345678, 0x9abcdef0}, 0xfffffff8u}; /* carries */

static void definitions(const mlplk_table *t) {
  void *u = guarded_new(t, SOME), *z = guarded_new(t, SOME), *mask = guarded_new(t, SOME);
  t->uniform(SOME, u, &crossing, 0, 1);
  t->normal(SOME, z, &crossing, 0, 1);
  t->dropout(SOME, mask, &crossing, 0.25, 4. / 3);
  for (ptrdiff_t i = 0; i < SOME; i++) {
    const double unit = unit_at(t, &crossing, i), normal = normal_at(t, &crossing, i);
    assert_true(get(t, u, i) == unit);
    assert_true(get(t, mask, i) == (unit < 0.25 ? 0 : rounded(t, 4. / 3)));
    assert_true(fabs(get(t, z, i) - normal) <= 8 * epsilon(t));
  }
  guarded_free(t, u, SOME);
  guarded_free(t, z, SOME);
  guarded_free(t, mask, SOME);
}

static void fills_agree_with_their_definition(void **state) {
  (void)state;
  each_table(definitions);
}

/* ---- cuts -------------------------------------------------------------------------- */

static void fill(
    const mlplk_table *t, int which, ptrdiff_t n, void *out, const mlplk_stream *s) {
  switch (which) {
  case 0: t->uniform(n, out, s, -0.3, 0.7); break;
  case 1: t->normal(n, out, s, 0.5, 2); break;
  default: t->dropout(n, out, s, 0.4, 1.5); break;
  }
}

static void check_cut(const mlplk_table *t, int which, const void *whole, ptrdiff_t start,
    ptrdiff_t n) {
  mlplk_stream s = crossing;
  void *part = guarded_new(t, n);
  s.counter += (uint64_t)(start / t->per_block);
  fill(t, which, n, part, &s);
  for (ptrdiff_t i = 0; i < n; i++)
    assert_true(same_bits(t, part, i, whole, start + i));
  guarded_free(t, part, n);
}

static void cuts(const mlplk_table *t) {
  double whole[SOME];
  for (int which = 0; which < 3; which++) {
    fill(t, which, SOME, whole, &crossing);
    for (ptrdiff_t n = 0; n <= 67; n++)
      check_cut(t, which, whole, 0, n);
    for (ptrdiff_t start = 0; start < SOME; start += t->per_block)
      check_cut(t, which, whole, start, SOME - start);
  }
}

static void cuts_give_the_same_bits(void **state) {
  (void)state;
  each_table(cuts);
}

static void every_isa_gives_the_same_bits(void **state) {
  (void)state;
  static const char *const isas[] = {"avx2", "avx512"};
  for (size_t bytes = 4; bytes <= 8; bytes += 4)
    for (int i = 0; i < 2; i++) {
      const mlplk_table *base = mlplk_select(bytes, "base"),
                        *t = mlplk_select(bytes, isas[i]);
      if (!t)
        print_message("skipped: this processor cannot run %s\n", isas[i]);
      for (int which = 0; t && which < 3; which++) {
        double a[4096], b[4096];
        fill(base, which, 4096, a, &crossing);
        fill(t, which, 4096, b, &crossing);
        for (ptrdiff_t j = 0; j < 4096; j++)
          assert_true(same_bits(t, a, j, b, j));
      }
    }
}

/* ---- bounds ------------------------------------------------------------------------ */

static void bounds(const mlplk_table *t) {
  static const double ranges[][2] = {{0, 1}, {-0.1, 0.1}, {0.1, 0.3}, {1, 1.0000001},
      {1, 1}, {-1e30, 1e30}, {16777215, 16777217}, {0, 1e-45}, {3, 1e8}, {-1e-3, 0}};
  enum { N = 1 << 16 };
  void *x = guarded_new(t, N);
  for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++) {
    const double lo = ranges[r][0], hi = ranges[r][1];
    t->uniform(N, x, &crossing, lo, hi);
    for (ptrdiff_t i = 0; i < N; i++)
      if (!(get(t, x, i) >= lo && (get(t, x, i) < hi || lo == hi)))
        fail_msg("f%d: %.17g is not in [%.17g, %.17g)", (int)t->real_bytes * 8,
            get(t, x, i), lo, hi);
  }
  guarded_free(t, x, N);
}

static void uniform_stays_in_its_bounds(void **state) {
  (void)state;
  each_table(bounds);
}

static void certain_masks(const mlplk_table *t) {
  double mask[SOME];
  t->dropout(SOME, mask, &crossing, 1, INFINITY);
  for (ptrdiff_t i = 0; i < SOME; i++)
    assert_true(get(t, mask, i) == 0);
  t->dropout(SOME, mask, &crossing, 0, 1);
  for (ptrdiff_t i = 0; i < SOME; i++)
    assert_true(get(t, mask, i) == 1);
}

static void dropout_of_all_and_of_none(void **state) {
  (void)state;
  each_table(certain_masks);
}

/* ---- statistics ------------------------------------------------------------------ */

/* All instruction sets give the same bits, so the best one stands for them. */

enum { DRAWS = 1000000 };

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double uniform_below(double x) {
  return x;
}

static double normal_below(double x) {
  return erfc(-x / 1.41421356237309504880) / 2;
}

/* Kolmogorov-Smirnov: sqrt(n) D exceeds 2.225 with probability 1e-4. */
static void check_distribution(double *x, double (*below)(double)) {
  double worst = 0;
  qsort(x, DRAWS, sizeof *x, ascending);
  for (int i = 0; i < DRAWS; i++) {
    const double f = below(x[i]);
    worst = fmax(worst, fmax(f - i / (double)DRAWS, (i + 1) / (double)DRAWS - f));
  }
  assert_true(sqrt(DRAWS) * worst < 2.225);
}

/* Mean within 4 sigma / 1000, variance within 0.6 %, neighbours uncorrelated. */
static void check_moments(const double *x, double mean, double variance) {
  double sum = 0, squares = 0, pairs = 0;
  for (int i = 0; i < DRAWS; i++)
    sum += x[i] - mean;
  for (int i = 0; i < DRAWS; i++)
    squares += (x[i] - mean) * (x[i] - mean);
  for (int i = 1; i < DRAWS; i++)
    pairs += (x[i] - mean) * (x[i - 1] - mean);
  assert_true(fabs(sum / DRAWS) < 4 * sqrt(variance) / 1000);
  assert_true(fabs(squares / DRAWS / variance - 1) < 0.006);
  assert_true(fabs(pairs / DRAWS / variance) < 4. / 1000);
}

static void statistics_of_a_million_draws(void **state) {
  (void)state;
  const mlplk_stream s = {{20240229, 7}, 0};
  void *draws = malloc(DRAWS * sizeof(double));
  double *x = malloc(DRAWS * sizeof *x);
  assert_true(draws && x);
  for (size_t bytes = 4; bytes <= 8; bytes += 4) {
    const mlplk_table *t = mlplk_select(bytes, NULL);
    t->uniform(DRAWS, draws, &s, 0, 1);
    for (int i = 0; i < DRAWS; i++)
      x[i] = get(t, draws, i);
    check_moments(x, 0.5, 1. / 12);
    check_distribution(x, uniform_below);
    t->normal(DRAWS, draws, &s, 0, 1);
    for (int i = 0; i < DRAWS; i++)
      x[i] = get(t, draws, i);
    check_moments(x, 0, 1);
    assert_true(isfinite(x[0]));
    check_distribution(x, normal_below);
    assert_true(x[0] < -4 && x[0] > -9 && x[DRAWS - 1] > 4 && x[DRAWS - 1] < 9);
    t->dropout(DRAWS, draws, &s, 0.3, 1);
    double kept = 0;
    for (int i = 0; i < DRAWS; i++)
      kept += get(t, draws, i);
    assert_true(fabs(kept / DRAWS - 0.7) < 4 * sqrt(0.21) / 1000);
  }
  free(draws);
  free(x);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(philox_agrees_with_published_vectors),
      cmocka_unit_test(fills_agree_with_their_definition),
      cmocka_unit_test(cuts_give_the_same_bits),
      cmocka_unit_test(every_isa_gives_the_same_bits),
      cmocka_unit_test(uniform_stays_in_its_bounds),
      cmocka_unit_test(dropout_of_all_and_of_none),
      cmocka_unit_test(statistics_of_a_million_draws),
  };
  return cmocka_run_group_tests_name("philox", tests, NULL, NULL);
}
