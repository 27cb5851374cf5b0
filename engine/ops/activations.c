/* Activation functions. A usual backward pass is one kernel where the formula is smooth,
   a recorded one is made of operations. */
#include "ops/rows.h"

#include "grad/grad.h"

#include <string.h>

#define SELU_SCALE 1.0507009873554804934193349852946
#define SELU_ALPHA 1.6732632423543772848170429916717

/* ---- forward passes ---------------------------------------------------------------- */

#define MAP(name, kind, param)                                                           \
  static FORWARD(name) {                                                                 \
    (void)cx;                                                                            \
    mlpli_map(kind, *out, c->in[0], NULL, param);                                        \
    return MLPL_OK;                                                                      \
  }
/* The kernel takes a second number where it has a second operand. */
#define MAP_NUMBERS(name, kind, number, param)                                           \
  static FORWARD(name) {                                                                 \
    mlpli_number second;                                                                 \
    (void)cx;                                                                            \
    mlpli_map(kind, *out, c->in[0], mlpli_number_like(&second, *out, number), param);    \
    return MLPL_OK;                                                                      \
  }

MAP(gelu, c->p[0].i ? MLPLK_GELU_TANH : MLPLK_GELU, 0)
MAP(silu, MLPLK_SILU, 0)
MAP(mish, MLPLK_MISH, 0)
MAP(softsign, MLPLK_SOFTSIGN, 0)
MAP(hardsigmoid, MLPLK_HARDSIGMOID, 0)
MAP(hardswish, MLPLK_HARDSWISH, 0)
MAP(selu, MLPLK_SELU, 0)
MAP(celu, MLPLK_CELU, c->p[0].f)
MAP(logsigmoid, MLPLK_LOGSIGMOID, 0)
MAP(tanhshrink, MLPLK_TANHSHRINK, 0)
MAP(softshrink, MLPLK_SOFTSHRINK, c->p[0].f)
MAP(hardshrink, MLPLK_HARDSHRINK, c->p[0].f)
MAP(step, MLPLK_STEP, 0)
MAP_NUMBERS(softplus, MLPLK_SOFTPLUS, c->p[1].f, c->p[0].f)
MAP_NUMBERS(threshold, MLPLK_THRESHOLD, c->p[1].f, c->p[0].f)

/* min <= x <= max. Whole numbers have bounds among them: rounded towards 0, and within
   their dtype. */
static void bounded(mlpl_tensor *out, const mlpl_tensor *x, double min, double max) {
  mlpli_number number;
  if (mlpli_is_real(out)) {
    mlpli_clamp(out, x, min, max);
    return;
  }
  if (out->dtype == MLPL_U8) min = fmax(min, 0), max = fmin(max, UINT8_MAX);
  mlpli_map(MLPLK_MAXIMUM, out, x, mlpli_number_like(&number, out, min), 0);
  mlpli_map(MLPLK_MINIMUM, out, out, mlpli_number_like(&number, out, max), 0);
}

static FORWARD(relu6) {
  (void)cx;
  bounded(*out, c->in[0], 0, 6);
  return MLPL_OK;
}

/* ---- smooth ones ------------------------------------------------------------------- */

