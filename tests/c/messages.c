/*
** The texts of errors: those of operations and options, for labels and axes that count
** from 0 and from 1; and that no error of the engine's floors is without a test that pins
** its text.
*/
#include "tensor_test.h"

#include "grad/grad.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

/* ---- operations -------------------------------------------------------------------- */

static mlpl_status try(
    mlpl_ctx *cx, const char *op, mlpl_tensor *const *in, int n, const mlpl_arg *args) {
  mlpl_tensor *out[MLPLI_MAX_OUTPUTS];
  mlpl_status status = mlpl_call(cx, out, op, in, n, args);
  if (status == MLPL_OK) test_hold(out[0]);
  else assert_null(out[0]);
  return status;
}
#define TRY1(op, a, ...) try(cx, op, (mlpl_tensor *[]){a}, 1, ARGS(__VA_ARGS__))
#define TRY2(op, a, b) try(cx, op, (mlpl_tensor *[]){a, b}, 2, NULL)
#define TRY3(op, a, b, c) try(cx, op, (mlpl_tensor *[]){a, b, c}, 3, NULL)
#define TRY4(op, a, b, c, d) try(cx, op, (mlpl_tensor *[]){a, b, c, d}, 4, NULL)
#define F32(...) test_new(cx, MLPL_F32, SIZES(__VA_ARGS__))
#define F64(...) test_new(cx, MLPL_F64, SIZES(__VA_ARGS__))
#define I64(...) test_new(cx, MLPL_I64, SIZES(__VA_ARGS__))
#define SIZE_LIST(...)                                                                   \
  {                                                                                      \
    .name = "sizes", .value = sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t),        \
    .sizes = (int64_t[]) {                                                               \
      __VA_ARGS__                                                                        \
    }                                                                                    \
  }

static void inputs(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  assert_fails(cx, TRY1("warp", F32(2), {0}), MLPL_EARG,
      "call: there is no operation 'warp'");
  assert_fails(cx, try(cx, "add", (mlpl_tensor *[]){I64(2), I64(2)}, 2,
      ARGS(ARG("alpha", 0.5))), MLPL_EARG,
      "add: alpha is 0.5; beside whole numbers (i64) it must be a whole number, too");
  assert_fails(cx, try(cx, "clamp_by", (mlpl_tensor *[]){F32(2), F32(3)}, 2, NULL),
      MLPL_ESHAPE, "clamp: sizes differ: input is [2], min is [3]");
  assert_fails(
      cx, TRY1("add", F32(2), {0}), MLPL_EARG, "add: 1 tensors given; it takes 2 to 2");
  assert_fails(cx, TRY2("exp", F32(2), F32(2)), MLPL_EARG,
      "exp: 2 tensors given; it takes 1 to 1");
  assert_fails(cx, TRY2("add", F32(2), NULL), MLPL_EARG, "add: b is missing");
  assert_fails(cx, TRY2("linear", F32(2), NULL), MLPL_EARG, "linear: weight is missing");
  assert_fails(cx, TRY1("gelu", I64(2), {0}), MLPL_EARG,
      "gelu: input is i64; it must be f32 or f64 (convert with :to)");
  assert_fails(cx, TRY2("matmul", F32(2, 2), F64(2, 2)), MLPL_EARG,
      "matmul: a is f32, b is f64; they must have one dtype (convert with :to)");
  assert_fails(cx, TRY3("linear", F32(2), F32(3, 2), I64(3)), MLPL_EARG,
      "linear: bias is i64; it must be f32 or f64");
  test_drop_and_close(cx);
}

