/*
** Elements arranged anew: repeated, turned round, shifted, cut to triangles, laid on
** diagonals, padded. All of it copies.
*/
#include "grad/grad.h"
#include "ops/rows.h"
#include "ops/shape.h"

#include <string.h>

/* ---- tile, repeat_interleave ------------------------------------------------------- */

/* An axis repeated: [outer, size, inner] is stretched to [outer, times, size, inner] or,
   element by element, [outer, size, times, inner], and the two become one axis. */
static mlpl_tensor *repeated(
    mlpli_expr *e, mlpl_tensor *x, int axis, int64_t times, bool each) {
  if (!x || e->status != MLPL_OK) return NULL;
  int64_t outer = 1, inner = 1, size = x->shape[axis];
  mlpl_value shape = mlpli_sizes_of(x->ndim, x->shape);
  for (int d = 0; d < axis; d++) outer *= x->shape[d];
  for (int d = axis + 1; d < x->ndim; d++) inner *= x->shape[d];
  if (__builtin_mul_overflow(size, times, &shape.sizes.v[axis]) ||
      !mlpli_shape_fits(x->ndim, shape.sizes.v)) {
    e->status = mlpl_fail(e->cx, MLPL_ESHAPE,
        "repeat: input axis %d of %lld elements, %lld times: more than can be counted",
        axis + e->cx->index_base, (long long)size, (long long)times);
    return NULL;
  }
  mlpl_value cut = each ? mlpli_sizes_of(4, (int64_t[]){outer, size, 1, inner})
                        : mlpli_sizes_of(4, (int64_t[]){outer, 1, size, inner});
  mlpl_value wide = cut;
  wide.sizes.v[each ? 2 : 1] = times;
  mlpl_tensor *y = mlpli_x1(e, MLPLI_OP_RESHAPE, x, &cut);
  y = y ? mlpli_x1(e, MLPLI_OP_EXPAND, y, &wide) : NULL;
  return y ? mlpli_x1(e, MLPLI_OP_RESHAPE, y, &shape) : NULL;
}

/* What was only viewed so far becomes a copy: these rows never share memory. */
static mlpl_tensor *copied(mlpli_expr *e, const mlpl_tensor *x, mlpl_tensor *y) {
  if (!y || y->storage != x->storage) return y;
  return mlpli_x1(e, MLPLI_OP_CLONE, y, NULL);
}

/* dims says how often along every axis; what has fewer entries or axes gets ones in
   front, as in PyTorch. */
static COMPOSE(tile) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *x = c->in[0], *y = x;
  const mlpl_value *dims = &c->p[0];
  const int n = dims->sizes.n > x->ndim ? dims->sizes.n : x->ndim;
  mlpl_value shape = {.sizes = {.n = n}};
  for (int i = 0; i < dims->sizes.n; i++)
    if (dims->sizes.v[i] < 0)
      return mlpl_fail(cx, MLPL_EARG, "tile: dims is %lld; it must be 0 or more",
          (long long)dims->sizes.v[i]);
  for (int d = 0; d < n; d++)
    shape.sizes.v[d] = d < n - x->ndim ? 1 : x->shape[d - n + x->ndim];
  if (n > x->ndim) y = mlpli_x1(&e, MLPLI_OP_RESHAPE, x, &shape);
  for (int i = 0; i < dims->sizes.n; i++)
    if (dims->sizes.v[i] != 1)
      y = repeated(&e, y, n - dims->sizes.n + i, dims->sizes.v[i], false);
  return mlpli_xresult(&e, out, copied(&e, x, y));
}

static COMPOSE(repeat_interleave) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *x = c->in[0], *y = x;
  int axis = 0;
  if (c->p[1].i == MLPL_NO_AXIS)
    y = mlpli_x1(&e, MLPLI_OP_RAVEL, x, NULL);
  else
    MLPL_TRY(mlpli_axis(cx, "repeat_interleave", c->p[1].i, x->ndim, &axis));
  return mlpli_xresult(&e, out, copied(&e, x, repeated(&e, y, axis, c->p[0].i, true)));
}

