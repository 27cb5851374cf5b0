/* Linear systems: LU, triangles, Cholesky; inverses and determinants. */
#include "ops/linalg.h"

#include "grad/grad.h"

#include <string.h>

/* ---- LU of a stack ----------------------------------------------------------------- */

/* Copies of matrices to factorise, pivots and scratch memory. */
typedef struct lu {
  mlpl_ctx *cx;
  const mlplk_linalg *kern;
  mlpl_tensor *copy; /* of the whole stack, contiguous */
  ptrdiff_t *pivot;
  void *scratch;
  int64_t n;
} lu;

static void lu_end(lu *f) {
  mlpl_tensor_release(f->copy);
  mlpli_free(f->cx->heap, f->pivot);
  mlpli_free(f->cx->heap, f->scratch);
}

/* For matrices of a with `r` right-hand sides. */
static mlpl_status lu_begin(
    mlpl_ctx *cx, lu *f, const char *what, const mlpl_tensor *a, int64_t r) {
  memset(f, 0, sizeof *f);
  f->cx = cx;
  f->kern = &cx->kern[a->dtype]->linalg;
  f->n = mlpli_rows(a);
  mlpl_status status = mlpl_tensor_clone(cx, &f->copy, a);
  if (status == MLPL_OK)
    status = mlpli_new(cx, &f->pivot, (size_t)(f->n + 1) * sizeof *f->pivot, what);
  if (status == MLPL_OK)
    status = mlpli_new(cx, &f->scratch,
        f->kern->product_scratch(f->n > r ? f->n : r, cx->par.workers), what);
  if (status != MLPL_OK) lu_end(f);
  return status;
}

/* The factors of matrix i, which replace it; *zero: the first pivot that is 0, or -1. */
static mlpli_matrix lu_of(lu *f, int64_t i, int64_t *zero) {
  mlpli_matrix m = mlpli_matrix_at(f->copy, i);
  mlplk_matrix k = mlpli_kernel_matrix(m);
  *zero = -1;
  f->kern->lu(f->n, f->n, &k, f->pivot, f->scratch, &f->cx->par);
  for (int64_t j = f->n - 1; j >= 0; j--)
    if (mlpli_load(mlpli_elem(m, f->copy->dtype, j, j), f->copy->dtype) == 0) *zero = j;
  return m;
}

static mlpl_status singular(
    lu *f, const char *what, const mlpl_tensor *a, int64_t i, int64_t zero) {
  char which[MLPLI_WHICH];
  return mlpl_fail(f->cx, MLPL_ENUMERIC, "%s: the matrix is singular: pivot %lld is 0%s",
      what, (long long)(zero + 1), mlpli_which(which, f->cx, a, i));
}

/* Rows of a contiguous matrix. */
static void swap_rows(int dtype, mlpli_matrix x, int64_t i, int64_t k) {
  const size_t bytes = (size_t)x.cols * mlpli_dtype_size[dtype];
  char *p = mlpli_elem(x, dtype, i, 0), *q = mlpli_elem(x, dtype, k, 0), some[512];
  for (size_t at = 0, n; at < bytes && i != k; at += n) {
    n = bytes - at < sizeof some ? bytes - at : sizeof some;
    memcpy(some, p + at, n);
    memcpy(p + at, q + at, n);
    memcpy(q + at, some, n);
  }
}

/* x := A^-1 x by the factors m */
static void lu_solve(lu *f, mlpli_matrix m, mlpli_matrix x) {
  mlplk_matrix km = mlpli_kernel_matrix(m), kx = mlpli_kernel_matrix(x);
  for (int64_t i = 0; i < f->n; i++) swap_rows(f->copy->dtype, x, i, f->pivot[i]);
  f->kern->solve_triangular(f->n, x.cols, &km, 0, 1, &kx, f->scratch, &f->cx->par);
  f->kern->solve_triangular(f->n, x.cols, &km, 1, 0, &kx, f->scratch, &f->cx->par);
}

/* ---- solve ------------------------------------------------------------------------- */

static SHAPE(solve_matrices) {
  (void)cx;
  mlpli_stack_shape(s, c->in[0], 2, mlpli_rows(c->in[1]), mlpli_cols(c->in[1]));
  return MLPL_OK;
}

