/*
** Gradients of chosen tensors, hooks, host functions, Jacobians, the search for NaN; what
** is held and let go of on the way.
*/
#include "tensor_test.h"

#include "grad/grad.h"

static size_t live(const mlpl_ctx *cx) { return mlpl_memory_use(cx).live; }

static mlpl_tensor *grad_of(
    mlpl_ctx *cx, mlpl_tensor *y, mlpl_tensor *x, int flags) {
  mlpl_tensor *g;
  assert_works(cx, mlpl_grad(cx, &g, &y, NULL, 1, &x, 1, flags));
  return test_hold(g);
}

/* ---- mlpl_grad --------------------------------------------------------------------- */

static void chosen_inputs_alone(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = test_leaf(cx, VECTOR(cx, 1, 2)), *w = test_leaf(cx, VECTOR(cx, 3, 4));
  mlpl_tensor *h = CALL2(cx, "mul", x, w), *y = CALL1(cx, "sum", CALL2(cx, "mul", h, w));
  mlpl_tensor *in[] = {w, h, x, w}, *g[4];
  assert_works(cx, mlpl_grad(cx, g, &y, NULL, 1, in, 4, MLPL_RETAIN_GRAPH));
  for (int i = 0; i < 4; i++) test_hold(g[i]);
  assert_values(g[0], 6, 16); /* y = x w w */
  assert_values(g[1], 3, 4);
  assert_values(g[2], 9, 16);
  assert_values(g[3], 6, 16);
  assert_null(mlpl_tensor_grad(x));
  assert_null(mlpl_tensor_grad(w));
  assert_null(mlpl_tensor_grad(h));
  /* the whole graph still serves, and once only */
  assert_values(grad_of(cx, y, x, 0), 9, 16);
  mlpl_tensor *again;
  assert_fails(cx, mlpl_grad(cx, &again, &y, NULL, 1, &x, 1, 0), MLPL_ESTATE,
      "backward: the graph below sum was freed by an earlier backward");
  assert_null(again);
  test_drop_and_close(cx);
}

/* What does not lead to an input is not gone through, so it is not freed either. */
static void the_rest_of_the_graph_stays(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = test_leaf(cx, VECTOR(cx, 1, 2)), *w = test_leaf(cx, VECTOR(cx, 3, 4));
  mlpl_tensor *a = CALL1(cx, "exp", w), *y = CALL1(cx, "sum", CALL2(cx, "mul", x, a));
  assert_values(grad_of(cx, y, x, 0), exp(3), exp(4));
  assert_works(cx, mlpl_backward(cx, CALL1(cx, "sum", a), NULL, 0));
  assert_values(mlpl_tensor_grad(w), exp(3), exp(4));
  test_drop_and_close(cx);
}

static void several_outputs_with_seeds(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = test_leaf(cx, VECTOR(cx, 1, 2)), *g;
  mlpl_tensor *out[] = {CALL2(cx, "mul", x, x), CALL1(cx, "sum", x), x};
  mlpl_tensor *seeds[] = {VECTOR(cx, 10, 100), NULL, VECTOR(cx, 5, 6)};
  assert_works(cx, mlpl_grad(cx, &g, out, seeds, 3, &x, 1, 0));
  assert_values(test_hold(g), 20 + 1 + 5, 400 + 1 + 6);
  test_drop_and_close(cx);
}

static void gradients_belong_to_the_caller(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = test_leaf(cx, VECTOR(cx, 1, 2)), *z = test_leaf(cx, VECTOR(cx, 3, 4));
  mlpl_tensor *seed = VECTOR(cx, 5, 6), *y = CALL2(cx, "add", x, z);
  mlpl_tensor *in[] = {x, z}, *g[2];
  assert_works(cx, mlpl_grad(cx, g, &y, &seed, 1, in, 2, 0));
  test_hold(g[0]), test_hold(g[1]);
  assert_true(g[0]->data != g[1]->data && g[0]->data != seed->data);
  assert_values(g[0], 5, 6);
  test_drop_and_close(cx);
}

static void what_grad_refuses(void **state) {
  (void)state;
  for (int base = 0; base <= 1; base++) {
    mlpl_ctx *cx = test_open(base);
    mlpl_tensor *x = test_leaf(cx, VECTOR(cx, 1, 2)), *w = test_leaf(cx, VECTOR(cx, 3, 4));
    mlpl_tensor *k = VECTOR(cx, 5, 6), *y = CALL1(cx, "sum", x), *g[2];
    mlpl_tensor *in[] = {x, w}, *constant[] = {x, k};
    assert_fails(cx, mlpl_grad(cx, g, &y, NULL, 1, in, 2, MLPL_RETAIN_GRAPH), MLPL_ESTATE,
        base ? "grad: input 2 was not used to compute the outputs; allow_unused gives no "
               "gradient for it"
             : "grad: input 1 was not used");
    assert_null(g[0]);
    assert_fails(cx, mlpl_grad(cx, g, &y, NULL, 1, constant, 2, 0), MLPL_ESTATE,
        base ? "grad: input 2 does not require a gradient; ask for it (requires_grad_) "
               "before the outputs are computed"
             : "grad: input 1 does not require");
    assert_fails(cx, mlpl_grad(cx, g, &k, NULL, 1, in, 1, 0), MLPL_ESTATE,
        "grad: nothing was recorded for this tensor");
    assert_fails(cx, mlpl_grad(cx, g, &y, NULL, 1, in, 0, 0), MLPL_EARG,
        "grad: 1 outputs and 0 inputs; there must be one of each at least");
    assert_fails(cx, mlpl_grad(cx, g, &x, NULL, 1, in, 1, 0), MLPL_ESHAPE,
        "grad: the tensor is [2]; only from a single number can gradients start by "
        "themselves, give one of this shape or reduce it (:sum(), :mean())");
    assert_works(cx, mlpl_grad(cx, g, &y, NULL, 1, in, 2, MLPL_ALLOW_UNUSED));
    assert_values(test_hold(g[0]), 1, 1);
    assert_null(g[1]);
    assert_null(cx->pass);
    test_drop_and_close(cx);
  }
}

