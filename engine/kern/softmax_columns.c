/*
** Softmax, log-softmax and their gradients down columns, made of element-wise kernels on
** rows of a strip of columns, which stay in the cache: no loop of its own for any element
** type or instruction set. A column's terms are added in the order of c, SPAN at a time, so
** it gets the same bits in whatever company it comes.
**
** As with rows the maximum is subtracted first, and a NaN or an infinite maximum makes
** its column NaN.
*/
#include "kern/kern.h"

#include <string.h>

enum { WIDTH = 256, SPAN = 64 };

typedef struct strip {
  const mlplk_table *t;
  ptrdiff_t n, k, step; /* step in bytes */
  char *y;
  const char *a, *b;
  double top[WIDTH], sum[WIDTH], part[WIDTH], term[WIDTH]; /* of either element type */
} strip;

/* out = f(x, y) along a row */
static void row(
    const strip *s, mlplk_map_kind f, void *out, const void *x, const void *y) {
  s->t->map[f](s->n, out, 1, x, 1, y, 1, 0);
}

static void begin_sum(strip *s) {
  memset(s->sum, 0, sizeof s->sum);
  memset(s->part, 0, sizeof s->part);
}

static void add(strip *s, ptrdiff_t c, const void *term) {
  row(s, MLPLK_ADD, s->part, s->part, term);
  if ((c + 1) % SPAN && c + 1 < s->k) return;
  row(s, MLPLK_ADD, s->sum, s->sum, s->part);
  memset(s->part, 0, sizeof s->part);
}

static void find_top(strip *s) {
  memcpy(s->top, s->a, (size_t)s->n * s->t->real_bytes);
  for (ptrdiff_t c = 1; c < s->k; c++)
    row(s, MLPLK_MAXIMUM, s->top, s->a + c * s->step, s->top);
}

/* The sum of e^(a - top); the terms stay in y, if `keep`. */
static void add_exp(strip *s, int keep) {
  begin_sum(s);
  for (ptrdiff_t c = 0; c < s->k; c++) {
    void *to = keep ? (void *)(s->y + c * s->step) : s->term;
    row(s, MLPLK_SUB, s->term, s->a + c * s->step, s->top);
    row(s, MLPLK_EXP, to, s->term, NULL);
    add(s, c, to);
  }
}

static void softmax(strip *s) {
  find_top(s);
  add_exp(s, 1);
  for (ptrdiff_t c = 0; c < s->k; c++) {
    char *y = s->y + c * s->step;
    row(s, MLPLK_DIV, y, y, s->sum);
  }
}

static void log_softmax(strip *s) {
  find_top(s);
  add_exp(s, 0);
  row(s, MLPLK_LOG, s->sum, s->sum, NULL);
  for (ptrdiff_t c = 0; c < s->k; c++) {
    char *y = s->y + c * s->step;
    row(s, MLPLK_SUB, s->term, s->a + c * s->step, s->top);
    row(s, MLPLK_SUB, y, s->term, s->sum);
  }
}

/* y = b (a - sum(a b)), b the softmax */
static void softmax_grad(strip *s) {
  begin_sum(s);
  for (ptrdiff_t c = 0; c < s->k; c++) {
    row(s, MLPLK_MUL, s->term, s->a + c * s->step, s->b + c * s->step);
    add(s, c, s->term);
  }
  for (ptrdiff_t c = 0; c < s->k; c++) {
    char *y = s->y + c * s->step;
    row(s, MLPLK_SUB, s->term, s->a + c * s->step, s->sum);
    row(s, MLPLK_MUL, y, s->term, s->b + c * s->step);
  }
}

/* y = a - e^b sum(a), b the log-softmax */
static void log_softmax_grad(strip *s) {
  begin_sum(s);
  for (ptrdiff_t c = 0; c < s->k; c++) add(s, c, s->a + c * s->step);
  for (ptrdiff_t c = 0; c < s->k; c++) {
    row(s, MLPLK_EXP, s->term, s->b + c * s->step, NULL);
    row(s, MLPLK_MUL, s->term, s->term, s->sum);
    row(s, MLPLK_SUB, s->y + c * s->step, s->a + c * s->step, s->term);
  }
}

void mlplk_softmax_columns(const mlplk_table *t, mlplk_softmax_kind kind, ptrdiff_t n,
    ptrdiff_t k, ptrdiff_t step, void *y, const void *a, const void *b) {
  const ptrdiff_t size = (ptrdiff_t)t->real_bytes;
  strip s;
  s.t = t, s.k = k, s.step = step * size;
  for (ptrdiff_t i = 0; i < n; i += WIDTH) {
    s.n = n - i < WIDTH ? n - i : WIDTH;
    s.y = (char *)y + i * size;
    s.a = (const char *)a + i * size;
    s.b = b ? (const char *)b + i * size : NULL;
    switch (kind) {
      case MLPLK_SOFTMAX: softmax(&s); break;
      case MLPLK_LOG_SOFTMAX: log_softmax(&s); break;
      case MLPLK_SOFTMAX_GRAD: softmax_grad(&s); break;
      case MLPLK_LOG_SOFTMAX_GRAD: log_softmax_grad(&s); break;
    }
  }
}
