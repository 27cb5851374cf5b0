/*
** The backward pass: where gradients go, what is freed when, what is refused, and that a
** failure in the middle leaves a state that works.
*/
#include "tensor_test.h"

#include "grad/grad.h"

static size_t live(const mlpl_ctx *cx) { return mlpl_memory_use(cx).live; }

/* ---- gradients of leaves ----------------------------------------------------------- */

static void gradients_add_up(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = test_leaf(cx, VECTOR(cx, 1, 2));
  assert_null(mlpl_tensor_grad(x));
  assert_works(cx, mlpl_backward(cx, CALL1(cx, "sum", CALL2(cx, "mul", x, x)), NULL, 0));
  assert_values(mlpl_tensor_grad(x), 2, 4);
  mlpl_tensor *grad = mlpl_tensor_grad(x);
  assert_works(cx, mlpl_backward(cx, CALL1(cx, "sum", x), NULL, 0));
  assert_values(mlpl_tensor_grad(x), 3, 5);
  assert_ptr_equal(mlpl_tensor_grad(x), grad); /* whoever holds it sees what is added */
  assert_false(mlpl_tensor_requires_grad(grad));
  test_drop_and_close(cx);
}

static void a_leaf_is_its_own_result(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = test_leaf(cx, test_scalar(cx, 3));
  assert_works(cx, mlpl_backward(cx, x, NULL, 0));
  assert_values(mlpl_tensor_grad(x), 1);
  mlpl_tensor *v = test_leaf(cx, VECTOR(cx, 1, 2)), *seed = VECTOR(cx, 5, 6);
  assert_works(cx, mlpl_backward(cx, v, seed, 0));
  assert_values(mlpl_tensor_grad(v), 5, 6);
  assert_true(
      mlpl_tensor_grad(v)->data != seed->data); /* a gradient has memory of its own */
  test_drop_and_close(cx);
}

static void zero_grad_keeps_memory_that_nobody_shares(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = test_leaf(cx, VECTOR(cx, 1, 2));
  for (int linear = 0; linear <= 1;
       linear++) { /* by mlpli_give and by mlpli_grad_target */
    mlpl_tensor *w = test_leaf(cx, MATRIX(cx, 1, 2, 1, 1));
    mlpl_tensor *y = linear ? CALL2(cx, "linear", VECTOR(cx, 3, 4), w)
                            : CALL2(cx, "mul", x, VECTOR(cx, 3, 4));
    mlpl_tensor *leaf = linear ? w : x, *sum = CALL1(cx, "sum", y);
    assert_works(cx, mlpl_backward(cx, sum, NULL, MLPL_RETAIN_GRAPH));
    const void *memory = mlpl_tensor_data(mlpl_tensor_grad(leaf));
    mlpl_tensor_zero_grad(leaf);
    assert_null(mlpl_tensor_grad(leaf));
    assert_works(cx, mlpl_backward(cx, sum, NULL, MLPL_RETAIN_GRAPH));
    assert_ptr_equal(mlpl_tensor_data(mlpl_tensor_grad(leaf)), memory);
    assert_values(mlpl_tensor_grad(leaf), 3, 4);
    mlpl_tensor *kept = test_hold(mlpl_tensor_retain(mlpl_tensor_grad(leaf)));
    mlpl_tensor_zero_grad(leaf);
    assert_works(cx, mlpl_backward(cx, sum, NULL, 0));
    assert_true(mlpl_tensor_data(mlpl_tensor_grad(leaf)) != memory);
    assert_values(kept, 3, 4);
    mlpl_tensor_zero_grad(leaf);
    mlpl_tensor_zero_grad(leaf);
  }
  test_drop_and_close(cx);
}

/* A view of the gradient counts as a holder too. */
static void zero_grad_leaves_views_of_the_gradient_alone(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = test_leaf(cx, VECTOR(cx, 1, 2)), *view;
  assert_works(cx, mlpl_backward(cx, CALL1(cx, "sum", x), NULL, 0));
  assert_works(cx, mlpl_tensor_detach(cx, &view, mlpl_tensor_grad(x)));
  test_hold(view);
  mlpl_tensor_zero_grad(x);
  assert_works(cx, mlpl_backward(cx, CALL1(cx, "sum", CALL1(cx, "exp", x)), NULL, 0));
  assert_values(view, 1, 1);
  test_drop_and_close(cx);
}