static void backward_into_chosen_tensors(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = test_leaf(cx, VECTOR(cx, 1, 2)), *w = test_leaf(cx, VECTOR(cx, 3, 4));
  mlpl_tensor *h = CALL2(cx, "mul", x, w), *y = CALL1(cx, "sum", CALL1(cx, "exp", h));
  mlpl_tensor *in[] = {w, h};
  assert_works(cx, mlpl_backward_into(cx, y, NULL, in, 2, MLPL_RETAIN_GRAPH));
  assert_works(cx, mlpl_backward_into(cx, y, NULL, in, 2, 0));
  assert_null(mlpl_tensor_grad(x));
  assert_values(mlpl_tensor_grad(w), 2 * exp(3), 2 * 2 * exp(8));
  assert_values(mlpl_tensor_grad(h), 2 * exp(3), 2 * exp(8));
  assert_fails(cx, mlpl_backward_into(cx, y, NULL, in, 0, 0), MLPL_EARG,
      "backward: the list of inputs is empty; without one, all leaves get gradients");
  mlpl_tensor *k = VECTOR(cx, 1, 2);
  assert_fails(cx, mlpl_backward_into(cx, y, NULL, &k, 1, 0), MLPL_ESTATE,
      "backward: input 0 does not require a gradient");
  test_drop_and_close(cx);
}

static void checkpoints_give_to_all_their_leaves(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_module *m;
  mlpl_tensor *x = test_leaf(cx, test_new(cx, MLPL_F32, SIZES(2, 3))), *y, *g;
  assert_works(cx, mlpl_module_new(cx, &m, "Tanh", NULL));
  assert_works(cx, mlpl_checkpoint(cx, m, &y, x));
  mlpl_tensor *sum = CALL1(cx, "sum", test_hold(y));
  assert_fails(cx, mlpl_grad(cx, &g, &sum, NULL, 1, &x, 1, 0), MLPL_ESTATE,
      "checkpoint: gradients go into all leaves inside it; use backward without a list of "
      "inputs");
  mlpl_module_release(m);
  test_drop_and_close(cx);
}

/* ---- hooks ------------------------------------------------------------------------- */

typedef struct probe {
  char *log; /* one letter a call */
  char letter;
  double factor; /* 0: no replacement */
  int released;
  mlpl_hook *remove; /* in the call */
  mlpl_status status;
} probe;

static mlpl_status call_probe(
    mlpl_ctx *cx, void *ud, mlpl_tensor **replacement, mlpl_tensor *g) {
  probe *p = ud;
  size_t n = strlen(p->log);
  p->log[n] = p->letter;
  p->log[n + 1] = '\0';
  if (p->remove) mlpl_hook_remove(p->remove);
  if (p->status != MLPL_OK) return mlpl_fail(cx, p->status, "the probe failed");
  if (p->factor == 0) return MLPL_OK;
  return mlpl_call(cx, replacement, "affine", &g, 1,
      ARGS(ARG("scale", p->factor), ARG("shift", 0)));
}

static void release_probe(void *ud) { ((probe *)ud)->released++; }

static mlpl_hook *hook(mlpl_ctx *cx, mlpl_tensor *t, probe *p) {
  mlpl_hook *h;
  assert_works(
      cx, mlpl_tensor_register_hook(cx, &h, t, call_probe, release_probe, p));
  return h;
}

static void hooks_see_the_whole_gradient_in_order(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  char log[32] = "";
  probe a = {.log = log, .letter = 'a', .factor = 0}, b = {.log = log, .letter = 'b', .factor = 10}, c = {.log = log, .letter = 'c', .factor = 2}, d = {.log = log, .letter = 'd', .factor = 0};
  mlpl_tensor *x = test_leaf(cx, VECTOR(cx, 1, 2)), *h = CALL1(cx, "neg", x);
  mlpl_hook *hooks[] = {hook(cx, x, &d), hook(cx, h, &a), hook(cx, h, &b), hook(cx, x, &c)};
  assert_works(cx, mlpl_tensor_retain_grad(cx, h));
  assert_true(mlpl_tensor_retains_grad(h));
  assert_false(mlpl_tensor_retains_grad(x));
  mlpl_tensor *y = CALL2(cx, "add", h, CALL2(cx, "mul", h, VECTOR(cx, 3, 4)));
  assert_works(cx, mlpl_backward(cx, CALL1(cx, "sum", CALL2(cx, "add", y, x)), NULL, 0));
  assert_string_equal(log, "abdc"); /* h in order, then x when it has all it gets */
  assert_values(mlpl_tensor_grad(h), 40, 50);
  assert_values(mlpl_tensor_grad(x), 2 * (1 - 40), 2 * (1 - 50));
  assert_int_equal(a.released + b.released, 2); /* with the graph */
  assert_int_equal(c.released + d.released, 0);
  mlpl_hook_remove(hooks[3]);
  mlpl_hook_remove(hooks[3]);
  assert_int_equal(c.released, 1);
  mlpl_tensor_zero_grad(x);
  assert_works(cx, mlpl_backward(cx, CALL1(cx, "sum", x), NULL, 0));
  assert_string_equal(log, "abdcd");
  assert_values(mlpl_tensor_grad(x), 1, 1);
  for (int i = 0; i < COUNT(hooks); i++) mlpl_hook_release(hooks[i]);
  test_drop_and_close(cx);
  assert_int_equal(d.released, 1);
}

