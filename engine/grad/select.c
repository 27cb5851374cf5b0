/*
** What a backward pass is asked for: sinks, where it gathers the gradient of one tensor,
** and the part of the graph that leads to them. The rest is neither computed nor spent.
*/
#include "grad/grad.h"

#include "base/buffer.h"

/* ---- sinks ------------------------------------------------------------------------- */

static mlpli_sink **place_of(mlpl_tensor *t) {
  return t->node ? &t->node->sink : &t->sink;
}

mlpl_status mlpli_sink_of(mlpli_pass *p, mlpl_tensor *t, mlpli_sink **sink) {
  mlpli_sink **place = place_of(t), *s = *sink = *place;
  if (s && s->pass == p) return MLPL_OK;
  *sink = NULL;
  MLPL_TRY(mlpli_new(p->cx, &s, sizeof *s, p->what));
  s->pass = p;
  s->outer = *place;
  s->t = mlpli_retain(t);
  s->node = t->node ? mlpli_node_retain(t->node) : NULL;
  if (p->last_sink)
    p->last_sink->next = s;
  else
    p->sinks = s;
  p->last_sink = *place = *sink = s;
  return MLPL_OK;
}

/* The tensor may have another node by now: a hook changed it in place. */
void mlpli_sinks_close(mlpli_pass *p) {
  while (p->sinks) {
    mlpli_sink *s = p->sinks;
    p->sinks = s->next;
    if (s->node)
      s->node->sink = s->outer;
    else
      s->t->sink = s->outer;
    if (s->node) mlpli_node_release(s->node);
    mlpl_tensor_release(s->grad);
    mlpl_tensor_release(s->t);
    mlpli_free(p->cx->heap, s);
  }
  p->last_sink = NULL;
}

/* ---- what leads to them ------------------------------------------------------------ */

/* A node that was visited, held, and what a pass around this one had said of it. */
typedef struct mlpli_mark {
  mlpli_node *node;
  uint64_t stamp;
  bool needed;
} mlpli_mark;

static mlpl_status visit(mlpli_pass *p, mlpli_node *n) {
  if (!n || n->stamp == p->id) return MLPL_OK;
  if (p->n_marks == p->mark_room) {
    int room = p->mark_room ? 2 * p->mark_room : 64;
    size_t bytes = (size_t)room * sizeof *p->mark;
    mlpli_mark *mark = mlpli_realloc(p->cx->heap, p->mark, bytes);
    if (!mark) return mlpli_no_memory(p->cx, p->what, bytes);
    p->mark = mark;
    p->mark_room = room;
  }
  p->mark[p->n_marks++] = (mlpli_mark){mlpli_node_retain(n), n->stamp, n->needed};
  n->stamp = p->id;
  n->needed = false;
  return MLPL_OK;
}

static bool ran_before(const void *marks, int64_t a, int64_t b) {
  const mlpli_mark *mark = marks;
  return mark[a].node->order < mark[b].node->order;
}

/* Does it lead to a sink? Its inputs know already. A freed one may: that is an error. */
static bool is_needed(const mlpli_pass *p, const mlpli_node *n) {
  if (n->spent || (n->sink && n->sink->pass == p)) return true;
  for (int i = 0; i < n->n_in; i++) {
    const mlpli_edge *e = &n->edge[i];
    if ((e->node || e->leaf) && mlpli_is_selected(p, e)) return true;
  }
  return false;
}

/* An operation ran after those that made its inputs, so one look at each, the first to run
   first, is enough. */
mlpl_status mlpli_select(mlpli_pass *p, mlpl_tensor *const *roots, int n) {
  for (int i = 0; i < n; i++) MLPL_TRY(visit(p, roots[i]->node));
  for (int at = 0; at < p->n_marks; at++) {
    const mlpli_node *node = p->mark[at].node;
    for (int i = 0; i < node->n_in; i++) MLPL_TRY(visit(p, node->edge[i].node));
  }
  int64_t *order;
  MLPL_TRY(mlpli_new(p->cx, &order, (size_t)p->n_marks * sizeof *order, p->what));
  for (int at = 0; at < p->n_marks; at++) order[at] = at;
  mlpli_sort(order, p->n_marks, ran_before, p->mark);
  for (int at = 0; at < p->n_marks; at++) {
    mlpli_node *node = p->mark[order[at]].node;
    node->needed = is_needed(p, node);
  }
  mlpli_free(p->cx->heap, order);
  return MLPL_OK;
}

void mlpli_unselect(mlpli_pass *p) {
  while (p->n_marks) {
    const mlpli_mark *m = &p->mark[--p->n_marks];
    m->node->stamp = m->stamp;
    m->node->needed = m->needed;
    mlpli_node_release(m->node);
  }
  mlpli_free(p->cx->heap, p->mark);
  p->mark = NULL;
}
