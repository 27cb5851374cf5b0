/*
** The backward pass: operations in the reverse of the order in which they ran, each once,
** when all that came after it has handed over its gradient.
*/
#include "grad/grad.h"

#include "base/profile.h"

#include <string.h>

/* ---- gradients of leaves ----------------------------------------------------------- */

static bool is_ours(const mlpl_tensor *t) {
  return t->refs == 1 &&
      atomic_load_explicit(&t->storage->refs, memory_order_relaxed) == 1;
}

bool mlpl_tensor_requires_grad(const mlpl_tensor *t) {
  return t->requires_grad || t->node;
}

mlpl_tensor *mlpl_tensor_grad(mlpl_tensor *t) { return t->has_grad ? t->grad : NULL; }

/* Nobody else holds it: its memory waits for the next gradient. Somebody does: it becomes
   theirs. */
void mlpl_tensor_zero_grad(mlpl_tensor *t) {
  t->has_grad = false;
  if (!t->grad || (is_ours(t->grad) && !t->grad->node)) return;
  mlpl_tensor_release(t->grad);
  t->grad = NULL;
}

mlpl_status mlpl_tensor_set_requires_grad(mlpl_ctx *cx, mlpl_tensor *t, bool on) {
  if (on && !mlpli_is_real(t))
    return mlpl_fail(cx, MLPL_EARG,
        "requires_grad: dtype is %s; only f32 and f64 have gradients",
        mlpl_dtype_name((mlpl_dtype)t->dtype));
  if (t->node)
    return mlpl_fail(cx, MLPL_ESTATE,
        "requires_grad: the tensor is the result of %s; only leaves may be set, use "
        "detach first",
        t->node->op->name);
  t->requires_grad = on;
  return MLPL_OK;
}

bool mlpl_set_grad_enabled(mlpl_ctx *cx, bool on) {
  bool was = cx->grad_enabled;
  cx->grad_enabled = on;
  return was;
}

bool mlpl_grad_enabled(const mlpl_ctx *cx) { return cx->grad_enabled; }

/* ---- handing gradients over -------------------------------------------------------- */

void mlpli_input_shape(const mlpli_node *n, int i, int *ndim, const int64_t **shape) {
  const mlpli_edge *e = &n->edge[i];
  *ndim = e->node ? e->node->ndim : e->leaf->ndim;
  *shape = e->node ? e->node->shape : e->leaf->shape;
}

/* *slot += gx. In place where nobody else reads the sum so far; recorded when the pass
   is. */
static mlpl_status add_to(
    mlpl_ctx *cx, mlpl_tensor **slot, mlpl_tensor *gx, bool in_place) {
  mlpl_tensor *sum;
  if (!cx->grad_enabled && in_place && (*slot)->contiguous) {
    mlpli_map(MLPLK_ADD, *slot, *slot, gx, 0);
    return MLPL_OK;
  }
  MLPL_TRY(mlpli_apply(cx, &sum, MLPLI_OP_ADD, (mlpl_tensor *[]){*slot, gx}, 2, NULL));
  mlpl_tensor_release(*slot);
  *slot = sum;
  return MLPL_OK;
}

/* A leaf's gradient always has memory of its own: whoever holds it sees what is added
   later, as in PyTorch. */
static mlpl_status give_leaf(mlpl_ctx *cx, mlpl_tensor *leaf, mlpl_tensor *gx) {
  if (leaf->has_grad) return add_to(cx, &leaf->grad, gx, !leaf->grad->node);
  mlpl_tensor *grad;
  if (!cx->grad_enabled && leaf->grad) { /* memory that zero_grad kept */
    mlpli_map(MLPLK_COPY, leaf->grad, gx, NULL, 0);
    leaf->has_grad = true;
    return MLPL_OK;
  }
  MLPL_TRY(mlpli_apply(cx, &grad, MLPLI_OP_CLONE, (mlpl_tensor *[]){gx}, 1, NULL));
  mlpl_tensor_release(leaf->grad);
  leaf->grad = grad;
  leaf->has_grad = true;
  return MLPL_OK;
}

mlpl_status mlpli_give(mlpl_ctx *cx, mlpli_node *n, int i, mlpl_tensor *gx) {
  mlpli_edge *e = &n->edge[i];
  if (e->leaf) return give_leaf(cx, e->leaf, gx);
  if (!e->node) return MLPL_OK;
  if (e->node->grad) return add_to(cx, &e->node->grad, gx, is_ours(e->node->grad));
  e->node->grad = mlpli_retain(gx);
  return MLPL_OK;
}

