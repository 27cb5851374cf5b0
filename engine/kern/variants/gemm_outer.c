/*
** Products whose B is read in place, row by row (its rows lie along n), or from packed
** panels. Nothing is copied, so this is the path of small products, of narrow ones whose
** packing would cost as much as the product, and of vector times matrix.
*/
#include "kern/variants/gemm.h"

#define INLINE static inline __attribute__((always_inline))

enum { MAX_ROWS = 8, MAX_VECS = 8 };

/* Where a block of C reads from. */
typedef struct reader {
  const real *a, *b;
  ptrdiff_t rs_a, cs_a, rs_b, k;
} reader;

static inline reader reader_at(const product *p, ptrdiff_t i, ptrdiff_t j) {
  reader r = {NULL, NULL, p->rs_a, p->cs_a, p->rs_b, p->k};
  if (p->k == 0) /* nothing is read, and the operands may be NULL */
    return r;
  r.a = p->a + i * p->rs_a;
  if (p->packed_b) {
    r.b = p->packed_b + j / NR * NR * p->k + j % NR;
    r.rs_b = NR;
  }
  else
    r.b = p->b + j;
  return r;
}

/* C strided both ways, or a strided bias: rare. */
static void store_strided(
    const product *p, const real *sum, ptrdiff_t i, ptrdiff_t j, ptrdiff_t width) {
  real *c = p->c + i * p->rs_c + j * p->cs_c;
  for (ptrdiff_t x = 0; x < width; x++, c += p->cs_c)
    *c = finish_one(p, sum[x], p->beta != 0 ? *c : 0, i, j + x);
}

INLINE void store_row(
    const product *p, vec sum, ptrdiff_t i, ptrdiff_t j, const int part, mask m) {
  real *c = p->c + i * p->rs_c + j;
  vec v = sum * p->alpha;
  if (p->beta != 0) v += p->beta * (part ? load_first(c, m) : load(c));
  if (p->bias) {
    const real *bias = p->bias + i * p->bias_i + j * p->bias_j;
    v += p->bias_j == 0 ? splat(*bias) : part ? load_first(bias, m) : load(bias);
  }
  if (p->act == MLPLK_ACT_RELU) v = relu_vec(v);
  if (part)
    store_first(c, m, v);
  else
    store(c, v);
}

/* Rows of C that take at most a row of bias; bias and relu are constants where this is
   called, as is part. */
INLINE void store_plain(const product *p, const vec *sum, int rows, int vecs,
    const int part, ptrdiff_t i, ptrdiff_t j, mask m, const int bias, const int relu) {
  real *c = p->c + i * p->rs_c + j;
  for (int y = 0; y < rows; y++, c += p->rs_c)
    for (int x = 0; x < vecs; x++) {
      vec v = *sum++ * p->alpha;
      if (bias) v += part ? load_first(p->bias + j, m) : load(p->bias + j + x * LANES);
      if (relu) v = relu_vec(v);
      if (part)
        store_first(c, m, v);
      else
        store(c + x * LANES, v);
    }
}

/* The sums of a block on their way to C. width: LANES, or that of the only vector. */
INLINE void store_block(const product *p, const vec *sum, int rows, int vecs,
    const int part, ptrdiff_t i, ptrdiff_t j, ptrdiff_t width) {
  const int relu = p->act == MLPLK_ACT_RELU;
  const mask m = first(width);
  if (p->cs_c == 1 && p->beta == 0 && !p->bias && !relu) {
    store_plain(p, sum, rows, vecs, part, i, j, m, 0, 0);
    return;
  }
  if (p->cs_c == 1 && p->beta == 0 && p->bias && p->bias_j == 1) {
    if (relu)
      store_plain(p, sum, rows, vecs, part, i, j, m, 1, 1);
    else
      store_plain(p, sum, rows, vecs, part, i, j, m, 1, 0);
    return;
  }
  const int direct = p->cs_c == 1 && (!p->bias || p->bias_j == 0 || p->bias_j == 1);
  for (int y = 0; y < rows; y++)
    for (int x = 0; x < vecs; x++, sum++)
      if (direct)
        store_row(p, *sum, i + y, j + x * LANES, part, m);
      else
        store_strided(p, (const real *)sum, i + y, j + x * LANES, width);
}

/* Compiled once, not for every number of rows. */
static __attribute__((noinline)) void store_whole(
    const product *p, const vec *sum, int rows, int vecs, ptrdiff_t i, ptrdiff_t j) {
  store_block(p, sum, rows, vecs, 0, i, j, LANES);
}

static __attribute__((noinline)) void store_part(const product *p, const vec *sum,
    int rows, ptrdiff_t i, ptrdiff_t j, ptrdiff_t width) {
  store_block(p, sum, rows, 1, 1, i, j, width);
}

