/*
** Orthogonal factorisations: QR and the symmetric eigenvalue problem. A factorisation is
** one internal row, all factors in one tensor, so that one gradient holds all of theirs;
** the public row takes it apart.
*/
#include "ops/linalg.h"

#include "grad/grad.h"

#include <string.h>

/* ---- QR: Q [m x q], then R [q x n], side by side in one axis ------------------------ */

typedef enum qr_mode { REDUCED, COMPLETE, ONLY_R } qr_mode;

/* Columns of Q. */
static int64_t qr_columns(const mlpl_tensor *a, bool complete) {
  return complete ? mlpli_rows(a) : mlpli_smaller_side(a);
}

static SHAPE(qr_factors) {
  const mlpl_tensor *a = c->in[0];
  const int64_t q = qr_columns(a, c->p[0].i == COMPLETE);
  (void)cx;
  mlpli_stack_shape(
      s, a, 1, (c->p[0].i == ONLY_R ? 0 : mlpli_rows(a) * q) + q * mlpli_cols(a), 0);
  return MLPL_OK;
}

/* `work` holds a copy of a matrix, `to` receives Q and R. */
static void qr_one(mlpl_ctx *cx, int dtype, mlpli_matrix work, int64_t q, bool wanted,
    char *to, void *scratch) {
  const mlplk_linalg *kern = &cx->kern[dtype]->linalg;
  const int64_t m = work.rows, n = work.cols, size = wanted ? m * q : 0;
  const double scale = mlpli_to_unit(dtype, m * n, work.p);
  char *r = to + size * mlpli_dtype_size[dtype];
  if (isnan(scale)) {
    mlpli_set_all(dtype, size + q * n, to, (double)NAN);
    return;
  }
  mlplk_matrix ka = mlpli_kernel_matrix(work), kq = {wanted ? to : NULL, q, 1};
  kern->qr(m, n, q, &ka, &kq, scratch, &cx->par);
  mlpli_matrix_copy(dtype, (mlpli_matrix){r, q, n, n, 1},
      (mlpli_matrix){work.p, q, n, work.rs, work.cs});
  mlpli_scale(dtype, q * n, r, scale);
}

static FORWARD(qr_factors) {
  mlpl_tensor *a = c->in[0], *copy;
  const mlplk_linalg *kern = &cx->kern[a->dtype]->linalg;
  const int64_t q = qr_columns(a, c->p[0].i == COMPLETE), stacked = mlpli_stacked(a, 2);
  const size_t each = (size_t)(*out)->shape[(*out)->ndim - 1];
  void *scratch;
  MLPL_TRY(mlpl_tensor_clone(cx, &copy, a));
  mlpl_status status = mlpli_new(cx, &scratch,
      kern->qr_scratch(mlpli_rows(a), mlpli_cols(a), q, cx->par.workers), "qr");
  for (int64_t i = 0; i < stacked && status == MLPL_OK; i++)
    qr_one(cx, a->dtype, mlpli_matrix_at(copy, i), q, c->p[0].i != ONLY_R,
        (*out)->data + (size_t)i * each * mlpli_dtype_size[a->dtype], scratch);
  if (status == MLPL_OK) mlpli_free(cx->heap, scratch);
  mlpl_tensor_release(copy);
  return status;
}

/* The factors out of the packed axis of t. */
static void qr_apart(mlpli_expr *e, mlpl_tensor *t, int64_t m, int64_t n, int64_t columns,
    mlpl_tensor **q, mlpl_tensor **r) {
  *q = mlpli_xreshaped(e, mlpli_xpart(e, t, -1, 0, m * columns), 1, 2, m, columns);
  *r = mlpli_xreshaped(
      e, mlpli_xpart(e, t, -1, m * columns, columns * n), 1, 2, columns, n);
}