/* ---- graphs of several shapes ------------------------------------------------------ */

static void diamonds_and_branches(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = test_leaf(cx, test_scalar(cx, 2));
  /* a = x^2, y = a exp(a) + a: dy/dx = (exp(a) (1 + a) + 1) 2 x */
  mlpl_tensor *a = CALL2(cx, "mul", x, x), *b = CALL1(cx, "exp", a);
  assert_works(
      cx, mlpl_backward(cx, CALL2(cx, "add", CALL2(cx, "mul", a, b), a), NULL, 0));
  assert_values(mlpl_tensor_grad(x), (exp(4) * 5 + 1) * 4);
  mlpl_tensor_zero_grad(x);
  mlpl_tensor *sum = test_scalar(cx, 0); /* 100 branches of one node */
  for (int i = 0; i < 100; i++) sum = CALL2(cx, "add", CALL1(cx, "neg", a), sum);
  assert_fails(
      cx, mlpl_backward(cx, sum, NULL, 0), MLPL_ESTATE, "freed"); /* a was spent above */
  mlpl_tensor_zero_grad(x);
  a = CALL2(cx, "mul", x, x), sum = test_scalar(cx, 0);
  for (int i = 0; i < 100; i++) sum = CALL2(cx, "add", CALL1(cx, "neg", a), sum);
  assert_works(cx, mlpl_backward(cx, sum, NULL, 0));
  assert_values(mlpl_tensor_grad(x), -400);
  test_drop_and_close(cx);
}

/* The same weight in two layers, once through a view. */
static void shared_parameters(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *w = test_leaf(cx, MATRIX(cx, 2, 2, 1, 2, 3, 4)),
              *x = MATRIX(cx, 1, 2, 5, 6);
  mlpl_tensor *y = CALL2(cx, "matmul", CALL2(cx, "matmul", x, w), CALL1(cx, "t", w));
  assert_works(cx, mlpl_backward(cx, CALL1(cx, "sum", y), NULL, 0));
  /* h = x w = [23 34]; y = h w^T: dw = x^T (1 w) + 1^T h, 1 w = [4 6] */
  assert_values(mlpl_tensor_grad(w), 20 + 23, 30 + 34, 24 + 23, 36 + 34);
  test_drop_and_close(cx);
}

/* One gradient tensor handed to two operations must not be added to in place. */
static void shared_gradients_stay_apart(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = test_leaf(cx, VECTOR(cx, 1, 2)), *z = test_leaf(cx, VECTOR(cx, 3, 4));
  mlpl_tensor *a = CALL1(cx, "neg", x), *b = CALL1(cx, "neg", z);
  mlpl_tensor *c = CALL2(cx, "add", a, b);                   /* the same g to a and b */
  mlpl_tensor *d = CALL2(cx, "add", c, CALL1(cx, "exp", a)); /* more for a */
  mlpl_tensor *seed = VECTOR(cx, 1, 10);
  assert_works(cx, mlpl_backward(cx, d, seed, 0));
  assert_values(mlpl_tensor_grad(x), -(1 + exp(-1)), -10 * (1 + exp(-2)));
  assert_values(mlpl_tensor_grad(z), -1, -10);
  assert_values(seed, 1, 10);
  test_drop_and_close(cx);
}

static mlpl_tensor *chain(mlpl_ctx *cx, mlpl_tensor *x, int n) {
  mlpl_tensor *at = mlpl_tensor_retain(x), *next;
  for (int i = 0; i < n; i++) {
    assert_works(cx, mlpl_call(cx, &next, i % 2 ? "neg" : "tanh", &at, 1, NULL));
    mlpl_tensor_release(at);
    at = next;
  }
  return at;
}

/* Deeper than any stack, were they freed or walked by recursion. */
static void deep_chains_need_no_stack(void **state) {
  (void)state;
  enum { DEPTH = 100000 };
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x =
      test_leaf(cx, test_scalar(cx, 0)); /* tanh'(0) = 1, so the gradient stays 1 */
  size_t before = live(cx);
  mlpl_tensor *y = chain(cx, x, DEPTH);
  mlpl_tensor_release(y);
  assert_int_equal(live(cx), before);
  y = chain(cx, x, DEPTH);
  assert_works(cx, mlpl_backward(cx, y, NULL, 0));
  assert_values(mlpl_tensor_grad(x), 1);
  mlpl_tensor_release(y);
  mlpl_tensor_zero_grad(x);
  y = chain(cx, x, DEPTH);
  assert_works(cx, mlpl_backward(cx, y, NULL, MLPL_RETAIN_GRAPH));
  mlpl_tensor_release(y);
  assert_true(live(cx) <= before + 1024); /* the gradient */
  test_drop_and_close(cx);
}

