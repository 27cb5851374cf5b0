/* Element-wise kernels: values against the C library, the same bits whatever the
   strides. */
#include "kernel_test.h"

static const char *const names[MLPLK_N_MAPS] = {"copy", "add", "sub", "mul", "div", "pow",
    "scale", "add_scaled", "neg", "abs", "sign", "positive", "exp", "log", "sqrt", "relu",
    "leaky_relu", "elu", "sigmoid", "tanh", "relu_grad", "leaky_grad", "elu_grad",
    "sigmoid_grad", "tanh_grad", "squared_difference", "bce_logits", "bce_logits_grad",
    "floor_divide", "remainder", "fmod", "maximum", "minimum",
    "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "asinh",
    "acosh", "atanh", "sinc", "exp2", "expm1", "log2", "log10", "log1p", "rsqrt",
    "reciprocal", "square", "erf", "erfc", "erfinv", "lgamma", "digamma", "polygamma",
    "floor", "ceil", "round", "trunc", "frac", "hypot", "logaddexp", "xlogy", "xlogy_off",
    "heaviside", "copysign", "nan_to_num", "inf_to_num", "clamp", "threshold", "gelu",
    "gelu_tanh", "silu", "mish", "softplus", "softsign", "hardsigmoid", "hardswish",
    "selu", "celu", "logsigmoid", "tanhshrink", "softshrink", "hardshrink", "step",
    "prelu", "glu", "gelu_grad", "gelu_tanh_grad", "silu_grad", "mish_grad",
    "softsign_grad", "hardsigmoid_grad", "hardswish_grad", "logsigmoid_grad", "selu_grad",
    "celu_grad", "gate_above", "gate_below", "gate_from", "gate_up_to", "gate_outside",
    "gate_inside"};

static const double specials[] = {0.0, -0.0, 1, -1, 0.5, -0.5, 2, -2, 3, -3, 1e-3, -1e-3,
    10, -10, 30.5, -30.5, 87, -87, 88.8, -88.8, 104, -104, 150, -150, 709, -709, 746,
    -746, 1e-7, -1e-7, 1e-30, -1e-30, 1e30, -1e30, 1e-40, -1e-40, 1e-45, -1e-45, 1e-310,
    -1e-310, 1e300, -1e300, FLT_MIN, -FLT_MIN, FLT_MAX, -FLT_MAX, DBL_MIN, DBL_MAX,
    -DBL_MAX, INFINITY, -INFINITY, NAN, 0.70710678, 0.34657359, -0.34657359, 1.0000001,
    0.9999999};
enum { N_SPECIALS = sizeof specials / sizeof *specials };

static int is_binary(int kind) {
  switch (kind) {
  case MLPLK_ADD: case MLPLK_SUB: case MLPLK_MUL: case MLPLK_DIV: case MLPLK_POW:
  case MLPLK_ADD_SCALED: case MLPLK_RELU_GRAD: case MLPLK_LEAKY_GRAD: case MLPLK_ELU_GRAD:
  case MLPLK_SIGMOID_GRAD: case MLPLK_TANH_GRAD: case MLPLK_SQUARED_DIFFERENCE:
  case MLPLK_BCE_LOGITS: case MLPLK_BCE_LOGITS_GRAD: case MLPLK_FLOOR_DIVIDE:
  case MLPLK_REMAINDER: case MLPLK_FMOD: case MLPLK_MAXIMUM: case MLPLK_MINIMUM:
  case MLPLK_ATAN2: case MLPLK_HYPOT: case MLPLK_LOGADDEXP:
  case MLPLK_XLOGY: case MLPLK_XLOGY_OFF: case MLPLK_HEAVISIDE:
  case MLPLK_COPYSIGN: case MLPLK_INF_TO_NUM: case MLPLK_CLAMP:
  case MLPLK_THRESHOLD: case MLPLK_SOFTPLUS: case MLPLK_PRELU:
  case MLPLK_GLU: case MLPLK_GELU_GRAD: case MLPLK_GELU_TANH_GRAD:
  case MLPLK_SILU_GRAD: case MLPLK_MISH_GRAD: case MLPLK_SOFTSIGN_GRAD:
  case MLPLK_HARDSIGMOID_GRAD: case MLPLK_HARDSWISH_GRAD: case MLPLK_LOGSIGMOID_GRAD:
  case MLPLK_SELU_GRAD: case MLPLK_CELU_GRAD: case MLPLK_GATE_ABOVE:
  case MLPLK_GATE_BELOW: case MLPLK_GATE_FROM: case MLPLK_GATE_UP_TO:
  case MLPLK_GATE_OUTSIDE: case MLPLK_GATE_INSIDE:
    return 1;
  default:
    return 0;
  }
}

