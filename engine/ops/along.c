/*
** Elements at places along an axis. Internal rows, of which the gradients of orders are
** made:
**   take_along   x[.., index[.., j, ..], ..] for every place of index
**   add_along    zeros of `size` along `dim`, to which x[.., j, ..] is added at
**                index[.., j, ..]: the reverse
** whose index is i64 and counts from 0; and searchsorted, which finds places.
*/
#include "ops/rows.h"

#include "ops/order.h"

#include "grad/grad.h"

#include <string.h>

/* ---- take_along, add_along --------------------------------------------------------- */

static SHAPE(add_along) {
  (void)cx;
  s->ndim = c->in[0]->ndim;
  memcpy(s->size, c->in[0]->shape, sizeof s->size);
  s->size[c->p[0].i] = c->p[1].i;
  return MLPL_OK;
}

/* a [outer x r x inner] at index [outer x m x inner] against b, of index's shape. All
   contiguous; adding is in order, so its result is always the same. */
static void exchange(const mlpl_tensor *index, int axis, int64_t r, mlpl_tensor *a,
    mlpl_tensor *b, bool add) {
  const int64_t m = index->shape[axis];
  const mlpli_lines l = mlpli_lines_of(index->ndim, index->shape, axis);
  const int64_t *at = (const int64_t *)(const void *)index->data;
  for (int64_t o = 0; o < l.n / l.inner; o++)
    for (int64_t t = 0; t < m; t++)
      for (int64_t i = 0; i < l.inner; i++) {
        const int64_t from = (o * m + t) * l.inner + i,
                      to = (o * r + at[from]) * l.inner + i;
        if (a->dtype == MLPL_F32) {
          float *pa = (float *)(void *)a->data, *pb = (float *)(void *)b->data;
          if (add)
            pa[to] += pb[from];
          else
            pb[from] = pa[to];
        }
        else {
          double *pa = (double *)(void *)a->data, *pb = (double *)(void *)b->data;
          if (add)
            pa[to] += pb[from];
          else
            pb[from] = pa[to];
        }
      }
}

static FORWARD(take_along) {
  mlpl_tensor *x, *index;
  const int axis = (int)c->p[0].i;
  MLPL_TRY(mlpli_tensor_contiguous(cx, &x, c->in[0]));
  mlpl_status status = mlpli_tensor_contiguous(cx, &index, c->in[1]);
  if (status == MLPL_OK) {
    exchange(index, axis, x->shape[axis], x, *out, false);
    mlpl_tensor_release(index);
  }
  mlpl_tensor_release(x);
  return status;
}

static FORWARD(add_along) {
  mlpl_tensor *x, *index;
  mlpli_fill(*out, 0);
  MLPL_TRY(mlpli_tensor_contiguous(cx, &x, c->in[0]));
  mlpl_status status = mlpli_tensor_contiguous(cx, &index, c->in[1]);
  if (status == MLPL_OK) {
    exchange(index, (int)c->p[0].i, c->p[1].i, *out, x, true);
    mlpl_tensor_release(index);
  }
  mlpl_tensor_release(x);
  return status;
}

static BACKWARD(take_along) {
  mlpli_expr e = {.cx = cx};
  int ndim;
  const int64_t *shape;
  mlpli_input_shape(n, 0, &ndim, &shape);
  mlpl_value how[2] = {n->p[0], {.i = shape[n->p[0].i]}};
  mlpli_xgive(&e, n, 0, mlpli_x2(&e, MLPLI_OP_ADD_ALONG, g, n->in[1], how));
  return mlpli_expr_end(&e);
}

static BACKWARD(add_along) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(&e, n, 0, mlpli_x2(&e, MLPLI_OP_TAKE_ALONG, g, n->in[1], n->p));
  return mlpli_expr_end(&e);
}

/* ---- searchsorted ------------------------------------------------------------------ */