static void hooks_of_inputs_of_grad(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  char log[32] = "";
  probe a = {.log = log, .letter = 'a', .factor = 3}, b = {.log = log, .letter = 'b', .factor = 5};
  mlpl_tensor *x = test_leaf(cx, VECTOR(cx, 1, 2)), *h = CALL1(cx, "neg", x);
  mlpl_hook_release(hook(cx, x, &a)); /* the hook stays */
  mlpl_hook_release(hook(cx, h, &b));
  mlpl_tensor *y = CALL1(cx, "sum", h), *in[] = {x, h}, *g[2];
  assert_works(cx, mlpl_grad(cx, g, &y, NULL, 1, in, 2, 0));
  assert_values(test_hold(g[0]), -15, -15);
  assert_values(test_hold(g[1]), 5, 5);
  assert_null(mlpl_tensor_grad(x));
  test_drop_and_close(cx);
}

static void a_hook_may_remove_hooks(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  char log[32] = "";
  probe a = {.log = log, .letter = 'a', .factor = 2}, b = {.log = log, .letter = 'b', .factor = 2}, c = {.log = log, .letter = 'c', .factor = 2};
  mlpl_tensor *x = test_leaf(cx, test_scalar(cx, 1));
  mlpl_hook *hooks[] = {hook(cx, x, &a), hook(cx, x, &b), hook(cx, x, &c)};
  a.remove = hooks[1];
  c.remove = hooks[2];
  for (int i = 0; i < 2; i++)
    assert_works(cx, mlpl_backward(cx, CALL1(cx, "neg", x), NULL, 0));
  assert_string_equal(log, "aca");
  assert_values(mlpl_tensor_grad(x), -4 - 2);
  mlpl_hook *more = hook(cx, x, &b); /* sweeps the removed ones */
  assert_works(cx, mlpl_backward(cx, CALL1(cx, "neg", x), NULL, 0));
  assert_string_equal(log, "acaab");
  for (int i = 0; i < COUNT(hooks); i++) mlpl_hook_release(hooks[i]);
  mlpl_hook_release(more);
  test_drop_and_close(cx);
}

static mlpl_status give_wrong_shape(
    mlpl_ctx *cx, void *ud, mlpl_tensor **replacement, mlpl_tensor *g) {
  (void)ud, (void)g;
  return mlpl_tensor_full(cx, replacement, MLPL_F32, SIZES(3), 0);
}

static void what_hooks_refuse(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  char log[32] = "";
  probe a = {.log = log, .letter = 'a', .factor = 0};
  mlpl_tensor *k = VECTOR(cx, 1, 2), *x = test_leaf(cx, VECTOR(cx, 1, 2));
  mlpl_tensor *y = CALL1(cx, "sum", x);
  mlpl_hook *h;
  assert_fails(cx, mlpl_tensor_register_hook(cx, &h, k, call_probe, release_probe, &a),
      MLPL_ESTATE, "register_hook: the tensor does not require a gradient");
  assert_int_equal(a.released, 1);
  assert_null(h);
  assert_fails(cx, mlpl_tensor_retain_grad(cx, k), MLPL_ESTATE,
      "retain_grad: the tensor does not require a gradient");
  assert_works(cx, mlpl_tensor_register_hook(cx, &h, x, give_wrong_shape, NULL, NULL));
  assert_fails(cx, mlpl_backward(cx, y, NULL, 0), MLPL_ESHAPE,
      "register_hook: the gradient is [2] of f64, the hook gave [3] of f32");
  mlpl_hook_release(h);
  assert_fails(cx, mlpl_tensor_register_hook(cx, &h, y, call_probe, release_probe, &a),
      MLPL_ESTATE,
      "register_hook: the graph below sum was freed by an earlier backward");
  test_drop_and_close(cx);
  cx = test_open(0);
  x = test_leaf(cx, VECTOR(cx, 1, 2));
  y = CALL1(cx, "neg", x);
  probe b = {.log = log, .letter = 'b', .status = MLPL_ECALLBACK};
  mlpl_hook_release(hook(cx, y, &b));
  mlpl_tensor *sum = CALL1(cx, "sum", y);
  assert_fails(cx, mlpl_backward(cx, sum, NULL, MLPL_RETAIN_GRAPH), MLPL_ECALLBACK,
      "the probe failed");
  b.status = MLPL_OK; /* nothing is left of the first pass */
  assert_works(cx, mlpl_backward(cx, sum, NULL, 0));
  assert_values(mlpl_tensor_grad(x), -1, -1);
  test_drop_and_close(cx);
}

/* The one that retains its gradient dies before the pass. */
static void a_tensor_that_is_gone_keeps_nothing(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = test_leaf(cx, VECTOR(cx, 1, 2)), *h, *y;
  assert_works(cx, mlpl_call(cx, &h, "neg", &x, 1, NULL));
  assert_works(cx, mlpl_tensor_retain_grad(cx, h));
  y = CALL1(cx, "sum", h);
  mlpl_tensor_release(h);
  assert_works(cx, mlpl_backward(cx, y, NULL, 0));
  assert_values(mlpl_tensor_grad(x), -1, -1);
  test_drop_and_close(cx);
}

static void cut_from_the_graph(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = test_leaf(cx, VECTOR(cx, 1, 2)), *h = CALL1(cx, "neg", x);
  assert_true(mlpl_tensor_is_leaf(x));
  assert_null(mlpl_tensor_grad_fn(x));
  assert_false(mlpl_tensor_is_leaf(h));
  assert_string_equal(mlpl_tensor_grad_fn(h), "neg");
  assert_works(cx, mlpl_tensor_retain_grad(cx, h));
  mlpl_tensor_cut(h);
  assert_true(mlpl_tensor_is_leaf(h));
  assert_false(mlpl_tensor_requires_grad(h));
  test_leaf(cx, h);
  assert_works(cx, mlpl_backward(cx, CALL1(cx, "sum", h), NULL, 0));
  assert_null(mlpl_tensor_grad(x));
  assert_values(mlpl_tensor_grad(h), 1, 1);
  test_drop_and_close(cx);
}

