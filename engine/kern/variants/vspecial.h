/*
** Exponential, hyperbolic and error functions and what activations are made of, for one
** element, in the manner of vmath.h. The polynomials are Chebyshev fits, each with its
** own error.
*/
#ifndef MLPLK_VSPECIAL_H
#define MLPLK_VSPECIAL_H

#include "kern/variants/vmath.h"

#define LN2 R_(0x1.62e42fefa39efp-1)

/* (e^x - 1) / 4: the quarter leaves room where e^x is near the largest number. */
ALWAYS real quarter_of_expm1(real x) {
  const real top = MLPLK_REAL == 32 ? R_(89.5) : R_(710.6);
  const real bottom = MLPLK_REAL == 32 ? R_(-30.0) : R_(-45.0); /* -1 from here down */
  x = x > top ? top : x;
  x = x < bottom ? bottom : x;
  const real t = x * LOG2E + MAGIC;
  const real n = t - MAGIC;
  const real r = madd(n, -LN2_LO, madd(n, -LN2_HI, x));
  const real scale = power_of_two(t - R_(2.0));
  return madd(scale, expm1_near_0(r), scale - R_(0.25));
}

ALWAYS real expm1_(real x) {
  /* a subnormal quarter would lose digits: x itself is right there */
  const real tiny = real_of((bits)(EXPONENT_SHIFT + 5) << EXPONENT_SHIFT);
  return absolute(x) < tiny ? x : R_(4.0) * quarter_of_expm1(x);
}

/* With q = (e^|x| - 1) / 4 and E = e^|x| = 4 q + 1: sinh = 2 q + 2 q / E, cosh =
   2 q + 1/2 + 1 / (2 E). */
ALWAYS real sinh_(real x) {
  const real tiny = real_of((bits)(EXPONENT_SHIFT + 5) << EXPONENT_SHIFT);
  const real size = absolute(x), q = quarter_of_expm1(size);
  const real y = R_(2.0) * (q + q / (R_(4.0) * q + R_(1.0)));
  return with_sign(size < tiny ? size : y, x);
}

ALWAYS real cosh_(real x) {
  const real q = quarter_of_expm1(absolute(x));
  return R_(2.0) * (q + (R_(0.25) + R_(0.25) / (R_(4.0) * q + R_(1.0))));
}

/* 2^x = 2^n e^(r ln 2), as exp_. */
ALWAYS real exp2_(real x) {
  const real top = MLPLK_REAL == 32 ? R_(130.0) : R_(1026.0);
  const real bottom = MLPLK_REAL == 32 ? R_(-152.0) : R_(-1080.0);
  x = x > top ? top : x;
  x = x < bottom ? bottom : x;
  const real n = (x + MAGIC) - MAGIC;
  const real half = n * R_(0.5) + MAGIC;
  const real rest = (n - (half - MAGIC)) + MAGIC;
  return exp_near_0((x - n) * LN2) * power_of_two(half) * power_of_two(rest);
}

/* The exponent is added last, so powers of two are exact. */
ALWAYS real log2_(real x) {
  const real infinity = (real)INFINITY;
  const log_parts p = log_split(x);
  const real y = (p.f - (R_(0.5) * p.f * p.f - p.tail)) * LOG2E + p.k;
  const real at_edge = x == R_(0.0) ? -infinity : (real)NAN;
  const real positive = x < infinity ? y : infinity;
  return x > R_(0.0) ? positive : at_edge;
}

/* log(1 + x) = log u + (1 + x - u) / u with u = 1 + x rounded */
ALWAYS real log1p_(real x) {
  const real u = R_(1.0) + x;
  const real lost = x - (u - R_(1.0));
  const int plain = u > R_(0.0) && u < (real)INFINITY;
  const real y = log_(u) + (plain ? lost / u : R_(0.0));
  return x == R_(0.0) ? x : y; /* the sign of a zero */
}

/* From here on a square root of x^2 +- 1 is x. */
#define FAR_AREA (MLPLK_REAL == 32 ? R_(0x1p26) : R_(0x1p55))

