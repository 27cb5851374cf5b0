/* Element-wise functions: circular, hyperbolic, exponential, error and gamma functions,
   rounding, and those of two numbers. */
#include "ops/rows.h"

#include "grad/grad.h"

#include <math.h>
#include <string.h>

#define PI 3.14159265358979323846
#define TWO_OVER_ROOT_PI 1.12837916709551257390
#define LN_2 0.69314718055994530942
#define LN_10 2.30258509299404568402

/* ---- forward passes ---------------------------------------------------------------- */

#define MAP(name, kind)                                                                  \
  static FORWARD(name) {                                                                 \
    (void)cx;                                                                            \
    mlpli_map(kind, *out, c->in[0], c->n > 1 ? c->in[1] : NULL, 0);                      \
    return MLPL_OK;                                                                      \
  }

MAP(sin, MLPLK_SIN)
MAP(cos, MLPLK_COS)
MAP(tan, MLPLK_TAN)
MAP(asin, MLPLK_ASIN)
MAP(acos, MLPLK_ACOS)
MAP(atan, MLPLK_ATAN)
MAP(atan2, MLPLK_ATAN2)
MAP(sinh, MLPLK_SINH)
MAP(cosh, MLPLK_COSH)
MAP(asinh, MLPLK_ASINH)
MAP(acosh, MLPLK_ACOSH)
MAP(atanh, MLPLK_ATANH)
MAP(sinc, MLPLK_SINC)
MAP(exp2, MLPLK_EXP2)
MAP(expm1, MLPLK_EXPM1)
MAP(log2, MLPLK_LOG2)
MAP(log10, MLPLK_LOG10)
MAP(log1p, MLPLK_LOG1P)
MAP(rsqrt, MLPLK_RSQRT)
MAP(reciprocal, MLPLK_RECIPROCAL)
MAP(erf, MLPLK_ERF)
MAP(erfc, MLPLK_ERFC)
MAP(erfinv, MLPLK_ERFINV)
MAP(lgamma, MLPLK_LGAMMA)
MAP(digamma, MLPLK_DIGAMMA)
MAP(frac, MLPLK_FRAC)
MAP(hypot, MLPLK_HYPOT)
MAP(logaddexp, MLPLK_LOGADDEXP)
MAP(xlogy, MLPLK_XLOGY)
MAP(heaviside, MLPLK_HEAVISIDE)
MAP(copysign, MLPLK_COPYSIGN)

/* Whole numbers are what they are rounded to. */
#define ROUNDING(name, kind)                                                             \
  static FORWARD(name) {                                                                 \
    (void)cx;                                                                            \
    if (mlpli_is_real(*out))                                                             \
      mlpli_map(kind, *out, c->in[0], NULL, 0);                                          \
    else                                                                                 \
      mlpli_copy(*out, c->in[0]);                                                        \
    return MLPL_OK;                                                                      \
  }

ROUNDING(floor, MLPLK_FLOOR)
ROUNDING(ceil, MLPLK_CEIL)
ROUNDING(trunc, MLPLK_TRUNC)

/* By way of a product with a power of 10 and a quotient, as PyTorch has it. A number whose
   product overflows has no digits so far behind the point: it stays. */
static mlpl_status round_behind(
    mlpl_ctx *cx, mlpl_tensor *out, mlpl_tensor *x, const mlpl_tensor *power) {
  mlpl_tensor *work, *over;
  MLPL_TRY(mlpli_tensor_like(cx, &work, x));
  mlpli_map(MLPLK_MUL, work, x, power, 0);
  mlpli_map(MLPLK_ROUND, work, work, NULL, 0);
  mlpli_map(MLPLK_DIV, work, work, power, 0);
  mlpl_status status = mlpli_tensor_make(cx, &over, MLPL_BOOL, x->ndim, x->shape);
  if (status == MLPL_OK) {
    mlpli_logic(MLPLK_ISINF, over, work, NULL);
    mlpli_choose(out, over, x, work);
    mlpl_tensor_release(over);
  }
  mlpl_tensor_release(work);
  return status;
}

static void round_before(
    mlpl_tensor *out, const mlpl_tensor *x, const mlpl_tensor *power) {
  mlpli_map(MLPLK_DIV, out, x, power, 0);
  mlpli_map(MLPLK_ROUND, out, out, NULL, 0);
  mlpli_map(MLPLK_MUL, out, out, power, 0);
}