/* Every slice as often as its own count says: the index of each, then index_select. */
static mlpl_status index_of_counts(
    mlpl_ctx *cx, const mlpl_tensor *repeats, int64_t size, mlpl_tensor **index) {
  mlpl_tensor *whole, *counts;
  int64_t total = 0, at = 0;
  MLPL_TRY(mlpl_tensor_to(cx, &whole, repeats, MLPL_I64));
  mlpl_status status = mlpli_tensor_contiguous(cx, &counts, whole);
  mlpl_tensor_release(whole);
  if (status != MLPL_OK) return status;
  const int64_t *n = (const void *)counts->data;
  const int64_t step = counts->numel > 1; /* one count stands for all */
  for (int64_t i = 0; i < size && status == MLPL_OK; i++)
    if (n[i * step] < 0)
      status = mlpl_fail(cx, MLPL_EARG,
          "repeat_interleave: repeats holds %lld; every one must be 0 or more",
          (long long)n[i * step]);
    else if (__builtin_add_overflow(total, n[i * step], &total) || total > INT64_MAX / 8)
      status = mlpl_fail(cx, MLPL_ESHAPE,
          "repeat_interleave: repeats add up to more elements than can be counted");
  if (status == MLPL_OK) status = mlpli_tensor_make(cx, index, MLPL_I64, 1, &total);
  if (status == MLPL_OK) {
    int64_t *to = (void *)(*index)->data;
    for (int64_t i = 0; i < size; i++)
      for (int64_t k = 0; k < n[i * step]; k++) to[at++] = i + cx->index_base;
  }
  mlpl_tensor_release(counts);
  return status;
}

static COMPOSE(repeat_each) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *x = c->in[0], *y = x, *repeats = c->in[1], *index = NULL;
  char text[MLPLI_SHAPE_TEXT];
  int axis = 0;
  if (mlpli_is_real(repeats))
    return mlpl_fail(cx, MLPL_EARG,
        "repeat_interleave: repeats is %s; counts are whole numbers (i64)",
        mlpl_dtype_name((mlpl_dtype)repeats->dtype));
  if (c->p[0].i == MLPL_NO_AXIS)
    y = mlpli_x1(&e, MLPLI_OP_RAVEL, x, NULL);
  else
    MLPL_TRY(mlpli_axis(cx, "repeat_interleave", c->p[0].i, x->ndim, &axis));
  const int64_t size = y ? y->shape[axis] : 0;
  if (y && (repeats->ndim > 1 || (repeats->numel != 1 && repeats->numel != size)))
    e.status = mlpl_fail(cx, MLPL_ESHAPE,
        "repeat_interleave: repeats is %s; it must be one number, or one for each of the "
        "%lld elements of axis %d",
        mlpli_tensor_text(text, repeats), (long long)size, axis + cx->index_base);
  if (e.status == MLPL_OK) e.status = index_of_counts(cx, repeats, size, &index);
  mlpli_xkeep(&e, index);
  mlpl_value p = {.i = axis};
  return mlpli_xresult(&e, out,
      e.status == MLPL_OK ? mlpli_x2(&e, MLPLI_OP_INDEX_SELECT, y, index, &p) : NULL);
}

/* ---- flip, roll, rot90 ------------------------------------------------------------- */

static mlpl_tensor *flipped(mlpli_expr *e, mlpl_tensor *x, unsigned axes) {
  mlpl_value p[3]; /* start, step, count of slice */
  if (!x) return NULL;
  for (int i = 0; i < 3; i++) p[i] = mlpli_sizes_of(x->ndim, x->shape);
  for (int d = 0; d < x->ndim; d++) {
    bool turn = axes >> d & 1 && x->shape[d];
    p[0].sizes.v[d] = turn ? x->shape[d] - 1 : 0;
    p[1].sizes.v[d] = turn ? -1 : 1;
  }
  return mlpli_x1(e, MLPLI_OP_SLICE, x, p);
}

static COMPOSE(flip) {
  mlpli_expr e = {.cx = cx};
  int list[MLPL_MAX_RANK];
  unsigned axes;
  MLPL_TRY(mlpli_axis_list(cx, "flip", c->p, c->in[0]->ndim, list, &axes));
  return mlpli_xresult(&e, out, copied(&e, c->in[0], flipped(&e, c->in[0], axes)));
}

