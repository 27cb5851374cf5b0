/*
** Elements picked and put one by one along an axis: gather, scatter and what is made of
** them; one_hot. All of it copies. Where several elements go to one place, the last one
** stays (scatter), or they are added in order (scatter_add): the same bits every time.
*/
#include "ops/shape.h"

#include "grad/grad.h"
#include "ops/rows.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define GRAIN 16384 /* elements a task copies */
#define CHUNK 512   /* places that are made together */

/* ---- the loop ---------------------------------------------------------------------- */

typedef struct along_job {
  mlpli_move move;
  mlpl_tensor *t;
  const mlpl_tensor *index, *o;
  const int64_t *v; /* what index holds, row-major */
  int axis;
  int64_t run, n, per_task; /* length and number of runs */
  atomic_bool bad;          /* an index names no place */
} along_job;

/* A run whose elements in t and o lie step_t and step_o apart, a chunk of places at a
   time; false: where an index names none. */
static bool move_run(const along_job *j, const int64_t *v, char *t, int64_t step_t,
    char *o, int64_t step_o) {
  int64_t at[CHUNK];
  const int dtype = j->t->dtype;
  const int64_t size = mlpli_dtype_size[dtype], r = j->t->shape[j->axis],
                along = j->t->stride[j->axis];
  for (int64_t i = 0; i < j->run; i += CHUNK) {
    const int64_t n = j->run - i < CHUNK ? j->run - i : CHUNK;
    if (!mlpli_places_of(n, v + i, r, j->t->cx->index_base, MLPLI_FROM_START, at))
      return false;
    mlpli_move_each(j->move, dtype, n, at, along, t + i * step_t * size, step_t,
        o + i * step_o * size, step_o);
  }
  return true;
}

static void move_runs(void *arg, ptrdiff_t task, int worker) {
  (void)worker;
  along_job *j = arg;
  const mlpl_tensor *t = j->t, *o = j->o;
  const int last = j->index->ndim - 1;
  const int64_t size = mlpli_dtype_size[t->dtype],
                step_t = last == j->axis ? 0 : t->stride[last];
  const int64_t first = task * j->per_task,
                end = j->n - first < j->per_task ? j->n : first + j->per_task;
  for (int64_t i = first; i < end; i++) {
    int64_t from = 0, to = 0, left = i;
    for (int d = last - 1; d >= 0; d--) {
      const int64_t place = left % j->index->shape[d];
      left /= j->index->shape[d];
      if (d != j->axis) from += place * t->stride[d];
      to += place * o->stride[d];
    }
    if (!move_run(j, j->v + i * j->run, t->data + from * size, step_t,
            o->data + to * size, o->stride[last]))
      atomic_store(&j->bad, true);
  }
}

/* Before anything is put or added, perhaps in place. */
static bool all_name_places(int64_t count, const int64_t *v, int64_t n, int base) {
  bool bad = false;
  for (int64_t i = 0; i < count; i++)
    bad |= (uint64_t)v[i] - (uint64_t)base >= (uint64_t)n;
  return !bad;
}

/* For every element of index, between t at the element's own place, but index[..] along
   the axis, and o at the element's own place. Where an index names no place nothing is
   written to a t that is changed in place; else the result is lost. Runs are cut among
   threads where no two of them put or add to one place: when they lie along the axis. */
