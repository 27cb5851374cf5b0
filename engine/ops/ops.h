/*
** The operation table and what rows are made of. Internal.
**
** A row says everything about an operation: names and domains of its inputs and options,
** the rule for its shape, its forward and its backward. Whoever must know all operations
** walks the table: recorder, Lua methods, errors, gradient check, misuse tests.
*/
#ifndef MLPLI_OPS_H
#define MLPLI_OPS_H

#include "tensor/tensor.h"

typedef struct mlpli_node mlpli_node;

/* Which values an input may have, and from where the gradient check draws them. */
typedef enum mlpli_domain {
  MLPLI_REAL,     /* any real number */
  MLPLI_POSITIVE, /* x > 0 where the gradient is wanted */
  MLPLI_SMOOTH,   /* any real number; there is a kink at 0 */
  MLPLI_NONZERO,  /* x != 0 */
  MLPLI_DISTINCT, /* any real numbers; kinks where two are equal */
  MLPLI_SHARE,    /* 0 <= x <= 1 */
  MLPLI_UNIT,     /* -1 < x < 1 */
  MLPLI_ABOVE_1,  /* x > 1 */
  /* matrices in the last two axes; the gradient check draws them well-conditioned, with
     singular values apart */
  MLPLI_REGULAR,
  /* symmetric and positive definite; only one triangle is read, the gradient is
     symmetric */
  MLPLI_DEFINITE,
  MLPLI_LABELS,       /* i64, index-valued */
  MLPLI_TARGET,       /* labels, or real numbers like the first input's */
  MLPLI_ANY,          /* any dtype */
  MLPLI_ANY_DISTINCT, /* any dtype; kinks where two are equal */
  MLPLI_ANY_SORTED,   /* any dtype, ascending along the last axis */
  MLPLI_LIKE,         /* any dtype: that of the first input */
  MLPLI_INDEX,        /* i64, index-valued */
  MLPLI_MASK          /* bool */
} mlpli_domain;

typedef struct mlpli_shape {
  int ndim;
  int64_t size[MLPL_MAX_RANK];
} mlpli_shape;

/* One application of a row. */
typedef struct mlpli_call {
  const mlpl_op *op;
  int n;
  mlpl_tensor *const *in;
  const mlpl_value *p;
  /* the result will be recorded: forward may prepare what backward needs */
  bool record;
  bool forget_out; /* set by forward: backward will not read the output this time */
  mlpl_tensor **converted; /* the inputs of a list row that had to be; else NULL */
  mlpl_tensor *extra;      /* set by forward: kept for backward, released with the node */
} mlpli_call;

#define MLPLI_SAVE_OUT                                                                   \
  0x10 /* in `saves`: backward reads the output; bits 0..3: that input */
#define MLPLI_MAX_OUTPUTS MLPL_MAX_OUTPUTS

/* Whether the last input of a row stands for any number of tensors. */
typedef enum mlpli_list {
  MLPLI_NO_LIST,
  MLPLI_LIST, /* all of them are there */
  MLPLI_GAPS  /* some may be NULL */
} mlpli_list;

struct mlpl_op {
  const char *name;
  const char *group; /* in Lua a function of mlpl.<group>; NULL: a method of tensors */
  const char *input_name[MLPL_MAX_INPUTS];
  mlpli_domain domain[MLPL_MAX_INPUTS];
  uint8_t n_inputs, n_required;
  /* with `forward`, the second is index-valued and may be NULL */
  uint8_t n_outputs;
  uint8_t n_params;
  uint8_t saves;
  uint8_t differentiable; /* bit i: input i has a gradient */
  /* of what it saves: the inputs whose gradients read input i, or the output; where none
     of them has one it is not kept. 0: any of them */
  uint8_t saved_for[MLPL_MAX_INPUTS], out_for;
  /* dtypes that it computes in (bits 1 << dtype): its inputs are converted to what they
     promote to (dtype.c). 0: inputs that hold numbers are f32 or f64, all the same */
  uint8_t computes;
  bool alike; /* they are not converted: they are of one of these dtypes, all the same */
  bool gives_index; /* the output is i64, else it has the first input's dtype */
  bool in_place;    /* forward may write where an input lies, element by element */
  bool rewrites;    /* forward may write where the first input lies, but no other */
  /* forward may refuse what its inputs hold after it began to write: its result is made
     apart from the tensor that is to hold it, which stays as it was. In place of the first
     input it looks at everything before */
  bool refuses_late;
  /* real options may be elements of the result: masked_fill puts its value there */
  bool places_options;
  bool underscored; /* has a form in place (name_), beside those that inplace.c finds */
  bool bare;        /* options may be NULL: all of them have their standard values */
  bool internal;    /* serves the engine; not a method in Lua */
  bool random;      /* draws from the context's generator */
  uint8_t list;     /* mlpli_list */
  /* options that a call in Lua gives between the first input and the others */
  uint8_t options_first;
  uint8_t numbers; /* bit i: input i may be a number in Lua */
  /* bit i: input i is a bound that the result is not below, or above: beside u8 it may be
     a number beyond the other end */
  uint8_t lower, upper;
  uint8_t wraps; /* bit i: the low 8 bits of the result need only those of input i */
  uint16_t says; /* the row whose name messages call it by, as mlpli_op_id; 0: its own */
  /* the row for calls in which tensors stand for this one's options, from the first that
     does not stand before the inputs, as mlpli_op_id: it has them as further inputs, by the
     options' names. 0: there is none */
  uint16_t by_tensor;
  /* the rows for the second and third value of the last option, a choice, as mlpli_op_id:
     they have its inputs and no options. 0: there are none */
  uint16_t by_choice[2];
  /* the row for calls in Lua whose second argument is a tensor, as mlpli_op_id; 0: none */
  uint16_t by_pair;
  uint8_t like; /* the input whose dtype the output has; the first where not said */
  const mlpl_param *params;
  /* the output's dtype, where gives_index is not all there is to say; NULL: it is */
  int (*dtype)(const mlpli_call *c);
  /* Either shape and forward (out is made, contiguous, not set) or view, which gives *out
     itself. */
  mlpl_status (*shape)(mlpl_ctx *cx, const mlpli_call *c, mlpli_shape *out);
  mlpl_status (*forward)(mlpl_ctx *cx, mlpli_call *c, mlpl_tensor **out);
  mlpl_status (*view)(mlpl_ctx *cx, mlpli_call *c, mlpl_tensor **out);
  /* Or instead of all passes: gives all outputs by applying other rows, which record
     themselves. */
  mlpl_status (*compose)(mlpl_ctx *cx, mlpli_call *c, mlpl_tensor **out);
  /* g is the gradient of the output. Hands a gradient to every input that wants one
     (grad.h). */
  mlpl_status (*backward)(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g);
  /* let go of what the node keeps in its options; NULL: nothing */
  void (*forget)(mlpli_node *n);
  /* a backward pass that had gathered something for it ends before its turn; NULL: nothing */
  void (*abandon)(mlpli_node *n);
  /* the node itself goes: let go of what its options share with others; NULL: nothing */
  void (*gone)(mlpli_node *n);
};

