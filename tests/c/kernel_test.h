/*
** What the kernel tests share: a loop over the tables this machine can run, access to
** elements of either type, guarded buffers and a small generator.
*/
#ifndef KERNEL_TEST_H
#define KERNEL_TEST_H

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kern/kern.h"

/* Calls check for both element types on every instruction set; those that this
   processor cannot run are skipped, and it is said. */
static inline void each_table(void (*check)(const mlplk_table *t)) {
  static const char *const isas[] = {"base", "avx2", "avx512"};
  for (size_t bytes = 4; bytes <= 8; bytes += 4)
    for (size_t i = 0; i < 3; i++) {
      const mlplk_table *t = mlplk_select(bytes, isas[i]);
      if (t)
        check(t);
      else
        print_message("skipped: this processor cannot run %s\n", isas[i]);
    }
}

static inline double get(const mlplk_table *t, const void *p, ptrdiff_t i) {
  return t->real_bytes == 4 ? (double)((const float *)p)[i] : ((const double *)p)[i];
}

static inline void put(const mlplk_table *t, void *p, ptrdiff_t i, double v) {
  if (t->real_bytes == 4)
    ((float *)p)[i] = (float)v;
  else
    ((double *)p)[i] = v;
}

static inline char *at(const mlplk_table *t, void *p, ptrdiff_t i) {
  return (char *)p + i * (ptrdiff_t)t->real_bytes;
}

/* The value as this element type holds it. */
static inline double rounded(const mlplk_table *t, double v) {
  return t->real_bytes == 4 ? (double)(float)v : v;
}

static inline double epsilon(const mlplk_table *t) {
  return t->real_bytes == 4 ? (double)FLT_EPSILON : DBL_EPSILON;
}

/* Distance between neighbours at v. */
static inline long double ulp_at(const mlplk_table *t, long double v) {
  const int digits = t->real_bytes == 4 ? FLT_MANT_DIG : DBL_MANT_DIG;
  const int lowest = t->real_bytes == 4 ? FLT_MIN_EXP : DBL_MIN_EXP;
  int e;
  frexpl(v, &e);
  return ldexpl(1, (v == 0 || e < lowest ? lowest : e) - digits);
}

/* |got - exact| in units of the last place of exact; NaN agrees with NaN alone, and
   what is too large for the type with infinity. */
static inline double ulps(const mlplk_table *t, double got, long double exact) {
  const long double bound = t->real_bytes == 4 ? (long double)FLT_MAX
                                               : (long double)DBL_MAX;
  const long double half = ulp_at(t, bound) / 2;
  if (isnan(exact) || isnan(got))
    return isnan(exact) && isnan(got) ? 0 : INFINITY;
  if (isinf(got))
    return fabsl(exact) >= bound - 2 * half && (got > 0) == (exact > 0) ? 0 : INFINITY;
  if (isinf(exact))
    return INFINITY;
  return (double)(fabsl((long double)got - exact) / ulp_at(t, exact));
}

/* The same bits, one NaN being as good as another. */
static inline int same_bits(
    const mlplk_table *t, const void *p, ptrdiff_t i, const void *q, ptrdiff_t j) {
  const double a = get(t, p, i), b = get(t, q, j);
  return (isnan(a) && isnan(b)) || (a == b && signbit(a) == signbit(b));
}

/* Room for n elements, GUARD of them on either side holding a value nobody computes. */
enum { GUARD = 16 };
static const double guard_value = -7654321;

static inline void *guarded_new(const mlplk_table *t, ptrdiff_t n) {
  char *p = malloc((size_t)(n + 2 * GUARD) * t->real_bytes);
  assert_non_null(p);
  for (ptrdiff_t i = 0; i < n + 2 * GUARD; i++)
    put(t, p, i, guard_value);
  return at(t, p, GUARD);
}

static inline void guarded_free(const mlplk_table *t, void *p, ptrdiff_t n) {
  for (ptrdiff_t i = 1; i <= GUARD; i++) {
    assert_true(get(t, p, -i) == guard_value);
    assert_true(get(t, p, n + i - 1) == guard_value);
  }
  free(at(t, p, -GUARD));
}

/* splitmix64: the tests' own numbers, the same in every run. */
static uint64_t test_seed = 1;

static inline double test_uniform(double lo, double hi) {
  uint64_t z = (test_seed += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  return lo + (hi - lo) * ((double)(z >> 11) * 0x1p-53);
}

#endif
