/*
** Orders along an axis: sort, argsort, topk, kthvalue, median, mode, quantile. NaN is the
** largest element, equal elements stay in order.
*/
#include "ops/rows.h"

#include "ops/order.h"
#include "ops/shape.h"

#include "grad/grad.h"

#include <string.h>

#define FEW 16 /* up to so many firsts of a line are kept in order as they come */

/* ---- lines in order ---------------------------------------------------------------- */

/* Work on lines of x (contiguous): `k` of each, values and places (from 0), into
   contiguous results. */
typedef struct order_job {
  mlpli_lines l;
  const mlpl_tensor *x;
  mlpl_tensor *y, *index; /* either may be NULL */
  int64_t k;              /* how many; or which one, from 0 */
  uint64_t flip;
  double q;
} order_job;

static uint64_t key_of(const order_job *j, int64_t start, int64_t at) {
  return mlpli_key(j->x->data, start + at * j->l.inner, j->x->dtype, j->flip);
}

static void keys_of(const order_job *j, int64_t start, uint64_t *key) {
  mlpli_keys(j->l.r, key, j->x->data, start, j->l.inner, j->x->dtype, j->flip);
}

/* Element `at` of the line that starts there becomes element `t` of `k` in results. */
static void put(
    const order_job *j, int64_t line, int64_t start, int64_t k, int64_t t, int64_t at) {
  const int64_t to = mlpli_line_start(&j->l, line, k) + t * j->l.inner,
                from = start + at * j->l.inner;
  const size_t size = mlpli_dtype_size[j->x->dtype];
  if (j->y)
    memcpy(j->y->data + (size_t)to * size, j->x->data + (size_t)from * size, size);
  if (j->index) ((int64_t *)(void *)j->index->data)[to] = at;
}

static void sort_line(void *arg, int64_t line, void *scratch) {
  const order_job *j = arg;
  const int64_t start = mlpli_line_start(&j->l, line, j->l.r);
  mlplk_item *items = scratch;
  for (int64_t i = 0; i < j->l.r; i++) items[i] = (mlplk_item){key_of(j, start, i), i};
  mlplk_sort(j->l.r, items, items + j->l.r);
  for (int64_t i = 0; i < j->l.r; i++) put(j, line, start, j->l.r, i, items[i].at);
}

/* The k first of r keys in order, 0 < k <= r, when k is small: kept in order as they come. */
static void first_few(int64_t k, mlplk_item *items, int64_t r, const uint64_t *key) {
  int64_t n = 0;
  for (int64_t i = 0; i < r; i++) {
    if (n == k && key[i] >= items[k - 1].key) continue;
    int64_t to = n < k ? n++ : k - 1;
    for (; to > 0 && items[to - 1].key > key[i]; to--) items[to] = items[to - 1];
    items[to] = (mlplk_item){key[i], i};
  }
}

/* Else: find the last of them, take all before it, sort those. behind the items is
   room for as many. */
static void first_many(int64_t k, mlplk_item *items, int64_t r, const uint64_t *key) {
  ptrdiff_t equal, n = 0;
  const uint64_t last = mlplk_kth(r, key, k - 1, &equal);
  for (int64_t i = 0; i < r; i++)
    if (key[i] < last || (key[i] == last && equal-- >= 0))
      items[n++] = (mlplk_item){key[i], i};
  mlplk_sort(n, items, items + k);
}

static void top_line(void *arg, int64_t line, void *scratch) {
  const order_job *j = arg;
  const int64_t start = mlpli_line_start(&j->l, line, j->l.r), r = j->l.r, k = j->k;
  uint64_t *key = scratch;
  mlplk_item *items = (mlplk_item *)(void *)(key + r);
  if (k == 0) return;
  keys_of(j, start, key);
  (k <= FEW ? first_few : first_many)(k, items, r, key);
  for (int64_t i = 0; i < k; i++) put(j, line, start, k, i, items[i].at);
}

/* The place of the k-th in order, of r keys. */
static int64_t kth_place(const uint64_t *key, int64_t r, int64_t k) {
  ptrdiff_t equal;
  const uint64_t value = mlplk_kth(r, key, k, &equal);
  for (int64_t i = 0;; i++)
    if (key[i] == value && equal-- == 0) return i;
}

static bool is_nan(const mlpl_tensor *x, int64_t i) {
  const double v = mlpli_load(x->data + (size_t)i * mlpli_dtype_size[x->dtype], x->dtype);
  return v != v;
}

