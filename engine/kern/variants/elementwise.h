/*
** The element-wise kernels of one variant, kind and name, and the initialisers that list
** them by kind. Those that are used seldom are shared (see SELDOM).
*/
#ifndef MLPLK_ELEMENTWISE_H
#define MLPLK_ELEMENTWISE_H

#include "kern/variants/variant.h"

#define MLPLK_MAPS(K)                                                                    \
  K(COPY, copy)                                                                          \
  K(ADD, add)                                                                            \
  K(SUB, sub)                                                                            \
  K(MUL, mul)                                                                            \
  K(DIV, div)                                                                            \
  K(SCALE, scale)                                                                        \
  K(ADD_SCALED, add_scaled)                                                              \
  K(NEG, neg)                                                                            \
  K(ABS, abs)                                                                            \
  K(EXP, exp)                                                                            \
  K(LOG, log)                                                                            \
  K(SQRT, sqrt)                                                                          \
  K(RELU, relu)                                                                          \
  K(LEAKY_RELU, leaky_relu)                                                              \
  K(ELU, elu)                                                                            \
  K(SIGMOID, sigmoid)                                                                    \
  K(TANH, tanh)                                                                          \
  K(RELU_GRAD, relu_grad)                                                                \
  K(LEAKY_GRAD, leaky_grad)                                                              \
  K(ELU_GRAD, elu_grad)                                                                  \
  K(SIGMOID_GRAD, sigmoid_grad)                                                          \
  K(TANH_GRAD, tanh_grad)                                                                \
  K(SQUARED_DIFFERENCE, squared_difference)                                              \
  K(BCE_LOGITS, bce_logits)                                                              \
  K(BCE_LOGITS_GRAD, bce_logits_grad)                                                    \
  K(MAXIMUM, maximum)                                                                    \
  K(MINIMUM, minimum)                                                                    \
  K(SQUARE, square)                                                                      \
  K(GELU, gelu)                                                                          \
  K(GELU_TANH, gelu_tanh)                                                                \
  K(SILU, silu)                                                                          \
  K(SOFTPLUS, softplus)                                                                  \
  K(GELU_GRAD, gelu_grad)                                                                \
  K(GELU_TANH_GRAD, gelu_tanh_grad)                                                      \
  K(SILU_GRAD, silu_grad)                                                                \
  K(POW, pow)                                                                            \
  K(SIN, sin)                                                                            \
  K(COS, cos)                                                                            \
  K(TAN, tan)                                                                            \
  K(ASIN, asin)                                                                          \
  K(ACOS, acos)                                                                          \
  K(ATAN, atan)                                                                          \
  K(ATAN2, atan2)                                                                        \
  K(SINH, sinh)                                                                          \
  K(COSH, cosh)                                                                          \
  K(ASINH, asinh)                                                                        \
  K(ACOSH, acosh)                                                                        \
  K(ATANH, atanh)                                                                        \
  K(SINC, sinc)                                                                          \
  K(EXP2, exp2)                                                                          \
  K(EXPM1, expm1)                                                                        \
  K(LOG2, log2)                                                                          \
  K(LOG10, log10)                                                                        \
  K(LOG1P, log1p)                                                                        \
  K(RSQRT, rsqrt)                                                                        \
  K(RECIPROCAL, reciprocal)                                                              \
  K(ERF, erf)                                                                            \
  K(ERFC, erfc)                                                                          \
  K(ERFINV, erfinv)                                                                      \
  K(LGAMMA, lgamma)                                                                      \
  K(DIGAMMA, digamma)                                                                    \
  K(POLYGAMMA, polygamma)                                                                \
  K(HYPOT, hypot)                                                                        \
  K(LOGADDEXP, logaddexp)                                                                \
  K(XLOGY, xlogy)                                                                        \
  K(XLOGY_OFF, xlogy_off)

