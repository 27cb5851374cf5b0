/*
** Views by name: other shapes and orders of axes, diagonals, windows, parts. All of them
** share memory with their input. And the rows that put their gradients back.
*/
#include "ops/shape.h"

#include "grad/grad.h"
#include "ops/rows.h"

#include <string.h>

mlpl_value mlpli_input_sizes(const mlpli_node *n) {
  int ndim;
  const int64_t *shape;
  mlpli_input_shape(n, 0, &ndim, &shape);
  return mlpli_sizes_of(ndim, shape);
}

/* The gradient of what only renames places. */
static BACKWARD(renamed) {
  mlpli_expr e = {.cx = cx};
  mlpl_value sizes = mlpli_input_sizes(n);
  mlpli_xgive(&e, n, 0, mlpli_x1(&e, MLPLI_OP_RESHAPE, g, &sizes));
  return mlpli_expr_end(&e);
}

/* y = row(x, p), a single row. */
static mlpl_status compose1(mlpl_ctx *cx, mlpl_tensor **out, mlpli_op_id id,
    mlpl_tensor *x, const mlpl_value *p) {
  return mlpli_apply(cx, out, id, &x, 1, p);
}

/* ---- view, view_as, reshape_as, expand_as, ravel ----------------------------------- */

static mlpl_status seen_as(mlpl_ctx *cx, const char *what, const mlpl_tensor *x,
    mlpl_value p, mlpl_tensor **out) {
  int64_t shape[MLPL_MAX_RANK], stride[MLPL_MAX_RANK];
  char a[MLPLI_SHAPE_TEXT], b[MLPLI_SHAPE_TEXT], s[MLPLI_SHAPE_TEXT];
  MLPL_TRY(mlpli_fill_in(cx, what, x, &p, shape));
  if (mlpli_view_strides(x, p.sizes.n, shape, stride))
    return mlpli_tensor_view(cx, out, x, 0, p.sizes.n, shape, stride);
  return mlpl_fail(cx, MLPL_ESHAPE,
      "%s: input %s with strides %s cannot be seen as %s without copying; use reshape",
      what, mlpli_tensor_text(a, x), mlpli_shape_text(s, x->ndim, x->stride),
      mlpli_shape_text(b, p.sizes.n, shape));
}

static VIEW(view) { return seen_as(cx, "view", c->in[0], c->p[0], out); }

/* The second input lends its shape alone: it may have any dtype and gets no gradient. */
static mlpl_value shape_of_other(const mlpli_call *c) {
  return mlpli_sizes_of(c->in[1]->ndim, c->in[1]->shape);
}
static COMPOSE(view_as) {
  mlpl_value p = shape_of_other(c);
  return compose1(cx, out, MLPLI_OP_VIEW, c->in[0], &p);
}
static COMPOSE(reshape_as) {
  mlpl_value p = shape_of_other(c);
  return compose1(cx, out, MLPLI_OP_RESHAPE, c->in[0], &p);
}
static COMPOSE(expand_as) {
  mlpl_value p = shape_of_other(c);
  return compose1(cx, out, MLPLI_OP_EXPAND, c->in[0], &p);
}

static COMPOSE(ravel) {
  mlpl_value p = mlpli_sizes_of(1, (int64_t[]){c->in[0]->numel});
  return compose1(cx, out, MLPLI_OP_RESHAPE, c->in[0], &p);
}

/* ---- permute, movedim, swapaxes ---------------------------------------------------- */

static VIEW(permute) {
  const mlpl_tensor *x = c->in[0];
  int64_t shape[MLPL_MAX_RANK], stride[MLPL_MAX_RANK];
  int list[MLPL_MAX_RANK];
  unsigned axes;
  MLPL_TRY(mlpli_axis_list(cx, "permute", c->p, x->ndim, list, &axes));
  if (c->p[0].sizes.n != x->ndim)
    return mlpl_fail(cx, MLPL_EARG,
        "permute: %d axes given for a tensor with %d; each stands there once",
        c->p[0].sizes.n, x->ndim);
  for (int d = 0; d < x->ndim; d++)
    shape[d] = x->shape[list[d]], stride[d] = x->stride[list[d]];
  return mlpli_tensor_view(cx, out, x, 0, x->ndim, shape, stride);
}