static void choices(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *c = test_new(cx, MLPL_BOOL, SIZES(3));
  assert_fails(cx, TRY3("where", F32(3), F32(3), F32(3)), MLPL_EARG,
      "where: condition is f32; it must be bool");
  assert_fails(cx, TRY3("where", c, F32(2), F32(1)), MLPL_ESHAPE,
      "where: sizes differ: condition is [3], a is [2]");
  assert_fails(cx,
      try(cx, "masked_fill", (mlpl_tensor *[]){F32(3), I64(3)}, 2,
          ARGS({.name = "value", .value = 1})),
      MLPL_EARG, "masked_fill: mask is i64; it must be bool");
  assert_fails(cx,
      try(cx, "masked_fill", (mlpl_tensor *[]){I64(3), c}, 2,
          ARGS({.name = "value", .value = 0.5})),
      MLPL_EARG, "masked_fill: value is 0.5, which i64 cannot hold");
  mlpl_tensor *half;
  assert_works(cx, mlpl_tensor_full(cx, &half, MLPL_F32, 0, NULL, 0.5));
  test_hold(half);
  assert_fails(cx, TRY3("masked_fill_by", I64(3), c, half), MLPL_EARG,
      "masked_fill: value is 0.5, which i64 cannot hold");
  assert_fails(cx, TRY3("masked_fill_by", F32(3), c, F32(1)), MLPL_ESHAPE,
      "masked_fill: value is [1]; it must be one number, in a tensor without axes");
  assert_fails(cx,
      try(cx, "index_fill_by", (mlpl_tensor *[]){F32(3), I64(0), F32(1)}, 3,
          ARGS(ARG("dim", 0))),
      MLPL_ESHAPE,
      "index_fill: value is [1]; it must be one number, in a tensor without axes");
  assert_fails(cx,
      try(cx, "addcmul", (mlpl_tensor *[]){I64(2), I64(2), I64(2)}, 3,
          ARGS(ARG("value", 0.5))),
      MLPL_EARG,
      "addcmul: value is 0.5; beside whole numbers (i64) it must be a whole number, too");
  assert_fails(cx,
      try(cx, "hardtanh", (mlpl_tensor *[]){test_new(cx, MLPL_U8, SIZES(2))}, 1,
          ARGS(ARG("min_val", -3), ARG("max_val", -1))),
      MLPL_EARG,
      "hardtanh: min_val is -3, max_val is -1; no u8 is between them (convert with :to)");
  assert_fails(cx, TRY1("clamp", F32(3), {0}), MLPL_EARG,
      "clamp: neither min nor max is given");
  assert_fails(cx,
      TRY1("hardtanh", F32(3), {.name = "min_val", .value = 2}, {0}), MLPL_EARG,
      "hardtanh: min_val is 2, above max_val, which is 1");
  assert_fails(cx, TRY2("prelu", F32(2, 3), F32(2)), MLPL_ESHAPE,
      "prelu: weight is [2], input is [2x3]; it has one number, or one for each of the 3 "
      "on the input's second axis");
  assert_fails(cx, TRY1("glu", F32(2, 3), {0}), MLPL_ESHAPE,
      "glu: axis 1 of [2x3] has an odd size; it is cut into halves");
  assert_fails(cx, TRY1("polygamma", F32(2), {.name = "n", .value = -1}, {0}), MLPL_EARG,
      "polygamma: n is -1; it must be from 0 to 100");
  test_drop_and_close(cx);
}

