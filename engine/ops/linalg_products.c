/* Chains of products, sums of powers of matrices, and systems whose factor is known:
   composed of other rows. */
#include "ops/linalg.h"

#include "grad/grad.h"
#include "ops/shape.h"

#include <string.h>

/* ---- multi_dot --------------------------------------------------------------------- */

#define LONGEST 128 /* of longer chains the best order would take longer than it saves */

/* Sizes between the factors: factor i is [size[i] x size[i + 1]]; a vector at the start is
   a row, at the end a column. */
static mlpl_status sizes_between(mlpl_ctx *cx, const mlpli_call *c, int64_t *size) {
  char text[MLPLI_SHAPE_TEXT], name[MLPLI_INPUT_TEXT];
  if (c->n < 2)
    return mlpl_fail(cx, MLPL_EARG, "multi_dot: one tensor; it takes two or more");
  for (int i = 0; i < c->n; i++) {
    const mlpl_tensor *t = c->in[i];
    const bool end = i == 0 || i == c->n - 1;
    if (t->ndim != 2 && !(end && t->ndim == 1))
      return mlpl_fail(cx, MLPL_ESHAPE, "multi_dot: %s is %s; it must be a matrix%s",
          mlpli_input_text(name, cx, c->op, i), mlpli_tensor_text(text, t),
          end ? " or a vector" : "");
    const bool row = t->ndim == 1 && i == 0;
    const int64_t rows = row ? 1 : t->shape[0],
                  cols = t->ndim == 2 ? t->shape[1]
        : row                         ? t->shape[0]
                                      : 1;
    if (i && rows != size[i])
      return mlpl_fail(cx, MLPL_ESHAPE,
          "multi_dot: %s is %s; the one before it has %lld columns",
          mlpli_input_text(name, cx, c->op, i), mlpli_tensor_text(text, t),
          (long long)size[i]);
    size[i] = rows, size[i + 1] = cols;
  }
  return MLPL_OK;
}

/* split[i * n + k]: the last factor of the left half of i to k with which the chain takes the
   fewest multiplications. */
static void best_splits(int n, const int64_t *size, double *cost, int *split) {
  for (int length = 1; length <= n; length++)
    for (int i = 0; i + length <= n; i++) {
      const int k = i + length - 1;
      double least = length == 1 ? 0 : INFINITY;
      for (int m = i; m < k; m++) {
        const double all = cost[i * n + m] + cost[(m + 1) * n + k] +
            (double)size[i] * (double)size[m + 1] * (double)size[k + 1];
        if (all < least) least = all, split[i * n + k] = m;
      }
      cost[i * n + k] = least;
    }
}

static mlpl_status product_of(mlpl_ctx *cx, const mlpli_call *c, const int *split, int i,
    int k, mlpl_tensor **out) {
  mlpl_tensor *half[2] = {NULL, NULL};
  if (i == k) {
    *out = mlpli_retain(c->in[i]);
    return MLPL_OK;
  }
  const int m = split[i * c->n + k];
  mlpl_status status = product_of(cx, c, split, i, m, &half[0]);
  if (status == MLPL_OK) status = product_of(cx, c, split, m + 1, k, &half[1]);
  if (status == MLPL_OK) status = mlpli_apply(cx, out, MLPLI_OP_MATMUL, half, 2, NULL);
  mlpl_tensor_release(half[0]);
  mlpl_tensor_release(half[1]);
  return status;
}

static mlpl_status in_best_order(
    mlpl_ctx *cx, const mlpli_call *c, const int64_t *size, mlpl_tensor **out) {
  const size_t cells = (size_t)c->n * (size_t)c->n;
  double *cost;
  int *split;
  MLPL_TRY(mlpli_new(cx, &cost, cells * sizeof *cost, "multi_dot"));
  mlpl_status status = mlpli_new(cx, &split, cells * sizeof *split, "multi_dot");
  if (status == MLPL_OK) {
    best_splits(c->n, size, cost, split);
    status = product_of(cx, c, split, 0, c->n - 1, out);
    mlpli_free(cx->heap, split);
  }
  mlpli_free(cx->heap, cost);
  return status;
}