/* Make *slot memory to write to: what is there where nobody else reads it, or new. */
static mlpl_status writable(mlpl_ctx *cx, mlpl_tensor **slot, bool in_place, bool filled,
    int dtype, int ndim, const int64_t *shape, bool *add) {
  mlpl_tensor *t;
  if (*slot && in_place && (*slot)->contiguous) {
    *add = filled;
    return MLPL_OK;
  }
  MLPL_TRY(mlpli_tensor_make(cx, &t, dtype, ndim, shape));
  if (filled) mlpli_map(MLPLK_COPY, t, *slot, NULL, 0);
  mlpl_tensor_release(*slot);
  *slot = t;
  *add = filled;
  return MLPL_OK;
}

mlpl_status mlpli_grad_target(
    mlpl_ctx *cx, mlpli_node *n, int i, mlpl_tensor **target, bool *add) {
  mlpli_edge *e = &n->edge[i];
  MLPL_ASSERT(!cx->grad_enabled);
  if (e->leaf) {
    mlpl_tensor *leaf = e->leaf;
    bool own = leaf->grad && !leaf->grad->node;
    MLPL_TRY(writable(
        cx, &leaf->grad, own, leaf->has_grad, leaf->dtype, leaf->ndim, leaf->shape, add));
    leaf->has_grad = true;
    *target = leaf->grad;
    return MLPL_OK;
  }
  mlpli_node *to = e->node;
  bool own = to->grad && is_ours(to->grad);
  MLPL_TRY(writable(
      cx, &to->grad, own, to->grad != NULL, to->dtype, to->ndim, to->shape, add));
  *target = to->grad;
  return MLPL_OK;
}

void mlpli_grad_undo(mlpli_node *n, int i) {
  mlpli_edge *e = &n->edge[i];
  if (e->leaf) e->leaf->has_grad = false;
  if (!e->node) return;
  mlpl_tensor_release(e->node->grad);
  e->node->grad = NULL;
}

/* ---- the pass: a heap of nodes, the latest first ----------------------------------- */

#define FIRST 32

typedef struct queue {
  mlpl_ctx *cx;
  int n, room;
  mlpli_node **node; /* held */
  mlpli_node *first[FIRST];
} queue;

static mlpl_status grow(queue *q) {
  size_t bytes = 2 * (size_t)q->room * sizeof *q->node;
  mlpli_node **node = mlpli_alloc(q->cx->heap, bytes);
  if (!node) return mlpli_no_memory(q->cx, "backward", bytes);
  memcpy(node, q->node, (size_t)q->n * sizeof *node);
  if (q->node != q->first) mlpli_free(q->cx->heap, q->node);
  q->node = node;
  q->room *= 2;
  return MLPL_OK;
}

static mlpl_status push(queue *q, mlpli_node *n) {
  if (n->queued) return MLPL_OK;
  if (q->n == q->room) MLPL_TRY(grow(q));
  int i = q->n++;
  for (int up; i > 0 && q->node[up = (i - 1) / 2]->order < n->order; i = up)
    q->node[i] = q->node[up];
  q->node[i] = mlpli_node_retain(n);
  n->queued = true;
  return MLPL_OK;
}

static mlpli_node *pop(queue *q) {
  mlpli_node *top = q->node[0], *last = q->node[--q->n];
  int i = 0;
  for (int down; (down = 2 * i + 1) < q->n; i = down) {
    if (down + 1 < q->n && q->node[down + 1]->order > q->node[down]->order) down++;
    if (q->node[down]->order <= last->order) break;
    q->node[i] = q->node[down];
  }
  if (q->n) q->node[i] = last;
  top->queued = false;
  return top;
}

static void empty(queue *q) {
  while (q->n) {
    mlpli_node *n = pop(q);
    mlpl_tensor_release(n->grad);
    n->grad = NULL;
    mlpli_node_release(n);
  }
  if (q->node != q->first) mlpli_free(q->cx->heap, q->node);
}

static mlpl_status check_saved(mlpl_ctx *cx, const mlpli_node *n) {
  char name[MLPLI_INPUT_TEXT] = "the result";
  if (n->spent)
    return mlpl_fail(cx, MLPL_ESTATE,
        "backward: the graph below %s was freed by an earlier backward; to go through it "
        "twice, pass "
        "retain_graph to the first",
        n->op->name);
  for (int i = 0; i < n->n_in; i++)
    if (n->edge[i].leaf && n->edge[i].leaf->dtype != n->in_dtype)
      return mlpl_fail(cx, MLPL_ESTATE,
          "backward: %s of %s was converted to %s after it was recorded",
          mlpli_input_text(name, cx, n->op, i), n->op->name,
          mlpl_dtype_name((mlpl_dtype)n->edge[i].leaf->dtype));
  for (int i = 0; i <= n->n_in; i++) {
    const mlpl_tensor *t = i < n->n_in ? n->in[i] : n->out;
    if (t && t->storage->version != (i < n->n_in ? n->version[i] : n->out_version))
      return mlpl_fail(cx, MLPL_ESTATE,
          "backward: %s of %s was changed in place after it was recorded; its old value "
          "is needed",
          i < n->n_in ? mlpli_input_text(name, cx, n->op, i) : name, n->op->name);
  }
  return MLPL_OK;
}