/* The last `by` elements of an axis come first. */
static mlpl_tensor *rolled(mlpli_expr *e, mlpl_tensor *x, int axis, int64_t by) {
  if (!x || e->status != MLPL_OK) return NULL;
  const int64_t size = x->shape[axis];
  if (size == 0) return x;
  by %= size;
  if (by < 0) by += size;
  if (by == 0) return x;
  mlpl_value head[3] = {{.i = axis}, {.i = 0}, {.i = size - by}},
             tail[3] = {{.i = axis}, {.i = size - by}, {.i = by}};
  mlpl_tensor *a = mlpli_x1(e, MLPLI_OP_NARROW, x, tail),
              *b = mlpli_x1(e, MLPLI_OP_NARROW, x, head);
  return mlpli_x2(e, MLPLI_OP_CAT, a, b, head);
}

/* Columns, or rows, in the opposite order. */
static mlpl_status flip_one(
    mlpl_ctx *cx, const mlpli_call *c, int axis, mlpl_tensor **out) {
  const mlpl_value dims = mlpli_sizes_of(1, (int64_t[]){axis});
  char text[MLPLI_SHAPE_TEXT];
  if (c->in[0]->ndim <= axis)
    return mlpl_fail(cx, MLPL_ESHAPE, "%s: input is %s; it must have %s", c->op->name,
        mlpli_tensor_text(text, c->in[0]), axis ? "two axes or more" : "an axis");
  return mlpli_apply(cx, out, MLPLI_OP_FLIP, c->in, 1, &dims);
}
static COMPOSE(fliplr) { return flip_one(cx, c, 1, out); }
static COMPOSE(flipud) { return flip_one(cx, c, 0, out); }

/* Without axes the elements are rolled as one row. */
static COMPOSE(roll) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *x = c->in[0], *y = x;
  const mlpl_value *shifts = &c->p[0];
  const bool all = c->p[1].sizes.n == 0;
  int list[MLPL_MAX_RANK] = {0};
  unsigned axes;
  mlpl_value shape = mlpli_sizes_of(x->ndim, x->shape);
  if (!all) MLPL_TRY(mlpli_axis_list(cx, "roll", &c->p[1], x->ndim, list, &axes));
  if (shifts->sizes.n != (all ? 1 : c->p[1].sizes.n))
    return mlpl_fail(cx, MLPL_EARG, "roll: %d shifts for %d axes; each needs one",
        shifts->sizes.n, all ? 1 : c->p[1].sizes.n);
  if (all) y = mlpli_x1(&e, MLPLI_OP_RAVEL, x, NULL);
  for (int i = 0; i < shifts->sizes.n; i++)
    y = rolled(&e, y, list[i], shifts->sizes.v[i]);
  if (all && y) y = mlpli_x1(&e, MLPLI_OP_RESHAPE, y, &shape);
  return mlpli_xresult(&e, out, copied(&e, x, y));
}

/* k quarter turns from the first axis of dims towards the second. */
static COMPOSE(rot90) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *x = c->in[0], *y = x;
  mlpl_value both = c->p[1];
  const int64_t turns = (c->p[0].i % 4 + 4) % 4;
  int list[MLPL_MAX_RANK];
  unsigned axes;
  if (both.sizes.n == 0) both = mlpli_sizes_of(2, (int64_t[]){0, 1});
  MLPL_TRY(mlpli_axis_list(cx, "rot90", &both, x->ndim, list, &axes));
  if (both.sizes.n != 2)
    return mlpl_fail(cx, MLPL_EARG, "rot90: %d axes; a plane has two", both.sizes.n);
  mlpl_value swap[2] = {{.i = list[0]}, {.i = list[1]}};
  if (turns == 1) y = flipped(&e, x, 1u << list[1]);
  if (turns == 2) y = flipped(&e, x, axes);
  if (turns & 1 && y) y = mlpli_x1(&e, MLPLI_OP_TRANSPOSE, y, swap);
  if (turns == 3) y = flipped(&e, y, 1u << list[1]);
  return mlpli_xresult(&e, out, copied(&e, x, y));
}

/* ---- tril, triu -------------------------------------------------------------------- */

static SHAPE(triangle) {
  char text[MLPLI_SHAPE_TEXT];
  if (c->in[0]->ndim < 2)
    return mlpl_fail(cx, MLPL_ESHAPE, "%s: input is %s; a triangle needs two axes",
        c->op->name, mlpli_tensor_text(text, c->in[0]));
  return mlpli_shape_same(cx, c, s);
}

