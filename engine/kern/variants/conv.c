/*
** Convolutions: results from input and weight, and the input's gradient from results and
** weight, which is the same correlation with the roles of channels exchanged, once for
** each remainder of the stride.
**
** A task computes up to BLOCK channels of one part of one image. It lays out a block of
** the source's channels, multiplies, and goes on with the next block; so every result is
** added up in the order of the weight's elements, in blocks that depend on sizes alone.
*/
#include "kern/variants/conv.h"

#if defined __AVX512F__
enum { TOP = 12 };
#elif defined __AVX2__
enum { TOP = 6 };
#else
enum { TOP = 4 };
#endif
#define SERIAL_WORK 1e6 /* flops: less is not worth waking a thread */
/* Result channels of a task: whole panels of every height. More where tasks are enough all
   the same, since each lays out the source anew. */
enum { BLOCK = 64, MOST_BLOCK = 256, TASKS = 16 };
enum { MOST_SUMS = 1 << 16 }; /* elements of a task's sums, about */
enum { WIDE = 8 };            /* vectors of a row of results that is alone */

typedef struct job {
  const mlplk_conv *c;
  plan p;
  ptrdiff_t rows, depth; /* result and source channels of a group */
  const real *source, *weight;
  ptrdiff_t w_row, w_depth; /* strides of the weight for those two */
  real *out;
  const ptrdiff_t *size; /* rows and columns of the results */
  real *packed;          /* the weight of all groups */
  char *own;             /* scratch of the workers */
  size_t own_bytes;
  ptrdiff_t block, row_blocks; /* rows of a task */
} job;

/* ---- the weight in panels ---------------------------------------------------------- */

/* Rows of the panel that begins with so many left. */
static ptrdiff_t height(ptrdiff_t left) {
  if (TOP == 12 && (left == 16 || (left >= 8 && left < 12))) return 8;
  return left >= TOP ? TOP : left >= 4 ? 4 : left >= 2 ? 2 : 1;
}

static void pack_panel(
    const job *j, const real *w, ptrdiff_t h, ptrdiff_t depth, real *to) {
  const along *r = &j->p.a[0], *q = &j->p.a[1];
  for (ptrdiff_t d = 0; d < depth; d++)
    for (ptrdiff_t a = 0; a < r->taps; a++)
      for (ptrdiff_t b = 0; b < q->taps; b++, to += h) {
        const real *at = w + d * j->w_depth + (r->k_first + a * r->k_by) * j->c->k[1] +
            q->k_first + b * q->k_by;
        for (ptrdiff_t i = 0; i < h; i++) to[i] = at[i * j->w_row];
      }
}

/* Block of source channels from d on, of one block of rows from i on: panels one after
   the other. */
static real *packed_at(const job *j, ptrdiff_t group, ptrdiff_t i, ptrdiff_t d) {
  ptrdiff_t depth = conv_least(j->p.channels, j->depth - d);
  return j->packed + (group * j->rows * j->depth + d * j->rows + i * depth) * j->p.taps;
}

/* One block of rows of one group. */
static void pack(void *arg, ptrdiff_t task, int worker) {
  const job *j = arg;
  ptrdiff_t group = task / j->row_blocks, first = task % j->row_blocks * j->block;
  ptrdiff_t end = conv_least(first + j->block, j->rows);
  /* [group m x c x k]: of a group's rows and depth, one is the outer axis */
  const real *w = j->weight + group * j->c->m * j->c->c * j->c->k[0] * j->c->k[1];
  (void)worker;
  for (ptrdiff_t d = 0; d < j->depth; d += j->p.channels) {
    ptrdiff_t depth = conv_least(j->p.channels, j->depth - d), h;
    for (ptrdiff_t i = first; i < end; i += h) {
      h = height(end - i);
      pack_panel(
          j, w + i * j->w_row + d * j->w_depth, h, depth, packed_at(j, group, i, d));
    }
  }
}

/* ---- one tile: rows x CONV_NR results ---------------------------------------------- */

