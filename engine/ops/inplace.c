/*
** Operations that write into a tensor that exists: in-place forms, `out`, fill and assign.
**
** Without recording, a row that allows it (in_place) writes straight into the target; any
** other result is made first and copied, so that a target that shares memory with an input
** is right, too, and one whose operation fails keeps what it held. With recording the result
** is made and recorded as always, from an alias of the target that keeps its history; the
** target then takes the result's values and node. The version of its storage grows, so a
** backward pass that needs the old values says so.
** A change that keeps nothing of what the target held (fill, draws, copies, rows without a
** gradient) leaves it in the graph: what it held gets a gradient of zeros, as in PyTorch.
*/
#include "base/profile.h"
#include "grad/grad.h"
#include "ops/rows.h"

/* ---- memory ------------------------------------------------------------------------ */

static bool same_elements(const mlpl_tensor *a, const mlpl_tensor *b) {
  if (a->data != b->data || a->dtype != b->dtype ||
      !mlpli_same_shape(a, b->ndim, b->shape))
    return false;
  for (int d = 0; d < a->ndim; d++)
    if (a->shape[d] > 1 && a->stride[d] != b->stride[d]) return false;
  return true;
}

/* May forward write straight into y? */
static bool may_write(const mlpl_tensor *y, const mlpli_call *c) {
  if (!y->contiguous && !c->op->in_place) return false;
  if (c->op->refuses_late && !(c->op->rewrites && same_elements(c->in[0], y)))
    return false;
  for (int i = 0; i < c->n; i++)
    if (c->in[i] && c->in[i]->storage == y->storage &&
        !((c->op->in_place || (c->op->rewrites && i == 0)) && same_elements(c->in[i], y)))
      return false;
  return true;
}

/* dst = src, of one shape, whatever they share. */
static mlpl_status copy_into(mlpl_ctx *cx, mlpl_tensor *dst, const mlpl_tensor *src) {
  mlpl_tensor *apart;
  if (dst->storage != src->storage) {
    mlpli_copy(dst, src);
    return MLPL_OK;
  }
  MLPL_TRY(mlpl_tensor_clone(cx, &apart, src));
  mlpli_copy(dst, apart);
  mlpl_tensor_release(apart);
  return MLPL_OK;
}

/* ---- rules ------------------------------------------------------------------------- */

/* In messages: `what`, an operation's name; `form`, what follows it; `name`, what the
   tensor is called. */
typedef struct target {
  mlpl_tensor *t;
  const char *what, *form, *name;
  bool converts; /* results of another dtype of its kind, or a lower one, are converted */
  bool replaces; /* results owe nothing to what it holds, even if they have a history */
} target;

static mlpl_status check_target(mlpl_ctx *cx, const target *y) {
  char text[MLPLI_SHAPE_TEXT];
  if (!mlpli_overlaps_itself(y->t)) return MLPL_OK;
  return mlpl_fail(cx, MLPL_EARG,
      "%s%s: %s, %s, is stretched: several of its elements share one place in memory; "
      ":clone() it first",
      y->what, y->form, y->name, mlpli_tensor_text(text, y->t));
}

static mlpl_status check_fit(
    mlpl_ctx *cx, const target *y, int dtype, int ndim, const int64_t *shape) {
  char a[MLPLI_SHAPE_TEXT], b[MLPLI_SHAPE_TEXT];
  if (!mlpli_same_shape(y->t, ndim, shape))
    return mlpl_fail(cx, MLPL_ESHAPE, "%s%s: the result is %s, and %s, to hold it, is %s",
        y->what, y->form, mlpli_shape_text(a, ndim, shape), y->name,
        mlpli_tensor_text(b, y->t));
  if (y->t->dtype == dtype || (y->converts && mlpli_can_hold(y->t->dtype, dtype)))
    return MLPL_OK;
  return mlpl_fail(cx, MLPL_EARG, "%s%s: the result is of %s, and %s, to hold it, of %s",
      y->what, y->form, mlpl_dtype_name((mlpl_dtype)dtype), y->name,
      mlpl_dtype_name((mlpl_dtype)y->t->dtype));
}

/* Before a change is recorded, or takes history away. */
static mlpl_status check_history(mlpl_ctx *cx, const target *y) {
  if (y->t->requires_grad)
    return mlpl_fail(cx, MLPL_ESTATE,
        "%s%s: %s is a leaf that requires a gradient, and what was recorded with it "
        "would lose its value; change it under no_grad",
        y->what, y->form, y->name);
  if (y->t->is_view)
    return mlpl_fail(cx, MLPL_ESTATE,
        "%s%s: the change would be recorded, and %s is a view: the tensor that it is a "
        "part of would change without a record; :clone() it first",
        y->what, y->form, y->name);
  return MLPL_OK;
}

/* ---- without recording ------------------------------------------------------------- */

