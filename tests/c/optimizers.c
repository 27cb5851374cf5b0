/*
** Optimizers as hosts use them: against golden.json and PyTorch's own numbers, parameters
** without gradient, options, errors, state, memory. (The kernels alone: optimizer.c.)
*/
#include "golden.h"
#include "module_test.h"

enum { NET = 13 };

/* ---- the net of the reference ------------------------------------------------------ */

/* Linear(2, 3) - sigmoid - Linear(3, 1) - sigmoid; the loss is the sum of its outputs. */

static mlpl_module *reference_net(mlpl_ctx *cx, const double *weights, mlpl_dtype dtype) {
  mlpl_module *part[4] = {linear(cx, 2, 3), NULL, linear(cx, 3, 1), NULL}, *net;
  assert_works(cx, mlpl_module_new(cx, &part[1], "Sigmoid", NULL));
  assert_works(cx, mlpl_module_new(cx, &part[3], "Sigmoid", NULL));
  assert_works(cx, mlpl_sequential_new(cx, &net, part, 4));
  for (int i = 0; i < 4; i++) mlpl_module_release(part[i]);
  assert_works(cx, mlpl_module_to(cx, net, dtype));
  for (int i = 0; i < mlpl_module_n_parameters(net); i++) {
    mlpl_tensor *p = mlpl_module_parameter(net, i);
    for (int64_t e = 0; e < p->numel; e++)
      mlpli_store(p->data + e * mlpli_dtype_size[dtype], dtype, *weights++);
  }
  return net;
}

static void read_weights(mlpl_module *net, double *w) {
  for (int i = 0; i < mlpl_module_n_parameters(net); i++) {
    const mlpl_tensor *p = mlpl_module_parameter(net, i);
    for (int64_t e = 0; e < p->numel; e++) *w++ = test_element(p, e);
  }
}

static mlpl_optimizer *optimizer(
    mlpl_ctx *cx, mlpl_module *net, const char *kind, const mlpl_arg *args) {
  mlpl_tensor *p[8];
  mlpl_optimizer *o;
  int n = mlpl_module_n_parameters(net);
  for (int i = 0; i < n; i++) p[i] = mlpl_module_parameter(net, i);
  assert_works(cx, mlpl_optimizer_new(cx, &o, kind, p, n, args));
  return o;
}

static void train(mlpl_ctx *cx, mlpl_module *net, mlpl_optimizer *o, int steps) {
  const mlpl_dtype dtype = mlpl_tensor_dtype(mlpl_module_parameter(net, 0));
  mlpl_tensor *x = test_copy(cx, dtype, SIZES(3, 2), VALUES(.1, .2, .3, .4, .5, .6)), *y,
              *loss;
  for (int i = 0; i < steps; i++) {
    assert_works(cx, mlpl_forward(cx, net, &y, &x, 1));
    assert_works(cx, mlpl_call(cx, &loss, "sum", &y, 1, NULL));
    mlpl_optimizer_zero_grad(o);
    assert_works(cx, mlpl_backward(cx, loss, NULL, 0));
    assert_works(cx, mlpl_optimizer_step(cx, o));
    mlpl_tensor_release(y);
    mlpl_tensor_release(loss);
  }
  test_drop();
}

static void agree(
    mlpl_module *net, const double *expected, double tolerance, const char *what) {
  double w[NET];
  read_weights(net, w);
  for (int i = 0; i < NET; i++)
    if (!(fabs(w[i] - expected[i]) <= tolerance))
      fail_msg("%s: weight %d is %.17g, not %.17g", what, i, w[i], expected[i]);
}

/* ---- golden numbers ---------------------------------------------------------------- */

typedef struct run {
  const char *name, *kind;
  const mlpl_arg *args;
} run;

#define AMSGRAD ARG("lr", 0.01), ARG("weight_decay", 0.01), ARG("amsgrad", 1)

/* Relative to the size of the weights, in f32 after up to 100 steps: R15 asks for
   1e-5. */