/* To decimals behind the point, or before it where they are negative. Where the power alone
   is more than the dtype holds, all digits are kept, or none. */
static mlpl_status round_at(
    mlpl_ctx *cx, mlpl_tensor *out, mlpl_tensor *x, int decimals) {
  const double power = pow(10, decimals < 0 ? -decimals : decimals);
  mlpli_number number;
  const mlpl_tensor *p = mlpli_number_like(&number, out, power);
  const bool holds = isfinite(out->dtype == MLPL_F64 ? power : (float)power);
  if (holds && decimals > 0) return round_behind(cx, out, x, p);
  if (holds)
    round_before(out, x, p);
  else if (decimals > 0)
    mlpli_copy(out, x);
  else
    mlpli_map(MLPLK_SCALE, out, x, NULL, 0);
  return MLPL_OK;
}

static FORWARD(round) {
  const int decimals = c->p ? (int)c->p[0].i : 0;
  const bool real = mlpli_is_real(*out);
  if (decimals < 0 && !real)
    return mlpl_fail(cx, MLPL_EARG,
        "round: decimals is %d; whole numbers (%s) are rounded behind the point only "
        "(f32 and f64 before it, too)",
        decimals, mlpl_dtype_name((mlpl_dtype)(*out)->dtype));
  if (!real)
    mlpli_copy(*out, c->in[0]);
  else if (decimals)
    return round_at(cx, *out, c->in[0], decimals);
  else
    mlpli_map(MLPLK_ROUND, *out, c->in[0], NULL, 0);
  return MLPL_OK;
}

static FORWARD(square) {
  (void)cx;
  const mlpl_tensor *x = c->in[0];
  if (mlpli_is_real(*out))
    mlpli_map(MLPLK_SQUARE, *out, x, NULL, 0);
  else if (x->dtype == MLPL_BOOL) /* 0 and 1 are their own squares */
    mlpli_copy(*out, x);
  else
    mlpli_map(MLPLK_MUL, *out, x, x, 0);
  return MLPL_OK;
}

/* Truth values count as whole numbers. */
static int dtype_of_square(const mlpli_call *c) {
  return c->in[0]->dtype == MLPL_BOOL ? MLPL_I64 : c->in[0]->dtype;
}

static FORWARD(polygamma) {
  (void)cx;
  mlpli_map(MLPLK_POLYGAMMA, *out, c->in[0], NULL, (double)c->p[0].i);
  return MLPL_OK;
}

/* Derivative n of sinc. */
static FORWARD(sinc_slope) {
  mlpl_tensor *y = *out;
  (void)cx;
  mlpli_copy(y, c->in[0]);
  for (int64_t i = 0; i < y->numel; i++) {
    char *at = y->data + (size_t)i * mlpli_dtype_size[y->dtype];
    const double x = mlpli_load(at, y->dtype);
    mlpli_store(at, y->dtype, mlplk_sinc_slope((int)c->p[0].i, x));
  }
  return MLPL_OK;
}

static FORWARD(deg2rad) {
  (void)cx;
  mlpli_map(MLPLK_SCALE, *out, c->in[0], NULL, PI / 180);
  return MLPL_OK;
}

static FORWARD(rad2deg) {
  (void)cx;
  mlpli_map(MLPLK_SCALE, *out, c->in[0], NULL, 180 / PI);
  return MLPL_OK;
}

/* ---- backward passes: g times the derivative, from the input x or the output y ----- */

#define X n->in[0]
#define OP1(id, a) mlpli_x1(&e, MLPLI_OP_##id, a, NULL)

/* derivative: an expression in e, n and y, the output where the row saves it */
#define TIMES(name, derivative)                                                          \
  static BACKWARD(name) {                                                                \
    mlpli_expr e = {.cx = cx};                                                           \
    mlpli_xgive(&e, n, 0, mlpli_xmul(&e, g, derivative));                                \
    return mlpli_expr_end(&e);                                                           \
  }
/* g / divisor */
#define OVER(name, divisor)                                                              \
  static BACKWARD(name) {                                                                \
    mlpli_expr e = {.cx = cx};                                                           \
    mlpli_xgive(&e, n, 0, mlpli_xdiv(&e, g, divisor));                                   \
    return mlpli_expr_end(&e);                                                           \
  }

