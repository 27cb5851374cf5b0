/*
** Looking for the first NaN or infinity: every result of an operation and, in the backward
** pass, every gradient. All before it was finite, so the operation that is found made it.
*/
#include "grad/grad.h"

#include "tensor/walk.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define PLACE 160 /* bytes of a place in a script */

void mlpl_set_anomaly(mlpl_ctx *cx, bool on, mlpl_where *where, void *ud) {
  cx->anomaly = on;
  cx->where = where;
  cx->where_ud = ud;
}

bool mlpl_anomaly(const mlpl_ctx *cx) { return cx->anomaly; }

/* ---- looking ----------------------------------------------------------------------- */

typedef enum kind { FINITE, INFINITE, NOT_A_NUMBER } kind;

/* The worst there is in t, and the place of the first such element, row-major. */
static kind worst(const mlpl_tensor *t, int64_t *place) {
  mlpli_walk w;
  kind found = FINITE;
  if (!mlpli_is_real(t)) return FINITE;
  mlpli_walk_init(&w, t->ndim, t->shape, 1, (const int64_t *[]){t->stride});
  int64_t n = mlpli_walk_run(&w), runs = mlpli_walk_n_runs(&w), at;
  const int64_t step = w.stride[0][w.ndim - 1], size = mlpli_dtype_size[t->dtype];
  for (int64_t i = 0; i < runs; i++) {
    mlpli_walk_at(&w, i, &at);
    for (int64_t k = 0; k < n; k++) {
      double v = mlpli_load(t->data + (at + k * step) * size, t->dtype);
      if (isfinite(v) || (found == INFINITE && !isnan(v))) continue;
      found = isnan(v) ? NOT_A_NUMBER : INFINITE;
      *place = i * n + k;
      if (found == NOT_A_NUMBER) return found;
    }
  }
  return found;
}

static const char *name_of(kind k) { return k == INFINITE ? "infinite" : "NaN"; }

/* ---- places in scripts ------------------------------------------------------------- */

/* "; called at train.lua:12", or "" */
static void place_text(char *text, size_t size, const char *place) {
  text[0] = '\0';
  if (place && *place) snprintf(text, size, "; called at %s", place);
}

static void here(mlpl_ctx *cx, char *place) {
  place[0] = '\0';
  if (cx->where) cx->where(cx->where_ud, place, PLACE);
}

mlpl_status mlpli_note_place(mlpl_ctx *cx, mlpli_node *n) {
  char place[PLACE];
  here(cx, place);
  size_t bytes = strlen(place) + 1;
  n->place = mlpli_alloc(cx->heap, bytes);
  if (!n->place) return mlpli_no_memory(cx, n->op->name, bytes);
  memcpy(n->place, place, bytes);
  return MLPL_OK;
}

/* ---- checks ------------------------------------------------------------------------ */

static mlpl_status found_in_input(mlpl_ctx *cx, const mlpli_call *c, int i, int64_t at) {
  char place[PLACE], text[PLACE + 16], name[MLPLI_INPUT_TEXT];
  here(cx, place);
  place_text(text, sizeof text, place);
  return mlpl_fail(cx, MLPL_ENUMERIC,
      "%s: element %lld of %s is NaN, which no operation made since anomaly detection is "
      "on%s",
      c->op->name, (long long)(at + cx->index_base), mlpli_input_text(name, cx, c->op, i),
      text);
}

/* Did the script ask for it: masked_fill with -inf? */
static bool is_asked_for(const mlpli_call *c, kind made) {
  for (int i = 0; c->op->places_options && c->p && i < c->op->n_params; i++) {
    const double *v = &c->p[i].f;
    int n = 0;
    if (c->op->params[i].type == MLPL_PARAM_REAL) n = 1;
    if (c->op->params[i].type == MLPL_PARAM_PAIR) v = c->p[i].pair, n = 2;
    for (int k = 0; k < n; k++)
      if (made == INFINITE ? isinf(v[k]) : isnan(v[k])) return true;
  }
  return false;
}

/*
** Infinity that was there before may go on: masks are made of it. What an operation makes
** inside a backward pass is judged by what comes of it: a product with 0 may hide an
** infinity that PyTorch's formulas pass through, too.
*/
mlpl_status mlpli_check_result(
    mlpl_ctx *cx, const mlpli_call *c, const mlpl_tensor *out) {
  char place[PLACE], text[PLACE + 16], shape[MLPLI_SHAPE_TEXT];
  int64_t at, seen;
  if (cx->pass || !out) return MLPL_OK;
  kind made = worst(out, &at);
  if (made == FINITE || is_asked_for(c, made)) return MLPL_OK;
  for (int i = 0; i < c->n; i++) {
    kind had = c->in[i] ? worst(c->in[i], &seen) : FINITE;
    if (had == NOT_A_NUMBER) return found_in_input(cx, c, i, seen);
    if (had == INFINITE && made == INFINITE) return MLPL_OK;
  }
  here(cx, place);
  place_text(text, sizeof text, place);
  return mlpl_fail(cx, MLPL_ENUMERIC,
      "%s: element %lld of the result %s is %s, the first there is%s", c->op->name,
      (long long)(at + cx->index_base), mlpli_tensor_text(shape, out), name_of(made),
      text);
}

/* `of`: "of input of sqrt"; place: where the script called it, or NULL. */
static mlpl_status look_at_gradient(
    mlpl_ctx *cx, const mlpl_tensor *grad, const char *of, const char *place) {
  char text[PLACE + 16];
  int64_t at;
  const kind made = grad ? worst(grad, &at) : FINITE;
  if (made == FINITE) return MLPL_OK;
  place_text(text, sizeof text, place);
  return mlpl_fail(cx, MLPL_ENUMERIC,
      "backward: element %lld of the gradient %s is %s, the first there is%s",
      (long long)(at + cx->index_base), of, name_of(made), text);
}

mlpl_status mlpli_check_gradient(
    mlpl_ctx *cx, const mlpli_node *n, int i, const mlpl_tensor *grad) {
  char of[128], number[32];
  const char *input = i < MLPL_MAX_INPUTS ? n->op->input_name[i] : NULL;
  snprintf(number, sizeof number, "input %d", i + cx->index_base);
  if (!input && n->op->n_inputs == 0) input = number; /* of a host's function */
  snprintf(of, sizeof of, "of %s%s%s%s%s", input ? input : "", input ? " of " : "",
      mlpli_said(n->op), mlpli_is_part(n) ? " in " : "", mlpli_is_part(n) ? n->said : "");
  return look_at_gradient(cx, grad, of, n->place);
}

mlpl_status mlpli_check_hooked(
    mlpl_ctx *cx, const mlpli_node *n, const mlpl_tensor *grad) {
  char of[96], shape[MLPLI_SHAPE_TEXT];
  if (n)
    snprintf(of, sizeof of, "that a hook on the result of %s left", n->said);
  else
    snprintf(
        of, sizeof of, "that a hook on a leaf %s left", mlpli_tensor_text(shape, grad));
  return look_at_gradient(cx, grad, of, n ? n->place : NULL);
}

mlpl_status mlpli_check_seed(mlpl_ctx *cx, const mlpl_tensor *seed) {
  return look_at_gradient(cx, seed, "that backward was given", NULL);
}
