/*
** GFLOP/s of the matrix product: cubes and the products of the ladder's training steps, on
** one and two threads, beside the bare micro-kernel and, where libblis is installed, BLIS's
** own sgemm and dgemm on one thread (loaded at run time; its AVX-512 kernels are asked for).
**
** gemm [f32|f64] [isa] [cubes|ladder|small]
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kern/kern.h"
#include "kern/ukernel.h"

static double clock_of(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double now(void) {
  return clock_of(CLOCK_MONOTONIC);
}

/* Of this thread alone: what else runs on the machine does not count. */
static double spent(void) {
  return clock_of(CLOCK_THREAD_CPUTIME_ID);
}

static void *block(size_t bytes) {
  void *p = aligned_alloc(64, (bytes + 127) / 64 * 64);
  if (!p)
    exit(1);
  memset(p, 0, bytes);
  return p;
}

/* ---- two threads that wait in a loop: what a warm pool costs at best ---- */

static atomic_int turn, idle, leaving;
static atomic_long next;
static ptrdiff_t n_tasks;
static mlplk_task *task;
static void *task_arg;

static void take(int worker) {
  for (long i; (i = atomic_fetch_add(&next, 1)) < n_tasks;)
    task(task_arg, i, worker);
}

static void *second(void *arg) {
  (void)arg;
  for (int seen = 0;;) {
    while (atomic_load(&turn) == seen)
      if (atomic_load(&leaving))
        return NULL;
    seen = atomic_load(&turn);
    take(1);
    atomic_store(&idle, 1);
  }
}

static void run_two(const mlplk_par *par, ptrdiff_t n, mlplk_task *f, void *arg) {
  (void)par;
  n_tasks = n, task = f, task_arg = arg;
  atomic_store(&next, 0);
  atomic_store(&idle, 0);
  atomic_fetch_add(&turn, 1);
  take(0);
  while (!atomic_load(&idle))
    ;
}

static const mlplk_par two = {run_two, 2, NULL};

/* ---- what is compared ---- */

typedef void fortran_gemm(const char *, const char *, const int *, const int *, const int *,
    const void *, const void *, const int *, const void *, const int *, const void *, void *,
    const int *);

static fortran_gemm *load_blis(size_t bytes) {
  if (mlplk_select(bytes, "avx512"))
    setenv("BLIS_ARCH_TYPE", "0", 0); /* skx; BLIS alone mistakes many processors */
  void *lib = dlopen("libblis.so.4", RTLD_NOW | RTLD_LOCAL);
  union { void *from; fortran_gemm *to; } f = {NULL};
  if (lib)
    f.from = dlsym(lib, bytes == 4 ? "sgemm_" : "dgemm_");
  return f.to;
}

typedef struct job {
  const mlplk_table *t;
  mlplk_gemm g;
  void *scratch;
  size_t bytes;
  const mlplk_par *par;
  fortran_gemm *blis;
} job;

static void ours(job *j) {
  j->t->gemm(&j->g, j->scratch, j->bytes, j->par);
}

/* Row-major C = A B is column-major C' = B' A'. */
static void theirs(job *j) {
  const mlplk_gemm *g = &j->g;
  float one[2] = {1, (float)g->beta};
  double two_[2] = {1, g->beta};
  int m = (int)g->m, n = (int)g->n, k = (int)g->k, ldc = (int)g->rs_c;
  int tb = g->cs_b != 1, ta = g->cs_a != 1;
  int ldb = (int)(tb ? g->cs_b : g->rs_b), lda = (int)(ta ? g->cs_a : g->rs_a);
  const void *alpha = j->t->real_bytes == 4 ? (void *)one : (void *)two_;
  const void *beta = j->t->real_bytes == 4 ? (void *)(one + 1) : (void *)(two_ + 1);
  j->blis(tb ? "T" : "N", ta ? "T" : "N", &n, &m, &k, alpha, g->b, &ldb, g->a, &lda, beta,
      g->c, &ldc);
}

