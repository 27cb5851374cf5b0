/*
** The gradient of a convolution's weight: for every result channel and every tap of every
** source channel one long dot product of the results' gradient with the source, both read
** along memory: the gradient is laid out in rows as far apart as the source's, zeros
** between them.
**
** A task has a block of both sorts of channels and a slice of the parts of all images. Its
** sums go into a place of their own, and the places are added at the end, in order.
*/
#include "kern/variants/conv.h"

enum {
  H = 4, /* result channels of a tile */
#if defined __AVX512F__
  W = 4, /* taps of a tile */
#else
  W = 2,
#endif
  ROWS = 64,          /* result channels of a task: a multiple of H */
  TAPS = 256,         /* rows of the source's block, about */
  TASKS = 16,         /* tasks wanted */
  LONG_ENOUGH = 2048, /* terms of a dot product that hide the sum over lanes */
  MOST_PIECES = 64
};

typedef struct job {
  const mlplk_conv *c;
  plan p;
  ptrdiff_t depth; /* source channels of a task */
  ptrdiff_t row_blocks, depth_blocks, slices;
  ptrdiff_t units;    /* parts of images of a slice */
  ptrdiff_t pieces;   /* laid out at a time */
  ptrdiff_t gradient; /* elements of one laid-out row */
  ptrdiff_t source;   /* of the planes of a block */
  real *partial;      /* slices times the weight */
  char *own;
  size_t own_bytes;
} job;

/* ---- tiles ------------------------------------------------------------------------- */

/* Sums of the lanes of LANES vectors. */
static inline __attribute__((always_inline)) vec lane_sums(vec *r) {
#pragma GCC unroll 4
  for (int n = LANES / 2; n > 0; n /= 2)
#pragma GCC unroll 8
    for (int i = 0; i < n; i++) r[i] = zip_low(r[i], r[i + n]) + zip_high(r[i], r[i + n]);
  return r[0];
}

/* What a tile reads: `pieces` runs of `length` elements, rows of a and of b given by
   address in the first piece. */
typedef struct runs {
  ptrdiff_t pieces, length, next_a, next_b;
} runs;

static inline __attribute__((always_inline)) void tile(
    const int h, const int w, const runs *r, const real **a, const real **b, real *sums) {
  vec sum[H * W > LANES ? H * W : LANES];
  const int whole = (h * w + LANES - 1) / LANES * LANES; /* as lane_sums takes them */
#pragma GCC unroll 16
  for (int i = 0; i < whole; i++) sum[i] = (vec){0};
  for (ptrdiff_t piece = 0; piece < r->pieces; piece++)
    for (ptrdiff_t x = 0; x < r->length; x += LANES) {
      vec at[H];
#pragma GCC unroll 4
      for (int i = 0; i < h; i++) at[i] = load(a[i] + piece * r->next_a + x);
#pragma GCC unroll 16
      for (int j = 0; j < w; j++) {
        vec bt = load(b[j] + piece * r->next_b + x);
#pragma GCC unroll 4
        for (int i = 0; i < h; i++) sum[i * w + j] = fma_vec(at[i], bt, sum[i * w + j]);
      }
    }
#pragma GCC unroll 16
  for (int i = 0; i < whole; i += LANES) store(sums + i, lane_sums(sum + i));
}

/* to[i * s + k] += tile of up to h rows and w taps; what a tile has too many of are
   repeated, and dropped. */
static inline __attribute__((always_inline)) void add_tile(const int h, const int w,
    const runs *r, const real *a, ptrdiff_t next_row, ptrdiff_t n_rows, const real *b,
    const ptrdiff_t *offset, ptrdiff_t n_taps, real *to, ptrdiff_t s) {
  const real *pa[H], *pb[LANES > 4 ? LANES : 4];
  real sums[LANES > H * W ? LANES : H * W];
  for (int i = 0; i < h; i++) pa[i] = a + conv_least(i, n_rows - 1) * next_row;
  for (int j = 0; j < w; j++) pb[j] = b + offset[conv_least(j, n_taps - 1)];
  tile(h, w, r, pa, pb, sums);
  for (int i = 0; i < h && i < n_rows; i++)
    for (int j = 0; j < w && j < n_taps; j++) to[i * s + j] += sums[i * w + j];
}