#define MLPLI_LINALG_OPS(OP)                                                             \
  OP(SOLVE_MATRICES, solve_matrices)                                                     \
  OP(SOLVE, solve)                                                                       \
  OP(SOLVE_TRIANGLES, solve_triangles)                                                   \
  OP(TRIANGULAR_SOLVE, triangular_solve)                                                 \
  OP(CHOLESKY, cholesky)                                                                 \
  OP(INV, inv)                                                                           \
  OP(INV_OR_INF, inv_or_inf)                                                             \
  OP(DET, det)                                                                           \
  OP(COFACTOR, cofactor)                                                                 \
  OP(COFACTOR_SLOPE, cofactor_slope)                                                     \
  OP(COFACTOR_CURVE, cofactor_curve)                                                     \
  OP(SIGN_AND_LOG, sign_and_log)                                                         \
  OP(SLOGDET, slogdet)                                                                   \
  OP(LOGDET, logdet)                                                                     \
  OP(LU_FACTOR, lu_factor)                                                               \
  OP(LU, lu)                                                                             \
  OP(LU_SOLVE, lu_solve)                                                                 \
  OP(QR_FACTORS, qr_factors)                                                             \
  OP(QR, qr)                                                                             \
  OP(VALUES_OF, values_of)                                                               \
  OP(EIGH_FACTORS, eigh_factors)                                                         \
  OP(EIGH_VALUES, eigh_values)                                                           \
  OP(EIGH, eigh)                                                                         \
  OP(EIGVALSH, eigvalsh)                                                                 \
  OP(SVD_FACTORS, svd_factors)                                                           \
  OP(SVD_VALUES, svd_values)                                                             \
  OP(SVD, svd)                                                                           \
  OP(SVDVALS, svdvals)                                                                   \
  OP(PINV, pinv)                                                                         \
  OP(LSTSQ_FACTORS, lstsq_factors)                                                       \
  OP(LSTSQ, lstsq)                                                                       \
  OP(MATRIX_RANK, matrix_rank)                                                           \
  OP(ROW_NORM, row_norm)                                                                 \
  OP(VECTOR_NORM, vector_norm)                                                           \
  OP(MATRIX_NORM, matrix_norm)                                                           \
  OP(COND, cond)                                                                         \
  OP(MATRIX_POWER, matrix_power)                                                         \
  OP(MULTI_DOT, multi_dot)                                                               \
  OP(VECDOT, vecdot)                                                                     \
  OP(VANDER, vander)                                                                     \
  OP(MATRIX_EXP, matrix_exp)                                                             \
  OP(CHOLESKY_SOLVE, cholesky_solve)                                                     \
  OP(CHOLESKY_INVERSE, cholesky_inverse)

