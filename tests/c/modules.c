/*
** Layers and models: what they start with, what predict leaves as it was, names and order
** of parameters, custom layers, and that results have the same bits for any number of
** threads.
*/
#include "module_test.h"

static mlpl_tensor *predict(mlpl_ctx *cx, mlpl_module *m, mlpl_tensor *x) {
  mlpl_tensor *y;
  assert_works(cx, mlpl_predict(cx, m, &y, x));
  return test_hold(y);
}

/* ---- kinds ------------------------------------------------------------------------- */

/* What each kind computes, as operations; x is [2 x 3]. */
static void layers_are_their_operations(void **state) {
  (void)state;
  static const struct {
    const char *kind, *op;
    mlpl_arg args[2];
  } table[] = {
      {"ReLU", "relu", {{0}}},
      {"LeakyReLU", "leaky_relu", {{.name = "negative_slope", .value = 0.2}, {0}}},
      {"ELU", "elu", {{.name = "alpha", .value = 0.7}, {0}}},
      {"Sigmoid", "sigmoid", {{0}}},
      {"Tanh", "tanh", {{0}}},
      {"Softmax", "softmax", {{.name = "dim", .value = 1}, {0}}},
      {"LogSoftmax", "log_softmax", {{.name = "dim", .value = -1}, {0}}},
      {"Flatten", "flatten", {{.name = "start_dim", .value = 0}, {0}}},
  };
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = MATRIX(cx, 2, 3, 1, -2, 3, -4, 5, -6);
  for (int i = 0; i < COUNT(table); i++) {
    mlpl_module *m = module(cx, table[i].kind, table[i].args);
    assert_string_equal(mlpl_module_kind(m), table[i].kind);
    assert_int_equal(mlpl_kind_inputs(table[i].kind), 1);
    assert_true(test_same_bits(
        forward(cx, m, x), test_call(cx, table[i].op, &x, 1, table[i].args)));
    assert_true(mlpl_module_is_training(m));
    assert_false(mlpl_module_is_custom(m));
    mlpl_module_release(m);
  }
  test_drop_and_close(cx);
}

static void the_list_of_kinds(void **state) {
  (void)state;
  static const char *const kinds[] = {"Linear", "ReLU", "LeakyReLU", "ELU", "Sigmoid",
      "Tanh", "Softmax", "LogSoftmax", "Flatten", "Dropout", "CrossEntropyLoss",
      "NLLLoss", "MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss", "KLDivLoss",
      "PoissonNLLLoss", "SoftMarginLoss", "HingeEmbeddingLoss", "BCELoss",
      "BCEWithLogitsLoss", "Sequential"};
  int n;
  for (int i = 0; i < COUNT(kinds); i++) {
    assert_string_equal(mlpl_kind_at(i), kinds[i]);
    assert_non_null(mlpl_kind_params(kinds[i], &n));
    assert_int_equal(mlpl_kind_inputs(kinds[i]), strstr(kinds[i], "Loss") ? 2 : 1);
  }
  assert_null(mlpl_kind_at(COUNT(kinds)));
  assert_null(mlpl_kind_at(-1));
  assert_null(mlpl_kind_params("Conv2d", &n));
  assert_int_equal(mlpl_kind_inputs("Conv2d"), -1);
  assert_string_equal(mlpl_kind_tensor("BCEWithLogitsLoss", 1), "pos_weight");
  assert_null(mlpl_kind_tensor("MSELoss", 0));
  assert_null(mlpl_kind_tensor("Linear", -1));
}

static void flatten_keeps_the_batch(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_module *m = module(cx, "Flatten", NULL);
  for (int64_t n = 0; n < 3; n++) { /* a batch of 1, and of none, like any other */
    mlpl_tensor *y = forward(cx, m, test_new(cx, MLPL_F32, SIZES(n, 4, 5)));
    assert_int_equal(mlpl_tensor_ndim(y), 2);
    assert_int_equal(mlpl_tensor_shape(y)[0], n);
    assert_int_equal(mlpl_tensor_shape(y)[1], 20);
  }
  mlpl_module_release(m);
  test_drop_and_close(cx);
}

