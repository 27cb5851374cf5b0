/*
** Comparisons, logic and bits: rows without gradients, most of which give truth values.
** Inputs of different dtypes are compared in the one that they promote to.
*/
#include "ops/rows.h"

#include "grad/grad.h"
#include "tensor/walk.h"

/* ---- comparisons, tests and bits --------------------------------------------------- */

#define LOGIC2(name, kind)                                                               \
  static FORWARD(name) {                                                                 \
    (void)cx;                                                                            \
    mlpli_logic(kind, *out, c->in[0], c->in[1]);                                         \
    return MLPL_OK;                                                                      \
  }
#define LOGIC1(name, kind)                                                               \
  static FORWARD(name) {                                                                 \
    (void)cx;                                                                            \
    mlpli_logic(kind, *out, c->in[0], NULL);                                             \
    return MLPL_OK;                                                                      \
  }

LOGIC2(eq, MLPLK_EQ)
LOGIC2(ne, MLPLK_NE)
LOGIC2(lt, MLPLK_LT)
LOGIC2(le, MLPLK_LE)
LOGIC2(gt, MLPLK_GT)
LOGIC2(ge, MLPLK_GE)
LOGIC1(isnan, MLPLK_ISNAN)
LOGIC1(isinf, MLPLK_ISINF)
LOGIC1(isfinite, MLPLK_ISFINITE)
LOGIC2(and, MLPLK_AND)
LOGIC2(or, MLPLK_OR)
LOGIC2(xor, MLPLK_XOR)
LOGIC1(not, MLPLK_NOT)
LOGIC2(left_shift, MLPLK_SHIFT_LEFT)
LOGIC2(right_shift, MLPLK_SHIFT_RIGHT)

/* ---- close enough ------------------------------------------------------------------ */

/* |x - y| <= atol + rtol |y|; equal infinities are close, NaN only where it may be. */
static bool close_to(double x, double y, const mlpl_value *p) {
  if (x == y || (p[2].i && isnan(x) && isnan(y))) return true;
  return isfinite(y) && fabs(x - y) <= p[1].f + p[0].f * fabs(y);
}

/* In double whatever the dtype, which is exact but for i64 beyond 2^53. */
static void close_run(int64_t n, uint8_t *out, int64_t s_out, const mlpl_tensor *a,
    int64_t at_a, int64_t s_a, const mlpl_tensor *b, int64_t at_b, int64_t s_b,
    const mlpl_value *p) {
  const int64_t size_a = mlpli_dtype_size[a->dtype], size_b = mlpli_dtype_size[b->dtype];
  const char *x = a->data + at_a * size_a, *y = b->data + at_b * size_b;
  for (int64_t i = 0; i < n; i++, x += s_a * size_a, y += s_b * size_b)
    out[i * s_out] = close_to(mlpli_load(x, a->dtype), mlpli_load(y, b->dtype), p);
}

static FORWARD(isclose) {
  (void)cx;
  const mlpl_tensor *y = *out, *a = c->in[0], *b = c->in[1];
  int64_t sa[MLPL_MAX_RANK], sb[MLPL_MAX_RANK], at[3];
  mlpli_broadcast_strides(a, y->ndim, y->shape, sa);
  mlpli_broadcast_strides(b, y->ndim, y->shape, sb);
  mlpli_walk w;
  mlpli_walk_init(&w, y->ndim, y->shape, 3, (const int64_t *[]){y->stride, sa, sb});
  const int last = w.ndim - 1;
  for (int64_t r = 0, runs = mlpli_walk_n_runs(&w); r < runs; r++) {
    mlpli_walk_at(&w, r, at);
    close_run(mlpli_walk_run(&w), (uint8_t *)y->data + at[0], w.stride[0][last], a, at[1],
        w.stride[1][last], b, at[2], w.stride[2][last], c->p);
  }
  return MLPL_OK;
}

/* ---- signs and infinities, by comparisons ------------------------------------------ */

static mlpl_status against(
    mlpl_ctx *cx, const mlpli_call *c, mlpli_op_id how, double v, mlpl_tensor **out) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *x = c->in[0], one = *x;
  if (!mlpli_is_real(x)) one.dtype = MLPL_F32; /* what is infinite has a real dtype */
  return mlpli_xresult(
      &e, out, mlpli_x2(&e, how, x, mlpli_xnumber(&e, v == 0 ? x : &one, v), NULL));
}

static COMPOSE(isposinf) {
  return against(cx, c, MLPLI_OP_EQ, (double)INFINITY, out);
}
static COMPOSE(isneginf) {
  return against(cx, c, MLPLI_OP_EQ, -(double)INFINITY, out);
}