static mlpl_status along_axis(mlpl_ctx *cx, const char *what, mlpli_move move,
    mlpl_tensor *t, int axis, const mlpl_tensor *index, const mlpl_tensor *o,
    bool in_place) {
  mlpl_tensor *flat;
  mlpl_status status = MLPL_OK;
  if (index->numel == 0) return MLPL_OK;
  MLPL_TRY(mlpli_tensor_contiguous(cx, &flat, index));
  along_job j = {.move = move,
      .t = t,
      .index = index,
      .o = o,
      .axis = axis,
      .v = (const int64_t *)(const void *)flat->data};
  const bool apart = move == MLPLI_TAKE || axis == index->ndim - 1;
  j.run = index->shape[index->ndim - 1];
  j.n = index->numel / j.run;
  j.per_task = !apart ? j.n : j.run >= GRAIN ? 1 : GRAIN / j.run;
  j.bad = in_place && !all_name_places(index->numel, j.v, t->shape[axis], cx->index_base);
  if (!j.bad) cx->par.run(&cx->par, (j.n + j.per_task - 1) / j.per_task, move_runs, &j);
  if (j.bad)
    status = mlpli_no_place(
        cx, what, index->numel, j.v, axis, t->shape[axis], MLPLI_FROM_START);
  mlpl_tensor_release(flat);
  return status;
}

/* That index has x's axes and is nowhere longer than t but along the axis. */
static mlpl_status check_index(mlpl_ctx *cx, const mlpli_call *c, const char *name,
    const mlpl_tensor *t, const mlpl_tensor *index, int axis) {
  bool fits = index->ndim == t->ndim;
  for (int d = 0; d < t->ndim && fits; d++)
    fits = d == axis || index->shape[d] <= t->shape[d];
  if (fits) return MLPL_OK;
  char a[MLPLI_SHAPE_TEXT], b[MLPLI_SHAPE_TEXT], but[40] = "";
  if (axis >= 0) snprintf(but, sizeof but, " but along axis %d", axis + cx->index_base);
  return mlpl_fail(cx, MLPL_ESHAPE,
      "%s: %s is %s, index is %s; it must have as many axes and be nowhere longer%s",
      c->op->name, name, mlpli_tensor_text(a, t), mlpli_tensor_text(b, index), but);
}

static mlpl_status axis_of(
    mlpl_ctx *cx, const mlpli_call *c, const mlpl_value *p, int *a) {
  MLPL_TRY(mlpli_axis(cx, c->op->name, p->i, c->in[0]->ndim, a));
  return check_index(cx, c, "input", c->in[0], c->in[1], *a);
}

/* ---- gather ------------------------------------------------------------------------ */

static SHAPE(gather) {
  int axis;
  MLPL_TRY(axis_of(cx, c, &c->p[0], &axis));
  *s = (mlpli_shape){.ndim = c->in[1]->ndim};
  memcpy(s->size, c->in[1]->shape, sizeof s->size);
  return MLPL_OK;
}

static FORWARD(gather) {
  int axis;
  MLPL_TRY(axis_of(cx, c, &c->p[0], &axis));
  return along_axis(cx, "gather", MLPLI_TAKE, c->in[0], axis, c->in[1], *out, false);
}

static BACKWARD(gather) {
  mlpli_expr e = {.cx = cx};
  mlpl_value p[2] = {mlpli_input_sizes(n), n->p[0]};
  mlpli_xgive(&e, n, 0, mlpli_x2(&e, MLPLI_OP_PLACE_GATHER, g, n->in[1], p));
  return mlpli_expr_end(&e);
}

/* zeros of `sizes`, with x added at the places */
static FORWARD(place_gather) {
  int axis;
  mlpli_fill(*out, 0);
  MLPL_TRY(mlpli_axis(cx, "gather", c->p[1].i, (*out)->ndim, &axis));
  return along_axis(cx, "gather", MLPLI_ADD, *out, axis, c->in[1], c->in[0], false);
}

static BACKWARD(place_gather) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(&e, n, 0, mlpli_x2(&e, MLPLI_OP_GATHER, g, n->in[1], &n->p[1]));
  return mlpli_expr_end(&e);
}

/* ---- scatter, scatter_add ---------------------------------------------------------- */