/*
** The error that the formula's own roundings allow, in absolute terms. A function is
** allowed two ulps of its result; a sum, one ulp of its largest term, since terms may
** cancel.
*/
static double allowed(const mlplk_table *t, int kind, double x, double y, double p,
    double exact) {
  double term = fabs(exact);
  switch (kind) {
  case MLPLK_ADD_SCALED: term = fmax(fabs(x), fabs(p * y)); break;
  case MLPLK_TANH_GRAD: term = fmax(fabs(x), fabs(x * y * y)); break;
  case MLPLK_SIGMOID_GRAD: term = fmax(term, fabs(x * y)); break;
  case MLPLK_BCE_LOGITS: term = fmax(1, fabs(x)) * fmax(1, fabs(1 - y)); break;
  case MLPLK_BCE_LOGITS_GRAD: term = fmax(1, fabs(y)); break;
  /* the sum that turns the remainder's sign; in f32 it may round, in double it is exact */
  case MLPLK_REMAINDER: term = fabs(y); break;
  /* the quotient is rounded before it is made whole: one off where it is far from exact */
  case MLPLK_FLOOR_DIVIDE: term = fmax(fabs(exact), fabs(x / y)); break;
  case MLPLK_ELU_GRAD: term = fmax(fabs(exact), fabs(x * p)); break;
  case MLPLK_TAN: case MLPLK_ATANH: case MLPLK_ACOSH: case MLPLK_ASINH: case MLPLK_SINH:
  case MLPLK_SINC: case MLPLK_SILU: case MLPLK_MISH: case MLPLK_SELU: case MLPLK_CELU:
  case MLPLK_GLU: case MLPLK_XLOGY: case MLPLK_LOGSIGMOID:
  case MLPLK_LOGSIGMOID_GRAD: case MLPLK_SOFTSIGN_GRAD: case MLPLK_ERFINV:
  case MLPLK_HARDSIGMOID_GRAD:
    term *= 2;
    break;
  case MLPLK_SOFTPLUS: term *= 2 + fabs(p * x); break;
  case MLPLK_LOGADDEXP: term = fmax(1, fmax(fabs(x), fabs(y))); break;
  case MLPLK_GELU: case MLPLK_GELU_TANH: case MLPLK_TANHSHRINK: term = fabs(x); break;
  case MLPLK_HARDSIGMOID: term = fmax(3, fabs(x)); break;
  case MLPLK_HARDSWISH: term = fabs(x) * fmax(3, fmin(fabs(x), 6)); break;
  case MLPLK_GELU_GRAD: case MLPLK_GELU_TANH_GRAD: case MLPLK_SILU_GRAD:
  case MLPLK_MISH_GRAD: case MLPLK_HARDSWISH_GRAD:
    term = 2 * fabs(x) * fmax(1, fmin(fabs(y), 8));
    break;
  case MLPLK_SELU_GRAD: term = 4 * fabs(x); break;
  case MLPLK_CELU_GRAD: term = fmax(fabs(exact), fabs(x * y / p)); break;
  default: break;
  }
  /* products that pass through the subnormal numbers lose up to the smallest of them */
  const double smallest = t->real_bytes == 4 ? 0x1p-149 : 0x1p-1074;
  return 2 * epsilon(t) * term + smallest * (4 + fabs(x) + fabs(y));
}

static double one(const mlplk_table *t, int kind, double x, double y, double p) {
  double a = 0, b = 0, out = 0;
  put(t, &a, 0, x);
  put(t, &b, 0, y);
  t->map[kind](1, &out, 1, &a, 1, is_binary(kind) ? &b : NULL, 1, p);
  return get(t, &out, 0);
}

/* Intermediate overflow is the formula's own; only f64 has it, f32 is compared with
   double. */
static int overflows_inside(const mlplk_table *t, double x, double y) {
  const double root = t->real_bytes == 4 ? 1e18 : 1e150;
  return fabs(x) > root || fabs(y) > root;
}