static void check_run(const golden *g, const run *r, mlpl_dtype dtype) {
  static const int steps[] = {1, 2, 10, 100};
  mlpl_ctx *cx = test_open(0);
  int64_t all = golden_child(g, 0, "optimizers"),
          own = golden_child(g, golden_child(g, all, "runs"), r->name);
  double init[NET], expected[NET];
  assert_int_equal(golden_numbers(g, all, "init", init, NET), NET);
  mlpl_module *net = reference_net(cx, init, dtype);
  mlpl_optimizer *o = optimizer(cx, net, r->kind, r->args);
  for (int i = 0, done = 0; i < COUNT(steps); done = steps[i++]) {
    char name[16];
    snprintf(name, sizeof name, "%d", steps[i]);
    assert_int_equal(golden_numbers(g, own, name, expected, NET), NET);
    train(cx, net, o, steps[i] - done);
    agree(net, expected, dtype == MLPL_F64 ? 1e-10 : 1e-5, r->name);
  }
  mlpl_optimizer_release(o);
  mlpl_module_release(net);
  test_close(cx);
}

static void golden_numbers_are_met(void **state) {
  (void)state;
  const run runs[] = {
      {"SGD lr=.1", "SGD", ARGS(ARG("lr", .1))},
      {"SGD lr=.1 momentum=.9", "SGD", ARGS(ARG("lr", .1), ARG("momentum", .9))},
      {"SGD lr=.1 momentum=.9 dampening=.5", "SGD",
          ARGS(ARG("lr", .1), ARG("momentum", .9), ARG("dampening", .5))},
      {"SGD lr=.1 momentum=.9 nesterov wd=.01", "SGD",
          ARGS(ARG("lr", .1), ARG("momentum", .9), ARG("nesterov", 1),
              ARG("weight_decay", .01))},
      {"Adam lr=.01", "Adam", ARGS(ARG("lr", .01))},
      {"Adam lr=.01 wd=.01 amsgrad", "Adam", ARGS(AMSGRAD)},
  };
  golden g;
  golden_standard(&g);
  for (int i = 0; i < COUNT(runs); i++)
    for (int dtype = MLPL_F32; dtype <= MLPL_F64; dtype++)
      check_run(&g, &runs[i], (mlpl_dtype)dtype);
  golden_close(&g);
}

/* PyTorch's own numbers; not ours to carry along, so read where the shared folder is.
   Its Adam is of an older form. */
static void pytorch_numbers_are_met(void **state) {
  (void)state;
  const run runs[] = {
      {"SGD", "SGD", ARGS(ARG("lr", .1))},
      {"SGD_wd", "SGD", ARGS(ARG("lr", .1), ARG("weight_decay", 1e-2))},
      {"SGD_wd_m", "SGD",
          ARGS(ARG("lr", .1), ARG("momentum", .9), ARG("weight_decay", 1e-2))},
      {"SGD_wd_nm", "SGD",
          ARGS(ARG("lr", .1), ARG("momentum", .9), ARG("weight_decay", 1e-6),
              ARG("nesterov", 1))},
  };
  char beside[1024] = "";
  const char *given = getenv("MLPL_TEST_DATA");
  if (given)
    snprintf(beside, sizeof beside, "%s/../reference/torch_optim_baseline.json", given);
  const char *const places[] = {given ? beside : NULL,
      "../shared/reference/torch_optim_baseline.json",
      "../../shared/reference/torch_optim_baseline.json",
      "../../../shared/reference/torch_optim_baseline.json"};
  golden g;
  if (!golden_open(&g, places, COUNT(places))) {
    print_message("skipped: shared/reference/torch_optim_baseline.json is not there\n");
    skip();
  }
  double init[NET], expected[NET];
  assert_int_equal(golden_numbers(&g, 0, "init", init, NET), NET);
  for (int i = 0; i < COUNT(runs); i++) {
    mlpl_ctx *cx = test_open(0);
    int64_t own = golden_child(&g, golden_child(&g, 0, "samples"), runs[i].name);
    mlpl_module *net = reference_net(cx, init, MLPL_F64);
    mlpl_optimizer *o = optimizer(cx, net, runs[i].kind, runs[i].args);
    train(cx, net, o, 101);
    assert_int_equal(golden_numbers(&g, own, "after_101_steps", expected, NET), NET);
    agree(net, expected, 1e-10, runs[i].name);
    train(cx, net, o, 900);
    assert_int_equal(golden_numbers(&g, own, "after_1001_steps", expected, NET), NET);
    agree(net, expected, 1e-10, runs[i].name);
    mlpl_optimizer_release(o);
    mlpl_module_release(net);
    test_close(cx);
  }
  golden_close(&g);
}