static inline __attribute__((always_inline)) void tile(const int rows, ptrdiff_t k,
    const real *a, const real *b, const ptrdiff_t *offset, real *c, ptrdiff_t ldc,
    int begins) {
  vec sum[TOP][2];
#pragma GCC unroll 12
  for (int y = 0; y < rows; y++) {
    sum[y][0] = begins ? (vec){0} : load(c + y * ldc);
    sum[y][1] = begins ? (vec){0} : load(c + y * ldc + LANES);
  }
  for (ptrdiff_t l = 0; l < k; l++, a += rows) {
    vec b0 = load(b + offset[l]), b1 = load(b + offset[l] + LANES);
#pragma GCC unroll 12
    for (int y = 0; y < rows; y++) {
      vec by = splat(a[y]);
      sum[y][0] = fma_vec(by, b0, sum[y][0]);
      sum[y][1] = fma_vec(by, b1, sum[y][1]);
    }
  }
#pragma GCC unroll 12
  for (int y = 0; y < rows; y++) {
    store(c + y * ldc, sum[y][0]);
    store(c + y * ldc + LANES, sum[y][1]);
  }
}

/* One row alone waits for its sums; WIDE of them at a time hide that. */
static void wide_tile(ptrdiff_t k, const real *a, const real *b, const ptrdiff_t *offset,
    real *c, int begins) {
  vec sum[WIDE];
#pragma GCC unroll 8
  for (int x = 0; x < WIDE; x++) sum[x] = begins ? (vec){0} : load(c + x * LANES);
  for (ptrdiff_t l = 0; l < k; l++) {
    const vec by = splat(a[l]);
    const real *at = b + offset[l];
#pragma GCC unroll 8
    for (int x = 0; x < WIDE; x++) sum[x] = fma_vec(by, load(at + x * LANES), sum[x]);
  }
#pragma GCC unroll 8
  for (int x = 0; x < WIDE; x++) store(c + x * LANES, sum[x]);
}

static void any_tile(ptrdiff_t rows, ptrdiff_t k, const real *a, const real *b,
    const ptrdiff_t *offset, real *c, ptrdiff_t ldc, int begins) {
  switch (rows) {
    case 1: tile(1, k, a, b, offset, c, ldc, begins); break;
    case 2: tile(2, k, a, b, offset, c, ldc, begins); break;
    case 4: tile(4, k, a, b, offset, c, ldc, begins); break;
#if defined __AVX512F__
    case 8: tile(8, k, a, b, offset, c, ldc, begins); break;
#endif
    default: tile(TOP, k, a, b, offset, c, ldc, begins); break;
  }
}

/* ---- one task ---------------------------------------------------------------------- */

static inline void add_row(real *to, const real *sum, ptrdiff_t n, real add) {
  vec v = splat(add);
  for (; n >= LANES; n -= LANES, to += LANES, sum += LANES) store(to, load(sum) + v);
  if (n > 0) store_first(to, first(n), load_first(sum, first(n)) + v);
}

/* Sums to results: without the columns between rows, with the bias. */
static void write_out(
    const job *j, const part *t, const real *sum, ptrdiff_t channel, ptrdiff_t image) {
  const along *r = &j->p.a[0], *q = &j->p.a[1];
  const ptrdiff_t width = j->size[1];
  const real *bias = j->c->bias;
  const real add = bias ? bias[channel * j->c->bias_stride] : 0;
  real *plane = j->out + (image * j->c->groups * j->rows + channel) * j->size[0] * width;
  for (ptrdiff_t y = 0; y < t->n_r; y++, sum += t->width) {
    real *to = plane + (r->out_first + (t->r + y) * r->out_by) * width + q->out_first +
        t->q * q->out_by;
    if (q->out_by != 1)
      for (ptrdiff_t x = 0; x < t->n_q; x++) to[x * q->out_by] = sum[x] + add;
    else
      add_row(to, sum, t->n_q, add);
  }
}

/* Scratch of one worker: offsets, planes, sums. */
static size_t offsets_bytes(const plan *p) {
  return 64 + ((size_t)(p->channels * p->taps) * sizeof(ptrdiff_t) + 63) / 64 * 64;
}

static ptrdiff_t planes_size(const plan *p) {
  return conv_lines(p->channels * conv_planes(p) * p->most_plane);
}

static size_t own_bytes(const plan *p, ptrdiff_t block) {
  ptrdiff_t sums = conv_lines(block * p->most_length);
  return offsets_bytes(p) + (size_t)(planes_size(p) + sums) * sizeof(real);
}

