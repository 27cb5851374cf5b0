/* Pooling: averages and maxima over windows of one plane. */
#include "kern/variants/variant.h"

void VARIANT(average_pool)(void *y, const void *x, ptrdiff_t width,
    const mlplk_windows *rows, const mlplk_windows *columns, double divisor) {
  real *to = y;
  for (ptrdiff_t r = 0; r < rows->n; r++)
    for (ptrdiff_t q = 0; q < columns->n; q++) {
      real sum = 0;
      for (ptrdiff_t i = rows->from[r]; i < rows->to[r]; i++) {
        const real *row = (const real *)x + i * width;
        for (ptrdiff_t j = columns->from[q]; j < columns->to[q]; j++) sum += row[j];
      }
      *to++ = sum /
          (real)(divisor != 0 ? divisor : (double)(rows->count[r] * columns->count[q]));
    }
}

void VARIANT(average_pool_grad)(void *x, const void *y, ptrdiff_t width,
    const mlplk_windows *rows, const mlplk_windows *columns, double divisor) {
  const real *from = y;
  for (ptrdiff_t r = 0; r < rows->n; r++)
    for (ptrdiff_t q = 0; q < columns->n; q++) {
      real share = *from++ /
          (real)(divisor != 0 ? divisor : (double)(rows->count[r] * columns->count[q]));
      for (ptrdiff_t i = rows->from[r]; i < rows->to[r]; i++) {
        real *row = (real *)x + i * width;
        for (ptrdiff_t j = columns->from[q]; j < columns->to[q]; j++) row[j] += share;
      }
    }
}

/* ---- maxima ------------------------------------------------------------------------ */

/* Taps [first, end) of window r that lie inside. */
static void inside(
    const mlplk_max_axis *a, ptrdiff_t r, ptrdiff_t *first, ptrdiff_t *end) {
  ptrdiff_t start = r * a->stride - a->pad, d = a->dilation;
  *first = start < 0 ? (-start + d - 1) / d : 0;
  *end = start >= a->source ? 0 : (a->source - start + d - 1) / d;
  if (*end > a->taps) *end = a->taps;
}

static void one_window(const real *x, const mlplk_max_axis *rows,
    const mlplk_max_axis *columns, ptrdiff_t r, ptrdiff_t q, real *y, int64_t *index) {
  ptrdiff_t r0, r1, q0, q1, best = -1;
  real max = 0;
  inside(rows, r, &r0, &r1);
  inside(columns, q, &q0, &q1);
  for (ptrdiff_t i = r0; i < r1; i++)
    for (ptrdiff_t j = q0; j < q1; j++) {
      ptrdiff_t at = (r * rows->stride - rows->pad + i * rows->dilation) *
              columns->source +
          q * columns->stride - columns->pad + j * columns->dilation;
      /* a NaN stays: nothing is larger, and only the first one is taken */
      if (best < 0 || x[at] > max || (x[at] != x[at] && max == max))
        max = x[at], best = at;
    }
  *y = max;
  if (index) *index = best;
}

/* Windows [from, to) of row r, all of whose columns lie inside; no index. */
static void row_of_maxima(const real *restrict x, const mlplk_max_axis *rows,
    const mlplk_max_axis *columns, ptrdiff_t r, ptrdiff_t from, ptrdiff_t to,
    real *restrict y) {
  ptrdiff_t r0, r1, s = columns->stride;
  inside(rows, r, &r0, &r1);
  for (ptrdiff_t i = r0; i < r1; i++)
    for (ptrdiff_t j = 0; j < columns->taps; j++) {
      const real *at = x +
          (r * rows->stride - rows->pad + i * rows->dilation) * columns->source -
          columns->pad + j * columns->dilation;
      if (i == r0 && j == 0)
        for (ptrdiff_t q = from; q < to; q++) y[q] = at[q * s];
      else if (s == 1)
        for (ptrdiff_t q = from; q < to; q++)
          y[q] = at[q] > y[q] || at[q] != at[q] ? at[q] : y[q];
      else if (s == 2)
        for (ptrdiff_t q = from; q < to; q++)
          y[q] = at[2 * q] > y[q] || at[2 * q] != at[2 * q] ? at[2 * q] : y[q];
      else
        for (ptrdiff_t q = from; q < to; q++)
          y[q] = at[q * s] > y[q] || at[q * s] != at[q * s] ? at[q * s] : y[q];
    }
}

void VARIANT(max_pool)(void *y, int64_t *index, const void *x, const mlplk_max_axis *rows,
    const mlplk_max_axis *columns) {
  real *to = y;
  ptrdiff_t reach = (columns->taps - 1) * columns->dilation, last;
  ptrdiff_t from = (columns->pad + columns->stride - 1) / columns->stride;
  last = columns->source - 1 - reach + columns->pad;
  ptrdiff_t end = last < 0 ? 0 : last / columns->stride + 1;
  if (end > columns->results) end = columns->results;
  if (index || from > end) from = end = columns->results;
  for (ptrdiff_t r = 0; r < rows->results; r++, to += columns->results) {
    int64_t *places = index ? index + r * columns->results : NULL;
    for (ptrdiff_t q = 0; q < from; q++)
      one_window(x, rows, columns, r, q, to + q, places ? places + q : NULL);
    if (from < end) row_of_maxima(x, rows, columns, r, from, end, to);
    for (ptrdiff_t q = end; q < columns->results; q++)
      one_window(x, rows, columns, r, q, to + q, NULL);
  }
}

void VARIANT(scatter_add)(ptrdiff_t n, void *x, const int64_t *index, const void *y) {
  real *to = x;
  const real *from = y;
  for (ptrdiff_t i = 0; i < n; i++) to[index[i]] += from[i];
}

void VARIANT(gather)(ptrdiff_t n, void *y, const int64_t *index, const void *x) {
  real *to = y;
  const real *from = x;
  for (ptrdiff_t i = 0; i < n; i++) to[i] = from[index[i]];
}
