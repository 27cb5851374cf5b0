/*
** dtypes: what inputs of different ones are computed in, and conversion as an operation,
** so that gradients go back in the dtype from which they come.
*/
#include "ops/rows.h"

#include "grad/grad.h"

#include <stdio.h>

/* ---- promotion --------------------------------------------------------------------- */

/* bool < u8 < i64 < f32 < f64 */
static int rank_of(int dtype) {
  static const int rank[] = {
      [MLPL_BOOL] = 0, [MLPL_U8] = 1, [MLPL_I64] = 2, [MLPL_F32] = 3, [MLPL_F64] = 4};
  return rank[dtype];
}

/* truth values, whole numbers, reals */
static int kind_of(int dtype) {
  return dtype <= MLPL_F64 ? 2 : dtype == MLPL_BOOL ? 0 : 1;
}

static int higher(int a, int b) {
  return a < 0 || (b >= 0 && rank_of(b) > rank_of(a)) ? b : a;
}

/* PyTorch's rule: the highest dtype among the tensors that have axes; one without axes
   counts only where it is of a higher kind than all of those. -1: there are none. */
static int common_dtype(const mlpl_op *op, mlpl_tensor *const *in, int n) {
  int with_axes = -1, without = -1;
  for (int i = 0; i < n; i++) {
    if (!in[i] || !mlpli_holds_numbers(op, i)) continue;
    int *of = in[i]->ndim ? &with_axes : &without;
    *of = higher(*of, in[i]->dtype);
  }
  if (with_axes < 0 || (without >= 0 && kind_of(without) > kind_of(with_axes)))
    return without;
  return with_axes;
}

/* Among whole numbers, with axes or without. */
static int highest_whole(const mlpl_op *op, mlpl_tensor *const *in, int n) {
  int highest = MLPL_U8;
  for (int i = 0; i < n; i++)
    if (in[i] && mlpli_holds_numbers(op, i) && in[i]->dtype == MLPL_I64)
      highest = MLPL_I64;
  return highest;
}

/* "i64, u8, bool" */
static const char *names_of(unsigned dtypes, char *text, size_t size) {
  int at = 0;
  text[0] = '\0';
  for (int d = MLPL_F32; d <= MLPL_BOOL; d++)
    if (dtypes >> d & 1)
      at += snprintf(text + at, size - (size_t)at, "%s%s", at ? ", " : "",
          mlpl_dtype_name((mlpl_dtype)d));
  return text;
}

mlpl_status mlpli_no_arithmetic(mlpl_ctx *cx, const mlpl_op *op, int i, int dtype) {
  char text[32], name[MLPLI_INPUT_TEXT];
  return mlpl_fail(cx, MLPL_EARG, "%s: %s is %s; it takes %s (convert with :to)",
      mlpli_said(op), mlpli_input_text(name, cx, op, i),
      mlpl_dtype_name((mlpl_dtype)dtype), names_of(op->computes, text, sizeof text));
}

mlpl_status mlpli_promoted(
    mlpl_ctx *cx, const mlpl_op *op, mlpl_tensor *const *in, int n, int *dtype) {
  int common = common_dtype(op, in, n);
  if (op->computes == MLPLI_TRUTH) common = MLPL_BOOL;
  if (op->dtype == mlpli_gives_truth && kind_of(common) == 1)
    common = highest_whole(op, in, n); /* only the answer counts, and it is right then */
  if (op->computes == MLPLI_REALS && kind_of(common) < 2) common = MLPL_F32;
  *dtype = common;
  if (op->computes >> common & 1) return MLPL_OK;
  int i = 0; /* of which the common one is */
  while (i < n - 1 && !(in[i] && mlpli_holds_numbers(op, i) && in[i]->dtype == common))
    i++;
  return mlpli_no_arithmetic(cx, op, i, common);
}

bool mlpl_op_number(const mlpl_op *op, int i, mlpl_dtype *dtype, int64_t *v) {
  if (*dtype == MLPL_BOOL) *dtype = MLPL_I64;
  if (*dtype != MLPL_U8 || (*v >= 0 && *v <= UINT8_MAX)) return true;
  if (op->computes == MLPLI_REALS)
    *dtype = MLPL_F32;
  else if (op->computes == MLPLI_TRUTH || op->dtype == mlpli_gives_truth)
    *dtype = MLPL_I64;
  else if (op->wraps >> i & 1)
    *v &= UINT8_MAX;
  else if (*v < 0 && op->lower >> i & 1)
    *v = 0;
  else if (*v > 0 && op->upper >> i & 1)
    *v = UINT8_MAX;
  else
    return false;
  return true;
}

int mlpli_gives_truth(const mlpli_call *c) {
  (void)c;
  return MLPL_BOOL;
}

bool mlpli_can_hold(int dtype, int result) { return kind_of(dtype) >= kind_of(result); }

/* ---- conversion -------------------------------------------------------------------- */

static int to_dtype(const mlpli_call *c) { return (int)c->p[0].i; }

static FORWARD(to) {
  (void)cx;
  mlpli_copy(*out, c->in[0]);
  return MLPL_OK;
}

static BACKWARD(to) {
  mlpli_expr e = {.cx = cx};
  mlpl_value p = {.i = n->in_dtype};
  mlpli_xgive(&e, n, 0, mlpli_x1(&e, MLPLI_OP_TO, g, &p));
  return mlpli_expr_end(&e);
}

/* ---- rows -------------------------------------------------------------------------- */

static const mlpl_param to_params[] = {
    {"dtype", MLPL_PARAM_INT, MLPL_REQUIRED, 0, MLPL_F32, MLPL_BOOL, NULL, 0}};

const mlpl_op mlpli_op_to = {MAP_ROW(to, MLPLI_ANY, 0), HAS_BACKWARD(to),
    PARAMS(to_params), .dtype = to_dtype, .internal = true};
