/*
** Products, variances, norms and log-sum-exp along axes. All of them are sums of a mapped
** copy of the input, so they share the accuracy of sums.
*/
#include "ops/rows.h"

#include "ops/axes.h"

#include "grad/grad.h"

#include <float.h>

/* A number as a tensor without axes that x may be combined with. */
static mlpl_tensor *number(mlpli_expr *e, const mlpl_tensor *x, double v) {
  mlpl_tensor *t = NULL;
  if (e->status != MLPL_OK) return NULL;
  e->status = mlpl_tensor_full(e->cx, &t, (mlpl_dtype)x->dtype, 0, NULL, v);
  return mlpli_xkeep(e, t);
}

/* Option dim of a row, wherever it is. */
static const mlpl_value *dim_of(const mlpl_op *op, const mlpl_value *p) {
  int i = 0;
  while (op->params[i].type != MLPL_PARAM_AXES) i++;
  return &p[i];
}

static unsigned axes_of_node(const mlpli_node *n) {
  int ndim;
  const int64_t *shape;
  mlpli_input_shape(n, 0, &ndim, &shape);
  return mlpli_axes_known(dim_of(n->op, n->p), ndim);
}

/* The shape with which a reduced result broadcasts against x. */
static mlpl_tensor kept_view(
    const mlpl_tensor *out, const mlpl_tensor *x, unsigned axes) {
  mlpl_tensor v = *out;
  int64_t step = 1;
  v.ndim = x->ndim;
  for (int d = x->ndim - 1; d >= 0; d--) {
    v.shape[d] = axes >> d & 1 ? 1 : x->shape[d];
    v.stride[d] = step;
    step *= v.shape[d];
  }
  return v;
}

/* 1 where t is 0, else 0: a constant that keeps a division by t finite. */
static mlpl_tensor *where_zero(mlpli_expr *e, mlpl_tensor *t) {
  mlpl_tensor *one = number(e, t, 1), *mask = mlpli_xmap(e, MLPLK_SIGN, t, NULL, 0);
  if (!one || !mask) return NULL;
  mlpli_map(MLPLK_ABS, mask, mask, NULL, 0);
  mlpli_map(MLPLK_SUB, mask, one, mask, 0);
  return mask;
}

/* ---- var, std ---------------------------------------------------------------------- */

/* What the sum of squares is divided by: n - correction, not below 0. */
static double freedom(const mlpl_value *p, int ndim, const int64_t *shape) {
  const double n = mlpli_share(ndim, shape, mlpli_axes_known(&p[0], ndim));
  const double left = n - (p[1].i ? p[3].f : 0);
  return left > 0 ? left : 0;
}

static SHAPE(var) { return mlpli_shape_of_axes(cx, c, 2, s); }

/* Two passes: the mean, then the squares of what is left. */
static FORWARD(var) {
  mlpl_tensor *x = c->in[0], *square;
  const unsigned axes = mlpli_axes_known(&c->p[0], x->ndim);
  char by[8];
  mlpl_tensor mean = kept_view(*out, x, axes), divisor = **out;
  divisor.ndim = 0, divisor.numel = 1, divisor.data = by;
  MLPL_TRY(mlpli_tensor_like(cx, &square, x));
  mlpl_status status = mlpli_reduce(cx, MLPLK_SUM, *out, x, axes);
  if (status == MLPL_OK) {
    mlpli_store(by, divisor.dtype, mlpli_share(x->ndim, x->shape, axes));
    mlpli_map(MLPLK_DIV, *out, *out, &divisor, 0);
    mlpli_map(MLPLK_SQUARED_DIFFERENCE, square, x, &mean, 0);
    status = mlpli_reduce(cx, MLPLK_SUM, *out, square, axes);
  }
  if (status == MLPL_OK) {
    mlpli_store(by, divisor.dtype, freedom(c->p, x->ndim, x->shape));
    mlpli_map(MLPLK_DIV, *out, *out, &divisor, 0);
  }
  mlpl_tensor_release(square);
  return status;
}

static FORWARD(std) {
  MLPL_TRY(var_forward(cx, c, out));
  mlpli_map(MLPLK_SQRT, *out, *out, NULL, 0);
  return MLPL_OK;
}

/* x - mean(x) */
static mlpl_tensor *centred(mlpli_expr *e, mlpli_node *n) {
  mlpl_value p[2] = {n->p[0], {.i = 1}};
  return mlpli_xsub(e, n->in[0], mlpli_x1(e, MLPLI_OP_MEAN, n->in[0], p));
}

