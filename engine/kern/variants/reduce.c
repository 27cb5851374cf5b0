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
#if !defined __clang__ /* lanes and tiles stay in registers */
#pragma GCC optimize("O3")
#endif
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

static __attribute__((noinline)) void sum_columns(real *out, int width, const real *x, ptrdiff_t s_r, ptrdiff_t r) {
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

static __attribute__((noinline)) real sum_one_column(const real *x, ptrdiff_t s_r, ptrdiff_t r) {
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
