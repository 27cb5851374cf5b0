/*
** Images as columns of their patches, and back: PyTorch's nn.functional.unfold and fold,
** by the names that they have inside of it, im2col and col2im, since tensors have an unfold
** of their own. Made of padding, windows and their adjoints.
*/
#include "ops/window.h"

#include "grad/grad.h"
#include "ops/shape.h"

#include <string.h>

enum { AXES = 2 };

/* Sizes of patches and how they lie in the image; leading axes: channels, or images too. */
typedef struct patches {
  int lead;
  int64_t lead_size[2], image[AXES], padded[AXES], count[AXES], kernel[AXES], reach[AXES],
      dilation[AXES], pad[AXES], stride[AXES];
} patches;

/* kernel_size, dilation, padding and stride stand at `first`. The image's sizes are there;
   `in` is what is shown of the input. */
static mlpl_status place_patches(
    mlpl_ctx *cx, const mlpli_call *c, int first, patches *k) {
  char text[MLPLI_SHAPE_TEXT];
  MLPL_TRY(mlpli_extent(cx, c, first, AXES, NULL, k->kernel));
  MLPL_TRY(mlpli_extent(cx, c, first + 1, AXES, NULL, k->dilation));
  MLPL_TRY(mlpli_extent(cx, c, first + 2, AXES, NULL, k->pad));
  MLPL_TRY(mlpli_extent(cx, c, first + 3, AXES, NULL, k->stride));
  for (int d = 0; d < AXES; d++) {
    k->padded[d] = k->image[d] + 2 * k->pad[d];
    k->reach[d] = k->dilation[d] * (k->kernel[d] - 1) + 1;
    if (k->reach[d] > k->padded[d])
      return mlpl_fail(cx, MLPL_ESHAPE,
          "%s: the image is %s; a patch of kernel_size reaches over %lld elements of its "
          "axis %d, the "
          "padded image has %lld",
          c->op->name, mlpli_shape_text(text, AXES, k->image), (long long)k->reach[d],
          d + cx->index_base, (long long)k->padded[d]);
    k->count[d] = (k->padded[d] - k->reach[d]) / k->stride[d] + 1;
  }
  if (mlpli_padded_fits(k->kernel[0] * k->kernel[1], AXES, k->image, k->pad))
    return MLPL_OK;
  return mlpl_fail(cx, MLPL_ESHAPE,
      "%s: the image is %s; its patches have more elements than can be counted",
      c->op->name, mlpli_shape_text(text, AXES, k->image));
}

/* [leading axes x ...] */
static mlpl_value sizes_of(const patches *k, int n, const int64_t *rest) {
  mlpl_value v = mlpli_sizes_of(k->lead, k->lead_size);
  for (int i = 0; i < n; i++) v.sizes.v[v.sizes.n++] = rest[i];
  return v;
}

/* Of an axis: the windows [dimension, size, step] that `unfold` makes. */
static void windows_of(const patches *k, int d, mlpl_value *p) {
  memset(p, 0, 3 * sizeof *p);
  p[0].i = k->lead + d, p[1].i = k->reach[d], p[2].i = k->stride[d];
}

/* Of windows [lead x oh x ow x rh x rw]: the elements of the patches, as `slice` has it. */
static void taps_of(const patches *k, mlpl_value *p) {
  const int64_t zero[] = {0, 0, 0, 0}, one[] = {1, 1, k->dilation[0], k->dilation[1]},
                count[] = {k->count[0], k->count[1], k->kernel[0], k->kernel[1]};
  const mlpl_value lead = mlpli_sizes_of(k->lead, k->lead_size);
  p[0] = p[1] = p[2] = lead;
  for (int d = 0; d < k->lead; d++) p[0].sizes.v[d] = 0, p[1].sizes.v[d] = 1;
  for (int d = 0; d < 4; d++) {
    p[0].sizes.v[p[0].sizes.n++] = zero[d];
    p[1].sizes.v[p[1].sizes.n++] = one[d];
    p[2].sizes.v[p[2].sizes.n++] = count[d];
  }
}

static bool has_gaps(const patches *k) {
  return k->reach[0] != k->kernel[0] || k->reach[1] != k->kernel[1];
}

/* Zeros around the image (by 1), or what was put around it cut off (by -1). */
static mlpl_tensor *padded(mlpli_expr *e, const patches *k, mlpl_tensor *x, int by) {
  mlpl_value p[2] = {
      mlpli_sizes_of(
          4, (int64_t[]){by * k->pad[1], by * k->pad[1], by * k->pad[0], by * k->pad[0]}),
      {.f = 0}};
  return k->pad[0] || k->pad[1] ? mlpli_x1(e, MLPLI_OP_PAD_CONSTANT, x, p) : x;
}

/* The last two axes before the two that precede them. */
static mlpl_tensor *swapped(mlpli_expr *e, const patches *k, mlpl_tensor *x) {
  const int64_t a = k->lead, from[] = {a, a + 1}, to[] = {a + 2, a + 3};
  return mlpli_x1(e, MLPLI_OP_MOVEDIM, x,
      (mlpl_value[]){mlpli_sizes_of(2, from), mlpli_sizes_of(2, to)});
}

static mlpl_tensor *apart(mlpli_expr *e, mlpl_tensor *x, mlpl_tensor *y) {
  return y && y->storage == x->storage ? mlpli_x1(e, MLPLI_OP_CLONE, y, NULL) : y;
}

