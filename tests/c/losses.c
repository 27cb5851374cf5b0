/*
** Activations, softmax and losses against the numbers of golden.json, values and
** gradients, as operations and as modules. f64 to 1e-12: what differs is the C library's
** last digits. f32 to 1e-6, as numerics.md asks.
*/
#include "golden.h"
#include "tensor_test.h"

static golden reference;

enum { MOST = 64 };

static int read_reference(void **state) {
  (void)state;
  golden_standard(&reference);
  return 0;
}

static int close_reference(void **state) {
  (void)state;
  golden_close(&reference);
  return 0;
}

static double tolerance(mlpl_dtype dtype) { return dtype == MLPL_F32 ? 1e-6 : 1e-12; }

static void expect(const mlpl_tensor *t, int64_t object, const char *name) {
  double v[MOST];
  assert_int_equal(golden_numbers(&reference, object, name, v, MOST), t->numel);
  test_near(t, v, tolerance((mlpl_dtype)t->dtype), __FILE__, __LINE__);
}

static mlpl_tensor *read_tensor(
    mlpl_ctx *cx, mlpl_dtype dtype, int64_t object, const char *name) {
  double v[MOST];
  int64_t i = golden_child(&reference, object, name),
          first = golden_node(&reference, i)->first;
  int n = golden_flatten(&reference, i, v, MOST);
  int64_t rows = golden_node(&reference, i)->n;
  if (golden_node(&reference, first)->kind == '[')
    return test_copy(cx, dtype, SIZES(rows, n / rows), v);
  return test_copy(cx, dtype, SIZES(n), v);
}

/* ---- activations, softmax ---------------------------------------------------------- */

static void check_activation(mlpl_ctx *cx, mlpl_dtype dtype, const char *name,
    const char *op, const mlpl_arg *args) {
  int64_t all = golden_child(&reference, 0, "activations"),
          own = golden_child(&reference, all, name);
  mlpl_tensor *x = test_leaf(cx, read_tensor(cx, dtype, all, "x")), *one;
  mlpl_tensor *y = test_call(cx, op, &x, 1, args);
  expect(y, own, "y");
  assert_works(cx, mlpl_tensor_full(cx, &one, dtype, 1, x->shape, 1));
  assert_works(cx, mlpl_backward(cx, y, test_hold(one), 0));
  /* Derivatives of saturated functions are differences from 1 of numbers rounded to
     f32. */
  expect(mlpl_tensor_grad(x), own, "dy");
  test_drop();
}

static void activations(void **state) {
  (void)state;
  for (int dtype = MLPL_F32; dtype <= MLPL_F64; dtype++) {
    mlpl_ctx *cx = test_open(0);
    check_activation(cx, (mlpl_dtype)dtype, "relu", "relu", NULL);
    check_activation(cx, (mlpl_dtype)dtype, "leaky_relu_0.01", "leaky_relu", NULL);
    check_activation(cx, (mlpl_dtype)dtype, "leaky_relu_0.01", "leaky_relu",
        ARGS(ARG("negative_slope", 0.01)));
    check_activation(cx, (mlpl_dtype)dtype, "elu_1", "elu", NULL);
    check_activation(cx, (mlpl_dtype)dtype, "elu_0.5", "elu", ARGS(ARG("alpha", 0.5)));
    check_activation(cx, (mlpl_dtype)dtype, "tanh", "tanh", NULL);
    check_activation(cx, (mlpl_dtype)dtype, "sigmoid", "sigmoid", NULL);
    test_close(cx);
  }
}