/* ---- what a step does -------------------------------------------------------------- */

static mlpl_optimizer *of_two(mlpl_ctx *cx, mlpl_tensor *a, mlpl_tensor *b,
    const char *kind, const mlpl_arg *args) {
  mlpl_optimizer *o;
  assert_works(cx, mlpl_optimizer_new(cx, &o, kind, (mlpl_tensor *[]){a, b}, 2, args));
  return o;
}

/* loss = k . t */
static void set_gradient(mlpl_ctx *cx, mlpl_tensor *t, double k) {
  mlpl_tensor *sum = CALL1(cx, "sum", t);
  assert_works(cx, mlpl_backward(cx, CALL2(cx, "mul", sum, test_scalar(cx, k)), NULL, 0));
}

/* Adam's first step is lr sign(g) however small g is; later ones are not. So a step
   count that had moved would show. */
static void no_gradient_means_no_step(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *a = test_leaf(cx, VECTOR(cx, 1, 2)), *b = test_leaf(cx, VECTOR(cx, 3, 4));
  mlpl_optimizer *o = of_two(
      cx, a, b, "Adam", ARGS(ARG("lr", 0.1), ARG("eps", 0), ARG("weight_decay", 0)));
  assert_works(cx, mlpl_optimizer_step(cx, o)); /* nobody has one */
  assert_values(a, 1, 2);
  for (int i = 0; i < 5; i++) {
    mlpl_optimizer_zero_grad(o);
    set_gradient(cx, a, i ? -7 : 1);
    assert_works(cx, mlpl_optimizer_step(cx, o));
  }
  assert_values(b, 3, 4);
  mlpl_optimizer_zero_grad(o);
  assert_null(mlpl_tensor_grad(a));
  set_gradient(cx, b, 1e-3);
  assert_works(cx, mlpl_optimizer_step(cx, o));
  assert_near(b, 1e-14, 2.9, 3.9);
  mlpl_optimizer_release(o);
  test_drop_and_close(cx);
}

/* A gradient of 0 is one: momentum and weight decay go on. */
static void a_zero_gradient_is_a_gradient(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *a = test_leaf(cx, VECTOR(cx, 1, 2)), *b = test_leaf(cx, VECTOR(cx, 3, 4));
  mlpl_optimizer *o =
      of_two(cx, a, b, "SGD", ARGS(ARG("lr", 0.5), ARG("weight_decay", 0.1)));
  set_gradient(cx, a, 0);
  assert_works(cx, mlpl_optimizer_step(cx, o));
  assert_values(a, 0.95, 1.9);
  assert_values(b, 3, 4);
  mlpl_optimizer_release(o);
  test_drop_and_close(cx);
}

/* A step changes parameters in place: a graph that needs their old values says so,
   views see the new ones. */