/* ---- Linear ------------------------------------------------------------------------ */

/* PyTorch's default: uniform in +-1/sqrt(in), weight and bias; nearly the whole
   interval is met. */
static void linear_starts_within_bounds(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_module *m = linear(cx, 784, 300);
  const double bound = 0.03571428571428571;
  assert_int_equal(mlpl_module_n_parameters(m), 2);
  for (int p = 0; p < 2; p++) {
    mlpl_tensor *t = mlpl_module_parameter(m, p);
    double least = 1, most = -1;
    assert_int_equal(mlpl_tensor_dtype(t), MLPL_F32);
    assert_true(mlpl_tensor_requires_grad(t));
    for (int64_t i = 0; i < t->numel; i++) {
      least = fmin(least, test_element(t, i));
      most = fmax(most, test_element(t, i));
    }
    assert_true(least >= -bound * (1 + 1e-7) && least < -0.97 * bound);
    assert_true(most <= bound * (1 + 1e-7) && most > 0.97 * bound);
  }
  assert_int_equal(
      mlpl_tensor_shape(mlpl_module_parameter(m, 0))[0], 300); /* [out x in] */
  mlpl_module_release(m);
  m = linear(cx, 0, 3); /* nothing in: the bias is 0, and so is the result */
  assert_values(forward(cx, m, test_new(cx, MLPL_F32, SIZES(2, 0))), 0, 0, 0, 0, 0, 0);
  mlpl_module_release(m);
  m = module(
      cx, "Linear", ARGS(ARG("in_features", 2), ARG("out_features", 3), ARG("bias", 0)));
  assert_int_equal(mlpl_module_n_parameters(m), 1);
  assert_values(forward(cx, m, test_new(cx, MLPL_F32, SIZES(1, 2))), 0, 0, 0);
  mlpl_module_release(m);
  test_drop_and_close(cx);
}

/* A ReLU behind a Linear runs in the product's epilogue: not a bit differs, in either
   pass. */
static void fused_layers_have_the_same_bits(void **state) {
  (void)state;
  for (int dtype = MLPL_F32; dtype <= MLPL_F64; dtype++) {
    mlpl_ctx *cx = test_open(0);
    mlpl_module *l = linear(cx, 37, 29), *r = module(cx, "ReLU", NULL),
                *both = SEQUENTIAL(cx, l, r);
    assert_works(cx, mlpl_module_to(cx, both, (mlpl_dtype)dtype));
    mlpl_tensor *x, *grad[3];
    assert_works(cx, mlpl_tensor_randn(cx, &x, (mlpl_dtype)dtype, SIZES(23, 37), 0, 1));
    test_leaf(cx, test_hold(x));
    mlpl_tensor *of[] = {
        x, mlpl_module_parameter(both, 0), mlpl_module_parameter(both, 1)};
    mlpl_tensor *fused = forward(cx, both, x);
    assert_works(
        cx, mlpl_backward(cx, CALL1(cx, "sum", CALL1(cx, "tanh", fused)), NULL, 0));
    for (int i = 0; i < 3; i++) {
      grad[i] = test_hold(mlpl_tensor_retain(mlpl_tensor_grad(of[i])));
      mlpl_tensor_zero_grad(of[i]);
    }
    mlpl_tensor *apart = forward(cx, r, forward(cx, l, x));
    assert_true(test_same_bits(fused, apart));
    assert_works(
        cx, mlpl_backward(cx, CALL1(cx, "sum", CALL1(cx, "tanh", apart)), NULL, 0));
    for (int i = 0; i < 3; i++)
      assert_true(test_same_bits(grad[i], mlpl_tensor_grad(of[i])));
    mlpl_module_release(both);
    test_drop_and_close(cx);
  }
}