/* The inverse order. */
static BACKWARD(permute) {
  mlpli_expr e = {.cx = cx};
  mlpl_value p = {.sizes = {.n = g->ndim}};
  for (int d = 0; d < g->ndim; d++)
    p.sizes.v[mlpli_axis_known(n->p[0].sizes.v[d], g->ndim)] = d;
  mlpli_xgive(&e, n, 0, mlpli_x1(&e, MLPLI_OP_PERMUTE, g, &p));
  return mlpli_expr_end(&e);
}

/* Axes source go to the places destination, the others keep their order. */
static COMPOSE(movedim) {
  const int ndim = c->in[0]->ndim;
  int from[MLPL_MAX_RANK], to[MLPL_MAX_RANK], next = 0;
  unsigned moved, taken;
  MLPL_TRY(mlpli_axis_list(cx, "movedim", &c->p[0], ndim, from, &moved));
  MLPL_TRY(mlpli_axis_list(cx, "movedim", &c->p[1], ndim, to, &taken));
  if (c->p[0].sizes.n != c->p[1].sizes.n)
    return mlpl_fail(cx, MLPL_EARG, "movedim: %d axes to move, but %d places for them",
        c->p[0].sizes.n, c->p[1].sizes.n);
  mlpl_value p = {.sizes = {.n = ndim}};
  for (int i = 0; i < c->p[0].sizes.n; i++) p.sizes.v[to[i]] = from[i];
  for (int d = 0; d < ndim; d++) {
    if (taken >> d & 1) continue;
    while (moved >> next & 1) next++;
    p.sizes.v[d] = next++;
  }
  return compose1(cx, out, MLPLI_OP_PERMUTE, c->in[0], &p);
}

static COMPOSE(swapaxes) { return compose1(cx, out, MLPLI_OP_TRANSPOSE, c->in[0], c->p); }

/* ---- squeeze, unsqueeze, unflatten ------------------------------------------------- */

/* Axes of size 1 go: all of them, or those of the list that have it (as in PyTorch). */
static VIEW(squeeze) {
  const mlpl_tensor *x = c->in[0];
  int64_t shape[MLPL_MAX_RANK], stride[MLPL_MAX_RANK];
  int list[MLPL_MAX_RANK], n = 0;
  unsigned axes = ~0u;
  if (c->p[0].sizes.n) MLPL_TRY(mlpli_axis_list(cx, "squeeze", c->p, x->ndim, list, &axes));
  for (int d = 0; d < x->ndim; d++)
    if (x->shape[d] != 1 || !(axes >> d & 1))
      shape[n] = x->shape[d], stride[n++] = x->stride[d];
  return mlpli_tensor_view(cx, out, x, 0, n, shape, stride);
}

static VIEW(unsqueeze) {
  const mlpl_tensor *x = c->in[0];
  int64_t shape[MLPL_MAX_RANK], stride[MLPL_MAX_RANK];
  int axis;
  if (x->ndim == MLPL_MAX_RANK)
    return mlpl_fail(
        cx, MLPL_ESHAPE, "unsqueeze: input has %d axes already", MLPL_MAX_RANK);
  MLPL_TRY(mlpli_axis(cx, "unsqueeze", c->p[0].i, x->ndim + 1, &axis));
  for (int d = 0; d <= x->ndim; d++) {
    int from = d < axis ? d : d - 1;
    shape[d] = d == axis ? 1 : x->shape[from];
    stride[d] = d == axis ? 1 : x->stride[from];
  }
  return mlpli_tensor_view(cx, out, x, 0, x->ndim + 1, shape, stride);
}