/* g 2 (x - mean) / (n - correction) */
static BACKWARD(var) {
  mlpli_expr e = {.cx = cx};
  const mlpl_tensor *x = n->in[0];
  const double by = freedom(n->p, x->ndim, x->shape);
  mlpl_tensor *gk = mlpli_xkept(&e, n, g, axes_of_node(n));
  mlpl_tensor *gx = mlpli_xmul(&e, mlpli_xaffine(&e, gk, 2 / by, 0), centred(&e, n));
  mlpli_xgive(&e, n, 0, gx);
  return mlpli_expr_end(&e);
}

/* g (x - mean) / ((n - correction) std); constantly 0 where std is 0, as PyTorch */
static BACKWARD(std) {
  mlpli_expr e = {.cx = cx};
  const mlpl_tensor *x = n->in[0];
  const double by = freedom(n->p, x->ndim, x->shape);
  mlpl_tensor *zero = mlpli_xzeros(&e, n->out), *y = mlpli_xout(&e, n);
  if (zero) y = mlpli_x2(&e, MLPLI_OP_MASKED_FILL, y, zero, &(mlpl_value){.f = 1});
  mlpl_tensor *part = mlpli_xzero_where(&e, zero, mlpli_xdiv(&e, g, y));
  mlpl_tensor *gk = mlpli_xkept(&e, n, part, axes_of_node(n));
  mlpl_tensor *gx = mlpli_xmul(&e, mlpli_xaffine(&e, gk, 1 / by, 0), centred(&e, n));
  mlpli_xgive(&e, n, 0, gx);
  return mlpli_expr_end(&e);
}

/* ---- norm -------------------------------------------------------------------------- */

static SHAPE(norm) {
  const mlpl_tensor *x = c->in[0];
  const double p = c->p[0].f;
  unsigned axes;
  MLPL_TRY(mlpli_axes(cx, "norm", &c->p[1], x->ndim, &axes));
  if (isinf(p)) MLPL_TRY(mlpli_check_choice(cx, "norm", x, axes));
  return mlpli_shape_of_axes(cx, c, 2, s);
}

/* out = (sum |x|^p)^(1/p); work may be x; for p = 2 it is not needed. */
static mlpl_status power_sum(mlpl_ctx *cx, double p, mlpl_tensor *out,
    const mlpl_tensor *x, mlpl_tensor *work, unsigned axes) {
  char power[8];
  mlpl_tensor exponent = *out;
  exponent.ndim = 0, exponent.numel = 1, exponent.data = power;
  if (p == 2) {
    MLPL_TRY(mlpli_reduce(cx, MLPLK_SUM_SQUARES, out, x, axes));
    mlpli_map(MLPLK_SQRT, out, out, NULL, 0);
    return MLPL_OK;
  }
  mlpli_map(MLPLK_ABS, work, x, NULL, 0);
  if (p != 1) {
    mlpli_store(power, exponent.dtype, p);
    mlpli_map(MLPLK_POW, work, work, &exponent, 0);
  }
  MLPL_TRY(mlpli_reduce(cx, MLPLK_SUM, out, work, axes));
  if (p != 1) {
    mlpli_store(power, exponent.dtype, 1 / p);
    mlpli_map(MLPLK_POW, out, out, &exponent, 0);
  }
  return MLPL_OK;
}

/* Did squares or powers of x perhaps leave the range of numbers on the way? */
static bool out_of_range(const mlpl_tensor *out, const mlpl_tensor *x) {
  if (x->numel == 0) return false;
  const double least = out->dtype == MLPL_F32 ? 1e-15 : 1e-140;
  for (int64_t i = 0; i < out->numel; i++) {
    const double v = mlpli_load(
        out->data + (size_t)i * mlpli_dtype_size[out->dtype], out->dtype);
    if (isinf(v) || v < least) return true;
  }
  return false;
}

/* The largest (of negative p: smallest) magnitudes, with 1 in place of 0 and infinity. */
static void to_scale(mlpl_tensor *m) {
  for (int64_t i = 0; i < m->numel; i++) {
    char *at = m->data + (size_t)i * mlpli_dtype_size[m->dtype];
    const double v = mlpli_load(at, m->dtype);
    if (v == 0 || isinf(v)) mlpli_store(at, m->dtype, 1);
  }
}

/* The same of x / scale, times scale: only where it is needed, for it costs two
   passes. */
static mlpl_status scaled_power_sum(mlpl_ctx *cx, double p, mlpl_tensor *out,
    const mlpl_tensor *x, mlpl_tensor *work, unsigned axes) {
  mlpl_tensor *scale;
  MLPL_TRY(mlpli_tensor_like(cx, &scale, out));
  mlpli_map(MLPLK_ABS, work, x, NULL, 0);
  mlpl_status status = mlpli_reduce(cx, p < 0 ? MLPLK_MIN : MLPLK_MAX, scale, work, axes);
  if (status == MLPL_OK) {
    to_scale(scale);
    mlpl_tensor wide = kept_view(scale, x, axes);
    mlpli_map(MLPLK_DIV, work, work, &wide, 0);
    status = power_sum(cx, p, out, work, work, axes);
  }
  if (status == MLPL_OK) mlpli_map(MLPLK_MUL, out, out, scale, 0);
  mlpl_tensor_release(scale);
  return status;
}