/*
** With M = R gR^T - gQ^T Q and its lower triangle mirrored upwards:
** gA = (gQ + Q copy(M)) R^-T. Source: Walter, Lehmann, Algorithmic differentiation of
** linear algebra functions (2010), for m >= n and full rank.
*/
static BACKWARD(qr_factors) {
  mlpli_expr e = {.cx = cx};
  int ndim;
  const int64_t *shape;
  mlpli_input_shape(n, 0, &ndim, &shape);
  const int64_t rows = shape[ndim - 2], cols = shape[ndim - 1];
  mlpl_tensor *q, *r, *gq, *gr;
  qr_apart(&e, mlpli_xout(&e, n), rows, cols, cols, &q, &r);
  qr_apart(&e, g, rows, cols, cols, &gq, &gr);
  mlpl_tensor *m = mlpli_xsub(
      &e, mlpli_xproduct(&e, r, gr, 0, 1), mlpli_xproduct(&e, gq, q, 1, 0));
  mlpl_tensor *low = mlpli_xmul(&e, m, mlpli_xlower(&e, n->dtype, cols, 0)),
              *below = mlpli_xmul(&e, m, mlpli_xlower(&e, n->dtype, cols, -1));
  mlpl_tensor *copied = mlpli_xadd(&e, low, mlpli_xtransposed(&e, below));
  mlpl_tensor *b = mlpli_xadd(&e, gq, mlpli_xproduct(&e, q, copied, 0, 0));
  /* X R^T = B is R X^T = B^T */
  mlpl_tensor *xt = mlpli_xtriangular(&e, r, mlpli_xtransposed(&e, b), 1, 0);
  mlpli_xgive(&e, n, 0, mlpli_xtransposed(&e, xt));
  return mlpli_expr_end(&e);
}

static mlpl_status qr_without_gradient(mlpl_ctx *cx, const mlpl_tensor *a, qr_mode mode) {
  char text[MLPLI_SHAPE_TEXT];
  if (mode == ONLY_R)
    return mlpl_fail(
        cx, MLPL_EARG, "qr: mode r has no gradient; use reduced, or x:detach()");
  return mlpl_fail(cx, MLPL_ESHAPE,
      "qr: has no gradient here: the matrix is %s; it must have at least as many rows as "
      "columns, and as many in mode complete (or use x:detach())",
      mlpli_tensor_text(text, a));
}

static COMPOSE(qr) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *a = c->in[0], *q = NULL, *r;
  MLPL_TRY(mlpli_check_matrix(cx, "qr", "input", a));
  const int64_t m = mlpli_rows(a), n = mlpli_cols(a);
  const qr_mode mode = (qr_mode)c->p[0].i;
  const int64_t columns = qr_columns(a, mode == COMPLETE);
  if (mlpli_is_tracked(cx, c) && (mode == ONLY_R || m < n || (mode == COMPLETE && m > n)))
    return qr_without_gradient(cx, a, mode);
  mlpl_tensor *both = mlpli_x1(&e, MLPLI_OP_QR_FACTORS, a, c->p);
  if (mode == ONLY_R) {
    r = mlpli_xreshaped(&e, both, 1, 2, columns, n);
    if (e.status == MLPL_OK)
      e.status = mlpl_tensor_new(cx, &q, (mlpl_dtype)a->dtype, 1, (int64_t[]){0});
    mlpli_xkeep(&e, q);
  }
  else
    qr_apart(&e, both, m, n, columns, &q, &r);
  if (e.status == MLPL_OK) out[1] = mlpli_retain(r);
  return mlpli_xresult(&e, out, q);
}

/* ---- values of A = U diag(values) Vh ------------------------------------------------ */

/* Inputs: A, U [... m x k], values [... 1 x k], Vh [... k x n]. Option: symmetric. */
static SHAPE(values_of) {
  (void)cx;
  s->ndim = c->in[2]->ndim;
  memcpy(s->size, c->in[2]->shape, sizeof s->size);
  return MLPL_OK;
}

