/*
** Reductions, scans, orders and counts beyond what table.c and gradcheck.c drive: whole
** numbers and bool, large inputs on several threads, NaN and infinities in order, gradients
** at zeros and ties, numbers near the ends of their range, error texts, lack of memory.
*/
#include "tensor_test.h"

#include "grad/grad.h"

/* As test_near, and infinities equal themselves. */
static void test_equal(
    const mlpl_tensor *t, const double *v, double rtol, const char *file, int line) {
  for (int64_t i = 0; i < t->numel; i++) {
    double got = test_element(t, i);
    if (got == v[i] || (isnan(got) && isnan(v[i]))) continue;
    if (fabs(got - v[i]) <= rtol * fmax(1, fabs(v[i])) && isfinite(v[i])) continue;
    print_error("element %d is %.17g, not %.17g\n", (int)i, got, v[i]);
    _fail(file, line);
  }
}
#undef assert_values
#define assert_values(t, ...) test_equal(t, VALUES(__VA_ARGS__), 1e-14, __FILE__, __LINE__)

static mlpl_tensor *values_of(mlpl_ctx *cx, mlpl_dtype dtype, int64_t n, uint64_t seed,
    double lo, double hi) {
  mlpl_tensor *wide, *t;
  assert_works(cx, mlpl_tensor_new(cx, &wide, MLPL_F64, 1, &n));
  for (int64_t i = 0; i < n; i++)
    ((double *)(void *)wide->data)[i] = floor(test_between(&seed, lo, hi));
  assert_works(cx, mlpl_tensor_to(cx, &t, wide, dtype));
  mlpl_tensor_release(wide);
  return test_hold(t);
}

static mlpl_tensor *shaped(mlpl_ctx *cx, mlpl_tensor *t, int n, const int64_t *sizes) {
  mlpl_arg how[] = {{.name = "sizes", .value = n, .sizes = sizes}, {0}};
  return test_call(cx, "reshape", &t, 1, how);
}
#define SHAPED(cx, t, ...) shaped(cx, t, SIZES(__VA_ARGS__))

static mlpl_tensor *as(mlpl_ctx *cx, mlpl_tensor *t, mlpl_dtype dtype) {
  mlpl_tensor *out;
  assert_works(cx, mlpl_tensor_to(cx, &out, t, dtype));
  return test_hold(out);
}

static void same_elements(const mlpl_tensor *a, const mlpl_tensor *b, const char *what) {
  assert_int_equal(a->ndim, b->ndim);
  assert_memory_equal(a->shape, b->shape, (size_t)a->ndim * sizeof *a->shape);
  for (int64_t i = 0; i < a->numel; i++) {
    double x = test_element(a, i), y = test_element(b, i);
    if (isnan(x) ? !isnan(y) : x != y)
      fail_msg("%s: element %d is %.17g, not %.17g", what, (int)i, x, y);
  }
}

/* ---- whole numbers and bool -------------------------------------------------------- */

enum { SAME, WHOLE, TRUTH }; /* the dtype of a result */

static const struct {
  const char *op, *dim, *first;
  double first_value;
  int dtype;
} whole_rows[] = {
    {"sum", "dim", NULL, 0, WHOLE}, {"prod", "dim", NULL, 0, WHOLE},
    {"max", "dim", NULL, 0, SAME}, {"min", "dim", NULL, 0, SAME},
    {"amax", "dim", NULL, 0, SAME}, {"amin", "dim", NULL, 0, SAME},
    {"argmax", "dim", NULL, 0, WHOLE}, {"argmin", "dim", NULL, 0, WHOLE},
    {"any", "dim", NULL, 0, TRUTH}, {"all", "dim", NULL, 0, TRUTH},
    {"count_nonzero", "dim", NULL, 0, WHOLE}, {"cumsum", "dim", NULL, 0, WHOLE},
    {"cumprod", "dim", NULL, 0, WHOLE}, {"cummax", "dim", NULL, 0, SAME},
    {"cummin", "dim", NULL, 0, SAME}, {"sort", "dim", NULL, 0, SAME},
    {"sort", "dim", "descending", 1, SAME}, {"argsort", "dim", NULL, 0, WHOLE},
    {"topk", "dim", "k", 2, SAME}, {"kthvalue", "dim", "k", 2, SAME},
    {"median", "dim", NULL, 0, SAME}, {"nanmedian", "dim", NULL, 0, SAME},
    {"mode", "dim", NULL, 0, SAME},
};

/* The same numbers as f64 give the same results, which table.c has compared. */
static void check_whole(mlpl_ctx *cx, int row, mlpl_tensor *x, int dim) {
  mlpl_tensor *got[2] = {NULL, NULL}, *wanted[2] = {NULL, NULL},
              *wide = as(cx, x, MLPL_F64);
  const char *op = whole_rows[row].op;
  mlpl_arg args[3] = {{.name = whole_rows[row].dim, .value = dim}, {0}, {0}};
  if (whole_rows[row].first)
    args[1] = (mlpl_arg){
        .name = whole_rows[row].first, .value = whole_rows[row].first_value};
  assert_works(cx, mlpl_call(cx, got, op, &x, 1, args));
  assert_works(cx, mlpl_call(cx, wanted, op, &wide, 1, args));
  same_elements(got[0], wanted[0], op);
  int dtype = whole_rows[row].dtype;
  assert_int_equal(
      got[0]->dtype, dtype == SAME ? x->dtype : dtype == WHOLE ? MLPL_I64 : MLPL_BOOL);
  if (got[1]) same_elements(got[1], wanted[1], op);
  for (int i = 0; i < 2; i++) mlpl_tensor_release(got[i]), mlpl_tensor_release(wanted[i]);
}

