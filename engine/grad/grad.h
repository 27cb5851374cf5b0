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
  bool needed; /* by the pass `stamp`: an input of mlpl_grad lies at it or below */
  uint8_t dtype, ndim;
  uint8_t in_dtype;     /* of the inputs that have a gradient */
  bool seen;            /* by the search at work (history.c) */
  int n_in;             /* inputs of the call */
  uint32_t out_version; /* of the saved output when it was saved */
  int profile;          /* the profiler's entry for the backward pass */
  double flops;         /* of the call; only where there is a profiler */
  mlpl_ctx *cx;
  const mlpl_op *op;
  const char *said; /* op's name, or that of the composed operation it is a part of */
  union {
    struct mlpli_pass *queued; /* the backward pass that it waits in or is run by */
    mlpli_node *dying;         /* next on the context's list of nodes to free */
  };
  uint64_t stamp;            /* the last pass that asked whether it is needed */
  struct mlpli_hooks *hooks; /* on its output's gradient, or NULL */
  struct mlpli_sink *sink;   /* its output's gradient is asked for, or NULL */
  char *place;               /* where the script called it (anomaly), or NULL */
  uint64_t order;            /* later operations have larger numbers */
  mlpl_tensor *grad;         /* of the output, gathered in the present pass */
  mlpli_edge *edge;          /* where the gradient of every input goes */
  mlpl_tensor **in;          /* saved inputs, else NULL */
  uint32_t *version;         /* of the saved inputs when they were saved */
  /* saved output (an alias without history), else NULL */
  mlpl_tensor *out;
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

/* Is it a part of a composed operation, whose inputs op's are not? */
static inline bool mlpli_is_part(const mlpli_node *n) {
  return n->said != mlpli_said(n->op);
}

/* Forget what was saved and where gradients go. */
void mlpli_node_spend(mlpli_node *n);

/* A node of an operation with n_params options and n_in inputs, in order after all there
   are. Nothing is saved and no gradient goes anywhere yet. */
mlpl_status mlpli_node_new(
    mlpl_ctx *cx, mlpli_node **n, const mlpl_op *op, int n_params, int n_in);
/* Where the gradient of `in` goes. Keeps what it leads to. */
void mlpli_edge_set(mlpli_edge *edge, mlpl_tensor *in);

/* The inputs that have a gradient, as bits of their places in the row; and whether input i
   is saved for the gradients of those. */
unsigned mlpli_tracked_inputs(const mlpl_op *op, mlpl_tensor *const *in, int n);
bool mlpli_saves_input(const mlpl_op *op, int i, unsigned tracked);
/* Record the call that made out. */
mlpl_status mlpli_record(mlpl_ctx *cx, const mlpli_call *c, mlpl_tensor *out);
/* All of t is about to get values that owe nothing to what it holds: may it? Where that is
   recorded, what it held gets a gradient of zeros. what: in messages and as the name of
   the operation ("fill_"), so it stays. */
mlpl_status mlpli_overwrite(mlpl_ctx *cx, const char *what, mlpl_tensor *t);

/* ---- changes in place (history.c) --------------------------------------------------- */

/* t is about to become r, in values and history. What can fail is done by `ready`, while t
   is what it was; `take` is followed by mlpli_touch. */
mlpl_status mlpli_history_ready(mlpl_ctx *cx, mlpl_tensor *t, mlpl_tensor *r);
void mlpli_history_take(mlpl_tensor *t, mlpl_tensor *r);

/* ---- hooks (hooks.c) --------------------------------------------------------------- */

/* Functions that see the gradient of one tensor. */
typedef struct mlpli_hooks {
  int refs;
  mlpl_ctx *cx;
  mlpl_hook *first, *last; /* in the order in which they are called */
  int running;             /* calls of mlpli_hooks_run at work */
  mlpl_tensor *keeper;     /* not a leaf, but keeps its gradient; borrowed, NULL: none */
} mlpli_hooks;
/* Are there functions that a backward pass would call with a leaf's gradient? */
bool mlpli_hooks_wait(const mlpl_tensor *t);

/* The node that they are of is spent: their functions go. */
void mlpli_hooks_spend(mlpli_hooks *h);
/* t, which has hooks, goes. */
void mlpli_hooks_leave(mlpl_tensor *t);
/* t, changed in place, is to have the history of the result r: if it retains its gradient,
   ready has r do so, and follow, which comes with the history, t in its place. */