/* ---- models ------------------------------------------------------------------------ */

static mlpl_module *nested(mlpl_ctx *cx) {
  mlpl_module *inner = SEQUENTIAL(cx, linear(cx, 3, 4), module(cx, "Tanh", NULL),
      module(cx, "Linear",
          ARGS(ARG("in_features", 4), ARG("out_features", 4), ARG("bias", 0))));
  mlpl_module *deep =
      SEQUENTIAL(cx, SEQUENTIAL(cx, inner, module(cx, "Dropout", ARGS(ARG("p", 0.5)))));
  return SEQUENTIAL(
      cx, linear(cx, 2, 3), module(cx, "ReLU", NULL), deep, linear(cx, 4, 1));
}

static void parameters_have_names_and_an_order(void **state) {
  (void)state;
  static const char *const names[] = {"0.weight", "0.bias", "2.0.0.0.weight",
      "2.0.0.0.bias", "2.0.0.2.weight", "3.weight", "3.bias"};
  mlpl_ctx *cx =
      test_open(1); /* names count from 0 whatever the base: they are PyTorch's */
  mlpl_module *m = nested(cx);
  char name[32];
  assert_int_equal(mlpl_module_n_parameters(m), COUNT(names));
  for (int i = 0; i < COUNT(names); i++) {
    assert_int_equal(
        mlpl_module_parameter_name(m, i, name, sizeof name), strlen(names[i]));
    assert_string_equal(name, names[i]);
    for (int j = 0; j < i; j++)
      assert_ptr_not_equal(mlpl_module_parameter(m, i), mlpl_module_parameter(m, j));
  }
  assert_null(mlpl_module_parameter(m, -1));
  assert_null(mlpl_module_parameter(m, COUNT(names)));
  assert_int_equal(mlpl_module_parameter_name(m, COUNT(names), name, sizeof name), 0);
  assert_string_equal(name, "");
  for (size_t size = 0; size < 16;
       size++) { /* cut, ended, and its length told all the same */
    memset(name, '?', sizeof name);
    assert_int_equal(mlpl_module_parameter_name(m, 2, name, size), 14);
    if (size) assert_int_equal(strncmp(name, names[2], size - 1), 0);
    assert_int_equal(name[size], '?');
    if (size) assert_int_equal(strlen(name), size > 14 ? 14 : size - 1);
  }
  mlpl_module_release(m);
  test_close(cx);
}

static void children_are_kept(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_module *l = linear(cx, 2, 2), *m;
  assert_works(cx,
      mlpl_sequential_new(
          cx, &m, (mlpl_module *[]){l, l}, 2)); /* one layer twice: shared weights */
  mlpl_module_release(l);
  assert_int_equal(mlpl_module_n_children(m), 2);
  assert_ptr_equal(mlpl_module_child(m, 0), l);
  assert_ptr_equal(mlpl_module_child(m, 1), l);
  assert_null(mlpl_module_child(m, 2));
  assert_null(mlpl_module_child(m, -1));
  mlpl_tensor *x;
  assert_works(cx, mlpl_tensor_full(cx, &x, MLPL_F32, SIZES(1, 2), 1));
  test_hold(x);
  assert_true(test_same_bits(forward(cx, m, x), forward(cx, l, forward(cx, l, x))));
  mlpl_module_release(m);
  assert_works(
      cx, mlpl_sequential_new(cx, &m, NULL, 0)); /* of nothing: the input comes back */
  assert_ptr_equal(forward(cx, m, x), x);
  mlpl_module_release(m);
  mlpl_module_release(NULL);
  test_drop_and_close(cx);
}

/* ---- modes ------------------------------------------------------------------------- */

