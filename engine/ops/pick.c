/*
** Slices picked and put along one axis, elements picked by one number or by a mask. All
** of it copies; the work is done by the rows of index.c.
*/
#include "grad/grad.h"
#include "ops/rows.h"
#include "ops/shape.h"

#include <string.h>

/* ---- along one axis ---------------------------------------------------------------- */

/* The index tensor for the axis after as many gaps as there are axes before it. */
typedef struct along {
  int n, axis;
  mlpl_tensor *in[2 + MLPL_MAX_RANK];
} along;

static mlpl_status check_along(mlpl_ctx *cx, const mlpli_call *c, along *a, int first) {
  const mlpl_op *op = c->op;
  const mlpl_tensor *x = c->in[0], *index = c->in[1];
  char text[MLPLI_SHAPE_TEXT];
  int64_t *at;
  memset(a, 0, sizeof *a);
  MLPL_TRY(mlpli_axis(cx, op->name, c->p[0].i, x->ndim, &a->axis));
  if (index->ndim > 1)
    return mlpl_fail(cx, MLPL_ESHAPE, "%s: index is %s; it must have one axis", op->name,
        mlpli_tensor_text(text, index));
  MLPL_TRY(mlpli_places(
      cx, op->name, index, a->axis, x->shape[a->axis], MLPLI_FROM_START, &at));
  mlpli_free(cx->heap, at);
  a->in[0] = c->in[0];
  a->in[first + a->axis] = c->in[1];
  a->n = first + a->axis + 1;
  return MLPL_OK;
}

/* As if index, which may be without axes, had one. */
static mlpl_tensor *listed(mlpli_expr *e, mlpl_tensor *index) {
  mlpl_value one = mlpli_sizes_of(1, (int64_t[]){1});
  return index->ndim ? index : mlpli_x1(e, MLPLI_OP_RESHAPE, index, &one);
}

static COMPOSE(index_select) {
  along a;
  mlpli_expr e = {.cx = cx};
  MLPL_TRY(check_along(cx, c, &a, 1));
  a.in[a.n - 1] = listed(&e, a.in[a.n - 1]);
  return mlpli_xresult(&e, out, mlpli_xn(&e, MLPLI_OP_INDEX, a.in, a.n, NULL));
}

/* x with v in (or added to) the slices of the index. */
static mlpl_tensor *put_along(mlpli_expr *e, along *a, mlpl_tensor *v, bool accumulate) {
  mlpl_value p[4];
  memset(p, 0, sizeof p);
  p[3].i = accumulate; /* after start, step, count */
  a->in[1] = v;
  a->in[a->n - 1] = listed(e, a->in[a->n - 1]);
  return v ? mlpli_xn(e, MLPLI_OP_INDEX_PUT, a->in, a->n, p) : NULL;
}

/* That source has x's shape, with as many slices as there are indices. */
static mlpl_status check_source(mlpl_ctx *cx, const mlpli_call *c, const along *a) {
  const mlpl_tensor *x = c->in[0], *source = c->in[2];
  char s[MLPLI_SHAPE_TEXT], t[MLPLI_SHAPE_TEXT];
  int64_t want[MLPL_MAX_RANK];
  memcpy(want, x->shape, sizeof want);
  want[a->axis] = c->in[1]->numel;
  if (mlpli_same_shape(source, x->ndim, want)) return MLPL_OK;
  return mlpl_fail(cx, MLPL_ESHAPE,
      "%s: source is %s; with %lld indices along axis %d it must be %s", c->op->name,
      mlpli_tensor_text(s, source), (long long)want[a->axis], a->axis + cx->index_base,
      mlpli_shape_text(t, x->ndim, want));
}

static COMPOSE(index_add) {
  along a;
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *v = c->in[2];
  MLPL_TRY(check_along(cx, c, &a, 2));
  MLPL_TRY(check_source(cx, c, &a));
  if (c->p[1].f != 1) v = mlpli_xaffine(&e, v, c->p[1].f, 0);
  return mlpli_xresult(&e, out, put_along(&e, &a, v, true));
}

static COMPOSE(index_copy) {
  along a;
  mlpli_expr e = {.cx = cx};
  MLPL_TRY(check_along(cx, c, &a, 2));
  MLPL_TRY(check_source(cx, c, &a));
  return mlpli_xresult(&e, out, put_along(&e, &a, c->in[2], false));
}

/* The slices are combined as scatter_reduce combines elements: each of a slice's has the
   slice's place. */