/* All rows, in the order of their family's files: name of the id, name of the row. */
#define MLPLI_OPS(OP)                                                                    \
  OP(ADD, add)                                                                           \
  OP(SUB, sub)                                                                           \
  OP(RSUB, rsub)                                                                         \
  OP(MUL, mul)                                                                           \
  OP(DIV, div)                                                                           \
  OP(POW, pow)                                                                           \
  OP(NEG, neg)                                                                           \
  OP(ABS, abs)                                                                           \
  OP(SIGN, sign)                                                                         \
  OP(POSITIVE, positive)                                                                 \
  OP(AFFINE, affine)                                                                     \
  OP(EXP, exp)                                                                           \
  OP(LOG, log)                                                                           \
  OP(SQRT, sqrt)                                                                         \
  OP(RELU, relu)                                                                         \
  OP(LEAKY_RELU, leaky_relu)                                                             \
  OP(ELU, elu)                                                                           \
  OP(SIGMOID, sigmoid)                                                                   \
  OP(TANH, tanh)                                                                         \
  OP(SIN, sin)                                                                           \
  OP(COS, cos)                                                                           \
  OP(TAN, tan)                                                                           \
  OP(ASIN, asin)                                                                         \
  OP(ACOS, acos)                                                                         \
  OP(ATAN, atan)                                                                         \
  OP(ATAN2, atan2)                                                                       \
  OP(SINH, sinh)                                                                         \
  OP(COSH, cosh)                                                                         \
  OP(ASINH, asinh)                                                                       \
  OP(ACOSH, acosh)                                                                       \
  OP(ATANH, atanh)                                                                       \
  OP(SINC, sinc)                                                                         \
  OP(SINC_SLOPE, sinc_slope)                                                             \
  OP(EXP2, exp2)                                                                         \
  OP(EXPM1, expm1)                                                                       \
  OP(LOG2, log2)                                                                         \
  OP(LOG10, log10)                                                                       \
  OP(LOG1P, log1p)                                                                       \
  OP(RSQRT, rsqrt)                                                                       \
  OP(RECIPROCAL, reciprocal)                                                             \
  OP(SQUARE, square)                                                                     \
  OP(ERF, erf)                                                                           \
  OP(ERFC, erfc)                                                                         \
  OP(ERFINV, erfinv)                                                                     \
  OP(LGAMMA, lgamma)                                                                     \
  OP(DIGAMMA, digamma)                                                                   \
  OP(POLYGAMMA, polygamma)                                                               \
  OP(FLOOR, floor)                                                                       \
  OP(CEIL, ceil)                                                                         \
  OP(ROUND, round)                                                                       \
  OP(TRUNC, trunc)                                                                       \
  OP(FRAC, frac)                                                                         \
  OP(HYPOT, hypot)                                                                       \
  OP(LOGADDEXP, logaddexp)                                                               \
  OP(XLOGY, xlogy)                                                                       \
  OP(LOGADDEXP2, logaddexp2)                                                             \
  OP(FLOAT_POWER, float_power)                                                           \
  OP(LDEXP, ldexp)                                                                       \
  OP(LOGIT, logit)                                                                       \
  OP(HEAVISIDE, heaviside)                                                               \
  OP(COPYSIGN, copysign)                                                                 \
  OP(FMAX, fmax)                                                                         \
  OP(FMIN, fmin)                                                                         \
  OP(DEG2RAD, deg2rad)                                                                   \
  OP(RAD2DEG, rad2deg)                                                                   \
  OP(NAN_TO_NUM, nan_to_num)                                                             \
  OP(CLAMP, clamp)                                                                       \
  OP(CLAMP_BY, clamp_by)                                                                 \
  OP(CLAMP_MIN, clamp_min)                                                               \
  OP(CLAMP_MAX, clamp_max)                                                               \
  OP(LERP, lerp)                                                                         \
  OP(ADDCMUL, addcmul)                                                                   \
  OP(ADDCDIV, addcdiv)                                                                   \
  OP(WHERE, where)                                                                       \
  OP(MASKED_FILL, masked_fill)                                                           \
  OP(MASKED_FILL_BY, masked_fill_by)                                                     \
  OP(GATE, gate)                                                                         \
  OP(GELU, gelu)                                                                         \
  OP(SILU, silu)                                                                         \
  OP(MISH, mish)                                                                         \
  OP(SOFTPLUS, softplus)                                                                 \
  OP(SOFTSIGN, softsign)                                                                 \
  OP(HARDTANH, hardtanh)                                                                 \
  OP(RELU6, relu6)                                                                       \
  OP(HARDSIGMOID, hardsigmoid)                                                           \
  OP(HARDSWISH, hardswish)                                                               \
  OP(SELU, selu)                                                                         \
  OP(CELU, celu)                                                                         \
  OP(LOGSIGMOID, logsigmoid)                                                             \
  OP(TANHSHRINK, tanhshrink)                                                             \
  OP(SOFTSHRINK, softshrink)                                                             \
  OP(HARDSHRINK, hardshrink)                                                             \
  OP(THRESHOLD, threshold)                                                               \
  OP(PRELU, prelu)                                                                       \
  OP(STEP, step)                                                                         \
  OP(GLU, glu)                                                                           \
  OP(SUM, sum)                                                                           \
  OP(MEAN, mean)                                                                         \
  OP(MAX, max)                                                                           \
  OP(ARGMAX, argmax)                                                                     \
  OP(MIN, min)                                                                           \
  OP(ARGMIN, argmin)                                                                     \
  OP(AMAX, amax)                                                                         \
  OP(AMIN, amin)                                                                         \
  OP(ANY, any)                                                                           \
  OP(ALL, all)                                                                           \
  OP(COUNT_NONZERO, count_nonzero)                                                       \
  OP(PROD, prod)                                                                         \
  OP(VAR, var)                                                                           \
  OP(STD, std)                                                                           \
  OP(NORM, norm)                                                                         \
  OP(LOGSUMEXP, logsumexp)                                                               \
  OP(VAR_MEAN, var_mean)                                                                 \
  OP(STD_MEAN, std_mean)                                                                 \
  OP(AMINMAX, aminmax)                                                                   \
  OP(NANSUM, nansum)                                                                     \
  OP(NANMEAN, nanmean)                                                                   \
  OP(COV, cov)                                                                           \
  OP(CORRCOEF, corrcoef)                                                                 \
  OP(TRAPEZOID, trapezoid)                                                               \
  OP(CUMULATIVE_TRAPEZOID, cumulative_trapezoid)                                         \
  OP(FLOORED, floored)                                                                   \
  OP(CUMSUM, cumsum)                                                                     \
  OP(CUMPROD, cumprod)                                                                   \
  OP(LOGCUMSUMEXP, logcumsumexp)                                                         \
  OP(CUMMAX, cummax)                                                                     \
  OP(CUMMIN, cummin)                                                                     \
  OP(RECUR, recur)                                                                       \
  OP(DIFF, diff)                                                                         \
  OP(DIFFERENCE, difference)                                                             \
  OP(SORT, sort)                                                                         \
  OP(ARGSORT, argsort)                                                                   \
  OP(TOPK, topk)                                                                         \
  OP(KTHVALUE, kthvalue)                                                                 \
  OP(MEDIAN, median)                                                                     \
  OP(NANMEDIAN, nanmedian)                                                               \
  OP(MODE, mode)                                                                         \
  OP(QUANTILE, quantile)                                                                 \
  OP(QUANTILES, quantiles)                                                               \
  OP(NANQUANTILE, nanquantile)                                                           \
  OP(NANQUANTILES, nanquantiles)                                                         \
  OP(TAKE_ALONG, take_along)                                                             \
  OP(ADD_ALONG, add_along)                                                               \
  OP(BINCOUNT, bincount)                                                                 \
  OP(HISTC, histc)                                                                       \
  OP(SEARCHSORTED, searchsorted)                                                         \
  OP(BUCKETIZE, bucketize)                                                               \
  OP(SUM_TO_SIZE, sum_to_size)                                                           \
  OP(MATMUL, matmul)                                                                     \
  OP(MM, mm)                                                                             \
  OP(MV, mv)                                                                             \
  OP(BMM, bmm)                                                                           \
  OP(DOT, dot)                                                                           \
  OP(OUTER, outer)                                                                       \
  OP(INNER, inner)                                                                       \
  OP(ADDMM, addmm)                                                                       \
  OP(BADDBMM, baddbmm)                                                                   \
  OP(ADDMV, addmv)                                                                       \
  OP(ADDR, addr)                                                                         \
  OP(ADDBMM, addbmm)                                                                     \
  OP(KRON, kron)                                                                         \
  OP(CROSS, cross)                                                                       \
  OP(CDIST, cdist)                                                                       \
  OP(PDIST, pdist)                                                                       \
  OP(DIST, dist)                                                                         \
  OP(PAIRWISE_DISTANCE, pairwise_distance)                                               \
  OP(COSINE_SIMILARITY, cosine_similarity)                                               \
  OP(NORMALIZE, normalize)                                                               \
  OP(BLOCK_DIAG, block_diag)                                                             \
  OP(CARTESIAN_PROD, cartesian_prod)                                                     \
  OP(MOVE_AXES, move_axes)                                                               \
  OP(SPREAD_AXES, spread_axes)                                                           \
  OP(LINEAR, linear)                                                                     \
  OP(CONV1D, conv1d)                                                                     \
  OP(CONV2D, conv2d)                                                                     \
  OP(CONV_TRANSPOSE1D, conv_transpose1d)                                                 \
  OP(CONV_TRANSPOSE2D, conv_transpose2d)                                                 \
  OP(CONV_RESULT, conv_result)                                                           \
  OP(CONV_INPUT, conv_input)                                                             \
  OP(CONV_WEIGHT, conv_weight)                                                           \
  OP(MAX_POOL1D, max_pool1d)                                                             \
  OP(MAX_POOL2D, max_pool2d)                                                             \
  OP(AVG_POOL1D, avg_pool1d)                                                             \
  OP(AVG_POOL2D, avg_pool2d)                                                             \
  OP(ADAPTIVE_AVG_POOL1D, adaptive_avg_pool1d)                                           \
  OP(ADAPTIVE_AVG_POOL2D, adaptive_avg_pool2d)                                           \
  OP(ADAPTIVE_MAX_POOL1D, adaptive_max_pool1d)                                           \
  OP(ADAPTIVE_MAX_POOL2D, adaptive_max_pool2d)                                           \
  OP(IM2COL, im2col)                                                                     \
  OP(COL2IM, col2im)                                                                     \
  OP(AVERAGE, average)                                                                   \
  OP(AVERAGE_BACK, average_back)                                                         \
  OP(PLANE_SCATTER, plane_scatter)                                                       \
  OP(PLANE_GATHER, plane_gather)                                                         \
  OP(TRANSPOSE, transpose)                                                               \
  OP(T, t)                                                                               \
  OP(RESHAPE, reshape)                                                                   \
  OP(FLATTEN, flatten)                                                                   \
  OP(NARROW, narrow)                                                                     \
  OP(SELECT, select)                                                                     \
  OP(EXPAND, expand)                                                                     \
  OP(PLACE, place)                                                                       \
  OP(SPREAD, spread)                                                                     \
  OP(PICK, pick)                                                                         \
  OP(CLONE, clone)                                                                       \
  OP(TO, to)                                                                             \
  OP(FLOOR_DIVIDE, floor_divide)                                                         \
  OP(DIV_TRUNC, div_trunc)                                                               \
  OP(DIV_FLOOR, div_floor)                                                               \
  OP(REMAINDER, remainder)                                                               \
  OP(FMOD, fmod)                                                                         \
  OP(MAXIMUM, maximum)                                                                   \
  OP(MINIMUM, minimum)                                                                   \
  OP(GCD, gcd)                                                                           \
  OP(LCM, lcm)                                                                           \
  OP(EQ, eq)                                                                             \
  OP(NE, ne)                                                                             \
  OP(LT, lt)                                                                             \
  OP(LE, le)                                                                             \
  OP(GT, gt)                                                                             \
  OP(GE, ge)                                                                             \
  OP(ISNAN, isnan)                                                                       \
  OP(ISINF, isinf)                                                                       \
  OP(ISFINITE, isfinite)                                                                 \
  OP(ISCLOSE, isclose)                                                                   \
  OP(ISPOSINF, isposinf)                                                                 \
  OP(ISNEGINF, isneginf)                                                                 \
  OP(SIGNBIT, signbit)                                                                   \
  OP(ISIN, isin)                                                                         \
  OP(LOGICAL_AND, logical_and)                                                           \
  OP(LOGICAL_OR, logical_or)                                                             \
  OP(LOGICAL_XOR, logical_xor)                                                           \
  OP(LOGICAL_NOT, logical_not)                                                           \
  OP(BITWISE_AND, bitwise_and)                                                           \
  OP(BITWISE_OR, bitwise_or)                                                             \
  OP(BITWISE_XOR, bitwise_xor)                                                           \
  OP(BITWISE_NOT, bitwise_not)                                                           \
  OP(BITWISE_LEFT_SHIFT, bitwise_left_shift)                                             \
  OP(BITWISE_RIGHT_SHIFT, bitwise_right_shift)                                           \
  OP(SOFTMAX, softmax)                                                                   \
  OP(LOG_SOFTMAX, log_softmax)                                                           \
  OP(CROSS_ENTROPY, cross_entropy)                                                       \
  OP(NLL_LOSS, nll_loss)                                                                 \
  OP(MSE_LOSS, mse_loss)                                                                 \
  OP(BCE_WITH_LOGITS, bce_with_logits)                                                   \
  OP(L1_LOSS, l1_loss)                                                                   \
  OP(SMOOTH_L1_LOSS, smooth_l1_loss)                                                     \
  OP(HUBER_LOSS, huber_loss)                                                             \
  OP(KL_DIV, kl_div)                                                                     \
  OP(POISSON_NLL_LOSS, poisson_nll_loss)                                                 \
  OP(SOFT_MARGIN_LOSS, soft_margin_loss)                                                 \
  OP(HINGE_EMBEDDING_LOSS, hinge_embedding_loss)                                         \
  OP(MARGIN_RANKING_LOSS, margin_ranking_loss)                                           \
  OP(BINARY_CROSS_ENTROPY, binary_cross_entropy)                                         \
  OP(PROBABILITY_LOSS, probability_loss)                                                 \
  OP(DROPOUT, dropout)                                                                   \
  OP(VIEW, view)                                                                         \
  OP(PERMUTE, permute)                                                                   \
  OP(MOVEDIM, movedim)                                                                   \
  OP(SWAPAXES, swapaxes)                                                                 \
  OP(SQUEEZE, squeeze)                                                                   \
  OP(UNSQUEEZE, unsqueeze)                                                               \
  OP(UNFLATTEN, unflatten)                                                               \
  OP(RAVEL, ravel)                                                                       \
  OP(VIEW_AS, view_as)                                                                   \
  OP(RESHAPE_AS, reshape_as)                                                             \
  OP(EXPAND_AS, expand_as)                                                               \
  OP(DIAGONAL, diagonal)                                                                 \
  OP(PLACE_DIAGONAL, place_diagonal)                                                     \
  OP(UNFOLD, unfold)                                                                     \
  OP(PLACE_UNFOLD, place_unfold)                                                         \
  OP(SLICE, slice)                                                                       \
  OP(PLACE_SLICE, place_slice)                                                           \
  OP(CAT, cat)                                                                           \
  OP(STACK, stack)                                                                       \
  OP(HSTACK, hstack)                                                                     \
  OP(VSTACK, vstack)                                                                     \
  OP(COLUMN_STACK, column_stack)                                                         \
  OP(DSTACK, dstack)                                                                     \
  OP(INDEX, index)                                                                       \
  OP(PLACE_INDEX, place_index)                                                           \
  OP(INDEX_PUT, index_put)                                                               \
  OP(INDEX_SELECT, index_select)                                                         \
  OP(INDEX_ADD, index_add)                                                               \
  OP(INDEX_COPY, index_copy)                                                             \
  OP(INDEX_REDUCE, index_reduce)                                                         \
  OP(INDEX_FILL, index_fill)                                                             \
  OP(INDEX_FILL_BY, index_fill_by)                                                       \
  OP(TAKE, take)                                                                         \
  OP(MASKED_SELECT, masked_select)                                                       \
  OP(MASKED_SCATTER, masked_scatter)                                                     \
  OP(NONZERO, nonzero)                                                                   \
  OP(ARGWHERE, argwhere)                                                                 \
  OP(COMBINATIONS, combinations)                                                         \
  OP(GATHER, gather)                                                                     \
  OP(PLACE_GATHER, place_gather)                                                         \
  OP(SCATTER, scatter)                                                                   \
  OP(SCATTER_ADD, scatter_add)                                                           \
  OP(SCATTER_COMBINE, scatter_combine)                                                   \
  OP(SCATTER_REDUCE, scatter_reduce)                                                     \
  OP(TAKE_ALONG_DIM, take_along_dim)                                                     \
  OP(ONE_HOT, one_hot)                                                                   \
  OP(TILE, tile)                                                                         \
  OP(REPEAT_INTERLEAVE, repeat_interleave)                                               \
  OP(REPEAT_EACH, repeat_each)                                                           \
  OP(FLIP, flip)                                                                         \
  OP(ROLL, roll)                                                                         \
  OP(ROT90, rot90)                                                                       \
  OP(FLIPLR, fliplr)                                                                     \
  OP(FLIPUD, flipud)                                                                     \
  OP(TRIL, tril)                                                                         \
  OP(TRIU, triu)                                                                         \
  OP(DIAG, diag)                                                                         \
  OP(DIAG_EMBED, diag_embed)                                                             \
  OP(DIAGFLAT, diagflat)                                                                 \
  OP(TRACE, trace)                                                                       \
  OP(PAD, pad)                                                                           \
  OP(PAD_CONSTANT, pad_constant)                                                         \
  MLPLI_LINALG_OPS(OP)