static void add_four_rows(const runs *r, const real *a, ptrdiff_t next_row,
    ptrdiff_t n_rows, const real *b, const ptrdiff_t *offset, ptrdiff_t n, real *to,
    ptrdiff_t s) {
  for (ptrdiff_t k = 0; k < n; k += W)
    add_tile(H, W, r, a, next_row, n_rows, b, offset + k, n - k, to + k, s);
}

enum { QUARTER = LANES < 4 ? 1 : LANES / 4 };

static void add_one_row(const runs *r, const real *a, const real *b,
    const ptrdiff_t *offset, ptrdiff_t n, real *to) {
  for (; n > 0; n -= 4 * QUARTER, offset += 4 * QUARTER, to += 4 * QUARTER)
    switch (conv_parts(n, QUARTER)) { /* as wide as needed */
      case 1: add_tile(1, QUARTER, r, a, 0, 1, b, offset, n, to, 0); break;
      case 2: add_tile(1, 2 * QUARTER, r, a, 0, 1, b, offset, n, to, 0); break;
      case 3: add_tile(1, 3 * QUARTER, r, a, 0, 1, b, offset, n, to, 0); break;
      default: add_tile(1, 4 * QUARTER, r, a, 0, 1, b, offset, n, to, 0); break;
    }
}

/* ---- one task ---------------------------------------------------------------------- */

/* n_r rows of n_q, `s` apart, to rows width apart with zeros between; `n` elements in
   all. */
static void lay_gradient(
    const part *t, const real *y, ptrdiff_t s, real *to, ptrdiff_t n) {
  ptrdiff_t at = 0;
  for (ptrdiff_t r = 0; r < t->n_r; r++, y += s) {
    ptrdiff_t end = r + 1 < t->n_r ? (r + 1) * t->width : n;
    conv_copy(to + at, y, t->n_q);
    conv_zero(to + at + t->n_q, end - at - t->n_q);
    at = end;
  }
}

typedef struct block {
  ptrdiff_t group, row, rows, channel, channels;
} block;

/* Lay out part `at` of one image; piece tells where. */
static void lay_piece(const job *j, const block *k, ptrdiff_t image, const part *t,
    ptrdiff_t piece, real *gradient, real *source) {
  const mlplk_conv *c = j->c;
  ptrdiff_t plane = c->y[0] * c->y[1], length = conv_up(t->length, LANES);
  const real *y = (const real *)c->py +
      ((image * c->groups + k->group) * c->m + k->row) * plane + t->r * c->y[1] + t->q;
  const real *x = (const real *)c->px +
      ((image * c->groups + k->group) * c->c + k->channel) * c->x[0] * c->x[1];
  gradient += piece * ROWS * j->gradient;
  for (ptrdiff_t i = 0; i < k->rows; i++)
    lay_gradient(t, y + i * plane, c->y[1], gradient + i * j->gradient, length);
  VARIANT(conv_lay_out)
  (&j->p, t, k->channels, x, c->x[0] * c->x[1], source + piece * j->source);
}

static void add_pieces(const job *j, const block *k, const part *t, ptrdiff_t pieces,
    const real *gradient, const real *source, const ptrdiff_t *offset, real *to) {
  runs r = {pieces, conv_up(t->length, LANES), ROWS * j->gradient, j->source};
  ptrdiff_t n = k->channels * j->p.taps, s = j->c->c * j->p.taps;
  for (ptrdiff_t i = 0; i < k->rows; i += H)
    if (k->rows - i > 1)
      add_four_rows(&r, gradient + i * j->gradient, j->gradient, k->rows - i, source,
          offset, n, to + i * s, s);
    else
      add_one_row(&r, gradient + i * j->gradient, source, offset, n, to + i * s);
}

static size_t offsets_bytes(const job *j) {
  return ((size_t)(j->depth * j->p.taps) * sizeof(ptrdiff_t) + 63) / 64 * 64;
}