static FORWARD(solve_matrices) {
  lu f;
  mlpl_tensor *a = c->in[0];
  const int64_t n = mlpli_stacked(a, 2);
  mlpl_status status = MLPL_OK;
  MLPL_TRY(lu_begin(cx, &f, "solve", a, mlpli_cols(c->in[1])));
  mlpli_copy(*out, c->in[1]);
  for (int64_t i = 0; i < n && status == MLPL_OK; i++) {
    int64_t zero;
    mlpli_matrix m = lu_of(&f, i, &zero);
    if (zero >= 0)
      status = singular(&f, "solve", a, i, zero);
    else
      lu_solve(&f, m, mlpli_matrix_at(*out, i));
  }
  lu_end(&f);
  return status;
}

/* gB = A^-T g, gA = -gB X^T */
static BACKWARD(solve_matrices) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *gb = mlpli_xsolve(&e, mlpli_xtransposed(&e, n->in[0]), g);
  if (mlpli_wants(n, 1)) mlpli_xgive(&e, n, 1, gb);
  if (mlpli_wants(n, 0))
    mlpli_xgive(
        &e, n, 0, mlpli_xneg(&e, mlpli_xproduct(&e, gb, mlpli_xout(&e, n), 0, 1)));
  return mlpli_expr_end(&e);
}

/* That A [... n x n] and B fit: B is a matrix unless it is vectors, and its rows, or its
   columns for X A = B, are n. */
static mlpl_status check_system(mlpl_ctx *cx, const char *what, const mlpl_tensor *a,
    const mlpl_tensor *b, bool vectors, bool left) {
  char s1[MLPLI_SHAPE_TEXT], s2[MLPLI_SHAPE_TEXT];
  MLPL_TRY(mlpli_check_square(cx, what, "a", a));
  if (!vectors && b->ndim == 1) return mlpli_check_matrix(cx, what, "b", b);
  const int64_t n = b->ndim == 0 ? -1
      : vectors || !left         ? b->shape[b->ndim - 1]
                                 : mlpli_rows(b);
  if (n == mlpli_rows(a)) return MLPL_OK;
  return mlpl_fail(cx, MLPL_ESHAPE, "%s: sizes differ: a is %s, b is %s; b must have %s",
      what, mlpli_tensor_text(s1, a), mlpli_tensor_text(s2, b),
      left ? "as many rows as a" : "as many columns as a");
}

/* Solves A X = B, or X A = B by its transpose, with b as a stack of matrices. */
static mlpl_status solve_any(mlpl_ctx *cx, mlpli_call *c, mlpl_tensor **out,
    mlpl_tensor *(*solve)(
        mlpli_expr *e, const mlpli_call *c, mlpl_tensor *a, mlpl_tensor *b, bool left),
    bool left, bool vectors) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *a = c->in[0], *b = c->in[1];
  MLPL_TRY(check_system(cx, c->op->name, a, b, vectors, left || vectors));
  if (vectors) b = mlpli_xreshaped(&e, b, 0, 1, 1, 0);
  /* a vector alone is a column either way, for X A = B a row */
  if (vectors && !left) b = mlpli_xtransposed(&e, b);
  mlpli_xstacks(&e, c->op->name, &a, &b);
  if (!left) a = mlpli_xtransposed(&e, a), b = mlpli_xtransposed(&e, b);
  mlpl_tensor *x = solve(&e, c, a, b, left);
  if (!left) x = mlpli_xtransposed(&e, x);
  if (vectors && x) x = mlpli_xreshaped(&e, x, 2, 1, mlpli_rows(c->in[0]), 0);
  return mlpli_xresult(&e, out, x);
}

static mlpl_tensor *by_lu(
    mlpli_expr *e, const mlpli_call *c, mlpl_tensor *a, mlpl_tensor *b, bool left) {
  (void)c;
  (void)left;
  return mlpli_xsolve(e, a, b);
}

static COMPOSE(solve) {
  return solve_any(
      cx, c, out, by_lu, c->p[0].i != 0, mlpli_is_vectors(c->in[0], c->in[1]));
}

/* ---- triangular_solve -------------------------------------------------------------- */

