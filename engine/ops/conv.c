/*
** Convolutions along one or two axes.
**
** The sum of g y over a convolution's results y is linear in input, weight and g, so its
** three partial derivatives are each other's: three internal rows, whose backward passes
** are the other two, carry all of it to any order. They take the sizes of their result
** and options that are resolved. The public rows find those, and a transposed convolution
** is the derivative for the input.
**
**   conv_result (input, weight)  conv_input (result, weight)  conv_weight (input, result)
*/
#include "ops/window.h"

#include "grad/grad.h"

#include <string.h>

/* ---- the three, resolved ----------------------------------------------------------- */

enum { SIZE, STRIDE, PADDING, DILATION, GROUPS, N_OPTIONS }; /* of the internal rows */

/* Resolved options: what the internal rows are called with. */
typedef struct geometry {
  int axes;
  int64_t stride[MLPLI_SPATIAL], padding[MLPLI_SPATIAL], dilation[MLPLI_SPATIAL], groups;
} geometry;

static void options(const geometry *g, const int64_t *size, mlpl_value *p) {
  p[SIZE] = mlpli_sizes(g->axes, size);
  p[STRIDE] = mlpli_sizes(g->axes, g->stride);
  p[PADDING] = mlpli_sizes(g->axes, g->padding);
  p[DILATION] = mlpli_sizes(g->axes, g->dilation);
  memset(&p[GROUPS], 0, sizeof p[GROUPS]);
  p[GROUPS].i = g->groups;
}

static geometry resolved(const mlpl_value *p) {
  geometry g = {.axes = p[SIZE].sizes.n, .groups = p[GROUPS].i};
  for (int d = 0; d < g.axes; d++) {
    g.stride[d] = p[STRIDE].sizes.v[d];
    g.padding[d] = p[PADDING].sizes.v[d];
    g.dilation[d] = p[DILATION].sizes.v[d];
  }
  return g;
}

/* x, y [n x channels x ...] or without n; contiguous copies where they are not. bias: one
   for each channel of what kind writes, or NULL. */
static mlpl_status convolve(mlpl_ctx *cx, mlplk_conv_kind kind, const geometry *g,
    mlpl_tensor *x, mlpl_tensor *y, mlpl_tensor *w, const mlpl_tensor *bias) {
  const mlplk_table *kern = mlpli_kern(x);
  const int axes = g->axes;
  mlplk_conv k = {.n = x->ndim == axes + 2 ? x->shape[0] : 1,
      .groups = g->groups,
      .c = w->shape[1],
      .m = w->shape[0] / g->groups,
      .px = x->data,
      .py = y->data,
      .pw = w->data,
      .bias = bias ? bias->data : NULL,
      .bias_stride = bias ? bias->stride[0] : 0};
  for (int i = 0; i < 2; i++) {
    int d = axes - 2 + i; /* an axis that is not there has one element */
    bool there = d >= 0;
    k.x[i] = there ? x->shape[x->ndim - axes + d] : 1;
    k.y[i] = there ? y->shape[y->ndim - axes + d] : 1;
    k.k[i] = there ? w->shape[2 + d] : 1;
    k.stride[i] = there ? g->stride[d] : 1;
    k.pad[i] = there ? g->padding[d] : 0;
    k.dilation[i] = there && k.k[i] > 1 ? g->dilation[d] : 1;
  }
  size_t bytes = kern->conv_scratch(kind, &k, cx->par.workers);
  void *scratch = mlpli_alloc(cx->heap, bytes);
  if (!scratch) return mlpli_no_memory(cx, "conv", bytes);
  kern->conv(kind, &k, scratch, &cx->par);
  mlpli_free(cx->heap, scratch);
  return MLPL_OK;
}

