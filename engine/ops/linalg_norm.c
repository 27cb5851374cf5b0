/* Norms of vectors and matrices, and condition numbers. */
#include "ops/linalg.h"

#include "grad/grad.h"

#include <string.h>

/* ---- p-norms of rows [... k] ------------------------------------------------------- */

static SHAPE(row_norm) {
  (void)cx;
  s->ndim = c->in[0]->ndim - 1;
  memcpy(s->size, c->in[0]->shape, sizeof s->size);
  return MLPL_OK;
}

/* Divided by the largest first, so that powers neither overflow nor vanish. */
static double norm_of(const mlpl_tensor *x, int64_t row, int64_t k, double p) {
  const char *at = x->data + row * k * mlpli_dtype_size[x->dtype];
  const size_t bytes = mlpli_dtype_size[x->dtype];
  double most = 0, least = k ? INFINITY : 0, sum = 0;
  for (int64_t j = 0; j < k; j++) {
    const double v = fabs(mlpli_load(at + (size_t)j * bytes, x->dtype));
    if (isnan(v)) return v;
    most = fmax(most, v);
    least = fmin(least, v);
    sum += p == 0 ? v != 0 : v;
  }
  if (p == 0 || p == 1) return sum;
  if (isinf(p)) return p > 0 ? most : least;
  const double unit = p > 0 ? most : least;
  if (unit == 0 || isinf(unit)) return unit;
  sum = 0;
  for (int64_t j = 0; j < k; j++) {
    const double v = fabs(mlpli_load(at + (size_t)j * bytes, x->dtype)) / unit;
    sum += p == 2 ? v * v : pow(v, p);
  }
  return unit * (p == 2 ? sqrt(sum) : pow(sum, 1 / p));
}

static FORWARD(row_norm) {
  mlpl_tensor *x;
  MLPL_TRY(mlpli_tensor_contiguous(cx, &x, c->in[0]));
  const int64_t k = x->shape[x->ndim - 1];
  for (int64_t i = 0; i < (*out)->numel; i++)
    mlpli_store((*out)->data + i * mlpli_dtype_size[x->dtype], x->dtype,
        norm_of(x, i, k, c->p[0].f));
  mlpl_tensor_release(x);
  return MLPL_OK;
}

/* A constant [... k]: 1 / (how many are as large) where |x| is the norm, else 0. */
static mlpl_tensor *share_of_extremes(mlpli_expr *e, mlpl_tensor *x, mlpl_tensor *y) {
  mlpl_tensor *share, *flat;
  if (!x || !y || e->status != MLPL_OK) return NULL;
  e->status = mlpli_tensor_contiguous(e->cx, &flat, x);
  if (e->status != MLPL_OK || !mlpli_xkeep(e, flat)) return NULL;
  e->status = mlpli_tensor_like(e->cx, &share, x);
  if (e->status != MLPL_OK || !mlpli_xkeep(e, share)) return NULL;
  const int64_t k = x->shape[x->ndim - 1], bytes = mlpli_dtype_size[x->dtype];
  for (int64_t i = 0; i < (k ? x->numel / k : 0); i++) {
    const double norm = mlpli_load(y->data + i * bytes, x->dtype);
    int64_t n = 0;
    for (int64_t j = i * k; j < (i + 1) * k; j++)
      n += fabs(mlpli_load(flat->data + j * bytes, x->dtype)) == norm;
    for (int64_t j = i * k; j < (i + 1) * k; j++)
      mlpli_store(share->data + j * bytes, x->dtype,
          fabs(mlpli_load(flat->data + j * bytes, x->dtype)) == norm ? 1.0 / (double)n
                                                                     : 0);
  }
  return share;
}

/* sign(x) (|x| / y)^(p - 1) g; 0 where y is 0, as in PyTorch, and a second derivative is
   NaN there. */