static void a_step_is_a_change_in_place(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *a = test_leaf(cx, VECTOR(cx, 1, 2)), *view;
  mlpl_optimizer *o;
  assert_works(cx, mlpl_optimizer_new(cx, &o, "SGD", &a, 1, ARGS(ARG("lr", 1))));
  assert_works(cx, mlpl_tensor_detach(cx, &view, a));
  test_hold(view);
  mlpl_tensor *old = CALL1(cx, "sum", CALL2(cx, "mul", a, a));
  set_gradient(cx, a, 0.5);
  assert_works(cx, mlpl_optimizer_step(cx, o));
  assert_values(view, 0.5, 1.5);
  assert_fails(
      cx, mlpl_backward(cx, old, NULL, 0), MLPL_ESTATE, "of mul was changed in place");
  mlpl_optimizer_release(o);
  test_drop_and_close(cx);
}

/* Long parameters are cut into parts, short ones ride along: any cut gives the same
   numbers. */
static void long_parameters_on_several_threads(void **state) {
  (void)state;
  static const int threads[] = {1, 2, 3, 8};
  static const int64_t sizes[] = {1, 16384, 16385, 100000, 3, 40000};
  float *first[COUNT(sizes)] = {NULL};
  for (int k = 0; k < COUNT(threads); k++) {
    mlpl_ctx *cx;
    mlpl_tensor *w[COUNT(sizes)];
    mlpl_optimizer *o;
    assert_int_equal(
        mlpl_open(&cx, &(mlpl_config){.threads = threads[k], .seed = 9}), MLPL_OK);
    for (int i = 0; i < COUNT(sizes); i++) {
      assert_works(cx, mlpl_tensor_randn(cx, &w[i], MLPL_F32, 1, &sizes[i], 0, 1));
      test_leaf(cx, test_hold(w[i]));
    }
    assert_works(cx, mlpl_optimizer_new(cx, &o, "Adam", w, COUNT(sizes), ARGS(AMSGRAD)));
    for (int step = 0; step < 3; step++) {
      mlpl_optimizer_zero_grad(o);
      for (int i = 0; i < COUNT(sizes); i++)
        assert_works(cx,
            mlpl_backward(cx, CALL1(cx, "sum", CALL2(cx, "mul", w[i], w[i])), NULL, 0));
      assert_works(cx, mlpl_optimizer_step(cx, o));
    }
    for (int i = 0; i < COUNT(sizes); i++) {
      size_t bytes = (size_t)sizes[i] * sizeof(float);
      if (k == 0) first[i] = memcpy(malloc(bytes), w[i]->data, bytes);
      assert_memory_equal(first[i], w[i]->data, bytes);
    }
    mlpl_optimizer_release(o);
    test_drop_and_close(cx);
  }
  for (int i = 0; i < COUNT(sizes); i++) free(first[i]);
}

/* ---- options ----------------------------------------------------------------------- */

static double get(mlpl_ctx *cx, const mlpl_optimizer *o, const char *name) {
  double v = NAN;
  assert_works(cx, mlpl_optimizer_get(cx, o, name, &v));
  return v;
}

static void options_have_pytorch_defaults(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *a = test_leaf(cx, VECTOR(cx, 1, 2));
  mlpl_optimizer *o;
  assert_string_equal(mlpl_optimizer_kind_at(0), "SGD");
  assert_string_equal(mlpl_optimizer_kind_at(1), "Adam");
  assert_null(mlpl_optimizer_kind_at(2));
  assert_null(mlpl_optimizer_kind_at(-1));
  assert_works(cx, mlpl_optimizer_new(cx, &o, "SGD", &a, 1, NULL));
  assert_string_equal(mlpl_optimizer_kind(o), "SGD");
  assert_true(get(cx, o, "lr") == 1e-3 && get(cx, o, "momentum") == 0 &&
      get(cx, o, "dampening") == 0);
  assert_true(get(cx, o, "weight_decay") == 0 && get(cx, o, "nesterov") == 0);
  mlpl_optimizer_release(o);
  assert_works(cx, mlpl_optimizer_new(cx, &o, "Adam", &a, 1, NULL));
  assert_true(get(cx, o, "lr") == 1e-3 && get(cx, o, "eps") == 1e-8 &&
      get(cx, o, "amsgrad") == 0);
  assert_true(get(cx, o, "weight_decay") == 0);
  int n;
  const mlpl_param *p = mlpl_optimizer_kind_params("Adam", &n);
  assert_string_equal(p[1].name, "betas");
  assert_true(p[1].standard == 0.9 && p[1].standard2 == 0.999);
  assert_null(mlpl_optimizer_kind_params("Adamax", &n));
  assert_int_equal(n, 0);
  mlpl_optimizer_release(o);
  test_drop_and_close(cx);
}

