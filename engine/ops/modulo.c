/* Division that rounds down, remainders, and the larger and smaller of two numbers. */
#include "ops/rows.h"

#include "grad/grad.h"
#include "tensor/walk.h"

#include <string.h>

/* ---- whole numbers have no division by zero, and no negative powers ---------------- */

typedef bool wrong_number(const void *p, int dtype);

static bool is_zero(const void *p, int dtype) {
  int64_t v;
  if (dtype != MLPL_I64) return *(const uint8_t *)p == 0;
  memcpy(&v, p, sizeof v);
  return v == 0;
}

static bool is_negative(const void *p, int dtype) {
  int64_t v;
  if (dtype != MLPL_I64) return false;
  memcpy(&v, p, sizeof v);
  return v < 0;
}

static bool has_any(const mlpl_tensor *t, wrong_number *wrong) {
  mlpli_walk w;
  const int64_t size = mlpli_dtype_size[t->dtype];
  mlpli_walk_init(&w, t->ndim, t->shape, 1, (const int64_t *[]){t->stride});
  int64_t n = mlpli_walk_run(&w), runs = mlpli_walk_n_runs(&w), at;
  const int64_t step = w.stride[0][w.ndim - 1] * size;
  for (int64_t r = 0; r < runs; r++) {
    mlpli_walk_at(&w, r, &at);
    const char *p = t->data + at * size;
    for (int64_t i = 0; i < n; i++, p += step)
      if (wrong(p, t->dtype)) return true;
  }
  return false;
}

/* Checked where a result has elements at all. */
static mlpl_status check_divisor(
    mlpl_ctx *cx, const mlpli_call *c, const mlpl_tensor *out) {
  const mlpl_tensor *b = c->in[1];
  if (mlpli_is_real(b) || !out->numel || !has_any(b, is_zero)) return MLPL_OK;
  return mlpl_fail(cx, MLPL_EARG,
      "%s: b has a 0; whole numbers (%s) cannot be divided by it (f32 and f64 can)",
      mlpli_said(c->op), mlpl_dtype_name((mlpl_dtype)b->dtype));
}

mlpl_status mlpli_check_exponent(
    mlpl_ctx *cx, const mlpli_call *c, const mlpl_tensor *out) {
  const mlpl_tensor *b = c->in[1];
  if (b->dtype != MLPL_I64 || !out->numel || !has_any(b, is_negative)) return MLPL_OK;
  return mlpl_fail(cx, MLPL_EARG,
      "%s: b has a negative number; whole numbers (i64) have no negative powers (f32 and "
      "f64 do)",
      c->op->name);
}

/* ---- forward passes ---------------------------------------------------------------- */

static FORWARD(floor_divide) {
  MLPL_TRY(check_divisor(cx, c, *out));
  mlpli_map(MLPLK_FLOOR_DIVIDE, *out, c->in[0], c->in[1], 0);
  return MLPL_OK;
}

static FORWARD(div_floor) { return floor_divide_forward(cx, c, out); }

/* Of whole numbers by way of a - fmod(a, b), which b divides. */
static FORWARD(div_trunc) {
  MLPL_TRY(check_divisor(cx, c, *out));
  if (mlpli_is_real(*out)) {
    mlpli_map(MLPLK_DIV, *out, c->in[0], c->in[1], 0);
    mlpli_map(MLPLK_TRUNC, *out, *out, NULL, 0);
  }
  else {
    mlpli_map(MLPLK_FMOD, *out, c->in[0], c->in[1], 0);
    mlpli_map(MLPLK_SUB, *out, c->in[0], *out, 0);
    mlpli_map(MLPLK_FLOOR_DIVIDE, *out, *out, c->in[1], 0);
  }
  return MLPL_OK;
}

static FORWARD(remainder) {
  MLPL_TRY(check_divisor(cx, c, *out));
  mlpli_map(MLPLK_REMAINDER, *out, c->in[0], c->in[1], 0);
  return MLPL_OK;
}

static FORWARD(fmod) {
  MLPL_TRY(check_divisor(cx, c, *out));
  mlpli_map(MLPLK_FMOD, *out, c->in[0], c->in[1], 0);
  return MLPL_OK;
}

static FORWARD(maximum) {
  (void)cx;
  mlpli_map(MLPLK_MAXIMUM, *out, c->in[0], c->in[1], 0);
  return MLPL_OK;
}

