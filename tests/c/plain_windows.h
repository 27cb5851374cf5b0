/*
** Plain loops for products, convolutions and pooling: a part of table.c, whose arrays they
** work on.
*/
#ifndef TEST_PLAIN_WINDOWS_H
#define TEST_PLAIN_WINDOWS_H

/* ---- products ---------------------------------------------------------------------- */

/* Element (row, column) of the matrix of `a` that belongs to stack place `at`. */
static double in_stack(
    const array *a, bool left, int ndim, const int64_t *at, int64_t row, int64_t column) {
  int64_t own[MLPL_MAX_RANK];
  if (a->ndim == 1) return a->v[left ? column : row];
  int n = a->ndim - 2;
  for (int d = 0; d < n; d++) own[d] = a->size[d] == 1 ? 0 : at[ndim - n + d];
  own[n] = row, own[n + 1] = column;
  return a->v[place_of(a, own)];
}

static void plain_stacks(plain *p) {
  const array *a = &p->x[0], *b = &p->x[1];
  array stack = {.ndim = 0, .n = 1};
  int na = a->ndim > 2 ? a->ndim - 2 : 0, nb = b->ndim > 2 ? b->ndim - 2 : 0;
  int64_t size[MLPL_MAX_RANK], at[MLPL_MAX_RANK];
  int n = na > nb ? na : nb;
  for (int d = 0; d < n; d++) {
    int64_t sa = d < n - na ? 1 : a->size[d - n + na],
            sb = d < n - nb ? 1 : b->size[d - n + nb];
    size[d] = stack.size[d] = sa == 1 ? sb : sa;
    stack.n *= size[d];
  }
  stack.ndim = n;
  int64_t rows = a->ndim > 1 ? a->size[a->ndim - 2] : 1,
          columns = b->ndim > 1 ? b->size[b->ndim - 1] : 1;
  if (a->ndim > 1) size[n++] = rows;
  if (b->ndim > 1) size[n++] = columns;
  p->y = array_new(n, size);
  p->terms = a->size[a->ndim - 1];
  for (int64_t i = 0; i < p->y.n; i++) {
    index_of(&stack, i / (rows * columns), at);
    for (int64_t k = 0; k < p->terms; k++)
      p->y.v[i] += in_stack(a, true, stack.ndim, at, i / columns % rows, k) *
          in_stack(b, false, stack.ndim, at, k, i % columns);
  }
}

/* beta input + alpha a b */
static void plain_addmm(plain *p) {
  plain product = {.c = p->c, .x = {p->x[1], p->x[2]}};
  int64_t at[MLPL_MAX_RANK];
  plain_stacks(&product);
  p->y = product.y;
  p->terms = product.terms + 1;
  for (int64_t i = 0; i < p->y.n; i++) {
    index_of(&p->y, i, at);
    p->y.v[i] = p->c->p[0].f * stretched(&p->x[0], p->y.ndim, at) +
        p->c->p[1].f * p->y.v[i];
  }
}

/* Every element with every other, or every last axis with every other. */
static void plain_outer(plain *p, bool inner) {
  const array *a = &p->x[0], *b = &p->x[1];
  int64_t size[MLPL_MAX_RANK] = {0}, k = inner ? a->size[a->ndim - 1] : 1;
  int na = a->ndim - inner, nb = b->ndim - inner;
  memcpy(size, a->size, (size_t)na * sizeof *size);
  memcpy(size + na, b->size, (size_t)nb * sizeof *size);
  p->y = array_new(na + nb, size);
  p->terms = k;
  int64_t columns = 1;
  for (int d = 0; d < nb; d++) columns *= b->size[d];
  for (int64_t i = 0; i < p->y.n; i++)
    for (int64_t l = 0; l < k; l++)
      p->y.v[i] += a->v[i / columns * k + l] * b->v[i % columns * k + l];
}

