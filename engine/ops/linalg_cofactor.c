/*
** The derivatives of a determinant, up to the third: cofactors, how they change with the
** matrix, and how that changes. In the basis of A = U S Vh they are products of singular
** values; nothing is divided, so they are right for singular matrices, and for those near
** them.
*/
#include "ops/linalg.h"

#include "grad/grad.h"

/* ---- the basis --------------------------------------------------------------------- */

typedef struct basis {
  mlpl_tensor *u, *values, *vh;
  mlpl_tensor *sign; /* det U det Vh [... 1 x 1] */
} basis;

static basis basis_of(mlpli_expr *e, mlpl_tensor *a) {
  mlpl_tensor *f[MLPLI_MAX_OUTPUTS] = {NULL}, *values = NULL;
  e->status = mlpl_call(e->cx, f, "svd", &a, 1, NULL);
  for (int i = 0; i < 3; i++) mlpli_xkeep(e, f[i]);
  mlpl_tensor *du = mlpli_x1(e, MLPLI_OP_DET, f[0], NULL),
              *dv = mlpli_x1(e, MLPLI_OP_DET, f[2], NULL);
  mlpl_tensor *sign = mlpli_xreshaped(e, mlpli_xmul(e, du, dv), 0, 2, 1, 1);
  if (e->status == MLPL_OK) e->status = mlpli_tensor_contiguous(e->cx, &values, f[1]);
  return (basis){f[0], mlpli_xkeep(e, values), f[2], sign};
}

/* U^T g V */
static mlpl_tensor *into(mlpli_expr *e, const basis *b, mlpl_tensor *g) {
  return mlpli_xproduct(e, mlpli_xproduct(e, b->u, g, 1, 0), b->vh, 0, 1);
}

/* U x Vh with its sign */
static mlpl_tensor *out_of(mlpli_expr *e, const basis *b, mlpl_tensor *x) {
  return mlpli_xmul(
      e, mlpli_xproduct(e, mlpli_xproduct(e, b->u, x, 0, 0), b->vh, 0, 0), b->sign);
}

static double value(const basis *b, int64_t i, int64_t k) {
  const int64_t n = mlpli_rows(b->u);
  return mlpli_load(b->values->data + (i * n + k) * mlpli_dtype_size[b->values->dtype],
      b->values->dtype);
}

/* fraction 2^exponent: a product on the way may leave the range that it comes back to. */
typedef struct scaled {
  double fraction;
  int64_t exponent;
} scaled;

static scaled times(scaled a, double v) {
  int exponent;
  a.fraction = frexp(a.fraction * v, &exponent);
  a.exponent += isfinite(a.fraction) ? exponent : 0;
  return a;
}

static double value_of(scaled a) {
  const int64_t e = a.exponent;
  return ldexp(a.fraction, e > 5000 ? 5000 : e < -5000 ? -5000 : (int)e);
}

/* product[j]: of the values of matrix i but x, y and j, for j other than x and y; x may
   be y. exponent: room for n. */
static void products_without(
    const basis *b, int64_t i, int64_t x, int64_t y, double *product, int64_t *exponent) {
  const int64_t n = mlpli_rows(b->u);
  scaled before = {1, 0}, after = {1, 0};
  for (int64_t j = 0; j < n; j++) {
    product[j] = before.fraction, exponent[j] = before.exponent;
    if (j != x && j != y) before = times(before, value(b, i, j));
  }
  for (int64_t j = n - 1; j >= 0; j--) {
    const scaled all = {product[j] * after.fraction, exponent[j] + after.exponent};
    product[j] = value_of(all);
    if (j != x && j != y) after = times(after, value(b, i, j));
  }
}

static double at(const mlpl_tensor *t, mlpli_matrix m, int64_t i, int64_t j) {
  return mlpli_load(mlpli_elem(m, t->dtype, i, j), t->dtype);
}

/* The derivative in the basis for matrix i: to [n x n] from E and F; work [n], exponent
   [n]. */
typedef void derivative(const basis *b, int64_t i, const mlpl_tensor *e,
    const mlpl_tensor *f, mlpl_tensor *to, double *work, int64_t *exponent);