static void kth_line(void *arg, int64_t line, void *scratch) {
  const order_job *j = arg;
  const int64_t start = mlpli_line_start(&j->l, line, j->l.r);
  uint64_t *key = scratch;
  keys_of(j, start, key);
  put(j, line, start, 1, 0, kth_place(key, j->l.r, j->k));
}

/* The first NaN of a line, or -1. */
static int64_t nan_of(const order_job *j, int64_t start) {
  if (!mlpli_is_real(j->x)) return -1;
  for (int64_t i = 0; i < j->l.r; i++)
    if (is_nan(j->x, start + i * j->l.inner)) return i;
  return -1;
}

/* The lower median; NaN where there is one. */
static void median_line(void *arg, int64_t line, void *scratch) {
  const order_job *j = arg;
  const int64_t start = mlpli_line_start(&j->l, line, j->l.r), nan = nan_of(j, start);
  if (nan >= 0)
    put(j, line, start, 1, 0, nan);
  else
    kth_line(arg, line, scratch);
}

/* The lower median of those that are numbers; NaN where none is. */
static void nanmedian_line(void *arg, int64_t line, void *scratch) {
  const order_job *j = arg;
  const int64_t start = mlpli_line_start(&j->l, line, j->l.r);
  uint64_t *key = scratch;
  int64_t numbers = 0;
  for (int64_t i = 0; i < j->l.r; i++) {
    key[i] = key_of(j, start, i);
    numbers += !(mlpli_is_real(j->x) && is_nan(j->x, start + i * j->l.inner));
  }
  put(j, line, start, 1, 0, kth_place(key, j->l.r, numbers ? (numbers - 1) / 2 : 0));
}

/* The most frequent element, of several the smallest, where it is last. As in PyTorch,
   NaN equals nothing, and another NaN neither. */
static void mode_line(void *arg, int64_t line, void *scratch) {
  const order_job *j = arg;
  const int64_t start = mlpli_line_start(&j->l, line, j->l.r);
  mlplk_item *items = scratch;
  int64_t best = 0, most = 0, times = 0;
  for (int64_t i = 0; i < j->l.r; i++) items[i] = (mlplk_item){key_of(j, start, i), i};
  mlplk_sort(j->l.r, items, items + j->l.r);
  for (int64_t i = 0; i < j->l.r; i++) {
    times++;
    if (i + 1 < j->l.r && items[i].key == items[i + 1].key &&
        !(mlpli_is_real(j->x) && is_nan(j->x, start + items[i].at * j->l.inner)))
      continue;
    if (times > most) best = items[i].at, most = times;
    times = 0;
  }
  put(j, line, start, 1, 0, best);
}

/* Places of the two elements that the quantile lies between, as two places of index. */
static void quantile_line(void *arg, int64_t line, void *scratch) {
  const order_job *j = arg;
  const int64_t start = mlpli_line_start(&j->l, line, j->l.r), nan = nan_of(j, start),
                low = (int64_t)floor(j->q * (double)(j->l.r - 1)),
                high = low + 1 < j->l.r ? low + 1 : low;
  uint64_t *key = scratch;
  keys_of(j, start, key);
  put(j, line, start, 2, 0, nan >= 0 ? nan : kth_place(key, j->l.r, low));
  put(j, line, start, 2, 1, nan >= 0 ? nan : kth_place(key, j->l.r, high));
}

static mlpl_status run(mlpl_ctx *cx, const mlpli_call *c, order_job *j, int axis,
    size_t bytes_each, mlpli_line_work *work) {
  mlpl_tensor *x;
  MLPL_TRY(mlpli_tensor_contiguous(cx, &x, c->in[0]));
  j->x = x;
  j->l = mlpli_lines_of(x->ndim, x->shape, axis);
  mlpl_status status = MLPL_OK;
  if (j->l.r)
    status = mlpli_each_line(
        cx, c->op->name, &j->l, bytes_each * (size_t)j->l.r, work, j);
  mlpl_tensor_release(x);
  return status;
}