/* `rows` rows by `vecs` vectors of C, all of k in registers; the last vector has
   `width`. */
INLINE void block(const product *p, const int rows, const int vecs, const int part,
    ptrdiff_t i, ptrdiff_t j, ptrdiff_t width) {
  reader r = reader_at(p, i, j);
  mask m = first(width);
  vec sum[MAX_ROWS][MAX_VECS];
#pragma GCC unroll 8
  for (int y = 0; y < rows; y++)
#pragma GCC unroll 8
    for (int x = 0; x < vecs; x++) sum[y][x] = (vec){0};
  for (ptrdiff_t l = 0; l < r.k; l++, r.a += r.cs_a, r.b += r.rs_b) {
    vec b[MAX_VECS];
#pragma GCC unroll 8
    for (int x = 0; x < vecs; x++)
      b[x] = part ? load_first(r.b + x * LANES, m) : load(r.b + x * LANES);
#pragma GCC unroll 8
    for (int y = 0; y < rows; y++) {
      vec a = splat(r.a[y * r.rs_a]);
#pragma GCC unroll 8
      for (int x = 0; x < vecs; x++) sum[y][x] = fma_vec(a, b[x], sum[y][x]);
    }
  }
  vec sums[MAX_ROWS * MAX_VECS];
#pragma GCC unroll 8
  for (int y = 0; y < rows; y++)
#pragma GCC unroll 8
    for (int x = 0; x < vecs; x++) sums[y * vecs + x] = sum[y][x];
  if (part)
    store_part(p, sums, rows, i, j, width);
  else
    store_whole(p, sums, rows, vecs, i, j);
}

/* Registers allow 24 sums on AVX-512 and 8 elsewhere; few rows take wider blocks. */
#if defined __AVX512F__
enum { ROWS = 8 };
#define VECS(rows) ((rows) == 1 ? 8 : (rows) <= 4 ? 4 : 2)
#else
enum { ROWS = 4 };
#define VECS(rows) ((rows) == 1 ? 8 : (rows) == 2 ? 4 : 2)
#endif

typedef void block_function(const product *p, ptrdiff_t i, ptrdiff_t j, ptrdiff_t width);

/* Three forms for each number of rows: wide, as wide as a packed panel, part of a
   vector. */
#define FORMS(rows)                                                                      \
  static void wide_##rows(const product *p, ptrdiff_t i, ptrdiff_t j, ptrdiff_t width) { \
    block(p, rows, VECS(rows), 0, i, j, width);                                          \
  }                                                                                      \
  static void panel_##rows(                                                              \
      const product *p, ptrdiff_t i, ptrdiff_t j, ptrdiff_t width) {                     \
    block(p, rows, 2, 0, i, j, width);                                                   \
  }                                                                                      \
  static void narrow_##rows(                                                             \
      const product *p, ptrdiff_t i, ptrdiff_t j, ptrdiff_t width) {                     \
    block(p, rows, 1, 1, i, j, width);                                                   \
  }
FORMS(1)
FORMS(2)
FORMS(3)
FORMS(4)
#if defined __AVX512F__
FORMS(5)
FORMS(6)
FORMS(7)
FORMS(8)
#endif

typedef struct forms {
  block_function *wide, *panel, *narrow;
  ptrdiff_t wide_columns;
} forms;

#define ROW(rows)                                                                        \
  { wide_##rows, panel_##rows, narrow_##rows, VECS(rows) * LANES }
static const forms by_rows[] = {{NULL, NULL, NULL, 0}, ROW(1), ROW(2), ROW(3), ROW(4),
#if defined __AVX512F__
    ROW(5), ROW(6), ROW(7), ROW(8)
#endif
};

/* All rows of one strip of columns, so that the strip of B stays in the cache. */
static void strip(
    const product *p, area where, ptrdiff_t j, ptrdiff_t width, ptrdiff_t wide_columns) {
  for (ptrdiff_t y = 0; y < where.m; y += ROWS) {
    const forms *f = &by_rows[least(ROWS, where.m - y)];
    ptrdiff_t i = where.i + y, x = 0;
    if (wide_columns != NR)
      for (; width - x >= f->wide_columns; x += f->wide_columns)
        f->wide(p, i, j + x, LANES);
    for (; width - x >= NR; x += NR) f->panel(p, i, j + x, LANES);
    for (; x < width; x += LANES) f->narrow(p, i, j + x, least(LANES, width - x));
  }
}

void VARIANT(gemm_outer)(const product *p, area where) {
  ptrdiff_t columns = p->packed_b ? NR : by_rows[least(ROWS, where.m)].wide_columns;
  for (ptrdiff_t x = 0; x < where.n; x += columns)
    strip(p, where, where.j + x, least(columns, where.n - x), columns);
}