static BACKWARD(row_norm) {
  mlpli_expr e = {.cx = cx};
  const double p = n->p[0].f;
  mlpl_tensor *x = n->in[0], *y = mlpli_xout(&e, n), *zero = NULL;
  mlpl_tensor *gk = mlpli_xreshaped(&e, g, 0, 1, 1, 0);
  mlpl_tensor *sign = mlpli_x1(&e, MLPLI_OP_SIGN, x, NULL), *slope = sign;
  if (p == 0)
    slope = mlpli_xaffine(&e, sign, 0, 0);
  else if (isinf(p))
    slope = mlpli_xmul(&e, sign, share_of_extremes(&e, x, n->out));
  else if (p != 1) {
    mlpl_tensor *ratio = mlpli_xdiv(&e, x, mlpli_xreshaped(&e, y, 0, 1, 1, 0));
    zero = mlpli_xzeros(&e, n->out);
    if (zero) zero = mlpli_xreshaped(&e, zero, 0, 1, 1, 0);
    if (p == 2)
      slope = ratio;
    else {
      mlpl_tensor *power = NULL;
      if (e.status == MLPL_OK)
        e.status = mlpl_tensor_full(cx, &power, (mlpl_dtype)x->dtype, 0, NULL, p - 1);
      mlpli_xkeep(&e, power);
      mlpl_tensor *size = mlpli_x1(&e, MLPLI_OP_ABS, ratio, NULL);
      slope = mlpli_xmul(&e, sign, mlpli_x2(&e, MLPLI_OP_POW, size, power, NULL));
    }
  }
  mlpli_xgive(&e, n, 0, mlpli_xmul(&e, mlpli_xzero_where(&e, zero, slope), gk));
  return mlpli_expr_end(&e);
}

static mlpl_tensor *rows_norm(mlpli_expr *e, mlpl_tensor *x, double p) {
  return mlpli_x1(e, MLPLI_OP_ROW_NORM, x, (mlpl_value[]){{.f = p}});
}

/* ---- vector_norm: ord, dim, keepdim ------------------------------------------------ */

static mlpl_status empty_extreme(mlpl_ctx *cx, const char *what, const mlpl_tensor *x) {
  char text[MLPLI_SHAPE_TEXT];
  return mlpl_fail(cx, MLPL_ESHAPE,
      "%s: input is %s; a norm of no elements needs an order from 0 up, and not inf",
      what, mlpli_tensor_text(text, x));
}

static COMPOSE(vector_norm) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *x = c->in[0], *y;
  const double p = c->p[0].f;
  const bool keep = c->p[2].i != 0;
  int axis = 0;
  if (c->p[1].i == MLPL_NO_AXIS || x->ndim == 0) {
    if (x->numel == 0 && (p < 0 || isinf(p))) return empty_extreme(cx, "vector_norm", x);
    mlpl_value flat = {.sizes = {1, {x->numel}}},
               ones = {.sizes = {.n = keep ? x->ndim : 0}};
    for (int d = 0; d < MLPL_MAX_RANK; d++) ones.sizes.v[d] = 1;
    y = rows_norm(&e, mlpli_x1(&e, MLPLI_OP_RESHAPE, x, &flat), p);
    return mlpli_xresult(&e, out, mlpli_x1(&e, MLPLI_OP_RESHAPE, y, &ones));
  }
  MLPL_TRY(mlpli_axis(cx, "vector_norm", c->p[1].i, x->ndim, &axis));
  if (x->shape[axis] == 0 && x->numel == 0 && (p < 0 || isinf(p)))
    return empty_extreme(cx, "vector_norm", x);
  /* the axis last, and where it was again */
  const mlpl_value swap[2] = {{.i = axis}, {.i = -1}};
  y = rows_norm(&e, mlpli_x1(&e, MLPLI_OP_TRANSPOSE, x, swap), p);
  y = mlpli_x1(&e, MLPLI_OP_TRANSPOSE, mlpli_xreshaped(&e, y, 0, 1, 1, 0), swap);
  if (!keep && y) {
    mlpl_value rest = {.sizes = {.n = 0}};
    for (int d = 0; d < x->ndim; d++)
      if (d != axis) rest.sizes.v[rest.sizes.n++] = x->shape[d];
    y = mlpli_x1(&e, MLPLI_OP_RESHAPE, y, &rest);
  }
  return mlpli_xresult(&e, out, y);
}

