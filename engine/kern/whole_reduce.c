/*
** Reductions, scans and products of whole numbers: one byte unsigned, or int64_t. Each loop is
** written once; the size of an element and the kind are constants where it is called.
*/
#include "kern/kern.h"

enum { TILE = 32 };

static inline int64_t load(const void *x, ptrdiff_t i, const int bytes) {
  return bytes == 1 ? ((const uint8_t *)x)[i] : ((const int64_t *)x)[i];
}

static inline void store(void *x, ptrdiff_t i, int64_t v, const int bytes) {
  if (bytes == 1)
    ((uint8_t *)x)[i] = (uint8_t)v;
  else
    ((int64_t *)x)[i] = v;
}

/* Sums and products wrap around, as unsigned numbers do. */
static inline int64_t fold(int64_t a, int64_t b, const mlplk_reduce_kind kind) {
  switch (kind) {
    case MLPLK_SUM: return (int64_t)((uint64_t)a + (uint64_t)b);
    case MLPLK_PROD: return (int64_t)((uint64_t)a * (uint64_t)b);
    case MLPLK_MAX: return b > a ? b : a;
    case MLPLK_MIN: return b < a ? b : a;
    default: return a + (b != 0);
  }
}

static inline void reduce(ptrdiff_t n, ptrdiff_t r, void *out, const void *x,
    ptrdiff_t s_n, ptrdiff_t s_r, const int bytes, const mlplk_reduce_kind kind) {
  const int extreme = kind == MLPLK_MAX || kind == MLPLK_MIN;
  const int out_bytes = extreme ? bytes : 8;
  const ptrdiff_t tile = s_r == 1 ? 1 : TILE; /* columns are read side by side */
  for (ptrdiff_t i = 0; i < n; i += tile) {
    const ptrdiff_t width = n - i < tile ? n - i : tile;
    int64_t all[TILE];
    for (ptrdiff_t c = 0; c < width; c++)
      all[c] = extreme ? load(x, (i + c) * s_n, bytes) : kind == MLPLK_PROD;
    if (s_r == 1) {
      int64_t one = all[0];
      for (ptrdiff_t j = 0; j < r; j++)
        one = fold(one, load(x, i * s_n + j, bytes), kind);
      all[0] = one;
    }
    else if (s_n == 1 && width == TILE) {
      for (ptrdiff_t j = 0; j < r; j++)
        for (ptrdiff_t c = 0; c < TILE; c++)
          all[c] = fold(all[c], load(x, i + c + j * s_r, bytes), kind);
    }
    else {
      for (ptrdiff_t j = 0; j < r; j++)
        for (ptrdiff_t c = 0; c < width; c++)
          all[c] = fold(all[c], load(x, (i + c) * s_n + j * s_r, bytes), kind);
    }
    for (ptrdiff_t c = 0; c < width; c++) store(out, i + c, all[c], out_bytes);
  }
}

static inline void places(ptrdiff_t n, ptrdiff_t r, int64_t *out, const void *x,
    ptrdiff_t s_n, ptrdiff_t s_r, const int bytes, const int sign) {
  for (ptrdiff_t i = 0; i < n; i++) {
    int64_t best = load(x, i * s_n, bytes);
    out[i] = 0;
    for (ptrdiff_t j = 1; j < r; j++) {
      const int64_t v = load(x, i * s_n + j * s_r, bytes);
      if (sign > 0 ? v > best : v < best) best = v, out[i] = j;
    }
  }
}

#define REDUCE(name, bytes, kind)                                                        \
  static void name(ptrdiff_t n, ptrdiff_t r, void *out, const void *x, ptrdiff_t s_n,    \
      ptrdiff_t s_r) {                                                                   \
    reduce(n, r, out, x, s_n, s_r, bytes, kind);                                         \
  }
#define PLACES(name, bytes, sign)                                                        \
  static void name(ptrdiff_t n, ptrdiff_t r, void *out, const void *x, ptrdiff_t s_n,    \
      ptrdiff_t s_r) {                                                                   \
    places(n, r, out, x, s_n, s_r, bytes, sign);                                         \
  }

REDUCE(sum_1, 1, MLPLK_SUM)
REDUCE(sum_8, 8, MLPLK_SUM)
REDUCE(prod_1, 1, MLPLK_PROD)
REDUCE(prod_8, 8, MLPLK_PROD)
REDUCE(max_1, 1, MLPLK_MAX)
REDUCE(max_8, 8, MLPLK_MAX)
REDUCE(min_1, 1, MLPLK_MIN)
REDUCE(min_8, 8, MLPLK_MIN)
REDUCE(nonzero_1, 1, MLPLK_NONZERO)
REDUCE(nonzero_8, 8, MLPLK_NONZERO)
PLACES(argmax_1, 1, 1)
PLACES(argmax_8, 8, 1)
PLACES(argmin_1, 1, -1)
PLACES(argmin_8, 8, -1)

