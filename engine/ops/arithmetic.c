/* Arithmetic and element-wise functions. */
#include "ops/rows.h"

#include "grad/grad.h"

/* ---- shapes and forward passes ----------------------------------------------------- */

mlpl_status mlpli_shape_same(mlpl_ctx *cx, const mlpli_call *c, mlpli_shape *s) {
  (void)cx;
  s->ndim = c->in[0]->ndim;
  for (int d = 0; d < s->ndim; d++) s->size[d] = c->in[0]->shape[d];
  return MLPL_OK;
}

mlpl_status mlpli_shape_second(mlpl_ctx *cx, const mlpli_call *c, mlpli_shape *s) {
  (void)cx;
  s->ndim = c->in[1]->ndim;
  for (int d = 0; d < s->ndim; d++) s->size[d] = c->in[1]->shape[d];
  return MLPL_OK;
}

mlpl_status mlpli_shape_broadcast(mlpl_ctx *cx, const mlpli_call *c, mlpli_shape *s) {
  return mlpli_broadcast_inputs(cx, c, 0, 1, s);
}

#define FORWARD2(name, kind)                                                             \
  static mlpl_status name##_forward(mlpl_ctx *cx, mlpli_call *c, mlpl_tensor **out) {    \
    (void)cx;                                                                            \
    mlpli_map(kind, *out, c->in[0], c->in[1], 0);                                        \
    return MLPL_OK;                                                                      \
  }
#define FORWARD1(name, kind, param)                                                      \
  static mlpl_status name##_forward(mlpl_ctx *cx, mlpli_call *c, mlpl_tensor **out) {    \
    (void)cx;                                                                            \
    mlpli_map(kind, *out, c->in[0], NULL, param);                                        \
    return MLPL_OK;                                                                      \
  }

/* ---- a + alpha b, a - alpha b ------------------------------------------------------ */

/* Option alpha; rows that are applied without options have the standard one. */
static double alpha_of(const mlpl_value *p) { return p ? p->f : 1; }

static mlpl_status check_alpha(mlpl_ctx *cx, const mlpli_call *c, double alpha) {
  const int dtype = c->in[0]->dtype;
  if (mlpli_is_real(c->in[0]) || (alpha == floor(alpha) && isfinite(alpha)))
    return MLPL_OK;
  return mlpl_fail(cx, MLPL_EARG,
      "%s: alpha is %g; beside whole numbers (%s) it must be a whole number, too",
      c->op->name, alpha, mlpl_dtype_name((mlpl_dtype)dtype));
}

/* Without a fused kernel: b times the size of alpha, then a + or - that. */
mlpl_status mlpli_add_whole(mlpl_ctx *cx, mlpl_tensor *out, const mlpl_tensor *a,
    const mlpl_tensor *b, double alpha) {
  mlpl_tensor *scaled;
  mlpli_number size;
  const bool less = alpha < 0 && out->dtype != MLPL_BOOL;
  alpha = fabs(alpha);
  if (out->dtype == MLPL_U8) alpha = fmod(alpha, 256);
  MLPL_TRY(mlpli_tensor_like(cx, &scaled, b));
  mlpli_map(MLPLK_MUL, scaled, b, mlpli_number_like(&size, b, alpha), 0);
  mlpli_map(less ? MLPLK_SUB : MLPLK_ADD, out, a, scaled, 0);
  mlpl_tensor_release(scaled);
  return MLPL_OK;
}

/* Input i plus alpha times the other one. */
static mlpl_status add_scaled(
    mlpl_ctx *cx, const mlpli_call *c, mlpl_tensor *out, int i, double alpha) {
  const mlpl_tensor *a = c->in[i], *b = c->in[1 - i];
  MLPL_TRY(check_alpha(cx, c, alpha_of(c->p)));
  if (alpha == 1)
    mlpli_map(MLPLK_ADD, out, a, b, 0);
  else if (alpha == -1 && out->dtype != MLPL_BOOL)
    mlpli_map(MLPLK_SUB, out, a, b, 0);
  else if (mlpli_is_real(out))
    mlpli_map(MLPLK_ADD_SCALED, out, a, b, alpha);
  else
    return mlpli_add_whole(cx, out, a, b, alpha);
  return MLPL_OK;
}

