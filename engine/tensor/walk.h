/*
** Walks over several strided arrays of one shape at once, as few long runs as the strides
** allow. Internal.
*/
#ifndef MLPLI_WALK_H
#define MLPLI_WALK_H

#include "tensor/tensor.h"

#define MLPLI_WALK_MAX 4

/* Axes without effect are dropped and axes that continue each other merged; ndim >= 1,
   the last axis is the run. */
typedef struct mlpli_walk {
  int n_arrays, ndim;
  int64_t shape[MLPL_MAX_RANK];
  int64_t stride[MLPLI_WALK_MAX][MLPL_MAX_RANK]; /* in elements */
} mlpli_walk;

void mlpli_walk_init(mlpli_walk *w, int ndim, const int64_t *shape, int n_arrays,
    const int64_t *const *strides);

static inline int64_t mlpli_walk_run(const mlpli_walk *w) {
  return w->shape[w->ndim - 1];
}
int64_t mlpli_walk_n_runs(const mlpli_walk *w);
/* Where run i starts in each array, in elements from its first. */
void mlpli_walk_at(const mlpli_walk *w, int64_t i, int64_t *offset);

#endif