/* move_axes, and spread_axes back. */
static void plain_moved_axes(plain *p, bool spread) {
  const array *x = &p->x[0];
  const mlpl_value *o = p->c->p;
  int64_t size[MLPL_MAX_RANK] = {0}, at[MLPL_MAX_RANK], small[MLPL_MAX_RANK] = {0};
  int n = spread ? o[1].sizes.n : (int)o[1].i;
  for (int d = 0; d < n; d++) size[d] = spread ? o[1].sizes.v[d] : 1;
  for (int d = 0; !spread && d < x->ndim; d++)
    if (o[0].sizes.v[d] >= 0) size[o[0].sizes.v[d]] = x->size[d];
  p->y = array_new(n, size);
  const array *large = spread ? &p->y : x; /* whose axes the option tells of */
  for (int64_t i = 0; i < large->n; i++) {
    bool diagonal = true;
    index_of(large, i, at);
    for (int pass = 0; pass < 2; pass++)
      for (int d = 0; d < large->ndim; d++) {
        int64_t to = o[0].sizes.v[d];
        if (to < 0) continue;
        if (pass == 0)
          small[to] = at[d];
        else
          diagonal = diagonal && small[to] == at[d];
      }
    if (!diagonal) continue;
    if (spread)
      p->y.v[i] = x->v[place_of(x, small)];
    else
      p->y.v[place_of(&p->y, small)] = x->v[i];
  }
}

/* ---- windows ----------------------------------------------------------------------- */

/* Number d of an extent with `axes` numbers. */
static int64_t extent_of(const mlpl_value *v, int d, int64_t standard) {
  return v->sizes.n == 0 ? standard : v->sizes.v[v->sizes.n == 1 ? 0 : d];
}

/* Two spatial axes, the first of size 1 where there is one. */
typedef struct spatial {
  int axes;
  int64_t stride[2], pad[2], dilation[2], groups;
} spatial;

/* a's sizes as n, channels, rows, columns */
static void four(const array *a, int axes, int64_t *size) {
  int lead = a->ndim - axes;
  size[0] = lead == 2 ? a->size[0] : 1;
  size[1] = a->size[lead - 1];
  size[2] = axes == 2 ? a->size[lead] : 1;
  size[3] = a->size[a->ndim - 1];
}

static array like_input(const array *x, int axes, int64_t channels, const int64_t *size) {
  int64_t all[MLPL_MAX_RANK];
  int lead = x->ndim - axes;
  memcpy(all, x->size, sizeof all);
  all[lead - 1] = channels;
  for (int d = 0; d < axes; d++) all[lead + d] = size[d];
  return array_new(x->ndim, all);
}

/* Adds to the one of x, w, y that is wanted (0, 1, 2) what the other two make. */
static void add_terms(const spatial *s, array *x, array *w, array *y, int wanted) {
  int64_t sx[4], sy[4], kh = s->axes == 2 ? w->size[2] : 1, kw = w->size[w->ndim - 1],
                        m = w->size[0] / s->groups, c = w->size[1];
  four(x, s->axes, sx);
  four(y, s->axes, sy);
  for (int64_t i = 0; i < y->n; i++) {
    int64_t q = i % sy[3], r = i / sy[3] % sy[2], o = i / sy[3] / sy[2] % sy[1],
            image = i / sy[3] / sy[2] / sy[1];
    for (int64_t b = 0; b < c; b++)
      for (int64_t u = 0; u < kh; u++)
        for (int64_t v = 0; v < kw; v++) {
          int64_t h = r * s->stride[0] + u * s->dilation[0] - s->pad[0],
                  l = q * s->stride[1] + v * s->dilation[1] - s->pad[1];
          if (h < 0 || h >= sx[2] || l < 0 || l >= sx[3]) continue;
          double *px = &x->v[((image * sx[1] + o / m * c + b) * sx[2] + h) * sx[3] + l],
                 *pw = &w->v[((o * c + b) * kh + u) * kw + v], *py = &y->v[i];
          if (wanted == 0) *px += *pw * *py;
          if (wanted == 1) *pw += *px * *py;
          if (wanted == 2) *py += *px * *pw;
        }
  }
}

static void read_spatial(
    spatial *s, const mlpl_value *p, int stride, int pad, int dilation) {
  for (int i = 0; i < 2; i++) {
    int d = s->axes == 2 ? i : 0;
    bool there = s->axes == 2 || i == 1;
    s->stride[i] = there ? extent_of(&p[stride], d, 1) : 1;
    s->pad[i] = there && p[pad].sizes.n > 0 ? extent_of(&p[pad], d, 0) : 0;
    s->dilation[i] = there ? extent_of(&p[dilation], d, 1) : 1;
  }
}

