/*
** Circular functions and their inverses for one element, in the manner of vmath.h: no
** branches, choices are selects, so that loops vectorise. The polynomials are Chebyshev
** fits, each with its own error.
*/
#ifndef MLPLK_VTRIG_H
#define MLPLK_VTRIG_H

#include "kern/variants/vmath.h"

#if MLPLK_REAL == 32 /* the high parts are rounded, the low ones what rounding took */
#define PI_HI 0x1.921fb6p+1f
#define PI_LO -0x1.777a5cp-24f
#else
#define PI_HI 0x1.921fb54442d18p+1
#define PI_LO 0x1.1a62633145c07p-53
#endif
#define HALF_PI_HI (PI_HI * R_(0.5))
#define HALF_PI_LO (PI_LO * R_(0.5))

/* pi / 2 in parts of 33 bits, so that n times each of the first three is exact, and the
   rest */
#define HALF_PI_1 0x1.921fb544p+0
#define HALF_PI_2 0x1.0b4611a6p-34
#define HALF_PI_3 0x1.3198a2ep-69
#define HALF_PI_4 0x1.b839a252049c1p-104
#define TWO_OVER_PI 0x1.45f306dc9c883p-1
#define FAR_ANGLE R_(0x1.8p20) /* up to here n has 20 bits */

/* An angle as n quarter turns and a rest of at most an eighth. */
typedef struct angle {
  real hi, lo; /* the rest */
  bits quarter;
} angle;

/* Not where |x| > FAR_ANGLE. */
ALWAYS angle reduced(real x) {
  const double v = (double)x;
  const double n = (v * TWO_OVER_PI + 0x1.8p52) - 0x1.8p52;
  angle a;
#if MLPLK_REAL == 32
  const double r = (v - n * HALF_PI_1) - n * (HALF_PI_2 + HALF_PI_3);
  a.hi = (real)r;
  a.lo = (real)(r - (double)a.hi);
#else
  /* The first difference is exact, of the others the rounding is kept: a double may lie
     so close to a multiple of pi / 2 that most of its digits cancel. */
  const double r1 = v - n * HALF_PI_1;
  const double p2 = n * HALF_PI_2, r2 = r1 - p2, b2 = r1 - r2;
  const double e2 = (r1 - (r2 + b2)) + (b2 - p2);
  const double p3 = n * HALF_PI_3 - e2, r3 = r2 - p3, b3 = r2 - r3;
  const double e3 = ((r2 - (r3 + b3)) + (b3 - p3)) - n * HALF_PI_4;
  a.hi = r3 + e3;
  a.lo = (r3 - a.hi) + e3;
#endif
  a.quarter = bits_of((real)n + MAGIC);
  return a;
}

ALWAYS real sin_of_rest(angle a) {
  const real z = a.hi * a.hi;
#if MLPLK_REAL == 32 /* times z: 2^-28 */
  real q = 0x1.6db388p-19f;
  q = madd(q, z, -0x1.a01388p-13f);
  q = madd(q, z, 0x1.11110ep-7f);
  q = madd(q, z, -0x1.555556p-3f);
#else /* 2^-57 */
  real q = -0x1.ab0f25d21fd92p-41;
  q = madd(q, z, 0x1.6121703ee57b1p-33);
  q = madd(q, z, -0x1.ae64540000f84p-26);
  q = madd(q, z, 0x1.71de3a5455b9ap-19);
  q = madd(q, z, -0x1.a01a01a0198dep-13);
  q = madd(q, z, 0x1.111111111111p-7);
  q = madd(q, z, -0x1.5555555555555p-3);
#endif
  const real lo = madd(-z, R_(0.5) * a.lo, a.lo);
  return a.hi + madd(a.hi * z, q, lo);
}

ALWAYS real cos_of_rest(angle a) {
  const real z = a.hi * a.hi;
#if MLPLK_REAL == 32 /* times z^2: 2^-30 */
  real q = 0x1.9bcdc6p-16f;
  q = madd(q, z, -0x1.6c12bep-10f);
  q = madd(q, z, 0x1.555554p-5f);
#else /* 2^-60 */
  real q = 0x1.ab70a23137c25p-45;
  q = madd(q, z, -0x1.9394ace29bd7bp-37);
  q = madd(q, z, 0x1.1eed8de33ebep-29);
  q = madd(q, z, -0x1.27e4fb770e01dp-22);
  q = madd(q, z, 0x1.a01a01a019ce2p-16);
  q = madd(q, z, -0x1.6c16c16c16c16p-10);
  q = madd(q, z, 0x1.5555555555555p-5);
#endif
  const real half = R_(0.5) * z, w = R_(1.0) - half;
  return w + (((R_(1.0) - w) - half) + madd(z * z, q, -a.hi * a.lo));
}

