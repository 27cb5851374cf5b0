/*
** Cases of every row of the operation table, as text, and their making. A row without
** cases cannot be checked: whoever adds one adds cases here.
**
** Inputs   sizes joined by x ("2x3"), s a tensor without axes, - left out; then letters:
**            t  stored in the reverse order of axes   n  cut out of a larger tensor
**            g  a gap behind every element            e  stretched along its first axis
**            i  i64 labels or places                  j  labels, every second one -100
**            w  i64 numbers   o  those but 0 and negative ones   b  truth values
**            k  i64 places, no two the same           m  a mask
**            u  u8 numbers, all of them               v  u8 numbers from 1 to 7
**            q  constants between 0 and 1
**            y  its symmetric part is used            d  a constant: no gradient is asked for
** Options  name=value, separated by blanks; sizes as above.
*/
#ifndef TEST_OP_CASES_H
#define TEST_OP_CASES_H

#include "support.h"
#include "window_cases.h"

#include "grad/grad.h"
#include "ops/ops.h"

#include <stdio.h>

typedef struct op_case {
  const char *op, *inputs, *options;
} op_case;

#define UNARY_CASES(f, o)                                                                \
  {f, "s", o}, {f, "1", o}, {f, "5", o}, {f, "2x3", o}, {f, "3x1", o}, {f, "1x4", o},    \
      {f, "1x1", o}, {f, "2x3t", o}, {f, "2x3n", o}, {f, "2x3g", o}, {f, "5g", o},       \
      {f, "3x2e", o}, {f, "2x3x2", o}, {f, "2x1x3t", o}, {f, "2x3x2n", o},               \
      {f, "1x2x1x2x1x1x2x1", o}, {f, "0", o}, {f, "0x3", o}, {f, "3x0", o},              \
      {f, "2x0x3t", o}, {f, "17", o}

#define BINARY_CASES(f)                                                                  \
  {f, "s s", ""}, {f, "3 3", ""}, {f, "1 1", ""}, {f, "3 1", ""}, {f, "s 3", ""},        \
      {f, "3 s", ""}, {f, "2x3 2x3", ""}, {f, "2x3 3", ""}, {f, "3 2x3", ""},            \
      {f, "2x3 2x1", ""}, {f, "2x1 1x3", ""}, {f, "1x1 2x3", ""}, {f, "2x3t 2x3", ""},   \
      {f, "2x3n 2x3g", ""}, {f, "2x3e 2x3", ""}, {f, "2x3 2x3e", ""},                    \
      {f, "2x1x3 4x1", ""}, {f, "2x3t 3g", ""}, {f, "1x2x1x2x1x1x2x1 2x1", ""},          \
      {f, "0 0", ""}, {f, "0x3 3", ""}, {f, "0x3 1x1", ""}, {f, "2x0 2x1", ""},          \
      {f, "0 1", ""}

/* whole numbers, and with real ones where those are taken */
#define WHOLE_CASES(f)                                                                   \
  {f, "sw so", ""}, {f, "3w 3o", ""}, {f, "2x3w 3o", ""}, {f, "2x3wt 2x1o", ""},         \
      {f, "2x3wn 2x3og", ""}, {f, "2x3w 2x3oe", ""}, {f, "0x3w 3o", ""},                 \
      {f, "17w 17o", ""}, {f, "sw 17o", ""}

/* u8, which wraps round, and u8 beside i64 */
#define BYTE_CASES(f)                                                                    \
  {f, "17u 17v", ""}, {f, "2x3ut 3v", ""}, {f, "3u 3o", ""}, {f, "0x3u 3v", ""}

#define REDUCTION_CASES(f)                                                               \
  {f, "s", ""}, {f, "s", "dim=0"}, {f, "s", "dim=-1 keepdim=1"}, {f, "1", "dim=0"},      \
      {f, "5", ""}, {f, "5g", "dim=0"}, {f, "2x3", ""}, {f, "2x3", "keepdim=1"},         \
      {f, "2x3", "dim=0"}, {f, "2x3", "dim=1"}, {f, "2x3", "dim=-1 keepdim=1"},          \
      {f, "2x3", "dim=-2 keepdim=1"}, {f, "2x3t", "dim=0"}, {f, "2x3t", ""},             \
      {f, "2x3n", "dim=1"}, {f, "2x3g", ""}, {f, "3x4", "dim=0"},                        \
      {f, "2x3x4", "dim=1"}, {f, "2x3x2t", "dim=1 keepdim=1"}, {f, "2x3x2n", ""},        \
      {f, "2x3x2t", ""}, {f, "1x3", "dim=0"}, {f, "3x1", "dim=1"},                       \
      {f, "1x2x1x2x1x1x2x1", "dim=3"}, {f, "0x3", "dim=1"}

/* Of rows with a set of axes; o: options that come first, with a blank at the end. */
#define AXES_CASES(f, o)                                                                 \
  {f, "s", o}, {f, "s", o "dim=0"}, {f, "s", o "dim=-1 keepdim=1"}, {f, "1", o "dim=0"}, \
      {f, "5", o}, {f, "5g", o "dim=0"}, {f, "2x3", o}, {f, "2x3", o "keepdim=1"},       \
      {f, "2x3", o "dim=0"}, {f, "2x3", o "dim=-1 keepdim=1"}, {f, "2x3t", o "dim=0"},   \
      {f, "2x3n", o "dim=1"}, {f, "2x3", o "dim=1x0"},                                   \
      {f, "2x3x4", o "dim=0x2"}, {f, "2x3x4", o "dim=-1x0 keepdim=1"},                   \
      {f, "2x3x2t", o "dim=1x2"}, {f, "2x3x2n", o "dim=0x1 keepdim=1"},                  \
      {f, "2x3x2", o "dim=0x1x2"}, {f, "2x3x2", o "dim=1"},                              \
      {f, "1x2x1x2x1x1x2x1", o "dim=1x-2"}, {f, "0x3", o "dim=1"},                       \
      {f, "0x3x2", o "dim=1x2"}

/* Of rows that work along the axis `dim` and keep its size, or give `o`. */
#define LINE_CASES(f, o)                                                                 \
  {f, "s", o "dim=0"}, {f, "s", o "dim=-1"}, {f, "1", o "dim=0"}, {f, "5", o "dim=0"},   \
      {f, "5g", o "dim=-1"}, {f, "1x4", o "dim=1"}, {f, "3x1", o "dim=1"},               \
      {f, "2x3", o "dim=1"}, {f, "2x3", o "dim=0"}, {f, "2x3t", o "dim=1"},              \
      {f, "2x3n", o "dim=-2"}, {f, "2x3g", o "dim=1"}, {f, "2x3x2", o "dim=1"},          \
      {f, "2x3x2t", o "dim=-1"}, {f, "2x3x2n", o "dim=0"},                               \
      {f, "1x2x1x2x1x1x2x1", o "dim=3"}, {f, "0x3", o "dim=1"}, {f, "3x0x2", o "dim=0"}
/* ... that need an element, have keepdim and take all axes where dim is left out. */
#define CHOICE_CASES(f, o)                                                               \
  {f, "s", o}, {f, "s", o "dim=0 keepdim=1"}, {f, "1", o "dim=0"}, {f, "5", o},          \
      {f, "5g", o "dim=-1"}, {f, "2x3", o}, {f, "2x3t", o}, {f, "2x3", o "keepdim=1"},   \
      {f, "2x3", o "dim=1"}, {f, "2x3", o "dim=0 keepdim=1"}, {f, "2x3t", o "dim=1"},    \
      {f, "2x3n", o "dim=-2"}, {f, "4x3x2", o "dim=0"},                                  \
      {f, "2x4x2t", o "dim=-2 keepdim=1"}, {f, "1x2x1x2x1x1x2x1", o "dim=3"},            \
      {f, "0x3", o "dim=1"}

#define ROW_CASES(f)                                                                     \
  {f, "s", "dim=0"}, {f, "s", "dim=-1"}, {f, "1", "dim=0"}, {f, "5", "dim=0"},           \
      {f, "5g", "dim=-1"}, {f, "1x4", "dim=1"}, {f, "3x1", "dim=1"},                     \
      {f, "2x3", "dim=1"}, {f, "2x3", "dim=0"}, {f, "2x3", "dim=-2"},                    \
      {f, "2x3t", "dim=1"}, {f, "2x3n", "dim=1"}, {f, "2x3g", "dim=1"},                  \
      {f, "3x2e", "dim=1"}, {f, "3x2e", "dim=0"}, {f, "2x3x2", "dim=1"},                 \
      {f, "2x3x2t", "dim=-1"}, {f, "2x3x2n", "dim=0"},                                   \
      {f, "1x2x1x2x1x1x2x1", "dim=3"}, {f, "0x3", "dim=1"}, {f, "3x0", "dim=1"},         \
      {f, "0", "dim=0"}

#define LOSS_CASES(f)                                                                    \
  {f, "s s", ""}, {f, "1 1", ""}, {f, "5 5", ""}, {f, "5 5", "reduction=sum"},           \
      {f, "5 5", "reduction=none"}, {f, "2x3 2x3", ""},                                  \
      {f, "2x3t 2x3", "reduction=none"}, {f, "2x3 2x3t", ""},                            \
      {f, "2x3n 2x3g", "reduction=sum"}, {f, "2x3e 2x3", ""},                            \
      {f, "2x3 2x3e", "reduction=none"}, {f, "1x1 1x1", "reduction=none"},               \
      {f, "3x1 3x1", "reduction=mean"}, {f, "1x4 1x4", "reduction=mean"},                \
      {f, "2x3x2 2x3x2", ""}, {f, "1x2x1x2x1x1x2x1 1x2x1x2x1x1x2x1", ""},                \
      {f, "0 0", "reduction=sum"}, {f, "0x3 0x3", "reduction=none"}, {f, "17 17", ""},   \
      {f, "5g 5", "reduction=none"}