/* Of rows that are composed of others. */
static void composed(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *three = F32(2, 3, 4), *one = F32(3);
  assert_fails(cx, TRY1("cov", three, {0}), MLPL_ESHAPE,
      "cov: input is [2x3x4]; it must be [observations] or [variables x observations]");
  assert_fails(cx, TRY2("cov", one, F32(2)), MLPL_ESHAPE,
      "cov: fweights is [2]; it must be [3], a weight for each observation");
  assert_fails(cx, TRY2("cov", one, one), MLPL_EARG,
      "cov: fweights is f32; it says how often, in whole numbers (i64 or u8)");
  mlpl_tensor *below = I64(3);
  ((int64_t *)mlpl_tensor_data(below))[2] = -1;
  assert_fails(cx, TRY2("cov", one, below), MLPL_EARG,
      "cov: fweights has -1 at 2; weights are 0 or more");
  mlpl_tensor *drawn, *places[2];
  assert_fails(cx, mlpl_unravel_index(cx, places, one, 2, (int64_t[]){2, 3}), MLPL_EARG,
      "unravel_index: index is f32; indices are i64");
  assert_fails(cx, mlpl_unravel_index(cx, places, I64(2), 2,
      (int64_t[]){INT64_MAX, 2}), MLPL_ESHAPE,
      "unravel_index: the sizes are negative, or their product cannot be counted");
  assert_fails(cx, mlpl_unravel_index(cx, places, below, 2, (int64_t[]){2, 3}), MLPL_EARG,
      "unravel_index: index holds -1; with these sizes elements are 0 to 5");
  assert_null(places[0]);
  mlpl_tensor *minus = test_scalar(cx, -1);
  assert_fails(cx, mlpl_normal(cx, &drawn, one, minus), MLPL_EARG,
      "normal: std holds -1; it must be 0 or more");
  assert_null(drawn);
  assert_fails(cx, TRY1("corrcoef", three, {0}), MLPL_ESHAPE, "corrcoef: input is [2x3x4]");
  assert_fails(cx, TRY2("trapezoid", three, one), MLPL_ESHAPE,
      "trapezoid: y is [2x3x4], x is [3]; x must have one place for each of the 4 samples "
      "along axis 2");
  assert_fails(cx, TRY1("var_mean", one, ARG("dim", 1)), MLPL_EARG, "var_mean: axis 1 is");
  assert_fails(cx, TRY1("aminmax", F32(0), {0}), MLPL_ESHAPE, "aminmax: [0] has no elements");
  assert_fails(cx, TRY1("combinations", three, {0}), MLPL_ESHAPE,
      "combinations: input is [2x3x4]; it must have one axis");
  assert_fails(cx, TRY1("combinations", F32(2000), ARG("r", 900)), MLPL_EARG,
      "combinations: 900 of 2000 elements: more than can be counted");
  assert_fails(cx, TRY2("bucketize", one, three), MLPL_ESHAPE,
      "bucketize: boundaries is [2x3x4]; it must have one axis");
  assert_fails(cx, TRY3("addmv", one, three, one), MLPL_ESHAPE,
      "addmv: a is [2x3x4], b is [3]; they must be [n x k] and [k]");
  assert_fails(cx, TRY3("addmv", F32(4), F32(2, 3), one), MLPL_ESHAPE,
      "addmv: input is [4]; it must broadcast to the product, which is [2]");
  assert_fails(cx, TRY3("addr", one, three, one), MLPL_ESHAPE,
      "addr: a is [2x3x4], b is [3]; both must have one axis");
  assert_fails(cx, TRY3("addbmm", one, three, three), MLPL_ESHAPE,
      "addbmm: a is [2x3x4], b is [2x3x4]; they must be [b x n x k] and [b x k x m]");
  assert_fails(cx, TRY2("kron", F32(1, 1, 1, 1, 1), one), MLPL_ESHAPE,
      "kron: a is [1x1x1x1x1], b is [3]; it takes at most 4 axes");
  assert_fails(cx, TRY2("cross", three, one), MLPL_ESHAPE,
      "cross: a is [2x3x4], b is [3]; both must have size 3 along axis 2, and as many axes");
  assert_fails(cx, TRY2("cdist", three, one), MLPL_ESHAPE,
      "cdist: x1 is [2x3x4], x2 is [3]; they must be [rows x k] or stacks of such, with one "
      "k");
  assert_fails(cx, TRY1("pdist", one, {0}), MLPL_ESHAPE,
      "pdist: input is [3]; it must be [rows x k]");
  assert_fails(cx, TRY1("pdist", F32(INT64_C(3000000000), 0), {0}), MLPL_ESHAPE,
      "pdist: input is [3000000000x0], which has too many pairs of rows");
  assert_fails(cx, TRY1("multi_dot", one, {0}), MLPL_EARG,
      "multi_dot: one tensor; it takes two or more");
  assert_fails(cx, TRY2("multi_dot", one, three), MLPL_ESHAPE,
      "multi_dot: tensor 1 is [2x3x4]; it must be a matrix or a vector");
  assert_fails(cx, TRY3("multi_dot", one, one, one), MLPL_ESHAPE,
      "multi_dot: tensor 1 is [3]; it must be a matrix");
  assert_fails(cx, TRY2("multi_dot", F32(2, 3), F32(2, 3)), MLPL_ESHAPE,
      "multi_dot: tensor 1 is [2x3]; the one before it has 3 columns");
  assert_fails(cx, TRY1("vander", test_scalar(cx, 3), {0}), MLPL_ESHAPE,
      "vander: input is []; it must have from 1 to 7 axes");
  assert_fails(cx, TRY3("lu_solve", F32(3, 3), I64(2), F32(3, 1)), MLPL_ESHAPE,
      "lu_solve: LU is [3x3], pivots is [2]; it must be LU's shape without its last axis");
  assert_fails(cx, TRY3("lu_solve", F32(3, 3), I64(3), F32(2, 1)), MLPL_ESHAPE,
      "lu_solve: LU is [3x3], B is [2x1]; they must have as many rows");
  assert_fails(cx, TRY3("lu_solve", F32(3, 3), below, F32(3, 1)), MLPL_EARG,
      "lu_solve: pivots has row -1; the rows are 0 to 2");
  mlpl_tensor *tall = F32(3, 2), *factors[2];
  assert_works(cx, mlpl_tensor_set_requires_grad(cx, tall, true));
  assert_works(cx, mlpl_call(cx, factors, "lu_factor", &tall, 1, NULL));
  test_hold(factors[0]), test_hold(factors[1]);
  mlpl_tensor *seed = F32(3, 2);
  assert_fails(cx, mlpl_backward(cx, factors[0], seed, 0), MLPL_ESTATE,
      "lu_factor: has no gradient here: the matrix is [3x2]; it must be square");
  assert_fails(cx, TRY2("cholesky_solve", F32(2, 3), F32(3, 3)), MLPL_ESHAPE,
      "cholesky_solve: input is [2x3], L is [3x3]; they must have as many rows");
  assert_fails(cx, TRY1("fliplr", one, {0}), MLPL_ESHAPE,
      "fliplr: input is [3]; it must have two axes or more");
  assert_fails(cx, TRY2("block_diag", one, three), MLPL_ESHAPE,
      "block_diag: tensor 1 is [2x3x4]; a block has at most two axes");
  assert_fails(cx, TRY2("cartesian_prod", one, three), MLPL_ESHAPE,
      "cartesian_prod: tensor 1 is [2x3x4]; it must have one axis");
  mlpl_tensor *nine[9] = {one, one, one, one, one, one, one, one, one};
  assert_fails(cx, try(cx, "cartesian_prod", nine, 9, NULL), MLPL_EARG,
      "cartesian_prod: 9 tensors; it takes at most 8");
  test_drop_and_close(cx);
}

/* A row that takes labels alone would say so; the present ones take shares as well. */
static void labels_alone(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_op row = *mlpl_op_find("mse_loss");
  mlpl_value p[1] = {{.i = 0}};
  mlpl_tensor *out;
  row.domain[1] = MLPLI_LABELS;
  assert_fails(cx, mlpl_op_apply(cx, &out, &row, (mlpl_tensor *[]){F32(2), F32(2)}, 2, p),
      MLPL_EARG, "mse_loss: target is f32; labels are i64");
  test_drop_and_close(cx);
}