static FORWARD(values_of) {
  (void)cx;
  mlpli_copy(*out, c->in[2]);
  return MLPL_OK;
}

/* gA = U diag(g) Vh, also where values are equal; the factors' own gradient is for what
   reads the vectors, second gradients among it. */
static BACKWARD(values_of) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *ga = mlpli_xproduct(&e, mlpli_xmul(&e, n->in[1], g), n->in[3], 0, 0);
  if (n->p[0].i)
    ga = mlpli_xaffine(&e, mlpli_xadd(&e, ga, mlpli_xtransposed(&e, ga)), 0.5, 0);
  mlpli_xgive(&e, n, 0, ga);
  return mlpli_expr_end(&e);
}

mlpl_tensor *mlpli_xvalues_of(mlpli_expr *e, mlpl_tensor *a, mlpl_tensor *u,
    mlpl_tensor *values, mlpl_tensor *vh, bool symmetric) {
  mlpl_tensor *in[] = {a, u, values, vh}, *t = NULL;
  if (e->status != MLPL_OK || !mlpli_tracked(a)) return values;
  e->status = mlpli_apply(
      e->cx, &t, MLPLI_OP_VALUES_OF, in, 4, (mlpl_value[]){{.i = symmetric}});
  return mlpli_xkeep(e, t);
}

/* ---- eigh: the eigenvectors as columns [n x n], then a row of the eigenvalues -------- */

/* Options of its rows: upper, sweeps. */
static SHAPE(eigh_factors) {
  const int64_t n = mlpli_rows(c->in[0]);
  (void)cx;
  mlpli_stack_shape(s, c->in[0], 2, n + 1, n);
  return MLPL_OK;
}

static SHAPE(eigh_values) {
  (void)cx;
  mlpli_stack_shape(s, c->in[0], 1, mlpli_rows(c->in[0]), 0);
  return MLPL_OK;
}

/* Both triangles from the one that counts. */
static void mirror(int dtype, mlpli_matrix m, bool upper) {
  for (int64_t i = 0; i < m.rows; i++)
    for (int64_t j = 0; j < i; j++) {
      void *low = mlpli_elem(m, dtype, i, j), *high = mlpli_elem(m, dtype, j, i);
      memcpy(upper ? low : high, upper ? high : low, mlpli_dtype_size[dtype]);
    }
}

typedef struct eigh_call {
  mlpl_ctx *cx;
  mlpl_tensor *copy;
  void *scratch;
  bool upper;
  int sweeps;
} eigh_call;

/* vectors [n x n] (p NULL: not wanted) and values of matrix i */
static mlpl_status eigh_one(
    const eigh_call *f, int64_t i, mlpli_matrix vectors, char *values) {
  const int dtype = f->copy->dtype;
  char which[MLPLI_WHICH];
  mlpli_matrix m = mlpli_matrix_at(f->copy, i);
  mirror(dtype, m, f->upper);
  const double scale = mlpli_to_unit(dtype, m.rows * m.rows, m.p);
  if (isnan(scale)) {
    mlpli_set_all(dtype, m.rows, values, (double)NAN);
    if (vectors.p) mlpli_set_all(dtype, m.rows * m.rows, vectors.p, (double)NAN);
    return MLPL_OK;
  }
  mlplk_matrix a = mlpli_kernel_matrix(m), v = mlpli_kernel_matrix(vectors);
  if (f->cx->kern[dtype]->linalg.eigh(
          m.rows, &a, values, &v, f->sweeps, f->scratch, &f->cx->par))
    return mlpl_fail(f->cx, MLPL_ENUMERIC,
        "eigh: no convergence after %d sweeps for an eigenvalue%s", f->sweeps,
        mlpli_which(which, f->cx, f->copy, i));
  mlpli_scale(dtype, m.rows, values, scale);
  return MLPL_OK;
}