static mlpl_status in_order(mlpl_ctx *cx, const mlpli_call *c, mlpl_tensor **out) {
  mlpl_tensor *y = mlpli_retain(c->in[0]);
  mlpl_status status = MLPL_OK;
  for (int i = 1; i < c->n && status == MLPL_OK; i++) {
    mlpl_tensor *both[2] = {y, c->in[i]};
    y = NULL;
    status = mlpli_apply(cx, &y, MLPLI_OP_MATMUL, both, 2, NULL);
    mlpl_tensor_release(both[0]);
  }
  *out = y;
  return status;
}

static COMPOSE(multi_dot) {
  int64_t *size;
  MLPL_TRY(mlpli_new(cx, &size, (size_t)(c->n + 1) * sizeof *size, "multi_dot"));
  mlpl_status status = sizes_between(cx, c, size);
  if (status == MLPL_OK)
    status = c->n > LONGEST ? in_order(cx, c, out) : in_best_order(cx, c, size, out);
  mlpli_free(cx->heap, size);
  return status;
}

/* ---- vecdot ------------------------------------------------------------------------ */

static COMPOSE(vecdot) {
  mlpli_expr e = {.cx = cx};
  mlpli_shape s;
  int axis;
  MLPL_TRY(mlpli_broadcast_inputs(cx, c, 0, 1, &s));
  MLPL_TRY(mlpli_axis(cx, "vecdot", c->p[0].i, s.ndim, &axis));
  const mlpl_value last[2] = {{.i = axis}, {.i = 0}};
  return mlpli_xresult(
      &e, out, mlpli_x1(&e, MLPLI_OP_SUM, mlpli_xmul(&e, c->in[0], c->in[1]), last));
}

/* ---- vander ------------------------------------------------------------------------ */

/* Products of more and more factors x behind a 1, so that 0^0 is 1 and has a gradient. */
static COMPOSE(vander) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *x = c->in[0], *ones = NULL;
  const mlpl_value last = {.i = -1};
  const int64_t powers = c->p[0].i >= 0 ? c->p[0].i : x->ndim ? x->shape[x->ndim - 1] : 0;
  char text[MLPLI_SHAPE_TEXT];
  if (x->ndim == 0 || x->ndim == MLPL_MAX_RANK)
    return mlpl_fail(cx, MLPL_ESHAPE,
        "vander: input is %s; it must have from 1 to %d axes", mlpli_tensor_text(text, x),
        MLPL_MAX_RANK - 1);
  mlpl_value wide = mlpli_sizes_of(x->ndim, x->shape);
  wide.sizes.v[wide.sizes.n++] = 1;
  e.status = mlpl_tensor_full(
      cx, &ones, (mlpl_dtype)x->dtype, wide.sizes.n, wide.sizes.v, 1);
  mlpli_xkeep(&e, ones);
  wide.sizes.v[x->ndim] = powers > 1 ? powers - 1 : 0;
  mlpl_tensor *factors = mlpli_x1(
      &e, MLPLI_OP_EXPAND, mlpli_x1(&e, MLPLI_OP_UNSQUEEZE, x, &last), &wide);
  mlpl_tensor *both[2] = {ones, mlpli_x1(&e, MLPLI_OP_CUMPROD, factors, &last)};
  mlpl_tensor *y = both[1] ? mlpli_xn(&e, MLPLI_OP_CAT, both, 2, &last) : NULL;
  if (powers == 0) y = mlpli_xpart(&e, y, -1, 0, 0);
  return mlpli_xresult(&e, out, y);
}

/* ---- matrix_exp -------------------------------------------------------------------- */

