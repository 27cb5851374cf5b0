/* Applying a row of the table: check, shape, forward, record. */
#include "base/profile.h"
#include "grad/grad.h"

#include <stdio.h>
#include <string.h>

const mlpl_op *mlpl_op_at(int i) {
  return i >= 0 && i < MLPLI_N_OPS ? mlpli_op_table[i] : NULL;
}

const mlpl_op *mlpl_op_find(const char *name) {
  for (int i = 0; i < MLPLI_N_OPS; i++) {
    const char *own = mlpli_op_table[i]->name; /* most differ in the first letter */
    if (own[0] == name[0] && strcmp(own, name) == 0) return mlpli_op_table[i];
  }
  return NULL;
}

const char *mlpl_op_name(const mlpl_op *op) { return op->name; }
const char *mlpl_op_group(const mlpl_op *op) { return op->group; }

int mlpl_op_inputs(const mlpl_op *op, int *required) {
  if (required) *required = op->n_required;
  return op->n_inputs;
}

int mlpl_op_outputs(const mlpl_op *op) { return op->n_outputs; }
bool mlpl_op_is_random(const mlpl_op *op) { return op->random; }
bool mlpl_op_is_internal(const mlpl_op *op) { return op->internal; }
const char *mlpl_op_input_name(const mlpl_op *op, int i) {
  return i >= 0 && i < op->n_inputs ? op->input_name[i] : NULL;
}

bool mlpl_op_takes_list(const mlpl_op *op) { return op->list != MLPLI_NO_LIST; }
bool mlpl_op_takes_number(const mlpl_op *op, int i) {
  return ((unsigned)op->numbers >> i & 1u) != 0;
}
const mlpl_op *mlpl_op_by_tensor(const mlpl_op *op) {
  return op->by_tensor ? mlpli_op_table[op->by_tensor] : NULL;
}
const mlpl_op *mlpl_op_by_pair(const mlpl_op *op) {
  return op->by_pair ? mlpli_op_table[op->by_pair] : NULL;
}
const mlpl_op *mlpl_op_chosen(const mlpl_op *op, const mlpl_value *values) {
  return mlpli_chosen(op, &values);
}
bool mlpl_op_needs_options(const mlpl_op *op) { return op->n_params && !op->bare; }
int mlpl_op_options_first(const mlpl_op *op) { return op->options_first; }

const char *mlpl_op_input_domain(const mlpl_op *op, int i) {
  switch (op->domain[mlpli_input_place(op, i)]) {
    case MLPLI_LABELS: return "labels";
    case MLPLI_TARGET: return "target";
    case MLPLI_INDEX: return "index";
    case MLPLI_MASK: return "mask";
    case MLPLI_LIKE: return "like";
    case MLPLI_ANY:
    case MLPLI_ANY_DISTINCT:
    case MLPLI_ANY_SORTED: return "any";
    default: return "numbers";
  }
}

bool mlpl_op_takes_dtype(const mlpl_op *op, int i, mlpl_dtype dtype) {
  switch (op->domain[mlpli_input_place(op, i)]) {
    case MLPLI_LABELS:
    case MLPLI_INDEX: return dtype == MLPL_I64;
    case MLPLI_MASK: return dtype == MLPL_BOOL;
    case MLPLI_TARGET: return dtype == MLPL_I64 || dtype <= MLPL_F64;
    case MLPLI_LIKE:
    case MLPLI_ANY:
    case MLPLI_ANY_DISTINCT:
    case MLPLI_ANY_SORTED: return true;
    default: break;
  }
  if (op->computes == MLPLI_REALS || op->computes == MLPLI_TRUTH) return true;
  return ((op->computes ? op->computes : MLPLI_REALS) >> dtype & 1) != 0;
}

unsigned mlpl_op_computes(const mlpl_op *op) { return op->alike ? 0 : op->computes; }

const char *mlpl_op_result(const mlpl_op *op) {
  if (op->gives_index) return mlpl_dtype_name(MLPL_I64);
  if (op->dtype == mlpli_gives_truth) return mlpl_dtype_name(MLPL_BOOL);
  return op->dtype || op->compose || op->view ? NULL : op->input_name[op->like];
}

const mlpl_param *mlpl_op_params(const mlpl_op *op, int *n) {
  *n = op->n_params;
  return op->params;
}