static void train_and_eval(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_module *d = module(cx, "Dropout", ARGS(ARG("p", 0.5))),
              *m = SEQUENTIAL(cx, SEQUENTIAL(cx, d));
  mlpl_tensor *x, *y;
  assert_works(cx, mlpl_tensor_full(cx, &x, MLPL_F32, SIZES(1000), 1));
  test_hold(x);
  mlpl_module_train(m, false);
  assert_false(mlpl_module_is_training(d));
  assert_true(test_same_bits(forward(cx, m, x), x));
  mlpl_module_train(m, true);
  assert_true(mlpl_module_is_training(d));
  y = forward(cx, m, x);
  assert_false(test_same_bits(y, x));
  int64_t zeros = 0;
  for (int i = 0; i < 1000; i++) zeros += test_element(y, i) == 0;
  assert_in_range(zeros, 400, 600);
  mlpl_module_train(d, false); /* a part alone */
  assert_true(mlpl_module_is_training(m));
  assert_true(test_same_bits(forward(cx, m, x), x));
  mlpl_module_release(m);
  test_drop_and_close(cx);
}

static mlpl_status look(
    mlpl_ctx *cx, mlpl_module *self, void *ud, mlpl_tensor **y, mlpl_tensor *x) {
  bool *seen = ud;
  seen[0] = mlpl_module_is_training(self);
  seen[1] = mlpl_grad_enabled(cx);
  if (seen[2]) return mlpl_fail(cx, MLPL_ECALLBACK, "look: %s", "failed on purpose");
  *y = mlpl_tensor_retain(x);
  return MLPL_OK;
}

/* Eval mode and no recording inside; afterwards all is as it was, on every way out. */
static void predict_leaves_no_trace(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  bool seen[3] = {false};
  mlpl_module *c, *m;
  assert_works(cx,
      mlpl_module_custom(
          cx, &c, &(mlpl_custom){.name = "Look", .forward = look, .ud = seen}));
  m = SEQUENTIAL(cx, linear(cx, 2, 3), module(cx, "Dropout", ARGS(ARG("p", 0.5))), c);
  mlpl_tensor *x = test_new(cx, MLPL_F32, SIZES(4, 2)), *y;
  for (int fail = 0; fail <= 1; fail++)
    for (int recording = 0; recording <= 1; recording++)
      for (int training = 0; training <= 1; training++) {
        mlpl_set_grad_enabled(cx, recording);
        mlpl_module_train(m, training);
        seen[0] = seen[1] = true, seen[2] = fail;
        mlpl_random_state random = mlpl_random_get(cx);
        if (fail)
          assert_fails(
              cx, mlpl_predict(cx, m, &y, x), MLPL_ECALLBACK, "look: failed on purpose");
        else assert_false(mlpl_tensor_requires_grad(predict(cx, m, x)));
        assert_false(seen[0] || seen[1]);
        assert_int_equal(mlpl_grad_enabled(cx), recording);
        assert_int_equal(mlpl_module_is_training(m), training);
        assert_int_equal(
            mlpl_random_get(cx).counter, random.counter); /* nothing was drawn */
      }
  mlpl_set_grad_enabled(cx, true);
  seen[2] = false;
  mlpl_module_train(m, true);
  assert_true(mlpl_tensor_requires_grad(forward(cx, m, x)));
  assert_true(seen[0] && seen[1]);
  mlpl_module_release(m);
  test_drop_and_close(cx);
}

/* ---- custom layers ----------------------------------------------------------------- */

static int n_released;

static void count_release(void *ud) {
  (void)ud;
  n_released++;
}

/* A layer made of operations has a gradient, as any. */
static mlpl_status swish(
    mlpl_ctx *cx, mlpl_module *self, void *ud, mlpl_tensor **y, mlpl_tensor *x) {
  mlpl_tensor *s;
  (void)self, (void)ud;
  mlpl_status status = mlpl_call(cx, &s, "sigmoid", &x, 1, NULL);
  if (status == MLPL_OK)
    status = mlpl_call(cx, y, "mul", (mlpl_tensor *[]){x, s}, 2, NULL);
  mlpl_tensor_release(s);
  return status;
}