static void run_task(void *arg, ptrdiff_t task, int worker) {
  const job *j = arg;
  const mlplk_conv *c = j->c;
  ptrdiff_t slice = task % j->slices, rest = task / j->slices;
  block k = {.channel = rest % j->depth_blocks * j->depth};
  rest /= j->depth_blocks;
  k.row = rest % j->row_blocks * ROWS;
  k.group = rest / j->row_blocks;
  k.channels = conv_least(j->depth, c->c - k.channel);
  k.rows = conv_least(ROWS, c->m - k.row);
  char *own = j->own + (size_t)worker * j->own_bytes;
  ptrdiff_t *offset = (ptrdiff_t *)(void *)own;
  real *gradient = (real *)(void *)(own + offsets_bytes(j)),
       *source = gradient + j->pieces * ROWS * j->gradient;
  ptrdiff_t row = c->c * j->p.taps, parts = j->p.parts_r * j->p.parts_q;
  real *to = j->partial + slice * c->groups * c->m * row +
      (k.group * c->m + k.row) * row + k.channel * j->p.taps;
  for (ptrdiff_t i = 0; i < k.rows; i++)
    memset(to + i * row, 0, (size_t)(k.channels * j->p.taps) * sizeof *to);
  ptrdiff_t first = slice * j->units, end = conv_least(first + j->units, parts * c->n), n;
  part t = {0};
  for (ptrdiff_t unit = first; unit < end; unit += n) { /* image by image of each part */
    ptrdiff_t image = unit % c->n, width = t.width, plane = t.plane;
    n = conv_least(conv_least(j->pieces, end - unit), c->n - image);
    t = VARIANT(conv_part)(&j->p, unit / c->n);
    if (t.width != width || t.plane != plane)
      VARIANT(conv_offsets)(&j->p, &t, k.channels, offset);
    for (ptrdiff_t piece = 0; piece < n; piece++)
      lay_piece(j, &k, image + piece, &t, piece, gradient, source);
    add_pieces(j, &k, &t, n, gradient, source, offset, to);
  }
}

/* ---- the whole --------------------------------------------------------------------- */

static ptrdiff_t weight_size(const mlplk_conv *c) {
  return c->groups * c->m * c->c * c->k[0] * c->k[1];
}

static job job_of(const mlplk_conv *c) {
  job j = {.c = c, .p = VARIANT(conv_plan_y)(c)};
  const plan *p = &j.p;
  j.depth = conv_least(conv_most(1, c->c), conv_most(1, TAPS / p->taps));
  j.depth_blocks = conv_parts(c->c, j.depth);
  j.row_blocks = conv_parts(c->m, ROWS);
  ptrdiff_t blocks = conv_most(1, c->groups * j.row_blocks * j.depth_blocks);
  ptrdiff_t units = conv_most(1, c->n * p->parts_r * p->parts_q);
  j.units = conv_parts(units, conv_least(units, conv_parts(TASKS, blocks)));
  j.slices = conv_parts(units, j.units);
  j.gradient = conv_lines(p->most_length);
  j.source = conv_lines(j.depth * conv_planes(p) * p->most_plane);
  j.pieces = conv_least(conv_least(j.units, c->n),
      LONG_ENOUGH / conv_most(LONG_ENOUGH / MOST_PIECES, p->most_length));
  j.pieces = conv_most(1, j.pieces);
  j.own_bytes = offsets_bytes(&j) +
      (size_t)(j.pieces * (ROWS * j.gradient + j.source)) * sizeof(real);
  return j;
}

size_t VARIANT(conv_weight_scratch)(const mlplk_conv *c, int workers) {
  job j = job_of(c);
  return (size_t)conv_lines(j.slices * weight_size(c)) * sizeof(real) +
      (size_t)workers * j.own_bytes;
}

enum { SUMMED = 4096 }; /* elements of the weight that a task adds up */

static void add_slices(void *arg, ptrdiff_t task, int worker) {
  const job *j = arg;
  ptrdiff_t size = weight_size(j->c), first = task * SUMMED,
            end = conv_least(first + SUMMED, size);
  real *to = j->c->pw;
  (void)worker;
  for (ptrdiff_t s = 1; s < j->slices; s++)
    for (ptrdiff_t i = first; i < end; i++) j->partial[i] += j->partial[s * size + i];
  memcpy(to + first, j->partial + first, (size_t)(end - first) * sizeof *to);
}

void VARIANT(conv_weight)(const mlplk_conv *c, void *scratch, const mlplk_par *par) {
  job j = job_of(c);
  ptrdiff_t size = weight_size(c);
  if (size == 0) return;
  if (c->n == 0 || j.p.most_length == 0 || c->x[0] == 0 || c->x[1] == 0) {
    memset(c->pw, 0, (size_t)size * sizeof(real));
    return;
  }
  j.partial = scratch;
  j.own = (char *)scratch + (size_t)conv_lines(j.slices * size) * sizeof(real);
  par->run(par, c->groups * j.row_blocks * j.depth_blocks * j.slices, run_task, &j);
  par->run(par, conv_parts(size, SUMMED), add_slices, &j);
}
