/* The plain loops that define mlplk_gemm. */
#include "kern/kern.h"

static double at(size_t real_bytes, const void *p, ptrdiff_t i) {
  return real_bytes == 4 ? (double)((const float *)p)[i] : ((const double *)p)[i];
}

static void put(size_t real_bytes, void *p, ptrdiff_t i, double v) {
  if (real_bytes == 4)
    ((float *)p)[i] = (float)v;
  else
    ((double *)p)[i] = v;
}

static double element(size_t bytes, const mlplk_gemm *g, ptrdiff_t i, ptrdiff_t j) {
  double sum = 0;
  for (ptrdiff_t l = 0; l < g->k; l++)
    sum += at(bytes, g->a, i * g->rs_a + l * g->cs_a) *
        at(bytes, g->b, l * g->rs_b + j * g->cs_b);
  double v = g->k > 0 ? g->alpha * sum : 0; /* an empty sum stays 0 for any alpha */
  if (g->beta != 0) v += g->beta * at(bytes, g->c, i * g->rs_c + j * g->cs_c);
  if (g->bias) v += at(bytes, g->bias, j * g->bias_stride);
  return g->act == MLPLK_ACT_RELU && v <= 0 ? 0 : v;
}

void mlplk_gemm_reference(size_t real_bytes, const mlplk_gemm *g) {
  for (ptrdiff_t i = 0; i < g->m; i++)
    for (ptrdiff_t j = 0; j < g->n; j++)
      put(real_bytes, g->c, i * g->rs_c + j * g->cs_c, element(real_bytes, g, i, j));
}