/* Of a condition and two or three numbers that broadcast with it: c is 'b' or nothing. */
#define TERNARY_CASES(f, c, o)                                                           \
  {f, "s" c " s s", o}, {f, "3" c " 3 3", o}, {f, "3" c " s s", o},                      \
      {f, "s" c " 3 1", o}, {f, "2x3" c " 2x3 2x3", o}, {f, "2x3" c " 3 2x1", o},        \
      {f, "3" c " 2x1 2x3", o}, {f, "2x3t" c " 2x3n 2x3g", o},                           \
      {f, "2x3" c " 2x3t 2x3", o}, {f, "2x3e" c " 2x3 2x3e", o},                         \
      {f, "2x3n" c " 3g s", o}, {f, "2x1x3" c " 4x1 s", o}, {f, "0" c " 1 0", o},        \
      {f, "0x3" c " 3 0x1", o}, {f, "2x3x2" c " 2x3x2 2x1x2t", o},                       \
      {f, "17" c " 17 17", o}, {f, "1x2x1x2x1x1x2x1" c " 2x1 2x1x1", o}
#define GATE_CASES(o)                                                                    \
  {"gate", "2x3 2x3", o}, {"gate", "3 2x1t", o}, {"gate", "2x3n 3g", o},                 \
      {"gate", "17 17", o}, {"gate", "0 1", o}
#define PRELU_CASES                                                                      \
  {"prelu", "s s", ""}, {"prelu", "5 1", ""}, {"prelu", "5 s", ""},                      \
      {"prelu", "5g 1", ""},                                                             \
      {"prelu", "2x3 1", ""}, {"prelu", "2x3 3", ""}, {"prelu", "2x3t 3g", ""},          \
      {"prelu", "2x3n 3n", ""}, {"prelu", "2x3x2 3", ""}, {"prelu", "2x3x2t s", ""},     \
      {"prelu", "2x3x2n 3g", ""}, {"prelu", "1x2x1x2x1x1x2x1 2", ""},                    \
      {"prelu", "3x2e 2", ""}, {"prelu", "2x3 3e", ""}, {"prelu", "0x3 3", ""},          \
      {"prelu", "2x0 0", ""}, {"prelu", "3x1 1", ""}
#define GLU_CASES                                                                        \
  {"glu", "2", ""}, {"glu", "6g", "dim=0"}, {"glu", "2x4", ""}, {"glu", "2x4", "dim=0"}, \
      {"glu", "2x4t", "dim=-1"}, {"glu", "4x2n", "dim=-2"}, {"glu", "2x6x2", "dim=1"},   \
      {"glu", "2x2x3t", "dim=1"}, {"glu", "3x2e", ""}, {"glu", "4x3e", "dim=0"},         \
      {"glu", "0x4", ""}, {"glu", "2x0", ""}, {"glu", "1x2x1x2x1x1x2x1", "dim=3"}
#include "linalg_cases.h"

