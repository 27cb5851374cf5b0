/*
** Hooks: functions that see, and may replace, the gradient of one tensor. A leaf holds its
** own; those of a result belong to the operation that made it, and go with the graph. A
** result that retains its gradient shares the list with its node, and takes its name off
** it when it goes.
*/
#include "grad/grad.h"

struct mlpl_hook {
  int refs;
  bool removed;
  mlpl_ctx *cx;
  mlpl_hook *next;
  mlpl_hook_function *f;
  void (*release)(void *ud);
  void *ud;
};

static void let_go(mlpl_hook *h) {
  if (h->removed) return;
  h->removed = true;
  if (h->release) h->release(h->ud);
}

static mlpl_hook *hold(mlpl_hook *h) {
  if (h) h->refs++;
  return h;
}

void mlpl_hook_release(mlpl_hook *h) {
  while (h && --h->refs == 0) {
    mlpl_ctx *cx = h->cx;
    mlpl_hook *next = h->next; /* a list that is freed from here on */
    let_go(h);
    mlpli_free(cx->heap, h);
    mlpli_ctx_release(cx);
    h = next;
  }
}

/* It stays in its list, where it does nothing, so that a hook may remove any. */
void mlpl_hook_remove(mlpl_hook *h) { let_go(h); }

/* ---- lists ------------------------------------------------------------------------- */

bool mlpli_hooks_wait(const mlpl_tensor *t) {
  for (const mlpl_hook *k = t->hooks ? t->hooks->first : NULL; k; k = k->next)
    if (!k->removed) return true;
  return false;
}

static void hooks_release(mlpli_hooks *h) {
  if (--h->refs > 0) return;
  mlpl_ctx *cx = h->cx;
  for (mlpl_hook *k = h->first; k; k = k->next) let_go(k);
  mlpl_hook_release(h->first);
  mlpli_free(cx->heap, h);
  mlpli_ctx_release(cx);
}

void mlpli_hooks_spend(mlpli_hooks *h) {
  for (mlpl_hook *k = h->first; k; k = k->next) let_go(k);
  hooks_release(h);
}

void mlpli_hooks_leave(mlpl_tensor *t) {
  mlpli_hooks *h = t->hooks;
  t->hooks = NULL;
  if (h->keeper == t) h->keeper = NULL;
  hooks_release(h);
}

static mlpl_status hooks_of(mlpl_ctx *cx, mlpl_tensor *t, mlpli_hooks **out) {
  mlpli_hooks **place = t->node ? &t->node->hooks : &t->hooks, *h = *out = *place;
  if (h) return MLPL_OK;
  MLPL_TRY(mlpli_new(cx, &h, sizeof *h, "register_hook"));
  h->refs = 1;
  h->cx = cx;
  mlpli_ctx_retain(cx);
  *out = *place = h;
  return MLPL_OK;
}

/* Removed ones make room when another is added. */
static void sweep(mlpli_hooks *h) {
  mlpl_hook **at = &h->first;
  h->last = NULL;
  while (*at) {
    mlpl_hook *k = *at;
    if (k->removed) {
      *at = k->next;
      k->next = NULL;
      mlpl_hook_release(k);
    }
    else {
      h->last = k;
      at = &k->next;
    }
  }
}

static mlpl_status add_hook(mlpl_ctx *cx, mlpl_hook **out, mlpl_tensor *t,
    mlpl_hook_function *f, void (*release)(void *ud), void *ud) {
  mlpli_hooks *h;
  mlpl_hook *k;
  if (!mlpli_tracked(t))
    return mlpl_fail(
        cx, MLPL_ESTATE, "register_hook: the tensor does not require a gradient");
  if (t->node && t->node->spent)
    return mlpl_fail(cx, MLPL_ESTATE,
        "register_hook: the graph below %s was freed by an earlier backward",
        t->node->said);
  MLPL_TRY(hooks_of(cx, t, &h));
  MLPL_TRY(mlpli_new(cx, &k, sizeof *k, "register_hook"));
  *k = (mlpl_hook){1, false, cx, NULL, f, release, ud};
  mlpli_ctx_retain(cx);
  if (h->running == 0) sweep(h);
  if (h->last)
    h->last->next = k;
  else
    h->first = k;
  h->last = k;
  *out = hold(k);
  return MLPL_OK;
}