/* Values and places by a line's work; the places become the second result, if `give`. */
static mlpl_status values_and_places(mlpl_ctx *cx, mlpli_call *c, mlpl_tensor **out,
    order_job *j, int axis, size_t bytes_each, mlpli_line_work *work, bool give) {
  mlpl_tensor *index;
  MLPL_TRY(mlpli_tensor_make(cx, &index, MLPL_I64, (*out)->ndim, (*out)->shape));
  j->y = *out;
  j->index = index;
  mlpl_status status = run(cx, c, j, axis, bytes_each, work);
  if (status == MLPL_OK && c->record && axis >= 0) c->extra = mlpli_retain(index);
  if (status == MLPL_OK && give) status = mlpli_give_places(cx, c, index, &out[1]);
  mlpl_tensor_release(index);
  return status;
}

/* ---- sort, argsort, topk ----------------------------------------------------------- */

static SHAPE(sort) {
  int axis;
  MLPL_TRY(mlpli_line_axis(cx, c, 0, &axis));
  return mlpli_shape_same(cx, c, s);
}

static FORWARD(sort) {
  order_job j = {.flip = c->p[1].i ? ~(uint64_t)0 : 0};
  int axis;
  MLPL_TRY(mlpli_line_axis(cx, c, 0, &axis));
  return values_and_places(cx, c, out, &j, axis, 2 * sizeof(mlplk_item), sort_line, true);
}

static FORWARD(argsort) {
  order_job j = {.flip = c->p[1].i ? ~(uint64_t)0 : 0, .index = *out};
  int axis;
  MLPL_TRY(mlpli_line_axis(cx, c, 0, &axis));
  MLPL_TRY(run(cx, c, &j, axis, 2 * sizeof(mlplk_item), sort_line));
  mlpli_count_from_base(*out, *out);
  return MLPL_OK;
}

/* That 0 <= k <= size (or from `least`) of the axis. */
static mlpl_status check_k(mlpl_ctx *cx, const mlpli_call *c, int64_t k, int64_t least,
    int axis, int64_t *size) {
  const mlpl_tensor *x = c->in[0];
  *size = axis < 0 ? 1 : x->shape[axis];
  if (k >= least && k <= *size) return MLPL_OK;
  return mlpl_fail(cx, MLPL_EARG, "%s: k is %lld; axis %d has %lld elements", c->op->name,
      (long long)k, (axis < 0 ? 0 : axis) + cx->index_base, (long long)*size);
}

static SHAPE(topk) {
  int axis;
  int64_t size;
  MLPL_TRY(mlpli_line_axis(cx, c, 1, &axis));
  MLPL_TRY(check_k(cx, c, c->p[0].i, 0, axis, &size));
  MLPL_TRY(mlpli_shape_same(cx, c, s));
  if (axis >= 0)
    s->size[axis] = c->p[0].i;
  else if (c->p[0].i == 0) /* none of a number */
    s->ndim = 1, s->size[0] = 0;
  return MLPL_OK;
}

static FORWARD(topk) {
  order_job j = {.k = c->p[0].i, .flip = c->p[2].i ? ~(uint64_t)0 : 0};
  int axis;
  MLPL_TRY(mlpli_line_axis(cx, c, 1, &axis));
  return values_and_places(
      cx, c, out, &j, axis, sizeof(uint64_t) + 2 * sizeof(mlplk_item), top_line, true);
}

static mlpl_tensor *add_along(
    mlpli_expr *e, mlpli_node *n, mlpl_tensor *g, mlpl_tensor *index, int64_t dim) {
  int ndim;
  const int64_t *shape;
  mlpli_input_shape(n, 0, &ndim, &shape);
  const int axis = mlpli_axis_known(dim, ndim);
  mlpl_value how[2] = {{.i = axis}, {.i = shape[axis]}};
  return mlpli_x2(e, MLPLI_OP_ADD_ALONG, g, index, how);
}

/* g back to where the values were. Option dim is the second of topk and kthvalue. */
static mlpl_status places_backward(
    mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g, int64_t dim) {
  mlpli_expr e = {.cx = cx};
  int ndim;
  const int64_t *shape;
  mlpli_input_shape(n, 0, &ndim, &shape);
  if (ndim == 0) {
    mlpl_value s = {.sizes = {.n = 0}};
    mlpli_xgive(&e, n, 0, mlpli_x1(&e, MLPLI_OP_SUM_TO_SIZE, g, &s));
  }
  else
    mlpli_xgive(&e, n, 0, add_along(&e, n, g, n->extra, dim));
  return mlpli_expr_end(&e);
}

