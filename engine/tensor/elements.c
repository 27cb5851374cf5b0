/* Elements in and out of tensors: single values, whole arrays, contiguous copies. */
#include "tensor/tensor.h"

#include <math.h>
#include <string.h>

int64_t mlpli_to_int(double v) {
  if (v != v) return 0;
  if (v >= 9223372036854775808.0) return INT64_MAX;
  if (v <= -9223372036854775808.0) return INT64_MIN;
  return (int64_t)v;
}

double mlpli_load(const void *p, int dtype) {
  float f;
  double d;
  int64_t i;
  switch (dtype) {
    case MLPL_F32: memcpy(&f, p, sizeof f); return (double)f;
    case MLPL_F64: memcpy(&d, p, sizeof d); return d;
    case MLPL_I64: memcpy(&i, p, sizeof i); return (double)i;
    default: return *(const uint8_t *)p;
  }
}

void mlpli_store(void *p, int dtype, double v) {
  float f = (float)v;
  int64_t i;
  switch (dtype) {
    case MLPL_F32: memcpy(p, &f, sizeof f); return;
    case MLPL_F64: memcpy(p, &v, sizeof v); return;
    case MLPL_I64:
      i = mlpli_to_int(v);
      memcpy(p, &i, sizeof i);
      return;
    case MLPL_U8: *(uint8_t *)p = (uint8_t)mlpli_to_int(v); return;
    default: *(uint8_t *)p = v != 0; return;
  }
}

void mlpli_store_element(void *p, int dtype, mlpl_element v) {
  if (dtype == MLPL_I64 && (double)v.whole == v.f)
    memcpy(p, &v.whole, sizeof v.whole);
  else
    mlpli_store(p, dtype, v.f);
}

/* 2^63 becomes the largest i64, which rounds to it, but is not it. */
bool mlpli_can_be(int dtype, mlpl_element v) {
  char held[8];
  mlpli_store_element(held, dtype, v);
  const bool end = dtype == MLPL_I64 && v.f >= 9223372036854775808.0;
  return mlpli_load(held, dtype) == v.f && (!end || (double)v.whole == v.f);
}

mlpl_status mlpli_check_element(
    mlpl_ctx *cx, const char *what, int dtype, mlpl_element v) {
  if (dtype <= MLPL_F64 || dtype == MLPL_BOOL ||
      mlpli_can_be(dtype, (mlpl_element){trunc(v.f), v.whole}))
    return MLPL_OK;
  return mlpl_fail(cx, MLPL_EARG, "%s: value is %g, which %s cannot hold", what, v.f,
      mlpl_dtype_name((mlpl_dtype)dtype));
}

/* ---- tensors made of tensors ------------------------------------------------------- */

mlpl_status mlpli_tensor_contiguous(
    mlpl_ctx *cx, mlpl_tensor **out, const mlpl_tensor *t) {
  if (t->contiguous) {
    *out = mlpli_retain((mlpl_tensor *)(uintptr_t)t);
    return MLPL_OK;
  }
  return mlpl_tensor_clone(cx, out, t);
}

mlpl_status mlpl_tensor_clone(mlpl_ctx *cx, mlpl_tensor **out, const mlpl_tensor *t) {
  MLPL_TRY(mlpli_tensor_like(cx, out, t));
  mlpli_copy(*out, t);
  return MLPL_OK;
}

mlpl_status mlpl_tensor_to(
    mlpl_ctx *cx, mlpl_tensor **out, const mlpl_tensor *t, mlpl_dtype dtype) {
  *out = NULL;
  if ((unsigned)dtype > MLPL_BOOL)
    return mlpl_fail(cx, MLPL_EARG, "to: no dtype has number %d", (int)dtype);
  MLPL_TRY(mlpli_tensor_make(cx, out, (int)dtype, t->ndim, t->shape));
  mlpli_copy(*out, t);
  return MLPL_OK;
}

mlpl_status mlpl_tensor_detach(mlpl_ctx *cx, mlpl_tensor **out, const mlpl_tensor *t) {
  return mlpli_tensor_alias(cx, out, t);
}

/* ---- values ------------------------------------------------------------------------ */

