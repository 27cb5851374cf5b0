/*
** What the workers in C share. serve(run) prints "ready", then answers every line of
** seconds on stdin with the median time of a step of several chunks, in microseconds.
*/
#ifndef SERVE_H
#define SERVE_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define CHUNKS 5

static inline double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static inline int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* run(n) makes n steps; the seconds that one of them took. */
static inline double each(void (*run)(long), long n) {
  double start = now();
  run(n);
  return (now() - start) / (double)n;
}

static inline double measure(void (*run)(long), double seconds) {
  double t = 0, chunk[CHUNKS];
  for (long n = 1; n < 1L << 40 && t * (double)(n / 2) <= seconds / 10; n *= 2)
    t = each(run, n);
  long steps = (long)(seconds / CHUNKS / t) + 1;
  for (int i = 0; i < CHUNKS; i++)
    chunk[i] = each(run, steps);
  qsort(chunk, CHUNKS, sizeof *chunk, by_size);
  return 1e6 * chunk[CHUNKS / 2];
}

static inline void serve(void (*run)(long), const char *version) {
  char line[100];
  measure(run, 0.2);
  printf("ready %s\n", version);
  fflush(stdout);
  while (fgets(line, sizeof line, stdin)) {
    printf("%.5f\n", measure(run, atof(line)));
    fflush(stdout);
  }
}

#endif