static const op_case op_cases[] = {
    LINALG_CASES,
    BINARY_CASES("add"), BINARY_CASES("sub"), BINARY_CASES("mul"), BINARY_CASES("div"),
    {"add", "2x3 2x3", "alpha=-1.5"}, {"add", "2x3t 3g", "alpha=2"},
    {"add", "3 2x1n", "alpha=-1"}, {"add", "2x3w 3o", "alpha=-3"},
    {"add", "s 3w", "alpha=2"}, {"add", "2x3b 3b", "alpha=1"},
    {"add", "2x3b 3b", "alpha=0"}, {"add", "0x3 3", "alpha=2"},
    {"sub", "2x3 2x3", "alpha=-1.5"}, {"sub", "2x3e 2x1", "alpha=3"},
    {"sub", "17w 17o", "alpha=2"}, {"sub", "3w 2x3o", "alpha=-1"}, BINARY_CASES("rsub"),
    {"rsub", "2x3t 3", "alpha=0.5"}, {"rsub", "2x3w 3o", "alpha=2"},
    WHOLE_CASES("rsub"),
    BINARY_CASES("pow"), UNARY_CASES("neg", ""), UNARY_CASES("abs", ""),
    UNARY_CASES("sign", ""), UNARY_CASES("positive", ""),
    UNARY_CASES("affine", "scale=-1.5 shift=0.25"), {"affine", "2x3", "scale=2 shift=0"},
    UNARY_CASES("exp", ""), UNARY_CASES("log", ""), UNARY_CASES("sqrt", ""),
    UNARY_CASES("relu", ""), UNARY_CASES("leaky_relu", ""),
    {"leaky_relu", "2x3", "negative_slope=0.3"},
    {"leaky_relu", "2x3", "negative_slope=-2"}, {"leaky_relu", "2x3", "negative_slope=0"},
    UNARY_CASES("elu", ""), {"elu", "2x3", "alpha=0.5"}, {"elu", "2x3t", "alpha=3"},
    {"elu", "7", "alpha=0"}, UNARY_CASES("sigmoid", ""), UNARY_CASES("tanh", ""),
    UNARY_CASES("clone", ""),

    UNARY_CASES("sin", ""),
    UNARY_CASES("cos", ""),
    UNARY_CASES("tan", ""),
    UNARY_CASES("asin", ""),
    UNARY_CASES("acos", ""),
    UNARY_CASES("atan", ""),
    UNARY_CASES("sinh", ""),
    UNARY_CASES("cosh", ""),
    UNARY_CASES("asinh", ""),
    UNARY_CASES("acosh", ""),
    UNARY_CASES("atanh", ""),
    UNARY_CASES("sinc", ""), UNARY_CASES("sinc_slope", "n=1"), {"sinc_slope", "2x3t", "n=2"},
    {"sinc_slope", "5", "n=0"}, {"sinc_slope", "2x3g", "n=5"},
    UNARY_CASES("exp2", ""),
    UNARY_CASES("expm1", ""),
    UNARY_CASES("log2", ""),
    UNARY_CASES("log10", ""),
    UNARY_CASES("log1p", ""),
    UNARY_CASES("rsqrt", ""),
    UNARY_CASES("reciprocal", ""),
    UNARY_CASES("square", ""),
    UNARY_CASES("erf", ""),
    UNARY_CASES("erfc", ""),
    UNARY_CASES("erfinv", ""),
    UNARY_CASES("lgamma", ""),
    UNARY_CASES("digamma", ""),
    UNARY_CASES("floor", ""),
    UNARY_CASES("ceil", ""),
    UNARY_CASES("round", ""), {"round", "2x3", "decimals=1"}, {"round", "5g", "decimals=2"},
    {"round", "2x3t", "decimals=-1"},
    UNARY_CASES("trunc", ""),
    UNARY_CASES("frac", ""),
    UNARY_CASES("deg2rad", ""),
    UNARY_CASES("rad2deg", ""),
    UNARY_CASES("nan_to_num", ""),
    UNARY_CASES("gelu", ""),
    UNARY_CASES("silu", ""),
    UNARY_CASES("mish", ""),
    UNARY_CASES("softplus", ""),
    UNARY_CASES("softsign", ""),
    UNARY_CASES("hardtanh", ""),
    UNARY_CASES("relu6", ""),
    UNARY_CASES("hardsigmoid", ""),
    UNARY_CASES("hardswish", ""),
    UNARY_CASES("selu", ""),
    UNARY_CASES("celu", ""),
    UNARY_CASES("logsigmoid", ""),
    UNARY_CASES("tanhshrink", ""),
    UNARY_CASES("softshrink", ""),
    UNARY_CASES("hardshrink", ""),
    UNARY_CASES("step", ""),
    UNARY_CASES("polygamma", "n=1"), {"polygamma", "2x3", "n=0"},
    {"polygamma", "2x3t", "n=2"}, {"polygamma", "5", "n=3"},
    {"nan_to_num", "2x3", "nan=2 posinf=3 neginf=-3"},
    UNARY_CASES("clamp", "min=-0.7 max=0.9"), {"clamp", "2x3", "min=0.1"},
    {"clamp", "2x3t", "max=0.1"}, {"clamp", "7", "min=0.5 max=-0.5"},
    {"clamp_by", "2x3 2x3 2x3", ""}, {"clamp_by", "s s s", ""},
    {"clamp_by", "2x3 3", ""}, {"clamp_by", "2x3t - 2x1", ""},
    {"clamp_by", "3 2x1n 3g", ""}, {"clamp_by", "2x3e s 4x1x1", ""},
    {"clamp_by", "17 17 s", ""}, {"clamp_by", "0x3 3 1", ""},
    {"clamp_by", "2x3w 3w s", ""}, {"clamp_by", "5w - 5w", ""},
    {"clamp_by", "60 60 60", ""}, BINARY_CASES("clamp_min"), BINARY_CASES("clamp_max"),
    WHOLE_CASES("clamp_min"), WHOLE_CASES("clamp_max"),
    {"gelu", "2x3", "approximate=none"}, UNARY_CASES("gelu", "approximate=tanh"),
    {"softplus", "17", "beta=3 threshold=1"}, {"softplus", "2x3t", "beta=-0.5"},
    {"hardtanh", "17", "min_val=-0.3 max_val=0.6"}, {"celu", "17", "alpha=0.3"},
    {"celu", "2x3n", "alpha=2"}, {"softshrink", "17", "lambd=0.1"},
    {"hardshrink", "17", "lambd=0"}, {"hardshrink", "17g", "lambd=1"},
    UNARY_CASES("threshold", "threshold=0.3 value=-2"), PRELU_CASES, GLU_CASES,
    BINARY_CASES("atan2"), BINARY_CASES("hypot"), BINARY_CASES("logaddexp"),
    BINARY_CASES("logaddexp2"), BINARY_CASES("float_power"), BINARY_CASES("ldexp"),
    BINARY_CASES("fmax"), BINARY_CASES("fmin"), {"fmax", "3w 2x3w", ""}, {"fmin", "3w 3", ""},
    {"fmax", "2x3b 3b", ""}, {"ldexp", "3w 3", ""}, {"float_power", "3o 2x3o", ""}, UNARY_CASES("logit", ""),
    {"logit", "2x3", "eps=0.3"}, {"logit", "7", "eps=0"},
    BINARY_CASES("xlogy"), BINARY_CASES("heaviside"), BINARY_CASES("copysign"),
    GATE_CASES("side=above"), GATE_CASES("side=below at=0.5"),
    GATE_CASES("side=from at=-0.5"), GATE_CASES("side=up_to"),
    GATE_CASES("side=outside at=0.7"), GATE_CASES("side=inside at=1"),
    TERNARY_CASES("lerp", "", ""), TERNARY_CASES("addcmul", "", "value=-1.5"),
    {"addcmul", "2x3 2x3 2x3", ""}, TERNARY_CASES("addcdiv", "", "value=0.5"),
    {"addcdiv", "2x3 2x3 2x3", ""}, TERNARY_CASES("where", "b", ""),
    {"masked_fill", "s sb", "value=2"}, {"masked_fill", "2x3 2x3b", "value=-1"},
    {"masked_fill", "2x3 3b", "value=0"}, {"masked_fill", "3 2x1b", "value=0.5"},
    {"masked_fill", "2x3t 2x3nb", "value=3"}, {"masked_fill", "2x3g sb", "value=1"},
    {"masked_fill", "2x3e 2x3tb", "value=1"}, {"masked_fill", "2x1x3 4x1b", "value=7"},
    {"masked_fill", "0 1b", "value=1"}, {"masked_fill", "0x3 3b", "value=1"},
    {"masked_fill", "17 17gb", "value=1e30"},
    {"masked_fill_by", "s sb s", ""}, {"masked_fill_by", "2x3 2x3b s", ""},
    {"masked_fill_by", "2x3t 3b s", ""}, {"masked_fill_by", "3g 2x1nb s", ""},
    {"masked_fill_by", "2x3e 2x3tb s", ""}, {"masked_fill_by", "0x3 3b s", ""},
    {"masked_fill_by", "1x4 4b s", ""}, {"masked_fill_by", "5w 5b sw", ""},
    {"masked_fill_by", "5w 5b su", ""}, {"masked_fill_by", "2x3 3b so", ""},

    REDUCTION_CASES("sum"), {"sum", "0", ""}, {"sum", "0x3", "dim=0"},
    {"sum", "0x3", "keepdim=1"}, {"sum", "2x0", "dim=-1 keepdim=1"},
    REDUCTION_CASES("mean"), {"mean", "0", ""}, {"mean", "0x3", "dim=0"},
    {"mean", "2x0", "dim=1"}, REDUCTION_CASES("max"), REDUCTION_CASES("argmax"),
    {"sum", "2x3x4", "dim=0x2"}, {"sum", "2x3x4t", "dim=-1x1 keepdim=1"},
    {"sum", "0x3x2", "dim=0x2"}, {"mean", "2x3x4", "dim=0x2"},
    {"mean", "2x3x4n", "dim=-1x1 keepdim=1"}, REDUCTION_CASES("min"),
    REDUCTION_CASES("argmin"), AXES_CASES("amax", ""), AXES_CASES("amin", ""),
    AXES_CASES("any", ""), {"any", "0", ""}, {"any", "2x0", "dim=1"},
    AXES_CASES("all", ""), {"all", "0", ""}, {"all", "2x0", "dim=1"},
    {"count_nonzero", "s", ""}, {"count_nonzero", "2x3", "dim=0"},
    {"count_nonzero", "2x3x4t", "dim=0x2"}, {"count_nonzero", "2x3n", "dim=-1"},
    {"count_nonzero", "0x3", "dim=0"}, {"count_nonzero", "5g", ""},
    {"count_nonzero", "1x4", "dim=-1"},
    AXES_CASES("prod", ""), {"prod", "0", ""}, {"prod", "0x3", "dim=0"},
    {"prod", "2x3x2e", "dim=1"}, AXES_CASES("var", "correction=0 "),
    AXES_CASES("std", "unbiased=0 "), {"var", "5", ""}, {"var", "3x4", "dim=0"},
    {"var", "3x4t", "dim=0x1 unbiased=1"}, {"var", "4x3", "dim=0 correction=2"},
    {"var", "4x3", "dim=0 correction=0.5"}, {"std", "5g", ""}, {"std", "3x4", "dim=1"},
    {"std", "2x3x4n", "dim=0x2"}, {"std", "4x3", "dim=0 correction=2"},
    AXES_CASES("norm", ""), AXES_CASES("norm", "p=3 "), AXES_CASES("norm", "p=inf "),
    {"norm", "2x3", "p=1 dim=0"}, {"norm", "2x3t", "p=0"}, {"norm", "2x3", "p=-inf dim=1"},
    {"norm", "2x3n", "p=0.5"}, {"norm", "2x3", "p=-2 dim=1"}, {"norm", "2x3", "p=1.5"},
    {"norm", "0", ""}, {"norm", "2x0", "dim=1"}, {"norm", "2x3x2", "p=-inf dim=0x2"},
    AXES_CASES("logsumexp", ""), UNARY_CASES("floored", ""),
    {"var_mean", "5", ""}, {"var_mean", "3x4t", "dim=0"},
    {"var_mean", "2x3x4n", "dim=0x2 keepdim=1"}, {"var_mean", "4x3", "dim=0 correction=2"},
    {"var_mean", "0x3", "dim=1"}, {"var_mean", "2x1x3", "dim=-1 keepdim=1"},
    {"std_mean", "5g", ""}, {"std_mean", "3x4", "dim=1 keepdim=1"},
    {"std_mean", "4x3t", "dim=0 correction=0"},
    {"std_mean", "0x3", "dim=1"}, {"std_mean", "1x3x2t", "dim=-2"},
    {"aminmax", "2x3", ""},
    {"aminmax", "2x3t", "dim=1"}, {"aminmax", "2x3n", "dim=0 keepdim=1"},
    {"aminmax", "5w", ""},
    {"aminmax", "0x3", "dim=1"}, {"aminmax", "1x4", "dim=-1"},
    {"aminmax", "3x1t", "dim=-2 keepdim=1"},
    AXES_CASES("nansum", ""), {"nansum", "2x3w", "dim=1"},
    {"nansum", "0", ""}, AXES_CASES("nanmean", ""), {"cov", "5", ""}, {"cov", "3x4", ""},
    {"cov", "2x5t", "correction=0"}, {"cov", "1x4n", ""}, {"cov", "3x5 5o -", ""},
    {"cov", "2x6t 6o 6g", "correction=0"}, {"cov", "3x4n - 4", ""}, {"cov", "5 - 5", ""},
    {"cov", "1x5 5og 5n", ""},
    {"cov", "0x3", ""}, {"cov", "3x1", "correction=0"},
    {"corrcoef", "3x5", ""},
    {"corrcoef", "2x6t", ""}, {"corrcoef", "5", ""},
    {"corrcoef", "0x3", ""}, {"corrcoef", "1x4", ""},
    {"trapezoid", "5", ""},
    {"trapezoid", "2x3t", "dx=0.5"}, {"trapezoid", "4x2n", "dim=0"},
    {"trapezoid", "2x4 4", ""}, {"trapezoid", "4x3 4", "dim=0"},
    {"trapezoid", "2x4 2x4t", "dim=-1"},
    {"trapezoid", "0x3", ""}, {"trapezoid", "2x0", ""}, {"trapezoid", "1x3", "dim=-1"},
    {"trapezoid", "0x3 3", ""},
    {"cumulative_trapezoid", "5", "dx=2"}, {"cumulative_trapezoid", "2x4g 4", ""},
    {"cumulative_trapezoid", "4x2x2 4", "dim=0"}, {"cumulative_trapezoid", "2x3", ""},
    {"cumulative_trapezoid", "0x3", ""}, {"cumulative_trapezoid", "1x3", "dim=-2"},
    {"cumulative_trapezoid", "3x1t", "dim=-2"},
    LINE_CASES("cumsum", ""), LINE_CASES("cumprod", ""), LINE_CASES("logcumsumexp", ""),
    LINE_CASES("cummax", ""), LINE_CASES("cummin", ""), {"cumsum", "3x2e", "dim=0"},
    LINE_CASES("recur", ""), LINE_CASES("recur", "reverse=1 "),
    {"recur", "4 4", "dim=0"}, {"recur", "4 4", "dim=0 lag=1"},
    {"recur", "4 4g", "dim=0 reverse=1"}, {"recur", "4 4", "dim=0 reverse=1 lag=1"},
    {"recur", "2x3t 2x3", "dim=1"}, {"recur", "3x2 3x2n", "dim=0 lag=1"},
    {"recur", "3x2 3x2", "dim=-2 reverse=1"}, {"recur", "2x3x2 2x3x2", "dim=1 lag=1"},
    {"diff", "5", ""}, {"diff", "5g", "n=2"}, {"diff", "5", "n=0"}, {"diff", "5", "n=5"},
    {"diff", "5", "n=7"}, {"diff", "1", ""}, {"diff", "2x3", "dim=0"},
    {"diff", "2x3t", "dim=1"}, {"diff", "2x4x2n", "dim=1 n=3"}, {"diff", "0x3", ""},
    {"diff", "0", ""}, {"diff", "3x2e", "dim=1"}, {"difference", "5g", "n=2"},
    {"difference", "2x4t", "dim=-1"},
    {"difference", "0x3", "n=1 dim=1"}, {"difference", "1x4", "n=2 dim=-1"},
    {"diff", "5 2 3", ""}, {"diff", "2x3 - 2x1", "n=2"},
    {"diff", "2x3t 1x3 -", "dim=0"}, {"diff", "2x3x2n 2x2x2 2x1x2g", "dim=1 n=2"},
    {"diff", "5w 2", ""}, {"diff", "0 1 2", ""},
    {"diff", "2x4t", "dim=-1"},
    LINE_CASES("sort", ""), LINE_CASES("sort", "descending=1 stable=1 "),
    {"sort", "2x3", ""}, {"sort", "60", ""}, LINE_CASES("argsort", ""),
    LINE_CASES("argsort", "descending=1 "), {"argsort", "2x3", "stable=0"},
    {"topk", "s", "k=1"}, {"topk", "s", "k=0"}, {"topk", "5", "k=0"}, {"topk", "5", "k=2"},
    {"topk", "5g", "k=5"}, {"topk", "2x3", "k=2 dim=0"}, {"topk", "2x3t", "k=2 dim=1"},
    {"topk", "2x4x2n", "k=3 dim=-2 largest=0"}, {"topk", "0x3", "k=2"},
    {"topk", "70", "k=7 sorted=1"}, {"topk", "70", "k=60 largest=0"},
    {"topk", "1x4", "k=2 dim=-1"}, {"topk", "3x1", "k=1"},
    {"kthvalue", "s", "k=1"}, {"kthvalue", "5", "k=2"}, {"kthvalue", "5g", "k=5"},
    {"kthvalue", "2x3t", "k=1 dim=0"}, {"kthvalue", "2x3n", "k=3 keepdim=1"},
    {"kthvalue", "2x4x2", "k=2 dim=1 keepdim=1"}, {"kthvalue", "0x3", "k=2 dim=1"},
    {"kthvalue", "1x4", "k=2 dim=-1"}, {"kthvalue", "3x1", "k=1"},
    CHOICE_CASES("nanmedian", ""),
    {"nanmedian", "7w", ""}, LINE_CASES("mode", ""), {"mode", "9w", ""},
    {"mode", "3x7w", "dim=0"}, {"mode", "3x7wt", "dim=1 keepdim=1"},
    {"mode", "4x3x2n", "dim=1 keepdim=1"}, CHOICE_CASES("median", ""), {"median", "0", ""}, CHOICE_CASES("quantile", "q=0.3 "),
    CHOICE_CASES("nanquantile", "q=0.3 "),
    {"nanquantile", "5", "q=0"}, {"nanquantile", "2x3", "q=1 dim=1"},
    {"nanquantile", "6", "q=0.3 interpolation=linear"},
    {"nanquantile", "6", "q=0.3 interpolation=lower"},
    {"nanquantile", "2x6t", "q=0.3 dim=1 interpolation=higher"},
    {"nanquantile", "6x2", "q=0.9 dim=0 interpolation=midpoint"},
    {"nanquantile", "6", "q=0.5 interpolation=nearest"},
    {"nanquantiles", "6 2q", "interpolation=linear"},
    {"nanquantiles", "6 2q", "interpolation=lower"},
    {"nanquantiles", "6 2q", "interpolation=higher"},
    {"nanquantiles", "6 2q", "interpolation=midpoint"},
    {"nanquantiles", "6 2q", "interpolation=nearest"},
    {"nanquantiles", "5 3q", ""}, {"nanquantiles", "2x6t 2q", "dim=1 keepdim=1"},
    {"nanquantiles", "2x6 0q", "dim=1"}, {"nanquantiles", "4x1 2q", "dim=-2"},
    {"quantile", "5", "q=0"}, {"quantile", "2x3", "q=1 dim=1"},
    {"quantile", "5", "q=0.25"}, {"quantile", "6", "q=0.3 interpolation=linear"},
    {"quantile", "6", "q=0.3 interpolation=lower"},
    {"quantile", "2x6t", "q=0.3 dim=1 interpolation=higher"},
    {"quantile", "6x2", "q=0.9 dim=0 interpolation=midpoint"},
    {"quantile", "5", "q=0.5 interpolation=midpoint"},
    {"quantile", "6", "q=0.5 interpolation=nearest"},
    {"quantile", "4x2", "q=0.5 dim=0 interpolation=nearest"},
    {"quantiles", "5 3q", ""}, {"quantiles", "2x6t 2q", "dim=1"},
    {"quantiles", "4x3n 3qg", "dim=0 keepdim=1"}, {"quantiles", "2x3 sq", ""},
    {"quantiles", "6 2q", "interpolation=linear"},
    {"quantiles", "6 2q", "interpolation=lower"}, {"quantiles", "6 2q", "interpolation=higher"},
    {"quantiles", "6 2q", "interpolation=midpoint"},
    {"quantiles", "6 2q", "interpolation=nearest"}, {"quantiles", "2x6 0q", "dim=1"},
    {"quantiles", "4x1 2q", "dim=-2"},
    {"take_along", "3 1i", "dim=0"},
    {"take_along", "2x3 2x5i", "dim=1"}, {"take_along", "4x3t 2x3i", "dim=0"},
    {"take_along", "2x3x2n 2x4x2i", "dim=1"}, {"add_along", "1 1i", "dim=0 size=3"},
    {"add_along", "5 5i", "dim=0 size=3"}, {"add_along", "2x4 2x4i", "dim=1 size=3"},
    {"add_along", "2x3t 2x3i", "dim=0 size=4"},
    {"add_along", "2x3x2n 2x3x2i", "dim=1 size=2"}, {"bincount", "6i", ""},
    {"bincount", "6i", "minlength=9"}, {"bincount", "6i 6", ""}, {"bincount", "0i", ""},
    {"bincount", "6i 6g", "minlength=3"},
    {"bincount", "1i", ""},
    {"histc", "2x3", ""}, {"histc", "17", "bins=4"},
    {"histc", "2x3t", "bins=3 min=-1 max=1"}, {"histc", "0", "bins=3"},
    {"histc", "1x4", "bins=3"},
    {"bucketize", "3 4", ""}, {"bucketize", "2x3t 5", "right=1"}, {"bucketize", "s 3", ""},
    {"bucketize", "3 0", ""},
    {"bucketize", "1x3 4", ""},
    {"searchsorted", "5 3", ""}, {"searchsorted", "5 2x3t", ""},
    {"searchsorted", "5 s", "right=1"}, {"searchsorted", "2x4 2x3", "right=1"},
    {"searchsorted", "2x4n 2x3", ""}, {"searchsorted", "0 3", ""},
    {"searchsorted", "1x4 1x3", ""}, {"searchsorted", "4 0", ""},
    {"sum_to_size", "2x3", "sizes=2x3"}, {"sum_to_size", "2x3", "sizes=1x3"},
    {"sum_to_size", "2x3", "sizes=3"}, {"sum_to_size", "2x3", "sizes=1"},
    {"sum_to_size", "2x3", "sizes=s"}, {"sum_to_size", "2x3", "sizes=2x1"},
    {"sum_to_size", "2x3x4", "sizes=3x1"}, {"sum_to_size", "2x3x4t", "sizes=2x1x4"},
    {"sum_to_size", "2x3n", "sizes=3"}, {"sum_to_size", "0x3", "sizes=3"},
    {"sum_to_size", "s", "sizes=s"}, {"sum_to_size", "2x3g", "sizes=1x1"},
    {"sum_to_size", "2x1x3", "sizes=1x1x3"},

    {"matmul", "1x1 1x1", ""}, {"matmul", "2x3 3x4", ""}, {"matmul", "1x3 3x1", ""},
    {"matmul", "3x1 1x3", ""}, {"matmul", "2x3t 3x4", ""}, {"matmul", "2x3 3x4t", ""},
    {"matmul", "2x3t 3x4t", ""}, {"matmul", "2x3n 3x4g", ""}, {"matmul", "2x3g 3x4n", ""},
    {"matmul", "2x3e 3x2", ""}, {"matmul", "2x3 3x2e", ""}, {"matmul", "0x3 3x2", ""},
    {"matmul", "2x0 0x3", ""}, {"matmul", "2x3 3x0", ""}, {"matmul", "0x0 0x0", ""},
    {"matmul", "5x7 7x3", ""}, {"matmul", "1x7 7x5", ""}, {"matmul", "7x2 2x1", ""},
    {"matmul", "4x4 4x4", ""}, {"matmul", "3x5t 5x2n", ""},

    {"addmv", "3 3x4 4", ""}, {"addmv", "s 3x4t 4g", "beta=0.5 alpha=-2"},
    {"addmv", "1 3x4 4", "beta=0"}, {"addmv", "3 3x0 0", ""}, {"addr", "3x4 3 4", ""},
    {"addr", "4 3g 4", "beta=2 alpha=3"}, {"addr", "s 2 3", "beta=0"},
    {"addr", "0x4 0 4", ""}, {"addr", "1x4 1 4", "alpha=2"},
    {"addbmm", "2x4 3x2x5 3x5x4", ""}, {"addbmm", "4 3x2x5t 3x5x4n", "beta=-1 alpha=0.5"},
    {"addbmm", "2x1 1x2x3 1x3x2", ""},
    {"addbmm", "2x4 0x2x5 0x5x4", "beta=2"}, {"addbmm", "2x4 3x2x0 3x0x4", ""},
    {"kron", "2x3 3x2", ""}, {"kron", "2 3x2", ""},
    {"kron", "s 2x2t", ""}, {"kron", "2x1x2 1x3x2n", ""}, {"kron", "2w 3w", ""},
    {"kron", "0x2 2x2", ""}, {"cross", "3 3", ""}, {"cross", "2x3 2x3t", ""},
    {"cross", "3x2 3x2n", "dim=0"}, {"cross", "4x3 1x3", "dim=-1"}, {"cross", "3w 3w", ""},
    {"cross", "0x3 0x3", ""},
    {"cdist", "3x2 4x2", ""}, {"cdist", "2x3x2t 2x4x2n", ""}, {"cdist", "3x2 2x4x2", "p=1"},
    {"cdist", "3x2 4x2", "p=3"}, {"cdist", "3x2 4x2", "p=inf"}, {"cdist", "2x3 26x3", ""},
    {"pdist", "5x3", ""}, {"pdist", "4x2t", "p=1"}, {"pdist", "6x2n", "p=3"},
    {"pdist", "4x3g", "p=inf"}, {"pdist", "1x3", ""}, {"pdist", "0x3", ""},
    {"dist", "3 3", ""}, {"dist", "2x3t 3", "p=3"}, {"dist", "2x1n 1x3", "p=1"},
    {"dist", "s 4g", "p=inf"},
    {"dist", "0 0", ""}, {"dist", "0x3 0x3", "p=1"},
    {"pairwise_distance", "3x4 3x4", ""},
    {"pairwise_distance", "3x4t 4", "p=1 eps=0.001"},
    {"pairwise_distance", "2x3x4 3x1", "p=3 keepdim=1"},
    {"pairwise_distance", "5 5", ""},
    {"pairwise_distance", "0x4 0x4", ""},
    {"cosine_similarity", "3x4 3x4", ""},
    {"cosine_similarity", "3x4t 4", "dim=0"}, {"cosine_similarity", "2x3x4n 3x1", "dim=-1"},
    {"cosine_similarity", "5 5g", "dim=0 eps=0.1"}, {"cosine_similarity", "2x3x2 2x3x2", ""},
    {"cosine_similarity", "0x4 0x4", ""}, {"cosine_similarity", "0x4 4", "dim=-1"},
    {"normalize", "3x4", ""}, {"normalize", "3x4t", "p=1 dim=0"},
    {"normalize", "2x3x4n", "p=3 dim=-1 eps=0.01"}, {"normalize", "5g", "dim=0"},
    {"normalize", "0x3", ""},
    {"normalize", "1x4", ""}, {"normalize", "3x1", "p=1"},
    {"cdist", "0x3 2x3", ""}, {"cdist", "2x27x3 2x2x3", ""},
    {"cdist", "1x2 3x2", ""}, {"cdist", "3x0 2x0", ""},
    {"block_diag", "2x3 1x2 2", ""}, {"block_diag", "s 2x2t 3x1", ""},
    {"block_diag", "2x2w 2x1", ""}, {"block_diag", "2x3", ""},
    {"block_diag", "0x2 2x1", ""}, {"block_diag", "2x2 0", ""},
    {"cartesian_prod", "2 3", ""},
    {"cartesian_prod", "2g 1 3", ""}, {"cartesian_prod", "4 0", ""},
    {"cartesian_prod", "3", ""}, {"cartesian_prod", "2w 3", ""},
    {"linear", "2x3 4x3", ""}, {"linear", "2x3 4x3 4", ""},
    {"linear", "2x3 4x3 4", "activation=relu"}, {"linear", "2x3 4x3", "activation=relu"},
    {"linear", "2x3 4x3 -", "activation=none"}, {"linear", "1x3 4x3 4", ""},
    {"linear", "3 4x3 4", ""}, {"linear", "3 4x3", "activation=relu"},
    {"linear", "2x2x3 4x3 4", ""}, {"linear", "2x2x3t 4x3 4", "activation=relu"},
    {"linear", "2x2x3n 4x3 4", ""}, {"linear", "2x3t 4x3t 4g", ""},
    {"linear", "2x3n 4x3g 4e", ""}, {"linear", "2x3e 4x3 4", "activation=relu"},
    {"linear", "2x1 1x1 1", ""}, {"linear", "5x1 3x1 3", ""}, {"linear", "5x3 1x3 1", ""},
    {"linear", "0x3 4x3 4", ""}, {"linear", "2x0 4x0 4", ""}, {"linear", "2x3 0x3 0", ""},
    {"linear", "2x0 4x0", "activation=relu"}, {"linear", "1x2x1x3 2x3 2", ""},
    {"linear", "7x5 6x5 6", ""},

    {"transpose", "2x3", "dim0=0 dim1=1"}, {"transpose", "2x3t", "dim0=-1 dim1=0"},
    {"transpose", "2x3x4", "dim0=0 dim1=2"}, {"transpose", "2x3x4n", "dim0=1 dim1=-1"},
    {"transpose", "5", "dim0=0 dim1=0"}, {"transpose", "0x3", "dim0=0 dim1=1"},
    {"transpose", "1x3x2", "dim0=0 dim1=-1"},
    {"t", "2x3", ""}, {"t", "2x3n", ""}, {"t", "5", ""}, {"t", "s", ""}, {"t", "0x3", ""},
    {"t", "3x2e", ""},
    {"t", "1x3", ""},
    {"reshape", "2x3", "sizes=6"}, {"reshape", "2x3", "sizes=3x2"},
    {"reshape", "2x3t", "sizes=3x2"}, {"reshape", "2x3", "sizes=-1"},
    {"reshape", "2x3x2n", "sizes=-1x4"}, {"reshape", "1", "sizes=s"},
    {"reshape", "s", "sizes=1x1"}, {"reshape", "0x3", "sizes=3x0"},
    {"reshape", "0x3", "sizes=-1x3"}, {"reshape", "2x3e", "sizes=2x3"},
    {"flatten", "2x3x2", ""}, {"flatten", "2x3x2", "start_dim=1"},
    {"flatten", "2x3x2t", "end_dim=1"}, {"flatten", "2x3x2", "start_dim=-2 end_dim=-1"},
    {"flatten", "s", ""}, {"flatten", "5", ""}, {"flatten", "0x3", ""},
    {"flatten", "2x3n", ""}, {"flatten", "2x3x2", "start_dim=1 end_dim=1"},
    {"flatten", "1x3x1", "start_dim=-2"},
    {"narrow", "5", "dim=0 start=1 length=3"},
    {"narrow", "5", "dim=-1 start=-2 length=2"},
    {"narrow", "5", "dim=0 start=5 length=0"},
    {"narrow", "3x4", "dim=1 start=1 length=2"},
    {"narrow", "3x4t", "dim=0 start=0 length=2"},
    {"narrow", "2x3x4n", "dim=1 start=2 length=1"},
    {"narrow", "0x3", "dim=1 start=1 length=2"},
    {"narrow", "0x3", "dim=0 start=0 length=0"},
    {"narrow", "1x4", "dim=-1 start=1 length=2"},
    {"narrow", "3x1", "dim=1 start=0 length=1"},
    {"select", "5", "dim=0 index=2"},
    {"select", "5g", "dim=-1 index=-1"}, {"select", "3x4", "dim=1 index=0"},
    {"select", "3x4t", "dim=0 index=2"}, {"select", "2x3x4n", "dim=1 index=-2"},
    {"select", "0x3", "dim=1 index=1"}, {"select", "1x3", "dim=0 index=0"},
    {"expand", "3", "sizes=2x3"}, {"expand", "1", "sizes=4"},
    {"expand", "2x1", "sizes=2x3"}, {"expand", "s", "sizes=2x2"},
    {"expand", "s", "sizes=s"}, {"expand", "2x1t", "sizes=3x-1x2"},
    {"expand", "1x3n", "sizes=2x3"}, {"expand", "1x3", "sizes=0x3"},
    {"expand", "3", "sizes=0x3"}, {"expand", "1", "sizes=0"},
    {"expand", "0x1", "sizes=0x3"}, {"expand", "2x1x3t", "sizes=2x2x3"},
    {"place", "2", "dim=0 start=1 size=4"}, {"place", "2x3", "dim=1 start=0 size=5"},
    {"place", "2x3t", "dim=0 start=2 size=4"}, {"place", "0x3", "dim=0 start=0 size=2"},
    {"spread", "1 1i", "dim=0 size=3"}, {"spread", "2x1 2x1i", "dim=1 size=3"},
    {"spread", "1x3t 1x3i", "dim=0 size=4"}, {"spread", "2x1x2 2x1x2i", "dim=1 size=3"},
    {"pick", "3 1i", "dim=0"}, {"pick", "2x3 2x1i", "dim=1"},
    {"pick", "4x3t 1x3i", "dim=0"}, {"pick", "2x3x2n 2x1x2i", "dim=1"},

    WINDOW_CASES,

    ROW_CASES("softmax"), ROW_CASES("log_softmax"),

    {"cross_entropy", "3x4 3i", "reduction=mean"},
    {"cross_entropy", "3x4 3i", "reduction=sum"},
    {"cross_entropy", "3x4 3i", "reduction=none"}, {"cross_entropy", "1x2 1i", ""},
    {"cross_entropy", "3x1 3i", ""}, {"cross_entropy", "3x4 3j", ""},
    {"cross_entropy", "4x3 4j", "reduction=none"},
    {"cross_entropy", "5x3 5i", "ignore_index=1"},
    {"cross_entropy", "5x3 5i", "ignore_index=1 reduction=sum"},
    {"cross_entropy", "3x4 3i", "label_smoothing=0.1"},
    {"cross_entropy", "3x4 3i", "label_smoothing=1"}, {"cross_entropy", "3x4 3i 4", ""},
    {"cross_entropy", "3x4 3i 4", "reduction=sum label_smoothing=0.1"},
    {"cross_entropy", "5x3 5i 3g", "reduction=none label_smoothing=0.3 ignore_index=0"},
    {"cross_entropy", "5x3 5j 3", "label_smoothing=0.2"},
    {"cross_entropy", "3x4t 3i", ""}, {"cross_entropy", "3x4n 3i", ""},
    {"cross_entropy", "3x4g 3i 4e", ""}, {"cross_entropy", "3x4e 3i", ""},
    {"cross_entropy", "3x4 3i -", ""}, {"cross_entropy", "17x3 17i", ""},
    {"cross_entropy", "0x3 0i", "reduction=sum"},
    {"cross_entropy", "0x3 0i", "reduction=none"}, {"cross_entropy", "3x4 3x4", ""},
    {"cross_entropy", "3x4 3x4", "reduction=sum"},
    {"cross_entropy", "3x4 3x4", "reduction=none"},
    {"cross_entropy", "3x4t 3x4n", "label_smoothing=0.2"},
    {"cross_entropy", "3x4 3x4 4", ""},
    {"cross_entropy", "3x4e 3x4t 4g", "label_smoothing=0.1 reduction=none"},
    {"cross_entropy", "1x2 1x2", ""}, {"cross_entropy", "0x3 0x3", "reduction=sum"},
    {"cross_entropy", "2x3x4 2x4i", ""}, {"cross_entropy", "2x3x4t 2x4j", "reduction=sum"},
    {"cross_entropy", "2x3x4 2x4jt 3", "reduction=none label_smoothing=0.2"},
    {"cross_entropy", "2x3x2x2n 2x2x2i 3g", "label_smoothing=0.1"},
    {"cross_entropy", "2x3x2x2x2 2x2x2x2i", "reduction=none"},
    {"cross_entropy", "2x3x4 2x3x4t 3", "label_smoothing=0.3"},
    {"cross_entropy", "2x3x2x2e 2x3x2x2", "reduction=none"},
    {"cross_entropy", "2x3x0 2x0i", "reduction=none"},
    {"cross_entropy", "0x3x2 0x2i", "reduction=sum"},
    {"cross_entropy", "4 si", ""}, {"cross_entropy", "4g si 4", "label_smoothing=0.1"},
    {"cross_entropy", "3 si", "reduction=none"}, {"cross_entropy", "4 4", "reduction=sum"},
    {"cross_entropy", "4 4g 4", "reduction=none label_smoothing=0.5"},
    {"nll_loss", "3x4 3i", "reduction=mean"}, {"nll_loss", "3x4 3j", "reduction=sum"},
    {"nll_loss", "5x3t 5i 3", "ignore_index=1"}, {"nll_loss", "4x3n 4j 3g", "reduction=none"},
    {"nll_loss", "2x3x4 2x4i", ""}, {"nll_loss", "2x3x2x2t 2x2x2j 3", ""},
    {"nll_loss", "2x3x4 2x4it", "reduction=none"}, {"nll_loss", "4 si", ""},
    {"nll_loss", "4g si 4", "reduction=none"}, {"nll_loss", "3x4e 3i", "reduction=sum"},
    {"nll_loss", "0x3 0i", "reduction=sum"}, {"nll_loss", "2x3x0 2x0i", "reduction=none"},
    {"nll_loss", "1x4 1i", ""},
    LOSS_CASES("l1_loss"), LOSS_CASES("smooth_l1_loss"), LOSS_CASES("huber_loss"),
    {"smooth_l1_loss", "2x3 2x3", "beta=0.25"}, {"smooth_l1_loss", "2x3 2x3", "beta=0"},
    {"smooth_l1_loss", "17 17", "beta=2 reduction=none"},
    {"huber_loss", "2x3 2x3", "delta=0.25"}, {"huber_loss", "17 17", "delta=2 reduction=none"},
    LOSS_CASES("kl_div"), {"kl_div", "2x3 2x3", "reduction=batchmean"},
    {"kl_div", "2x3 2x3", "log_target=1"}, {"kl_div", "3 3", "reduction=batchmean"},
    {"kl_div", "2x3x2 2x3x2t", "reduction=batchmean log_target=1"},
    LOSS_CASES("poisson_nll_loss"), {"poisson_nll_loss", "2x3 2x3", "log_input=0"},
    {"poisson_nll_loss", "17 17", "full=1 reduction=none"},
    {"poisson_nll_loss", "2x3 2x3t", "log_input=0 full=1 eps=0.5"},
    LOSS_CASES("soft_margin_loss"), LOSS_CASES("hinge_embedding_loss"),
    {"hinge_embedding_loss", "2x3 2x3", "margin=-0.5"},
    {"margin_ranking_loss", "5 5 5", "reduction=mean"}, {"margin_ranking_loss", "5 5g 5", "margin=0.5"},
    {"margin_ranking_loss", "2x3 2x3t 2x3n", "reduction=sum"},
    {"margin_ranking_loss", "2x3e 2x3 2x3", "reduction=none margin=1"},
    {"margin_ranking_loss", "s s s", ""}, {"margin_ranking_loss", "0 0 0", "reduction=sum"},
    {"margin_ranking_loss", "1x3 1x3 1x3", ""},
    LOSS_CASES("binary_cross_entropy"), {"binary_cross_entropy", "2x3 2x3 2x3", ""},
    {"binary_cross_entropy", "2x3 2x3 3", "reduction=sum"},
    {"binary_cross_entropy", "2x3t 2x3n 2x1g", "reduction=none"},
    {"binary_cross_entropy", "2x3 2x3 s", ""}, {"probability_loss", "2x3 2x3", ""},
    {"probability_loss", "2x3t 2x3n 2x3", ""}, {"probability_loss", "5 5g s", ""},
    LOSS_CASES("mse_loss"), LOSS_CASES("binary_cross_entropy_with_logits"),
    {"binary_cross_entropy_with_logits", "2x3 2x3 2x3", ""},
    {"binary_cross_entropy_with_logits", "2x3 2x3 3", "reduction=sum"},
    {"binary_cross_entropy_with_logits", "2x3 2x3 2x1", "reduction=none"},
    {"binary_cross_entropy_with_logits", "2x3 2x3 - 3", ""},
    {"binary_cross_entropy_with_logits", "2x3t 2x3n - 3g", "reduction=none"},
    {"binary_cross_entropy_with_logits", "2x3 2x3 2x1 3", "reduction=sum"},
    {"binary_cross_entropy_with_logits", "2x3e 2x3 s 2x3t", ""},
    {"binary_cross_entropy_with_logits", "0x3 0x3 3 3", "reduction=none"},

    UNARY_CASES("to", "dtype=1"), BINARY_CASES("floor_divide"), BINARY_CASES("div_trunc"), BINARY_CASES("div_floor"),
    {"div", "2x3 3", "rounding_mode=trunc"}, {"div", "2x1 1x3", "rounding_mode=floor"},
    {"div", "3w 3o", "rounding_mode=trunc"}, {"div", "2x3w 3o", "rounding_mode=floor"},
    {"div", "3 3", "rounding_mode=none"},
    BINARY_CASES("remainder"), BINARY_CASES("fmod"), BINARY_CASES("maximum"),
    BINARY_CASES("minimum"), BINARY_CASES("eq"), BINARY_CASES("ne"), BINARY_CASES("lt"),
    BINARY_CASES("le"), BINARY_CASES("gt"), BINARY_CASES("ge"), UNARY_CASES("isnan", ""),
    UNARY_CASES("isinf", ""), UNARY_CASES("isfinite", ""), BINARY_CASES("isclose"),
    {"isposinf", "2x3", ""}, {"isposinf", "5w", ""},
    {"isposinf", "0x3", ""}, {"isposinf", "1x4", ""}, {"isposinf", "2x3t", ""},
    {"isneginf", "2x3t", ""},
    {"isneginf", "5w", ""},
    {"isneginf", "0", ""}, {"isneginf", "1x4", ""},
    {"signbit", "2x3", ""}, {"signbit", "2x3w", ""},
    {"signbit", "0", ""}, {"signbit", "1x4", ""}, {"signbit", "2x3n", ""},
    {"isin", "2x3w 4w", ""}, {"isin", "17w 2x2w", "invert=1"}, {"isin", "3 5", ""},
    {"isin", "3w 0w", ""}, {"isin", "sw 3o", ""}, {"isin", "0 3", "invert=1"},
    {"isin", "1x3w 1w", ""}, {"isin", "2x3wt 4wg", ""},
    WHOLE_CASES("gcd"), WHOLE_CASES("lcm"),
    {"isclose", "7 7", "rtol=0.5"}, {"isclose", "7 7", "atol=1 equal_nan=1"},
    BINARY_CASES("logical_and"), BINARY_CASES("logical_or"), BINARY_CASES("logical_xor"),
    UNARY_CASES("logical_not", ""), WHOLE_CASES("add"), WHOLE_CASES("sub"),
    WHOLE_CASES("mul"), WHOLE_CASES("div"), WHOLE_CASES("pow"),
    WHOLE_CASES("floor_divide"), WHOLE_CASES("div_trunc"), WHOLE_CASES("div_floor"), WHOLE_CASES("remainder"), WHOLE_CASES("fmod"),
    WHOLE_CASES("maximum"), WHOLE_CASES("minimum"), WHOLE_CASES("eq"), WHOLE_CASES("ne"),
    WHOLE_CASES("lt"), WHOLE_CASES("le"), WHOLE_CASES("gt"), WHOLE_CASES("ge"),
    WHOLE_CASES("isclose"), WHOLE_CASES("bitwise_and"), WHOLE_CASES("bitwise_or"),
    WHOLE_CASES("bitwise_left_shift"), WHOLE_CASES("bitwise_right_shift"),
    WHOLE_CASES("bitwise_xor"), WHOLE_CASES("logical_and"), {"add", "2x3b 3b", ""},
    {"mul", "2x3b 3b", ""}, {"maximum", "2x3b 3b", ""}, {"minimum", "2x3b 3b", ""},
    {"eq", "2x3b 3b", ""}, {"lt", "2x3b 3w", ""}, {"bitwise_and", "2x3b 3b", ""},
    {"bitwise_or", "2x3b 3b", ""}, {"bitwise_xor", "2x3b 3b", ""},
    {"logical_xor", "2x3b 3w", ""}, {"logical_or", "2x3bt 3w", ""}, {"neg", "2x3w", ""},
    {"abs", "2x3wt", ""}, {"sign", "2x3wn", ""}, {"exp", "2x3w", ""},
    {"sqrt", "2x3o", ""}, {"bitwise_not", "2x3w", ""}, {"bitwise_not", "2x3bg", ""},
    {"bitwise_not", "0x3w", ""}, {"bitwise_not", "1x4w", ""},
    {"logical_not", "2x3w", ""}, {"isnan", "2x3w", ""}, {"isfinite", "2x3b", ""},

    BYTE_CASES("add"), BYTE_CASES("sub"), BYTE_CASES("rsub"), BYTE_CASES("mul"),
    BYTE_CASES("div"), BYTE_CASES("floor_divide"), BYTE_CASES("remainder"),
    BYTE_CASES("fmod"), BYTE_CASES("maximum"), BYTE_CASES("minimum"), BYTE_CASES("fmax"),
    BYTE_CASES("fmin"), BYTE_CASES("gcd"), BYTE_CASES("eq"), BYTE_CASES("ne"),
    BYTE_CASES("lt"), BYTE_CASES("le"), BYTE_CASES("gt"), BYTE_CASES("ge"),
    BYTE_CASES("bitwise_and"), BYTE_CASES("bitwise_or"), BYTE_CASES("bitwise_xor"),
    BYTE_CASES("bitwise_left_shift"), BYTE_CASES("bitwise_right_shift"),
    BYTE_CASES("logical_and"), BYTE_CASES("logical_or"), BYTE_CASES("clamp_min"),
    {"lcm", "5v 5v", ""}, {"pow", "5v 5v", ""}, {"bitwise_not", "2x3u", ""},
    {"logical_not", "2x3u", ""}, {"neg", "2x3u", ""}, {"abs", "2x3u", ""},
    {"sign", "2x3u", ""}, {"exp", "2x3v", ""}, {"sqrt", "2x3u", ""},
    {"square", "2x3u", ""}, {"square", "5w", ""}, {"square", "2x3b", ""},
    {"sign", "2x3b", ""}, {"relu", "5w", ""}, {"relu", "2x3ut", ""}, {"relu6", "5w", ""},
    {"relu6", "2x3un", ""}, {"hardtanh", "5w", "min_val=-2 max_val=3"},
    {"hardtanh", "2x3u", "min_val=-2 max_val=30"}, {"hardtanh", "5u", "min_val=9 max_val=300"},
    {"nan_to_num", "5wg", ""}, {"nan_to_num", "2x3u", ""}, {"nan_to_num", "2x3b", "nan=2"},
    {"softsign", "5w", ""}, {"tanhshrink", "2x3u", ""}, {"trace", "3x3w", ""},
    {"trace", "2x3ut", ""}, WHOLE_CASES("heaviside"), {"heaviside", "2x3u 3v", ""},
    {"heaviside", "2x3b 3b", ""}, {"addcmul", "2x3w 3w 2x1w", "value=-2"},
    {"addcmul", "17u 17v 17u", "value=3"}, {"addcmul", "3w 3 3w", "value=0.5"},
    {"addcmul", "0x3w 3w 3w", ""}, {"addcmul", "3b 2x3w su", ""},
    {"clamp_by", "5w sw so", ""}, {"clamp_by", "3b sb", ""}, {"clamp_by", "3b 3w", ""},
    {"clamp_by", "17u sv", ""}, {"outer", "3w 4w", ""}, {"outer", "3b 2b", ""},
    {"outer", "3u 4v", ""}, {"outer", "3w 4", ""}, {"outer", "0u 4w", ""},
    {"matmul", "2x3w 3x4w", ""}, {"matmul", "2x3ut 3x4un", ""}, {"matmul", "3w 3w", ""},
    {"matmul", "2x2x3w 3x4wt", ""}, {"matmul", "2x1x2x3wn 4x3x2w", ""},
    {"matmul", "3u 2x3x4u", ""}, {"matmul", "2x0w 0x3w", ""}, {"mm", "5x7w 7x3wg", ""},
    {"mv", "2x3wt 3w", ""}, {"bmm", "2x3x4u 2x4x1u", ""}, {"dot", "17u 17u", ""},
    {"dot", "0w 0w", ""}, {"inner", "2x3w 4x3w", ""}, {"inner", "2x2x3ut 3u", ""},
    {"trapezoid", "5w", ""}, {"trapezoid", "2x3w 3", ""},
    {"cumulative_trapezoid", "2x3u", ""}, {"cov", "3x4w", ""}, {"corrcoef", "3x4u", ""},
    {"floor", "5u", ""}, {"clone", "2x3ut", ""},
    {"isnan", "5u", ""}, {"signbit", "5u", ""}, {"to", "2x3u", "dtype=1"},
    {"where", "3b 3u 2x1u", ""}, {"masked_fill", "2x3u 3b", "value=7"},
    {"sum", "17u", ""}, {"sum", "2x3u", "dim=1"}, {"prod", "5u", ""},
    {"max", "2x3ut", "dim=0"}, {"min", "5u", ""}, {"argmax", "2x3u", "dim=1"},
    {"argmin", "5u", ""}, {"amax", "2x3u", "dim=1"}, {"amin", "2x3u", ""},
    {"aminmax", "5u", ""}, {"count_nonzero", "2x3u", ""}, {"cumsum", "5u", "dim=0"},
    {"cumprod", "5u", "dim=0"}, {"cummax", "5u", "dim=0"}, {"cummin", "5u", "dim=0"},
    {"diff", "5u", ""}, {"sort", "5u", "dim=0 stable=1"}, {"argsort", "2x3u", "dim=1"},
    {"topk", "5u", "k=2"}, {"kthvalue", "5u", "k=2"}, {"median", "5u", ""},
    {"mode", "9v", "dim=0"}, {"isin", "5v 3v", ""}, {"nansum", "2x3u", "dim=1"},
    {"kron", "2u 3v", ""},

    UNARY_CASES("dropout", ""), {"dropout", "3x4", "p=0"}, {"dropout", "3x4", "p=1"},
    {"dropout", "3x4", "p=0.2"}, {"dropout", "3x4t", "training=0"},
    {"dropout", "3x4n", "p=0.9 training=1"},
#include "op_cases_shapes.h"
};