static void custom_layers(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_module *c, *m;
  n_released = 0;
  mlpl_custom how = {.name = "Swish", .forward = swish, .release = count_release};
  assert_works(cx, mlpl_module_custom(cx, &c, &how));
  assert_string_equal(mlpl_module_kind(c), "Swish");
  assert_true(mlpl_module_is_custom(c));
  m = SEQUENTIAL(cx, c, module(cx, "Tanh", NULL));
  mlpl_tensor *x = test_leaf(cx, test_scalar(cx, 1.5)), *y = forward(cx, m, x);
  double s = 1 / (1 + exp(-1.5)), swished = 1.5 * s;
  assert_values(y, tanh(swished));
  assert_works(cx, mlpl_backward(cx, y, NULL, 0));
  assert_near(
      mlpl_tensor_grad(x), 1e-14, (1 - pow(tanh(swished), 2)) * s * (1 + 1.5 * (1 - s)));
  mlpl_module *linear = module(cx, "Linear", ARGS(ARG("in_features", 2), ARG("out_features", 1)));
  m = SEQUENTIAL(cx, m, linear);
  assert_fails(cx, mlpl_forward(cx, m, &y, &x, 1), MLPL_EARG, "Sequential: layer 1 (Linear): input is f64, weight is f32");
  assert_null(y);
  assert_int_equal(n_released, 0);
  mlpl_module_release(m);
  assert_int_equal(n_released, 1);
  assert_works(cx, mlpl_module_custom(cx, &c, &(mlpl_custom){.forward = swish}));
  assert_string_equal(mlpl_module_kind(c), "custom");
  mlpl_module_release(c);
  test_drop_and_close(cx);
}

/* ---- conversion -------------------------------------------------------------------- */

static void conversion_keeps_the_tensors(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_module *m = nested(cx);
  mlpl_tensor *w = mlpl_module_parameter(m, 0), *x = test_new(cx, MLPL_F32, SIZES(1, 2));
  double before = test_element(w, 3);
  mlpl_module_train(m, false);
  assert_works(cx, mlpl_backward(cx, CALL1(cx, "sum", forward(cx, m, x)), NULL, 0));
  assert_non_null(mlpl_tensor_grad(w));
  assert_works(cx, mlpl_module_to(cx, m, MLPL_F32)); /* nothing to do: gradients stay */
  assert_non_null(mlpl_tensor_grad(w));
  assert_works(cx, mlpl_module_to(cx, m, MLPL_F64));
  assert_ptr_equal(mlpl_module_parameter(m, 0), w);
  assert_int_equal(mlpl_tensor_dtype(w), MLPL_F64);
  assert_true(test_element(w, 3) == before);
  assert_null(mlpl_tensor_grad(w));
  assert_true(mlpl_tensor_requires_grad(w));
  mlpl_tensor *y;
  assert_fails(cx, mlpl_forward(cx, m, &y, &x, 1), MLPL_EARG,
      "Sequential: layer 0 (Linear): input is f32, weight is f64; they must have one dtype (convert with :to)");
  assert_works(cx,
      mlpl_backward(cx,
          CALL1(cx, "sum", forward(cx, m, test_new(cx, MLPL_F64, SIZES(1, 2)))), NULL,
          0));
  assert_non_null(mlpl_tensor_grad(w));
  mlpl_module_zero_grad(m);
  for (int i = 0; i < mlpl_module_n_parameters(m); i++)
    assert_null(mlpl_tensor_grad(mlpl_module_parameter(m, i)));
  mlpl_module_release(m);
  test_drop_and_close(cx);
}