/* A changed rate counts from the next step on; momentum may come later, its state then
   starts at nothing. */
static void options_may_change(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *a = test_leaf(cx, VECTOR(cx, 1, 2));
  mlpl_optimizer *o;
  assert_works(cx, mlpl_optimizer_new(cx, &o, "SGD", &a, 1, ARGS(ARG("lr", 1))));
  set_gradient(cx, a, 1);
  assert_works(cx, mlpl_optimizer_step(cx, o));
  assert_values(a, 0, 1);
  assert_works(cx, mlpl_optimizer_set(cx, o, "lr", 0.5));
  assert_works(cx, mlpl_optimizer_set(cx, o, "momentum", 0.5));
  assert_true(get(cx, o, "lr") == 0.5);
  for (int i = 0; i < 2; i++) assert_works(cx, mlpl_optimizer_step(cx, o));
  assert_values(a, -0.5 - 0.75, 1 - 0.5 - 0.75);
  assert_works(cx, mlpl_optimizer_set(cx, o, "nesterov", 7)); /* a truth value */
  assert_true(get(cx, o, "nesterov") == 1);
  assert_fails(cx, mlpl_optimizer_set(cx, o, "dampening", 0.5), MLPL_EARG,
      "SGD: nesterov needs a momentum above 0 and no dampening; they are 0.5 and 0.5");
  assert_true(get(cx, o, "dampening") == 0); /* as it was */
  mlpl_optimizer_release(o);
  test_drop_and_close(cx);
}

/* Momentum that begins late begins as at the first step: without dampening. */
static void momentum_may_begin_late(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *a = test_leaf(cx, VECTOR(cx, 10));
  mlpl_optimizer *o;
  const mlpl_arg *args = ARGS(ARG("lr", 1), ARG("dampening", 0.5));
  assert_works(cx, mlpl_optimizer_new(cx, &o, "SGD", &a, 1, args));
  set_gradient(cx, a, 1);
  assert_works(cx, mlpl_optimizer_step(cx, o));
  assert_values(a, 9);
  assert_works(cx, mlpl_optimizer_set(cx, o, "momentum", 0.5));
  assert_works(cx, mlpl_optimizer_step(cx, o));
  assert_values(a, 8); /* b = g */
  assert_works(cx, mlpl_optimizer_step(cx, o));
  assert_values(a, 7); /* b = b / 2 + g / 2 */
  mlpl_optimizer_release(o);
  test_drop_and_close(cx);
}

/* A converted model keeps its optimizer; the state is converted with it. */
static void state_follows_a_converted_model(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  const double init[NET] = {.1, .2, .3, .4, .5, .6, .7, .8, .9, 1, 1.1, 1.2, 1.3};
  double kept[NET], converted[NET];
  for (int convert = 0; convert <= 1; convert++) {
    mlpl_module *net = reference_net(cx, init, MLPL_F32);
    mlpl_optimizer *o = optimizer(cx, net, "Adam", ARGS(AMSGRAD));
    train(cx, net, o, 5);
    if (convert) assert_works(cx, mlpl_module_to(cx, net, MLPL_F64));
    train(cx, net, o, 5);
    read_weights(net, convert ? converted : kept);
    mlpl_optimizer_release(o);
    mlpl_module_release(net);
  }
  for (int i = 0; i < NET; i++) assert_true(fabs(kept[i] - converted[i]) < 1e-5);
  test_close(cx);
}

/* ---- errors ------------------------------------------------------------------------ */

#define NEW(kind, t, ...) mlpl_optimizer_new(cx, &o, kind, &(t), 1, ARGS(__VA_ARGS__))

