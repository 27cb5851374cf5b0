/* softmax and log-softmax along an axis. */
#include "ops/rows.h"

#include "grad/grad.h"

#include <string.h>

#define GRAIN 8192 /* elements a task works on */

typedef void rows_kernel(
    ptrdiff_t n, ptrdiff_t k, void *y, ptrdiff_t s_y, const void *x, ptrdiff_t s_x);

typedef struct rows_job {
  rows_kernel *f;
  int64_t n, k, s_x, per_task;
  size_t size;
  char *y;
  const char *x;
} rows_job;

static void rows_task(void *arg, ptrdiff_t i, int worker) {
  (void)worker;
  const rows_job *j = arg;
  int64_t first = i * j->per_task,
          n = j->n - first < j->per_task ? j->n - first : j->per_task;
  j->f(n, j->k, j->y + (size_t)(first * j->k) * j->size, j->k,
      j->x + first * j->s_x * (int64_t)j->size, j->s_x);
}

/* y contiguous [n x k], x with rows s_x apart. */
static void run_rows(mlpl_ctx *cx, rows_kernel *f, int64_t k, mlpl_tensor *y,
    const mlpl_tensor *x, int64_t s_x) {
  rows_job j = {.f = f,
      .n = y->numel / k,
      .k = k,
      .s_x = s_x,
      .size = mlpli_dtype_size[y->dtype],
      .y = y->data,
      .x = x->data};
  j.per_task = k >= GRAIN ? 1 : GRAIN / k;
  cx->par.run(&cx->par, (j.n + j.per_task - 1) / j.per_task, rows_task, &j);
}

/* The axis last and everything contiguous, there and back. */
static mlpl_status run_moved(
    mlpl_ctx *cx, rows_kernel *f, int axis, mlpl_tensor *y, mlpl_tensor *x) {
  mlpl_value p[2] = {{.i = axis}, {.i = -1}};
  mlpl_tensor *vx = NULL, *cx_ = NULL, *vy = NULL;
  bool was = mlpl_set_grad_enabled(cx, false);
  mlpl_status status = mlpli_apply(
      cx, &vx, MLPLI_OP_TRANSPOSE, (mlpl_tensor *[]){x}, 1, p);
  if (status == MLPL_OK) status = mlpl_tensor_clone(cx, &cx_, vx);
  if (status == MLPL_OK)
    status = mlpli_apply(cx, &vy, MLPLI_OP_TRANSPOSE, (mlpl_tensor *[]){y}, 1, p);
  mlpl_set_grad_enabled(cx, was);
  if (status == MLPL_OK) {
    int64_t k = x->shape[axis];
    run_rows(cx, f, k, cx_, cx_, k);
    mlpli_copy(vy, cx_);
  }
  mlpl_tensor_release(vx);
  mlpl_tensor_release(cx_);
  mlpl_tensor_release(vy);
  return status;
}

static mlpl_status forward(
    mlpl_ctx *cx, mlpli_call *c, rows_kernel *f, mlpl_tensor *out) {
  mlpl_tensor *x = c->in[0];
  int axis = 0;
  if (x->ndim || (c->p[0].i != 0 && c->p[0].i != -1))
    MLPL_TRY(mlpli_axis(cx, c->op->name, c->p[0].i, x->ndim, &axis));
  if (x->numel == 0) return MLPL_OK;
  if (x->ndim == 0)
    run_rows(cx, f, 1, out, x, 1);
  else if (axis == x->ndim - 1 && x->contiguous)
    run_rows(cx, f, x->shape[axis], out, x, x->shape[axis]);
  else if (axis == 1 && x->ndim == 2 && x->stride[1] == 1)
    run_rows(cx, f, x->shape[1], out, x, x->stride[0]);
  else
    return run_moved(cx, f, axis, out, x);
  return MLPL_OK;
}

static FORWARD(softmax) { return forward(cx, c, mlpli_kern(*out)->softmax, *out); }
static FORWARD(log_softmax) {
  return forward(cx, c, mlpli_kern(*out)->log_softmax, *out);
}

/* Sum along the row's axis, kept. */
static mlpl_tensor *row_sum(mlpli_expr *e, const mlpli_node *n, mlpl_tensor *t) {
  mlpl_value p[2] = {n->p[0], {.i = 1}};
  return mlpli_x1(e, MLPLI_OP_SUM, t, p);
}

typedef void rows_grad(ptrdiff_t n, ptrdiff_t k, void *gx, const void *g, const void *y);

/* One kernel where rows lie side by side and the pass is not recorded; *done says whether
   it was. */
static mlpl_status backward_rows(
    mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g, rows_grad *f, bool *done) {
  mlpl_tensor *y = n->out, *gx;
  int last = y->ndim - 1;
  *done = !cx->grad_enabled && y->numel && last >= 0 &&
      (n->p[0].i == last || n->p[0].i == -1) && y->contiguous && g->contiguous;
  if (!*done) return MLPL_OK;
  MLPL_TRY(mlpli_tensor_like(cx, &gx, y));
  f(y->numel / y->shape[last], y->shape[last], gx->data, g->data, y->data);
  mlpl_status status = mlpli_give(cx, n, 0, gx);
  mlpl_tensor_release(gx);
  return status;
}

/* y (g - sum(g y)) */
static BACKWARD(softmax) {
  bool done;
  MLPL_TRY(backward_rows(cx, n, g, mlpli_kern(g)->softmax_grad, &done));
  if (done) return MLPL_OK;
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *y = mlpli_xout(&e, n);
  mlpl_tensor *sum = row_sum(&e, n, mlpli_xmul(&e, g, y));
  mlpli_xgive(&e, n, 0, mlpli_xmul(&e, y, mlpli_xsub(&e, g, sum)));
  return mlpli_expr_end(&e);
}

/* g - e^y sum(g) */
static BACKWARD(log_softmax) {
  bool done;
  MLPL_TRY(backward_rows(cx, n, g, mlpli_kern(g)->log_softmax_grad, &done));
  if (done) return MLPL_OK;
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *p = mlpli_x1(&e, MLPLI_OP_EXP, mlpli_xout(&e, n), NULL);
  mlpli_xgive(&e, n, 0, mlpli_xsub(&e, g, mlpli_xmul(&e, p, row_sum(&e, n, g))));
  return mlpli_expr_end(&e);
}

/* ---- rows -------------------------------------------------------------------------- */

static const mlpl_param softmax_params[] = {MLPLI_AXIS_NEEDED("dim")};

const mlpl_op mlpli_op_softmax = {MAP_ROW(softmax, MLPLI_REAL, MLPLI_SAVE_OUT),
    HAS_BACKWARD(softmax), PARAMS(softmax_params)};
const mlpl_op mlpli_op_log_softmax = {MAP_ROW(log_softmax, MLPLI_REAL, MLPLI_SAVE_OUT),
    HAS_BACKWARD(log_softmax), PARAMS(softmax_params)};
