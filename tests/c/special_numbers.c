/*
** What operations make of NaN, infinity and empty tensors, by the rules of numerics.md;
** and places that count from the base.
*/
#include "op_cases.h"

/* ---- NaN and infinity -------------------------------------------------------------- */

/* A result that NaN inputs do not reach: the number of a place, 0 or 1, or a part of
   the input that is not theirs, or that is chosen instead of them. Or there is none, for
   they are refused. */
static bool hides_nan(const mlpl_op *op, int input) {
  static const char *const rows[] = {"positive", "argmax", "argmin", "any", "all",
      "count_nonzero", "argsort", "histc", "searchsorted", "matrix_rank", "nonzero",
      "scatter", "scatter_add", "index_put", "index_copy", "masked_scatter", "nan_to_num",
      "where", "masked_fill", "masked_fill_by", "index_fill_by", "gate", "heaviside",
      "copysign", "nansum", "scatter_combine", "scatter_reduce", "index_reduce", "vander",
      "fmax", "fmin", "lu", "values_of", "cholesky"};
  static const char *const lend_a_shape[] = {"view_as", "reshape_as", "expand_as"};
  static const char *const not_read[] = {"addmv", "addr", "addbmm"}; /* with beta 0 */
  /* a target that is neither 1 nor -1 */
  if (input == 1 && strcmp(op->name, "hinge_embedding_loss") == 0) return true;
  for (int i = 0; i < COUNT(rows); i++)
    if (strcmp(op->name, rows[i]) == 0) return true;
  for (int i = 0; i < COUNT(lend_a_shape); i++)
    if (input == 1 && strcmp(op->name, lend_a_shape[i]) == 0) return true;
  for (int i = 0; i < COUNT(not_read); i++)
    if (input == 0 && strcmp(op->name, not_read[i]) == 0) return true;
  return false;
}

static void check_nan(mlpl_ctx *cx, const op_case *one, int i, mlpl_dtype dtype) {
  uint64_t random = 5;
  mlpl_tensor *out[MLPLI_MAX_OUTPUTS];
  made_case c = case_make(cx, one, dtype, &random);
  if (i < c.n && c.leaf[i] && !c.in[i].labels && c.leaf[i]->numel && !c.in[i].whole &&
      !c.in[i].share && !hides_nan(c.op, i)) {
    int64_t found = 0;
    for (int64_t e = 0; e < c.leaf[i]->numel; e++) case_put(c.leaf[i], e, (double)NAN);
    assert_works(cx, case_apply(cx, &c, c.leaf, out));
    for (int64_t e = 0; e < out[0]->numel; e++) found += isnan(case_get(out[0], e));
    if (out[0]->numel && mlpli_is_real(out[0]) && !found)
      fail_msg("%s: input %d is NaN, the result is not", case_text(one), i);
    case_drop(out);
  }
  case_release(&c);
}

static void nan_comes_through(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  for (int k = 0; k < COUNT(op_cases); k++)
    for (int i = 0; i < MLPL_MAX_INPUTS; i++)
      for (int dtype = MLPL_F32; dtype <= MLPL_F64; dtype++)
        check_nan(cx, &op_cases[k], i, (mlpl_dtype)dtype);
  test_close(cx);
}

static bool same(double a, double b) {
  return isnan(a) ? isnan(b) : a == b && signbit(a) == signbit(b);
}

/* One number in, one number out; options as in the cases. */
static double of_one(
    mlpl_ctx *cx, const char *name, const char *options, mlpl_dtype dtype, double v) {
  mlpl_tensor *x, *y[MLPLI_MAX_OUTPUTS] = {NULL};
  mlpl_value p[MLPL_MAX_PARAMS];
  const mlpl_op *op = mlpl_op_find(name);
  read_options(cx, op, options, p);
  assert_works(cx, mlpl_tensor_full(cx, &x, dtype, 0, NULL, v));
  assert_works(cx, mlpl_op_apply(cx, y, op, &x, 1, p));
  v = case_get(y[0], 0);
  mlpl_tensor_release(x);
  mlpl_tensor_release(y[0]);
  return v;
}