static mlpl_status in_basis(
    mlpl_ctx *cx, mlpl_tensor *const *in, mlpl_tensor *out, derivative *each) {
  mlpli_expr e = {.cx = cx};
  const int64_t n = mlpli_rows(in[0]), stacked = mlpli_stacked(in[0], 2);
  double *work = NULL;
  int64_t *exponent = NULL;
  mlpl_tensor *inner = NULL;
  bool was = mlpl_set_grad_enabled(cx, false);
  basis b = basis_of(&e, in[0]);
  mlpl_tensor *first = in[1] ? into(&e, &b, in[1]) : NULL,
              *second = in[1] && in[2] ? into(&e, &b, in[2]) : NULL;
  if (e.status == MLPL_OK) e.status = mlpli_tensor_like(cx, &inner, out);
  mlpli_xkeep(&e, inner);
  if (e.status == MLPL_OK)
    e.status = mlpli_new(cx, &work, (size_t)(n + 1) * sizeof *work, "det");
  if (e.status == MLPL_OK)
    e.status = mlpli_new(cx, &exponent, (size_t)(n + 1) * sizeof *exponent, "det");
  for (int64_t i = 0; i < stacked && e.status == MLPL_OK; i++)
    each(&b, i, first, second, inner, work, exponent);
  mlpli_free(cx->heap, exponent);
  mlpli_free(cx->heap, work);
  mlpl_tensor *result = out_of(&e, &b, inner);
  if (e.status == MLPL_OK) mlpli_copy(out, result);
  mlpl_set_grad_enabled(cx, was);
  return mlpli_expr_end(&e);
}

/* ---- cofactors: the gradient of det ------------------------------------------------- */

/* On the diagonal the product of the other values. */
static void first_derivative(const basis *b, int64_t i, const mlpl_tensor *e,
    const mlpl_tensor *f, mlpl_tensor *to, double *work, int64_t *exponent) {
  const int dtype = to->dtype;
  mlpli_matrix y = mlpli_matrix_at(to, i);
  (void)e, (void)f;
  products_without(b, i, -1, -1, work, exponent);
  mlpli_matrix_identity(dtype, y);
  for (int64_t k = 0; k < y.rows; k++)
    mlpli_store(mlpli_elem(y, dtype, k, k), dtype, work[k]);
}

static FORWARD(cofactor) {
  return in_basis(cx, (mlpl_tensor *[]){c->in[0], NULL, NULL}, *out, first_derivative);
}

static BACKWARD(cofactor) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(&e, n, 0, mlpli_x2(&e, MLPLI_OP_COFACTOR_SLOPE, n->in[0], g, NULL));
  return mlpli_expr_end(&e);
}

/* ---- their slope in a direction G, which is also the gradient of <G, cofactors> ----- */

/*
** With E = U^T G V and P_xj the product of the values but x and j:
** D_xx = sum_j E_jj P_xj, D_xy = -E_yx P_xy.
*/
static void second_derivative(const basis *b, int64_t i, const mlpl_tensor *te,
    const mlpl_tensor *tf, mlpl_tensor *to, double *work, int64_t *exponent) {
  mlpli_matrix e = mlpli_matrix_at(te, i), y = mlpli_matrix_at(to, i);
  (void)tf;
  for (int64_t x = 0; x < e.rows; x++) {
    double sum = 0;
    products_without(b, i, x, x, work, exponent);
    for (int64_t j = 0; j < e.rows; j++) {
      if (j == x) continue;
      sum += at(te, e, j, j) * work[j];
      mlpli_store(mlpli_elem(y, to->dtype, x, j), to->dtype, -at(te, e, j, x) * work[j]);
    }
    mlpli_store(mlpli_elem(y, to->dtype, x, x), to->dtype, sum);
  }
}

static FORWARD(cofactor_slope) {
  return in_basis(
      cx, (mlpl_tensor *[]){c->in[0], c->in[1], NULL}, *out, second_derivative);
}

static mlpl_tensor *curve(mlpli_expr *e, mlpl_tensor *a, mlpl_tensor *g, mlpl_tensor *h) {
  mlpl_tensor *in[] = {a, g, h}, *t = NULL;
  if (e->status != MLPL_OK) return NULL;
  e->status = mlpli_apply(e->cx, &t, MLPLI_OP_COFACTOR_CURVE, in, 3, NULL);
  return mlpli_xkeep(e, t);
}

