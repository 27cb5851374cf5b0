/*
** Matrix products of every table against the plain loops.
**
** Every operand ends at an unreadable page (or begins at one), so a read or write outside it
** stops the test. C is compared with everything that lies between its elements.
**
** Tolerance: a sum of k products in any order is off by at most k roundings of the sum of the
** |a||b|, which the lengths of row and column bound (Cauchy-Schwarz); scaling, beta, bias and
** the store add a few more.
*/
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kern/kern.h"

/* ---- random numbers of the test ---- */

static uint64_t seed;

static uint32_t draw(uint32_t n) {
  seed = seed * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)((seed >> 33) % n);
}

static double draw_real(void) {
  return (double)draw(2001) / 1000 - 1;
}

/* ---- memory between two unreadable pages ---- */

enum { ARENA_BYTES = 24 << 20, PAGE = 4096 };

typedef struct arena {
  char *first, *end;
} arena;

static arena arenas[4]; /* a, b, c, bias */

static int open_arenas(void **state) {
  (void)state;
  for (int i = 0; i < 4; i++) {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    char *p = mmap(NULL, ARENA_BYTES + 2 * PAGE, PROT_NONE, flags, -1, 0);
    if (p == MAP_FAILED || mprotect(p + PAGE, ARENA_BYTES, PROT_READ | PROT_WRITE))
      return -1;
    arenas[i] = (arena){p + PAGE, p + PAGE + ARENA_BYTES};
  }
  return 0;
}

static void put(size_t bytes, void *p, ptrdiff_t i, double v) {
  if (bytes == 4)
    ((float *)p)[i] = (float)v;
  else
    ((double *)p)[i] = v;
}

static double get(size_t bytes, const void *p, ptrdiff_t i) {
  return bytes == 4 ? (double)((const float *)p)[i] : ((const double *)p)[i];
}

/* ---- layouts ---- */

enum { ROWS, COLUMNS, ROWS_PADDED, COLUMNS_PADDED, GENERAL, ROWS_UP, COLUMNS_BACK, N_C_KINDS,
  SAME_ROW = N_C_KINDS, SAME_COLUMN, N_KINDS };

typedef struct matrix {
  char *base;         /* lowest element */
  ptrdiff_t length;   /* elements from the lowest to the highest */
  ptrdiff_t rs, cs;
  char *origin;       /* element (0, 0) */
} matrix;

static void strides(int kind, ptrdiff_t m, ptrdiff_t n, matrix *x) {
  static const struct { int by_rows, pad, step, sign_r, sign_c; } kinds[N_KINDS] = {
      [ROWS] = {1, 0, 1, 1, 1}, [COLUMNS] = {0, 0, 1, 1, 1}, [ROWS_PADDED] = {1, 3, 1, 1, 1},
      [COLUMNS_PADDED] = {0, 5, 1, 1, 1}, [GENERAL] = {1, 3, 2, 1, 1},
      [ROWS_UP] = {1, 0, 1, -1, 1}, [COLUMNS_BACK] = {0, 1, 1, -1, -1},
      [SAME_ROW] = {1, 0, 1, 0, 1}, [SAME_COLUMN] = {1, 0, 1, 1, 0}};
  ptrdiff_t step = kinds[kind].step;
  ptrdiff_t line = ((kinds[kind].by_rows ? n : m) + kinds[kind].pad) * step;
  if (kind == SAME_COLUMN)
    line = 1;
  x->rs = (kinds[kind].by_rows ? line : step) * kinds[kind].sign_r;
  x->cs = (kinds[kind].by_rows ? step : line) * kinds[kind].sign_c;
}