static FORWARD(add) { return add_scaled(cx, c, *out, 0, alpha_of(c->p)); }
static FORWARD(sub) { return add_scaled(cx, c, *out, 0, -alpha_of(c->p)); }
static FORWARD(rsub) { return add_scaled(cx, c, *out, 1, -alpha_of(c->p)); }

/* ---- one kernel each --------------------------------------------------------------- */

FORWARD2(mul, MLPLK_MUL)
FORWARD2(div, MLPLK_DIV)
FORWARD1(neg, MLPLK_NEG, 0)
FORWARD1(abs, MLPLK_ABS, 0)
FORWARD1(sign, MLPLK_SIGN, 0)
FORWARD1(positive, MLPLK_POSITIVE, 0)
FORWARD1(exp, MLPLK_EXP, 0)
FORWARD1(log, MLPLK_LOG, 0)
FORWARD1(sqrt, MLPLK_SQRT, 0)
FORWARD1(leaky_relu, MLPLK_LEAKY_RELU, c->p[0].f)
FORWARD1(elu, MLPLK_ELU, c->p[0].f)
FORWARD1(sigmoid, MLPLK_SIGMOID, 0)
FORWARD1(tanh, MLPLK_TANH, 0)

static FORWARD(relu) {
  mlpli_number zero;
  (void)cx;
  if (mlpli_is_real(*out))
    mlpli_map(MLPLK_RELU, *out, c->in[0], NULL, 0);
  else
    mlpli_map(MLPLK_MAXIMUM, *out, c->in[0], mlpli_number_like(&zero, *out, 0), 0);
  return MLPL_OK;
}

static FORWARD(pow) {
  MLPL_TRY(mlpli_check_exponent(cx, c, *out));
  mlpli_map(MLPLK_POW, *out, c->in[0], c->in[1], 0);
  return MLPL_OK;
}

/* scale x + shift, rounded after each step */
static mlpl_status affine_forward(mlpl_ctx *cx, mlpli_call *c, mlpl_tensor **out) {
  (void)cx;
  char shift[8];
  mlpli_map(MLPLK_SCALE, *out, c->in[0], NULL, c->p[0].f);
  if (c->p[1].f == 0) return MLPL_OK;
  mlpl_tensor one = **out; /* a number seen as a tensor without axes */
  one.ndim = 0;
  one.numel = 1;
  one.data = shift;
  mlpli_store(shift, one.dtype, c->p[1].f);
  mlpli_map(MLPLK_ADD, *out, *out, &one, 0);
  return MLPL_OK;
}

static mlpl_status clone_forward(mlpl_ctx *cx, mlpli_call *c, mlpl_tensor **out) {
  (void)cx;
  mlpli_copy(*out, c->in[0]);
  return MLPL_OK;
}

/* ---- backward passes --------------------------------------------------------------- */

/* g to input i, scaled to the other one */
static mlpl_status give_scaled(
    mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g, int i, double scale) {
  mlpli_expr e = {.cx = cx};
  if (mlpli_wants(n, i)) mlpli_xgive(&e, n, i, g);
  if (mlpli_wants(n, 1 - i))
    mlpli_xgive(&e, n, 1 - i,
        scale == 1        ? g
            : scale == -1 ? mlpli_x1(&e, MLPLI_OP_NEG, g, NULL)
                          : mlpli_xaffine(&e, g, scale, 0));
  return mlpli_expr_end(&e);
}

static BACKWARD(add) { return give_scaled(cx, n, g, 0, n->p[0].f); }
static BACKWARD(sub) { return give_scaled(cx, n, g, 0, -n->p[0].f); }
static BACKWARD(rsub) { return give_scaled(cx, n, g, 1, -n->p[0].f); }

/* da = g b, db = g a */
static mlpl_status mul_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
  mlpli_expr e = {.cx = cx};
  if (mlpli_wants(n, 0)) mlpli_xgive(&e, n, 0, mlpli_xmul(&e, g, n->in[1]));
  if (mlpli_wants(n, 1)) mlpli_xgive(&e, n, 1, mlpli_xmul(&e, g, n->in[0]));
  return mlpli_expr_end(&e);
}