static BACKWARD(sort) { return places_backward(cx, n, g, n->p[0].i); }
static BACKWARD(topk) { return places_backward(cx, n, g, n->p[1].i); }

/* ---- one of each line: kthvalue, mode, median, quantile ---------------------------- */

/* The shape without the axis that option k says, or, as the next one says, with size 1
   there; that there is something. */
static mlpl_status shape_of_one(
    mlpl_ctx *cx, const mlpli_call *c, int k, mlpli_shape *s) {
  const mlpl_tensor *x = c->in[0];
  int axis;
  MLPL_TRY(mlpli_line_axis(cx, c, k, &axis));
  const unsigned axes = axis < 0 ? (1u << x->ndim) - 1 : 1u << axis;
  MLPL_TRY(mlpli_check_choice(cx, c->op->name, x, axes));
  mlpli_shape_without(x->ndim, x->shape, axes, c->p[k + 1].i != 0, s);
  return MLPL_OK;
}

static SHAPE(kthvalue) {
  int axis;
  int64_t size;
  MLPL_TRY(mlpli_line_axis(cx, c, 1, &axis));
  MLPL_TRY(check_k(cx, c, c->p[0].i, 1, axis, &size));
  return shape_of_one(cx, c, 1, s);
}

static FORWARD(kthvalue) {
  order_job j = {.k = c->p[0].i - 1};
  int axis;
  MLPL_TRY(mlpli_line_axis(cx, c, 1, &axis));
  return values_and_places(cx, c, out, &j, axis, sizeof(uint64_t), kth_line, true);
}

/* g with axes of size 1 where the reduced ones were, to the places. */
static mlpl_status one_backward(
    mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g, const mlpl_value *dim) {
  mlpli_expr e = {.cx = cx};
  int ndim;
  const int64_t *shape;
  mlpli_input_shape(n, 0, &ndim, &shape);
  const unsigned axes = mlpli_axes_known(dim, ndim);
  if (ndim == 0)
    mlpli_xgive(&e, n, 0, g);
  else
    mlpli_xgive(&e, n, 0,
        add_along(&e, n, mlpli_xkept(&e, n, g, axes), mlpli_xkept(&e, n, n->extra, axes),
            dim->i));
  return mlpli_expr_end(&e);
}

static BACKWARD(kthvalue) { return one_backward(cx, n, g, &n->p[1]); }

static SHAPE(mode) { return shape_of_one(cx, c, 0, s); }

static FORWARD(mode) {
  order_job j = {.k = 0};
  int axis;
  MLPL_TRY(mlpli_line_axis(cx, c, 0, &axis));
  return values_and_places(cx, c, out, &j, axis, 2 * sizeof(mlplk_item), mode_line, true);
}

static BACKWARD(mode) { return one_backward(cx, n, g, &n->p[0]); }

static SHAPE(median) {
  const mlpl_tensor *x = c->in[0];
  if (c->p[0].i == MLPL_NO_AXIS && mlpli_is_real(x) && x->numel == 0) {
    mlpli_shape_without(x->ndim, x->shape, ~0u, c->p[1].i != 0, s);
    return MLPL_OK;
  }
  return shape_of_one(cx, c, 0, s);
}

/* All elements that are the median of all share its gradient, as in PyTorch. */
static mlpl_status median_by(
    mlpl_ctx *cx, mlpli_call *c, mlpl_tensor **out, mlpli_line_work *work) {
  mlpl_tensor *x = c->in[0];
  order_job j = {.k = 0};
  int axis;
  MLPL_TRY(mlpli_line_axis(cx, c, 0, &axis));
  const bool all = c->p[0].i == MLPL_NO_AXIS;
  const int64_t r = axis < 0 ? x->numel : x->shape[axis];
  if (all && r == 0) { /* the median of nothing is NaN */
    mlpli_fill(*out, NAN);
    return c->record ? mlpli_tensor_like(cx, &c->extra, x) : MLPL_OK;
  }
  j.k = (r - 1) / 2;
  MLPL_TRY(values_and_places(cx, c, out, &j, axis, sizeof(uint64_t), work, !all));
  return c->record && axis < 0 ? mlpli_even_parts(cx, x, *out, ~0u, &c->extra) : MLPL_OK;
}

static FORWARD(median) { return median_by(cx, c, out, median_line); }
static FORWARD(nanmedian) { return median_by(cx, c, out, nanmedian_line); }