static mlpl_status eigh_all(mlpl_ctx *cx, mlpli_call *c, mlpl_tensor *out, bool vectors) {
  mlpl_tensor *a = c->in[0];
  eigh_call f = {cx, NULL, NULL, c->p[0].i != 0, (int)c->p[1].i};
  const int64_t n = mlpli_rows(a), stacked = mlpli_stacked(a, 2);
  const int64_t bytes = mlpli_dtype_size[a->dtype];
  MLPL_TRY(mlpl_tensor_clone(cx, &f.copy, a));
  mlpl_status status = mlpli_new(cx, &f.scratch,
      cx->kern[a->dtype]->linalg.eigh_scratch(n, cx->par.workers), "eigh");
  for (int64_t i = 0; i < stacked && status == MLPL_OK; i++) {
    char *to = out->data + i * (vectors ? n + 1 : 1) * n * bytes;
    status = eigh_one(&f, i, (mlpli_matrix){vectors ? to : NULL, n, n, n, 1},
        vectors ? to + n * n * bytes : to);
  }
  mlpli_free(cx->heap, f.scratch);
  mlpl_tensor_release(f.copy);
  return status;
}

static FORWARD(eigh_factors) { return eigh_all(cx, c, *out, true); }
static FORWARD(eigh_values) { return eigh_all(cx, c, *out, false); }

/* V and the row of values [... 1 x n] */
static void eigh_apart(
    mlpli_expr *e, mlpl_tensor *t, int64_t n, mlpl_tensor **v, mlpl_tensor **values) {
  *v = mlpli_xpart(e, t, -2, 0, n);
  *values = mlpli_xpart(e, t, -2, n, 1);
}

/*
** gA = V (diag(gL) + F * V^T gV) V^T, F_ij = 1 / (l_j - l_i), then its symmetric part, since
** only one triangle is read. NaN for equal values, whose vectors are not determined.
*/
static BACKWARD(eigh_factors) {
  mlpli_expr e = {.cx = cx};
  const int64_t size = n->shape[n->ndim - 1];
  mlpl_tensor *v, *l, *gv, *gl;
  eigh_apart(&e, mlpli_xout(&e, n), size, &v, &l);
  eigh_apart(&e, g, size, &gv, &gl);
  mlpl_tensor *apart = mlpli_xsub(&e, l, mlpli_xtransposed(&e, l));
  mlpl_tensor *turned = mlpli_xmul(&e, mlpli_xproduct(&e, v, gv, 1, 0),
      mlpli_xinverse_or_nan(&e, apart, true, NULL, NULL));
  mlpl_tensor *inner = mlpli_xadd(
      &e, turned, mlpli_xmul(&e, gl, mlpli_xidentity(&e, n->dtype, size)));
  mlpl_tensor *ga = mlpli_xproduct(&e, mlpli_xproduct(&e, v, inner, 0, 0), v, 0, 1);
  mlpli_xgive(
      &e, n, 0, mlpli_xaffine(&e, mlpli_xadd(&e, ga, mlpli_xtransposed(&e, ga)), 0.5, 0));
  return mlpli_expr_end(&e);
}

#define MOST_SWEEPS 60

/* Choices of UPLO, in this order. */
static mlpl_value *eigh_options(const mlpli_call *c, mlpl_value *p) {
  memset(p, 0, 2 * sizeof *p);
  p[0].i = c->p[0].i;
  p[1].i = MOST_SWEEPS;
  return p;
}

/* The values [... n]. */
static mlpl_tensor *eigenvalues(mlpli_expr *e, const mlpli_call *c, mlpl_tensor **v) {
  mlpl_value p[2];
  mlpl_tensor *a = c->in[0], *l;
  const int64_t n = mlpli_rows(a);
  eigh_options(c, p);
  if (!v && !mlpli_is_tracked(e->cx, c)) return mlpli_x1(e, MLPLI_OP_EIGH_VALUES, a, p);
  mlpl_tensor *vectors, *both = mlpli_x1(e, MLPLI_OP_EIGH_FACTORS, a, p);
  eigh_apart(e, both, n, &vectors, &l);
  if (mlpli_is_tracked(e->cx, c))
    l = mlpli_xvalues_of(e, a, vectors, l, mlpli_xtransposed(e, vectors), true);
  if (v) *v = vectors;
  return mlpli_xreshaped(e, l, 2, 1, n, 0);
}