/* The two operands in the order of the kind's row; out is of the third shape. */
static mlpl_status convolve_any(mlpl_ctx *cx, mlplk_conv_kind kind, const geometry *g,
    mlpl_tensor *a, mlpl_tensor *b, const mlpl_tensor *bias, mlpl_tensor *out) {
  mlpl_tensor *ca, *cb;
  if (out->numel == 0) return MLPL_OK;
  MLPL_TRY(mlpli_tensor_contiguous(cx, &ca, a));
  mlpl_status status = mlpli_tensor_contiguous(cx, &cb, b);
  if (status == MLPL_OK) {
    status = kind == MLPLK_CONV_Y ? convolve(cx, kind, g, ca, out, cb, bias)
        : kind == MLPLK_CONV_X    ? convolve(cx, kind, g, out, ca, cb, bias)
                                  : convolve(cx, kind, g, ca, cb, out, NULL);
    mlpl_tensor_release(cb);
  }
  mlpl_tensor_release(ca);
  return status;
}

/* ---- internal rows ----------------------------------------------------------------- */

/* [n x channels x size], or without n as the first input is */
static mlpl_status shape_of(const mlpli_call *c, int64_t channels, mlpli_shape *s) {
  const mlpl_tensor *a = c->in[0];
  const int axes = c->p[SIZE].sizes.n;
  s->ndim = 0;
  if (a->ndim == axes + 2) s->size[s->ndim++] = a->shape[0];
  s->size[s->ndim++] = channels;
  for (int d = 0; d < axes; d++) s->size[s->ndim++] = c->p[SIZE].sizes.v[d];
  return MLPL_OK;
}

static SHAPE(conv_result) {
  (void)cx;
  return shape_of(c, c->in[1]->shape[0], s);
}

static SHAPE(conv_input) {
  (void)cx;
  return shape_of(c, c->in[1]->shape[1] * c->p[GROUPS].i, s);
}

static SHAPE(conv_weight) {
  (void)cx;
  const mlpl_tensor *x = c->in[0], *y = c->in[1];
  const int axes = c->p[SIZE].sizes.n;
  *s = (mlpli_shape){axes + 2,
      {y->shape[y->ndim - axes - 1], x->shape[x->ndim - axes - 1] / c->p[GROUPS].i}};
  memcpy(s->size + 2, c->p[SIZE].sizes.v, (size_t)axes * sizeof *s->size);
  return MLPL_OK;
}

static mlpl_status forward_of(
    mlpl_ctx *cx, mlplk_conv_kind kind, mlpli_call *c, mlpl_tensor *out) {
  geometry g = resolved(c->p);
  return convolve_any(cx, kind, &g, c->in[0], c->in[1], NULL, out);
}

static FORWARD(conv_result) { return forward_of(cx, MLPLK_CONV_Y, c, *out); }
static FORWARD(conv_input) { return forward_of(cx, MLPLK_CONV_X, c, *out); }
static FORWARD(conv_weight) { return forward_of(cx, MLPLK_CONV_W, c, *out); }

/* Give input i of the node what the row id makes of a and b. */
static void give(mlpli_expr *e, mlpli_node *n, int i, mlpli_op_id id, const geometry *g,
    mlpl_tensor *a, mlpl_tensor *b) {
  mlpl_value p[N_OPTIONS];
  int ndim;
  const int64_t *shape;
  if (!mlpli_wants(n, i)) return;
  mlpli_input_shape(n, i, &ndim, &shape);
  options(g, shape + ndim - g->axes, p);
  mlpli_xgive(e, n, i, mlpli_x2(e, id, a, b, p));
}

static BACKWARD(conv_result) {
  mlpli_expr e = {.cx = cx};
  geometry geo = resolved(n->p);
  give(&e, n, 0, MLPLI_OP_CONV_INPUT, &geo, g, n->in[1]);
  give(&e, n, 1, MLPLI_OP_CONV_WEIGHT, &geo, n->in[0], g);
  return mlpli_expr_end(&e);
}

static BACKWARD(conv_input) {
  mlpli_expr e = {.cx = cx};
  geometry geo = resolved(n->p);
  give(&e, n, 0, MLPLI_OP_CONV_RESULT, &geo, g, n->in[1]);
  give(&e, n, 1, MLPLI_OP_CONV_WEIGHT, &geo, g, n->in[0]);
  return mlpli_expr_end(&e);
}