/* The value that `quarter` quarter turns make of sine and cosine. */
ALWAYS real turned(real sine, real cosine, bits quarter) {
  const real y = quarter & 1 ? cosine : sine;
  return real_of(bits_of(y) ^ ((quarter & 2) << (MLPLK_REAL - 2)));
}

ALWAYS real sin_(real x) {
  const angle a = reduced(x);
  const real y = turned(sin_of_rest(a), cos_of_rest(a), a.quarter);
  return x == R_(0.0) ? x : y; /* the sign of a zero */
}

ALWAYS real cos_(real x) {
  const angle a = reduced(x);
  return turned(sin_of_rest(a), cos_of_rest(a), a.quarter + 1);
}

/* tan(r + pi / 2) = -1 / tan r */
ALWAYS real tan_(real x) {
  const angle a = reduced(x);
  const real s = sin_of_rest(a), c = cos_of_rest(a);
  const real y = (a.quarter & 1 ? -c : s) / (a.quarter & 1 ? s : c);
  return x == R_(0.0) ? x : y;
}

/* sin(pi x) / (pi x); turns are taken off exactly, so whole numbers give 0. */
ALWAYS real sinc_(real x) {
  const real m = R_(2.0) * (x - R_(2.0) * round_(R_(0.5) * x)); /* quarter turns */
  const real n = (m + MAGIC) - MAGIC, f = m - n;
  const real y = turned(sin_quarter(f), cos_quarter(f), bits_of(n + MAGIC));
  return x == R_(0.0) ? R_(1.0) : y / (PI_HI * x) + R_(0.0); /* 0, not -0 */
}

/* ---- inverses ---------------------------------------------------------------------- */

/* (atan t - t) / t^3 of z = t^2, |t| <= tan(pi / 8) */
ALWAYS real atan_tail(real z) {
#if MLPLK_REAL == 32 /* times z: 2^-28 */
  real q = -0x1.082f6cp-4f;
  q = madd(q, z, 0x1.b8099p-4f);
  q = madd(q, z, -0x1.241fe6p-3f);
  q = madd(q, z, 0x1.99972ep-3f);
  q = madd(q, z, -0x1.555554p-2f);
#else /* 2^-58 */
  real q = 0x1.0a997ba33c1dbp-6;
  q = madd(q, z, -0x1.1b1992aa413c9p-5);
  q = madd(q, z, 0x1.74d3a7b43351ap-5);
  q = madd(q, z, -0x1.ac7858539e493p-5);
  q = madd(q, z, 0x1.e199c62156609p-5);
  q = madd(q, z, -0x1.110e84aa36d9dp-4);
  q = madd(q, z, 0x1.3b1392a9c2d8bp-4);
  q = madd(q, z, -0x1.745d165c497f3p-4);
  q = madd(q, z, 0x1.c71c71c2fc236p-4);
  q = madd(q, z, -0x1.249249248d739p-3);
  q = madd(q, z, 0x1.9999999999952p-3);
  q = madd(q, z, -0x1.5555555555555p-2);
#endif
  return q;
}

#define TAN_PI_8 R_(0x1.a827999fcef32p-2)

/* atan(a / b) for 0 <= a <= b, b > 0: as it is, or from pi / 4 on by (a - b) / (a + b) */
ALWAYS real atan_of_ratio(real a, real b) {
  const int mid = a > TAN_PI_8 * b;
  const real t = (mid ? a - b : a) / (mid ? a + b : b);
  const real hi = mid ? HALF_PI_HI * R_(0.5) : R_(0.0);
  const real lo = mid ? HALF_PI_LO * R_(0.5) : R_(0.0);
  const real z = t * t;
  return hi + (t + madd(t * z, atan_tail(z), lo));
}

