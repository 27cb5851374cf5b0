/* Statistics composed of other rows: pairs of results that are wanted together, sums and
   means without NaN, covariances, integrals of samples. */
#include "grad/grad.h"
#include "ops/rows.h"
#include "ops/axes.h"
#include "ops/shape.h"

/* ---- two results at once ----------------------------------------------------------- */

static mlpl_status both(mlpl_ctx *cx, const mlpli_call *c, mlpli_op_id first,
    const mlpl_value *p, mlpli_op_id second, const mlpl_value *q, mlpl_tensor **out) {
  MLPL_TRY(mlpli_apply(cx, &out[0], first, c->in, 1, p));
  return mlpli_apply(cx, &out[1], second, c->in, 1, q);
}

/* var and std come first; their options dim and keepdim are the mean's, too */
static COMPOSE(var_mean) {
  unsigned axes;
  MLPL_TRY(mlpli_axes(cx, "var_mean", c->p, c->in[0]->ndim, &axes));
  const mlpl_value p[2] = {c->p[0], c->p[2]};
  const mlpl_value of_var[4] = {c->p[0], {.i = 1}, c->p[2], c->p[1]};
  return both(cx, c, MLPLI_OP_VAR, of_var, MLPLI_OP_MEAN, p, out);
}

static COMPOSE(std_mean) {
  unsigned axes;
  MLPL_TRY(mlpli_axes(cx, "std_mean", c->p, c->in[0]->ndim, &axes));
  const mlpl_value p[2] = {c->p[0], c->p[2]};
  const mlpl_value of_std[4] = {c->p[0], {.i = 1}, c->p[2], c->p[1]};
  return both(cx, c, MLPLI_OP_STD, of_std, MLPLI_OP_MEAN, p, out);
}

static COMPOSE(aminmax) {
  unsigned axes;
  MLPL_TRY(mlpli_axes(cx, "aminmax", c->p, c->in[0]->ndim, &axes));
  MLPL_TRY(mlpli_check_choice(cx, "aminmax", c->in[0], axes));
  return both(cx, c, MLPLI_OP_AMIN, c->p, MLPLI_OP_AMAX, c->p, out);
}

/* ---- without NaN ------------------------------------------------------------------- */

/* x with 0 for NaN; *nan: where it was */
static mlpl_tensor *without_nan(mlpli_expr *e, mlpl_tensor *x, mlpl_tensor **nan) {
  const bool was = mlpl_set_grad_enabled(e->cx, false);
  *nan = mlpli_x1(e, MLPLI_OP_ISNAN, x, NULL);
  mlpl_set_grad_enabled(e->cx, was);
  return mlpli_x2(e, MLPLI_OP_MASKED_FILL, x, *nan, &(mlpl_value){.f = 0});
}

static COMPOSE(nansum) {
  mlpli_expr e = {.cx = cx};
  unsigned axes;
  MLPL_TRY(mlpli_axes(cx, "nansum", c->p, c->in[0]->ndim, &axes));
  mlpl_tensor *nan, *x = c->in[0];
  if (mlpli_is_real(x)) x = without_nan(&e, x, &nan);
  return mlpli_xresult(&e, out, mlpli_x1(&e, MLPLI_OP_SUM, x, c->p));
}

/* over how many numbers there are */
static COMPOSE(nanmean) {
  mlpli_expr e = {.cx = cx};
  unsigned axes;
  MLPL_TRY(mlpli_axes(cx, "nanmean", c->p, c->in[0]->ndim, &axes));
  mlpl_tensor *nan, *x = without_nan(&e, c->in[0], &nan);
  mlpl_tensor *numbers = mlpli_x1(&e, MLPLI_OP_SUM,
      mlpli_x1(&e, MLPLI_OP_LOGICAL_NOT, nan, NULL), c->p);
  return mlpli_xresult(
      &e, out, mlpli_xdiv(&e, mlpli_x1(&e, MLPLI_OP_SUM, x, c->p), numbers));
}

/* ---- covariance -------------------------------------------------------------------- */

/* Weights of the observations: how often each was made times how much it counts. */
static mlpl_tensor *weights_of(
    mlpli_expr *e, const mlpl_tensor *x, mlpl_tensor *often, mlpl_tensor *much) {
  const mlpl_value real = {.i = x->dtype};
  if (!often) return much;
  often = mlpli_x1(e, MLPLI_OP_TO, often, &real);
  return much ? mlpli_xmul(e, often, much) : often;
}

