/* The reductions of one variant, and the initialiser that lists them by kind. */
#ifndef MLPLK_REDUCE_H
#define MLPLK_REDUCE_H

#include "kern/variants/variant.h"

mlplk_reduce VARIANT(sum), VARIANT(sum_squares), SELDOM(max), SELDOM(argmax),
    SELDOM(prod), SELDOM(min), SELDOM(argmin), SELDOM(nonzero);

#define MLPLK_REDUCE_TABLE                                                               \
  {                                                                                      \
    [MLPLK_SUM] = VARIANT(sum), [MLPLK_MAX] = SELDOM(max),                               \
    [MLPLK_ARGMAX] = SELDOM(argmax), [MLPLK_PROD] = SELDOM(prod),                        \
    [MLPLK_MIN] = SELDOM(min), [MLPLK_ARGMIN] = SELDOM(argmin),                          \
    [MLPLK_NONZERO] = SELDOM(nonzero), [MLPLK_SUM_SQUARES] = VARIANT(sum_squares),       \
  }

/* Sum and maximum of r elements side by side. The maximum is NaN where one is. r >= 1
   for max. */
real VARIANT(run_sum)(const real *x, ptrdiff_t r);
real SELDOM(run_max)(const real *x, ptrdiff_t r);

#endif
