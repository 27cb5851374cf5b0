/*
** Pooling along one or two axes: averages over windows (also adaptive ones) and maxima.
** Both are linear once the windows, or the places of the maxima, are known, so a pair of
** internal rows each, adjoint to each other, carries the gradients to any order:
**   average       the averages         average_back   shares back to the windows
**   plane_gather  x at places          plane_scatter  sums at places
*/
#include "ops/window.h"

#include "grad/grad.h"

#include <string.h>

/* ---- geometry ---------------------------------------------------------------------- */

/* Resolved options. A kernel of 0 elements is an adaptive one. */
typedef struct windows {
  int axes;
  int64_t in[MLPLI_SPATIAL], out[MLPLI_SPATIAL], kernel[MLPLI_SPATIAL],
      stride[MLPLI_SPATIAL], pad[MLPLI_SPATIAL], dilation[MLPLI_SPATIAL];
  bool include; /* padding counts */
  int64_t divisor;
} windows;

static mlpl_status check_rank(mlpl_ctx *cx, const mlpli_call *c, int axes) {
  const mlpl_tensor *x = c->in[0];
  char text[MLPLI_SHAPE_TEXT];
  if (x->ndim == axes + 1 || x->ndim == axes + 2) return MLPL_OK;
  return mlpl_fail(cx, MLPL_ESHAPE,
      "%s: input is %s; it must be [n x channels x %s], or without n", c->op->name,
      mlpli_tensor_text(text, x), axes == 1 ? "length" : "h x w");
}

/* Windows along axis d, as PyTorch counts them: in ceil mode the last may reach beyond
   the padded input, but must begin inside the input or the padding before it. */
static mlpl_status count_windows(
    mlpl_ctx *cx, const mlpli_call *c, windows *w, int d, bool ceil_mode) {
  int64_t reach = w->dilation[d] * (w->kernel[d] - 1) + 1, s = w->stride[d];
  int64_t rest = w->in[d] + 2 * w->pad[d] - reach;
  char text[MLPLI_SHAPE_TEXT];
  if (2 * w->pad[d] > w->kernel[d])
    return mlpl_fail(cx, MLPL_EARG,
        "%s: padding is %lld, kernel_size is %lld; the padding can be at most half of it",
        c->op->name, (long long)w->pad[d], (long long)w->kernel[d]);
  if (w->in[d] < 1 || (rest < 0 && !(ceil_mode && rest + s - 1 >= 0)))
    return mlpl_fail(cx, MLPL_ESHAPE,
        "%s: input is %s; a window reaches over %lld elements of axis %d, the padded "
        "input has %lld",
        c->op->name, mlpli_tensor_text(text, c->in[0]), (long long)reach,
        c->in[0]->ndim - w->axes + d + cx->index_base,
        (long long)(w->in[d] + 2 * w->pad[d]));
  w->out[d] = (rest + (ceil_mode ? s - 1 : 0)) / s + 1;
  if (ceil_mode && (w->out[d] - 1) * s >= w->in[d] + w->pad[d]) w->out[d]--;
  return MLPL_OK;
}

static void shape_of(
    const mlpl_tensor *x, int axes, const int64_t *size, mlpli_shape *s) {
  s->ndim = x->ndim;
  memcpy(s->size, x->shape, sizeof s->size);
  memcpy(s->size + x->ndim - axes, size, (size_t)axes * sizeof *size);
}

static int64_t planes_of(const mlpl_tensor *x, int axes) {
  int64_t n = 1;
  for (int d = 0; d < x->ndim - axes; d++) n *= x->shape[d];
  return n;
}

/* ---- averages ---------------------------------------------------------------------- */

/* Of one axis: bounds and counts of its windows, from memory for 3 out. */
static mlplk_windows bounds(const windows *w, int d, ptrdiff_t *memory) {
  int64_t n = d < 0 ? 1 : w->out[d], in = d < 0 ? 1 : w->in[d];
  ptrdiff_t *from = memory, *to = memory + n, *count = memory + 2 * n;
  for (int64_t i = 0; i < n; i++) {
    if (d < 0 || w->kernel[d] == 0) {
      from[i] = i * in / n;
      to[i] = ((i + 1) * in + n - 1) / n;
      count[i] = to[i] - from[i];
      continue;
    }
    int64_t start = i * w->stride[d] - w->pad[d], end = start + w->kernel[d];
    if (end > in + w->pad[d]) end = in + w->pad[d];
    from[i] = start < 0 ? 0 : start;
    to[i] = end < in ? end : in;
    if (to[i] < from[i]) to[i] = from[i]; /* in the padding alone: the average is 0 */
    count[i] = w->include ? end - start : to[i] > from[i] ? to[i] - from[i] : 1;
  }
  return (mlplk_windows){n, from, to, count};
}

