/* Matrix product: orientation, choice of path, and the functions of the table. */
#if !defined __clang__ /* products of a few numbers are a few instructions */
#pragma GCC optimize("O3")
#endif
#include "kern/ukernel.h"
#include "kern/variants/gemm.h"

typedef enum path { NOTHING, OUTER, PANEL, DOT, PACKED } path;

enum { STACK_MAX = 4096 }; /* elements of a panel that path PANEL packs on the stack */

/* In flops; an element of an operand counts for as many as fit in the time it takes to
   come from memory. Less than SERIAL_WORK is not worth waking a thread. */
#define SERIAL_WORK 1e6
#define TASK_WORK 1e6
#define WORK_PER_ELEMENT 4
enum { MOST_TASKS = 16, DOT_ROWS = LANES == 16 ? 32 : 8 };

/* ---- products of a few numbers, where finding a path takes longer ---- */

enum { TINY = 64 };

static inline int is_tiny(const mlplk_gemm *g) {
  return g->m <= TINY && g->n <= TINY && g->k <= TINY && g->k > 0 &&
      g->m * g->n * g->k <= TINY && !g->packed_a && !g->packed_b;
}

/* B and C with rows along memory, n <= LANES: a row of C at a time. */
static __attribute__((noinline)) void tiny_rows(
    const mlplk_gemm *g, const real alpha, const real beta) {
  const ptrdiff_t k = g->k, cs_a = g->cs_a, rs_b = g->rs_b;
  const int act = g->act;
  const mask in = first(g->n);
  const vec bias = g->bias ? load_first(g->bias, in) : (vec){0};
  for (ptrdiff_t i = 0; i < g->m; i++) {
    const real *a = (const real *)g->a + i * g->rs_a, *b = g->b;
    real *c = (real *)g->c + i * g->rs_c;
    vec sum = {0};
    for (ptrdiff_t l = 0; l < k; l++, a += cs_a, b += rs_b)
      sum = fma_vec(splat(*a), load_first(b, in), sum);
    sum *= alpha;
    if (beta != 0) sum += beta * load_first(c, in);
    if (g->bias) sum += bias;
    if (act == MLPLK_ACT_RELU) sum = relu_vec(sum);
    store_first(c, in, sum);
  }
}

/* Any strides: an element of C at a time. k is a constant where it is small. */
static inline __attribute__((always_inline)) void tiny_elements(
    const mlplk_gemm *g, const real alpha, const real beta, const ptrdiff_t k) {
  const ptrdiff_t cs_a = g->cs_a, rs_b = g->rs_b, cs_b = g->cs_b, cs_c = g->cs_c;
  const int act = g->act;
  for (ptrdiff_t i = 0; i < g->m; i++) {
    const real *a = (const real *)g->a + i * g->rs_a, *b = g->b, *bias = g->bias;
    real *c = (real *)g->c + i * g->rs_c;
    for (ptrdiff_t j = g->n; j > 0; j--, b += cs_b, c += cs_c) {
      real sum = 0;
      const real *at_a = a, *at_b = b;
      for (ptrdiff_t l = 0; l < k; l++, at_a += cs_a, at_b += rs_b)
        sum = madd(*at_a, *at_b, sum);
      sum *= alpha;
      if (beta != 0) sum += beta * *c;
      if (bias) sum += *bias, bias += g->bias_stride;
      *c = act == MLPLK_ACT_RELU ? relu(sum) : sum;
    }
  }
}

#define TINY_ELEMENTS(name, k)                                                           \
  static __attribute__((noinline)) void name(                                            \
      const mlplk_gemm *g, const real alpha, const real beta) {                          \
    tiny_elements(g, alpha, beta, k);                                                    \
  }
TINY_ELEMENTS(tiny_elements_1, 1)
TINY_ELEMENTS(tiny_elements_2, 2)
TINY_ELEMENTS(tiny_elements_4, 4)
TINY_ELEMENTS(tiny_elements_8, 8)
TINY_ELEMENTS(tiny_elements_k, g->k)

static void run_tiny(const mlplk_gemm *g) {
  const real alpha = (real)g->alpha, beta = (real)g->beta;
  if (g->n <= LANES && g->cs_b == 1 && g->cs_c == 1 && (!g->bias || g->bias_stride == 1))
    tiny_rows(g, alpha, beta);
  else if (g->k == 1)
    tiny_elements_1(g, alpha, beta);
  else if (g->k == 2)
    tiny_elements_2(g, alpha, beta);
  else if (g->k == 4)
    tiny_elements_4(g, alpha, beta);
  else if (g->k == 8)
    tiny_elements_8(g, alpha, beta);
  else
    tiny_elements_k(g, alpha, beta);
}

