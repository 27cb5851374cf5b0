/*
** Memory bandwidth in GB/s, with as many threads as there are processors.
**
** bandwidth [BYTES]      "ready"; then, for every line of seconds on stdin, one line
**   triad=G          a = b + s c over three arrays of 256 MiB, 3 arrays counted; the
**                    better of plain and non-temporal stores (plain ones read a, too)
**   read_1=G read_2=G   reading a buffer of BYTES again and again, the default being I1's
**                    weights: with one thread, and with all (each its part, and they meet
**                    after every pass, as a program must that reads the buffer once)
*/
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#if defined __x86_64__
#include <immintrin.h>
#endif

#include "serve.h"

#define TRIAD_BYTES (256ul << 20)
#define MAX_THREADS 64

typedef float wide __attribute__((vector_size(64)));

static float *a, *b, *c, *buffer;
static size_t buffer_bytes = 4ul * (784 * 512 + 512 + 512 * 10 + 10);
static float sums[MAX_THREADS][16];

/* ---- what is measured: the part of thread i of n ---- */

static void bounds(size_t bytes, int i, int n, size_t *from, size_t *to) {
  size_t lines = bytes / 64;
  *from = lines * (size_t)i / (size_t)n;
  *to = lines * (size_t)(i + 1) / (size_t)n;
}

#if defined __x86_64__
#define EACH_ISA __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define EACH_ISA
#endif

EACH_ISA static void triad_part(int i, int n) {
  size_t from, to;
  bounds(TRIAD_BYTES, i, n, &from, &to);
  wide *x = (wide *)(void *)a;
  const wide *y = (const wide *)(void *)b, *z = (const wide *)(void *)c;
  for (size_t k = from; k < to; k++)
    x[k] = y[k] + 3 * z[k];
}

static void stream_part(int i, int n) {
#if defined __x86_64__
  size_t from, to;
  bounds(TRIAD_BYTES, i, n, &from, &to);
  __m128 s = _mm_set1_ps(3);
  for (size_t k = 16 * from; k < 16 * to; k += 4)
    _mm_stream_ps(a + k,
        _mm_add_ps(_mm_load_ps(b + k), _mm_mul_ps(s, _mm_load_ps(c + k))));
  _mm_sfence();
#else
  triad_part(i, n);
#endif
}

/* Eight sums: additions must not wait for each other. */
EACH_ISA static void read_part(int i, int n) {
  size_t from, to;
  bounds(buffer_bytes, i, n, &from, &to);
  const wide *x = (const wide *)(void *)buffer;
  wide s0 = {0}, s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  size_t k = from;
  for (; k + 8 <= to; k += 8) {
    s0 += x[k], s1 += x[k + 1], s2 += x[k + 2], s3 += x[k + 3];
    s4 += x[k + 4], s5 += x[k + 5], s6 += x[k + 6], s7 += x[k + 7];
  }
  for (; k < to; k++)
    s0 += x[k];
  s0 += s1 + s2 + s3 + s4 + s5 + s6 + s7;
  memcpy(sums[i], &s0, sizeof s0);
}

/* ---- threads that wait in a loop while a measurement runs, and sleep between ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static int awake, n_threads = 1;
static atomic_int turn, busy;
static void (*part)(int, int);

static void *helper(void *arg) {
  int i = (int)(ptrdiff_t)arg;
  for (int seen = 0;;) {
    pthread_mutex_lock(&lock);
    while (!awake)
      pthread_cond_wait(&wake, &lock);
    pthread_mutex_unlock(&lock);
    for (int spin = 0; spin < 100000 && atomic_load(&turn) == seen; spin++)
      ;
    if (atomic_load(&turn) == seen) {
      sched_yield();
    } else {
      seen++;
      part(i, n_threads);
      atomic_fetch_sub(&busy, 1);
    }
  }
  return NULL;
}

static void rouse(int on) {
  pthread_mutex_lock(&lock);
  awake = on;
  pthread_cond_broadcast(&wake);
  pthread_mutex_unlock(&lock);
}

static void all(long n) {
  while (n--) {
    atomic_store(&busy, n_threads - 1);
    atomic_fetch_add(&turn, 1);
    part(0, n_threads);
    for (long spin = 1; atomic_load(&busy); spin++)
      if (spin % 100000 == 0) /* somebody else has the processor */
        sched_yield();
  }
}

static void one(long n) {
  while (n--)
    part(0, 1);
}

/* GB/s of `bytes` moved by one pass of f. */
static double rate(void (*f)(int, int), void (*how)(long), size_t bytes, double seconds) {
  part = f;
  return (double)bytes / (1e3 * measure(how, seconds));
}

static float *block(size_t bytes) {
  float *p = aligned_alloc(64, (bytes + 63) / 64 * 64);
  if (!p)
    exit(1);
  for (size_t i = 0; i < bytes / sizeof *p; i++)
    p[i] = 1;
  return p;
}

static void answer(double seconds) {
  rouse(1);
  double triad = rate(triad_part, all, 3 * TRIAD_BYTES, seconds / 4);
  double stream = rate(stream_part, all, 3 * TRIAD_BYTES, seconds / 4);
  double read_all = rate(read_part, all, buffer_bytes, seconds / 4);
  rouse(0);
  double read_1 = rate(read_part, one, buffer_bytes, seconds / 4);
  printf("triad=%.3f read_1=%.3f read_2=%.3f\n", triad > stream ? triad : stream, read_1,
      read_all);
  fflush(stdout);
}

int main(int argc, char **argv) {
  char line[100];
  long processors = sysconf(_SC_NPROCESSORS_ONLN);
  if (argc > 1)
    buffer_bytes = (size_t)strtoull(argv[1], NULL, 10);
  a = block(TRIAD_BYTES), b = block(TRIAD_BYTES), c = block(TRIAD_BYTES);
  buffer = block(buffer_bytes);
  if (processors > 1)
    n_threads = processors < MAX_THREADS ? (int)processors : MAX_THREADS;
  for (ptrdiff_t i = 1; i < n_threads; i++) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, helper, (void *)i))
      return 1;
  }
  puts("ready");
  fflush(stdout);
  while (fgets(line, sizeof line, stdin))
    answer(atof(line));
  return 0;
}