static void whole_numbers_reduce_as_real_ones_do(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  for (mlpl_dtype dtype = MLPL_I64; dtype <= MLPL_BOOL; dtype++)
    for (int row = 0; row < COUNT(whole_rows); row++) {
      double lo = dtype == MLPL_I64 ? -4 : 0, hi = dtype == MLPL_BOOL ? 2 : 5;
      mlpl_tensor *x =
          SHAPED(cx, values_of(cx, dtype, 300, 7 + (uint64_t)row, lo, hi), 5, 4, 15);
      mlpl_tensor *t = test_call(
          cx, "transpose", &x, 1, ARGS(ARG("dim0", 0), ARG("dim1", 2)));
      for (int dim = -1; dim < 3; dim++) {
        check_whole(cx, row, x, dim);
        check_whole(cx, row, t, dim);
      }
      test_drop();
    }
  test_close(cx);
}

static void whole_numbers_of_all_elements(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(1);
  mlpl_tensor *x = values_of(cx, MLPL_U8, 400000, 3, 0, 256);
  mlpl_tensor *wide = as(cx, x, MLPL_F64);
  assert_true(test_item(cx, CALL1(cx, "sum", x)) == test_item(cx, CALL1(cx, "sum", wide)));
  assert_int_equal(CALL1(cx, "sum", x)->dtype, MLPL_I64);
  assert_true(test_item(cx, CALL1(cx, "max", x)) == 255);
  assert_true(test_item(cx, CALL1(cx, "amin", x)) == 0);
  assert_true(
      test_item(cx, CALL1(cx, "argmax", x)) == test_item(cx, CALL1(cx, "argmax", wide)));
  mlpl_tensor *big = test_labels(cx, 2, (int64_t[]){INT64_MAX, 2}); /* wraps around */
  assert_true(test_item(cx, CALL1(cx, "argmin", big)) == 2);
  mlpl_tensor *sum = CALL1(cx, "sum", big), *product = CALL1(cx, "prod", big);
  assert_true(*(int64_t *)(void *)sum->data == INT64_MIN + 1);
  assert_true(*(int64_t *)(void *)product->data == -2);
  mlpl_tensor *d = CALL1(cx, "diff", test_labels(cx, 3, (int64_t[]){4, 1, 9}));
  assert_int_equal(d->dtype, MLPL_I64);
  assert_values(d, -3, 8);
  assert_values(CALL1(cx, "diff", as(cx, VECTOR(cx, 3, 1, 2), MLPL_U8)), 254, 1);
  assert_values(CALL1(cx, "diff", as(cx, VECTOR(cx, 1, 1, 0), MLPL_BOOL)), 0, 1);
  mlpl_tensor *empty = test_new(cx, MLPL_BOOL, SIZES(0));
  assert_true(test_item(cx, CALL1(cx, "any", empty)) == 0);
  assert_true(test_item(cx, CALL1(cx, "all", empty)) == 1);
  assert_true(test_item(cx, CALL1(cx, "prod", empty)) == 1);
  assert_fails(cx, mlpl_call(cx, &sum, "mean", &big, 1, NULL), MLPL_EARG,
      "mean: input is i64; it must be f32 or f64 (convert with :to)");
  test_drop_and_close(cx);
}

/* ---- several axes ------------------------------------------------------------------ */

static mlpl_status sum_over(mlpl_ctx *cx, mlpl_tensor *x, int n, const int64_t *axes) {
  mlpl_tensor *out;
  mlpl_arg dim[] = {{.name = "dim", .value = n, .sizes = axes}, {0}};
  mlpl_status status = mlpl_call(cx, &out, "sum", &x, 1, dim);
  test_hold(out);
  return status;
}

