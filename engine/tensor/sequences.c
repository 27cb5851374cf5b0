/* Tensors made by a rule: numbers at equal distances, the unit matrix, indices of a
   triangle. */
#include "tensor/tensor.h"

#include <math.h>
#include <string.h>

static mlpl_status check_numbers(
    mlpl_ctx *cx, const char *what, int dtype, double first, double last, int64_t n) {
  if (dtype != MLPL_F32 && dtype != MLPL_F64)
    return mlpl_fail(cx, MLPL_EARG, "%s: dtype is %s; it must be f32 or f64", what,
        mlpl_dtype_name((mlpl_dtype)dtype));
  if (!isfinite(first) || !isfinite(last))
    return mlpl_fail(cx, MLPL_EARG, "%s: start is %g, stop is %g; both must be finite",
        what, first, last);
  if (n < 0)
    return mlpl_fail(
        cx, MLPL_EARG, "%s: steps is %lld; it must be 0 or more", what, (long long)n);
  return MLPL_OK;
}

/* Counted from the nearer end, so that both ends are met exactly (PyTorch's rule). */
static double between(double first, double last, int64_t n, int64_t i) {
  if (n == 1) return first;
  const double step = last / (double)(n - 1) - first / (double)(n - 1);
  return i < n / 2 ? first + step * (double)i : last - step * (double)(n - 1 - i);
}

mlpl_status mlpl_tensor_linspace(mlpl_ctx *cx, mlpl_tensor **t, mlpl_dtype dtype,
    double first, double last, int64_t n) {
  *t = NULL;
  MLPL_TRY(check_numbers(cx, "linspace", (int)dtype, first, last, n));
  MLPL_TRY(mlpl_tensor_new(cx, t, dtype, 1, &n));
  char *p = (*t)->data;
  for (int64_t i = 0; i < n; i++, p += mlpli_dtype_size[dtype])
    mlpli_store(p, (int)dtype, between(first, last, n, i));
  return MLPL_OK;
}

mlpl_status mlpl_tensor_logspace(mlpl_ctx *cx, mlpl_tensor **t, mlpl_dtype dtype,
    double first, double last, int64_t n, double base) {
  *t = NULL;
  MLPL_TRY(check_numbers(cx, "logspace", (int)dtype, first, last, n));
  MLPL_TRY(mlpl_tensor_new(cx, t, dtype, 1, &n));
  char *p = (*t)->data;
  for (int64_t i = 0; i < n; i++, p += mlpli_dtype_size[dtype])
    mlpli_store(p, (int)dtype, pow(base, between(first, last, n, i)));
  return MLPL_OK;
}

mlpl_status mlpl_tensor_eye(
    mlpl_ctx *cx, mlpl_tensor **t, mlpl_dtype dtype, int64_t rows, int64_t cols) {
  MLPL_TRY(mlpl_tensor_full(cx, t, dtype, 2, (int64_t[]){rows, cols}, 0));
  const int64_t n = rows < cols ? rows : cols;
  for (int64_t i = 0; i < n; i++)
    mlpli_store(
        (*t)->data + (i * cols + i) * (int64_t)mlpli_dtype_size[dtype], (int)dtype, 1);
  return MLPL_OK;
}

/* The sum of r + k, kept from 0 to cols, over r in [0, rows): how many elements lie left
   of a diagonal. None of the three is beyond 2^31. */
static int64_t left_of(int64_t rows, int64_t cols, int64_t k) {
  int64_t first = k < 0 ? -k : 0, full = cols - k; /* rows that begin and are whole */
  if (first > rows) first = rows;
  if (full < first) full = first;
  if (full > rows) full = rows;
  return (full - first) * (first + full - 1 + 2 * k) / 2 + (rows - full) * cols;
}

mlpl_status mlpl_tensor_triangle_indices(mlpl_ctx *cx, mlpl_tensor **t, int64_t rows,
    int64_t cols, int64_t offset, bool lower) {
  const int64_t most = INT32_MAX;
  *t = NULL;
  if (rows < 0 || cols < 0 || rows > most || cols > most || offset > most ||
      offset < -most)
    return mlpl_fail(cx, MLPL_EARG,
        "triangle indices: %lld rows, %lld columns, offset %lld; the sizes must be from "
        "0 to %lld, the offset no larger",
        (long long)rows, (long long)cols, (long long)offset, (long long)most);
  int64_t n = left_of(rows, cols, lower ? offset + 1 : offset);
  if (!lower) n = rows * cols - n;
  MLPL_TRY(mlpl_tensor_new(cx, t, MLPL_I64, 2, (int64_t[]){2, n}));
  int64_t *row = (int64_t *)(void *)(*t)->data, *col = row + n, *end = col;
  for (int64_t r = lower && offset < 0 ? -offset : 0; row < end; r++) {
    int64_t edge = r + offset + (lower ? 1 : 0);
    edge = edge < 0 ? 0 : edge > cols ? cols : edge;
    for (int64_t c = lower ? 0 : edge; c < (lower ? edge : cols); c++) {
      *row++ = r + cx->index_base;
      *col++ = c + cx->index_base;
    }
  }
  return MLPL_OK;
}
