/* Element-wise kernels over tensors of any strides, on several threads where the work is
   large. */
#include "ops/ops.h"
#include "tensor/walk.h"

#define GRAIN 16384 /* elements a task works on: some microseconds */

typedef struct map_job {
  mlplk_map *f; /* or */
  mlplk_map3 *f3;
  char *p[4];      /* out, x, y, z */
  int64_t size[4]; /* of an element */
  double param;
  int64_t run, pieces; /* elements of a run, tasks a run is cut into */
  int64_t n_runs, runs_per_task;
  mlpli_walk walk;
} map_job;

static void map_run(const map_job *j, int64_t run, int64_t start, int64_t n) {
  const mlpli_walk *w = &j->walk;
  int64_t at[4], last = w->ndim - 1;
  char *p[4];
  mlpli_walk_at(w, run, at);
  for (int a = 0; a < w->n_arrays; a++)
    p[a] = j->p[a] + (at[a] + start * w->stride[a][last]) * j->size[a];
  if (j->f3)
    j->f3(n, p[0], w->stride[0][last], p[1], w->stride[1][last], p[2], w->stride[2][last],
        p[3], w->stride[3][last], j->param);
  else
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

/* The job has its kernel, parameter and addresses; in: the operands behind out. */
static void map_strided(map_job *j, mlpl_tensor *out, const mlpl_tensor *const *in) {
  int64_t stride[3][MLPL_MAX_RANK];
  const int n_in = j->f3 ? 3 : 2;
  j->p[0] = out->data;
  j->size[0] = mlpli_dtype_size[out->dtype];
  for (int i = 0; i < n_in; i++) {
    mlpli_broadcast_strides(in[i], out->ndim, out->shape, stride[i]);
    j->p[i + 1] = in[i]->data;
    j->size[i + 1] = mlpli_dtype_size[in[i]->dtype];
  }
  mlpli_walk_init(&j->walk, out->ndim, out->shape, n_in + 1,
      (const int64_t *[]){out->stride, stride[0], stride[1], stride[2]});
  j->run = mlpli_walk_run(&j->walk);
  j->n_runs = mlpli_walk_n_runs(&j->walk);
  j->pieces = j->run > GRAIN ? (j->run + GRAIN - 1) / GRAIN : 1;
  j->runs_per_task = j->run >= GRAIN ? 1 : GRAIN / (j->run ? j->run : 1);
  int64_t tasks = j->pieces > 1 ? j->n_runs * j->pieces
                                : (j->n_runs + j->runs_per_task - 1) / j->runs_per_task;
  const mlplk_par *par = &out->cx->par;
  par->run(par, tasks, map_task, j);
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
    map_strided(&(map_job){.f = f, .param = param}, out, (const mlpl_tensor *[]){x, y});
}

void mlpli_map3(mlplk_map3_kind kind, mlpl_tensor *out, const mlpl_tensor *x,
    const mlpl_tensor *y, const mlpl_tensor *z, double param) {
  map_strided(&(map_job){.f3 = mlpli_kern(out)->map3[kind], .param = param}, out,
      (const mlpl_tensor *[]){x, y, z});
}

const mlpl_tensor *mlpli_number_like(mlpli_number *n, const mlpl_tensor *t, double v) {
  n->t = (mlpl_tensor){
      .cx = t->cx, .dtype = t->dtype, .numel = 1, .contiguous = true, .data = n->value};
  mlpli_store(n->value, t->dtype, v);
  return &n->t;
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
