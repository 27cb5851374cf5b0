/*
** x^y for one element. f32 goes by doubles, in straight lines, so that loops vectorise and
** nearly every result is the nearest float; f64 by the C library.
*/
#ifndef MLPLK_VPOW_H
#define MLPLK_VPOW_H

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

/* log2 x of a positive normal number, as every positive float is here: x = 2^k m,
   sqrt(1/2) <= m < sqrt 2, log2 m an odd polynomial in (m - 1) / (m + 1); 2^-45. */
ALWAYS double log2_wide(double x) {
  const uint64_t one = 0x3ff0000000000000, root_half = 0x3fe6a09e667f3bcd;
  const uint64_t b = wide_bits(x) + (one - root_half);
  const double k = wide_of(0x4330000000000000 | b >> 52) - (0x1p52 + 1023);
  const double m = wide_of((b & 0xfffffffffffff) + root_half);
  const double s = (m - 1) / (m + 1), z = s * s;
  double p = 0x1.21ad5109de006p-2;
  p = p * z + 0x1.479598ebd860ep-2;
  p = p * z + 0x1.a61a2d192efe6p-2;
  p = p * z + 0x1.2776c2957abb3p-1;
  p = p * z + 0x1.ec709dc53a55bp-1;
  p = p * z + 0x1.71547652b8252p+1;
  return k + s * p;
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

#else

/* The commonest exponents need no call, and are what pow gives. */
ALWAYS real pow_(real x, real y) {
  if (y == R_(2.0)) return x * x;
  if (y == R_(1.0)) return x;
  return pow(x, y);
}

#endif
#endif