/* da = g / b, db = -g a / b^2 = -(g / b) (a / b) */
static mlpl_status div_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *a = n->in[0], *b = n->in[1], *da = mlpli_xdiv(&e, g, b);
  if (mlpli_wants(n, 0)) mlpli_xgive(&e, n, 0, da);
  if (mlpli_wants(n, 1))
    mlpli_xgive(&e, n, 1,
        mlpli_x1(&e, MLPLI_OP_NEG, mlpli_xmul(&e, da, mlpli_xdiv(&e, a, b)), NULL));
  return mlpli_expr_end(&e);
}

/*
** d/da a^b = b a^(b-1), d/db a^b = a^b log a. Where b is 0 the first is 0, also at a = 0;
** where a is 0 and b >= 0 the second is 0 (a^b log a tends to 0 for b > 0); for b < 0 it is
** -infinity. PyTorch's conventions.
*/
static mlpl_status pow_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *a = n->in[0], *b = n->in[1];
  if (mlpli_wants(n, 0)) {
    /* b a^(b - s) with s = 1 where b is not 0, so that 0 does not meet infinity */
    mlpl_tensor *s = mlpli_x1(
        &e, MLPLI_OP_ABS, mlpli_x1(&e, MLPLI_OP_SIGN, b, NULL), NULL);
    mlpl_tensor *power = mlpli_x2(&e, MLPLI_OP_POW, a, mlpli_xsub(&e, b, s), NULL);
    mlpli_xgive(&e, n, 0, mlpli_xmul(&e, g, mlpli_xmul(&e, b, power)));
  }
  if (mlpli_wants(n, 1)) {
    /* where the slope is 0, log a is read as 0 */
    mlpl_tensor *none = mlpli_xnumber(&e, g, 0);
    mlpl_tensor *flat = mlpli_x2(&e, MLPLI_OP_LOGICAL_AND,
        mlpli_x2(&e, MLPLI_OP_EQ, a, none, NULL),
        mlpli_x2(&e, MLPLI_OP_GE, b, none, NULL), NULL);
    mlpl_tensor *log = mlpli_x1(&e, MLPLI_OP_LOG,
        mlpli_x2(&e, MLPLI_OP_MASKED_FILL, a, flat, &(mlpl_value){.f = 1}), NULL);
    mlpli_xgive(&e, n, 1, mlpli_xmul(&e, g, mlpli_xmul(&e, mlpli_xout(&e, n), log)));
  }
  return mlpli_expr_end(&e);
}

static mlpl_status neg_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(&e, n, 0, mlpli_x1(&e, MLPLI_OP_NEG, g, NULL));
  return mlpli_expr_end(&e);
}

static mlpl_status abs_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(&e, n, 0, mlpli_xmul(&e, g, mlpli_x1(&e, MLPLI_OP_SIGN, n->in[0], NULL)));
  return mlpli_expr_end(&e);
}

static mlpl_status affine_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(&e, n, 0, mlpli_xaffine(&e, g, n->p[0].f, 0));
  return mlpli_expr_end(&e);
}

static mlpl_status clone_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
  return mlpli_give(cx, n, 0, g);
}

/* g e^x */
static mlpl_status exp_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(&e, n, 0, mlpli_xmul(&e, g, mlpli_xout(&e, n)));
  return mlpli_expr_end(&e);
}

/* g / x */
static mlpl_status log_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(&e, n, 0, mlpli_xdiv(&e, g, n->in[0]));
  return mlpli_expr_end(&e);
}

/* g / (2 sqrt x) */
static mlpl_status sqrt_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(&e, n, 0, mlpli_xdiv(&e, g, mlpli_xaffine(&e, mlpli_xout(&e, n), 2, 0)));
  return mlpli_expr_end(&e);
}

/* ---- activations: one kernel in the usual pass, operations in a recorded one ------- */

/* g [y > 0]; a NaN output lets g through, as in PyTorch. The mask is constant: it has no
   gradient of its own. */
static mlpl_status relu_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *gx = cx->grad_enabled ? mlpli_xmul(&e, g, mlpli_xrelu_mask(&e, n->out))
                                     : mlpli_xmap(&e, MLPLK_RELU_GRAD, g, n->out, 0);
  mlpli_xgive(&e, n, 0, gx);
  return mlpli_expr_end(&e);
}