/* Places in the table. */
#define MLPLI_OP_ID(ID, row) MLPLI_OP_##ID,
typedef enum mlpli_op_id { MLPLI_OPS(MLPLI_OP_ID) MLPLI_N_OPS } mlpli_op_id;

extern const mlpl_op *const mlpli_op_table[MLPLI_N_OPS];

static inline mlpl_status mlpli_apply(mlpl_ctx *cx, mlpl_tensor **out, mlpli_op_id id,
    mlpl_tensor *const *in, int n, const mlpl_value *p) {
  return mlpl_op_apply(cx, out, mlpli_op_table[id], in, n, p);
}

/* The name that messages begin with. */
static inline const char *mlpli_said(const mlpl_op *op) {
  return op->says ? mlpli_op_table[op->says]->name : op->name;
}

/* The row that a choice among the options decides, whose own there are none of. */
static inline const mlpl_op *mlpli_chosen(const mlpl_op *op, const mlpl_value **p) {
  if (__builtin_expect(!op->by_choice[0], 1) || !*p) return op;
  const int64_t i = (*p)[op->n_params - 1].i;
  if (i < 1 || i > 2) return op;
  *p = NULL;
  return mlpli_op_table[op->by_choice[i - 1]];
}

/* Where input i of a call is described in its row: those of a list share the last
   place. */
