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
#include "kern/variants/vmath.h"

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

/* What a loop adds: elements or, with `squares`, a constant where it is called, their
   squares. */
ALWAYS real term(real x, const int squares) { return squares ? x * x : x; }

/* ---- sums side by side ------------------------------------------------------------- */

/* Sum of whole groups of `lanes` elements, a constant where this is called; *j is how
   far they reach. */
ALWAYS real sum_groups(
    const real *x, ptrdiff_t r, ptrdiff_t *j, const int lanes, const int squares) {
  real lane[LANES];
  ptrdiff_t i = *j;
  for (int l = 0; l < lanes; l++) lane[l] = term(x[i + l], squares);
  for (i += lanes; i + lanes <= r; i += lanes)
    for (int l = 0; l < lanes; l++) lane[l] += term(x[i + l], squares);
  *j = i;
  for (int half = lanes / 2; half > 0; half /= 2)
    for (int l = 0; l < half; l++) lane[l] += lane[l + half];
  return lane[0];
}

ALWAYS real sum_block(const real *x, ptrdiff_t r, const int squares) {
  ptrdiff_t j = 0;
  real sum = 0;
  if (r >= LANES) sum = sum_groups(x, r, &j, LANES, squares);
  if (r - j > SHORT) sum += sum_groups(x, r, &j, FEW, squares);
  for (; j < r; j++) sum += term(x[j], squares);
  return sum;
}

/* ---- sums of columns --------------------------------------------------------------- */

/* out[c] = sum over j of x[j * s_r + c]: a full tile keeps its sums in registers. */
ALWAYS void sum_tile(
    real *out, const real *x, ptrdiff_t s_r, ptrdiff_t r, const int squares) {
  real sum[TILE] = {0};
  for (ptrdiff_t j = 0; j < r; j++)
    for (int c = 0; c < TILE; c++) sum[c] += term(x[j * s_r + c], squares);
  memcpy(out, sum, sizeof sum);
}

ALWAYS void sum_few(real *restrict out, int width, const real *restrict x, ptrdiff_t s_r,
    ptrdiff_t r, const int squares) {
  for (int c = 0; c < width; c++)
    out[c] = r ? 0 + term(x[c], squares) : 0; /* -0 becomes 0 */
  for (ptrdiff_t j = 1; j < r; j++)
    for (int c = 0; c < width; c++) out[c] += term(x[j * s_r + c], squares);
}

ALWAYS real sum_column(const real *x, ptrdiff_t s_r, ptrdiff_t r, const int squares) {
  real sum = 0;
  for (ptrdiff_t j = 0; j < r; j++) sum += term(x[j * s_r], squares);
  return sum;
}

/* ---- both sums --------------------------------------------------------------------- */

/* The loops of one kind, compiled once each; at most a block, or a span of columns. */
typedef struct adding {
  real (*block)(const real *x, ptrdiff_t r);
  void (*columns)(real *out, int width, const real *x, ptrdiff_t s_r, ptrdiff_t r);
  real (*column)(const real *x, ptrdiff_t s_r, ptrdiff_t r);
} adding;

#define ADDING(name, squares)                                                            \
  static real name##_block(const real *x, ptrdiff_t r) {                                 \
    return sum_block(x, r, squares);                                                     \
  }                                                                                      \
  static void name##_columns(                                                            \
      real *out, int width, const real *x, ptrdiff_t s_r, ptrdiff_t r) {                 \
    if (width == TILE)                                                                   \
      sum_tile(out, x, s_r, r, squares);                                                 \
    else                                                                                 \
      sum_few(out, width, x, s_r, r, squares);                                           \
  }                                                                                      \
  static real name##_column(const real *x, ptrdiff_t s_r, ptrdiff_t r) {                 \
    return sum_column(x, s_r, r, squares);                                               \
  }                                                                                      \
  static const adding name = {name##_block, name##_columns, name##_column};

ADDING(elements, 0)
ADDING(squares, 1)

#if defined __clang__
#define ONE_COPY static __attribute__((noinline))
#else
#define ONE_COPY static __attribute__((noinline, noclone))
#endif

ONE_COPY real add_run(const adding *a, const real *x, ptrdiff_t r) {
  if (r <= BLOCK) return a->block(x, r);
  const ptrdiff_t first = first_part(r, BLOCK);
  return add_run(a, x, first) + add_run(a, x + first, r - first);
}

real VARIANT(run_sum)(const real *x, ptrdiff_t r) {
  return r <= BLOCK ? elements_block(x, r) : add_run(&elements, x, r);
}

ONE_COPY void add_columns(
    const adding *a, real *out, int width, const real *x, ptrdiff_t s_r, ptrdiff_t r) {
  if (r <= SPAN) {
    a->columns(out, width, x, s_r, r);
    return;
  }
  const ptrdiff_t first = first_part(r, SPAN);
  real rest[TILE];
  add_columns(a, out, width, x, s_r, first);
  add_columns(a, rest, width, x + first * s_r, s_r, r - first);
  for (int c = 0; c < width; c++) out[c] += rest[c];
}

ONE_COPY real add_column(const adding *a, const real *x, ptrdiff_t s_r, ptrdiff_t r) {
  if (r <= SPAN) return a->column(x, s_r, r);
  const ptrdiff_t first = first_part(r, SPAN);
  return add_column(a, x, s_r, first) + add_column(a, x + first * s_r, s_r, r - first);
}

ONE_COPY void add_all(const adding *a, ptrdiff_t n, ptrdiff_t r, real *o, const real *x,
    ptrdiff_t s_n, ptrdiff_t s_r) {
  if (s_r == 1) {
    for (ptrdiff_t i = 0; i < n; i++) o[i] = add_run(a, x + i * s_n, r);
  }
  else if (s_n == 1) {
    for (ptrdiff_t i = 0; i < n; i += TILE)
      add_columns(a, o + i, n - i < TILE ? (int)(n - i) : TILE, x + i, s_r, r);
  }
  else {
    for (ptrdiff_t i = 0; i < n; i++) o[i] = add_column(a, x + i * s_n, s_r, r);
  }
}

void VARIANT(sum)(
    ptrdiff_t n, ptrdiff_t r, void *out, const void *x, ptrdiff_t s_n, ptrdiff_t s_r) {
  add_all(&elements, n, r, out, x, s_n, s_r);
}

void VARIANT(sum_squares)(
    ptrdiff_t n, ptrdiff_t r, void *out, const void *x, ptrdiff_t s_n, ptrdiff_t s_r) {
  add_all(&squares, n, r, out, x, s_n, s_r);
}
