/* Tensors joined, any number of them: cat along an axis, stack along a new one. The
   result is a copy, in the dtype that theirs promote to. */
#include "grad/grad.h"
#include "ops/rows.h"
#include "ops/shape.h"

#include <string.h>

/* ---- cat --------------------------------------------------------------------------- */

static SHAPE(cat) {
  const mlpl_tensor *x = c->in[0];
  char a[MLPLI_SHAPE_TEXT], b[MLPLI_SHAPE_TEXT], name[MLPLI_INPUT_TEXT];
  int axis;
  if (x->ndim == 0)
    return mlpl_fail(cx, MLPL_ESHAPE,
        "cat: a tensor without axes cannot be joined; stack gives it one");
  MLPL_TRY(mlpli_axis(cx, "cat", c->p[0].i, x->ndim, &axis));
  s->ndim = x->ndim;
  memcpy(s->size, x->shape, sizeof s->size);
  for (int i = 1; i < c->n; i++) {
    const mlpl_tensor *t = c->in[i];
    bool fits = t->ndim == x->ndim;
    for (int d = 0; d < x->ndim && fits; d++)
      fits = d == axis || t->shape[d] == x->shape[d];
    if (!fits)
      return mlpl_fail(cx, MLPL_ESHAPE,
          "cat: %s is %s, the first is %s; sizes must be equal but along axis %d",
          mlpli_input_text(name, cx, c->op, i), mlpli_tensor_text(a, t),
          mlpli_tensor_text(b, x), axis + cx->index_base);
    if (__builtin_add_overflow(s->size[axis], t->shape[axis], &s->size[axis]))
      return mlpl_fail(cx, MLPL_ESHAPE,
          "cat: axis %d would have more elements than can be counted",
          axis + cx->index_base);
  }
  return MLPL_OK;
}

/* `length` elements from `start` on along an axis of out. */
static mlpl_tensor stretch_of(
    const mlpl_tensor *out, int axis, int64_t start, int64_t length) {
  mlpl_tensor part = *out;
  part.data += start * out->stride[axis] * mlpli_dtype_size[out->dtype];
  part.numel = out->shape[axis] ? out->numel / out->shape[axis] * length : 0;
  part.shape[axis] = length;
  part.contiguous = false;
  return part;
}

/* What backward needs of the inputs is how long they are. */
static mlpl_status keep_lengths(mlpl_ctx *cx, mlpli_call *c, int axis) {
  int64_t n = c->n, length;
  MLPL_TRY(mlpli_tensor_make(cx, &c->extra, MLPL_I64, 1, &n));
  for (int i = 0; i < c->n; i++) {
    length = c->in[i]->shape[axis];
    memcpy(c->extra->data + (size_t)i * sizeof length, &length, sizeof length);
  }
  return MLPL_OK;
}

static FORWARD(cat) {
  int axis;
  int64_t start = 0;
  MLPL_TRY(mlpli_axis(cx, "cat", c->p[0].i, c->in[0]->ndim, &axis));
  if (c->record) MLPL_TRY(keep_lengths(cx, c, axis));
  for (int i = 0; i < c->n; i++) {
    int64_t length = c->in[i]->shape[axis];
    mlpl_tensor part = stretch_of(*out, axis, start, length);
    mlpli_copy(&part, c->in[i]);
    start += length;
  }
  return MLPL_OK;
}

/* Each input's stretch of the gradient. */
static BACKWARD(cat) {
  mlpl_value p[3] = {n->p[0], {.i = 0}, {.i = 0}};
  for (int i = 0; i < n->n_in; i++) {
    mlpli_expr e = {.cx = cx};
    memcpy(&p[2].i, n->extra->data + (size_t)i * sizeof p[2].i, sizeof p[2].i);
    if (mlpli_wants(n, i)) mlpli_xgive(&e, n, i, mlpli_x1(&e, MLPLI_OP_NARROW, g, p));
    MLPL_TRY(mlpli_expr_end(&e));
    p[1].i += p[2].i;
  }
  return MLPL_OK;
}

/* ---- stack ------------------------------------------------------------------------- */

static SHAPE(stack) {
  const mlpl_tensor *x = c->in[0];
  char a[MLPLI_SHAPE_TEXT], b[MLPLI_SHAPE_TEXT], name[MLPLI_INPUT_TEXT];
  int axis;
  if (x->ndim == MLPL_MAX_RANK)
    return mlpl_fail(cx, MLPL_ESHAPE,
        "stack: the tensors have %d axes already; a stack needs one more", MLPL_MAX_RANK);
  MLPL_TRY(mlpli_axis(cx, "stack", c->p[0].i, x->ndim + 1, &axis));
  for (int i = 1; i < c->n; i++)
    if (!mlpli_same_shape(c->in[i], x->ndim, x->shape))
      return mlpl_fail(cx, MLPL_ESHAPE,
          "stack: %s is %s, the first is %s; all must have one shape",
          mlpli_input_text(name, cx, c->op, i), mlpli_tensor_text(a, c->in[i]),
          mlpli_tensor_text(b, x));
  s->ndim = x->ndim + 1;
  for (int d = 0; d < s->ndim; d++)
    s->size[d] = d == axis ? c->n : x->shape[d < axis ? d : d - 1];
  return MLPL_OK;
}