static inline int mlpli_input_place(const mlpl_op *op, int i) {
  return i < op->n_inputs ? i : op->n_inputs - 1;
}
static inline bool mlpli_input_in(uint8_t bits, const mlpl_op *op, int i) {
  return ((unsigned)bits >> mlpli_input_place(op, i) & 1u) != 0;
}

/* Name of input i for messages: "weight"; of a list, "tensor 3" as the user counts. */
#define MLPLI_INPUT_TEXT 40
const char *mlpli_input_text(char *buf, const mlpl_ctx *cx, const mlpl_op *op, int i);

/*
** The parts of a call (apply.c). begin checks c's inputs and options; where inputs must be
** converted it puts them all into cast[MLPL_MAX_INPUTS] or an array of their own, which c
** then has as inputs; end lets go of them. compute makes the results; recording is the
** caller's.
*/
mlpl_status mlpli_begin(mlpl_ctx *cx, mlpli_call *c, mlpl_tensor **cast);
void mlpli_end(mlpl_ctx *cx, mlpli_call *c, mlpl_tensor *const *cast);
mlpl_status mlpli_compute(mlpl_ctx *cx, mlpli_call *c, mlpl_tensor **out);
/*
** Of results that were made of other results: what shares memory with an input is a view,
** all else is a tensor of its own, though it came as a view of what nobody else holds. No
** two of the latter share memory: one that does is copied. An input itself stays what it is.
*/
mlpl_status mlpli_settle_memory(
    mlpl_ctx *cx, mlpl_tensor **out, int n_out, mlpl_tensor *const *in, int n);