/* Backward frees the graph as it goes; what the tensors still held keep is their own. */
static void memory_goes_with_the_graph(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = test_leaf(cx, test_new(cx, MLPL_F32, SIZES(1000))), *y, *z, *s;
  assert_works(cx,
      mlpl_backward(cx, CALL1(cx, "sum", x), NULL, 0)); /* x has its gradient's memory */
  size_t before = live(cx);
  assert_works(cx, mlpl_call(cx, &y, "exp", &x, 1, NULL));
  assert_works(cx, mlpl_call(cx, &z, "exp", &y, 1, NULL));
  assert_works(cx, mlpl_call(cx, &s, "sum", &z, 1, NULL));
  mlpl_tensor_release(y);
  mlpl_tensor_release(z);
  size_t recorded = live(cx);
  assert_true(recorded > before + 8000); /* both results are kept for backward */
  assert_works(cx, mlpl_backward(cx, s, NULL, 0));
  assert_true(live(cx) < before + 4000);
  mlpl_tensor_release(s);
  assert_int_equal(live(cx), before);
  test_drop_and_close(cx);
}

/* ---- once, twice, and what stands in the way --------------------------------------- */

static void retain_graph(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = test_leaf(cx, VECTOR(cx, 1, 2)),
              *y = CALL1(cx, "sum", CALL1(cx, "exp", x));
  assert_works(cx, mlpl_backward(cx, y, NULL, MLPL_RETAIN_GRAPH));
  assert_works(cx, mlpl_backward(cx, y, NULL, MLPL_RETAIN_GRAPH));
  assert_works(cx, mlpl_backward(cx, y, NULL, 0));
  assert_values(mlpl_tensor_grad(x), 3 * exp(1), 3 * exp(2));
  assert_fails(cx, mlpl_backward(cx, y, NULL, 0), MLPL_ESTATE,
      "backward: the graph below sum was freed by an earlier backward; to go through it "
      "twice, pass retain_graph to the first; a state that one step hands to the next "
      "wants :detach()");
  assert_values(mlpl_tensor_grad(x), 3 * exp(1), 3 * exp(2));
  test_drop_and_close(cx);
}

static void changes_in_place_are_found(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = test_leaf(cx, VECTOR(cx, 1, 2)), *k = VECTOR(cx, 3, 4);
  const double new_values[] = {7, 8};
  mlpl_tensor *y = CALL1(cx, "sum", CALL2(cx, "mul", x, k));
  assert_works(cx, mlpl_tensor_write(cx, k, new_values, sizeof new_values));
  assert_fails(cx, mlpl_backward(cx, y, NULL, 0), MLPL_ESTATE,
      "backward: b of mul was changed in place after it was recorded; its old value is "
      "needed");
  mlpl_tensor *e = CALL1(cx, "exp", x);
  y = CALL1(cx, "sum", e);
  assert_works(cx, mlpl_tensor_write(cx, e, new_values, sizeof new_values));
  assert_fails(cx, mlpl_backward(cx, y, NULL, 0), MLPL_ESTATE,
      "backward: the result of exp was changed in place after it was recorded; its old "
      "value is needed");
  /* by a view, and by an initialiser */
  mlpl_tensor *v = CALL2(cx, "mul", x, k), *view;
  assert_works(cx, mlpl_tensor_detach(cx, &view, k));
  test_hold(view);
  assert_works(cx, mlpl_init(cx, view, "ones", NULL));
  assert_fails(cx, mlpl_backward(cx, v, k, 0), MLPL_ESTATE,
      "backward: b of mul was changed in place");
  /* what backward does not read may change */
  y = CALL1(cx, "sum", CALL2(cx, "add", x, k));
  assert_works(cx, mlpl_tensor_write(cx, k, new_values, sizeof new_values));
  mlpl_tensor_zero_grad(x);
  assert_works(cx, mlpl_backward(cx, y, NULL, 0));
  assert_values(mlpl_tensor_grad(x), 1, 1);
  test_drop_and_close(cx);
}