/* The elements of index whose place a later one names. */
static mlpl_status overwritten(mlpl_ctx *cx, const mlpl_tensor *g, mlpl_tensor *index,
    int axis, mlpl_tensor **mask) {
  const int64_t length = index->shape[axis], size = g->shape[axis];
  int64_t outer = 1, inner = 1, *at;
  *mask = NULL;
  for (int d = 0; d < axis; d++) outer *= index->shape[d];
  for (int d = axis + 1; d < index->ndim; d++) inner *= index->shape[d];
  MLPL_TRY(mlpli_places(cx, "scatter", index, axis, size, MLPLI_FROM_START, &at));
  int64_t *place = at;
  for (int64_t i = 0; i < outer; i++)
    for (int64_t k = 0; k < length; k++)
      for (int64_t j = 0; j < inner; j++, place++)
        *place = (i * size + *place) * inner + j;
  mlpl_status status = mlpli_overwritten(
      cx, "scatter", index->ndim, index->shape, at, outer * size * inner, mask);
  mlpli_free(cx->heap, at);
  return status;
}

/* What goes back to the elements of src that index names, all (scatter_add) or those that
   no later one took the place of. */
static mlpl_tensor *taken_back(mlpli_expr *e, mlpli_node *n, mlpl_tensor *g, bool all) {
  mlpl_tensor *index = n->in[1], *mask = NULL;
  mlpl_tensor *gs = mlpli_x2(e, MLPLI_OP_GATHER, g, index, n->p);
  if (all || !gs) return gs;
  const int axis = mlpli_axis_known(n->p[0].i, g->ndim);
  e->status = overwritten(e->cx, g, index, axis, &mask);
  if (!mlpli_xkeep(e, mask)) return gs;
  return mlpli_x2(e, MLPLI_OP_MASKED_FILL, gs, mask, &(mlpl_value){.f = 0});
}

/* The gradient of src: what was gathered, among zeros where src is larger than index;
   of a number the sum. */
static void give_source(mlpli_expr *e, mlpli_node *n, mlpl_tensor *g, bool all) {
  int ndim;
  const int64_t *shape;
  mlpl_tensor *index = n->in[1], *gs = taken_back(e, n, g, all);
  mlpli_input_shape(n, 2, &ndim, &shape);
  if (ndim && !mlpli_same_shape(index, ndim, shape)) {
    mlpl_value p[4] = {mlpli_sizes_of(ndim, shape)};
    p[1].sizes.n = p[2].sizes.n = ndim;
    for (int d = 0; d < ndim; d++) p[1].sizes.v[d] = 0, p[2].sizes.v[d] = 1;
    p[3] = mlpli_sizes_of(ndim, index->shape);
    gs = gs ? mlpli_x1(e, MLPLI_OP_PLACE_SLICE, gs, p) : NULL;
  }
  mlpli_xgive(e, n, 2, gs);
}

static SHAPE(scatter) {
  int axis;
  MLPL_TRY(axis_of(cx, c, &c->p[0], &axis));
  if (c->in[2]->ndim) MLPL_TRY(check_index(cx, c, "src", c->in[2], c->in[1], -1));
  return mlpli_shape_same(cx, c, s);
}

/* A src without axes, a number, goes to every place. */
static mlpl_status scatter(
    mlpl_ctx *cx, const mlpli_call *c, mlpli_move move, mlpl_tensor *out) {
  int axis;
  mlpl_tensor src = *c->in[2];
  MLPL_TRY(axis_of(cx, c, &c->p[0], &axis));
  if (src.ndim == 0) {
    src.ndim = out->ndim;
    memset(src.stride, 0, sizeof src.stride);
  }
  const bool in_place = out->data == c->in[0]->data;
  if (!in_place) mlpli_copy(out, c->in[0]);
  return along_axis(cx, c->op->name, move, out, axis, c->in[1], &src, in_place);
}

static FORWARD(scatter) { return scatter(cx, c, MLPLI_PUT, *out); }
static FORWARD(scatter_add) { return scatter(cx, c, MLPLI_ADD, *out); }