typedef struct average_job {
  const mlplk_table *kern;
  mlplk_windows rows, columns;
  double divisor;
  int64_t planes, per_task, in, out,
      width; /* elements of a plane, of a row of the input */
  char *x, *y;
  bool back;
} average_job;

#define GRAIN 16384 /* elements of input a task works on */

static void average_task(void *arg, ptrdiff_t task, int worker) {
  const average_job *j = arg;
  int64_t first = task * j->per_task, end = first + j->per_task;
  size_t size = j->kern->real_bytes;
  (void)worker;
  for (int64_t i = first; i < end && i < j->planes; i++) {
    char *x = j->x + (size_t)(i * j->in) * size, *y = j->y + (size_t)(i * j->out) * size;
    if (j->back) {
      memset(x, 0, (size_t)j->in * size);
      j->kern->average_pool_grad(x, y, j->width, &j->rows, &j->columns, j->divisor);
    }
    else
      j->kern->average_pool(y, x, j->width, &j->rows, &j->columns, j->divisor);
  }
}

static int64_t per_task(int64_t plane) {
  return plane >= GRAIN || plane == 0 ? 1 : GRAIN / plane;
}

/* y from x, or back; both contiguous */
static mlpl_status run_average(
    mlpl_ctx *cx, const windows *w, mlpl_tensor *x, mlpl_tensor *y, bool back) {
  int last = w->axes - 1, row = w->axes - 2;
  int64_t rows = row < 0 ? 1 : w->out[row];
  size_t bytes = 3 * (size_t)(rows + w->out[last]) * sizeof(ptrdiff_t);
  ptrdiff_t *memory = mlpli_alloc(cx->heap, bytes);
  if (!memory) return mlpli_no_memory(cx, "pool", bytes);
  average_job j = {.kern = mlpli_kern(x),
      .rows = bounds(w, row, memory),
      .columns = bounds(w, last, memory + 3 * rows),
      .divisor = (double)w->divisor,
      .planes = planes_of(x, w->axes),
      .in = (row < 0 ? 1 : w->in[row]) * w->in[last],
      .out = rows * w->out[last],
      .width = w->in[last],
      .x = x->data,
      .y = y->data,
      .back = back};
  j.per_task = per_task(j.in);
  cx->par.run(&cx->par, (j.planes + j.per_task - 1) / j.per_task, average_task, &j);
  mlpli_free(cx->heap, memory);
  return MLPL_OK;
}

static mlpl_status average(
    mlpl_ctx *cx, const windows *w, mlpl_tensor *from, mlpl_tensor *to, bool back) {
  mlpl_tensor *held;
  if (to->numel == 0) return MLPL_OK;
  MLPL_TRY(mlpli_tensor_contiguous(cx, &held, from));
  mlpl_status status = back ? run_average(cx, w, to, held, true)
                            : run_average(cx, w, held, to, false);
  mlpl_tensor_release(held);
  return status;
}

/* Options of the internal rows. */
enum { SIZE, KERNEL, STRIDE, PADDING, INCLUDE, DIVISOR, N_OPTIONS };

static void average_options(const windows *w, const int64_t *size, mlpl_value *p) {
  memset(p, 0, N_OPTIONS * sizeof *p);
  p[SIZE] = mlpli_sizes(w->axes, size);
  p[KERNEL] = mlpli_sizes(w->axes, w->kernel);
  p[STRIDE] = mlpli_sizes(w->axes, w->stride);
  p[PADDING] = mlpli_sizes(w->axes, w->pad);
  p[INCLUDE].i = w->include;
  p[DIVISOR].i = w->divisor;
}