static BACKWARD(conv_weight) {
  mlpli_expr e = {.cx = cx};
  geometry geo = resolved(n->p);
  give(&e, n, 0, MLPLI_OP_CONV_INPUT, &geo, n->in[1], g);
  give(&e, n, 1, MLPLI_OP_CONV_RESULT, &geo, n->in[0], g);
  return mlpli_expr_end(&e);
}

/* ---- public rows: checks ----------------------------------------------------------- */

/* The places of the public rows' options. */
typedef struct places {
  int stride, padding, output_padding, dilation, groups; /* output_padding -1: none */
} places;
static const places conv_places = {0, 1, -1, 2, 3}, transposed_places = {0, 1, 2, 4, 3};

static const char *const axes_text[] = {"", "length", "h x w"};
static const char *const kernel_text[] = {"", "k", "kh x kw"};

/* Ranks, groups and channels; `takes` channels of input does the weight take. */
static mlpl_status check_operands(
    mlpl_ctx *cx, const mlpli_call *c, int axes, bool transposed, int64_t groups) {
  const mlpl_tensor *x = c->in[0], *w = c->in[1], *b = c->n > 2 ? c->in[2] : NULL;
  const char *name = c->op->name;
  char s1[MLPLI_SHAPE_TEXT], s2[MLPLI_SHAPE_TEXT];
  if (x->ndim != axes + 1 && x->ndim != axes + 2)
    return mlpl_fail(cx, MLPL_ESHAPE,
        "%s: input is %s; it must be [n x channels x %s], or without n", name,
        mlpli_tensor_text(s1, x), axes_text[axes]);
  if (w->ndim != axes + 2)
    return mlpl_fail(cx, MLPL_ESHAPE, "%s: weight is %s; it must be [%s x %s]", name,
        mlpli_tensor_text(s1, w), transposed ? "in x out/groups" : "out x in/groups",
        kernel_text[axes]);
  int64_t has = x->shape[x->ndim - axes - 1];
  int64_t takes = transposed ? w->shape[0] : w->shape[1] * groups;
  if (w->shape[0] % groups)
    return mlpl_fail(cx, MLPL_ESHAPE,
        "%s: weight is %s; its first axis must be a multiple of groups, which is %lld",
        name, mlpli_tensor_text(s1, w), (long long)groups);
  if (takes != has)
    return mlpl_fail(cx, MLPL_ESHAPE,
        "%s: input is %s, weight is %s; the weight takes %lld channels, the input has "
        "%lld",
        name, mlpli_tensor_text(s1, x), mlpli_tensor_text(s2, w), (long long)takes,
        (long long)has);
  int64_t out = transposed ? w->shape[1] * groups : w->shape[0];
  if (b && (b->ndim != 1 || b->shape[0] != out))
    return mlpl_fail(cx, MLPL_ESHAPE,
        "%s: bias is %s, weight is %s; the bias must be [%lld]", name,
        mlpli_tensor_text(s1, b), mlpli_tensor_text(s2, w), (long long)out);
  for (int d = 0; d < axes; d++)
    if (w->shape[2 + d] < 1)
      return mlpl_fail(cx, MLPL_ESHAPE,
          "%s: weight is %s; a kernel has at least 1 element", name,
          mlpli_tensor_text(s1, w));
  return MLPL_OK;
}

/* The elements that a kernel reaches over along axis d. */
static int64_t reach(const geometry *g, const mlpl_tensor *w, int d) {
  return g->dilation[d] * (w->shape[2 + d] - 1) + 1;
}

/* Padding by name. 'same': as many results as elements; an odd one goes to the end. */
static mlpl_status named_padding(
    mlpl_ctx *cx, const mlpli_call *c, geometry *g, int64_t *behind) {
  bool same = c->p[conv_places.padding].sizes.n == -2;
  for (int d = 0; d < g->axes; d++) {
    int64_t all = same ? reach(g, c->in[1], d) - 1 : 0;
    if (same && g->stride[d] != 1)
      return mlpl_fail(cx, MLPL_EARG,
          "%s: padding is 'same' and stride %lld; 'same' needs stride 1", c->op->name,
          (long long)g->stride[d]);
    g->padding[d] = all / 2;
    behind[d] = all - all / 2;
  }
  return MLPL_OK;
}