/* One axis becomes several; -1: whatever is left. */
static COMPOSE(unflatten) {
  const mlpl_tensor *x = c->in[0];
  const mlpl_value *sizes = &c->p[1];
  int axis, open = -1;
  int64_t known = 1;
  char text[MLPLI_SHAPE_TEXT];
  mlpl_value p = {.sizes = {.n = 0}};
  MLPL_TRY(mlpli_axis(cx, "unflatten", c->p[0].i, x->ndim, &axis));
  if (x->ndim - 1 + sizes->sizes.n > MLPL_MAX_RANK)
    return mlpl_fail(cx, MLPL_ESHAPE,
        "unflatten: %d axes would come of these sizes; a tensor has at most %d",
        x->ndim - 1 + sizes->sizes.n, MLPL_MAX_RANK);
  for (int d = 0; d < axis; d++) p.sizes.v[p.sizes.n++] = x->shape[d];
  bool fits = sizes->sizes.n > 0;
  for (int i = 0; i < sizes->sizes.n && fits; i++) {
    int64_t size = sizes->sizes.v[i];
    if (size == -1 && open < 0)
      open = p.sizes.n;
    else
      fits = size >= 0 && !__builtin_mul_overflow(known, size, &known);
    p.sizes.v[p.sizes.n++] = size;
  }
  if (fits && open >= 0) fits = known > 0 && x->shape[axis] % known == 0;
  if (fits && open >= 0) p.sizes.v[open] = x->shape[axis] / known;
  if (!fits || (open < 0 && known != x->shape[axis]))
    return mlpl_fail(cx, MLPL_ESHAPE,
        "unflatten: axis %d has size %lld, which %s does not multiply to",
        axis + cx->index_base, (long long)x->shape[axis],
        mlpli_shape_text(text, sizes->sizes.n, sizes->sizes.v));
  for (int d = axis + 1; d < x->ndim; d++) p.sizes.v[p.sizes.n++] = x->shape[d];
  return compose1(cx, out, MLPLI_OP_RESHAPE, c->in[0], &p);
}

/* ---- putting gradients back: zeros, with x where a view of them lies --------------- */

mlpl_status mlpli_shape_sizes(mlpl_ctx *cx, const mlpli_call *c, mlpli_shape *s) {
  (void)cx;
  s->ndim = c->p[0].sizes.n;
  memcpy(s->size, c->p[0].sizes.v, sizeof s->size);
  return MLPL_OK;
}

/* The part of `whole`, a fresh tensor, that a view row gives. */
static mlpl_status part_of(mlpl_ctx *cx, mlpl_tensor **part, mlpli_op_id id,
    mlpl_tensor *whole, const mlpl_value *p) {
  bool was = mlpl_set_grad_enabled(cx, false);
  mlpl_status status = mlpli_apply(cx, part, id, &whole, 1, p);
  mlpl_set_grad_enabled(cx, was);
  return status;
}

static mlpl_status put_back(
    mlpl_ctx *cx, const mlpli_call *c, mlpl_tensor *out, mlpli_op_id id) {
  mlpl_tensor *part;
  mlpli_fill(out, 0);
  MLPL_TRY(part_of(cx, &part, id, out, c->p + 1));
  mlpli_copy(part, c->in[0]);
  mlpl_tensor_release(part);
  return MLPL_OK;
}

/* The backward pass of a view: its gradient among zeros of the input's shape. */
static mlpl_status give_back(
    mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g, mlpli_op_id id) {
  mlpli_expr e = {.cx = cx};
  mlpl_value p[MLPL_MAX_PARAMS] = {mlpli_input_sizes(n)};
  memcpy(p + 1, n->p, n->op->n_params * sizeof *p);
  mlpli_xgive(&e, n, 0, mlpli_x1(&e, id, g, p));
  return mlpli_expr_end(&e);
}

/* The backward pass of that: the view of the gradient. */
static mlpl_status give_part(
    mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g, mlpli_op_id id) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(&e, n, 0, mlpli_x1(&e, id, g, n->p + 1));
  return mlpli_expr_end(&e);
}

/* ---- diagonal ---------------------------------------------------------------------- */

