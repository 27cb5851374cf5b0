/*
** Putting gradients back where views and maxima took values from. Internal rows:
**   place   zeros of `size` along `dim`, with x from `start` on
**   spread  zeros of `size` along `dim`, with x[.., 0, ..] at index[.., 0, ..]
**   pick    x[.., index[.., 0, ..], ..]: the reverse of spread
** index is i64 and counts from 0.
*/
#include "ops/rows.h"

#include "grad/grad.h"

#include <string.h>

static SHAPE(place) { /* of spread too: the size is the last option */
  (void)cx;
  const mlpl_tensor *x = c->in[0];
  s->ndim = x->ndim;
  memcpy(s->size, x->shape, sizeof s->size);
  s->size[c->p[0].i] = c->p[c->op->n_params - 1].i;
  return MLPL_OK;
}

static FORWARD(place) {
  mlpl_tensor *part;
  mlpl_value p[3] = {c->p[0], c->p[1], {.i = c->in[0]->shape[c->p[0].i]}};
  mlpli_fill(*out, 0);
  bool was = mlpl_set_grad_enabled(cx, false);
  mlpl_status status = mlpli_apply(
      cx, &part, MLPLI_OP_NARROW, (mlpl_tensor *[]){*out}, 1, p);
  mlpl_set_grad_enabled(cx, was);
  if (status != MLPL_OK) return status;
  mlpli_copy(part, c->in[0]);
  mlpl_tensor_release(part);
  return MLPL_OK;
}

static BACKWARD(place) {
  mlpli_expr e = {.cx = cx};
  int ndim;
  const int64_t *shape;
  mlpli_input_shape(n, 0, &ndim, &shape);
  mlpl_value p[3] = {n->p[0], n->p[1], {.i = shape[n->p[0].i]}};
  mlpli_xgive(&e, n, 0, mlpli_x1(&e, MLPLI_OP_NARROW, g, p));
  return mlpli_expr_end(&e);
}

/* Copy one element for every place of index [outer x 1 x inner] between a [outer x size x
   inner] and b, of index's shape. All contiguous. */
static void exchange(const mlpl_tensor *index, int axis, int64_t size, mlpl_tensor *a,
    mlpl_tensor *b, bool to_a) {
  size_t bytes = mlpli_dtype_size[a->dtype];
  int64_t inner = 1;
  for (int d = axis + 1; d < index->ndim; d++) inner *= index->shape[d];
  const int64_t *at = (const int64_t *)(const void *)index->data;
  for (int64_t i = 0; i < index->numel; i++) {
    int64_t place = (i / inner * size + at[i]) * inner + i % inner;
    char *pa = a->data + (size_t)place * bytes, *pb = b->data + (size_t)i * bytes;
    memcpy(to_a ? pa : pb, to_a ? pb : pa, bytes);
  }
}

static mlpl_status exchange_strided(mlpl_ctx *cx, const mlpl_tensor *index, int axis,
    int64_t size, mlpl_tensor *a, mlpl_tensor *b, bool to_a) {
  mlpl_tensor *ci, *ca, *cb = NULL;
  MLPL_TRY(mlpli_tensor_contiguous(cx, &ci, index));
  mlpl_status status = mlpli_tensor_contiguous(cx, &ca, a);
  if (status == MLPL_OK) status = mlpli_tensor_contiguous(cx, &cb, b);
  if (status == MLPL_OK) exchange(ci, axis, size, ca, cb, to_a);
  mlpl_tensor_release(ci);
  mlpl_tensor_release(ca);
  mlpl_tensor_release(cb);
  return status;
}

static FORWARD(spread) {
  mlpli_fill(*out, 0);
  return exchange_strided(cx, c->in[1], (int)c->p[0].i, c->p[1].i, *out, c->in[0], true);
}

static BACKWARD(spread) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(&e, n, 0, mlpli_x2(&e, MLPLI_OP_PICK, g, n->in[1], n->p));
  return mlpli_expr_end(&e);
}

static FORWARD(pick) {
  int axis = (int)c->p[0].i;
  return exchange_strided(
      cx, c->in[1], axis, c->in[0]->shape[axis], c->in[0], *out, false);
}

static BACKWARD(pick) {
  mlpli_expr e = {.cx = cx};
  int ndim;
  const int64_t *shape;
  mlpli_input_shape(n, 0, &ndim, &shape);
  mlpl_value p[2] = {n->p[0], {.i = shape[n->p[0].i]}};
  mlpli_xgive(&e, n, 0, mlpli_x2(&e, MLPLI_OP_SPREAD, g, n->in[1], p));
  return mlpli_expr_end(&e);
}

/* ---- rows -------------------------------------------------------------------------- */

static const mlpl_param place_params[] = {MLPLI_AXIS_NEEDED("dim"),
    MLPLI_INDEX_NEEDED("start"), MLPLI_INT_NEEDED("size", 0, MANY)};
static const mlpl_param spread_params[] = {
    MLPLI_AXIS_NEEDED("dim"), MLPLI_INT_NEEDED("size", 0, MANY)};
static const mlpl_param pick_params[] = {MLPLI_AXIS_NEEDED("dim")};

const mlpl_op mlpli_op_place = {UNARY_ROW(place, MLPLI_REAL, shape_place),
    HAS_BACKWARD(place), PARAMS(place_params), .internal = true};
const mlpl_op mlpli_op_spread = {
    GUIDED_ROW(spread, "index", MLPLI_REAL, MLPLI_ANY, shape_place),
    PARAMS(spread_params), .internal = true};
const mlpl_op mlpli_op_pick = {
    GUIDED_ROW(pick, "index", MLPLI_REAL, MLPLI_ANY, mlpli_shape_second),
    PARAMS(pick_params), .internal = true};