/* (1 - x) (1 + x), which keeps its digits near -1 and 1 */
static mlpl_tensor *one_minus_square(mlpli_expr *e, mlpl_tensor *x) {
  return mlpli_xmul(e, mlpli_xaffine(e, x, -1, 1), mlpli_xaffine(e, x, 1, 1));
}
static mlpl_tensor *square_minus_one(mlpli_expr *e, mlpl_tensor *x) {
  return mlpli_xmul(e, mlpli_xaffine(e, x, 1, -1), mlpli_xaffine(e, x, 1, 1));
}
static mlpl_tensor *square_plus_one(mlpli_expr *e, mlpl_tensor *x) {
  return mlpli_xaffine(e, mlpli_x1(e, MLPLI_OP_SQUARE, x, NULL), 1, 1);
}
/* scale e^(sign x^2) */
static mlpl_tensor *bell(mlpli_expr *e, mlpl_tensor *x, double sign, double scale) {
  mlpl_tensor *z = mlpli_xaffine(e, mlpli_x1(e, MLPLI_OP_SQUARE, x, NULL), sign, 0);
  return mlpli_xaffine(e, mlpli_x1(e, MLPLI_OP_EXP, z, NULL), scale, 0);
}
/* 1 where x is 0, else 0; a constant */
static mlpl_tensor *is_zero(mlpli_expr *e, mlpl_tensor *x) {
  mlpl_tensor *sign = mlpli_x1(e, MLPLI_OP_SIGN, x, NULL);
  return mlpli_xaffine(e, mlpli_x1(e, MLPLI_OP_ABS, sign, NULL), -1, 1);
}
static mlpl_tensor *polygamma(mlpli_expr *e, mlpl_tensor *x, int64_t n) {
  return mlpli_x1(e, MLPLI_OP_POLYGAMMA, x, &(mlpl_value){.i = n});
}
static mlpl_tensor *sinc_slope(mlpli_expr *e, mlpl_tensor *x, int64_t n) {
  if (n > MLPLK_MOST_SINC_SLOPE && e->status == MLPL_OK)
    e->status = mlpl_fail(e->cx, MLPL_EARG,
        "sinc: has no derivative of order %lld; the last is of order %d", (long long)n,
        MLPLK_MOST_SINC_SLOPE);
  return mlpli_x1(e, MLPLI_OP_SINC_SLOPE, x, &(mlpl_value){.i = n});
}

TIMES(sin, OP1(COS, X))
TIMES(cos, OP1(NEG, OP1(SIN, X)))
TIMES(tan, square_plus_one(&e, mlpli_xout(&e, n)))
TIMES(asin, OP1(RSQRT, one_minus_square(&e, X)))
TIMES(acos, OP1(NEG, OP1(RSQRT, one_minus_square(&e, X))))
OVER(atan, square_plus_one(&e, X))
TIMES(sinh, OP1(COSH, X))
TIMES(cosh, OP1(SINH, X))
TIMES(asinh, OP1(RSQRT, square_plus_one(&e, X)))
TIMES(acosh, OP1(RSQRT, square_minus_one(&e, X)))
OVER(atanh, one_minus_square(&e, X))
TIMES(exp2, mlpli_xaffine(&e, mlpli_xout(&e, n), LN_2, 0))
TIMES(expm1, mlpli_xaffine(&e, mlpli_xout(&e, n), 1, 1))
OVER(log2, mlpli_xaffine(&e, X, LN_2, 0))
OVER(log10, mlpli_xaffine(&e, X, LN_10, 0))
OVER(log1p, mlpli_xaffine(&e, X, 1, 1))
TIMES(square, mlpli_xaffine(&e, X, 2, 0))
TIMES(reciprocal, OP1(NEG, OP1(SQUARE, mlpli_xout(&e, n))))
TIMES(erf, bell(&e, X, -1, TWO_OVER_ROOT_PI))
TIMES(erfc, bell(&e, X, -1, -TWO_OVER_ROOT_PI))
TIMES(erfinv, bell(&e, mlpli_xout(&e, n), 1, 1 / TWO_OVER_ROOT_PI))
TIMES(lgamma, OP1(DIGAMMA, X))
TIMES(digamma, polygamma(&e, X, 1))
TIMES(polygamma, polygamma(&e, X, n->p[0].i + 1))
TIMES(sinc, sinc_slope(&e, X, 1))
TIMES(sinc_slope, sinc_slope(&e, X, n->p[0].i + 1))

