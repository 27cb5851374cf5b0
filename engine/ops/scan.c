/*
** Scans: every element from those before it along an axis.
**
** Products and their gradients, of any order, come from one internal row, `recur`:
**
**   y_t = a_t y_{t-1} + x_t     (lag: a_{t-1} y_{t-1} + x_t; reverse: from the end)
**
** whose gradient is itself a recurrence, run the other way with the other lag. Nothing is
** divided, so zeros need no care: d prod / d x_j is the product of what stands before j
** and of what stands behind it, and both are scans.
*/
#include "ops/rows.h"

#include "ops/axes.h"

#include "grad/grad.h"

#include <string.h>

#define GRAIN 16384 /* elements a task works on */
#define COLUMNS 32  /* at least so many columns side by side go together */

/* ---- one scan over a tensor -------------------------------------------------------- */

typedef struct scan_job {
  mlplk_scan *f;
  char *y;
  const char *x, *a;
  int64_t *index;
  size_t size;
  int64_t r, inner, step;
  int64_t lines, per_task; /* inner == 1: a task's lines are r apart */
  int64_t pieces, width;   /* else: pieces of the lines side by side */
} scan_job;

static void scan_at(const scan_job *j, int64_t first, int64_t n, int64_t s_n) {
  const size_t at = (size_t)first * j->size;
  j->f(n, j->r, j->y + at, j->index ? j->index + first : NULL, j->x + at,
      j->a ? j->a + at : NULL, s_n, j->step);
}

static void scan_task(void *arg, ptrdiff_t i, int worker) {
  (void)worker;
  const scan_job *j = arg;
  const int64_t last = j->step < 0 ? (j->r - 1) * j->inner : 0;
  if (j->inner == 1) {
    const int64_t first = i * j->per_task,
                  end = first + j->per_task < j->lines ? first + j->per_task : j->lines;
    scan_at(j, first * j->r + last, end - first, j->r);
    return;
  }
  const int64_t column = i % j->pieces * j->width,
                n = j->inner - column < j->width ? j->inner - column : j->width;
  scan_at(j, i / j->pieces * j->r * j->inner + column + last, n, 1);
}

/* All contiguous and of one shape; a, index may be NULL. */
static void run_scan(mlpl_ctx *cx, mlplk_scan *f, mlpl_tensor *y, mlpl_tensor *index,
    const mlpl_tensor *x, const mlpl_tensor *a, const mlpli_lines *l, bool reverse) {
  scan_job j = {.f = f,
      .y = y->data,
      .x = x->data,
      .a = a ? a->data : NULL,
      .index = index ? (int64_t *)(void *)index->data : NULL,
      .size = mlpli_dtype_size[y->dtype],
      .r = l->r,
      .inner = l->inner,
      .step = reverse ? -l->inner : l->inner,
      .lines = l->n};
  if (l->n == 0 || l->r == 0) return;
  const int64_t fit = GRAIN / l->r;
  j.per_task = fit < 1 ? 1 : fit;
  j.width = fit < COLUMNS ? COLUMNS : fit / COLUMNS * COLUMNS;
  j.pieces = (l->inner + j.width - 1) / j.width;
  const int64_t tasks = l->inner == 1 ? (l->n + j.per_task - 1) / j.per_task
                                      : l->n / l->inner * j.pieces;
  cx->par.run(&cx->par, tasks, scan_task, &j);
}

/* The lines of the first input along the axis that option k says. */
static mlpl_status lines_along(
    mlpl_ctx *cx, const mlpli_call *c, int k, int *axis, mlpli_lines *l) {
  MLPL_TRY(mlpli_line_axis(cx, c, k, axis));
  *l = mlpli_lines_of(c->in[0]->ndim, c->in[0]->shape, *axis);
  return MLPL_OK;
}

static SHAPE(scan) {
  int axis;
  MLPL_TRY(mlpli_line_axis(cx, c, 0, &axis));
  return mlpli_shape_same(cx, c, s);
}

