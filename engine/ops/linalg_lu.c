/* LU factors with row exchanges: A = P L U, and systems solved by them. */
#include "ops/linalg.h"

#include "grad/grad.h"
#include "ops/shape.h"

#include <string.h>

/* ---- lu_factor --------------------------------------------------------------------- */

static SHAPE(lu_factor) {
  MLPL_TRY(mlpli_check_matrix(cx, "lu_factor", "input", c->in[0]));
  return mlpli_shape_same(cx, c, s);
}

/* Every matrix in its place in the result. */
static FORWARD(lu_factor) {
  mlpl_tensor *a = c->in[0];
  const mlplk_linalg *kern = &cx->kern[a->dtype]->linalg;
  const int64_t rows = mlpli_rows(a), cols = mlpli_cols(a), k = mlpli_smaller_side(a),
                stacked = mlpli_stacked(a, 2);
  const size_t of_products = kern->product_scratch(
      rows > cols ? rows : cols, cx->par.workers);
  mlpli_shape s;
  ptrdiff_t *step = NULL;
  void *scratch = NULL;
  mlpli_stack_shape(&s, a, 1, k, 0);
  mlpl_status status = mlpli_tensor_make(cx, &out[1], MLPL_I64, s.ndim, s.size);
  if (status == MLPL_OK)
    status = mlpli_new(cx, &step, (size_t)(k + 1) * sizeof *step, "lu_factor");
  if (status == MLPL_OK) status = mlpli_new(cx, &scratch, of_products, "lu_factor");
  for (int64_t i = 0; i < stacked && status == MLPL_OK; i++) {
    mlpli_matrix m = mlpli_matrix_at(*out, i);
    mlplk_matrix of_kernel = mlpli_kernel_matrix(m);
    int64_t *pivot = (int64_t *)(void *)out[1]->data + i * k;
    mlpli_matrix_copy(a->dtype, m, mlpli_matrix_at(a, i));
    kern->lu(rows, cols, &of_kernel, step, scratch, &cx->par);
    for (int64_t j = 0; j < k; j++) pivot[j] = step[j] + cx->index_base;
  }
  mlpli_free(cx->heap, step);
  mlpli_free(cx->heap, scratch);
  if (status == MLPL_OK && c->record) status = mlpl_tensor_clone(cx, &c->extra, out[1]);
  return status;
}

/* Row order[i] of A is row i of L U, as index-valued places [.. m]. */
static mlpl_status order_of(
    mlpl_ctx *cx, const mlpl_tensor *pivots, int64_t rows, mlpl_tensor **order) {
  mlpl_tensor *flat;
  const int64_t k = pivots->shape[pivots->ndim - 1], base = cx->index_base,
                stacked = mlpli_stacked(pivots, 1);
  int64_t shape[MLPL_MAX_RANK];
  memcpy(shape, pivots->shape, sizeof shape);
  shape[pivots->ndim - 1] = rows;
  *order = NULL;
  MLPL_TRY(mlpli_tensor_contiguous(cx, &flat, (mlpl_tensor *)(uintptr_t)pivots));
  mlpl_status status = mlpli_tensor_make(cx, order, MLPL_I64, pivots->ndim, shape);
  for (int64_t i = 0; i < stacked && status == MLPL_OK; i++) {
    const int64_t *pivot = (const int64_t *)(const void *)flat->data + i * k;
    int64_t *at = (int64_t *)(void *)(*order)->data + i * rows;
    for (int64_t j = 0; j < rows; j++) at[j] = j + base;
    for (int64_t j = 0; j < k && status == MLPL_OK; j++) {
      const int64_t other = pivot[j] - base;
      if (other < 0 || other >= rows)
        status = mlpl_fail(cx, MLPL_EARG,
            "lu_solve: pivots has row %lld; the rows are %lld to %lld",
            (long long)pivot[j], (long long)base, (long long)(rows - 1 + base));
      else {
        const int64_t row = at[j];
        at[j] = at[other], at[other] = row;
      }
    }
  }
  mlpl_tensor_release(flat);
  if (status != MLPL_OK) {
    mlpl_tensor_release(*order);
    *order = NULL;
  }
  return status;
}