/* What the sums are divided by: all weights less correction times those of one
   observation, never less than 0. */
static mlpl_tensor *divisor(mlpli_expr *e, mlpl_tensor *w, mlpl_tensor *all,
    mlpl_tensor *much, double correction) {
  const mlpl_value every[2] = {{.i = MLPL_NO_AXIS}, {.i = 0}},
                   least[2] = {{.f = 0}, {.f = INFINITY}};
  mlpl_tensor *less;
  if (much)
    less = mlpli_xsub(e, all,
        mlpli_xaffine(e,
            mlpli_xdiv(e, mlpli_x1(e, MLPLI_OP_SUM, mlpli_xmul(e, w, much), every), all),
            correction, 0));
  else
    less = mlpli_xaffine(e, all, 1, -correction);
  return mlpli_x1(e, MLPLI_OP_CLAMP, less, least);
}

/* Rows are variables, columns observations: (x - mean) w (x - mean)^T / divisor; often
   and much may be NULL. */
static mlpl_tensor *covariance(mlpli_expr *e, mlpl_tensor *x, mlpl_tensor *often,
    mlpl_tensor *much, double correction) {
  const mlpl_value along[2] = {{.i = -1}, {.i = 1}},
                   every[2] = {{.i = MLPL_NO_AXIS}, {.i = 0}};
  if (x->ndim == 2 && x->shape[0] == 1) x = mlpli_x1(e, MLPLI_OP_RAVEL, x, NULL);
  if (!x) return NULL;
  const double n = (double)x->shape[x->ndim - 1], left = n - correction;
  mlpl_tensor *w = weights_of(e, x, often, much), *all, *mean, *weighted, *by;
  if (w) {
    all = mlpli_x1(e, MLPLI_OP_SUM, w, every);
    mean = mlpli_xdiv(e, mlpli_x1(e, MLPLI_OP_SUM, mlpli_xmul(e, x, w), along), all);
    by = divisor(e, w, all, much, correction);
  }
  else {
    mean = mlpli_x1(e, MLPLI_OP_MEAN, x, along);
    by = mlpli_xnumber(e, x, left > 0 ? left : 0);
  }
  mlpl_tensor *centred = mlpli_xsub(e, x, mean);
  weighted = w ? mlpli_xmul(e, centred, w) : centred;
  mlpl_tensor *sums = x->ndim == 1
      ? mlpli_x2(e, MLPLI_OP_DOT, weighted, centred, NULL)
      : mlpli_x2(e, MLPLI_OP_MM, weighted, mlpli_x1(e, MLPLI_OP_T, centred, NULL), NULL);
  return mlpli_xdiv(e, sums, by);
}

static mlpl_status check_observations(mlpl_ctx *cx, const mlpli_call *c) {
  const mlpl_tensor *x = c->in[0];
  char text[MLPLI_SHAPE_TEXT];
  if (x->ndim == 1 || x->ndim == 2) return MLPL_OK;
  return mlpl_fail(cx, MLPL_ESHAPE,
      "%s: input is %s; it must be [observations] or [variables x observations]",
      c->op->name, mlpli_tensor_text(text, x));
}

/* That input i, if it is there, has a number from 0 on for each observation. */
static mlpl_status check_weights(mlpl_ctx *cx, const mlpli_call *c, int i) {
  const mlpl_tensor *x = c->in[0], *w = i < c->n ? c->in[i] : NULL;
  const char *name = c->op->input_name[i];
  char text[MLPLI_SHAPE_TEXT];
  mlpl_tensor *flat;
  if (!w) return MLPL_OK;
  if (w->ndim != 1 || w->numel != x->shape[x->ndim - 1])
    return mlpl_fail(cx, MLPL_ESHAPE,
        "cov: %s is %s; it must be [%lld], a weight for each observation", name,
        mlpli_tensor_text(text, w), (long long)x->shape[x->ndim - 1]);
  if (i == 1 && w->dtype != MLPL_I64 && w->dtype != MLPL_U8)
    return mlpl_fail(cx, MLPL_EARG,
        "cov: %s is %s; it says how often, in whole numbers (i64 or u8)", name,
        mlpl_dtype_name((mlpl_dtype)w->dtype));
  MLPL_TRY(mlpli_tensor_contiguous(cx, &flat, c->in[i]));
  double least = 0;
  int64_t at = 0;
  for (int64_t k = 0; k < flat->numel; k++) {
    const double v = mlpli_load(
        flat->data + (size_t)k * mlpli_dtype_size[flat->dtype], flat->dtype);
    if (v < least) least = v, at = k;
  }
  mlpl_tensor_release(flat);
  if (least == 0) return MLPL_OK;
  return mlpl_fail(cx, MLPL_EARG, "cov: %s has %g at %lld; weights are 0 or more", name,
      least, (long long)at + cx->index_base);
}