static void shapes(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  assert_fails(cx, TRY2("mul", F32(2, 3), F32(2)), MLPL_ESHAPE,
      "mul: sizes differ: a is [2x3], b is [2]; aligned at the last axis, sizes must be "
      "equal or 1");
  assert_fails(cx, TRY2("add", F32(0), F32(2)), MLPL_ESHAPE,
      "add: sizes differ: a is [0], b is [2]");
  assert_fails(cx, TRY2("matmul", F32(32, 784), F32(10, 784)), MLPL_ESHAPE,
      "matmul: inner sizes differ: a is [32x784], b is [10x784]");
  assert_fails(cx, TRY2("linear", F32(2, 3), F32(3)), MLPL_ESHAPE,
      "linear: weight is [3]; it must be [out x in]");
  assert_fails(cx, TRY2("linear", F32(2, 3), F32(4, 5)), MLPL_ESHAPE,
      "linear: input is [2x3], weight is [4x5]; the input's last axis must be 5");
  assert_fails(cx, TRY2("linear", test_new(cx, MLPL_F32, 0, NULL), F32(4, 5)),
      MLPL_ESHAPE,
      "linear: input is [], weight is [4x5]; the input's last axis must be 5");
  assert_fails(cx, TRY3("linear", F32(2, 3), F32(4, 3), F32(3)), MLPL_ESHAPE,
      "linear: bias is [3], weight is [4x3]; the bias must be [4]");
  const int64_t one = 1;
  assert_fails(cx,
      TRY1("round", test_new(cx, MLPL_I64, 1, &one), {.name = "decimals", .value = -1}),
      MLPL_EARG,
      "round: decimals is -1; whole numbers (i64) are rounded behind the point only (f32 "
      "and f64 before it, too)");
  assert_fails(cx, TRY1("t", F32(2, 3, 4), {0}), MLPL_ESHAPE,
      "t: input is [2x3x4]; t takes at most two axes, use transpose");
  assert_fails(cx, TRY1("reshape", F32(2, 3), SIZE_LIST(4, 2)), MLPL_ESHAPE,
      "reshape: input [2x3] has 6 elements, which do not fit [4x2]");
  assert_fails(cx, TRY1("reshape", F32(2, 3), SIZE_LIST(-1, 4)), MLPL_ESHAPE,
      "which do not fit [-1x4]");
  assert_fails(cx, TRY1("reshape", F32(2, 3), SIZE_LIST(-1, -1)), MLPL_ESHAPE,
      "which do not fit [-1x-1]");
  assert_fails(cx, TRY1("reshape", F32(2, 3), SIZE_LIST(-6)), MLPL_ESHAPE,
      "which do not fit [-6]");
  assert_fails(cx, TRY1("reshape", F32(0, 3), SIZE_LIST(-1, 0)), MLPL_ESHAPE,
      "which do not fit [-1x0]");
  assert_fails(cx, TRY1("reshape", F32(0), SIZE_LIST(0, INT64_MAX, INT64_MAX)),
      MLPL_ESHAPE, "which do not fit [0x");
  assert_fails(cx, TRY1("expand", F32(2, 3), SIZE_LIST(2, 4)), MLPL_ESHAPE,
      "expand: input [2x3] cannot be expanded to [2x4]; only axes of size 1 stretch");
  assert_fails(cx, TRY1("expand", F32(2, 3), SIZE_LIST(3)), MLPL_ESHAPE,
      "expand: input [2x3] cannot be expanded to [3]");
  assert_fails(cx, TRY1("expand", F32(1), SIZE_LIST(-1, 1)), MLPL_ESHAPE,
      "expand: input [1] cannot be expanded to [-1x1]");
  assert_fails(cx, TRY1("expand", F32(1, 1), SIZE_LIST(INT64_MAX, 3)), MLPL_ESHAPE,
      "expand: [9223372036854775807x3] has more elements than can be counted");
  assert_fails(cx, TRY1("sum_to_size", F32(2, 3), SIZE_LIST(2)), MLPL_ESHAPE,
      "sum_to_size: input [2x3] cannot be summed to [2]");
  assert_fails(cx, TRY1("sum_to_size", F32(3), SIZE_LIST(2, 3)), MLPL_ESHAPE,
      "sum_to_size: input [3] cannot be summed to [2x3]");
  test_drop_and_close(cx);
}

