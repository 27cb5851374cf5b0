/*
** Losses made of other rows, element by element. At their kinks they have the gradients of
** PyTorch's: the rows that they are made of do.
*/
#include "ops/rows.h"

#include "grad/grad.h"

#include <math.h>

const char *const mlpli_batch_reductions[] = {"mean", "sum", "none", "batchmean", NULL};
enum { BATCH_MEAN = MLPLI_NO_REDUCTION + 1 };

/* All tensors in the shape of the first. */
static mlpl_status one_shape(mlpl_ctx *cx, const mlpli_call *c) {
  const mlpl_tensor *x = c->in[0];
  char a[MLPLI_SHAPE_TEXT], b[MLPLI_SHAPE_TEXT];
  for (int i = 1; i < c->op->n_required; i++)
    if (!mlpli_same_shape(c->in[i], x->ndim, x->shape))
      return mlpl_fail(cx, MLPL_ESHAPE,
          "%s: %s is %s, %s is %s; they must have one shape", c->op->name,
          c->op->input_name[0], mlpli_tensor_text(a, x), c->op->input_name[i],
          mlpli_tensor_text(b, c->in[i]));
  return MLPL_OK;
}

/* The elements' losses, as the option `reduction` has it. */
static mlpl_status reduced(
    mlpli_expr *e, const mlpli_call *c, mlpl_tensor *each, mlpl_tensor **out) {
  const int64_t reduction = c->p[0].i;
  const mlpl_tensor *x = c->in[0];
  const mlpl_value all[2] = {{.i = MLPL_NO_AXIS}, {.i = 0}};
  if (reduction == MLPLI_MEAN_LOSS)
    each = mlpli_x1(e, MLPLI_OP_MEAN, each, all);
  else if (reduction != MLPLI_NO_REDUCTION)
    each = mlpli_x1(e, MLPLI_OP_SUM, each, all);
  if (reduction == BATCH_MEAN)
    each = mlpli_xaffine(e, each, 1 / (double)(x->ndim ? x->shape[0] : 1), 0);
  return mlpli_xresult(e, out, each);
}

static mlpl_tensor *clamp(mlpli_expr *e, mlpl_tensor *x, double min, double max) {
  return mlpli_x1(e, MLPLI_OP_CLAMP, x, (mlpl_value[]){{.f = min}, {.f = max}});
}

/* x with 0 where t equals v */
static mlpl_tensor *zero_where(mlpli_expr *e, mlpl_tensor *x, mlpl_tensor *t, double v) {
  mlpl_tensor *equal = mlpli_x2(e, MLPLI_OP_EQ, t, mlpli_xnumber(e, t, v), NULL);
  return mlpli_x2(e, MLPLI_OP_MASKED_FILL, x, equal, &(mlpl_value){.f = 0});
}

/* ---- of differences ---------------------------------------------------------------- */

static COMPOSE(l1_loss) {
  mlpli_expr e = {.cx = cx};
  MLPL_TRY(one_shape(cx, c));
  mlpl_tensor *u = mlpli_xsub(&e, c->in[0], c->in[1]);
  return reduced(&e, c, mlpli_x1(&e, MLPLI_OP_ABS, u, NULL), out);
}

/* u^2 / 2 up to |u| = at, from there on at (|u| - at / 2): with q the difference kept
   within at, q (u - q / 2). */
static mlpl_tensor *bowl(mlpli_expr *e, mlpl_tensor *x, mlpl_tensor *t, double at) {
  mlpl_tensor *u = mlpli_xsub(e, x, t), *q = clamp(e, u, -at, at);
  return mlpli_xmul(e, q, mlpli_xsub(e, u, mlpli_xaffine(e, q, 0.5, 0)));
}

static COMPOSE(smooth_l1_loss) {
  mlpli_expr e = {.cx = cx};
  const double beta = c->p[1].f;
  if (beta == 0) return l1_loss_compose(cx, c, out);
  MLPL_TRY(one_shape(cx, c));
  mlpl_tensor *each = bowl(&e, c->in[0], c->in[1], beta);
  return reduced(&e, c, mlpli_xaffine(&e, each, 1 / beta, 0), out);
}

static mlpl_status delta_above_0(mlpl_ctx *cx, const mlpli_call *c) {
  if (c->p[1].f > 0) return MLPL_OK;
  return mlpl_fail(
      cx, MLPL_EARG, "huber_loss: delta is %g; it must be above 0", c->p[1].f);
}