/* g slope(x): by the kernel, or by the expression when the pass is recorded. */
#define SMOOTH(name, kind)                                                               \
  static BACKWARD(name) {                                                                \
    mlpli_expr e = {.cx = cx};                                                           \
    mlpl_tensor *x = n->in[0];                                                           \
    mlpli_xgive(&e, n, 0,                                                                \
        cx->grad_enabled ? mlpli_xmul(&e, g, name##_slope(&e, n, x))                     \
                         : mlpli_xmap(&e, kind, g, x, 0));                               \
    return mlpli_expr_end(&e);                                                           \
  }

#define SLOPE(name)                                                                      \
  static mlpl_tensor *name##_slope(mlpli_expr *e, mlpli_node *n, mlpl_tensor *x)
#define OP1(id, a) mlpli_x1(e, MLPLI_OP_##id, a, NULL)

/* none: Phi(x) + x phi(x), phi the normal density. tanh: (1 + t) / 2 + x / 2 (1 - t^2) u',
   u = k (x + 0.044715 x^3), t = tanh u. */
SLOPE(gelu) {
  const double k = 0.79788456080286535588, c = 0.044715,
               root_half = 0.70710678118654752440;
  mlpl_tensor *square = OP1(SQUARE, x);
  if (n->p[0].i == 0) {
    mlpl_tensor *normal = mlpli_xaffine(
        e, OP1(ERF, mlpli_xaffine(e, x, root_half, 0)), 0.5, 0.5);
    mlpl_tensor *density = mlpli_xaffine(
        e, OP1(EXP, mlpli_xaffine(e, square, -0.5, 0)), k / 2, 0);
    return mlpli_xadd(e, normal, mlpli_xmul(e, x, density));
  }
  mlpl_tensor *u = mlpli_xmul(e, x, mlpli_xaffine(e, square, k * c, k));
  mlpl_tensor *t = OP1(TANH, u), *inner = mlpli_xaffine(e, square, 3 * k * c, k);
  mlpl_tensor *rise = mlpli_xmul(e, mlpli_xaffine(e, OP1(SQUARE, t), -0.5, 0.5), inner);
  return mlpli_xadd(e, mlpli_xaffine(e, t, 0.5, 0.5), mlpli_xmul(e, x, rise));
}

static BACKWARD(gelu) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *x = n->in[0];
  const mlplk_map_kind kind = n->p[0].i ? MLPLK_GELU_TANH_GRAD : MLPLK_GELU_GRAD;
  mlpli_xgive(&e, n, 0,
      cx->grad_enabled ? mlpli_xmul(&e, g, gelu_slope(&e, n, x))
                       : mlpli_xmap(&e, kind, g, x, 0));
  return mlpli_expr_end(&e);
}

/* s (1 + x (1 - s)), s = sigmoid x */
SLOPE(silu) {
  (void)n;
  mlpl_tensor *s = OP1(SIGMOID, x);
  mlpl_tensor *rest = mlpli_xmul(e, x, mlpli_xaffine(e, s, -1, 1));
  return mlpli_xmul(e, s, mlpli_xaffine(e, rest, 1, 1));
}
SMOOTH(silu, MLPLK_SILU_GRAD)

/* t + x sigmoid(x) (1 - t^2), t = tanh(softplus x) */
SLOPE(mish) {
  (void)n;
  mlpl_value plain[] = {{.f = 1}, {.f = (double)INFINITY}};
  mlpl_tensor *t = OP1(TANH, mlpli_x1(e, MLPLI_OP_SOFTPLUS, x, plain));
  mlpl_tensor *rise = mlpli_xmul(
      e, OP1(SIGMOID, x), mlpli_xaffine(e, OP1(SQUARE, t), -1, 1));
  return mlpli_xadd(e, t, mlpli_xmul(e, x, rise));
}
SMOOTH(mish, MLPLK_MISH_GRAD)

/* 1 / (1 + |x|)^2 */
SLOPE(softsign) {
  (void)n;
  return OP1(RECIPROCAL, OP1(SQUARE, mlpli_xaffine(e, OP1(ABS, x), 1, 1)));
}
SMOOTH(softsign, MLPLK_SOFTSIGN_GRAD)

/* sigmoid(-x) */
SLOPE(logsigmoid) {
  (void)n;
  return OP1(SIGMOID, OP1(NEG, x));
}
SMOOTH(logsigmoid, MLPLK_LOGSIGMOID_GRAD)

#undef OP1

/* g tanh(x)^2 */
static BACKWARD(tanhshrink) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *t = mlpli_x1(&e, MLPLI_OP_TANH, n->in[0], NULL);
  mlpli_xgive(&e, n, 0, mlpli_xmul(&e, g, mlpli_x1(&e, MLPLI_OP_SQUARE, t, NULL)));
  return mlpli_expr_end(&e);
}

/* ---- with kinks: gates keep the gradient on one side ------------------------------- */

#define ABOVE(a, b, at) mlpli_xgate(&e, MLPLK_GATE_ABOVE, a, b, at)
#define BELOW(a, b, at) mlpli_xgate(&e, MLPLK_GATE_BELOW, a, b, at)
#define FROM(a, b, at) mlpli_xgate(&e, MLPLK_GATE_FROM, a, b, at)
#define UP_TO(a, b, at) mlpli_xgate(&e, MLPLK_GATE_UP_TO, a, b, at)