/* numerics.md: comparisons are written so that NaN stays NaN; the rest is C's
   arithmetic. */
static void special_numbers(void **state) {
  (void)state;
  static const struct {
    const char *op, *options;
    double in, out;
  } table[] = {
      {"relu", "", -INFINITY, 0},
      {"relu", "", INFINITY, INFINITY},
      {"relu", "", 0, 0},
      {"leaky_relu", "", -INFINITY, -INFINITY},
      {"leaky_relu", "", 0, 0},
      {"elu", "", -INFINITY, -1},
      {"elu", "", INFINITY, INFINITY},
      {"sigmoid", "", -INFINITY, 0},
      {"sigmoid", "", INFINITY, 1},
      {"sigmoid", "", -1000, 0},
      {"sigmoid", "", 0, 0.5},
      {"tanh", "", INFINITY, 1},
      {"tanh", "", -INFINITY, -1},
      {"tanh", "", -0.0, -0.0},
      {"exp", "", -INFINITY, 0},
      {"exp", "", INFINITY, INFINITY},
      {"exp", "", 0, 1},
      {"exp", "", 1e4, INFINITY},
      {"log", "", 0, -INFINITY},
      {"log", "", 1, 0},
      {"log", "", INFINITY, INFINITY},
      {"log", "", -1, NAN},
      {"sqrt", "", -1, NAN},
      {"sqrt", "", -0.0, -0.0},
      {"sqrt", "", INFINITY, INFINITY},
      {"abs", "", -INFINITY, INFINITY},
      {"abs", "", -0.0, 0},
      {"neg", "", 0, -0.0},
      {"sign", "", -INFINITY, -1},
      {"sign", "", 0, 0},
      {"sign", "", NAN, NAN},
      {"positive", "", NAN, 0},
      {"positive", "", INFINITY, 1},
      {"max", "", NAN, NAN},
      {"max", "", -INFINITY, -INFINITY},
      {"softmax", "dim=0", -1e30, 1},
      {"softmax", "dim=0", NAN, NAN},
      {"softmax", "dim=0", INFINITY, NAN},
      {"log_softmax", "dim=0", 1e30, 0},
      {"argmax", "", NAN, 0},
      {"dropout", "p=1", 3, 0},
      {"sin", "", -INFINITY, NAN},
      {"sin", "", -0.0, -0.0},
      {"cos", "", INFINITY, NAN},
      {"cos", "", 0, 1},
      {"tan", "", -0.0, -0.0},
      {"tan", "", INFINITY, NAN},
      {"asin", "", 2, NAN},
      {"asin", "", -0.0, -0.0},
      {"acos", "", 1, 0},
      {"acos", "", -2, NAN},
      {"atan", "", -0.0, -0.0},
      {"sinh", "", -INFINITY, -INFINITY},
      {"sinh", "", -0.0, -0.0},
      {"sinh", "", -1000, -INFINITY},
      {"cosh", "", -INFINITY, INFINITY},
      {"cosh", "", 0, 1},
      {"asinh", "", -INFINITY, -INFINITY},
      {"asinh", "", -0.0, -0.0},
      {"acosh", "", 1, 0},
      {"acosh", "", 0.5, NAN},
      {"acosh", "", INFINITY, INFINITY},
      {"acosh", "", -INFINITY, NAN},
      {"atanh", "", 1, INFINITY},
      {"atanh", "", -1, -INFINITY},
      {"atanh", "", -0.0, -0.0},
      {"atanh", "", INFINITY, NAN},
      {"sinc", "", 0, 1},
      {"sinc", "", 3, 0},
      {"sinc", "", INFINITY, NAN},
      {"exp2", "", -INFINITY, 0},
      {"exp2", "", 5000, INFINITY},
      {"exp2", "", -3, 0.125},
      {"expm1", "", -INFINITY, -1},
      {"expm1", "", INFINITY, INFINITY},
      {"expm1", "", -0.0, -0.0},
      {"log2", "", 8, 3},
      {"log2", "", 0, -INFINITY},
      {"log2", "", -1, NAN},
      {"log2", "", INFINITY, INFINITY},
      {"log10", "", 1000, 3},
      {"log10", "", -0.0, -INFINITY},
      {"log1p", "", -1, -INFINITY},
      {"log1p", "", -2, NAN},
      {"log1p", "", -0.0, -0.0},
      {"log1p", "", INFINITY, INFINITY},
      {"rsqrt", "", 0, INFINITY},
      {"rsqrt", "", -0.0, -INFINITY},
      {"rsqrt", "", -1, NAN},
      {"rsqrt", "", INFINITY, 0},
      {"reciprocal", "", -0.0, -INFINITY},
      {"reciprocal", "", -INFINITY, -0.0},
      {"square", "", -INFINITY, INFINITY},
      {"erf", "", -INFINITY, -1},
      {"erf", "", -0.0, -0.0},
      {"erf", "", 1000, 1},
      {"erfc", "", INFINITY, 0},
      {"erfc", "", -INFINITY, 2},
      {"erfinv", "", -1, -INFINITY},
      {"erfinv", "", 1, INFINITY},
      {"erfinv", "", 2, NAN},
      {"lgamma", "", 0, INFINITY},
      {"lgamma", "", -3, INFINITY},
      {"lgamma", "", 1, 0},
      {"lgamma", "", -INFINITY, INFINITY},
      {"digamma", "", 0, -INFINITY},
      {"digamma", "", -0.0, INFINITY},
      {"digamma", "", -3, NAN},
      {"digamma", "", INFINITY, INFINITY},
      {"floor", "", -0.5, -1},
      {"floor", "", -0.0, -0.0},
      {"floor", "", -INFINITY, -INFINITY},
      {"floor", "", 0x1p100, 0x1p100},
      {"ceil", "", -0.5, -0.0},
      {"round", "", 0.5, 0},
      {"round", "", 1.5, 2},
      {"round", "", -0.4, -0.0},
      {"round", "", -2.5, -2},
      {"trunc", "", -1.9, -1},
      {"trunc", "", -0.9, -0.0},
      {"frac", "", INFINITY, NAN},
      {"frac", "", -1.5, -0.5},
      {"nan_to_num", "", NAN, 0},
      {"step", "", 0, 1},
      {"step", "", -0.0, 1},
      {"step", "", -1e-30, 0},
      {"step", "", NAN, NAN},
      {"gelu", "", INFINITY, INFINITY},
      {"gelu", "", -1000, -0.0},
      {"silu", "", -1000, -0.0},
      {"silu", "", INFINITY, INFINITY},
      {"mish", "", -1000, -0.0},
      {"mish", "", INFINITY, INFINITY},
      {"softplus", "", -INFINITY, 0},
      {"softplus", "", INFINITY, INFINITY},
      {"softplus", "", 1000, 1000},
      {"softsign", "", INFINITY, NAN},
      {"hardtanh", "", -INFINITY, -1},
      {"hardtanh", "", NAN, NAN},
      {"relu6", "", -0.0, -0.0},
      {"relu6", "", INFINITY, 6},
      {"hardsigmoid", "", -INFINITY, 0},
      {"hardsigmoid", "", INFINITY, 1},
      {"hardswish", "", INFINITY, INFINITY},
      {"hardswish", "", -INFINITY, NAN},
      {"selu", "", INFINITY, INFINITY},
      {"celu", "", -INFINITY, -1},
      {"logsigmoid", "", -INFINITY, -INFINITY},
      {"logsigmoid", "", INFINITY, 0},
      {"tanhshrink", "", INFINITY, INFINITY},
      {"softshrink", "", 0.5, 0},
      {"softshrink", "", -INFINITY, -INFINITY},
      {"softshrink", "", NAN, NAN},
      {"hardshrink", "", -0.5, 0},
      {"hardshrink", "", NAN, NAN},
      {"clamp", "min=-1 max=1", -INFINITY, -1},
      {"clamp", "min=-1 max=1", NAN, NAN},
      {"clamp", "min=2 max=1", 0, 1},
      {"threshold", "threshold=1 value=7", 1, 7},
      {"threshold", "threshold=1 value=7", NAN, NAN},
      {"nan_to_num", "posinf=5", INFINITY, 5},
      {"nan_to_num", "neginf=5", -INFINITY, 5},
      {"nan_to_num", "posinf=-inf", INFINITY, -INFINITY},
      {"polygamma", "n=1", 0, INFINITY},
      {"gelu", "approximate=tanh", -1000, -0.0},
  };
  mlpl_ctx *cx = test_open(0);
  for (int i = 0; i < COUNT(table); i++)
    for (int dtype = MLPL_F32; dtype <= MLPL_F64; dtype++) {
      double got =
          of_one(cx, table[i].op, table[i].options, (mlpl_dtype)dtype, table[i].in);
      if (!same(got, table[i].out))
        fail_msg("%s(%g) is %g, not %g", table[i].op, table[i].in, got, table[i].out);
    }
  test_close(cx);
}