static void seeds(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = test_leaf(cx, MATRIX(cx, 2, 2, 1, 2, 3, 4)), *y = CALL1(cx, "neg", x);
  assert_fails(cx, mlpl_backward(cx, y, NULL, 0), MLPL_ESHAPE,
      "backward: the tensor is [2x2]; only from a single number can gradients start by "
      "themselves, give one of this "
      "shape or reduce it (:sum(), :mean())");
  assert_fails(cx, mlpl_backward(cx, y, VECTOR(cx, 1, 2), 0), MLPL_ESHAPE,
      "backward: the tensor is [2x2] of f64, the gradient given is [2] of f64");
  assert_fails(cx, mlpl_backward(cx, y, test_new(cx, MLPL_F32, SIZES(2, 2)), 0),
      MLPL_ESHAPE,
      "backward: the tensor is [2x2] of f64, the gradient given is [2x2] of f32");
  assert_null(mlpl_tensor_grad(x));
  mlpl_tensor *turned =
      CALL1(cx, "t", MATRIX(cx, 2, 2, 1, 2, 3, 4)); /* strides of any kind */
  assert_works(cx, mlpl_backward(cx, y, turned, 0));
  assert_values(mlpl_tensor_grad(x), -1, -3, -2, -4);
  mlpl_tensor *row = VECTOR(cx, 5, 6);
  int64_t sizes[] = {2, 2};
  mlpl_arg args[] = {{.name = "sizes", .value = 2, .sizes = sizes}, {0}};
  mlpl_tensor *wide = test_call(cx, "expand", &row, 1, args);
  mlpl_tensor_zero_grad(x);
  assert_works(cx, mlpl_backward(cx, CALL1(cx, "neg", x), wide, 0));
  assert_values(mlpl_tensor_grad(x), -5, -6, -5, -6);
  test_drop_and_close(cx);
}

static void tensors_without_a_graph(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = VECTOR(cx, 1, 2), *cut;
  static const char *const text =
      "backward: nothing was recorded for this tensor; no input of it requires a "
      "gradient, it was made under no_grad, it is a gradient computed "
      "without create_graph, or it is a constant: the gradient of a "
      "function that is linear piece by piece (ReLU)";
  assert_fails(cx, mlpl_backward(cx, CALL1(cx, "sum", x), NULL, 0), MLPL_ESTATE, text);
  test_leaf(cx, x);
  assert_true(mlpl_set_grad_enabled(cx, false));
  mlpl_tensor *y = CALL1(cx, "sum", x);
  assert_false(mlpl_tensor_requires_grad(y));
  assert_false(mlpl_grad_enabled(cx));
  assert_false(mlpl_set_grad_enabled(cx, true));
  assert_fails(cx, mlpl_backward(cx, y, NULL, 0), MLPL_ESTATE, text);
  mlpl_tensor *e = CALL1(cx, "exp", x);
  assert_true(mlpl_tensor_requires_grad(e));
  assert_works(cx, mlpl_tensor_detach(cx, &cut, e));
  test_hold(cut);
  assert_false(mlpl_tensor_requires_grad(cut));
  assert_ptr_equal(mlpl_tensor_data(cut), mlpl_tensor_data(e));
  assert_fails(cx, mlpl_backward(cx, CALL1(cx, "sum", cut), NULL, 0), MLPL_ESTATE, text);
  /* half of the product is cut off */
  assert_works(
      cx, mlpl_backward(cx, CALL1(cx, "sum", CALL2(cx, "mul", x, cut)), NULL, 0));
  assert_values(mlpl_tensor_grad(x), exp(1), exp(2));
  /* rows without a gradient record nothing */
  assert_false(mlpl_tensor_requires_grad(CALL1(cx, "argmax", x)));
  assert_false(mlpl_tensor_requires_grad(CALL1(cx, "isnan", x)));
  test_drop_and_close(cx);
}

static void requires_grad_is_for_real_leaves(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *i = test_new(cx, MLPL_I64, SIZES(2)), *x = test_leaf(cx, VECTOR(cx, 1, 2));
  assert_fails(cx, mlpl_tensor_set_requires_grad(cx, i, true), MLPL_EARG,
      "requires_grad: dtype is i64; only f32 and f64 have gradients");
  assert_works(cx, mlpl_tensor_set_requires_grad(cx, i, false));
  mlpl_tensor *y = CALL1(cx, "exp", x);
  for (int on = 0; on <= 1; on++)
    assert_fails(cx, mlpl_tensor_set_requires_grad(cx, y, on), MLPL_ESTATE,
        "requires_grad: the tensor is the result of exp; only leaves may be set, use "
        "detach first");
  assert_works(cx, mlpl_tensor_set_requires_grad(cx, x, false));
  assert_false(mlpl_tensor_requires_grad(x));
  assert_true(mlpl_tensor_requires_grad(y)); /* was recorded before */
  assert_works(cx, mlpl_backward(cx, CALL1(cx, "sum", y), NULL, 0));
  test_drop_and_close(cx);
}

