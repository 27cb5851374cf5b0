/* Sums, means and maxima along axes. Options: dim (absent: all axes), keepdim. */
#include "ops/rows.h"

#include "grad/grad.h"

#include <string.h>

/* The axes to reduce, as bits. */
static mlpl_status axes_of(
    mlpl_ctx *cx, const char *what, const mlpl_tensor *x, int64_t dim, unsigned *axes) {
  int axis;
  *axes = x->ndim ? (1u << x->ndim) - 1 : 0;
  if (dim == MLPL_NO_AXIS) return MLPL_OK;
  /* as PyTorch: a number has one axis here */
  if (x->ndim == 0 && (dim == 0 || dim == -1)) return MLPL_OK;
  MLPL_TRY(mlpli_axis(cx, what, dim, x->ndim, &axis));
  *axes = 1u << axis;
  return MLPL_OK;
}

/* Of `axes` and keepdim */
static void reduced_shape(
    const mlpl_tensor *x, unsigned axes, bool keep, mlpli_shape *s) {
  s->ndim = 0;
  for (int d = 0; d < x->ndim; d++) {
    if (!(axes >> d & 1))
      s->size[s->ndim++] = x->shape[d];
    else if (keep)
      s->size[s->ndim++] = 1;
  }
}

mlpl_status mlpli_shape_reduced(mlpl_ctx *cx, const mlpli_call *c, mlpli_shape *s) {
  unsigned axes;
  MLPL_TRY(axes_of(cx, c->op->name, c->in[0], c->p[0].i, &axes));
  reduced_shape(c->in[0], axes, c->p[1].i != 0, s);
  return MLPL_OK;
}

static FORWARD(sum) {
  unsigned axes;
  MLPL_TRY(axes_of(cx, c->op->name, c->in[0], c->p[0].i, &axes));
  return mlpli_reduce(cx, MLPLK_SUM, *out, c->in[0], axes);
}

/* How many elements each result is made of. */
static double share(int64_t ndim, const int64_t *shape, unsigned axes) {
  double n = 1;
  for (int d = 0; d < ndim; d++)
    if (axes >> d & 1) n *= (double)shape[d];
  return n;
}

/* Divide by a number; the mean of nothing is NaN. */
static void divide(mlpl_tensor *t, double by) {
  char number[8];
  mlpl_tensor d = *t;
  d.ndim = 0;
  d.numel = 1;
  d.data = number;
  mlpli_store(number, t->dtype, by);
  mlpli_map(MLPLK_DIV, t, t, &d, 0);
}

static FORWARD(mean) {
  unsigned axes;
  MLPL_TRY(axes_of(cx, c->op->name, c->in[0], c->p[0].i, &axes));
  MLPL_TRY(mlpli_reduce(cx, MLPLK_SUM, *out, c->in[0], axes));
  divide(*out, share(c->in[0]->ndim, c->in[0]->shape, axes));
  return MLPL_OK;
}

/* g with the reduced axes put back as axes of size 1, then stretched to the input's
   shape. */
static mlpl_tensor *stretched(mlpli_expr *e, mlpli_node *n, mlpl_tensor *g) {
  int ndim;
  const int64_t *shape;
  mlpli_input_shape(n, 0, &ndim, &shape);
  mlpl_value kept = {.sizes = {.n = ndim}}, full = {.sizes = {.n = ndim}};
  int64_t dim = n->p[0].i < 0 && n->p[0].i != MLPL_NO_AXIS ? n->p[0].i + ndim : n->p[0].i;
  for (int d = 0; d < ndim; d++) {
    full.sizes.v[d] = shape[d];
    kept.sizes.v[d] = dim == MLPL_NO_AXIS || d == dim ? 1 : shape[d];
  }
  return mlpli_x1(e, MLPLI_OP_EXPAND, mlpli_x1(e, MLPLI_OP_RESHAPE, g, &kept), &full);
}

static BACKWARD(sum) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(&e, n, 0, stretched(&e, n, g));
  return mlpli_expr_end(&e);
}

