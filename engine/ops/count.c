/* How often values occur: bincount, histc, unique. */
#include "ops/rows.h"

#include "ops/order.h"

#include <string.h>

/* ---- bincount ---------------------------------------------------------------------- */

static mlpl_status check_weights(
    mlpl_ctx *cx, const mlpl_tensor *x, const mlpl_tensor *weights) {
  char a[MLPLI_SHAPE_TEXT], b[MLPLI_SHAPE_TEXT];
  if (!weights) return MLPL_OK;
  if (!mlpli_is_real(weights))
    return mlpl_fail(cx, MLPL_EARG,
        "bincount: weights are %s; they must be f32 or f64 (convert with :to)",
        mlpl_dtype_name((mlpl_dtype)weights->dtype));
  if (weights->ndim != 1 || weights->numel != x->numel)
    return mlpl_fail(cx, MLPL_ESHAPE,
        "bincount: input is %s, weights are %s; they must have one shape",
        mlpli_tensor_text(a, x), mlpli_tensor_text(b, weights));
  return MLPL_OK;
}

static const mlpl_tensor *weights_of(const mlpli_call *c) {
  return c->n > 1 ? c->in[1] : NULL;
}

/* One bin for each label from the base to the largest, at least minlength. */
static SHAPE(bincount) {
  const mlpl_tensor *x = c->in[0];
  const int64_t *v = (const int64_t *)(const void *)x->data;
  int64_t most = cx->index_base - 1;
  char text[MLPLI_SHAPE_TEXT];
  if (x->ndim != 1)
    return mlpl_fail(cx, MLPL_ESHAPE, "bincount: input is %s; it must have one axis",
        mlpli_tensor_text(text, x));
  MLPL_TRY(check_weights(cx, x, weights_of(c)));
  for (int64_t i = 0; i < x->numel; i++) {
    const int64_t label = v[i * x->stride[0]];
    if (label < cx->index_base)
      return mlpl_fail(cx, MLPL_EARG,
          "bincount: input element %lld is %lld; what is counted must be %d or more",
          (long long)i + cx->index_base, (long long)label, cx->index_base);
    if (label > most) most = label;
  }
  s->ndim = 1;
  s->size[0] = most - cx->index_base == INT64_MAX ? most : most - cx->index_base + 1;
  if (s->size[0] < c->p[0].i) s->size[0] = c->p[0].i;
  return MLPL_OK;
}

static int dtype_of_counts(const mlpli_call *c) {
  const mlpl_tensor *weights = weights_of(c);
  return weights ? weights->dtype : MLPL_I64;
}

static FORWARD(bincount) {
  (void)cx;
  const mlpl_tensor *x = c->in[0], *weights = weights_of(c);
  const int64_t *v = (const int64_t *)(const void *)x->data;
  mlpl_tensor *y = *out;
  mlpli_fill(y, 0);
  for (int64_t i = 0; i < x->numel; i++) {
    const int64_t bin = v[i * x->stride[0]] - cx->index_base;
    const char *w = weights ? weights->data +
            i * weights->stride[0] * (int64_t)mlpli_dtype_size[weights->dtype]
                            : NULL;
    if (!w)
      ((int64_t *)(void *)y->data)[bin]++;
    else if (y->dtype == MLPL_F32)
      ((float *)(void *)y->data)[bin] += *(const float *)(const void *)w;
    else
      ((double *)(void *)y->data)[bin] += *(const double *)(const void *)w;
  }
  return MLPL_OK;
}

/* ---- histc ------------------------------------------------------------------------- */

static SHAPE(histc) {
  (void)cx;
  s->ndim = 1;
  s->size[0] = c->p[0].i;
  return MLPL_OK;
}

/* From min to max; both 0: of the elements. Equal ones: one to either side. */
static mlpl_status histogram_range(
    mlpl_ctx *cx, const mlpli_call *c, const mlpl_tensor *x, double *min, double *max) {
  *min = c->p[1].f, *max = c->p[2].f;
  if (*min > *max)
    return mlpl_fail(
        cx, MLPL_EARG, "histc: min is %g, max is %g; min must not be larger", *min, *max);
  if (*min == *max && x->numel) {
    *min = INFINITY, *max = -INFINITY;
    for (int64_t i = 0; i < x->numel; i++) {
      const double v = mlpli_load(
          x->data + (size_t)i * mlpli_dtype_size[x->dtype], x->dtype);
      if (!(v >= *min)) *min = v;
      if (!(v <= *max)) *max = v;
    }
  }
  if (!isfinite(*min) || !isfinite(*max))
    return mlpl_fail(cx, MLPL_EARG,
        "histc: the elements are from %g to %g; give a finite min and max", *min, *max);
  if (*min == *max) *min -= 1, *max += 1;
  return MLPL_OK;
}

