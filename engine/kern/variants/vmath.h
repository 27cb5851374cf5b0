/*
** exp, log, tanh and so on for one element, written as straight lines without branches
** so that the compiler vectorises the loops that call them: bits move by memcpy,
** rounding to an integer is the addition of a large number, choices are selects.
**
** An element gets the same bits in the vector body and in the scalar tail of a loop,
** because nothing here is left to the compiler: the build forbids contraction, and
** where a fused multiply-add is wanted it is asked for by name. log and the sine pair
** use none, so that random numbers are the same bits on every instruction set.
**
** The polynomials are Chebyshev fits made for these intervals; each states its own
** error, and tests/c/elementwise.c measures the error of the whole function in ulps.
*/
#ifndef MLPLK_VMATH_H
#define MLPLK_VMATH_H

#include <math.h>
#include <string.h>

#include "kern/variants/variant.h"

#if MLPLK_REAL == 32
#define R_(c) c##f
typedef uint32_t bits;
#define EXPONENT_SHIFT 23
#define EXPONENT_BIAS 127u
#define MAGIC                                                                            \
  0x1.8p23f /* adding it rounds a small real to an integer, kept in the low bits */
#else
#define R_(c) c
typedef uint64_t bits;
#define EXPONENT_SHIFT 52
#define EXPONENT_BIAS 1023u
#define MAGIC 0x1.8p52
#endif

#define LOG2E R_(0x1.71547652b82fep+0)
#if MLPLK_REAL == 32 /* the high part times any exponent is exact */
#define LN2_HI 0x1.63p-1f
#define LN2_LO -0x1.bd0106p-13f
#else
#define LN2_HI 0x1.62e42fefa38p-1
#define LN2_LO 0x1.ef35793c7673p-45
#endif

/* Before a loop whose output may be the very array it reads: nothing is carried from one
   element to another. Without it, work in place would take the slow path. */
#if defined __clang__
#define NO_CARRY /* it has a like pragma, and warns where a loop does not vectorise */
#else
#define NO_CARRY _Pragma("GCC ivdep")
#endif

/* Every function of an element is inlined whatever its size: only then do loops that call it
   become vectors. */
#define ALWAYS static inline __attribute__((always_inline))

ALWAYS bits bits_of(real x) {
  bits b;
  memcpy(&b, &x, sizeof b);
  return b;
}

ALWAYS real real_of(bits b) {
  real x;
  memcpy(&x, &b, sizeof x);
  return x;
}

ALWAYS real absolute(real x) {
  return real_of(bits_of(x) & ~((bits)1 << (MLPLK_REAL - 1)));
}

/* |x| with the sign of y. */
ALWAYS real with_sign(real x, real y) {
  const bits sign = (bits)1 << (MLPLK_REAL - 1);
  return real_of((bits_of(x) & ~sign) | (bits_of(y) & sign));
}

ALWAYS real root(real x) {
#if MLPLK_REAL == 32
  return sqrtf(x);
#else
  return sqrt(x);
#endif
}

/* 2^n for an integer n in the range of normal exponents, given n + MAGIC. */
ALWAYS real power_of_two(real n_plus_magic) {
  return real_of((bits_of(n_plus_magic) + EXPONENT_BIAS) << EXPONENT_SHIFT);
}

/* (e^r - 1 - r) / r^2 for |r| <= ln2 / 2; times r^2 its error is 2^-27 (f32), 2^-56
   (f64). */
ALWAYS real exp_tail(real r) {
#if MLPLK_REAL == 32
  real q = 0x1.6d113cp-10f;
  q = madd(q, r, 0x1.120ba2p-7f);
  q = madd(q, r, 0x1.55551ap-5f);
  q = madd(q, r, 0x1.5554dcp-3f);
  q = madd(q, r, 0x1p-1f);
#else
  real q = 0x1.af38d53857513p-26;
  q = madd(q, r, 0x1.2891a8c1d838dp-22);
  q = madd(q, r, 0x1.71de0d9c145dp-19);
  q = madd(q, r, 0x1.a019b8ef67c6cp-16);
  q = madd(q, r, 0x1.a01a01a7c8d47p-13);
  q = madd(q, r, 0x1.6c16c17893833p-10);
  q = madd(q, r, 0x1.11111111109adp-7);
  q = madd(q, r, 0x1.5555555553d4fp-5);
  q = madd(q, r, 0x1.5555555555556p-3);
  q = madd(q, r, 0x1.0000000000001p-1);
#endif
  return q;
}

