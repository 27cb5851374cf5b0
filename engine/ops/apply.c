/* Applying a row of the table: check, shape, forward, record. */
#include "base/profile.h"
#include "grad/grad.h"

#include <string.h>

const mlpl_op *mlpl_op_at(int i) {
  return i >= 0 && i < MLPLI_N_OPS ? mlpli_op_table[i] : NULL;
}

const mlpl_op *mlpl_op_find(const char *name) {
  for (int i = 0; i < MLPLI_N_OPS; i++)
    if (strcmp(mlpli_op_table[i]->name, name) == 0) return mlpli_op_table[i];
  return NULL;
}

const char *mlpl_op_name(const mlpl_op *op) { return op->name; }
const char *mlpl_op_group(const mlpl_op *op) { return op->group; }

int mlpl_op_inputs(const mlpl_op *op, int *required) {
  if (required) *required = op->n_required;
  return op->n_inputs;
}

int mlpl_op_outputs(const mlpl_op *op) { return op->n_outputs; }
bool mlpl_op_is_internal(const mlpl_op *op) { return op->internal; }
const char *mlpl_op_input_name(const mlpl_op *op, int i) {
  return i >= 0 && i < op->n_inputs ? op->input_name[i] : NULL;
}

const mlpl_param *mlpl_op_params(const mlpl_op *op, int *n) {
  *n = op->n_params;
  return op->params;
}

/* ---- checks ------------------------------------------------------------------------ */

static bool wants_real(mlpli_domain d) { return d < MLPLI_LABELS; }

static mlpl_status bad_dtype(
    mlpl_ctx *cx, const mlpl_op *op, int i, const mlpl_tensor *t, const char *rule) {
  return mlpl_fail(cx, MLPL_EARG, "%s: %s is %s; %s", op->name, op->input_name[i],
      mlpl_dtype_name((mlpl_dtype)t->dtype), rule);
}

static mlpl_status check_dtype(mlpl_ctx *cx, const mlpl_op *op, int i,
    const mlpl_tensor *first, const mlpl_tensor *t) {
  mlpli_domain d = op->domain[i];
  if (d == MLPLI_LABELS && t->dtype != MLPL_I64)
    return bad_dtype(cx, op, i, t, "labels are i64");
  if (!wants_real(d)) return MLPL_OK;
  if (!mlpli_is_real(t))
    return bad_dtype(cx, op, i, t, "it must be f32 or f64 (convert with :to)");
  if (t->dtype != first->dtype)
    return mlpl_fail(cx, MLPL_EARG,
        "%s: %s is %s, %s is %s; they must have one dtype (convert with :to)", op->name,
        op->input_name[0], mlpl_dtype_name((mlpl_dtype)first->dtype), op->input_name[i],
        mlpl_dtype_name((mlpl_dtype)t->dtype));
  return MLPL_OK;
}

static mlpl_status check_inputs(
    mlpl_ctx *cx, const mlpl_op *op, mlpl_tensor *const *in, int n) {
  if (n < op->n_required || n > op->n_inputs)
    return mlpl_fail(cx, MLPL_EARG, "%s: %d tensors given; it takes %d to %d", op->name,
        n, op->n_required, op->n_inputs);
  for (int i = 0; i < n; i++) {
    if (in[i])
      MLPL_TRY(check_dtype(cx, op, i, in[0], in[i]));
    else if (i < op->n_required)
      return mlpl_fail(cx, MLPL_EARG, "%s: %s is missing", op->name, op->input_name[i]);
  }
  return MLPL_OK;
}

static bool must_record(
    const mlpl_ctx *cx, const mlpl_op *op, mlpl_tensor *const *in, int n) {
  if (!cx->grad_enabled || !op->backward) return false;
  for (int i = 0; i < n; i++)
    if (mlpli_tracked(in[i]) && op->differentiable & 1u << i) return true;
  return false;
}

/* ---- the call ---------------------------------------------------------------------- */

static mlpl_status compute(mlpl_ctx *cx, mlpli_call *c, mlpl_tensor **out) {
  const mlpl_op *op = c->op;
  if (op->view) return op->view(cx, c, out);
  if (op->compose) return op->compose(cx, c, out);
  mlpli_shape s;
  MLPL_TRY(op->shape(cx, c, &s));
  MLPL_TRY(mlpli_tensor_make(
      cx, out, op->gives_index ? MLPL_I64 : c->in[0]->dtype, s.ndim, s.size));
  return op->forward(cx, c, out);
}

