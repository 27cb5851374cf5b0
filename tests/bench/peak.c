/*
** The machine's product peak: GFLOP/s of f32 cubes, ours and BLIS's, on one and two
** threads. (gemm.c measures the same kernels at many shapes; this one repeats five of
** them quickly.)
**
** peak       "ready"; then, for every line of seconds on stdin, one line of
**            NAME_SIZE_THREADS=GFLOP/s, the median of its calls; without libblis: ours
**
** BLIS's serial sgemm is loaded at run time and asked for its AVX-512 kernels where we
** use ours (it mistakes many processors); for two threads each gets half of the columns.
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

#include "mlpl.h"
#include "serve.h"

#define MOST_CALLS 1000

typedef void fortran_gemm(const char *, const char *, const int *, const int *,
    const int *, const float *, const float *, const int *, const float *, const int *,
    const float *, float *, const int *);

static mlpl_ctx *cx;
static mlpl_tensor *a, *b;
static float *c;
static fortran_gemm *blis;
static int size;

static fortran_gemm *load_blis(void) {
  if (!strcmp(mlpl_isa(cx), "avx512"))
    setenv("BLIS_ARCH_TYPE", "0", 0); /* skx */
  void *lib = dlopen("libblis.so.4", RTLD_NOW | RTLD_LOCAL);
  union { void *from; fortran_gemm *to; } f = {NULL};
  if (lib)
    f.from = dlsym(lib, "sgemm_");
  return f.to;
}

static void need(mlpl_status status) {
  if (status == MLPL_OK)
    return;
  fprintf(stderr, "peak: %s\n", mlpl_error(cx));
  exit(1);
}

static void ours(void) {
  mlpl_tensor *out;
  need(mlpl_call(cx, &out, "matmul", (mlpl_tensor *[]){a, b}, 2, NULL));
  mlpl_tensor_release(out);
}

/* Columns [from, from + n) of the column-major product. */
static void blis_part(int from, int n) {
  float alpha = 1, beta = 0;
  const float *x = mlpl_tensor_data(a), *y = mlpl_tensor_data(b);
  size_t skip = (size_t)from * (size_t)size;
  blis("N", "N", &size, &n, &size, &alpha, x, &size, y + skip, &size, &beta, c + skip,
      &size);
}

static void *second_half(void *arg) {
  (void)arg;
  blis_part(size / 2, size / 2);
  return NULL;
}

static void theirs(void) {
  pthread_t thread;
  if (mlpl_threads(cx) == 1) {
    blis_part(0, size);
  } else if (!pthread_create(&thread, NULL, second_half, NULL)) {
    blis_part(0, size / 2);
    pthread_join(thread, NULL);
  }
}

static double gflops(void (*product)(void), double seconds) {
  static double took[MOST_CALLS];
  int n = 0;
  double begin = now();
  product();
  do {
    double start = now();
    product();
    took[n++] = now() - start;
  } while (n < MOST_CALLS && now() - begin < seconds);
  qsort(took, (size_t)n, sizeof *took, by_size);
  return 2e-9 * size * size * size / took[n / 2];
}

static void fill(mlpl_tensor **t) {
  need(mlpl_tensor_rand(cx, t, MLPL_F32, 2, (int64_t[]){size, size}, -1, 1));
}

static void measure_size(double seconds) {
  fill(&a);
  fill(&b);
  for (int threads = 1; threads <= 2; threads++) {
    need(mlpl_set_threads(cx, threads));
    printf("ours_%d_%d=%.2f ", size, threads, gflops(ours, seconds));
    if (blis)
      printf("blis_%d_%d=%.2f ", size, threads, gflops(theirs, seconds));
  }
  mlpl_tensor_release(a);
  mlpl_tensor_release(b);
}

int main(void) {
  static const int sizes[] = {512, 768, 1024, 1536, 2048};
  char line[100];
  if (mlpl_open(&cx, NULL) != MLPL_OK)
    return 1;
  blis = load_blis();
  c = aligned_alloc(64, 2048ul * 2048 * sizeof *c);
  if (!c)
    return 1;
  puts(blis ? "ready BLIS" : "ready");
  fflush(stdout);
  while (fgets(line, sizeof line, stdin)) {
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
      size = sizes[i];
      measure_size(atof(line) / 20);
    }
    puts("");
    fflush(stdout);
  }
  return 0;
}