static FORWARD(solve_triangles) {
  mlpl_tensor *a = c->in[0];
  const mlplk_linalg *kern = &cx->kern[a->dtype]->linalg;
  const int64_t n = mlpli_rows(a), r = mlpli_cols(*out), stacked = mlpli_stacked(a, 2);
  void *scratch;
  mlpli_copy(*out, c->in[1]);
  for (int64_t i = 0; i < stacked && !c->p[1].i; i++) {
    mlpli_matrix m = mlpli_matrix_at(a, i);
    for (int64_t j = 0; j < n; j++) {
      char which[MLPLI_WHICH];
      if (mlpli_load(mlpli_elem(m, a->dtype, j, j), a->dtype) == 0)
        return mlpl_fail(cx, MLPL_ENUMERIC,
            "triangular_solve: the matrix is singular: element %lld of its diagonal is "
            "0%s",
            (long long)(j + 1), mlpli_which(which, cx, a, i));
    }
  }
  MLPL_TRY(mlpli_new(cx, &scratch, kern->product_scratch(n > r ? n : r, cx->par.workers),
      "triangular_solve"));
  for (int64_t i = 0; i < stacked; i++) {
    mlplk_matrix m = mlpli_kernel_matrix(mlpli_matrix_at(a, i)),
                 x = mlpli_kernel_matrix(mlpli_matrix_at(*out, i));
    kern->solve_triangular(
        n, r, &m, c->p[0].i != 0, c->p[1].i != 0, &x, scratch, &cx->par);
  }
  mlpli_free(cx->heap, scratch);
  return MLPL_OK;
}

/* gB = A^-T g, gA = -gB X^T where A is read */
static BACKWARD(solve_triangles) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *a = n->in[0];
  const int upper = n->p[0].i != 0, unit = n->p[1].i != 0;
  mlpl_tensor *gb = mlpli_xtriangular(&e, mlpli_xtransposed(&e, a), g, !upper, unit);
  if (mlpli_wants(n, 1)) mlpli_xgive(&e, n, 1, gb);
  if (mlpli_wants(n, 0)) {
    mlpl_tensor *read = mlpli_xlower(&e, a->dtype, mlpli_rows(a), unit ? -1 : 0);
    mlpl_tensor *ga = mlpli_xneg(&e, mlpli_xproduct(&e, gb, mlpli_xout(&e, n), 0, 1));
    mlpli_xgive(&e, n, 0, mlpli_xmul(&e, ga, upper ? mlpli_xtransposed(&e, read) : read));
  }
  return mlpli_expr_end(&e);
}

/* The transpose of an upper triangle is a lower one. */
static mlpl_tensor *by_substitution(
    mlpli_expr *e, const mlpli_call *c, mlpl_tensor *a, mlpl_tensor *b, bool left) {
  return mlpli_xtriangular(e, a, b, (c->p[0].i != 0) == left, c->p[2].i != 0);
}

static COMPOSE(triangular_solve) {
  return solve_any(cx, c, out, by_substitution, c->p[1].i != 0, false);
}

/* ---- cholesky ---------------------------------------------------------------------- */

/* What the kernel left above the triangle goes. */
static void keep_triangle(int dtype, mlpli_matrix m) {
  for (int64_t i = 0; i + 1 < m.rows; i++)
    memset(mlpli_elem(m, dtype, i, i + 1), 0,
        (size_t)(m.cols - i - 1) * mlpli_dtype_size[dtype]);
}

static mlpl_status not_definite(
    mlpl_ctx *cx, const mlpl_tensor *a, int64_t i, ptrdiff_t order) {
  char which[MLPLI_WHICH];
  return mlpl_fail(cx, MLPL_ENUMERIC,
      "cholesky: the matrix is not positive definite: the leading minor of order %lld is "
      "not positive%s",
      (long long)order, mlpli_which(which, cx, a, i));
}