/* g (slope + (1 - slope) [x > 0]) */
static mlpl_status leaky_relu_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
  mlpli_expr e = {.cx = cx};
  double slope = n->p[0].f;
  mlpl_tensor *gx;
  if (cx->grad_enabled) {
    mlpl_tensor *mask = mlpli_x1(&e, MLPLI_OP_POSITIVE, n->in[0], NULL);
    gx = mlpli_xmul(&e, g, mlpli_xaffine(&e, mask, 1 - slope, slope));
  }
  else
    gx = mlpli_xmap(&e, MLPLK_LEAKY_GRAD, g, n->in[0], slope);
  mlpli_xgive(&e, n, 0, gx);
  return mlpli_expr_end(&e);
}

/* g where x > 0, else g (y + alpha) = g alpha e^x */
static mlpl_status elu_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
  mlpli_expr e = {.cx = cx};
  double alpha = n->p[0].f;
  mlpl_tensor *gx;
  if (cx->grad_enabled) {
    mlpl_tensor *y = mlpli_xout(&e, n),
                *above = mlpli_x1(&e, MLPLI_OP_POSITIVE, n->out, NULL);
    mlpl_tensor *below = mlpli_xaffine(&e, above, -1, 1);
    mlpl_tensor *slope = mlpli_xadd(
        &e, above, mlpli_xmul(&e, below, mlpli_xaffine(&e, y, 1, alpha)));
    gx = mlpli_xmul(&e, g, slope);
  }
  else
    gx = mlpli_xmap(&e, MLPLK_ELU_GRAD, g, n->out, alpha);
  mlpli_xgive(&e, n, 0, gx);
  return mlpli_expr_end(&e);
}

/* g y (1 - y) */
static mlpl_status sigmoid_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *gx, *y;
  if (cx->grad_enabled) {
    y = mlpli_xout(&e, n);
    gx = mlpli_xmul(&e, g, mlpli_xmul(&e, y, mlpli_xaffine(&e, y, -1, 1)));
  }
  else
    gx = mlpli_xmap(&e, MLPLK_SIGMOID_GRAD, g, n->out, 0);
  mlpli_xgive(&e, n, 0, gx);
  return mlpli_expr_end(&e);
}

/* g (1 - y^2) */
static mlpl_status tanh_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *gx, *y;
  if (cx->grad_enabled) {
    y = mlpli_xout(&e, n);
    gx = mlpli_xmul(&e, g, mlpli_xaffine(&e, mlpli_xmul(&e, y, y), -1, 1));
  }
  else
    gx = mlpli_xmap(&e, MLPLK_TANH_GRAD, g, n->out, 0);
  mlpli_xgive(&e, n, 0, gx);
  return mlpli_expr_end(&e);
}

/* ---- rows -------------------------------------------------------------------------- */

static const mlpl_param affine_params[] = {
    MLPLI_REAL_NEEDED("scale"), MLPLI_REAL_NEEDED("shift")};
static const mlpl_param leaky_relu_params[] = {
    MLPLI_REAL_OPTION("negative_slope", 0.01, -INFINITY, INFINITY)};
static const mlpl_param elu_params[] = {MLPLI_REAL_OPTION("alpha", 1, 0, 1e300)};

/* What most rows here are beside their formula: they promote, and may write in place. */
#define OF(dtypes) .computes = dtypes, .in_place = true

static const mlpl_param alpha_params[] = {
    MLPLI_REAL_OPTION("alpha", 1, -INFINITY, INFINITY)};

const mlpl_op mlpli_op_add = {BINARY_ROW(add, MLPLI_REAL, MLPLI_REAL, 0),
    OF(MLPLI_NUMBERS | MLPLI_TRUTH), PARAMS(alpha_params), .bare = true, .wraps = 3};
const mlpl_op mlpli_op_sub = {BINARY_ROW(sub, MLPLI_REAL, MLPLI_REAL, 0),
    OF(MLPLI_NUMBERS), PARAMS(alpha_params), .bare = true, .wraps = 3};
