/*
** Elements picked by index tensors, one for each of several leading axes or along one
** axis: PyTorch's advanced indexing, taking, putting and adding. All of it copies.
**
** Index tensors are index-valued (they count from the context's base), broadcast against
** each other, and may be left out (NULL) for axes that are taken whole. Where the axes
** that have one stand side by side, the broadcast axes stand in their place, else first.
*/
#include "ops/shape.h"

#include "grad/grad.h"
#include "ops/rows.h"
#include "tensor/walk.h"

#include <stdio.h>
#include <string.h>

#define GRAIN 16384 /* elements a task copies */

/* ---- index-valued tensors as places ------------------------------------------------ */

static mlpl_status outside(mlpl_ctx *cx, const char *what, int64_t v, int axis, int64_t n,
    mlpli_negative negative) {
  const int base = cx->index_base;
  char end[64] = "";
  if (negative == MLPLI_FROM_END_TOO && n)
    snprintf(end, sizeof end, " (or -%lld to -1 from the end)", (long long)n);
  if (n == 0)
    return mlpl_fail(cx, MLPL_EARG,
        "%s: index %lld along axis %d, which has size 0: no index is valid", what,
        (long long)v, axis + base);
  return mlpl_fail(cx, MLPL_EARG,
      "%s: index %lld along axis %d, which has size %lld: indices run from %d to "
      "%lld%s%s",
      what, (long long)v, axis + base, (long long)n, base, (long long)(n - 1 + base), end,
      v == 0 && base == 1 ? "; are these counted from 0? add 1" : "");
}

bool mlpli_places_of(int64_t count, const int64_t *v, int64_t n, int base,
    mlpli_negative negative, int64_t *at) {
  const int64_t from_end = negative == MLPLI_FROM_END_TOO ? n : -base;
  bool bad = false;
  for (int64_t i = 0; i < count; i++) {
    /* unsigned: the least number has no neighbour below */
    const uint64_t place = (uint64_t)v[i] + (uint64_t)(v[i] < 0 ? from_end : -base);
    bad |= place >= (uint64_t)n;
    at[i] = (int64_t)place;
  }
  return !bad;
}

mlpl_status mlpli_no_place(mlpl_ctx *cx, const char *what, int64_t count,
    const int64_t *v, int axis, int64_t n, mlpli_negative negative) {
  int64_t i = 0, at;
  while (i < count - 1 && mlpli_places_of(1, v + i, n, cx->index_base, negative, &at))
    i++;
  return outside(cx, what, v[i], axis, n, negative);
}

mlpl_status mlpli_places(mlpl_ctx *cx, const char *what, const mlpl_tensor *t, int axis,
    int64_t n, mlpli_negative negative, int64_t **at) {
  mlpl_tensor *flat;
  MLPL_TRY(mlpli_new(cx, at, (size_t)t->numel * sizeof **at, what));
  mlpl_status status = mlpli_tensor_contiguous(cx, &flat, t);
  const int64_t *v = status == MLPL_OK ? (const void *)flat->data : NULL;
  if (v && !mlpli_places_of(t->numel, v, n, cx->index_base, negative, *at)) {
    status = mlpli_no_place(cx, what, t->numel, v, axis, n, negative);
  }
  if (v) mlpl_tensor_release(flat);
  if (status == MLPL_OK) return MLPL_OK;
  mlpli_free(cx->heap, *at);
  *at = NULL;
  return status;
}

/* ---- runs -------------------------------------------------------------------------- */

static void copy_run(
    size_t size, int64_t n, char *d, int64_t s_d, const char *s, int64_t s_s) {
  s_d *= (int64_t)size, s_s *= (int64_t)size;
  if (s_d == (int64_t)size && s_s == (int64_t)size)
    memcpy(d, s, (size_t)n * size);
  else if (size == 8)
    for (int64_t i = 0; i < n; i++) memcpy(d + i * s_d, s + i * s_s, 8);
  else if (size == 4)
    for (int64_t i = 0; i < n; i++) memcpy(d + i * s_d, s + i * s_s, 4);
  else
    for (int64_t i = 0; i < n; i++) d[i * s_d] = s[i * s_s];
}