/* An m x n matrix of random numbers at the arena's end, or at its beginning. */
static matrix place(size_t bytes, int which, int kind, ptrdiff_t m, ptrdiff_t n) {
  matrix x = {0};
  strides(kind, m, n, &x);
  ptrdiff_t low = 0, high = 0;
  if (m > 0 && n > 0) {
    ptrdiff_t r = (m - 1) * x.rs, c = (n - 1) * x.cs;
    low = (r < 0 ? r : 0) + (c < 0 ? c : 0);
    high = (r > 0 ? r : 0) + (c > 0 ? c : 0) + 1;
  }
  x.length = high - low;
  assert_true(x.length * (ptrdiff_t)bytes <= ARENA_BYTES);
  arena *at = &arenas[which];
  x.base = draw(4) ? at->end - x.length * (ptrdiff_t)bytes : at->first;
  x.origin = x.base - low * (ptrdiff_t)bytes;
  for (ptrdiff_t i = 0; i < x.length; i++)
    put(bytes, x.base, i, draw_real());
  return x;
}

/* ---- one product ---- */

typedef struct shape {
  ptrdiff_t m, n, k;
  int kind_a, kind_b, kind_c;
  double alpha, beta;
  int bias_stride; /* -1: no bias */
  mlplk_act act;
  int pack_a, pack_b;
} shape;

typedef struct problem {
  mlplk_gemm g;
  matrix a, b, c;
  void *packed_a, *packed_b;
} problem;

static void *block(size_t bytes) {
  void *p = aligned_alloc(64, (bytes + 127) / 64 * 64);
  assert_non_null(p);
  memset(p, 0xff, bytes); /* NaN where nothing was written */
  return p;
}

static problem make(const mlplk_table *t, const shape *s) {
  size_t bytes = t->real_bytes;
  problem p = {0};
  p.a = place(bytes, 0, s->kind_a, s->m, s->k);
  p.b = place(bytes, 1, s->kind_b, s->k, s->n);
  p.c = place(bytes, 2, s->kind_c, s->m, s->n);
  matrix bias = {0};
  if (s->bias_stride >= 0) {
    bias = place(bytes, 3, ROWS, 1, s->n ? (s->n - 1) * s->bias_stride + 1 : 0);
  }
  p.g = (mlplk_gemm){.m = s->m, .n = s->n, .k = s->k, .alpha = s->alpha, .beta = s->beta,
      .a = p.a.origin, .rs_a = p.a.rs, .cs_a = p.a.cs, .b = p.b.origin, .rs_b = p.b.rs,
      .cs_b = p.b.cs, .c = p.c.origin, .rs_c = p.c.rs, .cs_c = p.c.cs,
      .bias = s->bias_stride >= 0 ? bias.origin : NULL, .bias_stride = s->bias_stride,
      .act = s->act};
  if (s->pack_a) {
    p.packed_a = block(t->pack_a_bytes(s->m, s->k));
    t->pack_a(s->m, s->k, p.g.a, p.g.rs_a, p.g.cs_a, p.packed_a);
  }
  if (s->pack_b) {
    p.packed_b = block(t->pack_b_bytes(s->k, s->n));
    t->pack_b(s->k, s->n, p.g.b, p.g.rs_b, p.g.cs_b, p.packed_b);
  }
  return p;
}

static void drop(problem *p) {
  free(p->packed_a);
  free(p->packed_b);
}

static void multiply(const mlplk_table *t, const problem *p, const mlplk_par *par) {
  mlplk_gemm g = p->g;
  g.packed_a = p->packed_a;
  g.packed_b = p->packed_b;
  if (g.packed_a)
    g.a = NULL;
  if (g.packed_b)
    g.b = NULL;
  size_t bytes = t->gemm(&g, NULL, 0, par);
  void *scratch = bytes ? block(bytes) : NULL;
  if (bytes)
    assert_int_equal(t->gemm(&g, scratch, bytes, par), 0);
  free(scratch);
}

static double length_of(size_t bytes, const char *p, ptrdiff_t n, ptrdiff_t stride) {
  double sum = 0;
  for (ptrdiff_t i = 0; i < n; i++) {
    double v = get(bytes, p, i * stride);
    sum += v * v;
  }
  return sqrt(sum);
}