static void several_axes(void **state) {
  (void)state;
  for (int base = 0; base <= 1; base++) {
    mlpl_ctx *cx = test_open(base);
    mlpl_tensor *x = test_new(cx, MLPL_F32, SIZES(2, 3, 4)), *out;
    assert_works(cx, sum_over(cx, x, 2, (int64_t[]){-1, 0}));
    assert_fails(cx, sum_over(cx, x, 2, (int64_t[]){1, -2}), MLPL_EARG,
        base ? "sum: axis 2 is given twice" : "sum: axis 1 is given twice");
    assert_fails(cx, sum_over(cx, x, 3, (int64_t[]){0, 1, 3}), MLPL_EARG,
        base ? "sum: axis 4 is outside 1 to 3 (or -3 to -1 from the end)"
             : "sum: axis 3 is outside 0 to 2 (or -3 to -1 from the end)");
    assert_fails(cx, sum_over(cx, x, 9, (int64_t[9]){0}), MLPL_EARG,
        "sum: dim has 9 axes; a tensor has at most 8");
    assert_fails(cx, sum_over(cx, x, -1, (int64_t[]){0}), MLPL_EARG,
        "sum: dim has -1 axes; a tensor has at most 8");
    mlpl_value p[2] = {{.axes = {.several = MLPL_SEVERAL_AXES, .n = 99}}, {.i = 0}};
    assert_fails(cx, mlpl_op_apply(cx, &out, mlpl_op_find("sum"), &x, 1, p), MLPL_EARG,
        "sum: dim has 99 axes; a tensor has at most 8");
    mlpl_value_axes(&p[0], 2, (int64_t[]){0, 1});
    assert_works(cx, mlpl_op_apply(cx, &out, mlpl_op_find("sum"), &x, 1, p));
    assert_int_equal(test_hold(out)->shape[0], 4);
    mlpl_value_axes(&p[0], 1, (int64_t[]){1});
    assert_true(p[0].i == 1);
    mlpl_value_axes(&p[0], 0, NULL); /* none are all, as in PyTorch */
    assert_works(cx, mlpl_op_apply(cx, &out, mlpl_op_find("sum"), &x, 1, p));
    assert_int_equal(test_hold(out)->ndim, 0);
    test_drop_and_close(cx);
  }
}

/* ---- order ------------------------------------------------------------------------- */

static const double *compared;
static int by_value(const void *a, const void *b) {
  int64_t i = *(const int64_t *)a, j = *(const int64_t *)b;
  double x = compared[i], y = compared[j];
  int nan = !!isnan(x) - !!isnan(y);
  if (nan || isnan(x)) return nan ? nan : (i > j) - (i < j);
  return x != y ? (x > y) - (x < y) : (i > j) - (i < j);
}
static int by_value_down(const void *a, const void *b) {
  int64_t i = *(const int64_t *)a, j = *(const int64_t *)b;
  double x = compared[i], y = compared[j];
  return (isnan(x) ? isnan(y) : x == y) ? (i > j) - (i < j) : by_value(b, a);
}

/* Many equal ones, NaN, infinities and both zeros. */
static mlpl_tensor *odd_values(mlpl_ctx *cx, mlpl_dtype dtype, int64_t n) {
  static const double odd[] = {NAN, INFINITY, -INFINITY, 0, -0.0, 1e-30, -1e-30};
  bool real = dtype <= MLPL_F64;
  const double far = (double)n / 3, hi = dtype == MLPL_BOOL ? 2
      : dtype == MLPL_U8                                    ? fmin(far, 256)
                                                            : far;
  mlpl_tensor *t = values_of(cx, real ? MLPL_F64 : dtype, n, 11,
      dtype == MLPL_I64 || real ? -far : 0, hi);
  for (int64_t i = 0; i < n && real; i += 5)
    ((double *)(void *)t->data)[i] = odd[i / 5 % COUNT(odd)];
  return real ? as(cx, t, dtype) : t;
}

static void check_order(mlpl_ctx *cx, mlpl_dtype dtype, int64_t n, bool down) {
  mlpl_tensor *x = odd_values(cx, dtype, n), *out[2], *top[2];
  double *v = malloc(((size_t)n + 1) * sizeof *v);
  int64_t *order = malloc(((size_t)n + 1) * sizeof *order);
  for (int64_t i = 0; i < n; i++) v[i] = test_element(x, i), order[i] = i;
  compared = v;
  qsort(order, (size_t)n, sizeof *order, down ? by_value_down : by_value);
  assert_works(cx, mlpl_call(cx, out, "sort", &x, 1, ARGS(ARG("descending", down))));
  assert_works(cx,
      mlpl_call(cx, top, "topk", &x, 1,
          ARGS(ARG("k", (double)(n / 3)), ARG("largest", down))));
  const int64_t *at = (int64_t *)(void *)out[1]->data,
                *top_at = (int64_t *)(void *)top[1]->data;
  for (int64_t i = 0; i < n; i++) {
    assert_int_equal(at[i], order[i]);
    double got = test_element(out[0], i);
    assert_true(isnan(v[order[i]]) ? isnan(got) : got == v[order[i]]);
    if (i < n / 3) assert_int_equal(top_at[i], order[i]);
  }
  for (int64_t k = 1; k <= n && !down; k += 1 + n / 7) {
    mlpl_tensor *kth[2];
    assert_works(cx, mlpl_call(cx, kth, "kthvalue", &x, 1, ARGS(ARG("k", (double)k))));
    assert_int_equal(*(int64_t *)(void *)kth[1]->data, order[k - 1]);
    test_hold(kth[0]), test_hold(kth[1]);
  }
  for (int i = 0; i < 2; i++) test_hold(out[i]), test_hold(top[i]);
  free(v);
  free(order);
  test_drop();
}

static void orders_agree_with_the_c_library(void **state) {
  (void)state;
  static const int64_t sizes[] = {1, 2, 3, 39, 40, 41, 42, 257, 5000};
  mlpl_ctx *cx = test_open(0);
  for (mlpl_dtype dtype = MLPL_F32; dtype <= MLPL_BOOL; dtype++)
    for (int k = 0; k < COUNT(sizes); k++)
      for (int down = 0; down <= 1; down++) check_order(cx, dtype, sizes[k], down);
  test_close(cx);
}