static FORWARD(minimum) {
  (void)cx;
  mlpli_map(MLPLK_MINIMUM, *out, c->in[0], c->in[1], 0);
  return MLPL_OK;
}

/* ---- divisors and multiples -------------------------------------------------------- */

static uint64_t divisor(uint64_t a, uint64_t b) {
  while (b) {
    const uint64_t rest = a % b;
    a = b, b = rest;
  }
  return a;
}

static uint64_t magnitude(int64_t v) { return v < 0 ? 0 - (uint64_t)v : (uint64_t)v; }

static uint64_t whole_at(const char *p, int dtype) {
  int64_t v;
  if (dtype != MLPL_I64) return *(const uint8_t *)p;
  memcpy(&v, p, sizeof v);
  return magnitude(v);
}

/* Element by element, of two tensors of one whole dtype; a multiple that is too large wraps
   around. */
static void common(
    mlpl_tensor *out, const mlpl_tensor *a, const mlpl_tensor *b, bool multiple) {
  int64_t sa[MLPL_MAX_RANK], sb[MLPL_MAX_RANK], at[3];
  const int64_t size = mlpli_dtype_size[out->dtype];
  mlpli_walk w;
  mlpli_broadcast_strides(a, out->ndim, out->shape, sa);
  mlpli_broadcast_strides(b, out->ndim, out->shape, sb);
  mlpli_walk_init(&w, out->ndim, out->shape, 3, (const int64_t *[]){out->stride, sa, sb});
  const int last = w.ndim - 1;
  for (int64_t r = 0, runs = mlpli_walk_n_runs(&w); r < runs; r++) {
    mlpli_walk_at(&w, r, at);
    for (int64_t i = 0, n = mlpli_walk_run(&w); i < n; i++) {
      const uint64_t x = whole_at(
                         a->data + (at[1] + i * w.stride[1][last]) * size, a->dtype),
                     y = whole_at(
                         b->data + (at[2] + i * w.stride[2][last]) * size, b->dtype),
                     d = divisor(x, y),
                     v = !multiple ? d
          : d                      ? x / d * y
                                   : 0;
      char *p = out->data + (at[0] + i * w.stride[0][last]) * size;
      if (size == 8)
        memcpy(p, &v, 8);
      else
        *p = (char)v;
    }
  }
}

static FORWARD(gcd) {
  (void)cx;
  common(*out, c->in[0], c->in[1], false);
  return MLPL_OK;
}

static FORWARD(lcm) {
  (void)cx;
  common(*out, c->in[0], c->in[1], true);
  return MLPL_OK;
}

/* ---- backward passes --------------------------------------------------------------- */

/* g, and -g q where the remainder is a - q b: q is constant between its steps */
static mlpl_status give_remainder(
    mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g, mlpli_op_id rest) {
  mlpli_expr e = {.cx = cx};
  if (mlpli_wants(n, 0)) mlpli_xgive(&e, n, 0, g);
  if (mlpli_wants(n, 1)) {
    bool was = mlpl_set_grad_enabled(cx, false);
    mlpl_tensor *a = n->in[0], *b = n->in[1], *q;
    if (rest == MLPLI_OP_REMAINDER)
      q = mlpli_x2(&e, MLPLI_OP_FLOOR_DIVIDE, a, b, NULL);
    else /* (a - fmod) / b, to the nearest: a whole number but for rounding */
      q = mlpli_x2(&e, MLPLI_OP_FLOOR_DIVIDE,
          mlpli_xadd(&e, mlpli_xsub(&e, a, mlpli_x2(&e, rest, a, b, NULL)),
              mlpli_xaffine(&e, b, 0.5, 0)),
          b, NULL);
    mlpl_set_grad_enabled(cx, was);
    mlpli_xgive(&e, n, 1, mlpli_x1(&e, MLPLI_OP_NEG, mlpli_xmul(&e, g, q), NULL));
  }
  return mlpli_expr_end(&e);
}

/* Constant between the steps: 0, as PyTorch's div has it. */
static mlpl_status give_zeros(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *zero = mlpli_xgate(&e, MLPLK_GATE_ABOVE, g, mlpli_xnumber(&e, g, 0), 0);
  for (int i = 0; i < 2; i++)
    if (mlpli_wants(n, i)) mlpli_xgive(&e, n, i, zero);
  return mlpli_expr_end(&e);
}

static BACKWARD(div_trunc) { return give_zeros(cx, n, g); }
static BACKWARD(div_floor) { return give_zeros(cx, n, g); }