/* `given` are the sizes of the row's input, `size` the option's. */
static windows average_windows(const mlpl_value *p, const int64_t *given, bool back) {
  windows w = {.axes = p[SIZE].sizes.n, .include = p[INCLUDE].i, .divisor = p[DIVISOR].i};
  for (int d = 0; d < w.axes; d++) {
    w.in[d] = back ? p[SIZE].sizes.v[d] : given[d];
    w.out[d] = back ? given[d] : p[SIZE].sizes.v[d];
    w.kernel[d] = p[KERNEL].sizes.v[d];
    w.stride[d] = p[STRIDE].sizes.v[d];
    w.pad[d] = p[PADDING].sizes.v[d];
  }
  return w;
}

static SHAPE(sized) { /* of average, average_back and plane_scatter */
  (void)cx;
  shape_of(c->in[0], c->p[SIZE].sizes.n, c->p[SIZE].sizes.v, s);
  return MLPL_OK;
}

static FORWARD(average) {
  const mlpl_tensor *x = c->in[0];
  windows w = average_windows(c->p, x->shape + x->ndim - c->p[SIZE].sizes.n, false);
  return average(cx, &w, c->in[0], *out, false);
}

static FORWARD(average_back) {
  const mlpl_tensor *y = c->in[0];
  windows w = average_windows(c->p, y->shape + y->ndim - c->p[SIZE].sizes.n, true);
  return average(cx, &w, c->in[0], *out, true);
}

/* Give the input what the other row makes of g. */
static mlpl_status give_other(
    mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g, const windows *w, mlpli_op_id id) {
  mlpli_expr e = {.cx = cx};
  mlpl_value p[N_OPTIONS];
  int ndim;
  const int64_t *shape;
  mlpli_input_shape(n, 0, &ndim, &shape);
  average_options(w, shape + ndim - w->axes, p);
  mlpli_xgive(&e, n, 0, mlpli_x1(&e, id, g, p));
  return mlpli_expr_end(&e);
}

static BACKWARD(average) {
  windows w = average_windows(n->p, n->shape + n->ndim - n->p[SIZE].sizes.n, true);
  return give_other(cx, n, g, &w, MLPLI_OP_AVERAGE_BACK);
}

static BACKWARD(average_back) {
  windows w = average_windows(n->p, n->shape + n->ndim - n->p[SIZE].sizes.n, false);
  return give_other(cx, n, g, &w, MLPLI_OP_AVERAGE);
}

/* ---- avg_pool, adaptive_avg_pool --------------------------------------------------- */

/* kernel_size, stride, padding; the rest is the caller's */
static mlpl_status pool_options(
    mlpl_ctx *cx, const mlpli_call *c, const int64_t *in, windows *w) {
  w->axes = mlpli_spatial(c->op);
  memcpy(w->in, in, (size_t)w->axes * sizeof *in);
  MLPL_TRY(mlpli_extent(cx, c, 0, w->axes, NULL, w->kernel));
  MLPL_TRY(mlpli_extent(cx, c, 1, w->axes, w->kernel, w->stride));
  return mlpli_extent(cx, c, 2, w->axes, NULL, w->pad);
}

/* From the sizes of the input; the rank is checked. */
static mlpl_status avg_windows(
    mlpl_ctx *cx, const mlpli_call *c, const int64_t *in, windows *w) {
  *w = (windows){.dilation = {1, 1}};
  MLPL_TRY(pool_options(cx, c, in, w));
  w->include = c->p[4].i;
  w->divisor = c->op->n_params > 5 ? c->p[5].i : 0;
  return MLPL_OK;
}

static SHAPE(avg_pool) {
  const mlpl_tensor *x = c->in[0];
  windows w;
  int axes = mlpli_spatial(c->op);
  MLPL_TRY(check_rank(cx, c, axes));
  MLPL_TRY(avg_windows(cx, c, x->shape + x->ndim - axes, &w));
  for (int d = 0; d < axes; d++) MLPL_TRY(count_windows(cx, c, &w, d, c->p[3].i));
  shape_of(x, axes, w.out, s);
  return MLPL_OK;
}

static FORWARD(avg_pool) {
  const mlpl_tensor *x = c->in[0], *y = *out;
  windows w;
  MLPL_TRY(avg_windows(cx, c, x->shape + x->ndim - mlpli_spatial(c->op), &w));
  memcpy(w.out, y->shape + y->ndim - w.axes, (size_t)w.axes * sizeof *w.out);
  return average(cx, &w, c->in[0], *out, false);
}