/* ---- im2col: [n x c x h x w] to [n x c kh kw x patches] ---------------------------- */

static COMPOSE(im2col) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *x = c->in[0];
  patches k = {.lead = x->ndim - AXES};
  mlpl_value p[3];
  char text[MLPLI_SHAPE_TEXT];
  if (x->ndim != 3 && x->ndim != 4)
    return mlpl_fail(cx, MLPL_ESHAPE,
        "im2col: input is %s; it must be [n x channels x h x w], or without n",
        mlpli_tensor_text(text, x));
  memcpy(k.lead_size, x->shape, (size_t)k.lead * sizeof *k.lead_size);
  memcpy(k.image, x->shape + k.lead, sizeof k.image);
  MLPL_TRY(place_patches(cx, c, 0, &k));
  mlpl_tensor *y = padded(&e, &k, x, 1);
  for (int d = 0; d < AXES; d++) {
    windows_of(&k, d, p);
    y = mlpli_x1(&e, MLPLI_OP_UNFOLD, y, p);
  }
  taps_of(&k, p);
  if (has_gaps(&k)) y = mlpli_x1(&e, MLPLI_OP_SLICE, y, p);
  k.lead_size[k.lead - 1] *= k.kernel[0] * k.kernel[1];
  mlpl_value sizes = sizes_of(&k, 1, (int64_t[]){k.count[0] * k.count[1]});
  y = mlpli_x1(&e, MLPLI_OP_RESHAPE, swapped(&e, &k, y), &sizes);
  return mlpli_xresult(&e, out, apart(&e, x, y));
}

/* ---- col2im: back, added where patches overlap ------------------------------------- */

static mlpl_status check_columns(mlpl_ctx *cx, const mlpli_call *c, patches *k) {
  const mlpl_tensor *x = c->in[0];
  char text[MLPLI_SHAPE_TEXT];
  if (x->ndim != 2 && x->ndim != 3)
    return mlpl_fail(cx, MLPL_ESHAPE,
        "col2im: input is %s; it must be [n x channels kh kw x patches], or without n",
        mlpli_tensor_text(text, x));
  k->lead = x->ndim - 1;
  memcpy(k->lead_size, x->shape, (size_t)k->lead * sizeof *k->lead_size);
  MLPL_TRY(mlpli_extent(cx, c, 0, AXES, NULL, k->image));
  MLPL_TRY(place_patches(cx, c, 1, k));
  const int64_t taps = k->kernel[0] * k->kernel[1], n = k->count[0] * k->count[1];
  if (k->lead_size[k->lead - 1] % taps)
    return mlpl_fail(cx, MLPL_ESHAPE,
        "col2im: input is %s; a column is of whole patches, of %lld elements a channel",
        mlpli_tensor_text(text, x), (long long)taps);
  if (x->shape[x->ndim - 1] != n)
    return mlpl_fail(cx, MLPL_ESHAPE,
        "col2im: input is %s; an image with these options has %lld x %lld = %lld patches",
        mlpli_tensor_text(text, x), (long long)k->count[0], (long long)k->count[1],
        (long long)n);
  k->lead_size[k->lead - 1] /= taps;
  return MLPL_OK;
}

static COMPOSE(col2im) {
  mlpli_expr e = {.cx = cx};
  patches k = {0};
  mlpl_value p[4];
  MLPL_TRY(check_columns(cx, c, &k));
  mlpl_value sizes = sizes_of(
      &k, 4, (int64_t[]){k.kernel[0], k.kernel[1], k.count[0], k.count[1]});
  mlpl_tensor *y = mlpli_x1(&e, MLPLI_OP_RESHAPE, c->in[0], &sizes);
  y = swapped(&e, &k, y);
  p[0] = sizes_of(&k, 4, (int64_t[]){k.count[0], k.count[1], k.reach[0], k.reach[1]});
  taps_of(&k, p + 1);
  if (has_gaps(&k)) y = mlpli_x1(&e, MLPLI_OP_PLACE_SLICE, y, p);
  p[0] = sizes_of(&k, 3, (int64_t[]){k.count[0], k.padded[1], k.reach[0]});
  windows_of(&k, 1, p + 1);
  y = mlpli_x1(&e, MLPLI_OP_PLACE_UNFOLD, y, p);
  p[0] = sizes_of(&k, 2, k.padded);
  windows_of(&k, 0, p + 1);
  y = mlpli_x1(&e, MLPLI_OP_PLACE_UNFOLD, y, p);
  return mlpli_xresult(&e, out, padded(&e, &k, y, -1));
}

/* ---- rows -------------------------------------------------------------------------- */

#define PATCHES                                                                          \
  MLPLI_EXTENT_NEEDED("kernel_size", 1), MLPLI_EXTENT_OPTION("dilation", 1, 1, NULL),    \
      MLPLI_EXTENT_OPTION("padding", 0, 0, NULL),                                        \
      MLPLI_EXTENT_OPTION("stride", 1, 1, NULL)
static const mlpl_param im2col_params[] = {PATCHES};
static const mlpl_param col2im_params[] = {
    MLPLI_EXTENT_NEEDED("output_size", 1), PATCHES};

const mlpl_op mlpli_op_im2col = {COMPOSE_ROW(im2col, MLPLI_REAL), PARAMS(im2col_params)};
const mlpl_op mlpli_op_col2im = {COMPOSE_ROW(col2im, MLPLI_REAL), PARAMS(col2im_params)};
