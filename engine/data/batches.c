/*
** One pass over a data set in batches. next() is on the path of every training step: it
** allocates the two tensors it gives and nothing else.
*/
#include "base/profile.h"
#include "data/data.h"

#include <string.h>

struct mlpl_batches {
  mlpl_ctx *cx;
  mlpl_tensor *x, *y;    /* contiguous; y may be NULL */
  int64_t size, at, end; /* end: rows in this pass */
  int64_t *order;        /* NULL: as they lie, and batches are views */
};

static mlpl_status draw_order(mlpl_ctx *cx, mlpl_batches *b, int64_t n) {
  size_t bytes;
  if (!mlpli_mul((size_t)n, sizeof(int64_t), &bytes))
    return mlpli_no_memory(cx, "batches", SIZE_MAX);
  MLPL_TRY(mlpli_new(cx, &b->order, bytes, "batches"));
  mlpli_random_permutation(cx, b->order, n);
  return MLPL_OK;
}

static mlpl_status set_up(mlpl_ctx *cx, mlpl_batches *b, mlpl_dataset *ds, bool shuffle) {
  MLPL_TRY(mlpli_tensor_contiguous(cx, &b->x, ds->x));
  if (ds->y) MLPL_TRY(mlpli_tensor_contiguous(cx, &b->y, ds->y));
  return shuffle ? draw_order(cx, b, mlpl_dataset_size(ds)) : MLPL_OK;
}

mlpl_status mlpl_batches_new(mlpl_ctx *cx, mlpl_batches **out, mlpl_dataset *ds,
    int64_t size, bool shuffle, bool drop_last) {
  *out = NULL;
  if (size < 1)
    return mlpl_fail(cx, MLPL_EARG, "batches: size %lld is less than 1", (long long)size);
  mlpl_batches *b;
  MLPL_TRY(mlpli_new(cx, &b, sizeof *b, "batches"));
  mlpli_ctx_retain(cx);
  int64_t n = mlpl_dataset_size(ds);
  *b = (mlpl_batches){.cx = cx, .size = size, .end = drop_last ? n - n % size : n};
  mlpl_status status = set_up(cx, b, ds, shuffle);
  if (status != MLPL_OK)
    mlpl_batches_release(b);
  else
    *out = b;
  return status;
}

void mlpl_batches_release(mlpl_batches *b) {
  if (!b) return;
  mlpl_ctx *cx = b->cx;
  mlpl_tensor_release(b->x);
  mlpl_tensor_release(b->y);
  mlpli_free(cx->heap, b->order);
  mlpli_free(cx->heap, b);
  mlpli_ctx_release(cx);
}

int64_t mlpl_batches_count(const mlpl_batches *b) {
  return b->end / b->size + (b->end % b->size != 0);
}

static mlpl_status rows(mlpl_ctx *cx, const mlpl_batches *b, mlpl_tensor **out,
    const mlpl_tensor *t, int64_t n) {
  if (b->order) return mlpli_gather_rows(cx, out, t, b->order + b->at, n);
  int64_t shape[MLPL_MAX_RANK];
  memcpy(shape, t->shape, sizeof shape);
  shape[0] = n;
  return mlpli_tensor_view(cx, out, t, b->at * t->stride[0], t->ndim, shape, t->stride);
}

static mlpl_status next(mlpl_ctx *cx, mlpl_batches *b, mlpl_tensor **x, mlpl_tensor **y) {
  *x = *y = NULL;
  int64_t n = b->end - b->at < b->size ? b->end - b->at : b->size;
  if (n == 0) return MLPL_OK;
  MLPL_TRY(rows(cx, b, x, b->x, n));
  mlpl_status status = b->y ? rows(cx, b, y, b->y, n) : MLPL_OK;
  if (status != MLPL_OK) {
    mlpli_drop(x);
    return status;
  }
  b->at += n;
  return MLPL_OK;
}

static double bytes_of(const mlpl_tensor *t) {
  return t ? 2.0 * (double)t->numel * mlpli_dtype_size[t->dtype] : 0;
}

mlpl_status mlpl_batches_next(
    mlpl_ctx *cx, mlpl_batches *b, mlpl_tensor **x, mlpl_tensor **y) {
  if (!cx->profile) return next(cx, b, x, y);
  mlpli_span span;
  int entry = mlpli_profile_layer(cx, "batches", "data");
  mlpli_span_begin(cx, &span);
  mlpl_status status = next(cx, b, x, y);
  mlpli_span_end(cx, &span, entry, bytes_of(*x) + bytes_of(*y), 0);
  return status;
}
