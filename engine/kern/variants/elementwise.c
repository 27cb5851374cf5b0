/*
** The element-wise kernels that training lives on: one formula each.
**
** The loops that matter, side by side or with one scalar operand, are written out for
** each short formula so that they vectorise. Any other strides go through `strided`, which
** brings a chunk side by side, calls the same kernel on it and scatters the result:
** the same bits, and no second copy of every formula. Long formulas have one loop
** (spread.h).
*/
#include "kern/variants/elementwise.h"

#include "kern/variants/spread.h"
#include "kern/variants/vmath.h"

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
  ALWAYS real name##_at(real x, real p) {                                         \
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
  ALWAYS real name##_at(real x, real y, real p) {                                 \
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
BINARY(maximum, x > y || x != x ? x : y) /* NaN of either comes through */
BINARY(minimum, x < y || x != x ? x : y)
UNARY(scale, p *x)
BINARY(add_scaled, x + p * y)
UNARY(neg, -x)
UNARY(abs, absolute(x))
UNARY(square, x *x)
UNARY(sqrt, root(x))
UNARY(relu, x <= 0 ? 0 : x)
UNARY(leaky_relu, x > 0 ? x : p * x)
BINARY(relu_grad, y <= 0 ? 0 : x)
TWO(leaky_grad, y > 0 ? x : p * x)
BINARY(sigmoid_grad, x *y *(1 - y))
BINARY(tanh_grad, x *(1 - y * y))
TWO(elu_grad, y > 0 ? x : x * (y + p))
TWO(squared_difference, (x - y) * (x - y))
UNARY(exp, exp_(x))
UNARY(log, log_(x))
UNARY(sigmoid, sigmoid_(x))
UNARY(tanh, tanh_(x))
ONE(elu, x > 0 ? x : p * expm1_of_negative(x))
TWO(bce_logits, bce_logits_(x, y))
TWO(bce_logits_grad, sigmoid_(x) - y)

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