static BACKWARD(avg_pool) {
  int ndim, axes = mlpli_spatial(n->op);
  const int64_t *shape;
  windows w;
  mlpli_input_shape(n, 0, &ndim, &shape);
  mlpli_call c = {.op = n->op, .n = 1, .p = n->p};
  MLPL_TRY(avg_windows(cx, &c, shape + ndim - axes, &w));
  return give_other(cx, n, g, &w, MLPLI_OP_AVERAGE_BACK);
}

static SHAPE(adaptive_pool) {
  const mlpl_tensor *x = c->in[0];
  int axes = mlpli_spatial(c->op);
  int64_t out[MLPLI_SPATIAL];
  char text[MLPLI_SHAPE_TEXT];
  MLPL_TRY(check_rank(cx, c, axes));
  MLPL_TRY(mlpli_extent(cx, c, 0, axes, NULL, out));
  for (int d = 0; d < axes; d++)
    if (x->shape[x->ndim - axes + d] < 1)
      return mlpl_fail(cx, MLPL_ESHAPE,
          "%s: input is %s; windows of nothing hold no element", c->op->name,
          mlpli_tensor_text(text, x));
  shape_of(x, axes, out, s);
  return MLPL_OK;
}

static windows adaptive_windows(int axes, const int64_t *in, const int64_t *out) {
  windows w = {.axes = axes, .stride = {1, 1}};
  memcpy(w.in, in, (size_t)axes * sizeof *in);
  memcpy(w.out, out, (size_t)axes * sizeof *out);
  return w;
}

static FORWARD(adaptive_avg_pool) {
  const mlpl_tensor *x = c->in[0], *y = *out;
  int axes = mlpli_spatial(c->op);
  windows w = adaptive_windows(
      axes, x->shape + x->ndim - axes, y->shape + y->ndim - axes);
  return average(cx, &w, c->in[0], *out, false);
}

static BACKWARD(adaptive_avg_pool) {
  int ndim, axes = mlpli_spatial(n->op);
  const int64_t *shape;
  mlpli_input_shape(n, 0, &ndim, &shape);
  windows w = adaptive_windows(axes, shape + ndim - axes, n->shape + n->ndim - axes);
  return give_other(cx, n, g, &w, MLPLI_OP_AVERAGE_BACK);
}

/* ---- places in planes -------------------------------------------------------------- */

/* plane i of the other operands belongs to plane i of x */
static mlpl_status at_places(mlpl_ctx *cx, int axes, mlpl_tensor *x,
    const mlpl_tensor *at, mlpl_tensor *y, bool scatter) {
  const mlplk_table *kern = mlpli_kern(y);
  int64_t planes = planes_of(x, axes), size = mlpli_dtype_size[y->dtype];
  mlpl_tensor *index, *held;
  MLPL_TRY(mlpli_tensor_contiguous(cx, &index, at));
  mlpl_status status = mlpli_tensor_contiguous(cx, &held, scatter ? y : x);
  if (status != MLPL_OK) {
    mlpl_tensor_release(index);
    return status;
  }
  if (scatter)
    mlpli_fill(x, 0), y = held;
  else
    x = held;
  const int64_t *place = (const int64_t *)(const void *)index->data;
  if (x->numel && y->numel)
    for (int64_t i = 0; i < planes; i++) {
      int64_t n = y->numel / planes;
      char *px = x->data + i * (x->numel / planes) * size, *py = y->data + i * n * size;
      if (scatter)
        kern->scatter_add(n, px, place + i * n, py);
      else
        kern->gather(n, py, place + i * n, px);
    }
  mlpl_tensor_release(index);
  mlpl_tensor_release(held);
  return MLPL_OK;
}

static FORWARD(plane_scatter) {
  return at_places(cx, c->p[SIZE].sizes.n, *out, c->in[1], c->in[0], true);
}

static BACKWARD(plane_scatter) {
  mlpli_expr e = {.cx = cx};
  mlpl_value p;
  memset(&p, 0, sizeof p);
  p.i = n->p[SIZE].sizes.n;
  mlpli_xgive(&e, n, 0, mlpli_x2(&e, MLPLI_OP_PLANE_GATHER, g, n->in[1], &p));
  return mlpli_expr_end(&e);
}

