/*
** What the sources of linear algebra share.
**
** solve.c    triangular systems, LU, Cholesky: recursive, so that products do the work
** qr.c       Householder reflections, QR, and the orthogonal factor written out
** rotate.c   many plane rotations of the rows of a matrix
** eigen.c    symmetric eigenvalues: tridiagonal form, implicit QL
** svd.c      singular values: bidiagonal form, implicit QR
**
** Every step is in an order that depends on sizes alone; threads only share out products
** and rows or columns that do not meet.
*/
#ifndef MLPLK_LINALG_H
#define MLPLK_LINALG_H

#include "kern/variants/gemm.h"

#include <float.h>
#include <math.h>

/*
** What may be neglected beside a number by the iterations, whose scalars are doubles: less
** than a rounding of the result; a little more from the twentieth sweep for one value on,
** where rounding itself may stand in the way.
*/
static inline double negligible(int sweep) {
  const double eps = sizeof(real) == 4 ? (double)FLT_EPSILON / 64 : DBL_EPSILON;
  return sweep < 20 ? eps : 2 * eps;
}

/* Element (i, j) lies at p[i * rs + j * cs]. */
typedef struct mat {
  real *p;
  ptrdiff_t rs, cs;
} mat;

static inline mat mat_of(const mlplk_matrix *m) { return (mat){m->p, m->rs, m->cs}; }
static inline mat rows_at(real *p, ptrdiff_t ld) { return (mat){p, ld, 1}; }
static inline mat from(mat a, ptrdiff_t i, ptrdiff_t j) {
  return (mat){a.p + i * a.rs + j * a.cs, a.rs, a.cs};
}
static inline mat flipped(mat a) { return (mat){a.p, a.cs, a.rs}; }
static inline real *elem(mat a, ptrdiff_t i, ptrdiff_t j) {
  return a.p + i * a.rs + j * a.cs;
}

/* Memory and threads for products. */
typedef struct tools {
  void *scratch;
  const mlplk_par *par;
} tools;

/* C [m x n] := alpha A B + beta C */
static inline void add_product(const tools *t, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k,
    double alpha, mat a, mat b, double beta, mat c) {
  mlplk_gemm g = {.m = m,
      .n = n,
      .k = k,
      .alpha = alpha,
      .beta = beta,
      .a = a.p,
      .rs_a = a.rs,
      .cs_a = a.cs,
      .b = b.p,
      .rs_b = b.rs,
      .cs_b = b.cs,
      .c = c.p,
      .rs_c = c.rs,
      .cs_c = c.cs};
  if (m && n) VARIANT(gemm)(&g, t->scratch, SIZE_MAX, t->par);
}

/* Real numbers, rounded up so that what follows is aligned. */
static inline ptrdiff_t room(ptrdiff_t n) {
  return round_up(n, 64 / (ptrdiff_t)sizeof(real));
}

/*
** A part of scratch memory that begins at `base`: n elements, from a multiple of 64 bytes
** on. *used grows by it. NULL where there is no memory yet: then only *used matters.
*/
static inline void *take(char *base, size_t *used, ptrdiff_t n, size_t element) {
  void *part = base ? base + *used : NULL;
  *used += (size_t)round_up(n * (ptrdiff_t)element, 64);
  return part;
}

static inline real *take_reals(char *base, size_t *used, ptrdiff_t n) {
  return take(base, used, n, sizeof(real));
}

/* ---- reflections H = I - tau v v^T, v[0] = 1 (qr.c) ---- */

enum { PANEL_WIDTH = 32 };

/*
** x [n], its elements s apart: H x = (beta, 0, ...). x[1..n) receives the rest of v; x[0]
** is left alone. Returns tau, 0 when x is (x0, 0, ...) already.
*/
double VARIANT(reflection)(ptrdiff_t n, real *x, ptrdiff_t s, double *beta);

/*
** q [m x nq] := the first nq columns of H_0 H_1 ... H_(k-1). Column j of v [m x k] is the
** j-th v, written out: zeros, a one in row j, the rest. work: reflect_work(nq) reals.
*/
void VARIANT(form_q)(const tools *t, ptrdiff_t m, ptrdiff_t k, ptrdiff_t nq, mat v,
    const real *tau, mat q, real *work);
static inline ptrdiff_t reflect_work(ptrdiff_t n_columns) {
  return room(2 * PANEL_WIDTH * PANEL_WIDTH) + room(2 * PANEL_WIDTH * n_columns);
}

/* ---- rotations of rows (rotate.c) ---- */

/* Rows i and i + 1 become c x + s y and c y - s x, for each rotation in order. */
typedef struct rotation {
  ptrdiff_t i;
  real c, s;
} rotation;

enum { STRIP = 4 * LANES, MOST_ROTATIONS = 2048 };

/* The width of rows of n elements; how many rotations wait before they are applied. */
static inline ptrdiff_t padded(ptrdiff_t n) { return round_up(n, STRIP); }
static inline ptrdiff_t most_rotations(ptrdiff_t n) { return most(MOST_ROTATIONS, n); }

/* a: n rows of `width` reals, a multiple of STRIP, width apart, 64-byte aligned. */
void VARIANT(rotate_rows)(real *a, ptrdiff_t width, const rotation *r,
    ptrdiff_t n_rotations, const mlplk_par *par);

/* out(j, i) = a row from[i], element j, i and j below n */
static inline void take_rows(
    ptrdiff_t n, mat out, const real *a, ptrdiff_t width, const ptrdiff_t *row) {
  for (ptrdiff_t i = 0; i < n; i++)
    for (ptrdiff_t j = 0; j < n; j++) *elem(out, j, i) = a[row[i] * width + j];
}

#endif