/* -y^3 / 2 */
static BACKWARD(rsqrt) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *y = mlpli_xout(&e, n), *cube = mlpli_xmul(&e, OP1(SQUARE, y), y);
  mlpli_xgive(&e, n, 0, mlpli_xmul(&e, g, mlpli_xaffine(&e, cube, -0.5, 0)));
  return mlpli_expr_end(&e);
}

static BACKWARD(deg2rad) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(&e, n, 0, mlpli_xaffine(&e, g, PI / 180, 0));
  return mlpli_expr_end(&e);
}

static BACKWARD(rad2deg) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(&e, n, 0, mlpli_xaffine(&e, g, 180 / PI, 0));
  return mlpli_expr_end(&e);
}

static BACKWARD(frac) { return mlpli_give(cx, n, 0, g); }

/* 0, whatever g is, and still a function of g in the graph of a recorded pass */
static mlpl_tensor *flat(mlpli_expr *e, mlpl_tensor *g) {
  return mlpli_xgate(e, MLPLK_GATE_ABOVE, g, mlpli_xnumber(e, g, 0), 0);
}

mlpl_status mlpli_flat_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(&e, n, 0, flat(&e, g));
  return mlpli_expr_end(&e);
}

/* ---- of two numbers ---------------------------------------------------------------- */

/* da = g b / (a^2 + b^2), db = -g a / (a^2 + b^2); 0 where both are 0 */
static BACKWARD(atan2) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *a = n->in[0], *b = n->in[1];
  mlpl_tensor *sum = mlpli_xadd(&e, OP1(SQUARE, a), OP1(SQUARE, b));
  mlpl_tensor *part = mlpli_xdiv(&e, g, mlpli_xadd(&e, sum, is_zero(&e, sum)));
  if (mlpli_wants(n, 0)) mlpli_xgive(&e, n, 0, mlpli_xmul(&e, part, b));
  if (mlpli_wants(n, 1)) mlpli_xgive(&e, n, 1, OP1(NEG, mlpli_xmul(&e, part, a)));
  return mlpli_expr_end(&e);
}

/* da = g a / y, db = g b / y */
static BACKWARD(hypot) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *y = mlpli_xout(&e, n);
  for (int i = 0; i < 2; i++)
    if (mlpli_wants(n, i))
      mlpli_xgive(&e, n, i, mlpli_xmul(&e, g, mlpli_xdiv(&e, n->in[i], y)));
  return mlpli_expr_end(&e);
}

/* da = g e^a / (e^a + e^b) = g sigmoid(a - b), and db with a and b exchanged */
static BACKWARD(logaddexp) {
  mlpli_expr e = {.cx = cx};
  for (int i = 0; i < 2; i++)
    if (mlpli_wants(n, i)) {
      mlpl_tensor *share = OP1(SIGMOID, mlpli_xsub(&e, n->in[i], n->in[1 - i]));
      mlpli_xgive(&e, n, i, mlpli_xmul(&e, g, share));
    }
  return mlpli_expr_end(&e);
}

/* da = g log b, 0 where a is 0 and b <= 0; db = g a / b */
static BACKWARD(xlogy) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *a = n->in[0], *b = n->in[1];
  if (mlpli_wants(n, 0)) {
    mlpl_value whole = {.sizes = {.n = g->ndim}};
    memcpy(whole.sizes.v, g->shape, sizeof whole.sizes.v);
    mlpl_tensor *stretched = mlpli_x1(&e, MLPLI_OP_EXPAND, a, &whole);
    mlpl_tensor *mask = mlpli_xmap(&e, MLPLK_XLOGY_OFF, stretched, b, 0);
    mlpl_tensor *slope = mlpli_x2(&e, MLPLI_OP_XLOGY, g, b, NULL);
    mlpli_xgive(&e, n, 0, mlpli_xgate(&e, MLPLK_GATE_ABOVE, slope, mask, 0));
  }
  if (mlpli_wants(n, 1)) mlpli_xgive(&e, n, 1, mlpli_xmul(&e, g, mlpli_xdiv(&e, a, b)));
  return mlpli_expr_end(&e);
}

