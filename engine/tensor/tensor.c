/* Making, holding and viewing tensors. */
#include "tensor/tensor.h"
#include "grad/grad.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const uint8_t mlpli_dtype_size[5] = {4, 8, 8, 1, 1};

/* A storage with the tensor that it was made for, in front of the elements: one block to
   ask for and one to give back. The struct stays as long as the elements do. */
typedef struct house {
  mlpli_storage storage;
  mlpl_tensor tensor;
} house;

/* Bytes of elements up to which a tensor is housed: as long as it lives they stay as well,
   even when it has become another's. */
#define HOUSED_MOST 1024

#define ALIGNED(bytes) (((bytes) + MLPLI_ALIGN - 1) / MLPLI_ALIGN * MLPLI_ALIGN)

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

/* Room for `bytes` of elements behind a struct of `front` bytes, a storage first. */
static mlpli_storage *storage_new(mlpli_heap *heap, size_t front, size_t bytes) {
  size_t all;
  if (!mlpli_add(bytes, ALIGNED(front), &all)) return NULL;
  mlpli_storage *s = mlpli_alloc(heap, all);
  if (!s) return NULL;
  atomic_init(&s->refs, 1);
  s->version = s->recorded = 0;
  s->heap = heap;
  s->bytes = bytes;
  s->data = (char *)s + ALIGNED(front);
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

/* The storage that t is part of. */
static mlpli_storage *home(mlpl_tensor *t) {
  return &((house *)((char *)t - offsetof(house, tensor)))->storage;
}

/* t's storage, and its struct with it unless others hold that storage. */
static void give_up(mlpli_heap *heap, mlpl_tensor *t) {
  if (!t->housed) {
    storage_release(t->storage);
    mlpli_free(heap, t);
    return;
  }
  if (t->storage != home(t)) storage_release(t->storage);
  storage_release(home(t));
}

/* ---- making ------------------------------------------------------------------------ */

/* The elements of a shape; false: more bytes than can be addressed. */
static bool count(int ndim, const int64_t *shape, int64_t *numel) {
  int64_t step = 1; /* as strides have it: a size of 0 does not count */
  *numel = 1;
  for (int d = 0; d < ndim; d++) {
    const int64_t n = shape[d];
    if (n > 0 && __builtin_mul_overflow(step, n, &step)) return false;
    *numel *= n;
  }
  return step <= INT64_MAX / (int64_t)sizeof(double);
}

static void set_row_major(mlpl_tensor *t, const int64_t *shape, int64_t numel) {
  int64_t step = 1;
  for (int d = t->ndim - 1; d >= 0; d--) {
    t->shape[d] = shape[d];
    t->stride[d] = step;
    if (shape[d] > 0) step *= shape[d];
  }
  t->numel = numel;
  t->contiguous = true;
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
static void blank(mlpl_tensor *t, mlpl_ctx *cx, int dtype, int ndim) {
  t->refs = 1;
  t->dtype = (uint8_t)dtype;
  t->ndim = (uint8_t)ndim;
  t->requires_grad = t->has_grad = t->is_view = t->housed = false;
  t->cx = cx;
  t->grad = NULL;
  t->node = NULL;
  t->hooks = NULL;
  t->sink = NULL;
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

/* A struct and a storage for that many bytes, or NULL. */
static mlpl_tensor *with_storage(mlpl_ctx *cx, int dtype, int ndim, size_t bytes) {
  const bool housed = bytes <= HOUSED_MOST;
  mlpl_tensor *t = NULL;
  mlpli_storage *s = storage_new(cx->heap, housed ? sizeof(house) : sizeof *s, bytes);
  if (!s) return NULL;
  t = housed ? &((house *)s)->tensor : mlpli_alloc(cx->heap, sizeof *t);
  if (!t) {
    storage_release(s);
    return NULL;
  }
  blank(t, cx, dtype, ndim);
  t->housed = housed;
  t->storage = s;
  t->data = s->data;
  return t;
}

mlpl_status mlpli_tensor_make(
    mlpl_ctx *cx, mlpl_tensor **out, int dtype, int ndim, const int64_t *shape) {
  *out = NULL;
  int64_t numel;
  if (!count(ndim, shape, &numel)) return cannot_address(cx, dtype, ndim, shape);
  const size_t bytes = (size_t)numel * mlpli_dtype_size[dtype];
  mlpl_tensor *t = with_storage(cx, dtype, ndim, bytes);
  if (!t) return mlpli_no_memory(cx, "tensor", bytes);
  set_row_major(t, shape, numel);
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
  mlpl_tensor *v = mlpli_alloc(cx->heap, sizeof *v);
  if (!v) return mlpli_no_memory(cx, "view", sizeof *v);
  blank(v, cx, t->dtype, ndim);
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
  give_up(cx->heap, t);
  mlpli_ctx_release(cx);
}

void mlpli_tensor_become(mlpl_tensor *t, const mlpl_tensor *from) {
  mlpli_storage *old = t->storage;
  t->storage = storage_retain(from->storage);
  /* what was recorded with the old elements must not go on with these */
  t->storage->version = old->version + 1;
  if (!t->housed || old != home(t)) storage_release(old);
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