/* g sigmoid(beta x) up to the threshold on beta x, then g */
static BACKWARD(softplus) {
  mlpli_expr e = {.cx = cx};
  const double beta = n->p[0].f, at = n->p[1].f;
  mlpl_tensor *x = n->in[0], *gx;
  if (cx->grad_enabled) {
    mlpl_tensor *z = mlpli_xaffine(&e, x, beta, 0);
    mlpl_tensor *curved = mlpli_xmul(&e, g, mlpli_x1(&e, MLPLI_OP_SIGMOID, z, NULL));
    gx = mlpli_xadd(&e, ABOVE(g, z, at), UP_TO(curved, z, at));
  }
  else
    gx = mlpli_xmap3(&e, MLPLK_SOFTPLUS_GRAD, g, x, mlpli_xnumber(&e, g, at), beta);
  mlpli_xgive(&e, n, 0, gx);
  return mlpli_expr_end(&e);
}

/* g where lo < x < hi */
static mlpl_status between(
    mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g, double lo, double hi) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *x = n->in[0], *gx;
  if (cx->grad_enabled)
    gx = BELOW(ABOVE(g, x, lo), x, hi);
  else
    gx = mlpli_xmap3(&e, MLPLK_HARDTANH_GRAD, g, x, mlpli_xnumber(&e, g, lo), hi);
  mlpli_xgive(&e, n, 0, gx);
  return mlpli_expr_end(&e);
}

/* as in PyTorch, nothing is beyond a bound that is NaN */
static BACKWARD(hardtanh) {
  const double lo = n->p[0].f, hi = n->p[1].f;
  return between(
      cx, n, g, isnan(lo) ? -(double)INFINITY : lo, isnan(hi) ? (double)INFINITY : hi);
}
static BACKWARD(relu6) { return between(cx, n, g, 0, 6); }

/* g / 6 where -3 < x < 3 */
static BACKWARD(hardsigmoid) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *x = n->in[0];
  mlpli_xgive(&e, n, 0,
      cx->grad_enabled ? BELOW(ABOVE(mlpli_xaffine(&e, g, 1.0 / 6, 0), x, -3), x, 3)
                       : mlpli_xmap(&e, MLPLK_HARDSIGMOID_GRAD, g, x, 0));
  return mlpli_expr_end(&e);
}

/* 0 up to -3, g (x / 3 + 1/2) up to 3, g from there on */
static BACKWARD(hardswish) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *x = n->in[0], *gx;
  if (cx->grad_enabled) {
    mlpl_tensor *ramp = mlpli_xmul(&e, g, mlpli_xaffine(&e, x, 1.0 / 3, 0.5));
    gx = mlpli_xadd(&e, BELOW(ABOVE(ramp, x, -3), x, 3), FROM(g, x, 3));
  }
  else
    gx = mlpli_xmap(&e, MLPLK_HARDSWISH_GRAD, g, x, 0);
  mlpli_xgive(&e, n, 0, gx);
  return mlpli_expr_end(&e);
}

/* Of the output y: g above where y > 0, else g (scale y + shift). */
static mlpl_tensor *two_sides(mlpli_expr *to, mlpli_node *n, mlpl_tensor *g, double above,
    double scale, double shift) {
  mlpl_tensor *slope = mlpli_xaffine(to, mlpli_xout(to, n), scale, shift);
  mlpl_tensor *below = mlpli_xgate(
      to, MLPLK_GATE_UP_TO, mlpli_xmul(to, g, slope), n->out, 0);
  mlpl_tensor *straight = mlpli_xaffine(to, g, above, 0);
  return mlpli_xadd(to, mlpli_xgate(to, MLPLK_GATE_ABOVE, straight, n->out, 0), below);
}

static BACKWARD(selu) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(&e, n, 0,
      cx->grad_enabled ? two_sides(&e, n, g, SELU_SCALE, 1, SELU_SCALE * SELU_ALPHA)
                       : mlpli_xmap(&e, MLPLK_SELU_GRAD, g, n->out, 0));
  return mlpli_expr_end(&e);
}

static BACKWARD(celu) {
  mlpli_expr e = {.cx = cx};
  const double alpha = n->p[0].f;
  mlpli_xgive(&e, n, 0,
      cx->grad_enabled ? two_sides(&e, n, g, 1, 1 / alpha, 1)
                       : mlpli_xmap(&e, MLPLK_CELU_GRAD, g, n->out, alpha));
  return mlpli_expr_end(&e);
}