mlpl_status mlpli_hooks_ready(mlpl_ctx *cx, const mlpl_tensor *t, mlpl_tensor *r);
void mlpli_hooks_follow(mlpl_tensor *t, mlpl_tensor *r);
/* *g as the hooks leave it: released and replaced by what they give. */
mlpl_status mlpli_hooks_run(mlpl_ctx *cx, mlpli_hooks *h, mlpl_tensor **g);

/* ---- one backward pass (backward.c, select.c) -------------------------------------- */

/* Where a pass gathers the gradient of an input of mlpl_grad, or of a leaf whose hooks
   must see all of it. */
typedef struct mlpli_sink {
  struct mlpli_pass *pass;
  struct mlpli_sink *outer; /* the same tensor's in a pass around this one */
  struct mlpli_sink *next;  /* of the pass */
  mlpl_tensor *t;           /* held */
  mlpli_node *node;         /* that made t, held; NULL: t is a leaf */
  mlpl_tensor *grad;        /* gathered so far, or NULL */
} mlpli_sink;

/* A pass that is `selective` follows only what leads to its sinks, and leaves all other
   leaves alone. */
typedef struct mlpli_pass {
  mlpl_ctx *cx;
  struct mlpli_pass *outer; /* that this one runs in: from a hook or a callback */
  const char *what;         /* "backward" or "grad", for errors */
  uint64_t id;
  bool selective, retain;
  mlpli_sink *sinks, *last_sink;
  struct mlpli_mark *mark; /* what mlpli_select has marked */
  int n_marks, mark_room;
  int n, room; /* the queue: a heap, the latest operation first */
  mlpli_node **node;
  mlpli_node *first[32];
} mlpli_pass;

/* The sink of t in this pass, made if there is none. */
mlpl_status mlpli_sink_of(mlpli_pass *p, mlpl_tensor *t, mlpli_sink **sink);
void mlpli_sinks_close(mlpli_pass *p);
/* Mark the nodes below the roots that lead to a sink; and make nothing of it. */
mlpl_status mlpli_select(mlpli_pass *p, mlpl_tensor *const *roots, int n);
void mlpli_unselect(mlpli_pass *p);

static inline bool mlpli_is_selected(const mlpli_pass *p, const mlpli_edge *e) {
  if (e->leaf) return e->leaf->sink && e->leaf->sink->pass == p;
  return e->node->stamp == p->id && e->node->needed;
}

/* ---- looking for NaN and infinity (anomaly.c) -------------------------------------- */

/* That a call made no number that is none. */
mlpl_status mlpli_check_result(mlpl_ctx *cx, const mlpli_call *c, const mlpl_tensor *out);
/* That the backward pass of n made none in the gradient `grad` of input i. */
mlpl_status mlpli_check_gradient(
    mlpl_ctx *cx, const mlpli_node *n, int i, const mlpl_tensor *grad);
/* That hooks left none in the gradient of n's result, or (n NULL) of a leaf. */
mlpl_status mlpli_check_hooked(
    mlpl_ctx *cx, const mlpli_node *n, const mlpl_tensor *grad);
/* That there is none in the gradient that a pass begins with. */
mlpl_status mlpli_check_seed(mlpl_ctx *cx, const mlpl_tensor *seed);
/* Note in n where the script is. */
mlpl_status mlpli_note_place(mlpl_ctx *cx, mlpli_node *n);

/* ---- for backward functions -------------------------------------------------------- */

static inline bool mlpli_wants(const mlpli_node *n, int i) {
  const mlpli_edge *e = &n->edge[i];
  if (!e->node && !e->leaf) return false;
  const mlpli_pass *p = n->cx->pass;
  return !p || !p->selective || mlpli_is_selected(p, e);
}
/* Shape of input i, whether or not it was saved. Only for inputs that want a gradient. */
void mlpli_input_shape(const mlpli_node *n, int i, int *ndim, const int64_t **shape);
/* Input i as far as its shape goes: the saved one, or *seen with that shape and nothing
   else. For an input that was saved or has a gradient. */
const mlpl_tensor *mlpli_input_seen(const mlpli_node *n, int i, mlpl_tensor *seen);
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
