/*
** Differentiable functions of the host's. A node has one output, a function any number, so
** it is recorded as several nodes that share one `function`:
**
**   gates   one for each output: they gather its gradient, and hand it to the core
**   core    calls the host when the gradients of all outputs are there, and hands the
**           host's gradients to the inputs
*/
#include "grad/grad.h"

#include <stdio.h>
#include <string.h>

#define NAME 48

typedef struct input {
  uint8_t dtype, ndim;
  bool given;
  int64_t shape[MLPL_MAX_RANK];
  mlpl_tensor *grad; /* from the host, on its way */
} input;

typedef struct output {
  uint8_t dtype, ndim;
  int64_t shape[MLPL_MAX_RANK];
  mlpl_tensor *grad; /* gathered, on its way to the host */
  mlpli_node *gate;  /* borrowed; NULL: gone */
} output;

typedef struct saved {
  mlpl_tensor *t; /* held; of an output: an alias without history */
  uint32_t version;
  int output; /* -1: it is none */
} saved;

typedef struct function {
  int refs; /* nodes */
  mlpl_ctx *cx;
  mlpl_custom_function host;
  mlpl_op core_row, gate_row;
  mlpli_node *core; /* borrowed; NULL: gone */
  int n_in, n_out, n_saved;
  input *in;
  output *out;
  saved *saved;
  char name[NAME];
} function;

static function *function_of(const mlpli_node *n) {
  function *f;
  memcpy(&f, &n->p[0], sizeof f);
  return f;
}

/* Of a gate. */
static output *output_of(const mlpli_node *n) {
  return &function_of(n)->out[n->p[1].i];
}

/* ---- letting go -------------------------------------------------------------------- */

static void drop_gathered(function *f) {
  for (int i = 0; i < f->n_out; i++) mlpli_drop(&f->out[i].grad);
}

static void drop_given(function *f) {
  for (int i = 0; i < f->n_in; i++) mlpli_drop(&f->in[i].grad);
}

/* The host's data and what it saved: all that backward needs. */
static void close_host(function *f) {
  void (*release)(void *) = f->host.release;
  f->host.release = NULL;
  f->host.backward = NULL;
  for (int i = 0; i < f->n_saved; i++) mlpli_drop(&f->saved[i].t);
  if (release) release(f->host.ud);
}

/* Gradients may have a history that leads back to f, so that nothing would ever let go of
   them. */
static void core_abandon(mlpli_node *n) {
  function *f = function_of(n);
  drop_gathered(f);
  drop_given(f);
}

static void core_forget(mlpli_node *n) { close_host(function_of(n)); }

static void function_release(function *f) {
  if (--f->refs > 0) return;
  mlpl_ctx *cx = f->cx;
  close_host(f);
  drop_gathered(f);
  drop_given(f);
  mlpli_free(cx->heap, f->in);
  mlpli_free(cx->heap, f->out);
  mlpli_free(cx->heap, f->saved);
  mlpli_free(cx->heap, f);
  mlpli_ctx_release(cx);
}

static void gone(mlpli_node *n) {
  function *f = function_of(n);
  if (f->core == n) f->core = NULL;
  for (int i = 0; i < f->n_out; i++)
    if (f->out[i].gate == n) f->out[i].gate = NULL;
  function_release(f);
}

/* ---- the backward pass ------------------------------------------------------------- */

static mlpl_status gate_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
  output *out = output_of(n);
  mlpli_node *core = n->edge[0].node;
  if (core->queued && core->queued != cx->pass)
    return mlpli_give(cx, n, 0, g); /* fails */
  mlpli_drop(&out->grad);
  out->grad = mlpli_retain(g);
  if (!core->grad) core->grad = mlpli_retain(g); /* any: the core is due */
  return MLPL_OK;
}