/* g outside of [-lambda, lambda]: softshrink and hardshrink */
static BACKWARD(shrink) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(&e, n, 0, mlpli_xgate(&e, MLPLK_GATE_OUTSIDE, g, n->in[0], n->p[0].f));
  return mlpli_expr_end(&e);
}

/* nothing is up to a threshold that is NaN */
static BACKWARD(threshold) {
  mlpli_expr e = {.cx = cx};
  const double at = n->p[0].f;
  mlpli_xgive(&e, n, 0, isnan(at) ? g : ABOVE(g, n->in[0], at));
  return mlpli_expr_end(&e);
}

static FORWARD(hardtanh) {
  (void)cx;
  bounded(*out, c->in[0], c->p[0].f, c->p[1].f);
  return MLPL_OK;
}

/* Is there a whole number of the dtype between the bounds? */
static bool has_between(int dtype, double min, double max) {
  return !isnan(min) && !isnan(max) &&
      (dtype != MLPL_U8 || (min <= UINT8_MAX && max >= 0));
}

static SHAPE(hardtanh) {
  const double min = c->p[0].f, max = c->p[1].f;
  const int dtype = c->in[0]->dtype;
  if (min > max)
    return mlpl_fail(
        cx, MLPL_EARG, "hardtanh: min_val is %g, above max_val, which is %g", min, max);
  if (dtype > MLPL_F64 && !has_between(dtype, min, max))
    return mlpl_fail(cx, MLPL_EARG,
        "hardtanh: min_val is %g, max_val is %g; no %s is between them (convert with :to)",
        min, max, mlpl_dtype_name((mlpl_dtype)dtype));
  return mlpli_shape_same(cx, c, s);
}

/* ---- prelu: a slope for all, or one for each place on axis 1 ------------------------ */

/* The weight's sizes seen beside the input: [c x 1 x 1 ...], aligned at the last axis. */
static mlpl_value beside(const mlpl_tensor *x, const mlpl_tensor *w) {
  mlpl_value v = {.sizes = {.n = x->ndim > 1 && w->numel != 1 ? x->ndim - 1 : 0}};
  for (int d = 0; d < v.sizes.n; d++) v.sizes.v[d] = d ? 1 : w->numel;
  return v;
}

static SHAPE(prelu) {
  const mlpl_tensor *x = c->in[0], *w = c->in[1];
  const int64_t channels = x->ndim > 1 ? x->shape[1] : 1;
  if (w->ndim > 1 || (w->numel != 1 && w->numel != channels)) {
    char tx[MLPLI_SHAPE_TEXT], tw[MLPLI_SHAPE_TEXT];
    return mlpl_fail(cx, MLPL_ESHAPE,
        "prelu: weight is %s, input is %s; it has one number, or one for each of the "
        "%lld on the input's second axis",
        mlpli_tensor_text(tw, w), mlpli_tensor_text(tx, x), (long long)channels);
  }
  return mlpli_shape_same(cx, c, s);
}

static FORWARD(prelu) {
  mlpl_tensor *w = c->in[1], *view;
  const mlpl_value at = beside(c->in[0], w);
  const int64_t stride[MLPL_MAX_RANK] = {w->ndim ? w->stride[0] : 1};
  MLPL_TRY(mlpli_tensor_view(cx, &view, w, 0, at.sizes.n, at.sizes.v, stride));
  mlpli_map(MLPLK_PRELU, *out, c->in[0], view, 0);
  mlpl_tensor_release(view);
  return MLPL_OK;
}

/* dx = g where x > 0, else w g; dw = the sum of g x where x <= 0 */
static BACKWARD(prelu) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *x = n->in[0], *w = n->in[1];
  const mlpl_value at = beside(x, w);
  if (mlpli_wants(n, 0)) {
    mlpl_tensor *slope = mlpli_x1(&e, MLPLI_OP_RESHAPE, w, &at);
    if (cx->grad_enabled)
      mlpli_xgive(&e, n, 0,
          mlpli_xadd(&e, ABOVE(g, x, 0), mlpli_xmul(&e, UP_TO(g, x, 0), slope)));
    else
      mlpli_xgive(&e, n, 0, mlpli_xmap3(&e, MLPLK_PRELU_GRAD, g, x, slope, 0));
  }
  if (mlpli_wants(n, 1)) {
    mlpl_value own = {.sizes = {.n = w->ndim}};
    memcpy(own.sizes.v, w->shape, sizeof own.sizes.v);
    mlpl_tensor *each = mlpli_xmul(&e, UP_TO(g, x, 0), x);
    mlpl_tensor *sum = mlpli_x1(&e, MLPLI_OP_SUM_TO_SIZE, each, &at);
    mlpli_xgive(&e, n, 1, mlpli_x1(&e, MLPLI_OP_RESHAPE, sum, &own));
  }
  return mlpli_expr_end(&e);
}