/* Rows of a task, all blocks alike. */
static ptrdiff_t block_of(const mlplk_conv *c, const plan *p, ptrdiff_t rows) {
  ptrdiff_t others = c->n * c->groups * p->parts_r * p->parts_q, block = BLOCK;
  while (block < MOST_BLOCK && block < rows && block * p->most_length < MOST_SUMS &&
      others * conv_parts(rows, 2 * block) >= TASKS)
    block *= 2;
  return conv_least(block, rows);
}

/* Offsets are the same for parts of the same width and plane: what those of this worker
   are for stands before them. */
enum { FOR_WIDTH, FOR_PLANE, HEAD = 64 / sizeof(ptrdiff_t) };

static const ptrdiff_t *offsets(const job *j, const part *t, char *own) {
  ptrdiff_t *head = (ptrdiff_t *)(void *)own;
  if (head[FOR_WIDTH] != t->width || head[FOR_PLANE] != t->plane) {
    VARIANT(conv_offsets)
    (&j->p, t, conv_least(j->p.channels, j->depth), head + HEAD);
    head[FOR_WIDTH] = t->width, head[FOR_PLANE] = t->plane;
  }
  return head + HEAD;
}

static void multiply(const job *j, const part *t, ptrdiff_t group, ptrdiff_t first,
    ptrdiff_t end, ptrdiff_t d, const real *planes, const ptrdiff_t *offset, real *sums) {
  ptrdiff_t k = conv_least(j->p.channels, j->depth - d) * j->p.taps, h;
  const real *weight = packed_at(j, group, first, d);
  ptrdiff_t x = 0, length = conv_up(t->length, CONV_NR);
  if (end - first == 1)
    for (; length - x >= WIDE * LANES; x += WIDE * LANES)
      wide_tile(k, weight, planes + x, offset, sums + x, d == 0);
  for (; x < length; x += CONV_NR)
    for (ptrdiff_t i = first; i < end; i += h) {
      h = height(end - i);
      any_tile(h, k, weight + (i - first) * k, planes + x, offset,
          sums + (i - first) * j->p.most_length + x, j->p.most_length, d == 0);
    }
}

static void run_task(void *arg, ptrdiff_t task, int worker) {
  const job *j = arg;
  const plan *p = &j->p;
  ptrdiff_t n_parts = p->parts_r * p->parts_q, part_at = task % n_parts;
  ptrdiff_t first = task / n_parts % j->row_blocks * j->block;
  ptrdiff_t image = task / n_parts / j->row_blocks, group = image % j->c->groups;
  image /= j->c->groups;
  ptrdiff_t end = conv_least(first + j->block, j->rows),
            channels = j->c->groups * j->depth;
  ptrdiff_t size = p->a[0].source * p->a[1].source;
  char *own = j->own + (size_t)worker * j->own_bytes;
  real *planes = (real *)(void *)(own + offsets_bytes(p)),
       *sums = planes + planes_size(p);
  part t = VARIANT(conv_part)(p, part_at);
  const ptrdiff_t *offset = offsets(j, &t, own);
  for (ptrdiff_t d = 0; d < j->depth; d += p->channels) {
    VARIANT(conv_lay_out)
    (p, &t, conv_least(p->channels, j->depth - d),
        j->source + (image * channels + group * j->depth + d) * size, size, planes);
    multiply(j, &t, group, first, end, d, planes, offset, sums);
  }
  for (ptrdiff_t i = first; i < end; i++)
    write_out(j, &t, sums + (i - first) * p->most_length, group * j->rows + i, image);
}

/* ---- the whole --------------------------------------------------------------------- */

static job job_of(const mlplk_conv *c, mlplk_conv_kind kind) {
  ptrdiff_t taps = c->k[0] * c->k[1];
  job j = {.c = c, .weight = c->pw};
  if (kind == MLPLK_CONV_Y) {
    j.rows = c->m, j.depth = c->c;
    j.source = c->px, j.out = c->py, j.size = c->y;
    j.w_row = c->c * taps, j.w_depth = taps;
  }
  else {
    j.rows = c->c, j.depth = c->m;
    j.source = c->py, j.out = c->px, j.size = c->x;
    j.w_row = taps, j.w_depth = c->c * taps;
  }
  return j;
}