/* b - alpha a */
const mlpl_op mlpli_op_rsub = {BINARY_ROW(rsub, MLPLI_REAL, MLPLI_REAL, 0),
    OF(MLPLI_NUMBERS), PARAMS(alpha_params), .bare = true, .wraps = 3};
const mlpl_op mlpli_op_mul = {BINARY_ROW(mul, MLPLI_REAL, MLPLI_REAL, 3),
    .saved_for = {2, 1}, OF(MLPLI_NUMBERS | MLPLI_TRUTH), .wraps = 3};
static const char *const roundings[] = {"none", "trunc", "floor", NULL};
static const mlpl_param div_params[] = {MLPLI_CHOICE_OPTION("rounding_mode", roundings)};
const mlpl_op mlpli_op_div = {BINARY_ROW(div, MLPLI_REAL, MLPLI_NONZERO, 3),
    .saved_for = {2}, OF(MLPLI_REALS), PARAMS(div_params), .bare = true,
    .by_choice = {MLPLI_OP_DIV_TRUNC, MLPLI_OP_DIV_FLOOR}};
const mlpl_op mlpli_op_pow = {
    BINARY_ROW(pow, MLPLI_POSITIVE, MLPLI_REAL, 3 | MLPLI_SAVE_OUT), .out_for = 2,
    OF(MLPLI_NUMBERS), .wraps = 1};
const mlpl_op mlpli_op_neg = {
    MAP_ROW(neg, MLPLI_REAL, 0), HAS_BACKWARD(neg), OF(MLPLI_NUMBERS)};
const mlpl_op mlpli_op_abs = {
    MAP_ROW(abs, MLPLI_SMOOTH, 1), HAS_BACKWARD(abs), OF(MLPLI_NUMBERS)};
const mlpl_op mlpli_op_sign = {MAP_ROW(sign, MLPLI_SMOOTH, 0),
    .backward = mlpli_flat_backward, OF(MLPLI_NUMBERS | MLPLI_TRUTH)};
const mlpl_op mlpli_op_positive = {MAP_ROW(positive, MLPLI_SMOOTH, 0), .internal = true};
const mlpl_op mlpli_op_affine = {MAP_ROW(affine, MLPLI_REAL, 0), HAS_BACKWARD(affine),
    PARAMS(affine_params), .internal = true};
const mlpl_op mlpli_op_exp = {
    MAP_ROW(exp, MLPLI_REAL, MLPLI_SAVE_OUT), HAS_BACKWARD(exp), OF(MLPLI_REALS)};
const mlpl_op mlpli_op_log = {
    MAP_ROW(log, MLPLI_POSITIVE, 1), HAS_BACKWARD(log), OF(MLPLI_REALS)};
const mlpl_op mlpli_op_sqrt = {
    MAP_ROW(sqrt, MLPLI_POSITIVE, MLPLI_SAVE_OUT), HAS_BACKWARD(sqrt), OF(MLPLI_REALS)};
const mlpl_op mlpli_op_relu = {
    MAP_ROW(relu, MLPLI_SMOOTH, MLPLI_SAVE_OUT), HAS_BACKWARD(relu), OF(MLPLI_NUMBERS)};
const mlpl_op mlpli_op_leaky_relu = {MAP_ROW(leaky_relu, MLPLI_SMOOTH, 1),
    HAS_BACKWARD(leaky_relu), PARAMS(leaky_relu_params), .in_place = true};
const mlpl_op mlpli_op_elu = {MAP_ROW(elu, MLPLI_SMOOTH, MLPLI_SAVE_OUT),
    HAS_BACKWARD(elu), PARAMS(elu_params), .in_place = true};
const mlpl_op mlpli_op_sigmoid = {
    MAP_ROW(sigmoid, MLPLI_REAL, MLPLI_SAVE_OUT), HAS_BACKWARD(sigmoid), OF(MLPLI_REALS)};
const mlpl_op mlpli_op_tanh = {
    MAP_ROW(tanh, MLPLI_REAL, MLPLI_SAVE_OUT), HAS_BACKWARD(tanh), OF(MLPLI_REALS)};
const mlpl_op mlpli_op_clone = {MAP_ROW(clone, MLPLI_ANY, 0), HAS_BACKWARD(clone)};