static FORWARD(stack) {
  int axis;
  MLPL_TRY(mlpli_axis(cx, "stack", c->p[0].i, (*out)->ndim, &axis));
  for (int i = 0; i < c->n; i++) {
    mlpl_tensor part = stretch_of(*out, axis, i, 1);
    part.ndim--;
    for (int d = axis; d < part.ndim; d++)
      part.shape[d] = part.shape[d + 1], part.stride[d] = part.stride[d + 1];
    mlpli_copy(&part, c->in[i]);
  }
  return MLPL_OK;
}

static BACKWARD(stack) {
  mlpl_value p[2] = {n->p[0], {.i = 0}};
  for (int i = 0; i < n->n_in; i++) {
    mlpli_expr e = {.cx = cx};
    p[1].i = i;
    if (mlpli_wants(n, i)) mlpli_xgive(&e, n, i, mlpli_x1(&e, MLPLI_OP_SELECT, g, p));
    MLPL_TRY(mlpli_expr_end(&e));
  }
  return MLPL_OK;
}

/* ---- hstack, vstack, column_stack, dstack ------------------------------------------- */

/* All inputs with the axes that `widened` gives them, joined along one. */
static mlpl_status join_as(mlpl_ctx *cx, const mlpli_call *c, int64_t axis,
    void widened(const mlpl_tensor *x, mlpl_value *sizes), mlpl_tensor **out) {
  mlpl_tensor **in;
  const mlpl_value p = {.i = axis};
  MLPL_TRY(mlpli_new(cx, &in, (size_t)c->n * sizeof *in, c->op->name));
  mlpl_status status = MLPL_OK;
  int n = 0;
  for (; n < c->n && status == MLPL_OK; n++) {
    mlpl_value sizes = mlpli_sizes_of(c->in[n]->ndim, c->in[n]->shape);
    widened(c->in[n], &sizes);
    if (sizes.sizes.n == c->in[n]->ndim)
      in[n] = mlpli_retain(c->in[n]);
    else
      status = mlpli_apply(cx, &in[n], MLPLI_OP_RESHAPE, &c->in[n], 1, &sizes);
  }
  if (status == MLPL_OK) status = mlpli_apply(cx, out, MLPLI_OP_CAT, in, n, &p);
  while (n--) mlpl_tensor_release(in[n]);
  mlpli_free(cx->heap, in);
  return status;
}

static void as_vector(const mlpl_tensor *x, mlpl_value *sizes) {
  if (x->ndim == 0) *sizes = mlpli_sizes_of(1, (int64_t[]){1});
}

static void as_row(const mlpl_tensor *x, mlpl_value *sizes) {
  if (x->ndim < 2) *sizes = mlpli_sizes_of(2, (int64_t[]){1, x->numel});
}

static void as_column(const mlpl_tensor *x, mlpl_value *sizes) {
  if (x->ndim < 2) *sizes = mlpli_sizes_of(2, (int64_t[]){x->numel, 1});
}

/* As atleast_3d: [n] is [1 x n x 1], [n x m] is [n x m x 1]. */
static void as_sheet(const mlpl_tensor *x, mlpl_value *sizes) {
  if (x->ndim < 2) *sizes = mlpli_sizes_of(3, (int64_t[]){1, x->numel, 1});
  if (x->ndim == 2) sizes->sizes.v[sizes->sizes.n++] = 1;
}

/* Rows below each other: along the first axis; a row of numbers is one row. */
static COMPOSE(vstack) { return join_as(cx, c, 0, as_row, out); }

/* Columns side by side: along the second axis, or the only one. */
static COMPOSE(hstack) {
  return join_as(cx, c, c->in[0]->ndim > 1 ? 1 : 0, as_vector, out);
}

static COMPOSE(column_stack) { return join_as(cx, c, 1, as_column, out); }
static COMPOSE(dstack) { return join_as(cx, c, 2, as_sheet, out); }

/* ---- rows -------------------------------------------------------------------------- */

static const mlpl_param join_params[] = {MLPLI_AXIS_OPTION("dim", 0)};

#define JOIN_ROW(f)                                                                      \
  .name = #f, .input_name = {"tensor"}, .domain = {MLPLI_REAL}, .n_inputs = 1,           \
  .n_required = 1, .n_outputs = 1, .differentiable = 1, .list = MLPLI_LIST,              \
  .computes = MLPLI_NUMBERS | MLPLI_TRUTH

const mlpl_op mlpli_op_cat = {JOIN_ROW(cat), .shape = shape_cat, .forward = cat_forward,
    HAS_BACKWARD(cat), PARAMS(join_params)};
const mlpl_op mlpli_op_stack = {JOIN_ROW(stack), .shape = shape_stack,
    .forward = stack_forward, HAS_BACKWARD(stack), PARAMS(join_params)};
const mlpl_op mlpli_op_hstack = {JOIN_ROW(hstack), .compose = hstack_compose};
const mlpl_op mlpli_op_vstack = {JOIN_ROW(vstack), .compose = vstack_compose};
const mlpl_op mlpli_op_column_stack = {
    JOIN_ROW(column_stack), .compose = column_stack_compose};
const mlpl_op mlpli_op_dstack = {JOIN_ROW(dstack), .compose = dstack_compose};