/* Magnitudes are those of sums of products of three numbers below 2. */
static void add_bias(plain *p, int axes) {
  int64_t size[4];
  four(&p->y, axes, size);
  for (int64_t i = 0; p->there[2] && i < p->y.n; i++)
    p->y.v[i] += p->x[2].v[i / size[3] / size[2] % size[1]];
}

static void plain_conv(plain *p, int axes) {
  array *x = &p->x[0], *w = &p->x[1];
  const mlpl_value *o = p->c->p;
  spatial s = {.axes = axes, .groups = o[3].i};
  int64_t size[2];
  read_spatial(&s, o, 0, 1, 2);
  for (int d = 0; d < axes; d++) {
    int at = axes == 2 ? d : 1;
    int64_t reach = s.dilation[at] * (w->size[2 + d] - 1), all = 2 * s.pad[at];
    if (o[1].sizes.n == -2) all = reach, s.pad[at] = reach / 2;
    size[d] = (x->size[x->ndim - axes + d] + all - reach - 1) / s.stride[at] + 1;
  }
  p->y = like_input(x, axes, w->size[0], size);
  p->terms = w->n + 1;
  add_terms(&s, x, w, &p->y, 2);
  add_bias(p, axes);
}

static void plain_conv_transpose(plain *p, int axes) {
  array *y = &p->x[0], *w = &p->x[1];
  const mlpl_value *o = p->c->p;
  spatial s = {.axes = axes, .groups = o[3].i};
  int64_t size[2];
  read_spatial(&s, o, 0, 1, 4);
  for (int d = 0; d < axes; d++) {
    int at = axes == 2 ? d : 1;
    size[d] = (y->size[y->ndim - axes + d] - 1) * s.stride[at] - 2 * s.pad[at] +
        s.dilation[at] * (w->size[2 + d] - 1) + 1 + extent_of(&o[2], d, 0);
  }
  p->y = like_input(y, axes, w->size[1] * s.groups, size);
  p->terms = w->n + 1;
  add_terms(&s, &p->y, w, y, 0);
  add_bias(p, axes);
}

/* The internal rows, whose options are resolved. */
static void plain_resolved(plain *p, mlpli_op_id id) {
  array *a = &p->x[0], *b = &p->x[1];
  const mlpl_value *o = p->c->p;
  spatial s = {.axes = o[0].sizes.n, .groups = o[4].i};
  int64_t size[MLPL_MAX_RANK];
  read_spatial(&s, o, 1, 2, 3);
  p->terms = a->n > b->n ? a->n : b->n;
  if (id == MLPLI_OP_CONV_RESULT) {
    p->y = like_input(a, s.axes, b->size[0], o[0].sizes.v);
    add_terms(&s, a, b, &p->y, 2);
  }
  else if (id == MLPLI_OP_CONV_INPUT) {
    p->y = like_input(a, s.axes, b->size[1] * s.groups, o[0].sizes.v);
    add_terms(&s, &p->y, b, a, 0);
  }
  else {
    size[0] = b->size[b->ndim - s.axes - 1];
    size[1] = a->size[a->ndim - s.axes - 1] / s.groups;
    for (int d = 0; d < s.axes; d++) size[2 + d] = o[0].sizes.v[d];
    p->y = array_new(s.axes + 2, size);
    add_terms(&s, a, &p->y, b, 1);
  }
}

/* ---- pooling ----------------------------------------------------------------------- */

/* One axis: windows begin at i stride - pad. kernel 0: adaptive. */
typedef struct window {
  int64_t in, out, kernel, stride, pad, dilation;
} window;

static int64_t windows_along(const window *w, bool ceil_mode) {
  int64_t n = 0, reach = w->dilation * (w->kernel - 1) + 1;
  /* every window that fits; in ceil mode also one that only begins before the padding's
     end, if it begins before the padding behind the input */
  for (;; n++) {
    int64_t start = n * w->stride - w->pad;
    if (start + reach <= w->in + w->pad) continue;
    int64_t previous = start - w->stride + reach; /* where the last whole one ended */
    if (!ceil_mode || start >= w->in || previous >= w->in + w->pad) return n;
    return n + 1;
  }
}