/* A graph that was recorded before a conversion cannot be gone through after it. */
static void conversion_and_recorded_graphs(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_module *m = linear(cx, 2, 1);
  mlpl_tensor *sum = CALL1(cx, "sum", mlpl_module_parameter(m, 1)); /* saves nothing */
  mlpl_tensor *y = CALL1(cx, "sum", forward(cx, m, test_new(cx, MLPL_F32, SIZES(1, 2))));
  assert_works(cx, mlpl_module_to(cx, m, MLPL_F64));
  assert_fails(cx, mlpl_backward(cx, y, NULL, 0), MLPL_ESTATE, "backward: ");
  assert_fails(cx, mlpl_backward(cx, sum, NULL, 0), MLPL_ESTATE, "backward: ");
  mlpl_module_release(m);
  test_drop_and_close(cx);
}

/* ---- the same bits ----------------------------------------------------------------- */

/* 20 steps of a net large enough to be cut among threads, with dropout. The weights,
   to be freed. */
static float *trained(const char *isa, int threads, size_t *n) {
  mlpl_ctx *cx;
  if (mlpl_open(&cx, &(mlpl_config){.isa = isa, .threads = threads, .seed = 11}) !=
      MLPL_OK)
    return NULL;
  mlpl_module *m = SEQUENTIAL(cx, linear(cx, 100, 300), module(cx, "ReLU", NULL),
      module(cx, "Dropout", ARGS(ARG("p", 0.3))), linear(cx, 300, 200),
      module(cx, "Tanh", NULL), linear(cx, 200, 10));
  mlpl_tensor *p[6], *x, *t, *y, *loss;
  mlpl_optimizer *o;
  for (int i = 0; i < 6; i++) p[i] = mlpl_module_parameter(m, i);
  assert_works(cx, mlpl_optimizer_new(cx, &o, "Adam", p, 6, ARGS(ARG("lr", 0.01))));
  assert_works(cx, mlpl_tensor_randn(cx, &x, MLPL_F32, SIZES(200, 100), 0, 1));
  assert_works(cx, mlpl_tensor_randint(cx, &t, MLPL_I64, SIZES(200), 0, 9));
  for (int step = 0; step < 20; step++) {
    assert_works(cx, mlpl_forward(cx, m, &y, &x, 1));
    assert_works(
        cx, mlpl_call(cx, &loss, "cross_entropy", (mlpl_tensor *[]){y, t}, 2, NULL));
    mlpl_optimizer_zero_grad(o);
    assert_works(cx, mlpl_backward(cx, loss, NULL, 0));
    assert_works(cx, mlpl_optimizer_step(cx, o));
    assert_true(isfinite(test_item(cx, loss)));
    mlpl_tensor_release(y);
    mlpl_tensor_release(loss);
  }
  *n = 0;
  for (int i = 0; i < 6; i++) *n += (size_t)p[i]->numel;
  float *w = malloc(*n * sizeof *w), *at = w;
  for (int i = 0; i < 6; at += p[i++]->numel)
    assert_works(cx, mlpl_tensor_read(cx, p[i], at, (size_t)p[i]->numel * sizeof *w));
  mlpl_tensor_release(x);
  mlpl_tensor_release(t);
  mlpl_optimizer_release(o);
  mlpl_module_release(m);
  test_close(cx);
  return w;
}

static void bits_do_not_depend_on_threads(void **state) {
  (void)state;
  static const char *const isas[] = {"base", "avx2", "avx512"};
  static const int threads[] = {1, 2, 3, 4, 8};
  for (int i = 0; i < COUNT(isas); i++) {
    size_t n, n_first;
    float *first = trained(isas[i], 1, &n_first);
    if (!first) {
      print_message("skipped: this machine does not run %s\n", isas[i]);
      continue;
    }
    for (int k = 0; k < COUNT(threads); k++) { /* 1 too: a second run repeats the first */
      float *w = trained(isas[i], threads[k], &n);
      if (n != n_first || memcmp(w, first, n * sizeof *w) != 0)
        fail_msg("%s: other bits with %d threads", isas[i], threads[k]);
      free(w);
    }
    free(first);
  }
}

