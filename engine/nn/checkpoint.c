/*
** Checkpoints: a module runs forward without recording, so that nothing inside it is
** kept, and once more, recorded, when its gradient is due. Memory for time: a deep model
** keeps what lies between its checkpoints only. Chen et al. (2016).
*/
#include "grad/grad.h"
#include "nn/nn.h"

#include <string.h>

/* What the node keeps beside x, in its options. */
enum { MODULE, RANDOM, N_KEPT };

static mlpl_module *module_of(const mlpli_node *n) {
  mlpl_module *m;
  memcpy(&m, &n->p[MODULE], sizeof m);
  return m;
}

static void forget(mlpli_node *n) { mlpl_module_release(module_of(n)); }

/* The random numbers of the forward pass again, then those of the present go on. */
static mlpl_status run_again(
    mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *x, mlpl_tensor **y) {
  mlpl_random_state now = mlpl_random_get(cx), then;
  memcpy(&then, &n->p[RANDOM], sizeof then);
  mlpl_random_set(cx, then);
  bool was = mlpl_set_grad_enabled(cx, true);
  mlpl_status status = mlpl_forward(cx, module_of(n), y, &x, 1);
  mlpl_set_grad_enabled(cx, was);
  mlpl_random_set(cx, now);
  return status;
}

static mlpl_status backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
  mlpl_tensor *x, *y = NULL;
  if (cx->grad_enabled)
    return mlpl_fail(cx, MLPL_ESTATE,
        "checkpoint: its backward pass cannot be recorded (create_graph)");
  if (cx->pass->selective)
    return mlpl_fail(cx, MLPL_ESTATE,
        "checkpoint: gradients go into all leaves inside it; use backward without a list "
        "of inputs");
  MLPL_TRY(mlpli_tensor_alias(cx, &x, n->in[0]));
  x->requires_grad = mlpli_wants(n, 0);
  mlpl_status status = run_again(cx, n, x, &y);
  if (status == MLPL_OK && mlpli_tracked(y)) status = mlpl_backward(cx, y, g, 0);
  if (status == MLPL_OK && x->has_grad) status = mlpli_give(cx, n, 0, x->grad);
  mlpl_tensor_release(y);
  mlpl_tensor_release(x);
  return status;
}

/* Not a row of the table: its function is its module. */
static const mlpl_op checkpoint = {.name = "checkpoint",
    .input_name = {"input"},
    .domain = {MLPLI_REAL},
    .n_inputs = 1,
    .n_required = 1,
    .n_outputs = 1,
    .n_params = N_KEPT,
    .saves = 1,
    .differentiable = 1,
    .backward = backward,
    .forget = forget};

/* A layer may give back what others hold, x itself say: the node then goes to a view of
   it. */
static mlpl_status make_own(mlpl_ctx *cx, mlpl_tensor **y) {
  mlpl_tensor *given = *y;
  if (given->refs == 1) return MLPL_OK;
  mlpl_status status = mlpli_tensor_alias(cx, y, given);
  mlpl_tensor_release(given);
  return status;
}

mlpl_status mlpl_checkpoint(
    mlpl_ctx *cx, mlpl_module *m, mlpl_tensor **y, mlpl_tensor *x) {
  mlpl_value kept[N_KEPT];
  mlpl_random_state random = mlpl_random_get(cx);
  const mlplk_stream before = cx->random;
  if (!cx->grad_enabled) return mlpl_forward(cx, m, y, &x, 1);
  *y = NULL;
  if (!mlpli_is_real(x))
    return mlpl_fail(cx, MLPL_EARG, "checkpoint: input is %s; it must be f32 or f64",
        mlpl_dtype_name((mlpl_dtype)x->dtype));
  mlpl_set_grad_enabled(cx, false);
  mlpl_status status = mlpl_forward(cx, m, y, &x, 1);
  mlpl_set_grad_enabled(cx, true);
  if (status == MLPL_OK) status = make_own(cx, y);
  if (status == MLPL_OK) status = mlpli_settle_memory(cx, y, 1, &x, 1);
  if (status != MLPL_OK) return mlpli_undraw(cx, before, status);
  memset(kept, 0, sizeof kept);
  memcpy(&kept[MODULE], &m, sizeof m);
  memcpy(&kept[RANDOM], &random, sizeof random);
  mlpli_call c = {
      .op = &checkpoint, .n = 1, .in = &x, .p = kept, .record = true};
  status = mlpli_record(cx, &c, *y);
  if (status == MLPL_OK)
    mlpl_module_retain(m);
  else {
    mlpli_drop(y);
  }
  return mlpli_undraw(cx, before, status);
}
