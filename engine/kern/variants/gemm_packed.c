/*
** Products on packed operands. One operand is packed once and shared by all tasks; a task
** packs its block of the other one, sized for the second-level cache, and multiplies the
** two tile by tile with BLIS's micro-kernel. A panel of the shared operand stays in the
** first- level cache while the panels of the block stream by, as the kernels were written
** for: the AVX-512 kernels stream their 32 (16) wide panels, which are our B, the AVX2
** ones A.
*/
#include "kern/ukernel.h"
#include "kern/variants/gemm.h"

#if defined __AVX512F__
enum { OWN_IS_B = 1, OWN_MAX = 96 };
#elif defined __AVX2__
enum { OWN_IS_B = 0, OWN_MAX = 96 };
#else
enum { OWN_IS_B = 0, OWN_MAX = 128 };
#endif
enum {
  OWN_WIDTH = OWN_IS_B ? NR : MR,
  SHARED_WIDTH = OWN_IS_B ? MR : NR,
  SHARED_BYTES = 6 << 20, /* packed at a time: a share of the last-level cache */
  K_BLOCKS = 2,           /* passes packed at a time */
  SLACK = MLPLK_UKERNEL_SLACK / sizeof(real),
  TILE_BYTES = 64
};

/* Sizes below are flops: what one task should have, and what is too small for threads. */
#define TASK_FLOPS 4e6
#define SERIAL_FLOPS 1e6
#define MOST_TASKS 16

#ifndef UKERNEL
#define UKERNEL ukernel
/* MR x NR in plain C; the compiler keeps the sums in registers. */
static void ukernel(ptrdiff_t k, const void *alpha, const void *a_panel,
    const void *b_panel, const void *beta, void *c_tile, ptrdiff_t ldc,
    const void *next_a, const void *next_b) {
  const real *a = a_panel, *b = b_panel;
  const real by = *(const real *)alpha, keep = *(const real *)beta;
  vec sum[MR][2];
  (void)next_a;
  (void)next_b;
#pragma GCC unroll 4
  for (int y = 0; y < MR; y++) sum[y][0] = sum[y][1] = (vec){0};
  for (ptrdiff_t l = 0; l < k; l++, a += MR, b += NR) {
    vec b0 = load(b), b1 = load(b + LANES);
#pragma GCC unroll 4
    for (int y = 0; y < MR; y++) {
      sum[y][0] = fma_vec(splat(a[y]), b0, sum[y][0]);
      sum[y][1] = fma_vec(splat(a[y]), b1, sum[y][1]);
    }
  }
#pragma GCC unroll 4
  for (int y = 0; y < MR; y++) {
    real *c = (real *)c_tile + y * ldc;
    vec c0 = sum[y][0] * by, c1 = sum[y][1] * by;
    if (keep != 0) {
      c0 += keep * load(c);
      c1 += keep * load(c + LANES);
    }
    store(c, c0);
    store(c + LANES, c1);
  }
}
#endif

/* ---- one tile ---- */

typedef struct pass {
  const product *p;
  ptrdiff_t k;     /* steps of this pass */
  int first, last; /* of the passes over k */
} pass;

static void scale_tile(real *c, ptrdiff_t ldc, real beta) {
  for (int y = 0; y < MR; y++)
    for (int x = 0; x < NR; x++) c[y * ldc + x] *= beta;
}

/* Bias and activation of h x w elements of C at (i, j), while they are in the cache. */
static void finish_tile(
    const product *p, ptrdiff_t i, ptrdiff_t j, ptrdiff_t h, ptrdiff_t w) {
  for (ptrdiff_t y = i; y < i + h; y++)
    for (ptrdiff_t x = j; x < j + w; x++) {
      real *c = p->c + y * p->rs_c + x * p->cs_c;
      if (p->bias) *c += p->bias[y * p->bias_i + x * p->bias_j];
      if (p->act == MLPLK_ACT_RELU) *c = relu(*c);
    }
}