/* da = g where a keeps its sign, -g where it changes it, 0 at 0; db = 0 */
static BACKWARD(copysign) {
  mlpli_expr e = {.cx = cx};
  if (mlpli_wants(n, 0)) {
    mlpl_tensor *turn = mlpli_xmul(&e, OP1(SIGN, n->in[0]), OP1(SIGN, n->out));
    mlpli_xgive(&e, n, 0, mlpli_xmul(&e, g, turn));
  }
  if (mlpli_wants(n, 1)) mlpli_xgive(&e, n, 1, flat(&e, g));
  return mlpli_expr_end(&e);
}

/* ---- composed of the others -------------------------------------------------------- */

static COMPOSE(logaddexp2) {
  mlpli_expr e = {.cx = cx};
  mlpli_shape s;
  MLPL_TRY(mlpli_broadcast(cx, "logaddexp2", c->in[0], c->in[1], &s));
  mlpl_tensor *y = mlpli_x2(&e, MLPLI_OP_LOGADDEXP, mlpli_xaffine(&e, c->in[0], LN_2, 0),
      mlpli_xaffine(&e, c->in[1], LN_2, 0), NULL);
  return mlpli_xresult(&e, out, mlpli_xaffine(&e, y, 1 / LN_2, 0));
}

/* log(x / (1 - x)), of x kept between eps and 1 - eps where eps is 0 or more */
static COMPOSE(logit) {
  mlpli_expr e = {.cx = cx};
  const double eps = c->p[0].f;
  const mlpl_value inside[2] = {{.f = eps}, {.f = 1 - eps}};
  mlpl_tensor *x = c->in[0];
  if (eps >= 0) x = mlpli_x1(&e, MLPLI_OP_CLAMP, x, inside);
  mlpl_tensor *rest = mlpli_x1(&e, MLPLI_OP_LOG1P, OP1(NEG, x), NULL);
  return mlpli_xresult(&e, out, mlpli_xsub(&e, x ? OP1(LOG, x) : NULL, rest));
}

/* a^b in f64, whatever the operands are */
static COMPOSE(float_power) {
  mlpli_expr e = {.cx = cx};
  const mlpl_value wide = {.i = MLPL_F64};
  mlpli_shape s;
  MLPL_TRY(mlpli_broadcast(cx, "float_power", c->in[0], c->in[1], &s));
  mlpl_tensor *a = mlpli_x1(&e, MLPLI_OP_TO, c->in[0], &wide),
              *b = mlpli_x1(&e, MLPLI_OP_TO, c->in[1], &wide);
  return mlpli_xresult(&e, out, mlpli_x2(&e, MLPLI_OP_POW, a, b, NULL));
}

/* The larger or smaller one; of a number and NaN the number. The gradient is that of
   maximum or minimum, and all of it goes to the number; to a where both are NaN. */
static mlpl_status but_nan(
    mlpl_ctx *cx, const mlpli_call *c, mlpl_tensor **out, mlpli_op_id extreme) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *a = c->in[0], *b = c->in[1];
  mlpli_shape s;
  MLPL_TRY(mlpli_broadcast(cx, c->op->name, a, b, &s));
  mlpl_tensor *y = mlpli_x2(&e, extreme, a, b, NULL);
  if (mlpli_is_real(a)) {
    y = mlpli_x3(&e, MLPLI_OP_WHERE, mlpli_x1(&e, MLPLI_OP_ISNAN, a, NULL), b, y, NULL);
    y = mlpli_x3(&e, MLPLI_OP_WHERE, mlpli_x1(&e, MLPLI_OP_ISNAN, b, NULL), a, y, NULL);
  }
  return mlpli_xresult(&e, out, y);
}

static COMPOSE(fmax) { return but_nan(cx, c, out, MLPLI_OP_MAXIMUM); }
static COMPOSE(fmin) { return but_nan(cx, c, out, MLPLI_OP_MINIMUM); }

/* a 2^b, by pow, whose powers of two are exact: a third of the power three times, since
   2^b may be too large or too small where the product is neither. Beyond the bound every
   product is 0 or infinite. */
