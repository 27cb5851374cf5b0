/* Comparisons and tests of real numbers: a byte of truth for every element. */
#include "kern/loop.h"
#include "kern/variants/elementwise.h"

#include <math.h>

static inline uint8_t eq_at(real x, real y) { return x == y; }
static inline uint8_t ne_at(real x, real y) { return x != y; }
static inline uint8_t lt_at(real x, real y) { return x < y; }
static inline uint8_t le_at(real x, real y) { return x <= y; }
static inline uint8_t gt_at(real x, real y) { return x > y; }
static inline uint8_t ge_at(real x, real y) { return x >= y; }

static inline uint8_t isnan_at(real x) { return x != x; }
static inline uint8_t isinf_at(real x) { return x == INFINITY || x == -INFINITY; }
static inline uint8_t isfinite_at(real x) { return x - x == 0; }

MLPLK_LOOP(VARIANT(eq), eq_at, uint8_t, real)
MLPLK_LOOP(VARIANT(ne), ne_at, uint8_t, real)
MLPLK_LOOP(VARIANT(lt), lt_at, uint8_t, real)
MLPLK_LOOP(VARIANT(le), le_at, uint8_t, real)
MLPLK_LOOP(VARIANT(gt), gt_at, uint8_t, real)
MLPLK_LOOP(VARIANT(ge), ge_at, uint8_t, real)
MLPLK_LOOP_1(VARIANT(isnan), isnan_at, uint8_t, real)
MLPLK_LOOP_1(VARIANT(isinf), isinf_at, uint8_t, real)
MLPLK_LOOP_1(VARIANT(isfinite), isfinite_at, uint8_t, real)
