/* Circular, exponential, hyperbolic and special functions: one formula each (spread.h). */
#include "kern/variants/elementwise.h"

#include "kern/variants/spread.h"
#include "kern/variants/vmath.h"
#include "kern/variants/vwide.h"
#include "kern/variants/vspecial.h"
#include "kern/variants/vtrig.h"

/* ---- angles ------------------------------------------------------------------------ */

enum { CHUNK = 16 * BLOCK };

/* Whether some of n angles are far or no numbers; if so, all are kept and those are
   replaced by 0. */
static int set_far_apart(ptrdiff_t n, const real *x, real *kept, real *near) {
  int far = 0;
  for (ptrdiff_t i = 0; i < n; i++) far |= !(absolute(x[i]) <= FAR_ANGLE);
  if (!far) return 0;
  for (ptrdiff_t i = 0; i < n; i++) {
    kept[i] = x[i];
    near[i] = absolute(x[i]) <= FAR_ANGLE ? x[i] : 0;
  }
  return 1;
}

/* Far angles go by the C library, which has the digits of pi. */
static void put_far(ptrdiff_t n, real *out, const real *x, double (*function)(double)) {
  for (ptrdiff_t i = 0; i < n; i++)
    if (!(absolute(x[i]) <= FAR_ANGLE)) out[i] = (real)function((double)x[i]);
}

/* As ONE, of an angle. */
#define ANGLE(name)                                                                      \
  BLOCKS(name, real, name##_(x), a[i], 0, 0)                                             \
  static void name##_angles(ptrdiff_t n, void *out, const real *x, const real *y,        \
      const real *z, double p) {                                                         \
    real kept[CHUNK], near[CHUNK];                                                       \
    for (ptrdiff_t i = 0; i < n; i += CHUNK) {                                           \
      const ptrdiff_t m = n - i < CHUNK ? n - i : CHUNK;                                 \
      const int far = set_far_apart(m, x + i, kept, near);                               \
      name##_blocks(m, (real *)out + i, far ? near : x + i, y, z, p);                    \
      if (far) put_far(m, (real *)out + i, kept, name);                                  \
    }                                                                                    \
  }                                                                                      \
  SPREAD_ONE(VARIANT(map_##name), name##_angles, real)

ANGLE(sin)
ANGLE(cos)
ANGLE(tan)

/* ---- functions --------------------------------------------------------------------- */

ONE(asin, asin_(x))
ONE(acos, acos_(x))
ONE(atan, atan_(x))
TWO(atan2, atan2_(x, y))
ONE(sinh, sinh_(x))
ONE(cosh, cosh_(x))
ONE(asinh, asinh_(x))
ONE(acosh, acosh_(x))
ONE(atanh, atanh_(x))
ONE(sinc, sinc_(x))
ONE(exp2, exp2_(x))
ONE(expm1, expm1_(x))
ONE(log2, log2_(x))
ONE(log10, log10_(x))
ONE(log1p, log1p_(x))
ONE(rsqrt, 1 / root(x))
ONE(reciprocal, 1 / x)
ONE(erf, erf_(x))
ONE(erfc, (real)erfc((double)x))
ONE(erfinv, (real)mlplk_erfinv((double)x))
ONE(lgamma, lgamma_(x))
ONE(digamma, (real)mlplk_polygamma(0, (double)x))
ONE(polygamma, (real)mlplk_polygamma((int)p, (double)x))
TWO(pow, pow_(x, y))
TWO(hypot, hypot_(x, y))
TWO(logaddexp, logaddexp_(x, y))
TWO(xlogy, xlogy_(x, y))
TWO(xlogy_off, x == 0 && y <= 0 ? 0 : 1)