static void places_count_from_the_base(void **state) {
  (void)state;
  for (int base = 0; base <= 1; base++) {
    mlpl_ctx *cx = test_open(base);
    mlpl_tensor *x = VECTOR(cx, 2, 7, 1), *out[2], *inverse, *counts, *values;
    static const char *const rows[] = {"sort", "cummax", "cummin", "median", "min"};
    static const double places[][3] = {{2, 0, 1}, {0, 1, 1}, {0, 0, 2}, {0}, {2}};
    for (int i = 0; i < COUNT(rows); i++) {
      assert_works(cx, mlpl_call(cx, out, rows[i], &x, 1, ARGS(ARG("dim", 0))));
      for (int64_t e = 0; e < out[1]->numel; e++)
        assert_true(test_element(out[1], e) == places[i][e] + base);
      test_hold(out[0]), test_hold(out[1]);
    }
    assert_values(CALL1(cx, "argsort", x), 2 + base, base, 1 + base);
    assert_values(CALL1(cx, "argmin", x), 2 + base);
    mlpl_tensor *seq = VECTOR(cx, 1, 2, 2, 5);
    mlpl_tensor *in[] = {seq, VECTOR(cx, 0, 2, NAN)};
    assert_values(
        test_call(cx, "searchsorted", in, 2, NULL), base, 1 + base, 4 + base);
    assert_values(test_call(cx, "searchsorted", in, 2, ARGS(ARG("right", 1))), base,
        3 + base, 4 + base);
    mlpl_tensor *labels = test_labels(cx, 3, (int64_t[]){1 + base, base, 1 + base});
    assert_values(CALL1(cx, "bincount", labels), 1, 2);
    assert_works(cx, mlpl_unique(cx, &values, &inverse, &counts, labels));
    assert_values(test_hold(inverse), 1 + base, base, 1 + base);
    assert_values(test_hold(values), base, 1 + base);
    assert_values(test_hold(counts), 1, 2);
    test_drop_and_close(cx);
  }
}

static void unique_elements(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = MATRIX(cx, 2, 4, NAN, 3, -0.0, 3, 0, -INFINITY, NAN, 3), *v, *at, *n;
  mlpl_tensor *t = CALL1(cx, "t", x);
  assert_works(cx, mlpl_unique(cx, &v, &at, &n, x));
  assert_values(test_hold(v), -INFINITY, -0.0, 3, NAN, NAN);
  assert_values(test_hold(at), 3, 2, 1, 2, 1, 0, 4, 2);
  assert_values(test_hold(n), 1, 2, 3, 1, 1);
  assert_works(cx, mlpl_unique(cx, &v, NULL, NULL, t));
  assert_int_equal(test_hold(v)->numel, 5);
  mlpl_tensor *empty = test_new(cx, MLPL_U8, SIZES(0, 2));
  assert_works(cx, mlpl_unique(cx, &v, &at, &n, empty));
  assert_int_equal(v->dtype, MLPL_U8);
  assert_int_equal(v->numel, 0);
  assert_int_equal(at->ndim, 2);
  test_hold(v), test_hold(at), test_hold(n);
  test_drop_and_close(cx);
}

/* ---- threads ----------------------------------------------------------------------- */

static void threads_do_not_change_bits(void **state) {
  (void)state;
  static const struct {
    const char *op, *name;
    double value;
  } rows[] = {{"sum", "dim", 0}, {"prod", "keepdim", 1}, {"max", "keepdim", 0},
      {"min", "keepdim", 0}, {"amax", "keepdim", 1}, {"var", "dim", 1},
      {"std", "keepdim", 0}, {"norm", "p", 3}, {"logsumexp", "dim", 0},
      {"cumsum", "dim", 0}, {"cumsum", "dim", 1}, {"cumprod", "dim", 1},
      {"cummax", "dim", 0}, {"logcumsumexp", "dim", 1}, {"sort", "dim", 0},
      {"sort", "dim", 1}, {"topk", "k", 9}, {"median", "dim", 0}, {"quantile", "q", 0.3},
      {"kthvalue", "k", 17}, {"count_nonzero", "dim", 0}, {"diff", "n", 2}};
  for (int dtype = MLPL_F32; dtype <= MLPL_F64; dtype++)
    for (int k = 0; k < COUNT(rows); k++) {
      mlpl_tensor *out[3] = {NULL, NULL, NULL};
      mlpl_ctx *cx[3];
      for (int threads = 1; threads <= 3; threads++) {
        mlpl_ctx *one;
        mlpl_tensor *x, *y[2] = {NULL, NULL};
        assert_int_equal(
            mlpl_open(&one, &(mlpl_config){.threads = threads, .seed = 5}), MLPL_OK);
        assert_works(one, mlpl_tensor_randn(one, &x, (mlpl_dtype)dtype, 2, (int64_t[]){512, 700}, 0, 1));
        mlpl_arg args[] = {{.name = rows[k].name, .value = rows[k].value}, {0}};
        assert_works(one, mlpl_call(one, y, rows[k].op, &x, 1, args));
        mlpl_tensor_release(x);
        mlpl_tensor_release(y[1]);
        out[threads - 1] = y[0], cx[threads - 1] = one;
      }
      for (int i = 1; i < 3; i++)
        if (!test_same_bits(out[0], out[i]))
          fail_msg("%s: other bits on %d threads", rows[k].op, i + 1);
      for (int i = 0; i < 3; i++) mlpl_tensor_release(out[i]), mlpl_close(cx[i]);
    }
}