static BACKWARD(scatter) {
  mlpli_expr e = {.cx = cx};
  if (mlpli_wants(n, 0)) {
    mlpl_tensor *zero = NULL;
    e.status = mlpl_tensor_full(cx, &zero, (mlpl_dtype)g->dtype, 0, NULL, 0);
    mlpl_tensor *in[3] = {g, n->in[1], mlpli_xkeep(&e, zero)};
    mlpli_xgive(&e, n, 0, mlpli_xn(&e, MLPLI_OP_SCATTER, in, 3, n->p));
  }
  if (mlpli_wants(n, 2)) give_source(&e, n, g, false);
  return mlpli_expr_end(&e);
}

static BACKWARD(scatter_add) {
  mlpli_expr e = {.cx = cx};
  if (mlpli_wants(n, 0)) mlpli_xgive(&e, n, 0, g);
  if (mlpli_wants(n, 2)) give_source(&e, n, g, true);
  return mlpli_expr_end(&e);
}

/* ---- scatter_reduce ---------------------------------------------------------------- */

enum { PROD, AMAX, AMIN, SUM, MEAN };
/* the first three have loops of their own */
static const char *const reduces[] = {"prod", "amax", "amin", "sum", "mean", NULL};
static const char *const combinations[] = {"prod", "amax", "amin", NULL};

/* What changes nothing that it is combined with. */
static double neutral(int64_t reduce, int dtype) {
  if (reduce == PROD) return 1;
  if (dtype == MLPL_BOOL) return reduce == AMIN;
  return reduce == AMAX ? -(double)INFINITY : (double)INFINITY;
}

static SHAPE(combine) {
  int axis;
  MLPL_TRY(axis_of(cx, c, &c->p[0], &axis));
  return mlpli_shape_same(cx, c, s);
}

/* Products, largest and smallest of what goes to each place; src has index's shape. */
static FORWARD(combine) {
  const int64_t reduce = c->p[1].i;
  mlpli_number nothing;
  int axis;
  MLPL_TRY(axis_of(cx, c, &c->p[0], &axis));
  mlpli_copy(*out, c->in[0]);
  if (!c->p[2].i) {
    mlpl_tensor all = *mlpli_number_like(&nothing, *out, neutral(reduce, (*out)->dtype));
    all.ndim = (*out)->ndim;
    memset(all.stride, 0, sizeof all.stride);
    MLPL_TRY(
        along_axis(cx, "scatter_reduce", MLPLI_PUT, *out, axis, c->in[1], &all, false));
  }
  return along_axis(cx, "scatter_reduce",
      reduce == PROD       ? MLPLI_TIMES
          : reduce == AMAX ? MLPLI_MOST
                           : MLPLI_LEAST,
      *out, axis, c->in[1], c->in[2], false);
}

static mlpl_tensor *put(mlpli_expr *e, mlpli_op_id how, mlpl_tensor *x,
    mlpl_tensor *index, mlpl_tensor *v, const mlpl_value *dim) {
  return mlpli_x3(e, how, x, index, v, dim);
}

/* 1 where both are equal, else 0; a constant in g's dtype */
static mlpl_tensor *equal_to(
    mlpli_expr *e, mlpl_tensor *a, mlpl_tensor *b, const mlpl_tensor *g) {
  const mlpl_value real = {.i = g->dtype};
  return mlpli_x1(e, MLPLI_OP_TO, mlpli_x2(e, MLPLI_OP_EQ, a, b, NULL), &real);
}