mlpl_status mlpl_tensor_register_hook(mlpl_ctx *cx, mlpl_hook **out, mlpl_tensor *t,
    mlpl_hook_function *f, void (*release)(void *ud), void *ud) {
  *out = NULL;
  mlpl_status status = add_hook(cx, out, t, f, release, ud);
  if (status != MLPL_OK && release) release(ud);
  return status;
}

/* ---- running ----------------------------------------------------------------------- */

static mlpl_status check_replacement(
    mlpl_ctx *cx, const mlpl_tensor *g, const mlpl_tensor *now) {
  char a[MLPLI_SHAPE_TEXT], b[MLPLI_SHAPE_TEXT];
  if (g->dtype == now->dtype && mlpli_same_shape(now, g->ndim, g->shape)) return MLPL_OK;
  return mlpl_fail(cx, MLPL_ESHAPE,
      "register_hook: the gradient is %s of %s, the hook gave %s of %s",
      mlpli_tensor_text(a, g), mlpl_dtype_name((mlpl_dtype)g->dtype),
      mlpli_tensor_text(b, now), mlpl_dtype_name((mlpl_dtype)now->dtype));
}

static mlpl_status run_one(mlpl_ctx *cx, mlpl_hook *k, mlpl_tensor **g) {
  mlpl_tensor *now = NULL;
  bool was = cx->grad_enabled;
  mlpl_status status = k->f(cx, k->ud, &now, *g);
  mlpl_set_grad_enabled(cx, was);
  if (status == MLPL_OK && now) status = check_replacement(cx, *g, now);
  if (status != MLPL_OK || !now) {
    mlpl_tensor_release(now);
    return status;
  }
  mlpl_tensor_release(*g);
  *g = now;
  return MLPL_OK;
}

/* Hooks that a hook adds run from the next pass on. */
mlpl_status mlpli_hooks_run(mlpl_ctx *cx, mlpli_hooks *h, mlpl_tensor **g) {
  mlpl_status status = MLPL_OK;
  const mlpl_hook *last = h->last;
  h->refs++;
  h->running++;
  for (mlpl_hook *k = h->first; k && status == MLPL_OK; k = k->next) {
    if (!k->removed) status = run_one(cx, k, g);
    if (k == last) break;
  }
  h->running--;
  hooks_release(h);
  return status;
}

/* ---- gradients of results ---------------------------------------------------------- */

mlpl_status mlpl_tensor_retain_grad(mlpl_ctx *cx, mlpl_tensor *t) {
  mlpli_hooks *h;
  if (!mlpli_tracked(t))
    return mlpl_fail(
        cx, MLPL_ESTATE, "retain_grad: the tensor does not require a gradient");
  if (!t->node) return MLPL_OK; /* a leaf does so anyway */
  MLPL_TRY(hooks_of(cx, t, &h));
  if (t->hooks != h) {
    if (t->hooks) mlpli_hooks_leave(t);
    t->hooks = h;
    h->refs++;
  }
  h->keeper = t;
  return MLPL_OK;
}

/* What can fail is done with r, the result, before t takes its place. */
mlpl_status mlpli_hooks_ready(mlpl_ctx *cx, const mlpl_tensor *t, mlpl_tensor *r) {
  return mlpl_tensor_retains_grad(t) && r->node ? mlpl_tensor_retain_grad(cx, r) : MLPL_OK;
}

void mlpli_hooks_follow(mlpl_tensor *t, mlpl_tensor *r) {
  if (t->hooks) mlpli_hooks_leave(t);
  t->hooks = r->hooks;
  r->hooks = NULL;
  if (t->hooks) t->hooks->keeper = t;
}

bool mlpl_tensor_retains_grad(const mlpl_tensor *t) {
  return t->node && t->hooks && t->hooks->keeper == t;
}