/* ---- reading a case ---------------------------------------------------------------- */

typedef struct case_input {
  bool there, stretched, symmetric, constant, share;
  char layout, labels; /* t n g, i j k m; 0: neither */
  char whole;          /* w o b u v; 0: none */
  int ndim;
  int64_t size[MLPL_MAX_RANK];
} case_input;

/* A case that can be applied: leaves and resolved options. */
typedef struct made_case {
  const mlpl_op *op;
  int n;
  case_input in[MLPL_MAX_INPUTS];
  /* NULL: left out. A stretched one has size 1 where it is stretched. */
  mlpl_tensor *leaf[MLPL_MAX_INPUTS];
  mlpl_value p[MLPL_MAX_PARAMS];
} made_case;

/* Sizes at *text, which is moved behind them. */
static inline int read_sizes(const char **text, int64_t *size) {
  int n = 0;
  if (**text == 's') {
    ++*text;
    return 0;
  }
  for (;; ++*text) {
    char *end;
    assert_true(n < MLPL_MAX_RANK);
    size[n++] = strtoll(*text, &end, 10);
    assert_true(end > *text);
    *text = end;
    if (*end != 'x') return n;
  }
}

static inline int read_inputs(const char *text, case_input *in) {
  int n = 0;
  while (*text) {
    case_input *one = &in[n++];
    *one = (case_input){.there = *text != '-'};
    if (one->there) one->ndim = read_sizes(&text, one->size);
    else text++;
    for (; *text && *text != ' '; text++) {
      if (*text == 'e') one->stretched = true;
      else if (*text == 'y') one->symmetric = true;
      else if (*text == 'd') one->constant = true;
      else if (*text == 'q') one->share = one->constant = true;
      else if (strchr("ijkm", *text)) one->labels = *text;
      else if (strchr("wobuv", *text)) one->whole = *text;
      else one->layout = *text;
    }
    while (*text == ' ') text++;
  }
  return n;
}