static inline int mlpli_result_dtype(const mlpli_call *c) {
  if (c->op->dtype) return c->op->dtype(c);
  return c->op->gives_index ? MLPL_I64 : c->in[c->op->like]->dtype;
}

/* What the profiler counts for a call. */
double mlpli_op_bytes(mlpl_tensor *const *in, int n, const mlpl_tensor *out);
double mlpli_op_flops(const mlpl_op *op, mlpl_tensor *const *in, const mlpl_tensor *out);

/* ---- options (params.c) ------------------------------------------------------------ */

/* values[0..n) from a list of named arguments: defaults filled in, everything checked.
   `what` begins the error. */
mlpl_status mlpli_resolve(mlpl_ctx *cx, const char *what, const mlpl_param *params, int n,
    const mlpl_arg *args, mlpl_value *values);
/* That every value is in its option's domain. */
mlpl_status mlpli_check_params(mlpl_ctx *cx, const char *what, const mlpl_param *params,
    int n, const mlpl_value *values);

/* *axis counted from 0 in [0, ndim); the error names axis and rank. */
mlpl_status mlpli_axis(
    mlpl_ctx *cx, const char *what, int64_t given, int ndim, int *axis);
/* The same of an axis that was checked before. */
static inline int mlpli_axis_known(int64_t given, int ndim) {
  return (int)(given < 0 ? given + ndim : given);
}
/* *axes (bits) of a list of axes; the error names one that stands twice. */
mlpl_status mlpli_axis_list(mlpl_ctx *cx, const char *what, const mlpl_value *given,
    int ndim, int *list, unsigned *axes);

