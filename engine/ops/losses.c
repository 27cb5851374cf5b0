/* Losses on real targets: mean squared error, binary cross-entropy on logits. Mean
   divides by all elements. */
#include "ops/rows.h"

#include "grad/grad.h"

#include <math.h>

const char *const mlpli_reductions[] = {"mean", "sum", "none", NULL};

static mlpl_status check_target(mlpl_ctx *cx, const mlpli_call *c, mlpli_shape *s) {
  const mlpl_tensor *x = c->in[0], *t = c->in[1];
  char a[MLPLI_SHAPE_TEXT], b[MLPLI_SHAPE_TEXT];
  if (!mlpli_same_shape(t, x->ndim, x->shape))
    return mlpl_fail(cx, MLPL_ESHAPE,
        "%s: input is %s, target is %s; they must have one shape", c->op->name,
        mlpli_tensor_text(a, x), mlpli_tensor_text(b, t));
  return mlpli_shape_same(cx, c, s);
}

/* Of the loss of each element, `each`: its sum or mean into out. */
static mlpl_status reduce_loss(
    mlpl_ctx *cx, mlpl_tensor *out, mlpl_tensor *each, int64_t reduction) {
  MLPL_TRY(mlpli_reduce(cx, MLPLK_SUM, out, each, ~0u));
  if (reduction == MLPLI_MEAN_LOSS)
    mlpli_store(
        out->data, out->dtype, mlpli_load(out->data, out->dtype) / (double)each->numel);
  return MLPL_OK;
}

/* The factor between g and the gradient of one element's loss: 1/n for a mean. */
static double loss_scale(int64_t reduction, const mlpl_tensor *x) {
  return reduction == MLPLI_MEAN_LOSS ? 1 / (double)x->numel : 1;
}

/* ---- mean squared error: (x - t)^2 ------------------------------------------------- */

static SHAPE(mse_loss) {
  MLPL_TRY(check_target(cx, c, s));
  if (c->p[0].i != MLPLI_NO_REDUCTION) s->ndim = 0;
  return MLPL_OK;
}

static FORWARD(mse_loss) {
  mlpl_tensor *x = c->in[0], *t = c->in[1], *each;
  if (c->p[0].i == MLPLI_NO_REDUCTION) {
    mlpli_map(MLPLK_SQUARED_DIFFERENCE, *out, x, t, 0);
    return MLPL_OK;
  }
  MLPL_TRY(mlpli_tensor_like(cx, &each, x));
  mlpli_map(MLPLK_SQUARED_DIFFERENCE, each, x, t, 0);
  mlpl_status status = reduce_loss(cx, *out, each, c->p[0].i);
  mlpl_tensor_release(each);
  return status;
}

mlpl_status mlpli_mse_step(mlpl_ctx *cx, int64_t reduction, mlpl_tensor *x,
    mlpl_tensor *t, mlpl_tensor *dx, mlpl_tensor *out) {
  mlpli_map(MLPLK_SQUARED_DIFFERENCE, dx, x, t, 0);
  MLPL_TRY(reduce_loss(cx, out, dx, reduction));
  mlpli_map(MLPLK_SUB, dx, x, t, 0);
  /* rounded to the dtype, as backward below has it */
  mlpli_map(MLPLK_SCALE, dx, dx, NULL, 2 * loss_scale(reduction, x));
  return MLPL_OK;
}

/* dx = 2 g (x - t), dt = -dx */
static BACKWARD(mse_loss) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *x = n->in[0], *t = n->in[1];
  mlpl_tensor *scaled = mlpli_xaffine(&e, g, 2 * loss_scale(n->p[0].i, x), 0);
  mlpl_tensor *dx = mlpli_xmul(&e, mlpli_xsub(&e, x, t), scaled);
  if (mlpli_wants(n, 0)) mlpli_xgive(&e, n, 0, dx);
  if (mlpli_wants(n, 1)) mlpli_xgive(&e, n, 1, mlpli_x1(&e, MLPLI_OP_NEG, dx, NULL));
  return mlpli_expr_end(&e);
}

/* ---- binary cross-entropy on logits ------------------------------------------------ */

enum { BCE_X, BCE_T, BCE_WEIGHT, BCE_POS };

static mlpl_tensor *optional(mlpl_tensor *const *in, int n, int i) {
  return i < n ? in[i] : NULL;
}

static mlpl_status check_factor(mlpl_ctx *cx, const mlpli_call *c, int i) {
  mlpli_shape s;
  const mlpl_tensor *x = c->in[BCE_X], *w = optional(c->in, c->n, i);
  if (!w) return MLPL_OK;
  if (cx->grad_enabled && mlpli_tracked(w))
    return mlpl_fail(cx, MLPL_EARG,
        "%s: %s requires a gradient; only the input has one here (:detach() it)",
        c->op->name, c->op->input_name[i]);
  MLPL_TRY(mlpli_broadcast_inputs(cx, c, BCE_X, i, &s));
  char a[MLPLI_SHAPE_TEXT], b[MLPLI_SHAPE_TEXT];
  if (mlpli_same_shape(x, s.ndim, s.size)) return MLPL_OK;
  return mlpl_fail(cx, MLPL_ESHAPE,
      "%s: %s is %s; it must broadcast to the input, which is %s", c->op->name,
      c->op->input_name[i], mlpli_tensor_text(b, w), mlpli_tensor_text(a, x));
}