/* a + a^2 / (1 + sqrt(1 + a^2)) is what e^y exceeds 1 by; far away e^y is 2 a. */
ALWAYS real asinh_(real x) {
  const real size = absolute(x);
  const int far = size > FAR_AREA;
  const real a = far ? R_(1.0) : size;
  const real more = a + a * a / (R_(1.0) + root(R_(1.0) + a * a));
  return with_sign(log1p_(far ? size : more) + (far ? LN2 : R_(0.0)), x);
}

ALWAYS real acosh_(real x) {
  const int far = x > FAR_AREA;
  const real t = (far ? R_(1.0) : x) - R_(1.0);
  const real y = log1p_(far ? x : t + root(t * (R_(2.0) + t))) + (far ? LN2 : R_(0.0));
  return x < R_(1.0) ? (real)NAN : y;
}

ALWAYS real atanh_(real x) {
  const real size = absolute(x);
  const real y = R_(0.5) * log1p_((size + size) / (R_(1.0) - size));
  return with_sign(size < R_(0x1p-60) ? size : y, x);
}

/* ---- error function ---------------------------------------------------------------- */

/* x + x E(x^2) below 1, else 1 - e^(P - x^2), P a polynomial in 1 / (x + 6). */
ALWAYS real erf_(real x) {
  const real size = absolute(x);
  const real z = size * size;
#if MLPLK_REAL == 32 /* E: 2^-27; P times erfc: 2^-27 */
  real q = 0x1.4a569p-14f;
  q = madd(q, z, -0x1.a45088p-11f);
  q = madd(q, z, 0x1.54127p-8f);
  q = madd(q, z, -0x1.b7fabap-6f);
  q = madd(q, z, 0x1.ce2d1p-4f);
  q = madd(q, z, -0x1.81273ep-2f);
  q = madd(q, z, 0x1.06eba8p-3f);
  const real far = size > 4.0f ? 4.0f : size;
  const real t = 0x1.755556p+5f / (far + 6.0f) - 0x1.6aaaaap+2f;
  real p = -0x1.575804p-18f;
  p = madd(p, t, -0x1.1498b4p-15f);
  p = madd(p, t, 0x1.562e8p-16f);
  p = madd(p, t, 0x1.1c1058p-11f);
  p = madd(p, t, 0x1.40d2fap-7f);
  p = madd(p, t, 0x1.489d06p-5f);
  p = madd(p, t, 0x1.1e59fep-1f);
  p = madd(p, t, -0x1.7595a6p+0f);
#else /* E: 2^-56; P times erfc: 2^-57 */
  real q = 0x1.05ffd737fb32ep-34;
  q = madd(q, z, -0x1.389d4f2641625p-30);
  q = madd(q, z, 0x1.f7b4bf3b13964p-27);
  q = madd(q, z, -0x1.5f1ecb6f0764cp-23);
  q = madd(q, z, 0x1.b9df224ca4b97p-20);
  q = madd(q, z, -0x1.f4d1e3183f7aep-17);
  q = madd(q, z, 0x1.f9a321d5b8e1ep-14);
  q = madd(q, z, -0x1.c02db3dac435fp-11);
  q = madd(q, z, 0x1.565bcd0dbaa38p-8);
  q = madd(q, z, -0x1.b82ce31284ep-6);
  q = madd(q, z, 0x1.ce2f21a042b3p-4);
  q = madd(q, z, -0x1.812746b0379e6p-2);
  q = madd(q, z, 0x1.06eba8214db69p-3);
  const real far = size > 6.0 ? 6.0 : size;
  const real t = 0x1.0cccccccccccdp+5 / (far + 6.0) - 0x1.e666666666666p+1;
  real p = 0x1.02e4b30a4568fp-36;
  p = madd(p, t, 0x1.ab16f84a86979p-35);
  p = madd(p, t, -0x1.76920a0c22e5dp-33);
  p = madd(p, t, -0x1.cca5289eac30ep-31);
  p = madd(p, t, -0x1.ba45b94dc178ap-29);
  p = madd(p, t, 0x1.0edca9967a021p-29);
  p = madd(p, t, 0x1.c998d0a84d939p-26);
  p = madd(p, t, 0x1.dddda1cb0a529p-23);
  p = madd(p, t, 0x1.1ea7956f17483p-22);
  p = madd(p, t, 0x1.9ff637ec3e682p-23);
  p = madd(p, t, -0x1.8ac69567ab8c1p-17);
  p = madd(p, t, -0x1.e16a8fce05422p-16);
  p = madd(p, t, -0x1.333bd6bcd20d6p-13);
  p = madd(p, t, 0x1.b1c76a9e8a024p-12);
  p = madd(p, t, 0x1.ac322a0000a77p-10);
  p = madd(p, t, 0x1.8ba86c41dc930p-6);
  p = madd(p, t, 0x1.ccceac1e43a4ep-5);
  p = madd(p, t, 0x1.7a9852b7d936cp-1);
  p = madd(p, t, -0x1.abdaf3c96bc7fp+0);
#endif
  const real outer = R_(1.0) - exp_(p - far * far);
  return with_sign(size < R_(1.0) ? madd(size, q, size) : outer, x);
}

