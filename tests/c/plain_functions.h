/*
** Plain functions of one, two and three numbers for the comparison of table.c: the C
** library in double, and formulas as they are written in books.
*/
#ifndef TEST_PLAIN_FUNCTIONS_H
#define TEST_PLAIN_FUNCTIONS_H

#include "op_cases.h"

#include <float.h>

#define PLAIN_PI 3.14159265358979323846

static inline double plain_clamp(double x, double lo, double hi) {
  x = x < lo ? lo : x;
  return x > hi ? hi : x;
}

static inline double plain_sigmoid(double x) { return 1 / (1 + exp(-x)); }

static inline double plain_softplus(double x) {
  return fmax(x, 0) + log1p(exp(-fabs(x)));
}

/* The inverse of an increasing function on [-8, 8] by halving. */
static inline double plain_inverse(double (*f)(double), double y) {
  double lo = -8, hi = 8;
  for (int i = 0; i < 200; i++) {
    const double mid = (lo + hi) / 2;
    if (f(mid) < y) lo = mid;
    else hi = mid;
  }
  return (lo + hi) / 2;
}

/* pi^n times the integral over t from 0 to 1 of t^n cos(pi x t + n pi / 2), by Simpson; the
   quarter turns are made of signs, so that the small results near 0 are exact, too. */
static inline double plain_sinc_slope(int n, double x) {
  const double pi = 3.14159265358979323846;
  long double sum = 0;
  for (int i = 0; i <= 16000; i++) {
    const double t = i / 16000.0, z = pi * x * t, y = n % 2 ? -sin(z) : cos(z);
    sum += (n % 4 < 2 ? y : -y) * pow(t, n) * (i == 0 || i == 16000 ? 1 : i % 2 ? 4 : 2);
  }
  return pow(pi, n) * (double)sum / 48000;
}

/* Derivative n + 1 of log gamma: 500 terms of its series, the smallest first, and an
   integral with corrections for the rest. */
static inline double plain_polygamma(int n, double x) {
  const int terms = 500;
  const long double end = x + terms;
  long double sum = 0, factorial = 1;
  if (n == 0) {
    sum = logl(end) - 1 / (2 * end) - 1 / (12 * end * end) + 1 / (120 * powl(end, 4));
    for (int k = terms - 1; k >= 0; k--) sum -= 1 / ((long double)x + k);
    return (double)sum;
  }
  for (int i = 2; i <= n; i++) factorial *= i;
  sum = powl(end, -n) / n + powl(end, -n - 1) / 2 + (n + 1) * powl(end, -n - 2) / 12 -
      (n + 1) * (n + 2) * (n + 3) * powl(end, -n - 4) / 720;
  for (int k = terms - 1; k >= 0; k--) sum += powl((long double)x + k, -n - 1);
  return (double)((n % 2 ? 1 : -1) * factorial * sum);
}

static inline double plain_gelu(int64_t by_tanh, double x) {
  const double k = sqrt(2 / PLAIN_PI);
  if (by_tanh) return x / 2 * (1 + tanh(k * (x + 0.044715 * x * x * x)));
  return x / 2 * (1 + erf(x / sqrt(2)));
}