/* ---- shapes (broadcast.c) ---------------------------------------------------------- */

/* NumPy's rule; the error names both shapes, and whose they are: a and b, inputs i and k of
   the call, or what their names are. */
mlpl_status mlpli_broadcast(mlpl_ctx *cx, const char *what, const mlpl_tensor *a,
    const mlpl_tensor *b, mlpli_shape *out);
mlpl_status mlpli_broadcast_inputs(
    mlpl_ctx *cx, const mlpli_call *c, int i, int k, mlpli_shape *out);
mlpl_status mlpli_broadcast_as(mlpl_ctx *cx, const char *what, const char *name_a,
    const mlpl_tensor *a, const char *name_b, const mlpl_tensor *b, mlpli_shape *out);
/* Strides with which t is read as if it had the (broadcast) shape. */
void mlpli_broadcast_strides(
    const mlpl_tensor *t, int ndim, const int64_t *shape, int64_t *stride);
static inline bool mlpli_same_shape(
    const mlpl_tensor *a, int ndim, const int64_t *shape) {
  if (a->ndim != ndim) return false;
  for (int d = 0; d < ndim; d++)
    if (a->shape[d] != shape[d]) return false;
  return true;
}

/* ---- dtypes (dtype.c) -------------------------------------------------------------- */

/* What `computes` is made of. A row that computes in reals alone takes whole numbers and
   truth values as f32, one that computes in truth alone takes everything as x != 0. */
#define MLPLI_REALS (1 << MLPL_F32 | 1 << MLPL_F64)
#define MLPLI_WHOLES (1 << MLPL_I64 | 1 << MLPL_U8)
#define MLPLI_TRUTH (1 << MLPL_BOOL)
#define MLPLI_NUMBERS (MLPLI_REALS | MLPLI_WHOLES)

/* Does input i of the row hold numbers, whatever their dtype? */
static inline bool mlpli_holds_numbers(const mlpl_op *op, int i) {
  return op->domain[mlpli_input_place(op, i)] < MLPLI_LABELS;
}

/* The dtype that the inputs of a promoting row are computed in; MLPL_EARG: the row has
   no such arithmetic. */
mlpl_status mlpli_promoted(
    mlpl_ctx *cx, const mlpl_op *op, mlpl_tensor *const *in, int n, int *dtype);
/* Fails because input i has a dtype that a row with `computes` has no arithmetic for. */
mlpl_status mlpli_no_arithmetic(mlpl_ctx *cx, const mlpl_op *op, int i, int dtype);
int mlpli_gives_truth(const mlpli_call *c); /* a row's `dtype`: bool */
/* Can a tensor of dtype take results of another: not reals into whole numbers, numbers
   into truth values. */
bool mlpli_can_hold(int dtype, int result);

/* ---- work shared by rows ----------------------------------------------------------- */

/* out = f(x, y, p), x and y (NULL: none) read with out's shape; on several threads when
   large. */
void mlpli_map(mlplk_map_kind kind, mlpl_tensor *out, const mlpl_tensor *x,
    const mlpl_tensor *y, double p);
/* The same for truth values and bits; the kernel is that of x's dtype. */
void mlpli_logic(
    mlplk_logic_kind kind, mlpl_tensor *out, const mlpl_tensor *x, const mlpl_tensor *y);

/* out = f(x, y, z, p), likewise. */
void mlpli_map3(mlplk_map3_kind kind, mlpl_tensor *out, const mlpl_tensor *x,
    const mlpl_tensor *y, const mlpl_tensor *z, double p);

/* A number seen as a tensor without axes, of t's dtype, for mlpli_map: it lives where it
   is declared. */
typedef struct mlpli_number {
  mlpl_tensor t;
  char value[8];
} mlpli_number;
const mlpl_tensor *mlpli_number_like(mlpli_number *n, const mlpl_tensor *t, double v);

/* x between min and max; NaN where one of those is. */
void mlpli_clamp(mlpl_tensor *out, const mlpl_tensor *x, double min, double max);

/* out = c ? a : b, element by element; c is bool, a and b have out's dtype, and all are
   read with out's shape. */
void mlpli_choose(
    mlpl_tensor *out, const mlpl_tensor *c, const mlpl_tensor *a, const mlpl_tensor *b);

/* Reduce the axes in `axes` (bits); out is contiguous and holds the other axes' elements
   in order. */
mlpl_status mlpli_reduce(mlpl_ctx *cx, mlplk_reduce_kind kind, mlpl_tensor *out,
    const mlpl_tensor *x, unsigned axes);

/* C := act(A B + beta C + bias) on 2-d operands given by address and strides; all of one
   dtype. Of whole numbers C := A B, truth values among them where a sum has one term. */
typedef struct mlpli_matrix {
  void *p;
  int64_t rows, cols, rs, cs;
} mlpli_matrix;
mlplk_gemm mlpli_gemm(mlpli_matrix a, mlpli_matrix b, double beta, mlpli_matrix c,
    const mlpl_tensor *bias, mlplk_act act);
mlpl_status mlpli_product(mlpl_ctx *cx, int dtype, mlpli_matrix a, mlpli_matrix b,
    double beta, mlpli_matrix c, const mlpl_tensor *bias, mlplk_act act);