/* Element t of window i, or -1 outside. *counts: the padding holds it. */
static int64_t element_of(const window *w, int64_t i, int64_t t, bool *counts) {
  int64_t at = i * w->stride - w->pad + t * w->dilation;
  if (w->kernel == 0) at = i * w->in / w->out + t;
  *counts = w->kernel ? at < w->in + w->pad : at * w->out < (i + 1) * w->in;
  return at >= 0 && at < w->in && *counts ? at : -1;
}

typedef struct pooling {
  window w[2];
  bool max, places, include;
  int64_t divisor;
} pooling;

/* One result from a plane of x; or its share put back. */
static double pooled(
    const pooling *k, double *x, int64_t r, int64_t q, const double *back) {
  double sum = 0, most = -INFINITY;
  int64_t padded = 0, inside = 0, place = 0, taps[2];
  for (int d = 0; d < 2; d++) taps[d] = k->w[d].kernel ? k->w[d].kernel : k->w[d].in;
  for (int pass = 0; pass < (back ? 2 : 1); pass++) {
    double by = k->divisor ? (double)k->divisor : (double)(k->include ? padded : inside);
    for (int64_t i = 0; i < taps[0] * taps[1]; i++) {
      bool counts[2];
      int64_t h = element_of(&k->w[0], r, i / taps[1], &counts[0]),
              l = element_of(&k->w[1], q, i % taps[1], &counts[1]);
      if (pass == 0) padded += counts[0] && counts[1], inside += h >= 0 && l >= 0;
      if (h < 0 || l < 0) continue;
      double *at = &x[h * k->w[1].in + l];
      if (pass == 1)
        *at += *back / by;
      else if (!back) {
        sum += *at;
        if (*at > most) most = *at, place = h * k->w[1].in + l;
      }
    }
  }
  if (k->max) return k->places ? (double)place : most;
  if (k->divisor) return sum / (double)k->divisor;
  return inside ? sum / (double)(k->include ? padded : inside) : 0;
}

/* All planes of x and y, one of which is given. */
static void pool_planes(const pooling *k, array *x, array *y, bool back) {
  int64_t in = k->w[0].in * k->w[1].in, columns = k->w[1].out,
          out = k->w[0].out * columns;
  for (int64_t i = 0; i < y->n; i++) {
    double v = pooled(
        k, x->v + i / out * in, i % out / columns, i % columns, back ? &y->v[i] : NULL);
    if (!back) y->v[i] = v;
  }
}

/* Places of the options: kernel_size, stride and padding are the first three. */
static void plain_pool(plain *p, int axes, bool max, bool places) {
  array *x = &p->x[0];
  const mlpl_value *o = p->c->p;
  const bool adaptive = strncmp(p->c->op->name, "adaptive", 8) == 0;
  pooling k = {.max = max, .places = places};
  int64_t size[2];
  for (int i = 0; i < 2; i++) {
    int d = axes == 2 ? i : 0;
    k.w[i] = (window){1, 1, 1, 1, 0, 1};
    if (axes == 1 && i == 0) continue;
    k.w[i].in = x->size[x->ndim - axes + d];
    if (adaptive) k.w[i].kernel = 0, size[d] = k.w[i].out = extent_of(o, d, 0);
    if (adaptive) continue;
    k.w[i].kernel = extent_of(&o[0], d, 0);
    k.w[i].stride = extent_of(&o[1], d, k.w[i].kernel);
    k.w[i].pad = extent_of(&o[2], d, 0);
    if (max) k.w[i].dilation = extent_of(&o[3], d, 1);
    size[d] = k.w[i].out = windows_along(&k.w[i], o[max ? 4 : 3].i);
  }
  if (!max && !adaptive) k.include = o[4].i;
  if (!max && !adaptive && axes == 2) k.divisor = o[5].i;
  p->y = like_input(x, axes, x->size[x->ndim - axes - 1], size);
  p->terms = k.w[0].in * k.w[1].in;
  pool_planes(&k, x, &p->y, false);
}

