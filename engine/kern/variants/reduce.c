/*
** Reductions. The order of additions is written out here, lane by lane, so that it is
** the same on every instruction set and depends on r and the strides alone:
**
**   side by side  blocks of at most BLOCK elements; in a block lane l adds the elements
**                 l, l + LANES, ... and the lanes are added in halves; blocks pairwise
**   columns       (s_n = 1) each column adds at most SPAN elements in turn, spans
**                 pairwise
**   else          as columns, one at a time
**
** The rounding error of a sum so grows with SPAN or BLOCK / LANES (64) and the
** logarithm of r, not with r.
*/
#include "kern/variants/reduce.h"

#include <string.h>

enum {
  LANES = 256 /
      sizeof(real), /* four of the widest registers hide the latency of addition */
  FEW = 8,          /* lanes for what is left of a block */
  SHORT = 16,       /* runs up to here are added one by one */
  SPAN = 64,
  BLOCK = SPAN * LANES,
  TILE = 256 / sizeof(real) /* columns reduced together */
};

/* Half of r, rounded up to a multiple of unit; r > unit. */
static ptrdiff_t first_part(ptrdiff_t r, ptrdiff_t unit) {
  return (r / 2 + unit - 1) / unit * unit;
}

/* ---- sums side by side ------------------------------------------------------------- */

/* Sum of whole groups of `lanes` elements, a constant where this is called; *j is how
   far they reach. */
static inline real sum_groups(const real *x, ptrdiff_t r, ptrdiff_t *j, const int lanes) {
  real lane[LANES];
  ptrdiff_t i = *j;
  for (int l = 0; l < lanes; l++) lane[l] = x[i + l];
  for (i += lanes; i + lanes <= r; i += lanes)
    for (int l = 0; l < lanes; l++) lane[l] += x[i + l];
  *j = i;
  for (int half = lanes / 2; half > 0; half /= 2)
    for (int l = 0; l < half; l++) lane[l] += lane[l + half];
  return lane[0];
}

static inline real sum_block(const real *x, ptrdiff_t r) {
  ptrdiff_t j = 0;
  real sum = 0;
  if (r >= LANES) sum = sum_groups(x, r, &j, LANES);
  if (r - j > SHORT) sum += sum_groups(x, r, &j, FEW);
  for (; j < r; j++) sum += x[j];
  return sum;
}

real VARIANT(run_sum)(const real *x, ptrdiff_t r) {
  if (r <= BLOCK) return sum_block(x, r);
  const ptrdiff_t first = first_part(r, BLOCK);
  return VARIANT(run_sum)(x, first) + VARIANT(run_sum)(x + first, r - first);
}

/* ---- sums of columns --------------------------------------------------------------- */

/* out[c] = sum over j of x[j * s_r + c]: a full tile keeps its sums in registers. */
static void sum_tile(real out[TILE], const real *x, ptrdiff_t s_r, ptrdiff_t r) {
  real sum[TILE] = {0};
  for (ptrdiff_t j = 0; j < r; j++)
    for (int c = 0; c < TILE; c++) sum[c] += x[j * s_r + c];
  memcpy(out, sum, sizeof sum);
}

static void sum_few(
    real *restrict out, int width, const real *restrict x, ptrdiff_t s_r, ptrdiff_t r) {
  for (int c = 0; c < width; c++) out[c] = r ? 0 + x[c] : 0; /* -0 becomes 0 */
  for (ptrdiff_t j = 1; j < r; j++)
    for (int c = 0; c < width; c++) out[c] += x[j * s_r + c];
}

static void sum_columns(real *out, int width, const real *x, ptrdiff_t s_r, ptrdiff_t r) {
  if (r <= SPAN) {
    if (width == TILE)
      sum_tile(out, x, s_r, r);
    else
      sum_few(out, width, x, s_r, r);
    return;
  }
  const ptrdiff_t first = first_part(r, SPAN);
  real rest[TILE];
  sum_columns(out, width, x, s_r, first);
  sum_columns(rest, width, x + first * s_r, s_r, r - first);
  for (int c = 0; c < width; c++) out[c] += rest[c];
}

static real sum_one_column(const real *x, ptrdiff_t s_r, ptrdiff_t r) {
  if (r > SPAN) {
    const ptrdiff_t first = first_part(r, SPAN);
    return sum_one_column(x, s_r, first) +
        sum_one_column(x + first * s_r, s_r, r - first);
  }
  real sum = 0;
  for (ptrdiff_t j = 0; j < r; j++) sum += x[j * s_r];
  return sum;
}

