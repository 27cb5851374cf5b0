/* Division that rounds, its remainders, and the larger and smaller of two numbers. */
#include "kern/loop.h"
#include "kern/variants/elementwise.h"

#include <math.h>

#if MLPLK_REAL == 32
#define FMOD fmodf
#define FLOOR floorf
#define COPYSIGN copysignf
#else
#define FMOD fmod
#define FLOOR floor
#define COPYSIGN copysign
#endif

/* fmod is exact, and so is the sum that turns its sign: they have opposite signs. */
static inline real remainder_at(real x, real y) {
  const real m = FMOD(x, y);
  return m != 0 && (m < 0) != (y < 0) ? m + y : m;
}

static inline real fmod_at(real x, real y) { return FMOD(x, y); }

/*
** floor(x / y) of the quotient before it is rounded, as Python has it: 1 // 0.1 is 9,
** though 1 / 0.1 rounds to 10. (x - m) / y is a whole number but for rounding.
*/
static inline real floor_divide_at(real x, real y) {
  if (y == 0) return x / y;
  const real m = FMOD(x, y);
  real q = (x - m) / y;
  if (m != 0 && (m < 0) != (y < 0)) q -= 1;
  if (q == 0) return COPYSIGN(0, x / y);
  const real below = FLOOR(q);
  return q - below > (real)0.5 ? below + 1 : below;
}

/* NaN of either comes through. */
static inline real maximum_at(real x, real y) { return x > y || x != x ? x : y; }
static inline real minimum_at(real x, real y) { return x < y || x != x ? x : y; }

MLPLK_LOOP(VARIANT(map_floor_divide), floor_divide_at, real, real)
MLPLK_LOOP(VARIANT(map_remainder), remainder_at, real, real)
MLPLK_LOOP(VARIANT(map_fmod), fmod_at, real, real)
MLPLK_LOOP(VARIANT(map_maximum), maximum_at, real, real)
MLPLK_LOOP(VARIANT(map_minimum), minimum_at, real, real)
