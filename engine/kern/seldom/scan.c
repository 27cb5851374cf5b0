/*
** Scans along columns, a tile of columns at a time: many where they lie side by side, a
** few where each column does, so that one's addition need not wait for another's. What is
** carried from element to element is a double whatever the element type, so that a running
** sum of many f32 keeps their precision.
*/
#include "kern/seldom/scan.h"
#include "kern/variants/vmath.h"

enum { TILE = 32, FEW = 4 };
#define UNROLLED _Pragma("GCC unroll 4")

/* What is carried on behind element v with factor a. Which is a constant where this is
   called. */
ALWAYS double next(double carried, double v, double a, const mlplk_scan_kind kind) {
  return kind == MLPLK_CUMSUM ? carried + v
      : kind == MLPLK_CUMPROD ? carried * v
                              : a * carried + v;
}

/* y_t = f(carried, x_t, a) for `width` columns from `first` on. Which f is a constant
   where this is called, and s_n and width mostly are. */
ALWAYS void scan_tile(const int width, ptrdiff_t r, real *y, const real *x, const real *a,
    ptrdiff_t first, const ptrdiff_t s_n, ptrdiff_t step, const mlplk_scan_kind kind) {
  double carried[TILE];
  const int recurs = kind == MLPLK_RECUR || kind == MLPLK_RECUR_LAG;
  for (int c = 0; c < width; c++) carried[c] = kind == MLPLK_CUMPROD ? 1 : 0;
  if (recurs && r > 0)
    for (int c = 0; c < width; c++) {
      y[first + c * s_n] = x[first + c * s_n];
      carried[c] = (double)y[first + c * s_n];
    }
  for (ptrdiff_t t = recurs; t < r; t++) {
    const ptrdiff_t at = first + t * step;
    const ptrdiff_t factor = kind == MLPLK_RECUR_LAG ? at - step : at;
    NO_CARRY
    for (int c = 0; c < width; c++) {
      const double by = recurs ? (double)a[factor + c * s_n] : 1;
      carried[c] = next(carried[c], (double)x[at + c * s_n], by, kind);
      y[at + c * s_n] = (real)carried[c];
    }
  }
}

/* The same of FEW columns that are far apart, side by side in registers. */
ALWAYS void scan_few(ptrdiff_t r, real *y, const real *x, const real *a, ptrdiff_t s_n,
    ptrdiff_t step, const mlplk_scan_kind kind) {
  double carried[FEW];
  const int recurs = kind == MLPLK_RECUR || kind == MLPLK_RECUR_LAG;
  const ptrdiff_t lag = kind == MLPLK_RECUR_LAG ? step : 0;
  if (r == 0) return;
  UNROLLED for (int c = 0; c < FEW; c++) {
    const double v = (double)x[c * s_n]; /* a sum that starts with -0 is 0 */
    carried[c] = recurs ? v : next(kind == MLPLK_CUMPROD, v, 1, kind);
    y[c * s_n] = (real)carried[c];
  }
  for (ptrdiff_t t = 1; t < r; t++) {
    const ptrdiff_t at = t * step;
    UNROLLED for (int c = 0; c < FEW; c++) {
      const double by = recurs ? (double)a[at - lag + c * s_n] : 1;
      carried[c] = next(carried[c], (double)x[at + c * s_n], by, kind);
      y[at + c * s_n] = (real)carried[c];
    }
  }
}

ALWAYS void scan(ptrdiff_t n, ptrdiff_t r, real *y, const real *x, const real *a,
    ptrdiff_t s_n, ptrdiff_t step, const mlplk_scan_kind kind) {
  const int recurs = kind == MLPLK_RECUR || kind == MLPLK_RECUR_LAG;
  ptrdiff_t c = 0;
  if (s_n == 1) {
    for (; c + TILE <= n; c += TILE) scan_tile(TILE, r, y, x, a, c, 1, step, kind);
    if (c < n) scan_tile((int)(n - c), r, y, x, a, c, 1, step, kind);
    return;
  }
  for (; c + FEW <= n; c += FEW) /* doubles; four floats become a vector by themselves */
    if (MLPLK_REAL == 64)
      scan_few(r, y + c * s_n, x + c * s_n, recurs ? a + c * s_n : NULL, s_n, step, kind);
    else
      scan_tile(FEW, r, y, x, a, c * s_n, s_n, step, kind);
  for (; c < n; c++) scan_tile(1, r, y, x, a, c * s_n, s_n, step, kind);
}

