/* Packing: operands copied into panels that the micro-kernel reads from front to back. */
#include "kern/variants/gemm.h"

#define INLINE static inline __attribute__((always_inline))

typedef struct source {
  const real *p;
  ptrdiff_t s, sk; /* strides along the panel's width and along k */
} source;

/* Elements side by side along the panel's width: copy. */
INLINE void copy_panel(
    real *dst, const int width, const real *src, ptrdiff_t sk, ptrdiff_t k) {
  for (ptrdiff_t l = 0; l < k; l++)
    memcpy(dst + l * width, src + l * sk, (size_t)width * sizeof(real));
}

/* Any strides, and the last panel of an operand. */
INLINE void gather_panel(
    real *dst, const int width, source from, ptrdiff_t n, ptrdiff_t k) {
  for (ptrdiff_t l = 0; l < k; l++, dst += width) {
    const real *src = from.p + l * from.sk;
    for (ptrdiff_t w = 0; w < n; w++) dst[w] = src[w * from.s];
    for (ptrdiff_t w = n; w < width; w++) dst[w] = 0;
  }
}

/* LANES steps of k of up to LANES rows that lie along k. */
INLINE void transpose_block(real *dst, const int width, const int lanes, const real *src,
    ptrdiff_t s, ptrdiff_t n) {
  vec r[LANES];
#pragma GCC unroll 16
  for (int i = 0; i < LANES; i++)
    r[i] = i < lanes && i < n ? load(src + i * s) : (vec){0};
  transpose(r);
#pragma GCC unroll 16
  for (int l = 0; l < LANES; l++)
    memcpy(dst + l * width, &r[l], (size_t)lanes * sizeof(real));
}

INLINE void transpose_panel(
    real *dst, const int width, const real *src, ptrdiff_t s, ptrdiff_t n, ptrdiff_t k) {
  ptrdiff_t whole = k - k % LANES;
  for (ptrdiff_t l = 0; l < whole; l += LANES)
#pragma GCC unroll 8
    for (int w = 0; w < width; w += LANES)
      transpose_block(dst + l * width + w, width, width - w < LANES ? width - w : LANES,
          src + w * s + l, s, n - w);
  gather_panel(dst + whole * width, width, (source){src + whole, s, 1}, n, k - whole);
}

INLINE void pack(
    real *dst, const int width, ptrdiff_t stride, source from, ptrdiff_t n, ptrdiff_t k) {
  for (; n > 0; n -= width, dst += stride, from.p += width * from.s)
    if (from.sk == 1)
      transpose_panel(dst, width, from.p, from.s, least(n, width), k);
    else if (from.s == 1 && n >= width)
      copy_panel(dst, width, from.p, from.sk, k);
    else
      gather_panel(dst, width, from, least(n, width), k);
}

void VARIANT(gemm_pack_rows)(real *dst, ptrdiff_t stride, const real *src, ptrdiff_t s,
    ptrdiff_t sk, ptrdiff_t n, ptrdiff_t k) {
  pack(dst, MR, stride, (source){src, s, sk}, n, k);
}

void VARIANT(gemm_pack_columns)(real *dst, ptrdiff_t stride, const real *src, ptrdiff_t s,
    ptrdiff_t sk, ptrdiff_t n, ptrdiff_t k) {
  pack(dst, NR, stride, (source){src, s, sk}, n, k);
}