static void softmax(void **state) {
  (void)state;
  static const char *const ops[] = {"softmax", "log_softmax"};
  for (int dtype = MLPL_F32; dtype <= MLPL_F64; dtype++) {
    mlpl_ctx *cx = test_open(0);
    for (int i = 0; i < COUNT(ops); i++) {
      int64_t own = golden_child(&reference, 0, ops[i]);
      mlpl_tensor *x = test_leaf(cx, read_tensor(cx, (mlpl_dtype)dtype, own, "x"));
      mlpl_tensor *y = test_call(cx, ops[i], &x, 1, ARGS(ARG("dim", -1)));
      expect(y, own, "y");
      assert_works(
          cx, mlpl_backward(cx, y, read_tensor(cx, (mlpl_dtype)dtype, own, "gy"), 0));
      expect(mlpl_tensor_grad(x), own, "gx");
    }
    int64_t stable = golden_child(&reference, 0, "softmax_stable");
    mlpl_tensor *x = read_tensor(cx, (mlpl_dtype)dtype, stable, "x");
    expect(test_call(cx, "softmax", &x, 1, ARGS(ARG("dim", 0))), stable, "y");
    expect(test_call(cx, "log_softmax", &x, 1, ARGS(ARG("dim", 0))), stable, "log");
    test_drop_and_close(cx);
  }
}

/* ---- losses ------------------------------------------------------------------------ */

/* The three reductions, each as a module whose tensors are those after x and target;
   gradient of the mean. */
static void check_loss(mlpl_ctx *cx, const char *kind, const mlpl_arg *options,
    mlpl_tensor *x, mlpl_tensor *target, mlpl_tensor *const *extra, int64_t own) {
  static const char *const reductions[] = {"mean", "sum", "none"};
  for (int r = 0; r < COUNT(reductions); r++) {
    mlpl_arg args[8] = {{.name = "reduction", .text = reductions[r]}};
    mlpl_module *m;
    mlpl_tensor *y;
    for (int i = 0; options && options[i].name; i++) args[i + 1] = options[i];
    assert_works(cx, mlpl_module_new(cx, &m, kind, args));
    for (int i = 0; mlpl_kind_tensor(kind, i); i++)
      if (extra[i])
        assert_works(
            cx, mlpl_module_set_tensor(cx, m, mlpl_kind_tensor(kind, i), extra[i]));
    test_leaf(cx, x);
    mlpl_tensor_zero_grad(x);
    assert_works(cx, mlpl_forward(cx, m, &y, (mlpl_tensor *[]){x, target}, 2));
    test_hold(y);
    expect(y, own, reductions[r]);
    if (r == 0) {
      assert_works(cx, mlpl_backward(cx, y, NULL, 0));
      expect(mlpl_tensor_grad(x), own, "grad_mean");
    }
    mlpl_module_release(m);
  }
}

/* Of the losses in golden.json those that have a module. Returns whether it has. */
static bool check_entry(mlpl_ctx *cx, mlpl_dtype dtype, int64_t own) {
  const char *name = golden_string(&reference, own, "loss");
  const bool mse = strcmp(name, "mse") == 0, bce = strcmp(name, "bce_with_logits") == 0;
  if (!mse && !bce) return false;
  mlpl_tensor *x = read_tensor(cx, dtype, own, "input"),
              *t = read_tensor(cx, dtype, own, "target");
  mlpl_tensor *extra[2] = {NULL};
  int64_t args = golden_child(&reference, own, "args");
  if (mlpli_json_find(&reference.tree, args, "pw") >= 0)
    extra[1] =
        test_copy(cx, dtype, 0, NULL, VALUES(golden_number(&reference, args, "pw")));
  check_loss(cx, mse ? "MSELoss" : "BCEWithLogitsLoss", NULL, x, t, extra, own);
  test_drop();
  return true;
}

static void losses_on_real_targets(void **state) {
  (void)state;
  for (int dtype = MLPL_F32; dtype <= MLPL_F64; dtype++) {
    mlpl_ctx *cx = test_open(0);
    int checked = 0;
    int64_t i = golden_node(&reference, golden_child(&reference, 0, "losses"))->first;
    for (; i >= 0; i = golden_node(&reference, i)->next)
      checked += check_entry(cx, (mlpl_dtype)dtype, i);
    assert_int_equal(checked, 3);
    test_close(cx);
  }
}

