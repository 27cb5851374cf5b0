/* Tensors from values and ranges: sizes from outside are checked here. */
#include "tensor/tensor.h"

#include <math.h>
#include <string.h>

mlpl_status mlpli_check_sizes(
    mlpl_ctx *cx, const char *what, int dtype, int ndim, const int64_t *shape) {
  if ((unsigned)dtype > MLPL_BOOL)
    return mlpl_fail(cx, MLPL_EARG, "%s: no dtype has number %d", what, dtype);
  if (ndim < 0 || ndim > MLPL_MAX_RANK)
    return mlpl_fail(
        cx, MLPL_EARG, "%s: %d axes; a tensor has at most %d", what, ndim, MLPL_MAX_RANK);
  for (int d = 0; d < ndim; d++)
    if (shape[d] < 0)
      return mlpl_fail(cx, MLPL_EARG, "%s: size %lld of axis %d is negative", what,
          (long long)shape[d], d + cx->index_base);
  return MLPL_OK;
}

mlpl_status mlpl_tensor_new(
    mlpl_ctx *cx, mlpl_tensor **t, mlpl_dtype dtype, int ndim, const int64_t *shape) {
  *t = NULL;
  MLPL_TRY(mlpli_check_sizes(cx, "tensor", (int)dtype, ndim, shape));
  return mlpli_tensor_make(cx, t, (int)dtype, ndim, shape);
}

mlpl_status mlpl_tensor_full(mlpl_ctx *cx, mlpl_tensor **t, mlpl_dtype dtype, int ndim,
    const int64_t *shape, double value) {
  MLPL_TRY(mlpl_tensor_new(cx, t, dtype, ndim, shape));
  mlpli_fill(*t, value);
  return MLPL_OK;
}

mlpl_status mlpl_tensor_full_int(mlpl_ctx *cx, mlpl_tensor **t, mlpl_dtype dtype,
    int ndim, const int64_t *shape, int64_t value) {
  MLPL_TRY(mlpl_tensor_new(cx, t, dtype, ndim, shape));
  mlpli_fill_element(*t, (mlpl_element){(double)value, value});
  return MLPL_OK;
}

mlpl_status mlpl_tensor_copy(mlpl_ctx *cx, mlpl_tensor **t, mlpl_dtype dtype, int ndim,
    const int64_t *shape, const void *data) {
  MLPL_TRY(mlpl_tensor_new(cx, t, dtype, ndim, shape));
  size_t bytes = (size_t)(*t)->numel * mlpli_dtype_size[dtype];
  if (bytes) memcpy((*t)->data, data, bytes);
  return MLPL_OK;
}

/* ---- ranges ------------------------------------------------------------------------ */

#define MOST 9e15 /* elements of a range */

static mlpl_status too_many(mlpl_ctx *cx, double n) {
  return mlpl_fail(cx, MLPL_EARG,
      "arange: from first to last there are %g elements, which is too many", n);
}

mlpl_status mlpl_tensor_arange(mlpl_ctx *cx, mlpl_tensor **t, mlpl_dtype dtype,
    double first, double last, double step) {
  *t = NULL;
  if (!isfinite(first) || !isfinite(last) || !isfinite(step) || step == 0)
    return mlpl_fail(cx, MLPL_EARG,
        "arange: from %g to %g by %g; bounds must be finite, the step not 0", first, last,
        step);
  /* 0.1 steps: the end is met in spite of rounding */
  double n = floor((last - first) / step * (1 + 1e-15)) + 1;
  if (n < 0) n = 0;
  if (n > MOST) return too_many(cx, n);
  MLPL_TRY(mlpl_tensor_new(cx, t, dtype, 1, (int64_t[]){(int64_t)n}));
  char *p = (*t)->data;
  for (int64_t i = 0; i < (*t)->numel; i++, p += mlpli_dtype_size[dtype])
    mlpli_store(p, (int)dtype, first + (double)i * step);
  return MLPL_OK;
}

/* Distances may be beyond INT64_MAX: they, and what is added, are unsigned. */
mlpl_status mlpl_tensor_arange_int(
    mlpl_ctx *cx, mlpl_tensor **t, int64_t first, int64_t last, int64_t step) {
  const uint64_t by = (uint64_t)step, size = step < 0 ? -by : by;
  const bool empty = step < 0 ? last > first : last < first;
  const uint64_t way = step < 0 ? (uint64_t)first - (uint64_t)last
                                : (uint64_t)last - (uint64_t)first;
  *t = NULL;
  if (step == 0)
    return mlpl_fail(cx, MLPL_EARG,
        "arange: from %lld to %lld by 0; bounds must be finite, the step not 0",
        (long long)first, (long long)last);
  const uint64_t n = empty ? 0 : way / size; /* steps */
  if ((double)n >= MOST) return too_many(cx, (double)n + 1);
  MLPL_TRY(mlpl_tensor_new(cx, t, MLPL_I64, 1, (int64_t[]){empty ? 0 : (int64_t)n + 1}));
  int64_t *p = (int64_t *)(void *)(*t)->data;
  for (int64_t i = 0; i < (*t)->numel; i++)
    p[i] = (int64_t)((uint64_t)first + (uint64_t)i * by);
  return MLPL_OK;
}