/* Zero what lies to one side of a diagonal of the last two axes. */
static void cut(mlpl_tensor *out, int64_t diagonal, bool lower) {
  const int64_t cols = out->shape[out->ndim - 1], rows = out->shape[out->ndim - 2];
  const size_t size = mlpli_dtype_size[out->dtype];
  for (int64_t r = 0; cols && r < out->numel / cols; r++) {
    int64_t edge = r % rows + diagonal + (lower ? 1 : 0);
    edge = edge < 0 ? 0 : edge > cols ? cols : edge;
    char *row = out->data + (size_t)(r * cols) * size;
    if (lower)
      memset(row + (size_t)edge * size, 0, (size_t)(cols - edge) * size);
    else
      memset(row, 0, (size_t)edge * size);
  }
}

static FORWARD(tril) {
  (void)cx;
  mlpli_copy(*out, c->in[0]);
  cut(*out, c->p[0].i, true);
  return MLPL_OK;
}
static FORWARD(triu) {
  (void)cx;
  mlpli_copy(*out, c->in[0]);
  cut(*out, c->p[0].i, false);
  return MLPL_OK;
}

static BACKWARD(tril) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(&e, n, 0, mlpli_x1(&e, MLPLI_OP_TRIL, g, n->p));
  return mlpli_expr_end(&e);
}
static BACKWARD(triu) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(&e, n, 0, mlpli_x1(&e, MLPLI_OP_TRIU, g, n->p));
  return mlpli_expr_end(&e);
}

/* ---- diag_embed, diag, trace ------------------------------------------------------- */

/* The last axis becomes a diagonal between two new axes, among zeros. */
static mlpl_tensor *embedded(
    mlpli_expr *e, mlpl_tensor *x, int64_t offset, int dim1, int dim2) {
  mlpl_value p[4] = {
      {.sizes = {.n = x->ndim + 1}}, {.i = offset}, {.i = dim1}, {.i = dim2}};
  const int64_t side = x->shape[x->ndim - 1] + (offset < 0 ? -offset : offset);
  for (int d = 0, from = 0; d <= x->ndim; d++)
    p[0].sizes.v[d] = d == dim1 || d == dim2 ? side : x->shape[from++];
  return mlpli_x1(e, MLPLI_OP_PLACE_DIAGONAL, x, p);
}

static COMPOSE(diag_embed) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *x = c->in[0];
  int a, b;
  if (x->ndim == 0 || x->ndim == MLPL_MAX_RANK)
    return mlpl_fail(cx, MLPL_ESHAPE, "diag_embed: input has %d axes; it takes 1 to %d",
        x->ndim, MLPL_MAX_RANK - 1);
  MLPL_TRY(mlpli_axis(cx, "diag_embed", c->p[1].i, x->ndim + 1, &a));
  MLPL_TRY(mlpli_axis(cx, "diag_embed", c->p[2].i, x->ndim + 1, &b));
  if (a == b)
    return mlpl_fail(cx, MLPL_EARG,
        "diag_embed: dim1 and dim2 are both axis %d; it lies between two",
        a + cx->index_base);
  return mlpli_xresult(&e, out, embedded(&e, x, c->p[0].i, a, b));
}

/* Numbers in a row become the diagonal of a matrix; of a matrix the diagonal is taken. */
static COMPOSE(diag) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *x = c->in[0], *y;
  char text[MLPLI_SHAPE_TEXT];
  if (x->ndim != 1 && x->ndim != 2)
    return mlpl_fail(cx, MLPL_ESHAPE,
        "diag: the tensor is %s; it takes one axis or two (diagonal and diag_embed take "
        "more)",
        mlpli_tensor_text(text, x));
  mlpl_value p[3] = {c->p[0], {.i = 0}, {.i = 1}};
  y = x->ndim == 1 ? embedded(&e, x, p[0].i, 0, 1)
                   : mlpli_x1(&e, MLPLI_OP_DIAGONAL, x, p);
  return mlpli_xresult(&e, out, copied(&e, x, y));
}

static COMPOSE(diagflat) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *row = mlpli_x1(&e, MLPLI_OP_RAVEL, c->in[0], NULL);
  return mlpli_xresult(&e, out, mlpli_x1(&e, MLPLI_OP_DIAG, row, c->p));
}