/* Inputs: sorted_sequence, of one axis or with the leading sizes of input; input. */
static SHAPE(searchsorted) {
  const mlpl_tensor *seq = c->in[0], *x = c->in[1];
  char a[MLPLI_SHAPE_TEXT], b[MLPLI_SHAPE_TEXT];
  bool fits = seq->ndim == 1 || (seq->ndim && seq->ndim == x->ndim);
  for (int d = 0; fits && seq->ndim > 1 && d < seq->ndim - 1; d++)
    fits = seq->shape[d] == x->shape[d];
  if (!fits)
    return mlpl_fail(cx, MLPL_ESHAPE,
        "searchsorted: sorted_sequence is %s, input is %s; the sequence must have one "
        "axis, or all sizes of the input but the last",
        mlpli_tensor_text(a, seq), mlpli_tensor_text(b, x));
  if (seq->dtype != x->dtype)
    return mlpl_fail(cx, MLPL_EARG,
        "searchsorted: sorted_sequence is %s, input is %s; they must have one dtype",
        mlpl_dtype_name((mlpl_dtype)seq->dtype), mlpl_dtype_name((mlpl_dtype)x->dtype));
  s->ndim = x->ndim;
  memcpy(s->size, x->shape, sizeof s->size);
  return MLPL_OK;
}

/* How many of r elements come before x: smaller ones, or (right) equal ones, too. */
static int64_t insertion(
    const void *seq, int64_t first, int64_t r, int dtype, uint64_t key, bool right) {
  int64_t low = 0, high = r;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    const uint64_t there = mlpli_key(seq, first + middle, dtype, 0);
    if (right ? there <= key : there < key)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static FORWARD(searchsorted) {
  mlpl_tensor *seq, *x;
  MLPL_TRY(mlpli_tensor_contiguous(cx, &seq, c->in[0]));
  mlpl_status status = mlpli_tensor_contiguous(cx, &x, c->in[1]);
  if (status != MLPL_OK) {
    mlpl_tensor_release(seq);
    return status;
  }
  int64_t *at = (int64_t *)(void *)(*out)->data;
  const int64_t r = seq->shape[seq->ndim - 1];
  const int64_t line = seq->ndim == 1 || !x->ndim ? 0 : x->shape[x->ndim - 1];
  for (int64_t i = 0; i < x->numel; i++)
    at[i] = cx->index_base +
        insertion(seq->data, line ? i / line * r : 0, r, seq->dtype,
            mlpli_key(x->data, i, x->dtype, 0), c->p[0].i != 0);
  mlpl_tensor_release(seq);
  mlpl_tensor_release(x);
  return MLPL_OK;
}

/* searchsorted with the input first, among boundaries of one axis */
static COMPOSE(bucketize) {
  char text[MLPLI_SHAPE_TEXT];
  if (c->in[1]->ndim != 1)
    return mlpl_fail(cx, MLPL_ESHAPE, "bucketize: boundaries is %s; it must have one axis",
        mlpli_tensor_text(text, c->in[1]));
  return mlpli_apply(cx, out, MLPLI_OP_SEARCHSORTED,
      (mlpl_tensor *[]){c->in[1], c->in[0]}, 2, c->p);
}

/* ---- rows -------------------------------------------------------------------------- */

static const mlpl_param take_params[] = {MLPLI_AXIS_NEEDED("dim")};
static const mlpl_param add_params[] = {
    MLPLI_AXIS_NEEDED("dim"), MLPLI_INT_NEEDED("size", 0, MANY)};
static const mlpl_param search_params[] = {MLPLI_BOOL_OPTION("right", 0)};

const mlpl_op mlpli_op_take_along = {
    GUIDED_ROW(take_along, "index", MLPLI_REAL, MLPLI_ANY, mlpli_shape_second),
    PARAMS(take_params), .internal = true};
const mlpl_op mlpli_op_add_along = {
    GUIDED_ROW(add_along, "index", MLPLI_REAL, MLPLI_ANY, shape_add_along),
    PARAMS(add_params), .internal = true};
const mlpl_op mlpli_op_searchsorted = {.name = "searchsorted",
    .input_name = {"sorted_sequence", "input"},
    .domain = {MLPLI_ANY_SORTED, MLPLI_ANY},
    .n_inputs = 2,
    .n_required = 2,
    .n_outputs = 1,
    .shape = shape_searchsorted,
    .forward = searchsorted_forward,
    PARAMS(search_params),
    .gives_index = true};
const mlpl_op mlpli_op_bucketize = {.name = "bucketize",
    .input_name = {"input", "boundaries"},
    .domain = {MLPLI_REAL, MLPLI_REAL},
    .n_inputs = 2,
    .n_required = 2,
    .n_outputs = 1,
    .numbers = 1,
    .computes = MLPLI_NUMBERS | MLPLI_TRUTH,
    .compose = bucketize_compose,
    PARAMS(search_params)};
