/* Making, holding and viewing tensors. */
#include "tensor/tensor.h"
#include "grad/grad.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const uint8_t mlpli_dtype_size[5] = {4, 8, 8, 1, 1};

_Static_assert(
    sizeof(mlpli_storage) <= MLPLI_ALIGN, "storage and its data share one block");

const char *mlpl_dtype_name(mlpl_dtype dtype) {
  static const char *const name[] = {"f32", "f64", "i64", "u8", "bool"};
  return (unsigned)dtype < 5 ? name[dtype] : "?";
}

size_t mlpl_dtype_bytes(mlpl_dtype dtype) {
  return (unsigned)dtype < 5 ? mlpli_dtype_size[dtype] : 0;
}

const char *mlpli_shape_text(char *buf, int ndim, const int64_t *shape) {
  size_t at = 0;
  buf[at++] = '[';
  for (int d = 0; d < ndim && at < MLPLI_SHAPE_TEXT - 24; d++)
    at += (size_t)snprintf(
        buf + at, MLPLI_SHAPE_TEXT - at, "%s%lld", d ? "x" : "", (long long)shape[d]);
  snprintf(buf + at, MLPLI_SHAPE_TEXT - at, "]");
  return buf;
}

/* ---- storage ----------------------------------------------------------------------- */

static mlpli_storage *storage_new(mlpli_heap *heap, size_t bytes) {
  size_t all;
  if (!mlpli_add(bytes, MLPLI_ALIGN, &all)) return NULL;
  mlpli_storage *s = mlpli_alloc(heap, all);
  if (!s) return NULL;
  atomic_init(&s->refs, 1);
  s->version = s->recorded = 0;
  s->heap = heap;
  s->bytes = bytes;
  s->data = (char *)s + MLPLI_ALIGN;
  return s;
}

static mlpli_storage *storage_retain(mlpli_storage *s) {
  atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
  return s;
}

/* The only holder needs no atomic subtraction: nobody else can be looking. */
static void storage_release(mlpli_storage *s) {
  if (atomic_load_explicit(&s->refs, memory_order_acquire) == 1 ||
      atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) == 1)
    mlpli_free(s->heap, s);
}

/* ---- making ------------------------------------------------------------------------ */

/* Shape, strides and count; false: more bytes than can be addressed. */
static bool set_row_major(mlpl_tensor *t, const int64_t *shape) {
  int64_t step = 1, numel = 1;
  for (int d = t->ndim - 1; d >= 0; d--) {
    const int64_t n = shape[d];
    t->shape[d] = n;
    t->stride[d] = step;
    if (n > 0 && __builtin_mul_overflow(step, n, &step)) return false;
    numel *= n;
  }
  t->numel = numel;
  t->contiguous = true;
  return step <= INT64_MAX / (int64_t)sizeof(double);
}

static bool is_row_major(const mlpl_tensor *t) {
  int64_t step = 1;
  for (int d = t->ndim - 1; d >= 0; d--) {
    if (t->shape[d] != 1 && t->stride[d] != step) return t->numel == 0;
    step *= t->shape[d];
  }
  return true;
}

/* A tensor struct that holds nothing but its context. */
static mlpl_tensor *blank(mlpl_ctx *cx, int dtype, int ndim) {
  mlpl_tensor *t = mlpli_alloc(cx->heap, sizeof *t);
  if (!t) return NULL;
  t->refs = 1;
  t->dtype = (uint8_t)dtype;
  t->ndim = (uint8_t)ndim;
  t->requires_grad = t->has_grad = t->is_view = false;
  t->cx = cx;
  t->grad = NULL;
  t->node = NULL;
  t->hooks = NULL;
  t->sink = NULL;
  return t;
}

bool mlpli_shape_fits(int ndim, const int64_t *shape) {
  int64_t bytes = (int64_t)sizeof(double);
  for (int d = 0; d < ndim; d++)
    if (shape[d] && __builtin_mul_overflow(bytes, shape[d], &bytes)) return false;
  return true;
}

static mlpl_status cannot_address(
    mlpl_ctx *cx, int dtype, int ndim, const int64_t *shape) {
  char text[MLPLI_SHAPE_TEXT];
  return mlpl_fail(cx, MLPL_ENOMEM,
      "tensor: not enough memory: %s of %s is more than can be addressed",
      mlpli_shape_text(text, ndim, shape), mlpl_dtype_name(dtype));
}

