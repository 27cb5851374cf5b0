/* What convolutions and pooling share: options that hold a number for each spatial axis
   (window.c). Internal. */
#ifndef MLPLI_WINDOW_H
#define MLPLI_WINDOW_H

#include "ops/rows.h"

#define MLPLI_SPATIAL 2 /* most spatial axes */

/* How many spatial axes a row works on: its name ends in 1d or 2d. */
static inline int mlpli_spatial(const mlpl_op *op) {
  size_t n = 0;
  while (op->name[n]) n++;
  return op->name[n - 2] - '0';
}

/* v[0..axes) = option i, one number standing for all axes; `standard` (NULL: the option
   must be given) where it was not given. */
mlpl_status mlpli_extent(mlpl_ctx *cx, const mlpli_call *c, int i, int axes,
    const int64_t *standard, int64_t *v);

/* The same as the value of an option of an internal row. */
static inline mlpl_value mlpli_sizes(int n, const int64_t *v) {
  mlpl_value value = {.sizes = {.n = n}};
  for (int i = 0; i < n; i++) value.sizes.v[i] = v[i];
  return value;
}

/* Whether sizes and what pads them can be worked with: (size + 2 pad) over all axes,
   times n, is below 2^48. */
bool mlpli_padded_fits(int64_t n, int axes, const int64_t *size, const int64_t *pad);

#endif
