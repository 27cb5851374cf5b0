/*
** Initialisers: bounds and deviations of golden.json, moments and distribution of a
** million draws, what they leave alone and what they refuse.
*/
#include "golden.h"
#include "tensor_test.h"

static mlpl_tensor *initialised(mlpl_ctx *cx, mlpl_dtype dtype, int ndim,
    const int64_t *shape, const char *rule, const mlpl_arg *args) {
  mlpl_tensor *t = test_new(cx, dtype, ndim, shape);
  assert_works(cx, mlpl_init(cx, t, rule, args));
  return t;
}

typedef struct moments {
  double mean, std, least, most;
} moments;

static moments moments_of(const mlpl_tensor *t) {
  moments m = {.least = INFINITY, .most = -INFINITY};
  double square = 0;
  for (int64_t i = 0; i < t->numel; i++) {
    double v = test_element(t, i);
    m.mean += v, square += v * v;
    m.least = fmin(m.least, v), m.most = fmax(m.most, v);
  }
  m.mean /= (double)t->numel;
  m.std = sqrt(square / (double)t->numel - m.mean * m.mean);
  return m;
}

/* The mean within 4 standard deviations of a mean, the deviation within 1 %: seeds are
   fixed. */
static void check_moments(const mlpl_tensor *t, double mean, double std) {
  moments m = moments_of(t);
  assert_true(fabs(m.mean - mean) <= 4 * std / sqrt((double)t->numel));
  assert_true(fabs(m.std - std) <= 0.01 * std);
}

static void check_bound(const mlpl_tensor *t, double bound) {
  moments m = moments_of(t);
  assert_true(m.most <= bound * (1 + 1e-7) && m.most > 0.999 * bound);
  assert_true(m.least >= -bound * (1 + 1e-7) && m.least < -0.999 * bound);
  check_moments(t, 0, bound / sqrt(3));
}

/* ---- numbers of the reference ------------------------------------------------------ */

#define KAIMING(m, n)                                                                    \
  ARGS({.name = "mode", .text = m}, {.name = "nonlinearity", .text = n})

static void bounds_and_deviations(void **state) {
  (void)state;
  const struct {
    const char *name, *rule;
    const mlpl_arg *args;
    bool bound;
  } table[] = {
      {"xavier_uniform bound", "xavier_uniform", NULL, true},
      {"xavier_normal std", "xavier_normal", NULL, false},
      {"xavier_uniform bound gain=relu", "xavier_uniform", ARGS(ARG("gain", sqrt(2))),
          true},
      {"kaiming_uniform bound (a=0, fan_in, leaky_relu)", "kaiming_uniform", NULL, true},
      {"kaiming_normal std relu fan_in", "kaiming_normal", KAIMING("fan_in", "relu"),
          false},
      {"kaiming_normal std relu fan_out", "kaiming_normal", KAIMING("fan_out", "relu"),
          false},
      {"kaiming_uniform(a=sqrt5) bound", "kaiming_uniform", ARGS(ARG("a", sqrt(5))),
          true},
      {"lecun_uniform bound", "kaiming_uniform", KAIMING("fan_in", "linear"), true},
      {"lecun_normal std", "kaiming_normal", KAIMING("fan_in", "sigmoid"), false},
  };
  golden g;
  golden_standard(&g);
  int64_t own = golden_child(&g, 0, "init fan_in=784 fan_out=300");
  for (int dtype = MLPL_F32; dtype <= MLPL_F64; dtype++) {
    mlpl_ctx *cx = test_open(0);
    for (int i = 0; i < COUNT(table); i++) {
      mlpl_tensor *t = initialised(
          cx, (mlpl_dtype)dtype, SIZES(300, 784), table[i].rule, table[i].args);
      double expected = golden_number(&g, own, table[i].name);
      if (table[i].bound) check_bound(t, expected);
      else check_moments(t, 0, expected);
    }
    /* tanh: 5/3; a receptive field of 3 x 4 counts in both fans */
    check_moments(initialised(cx, (mlpl_dtype)dtype, SIZES(300, 784), "kaiming_normal",
                      KAIMING("fan_in", "tanh")),
        0, 5.0 / 3 / 28);
    check_bound(
        initialised(cx, (mlpl_dtype)dtype, SIZES(50, 100, 3, 4), "kaiming_uniform", NULL),
        sqrt(6.0 / 1200));
    check_bound(
        initialised(cx, (mlpl_dtype)dtype, SIZES(50, 100, 3, 4), "xavier_uniform", NULL),
        sqrt(6.0 / 1800));
    test_drop_and_close(cx);
  }
  golden_close(&g);
}