/* e^r - 1 */
ALWAYS real expm1_near_0(real r) { return madd(r * r, exp_tail(r), r); }

/* e^r = s + (what rounding took from s = 1 + r) + r^2 q: only the last addition
   rounds. */
ALWAYS real exp_near_0(real r) {
  const real s = R_(1.0) + r;
  return s + madd(r * r, exp_tail(r), (R_(1.0) - s) + r);
}

/* e^x = 2^n e^r. The power of two is applied in two halves: the first product is
   exact, so a subnormal result is rounded once and an overflow gives infinity. */
ALWAYS real exp_(real x) {
  const real top = MLPLK_REAL == 32 ? R_(104.0) : R_(745.5);
  const real bottom = MLPLK_REAL == 32 ? R_(-104.0) : R_(-745.5);
  x = x > top ? top : x;
  x = x < bottom ? bottom : x;
  const real n = (x * LOG2E + MAGIC) - MAGIC;
  const real r = madd(n, -LN2_LO, madd(n, -LN2_HI, x));
  const real half = n * R_(0.5) + MAGIC;
  const real rest = (n - (half - MAGIC)) + MAGIC;
  return exp_near_0(r) * power_of_two(half) * power_of_two(rest);
}

/* e^x - 1 for x <= 0 (anything for x > 0, NaN for NaN); keeps the relative precision
   of a tiny x. */
ALWAYS real expm1_of_negative(real x) {
  const real bottom = MLPLK_REAL == 32 ? R_(-30.0) : R_(-45.0); /* -1 from here down */
  x = x < bottom ? bottom : x;
  const real t = x * LOG2E + MAGIC;
  const real n = t - MAGIC;
  const real r = madd(n, -LN2_LO, madd(n, -LN2_HI, x));
  const real scale = power_of_two(t);
  return madd(scale, expm1_near_0(r), scale - R_(1.0));
}

/* x = 2^k (1 + f), sqrt(1/2) <= 1 + f < sqrt(2), and with s = f / (2 + f)
   log(1 + f) = f - (f^2/2 - tail), tail = s (f^2/2 + z R(z)), z = s^2: fdlibm's
   arrangement. */
typedef struct log_parts {
  real k, f, tail;
} log_parts;

ALWAYS log_parts log_split(real x) {
  const bits one = bits_of(R_(1.0)), root_half = bits_of(R_(0x1.6a09e667f3bcdp-1));
  const real smallest = real_of((bits)1 << EXPONENT_SHIFT);
  const real lift = real_of((bits)(EXPONENT_BIAS + EXPONENT_SHIFT) << EXPONENT_SHIFT);
  const int subnormal = x < smallest;
  const bits b = bits_of(subnormal ? x * lift : x) + (one - root_half);
  const real f = real_of((b & (((bits)1 << EXPONENT_SHIFT) - 1)) + root_half) - R_(1.0);
  /* exponent to real: put it in the low bits of 2^shift */
  const real two_to_shift = lift;
  const real biased = real_of(bits_of(two_to_shift) | (b >> EXPONENT_SHIFT)) -
      two_to_shift;
  const real k = biased -
      (subnormal ? (real)(EXPONENT_BIAS + EXPONENT_SHIFT) : (real)EXPONENT_BIAS);
  const real s = f / (R_(2.0) + f);
  const real z = s * s;
#if MLPLK_REAL == 32
  real R = 0x1.2ee76cp-2f;
  R = R * z + 0x1.997c28p-2f;
  R = R * z + 0x1.55555cp-1f;
#else
  real R = 0x1.2b5bd9a316a24p-3;
  R = R * z + 0x1.39fe16ad885a7p-3;
  R = R * z + 0x1.7462b6e311a89p-3;
  R = R * z + 0x1.c71c62ddb431bp-3;
  R = R * z + 0x1.2492492df7663p-2;
  R = R * z + 0x1.99999999952abp-2;
  R = R * z + 0x1.5555555555558p-1;
#endif
  return (log_parts){k, f, s * (R_(0.5) * f * f + z * R)};
}