/* Options of a case, by the row's description of them. */
static inline void read_options(
    mlpl_ctx *cx, const mlpl_op *op, const char *text, mlpl_value *p) {
  mlpl_arg args[MLPL_MAX_PARAMS + 1] = {{0}};
  int64_t lists[MLPL_MAX_PARAMS][MLPL_MAX_RANK];
  char words[256], *word = words;
  int n = 0, n_params;
  const mlpl_param *params = mlpl_op_params(op, &n_params);
  snprintf(words, sizeof words, "%s", text);
  while (*word) {
    char *end = strchr(word, ' '), *value = strchr(word, '=') + 1;
    if (end) *end = '\0';
    value[-1] = '\0';
    args[n] = (mlpl_arg){
        .name = word, .value = strtod(value, NULL), .text = value, .sizes = NULL};
    for (int i = 0; i < n_params; i++)
      if (strcmp(params[i].name, word) == 0 &&
          (params[i].type == MLPL_PARAM_SIZES ||
              params[i].type == MLPL_PARAM_AXIS_LIST)) {
        const char *at = value;
        args[n].value = read_sizes(&at, lists[i]);
        args[n].sizes = lists[i];
      }
      else if (strcmp(params[i].name, word) == 0 && params[i].type == MLPL_PARAM_EXTENT) {
        const char *at = value;
        args[n].sizes = NULL;
        if (!strchr("0123456789", *value)) continue; /* a word */
        args[n].text = NULL;
        args[n].value = read_sizes(&at, lists[i]);
        args[n].sizes = lists[i];
      }
      else if (strcmp(params[i].name, word) == 0 && params[i].type == MLPL_PARAM_AXES) {
        const char *at = value;
        if (!strchr(value, 'x')) continue; /* one axis */
        args[n].value = read_sizes(&at, lists[i]);
        args[n].sizes = lists[i];
      }
    n++;
    word = end ? end + 1 : value + strlen(value);
  }
  assert_works(cx, mlpli_resolve(cx, op->name, params, n_params, args, p));
}