/* Counted as whole numbers: an f32 would stop at 2^24. */
static FORWARD(histc) {
  mlpl_tensor *x, *bin_counts;
  double min, max;
  const int64_t bins = c->p[0].i;
  MLPL_TRY(mlpli_tensor_contiguous(cx, &x, c->in[0]));
  mlpl_status status = mlpli_tensor_make(cx, &bin_counts, MLPL_I64, 1, &bins);
  if (status != MLPL_OK) {
    mlpl_tensor_release(x);
    return status;
  }
  status = histogram_range(cx, c, x, &min, &max);
  mlpli_fill(bin_counts, 0);
  int64_t *count = (int64_t *)(void *)bin_counts->data;
  const float *f = (const float *)(const void *)x->data;
  const double *d = (const double *)(const void *)x->data;
  for (int64_t i = 0; i < x->numel && status == MLPL_OK; i++) {
    const double v = x->dtype == MLPL_F32 ? (double)f[i] : d[i];
    if (!(v >= min && v <= max)) continue;
    int64_t bin = (int64_t)((v - min) / (max - min) * (double)bins);
    if (bin >= bins) bin = bins - 1; /* max itself is in the last */
    count[bin]++;
  }
  mlpli_copy(*out, bin_counts);
  mlpl_tensor_release(bin_counts);
  mlpl_tensor_release(x);
  return status;
}

/* ---- unique ------------------------------------------------------------------------ */

/* NaN differs from every other element, and from other NaNs, as in PyTorch. */
static bool is_nan_key(uint64_t key, int dtype) {
  return (dtype == MLPL_F32 && key == UINT32_MAX) ||
      (dtype == MLPL_F64 && key == UINT64_MAX);
}

/* The n sorted items' distinct elements and how they are spread; NULL: not wanted. */
static int64_t distinct(const mlpl_tensor *x, const mlplk_item *items, char *values,
    int64_t *inverse, int64_t *counts, int base) {
  const size_t size = mlpli_dtype_size[x->dtype];
  int64_t n = 0;
  for (int64_t i = 0; i < x->numel; i++) {
    if (!i || items[i].key != items[i - 1].key || is_nan_key(items[i].key, x->dtype)) {
      if (values)
        memcpy(values + (size_t)n * size, x->data + (size_t)items[i].at * size, size);
      if (counts) counts[n] = 0;
      n++;
    }
    if (inverse) inverse[items[i].at] = n - 1 + base;
    if (counts) counts[n - 1]++;
  }
  return n;
}

static mlpl_status make_unique(
    mlpl_ctx *cx, const mlpl_tensor *x, const mlplk_item *items, mlpl_tensor **out) {
  const int64_t n = distinct(x, items, NULL, NULL, NULL, 0);
  MLPL_TRY(mlpli_tensor_make(cx, &out[0], x->dtype, 1, &n));
  MLPL_TRY(mlpli_tensor_make(cx, &out[1], MLPL_I64, x->ndim, x->shape));
  MLPL_TRY(mlpli_tensor_make(cx, &out[2], MLPL_I64, 1, &n));
  distinct(x, items, out[0]->data, (int64_t *)(void *)out[1]->data,
      (int64_t *)(void *)out[2]->data, cx->index_base);
  return MLPL_OK;
}

mlpl_status mlpl_unique(mlpl_ctx *cx, mlpl_tensor **values, mlpl_tensor **inverse,
    mlpl_tensor **counts, const mlpl_tensor *t) {
  mlpl_tensor *x, *out[3] = {NULL, NULL, NULL}, **to[3] = {values, inverse, counts};
  for (int i = 0; i < 3; i++)
    if (to[i]) *to[i] = NULL;
  MLPL_TRY(mlpli_tensor_contiguous(cx, &x, t));
  const size_t bytes = 2 * (size_t)x->numel * sizeof(mlplk_item);
  mlplk_item *items = mlpli_alloc(cx->heap, bytes ? bytes : 1);
  mlpl_status status = items ? MLPL_OK : mlpli_no_memory(cx, "unique", bytes);
  if (status == MLPL_OK) {
    for (int64_t i = 0; i < x->numel; i++)
      items[i] = (mlplk_item){mlpli_key(x->data, i, x->dtype, 0), i};
    mlplk_sort(x->numel, items, items + x->numel);
    status = make_unique(cx, x, items, out);
  }
  mlpli_free(cx->heap, items);
  mlpl_tensor_release(x);
  for (int i = 0; i < 3; i++) {
    if (status == MLPL_OK && to[i])
      *to[i] = out[i];
    else
      mlpl_tensor_release(out[i]);
  }
  return status;
}

/* ---- rows -------------------------------------------------------------------------- */

static const mlpl_param bincount_params[] = {MLPLI_INT_OPTION("minlength", 0, 0, MANY)};
static const mlpl_param histc_params[] = {MLPLI_INT_OPTION("bins", 100, 1, MANY),
    MLPLI_REAL_OPTION("min", 0, -1e300, 1e300),
    MLPLI_REAL_OPTION("max", 0, -1e300, 1e300)};

const mlpl_op mlpli_op_bincount = {.name = "bincount",
    .input_name = {"input", "weights"},
    .domain = {MLPLI_LABELS, MLPLI_ANY},
    .n_inputs = 2,
    .n_required = 1,
    .n_outputs = 1,
    .shape = shape_bincount,
    .forward = bincount_forward,
    PARAMS(bincount_params),
    .gives_index = true,
    .dtype = dtype_of_counts};
const mlpl_op mlpli_op_histc = {
    UNARY_ROW(histc, MLPLI_REAL, shape_histc), PARAMS(histc_params)};
