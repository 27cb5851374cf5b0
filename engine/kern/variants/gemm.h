/*
** What the sources of the matrix product share.
**
** gemm.c         orients the product, picks its path, the table's functions; path PANEL:
**                A read in place, B packed panel by panel, multiplied as OUTER does
** gemm_outer.c   path OUTER: B's rows lie along n and are read in place; or B is packed
** gemm_dot.c     path DOT: both operands lie along k and are read in place
** gemm_packed.c  path PACKED: both operands packed, blocked for the caches, BLIS's kernel
** gemm_pack.c    packing
**
** The path depends on sizes and strides alone, and every element of C is added up in an
** order that depends on k alone, so neither threads nor the cut into tasks change a bit.
*/
#ifndef MLPLK_GEMM_H
#define MLPLK_GEMM_H

#include "kern/variants/vector.h"

/* One tile of the micro-kernel, MR rows by NR columns; KC steps of k per pass. */
#if defined __AVX512F__
#define UKERNEL VARIANT(ukernel)
enum { MR = MLPLK_REAL == 32 ? 12 : 14, NR = 2 * LANES };
enum { KC = MLPLK_REAL == 32 ? 1024 : 512 };
#elif defined __AVX2__
#define UKERNEL VARIANT(ukernel)
enum { MR = 6, NR = 2 * LANES, KC = 256 };
#else
enum { MR = 4, NR = 2 * LANES, KC = 256 };
#endif

/*
** C [m x n] := act(alpha A B + beta C + bias), turned so that C's rows lie along memory
** wherever C's strides allow it. bias of element (i, j) is bias[i * bias_i + j * bias_j];
** one of the two strides is 0.
*/
typedef struct product {
  ptrdiff_t m, n, k;
  real alpha, beta;
  const real *a;
  ptrdiff_t rs_a, cs_a;
  const real *b;
  ptrdiff_t rs_b, cs_b;
  real *c;
  ptrdiff_t rs_c, cs_c;
  const real *packed_a, *packed_b;
  const real *bias;
  ptrdiff_t bias_i, bias_j;
  mlplk_act act;
} product;

/* Rows [i, i + m) and columns [j, j + n) of C, for one task. */
typedef struct area {
  ptrdiff_t i, m, j, n;
} area;

void VARIANT(gemm_outer)(const product *p, area where);
void VARIANT(gemm_dot)(const product *p, area where);
size_t VARIANT(gemm_packed_scratch)(const product *p, int workers);
void VARIANT(gemm_packed)(const product *p, void *scratch, const mlplk_par *par);
/* Bytes of scratch that are enough for any product whose sizes are at most n. */
size_t VARIANT(gemm_scratch_most)(ptrdiff_t n, int workers);

/*
** Panels of `width` (MR or NR): element (w, l) of n x k at src[w * s + l * sk] goes to
** dst[(w / width) * stride + l * width + w % width]; the last panel is filled with zeros.
*/
void VARIANT(gemm_pack_rows)(real *dst, ptrdiff_t stride, const real *src, ptrdiff_t s,
    ptrdiff_t sk, ptrdiff_t n, ptrdiff_t k); /* width MR, for A */
void VARIANT(gemm_pack_columns)(real *dst, ptrdiff_t stride, const real *src, ptrdiff_t s,
    ptrdiff_t sk, ptrdiff_t n, ptrdiff_t k); /* width NR, for B */

static inline ptrdiff_t least(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }

static inline ptrdiff_t most(ptrdiff_t a, ptrdiff_t b) { return a > b ? a : b; }

static inline ptrdiff_t parts_of(ptrdiff_t n, ptrdiff_t size) {
  return (n + size - 1) / size;
}

static inline ptrdiff_t round_up(ptrdiff_t n, ptrdiff_t unit) {
  return parts_of(n, unit) * unit;
}

static inline int has_epilogue(const product *p) {
  return p->bias || p->act != MLPLK_ACT_NONE;
}

static inline real relu(real v) { return v <= 0 ? 0 : v; /* NaN stays NaN */ }

static inline vec relu_vec(vec v) { return (vec)((bits)v & ~(v <= 0)); }

/* One finished sum on its way to element (i, j); the same steps as finish_vec. */
static inline real finish_one(
    const product *p, real sum, real c, ptrdiff_t i, ptrdiff_t j) {
  real v = p->alpha * sum;
  if (p->beta != 0) v += p->beta * c;
  if (p->bias) v += p->bias[i * p->bias_i + j * p->bias_j];
  return p->act == MLPLK_ACT_RELU ? relu(v) : v;
}

#endif