/* The gradient is shared evenly among all that equal the result. */
static mlpl_status give_extreme(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *index = n->in[1];
  const bool was = mlpl_set_grad_enabled(cx, false);
  mlpl_tensor *own = equal_to(&e, n->in[0], n->out, g);
  if (!n->p[2].i)
    own = put(&e, MLPLI_OP_SCATTER, own, index, mlpli_xnumber(&e, g, 0), n->p);
  mlpl_tensor *there = mlpli_x2(&e, MLPLI_OP_GATHER, n->out, index, n->p);
  mlpl_tensor *theirs = equal_to(&e, n->in[2], there, g);
  mlpl_tensor *all = put(&e, MLPLI_OP_SCATTER_ADD, own, index, theirs, n->p);
  mlpl_set_grad_enabled(cx, was);
  mlpl_tensor *share = mlpli_xdiv(&e, g, all);
  if (mlpli_wants(n, 0)) mlpli_xgive(&e, n, 0, mlpli_xmul(&e, own, share));
  if (mlpli_wants(n, 2))
    mlpli_xgive(&e, n, 2,
        mlpli_xmul(&e, theirs, mlpli_x2(&e, MLPLI_OP_GATHER, share, index, n->p)));
  return mlpli_expr_end(&e);
}

/* t with 1 where the mask holds */
static mlpl_tensor *ones_where(mlpli_expr *e, mlpl_tensor *mask, mlpl_tensor *t) {
  return mlpli_x2(e, MLPLI_OP_MASKED_FILL, t, mask, &(mlpl_value){.f = 1});
}

/* Of x: the result with 1 in the place of its zeros, over x with 1 there. */
static mlpl_tensor *slope_of_input(mlpli_expr *e, mlpli_node *n, mlpl_tensor *g) {
  mlpl_tensor *x = n->in[0],
              *zero = mlpli_x2(e, MLPLI_OP_EQ, x, mlpli_xnumber(e, x, 0), NULL),
              *some = ones_where(e, zero, x);
  mlpl_tensor *y = mlpli_x3(e, MLPLI_OP_SCATTER_COMBINE, some, n->in[1], n->in[2], n->p);
  mlpl_tensor *gx = mlpli_xmul(e, g, mlpli_xdiv(e, y, some));
  return n->p[2].i ? gx
                   : put(e, MLPLI_OP_SCATTER, gx, n->in[1], mlpli_xnumber(e, g, 0), n->p);
}

/* Of src: the result over the element; where that is the one zero that goes to a place,
   the product of all others. Two zeros leave nothing. */
static mlpl_tensor *slope_of_source(mlpli_expr *e, mlpli_node *n, mlpl_tensor *g) {
  mlpl_tensor *index = n->in[1], *src = n->in[2], *none = mlpli_xnumber(e, g, 0);
  const bool was = mlpl_set_grad_enabled(e->cx, false);
  mlpl_tensor *zero = mlpli_x2(e, MLPLI_OP_EQ, src, none, NULL),
              *counts = put(e, MLPLI_OP_SCATTER_ADD, mlpli_xaffine(e, g, 0, 0), index,
                  equal_to(e, src, none, g), n->p),
              *there = mlpli_x2(e, MLPLI_OP_GATHER, counts, index, n->p),
              *alone = mlpli_x2(e, MLPLI_OP_LOGICAL_AND, zero,
                  mlpli_x2(e, MLPLI_OP_EQ, there, mlpli_xnumber(e, g, 1), NULL), NULL);
  mlpl_set_grad_enabled(e->cx, was);
  mlpl_tensor *others = mlpli_x3(
      e, MLPLI_OP_SCATTER_COMBINE, n->in[0], index, ones_where(e, alone, src), n->p);
  mlpl_tensor *whole = mlpli_xdiv(e,
      mlpli_x2(e, MLPLI_OP_GATHER, mlpli_xmul(e, g, mlpli_xout(e, n)), index, n->p),
      ones_where(e, zero, src));
  mlpl_tensor *left = mlpli_x2(e, MLPLI_OP_GATHER, mlpli_xmul(e, g, others), index, n->p);
  return mlpli_x3(e, MLPLI_OP_WHERE, alone, left, whole, NULL);
}

static BACKWARD(combine) {
  if (n->p[1].i != PROD) return give_extreme(cx, n, g);
  mlpli_expr e = {.cx = cx};
  if (mlpli_wants(n, 0)) mlpli_xgive(&e, n, 0, slope_of_input(&e, n, g));
  if (mlpli_wants(n, 2)) mlpli_xgive(&e, n, 2, slope_of_source(&e, n, g));
  return mlpli_expr_end(&e);
}