ALWAYS real log_(real x) {
  const log_parts p = log_split(x);
  const real half_f2 = R_(0.5) * p.f * p.f;
  const real y = p.k * LN2_HI - ((half_f2 - (p.tail + p.k * LN2_LO)) - p.f);
  const real infinity = (real)INFINITY;
  const real at_edge = x == R_(0.0) ? -infinity : (real)NAN;
  const real positive = x < infinity ? y : infinity;
  return x > R_(0.0) ? positive : at_edge;
}

/* log(1 + f) for 0 <= f <= 1, as above without the reduction: z <= 1/9. */
ALWAYS real log1p_to_1(real f) {
  const real s = f / (R_(2.0) + f);
  const real z = s * s;
#if MLPLK_REAL == 32
  real R = 0x1.dba26p-3f;
  R = madd(R, z, 0x1.bc8cf8p-3f);
  R = madd(R, z, 0x1.24c926p-2f);
  R = madd(R, z, 0x1.9998d4p-2f);
  R = madd(R, z, 0x1.555556p-1f);
#else
  real R = 0x1.401d3e65cdc48p-3;
  R = madd(R, z, 0x1.32e0d25c9c761p-4);
  R = madd(R, z, 0x1.bc37f0140c19ep-4);
  R = madd(R, z, 0x1.e0a2d581ab68fp-4);
  R = madd(R, z, 0x1.111abdc8abe16p-3);
  R = madd(R, z, 0x1.3b13515f6f9efp-3);
  R = madd(R, z, 0x1.745d19937b1fcp-3);
  R = madd(R, z, 0x1.c71c71bedea97p-3);
  R = madd(R, z, 0x1.2492492499d46p-2);
  R = madd(R, z, 0x1.9999999999944p-2);
  R = madd(R, z, 0x1.5555555555555p-1);
#endif
  return f - s * (f - z * R);
}

/* Neither side overflows: e^-|x| is at most 1. The rounding of 1 + e shows where e /
   (1 + e) has finer ulps than e, so it is taken out again: with q = a / (1 + e)
   nearly, a - q is exact, and a - q - q e is what is missing, times 1 + e. */
ALWAYS real sigmoid_(real x) {
  const real e = exp_(-absolute(x));
  const real a = x >= R_(0.0) ? R_(1.0) : e;
  const real q = a / (R_(1.0) + e);
  const real inverse = x >= R_(0.0) ? q : R_(1.0) - q;
  return madd(madd(-q, e, a - q), inverse, q);
}

/* Near 0 a polynomial, else 1 - 2 u / (1 + u) with u = e^(-2|x|), from a place where
   that no longer loses digits. */
ALWAYS real tanh_near_0(real x) {
  const real z = x * x;
#if MLPLK_REAL == 32
  real q = -0x1.b129e4p-8f;
  q = madd(q, z, 0x1.5d208cp-6f);
  q = madd(q, z, -0x1.b9a024p-5f);
  q = madd(q, z, 0x1.110feap-3f);
  q = madd(q, z, -0x1.555554p-2f);
#else
  real q = -0x1.5994516c11001p-16;
  q = madd(q, z, 0x1.64f66121b4598p-14);
  q = madd(q, z, -0x1.ec0e6275488c3p-13);
  q = madd(q, z, 0x1.34c5799c14e7ep-11);
  q = madd(q, z, -0x1.7d97cb0b56c54p-10);
  q = madd(q, z, 0x1.d6d338e6d0502p-9);
  q = madd(q, z, -0x1.226e32ee99e8p-7);
  q = madd(q, z, 0x1.664f48770b2bdp-6);
  q = madd(q, z, -0x1.ba1ba1b9feb1bp-5);
  q = madd(q, z, 0x1.1111111111031p-3);
  q = madd(q, z, -0x1.5555555555555p-2);
#endif
  return madd(x * z, q, x);
}