mlplk_reduce *mlplk_whole_reduce(size_t bytes, mlplk_reduce_kind kind) {
  static mlplk_reduce *const table[MLPLK_N_REDUCES][2] = {
      [MLPLK_SUM] = {sum_1, sum_8},
      [MLPLK_MAX] = {max_1, max_8},
      [MLPLK_ARGMAX] = {argmax_1, argmax_8},
      [MLPLK_PROD] = {prod_1, prod_8},
      [MLPLK_MIN] = {min_1, min_8},
      [MLPLK_ARGMIN] = {argmin_1, argmin_8},
      [MLPLK_NONZERO] = {nonzero_1, nonzero_8},
  };
  return table[kind][bytes == 8];
}

/* ---- products ---------------------------------------------------------------------- */

static inline void product(const mlplk_gemm *g, const int bytes) {
  for (ptrdiff_t i = 0; i < g->m; i++) {
    for (ptrdiff_t j = 0; j < g->n; j++) store(g->c, i * g->rs_c + j * g->cs_c, 0, bytes);
    for (ptrdiff_t p = 0; p < g->k; p++) {
      const uint64_t a = (uint64_t)load(g->a, i * g->rs_a + p * g->cs_a, bytes);
      for (ptrdiff_t j = 0; j < g->n; j++) {
        const uint64_t b = (uint64_t)load(g->b, p * g->rs_b + j * g->cs_b, bytes);
        const ptrdiff_t at = i * g->rs_c + j * g->cs_c;
        store(g->c, at, (int64_t)((uint64_t)load(g->c, at, bytes) + a * b), bytes);
      }
    }
  }
}

void mlplk_whole_gemm(size_t bytes, const mlplk_gemm *g) {
  if (bytes == 1)
    product(g, 1);
  else
    product(g, 8);
}

/* ---- scans ------------------------------------------------------------------------- */

static inline void scan(ptrdiff_t n, ptrdiff_t r, int64_t *y, const int64_t *x,
    ptrdiff_t s_n, ptrdiff_t step, const mlplk_reduce_kind kind) {
  for (ptrdiff_t t = 0; t < r; t++)
    for (ptrdiff_t c = 0; c < n; c++) {
      const ptrdiff_t at = t * step + c * s_n;
      y[at] = t ? fold(y[at - step], x[at], kind) : x[at];
    }
}

static inline void extremes(ptrdiff_t n, ptrdiff_t r, int64_t *y, int64_t *index,
    const int64_t *x, ptrdiff_t s_n, ptrdiff_t step, const int sign) {
  for (ptrdiff_t t = 0; t < r; t++)
    for (ptrdiff_t c = 0; c < n; c++) {
      const ptrdiff_t at = t * step + c * s_n, last = at - step;
      const int better = !t || (sign > 0 ? x[at] >= y[last] : x[at] <= y[last]);
      y[at] = better ? x[at] : y[last];
      index[at] = better ? t : index[last];
    }
}

static void cumsum(ptrdiff_t n, ptrdiff_t r, void *y, int64_t *index, const void *x,
    const void *a, ptrdiff_t s_n, ptrdiff_t step) {
  (void)index, (void)a;
  scan(n, r, y, x, s_n, step, MLPLK_SUM);
}

static void cumprod(ptrdiff_t n, ptrdiff_t r, void *y, int64_t *index, const void *x,
    const void *a, ptrdiff_t s_n, ptrdiff_t step) {
  (void)index, (void)a;
  scan(n, r, y, x, s_n, step, MLPLK_PROD);
}

static void cummax(ptrdiff_t n, ptrdiff_t r, void *y, int64_t *index, const void *x,
    const void *a, ptrdiff_t s_n, ptrdiff_t step) {
  (void)a;
  extremes(n, r, y, index, x, s_n, step, 1);
}

static void cummin(ptrdiff_t n, ptrdiff_t r, void *y, int64_t *index, const void *x,
    const void *a, ptrdiff_t s_n, ptrdiff_t step) {
  (void)a;
  extremes(n, r, y, index, x, s_n, step, -1);
}

mlplk_scan *mlplk_whole_scan(mlplk_scan_kind kind) {
  static mlplk_scan *const table[MLPLK_N_SCANS] = {[MLPLK_CUMSUM] = cumsum,
      [MLPLK_CUMPROD] = cumprod,
      [MLPLK_CUMMAX] = cummax,
      [MLPLK_CUMMIN] = cummin};
  return table[kind];
}