/* average and average_back: resolved options, sizes of the result given. */
static void plain_average(plain *p, bool back) {
  array *x = &p->x[0];
  const mlpl_value *o = p->c->p;
  const int axes = o[0].sizes.n;
  pooling k = {.include = o[4].i, .divisor = o[5].i};
  p->y = like_input(x, axes, x->size[x->ndim - axes - 1], o[0].sizes.v);
  const array *in = back ? &p->y : x, *out = back ? x : &p->y;
  for (int i = 0; i < 2; i++) {
    int d = axes == 2 ? i : 0;
    k.w[i] = (window){1, 1, 1, 1, 0, 1};
    if (axes == 2 || i == 1)
      k.w[i] = (window){in->size[in->ndim - axes + d], out->size[out->ndim - axes + d],
          o[1].sizes.v[d], o[2].sizes.v[d], o[3].sizes.v[d], 1};
  }
  p->terms = x->n;
  if (back)
    pool_planes(&k, &p->y, x, true);
  else
    pool_planes(&k, x, &p->y, false);
}

static void plain_planes(plain *p, bool scatter) {
  array *x = &p->x[0], *index = &p->x[1];
  const int axes = scatter ? p->c->p[0].sizes.n : (int)p->c->p[0].i;
  int64_t planes = 1;
  for (int d = 0; d < x->ndim - axes; d++) planes *= x->size[d];
  p->y = scatter ? like_input(x, axes, x->size[x->ndim - axes - 1], p->c->p[0].sizes.v)
                 : array_new(index->ndim, index->size);
  p->terms = x->n;
  for (int64_t i = 0; i < index->n; i++) {
    int64_t plane = i / (index->n / planes),
            at = plane * ((scatter ? p->y.n : x->n) / planes) + (int64_t)index->v[i];
    if (scatter)
      p->y.v[at] += x->v[i];
    else
      p->y.v[i] = x->v[at];
  }
}

/* im2col, and col2im back. */
static void plain_patches(plain *p, bool back) {
  array *x = &p->x[0];
  const mlpl_value *o = p->c->p + back;
  int64_t kernel[2], dilation[2], pad[2], stride[2], image[2], n[2], all[MLPL_MAX_RANK];
  const int lead = back ? x->ndim - 1 : x->ndim - 2;
  for (int d = 0; d < 2; d++) {
    kernel[d] = extent_of(&o[0], d, 0), dilation[d] = extent_of(&o[1], d, 1);
    pad[d] = extent_of(&o[2], d, 0), stride[d] = extent_of(&o[3], d, 1);
    image[d] = back ? extent_of(&p->c->p[0], d, 0) : x->size[lead + d];
    n[d] = (image[d] + 2 * pad[d] - dilation[d] * (kernel[d] - 1) - 1) / stride[d] + 1;
  }
  const int64_t taps = kernel[0] * kernel[1];
  memcpy(all, x->size, sizeof all);
  if (back) all[lead - 1] /= taps, all[lead] = image[0], all[lead + 1] = image[1];
  else all[lead - 1] *= taps, all[lead] = n[0] * n[1];
  p->y = array_new(back ? lead + 2 : lead + 1, all);
  p->terms = taps;
  const array *columns = back ? x : &p->y;
  for (int64_t i = 0; i < columns->n; i++) {
    int64_t at = i % (n[0] * n[1]), tap = i / (n[0] * n[1]) % taps,
            plane = i / (n[0] * n[1]) / taps;
    int64_t h = at / n[1] * stride[0] + tap / kernel[1] * dilation[0] - pad[0],
            l = at % n[1] * stride[1] + tap % kernel[1] * dilation[1] - pad[1];
    if (h < 0 || h >= image[0] || l < 0 || l >= image[1]) continue;
    int64_t place = (plane * image[0] + h) * image[1] + l;
    if (back) p->y.v[place] += x->v[i];
    else p->y.v[i] = x->v[place];
  }
}

