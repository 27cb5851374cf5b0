/*
** The recorded graph and the backward pass over it. Internal.
*/
#ifndef MLPLI_GRAD_H
#define MLPLI_GRAD_H

#include "ops/ops.h"

/* Where the gradient of an input goes: to the operation that made it, to a leaf, or (both
   NULL) nowhere. */
typedef struct mlpli_edge {
  mlpli_node *node;
  mlpl_tensor *leaf;
} mlpli_edge;

/* One recorded operation. What there is of every input (as many as the call had, and at
   least as many as the row has) and of every option follows the struct in its block. */
struct mlpli_node {
  int refs;
  bool spent;  /* a backward pass went through and freed what was saved */
  bool queued; /* waits in the present backward pass */
  uint8_t dtype, ndim;
  uint8_t in_dtype; /* of the inputs that have a gradient */
  int n_in;         /* inputs of the call */
  int profile;      /* the profiler's entry for the backward pass */
  mlpl_ctx *cx;
  const mlpl_op *op;
  mlpli_node *dying; /* next on the context's list of nodes to free */
  uint64_t order;    /* later operations have larger numbers */
  mlpl_tensor *grad; /* of the output, gathered in the present pass */
  mlpli_edge *edge;  /* where the gradient of every input goes */
  mlpl_tensor **in;  /* saved inputs, else NULL */
  uint32_t *version; /* of the saved inputs when they were saved */
  /* saved output (an alias without history), else NULL */
  mlpl_tensor *out;
  uint32_t out_version;
  mlpl_tensor *extra;
  int64_t shape[MLPL_MAX_RANK]; /* of the output */
  mlpl_value *p;                /* the options */
};

static inline mlpli_node *mlpli_node_retain(mlpli_node *n) {
  n->refs++;
  return n;
}
void mlpli_node_release(mlpli_node *n);

/* Does any of these need the operation recorded? */
static inline bool mlpli_tracked(const mlpl_tensor *t) {
  return t && (t->requires_grad || t->node);
}

/* Forget what was saved and where gradients go. */
void mlpli_node_spend(mlpli_node *n);

/* Record the call that made out. */
mlpl_status mlpli_record(mlpl_ctx *cx, const mlpli_call *c, mlpl_tensor *out);

/* ---- for backward functions -------------------------------------------------------- */

static inline bool mlpli_wants(const mlpli_node *n, int i) {
  return n->edge[i].node || n->edge[i].leaf;
}
/* Shape of input i, whether or not it was saved. Only for inputs that want a gradient. */
void mlpli_input_shape(const mlpli_node *n, int i, int *ndim, const int64_t **shape);
/* Add gx, of input i's shape, to its gradient. Borrows gx. */
mlpl_status mlpli_give(mlpl_ctx *cx, mlpli_node *n, int i, mlpl_tensor *gx);
/*
** Memory for the gradient of input i (contiguous, its shape), borrowed, to be written by
** the caller: with *add, the values are to be added to what is there, else to replace it.
** Not while the backward pass is itself recorded.
*/
mlpl_status mlpli_grad_target(
    mlpl_ctx *cx, mlpli_node *n, int i, mlpl_tensor **target, bool *add);
/* The memory that mlpli_grad_target gave without *add could not be written: there is no gradient. */
void mlpli_grad_undo(mlpli_node *n, int i);

#endif