static ptrdiff_t packed_size(const mlplk_conv *c) {
  return conv_lines(c->groups * c->m * c->c * c->k[0] * c->k[1]);
}

/* Nothing reaches these results: no channels, or no tap for this remainder. */
static void write_bias(const job *j) {
  const along *r = &j->p.a[0], *q = &j->p.a[1];
  ptrdiff_t channels = j->c->groups * j->rows;
  const real *bias = j->c->bias;
  for (ptrdiff_t i = 0; i < j->c->n * channels; i++)
    for (ptrdiff_t y = 0; y < r->results; y++)
      for (ptrdiff_t x = 0; x < q->results; x++)
        j->out[(i * j->size[0] + r->out_first + y * r->out_by) * j->size[1] +
            q->out_first + x * q->out_by] = bias ? bias[i % channels * j->c->bias_stride]
                                                 : 0;
}

static void run(job *j, void *scratch, const mlplk_par *par) {
  const mlplk_conv *c = j->c;
  if (j->p.a[0].results == 0 || j->p.a[1].results == 0 || j->rows == 0) return;
  if (j->depth == 0 || j->p.taps == 0 || j->p.a[0].source == 0 || j->p.a[1].source == 0) {
    write_bias(j);
    return;
  }
  j->packed = scratch;
  j->own = (char *)scratch + (size_t)packed_size(c) * sizeof(real);
  j->block = block_of(c, &j->p, j->rows);
  j->row_blocks = conv_parts(j->rows, j->block);
  j->own_bytes = own_bytes(&j->p, j->block);
  for (int i = 0; i < par->workers; i++)
    memset(j->own + (size_t)i * j->own_bytes, 0, HEAD * sizeof(ptrdiff_t));
  par->run(par, c->groups * j->row_blocks, pack, j);
  par->run(
      par, c->n * c->groups * j->row_blocks * j->p.parts_r * j->p.parts_q, run_task, j);
}

size_t VARIANT(conv_scratch)(mlplk_conv_kind kind, const mlplk_conv *c, int workers) {
  if (kind == MLPLK_CONV_W) return VARIANT(conv_weight_scratch)(c, workers);
  size_t most = 0;
  job j = job_of(c, kind);
  ptrdiff_t none[2] = {1, 1}, phase[2];
  const ptrdiff_t *phases = kind == MLPLK_CONV_Y ? none : c->stride;
  for (phase[0] = 0; phase[0] < conv_least(phases[0], conv_most(1, c->x[0])); phase[0]++)
    for (phase[1] = 0; phase[1] < conv_least(phases[1], conv_most(1, c->x[1]));
         phase[1]++) {
      plan p = kind == MLPLK_CONV_Y ? VARIANT(conv_plan_y)(c)
                                    : VARIANT(conv_plan_x)(c, phase);
      size_t bytes = own_bytes(&p, block_of(c, &p, j.rows));
      if (bytes > most) most = bytes;
    }
  return (size_t)packed_size(c) * sizeof(real) + (size_t)workers * most;
}

void VARIANT(conv)(
    mlplk_conv_kind kind, const mlplk_conv *c, void *scratch, const mlplk_par *par) {
  double work = 2.0 * (double)(c->n * c->groups * c->m * c->c) *
      (double)(c->k[0] * c->k[1]) * (double)(c->y[0] * c->y[1]);
  if (work < SERIAL_WORK) par = &mlplk_serial;
  if (kind == MLPLK_CONV_W) {
    VARIANT(conv_weight)(c, scratch, par);
    return;
  }
  job j = job_of(c, kind);
  ptrdiff_t phase[2];
  if (c->n == 0) return;
  if (kind == MLPLK_CONV_Y) {
    j.p = VARIANT(conv_plan_y)(c);
    run(&j, scratch, par);
    return;
  }
  for (phase[0] = 0; phase[0] < conv_least(c->stride[0], c->x[0]); phase[0]++)
    for (phase[1] = 0; phase[1] < conv_least(c->stride[1], c->x[1]); phase[1]++) {
      j.p = VARIANT(conv_plan_x)(c, phase);
      run(&j, scratch, par);
    }
}