#define ADD_RUN(type)                                                                    \
  static void add_##type(int64_t n, type *d, int64_t s_d, const type *s, int64_t s_s) {  \
    for (int64_t i = 0; i < n; i++) d[i * s_d] = (type)(d[i * s_d] + s[i * s_s]);        \
  }
ADD_RUN(float)
ADD_RUN(double)
ADD_RUN(uint64_t) /* for i64: wraps, where a signed sum could not */
ADD_RUN(uint8_t)

static void or_run(int64_t n, uint8_t *d, int64_t s_d, const uint8_t *s, int64_t s_s) {
  for (int64_t i = 0; i < n; i++) d[i * s_d] |= s[i * s_s];
}

/* An element of t from both: a product, or the larger or smaller of two. */
#define COMBINE(type, product, nan)                                                      \
  static void combine_##type(                                                            \
      mlpli_move move, int64_t n, type *d, int64_t s_d, const type *s, int64_t s_s) {    \
    for (int64_t i = 0; i < n; i++) {                                                    \
      type *x = &d[i * s_d];                                                             \
      const type y = s[i * s_s];                                                         \
      if (move == MLPLI_TIMES)                                                           \
        *x = (type)(product);                                                            \
      else if (!(nan(*x)) && (nan(y) || (move == MLPLI_MOST ? y > *x : y < *x)))         \
        *x = y;                                                                          \
    }                                                                                    \
  }
#define IS_NAN(v) ((v) != (v))
#define NEVER(v) false
COMBINE(float, *x *y, IS_NAN)
COMBINE(double, *x *y, IS_NAN)
COMBINE(int64_t, (uint64_t)*x *(uint64_t)y, NEVER)
COMBINE(uint8_t, *x *y, NEVER) /* of truth values, too: and, or, and */

static void combine_run(mlpli_move move, int dtype, int64_t n, char *t, int64_t s_t,
    const char *o, int64_t s_o) {
  switch (dtype) {
    case MLPL_F32: combine_float(move, n, (void *)t, s_t, (const void *)o, s_o); return;
    case MLPL_F64: combine_double(move, n, (void *)t, s_t, (const void *)o, s_o); return;
    case MLPL_I64: combine_int64_t(move, n, (void *)t, s_t, (const void *)o, s_o); return;
    default: combine_uint8_t(move, n, (void *)t, s_t, (const void *)o, s_o);
  }
}

void mlpli_move_run(
    mlpli_move move, int dtype, int64_t n, char *t, int64_t s_t, char *o, int64_t s_o) {
  const size_t size = mlpli_dtype_size[dtype];
  if (move == MLPLI_TAKE) {
    copy_run(size, n, o, s_o, t, s_t);
    return;
  }
  if (move == MLPLI_PUT) {
    copy_run(size, n, t, s_t, o, s_o);
    return;
  }
  if (move > MLPLI_ADD) {
    combine_run(move, dtype, n, t, s_t, o, s_o);
    return;
  }
  switch (dtype) {
    case MLPL_F32: add_float(n, (void *)t, s_t, (void *)o, s_o); return;
    case MLPL_F64: add_double(n, (void *)t, s_t, (void *)o, s_o); return;
    case MLPL_I64: add_uint64_t(n, (void *)t, s_t, (void *)o, s_o); return;
    case MLPL_U8: add_uint8_t(n, (void *)t, s_t, (void *)o, s_o); return;
    default: or_run(n, (void *)t, s_t, (void *)o, s_o);
  }
}

#define MOVE_EACH(type, sum)                                                             \
  static void each_##type(mlpli_move move, int64_t n, const int64_t *at, int64_t along,  \
      type *t, int64_t s_t, type *o, int64_t s_o) {                                      \
    if (move == MLPLI_TAKE && along == 1 && s_t == 0 && s_o == 1)                        \
      for (int64_t i = 0; i < n; i++) o[i] = t[at[i]];                                   \
    else if (move == MLPLI_TAKE)                                                         \
      for (int64_t i = 0; i < n; i++) o[i * s_o] = t[at[i] * along + i * s_t];           \
    else if (move == MLPLI_PUT)                                                          \
      for (int64_t i = 0; i < n; i++) t[at[i] * along + i * s_t] = o[i * s_o];           \
    else                                                                                 \
      for (int64_t i = 0; i < n; i++) {                                                  \
        type *p = &t[at[i] * along + i * s_t];                                           \
        *p = (type)(*p sum o[i * s_o]);                                                  \
      }                                                                                  \
  }