static COMPOSE(cov) {
  mlpli_expr e = {.cx = cx};
  MLPL_TRY(check_observations(cx, c));
  for (int i = 1; i < 3; i++) MLPL_TRY(check_weights(cx, c, i));
  return mlpli_xresult(&e, out,
      covariance(&e, c->in[0], c->n > 1 ? c->in[1] : NULL, c->n > 2 ? c->in[2] : NULL,
          (double)c->p[0].i));
}

/* Covariances over both deviations; rounding leaves nothing outside -1 to 1. */
static COMPOSE(corrcoef) {
  mlpli_expr e = {.cx = cx};
  const mlpl_value diagonal[3] = {{.i = 0}, {.i = 0}, {.i = 1}},
                   unit[2] = {{.f = -1}, {.f = 1}}, row = {.i = 0}, column = {.i = 1};
  MLPL_TRY(check_observations(cx, c));
  mlpl_tensor *y = covariance(&e, c->in[0], NULL, NULL, 1);
  if (y && y->ndim == 0)
    return mlpli_xresult(&e, out, mlpli_xdiv(&e, y, y));
  mlpl_tensor *deviation = mlpli_x1(
      &e, MLPLI_OP_SQRT, y ? mlpli_x1(&e, MLPLI_OP_DIAGONAL, y, diagonal) : NULL, NULL);
  y = mlpli_xdiv(&e, y, mlpli_x1(&e, MLPLI_OP_UNSQUEEZE, deviation, &column));
  y = mlpli_xdiv(&e, y, mlpli_x1(&e, MLPLI_OP_UNSQUEEZE, deviation, &row));
  return mlpli_xresult(&e, out, mlpli_x1(&e, MLPLI_OP_CLAMP, y, unit));
}

/* ---- the trapezoidal rule ---------------------------------------------------------- */

/* Twice the mean height of neighbours along the axis. */
static mlpl_tensor *heights(mlpli_expr *e, mlpl_tensor *y, int axis) {
  const int64_t n = y->shape[axis] ? y->shape[axis] - 1 : 0;
  mlpl_value low[3] = {{.i = axis}, {.i = 0}, {.i = n}},
             high[3] = {{.i = axis}, {.i = y->shape[axis] - n}, {.i = n}};
  return mlpli_xadd(e, mlpli_x1(e, MLPLI_OP_NARROW, y, low),
      mlpli_x1(e, MLPLI_OP_NARROW, y, high));
}

/* Widths of the pieces, from places x: one axis, or as many as y. */
static mlpl_tensor *widths(mlpli_expr *e, mlpl_tensor *x, const mlpl_tensor *y, int axis) {
  mlpl_value how[2] = {{.i = 1}, {.i = x->ndim == 1 ? 0 : axis}}, sizes;
  mlpl_tensor *d = mlpli_x1(e, MLPLI_OP_DIFFERENCE, x, how);
  if (!d || x->ndim != 1 || y->ndim == 1) return d;
  sizes = mlpli_sizes_of(y->ndim, y->shape);
  for (int i = 0; i < y->ndim; i++) sizes.sizes.v[i] = i == axis ? d->numel : 1;
  return mlpli_x1(e, MLPLI_OP_RESHAPE, d, &sizes);
}

static mlpl_tensor *pieces(mlpli_expr *e, const mlpli_call *c, int *axis) {
  mlpl_tensor *y = c->in[0], *x = c->n > 1 ? c->in[1] : NULL;
  char a[MLPLI_SHAPE_TEXT], b[MLPLI_SHAPE_TEXT];
  e->status = mlpli_axis(e->cx, c->op->name, c->p[1].i, y->ndim, axis);
  if (e->status != MLPL_OK) return NULL;
  bool fits = !x || (x->ndim == 1 && x->numel == y->shape[*axis]) ||
      (x->ndim == y->ndim && x->shape[*axis] == y->shape[*axis]);
  if (!fits) {
    e->status = mlpl_fail(e->cx, MLPL_ESHAPE,
        "%s: y is %s, x is %s; x must have one place for each of the %lld samples along "
        "axis %d",
        c->op->name, mlpli_tensor_text(a, y), mlpli_tensor_text(b, x),
        (long long)y->shape[*axis], *axis + e->cx->index_base);
    return NULL;
  }
  mlpl_tensor *area = heights(e, y, *axis);
  if (x) return mlpli_xaffine(e, mlpli_xmul(e, area, widths(e, x, y, *axis)), 0.5, 0);
  return mlpli_xaffine(e, area, c->p[0].f / 2, 0);
}