ALWAYS real tanh_(real x) {
  const real size = absolute(x);
  const real far = R_(-2.0) * (size > R_(20.0) ? R_(20.0) : size);
  const real t = far * LOG2E + MAGIC;
  const real n = t - MAGIC;
  const real u = exp_near_0(madd(n, -LN2_LO, madd(n, -LN2_HI, far))) * power_of_two(t);
  const real y = R_(1.0) - (u + u) / (R_(1.0) + u);
  return with_sign(size < R_(0.55) ? tanh_near_0(size) : y, x);
}

/* log sigmoid x = min(0, x) - log(1 + e^-|x|); the terms are added in the order that
   keeps the tail of a confident right answer. */
ALWAYS real bce_logits_(real x, real y) {
  const real tail = log1p_to_1(exp_(-absolute(x)));
  return ((R_(1.0) - y) * x - (x < R_(0.0) ? x : R_(0.0))) + tail;
}

/* sin and cos of f quarter turns, |f| <= 1/2. */
ALWAYS real sin_quarter(real f) {
  const real z = f * f;
#if MLPLK_REAL == 32
  real q = -0x1.2d9b4p-8f;
  q = q * z + 0x1.465ec4p-4f;
  q = q * z - 0x1.4abbbap-1f;
  q = q * z + 0x1.921fb6p+0f;
#else
  real q = -0x1.6c5b875d4e739p-31;
  q = q * z + 0x1.e8eed12ee00a3p-25;
  q = q * z - 0x1.e3074b4ff3058p-19;
  q = q * z + 0x1.50783485cbd83p-13;
  q = q * z - 0x1.32d2cce62ac22p-8;
  q = q * z + 0x1.466bc6775aad9p-4;
  q = q * z - 0x1.4abbce625be53p-1;
  q = q * z + 0x1.921fb54442d18p+0;
#endif
  return q * f;
}

ALWAYS real cos_quarter(real f) {
  const real z = f * f;
#if MLPLK_REAL == 32
  real q = 0x1.d9c2e8p-11f;
  q = q * z - 0x1.55c57ap-6f;
  q = q * z + 0x1.03c1dcp-2f;
  q = q * z - 0x1.3bd3ccp+0f;
#else
  real q = -0x1.b264ba152378ap-28;
  q = q * z + 0x1.f9cc41140bb6p-22;
  q = q * z - 0x1.a6d1ec7906c2p-16;
  q = q * z + 0x1.e1f5068355e15p-11;
  q = q * z - 0x1.55d3c7e3c90f8p-6;
  q = q * z + 0x1.03c1f081b5aacp-2;
  q = q * z - 0x1.3bd3cc9be45dep+0;
#endif
  return q * z + R_(1.0);
}

/* ---- whole numbers ----------------------------------------------------------------- */

/* to the nearest whole number, the even one of two */
ALWAYS real round_(real x) {
  const real size = absolute(x);
  const real whole = MLPLK_REAL == 32 ? R_(0x1p23) : R_(0x1p52);
  return with_sign(size < whole ? (size + whole) - whole : size, x);
}

ALWAYS real trunc_(real x) {
  const real size = absolute(x), near = absolute(round_(x));
  return with_sign(near > size ? near - R_(1.0) : near, x);
}

ALWAYS real floor_(real x) {
  const real near = round_(x);
  return with_sign(near > x ? near - R_(1.0) : near, x);
}

ALWAYS real ceil_(real x) {
  const real near = round_(x);
  return with_sign(near < x ? near + R_(1.0) : near, x);
}

#endif
