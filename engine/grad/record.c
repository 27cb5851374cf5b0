/* Recording: an operation's node holds what its backward needs and where gradients go. */
#include "grad/grad.h"

#include "base/profile.h"

#include <string.h>

void mlpli_node_spend(mlpli_node *n) {
  if (n->op->forget && !n->spent) n->op->forget(n);
  n->spent = true;
  for (int i = 0; i < n->n_in; i++) {
    mlpli_drop(&n->in[i]);
    mlpli_drop(&n->edge[i].leaf);
    mlpli_node *next = n->edge[i].node;
    n->edge[i].node = NULL;
    if (next) mlpli_node_release(next);
  }
  mlpli_drop(&n->out);
  mlpli_drop(&n->extra);
  if (n->hooks) mlpli_hooks_spend(n->hooks);
  n->hooks = NULL;
}

/*
** Graphs may be deeper than a stack, so a chain of nodes is freed in a loop: a node whose
** last holder goes is put on the context's list, which the outermost call empties.
*/
void mlpli_node_release(mlpli_node *n) {
  if (--n->refs > 0) return;
  mlpl_ctx *cx = n->cx;
  mlpli_drop(&n->grad);
  n->dying = cx->dying;
  cx->dying = n;
  if (n->dying) return; /* an outer call is at work */
  mlpli_ctx_retain(cx);
  while (cx->dying) {
    mlpli_node *top = cx->dying;
    if (!top->spent)
      mlpli_node_spend(top); /* may put others on top of it */
    else {
      cx->dying = top->dying;
      if (top->op->gone) top->op->gone(top);
      mlpli_free(cx->heap, top->place);
      mlpli_free(cx->heap, top);
      mlpli_ctx_release(cx);
    }
  }
  mlpli_ctx_release(cx);
}

void mlpli_edge_set(mlpli_edge *edge, mlpl_tensor *in) {
  edge->node = in->node ? mlpli_node_retain(in->node) : NULL;
  edge->leaf = !in->node && in->requires_grad ? mlpli_retain(in) : NULL;
}

unsigned mlpli_tracked_inputs(const mlpl_op *op, mlpl_tensor *const *in, int n) {
  unsigned tracked = 0;
  for (int i = 0; i < n; i++)
    if (in[i] && mlpli_input_in(op->differentiable, op, i) && mlpli_tracked(in[i]))
      tracked |= 1u << mlpli_input_place(op, i);
  return tracked;
}

static bool is_needed(unsigned by, unsigned tracked) { return !by || by & tracked; }

bool mlpli_saves_input(const mlpl_op *op, int i, unsigned tracked) {
  return mlpli_input_in(op->saves, op, i) &&
      is_needed(op->saved_for[mlpli_input_place(op, i)], tracked);
}

static void save_input(mlpli_node *n, int i, mlpl_tensor *in) {
  n->in[i] = mlpli_retain(in);
  n->version[i] = in->storage->version;
}

/* Options and edges, whose alignment is a pointer's, come first. */
mlpl_status mlpli_node_new(
    mlpl_ctx *cx, mlpli_node **out, const mlpl_op *op, int n_params, int n_in) {
  size_t slots = (size_t)(n_in > op->n_inputs ? n_in : op->n_inputs);
  size_t per_slot = sizeof(mlpli_edge) + sizeof(mlpl_tensor *) + sizeof(uint32_t);
  size_t options = (size_t)n_params * sizeof(mlpl_value);
  size_t bytes = sizeof(mlpli_node) + options + slots * per_slot;
  mlpli_node *n = *out = mlpli_alloc(cx->heap, bytes);
  if (!n) return mlpli_no_memory(cx, op->name, bytes);
  memset(n, 0, bytes);
  n->p = (mlpl_value *)(void *)(n + 1);
  n->edge = (mlpli_edge *)(void *)(n->p + n_params);
  n->in = (mlpl_tensor **)(void *)(n->edge + slots);
  n->version = (uint32_t *)(void *)(n->in + slots);
  n->refs = 1;
  n->cx = cx;
  n->op = op;
  n->said = cx->composing ? cx->composing : mlpli_said(op);
  n->n_in = n_in;
  mlpl_status status = cx->anomaly ? mlpli_note_place(cx, n) : MLPL_OK;
  if (status != MLPL_OK) {
    mlpli_free(cx->heap, n);
    *out = NULL;
    return status;
  }
  n->order = ++cx->n_recorded;
  mlpli_ctx_retain(cx);
  return MLPL_OK;
}

mlpl_status mlpli_record(mlpl_ctx *cx, const mlpli_call *c, mlpl_tensor *out) {
  const mlpl_op *op = c->op;
  const unsigned tracked = op->saves ? mlpli_tracked_inputs(op, c->in, c->n) : 0;
  mlpli_node *n;
  MLPL_TRY(mlpli_node_new(cx, &n, op, op->n_params, c->n));
  if (op->saves & MLPLI_SAVE_OUT && !c->forget_out && is_needed(op->out_for, tracked)) {
    mlpl_status status = mlpli_tensor_alias(cx, &n->out, out);
    if (status != MLPL_OK) {
      n->spent = true; /* its options are still the caller's */
      mlpli_node_release(n);
      return status;
    }
    n->out_version = out->storage->version;
  }
  for (int i = 0; i < c->n; i++) {
    if (!c->in[i]) continue;
    if (mlpli_input_in(op->differentiable, op, i)) {
      mlpli_edge_set(&n->edge[i], c->in[i]);
      n->in_dtype = c->in[i]->dtype;
    }
    if (mlpli_saves_input(op, i, tracked)) save_input(n, i, c->in[i]);
  }
  n->extra = c->extra ? mlpli_retain(c->extra) : NULL;
  n->dtype = out->dtype;
  n->ndim = out->ndim;
  memcpy(n->shape, out->shape, sizeof n->shape);
  if (c->p)
    memcpy(n->p, c->p, op->n_params * sizeof(mlpl_value));
  else
    for (int i = 0; i < op->n_params; i++) n->p[i] = mlpl_param_standard(&op->params[i]);
  if (cx->profile) {
    n->profile = mlpli_profile_layer(cx, op->name, "backward");
    n->flops = mlpli_op_flops(op, c->in, out);
  }
  out->node = n;
  return MLPL_OK;
}