static COMPOSE(trapezoid) {
  mlpli_expr e = {.cx = cx};
  int axis = 0;
  mlpl_tensor *area = pieces(&e, c, &axis);
  const mlpl_value p[2] = {{.i = axis}, {.i = 0}};
  return mlpli_xresult(&e, out, area ? mlpli_x1(&e, MLPLI_OP_SUM, area, p) : NULL);
}

static COMPOSE(cumulative_trapezoid) {
  mlpli_expr e = {.cx = cx};
  int axis = 0;
  mlpl_tensor *area = pieces(&e, c, &axis);
  const mlpl_value p = {.i = axis};
  return mlpli_xresult(&e, out, area ? mlpli_x1(&e, MLPLI_OP_CUMSUM, area, &p) : NULL);
}

/* ---- rows -------------------------------------------------------------------------- */

static const mlpl_param spread_params[] = {MLPLI_AXES_OPTION("dim"),
    MLPLI_REAL_OPTION("correction", 1, -INFINITY, INFINITY),
    MLPLI_BOOL_OPTION("keepdim", 0)};
static const mlpl_param axis_params[] = {
    MLPLI_AXES_OPTION("dim"), MLPLI_BOOL_OPTION("keepdim", 0)};
static const mlpl_param cov_params[] = {
    MLPLI_INT_OPTION("correction", 1, -MANY, MANY)};
static const mlpl_param area_params[] = {
    MLPLI_REAL_OPTION("dx", 1, -INFINITY, INFINITY), MLPLI_AXIS_OPTION("dim", -1)};

#define TWO_RESULTS(f, in)                                                               \
  .name = #f, .input_name = {"input"}, .domain = {in}, .n_inputs = 1, .n_required = 1,   \
  .n_outputs = 2, .differentiable = 1, .compose = f##_compose
#define AREA_ROW(f)                                                                      \
  .name = #f, .input_name = {"y", "x"}, .domain = {MLPLI_REAL, MLPLI_REAL},              \
  .n_inputs = 2, .n_required = 1, .n_outputs = 1, .differentiable = 3,                   \
  .computes = MLPLI_REALS, .compose = f##_compose, PARAMS(area_params)

const mlpl_op mlpli_op_var_mean = {
    TWO_RESULTS(var_mean, MLPLI_REAL), PARAMS(spread_params)};
const mlpl_op mlpli_op_std_mean = {
    TWO_RESULTS(std_mean, MLPLI_REAL), PARAMS(spread_params)};
const mlpl_op mlpli_op_aminmax = {
    TWO_RESULTS(aminmax, MLPLI_ANY_DISTINCT), PARAMS(axis_params)};
const mlpl_op mlpli_op_nansum = {COMPOSE_ROW(nansum, MLPLI_ANY), PARAMS(axis_params)};
const mlpl_op mlpli_op_nanmean = {COMPOSE_ROW(nanmean, MLPLI_REAL), PARAMS(axis_params)};
const mlpl_op mlpli_op_cov = {.name = "cov",
    .input_name = {"input", "fweights", "aweights"},
    .domain = {MLPLI_REAL, MLPLI_ANY, MLPLI_POSITIVE},
    .n_inputs = 3,
    .n_required = 1,
    .n_outputs = 1,
    .differentiable = 5,
    .computes = MLPLI_REALS,
    .compose = cov_compose,
    PARAMS(cov_params)};
const mlpl_op mlpli_op_corrcoef = {
    COMPOSE_ROW(corrcoef, MLPLI_REAL), .computes = MLPLI_REALS};
const mlpl_op mlpli_op_trapezoid = {AREA_ROW(trapezoid)};
const mlpl_op mlpli_op_cumulative_trapezoid = {AREA_ROW(cumulative_trapezoid)};
