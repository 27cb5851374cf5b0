/*
** x^y, logarithm to base 10 and log gamma for one element. f32 goes by doubles, in straight
** lines, so that loops vectorise and nearly every result is the nearest float; f64 by the C
** library.
*/
#ifndef MLPLK_VWIDE_H
#define MLPLK_VWIDE_H

#include "kern/variants/vmath.h"

#if MLPLK_REAL == 32

ALWAYS uint64_t wide_bits(double x) {
  uint64_t b;
  memcpy(&b, &x, sizeof b);
  return b;
}

ALWAYS double wide_of(uint64_t b) {
  double x;
  memcpy(&x, &b, sizeof x);
  return x;
}

/* A positive normal number, as every positive float is here, as 2^k (1 + s) / (1 - s),
   between sqrt(1/2) and sqrt 2 without the power; logarithms are odd in s. */
typedef struct wide_parts {
  double k, s;
} wide_parts;

ALWAYS wide_parts wide_split(double x) {
  const uint64_t one = 0x3ff0000000000000, root_half = 0x3fe6a09e667f3bcd;
  const uint64_t b = wide_bits(x) + (one - root_half);
  const double m = wide_of((b & 0xfffffffffffff) + root_half);
  return (wide_parts){
      wide_of(0x4330000000000000 | b >> 52) - (0x1p52 + 1023), (m - 1) / (m + 1)};
}

/* 2^-45 */
ALWAYS double log2_wide(double x) {
  const wide_parts at = wide_split(x);
  const double s = at.s, z = s * s;
  double p = 0x1.21ad5109de006p-2;
  p = p * z + 0x1.479598ebd860ep-2;
  p = p * z + 0x1.a61a2d192efe6p-2;
  p = p * z + 0x1.2776c2957abb3p-1;
  p = p * z + 0x1.ec709dc53a55bp-1;
  p = p * z + 0x1.71547652b8252p+1;
  return at.k + s * p;
}

/* To the last digit. */
ALWAYS double log_wide(double x) {
  const wide_parts at = wide_split(x);
  const double s = at.s, z = s * s;
  double p = 0x1.2f4e6962ea1b6p-3;
  p = p * z + 0x1.3999a84163207p-3;
  p = p * z + 0x1.74669a3e87ab9p-3;
  p = p * z + 0x1.c71c4ffb8334dp-3;
  p = p * z + 0x1.249249451a49dp-2;
  p = p * z + 0x1.999999997ae2bp-2;
  p = p * z + 0x1.55555555555aep-1;
  p = p * z + 2;
  return at.k * 0x1.62e42fefa38p-1 + (at.k * 0x1.ef35793c7673p-45 + s * p);
}

/* 2^x, -1000 < x < 1000; 2^-34 */
ALWAYS double exp2_wide(double x) {
  const double turns = x + 0x1.8p52, r = x - (turns - 0x1.8p52);
  double p = 0x1.fde1044504208p-17;
  p = p * r + 0x1.4469d4ba6006ep-13;
  p = p * r + 0x1.5d8a9fd074d97p-10;
  p = p * r + 0x1.3b29dcb127f6bp-7;
  p = p * r + 0x1.c6b08a8081805p-5;
  p = p * r + 0x1.ebfbe0a416f44p-3;
  p = p * r + 0x1.62e42ff12cff3p-1;
  p = p * r + 1;
  return p * wide_of((wide_bits(turns) + 1023) << 52);
}

/* C's rules: x^0 and 1^y are 1 whatever the other is, and (-1)^y for an infinite y; a
   negative number has whole powers only, an odd one of them keeps its sign. */
ALWAYS real pow_(real x, real y) {
  const real infinity = (real)INFINITY, size = absolute(x), half = R_(0.5) * y;
  const int whole = trunc_(y) == y, odd = whole && trunc_(half) != half;
  const int is_one = x == R_(1.0) || y == R_(0.0) || (size == R_(1.0) && y == y);
  const int plain = size > R_(0.0) && size < infinity;
  const double edge = size == R_(0.0) ? -(double)infinity : (double)size; /* or NaN */
  double power = (plain ? log2_wide((double)(plain ? size : R_(1.0))) : edge) * (double)y;
  power = is_one ? 0 : power;
  power = power > 200 ? 200 : power; /* beyond any float: infinity */
  power = power < -200 ? -200 : power;
  const real value = (real)exp2_wide(power);
  const real turned = odd ? with_sign(value, x) : value;
  const real exact = y == R_(2.0) ? x * x : y == R_(1.0) ? x : turned;
  return x < R_(0.0) && size < infinity && !whole ? (real)NAN : exact;
}