static mlpl_status too_large(mlpl_ctx *cx, const mlpli_call *c) {
  char s1[MLPLI_SHAPE_TEXT], s2[MLPLI_SHAPE_TEXT];
  return mlpl_fail(cx, MLPL_ESHAPE,
      "%s: input is %s, weight is %s; padded it has more elements than can be counted",
      c->op->name, mlpli_tensor_text(s1, c->in[0]), mlpli_tensor_text(s2, c->in[1]));
}

static mlpl_status geometry_of(
    mlpl_ctx *cx, const mlpli_call *c, const places *at, geometry *g) {
  bool transposed = at == &transposed_places;
  *g = (geometry){.axes = mlpli_spatial(c->op), .groups = c->p[at->groups].i};
  MLPL_TRY(check_operands(cx, c, g->axes, transposed, g->groups));
  MLPL_TRY(mlpli_extent(cx, c, at->stride, g->axes, NULL, g->stride));
  return mlpli_extent(cx, c, at->dilation, g->axes, NULL, g->dilation);
}

/* floor((in + padding - reach) / stride) + 1 along each axis */
static mlpl_status conv_shape(
    mlpl_ctx *cx, const mlpli_call *c, geometry *g, mlpli_shape *s) {
  const mlpl_tensor *x = c->in[0], *w = c->in[1];
  const int axes = mlpli_spatial(c->op), lead = x->ndim - axes;
  int64_t behind[MLPLI_SPATIAL];
  char s1[MLPLI_SHAPE_TEXT], s2[MLPLI_SHAPE_TEXT];
  MLPL_TRY(geometry_of(cx, c, &conv_places, g));
  if (c->p[conv_places.padding].sizes.n < 0)
    MLPL_TRY(named_padding(cx, c, g, behind));
  else {
    MLPL_TRY(mlpli_extent(cx, c, conv_places.padding, axes, NULL, g->padding));
    memcpy(behind, g->padding, sizeof behind);
  }
  s->ndim = x->ndim;
  memcpy(s->size, x->shape, sizeof s->size);
  s->size[lead - 1] = w->shape[0];
  for (int d = 0; d < axes; d++) {
    int64_t padded = x->shape[lead + d] + g->padding[d] + behind[d];
    if (reach(g, w, d) > padded)
      return mlpl_fail(cx, MLPL_ESHAPE,
          "%s: input is %s, weight is %s; the kernel reaches over %lld elements of axis "
          "%d, the padded input has %lld",
          c->op->name, mlpli_tensor_text(s1, x), mlpli_tensor_text(s2, w),
          (long long)reach(g, w, d), lead + d + cx->index_base, (long long)padded);
    s->size[lead + d] = (padded - reach(g, w, d)) / g->stride[d] + 1;
  }
  if (!mlpli_padded_fits(x->shape[lead - 1] + 1, axes, x->shape + lead, behind) ||
      !mlpli_shape_fits(s->ndim, s->size))
    return too_large(cx, c);
  return MLPL_OK;
}

static SHAPE(conv) {
  geometry g;
  return conv_shape(cx, c, &g, s);
}

static FORWARD(conv) {
  geometry g;
  mlpli_shape s;
  MLPL_TRY(conv_shape(cx, c, &g, &s));
  return convolve_any(
      cx, MLPLK_CONV_Y, &g, c->in[0], c->in[1], c->n > 2 ? c->in[2] : NULL, *out);
}

