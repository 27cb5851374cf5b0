/*
** What every kernel source is compiled against: `real`, and names that carry element type
** and instruction set. The build defines MLPLK_REAL (32 or 64) and MLPLK_ISA (base, avx2,
** avx512).
*/
#ifndef MLPLK_VARIANT_H
#define MLPLK_VARIANT_H

#include "kern/kern.h"

#if MLPLK_REAL == 32
typedef float real;
#define MLPLK_TYPE f32
#elif MLPLK_REAL == 64
typedef double real;
#define MLPLK_TYPE f64
#else
#error "MLPLK_REAL must be 32 or 64"
#endif

/* a b + c, rounded once where the instruction set can. */
static inline real madd(real a, real b, real c) {
#if !defined(__FMA__)
  return a * b + c;
#elif MLPLK_REAL == 32
  return __builtin_fmaf(a, b, c);
#else
  return __builtin_fma(a, b, c);
#endif
}

#define MLPLK_PASTE_(a, b, c) mlplk_##a##_##b##_##c
#define MLPLK_PASTE(a, b, c) MLPLK_PASTE_(a, b, c)
#define MLPLK_STRING_(s) #s
#define MLPLK_STRING(s) MLPLK_STRING_(s)

/* VARIANT(gemm) is mlplk_gemm_f32_avx2 and so on */
#define VARIANT(name) MLPLK_PASTE(name, MLPLK_TYPE, MLPLK_ISA)

/*
** Kernels that are used seldom, or gain little from wider vectors (seldom/), are compiled
** for two instruction sets only: AVX-512 takes AVX2's, which give the same bits.
*/
#if defined __AVX512F__
#define SELDOM(name) MLPLK_PASTE(name, MLPLK_TYPE, avx2)
#else
#define SELDOM(name) VARIANT(name)
#endif

size_t VARIANT(gemm_scratch)(const mlplk_gemm *g, int workers);
size_t VARIANT(gemm)(
    const mlplk_gemm *g, void *scratch, size_t bytes, const mlplk_par *par);
size_t VARIANT(pack_a_bytes)(ptrdiff_t m, ptrdiff_t k);
size_t VARIANT(pack_b_bytes)(ptrdiff_t k, ptrdiff_t n);
void VARIANT(pack_a)(
    ptrdiff_t m, ptrdiff_t k, const void *a, ptrdiff_t rs, ptrdiff_t cs, void *packed);
void VARIANT(pack_b)(
    ptrdiff_t k, ptrdiff_t n, const void *b, ptrdiff_t rs, ptrdiff_t cs, void *packed);

void VARIANT(solve_triangular)(ptrdiff_t n, ptrdiff_t r, const mlplk_matrix *a, int upper,
    int unit, const mlplk_matrix *b, void *scratch, const mlplk_par *par);
void VARIANT(lu)(ptrdiff_t m, ptrdiff_t n, const mlplk_matrix *a, ptrdiff_t *pivot,
    void *scratch, const mlplk_par *par);
ptrdiff_t VARIANT(cholesky)(
    ptrdiff_t n, const mlplk_matrix *a, void *scratch, const mlplk_par *par);
size_t VARIANT(qr_scratch)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t nq, int workers);
void VARIANT(qr)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t nq, const mlplk_matrix *a,
    const mlplk_matrix *q, void *scratch, const mlplk_par *par);
size_t VARIANT(eigh_scratch)(ptrdiff_t n, int workers);
int VARIANT(eigh)(ptrdiff_t n, const mlplk_matrix *a, void *values,
    const mlplk_matrix *vectors, int sweeps, void *scratch, const mlplk_par *par);
size_t VARIANT(svd_scratch)(ptrdiff_t n, int workers);
int VARIANT(svd)(ptrdiff_t n, const mlplk_matrix *a, void *values, const mlplk_matrix *u,
    const mlplk_matrix *vh, int sweeps, void *scratch, const mlplk_par *par);

void VARIANT(softmax)(
    ptrdiff_t n, ptrdiff_t k, void *y, ptrdiff_t s_y, const void *x, ptrdiff_t s_x);
void VARIANT(log_softmax)(
    ptrdiff_t n, ptrdiff_t k, void *y, ptrdiff_t s_y, const void *x, ptrdiff_t s_x);
void VARIANT(softmax_grad)(
    ptrdiff_t n, ptrdiff_t k, void *gx, const void *g, const void *y);
void VARIANT(log_softmax_grad)(
    ptrdiff_t n, ptrdiff_t k, void *gx, const void *g, const void *y);
void VARIANT(xent)(const mlplk_xent *args);
void VARIANT(sgd)(ptrdiff_t n, void *w, const void *g, void *buf, const mlplk_sgd *args);
void VARIANT(adam)(ptrdiff_t n, void *w, const void *g, void *m, void *v, void *vmax,
    const mlplk_adam *args);
void VARIANT(uniform)(
    ptrdiff_t n, void *out, const mlplk_stream *s, double lo, double hi);
void VARIANT(normal)(
    ptrdiff_t n, void *out, const mlplk_stream *s, double mean, double std);
void VARIANT(dropout)(
    ptrdiff_t n, void *mask, const mlplk_stream *s, double p, double scale);
size_t VARIANT(conv_scratch)(mlplk_conv_kind kind, const mlplk_conv *c, int workers);
void VARIANT(conv)(
    mlplk_conv_kind kind, const mlplk_conv *c, void *scratch, const mlplk_par *par);
void SELDOM(average_pool)(void *y, const void *x, ptrdiff_t width,
    const mlplk_windows *rows, const mlplk_windows *columns, double divisor);
void SELDOM(average_pool_grad)(void *x, const void *y, ptrdiff_t width,
    const mlplk_windows *rows, const mlplk_windows *columns, double divisor);
void SELDOM(max_pool)(void *y, int64_t *index, const void *x, const mlplk_max_axis *rows,
    const mlplk_max_axis *columns);
void SELDOM(scatter_add)(ptrdiff_t n, void *x, const int64_t *index, const void *y);
void SELDOM(gather)(ptrdiff_t n, void *y, const int64_t *index, const void *x);

#endif