static COMPOSE(eigh) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *v;
  MLPL_TRY(mlpli_check_square(cx, "eigh", "input", c->in[0]));
  mlpl_tensor *values = eigenvalues(&e, c, &v);
  if (e.status == MLPL_OK) out[1] = mlpli_retain(v);
  return mlpli_xresult(&e, out, values);
}

static COMPOSE(eigvalsh) {
  mlpli_expr e = {.cx = cx};
  MLPL_TRY(mlpli_check_square(cx, "eigvalsh", "input", c->in[0]));
  return mlpli_xresult(&e, out, eigenvalues(&e, c, NULL));
}

/* ---- rows -------------------------------------------------------------------------- */

static const char *const modes[] = {"reduced", "complete", "r", NULL};
static const char *const triangles[] = {"L", "U", NULL};
static const mlpl_param qr_params[] = {MLPLI_CHOICE_OPTION("mode", modes)};
static const mlpl_param eigh_params[] = {MLPLI_CHOICE_OPTION("UPLO", triangles)};
static const mlpl_param values_params[] = {MLPLI_BOOL_OPTION("symmetric", 0)};
static const mlpl_param factor_params[] = {
    MLPLI_BOOL_OPTION("upper", 0), MLPLI_INT_OPTION("sweeps", MOST_SWEEPS, 0, 1000)};

const mlpl_op mlpli_op_qr_factors = {LINALG_ROW(qr_factors, MLPLI_REGULAR),
    .saves = MLPLI_SAVE_OUT, .shape = shape_qr_factors, .forward = qr_factors_forward,
    HAS_BACKWARD(qr_factors), PARAMS(qr_params), .internal = true};
const mlpl_op mlpli_op_qr = {
    LINALG_RESULTS(qr, MLPLI_REGULAR, 2), .compose = qr_compose, PARAMS(qr_params)};
const mlpl_op mlpli_op_values_of = {.name = "values_of",
    .group = "linalg",
    .input_name = {"input", "u", "values", "vh"},
    .domain = {MLPLI_REGULAR, MLPLI_REAL, MLPLI_REAL, MLPLI_REAL},
    .n_inputs = 4,
    .n_required = 4,
    .n_outputs = 1,
    .saves = 2 | 8,
    .differentiable = 1,
    .internal = true,
    .shape = shape_values_of,
    .forward = values_of_forward,
    HAS_BACKWARD(values_of),
    PARAMS(values_params)};
const mlpl_op mlpli_op_eigh_factors = {LINALG_ROW(eigh_factors, MLPLI_DEFINITE),
    .saves = MLPLI_SAVE_OUT, .shape = shape_eigh_factors, .forward = eigh_factors_forward,
    HAS_BACKWARD(eigh_factors), PARAMS(factor_params), .internal = true,
    .refuses_late = true};
const mlpl_op mlpli_op_eigh_values = {LINALG_ROW(eigh_values, MLPLI_DEFINITE),
    .shape = shape_eigh_values, .forward = eigh_values_forward, PARAMS(factor_params),
    .internal = true, .refuses_late = true};
const mlpl_op mlpli_op_eigh = {LINALG_RESULTS(eigh, MLPLI_DEFINITE, 2),
    .compose = eigh_compose, PARAMS(eigh_params)};
const mlpl_op mlpli_op_eigvalsh = {LINALG_ROW(eigvalsh, MLPLI_DEFINITE),
    .compose = eigvalsh_compose, PARAMS(eigh_params)};
