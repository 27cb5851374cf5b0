/*
** Optimizers against plain loops in double for several steps, and against numbers of
** the reference (golden.json): a net of 13 parameters, Linear(2, 3) - sigmoid -
** Linear(3, 1) - sigmoid, whose loss is the sum of its three outputs.
*/
#include "kernel_test.h"

/* ---- plain loops ------------------------------------------------------------------- */

static double sgd_one(double *buf, double w, double g, const mlplk_sgd *a) {
  if (a->weight_decay != 0)
    g += a->weight_decay * w;
  if (a->momentum == 0)
    return w - a->lr * g;
  *buf = a->first ? g : a->momentum * *buf + (1 - a->dampening) * g;
  return w - a->lr * (a->nesterov ? g + a->momentum * *buf : *buf);
}

/* vmax: AMSGrad's, or NULL. */
static double adam_one(double *m, double *v, double *vmax, double w, double g,
    const mlplk_adam *a) {
  if (a->weight_decay != 0)
    g += a->weight_decay * w;
  *m = a->beta1 * *m + (1 - a->beta1) * g;
  *v = a->beta2 * *v + (1 - a->beta2) * g * g;
  if (vmax)
    *vmax = fmax(*vmax, *v);
  return w - a->step_size * *m / (sqrt(vmax ? *vmax : *v) / a->bias2_sqrt + a->eps);
}

static mlplk_adam adam_at(double lr, double weight_decay, int step) {
  return (mlplk_adam){
      .step_size = lr / (1 - pow(0.9, step)),
      .beta1 = 0.9,
      .beta2 = 0.999,
      .eps = 1e-8,
      .weight_decay = weight_decay,
      .bias2_sqrt = sqrt(1 - pow(0.999, step)),
  };
}

enum { MOST = 131, STEPS = 6 };

static void compare(
    const mlplk_table *t, const void *w, const double *exact, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) /* a few roundings a step */
    assert_true(fabs(get(t, w, i) - exact[i]) <= 8 * STEPS * epsilon(t) *
            fmax(1, fabs(exact[i])));
}

static void check_sgd(const mlplk_table *t, ptrdiff_t n, mlplk_sgd args) {
  void *w = guarded_new(t, n), *g = guarded_new(t, n), *buf = guarded_new(t, n);
  double exact_w[MOST], exact_buf[MOST];
  for (ptrdiff_t i = 0; i < n; i++) {
    put(t, w, i, test_uniform(-1, 1));
    put(t, buf, i, NAN); /* the first step must not read it */
    exact_w[i] = get(t, w, i);
  }
  for (int step = 0; step < STEPS; step++) {
    args.first = step == 0;
    for (ptrdiff_t i = 0; i < n; i++) {
      put(t, g, i, test_uniform(-1, 1));
      exact_w[i] = sgd_one(&exact_buf[i], exact_w[i], get(t, g, i), &args);
    }
    t->sgd(n, w, g, args.momentum == 0 ? NULL : buf, &args);
  }
  compare(t, w, exact_w, n);
  if (args.momentum != 0)
    compare(t, buf, exact_buf, n);
  guarded_free(t, w, n);
  guarded_free(t, g, n);
  guarded_free(t, buf, n);
}

static void check_adam(
    const mlplk_table *t, ptrdiff_t n, double weight_decay, int largest) {
  void *w = guarded_new(t, n), *g = guarded_new(t, n);
  void *m = guarded_new(t, n), *v = guarded_new(t, n), *vmax = guarded_new(t, n);
  double exact_w[MOST], exact_m[MOST] = {0}, exact_v[MOST] = {0}, exact_vmax[MOST] = {0};
  for (ptrdiff_t i = 0; i < n; i++) {
    put(t, w, i, test_uniform(-1, 1));
    put(t, m, i, 0);
    put(t, v, i, 0);
    put(t, vmax, i, 0);
    exact_w[i] = get(t, w, i);
  }
  for (int step = 1; step <= STEPS; step++) {
    const mlplk_adam args = adam_at(0.01, weight_decay, step);
    const double size = step < 3 ? 10 : 1; /* so that the largest v is not the last */
    for (ptrdiff_t i = 0; i < n; i++) {
      put(t, g, i, size * test_uniform(0.1, 1) * (i % 2 ? 1 : -1));
      exact_w[i] = adam_one(&exact_m[i], &exact_v[i], largest ? &exact_vmax[i] : NULL,
          exact_w[i], get(t, g, i), &args);
    }
    t->adam(n, w, g, m, v, largest ? vmax : NULL, &args);
  }
  compare(t, w, exact_w, n);
  compare(t, m, exact_m, n);
  compare(t, v, exact_v, n);
  compare(t, vmax, exact_vmax, n);
  guarded_free(t, w, n);
  guarded_free(t, g, n);
  guarded_free(t, m, n);
  guarded_free(t, v, n);
  guarded_free(t, vmax, n);
}

