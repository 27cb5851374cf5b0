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
  mlpli_drop(&t->grad);
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
        t->node->said);
  t->requires_grad = on;
  return MLPL_OK;
}

bool mlpl_tensor_is_leaf(const mlpl_tensor *t) { return !t->node; }

const char *mlpl_tensor_grad_fn(const mlpl_tensor *t) {
  return t->node ? t->node->said : NULL;
}

void mlpl_tensor_cut(mlpl_tensor *t) {
  mlpli_node *n = t->node;
  t->node = NULL;
  t->requires_grad = false;
  if (n && t->hooks) mlpli_hooks_leave(t); /* they are the node's */
  if (n) mlpli_node_release(n);
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

const mlpl_tensor *mlpli_input_seen(const mlpli_node *n, int i, mlpl_tensor *seen) {
  int ndim;
  const int64_t *shape;
  if (n->in[i]) return n->in[i];
  mlpli_input_shape(n, i, &ndim, &shape);
  *seen = (mlpl_tensor){.dtype = n->in_dtype, .ndim = (uint8_t)ndim};
  memcpy(seen->shape, shape, (size_t)ndim * sizeof *shape);
  return seen;
}

/* *slot += gx. In place where nobody else reads the sum so far, or whoever does is to see
   it grow; recorded when the pass is. */
static mlpl_status add_to(
    mlpl_ctx *cx, mlpl_tensor **slot, mlpl_tensor *gx, bool in_place) {
  mlpl_tensor *sum;
  if (!cx->grad_enabled && in_place && (*slot)->contiguous) {
    mlpli_map(MLPLK_ADD, *slot, *slot, gx, 0);
    mlpli_touch(*slot);
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

/* Two passes cannot gather in one node: the inner one would hand on what is not its own. */
static mlpl_status check_free(const mlpli_pass *p, const mlpli_node *n) {
  if (!n->queued || n->queued == p) return MLPL_OK;
  return mlpl_fail(p->cx, MLPL_ESTATE,
      "%s: the graph below %s is in the middle of another backward pass", p->what,
      n->said);
}

/* Where this pass gathers what a leaf gets; *sink NULL: in the leaf's own gradient. */
static mlpl_status leaf_sink(mlpli_pass *p, mlpl_tensor *leaf, mlpli_sink **sink) {
  *sink = leaf->sink && leaf->sink->pass == p ? leaf->sink : NULL;
  if (*sink || p->selective || !leaf->hooks) return MLPL_OK;
  return mlpli_sink_of(p, leaf, sink);
}

/* What is gathered nobody else changes: it is copied where it is shared. */
static mlpl_status gather(mlpl_ctx *cx, mlpl_tensor **slot, mlpl_tensor *gx) {
  if (*slot) return add_to(cx, slot, gx, is_ours(*slot));
  *slot = mlpli_retain(gx);
  return MLPL_OK;
}

static mlpl_status give_edge(mlpl_ctx *cx, const mlpli_edge *e, mlpl_tensor *gx) {
  mlpli_pass *p = cx->pass;
  mlpli_sink *sink;
  if (p->selective && (e->leaf || e->node) && !mlpli_is_selected(p, e)) return MLPL_OK;
  if (e->leaf) {
    MLPL_TRY(leaf_sink(p, e->leaf, &sink));
    return sink ? gather(cx, &sink->grad, gx) : give_leaf(cx, e->leaf, gx);
  }
  if (!e->node) return MLPL_OK;
  MLPL_TRY(check_free(p, e->node));
  return gather(cx, &e->node->grad, gx);
}

mlpl_status mlpli_give(mlpl_ctx *cx, mlpli_node *n, int i, mlpl_tensor *gx) {
  return give_edge(cx, &n->edge[i], gx);
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
  mlpli_sink *sink = NULL;
  MLPL_ASSERT(!cx->grad_enabled && mlpli_wants(n, i));
  if (e->leaf) MLPL_TRY(leaf_sink(cx->pass, e->leaf, &sink));
  if (e->leaf && !sink) {
    mlpl_tensor *leaf = e->leaf;
    bool own = leaf->grad && !leaf->grad->node;
    MLPL_TRY(writable(
        cx, &leaf->grad, own, leaf->has_grad, leaf->dtype, leaf->ndim, leaf->shape, add));
    leaf->has_grad = true;
    mlpli_touch(leaf->grad);
    *target = leaf->grad;
    return MLPL_OK;
  }
  int ndim;
  const int64_t *shape;
  mlpli_input_shape(n, i, &ndim, &shape);
  if (e->node) MLPL_TRY(check_free(cx->pass, e->node));
  mlpl_tensor **slot = sink ? &sink->grad : &e->node->grad;
  bool own = *slot && is_ours(*slot);
  MLPL_TRY(writable(cx, slot, own, *slot != NULL,
      e->node ? e->node->dtype : e->leaf->dtype, ndim, shape, add));
  *target = *slot;
  return MLPL_OK;
}

void mlpli_grad_undo(mlpli_node *n, int i) {
  mlpli_edge *e = &n->edge[i];
  mlpli_sink *sink = e->leaf ? e->leaf->sink : NULL;
  mlpl_tensor **slot = e->node ? &e->node->grad : NULL;
  if (sink && sink->pass == n->cx->pass)
    slot = &sink->grad;
  else if (e->leaf)
    e->leaf->has_grad = false;
  if (!slot) return;
  mlpli_drop(slot);
}

/* ---- the pass: a heap of nodes, the latest first ----------------------------------- */

#define FIRST (int)(sizeof((mlpli_pass *)0)->first / sizeof *((mlpli_pass *)0)->first)

static mlpl_status grow(mlpli_pass *p) {
  size_t bytes = 2 * (size_t)p->room * sizeof *p->node;
  mlpli_node **node = mlpli_alloc(p->cx->heap, bytes);
  if (!node) return mlpli_no_memory(p->cx, p->what, bytes);
  memcpy(node, p->node, (size_t)p->n * sizeof *node);
  if (p->node != p->first) mlpli_free(p->cx->heap, p->node);
  p->node = node;
  p->room *= 2;
  return MLPL_OK;
}

static mlpl_status push(mlpli_pass *p, mlpli_node *n) {
  MLPL_TRY(check_free(p, n));
  if (n->queued) return MLPL_OK;
  if (p->n == p->room) MLPL_TRY(grow(p));
  int i = p->n++;
  for (int up; i > 0 && p->node[up = (i - 1) / 2]->order < n->order; i = up)
    p->node[i] = p->node[up];
  p->node[i] = mlpli_node_retain(n);
  n->queued = p;
  return MLPL_OK;
}

static mlpli_node *pop(mlpli_pass *p) {
  mlpli_node *top = p->node[0], *last = p->node[--p->n];
  int i = 0;
  for (int down; (down = 2 * i + 1) < p->n; i = down) {
    if (down + 1 < p->n && p->node[down + 1]->order > p->node[down]->order) down++;
    if (p->node[down]->order <= last->order) break;
    p->node[i] = p->node[down];
  }
  if (p->n) p->node[i] = last;
  return top;
}

static void drop_grad(mlpli_node *n) {
  mlpli_drop(&n->grad);
  if (n->op->abandon) n->op->abandon(n);
}

static void empty(mlpli_pass *p) {
  while (p->n) {
    mlpli_node *n = pop(p);
    n->queued = NULL;
    drop_grad(n);
    mlpli_node_release(n);
  }
  if (p->node != p->first) mlpli_free(p->cx->heap, p->node);
}

static const char *input_text(char *buf, mlpl_ctx *cx, const mlpli_node *n, int i) {
  return mlpli_is_part(n) ? "an input" : mlpli_input_text(buf, cx, n->op, i);
}

static mlpl_status check_saved(mlpl_ctx *cx, const mlpli_node *n) {
  char name[MLPLI_INPUT_TEXT] = "the result";
  if (n->spent)
    return mlpl_fail(cx, MLPL_ESTATE,
        "backward: the graph below %s was freed by an earlier backward; to go through it "
        "twice, pass "
        "retain_graph to the first; a state that one step hands to the next wants "
        ":detach()",
        n->said);
  for (int i = 0; i < n->n_in; i++)
    if (n->op->n_inputs && n->edge[i].leaf && n->edge[i].leaf->dtype != n->in_dtype)
      return mlpl_fail(cx, MLPL_ESTATE,
          "backward: %s of %s was converted to %s after it was recorded",
          input_text(name, cx, n, i), n->said,
          mlpl_dtype_name((mlpl_dtype)n->edge[i].leaf->dtype));
  for (int i = 0; i <= n->n_in; i++) {
    const mlpl_tensor *t = i < n->n_in ? n->in[i] : n->out;
    if (t && t->storage->version != (i < n->n_in ? n->version[i] : n->out_version))
      return mlpl_fail(cx, MLPL_ESTATE,
          "backward: %s of %s was changed in place after it was recorded; its old value "
          "is needed",
          i < n->n_in ? input_text(name, cx, n, i) : name, n->said);
  }
  return MLPL_OK;
}

/* As much as forward for each input, of the two operands, that wants a gradient. */
static mlpl_status measured_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
  mlpli_span span;
  double flops = 0, bytes = mlpli_op_bytes(n->in, n->n_in, g);
  for (int i = 0; i < n->n_in && i < 2; i++)
    if (mlpli_wants(n, i)) flops += n->flops;
  mlpli_span_begin(cx, &span);
  mlpl_status status = n->op->backward(cx, n, g);
  mlpli_span_end(cx, &span, n->profile, 2 * bytes, flops);
  return status;
}

static mlpl_status check_gradients(mlpl_ctx *cx, const mlpli_node *n) {
  for (int i = 0; i < n->n_in; i++) {
    const mlpli_edge *e = &n->edge[i];
    if (!mlpli_wants(n, i)) continue;
    const mlpli_sink *sink = e->leaf ? e->leaf->sink : NULL;
    const mlpl_tensor *grad = e->node    ? e->node->grad
        : sink && sink->pass == cx->pass ? sink->grad
                                         : mlpl_tensor_grad(e->leaf);
    MLPL_TRY(mlpli_check_gradient(cx, n, i, grad));
  }
  return MLPL_OK;
}

/* An operation that the backward pass is made of complains as the one that was called; what
   concerns the pass stays, and what a row says that nobody calls. */
static mlpl_status fail_as_called(
    const mlpli_pass *p, const mlpli_node *n, mlpl_status status) {
  const char *text = mlpl_error(p->cx);
  const size_t length = strlen(p->what);
  const bool own = strncmp(text, p->what, length) == 0 && text[length] == ':';
  const bool host = n->op->n_inputs == 0;
  const bool inner = n->op->internal && !n->op->says && !mlpli_is_part(n);
  return own || host || inner ? status : mlpli_fail_as(p->cx, status, n->said, "");
}

/* What the operation's own backward makes of g. */
static mlpl_status through(mlpli_pass *p, mlpli_node *n, mlpl_tensor *g) {
  mlpl_ctx *cx = p->cx;
  MLPL_TRY(check_saved(cx, n));
  mlpl_status status = cx->profile ? measured_backward(cx, n, g)
                                   : n->op->backward(cx, n, g);
  if (status != MLPL_OK) return fail_as_called(p, n, status);
  return cx->anomaly ? check_gradients(cx, n) : MLPL_OK;
}

static bool is_sink(const mlpli_pass *p, const mlpli_node *n) {
  return n->sink && n->sink->pass == p;
}

/* Those who want to see the gradient of the operation's result: hooks, the result itself
   if it retains its gradient, mlpl_grad. */
static mlpl_status show(mlpli_pass *p, mlpli_node *n, mlpl_tensor **g) {
  if (n->hooks) {
    MLPL_TRY(mlpli_hooks_run(p->cx, n->hooks, g));
    if (p->cx->anomaly) MLPL_TRY(mlpli_check_hooked(p->cx, n, *g));
    if (n->hooks->keeper) MLPL_TRY(give_leaf(p->cx, n->hooks->keeper, *g));
  }
  if (is_sink(p, n)) MLPL_TRY(gather(p->cx, &n->sink->grad, *g));
  return MLPL_OK;
}

static bool leads_on(const mlpli_node *n) {
  for (int i = 0; i < n->n_in; i++)
    if (mlpli_wants(n, i)) return true;
  return false;
}

static mlpl_status step(mlpli_pass *p, mlpli_node *n) {
  mlpl_tensor *g = n->grad;
  n->grad = NULL;
  mlpl_status status = g && (n->hooks || n->sink) ? show(p, n, &g) : MLPL_OK;
  /* where a freed node led nobody knows any more: check_saved says so */
  bool go = !p->selective || leads_on(n) || (n->spent && !is_sink(p, n));
  if (status == MLPL_OK && g && go) status = through(p, n, g);
  mlpl_tensor_release(g);
  for (int i = 0; i < n->n_in && status == MLPL_OK; i++)
    if (n->edge[i].node && mlpli_wants(n, i)) status = push(p, n->edge[i].node);
  /* gradients given to nodes not queued yet would leak into the next pass */
  if (status != MLPL_OK) {
    for (int i = 0; i < n->n_in; i++)
      if (n->edge[i].node && !n->edge[i].node->queued) drop_grad(n->edge[i].node);
  }
  else if (!p->retain && go)
    mlpli_node_spend(n);
  return status;
}

static mlpl_status start(mlpli_pass *p, mlpl_tensor *root, mlpl_tensor *seed) {
  mlpli_edge e = {root->node, root->node ? NULL : root};
  MLPL_TRY(give_edge(p->cx, &e, seed));
  return e.node && (!p->selective || mlpli_is_selected(p, &e)) ? push(p, e.node)
                                                               : MLPL_OK;
}

/* All that a leaf with hooks got in this pass. */
static mlpl_status finish_leaves(mlpli_pass *p) {
  for (mlpli_sink *s = p->sinks; s; s = s->next) {
    if (s->grad && !s->node && s->t->hooks) {
      MLPL_TRY(mlpli_hooks_run(p->cx, s->t->hooks, &s->grad));
      if (p->cx->anomaly) MLPL_TRY(mlpli_check_hooked(p->cx, NULL, s->grad));
    }
    if (s->grad && !p->selective) MLPL_TRY(give_leaf(p->cx, s->t, s->grad));
  }
  return MLPL_OK;
}

static mlpl_status run(
    mlpli_pass *p, mlpl_tensor *const *roots, mlpl_tensor *const *seeds, int n) {
  mlpl_status status = p->selective ? mlpli_select(p, roots, n) : MLPL_OK;
  for (int i = 0; i < n && status == MLPL_OK; i++) status = start(p, roots[i], seeds[i]);
  while (status == MLPL_OK && p->n) {
    mlpli_node *node = pop(p);
    status = step(p, node);
    node->queued = NULL;
    mlpli_node_release(node);
  }
  return status == MLPL_OK ? finish_leaves(p) : status;
}

/* ---- calls ------------------------------------------------------------------------- */

static mlpl_status make_seed(const mlpli_pass *p, const mlpl_tensor *t,
    const mlpl_tensor *given, mlpl_tensor **seed) {
  char a[MLPLI_SHAPE_TEXT], b[MLPLI_SHAPE_TEXT];
  mlpl_ctx *cx = p->cx;
  if (!mlpli_tracked(t))
    return mlpl_fail(cx, MLPL_ESTATE,
        "%s: nothing was recorded for this tensor; no input of it requires a gradient, "
        "it was made under no_grad, it is a gradient computed without create_graph, or "
        "it "
        "is a constant: the gradient of a function that is linear piece by piece (ReLU)",
        p->what);
  if (!given) {
    if (t->numel != 1)
      return mlpl_fail(cx, MLPL_ESHAPE,
          "%s: the tensor is %s; only from a single number can gradients start by "
          "themselves, give one of this shape or reduce it (:sum(), :mean())",
          p->what, mlpli_tensor_text(a, t));
    return mlpl_tensor_full(cx, seed, (mlpl_dtype)t->dtype, t->ndim, t->shape, 1);
  }
  if (given->dtype != t->dtype || !mlpli_same_shape(given, t->ndim, t->shape))
    return mlpl_fail(cx, MLPL_ESHAPE,
        "%s: the tensor is %s of %s, the gradient given is %s of %s", p->what,
        mlpli_tensor_text(a, t), mlpl_dtype_name((mlpl_dtype)t->dtype),
        mlpli_tensor_text(b, given), mlpl_dtype_name((mlpl_dtype)given->dtype));
  if (cx->anomaly) MLPL_TRY(mlpli_check_seed(cx, given));
  *seed = mlpli_retain((mlpl_tensor *)(uintptr_t)given);
  return MLPL_OK;
}

static void open_pass(mlpli_pass *p, mlpl_ctx *cx, const char *what, bool retain) {
  p->cx = cx;
  p->outer = cx->pass;
  p->what = what;
  p->id = ++cx->n_passes;
  p->selective = false;
  p->retain = retain;
  p->sinks = p->last_sink = NULL;
  p->mark = NULL;
  p->n_marks = p->mark_room = p->n = 0;
  p->room = FIRST;
  p->node = p->first;
  cx->pass = p;
}

static void close_pass(mlpli_pass *p) {
  empty(p);
  mlpli_unselect(p);
  mlpli_sinks_close(p);
  p->cx->pass = p->outer;
}

/* Hooks and host functions may let go of whatever they can reach: roots are held. */
static mlpl_status run_held(mlpli_pass *p, mlpl_tensor *const *roots,
    mlpl_tensor *const *seeds, int n, int flags) {
  bool was = mlpl_set_grad_enabled(p->cx, (flags & MLPL_CREATE_GRAPH) != 0);
  for (int i = 0; i < n; i++) mlpli_retain(roots[i]);
  mlpl_status status = run(p, roots, seeds, n);
  for (int i = 0; i < n; i++) mlpl_tensor_release(roots[i]);
  mlpl_set_grad_enabled(p->cx, was);
  return status;
}

#define KEEPS_GRAPH (MLPL_RETAIN_GRAPH | MLPL_CREATE_GRAPH)

mlpl_status mlpl_backward(
    mlpl_ctx *cx, mlpl_tensor *t, const mlpl_tensor *given, int flags) {
  mlpli_pass p;
  mlpl_tensor *seed = NULL;
  open_pass(&p, cx, "backward", (flags & KEEPS_GRAPH) != 0);
  mlpl_status status = make_seed(&p, t, given, &seed);
  if (status == MLPL_OK) status = run_held(&p, &t, &seed, 1, flags);
  close_pass(&p);
  mlpl_tensor_release(seed);
  return status;
}

static mlpl_status open_sinks(
    mlpli_pass *p, mlpl_tensor *const *inputs, int n, mlpli_sink **sink) {
  p->selective = true;
  for (int i = 0; i < n; i++) {
    if (!mlpli_tracked(inputs[i]))
      return mlpl_fail(p->cx, MLPL_ESTATE,
          "%s: input %d does not require a gradient; ask for it (requires_grad_) before "
          "the outputs are computed",
          p->what, i + p->cx->index_base);
    MLPL_TRY(mlpli_sink_of(p, inputs[i], &sink[i]));
  }
  return MLPL_OK;
}

static mlpl_status take_grads(
    mlpli_pass *p, mlpli_sink *const *sink, int n, int flags, mlpl_tensor **grads) {
  for (int i = 0; i < n; i++) {
    mlpl_tensor *g = sink[i]->grad;
    if (!g && !(flags & MLPL_ALLOW_UNUSED))
      return mlpl_fail(p->cx, MLPL_ESTATE,
          "grad: input %d was not used to compute the outputs; allow_unused gives no "
          "gradient for it",
          i + p->cx->index_base);
    if (!g) continue;
    if (is_ours(g)) {
      grads[i] = mlpli_retain(g);
      g->is_view = false; /* of what nobody else holds */
    }
    else
      MLPL_TRY(
          mlpli_apply(p->cx, &grads[i], MLPLI_OP_CLONE, (mlpl_tensor *[]){g}, 1, NULL));
  }
  return MLPL_OK;
}

static mlpl_status grad(mlpli_pass *p, mlpl_tensor **grads, mlpl_tensor *const *outputs,
    mlpl_tensor *const *given, mlpl_tensor **seeds, int n_out, mlpl_tensor *const *inputs,
    mlpli_sink **sink, int n_in, int flags) {
  MLPL_TRY(open_sinks(p, inputs, n_in, sink));
  for (int i = 0; i < n_out; i++)
    MLPL_TRY(make_seed(p, outputs[i], given ? given[i] : NULL, &seeds[i]));
  MLPL_TRY(run_held(p, outputs, seeds, n_out, flags));
  bool was = mlpl_set_grad_enabled(p->cx, (flags & MLPL_CREATE_GRAPH) != 0);
  mlpl_status status = take_grads(p, sink, n_in, flags, grads);
  mlpl_set_grad_enabled(p->cx, was);
  return status;
}

mlpl_status mlpl_grad(mlpl_ctx *cx, mlpl_tensor **grads, mlpl_tensor *const *outputs,
    mlpl_tensor *const *given, int n_out, mlpl_tensor *const *inputs, int n_in,
    int flags) {
  mlpli_pass p;
  mlpl_tensor **seeds;
  mlpli_sink **sink;
  for (int i = 0; i < n_in; i++) grads[i] = NULL;
  if (n_out < 1 || n_in < 1)
    return mlpl_fail(cx, MLPL_EARG,
        "grad: %d outputs and %d inputs; there must be one of each at least", n_out,
        n_in);
  MLPL_TRY(mlpli_new(cx, &seeds, (size_t)n_out * sizeof *seeds, "grad"));
  mlpl_status status = mlpli_new(cx, &sink, (size_t)n_in * sizeof *sink, "grad");
  if (status == MLPL_OK) {
    open_pass(&p, cx, "grad", (flags & KEEPS_GRAPH) != 0);
    status = grad(&p, grads, outputs, given, seeds, n_out, inputs, sink, n_in, flags);
    close_pass(&p);
    mlpli_free(cx->heap, sink);
  }
  for (int i = 0; i < n_out; i++) mlpl_tensor_release(seeds[i]);
  mlpli_free(cx->heap, seeds);
  for (int i = 0; i < n_in && status != MLPL_OK; i++) mlpli_drop(&grads[i]);
  return status;
}

/* Into .grad, once all of them are there. */
static mlpl_status keep_grads(mlpl_ctx *cx, const mlpli_pass *p) {
  for (mlpli_sink *s = p->sinks; s; s = s->next)
    if (s->grad) MLPL_TRY(give_leaf(cx, s->t, s->grad));
  return MLPL_OK;
}

mlpl_status mlpl_backward_into(mlpl_ctx *cx, mlpl_tensor *t, const mlpl_tensor *given,
    mlpl_tensor *const *inputs, int n_in, int flags) {
  mlpli_pass p;
  mlpli_sink **sink;
  mlpl_tensor *seed = NULL;
  if (n_in < 1)
    return mlpl_fail(cx, MLPL_EARG,
        "backward: the list of inputs is empty; without one, all leaves get gradients");
  MLPL_TRY(mlpli_new(cx, &sink, (size_t)n_in * sizeof *sink, "backward"));
  open_pass(&p, cx, "backward", (flags & KEEPS_GRAPH) != 0);
  mlpl_status status = open_sinks(&p, inputs, n_in, sink);
  if (status == MLPL_OK) status = make_seed(&p, t, given, &seed);
  if (status == MLPL_OK) status = run_held(&p, &t, &seed, 1, flags);
  if (status == MLPL_OK) {
    bool was = mlpl_set_grad_enabled(cx, (flags & MLPL_CREATE_GRAPH) != 0);
    status = keep_grads(cx, &p);
    mlpl_set_grad_enabled(cx, was);
  }
  close_pass(&p);
  mlpl_tensor_release(seed);
  mlpli_free(cx->heap, sink);
  return status;
}