/* ---- two numbers ------------------------------------------------------------------- */

/* sqrt(x^2 + y^2); both are brought near 1 by a power of two. An infinity wins over
   NaN. */
ALWAYS real hypot_(real x, real y) {
  const bits exponents = ((bits)2 * EXPONENT_BIAS + 1) << EXPONENT_SHIFT;
  const real infinity = (real)INFINITY, ax = absolute(x), ay = absolute(y);
  const real most = ax > ay ? ax : ay;
  bits e = bits_of(most) & exponents;
  const bits least = (bits)1 << EXPONENT_SHIFT, last = exponents - 2 * least;
  e = e < least ? least : e;
  e = e > last ? last : e;
  const real down = real_of(exponents - least - e), up = real_of(e);
  const real u = ax * down, v = ay * down;
  const real length = root(u * u + v * v) * up;
  return ax == infinity || ay == infinity ? infinity : length;
}

/* log(e^x + e^y) */
ALWAYS real logaddexp_(real x, real y) {
  const real most = x > y ? x : y;
  const real sum = most + log1p_to_1(exp_(-absolute(x - y)));
  return x == y ? x + LN2 : x != x ? x : sum; /* infinities, too */
}

ALWAYS real xlogy_(real x, real y) {
  const real product = x * log_(y);
  return x == R_(0.0) && y == y ? R_(0.0) : product;
}

/* ---- activations ------------------------------------------------------------------- */

#define SQRT_HALF R_(0x1.6a09e667f3bcdp-1)
#define SQRT_2_OVER_PI R_(0x1.9884533d43651p-1)
#define GELU_CUBE R_(0.044715)

/* Of the normal distribution: e^(-x^2 / 2), and the chance of a number up to x. */
typedef struct normal_at {
  real bell, below;
} normal_at;

/* The chance of a number above |x| is e^(-x^2 / 2) P, P a polynomial in (|x| - c) / (|x| + c):
   no digits are lost in the tail. What rounding took from x^2 goes into the exponent,
   and a power of two below the normal numbers is 0. */