/* y and index of x, of any dtype; whole numbers are scanned as i64. */
static mlpl_status scan(mlpl_ctx *cx, mlpli_call *c, mlplk_scan_kind kind, mlpl_tensor *y,
    mlpl_tensor *index) {
  mlpli_lines l;
  int axis;
  mlpl_tensor *x, *wide = NULL;
  MLPL_TRY(lines_along(cx, c, 0, &axis, &l));
  if (mlpli_is_real(c->in[0])) {
    MLPL_TRY(mlpli_tensor_contiguous(cx, &x, c->in[0]));
    run_scan(cx, mlpli_kern(x)->scan[kind], y, index, x, NULL, &l, false);
    mlpl_tensor_release(x);
    return MLPL_OK;
  }
  MLPL_TRY(mlpli_tensor_make(cx, &x, MLPL_I64, c->in[0]->ndim, c->in[0]->shape));
  mlpl_status status = mlpli_tensor_like(cx, &wide, x);
  if (status == MLPL_OK) {
    mlpli_copy(x, c->in[0]);
    run_scan(cx, mlplk_whole_scan(kind), wide, index, x, NULL, &l, false);
    mlpli_copy(y, wide);
  }
  mlpl_tensor_release(x);
  mlpl_tensor_release(wide);
  return status;
}

static FORWARD(cumsum) {
  return scan(cx, c, MLPLK_CUMSUM, *out, NULL);
}

static FORWARD(cumprod) {
  return scan(cx, c, MLPLK_CUMPROD, *out, NULL);
}

static FORWARD(logcumsumexp) { return scan(cx, c, MLPLK_LOGCUMSUMEXP, *out, NULL); }

/* Values and places. Backward needs the places from 0. */
static mlpl_status running_extreme(
    mlpl_ctx *cx, mlpli_call *c, mlplk_scan_kind kind, mlpl_tensor **out) {
  mlpl_tensor *index;
  MLPL_TRY(mlpli_tensor_make(cx, &index, MLPL_I64, (*out)->ndim, (*out)->shape));
  mlpl_status status = scan(cx, c, kind, *out, index);
  if (status == MLPL_OK && c->record) c->extra = mlpli_retain(index);
  if (status == MLPL_OK) status = mlpli_give_places(cx, c, index, &out[1]);
  mlpl_tensor_release(index);
  return status;
}

static FORWARD(cummax) { return running_extreme(cx, c, MLPLK_CUMMAX, out); }
static FORWARD(cummin) { return running_extreme(cx, c, MLPLK_CUMMIN, out); }

/* ---- recur ------------------------------------------------------------------------- */

/* in[0] is x; in[1], which may be left out (all ones), is a. */
static FORWARD(recur) {
  mlpli_lines l;
  int axis;
  mlpl_tensor *x, *a = NULL;
  const bool lag = c->p[2].i != 0;
  mlplk_scan_kind kind = c->n < 2 || !c->in[1] ? MLPLK_CUMSUM
      : lag                                    ? MLPLK_RECUR_LAG
                                               : MLPLK_RECUR;
  MLPL_TRY(lines_along(cx, c, 0, &axis, &l));
  MLPL_TRY(mlpli_tensor_contiguous(cx, &x, c->in[0]));
  mlpl_status status = MLPL_OK;
  if (kind != MLPLK_CUMSUM) status = mlpli_tensor_contiguous(cx, &a, c->in[1]);
  if (status == MLPL_OK)
    run_scan(cx, mlpli_kern(x)->scan[kind], *out, NULL, x, a, &l, c->p[1].i != 0);
  mlpl_tensor_release(x);
  mlpl_tensor_release(a);
  return status;
}