/* ---- numbers near the ends of their range ------------------------------------------ */

static void no_range_or_precision_is_lost(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *big = as(cx, VECTOR(cx, 3e30, -4e30), MLPL_F32),
              *small = as(cx, VECTOR(cx, 3e-30, 4e-30), MLPL_F32);
  assert_near(CALL1(cx, "norm", big), 1e24, 5e30);
  assert_true(fabs(test_item(cx, CALL1(cx, "norm", small)) - 5e-30) < 1e-36);
  assert_true(
      fabs(test_item(cx, test_call(cx, "norm", &big, 1, ARGS(ARG("p", 3)))) - 4.498e30) <
      1e27);
  assert_true(fabs(test_item(cx, CALL1(cx, "norm", VECTOR(cx, 3e200, 4e200))) / 5e200 -
                  1) < 1e-14);
  assert_values(CALL1(cx, "norm", VECTOR(cx, 0, 0)), 0);
  assert_values(CALL1(cx, "norm", VECTOR(cx, 1, -INFINITY)), INFINITY);
  assert_values(CALL1(cx, "norm", VECTOR(cx, NAN, INFINITY)), NAN);
  mlpl_tensor *zero = VECTOR(cx, 0, 2);
  assert_values(test_call(cx, "norm", &zero, 1, ARGS(ARG("p", -1))), 0);
  assert_values(test_call(cx, "norm", &zero, 1, ARGS(ARG("p", 0))), 1);
  /* a mean of 1e6 leaves f32 few digits for squares; two passes need none of them */
  mlpl_tensor *shifted = as(cx, VECTOR(cx, 1e6 + 1, 1e6 + 2, 1e6 + 3, 1e6 + 4), MLPL_F32);
  assert_near(CALL1(cx, "var", shifted), 1e-6, 5.0 / 3);
  int64_t n = 1000000;
  mlpl_tensor *tenth;
  assert_works(cx, mlpl_tensor_full(cx, &tenth, MLPL_F32, 1, &n, 0.1));
  mlpl_tensor *sums = test_call(cx, "cumsum", &tenth, 1, ARGS(ARG("dim", 0)));
  assert_true(fabs(test_element(sums, n - 1) - 1e6 * (double)0.1f) < 0.01);
  mlpl_tensor_release(tenth);
  /* e^1000 is no number */
  assert_values(CALL1(cx, "logsumexp", VECTOR(cx, 1000, 1000)), 1000 + log(2));
  assert_values(CALL1(cx, "logsumexp", VECTOR(cx, -INFINITY, -INFINITY)), -INFINITY);
  assert_values(CALL1(cx, "logsumexp", VECTOR(cx, INFINITY, 1)), INFINITY);
  mlpl_tensor *rising = VECTOR(cx, -INFINITY, 1000, 1000, INFINITY, 3, NAN);
  assert_values(test_call(cx, "logcumsumexp", &rising, 1, ARGS(ARG("dim", 0))), -INFINITY,
      1000, 1000 + log(2), INFINITY, INFINITY, NAN);
  mlpl_tensor *x = VECTOR(cx, 1, NAN, 2);
  assert_values(CALL1(cx, "median", x), NAN);
  assert_values(CALL1(cx, "median", test_new(cx, MLPL_F64, SIZES(0))), NAN);
  assert_values(test_call(cx, "quantile", &x, 1, ARGS(ARG("q", 0.1))), NAN);
  mlpl_tensor *some = VECTOR(cx, NAN, 5, 1, NAN, 2, 7);
  assert_values(CALL1(cx, "nanmedian", some), 2);
  assert_values(CALL1(cx, "nanmedian", VECTOR(cx, NAN, NAN)), NAN);
  assert_values(CALL1(cx, "nanmedian", test_new(cx, MLPL_F64, SIZES(0))), NAN);
  assert_values(CALL1(cx, "mode", some), 1);
  assert_values(CALL1(cx, "mode", VECTOR(cx, 3, -0.0, 2, 0, 3, 3, 0)), 0);
  assert_values(test_call(cx, "nanquantile", &some, 1, ARGS(ARG("q", 0.5))), 3.5);
  mlpl_tensor *wide = VECTOR(cx, NAN, -INFINITY, -INFINITY, INFINITY);
  assert_values(test_call(cx, "nanquantile", &wide, 1, ARGS(ARG("q", 0.25))), -INFINITY);
  assert_values(CALL1(cx, "nanmedian", wide), -INFINITY);
  mlpl_tensor *ends = VECTOR(cx, INFINITY, INFINITY, 1);
  assert_values(test_call(cx, "quantile", &ends, 1, ARGS(ARG("q", 0.75))), INFINITY);
  assert_values(CALL1(cx, "var", test_scalar(cx, 3)), NAN);
  assert_values(CALL1(cx, "var", test_new(cx, MLPL_F64, SIZES(0))), NAN);
  mlpl_tensor *two = VECTOR(cx, 1, 2);
  assert_values(test_call(cx, "var", &two, 1, ARGS(ARG("correction", 3))), INFINITY);
  assert_values(CALL1(cx, "norm", test_new(cx, MLPL_F64, SIZES(0))), 0);
  assert_values(CALL1(cx, "logsumexp", test_new(cx, MLPL_F64, SIZES(0))), -INFINITY);
  test_drop_and_close(cx);
}

