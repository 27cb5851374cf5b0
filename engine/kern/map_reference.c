/* The element-wise formulas by the C library in double, for tests. */
#include <math.h>

#include "kern/kern.h"

static double sigmoid(double x) {
  return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x));
}

/* min(0, x) - log(1 + e^-|x|) is log sigmoid x. */
static double bce_logits(double x, double y) {
  return (1 - y) * x - (x < 0 ? x : 0) + log1p(exp(-fabs(x)));
}

/* The remainder that has y's sign, and what it leaves of x divided by y. */
static double floor_remainder(double x, double y) {
  double m = fmod(x, y);
  return m != 0 && (m < 0) != (y < 0) ? m + y : m;
}

static double floor_divide(double x, double y) {
  if (y == 0) return x / y;
  double m = fmod(x, y), q = (x - m) / y - (m != 0 && (m < 0) != (y < 0) ? 1 : 0);
  return q == 0 ? copysign(0, x / y) : round(q);
}

#define PI 3.14159265358979323846
#define SCALE 1.0507009873554804934193349852946 /* of selu */
#define ALPHA 1.6732632423543772848170429916717

static double softplus(double x) { return fmax(x, 0) + log1p(exp(-fabs(x))); }

static double clamp(double x, double lo, double hi) {
  x = x < lo ? lo : x;
  return x > hi ? hi : x;
}

static double logaddexp(double x, double y) {
  if (isnan(x) || isnan(y)) return x + y;
  return x == y ? x + log(2) : fmax(x, y) + log1p(exp(-fabs(x - y)));
}

/* Whole turns are taken off exactly, and sin(pi - y) = sin y. */
static double sinc(double x) {
  const double r = fabs(remainder(x, 2));
  return x == 0 ? 1
                : sin(PI * (r > 0.5 ? 1 - r : r)) / (PI * fabs(x)) *
          (remainder(x, 2) * x < 0 ? -1 : 1);
}

/* The chance that a normal number is below x. */
static double normal(double x) { return erfc(-x * sqrt(0.5)) / 2; }

static double gelu_inner(double x) {
  return tanh(sqrt(2 / PI) * (x + 0.044715 * x * x * x));
}

static double gelu_tanh_slope(double x) {
  const double t = gelu_inner(x);
  return (1 + t) / 2 + x / 2 * (1 - t * t) * sqrt(2 / PI) * (1 + 3 * 0.044715 * x * x);
}

static double mish_slope(double x) {
  const double t = tanh(softplus(x));
  return t + fmin(x, 100) * sigmoid(x) * (1 - t * t);
}