static FORWARD(norm) {
  mlpl_tensor *x = c->in[0], *work;
  const double p = c->p[0].f;
  const unsigned axes = mlpli_axes_known(&c->p[1], x->ndim);
  if (p == 2) {
    MLPL_TRY(power_sum(cx, p, *out, x, NULL, axes));
    if (!out_of_range(*out, x)) return MLPL_OK;
  }
  MLPL_TRY(mlpli_tensor_like(cx, &work, x));
  mlpl_status status = MLPL_OK;
  if (isinf(p)) {
    mlpli_map(MLPLK_ABS, work, x, NULL, 0);
    status = mlpli_reduce(cx, p > 0 ? MLPLK_MAX : MLPLK_MIN, *out, work, axes);
  }
  else if (p == 0) { /* how many are not 0; NaN stays */
    mlpli_map(MLPLK_SIGN, work, x, NULL, 0);
    mlpli_map(MLPLK_ABS, work, work, NULL, 0);
    status = mlpli_reduce(cx, MLPLK_SUM, *out, work, axes);
  }
  else {
    if (p != 2) status = power_sum(cx, p, *out, x, work, axes);
    if (status == MLPL_OK && p != 1 && out_of_range(*out, x))
      status = scaled_power_sum(cx, p, *out, x, work, axes);
  }
  mlpl_tensor_release(work);
  return status;
}

/* g sign(x) (|x| / norm)^(p - 1), 0 where the norm is 0, as in PyTorch: a second derivative
   is NaN there. With 1 for |x| = 0 the power is finite, and sign(x) is 0. Of negative p a
   norm of 0 stays 0 whatever the other elements do. */
static mlpl_tensor *norm_slope(
    mlpli_expr *e, mlpli_node *n, mlpl_tensor *g, unsigned axes) {
  mlpl_tensor *x = n->in[0], *size;
  const double p = n->p[0].f;
  mlpl_tensor *sign = mlpli_x1(e, MLPLI_OP_SIGN, x, NULL);
  if (p == 1) return mlpli_xmul(e, mlpli_xkept(e, n, g, axes), sign);
  mlpl_tensor *zero = mlpli_xzeros(e, n->out),
              *y = mlpli_xkept(e, n, mlpli_xout(e, n), axes);
  if (zero) zero = mlpli_xkept(e, n, zero, axes);
  if (p == 2)
    return mlpli_xzero_where(
        e, zero, mlpli_xdiv(e, mlpli_xmul(e, mlpli_xkept(e, n, g, axes), x), y));
  size = mlpli_xadd(e, mlpli_x1(e, MLPLI_OP_ABS, x, NULL), where_zero(e, x));
  mlpl_tensor *power = mlpli_x2(
      e, MLPLI_OP_POW, mlpli_xdiv(e, size, y), number(e, x, p - 1), NULL);
  mlpl_tensor *slope = mlpli_xmul(
      e, mlpli_xmul(e, mlpli_xkept(e, n, g, axes), sign), power);
  return mlpli_xzero_where(e, zero, slope);
}

/* Elements whose magnitude is the norm share the gradient. */
static mlpl_tensor *extreme_slope(
    mlpli_expr *e, mlpli_node *n, mlpl_tensor *g, unsigned axes) {
  mlpl_tensor *x = n->in[0], *parts = NULL, *size = mlpli_xmap(e, MLPLK_ABS, x, NULL, 0);
  if (e->status == MLPL_OK)
    e->status = mlpli_even_parts(e->cx, size, n->out, axes, &parts);
  mlpl_tensor *sign = mlpli_x1(e, MLPLI_OP_SIGN, x, NULL);
  mlpl_tensor *way = mlpli_xmul(e, sign, mlpli_xkeep(e, parts));
  return mlpli_xmul(e, mlpli_xkept(e, n, g, axes), way);
}

static BACKWARD(norm) {
  mlpli_expr e = {.cx = cx};
  const unsigned axes = axes_of_node(n);
  const double p = n->p[0].f;
  if (p == 0)
    mlpli_xgive(&e, n, 0, mlpli_xaffine(&e, mlpli_xstretched(&e, n, g, axes), 0, 0));
  else
    mlpli_xgive(
        &e, n, 0, isinf(p) ? extreme_slope(&e, n, g, axes) : norm_slope(&e, n, g, axes));
  return mlpli_expr_end(&e);
}

/* ---- logsumexp --------------------------------------------------------------------- */