static VIEW(diagonal) {
  const mlpl_tensor *x = c->in[0];
  int a, b, n = 0;
  int64_t shape[MLPL_MAX_RANK], stride[MLPL_MAX_RANK], off = c->p[0].i;
  MLPL_TRY(mlpli_axis(cx, "diagonal", c->p[1].i, x->ndim, &a));
  MLPL_TRY(mlpli_axis(cx, "diagonal", c->p[2].i, x->ndim, &b));
  if (a == b)
    return mlpl_fail(cx, MLPL_EARG,
        "diagonal: dim1 and dim2 are both axis %d; it lies between two",
        a + cx->index_base);
  int64_t rows = x->shape[a] + (off < 0 ? off : 0),
          cols = x->shape[b] - (off > 0 ? off : 0);
  int64_t length = rows < cols ? rows : cols;
  int64_t start = off >= 0 ? off * x->stride[b] : -off * x->stride[a];
  for (int d = 0; d < x->ndim; d++)
    if (d != a && d != b) shape[n] = x->shape[d], stride[n++] = x->stride[d];
  shape[n] = length > 0 ? length : 0;
  stride[n++] = x->stride[a] + x->stride[b];
  return mlpli_tensor_view(cx, out, x, length > 0 ? start : 0, n, shape, stride);
}

static BACKWARD(diagonal) { return give_back(cx, n, g, MLPLI_OP_PLACE_DIAGONAL); }
static FORWARD(place_diagonal) { return put_back(cx, c, *out, MLPLI_OP_DIAGONAL); }
static BACKWARD(place_diagonal) { return give_part(cx, n, g, MLPLI_OP_DIAGONAL); }

/* ---- unfold: windows --------------------------------------------------------------- */

/* Windows of `size` elements along an axis, `step` apart; the elements of a window become
   the last axis. Windows may overlap: an element then stands in several places. */
static VIEW(unfold) {
  const mlpl_tensor *x = c->in[0];
  int64_t shape[MLPL_MAX_RANK], stride[MLPL_MAX_RANK], size = c->p[1].i, step = c->p[2].i;
  int axis;
  MLPL_TRY(mlpli_axis(cx, "unfold", c->p[0].i, x->ndim, &axis));
  if (x->ndim == MLPL_MAX_RANK)
    return mlpl_fail(cx, MLPL_ESHAPE,
        "unfold: input has %d axes already; windows need one more", MLPL_MAX_RANK);
  if (size > x->shape[axis])
    return mlpl_fail(cx, MLPL_EARG,
        "unfold: windows of %lld on axis %d, which has size %lld", (long long)size,
        axis + cx->index_base, (long long)x->shape[axis]);
  memcpy(shape, x->shape, sizeof shape);
  memcpy(stride, x->stride, sizeof stride);
  shape[axis] = (x->shape[axis] - size) / step + 1;
  if (shape[axis] > 1) stride[axis] = x->stride[axis] * step;
  shape[x->ndim] = size;
  stride[x->ndim] = x->stride[axis];
  if (!mlpli_shape_fits(x->ndim + 1, shape)) {
    char text[MLPLI_SHAPE_TEXT];
    return mlpl_fail(cx, MLPL_ESHAPE, "unfold: %s has more elements than can be counted",
        mlpli_shape_text(text, x->ndim + 1, shape));
  }
  return mlpli_tensor_view(cx, out, x, 0, x->ndim + 1, shape, stride);
}

static BACKWARD(unfold) { return give_back(cx, n, g, MLPLI_OP_PLACE_UNFOLD); }

/* Element i of every window at a time, for those do not overlap when they are at least
   one step apart. */
