/* Sums, means, extremes and counts along axes. Options: dim (absent: all axes),
   keepdim. */
#include "ops/rows.h"

#include "ops/axes.h"

#include "grad/grad.h"

#include <string.h>

mlpl_status mlpli_shape_reduced(mlpl_ctx *cx, const mlpli_call *c, mlpli_shape *s) {
  return mlpli_shape_of_axes(cx, c, 1, s);
}

static mlpl_status reduced(
    mlpl_ctx *cx, mlpli_call *c, mlplk_reduce_kind kind, mlpl_tensor *out) {
  unsigned axes;
  MLPL_TRY(mlpli_axes(cx, c->op->name, c->p, c->in[0]->ndim, &axes));
  return mlpli_reduce(cx, kind, out, c->in[0], axes);
}

static FORWARD(sum) { return reduced(cx, c, MLPLK_SUM, *out); }

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
  const mlpl_tensor *x = c->in[0];
  MLPL_TRY(reduced(cx, c, MLPLK_SUM, *out));
  divide(*out, mlpli_share(x->ndim, x->shape, mlpli_axes_known(c->p, x->ndim)));
  return MLPL_OK;
}

/* g with the reduced axes put back as axes of size 1, then stretched to the input's
   shape. */
static mlpl_tensor *stretched(mlpli_expr *e, mlpli_node *n, mlpl_tensor *g) {
  int ndim;
  const int64_t *shape;
  mlpli_input_shape(n, 0, &ndim, &shape);
  return mlpli_xstretched(e, n, g, mlpli_axes_known(n->p, ndim));
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
  double out = 1, in = mlpli_share(ndim, shape, ~0u);
  for (int d = 0; d < n->ndim; d++) out *= (double)n->shape[d];
  if (in > 0)
    mlpli_xgive(&e, n, 0, stretched(&e, n, mlpli_xaffine(&e, g, out / in, 0)));
  else
    mlpli_xgive(&e, n, 0, stretched(&e, n, g));
  return mlpli_expr_end(&e);
}

/* ---- maxima and minima ------------------------------------------------------------- */

/* Places of the extremes, from 0, in the shape of the result. */
static mlpl_status places(
    mlpl_ctx *cx, const mlpli_call *c, mlplk_reduce_kind kind, mlpl_tensor **index) {
  const mlpl_tensor *x = c->in[0];
  unsigned axes;
  mlpli_shape s;
  *index = NULL;
  MLPL_TRY(mlpli_axes(cx, c->op->name, c->p, x->ndim, &axes));
  MLPL_TRY(mlpli_check_choice(cx, c->op->name, x, axes));
  mlpli_shape_without(x->ndim, x->shape, axes, c->p[1].i != 0, &s);
  MLPL_TRY(mlpli_tensor_make(cx, index, MLPL_I64, s.ndim, s.size));
  mlpl_status status = mlpli_reduce(cx, kind, *index, x, axes);
  if (status != MLPL_OK) mlpli_drop(index);
  return status;
}

static mlpl_status give_places(
    mlpl_ctx *cx, mlpli_call *c, mlplk_reduce_kind kind, mlpl_tensor **out) {
  mlpl_tensor *index;
  MLPL_TRY(places(cx, c, kind, &index));
  mlpli_count_from_base(index, index);
  mlpl_tensor_release(*out);
  *out = index;
  return MLPL_OK;
}

static FORWARD(argmax) { return give_places(cx, c, MLPLK_ARGMAX, out); }
static FORWARD(argmin) { return give_places(cx, c, MLPLK_ARGMIN, out); }

/* Values and, along one axis, places as a second result. Backward needs the places. */
static mlpl_status extremes(mlpl_ctx *cx, mlpli_call *c, mlplk_reduce_kind values,
    mlplk_reduce_kind where, mlpl_tensor **out) {
  mlpl_tensor *index;
  if (c->p[0].i == MLPL_NO_AXIS) {
    MLPL_TRY(mlpli_check_choice(cx, c->op->name, c->in[0], ~0u));
    MLPL_TRY(reduced(cx, c, values, *out));
    return c->record ? mlpli_even_parts(cx, c->in[0], *out, ~0u, &c->extra) : MLPL_OK;
  }
  MLPL_TRY(places(cx, c, where, &index));
  mlpl_status status = reduced(cx, c, values, *out);
  if (status == MLPL_OK && c->record) c->extra = mlpli_retain(index);
  if (status == MLPL_OK) status = mlpli_give_places(cx, c, index, &out[1]);
  mlpl_tensor_release(index);
  return status;
}