static SHAPE(plane_gather) {
  (void)cx;
  const mlpl_tensor *index = c->in[1];
  s->ndim = index->ndim;
  memcpy(s->size, index->shape, sizeof s->size);
  return MLPL_OK;
}

static FORWARD(plane_gather) {
  return at_places(cx, (int)c->p[0].i, c->in[0], c->in[1], *out, false);
}

/* Give input 0 of the node g at the places `index`, in planes of `axes` axes. */
static mlpl_status give_scattered(
    mlpl_ctx *cx, mlpli_node *n, int axes, mlpl_tensor *g, mlpl_tensor *index) {
  mlpli_expr e = {.cx = cx};
  int ndim;
  const int64_t *shape;
  mlpli_input_shape(n, 0, &ndim, &shape);
  mlpl_value p = mlpli_sizes(axes, shape + ndim - axes);
  mlpli_xgive(&e, n, 0, mlpli_x2(&e, MLPLI_OP_PLANE_SCATTER, g, index, &p));
  return mlpli_expr_end(&e);
}

static BACKWARD(plane_gather) {
  return give_scattered(cx, n, (int)n->p[0].i, g, n->in[1]);
}

/* ---- max_pool ---------------------------------------------------------------------- */

/* With gaps in it, a window can miss the whole input. */
static bool misses(const windows *w, int d) {
  for (int64_t i = 0; i < w->out[d]; i++) {
    int64_t start = i * w->stride[d] - w->pad[d], by = w->dilation[d];
    int64_t first = start < 0 ? (-start + by - 1) / by : 0;
    if (first >= w->kernel[d] || start + first * by >= w->in[d]) return true;
  }
  return false;
}

static mlpl_status max_windows(mlpl_ctx *cx, const mlpli_call *c, windows *w) {
  const mlpl_tensor *x = c->in[0];
  int axes = mlpli_spatial(c->op);
  *w = (windows){0};
  MLPL_TRY(check_rank(cx, c, axes));
  MLPL_TRY(pool_options(cx, c, x->shape + x->ndim - axes, w));
  MLPL_TRY(mlpli_extent(cx, c, 3, axes, NULL, w->dilation));
  for (int d = 0; d < axes; d++) {
    MLPL_TRY(count_windows(cx, c, w, d, c->p[4].i));
    if (w->dilation[d] > 1 && misses(w, d))
      return mlpl_fail(cx, MLPL_ESHAPE,
          "%s: with dilation %lld and padding %lld a window holds no element",
          c->op->name, (long long)w->dilation[d], (long long)w->pad[d]);
  }
  return MLPL_OK;
}

static SHAPE(max_pool) {
  windows w;
  MLPL_TRY(max_windows(cx, c, &w));
  shape_of(c->in[0], w.axes, w.out, s);
  return MLPL_OK;
}

typedef struct max_job {
  const mlplk_table *kern;
  mlplk_max_axis axis[2];
  int64_t planes, per_task, in, out;
  const char *x;
  char *y;
  int64_t *index;
  bool adaptive;
} max_job;

/* Windows of their own sizes, each as an axis with one result. */
static void adaptive_max_plane(const max_job *j, char *y, int64_t *index, const char *x) {
  const ptrdiff_t rows = j->axis[0].results, columns = j->axis[1].results;
  mlplk_max_axis one[2];
  for (ptrdiff_t i = 0; i < rows * columns; i++) {
    const ptrdiff_t at[2] = {i / columns, i % columns};
    for (int d = 0; d < 2; d++) {
      const ptrdiff_t in = j->axis[d].source, n = j->axis[d].results;
      const ptrdiff_t from = at[d] * in / n, to = ((at[d] + 1) * in + n - 1) / n;
      one[d] = (mlplk_max_axis){in, 1, to - from, 1, -from, 1};
    }
    j->kern->max_pool(
        y + (size_t)i * j->kern->real_bytes, index + i, x, &one[0], &one[1]);
  }
}