static COMPOSE(huber_loss) {
  mlpli_expr e = {.cx = cx};
  MLPL_TRY(delta_above_0(cx, c));
  MLPL_TRY(one_shape(cx, c));
  return reduced(&e, c, bowl(&e, c->in[0], c->in[1], c->p[1].f), out);
}

/* ---- of probabilities -------------------------------------------------------------- */

/* t (log t - x), 0 for t = 0; x are logarithms, and t where log_target says so */
static COMPOSE(kl_div) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *x = c->in[0], *t = c->in[1], *each;
  MLPL_TRY(one_shape(cx, c));
  if (c->p[1].i)
    each = mlpli_xmul(&e, mlpli_x1(&e, MLPLI_OP_EXP, t, NULL), mlpli_xsub(&e, t, x));
  else
    each = mlpli_xsub(&e, mlpli_x2(&e, MLPLI_OP_XLOGY, t, t, NULL), mlpli_xmul(&e, t, x));
  return reduced(&e, c, each, out);
}

/* x - t log(x + eps), or e^x - t x; full: and Stirling's log t! for t > 1 */
static COMPOSE(poisson_nll_loss) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *x = c->in[0], *t = c->in[1], *each;
  MLPL_TRY(one_shape(cx, c));
  if (c->p[1].i)
    each = mlpli_xsub(&e, mlpli_x1(&e, MLPLI_OP_EXP, x, NULL), mlpli_xmul(&e, t, x));
  else
    each = mlpli_xsub(&e, x,
        mlpli_xmul(
            &e, t, mlpli_x1(&e, MLPLI_OP_LOG, mlpli_xaffine(&e, x, 1, c->p[3].f), NULL)));
  if (c->p[2].i) {
    mlpl_tensor *log_t = mlpli_x1(&e, MLPLI_OP_LOG, t, NULL);
    /* t log t - t + log(2 pi t) / 2 */
    mlpl_tensor *more = mlpli_xadd(&e, mlpli_xsub(&e, mlpli_xmul(&e, t, log_t), t),
        mlpli_xaffine(&e, log_t, 0.5, 0.5 * 1.83787706640934548356));
    mlpl_tensor *small = mlpli_x2(&e, MLPLI_OP_LE, t, mlpli_xnumber(&e, t, 1), NULL);
    more = mlpli_x2(&e, MLPLI_OP_MASKED_FILL, more, small, &(mlpl_value){.f = 0});
    each = mlpli_xadd(&e, each, more);
  }
  return reduced(&e, c, each, out);
}

/* ---- of targets 1 and -1 ----------------------------------------------------------- */

/* log(1 + e^(-t x)) */
static COMPOSE(soft_margin_loss) {
  mlpli_expr e = {.cx = cx};
  MLPL_TRY(one_shape(cx, c));
  mlpl_tensor *y = mlpli_x1(
      &e, MLPLI_OP_LOGSIGMOID, mlpli_xmul(&e, c->in[1], c->in[0]), NULL);
  return reduced(&e, c, mlpli_x1(&e, MLPLI_OP_NEG, y, NULL), out);
}

/* x for t = 1, max(0, margin - x) for t = -1 */
static COMPOSE(hinge_embedding_loss) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *x = c->in[0], *t = c->in[1];
  MLPL_TRY(one_shape(cx, c));
  mlpl_tensor *near = zero_where(&e, x, t, -1);
  mlpl_tensor *far = mlpli_x1(
      &e, MLPLI_OP_RELU, mlpli_xaffine(&e, x, -1, c->p[1].f), NULL);
  return reduced(&e, c, mlpli_xadd(&e, near, zero_where(&e, far, t, 1)), out);
}

/* max(0, margin - t (x1 - x2)) */
static COMPOSE(margin_ranking_loss) {
  mlpli_expr e = {.cx = cx};
  MLPL_TRY(one_shape(cx, c));
  mlpl_tensor *u = mlpli_xmul(&e, c->in[2], mlpli_xsub(&e, c->in[0], c->in[1]));
  u = mlpli_xaffine(&e, u, -1, c->p[1].f);
  return reduced(&e, c, mlpli_x1(&e, MLPLI_OP_RELU, u, NULL), out);
}

/* ---- binary cross-entropy of probabilities ----------------------------------------- */

/* The elements are a row of their own: their gradient is finite at 0 and 1, which that of
   the logarithms is not. */

#define LEAST_LOG -100 /* logarithms are kept above it */
#define LEAST_VARIANCE 1e-12

