/*
** Jacobians: one backward pass for every element of the output gives one row. A recorded
** Jacobian is one function of all its rows.
*/
#include "grad/grad.h"

#include <string.h>

typedef struct jacobian {
  mlpl_ctx *cx;
  mlpl_tensor *y;
  mlpl_tensor *const *x;
  int n, flags;
  mlpl_tensor **out;  /* [n] */
  mlpl_tensor **rows; /* recorded: row j of input i at rows[i * y->numel + j], NULL: 0 */
} jacobian;

/* ---- shapes ------------------------------------------------------------------------ */

static mlpl_status make_out(jacobian *j, int i) {
  int64_t shape[2 * MLPL_MAX_RANK];
  const mlpl_tensor *y = j->y, *x = j->x[i];
  int ndim = y->ndim + x->ndim;
  if (ndim > MLPL_MAX_RANK)
    return mlpl_fail(j->cx, MLPL_ESHAPE,
        "jacobian: a result of %d axes by one of inputs of %d axes; a tensor has at most "
        "%d",
        y->ndim, x->ndim, MLPL_MAX_RANK);
  memcpy(shape, y->shape, (size_t)y->ndim * sizeof *shape);
  memcpy(shape + y->ndim, x->shape, (size_t)x->ndim * sizeof *shape);
  MLPL_TRY(mlpli_tensor_make(j->cx, &j->out[i], x->dtype, ndim, shape));
  mlpli_fill(j->out[i], 0);
  return MLPL_OK;
}

static mlpl_status set_row(mlpl_ctx *cx, mlpl_tensor *out, int64_t at, mlpl_tensor *row) {
  mlpl_tensor *to;
  const int64_t *step = out->stride + out->ndim - row->ndim;
  MLPL_TRY(mlpli_tensor_view(cx, &to, out, at * row->numel, row->ndim, row->shape, step));
  mlpli_copy(to, row);
  mlpl_tensor_release(to);
  return MLPL_OK;
}

/* ---- the recorded one: its gradient is that of its rows ---------------------------- */

typedef struct rows {
  mlpl_ctx *cx;
  int64_t n;
  mlpli_shape shape; /* of a row */
} rows;

static void release_rows(void *ud) {
  rows *r = ud;
  mlpl_ctx *cx = r->cx;
  mlpli_free(cx->heap, r);
  mlpli_ctx_release(cx);
}

static mlpl_status give_rows(mlpl_ctx *cx, void *ud, mlpl_tensor **gx,
    mlpl_tensor *const *gy, mlpl_tensor *const *saved) {
  const rows *r = ud;
  (void)saved;
  mlpl_value flat = {.sizes = {.n = 1 + r->shape.ndim}}, p[2] = {{0}},
             shape = {.sizes = {.n = r->shape.ndim}};
  memcpy(shape.sizes.v, r->shape.size, sizeof shape.sizes.v);
  if (r->n == 1) return mlpli_apply(cx, gx, MLPLI_OP_RESHAPE, gy, 1, &shape);
  flat.sizes.v[0] = r->n; /* y has an axis, so there is one left for the rows */
  memcpy(flat.sizes.v + 1, r->shape.size, (size_t)r->shape.ndim * sizeof *r->shape.size);
  mlpl_tensor *all, *one;
  MLPL_TRY(mlpli_apply(cx, &all, MLPLI_OP_RESHAPE, gy, 1, &flat));
  mlpl_status status = MLPL_OK;
  for (int64_t j = 0; j < r->n && status == MLPL_OK; j++) {
    p[1].i = j;
    status = mlpli_apply(cx, &one, MLPLI_OP_SELECT, &all, 1, p);
    if (status == MLPL_OK)
      status = mlpli_apply(cx, &gx[j], MLPLI_OP_RESHAPE, &one, 1, &shape);
    mlpl_tensor_release(one);
  }
  mlpl_tensor_release(all);
  return status;
}

