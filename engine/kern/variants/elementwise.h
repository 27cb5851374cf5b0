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
  }

#define MLPLK_LOGIC_TABLE                                                                \
  {                                                                                      \
    [MLPLK_EQ] = VARIANT(eq), [MLPLK_NE] = VARIANT(ne), [MLPLK_LT] = VARIANT(lt),        \
    [MLPLK_LE] = VARIANT(le), [MLPLK_GT] = VARIANT(gt), [MLPLK_GE] = VARIANT(ge),        \
    [MLPLK_ISNAN] = VARIANT(isnan), [MLPLK_ISINF] = VARIANT(isinf),                      \
    [MLPLK_ISFINITE] = VARIANT(isfinite),                                                \
  }

#endif