/* ---- gradients at zeros and ties --------------------------------------------------- */

static mlpl_tensor *slopes(
    mlpl_ctx *cx, const char *op, mlpl_tensor *x, const mlpl_arg *args) {
  mlpl_tensor *out[2] = {NULL, NULL};
  if (!x->requires_grad) test_leaf(cx, x);
  mlpl_tensor_zero_grad(x);
  assert_works(cx, mlpl_call(cx, out, op, &x, 1, args));
  test_hold(out[1]);
  mlpl_tensor *sum = CALL1(cx, "sum", test_hold(out[0]));
  assert_works(cx, mlpl_backward(cx, sum, NULL, 0));
  return mlpl_tensor_grad(x);
}

static void slopes_at_zeros_and_ties(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  const mlpl_arg *dim = (mlpl_arg[]){{.name = "dim", .value = 0}, {0}};
  assert_values(slopes(cx, "prod", VECTOR(cx, 2, 0, 3), NULL), 0, 6, 0);
  assert_values(slopes(cx, "prod", VECTOR(cx, 2, 0, 0), NULL), 0, 0, 0);
  assert_values(slopes(cx, "cumprod", VECTOR(cx, 2, 0, 3), dim), 1, 8, 0);
  assert_values(slopes(cx, "norm", VECTOR(cx, 0, 0), NULL), 0, 0);
  assert_values(slopes(cx, "norm", VECTOR(cx, 3, 4), NULL), 0.6, 0.8);
  static const double powers[] = {0.5, 1.5, 3, -1, 1};
  static const double second[] = {1, 1, 1, 0, 1};
  for (int i = 0; i < COUNT(powers); i++)
    assert_values(
        slopes(cx, "norm", VECTOR(cx, 0, 2), ARGS(ARG("p", powers[i]))), 0, second[i]);
  mlpl_arg p[] = {{.name = "p", .value = (double)INFINITY}, {0}};
  assert_values(slopes(cx, "norm", VECTOR(cx, -2, 2, 1), p), -0.5, 0.5, 0);
  p[0].value = -(double)INFINITY;
  assert_values(slopes(cx, "norm", VECTOR(cx, -2, 2, 3), p), -0.5, 0.5, 0);
  p[0].value = 0;
  assert_values(slopes(cx, "norm", VECTOR(cx, -2, 0, 3), p), 0, 0, 0);
  assert_values(slopes(cx, "std", VECTOR(cx, 2, 2), NULL), 0, 0);
  assert_values(slopes(cx, "amax", VECTOR(cx, 1, 3, 3), NULL), 0, 0.5, 0.5);
  assert_values(slopes(cx, "amin", VECTOR(cx, 3, 3, 3, 4), dim), 1. / 3, 1. / 3, 1. / 3, 0);
  assert_values(slopes(cx, "min", VECTOR(cx, 2, 1, 1), NULL), 0, 0.5, 0.5);
  assert_values(slopes(cx, "min", VECTOR(cx, 2, 1, 1), dim), 0, 1, 0);
  assert_values(slopes(cx, "median", VECTOR(cx, 5, 3, 3, 1), NULL), 0, 0.5, 0.5, 0);
  assert_values(slopes(cx, "median", VECTOR(cx, 5, 3, 3, 1), dim), 0, 1, 0, 0);
  assert_values(slopes(cx, "cummax", VECTOR(cx, 1, 3, 2, 3), dim), 1, 2, 0, 1);
  assert_values(slopes(cx, "sort", VECTOR(cx, 2, 1, 1), dim), 1, 1, 1);
  assert_values(slopes(cx, "logsumexp", VECTOR(cx, -INFINITY, -INFINITY), NULL), 0, 0);
  assert_values(slopes(cx, "logcumsumexp", VECTOR(cx, -INFINITY, -INFINITY), dim), 0, 0);
  assert_near(slopes(cx, "logcumsumexp", VECTOR(cx, -INFINITY, 0, 1), dim), 1e-12, 0,
      1 + 1 / (1 + exp(1)), 1 / (1 + exp(-1)));
  /* what was chosen does not change when the input does, afterwards */
  mlpl_tensor *w = test_leaf(cx, VECTOR(cx, 1, 3, 2)), *y[2];
  assert_works(cx, mlpl_call(cx, y, "max", &w, 1, dim));
  w->storage->version++;
  assert_works(cx, mlpl_backward(cx, y[0], NULL, 0));
  assert_values(mlpl_tensor_grad(w), 0, 1, 0);
  test_hold(y[0]), test_hold(y[1]);
  test_drop_and_close(cx);
}

/* ---- texts ------------------------------------------------------------------------- */

static mlpl_status try(
    mlpl_ctx *cx, const char *op, mlpl_tensor *a, mlpl_tensor *b, const mlpl_arg *args) {
  mlpl_tensor *out[2] = {NULL, NULL}, *in[] = {a, b};
  mlpl_status status = mlpl_call(cx, out, op, in, b ? 2 : 1, args);
  test_hold(out[0]), test_hold(out[1]);
  if (status != MLPL_OK) assert_null(out[0]);
  return status;
}