/* Of -0, too: 1 with x's sign is below 0. */
static COMPOSE(signbit) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *x = c->in[0];
  if (!mlpli_is_real(x)) return against(cx, c, MLPLI_OP_LT, 0, out);
  mlpl_tensor *sign =
      mlpli_x2(&e, MLPLI_OP_COPYSIGN, mlpli_xnumber(&e, x, 1), x, NULL);
  return mlpli_xresult(&e, out,
      mlpli_x2(&e, MLPLI_OP_LT, sign, mlpli_xnumber(&e, x, 0), NULL));
}

/* ---- membership -------------------------------------------------------------------- */

/* Whether each of x is among the others: they are put in order once, and each x is looked
   for where it would stand. */
static COMPOSE(isin) {
  mlpli_expr e = {.cx = cx};
  const mlpl_value last[3] = {{.i = -1}, {.i = 0}, {.i = 1}}, from_left = {.i = 0};
  mlpl_tensor *x = c->in[0], *among = mlpli_x1(&e, MLPLI_OP_RAVEL, c->in[1], NULL);
  mlpl_tensor *found = NULL;
  if (c->in[1]->numel == 0)
    found = mlpli_x2(&e, MLPLI_OP_NE, x, x, NULL); /* false; NaN is dealt with below */
  else {
    among = mlpli_x1(&e, MLPLI_OP_SORT, among, last);
    mlpl_tensor *at = mlpli_x2(&e, MLPLI_OP_SEARCHSORTED, among, x, &from_left);
    mlpl_tensor *end = at ? mlpli_xnumber(&e, at,
                                (double)(c->in[1]->numel - 1 + cx->index_base))
                          : NULL;
    at = mlpli_x2(&e, MLPLI_OP_MINIMUM, at, end, NULL);
    found = mlpli_x2(&e, MLPLI_OP_EQ, mlpli_x2(&e, MLPLI_OP_TAKE, among, at, NULL), x,
        NULL);
  }
  if (c->in[1]->numel == 0 && found)
    found = mlpli_x2(&e, MLPLI_OP_LOGICAL_XOR, found, found, NULL);
  if (c->p[0].i) found = mlpli_x1(&e, MLPLI_OP_LOGICAL_NOT, found, NULL);
  return mlpli_xresult(&e, out, found);
}

/* ---- answers about whole tensors --------------------------------------------------- */

static bool all_true(const mlpl_tensor *t) {
  for (int64_t i = 0; i < t->numel; i++)
    if (!t->data[i]) return false;
  return true;
}

static mlpl_status ask(mlpl_ctx *cx, const mlpl_op *op, mlpl_tensor *a, mlpl_tensor *b,
    const mlpl_value *p, bool *answer) {
  mlpl_tensor *each;
  MLPL_TRY(mlpl_op_apply(cx, &each, op, (mlpl_tensor *[]){a, b}, 2, p));
  *answer = all_true(each);
  mlpl_tensor_release(each);
  return MLPL_OK;
}

mlpl_status mlpl_tensor_equal(mlpl_ctx *cx, mlpl_tensor *a, mlpl_tensor *b, bool *equal) {
  *equal = false;
  if (!mlpli_same_shape(a, b->ndim, b->shape)) return MLPL_OK;
  return ask(cx, mlpli_op_table[MLPLI_OP_EQ], a, b, NULL, equal);
}

mlpl_status mlpl_tensor_allclose(mlpl_ctx *cx, mlpl_tensor *a, mlpl_tensor *b,
    double rtol, double atol, bool equal_nan, bool *close) {
  const mlpl_value p[3] = {{.f = rtol}, {.f = atol}, {.i = equal_nan}};
  *close = false;
  return mlpli_fail_as(cx,
      ask(cx, mlpli_op_table[MLPLI_OP_ISCLOSE], a, b, p, close), "allclose", "");
}

/* ---- rows -------------------------------------------------------------------------- */

static const mlpl_param isclose_params[] = {MLPLI_REAL_OPTION("rtol", 1e-5, 0, 1e300),
    MLPLI_REAL_OPTION("atol", 1e-8, 0, 1e300), MLPLI_BOOL_OPTION("equal_nan", 0)};

#define ALL (MLPLI_NUMBERS | MLPLI_TRUTH)
#define TWO(row, f, dtypes)                                                              \
  .name = row, .input_name = {"a", "b"}, .domain = {MLPLI_REAL, MLPLI_REAL},             \
  .n_inputs = 2, .n_required = 2, .n_outputs = 1, .shape = mlpli_shape_broadcast,        \
  .forward = f##_forward, .computes = dtypes