/* ---- errors ------------------------------------------------------------------------ */

static void errors_of_modules(void **state) {
  (void)state;
  for (int base = 0; base <= 1; base++) {
    mlpl_ctx *cx = test_open(base);
    mlpl_module *m, *loss = module(cx, "MSELoss", NULL), *l = linear(cx, 2, 3);
    mlpl_tensor *y, *x = test_new(cx, MLPL_F32, SIZES(2, 2));
    assert_fails(cx, mlpl_module_new(cx, &m, "Lineer", NULL), MLPL_EARG,
        "module: there is no layer 'Lineer'");
    assert_null(m);
    assert_fails(cx, mlpl_module_make(cx, &m, "Conv2d", NULL), MLPL_EARG,
        "module: there is no layer 'Conv2d'");
    assert_fails(cx, mlpl_module_new(cx, &m, "Linear", ARGS(ARG("in_features", 2))),
        MLPL_EARG, "Linear: out_features is missing");
    assert_fails(cx, mlpl_module_new(cx, &m, "Linear", ARGS(ARG("in", 2))), MLPL_EARG,
        "Linear: unknown option 'in'; the options are in_features, out_features, bias");
    assert_fails(cx, mlpl_module_new(cx, &m, "ReLU", ARGS(ARG("inplace", 1))), MLPL_EARG,
        "ReLU: unknown option 'inplace'; it has no options");
    assert_fails(cx,
        mlpl_module_new(
            cx, &m, "Linear", ARGS(ARG("in_features", -1), ARG("out_features", 1))),
        MLPL_EARG, "Linear: in_features is -1; it must be at least 0");
    assert_fails(cx,
        mlpl_module_new(
            cx, &m, "Linear", ARGS(ARG("in_features", 1.5), ARG("out_features", 1))),
        MLPL_EARG, "Linear: in_features is 1.5; it must be a whole number");
    assert_fails(cx,
        mlpl_module_new(
            cx, &m, "Linear", ARGS(ARG("in_features", 1e12), ARG("out_features", 1e12))),
        MLPL_ENOMEM,
        "not enough memory: [1000000000000x1000000000000] of f32 is more than can be "
        "addressed");
    assert_fails(cx, mlpl_module_new(cx, &m, "Dropout", ARGS(ARG("p", 1.5))), MLPL_EARG,
        "Dropout: p is 1.5; it must be from 0 to 1");
    assert_fails(cx,
        mlpl_module_new(cx, &m, "MSELoss", ARGS({.name = "reduction", .text = "avg"})),
        MLPL_EARG, "MSELoss: reduction is 'avg'; it must be one of mean, sum, none");
    assert_fails(cx, mlpl_sequential_new(cx, &m, (mlpl_module *[]){l, loss}, 2),
        MLPL_EARG,
        base ? "Sequential: layer 2 is MSELoss, which takes 2 tensors; a layer here "
               "takes one"
             : "Sequential: layer 1 is MSELoss, which takes 2 tensors; a layer here "
               "takes one");
    assert_null(m);
    assert_fails(cx, mlpl_forward(cx, loss, &y, &x, 1), MLPL_EARG,
        "MSELoss: 1 tensors given; it takes 2");
    assert_fails(cx, mlpl_forward(cx, l, &y, (mlpl_tensor *[]){x, x}, 2), MLPL_EARG,
        "Linear: 2 tensors given; it takes 1");
    assert_fails(cx, mlpl_module_set_tensor(cx, l, "weight", x), MLPL_EARG,
        "Linear: it takes no tensor 'weight'");
    assert_fails(cx, mlpl_module_set_tensor(cx, loss, "weight", x), MLPL_EARG,
        "MSELoss: it takes no tensor 'weight'");
    assert_fails(cx, mlpl_module_to(cx, l, MLPL_I64), MLPL_EARG,
        "to: parameters are f32 or f64, not i64");
    mlpl_module_release(l);
    mlpl_module_release(loss);
    test_drop_and_close(cx);
  }
}

