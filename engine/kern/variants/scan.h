/* The scans of one variant, and the initialiser that lists them by kind. */
#ifndef MLPLK_SCAN_H
#define MLPLK_SCAN_H

#include "kern/variants/variant.h"

mlplk_scan VARIANT(cumsum), VARIANT(cumprod), VARIANT(logcumsumexp), VARIANT(cummax),
    VARIANT(cummin), VARIANT(recur), VARIANT(recur_lag);

#define MLPLK_SCAN_TABLE                                                                 \
  {                                                                                      \
    [MLPLK_CUMSUM] = VARIANT(cumsum), [MLPLK_CUMPROD] = VARIANT(cumprod),                \
    [MLPLK_LOGCUMSUMEXP] = VARIANT(logcumsumexp), [MLPLK_CUMMAX] = VARIANT(cummax),      \
    [MLPLK_CUMMIN] = VARIANT(cummin), [MLPLK_RECUR] = VARIANT(recur),                    \
    [MLPLK_RECUR_LAG] = VARIANT(recur_lag),                                              \
  }

#endif