static BACKWARD(median) {
  mlpli_expr e = {.cx = cx};
  int ndim;
  const int64_t *shape;
  mlpli_input_shape(n, 0, &ndim, &shape);
  const unsigned axes = mlpli_axes_known(n->p, ndim);
  if (n->p[0].i != MLPL_NO_AXIS && ndim) return one_backward(cx, n, g, n->p);
  mlpli_xgive(&e, n, 0, mlpli_xmul(&e, mlpli_xstretched(&e, n, g, axes), n->extra));
  return mlpli_expr_end(&e);
}

static SHAPE(quantile) { return shape_of_one(cx, c, 1, s); }

static const char *const interpolations[] = {
    "linear", "lower", "higher", "midpoint", "nearest", NULL};

/* How far the quantile is from the lower of its two neighbours to the upper one; p: the
   row's options. */
static double share_of_upper(const mlpl_value *p, int64_t r) {
  const double at = p[0].f * (double)(r - 1), share = at - floor(at);
  switch (p[3].i) {
    case MLPLI_LOWER: return 0;
    case MLPLI_HIGHER: return share > 0;
    case MLPLI_MIDPOINT: return share > 0 ? 0.5 : 0;
    case MLPLI_NEAREST: return nearbyint(at) > floor(at); /* of two the even one */
    default: return share;
  }
}

/* out: what lies w of the way between each pair of elements at index. */
static void between(const order_job *j, mlpl_tensor *out, double w) {
  const size_t size = mlpli_dtype_size[out->dtype];
  const int64_t *at = (const int64_t *)(const void *)j->index->data;
  for (int64_t line = 0; line < j->l.n; line++) {
    const int64_t pair = mlpli_line_start(&j->l, line, 2),
                  start = mlpli_line_start(&j->l, line, j->l.r);
    double v[2];
    for (int i = 0; i < 2; i++)
      v[i] = mlpli_load(
          j->x->data + (size_t)(start + at[pair + i * j->l.inner] * j->l.inner) * size,
          out->dtype);
    /* equal neighbours, infinite ones too, have themselves between them */
    mlpli_store(out->data + (size_t)line * size, out->dtype,
        w == 0 || v[0] == v[1] ? v[0] : v[0] + w * (v[1] - v[0]));
  }
}

static FORWARD(quantile) {
  mlpl_tensor *x, *pair;
  int axis;
  MLPL_TRY(mlpli_line_axis(cx, c, 1, &axis));
  MLPL_TRY(mlpli_tensor_contiguous(cx, &x, c->in[0]));
  order_job j = {.q = c->p[0].f, .l = mlpli_lines_of(x->ndim, x->shape, axis)};
  int64_t size[MLPL_MAX_RANK];
  memcpy(size, x->shape, sizeof size);
  if (axis >= 0) size[axis] = 2;
  mlpl_status status = mlpli_tensor_make(
      cx, &pair, MLPL_I64, axis < 0 ? 1 : x->ndim, axis < 0 ? (int64_t[]){2} : size);
  if (status != MLPL_OK) {
    mlpl_tensor_release(x);
    return status;
  }
  j.index = pair;
  status = run(cx, c, &j, axis, sizeof(uint64_t), quantile_line);
  if (status == MLPL_OK && (*out)->numel) {
    j.x = x;
    between(&j, *out, share_of_upper(c->p, j.l.r));
  }
  if (status == MLPL_OK && c->record) c->extra = mlpli_retain(pair);
  mlpl_tensor_release(pair);
  mlpl_tensor_release(x);
  return status;
}

