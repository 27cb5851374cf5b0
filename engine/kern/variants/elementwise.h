/* The element-wise kernels of one variant, and the initialiser that lists them by
   kind. */
#ifndef MLPLK_ELEMENTWISE_H
#define MLPLK_ELEMENTWISE_H

#include "kern/variants/variant.h"

mlplk_map VARIANT(map_copy), VARIANT(map_add), VARIANT(map_sub), VARIANT(map_mul),
    VARIANT(map_div), VARIANT(map_pow), VARIANT(map_scale), VARIANT(map_add_scaled),
    VARIANT(map_neg), VARIANT(map_abs), VARIANT(map_sign), VARIANT(map_positive),
    VARIANT(map_exp), VARIANT(map_log), VARIANT(map_sqrt), VARIANT(map_relu),
    VARIANT(map_leaky_relu), VARIANT(map_elu), VARIANT(map_sigmoid), VARIANT(map_tanh),
    VARIANT(map_relu_grad), VARIANT(map_leaky_grad), VARIANT(map_elu_grad),
    VARIANT(map_sigmoid_grad), VARIANT(map_tanh_grad), VARIANT(map_squared_difference),
    VARIANT(map_bce_logits), VARIANT(map_bce_logits_grad);
mlplk_map VARIANT(map_floor_divide), VARIANT(map_remainder), VARIANT(map_fmod),
    VARIANT(map_maximum), VARIANT(map_minimum);
mlplk_map VARIANT(eq), VARIANT(ne), VARIANT(lt), VARIANT(le), VARIANT(gt), VARIANT(ge),
    VARIANT(isnan), VARIANT(isinf), VARIANT(isfinite);

/* The functions of vtrig.h and vspecial.h: kind and name. */
#define MLPLK_FUNCTIONS(K)                                                               \
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
  K(SQUARE, square)                                                                      \
  K(ERF, erf)                                                                            \
  K(ERFC, erfc)                                                                          \
  K(ERFINV, erfinv)                                                                      \
  K(LGAMMA, lgamma)                                                                      \
  K(DIGAMMA, digamma)                                                                    \
  K(POLYGAMMA, polygamma)                                                                \
  K(FLOOR, floor)                                                                        \
  K(CEIL, ceil)                                                                          \
  K(ROUND, round)                                                                        \
  K(TRUNC, trunc)                                                                        \
  K(FRAC, frac)                                                                          \
  K(HYPOT, hypot)                                                                        \
  K(LOGADDEXP, logaddexp)                                                                \
  K(XLOGY, xlogy)                                                                        \
  K(XLOGY_OFF, xlogy_off)                                                                \
  K(HEAVISIDE, heaviside)                                                                \
  K(COPYSIGN, copysign)                                                                  \
  K(NAN_TO_NUM, nan_to_num)                                                              \
  K(INF_TO_NUM, inf_to_num)                                                              \
  K(CLAMP, clamp)                                                                        \
  K(THRESHOLD, threshold)                                                                \
  K(GELU, gelu)                                                                          \
  K(GELU_TANH, gelu_tanh)                                                                \
  K(SILU, silu)                                                                          \
  K(MISH, mish)                                                                          \
  K(SOFTPLUS, softplus)                                                                  \
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
  K(GELU_GRAD, gelu_grad)                                                                \
  K(GELU_TANH_GRAD, gelu_tanh_grad)                                                      \
  K(SILU_GRAD, silu_grad)                                                                \
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

#define MLPLK_DECLARE_MAP(ID, name) mlplk_map VARIANT(map_##name);
MLPLK_FUNCTIONS(MLPLK_DECLARE_MAP)
#define MLPLK_MAP_ENTRY(ID, name) [MLPLK_##ID] = VARIANT(map_##name),