static void losses_of_elements(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *above, *off;
  assert_fails(cx, TRY2("l1_loss", F32(2, 3), F32(3)), MLPL_ESHAPE,
      "l1_loss: input is [2x3], target is [3]; they must have one shape");
  assert_fails(cx, TRY3("margin_ranking_loss", F32(2), F32(2), F32(3)), MLPL_ESHAPE,
      "margin_ranking_loss: input1 is [2], target is [3]; they must have one shape");
  assert_fails(cx,
      try(cx, "huber_loss", (mlpl_tensor *[]){F32(2), F32(2)}, 2, ARGS(ARG("delta", 0))),
      MLPL_EARG, "huber_loss: delta is 0; it must be above 0");
  assert_fails(cx, TRY2("nll_loss", F32(3, 4), I64(2)), MLPL_ESHAPE,
      "nll_loss: input is [3x4], target is [2]; it must be [3] of labels");
  assert_fails(cx, TRY3("nll_loss", F32(3, 4), I64(3), F32(3)), MLPL_ESHAPE,
      "nll_loss: weight is [3], input is [3x4]; the weight must be [4]");
  assert_fails(cx, TRY3("binary_cross_entropy", F32(3), F32(3), F32(2, 3)), MLPL_ESHAPE,
      "binary_cross_entropy: weight is [2x3]; it must broadcast to the input, which is [3]");
  assert_fails(cx, TRY3("binary_cross_entropy", F32(3), F32(3), test_leaf(cx, F32(3))),
      MLPL_EARG,
      "binary_cross_entropy: weight requires a gradient; only input and target have one "
      "here (:detach() it)");
  assert_works(cx, mlpl_tensor_full(cx, &above, MLPL_F32, 1, (int64_t[]){3}, 1.5));
  assert_works(cx, mlpl_tensor_full(cx, &off, MLPL_F32, 1, (int64_t[]){3}, -1));
  assert_fails(cx, TRY2("binary_cross_entropy", above, F32(3)), MLPL_EARG,
      "binary_cross_entropy: input has the element 1.5; probabilities lie between 0 and 1 "
      "(for logits there is binary_cross_entropy_with_logits)");
  assert_fails(cx, TRY2("binary_cross_entropy", off, F32(3)), MLPL_EARG,
      "binary_cross_entropy: input has the element -1; probabilities lie between 0 and 1");
  mlpl_tensor_release(above);
  mlpl_tensor_release(off);
  test_drop_and_close(cx);
}

static void shapes_of_losses(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  assert_fails(cx, TRY2("mse_loss", F32(2, 3), F32(3)), MLPL_ESHAPE,
      "mse_loss: input is [2x3], target is [3]; they must have one shape");
  assert_fails(cx, TRY3("binary_cross_entropy_with_logits", F32(2, 3), F32(2, 3), F32(2)),
      MLPL_ESHAPE,
      "binary_cross_entropy_with_logits: sizes differ: input is [2x3], weight is [2]");
  assert_fails(cx,
      TRY4("binary_cross_entropy_with_logits", F32(3), F32(3), NULL, F32(2, 3)),
      MLPL_ESHAPE,
      "binary_cross_entropy_with_logits: pos_weight is [2x3]; it must broadcast to the "
      "input, which is [3]");
  assert_fails(cx,
      TRY2("binary_cross_entropy_with_logits", F32(2), test_leaf(cx, F32(2))), MLPL_EARG,
      "binary_cross_entropy_with_logits: the target requires a gradient; only the input "
      "has one here (:detach() it)");
  assert_fails(cx, TRY2("cross_entropy", F32(3), I64(3)), MLPL_ESHAPE,
      "cross_entropy: input is [3], target is [3] of i64; it must be [] of labels");
  assert_fails(cx, TRY2("cross_entropy", F32(2, 3, 4), I64(2, 3)), MLPL_ESHAPE,
      "cross_entropy: input is [2x3x4], target is [2x3] of i64; it must be [2x4] of labels "
      "(dtype i64), or [2x3x4] of f32 shares");
  assert_fails(cx, TRY2("cross_entropy", F32(3, 0), I64(3)), MLPL_ESHAPE,
      "cross_entropy: input is [3x0]; it must be [n x classes], [n x classes x ...] or "
      "[classes]");
  assert_fails(cx, TRY2("cross_entropy", F32(3, 4), I64(2)), MLPL_ESHAPE,
      "cross_entropy: input is [3x4], target is [2] of i64; it must be [3] of "
      "labels (dtype i64), or [3x4] of f32 shares");
  assert_fails(cx, TRY2("cross_entropy", F32(3, 4), F64(3, 4)), MLPL_EARG,
      "cross_entropy: input is f32, target is f64; shares need the input's dtype");
  assert_fails(cx, TRY2("cross_entropy", F32(3, 4), test_leaf(cx, F32(3, 4))), MLPL_EARG,
      "cross_entropy: the target requires a gradient; only the input has one here "
      "(:detach() it)");
  assert_fails(cx, TRY3("cross_entropy", F32(3, 4), F32(3, 4), test_leaf(cx, F32(4))), MLPL_EARG,
      "cross_entropy: the weight requires a gradient; only the input has one here (:detach() it)");
  assert_fails(cx, TRY3("binary_cross_entropy_with_logits", F32(2), F32(2), test_leaf(cx, F32(2))),
      MLPL_EARG,
      "binary_cross_entropy_with_logits: weight requires a gradient; only the input has one here "
      "(:detach() it)");
  assert_fails(cx, TRY3("cross_entropy", F32(3, 4), F32(3, 4), F32(3)), MLPL_ESHAPE,
      "cross_entropy: weight is [3], input is [3x4]; the weight must be [4]");
  /* the same targets are fine where nothing is recorded */
  mlpl_set_grad_enabled(cx, false);
  assert_works(cx, TRY2("cross_entropy", F32(3, 4), test_leaf(cx, F32(3, 4))));
  assert_works(
      cx, TRY2("binary_cross_entropy_with_logits", F32(2), test_leaf(cx, F32(2))));
  test_drop_and_close(cx);
}