static FORWARD(cholesky) {
  mlpl_tensor *a = c->in[0];
  const mlplk_linalg *kern = &cx->kern[a->dtype]->linalg;
  const int64_t n = mlpli_rows(a), stacked = mlpli_stacked(a, 2);
  void *scratch;
  mlpl_status status = MLPL_OK;
  MLPL_TRY(
      mlpli_new(cx, &scratch, kern->product_scratch(n, cx->par.workers), "cholesky"));
  for (int64_t i = 0; i < stacked && status == MLPL_OK; i++) {
    mlpli_matrix from = mlpli_matrix_at(a, i), m = mlpli_matrix_at(*out, i);
    mlpli_matrix_copy(a->dtype, m, c->p[0].i ? mlpli_transposed(from) : from);
    mlplk_matrix k = mlpli_kernel_matrix(m);
    ptrdiff_t bad = kern->cholesky(n, &k, scratch, &cx->par);
    if (bad)
      status = not_definite(cx, a, i, bad);
    else
      keep_triangle(a->dtype, m);
    if (bad || !c->p[0].i) continue;
    for (int64_t x = 0; x < n; x++) /* U = L^T */
      for (int64_t y = 0; y < x; y++) {
        void *low = mlpli_elem(m, a->dtype, x, y);
        memcpy(mlpli_elem(m, a->dtype, y, x), low, mlpli_dtype_size[a->dtype]);
        mlpli_store(low, a->dtype, 0);
      }
  }
  mlpli_free(cx->heap, scratch);
  return status;
}

/*
** With P = the lower triangle of L^T g, its diagonal halved, S = L^-T P L^-1:
** gA = (S + S^T) / 2. Source: Murray, Differentiation of the Cholesky decomposition (2016).
*/
static BACKWARD(cholesky) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *l = mlpli_xout(&e, n);
  if (n->p[0].i) l = mlpli_xtransposed(&e, l), g = mlpli_xtransposed(&e, g);
  if (!l) return mlpli_expr_end(&e);
  const int64_t size = mlpli_rows(l);
  mlpl_tensor *low = mlpli_xlower(&e, n->dtype, size, 0),
              *below = mlpli_xlower(&e, n->dtype, size, -1);
  mlpl_tensor *halved = mlpli_xaffine(&e, mlpli_xadd(&e, low, below), 0.5, 0);
  mlpl_tensor *p = mlpli_xmul(&e, mlpli_xproduct(&e, l, g, 1, 0), halved);
  mlpl_tensor *lt = mlpli_xtransposed(&e, l);
  mlpl_tensor *left = mlpli_xtriangular(&e, lt, p, 1, 0); /* L^-T P */
  mlpl_tensor *s = mlpli_xtriangular(&e, lt, mlpli_xtransposed(&e, left), 1, 0);
  mlpli_xgive(
      &e, n, 0, mlpli_xaffine(&e, mlpli_xadd(&e, s, mlpli_xtransposed(&e, s)), 0.5, 0));
  return mlpli_expr_end(&e);
}

/* ---- inv --------------------------------------------------------------------------- */

/* A singular matrix: an error, or an inverse full of infinity. */
static mlpl_status invert(
    mlpl_ctx *cx, const mlpl_tensor *a, mlpl_tensor *out, bool or_inf) {
  lu f;
  const int64_t n = mlpli_stacked(a, 2);
  mlpl_status status = MLPL_OK;
  MLPL_TRY(lu_begin(cx, &f, "inv", a, mlpli_rows(a)));
  for (int64_t i = 0; i < n && status == MLPL_OK; i++) {
    int64_t zero;
    mlpli_matrix m = lu_of(&f, i, &zero), x = mlpli_matrix_at(out, i);
    if (zero >= 0 && !or_inf)
      status = singular(&f, "inv", a, i, zero);
    else if (zero >= 0)
      mlpli_set_all(a->dtype, f.n * f.n, x.p, INFINITY);
    else {
      mlpli_matrix_identity(a->dtype, x);
      lu_solve(&f, m, x);
    }
  }
  lu_end(&f);
  return status;
}

static FORWARD(inv) { return invert(cx, c->in[0], *out, false); }
static FORWARD(inv_or_inf) { return invert(cx, c->in[0], *out, true); }

/* gA = -X^T g X^T */
static BACKWARD(inv) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *x = mlpli_xout(&e, n);
  mlpl_tensor *xg = mlpli_xproduct(&e, x, g, 1, 0);
  mlpli_xgive(&e, n, 0, mlpli_xneg(&e, mlpli_xproduct(&e, xg, x, 0, 1)));
  return mlpli_expr_end(&e);
}

/* ---- determinants ------------------------------------------------------------------ */

/* The product of the pivots as fraction 2^exponent, which neither overflows nor
   vanishes. */
typedef struct determinant {
  double fraction, logarithm;
  int64_t exponent;
} determinant;