static mlpl_status check_shares(mlpl_ctx *cx, const mlpli_call *c) {
  mlpli_expr e = {.cx = cx};
  double least = 0, most = 0;
  const mlpl_value all[2] = {{.i = MLPL_NO_AXIS}, {.i = 0}};
  if (c->in[0]->numel == 0) return MLPL_OK;
  bool was = mlpl_set_grad_enabled(cx, false);
  mlpl_tensor *low = mlpli_x1(&e, MLPLI_OP_AMIN, c->in[0], all),
              *high = mlpli_x1(&e, MLPLI_OP_AMAX, c->in[0], all);
  mlpl_set_grad_enabled(cx, was);
  if (low && high)
    least = mlpli_load(low->data, low->dtype), most = mlpli_load(high->data, high->dtype);
  MLPL_TRY(mlpli_expr_end(&e));
  if (!(least < 0) && !(most > 1)) return MLPL_OK; /* NaN comes through */
  return mlpl_fail(cx, MLPL_EARG,
      "%s: input has the element %g; probabilities lie between 0 and 1 (for logits there "
      "is binary_cross_entropy_with_logits)",
      c->op->name, least < 0 ? least : most);
}

static mlpl_status check_weight(
    mlpl_ctx *cx, const mlpli_call *c, const mlpl_tensor *x, const mlpl_tensor *w) {
  char a[MLPLI_SHAPE_TEXT], b[MLPLI_SHAPE_TEXT];
  mlpli_shape s;
  MLPL_TRY(mlpli_broadcast_as(cx, c->op->name, "input", x, "weight", w, &s));
  if (!mlpli_same_shape(x, s.ndim, s.size))
    return mlpl_fail(cx, MLPL_ESHAPE,
        "%s: weight is %s; it must broadcast to the input, which is %s", c->op->name,
        mlpli_tensor_text(b, w), mlpli_tensor_text(a, x));
  if (!cx->grad_enabled || !mlpli_tracked(w)) return MLPL_OK;
  return mlpl_fail(cx, MLPL_EARG,
      "%s: weight requires a gradient; only input and target have one here (:detach() "
      "it)",
      c->op->name);
}

/* log x, kept above LEAST_LOG */
static mlpl_tensor *kept_log(mlpli_expr *e, mlpl_tensor *x) {
  return clamp(e, mlpli_x1(e, MLPLI_OP_LOG, x, NULL), LEAST_LOG, INFINITY);
}

/* -w (t log x + (1 - t) log(1 - x)) */
static FORWARD(probability_loss) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *x = c->in[0], *t = c->in[1], *w = c->n > 2 ? c->in[2] : NULL;
  bool was = mlpl_set_grad_enabled(cx, false);
  mlpl_tensor *one = mlpli_xnumber(&e, x, 1);
  mlpl_tensor *off = mlpli_xmul(
      &e, mlpli_xsub(&e, t, one), kept_log(&e, mlpli_xsub(&e, one, x)));
  mlpl_tensor *each = mlpli_xsub(&e, off, mlpli_xmul(&e, t, kept_log(&e, x)));
  if (w) each = mlpli_xmul(&e, each, w);
  if (each) mlpli_copy(*out, each);
  mlpl_set_grad_enabled(cx, was);
  return mlpli_expr_end(&e);
}

/* dx = g w (x - t) / (x (1 - x)), dt = g w (log(1 - x) - log x) */
static BACKWARD(probability_loss) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *x = n->in[0], *t = n->in[1], *w = n->n_in > 2 ? n->in[2] : NULL;
  mlpl_tensor *rest = mlpli_xaffine(&e, x, -1, 1);
  if (w) g = mlpli_xmul(&e, g, w);
  if (mlpli_wants(n, 0)) {
    mlpl_tensor *by = clamp(&e, mlpli_xmul(&e, rest, x), LEAST_VARIANCE, INFINITY);
    mlpl_tensor *slope = mlpli_xdiv(&e, mlpli_xsub(&e, x, t), by);
    mlpli_xgive(&e, n, 0, mlpli_xmul(&e, g, slope));
  }
  if (mlpli_wants(n, 1)) {
    mlpl_tensor *slope = mlpli_xsub(
        &e, mlpli_x1(&e, MLPLI_OP_LOG, rest, NULL), mlpli_x1(&e, MLPLI_OP_LOG, x, NULL));
    mlpli_xgive(&e, n, 1, mlpli_xmul(&e, g, slope));
  }
  return mlpli_expr_end(&e);
}