/* The second derivative is symmetric in its directions. */
static BACKWARD(cofactor_slope) {
  mlpli_expr e = {.cx = cx};
  if (mlpli_wants(n, 1))
    mlpli_xgive(&e, n, 1, mlpli_x2(&e, MLPLI_OP_COFACTOR_SLOPE, n->in[0], g, NULL));
  if (mlpli_wants(n, 0)) mlpli_xgive(&e, n, 0, curve(&e, n->in[0], n->in[1], g));
  return mlpli_expr_end(&e);
}

/* ---- and the slope of that in a second direction H ---------------------------------- */

/*
** With F = U^T H V and P_xyj the product of the values but x, y and j, sums over others:
** D_xx = sum_yj (E_yy F_jj - E_yj F_jy) P_xyj,
** D_xy = sum_j (E_yj F_jx + F_yj E_jx - E_yx F_jj - F_yx E_jj) P_xyj.
*/
static void third_derivative(const basis *b, int64_t i, const mlpl_tensor *te,
    const mlpl_tensor *tf, mlpl_tensor *to, double *work, int64_t *exponent) {
  mlpli_matrix e = mlpli_matrix_at(te, i), f = mlpli_matrix_at(tf, i),
               d = mlpli_matrix_at(to, i);
  for (int64_t x = 0; x < e.rows; x++) {
    double diagonal = 0;
    for (int64_t y = 0; y < e.rows; y++) {
      double sum = 0;
      if (y == x) continue;
      products_without(b, i, x, y, work, exponent);
      for (int64_t j = 0; j < e.rows; j++) {
        if (j == x || j == y) continue;
        const double ej = at(te, e, j, j), fj = at(tf, f, j, j);
        diagonal += (at(te, e, y, y) * fj - at(te, e, y, j) * at(tf, f, j, y)) * work[j];
        sum += (at(te, e, y, j) * at(tf, f, j, x) + at(tf, f, y, j) * at(te, e, j, x) -
                   at(te, e, y, x) * fj - at(tf, f, y, x) * ej) *
            work[j];
      }
      mlpli_store(mlpli_elem(d, to->dtype, x, y), to->dtype, sum);
    }
    mlpli_store(mlpli_elem(d, to->dtype, x, x), to->dtype, diagonal);
  }
}

static FORWARD(cofactor_curve) { return in_basis(cx, c->in, *out, third_derivative); }

static BACKWARD(cofactor_curve) {
  mlpli_expr e = {.cx = cx};
  if (mlpli_wants(n, 0))
    return mlpl_fail(cx, MLPL_EARG,
        "det: has no fourth derivative; sign exp(logabsdet) of slogdet has, where A is "
        "regular");
  if (mlpli_wants(n, 1)) mlpli_xgive(&e, n, 1, curve(&e, n->in[0], g, n->in[2]));
  if (mlpli_wants(n, 2)) mlpli_xgive(&e, n, 2, curve(&e, n->in[0], n->in[1], g));
  return mlpli_expr_end(&e);
}

/* ---- rows -------------------------------------------------------------------------- */

const mlpl_op mlpli_op_cofactor = {LINALG_ROW(cofactor, MLPLI_REGULAR), .saves = 1,
    .shape = mlpli_shape_square, .forward = cofactor_forward, HAS_BACKWARD(cofactor),
    .internal = true};
const mlpl_op mlpli_op_cofactor_slope = {LINALG_PAIR(cofactor_slope, MLPLI_REGULAR),
    .saves = 3, .saved_for = {0, 1}, .shape = mlpli_shape_square,
    .forward = cofactor_slope_forward, HAS_BACKWARD(cofactor_slope), .internal = true};
const mlpl_op mlpli_op_cofactor_curve = {.name = "cofactor_curve",
    .group = "linalg",
    .input_name = {"a", "b", "c"},
    .domain = {MLPLI_REGULAR, MLPLI_REAL, MLPLI_REAL},
    .n_inputs = 3,
    .n_required = 3,
    .n_outputs = 1,
    .saves = 7,
    .differentiable = 7,
    .internal = true,
    .shape = mlpli_shape_square,
    .forward = cofactor_curve_forward,
    HAS_BACKWARD(cofactor_curve)};