static FORWARD(max) { return extremes(cx, c, MLPLK_MAX, MLPLK_ARGMAX, out); }
static FORWARD(min) { return extremes(cx, c, MLPLK_MIN, MLPLK_ARGMIN, out); }

/* Along an axis g goes to the place of the extreme (the first of several); of all
   elements those that are extreme share it. As PyTorch. */
static BACKWARD(extremes) {
  mlpli_expr e = {.cx = cx};
  int ndim;
  const int64_t *shape;
  mlpli_input_shape(n, 0, &ndim, &shape);
  const unsigned axes = mlpli_axes_known(n->p, ndim);
  if (n->p[0].i == MLPL_NO_AXIS)
    mlpli_xgive(&e, n, 0, mlpli_xmul(&e, mlpli_xstretched(&e, n, g, axes), n->extra));
  else if (ndim == 0)
    mlpli_xgive(&e, n, 0, g);
  else {
    const int axis = mlpli_axis_known(n->p[0].i, ndim);
    mlpl_value how[2] = {{.i = axis}, {.i = shape[axis]}};
    mlpli_xgive(&e, n, 0,
        mlpli_x2(&e, MLPLI_OP_SPREAD, mlpli_xkept(&e, n, g, axes),
            mlpli_xkept(&e, n, n->extra, axes), how));
  }
  return mlpli_expr_end(&e);
}

static FORWARD(amax) {
  unsigned axes;
  MLPL_TRY(mlpli_axes(cx, "amax", c->p, c->in[0]->ndim, &axes));
  MLPL_TRY(mlpli_check_choice(cx, "amax", c->in[0], axes));
  return mlpli_reduce(cx, MLPLK_MAX, *out, c->in[0], axes);
}

static FORWARD(amin) {
  unsigned axes;
  MLPL_TRY(mlpli_axes(cx, "amin", c->p, c->in[0]->ndim, &axes));
  MLPL_TRY(mlpli_check_choice(cx, "amin", c->in[0], axes));
  return mlpli_reduce(cx, MLPLK_MIN, *out, c->in[0], axes);
}

static BACKWARD(evenly) {
  mlpli_expr e = {.cx = cx};
  int ndim;
  const int64_t *shape;
  mlpli_input_shape(n, 0, &ndim, &shape);
  mlpli_xgive(&e, n, 0, mlpli_xevenly(&e, n, g, mlpli_axes_known(n->p, ndim)));
  return mlpli_expr_end(&e);
}

/* ---- counts ------------------------------------------------------------------------ */

static FORWARD(count_nonzero) {
  unsigned axes;
  MLPL_TRY(mlpli_axes(cx, "count_nonzero", c->p, c->in[0]->ndim, &axes));
  return mlpli_reduce(cx, MLPLK_NONZERO, *out, c->in[0], axes);
}

/* bool: whether at least `least` elements of each are not 0. */
static mlpl_status at_least(
    mlpl_ctx *cx, mlpli_call *c, unsigned axes, int64_t least, mlpl_tensor **out) {
  mlpl_tensor *count;
  MLPL_TRY(mlpli_tensor_make(cx, &count, MLPL_I64, (*out)->ndim, (*out)->shape));
  mlpl_status status = mlpli_reduce(cx, MLPLK_NONZERO, count, c->in[0], axes);
  const int64_t *n = (const int64_t *)(const void *)count->data;
  for (int64_t i = 0; i < count->numel && status == MLPL_OK; i++)
    (*out)->data[i] = n[i] >= least;
  mlpl_tensor_release(count);
  return status;
}

static FORWARD(any) {
  unsigned axes;
  MLPL_TRY(mlpli_axes(cx, "any", c->p, c->in[0]->ndim, &axes));
  return at_least(cx, c, axes, 1, out);
}