/* ---- making a case ----------------------------------------------------------------- */

/* Address of element i, counted row-major. */
static inline char *case_at(const mlpl_tensor *t, int64_t i) {
  int64_t at = 0;
  for (int d = t->ndim - 1; d >= 0; d--) {
    at += i % t->shape[d] * t->stride[d];
    i /= t->shape[d];
  }
  return t->data + at * mlpli_dtype_size[t->dtype];
}
static inline double case_get(const mlpl_tensor *t, int64_t i) {
  return mlpli_load(case_at(t, i), t->dtype);
}
static inline void case_put(mlpl_tensor *t, int64_t i, double v) {
  mlpli_store(case_at(t, i), t->dtype, v);
}

/* A tensor with the sizes and layout of a case, its memory between the elements NaN. */
static inline mlpl_tensor *case_tensor(
    mlpl_ctx *cx, mlpl_dtype dtype, const case_input *in) {
  int64_t size[MLPL_MAX_RANK], room[MLPL_MAX_RANK], stride[MLPL_MAX_RANK];
  int64_t step = 1, offset = 0;
  mlpl_tensor *whole, *t;
  for (int k = 0; k < in->ndim; k++) {
    int d = in->layout == 't' ? k : in->ndim - 1 - k; /* from the innermost axis out */
    size[d] = in->stretched && d == 0 && in->size[d] ? 1 : in->size[d];
    room[d] = size[d] + (in->layout == 'n' ? 2 : 0);
    stride[d] = in->layout == 'g' && k == 0 ? 2 * step : step;
    if (in->layout == 'n') offset += step;
    step = (in->layout == 'g' && k == 0 ? 2 * step : step) * room[d];
  }
  assert_works(cx, mlpl_tensor_full(cx, &whole, dtype, 1, &step, (double)NAN));
  assert_works(
      cx, mlpli_tensor_view(cx, &t, whole, step ? offset : 0, in->ndim, size, stride));
  mlpl_tensor_release(whole);
  return t;
}

