/* Views: other shapes and strides of the same memory. reshape and flatten copy where no
   view can do it. */
#include "ops/rows.h"
#include "ops/shape.h"

#include "grad/grad.h"

#include <string.h>

static mlpl_tensor *to_input_shape(mlpli_expr *e, mlpli_node *n, mlpl_tensor *g) {
  int ndim;
  const int64_t *shape;
  mlpli_input_shape(n, 0, &ndim, &shape);
  mlpl_value p = {.sizes = {.n = ndim}};
  memcpy(p.sizes.v, shape, (size_t)ndim * sizeof *shape);
  return mlpli_x1(e, MLPLI_OP_RESHAPE, g, &p);
}

/* ---- transpose, t ------------------------------------------------------------------ */

static mlpl_status swapped(
    mlpl_ctx *cx, const mlpl_tensor *x, int a, int b, mlpl_tensor **out) {
  int64_t shape[MLPL_MAX_RANK], stride[MLPL_MAX_RANK];
  memcpy(shape, x->shape, sizeof shape);
  memcpy(stride, x->stride, sizeof stride);
  shape[a] = x->shape[b], shape[b] = x->shape[a];
  stride[a] = x->stride[b], stride[b] = x->stride[a];
  return mlpli_tensor_view(cx, out, x, 0, x->ndim, shape, stride);
}

static VIEW(transpose) {
  int a, b;
  MLPL_TRY(mlpli_axis(cx, "transpose", c->p[0].i, c->in[0]->ndim, &a));
  MLPL_TRY(mlpli_axis(cx, "transpose", c->p[1].i, c->in[0]->ndim, &b));
  return swapped(cx, c->in[0], a, b, out);
}

static BACKWARD(transpose) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(&e, n, 0, mlpli_x1(&e, MLPLI_OP_TRANSPOSE, g, n->p));
  return mlpli_expr_end(&e);
}

static VIEW(t) {
  const mlpl_tensor *x = c->in[0];
  char text[MLPLI_SHAPE_TEXT];
  if (x->ndim > 2)
    return mlpl_fail(cx, MLPL_ESHAPE,
        "t: input is %s; t takes at most two axes, use transpose",
        mlpli_tensor_text(text, x));
  return x->ndim == 2 ? swapped(cx, x, 0, 1, out) : mlpli_tensor_alias(cx, out, x);
}

static BACKWARD(t) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(&e, n, 0, mlpli_x1(&e, MLPLI_OP_T, g, NULL));
  return mlpli_expr_end(&e);
}

/* ---- reshape, flatten -------------------------------------------------------------- */

/* torch's rule: runs of x's axes that continue each other can be cut anew. */
bool mlpli_view_strides(
    const mlpl_tensor *x, int ndim, const int64_t *shape, int64_t *stride) {
  int64_t base = 1, have = 1, want = 1;
  int d = ndim - 1;
  if (x->numel == 0 || x->ndim == 0) {
    for (; d >= 0; d--) {
      stride[d] = want;
      want *= shape[d] > 0 ? shape[d] : 1;
    }
    return true;
  }
  base = x->stride[x->ndim - 1];
  for (int k = x->ndim - 1; k >= 0; k--) {
    have *= x->shape[k];
    bool ends = k == 0 || (x->shape[k - 1] != 1 && x->stride[k - 1] != have * base);
    if (!ends) continue;
    for (; d >= 0 && (want < have || shape[d] == 1); d--) {
      stride[d] = want * base;
      want *= shape[d];
    }
    if (want != have) return false;
    if (k > 0) base = x->stride[k - 1], have = want = 1;
  }
  return d < 0;
}

/* View of x in row-major order, or of a contiguous copy of it where none is possible. */
static mlpl_status reshaped(mlpl_ctx *cx, const mlpl_tensor *x, int ndim,
    const int64_t *shape, mlpl_tensor **out) {
  int64_t stride[MLPL_MAX_RANK];
  mlpl_tensor *base;
  if (mlpli_view_strides(x, ndim, shape, stride))
    return mlpli_tensor_view(cx, out, x, 0, ndim, shape, stride);
  MLPL_TRY(mlpli_tensor_contiguous(cx, &base, x));
  mlpli_view_strides(base, ndim, shape, stride);
  mlpl_status status = mlpli_tensor_view(cx, out, base, 0, ndim, shape, stride);
  mlpl_tensor_release(base);
  return status;
}

static bool has_odd_sizes(const mlpl_value *p) {
  int open = 0;
  for (int d = 0; d < p->sizes.n; d++) {
    if (p->sizes.v[d] < -1) return true;
    open += p->sizes.v[d] == -1;
  }
  return open > 1;
}

