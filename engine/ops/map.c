/* Element-wise kernels over tensors of any strides, on several threads where the work is
   large. */
#include "ops/ops.h"
#include "tensor/walk.h"

#define GRAIN 16384 /* elements a task works on: some microseconds */

typedef struct map_job {
  mlplk_map *f;
  char *p[3];      /* out, x, y */
  int64_t size[3]; /* of an element */
  double param;
  int64_t run, pieces; /* elements of a run, tasks a run is cut into */
  int64_t n_runs, runs_per_task;
  mlpli_walk walk;
} map_job;

static void map_run(const map_job *j, int64_t run, int64_t start, int64_t n) {
  const mlpli_walk *w = &j->walk;
  int64_t at[3], last = w->ndim - 1;
  char *p[3];
  mlpli_walk_at(w, run, at);
  for (int a = 0; a < 3; a++)
    p[a] = j->p[a] + (at[a] + start * w->stride[a][last]) * j->size[a];
  j->f(n, p[0], w->stride[0][last], p[1], w->stride[1][last], p[2], w->stride[2][last],
      j->param);
}

static void map_task(void *arg, ptrdiff_t i, int worker) {
  (void)worker;
  const map_job *j = arg;
  if (j->pieces > 1) {
    int64_t start = i % j->pieces * GRAIN,
            n = j->run - start < GRAIN ? j->run - start : GRAIN;
    map_run(j, i / j->pieces, start, n);
    return;
  }
  int64_t first = i * j->runs_per_task, end = first + j->runs_per_task;
  if (end > j->n_runs) end = j->n_runs;
  for (int64_t r = first; r < end; r++) map_run(j, r, 0, j->run);
}

static void map_strided(mlplk_map *f, mlpl_tensor *out, const mlpl_tensor *x,
    const mlpl_tensor *y, double param) {
  int64_t sx[MLPL_MAX_RANK], sy[MLPL_MAX_RANK];
  mlpli_broadcast_strides(x, out->ndim, out->shape, sx);
  mlpli_broadcast_strides(y, out->ndim, out->shape, sy);
  map_job j = {.f = f,
      .p = {out->data, x->data, y->data},
      .size = {mlpli_dtype_size[out->dtype], mlpli_dtype_size[x->dtype],
          mlpli_dtype_size[y->dtype]},
      .param = param};
  mlpli_walk_init(
      &j.walk, out->ndim, out->shape, 3, (const int64_t *[]){out->stride, sx, sy});
  j.run = mlpli_walk_run(&j.walk);
  j.n_runs = mlpli_walk_n_runs(&j.walk);
  j.pieces = j.run > GRAIN ? (j.run + GRAIN - 1) / GRAIN : 1;
  j.runs_per_task = j.run >= GRAIN ? 1 : GRAIN / (j.run ? j.run : 1);
  int64_t tasks = j.pieces > 1 ? j.n_runs * j.pieces
                               : (j.n_runs + j.runs_per_task - 1) / j.runs_per_task;
  const mlplk_par *par = &out->cx->par;
  par->run(par, tasks, map_task, &j);
}

/* The stride with which a kernel reads t beside n elements of a contiguous result: 1, or 0
   for a single number; -1: it is not that simple. */
static inline int simple_stride(const mlpl_tensor *t, int64_t n) {
  return t->numel == n ? (t->contiguous ? 1 : -1) : t->numel == 1 ? 0 : -1;
}

static inline void map_all(mlplk_map *f, mlpl_tensor *out, const mlpl_tensor *x,
    const mlpl_tensor *y, double param) {
  if (!y) y = x;
  const int sx = simple_stride(x, out->numel), sy = simple_stride(y, out->numel);
  if (out->contiguous && out->numel <= GRAIN && (sx | sy) >= 0)
    f(out->numel, out->data, 1, x->data, sx, y->data, sy, param);
  else
    map_strided(f, out, x, y, param);
}

void mlpli_map(mlplk_map_kind kind, mlpl_tensor *out, const mlpl_tensor *x,
    const mlpl_tensor *y, double param) {
  map_all(mlpli_is_real(x) ? mlpli_kern(x)->map[kind]
                           : mlplk_whole_map[x->dtype - MLPL_I64][kind],
      out, x, y, param);
}

void mlpli_logic(
    mlplk_logic_kind kind, mlpl_tensor *out, const mlpl_tensor *x, const mlpl_tensor *y) {
  map_all(mlpli_is_real(x) ? mlpli_kern(x)->logic[kind]
                           : mlplk_whole_logic[x->dtype - MLPL_I64][kind],
      out, x, y, 0);
}