static void check_value(const mlplk_table *t, int kind, double x, double y, double p) {
  x = rounded(t, x);
  y = is_binary(kind) ? rounded(t, y) : 0;
  const double exact = mlplk_map_reference((mlplk_map_kind)kind, x, y, p);
  const double got = one(t, kind, x, y, p);
  /* a slope that is too small for f32 and not for the reference */
  if (kind > MLPLK_PRELU && isinf(x) && isinf(exact) && t->real_bytes == 4) return;
  /* the product p x is rounded before it is compared with the threshold */
  if (kind == MLPLK_SOFTPLUS && fabs(p * x - y) <= epsilon(t) * fabs(y) + FLT_MIN) return;
  if (ulps(t, got, exact) <= 2 || fabs(got - exact) <= allowed(t, kind, x, y, p, exact))
    return;
  if (isfinite(x) && isfinite(y) && overflows_inside(t, x, y) && kind >= MLPLK_ELU_GRAD)
    return;
  fail_msg("%s %s: f(%.17g, %.17g, %g) is %.17g, should be %.17g", t->isa, names[kind], x,
      y, p, got, exact);
}

static void values_agree(const mlplk_table *t) {
  for (int kind = 0; kind < MLPLK_N_MAPS; kind++) {
    for (int i = 0; i < N_SPECIALS; i++)
      for (int j = 0; j < N_SPECIALS; j++)
        check_value(t, kind, specials[i], specials[j], 0.25);
    for (int i = 0; i < 3000; i++) {
      const double x = test_uniform(-1, 1) * pow(10, test_uniform(-6, 2));
      const double y = test_uniform(-1, 1) * pow(10, test_uniform(-3, 1));
      check_value(t, kind, x, y, i % 2 ? 1.5 : 1);
    }
  }
}

static void maps_agree_with_the_c_library(void **state) {
  (void)state;
  each_table(values_agree);
}

/* ---- ulps -------------------------------------------------------------------------- */

static long double exact_exp(long double x) { return expl(x); }
static long double exact_log(long double x) { return logl(x); }
static long double exact_tanh(long double x) { return tanhl(x); }
static long double exact_elu(long double x) { return x > 0 ? x : expm1l(x); }
static long double exact_sigmoid(long double x) {
  return x >= 0 ? 1 / (1 + expl(-x)) : expl(x) / (1 + expl(x));
}

/* Every float, or as many doubles, from each binary order of magnitude of both signs. */
static double worst_ulps(
    const mlplk_table *t, int kind, long double (*exact)(long double), double *where) {
  enum { PER_OCTAVE = 100, RUN = 2 * PER_OCTAVE };
  const int lowest = t->real_bytes == 4 ? -149 : -1074,
            highest = t->real_bytes == 4 ? 128 : 1024;
  double x[RUN], out[RUN], worst = 0;
  for (int e = lowest; e < highest; e++) {
    for (int i = 0; i < RUN; i++)
      put(t, x, i, ldexp(test_uniform(1, 2), e) * (i % 2 ? 1 : -1));
    t->map[kind](RUN, out, 1, x, 1, NULL, 0, 1);
    for (int i = 0; i < RUN; i++) {
      const double u = ulps(t, get(t, out, i), exact(get(t, x, i)));
      if (u > worst) {
        worst = u;
        *where = get(t, x, i);
      }
    }
  }
  /* where most of the work happens, and where exp runs out */
  for (int i = 0; i < 200000; i += RUN) {
    const double reach = t->real_bytes == 4 ? 106 : 750;
    for (int j = 0; j < RUN; j++)
      put(t, x, j, (i / RUN) % 2 ? test_uniform(-reach, reach) : test_uniform(-3, 3));
    t->map[kind](RUN, out, 1, x, 1, NULL, 0, 1);
    for (int j = 0; j < RUN; j++) {
      const double u = ulps(t, get(t, out, j), exact(get(t, x, j)));
      if (u > worst) {
        worst = u;
        *where = get(t, x, j);
      }
    }
  }
  return worst;
}

