/*
** Random numbers: tensors of them, tensors filled in place, draws by probabilities,
** permutations. Uniform and normal numbers come in bulk from the kernels, so what is drawn
** does not depend on threads; what is made of them is made element by element.
*/
#include "tensor/tensor.h"

#include "base/buffer.h"
#include "grad/grad.h"

#include <math.h>
#include <string.h>

/* ---- what may be asked for --------------------------------------------------------- */

static mlpl_status check_real(mlpl_ctx *cx, const char *what, int dtype) {
  if (dtype == MLPL_F32 || dtype == MLPL_F64) return MLPL_OK;
  return mlpl_fail(cx, MLPL_EARG, "%s: dtype is %s; random real numbers need f32 or f64",
      what, mlpl_dtype_name((mlpl_dtype)dtype));
}

static mlpl_status check_bounds(mlpl_ctx *cx, const char *what, double lo, double hi) {
  if (isfinite(lo) && isfinite(hi) && lo <= hi && isfinite(hi - lo)) return MLPL_OK;
  return mlpl_fail(cx, MLPL_EARG,
      "%s: from %g to %g; the bounds must be finite and in order", what, lo, hi);
}

static mlpl_status check_normal(mlpl_ctx *cx, const char *what, double mean, double std) {
  if (isfinite(mean) && isfinite(std) && std >= 0) return MLPL_OK;
  return mlpl_fail(cx, MLPL_EARG,
      "%s: mean %g, std %g; they must be finite, std not negative", what, mean, std);
}

/* ---- from the kernels -------------------------------------------------------------- */

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
  MLPL_TRY(check_bounds(cx, "rand", lo, hi));
  MLPL_TRY(mlpli_check_sizes(cx, "rand", (int)dtype, ndim, shape));
  MLPL_TRY(mlpli_tensor_make(cx, t, (int)dtype, ndim, shape));
  mlpli_random_fill(*t, MLPLI_UNIFORM, lo, hi);
  return MLPL_OK;
}