static COMPOSE(trace) {
  mlpli_expr e = {.cx = cx};
  char text[MLPLI_SHAPE_TEXT];
  mlpl_value p[3] = {{.i = 0}, {.i = 0}, {.i = 1}};
  mlpl_value all[2] = {{.i = MLPL_NO_AXIS}, {.i = 0}};
  if (c->in[0]->ndim != 2)
    return mlpl_fail(cx, MLPL_ESHAPE, "trace: input is %s; it must be a matrix",
        mlpli_tensor_text(text, c->in[0]));
  mlpl_tensor *y = mlpli_x1(&e, MLPLI_OP_DIAGONAL, c->in[0], p);
  return mlpli_xresult(&e, out, y ? mlpli_x1(&e, MLPLI_OP_SUM, y, all) : NULL);
}

/* ---- pad --------------------------------------------------------------------------- */

enum { CONSTANT, REFLECT, REPLICATE, CIRCULAR };
static const char *const pad_modes[] = {
    "constant", "reflect", "replicate", "circular", NULL};

/* Of axis d before and behind, from PyTorch's order: the last axis first, two numbers
   each. */
static int64_t before(const mlpl_value *pad, int ndim, int d) {
  int i = 2 * (ndim - 1 - d);
  return i < pad->sizes.n ? pad->sizes.v[i] : 0;
}
static int64_t behind(const mlpl_value *pad, int ndim, int d) {
  int i = 2 * (ndim - 1 - d) + 1;
  return i < pad->sizes.n ? pad->sizes.v[i] : 0;
}

/* What the modes other than constant can do along an axis of size n. */
static mlpl_status check_mode(
    mlpl_ctx *cx, int mode, int d, int64_t n, int64_t a, int64_t b) {
  const char *rule = NULL;
  int64_t most = a > b ? a : b;
  if (mode == REFLECT && most > (n ? n - 1 : 0)) rule = "less than the size";
  if (mode == CIRCULAR && most > n) rule = "at most the size";
  if (mode == REPLICATE && most > 0 && n == 0)
    rule = "0 where there is nothing to repeat";
  if (mode != CONSTANT && (a < 0 || b < 0)) rule = "0 or more (constant alone can cut)";
  if (!rule) return MLPL_OK;
  return mlpl_fail(cx, MLPL_EARG,
      "pad: %s with %lld before and %lld behind axis %d, which has size %lld; both must "
      "be %s",
      pad_modes[mode], (long long)a, (long long)b, d + cx->index_base, (long long)n,
      rule);
}

static mlpl_status padded_shape(
    mlpl_ctx *cx, const mlpli_call *c, int mode, mlpli_shape *s) {
  const mlpl_tensor *x = c->in[0];
  const mlpl_value *pad = &c->p[0];
  char text[MLPLI_SHAPE_TEXT];
  if (pad->sizes.n % 2 || pad->sizes.n > 2 * x->ndim)
    return mlpl_fail(cx, MLPL_EARG,
        "pad: %d numbers for a tensor of shape %s; they are two for each axis, the last "
        "axis first",
        pad->sizes.n, mlpli_tensor_text(text, x));
  s->ndim = x->ndim;
  for (int d = 0; d < x->ndim; d++) {
    int64_t a = before(pad, x->ndim, d), b = behind(pad, x->ndim, d), all;
    MLPL_TRY(check_mode(cx, mode, d, x->shape[d], a, b));
    if (__builtin_add_overflow(x->shape[d], a, &all) || all < 0 ||
        __builtin_add_overflow(all, b, &all) || all < 0 || b < -x->shape[d])
      return mlpl_fail(cx, MLPL_EARG,
          "pad: axis %d of size %lld cannot have %lld before and %lld behind",
          d + cx->index_base, (long long)x->shape[d], (long long)a, (long long)b);
    s->size[d] = all;
  }
  return MLPL_OK;
}

/* Where element i of a padded axis comes from; n: the axis' size. */
static int64_t source(int mode, int64_t i, int64_t n) {
  switch (mode) {
    case REFLECT: return i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i;
    case REPLICATE: return i < 0 ? 0 : i >= n ? n - 1 : i;
    default: return i < 0 ? i + n : i >= n ? i - n : i;
  }
}