static determinant determinant_of(lu *f, int64_t i) {
  int64_t zero;
  mlpli_matrix m = lu_of(f, i, &zero);
  determinant d = {1, 0, 0};
  for (int64_t j = 0; j < f->n; j++) {
    int exponent;
    double v = mlpli_load(mlpli_elem(m, f->copy->dtype, j, j), f->copy->dtype);
    d.logarithm += log(fabs(v));
    if (!isfinite(v)) v = NAN; /* infinity in A: what its determinant is, nobody knows */
    d.fraction = frexp(d.fraction * (f->pivot[j] == j ? v : -v), &exponent);
    d.exponent += exponent;
    if (d.fraction == 0) d.exponent = 0;
  }
  return d;
}

static double value_of(determinant d) {
  int64_t e = d.exponent;
  return ldexp(d.fraction, e > 5000 ? 5000 : e < -5000 ? -5000 : (int)e);
}

static mlpl_status determinants(
    mlpl_ctx *cx, const mlpl_tensor *a, mlpl_tensor *out, bool logarithms) {
  lu f;
  const int64_t n = mlpli_stacked(a, 2);
  const size_t bytes = mlpli_dtype_size[a->dtype];
  MLPL_TRY(lu_begin(cx, &f, "det", a, 1));
  for (int64_t i = 0; i < n; i++) {
    determinant d = determinant_of(&f, i);
    char *to = out->data + (size_t)(logarithms ? 2 * i : i) * bytes;
    double sign = d.fraction > 0 ? 1 : d.fraction < 0 ? -1 : d.fraction;
    mlpli_store(to, a->dtype, logarithms ? sign : value_of(d));
    if (logarithms)
      mlpli_store(to + bytes, a->dtype,
          isnan(d.fraction)     ? d.fraction
              : d.fraction == 0 ? -INFINITY
                                : d.logarithm);
  }
  lu_end(&f);
  return MLPL_OK;
}

static FORWARD(det) { return determinants(cx, c->in[0], *out, false); }

/* g C, C the matrix of cofactors */
static BACKWARD(det) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *each = mlpli_xreshaped(&e, g, 0, 2, 1, 1);
  mlpli_xgive(
      &e, n, 0, mlpli_xmul(&e, each, mlpli_x1(&e, MLPLI_OP_COFACTOR, n->in[0], NULL)));
  return mlpli_expr_end(&e);
}

static SHAPE(sign_and_log) {
  MLPL_TRY(mlpli_check_square(cx, c->op->name, "input", c->in[0]));
  mlpli_stack_shape(s, c->in[0], 1, 2, 0);
  return MLPL_OK;
}

static FORWARD(sign_and_log) { return determinants(cx, c->in[0], *out, true); }

/* The logarithm's: g A^-T; the sign has none. */
static BACKWARD(sign_and_log) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *each = mlpli_xreshaped(&e, mlpli_xpart(&e, g, -1, 1, 1), 1, 2, 1, 1);
  mlpl_tensor *x = mlpli_x1(&e, MLPLI_OP_INV, n->in[0], NULL);
  mlpli_xgive(&e, n, 0, mlpli_xmul(&e, each, mlpli_xtransposed(&e, x)));
  return mlpli_expr_end(&e);
}

static mlpl_tensor *of_pair(mlpli_expr *e, mlpl_tensor *pair, int64_t i) {
  return mlpli_x1(e, MLPLI_OP_SELECT, pair, (mlpl_value[]){{.i = -1}, {.i = i}});
}

static COMPOSE(slogdet) {
  mlpli_expr e = {.cx = cx};
  MLPL_TRY(mlpli_check_square(cx, "slogdet", "input", c->in[0]));
  mlpl_tensor *pair = mlpli_x1(&e, MLPLI_OP_SIGN_AND_LOG, c->in[0], NULL);
  mlpl_tensor *logarithm = of_pair(&e, pair, 1), *sign = NULL;
  bool was = mlpl_set_grad_enabled(cx, false);
  if (e.status == MLPL_OK) sign = of_pair(&e, pair, 0);
  mlpl_set_grad_enabled(cx, was);
  if (e.status == MLPL_OK) out[1] = mlpli_retain(logarithm);
  return mlpli_xresult(&e, out, sign);
}

/* NaN for a negative determinant, as the logarithm of a negative number: log(sign) is
   0, -inf or NaN and has no gradient. */
