/*
** Tensors: counted storage and cheap strided views of it. Internal.
*/
#ifndef MLPLI_TENSOR_H
#define MLPLI_TENSOR_H

#include "base/base.h"

#include <stdatomic.h>

/* Memory of one or more tensors. Knows its heap, not its context. The elements are in the
   same block, behind the struct; where they are few, so is the tensor they were made for. */
typedef struct mlpli_storage {
  atomic_int refs;
  uint32_t version;  /* counts changes in place, so that a recorded operation sees them */
  uint32_t recorded; /* version after the last change that was recorded; 0: none was */
  mlpli_heap *heap;
  size_t bytes;
  void *data; /* MLPLI_ALIGN aligned */
} mlpli_storage;

struct mlpl_tensor {
  int refs;
  uint8_t dtype, ndim;
  bool requires_grad; /* a leaf that wants a gradient */
  bool has_grad;      /* grad holds one; if not, grad is memory kept for the next */
  bool contiguous;    /* row-major without gaps */
  bool is_view;       /* was made of another's storage... */
  bool housed;        /* this struct is part of a storage, and so holds it */
  uint32_t seen;      /* (is_view) ...when that had this version */
  mlpl_ctx *cx;
  mlpli_storage *storage;
  char *data; /* of element [0, ..., 0] */
  int64_t numel;
  struct mlpl_tensor *grad;
  struct mlpli_node *node; /* the recorded operation that made it, or NULL */
  struct mlpli_hooks
      *hooks; /* of a leaf; those of its node where it retains its gradient */
  struct mlpli_sink *sink; /* where a backward pass gathers its gradient, or NULL */
  int64_t shape[MLPL_MAX_RANK], stride[MLPL_MAX_RANK]; /* strides in elements */
};

/* Size of an element, by dtype. */
extern const uint8_t mlpli_dtype_size[5];

static inline bool mlpli_is_real(const mlpl_tensor *t) { return t->dtype <= MLPL_F64; }
static inline const mlplk_table *mlpli_kern(const mlpl_tensor *t) {
  return t->cx->kern[t->dtype];
}

static inline mlpl_tensor *mlpli_retain(mlpl_tensor *t) {
  t->refs++;
  return t;
}

/* Release *t. It is NULL before that: a release may set off what looks at it again. */
static inline void mlpli_drop(mlpl_tensor **t) {
  mlpl_tensor *was = *t;
  *t = NULL;
  mlpl_tensor_release(was);
}

/* Sizes whose product can be counted in bytes whatever the dtype; a 0 among them does not
   help: strides are products, too. */
bool mlpli_shape_fits(int ndim, const int64_t *shape);
/* That dtype, number of axes and sizes that a host gives are such; the error names what. */
mlpl_status mlpli_check_sizes(
    mlpl_ctx *cx, const char *what, int dtype, int ndim, const int64_t *shape);
/* Elements not set. The sizes are known to be good (from other tensors); fails only for
   memory or overflow. */
mlpl_status mlpli_tensor_make(
    mlpl_ctx *cx, mlpl_tensor **out, int dtype, int ndim, const int64_t *shape);
/* Like t: its shape, dtype; contiguous. */
mlpl_status mlpli_tensor_like(mlpl_ctx *cx, mlpl_tensor **out, const mlpl_tensor *t);
/* A view of t's storage starting `offset` elements after t's first. */
mlpl_status mlpli_tensor_view(mlpl_ctx *cx, mlpl_tensor **out, const mlpl_tensor *t,
    int64_t offset, int ndim, const int64_t *shape, const int64_t *stride);
/* A view of all of t, without history: for history it is a tensor of its own. */
mlpl_status mlpli_tensor_alias(mlpl_ctx *cx, mlpl_tensor **out, const mlpl_tensor *t);
/* t itself, retained, when it is contiguous, else a contiguous copy. No history. */
mlpl_status mlpli_tensor_contiguous(
    mlpl_ctx *cx, mlpl_tensor **out, const mlpl_tensor *t);

/* Do several elements of t lie at one place? */
bool mlpli_overlaps_itself(const mlpl_tensor *t);

/* Replace what `t` is made of (storage, shape, dtype) by `from`'s; t keeps its identity
   and flags. */
void mlpli_tensor_become(mlpl_tensor *t, const mlpl_tensor *from);

static inline void mlpli_touch(mlpl_tensor *t) { t->storage->version++; }

/* Copy elements between any strides and dtypes; the shapes are equal. */
void mlpli_copy(mlpl_tensor *dst, const mlpl_tensor *src);
void mlpli_fill(mlpl_tensor *t, double value);
void mlpli_fill_element(mlpl_tensor *t, mlpl_element value);
/* One element as double, and back. */
/* As C converts, but defined for every double: NaN gives 0, what is out of range the
   nearest end. */
int64_t mlpli_to_int(double v);
double mlpli_load(const void *p, int dtype);
void mlpli_store(void *p, int dtype, double value);
/* The same of a number that may be exact; and whether an element of a dtype of whole
   numbers or truth values can be it. */
void mlpli_store_element(void *p, int dtype, mlpl_element value);
bool mlpli_can_be(int dtype, mlpl_element value);
/* Can it, what stands behind the point aside? A truth value can be anything. */
mlpl_status mlpli_check_element(
    mlpl_ctx *cx, const char *what, int dtype, mlpl_element value);

/* Fill a contiguous f32 or f64 tensor from the context's generator: uniform in [a, b),
   normal with mean a and standard deviation b, or a dropout mask (0 with probability a,
   else b). */
typedef enum mlpli_draw { MLPLI_UNIFORM, MLPLI_NORMAL, MLPLI_DROPOUT } mlpli_draw;
void mlpli_random_fill(mlpl_tensor *t, mlpli_draw draw, double a, double b);

/* "[32x784]", "[]" for a scalar; written into buf, which is returned. */
#define MLPLI_SHAPE_TEXT 96
const char *mlpli_shape_text(char *buf, int ndim, const int64_t *shape);
static inline const char *mlpli_tensor_text(char *buf, const mlpl_tensor *t) {
  return mlpli_shape_text(buf, t->ndim, t->shape);
}

/*
** Index-valued tensors: label[i] = y[i] - base for i in [0, n), after checking 0 <= label
** < k. A value equal to *ignore (NULL: none) becomes -1. The error names `what`, the row,
** the value and the valid range, and hints at labels from 0.
*/
mlpl_status mlpli_labels(mlpl_ctx *cx, const char *what, const mlpl_tensor *y, int64_t k,
    const int64_t *ignore, int64_t *label);

#endif