static mlpl_tensor *recur(
    mlpli_expr *e, mlpl_tensor *x, mlpl_tensor *a, int64_t dim, bool reverse, bool lag) {
  mlpl_value p[3] = {{.i = dim}, {.i = reverse}, {.i = lag}};
  return a ? mlpli_x2(e, MLPLI_OP_RECUR, x, a, p) : mlpli_x1(e, MLPLI_OP_RECUR, x, p);
}

/* t moved on by one place along the axis, 0 coming in; back: the other way. */
static mlpl_tensor *moved(mlpli_expr *e, mlpl_tensor *t, int axis, bool back) {
  if (!t) return NULL;
  if (t->ndim == 0 || t->shape[axis] == 0) return mlpli_xaffine(e, t, 0, 0);
  const int64_t r = t->shape[axis];
  mlpl_value cut[3] = {{.i = axis}, {.i = back}, {.i = r - 1}},
             put[3] = {{.i = axis}, {.i = !back}, {.i = r}};
  return mlpli_x1(e, MLPLI_OP_PLACE, mlpli_x1(e, MLPLI_OP_NARROW, t, cut), put);
}

/* With G the recurrence of g the other way: gx = G, and ga_t = G_t y_{t-1}, or with lag
   ga_t = G_{t+1} y_t. */
static BACKWARD(recur) {
  mlpli_expr e = {.cx = cx};
  const bool reverse = n->p[1].i != 0, lag = n->p[2].i != 0;
  const int64_t dim = n->p[0].i;
  mlpl_tensor *all = recur(&e, g, n->in[1], dim, !reverse, !lag);
  if (mlpli_wants(n, 0)) mlpli_xgive(&e, n, 0, all);
  if (n->n_in > 1 && mlpli_wants(n, 1)) {
    const int axis = mlpli_axis_known(dim, n->ndim);
    mlpl_tensor *y = mlpli_xout(&e, n);
    mlpl_tensor *ga = lag ? mlpli_xmul(&e, moved(&e, all, axis, !reverse), y)
                          : mlpli_xmul(&e, all, moved(&e, y, axis, reverse));
    mlpli_xgive(&e, n, 1, ga);
  }
  return mlpli_expr_end(&e);
}

/* ---- gradients of the scans -------------------------------------------------------- */

/* The sum from the end. */
static BACKWARD(cumsum) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(&e, n, 0, recur(&e, g, NULL, n->p[0].i, true, false));
  return mlpli_expr_end(&e);
}

static mlpl_tensor *ones_like(mlpli_expr *e, const mlpl_tensor *x) {
  mlpl_tensor *t;
  if (e->status != MLPL_OK) return NULL;
  e->status = mlpl_tensor_full(e->cx, &t, (mlpl_dtype)x->dtype, x->ndim, x->shape, 1);
  return mlpli_xkeep(e, t);
}

/* 1 in the first place of each line (the last: at the end), else 0. */
static mlpl_tensor *unit_like(mlpli_expr *e, mlpl_tensor *x, int axis, bool last) {
  mlpl_tensor *one = ones_like(e, x);
  if (!one || x->ndim == 0 || x->shape[axis] == 0) return one;
  mlpl_value cut[3] = {{.i = axis}, {.i = 0}, {.i = 1}},
             put[3] = {{.i = axis}, {.i = last ? x->shape[axis] - 1 : 0},
                 {.i = x->shape[axis]}};
  return mlpli_x1(e, MLPLI_OP_PLACE, mlpli_x1(e, MLPLI_OP_NARROW, one, cut), put);
}

/* d y_i / d x_j = prod_{k <= i, k != j} x_k for i >= j: what is before j, times
   S_j = g_j + x_{j+1} S_{j+1}. */
static BACKWARD(cumprod) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *x = n->in[0];
  const int64_t dim = n->p[0].i;
  const int axis = mlpli_axis_known(dim, x->ndim);
  mlpl_tensor *before = recur(&e, unit_like(&e, x, axis, false), x, dim, false, true);
  mlpl_tensor *behind = recur(&e, g, x, dim, true, true);
  mlpli_xgive(&e, n, 0, mlpli_xmul(&e, before, behind));
  return mlpli_expr_end(&e);
}