const char *mlpli_input_text(char *buf, const mlpl_ctx *cx, const mlpl_op *op, int i) {
  const int last = op->n_inputs - 1;
  if (op->list && i >= last)
    snprintf(
        buf, MLPLI_INPUT_TEXT, "%s %d", op->input_name[last], i - last + cx->index_base);
  else
    snprintf(buf, MLPLI_INPUT_TEXT, "%s", op->input_name[i]);
  return buf;
}

/* ---- checks ------------------------------------------------------------------------ */

static mlpl_status bad_dtype(
    mlpl_ctx *cx, const mlpl_op *op, int i, const mlpl_tensor *t, const char *rule) {
  char name[MLPLI_INPUT_TEXT];
  return mlpl_fail(cx, MLPL_EARG, "%s: %s is %s; %s", mlpli_said(op),
      mlpli_input_text(name, cx, op, i), mlpl_dtype_name((mlpl_dtype)t->dtype), rule);
}

/* A row that does not promote: its numbers are not of one dtype, or not of one that it
   takes. */
static mlpl_status mixed_dtypes(
    mlpl_ctx *cx, const mlpl_op *op, mlpl_tensor *const *in, int n) {
  int first = -1;
  char a[MLPLI_INPUT_TEXT], b[MLPLI_INPUT_TEXT];
  for (int i = 0; i < n; i++) {
    if (!in[i] || !mlpli_holds_numbers(op, i)) continue;
    if (op->computes && !(op->computes >> in[i]->dtype & 1))
      return mlpli_no_arithmetic(cx, op, i, in[i]->dtype);
    if (!op->computes && !mlpli_is_real(in[i]))
      return bad_dtype(cx, op, i, in[i], "it must be f32 or f64 (convert with :to)");
    if (first < 0) first = i;
    if (in[i]->dtype != in[first]->dtype)
      return mlpl_fail(cx, MLPL_EARG,
          "%s: %s is %s, %s is %s; they must have one dtype (convert with :to)",
          mlpli_said(op), mlpli_input_text(a, cx, op, first),
          mlpl_dtype_name((mlpl_dtype)in[first]->dtype), mlpli_input_text(b, cx, op, i),
          mlpl_dtype_name((mlpl_dtype)in[i]->dtype));
  }
  return MLPL_OK;
}

/* Of an input that is not computed with. */
static mlpl_status check_kind(mlpl_ctx *cx, const mlpl_op *op, int i,
    const mlpl_tensor *first, const mlpl_tensor *t) {
  char a[MLPLI_INPUT_TEXT], b[MLPLI_INPUT_TEXT];
  mlpli_domain d = op->domain[mlpli_input_place(op, i)];
  if (d == MLPLI_LABELS && t->dtype != MLPL_I64)
    return bad_dtype(cx, op, i, t, "labels are i64");
  if (d == MLPLI_INDEX && t->dtype != MLPL_I64)
    return bad_dtype(cx, op, i, t, "indices are i64");
  if (d == MLPLI_MASK && t->dtype != MLPL_BOOL)
    return bad_dtype(cx, op, i, t, "a mask is bool");
  if (d == MLPLI_LIKE && t->dtype != first->dtype)
    return mlpl_fail(cx, MLPL_EARG,
        "%s: %s is %s, %s is %s; they must have one dtype (convert with :to)",
        mlpli_said(op), mlpli_input_text(a, cx, op, 0),
        mlpl_dtype_name((mlpl_dtype)first->dtype), mlpli_input_text(b, cx, op, i),
        mlpl_dtype_name((mlpl_dtype)t->dtype));
  return MLPL_OK;
}

static mlpl_status bad_count(mlpl_ctx *cx, const mlpl_op *op, int n) {
  if (op->list)
    return mlpl_fail(cx, MLPL_EARG, "%s: %d tensors given; it takes %d or more",
        mlpli_said(op), n, op->n_required);
  return mlpl_fail(cx, MLPL_EARG, "%s: %d tensors given; it takes %d to %d",
      mlpli_said(op), n, op->n_required, op->n_inputs);
}

/* All inputs into cast, converted (recorded, so that a gradient finds its way back). Those
   of a list may be more than there is room for there: they get an array of their own. */