/* Straight into y where the row can, but when looking for NaN, for which inputs are needed
   as they were; a forward pass may also put another tensor in out's place. */
static mlpl_status write_result(mlpl_ctx *cx, const target *y, mlpli_call *c) {
  mlpl_tensor *out[MLPLI_MAX_OUTPUTS] = {NULL, NULL};
  mlpl_status status;
  bool straight = false;
  if (c->op->shape) {
    mlpli_shape s;
    MLPL_TRY(c->op->shape(cx, c, &s));
    int dtype = mlpli_result_dtype(c);
    MLPL_TRY(check_fit(cx, y, dtype, s.ndim, s.size));
    straight = dtype == y->t->dtype && may_write(y->t, c) && !cx->anomaly;
  }
  if (straight) {
    out[0] = mlpli_retain(y->t);
    status = c->op->forward(cx, c, out);
    if (status == MLPL_ENOMEM) mlpli_touch(y->t);
  }
  else
    status = mlpli_compute(cx, c, out);
  if (status == MLPL_OK && cx->anomaly) status = mlpli_check_result(cx, c, out[0]);
  if (status == MLPL_OK && out[0] != y->t) {
    status = check_fit(cx, y, out[0]->dtype, out[0]->ndim, out[0]->shape);
    if (status == MLPL_OK) status = copy_into(cx, y->t, out[0]);
  }
  if (status == MLPL_OK) mlpli_touch(y->t);
  mlpl_tensor_release(out[0]);
  return status;
}

static mlpl_status write_into(mlpl_ctx *cx, const target *y, const mlpl_op *op,
    mlpl_tensor *const *in, int n, const mlpl_value *p) {
  mlpl_tensor *cast[MLPL_MAX_INPUTS];
  mlpli_call c = {.op = op, .n = n, .in = in, .p = p};
  const bool was = mlpl_set_grad_enabled(cx, false);
  mlpl_status status = check_target(cx, y);
  if (status == MLPL_OK) status = mlpli_begin(cx, &c, cast);
  if (status == MLPL_OK) {
    const mlplk_stream before = cx->random;
    status = mlpli_undraw(cx, before, write_result(cx, y, &c));
    mlpl_tensor_release(c.extra);
  }
  mlpli_end(cx, &c, cast);
  mlpl_set_grad_enabled(cx, was);
  return status;
}

static mlpl_status measured(mlpl_ctx *cx, const target *y, const mlpl_op *op,
    mlpl_tensor *const *in, int n, const mlpl_value *p) {
  if (!cx->profile || n < 1 || !in[0]) return write_into(cx, y, op, in, n, p);
  mlpli_span span;
  int entry = mlpli_profile_layer(cx, op->name, "forward");
  mlpli_span_begin(cx, &span);
  mlpl_status status = write_into(cx, y, op, in, n, p);
  bool ok = status == MLPL_OK;
  mlpli_span_end(cx, &span, entry, ok ? mlpli_op_bytes(in, n, y->t) : 0,
      ok ? mlpli_op_flops(op, in, y->t) : 0);
  return status;
}

/* Would this call be recorded? */
static bool is_recorded(
    const mlpl_ctx *cx, const mlpl_op *op, mlpl_tensor *const *in, int n) {
  if (!cx->grad_enabled) return false;
  for (int i = 0; i < n && i < op->n_inputs; i++)
    if (mlpli_tracked(in[i]) && op->differentiable & 1u << i) return true;
  return false;
}

mlpl_status mlpl_op_apply_into(mlpl_ctx *cx, mlpl_tensor *out, const mlpl_op *op,
    mlpl_tensor *const *inputs, int n, const mlpl_value *params) {
  op = mlpli_chosen(op, &params);
  const target y = {out, mlpli_said(op), "", "out", false, false};
  if (op->n_outputs != 1)
    return mlpl_fail(
        cx, MLPL_EARG, "%s: out takes one result; this gives two", mlpli_said(op));
  if (is_recorded(cx, op, inputs, n) || (cx->grad_enabled && mlpli_tracked(out)))
    return mlpl_fail(cx, MLPL_ESTATE,
        "%s: out has no gradient, and an input or out requires one; do without out, or "
        "work under no_grad",
        mlpli_said(op));
  return mlpli_fail_as(cx, measured(cx, &y, op, inputs, n, params), mlpli_said(op), "");
}

/* ---- with recording ---------------------------------------------------------------- */

/* What x was: its history, and its values where the operation saves them. */
static mlpl_status former(
    mlpl_ctx *cx, mlpl_tensor **out, const mlpl_tensor *x, bool values) {
  MLPL_TRY(values ? mlpl_tensor_clone(cx, out, x) : mlpli_tensor_alias(cx, out, x));
  if (x->node) (*out)->node = mlpli_node_retain(x->node);
  return MLPL_OK;
}