static mlpl_status check_given(function *f, int i) {
  char a[MLPLI_SHAPE_TEXT], b[MLPLI_SHAPE_TEXT];
  const input *in = &f->in[i];
  const mlpl_tensor *g = in->grad;
  if (g->dtype == in->dtype && mlpli_same_shape(g, in->ndim, in->shape)) return MLPL_OK;
  return mlpl_fail(f->cx, MLPL_ESHAPE,
      "%s: input %d is %s of %s, the gradient that its backward gave is %s of %s",
      f->name, i + f->cx->index_base, mlpli_shape_text(a, in->ndim, in->shape),
      mlpl_dtype_name((mlpl_dtype)in->dtype), mlpli_tensor_text(b, g),
      mlpl_dtype_name((mlpl_dtype)g->dtype));
}

static mlpl_status hand_over(mlpl_ctx *cx, mlpli_node *n) {
  function *f = function_of(n);
  for (int i = 0; i < f->n_in; i++) {
    input *in = &f->in[i];
    const mlpl_tensor *leaf = n->edge[i].leaf;
    if (leaf && leaf->dtype != in->dtype)
      return mlpl_fail(cx, MLPL_ESTATE,
          "backward: input %d of %s was converted to %s after it was recorded",
          i + cx->index_base, f->name, mlpl_dtype_name((mlpl_dtype)leaf->dtype));
    if (in->grad && mlpli_wants(n, i)) MLPL_TRY(mlpli_give(cx, n, i, in->grad));
    mlpli_drop(&in->grad);
  }
  return MLPL_OK;
}

/* ---- calling the host -------------------------------------------------------------- */

static mlpl_status gate_new(function *f, int i);

/* Saved tensor k; an output that belongs to the graph when the pass is recorded. */
static mlpl_status restore(mlpl_ctx *cx, function *f, int k, mlpl_tensor **t) {
  const saved *s = &f->saved[k];
  if (s->t->storage->version != s->version)
    return mlpl_fail(cx, MLPL_ESTATE,
        "backward: tensor %d that %s saved was changed in place since; its old value is "
        "needed",
        k + cx->index_base, f->name);
  if (s->output < 0 || !cx->grad_enabled) {
    *t = mlpli_retain(s->t);
    return MLPL_OK;
  }
  output *out = &f->out[s->output];
  bool new = !out->gate;
  if (new) MLPL_TRY(gate_new(f, s->output));
  mlpl_status status = mlpli_tensor_alias(cx, t, s->t);
  if (status == MLPL_OK) (*t)->node = mlpli_node_retain(out->gate);
  if (new) mlpli_node_release(out->gate);
  return status;
}

static mlpl_status fill_gathered(mlpl_ctx *cx, function *f, mlpl_tensor **gy) {
  for (int i = 0; i < f->n_out; i++) {
    output *out = &f->out[i];
    gy[i] = out->grad;
    out->grad = NULL;
    if (!gy[i])
      MLPL_TRY(
          mlpl_tensor_full(cx, &gy[i], (mlpl_dtype)out->dtype, out->ndim, out->shape, 0));
  }
  return MLPL_OK;
}

static mlpl_status call_host(
    mlpl_ctx *cx, function *f, mlpl_tensor **gx, mlpl_tensor **gy, mlpl_tensor **kept) {
  MLPL_TRY(fill_gathered(cx, f, gy));
  for (int i = 0; i < f->n_saved; i++) MLPL_TRY(restore(cx, f, i, &kept[i]));
  bool was = cx->grad_enabled;
  mlpl_status status = f->host.backward(cx, f->host.ud, gx, gy, kept);
  mlpl_set_grad_enabled(cx, was);
  if (status != MLPL_OK) return status;
  drop_given(f);
  for (int i = 0; i < f->n_in; i++) {
    if (!gx[i] || !f->in[i].given) continue;
    f->in[i].grad = gx[i];
    gx[i] = NULL;
    MLPL_TRY(check_given(f, i));
  }
  return MLPL_OK;
}