/* A pass from inside another, through the same graph. */
static mlpl_tensor *inner_root;
static mlpl_status run_inner(
    mlpl_ctx *cx, void *ud, mlpl_tensor **replacement, mlpl_tensor *g) {
  (void)ud, (void)replacement, (void)g;
  return mlpl_backward(cx, inner_root, NULL, MLPL_RETAIN_GRAPH);
}

static void a_pass_inside_a_pass(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = test_leaf(cx, VECTOR(cx, 1, 2)), *z = test_leaf(cx, VECTOR(cx, 3, 4));
  mlpl_tensor *a = CALL1(cx, "neg", x), *b = CALL1(cx, "exp", a), *y = CALL1(cx, "sum", b);
  mlpl_hook *h;
  assert_works(cx, mlpl_tensor_register_hook(cx, &h, b, run_inner, NULL, NULL));
  mlpl_hook_release(h);
  inner_root = CALL1(cx, "sum", z); /* another graph */
  assert_works(cx, mlpl_backward(cx, y, NULL, MLPL_RETAIN_GRAPH));
  assert_values(mlpl_tensor_grad(z), 1, 1);
  assert_values(mlpl_tensor_grad(x), -exp(-1), -exp(-2));
  inner_root = y; /* the same one */
  assert_fails(cx, mlpl_backward(cx, y, NULL, MLPL_RETAIN_GRAPH), MLPL_ESTATE,
      "backward: the graph below exp is in the middle of another backward pass");
  inner_root = CALL1(cx, "sum", a); /* what comes after, which waits for nothing yet */
  mlpl_tensor_zero_grad(x);
  assert_works(cx, mlpl_backward(cx, y, NULL, MLPL_RETAIN_GRAPH));
  assert_values(mlpl_tensor_grad(x), -1 - exp(-1), -1 - exp(-2));
  test_drop_and_close(cx);
}

/* ---- functions of the host --------------------------------------------------------- */

/* out[0] = sum of squares of all inputs, element by element; out[1] = their sum. */
typedef struct squares {
  int n, calls, released, wrong;
} squares;

static mlpl_status squares_backward(mlpl_ctx *cx, void *ud, mlpl_tensor **gx,
    mlpl_tensor *const *gy, mlpl_tensor *const *saved) {
  squares *s = ud;
  s->calls++;
  if (s->wrong == 1) return mlpl_fail(cx, MLPL_ECALLBACK, "the host failed");
  if (s->wrong == 2) return mlpl_tensor_full(cx, &gx[1], MLPL_F64, SIZES(3), 1);
  for (int i = 0; i < s->n; i++) {
    mlpl_tensor *twice, *part;
    if (!saved[i]) continue;
    MLPL_TRY(mlpl_call(cx, &twice, "affine", &saved[i], 1,
        ARGS(ARG("scale", 2), ARG("shift", 0))));
    mlpl_status status = mlpl_call(
        cx, &part, "mul", (mlpl_tensor *[]){twice, gy[0]}, 2, NULL);
    mlpl_tensor_release(twice);
    if (status != MLPL_OK) return status;
    status = mlpl_call(cx, &gx[i], "add", (mlpl_tensor *[]){part, gy[1]}, 2, NULL);
    mlpl_tensor_release(part);
    if (status != MLPL_OK) return status;
  }
  return MLPL_OK;
}

static void release_squares(void *ud) { ((squares *)ud)->released++; }

static mlpl_status forward_squares(
    mlpl_ctx *cx, squares *s, mlpl_tensor *const *x, mlpl_tensor **out) {
  mlpl_tensor *square = NULL;
  out[0] = out[1] = NULL;
  bool was = mlpl_set_grad_enabled(cx, false);
  mlpl_status status = mlpl_tensor_full(cx, &out[0], MLPL_F64, SIZES(2), 0);
  if (status == MLPL_OK) status = mlpl_tensor_full(cx, &out[1], MLPL_F64, SIZES(2), 0);
  for (int i = 0; i < s->n && status == MLPL_OK; i++) {
    status = mlpl_call(cx, &square, "mul", (mlpl_tensor *[]){x[i], x[i]}, 2, NULL);
    for (int k = 0; k < 2 && status == MLPL_OK; k++) {
      mlpl_tensor *sum;
      status = mlpl_call(
          cx, &sum, "add", (mlpl_tensor *[]){out[k], k ? x[i] : square}, 2, NULL);
      if (status != MLPL_OK) break;
      mlpl_tensor_release(out[k]);
      out[k] = sum;
    }
    mlpl_tensor_release(square);
    square = NULL;
  }
  mlpl_set_grad_enabled(cx, was);
  const mlpl_custom_function f = {"squares", squares_backward, release_squares, s};
  if (status == MLPL_OK)
    status = mlpl_record_custom(cx, &f, x, s->n, out, 2, x, s->n);
  if (status != MLPL_OK) {
    mlpl_tensor_release(out[0]);
    mlpl_tensor_release(out[1]);
  }
  return status;
}