static int agrees(double got, double want, double bound) {
  if (isnan(want) || isnan(got))
    return isnan(want) && isnan(got);
  return got == want || fabs(got - want) <= bound;
}

/* before, after and expected: the memory from the lowest to the highest element of C. */
static void compare(const mlplk_table *t, const problem *p, const char *before,
    const char *expected) {
  const mlplk_gemm *g = &p->g;
  size_t bytes = t->real_bytes;
  double eps = bytes == 4 ? FLT_EPSILON : DBL_EPSILON;
  char *touched = calloc((size_t)p->c.length + 1, 1);
  double *columns = malloc(((size_t)g->n + 1) * sizeof *columns);
  for (ptrdiff_t j = 0; j < g->n; j++)
    columns[j] = length_of(
        bytes, p->b.origin + j * g->cs_b * (ptrdiff_t)bytes, g->k, g->rs_b);
  ptrdiff_t zero = (p->c.origin - p->c.base) / (ptrdiff_t)bytes;
  for (ptrdiff_t i = 0; i < g->m; i++) {
    double row =
        length_of(bytes, p->a.origin + i * g->rs_a * (ptrdiff_t)bytes, g->k, g->cs_a);
    for (ptrdiff_t j = 0; j < g->n; j++) {
      ptrdiff_t at = zero + i * g->rs_c + j * g->cs_c;
      double size = fabs(g->alpha) * row * columns[j];
      if (g->beta != 0)
        size += fabs(g->beta * get(bytes, before, at));
      if (g->bias)
        size += fabs(get(bytes, g->bias, j * g->bias_stride));
      double got = get(bytes, p->c.base, at), want = get(bytes, expected, at);
      touched[at] = 1;
      if (!agrees(got, want, ((double)g->k + 8) * eps / 2 * size))
        fail_msg("%s f%d [%td x %td x %td] a %td,%td b %td,%td c %td,%td alpha %g beta %g "
                 "bias %d act %d packed %d%d: (%td,%td) is %.9g, not %.9g", t->isa,
            (int)bytes * 8, g->m, g->n, g->k, g->rs_a, g->cs_a, g->rs_b, g->cs_b, g->rs_c,
            g->cs_c, g->alpha, g->beta, g->bias != NULL, (int)g->act, p->packed_a != NULL,
            p->packed_b != NULL, i, j, got, want);
    }
  }
  for (ptrdiff_t i = 0; i < p->c.length; i++)
    if (!touched[i] &&
        memcmp(p->c.base + i * (ptrdiff_t)bytes, before + i * (ptrdiff_t)bytes, bytes))
      fail_msg("%s f%d [%td x %td x %td]: wrote between the elements of C", t->isa,
          (int)bytes * 8, g->m, g->n, g->k);
  free(columns);
  free(touched);
}

static char *copy_c(const mlplk_table *t, const problem *p) {
  size_t bytes = (size_t)p->c.length * t->real_bytes;
  char *copy = malloc(bytes + 1);
  assert_non_null(copy);
  memcpy(copy, p->c.base, bytes);
  return copy;
}

static void check_problem(const mlplk_table *t, problem *p) {
  size_t bytes = (size_t)p->c.length * t->real_bytes;
  char *before = copy_c(t, p);
  mlplk_gemm_reference(t->real_bytes, &p->g);
  char *expected = copy_c(t, p);
  memcpy(p->c.base, before, bytes);
  multiply(t, p, &mlplk_serial);
  compare(t, p, before, expected);
  free(expected);
  free(before);
}

static void check(const mlplk_table *t, shape s) {
  problem p = make(t, &s);
  check_problem(t, &p);
  drop(&p);
}

static shape plain(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k) {
  return (shape){.m = m, .n = n, .k = k, .alpha = 1, .bias_stride = -1};
}