/* Axes and indices are shown as the user counts them. */
static void axes_count_from_the_base(void **state) {
  (void)state;
  for (int base = 0; base <= 1; base++) {
    mlpl_ctx *cx = test_open(base);
    mlpl_tensor *x = F32(2, 3), *s = test_new(cx, MLPL_F32, 0, NULL);
    assert_fails(cx, TRY1("sum", x, ARG("dim", 2)), MLPL_EARG,
        base ? "sum: axis 3 is outside 1 to 2 (or -2 to -1 from the end)"
             : "sum: axis 2 is outside 0 to 1 (or -2 to -1 from the end)");
    assert_fails(cx, TRY1("softmax", x, ARG("dim", -3)), MLPL_EARG,
        base ? "softmax: axis -3 is outside 1 to 2"
             : "softmax: axis -3 is outside 0 to 1");
    assert_fails(cx, TRY1("argmax", x, ARG("dim", 5)), MLPL_EARG,
        base ? "argmax: axis 6 is" : "argmax: axis 5 is");
    assert_fails(cx, TRY1("sum", s, ARG("dim", 1)), MLPL_EARG,
        base ? "sum: axis 2 of a tensor without axes"
             : "sum: axis 1 of a tensor without axes");
    assert_fails(cx, TRY1("transpose", x, ARG("dim0", 0), ARG("dim1", 2)), MLPL_EARG,
        base ? "transpose: axis 3 is outside 1 to 2"
             : "transpose: axis 2 is outside 0 to 1");
    assert_fails(cx, TRY1("flatten", x, ARG("start_dim", 1), ARG("end_dim", 0)),
        MLPL_EARG,
        base ? "flatten: start_dim 2 is behind end_dim 1"
             : "flatten: start_dim 1 is behind end_dim 0");
    assert_fails(cx, TRY1("narrow", x, ARG("dim", 1), ARG("start", 2), ARG("length", 2)),
        MLPL_EARG,
        base ? "narrow: start 3 and length 2 do not lie within axis 2, which has size 3"
             : "narrow: start 2 and length 2 do not lie within axis 1, which has size 3");
    assert_fails(cx, TRY1("narrow", x, ARG("dim", 1), ARG("start", -4), ARG("length", 1)),
        MLPL_EARG,
        base ? "narrow: start -4 and length 1 do not lie within axis 2, which has size 3"
             : "narrow: start -4 and length 1 do not lie within axis 1, which has size 3");
    assert_fails(cx, TRY1("select", x, ARG("dim", 0), ARG("index", 2)), MLPL_EARG,
        base ? "select: index 3 is outside axis 1, which has size 2"
             : "select: index 2 is outside axis 0, which has size 2");
    assert_fails(cx, TRY1("select", x, ARG("dim", -1), ARG("index", -4)), MLPL_EARG,
        base ? "select: index -4 is outside axis 2, which has size 3"
             : "select: index -4 is outside axis 1, which has size 3");
    test_drop_and_close(cx);
  }
}

/* The first half of a range that is too long to add up. */
static void indices_that_overflow(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = F32(2, 3), *out;
  mlpl_value p[3] = {{.i = 1}, {.i = INT64_MAX}, {.i = 1}};
  assert_fails(cx, mlpl_op_apply(cx, &out, mlpl_op_find("narrow"), &x, 1, p), MLPL_EARG,
      "narrow: start 9223372036854775807 and length 1 ");
  p[1].i = INT64_MIN;
  assert_fails(cx, mlpl_op_apply(cx, &out, mlpl_op_find("narrow"), &x, 1, p), MLPL_EARG,
      "narrow: start -9223372036854775808 and length 1 ");
  assert_fails(cx, mlpl_op_apply(cx, &out, mlpl_op_find("select"), &x, 1, p), MLPL_EARG,
      "select: index -9223372036854775808");
  p[0].i = INT64_MAX;
  assert_fails(cx, mlpl_op_apply(cx, &out, mlpl_op_find("select"), &x, 1, p), MLPL_EARG,
      "select: axis");
  p[0].i = INT64_MIN + 1, p[1].i = 0;
  assert_fails(cx, mlpl_op_apply(cx, &out, mlpl_op_find("sum"), &x, 1, p), MLPL_EARG,
      "sum: axis -9223372036854775807");
  test_drop_and_close(cx);
}

/* ---- options ----------------------------------------------------------------------- */