static inline double case_draw(mlpli_domain domain, uint64_t *random, int64_t i) {
  double v = test_between(random, -2, 2);
  switch (domain) {
  case MLPLI_POSITIVE: return 1.25 + 0.375 * v;
  case MLPLI_SMOOTH: return v < 0 ? v - 0.1 : v + 0.1;
  case MLPLI_NONZERO: return v < 0 ? v - 0.5 : v + 0.5;
  case MLPLI_DISTINCT:
  case MLPLI_ANY_DISTINCT:
    return 0.25 * (double)((i * 37 + 11) % 101) - 12; /* up to 101 elements */
  case MLPLI_UNIT: return 0.45 * v;
  case MLPLI_ABOVE_1: return 2.5 + 0.5 * v;
  case MLPLI_ANY_SORTED: return 0.4375 * (double)i - 1.75;
  case MLPLI_SHARE:
  case MLPLI_TARGET: return 0.5 + 0.225 * v;
  default: return v;
  }
}

/* Matrices in the last two axes get the larger diagonal that their domain asks for. */
static inline void case_shape_matrices(mlpl_tensor *t, mlpli_domain domain) {
  if ((domain != MLPLI_REGULAR && domain != MLPLI_DEFINITE) || t->ndim < 2) return;
  const int64_t m = t->shape[t->ndim - 2], n = t->shape[t->ndim - 1];
  for (int64_t e = 0; e < t->numel; e++) {
    const int64_t i = e / n % m, j = e % n, other = e + (j - i) * n - (j - i);
    if (domain == MLPLI_REGULAR || i == j)
      case_put(t, e, 0.3 * case_get(t, e) + (i == j ? 2 + 0.75 * (double)i : 0));
    else if (i > j) case_put(t, e, case_get(t, other));
    else case_put(t, e, 0.3 * case_get(t, e));
  }
}

