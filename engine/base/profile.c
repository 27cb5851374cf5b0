/*
** Where the time goes: calls, seconds, bytes and floating-point operations by layer,
** operation and pass. Off, it costs one test of a pointer a call. Spans may nest (a
** backward pass is made of operations); only the outermost counts.
*/
#include "base/profile.h"

#include <stdio.h>
#include <string.h>

#define LABEL 48
#define DEPTH 16 /* containers inside containers that a label tells apart */

struct mlpli_profile {
  int n, room, depth;
  int level, place[DEPTH]; /* which child of which container is at work, from 1 */
  const char *kind;        /* of the innermost layer */
  mlpl_profile_entry *entry;
};

mlpl_status mlpl_profile_start(mlpl_ctx *cx) {
  mlpl_profile_stop(cx);
  return mlpli_new(cx, &cx->profile, sizeof *cx->profile, "profile");
}

void mlpl_profile_stop(mlpl_ctx *cx) {
  if (!cx->profile) return;
  mlpli_free(cx->heap, cx->profile->entry);
  mlpli_free(cx->heap, cx->profile);
  cx->profile = NULL;
}

int mlpl_profile_count(const mlpl_ctx *cx) { return cx->profile ? cx->profile->n : 0; }

const mlpl_profile_entry *mlpl_profile_at(const mlpl_ctx *cx, int i) {
  return i >= 0 && i < mlpl_profile_count(cx) ? &cx->profile->entry[i] : NULL;
}

/* ---- the layer at work ------------------------------------------------------------- */

void mlpli_profile_enter(mlpl_ctx *cx, int place, const char *kind) {
  mlpli_profile *p = cx->profile;
  if (p->level < DEPTH) p->place[p->level] = place;
  p->level++;
  p->kind = kind;
}

void mlpli_profile_leave(mlpl_ctx *cx) {
  cx->profile->level--;
  cx->profile->kind = NULL;
}

/* "2.1 Linear"; "" outside every container. */
static void label_of(const mlpli_profile *p, char *label) {
  size_t at = 0;
  label[0] = '\0';
  for (int i = 0; i < p->level && i < DEPTH && at < LABEL - 8; i++)
    at += (size_t)snprintf(label + at, LABEL - at, "%s%d", i ? "." : "", p->place[i]);
  if (at && p->kind) snprintf(label + at, LABEL - at, " %s", p->kind);
}

int mlpli_profile_layer(mlpl_ctx *cx, const char *operation, const char *pass) {
  mlpli_profile *p = cx->profile;
  char label[LABEL];
  label_of(p, label);
  for (int i = 0; i < p->n; i++) {
    const mlpl_profile_entry *e = &p->entry[i];
    if (strcmp(e->operation, operation) == 0 && strcmp(e->pass, pass) == 0 &&
        strcmp(e->layer, label) == 0)
      return i;
  }
  if (p->n == p->room) {
    int room = p->room ? 2 * p->room : 32;
    mlpl_profile_entry *more = mlpli_realloc(
        cx->heap, p->entry, (size_t)room * sizeof *more);
    if (!more) return -1; /* what does not fit goes uncounted */
    p->entry = more;
    p->room = room;
  }
  mlpl_profile_entry *e = &p->entry[p->n];
  memset(e, 0, sizeof *e);
  snprintf(e->layer, sizeof e->layer, "%s", label);
  e->operation = operation;
  e->pass = pass;
  return p->n++;
}

/* ---- spans ------------------------------------------------------------------------- */

void mlpli_span_begin(mlpl_ctx *cx, mlpli_span *span) {
  cx->profile->depth++;
  span->start = mlpl_clock();
}

void mlpli_span_end(
    mlpl_ctx *cx, const mlpli_span *span, int entry, double bytes, double flops) {
  mlpli_profile *p = cx->profile;
  if (!p || --p->depth > 0 || entry < 0 || entry >= p->n) return;
  mlpl_profile_entry *e = &p->entry[entry];
  e->calls++;
  e->seconds += mlpl_clock() - span->start;
  e->bytes += bytes;
  e->flops += flops;
}