static COMPOSE(ldexp) {
  mlpli_expr e = {.cx = cx};
  mlpli_shape s;
  MLPL_TRY(mlpli_broadcast(cx, "ldexp", c->in[0], c->in[1], &s));
  const double bound = c->in[0]->dtype == MLPL_F64 ? 3 * 1022 : 3 * 126;
  const mlpl_value within[2] = {{.f = -bound}, {.f = bound}};
  mlpl_tensor *two = mlpli_xnumber(&e, c->in[0], 2);
  mlpl_tensor *b = mlpli_x1(&e, MLPLI_OP_CLAMP, c->in[1], within);
  mlpl_tensor *third = OP1(TRUNC, mlpli_xaffine(&e, b, 1.0 / 3, 0));
  mlpl_tensor *rest = mlpli_xsub(&e, b, mlpli_xaffine(&e, third, 2, 0));
  mlpl_tensor *power = mlpli_x2(&e, MLPLI_OP_POW, two, third, NULL);
  mlpl_tensor *y = mlpli_xmul(&e, mlpli_xmul(&e, c->in[0], power), power);
  return mlpli_xresult(
      &e, out, mlpli_xmul(&e, y, mlpli_x2(&e, MLPLI_OP_POW, two, rest, NULL)));
}

/* ---- rows -------------------------------------------------------------------------- */

/* of whole numbers and truth values, too, in f32 */
#define ROW(name, in, saved)                                                             \
  const mlpl_op mlpli_op_##name = {                                                      \
      MAP_ROW(name, in, saved), HAS_BACKWARD(name), .computes = MLPLI_REALS};
#define PAIR_MAP_ROW(f, a_domain, b_domain, saved)                                       \
  const mlpl_op mlpli_op_##f = {                                                         \
      BINARY_ROW(f, a_domain, b_domain, saved), .computes = MLPLI_REALS};
/* a step function: the gradient is 0 */
#define FLAT_ROW(name)                                                                   \
  const mlpl_op mlpli_op_##name = {MAP_ROW(name, MLPLI_SMOOTH, 0),                       \
      .backward = mlpli_flat_backward, .computes = MLPLI_NUMBERS};

#define OUT MLPLI_SAVE_OUT

static const mlpl_param polygamma_params[] = {
    MLPLI_INT_NEEDED("n", 0, MLPLK_MOST_POLYGAMMA)};
static const mlpl_param sinc_slope_params[] = {
    MLPLI_INT_NEEDED("n", 0, MLPLK_MOST_SINC_SLOPE)};

ROW(sin, MLPLI_REAL, 1)
ROW(cos, MLPLI_REAL, 1)
ROW(tan, MLPLI_UNIT, OUT)
ROW(asin, MLPLI_UNIT, 1)
ROW(acos, MLPLI_UNIT, 1)
ROW(atan, MLPLI_REAL, 1)
PAIR_MAP_ROW(atan2, MLPLI_NONZERO, MLPLI_NONZERO, 3)
ROW(sinh, MLPLI_REAL, 1)
ROW(cosh, MLPLI_REAL, 1)
ROW(asinh, MLPLI_REAL, 1)
ROW(acosh, MLPLI_ABOVE_1, 1)
ROW(atanh, MLPLI_UNIT, 1)
ROW(sinc, MLPLI_NONZERO, 1)
const mlpl_op mlpli_op_sinc_slope = {MAP_ROW(sinc_slope, MLPLI_REAL, 1),
    HAS_BACKWARD(sinc_slope), .internal = true, PARAMS(sinc_slope_params)};
ROW(exp2, MLPLI_REAL, OUT)
ROW(expm1, MLPLI_REAL, OUT)
ROW(log2, MLPLI_POSITIVE, 1)
ROW(log10, MLPLI_POSITIVE, 1)
ROW(log1p, MLPLI_POSITIVE, 1)
ROW(rsqrt, MLPLI_POSITIVE, OUT)
ROW(reciprocal, MLPLI_NONZERO, OUT)
const mlpl_op mlpli_op_square = {MAP_ROW(square, MLPLI_REAL, 1), HAS_BACKWARD(square),
    .computes = MLPLI_NUMBERS | MLPLI_TRUTH, .dtype = dtype_of_square,
    .underscored = true};