static void within_two_ulps(const mlplk_table *t) {
  static const struct {
    int kind;
    long double (*exact)(long double);
    double bound;
  } functions[] = {
      {MLPLK_EXP, exact_exp, 1}, {MLPLK_LOG, exact_log, 1}, {MLPLK_ELU, exact_elu, 2},
      {MLPLK_SIGMOID, exact_sigmoid, 2}, {MLPLK_TANH, exact_tanh, 2},
  };
  print_message("f%d %-7s", (int)t->real_bytes * 8, t->isa);
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    double where = 0;
    const double worst = worst_ulps(t, functions[i].kind, functions[i].exact, &where);
    print_message("  %s %.2f (at %.9g)", names[functions[i].kind], worst, where);
    if (worst > functions[i].bound)
      fail_msg("%s is off by %.2f ulp at %.17g", names[functions[i].kind], worst, where);
  }
  print_message(" ulp\n");
}

static void functions_are_within_two_ulps(void **state) {
  (void)state;
  each_table(within_two_ulps);
}

/* x Phi(x) keeps its digits where Phi is small; the rounding of e^(-x^2 / 2) remains, in
   base also that of x^2. */
static void tails_of_gelu(const mlplk_table *t) {
  const double reach = t->real_bytes == 4 ? 12.5 : 37;
  double worst = 0;
  for (int i = 0; i < 100000; i++) {
    const double x = rounded(t, test_uniform(-reach, i % 2 ? reach : 0));
    const long double exact = x / 2.0L * erfcl(-x * sqrtl(0.5L));
    const double least = t->real_bytes == 4 ? 8 : 16,
                 slack = strcmp(t->isa, "base") ? least : least + x * x / 2;
    worst = fmax(worst, ulps(t, one(t, MLPLK_GELU, x, 0, 0), exact) / slack);
  }
  print_message("f%d %-7s gelu %.2f of its bound\n", (int)t->real_bytes * 8, t->isa, worst);
  assert_true(worst <= 1);
}

static void gelu_has_digits_in_its_tail(void **state) {
  (void)state;
  each_table(tails_of_gelu);
}

/* Nearly always the nearest float; whole powers of small numbers exactly. */
static void powers(const mlplk_table *t) {
  double worst = 0;
  for (int i = 0; i < 300000; i++) {
    const double x = rounded(t, exp(test_uniform(-9, 9))),
                 y = rounded(t, test_uniform(-9, 9));
    worst = fmax(worst, ulps(t, one(t, MLPLK_POW, x, y, 0), powl(x, y)));
  }
  print_message("f%d %-7s pow %.3f ulp\n", (int)t->real_bytes * 8, t->isa, worst);
  assert_true(worst <= (t->real_bytes == 4 ? 0.51 : 1));
  for (int x = -9; x <= 9; x++)
    for (int y = 0; y <= 7; y++)
      assert_true(one(t, MLPLK_POW, x, y, 0) == pow(x, y));
  assert_true(one(t, MLPLK_POW, 0, 1e-30, 0) == 0);
  assert_true(one(t, MLPLK_POW, 0, -1e-30, 0) == INFINITY);
  assert_true(one(t, MLPLK_POW, -0.0, -3, 0) == -INFINITY);
  assert_true(signbit(one(t, MLPLK_POW, -0.0, 3, 0)));
  assert_true(one(t, MLPLK_POW, NAN, 0, 0) == 1 && one(t, MLPLK_POW, 1, NAN, 0) == 1);
  assert_true(one(t, MLPLK_POW, -1, INFINITY, 0) == 1);
  assert_true(one(t, MLPLK_POW, -INFINITY, 0.5, 0) == INFINITY);
  assert_true(isnan(one(t, MLPLK_POW, -1, NAN, 0)) && isnan(one(t, MLPLK_POW, -2, 0.5, 0)));
}

/* Where f32 goes by doubles; f64 is the C library. */
static void wide_functions(const mlplk_table *t) {
  double worst[2] = {0, 0};
  if (t->real_bytes != 4) return;
  for (int i = 0; i < 300000; i++) {
    const double near_root = (i % 2 ? 1 : 2) + test_uniform(-1e-4, 1e-4);
    const double many[] = {exp(test_uniform(-80, 80)), test_uniform(-9, 9),
        -exp(test_uniform(-20, 10)), near_root};
    const double x = rounded(t, many[i % 4]);
    worst[0] = fmax(worst[0], ulps(t, one(t, MLPLK_LGAMMA, x, 0, 0), lgammal(x)));
    if (x > 0)
      worst[1] = fmax(worst[1], ulps(t, one(t, MLPLK_LOG10, x, 0, 0), log10l(x)));
  }
  print_message("f32 %-7s lgamma %.2f, log10 %.3f ulp\n", t->isa, worst[0], worst[1]);
  assert_true(worst[0] <= 1.5 && worst[1] <= 0.51);
  for (int k = -37; k <= 38; k++)
    assert_true(one(t, MLPLK_LOG10, rounded(t, pow(10, k)), 0, 0) == k);
  assert_true(one(t, MLPLK_LGAMMA, 1, 0, 0) == 0 && one(t, MLPLK_LGAMMA, 2, 0, 0) == 0);
  assert_true(one(t, MLPLK_LGAMMA, -3, 0, 0) == INFINITY);
  assert_true(one(t, MLPLK_LGAMMA, -3e9, 0, 0) == INFINITY);
  assert_true(one(t, MLPLK_LGAMMA, -INFINITY, 0, 0) == INFINITY);
}