/* The part of src that index reads; a number stands at every place. */
static mlpl_tensor *source_part(
    mlpli_expr *e, mlpl_tensor *src, const mlpl_tensor *index) {
  mlpl_value p[3];
  if (src->ndim == 0) {
    p[0] = mlpli_sizes_of(index->ndim, index->shape);
    return mlpli_x1(e, MLPLI_OP_EXPAND, src, p);
  }
  if (mlpli_same_shape(src, index->ndim, index->shape)) return src;
  for (int i = 0; i < 3; i++) p[i] = mlpli_sizes_of(index->ndim, index->shape);
  for (int d = 0; d < index->ndim; d++) p[0].sizes.v[d] = 0, p[1].sizes.v[d] = 1;
  return mlpli_x1(e, MLPLI_OP_SLICE, src, p);
}

/* How many elements each result is made of. */
static mlpl_tensor *terms(
    mlpli_expr *e, const mlpli_call *c, mlpl_tensor *index, const mlpl_value *p) {
  mlpl_tensor *x = c->in[0], *ones = NULL;
  if (e->status == MLPL_OK)
    e->status = mlpl_tensor_full(
        e->cx, &ones, (mlpl_dtype)x->dtype, x->ndim, x->shape, 1);
  mlpli_xkeep(e, ones);
  if (!p[2].i) ones = put(e, MLPLI_OP_SCATTER, ones, index, mlpli_xnumber(e, x, 0), p);
  return put(e, MLPLI_OP_SCATTER_ADD, ones, index, mlpli_xnumber(e, x, 1), p);
}

static COMPOSE(scatter_reduce) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *x = c->in[0], *index = c->in[1], *y = x;
  const int64_t reduce = c->p[1].i;
  int axis;
  MLPL_TRY(axis_of(cx, c, &c->p[0], &axis));
  if (c->in[2]->ndim) MLPL_TRY(check_index(cx, c, "src", c->in[2], index, -1));
  if (x->dtype == MLPL_BOOL && reduce == MEAN)
    return mlpl_fail(cx, MLPL_EARG,
        "scatter_reduce: input is bool; a mean takes numbers (convert with :to)");
  mlpl_tensor *src = source_part(&e, c->in[2], index);
  if (reduce == SUM || reduce == MEAN) {
    if (!c->p[2].i)
      y = put(&e, MLPLI_OP_SCATTER, y, index, mlpli_xnumber(&e, x, 0), c->p);
    y = put(&e, MLPLI_OP_SCATTER_ADD, y, index, src, c->p);
  }
  else
    y = put(&e, MLPLI_OP_SCATTER_COMBINE, y, index, src, c->p);
  if (reduce == MEAN)
    y = mlpli_x2(&e, mlpli_is_real(x) ? MLPLI_OP_DIV : MLPLI_OP_FLOOR_DIVIDE, y,
        terms(&e, c, index, c->p), NULL);
  return mlpli_xresult(&e, out, y);
}

/* ---- take_along_dim ---------------------------------------------------------------- */

/* t stretched to the sizes of s but along the axis. */
static mlpl_tensor *stretched(mlpli_expr *e, mlpl_tensor *t, mlpli_shape s, int axis) {
  s.size[axis] = t->shape[axis];
  mlpl_value p = mlpli_sizes_of(s.ndim, s.size);
  return mlpli_same_shape(t, s.ndim, s.size) ? t : mlpli_x1(e, MLPLI_OP_EXPAND, t, &p);
}

