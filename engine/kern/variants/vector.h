/*
** One vector register of `real` and the few operations that the products need, for every
** instruction set. A masked load or store touches the first n elements only, so operands
** may end right before an unreadable page.
*/
#ifndef MLPLK_VECTOR_H
#define MLPLK_VECTOR_H

#include <string.h>

#include "kern/variants/variant.h"

#if defined __AVX512F__
#include <immintrin.h>
#define VECTOR_BYTES 64
#elif defined __AVX2__
#include <immintrin.h>
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif

enum { LANES = VECTOR_BYTES / sizeof(real) };

#if MLPLK_REAL == 32
typedef int32_t real_bits;
#else
typedef int64_t real_bits;
#endif

typedef real vec __attribute__((vector_size(VECTOR_BYTES)));
typedef real_bits bits __attribute__((vector_size(VECTOR_BYTES)));
typedef real vec_anywhere
    __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(real)), may_alias));

static inline vec load(const real *p) { return *(const vec_anywhere *)p; }

static inline void store(real *p, vec v) { *(vec_anywhere *)p = v; }

static inline vec splat(real x) { return x - (vec){0}; }

/* ---- a b + c, with one rounding where the instruction set has it ---- */

#if defined __AVX512F__ && MLPLK_REAL == 32
static inline vec fma_vec(vec a, vec b, vec c) {
  return (vec)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}
#elif defined __AVX512F__
static inline vec fma_vec(vec a, vec b, vec c) {
  return (vec)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
}
#elif defined __AVX2__ && MLPLK_REAL == 32
static inline vec fma_vec(vec a, vec b, vec c) {
  return (vec)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
}
#elif defined __AVX2__
static inline vec fma_vec(vec a, vec b, vec c) {
  return (vec)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
}
#else
static inline vec fma_vec(vec a, vec b, vec c) { return a * b + c; }
#endif

/* ---- the first n of LANES elements ---- */

#if defined __AVX512F__
#if MLPLK_REAL == 32
typedef __mmask16 mask;
static inline vec load_first(const real *p, mask m) {
  return (vec)_mm512_maskz_loadu_ps(m, p);
}
static inline void store_first(real *p, mask m, vec v) {
  _mm512_mask_storeu_ps(p, m, (__m512)v);
}
#else
typedef __mmask8 mask;
static inline vec load_first(const real *p, mask m) {
  return (vec)_mm512_maskz_loadu_pd(m, p);
}
static inline void store_first(real *p, mask m, vec v) {
  _mm512_mask_storeu_pd(p, m, (__m512d)v);
}
#endif
static inline mask first(ptrdiff_t n) { return (mask)((1u << n) - 1); }
#elif defined __AVX2__
typedef __m256i mask;
static inline mask first(ptrdiff_t n) {
  static const real_bits on_off[2 * LANES] = {
    -1,
    -1,
    -1,
    -1
#if MLPLK_REAL == 32
    ,
    -1,
    -1,
    -1,
    -1
#endif
  };
  return _mm256_loadu_si256((const __m256i *)(const void *)(on_off + LANES - n));
}
#if MLPLK_REAL == 32
static inline vec load_first(const real *p, mask m) {
  return (vec)_mm256_maskload_ps(p, m);
}
static inline void store_first(real *p, mask m, vec v) {
  _mm256_maskstore_ps(p, m, (__m256)v);
}
#else
static inline vec load_first(const real *p, mask m) {
  return (vec)_mm256_maskload_pd(p, m);
}
static inline void store_first(real *p, mask m, vec v) {
  _mm256_maskstore_pd(p, m, (__m256d)v);
}
#endif
#else
typedef ptrdiff_t mask;
static inline mask first(ptrdiff_t n) { return n; }
static inline vec load_first(const real *p, mask m) {
  vec v = {0};
  for (ptrdiff_t i = 0; i < LANES; i++)
    if (i < m) v[i] = p[i];
  return v;
}
static inline void store_first(real *p, mask m, vec v) {
  for (ptrdiff_t i = 0; i < LANES; i++)
    if (i < m) p[i] = v[i];
}
#endif

/* ---- a0 b0 a1 b1 ... from the lower and the upper halves ---- */

#if defined __clang__
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (bits){__VA_ARGS__})
#endif

#if VECTOR_BYTES * 8 == 16 * MLPLK_REAL
static inline vec zip_low(vec a, vec b) {
  return SHUFFLE(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
static inline vec zip_high(vec a, vec b) {
  return SHUFFLE(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
#elif VECTOR_BYTES * 8 == 8 * MLPLK_REAL
static inline vec zip_low(vec a, vec b) {
  return SHUFFLE(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}
static inline vec zip_high(vec a, vec b) {
  return SHUFFLE(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}
#elif VECTOR_BYTES * 8 == 4 * MLPLK_REAL
static inline vec zip_low(vec a, vec b) { return SHUFFLE(a, b, 0, 4, 1, 5); }
static inline vec zip_high(vec a, vec b) { return SHUFFLE(a, b, 2, 6, 3, 7); }
#else
static inline vec zip_low(vec a, vec b) { return SHUFFLE(a, b, 0, 2); }
static inline vec zip_high(vec a, vec b) { return SHUFFLE(a, b, 1, 3); }
#endif

/* Every other element of a and b, from the first on. */
static inline vec evens(vec a, vec b) {
#if VECTOR_BYTES * 8 == 16 * MLPLK_REAL
  return SHUFFLE(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
#elif VECTOR_BYTES * 8 == 8 * MLPLK_REAL
  return SHUFFLE(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
#elif VECTOR_BYTES * 8 == 4 * MLPLK_REAL
  return SHUFFLE(a, b, 0, 2, 4, 6);
#else
  return SHUFFLE(a, b, 0, 2);
#endif
}

/* One step of a perfect shuffle; log2(LANES) of them transpose LANES vectors. */
static inline __attribute__((always_inline)) void zip_step(vec r[LANES]) {
  vec t[LANES];
#pragma GCC unroll 16
  for (int i = 0; i < LANES / 2; i++) {
    t[2 * i] = zip_low(r[i], r[i + LANES / 2]);
    t[2 * i + 1] = zip_high(r[i], r[i + LANES / 2]);
  }
#pragma GCC unroll 16
  for (int i = 0; i < LANES; i++) r[i] = t[i];
}

static inline __attribute__((always_inline)) void transpose(vec r[LANES]) {
#pragma GCC unroll 4
  for (int width = 1; width < LANES; width *= 2) zip_step(r);
}

#endif