/* ---- matrix_norm: ord, keepdim ----------------------------------------------------- */

static mlpl_tensor *values_of(mlpli_expr *e, mlpl_tensor *a) {
  return mlpli_x1(e, MLPLI_OP_SVDVALS, a, NULL);
}

static mlpl_tensor *nth_of(mlpli_expr *e, mlpl_tensor *values, int64_t i) {
  return mlpli_x1(e, MLPLI_OP_SELECT, values, (mlpl_value[]){{.i = -1}, {.i = i}});
}

/* The largest or smallest sum of |a| over rows (axis -1) or columns (-2). */
static mlpl_tensor *extreme_sum(mlpli_expr *e, mlpl_tensor *a, int axis, double p) {
  mlpl_tensor *size = mlpli_x1(e, MLPLI_OP_ABS, a, NULL);
  mlpl_tensor *sums = mlpli_x1(
      e, MLPLI_OP_SUM, size, (mlpl_value[]){{.i = axis}, {.i = 0}});
  return rows_norm(e, sums, p);
}

/* The first of the values, which are not negative; 0 where there is none. */
static mlpl_tensor *largest(mlpli_expr *e, mlpl_tensor *values) {
  return values && values->shape[values->ndim - 1] ? nth_of(e, values, 0)
                                                   : rows_norm(e, values, INFINITY);
}

static mlpl_tensor *norm_by(mlpli_expr *e, mlpl_tensor *a, mlpli_order order) {
  switch (order) {
    case MLPLI_FRO:
      return rows_norm(
          e, mlpli_xreshaped(e, a, 2, 1, mlpli_rows(a) * mlpli_cols(a), 0), 2);
    case MLPLI_NUC: return rows_norm(e, values_of(e, a), 1);
    case MLPLI_INF: return extreme_sum(e, a, -1, INFINITY);
    case MLPLI_MINUS_INF: return extreme_sum(e, a, -1, -INFINITY);
    case MLPLI_1: return extreme_sum(e, a, -2, INFINITY);
    case MLPLI_MINUS_1: return extreme_sum(e, a, -2, -INFINITY);
    case MLPLI_2: return largest(e, values_of(e, a));
    case MLPLI_MINUS_2: return nth_of(e, values_of(e, a), -1);
  }
  return NULL;
}

static const char *const orders[] = {
    "fro", "nuc", "inf", "-inf", "1", "-1", "2", "-2", NULL};

/* The largest of no sums or values is 0, as in PyTorch; the smallest there is none. */
static mlpl_status check_smallest(mlpl_ctx *cx, const mlpl_tensor *a, mlpli_order order) {
  char text[MLPLI_SHAPE_TEXT];
  const int64_t n = order == MLPLI_MINUS_INF ? mlpli_rows(a)
      : order == MLPLI_MINUS_1               ? mlpli_cols(a)
      : order == MLPLI_MINUS_2               ? mlpli_rows(a) * mlpli_cols(a)
                                             : 1;
  if (n) return MLPL_OK;
  return mlpl_fail(cx, MLPL_ESHAPE,
      "matrix_norm: input is %s; order %s has no smallest to choose",
      mlpli_tensor_text(text, a), orders[order]);
}

static COMPOSE(matrix_norm) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *a = c->in[0];
  const mlpli_order order = (mlpli_order)c->p[0].i;
  MLPL_TRY(mlpli_check_matrix(cx, "matrix_norm", "input", a));
  MLPL_TRY(check_smallest(cx, a, order));
  mlpl_tensor *y = norm_by(&e, a, order);
  if (c->p[1].i) y = mlpli_xreshaped(&e, y, 0, 2, 1, 1);
  return mlpli_xresult(&e, out, y);
}

/* ---- cond -------------------------------------------------------------------------- */