static COMPOSE(index_reduce) {
  along a;
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *source = c->in[2];
  enum { MEAN = 3, ITS_MEAN = 4 }; /* it has the sum before */
  const mlpl_value p[3] = {
      c->p[0], {.i = c->p[1].i == MEAN ? ITS_MEAN : c->p[1].i}, c->p[2]};
  MLPL_TRY(check_along(cx, c, &a, 2));
  MLPL_TRY(check_source(cx, c, &a));
  if (c->in[0]->dtype == MLPL_BOOL && c->p[1].i == MEAN)
    return mlpl_fail(cx, MLPL_EARG,
        "index_reduce: input is bool; a mean takes numbers (convert with :to)");
  mlpl_value line = {.sizes = {.n = source->ndim}},
             all = mlpli_sizes_of(source->ndim, source->shape);
  for (int d = 0; d < source->ndim; d++)
    line.sizes.v[d] = d == a.axis ? source->shape[d] : 1;
  mlpl_tensor *index = mlpli_x1(
      &e, MLPLI_OP_EXPAND, mlpli_x1(&e, MLPLI_OP_RESHAPE, c->in[1], &line), &all);
  return mlpli_xresult(
      &e, out, mlpli_x3(&e, MLPLI_OP_SCATTER_REDUCE, c->in[0], index, source, p));
}

static COMPOSE(index_fill) {
  along a;
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *v;
  MLPL_TRY(check_along(cx, c, &a, 2));
  MLPL_TRY(mlpli_check_element(cx, "index_fill", c->in[0]->dtype, c->p[1].element));
  MLPL_TRY(mlpli_tensor_make(cx, &v, c->in[0]->dtype, 0, NULL));
  mlpli_fill_element(v, c->p[1].element);
  return mlpli_xresult(&e, out, put_along(&e, &a, mlpli_xkeep(&e, v), false));
}

/* That the value, one number, fits as a number given as an option has to. */
static mlpl_status check_value(mlpl_ctx *cx, const mlpl_tensor *x, const mlpl_tensor *v) {
  if (v->ndim || v->dtype == x->dtype) return MLPL_OK;
  const mlpl_element given = {mlpli_load(v->data, v->dtype), 0};
  return mlpli_check_element(cx, "index_fill", x->dtype, given);
}

/* The value is a tensor: by way of a mask of the slices. */
static COMPOSE(index_fill_by) {
  along a;
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *mask, *x = c->in[0], *v = c->in[2];
  const mlpl_value slices[2] = {{.i = 0}, {.element = {1, 0}}}, dtype = {.i = x->dtype};
  mlpl_value beside = {.sizes = {.n = x->ndim}};
  MLPL_TRY(check_along(cx, c, &a, 2));
  MLPL_TRY(check_value(cx, x, v));
  for (int d = 0; d < x->ndim; d++) beside.sizes.v[d] = d == a.axis ? x->shape[d] : 1;
  MLPL_TRY(mlpl_tensor_full(cx, &mask, MLPL_BOOL, 1, &beside.sizes.v[a.axis], 0));
  mask = mlpli_x2(&e, MLPLI_OP_INDEX_FILL, mlpli_xkeep(&e, mask), c->in[1], slices);
  mask = mask ? mlpli_x1(&e, MLPLI_OP_RESHAPE, mask, &beside) : NULL;
  v = mlpli_x1(&e, MLPLI_OP_TO, v, &dtype);
  return mlpli_xresult(&e, out, mlpli_x3(&e, MLPLI_OP_MASKED_FILL_BY, x, mask, v, NULL));
}

/* x as one row of elements. */
static mlpl_tensor *flat(mlpli_expr *e, mlpl_tensor *x) {
  mlpl_value p = mlpli_sizes_of(1, (int64_t[]){x ? x->numel : 0});
  return x ? mlpli_x1(e, MLPLI_OP_RESHAPE, x, &p) : NULL;
}

static COMPOSE(take) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *in[2] = {flat(&e, c->in[0]), c->in[1]};
  return mlpli_xresult(&e, out, mlpli_xn(&e, MLPLI_OP_INDEX, in, 2, NULL));
}

/* ---- masks ------------------------------------------------------------------------- */

/* Where x is not 0: a row of indices for each such element, in order. */

