/* softmax and log-softmax along an axis. */
#include "ops/rows.h"

#include "ops/axes.h"

#include "grad/grad.h"

#define GRAIN 8192  /* elements a task works on */
#define NARROW 16   /* columns side by side */
#define COLUMNS 128 /* at least so many columns side by side go together */

/* Rows where a line's elements lie side by side, else columns. */
typedef struct softmax_job {
  const mlplk_table *kern;
  mlplk_softmax_kind kind;
  mlpli_lines l;
  int64_t s_a;            /* from row to row of a; all else is contiguous */
  int64_t per_task;       /* rows, or columns side by side, of a task */
  int64_t pieces, blocks; /* tasks of the columns side by side; a task's sets of those */
  int64_t size;
  char *y;
  const char *a, *b;
} softmax_job;

static void rows_task(void *arg, ptrdiff_t i, int worker) {
  (void)worker;
  const softmax_job *j = arg;
  const mlplk_table *t = j->kern;
  const int64_t first = i * j->per_task, left = j->l.n - first, k = j->l.r,
                n = left < j->per_task ? left : j->per_task, at = first * k * j->size;
  const char *a = j->a + first * j->s_a * j->size;
  switch (j->kind) {
    case MLPLK_SOFTMAX: t->softmax(n, k, j->y + at, k, a, j->s_a); break;
    case MLPLK_LOG_SOFTMAX: t->log_softmax(n, k, j->y + at, k, a, j->s_a); break;
    case MLPLK_SOFTMAX_GRAD: t->softmax_grad(n, k, j->y + at, a, j->b + at); break;
    case MLPLK_LOG_SOFTMAX_GRAD:
      t->log_softmax_grad(n, k, j->y + at, a, j->b + at);
      break;
  }
}

static void columns_task(void *arg, ptrdiff_t i, int worker) {
  (void)worker;
  const softmax_job *j = arg;
  const mlpli_lines *l = &j->l;
  const int64_t column = i % j->pieces * j->per_task, left = l->inner - column,
                n = left < j->per_task ? left : j->per_task,
                first = i / j->pieces * j->blocks, blocks = l->n / l->inner,
                end = first + j->blocks < blocks ? first + j->blocks : blocks;
  for (int64_t o = first; o < end; o++) {
    const int64_t at = (o * l->r * l->inner + column) * j->size;
    mlplk_softmax_columns(j->kern, j->kind, n, l->r, l->inner, j->y + at, j->a + at,
        j->b ? j->b + at : NULL);
  }
}

/* y = f(a, b) along an axis; y has elements, b may be NULL. */
static void run(mlpl_ctx *cx, mlplk_softmax_kind kind, int axis, mlpl_tensor *y,
    const mlpl_tensor *a, int64_t s_a, const mlpl_tensor *b) {
  softmax_job j = {.kern = mlpli_kern(y),
      .kind = kind,
      .l = mlpli_lines_of(y->ndim, y->shape, axis),
      .s_a = s_a,
      .size = (int64_t)mlpli_dtype_size[y->dtype],
      .y = y->data,
      .a = a->data,
      .b = b ? b->data : NULL};
  const int64_t fit = GRAIN / j.l.r;
  if (j.l.inner == 1) {
    j.per_task = fit < 1 ? 1 : fit;
    cx->par.run(&cx->par, (j.l.n + j.per_task - 1) / j.per_task, rows_task, &j);
    return;
  }
  j.per_task = fit < COLUMNS ? COLUMNS : fit;
  j.pieces = (j.l.inner + j.per_task - 1) / j.per_task;
  j.blocks = j.pieces > 1 || fit < j.l.inner ? 1 : fit / j.l.inner;
  const int64_t tasks = (j.l.n / j.l.inner + j.blocks - 1) / j.blocks * j.pieces;
  cx->par.run(&cx->par, tasks, columns_task, &j);
}

/* Whether columns are so few side by side that calls for each row of them cost more than
   turning the tensor. */