static void texts(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(1);
  mlpl_tensor *x = test_new(cx, MLPL_F32, SIZES(2, 3)), *none = test_new(cx, MLPL_F32, SIZES(3, 0)),
              *s = test_new(cx, MLPL_F32, 0, NULL), *v = test_new(cx, MLPL_F64, SIZES(3)),
              *labels = test_labels(cx, 3, (int64_t[]){2, 1, 0});
  static const char *const choosing[] = {"amax", "amin", "max", "min", "argmax", "argmin"};
  char text[100];
  for (int i = 0; i < COUNT(choosing); i++) {
    snprintf(text, sizeof text, "%s: [3x0] has no elements to choose from along axis 2",
        choosing[i]);
    assert_fails(cx, try(cx, choosing[i], none, NULL, ARGS(ARG("dim", 1))), MLPL_ESHAPE, text);
    assert_fails(cx, try(cx, choosing[i], none, NULL, NULL), MLPL_ESHAPE, text);
  }
  mlpl_arg p[] = {{.name = "p", .value = (double)INFINITY}, {0}};
  assert_fails(cx, try(cx, "norm", none, NULL, p), MLPL_ESHAPE,
      "norm: [3x0] has no elements to choose from along axis 2");
  p[0].value = (double)NAN;
  assert_fails(cx, try(cx, "norm", x, NULL, p), MLPL_EARG, "norm: p is nan");
  assert_fails(cx, try(cx, "median", none, NULL, ARGS(ARG("dim", 1))), MLPL_ESHAPE,
      "median: [3x0] has no elements to choose from along axis 2");
  assert_fails(cx, try(cx, "quantile", none, NULL, ARGS(ARG("q", 0.5))), MLPL_ESHAPE,
      "quantile: [3x0] has no elements to choose from along axis 2");
  assert_fails(cx, try(cx, "quantile", x, NULL, ARGS(ARG("q", 1.5))), MLPL_EARG,
      "quantile: q is 1.5; it must be from 0 to 1");
  assert_fails(cx, try(cx, "quantile", x, NULL, NULL), MLPL_EARG, "quantile: q is missing");
  assert_fails(cx, try(cx, "topk", x, NULL, ARGS(ARG("k", 4))), MLPL_EARG,
      "topk: k is 4; axis 2 has 3 elements");
  assert_fails(cx, try(cx, "topk", s, NULL, ARGS(ARG("k", 2))), MLPL_EARG,
      "topk: k is 2; axis 1 has 1 elements");
  assert_fails(cx, try(cx, "kthvalue", x, NULL, ARGS(ARG("k", 3), ARG("dim", 0))),
      MLPL_EARG, "kthvalue: k is 3; axis 1 has 2 elements");
  assert_fails(cx, try(cx, "kthvalue", x, NULL, ARGS(ARG("k", 0))), MLPL_EARG,
      "kthvalue: k is 0; it must be at least 1");
  assert_fails(cx, try(cx, "cumsum", x, NULL, NULL), MLPL_EARG, "cumsum: dim is missing");
  assert_fails(cx, try(cx, "cumsum", x, NULL, ARGS(ARG("dim", 2))), MLPL_EARG,
      "cumsum: axis 3 is outside 1 to 2");
  assert_fails(cx, try(cx, "sort", s, NULL, ARGS(ARG("dim", 1))), MLPL_EARG,
      "sort: axis 2 of a tensor without axes");
  assert_fails(cx, try(cx, "diff", s, NULL, NULL), MLPL_ESHAPE,
      "diff: input has no axes; it must have one");
  assert_fails(cx, try(cx, "searchsorted", x, v, NULL), MLPL_ESHAPE,
      "searchsorted: sorted_sequence is [2x3], input is [3]; the sequence must have one "
      "axis, or all sizes of the input but the last");
  assert_fails(cx, try(cx, "searchsorted", s, v, NULL), MLPL_ESHAPE,
      "searchsorted: sorted_sequence is [], input is [3]");
  assert_fails(cx, try(cx, "searchsorted", v, x, NULL), MLPL_EARG,
      "searchsorted: sorted_sequence is f64, input is f32; they must have one dtype");
  assert_fails(cx, try(cx, "bincount", x, NULL, NULL), MLPL_EARG,
      "bincount: input is f32; labels are i64");
  assert_fails(cx, try(cx, "bincount", labels, NULL, NULL), MLPL_EARG,
      "bincount: input element 3 is 0; what is counted must be 1 or more");
  assert_fails(cx, try(cx, "bincount", labels, labels, NULL), MLPL_EARG,
      "bincount: weights are i64; they must be f32 or f64 (convert with :to)");
  assert_fails(cx, try(cx, "bincount", labels, x, NULL), MLPL_ESHAPE,
      "bincount: input is [3], weights are [2x3]; they must have one shape");
  assert_fails(cx, try(cx, "bincount", test_new(cx, MLPL_I64, SIZES(2, 2)), NULL, NULL),
      MLPL_ESHAPE, "bincount: input is [2x2]; it must have one axis");
  assert_fails(cx,
      try(cx, "bincount", test_labels(cx, 1, (int64_t[]){INT64_MAX}), NULL, NULL),
      MLPL_ENOMEM, "[9223372036854775807] of i64 is more than can be addressed");
  assert_fails(cx, try(cx, "histc", x, NULL, ARGS(ARG("min", 2), ARG("max", 1))),
      MLPL_EARG, "histc: min is 2, max is 1; min must not be larger");
  mlpl_tensor *nan = VECTOR(cx, 1, NAN);
  assert_fails(cx, try(cx, "histc", nan, NULL, NULL), MLPL_EARG,
      "histc: the elements are from nan to nan; give a finite min and max");
  assert_values(
      test_call(cx, "histc", &nan, 1, ARGS(ARG("bins", 2), ARG("max", 1))), 0, 1);
  test_drop_and_close(cx);
}