/* One node, several, and a chain of many. */
static void functions_of_any_number_of_inputs(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  static const int counts[] = {1, 2, 3, 4, 5, 6, 7, 8, 23, 300};
  for (int k = 0; k < COUNT(counts); k++) {
    squares s = {.n = counts[k]};
    mlpl_tensor *x[300], *out[2], *seeds[] = {VECTOR(cx, 1, 10), VECTOR(cx, 0.5, 0.25)};
    mlpl_tensor *g[300];
    for (int i = 0; i < s.n; i++) {
      const double v[] = {i, -i};
      assert_works(cx, mlpl_tensor_copy(cx, &x[i], MLPL_F64, SIZES(2), v));
      test_leaf(cx, x[i]);
    }
    assert_works(cx, forward_squares(cx, &s, x, out));
    assert_string_equal(mlpl_tensor_grad_fn(out[1]), "squares");
    assert_works(cx, mlpl_grad(cx, g, out, seeds, 2, x, s.n, MLPL_RETAIN_GRAPH));
    for (int i = 0; i < s.n; i++) {
      assert_values(g[i], 2 * i + 0.5, -20 * i + 0.25);
      mlpl_tensor_release(g[i]);
    }
    /* the last input alone, from one output: the other's gradient is zero */
    assert_works(cx, mlpl_grad(cx, g, out, seeds, 1, &x[s.n - 1], 1, 0));
    assert_values(g[0], 2 * (s.n - 1), -20 * (s.n - 1));
    mlpl_tensor_release(g[0]);
    assert_int_equal(s.calls, 2);
    assert_int_equal(s.released, 1); /* with the graph */
    mlpl_tensor_release(out[0]);
    mlpl_tensor_release(out[1]);
    for (int i = 0; i < s.n; i++) mlpl_tensor_release(x[i]);
    test_drop();
  }
  test_close(cx);
}

static mlpl_status apply_squares(
    mlpl_ctx *cx, void *ud, mlpl_tensor **y, mlpl_tensor *const *x, int n) {
  mlpl_tensor *out[2];
  squares *s = ud;
  s->n = n;
  MLPL_TRY(forward_squares(cx, s, x, out));
  mlpl_status status = mlpl_call(cx, y, "mul", out, 2, NULL);
  mlpl_tensor_release(out[0]);
  mlpl_tensor_release(out[1]);
  return status;
}

static mlpl_status grad_of_squares(
    mlpl_ctx *cx, void *ud, mlpl_tensor **y, mlpl_tensor *const *x, int n) {
  mlpl_tensor *f, *seed;
  MLPL_TRY(apply_squares(cx, ud, &f, x, n));
  mlpl_status status = mlpl_tensor_full(cx, &seed, MLPL_F64, SIZES(2), 0.75);
  if (status == MLPL_OK)
    status = mlpl_grad(cx, y, &f, &seed, 1, &x[n - 1], 1, MLPL_CREATE_GRAPH);
  mlpl_tensor_release(seed);
  mlpl_tensor_release(f);
  return status;
}

static void functions_have_first_and_second_derivatives(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  squares s = {.n = 0};
  mlpl_tensor *x[] = {VECTOR(cx, 0.5, 2), VECTOR(cx, -1, 0.3), VECTOR(cx, 0.7, 0.9),
      VECTOR(cx, 1, -2), VECTOR(cx, -0.4, 0.2)};
  for (int i = 0; i < COUNT(x); i++) test_leaf(cx, x[i]);
  assert_works(cx, mlpl_gradcheck(cx, apply_squares, &s, x, COUNT(x), 0, 0, 0));
  assert_works(cx, mlpl_gradcheck(cx, grad_of_squares, &s, x, COUNT(x), 0, 0, 0));
  test_drop_and_close(cx);
}

static void what_functions_refuse(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  squares s = {.n = 2};
  mlpl_tensor *x[] = {test_leaf(cx, VECTOR(cx, 1, 2)), test_leaf(cx, VECTOR(cx, 3, 4))};
  mlpl_tensor *out[2], *label = test_labels(cx, 1, (int64_t[]){1});
  const mlpl_custom_function f = {"squares", squares_backward, release_squares, &s};
  assert_fails(cx, mlpl_record_custom(cx, &f, x, 2, &label, 1, NULL, 0), MLPL_EARG,
      "squares: output 0 is i64; only f32 and f64 have gradients");
  assert_int_equal(s.released, 1);
  assert_works(cx, forward_squares(cx, &s, x, out));
  mlpl_tensor *y = CALL1(cx, "sum", test_hold(out[0]));
  test_hold(out[1]);
  s.wrong = 1;
  assert_fails(cx, mlpl_backward(cx, y, NULL, MLPL_RETAIN_GRAPH), MLPL_ECALLBACK,
      "the host failed");
  s.wrong = 2;
  assert_fails(cx, mlpl_backward(cx, y, NULL, MLPL_RETAIN_GRAPH), MLPL_ESHAPE,
      "squares: input 1 is [2] of f64, the gradient that its backward gave is [3] of f64");
  assert_null(mlpl_tensor_grad(x[0]));
  s.wrong = 0;
  const double new_values[] = {7, 8};
  assert_works(cx, mlpl_tensor_write(cx, x[1], new_values, sizeof new_values));
  assert_fails(cx, mlpl_backward(cx, y, NULL, MLPL_RETAIN_GRAPH), MLPL_ESTATE,
      "backward: tensor 1 that squares saved was changed in place since; its old value is "
      "needed");
  /* nothing is recorded: the host's data goes at once */
  squares other = {.n = 2};
  mlpl_set_grad_enabled(cx, false);
  assert_works(cx, forward_squares(cx, &other, x, out));
  mlpl_set_grad_enabled(cx, true);
  assert_false(mlpl_tensor_requires_grad(test_hold(out[0])));
  test_hold(out[1]);
  assert_int_equal(other.released, 1);
  test_drop_and_close(cx);
}