/* The same for a whole tile whose rows, and whose bias, lie along memory. */
static void finish_whole_tile(const product *p, ptrdiff_t i, ptrdiff_t j) {
  vec bias0 = {0}, bias1 = {0};
  if (p->bias && p->bias_j == 1)
    bias0 = load(p->bias + j), bias1 = load(p->bias + j + LANES);
  for (int y = 0; y < MR; y++) {
    real *c = p->c + (i + y) * p->rs_c + j;
    vec c0 = load(c), c1 = load(c + LANES);
    if (p->bias) {
      vec row = splat(p->bias_j == 1 ? 0 : p->bias[(i + y) * p->bias_i]);
      c0 += p->bias_j == 1 ? bias0 : row;
      c1 += p->bias_j == 1 ? bias1 : row;
    }
    if (p->act == MLPLK_ACT_RELU) c0 = relu_vec(c0), c1 = relu_vec(c1);
    store(c, c0);
    store(c + LANES, c1);
  }
}

/* C += or := a tile of sums, for tiles that overhang C or a C without a unit stride. */
static void merge_tile(
    const pass *s, const real *t, ptrdiff_t i, ptrdiff_t j, ptrdiff_t h, ptrdiff_t w) {
  const product *p = s->p;
  real beta = s->first ? p->beta : 1;
  for (ptrdiff_t y = 0; y < h; y++) {
    real *c = p->c + (i + y) * p->rs_c + j * p->cs_c;
    ptrdiff_t cs = p->cs_c;
    if (cs == 1 && beta == 0)
      for (ptrdiff_t x = 0; x < w; x++) c[x] = t[y * NR + x];
    else if (cs == 1)
      for (ptrdiff_t x = 0; x < w; x++) c[x] = beta * c[x] + t[y * NR + x];
    else if (beta == 0)
      for (ptrdiff_t x = 0; x < w; x++) c[x * cs] = t[y * NR + x];
    else
      for (ptrdiff_t x = 0; x < w; x++) c[x * cs] = beta * c[x * cs] + t[y * NR + x];
  }
}

static void tile(const pass *s, const real *a, const real *b, ptrdiff_t i, ptrdiff_t j,
    const real *next_a, const real *next_b) {
  static const real zero = 0, one = 1;
  const product *p = s->p;
  ptrdiff_t h = least(MR, p->m - i), w = least(NR, p->n - j);
  int whole = h == MR && w == NR && p->cs_c == 1;
  if (whole) {
    real *c = p->c + i * p->rs_c + j;
    int keep = !s->first || p->beta != 0;
    if (s->first && keep && p->beta != 1)
      scale_tile(c, p->rs_c, p->beta); /* as merge_tile rounds, so tiles agree */
    UKERNEL(s->k, &p->alpha, a, b, keep ? &one : &zero, c, p->rs_c, next_a, next_b);
  }
  else {
    real t[MR * NR] __attribute__((aligned(TILE_BYTES)));
    UKERNEL(s->k, &p->alpha, a, b, &zero, t, NR, next_a, next_b);
    merge_tile(s, t, i, j, h, w);
  }
  if (!s->last || !has_epilogue(p)) return;
  if (whole && (!p->bias || p->bias_j == 0 || p->bias_j == 1))
    finish_whole_tile(p, i, j);
  else
    finish_tile(p, i, j, h, w);
}

/* ---- operands as panels ---- */

/* The operand that every task reads (shared) or that a task packs for itself (own). */
typedef struct side {
  const real *from;
  ptrdiff_t n, s, sk; /* extent, strides along it and along k */
  const real *packed; /* the whole operand, or NULL */
} side;

static side side_a(const product *p) {
  return (side){p->a, p->m, p->rs_a, p->cs_a, p->packed_a};
}

static side side_b(const product *p) {
  return (side){p->b, p->n, p->cs_b, p->rs_b, p->packed_b};
}

/* Panels as they lie in memory: panel q of k step l at p + q * stride + l * width. */
typedef struct panels {
  const real *p;
  ptrdiff_t stride;
} panels;

typedef struct job {
  const product *p;
  side shared, own;
  real *shared_buffer, *own_buffers;
  ptrdiff_t own_buffer_size;
  ptrdiff_t kc;             /* steps of k per pass: from k alone */
  ptrdiff_t s_step;         /* of the shared side per packing */
  ptrdiff_t s0, sn, k0, kn; /* what is packed now: range of the shared side and of k */
  ptrdiff_t own_block, shared_block, n_own; /* the grid of tasks */
} job;