/* (in - 1) stride - 2 padding + reach + output_padding along each axis */
static mlpl_status transposed_shape(
    mlpl_ctx *cx, const mlpli_call *c, geometry *g, mlpli_shape *s) {
  const mlpl_tensor *x = c->in[0], *w = c->in[1];
  const int axes = mlpli_spatial(c->op), lead = x->ndim - axes;
  const places *at = &transposed_places;
  int64_t more[MLPLI_SPATIAL], none[MLPLI_SPATIAL] = {0};
  char s1[MLPLI_SHAPE_TEXT], s2[MLPLI_SHAPE_TEXT];
  MLPL_TRY(geometry_of(cx, c, at, g));
  MLPL_TRY(mlpli_extent(cx, c, at->padding, axes, NULL, g->padding));
  MLPL_TRY(mlpli_extent(cx, c, at->output_padding, axes, NULL, more));
  s->ndim = x->ndim;
  memcpy(s->size, x->shape, sizeof s->size);
  s->size[lead - 1] = w->shape[1] * g->groups;
  for (int d = 0; d < axes; d++) {
    if (more[d] >= g->stride[d] && more[d] >= g->dilation[d])
      return mlpl_fail(cx, MLPL_EARG,
          "%s: output_padding is %lld; it must be less than stride (%lld) or dilation "
          "(%lld)",
          c->op->name, (long long)more[d], (long long)g->stride[d],
          (long long)g->dilation[d]);
    if ((double)x->shape[lead + d] * (double)g->stride[d] > 0x1p48)
      return too_large(cx, c);
    s->size[lead + d] = (x->shape[lead + d] - 1) * g->stride[d] - 2 * g->padding[d] +
        reach(g, w, d) + more[d];
    if (s->size[lead + d] < 0)
      return mlpl_fail(cx, MLPL_ESHAPE,
          "%s: input is %s, weight is %s; the result would have %lld elements along axis "
          "%d",
          c->op->name, mlpli_tensor_text(s1, x), mlpli_tensor_text(s2, w),
          (long long)s->size[lead + d], lead + d + cx->index_base);
  }
  if (!mlpli_padded_fits(
          s->size[lead - 1] + x->shape[lead - 1], axes, s->size + lead, none) ||
      !mlpli_padded_fits(x->shape[lead - 1], axes, x->shape + lead, g->padding) ||
      !mlpli_shape_fits(s->ndim, s->size))
    return too_large(cx, c);
  return MLPL_OK;
}

static SHAPE(conv_transpose) {
  geometry g;
  return transposed_shape(cx, c, &g, s);
}

static FORWARD(conv_transpose) {
  geometry g;
  mlpli_shape s;
  MLPL_TRY(transposed_shape(cx, c, &g, &s));
  return convolve_any(
      cx, MLPLK_CONV_X, &g, c->in[0], c->in[1], c->n > 2 ? c->in[2] : NULL, *out);
}

/* ---- public rows: gradients -------------------------------------------------------- */

/* db = sums of g over images and places: [n x m x ...] to [n x m x places] to [n x m]. */
static void give_bias(mlpli_expr *e, mlpli_node *n, int axes, mlpl_tensor *g) {
  if (n->n_in < 3 || !mlpli_wants(n, 2)) return;
  bool batch = n->ndim == axes + 2;
  int64_t images = batch ? n->shape[0] : 1, m = n->shape[batch], count = 1;
  for (int d = n->ndim - axes; d < n->ndim; d++) count *= n->shape[d];
  mlpl_value flat = mlpli_sizes(3, (int64_t[]){images, m, count}),
             kept = mlpli_sizes(3, (int64_t[]){images, m, 1}),
             rows = mlpli_sizes(2, (int64_t[]){images, m});
  g = mlpli_x1(e, MLPLI_OP_RESHAPE, g, &flat);
  g = mlpli_x1(e, MLPLI_OP_SUM_TO_SIZE, g, &kept);
  mlpli_xgive(e, n, 2, mlpli_x1(e, MLPLI_OP_RESHAPE, g, &rows));
}

/* The call again as far as its shapes go, for the resolved options. */
typedef struct shapes {
  mlpl_tensor seen[2], *in[2];
} shapes;

static mlpli_call call_again(const mlpli_node *n, shapes *s) {
  for (int i = 0; i < 2; i++)
    s->in[i] = (mlpl_tensor *)(uintptr_t)mlpli_input_seen(n, i, &s->seen[i]);
  return (mlpli_call){.op = n->op, .n = 2, .in = s->in, .p = n->p};
}