static mlpl_tensor *vector(mlpl_ctx *cx, int n, const double *v) {
  mlpl_tensor *t;
  assert_works(cx, mlpl_tensor_copy(cx, &t, MLPL_F64, 1, (int64_t[]){n}, v));
  return t;
}
#define VECTOR(cx, ...)                                                                  \
  vector(cx, (int)(sizeof(double[]){__VA_ARGS__} / sizeof(double)),                      \
      (const double[]){__VA_ARGS__})

/* Apply to one tensor, which is released. */
static mlpl_tensor *call1(
    mlpl_ctx *cx, const char *op, mlpl_tensor *x, const mlpl_arg *args) {
  mlpl_tensor *y[MLPLI_MAX_OUTPUTS] = {NULL};
  assert_works(cx, mlpl_call(cx, y, op, &x, 1, args));
  mlpl_tensor_release(x);
  mlpl_tensor_release(y[1]);
  return y[0];
}

static double number(mlpl_tensor *t) {
  double v = case_get(t, 0);
  assert_int_equal(t->numel, 1);
  mlpl_tensor_release(t);
  return v;
}

static void rows_with_special_numbers(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  const mlpl_arg *const dim = (mlpl_arg[]){{.name = "dim", .value = 0}, {0}};
  assert_true(isnan(number(call1(cx, "sum", VECTOR(cx, INFINITY, -INFINITY), NULL))));
  assert_true(
      number(call1(cx, "mean", VECTOR(cx, INFINITY, 1), NULL)) == (double)INFINITY);
  assert_true(isnan(number(call1(cx, "max", VECTOR(cx, 1, NAN, 3), NULL))));
  assert_true(number(call1(cx, "argmax", VECTOR(cx, 1, NAN, 3, NAN), NULL)) == 1);
  assert_true(number(call1(cx, "argmax", VECTOR(cx, 1, 3, 3), NULL)) ==
      1); /* the first of equal ones */
  assert_true(number(call1(cx, "argmax", VECTOR(cx, -INFINITY, -INFINITY), NULL)) == 0);
  mlpl_tensor *y = call1(cx, "softmax", VECTOR(cx, 1000, 1001, -INFINITY), dim);
  assert_true(fabs(case_get(y, 0) - 1 / (1 + exp(1))) < 1e-15);
  assert_true(case_get(y, 2) == 0);
  mlpl_tensor_release(y);
  y = call1(cx, "softmax", VECTOR(cx, 1, INFINITY, 2), dim);
  assert_true(isnan(case_get(y, 1)));
  mlpl_tensor_release(y);
  y = call1(cx, "log_softmax", VECTOR(cx, 0, -INFINITY), dim);
  assert_true(case_get(y, 1) == -(double)INFINITY && case_get(y, 0) == 0);
  mlpl_tensor_release(y);
  test_close(cx);
}