static void errors_name_option_and_value(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_optimizer *o;
  mlpl_tensor *a = test_leaf(cx, VECTOR(cx, 1, 2));
  assert_fails(cx, NEW("Adamax", a, ARG("lr", 1)), MLPL_EARG,
      "optimizer: there is none called 'Adamax'");
  assert_null(o);
  assert_fails(cx, NEW("SGD", a, ARG("learning_rate", 1)), MLPL_EARG,
      "SGD: unknown option 'learning_rate'; the "
      "options are lr, momentum, dampening, weight_decay, nesterov");
  assert_fails(cx, NEW("Adam", a, ARG("beta", 1)), MLPL_EARG,
      "Adam: unknown option 'beta'; the options are lr, betas, eps, weight_decay, "
      "amsgrad");
  assert_fails(cx, NEW("SGD", a, ARG("lr", -1)), MLPL_EARG,
      "SGD: lr is -1; it must be at least 0");
  assert_fails(cx, NEW("SGD", a, ARG("lr", NAN)), MLPL_EARG,
      "SGD: lr is nan; it must be at least 0");
  assert_fails(cx, NEW("SGD", a, ARG("momentum", -0.5)), MLPL_EARG,
      "SGD: momentum is -0.5; it must be at least 0");
  assert_fails(cx, NEW("SGD", a, ARG("nesterov", 0.5)), MLPL_EARG,
      "SGD: nesterov is 0.5; it must be a whole number");
  assert_fails(cx, NEW("SGD", a, ARG("nesterov", 2)), MLPL_EARG,
      "SGD: nesterov is 2; it must be from 0 to 1");
  assert_fails(cx, NEW("SGD", a, ARG("nesterov", 1)), MLPL_EARG,
      "SGD: nesterov needs a momentum above 0 and no dampening; they are 0 and 0");
  assert_fails(cx, NEW("Adam", a, ARG("eps", -1)), MLPL_EARG,
      "Adam: eps is -1; it must be at least 0");
  assert_fails(
      cx, NEW("Adam", a, ARG("betas", 1)), MLPL_EARG, "Adam: betas must be two numbers");
  assert_fails(cx, NEW("Adam", a, {.name = "betas", .pair = VALUES(0.9, 1)}), MLPL_EARG,
      "Adam: betas is 1; it must be");
  assert_fails(cx, NEW("Adam", a, {.name = "betas", .pair = VALUES(-0.1, 0.9)}),
      MLPL_EARG, "Adam: betas is -0.1");
  mlpl_value p[MLPL_MAX_PARAMS] = {{.f = -1}};
  assert_fails(
      cx, mlpl_optimizer_make(cx, &o, "SGD", &a, 1, p), MLPL_EARG, "SGD: lr is -1");
  assert_fails(cx, mlpl_optimizer_make(cx, &o, "Lion", &a, 1, p), MLPL_EARG,
      "optimizer: there is none called 'Lion'");
  assert_works(cx, NEW("Adam", a, ARG("lr", 1)));
  double v;
  assert_fails(cx, mlpl_optimizer_get(cx, o, "momentum", &v), MLPL_EARG,
      "Adam: it has no option 'momentum'");
  assert_fails(cx, mlpl_optimizer_set(cx, o, "momentum", 1), MLPL_EARG,
      "Adam: it has no option 'momentum'");
  assert_fails(cx, mlpl_optimizer_set(cx, o, "betas", 1), MLPL_EARG,
      "Adam: betas is a pair; make a new optimizer to change it");
  assert_fails(cx, mlpl_optimizer_set(cx, o, "eps", -1), MLPL_EARG,
      "Adam: eps is -1; it must be at least 0");
  assert_true(get(cx, o, "eps") == 1e-8);
  mlpl_optimizer_release(o);
  mlpl_optimizer_release(NULL);
  test_drop_and_close(cx);
}