static void pack_side(int is_b, real *dst, ptrdiff_t stride, const side *from,
    ptrdiff_t n0, ptrdiff_t n, ptrdiff_t k0, ptrdiff_t k) {
  const real *src = from->from + n0 * from->s + k0 * from->sk;
  if (is_b)
    VARIANT(gemm_pack_columns)(dst, stride, src, from->s, from->sk, n, k);
  else
    VARIANT(gemm_pack_rows)(dst, stride, src, from->s, from->sk, n, k);
}

enum { PACK_PANELS = 4 }; /* panels per packing task */

static void pack_shared(void *arg, ptrdiff_t task, int worker) {
  const job *w = arg;
  ptrdiff_t n0 = task * PACK_PANELS * SHARED_WIDTH;
  ptrdiff_t n = least(PACK_PANELS * SHARED_WIDTH, w->sn - n0);
  (void)worker;
  pack_side(!OWN_IS_B, w->shared_buffer + n0 * w->kn, SHARED_WIDTH * w->kn, &w->shared,
      w->s0 + n0, n, w->k0, w->kn);
}

/* Step l of the packed range; panels start at the shared side's s0. */
static panels shared_panels(const job *w, ptrdiff_t l) {
  const side *s = &w->shared;
  if (s->packed)
    return (panels){
        s->packed + w->s0 * w->p->k + (w->k0 + l) * SHARED_WIDTH, SHARED_WIDTH * w->p->k};
  return (panels){w->shared_buffer + l * SHARED_WIDTH, SHARED_WIDTH * w->kn};
}

static panels own_panels(
    const job *w, ptrdiff_t n0, ptrdiff_t n, ptrdiff_t l, ptrdiff_t k, int worker) {
  const side *s = &w->own;
  if (s->packed)
    return (panels){
        s->packed + n0 * w->p->k + (w->k0 + l) * OWN_WIDTH, OWN_WIDTH * w->p->k};
  real *buffer = w->own_buffers + worker * w->own_buffer_size;
  pack_side(OWN_IS_B, buffer, OWN_WIDTH * k, s, n0, n, w->k0 + l, k);
  return (panels){buffer, OWN_WIDTH * k};
}

/* ---- one task: a block of C over the packed range of k ---- */

static void multiply_panels(const pass *s, panels shared, panels own, ptrdiff_t s0,
    ptrdiff_t sn, ptrdiff_t o0, ptrdiff_t on) {
  ptrdiff_t n_own = parts_of(on, OWN_WIDTH);
  for (ptrdiff_t q = 0; q * SHARED_WIDTH < sn; q++)
    for (ptrdiff_t o = 0; o < n_own; o++) {
      const real *sp = shared.p + q * shared.stride, *op = own.p + o * own.stride;
      int wrap = o + 1 == n_own;
      const real *next_s = wrap ? sp + shared.stride : sp;
      const real *next_o = wrap ? own.p : op + own.stride;
      ptrdiff_t is = s0 + q * SHARED_WIDTH, io = o0 + o * OWN_WIDTH;
      if (OWN_IS_B)
        tile(s, sp, op, is, io, next_s, next_o);
      else
        tile(s, op, sp, io, is, next_o, next_s);
    }
}

static void multiply(void *arg, ptrdiff_t task, int worker) {
  const job *w = arg;
  ptrdiff_t o0 = task % w->n_own * w->own_block, s0 = task / w->n_own * w->shared_block;
  ptrdiff_t on = least(w->own_block, w->own.n - o0),
            sn = least(w->shared_block, w->sn - s0);
  for (ptrdiff_t l = 0; l < w->kn; l += w->kc) {
    pass s = {w->p, least(w->kc, w->kn - l), w->k0 + l == 0, 0};
    s.last = w->k0 + l + s.k == w->p->k;
    panels shared = shared_panels(w, l);
    shared.p += s0 / SHARED_WIDTH * shared.stride;
    panels own = own_panels(w, o0, on, l, s.k, worker);
    multiply_panels(&s, shared, own, w->s0 + s0, sn, o0, on);
  }
}

/* ---- the whole product ---- */

/* The size of a part when n is cut into as few equal parts of at most `max` as
   possible. */