/* For products: as much as forward for each input that wants a gradient. */
static mlpl_status measured_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
  mlpli_span span;
  double flops = 0, bytes = mlpli_op_bytes(n->in, n->n_in, g);
  bool product = n->n_in > 1 && n->in[0] && n->in[1];
  for (int i = 0; i < n->n_in && i < 2; i++)
    if (mlpli_wants(n, i))
      flops += product ? mlpli_op_flops(n->op, n->in, g) : (double)g->numel;
  mlpli_span_begin(cx, &span);
  mlpl_status status = n->op->backward(cx, n, g);
  mlpli_span_end(cx, &span, n->profile, 2 * bytes, flops);
  return status;
}

static mlpl_status step(queue *q, mlpli_node *n, bool retain) {
  mlpl_ctx *cx = q->cx;
  mlpl_tensor *g = n->grad;
  n->grad = NULL;
  mlpl_status status = g ? check_saved(cx, n) : MLPL_OK;
  if (status == MLPL_OK && g)
    status = cx->profile ? measured_backward(cx, n, g) : n->op->backward(cx, n, g);
  mlpl_tensor_release(g);
  for (int i = 0; i < n->n_in && status == MLPL_OK; i++)
    if (n->edge[i].node) status = push(q, n->edge[i].node);
  /* gradients given to nodes not queued yet would leak into the next pass */
  if (status != MLPL_OK) {
    for (int i = 0; i < n->n_in; i++)
      if (n->edge[i].node && !n->edge[i].node->queued) {
        mlpl_tensor_release(n->edge[i].node->grad);
        n->edge[i].node->grad = NULL;
      }
  }
  else if (!retain)
    mlpli_node_spend(n);
  return status;
}

static mlpl_status pass(mlpl_ctx *cx, mlpli_node *root, mlpl_tensor *seed, bool retain) {
  queue q = {.cx = cx, .room = FIRST};
  q.node = q.first;
  root->grad = mlpli_retain(seed);
  mlpl_status status = push(&q, root);
  while (status == MLPL_OK && q.n) {
    mlpli_node *n = pop(&q);
    status = step(&q, n, retain);
    mlpli_node_release(n);
  }
  empty(&q);
  return status;
}

static mlpl_status make_seed(
    mlpl_ctx *cx, const mlpl_tensor *t, const mlpl_tensor *given, mlpl_tensor **seed) {
  char a[MLPLI_SHAPE_TEXT], b[MLPLI_SHAPE_TEXT];
  if (!given) {
    if (t->numel != 1)
      return mlpl_fail(cx, MLPL_ESHAPE,
          "backward: the tensor is %s; only from a single number can gradients start by "
          "themselves, give one "
          "of this shape or reduce it (:sum(), :mean())",
          mlpli_tensor_text(a, t));
    return mlpl_tensor_full(cx, seed, (mlpl_dtype)t->dtype, t->ndim, t->shape, 1);
  }
  if (given->dtype != t->dtype || !mlpli_same_shape(given, t->ndim, t->shape))
    return mlpl_fail(cx, MLPL_ESHAPE,
        "backward: the tensor is %s of %s, the gradient given is %s of %s",
        mlpli_tensor_text(a, t), mlpl_dtype_name((mlpl_dtype)t->dtype),
        mlpli_tensor_text(b, given), mlpl_dtype_name((mlpl_dtype)given->dtype));
  *seed = mlpli_retain((mlpl_tensor *)(uintptr_t)given);
  return MLPL_OK;
}

mlpl_status mlpl_backward(
    mlpl_ctx *cx, mlpl_tensor *t, const mlpl_tensor *given, int flags) {
  if (!mlpli_tracked(t))
    return mlpl_fail(cx, MLPL_ESTATE,
        "backward: nothing was recorded for this tensor; no input of it requires a "
        "gradient, or it was made "
        "under no_grad");
  mlpl_tensor *seed;
  MLPL_TRY(make_seed(cx, t, given, &seed));
  bool was = mlpl_set_grad_enabled(cx, (flags & MLPL_CREATE_GRAPH) != 0);
  mlpl_status status = t->node ? pass(cx, t->node, seed, flags != 0)
                               : give_leaf(cx, t, seed);
  mlpl_set_grad_enabled(cx, was);
  mlpl_tensor_release(seed);
  return status;
}
