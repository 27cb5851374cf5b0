/* Rounding, choices, and activations of few nets: one formula each (spread.h). */
#include "kern/variants/elementwise.h"

#include "kern/variants/spread.h"
#include "kern/variants/vmath.h"
#include "kern/variants/vspecial.h"

#define SELU_SCALE R_(1.0507009873554804934193349852946)
#define SELU_ALPHA R_(1.6732632423543772848170429916717)

static inline real between(real x, real lo, real hi) {
  x = x < lo ? lo : x;
  return x > hi ? hi : x;
}

ONE(sign, x > 0 ? 1 : x < 0 ? -1 : x)
ONE(positive, x > 0 ? 1 : 0)
ONE(step, x >= 0 ? 1 : x < 0 ? 0 : x)
ONE(floor, floor_(x))
ONE(ceil, ceil_(x))
ONE(round, round_(x))
ONE(trunc, trunc_(x))
ONE(frac, x - trunc_(x))
TWO(heaviside, x == 0 ? y : x > 0 ? 1 : x < 0 ? 0 : x)
TWO(copysign, with_sign(x, y))
ONE(nan_to_num, x == x ? x : p)
TWO(inf_to_num, x == (real)INFINITY ? y : x == -(real)INFINITY ? p : x)
TWO(clamp, between(x, y, p))
TWO(threshold, x <= p ? y : x)
TWO(gate_above, y <= p ? 0 : x)
TWO(gate_below, y >= p ? 0 : x)
TWO(gate_from, y >= p ? x : 0)
TWO(gate_up_to, y <= p ? x : 0)
TWO(gate_outside, absolute(y) <= p ? 0 : x)
TWO(gate_inside, absolute(y) <= p ? x : 0)

ONE(mish, mish_(x))
ONE(softsign, x / (1 + absolute(x)))
ONE(hardsigmoid, between(x + 3, 0, 6) / 6)
ONE(hardswish, x *between(x + 3, 0, 6) / 6)
ONE(selu, SELU_SCALE *(x > 0 ? x : SELU_ALPHA * expm1_of_negative(x)))
ONE(celu, x > 0 ? x : p * expm1_of_negative(x / p))
ONE(logsigmoid, logsigmoid_(x))
ONE(tanhshrink, x - tanh_(x))
ONE(softshrink, x > p ? x - p : x < -p ? x + p : x == x ? 0 : x)
ONE(hardshrink, absolute(x) <= p ? 0 : x)
TWO(prelu, x > 0 ? x : y * x)
TWO(glu, x *sigmoid_(y))
TWO(mish_grad, x *mish_slope(y))
TWO(softsign_grad, x / ((1 + absolute(y)) * (1 + absolute(y))))
TWO(hardsigmoid_grad, y > -3 && y < 3 ? x / 6 : 0)
TWO(hardswish_grad, y <= -3 ? 0 : y < 3 ? x * (y / 3 + R_(0.5)) : x)
TWO(logsigmoid_grad, x *sigmoid_(-y))
TWO(selu_grad, x *(y <= 0 ? y + SELU_SCALE * SELU_ALPHA : SELU_SCALE))
TWO(celu_grad, y <= 0 ? x * (y / p + 1) : x)

THREE(lerp, z < R_(0.5) ? x + z * (y - x) : y - (y - x) * (1 - z))
THREE(addcmul, x + p * y * z)
THREE(addcdiv, x + p * (y / z))
THREE(clamp_grad, y >= z && y <= p ? x : 0)
THREE(hardtanh_grad, y <= z || y >= p ? 0 : x)
THREE(prelu_grad, y > 0 ? x : z * x)