static BACKWARD(remainder) { return give_remainder(cx, n, g, MLPLI_OP_REMAINDER); }
static BACKWARD(fmod) { return give_remainder(cx, n, g, MLPLI_OP_FMOD); }

/*
** To the larger (smaller) one; half to each where they are equal, the whole to both where
** one is NaN: PyTorch's conventions. lost[i] is the comparison of a with b that leaves
** input i without any. The shares are constants.
*/
static mlpl_status give_chosen(
    mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g, const mlpli_op_id lost[2]) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *share[2] = {NULL, NULL}, *a = n->in[0], *b = n->in[1];
  const mlpl_value real = {.i = g->dtype};
  bool was = mlpl_set_grad_enabled(cx, false);
  mlpl_tensor *tie = mlpli_x1(
      &e, MLPLI_OP_TO, mlpli_x2(&e, MLPLI_OP_EQ, a, b, NULL), &real);
  mlpl_tensor *most = mlpli_xaffine(&e, tie, -0.5, 1);
  for (int i = 0; i < 2; i++)
    if (mlpli_wants(n, i))
      share[i] = mlpli_xsub(
          &e, most, mlpli_x1(&e, MLPLI_OP_TO, mlpli_x2(&e, lost[i], a, b, NULL), &real));
  mlpl_set_grad_enabled(cx, was);
  for (int i = 0; i < 2; i++)
    if (share[i]) mlpli_xgive(&e, n, i, mlpli_xmul(&e, g, share[i]));
  return mlpli_expr_end(&e);
}

static BACKWARD(maximum) {
  return give_chosen(cx, n, g, (const mlpli_op_id[]){MLPLI_OP_LT, MLPLI_OP_GT});
}

static BACKWARD(minimum) {
  return give_chosen(cx, n, g, (const mlpli_op_id[]){MLPLI_OP_GT, MLPLI_OP_LT});
}

/* ---- rows -------------------------------------------------------------------------- */

/* floor_divide is constant between its steps: nothing is recorded */
const mlpl_op mlpli_op_floor_divide = {.name = "floor_divide",
    .input_name = {"a", "b"},
    .domain = {MLPLI_REAL, MLPLI_NONZERO},
    .n_inputs = 2,
    .n_required = 2,
    .n_outputs = 1,
    .shape = mlpli_shape_broadcast,
    .forward = floor_divide_forward,
    .computes = MLPLI_NUMBERS,
    .in_place = true};
#define ROUNDED_ROW(f)                                                                   \
  BINARY_ROW(f, MLPLI_REAL, MLPLI_NONZERO, 0),                                           \
      .says = MLPLI_OP_DIV, .computes = MLPLI_NUMBERS, .internal = true
const mlpl_op mlpli_op_div_trunc = {ROUNDED_ROW(div_trunc)};
const mlpl_op mlpli_op_div_floor = {ROUNDED_ROW(div_floor), .in_place = true};
const mlpl_op mlpli_op_remainder = {BINARY_ROW(remainder, MLPLI_REAL, MLPLI_NONZERO, 3),
    .saved_for = {2, 2}, .computes = MLPLI_NUMBERS, .in_place = true};
const mlpl_op mlpli_op_fmod = {BINARY_ROW(fmod, MLPLI_REAL, MLPLI_NONZERO, 3),
    .saved_for = {2, 2}, .computes = MLPLI_NUMBERS, .in_place = true};
const mlpl_op mlpli_op_maximum = {BINARY_ROW(maximum, MLPLI_REAL, MLPLI_REAL, 3),
    .computes = MLPLI_NUMBERS | MLPLI_TRUTH, .lower = 3, .in_place = true};
const mlpl_op mlpli_op_minimum = {BINARY_ROW(minimum, MLPLI_REAL, MLPLI_REAL, 3),
    .computes = MLPLI_NUMBERS | MLPLI_TRUTH, .upper = 3, .in_place = true};
#define WHOLE_ROW(f)                                                                     \
  .name = #f, .input_name = {"a", "b"}, .domain = {MLPLI_REAL, MLPLI_REAL},              \
  .n_inputs = 2, .n_required = 2, .n_outputs = 1, .shape = mlpli_shape_broadcast,        \
  .forward = f##_forward, .computes = MLPLI_WHOLES, .in_place = true
const mlpl_op mlpli_op_gcd = {WHOLE_ROW(gcd)};
const mlpl_op mlpli_op_lcm = {WHOLE_ROW(lcm)};