static void release_all(mlpl_tensor **out, int n) {
  for (int i = 0; i < n; i++) {
    mlpl_tensor_release(out[i]);
    out[i] = NULL;
  }
}

static double bytes_of(const mlpl_tensor *t) {
  return t ? (double)t->numel * mlpli_dtype_size[t->dtype] : 0;
}

double mlpli_op_bytes(mlpl_tensor *const *in, int n, const mlpl_tensor *out) {
  double bytes = bytes_of(out);
  for (int i = 0; i < n; i++) bytes += bytes_of(in[i]);
  return bytes;
}

static bool is_one_of(const mlpl_op *op, const mlpli_op_id *ids, int n) {
  for (int i = 0; i < n; i++)
    if (op == mlpli_op_table[ids[i]]) return true;
  return false;
}

/* Multiplications and additions: exact for products, one an element for the rest. */
double mlpli_op_flops(const mlpl_op *op, mlpl_tensor *const *in, const mlpl_tensor *out) {
  double n = out ? (double)out->numel : 0, m = (double)in[0]->numel;
  const mlpli_op_id products[] = {MLPLI_OP_LINEAR, MLPLI_OP_MATMUL, MLPLI_OP_MM,
      MLPLI_OP_MV, MLPLI_OP_BMM, MLPLI_OP_DOT, MLPLI_OP_INNER};
  const mlpli_op_id convolutions[] = {MLPLI_OP_CONV1D, MLPLI_OP_CONV2D,
      MLPLI_OP_CONV_TRANSPOSE1D, MLPLI_OP_CONV_TRANSPOSE2D};
  if (is_one_of(op, convolutions, 4) && in[1]->numel)
    return 2 * (is_one_of(op, convolutions, 2) ? n : m) * (double)in[1]->numel /
        (double)in[1]->shape[0];
  if (is_one_of(op, products, 7) && in[0]->ndim)
    return 2 * n * (double)in[0]->shape[in[0]->ndim - 1];
  return op->view ? 0 : n > m ? n : m;
}

static mlpl_status apply(mlpl_ctx *cx, mlpl_tensor **out, const mlpl_op *op,
    mlpl_tensor *const *inputs, int n, const mlpl_value *params) {
  for (int i = 0; i < op->n_outputs; i++) out[i] = NULL;
  MLPL_TRY(check_inputs(cx, op, inputs, n));
  MLPL_TRY(mlpli_check_params(cx, op->name, op->params, op->n_params, params));
  mlpli_call c = {op, n, inputs, params, must_record(cx, op, inputs, n), false, NULL};
  const mlplk_stream before = cx->random;
  mlpl_status status = compute(cx, &c, out);
  if (status == MLPL_OK && c.record) status = mlpli_record(cx, &c, out[0]);
  mlpl_tensor_release(c.extra);
  if (status != MLPL_OK) release_all(out, op->n_outputs);
  return mlpli_undraw(cx, before, status);
}

mlpl_status mlpl_op_apply(mlpl_ctx *cx, mlpl_tensor **out, const mlpl_op *op,
    mlpl_tensor *const *inputs, int n, const mlpl_value *params) {
  if (__builtin_expect(cx->profile == NULL, 1))
    return apply(cx, out, op, inputs, n, params);
  mlpli_span span;
  int entry = mlpli_profile_layer(cx, op->name, "forward");
  mlpli_span_begin(cx, &span);
  mlpl_status status = apply(cx, out, op, inputs, n, params);
  double flops = status == MLPL_OK ? mlpli_op_flops(op, inputs, out[0]) : 0;
  mlpli_span_end(
      cx, &span, entry, status == MLPL_OK ? mlpli_op_bytes(inputs, n, out[0]) : 0, flops);
  return status;
}

mlpl_status mlpl_call(mlpl_ctx *cx, mlpl_tensor **out, const char *name,
    mlpl_tensor *const *inputs, int n, const mlpl_arg *args) {
  *out = NULL;
  mlpl_value values[MLPL_MAX_PARAMS];
  const mlpl_op *op = mlpl_op_find(name);
  if (!op) return mlpl_fail(cx, MLPL_EARG, "call: there is no operation '%.60s'", name);
  MLPL_TRY(mlpli_resolve(cx, op->name, op->params, op->n_params, args, values));
  return mlpl_op_apply(cx, out, op, inputs, n, values);
}
