/* Division that rounds, and its remainders. */
#include "kern/variants/elementwise.h"

#include "kern/variants/spread.h"

#include <math.h>

#if MLPLK_REAL == 32
#define FMOD fmodf
#define COPYSIGN copysignf
#else
#define FMOD fmod
#define COPYSIGN copysign
#endif

/*
** In f32 the quotient of two numbers, taken in double, says where it lies among the whole
** numbers: one that is not whole misses every whole number by 2^-24 at least, which double
** shows up to 2^28; whole ones are exact. What is left, x - q y, is exact, too. A q of 0
** is left out: x / inf is one, but lies below 0 for x < 0. f64 has nothing wider, and goes by fmod,
** which is exact and slow.
*/
#if MLPLK_REAL == 32
#define QUOTIENT(x, y)                                                                   \
  const double q = (double)(x) / (double)(y);                                            \
  const int near = fabs(q) < 0x1p28 && q != 0;
#else
#define QUOTIENT(x, y)                                                                   \
  const double q = 0;                                                                    \
  const int near = 0;
#endif

/* x - n y, where it is 0 with x's sign, as fmod has it */
static inline real left_over(real x, real y, double n) {
  const double r = (double)x - n * (double)y;
  return r == 0 ? COPYSIGN(0, x) : (real)r;
}

static inline real fmod_of(real x, real y) {
  QUOTIENT(x, y)
  return near ? left_over(x, y, trunc(q)) : FMOD(x, y);
}

/* The sum that turns fmod's sign rounds once at most. */
static inline real remainder_of(real x, real y) {
  QUOTIENT(x, y)
  if (near) return left_over(x, y, floor(q));
  const real m = FMOD(x, y);
  return m != 0 && (m < 0) != (y < 0) ? m + y : m;
}

/*
** floor(x / y) of the quotient before it is rounded, as Python has it: 1 // 0.1 is 9,
** though 1 / 0.1 rounds to 10. (x - m) / y is a whole number but for rounding.
*/
static inline real quotient_of(real x, real y) {
  if (y == 0) return x / y;
  QUOTIENT(x, y)
  if (near) return q >= 0 && q < 1 ? COPYSIGN(0, (real)q) : (real)floor(q);
  const real m = FMOD(x, y);
  real n = (x - m) / y;
  if (m != 0 && (m < 0) != (y < 0)) n -= 1;
  if (n == 0) return COPYSIGN(0, x / y);
  const real below = (real)floor((double)n);
  return n - below > (real)0.5 ? below + 1 : below;
}

TWO(floor_divide, quotient_of(x, y))
TWO(remainder, remainder_of(x, y))
TWO(fmod, fmod_of(x, y))