/* false: the row is none of these */
static bool plain_windows(plain *p, mlpli_op_id id) {
  switch (id) {
    case MLPLI_OP_MATMUL:
    case MLPLI_OP_MM:
    case MLPLI_OP_MV:
    case MLPLI_OP_BMM:
    case MLPLI_OP_DOT: plain_stacks(p); return true;
    case MLPLI_OP_ADDMM:
    case MLPLI_OP_BADDBMM: plain_addmm(p); return true;
    case MLPLI_OP_OUTER: plain_outer(p, false); return true;
    case MLPLI_OP_INNER: plain_outer(p, true); return true;
    case MLPLI_OP_MOVE_AXES: plain_moved_axes(p, false); return true;
    case MLPLI_OP_SPREAD_AXES: plain_moved_axes(p, true); return true;
    case MLPLI_OP_CONV1D: plain_conv(p, 1); return true;
    case MLPLI_OP_CONV2D: plain_conv(p, 2); return true;
    case MLPLI_OP_CONV_TRANSPOSE1D: plain_conv_transpose(p, 1); return true;
    case MLPLI_OP_CONV_TRANSPOSE2D: plain_conv_transpose(p, 2); return true;
    case MLPLI_OP_CONV_RESULT:
    case MLPLI_OP_CONV_INPUT:
    case MLPLI_OP_CONV_WEIGHT: plain_resolved(p, id); return true;
    case MLPLI_OP_MAX_POOL1D: plain_pool(p, 1, true, false); return true;
    case MLPLI_OP_MAX_POOL2D: plain_pool(p, 2, true, false); return true;
    case MLPLI_OP_ADAPTIVE_MAX_POOL1D: plain_pool(p, 1, true, false); return true;
    case MLPLI_OP_ADAPTIVE_MAX_POOL2D: plain_pool(p, 2, true, false); return true;
    case MLPLI_OP_IM2COL: plain_patches(p, false); return true;
    case MLPLI_OP_COL2IM: plain_patches(p, true); return true;
    case MLPLI_OP_AVG_POOL1D:
    case MLPLI_OP_ADAPTIVE_AVG_POOL1D: plain_pool(p, 1, false, false); return true;
    case MLPLI_OP_AVG_POOL2D:
    case MLPLI_OP_ADAPTIVE_AVG_POOL2D: plain_pool(p, 2, false, false); return true;
    case MLPLI_OP_AVERAGE: plain_average(p, false); return true;
    case MLPLI_OP_AVERAGE_BACK: plain_average(p, true); return true;
    case MLPLI_OP_PLANE_SCATTER: plain_planes(p, true); return true;
    case MLPLI_OP_PLANE_GATHER: plain_planes(p, false); return true;
    default: return false;
  }
}

/* Cut into parts and blocks, and among threads. */
static const op_case large_window_cases[] = {
    {"matmul", "40x9x17 40x17x11", ""},
    {"matmul", "3x70x65 65x33", ""},
    {"matmul", "2x150x170 2x170x160", ""},
    {"matmul", "300x2x3t 3x2", ""},
    {"bmm", "500x3x2 500x2x4n", ""},
    {"inner", "20x30x40 50x40", ""},
    {"conv2d", "3x20x30x31 70x20x3x3 70", "padding=1"},
    {"conv2d", "2x130x9x9 20x130x3x3", "padding=same"},
    {"conv2d", "1x3x50x61 13x3x7x7 13", "stride=2 padding=3"},
    {"conv2d", "2x6x40x40n 6x1x3x3 6", "groups=6 padding=1"},
    {"conv2d", "1x2x3x2100 3x2x2x5", ""},
    {"conv1d", "2x3x5000 5x3x9 5", "stride=3"},
    {"conv2d", "3x70x20x20 66x70x1x1 66", ""},
    {"conv_transpose2d", "2x66x14x15 66x20x3x4 20", "stride=2 padding=1"},
    {"conv_weight", "5x20x30x31 5x70x30x31",
        "size=3x3 stride=1x1 padding=1x1 dilation=1x1 groups=1"},
    {"conv_weight", "40x3x20x20 40x6x8x8",
        "size=5x5 stride=2x2 padding=0x0 dilation=1x1 groups=1"},
    {"conv_weight", "2x90x6x6 2x5x6x6",
        "size=3x3 stride=1x1 padding=1x1 dilation=1x1 groups=1"},
    {"conv_input", "2x70x20x21 70x65x3x3",
        "size=41x42 stride=2x2 padding=1x1 dilation=1x1 groups=1"},
    {"avg_pool2d", "4x5x40x41", "kernel_size=3 padding=1 stride=2"},
    {"adaptive_avg_pool2d", "4x5x40x41", "output_size=7"},
    {"im2col", "4x5x40x41", "kernel_size=3 padding=1"},
    {"col2im", "4x45x1640", "output_size=40x41 kernel_size=3 padding=1"},
};

#endif
