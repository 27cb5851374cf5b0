/*
** Element-wise kernels: one formula each.
**
** The loops that matter, side by side or with one scalar operand, are written out for
** each formula so that they vectorise. Any other strides go through `strided`, which
** brings a chunk side by side, calls the same kernel on it and scatters the result:
** the same bits, and no second copy of every formula.
*/
#include "kern/variants/elementwise.h"

#include "kern/variants/vmath.h"
#include "kern/variants/vspecial.h"
#include "kern/variants/vtrig.h"

enum { CHUNK = 256 };

static void gather(ptrdiff_t n, real *to, const real *from, ptrdiff_t stride) {
  for (ptrdiff_t i = 0; i < n; i++) to[i] = from[i * stride];
}

static void scatter(ptrdiff_t n, real *to, ptrdiff_t stride, const real *from) {
  for (ptrdiff_t i = 0; i < n; i++) to[i * stride] = from[i];
}

static void strided(mlplk_map *map, ptrdiff_t n, real *out, ptrdiff_t s_out,
    const real *x, ptrdiff_t s_x, const real *y, ptrdiff_t s_y, double p) {
  real out_run[CHUNK], x_run[CHUNK], y_run[CHUNK];
  for (ptrdiff_t i = 0; i < n; i += CHUNK) {
    const ptrdiff_t m = n - i < CHUNK ? n - i : CHUNK;
    gather(m, x_run, x + i * s_x, s_x);
    if (y) gather(m, y_run, y + i * s_y, s_y);
    map(m, out_run, 1, x_run, 1, y_run, 1, p);
    scatter(m, out + i * s_out, s_out, out_run);
  }
}