/* 1 - w of g to the lower neighbour, w to the upper one. */
static BACKWARD(quantile) {
  mlpli_expr e = {.cx = cx};
  int ndim;
  const int64_t *shape;
  mlpli_input_shape(n, 0, &ndim, &shape);
  const bool all = n->p[1].i == MLPL_NO_AXIS || ndim == 0;
  const int axis = all ? 0 : mlpli_axis_known(n->p[1].i, ndim);
  const int64_t r = all ? (int64_t)mlpli_share(ndim, shape, ~0u) : shape[axis];
  const double w = share_of_upper(n->p, r);
  mlpl_value one = {.sizes = {.n = all ? 1 : ndim}}, full = {.sizes = {.n = ndim}},
             how[2] = {{.i = axis}, {.i = r}};
  memcpy(full.sizes.v, shape, (size_t)ndim * sizeof *shape);
  memcpy(one.sizes.v, shape, (size_t)ndim * sizeof *shape);
  one.sizes.v[axis] = 1;
  mlpl_tensor *kept = mlpli_x1(&e, MLPLI_OP_RESHAPE, g, &one), *wide = NULL;
  for (int i = 0; i < 2 && kept; i++) {
    mlpl_value put[3] = {{.i = axis}, {.i = i}, {.i = 2}};
    mlpl_tensor *part = mlpli_x1(
        &e, MLPLI_OP_PLACE, mlpli_xaffine(&e, kept, i ? w : 1 - w, 0), put);
    wide = i ? mlpli_xadd(&e, wide, part) : part;
  }
  mlpl_tensor *there = mlpli_x2(&e, MLPLI_OP_ADD_ALONG, wide, n->extra, how);
  mlpli_xgive(&e, n, 0, mlpli_x1(&e, MLPLI_OP_RESHAPE, there, &full));
  return mlpli_expr_end(&e);
}

/* Where the quantile of so many numbers lies; of none it is the first element, NaN. */
static mlpl_tensor *place_among(mlpli_expr *e, mlpl_tensor *numbers, double q) {
  const mlpl_value f64 = {.i = MLPL_F64}, least[2] = {{.f = 0}, {.f = INFINITY}};
  mlpl_tensor *at = mlpli_x1(e, MLPLI_OP_TO, numbers, &f64);
  return mlpli_x1(e, MLPLI_OP_CLAMP, mlpli_xaffine(e, at, q, -q), least);
}

/* How far from the place below, in x's dtype. */
static mlpl_tensor *share_above(mlpli_expr *e, mlpl_tensor *at, mlpl_tensor *low,
    mlpl_tensor *high, int64_t interpolation, const mlpl_tensor *x) {
  const mlpl_value real = {.i = x->dtype};
  mlpl_tensor *to = at;
  if (interpolation == MLPLI_LOWER) to = low;
  if (interpolation == MLPLI_HIGHER) to = high;
  if (interpolation == MLPLI_MIDPOINT)
    to = mlpli_xaffine(e, mlpli_xadd(e, low, high), 0.5, 0);
  if (interpolation == MLPLI_NEAREST)
    to = mlpli_x1(e, MLPLI_OP_ROUND, at, &(mlpl_value){.i = 0});
  return mlpli_x1(e, MLPLI_OP_TO, mlpli_xsub(e, to, low), &real);
}

/* The element of each sorted line at a place. */
static mlpl_tensor *at_place(
    mlpli_expr *e, mlpl_tensor *sorted, mlpl_tensor *at, int axis) {
  const mlpl_value i64 = {.i = MLPL_I64}, dim = {.i = axis};
  mlpl_tensor *index = mlpli_x1(
      e, MLPLI_OP_TO, mlpli_xaffine(e, at, 1, e->cx->index_base), &i64);
  return mlpli_x2(e, MLPLI_OP_GATHER, sorted, index, &dim);
}

/* Every line has numbers of its own, which are first when it is sorted: a sort, two
   elements of it, and what lies between those. */
static mlpl_tensor *nanquantile_along(
    mlpli_expr *e, const mlpli_call *c, mlpl_tensor *x, int axis) {
  const mlpl_value kept[2] = {{.i = axis}, {.i = 1}},
                   up[3] = {{.i = axis}, {.i = 0}, {.i = 1}};
  const bool was = mlpl_set_grad_enabled(e->cx, false);
  mlpl_tensor *nan = mlpli_x1(e, MLPLI_OP_ISNAN, x, NULL);
  mlpl_tensor *numbers = mlpli_x1(
      e, MLPLI_OP_SUM, mlpli_x1(e, MLPLI_OP_LOGICAL_NOT, nan, NULL), kept);
  mlpl_tensor *at = place_among(e, numbers, c->p[0].f),
              *low = mlpli_x1(e, MLPLI_OP_FLOOR, at, NULL),
              *high = mlpli_x1(e, MLPLI_OP_CEIL, at, NULL),
              *w = share_above(e, at, low, high, c->p[3].i, x);
  mlpl_set_grad_enabled(e->cx, was);
  mlpl_tensor *sorted = mlpli_x1(e, MLPLI_OP_SORT, x, up),
              *a = at_place(e, sorted, low, axis), *b = at_place(e, sorted, high, axis);
  mlpl_set_grad_enabled(
      e->cx, false); /* equal ones, infinite too, have nothing between */
  mlpl_tensor *same = mlpli_x2(e, MLPLI_OP_LOGICAL_OR,
      mlpli_x2(e, MLPLI_OP_EQ, a, b, NULL),
      mlpli_x2(e, MLPLI_OP_EQ, w, mlpli_xnumber(e, x, 0), NULL), NULL);
  mlpl_set_grad_enabled(e->cx, was);
  mlpl_tensor *between_them = mlpli_xadd(e, a, mlpli_xmul(e, w, mlpli_xsub(e, b, a)));
  return mlpli_x3(e, MLPLI_OP_WHERE, same, a, between_them, NULL);
}