/*
** gx_j = sum_{t >= j} g_t e^(x_j - y_t) = e^(x_j - y_j) S_j with
** S_j = g_j + e^(y_j - y_{j+1}) S_{j+1}: no exponent is above 0, for y never falls.
*/
static BACKWARD(logcumsumexp) {
  mlpli_expr e = {.cx = cx};
  const int64_t dim = n->p[0].i;
  mlpl_tensor *x = n->in[0], *sum = g;
  mlpl_tensor *y = mlpli_x1(&e, MLPLI_OP_FLOORED, mlpli_xout(&e, n), NULL);
  mlpl_tensor *share = mlpli_x1(&e, MLPLI_OP_EXP, mlpli_xsub(&e, x, y), NULL);
  const int axis = mlpli_axis_known(dim, x->ndim);
  if (x->ndim && x->shape[axis] > 1) {
    /* y_j - y_{j+1}; what the last one holds is not read */
    const int64_t r = x->shape[axis];
    mlpl_value now[3] = {{.i = axis}, {.i = 0}, {.i = r - 1}},
               next[3] = {{.i = axis}, {.i = 1}, {.i = r - 1}},
               put[3] = {{.i = axis}, {.i = 0}, {.i = r}};
    mlpl_tensor *fall = mlpli_xsub(&e, mlpli_x1(&e, MLPLI_OP_NARROW, y, now),
        mlpli_x1(&e, MLPLI_OP_NARROW, y, next));
    mlpl_tensor *factor = mlpli_x1(
        &e, MLPLI_OP_PLACE, mlpli_x1(&e, MLPLI_OP_EXP, fall, NULL), put);
    sum = recur(&e, g, factor, dim, true, false);
  }
  mlpli_xgive(&e, n, 0, mlpli_xmul(&e, share, sum));
  return mlpli_expr_end(&e);
}

static BACKWARD(running_extreme) {
  mlpli_expr e = {.cx = cx};
  int ndim;
  const int64_t *shape;
  mlpli_input_shape(n, 0, &ndim, &shape);
  if (ndim == 0)
    mlpli_xgive(&e, n, 0, g);
  else {
    const int axis = mlpli_axis_known(n->p[0].i, ndim);
    mlpl_value how[2] = {{.i = axis}, {.i = shape[axis]}};
    mlpli_xgive(&e, n, 0, mlpli_x2(&e, MLPLI_OP_ADD_ALONG, g, n->extra, how));
  }
  return mlpli_expr_end(&e);
}

/* ---- prod -------------------------------------------------------------------------- */

static FORWARD(prod) {
  unsigned axes;
  MLPL_TRY(mlpli_axes(cx, "prod", c->p, c->in[0]->ndim, &axes));
  return mlpli_reduce(cx, MLPLK_PROD, *out, c->in[0], axes);
}

/* t with the reduced axes moved behind the others, in order (or moved back): exchanges
   of neighbours, which are views. */
static mlpl_tensor *moved_last(mlpli_expr *e, mlpl_tensor *t, unsigned axes, bool back) {
  int step[2 * MLPL_MAX_RANK * MLPL_MAX_RANK], n = 0;
  if (!t) return NULL;
  for (int d = t->ndim - 1, end = t->ndim - 1; d >= 0; d--) {
    if (!(axes >> d & 1)) continue;
    for (int i = d; i < end; i++) step[n++] = i;
    end--;
  }
  mlpli_retain(t);
  for (int i = 0; i < n && t; i++) {
    const int64_t at = step[back ? n - 1 - i : i];
    mlpl_value p[2] = {{.i = at}, {.i = at + 1}};
    mlpl_tensor *next = NULL;
    e->status = mlpli_apply(e->cx, &next, MLPLI_OP_TRANSPOSE, &t, 1, p);
    mlpl_tensor_release(t);
    t = next;
  }
  return mlpli_xkeep(e, t);
}

