/* Axes to reduce, and lines along one axis. */
#include "ops/axes.h"

#include "ops/rows.h"

#include "grad/grad.h"

#include <string.h>

#define GRAIN 16384 /* elements a task works on */

static mlpl_status one_axis(
    mlpl_ctx *cx, const char *what, int64_t given, int ndim, unsigned *axes) {
  int axis;
  if (ndim == 0 && (given == 0 || given == -1)) return MLPL_OK;
  MLPL_TRY(mlpli_axis(cx, what, given, ndim, &axis));
  if (*axes >> axis & 1)
    return mlpl_fail(
        cx, MLPL_EARG, "%s: axis %d is given twice", what, axis + cx->index_base);
  *axes |= 1u << axis;
  return MLPL_OK;
}

mlpl_status mlpli_axes(
    mlpl_ctx *cx, const char *what, const mlpl_value *v, int ndim, unsigned *axes) {
  *axes = 0;
  if (v->i == MLPL_NO_AXIS)
    *axes = (1u << ndim) - 1;
  else if (v->i != MLPL_SEVERAL_AXES)
    MLPL_TRY(one_axis(cx, what, v->i, ndim, axes));
  else
    for (int i = 0; i < v->axes.n; i++)
      MLPL_TRY(one_axis(cx, what, v->axes.v[i], ndim, axes));
  return MLPL_OK;
}

static unsigned bit_of(int64_t axis, int ndim) {
  return ndim ? 1u << mlpli_axis_known(axis, ndim) : 0;
}

unsigned mlpli_axes_known(const mlpl_value *v, int ndim) {
  unsigned axes = 0;
  if (v->i == MLPL_NO_AXIS) return (1u << ndim) - 1;
  if (v->i != MLPL_SEVERAL_AXES) return bit_of(v->i, ndim);
  for (int i = 0; i < v->axes.n; i++) axes |= bit_of(v->axes.v[i], ndim);
  return axes;
}

void mlpli_shape_without(
    int ndim, const int64_t *shape, unsigned axes, bool keep, mlpli_shape *s) {
  s->ndim = 0;
  for (int d = 0; d < ndim; d++) {
    if (!(axes >> d & 1))
      s->size[s->ndim++] = shape[d];
    else if (keep)
      s->size[s->ndim++] = 1;
  }
}

mlpl_status mlpli_shape_of_axes(
    mlpl_ctx *cx, const mlpli_call *c, int keepdim, mlpli_shape *s) {
  const mlpl_tensor *x = c->in[0];
  unsigned axes;
  int dim = 0;
  while (strcmp(c->op->params[dim].name, "dim") != 0) dim++;
  MLPL_TRY(mlpli_axes(cx, c->op->name, &c->p[dim], x->ndim, &axes));
  mlpli_shape_without(x->ndim, x->shape, axes, c->p[keepdim].i != 0, s);
  return MLPL_OK;
}

double mlpli_share(int ndim, const int64_t *shape, unsigned axes) {
  double n = 1;
  for (int d = 0; d < ndim; d++)
    if (axes >> d & 1) n *= (double)shape[d];
  return n;
}

mlpl_status mlpli_check_choice(
    mlpl_ctx *cx, const char *what, const mlpl_tensor *x, unsigned axes) {
  char text[MLPLI_SHAPE_TEXT];
  int empty = -1;
  if (x->numel) return MLPL_OK;
  for (int d = x->ndim - 1; d >= 0; d--) {
    if (x->shape[d]) continue;
    if (!(axes >> d & 1)) return MLPL_OK; /* no results either */
    empty = d;
  }
  return mlpl_fail(cx, MLPL_ESHAPE, "%s: %s has no elements to choose from along axis %d",
      what, mlpli_tensor_text(text, x), empty + cx->index_base);
}

int mlpli_gives_total(const mlpli_call *c) {
  return mlpli_is_real(c->in[0]) ? c->in[0]->dtype : MLPL_I64;
}

/* ---- for backward passes ----------------------------------------------------------- */