/* b's rows in the order [.. m] (there), or back from it. */
static mlpl_tensor *ordered(
    mlpli_expr *e, mlpl_tensor *b, mlpl_tensor *order, bool there) {
  const mlpl_value rows = {.i = -2}, last = {.i = -1},
                   up[3] = {{.i = -1}, {.i = 0}, {.i = 1}};
  if (!b || !order) return NULL;
  if (!there) order = mlpli_x1(e, MLPLI_OP_ARGSORT, order, up);
  mlpl_tensor *column = mlpli_x1(e, MLPLI_OP_UNSQUEEZE, order, &last);
  if (column && column->ndim < b->ndim) { /* for every matrix of b's stack */
    mlpl_value sizes = {.sizes = {.n = b->ndim}};
    const int more = b->ndim - column->ndim;
    for (int d = 0; d < b->ndim; d++)
      sizes.sizes.v[d] = d < more ? 1 : column->shape[d - more];
    column = mlpli_x1(e, MLPLI_OP_RESHAPE, column, &sizes);
  }
  return mlpli_x2(e, MLPLI_OP_TAKE_ALONG_DIM, b, column, &rows);
}

/* gA = P L^-T (tril(L^T gL, -1) + triu(gU U^T)) U^-T. Source: Smith, Differentiation of the
   Cholesky algorithm (1995), for LU. */
static BACKWARD(lu_factor) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *lu = mlpli_xout(&e, n), *order;
  if (!lu) return mlpli_expr_end(&e);
  const int64_t size = mlpli_rows(lu);
  if (size != mlpli_cols(lu)) {
    char text[MLPLI_SHAPE_TEXT];
    mlpli_expr_end(&e);
    return mlpl_fail(cx, MLPL_ESTATE,
        "lu_factor: has no gradient here: the matrix is %s; it must be square",
        mlpli_tensor_text(text, n->out));
  }
  e.status = order_of(cx, n->extra, size, &order);
  mlpli_xkeep(&e, order);
  mlpl_tensor *below = mlpli_xlower(&e, n->dtype, size, -1);
  mlpl_tensor *above = mlpli_xaffine(&e, below, -1, 1);
  mlpl_tensor *gl = mlpli_xmul(&e, g, below), *gu = mlpli_xmul(&e, g, above);
  mlpl_tensor *eye = mlpli_xidentity(&e, n->dtype, size);
  mlpl_tensor *l = mlpli_xadd(&e, mlpli_xmul(&e, lu, below), eye),
              *u = mlpli_xmul(&e, lu, above);
  mlpl_tensor *inner = mlpli_xadd(&e,
      mlpli_xmul(&e, mlpli_xproduct(&e, l, gl, 1, 0), below),
      mlpli_xmul(&e, mlpli_xproduct(&e, gu, u, 0, 1), above));
  /* L^-T inner, then its transpose by U from the left */
  mlpl_tensor *left = mlpli_xtriangular(&e, mlpli_xtransposed(&e, l), inner, 1, 1);
  mlpl_tensor *both = mlpli_xtransposed(
      &e, mlpli_xtriangular(&e, u, mlpli_xtransposed(&e, left), 1, 0));
  mlpli_xgive(&e, n, 0, ordered(&e, both, order, false));
  return mlpli_expr_end(&e);
}

/* ---- lu ---------------------------------------------------------------------------- */

/* Ones at [order[i]][i]. */
static mlpl_tensor *permutation(mlpli_expr *e, mlpl_tensor *order, const mlpl_tensor *a) {
  const mlpl_value classes = {.i = mlpli_rows(a)}, real = {.i = a->dtype};
  mlpl_tensor *rows = mlpli_x1(e, MLPLI_OP_ONE_HOT, order, &classes);
  return mlpli_xtransposed(e, mlpli_x1(e, MLPLI_OP_TO, rows, &real));
}

