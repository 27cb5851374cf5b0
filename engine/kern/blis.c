/*
** The one file that includes blis.h. It names four micro-kernels of BLIS, which the
** linker takes from the static library one by one: nothing of BLIS is initialised,
** allocated or locked. They need no context: whole tiles in the direction they prefer
** never look at it.
*/
#define _POSIX_C_SOURCE 200809L /* blis.h needs it under -std=c11 */

#include "kern/ukernel.h"

#if defined __x86_64__

#include <blis.h>

/* BLIS declares the kernels of the configurations it was built for; Debian's is x86_64,
   which has them all. Saying it again is harmless and covers single-configuration
   headers. */
GEMM_UKR_PROT(float, s, gemm_skx_asm_32x12_l2)
GEMM_UKR_PROT(double, d, gemm_skx_asm_16x14)
GEMM_UKR_PROT(float, s, gemm_haswell_asm_6x16)
GEMM_UKR_PROT(double, d, gemm_haswell_asm_6x8)

/* Operands are const void * from BLIS 1.0 on and float * before; void * suits both. */
static void *plain(const void *p) {
  union {
    const void *from;
    void *to;
  } u = {p};
  return u.to;
}

static auxinfo_t next_panels(const void *a, const void *b) {
  auxinfo_t aux = {0};
  bli_auxinfo_set_next_a(plain(a), &aux);
  bli_auxinfo_set_next_b(plain(b), &aux);
  return aux;
}

/* The skx kernels store columns. A row-major tile is the transposed tile by columns, so
   they get b as their left operand. */
void mlplk_ukernel_f32_avx512(ptrdiff_t k, const void *alpha, const void *a,
    const void *b, const void *beta, void *c, ptrdiff_t ldc, const void *next_a,
    const void *next_b) {
  auxinfo_t aux = next_panels(next_b, next_a);
  bli_sgemm_skx_asm_32x12_l2(
      32, 12, k, plain(alpha), plain(b), plain(a), plain(beta), c, 1, ldc, &aux, NULL);
}

void mlplk_ukernel_f64_avx512(ptrdiff_t k, const void *alpha, const void *a,
    const void *b, const void *beta, void *c, ptrdiff_t ldc, const void *next_a,
    const void *next_b) {
  auxinfo_t aux = next_panels(next_b, next_a);
  bli_dgemm_skx_asm_16x14(
      16, 14, k, plain(alpha), plain(b), plain(a), plain(beta), c, 1, ldc, &aux, NULL);
}

void mlplk_ukernel_f32_avx2(ptrdiff_t k, const void *alpha, const void *a, const void *b,
    const void *beta, void *c, ptrdiff_t ldc, const void *next_a, const void *next_b) {
  auxinfo_t aux = next_panels(next_a, next_b);
  bli_sgemm_haswell_asm_6x16(
      6, 16, k, plain(alpha), plain(a), plain(b), plain(beta), c, ldc, 1, &aux, NULL);
}

void mlplk_ukernel_f64_avx2(ptrdiff_t k, const void *alpha, const void *a, const void *b,
    const void *beta, void *c, ptrdiff_t ldc, const void *next_a, const void *next_b) {
  auxinfo_t aux = next_panels(next_a, next_b);
  bli_dgemm_haswell_asm_6x8(
      6, 8, k, plain(alpha), plain(a), plain(b), plain(beta), c, ldc, 1, &aux, NULL);
}

#else

typedef int mlplk_no_blis_here; /* ISO C wants a declaration in every source */

#endif