void VARIANT(cumsum)(ptrdiff_t n, ptrdiff_t r, void *y, int64_t *index, const void *x,
    const void *a, ptrdiff_t s_n, ptrdiff_t step) {
  (void)index;
  scan(n, r, y, x, a, s_n, step, MLPLK_CUMSUM);
}

void VARIANT(cumprod)(ptrdiff_t n, ptrdiff_t r, void *y, int64_t *index, const void *x,
    const void *a, ptrdiff_t s_n, ptrdiff_t step) {
  (void)index;
  scan(n, r, y, x, a, s_n, step, MLPLK_CUMPROD);
}

void VARIANT(recur)(ptrdiff_t n, ptrdiff_t r, void *y, int64_t *index, const void *x,
    const void *a, ptrdiff_t s_n, ptrdiff_t step) {
  (void)index;
  scan(n, r, y, x, a, s_n, step, MLPLK_RECUR);
}

void VARIANT(recur_lag)(ptrdiff_t n, ptrdiff_t r, void *y, int64_t *index, const void *x,
    const void *a, ptrdiff_t s_n, ptrdiff_t step) {
  (void)index;
  scan(n, r, y, x, a, s_n, step, MLPLK_RECUR_LAG);
}

/* The sum so far is e^most sum, most the largest element so far, so nothing overflows. */
void VARIANT(logcumsumexp)(ptrdiff_t n, ptrdiff_t r, void *y, int64_t *index,
    const void *x, const void *a, ptrdiff_t s_n, ptrdiff_t step) {
  (void)index;
  (void)a;
  for (ptrdiff_t c = 0; c < n; c++) {
    double most = -INFINITY, sum = 0;
    for (ptrdiff_t t = 0; t < r; t++) {
      const double v = (double)((const real *)x)[c * s_n + t * step];
      if (v == most && isinf(v))
        sum += v > 0;
      else if (v <= most)
        sum += exp(v - most);
      else { /* larger, or NaN, which stays */
        if (most == most) sum = sum * exp(most - v) + 1, most = v;
      }
      ((real *)y)[c * s_n + t * step] = (real)(most + log(sum));
    }
  }
}

ALWAYS void extremes_tile(const int width, ptrdiff_t r, real *y, int64_t *index,
    const real *x, ptrdiff_t first, const ptrdiff_t s_n, ptrdiff_t step, const int sign) {
  real best[TILE];
  int64_t place[TILE] = {0};
  for (int c = 0; c < width; c++) best[c] = r ? x[first + c * s_n] : 0;
  for (ptrdiff_t t = 0; t < r; t++)
    for (int c = 0; c < width; c++) {
      const ptrdiff_t at = first + c * s_n + t * step;
      const real v = x[at];
      const int better = (sign > 0 ? v >= best[c] : v <= best[c]) || v != v;
      best[c] = better ? v : best[c];
      place[c] = better ? t : place[c];
      y[at] = best[c];
      index[at] = place[c];
    }
}

ALWAYS void extremes(ptrdiff_t n, ptrdiff_t r, real *y, int64_t *index, const real *x,
    ptrdiff_t s_n, ptrdiff_t step, const int sign) {
  ptrdiff_t c = 0;
  if (s_n == 1) {
    for (; c + TILE <= n; c += TILE)
      extremes_tile(TILE, r, y, index, x, c, 1, step, sign);
    if (c < n) extremes_tile((int)(n - c), r, y, index, x, c, 1, step, sign);
    return;
  }
  for (; c < n; c++) { /* a new extreme is seldom: a branch, not a choice, per element */
    real best = r ? x[c * s_n] : 0;
    int64_t place = 0;
    for (ptrdiff_t t = 0; t < r; t++) {
      const ptrdiff_t at = c * s_n + t * step;
      if ((sign > 0 ? x[at] >= best : x[at] <= best) || x[at] != x[at])
        best = x[at], place = t;
      y[at] = best;
      index[at] = place;
    }
  }
}

void VARIANT(cummax)(ptrdiff_t n, ptrdiff_t r, void *y, int64_t *index, const void *x,
    const void *a, ptrdiff_t s_n, ptrdiff_t step) {
  (void)a;
  extremes(n, r, y, index, x, s_n, step, 1);
}

void VARIANT(cummin)(ptrdiff_t n, ptrdiff_t r, void *y, int64_t *index, const void *x,
    const void *a, ptrdiff_t s_n, ptrdiff_t step) {
  (void)a;
  extremes(n, r, y, index, x, s_n, step, -1);
}