/* g times what is before and behind each element. */
static BACKWARD(prod) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *x = n->in[0];
  const unsigned axes = mlpli_axes_known(n->p, x->ndim);
  if (x->ndim == 0 || x->numel == 0) {
    mlpli_xgive(&e, n, 0, mlpli_xstretched(&e, n, g, axes));
    return mlpli_expr_end(&e);
  }
  mlpl_value rows = {.sizes = {.n = 2}}, shape = {.sizes = {.n = x->ndim}};
  rows.sizes.v[1] = (int64_t)mlpli_share(x->ndim, x->shape, axes);
  rows.sizes.v[0] = x->numel / rows.sizes.v[1];
  mlpl_tensor *last = moved_last(&e, x, axes, false);
  if (last) memcpy(shape.sizes.v, last->shape, (size_t)x->ndim * sizeof *x->shape);
  mlpl_tensor *row = mlpli_x1(&e, MLPLI_OP_RESHAPE, last, &rows);
  mlpl_tensor *before = NULL, *behind = NULL;
  if (row) {
    before = recur(&e, unit_like(&e, row, 1, false), row, 1, false, true);
    behind = recur(&e, unit_like(&e, row, 1, true), row, 1, true, true);
  }
  mlpl_tensor *slope = mlpli_x1(
      &e, MLPLI_OP_RESHAPE, mlpli_xmul(&e, before, behind), &shape);
  slope = moved_last(&e, slope, axes, true);
  mlpli_xgive(&e, n, 0, mlpli_xmul(&e, mlpli_xkept(&e, n, g, axes), slope));
  return mlpli_expr_end(&e);
}

/* ---- diff -------------------------------------------------------------------------- */

static SHAPE(difference) {
  int axis;
  MLPL_TRY(mlpli_line_axis(cx, c, 1, &axis));
  MLPL_TRY(mlpli_shape_same(cx, c, s));
  if (axis < 0)
    return mlpl_fail(cx, MLPL_ESHAPE, "diff: input has no axes; it must have one");
  s->size[axis] = s->size[axis] > c->p[0].i ? s->size[axis] - c->p[0].i : 0;
  return MLPL_OK;
}

/* b - a along the lines of x, once; whole numbers wrap around. */
static void difference(mlpl_tensor *y, const mlpl_tensor *x, const mlpli_lines *l) {
  const int64_t inner = l->inner, outer = l->n / inner, k = l->r - 1;
  for (int64_t o = 0; o < outer; o++)
    for (int64_t i = 0; i < k * inner; i++) {
      const int64_t a = o * l->r * inner + i, b = a + inner, at = o * k * inner + i;
      switch (x->dtype) {
        case MLPL_F32:
          ((float *)(void *)y->data)[at] = ((float *)(void *)x->data)[b] -
              ((float *)(void *)x->data)[a];
          break;
        case MLPL_F64:
          ((double *)(void *)y->data)[at] = ((double *)(void *)x->data)[b] -
              ((double *)(void *)x->data)[a];
          break;
        case MLPL_I64:
          ((uint64_t *)(void *)y->data)[at] = ((uint64_t *)(void *)x->data)[b] -
              ((uint64_t *)(void *)x->data)[a];
          break;
        case MLPL_U8:
          ((uint8_t *)y->data)[at] = (uint8_t)(((uint8_t *)x->data)[b] -
              ((uint8_t *)x->data)[a]);
          break;
        default: y->data[at] = x->data[b] != x->data[a]; /* bool: have they changed? */
      }
    }
}