/* Choices and what few nets use. */
#define MLPLK_SELDOM_MAPS(K)                                                             \
  K(SIGN, sign)                                                                          \
  K(POSITIVE, positive)                                                                  \
  K(FLOOR_DIVIDE, floor_divide)                                                          \
  K(REMAINDER, remainder)                                                                \
  K(FMOD, fmod)                                                                          \
  K(FLOOR, floor)                                                                        \
  K(CEIL, ceil)                                                                          \
  K(ROUND, round)                                                                        \
  K(TRUNC, trunc)                                                                        \
  K(FRAC, frac)                                                                          \
  K(HEAVISIDE, heaviside)                                                                \
  K(COPYSIGN, copysign)                                                                  \
  K(NAN_TO_NUM, nan_to_num)                                                              \
  K(INF_TO_NUM, inf_to_num)                                                              \
  K(CLAMP, clamp)                                                                        \
  K(THRESHOLD, threshold)                                                                \
  K(MISH, mish)                                                                          \
  K(SOFTSIGN, softsign)                                                                  \
  K(HARDSIGMOID, hardsigmoid)                                                            \
  K(HARDSWISH, hardswish)                                                                \
  K(SELU, selu)                                                                          \
  K(CELU, celu)                                                                          \
  K(LOGSIGMOID, logsigmoid)                                                              \
  K(TANHSHRINK, tanhshrink)                                                              \
  K(SOFTSHRINK, softshrink)                                                              \
  K(HARDSHRINK, hardshrink)                                                              \
  K(STEP, step)                                                                          \
  K(PRELU, prelu)                                                                        \
  K(GLU, glu)                                                                            \
  K(MISH_GRAD, mish_grad)                                                                \
  K(SOFTSIGN_GRAD, softsign_grad)                                                        \
  K(HARDSIGMOID_GRAD, hardsigmoid_grad)                                                  \
  K(HARDSWISH_GRAD, hardswish_grad)                                                      \
  K(LOGSIGMOID_GRAD, logsigmoid_grad)                                                    \
  K(SELU_GRAD, selu_grad)                                                                \
  K(CELU_GRAD, celu_grad)                                                                \
  K(GATE_ABOVE, gate_above)                                                              \
  K(GATE_BELOW, gate_below)                                                              \
  K(GATE_FROM, gate_from)                                                                \
  K(GATE_UP_TO, gate_up_to)                                                              \
  K(GATE_OUTSIDE, gate_outside)                                                          \
  K(GATE_INSIDE, gate_inside)

#define MLPLK_SELDOM_MAP3S(K)                                                            \
  K(LERP, lerp)                                                                          \
  K(ADDCMUL, addcmul)                                                                    \
  K(ADDCDIV, addcdiv)                                                                    \
  K(CLAMP_GRAD, clamp_grad)                                                              \
  K(HARDTANH_GRAD, hardtanh_grad)                                                        \
  K(PRELU_GRAD, prelu_grad)

#define MLPLK_LOGICS(K)                                                                  \
  K(EQ, eq)                                                                              \
  K(NE, ne)                                                                              \
  K(LT, lt)                                                                              \
  K(LE, le)                                                                              \
  K(GT, gt)                                                                              \
  K(GE, ge)                                                                              \
  K(ISNAN, isnan)                                                                        \
  K(ISINF, isinf)                                                                        \
  K(ISFINITE, isfinite)

#define MLPLK_MAP(ID, name) mlplk_map VARIANT(map_##name);
#define MLPLK_SELDOM_MAP(ID, name) mlplk_map SELDOM(map_##name);
#define MLPLK_SELDOM_MAP3(ID, name) mlplk_map3 SELDOM(map_##name);
#define MLPLK_LOGIC(ID, name) mlplk_map SELDOM(name);
MLPLK_MAPS(MLPLK_MAP)
MLPLK_SELDOM_MAPS(MLPLK_SELDOM_MAP)
mlplk_map3 VARIANT(map_softplus_grad);
MLPLK_SELDOM_MAP3S(MLPLK_SELDOM_MAP3)
MLPLK_LOGICS(MLPLK_LOGIC)

#define MLPLK_ENTRY(ID, name) [MLPLK_##ID] = VARIANT(map_##name),
#define MLPLK_SELDOM_ENTRY(ID, name) [MLPLK_##ID] = SELDOM(map_##name),
#define MLPLK_LOGIC_ENTRY(ID, name) [MLPLK_##ID] = SELDOM(name),

#define MLPLK_MAP_TABLE                                                                  \
  {                                                                                      \
    MLPLK_MAPS(MLPLK_ENTRY) MLPLK_SELDOM_MAPS(MLPLK_SELDOM_ENTRY)                        \
  }
#define MLPLK_LOGIC_TABLE                                                                \
  {                                                                                      \
    MLPLK_LOGICS(MLPLK_LOGIC_ENTRY)                                                      \
  }
#define MLPLK_MAP3_TABLE                                                                 \
  {                                                                                      \
    [MLPLK_SOFTPLUS_GRAD] = VARIANT(map_softplus_grad),                                  \
    MLPLK_SELDOM_MAP3S(MLPLK_SELDOM_ENTRY)                                               \
  }

#endif