/* max + log(sum(e^(x - max))); an infinite max is subtracted as 0. */
static FORWARD(logsumexp) {
  mlpl_tensor *x = c->in[0], *work, *most = NULL;
  const unsigned axes = mlpli_axes_known(&c->p[0], x->ndim);
  if (x->numel == 0) {
    mlpli_fill(*out, -INFINITY);
    return MLPL_OK;
  }
  MLPL_TRY(mlpli_tensor_like(cx, &work, x));
  mlpl_status status = mlpli_tensor_like(cx, &most, *out);
  if (status == MLPL_OK) status = mlpli_reduce(cx, MLPLK_MAX, most, x, axes);
  if (status == MLPL_OK) {
    for (int64_t i = 0; i < most->numel; i++) {
      char *at = most->data + (size_t)i * mlpli_dtype_size[most->dtype];
      if (isinf(mlpli_load(at, most->dtype))) mlpli_store(at, most->dtype, 0);
    }
    mlpl_tensor wide = kept_view(most, x, axes);
    mlpli_map(MLPLK_SUB, work, x, &wide, 0);
    mlpli_map(MLPLK_EXP, work, work, NULL, 0);
    status = mlpli_reduce(cx, MLPLK_SUM, *out, work, axes);
  }
  if (status == MLPL_OK) {
    mlpli_map(MLPLK_LOG, *out, *out, NULL, 0);
    mlpli_map(MLPLK_ADD, *out, *out, most, 0);
  }
  mlpl_tensor_release(work);
  mlpl_tensor_release(most);
  return status;
}

/* g e^(x - y). Where all x are -infinity, so is y, and the slope is 0: y is read as the
   least number there is. */
static BACKWARD(logsumexp) {
  mlpli_expr e = {.cx = cx};
  const unsigned axes = axes_of_node(n);
  mlpl_tensor *y = mlpli_x1(&e, MLPLI_OP_FLOORED, mlpli_xout(&e, n), NULL);
  mlpl_tensor *way = mlpli_x1(
      &e, MLPLI_OP_EXP, mlpli_xsub(&e, n->in[0], mlpli_xkept(&e, n, y, axes)), NULL);
  mlpli_xgive(&e, n, 0, mlpli_xmul(&e, mlpli_xkept(&e, n, g, axes), way));
  return mlpli_expr_end(&e);
}

/* ---- floored: -infinity as the least finite number (internal) ---------------------- */

static FORWARD(floored) {
  (void)cx;
  mlpl_tensor *y = *out;
  const double least = y->dtype == MLPL_F32 ? -(double)FLT_MAX : -DBL_MAX;
  mlpli_copy(y, c->in[0]);
  for (int64_t i = 0; i < y->numel; i++) {
    char *at = y->data + (size_t)i * mlpli_dtype_size[y->dtype];
    if (mlpli_load(at, y->dtype) < least) mlpli_store(at, y->dtype, least);
  }
  return MLPL_OK;
}

static BACKWARD(floored) { return mlpli_give(cx, n, 0, g); }

/* ---- rows -------------------------------------------------------------------------- */

static const mlpl_param var_params[] = {MLPLI_AXES_OPTION("dim"),
    MLPLI_BOOL_OPTION("unbiased", 1), MLPLI_BOOL_OPTION("keepdim", 0),
    MLPLI_REAL_OPTION("correction", 1, -INFINITY, INFINITY)};
static const mlpl_param norm_params[] = {MLPLI_REAL_OPTION("p", 2, -INFINITY, INFINITY),
    MLPLI_AXES_OPTION("dim"), MLPLI_BOOL_OPTION("keepdim", 0)};
static const mlpl_param logsumexp_params[] = {
    MLPLI_AXES_OPTION("dim"), MLPLI_BOOL_OPTION("keepdim", 0)};

const mlpl_op mlpli_op_var = {UNARY_ROW(var, MLPLI_REAL, shape_var), .saves = 1,
    HAS_BACKWARD(var), PARAMS(var_params)};
const mlpl_op mlpli_op_std = {UNARY_ROW(std, MLPLI_REAL, shape_var),
    .saves = 1 | MLPLI_SAVE_OUT, HAS_BACKWARD(std), PARAMS(var_params)};
const mlpl_op mlpli_op_norm = {UNARY_ROW(norm, MLPLI_NONZERO, shape_norm),
    .saves = 1 | MLPLI_SAVE_OUT, HAS_BACKWARD(norm), PARAMS(norm_params)};
const mlpl_op mlpli_op_logsumexp = {UNARY_ROW(logsumexp, MLPLI_REAL, mlpli_shape_reduced),
    .saves = 1 | MLPLI_SAVE_OUT, HAS_BACKWARD(logsumexp), .computes = MLPLI_REALS,
    PARAMS(logsumexp_params)};
const mlpl_op mlpli_op_floored = {
    MAP_ROW(floored, MLPLI_REAL, 0), HAS_BACKWARD(floored), .internal = true};