static void options(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = F32(2, 3);
  assert_fails(cx, TRY1("sum", x, ARG("axis", 1)), MLPL_EARG,
      "sum: unknown option 'axis'; the options are dim, keepdim");
  assert_fails(cx, TRY1("exp", x, ARG("dim", 1)), MLPL_EARG,
      "exp: unknown option 'dim'; it has no options");
  assert_fails(cx, try(cx, "softmax", &x, 1, NULL), MLPL_EARG, "softmax: dim is missing");
  assert_fails(cx, TRY1("sum", x, ARG("dim", 0.5)), MLPL_EARG,
      "sum: dim is 0.5; it must be a whole number");
  assert_fails(cx, TRY1("sum", x, ARG("dim", NAN)), MLPL_EARG,
      "sum: dim is nan; it must be a whole number");
  assert_fails(
      cx, TRY1("sum", x, ARG("dim", 1e300)), MLPL_EARG, "it must be a whole number");
  assert_fails(cx, TRY1("sum", x, ARG("keepdim", 2)), MLPL_EARG,
      "sum: keepdim is 2; it must be from 0 to 1");
  assert_fails(cx, TRY1("dropout", x, ARG("p", 1.5)), MLPL_EARG,
      "dropout: p is 1.5; it must be from 0 to 1");
  assert_fails(cx, TRY1("dropout", x, ARG("p", NAN)), MLPL_EARG,
      "dropout: p is nan; it must be from 0 to 1");
  assert_fails(cx, TRY1("elu", x, ARG("alpha", -1)), MLPL_EARG,
      "elu: alpha is -1; it must be at least 0");
  assert_fails(cx, TRY1("narrow", x, ARG("dim", 0), ARG("start", 0), ARG("length", -1)),
      MLPL_EARG, "narrow: length is -1; it must be at least 0");
  mlpl_value p[3] = {{.i = 0}, {.i = 0}, {.i = INT64_MAX}};
  mlpl_tensor *out;
  assert_fails(cx, mlpl_op_apply(cx, &out, mlpl_op_find("narrow"), &x, 1, p), MLPL_EARG,
      "narrow: length is 9.2233720368547758e+18; it must be at most 9e+15");
  assert_fails(cx,
      TRY1("reshape", x, {.name = "sizes", .value = 9, .sizes = (int64_t[9]){0}}),
      MLPL_EARG, "reshape: sizes has 9 sizes; a tensor has at most 8 axes");
  assert_fails(cx, TRY1("reshape", x, ARG("sizes", 2)), MLPL_EARG,
      "reshape: sizes has 2 sizes; a tensor has");
  p[0].sizes.n = 9;
  assert_fails(cx, mlpl_op_apply(cx, &out, mlpl_op_find("reshape"), &x, 1, p), MLPL_EARG,
      "reshape: sizes has 9 sizes; a tensor has at most 8 axes");
  p[0].i = 3;
  assert_fails(cx,
      mlpl_op_apply(cx, &out, mlpl_op_find("mse_loss"), (mlpl_tensor *[]){x, x}, 2, p),
      MLPL_EARG, "mse_loss: reduction is ''; it must be one of mean, sum, none");
  assert_fails(cx,
      try(cx, "mse_loss", (mlpl_tensor *[]){x, x}, 2,
          ARGS({.name = "reduction", .text = "max"})),
      MLPL_EARG, "mse_loss: reduction is 'max'; it must be one of mean, sum, none");
  assert_fails(cx,
      try(cx, "mse_loss", (mlpl_tensor *[]){x, x}, 2, ARGS(ARG("reduction", 1))),
      MLPL_EARG, "mse_loss: reduction is ''; it must be one of mean, sum, none");
  mlpl_optimizer *o;
  assert_fails(cx,
      mlpl_optimizer_new(
          cx, &o, "Adam", &x, 1, ARGS({.name = "betas", .pair = VALUES(0.9, 1.5)})),
      MLPL_EARG, "Adam: betas is 1.5; it must be from 0 up to but not 1");
  test_drop_and_close(cx);
}

/* ---- texts that need more than a call ---------------------------------------------- */

static void dtypes_that_changed_behind_a_graph(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *w = test_leaf(cx, F32(3)), *wide, *sum = CALL1(cx, "sum", w);
  assert_works(cx, mlpl_tensor_to(cx, &wide, w, MLPL_F64));
  assert_works(cx, mlpl_backward(cx, sum, NULL, MLPL_RETAIN_GRAPH));
  mlpl_optimizer *o;
  assert_works(cx, mlpl_optimizer_new(cx, &o, "SGD", &w, 1, NULL));
  mlpli_tensor_become(
      w, test_hold(wide)); /* as mlpl_module_to does, which drops the gradient too */
  assert_fails(cx, mlpl_optimizer_step(cx, o), MLPL_ESTATE,
      "SGD: the gradient of a parameter has another dtype; call zero_grad after "
      "converting a model");
  assert_fails(cx, mlpl_backward(cx, sum, NULL, 0), MLPL_ESTATE,
      "backward: input of sum was converted to f64 after it was recorded");
  mlpl_optimizer_release(o);
  test_drop_and_close(cx);
}