/* flag[i]: whether x[first + i] is not 0, for n elements of a contiguous x. */
static void flags_of(const mlpl_tensor *x, int64_t first, int64_t n, uint8_t *flag) {
  const void *p = x->data + (size_t)first * mlpli_dtype_size[x->dtype];
  const float *f32 = p;
  const double *f64 = p;
  const int64_t *i64 = p;
  const uint8_t *byte = p;
  switch (x->dtype) {
    case MLPL_F32:
      for (int64_t i = 0; i < n; i++) flag[i] = f32[i] != 0;
      return;
    case MLPL_F64:
      for (int64_t i = 0; i < n; i++) flag[i] = f64[i] != 0;
      return;
    case MLPL_I64:
      for (int64_t i = 0; i < n; i++) flag[i] = i64[i] != 0;
      return;
    default:
      for (int64_t i = 0; i < n; i++) flag[i] = byte[i] != 0;
  }
}

enum { FLAGS = 1024 }; /* elements looked at together */

static int64_t count_nonzero(const mlpl_tensor *x) {
  uint8_t flag[FLAGS];
  int64_t count = 0;
  for (int64_t i = 0; i < x->numel; i += FLAGS) {
    const int64_t n = x->numel - i < FLAGS ? x->numel - i : FLAGS;
    flags_of(x, i, n, flag);
    for (int64_t k = 0; k < n; k++) count += flag[k];
  }
  return count;
}

/* Rows for up to FLAGS elements from `where` on (indices from 0), of which the last axis
   has no end among them. Each element writes where the next row belongs, without a branch
   that could be guessed wrong; the last row ends it. Returns the next row. */
static int64_t *write_rows(int64_t *row, const int64_t *end, const uint8_t *flag,
    int64_t n, const int64_t *where, int ndim, int base) {
  for (int64_t i = 0; i < n && row < end; i++) {
    for (int d = 0; d < ndim - 1; d++) row[d] = where[d] + base;
    row[ndim - 1] = where[ndim - 1] + i + base;
    row += flag[i] * ndim; /* a product, not a choice, which would be a branch */
  }
  return row;
}

static SHAPE(nonzero) {
  mlpl_tensor *x;
  MLPL_TRY(mlpli_tensor_contiguous(cx, &x, c->in[0]));
  s->ndim = 2;
  s->size[0] = count_nonzero(x);
  s->size[1] = x->ndim;
  mlpl_tensor_release(x);
  return MLPL_OK;
}

static FORWARD(nonzero) {
  mlpl_tensor *x;
  uint8_t flag[FLAGS];
  int64_t where[MLPL_MAX_RANK] = {0}, *row = (int64_t *)(void *)(*out)->data;
  const int64_t *end = row + (*out)->numel;
  MLPL_TRY(mlpli_tensor_contiguous(cx, &x, c->in[0]));
  const int last = x->ndim - 1;
  for (int64_t i = 0, n; i < x->numel && row < end; i += n) {
    n = x->shape[last] - where[last] < FLAGS ? x->shape[last] - where[last] : FLAGS;
    flags_of(x, i, n, flag);
    row = write_rows(row, end, flag, n, where, x->ndim, cx->index_base);
    where[last] += n;
    for (int d = last; d > 0 && where[d] == x->shape[d]; d--)
      where[d] = 0, where[d - 1]++;
  }
  mlpl_tensor_release(x);
  return MLPL_OK;
}

static COMPOSE(argwhere) {
  return mlpli_apply(cx, out, MLPLI_OP_NONZERO, c->in, 1, NULL);
}

/* ---- combinations ------------------------------------------------------------------ */

/* How many ways there are to choose r of n; -1: more than can be counted. */
static int64_t ways(int64_t n, int64_t r) {
  int64_t all = 1;
  if (r > n) return 0;
  for (int64_t i = 1; i <= r; i++) {
    __int128 next = (__int128)all * (n - r + i) / i;
    if (next > INT64_MAX / 64) return -1;
    all = (int64_t)next;
  }
  return all;
}

/* The next of them: the last place that can move on does, those behind it follow. */
static void next_choice(int64_t *choice, int64_t n, int64_t r, bool again) {
  int64_t i = r - 1;
  while (i >= 0 && choice[i] == (again ? n - 1 : n - r + i)) i--;
  if (i < 0) return;
  choice[i]++;
  for (int64_t k = i + 1; k < r; k++) choice[k] = choice[k - 1] + !again;
}