static FORWARD(difference) {
  mlpli_lines l;
  int axis;
  mlpl_tensor *x;
  if ((*out)->numel == 0) return MLPL_OK;
  MLPL_TRY(lines_along(cx, c, 1, &axis, &l));
  MLPL_TRY(mlpli_tensor_contiguous(cx, &x, c->in[0]));
  for (int64_t i = 0; i < c->p[0].i; i++) {
    int64_t shape[MLPL_MAX_RANK];
    mlpl_tensor *y;
    memcpy(shape, x->shape, sizeof shape);
    shape[axis]--;
    mlpl_status status = mlpli_tensor_make(cx, &y, x->dtype, x->ndim, shape);
    if (status == MLPL_OK) difference(y, x, &l);
    mlpl_tensor_release(x);
    if (status != MLPL_OK) return status;
    x = y;
    l.r--;
  }
  mlpli_copy(*out, x);
  mlpl_tensor_release(x);
  return MLPL_OK;
}

/* n times: every difference gives g to its later element and -g to its earlier one. */
static BACKWARD(difference) {
  mlpl_status status = MLPL_OK;
  const int64_t dim = n->p[1].i;
  const int axis = mlpli_axis_known(dim, n->ndim);
  int ndim;
  const int64_t *shape;
  mlpli_input_shape(n, 0, &ndim, &shape);
  if (g->numel == 0) { /* no difference is left */
    mlpli_expr e = {.cx = cx};
    mlpl_value put[3] = {{.i = axis}, {.i = 0}, {.i = shape[axis]}};
    mlpli_xgive(&e, n, 0, mlpli_x1(&e, MLPLI_OP_PLACE, g, put));
    return mlpli_expr_end(&e);
  }
  mlpli_retain(g);
  for (int64_t i = 0; i < n->p[0].i && status == MLPL_OK; i++) {
    mlpli_expr e = {.cx = cx};
    const int64_t k = g->shape[axis];
    mlpl_value early[3] = {{.i = axis}, {.i = 0}, {.i = k + 1}},
               late[3] = {{.i = axis}, {.i = 1}, {.i = k + 1}};
    mlpl_tensor *wide = mlpli_xsub(&e, mlpli_x1(&e, MLPLI_OP_PLACE, g, late),
        mlpli_x1(&e, MLPLI_OP_PLACE, g, early));
    if (wide) {
      mlpl_tensor_release(g);
      g = mlpli_retain(wide);
    }
    status = mlpli_expr_end(&e);
  }
  if (status == MLPL_OK) status = mlpli_give(cx, n, 0, g);
  mlpl_tensor_release(g);
  return status;
}

/* That what is put before or behind x fits it along all other axes. */
static mlpl_status check_more(
    mlpl_ctx *cx, const mlpl_tensor *x, const mlpl_tensor *t, int axis, bool before) {
  char a[MLPLI_SHAPE_TEXT], b[MLPLI_SHAPE_TEXT];
  bool fits = !t || t->ndim == x->ndim;
  for (int d = 0; t && fits && d < x->ndim; d++)
    fits = d == axis || t->shape[d] == x->shape[d];
  if (fits) return MLPL_OK;
  return mlpl_fail(cx, MLPL_ESHAPE,
      "diff: input is %s, %s is %s; sizes must be equal but along axis %d",
      mlpli_tensor_text(a, x), before ? "prepend" : "append", mlpli_tensor_text(b, t),
      axis + cx->index_base);
}

/* Differences of what is before x, x, and what is behind it, as of one tensor. */
static COMPOSE(diff) {
  mlpl_tensor *x = c->in[0], *all[3], *before = c->n > 1 ? c->in[1] : NULL,
              *behind = c->n > 2 ? c->in[2] : NULL;
  mlpli_expr e = {.cx = cx};
  int axis, n = 0;
  if (!before && !behind)
    return mlpli_apply(cx, out, MLPLI_OP_DIFFERENCE, c->in, 1, c->p);
  MLPL_TRY(mlpli_axis(cx, "diff", c->p[1].i, x->ndim, &axis));
  MLPL_TRY(check_more(cx, x, before, axis, true));
  MLPL_TRY(check_more(cx, x, behind, axis, false));
  if (before) all[n++] = before;
  all[n++] = x;
  if (behind) all[n++] = behind;
  mlpl_tensor *joined = mlpli_xn(&e, MLPLI_OP_CAT, all, n, &(mlpl_value){.i = axis});
  return mlpli_xresult(&e, out, mlpli_x1(&e, MLPLI_OP_DIFFERENCE, joined, c->p));
}