/* ---- gradients at kinks and ends --------------------------------------------------- */

/* d op(x) / dx, or of a second operand: numbers of no axes. */
static double slope(
    mlpl_ctx *cx, const char *op, double x, double second, bool by_second, int flags) {
  mlpl_tensor *in[2], *y;
  const int n = isnan(second) ? 1 : 2;
  assert_works(cx, mlpl_tensor_full(cx, &in[0], MLPL_F64, 0, NULL, x));
  assert_works(cx, mlpl_tensor_full(cx, &in[1], MLPL_F64, 0, NULL, second));
  mlpl_tensor *leaf = in[by_second];
  assert_works(cx, mlpl_tensor_set_requires_grad(cx, leaf, true));
  assert_works(cx, mlpl_call(cx, &y, op, in, n, NULL));
  assert_works(cx, mlpl_backward(cx, y, NULL, flags));
  double g = case_get(mlpl_tensor_grad(leaf), 0);
  mlpl_tensor_zero_grad(leaf);
  mlpl_tensor_release(y);
  mlpl_tensor_release(in[0]);
  mlpl_tensor_release(in[1]);
  return g;
}

/* PyTorch's conventions (numerics.md), by kernels and by recorded operations alike. */
static void slopes_at_kinks(void **state) {
  (void)state;
  static const struct {
    const char *op;
    double x, second; /* NAN: there is none */
    bool by_second;
    double slope;
  } table[] = {
      {"relu", 0, NAN, false, 0},
      {"relu", -0.0, NAN, false, 0},
      {"relu", NAN, NAN, false, 1},
      {"relu", -INFINITY, NAN, false, 0},
      {"relu", INFINITY, NAN, false, 1},
      {"leaky_relu", 0, NAN, false, 0.01},
      {"elu", 0, NAN, false, 1},
      {"elu", -INFINITY, NAN, false, 0},
      {"abs", 0, NAN, false, 0},
      {"abs", -2, NAN, false, -1},
      {"sqrt", 0, NAN, false, INFINITY},
      {"log", 0, NAN, false, INFINITY},
      {"sigmoid", 1000, NAN, false, 0},
      {"sigmoid", -1000, NAN, false, 0},
      {"tanh", 1000, NAN, false, 0},
      {"exp", -INFINITY, NAN, false, 0},
      {"pow", 0, 2, false, 0},
      {"pow", 0, 1, false, 1},
      {"pow", 0, 0, false, 0},
      {"pow", 0, 0.5, false, INFINITY},
      {"pow", -3, 2, false, -6},
      {"pow", -3, 3, false, 27},
      {"pow", 0, 2, true, 0},
      {"pow", 0, 0, true, 0},
      {"pow", 0, -1, true, -INFINITY},
      {"pow", 0, -0.5, true, -INFINITY},
      {"pow", 1, 5, true, 0},
      {"pow", -3, 2, true, NAN},
      {"div", 1, INFINITY, false, 0},
      {"div", 0, 2, true, -0.0},
      {"mul", 0, INFINITY, false, INFINITY},
      {"floor", .5, NAN, false, 0},
      {"step", 0, NAN, false, 0},
      {"asin", 1, NAN, false, INFINITY},
      {"acos", -1, NAN, false, -INFINITY},
      {"acosh", 1, NAN, false, INFINITY},
      {"atanh", 1, NAN, false, INFINITY},
      {"atan", INFINITY, NAN, false, 0},
      {"expm1", -INFINITY, NAN, false, 0},
      {"log1p", -1, NAN, false, INFINITY},
      {"rsqrt", 0, NAN, false, -INFINITY},
      {"reciprocal", INFINITY, NAN, false, -0.0},
      {"sinc", 0, NAN, false, 0},
      {"erf", INFINITY, NAN, false, 0},
      {"erfinv", 1, NAN, false, INFINITY},
      {"nan_to_num", NAN, NAN, false, 0},
      {"nan_to_num", INFINITY, NAN, false, 0},
      {"nan_to_num", 3, NAN, false, 1},
      {"hardtanh", 1, NAN, false, 0},
      {"hardtanh", -1, NAN, false, 0},
      {"hardtanh", 0.5, NAN, false, 1},
      {"hardtanh", NAN, NAN, false, 1},
      {"relu6", 0, NAN, false, 0},
      {"relu6", 6, NAN, false, 0},
      {"relu6", 3, NAN, false, 1},
      {"hardsigmoid", 3, NAN, false, 0},
      {"hardsigmoid", -3, NAN, false, 0},
      {"hardswish", -3, NAN, false, 0},
      {"hardswish", 3, NAN, false, 1},
      {"hardswish", 4, NAN, false, 1},
      {"hardswish", 0, NAN, false, 0.5},
      {"celu", 0, NAN, false, 1},
      {"softshrink", 0.5, NAN, false, 0},
      {"softshrink", -0.5, NAN, false, 0},
      {"softshrink", NAN, NAN, false, 1},
      {"hardshrink", 0.5, NAN, false, 0},
      {"hardshrink", 0.6, NAN, false, 1},
      {"softplus", 21, NAN, false, 1},
      {"softplus", -INFINITY, NAN, false, 0},
      {"silu", 0, NAN, false, 0.5},
      {"gelu", 0, NAN, false, 0.5},
      {"softsign", 0, NAN, false, 1},
      {"logsigmoid", -1000, NAN, false, 1},
      {"logsigmoid", 1000, NAN, false, 0},
      {"atan2", 0, 0, false, 0},
      {"atan2", 0, -1, false, -1},
      {"hypot", 0, 0, false, NAN},
      {"hypot", 0, -1, true, -1},
      {"logaddexp", 1000, 0, false, 1},
      {"logaddexp", -1000, 0, false, 0},
      {"xlogy", 0, 0, false, 0},
      {"xlogy", 0, -1, false, 0},
      {"xlogy", 1, 0, false, -INFINITY},
      {"xlogy", 1, 0, true, INFINITY},
      {"copysign", 0, 1, false, 0},
      {"copysign", 2, -0.0, false, -1},
      {"prelu", 0, 0.25, false, 0.25},
      {"prelu", -2, 0.25, true, -2},
      {"prelu", 2, 0.25, true, 0},
  };
  mlpl_ctx *cx = test_open(0);
  for (int i = 0; i < COUNT(table); i++)
    for (int flags = 0; flags <= MLPL_CREATE_GRAPH; flags += MLPL_CREATE_GRAPH) {
      double g =
          slope(cx, table[i].op, table[i].x, table[i].second, table[i].by_second, flags);
      if (isnan(table[i].slope) ? isnan(g) : g == table[i].slope) continue;
      fail_msg("%s at %g, %g has slope %g, not %g%s", table[i].op, table[i].x,
          table[i].second, g, table[i].slope, flags ? " (recorded)" : "");
    }
  test_close(cx);
}