static const mlplk_sgd forms[] = {
    {.lr = 0.1},
    {.lr = 0.1, .weight_decay = 0.01},
    {.lr = 0.1, .momentum = 0.9},
    {.lr = 0.1, .momentum = 0.9, .dampening = 0.5},
    {.lr = 0.1, .momentum = 0.9, .weight_decay = 0.01},
    {.lr = 0.1, .momentum = 0.9, .nesterov = 1},
    {.lr = 0.1, .momentum = 0.9, .nesterov = 1, .weight_decay = 0.01},
};

static void loops(const mlplk_table *t) {
  for (ptrdiff_t n = 0; n <= MOST; n += n < 67 ? 1 : 32) {
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
      check_sgd(t, n, forms[i]);
    for (int largest = 0; largest < 2; largest++) {
      check_adam(t, n, 0, largest);
      check_adam(t, n, 0.01, largest);
    }
  }
}

static void optimizers_agree_with_loops(void **state) {
  (void)state;
  each_table(loops);
}

static void zero_factors(const mlplk_table *t) {
  double w = 0, g = 0;
  put(t, &w, 0, INFINITY);
  put(t, &g, 0, 1);
  t->sgd(1, &w, &g, NULL, &(mlplk_sgd){.lr = 0.1});
  assert_true(get(t, &w, 0) == INFINITY); /* not NaN from 0 times infinity */
}

static void no_decay_means_none(void **state) {
  (void)state;
  each_table(zero_factors);
}

/* ---- golden numbers ---------------------------------------------------------------- */

enum { NET = 13 };

static const double start[NET] = {-.2109, -.4976, -.1413, -.342, -.2524, .6976, -.1085,
    -.2979, .6892, -.0508, -.3941, -.2843, -.0711};

static double sigmoid(double x) {
  return 1 / (1 + exp(-x));
}

/* Parameters: W1 (3 x 2, row-major), b1, W2, b2. */
static void net_gradient(const double *p, double *g) {
  static const double rows[3][2] = {{.1, .2}, {.3, .4}, {.5, .6}};
  memset(g, 0, NET * sizeof *g);
  for (int r = 0; r < 3; r++) {
    double h[3], z = p[12];
    for (int j = 0; j < 3; j++) {
      h[j] = sigmoid(p[2 * j] * rows[r][0] + p[2 * j + 1] * rows[r][1] + p[6 + j]);
      z += p[9 + j] * h[j];
    }
    const double d = sigmoid(z) * (1 - sigmoid(z));
    g[12] += d;
    for (int j = 0; j < 3; j++) {
      const double e = d * p[9 + j] * h[j] * (1 - h[j]);
      g[9 + j] += d * h[j];
      g[6 + j] += e;
      g[2 * j] += e * rows[r][0];
      g[2 * j + 1] += e * rows[r][1];
    }
  }
}

/* Weights after 100 steps. */
static const double after_sgd[NET] = {-0.15573243025179445, -0.42395523403842655,
    -0.04240463131639343, -0.2100652235922798, -0.1607465499946765, 0.8204848498910677,
    0.0762719621336789, 0.032494077241134185, 1.00151399885744, -0.8190471041589565,
    -1.1546808493522092, -1.6115798292132104, -1.8684392004795192};