/* ---- lack of memory ---------------------------------------------------------------- */

/* Forward and backward of one row on [6x5], a second time recorded. */
typedef struct task {
  const char *op, *name;
  double value;
} task;

static mlpl_status whole_pass(mlpl_ctx *cx, void *ud) {
  const task *t = ud;
  mlpl_tensor *x, *y[2] = {NULL, NULL}, *sum = NULL;
  mlpl_arg args[] = {{.name = t->name, .value = t->value}, {0}};
  MLPL_TRY(mlpl_tensor_randn(cx, &x, MLPL_F32, 2, (int64_t[]){6, 5}, 0, 1));
  mlpl_status status = mlpl_tensor_set_requires_grad(cx, x, true);
  if (status == MLPL_OK) status = mlpl_call(cx, y, t->op, &x, 1, args);
  if (status == MLPL_OK && mlpl_tensor_requires_grad(y[0])) {
    status = mlpl_call(cx, &sum, "sum", &y[0], 1, NULL);
    if (status == MLPL_OK) status = mlpl_backward(cx, sum, NULL, MLPL_CREATE_GRAPH);
  }
  mlpl_tensor_zero_grad(x); /* its graph holds x */
  mlpl_tensor_release(sum);
  mlpl_tensor_release(y[0]);
  mlpl_tensor_release(y[1]);
  mlpl_tensor_release(x);
  return status;
}

static mlpl_status unique_pass(mlpl_ctx *cx, void *ud) {
  (void)ud;
  mlpl_tensor *x, *out[3];
  MLPL_TRY(mlpl_tensor_randn(cx, &x, MLPL_F32, 2, (int64_t[]){6, 5}, 0, 1));
  mlpl_status status = mlpl_unique(cx, &out[0], &out[1], &out[2], x);
  for (int i = 0; i < 3; i++) mlpl_tensor_release(out[i]);
  mlpl_tensor_release(x);
  return status;
}

static mlpl_status slices_pass(mlpl_ctx *cx, void *ud) {
  mlpl_tensor *x, *out[3];
  MLPL_TRY(mlpl_tensor_randn(cx, &x, MLPL_F32, 2, (int64_t[]){6, 5}, 0, 1));
  mlpl_status status =
      mlpl_unique_slices(cx, &out[0], &out[1], &out[2], x, *(int64_t *)ud, false);
  for (int i = 0; i < 3; i++) mlpl_tensor_release(out[i]);
  mlpl_tensor_release(x);
  return status;
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  static task tasks[] = {{"sum", "dim", 0}, {"max", "dim", 1}, {"max", "keepdim", 1},
      {"min", "dim", 1}, {"argmin", "dim", 1}, {"amax", "dim", 0}, {"any", "dim", 0},
      {"count_nonzero", "dim", 1}, {"prod", "dim", 0}, {"var", "dim", 0},
      {"std", "dim", 1}, {"norm", "p", 3}, {"norm", "p", (double)INFINITY},
      {"norm", "p", 2}, {"logsumexp", "dim", 0}, {"cumsum", "dim", 0},
      {"cumprod", "dim", 1}, {"logcumsumexp", "dim", 1}, {"cummax", "dim", 0},
      {"diff", "n", 2}, {"sort", "dim", 0}, {"argsort", "dim", 0}, {"topk", "k", 2},
      {"kthvalue", "k", 2}, {"median", "dim", 0}, {"median", "keepdim", 0},
      {"quantile", "q", 0.4}, {"histc", "bins", 3}};
  for (int i = 0; i < COUNT(tasks); i++) test_every_failure(whole_pass, &tasks[i]);
  test_every_failure(unique_pass, NULL);
  test_every_failure(slices_pass, &(int64_t){1});
  test_every_failure(slices_pass, &(int64_t){MLPL_NO_AXIS});
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(whole_numbers_reduce_as_real_ones_do),
      cmocka_unit_test(whole_numbers_of_all_elements),
      cmocka_unit_test(several_axes),
      cmocka_unit_test(orders_agree_with_the_c_library),
      cmocka_unit_test(places_count_from_the_base),
      cmocka_unit_test(unique_elements),
      cmocka_unit_test(threads_do_not_change_bits),
      cmocka_unit_test(no_range_or_precision_is_lost),
      cmocka_unit_test(slopes_at_zeros_and_ties),
      cmocka_unit_test(texts),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests_name("reductions", tests, NULL, NULL);
}