static BACKWARD(conv) {
  mlpli_expr e = {.cx = cx};
  shapes operands;
  mlpli_call c = call_again(n, &operands);
  geometry geo;
  mlpli_shape s;
  MLPL_TRY(conv_shape(cx, &c, &geo, &s));
  give(&e, n, 0, MLPLI_OP_CONV_INPUT, &geo, g, n->in[1]);
  give(&e, n, 1, MLPLI_OP_CONV_WEIGHT, &geo, n->in[0], g);
  give_bias(&e, n, geo.axes, g);
  return mlpli_expr_end(&e);
}

static BACKWARD(conv_transpose) {
  mlpli_expr e = {.cx = cx};
  shapes operands;
  mlpli_call c = call_again(n, &operands);
  geometry geo;
  mlpli_shape s;
  MLPL_TRY(transposed_shape(cx, &c, &geo, &s));
  give(&e, n, 0, MLPLI_OP_CONV_RESULT, &geo, g, n->in[1]);
  give(&e, n, 1, MLPLI_OP_CONV_WEIGHT, &geo, g, n->in[0]);
  give_bias(&e, n, geo.axes, g);
  return mlpli_expr_end(&e);
}

/* ---- rows -------------------------------------------------------------------------- */

static const char *const paddings[] = {"valid", "same", NULL};
static const mlpl_param resolved_params[] = {MLPLI_SIZES_NEEDED("size"),
    MLPLI_SIZES_NEEDED("stride"), MLPLI_SIZES_NEEDED("padding"),
    MLPLI_SIZES_NEEDED("dilation"), MLPLI_INT_NEEDED("groups", 1, MANY)};
static const mlpl_param conv_params[] = {MLPLI_EXTENT_OPTION("stride", 1, 1, NULL),
    MLPLI_EXTENT_OPTION("padding", 0, 0, paddings),
    MLPLI_EXTENT_OPTION("dilation", 1, 1, NULL),
    MLPLI_INT_OPTION("groups", 1, 1, MLPLI_MOST_EXTENT)};
static const mlpl_param transposed_params[] = {MLPLI_EXTENT_OPTION("stride", 1, 1, NULL),
    MLPLI_EXTENT_OPTION("padding", 0, 0, NULL),
    MLPLI_EXTENT_OPTION("output_padding", 0, 0, NULL),
    MLPLI_INT_OPTION("groups", 1, 1, MLPLI_MOST_EXTENT),
    MLPLI_EXTENT_OPTION("dilation", 1, 1, NULL)};

#define RESOLVED_ROW(f, a, b)                                                            \
  .name = #f, .input_name = {a, b}, .domain = {MLPLI_REAL, MLPLI_REAL}, .n_inputs = 2,   \
  .n_required = 2, .n_outputs = 1, .saves = 3, .saved_for = {2, 1}, .differentiable = 3, \
  .shape = shape_##f, .forward = f##_forward, HAS_BACKWARD(f), PARAMS(resolved_params),  \
  .internal = true
#define CONV_ROW(title, f, params)                                                       \
  .name = title, .input_name = {"input", "weight", "bias"},                              \
  .domain = {MLPLI_REAL, MLPLI_REAL, MLPLI_REAL}, .n_inputs = 3, .n_required = 2,        \
  .n_outputs = 1, .saves = 3, .saved_for = {6, 5}, .differentiable = 7,                  \
  .shape = shape_##f, .forward = f##_forward, HAS_BACKWARD(f), PARAMS(params)

const mlpl_op mlpli_op_conv1d = {CONV_ROW("conv1d", conv, conv_params)};
const mlpl_op mlpli_op_conv2d = {CONV_ROW("conv2d", conv, conv_params)};
const mlpl_op mlpli_op_conv_transpose1d = {
    CONV_ROW("conv_transpose1d", conv_transpose, transposed_params)};
const mlpl_op mlpli_op_conv_transpose2d = {
    CONV_ROW("conv_transpose2d", conv_transpose, transposed_params)};
const mlpl_op mlpli_op_conv_result = {RESOLVED_ROW(conv_result, "input", "weight")};
const mlpl_op mlpli_op_conv_input = {RESOLVED_ROW(conv_input, "result", "weight")};
const mlpl_op mlpli_op_conv_weight = {RESOLVED_ROW(conv_weight, "input", "result")};
