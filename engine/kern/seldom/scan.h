/* The scans of one variant, and the initialiser that lists them by kind. */
#ifndef MLPLK_SCAN_H
#define MLPLK_SCAN_H

#include "kern/variants/variant.h"

mlplk_scan SELDOM(cumsum), SELDOM(cumprod), SELDOM(logcumsumexp), SELDOM(cummax),
    SELDOM(cummin), SELDOM(recur), SELDOM(recur_lag);

#define MLPLK_SCAN_TABLE                                                                 \
  {                                                                                      \
    [MLPLK_CUMSUM] = SELDOM(cumsum), [MLPLK_CUMPROD] = SELDOM(cumprod),                  \
    [MLPLK_LOGCUMSUMEXP] = SELDOM(logcumsumexp), [MLPLK_CUMMAX] = SELDOM(cummax),        \
    [MLPLK_CUMMIN] = SELDOM(cummin), [MLPLK_RECUR] = SELDOM(recur),                      \
    [MLPLK_RECUR_LAG] = SELDOM(recur_lag),                                               \
  }

#endif