mlpl_status mlpl_tensor_get(
    mlpl_ctx *cx, const mlpl_tensor *t, const int64_t *index, double *value) {
  int64_t at = 0;
  for (int d = 0; d < t->ndim; d++) {
    if (index[d] < 0 || index[d] >= t->shape[d])
      return mlpl_fail(cx, MLPL_EARG, "get: index %lld of axis %d is outside %d to %lld",
          (long long)(index[d] + cx->index_base), d + cx->index_base, cx->index_base,
          (long long)(t->shape[d] - 1 + cx->index_base));
    at += index[d] * t->stride[d];
  }
  *value = mlpli_load(t->data + at * mlpli_dtype_size[t->dtype], t->dtype);
  return MLPL_OK;
}

static mlpl_status check_single(mlpl_ctx *cx, const mlpl_tensor *t) {
  char text[MLPLI_SHAPE_TEXT];
  if (t->numel == 1) return MLPL_OK;
  return mlpl_fail(cx, MLPL_ESHAPE,
      "item: the tensor is %s; only a tensor of one element has an item",
      mlpli_tensor_text(text, t));
}

mlpl_status mlpl_tensor_item(mlpl_ctx *cx, const mlpl_tensor *t, double *value) {
  MLPL_TRY(check_single(cx, t));
  *value = mlpli_load(t->data, t->dtype);
  return MLPL_OK;
}

mlpl_status mlpl_tensor_item_int(mlpl_ctx *cx, const mlpl_tensor *t, int64_t *value) {
  MLPL_TRY(check_single(cx, t));
  if (t->dtype == MLPL_I64)
    memcpy(value, t->data, sizeof *value);
  else
    *value = mlpli_to_int(mlpli_load(t->data, t->dtype));
  return MLPL_OK;
}

static mlpl_status check_bytes(
    mlpl_ctx *cx, const char *what, const mlpl_tensor *t, size_t bytes) {
  size_t need = (size_t)t->numel * mlpli_dtype_size[t->dtype];
  if (bytes == need) return MLPL_OK;
  char text[MLPLI_SHAPE_TEXT];
  return mlpl_fail(cx, MLPL_ESHAPE, "%s: %s of %s is %zu bytes, the buffer %zu", what,
      mlpli_tensor_text(text, t), mlpl_dtype_name((mlpl_dtype)t->dtype), need, bytes);
}

/* The caller's buffer seen as a tensor, so that one copy routine serves both
   directions. */
static mlpl_tensor buffer_like(const mlpl_tensor *t, void *buffer) {
  mlpl_tensor b = *t;
  b.data = buffer;
  int64_t step = 1;
  for (int d = t->ndim - 1; d >= 0; d--) {
    b.stride[d] = step;
    step *= t->shape[d];
  }
  return b;
}

mlpl_status mlpl_tensor_read(
    mlpl_ctx *cx, const mlpl_tensor *t, void *dst, size_t bytes) {
  MLPL_TRY(check_bytes(cx, "read", t, bytes));
  mlpl_tensor b = buffer_like(t, dst);
  mlpli_copy(&b, t);
  return MLPL_OK;
}

mlpl_status mlpl_tensor_write(
    mlpl_ctx *cx, mlpl_tensor *t, const void *src, size_t bytes) {
  MLPL_TRY(check_bytes(cx, "write", t, bytes));
  mlpl_tensor b = buffer_like(t, (void *)(uintptr_t)src);
  mlpli_copy(t, &b);
  mlpli_touch(t);
  return MLPL_OK;
}

/* ---- labels ------------------------------------------------------------------------ */

mlpl_status mlpli_labels(mlpl_ctx *cx, const char *what, const mlpl_tensor *y, int64_t k,
    const int64_t *ignore, int64_t *label) {
  const int base = cx->index_base;
  const char *p = y->data;
  for (int64_t i = 0; i < y->numel; i++, p += y->stride[0] * (int64_t)sizeof(int64_t)) {
    int64_t v;
    memcpy(&v, p, sizeof v);
    if (ignore && v == *ignore) {
      label[i] = -1;
      continue;
    }
    if (v < base || v - base >= k)
      return mlpl_fail(cx, MLPL_EARG,
          "%s: row %lld of the target is %lld; with %lld classes labels run from %d to "
          "%lld%s",
          what, (long long)(i + base), (long long)v, (long long)k, base,
          (long long)(k - 1 + base),
          v == 0 && base == 1 ? " (are these labels counted from 0? add 1)" : "");
    label[i] = v - base;
  }
  return MLPL_OK;
}