/* Everything but the sizes by lot. */
static shape any(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k) {
  static const double factors[] = {1, 1, 0, -.75};
  return (shape){m, n, k, (int)draw(N_KINDS), (int)draw(N_KINDS), (int)draw(N_C_KINDS),
      factors[draw(4)], factors[draw(4)], (int)draw(5) - 1, draw(2) ? MLPLK_ACT_RELU : 0,
      draw(5) == 0, draw(5) == 0};
}

/* ---- the tests; each runs on every table ---- */

static const mlplk_table *table_of(void **state) {
  const mlplk_table *t = *state;
  if (!t) {
    print_message("skipped: this processor cannot run it\n");
    skip();
  }
  seed = 20240229;
  return t;
}

/* X W^T, dY W and dY^T X, as a layer and its gradient need them. */
static const int training[3][2] = {{ROWS, COLUMNS}, {ROWS, ROWS}, {COLUMNS, ROWS}};

static void small_sizes(void **state) {
  const mlplk_table *t = table_of(state);
  for (ptrdiff_t m = 0; m <= 17; m++)
    for (ptrdiff_t n = 0; n <= 17; n++)
      for (ptrdiff_t k = 0; k <= 17; k++) {
        for (int i = 0; i < 3; i++) {
          shape s = plain(m, n, k);
          s.kind_a = training[i][0];
          s.kind_b = training[i][1];
          check(t, s);
        }
        check(t, any(m, n, k));
      }
}

static ptrdiff_t odd(double u) {
  return (ptrdiff_t)(u * 150) * 2 + 1; /* u in [0, 1]: 1 to 301 */
}

static void odd_sizes(void **state) {
  const mlplk_table *t = table_of(state);
  for (int i = 0; i < 400; i++) {
    double u[3]; /* two sizes favour the small, so that the plain loops end soon */
    for (int d = 0; d < 3; d++)
      u[d] = draw(1001) / 1000.0;
    u[i % 3] = pow(u[i % 3], 3);
    u[(i + 1) % 3] = pow(u[(i + 1) % 3], 3);
    check(t, any(odd(u[0]), odd(u[1]), odd(u[2])));
  }
}

/* Tiles, register blocks, blocks for the caches, passes over k, and where paths change, of
   all tables: see the constants at the top of the engine's gemm sources. */
static void blocking_edges(void **state) {
  const mlplk_table *t = table_of(state);
  static const ptrdiff_t widths[] = {4, 6, 8, 12, 14, 16, 24, 28, 32, 48, 64, 72, 96, 128, 168,
      192, 240, 256, 320, 480, 512, 1008, 1020, 1024};
  static const ptrdiff_t depths[] = {8, 16, 64, 128, 256, 384, 512, 768, 1024, 1536, 2048};
  static const ptrdiff_t others[] = {3, 41, 70, 130};
  for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
    for (ptrdiff_t d = -1; d <= 1; d++)
      for (size_t o = 0; o < 4; o++) {
        shape s = any(widths[w] + d, others[o], 21);
        check(t, s);
        s.m = others[o], s.n = widths[w] + d;
        check(t, s);
        s.kind_a = s.kind_c = ROWS;
        s.kind_b = o % 2 ? ROWS : COLUMNS;
        s.pack_a = s.pack_b = 0;
        check(t, s);
      }
  for (size_t w = 0; w < sizeof depths / sizeof *depths; w++)
    for (ptrdiff_t d = -1; d <= 1; d++)
      for (size_t o = 0; o < 4; o++) {
        shape s = any(others[o], others[3 - o], depths[w] + d);
        s.kind_b = o % 2 ? s.kind_b : COLUMNS;
        check(t, s);
      }
}

/* One shape for every path through the kernels. */
static const ptrdiff_t sizes[][3] = {{5, 6, 7}, {1, 50, 40}, {50, 1, 40}, {1, 1, 300},
    {20, 37, 300}, {70, 90, 80}, {33, 130, 65}};
enum { N_SIZES = sizeof sizes / sizeof *sizes };