typedef uint8_t truth;
MOVE_EACH(float, +)
MOVE_EACH(double, +)
MOVE_EACH(uint64_t, +)
MOVE_EACH(uint8_t, +)
MOVE_EACH(truth, |)

void mlpli_move_each(mlpli_move move, int dtype, int64_t n, const int64_t *at,
    int64_t along, char *t, int64_t s_t, char *o, int64_t s_o) {
  void *vt = t, *vo = o;
  const int64_t size = mlpli_dtype_size[dtype];
  if (move > MLPLI_ADD) {
    for (int64_t i = 0; i < n; i++)
      combine_run(
          move, dtype, 1, t + (at[i] * along + i * s_t) * size, 1, o + i * s_o * size, 1);
    return;
  }
  switch (dtype) {
    case MLPL_F32: each_float(move, n, at, along, vt, s_t, vo, s_o); return;
    case MLPL_F64: each_double(move, n, at, along, vt, s_t, vo, s_o); return;
    case MLPL_I64: each_uint64_t(move, n, at, along, vt, s_t, vo, s_o); return;
    case MLPL_U8: each_uint8_t(move, n, at, along, vt, s_t, vo, s_o); return;
    default: each_truth(move, n, at, along, vt, s_t, vo, s_o);
  }
}

/* ---- a subscript: x[i, j, ...] with index tensors ---------------------------------- */

typedef struct subscript {
  mlpli_shape broadcast;           /* of the index tensors together */
  mlpli_shape out;                 /* of x[...] */
  int lead;                        /* where in it the broadcast axes begin */
  int n_rest, rest[MLPL_MAX_RANK]; /* the axes of x that are taken whole */
} subscript;

/* The broadcast of all index tensors, one after the other. */
static mlpl_status broadcast_indices(
    mlpl_ctx *cx, const char *what, mlpl_tensor *const *index, int n, mlpli_shape *s) {
  s->ndim = 0;
  for (int k = 0; k < n; k++) {
    if (!index[k]) continue;
    mlpl_tensor so_far = *index[k];
    so_far.ndim = (uint8_t)s->ndim;
    memcpy(so_far.shape, s->size, sizeof so_far.shape);
    MLPL_TRY(mlpli_broadcast(cx, what, &so_far, index[k], s));
  }
  return MLPL_OK;
}

static mlpl_status subscript_of(mlpl_ctx *cx, const char *what, int ndim,
    const int64_t *shape, mlpl_tensor *const *index, int n, subscript *s) {
  int runs = 0, first = -1;
  memset(s, 0, sizeof *s);
  if (n > ndim)
    return mlpl_fail(
        cx, MLPL_EARG, "%s: %d indices for a tensor with %d axes", what, n, ndim);
  MLPL_TRY(broadcast_indices(cx, what, index, n, &s->broadcast));
  for (int d = 0; d < ndim; d++) {
    if (d >= n || !index[d]) {
      s->rest[s->n_rest++] = d;
      continue;
    }
    if (first < 0) first = d;
    runs += d == 0 || !index[d - 1];
  }
  if (s->broadcast.ndim + s->n_rest > MLPL_MAX_RANK)
    return mlpl_fail(cx, MLPL_ESHAPE,
        "%s: %d axes would come of it; a tensor has at most %d", what,
        s->broadcast.ndim + s->n_rest, MLPL_MAX_RANK);
  s->lead = runs == 1 ? first : 0; /* as many whole axes stand before the first */
  for (int d = 0; d < s->lead; d++) s->out.size[d] = shape[s->rest[d]];
  for (int d = 0; d < s->broadcast.ndim; d++)
    s->out.size[s->lead + d] = s->broadcast.size[d];
  for (int d = s->lead; d < s->n_rest; d++)
    s->out.size[s->broadcast.ndim + d] = shape[s->rest[d]];
  s->out.ndim = s->broadcast.ndim + s->n_rest;
  if (mlpli_shape_fits(s->out.ndim, s->out.size)) return MLPL_OK;
  char text[MLPLI_SHAPE_TEXT];
  return mlpl_fail(cx, MLPL_ESHAPE, "%s: %s is more than can be counted", what,
      mlpli_shape_text(text, s->out.ndim, s->out.size));
}