static COMPOSE(take_along_dim) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *x = c->in[0], *index = c->in[1];
  mlpl_value p = c->p[0];
  mlpli_shape s;
  int axis = 0;
  if (p.i == MLPL_NO_AXIS) { /* as if both had one axis */
    x = mlpli_x1(&e, MLPLI_OP_RAVEL, x, NULL);
    index = mlpli_x1(&e, MLPLI_OP_RAVEL, index, NULL);
    p.i = 0;
    return mlpli_xresult(&e, out, mlpli_x2(&e, MLPLI_OP_GATHER, x, index, &p));
  }
  MLPL_TRY(mlpli_axis(cx, "take_along_dim", p.i, x->ndim, &axis));
  mlpl_tensor a = *x, b = *index; /* without the axis, to be compared */
  char ta[MLPLI_SHAPE_TEXT], tb[MLPLI_SHAPE_TEXT];
  if (a.ndim != b.ndim)
    return mlpl_fail(cx, MLPL_ESHAPE,
        "take_along_dim: input is %s, indices is %s; they must have as many axes",
        mlpli_tensor_text(ta, x), mlpli_tensor_text(tb, index));
  a.shape[axis] = b.shape[axis] = 1;
  MLPL_TRY(mlpli_broadcast_as(cx, "take_along_dim", "input", &a, "indices", &b, &s));
  x = stretched(&e, x, s, axis);
  index = stretched(&e, index, s, axis);
  return mlpli_xresult(&e, out, mlpli_x2(&e, MLPLI_OP_GATHER, x, index, &p));
}

/* ---- one_hot ----------------------------------------------------------------------- */

/* num_classes -1: as many as the largest class asks for. */
static mlpl_status n_classes(mlpl_ctx *cx, const mlpli_call *c, int64_t *k) {
  mlpl_tensor *t;
  const int base = cx->index_base;
  int64_t most = -1;
  if ((*k = c->p[0].i) >= 0) return MLPL_OK;
  if (c->in[0]->numel == 0)
    return mlpl_fail(cx, MLPL_EARG,
        "one_hot: the tensor is empty; num_classes must say how many classes there are");
  MLPL_TRY(mlpli_tensor_contiguous(cx, &t, c->in[0]));
  const int64_t *v = (const void *)t->data;
  for (int64_t i = 0; i < t->numel; i++)
    if (v[i] > most) most = v[i];
  *k = most < base ? 0 : most < INT64_MAX ? most + 1 - base : INT64_MAX;
  mlpl_tensor_release(t);
  return MLPL_OK;
}

static SHAPE(one_hot) {
  const mlpl_tensor *x = c->in[0];
  if (x->ndim == MLPL_MAX_RANK)
    return mlpl_fail(cx, MLPL_ESHAPE,
        "one_hot: input has %d axes already; classes need one more", MLPL_MAX_RANK);
  s->ndim = x->ndim + 1;
  memcpy(s->size, x->shape, sizeof s->size);
  return n_classes(cx, c, &s->size[x->ndim]);
}

static FORWARD(one_hot) {
  const int last = (*out)->ndim - 1;
  const int64_t k = (*out)->shape[last], one = 1;
  const int base = cx->index_base;
  mlpl_tensor *t;
  mlpl_status status = MLPL_OK;
  MLPL_TRY(mlpli_tensor_contiguous(cx, &t, c->in[0]));
  const int64_t *v = (const void *)t->data;
  mlpli_fill(*out, 0);
  for (int64_t i = 0; i < t->numel && status == MLPL_OK; i++)
    if (v[i] < base || v[i] - base >= k)
      status = mlpl_fail(cx, MLPL_EARG,
          "one_hot: input has class %lld; with %lld classes they run from %d to %lld%s",
          (long long)v[i], (long long)k, base, (long long)(k - 1 + base),
          v[i] == 0 && base == 1 ? " (are they counted from 0? add 1)" : "");
    else
      memcpy((*out)->data + (size_t)(i * k + v[i] - base) * sizeof one, &one, sizeof one);
  mlpl_tensor_release(t);
  return status;
}

/* ---- rows -------------------------------------------------------------------------- */

