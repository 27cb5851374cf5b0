/* Comparisons and tests of real numbers: a byte of truth for every element. */
#include "kern/variants/elementwise.h"

#include "kern/variants/spread.h"

#define TEST(name, formula)                                                              \
  BLOCKS(name, uint8_t, formula, a[i], 0, 0)                                             \
  SPREAD_ONE(VARIANT(name), name##_blocks, uint8_t)
#define COMPARISON(name, formula)                                                        \
  BLOCKS(name, uint8_t, formula, a[i], b[i], 0)                                          \
  SPREAD_TWO(VARIANT(name), name##_blocks, uint8_t)

COMPARISON(eq, x == y)
COMPARISON(ne, x != y)
COMPARISON(lt, x < y)
COMPARISON(le, x <= y)
COMPARISON(gt, x > y)
COMPARISON(ge, x >= y)
TEST(isnan, x != x)
TEST(isinf, x == (real)INFINITY || x == -(real)INFINITY)
TEST(isfinite, x - x == 0)