static void stride_orders(void **state) {
  const mlplk_table *t = table_of(state);
  for (int z = 0; z < N_SIZES; z++)
    for (int a = 0; a < N_KINDS; a++)
      for (int b = 0; b < N_KINDS; b++)
        for (int c = 0; c < N_C_KINDS; c++) {
          if (z > 3 && (a + b + c) % 3) /* a third of them where it takes long */
            continue;
          shape s = plain(sizes[z][0], sizes[z][1], sizes[z][2]);
          s.kind_a = a, s.kind_b = b, s.kind_c = c;
          s.beta = (a + b) % 2;
          s.bias_stride = (b + c) % 3 - 1;
          check(t, s);
        }
}

static void factors_and_epilogue(void **state) {
  const mlplk_table *t = table_of(state);
  static const double values[] = {0, 1, -.75};
  for (int z = 0; z < N_SIZES; z++)
    for (int alpha = 0; alpha < 3; alpha++)
      for (int beta = 0; beta < 3; beta++)
        for (int bias = -1; bias < 4; bias++)
          for (int act = 0; act < 2; act++) {
            shape s = plain(sizes[z][0], sizes[z][1], sizes[z][2]);
            s.alpha = values[alpha], s.beta = values[beta];
            s.bias_stride = bias, s.act = act ? MLPLK_ACT_RELU : MLPLK_ACT_NONE;
            s.kind_b = (bias + act) % 2 ? ROWS : COLUMNS;
            s.kind_c = (alpha + beta + bias) % 2 ? COLUMNS : ROWS;
            check(t, s);
          }
}

static void packed_operands(void **state) {
  const mlplk_table *t = table_of(state);
  static const ptrdiff_t more[][3] = {{130, 1030, 20}, {1030, 70, 30}, {8, 64, 500},
      {9, 65, 30}, {1, 1, 1}, {3, 700, 1}};
  for (int z = 0; z < N_SIZES + 6; z++)
    for (int both = 1; both < 4; both++)
      for (int c = 0; c < N_C_KINDS; c++) {
        const ptrdiff_t *d = z < N_SIZES ? sizes[z] : more[z - N_SIZES];
        shape s = any(d[0], d[1], d[2]);
        s.kind_c = c;
        s.pack_a = both & 1, s.pack_b = both >> 1;
        check(t, s);
      }
}

/* With beta = 0 nothing of C is read; one bad element reaches its row or column only. */
static void nan_and_infinity(void **state) {
  const mlplk_table *t = table_of(state);
  static const double bad[] = {NAN, INFINITY, -INFINITY};
  for (int z = 0; z < N_SIZES; z++)
    for (int v = 0; v < 3; v++)
      for (int where = 0; where < 4; where++)
        for (int b = 0; b < 2; b++) {
          shape s = plain(sizes[z][0], sizes[z][1], sizes[z][2]);
          s.kind_b = b ? ROWS : COLUMNS;
          s.bias_stride = 1, s.act = MLPLK_ACT_RELU;
          s.beta = where == 2;
          problem p = make(t, &s);
          for (ptrdiff_t i = 0; i < p.c.length; i++)
            if (!s.beta)
              put(t->real_bytes, p.c.base, i, NAN);
          matrix *m = where == 0 ? &p.a : where == 1 ? &p.b : &p.c;
          if (where < 3)
            put(t->real_bytes, m->base, draw((uint32_t)m->length), bad[v]);
          check_problem(t, &p);
          drop(&p);
        }
}

/* ---- threads ---- */

typedef struct crew {
  ptrdiff_t n;
  mlplk_task *task;
  void *arg;
  atomic_long next;
} crew;

typedef struct member {
  crew *crew;
  int worker;
} member;

static void *work(void *arg) {
  member *m = arg;
  for (long i; (i = atomic_fetch_add(&m->crew->next, 1)) < m->crew->n;)
    m->crew->task(m->crew->arg, i, m->worker);
  return NULL;
}

