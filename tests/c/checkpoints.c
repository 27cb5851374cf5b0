/*
** Checkpoints: a module that runs again in the backward pass gives the same bits, and
** keeps its hands off the tensors of others.
*/
#include "module_test.h"

static mlpl_module *with_dropout(mlpl_ctx *cx) {
  return SEQUENTIAL(cx, linear(cx, 5, 7), module(cx, "Tanh", NULL),
      module(cx, "Dropout", NULL), linear(cx, 7, 3));
}

/* Forward, backward and what is drawn afterwards: as without the checkpoint, to the
   bit. */
static void checkpoints_change_no_bit(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_module *m = with_dropout(cx);
  mlpl_tensor *x, *y[2], *grad[2][5], *after[2];
  assert_works(cx, mlpl_tensor_randn(cx, &x, MLPL_F32, SIZES(4, 5), 0, 1));
  test_leaf(cx, test_hold(x));
  for (int k = 0; k < 2; k++) {
    mlpl_seed(cx, 3);
    if (k) assert_works(cx, mlpl_checkpoint(cx, m, &y[k], x));
    else assert_works(cx, mlpl_forward(cx, m, &y[k], &x, 1));
    test_hold(y[k]);
    assert_works(cx, mlpl_tensor_rand(cx, &after[k], MLPL_F32, SIZES(9), 0, 1));
    test_hold(after[k]);
    assert_works(
        cx, mlpl_backward(cx, CALL1(cx, "sum", CALL1(cx, "exp", y[k])), NULL, 0));
    for (int i = 0; i < 5; i++) {
      mlpl_tensor *t = i < 4 ? mlpl_module_parameter(m, i) : x;
      grad[k][i] = test_hold(mlpl_tensor_retain(mlpl_tensor_grad(t)));
      mlpl_tensor_zero_grad(t);
    }
  }
  assert_true(test_same_bits(y[0], y[1]) && test_same_bits(after[0], after[1]));
  for (int i = 0; i < 5; i++) assert_true(test_same_bits(grad[0][i], grad[1][i]));
  mlpl_module_release(m);
  test_drop_and_close(cx);
}

/* A model of nothing gives its input back: the input stays the leaf that it is. */
static void checkpoints_of_nothing(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_module *m = sequential(cx, NULL, 0);
  mlpl_tensor *x = test_leaf(cx, VECTOR(cx, 1, 2)), *y;
  assert_works(cx, mlpl_checkpoint(cx, m, &y, x));
  test_hold(y);
  assert_null(x->node);
  assert_values(y, 1, 2);
  assert_works(cx, mlpl_backward(cx, CALL1(cx, "sum", CALL1(cx, "exp", y)), NULL, 0));
  assert_values(mlpl_tensor_grad(x), exp(1), exp(2));
  mlpl_module_release(m);
  test_drop_and_close(cx);
}

static void checkpoints_refuse(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_module *m = module(cx, "Flatten", NULL);
  mlpl_tensor *y, *whole = test_new(cx, MLPL_I64, SIZES(2, 2)),
                  *x = test_leaf(cx, test_new(cx, MLPL_F32, SIZES(2, 2)));
  assert_fails(cx, mlpl_checkpoint(cx, m, &y, whole), MLPL_EARG,
      "checkpoint: input is i64; it must be f32 or f64");
  assert_null(y);
  assert_works(cx, mlpl_checkpoint(cx, m, &y, x));
  mlpl_tensor *sum = CALL1(cx, "sum", test_hold(y));
  assert_fails(cx, mlpl_backward(cx, sum, NULL, MLPL_CREATE_GRAPH), MLPL_ESTATE,
      "checkpoint: its backward pass cannot be recorded (create_graph)");
  mlpl_set_grad_enabled(cx, false);
  assert_works(cx, mlpl_checkpoint(cx, m, &y, x)); /* as forward, then */
  assert_false(mlpl_tensor_requires_grad(test_hold(y)));
  mlpl_module_release(m);
  test_drop_and_close(cx);
}

static mlpl_status use_checkpoint(mlpl_ctx *cx, void *ud) {
  mlpl_module *m = NULL;
  mlpl_tensor *x = NULL, *y = NULL, *sum = NULL;
  (void)ud;
  mlpl_status status = mlpl_module_new(
      cx, &m, "Linear", ARGS(ARG("in_features", 3), ARG("out_features", 4)));
  if (status == MLPL_OK) status = mlpl_tensor_full(cx, &x, MLPL_F32, SIZES(2, 3), 1);
  if (status == MLPL_OK) status = mlpl_checkpoint(cx, m, &y, x);
  if (status == MLPL_OK) status = mlpl_call(cx, &sum, "sum", &y, 1, NULL);
  mlpl_module_release(m); /* the graph holds it */
  if (status == MLPL_OK) status = mlpl_backward(cx, sum, NULL, 0);
  mlpl_tensor_release(x);
  mlpl_tensor_release(y);
  mlpl_tensor_release(sum);
  return status;
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  test_every_failure(use_checkpoint, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(checkpoints_change_no_bit),
      cmocka_unit_test(checkpoints_of_nothing),
      cmocka_unit_test(checkpoints_refuse),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests_name("checkpoints", tests, NULL, NULL);
}