static mlpl_tensor *read_labels(mlpl_ctx *cx, int64_t own, int64_t ignore) {
  double v[MOST];
  int64_t label[MOST];
  int n = golden_numbers(&reference, own, "target", v, MOST);
  for (int i = 0; i < n; i++)
    label[i] = (int64_t)v[i] + ((int64_t)v[i] == ignore ? 0 : mlpl_index_base(cx));
  return test_labels(cx, n, label);
}

/* With labels from 0 and from 1: an ignored value is the same number in both. */
static void cross_entropy_of_labels(void **state) {
  (void)state;
  for (int dtype = MLPL_F32; dtype <= MLPL_F64; dtype++)
    for (int base = 0; base <= 1; base++) {
      mlpl_ctx *cx = test_open(base);
      int64_t i =
          golden_node(&reference, golden_child(&reference, 0, "cross_entropy"))->first;
      for (; i >= 0; i = golden_node(&reference, i)->next) {
        double ignore = golden_number(&reference, i, "ignore_index");
        if (base == 1 && ignore == 1)
          continue; /* in counting from 1 that number is another class */
        mlpl_tensor *x = read_tensor(cx, (mlpl_dtype)dtype, i, "logits");
        mlpl_tensor *t = read_labels(cx, i, (int64_t)ignore), *extra[2] = {NULL};
        if (golden_node(&reference, golden_child(&reference, i, "weight"))->kind == '[')
          extra[0] = read_tensor(cx, (mlpl_dtype)dtype, i, "weight");
        check_loss(cx, "CrossEntropyLoss",
            ARGS(ARG("ignore_index", ignore),
                ARG("label_smoothing", golden_number(&reference, i, "label_smoothing"))),
            x, t, extra, i);
        test_drop();
      }
      test_close(cx);
    }
}

static void cross_entropy_of_shares(void **state) {
  (void)state;
  for (int dtype = MLPL_F32; dtype <= MLPL_F64; dtype++) {
    mlpl_ctx *cx = test_open(0);
    int64_t own = golden_child(&reference, 0, "cross_entropy_prob");
    mlpl_tensor *in[] = {read_tensor(cx, (mlpl_dtype)dtype, own, "logits"),
        read_tensor(cx, (mlpl_dtype)dtype, own, "target"),
        read_tensor(cx, (mlpl_dtype)dtype, own, "weight")};
    expect(test_call(cx, "cross_entropy", in, 2, NULL), own, "mean");
    expect(test_call(
               cx, "cross_entropy", in, 2, ARGS({.name = "reduction", .text = "none"})),
        own, "none");
    expect(test_call(cx, "cross_entropy", in, 3, NULL), own, "mean_w");
    expect(test_call(cx, "cross_entropy", in, 2, ARGS(ARG("label_smoothing", 0.1))), own,
        "mean_ls0.1");
    test_drop_and_close(cx);
  }
}

/* The product of a loss and a number takes another way back than the loss alone. */
static void a_scaled_loss_has_a_scaled_gradient(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = test_leaf(cx, MATRIX(cx, 2, 3, 1, 2, 3, 0, -1, 1)),
              *t = test_labels(cx, 2, (int64_t[]){0, 2});
  double once[6];
  for (int k = 1; k <= 3; k += 2) {
    mlpl_tensor *loss =
        CALL2(cx, "mul", CALL2(cx, "cross_entropy", x, t), test_scalar(cx, k));
    mlpl_tensor_zero_grad(x);
    assert_works(cx, mlpl_backward(cx, loss, NULL, 0));
    for (int i = 0; i < 6; i++) {
      double g = test_element(mlpl_tensor_grad(x), i);
      if (k == 1) once[i] = g;
      else assert_true(fabs(g - 3 * once[i]) < 1e-15);
    }
  }
  test_drop_and_close(cx);
}

/* ---- corners of cross-entropy ------------------------------------------------------ */

