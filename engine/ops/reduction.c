/* Reductions over any set of axes. */
#include "ops/ops.h"

#define PART 65536  /* elements of a long row that one partial sum covers */
#define GRAIN 32768 /* elements a task reads */

/* The axes of one kind (kept or reduced) of a tensor, merged where they continue each
   other. */
typedef struct axis_group {
  int n;
  int64_t size[MLPL_MAX_RANK], stride[MLPL_MAX_RANK];
} axis_group;

static axis_group gather(const mlpl_tensor *x, unsigned axes) {
  axis_group g = {0};
  for (int d = 0; d < x->ndim; d++) {
    if (!(axes >> d & 1) || x->shape[d] == 1) continue;
    int last = g.n - 1;
    if (g.n && g.stride[last] == x->stride[d] * x->shape[d]) {
      g.size[last] *= x->shape[d];
      g.stride[last] = x->stride[d];
    }
    else {
      g.size[g.n] = x->shape[d];
      g.stride[g.n++] = x->stride[d];
    }
  }
  if (!g.n) {
    g.size[0] = g.stride[0] = 1;
    g.n = 1;
  }
  return g;
}

static int64_t count(const axis_group *g) {
  int64_t n = 1;
  for (int i = 0; i < g->n; i++) n *= g->size[i];
  return n;
}

typedef struct reduce_job {
  mlplk_reduce *f, *join; /* join: of partial results */
  char *out;
  const char *x;
  size_t out_size, size;
  int64_t n, r, s_n, s_r, rows_per_task;
  bool sum;
  const axis_group *kept; /* all but the last kept axis are walked here */
} reduce_job;

static void reduce_rows(void *arg, ptrdiff_t i, int worker) {
  (void)worker;
  const reduce_job *j = arg;
  int64_t first = i * j->rows_per_task, n = j->n - first;
  if (n > j->rows_per_task) n = j->rows_per_task;
  j->f(n, j->r, j->out + (size_t)first * j->out_size,
      j->x + first * j->s_n * (int64_t)j->size, j->s_n, j->s_r);
}

/* One run of rows: cut among threads where it is long. */
static void reduce_run(mlpl_ctx *cx, reduce_job *j) {
  int64_t rows = j->r ? GRAIN / j->r : j->n;
  j->rows_per_task = rows < 1 ? 1 : rows > 16 ? rows / 16 * 16 : rows;
  int64_t tasks = (j->n + j->rows_per_task - 1) / j->rows_per_task;
  cx->par.run(&cx->par, tasks, reduce_rows, j);
}

/* A single long row: partial sums (or maxima, ...) of fixed parts, then their sum. What
   remains may be nothing, which only has a sum. */
static mlpl_status sum_long(mlpl_ctx *cx, reduce_job *j) {
  int64_t parts = j->r / PART, rest = j->r - parts * PART;
  mlpl_tensor *partial;
  MLPL_TRY(mlpli_tensor_make(
      cx, &partial, j->size == 4 ? MLPL_F32 : MLPL_F64, 1, (int64_t[]){parts + 1}));
  reduce_job p = *j;
  p.out = partial->data;
  p.n = parts;
  p.r = PART;
  p.s_n = PART * j->s_r;
  reduce_run(cx, &p);
  if (rest || j->sum)
    j->f(1, rest, partial->data + (size_t)parts * j->size,
        j->x + parts * p.s_n * (int64_t)j->size, 0, j->s_r);
  j->join(1, parts + (rest || j->sum), j->out, partial->data, 0, 1);
  mlpl_tensor_release(partial);
  return MLPL_OK;
}

static mlpl_status reduce_all(mlpl_ctx *cx, reduce_job *j, bool split) {
  const axis_group *k = j->kept;
  int64_t outer = 1, run = k->size[k->n - 1];
  const char *x = j->x;
  char *out = j->out;
  for (int i = 0; i < k->n - 1; i++) outer *= k->size[i];
  j->n = run;
  j->s_n = k->stride[k->n - 1];
  for (int64_t o = 0; o < outer; o++) {
    int64_t at = 0, left = o;
    for (int i = k->n - 2; i >= 0; i--) {
      at += left % k->size[i] * k->stride[i];
      left /= k->size[i];
    }
    j->x = x + at * (int64_t)j->size;
    j->out = out + (size_t)(o * run) * j->out_size;
    if (run == 1 && split && j->r >= 2 * PART)
      MLPL_TRY(sum_long(cx, j));
    else
      reduce_run(cx, j);
  }
  return MLPL_OK;
}