/* Of the largest matrix: the largest sum of |a| over a column. */
static mlpl_status largest_norm(mlpl_ctx *cx, mlpl_tensor *a, double *norm) {
  mlpli_expr e = {.cx = cx};
  const mlpl_value columns[2] = {{.i = -2}, {.i = 0}},
                   all[2] = {{.i = MLPL_NO_AXIS}, {.i = 0}};
  *norm = 0;
  if (a->numel == 0) return MLPL_OK;
  const bool was = mlpl_set_grad_enabled(cx, false);
  mlpl_tensor *sums = mlpli_x1(
      &e, MLPLI_OP_SUM, mlpli_x1(&e, MLPLI_OP_ABS, a, NULL), columns);
  mlpl_tensor *most = mlpli_x1(&e, MLPLI_OP_AMAX, sums, all);
  mlpl_set_grad_enabled(cx, was);
  if (most) *norm = mlpli_load(most->data, most->dtype);
  return mlpli_expr_end(&e);
}

/* c[0] I + c[1] A^2 + c[2] A^4 + c[3] A^6 for the coefficients c; where c[0] is 0, I is left
   out. */
static mlpl_tensor *even_powers(
    mlpli_expr *e, mlpl_tensor *const *power, const double *coefficient) {
  mlpl_tensor *sum = NULL;
  for (int i = 0; i < 4; i++) {
    if (coefficient[i] == 0) continue;
    mlpl_tensor *term = mlpli_xaffine(e, power[i], coefficient[i], 0);
    sum = sum ? mlpli_xadd(e, sum, term) : term;
  }
  return sum;
}

/* e^A for a norm up to 5.4: the quotient of two polynomials of degree 13. Source: Higham, The
   scaling and squaring method for the matrix exponential revisited (2005), whose coefficients
   are divided by the first here. */
static mlpl_tensor *small_exponential(mlpli_expr *e, mlpl_tensor *a) {
  double b[14] = {1};
  for (int i = 1; i < 14; i++) b[i] = b[i - 1] * (14 - i) / (double)(i * (27 - i));
  const double odd_high[4] = {0, b[9], b[11], b[13]}, odd[4] = {b[1], b[3], b[5], b[7]},
               even_high[4] = {0, b[8], b[10], b[12]}, even[4] = {b[0], b[2], b[4], b[6]};
  mlpl_tensor *power[4] = {
      mlpli_xidentity(e, a->dtype, mlpli_rows(a)), mlpli_xproduct(e, a, a, 0, 0)};
  power[2] = mlpli_xproduct(e, power[1], power[1], 0, 0);
  power[3] = mlpli_xproduct(e, power[2], power[1], 0, 0);
  mlpl_tensor *u = mlpli_xadd(e,
      mlpli_xproduct(e, power[3], even_powers(e, power, odd_high), 0, 0),
      even_powers(e, power, odd));
  mlpl_tensor *v = mlpli_xadd(e,
      mlpli_xproduct(e, power[3], even_powers(e, power, even_high), 0, 0),
      even_powers(e, power, even));
  u = mlpli_xproduct(e, a, u, 0, 0);
  return mlpli_xsolve(e, mlpli_xsub(e, v, u), mlpli_xadd(e, v, u));
}

/* e^A = (e^(A / 2^s))^(2^s) */
static COMPOSE(matrix_exp) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *y = NULL;
  double norm;
  int squares = 0;
  MLPL_TRY(mlpli_check_square(cx, "matrix_exp", "input", c->in[0]));
  MLPL_TRY(largest_norm(cx, c->in[0], &norm));
  if (isfinite(norm) && norm > 5.371920351148152)
    frexp(norm / 5.371920351148152, &squares);
  MLPL_TRY(mlpli_xresult(
      &e, &y, small_exponential(&e, mlpli_xaffine(&e, c->in[0], ldexp(1, -squares), 0))));
  for (mlpl_status status; squares-- > 0;) {
    mlpl_tensor *twice[2] = {y, y};
    y = NULL;
    status = mlpli_apply(cx, &y, MLPLI_OP_MATMUL, twice, 2, NULL);
    mlpl_tensor_release(twice[0]);
    if (status != MLPL_OK) return status;
  }
  *out = y;
  return MLPL_OK;
}