static COMPOSE(logdet) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *sign, *logarithm, *of_sign = NULL;
  MLPL_TRY(mlpli_check_square(cx, "logdet", "input", c->in[0]));
  mlpl_tensor *pair = mlpli_x1(&e, MLPLI_OP_SIGN_AND_LOG, c->in[0], NULL);
  logarithm = of_pair(&e, pair, 1);
  bool was = mlpl_set_grad_enabled(cx, false);
  sign = of_pair(&e, pair, 0);
  of_sign = mlpli_x1(&e, MLPLI_OP_LOG, sign, NULL);
  mlpl_set_grad_enabled(cx, was);
  return mlpli_xresult(&e, out, mlpli_xadd(&e, logarithm, of_sign));
}

/* ---- rows -------------------------------------------------------------------------- */

static const mlpl_param solve_params[] = {MLPLI_BOOL_OPTION("left", 1)};
static const mlpl_param triangle_params[] = {
    MLPLI_BOOL_OPTION("upper", 0), MLPLI_BOOL_OPTION("unitriangular", 0)};
static const mlpl_param triangular_params[] = {
    {"upper", MLPL_PARAM_BOOL, MLPL_REQUIRED, 0, 0, 1, NULL, 0},
    MLPLI_BOOL_OPTION("left", 1), MLPLI_BOOL_OPTION("unitriangular", 0)};
static const mlpl_param cholesky_params[] = {MLPLI_BOOL_OPTION("upper", 0)};

const mlpl_op mlpli_op_solve_matrices = {LINALG_PAIR(solve_matrices, MLPLI_REGULAR),
    .saves = 1 | MLPLI_SAVE_OUT, .shape = shape_solve_matrices,
    .forward = solve_matrices_forward, HAS_BACKWARD(solve_matrices), .internal = true,
    .refuses_late = true};
const mlpl_op mlpli_op_solve = {
    LINALG_PAIR(solve, MLPLI_REGULAR), .compose = solve_compose, PARAMS(solve_params)};
const mlpl_op mlpli_op_solve_triangles = {LINALG_PAIR(solve_triangles, MLPLI_REGULAR),
    .saves = 1 | MLPLI_SAVE_OUT, .shape = shape_solve_matrices,
    .forward = solve_triangles_forward, HAS_BACKWARD(solve_triangles),
    PARAMS(triangle_params), .internal = true, .refuses_late = true};
const mlpl_op mlpli_op_triangular_solve = {LINALG_PAIR(triangular_solve, MLPLI_REGULAR),
    .compose = triangular_solve_compose, PARAMS(triangular_params)};
const mlpl_op mlpli_op_cholesky = {LINALG_ROW(cholesky, MLPLI_DEFINITE),
    .saves = MLPLI_SAVE_OUT, .shape = mlpli_shape_square, .forward = cholesky_forward,
    HAS_BACKWARD(cholesky), PARAMS(cholesky_params), .refuses_late = true};
const mlpl_op mlpli_op_inv = {LINALG_ROW(inv, MLPLI_REGULAR), .saves = MLPLI_SAVE_OUT,
    .shape = mlpli_shape_square, .forward = inv_forward, HAS_BACKWARD(inv),
    .refuses_late = true};
const mlpl_op mlpli_op_inv_or_inf = {LINALG_ROW(inv_or_inf, MLPLI_REGULAR),
    .shape = mlpli_shape_square, .forward = inv_or_inf_forward, .internal = true};
const mlpl_op mlpli_op_det = {LINALG_ROW(det, MLPLI_REGULAR), .saves = 1,
    .shape = mlpli_shape_stack, .forward = det_forward, HAS_BACKWARD(det)};
const mlpl_op mlpli_op_sign_and_log = {LINALG_ROW(sign_and_log, MLPLI_REGULAR),
    .saves = 1, .shape = shape_sign_and_log, .forward = sign_and_log_forward,
    HAS_BACKWARD(sign_and_log), .internal = true};
const mlpl_op mlpli_op_slogdet = {
    LINALG_RESULTS(slogdet, MLPLI_REGULAR, 2), .compose = slogdet_compose};
const mlpl_op mlpli_op_logdet = {
    LINALG_ROW(logdet, MLPLI_REGULAR), .compose = logdet_compose};
