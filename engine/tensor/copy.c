/*
** Copies between any strides and dtypes, and fills. Where the source's neighbours are not
** the destination's, as in a transposed view, the two axes are walked in small squares, so
** that lines of the cache are used whole on both sides. Large ones are cut among threads.
*/
#include "tensor/tensor.h"
#include "tensor/walk.h"

#include <math.h>
#include <string.h>

#define GRAIN ((int64_t)1 << 15) /* elements a task copies, about */

/* ---- runs -------------------------------------------------------------------------- */

static void copy_run(
    size_t size, int64_t n, char *d, int64_t sd, const char *s, int64_t ss) {
  if (sd == 1 && ss == 1) {
    memcpy(d, s, (size_t)n * size);
    return;
  }
  sd *= (int64_t)size, ss *= (int64_t)size;
  switch (size) {
    case 1:
      for (int64_t i = 0; i < n; i++) d[i * sd] = s[i * ss];
      return;
    case 4:
      for (int64_t i = 0; i < n; i++) memcpy(d + i * sd, s + i * ss, 4);
      return;
    default:
      for (int64_t i = 0; i < n; i++) memcpy(d + i * sd, s + i * ss, 8);
  }
}

static int64_t whole_i64(int64_t v) { return v; }
static int64_t whole_u8(uint8_t v) { return v; }
static int64_t whole_f32(float v) { return mlpli_to_int((double)v); }
static int64_t whole_f64(double v) { return mlpli_to_int(v); }

/* n elements of one type to those of any dtype; strides in elements. */
#define CAST_FROM(from, type)                                                            \
  static void cast_##from(                                                               \
      int64_t n, char *d, int to, int64_t sd, const char *s, int64_t ss) {               \
    const type *x = (const void *)s;                                                     \
    float *f32 = (void *)d;                                                              \
    double *f64 = (void *)d;                                                             \
    int64_t *i64 = (void *)d;                                                            \
    uint8_t *byte = (void *)d;                                                           \
    switch (to) {                                                                        \
      case MLPL_F32:                                                                     \
        for (int64_t i = 0; i < n; i++) f32[i * sd] = (float)x[i * ss];                  \
        return;                                                                          \
      case MLPL_F64:                                                                     \
        for (int64_t i = 0; i < n; i++) f64[i * sd] = (double)x[i * ss];                 \
        return;                                                                          \
      case MLPL_I64:                                                                     \
        for (int64_t i = 0; i < n; i++) i64[i * sd] = whole_##from(x[i * ss]);           \
        return;                                                                          \
      case MLPL_U8:                                                                      \
        for (int64_t i = 0; i < n; i++) byte[i * sd] = (uint8_t)whole_##from(x[i * ss]); \
        return;                                                                          \
      default:                                                                           \
        for (int64_t i = 0; i < n; i++) byte[i * sd] = x[i * ss] != 0;                   \
    }                                                                                    \
  }

CAST_FROM(f32, float)
CAST_FROM(f64, double)
CAST_FROM(i64, int64_t)
CAST_FROM(u8, uint8_t)

static void cast_run(
    int64_t n, char *d, int to, int64_t sd, const char *s, int from, int64_t ss) {
  switch (from) {
    case MLPL_F32: cast_f32(n, d, to, sd, s, ss); return;
    case MLPL_F64: cast_f64(n, d, to, sd, s, ss); return;
    case MLPL_I64: cast_i64(n, d, to, sd, s, ss); return;
    default: cast_u8(n, d, to, sd, s, ss); /* and bool */
  }
}

/* ---- squares ----------------------------------------------------------------------- */

enum { ROWS = 8, COLUMNS = 16 }; /* 16 floats fill a line of the cache */

/* d[i, j] = s[i, j] for m x n elements, at most ROWS x COLUMNS; strides in elements. All is
   read before it is written: stores near what is read next would hold that up. */
#define SQUARE(type)                                                                     \
  static void square_##type(int64_t m, int64_t n, type *d, const int64_t *sd,            \
      const type *s, const int64_t *ss) {                                                \
    type all[ROWS][COLUMNS];                                                             \
    if (m < ROWS || n < COLUMNS || sd[1] != 1) {                                         \
      for (int64_t i = 0; i < m; i++)                                                    \
        for (int64_t j = 0; j < n; j++)                                                  \
          d[i * sd[0] + j * sd[1]] = s[i * ss[0] + j * ss[1]];                           \
      return;                                                                            \
    }                                                                                    \
    for (int64_t j = 0; j < COLUMNS; j++)                                                \
      for (int64_t i = 0; i < ROWS; i++) all[i][j] = s[i * ss[0] + j * ss[1]];           \
    for (int64_t i = 0; i < ROWS; i++) memcpy(d + i * sd[0], all[i], sizeof all[i]);     \
  }

SQUARE(uint8_t)
SQUARE(float)
SQUARE(double)

static void square(size_t size, int64_t m, int64_t n, char *d, const int64_t *sd,
    const char *s, const int64_t *ss) {
  void *to = d;
  const void *from = s;
  switch (size) {
    case 1: square_uint8_t(m, n, to, sd, from, ss); return;
    case 4: square_float(m, n, to, sd, from, ss); return;
    default: square_double(m, n, to, sd, from, ss);
  }
}

/* Columns [first, end) of m rows, by squares: down the rows, which is where the source's
   neighbours are. */
static void copy_columns(size_t size, int64_t m, int64_t first, int64_t end, char *d,
    const int64_t *sd, const char *s, const int64_t *ss) {
  const int64_t bytes = (int64_t)size;
  for (int64_t j = first; j < end; j += COLUMNS)
    for (int64_t i = 0; i < m; i += ROWS)
      square(size, m - i < ROWS ? m - i : ROWS, end - j < COLUMNS ? end - j : COLUMNS,
          d + (i * sd[0] + j * sd[1]) * bytes, sd, s + (i * ss[0] + j * ss[1]) * bytes,
          ss);
}