static int64_t count(const mlpli_shape *s) {
  int64_t n = 1;
  for (int d = 0; d < s->ndim; d++) n *= s->size[d];
  return n;
}

/* (*at)[i]: where in t, in elements, position i of the broadcast shape lies. */
static mlpl_status offsets_of(mlpl_ctx *cx, const char *what, const mlpl_tensor *t,
    mlpl_tensor *const *index, int n, const subscript *s, int64_t **at) {
  const int64_t total = count(&s->broadcast);
  MLPL_TRY(mlpli_new(cx, at, (size_t)total * sizeof **at, what));
  memset(*at, 0, (size_t)total * sizeof **at);
  for (int k = 0; k < n; k++) {
    if (!index[k]) continue;
    mlpl_tensor wide = *index[k]; /* read with the broadcast shape */
    int64_t *place;
    mlpl_status status = mlpli_places(
        cx, what, index[k], k, t->shape[k], MLPLI_FROM_END_TOO, &place);
    if (status != MLPL_OK) {
      mlpli_free(cx->heap, *at);
      *at = NULL;
      return status;
    }
    int64_t step = 1, stride[MLPL_MAX_RANK], where[MLPL_MAX_RANK] = {0}, from = 0;
    for (int d = wide.ndim - 1; d >= 0; d--) wide.stride[d] = step, step *= wide.shape[d];
    mlpli_broadcast_strides(&wide, s->broadcast.ndim, s->broadcast.size, stride);
    for (int64_t i = 0; i < total; i++) {
      (*at)[i] += place[from] * t->stride[k];
      for (int d = s->broadcast.ndim - 1; d >= 0; d--) {
        from += stride[d];
        if (++where[d] < s->broadcast.size[d]) break;
        from -= stride[d] * s->broadcast.size[d];
        where[d] = 0;
      }
    }
    mlpli_free(cx->heap, place);
  }
  return MLPL_OK;
}

/* ---- moving sub-arrays between the chosen places and a tensor of x[...]'s shape ---- */

typedef struct move_job {
  mlpli_move move;
  int dtype;
  char *t, *o;
  const int64_t *at;
  int64_t n, per_task;
  bool single; /* elements, as if the chosen places had one axis */
  int n_lead;
  int64_t lead[MLPL_MAX_RANK], lead_stride[MLPL_MAX_RANK]; /* of o */
  mlpli_walk rest;                                         /* of t and o */
} move_job;

static void move_one(const move_job *j, int64_t i) {
  const int64_t size = mlpli_dtype_size[j->dtype], last = j->rest.ndim - 1;
  const int64_t run = mlpli_walk_run(&j->rest), runs = mlpli_walk_n_runs(&j->rest);
  int64_t to = 0, rest[2];
  char *t = j->t + j->at[i] * size;
  for (int d = j->n_lead - 1; d >= 0; d--) {
    to += i % j->lead[d] * j->lead_stride[d];
    i /= j->lead[d];
  }
  for (int64_t r = 0; r < runs; r++) {
    mlpli_walk_at(&j->rest, r, rest);
    mlpli_move_run(j->move, j->dtype, run, t + rest[0] * size, j->rest.stride[0][last],
        j->o + (to + rest[1]) * size, j->rest.stride[1][last]);
  }
}

static void move_task(void *arg, ptrdiff_t i, int worker) {
  (void)worker;
  const move_job *j = arg;
  const int64_t first = i * j->per_task,
                end = j->n - first < j->per_task ? j->n : first + j->per_task;
  if (j->single) {
    const int64_t step = j->lead_stride[0], size = mlpli_dtype_size[j->dtype];
    mlpli_move_each(j->move, j->dtype, end - first, j->at + first, 1, j->t, 0,
        j->o + first * step * size, step);
    return;
  }
  for (int64_t k = first; k < end; k++) move_one(j, k);
}