static COMPOSE(binary_cross_entropy) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *w = c->n > 2 ? c->in[2] : NULL;
  MLPL_TRY(one_shape(cx, c));
  if (w) MLPL_TRY(check_weight(cx, c, c->in[0], w));
  MLPL_TRY(check_shares(cx, c));
  return reduced(&e, c, mlpli_xn(&e, MLPLI_OP_PROBABILITY_LOSS, c->in, c->n, NULL), out);
}

/* ---- rows -------------------------------------------------------------------------- */

#define REDUCTION MLPLI_CHOICE_OPTION("reduction", mlpli_reductions)
static const mlpl_param plain_params[] = {REDUCTION};
static const mlpl_param beta_params[] = {
    REDUCTION, MLPLI_REAL_OPTION("beta", 1, 0, 1e300)};
static const mlpl_param delta_params[] = {
    REDUCTION, MLPLI_REAL_OPTION("delta", 1, 0, 1e300)};
static const mlpl_param kl_params[] = {
    MLPLI_CHOICE_OPTION("reduction", mlpli_batch_reductions),
    MLPLI_BOOL_OPTION("log_target", 0)};
static const mlpl_param poisson_params[] = {REDUCTION, MLPLI_BOOL_OPTION("log_input", 1),
    MLPLI_BOOL_OPTION("full", 0), MLPLI_REAL_OPTION("eps", 1e-8, 0, 1e300)};
static const mlpl_param margin_params[] = {
    REDUCTION, MLPLI_REAL_OPTION("margin", 1, -1e300, 1e300)};
static const mlpl_param ranking_params[] = {
    REDUCTION, MLPLI_REAL_OPTION("margin", 0, -1e300, 1e300)};

#define POINT_ROW(f, in, target, options)                                                \
  .name = #f, .input_name = {"input", "target"}, .domain = {in, target}, .n_inputs = 2,  \
  .n_required = 2, .n_outputs = 1, .differentiable = 3, .compose = f##_compose,          \
  PARAMS(options)

const mlpl_op mlpli_op_l1_loss = {
    POINT_ROW(l1_loss, MLPLI_REAL, MLPLI_REAL, plain_params)};
const mlpl_op mlpli_op_smooth_l1_loss = {
    POINT_ROW(smooth_l1_loss, MLPLI_REAL, MLPLI_REAL, beta_params)};
const mlpl_op mlpli_op_huber_loss = {
    POINT_ROW(huber_loss, MLPLI_REAL, MLPLI_REAL, delta_params)};
const mlpl_op mlpli_op_kl_div = {POINT_ROW(kl_div, MLPLI_REAL, MLPLI_SHARE, kl_params)};
const mlpl_op mlpli_op_poisson_nll_loss = {
    POINT_ROW(poisson_nll_loss, MLPLI_POSITIVE, MLPLI_POSITIVE, poisson_params)};
const mlpl_op mlpli_op_soft_margin_loss = {
    POINT_ROW(soft_margin_loss, MLPLI_REAL, MLPLI_REAL, plain_params)};
const mlpl_op mlpli_op_hinge_embedding_loss = {.name = "hinge_embedding_loss",
    .input_name = {"input", "target"},
    .domain = {MLPLI_REAL, MLPLI_REAL},
    .n_inputs = 2,
    .n_required = 2,
    .n_outputs = 1,
    .differentiable = 1, /* the target is 1 or -1 */
    .compose = hinge_embedding_loss_compose,
    PARAMS(margin_params)};
const mlpl_op mlpli_op_margin_ranking_loss = {.name = "margin_ranking_loss",
    .input_name = {"input1", "input2", "target"},
    .domain = {MLPLI_REAL, MLPLI_REAL, MLPLI_REAL},
    .n_inputs = 3,
    .n_required = 3,
    .n_outputs = 1,
    .differentiable = 7,
    .compose = margin_ranking_loss_compose,
    PARAMS(ranking_params)};

#define PROBABILITY_INPUTS                                                               \
  .input_name = {"input", "target", "weight"},                                           \
  .domain = {MLPLI_SHARE, MLPLI_SHARE, MLPLI_SHARE}, .n_inputs = 3, .n_required = 2,     \
  .n_outputs = 1, .differentiable = 3
const mlpl_op mlpli_op_binary_cross_entropy = {.name = "binary_cross_entropy",
    PROBABILITY_INPUTS,
    .compose = binary_cross_entropy_compose,
    PARAMS(plain_params)};
const mlpl_op mlpli_op_probability_loss = {.name = "probability_loss",
    PROBABILITY_INPUTS,
    .saves = 7,
    .shape = mlpli_shape_same,
    .forward = probability_loss_forward,
    HAS_BACKWARD(probability_loss),
    .internal = true};
