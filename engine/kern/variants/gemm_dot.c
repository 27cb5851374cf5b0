/*
** Products whose operands both lie along k (X W^T with W [out x in]): each element of C
** is a dot product of two rows in memory, added up in LANES partial sums. Nothing is
** copied.
*/
#include "kern/variants/gemm.h"

#define INLINE static inline __attribute__((always_inline))

#if defined __AVX512F__
enum { ROWS = 4, COLUMNS = 6 };
#else
enum { ROWS = 2, COLUMNS = 6 };
#endif
enum { SUMS = (ROWS * COLUMNS + LANES - 1) / LANES * LANES };

/* Element i of the result is the sum of the lanes of r[i]. */
INLINE vec add_lanes(vec r[LANES]) {
#pragma GCC unroll 4
  for (int half = LANES / 2; half > 0; half /= 2)
#pragma GCC unroll 8
    for (int i = 0; i < half; i++)
      r[i] = zip_low(r[i], r[i + half]) + zip_high(r[i], r[i + half]);
  return r[0];
}

INLINE void step(const int rows, const int columns, vec sum[SUMS], const real *a,
    ptrdiff_t rs_a, const real *b, ptrdiff_t cs_b, const int part, mask m) {
  vec row[ROWS];
#pragma GCC unroll 8
  for (int y = 0; y < rows; y++)
    row[y] = part ? load_first(a + y * rs_a, m) : load(a + y * rs_a);
#pragma GCC unroll 8
  for (int x = 0; x < columns; x++) {
    vec column = part ? load_first(b + x * cs_b, m) : load(b + x * cs_b);
#pragma GCC unroll 8
    for (int y = 0; y < rows; y++)
      sum[y * columns + x] = fma_vec(row[y], column, sum[y * columns + x]);
  }
}

/* The sums on their way to C: compiled once, not for every block. */
static __attribute__((noinline)) void finish(
    const product *p, vec *sum, int rows, int columns, ptrdiff_t i, ptrdiff_t j) {
  real all[SUMS], *sums = all;
  for (int s = 0; s < rows * columns; s += LANES) store(all + s, add_lanes(sum + s));
  real *c = p->c + i * p->rs_c + j * p->cs_c;
  const int plain = p->cs_c == 1 && p->beta == 0 && !has_epilogue(p);
  for (int y = 0; y < rows; y++, c += p->rs_c, sums += columns)
    if (plain)
      for (int x = 0; x < columns; x++) c[x] = p->alpha * sums[x];
    else
      for (int x = 0; x < columns; x++) {
        real *to = c + x * p->cs_c;
        *to = finish_one(p, sums[x], p->beta != 0 ? *to : 0, i + y, j + x);
      }
}

INLINE void block(
    const product *p, const int rows, const int columns, ptrdiff_t i, ptrdiff_t j) {
  const real *a = p->a + i * p->rs_a, *b = p->b + j * p->cs_b;
  vec sum[SUMS];
#pragma GCC unroll 32
  for (int s = 0; s < SUMS; s++) sum[s] = (vec){0};
  ptrdiff_t whole = p->k - p->k % LANES;
  for (ptrdiff_t l = 0; l < whole; l += LANES)
    step(rows, columns, sum, a + l, p->rs_a, b + l, p->cs_b, 0, first(1));
  if (whole < p->k)
    step(rows, columns, sum, a + whole, p->rs_a, b + whole, p->cs_b, 1,
        first(p->k - whole));

  vec sums[SUMS]; /* `sum` is kept in registers */
#pragma GCC unroll 32
  for (int s = 0; s < parts_of(rows * columns, LANES) * LANES; s++) sums[s] = sum[s];
  finish(p, sums, rows, columns, i, j);
}

typedef void block_function(const product *p, ptrdiff_t i, ptrdiff_t j);

#define FORM(rows, columns)                                                              \
  static void block_##rows##_##columns(const product *p, ptrdiff_t i, ptrdiff_t j) {     \
    block(p, rows, columns, i, j);                                                       \
  }
#define FORMS(rows)                                                                      \
  FORM(rows, 1) FORM(rows, 2) FORM(rows, 3) FORM(rows, 4) FORM(rows, 5) FORM(rows, 6)
#define ROW(rows)                                                                        \
  {                                                                                      \
    block_##rows##_1, block_##rows##_2, block_##rows##_3, block_##rows##_4,              \
        block_##rows##_5, block_##rows##_6                                               \
  }
FORMS(1)
FORMS(2)
#if defined __AVX512F__
FORMS(3)
FORMS(4)
static block_function *const forms[ROWS][COLUMNS] = {ROW(1), ROW(2), ROW(3), ROW(4)};
#else
static block_function *const forms[ROWS][COLUMNS] = {ROW(1), ROW(2)};
#endif

void VARIANT(gemm_dot)(const product *p, area where) {
  for (ptrdiff_t x = 0; x < where.n; x += COLUMNS)
    for (ptrdiff_t y = 0; y < where.m; y += ROWS)
      forms[least(ROWS, where.m - y) - 1][least(COLUMNS, where.n - x) - 1](
          p, where.i + y, where.j + x);
}