static mlpl_status join(jacobian *j, int i) {
  rows *r;
  mlpl_ctx *cx = j->cx;
  mlpl_tensor **row = j->rows + (int64_t)i * j->y->numel;
  for (int64_t k = 0; k < j->y->numel; k++)
    if (row[k]) MLPL_TRY(set_row(cx, j->out[i], k, row[k]));
  MLPL_TRY(mlpli_new(cx, &r, sizeof *r, "jacobian"));
  r->cx = cx;
  r->n = j->y->numel;
  r->shape.ndim = j->x[i]->ndim;
  memcpy(r->shape.size, j->x[i]->shape, sizeof r->shape.size);
  mlpli_ctx_retain(cx);
  const mlpl_custom_function f = {"jacobian", give_rows, release_rows, r};
  return mlpl_record_custom(cx, &f, row, (int)j->y->numel, &j->out[i], 1, NULL, 0);
}

/* ---- row by row -------------------------------------------------------------------- */

static mlpl_status one_row(jacobian *j, int64_t k, mlpl_tensor **g) {
  mlpl_tensor *seed;
  const mlpl_tensor *y = j->y;
  bool recorded = j->flags & MLPL_CREATE_GRAPH;
  MLPL_TRY(mlpl_tensor_full(j->cx, &seed, (mlpl_dtype)y->dtype, y->ndim, y->shape, 0));
  mlpli_store(seed->data + k * mlpli_dtype_size[y->dtype], y->dtype, 1);
  int flags = MLPL_RETAIN_GRAPH | MLPL_ALLOW_UNUSED | j->flags;
  mlpl_status status = mlpl_grad(j->cx, g, &j->y, &seed, 1, j->x, j->n, flags);
  mlpl_tensor_release(seed);
  for (int i = 0; i < j->n && status == MLPL_OK; i++) {
    if (recorded) {
      j->rows[i * y->numel + k] = g[i];
      g[i] = NULL;
    }
    else if (g[i])
      status = set_row(j->cx, j->out[i], k, g[i]);
  }
  for (int i = 0; i < j->n; i++) {
    mlpli_drop(&g[i]);
  }
  return status;
}

static mlpl_status all_rows(jacobian *j) {
  mlpl_tensor **g;
  MLPL_TRY(mlpli_new(j->cx, &g, (size_t)j->n * sizeof *g, "jacobian"));
  mlpl_status status = MLPL_OK;
  for (int64_t k = 0; k < j->y->numel && status == MLPL_OK; k++)
    status = one_row(j, k, g);
  mlpli_free(j->cx->heap, g);
  for (int i = 0; i < j->n && status == MLPL_OK; i++)
    if (j->rows) status = join(j, i);
  return status;
}

static mlpl_status compute(jacobian *j) {
  for (int i = 0; i < j->n; i++) MLPL_TRY(make_out(j, i));
  if (!mlpli_tracked(j->y)) return MLPL_OK;
  int64_t n_rows = j->flags & MLPL_CREATE_GRAPH ? j->n * j->y->numel : 0;
  if (n_rows)
    MLPL_TRY(mlpli_new(j->cx, &j->rows, (size_t)n_rows * sizeof *j->rows, "jacobian"));
  mlpl_status status = all_rows(j);
  for (int64_t k = 0; k < n_rows; k++) mlpl_tensor_release(j->rows[k]);
  mlpli_free(j->cx->heap, j->rows);
  return status;
}

mlpl_status mlpl_jacobian(mlpl_ctx *cx, mlpl_tensor **out, mlpl_tensor *y,
    mlpl_tensor *const *inputs, int n_in, int flags) {
  jacobian j = {cx, y, inputs, n_in, flags & MLPL_CREATE_GRAPH, out, NULL};
  for (int i = 0; i < n_in; i++) out[i] = NULL;
  mlpl_status status = compute(&j);
  for (int i = 0; i < n_in && status != MLPL_OK; i++) {
    mlpli_drop(&out[i]);
  }
  return status;
}