/* ---- glu: the first half of an axis, gated by the second --------------------------- */

static SHAPE(glu) {
  const mlpl_tensor *x = c->in[0];
  int axis;
  MLPL_TRY(mlpli_axis(cx, "glu", c->p[0].i, x->ndim, &axis));
  if (x->shape[axis] % 2) {
    char text[MLPLI_SHAPE_TEXT];
    return mlpl_fail(cx, MLPL_ESHAPE,
        "glu: axis %d of %s has an odd size; it is cut into halves",
        axis + cx->index_base, mlpli_tensor_text(text, x));
  }
  MLPL_TRY(mlpli_shape_same(cx, c, s));
  s->size[axis] /= 2;
  return MLPL_OK;
}

static int glu_axis(const mlpl_value *p, const mlpl_tensor *x) {
  return mlpli_axis_known(p[0].i, x->ndim);
}

static FORWARD(glu) {
  const mlpl_tensor *x = c->in[0], *half = *out;
  const int axis = glu_axis(c->p, x);
  mlpl_tensor *a, *b;
  MLPL_TRY(mlpli_tensor_view(cx, &a, x, 0, x->ndim, half->shape, x->stride));
  const int64_t second = x->numel ? half->shape[axis] * x->stride[axis] : 0;
  mlpl_status status = mlpli_tensor_view(
      cx, &b, x, second, x->ndim, half->shape, x->stride);
  if (status == MLPL_OK) {
    mlpli_map(MLPLK_GLU, *out, a, b, 0);
    mlpl_tensor_release(b);
  }
  mlpl_tensor_release(a);
  return status;
}

/* da = g s, db = g a s (1 - s), s = sigmoid b; each at its place in zeros */
static BACKWARD(glu) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *x = n->in[0];
  const int axis = glu_axis(n->p, x);
  const int64_t half = x->shape[axis] / 2;
  const mlpl_value at[2][3] = {
      {{.i = axis}, {.i = 0}, {.i = half}}, {{.i = axis}, {.i = half}, {.i = half}}};
  const mlpl_value to[2][3] = {{{.i = axis}, {.i = 0}, {.i = 2 * half}},
      {{.i = axis}, {.i = half}, {.i = 2 * half}}};
  mlpl_tensor *a = mlpli_x1(&e, MLPLI_OP_NARROW, x, at[0]);
  mlpl_tensor *s = mlpli_x1(
      &e, MLPLI_OP_SIGMOID, mlpli_x1(&e, MLPLI_OP_NARROW, x, at[1]), NULL);
  mlpl_tensor *da = mlpli_xmul(&e, g, s);
  mlpl_tensor *db = mlpli_xmul(&e, mlpli_xmul(&e, da, a), mlpli_xaffine(&e, s, -1, 1));
  mlpli_xgive(&e, n, 0,
      mlpli_xadd(&e, mlpli_x1(&e, MLPLI_OP_PLACE, da, to[0]),
          mlpli_x1(&e, MLPLI_OP_PLACE, db, to[1])));
  return mlpli_expr_end(&e);
}

/* ---- rows -------------------------------------------------------------------------- */

static const char *const gelu_choices[] = {"none", "tanh", NULL};
static const mlpl_param gelu_params[] = {
    MLPLI_CHOICE_OPTION("approximate", gelu_choices)};
static const mlpl_param softplus_params[] = {
    MLPLI_REAL_OPTION("beta", 1, -INFINITY, INFINITY),
    MLPLI_REAL_OPTION("threshold", 20, -INFINITY, INFINITY)};
static const mlpl_param hardtanh_params[] = {
    MLPLI_ELEMENT_OPTION("min_val", -1), MLPLI_ELEMENT_OPTION("max_val", 1)};