/* Best of many short rounds, in seconds per call: other work on the machine comes and goes. */
static double seconds(void (*f)(job *), job *j) {
  double (*clock)(void) = j->par == &mlplk_serial ? spent : now;
  double flops = 2.0 * (double)j->g.m * (double)j->g.n * (double)j->g.k;
  long calls = (long)(2e8 / (flops + 2e3)) + 1;
  double best = 1e9, begin = now();
  for (int round = 0; round < 20 || now() - begin < .1; round++) {
    double start = clock();
    for (long i = 0; i < calls; i++)
      f(j);
    double s = (clock() - start) / (double)calls;
    if (s < best)
      best = s;
  }
  return best;
}

static void fill(size_t bytes, void *p, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) {
    double v = (double)(i * 7919 % 2001) / 1000 - 1;
    if (bytes == 4)
      ((float *)p)[i] = (float)v;
    else
      ((double *)p)[i] = v;
  }
}

/* form: F X W^T (fused bias, relu), N A B, G dY^T X, S dY^T X added to C (beta 1) */
static void measure(const mlplk_table *t, fortran_gemm *blis, const char *label, char form,
    int m, int n, int k) {
  size_t bytes = t->real_bytes;
  job j = {.t = t, .blis = blis};
  size_t size_a = (size_t)m * (size_t)k, size_b = (size_t)n * (size_t)k;
  size_t size_c = (size_t)m * (size_t)n;
  void *a = block(bytes * size_a), *b = block(bytes * size_b), *c = block(bytes * size_c);
  void *bias = block(bytes * (size_t)n);
  fill(bytes, a, (ptrdiff_t)size_a);
  fill(bytes, b, (ptrdiff_t)size_b);
  int ta = form == 'G' || form == 'S', tb = form == 'F';
  j.g = (mlplk_gemm){.m = m, .n = n, .k = k, .alpha = 1, .beta = form == 'S', .a = a,
      .rs_a = ta ? 1 : k, .cs_a = ta ? m : 1, .b = b, .rs_b = tb ? 1 : n, .cs_b = tb ? k : 1,
      .c = c, .rs_c = n, .cs_c = 1};
  if (form == 'F')
    j.g.bias = bias, j.g.bias_stride = 1, j.g.act = MLPLK_ACT_RELU;
  j.bytes = t->gemm(&j.g, NULL, 0, &two);
  j.scratch = block(j.bytes + 64);
  double flops = 2.0 * m * n * k;
  j.par = &mlplk_serial;
  double one = seconds(ours, &j);
  j.par = &two;
  double both = seconds(ours, &j);
  printf("%-10s %c %5d %5d %5d %10.2f us %7.1f %11.2f us %7.1f", label, form, m, n, k,
      1e6 * one, 1e-9 * flops / one, 1e6 * both, 1e-9 * flops / both);
  j.par = &mlplk_serial;
  if (blis)
    printf(" %9.1f", 1e-9 * flops / seconds(theirs, &j));
  printf("\n");
  fflush(stdout);
  free(a);
  free(b);
  free(c);
  free(bias);
  free(j.scratch);
}

static void bare_kernel(const mlplk_table *t) {
#if defined __x86_64__
  int wide = !strcmp(t->isa, "avx512"), f32 = t->real_bytes == 4;
  if (!wide && strcmp(t->isa, "avx2"))
    return;
  mlplk_ukernel *kernel = wide ? (f32 ? mlplk_ukernel_f32_avx512 : mlplk_ukernel_f64_avx512)
                               : (f32 ? mlplk_ukernel_f32_avx2 : mlplk_ukernel_f64_avx2);
  int mr = wide ? (f32 ? 12 : 14) : 6, nr = (wide ? 128 : 64) / (int)t->real_bytes, k = 256;
  void *a = block(100000), *b = block(100000), *c = block(100000);
  double one64 = 1;
  float one32 = 1;
  const void *one = f32 ? (const void *)&one32 : (const void *)&one64;
  double best = 1e9;
  for (int round = 0; round < 100; round++) {
    double start = spent();
    for (int i = 0; i < 1000; i++)
      kernel(k, one, a, b, one, c, nr, a, b);
    double s = (spent() - start) / 1000;
    if (s < best)
      best = s;
  }
  printf("%s f%d: bare micro-kernel %dx%d, k = %d: %.1f GFLOP/s\n", t->isa,
      (int)t->real_bytes * 8, mr, nr, k, 2e-9 * mr * nr * k / best);
  free(a);
  free(b);
  free(c);
#else
  (void)t;
#endif
}