mlpl_tensor *mlpli_xkept(mlpli_expr *e, mlpli_node *n, mlpl_tensor *t, unsigned axes) {
  int ndim;
  const int64_t *shape;
  mlpli_shape s;
  mlpli_input_shape(n, 0, &ndim, &shape);
  mlpli_shape_without(ndim, shape, axes, true, &s);
  mlpl_value kept = {.sizes = {.n = s.ndim}};
  memcpy(kept.sizes.v, s.size, (size_t)s.ndim * sizeof *s.size);
  return mlpli_x1(e, MLPLI_OP_RESHAPE, t, &kept);
}

mlpl_tensor *mlpli_xstretched(
    mlpli_expr *e, mlpli_node *n, mlpl_tensor *t, unsigned axes) {
  int ndim;
  const int64_t *shape;
  mlpli_input_shape(n, 0, &ndim, &shape);
  mlpl_value full = {.sizes = {.n = ndim}};
  memcpy(full.sizes.v, shape, (size_t)ndim * sizeof *shape);
  return mlpli_x1(e, MLPLI_OP_EXPAND, mlpli_xkept(e, n, t, axes), &full);
}

/* 1 where x equals y (NaN equals NaN), else 0; all contiguous, of one shape and dtype. */
static void mark_equal(mlpl_tensor *mask, const mlpl_tensor *x, const mlpl_tensor *y) {
  if (x->dtype == MLPL_F32) {
    const float *a = (const float *)(void *)x->data, *b = (const float *)(void *)y->data;
    float *m = (float *)(void *)mask->data;
    for (int64_t i = 0; i < x->numel; i++)
      m[i] = a[i] == b[i] || (a[i] != a[i] && b[i] != b[i]);
  }
  else {
    const double *a = (const double *)(void *)x->data,
                 *b = (const double *)(void *)y->data;
    double *m = (double *)(void *)mask->data;
    for (int64_t i = 0; i < x->numel; i++)
      m[i] = a[i] == b[i] || (a[i] != a[i] && b[i] != b[i]);
  }
}

static mlpl_tensor *like_input(
    mlpli_expr *e, const mlpl_tensor *x, mlpl_tensor *y, unsigned axes) {
  mlpli_shape s;
  mlpli_shape_without(x->ndim, x->shape, axes, true, &s);
  mlpl_value kept = {.sizes = {.n = x->ndim}}, full = {.sizes = {.n = x->ndim}};
  memcpy(kept.sizes.v, s.size, (size_t)x->ndim * sizeof *s.size);
  memcpy(full.sizes.v, x->shape, (size_t)x->ndim * sizeof *s.size);
  y = mlpli_x1(e, MLPLI_OP_RESHAPE, y, &kept);
  return mlpli_x1(e, MLPLI_OP_EXPAND, y, &full);
}

/* A contiguous copy where it is none. */
static mlpl_tensor *side_by_side(mlpli_expr *e, mlpl_tensor *t) {
  mlpl_tensor *c = NULL;
  if (!t || e->status != MLPL_OK) return NULL;
  e->status = mlpli_tensor_contiguous(e->cx, &c, t);
  return mlpli_xkeep(e, c);
}

mlpl_status mlpli_even_parts(
    mlpl_ctx *cx, mlpl_tensor *x, mlpl_tensor *y, unsigned axes, mlpl_tensor **parts) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *mask = NULL, *a, *b;
  int64_t several[MLPL_MAX_RANK];
  int n = 0;
  *parts = NULL;
  const bool was = mlpl_set_grad_enabled(cx, false);
  a = side_by_side(&e, x);
  b = side_by_side(&e, like_input(&e, x, y, axes));
  if (e.status == MLPL_OK) e.status = mlpli_tensor_like(cx, &mask, x);
  if (e.status == MLPL_OK) mark_equal(mlpli_xkeep(&e, mask), a, b);
  for (int d = 0; d < x->ndim; d++)
    if (axes >> d & 1) several[n++] = d;
  mlpl_value how[2];
  mlpl_value_axes(&how[0], n, several);
  how[1].i = 1;
  mlpl_tensor *part = mlpli_xdiv(&e, mask, mlpli_x1(&e, MLPLI_OP_SUM, mask, how));
  mlpl_set_grad_enabled(cx, was);
  if (part) *parts = mlpli_retain(part);
  return mlpli_expr_end(&e);
}