mlpl_status mlpli_tensor_make(
    mlpl_ctx *cx, mlpl_tensor **out, int dtype, int ndim, const int64_t *shape) {
  *out = NULL;
  mlpl_tensor *t = blank(cx, dtype, ndim);
  if (!t) return mlpli_no_memory(cx, "tensor", sizeof *t);
  if (!set_row_major(t, shape)) {
    mlpli_free(cx->heap, t);
    return cannot_address(cx, dtype, ndim, shape);
  }
  const size_t bytes = (size_t)t->numel * mlpli_dtype_size[dtype];
  t->storage = storage_new(cx->heap, bytes);
  if (!t->storage) {
    mlpli_free(cx->heap, t);
    return mlpli_no_memory(cx, "tensor", bytes);
  }
  t->data = t->storage->data;
  mlpli_ctx_retain(cx);
  *out = t;
  return MLPL_OK;
}

mlpl_status mlpli_tensor_like(mlpl_ctx *cx, mlpl_tensor **out, const mlpl_tensor *t) {
  return mlpli_tensor_make(cx, out, t->dtype, t->ndim, t->shape);
}

mlpl_status mlpli_tensor_view(mlpl_ctx *cx, mlpl_tensor **out, const mlpl_tensor *t,
    int64_t offset, int ndim, const int64_t *shape, const int64_t *stride) {
  *out = NULL;
  mlpl_tensor *v = blank(cx, t->dtype, ndim);
  if (!v) return mlpli_no_memory(cx, "view", sizeof *v);
  v->storage = storage_retain(t->storage);
  v->is_view = true;
  v->seen = t->storage->version;
  v->data = t->data + offset * mlpli_dtype_size[t->dtype];
  v->numel = 1;
  for (int d = 0; d < ndim; d++) {
    v->shape[d] = shape[d];
    v->stride[d] = stride[d];
    v->numel *= shape[d];
  }
  v->contiguous = is_row_major(v);
  mlpli_ctx_retain(cx);
  *out = v;
  return MLPL_OK;
}

mlpl_status mlpli_tensor_alias(mlpl_ctx *cx, mlpl_tensor **out, const mlpl_tensor *t) {
  MLPL_TRY(mlpli_tensor_view(cx, out, t, 0, t->ndim, t->shape, t->stride));
  (*out)->is_view = false;
  return MLPL_OK;
}

/* Axes from the innermost out: each must step over all that the ones inside reach. */
bool mlpli_overlaps_itself(const mlpl_tensor *t) {
  unsigned left = 0;
  int64_t reach = 0;
  for (int d = 0; d < t->ndim; d++)
    if (t->shape[d] > 1) left |= 1u << d;
  while (left && t->numel) {
    int inner = -1;
    for (int d = 0; d < t->ndim; d++)
      if (left >> d & 1 && (inner < 0 || llabs(t->stride[d]) < llabs(t->stride[inner])))
        inner = d;
    if (llabs(t->stride[inner]) <= reach) return true;
    reach += (t->shape[inner] - 1) * llabs(t->stride[inner]);
    left &= ~(1u << inner);
  }
  return false;
}

mlpl_tensor *mlpl_tensor_retain(mlpl_tensor *t) { return mlpli_retain(t); }

void mlpl_tensor_release(mlpl_tensor *t) {
  if (!t || --t->refs > 0) return;
  mlpl_ctx *cx = t->cx;
  if (t->node) mlpli_node_release(t->node);
  if (t->hooks) mlpli_hooks_leave(t);
  mlpl_tensor_release(t->grad);
  storage_release(t->storage);
  mlpli_free(cx->heap, t);
  mlpli_ctx_release(cx);
}

void mlpli_tensor_become(mlpl_tensor *t, const mlpl_tensor *from) {
  mlpli_storage *old = t->storage;
  t->storage = storage_retain(from->storage);
  /* what was recorded with the old elements must not go on with these */
  t->storage->version = old->version + 1;
  storage_release(old);
  t->data = from->data;
  t->dtype = from->dtype;
  t->ndim = from->ndim;
  t->numel = from->numel;
  t->contiguous = from->contiguous;
  memcpy(t->shape, from->shape, sizeof t->shape);
  memcpy(t->stride, from->stride, sizeof t->stride);
}

/* ---- what a tensor is -------------------------------------------------------------- */

mlpl_dtype mlpl_tensor_dtype(const mlpl_tensor *t) { return (mlpl_dtype)t->dtype; }
int mlpl_tensor_ndim(const mlpl_tensor *t) { return t->ndim; }
const int64_t *mlpl_tensor_shape(const mlpl_tensor *t) { return t->shape; }
const int64_t *mlpl_tensor_strides(const mlpl_tensor *t) { return t->stride; }
int64_t mlpl_tensor_numel(const mlpl_tensor *t) { return t->numel; }
void *mlpl_tensor_data(mlpl_tensor *t) { return t->data; }
bool mlpl_tensor_is_contiguous(const mlpl_tensor *t) { return t->contiguous; }