/* The host may run backward passes of its own, which free this graph: f is held. */
static mlpl_status core_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
  (void)g;
  function *f = function_of(n);
  int all = f->n_in + f->n_out + f->n_saved;
  mlpl_tensor **t;
  f->refs++;
  mlpl_status status = mlpli_new(cx, &t, (size_t)all * sizeof *t, f->name);
  if (status == MLPL_OK) {
    status = call_host(cx, f, t, t + f->n_in, t + f->n_in + f->n_out);
    if (status == MLPL_OK) status = hand_over(cx, n);
    for (int i = 0; i < all; i++) mlpl_tensor_release(t[i]);
    mlpli_free(cx->heap, t);
  }
  if (status != MLPL_OK) core_abandon(n);
  function_release(f);
  return status;
}

/* ---- recording --------------------------------------------------------------------- */

static mlpl_status node_new(
    function *f, mlpli_node **out, const mlpl_op *row, int i, int n_in) {
  MLPL_TRY(mlpli_node_new(f->cx, out, row, row->n_params, n_in));
  mlpli_node *n = *out;
  memcpy(&n->p[0], &f, sizeof f);
  n->p[1].i = i;
  f->refs++;
  return MLPL_OK;
}

static mlpl_status core_new(function *f, mlpl_tensor *const *in) {
  MLPL_TRY(node_new(f, &f->core, &f->core_row, 0, f->n_in));
  for (int i = 0; i < f->n_in; i++)
    if (in[i]) mlpli_edge_set(&f->core->edge[i], in[i]);
  return MLPL_OK;
}

static mlpl_status gate_new(function *f, int i) {
  mlpli_node *n;
  output *out = &f->out[i];
  MLPL_TRY(node_new(f, &n, &f->gate_row, i, 1));
  n->edge[0].node = mlpli_node_retain(f->core);
  n->dtype = out->dtype;
  n->ndim = out->ndim;
  memcpy(n->shape, out->shape, sizeof n->shape);
  out->gate = n;
  return MLPL_OK;
}

static mlpl_status save(function *f, mlpl_tensor *const *out, mlpl_tensor *const *t) {
  for (int k = 0; k < f->n_saved; k++) {
    saved *s = &f->saved[k];
    s->output = -1;
    for (int i = 0; i < f->n_out; i++)
      if (t[k] == out[i]) s->output = i;
    s->version = t[k]->storage->version;
    if (s->output < 0 && (t[k]->requires_grad || t[k]->is_view))
      s->t = mlpli_retain(t[k]);
    else /* it may become the result of something else */
      MLPL_TRY(mlpli_tensor_alias(f->cx, &s->t, t[k]));
    if (s->output < 0 && t[k]->node && !s->t->node)
      s->t->node = mlpli_node_retain(t[k]->node);
  }
  return MLPL_OK;
}

static void describe(function *f, mlpl_tensor *const *in, mlpl_tensor *const *out) {
  for (int i = 0; i < f->n_in; i++) {
    if (!in[i]) continue;
    f->in[i] = (input){in[i]->dtype, in[i]->ndim, true, {0}, NULL};
    memcpy(f->in[i].shape, in[i]->shape, sizeof f->in[i].shape);
  }
  for (int i = 0; i < f->n_out; i++) {
    f->out[i] = (output){out[i]->dtype, out[i]->ndim, {0}, NULL, NULL};
    memcpy(f->out[i].shape, out[i]->shape, sizeof f->out[i].shape);
  }
  /* their options: f, and of a gate the number of its output */
  const mlpl_op row = {.name = f->name, .n_params = 2, .gone = gone};
  f->core_row = f->gate_row = row;
  f->core_row.backward = core_backward;
  f->core_row.forget = core_forget;
  f->core_row.abandon = core_abandon;
  f->gate_row.backward = gate_backward;
}