/* ---- memory runs out --------------------------------------------------------------- */

/* A net of every kind of backward: products, a fused layer, views, a loss, a diamond. */
static mlpl_status net(mlpl_ctx *cx, mlpl_tensor *w, mlpl_tensor **loss) {
  mlpl_tensor *t[8] = {NULL}, *x = NULL, *y = NULL;
  mlpl_arg relu[] = {{.name = "activation", .text = "relu"}, {0}};
  mlpl_status status = mlpl_tensor_full(cx, &x, MLPL_F64, SIZES(2, 3), 0.5);
  if (status == MLPL_OK) status = mlpl_tensor_full(cx, &y, MLPL_I64, SIZES(2), 1);
  if (status == MLPL_OK)
    status = mlpl_call(cx, &t[0], "linear", (mlpl_tensor *[]){x, w}, 2, relu);
  if (status == MLPL_OK) status = mlpl_call(cx, &t[1], "t", &w, 1, NULL);
  if (status == MLPL_OK)
    status = mlpl_call(cx, &t[2], "matmul", (mlpl_tensor *[]){t[0], t[1]}, 2, NULL);
  if (status == MLPL_OK) status = mlpl_call(cx, &t[3], "tanh", &t[2], 1, NULL);
  if (status == MLPL_OK)
    status = mlpl_call(cx, &t[4], "mul", (mlpl_tensor *[]){t[3], t[2]}, 2, NULL);
  if (status == MLPL_OK)
    status = mlpl_call(cx, &t[5], "add", (mlpl_tensor *[]){t[4], t[0]}, 2, NULL);
  *loss = NULL;
  if (status == MLPL_OK)
    status = mlpl_call(cx, loss, "cross_entropy", (mlpl_tensor *[]){t[5], y}, 2, NULL);
  for (int i = 0; i < COUNT(t); i++) mlpl_tensor_release(t[i]);
  mlpl_tensor_release(x);
  mlpl_tensor_release(y);
  return status;
}

static mlpl_status make_weight(mlpl_ctx *cx, mlpl_tensor **w) {
  static const double v[] = {0.1, 0.2, -0.3, 0.4, -0.5, 0.6, 0.7, 0.8, -0.9};
  MLPL_TRY(mlpl_tensor_copy(cx, w, MLPL_F64, SIZES(3, 3), v));
  (*w)->requires_grad = true;
  return MLPL_OK;
}

static mlpl_status forward_and_backward(mlpl_ctx *cx, void *ud) {
  const int *flags = ud;
  mlpl_tensor *w, *loss;
  MLPL_TRY(make_weight(cx, &w));
  mlpl_status status = net(cx, w, &loss);
  if (status == MLPL_OK) status = mlpl_backward(cx, loss, NULL, *flags);
  mlpl_tensor_zero_grad(
      w); /* a recorded gradient holds the graph, and the graph the leaf */
  mlpl_tensor_release(loss);
  mlpl_tensor_release(w);
  return status;
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  test_every_failure(forward_and_backward, &(int){0});
  test_every_failure(forward_and_backward, &(int){MLPL_RETAIN_GRAPH});
  test_every_failure(forward_and_backward, &(int){MLPL_CREATE_GRAPH});
}