static mlpl_status choices(
    mlpl_ctx *cx, int64_t n, int64_t r, bool again, mlpl_tensor **index) {
  const int64_t rows = again ? (n ? ways(n + r - 1, r) : 0) : ways(n, r);
  int64_t *choice;
  if (rows < 0)
    return mlpl_fail(cx, MLPL_EARG,
        "combinations: %lld of %lld elements: more than can be counted", (long long)r,
        (long long)n);
  MLPL_TRY(mlpli_tensor_make(cx, index, MLPL_I64, 2, (int64_t[]){rows, r}));
  MLPL_TRY(mlpli_new(cx, &choice, (size_t)(r + 1) * sizeof *choice, "combinations"));
  int64_t *to = (void *)(*index)->data;
  for (int64_t i = 0; i < r; i++) choice[i] = again ? 0 : i;
  for (int64_t row = 0; row < rows; row++) {
    for (int64_t i = 0; i < r; i++) *to++ = choice[i] + cx->index_base;
    next_choice(choice, n, r, again);
  }
  mlpli_free(cx->heap, choice);
  return MLPL_OK;
}

static COMPOSE(combinations) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *x = c->in[0], *index = NULL;
  char text[MLPLI_SHAPE_TEXT];
  if (x->ndim != 1)
    return mlpl_fail(cx, MLPL_ESHAPE, "combinations: input is %s; it must have one axis",
        mlpli_tensor_text(text, x));
  e.status = choices(cx, x->numel, c->p[0].i, c->p[1].i != 0, &index);
  mlpli_xkeep(&e, index);
  return mlpli_xresult(
      &e, out, e.status == MLPL_OK ? mlpli_x2(&e, MLPLI_OP_INDEX, x, index, NULL) : NULL);
}

/* The places where the mask, stretched to the shape s, holds. */
static mlpl_tensor *places_of_mask(
    mlpli_expr *e, mlpl_tensor *mask, const mlpli_shape *s) {
  mlpl_value sizes = mlpli_sizes_of(s->ndim, s->size), first[2];
  memset(first, 0, sizeof first);
  first[0].i = 1;
  mlpl_tensor *row = flat(e, mlpli_x1(e, MLPLI_OP_EXPAND, mask, &sizes));
  return mlpli_x1(
      e, MLPLI_OP_SELECT, row ? mlpli_x1(e, MLPLI_OP_NONZERO, row, NULL) : NULL, first);
}

static COMPOSE(masked_select) {
  mlpli_expr e = {.cx = cx};
  mlpli_shape s;
  MLPL_TRY(mlpli_broadcast_inputs(cx, c, 0, 1, &s));
  mlpl_value sizes = mlpli_sizes_of(s.ndim, s.size);
  mlpl_tensor *row = flat(&e, mlpli_x1(&e, MLPLI_OP_EXPAND, c->in[0], &sizes));
  mlpl_tensor *at = places_of_mask(&e, c->in[1], &s);
  return mlpli_xresult(&e, out, mlpli_x2(&e, MLPLI_OP_INDEX, row, at, NULL));
}

/* x with the first elements of source, in order, where the mask holds. */
static COMPOSE(masked_scatter) {
  mlpli_expr e = {.cx = cx};
  mlpli_shape s;
  char text[MLPLI_SHAPE_TEXT];
  MLPL_TRY(mlpli_broadcast_inputs(cx, c, 0, 1, &s));
  mlpl_value sizes = mlpli_sizes_of(s.ndim, s.size), p[4];
  memset(p, 0, sizeof p);
  mlpl_tensor *row = flat(&e, mlpli_x1(&e, MLPLI_OP_EXPAND, c->in[0], &sizes));
  mlpl_tensor *at = places_of_mask(&e, c->in[1], &s);
  if (at && at->numel > c->in[2]->numel)
    e.status = mlpl_fail(cx, MLPL_ESHAPE,
        "masked_scatter: source is %s; the mask asks for %lld elements",
        mlpli_tensor_text(text, c->in[2]), (long long)at->numel);
  mlpl_value some[3] = {{.i = 0}, {.i = 0}, {.i = at ? at->numel : 0}};
  mlpl_tensor *v = mlpli_x1(&e, MLPLI_OP_NARROW, flat(&e, c->in[2]), some);
  mlpl_tensor *y = v
      ? mlpli_xn(&e, MLPLI_OP_INDEX_PUT, (mlpl_tensor *[]){row, v, at}, 3, p)
      : NULL;
  return mlpli_xresult(&e, out, mlpli_x1(&e, MLPLI_OP_RESHAPE, y, &sizes));
}

/* ---- rows: all copy ---------------------------------------------------------------- */

