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

mlpl_status mlpli_shape_broadcast(mlpl_ctx *cx, const mlpli_call *c, mlpli_shape *s) {
  return mlpli_broadcast(cx, c->op->name, c->in[0], c->in[1], s);
}

#define FORWARD2(name, kind)                                                             \
  mlpl_status mlpli_##name##_forward(mlpl_ctx *cx, mlpli_call *c, mlpl_tensor **out) {   \
    (void)cx;                                                                            \
    mlpli_map(kind, *out, c->in[0], c->in[1], 0);                                        \
    return MLPL_OK;                                                                      \
  }
#define FORWARD1(name, kind, param)                                                      \
  mlpl_status mlpli_##name##_forward(mlpl_ctx *cx, mlpli_call *c, mlpl_tensor **out) {   \
    (void)cx;                                                                            \
    mlpli_map(kind, *out, c->in[0], NULL, param);                                        \
    return MLPL_OK;                                                                      \
  }

FORWARD2(add, MLPLK_ADD)
FORWARD2(sub, MLPLK_SUB)
FORWARD2(mul, MLPLK_MUL)
FORWARD2(div, MLPLK_DIV)
FORWARD2(pow, MLPLK_POW)
FORWARD1(neg, MLPLK_NEG, 0)
FORWARD1(abs, MLPLK_ABS, 0)
FORWARD1(sign, MLPLK_SIGN, 0)
FORWARD1(positive, MLPLK_POSITIVE, 0)
FORWARD1(exp, MLPLK_EXP, 0)
FORWARD1(log, MLPLK_LOG, 0)
FORWARD1(sqrt, MLPLK_SQRT, 0)
FORWARD1(relu, MLPLK_RELU, 0)
FORWARD1(leaky_relu, MLPLK_LEAKY_RELU, c->p[0].f)
FORWARD1(elu, MLPLK_ELU, c->p[0].f)
FORWARD1(sigmoid, MLPLK_SIGMOID, 0)
FORWARD1(tanh, MLPLK_TANH, 0)

/* scale x + shift, rounded after each step */
mlpl_status mlpli_affine_forward(mlpl_ctx *cx, mlpli_call *c, mlpl_tensor **out) {
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

mlpl_status mlpli_clone_forward(mlpl_ctx *cx, mlpli_call *c, mlpl_tensor **out) {
  (void)cx;
  mlpli_copy(*out, c->in[0]);
  return MLPL_OK;
}

/* ---- backward passes --------------------------------------------------------------- */

mlpl_status mlpli_add_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
  mlpli_expr e = {.cx = cx};
  if (mlpli_wants(n, 0)) mlpli_xgive(&e, n, 0, g);
  if (mlpli_wants(n, 1)) mlpli_xgive(&e, n, 1, g);
  return mlpli_expr_end(&e);
}

mlpl_status mlpli_sub_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
  mlpli_expr e = {.cx = cx};
  if (mlpli_wants(n, 0)) mlpli_xgive(&e, n, 0, g);
  if (mlpli_wants(n, 1)) mlpli_xgive(&e, n, 1, mlpli_x1(&e, MLPLI_OP_NEG, g, NULL));
  return mlpli_expr_end(&e);
}

/* da = g b, db = g a */
mlpl_status mlpli_mul_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
  mlpli_expr e = {.cx = cx};
  if (mlpli_wants(n, 0)) mlpli_xgive(&e, n, 0, mlpli_xmul(&e, g, n->in[1]));
  if (mlpli_wants(n, 1)) mlpli_xgive(&e, n, 1, mlpli_xmul(&e, g, n->in[0]));
  return mlpli_expr_end(&e);
}

/* da = g / b, db = -g a / b^2 = -(g / b) (a / b) */
mlpl_status mlpli_div_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
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
** where a is 0 the second is 0 (a^b log a tends to 0 for b > 0). PyTorch's conventions.
*/
mlpl_status mlpli_pow_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
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
    /* log(a + [a = 0]) is 0 at a = 0 */
    mlpl_tensor *zero = mlpli_xaffine(&e,
        mlpli_x1(&e, MLPLI_OP_ABS, mlpli_x1(&e, MLPLI_OP_SIGN, a, NULL), NULL), -1, 1);
    mlpl_tensor *log = mlpli_x1(&e, MLPLI_OP_LOG, mlpli_xadd(&e, a, zero), NULL);
    mlpli_xgive(&e, n, 1, mlpli_xmul(&e, g, mlpli_xmul(&e, mlpli_xout(&e, n), log)));
  }
  return mlpli_expr_end(&e);
}

mlpl_status mlpli_neg_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(&e, n, 0, mlpli_x1(&e, MLPLI_OP_NEG, g, NULL));
  return mlpli_expr_end(&e);
}

mlpl_status mlpli_abs_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(&e, n, 0, mlpli_xmul(&e, g, mlpli_x1(&e, MLPLI_OP_SIGN, n->in[0], NULL)));
  return mlpli_expr_end(&e);
}

mlpl_status mlpli_affine_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(&e, n, 0, mlpli_xaffine(&e, g, n->p[0].f, 0));
  return mlpli_expr_end(&e);
}

mlpl_status mlpli_clone_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
  return mlpli_give(cx, n, 0, g);
}

/* g e^x */
mlpl_status mlpli_exp_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(&e, n, 0, mlpli_xmul(&e, g, mlpli_xout(&e, n)));
  return mlpli_expr_end(&e);
}

/* g / x */
mlpl_status mlpli_log_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(&e, n, 0, mlpli_xdiv(&e, g, n->in[0]));
  return mlpli_expr_end(&e);
}

/* g / (2 sqrt x) */
mlpl_status mlpli_sqrt_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(&e, n, 0, mlpli_xdiv(&e, g, mlpli_xaffine(&e, mlpli_xout(&e, n), 2, 0)));
  return mlpli_expr_end(&e);
}

/* ---- activations: one kernel in the usual pass, operations in a recorded one ------- */

/* g [y > 0]; a NaN output lets g through, as in PyTorch. The mask is constant: it has no
   gradient of its own. */
mlpl_status mlpli_relu_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *gx = cx->grad_enabled ? mlpli_xmul(&e, g, mlpli_xrelu_mask(&e, n->out))
                                     : mlpli_xmap(&e, MLPLK_RELU_GRAD, g, n->out, 0);
  mlpli_xgive(&e, n, 0, gx);
  return mlpli_expr_end(&e);
}

/* g (slope + (1 - slope) [x > 0]) */
mlpl_status mlpli_leaky_relu_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
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
mlpl_status mlpli_elu_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
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
mlpl_status mlpli_sigmoid_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
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
mlpl_status mlpli_tanh_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
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