/* ---- rows -------------------------------------------------------------------------- */

static const mlpl_param prod_params[] = {
    MLPLI_AXES_OPTION("dim"), MLPLI_BOOL_OPTION("keepdim", 0)};
static const mlpl_param scan_params[] = {MLPLI_AXIS_NEEDED("dim")};
static const mlpl_param recur_params[] = {MLPLI_AXIS_NEEDED("dim"),
    MLPLI_BOOL_OPTION("reverse", 0), MLPLI_BOOL_OPTION("lag", 0)};
static const mlpl_param diff_params[] = {
    MLPLI_INT_OPTION("n", 1, 0, MANY), MLPLI_AXIS_OPTION("dim", -1)};

const mlpl_op mlpli_op_prod = {UNARY_ROW(prod, MLPLI_ANY, mlpli_shape_reduced),
    .dtype = mlpli_gives_total, .saves = 1, HAS_BACKWARD(prod), PARAMS(prod_params)};
const mlpl_op mlpli_op_cumsum = {UNARY_ROW(cumsum, MLPLI_ANY, shape_scan),
    .underscored = true, .dtype = mlpli_gives_total, HAS_BACKWARD(cumsum),
    PARAMS(scan_params)};
const mlpl_op mlpli_op_cumprod = {UNARY_ROW(cumprod, MLPLI_ANY, shape_scan),
    .underscored = true, .dtype = mlpli_gives_total, .saves = 1, HAS_BACKWARD(cumprod),
    PARAMS(scan_params)};
const mlpl_op mlpli_op_logcumsumexp = {UNARY_ROW(logcumsumexp, MLPLI_REAL, shape_scan),
    .saves = 1 | MLPLI_SAVE_OUT, HAS_BACKWARD(logcumsumexp), PARAMS(scan_params)};
const mlpl_op mlpli_op_cummax = {PLACES_ROW(cummax, MLPLI_ANY_DISTINCT, shape_scan),
    HAS_BACKWARD(running_extreme), PARAMS(scan_params)};
const mlpl_op mlpli_op_cummin = {PLACES_ROW(cummin, MLPLI_ANY_DISTINCT, shape_scan),
    HAS_BACKWARD(running_extreme), PARAMS(scan_params)};
const mlpl_op mlpli_op_recur = {.name = "recur",
    .input_name = {"input", "factor"},
    .domain = {MLPLI_REAL, MLPLI_REAL},
    .n_inputs = 2,
    .n_required = 1,
    .n_outputs = 1,
    .saves = 2 | MLPLI_SAVE_OUT,
    .differentiable = 3,
    .shape = shape_scan,
    .forward = recur_forward,
    HAS_BACKWARD(recur),
    PARAMS(recur_params),
    .internal = true};
const mlpl_op mlpli_op_difference = {UNARY_ROW(difference, MLPLI_ANY, shape_difference),
    .says = MLPLI_OP_DIFF, HAS_BACKWARD(difference), PARAMS(diff_params), .internal = true};
const mlpl_op mlpli_op_diff = {.name = "diff",
    .input_name = {"input", "prepend", "append"},
    .domain = {MLPLI_ANY, MLPLI_ANY, MLPLI_ANY},
    .n_inputs = 3,
    .n_required = 1,
    .n_outputs = 1,
    .differentiable = 7,
    .compose = diff_compose,
    PARAMS(diff_params)};