static void a_function_whose_leaf_was_converted(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_module *m;
  squares s = {.n = 1};
  assert_works(cx, mlpl_module_new(cx, &m, "Linear",
                       ARGS(ARG("in_features", 2), ARG("out_features", 1))));
  assert_works(cx, mlpl_module_to(cx, m, MLPL_F64));
  mlpl_tensor *w = mlpl_module_parameter(m, 0), *out = test_new(cx, MLPL_F64, SIZES(1, 2));
  const mlpl_custom_function f = {"squares", squares_backward, release_squares, &s};
  mlpl_tensor_retain(out);
  assert_works(cx, mlpl_record_custom(cx, &f, &w, 1, &out, 1, NULL, 0));
  s.n = 0;
  mlpl_tensor *y = CALL1(cx, "sum", test_hold(out));
  assert_works(cx, mlpl_module_to(cx, m, MLPL_F32));
  assert_fails(cx, mlpl_backward(cx, y, NULL, 0), MLPL_ESTATE,
      "backward: input 0 of squares was converted to f32 after it was recorded");
  mlpl_module_release(m);
  test_drop_and_close(cx);
}

/* e^x by an output that is saved: no cycle of holders, and it belongs to the graph. */
static mlpl_status exp_backward(mlpl_ctx *cx, void *ud, mlpl_tensor **gx,
    mlpl_tensor *const *gy, mlpl_tensor *const *saved) {
  (void)ud;
  return mlpl_call(cx, gx, "mul", (mlpl_tensor *[]){gy[0], saved[0]}, 2, NULL);
}

static mlpl_status apply_exp(
    mlpl_ctx *cx, void *ud, mlpl_tensor **y, mlpl_tensor *const *x, int n) {
  (void)ud, (void)n;
  bool was = mlpl_set_grad_enabled(cx, false);
  mlpl_status status = mlpl_call(cx, y, "exp", x, 1, NULL);
  mlpl_set_grad_enabled(cx, was);
  if (status != MLPL_OK) return status;
  const mlpl_custom_function f = {"my_exp", exp_backward, NULL, NULL};
  mlpl_tensor *saved = *y;
  status = mlpl_record_custom(cx, &f, x, 1, y, 1, &saved, 1);
  if (status == MLPL_OK) return MLPL_OK;
  mlpl_tensor_release(*y);
  *y = NULL;
  return status;
}

static mlpl_status third_of_exp(
    mlpl_ctx *cx, void *ud, mlpl_tensor **y, mlpl_tensor *const *x, int n) {
  mlpl_tensor *sum, *from = NULL;
  MLPL_TRY(apply_exp(cx, ud, &from, x, n));
  for (int i = 0; i < 2; i++) {
    mlpl_status status = mlpl_call(cx, &sum, "sum", &from, 1, NULL);
    mlpl_tensor_release(from);
    if (status != MLPL_OK) return status;
    status = mlpl_grad(cx, &from, &sum, NULL, 1, x, 1, MLPL_CREATE_GRAPH);
    mlpl_tensor_release(sum);
    if (status != MLPL_OK) return status;
  }
  *y = from;
  return MLPL_OK;
}

static void saved_outputs(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = test_leaf(cx, VECTOR(cx, 0.5, -1)), *y;
  assert_works(cx, mlpl_gradcheck(cx, apply_exp, NULL, &x, 1, 0, 0, 0));
  assert_works(cx, mlpl_gradcheck(cx, third_of_exp, NULL, &x, 1, 0, 0, 0));
  size_t before = live(cx);
  assert_works(cx, apply_exp(cx, NULL, &y, &x, 1)); /* never gone through */
  mlpl_tensor_release(y);
  assert_int_equal(live(cx), before);
  test_drop_and_close(cx);
}

/* ---- Jacobians --------------------------------------------------------------------- */

static void jacobian_of_softmax(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = test_leaf(cx, VECTOR(cx, 0.3, -1, 2, 0.1)), *j;
  mlpl_tensor *y = test_call(cx, "softmax", &x, 1, ARGS(ARG("dim", 0)));
  for (int recorded = 0; recorded <= 1; recorded++) {
    assert_works(
        cx, mlpl_jacobian(cx, &j, y, &x, 1, recorded ? MLPL_CREATE_GRAPH : 0));
    test_hold(j);
    assert_int_equal(j->ndim, 2);
    for (int a = 0; a < 4; a++)
      for (int b = 0; b < 4; b++) {
        double ya = test_element(y, a), yb = test_element(y, b);
        assert_true(fabs(test_element(j, 4 * a + b) - ((a == b) * ya - ya * yb)) < 1e-12);
      }
    assert_int_equal(mlpl_tensor_requires_grad(j), recorded);
  }
  /* the sum of the squares of J, differentiated through J */
  mlpl_tensor *sum = CALL1(cx, "sum", CALL2(cx, "mul", j, j)), *g;
  assert_works(cx, mlpl_grad(cx, &g, &sum, NULL, 1, &x, 1, 0));
  test_hold(g);
  double eps = 1e-6, up[2] = {0};
  for (int k = 0; k < 2; k++) {
    double v[] = {0.3 + (k ? -eps : eps), -1, 2, 0.1};
    mlpl_tensor *z = test_leaf(cx, test_copy(cx, MLPL_F64, SIZES(4), v)), *jz;
    mlpl_tensor *yz = test_call(cx, "softmax", &z, 1, ARGS(ARG("dim", 0)));
    assert_works(cx, mlpl_jacobian(cx, &jz, yz, &z, 1, 0));
    test_hold(jz);
    for (int i = 0; i < 16; i++) up[k] += pow(test_element(jz, i), 2);
  }
  assert_true(fabs(test_element(g, 0) - (up[0] - up[1]) / (2 * eps)) < 1e-8);
  test_drop_and_close(cx);
}