double mlplk_map_reference(mlplk_map_kind kind, double x, double y, double p) {
  switch (kind) {
    case MLPLK_COPY: return x;
    case MLPLK_ADD: return x + y;
    case MLPLK_SUB: return x - y;
    case MLPLK_MUL: return x * y;
    case MLPLK_DIV: return x / y;
    case MLPLK_POW: return pow(x, y);
    case MLPLK_SCALE: return p * x;
    case MLPLK_ADD_SCALED: return x + p * y;
    case MLPLK_NEG: return -x;
    case MLPLK_ABS: return fabs(x);
    case MLPLK_SIGN: return x > 0 ? 1 : x < 0 ? -1 : x;
    case MLPLK_POSITIVE: return x > 0 ? 1 : 0;
    case MLPLK_EXP: return exp(x);
    case MLPLK_LOG: return log(x);
    case MLPLK_SQRT: return sqrt(x);
    case MLPLK_RELU: return x <= 0 ? 0 : x;
    case MLPLK_LEAKY_RELU: return x > 0 ? x : p * x;
    case MLPLK_ELU: return x > 0 ? x : p * expm1(x);
    case MLPLK_SIGMOID: return sigmoid(x);
    case MLPLK_TANH: return tanh(x);
    case MLPLK_RELU_GRAD: return y <= 0 ? 0 : x;
    case MLPLK_LEAKY_GRAD: return y > 0 ? x : p * x;
    case MLPLK_ELU_GRAD: return y > 0 ? x : x * (y + p);
    case MLPLK_SIGMOID_GRAD: return x * y * (1 - y);
    case MLPLK_TANH_GRAD: return x * (1 - y * y);
    case MLPLK_SQUARED_DIFFERENCE: return (x - y) * (x - y);
    case MLPLK_BCE_LOGITS: return bce_logits(x, y);
    case MLPLK_BCE_LOGITS_GRAD: return sigmoid(x) - y;
    case MLPLK_FLOOR_DIVIDE: return floor_divide(x, y);
    case MLPLK_REMAINDER: return floor_remainder(x, y);
    case MLPLK_FMOD: return fmod(x, y);
    case MLPLK_MAXIMUM: return x != x || y != y ? NAN : fmax(x, y);
    case MLPLK_MINIMUM: return x != x || y != y ? NAN : fmin(x, y);
    case MLPLK_SIN: return sin(x);
    case MLPLK_COS: return cos(x);
    case MLPLK_TAN: return tan(x);
    case MLPLK_ASIN: return asin(x);
    case MLPLK_ACOS: return acos(x);
    case MLPLK_ATAN: return atan(x);
    case MLPLK_ATAN2: return atan2(x, y);
    case MLPLK_SINH: return sinh(x);
    case MLPLK_COSH: return cosh(x);
    case MLPLK_ASINH: return asinh(x);
    case MLPLK_ACOSH: return acosh(x);
    case MLPLK_ATANH: return atanh(x);
    case MLPLK_SINC: return sinc(x);
    case MLPLK_EXP2: return exp2(x);
    case MLPLK_EXPM1: return expm1(x);
    case MLPLK_LOG2: return log2(x);
    case MLPLK_LOG10: return log10(x);
    case MLPLK_LOG1P: return log1p(x);
    case MLPLK_RSQRT: return 1 / sqrt(x);
    case MLPLK_RECIPROCAL: return 1 / x;
    case MLPLK_SQUARE: return x * x;
    case MLPLK_ERF: return erf(x);
    case MLPLK_ERFC: return erfc(x);
    case MLPLK_ERFINV: return mlplk_erfinv(x);
    case MLPLK_LGAMMA: return lgamma(x);
    case MLPLK_DIGAMMA: return mlplk_polygamma(0, x);
    case MLPLK_POLYGAMMA: return mlplk_polygamma((int)p, x);
    case MLPLK_FLOOR: return floor(x);
    case MLPLK_CEIL: return ceil(x);
    case MLPLK_ROUND: return nearbyint(x);
    case MLPLK_TRUNC: return trunc(x);
    case MLPLK_FRAC: return x - trunc(x);
    case MLPLK_HYPOT: return hypot(x, y);
    case MLPLK_LOGADDEXP: return logaddexp(x, y);
    case MLPLK_XLOGY: return x == 0 && !isnan(y) ? 0 : x * log(y);
    case MLPLK_XLOGY_OFF: return x == 0 && y <= 0 ? 0 : 1;
    case MLPLK_HEAVISIDE: return x == 0 ? y : x > 0 ? 1 : x < 0 ? 0 : x;
    case MLPLK_COPYSIGN: return copysign(x, y);
    case MLPLK_NAN_TO_NUM: return isnan(x) ? p : x;
    case MLPLK_INF_TO_NUM: return isinf(x) ? (x > 0 ? y : p) : x;
    case MLPLK_CLAMP: return clamp(x, y, p);
    case MLPLK_THRESHOLD: return x <= p ? y : x;
    case MLPLK_GELU: return x * normal(x);
    case MLPLK_GELU_TANH: return x / 2 * (1 + gelu_inner(x));
    case MLPLK_SILU: return x * sigmoid(x);
    case MLPLK_MISH: return x * tanh(softplus(x));
    case MLPLK_SOFTPLUS: return p * x > y ? x : softplus(p * x) / p;
    case MLPLK_SOFTSIGN: return x / (1 + fabs(x));
    case MLPLK_HARDSIGMOID: return clamp(x + 3, 0, 6) / 6;
    case MLPLK_HARDSWISH: return x * clamp(x + 3, 0, 6) / 6;
    case MLPLK_SELU: return SCALE * (x > 0 ? x : ALPHA * expm1(x));
    case MLPLK_CELU: return x > 0 ? x : p * expm1(x / p);
    case MLPLK_LOGSIGMOID: return -softplus(-x);
    case MLPLK_TANHSHRINK: return x - tanh(x);
    case MLPLK_SOFTSHRINK: return x > p ? x - p : x < -p ? x + p : isnan(x) ? x : 0;
    case MLPLK_HARDSHRINK: return fabs(x) <= p ? 0 : x;
    case MLPLK_STEP: return isnan(x) ? x : x >= 0;
    case MLPLK_PRELU: return x > 0 ? x : y * x;
    case MLPLK_GLU: return x * sigmoid(y);
    case MLPLK_GELU_GRAD:
      return x * (normal(y) + y * exp(-y * y / 2) / sqrt(2 * PI));
    case MLPLK_GELU_TANH_GRAD: return x * gelu_tanh_slope(y);
    case MLPLK_SILU_GRAD: return x * sigmoid(y) * (1 + y * (1 - sigmoid(y)));
    case MLPLK_MISH_GRAD: return x * mish_slope(y);
    case MLPLK_SOFTSIGN_GRAD: return x / pow(1 + fabs(y), 2);
    case MLPLK_HARDSIGMOID_GRAD: return y > -3 && y < 3 ? x / 6 : 0;
    case MLPLK_HARDSWISH_GRAD: return y <= -3 ? 0 : y < 3 ? x * (y / 3 + 0.5) : x;
    case MLPLK_LOGSIGMOID_GRAD: return x * sigmoid(-y);
    case MLPLK_SELU_GRAD: return x * (y <= 0 ? y + SCALE * ALPHA : SCALE);
    case MLPLK_CELU_GRAD: return y <= 0 ? x * (y / p + 1) : x;
    case MLPLK_GATE_ABOVE: return y <= p ? 0 : x;
    case MLPLK_GATE_BELOW: return y >= p ? 0 : x;
    case MLPLK_GATE_FROM: return y >= p ? x : 0;
    case MLPLK_GATE_UP_TO: return y <= p ? x : 0;
    case MLPLK_GATE_OUTSIDE: return fabs(y) <= p ? 0 : x;
    case MLPLK_GATE_INSIDE: return fabs(y) <= p ? x : 0;
    case MLPLK_N_MAPS: break;
  }
  return NAN;
}

double mlplk_map3_reference(
    mlplk_map3_kind kind, double x, double y, double z, double p) {
  switch (kind) {
    case MLPLK_LERP: return z < 0.5 ? x + z * (y - x) : y - (y - x) * (1 - z);
    case MLPLK_ADDCMUL: return x + p * y * z;
    case MLPLK_ADDCDIV: return x + p * (y / z);
    case MLPLK_CLAMP_GRAD: return y >= z && y <= p ? x : 0;
    case MLPLK_HARDTANH_GRAD: return y <= z || y >= p ? 0 : x;
    case MLPLK_SOFTPLUS_GRAD: return p * y > z ? x : x * sigmoid(p * y);
    case MLPLK_PRELU_GRAD: return y > 0 ? x : z * x;
    case MLPLK_N_MAP3S: break;
  }
  return NAN;
}