/* An axis by index_select: its gradient adds up what was repeated. */
static mlpl_tensor *extended(
    mlpli_expr *e, mlpl_tensor *x, int d, int mode, int64_t a, int64_t size) {
  mlpl_tensor *index;
  mlpl_value p = {.i = d};
  if (!x || e->status != MLPL_OK) return NULL;
  e->status = mlpli_tensor_make(e->cx, &index, MLPL_I64, 1, &size);
  if (e->status != MLPL_OK) return NULL;
  for (int64_t i = 0; i < size; i++) {
    int64_t from = source(mode, i - a, x->shape[d]) + e->cx->index_base;
    memcpy(index->data + (size_t)i * sizeof from, &from, sizeof from);
  }
  return mlpli_x2(e, MLPLI_OP_INDEX_SELECT, x, mlpli_xkeep(e, index), &p);
}

/* Fill with the value, then copy what lies inside; negative numbers cut. */
static mlpl_status constant_pad(
    mlpl_ctx *cx, const mlpl_value *p, mlpl_tensor *x, mlpl_tensor *out) {
  const mlpl_value *pad = &p[0];
  mlpl_value from[3], to[3];
  mlpl_tensor *a, *b;
  for (int i = 0; i < 3; i++) from[i] = to[i] = mlpli_sizes_of(x->ndim, x->shape);
  for (int d = 0; d < x->ndim; d++) {
    int64_t first = before(pad, x->ndim, d), last = behind(pad, x->ndim, d);
    int64_t n = x->shape[d] + (first < 0 ? first : 0) + (last < 0 ? last : 0);
    from[0].sizes.v[d] = first < 0 ? -first : 0;
    to[0].sizes.v[d] = first > 0 ? first : 0;
    from[1].sizes.v[d] = to[1].sizes.v[d] = 1;
    from[2].sizes.v[d] = to[2].sizes.v[d] = n > 0 ? n : 0;
  }
  mlpli_fill_element(out, p[1].element);
  MLPL_TRY(mlpli_part(cx, "pad", x, from, &a));
  mlpl_status status = mlpli_part(cx, "pad", out, to, &b);
  if (status == MLPL_OK) mlpli_copy(b, a);
  mlpl_tensor_release(a);
  if (status == MLPL_OK) mlpl_tensor_release(b);
  return status;
}

static SHAPE(pad_constant) {
  MLPL_TRY(mlpli_check_element(cx, "pad", c->in[0]->dtype, c->p[1].element));
  return padded_shape(cx, c, CONSTANT, s);
}
static FORWARD(pad_constant) { return constant_pad(cx, c->p, c->in[0], *out); }

/* What was added is cut, what was cut becomes 0. */
static BACKWARD(pad_constant) {
  mlpli_expr e = {.cx = cx};
  mlpl_value p[2] = {n->p[0], {.f = 0}};
  for (int i = 0; i < p[0].sizes.n; i++) p[0].sizes.v[i] = -p[0].sizes.v[i];
  mlpli_xgive(&e, n, 0, mlpli_x1(&e, MLPLI_OP_PAD_CONSTANT, g, p));
  return mlpli_expr_end(&e);
}

static COMPOSE(pad) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *x = c->in[0], *y = x;
  const int mode = (int)c->p[1].i;
  mlpl_value p[2] = {c->p[0], c->p[2]};
  mlpli_shape s;
  MLPL_TRY(padded_shape(cx, c, mode, &s));
  if (mode == CONSTANT) y = mlpli_x1(&e, MLPLI_OP_PAD_CONSTANT, x, p);
  for (int d = 0; d < x->ndim && mode != CONSTANT; d++)
    if (s.size[d] != x->shape[d])
      y = extended(&e, y, d, mode, before(&c->p[0], x->ndim, d), s.size[d]);
  return mlpli_xresult(&e, out, copied(&e, x, y));
}

/* ---- rows -------------------------------------------------------------------------- */

static const mlpl_param tile_params[] = {MLPLI_SIZES_NEEDED("dims")};
static const mlpl_param interleave_params[] = {
    MLPLI_INT_NEEDED("repeats", 0, MANY), MLPLI_AXIS_OPTION("dim", NAN)};