static bool is_narrow(const mlpl_tensor *t, int axis) {
  const int64_t inner = mlpli_lines_of(t->ndim, t->shape, axis).inner;
  return inner > 1 && inner < NARROW;
}

/* The axis last and everything contiguous, there and back. */
static mlpl_status run_turned(
    mlpl_ctx *cx, mlplk_softmax_kind kind, int axis, mlpl_tensor *y, mlpl_tensor *x) {
  const mlpl_value p[2] = {{.i = axis}, {.i = -1}};
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *rows = NULL;
  const bool was = mlpl_set_grad_enabled(cx, false);
  mlpl_tensor *vx = mlpli_x1(&e, MLPLI_OP_TRANSPOSE, x, p),
              *vy = mlpli_x1(&e, MLPLI_OP_TRANSPOSE, y, p);
  mlpl_set_grad_enabled(cx, was);
  if (e.status == MLPL_OK) e.status = mlpl_tensor_clone(cx, &rows, vx);
  if (e.status == MLPL_OK) {
    run(cx, kind, x->ndim - 1, rows, rows, x->shape[axis], NULL);
    mlpli_copy(vy, rows);
    mlpl_tensor_release(rows);
  }
  return mlpli_expr_end(&e);
}

static mlpl_status forward(
    mlpl_ctx *cx, mlpli_call *c, mlplk_softmax_kind kind, mlpl_tensor *out) {
  mlpl_tensor *x = c->in[0], *flat;
  int axis = 0;
  if (x->ndim || (c->p[0].i != 0 && c->p[0].i != -1))
    MLPL_TRY(mlpli_axis(cx, c->op->name, c->p[0].i, x->ndim, &axis));
  if (x->numel == 0) return MLPL_OK;
  if (axis == 1 && x->ndim == 2 && x->stride[1] == 1) { /* rows with gaps between */
    run(cx, kind, axis, out, x, x->stride[0], NULL);
    return MLPL_OK;
  }
  if (is_narrow(x, axis)) return run_turned(cx, kind, axis, out, x);
  MLPL_TRY(mlpli_tensor_contiguous(cx, &flat, x));
  run(cx, kind, axis, out, flat, x->ndim ? x->shape[axis] : 1, NULL);
  mlpl_tensor_release(flat);
  return MLPL_OK;
}

static FORWARD(softmax) { return forward(cx, c, MLPLK_SOFTMAX, *out); }
static FORWARD(log_softmax) { return forward(cx, c, MLPLK_LOG_SOFTMAX, *out); }

/* Sum along the row's axis, kept. */
static mlpl_tensor *row_sum(mlpli_expr *e, const mlpli_node *n, mlpl_tensor *t) {
  mlpl_value p[2] = {n->p[0], {.i = 1}};
  return mlpli_x1(e, MLPLI_OP_SUM, t, p);
}

/* One kernel where the pass is not recorded; *done says whether it was. */
static mlpl_status backward_kernel(
    mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g, mlplk_softmax_kind kind, bool *done) {
  mlpl_tensor *y = n->out, *gx;
  const int axis = (int)(n->p[0].i < 0 ? n->p[0].i + y->ndim : n->p[0].i);
  *done = !cx->grad_enabled && y->numel && y->ndim && y->contiguous && g->contiguous &&
      !is_narrow(y, axis);
  if (!*done) return MLPL_OK;
  MLPL_TRY(mlpli_tensor_like(cx, &gx, y));
  run(cx, kind, axis, gx, g, y->shape[axis], y);
  mlpl_status status = mlpli_give(cx, n, 0, gx);
  mlpl_tensor_release(gx);
  return status;
}

/* y (g - sum(g y)) */
static BACKWARD(softmax) {
  bool done;
  MLPL_TRY(backward_kernel(cx, n, g, MLPLK_SOFTMAX_GRAD, &done));
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
  MLPL_TRY(backward_kernel(cx, n, g, MLPLK_LOG_SOFTMAX_GRAD, &done));
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