ALWAYS real atan_(real x) {
  const real size = absolute(x);
  const int big = size > R_(1.0);
  const real least = big ? R_(1.0) : size, most = big ? size : R_(1.0);
  const real finite = most > real_of(bits_of(R_(1.0)) + ((bits)100 << EXPONENT_SHIFT))
      ? real_of(bits_of(R_(1.0)) + ((bits)100 << EXPONENT_SHIFT))
      : most; /* 2^100 is as good as infinity, and 1 + 2^100 is finite */
  const real y = atan_of_ratio(least, finite);
  return with_sign(big ? HALF_PI_HI - (y - HALF_PI_LO) : y, x);
}

/* The angle of the point (x, y), C's rules for zeros and infinities. */
ALWAYS real atan2_(real y, real x) {
  const real infinity = (real)INFINITY, ax = absolute(x), ay = absolute(y);
  const int steep = !(ax > ay);
  real most = steep ? ay : ax, least = steep ? ax : ay;
  least = most == infinity ? (least == infinity ? R_(1.0) : least * R_(0.0)) : least;
  most = most == infinity || most == R_(0.0) ? R_(1.0) : most;
  const real large = real_of((bits)(2 * EXPONENT_BIAS - 2) << EXPONENT_SHIFT);
  const real scale = most > large ? R_(0.25) : R_(1.0); /* the sum stays finite */
  const real t = atan_of_ratio(least * scale, most * scale);
  const int turn = steep && ay != R_(0.0);
  const real first = turn ? HALF_PI_HI - (t - HALF_PI_LO) : t;
  const int left = (bits_of(x) >> (MLPLK_REAL - 1)) != 0;
  return with_sign(left ? PI_HI - (first - PI_LO) : first, y);
}

/* (asin t - t) / t^3 of z = t^2, |t| <= 1/2 */
ALWAYS real asin_tail(real z) {
#if MLPLK_REAL == 32 /* times z: 2^-29 */
  real q = 0x1.13fed4p-5f;
  q = madd(q, z, 0x1.18f91ep-6f);
  q = madd(q, z, 0x1.fd8da2p-6f);
  q = madd(q, z, 0x1.6d5bbap-5f);
  q = madd(q, z, 0x1.33343p-4f);
  q = madd(q, z, 0x1.555554p-3f);
#else /* 2^-57 */
  real q = 0x1.d72b2bc8155f8p-6;
  q = madd(q, z, -0x1.e6aaa8a0a04ccp-7);
  q = madd(q, z, 0x1.1d189408314eep-6);
  q = madd(q, z, 0x1.65a9c4dfcf8b2p-8);
  q = madd(q, z, 0x1.52420b04b37bep-7);
  q = madd(q, z, 0x1.782651caa6547p-7);
  q = madd(q, z, 0x1.c9cf07674736ap-7);
  q = madd(q, z, 0x1.1c4d35cf95421p-6);
  q = madd(q, z, 0x1.6e8bb1c8209a2p-6);
  q = madd(q, z, 0x1.f1c71c1db0623p-6);
  q = madd(q, z, 0x1.6db6db6e31f13p-5);
  q = madd(q, z, 0x1.3333333332ecap-4);
  q = madd(q, z, 0x1.5555555555556p-3);
#endif
  return q;
}

/* asin x = pi / 2 - 2 asin sqrt((1 - x) / 2) above 1/2 */
ALWAYS real asin_(real x) {
  const real size = absolute(x);
  const int big = size > R_(0.5);
  const real z = big ? R_(0.5) * (R_(1.0) - size) : size * size;
  const real s = big ? root(z) : size;
  const real tail = s * z * asin_tail(z);
  const real y = HALF_PI_HI - R_(2.0) * s - (R_(2.0) * tail - HALF_PI_LO);
  return with_sign(big ? y : s + tail, x);
}

ALWAYS real acos_(real x) {
  const real size = absolute(x);
  const int big = size > R_(0.5), left = x < R_(0.0);
  const real z = big ? R_(0.5) * (R_(1.0) - size) : size * size;
  const real s = big ? root(z) : x;
  const real tail = s * z * asin_tail(z);
  const real whole = big ? PI_HI : HALF_PI_HI, rest = big ? PI_LO : HALF_PI_LO;
  const real twice = big ? R_(2.0) : R_(1.0);
  const real y = whole - (twice * s - (rest - twice * tail));
  return big && !left ? R_(2.0) * (s + tail) : y;
}

#endif