mlpl_status mlpl_tensor_randn(mlpl_ctx *cx, mlpl_tensor **t, mlpl_dtype dtype, int ndim,
    const int64_t *shape, double mean, double std) {
  *t = NULL;
  MLPL_TRY(check_real(cx, "randn", (int)dtype));
  MLPL_TRY(check_normal(cx, "randn", mean, std));
  MLPL_TRY(mlpli_check_sizes(cx, "randn", (int)dtype, ndim, shape));
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
  MLPL_TRY(mlpli_check_sizes(cx, "randint", (int)dtype, ndim, shape));
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

/* ---- permutations ------------------------------------------------------------------ */

mlpl_status mlpl_tensor_randperm(
    mlpl_ctx *cx, mlpl_tensor **t, mlpl_dtype dtype, int64_t n) {
  static const double most[] = {16777216.0, 9007199254740992.0, 9e15, 255, 1};
  mlpl_tensor *whole;
  *t = NULL;
  if ((unsigned)dtype > MLPL_BOOL)
    return mlpl_fail(cx, MLPL_EARG, "randperm: no dtype has number %d", (int)dtype);
  if (n < 0)
    return mlpl_fail(
        cx, MLPL_EARG, "randperm: n is %lld; it must be 0 or more", (long long)n);
  if (n > 0 && (double)(n - 1) + cx->index_base > most[dtype])
    return mlpl_fail(cx, MLPL_EARG,
        "randperm: n is too large: the numbers up to %lld do not fit %s",
        (long long)(n - 1 + cx->index_base), mlpl_dtype_name(dtype));
  MLPL_TRY(mlpli_tensor_make(cx, &whole, MLPL_I64, 1, &n));
  const mlplk_stream before = cx->random;
  int64_t *p = (int64_t *)(void *)whole->data;
  mlpli_random_permutation(cx, p, n);
  for (int64_t i = 0; i < n; i++) p[i] += cx->index_base;
  if (dtype == MLPL_I64) {
    *t = whole;
    return MLPL_OK;
  }
  mlpl_status status = mlpl_tensor_to(cx, t, whole, dtype);
  mlpl_tensor_release(whole);
  return mlpli_undraw(cx, before, status);
}

/* ---- in place ---------------------------------------------------------------------- */

/* Numbers for t, contiguous: t itself where it is, else memory to be copied. */
static mlpl_status begin(
    mlpl_ctx *cx, const char *what, mlpl_tensor *t, mlpl_tensor **draw) {
  MLPL_TRY(check_real(cx, what, t->dtype));
  *draw = NULL;
  if (!t->contiguous) MLPL_TRY(mlpli_tensor_like(cx, draw, t));
  mlpl_status status = mlpli_overwrite(cx, what, t);
  if (status == MLPL_OK && !*draw) *draw = mlpli_retain(t);
  if (status != MLPL_OK) mlpl_tensor_release(*draw);
  return status;
}

static mlpl_status end(mlpl_tensor *t, mlpl_tensor *draw) {
  if (draw != t) mlpli_copy(t, draw);
  mlpli_touch(t);
  mlpl_tensor_release(draw);
  return MLPL_OK;
}

mlpl_status mlpl_tensor_fill_uniform(mlpl_ctx *cx, mlpl_tensor *t, double lo, double hi) {
  mlpl_tensor *draw;
  MLPL_TRY(check_bounds(cx, "uniform_", lo, hi));
  MLPL_TRY(begin(cx, "uniform_", t, &draw));
  mlpli_random_fill(draw, MLPLI_UNIFORM, lo, hi);
  return end(t, draw);
}

mlpl_status mlpl_tensor_fill_normal(
    mlpl_ctx *cx, mlpl_tensor *t, double mean, double std) {
  mlpl_tensor *draw;
  MLPL_TRY(check_normal(cx, "normal_", mean, std));
  MLPL_TRY(begin(cx, "normal_", t, &draw));
  mlpli_random_fill(draw, MLPLI_NORMAL, mean, std);
  return end(t, draw);
}

/* By inversion: 1 - u is in (0, 1], so there is no log 0. */
mlpl_status mlpl_tensor_fill_exponential(mlpl_ctx *cx, mlpl_tensor *t, double rate) {
  mlpl_tensor *draw;
  if (!isfinite(rate) || rate <= 0)
    return mlpl_fail(
        cx, MLPL_EARG, "exponential_: lambd is %g; it must be finite and above 0", rate);
  MLPL_TRY(begin(cx, "exponential_", t, &draw));
  mlpli_random_fill(draw, MLPLI_UNIFORM, 0, 1);
  char *p = draw->data;
  for (int64_t i = 0; i < draw->numel; i++, p += mlpli_dtype_size[t->dtype])
    mlpli_store(p, t->dtype, -log1p(-mlpli_load(p, t->dtype)) / rate);
  return end(t, draw);
}

/* ---- by probabilities -------------------------------------------------------------- */

static mlpl_status check_share(
    mlpl_ctx *cx, const char *what, const mlpl_tensor *p, double v, int64_t at) {
  if (v >= 0 && v <= 1) return MLPL_OK;
  if (p->numel == 1)
    return mlpl_fail(cx, MLPL_EARG, "%s: p is %g; it must be from 0 to 1", what, v);
  return mlpl_fail(cx, MLPL_EARG, "%s: p at element %lld is %g; it must be from 0 to 1",
      what, (long long)(at + cx->index_base), v);
}

/* p's elements in row-major order, contiguous; u < p has probability p for u in [0, 1):
   never for 0, always for 1. */
static mlpl_status draw_bernoulli(mlpl_ctx *cx, const char *what, mlpl_tensor *out,
    const mlpl_tensor *p, mlpl_tensor *u) {
  size_t size = mlpli_dtype_size[p->dtype], step = p->numel == 1 ? 0 : size;
  for (int64_t i = 0; i < p->numel; i++)
    MLPL_TRY(
        check_share(cx, what, p, mlpli_load(p->data + (size_t)i * size, p->dtype), i));
  mlpli_random_fill(u, MLPLI_UNIFORM, 0, 1);
  char *to = out->data;
  for (int64_t i = 0; i < out->numel; i++, to += mlpli_dtype_size[out->dtype]) {
    double share = mlpli_load(p->data + (size_t)i * step, p->dtype);
    double at = mlpli_load(u->data + (size_t)i * mlpli_dtype_size[u->dtype], u->dtype);
    mlpli_store(to, out->dtype, at < share);
  }
  return MLPL_OK;
}

mlpl_status mlpl_tensor_bernoulli(mlpl_ctx *cx, mlpl_tensor **t, const mlpl_tensor *p) {
  mlpl_tensor *flat, *u = NULL;
  *t = NULL;
  MLPL_TRY(check_real(cx, "bernoulli", p->dtype));
  MLPL_TRY(mlpli_tensor_contiguous(cx, &flat, p));
  mlpl_status status = mlpli_tensor_like(cx, t, p);
  if (status == MLPL_OK) status = mlpli_tensor_like(cx, &u, p);
  if (status == MLPL_OK) status = draw_bernoulli(cx, "bernoulli", *t, flat, u);
  mlpl_tensor_release(u);
  mlpl_tensor_release(flat);
  if (status != MLPL_OK) {
    mlpli_drop(t);
  }
  return status;
}

static bool is_shaped_like(const mlpl_tensor *p, const mlpl_tensor *t) {
  if (p->numel == 1) return true;
  return p->ndim == t->ndim &&
      memcmp(p->shape, t->shape, (size_t)t->ndim * sizeof *t->shape) == 0;
}

mlpl_status mlpl_tensor_fill_bernoulli(
    mlpl_ctx *cx, mlpl_tensor *t, const mlpl_tensor *p) {
  char a[MLPLI_SHAPE_TEXT], b[MLPLI_SHAPE_TEXT];
  mlpl_tensor *flat, *u = NULL, *draw = NULL;
  const mlplk_stream before = cx->random;
  MLPL_TRY(check_real(cx, "bernoulli_", p->dtype));
  if (!is_shaped_like(p, t))
    return mlpl_fail(cx, MLPL_ESHAPE,
        "bernoulli_: the tensor is %s, p is %s; it must have its shape",
        mlpli_tensor_text(a, t), mlpli_tensor_text(b, p));
  MLPL_TRY(mlpli_tensor_contiguous(cx, &flat, p));
  mlpl_status status = mlpli_tensor_make(cx, &u, p->dtype, t->ndim, t->shape);
  if (status == MLPL_OK) status = mlpli_tensor_like(cx, &draw, t);
  if (status == MLPL_OK) status = draw_bernoulli(cx, "bernoulli_", draw, flat, u);
  if (status == MLPL_OK) status = mlpli_overwrite(cx, "bernoulli_", t);
  mlpl_tensor_release(u);
  mlpl_tensor_release(flat);
  if (status == MLPL_OK) return end(t, draw);
  mlpl_tensor_release(draw);
  return mlpli_undraw(cx, before, status);
}

/* ---- by weights -------------------------------------------------------------------- */

typedef struct drawing {
  mlpl_ctx *cx;
  int64_t rows, k, n;
  bool replacement;
  const double *w, *u; /* of the present row */
  double *v;           /* [k]: sums of weights; without replacement, times */
  int64_t *order;      /* [k], without replacement: who comes when */
} drawing;

static mlpl_status check_row(const drawing *d, int64_t row) {
  mlpl_ctx *cx = d->cx;
  double sum = 0;
  int64_t positive = 0;
  for (int64_t i = 0; i < d->k; i++) {
    if (!isfinite(d->w[i]) || d->w[i] < 0)
      return mlpl_fail(cx, MLPL_EARG,
          "multinomial: weight %lld of row %lld is %g; weights are finite and not "
          "negative",
          (long long)(i + cx->index_base), (long long)(row + cx->index_base), d->w[i]);
    sum += d->w[i];
    positive += d->w[i] > 0;
  }
  if (!(sum > 0) || !isfinite(sum))
    return mlpl_fail(cx, MLPL_EARG,
        "multinomial: the weights of row %lld add up to %g; the sum must be finite and "
        "above 0",
        (long long)(row + cx->index_base), sum);
  if (!d->replacement && positive < d->n)
    return mlpl_fail(cx, MLPL_EARG,
        "multinomial: row %lld has %lld weights above 0; without replacement, %lld "
        "cannot be drawn",
        (long long)(row + cx->index_base), (long long)positive, (long long)d->n);
  return MLPL_OK;
}

/* The first whose sum of weights up to it is above u times all: never one of weight 0. */
static void draw_with(const drawing *d, int64_t *out) {
  double sum = 0;
  int64_t last = 0;
  for (int64_t i = 0; i < d->k; i++) {
    d->v[i] = sum += d->w[i];
    if (d->w[i] > 0) last = i;
  }
  for (int64_t j = 0; j < d->n; j++) {
    double at = d->u[j] * sum;
    int64_t lo = 0, hi = last;
    while (lo < hi) {
      int64_t middle = lo + (hi - lo) / 2;
      if (d->v[middle] > at)
        hi = middle;
      else
        lo = middle + 1;
    }
    out[j] = lo + d->cx->index_base;
  }
}

static bool comes_before(const void *times, int64_t a, int64_t b) {
  const double *t = times;
  return t[a] != t[b] ? t[a] < t[b] : a < b;
}

/* Exponential times of rate w: who comes first, second, ... is distributed as draws
   without replacement (Efraimidis and Spirakis, 2006). Of weight 0: nobody ever comes,
   while the time of a very small one may be infinite, too. */
static void draw_without(const drawing *d, int64_t *out) {
  int64_t n = 0;
  for (int64_t i = 0; i < d->k; i++) {
    if (!(d->w[i] > 0)) continue;
    d->v[i] = -log1p(-d->u[i]) / d->w[i];
    d->order[n++] = i;
  }
  mlpli_sort(d->order, n, comes_before, d->v);
  for (int64_t j = 0; j < d->n; j++) out[j] = d->order[j] + d->cx->index_base;
}

static mlpl_status draw_rows(
    drawing *d, const mlpl_tensor *w, mlpl_tensor *u, mlpl_tensor *out) {
  const double *weights = (const double *)(const void *)w->data;
  for (int64_t row = 0; row < d->rows; row++) {
    d->w = weights + row * d->k;
    MLPL_TRY(check_row(d, row));
  }
  mlpli_random_fill(u, MLPLI_UNIFORM, 0, 1);
  for (int64_t row = 0; row < d->rows; row++) {
    d->w = weights + row * d->k;
    d->u = (const double *)(const void *)u->data + row * (d->replacement ? d->n : d->k);
    int64_t *to = (int64_t *)(void *)out->data + row * d->n;
    if (d->replacement)
      draw_with(d, to);
    else
      draw_without(d, to);
  }
  return MLPL_OK;
}

static mlpl_status draw_all(drawing *d, const mlpl_tensor *w, mlpl_tensor *out) {
  mlpl_ctx *cx = d->cx;
  mlpl_tensor *u = NULL;
  const int64_t shape[] = {d->rows, d->replacement ? d->n : d->k};
  size_t each = sizeof *d->v + (d->replacement ? 0 : sizeof *d->order);
  mlpl_status status = mlpli_tensor_make(cx, &u, MLPL_F64, 2, shape);
  if (status == MLPL_OK)
    status = mlpli_new(cx, &d->v, (size_t)d->k * each, "multinomial");
  if (status == MLPL_OK) {
    d->order = (int64_t *)(void *)(d->v + d->k);
    status = draw_rows(d, w, u, out);
  }
  mlpli_free(cx->heap, d->v);
  mlpl_tensor_release(u);
  return status;
}

mlpl_status mlpl_tensor_multinomial(mlpl_ctx *cx, mlpl_tensor **t,
    const mlpl_tensor *weights, int64_t n, bool replacement) {
  char text[MLPLI_SHAPE_TEXT];
  mlpl_tensor *w = NULL;
  *t = NULL;
  MLPL_TRY(check_real(cx, "multinomial", weights->dtype));
  if (weights->ndim < 1 || weights->ndim > 2)
    return mlpl_fail(cx, MLPL_ESHAPE,
        "multinomial: the weights are %s; they must have one axis, or two for rows",
        mlpli_tensor_text(text, weights));
  if (n < 1)
    return mlpl_fail(
        cx, MLPL_EARG, "multinomial: n is %lld; it must be at least 1", (long long)n);
  bool single = weights->ndim == 1;
  drawing d = {cx, single ? 1 : weights->shape[0], weights->shape[weights->ndim - 1], n,
      replacement, NULL, NULL, NULL, NULL};
  MLPL_TRY(mlpli_tensor_make(
      cx, t, MLPL_I64, single ? 1 : 2, single ? &n : (const int64_t[]){d.rows, n}));
  mlpl_status status = mlpl_tensor_to(cx, &w, weights, MLPL_F64);
  if (status == MLPL_OK) status = draw_all(&d, w, *t); /* a new tensor is contiguous */
  mlpl_tensor_release(w);
  if (status != MLPL_OK) {
    mlpli_drop(t);
  }
  return status;
}