/* Along an axis the first of equal maxima has the gradient, of NaN the first too; of all
   elements they share it. */
static void the_first_maximum_has_the_gradient(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  static const double rows[][4] = {
      {1, 3, 3, 2}, {1, NAN, 3, NAN}, {-INFINITY, -INFINITY, -INFINITY, -INFINITY}};
  static const int first[] = {1, 1, 0};
  static const double shares[][4] = {
      {0, 0.5, 0.5, 0}, {0, 0.5, 0, 0.5}, {0.25, 0.25, 0.25, 0.25}};
  mlpl_arg dim[] = {{.name = "dim", .value = 0}, {0}};
  for (int i = 0; i < COUNT(rows); i++) {
    mlpl_tensor *x = vector(cx, 4, rows[i]), *y[2];
    assert_works(cx, mlpl_tensor_set_requires_grad(cx, x, true));
    for (int all = 0; all <= 1; all++) {
      mlpl_tensor_zero_grad(x);
      assert_works(cx, mlpl_call(cx, y, "max", &x, 1, all ? NULL : dim));
      assert_works(cx, mlpl_backward(cx, y[0], NULL, 0));
      for (int e = 0; e < 4; e++)
        assert_true(case_get(mlpl_tensor_grad(x), e) ==
            (all ? shares[i][e] : (double)(e == first[i])));
      mlpl_tensor_release(y[0]);
      mlpl_tensor_release(y[1]);
    }
    mlpl_tensor_release(x);
  }
  test_close(cx);
}