/* ---- memory ------------------------------------------------------------------------ */

static mlpl_status make_and_use(mlpl_ctx *cx, void *ud) {
  mlpl_module *part[3] = {NULL}, *m = NULL;
  mlpl_tensor *x = NULL, *y = NULL;
  (void)ud;
  mlpl_status status = mlpl_module_new(
      cx, &part[0], "Linear", ARGS(ARG("in_features", 3), ARG("out_features", 4)));
  if (status == MLPL_OK) status = mlpl_module_new(cx, &part[1], "ReLU", NULL);
  if (status == MLPL_OK) status = mlpl_module_new(cx, &part[2], "Dropout", NULL);
  if (status == MLPL_OK) status = mlpl_sequential_new(cx, &m, part, 3);
  for (int i = 0; i < 3; i++) mlpl_module_release(part[i]);
  if (status == MLPL_OK) status = mlpl_module_to(cx, m, MLPL_F64);
  if (status == MLPL_OK) status = mlpl_tensor_full(cx, &x, MLPL_F64, SIZES(2, 3), 1);
  if (status == MLPL_OK) status = mlpl_forward(cx, m, &y, &x, 1);
  mlpl_tensor_release(y);
  y = NULL;
  if (status == MLPL_OK) status = mlpl_predict(cx, m, &y, x);
  assert_true(mlpl_grad_enabled(cx));
  mlpl_tensor_release(y);
  mlpl_tensor_release(x);
  mlpl_module_release(m);
  return status;
}

/* A conversion that fails in the middle converts nothing. */
static mlpl_status convert(mlpl_ctx *cx, void *ud) {
  mlpl_module *m = ud;
  mlpl_dtype was = mlpl_tensor_dtype(mlpl_module_parameter(m, 0)),
             to = was == MLPL_F32 ? MLPL_F64 : MLPL_F32;
  mlpl_status status = mlpl_module_to(cx, m, to);
  for (int i = 0; i < mlpl_module_n_parameters(m); i++)
    assert_int_equal(
        mlpl_tensor_dtype(mlpl_module_parameter(m, i)), status == MLPL_OK ? to : was);
  return status;
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  test_every_failure(make_and_use, NULL);
  test_heap h;
  mlpl_ctx *cx;
  test_heap_init(&h);
  assert_int_equal(
      mlpl_open(&cx, &(mlpl_config){.allocator = &h.allocator, .threads = 1}), MLPL_OK);
  mlpl_module *m = nested(cx);
  mlpl_status status = MLPL_ENOMEM;
  for (uint64_t n = 1; status != MLPL_OK; n++) {
    mlpl_memory_trim(cx);
    test_heap_fail(&h, n, true);
    status = convert(cx, m);
    test_heap_fail(&h, 0, false);
  }
  mlpl_module_release(m);
  mlpl_close(cx);
  assert_int_equal(h.blocks, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(layers_are_their_operations),
      cmocka_unit_test(the_list_of_kinds),
      cmocka_unit_test(flatten_keeps_the_batch),
      cmocka_unit_test(linear_starts_within_bounds),
      cmocka_unit_test(fused_layers_have_the_same_bits),
      cmocka_unit_test(parameters_have_names_and_an_order),
      cmocka_unit_test(children_are_kept),
      cmocka_unit_test(train_and_eval),
      cmocka_unit_test(predict_leaves_no_trace),
      cmocka_unit_test(custom_layers),
      cmocka_unit_test(conversion_keeps_the_tensors),
      cmocka_unit_test(conversion_and_recorded_graphs),
      cmocka_unit_test(bits_do_not_depend_on_threads),
      cmocka_unit_test(errors_of_modules),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests_name("modules", tests, NULL, NULL);
}