/* The graph is kept; a pass that failed leaves no half gradients in it. */
static void a_failed_pass_leaves_a_graph_that_works(void **state) {
  (void)state;
  for (int flags = MLPL_RETAIN_GRAPH; flags <= MLPL_CREATE_GRAPH; flags++) {
    test_heap h;
    mlpl_ctx *cx;
    mlpl_tensor *w, *loss;
    double expected[9];
    int failed = 0;
    test_heap_init(&h);
    assert_int_equal(
        mlpl_open(&cx, &(mlpl_config){.allocator = &h.allocator, .threads = 1}), MLPL_OK);
    assert_works(cx, make_weight(cx, &w));
    assert_works(cx, net(cx, w, &loss));
    assert_works(cx, mlpl_backward(cx, loss, NULL, MLPL_RETAIN_GRAPH));
    for (int i = 0; i < 9; i++) expected[i] = test_element(mlpl_tensor_grad(w), i);
    for (uint64_t n = 1;; n++) {
      mlpl_tensor_zero_grad(w);
      mlpl_memory_trim(cx);
      test_heap_fail(&h, n, false);
      mlpl_status status = mlpl_backward(cx, loss, NULL, flags);
      test_heap_fail(&h, 0, false);
      if (status == MLPL_OK) break;
      assert_int_equal(status, MLPL_ENOMEM);
      mlpl_tensor_zero_grad(w);
      assert_works(cx, mlpl_backward(cx, loss, NULL, MLPL_RETAIN_GRAPH));
      test_near(mlpl_tensor_grad(w), expected, 1e-15, __FILE__, __LINE__);
      failed++;
    }
    assert_true(failed >= 3); /* tensors are one block each */
    mlpl_tensor_zero_grad(w);
    mlpl_tensor_release(loss);
    mlpl_tensor_release(w);
    mlpl_close(cx);
    assert_int_equal(h.blocks, 0);
    assert_int_equal(h.broken, 0);
  }
}

/* An error in the middle for a reason other than memory: nodes on both sides of it
   stay usable. */
static void an_error_in_the_middle(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = test_leaf(cx, VECTOR(cx, 1, 2)), *k = VECTOR(cx, 3, 4);
  const double k_values[] = {3, 4};
  mlpl_tensor *a = CALL1(cx, "neg", x), *bad = CALL2(cx, "mul", a, k),
              *y = CALL1(cx, "sum", CALL2(cx, "add", bad, a));
  size_t before = live(cx);
  assert_works(cx, mlpl_tensor_write(cx, k, k_values, sizeof k_values));
  assert_fails(cx, mlpl_backward(cx, y, NULL, MLPL_RETAIN_GRAPH), MLPL_ESTATE,
      "b of mul was changed in place");
  assert_int_equal(live(cx), before);
  mlpl_tensor_zero_grad(x);
  assert_works(cx,
      mlpl_backward(cx, CALL1(cx, "sum", a), NULL, 0)); /* nothing is left over in a */
  assert_values(mlpl_tensor_grad(x), -1, -1);
  test_drop_and_close(cx);
}

/* ---- gradients of gradients -------------------------------------------------------- */

/* loss of a net 2 - 3 - 1 with tanh, its 13 weights in one leaf. */
static mlpl_tensor *small_loss(mlpl_ctx *cx, mlpl_tensor *w) {
  static const int64_t start[] = {0, 6, 9, 12}, length[] = {6, 3, 3, 1};
  static const int64_t shape[][2] = {{3, 2}, {1, 3}, {1, 3}, {1, 1}};
  mlpl_tensor *part[4], *x = MATRIX(cx, 4, 2, 0, 0, 0, 1, 1, 0, 1, 1),
                        *t = MATRIX(cx, 4, 1, 0, 1, 1, 0);
  for (int i = 0; i < 4; i++) {
    mlpl_tensor *cut = test_call(cx, "narrow", &w, 1,
        ARGS(ARG("dim", 0), ARG("start", (double)start[i]),
            ARG("length", (double)length[i])));
    part[i] = test_call(
        cx, "reshape", &cut, 1, ARGS({.name = "sizes", .value = 2, .sizes = shape[i]}));
  }
  mlpl_tensor *h =
      CALL1(cx, "tanh", CALL2(cx, "add", CALL2(cx, "linear", x, part[0]), part[1]));
  mlpl_tensor *y = CALL2(cx, "add", CALL2(cx, "linear", h, part[2]), part[3]);
  return CALL2(cx, "mse_loss", y, t);
}

/* Column i of the Hessian: the gradient of gradient element i. */
static void hessian_column(mlpl_ctx *cx, mlpl_tensor *w, int i, double *column) {
  mlpl_tensor *loss = small_loss(cx, w);
  assert_works(cx, mlpl_backward(cx, loss, NULL, MLPL_CREATE_GRAPH));
  mlpl_tensor *g = test_hold(mlpl_tensor_retain(mlpl_tensor_grad(w)));
  assert_true(mlpl_tensor_requires_grad(g));
  mlpl_tensor_zero_grad(w);
  mlpl_tensor *one = test_call(cx, "select", &g, 1, ARGS(ARG("dim", 0), ARG("index", i)));
  assert_works(cx, mlpl_backward(cx, one, NULL, 0));
  assert_works(
      cx, mlpl_tensor_read(cx, mlpl_tensor_grad(w), column, 13 * sizeof *column));
  mlpl_tensor_zero_grad(w);
}