static COMPOSE(lu) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *a = c->in[0], *f[MLPLI_MAX_OUTPUTS] = {NULL}, *order = NULL;
  MLPL_TRY(mlpli_check_matrix(cx, "lu", "input", a));
  const int64_t rows = mlpli_rows(a), k = mlpli_smaller_side(a);
  e.status = mlpli_apply(cx, f, MLPLI_OP_LU_FACTOR, c->in, 1, NULL);
  mlpli_xkeep(&e, f[0]), mlpli_xkeep(&e, f[1]);
  if (e.status == MLPL_OK) e.status = order_of(cx, f[1], rows, &order);
  mlpli_xkeep(&e, order);
  const bool was = mlpl_set_grad_enabled(cx, false);
  mlpl_tensor *p = permutation(&e, order, a);
  mlpl_set_grad_enabled(cx, was);
  const mlpl_value below = {.i = -1}, main = {.i = 0};
  mlpl_tensor *l = mlpli_x1(&e, MLPLI_OP_TRIL, mlpli_xpart(&e, f[0], -1, 0, k), &below),
              *u = mlpli_x1(&e, MLPLI_OP_TRIU, mlpli_xpart(&e, f[0], -2, 0, k), &main);
  const mlpl_value corner_of[2] = {
      mlpli_sizes_of(4, (int64_t[]){0, 0, 0, rows - k}), {.f = 0}};
  mlpl_tensor *eye = mlpli_xidentity(&e, a->dtype, k);
  if (rows > k) eye = mlpli_x1(&e, MLPLI_OP_PAD_CONSTANT, eye, corner_of);
  l = mlpli_xadd(&e, l, eye);
  if (e.status == MLPL_OK) out[1] = mlpli_retain(l), out[2] = mlpli_retain(u);
  return mlpli_xresult(&e, out, p);
}

/* ---- lu_solve ---------------------------------------------------------------------- */

static mlpl_status check_lu_solve(mlpl_ctx *cx, const mlpli_call *c) {
  const mlpl_tensor *lu = c->in[0], *pivots = c->in[1], *b = c->in[2];
  char s1[MLPLI_SHAPE_TEXT], s2[MLPLI_SHAPE_TEXT];
  MLPL_TRY(mlpli_check_square(cx, "lu_solve", "LU", lu));
  MLPL_TRY(mlpli_check_matrix(cx, "lu_solve", "B", b));
  if (pivots->ndim != lu->ndim - 1 || pivots->shape[pivots->ndim - 1] != mlpli_rows(lu) ||
      memcmp(pivots->shape, lu->shape, (size_t)(lu->ndim - 2) * sizeof *lu->shape) != 0)
    return mlpl_fail(cx, MLPL_ESHAPE,
        "lu_solve: LU is %s, pivots is %s; it must be LU's shape without its last axis",
        mlpli_tensor_text(s1, lu), mlpli_tensor_text(s2, pivots));
  if (mlpli_rows(b) == mlpli_rows(lu)) return MLPL_OK;
  return mlpl_fail(cx, MLPL_ESHAPE,
      "lu_solve: LU is %s, B is %s; they must have as many rows",
      mlpli_tensor_text(s1, lu), mlpli_tensor_text(s2, b));
}

/* X = U^-1 L^-1 P^T B */
static COMPOSE(lu_solve) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *lu = c->in[0], *b = c->in[2], *order;
  MLPL_TRY(check_lu_solve(cx, c));
  MLPL_TRY(order_of(cx, c->in[1], mlpli_rows(lu), &order));
  mlpli_xkeep(&e, order);
  mlpli_xstacks(&e, "lu_solve", &lu, &b);
  b = ordered(&e, b, order, true);
  mlpl_tensor *y = mlpli_xtriangular(&e, lu, b, 0, 1);
  return mlpli_xresult(&e, out, mlpli_xtriangular(&e, lu, y, 1, 0));
}

/* ---- rows -------------------------------------------------------------------------- */

const mlpl_op mlpli_op_lu_factor = {LINALG_RESULTS(lu_factor, MLPLI_REGULAR, 2),
    .saves = MLPLI_SAVE_OUT, .shape = shape_lu_factor, .forward = lu_factor_forward,
    HAS_BACKWARD(lu_factor)};
const mlpl_op mlpli_op_lu = {LINALG_RESULTS(lu, MLPLI_REGULAR, 3), .compose = lu_compose};
const mlpl_op mlpli_op_lu_solve = {.name = "lu_solve",
    .group = "linalg",
    .input_name = {"LU", "pivots", "B"},
    .domain = {MLPLI_REGULAR, MLPLI_INDEX, MLPLI_REAL},
    .n_inputs = 3,
    .n_required = 3,
    .n_outputs = 1,
    .differentiable = 5,
    .compose = lu_solve_compose};