/* ---- cholesky_solve, cholesky_inverse ---------------------------------------------- */

/* A X = B with A = L L^T, or U^T U: two triangles. */
static mlpl_tensor *by_factor(mlpli_expr *e, mlpl_tensor *f, mlpl_tensor *b, bool upper) {
  mlpl_tensor *turned = mlpli_xtransposed(e, f);
  mlpl_tensor *y = mlpli_xtriangular(e, upper ? turned : f, b, 0, 0);
  return mlpli_xtriangular(e, upper ? f : turned, y, 1, 0);
}

static COMPOSE(cholesky_solve) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *b = c->in[0], *f = c->in[1];
  char s1[MLPLI_SHAPE_TEXT], s2[MLPLI_SHAPE_TEXT];
  MLPL_TRY(mlpli_check_matrix(cx, "cholesky_solve", "input", b));
  MLPL_TRY(mlpli_check_square(cx, "cholesky_solve", "L", f));
  if (mlpli_rows(b) != mlpli_rows(f))
    return mlpl_fail(cx, MLPL_ESHAPE,
        "cholesky_solve: input is %s, L is %s; they must have as many rows",
        mlpli_tensor_text(s1, b), mlpli_tensor_text(s2, f));
  mlpli_xstacks(&e, "cholesky_solve", &b, &f);
  return mlpli_xresult(&e, out, by_factor(&e, f, b, c->p[0].i != 0));
}

static COMPOSE(cholesky_inverse) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *f = c->in[0];
  MLPL_TRY(mlpli_check_square(cx, "cholesky_inverse", "input", f));
  mlpl_tensor *eye = mlpli_xidentity(&e, f->dtype, mlpli_rows(f));
  mlpli_xstacks(&e, "cholesky_inverse", &eye, &f);
  return mlpli_xresult(&e, out, by_factor(&e, f, eye, c->p[0].i != 0));
}

/* ---- rows -------------------------------------------------------------------------- */

static const mlpl_param vecdot_params[] = {MLPLI_AXIS_OPTION("dim", -1)};
static const mlpl_param vander_params[] = {MLPLI_INT_OPTION("N", -1, -1, MANY)};
static const mlpl_param factor_params[] = {MLPLI_BOOL_OPTION("upper", 0)};

const mlpl_op mlpli_op_multi_dot = {.name = "multi_dot",
    .group = "linalg",
    .input_name = {"tensor"},
    .domain = {MLPLI_REAL},
    .n_inputs = 1,
    .n_required = 1,
    .n_outputs = 1,
    .differentiable = 1,
    .list = MLPLI_LIST,
    .computes = MLPLI_REALS,
    .compose = multi_dot_compose};
const mlpl_op mlpli_op_vecdot = {.name = "vecdot",
    .group = "linalg",
    .input_name = {"x", "y"},
    .domain = {MLPLI_REAL, MLPLI_REAL},
    .n_inputs = 2,
    .n_required = 2,
    .n_outputs = 1,
    .differentiable = 3,
    .compose = vecdot_compose,
    PARAMS(vecdot_params)};
const mlpl_op mlpli_op_vander = {
    LINALG_ROW(vander, MLPLI_REAL), .compose = vander_compose, PARAMS(vander_params)};
const mlpl_op mlpli_op_matrix_exp = {
    LINALG_ROW(matrix_exp, MLPLI_REAL), .compose = matrix_exp_compose};
const mlpl_op mlpli_op_cholesky_solve = {.name = "cholesky_solve",
    .input_name = {"input", "L"},
    .domain = {MLPLI_REAL, MLPLI_REGULAR},
    .n_inputs = 2,
    .n_required = 2,
    .n_outputs = 1,
    .differentiable = 3,
    .compose = cholesky_solve_compose,
    PARAMS(factor_params)};
const mlpl_op mlpli_op_cholesky_inverse = {
    COMPOSE_ROW(cholesky_inverse, MLPLI_REGULAR), PARAMS(factor_params)};