static mlpl_status promote(mlpl_ctx *cx, mlpli_call *c, mlpl_tensor **cast) {
  int dtype, i;
  mlpl_status status = MLPL_OK;
  MLPL_TRY(mlpli_promoted(cx, c->op, c->in, c->n, &dtype));
  if (c->op->list) {
    MLPL_TRY(
        mlpli_new(cx, &c->converted, (size_t)c->n * sizeof *cast, mlpli_said(c->op)));
    cast = c->converted;
  }
  for (i = 0; i < c->n && status == MLPL_OK; i++) {
    mlpl_tensor *t = c->in[i];
    if (!t || t->dtype == dtype || !mlpli_holds_numbers(c->op, i))
      cast[i] = t ? mlpli_retain(t) : NULL;
    else
      status = mlpli_apply(
          cx, &cast[i], MLPLI_OP_TO, &t, 1, (mlpl_value[]){{.i = dtype}});
  }
  if (status == MLPL_OK)
    c->in = cast;
  else {
    while (i > 0) mlpl_tensor_release(cast[--i]);
    mlpli_free(cx->heap, c->converted);
    c->converted = NULL;
  }
  return status;
}

void mlpli_end(mlpl_ctx *cx, mlpli_call *c, mlpl_tensor *const *cast) {
  if (c->in != cast && c->in != c->converted) return;
  for (int i = 0; i < c->n; i++) mlpl_tensor_release(c->in[i]);
  mlpli_free(cx->heap, c->converted);
}

static mlpl_status stale_view(mlpl_ctx *cx, const mlpl_op *op, int i) {
  char name[MLPLI_INPUT_TEXT];
  return mlpl_fail(cx, MLPL_ESTATE,
      "%s: %s is a view of memory that a recorded operation has changed in place since; "
      "make the view again",
      mlpli_said(op), mlpli_input_text(name, cx, op, i));
}

static mlpl_status decide_recording(mlpl_ctx *cx, mlpli_call *c) {
  const mlpl_op *op = c->op;
  for (int i = 0; i < c->n; i++) {
    const mlpl_tensor *t = c->in[i];
    if (!t || !mlpli_input_in(op->differentiable, op, i)) continue;
    if (t->is_view && t->storage->recorded > t->seen) return stale_view(cx, op, i);
    if (mlpli_tracked(t) && op->backward) c->record = true;
  }
  return MLPL_OK;
}

/* One look at every input; what is unusual is gone into afterwards. */
mlpl_status mlpli_begin(mlpl_ctx *cx, mlpli_call *c, mlpl_tensor **cast) {
  const mlpl_op *op = c->op;
  unsigned dtypes = 0;  /* of inputs that hold numbers, bits 1 << dtype */
  bool history = false; /* one may have some, or be a view of memory that has */
  const unsigned takes = op->computes ? op->computes : MLPLI_REALS;
  if (c->n < op->n_required || (c->n > op->n_inputs && !op->list))
    return bad_count(cx, op, c->n);
  for (int i = 0; i < c->n; i++) {
    const mlpl_tensor *t = c->in[i];
    if (!t) {
      if (i >= op->n_required && op->list != MLPLI_LIST) continue;
      return mlpl_fail(cx, MLPL_EARG, "%s: %s is missing", mlpli_said(op),
          mlpli_input_text((char[MLPLI_INPUT_TEXT]){0}, cx, op, i));
    }
    if (mlpli_holds_numbers(op, i))
      dtypes |= 1u << t->dtype;
    else if (op->domain[mlpli_input_place(op, i)] != MLPLI_ANY)
      MLPL_TRY(check_kind(cx, op, i, c->in[0], t));
    history |= t->node || t->requires_grad || t->is_view;
  }
  if (op->n_params && (c->p || !op->bare))
    MLPL_TRY(mlpli_check_params(cx, mlpli_said(op), op->params, op->n_params, c->p));
  if (dtypes & ~takes || dtypes & (dtypes - 1))
    MLPL_TRY(op->computes && !op->alike ? promote(cx, c, cast)
                                        : mixed_dtypes(cx, op, c->in, c->n));
  c->record = false;
  return history && cx->grad_enabled ? decide_recording(cx, c) : MLPL_OK;
}

/* ---- whose memory a result is in --------------------------------------------------- */

static bool holds_memory_of(mlpl_tensor *const *t, int n, const mlpl_tensor *of) {
  for (int i = 0; i < n; i++)
    if (t[i] && t[i]->storage == of->storage) return true;
  return false;
}