static void nothing_but_ignored_rows(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = test_leaf(cx, MATRIX(cx, 2, 3, 1, 2, 3, 4, 5, 6)),
              *t = test_labels(cx, 2, (int64_t[]){-100, -100});
  mlpl_tensor *in[] = {x, t};
  assert_true(isnan(test_item(cx, CALL2(cx, "cross_entropy", x, t))));
  assert_true(test_item(cx,
                  test_call(cx, "cross_entropy", in, 2,
                      ARGS({.name = "reduction", .text = "sum"}))) == 0);
  mlpl_tensor *each =
      test_call(cx, "cross_entropy", in, 2, ARGS({.name = "reduction", .text = "none"}));
  assert_values(each, 0, 0);
  assert_works(cx, mlpl_backward(cx, CALL1(cx, "sum", each), NULL, 0));
  assert_values(mlpl_tensor_grad(x), 0, 0, 0, 0, 0, 0);
  test_drop_and_close(cx);
}

/* A row that is ignored may hold anything. */
static void ignored_rows_may_hold_nan(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = test_leaf(cx, MATRIX(cx, 2, 2, NAN, INFINITY, 0, 0));
  mlpl_tensor *t = test_labels(cx, 2, (int64_t[]){-100, 1}),
              *loss = CALL2(cx, "cross_entropy", x, t);
  assert_near(loss, 1e-15, log(2));
  assert_works(cx, mlpl_backward(cx, loss, NULL, 0));
  assert_values(mlpl_tensor_grad(x), 0, 0, 0.5, -0.5);
  test_drop_and_close(cx);
}

/* As labels and as shares of 0 and 1: the same loss and gradient. */
static void labels_are_shares_of_one(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = test_leaf(cx, MATRIX(cx, 2, 3, 1, 2, 3, 0, -1, 1)),
              *w = VECTOR(cx, 1, 2, 3);
  mlpl_tensor *label[] = {x, test_labels(cx, 2, (int64_t[]){0, 2}), w};
  mlpl_tensor *share[] = {x, MATRIX(cx, 2, 3, 1, 0, 0, 0, 0, 1), w};
  const mlpl_arg *args =
      ARGS({.name = "reduction", .text = "sum"}, ARG("label_smoothing", 0.2));
  mlpl_tensor *a = test_call(cx, "cross_entropy", label, 3, args),
              *b = test_call(cx, "cross_entropy", share, 3, args);
  assert_near(b, 1e-14, test_item(cx, a));
  assert_works(cx, mlpl_backward(cx, a, NULL, 0));
  double g[6];
  assert_works(cx, mlpl_tensor_read(cx, mlpl_tensor_grad(x), g, sizeof g));
  mlpl_tensor_zero_grad(x);
  assert_works(cx, mlpl_backward(cx, b, NULL, 0));
  test_near(mlpl_tensor_grad(x), g, 1e-14, __FILE__, __LINE__);
  test_drop_and_close(cx);
}

/* Saturated logits: no overflow, the gradient that of the target. */
static void losses_of_large_logits(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = test_leaf(cx, MATRIX(cx, 1, 2, 1e30, -1e30));
  mlpl_tensor *loss = CALL2(cx, "cross_entropy", x, test_labels(cx, 1, (int64_t[]){1}));
  assert_near(loss, 1e-15, 2e30);
  assert_works(cx, mlpl_backward(cx, loss, NULL, 0));
  assert_values(mlpl_tensor_grad(x), 1, -1);
  mlpl_tensor *z = test_leaf(cx, VECTOR(cx, 1e5, -1e5)), *t = VECTOR(cx, 0, 1);
  loss = CALL2(cx, "binary_cross_entropy_with_logits", z, t);
  assert_near(loss, 1e-15, 1e5);
  assert_works(cx, mlpl_backward(cx, loss, NULL, 0));
  assert_values(mlpl_tensor_grad(z), 0.5, -0.5);
  test_drop_and_close(cx);
}