ALWAYS normal_at normal(real x) {
  const real size = absolute(x);
  const real reach = MLPLK_REAL == 32 ? R_(13.26) : R_(37.66); /* the bell is 0 there */
  const real t = size > reach ? reach : size;
  const real square = t * t, lost = madd(t, t, -square);
#if MLPLK_REAL == 32 /* 2^-27 */
  const real w = 1.0f - 6.0f / (t + 3.0f);
  real p = 0x1.c6e8d6p-15f;
  p = madd(p, w, 0x1.e74298p-14f);
  p = madd(p, w, -0x1.646fb8p-12f);
  p = madd(p, w, -0x1.02069p-10f);
  p = madd(p, w, 0x1.7cb912p-9f);
  p = madd(p, w, 0x1.91e16ep-8f);
  p = madd(p, w, -0x1.7a9456p-5f);
  p = madd(p, w, 0x1.f8baccp-4f);
  p = madd(p, w, -0x1.a6b66ap-3f);
  p = madd(p, w, 0x1.f1b89cp-4f);
#else /* 2^-57 */
  const real w = 1.0 - 10.0 / (t + 5.0);
  real p = -0x1.0113e4600557ep-32;
  p = madd(p, w, -0x1.3a8e2354b0b1bp-31);
  p = madd(p, w, 0x1.f7e0c2bdd7bdfp-30);
  p = madd(p, w, 0x1.8797bf9316079p-28);
  p = madd(p, w, -0x1.7a2f48962f86bp-27);
  p = madd(p, w, -0x1.50936d8fdc572p-25);
  p = madd(p, w, 0x1.4b37b4db70dcbp-24);
  p = madd(p, w, 0x1.054e37785242fp-22);
  p = madd(p, w, -0x1.6a6ee30920decp-21);
  p = madd(p, w, -0x1.54ef704505a5fp-20);
  p = madd(p, w, 0x1.bde652f8675d5p-18);
  p = madd(p, w, 0x1.020ca182a52b7p-20);
  p = madd(p, w, -0x1.fae708475841ap-15);
  p = madd(p, w, 0x1.199954bdf1b04p-13);
  p = madd(p, w, 0x1.cc6e67a0083c7p-13);
  p = madd(p, w, -0x1.37ccc56d7e3d7p-9);
  p = madd(p, w, 0x1.26a1153b00c69p-7);
  p = madd(p, w, -0x1.7f9d04377437ap-6);
  p = madd(p, w, 0x1.8807f29ff864bp-5);
  p = madd(p, w, -0x1.4b4ce479f83cp-4);
  p = madd(p, w, 0x1.db6af8722ce49p-4);
  p = madd(p, w, -0x1.25cd1321c8cb5p-3);
  p = madd(p, w, 0x1.3b0fbcb4c77bep-4);
#endif
  const real y = R_(-0.5) * square;
  const real turns = y * LOG2E + MAGIC, n = turns - MAGIC;
  const real r = madd(lost, R_(-0.5), madd(n, -LN2_LO, madd(n, -LN2_HI, y)));
  const real bell = (R_(1.0) + expm1_near_0(r)) * power_of_two(turns);
  const real above = bell * p;
  return (normal_at){bell, x > R_(0.0) ? R_(1.0) - above : above};
}

ALWAYS real gelu_(real x) { return x * normal(x).below; }

/* Phi(x) + x phi(x) */
ALWAYS real gelu_slope(real x) {
  const normal_at at = normal(x);
  return madd(R_(0.5) * SQRT_2_OVER_PI * x, at.bell, at.below);
}

ALWAYS real gelu_tanh_(real x) {
  const real t = tanh_(SQRT_2_OVER_PI * (x + GELU_CUBE * (x * x * x)));
  return R_(0.5) * x * (R_(1.0) + t);
}

ALWAYS real gelu_tanh_slope(real x) {
  const real z = x * x;
  const real t = tanh_(SQRT_2_OVER_PI * (x + GELU_CUBE * (x * z)));
  const real inner = SQRT_2_OVER_PI * (R_(1.0) + R_(3.0) * GELU_CUBE * z);
  return R_(0.5) * (R_(1.0) + t) + R_(0.5) * x * (R_(1.0) - t * t) * inner;
}

ALWAYS real silu_slope(real x) {
  const real s = sigmoid_(x);
  return s * (R_(1.0) + x * (R_(1.0) - s));
}

/* log(1 + e^x) */
ALWAYS real softplus_(real x) {
  return (x < R_(0.0) ? R_(0.0) : x) + log1p_to_1(exp_(-absolute(x)));
}

ALWAYS real logsigmoid_(real x) {
  return (x > R_(0.0) ? R_(0.0) : x) - log1p_to_1(exp_(-absolute(x)));
}

/* tanh log(1 + e) = n / (n + 2) with n = e (e + 2), e = e^x; 1 from e^20 on. */
ALWAYS real mish_(real x) {
  const real e = exp_(x > R_(20.0) ? R_(20.0) : x);
  const real n = e * (e + R_(2.0));
  return x * (n / (n + R_(2.0)));
}

ALWAYS real mish_slope(real x) {
  const real most = x > R_(20.0) ? R_(20.0) : x;
  const real e = exp_(most);
  const real n = e * (e + R_(2.0)), d = n + R_(2.0);
  return n / d + most * (R_(4.0) * e * (e + R_(1.0)) / (d * d));
}

#endif