static SHAPE(bce) {
  MLPL_TRY(check_target(cx, c, s));
  MLPL_TRY(check_factor(cx, c, BCE_WEIGHT));
  MLPL_TRY(check_factor(cx, c, BCE_POS));
  if (mlpli_tracked(c->in[BCE_T]) && cx->grad_enabled)
    return mlpl_fail(cx, MLPL_EARG,
        "%s: the target requires a gradient; only the input has one here (:detach() it)",
        c->op->name);
  if (c->p[0].i != MLPLI_NO_REDUCTION) s->ndim = 0;
  return MLPL_OK;
}

/* With positive weight p: (1 - t) x + (1 + (p - 1) t) softplus(-x), else BCE_LOGITS. */
static mlpl_tensor *bce_each(
    mlpli_expr *e, mlpl_tensor *x, mlpl_tensor *t, mlpl_tensor *pos) {
  if (!pos) return mlpli_xmap(e, MLPLK_BCE_LOGITS, x, t, 0);
  mlpl_tensor *one = mlpli_xaffine(e, t, 0, 1);
  /* t = 1: softplus(-x) */
  mlpl_tensor *soft = mlpli_xmap(e, MLPLK_BCE_LOGITS, x, one, 0);
  mlpl_tensor *factor = mlpli_xadd(e, one, mlpli_xmul(e, mlpli_xsub(e, pos, one), t));
  return mlpli_xadd(
      e, mlpli_xmul(e, mlpli_xsub(e, one, t), x), mlpli_xmul(e, factor, soft));
}

static FORWARD(bce) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *weight = optional(c->in, c->n, BCE_WEIGHT),
              *pos = optional(c->in, c->n, BCE_POS);
  bool was = mlpl_set_grad_enabled(cx, false);
  mlpl_tensor *each = bce_each(&e, c->in[BCE_X], c->in[BCE_T], pos);
  if (weight) each = mlpli_xmul(&e, each, weight);
  if (each && c->p[0].i == MLPLI_NO_REDUCTION)
    mlpli_copy(*out, each);
  else if (each)
    e.status = reduce_loss(cx, *out, each, c->p[0].i);
  mlpl_set_grad_enabled(cx, was);
  return mlpli_expr_end(&e);
}

/* (1 + (p - 1) t) sigmoid(x) - p t; sigmoid(x) - t without p */
static mlpl_tensor *bce_slope(
    mlpli_expr *e, mlpl_tensor *x, mlpl_tensor *t, mlpl_tensor *pos) {
  if (!pos && !e->cx->grad_enabled) return mlpli_xmap(e, MLPLK_BCE_LOGITS_GRAD, x, t, 0);
  mlpl_tensor *s = mlpli_x1(e, MLPLI_OP_SIGMOID, x, NULL);
  if (!pos) return mlpli_xsub(e, s, t);
  mlpl_tensor *pt = mlpli_xmul(e, pos, t);
  mlpl_tensor *factor = mlpli_xaffine(e, mlpli_xsub(e, pt, t), 1, 1);
  return mlpli_xsub(e, mlpli_xmul(e, factor, s), pt);
}

static BACKWARD(bce) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *weight = optional(n->in, n->n_in, BCE_WEIGHT),
              *pos = optional(n->in, n->n_in, BCE_POS);
  mlpl_tensor *slope = bce_slope(&e, n->in[BCE_X], n->in[BCE_T], pos);
  if (weight) slope = mlpli_xmul(&e, slope, weight);
  mlpl_tensor *scaled = mlpli_xaffine(&e, g, loss_scale(n->p[0].i, n->in[BCE_X]), 0);
  mlpli_xgive(&e, n, 0, mlpli_xmul(&e, slope, scaled));
  return mlpli_expr_end(&e);
}

/* ---- rows -------------------------------------------------------------------------- */

static const mlpl_param loss_params[] = {
    MLPLI_CHOICE_OPTION("reduction", mlpli_reductions)};

const mlpl_op mlpli_op_mse_loss = {.name = "mse_loss",
    .input_name = {"input", "target"},
    .domain = {MLPLI_REAL, MLPLI_REAL},
    .n_inputs = 2,
    .n_required = 2,
    .n_outputs = 1,
    .saves = 3,
    .differentiable = 3,
    .shape = shape_mse_loss,
    .forward = mse_loss_forward,
    HAS_BACKWARD(mse_loss),
    PARAMS(loss_params)};
const mlpl_op mlpli_op_bce_with_logits = {.name = "binary_cross_entropy_with_logits",
    .input_name = {"input", "target", "weight", "pos_weight"},
    .domain = {MLPLI_REAL, MLPLI_SHARE, MLPLI_SHARE, MLPLI_SHARE},
    .n_inputs = 4,
    .n_required = 2,
    .n_outputs = 1,
    .saves = 15,
    .differentiable = 1,
    .shape = shape_bce,
    .forward = bce_forward,
    HAS_BACKWARD(bce),
    PARAMS(loss_params)};