static const mlpl_param along_params[] = {MLPLI_AXIS_NEEDED("dim")};
static const mlpl_param add_params[] = {
    MLPLI_AXIS_NEEDED("dim"), MLPLI_REAL_OPTION("alpha", 1, -INFINITY, INFINITY)};
/* in scatter_reduce's order; index_add is the sum */
static const char *const reduces[] = {"prod", "amax", "amin", "mean", NULL};
static const mlpl_param reduce_params[] = {MLPLI_AXIS_NEEDED("dim"),
    {"reduce", MLPL_PARAM_CHOICE, MLPL_REQUIRED, 0, 0, 0, reduces, 0},
    MLPLI_BOOL_OPTION("include_self", 1)};
static const mlpl_param fill_params[] = {
    MLPLI_AXIS_NEEDED("dim"), MLPLI_ELEMENT_NEEDED("value")};

#define ALONG_ROW(f, n)                                                                  \
  .name = #f, .input_name = {"input", "index", "source"},                                \
  .domain = {MLPLI_ANY, MLPLI_INDEX, MLPLI_LIKE}, .n_inputs = n, .n_required = n,        \
  .n_outputs = 1, .differentiable = n == 3 ? 5 : 1, .options_first = 1,                  \
  .compose = f##_compose

const mlpl_op mlpli_op_index_select = {ALONG_ROW(index_select, 2), PARAMS(along_params)};
const mlpl_op mlpli_op_index_add = {
    ALONG_ROW(index_add, 3), PARAMS(add_params), .underscored = true};
const mlpl_op mlpli_op_index_copy = {
    ALONG_ROW(index_copy, 3), PARAMS(along_params), .underscored = true};
const mlpl_op mlpli_op_index_reduce = {
    ALONG_ROW(index_reduce, 3), PARAMS(reduce_params), .underscored = true};
const mlpl_op mlpli_op_index_fill = {ALONG_ROW(index_fill, 2), PARAMS(fill_params),
    .underscored = true, .places_options = true, .by_tensor = MLPLI_OP_INDEX_FILL_BY};
const mlpl_op mlpli_op_index_fill_by = {.name = "index_fill_by",
    .says = MLPLI_OP_INDEX_FILL,
    .input_name = {"input", "index", "value"},
    .domain = {MLPLI_ANY, MLPLI_INDEX, MLPLI_ANY},
    .n_inputs = 3,
    .n_required = 3,
    .n_outputs = 1,
    .differentiable = 5,
    .options_first = 1,
    .underscored = true,
    .internal = true,
    PARAMS(along_params),
    .compose = index_fill_by_compose};
const mlpl_op mlpli_op_take = {.name = "take",
    .input_name = {"input", "index"},
    .domain = {MLPLI_ANY, MLPLI_INDEX},
    .n_inputs = 2,
    .n_required = 2,
    .n_outputs = 1,
    .differentiable = 1,
    .compose = take_compose};
const mlpl_op mlpli_op_nonzero = {.name = "nonzero",
    .input_name = {"input"},
    .domain = {MLPLI_ANY},
    .n_inputs = 1,
    .n_required = 1,
    .n_outputs = 1,
    .gives_index = true,
    .shape = shape_nonzero,
    .forward = nonzero_forward};
const mlpl_op mlpli_op_argwhere = {.name = "argwhere",
    .input_name = {"input"},
    .domain = {MLPLI_ANY},
    .n_inputs = 1,
    .n_required = 1,
    .n_outputs = 1,
    .compose = argwhere_compose};
static const mlpl_param combination_params[] = {
    MLPLI_INT_OPTION("r", 2, 0, 1000), MLPLI_BOOL_OPTION("with_replacement", 0)};
const mlpl_op mlpli_op_combinations = {
    COMPOSE_ROW(combinations, MLPLI_ANY), PARAMS(combination_params)};
const mlpl_op mlpli_op_masked_select = {.name = "masked_select",
    .input_name = {"input", "mask"},
    .domain = {MLPLI_ANY, MLPLI_MASK},
    .n_inputs = 2,
    .n_required = 2,
    .n_outputs = 1,
    .differentiable = 1,
    .compose = masked_select_compose};
const mlpl_op mlpli_op_masked_scatter = {.name = "masked_scatter",
    .input_name = {"input", "mask", "source"},
    .domain = {MLPLI_ANY, MLPLI_MASK, MLPLI_LIKE},
    .n_inputs = 3,
    .n_required = 3,
    .n_outputs = 1,
    .differentiable = 5,
    .underscored = true,
    .compose = masked_scatter_compose};