static void max_task(void *arg, ptrdiff_t task, int worker) {
  const max_job *j = arg;
  int64_t first = task * j->per_task, end = first + j->per_task;
  size_t size = j->kern->real_bytes;
  (void)worker;
  for (int64_t i = first; i < end && i < j->planes; i++) {
    char *y = j->y + (size_t)(i * j->out) * size;
    const char *x = j->x + (size_t)(i * j->in) * size;
    int64_t *index = j->index ? j->index + i * j->out : NULL;
    if (j->adaptive)
      adaptive_max_plane(j, y, index, x);
    else
      j->kern->max_pool(y, index, x, &j->axis[0], &j->axis[1]);
  }
}

static mlplk_max_axis max_axis(const windows *w, int d) {
  if (d < 0) return (mlplk_max_axis){1, 1, 1, 1, 0, 1};
  return (mlplk_max_axis){
      w->in[d], w->out[d], w->kernel[d], w->stride[d], w->pad[d], w->dilation[d]};
}

static void run_max(mlpl_ctx *cx, const windows *w, const mlpl_tensor *x, mlpl_tensor *y,
    mlpl_tensor *index) {
  max_job j = {.kern = mlpli_kern(x),
      .axis = {max_axis(w, w->axes - 2), max_axis(w, w->axes - 1)},
      .planes = planes_of(x, w->axes),
      .x = x->data,
      .y = y->data,
      .index = index ? (int64_t *)(void *)index->data : NULL,
      .adaptive = w->kernel[0] == 0};
  j.in = j.axis[0].source * j.axis[1].source;
  j.out = j.axis[0].results * j.axis[1].results;
  j.per_task = per_task(j.in);
  cx->par.run(&cx->par, (j.planes + j.per_task - 1) / j.per_task, max_task, &j);
}

/* The places are needed for backward and when asked for. */
static mlpl_status max_forward(
    mlpl_ctx *cx, mlpli_call *c, const windows *w, bool wanted, mlpl_tensor **out) {
  mlpl_tensor *x, *index = NULL, *y = *out;
  MLPL_TRY(mlpli_tensor_contiguous(cx, &x, c->in[0]));
  mlpl_status status = MLPL_OK;
  if (c->record || wanted || w->kernel[0] == 0)
    status = mlpli_tensor_make(cx, &index, MLPL_I64, y->ndim, y->shape);
  if (status == MLPL_OK && y->numel) run_max(cx, w, x, y, index);
  if (status == MLPL_OK && c->record) c->extra = mlpli_retain(index);
  if (status == MLPL_OK && wanted) status = mlpli_give_places(cx, c, index, &out[1]);
  mlpl_tensor_release(index);
  mlpl_tensor_release(x);
  return status;
}

static FORWARD(max_pool) {
  windows w;
  MLPL_TRY(max_windows(cx, c, &w));
  return max_forward(cx, c, &w, c->p[5].i != 0, out);
}

static FORWARD(adaptive_max_pool) {
  const mlpl_tensor *x = c->in[0], *y = *out;
  int axes = mlpli_spatial(c->op);
  windows w = adaptive_windows(
      axes, x->shape + x->ndim - axes, y->shape + y->ndim - axes);
  return max_forward(cx, c, &w, c->p[1].i != 0, out);
}

static BACKWARD(max_pool) {
  return give_scattered(cx, n, mlpli_spatial(n->op), g, n->extra);
}

/* ---- rows -------------------------------------------------------------------------- */

static const mlpl_param average_params[] = {MLPLI_SIZES_NEEDED("size"),
    MLPLI_SIZES_NEEDED("kernel_size"), MLPLI_SIZES_NEEDED("stride"),
    MLPLI_SIZES_NEEDED("padding"), MLPLI_BOOL_OPTION("count_include_pad", 1),
    MLPLI_INT_OPTION("divisor_override", 0, 0, MANY)};
#define WINDOW_OPTIONS                                                                   \
  MLPLI_EXTENT_NEEDED("kernel_size", 1), MLPLI_EXTENT_OPTION("stride", NAN, 1, NULL),    \
      MLPLI_EXTENT_OPTION("padding", 0, 0, NULL)
static const mlpl_param avg1d_params[] = {WINDOW_OPTIONS,
    MLPLI_BOOL_OPTION("ceil_mode", 0), MLPLI_BOOL_OPTION("count_include_pad", 1)};