ALWAYS real log10_(real x) {
  const real infinity = (real)INFINITY;
  const int plain = x > R_(0.0) && x < infinity;
  const double y = log2_wide((double)(plain ? x : R_(1.0))) * 0x1.34413509f79ffp-2;
  const real edge = x == R_(0.0) ? -infinity : x > R_(0.0) ? infinity : (real)NAN;
  return plain ? (real)y : edge;
}

/* |sin(pi x)|, |x| < 2^51 */
ALWAYS double sine_of_turns(double x) {
  const double r = x - ((x + 0x1.8p52) - 0x1.8p52), z = r * r;
  double p = 0x1.9d1b3e747fae1p-21;
  p = p * z - 0x1.6f7974c32ffe1p-16;
  p = p * z + 0x1.e8f35e8e4077cp-12;
  p = p * z - 0x1.e3074ddce95eep-8;
  p = p * z + 0x1.5078348518a8ep-4;
  p = p * z - 0x1.32d2cce627536p-1;
  p = p * z + 0x1.466bc6775aa6ep+1;
  p = p * z - 0x1.4abbce625be52p+2;
  p = p * z + 0x1.921fb54442d18p+1;
  return wide_of(wide_bits(r * p) & 0x7fffffffffffffff);
}

/* log |gamma z|, z >= 8: Stirling's series */
ALWAYS double stirling(double z) {
  const double w = 1 / z, u = w * w;
  double p = -0x1.e4286cb0f5398p-6;
  p = p * u + 0x1.a41a41a41a41ap-8;
  p = p * u - 0x1.f6ab0d9993c7dp-10;
  p = p * u + 0x1.b951e2b18ff23p-11;
  p = p * u - 0x1.3813813813814p-11;
  p = p * u + 0x1.a01a01a01a01ap-11;
  p = p * u - 0x1.6c16c16c16c17p-9;
  p = p * u + 0x1.5555555555555p-4;
  return (z - 0.5) * log_wide(z) - z + (0x1.d67f1c864beb5p-1 + w * p);
}

/* gamma t = gamma(t + 8) / (t (t + 1) ... (t + 7)); below 0 by reflection:
   gamma x gamma(1 - x) = pi / sin(pi x). A double has digits enough for the floats next to
   a root. */
ALWAYS real lgamma_(real x) {
  const real infinity = (real)INFINITY, size = absolute(x);
  const int below = x < R_(0.0), whole = (size >= R_(0x1p24)) | (trunc_(x) == x);
  const int pole = (x == R_(0.0)) | (below & whole) | (size == infinity);
  const double v = pole ? 1 : (double)x, t = v < 0 ? 1 - v : v, sine = sine_of_turns(v);
  const double rising = t * (t + 1) * (t + 2) * (t + 3) * (t + 4) * (t + 5) * (t + 6) *
      (t + 7);
  const double product = t < 8 ? rising : 1, z = t < 8 ? t + 8 : t;
  const double by = product * (v < 0 ? 0x1.921fb54442d18p+1 / sine : 1);
  const double y = stirling(z) - log_wide(by), value = v < 0 ? -y : y;
  const real exact = (x == R_(1.0)) | (x == R_(2.0)) ? 0 : (real)value;
  return pole ? infinity : exact;
}

#else

ALWAYS real log10_(real x) { return log10(x); } /* powers of ten are exact */
ALWAYS real lgamma_(real x) { return mlplk_lgamma(x); }

/* The commonest exponents need no call, and are what pow gives. */
ALWAYS real pow_(real x, real y) {
  if (y == R_(2.0)) return x * x;
  if (y == R_(1.0)) return x;
  return pow(x, y);
}

#endif
#endif