/* x with the kept axes first and the reduced ones last, side by side. */
static mlpl_status reordered(
    mlpl_ctx *cx, const mlpl_tensor *x, unsigned axes, mlpl_tensor **out) {
  int64_t shape[MLPL_MAX_RANK], stride[MLPL_MAX_RANK];
  int n = 0;
  for (unsigned wanted = 0; wanted < 2; wanted++)
    for (int d = 0; d < x->ndim; d++)
      if ((axes >> d & 1) == wanted) {
        shape[n] = x->shape[d];
        stride[n++] = x->stride[d];
      }
  mlpl_tensor *view;
  MLPL_TRY(mlpli_tensor_view(cx, &view, x, 0, n, shape, stride));
  mlpl_status status = mlpl_tensor_clone(cx, out, view);
  mlpl_tensor_release(view);
  return status;
}

/* The usual small cases, all elements or the columns of a matrix, in one call of the
   kernel: the same rows and strides that the general way finds. */
static bool reduce_small(mlplk_reduce *f, mlpl_tensor *out, const mlpl_tensor *x,
    unsigned axes, unsigned all) {
  if (!x->contiguous || x->numel > GRAIN || x->numel == 0) return false;
  if (axes == all)
    f(1, x->numel, out->data, x->data, 1, 1);
  else if (x->ndim == 2 && axes == 1)
    f(x->shape[1], x->shape[0], out->data, x->data, 1, x->shape[1]);
  else
    return false;
  return true;
}

static mlplk_reduce *kernel_of(const mlpl_tensor *x, mlplk_reduce_kind kind) {
  return mlpli_is_real(x) ? mlpli_kern(x)->reduce[kind]
                          : mlplk_whole_reduce(mlpli_dtype_size[x->dtype], kind);
}

/* Partial results are of the input's dtype and may be reduced again. */
static bool may_split(const mlpl_tensor *x, mlplk_reduce_kind kind) {
  return mlpli_is_real(x) &&
      (kind == MLPLK_SUM || kind == MLPLK_SUM_SQUARES || kind == MLPLK_PROD ||
          kind == MLPLK_MAX || kind == MLPLK_MIN);
}

mlpl_status mlpli_reduce(mlpl_ctx *cx, mlplk_reduce_kind kind, mlpl_tensor *out,
    const mlpl_tensor *x, unsigned axes) {
  if (out->numel == 0) return MLPL_OK;
  unsigned all = x->ndim ? (1u << x->ndim) - 1 : 0;
  mlplk_reduce *f = kernel_of(x, kind);
  if (reduce_small(f, out, x, axes & all, all)) return MLPL_OK;
  axis_group kept = gather(x, ~axes & all), reduced = gather(x, axes & all);
  mlpl_tensor *copy = NULL;
  if (reduced.n > 1) {
    MLPL_TRY(reordered(cx, x, axes, &copy));
    reduced = (axis_group){.n = 1, .size = {count(&reduced)}, .stride = {1}};
    kept = (axis_group){.n = 1, .size = {count(&kept)}, .stride = {reduced.size[0]}};
    x = copy;
  }
  const bool squares = kind == MLPLK_SUM_SQUARES;
  reduce_job j = {.f = f,
      .join = squares ? kernel_of(x, MLPLK_SUM) : f,
      .sum = squares || kind == MLPLK_SUM,
      .out = out->data,
      .x = x->data,
      .out_size = mlpli_dtype_size[out->dtype],
      .size = mlpli_dtype_size[x->dtype],
      .r = reduced.size[0],
      .s_r = reduced.stride[0],
      .kept = &kept};
  if (x->numel == 0) j.r = 0;
  mlpl_status status = reduce_all(cx, &j, may_split(x, kind));
  mlpl_tensor_release(copy);
  return status;
}
