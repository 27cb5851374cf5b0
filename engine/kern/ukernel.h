/*
** BLIS's assembly micro-kernels behind one prototype (blis.c).
**
** c[y * ldc + x] := beta c[y * ldc + x] + alpha sum_p a[p * MR + y] b[p * NR + x]
** for 0 <= y < MR, 0 <= x < NR, 0 <= p < k: always one whole tile, row by row.
** a and b are 64-byte aligned packed panels; beta = 0 never reads c. The kernels load one
** step ahead: up to MLPLK_UKERNEL_SLACK bytes behind a panel must be readable.
** next_a, next_b: the panels of the coming call, to be fetched into the cache.
**
** name     MR x NR f32  MR x NR f64
** avx512   12 x 32      14 x 16
** avx2      6 x 16       6 x 8
*/
#ifndef MLPLK_UKERNEL_H
#define MLPLK_UKERNEL_H

#include <stddef.h>

#define MLPLK_UKERNEL_SLACK 512

typedef void mlplk_ukernel(ptrdiff_t k, const void *alpha, const void *a, const void *b,
    const void *beta, void *c, ptrdiff_t ldc, const void *next_a, const void *next_b);

mlplk_ukernel mlplk_ukernel_f32_avx512;
mlplk_ukernel mlplk_ukernel_f64_avx512;
mlplk_ukernel mlplk_ukernel_f32_avx2;
mlplk_ukernel mlplk_ukernel_f64_avx2;

#endif