ROW(erf, MLPLI_REAL, 1)
ROW(erfc, MLPLI_REAL, 1)
ROW(erfinv, MLPLI_UNIT, OUT)
ROW(lgamma, MLPLI_POSITIVE, 1)
ROW(digamma, MLPLI_POSITIVE, 1)
const mlpl_op mlpli_op_polygamma = {MAP_ROW(polygamma, MLPLI_POSITIVE, 1),
    HAS_BACKWARD(polygamma), .computes = MLPLI_REALS, PARAMS(polygamma_params)};
FLAT_ROW(floor)
FLAT_ROW(ceil)
static const mlpl_param round_params[] = {MLPLI_INT_OPTION("decimals", 0, -400, 400)};
const mlpl_op mlpli_op_round = {MAP_ROW(round, MLPLI_SMOOTH, 0),
    .backward = mlpli_flat_backward, .computes = MLPLI_NUMBERS, PARAMS(round_params),
    .bare = true};
FLAT_ROW(trunc)
ROW(frac, MLPLI_SMOOTH, 0)
PAIR_MAP_ROW(hypot, MLPLI_NONZERO, MLPLI_NONZERO, 3 | MLPLI_SAVE_OUT)
PAIR_MAP_ROW(logaddexp, MLPLI_REAL, MLPLI_REAL, 3)
#define PAIR_ROW(f, a_domain, b_domain)                                                  \
  .name = #f, .input_name = {"a", "b"}, .domain = {a_domain, b_domain}, .n_inputs = 2,   \
  .n_required = 2, .n_outputs = 1, .differentiable = 3, .numbers = 3,                    \
  .compose = f##_compose
static const mlpl_param logit_params[] = {MLPLI_REAL_OPTION("eps", -1, -1, 0.5)};
const mlpl_op mlpli_op_logaddexp2 = {
    PAIR_ROW(logaddexp2, MLPLI_REAL, MLPLI_REAL), .computes = MLPLI_REALS};
const mlpl_op mlpli_op_float_power = {PAIR_ROW(float_power, MLPLI_POSITIVE, MLPLI_REAL),
    .computes = MLPLI_REALS, .underscored = true};
const mlpl_op mlpli_op_ldexp = {PAIR_ROW(ldexp, MLPLI_REAL, MLPLI_REAL),
    .computes = MLPLI_REALS, .underscored = true};
const mlpl_op mlpli_op_fmax = {PAIR_ROW(fmax, MLPLI_REAL, MLPLI_REAL),
    .computes = MLPLI_NUMBERS | MLPLI_TRUTH, .lower = 3};
const mlpl_op mlpli_op_fmin = {PAIR_ROW(fmin, MLPLI_REAL, MLPLI_REAL),
    .computes = MLPLI_NUMBERS | MLPLI_TRUTH, .upper = 3};
const mlpl_op mlpli_op_logit = {COMPOSE_ROW(logit, MLPLI_SHARE), .computes = MLPLI_REALS,
    PARAMS(logit_params), .underscored = true};
PAIR_MAP_ROW(xlogy, MLPLI_NONZERO, MLPLI_POSITIVE, 3)
/* PyTorch's heaviside has no gradient. */
const mlpl_op mlpli_op_heaviside = {.name = "heaviside",
    .input_name = {"input", "values"},
    .domain = {MLPLI_SMOOTH, MLPLI_REAL},
    .n_inputs = 2,
    .n_required = 2,
    .n_outputs = 1,
    .computes = MLPLI_NUMBERS | MLPLI_TRUTH,
    .shape = mlpli_shape_broadcast,
    .forward = heaviside_forward};
const mlpl_op mlpli_op_copysign = {.name = "copysign",
    .input_name = {"a", "b"},
    .domain = {MLPLI_NONZERO, MLPLI_NONZERO},
    .n_inputs = 2,
    .n_required = 2,
    .n_outputs = 1,
    .saves = 1 | MLPLI_SAVE_OUT,
    .differentiable = 3,
    .computes = MLPLI_REALS,
    .shape = mlpli_shape_broadcast,
    .forward = copysign_forward,
    HAS_BACKWARD(copysign)};
ROW(deg2rad, MLPLI_REAL, 0)
ROW(rad2deg, MLPLI_REAL, 0)