/* ---- distributions ----------------------------------------------------------------- */

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double uniform_below(double v) { return v < -2 ? 0 : v > 3 ? 1 : (v + 2) / 5; }
static double normal_below(double v) { return 0.5 * erfc(-(v - 1) / 0.5 / sqrt(2)); }

/* Kolmogorov and Smirnov: p > 1e-4 where D sqrt n < 2.225. */
static void check_distribution(const mlpl_tensor *t, double (*below)(double)) {
  double *v = malloc((size_t)t->numel * sizeof *v), n = (double)t->numel, d = 0;
  for (int64_t i = 0; i < t->numel; i++) v[i] = test_element(t, i);
  qsort(v, (size_t)t->numel, sizeof *v, by_value);
  for (int64_t i = 0; i < t->numel; i++) {
    double p = below(v[i]);
    d = fmax(d, fmax(p - (double)i / n, (double)(i + 1) / n - p));
  }
  free(v);
  assert_true(d * sqrt(n) < 2.225);
}

static void a_million_draws(void **state) {
  (void)state;
  for (int dtype = MLPL_F32; dtype <= MLPL_F64; dtype++) {
    mlpl_ctx *cx = test_open(0);
    mlpl_tensor *u = initialised(cx, (mlpl_dtype)dtype, SIZES(1000000), "uniform",
        ARGS(ARG("a", -2), ARG("b", 3)));
    moments m = moments_of(u);
    assert_true(m.least >= -2 && m.most <= 3);
    check_moments(u, 0.5, 5 / sqrt(12));
    check_distribution(u, uniform_below);
    mlpl_tensor *z = initialised(cx, (mlpl_dtype)dtype, SIZES(1000000), "normal",
        ARGS(ARG("mean", 1), ARG("std", 0.5)));
    check_moments(z, 1, 0.5);
    check_distribution(z, normal_below);
    test_drop_and_close(cx);
  }
}

static void plain_rules(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  assert_values(initialised(cx, MLPL_F64, SIZES(2), "ones", NULL), 1, 1);
  assert_values(initialised(cx, MLPL_F32, SIZES(2), "constant", ARGS(ARG("value", -2.5))),
      -2.5, -2.5);
  assert_values(initialised(cx, MLPL_F64, SIZES(2), "zeros", NULL), 0, 0);
  assert_values(
      initialised(cx, MLPL_F64, SIZES(2), "uniform", ARGS(ARG("a", 3), ARG("b", 3))), 3,
      3);
  assert_values(
      initialised(cx, MLPL_F64, SIZES(2), "normal", ARGS(ARG("mean", 3), ARG("std", 0))),
      3, 3);
  initialised(cx, MLPL_F32, SIZES(0, 5), "kaiming_normal",
      NULL); /* no element, no fan, no trouble */
  initialised(cx, MLPL_F32, SIZES(5, 0), "xavier_uniform", NULL);
  initialised(cx, MLPL_F32, SIZES(0), "uniform", NULL);
  test_drop_and_close(cx);
}

/* A cut-out part is filled, and nothing beside it; a turned one in its own order. */
static void views_are_initialised_alone(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *whole = test_new(cx, MLPL_F64, SIZES(4, 6)), *part;
  part = test_call(
      cx, "narrow", &whole, 1, ARGS(ARG("dim", 1), ARG("start", 2), ARG("length", 3)));
  assert_works(cx, mlpl_init(cx, part, "uniform", ARGS(ARG("a", 1), ARG("b", 2))));
  for (int i = 0; i < 24; i++) {
    double v = test_element(whole, i);
    assert_true(i % 6 >= 2 && i % 6 < 5 ? v >= 1 && v < 2 : v == 0);
  }
  mlpl_seed(cx, 5);
  mlpl_tensor *plain = initialised(cx, MLPL_F64, SIZES(2, 3), "normal", NULL);
  mlpl_seed(cx, 5);
  mlpl_tensor *turned = CALL1(cx, "t", test_new(cx, MLPL_F64, SIZES(3, 2)));
  assert_works(cx, mlpl_init(cx, turned, "normal", NULL));
  for (int i = 0; i < 6; i++)
    assert_true(test_element(plain, i) == test_element(turned, i));
  test_drop_and_close(cx);
}