static inline int64_t case_numel(const case_input *in) {
  int64_t n = 1;
  for (int d = 0; d < in->ndim; d++) n *= in->size[d];
  return n;
}

/* Places of rows with index tensors: how long the axis is that input i counts along. */
static inline int64_t case_places(const made_case *c, int i) {
  const char *op = c->op->name;
  const case_input *x = &c->in[0];
  if (strcmp(op, "one_hot") == 0) return c->p[0].i < 0 ? 4 : c->p[0].i;
  if (strcmp(op, "take") == 0) return case_numel(x);
  if (strcmp(op, "index") == 0) return x->size[i - 1];
  if (strcmp(op, "place_index") == 0) return c->p[0].sizes.v[i - 1];
  if (strcmp(op, "index_put") == 0) { /* along the axes that the part leaves */
    int left = i - 2, d = 0;
    for (; d < c->p[2].sizes.n; d++)
      if (c->p[2].sizes.v[d] >= 0 && left-- == 0) return c->p[2].sizes.v[d];
    return x->size[d + left];
  }
  int64_t dim = c->p[strcmp(op, "place_gather") == 0 ? 1 : 0].i;
  if (strcmp(op, "place_gather") == 0) return c->p[0].sizes.v[dim];
  if (dim == MLPL_NO_AXIS) return case_numel(x);
  return x->size[dim < 0 ? dim + x->ndim : dim];
}

/* What labels or places of input i are counted in. */
static inline int64_t case_classes(const made_case *c, int i) {
  if (c->op->domain[mlpli_input_place(c->op, i)] == MLPLI_INDEX) {
    int64_t n = case_places(c, i);
    return n > 0 ? n : 1; /* of a case that is to be refused */
  }
  if (strcmp(c->op->name, "spread") == 0) return c->p[1].i;
  if (strcmp(c->op->name, "add_along") == 0) return c->p[1].i;
  if (strcmp(c->op->name, "take_along") == 0) return c->in[0].size[c->p[0].i];
  if (strcmp(c->op->name, "bincount") == 0) return 4;
  if (strncmp(c->op->name, "plane_", 6) == 0) { /* places in a plane */
    int axes = strcmp(c->op->name, "plane_gather") == 0 ? (int)c->p[0].i : c->p[0].sizes.n;
    bool given = strcmp(c->op->name, "plane_scatter") == 0;
    int64_t n = 1;
    for (int d = 0; d < axes; d++)
      n *= given ? c->p[0].sizes.v[d] : c->in[0].size[c->in[0].ndim - axes + d];
    return n;
  }
  if (c->in[0].ndim == 1 && strcmp(c->op->name, "pick") != 0) return c->in[0].size[0];
  return c->in[0].size[strcmp(c->op->name, "pick") == 0 ? c->p[0].i : 1];
}

static inline mlpl_tensor *case_leaf(
    mlpl_ctx *cx, const made_case *c, int i, mlpl_dtype dtype, uint64_t *random) {
  const case_input *in = &c->in[i];
  mlpl_dtype own = in->whole == 'b' || in->labels == 'm' ? MLPL_BOOL
      : in->whole == 'u' || in->whole == 'v'            ? MLPL_U8
      : in->whole || in->labels                         ? MLPL_I64
                                                        : dtype;
  mlpl_tensor *t = case_tensor(cx, own, in);
  for (int64_t e = 0; e < t->numel; e++) {
    if (in->whole == 'b') case_put(t, e, (double)(test_random(random) % 2));
    else if (in->whole == 'u') case_put(t, e, (double)(test_random(random) % 256));
    else if (in->whole == 'v') case_put(t, e, (double)(1 + test_random(random) % 7));
    else if (in->whole)
      case_put(t, e,
          in->whole == 'o' ? (double)(1 + test_random(random) % 3)
                           : (double)(test_random(random) % 9) - 4);
    else if (in->share) case_put(t, e, (double)(e * 5 % 8 + 1) / 16);
    else if (!in->labels)
      case_put(t, e, case_draw(c->op->domain[mlpli_input_place(c->op, i)], random, e));
    else if (in->labels == 'm') case_put(t, e, test_random(random) % 2 == 0);
    else if (in->labels == 'k') case_put(t, e, (double)(e * 7 % case_classes(c, i)));
    else if (in->labels == 'j' && e % 2) case_put(t, e, -100);
    else case_put(t, e, (double)(test_random(random) % (uint64_t)case_classes(c, i)));
  }
  if (!in->labels) case_shape_matrices(t, c->op->domain[i]);
  return t;
}

static inline made_case case_make(
    mlpl_ctx *cx, const op_case *one, mlpl_dtype dtype, uint64_t *random) {
  made_case c = {.op = mlpl_op_find(one->op)};
  assert_non_null(c.op);
  c.n = read_inputs(one->inputs, c.in);
  read_options(cx, c.op, one->options, c.p);
  for (int i = 0; i < c.n; i++)
    if (c.in[i].there) c.leaf[i] = case_leaf(cx, &c, i, dtype, random);
  return c;
}

static inline void case_release(made_case *c) {
  for (int i = 0; i < c->n; i++) mlpl_tensor_release(c->leaf[i]);
}

/* (a + a^T) / 2: what rows that read one triangle of a symmetric matrix are tried on. */
static inline mlpl_status case_symmetric(
    mlpl_ctx *cx, mlpl_tensor *a, mlpl_tensor **x) {
  const mlpl_value last_two[2] = {{.i = -2}, {.i = -1}}, half[2] = {{.f = 0.5}, {.f = 0}};
  mlpl_tensor *turned, *sum;
  MLPL_TRY(mlpli_apply(cx, &turned, MLPLI_OP_TRANSPOSE, &a, 1, last_two));
  mlpl_status status =
      mlpli_apply(cx, &sum, MLPLI_OP_ADD, (mlpl_tensor *[]){a, turned}, 2, NULL);
  mlpl_tensor_release(turned);
  if (status == MLPL_OK) status = mlpli_apply(cx, x, MLPLI_OP_AFFINE, &sum, 1, half);
  mlpl_tensor_release(sum);
  return status;
}

/* What the operation is applied to: the leaf, or the leaf stretched. */
static inline mlpl_status case_input_of(
    mlpl_ctx *cx, const made_case *c, int i, mlpl_tensor *leaf, mlpl_tensor **x) {
  const case_input *in = &c->in[i];
  mlpl_value full = {.sizes = {.n = in->ndim}};
  if (leaf && in->symmetric) return case_symmetric(cx, leaf, x);
  if (!leaf || !in->stretched) {
    *x = leaf ? mlpl_tensor_retain(leaf) : NULL;
    return MLPL_OK;
  }
  for (int d = 0; d < in->ndim; d++) full.sizes.v[d] = in->size[d];
  return mlpli_apply(cx, x, MLPLI_OP_EXPAND, &leaf, 1, &full);
}

static inline void case_drop(mlpl_tensor **out) {
  for (int i = 0; i < MLPLI_MAX_OUTPUTS; i++) mlpl_tensor_release(out[i]);
}

/* out[MLPLI_MAX_OUTPUTS], NULL where the row has no more results. */
static inline mlpl_status case_apply(
    mlpl_ctx *cx, const made_case *c, mlpl_tensor *const *leaf, mlpl_tensor **out) {
  mlpl_tensor *x[MLPL_MAX_INPUTS] = {NULL};
  mlpl_status status = MLPL_OK;
  for (int i = 0; i < MLPLI_MAX_OUTPUTS; i++) out[i] = NULL;
  for (int i = 0; i < c->n && status == MLPL_OK; i++)
    status = case_input_of(cx, c, i, leaf[i], &x[i]);
  if (status == MLPL_OK) status = mlpl_op_apply(cx, out, c->op, x, c->n, c->p);
  for (int i = 0; i < c->n; i++) mlpl_tensor_release(x[i]);
  return status;
}

/* "add: 2x3 3, dim=1" for messages. */
static inline const char *case_text(const op_case *one) {
  static char text[256];
  snprintf(text, sizeof text, "%s: %s, %s", one->op, one->inputs,
      *one->options ? one->options : "no options");
  return text;
}

#endif