#define ONE(row, f, dtypes)                                                              \
  .name = row, .input_name = {"input"}, .domain = {MLPLI_REAL}, .n_inputs = 1,           \
  .n_required = 1, .n_outputs = 1, .shape = mlpli_shape_same, .forward = f##_forward,    \
  .computes = dtypes
/* comparisons in place: 1 and 0 in the receiver's dtype */
#define TRUTH .dtype = mlpli_gives_truth
#define TRUTH_IN_PLACE TRUTH, .underscored = true

const mlpl_op mlpli_op_eq = {TWO("eq", eq, ALL), TRUTH_IN_PLACE};
const mlpl_op mlpli_op_ne = {TWO("ne", ne, ALL), TRUTH_IN_PLACE};
const mlpl_op mlpli_op_lt = {TWO("lt", lt, ALL), TRUTH_IN_PLACE};
const mlpl_op mlpli_op_le = {TWO("le", le, ALL), TRUTH_IN_PLACE};
const mlpl_op mlpli_op_gt = {TWO("gt", gt, ALL), TRUTH_IN_PLACE};
const mlpl_op mlpli_op_ge = {TWO("ge", ge, ALL), TRUTH_IN_PLACE};
const mlpl_op mlpli_op_isnan = {ONE("isnan", isnan, ALL), TRUTH};
const mlpl_op mlpli_op_isinf = {ONE("isinf", isinf, ALL), TRUTH};
const mlpl_op mlpli_op_isfinite = {ONE("isfinite", isfinite, ALL), TRUTH};
const mlpl_op mlpli_op_isclose = {
    TWO("isclose", isclose, ALL), TRUTH, PARAMS(isclose_params)};
#define COMPOSED(f, what)                                                                \
  .name = #f, .input_name = {"input"}, .domain = {what}, .n_inputs = 1, .n_required = 1, \
  .n_outputs = 1, .compose = f##_compose
const mlpl_op mlpli_op_isposinf = {COMPOSED(isposinf, MLPLI_ANY)};
const mlpl_op mlpli_op_isneginf = {COMPOSED(isneginf, MLPLI_ANY)};
const mlpl_op mlpli_op_signbit = {COMPOSED(signbit, MLPLI_ANY)};
static const mlpl_param isin_params[] = {MLPLI_BOOL_OPTION("invert", 0)};
const mlpl_op mlpli_op_isin = {.name = "isin",
    .input_name = {"elements", "test_elements"},
    .domain = {MLPLI_REAL, MLPLI_REAL},
    .n_inputs = 2,
    .n_required = 2,
    .n_outputs = 1,
    .numbers = 3,
    .computes = ALL,
    TRUTH,
    .compose = isin_compose,
    PARAMS(isin_params)};
const mlpl_op mlpli_op_logical_and = {TWO("logical_and", and, MLPLI_TRUTH), TRUTH_IN_PLACE};
const mlpl_op mlpli_op_logical_or = {TWO("logical_or", or, MLPLI_TRUTH), TRUTH_IN_PLACE};
const mlpl_op mlpli_op_logical_xor = {TWO("logical_xor", xor, MLPLI_TRUTH), TRUTH_IN_PLACE};
const mlpl_op mlpli_op_logical_not = {ONE("logical_not", not, MLPLI_TRUTH), TRUTH_IN_PLACE};
const mlpl_op mlpli_op_bitwise_and = {
    TWO("bitwise_and", and, MLPLI_WHOLES | MLPLI_TRUTH), .in_place = true, .wraps = 3};
const mlpl_op mlpli_op_bitwise_or = {
    TWO("bitwise_or", or, MLPLI_WHOLES | MLPLI_TRUTH), .in_place = true, .wraps = 3};
const mlpl_op mlpli_op_bitwise_xor = {
    TWO("bitwise_xor", xor, MLPLI_WHOLES | MLPLI_TRUTH), .in_place = true, .wraps = 3};
const mlpl_op mlpli_op_bitwise_not = {
    ONE("bitwise_not", not, MLPLI_WHOLES | MLPLI_TRUTH), .in_place = true};
const mlpl_op mlpli_op_bitwise_left_shift = {
    TWO("bitwise_left_shift", left_shift, MLPLI_WHOLES), .in_place = true};
const mlpl_op mlpli_op_bitwise_right_shift = {
    TWO("bitwise_right_shift", right_shift, MLPLI_WHOLES), .in_place = true};