mlpl_tensor *mlpli_xevenly(mlpli_expr *e, mlpli_node *n, mlpl_tensor *g, unsigned axes) {
  mlpl_tensor *parts;
  if (e->status != MLPL_OK) return NULL;
  e->status = mlpli_even_parts(e->cx, n->in[0], n->out, axes, &parts);
  return mlpli_xmul(e, mlpli_xstretched(e, n, g, axes), mlpli_xkeep(e, parts));
}

/* ---- lines ------------------------------------------------------------------------- */

mlpli_lines mlpli_lines_of(int ndim, const int64_t *shape, int axis) {
  mlpli_lines l = {1, 1, 1};
  for (int d = 0; d < ndim; d++) {
    if (axis < 0 || d == axis)
      l.r *= shape[d];
    else
      l.n *= shape[d];
    if (axis >= 0 && d > axis) l.inner *= shape[d];
  }
  if (l.inner == 0) l.inner = 1; /* no lines; nothing divides by 0 */
  return l;
}

mlpl_status mlpli_line_axis(mlpl_ctx *cx, const mlpli_call *c, int k, int *axis) {
  const int64_t dim = c->p[k].i;
  const int ndim = c->in[0]->ndim;
  *axis = -1;
  if (dim == MLPL_NO_AXIS) return MLPL_OK;
  if (ndim == 0 && (dim == 0 || dim == -1)) return MLPL_OK;
  return mlpli_axis(cx, mlpli_said(c->op), dim, ndim, axis);
}

typedef struct line_job {
  mlpli_line_work *work;
  void *arg;
  char *scratch;
  size_t bytes;
  int64_t n, per_task;
} line_job;

static void line_task(void *arg, ptrdiff_t i, int worker) {
  const line_job *j = arg;
  const int64_t first = i * j->per_task,
                end = first + j->per_task < j->n ? first + j->per_task : j->n;
  for (int64_t line = first; line < end; line++)
    j->work(j->arg, line, j->scratch + (size_t)worker * j->bytes);
}

mlpl_status mlpli_each_line(mlpl_ctx *cx, const char *what, const mlpli_lines *l,
    size_t bytes, mlpli_line_work *work, void *arg) {
  line_job j = {
      work, arg, NULL, (bytes + 63) / 64 * 64, l->n, l->r ? GRAIN / l->r : l->n};
  if (l->n == 0) return MLPL_OK;
  if (j.per_task < 1) j.per_task = 1;
  const int64_t tasks = (l->n + j.per_task - 1) / j.per_task;
  const int workers = tasks > 1 ? cx->par.workers : 1;
  if (j.bytes) {
    j.scratch = mlpli_alloc(cx->heap, j.bytes * (size_t)workers);
    if (!j.scratch) return mlpli_no_memory(cx, what, j.bytes * (size_t)workers);
  }
  if (tasks > 1)
    cx->par.run(&cx->par, tasks, line_task, &j);
  else
    line_task(&j, 0, 0);
  mlpli_free(cx->heap, j.scratch);
  return MLPL_OK;
}

/* ---- places ------------------------------------------------------------------------ */

void mlpli_count_from_base(mlpl_tensor *out, const mlpl_tensor *index) {
  mlpli_number base;
  mlpli_map(
      MLPLK_ADD, out, index, mlpli_number_like(&base, index, index->cx->index_base), 0);
}

mlpl_status mlpli_give_places(
    mlpl_ctx *cx, const mlpli_call *c, mlpl_tensor *index, mlpl_tensor **out) {
  if (c->extra != index)
    *out = mlpli_retain(index);
  else
    MLPL_TRY(mlpli_tensor_like(cx, out, index));
  mlpli_count_from_base(*out, index);
  return MLPL_OK;
}