/* ---- empty tensors ----------------------------------------------------------------- */

static double reduced_empty(mlpl_ctx *cx, const char *op) {
  mlpl_tensor *x;
  assert_works(cx, mlpl_tensor_new(cx, &x, MLPL_F32, 2, (int64_t[]){0, 3}));
  return number(call1(cx, op, x, NULL));
}

static void loss_of_nothing(mlpl_ctx *cx, const char *op, bool labels) {
  mlpl_tensor *x, *t, *y;
  assert_works(cx, mlpl_tensor_new(cx, &x, MLPL_F32, 2, (int64_t[]){0, 3}));
  assert_works(cx,
      mlpl_tensor_new(
          cx, &t, labels ? MLPL_I64 : MLPL_F32, labels ? 1 : 2, (int64_t[]){0, 3}));
  for (int sum = 0; sum <= 1; sum++) {
    mlpl_arg how[] = {{.name = "reduction", .text = sum ? "sum" : "mean"}, {0}};
    assert_works(cx, mlpl_call(cx, &y, op, (mlpl_tensor *[]){x, t}, 2, how));
    double v = number(y);
    assert_true(sum ? v == 0 : isnan(v));
  }
  mlpl_tensor_release(x);
  mlpl_tensor_release(t);
}

static void empty_tensors_have_results(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x, *y[2];
  assert_true(reduced_empty(cx, "sum") == 0);
  assert_true(isnan(reduced_empty(cx, "mean")));
  loss_of_nothing(cx, "mse_loss", false);
  loss_of_nothing(cx, "binary_cross_entropy_with_logits", false);
  loss_of_nothing(cx, "cross_entropy", true);
  loss_of_nothing(cx, "cross_entropy", false);
  assert_works(cx, mlpl_tensor_new(cx, &x, MLPL_F32, 2, (int64_t[]){0, 3}));
  assert_fails(cx, mlpl_call(cx, y, "max", &x, 1, NULL), MLPL_ESHAPE,
      "max: [0x3] has no elements to choose from along axis 0");
  assert_null(y[0]);
  assert_null(y[1]);
  assert_fails(cx,
      mlpl_call(cx, y, "argmax", &x, 1, (mlpl_arg[]){{.name = "dim", .value = 0}, {0}}),
      MLPL_ESHAPE, "argmax: [0x3] has no elements to choose from along axis 0");
  assert_works(
      cx, mlpl_call(cx, y, "max", &x, 1, (mlpl_arg[]){{.name = "dim", .value = 1}, {0}}));
  assert_int_equal(y[0]->numel, 0);
  mlpl_tensor_release(y[0]);
  mlpl_tensor_release(y[1]);
  mlpl_tensor_release(x);
  test_close(cx);
}

/* An argmax counts from the base, and so do the labels it is compared with. */
static void places_count_from_the_base(void **state) {
  (void)state;
  for (int base = 0; base <= 1; base++) {
    mlpl_ctx *cx = test_open(base);
    mlpl_tensor *y[2], *x = VECTOR(cx, 1, 5, 2);
    mlpl_arg dim[] = {{.name = "dim", .value = 0}, {0}};
    assert_works(cx, mlpl_call(cx, y, "max", &x, 1, dim));
    assert_true(number(y[0]) == 5);
    assert_true(number(y[1]) == 1 + base);
    assert_true(number(call1(cx, "argmax", x, NULL)) == 1 + base);
    test_close(cx);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nan_comes_through),
      cmocka_unit_test(special_numbers),
      cmocka_unit_test(rows_with_special_numbers),
      cmocka_unit_test(slopes_at_kinks),
      cmocka_unit_test(the_first_maximum_has_the_gradient),
      cmocka_unit_test(empty_tensors_have_results),
      cmocka_unit_test(places_count_from_the_base),
  };
  return cmocka_run_group_tests_name("special_numbers", tests, NULL, NULL);
}
