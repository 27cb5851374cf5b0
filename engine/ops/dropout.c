/* Dropout: zero with probability p, else divide by 1 - p; outside training x itself, as in
   PyTorch. */
#include "ops/rows.h"

#include "grad/grad.h"

static VIEW(dropout) {
  mlpl_tensor *x = c->in[0], *mask;
  double p = c->p[0].f;
  if (!c->p[1].i || p == 0) {
    *out = mlpli_retain(x);
    return MLPL_OK;
  }
  MLPL_TRY(mlpli_tensor_like(cx, &mask, x));
  mlpl_status status = mlpli_tensor_like(cx, out, x);
  if (status == MLPL_OK) {
    mlpli_random_fill(mask, MLPLI_DROPOUT, p, p < 1 ? 1 / (1 - p) : 0);
    mlpli_map(MLPLK_MUL, *out, x, mask, 0);
    c->extra = mask;
    return MLPL_OK;
  }
  mlpl_tensor_release(mask);
  return status;
}

static BACKWARD(dropout) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(&e, n, 0, mlpli_xmul(&e, g, n->extra));
  return mlpli_expr_end(&e);
}

/* ---- rows -------------------------------------------------------------------------- */

static const mlpl_param dropout_params[] = {
    MLPLI_REAL_OPTION("p", 0.5, 0, 1), MLPLI_BOOL_OPTION("training", 1)};

const mlpl_op mlpli_op_dropout = {.name = "dropout",
    .input_name = {"input"},
    .domain = {MLPLI_REAL},
    .n_inputs = 1,
    .n_required = 1,
    .n_outputs = 1,
    .differentiable = 1,
    .random = true,
    .view = dropout_view,
    HAS_BACKWARD(dropout),
    PARAMS(dropout_params)};
