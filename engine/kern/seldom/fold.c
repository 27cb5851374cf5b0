/*
** Maxima, minima, products, where the extremes are, and counts. In which order elements
** are folded depends on the size of an element, r and the strides alone.
*/
#if !defined __clang__ /* lanes and tiles stay in registers */
#pragma GCC optimize("O3")
#endif
#include "kern/variants/reduce.h"

#if defined __clang__
#define ONE_COPY static __attribute__((noinline))
#else
#define ONE_COPY static __attribute__((noinline, noclone))
#endif

enum {
  LANES = 256 / sizeof(real),
  FEW = 8,                  /* lanes for what is left of a run */
  SHORT = 16,               /* runs up to here are folded one by one */
  TILE = 256 / sizeof(real) /* columns folded together */
};

/* ---- maxima, minima, products ------------------------------------------------------ */

/* Which of the three a loop computes: a constant wherever `fold` is called. */
enum { LARGEST, SMALLEST, PRODUCT };

/* A NaN on either side wins. */
static inline real fold(real a, real b, const int kind) {
  if (kind == PRODUCT) return a * b;
  return (kind == LARGEST ? b > a : b < a) || b != b ? b : a;
}

static inline real fold_groups(
    const real *x, ptrdiff_t r, ptrdiff_t *j, const int lanes, const int kind) {
  real lane[LANES];
  ptrdiff_t i = *j;
  for (int l = 0; l < lanes; l++) lane[l] = x[i + l];
  for (i += lanes; i + lanes <= r; i += lanes)
    for (int l = 0; l < lanes; l++) lane[l] = fold(lane[l], x[i + l], kind);
  *j = i;
  for (int half = lanes / 2; half > 0; half /= 2)
    for (int l = 0; l < half; l++) lane[l] = fold(lane[l], lane[l + half], kind);
  return lane[0];
}

static inline real fold_run(const real *x, ptrdiff_t r, const int kind) {
  ptrdiff_t j = 0;
  real all = kind == PRODUCT ? 1 : x[0];
  if (r >= LANES) all = fold(all, fold_groups(x, r, &j, LANES, kind), kind);
  if (r - j > SHORT) all = fold(all, fold_groups(x, r, &j, FEW, kind), kind);
  for (; j < r; j++) all = fold(all, x[j], kind);
  return all;
}

static inline void fold_columns(
    real *out, int width, const real *x, ptrdiff_t s_r, ptrdiff_t r, const int kind) {
  real all[TILE];
  for (int c = 0; c < width; c++) all[c] = x[c];
  for (ptrdiff_t j = 1; j < r; j++)
    for (int c = 0; c < width; c++) all[c] = fold(all[c], x[j * s_r + c], kind);
  for (int c = 0; c < width; c++) out[c] = all[c];
}

static inline real fold_one_column(
    const real *x, ptrdiff_t s_r, ptrdiff_t r, const int kind) {
  real all = x[0];
  for (ptrdiff_t j = 1; j < r; j++) all = fold(all, x[j * s_r], kind);
  return all;
}

/* The loops of one kind, compiled once each. */
typedef struct folding {
  real (*run)(const real *x, ptrdiff_t r);
  void (*columns)(real *out, int width, const real *x, ptrdiff_t s_r, ptrdiff_t r);
  real (*one_column)(const real *x, ptrdiff_t s_r, ptrdiff_t r);
} folding;