static FORWARD(all) {
  const mlpl_tensor *x = c->in[0];
  unsigned axes;
  MLPL_TRY(mlpli_axes(cx, "all", c->p, x->ndim, &axes));
  return at_least(cx, c, axes, (int64_t)mlpli_share(x->ndim, x->shape, axes), out);
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
  return mlpl_fail(cx, MLPL_ESHAPE, "sum_to_size: input %s cannot be summed to %s",
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
    MLPLI_AXES_OPTION("dim"), MLPLI_BOOL_OPTION("keepdim", 0)};
static const mlpl_param choose_params[] = {
    MLPLI_AXIS_OPTION("dim", NAN), MLPLI_BOOL_OPTION("keepdim", 0)};
static const mlpl_param count_params[] = {MLPLI_AXES_OPTION("dim")};
static const mlpl_param size_params[] = {MLPLI_SIZES_NEEDED("sizes")};

static SHAPE(count_nonzero) {
  unsigned axes;
  MLPL_TRY(mlpli_axes(cx, "count_nonzero", c->p, c->in[0]->ndim, &axes));
  mlpli_shape_without(c->in[0]->ndim, c->in[0]->shape, axes, false, s);
  return MLPL_OK;
}

const mlpl_op mlpli_op_sum = {UNARY_ROW(sum, MLPLI_ANY, mlpli_shape_reduced),
    PARAMS(reduce_params), .dtype = mlpli_gives_total, HAS_BACKWARD(sum)};
const mlpl_op mlpli_op_mean = {UNARY_ROW(mean, MLPLI_REAL, mlpli_shape_reduced),
    PARAMS(reduce_params), HAS_BACKWARD(mean)};
const mlpl_op mlpli_op_max = {PLACES_ROW(max, MLPLI_ANY_DISTINCT, mlpli_shape_reduced),
    HAS_BACKWARD(extremes), PARAMS(choose_params), .by_pair = MLPLI_OP_MAXIMUM};
const mlpl_op mlpli_op_min = {PLACES_ROW(min, MLPLI_ANY_DISTINCT, mlpli_shape_reduced),
    HAS_BACKWARD(extremes), PARAMS(choose_params), .by_pair = MLPLI_OP_MINIMUM};
const mlpl_op mlpli_op_argmax = {
    UNARY_ROW(argmax, MLPLI_ANY_DISTINCT, mlpli_shape_reduced), PARAMS(choose_params),
    .gives_index = true};
const mlpl_op mlpli_op_argmin = {
    UNARY_ROW(argmin, MLPLI_ANY_DISTINCT, mlpli_shape_reduced), PARAMS(choose_params),
    .gives_index = true};
const mlpl_op mlpli_op_amax = {UNARY_ROW(amax, MLPLI_ANY_DISTINCT, mlpli_shape_reduced),
    .saves = 1 | MLPLI_SAVE_OUT, PARAMS(reduce_params), HAS_BACKWARD(evenly)};
const mlpl_op mlpli_op_amin = {UNARY_ROW(amin, MLPLI_ANY_DISTINCT, mlpli_shape_reduced),
    .saves = 1 | MLPLI_SAVE_OUT, PARAMS(reduce_params), HAS_BACKWARD(evenly)};
const mlpl_op mlpli_op_any = {UNARY_ROW(any, MLPLI_ANY, mlpli_shape_reduced),
    PARAMS(reduce_params), .dtype = mlpli_gives_truth};
const mlpl_op mlpli_op_all = {UNARY_ROW(all, MLPLI_ANY, mlpli_shape_reduced),
    PARAMS(reduce_params), .dtype = mlpli_gives_truth};
const mlpl_op mlpli_op_count_nonzero = {
    UNARY_ROW(count_nonzero, MLPLI_ANY, shape_count_nonzero), PARAMS(count_params),
    .gives_index = true};
const mlpl_op mlpli_op_sum_to_size = {
    UNARY_ROW(sum_to_size, MLPLI_REAL, shape_sum_to_size), HAS_BACKWARD(sum_to_size),
    PARAMS(size_params)};