static ptrdiff_t equal_parts(ptrdiff_t n, ptrdiff_t max, ptrdiff_t unit) {
  return round_up(parts_of(n, parts_of(n, max)), unit);
}

/* Tasks for threads: blocks of the own side first, since cutting the shared side packs
   the own side again. */
static void cut(job *w) {
  double flops = 2.0 * (double)w->own.n * (double)w->sn * (double)w->kn;
  ptrdiff_t wanted = least((ptrdiff_t)(flops / TASK_FLOPS), MOST_TASKS);
  ptrdiff_t n_own = least(wanted, w->own.n / (4 * OWN_WIDTH));
  n_own = most(n_own, parts_of(w->own.n, OWN_MAX));
  w->own_block = round_up(parts_of(w->own.n, n_own), OWN_WIDTH);
  w->n_own = parts_of(w->own.n, w->own_block);
  ptrdiff_t n_shared = most(1, least(wanted / w->n_own, w->sn / (8 * SHARED_WIDTH)));
  w->shared_block = round_up(parts_of(w->sn, n_shared), SHARED_WIDTH);
}

static ptrdiff_t aligned(ptrdiff_t n) {
  return round_up(n + SLACK, TILE_BYTES / (ptrdiff_t)sizeof(real));
}

/* Fills all but the buffers; returns the size of the shared one. */
static ptrdiff_t prepare(job *w, const product *p) {
  *w = (job){.p = p};
  w->shared = OWN_IS_B ? side_a(p) : side_b(p);
  w->own = OWN_IS_B ? side_b(p) : side_a(p);
  w->kc = equal_parts(p->k, KC, 8);
  ptrdiff_t own = equal_parts(w->own.n, OWN_MAX, OWN_WIDTH);
  w->own_buffer_size = w->own.packed ? 0 : aligned(own * w->kc);
  ptrdiff_t depth = least(K_BLOCKS * w->kc, p->k);
  ptrdiff_t most_shared = SHARED_BYTES / (depth * (ptrdiff_t)sizeof(real));
  w->s_step = equal_parts(w->shared.n, most_shared, SHARED_WIDTH);
  return w->shared.packed ? 0 : aligned(w->s_step * depth);
}

size_t VARIANT(gemm_packed_scratch)(const product *p, int workers) {
  job w;
  ptrdiff_t shared = prepare(&w, p);
  return (size_t)(shared + workers * w.own_buffer_size) * sizeof(real);
}

/* As above with every size n, kc and s_step as large as they come; or path PANEL's. */
size_t VARIANT(gemm_scratch_most)(ptrdiff_t n, int workers) {
  ptrdiff_t kc = least(round_up(n, 8), KC), depth = least(K_BLOCKS * kc, n);
  ptrdiff_t shared = least(round_up(n, SHARED_WIDTH) * depth,
      SHARED_BYTES / (ptrdiff_t)sizeof(real) + SHARED_WIDTH * depth);
  ptrdiff_t own = aligned(least(round_up(n, OWN_WIDTH), round_up(OWN_MAX, OWN_WIDTH)) * kc);
  return (size_t)(aligned(shared) + workers * most(own, NR * n)) * sizeof(real);
}

void VARIANT(gemm_packed)(const product *p, void *scratch, const mlplk_par *par) {
  job w;
  ptrdiff_t shared = prepare(&w, p);
  w.shared_buffer = scratch;
  w.own_buffers = (real *)scratch + shared;
  if (2.0 * (double)p->m * (double)p->n * (double)p->k < SERIAL_FLOPS)
    par = &mlplk_serial;
  for (w.s0 = 0; w.s0 < w.shared.n; w.s0 += w.s_step) {
    w.sn = least(w.s_step, w.shared.n - w.s0);
    for (w.k0 = 0; w.k0 < p->k; w.k0 += K_BLOCKS * w.kc) {
      w.kn = least(K_BLOCKS * w.kc, p->k - w.k0);
      cut(&w);
      if (!w.shared.packed)
        par->run(par, parts_of(w.sn, PACK_PANELS * SHARED_WIDTH), pack_shared, &w);
      par->run(par, w.n_own * parts_of(w.sn, w.shared_block), multiply, &w);
    }
  }
}