static inline mlpli_matrix mlpli_matrix_of(const mlpl_tensor *t) {
  return (mlpli_matrix){t->data, t->shape[0], t->shape[1], t->stride[0], t->stride[1]};
}
static inline mlpli_matrix mlpli_transposed(mlpli_matrix m) {
  return (mlpli_matrix){m.p, m.cols, m.rows, m.cs, m.rs};
}

/*
** Cross-entropy of x [n x k] (rows of adjacent elements) against checked labels, with the
** options p of the row cross_entropy. each [n] receives every row's loss and out their
** sum or mean; each NULL: out [n] receives them. dx (NULL: not wanted) [n x k] receives
** the gradient.
*/
mlpl_status mlpli_cross_entropy_labels(mlpl_ctx *cx, const mlpl_value *p, mlpl_tensor *x,
    mlpl_tensor *w, const int64_t *label, mlpl_tensor *each, mlpl_tensor *dx,
    mlpl_tensor *out);

/* Mean squared error of x against t, of one shape, reduced into out; its gradient into
   dx. */
mlpl_status mlpli_mse_step(mlpl_ctx *cx, int64_t reduction, mlpl_tensor *x,
    mlpl_tensor *t, mlpl_tensor *dx, mlpl_tensor *out);

/* ---- expressions: backward passes written with operations (expr.c) ----------------- */

/*
** Results of the calls below live until mlpli_expr_end. After a failure every further
** call gives NULL, and NULL operands give NULL, so that only the end must be checked.
** Recorded when recording is on (create_graph).
*/
typedef struct mlpli_expr {
  mlpl_ctx *cx;
  mlpl_status status;
  int n;
  mlpl_tensor *temp[64];
} mlpli_expr;

mlpl_tensor *mlpli_x1(mlpli_expr *e, mlpli_op_id id, mlpl_tensor *a, const mlpl_value *p);
mlpl_tensor *mlpli_x2(
    mlpli_expr *e, mlpli_op_id id, mlpl_tensor *a, mlpl_tensor *b, const mlpl_value *p);
mlpl_tensor *mlpli_x3(mlpli_expr *e, mlpli_op_id id, mlpl_tensor *a, mlpl_tensor *b,
    mlpl_tensor *c, const mlpl_value *p);
mlpl_tensor *mlpli_xadd(mlpli_expr *e, mlpl_tensor *a, mlpl_tensor *b);
mlpl_tensor *mlpli_xsub(mlpli_expr *e, mlpl_tensor *a, mlpl_tensor *b);
mlpl_tensor *mlpli_xmul(mlpli_expr *e, mlpl_tensor *a, mlpl_tensor *b);
mlpl_tensor *mlpli_xdiv(mlpli_expr *e, mlpl_tensor *a, mlpl_tensor *b);
/* scale a + shift */
mlpl_tensor *mlpli_xaffine(mlpli_expr *e, mlpl_tensor *a, double scale, double shift);
/* not recorded */
mlpl_tensor *mlpli_xmap(
    mlpli_expr *e, mlplk_map_kind kind, mlpl_tensor *a, mlpl_tensor *b, double p);
mlpl_tensor *mlpli_xmap3(mlpli_expr *e, mlplk_map3_kind kind, mlpl_tensor *a,
    mlpl_tensor *b, mlpl_tensor *c, double p);
/* a where b passes MLPLK_GATE_... at p, else 0; recorded */
mlpl_tensor *mlpli_xgate(
    mlpli_expr *e, mlplk_map_kind gate, mlpl_tensor *a, mlpl_tensor *b, double p);
/* v as a tensor without axes, of t's dtype; a constant */
mlpl_tensor *mlpli_xnumber(mlpli_expr *e, const mlpl_tensor *t, double v);
/* Which elements of t are 0: truth values, a constant; NULL where none is. */
mlpl_tensor *mlpli_xzeros(mlpli_expr *e, mlpl_tensor *t);
/*
** a, but 0 where the mask (NULL: nowhere), which broadcasts to it. Where a divided by 0 there,
** its own gradient is NaN: a first derivative that is chosen is not differentiable.
*/
mlpl_tensor *mlpli_xzero_where(mlpli_expr *e, mlpl_tensor *mask, mlpl_tensor *a);
/* 1 where y, an output of relu, lets a gradient through (y > 0 or NaN), else 0; a
   constant */
mlpl_tensor *mlpli_xrelu_mask(mlpli_expr *e, mlpl_tensor *y);
/* hand over a tensor that was given to us */
mlpl_tensor *mlpli_xkeep(mlpli_expr *e, mlpl_tensor *t);
/* The node's saved output, joined to the graph when the backward pass is recorded. */
mlpl_tensor *mlpli_xout(mlpli_expr *e, mlpli_node *n);
/* Give gx, summed to the shape of the input where that was broadcast, to input i. */
void mlpli_xgive(mlpli_expr *e, mlpli_node *n, int i, mlpl_tensor *gx);
/* n inputs, of which some may be NULL where the row allows it */
mlpl_tensor *mlpli_xn(
    mlpli_expr *e, mlpli_op_id id, mlpl_tensor *const *in, int n, const mlpl_value *p);
mlpl_status mlpli_expr_end(mlpli_expr *e);
/* The end of a composed row: *out is y, held. */
mlpl_status mlpli_xresult(mlpli_expr *e, mlpl_tensor **out, mlpl_tensor *y);

#endif
