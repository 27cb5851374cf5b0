/* The reductions of one variant, and the initialiser that lists them by kind. */
#ifndef MLPLK_REDUCE_H
#define MLPLK_REDUCE_H

#include "kern/variants/variant.h"

mlplk_reduce VARIANT(sum), VARIANT(max), VARIANT(argmax), VARIANT(prod), VARIANT(min),
    VARIANT(argmin), VARIANT(nonzero);

#define MLPLK_REDUCE_TABLE                                                               \
  {                                                                                      \
    [MLPLK_SUM] = VARIANT(sum), [MLPLK_MAX] = VARIANT(max),                              \
    [MLPLK_ARGMAX] = VARIANT(argmax), [MLPLK_PROD] = VARIANT(prod),                      \
    [MLPLK_MIN] = VARIANT(min), [MLPLK_ARGMIN] = VARIANT(argmin),                        \
    [MLPLK_NONZERO] = VARIANT(nonzero),                                                  \
  }

/* Sum and maximum of r elements side by side. The maximum is NaN where one is. r >= 1
   for max. */
real VARIANT(run_sum)(const real *x, ptrdiff_t r);
real VARIANT(run_max)(const real *x, ptrdiff_t r);

#endif
