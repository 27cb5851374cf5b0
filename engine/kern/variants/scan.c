/*
** Scans along columns that lie side by side, a tile of columns at a time. What is carried
** from element to element is a double whatever the element type, so that a running sum of
** many f32 keeps their precision.
*/
#include "kern/variants/scan.h"

#include <math.h>

enum { TILE = 32 };

/* y_t = f(carried, x_t, a): which f is a constant where this is called. */
static inline void scan(ptrdiff_t n, ptrdiff_t r, real *y, const real *x, const real *a,
    ptrdiff_t step, const mlplk_scan_kind kind) {
  for (ptrdiff_t first = 0; first < n; first += TILE) {
    const int width = n - first < TILE ? (int)(n - first) : TILE;
    double carried[TILE];
    for (int c = 0; c < width; c++) carried[c] = kind == MLPLK_CUMPROD ? 1 : 0;
    for (ptrdiff_t t = 0; t < r; t++) {
      const ptrdiff_t at = first + t * step;
      const ptrdiff_t factor = kind == MLPLK_RECUR_LAG && t ? at - step : at;
      for (int c = 0; c < width; c++) {
        if (kind == MLPLK_CUMSUM) carried[c] += (double)x[at + c];
        else if (kind == MLPLK_CUMPROD) carried[c] *= (double)x[at + c];
        else if (t) carried[c] = (double)a[factor + c] * carried[c] + (double)x[at + c];
        else carried[c] = (double)x[at + c];
        y[at + c] = (real)carried[c];
      }
    }
  }
}

void VARIANT(cumsum)(ptrdiff_t n, ptrdiff_t r, void *y, int64_t *index, const void *x,
    const void *a, ptrdiff_t step) {
  (void)index;
  scan(n, r, y, x, a, step, MLPLK_CUMSUM);
}

void VARIANT(cumprod)(ptrdiff_t n, ptrdiff_t r, void *y, int64_t *index, const void *x,
    const void *a, ptrdiff_t step) {
  (void)index;
  scan(n, r, y, x, a, step, MLPLK_CUMPROD);
}

void VARIANT(recur)(ptrdiff_t n, ptrdiff_t r, void *y, int64_t *index, const void *x,
    const void *a, ptrdiff_t step) {
  (void)index;
  scan(n, r, y, x, a, step, MLPLK_RECUR);
}

void VARIANT(recur_lag)(ptrdiff_t n, ptrdiff_t r, void *y, int64_t *index, const void *x,
    const void *a, ptrdiff_t step) {
  (void)index;
  scan(n, r, y, x, a, step, MLPLK_RECUR_LAG);
}

/* The sum so far is e^most sum, most the largest element so far, so nothing overflows. */
void VARIANT(logcumsumexp)(ptrdiff_t n, ptrdiff_t r, void *y, int64_t *index,
    const void *x, const void *a, ptrdiff_t step) {
  (void)index;
  (void)a;
  for (ptrdiff_t c = 0; c < n; c++) {
    double most = -INFINITY, sum = 0;
    for (ptrdiff_t t = 0; t < r; t++) {
      const double v = (double)((const real *)x)[c + t * step];
      if (v == most && isinf(v))
        sum += v > 0;
      else if (v <= most)
        sum += exp(v - most);
      else { /* larger, or NaN, which stays */
        if (most == most) sum = sum * exp(most - v) + 1, most = v;
      }
      ((real *)y)[c + t * step] = (real)(most + log(sum));
    }
  }
}

static inline void extremes(ptrdiff_t n, ptrdiff_t r, real *y, int64_t *index,
    const real *x, ptrdiff_t step, const int sign) {
  for (ptrdiff_t first = 0; first < n; first += TILE) {
    const int width = n - first < TILE ? (int)(n - first) : TILE;
    real best[TILE];
    int64_t place[TILE] = {0};
    for (int c = 0; c < width; c++) best[c] = r ? x[first + c] : 0;
    for (ptrdiff_t t = 0; t < r; t++) {
      const ptrdiff_t at = first + t * step;
      for (int c = 0; c < width; c++) {
        const real v = x[at + c];
        if ((sign > 0 ? v >= best[c] : v <= best[c]) || v != v) best[c] = v, place[c] = t;
        y[at + c] = best[c];
        index[at + c] = place[c];
      }
    }
  }
}

void VARIANT(cummax)(ptrdiff_t n, ptrdiff_t r, void *y, int64_t *index, const void *x,
    const void *a, ptrdiff_t step) {
  (void)a;
  extremes(n, r, y, index, x, step, 1);
}

void VARIANT(cummin)(ptrdiff_t n, ptrdiff_t r, void *y, int64_t *index, const void *x,
    const void *a, ptrdiff_t step) {
  (void)a;
  extremes(n, r, y, index, x, step, -1);
}