/* R13: labels that are no class. */
static void labels_out_of_range(void **state) {
  (void)state;
  for (int base = 0; base <= 1; base++) {
    mlpl_ctx *cx = test_open(base);
    const int64_t wrong[] = {base - 1, 3 + base, -1, INT64_C(1) << 31,
        (INT64_C(1) << 53) + 1, INT64_MIN, INT64_MAX};
    mlpl_tensor *y, *x = test_leaf(cx, MATRIX(cx, 2, 3, 1, 2, 3, 4, 5, 6));
    for (int i = 0; i < COUNT(wrong); i++) {
      mlpl_tensor *t = test_labels(cx, 2, (int64_t[]){base, wrong[i]});
      char text[128];
      snprintf(text, sizeof text,
          "%d of the target is %lld; with 3 classes labels run from %d to %d", 1 + base,
          (long long)wrong[i], base, 2 + base);
      assert_fails(cx,
          mlpl_call(cx, &y, "cross_entropy", (mlpl_tensor *[]){x, t}, 2, NULL), MLPL_EARG,
          text);
      assert_null(y);
      if (base == 1 && wrong[i] == 0)
        assert_non_null(strstr(mlpl_error(cx), "are these labels counted from 0? add 1"));
      else assert_null(strstr(mlpl_error(cx), "add 1"));
    }
    mlpl_tensor *real =
        MATRIX(cx, 1, 2, 1.5, 0); /* reals are shares, and must have the input's shape */
    assert_fails(cx,
        mlpl_call(cx, &y, "cross_entropy", (mlpl_tensor *[]){x, real}, 2, NULL),
        MLPL_ESHAPE,
        "cross_entropy: input is [2x3], target is [1x2] of f64; it must be [2] of "
        "labels (dtype i64), or [2x3] of f64 shares");
    test_drop_and_close(cx);
  }
}

/* Dropout keeps about 1 - p of the elements, and the same ones in both passes. */
static void dropout(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x, *one;
  assert_works(cx, mlpl_tensor_full(cx, &x, MLPL_F32, SIZES(100000), 3));
  assert_works(cx, mlpl_tensor_full(cx, &one, MLPL_F32, SIZES(100000), 1));
  test_leaf(cx, test_hold(x)), test_hold(one);
  mlpl_tensor *y = test_call(cx, "dropout", &x, 1, ARGS(ARG("p", 0.25)));
  assert_works(cx, mlpl_backward(cx, y, one, 0));
  int64_t kept = 0;
  for (int64_t i = 0; i < y->numel; i++) {
    double v = test_element(y, i), g = test_element(mlpl_tensor_grad(x), i);
    assert_true(v == 0 ? g == 0 : v == 4 && fabs(g - 4.0 / 3) < 1e-6);
    kept += v != 0;
  }
  assert_true(fabs((double)kept - 75000) <
      5 * sqrt(100000 * 0.75 * 0.25)); /* five standard deviations */
  mlpl_tensor *again = test_call(cx, "dropout", &x, 1, ARGS(ARG("p", 0.25)));
  assert_false(test_same_bits(y, again));
  test_drop_and_close(cx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(activations),
      cmocka_unit_test(softmax),
      cmocka_unit_test(losses_on_real_targets),
      cmocka_unit_test(cross_entropy_of_labels),
      cmocka_unit_test(cross_entropy_of_shares),
      cmocka_unit_test(a_scaled_loss_has_a_scaled_gradient),
      cmocka_unit_test(nothing_but_ignored_rows),
      cmocka_unit_test(ignored_rows_may_hold_nan),
      cmocka_unit_test(labels_are_shares_of_one),
      cmocka_unit_test(losses_of_large_logits),
      cmocka_unit_test(labels_out_of_range),
      cmocka_unit_test(dropout),
  };
  return cmocka_run_group_tests_name("losses", tests, read_reference, close_reference);
}