static mlpl_status cannot_reshape(
    mlpl_ctx *cx, const char *what, const mlpl_tensor *x, const mlpl_value *p) {
  char a[MLPLI_SHAPE_TEXT], b[MLPLI_SHAPE_TEXT];
  return mlpl_fail(cx, MLPL_ESHAPE,
      "%s: input %s has %lld elements, which do not fit %s%s", what,
      mlpli_tensor_text(a, x), (long long)x->numel,
      mlpli_shape_text(b, p->sizes.n, p->sizes.v),
      has_odd_sizes(p) ? "; one size may be -1, for what the others leave" : "");
}

mlpl_status mlpli_fill_in(mlpl_ctx *cx, const char *what, const mlpl_tensor *x,
    const mlpl_value *p, int64_t *shape) {
  int n = p->sizes.n, open = -1;
  int64_t known = 1;
  for (int d = 0; d < n; d++) {
    shape[d] = p->sizes.v[d];
    if (shape[d] == -1 && open < 0)
      open = d;
    else if (shape[d] < 0 || __builtin_mul_overflow(known, shape[d], &known))
      return cannot_reshape(cx, what, x, p);
  }
  if (open >= 0) {
    if (known == 0 || x->numel % known) return cannot_reshape(cx, what, x, p);
    shape[open] = x->numel / known;
    known *= shape[open];
  }
  if (known == x->numel && mlpli_shape_fits(n, shape)) return MLPL_OK;
  return cannot_reshape(cx, what, x, p);
}

static VIEW(reshape) {
  int64_t shape[MLPL_MAX_RANK];
  MLPL_TRY(mlpli_fill_in(cx, "reshape", c->in[0], c->p, shape));
  return reshaped(cx, c->in[0], c->p[0].sizes.n, shape, out);
}

static BACKWARD(reshape) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(&e, n, 0, to_input_shape(&e, n, g));
  return mlpli_expr_end(&e);
}

static VIEW(flatten) {
  const mlpl_tensor *x = c->in[0];
  int first, last, n = 0;
  int64_t shape[MLPL_MAX_RANK];
  if (x->ndim == 0) return reshaped(cx, x, 1, (int64_t[]){1}, out);
  MLPL_TRY(mlpli_axis(cx, "flatten", c->p[0].i, x->ndim, &first));
  MLPL_TRY(mlpli_axis(cx, "flatten", c->p[1].i, x->ndim, &last));
  if (first > last)
    return mlpl_fail(cx, MLPL_EARG, "flatten: start_dim %d is behind end_dim %d",
        first + cx->index_base, last + cx->index_base);
  for (int d = 0; d < x->ndim; d++) {
    if (d > first && d <= last)
      shape[n - 1] *= x->shape[d];
    else
      shape[n++] = x->shape[d];
  }
  return reshaped(cx, x, n, shape, out);
}

/* ---- narrow, select ---------------------------------------------------------------- */

static VIEW(narrow) {
  const mlpl_tensor *x = c->in[0];
  int axis, base = cx->index_base;
  int64_t start = c->p[1].i, length = c->p[2].i, shape[MLPL_MAX_RANK];
  MLPL_TRY(mlpli_axis(cx, "narrow", c->p[0].i, x->ndim, &axis));
  if (start < 0) start += x->shape[axis];
  if (start < 0 || length < 0 || start > x->shape[axis] ||
      length > x->shape[axis] - start)
    return mlpl_fail(cx, MLPL_EARG,
        "narrow: start %lld and length %lld do not lie within axis %d, which has size %lld",
        (long long)(c->p[1].i < 0 ? c->p[1].i : c->p[1].i + base), (long long)length,
        axis + base, (long long)x->shape[axis]);
  memcpy(shape, x->shape, sizeof shape);
  shape[axis] = length;
  return mlpli_tensor_view(
      cx, out, x, start * x->stride[axis], x->ndim, shape, x->stride);
}

/* Where along which axis of the input the view began; g is put back there. */
static mlpl_tensor *put_back(mlpli_expr *e, mlpli_node *n, mlpl_tensor *g) {
  int ndim;
  const int64_t *shape;
  mlpl_value p[3];
  memset(p, 0, sizeof p);
  mlpli_input_shape(n, 0, &ndim, &shape);
  p[0].i = mlpli_axis_known(n->p[0].i, ndim);
  p[1].i = n->p[1].i < 0 ? n->p[1].i + shape[p[0].i] : n->p[1].i;
  p[2].i = shape[p[0].i];
  return mlpli_x1(e, MLPLI_OP_PLACE, g, p);
}

static BACKWARD(narrow) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(&e, n, 0, put_back(&e, n, g));
  return mlpli_expr_end(&e);
}