/* y = b, in a's place: a gets zeros. Not a row of the table: there is nothing to compute. */
static BACKWARD(overwrite) {
  mlpli_expr e = {.cx = cx};
  if (mlpli_wants(n, 1)) mlpli_xgive(&e, n, 1, g);
  if (e.status == MLPL_OK && mlpli_wants(n, 0)) e.status = mlpli_flat_backward(cx, n, g);
  return mlpli_expr_end(&e);
}

static const mlpl_op overwrite = {.name = "overwrite",
    .input_name = {"a", "b"},
    .domain = {MLPLI_REAL, MLPLI_REAL},
    .n_inputs = 2,
    .n_required = 1,
    .n_outputs = 1,
    .differentiable = 3,
    HAS_BACKWARD(overwrite)};

/* y becomes r, which owes nothing to what y was: r's history, and zeros for y's. */
static mlpl_status record_overwrite(mlpl_ctx *cx, const target *y, mlpl_tensor *r) {
  mlpl_tensor *in[2] = {NULL};
  MLPL_TRY(former(cx, &in[0], y->t, false));
  mlpl_status status = r->node ? former(cx, &in[1], r, false) : MLPL_OK;
  const mlpli_call c = {.op = &overwrite, .n = in[1] ? 2 : 1, .in = in, .record = true};
  mlpli_node *old = r->node;
  if (status == MLPL_OK) status = mlpli_record(cx, &c, r);
  if (status == MLPL_OK) r->node->said = y->what;
  if (status == MLPL_OK && old) mlpli_node_release(old);
  mlpl_tensor_release(in[0]);
  mlpl_tensor_release(in[1]);
  return status;
}

/* y takes the values of r, which are of its shape, and its history. Borrows r. */
static mlpl_status adopt(mlpl_ctx *cx, const target *y, mlpl_tensor *r) {
  mlpl_tensor *t = y->t, *fit = NULL;
  if (r->dtype != t->dtype) {
    const mlpl_value dtype = {.i = t->dtype};
    MLPL_TRY(mlpli_apply(cx, &fit, MLPLI_OP_TO, &r, 1, &dtype));
    r = fit;
  }
  const bool anew = r->node ? y->replaces : t->node != NULL;
  mlpl_status status = anew ? record_overwrite(cx, y, r) : MLPL_OK;
  if (status == MLPL_OK) status = mlpli_history_ready(cx, t, r);
  if (status == MLPL_OK) status = copy_into(cx, t, r);
  if (status == MLPL_OK) {
    mlpli_history_take(t, r);
    mlpli_touch(t);
  }
  mlpl_tensor_release(fit);
  return status;
}

static mlpl_status apply_recorded(mlpl_ctx *cx, const target *y, const mlpl_op *op,
    mlpl_tensor *const *inputs, int n, const mlpl_value *params) {
  mlpl_tensor *in[MLPL_MAX_INPUTS], *was, *out[MLPLI_MAX_OUTPUTS] = {NULL};
  const unsigned tracked = mlpli_tracked_inputs(op, inputs, n);
  bool saves = false;
  MLPL_TRY(check_target(cx, y));
  MLPL_TRY(check_history(cx, y));
  for (int i = 0; i < n; i++)
    if (inputs[i] == y->t) saves |= op->compose || mlpli_saves_input(op, i, tracked);
  MLPL_TRY(former(cx, &was, y->t, saves));
  for (int i = 0; i < n; i++) in[i] = inputs[i] == y->t ? was : inputs[i];
  mlpl_status status = mlpl_op_apply(cx, out, op, in, n, params);
  if (status == MLPL_OK)
    status = check_fit(cx, y, out[0]->dtype, out[0]->ndim, out[0]->shape);
  if (status == MLPL_OK) status = adopt(cx, y, out[0]);
  mlpl_tensor_release(out[0]);
  mlpl_tensor_release(was);
  return status;
}

bool mlpl_op_broadcasts(const mlpl_op *op) { return op->shape == mlpli_shape_broadcast; }

/* Element by element, into the first input's shape and dtype; or said by the row. */
bool mlpl_op_has_in_place(const mlpl_op *op) {
  if (op->underscored) return true;
  if (op->internal || op->view || op->dtype || op->gives_index || op->n_outputs != 1 ||
      op == mlpli_op_table[MLPLI_OP_CLONE])
    return false;
  for (int i = 0; i < op->n_params; i++)
    if (op->params[i].type == MLPL_PARAM_AXIS) return false;
  return op->shape == mlpli_shape_same || op->shape == mlpli_shape_broadcast;
}

