/*
** The table of operations. A row is complete here: names, domains, options, shape rule,
** passes. Axes and indices in options count from 0, negative ones from the end; Lua
** converts.
*/
#include "ops/param.h"
#include "ops/rows.h"

#define MANY 9e15 /* more than any count */
#define COUNT(a) (uint8_t)(sizeof(a) / sizeof *(a))

/* ---- options ----------------------------------------------------------------------- */

static const mlpl_param leaky_relu_params[] = {
    MLPLI_REAL_OPTION("negative_slope", 0.01, -INFINITY, INFINITY)};
static const mlpl_param elu_params[] = {MLPLI_REAL_OPTION("alpha", 1, 0, 1e300)};
static const mlpl_param affine_params[] = {
    MLPLI_REAL_NEEDED("scale"), MLPLI_REAL_NEEDED("shift")};
static const mlpl_param reduce_params[] = {
    MLPLI_AXIS_OPTION("dim", NAN), MLPLI_BOOL_OPTION("keepdim", 0)};
static const mlpl_param size_params[] = {MLPLI_SIZES_NEEDED("sizes")};
static const mlpl_param transpose_params[] = {
    MLPLI_AXIS_NEEDED("dim0"), MLPLI_AXIS_NEEDED("dim1")};
static const mlpl_param flatten_params[] = {
    MLPLI_AXIS_OPTION("start_dim", 0), MLPLI_AXIS_OPTION("end_dim", -1)};
static const mlpl_param narrow_params[] = {MLPLI_AXIS_NEEDED("dim"),
    MLPLI_INDEX_NEEDED("start"), MLPLI_INT_NEEDED("length", 0, MANY)};
static const mlpl_param select_params[] = {
    MLPLI_AXIS_NEEDED("dim"), MLPLI_INDEX_NEEDED("index")};
static const mlpl_param place_params[] = {MLPLI_AXIS_NEEDED("dim"),
    MLPLI_INDEX_NEEDED("start"), MLPLI_INT_NEEDED("size", 0, MANY)};
static const mlpl_param spread_params[] = {
    MLPLI_AXIS_NEEDED("dim"), MLPLI_INT_NEEDED("size", 0, MANY)};
static const mlpl_param pick_params[] = {MLPLI_AXIS_NEEDED("dim")};
static const mlpl_param softmax_params[] = {MLPLI_AXIS_NEEDED("dim")};
static const char *const activations[] = {"none", "relu", NULL};
static const mlpl_param linear_params[] = {
    MLPLI_CHOICE_OPTION("activation", activations)};
static const mlpl_param loss_params[] = {
    MLPLI_CHOICE_OPTION("reduction", mlpli_reductions)};
static const mlpl_param cross_entropy_params[] = {
    MLPLI_CHOICE_OPTION("reduction", mlpli_reductions),
    MLPLI_INT_OPTION("ignore_index", -100, -MANY, MANY),
    MLPLI_REAL_OPTION("label_smoothing", 0, 0, 1)};
static const mlpl_param dropout_params[] = {
    MLPLI_REAL_OPTION("p", 0.5, 0, 1), MLPLI_BOOL_OPTION("training", 1)};

#define PARAMS(p) .params = p, .n_params = COUNT(p)

/* ---- rows -------------------------------------------------------------------------- */

/* y = f(a, b), broadcast */
#define BINARY(f, a_domain, b_domain, saved)                                             \
  {                                                                                      \
    .name = #f, .input_name = {"a", "b"}, .domain = {a_domain, b_domain}, .n_inputs = 2, \
    .n_required = 2, .n_outputs = 1, .saves = saved, .differentiable = 3,                \
    .shape = mlpli_shape_broadcast, .forward = mlpli_##f##_forward,                      \
    .backward = mlpli_##f##_backward                                                     \
  }
/* y = f(x), element by element */
#define UNARY(f, in, saved)                                                              \
  .name = #f, .input_name = {"input"}, .domain = {in}, .n_inputs = 1, .n_required = 1,   \
  .n_outputs = 1, .saves = saved, .differentiable = 1, .shape = mlpli_shape_same,        \
  .forward = mlpli_##f##_forward
#define BACKWARD(f) .backward = mlpli_##f##_backward
#define VIEW(f, back)                                                                    \
  .name = #f, .input_name = {"input"}, .domain = {MLPLI_ANY}, .n_inputs = 1,             \
  .n_required = 1, .n_outputs = 1, .differentiable = 1, .view = mlpli_##f##_view,        \
  .backward = mlpli_##back##_backward
#define REDUCTION(f, in) UNARY_SHAPED(f, in, mlpli_shape_reduced), PARAMS(reduce_params)
#define UNARY_SHAPED(f, in, rule)                                                        \
  .name = #f, .input_name = {"input"}, .domain = {in}, .n_inputs = 1, .n_required = 1,   \
  .n_outputs = 1, .differentiable = 1, .shape = rule, .forward = mlpli_##f##_forward

