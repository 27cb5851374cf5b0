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
    case MLPLK_N_MAPS: break;
  }
  return NAN;
}