static const mlpl_param avg2d_params[] = {WINDOW_OPTIONS,
    MLPLI_BOOL_OPTION("ceil_mode", 0), MLPLI_BOOL_OPTION("count_include_pad", 1),
    MLPLI_INT_OPTION("divisor_override", 0, 0, MANY)};
static const mlpl_param adaptive_params[] = {MLPLI_EXTENT_NEEDED("output_size", 0)};
static const mlpl_param max_params[] = {WINDOW_OPTIONS,
    MLPLI_EXTENT_OPTION("dilation", 1, 1, NULL), MLPLI_BOOL_OPTION("ceil_mode", 0),
    MLPLI_BOOL_OPTION("return_indices", 0)};
static const mlpl_param adaptive_max_params[] = {
    MLPLI_EXTENT_NEEDED("output_size", 0), MLPLI_BOOL_OPTION("return_indices", 0)};
static const mlpl_param size_params[] = {MLPLI_SIZES_NEEDED("size")};
static const mlpl_param axes_params[] = {MLPLI_INT_NEEDED("axes", 1, MLPLI_SPATIAL)};

#define POOL_ROW(title, f, rule, params)                                                 \
  .name = title, .input_name = {"input"}, .domain = {MLPLI_REAL}, .n_inputs = 1,         \
  .n_required = 1, .n_outputs = 1, .differentiable = 1, .shape = rule,                   \
  .forward = f##_forward, HAS_BACKWARD(f), PARAMS(params)
#define MAX_ROW(title, f, rule, params)                                                  \
  .name = title, .input_name = {"input"}, .domain = {MLPLI_DISTINCT}, .n_inputs = 1,     \
  .n_required = 1, .n_outputs = 2, .differentiable = 1, .shape = rule,                   \
  .forward = f##_forward, HAS_BACKWARD(max_pool), PARAMS(params)
#define PLANE_ROW(f, rule, params)                                                       \
  .name = #f, .input_name = {"input", "index"}, .domain = {MLPLI_REAL, MLPLI_ANY},       \
  .n_inputs = 2, .n_required = 2, .n_outputs = 1, .saves = 2, .differentiable = 1,       \
  .shape = rule, .forward = f##_forward, HAS_BACKWARD(f), PARAMS(params),                \
  .internal = true

const mlpl_op mlpli_op_max_pool1d = {
    MAX_ROW("max_pool1d", max_pool, shape_max_pool, max_params)};
const mlpl_op mlpli_op_max_pool2d = {
    MAX_ROW("max_pool2d", max_pool, shape_max_pool, max_params)};
const mlpl_op mlpli_op_avg_pool1d = {
    POOL_ROW("avg_pool1d", avg_pool, shape_avg_pool, avg1d_params)};
const mlpl_op mlpli_op_avg_pool2d = {
    POOL_ROW("avg_pool2d", avg_pool, shape_avg_pool, avg2d_params)};
const mlpl_op mlpli_op_adaptive_avg_pool1d = {POOL_ROW(
    "adaptive_avg_pool1d", adaptive_avg_pool, shape_adaptive_pool, adaptive_params)};
const mlpl_op mlpli_op_adaptive_max_pool1d = {MAX_ROW(
    "adaptive_max_pool1d", adaptive_max_pool, shape_adaptive_pool, adaptive_max_params)};
const mlpl_op mlpli_op_adaptive_avg_pool2d = {POOL_ROW(
    "adaptive_avg_pool2d", adaptive_avg_pool, shape_adaptive_pool, adaptive_params)};
const mlpl_op mlpli_op_adaptive_max_pool2d = {MAX_ROW(
    "adaptive_max_pool2d", adaptive_max_pool, shape_adaptive_pool, adaptive_max_params)};
const mlpl_op mlpli_op_average = {UNARY_ROW(average, MLPLI_REAL, shape_sized),
    PARAMS(average_params), HAS_BACKWARD(average), .internal = true};
const mlpl_op mlpli_op_average_back = {UNARY_ROW(average_back, MLPLI_REAL, shape_sized),
    PARAMS(average_params), HAS_BACKWARD(average_back), .internal = true};
const mlpl_op mlpli_op_plane_scatter = {
    PLANE_ROW(plane_scatter, shape_sized, size_params)};
const mlpl_op mlpli_op_plane_gather = {
    PLANE_ROW(plane_gather, shape_plane_gather, axes_params)};