static COMPOSE(nanquantile) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *x = c->in[0];
  mlpli_shape s;
  int axis;
  MLPL_TRY(mlpli_line_axis(cx, c, 1, &axis));
  MLPL_TRY(shape_of_one(cx, c, 1, &s));
  const mlpl_value sizes = mlpli_sizes_of(s.ndim, s.size);
  if (axis < 0) x = mlpli_x1(&e, MLPLI_OP_RAVEL, x, NULL);
  mlpl_tensor *y = x ? nanquantile_along(&e, c, x, axis < 0 ? 0 : axis) : NULL;
  return mlpli_xresult(&e, out, mlpli_x1(&e, MLPLI_OP_RESHAPE, y, &sizes));
}

/* Several q: a slice of the result for each, in a new first axis. */
static mlpl_status each_quantile(mlpl_ctx *cx, const mlpli_call *c, const mlpl_tensor *q,
    mlpl_tensor **slice, int64_t *n) {
  mlpl_value p[4] = {{.f = 0}, c->p[0], c->p[1], c->p[2]};
  for (*n = 0; *n < (q->numel ? q->numel : 1); ++*n) {
    p[0].f = q->numel ? ((const double *)(const void *)q->data)[*n] : 0;
    if (!(p[0].f >= 0 && p[0].f <= 1))
      return mlpl_fail(cx, MLPL_EARG, "%s: q holds %g; every one must be from 0 to 1",
          mlpli_said(c->op), p[0].f);
    MLPL_TRY(mlpli_apply(cx, &slice[*n], (mlpli_op_id)c->op->says, c->in, 1, p));
  }
  return MLPL_OK;
}

static mlpl_status join_quantiles(mlpl_ctx *cx, const mlpl_tensor *q, mlpl_tensor **slice,
    int64_t n, mlpl_tensor **out) {
  mlpl_value first[3] = {{.i = 0}, {.i = 0}, {.i = 0}};
  if (q->ndim == 0) {
    *out = mlpli_retain(slice[0]);
    return MLPL_OK;
  }
  if (q->numel) return mlpli_apply(cx, out, MLPLI_OP_STACK, slice, (int)n, first);
  mlpli_expr e = {.cx = cx}; /* no slice of what would have some */
  return mlpli_xresult(&e, out,
      mlpli_x1(
          &e, MLPLI_OP_NARROW, mlpli_x1(&e, MLPLI_OP_STACK, slice[0], first), first));
}

static COMPOSE(quantiles) {
  mlpl_tensor *wide = NULL, *q = NULL, **slice = NULL;
  char text[MLPLI_SHAPE_TEXT];
  int64_t n = 0;
  if (c->in[1]->ndim > 1)
    return mlpl_fail(cx, MLPL_ESHAPE, "%s: q is %s; it must be a number or have one axis",
        mlpli_said(c->op), mlpli_tensor_text(text, c->in[1]));
  MLPL_TRY(mlpl_tensor_to(cx, &wide, c->in[1], MLPL_F64));
  mlpl_status status = mlpli_tensor_contiguous(cx, &q, wide);
  if (status == MLPL_OK)
    status = mlpli_new(cx, &slice, (size_t)(q->numel + 1) * sizeof *slice, "quantile");
  if (status == MLPL_OK) status = each_quantile(cx, c, q, slice, &n);
  if (status == MLPL_OK) status = join_quantiles(cx, q, slice, n, out);
  while (n > 0) mlpl_tensor_release(slice[--n]);
  mlpli_free(cx->heap, slice);
  mlpl_tensor_release(q);
  mlpl_tensor_release(wide);
  return status;
}

/* ---- rows -------------------------------------------------------------------------- */