static void jacobians_of_many_inputs(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *a = test_leaf(cx, MATRIX(cx, 2, 2, 1, 2, 3, 4));
  mlpl_tensor *b = test_leaf(cx, VECTOR(cx, 5, 6)), *c = test_leaf(cx, test_scalar(cx, 2));
  mlpl_tensor *y = CALL2(cx, "mul", a, b), *in[] = {a, b, c}, *j[3];
  assert_works(cx, mlpl_jacobian(cx, j, y, in, 3, 0));
  for (int i = 0; i < 3; i++) test_hold(j[i]);
  assert_int_equal(j[0]->ndim, 4);
  assert_values(j[1], 1, 0, 0, 2, 3, 0, 0, 4);
  assert_values(j[2], 0, 0, 0, 0);
  mlpl_tensor *wide = test_leaf(cx, test_new(cx, MLPL_F64, SIZES(1, 1, 1, 1, 1, 1, 1, 1)));
  mlpl_tensor *flat = CALL1(cx, "sum", wide);
  assert_works(cx, mlpl_jacobian(cx, j, flat, &wide, 1, MLPL_CREATE_GRAPH));
  assert_works(cx, mlpl_backward(cx, CALL1(cx, "sum", CALL2(cx, "mul", test_hold(j[0]),
                                                          wide)), NULL, 0));
  assert_values(mlpl_tensor_grad(wide), 1);
  mlpl_tensor *more = CALL1(cx, "neg", wide);
  assert_fails(cx, mlpl_jacobian(cx, j, more, &wide, 1, 0), MLPL_ESHAPE,
      "jacobian: a result of 8 axes by one of inputs of 8 axes; a tensor has at most 8");
  test_drop_and_close(cx);
}

/* ---- differences alone ------------------------------------------------------------- */

static mlpl_status cubes(
    mlpl_ctx *cx, void *ud, mlpl_tensor **y, mlpl_tensor *const *x, int n) {
  mlpl_tensor *square, *cube;
  (void)n;
  MLPL_TRY(mlpl_call(cx, &square, "mul", (mlpl_tensor *[]){x[0], x[0]}, 2, NULL));
  mlpl_status status = mlpl_call(
      cx, &cube, "mul", (mlpl_tensor *[]){square, x[0]}, 2, NULL);
  mlpl_tensor_release(square);
  if (status != MLPL_OK) return status;
  status = mlpl_call(cx, y, ud ? "neg" : "sum", &cube, 1, NULL);
  mlpl_tensor_release(cube);
  return status;
}

static void numeric_gradients(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(1);
  mlpl_tensor *x = VECTOR(cx, 1, -2), *g;
  assert_works(cx, mlpl_numeric_grad(cx, &g, cubes, NULL, &x, 1, 0));
  assert_near(test_hold(g), 1e-8, 3, 12);
  assert_values(x, 1, -2);
  mlpl_tensor *f = test_copy(cx, MLPL_F32, SIZES(2), VALUES(1, -2));
  assert_works(cx, mlpl_numeric_grad(cx, &g, cubes, NULL, &f, 1, 0));
  assert_near(test_hold(g), 1e-3, 3, 12);
  assert_fails(cx, mlpl_numeric_grad(cx, &g, cubes, cx, &x, 1, 0), MLPL_ESHAPE,
      "numeric_grad: the result is [2]; it must be a single number");
  assert_values(x, 1, -2);
  mlpl_tensor *i = test_labels(cx, 1, (int64_t[]){1});
  assert_fails(cx, mlpl_numeric_grad(cx, &g, cubes, NULL, &i, 1, 0), MLPL_EARG,
      "numeric_grad: input 1 is i64; it must be f32 or f64");
  test_drop_and_close(cx);
}

/* ---- the first NaN ----------------------------------------------------------------- */

static void say_where(void *ud, char *text, size_t size) {
  snprintf(text, size, "train.lua:%d", *(int *)ud);
}

static mlpl_status call1(mlpl_ctx *cx, const char *op, mlpl_tensor *x) {
  mlpl_tensor *out[MLPLI_MAX_OUTPUTS] = {NULL};
  mlpl_status status = mlpl_call(cx, out, op, &x, 1, NULL);
  test_hold(out[0]);
  test_hold(out[1]);
  return status;
}

static void the_first_that_is_no_number(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(1);
  int line = 7;
  mlpl_set_anomaly(cx, true, say_where, &line);
  assert_true(mlpl_anomaly(cx));
  mlpl_tensor *x = test_leaf(cx, VECTOR(cx, 4, 0, -1));
  assert_fails(cx, call1(cx, "sqrt", x), MLPL_ENUMERIC,
      "sqrt: element 3 of the result [3] is NaN, the first there is; called at "
      "train.lua:7");
  assert_fails(cx, call1(cx, "exp", VECTOR(cx, 1, 1000)), MLPL_ENUMERIC,
      "exp: element 2 of the result [2] is infinite, the first there is; called at "
      "train.lua:7");
  assert_fails(cx, call1(cx, "neg", VECTOR(cx, 1, NAN)), MLPL_ENUMERIC,
      "neg: element 2 of input is NaN, which no operation made since anomaly detection is "
      "on; called at train.lua:7");
  /* masks are made of infinity */
  assert_works(cx, call1(cx, "exp", VECTOR(cx, 1, -INFINITY)));
  assert_works(cx, call1(cx, "neg", VECTOR(cx, 1, -INFINITY)));
  /* sqrt'(0) is infinite: the text says where sqrt was called, not backward */
  mlpl_tensor *zero = test_leaf(cx, VECTOR(cx, 4, 0)), *y = CALL1(cx, "sqrt", zero);
  line = 8;
  mlpl_tensor *sum = CALL1(cx, "sum", y);
  line = 9;
  assert_fails(cx, mlpl_backward(cx, sum, NULL, MLPL_RETAIN_GRAPH), MLPL_ENUMERIC,
      "backward: element 2 of the gradient of input of sqrt is infinite, the first there "
      "is; called at train.lua:7");
  mlpl_tensor_zero_grad(zero);
  mlpl_set_anomaly(cx, false, NULL, NULL);
  assert_works(cx, mlpl_backward(cx, sum, NULL, 0));
  assert_works(cx, call1(cx, "sqrt", x));
  test_drop_and_close(cx);
}