static void floats_go_by_doubles(void **state) {
  (void)state;
  each_table(wide_functions);
}

static void powers_are_the_nearest(void **state) {
  (void)state;
  each_table(powers);
}

static void edge(const mlplk_table *t, int kind, double x, double expected) {
  const double got = one(t, kind, x, 0, 1);
  if (!(got == expected || (isnan(got) && isnan(expected))))
    fail_msg(
        "%s %s(%g) is %.17g, should be %.17g", t->isa, names[kind], x, got, expected);
}

static void edges(const mlplk_table *t) {
  const double tiny = t->real_bytes == 4 ? 0x1p-149 : 0x1p-1074;
  edge(t, MLPLK_EXP, -INFINITY, 0);
  edge(t, MLPLK_EXP, INFINITY, INFINITY);
  edge(t, MLPLK_EXP, 1000, INFINITY);
  edge(t, MLPLK_EXP, -1000, 0);
  edge(t, MLPLK_EXP, 0, 1);
  edge(t, MLPLK_EXP, tiny, 1);
  edge(t, MLPLK_LOG, 0, -INFINITY);
  edge(t, MLPLK_LOG, -0.0, -INFINITY);
  edge(t, MLPLK_LOG, -1, NAN);
  edge(t, MLPLK_LOG, -INFINITY, NAN);
  edge(t, MLPLK_LOG, INFINITY, INFINITY);
  edge(t, MLPLK_LOG, 1, 0);
  edge(t, MLPLK_TANH, tiny, tiny);
  edge(t, MLPLK_TANH, -tiny, -tiny);
  edge(t, MLPLK_TANH, INFINITY, 1);
  edge(t, MLPLK_TANH, -INFINITY, -1);
  edge(t, MLPLK_ELU, -tiny, -tiny);
  edge(t, MLPLK_ELU, -INFINITY, -1);
  edge(t, MLPLK_ELU, INFINITY, INFINITY);
  edge(t, MLPLK_SIGMOID, INFINITY, 1);
  edge(t, MLPLK_SIGMOID, -INFINITY, 0);
  edge(t, MLPLK_SIGMOID, 0, 0.5);
  for (int kind = 0; kind < MLPLK_N_MAPS; kind++)
    if (!is_binary(kind) && kind != MLPLK_POSITIVE && kind != MLPLK_NAN_TO_NUM)
      edge(t, kind, NAN, NAN);
  assert_true(
      one(t, MLPLK_BCE_LOGITS, 100, 1, 0) < 1e-40); /* and its tail is not rounded off */
  assert_true(one(t, MLPLK_BCE_LOGITS, 40, 1, 0) > 0);
  assert_true(one(t, MLPLK_BCE_LOGITS, -1000, 1, 0) == 1000);
  assert_true(signbit(one(t, MLPLK_TANH, -0.0, 0, 0)));
}

static void edges_hold(void **state) {
  (void)state;
  each_table(edges);
}

/* ---- strides ----------------------------------------------------------------------- */

typedef struct strides {
  ptrdiff_t out, x, y;
} strides;

enum { MOST = 600, WIDEST = 3 };

/* Where element 0 must lie so that n elements with this stride stay inside [0, ...). */
static ptrdiff_t origin(ptrdiff_t n, ptrdiff_t stride) {
  return stride < 0 ? (1 - n) * stride : 0;
}

static ptrdiff_t reach(ptrdiff_t n, ptrdiff_t stride) {
  return n == 0 ? 0 : 1 + (n - 1) * (stride < 0 ? -stride : stride);
}