static const mlpl_param celu_params[] = {
    MLPLI_REAL_OPTION("alpha", 1, -INFINITY, INFINITY)};
static const mlpl_param shrink_params[] = {MLPLI_REAL_OPTION("lambd", 0.5, 0, 1e300)};
static const mlpl_param threshold_params[] = {
    MLPLI_ELEMENT_NEEDED("threshold"), MLPLI_ELEMENT_NEEDED("value")};
static const mlpl_param glu_params[] = {MLPLI_AXIS_OPTION("dim", -1)};

#define ROW(name, in, saved)                                                             \
  { MAP_ROW(name, in, saved), HAS_BACKWARD(name) }
#define ROW_WITH(name, in, saved, params)                                                \
  { MAP_ROW(name, in, saved), HAS_BACKWARD(name), PARAMS(params) }

const mlpl_op mlpli_op_gelu = ROW_WITH(gelu, MLPLI_REAL, 1, gelu_params);
const mlpl_op mlpli_op_silu = ROW(silu, MLPLI_REAL, 1);
const mlpl_op mlpli_op_mish = ROW(mish, MLPLI_REAL, 1);
const mlpl_op mlpli_op_softplus = ROW_WITH(softplus, MLPLI_REAL, 1, softplus_params);
const mlpl_op mlpli_op_softsign = {
    MAP_ROW(softsign, MLPLI_SMOOTH, 1), HAS_BACKWARD(softsign), .computes = MLPLI_REALS};
const mlpl_op mlpli_op_hardtanh = {UNARY_ROW(hardtanh, MLPLI_REAL, shape_hardtanh),
    .saves = 1, HAS_BACKWARD(hardtanh), PARAMS(hardtanh_params),
    .computes = MLPLI_NUMBERS, .places_options = true};
const mlpl_op mlpli_op_relu6 = {
    MAP_ROW(relu6, MLPLI_SMOOTH, 1), HAS_BACKWARD(relu6), .computes = MLPLI_NUMBERS};
const mlpl_op mlpli_op_hardsigmoid = ROW(hardsigmoid, MLPLI_REAL, 1);
const mlpl_op mlpli_op_hardswish = ROW(hardswish, MLPLI_REAL, 1);
const mlpl_op mlpli_op_selu = ROW(selu, MLPLI_SMOOTH, MLPLI_SAVE_OUT);
const mlpl_op mlpli_op_celu = ROW_WITH(celu, MLPLI_SMOOTH, MLPLI_SAVE_OUT, celu_params);
const mlpl_op mlpli_op_logsigmoid = ROW(logsigmoid, MLPLI_REAL, 1);
const mlpl_op mlpli_op_tanhshrink = {MAP_ROW(tanhshrink, MLPLI_REAL, 1),
    HAS_BACKWARD(tanhshrink), .computes = MLPLI_REALS};
const mlpl_op mlpli_op_softshrink = {MAP_ROW(softshrink, MLPLI_REAL, 1),
    .backward = shrink_backward, PARAMS(shrink_params)};
const mlpl_op mlpli_op_hardshrink = {MAP_ROW(hardshrink, MLPLI_REAL, 1),
    .backward = shrink_backward, PARAMS(shrink_params)};
const mlpl_op mlpli_op_threshold = {MAP_ROW(threshold, MLPLI_REAL, 1),
    HAS_BACKWARD(threshold), PARAMS(threshold_params), .places_options = true};
const mlpl_op mlpli_op_prelu = {.name = "prelu",
    .input_name = {"input", "weight"},
    .domain = {MLPLI_SMOOTH, MLPLI_REAL},
    .n_inputs = 2,
    .n_required = 2,
    .n_outputs = 1,
    .saves = 3,
    .differentiable = 3,
    .numbers = 2,
    .shape = shape_prelu,
    .forward = prelu_forward,
    HAS_BACKWARD(prelu)};
const mlpl_op mlpli_op_step = {
    MAP_ROW(step, MLPLI_SMOOTH, 0), .backward = mlpli_flat_backward};
const mlpl_op mlpli_op_glu = {UNARY_ROW(glu, MLPLI_REAL, shape_glu), .saves = 1,
    HAS_BACKWARD(glu), PARAMS(glu_params)};