static void run_threads(const mlplk_par *par, ptrdiff_t n, mlplk_task *task, void *arg) {
  crew c = {n, task, arg, 0};
  member members[8];
  pthread_t threads[8];
  for (int i = 0; i < par->workers; i++) {
    members[i] = (member){&c, i};
    if (i > 0)
      assert_int_equal(pthread_create(&threads[i], NULL, work, &members[i]), 0);
  }
  work(&members[0]);
  for (int i = 1; i < par->workers; i++)
    pthread_join(threads[i], NULL);
}

static void same_bits_for_any_number_of_workers(void **state) {
  const mlplk_table *t = table_of(state);
  static const ptrdiff_t large[][3] = {{300, 500, 400}, {1100, 70, 150}, {70, 1100, 150},
      {32, 784, 128}, {40, 128, 784}, {128, 784, 32}, {1, 1024, 512}, {1024, 1, 512},
      {130, 101, 2100}, {8, 1000, 500}};
  for (int z = 0; z < 10; z++)
    for (int i = 0; i < 4; i++) {
      shape s = plain(large[z][0], large[z][1], large[z][2]);
      s.kind_a = training[i % 3][0], s.kind_b = training[i % 3][1];
      s.beta = -.75, s.bias_stride = 1, s.act = MLPLK_ACT_RELU, s.pack_b = i == 3;
      problem p = make(t, &s);
      size_t bytes = (size_t)p.c.length * t->real_bytes;
      char *before = copy_c(t, &p);
      multiply(t, &p, &mlplk_serial);
      char *expected = copy_c(t, &p);
      static const int workers[] = {1, 2, 3, 4, 8};
      for (int w = 0; w < 5; w++) {
        mlplk_par par = {run_threads, workers[w], NULL};
        memcpy(p.c.base, before, bytes);
        multiply(t, &p, &par);
        assert_memory_equal(p.c.base, expected, bytes);
      }
      free(expected);
      free(before);
      drop(&p);
    }
}

/* ---- which tables there are ---- */

static void selection(void **state) {
  (void)state;
  for (size_t bytes = 4; bytes <= 8; bytes += 4) {
    const mlplk_table *best = mlplk_select(bytes, NULL), *base = mlplk_select(bytes, "base");
    assert_non_null(best);
    assert_non_null(base);
    assert_int_equal(best->real_bytes, bytes);
    assert_int_equal(base->real_bytes, bytes);
    assert_string_equal(base->isa, "base");
    assert_ptr_equal(best, mlplk_select(bytes, best->isa));
    assert_null(mlplk_select(bytes, "avx1024"));
  }
  assert_null(mlplk_select(2, NULL));
}

#define TEST(f) {#f, f}
static const struct { const char *name; CMUnitTestFunction run; } tests[] = {TEST(small_sizes),
    TEST(odd_sizes), TEST(blocking_edges), TEST(stride_orders), TEST(factors_and_epilogue),
    TEST(packed_operands), TEST(nan_and_infinity), TEST(same_bits_for_any_number_of_workers)};
enum { N_TESTS = sizeof tests / sizeof *tests };

int main(void) {
  static const char *isas[] = {"base", "avx2", "avx512"};
  static char names[6 * N_TESTS][80];
  struct CMUnitTest all[6 * N_TESTS + 1] = {cmocka_unit_test(selection)};
  size_t n = 0;
  for (size_t bytes = 4; bytes <= 8; bytes += 4)
    for (int isa = 0; isa < 3; isa++)
      for (int i = 0; i < N_TESTS; i++, n++) {
        snprintf(names[n], sizeof names[n], "%s %s f%d", tests[i].name, isas[isa],
            (int)bytes * 8);
        union { const void *from; void *to; } table = {mlplk_select(bytes, isas[isa])};
        all[n + 1] = (struct CMUnitTest){names[n], tests[i].run, NULL, NULL, table.to};
      }
  return cmocka_run_group_tests_name("gemm", all, open_arenas, NULL);
}