static void errors_name_the_parameter(void **state) {
  (void)state;
  for (int base = 0; base <= 1; base++) {
    mlpl_ctx *cx = test_open(base);
    mlpl_optimizer *o;
    mlpl_tensor *a = test_leaf(cx, MATRIX(cx, 2, 2, 1, 2, 3, 4)),
                *i = test_new(cx, MLPL_I64, SIZES(2));
    mlpl_tensor *turned = CALL1(cx, "t", MATRIX(cx, 2, 2, 1, 2, 3, 4)),
                *made = CALL1(cx, "exp", a);
#define WITH(...)                                                                        \
  mlpl_optimizer_new(cx, &o, "SGD", (mlpl_tensor *[]){a, __VA_ARGS__}, 2, NULL)
    assert_fails(cx, mlpl_optimizer_new(cx, &o, "SGD", NULL, 0, NULL), MLPL_EARG,
        "SGD: there are no parameters");
    assert_fails(cx, WITH(made), MLPL_EARG,
        base ? "SGD: parameter 2 is the result of exp; only leaves can be optimized"
             : "SGD: parameter 1 is the result of exp; only leaves can be optimized");
    assert_fails(cx, WITH(i), MLPL_EARG,
        base ? "SGD: parameter 2 is i64; it must be f32 or f64"
             : "SGD: parameter 1 is i64; it must be f32 or f64");
    assert_fails(cx, WITH(turned), MLPL_EARG,
        base ? "SGD: parameter 2 is a view with gaps; optimize the tensor it was cut from"
             : "SGD: parameter 1 is a view with gaps; optimize the tensor it was cut "
               "from");
    assert_fails(cx, WITH(a), MLPL_EARG,
        base ? "SGD: parameters 1 and 2 are the same tensor"
             : "SGD: parameters 0 and 1 are the same tensor");
    assert_null(o);
    test_drop_and_close(cx);
  }
}

/* ---- memory ------------------------------------------------------------------------ */

static mlpl_status two_steps(mlpl_ctx *cx, void *ud) {
  mlpl_tensor *w, *loss = NULL;
  mlpl_optimizer *o = NULL;
  (void)ud;
  MLPL_TRY(mlpl_tensor_full(cx, &w, MLPL_F32, SIZES(3), 1));
  mlpl_status status = mlpl_tensor_set_requires_grad(cx, w, true);
  if (status == MLPL_OK)
    status = mlpl_optimizer_new(cx, &o, "Adam", &w, 1, ARGS(AMSGRAD));
  for (int i = 0; i < 2 && status == MLPL_OK; i++) {
    status = mlpl_call(cx, &loss, "sum", &w, 1, NULL);
    if (status == MLPL_OK) status = mlpl_backward(cx, loss, NULL, 0);
    float before, after;
    memcpy(&before, w->data, sizeof before);
    if (status == MLPL_OK && (status = mlpl_optimizer_step(cx, o)) != MLPL_OK) {
      memcpy(&after, w->data, sizeof after);
      assert_true(before == after); /* a failed step changes nothing */
    }
    mlpl_tensor_release(loss);
    loss = NULL;
  }
  mlpl_optimizer_release(o);
  mlpl_tensor_release(w);
  return status;
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  test_every_failure(two_steps, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(golden_numbers_are_met),
      cmocka_unit_test(pytorch_numbers_are_met),
      cmocka_unit_test(no_gradient_means_no_step),
      cmocka_unit_test(a_zero_gradient_is_a_gradient),
      cmocka_unit_test(a_step_is_a_change_in_place),
      cmocka_unit_test(long_parameters_on_several_threads),
      cmocka_unit_test(options_have_pytorch_defaults),
      cmocka_unit_test(options_may_change),
      cmocka_unit_test(momentum_may_begin_late),
      cmocka_unit_test(state_follows_a_converted_model),
      cmocka_unit_test(errors_name_option_and_value),
      cmocka_unit_test(errors_name_the_parameter),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests_name("optimizers", tests, NULL, NULL);
}