/* stable: always; there for programs that ask for it */
static const mlpl_param sort_params[] = {MLPLI_AXIS_OPTION("dim", -1),
    MLPLI_BOOL_OPTION("descending", 0), MLPLI_BOOL_OPTION("stable", 1)};
static const mlpl_param topk_params[] = {MLPLI_INT_NEEDED("k", 0, MANY),
    MLPLI_AXIS_OPTION("dim", -1), MLPLI_BOOL_OPTION("largest", 1),
    MLPLI_BOOL_OPTION("sorted", 1)};
static const mlpl_param kthvalue_params[] = {MLPLI_INT_NEEDED("k", 1, MANY),
    MLPLI_AXIS_OPTION("dim", -1), MLPLI_BOOL_OPTION("keepdim", 0)};
static const mlpl_param median_params[] = {
    MLPLI_AXIS_OPTION("dim", NAN), MLPLI_BOOL_OPTION("keepdim", 0)};
static const mlpl_param mode_params[] = {
    MLPLI_AXIS_OPTION("dim", -1), MLPLI_BOOL_OPTION("keepdim", 0)};
static const mlpl_param quantile_params[] = {
    {"q", MLPL_PARAM_REAL, MLPL_REQUIRED, 0, 0, 1, NULL, 0},
    MLPLI_AXIS_OPTION("dim", NAN), MLPLI_BOOL_OPTION("keepdim", 0),
    MLPLI_CHOICE_OPTION("interpolation", interpolations)};
static const mlpl_param quantiles_params[] = {MLPLI_AXIS_OPTION("dim", NAN),
    MLPLI_BOOL_OPTION("keepdim", 0),
    MLPLI_CHOICE_OPTION("interpolation", interpolations)};

const mlpl_op mlpli_op_sort = {PLACES_ROW(sort, MLPLI_ANY_DISTINCT, shape_sort),
    HAS_BACKWARD(sort), PARAMS(sort_params)};
const mlpl_op mlpli_op_argsort = {UNARY_ROW(argsort, MLPLI_ANY_DISTINCT, shape_sort),
    PARAMS(sort_params), .gives_index = true};
const mlpl_op mlpli_op_topk = {PLACES_ROW(topk, MLPLI_ANY_DISTINCT, shape_topk),
    HAS_BACKWARD(topk), PARAMS(topk_params)};
const mlpl_op mlpli_op_kthvalue = {
    PLACES_ROW(kthvalue, MLPLI_ANY_DISTINCT, shape_kthvalue), HAS_BACKWARD(kthvalue),
    PARAMS(kthvalue_params)};
const mlpl_op mlpli_op_median = {PLACES_ROW(median, MLPLI_ANY_DISTINCT, shape_median),
    HAS_BACKWARD(median), PARAMS(median_params)};
#define QUANTILES_ROW(row, of)                                                           \
  .name = row, .says = of, .input_name = {"input", "q"},                                 \
  .domain = {MLPLI_DISTINCT, MLPLI_ANY}, .n_inputs = 2, .n_required = 2, .n_outputs = 1, \
  .differentiable = 1, .compose = quantiles_compose, PARAMS(quantiles_params),           \
  .internal = true
const mlpl_op mlpli_op_nanmedian = {
    PLACES_ROW(nanmedian, MLPLI_ANY_DISTINCT, shape_median), HAS_BACKWARD(median),
    PARAMS(median_params)};
const mlpl_op mlpli_op_mode = {PLACES_ROW(mode, MLPLI_ANY_DISTINCT, shape_mode),
    HAS_BACKWARD(mode), PARAMS(mode_params)};
const mlpl_op mlpli_op_quantiles = {QUANTILES_ROW("quantiles", MLPLI_OP_QUANTILE)};
const mlpl_op mlpli_op_nanquantiles = {
    QUANTILES_ROW("nanquantiles", MLPLI_OP_NANQUANTILE)};
const mlpl_op mlpli_op_quantile = {UNARY_ROW(quantile, MLPLI_DISTINCT, shape_quantile),
    HAS_BACKWARD(quantile), PARAMS(quantile_params), .by_tensor = MLPLI_OP_QUANTILES};
const mlpl_op mlpli_op_nanquantile = {COMPOSE_ROW(nanquantile, MLPLI_DISTINCT),
    PARAMS(quantile_params), .by_tensor = MLPLI_OP_NANQUANTILES};
