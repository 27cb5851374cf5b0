/*
** x[...] = values: the row index_put in x's own memory. Recorded, x becomes the result of
** that row: its node takes x's history in, and what was recorded with the old values and
** still needs them raises in its backward pass (the storage's version). So do views of x
** when they are used again.
*/
#include "grad/grad.h"
#include "ops/shape.h"

#include <string.h>

static mlpl_status check_recorded(mlpl_ctx *cx, const mlpl_tensor *x) {
  if (x->requires_grad)
    return mlpl_fail(cx, MLPL_ESTATE,
        "assignment: the tensor is a leaf that requires a gradient; its elements can be "
        "set under no_grad, or set those of a copy (clone)");
  if (x->is_view)
    return mlpl_fail(cx, MLPL_ESTATE,
        "assignment: the tensor is a view, and a recorded assignment would not reach the "
        "gradient of the tensor that it is a part of; assign with one index to that "
        "tensor, x[{i, j}] = v, to a clone, or under no_grad");
  return MLPL_OK;
}

/* *own: the values in x's dtype and, where x's memory holds them, in memory of their
   own. */
static mlpl_status values_for(
    mlpl_ctx *cx, const mlpl_tensor *x, mlpl_tensor *v, mlpl_tensor **own) {
  if (v->dtype != x->dtype && cx->grad_enabled && mlpli_tracked(v))
    return mlpl_fail(cx, MLPL_EARG,
        "assignment: the tensor is %s, the values are %s and require a gradient, which "
        "no conversion passes on; they must have one dtype",
        mlpl_dtype_name((mlpl_dtype)x->dtype), mlpl_dtype_name((mlpl_dtype)v->dtype));
  if (v->dtype != x->dtype) return mlpl_tensor_to(cx, own, v, (mlpl_dtype)x->dtype);
  if (v->storage == x->storage) return mlpl_tensor_clone(cx, own, v);
  *own = mlpli_retain(v);
  return MLPL_OK;
}

/* *r: x's memory with the history that x is to have, which takes in the one it has. */
static mlpl_status record(mlpl_ctx *cx, mlpl_tensor *x, mlpl_tensor *const *in, int n,
    const mlpl_value *p, mlpl_tensor **r) {
  mlpli_call c = {
      .op = mlpli_op_table[MLPLI_OP_INDEX_PUT], .n = n, .in = in, .p = p, .record = true};
  MLPL_TRY(mlpli_tensor_alias(cx, r, x));
  MLPL_TRY(mlpli_record(cx, &c, *r));
  (*r)->node->said = "assignment";
  return mlpli_history_ready(cx, x, *r);
}

mlpl_status mlpl_tensor_assign(mlpl_ctx *cx, mlpl_tensor *x, mlpl_tensor *values,
    mlpl_tensor *const *index, int n, const mlpl_value part[3]) {
  mlpl_tensor *in[2 + MLPL_MAX_RANK] = {x, values}, *own, *r = NULL;
  mlpl_value p[4] = {part[0], part[1], part[2], {.i = 0}};
  const bool recorded = cx->grad_enabled && (mlpli_tracked(x) || mlpli_tracked(values)) &&
      mlpli_is_real(x);
  if (n < 0 || n > x->ndim)
    return mlpl_fail(
        cx, MLPL_EARG, "assignment: %d indices for a tensor with %d axes", n, x->ndim);
  for (int i = 0; i < n; i++) {
    in[2 + i] = index[i];
    if (index[i] && index[i]->dtype != MLPL_I64)
      return mlpl_fail(cx, MLPL_EARG,
          "assignment: an index tensor is %s; indices are i64",
          mlpl_dtype_name((mlpl_dtype)index[i]->dtype));
  }
  if (mlpli_overlaps_itself(x))
    return mlpl_fail(cx, MLPL_EARG,
        "assignment: elements of the tensor share memory (expand, unfold); assign to a "
        "clone");
  if (recorded) MLPL_TRY(check_recorded(cx, x));
  MLPL_TRY(values_for(cx, x, values, &own));
  mlpl_status status = recorded ? record(cx, x, in, 2 + n, p, &r) : MLPL_OK;
  if (status == MLPL_OK) status = mlpli_put(cx, "assignment", x, own, index, n, p);
  if (status == MLPL_OK && recorded) mlpli_history_take(x, r);
  if (status == MLPL_OK) mlpli_touch(x);
  mlpl_tensor_release(r);
  mlpl_tensor_release(own);
  return status;
}