/* ---- orientation ---- */

static product as_given(const mlplk_gemm *g) {
  return (product){
      .m = g->m,
      .n = g->n,
      .k = g->k,
      .alpha = g->k > 0 ? (real)g->alpha : 0, /* an empty sum is 0, also times infinity */
      .beta = (real)g->beta,
      .a = g->a,
      .rs_a = g->rs_a,
      .cs_a = g->cs_a,
      .b = g->b,
      .rs_b = g->rs_b,
      .cs_b = g->cs_b,
      .c = g->c,
      .rs_c = g->rs_c,
      .cs_c = g->cs_c,
      .packed_a = g->packed_a,
      .packed_b = g->packed_b,
      .bias = g->bias,
      .bias_i = 0,
      .bias_j = g->bias_stride,
      .act = g->act,
  };
}

/* C^T = B^T A^T */
static product transposed(const product *p) {
  product t = *p;
  t.m = p->n, t.n = p->m;
  t.a = p->b, t.rs_a = p->cs_b, t.cs_a = p->rs_b;
  t.b = p->a, t.rs_b = p->cs_a, t.cs_b = p->rs_a;
  t.rs_c = p->cs_c, t.cs_c = p->rs_c;
  t.bias_i = p->bias_j, t.bias_j = p->bias_i;
  return t;
}

/* Rows of C along memory, and a single column as a single row; packed operands stay. */
static product oriented(const mlplk_gemm *g) {
  product p = as_given(g);
  if (!p.packed_a && !p.packed_b &&
      (p.n == 1 || (p.rs_c == 1 && p.cs_c != 1 && p.m != 1)))
    p = transposed(&p);
  /* strides over a single element do not matter, but 1 opens the faster paths */
  if (p.n == 1) p.cs_b = p.cs_c = 1;
  if (p.k == 1) p.cs_a = 1;
  return p;
}

/* ---- choice of path: from sizes and strides only ---- */

/* Rows of B a multiple of 1 KB apart share few places in the caches; a column of many,
   read in place for many rows of A, would not stay there. */
static int crowded(const product *p) {
  return p->m > 16 && p->k > 128 && p->rs_b * (ptrdiff_t)sizeof(real) % 1024 == 0;
}

/* Adding up the lanes costs as much as some 100 steps of k; packing B, as a few rows of
   A, of which AVX-512 has the registers to hold more. */
static int dot_pays(const product *p) {
  if (p->m <= 2 || p->n <= 2) return 1;
  return p->k >= 128 && (p->m <= DOT_ROWS || p->n <= 16);
}

static path path_of(const product *p) {
  if (p->m == 0 || p->n == 0) return NOTHING;
  if (p->k == 0) return OUTER;
  if (p->packed_a || p->packed_b)
    return p->packed_b && !p->packed_a && p->m <= 8 ? OUTER : PACKED;
  double work = (double)p->m * (double)p->n * (double)p->k;
  int small = work <= 64 * 64 * 64;
  if (p->cs_b == 1 && (small || ((p->m <= 128 || p->k <= 128) && !crowded(p))))
    return OUTER;
  if (p->cs_a == 1 && p->rs_b == 1 && dot_pays(p)) return DOT;
  return p->k <= 1024 && (small || p->m <= 96) ? PANEL : PACKED;
}

/* ---- paths that read A in place ---- */

typedef struct split split;
typedef void run_area(const split *s, area where, int worker);

struct split {
  const product *p;
  run_area *run;
  real *panels; /* path PANEL: one panel of B for each worker, or NULL */
  ptrdiff_t rows, columns, n_columns; /* of a task; tasks side by side */
};

static void run_outer(const split *s, area where, int worker) {
  (void)worker;
  VARIANT(gemm_outer)(s->p, where);
}

static void run_dot(const split *s, area where, int worker) {
  (void)worker;
  VARIANT(gemm_dot)(s->p, where);
}

/* Packs one panel of B at a time and multiplies it with all rows. */
static void run_panel_in(const product *p, area where, real *panel) {
  for (ptrdiff_t x = 0; x < where.n; x += NR) {
    product q = *p;
    ptrdiff_t j = where.j + x, n = least(NR, where.n - x);
    VARIANT(gemm_pack_columns)
    (panel, NR * p->k, p->b + j * p->cs_b, p->cs_b, p->rs_b, n, p->k);
    q.packed_b = panel;
    q.c += j * p->cs_c;
    if (p->bias) q.bias += j * p->bias_j;
    VARIANT(gemm_outer)(&q, (area){where.i, where.m, 0, n});
  }
}