static bool is_among(mlpl_tensor *const *t, int n, const mlpl_tensor *one) {
  for (int i = 0; i < n; i++)
    if (t[i] == one) return true;
  return false;
}

/* A copy with t's history in t's place. */
static mlpl_status move_apart(mlpl_ctx *cx, mlpl_tensor **t) {
  mlpl_tensor *apart;
  MLPL_TRY(mlpl_tensor_clone(cx, &apart, *t));
  if ((*t)->node) apart->node = mlpli_node_retain((*t)->node);
  mlpl_tensor_release(*t);
  *t = apart;
  return MLPL_OK;
}

mlpl_status mlpli_settle_memory(
    mlpl_ctx *cx, mlpl_tensor **out, int n_out, mlpl_tensor *const *in, int n) {
  for (int i = 0; i < n_out; i++) {
    if (!out[i] || is_among(in, n, out[i])) continue;
    out[i]->is_view = holds_memory_of(in, n, out[i]);
    if (!out[i]->is_view && holds_memory_of(out, i, out[i]))
      MLPL_TRY(move_apart(cx, &out[i]));
  }
  return MLPL_OK;
}

/* ---- the call ---------------------------------------------------------------------- */

/* What is recorded meanwhile bears the name of the operation that the user called. */
static mlpl_status compose(mlpl_ctx *cx, mlpli_call *c, mlpl_tensor **out) {
  const char *outer = cx->composing;
  if (!outer && (!c->op->internal || c->op->says)) cx->composing = mlpli_said(c->op);
  mlpl_status status = c->op->compose(cx, c, out);
  cx->composing = outer;
  return status;
}

mlpl_status mlpli_compute(mlpl_ctx *cx, mlpli_call *c, mlpl_tensor **out) {
  const mlpl_op *op = c->op;
  if (op->view) return op->view(cx, c, out);
  if (op->compose) return compose(cx, c, out);
  mlpli_shape s;
  MLPL_TRY(op->shape(cx, c, &s));
  MLPL_TRY(mlpli_tensor_make(cx, out, mlpli_result_dtype(c), s.ndim, s.size));
  return op->forward(cx, c, out);
}

static void release_all(mlpl_tensor **out, int n) {
  for (int i = 0; i < n; i++) mlpli_drop(&out[i]);
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
  return op->view || op->compose ? 0 : n > m ? n : m;
}

static mlpl_status apply(mlpl_ctx *cx, mlpl_tensor **out, const mlpl_op *op,
    mlpl_tensor *const *inputs, int n, const mlpl_value *params) {
  mlpl_tensor *cast[MLPL_MAX_INPUTS];
  for (int i = 0; i < op->n_outputs; i++) out[i] = NULL;
  mlpli_call c = {.op = op, .n = n, .in = inputs, .p = params};
  mlpl_status status = mlpli_begin(cx, &c, cast);
  if (status == MLPL_OK) {
    const mlplk_stream before = cx->random;
    status = mlpli_compute(cx, &c, out);
    if (__builtin_expect(cx->anomaly, 0) && status == MLPL_OK)
      status = mlpli_check_result(cx, &c, out[0]);
    if (status == MLPL_OK && !op->forward)
      status = mlpli_settle_memory(cx, out, op->n_outputs, inputs, n);
    if (status == MLPL_OK && c.record && mlpli_is_real(out[0]) && out[0] != inputs[0])
      status = mlpli_record(cx, &c, out[0]);
    mlpl_tensor_release(c.extra);
    if (status != MLPL_OK) release_all(out, op->n_outputs);
    status = mlpli_undraw(cx, before, status);
  }
  mlpli_end(cx, &c, cast);
  /* of an operation that this one is made of, or of memory for its result */
  if (status != MLPL_OK && (!op->internal || op->says))
    mlpli_fail_as(cx, status, mlpli_said(op), "");
  return status;
}

mlpl_status mlpl_op_apply(mlpl_ctx *cx, mlpl_tensor **out, const mlpl_op *op,
    mlpl_tensor *const *inputs, int n, const mlpl_value *params) {
  op = mlpli_chosen(op, &params);
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
  for (int i = 1; i < op->n_outputs; i++) out[i] = NULL;
  MLPL_TRY(mlpli_resolve(cx, op->name, op->params, op->n_params, args, values));
  return mlpl_op_apply(cx, out, op, inputs, n, values);
}
