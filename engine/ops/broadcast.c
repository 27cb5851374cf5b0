/* NumPy's broadcasting: shapes are aligned at their last axes, and an axis of size 1
   stretches. */
#include "ops/ops.h"

mlpl_status mlpli_broadcast(mlpl_ctx *cx, const char *what, const mlpl_tensor *a,
    const mlpl_tensor *b, mlpli_shape *out) {
  return mlpli_broadcast_as(cx, what, "a", a, "b", b, out);
}

mlpl_status mlpli_broadcast_inputs(
    mlpl_ctx *cx, const mlpli_call *c, int i, int k, mlpli_shape *out) {
  const char *const *name = c->op->input_name;
  return mlpli_broadcast_as(cx, mlpli_said(c->op), name[i], c->in[i], name[k], c->in[k], out);
}

mlpl_status mlpli_broadcast_as(mlpl_ctx *cx, const char *what, const char *name_a,
    const mlpl_tensor *a, const char *name_b, const mlpl_tensor *b, mlpli_shape *out) {
  int n = a->ndim > b->ndim ? a->ndim : b->ndim;
  out->ndim = n;
  for (int i = 1; i <= n; i++) {
    int64_t x = i <= a->ndim ? a->shape[a->ndim - i] : 1,
            y = i <= b->ndim ? b->shape[b->ndim - i] : 1;
    if (x != y && x != 1 && y != 1) {
      char s[MLPLI_SHAPE_TEXT], t[MLPLI_SHAPE_TEXT];
      return mlpl_fail(cx, MLPL_ESHAPE,
          "%s: sizes differ: %s is %s, %s is %s; aligned at the last axis, sizes must be "
          "equal or 1",
          what, name_a, mlpli_tensor_text(s, a), name_b, mlpli_tensor_text(t, b));
    }
    out->size[n - i] = x == 1 ? y : x;
  }
  return MLPL_OK;
}

void mlpli_broadcast_strides(
    const mlpl_tensor *t, int ndim, const int64_t *shape, int64_t *stride) {
  int lead = ndim - t->ndim;
  for (int d = 0; d < ndim; d++)
    stride[d] = d < lead || (t->shape[d - lead] == 1 && shape[d] != 1)
        ? 0
        : t->stride[d - lead];
}