#define MLPLK_MAP_TABLE                                                                  \
  {                                                                                      \
    [MLPLK_COPY] = VARIANT(map_copy), [MLPLK_ADD] = VARIANT(map_add),                    \
    [MLPLK_SUB] = VARIANT(map_sub), [MLPLK_MUL] = VARIANT(map_mul),                      \
    [MLPLK_DIV] = VARIANT(map_div), [MLPLK_POW] = VARIANT(map_pow),                      \
    [MLPLK_SCALE] = VARIANT(map_scale), [MLPLK_ADD_SCALED] = VARIANT(map_add_scaled),    \
    [MLPLK_NEG] = VARIANT(map_neg), [MLPLK_ABS] = VARIANT(map_abs),                      \
    [MLPLK_SIGN] = VARIANT(map_sign), [MLPLK_POSITIVE] = VARIANT(map_positive),          \
    [MLPLK_EXP] = VARIANT(map_exp), [MLPLK_LOG] = VARIANT(map_log),                      \
    [MLPLK_SQRT] = VARIANT(map_sqrt), [MLPLK_RELU] = VARIANT(map_relu),                  \
    [MLPLK_LEAKY_RELU] = VARIANT(map_leaky_relu), [MLPLK_ELU] = VARIANT(map_elu),        \
    [MLPLK_SIGMOID] = VARIANT(map_sigmoid), [MLPLK_TANH] = VARIANT(map_tanh),            \
    [MLPLK_RELU_GRAD] = VARIANT(map_relu_grad),                                          \
    [MLPLK_LEAKY_GRAD] = VARIANT(map_leaky_grad),                                        \
    [MLPLK_ELU_GRAD] = VARIANT(map_elu_grad),                                            \
    [MLPLK_SIGMOID_GRAD] = VARIANT(map_sigmoid_grad),                                    \
    [MLPLK_TANH_GRAD] = VARIANT(map_tanh_grad),                                          \
    [MLPLK_SQUARED_DIFFERENCE] = VARIANT(map_squared_difference),                        \
    [MLPLK_BCE_LOGITS] = VARIANT(map_bce_logits),                                        \
    [MLPLK_BCE_LOGITS_GRAD] = VARIANT(map_bce_logits_grad),                              \
    [MLPLK_FLOOR_DIVIDE] = VARIANT(map_floor_divide),                                    \
    [MLPLK_REMAINDER] = VARIANT(map_remainder), [MLPLK_FMOD] = VARIANT(map_fmod),        \
    [MLPLK_MAXIMUM] = VARIANT(map_maximum), [MLPLK_MINIMUM] = VARIANT(map_minimum),      \
    MLPLK_FUNCTIONS(MLPLK_MAP_ENTRY)                                                     \
  }

#define MLPLK_LOGIC_TABLE                                                                \
  {                                                                                      \
    [MLPLK_EQ] = VARIANT(eq), [MLPLK_NE] = VARIANT(ne), [MLPLK_LT] = VARIANT(lt),        \
    [MLPLK_LE] = VARIANT(le), [MLPLK_GT] = VARIANT(gt), [MLPLK_GE] = VARIANT(ge),        \
    [MLPLK_ISNAN] = VARIANT(isnan), [MLPLK_ISINF] = VARIANT(isinf),                      \
    [MLPLK_ISFINITE] = VARIANT(isfinite),                                                \
  }

mlplk_map3 VARIANT(map_lerp), VARIANT(map_addcmul), VARIANT(map_addcdiv),
    VARIANT(map_clamp_grad), VARIANT(map_hardtanh_grad), VARIANT(map_softplus_grad),
    VARIANT(map_prelu_grad);

#define MLPLK_MAP3_TABLE                                                                 \
  {                                                                                      \
    [MLPLK_LERP] = VARIANT(map_lerp), [MLPLK_ADDCMUL] = VARIANT(map_addcmul),            \
    [MLPLK_ADDCDIV] = VARIANT(map_addcdiv),                                              \
    [MLPLK_CLAMP_GRAD] = VARIANT(map_clamp_grad),                                        \
    [MLPLK_HARDTANH_GRAD] = VARIANT(map_hardtanh_grad),                                  \
    [MLPLK_SOFTPLUS_GRAD] = VARIANT(map_softplus_grad),                                  \
    [MLPLK_PRELU_GRAD] = VARIANT(map_prelu_grad),                                        \
  }

#endif