static void deep_models_and_steps(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_module *at, *loss, *outer;
  mlpl_status status = MLPL_OK;
  assert_works(cx, mlpl_module_new(cx, &at, "ReLU", NULL));
  for (int depth = 0; depth < 200 && status == MLPL_OK; depth++) {
    status = mlpl_sequential_new(cx, &outer, &at, 1);
    if (status == MLPL_OK) mlpl_module_release(at), at = outer;
  }
  assert_fails(cx, status, MLPL_EARG, "Sequential: layers are nested more than 100 deep");
  mlpl_tensor *w = test_leaf(cx, F32(3));
  mlpl_optimizer *o;
  mlpl_step *s;
  assert_works(cx, mlpl_optimizer_new(cx, &o, "SGD", &w, 1, NULL));
  assert_works(cx, mlpl_module_new(cx, &loss, "MSELoss", NULL));
  assert_fails(cx, mlpl_step_new(cx, &s, loss, at, o), MLPL_EARG,
      "step: the model is MSELoss, the loss Sequential; they take 2 and 1 tensors and "
      "must take 1 and 2");
  assert_null(s);
  mlpl_optimizer_release(o);
  mlpl_module_release(loss);
  mlpl_module_release(at);
  test_drop_and_close(cx);
}

/* ---- none is left out -------------------------------------------------------------- */

/* Sources as one text in which string literals that follow each other are joined. */
typedef struct sources {
  char *text;
  size_t n, room;
} sources;

static void append(sources *s, const char *p, size_t n) {
  if (s->n + n + 1 > s->room) {
    s->room = 2 * (s->n + n + 1);
    s->text = realloc(s->text, s->room);
    assert_non_null(s->text);
  }
  memcpy(s->text + s->n, p, n);
  s->n += n;
  s->text[s->n] = '\0';
}

static void add_file(sources *s, const char *path) {
  size_t n;
  char *text = (char *)test_read(path, &n);
  assert_non_null(text);
  for (char *p = text; p < text + n; p++) {
    size_t blanks = *p == '"' && p > text && p[-1] != '\\' ? strspn(p + 1, " \t\n") : 0;
    if (blanks && p[1 + blanks] == '"')
      p += 1 + blanks; /* the end of one literal, the start of the next */
    else append(s, p, 1);
  }
  free(text);
}

static bool add_folder(sources *s, const char *folder) {
  DIR *d = opendir(folder);
  if (!d) return false;
  for (struct dirent *e; (e = readdir(d));) {
    char path[512];
    size_t n = strlen(e->d_name);
    if (n < 3 || strcmp(e->d_name + n - 2, ".c") != 0) continue;
    snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
    add_file(s, path);
  }
  closedir(d);
  return true;
}

/* The longest part of a format between two conversions; format ends at its closing
   quote. */
static size_t fixed_part(const char *format, const char **part) {
  size_t longest = 0;
  while (*format != '"') {
    size_t n = strcspn(format, "%\"");
    if (n > longest) longest = n, *part = format;
    format += n;
    if (*format == '%') format += 1 + strcspn(format + 1, "diufgsc%") + 1;
  }
  return longest;
}

/* Every text given to mlpl_fail in `engine` is in `tests`, its longest fixed part at
   least. Returns how many there are. */
static int check_texts(const sources *engine, const sources *tests) {
  int n = 0, missing = 0;
  for (const char *p = engine->text; (p = strstr(p, "mlpl_fail(cx, MLPL_E")); n++) {
    const char *format = strchr(p, '"'), *part = "";
    char text[256];
    size_t length = fixed_part(format + 1, &part);
    snprintf(text, sizeof text, "%.*s", (int)length, part);
    if (length >= 4 && !strstr(tests->text, text)) {
      print_error("no test has \"%s\" of %.120s\n", text, format);
      missing++;
    }
    p = format;
  }
  assert_int_equal(missing, 0);
  return n;
}

static void every_text_is_in_a_test(void **state) {
  (void)state;
  static const char *const folders[] = {"tensor", "ops", "grad", "nn", "optim"};
  static const char *const roots[] = {".", "..", "../..", "../../.."};
  const char *root = NULL;
  char path[256];
  sources engine = {0}, tests = {0};
  for (int i = 0; i < COUNT(roots) && !root; i++) {
    snprintf(path, sizeof path, "%s/tests/c/messages.c", roots[i]);
    if (access(path, R_OK) == 0) root = roots[i];
  }
  if (!root) {
    print_message("skipped: the sources are not there\n");
    skip();
  }
  for (int i = 0; i < COUNT(folders); i++) {
    snprintf(path, sizeof path, "%s/engine/%s", root, folders[i]);
    assert_true(add_folder(&engine, path));
  }
  snprintf(path, sizeof path, "%s/tests/c", root);
  assert_true(add_folder(&tests, path));
  int n = check_texts(&engine, &tests);
  assert_true(n > 80);
  print_message("%d error texts of the engine's floors are pinned\n", n);
  free(engine.text);
  free(tests.text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(inputs),
      cmocka_unit_test(choices),
      cmocka_unit_test(composed),
      cmocka_unit_test(labels_alone),
      cmocka_unit_test(shapes),
      cmocka_unit_test(losses_of_elements),
      cmocka_unit_test(shapes_of_losses),
      cmocka_unit_test(axes_count_from_the_base),
      cmocka_unit_test(indices_that_overflow),
      cmocka_unit_test(options),
      cmocka_unit_test(dtypes_that_changed_behind_a_graph),
      cmocka_unit_test(deep_models_and_steps),
      cmocka_unit_test(every_text_is_in_a_test),
  };
  return cmocka_run_group_tests_name("messages", tests, NULL, NULL);
}