/* o has the shape of the subscript, or is stretched to it. Only taking is cut among
   threads: two positions may put or add to one place. */
static mlpl_status move(mlpl_ctx *cx, const char *what, mlpli_move kind, mlpl_tensor *t,
    mlpl_tensor *const *index, int n, const subscript *s, mlpl_tensor *o) {
  int64_t stride[MLPL_MAX_RANK], size[MLPL_MAX_RANK], of_t[MLPL_MAX_RANK],
      of_o[MLPL_MAX_RANK], *at;
  move_job j = {.move = kind,
      .dtype = t->dtype,
      .t = t->data,
      .o = o->data,
      .n = count(&s->broadcast)};
  MLPL_TRY(offsets_of(cx, what, t, index, n, s, &at));
  mlpli_broadcast_strides(o, s->out.ndim, s->out.size, stride);
  mlpli_walk lead;
  mlpli_walk_init(&lead, s->broadcast.ndim, s->broadcast.size, 1,
      (const int64_t *[]){stride + s->lead});
  j.n_lead = lead.ndim;
  memcpy(j.lead, lead.shape, sizeof j.lead);
  memcpy(j.lead_stride, lead.stride[0], sizeof j.lead_stride);
  for (int d = 0; d < s->n_rest; d++) {
    size[d] = t->shape[s->rest[d]];
    of_t[d] = t->stride[s->rest[d]];
    of_o[d] = stride[d < s->lead ? d : d + s->broadcast.ndim];
  }
  mlpli_walk_init(&j.rest, s->n_rest, size, 2, (const int64_t *[]){of_t, of_o});
  int64_t each = mlpli_walk_run(&j.rest) * mlpli_walk_n_runs(&j.rest);
  j.at = at;
  j.single = each == 1 && j.n_lead == 1;
  j.per_task = kind != MLPLI_TAKE ? j.n : each >= GRAIN ? 1 : GRAIN / (each ? each : 1);
  if (j.n && each)
    cx->par.run(&cx->par, (j.n + j.per_task - 1) / j.per_task, move_task, &j);
  mlpli_free(cx->heap, at);
  return MLPL_OK;
}

/* ---- index: x[i, j, ...] ----------------------------------------------------------- */

static SHAPE(index) {
  subscript u;
  MLPL_TRY(subscript_of(
      cx, "index", c->in[0]->ndim, c->in[0]->shape, c->in + 1, c->n - 1, &u));
  *s = u.out;
  return MLPL_OK;
}

static FORWARD(index) {
  subscript u;
  MLPL_TRY(subscript_of(
      cx, "index", c->in[0]->ndim, c->in[0]->shape, c->in + 1, c->n - 1, &u));
  return move(cx, "index", MLPLI_TAKE, c->in[0], c->in + 1, c->n - 1, &u, *out);
}

/* The inputs of a backward row: g, and the index tensors that were saved. */
static mlpl_tensor *with_indices(mlpli_expr *e, mlpli_op_id id, mlpl_tensor *g,
    mlpli_node *n, int first, const mlpl_value *p) {
  mlpl_tensor *in[1 + MLPL_MAX_RANK] = {g};
  int k = n->n_in - first;
  for (int i = 0; i < k; i++) in[1 + i] = n->in[first + i];
  return mlpli_xn(e, id, in, 1 + k, p);
}

static BACKWARD(index) {
  mlpli_expr e = {.cx = cx};
  mlpl_value sizes = mlpli_input_sizes(n);
  mlpli_xgive(&e, n, 0, with_indices(&e, MLPLI_OP_PLACE_INDEX, g, n, 1, &sizes));
  return mlpli_expr_end(&e);
}

/* ---- place_index: zeros of `sizes`, with x added at the places --------------------- */