mlpl_status mlpl_op_apply_in_place(mlpl_ctx *cx, const mlpl_op *op,
    mlpl_tensor *const *inputs, int n, const mlpl_value *params) {
  if (!mlpl_op_has_in_place(op))
    return mlpl_fail(cx, MLPL_EARG, "%s: it has no form that works in place", op->name);
  if (n < 1 || n > op->n_inputs || !inputs[0])
    return mlpl_fail(cx, MLPL_EARG, "%s_: the tensor to change is missing", op->name);
  op = mlpli_chosen(op, &params);
  const target y = {inputs[0], mlpli_said(op), "_", op->input_name[0], true, false};
  /* also by a row without a gradient, which leaves the tensor in the graph */
  const bool recorded = is_recorded(cx, op, inputs, n) ||
      (cx->grad_enabled && mlpli_tracked(inputs[0]));
  mlpl_status status = recorded ? apply_recorded(cx, &y, op, inputs, n, params)
                                : measured(cx, &y, op, inputs, n, params);
  return mlpli_fail_as(cx, status, mlpli_said(op), "_");
}

/* ---- fill and assign --------------------------------------------------------------- */

mlpl_status mlpli_overwrite(mlpl_ctx *cx, const char *what, mlpl_tensor *t) {
  const target y = {t, what, "", "the tensor", true, true};
  mlpl_tensor *r;
  MLPL_TRY(check_target(cx, &y));
  if (!cx->grad_enabled || !mlpli_tracked(t)) return MLPL_OK;
  MLPL_TRY(check_history(cx, &y));
  MLPL_TRY(mlpli_tensor_alias(cx, &r, t));
  mlpl_status status = record_overwrite(cx, &y, r);
  if (status == MLPL_OK) status = mlpli_history_ready(cx, t, r);
  if (status == MLPL_OK) mlpli_history_take(t, r);
  mlpl_tensor_release(r);
  return status;
}

static mlpl_status fill(
    mlpl_ctx *cx, const char *what, mlpl_tensor *t, mlpl_element value) {
  MLPL_TRY(mlpli_overwrite(cx, what, t));
  mlpli_fill_element(t, value);
  mlpli_touch(t);
  return MLPL_OK;
}

mlpl_status mlpl_tensor_fill(mlpl_ctx *cx, mlpl_tensor *t, double value) {
  return fill(cx, "fill_", t, (mlpl_element){value, 0});
}

mlpl_status mlpl_tensor_zero(mlpl_ctx *cx, mlpl_tensor *t) {
  return fill(cx, "zero_", t, (mlpl_element){0, 0});
}

mlpl_status mlpl_tensor_fill_int(mlpl_ctx *cx, mlpl_tensor *t, int64_t value) {
  return fill(cx, "fill_", t, (mlpl_element){(double)value, value});
}

/* src as a tensor of t's shape and dtype with memory of its own; recorded. */
static mlpl_status assigned(
    mlpl_ctx *cx, mlpl_tensor **out, mlpl_tensor *t, mlpl_tensor *src) {
  mlpl_value size = {.sizes = {.n = t->ndim}}, dtype = {.i = t->dtype};
  mlpl_tensor *wide;
  for (int d = 0; d < t->ndim; d++) size.sizes.v[d] = t->shape[d];
  MLPL_TRY(mlpli_apply(cx, &wide, MLPLI_OP_EXPAND, &src, 1, &size));
  mlpl_status status = mlpli_apply(cx, out, MLPLI_OP_TO, &wide, 1, &dtype);
  mlpl_tensor_release(wide);
  return status;
}

mlpl_status mlpl_tensor_copy_from(mlpl_ctx *cx, mlpl_tensor *t, mlpl_tensor *src) {
  const target y = {t, "copy_", "", "the tensor", true, true};
  mlpl_tensor *values;
  char a[MLPLI_SHAPE_TEXT], b[MLPLI_SHAPE_TEXT];
  bool recorded = cx->grad_enabled && (mlpli_tracked(t) || mlpli_tracked(src));
  MLPL_TRY(check_target(cx, &y));
  mlpli_shape s;
  mlpl_status fits = mlpli_broadcast(cx, "copy_", t, src, &s);
  if (fits != MLPL_OK || !mlpli_same_shape(t, s.ndim, s.size))
    return mlpl_fail(cx, MLPL_ESHAPE,
        "copy_: the tensor is %s, the values are %s, which do not stretch to it",
        mlpli_tensor_text(a, t), mlpli_tensor_text(b, src));
  if (!recorded && mlpli_same_shape(t, src->ndim, src->shape)) {
    MLPL_TRY(copy_into(cx, t, src));
    mlpli_touch(t);
    return MLPL_OK;
  }
  if (recorded) MLPL_TRY(check_history(cx, &y));
  MLPL_TRY(assigned(cx, &values, t, src));
  mlpl_status status = MLPL_OK;
  if (!recorded) {
    mlpli_copy(t, values);
    mlpli_touch(t);
  }
  else
    status = adopt(cx, &y, values);
  mlpl_tensor_release(values);
  return status;
}