static BACKWARD(mean) {
  mlpli_expr e = {.cx = cx};
  int ndim;
  const int64_t *shape;
  mlpli_input_shape(n, 0, &ndim, &shape);
  double out = 1, in = share(ndim, shape, ~0u);
  for (int d = 0; d < n->ndim; d++) out *= (double)n->shape[d];
  if (in > 0)
    mlpli_xgive(&e, n, 0, stretched(&e, n, mlpli_xaffine(&e, g, out / in, 0)));
  else
    mlpli_xgive(&e, n, 0, stretched(&e, n, g));
  return mlpli_expr_end(&e);
}

/* ---- maxima ------------------------------------------------------------------------ */

/* Places of the maxima, from 0, in the shape of the result. */
static mlpl_status places(mlpl_ctx *cx, const mlpli_call *c, mlpl_tensor **index) {
  const mlpl_tensor *x = c->in[0];
  unsigned axes;
  mlpli_shape s;
  char text[MLPLI_SHAPE_TEXT];
  MLPL_TRY(axes_of(cx, c->op->name, x, c->p[0].i, &axes));
  reduced_shape(x, axes, c->p[1].i != 0, &s);
  MLPL_TRY(mlpli_tensor_make(cx, index, MLPL_I64, s.ndim, s.size));
  if ((*index)->numel && x->numel == 0) {
    mlpl_tensor_release(*index);
    *index = NULL;
    return mlpl_fail(cx, MLPL_ESHAPE,
        "%s: %s has no elements to choose from along that axis", c->op->name,
        mlpli_tensor_text(text, x));
  }
  mlpl_status status = mlpli_reduce(cx, MLPLK_ARGMAX, *index, x, axes);
  if (status != MLPL_OK) {
    mlpl_tensor_release(*index);
    *index = NULL;
  }
  return status;
}

static void count_from_base(mlpl_tensor *index, int base) {
  int64_t *p = (int64_t *)(void *)index->data;
  for (int64_t i = 0; i < index->numel; i++) p[i] += base;
}

static FORWARD(argmax) {
  mlpl_tensor *index;
  MLPL_TRY(places(cx, c, &index));
  count_from_base(index, cx->index_base);
  mlpl_tensor_release(*out);
  *out = index;
  return MLPL_OK;
}

/* Values and, along one axis, places as a second result. Backward needs the places. */
static FORWARD(max) {
  const mlpl_tensor *x = c->in[0];
  unsigned axes;
  mlpl_tensor *index;
  MLPL_TRY(axes_of(cx, c->op->name, x, c->p[0].i, &axes));
  MLPL_TRY(places(cx, c, &index));
  mlpl_status status = mlpli_reduce(cx, MLPLK_MAX, *out, x, axes);
  if (status == MLPL_OK && c->record) c->extra = mlpli_retain(index);
  if (status == MLPL_OK && c->p[0].i != MLPL_NO_AXIS) {
    status = mlpl_tensor_clone(cx, &out[1], index);
    if (status == MLPL_OK) count_from_base(out[1], cx->index_base);
  }
  mlpl_tensor_release(index);
  return status;
}

/* g goes to the place of the maximum (the first of several). */
static BACKWARD(max) {
  mlpli_expr e = {.cx = cx};
  int ndim, axis = 0;
  const int64_t *shape;
  mlpli_input_shape(n, 0, &ndim, &shape);
  mlpl_value kept = {.sizes = {.n = ndim}}, full = {.sizes = {.n = ndim}}, how[2];
  memcpy(full.sizes.v, shape, (size_t)ndim * sizeof *shape);
  memcpy(kept.sizes.v, shape, (size_t)ndim * sizeof *shape);
  memset(how, 0, sizeof how);
  if (n->p[0].i == MLPL_NO_AXIS || ndim == 0) {
    kept.sizes.n = 1;
    how[1].i = (int64_t)share(ndim, shape, ~0u);
  }
  else {
    axis = (int)(n->p[0].i < 0 ? n->p[0].i + ndim : n->p[0].i);
    how[1].i = shape[axis];
  }
  how[0].i = axis;
  kept.sizes.v[axis] = 1;
  mlpl_tensor *index = mlpli_x1(&e, MLPLI_OP_RESHAPE, n->extra, &kept);
  mlpl_tensor *there = mlpli_x2(
      &e, MLPLI_OP_SPREAD, mlpli_x1(&e, MLPLI_OP_RESHAPE, g, &kept), index, how);
  mlpli_xgive(&e, n, 0, mlpli_x1(&e, MLPLI_OP_RESHAPE, there, &full));
  return mlpli_expr_end(&e);
}