static FORWARD(place_index) {
  subscript u;
  mlpli_fill(*out, 0);
  MLPL_TRY(
      subscript_of(cx, "index", (*out)->ndim, (*out)->shape, c->in + 1, c->n - 1, &u));
  return move(cx, "index", MLPLI_ADD, *out, c->in + 1, c->n - 1, &u, c->in[0]);
}

static BACKWARD(place_index) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(&e, n, 0, with_indices(&e, MLPLI_OP_INDEX, g, n, 1, NULL));
  return mlpli_expr_end(&e);
}

/* ---- index_put: x with values in the chosen places --------------------------------- */

/* Options: start, step, count of the part (shape.h) in which the index tensors count;
   accumulate. */
enum { START, STEP, COUNT, ACCUMULATE };

/* v without axes of size 1 in front, as far as the part has none. */
static mlpl_tensor without_front(const mlpl_tensor *v, int ndim) {
  mlpl_tensor t = *v;
  while (t.ndim > ndim && t.shape[0] == 1) {
    t.ndim--;
    memmove(t.shape, t.shape + 1, t.ndim * sizeof *t.shape);
    memmove(t.stride, t.stride + 1, t.ndim * sizeof *t.stride);
  }
  return t;
}

static mlpl_status check_values(
    mlpl_ctx *cx, const char *what, const mlpli_shape *part, const mlpl_tensor *v) {
  int lead = part->ndim - v->ndim;
  bool fits = lead >= 0;
  for (int d = 0; d < v->ndim && fits; d++)
    fits = v->shape[d] == 1 || v->shape[d] == part->size[lead + d];
  if (fits) return MLPL_OK;
  char a[MLPLI_SHAPE_TEXT], b[MLPLI_SHAPE_TEXT];
  return mlpl_fail(cx, MLPL_ESHAPE,
      "%s: the part is %s, the values %s; they must broadcast to it", what,
      mlpli_shape_text(a, part->ndim, part->size), mlpli_tensor_text(b, v));
}

mlpl_status mlpli_put(mlpl_ctx *cx, const char *what, mlpl_tensor *x, mlpl_tensor *v,
    mlpl_tensor *const *index, int n, const mlpl_value *p) {
  subscript u;
  mlpl_tensor *part;
  MLPL_TRY(mlpli_part(cx, what, x, p, &part));
  mlpl_status status = subscript_of(cx, what, part->ndim, part->shape, index, n, &u);
  if (status == MLPL_OK) {
    mlpl_tensor values = without_front(v, u.out.ndim);
    status = check_values(cx, what, &u.out, &values);
    if (status == MLPL_OK)
      status = move(
          cx, what, p[ACCUMULATE].i ? MLPLI_ADD : MLPLI_PUT, part, index, n, &u, &values);
  }
  mlpl_tensor_release(part);
  return status;
}

static FORWARD(index_put) {
  if ((*out)->data != c->in[0]->data) mlpli_copy(*out, c->in[0]);
  return mlpli_put(cx, "index_put", *out, c->in[1], c->in + 2, c->n - 2, c->p);
}

/* For the positions of a subscript of `part`; stretched over the axes that are taken
   whole. */
static mlpl_status overwritten(mlpl_ctx *cx, const mlpl_tensor *part,
    mlpl_tensor *const *index, int n, mlpl_tensor **mask) {
  subscript u;
  mlpl_tensor grid = *part; /* of the indexed axes alone */
  int64_t places = 1, *at;
  *mask = NULL;
  MLPL_TRY(subscript_of(cx, "index_put", part->ndim, part->shape, index, n, &u));
  if (part->numel == 0) return MLPL_OK;
  for (int k = 0; k < n; k++)
    if (index[k]) grid.stride[k] = places, places *= grid.shape[k];
  MLPL_TRY(offsets_of(cx, "index_put", &grid, index, n, &u, &at));
  mlpli_shape s = u.broadcast;
  while (s.ndim < u.out.ndim - u.lead) s.size[s.ndim++] = 1;
  mlpl_status status = mlpli_overwritten(
      cx, "index_put", s.ndim, s.size, at, places, mask);
  mlpli_free(cx->heap, at);
  return status;
}

