/*
** Scans against plain loops, along rows and down columns, forwards and backwards; the same
** bits however lines are cut.
*/
#include "kernel_test.h"

static const char *const names[MLPLK_N_SCANS] = {[MLPLK_CUMSUM] = "cumsum",
    [MLPLK_CUMPROD] = "cumprod", [MLPLK_LOGCUMSUMEXP] = "logcumsumexp",
    [MLPLK_CUMMAX] = "cummax", [MLPLK_CUMMIN] = "cummin", [MLPLK_RECUR] = "recur",
    [MLPLK_RECUR_LAG] = "recur_lag"};

/* Element t of a line after `last`; *place: where the extreme is. */
static long double plain_next(const mlplk_table *t, int kind, long double last,
    const void *x, const void *a, ptrdiff_t at, ptrdiff_t before, ptrdiff_t step,
    int64_t *place) {
  const long double v = get(t, x, at);
  const int first = step == 0;
  switch (kind) {
  case MLPLK_CUMSUM: return first ? v : last + v;
  case MLPLK_CUMPROD: return first ? v : last * v;
  case MLPLK_LOGCUMSUMEXP: return first ? v : logl(expl(last) + expl(v));
  case MLPLK_RECUR: return first ? v : get(t, a, at) * last + v;
  case MLPLK_RECUR_LAG: return first ? v : get(t, a, before) * last + v;
  default: break;
  }
  if (first || (kind == MLPLK_CUMMAX ? v >= last : v <= last) || isnan(v)) {
    *place = step;
    return v;
  }
  return last;
}

static void check_line(const mlplk_table *t, int kind, ptrdiff_t r, const void *y,
    const int64_t *index, const void *x, const void *a, ptrdiff_t first, ptrdiff_t step) {
  long double last = 0;
  int64_t place = 0;
  for (ptrdiff_t i = 0; i < r; i++) {
    const ptrdiff_t at = first + i * step;
    last = plain_next(t, kind, last, x, a, at, at - step, i, &place);
    const double got = get(t, y, at);
    /* in f64 every step rounds what is carried */
    const double slack = (4 + (double)i / 2) * epsilon(t) * fmax(1, (double)fabsl(last));
    if (!(fabsl(got - last) <= slack) && !(isnan(got) && isnan(last)))
      fail_msg("%s %s: element %td of %td, step %td: %.17g, should be %.17Lg", t->isa,
          names[kind], i, r, step, got, last);
    if (kind == MLPLK_CUMMAX || kind == MLPLK_CUMMIN)
      if (index[at] != place)
        fail_msg("%s %s: place %td of %td, step %td: %d, should be %d", t->isa, names[kind], i,
            r, step, (int)index[at], (int)place);
  }
}

/* n lines of r elements: rows, or columns; backwards from their ends. */
static void check_scan(const mlplk_table *t, int kind, ptrdiff_t n, ptrdiff_t r,
    int columns, int backwards, int special) {
  const ptrdiff_t size = n * r, s_n = columns ? 1 : r, stride = columns ? n : 1;
  const ptrdiff_t step = backwards ? -stride : stride,
                  first = backwards && r ? (r - 1) * stride : 0;
  void *x = guarded_new(t, size), *a = guarded_new(t, size), *y = guarded_new(t, size),
       *one = guarded_new(t, size);
  int64_t *index = calloc((size_t)size + 1, 2 * sizeof *index), *alone = index + size + 1;
  assert_non_null(index);
  for (ptrdiff_t i = 0; i < size; i++) {
    put(t, x, i, i % 5 == 2 ? -0.0 : test_uniform(-1, 1));
    put(t, a, i, test_uniform(-1, 1));
  }
  if (special && size) put(t, x, size / 2, NAN);
  t->scan[kind](n, r, at(t, y, first), index + first, at(t, x, first), at(t, a, first),
      s_n, step);
  for (ptrdiff_t i = 0; i < n; i++) {
    const ptrdiff_t from = first + i * s_n;
    check_line(t, kind, r, y, index, x, a, from, step);
    t->scan[kind](1, r, at(t, one, from), alone + from, at(t, x, from), at(t, a, from),
        s_n, step);
    for (ptrdiff_t c = 0; c < r; c++) {
      assert_true(same_bits(t, y, from + c * step, one, from + c * step));
      assert_int_equal(index[from + c * step], alone[from + c * step]);
    }
  }
  assert_int_equal(index[size], 0);
  free(index);
  guarded_free(t, x, size);
  guarded_free(t, a, size);
  guarded_free(t, y, size);
  guarded_free(t, one, size);
}

static void scans(const mlplk_table *t) {
  static const ptrdiff_t lines[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 70};
  static const ptrdiff_t lengths[] = {0, 1, 2, 3, 17, 40};
  for (int kind = 0; kind < MLPLK_N_SCANS; kind++)
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
      for (size_t j = 0; j < sizeof lengths / sizeof *lengths; j++)
        for (int how = 0; how < 8; how++)
          check_scan(t, kind, lines[i], lengths[j], how & 1, how >> 1 & 1, how >> 2);
}

static void scans_agree_with_loops(void **state) {
  (void)state;
  each_table(scans);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(scans_agree_with_loops)};
  return cmocka_run_group_tests_name("scans", tests, NULL, NULL);
}
