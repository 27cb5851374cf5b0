#include "tensor/walk.h"

#include <string.h>

static bool continues(const mlpli_walk *w, int outer, int inner) {
  for (int a = 0; a < w->n_arrays; a++)
    if (w->stride[a][outer] != w->stride[a][inner] * w->shape[inner]) return false;
  return true;
}

void mlpli_walk_init(mlpli_walk *w, int ndim, const int64_t *shape, int n_arrays,
    const int64_t *const *strides) {
  w->n_arrays = n_arrays;
  int n = 0;
  for (int d = 0; d < ndim; d++) {
    if (shape[d] == 1) continue;
    w->shape[n] = shape[d];
    for (int a = 0; a < n_arrays; a++) w->stride[a][n] = strides[a][d];
    n++;
    if (n >= 2 && continues(w, n - 2, n - 1)) {
      w->shape[n - 2] *= w->shape[n - 1];
      for (int a = 0; a < n_arrays; a++) w->stride[a][n - 2] = w->stride[a][n - 1];
      n--;
    }
  }
  if (n == 0) { /* a single element */
    w->shape[0] = 1;
    for (int a = 0; a < n_arrays; a++) w->stride[a][0] = 1;
    n = 1;
  }
  w->ndim = n;
}

int64_t mlpli_walk_n_runs(const mlpli_walk *w) {
  int64_t n = 1;
  for (int d = 0; d < w->ndim - 1; d++) n *= w->shape[d];
  return w->shape[w->ndim - 1] ? n : 0;
}

void mlpli_walk_at(const mlpli_walk *w, int64_t i, int64_t *offset) {
  memset(offset, 0, (size_t)w->n_arrays * sizeof *offset);
  for (int d = w->ndim - 2; d >= 0; d--) {
    int64_t at = i % w->shape[d];
    i /= w->shape[d];
    for (int a = 0; a < w->n_arrays; a++) offset[a] += at * w->stride[a][d];
  }
}