/* gv, the gradient of the places, but 0 for values that others took the place of. */
static mlpl_tensor *of_those_that_stay(
    mlpli_expr *e, mlpli_node *n, const mlpl_tensor *part, mlpl_tensor *gv) {
  mlpl_tensor *mask = NULL;
  if (!gv || n->p[ACCUMULATE].i) return gv;
  e->status = overwritten(e->cx, part, n->in + 2, n->n_in - 2, &mask);
  if (!mlpli_xkeep(e, mask)) return gv;
  return mlpli_x2(e, MLPLI_OP_MASKED_FILL, gv, mask, &(mlpl_value){.f = 0});
}

static BACKWARD(index_put) {
  mlpli_expr e = {.cx = cx};
  if (mlpli_wants(n, 1)) {
    int ndim;
    const int64_t *shape;
    mlpl_tensor *part = mlpli_x1(&e, MLPLI_OP_SLICE, g, n->p);
    mlpl_tensor *gv = with_indices(&e, MLPLI_OP_INDEX, part, n, 2, NULL);
    gv = of_those_that_stay(&e, n, part, gv);
    mlpli_input_shape(n, 1, &ndim, &shape);
    if (gv && gv->ndim < ndim) { /* axes of size 1 in front again */
      mlpl_value sizes = {.sizes = {.n = ndim}};
      for (int d = 0; d < ndim; d++)
        sizes.sizes.v[d] = d < ndim - gv->ndim ? 1 : gv->shape[d - ndim + gv->ndim];
      gv = mlpli_x1(&e, MLPLI_OP_RESHAPE, gv, &sizes);
    }
    mlpli_xgive(&e, n, 1, gv);
  }
  if (mlpli_wants(n, 0) && n->p[ACCUMULATE].i) mlpli_xgive(&e, n, 0, g);
  if (mlpli_wants(n, 0) && !n->p[ACCUMULATE].i && e.status == MLPL_OK) {
    mlpl_tensor *in[2 + MLPL_MAX_RANK] = {g, NULL}, *zero;
    e.status = mlpl_tensor_full(cx, &zero, (mlpl_dtype)g->dtype, 0, NULL, 0);
    in[1] = mlpli_xkeep(&e, zero);
    for (int i = 2; i < n->n_in; i++) in[i] = n->in[i];
    mlpli_xgive(&e, n, 0, mlpli_xn(&e, MLPLI_OP_INDEX_PUT, in, n->n_in, n->p));
  }
  return mlpli_expr_end(&e);
}

/* ---- rows: all copy ---------------------------------------------------------------- */

static const mlpl_param sizes_params[] = {MLPLI_SIZES_NEEDED("sizes")};
static const mlpl_param put_params[] = {MLPLI_SIZES_OPTION("start"),
    MLPLI_SIZES_OPTION("step"), MLPLI_SIZES_OPTION("count"),
    MLPLI_BOOL_OPTION("accumulate", 0)};
/* x and one index tensor or none for each of its axes */
#define INDEX_ROW(f, rule)                                                               \
  .name = #f, .input_name = {"input", "index"}, .domain = {MLPLI_ANY, MLPLI_INDEX},      \
  .n_inputs = 2, .n_required = 1, .n_outputs = 1, .saves = 2, .differentiable = 1,       \
  .internal = true, .list = MLPLI_GAPS, .shape = rule, .forward = f##_forward,           \
  HAS_BACKWARD(f)
const mlpl_op mlpli_op_index = {INDEX_ROW(index, shape_index)};
const mlpl_op mlpli_op_place_index = {INDEX_ROW(place_index, mlpli_shape_sizes),
    .refuses_late = true, PARAMS(sizes_params)};
const mlpl_op mlpli_op_index_put = {.name = "index_put",
    .input_name = {"input", "values", "index"},
    .domain = {MLPLI_ANY, MLPLI_LIKE, MLPLI_INDEX},
    .n_inputs = 3,
    .n_required = 2,
    .n_outputs = 1,
    .saves = 4,
    .differentiable = 3,
    .internal = true,
    .refuses_late = true,
    .list = MLPLI_GAPS,
    .shape = mlpli_shape_same,
    .forward = index_put_forward,
    HAS_BACKWARD(index_put),
    PARAMS(put_params)};
