/*
** A tensor that is changed in place takes the history of the result that it becomes.
**
** Operations of that history may have saved the tensor as it was, and the tensor would hold
** them, and they it, for ever. So they get another tensor for it: of the same storage, whose
** version tells them that the values are gone, and with the history of that time. Recording
** pays nothing for this. The history is only searched where someone besides the caller
** holds the tensor, and only until nobody does.
*/
#include "grad/grad.h"

#include "base/buffer.h"

/* The nodes that were seen; those before `at` were looked into. */
typedef struct search {
  mlpl_ctx *cx;
  mlpl_tensor *t, *was; /* what is looked for, and what to put in its place */
  mlpli_buffer seen;
} search;

static mlpl_status see(search *s, mlpli_node *n) {
  if (!n || n->seen) return MLPL_OK;
  MLPL_TRY(mlpli_buffer_add(&s->seen, &n, sizeof n));
  n->seen = true;
  return MLPL_OK;
}

static mlpl_status replace(search *s, mlpl_tensor **saved) {
  if (!s->was) {
    MLPL_TRY(mlpli_tensor_alias(s->cx, &s->was, s->t));
    if (s->t->node) s->was->node = mlpli_node_retain(s->t->node);
  }
  mlpl_tensor_release(s->t); /* which the caller holds, too */
  *saved = mlpli_retain(s->was);
  return MLPL_OK;
}

/* What it saved may have become the result of something else since. */
static mlpl_status look_into(search *s, mlpli_node *n) {
  for (int i = 0; i < n->n_in; i++) {
    if (n->in[i] == s->t) MLPL_TRY(replace(s, &n->in[i]));
    MLPL_TRY(see(s, n->edge[i].node));
    if (n->in[i]) MLPL_TRY(see(s, n->in[i]->node));
  }
  return MLPL_OK;
}

static mlpli_node *seen_at(const search *s, size_t at) {
  return ((mlpli_node **)(void *)s->seen.p)[at];
}

static mlpl_status forget_in(mlpl_ctx *cx, mlpl_tensor *t, mlpli_node *from) {
  search s = {cx, t, NULL, mlpli_buffer_of(cx, "in place")};
  mlpl_status status = see(&s, from);
  for (size_t at = 0; status == MLPL_OK && t->refs > 1 && at < s.seen.n / sizeof from;
       at++)
    status = look_into(&s, seen_at(&s, at));
  for (size_t at = 0; at < s.seen.n / sizeof from; at++) seen_at(&s, at)->seen = false;
  mlpli_buffer_free(&s.seen);
  mlpl_tensor_release(s.was);
  return status;
}

mlpl_status mlpli_history_ready(mlpl_ctx *cx, mlpl_tensor *t, mlpl_tensor *r) {
  MLPL_TRY(mlpli_hooks_ready(cx, t, r));
  return t->refs > 1 && r->node ? forget_in(cx, t, r->node) : MLPL_OK;
}

void mlpli_history_take(mlpl_tensor *t, mlpl_tensor *r) {
  mlpli_node *old = t->node;
  mlpli_hooks_follow(t, r);
  t->node = r->node ? mlpli_node_retain(r->node) : NULL;
  t->storage->recorded = t->storage->version + 1;
  if (old) mlpli_node_release(old);
}
