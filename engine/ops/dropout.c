/* Dropout: zero with probability p, else divide by 1 - p; nothing at all outside
   training. */
#include "ops/rows.h"

#include "grad/grad.h"

MLPLI_VIEW(dropout) {
  mlpl_tensor *x = c->in[0], *mask;
  double p = c->p[0].f;
  if (!c->p[1].i || p == 0) return mlpli_tensor_alias(cx, out, x);
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

MLPLI_BACKWARD(dropout) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(&e, n, 0, n->extra ? mlpli_xmul(&e, g, n->extra) : g);
  return mlpli_expr_end(&e);
}