typedef struct layer {
  const char *rung;
  int batch, in, out, first;
} layer;

static const layer small_layers[] = {{"L1", 4, 2, 8, 1}, {"L1", 4, 8, 2, 0},
    {"L2", 16, 8, 32, 1}, {"L2", 16, 32, 2, 0}, {"L3", 32, 64, 64, 1}, {"L3", 32, 64, 10, 0},
    {"I1", 1, 784, 512, 1}, {"I1", 1, 512, 10, 1}};
static const layer ladder_layers[] = {{"L4", 32, 784, 128, 1}, {"L4", 32, 128, 10, 0},
    {"L5", 64, 784, 512, 1}, {"L5", 64, 512, 10, 0}, {"L6", 128, 784, 512, 1},
    {"L6", 128, 512, 256, 0}, {"L6", 128, 256, 10, 0}, {"L7", 1024, 784, 800, 1},
    {"L7", 1024, 800, 800, 0}, {"L7", 1024, 800, 10, 0}, {"L8", 256, 784, 1024, 1},
    {"L8", 256, 1024, 1024, 0}, {"L8", 256, 1024, 10, 0}, {"I2", 256, 784, 512, 1}};

static void measure_layers(const mlplk_table *t, fortran_gemm *blis, const layer *l, size_t n) {
  for (; n > 0; n--, l++) {
    measure(t, blis, l->rung, 'F', l->batch, l->out, l->in);
    if (l->batch > 1)
      measure(t, blis, l->rung, 'G', l->out, l->in, l->batch);
    if (l->batch > 1 && l->batch == 1024)
      measure(t, blis, l->rung, 'S', l->out, l->in, l->batch);
    if (!l->first)
      measure(t, blis, l->rung, 'N', l->batch, l->in, l->out);
  }
}

int main(int argc, char **argv) {
  size_t bytes = 4;
  const char *isa = NULL, *what = "";
  for (int i = 1; i < argc; i++)
    if (!strcmp(argv[i], "f64") || !strcmp(argv[i], "f32"))
      bytes = argv[i][1] == '6' ? 8 : 4;
    else if (strchr("csl", argv[i][0]))
      what = argv[i];
    else
      isa = argv[i];
  const mlplk_table *t = mlplk_select(bytes, isa);
  if (!t) {
    fprintf(stderr, "gemm: this processor cannot run %s\n", isa);
    return 2;
  }
  fortran_gemm *blis = load_blis(bytes);
  pthread_t thread;
  if (pthread_create(&thread, NULL, second, NULL))
    return 1;
  bare_kernel(t);
  printf("F: X W^T + b, relu  N: A B  G: dY^T X  S: C + dY^T X\n");
  printf("%-10s f %5s %5s %5s %20s %24s %9s\n", "", "m", "n", "k", "1 thread, GFLOP/s",
      "2 threads, GFLOP/s", blis ? "BLIS 1 t" : "");
  if (!*what || *what == 'c')
    for (int n = 512; n <= 2048; n *= 2) {
      measure(t, blis, "cube", 'N', n, n, n);
      if (n < 2048)
        measure(t, blis, "cube", 'N', n * 3 / 2, n * 3 / 2, n * 3 / 2);
    }
  if (!*what || *what == 's')
    measure_layers(t, blis, small_layers, sizeof small_layers / sizeof *small_layers);
  if (!*what || *what == 'l')
    measure_layers(t, blis, ladder_layers, sizeof ladder_layers / sizeof *ladder_layers);
  atomic_store(&leaving, 1);
  pthread_join(thread, NULL);
  return 0;
}
