/* Places among all elements, taken apart into places along the axes. */
#include "ops/ops.h"

/* How many elements the sizes have; -1: more than can be counted. */
static int64_t count(int ndim, const int64_t *shape) {
  int64_t n = 1;
  for (int d = 0; d < ndim; d++)
    if (shape[d] < 0 || __builtin_mul_overflow(n, shape[d], &n)) return -1;
  return n;
}

static mlpl_status take_apart(mlpl_ctx *cx, mlpl_tensor **out, const mlpl_tensor *index,
    int ndim, const int64_t *shape) {
  const int64_t base = cx->index_base, n = count(ndim, shape);
  const int64_t *at = (const int64_t *)(const void *)index->data;
  for (int64_t i = 0; i < index->numel; i++) {
    int64_t left = at[i] - base;
    if (at[i] < base || left >= n)
      return mlpl_fail(cx, MLPL_EARG,
          "unravel_index: index holds %lld; with these sizes elements are %lld to %lld",
          (long long)at[i], (long long)base, (long long)(n - 1 + base));
    for (int d = ndim - 1; d >= 0; left /= shape[d], d--)
      ((int64_t *)(void *)out[d]->data)[i] = left % shape[d] + base;
  }
  return MLPL_OK;
}

mlpl_status mlpl_unravel_index(
    mlpl_ctx *cx, mlpl_tensor **out, mlpl_tensor *index, int ndim, const int64_t *shape) {
  mlpl_tensor *flat = NULL;
  mlpl_status status = MLPL_OK;
  for (int d = 0; d < ndim; d++) out[d] = NULL;
  if (index->dtype != MLPL_I64)
    return mlpl_fail(cx, MLPL_EARG, "unravel_index: index is %s; indices are i64",
        mlpl_dtype_name((mlpl_dtype)index->dtype));
  if (count(ndim, shape) < 0)
    return mlpl_fail(cx, MLPL_ESHAPE,
        "unravel_index: the sizes are negative, or their product cannot be counted");
  for (int d = 0; d < ndim && status == MLPL_OK; d++)
    status = mlpli_tensor_make(cx, &out[d], MLPL_I64, index->ndim, index->shape);
  if (status == MLPL_OK) status = mlpli_tensor_contiguous(cx, &flat, index);
  if (status == MLPL_OK) status = take_apart(cx, out, flat, ndim, shape);
  mlpl_tensor_release(flat);
  for (int d = 0; d < ndim && status != MLPL_OK; d++) {
    mlpl_tensor_release(out[d]);
    out[d] = NULL;
  }
  return status;
}
