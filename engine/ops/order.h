/* Keys by which elements of any dtype are put in order. Internal. */
#ifndef MLPLI_ORDER_H
#define MLPLI_ORDER_H

#include "ops/axes.h"

/* What is taken between two elements: choices of quantile's interpolation. */
typedef enum mlpli_interpolation {
  MLPLI_LINEAR,
  MLPLI_LOWER,
  MLPLI_HIGHER,
  MLPLI_MIDPOINT,
  MLPLI_NEAREST
} mlpli_interpolation;

/*
** A whole number for element i of p: smaller for smaller elements, equal for equal ones
** (0 and -0 too), the largest for every NaN; `flip` (~0 or 0) turns the order round.
*/
static inline uint64_t mlpli_key(const void *p, int64_t i, int dtype, uint64_t flip) {
  union {
    float f;
    uint32_t u;
  } f;
  union {
    double d;
    uint64_t u;
  } d;
  uint64_t key;
  switch (dtype) {
    case MLPL_F32:
      f.f = ((const float *)p)[i] + 0.0f; /* -0 + 0 is 0 */
      key = f.f != f.f ? UINT32_MAX : f.u >> 31 ? ~f.u : f.u | 0x80000000u;
      key &= UINT32_MAX;
      break;
    case MLPL_F64:
      d.d = ((const double *)p)[i] + 0.0;
      key = d.d != d.d ? UINT64_MAX : d.u >> 63 ? ~d.u : d.u | (uint64_t)1 << 63;
      break;
    case MLPL_I64: key = (uint64_t)((const int64_t *)p)[i] ^ (uint64_t)1 << 63; break;
    default: key = ((const uint8_t *)p)[i]; break;
  }
  return key ^ flip;
}

/* Those of n elements of p, from `first` on, `step` apart. */
static inline void mlpli_keys(int64_t n, uint64_t *key, const void *p, int64_t first,
    int64_t step, int dtype, uint64_t flip) {
#define KEYS(type)                                                                       \
  for (int64_t i = 0; i < n; i++) key[i] = mlpli_key(p, first + i * step, type, flip)
  switch (dtype) { /* once, not for each element */
    case MLPL_F32: KEYS(MLPL_F32); break;
    case MLPL_F64: KEYS(MLPL_F64); break;
    case MLPL_I64: KEYS(MLPL_I64); break;
    default: KEYS(MLPL_U8); break;
  }
#undef KEYS
}

#endif