/* ---- copies ------------------------------------------------------------------------ */

typedef struct copy_job {
  mlpli_walk w; /* of the destination and the source */
  mlpl_tensor *dst;
  const mlpl_tensor *src;
  bool squares;      /* over the last two axes; else runs of the last */
  int64_t per_plane; /* tasks for a plane (a run, or the last two axes) */
  int64_t part;      /* of the last axis, that a task copies */
  int64_t planes;    /* planes a task copies, when part is all of one */
} copy_job;

static void copy_part(const copy_job *j, int64_t plane, int64_t first, int64_t end) {
  const mlpli_walk *w = &j->w;
  const int last = w->ndim - 1;
  const size_t size = mlpli_dtype_size[j->dst->dtype],
               from = mlpli_dtype_size[j->src->dtype];
  int64_t at[2];
  mlpli_walk_at(w, j->squares ? plane * w->shape[last - 1] : plane, at);
  char *d = j->dst->data + at[0] * (int64_t)size;
  const char *s = j->src->data + at[1] * (int64_t)from;
  const int64_t *sd = w->stride[0] + last, *ss = w->stride[1] + last;
  if (j->squares) {
    copy_columns(size, w->shape[last - 1], first, end, d, sd - 1, s, ss - 1);
    return;
  }
  d += first * *sd * (int64_t)size;
  s += first * *ss * (int64_t)from;
  if (j->dst->dtype == j->src->dtype)
    copy_run(size, end - first, d, *sd, s, *ss);
  else
    cast_run(end - first, d, j->dst->dtype, *sd, s, j->src->dtype, *ss);
}

static int64_t planes_of(const copy_job *j) {
  const int64_t runs = mlpli_walk_n_runs(&j->w);
  return j->squares && runs ? runs / j->w.shape[j->w.ndim - 2] : runs;
}

static void copy_task(void *arg, ptrdiff_t i, int worker) {
  (void)worker;
  const copy_job *j = arg;
  const int64_t n = mlpli_walk_run(&j->w), first = i % j->per_plane * j->part,
                end = n - first < j->part ? n : first + j->part,
                plane = i / j->per_plane * j->planes, left = planes_of(j) - plane;
  for (int64_t p = 0; p < j->planes && p < left; p++) copy_part(j, plane + p, first, end);
}

static void swap_axes(mlpli_walk *w, int a, int b) {
  int64_t n = w->shape[a];
  w->shape[a] = w->shape[b], w->shape[b] = n;
  for (int k = 0; k < w->n_arrays; k++) {
    n = w->stride[k][a];
    w->stride[k][a] = w->stride[k][b], w->stride[k][b] = n;
  }
}

/* The axis in which elements lie closest, but for stretched ones. */
static int closest(const mlpli_walk *w, int array) {
  const int64_t *step = w->stride[array];
  int best = w->ndim - 1;
  for (int d = w->ndim - 2; d >= 0; d--)
    if (step[d] && (!step[best] || step[d] < step[best])) best = d;
  return best;
}

/* The destination's closest axis becomes the last, the source's the one before it; false:
   they are the same. */
static bool wants_squares(mlpli_walk *w) {
  const int last = w->ndim - 1;
  swap_axes(w, closest(w, 0), last);
  const int other = closest(w, 1);
  if (other == last || w->stride[1][last] == 0) return false;
  swap_axes(w, other, last - 1);
  return true;
}

void mlpli_copy(mlpl_tensor *dst, const mlpl_tensor *src) {
  copy_job j = {.dst = dst, .src = src, .per_plane = 1, .planes = 1};
  mlpli_walk_init(
      &j.w, dst->ndim, dst->shape, 2, (const int64_t *[]){dst->stride, src->stride});
  j.squares = dst->dtype == src->dtype && wants_squares(&j.w);
  const int64_t n = j.part = mlpli_walk_run(&j.w), planes = planes_of(&j);
  if (dst->numel < 2 * GRAIN) {
    for (int64_t p = 0; p < planes; p++) copy_part(&j, p, 0, n);
    return;
  }
  const int64_t each = dst->numel / planes, rows = each / n;
  if (each < GRAIN)
    j.planes = GRAIN / each;
  else
    j.part = rows < GRAIN / COLUMNS ? GRAIN / rows / COLUMNS * COLUMNS : COLUMNS;
  j.per_plane = (n + j.part - 1) / j.part;
  mlpl_ctx *cx = dst->cx;
  cx->par.run(&cx->par, (planes + j.planes - 1) / j.planes * j.per_plane, copy_task, &j);
}

/* ---- fills ------------------------------------------------------------------------- */

void mlpli_fill(mlpl_tensor *t, double value) {
  mlpli_fill_element(t, (mlpl_element){value, 0});
}

void mlpli_fill_element(mlpl_tensor *t, mlpl_element value) {
  size_t size = mlpli_dtype_size[t->dtype];
  char element[8];
  mlpli_store_element(element, t->dtype, value);
  if (t->contiguous && value.f == 0 && !signbit(value.f)) {
    memset(t->data, 0, (size_t)t->numel * size);
    return;
  }
  mlpli_walk w;
  mlpli_walk_init(&w, t->ndim, t->shape, 1, (const int64_t *[]){t->stride});
  int64_t n = mlpli_walk_run(&w), runs = mlpli_walk_n_runs(&w), at;
  for (int64_t i = 0; i < runs; i++) {
    mlpli_walk_at(&w, i, &at);
    copy_run(size, n, t->data + at * (int64_t)size, w.stride[0][w.ndim - 1], element, 0);
  }
}