/* y with inf where 0 was multiplied by infinity: a matrix of zeros has no inverse. */
static mlpl_tensor *zero_by_inf(mlpli_expr *e, mlpl_tensor *size, mlpl_tensor *y) {
  const mlpl_value inf = {.f = INFINITY};
  mlpl_tensor *zero = mlpli_x2(e, MLPLI_OP_EQ, size, mlpli_xnumber(e, size, 0), NULL);
  mlpl_tensor *lost = y ? mlpli_x1(e, MLPLI_OP_ISNAN, y, NULL) : NULL;
  return mlpli_x2(e, MLPLI_OP_MASKED_FILL, y,
      mlpli_x2(e, MLPLI_OP_LOGICAL_AND, zero, lost, NULL), &inf);
}

/* The quotient of the extreme singular values, or the norm of A times that of its
   inverse; of nothing 0. */
static COMPOSE(cond) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *a = c->in[0], *y;
  const mlpli_order order = (mlpli_order)c->p[0].i;
  const bool by_values = order == MLPLI_2 || order == MLPLI_MINUS_2;
  if (by_values)
    MLPL_TRY(mlpli_check_matrix(cx, "cond", "input", a));
  else
    MLPL_TRY(mlpli_check_square(cx, "cond", "input", a));
  if (mlpli_rows(a) == 0 || mlpli_cols(a) == 0)
    y = norm_by(&e, a, MLPLI_FRO); /* 0, as in PyTorch */
  else if (by_values) {
    mlpl_tensor *values = values_of(&e, a);
    mlpl_tensor *first = nth_of(&e, values, 0), *last = nth_of(&e, values, -1);
    y = order == MLPLI_2 ? mlpli_xdiv(&e, first, last) : mlpli_xdiv(&e, last, first);
  }
  else {
    const mlpli_op_id inv = mlpli_is_tracked(cx, c) ? MLPLI_OP_INV : MLPLI_OP_INV_OR_INF;
    mlpl_tensor *x = mlpli_x1(&e, inv, a, NULL), *size = norm_by(&e, a, order);
    y = mlpli_xmul(&e, size, norm_by(&e, x, order));
    if (inv == MLPLI_OP_INV_OR_INF && order != MLPLI_NUC) y = zero_by_inf(&e, size, y);
  }
  return mlpli_xresult(&e, out, y);
}

/* ---- rows -------------------------------------------------------------------------- */

static const mlpl_param row_params[] = {MLPLI_REAL_OPTION("ord", 2, -INFINITY, INFINITY)};
static const mlpl_param vector_params[] = {
    MLPLI_REAL_OPTION("ord", 2, -INFINITY, INFINITY), MLPLI_AXIS_OPTION("dim", NAN),
    MLPLI_BOOL_OPTION("keepdim", 0)};
static const mlpl_param matrix_params[] = {
    MLPLI_CHOICE_OPTION("ord", orders), MLPLI_BOOL_OPTION("keepdim", 0)};
static const mlpl_param cond_params[] = {
    {"p", MLPL_PARAM_CHOICE, MLPL_OPTIONAL, MLPLI_2, 0, 0, orders, 0}};

const mlpl_op mlpli_op_row_norm = {LINALG_ROW(row_norm, MLPLI_SMOOTH),
    .saves = 1 | MLPLI_SAVE_OUT, .shape = shape_row_norm, .forward = row_norm_forward,
    HAS_BACKWARD(row_norm), PARAMS(row_params), .internal = true};
const mlpl_op mlpli_op_vector_norm = {LINALG_ROW(vector_norm, MLPLI_SMOOTH),
    .compose = vector_norm_compose, PARAMS(vector_params)};
const mlpl_op mlpli_op_matrix_norm = {LINALG_ROW(matrix_norm, MLPLI_REGULAR),
    .compose = matrix_norm_compose, PARAMS(matrix_params)};
const mlpl_op mlpli_op_cond = {
    LINALG_ROW(cond, MLPLI_REGULAR), .compose = cond_compose, PARAMS(cond_params)};