static const mlpl_param dim_params[] = {MLPLI_AXIS_NEEDED("dim")};
static const mlpl_param maybe_dim_params[] = {MLPLI_AXIS_OPTION("dim", NAN)};
static const mlpl_param place_params[] = {
    MLPLI_SIZES_NEEDED("sizes"), MLPLI_AXIS_NEEDED("dim")};
static const mlpl_param reduce_params[] = {MLPLI_AXIS_NEEDED("dim"),
    {"reduce", MLPL_PARAM_CHOICE, MLPL_REQUIRED, 0, 0, 0, reduces, 0},
    MLPLI_BOOL_OPTION("include_self", 1)};
static const mlpl_param combine_params[] = {MLPLI_AXIS_NEEDED("dim"),
    {"reduce", MLPL_PARAM_CHOICE, MLPL_REQUIRED, 0, 0, 0, combinations, 0},
    MLPLI_BOOL_OPTION("include_self", 1)};
static const mlpl_param one_hot_params[] = {
    MLPLI_INT_OPTION("num_classes", -1, -1, MANY)};

const mlpl_op mlpli_op_gather = {
    GUIDED_ROW(gather, "index", MLPLI_ANY, MLPLI_INDEX, shape_gather), .options_first = 1,
    .refuses_late = true, PARAMS(dim_params)};
const mlpl_op mlpli_op_place_gather = {
    GUIDED_ROW(place_gather, "index", MLPLI_ANY, MLPLI_INDEX, mlpli_shape_sizes),
    .refuses_late = true, .internal = true, PARAMS(place_params)};
#define SCATTER_ROW(f)                                                                   \
  .name = #f, .input_name = {"input", "index", "src"},                                   \
  .domain = {MLPLI_ANY, MLPLI_INDEX, MLPLI_LIKE}, .n_inputs = 3, .n_required = 3,        \
  .n_outputs = 1, .saves = 2, .differentiable = 5, .options_first = 1, .numbers = 4,     \
  .rewrites = true, .refuses_late = true, .underscored = true, .shape = shape_scatter,   \
  .forward = f##_forward, HAS_BACKWARD(f), PARAMS(dim_params)
const mlpl_op mlpli_op_scatter = {SCATTER_ROW(scatter)};
const mlpl_op mlpli_op_scatter_add = {SCATTER_ROW(scatter_add)};
#define REDUCE_ROW(f)                                                                    \
  .name = #f, .says = MLPLI_OP_SCATTER_REDUCE, .input_name = {"input", "index", "src"},  \
  .domain = {MLPLI_ANY, MLPLI_INDEX, MLPLI_LIKE}, .n_inputs = 3, .n_required = 3,        \
  .n_outputs = 1, .differentiable = 5
const mlpl_op mlpli_op_scatter_combine = {REDUCE_ROW(scatter_combine),
    PARAMS(combine_params), .internal = true, .refuses_late = true,
    .saves = 7 | MLPLI_SAVE_OUT, .shape = shape_combine, .forward = combine_forward,
    HAS_BACKWARD(combine)};
const mlpl_op mlpli_op_scatter_reduce = {REDUCE_ROW(scatter_reduce),
    PARAMS(reduce_params), .options_first = 1, .numbers = 4, .underscored = true,
    .compose = scatter_reduce_compose};
const mlpl_op mlpli_op_take_along_dim = {.name = "take_along_dim",
    .input_name = {"input", "indices"},
    .domain = {MLPLI_ANY, MLPLI_INDEX},
    .n_inputs = 2,
    .n_required = 2,
    .n_outputs = 1,
    .differentiable = 1,
    .compose = take_along_dim_compose,
    PARAMS(maybe_dim_params)};
const mlpl_op mlpli_op_one_hot = {.name = "one_hot",
    .input_name = {"input"},
    .domain = {MLPLI_INDEX},
    .n_inputs = 1,
    .n_required = 1,
    .n_outputs = 1,
    .refuses_late = true,
    .shape = shape_one_hot,
    .forward = one_hot_forward,
    PARAMS(one_hot_params)};
