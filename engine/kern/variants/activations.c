/* Activations that many nets use, and their slopes: one formula each (spread.h). */
#include "kern/variants/elementwise.h"

#include "kern/variants/spread.h"
#include "kern/variants/vspecial.h"

ONE(gelu, gelu_(x))
ONE(gelu_tanh, gelu_tanh_(x))
ONE(silu, x *sigmoid_(x))
TWO(softplus, p *x > y ? x : softplus_(p * x) / p)
TWO(gelu_grad, x *gelu_slope(y))
TWO(gelu_tanh_grad, x *gelu_tanh_slope(y))
TWO(silu_grad, x *silu_slope(y))
THREE(softplus_grad, p *y > z ? x : x * sigmoid_(p * y))