static FORWARD(place_unfold) {
  mlpl_tensor *part;
  mlpl_tensor *g = c->in[0];
  const int last = g->ndim - 1;
  mlpli_fill(*out, 0);
  if (g->numel == 0) return MLPL_OK;
  MLPL_TRY(part_of(cx, &part, MLPLI_OP_UNFOLD, *out, c->p + 1));
  for (int64_t i = 0; i < g->shape[last]; i++) {
    mlpl_tensor to = *part, from = *g;
    to.ndim = from.ndim = (uint8_t)last;
    to.contiguous = from.contiguous = false;
    to.numel = from.numel = g->numel / g->shape[last];
    to.data += i * to.stride[last] * mlpli_dtype_size[to.dtype];
    from.data += i * from.stride[last] * mlpli_dtype_size[from.dtype];
    mlpli_map(MLPLK_ADD, &to, &to, &from, 0);
  }
  mlpl_tensor_release(part);
  return MLPL_OK;
}
static BACKWARD(place_unfold) { return give_part(cx, n, g, MLPLI_OP_UNFOLD); }

/* ---- slice: what x[{ {a, b}, i }] is ----------------------------------------------- */

mlpl_status mlpli_part(mlpl_ctx *cx, const char *what, const mlpl_tensor *x,
    const mlpl_value *p, mlpl_tensor **out) {
  const int k = p[0].sizes.n;
  int n = 0;
  int64_t shape[MLPL_MAX_RANK], stride[MLPL_MAX_RANK], offset = 0;
  if (k > x->ndim || p[1].sizes.n != k || p[2].sizes.n != k)
    return mlpl_fail(cx, MLPL_EARG, "%s: %d starts, %d steps and %d counts for %d axes",
        what, k, p[1].sizes.n, p[2].sizes.n, x->ndim);
  for (int d = 0; d < x->ndim; d++) {
    const int64_t size = x->shape[d];
    if (d >= k) {
      shape[n] = size, stride[n++] = x->stride[d];
      continue;
    }
    const int64_t start = p[0].sizes.v[d], step = p[1].sizes.v[d],
                  count = p[2].sizes.v[d];
    const int64_t more = count > 1 ? count - 1 : 0; /* steps from the first to the last */
    bool inside = count == 0 || (start >= 0 && start < size);
    if (inside && more)
      inside = step > 0 ? more <= (size - 1 - start) / step
                        : step < 0 && step != INT64_MIN && more <= start / -step;
    if (!inside || count < MLPLI_ONE)
      return mlpl_fail(cx, MLPL_EARG,
          "%s: %lld elements from %lld in steps of %lld leave axis %d, which has size "
          "%lld",
          what, (long long)(count == MLPLI_ONE ? 1 : count),
          (long long)start + cx->index_base, (long long)step, d + cx->index_base,
          (long long)size);
    if (count) offset += start * x->stride[d];
    if (count == MLPLI_ONE) continue;
    shape[n] = count;
    stride[n++] = more ? x->stride[d] * step : x->stride[d];
  }
  if (x->numel == 0) offset = 0;
  return mlpli_tensor_view(cx, out, x, offset, n, shape, stride);
}

static VIEW(slice) { return mlpli_part(cx, "slice", c->in[0], c->p, out); }
static BACKWARD(slice) { return give_back(cx, n, g, MLPLI_OP_PLACE_SLICE); }
static FORWARD(place_slice) { return put_back(cx, c, *out, MLPLI_OP_SLICE); }
static BACKWARD(place_slice) { return give_part(cx, n, g, MLPLI_OP_SLICE); }

/* ---- rows -------------------------------------------------------------------------- */

/* All share memory; reshape_as, ravel and unflatten copy where reshape does. */

static const mlpl_param view_params[] = {MLPLI_SIZES_NEEDED("sizes")};
static const mlpl_param permute_params[] = {MLPLI_AXIS_LIST_NEEDED("dims")};
static const mlpl_param movedim_params[] = {
    MLPLI_AXIS_LIST_NEEDED("source"), MLPLI_AXIS_LIST_NEEDED("destination")};
static const mlpl_param swapaxes_params[] = {
    MLPLI_AXIS_NEEDED("axis0"), MLPLI_AXIS_NEEDED("axis1")};
static const mlpl_param squeeze_params[] = {MLPLI_AXIS_LIST_OPTION("dim")};
static const mlpl_param unsqueeze_params[] = {MLPLI_AXIS_NEEDED("dim")};
static const mlpl_param unflatten_params[] = {
    MLPLI_AXIS_NEEDED("dim"), MLPLI_SIZES_NEEDED("sizes")};