/* Everything but what the host has: that comes when nothing can fail any more. */
static mlpl_status function_new(
    mlpl_ctx *cx, function **out, const char *name, int n_in, int n_out, int n_saved) {
  function *f;
  MLPL_TRY(mlpli_new(cx, &f, sizeof *f, name));
  *out = f;
  f->refs = 1;
  f->cx = cx;
  mlpli_ctx_retain(cx);
  snprintf(f->name, sizeof f->name, "%s", name);
  MLPL_TRY(mlpli_new(cx, &f->in, (size_t)n_in * sizeof *f->in, name));
  f->n_in = n_in;
  MLPL_TRY(mlpli_new(cx, &f->out, (size_t)n_out * sizeof *f->out, name));
  f->n_out = n_out;
  MLPL_TRY(mlpli_new(cx, &f->saved, (size_t)n_saved * sizeof *f->saved, name));
  f->n_saved = n_saved;
  return MLPL_OK;
}

/* view[i] = out[i] with a history. */
static mlpl_status join(function *f, mlpl_tensor *const *in, mlpl_tensor *const *out,
    mlpl_tensor *const *kept, mlpl_tensor **view) {
  describe(f, in, out);
  MLPL_TRY(save(f, out, kept));
  MLPL_TRY(core_new(f, in));
  mlpli_node *core = f->core; /* the gates hold it */
  mlpl_status status = MLPL_OK;
  for (int i = 0; i < f->n_out && status == MLPL_OK; i++) {
    status = mlpli_tensor_alias(f->cx, &view[i], out[i]);
    if (status == MLPL_OK) status = gate_new(f, i);
    if (status == MLPL_OK) view[i]->node = f->out[i].gate;
  }
  if (status == MLPL_OK) status = mlpli_settle_memory(f->cx, view, f->n_out, in, f->n_in);
  mlpli_node_release(core);
  return status;
}

static mlpl_status record(mlpl_ctx *cx, const mlpl_custom_function *host,
    mlpl_tensor *const *in, int n_in, mlpl_tensor **out, int n_out,
    mlpl_tensor *const *kept, int n_saved) {
  function *f = NULL;
  mlpl_tensor **view;
  MLPL_TRY(mlpli_new(cx, &view, (size_t)n_out * sizeof *view, host->name));
  mlpl_status status = function_new(cx, &f, host->name, n_in, n_out, n_saved);
  if (status == MLPL_OK) status = join(f, in, out, kept, view);
  if (status == MLPL_OK) f->host = *host;
  for (int i = 0; i < n_out; i++) {
    mlpl_tensor *unused = status == MLPL_OK ? out[i] : view[i];
    if (status == MLPL_OK) out[i] = view[i];
    mlpl_tensor_release(unused);
  }
  mlpli_free(cx->heap, view);
  if (f) function_release(f);
  return status;
}

static bool any_tracked(mlpl_tensor *const *in, int n) {
  for (int i = 0; i < n; i++)
    if (mlpli_tracked(in[i])) return true;
  return false;
}

mlpl_status mlpl_record_custom(mlpl_ctx *cx, const mlpl_custom_function *host,
    mlpl_tensor *const *in, int n_in, mlpl_tensor **out, int n_out,
    mlpl_tensor *const *kept, int n_saved) {
  mlpl_status status = MLPL_OK;
  for (int i = 0; i < n_out && status == MLPL_OK; i++)
    if (!mlpli_is_real(out[i]))
      status = mlpl_fail(cx, MLPL_EARG,
          "%s: output %d is %s; only f32 and f64 have gradients", host->name,
          i + cx->index_base, mlpl_dtype_name((mlpl_dtype)out[i]->dtype));
  bool records = status == MLPL_OK && cx->grad_enabled && any_tracked(in, n_in);
  if (records) status = record(cx, host, in, n_in, out, n_out, kept, n_saved);
  if ((!records || status != MLPL_OK) && host->release) host->release(host->ud);
  return status;
}
