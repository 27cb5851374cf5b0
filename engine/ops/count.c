/* How often values occur: bincount, histc, unique. */
#include "ops/rows.h"

#include "ops/order.h"

#include <float.h>
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
  if (*min == *max) {
    const double by = fmax(1, fabs(*min) * DBL_EPSILON); /* next to 1e17, 1 is nothing */
    *min -= by, *max += by;
  }
  return MLPL_OK;
}

/* Halves, whose differences are finite. The largest number itself is in the last bin. */
static int64_t bin_of(double v, double min, double max, int64_t bins) {
  const int64_t bin = (int64_t)((v / 2 - min / 2) / (max / 2 - min / 2) * (double)bins);
  return bin < bins ? bin : bins - 1;
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
    if (v >= min && v <= max) count[bin_of(v, min, max, bins)]++;
  }
  if (status == MLPL_OK) mlpli_copy(*out, bin_counts);
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

/* ---- unique slices ----------------------------------------------------------------- */

/* Slices along the first axis of x, contiguous: m elements each. */
typedef struct slices {
  const mlpl_tensor *x;
  int64_t n, m;
} slices;

/* Below 0, 0, above 0: in lexicographic order. */
static int compare_slices(const slices *s, int64_t a, int64_t b) {
  for (int64_t i = 0; i < s->m; i++) {
    const uint64_t x = mlpli_key(s->x->data, a * s->m + i, s->x->dtype, 0),
                   y = mlpli_key(s->x->data, b * s->m + i, s->x->dtype, 0);
    if (x != y) return x < y ? -1 : 1;
  }
  return 0;
}

static bool same_slice(const slices *s, int64_t a, int64_t b) {
  if (compare_slices(s, a, b)) return false;
  for (int64_t i = 0; i < s->m; i++)
    if (is_nan_key(mlpli_key(s->x->data, a * s->m + i, s->x->dtype, 0), s->x->dtype))
      return false;
  return true;
}

/* at[0..n) in order, equal ones as they stand: runs of 1, 2, 4, ... are merged. */
static void sort_slices(const slices *s, int64_t *at, int64_t *spare) {
  for (int64_t run = 1; run < s->n; run *= 2) {
    for (int64_t first = 0; first < s->n; first += 2 * run) {
      const int64_t middle = first + run < s->n ? first + run : s->n,
                    end = middle + run < s->n ? middle + run : s->n;
      int64_t a = first, b = middle;
      for (int64_t i = first; i < end; i++)
        spare[i] = b == end || (a < middle && compare_slices(s, at[a], at[b]) <= 0)
            ? at[a++]
            : at[b++];
    }
    memcpy(at, spare, (size_t)s->n * sizeof *at);
  }
}

/* Which group every slice belongs to, and of each group the first slice and how many there
   are; what was made is out[0..3): places to pick from x, inverse, counts. */
static mlpl_status group_slices(mlpl_ctx *cx, const slices *s, const int64_t *at,
    const mlpl_tensor *like, mlpl_tensor **out) {
  int64_t groups = 0;
  for (int64_t i = 0; i < s->n; i++) groups += !i || !same_slice(s, at[i - 1], at[i]);
  MLPL_TRY(mlpli_tensor_make(cx, &out[0], MLPL_I64, 1, &groups));
  MLPL_TRY(mlpli_tensor_make(
      cx, &out[1], MLPL_I64, like ? like->ndim : 1, like ? like->shape : &s->n));
  MLPL_TRY(mlpli_tensor_make(cx, &out[2], MLPL_I64, 1, &groups));
  int64_t *first = (void *)out[0]->data, *inverse = (void *)out[1]->data,
          *counts = (void *)out[2]->data;
  for (int64_t i = 0, k = -1; i < s->n; i++) {
    if (!i || !same_slice(s, at[i - 1], at[i])) {
      first[++k] = at[i] + cx->index_base;
      counts[k] = 0;
    }
    inverse[at[i]] = k + cx->index_base;
    counts[k]++;
  }
  return MLPL_OK;
}

/* x, whose slices along `axis` are looked at: moved to the front, contiguous. */
static mlpl_status grouped(mlpl_ctx *cx, mlpl_tensor *x, int axis, bool sort,
    const mlpl_tensor *like, mlpl_tensor **out) {
  const mlpl_value to_front[2] = {
      {.sizes = {.n = 1, .v = {axis}}}, {.sizes = {.n = 1, .v = {0}}}};
  mlpl_tensor *turned = NULL, *front = NULL;
  int64_t *at = NULL;
  MLPL_TRY(mlpli_apply(cx, &turned, MLPLI_OP_MOVEDIM, &x, 1, to_front));
  mlpl_status status = mlpli_tensor_contiguous(cx, &front, turned);
  mlpl_tensor_release(turned);
  if (status != MLPL_OK) return status;
  slices s = {
      front, front->shape[0], front->shape[0] ? front->numel / front->shape[0] : 0};
  status = mlpli_new(cx, &at, 2 * (size_t)s.n * sizeof *at, "unique");
  if (status == MLPL_OK) {
    for (int64_t i = 0; i < s.n; i++) at[i] = i;
    if (sort) sort_slices(&s, at, at + s.n);
    status = group_slices(cx, &s, at, like, out);
  }
  mlpli_free(cx->heap, at);
  mlpl_tensor_release(front);
  if (status == MLPL_OK) {
    mlpl_tensor *values = NULL, *in[2] = {x, out[0]};
    status = mlpli_apply(
        cx, &values, MLPLI_OP_INDEX_SELECT, in, 2, &(mlpl_value){.i = axis});
    mlpl_tensor_release(out[0]);
    out[0] = values;
  }
  return status;
}

mlpl_status mlpl_unique_slices(mlpl_ctx *cx, mlpl_tensor **values, mlpl_tensor **inverse,
    mlpl_tensor **counts, mlpl_tensor *t, int64_t dim, bool consecutive) {
  const char *what = consecutive ? "unique_consecutive" : "unique";
  mlpl_tensor *x = NULL, *out[3] = {NULL, NULL, NULL},
              **to[3] = {values, inverse, counts};
  const bool all = dim == MLPL_NO_AXIS, was = mlpl_set_grad_enabled(cx, false);
  int axis = 0;
  for (int i = 0; i < 3; i++)
    if (to[i]) *to[i] = NULL;
  mlpl_status status = all ? MLPL_OK : mlpli_axis(cx, what, dim, t->ndim, &axis);
  if (status == MLPL_OK && all) status = mlpli_apply(cx, &x, MLPLI_OP_RAVEL, &t, 1, NULL);
  if (status == MLPL_OK && !all) x = mlpli_retain(t);
  if (status == MLPL_OK) status = grouped(cx, x, axis, !consecutive, all ? t : NULL, out);
  mlpl_set_grad_enabled(cx, was);
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