#define DIAGONAL_OPTIONS                                                                 \
  MLPLI_INT_OPTION("offset", 0, -MANY, MANY), MLPLI_AXIS_OPTION("dim1", 0),              \
      MLPLI_AXIS_OPTION("dim2", 1)
static const mlpl_param diagonal_params[] = {DIAGONAL_OPTIONS};
static const mlpl_param place_diagonal_params[] = {
    MLPLI_SIZES_NEEDED("sizes"), DIAGONAL_OPTIONS};

#define UNFOLD_OPTIONS                                                                   \
  MLPLI_AXIS_NEEDED("dimension"), MLPLI_INT_NEEDED("size", 0, MANY),                     \
      MLPLI_INT_NEEDED("step", 1, MANY)
static const mlpl_param unfold_params[] = {UNFOLD_OPTIONS};
static const mlpl_param place_unfold_params[] = {
    MLPLI_SIZES_NEEDED("sizes"), UNFOLD_OPTIONS};

#define SLICE_OPTIONS                                                                    \
  MLPLI_SIZES_NEEDED("start"), MLPLI_SIZES_NEEDED("step"), MLPLI_SIZES_NEEDED("count")
static const mlpl_param slice_params[] = {SLICE_OPTIONS};
static const mlpl_param place_slice_params[] = {
    MLPLI_SIZES_NEEDED("sizes"), SLICE_OPTIONS};

#define PLACE_ROW(f)                                                                     \
  UNARY_ROW(f, MLPLI_ANY, mlpli_shape_sizes), HAS_BACKWARD(f), PARAMS(f##_params),       \
      .internal = true
#define AS_ROW(f)                                                                        \
  .name = #f, .input_name = {"input", "other"}, .domain = {MLPLI_ANY, MLPLI_ANY},        \
  .n_inputs = 2, .n_required = 2, .n_outputs = 1, .differentiable = 1,                   \
  .compose = f##_compose

const mlpl_op mlpli_op_view = {VIEW_ROW(view, renamed), PARAMS(view_params)};
const mlpl_op mlpli_op_view_as = {AS_ROW(view_as)};
const mlpl_op mlpli_op_reshape_as = {AS_ROW(reshape_as)};
const mlpl_op mlpli_op_expand_as = {AS_ROW(expand_as)};
const mlpl_op mlpli_op_ravel = {COMPOSE_ROW(ravel, MLPLI_ANY)};
const mlpl_op mlpli_op_permute = {VIEW_ROW(permute, permute), PARAMS(permute_params)};
const mlpl_op mlpli_op_movedim = {
    COMPOSE_ROW(movedim, MLPLI_ANY), PARAMS(movedim_params)};
const mlpl_op mlpli_op_swapaxes = {
    COMPOSE_ROW(swapaxes, MLPLI_ANY), PARAMS(swapaxes_params)};
const mlpl_op mlpli_op_squeeze = {VIEW_ROW(squeeze, renamed), PARAMS(squeeze_params)};
const mlpl_op mlpli_op_unsqueeze = {
    VIEW_ROW(unsqueeze, renamed), PARAMS(unsqueeze_params)};
const mlpl_op mlpli_op_unflatten = {
    COMPOSE_ROW(unflatten, MLPLI_ANY), PARAMS(unflatten_params)};
const mlpl_op mlpli_op_diagonal = {VIEW_ROW(diagonal, diagonal), PARAMS(diagonal_params)};
const mlpl_op mlpli_op_place_diagonal = {PLACE_ROW(place_diagonal)};
const mlpl_op mlpli_op_unfold = {VIEW_ROW(unfold, unfold), PARAMS(unfold_params)};
const mlpl_op mlpli_op_place_unfold = {PLACE_ROW(place_unfold)};
const mlpl_op mlpli_op_slice = {
    VIEW_ROW(slice, slice), PARAMS(slice_params), .internal = true};
const mlpl_op mlpli_op_place_slice = {PLACE_ROW(place_slice)};