static void gradient(mlpl_ctx *cx, const double *v, double *g) {
  mlpl_tensor *w = test_leaf(cx, test_copy(cx, MLPL_F64, 1, (int64_t[]){13}, v));
  assert_works(cx, mlpl_backward(cx, small_loss(cx, w), NULL, 0));
  assert_works(cx, mlpl_tensor_read(cx, mlpl_tensor_grad(w), g, 13 * sizeof *g));
  test_drop();
}

static void hessian_agrees_with_differences(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  double v[13], column[13], up[13], down[13];
  uint64_t random = 4;
  for (int i = 0; i < 13; i++) v[i] = test_between(&random, -1, 1);
  for (int i = 0; i < 13; i++) {
    const double was = v[i];
    mlpl_tensor *w = test_leaf(cx, test_copy(cx, MLPL_F64, 1, (int64_t[]){13}, v));
    hessian_column(cx, w, i, column);
    test_drop();
    v[i] = was + 1e-5, gradient(cx, v, up);
    v[i] = was - 1e-5, gradient(cx, v, down);
    v[i] = was;
    for (
        int j = 0; j < 13;
        j++) /* differences of second order: about 1e-10, and rounding over the step 1e-11 */
      assert_true(fabs(column[j] - (up[j] - down[j]) / 2e-5) < 1e-8);
  }
  test_close(cx);
}

/* The third derivative of x^4 by three passes: 24 x. */
static void passes_nest(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = test_leaf(cx, test_scalar(cx, 3)),
              *y = CALL2(cx, "pow", x, test_scalar(cx, 4));
  static const double expected[] = {108, 108, 72, 24};
  for (int i = 0; i < 4; i++) {
    assert_works(cx, mlpl_backward(cx, y, NULL, MLPL_CREATE_GRAPH));
    y = test_hold(mlpl_tensor_retain(mlpl_tensor_grad(x)));
    mlpl_tensor_zero_grad(x);
    assert_near(y, 1e-12, expected[i]);
  }
  test_drop_and_close(cx);
}

/* Gradients added to a recorded one stay recorded. */
static void recorded_gradients_add_up(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = test_leaf(cx, test_scalar(cx, 3));
  for (int i = 0; i < 2; i++)
    assert_works(cx, mlpl_backward(cx, CALL2(cx, "mul", x, x), NULL, MLPL_CREATE_GRAPH));
  mlpl_tensor *g = test_hold(mlpl_tensor_retain(mlpl_tensor_grad(x)));
  assert_values(g, 12);
  mlpl_tensor_zero_grad(x);
  assert_works(cx, mlpl_backward(cx, g, NULL, 0));
  assert_values(mlpl_tensor_grad(x), 4);
  test_drop_and_close(cx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gradients_add_up),
      cmocka_unit_test(a_leaf_is_its_own_result),
      cmocka_unit_test(zero_grad_keeps_memory_that_nobody_shares),
      cmocka_unit_test(zero_grad_leaves_views_of_the_gradient_alone),
      cmocka_unit_test(diamonds_and_branches),
      cmocka_unit_test(shared_parameters),
      cmocka_unit_test(shared_gradients_stay_apart),
      cmocka_unit_test(deep_chains_need_no_stack),
      cmocka_unit_test(memory_goes_with_the_graph),
      cmocka_unit_test(retain_graph),
      cmocka_unit_test(changes_in_place_are_found),
      cmocka_unit_test(seeds),
      cmocka_unit_test(tensors_without_a_graph),
      cmocka_unit_test(requires_grad_is_for_real_leaves),
      cmocka_unit_test(every_allocation_may_fail),
      cmocka_unit_test(a_failed_pass_leaves_a_graph_that_works),
      cmocka_unit_test(an_error_in_the_middle),
      cmocka_unit_test(hessian_agrees_with_differences),
      cmocka_unit_test(passes_nest),
      cmocka_unit_test(recorded_gradients_add_up),
  };
  return cmocka_run_group_tests_name("backward", tests, NULL, NULL);
}