static void check_strides(const mlplk_table *t, int kind, ptrdiff_t n, strides s,
    ptrdiff_t offset, void *x, void *y) {
  const ptrdiff_t size = reach(n, s.out) + offset;
  void *out = guarded_new(t, size);
  char *o = at(t, out, offset + origin(n, s.out));
  char *a = at(t, x, offset + origin(n, s.x)), *b = at(t, y, offset + origin(n, s.y));
  t->map[kind](n, o, s.out, a, s.x, is_binary(kind) ? b : NULL, s.y, 0.3);
  for (ptrdiff_t i = 0; i < n; i++) {
    double alone;
    t->map[kind](1, &alone, 1, at(t, a, i * s.x), 1,
        is_binary(kind) ? at(t, b, i * s.y) : NULL, 1, 0.3);
    if (!same_bits(t, o, i * s.out, &alone, 0))
      fail_msg("%s %s: element %td of %td, strides %td %td %td, offset %td: %.17g, alone "
               "%.17g",
          t->isa, names[kind], i, n, s.out, s.x, s.y, offset, get(t, o, i * s.out),
          get(t, &alone, 0));
  }
  guarded_free(t, out, size);
}

static void check_in_place(
    const mlplk_table *t, int kind, ptrdiff_t n, void *x, void *y) {
  void *w = guarded_new(t, n), *expected = guarded_new(t, n);
  void *const b = is_binary(kind) ? y : NULL;
  t->map[kind](n, expected, 1, x, 1, b, 1, 0.3);
  memcpy(w, x, (size_t)n * t->real_bytes);
  t->map[kind](n, w, 1, w, 1, b, 1, 0.3);
  for (ptrdiff_t i = 0; i < n; i++)
    assert_true(same_bits(t, w, i, expected, i));
  if (is_binary(kind)) {
    memcpy(w, y, (size_t)n * t->real_bytes);
    t->map[kind](n, w, 1, x, 1, w, 1, 0.3);
    for (ptrdiff_t i = 0; i < n; i++)
      assert_true(same_bits(t, w, i, expected, i));
  }
  guarded_free(t, w, n);
  guarded_free(t, expected, n);
}

static void same_bits_everywhere(const mlplk_table *t) {
  static const strides all[] = {{1, 1, 1}, {1, 1, 0}, {1, 0, 1}, {1, 0, 0}, {2, 1, 1},
      {1, 3, 2}, {-1, 1, 2}, {1, -2, -1}, {3, 0, 1}, {2, 2, 2}};
  static const ptrdiff_t sizes[] = {127, 128, 131, 255, 256, 257, 600};
  void *x = guarded_new(t, MOST * WIDEST + 4), *y = guarded_new(t, MOST * WIDEST + 4);
  for (int i = 0; i < MOST * WIDEST + 4; i++) {
    const int special = i % 7 == 3;
    put(t, x, i, special ? specials[i / 7 % N_SPECIALS] : test_uniform(-4, 4));
    put(t, y, i, i % 11 == 5 ? specials[i / 11 % N_SPECIALS] : test_uniform(-1, 2));
  }
  for (int kind = 0; kind < MLPLK_N_MAPS; kind++) {
    for (size_t s = 0; s < sizeof all / sizeof *all; s++) {
      for (ptrdiff_t n = 0; n <= 67; n++)
        check_strides(t, kind, n, all[s], n % 4, x, y);
      for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        check_strides(t, kind, sizes[i], all[s], 1, x, y);
    }
    for (ptrdiff_t n = 0; n <= 67; n++)
      check_in_place(t, kind, n, x, y);
  }
  guarded_free(t, x, MOST * WIDEST + 4);
  guarded_free(t, y, MOST * WIDEST + 4);
}

static void strides_and_offsets_give_the_same_bits(void **state) {
  (void)state;
  each_table(same_bits_everywhere);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(maps_agree_with_the_c_library),
      cmocka_unit_test(functions_are_within_two_ulps),
      cmocka_unit_test(gelu_has_digits_in_its_tail),
      cmocka_unit_test(powers_are_the_nearest),
      cmocka_unit_test(floats_go_by_doubles),
      cmocka_unit_test(edges_hold),
      cmocka_unit_test(strides_and_offsets_give_the_same_bits),
  };
  return cmocka_run_group_tests_name("elementwise", tests, NULL, NULL);
}