/* ---- the reverse of broadcasting --------------------------------------------------- */

static SHAPE(sum_to_size) {
  const mlpl_tensor *x = c->in[0];
  int lead = x->ndim - c->p[0].sizes.n;
  bool fits = lead >= 0;
  s->ndim = c->p[0].sizes.n;
  for (int d = 0; d < s->ndim && fits; d++) {
    s->size[d] = c->p[0].sizes.v[d];
    fits = s->size[d] == x->shape[d + lead] || s->size[d] == 1;
  }
  char a[MLPLI_SHAPE_TEXT], b[MLPLI_SHAPE_TEXT];
  if (fits) return MLPL_OK;
  return mlpl_fail(cx, MLPL_ESHAPE, "sum_to_size: %s cannot be summed to %s",
      mlpli_tensor_text(a, x), mlpli_shape_text(b, s->ndim, c->p[0].sizes.v));
}

static FORWARD(sum_to_size) {
  const mlpl_tensor *x = c->in[0];
  int lead = x->ndim - (*out)->ndim;
  unsigned axes = 0;
  for (int d = 0; d < x->ndim; d++)
    if (d < lead || ((*out)->shape[d - lead] == 1 && x->shape[d] != 1)) axes |= 1u << d;
  return mlpli_reduce(cx, MLPLK_SUM, *out, x, axes);
}

static BACKWARD(sum_to_size) {
  mlpli_expr e = {.cx = cx};
  int ndim;
  const int64_t *shape;
  mlpli_input_shape(n, 0, &ndim, &shape);
  mlpl_value full = {.sizes = {.n = ndim}};
  memcpy(full.sizes.v, shape, (size_t)ndim * sizeof *shape);
  mlpli_xgive(&e, n, 0, mlpli_x1(&e, MLPLI_OP_EXPAND, g, &full));
  return mlpli_expr_end(&e);
}

/* ---- rows -------------------------------------------------------------------------- */

static const mlpl_param reduce_params[] = {
    MLPLI_AXIS_OPTION("dim", NAN), MLPLI_BOOL_OPTION("keepdim", 0)};
static const mlpl_param size_params[] = {MLPLI_SIZES_NEEDED("sizes")};

const mlpl_op mlpli_op_sum = {UNARY_ROW(sum, MLPLI_REAL, mlpli_shape_reduced),
    PARAMS(reduce_params), HAS_BACKWARD(sum)};
const mlpl_op mlpli_op_mean = {UNARY_ROW(mean, MLPLI_REAL, mlpli_shape_reduced),
    PARAMS(reduce_params), HAS_BACKWARD(mean)};
const mlpl_op mlpli_op_max = {.name = "max",
    .input_name = {"input"},
    .domain = {MLPLI_DISTINCT},
    .n_inputs = 1,
    .n_required = 1,
    .n_outputs = 2,
    .differentiable = 1,
    .shape = mlpli_shape_reduced,
    .forward = max_forward,
    HAS_BACKWARD(max),
    PARAMS(reduce_params)};
const mlpl_op mlpli_op_argmax = {UNARY_ROW(argmax, MLPLI_DISTINCT, mlpli_shape_reduced),
    PARAMS(reduce_params), .gives_index = true};
const mlpl_op mlpli_op_sum_to_size = {
    UNARY_ROW(sum_to_size, MLPLI_REAL, shape_sum_to_size), HAS_BACKWARD(sum_to_size),
    PARAMS(size_params)};