void VARIANT(sum)(
    ptrdiff_t n, ptrdiff_t r, void *out, const void *x, ptrdiff_t s_n, ptrdiff_t s_r) {
  real *o = out;
  const real *a = x;
  if (s_r == 1) {
    for (ptrdiff_t i = 0; i < n; i++) o[i] = VARIANT(run_sum)(a + i * s_n, r);
  }
  else if (s_n == 1) {
    for (ptrdiff_t i = 0; i < n; i += TILE)
      sum_columns(o + i, n - i < TILE ? (int)(n - i) : TILE, a + i, s_r, r);
  }
  else {
    for (ptrdiff_t i = 0; i < n; i++) o[i] = sum_one_column(a + i * s_n, s_r, r);
  }
}

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

real VARIANT(run_max)(const real *x, ptrdiff_t r) { return fold_run(x, r, LARGEST); }

static inline void fold_columns(real *out, int width, const real *x, ptrdiff_t s_r,
    ptrdiff_t r, const int kind) {
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

static inline void fold_rows(ptrdiff_t n, ptrdiff_t r, real *o, const real *a,
    ptrdiff_t s_n, ptrdiff_t s_r, const int kind) {
  if (r == 0) { /* only products: of nothing */
    for (ptrdiff_t i = 0; i < n; i++) o[i] = 1;
  }
  else if (s_r == 1) {
    for (ptrdiff_t i = 0; i < n; i++) o[i] = fold_run(a + i * s_n, r, kind);
  }
  else if (s_n == 1) {
    for (ptrdiff_t i = 0; i < n; i += TILE)
      fold_columns(o + i, n - i < TILE ? (int)(n - i) : TILE, a + i, s_r, r, kind);
  }
  else {
    for (ptrdiff_t i = 0; i < n; i++) o[i] = fold_one_column(a + i * s_n, s_r, r, kind);
  }
}

void VARIANT(max)(
    ptrdiff_t n, ptrdiff_t r, void *out, const void *x, ptrdiff_t s_n, ptrdiff_t s_r) {
  fold_rows(n, r, out, x, s_n, s_r, LARGEST);
}

void VARIANT(min)(
    ptrdiff_t n, ptrdiff_t r, void *out, const void *x, ptrdiff_t s_n, ptrdiff_t s_r) {
  fold_rows(n, r, out, x, s_n, s_r, SMALLEST);
}

void VARIANT(prod)(
    ptrdiff_t n, ptrdiff_t r, void *out, const void *x, ptrdiff_t s_n, ptrdiff_t s_r) {
  fold_rows(n, r, out, x, s_n, s_r, PRODUCT);
}

/* Where the extreme value is first found; it is there, NaN included. */
static int64_t position(const real *x, ptrdiff_t s_r, real value) {
  ptrdiff_t j = 0;
  if (value != value)
    while (x[j * s_r] == x[j * s_r]) j++;
  else
    while (x[j * s_r] != value) j++;
  return j;
}

static inline void positions(ptrdiff_t n, ptrdiff_t r, int64_t *o, const real *x,
    ptrdiff_t s_n, ptrdiff_t s_r, const int kind) {
  for (ptrdiff_t i = 0; i < n; i++) {
    const real *row = x + i * s_n;
    o[i] = position(row, s_r,
        s_r == 1 ? fold_run(row, r, kind) : fold_one_column(row, s_r, r, kind));
  }
}

void VARIANT(argmax)(
    ptrdiff_t n, ptrdiff_t r, void *out, const void *x, ptrdiff_t s_n, ptrdiff_t s_r) {
  positions(n, r, out, x, s_n, s_r, LARGEST);
}

void VARIANT(argmin)(
    ptrdiff_t n, ptrdiff_t r, void *out, const void *x, ptrdiff_t s_n, ptrdiff_t s_r) {
  positions(n, r, out, x, s_n, s_r, SMALLEST);
}

/* ---- counts ------------------------------------------------------------------------ */

static int64_t nonzero_run(const real *x, ptrdiff_t r) {
  int64_t count = 0;
  for (ptrdiff_t j = 0; j < r; j++) count += x[j] != 0;
  return count;
}

static void nonzero_columns(
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