/* ---- memory ------------------------------------------------------------------------ */

/* While backward goes through a deep net it lets go of what it has been through: the peak
   is that of the forward pass, and a gradient or two. */
static void memory_falls_during_the_pass(void **state) {
  (void)state;
  enum { DEPTH = 64, N = 1 << 14, BYTES = N * 4 };
  mlpl_ctx *cx = test_open(0);
  size_t peak[2];
  for (int retain = 0; retain <= 1; retain++) {
    mlpl_tensor *x = test_leaf(cx, test_new(cx, MLPL_F32, SIZES(N))), *y, *next;
    y = mlpl_tensor_retain(x);
    for (int i = 0; i < DEPTH; i++) {
      assert_works(cx, mlpl_call(cx, &next, "exp", &y, 1, NULL));
      mlpl_tensor_release(y);
      assert_works(cx, mlpl_call(cx, &y, "tanh", &next, 1, NULL));
      mlpl_tensor_release(next);
    }
    assert_works(cx, mlpl_call(cx, &next, "sum", &y, 1, NULL));
    mlpl_tensor_release(y);
    size_t recorded = live(cx);
    mlpl_memory_reset_peak(cx);
    mlpl_tensor_retain(x);
    assert_works(cx, mlpl_backward(cx, next, NULL, retain ? MLPL_RETAIN_GRAPH : 0));
    peak[retain] = mlpl_memory_use(cx).peak - recorded;
    if (!retain) assert_true(live(cx) < recorded - DEPTH * 2 * BYTES + 4 * BYTES);
    if (retain) assert_true(live(cx) >= recorded);
    mlpl_tensor_release(next);
    mlpl_tensor_release(x);
    test_drop();
  }
  assert_true(peak[0] <= 4 * BYTES);
  assert_true(peak[1] <= 5 * BYTES);
  test_close(cx);
}

/* Everything here, with every allocation failing. */
static mlpl_status everything(mlpl_ctx *cx, void *ud) {
  (void)ud;
  char log[64] = "";
  probe p = {.log = log, .letter = 'p', .factor = 2};
  squares s = {.n = 0};
  mlpl_tensor *x[6] = {NULL}, *y = NULL, *j[6] = {NULL}, *g = NULL, *z = NULL;
  mlpl_hook *h = NULL;
  mlpl_status status = MLPL_OK;
  for (int i = 0; i < 6 && status == MLPL_OK; i++) {
    status = mlpl_tensor_full(cx, &x[i], MLPL_F64, SIZES(2), 0.5 + i);
    if (status == MLPL_OK) status = mlpl_tensor_set_requires_grad(cx, x[i], true);
  }
  if (status == MLPL_OK)
    status = mlpl_tensor_register_hook(cx, &h, x[2], call_probe, release_probe, &p);
  if (status == MLPL_OK) status = apply_squares(cx, &s, &y, x, 6);
  if (status == MLPL_OK) status = mlpl_tensor_retain_grad(cx, y);
  if (status == MLPL_OK) status = mlpl_jacobian(cx, j, y, x, 6, MLPL_CREATE_GRAPH);
  if (status == MLPL_OK) status = mlpl_call(cx, &z, "sum", &j[3], 1, NULL);
  if (status == MLPL_OK)
    status = mlpl_grad(cx, &g, &z, NULL, 1, &x[4], 1, MLPL_RETAIN_GRAPH);
  if (status == MLPL_OK) status = mlpl_backward(cx, z, NULL, 0);
  mlpl_hook_release(h);
  mlpl_tensor_release(g);
  mlpl_tensor_release(z);
  mlpl_tensor_release(y);
  for (int i = 0; i < 6; i++) {
    mlpl_tensor_release(j[i]);
    if (x[i]) mlpl_tensor_zero_grad(x[i]);
    mlpl_tensor_release(x[i]);
  }
  if (p.released > 1) return MLPL_ESTATE;
  return status;
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  test_every_failure(everything, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(chosen_inputs_alone),
      cmocka_unit_test(the_rest_of_the_graph_stays),
      cmocka_unit_test(several_outputs_with_seeds),
      cmocka_unit_test(gradients_belong_to_the_caller),
      cmocka_unit_test(what_grad_refuses),
      cmocka_unit_test(backward_into_chosen_tensors),
      cmocka_unit_test(checkpoints_give_to_all_their_leaves),
      cmocka_unit_test(hooks_see_the_whole_gradient_in_order),
      cmocka_unit_test(hooks_of_inputs_of_grad),
      cmocka_unit_test(a_hook_may_remove_hooks),
      cmocka_unit_test(what_hooks_refuse),
      cmocka_unit_test(a_tensor_that_is_gone_keeps_nothing),
      cmocka_unit_test(cut_from_the_graph),
      cmocka_unit_test(a_pass_inside_a_pass),
      cmocka_unit_test(functions_of_any_number_of_inputs),
      cmocka_unit_test(functions_have_first_and_second_derivatives),
      cmocka_unit_test(what_functions_refuse),
      cmocka_unit_test(a_function_whose_leaf_was_converted),
      cmocka_unit_test(saved_outputs),
      cmocka_unit_test(jacobian_of_softmax),
      cmocka_unit_test(jacobians_of_many_inputs),
      cmocka_unit_test(numeric_gradients),
      cmocka_unit_test(the_first_that_is_no_number),
      cmocka_unit_test(memory_falls_during_the_pass),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests_name("grads", tests, NULL, NULL);
}