static const double after_momentum[NET] = {-0.13311436907377722, -0.3937023032288108,
    0.03177703245637791, -0.11094014982879268, -0.10056661115334228, 0.9010346535796112,
    0.15262065844966483, 0.2819281771482929, 1.2052126473295337, -1.7133686903247871,
    -2.0050498543902346, -3.1790841627635738, -4.08867209166584};
static const double after_dampening[NET] = {-0.14124512540562983, -0.40457749406776905,
    0.003658409088704192, -0.14850838399458996, -0.12387722964891337, 0.8698671080770761,
    0.1251763133786108, 0.18743206916705826, 1.1266433772598967, -1.3684061839526114,
    -1.677543707927944, -2.5764334676113716, -3.2399170794743464};
static const double after_nesterov[NET] = {0.014831584911414591, -0.059626412385778586,
    0.08488853813983854, 0.05702210450107525, 0.05131977301144677, 0.45088959848144133,
    0.2718750361164228, 0.35110664640479444, 0.7490853150313957, -1.0527221027536449,
    -1.1936442688748246, -1.7576743775278878, -2.3089073586663758};
static const double after_adam[NET] = {0.7696443383713093, 0.48691906364039145,
    0.7052619045566783, 0.5077497101078775, 0.5036602489388783, 1.4605133638488643,
    0.8876069300817114, 0.561229332577726, 1.4713720847589105, -0.8593503473088401,
    -1.1982779027307064, -1.0239706407124292, -0.7734732180593872};
static const double after_amsgrad[NET] = {0.5768588944748344, 0.3838939076866957,
    0.6117066455212625, 0.4564354802258575, 0.3780119832581961, 0.9717910161060354,
    0.84082899703341, 0.543670455222641, 1.3660142013033203, -0.8522347345592705,
    -1.1884702696838203, -1.0176071442752141, -0.7728705512228333};

static void golden_sgd(const mlplk_table *t, mlplk_sgd args, const double expected[NET]) {
  double w[NET], g[NET], buf[NET];
  memcpy(w, start, sizeof w);
  for (int step = 1; step <= 100; step++) {
    args.first = step == 1;
    net_gradient(w, g);
    t->sgd(NET, w, g, buf, &args);
  }
  for (int i = 0; i < NET; i++)
    assert_true(fabs(w[i] - expected[i]) <= 1e-10);
}

static void golden_adam(const mlplk_table *t, double weight_decay, int largest,
    const double expected[NET]) {
  double w[NET], g[NET], m[NET] = {0}, v[NET] = {0}, vmax[NET] = {0};
  memcpy(w, start, sizeof w);
  for (int step = 1; step <= 100; step++) {
    const mlplk_adam args = adam_at(0.01, weight_decay, step);
    net_gradient(w, g);
    t->adam(NET, w, g, m, v, largest ? vmax : NULL, &args);
  }
  for (int i = 0; i < NET; i++)
    assert_true(fabs(w[i] - expected[i]) <= 1e-10);
}

static void golden(const mlplk_table *t) {
  if (t->real_bytes == 4)
    return;
  golden_sgd(t, (mlplk_sgd){.lr = 0.1}, after_sgd);
  golden_sgd(t, (mlplk_sgd){.lr = 0.1, .momentum = 0.9}, after_momentum);
  golden_sgd(
      t, (mlplk_sgd){.lr = 0.1, .momentum = 0.9, .dampening = 0.5}, after_dampening);
  golden_sgd(t,
      (mlplk_sgd){.lr = 0.1, .momentum = 0.9, .nesterov = 1, .weight_decay = 0.01},
      after_nesterov);
  golden_adam(t, 0, 0, after_adam);
  golden_adam(t, 0.01, 1, after_amsgrad);
}

static void optimizers_agree_with_golden_numbers(void **state) {
  (void)state;
  each_table(golden);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(optimizers_agree_with_loops),
      cmocka_unit_test(no_decay_means_none),
      cmocka_unit_test(optimizers_agree_with_golden_numbers),
  };
  return cmocka_run_group_tests_name("optimizer", tests, NULL, NULL);
}