static void a_parameter_stays_a_leaf(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *w = test_leaf(cx, test_new(cx, MLPL_F64, SIZES(2)));
  assert_works(cx, mlpl_init(cx, w, "ones", NULL));
  assert_works(cx, mlpl_backward(cx, CALL1(cx, "sum", w), NULL, 0));
  assert_values(mlpl_tensor_grad(w), 1, 1);
  test_drop_and_close(cx);
}

static void the_list_of_rules(void **state) {
  (void)state;
  static const char *const rules[] = {"zeros", "ones", "constant", "uniform", "normal",
      "xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal"};
  static const int options[] = {0, 0, 1, 2, 2, 1, 1, 3, 3};
  int n;
  for (int i = 0; i < COUNT(rules); i++) {
    assert_string_equal(mlpl_init_at(i), rules[i]);
    mlpl_init_params(rules[i], &n);
    assert_int_equal(n, options[i]);
  }
  assert_null(mlpl_init_at(COUNT(rules)));
  assert_null(mlpl_init_at(-1));
  assert_null(mlpl_init_params("orthogonal", &n));
  assert_int_equal(n, 0);
}

static void errors_of_initialisers(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *v = test_new(cx, MLPL_F32, SIZES(3)),
              *i = test_new(cx, MLPL_I64, SIZES(3, 3));
  mlpl_tensor *w = test_leaf(cx, test_new(cx, MLPL_F64, SIZES(2))),
              *y = CALL1(cx, "exp", w);
  mlpl_value p[3] = {{.f = 0}, {.i = 7}, {.i = 0}};
  assert_fails(cx, mlpl_init(cx, v, "orthogonal", NULL), MLPL_EARG,
      "init: there is no rule 'orthogonal'");
  assert_fails(cx, mlpl_init_apply(cx, v, "lecun", NULL), MLPL_EARG,
      "init: there is no rule 'lecun'");
  assert_fails(cx, mlpl_init(cx, v, "xavier_normal", NULL), MLPL_ESHAPE,
      "xavier_normal: the tensor is [3]; fan in and fan out need two axes or more");
  assert_fails(cx, mlpl_init(cx, v, "kaiming_uniform", NULL), MLPL_ESHAPE,
      "kaiming_uniform: the tensor is [3]; fan in and fan out need two axes or more");
  assert_fails(cx, mlpl_init(cx, i, "normal", NULL), MLPL_EARG,
      "normal: the tensor is i64; it must be f32 or f64");
  assert_fails(cx, mlpl_init(cx, y, "zeros", NULL), MLPL_ESTATE,
      "zeros: the tensor is a recorded result; only leaves are initialised");
  assert_fails(
      cx, mlpl_init(cx, v, "constant", NULL), MLPL_EARG, "constant: value is missing");
  assert_fails(cx, mlpl_init(cx, v, "uniform", ARGS(ARG("a", 2), ARG("b", 1))), MLPL_EARG,
      "uniform: a is 2, b is 1; a must not be above b");
  assert_fails(cx, mlpl_init(cx, v, "normal", ARGS(ARG("std", -1))), MLPL_EARG,
      "normal: std is -1; it must be");
  assert_fails(cx, mlpl_init(cx, v, "normal", ARGS(ARG("sigma", 1))), MLPL_EARG,
      "normal: unknown option 'sigma'; the options are mean, std");
  assert_fails(cx, mlpl_init(cx, v, "zeros", ARGS(ARG("value", 1))), MLPL_EARG,
      "zeros: unknown option 'value'; it has no options");
  assert_fails(cx, mlpl_init(cx, i, "kaiming_normal", KAIMING("fan_avg", "relu")),
      MLPL_EARG, "kaiming_normal: mode is 'fan_avg'; it must be one of fan_in, fan_out");
  assert_fails(cx, mlpl_init_apply(cx, w, "kaiming_normal", p), MLPL_EARG,
      "kaiming_normal: mode is ''");
  test_drop_and_close(cx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bounds_and_deviations),
      cmocka_unit_test(a_million_draws),
      cmocka_unit_test(plain_rules),
      cmocka_unit_test(views_are_initialised_alone),
      cmocka_unit_test(a_parameter_stays_a_leaf),
      cmocka_unit_test(the_list_of_rules),
      cmocka_unit_test(errors_of_initialisers),
  };
  return cmocka_run_group_tests_name("initialisers", tests, NULL, NULL);
}