static inline bool plain_function(
    mlpli_op_id id, const mlpl_value *p, double x, double *y) {
  switch (id) {
  case MLPLI_OP_SIN: *y = sin(x); return true;
  case MLPLI_OP_COS: *y = cos(x); return true;
  case MLPLI_OP_TAN: *y = tan(x); return true;
  case MLPLI_OP_ASIN: *y = asin(x); return true;
  case MLPLI_OP_ACOS: *y = acos(x); return true;
  case MLPLI_OP_ATAN: *y = atan(x); return true;
  case MLPLI_OP_SINH: *y = sinh(x); return true;
  case MLPLI_OP_COSH: *y = cosh(x); return true;
  case MLPLI_OP_ASINH: *y = asinh(x); return true;
  case MLPLI_OP_ACOSH: *y = acosh(x); return true;
  case MLPLI_OP_ATANH: *y = atanh(x); return true;
  case MLPLI_OP_SINC: *y = x == 0 ? 1 : sin(PLAIN_PI * x) / (PLAIN_PI * x); return true;
  case MLPLI_OP_EXP2: *y = exp2(x); return true;
  case MLPLI_OP_EXPM1: *y = expm1(x); return true;
  case MLPLI_OP_LOG2: *y = log2(x); return true;
  case MLPLI_OP_LOG10: *y = log10(x); return true;
  case MLPLI_OP_LOG1P: *y = log1p(x); return true;
  case MLPLI_OP_RSQRT: *y = 1 / sqrt(x); return true;
  case MLPLI_OP_RECIPROCAL: *y = 1 / x; return true;
  case MLPLI_OP_SQUARE: *y = x * x; return true;
  case MLPLI_OP_ERF: *y = erf(x); return true;
  case MLPLI_OP_ERFC: *y = erfc(x); return true;
  case MLPLI_OP_ERFINV: *y = plain_inverse(erf, x); return true;
  case MLPLI_OP_SINC_SLOPE: *y = plain_sinc_slope((int)p[0].i, x); return true;
  case MLPLI_OP_LGAMMA: *y = lgamma(x); return true;
  case MLPLI_OP_DIGAMMA: *y = plain_polygamma(0, x); return true;
  case MLPLI_OP_POLYGAMMA: *y = plain_polygamma((int)p[0].i, x); return true;
  case MLPLI_OP_FLOOR: *y = floor(x); return true;
  case MLPLI_OP_CEIL: *y = ceil(x); return true;
  case MLPLI_OP_ROUND:
    *y = nearbyint(x * pow(10, (double)p[0].i)) / pow(10, (double)p[0].i);
    return true;
  case MLPLI_OP_TRUNC: *y = trunc(x); return true;
  case MLPLI_OP_FRAC: *y = x - trunc(x); return true;
  case MLPLI_OP_DEG2RAD: *y = x / 180 * PLAIN_PI; return true;
  case MLPLI_OP_RAD2DEG: *y = x / PLAIN_PI * 180; return true;
  case MLPLI_OP_NAN_TO_NUM: *y = x; return true; /* cases hold numbers only */
  case MLPLI_OP_CLAMP:
  case MLPLI_OP_HARDTANH: *y = plain_clamp(x, p[0].f, p[1].f); return true;
  case MLPLI_OP_RELU6: *y = plain_clamp(x, 0, 6); return true;
  case MLPLI_OP_GELU: *y = plain_gelu(p[0].i, x); return true;
  case MLPLI_OP_SILU: *y = x * plain_sigmoid(x); return true;
  case MLPLI_OP_MISH: *y = x * tanh(plain_softplus(x)); return true;
  case MLPLI_OP_SOFTPLUS:
    *y = p[0].f * x > p[1].f ? x : plain_softplus(p[0].f * x) / p[0].f;
    return true;
  case MLPLI_OP_SOFTSIGN: *y = x / (1 + fabs(x)); return true;
  case MLPLI_OP_HARDSIGMOID: *y = plain_clamp(x / 6 + 0.5, 0, 1); return true;
  case MLPLI_OP_HARDSWISH: *y = x * plain_clamp(x / 6 + 0.5, 0, 1); return true;
  case MLPLI_OP_SELU:
    *y = 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * expm1(x));
    return true;
  case MLPLI_OP_CELU: *y = fmax(0, x) + fmin(0, p[0].f * expm1(x / p[0].f)); return true;
  case MLPLI_OP_LOGSIGMOID: *y = -plain_softplus(-x); return true;
  case MLPLI_OP_TANHSHRINK: *y = x - tanh(x); return true;
  case MLPLI_OP_SOFTSHRINK: *y = copysign(fmax(fabs(x) - p[0].f, 0), x); return true;
  case MLPLI_OP_HARDSHRINK: *y = fabs(x) > p[0].f ? x : 0; return true;
  case MLPLI_OP_THRESHOLD: *y = x > p[0].f ? x : p[1].f; return true;
  case MLPLI_OP_STEP: *y = x >= 0; return true;
  default: return false;
  }
}

static inline bool plain_function2(
    mlpli_op_id id, const mlpl_value *p, double a, double b, double *y) {
  switch (id) {
  case MLPLI_OP_ATAN2: *y = atan2(a, b); return true;
  case MLPLI_OP_HYPOT: *y = hypot(a, b); return true;
  case MLPLI_OP_LOGADDEXP: *y = log(exp(a) + exp(b)); return true;
  case MLPLI_OP_XLOGY: *y = a * log(b); return true;
  case MLPLI_OP_HEAVISIDE: *y = a < 0 ? 0 : a > 0 ? 1 : b; return true;
  case MLPLI_OP_COPYSIGN: *y = copysign(a, b); return true;
  case MLPLI_OP_MASKED_FILL: *y = b != 0 ? p[0].f : a; return true;
  case MLPLI_OP_GATE: {
    const double at = p[1].f, size = fabs(b);
    const bool open[] = {b > at, b < at, b >= at, b <= at, size > at, size <= at};
    *y = open[p[0].i] ? a : 0;
    return true;
  }
  default: return false;
  }
}

static inline bool plain_function3(
    mlpli_op_id id, const mlpl_value *p, double a, double b, double c, double *y) {
  switch (id) {
  case MLPLI_OP_LERP: *y = a + c * (b - a); return true;
  case MLPLI_OP_ADDCMUL: *y = a + p[0].f * b * c; return true;
  case MLPLI_OP_ADDCDIV: *y = a + p[0].f * b / c; return true;
  case MLPLI_OP_WHERE: *y = a != 0 ? b : c; return true;
  case MLPLI_OP_MASKED_FILL_BY: *y = b != 0 ? c : a; return true;
  default: return false;
  }
}

#endif