/* out = formula, of x and p. */
#define UNARY(name, formula)                                                             \
  static inline real name##_at(real x, real p) {                                         \
    (void)p;                                                                             \
    return formula;                                                                      \
  }                                                                                      \
  void VARIANT(map_##name)(ptrdiff_t n, void *out, ptrdiff_t s_out, const void *x,       \
      ptrdiff_t s_x, const void *y, ptrdiff_t s_y, double p) {                           \
    (void)y, (void)s_y;                                                                  \
    real *o = out;                                                                       \
    const real *a = x;                                                                   \
    const real q = (real)p;                                                              \
    if (s_out != 1 || s_x != 1) {                                                        \
      strided(VARIANT(map_##name), n, o, s_out, a, s_x, NULL, 0, p);                     \
      return;                                                                            \
    }                                                                                    \
    NO_CARRY                                                                             \
    for (ptrdiff_t i = 0; i < n; i++) o[i] = name##_at(a[i], q);                         \
  }

/* out = formula, of x, y and p. */
#define BINARY(name, formula)                                                            \
  static inline real name##_at(real x, real y, real p) {                                 \
    (void)p;                                                                             \
    return formula;                                                                      \
  }                                                                                      \
  void VARIANT(map_##name)(ptrdiff_t n, void *out, ptrdiff_t s_out, const void *x,       \
      ptrdiff_t s_x, const void *y, ptrdiff_t s_y, double p) {                           \
    real *o = out;                                                                       \
    const real *a = x, *b = y;                                                           \
    const real q = (real)p;                                                              \
    if (n <= 0) return;                                                                  \
    if (s_out == 1 && s_x == 1 && s_y == 1) {                                            \
      NO_CARRY                                                                           \
      for (ptrdiff_t i = 0; i < n; i++) o[i] = name##_at(a[i], b[i], q);                 \
    }                                                                                    \
    else if (s_out == 1 && s_x == 1 && s_y == 0) {                                       \
      const real b0 = *b;                                                                \
      NO_CARRY                                                                           \
      for (ptrdiff_t i = 0; i < n; i++) o[i] = name##_at(a[i], b0, q);                   \
    }                                                                                    \
    else if (s_out == 1 && s_x == 0 && s_y == 1) {                                       \
      const real a0 = *a;                                                                \
      NO_CARRY                                                                           \
      for (ptrdiff_t i = 0; i < n; i++) o[i] = name##_at(a0, b[i], q);                   \
    }                                                                                    \
    else {                                                                               \
      strided(VARIANT(map_##name), n, o, s_out, a, s_x, b, s_y, p);                      \
    }                                                                                    \
  }

BINARY(add, x + y)
BINARY(sub, x - y)
BINARY(mul, x *y)
BINARY(div, x / y)
BINARY(pow, pow_(x, y))
UNARY(scale, p *x)
BINARY(add_scaled, x + p * y)
UNARY(neg, -x)
UNARY(abs, absolute(x))
UNARY(sign, x > 0 ? 1 : x < 0 ? -1 : x)
UNARY(positive, x > 0 ? 1 : 0)
UNARY(exp, exp_(x))
UNARY(log, log_(x))
UNARY(sqrt, root(x))
UNARY(relu, x <= 0 ? 0 : x)
UNARY(leaky_relu, x > 0 ? x : p * x)
UNARY(elu, x > 0 ? x : p * expm1_of_negative(x))
UNARY(sigmoid, sigmoid_(x))
UNARY(tanh, tanh_(x))
BINARY(relu_grad, y <= 0 ? 0 : x)
BINARY(leaky_grad, y > 0 ? x : p * x)
BINARY(elu_grad, y > 0 ? x : x * (y + p))
BINARY(sigmoid_grad, x *y *(1 - y))
BINARY(tanh_grad, x *(1 - y * y))
BINARY(squared_difference, (x - y) * (x - y))
BINARY(bce_logits, bce_logits_(x, y))
BINARY(bce_logits_grad, sigmoid_(x) - y)

/* ---- circular, exponential, hyperbolic and error functions ------------------------- */

/*
** These formulas are long, so each is compiled into one loop: over whole blocks, which
** need no second loop for what is left of a vector. The rest of an array is made a block,
** and operands with other strides are brought side by side.
*/
enum { BLOCK = 16 };
#define WHOLE_BLOCKS(n) ((n) & ~(ptrdiff_t)(BLOCK - 1))

static void rest(
    mlplk_map *map, ptrdiff_t n, real *out, const real *x, const real *y, double p) {
  real out_run[BLOCK], x_run[BLOCK], y_run[BLOCK];
  if (n == 0) return;
  for (ptrdiff_t i = 0; i < BLOCK; i++) {
    x_run[i] = x[i < n ? i : 0];
    y_run[i] = y ? y[i < n ? i : 0] : 0;
  }
  map(BLOCK, out_run, 1, x_run, 1, y_run, 1, p);
  scatter(n, out, 1, out_run);
}

/* As UNARY. */
#define FUNCTION(name, formula)                                                          \
  static inline real name##_at(real x, real p) {                                         \
    (void)p;                                                                             \
    return formula;                                                                      \
  }                                                                                      \
  void VARIANT(map_##name)(ptrdiff_t n, void *out, ptrdiff_t s_out, const void *x,       \
      ptrdiff_t s_x, const void *y, ptrdiff_t s_y, double p) {                           \
    (void)y, (void)s_y;                                                                  \
    real *o = out;                                                                       \
    const real *a = x;                                                                   \
    const real q = (real)p;                                                              \
    if (s_out != 1 || s_x != 1) {                                                        \
      strided(VARIANT(map_##name), n, o, s_out, a, s_x, NULL, 0, p);                     \
      return;                                                                            \
    }                                                                                    \
    const ptrdiff_t whole = WHOLE_BLOCKS(n);                                             \
    NO_CARRY                                                                             \
    for (ptrdiff_t i = 0; i < whole; i++) o[i] = name##_at(a[i], q);                     \
    rest(VARIANT(map_##name), n - whole, o + whole, a + whole, NULL, p);                 \
  }

/* As BINARY. */
#define PAIR(name, formula)                                                              \
  static inline real name##_at(real x, real y, real p) {                                 \
    (void)p;                                                                             \
    return formula;                                                                      \
  }                                                                                      \
  void VARIANT(map_##name)(ptrdiff_t n, void *out, ptrdiff_t s_out, const void *x,       \
      ptrdiff_t s_x, const void *y, ptrdiff_t s_y, double p) {                           \
    real *o = out;                                                                       \
    const real *a = x, *b = y;                                                           \
    const real q = (real)p;                                                              \
    if (s_out != 1 || s_x != 1 || s_y != 1) {                                            \
      strided(VARIANT(map_##name), n, o, s_out, a, s_x, b, s_y, p);                      \
      return;                                                                            \
    }                                                                                    \
    const ptrdiff_t whole = WHOLE_BLOCKS(n);                                             \
    NO_CARRY                                                                             \
    for (ptrdiff_t i = 0; i < whole; i++) o[i] = name##_at(a[i], b[i], q);               \
    rest(VARIANT(map_##name), n - whole, o + whole, a + whole, b + whole, p);            \
  }

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

/* As UNARY, of an angle; for far ones by the C library, which has the digits of pi. */
#define ANGLE(name)                                                                      \
  void VARIANT(map_##name)(ptrdiff_t n, void *out, ptrdiff_t s_out, const void *x,       \
      ptrdiff_t s_x, const void *y, ptrdiff_t s_y, double p) {                           \
    (void)y, (void)s_y;                                                                  \
    if (s_out != 1 || s_x != 1) {                                                        \
      strided(VARIANT(map_##name), n, out, s_out, x, s_x, NULL, 0, p);                   \
      return;                                                                            \
    }                                                                                    \
    real kept[CHUNK], near[CHUNK];                                                       \
    for (ptrdiff_t start = 0; start < n; start += CHUNK) {                               \
      const ptrdiff_t m = n - start < CHUNK ? n - start : CHUNK;                         \
      const real *a = (const real *)x + start;                                           \
      real *o = (real *)out + start;                                                     \
      const int far = set_far_apart(m, a, kept, near);                                   \
      if (far) a = near;                                                                 \
      NO_CARRY                                                                           \
      for (ptrdiff_t i = 0; i < WHOLE_BLOCKS(m); i++) o[i] = name##_(a[i]);              \
      rest(VARIANT(map_##name), m - WHOLE_BLOCKS(m), o + WHOLE_BLOCKS(m),                \
          a + WHOLE_BLOCKS(m), NULL, p);                                                 \
      for (ptrdiff_t i = 0; far && i < m; i++)                                           \
        if (!(absolute(kept[i]) <= FAR_ANGLE)) o[i] = (real)name((double)kept[i]);       \
    }                                                                                    \
  }

ANGLE(sin)
ANGLE(cos)
ANGLE(tan)
FUNCTION(asin, asin_(x))
FUNCTION(acos, acos_(x))
FUNCTION(atan, atan_(x))
PAIR(atan2, atan2_(x, y))
FUNCTION(sinh, sinh_(x))
FUNCTION(cosh, cosh_(x))
FUNCTION(asinh, asinh_(x))
FUNCTION(acosh, acosh_(x))
FUNCTION(atanh, atanh_(x))
FUNCTION(sinc, sinc_(x))
FUNCTION(exp2, exp2_(x))
FUNCTION(expm1, expm1_(x))
FUNCTION(log2, log2_(x))
UNARY(log10, (real)log10((double)x)) /* powers of ten are exact */
FUNCTION(log1p, log1p_(x))
UNARY(rsqrt, 1 / root(x))
UNARY(reciprocal, 1 / x)
UNARY(square, x *x)
FUNCTION(erf, erf_(x))
UNARY(erfc, (real)erfc((double)x))
UNARY(erfinv, (real)mlplk_erfinv((double)x))
UNARY(lgamma, (real)mlplk_lgamma((double)x))
UNARY(digamma, (real)mlplk_polygamma(0, (double)x))
UNARY(polygamma, (real)mlplk_polygamma((int)p, (double)x))
UNARY(floor, floor_(x))
UNARY(ceil, ceil_(x))
UNARY(round, round_(x))
UNARY(trunc, trunc_(x))
UNARY(frac, x - trunc_(x))
PAIR(hypot, hypot_(x, y))
PAIR(logaddexp, logaddexp_(x, y))
PAIR(xlogy, xlogy_(x, y))
PAIR(xlogy_off, x == 0 && y <= 0 ? 0 : 1)
PAIR(heaviside, x == 0 ? y : x > 0 ? 1 : x < 0 ? 0 : x)
PAIR(copysign, with_sign(x, y))

/* ---- choices and activations ------------------------------------------------------- */

#define SELU_SCALE R_(1.0507009873554804934193349852946)
#define SELU_ALPHA R_(1.6732632423543772848170429916717)

static inline real between(real x, real lo, real hi) {
  x = x < lo ? lo : x;
  return x > hi ? hi : x;
}

UNARY(nan_to_num, x == x ? x : p)
BINARY(inf_to_num, x == (real)INFINITY ? y : x == -(real)INFINITY ? p : x)
BINARY(clamp, between(x, y, p))
BINARY(threshold, x <= p ? y : x)
FUNCTION(gelu, gelu_(x))
FUNCTION(gelu_tanh, gelu_tanh_(x))
FUNCTION(silu, x *sigmoid_(x))
FUNCTION(mish, mish_(x))
PAIR(softplus, p *x > y ? x : softplus_(p * x) / p)
UNARY(softsign, x / (1 + absolute(x)))
UNARY(hardsigmoid, between(x + 3, 0, 6) / 6)
UNARY(hardswish, x *between(x + 3, 0, 6) / 6)
FUNCTION(selu, SELU_SCALE *(x > 0 ? x : SELU_ALPHA * expm1_of_negative(x)))
FUNCTION(celu, x > 0 ? x : p * expm1_of_negative(x / p))
FUNCTION(logsigmoid, logsigmoid_(x))
FUNCTION(tanhshrink, x - tanh_(x))
UNARY(softshrink, x > p ? x - p : x < -p ? x + p : x == x ? 0 : x)
UNARY(hardshrink, absolute(x) <= p ? 0 : x)
UNARY(step, x >= 0 ? 1 : x < 0 ? 0 : x)
BINARY(prelu, x > 0 ? x : y * x)
PAIR(glu, x *sigmoid_(y))
PAIR(gelu_grad, x *gelu_slope(y))
PAIR(gelu_tanh_grad, x *gelu_tanh_slope(y))
PAIR(silu_grad, x *silu_slope(y))
PAIR(mish_grad, x *mish_slope(y))
PAIR(softsign_grad, x / ((1 + absolute(y)) * (1 + absolute(y))))
PAIR(hardsigmoid_grad, y > -3 && y < 3 ? x / 6 : 0)
PAIR(hardswish_grad, y <= -3 ? 0 : y < 3 ? x * (y / 3 + R_(0.5)) : x)
PAIR(logsigmoid_grad, x *sigmoid_(-y))
PAIR(selu_grad, x *(y <= 0 ? y + SELU_SCALE * SELU_ALPHA : SELU_SCALE))
PAIR(celu_grad, y <= 0 ? x * (y / p + 1) : x)
PAIR(gate_above, y <= p ? 0 : x)
PAIR(gate_below, y >= p ? 0 : x)
PAIR(gate_from, y >= p ? x : 0)
PAIR(gate_up_to, y <= p ? x : 0)
PAIR(gate_outside, absolute(y) <= p ? 0 : x)
PAIR(gate_inside, absolute(y) <= p ? x : 0)

/* ---- three operands ---------------------------------------------------------------- */

static void strided3(mlplk_map3 *map, ptrdiff_t n, real *out, ptrdiff_t s_out,
    const real *x, ptrdiff_t s_x, const real *y, ptrdiff_t s_y, const real *z,
    ptrdiff_t s_z, double p) {
  real out_run[CHUNK], x_run[CHUNK], y_run[CHUNK], z_run[CHUNK];
  for (ptrdiff_t i = 0; i < n; i += CHUNK) {
    const ptrdiff_t m = n - i < CHUNK ? n - i : CHUNK;
    gather(m, x_run, x + i * s_x, s_x);
    gather(m, y_run, y + i * s_y, s_y);
    gather(m, z_run, z + i * s_z, s_z);
    map(m, out_run, 1, x_run, 1, y_run, 1, z_run, 1, p);
    scatter(m, out + i * s_out, s_out, out_run);
  }
}

/* out = formula, of x, y, z and p. */
#define TERNARY(name, formula)                                                           \
  static inline real name##_at(real x, real y, real z, real p) {                         \
    (void)p;                                                                             \
    return formula;                                                                      \
  }                                                                                      \
  void VARIANT(map_##name)(ptrdiff_t n, void *out, ptrdiff_t s_out, const void *x,       \
      ptrdiff_t s_x, const void *y, ptrdiff_t s_y, const void *z, ptrdiff_t s_z,         \
      double p) {                                                                        \
    real *o = out;                                                                       \
    const real *a = x, *b = y, *c = z;                                                   \
    const real q = (real)p;                                                              \
    if (n <= 0) return;                                                                  \
    if (s_out != 1 || s_x != 1 || s_y != 1 || (s_z != 0 && s_z != 1)) {                  \
      strided3(VARIANT(map_##name), n, o, s_out, a, s_x, b, s_y, c, s_z, p);             \
    }                                                                                    \
    else if (s_z == 1) {                                                                 \
      NO_CARRY                                                                           \
      for (ptrdiff_t i = 0; i < n; i++) o[i] = name##_at(a[i], b[i], c[i], q);           \
    }                                                                                    \
    else {                                                                               \
      const real c0 = *c;                                                                \
      NO_CARRY                                                                           \
      for (ptrdiff_t i = 0; i < n; i++) o[i] = name##_at(a[i], b[i], c0, q);             \
    }                                                                                    \
  }

TERNARY(lerp, z < R_(0.5) ? x + z * (y - x) : y - (y - x) * (1 - z))
TERNARY(addcmul, x + p * y * z)
TERNARY(addcdiv, x + p * (y / z))
TERNARY(clamp_grad, y >= z && y <= p ? x : 0)
TERNARY(hardtanh_grad, y <= z || y >= p ? 0 : x)
TERNARY(softplus_grad, p *y > z ? x : x * sigmoid_(p * y))
TERNARY(prelu_grad, y > 0 ? x : z * x)

/* Copying is also how arrays are filled (s_x = 0) and laid out anew, so it needs no
   detour. */
void VARIANT(map_copy)(ptrdiff_t n, void *out, ptrdiff_t s_out, const void *x,
    ptrdiff_t s_x, const void *y, ptrdiff_t s_y, double p) {
  (void)y, (void)s_y, (void)p;
  real *o = out;
  const real *a = x;
  if (n <= 0) return;
  if (s_out == 1 && s_x == 1) {
    memmove(o, a, (size_t)n * sizeof *o);
  }
  else if (s_out == 1 && s_x == 0) {
    const real a0 = *a;
    for (ptrdiff_t i = 0; i < n; i++) o[i] = a0;
  }
  else {
    for (ptrdiff_t i = 0; i < n; i++) o[i * s_out] = a[i * s_x];
  }
}