static const mlpl_param each_params[] = {MLPLI_AXIS_OPTION("dim", NAN)};
static const mlpl_param flip_params[] = {MLPLI_AXIS_LIST_NEEDED("dims")};
static const mlpl_param roll_params[] = {
    MLPLI_SIZES_NEEDED("shifts"), MLPLI_AXIS_LIST_OPTION("dims")};
static const mlpl_param rot90_params[] = {
    MLPLI_INT_OPTION("k", 1, -MANY, MANY), MLPLI_AXIS_LIST_OPTION("dims")};
static const mlpl_param triangle_params[] = {
    MLPLI_INT_OPTION("diagonal", 0, -MANY, MANY)};
static const mlpl_param offset_params[] = {MLPLI_INT_OPTION("offset", 0, -MANY, MANY)};
static const mlpl_param embed_params[] = {MLPLI_INT_OPTION("offset", 0, -MANY, MANY),
    MLPLI_AXIS_OPTION("dim1", -2), MLPLI_AXIS_OPTION("dim2", -1)};
static const mlpl_param pad_params[] = {MLPLI_SIZES_NEEDED("pad"),
    MLPLI_CHOICE_OPTION("mode", pad_modes), MLPLI_ELEMENT_OPTION("value", 0)};
static const mlpl_param pad_constant_params[] = {
    MLPLI_SIZES_NEEDED("pad"), MLPLI_ELEMENT_OPTION("value", 0)};

const mlpl_op mlpli_op_tile = {COMPOSE_ROW(tile, MLPLI_ANY), PARAMS(tile_params)};
const mlpl_op mlpli_op_repeat_each = {.name = "repeat_each",
    .says = MLPLI_OP_REPEAT_INTERLEAVE,
    .input_name = {"input", "repeats"},
    .domain = {MLPLI_ANY, MLPLI_ANY},
    .n_inputs = 2,
    .n_required = 2,
    .n_outputs = 1,
    .differentiable = 1,
    .compose = repeat_each_compose,
    PARAMS(each_params),
    .internal = true};
const mlpl_op mlpli_op_repeat_interleave = {COMPOSE_ROW(repeat_interleave, MLPLI_ANY),
    PARAMS(interleave_params), .by_tensor = MLPLI_OP_REPEAT_EACH};
const mlpl_op mlpli_op_flip = {COMPOSE_ROW(flip, MLPLI_ANY), PARAMS(flip_params)};
const mlpl_op mlpli_op_roll = {COMPOSE_ROW(roll, MLPLI_ANY), PARAMS(roll_params)};
const mlpl_op mlpli_op_fliplr = {COMPOSE_ROW(fliplr, MLPLI_ANY)};
const mlpl_op mlpli_op_flipud = {COMPOSE_ROW(flipud, MLPLI_ANY)};
const mlpl_op mlpli_op_rot90 = {COMPOSE_ROW(rot90, MLPLI_ANY), PARAMS(rot90_params)};
const mlpl_op mlpli_op_tril = {UNARY_ROW(tril, MLPLI_ANY, shape_triangle),
    .underscored = true, HAS_BACKWARD(tril), PARAMS(triangle_params)};
const mlpl_op mlpli_op_triu = {UNARY_ROW(triu, MLPLI_ANY, shape_triangle),
    .underscored = true, HAS_BACKWARD(triu), PARAMS(triangle_params)};
const mlpl_op mlpli_op_diag = {COMPOSE_ROW(diag, MLPLI_ANY), PARAMS(triangle_params)};
const mlpl_op mlpli_op_diagflat = {
    COMPOSE_ROW(diagflat, MLPLI_ANY), PARAMS(offset_params)};
const mlpl_op mlpli_op_diag_embed = {
    COMPOSE_ROW(diag_embed, MLPLI_ANY), PARAMS(embed_params)};
const mlpl_op mlpli_op_trace = {
    COMPOSE_ROW(trace, MLPLI_REAL), .computes = MLPLI_NUMBERS};
const mlpl_op mlpli_op_pad = {
    COMPOSE_ROW(pad, MLPLI_ANY), PARAMS(pad_params), .places_options = true};
const mlpl_op mlpli_op_pad_constant = {
    UNARY_ROW(pad_constant, MLPLI_ANY, shape_pad_constant), HAS_BACKWARD(pad_constant),
    PARAMS(pad_constant_params), .internal = true, .places_options = true};