static void run_panel_on_stack(const product *p, area where) {
  real panel[STACK_MAX] __attribute__((aligned(64)));
  run_panel_in(p, where, panel);
}

static void run_panel(const split *s, area where, int worker) {
  if (s->panels)
    run_panel_in(s->p, where, s->panels + worker * NR * s->p->k);
  else
    run_panel_on_stack(s->p, where);
}

static size_t panel_scratch(const product *p, int workers) {
  return NR * p->k <= STACK_MAX ? 0 : (size_t)(workers * NR * p->k) * sizeof(real);
}

static void run_task(void *arg, ptrdiff_t task, int worker) {
  const split *s = arg;
  ptrdiff_t i = task / s->n_columns * s->rows, j = task % s->n_columns * s->columns;
  area where = {i, least(s->rows, s->p->m - i), j, least(s->columns, s->p->n - j)};
  s->run(s, where, worker);
}

/* Columns are cut first: then B, the larger operand here, is read once. */
static void in_place(
    const product *p, run_area *run, real *panels, const mlplk_par *par) {
  double work = 2.0 * (double)p->m * (double)p->n * (double)p->k +
      WORK_PER_ELEMENT * ((double)p->m + (double)p->n) * (double)p->k;
  split s = {p, run, panels, p->m, p->n, 1};
  if (work < SERIAL_WORK) {
    run(&s, (area){0, p->m, 0, p->n}, 0);
    return;
  }
  /* by fours: equal shares for two and four workers */
  ptrdiff_t wanted = least(round_up((ptrdiff_t)(work / TASK_WORK) + 1, 4), MOST_TASKS);
  s.columns = round_up(parts_of(p->n, wanted), p->m <= 4 ? 4 * NR : NR);
  s.n_columns = parts_of(p->n, s.columns);
  if (s.n_columns < wanted && (run != run_panel || s.n_columns == 1))
    s.rows = round_up(parts_of(p->m, parts_of(wanted, s.n_columns)), 8);
  par->run(par, s.n_columns * parts_of(p->m, s.rows), run_task, &s);
}

/* ---- the table's functions ---- */

static size_t scratch_of(const product *p, path chosen, int workers) {
  return chosen == PACKED ? VARIANT(gemm_packed_scratch)(p, workers)
      : chosen == PANEL   ? panel_scratch(p, workers)
                          : 0;
}

size_t VARIANT(gemm_scratch)(const mlplk_gemm *g, int workers) {
  if (is_tiny(g)) return 0;
  product p = oriented(g);
  return scratch_of(&p, path_of(&p), workers);
}

static __attribute__((noinline)) size_t run(
    const mlplk_gemm *g, void *scratch, size_t bytes, const mlplk_par *par) {
  product p = oriented(g);
  path chosen = path_of(&p);
  size_t needed = scratch_of(&p, chosen, par->workers);
  if (needed > bytes) return needed;
  switch (chosen) {
    case NOTHING: break;
    case OUTER: in_place(&p, run_outer, NULL, par); break;
    case DOT: in_place(&p, run_dot, NULL, par); break;
    case PANEL: in_place(&p, run_panel, needed ? scratch : NULL, par); break;
    case PACKED: VARIANT(gemm_packed)(&p, scratch, par); break;
  }
  return 0;
}

size_t VARIANT(gemm)(
    const mlplk_gemm *g, void *scratch, size_t bytes, const mlplk_par *par) {
  if (!is_tiny(g)) return run(g, scratch, bytes, par);
  run_tiny(g);
  return 0;
}

static size_t packed_bytes(ptrdiff_t n, ptrdiff_t width, ptrdiff_t k) {
  return (size_t)(round_up(n, width) * k) * sizeof(real) + MLPLK_UKERNEL_SLACK;
}

size_t VARIANT(pack_a_bytes)(ptrdiff_t m, ptrdiff_t k) { return packed_bytes(m, MR, k); }

size_t VARIANT(pack_b_bytes)(ptrdiff_t k, ptrdiff_t n) { return packed_bytes(n, NR, k); }

void VARIANT(pack_a)(
    ptrdiff_t m, ptrdiff_t k, const void *a, ptrdiff_t rs, ptrdiff_t cs, void *packed) {
  VARIANT(gemm_pack_rows)(packed, MR * k, a, rs, cs, m, k);
}

void VARIANT(pack_b)(
    ptrdiff_t k, ptrdiff_t n, const void *b, ptrdiff_t rs, ptrdiff_t cs, void *packed) {
  VARIANT(gemm_pack_columns)(packed, NR * k, b, cs, rs, n, k);
}