static VIEW(select) {
  const mlpl_tensor *x = c->in[0];
  int axis, base = cx->index_base, n = 0;
  int64_t i = c->p[1].i, shape[MLPL_MAX_RANK], stride[MLPL_MAX_RANK];
  MLPL_TRY(mlpli_axis(cx, "select", c->p[0].i, x->ndim, &axis));
  if (i < 0) i += x->shape[axis];
  if (i < 0 || i >= x->shape[axis])
    return mlpl_fail(cx, MLPL_EARG,
        "select: index %lld is outside axis %d, which has size %lld",
        (long long)(c->p[1].i < 0 ? c->p[1].i : c->p[1].i + base), axis + base,
        (long long)x->shape[axis]);
  for (int d = 0; d < x->ndim; d++)
    if (d != axis) shape[n] = x->shape[d], stride[n++] = x->stride[d];
  return mlpli_tensor_view(cx, out, x, i * x->stride[axis], n, shape, stride);
}

static BACKWARD(select) {
  mlpli_expr e = {.cx = cx};
  int ndim;
  const int64_t *shape;
  mlpli_input_shape(n, 0, &ndim, &shape);
  mlpl_value p = {.sizes = {.n = ndim}};
  memcpy(p.sizes.v, shape, (size_t)ndim * sizeof *shape);
  p.sizes.v[mlpli_axis_known(n->p[0].i, ndim)] = 1;
  mlpli_xgive(&e, n, 0, put_back(&e, n, mlpli_x1(&e, MLPLI_OP_RESHAPE, g, &p)));
  return mlpli_expr_end(&e);
}

/* ---- expand ------------------------------------------------------------------------ */

static VIEW(expand) {
  const mlpl_tensor *x = c->in[0];
  int n = c->p[0].sizes.n, lead = n - x->ndim;
  int64_t shape[MLPL_MAX_RANK], stride[MLPL_MAX_RANK];
  bool fits = lead >= 0;
  for (int d = 0; d < n && fits; d++) {
    int64_t had = d < lead ? 1 : x->shape[d - lead], want = c->p[0].sizes.v[d];
    shape[d] = want == -1 && d >= lead ? had : want;
    fits = shape[d] == had || (had == 1 && shape[d] >= 0);
  }
  char a[MLPLI_SHAPE_TEXT], b[MLPLI_SHAPE_TEXT];
  if (!fits)
    return mlpl_fail(cx, MLPL_ESHAPE,
        "expand: input %s cannot be expanded to %s; only axes of size 1 stretch",
        mlpli_tensor_text(a, x), mlpli_shape_text(b, n, c->p[0].sizes.v));
  if (!mlpli_shape_fits(n, shape))
    return mlpl_fail(cx, MLPL_ESHAPE, "expand: %s has more elements than can be counted",
        mlpli_shape_text(b, n, shape));
  mlpli_broadcast_strides(x, n, shape, stride);
  return mlpli_tensor_view(cx, out, x, 0, n, shape, stride);
}

static BACKWARD(expand) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(&e, n, 0, g); /* sums to the input's shape */
  return mlpli_expr_end(&e);
}

/* ---- rows -------------------------------------------------------------------------- */

static const mlpl_param transpose_params[] = {
    MLPLI_AXIS_NEEDED("dim0"), MLPLI_AXIS_NEEDED("dim1")};
static const mlpl_param size_params[] = {MLPLI_SIZES_NEEDED("sizes")};
static const mlpl_param flatten_params[] = {
    MLPLI_AXIS_OPTION("start_dim", 0), MLPLI_AXIS_OPTION("end_dim", -1)};
static const mlpl_param narrow_params[] = {MLPLI_AXIS_NEEDED("dim"),
    MLPLI_INDEX_NEEDED("start"), MLPLI_INT_NEEDED("length", 0, MANY)};
static const mlpl_param select_params[] = {
    MLPLI_AXIS_NEEDED("dim"), MLPLI_INDEX_NEEDED("index")};

const mlpl_op mlpli_op_transpose = {
    VIEW_ROW(transpose, transpose), PARAMS(transpose_params)};
const mlpl_op mlpli_op_t = {VIEW_ROW(t, t)};
const mlpl_op mlpli_op_reshape = {VIEW_ROW(reshape, reshape), PARAMS(size_params)};
const mlpl_op mlpli_op_flatten = {VIEW_ROW(flatten, reshape), PARAMS(flatten_params)};
const mlpl_op mlpli_op_narrow = {VIEW_ROW(narrow, narrow), PARAMS(narrow_params)};
const mlpl_op mlpli_op_select = {VIEW_ROW(select, select), PARAMS(select_params)};
const mlpl_op mlpli_op_expand = {VIEW_ROW(expand, expand), PARAMS(size_params)};