#define FOLDING(name, kind)                                                              \
  ONE_COPY real name##_run(const real *x, ptrdiff_t r) { return fold_run(x, r, kind); }  \
  ONE_COPY void name##_columns(                                                          \
      real *out, int width, const real *x, ptrdiff_t s_r, ptrdiff_t r) {                 \
    fold_columns(out, width, x, s_r, r, kind);                                           \
  }                                                                                      \
  ONE_COPY real name##_one_column(const real *x, ptrdiff_t s_r, ptrdiff_t r) {           \
    return fold_one_column(x, s_r, r, kind);                                             \
  }                                                                                      \
  static const folding name = {name##_run, name##_columns, name##_one_column};

FOLDING(largest, LARGEST)
FOLDING(smallest, SMALLEST)
FOLDING(product, PRODUCT)

real VARIANT(run_max)(const real *x, ptrdiff_t r) { return largest_run(x, r); }

ONE_COPY void fold_rows(const folding *f, ptrdiff_t n, ptrdiff_t r, real *o,
    const real *a, ptrdiff_t s_n, ptrdiff_t s_r) {
  if (r == 0) { /* only products: of nothing */
    for (ptrdiff_t i = 0; i < n; i++) o[i] = 1;
  }
  else if (s_r == 1) {
    for (ptrdiff_t i = 0; i < n; i++) o[i] = f->run(a + i * s_n, r);
  }
  else if (s_n == 1) {
    for (ptrdiff_t i = 0; i < n; i += TILE)
      f->columns(o + i, n - i < TILE ? (int)(n - i) : TILE, a + i, s_r, r);
  }
  else {
    for (ptrdiff_t i = 0; i < n; i++) o[i] = f->one_column(a + i * s_n, s_r, r);
  }
}

#if MLPLK_REAL == 32
typedef int32_t place;
#else
typedef int64_t place;
#endif

/* Where the extreme value is first found; it is there, NaN included. */
static int64_t position(const real *x, ptrdiff_t s_r, real value) {
  ptrdiff_t j = 0;
  if (value != value)
    while (x[j * s_r] == x[j * s_r]) j++;
  else
    while (x[j * s_r] != value) j++;
  return j;
}

/* Where the extremes of columns side by side are; places are as wide as elements. */
ONE_COPY void position_columns(
    const int sign, int64_t *o, int width, const real *x, ptrdiff_t s_r, ptrdiff_t r) {
  real best[TILE];
  place at[TILE];
  for (int c = 0; c < width; c++) best[c] = (real)sign * x[c], at[c] = 0;
  for (ptrdiff_t j = 1; j < r; j++)
    for (int c = 0; c < width; c++) {
      const real v = (real)sign * x[j * s_r + c];
      const int better = v > best[c] || (v != v && best[c] == best[c]);
      best[c] = better ? v : best[c];
      at[c] = better ? (place)j : at[c];
    }
  for (int c = 0; c < width; c++) o[c] = at[c];
}

ONE_COPY void positions(const folding *f, ptrdiff_t n, ptrdiff_t r, int64_t *o,
    const real *x, ptrdiff_t s_n, ptrdiff_t s_r) {
  if (s_n == 1 && s_r != 1 && r <= INT32_MAX) {
    for (ptrdiff_t i = 0; i < n; i += TILE)
      position_columns(f == &largest ? 1 : -1, o + i, n - i < TILE ? (int)(n - i) : TILE,
          x + i, s_r, r);
    return;
  }
  for (ptrdiff_t i = 0; i < n; i++) {
    const real *row = x + i * s_n;
    o[i] = position(row, s_r, s_r == 1 ? f->run(row, r) : f->one_column(row, s_r, r));
  }
}

#define REDUCTION(name, loop, folding)                                                   \
  void VARIANT(name)(ptrdiff_t n, ptrdiff_t r, void *out, const void *x, ptrdiff_t s_n,  \
      ptrdiff_t s_r) {                                                                   \
    loop(&folding, n, r, out, x, s_n, s_r);                                              \
  }

REDUCTION(max, fold_rows, largest)
REDUCTION(min, fold_rows, smallest)
REDUCTION(prod, fold_rows, product)
REDUCTION(argmax, positions, largest)
REDUCTION(argmin, positions, smallest)

/* ---- counts ------------------------------------------------------------------------ */

ONE_COPY int64_t nonzero_run(const real *x, ptrdiff_t r) {
  int64_t count = 0;
  for (ptrdiff_t j = 0; j < r; j++) count += x[j] != 0;
  return count;
}

ONE_COPY void nonzero_columns(
    int64_t *out, int width, const real *x, ptrdiff_t s_r, ptrdiff_t r) {
  for (int c = 0; c < width; c++) out[c] = 0;
  for (ptrdiff_t j = 0; j < r; j++)
    for (int c = 0; c < width; c++) out[c] += x[j * s_r + c] != 0;
}

void VARIANT(nonzero)(
    ptrdiff_t n, ptrdiff_t r, void *out, const void *x, ptrdiff_t s_n, ptrdiff_t s_r) {
  int64_t *o = out;
  const real *a = x;
  if (s_r == 1) {
    for (ptrdiff_t i = 0; i < n; i++) o[i] = nonzero_run(a + i * s_n, r);
  }
  else if (s_n == 1) {
    for (ptrdiff_t i = 0; i < n; i += TILE)
      nonzero_columns(o + i, n - i < TILE ? (int)(n - i) : TILE, a + i, s_r, r);
  }
  else {
    for (ptrdiff_t i = 0; i < n; i++) nonzero_columns(o + i, 1, a + i * s_n, s_r, r);
  }
}