const mlpl_op mlpli_op_table[MLPLI_N_OPS] = {
    [MLPLI_OP_ADD] = BINARY(add, MLPLI_REAL, MLPLI_REAL, 0),
    [MLPLI_OP_SUB] = BINARY(sub, MLPLI_REAL, MLPLI_REAL, 0),
    [MLPLI_OP_MUL] = BINARY(mul, MLPLI_REAL, MLPLI_REAL, 3),
    [MLPLI_OP_DIV] = BINARY(div, MLPLI_REAL, MLPLI_NONZERO, 3),
    [MLPLI_OP_POW] = BINARY(pow, MLPLI_POSITIVE, MLPLI_REAL, 3 | MLPLI_SAVE_OUT),
    [MLPLI_OP_NEG] = {UNARY(neg, MLPLI_REAL, 0), BACKWARD(neg)},
    [MLPLI_OP_ABS] = {UNARY(abs, MLPLI_SMOOTH, 1), BACKWARD(abs)},
    [MLPLI_OP_SIGN] = {UNARY(sign, MLPLI_SMOOTH, 0)},
    [MLPLI_OP_POSITIVE] = {UNARY(positive, MLPLI_SMOOTH, 0), .internal = true},
    [MLPLI_OP_AFFINE] = {UNARY(affine, MLPLI_REAL, 0), BACKWARD(affine),
        PARAMS(affine_params), .internal = true},
    [MLPLI_OP_EXP] = {UNARY(exp, MLPLI_REAL, MLPLI_SAVE_OUT), BACKWARD(exp)},
    [MLPLI_OP_LOG] = {UNARY(log, MLPLI_POSITIVE, 1), BACKWARD(log)},
    [MLPLI_OP_SQRT] = {UNARY(sqrt, MLPLI_POSITIVE, MLPLI_SAVE_OUT), BACKWARD(sqrt)},
    [MLPLI_OP_RELU] = {UNARY(relu, MLPLI_SMOOTH, MLPLI_SAVE_OUT), BACKWARD(relu)},
    [MLPLI_OP_LEAKY_RELU] = {UNARY(leaky_relu, MLPLI_SMOOTH, 1), BACKWARD(leaky_relu),
        PARAMS(leaky_relu_params)},
    [MLPLI_OP_ELU] = {UNARY(elu, MLPLI_SMOOTH, MLPLI_SAVE_OUT), BACKWARD(elu),
        PARAMS(elu_params)},
    [MLPLI_OP_SIGMOID] = {UNARY(sigmoid, MLPLI_REAL, MLPLI_SAVE_OUT), BACKWARD(sigmoid)},
    [MLPLI_OP_TANH] = {UNARY(tanh, MLPLI_REAL, MLPLI_SAVE_OUT), BACKWARD(tanh)},

    [MLPLI_OP_SUM] = {REDUCTION(sum, MLPLI_REAL), BACKWARD(sum)},
    [MLPLI_OP_MEAN] = {REDUCTION(mean, MLPLI_REAL), BACKWARD(mean)},
    [MLPLI_OP_MAX] = {.name = "max",
        .input_name = {"input"},
        .domain = {MLPLI_DISTINCT},
        .n_inputs = 1,
        .n_required = 1,
        .n_outputs = 2,
        .differentiable = 1,
        .shape = mlpli_shape_reduced,
        .forward = mlpli_max_forward,
        BACKWARD(max),
        PARAMS(reduce_params)},
    [MLPLI_OP_ARGMAX] = {REDUCTION(argmax, MLPLI_DISTINCT), .gives_index = true},
    [MLPLI_OP_SUM_TO_SIZE] = {UNARY_SHAPED(
                                  sum_to_size, MLPLI_REAL, mlpli_shape_sum_to_size),
        BACKWARD(sum_to_size), PARAMS(size_params)},

    [MLPLI_OP_MATMUL] = {.name = "matmul",
        .input_name = {"a", "b"},
        .domain = {MLPLI_REAL, MLPLI_REAL},
        .n_inputs = 2,
        .n_required = 2,
        .n_outputs = 1,
        .saves = 3,
        .differentiable = 3,
        .shape = mlpli_shape_matmul,
        .forward = mlpli_matmul_forward,
        BACKWARD(matmul)},
    [MLPLI_OP_LINEAR] = {.name = "linear",
        .input_name = {"input", "weight", "bias"},
        .domain = {MLPLI_REAL, MLPLI_REAL, MLPLI_REAL},
        .n_inputs = 3,
        .n_required = 2,
        .n_outputs = 1,
        .saves = 3 | MLPLI_SAVE_OUT,
        .differentiable = 7,
        .shape = mlpli_shape_linear,
        .forward = mlpli_linear_forward,
        BACKWARD(linear),
        PARAMS(linear_params)},

    [MLPLI_OP_TRANSPOSE] = {VIEW(transpose, transpose), PARAMS(transpose_params)},
    [MLPLI_OP_T] = {VIEW(t, t)},
    [MLPLI_OP_RESHAPE] = {VIEW(reshape, reshape), PARAMS(size_params)},
    [MLPLI_OP_FLATTEN] = {VIEW(flatten, reshape), PARAMS(flatten_params)},
    [MLPLI_OP_NARROW] = {VIEW(narrow, narrow), PARAMS(narrow_params)},
    [MLPLI_OP_SELECT] = {VIEW(select, select), PARAMS(select_params)},
    [MLPLI_OP_EXPAND] = {VIEW(expand, expand), PARAMS(size_params)},
    [MLPLI_OP_PLACE] = {UNARY_SHAPED(place, MLPLI_REAL, mlpli_shape_place),
        BACKWARD(place), PARAMS(place_params), .internal = true},
    [MLPLI_OP_SPREAD] = {.name = "spread",
        .input_name = {"input", "index"},
        .domain = {MLPLI_REAL, MLPLI_ANY},
        .n_inputs = 2,
        .n_required = 2,
        .n_outputs = 1,
        .saves = 2,
        .differentiable = 1,
        .shape = mlpli_shape_place,
        .forward = mlpli_spread_forward,
        BACKWARD(spread),
        PARAMS(spread_params),
        .internal = true},
    [MLPLI_OP_PICK] = {.name = "pick",
        .input_name = {"input", "index"},
        .domain = {MLPLI_REAL, MLPLI_ANY},
        .n_inputs = 2,
        .n_required = 2,
        .n_outputs = 1,
        .saves = 2,
        .differentiable = 1,
        .shape = mlpli_shape_pick,
        .forward = mlpli_pick_forward,
        BACKWARD(pick),
        PARAMS(pick_params),
        .internal = true},
    [MLPLI_OP_CLONE] = {UNARY(clone, MLPLI_ANY, 0), BACKWARD(clone)},

    [MLPLI_OP_SOFTMAX] = {UNARY(softmax, MLPLI_REAL, MLPLI_SAVE_OUT), BACKWARD(softmax),
        PARAMS(softmax_params)},
    [MLPLI_OP_LOG_SOFTMAX] = {UNARY(log_softmax, MLPLI_REAL, MLPLI_SAVE_OUT),
        BACKWARD(log_softmax), PARAMS(softmax_params)},

    [MLPLI_OP_CROSS_ENTROPY] = {.name = "cross_entropy",
        .input_name = {"input", "target", "weight"},
        .domain = {MLPLI_REAL, MLPLI_TARGET, MLPLI_SHARE},
        .n_inputs = 3,
        .n_required = 2,
        .n_outputs = 1,
        .saves = 7,
        .differentiable = 1,
        .shape = mlpli_shape_cross_entropy,
        .forward = mlpli_cross_entropy_forward,
        BACKWARD(cross_entropy),
        PARAMS(cross_entropy_params)},
    [MLPLI_OP_MSE_LOSS] = {.name = "mse_loss",
        .input_name = {"input", "target"},
        .domain = {MLPLI_REAL, MLPLI_REAL},
        .n_inputs = 2,
        .n_required = 2,
        .n_outputs = 1,
        .saves = 3,
        .differentiable = 3,
        .shape = mlpli_shape_mse_loss,
        .forward = mlpli_mse_loss_forward,
        BACKWARD(mse_loss),
        PARAMS(loss_params)},
    [MLPLI_OP_BCE_WITH_LOGITS] = {.name = "binary_cross_entropy_with_logits",
        .input_name = {"input", "target", "weight", "pos_weight"},
        .domain = {MLPLI_REAL, MLPLI_SHARE, MLPLI_SHARE, MLPLI_SHARE},
        .n_inputs = 4,
        .n_required = 2,
        .n_outputs = 1,
        .saves = 15,
        .differentiable = 1,
        .shape = mlpli_shape_bce,
        .forward = mlpli_bce_forward,
        BACKWARD(bce),
        PARAMS(loss_params)},

    [MLPLI_OP_DROPOUT] = {.name = "dropout",
        .input_name = {"input"},
        .domain = {MLPLI_REAL},
        .n_inputs = 1,
        .n_required = 1,
        .n_outputs = 1,
        .differentiable = 1,
        .random = true,
        .view = mlpli_dropout_view,
        BACKWARD(dropout),
        PARAMS(dropout_params)},
};
