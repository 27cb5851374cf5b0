/* Tensors from values, ranges and random numbers: sizes from outside are checked here. */
#include "tensor/tensor.h"

#include <math.h>
#include <string.h>

static mlpl_status check_shape(
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

static mlpl_status check_real(mlpl_ctx *cx, const char *what, int dtype) {
  if (dtype == MLPL_F32 || dtype == MLPL_F64) return MLPL_OK;
  return mlpl_fail(cx, MLPL_EARG, "%s: dtype is %s; random real numbers need f32 or f64",
      what, mlpl_dtype_name((mlpl_dtype)dtype));
}

mlpl_status mlpl_tensor_new(
    mlpl_ctx *cx, mlpl_tensor **t, mlpl_dtype dtype, int ndim, const int64_t *shape) {
  *t = NULL;
  MLPL_TRY(check_shape(cx, "tensor", (int)dtype, ndim, shape));
  return mlpli_tensor_make(cx, t, (int)dtype, ndim, shape);
}

mlpl_status mlpl_tensor_full(mlpl_ctx *cx, mlpl_tensor **t, mlpl_dtype dtype, int ndim,
    const int64_t *shape, double value) {
  MLPL_TRY(mlpl_tensor_new(cx, t, dtype, ndim, shape));
  mlpli_fill(*t, value);
  return MLPL_OK;
}

mlpl_status mlpl_tensor_copy(mlpl_ctx *cx, mlpl_tensor **t, mlpl_dtype dtype, int ndim,
    const int64_t *shape, const void *data) {
  MLPL_TRY(mlpl_tensor_new(cx, t, dtype, ndim, shape));
  size_t bytes = (size_t)(*t)->numel * mlpli_dtype_size[dtype];
  if (bytes) memcpy((*t)->data, data, bytes);
  return MLPL_OK;
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
  if (n > 9e15)
    return mlpl_fail(cx, MLPL_EARG,
        "arange: from first to last there are %g elements, which is too many", n);
  MLPL_TRY(mlpl_tensor_new(cx, t, dtype, 1, (int64_t[]){(int64_t)n}));
  char *p = (*t)->data;
  for (int64_t i = 0; i < (*t)->numel; i++, p += mlpli_dtype_size[dtype])
    mlpli_store(p, (int)dtype, first + (double)i * step);
  return MLPL_OK;
}

/* ---- random ------------------------------------------------------------------------ */

#define PART                                                                             \
  ((ptrdiff_t)1 << 15) /* elements a task fills: a multiple of every per_block */

typedef struct fill {
  const mlplk_table *kern;
  void (*draw)(ptrdiff_t n, void *out, const mlplk_stream *s, double a, double b);
  char *out;
  int64_t n;
  mlplk_stream stream;
  double a, b;
} fill;

static void fill_part(void *arg, ptrdiff_t i, int worker) {
  (void)worker;
  const fill *f = arg;
  ptrdiff_t start = i * PART, n = f->n - start < PART ? (ptrdiff_t)(f->n - start) : PART;
  mlplk_stream s = f->stream;
  s.counter += (uint64_t)(start / f->kern->per_block);
  f->draw(n, f->out + (size_t)start * f->kern->real_bytes, &s, f->a, f->b);
}

void mlpli_random_fill(mlpl_tensor *t, mlpli_draw draw, double a, double b) {
  mlpl_ctx *cx = t->cx;
  const mlplk_table *k = mlpli_kern(t);
  uint64_t blocks = ((uint64_t)t->numel + (uint64_t)k->per_block - 1) /
      (uint64_t)k->per_block;
  fill f = {k, NULL, t->data, t->numel, mlpli_random_take(cx, blocks), a, b};
  f.draw = draw == MLPLI_UNIFORM ? k->uniform
      : draw == MLPLI_NORMAL     ? k->normal
                                 : k->dropout;
  MLPL_ASSERT(t->contiguous);
  cx->par.run(&cx->par, (t->numel + PART - 1) / PART, fill_part, &f);
}

mlpl_status mlpl_tensor_rand(mlpl_ctx *cx, mlpl_tensor **t, mlpl_dtype dtype, int ndim,
    const int64_t *shape, double lo, double hi) {
  *t = NULL;
  MLPL_TRY(check_real(cx, "rand", (int)dtype));
  if (!isfinite(lo) || !isfinite(hi) || lo > hi)
    return mlpl_fail(cx, MLPL_EARG,
        "rand: from %g to %g; the bounds must be finite and in order", lo, hi);
  MLPL_TRY(check_shape(cx, "rand", (int)dtype, ndim, shape));
  MLPL_TRY(mlpli_tensor_make(cx, t, (int)dtype, ndim, shape));
  mlpli_random_fill(*t, MLPLI_UNIFORM, lo, hi);
  return MLPL_OK;
}

mlpl_status mlpl_tensor_randn(mlpl_ctx *cx, mlpl_tensor **t, mlpl_dtype dtype, int ndim,
    const int64_t *shape, double mean, double std) {
  *t = NULL;
  MLPL_TRY(check_real(cx, "randn", (int)dtype));
  if (!isfinite(mean) || !isfinite(std) || std < 0)
    return mlpl_fail(cx, MLPL_EARG,
        "randn: mean %g, std %g; they must be finite, std not negative", mean, std);
  MLPL_TRY(check_shape(cx, "randn", (int)dtype, ndim, shape));
  MLPL_TRY(mlpli_tensor_make(cx, t, (int)dtype, ndim, shape));
  mlpli_random_fill(*t, MLPLI_NORMAL, mean, std);
  return MLPL_OK;
}

/* The whole numbers that a dtype holds exactly; i64 holds all that are asked for. */
static void dtype_range(int dtype, double *lo, double *hi) {
  static const double bound[] = {16777216.0, 9007199254740992.0, HUGE_VAL, 255, 1};
  *hi = bound[dtype];
  *lo = dtype >= MLPL_U8 ? 0 : -bound[dtype];
}

mlpl_status mlpl_tensor_randint(mlpl_ctx *cx, mlpl_tensor **t, mlpl_dtype dtype, int ndim,
    const int64_t *shape, int64_t lo, int64_t hi) {
  *t = NULL;
  MLPL_TRY(check_shape(cx, "randint", (int)dtype, ndim, shape));
  double least, most;
  dtype_range((int)dtype, &least, &most);
  if (lo > hi || (double)lo < least || (double)hi > most)
    return mlpl_fail(cx, MLPL_EARG,
        "randint: lowest is %lld, highest is %lld; they must be in order and fit %s",
        (long long)lo, (long long)hi, mlpl_dtype_name(dtype));
  MLPL_TRY(mlpli_tensor_make(cx, t, (int)dtype, ndim, shape));
  /* 0 for all 2^64 numbers */
  uint64_t span = (uint64_t)hi - (uint64_t)lo + 1;
  char *p = (*t)->data;
  for (int64_t i = 0; i < (*t)->numel; i++, p += mlpli_dtype_size[dtype]) {
    int64_t v = (int64_t)((uint64_t)lo + mlpli_random_below(cx, span));
    if (dtype == MLPL_I64)
      memcpy(p, &v, sizeof v);
    else
      mlpli_store(p, (int)dtype, (double)v);
  }
  return MLPL_OK;
}
