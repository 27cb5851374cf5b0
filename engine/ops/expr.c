/* Expressions: chains of operations in which one failure stands for all that would
   follow. */
#include "grad/grad.h"

#include <string.h>

mlpl_tensor *mlpli_xkeep(mlpli_expr *e, mlpl_tensor *t) {
  MLPL_ASSERT(e->n < (int)(sizeof e->temp / sizeof *e->temp));
  if (t) e->temp[e->n++] = t;
  return t;
}

mlpl_tensor *mlpli_xn(
    mlpli_expr *e, mlpli_op_id id, mlpl_tensor *const *in, int n, const mlpl_value *p) {
  mlpl_tensor *out[MLPLI_MAX_OUTPUTS] = {NULL};
  if (e->status != MLPL_OK) return NULL;
  e->status = mlpli_apply(e->cx, out, id, in, n, p);
  for (int i = 1; i < MLPLI_MAX_OUTPUTS; i++) mlpl_tensor_release(out[i]);
  return mlpli_xkeep(e, out[0]);
}

static mlpl_tensor *apply(
    mlpli_expr *e, mlpli_op_id id, mlpl_tensor *const *in, int n, const mlpl_value *p) {
  for (int i = 0; i < n; i++)
    if (!in[i]) return NULL;
  return mlpli_xn(e, id, in, n, p);
}

mlpl_tensor *mlpli_x1(
    mlpli_expr *e, mlpli_op_id id, mlpl_tensor *a, const mlpl_value *p) {
  return apply(e, id, (mlpl_tensor *[]){a}, 1, p);
}

mlpl_tensor *mlpli_x2(
    mlpli_expr *e, mlpli_op_id id, mlpl_tensor *a, mlpl_tensor *b, const mlpl_value *p) {
  return apply(e, id, (mlpl_tensor *[]){a, b}, 2, p);
}

mlpl_tensor *mlpli_x3(mlpli_expr *e, mlpli_op_id id, mlpl_tensor *a, mlpl_tensor *b,
    mlpl_tensor *c, const mlpl_value *p) {
  return apply(e, id, (mlpl_tensor *[]){a, b, c}, 3, p);
}

mlpl_tensor *mlpli_xadd(mlpli_expr *e, mlpl_tensor *a, mlpl_tensor *b) {
  return mlpli_x2(e, MLPLI_OP_ADD, a, b, NULL);
}
mlpl_tensor *mlpli_xsub(mlpli_expr *e, mlpl_tensor *a, mlpl_tensor *b) {
  return mlpli_x2(e, MLPLI_OP_SUB, a, b, NULL);
}
mlpl_tensor *mlpli_xmul(mlpli_expr *e, mlpl_tensor *a, mlpl_tensor *b) {
  return mlpli_x2(e, MLPLI_OP_MUL, a, b, NULL);
}
mlpl_tensor *mlpli_xdiv(mlpli_expr *e, mlpl_tensor *a, mlpl_tensor *b) {
  return mlpli_x2(e, MLPLI_OP_DIV, a, b, NULL);
}
mlpl_tensor *mlpli_xaffine(mlpli_expr *e, mlpl_tensor *a, double scale, double shift) {
  return mlpli_x1(e, MLPLI_OP_AFFINE, a, (mlpl_value[]){{.f = scale}, {.f = shift}});
}

mlpl_tensor *mlpli_xmap(
    mlpli_expr *e, mlplk_map_kind kind, mlpl_tensor *a, mlpl_tensor *b, double p) {
  mlpl_tensor *out;
  if (!a || e->status != MLPL_OK) return NULL;
  e->status = mlpli_tensor_like(e->cx, &out, a);
  if (e->status == MLPL_OK) mlpli_map(kind, out, a, b, p);
  return mlpli_xkeep(e, out);
}

mlpl_tensor *mlpli_xmap3(mlpli_expr *e, mlplk_map3_kind kind, mlpl_tensor *a,
    mlpl_tensor *b, mlpl_tensor *c, double p) {
  mlpl_tensor *out;
  if (!a || !b || !c || e->status != MLPL_OK) return NULL;
  e->status = mlpli_tensor_like(e->cx, &out, a);
  if (e->status == MLPL_OK) mlpli_map3(kind, out, a, b, c, p);
  return mlpli_xkeep(e, out);
}

mlpl_tensor *mlpli_xgate(
    mlpli_expr *e, mlplk_map_kind gate, mlpl_tensor *a, mlpl_tensor *b, double p) {
  return mlpli_x2(e, MLPLI_OP_GATE, a, b,
      (mlpl_value[]){{.i = (int64_t)(gate - MLPLK_GATE_ABOVE)}, {.f = p}});
}

mlpl_tensor *mlpli_xnumber(mlpli_expr *e, const mlpl_tensor *t, double v) {
  mlpl_tensor *out;
  if (e->status != MLPL_OK) return NULL;
  e->status = mlpl_tensor_full(e->cx, &out, (mlpl_dtype)t->dtype, 0, NULL, v);
  return mlpli_xkeep(e, out);
}

mlpl_tensor *mlpli_xzeros(mlpli_expr *e, mlpl_tensor *t) {
  mlpl_tensor *mask, *flat;
  bool any = false;
  if (e->status != MLPL_OK) return NULL;
  e->status = mlpli_tensor_contiguous(e->cx, &flat, t);
  if (e->status != MLPL_OK || !mlpli_xkeep(e, flat)) return NULL;
  e->status = mlpli_tensor_make(e->cx, &mask, MLPL_BOOL, t->ndim, t->shape);
  if (e->status != MLPL_OK || !mlpli_xkeep(e, mask)) return NULL;
  for (int64_t i = 0; i < t->numel; i++) {
    const void *at = flat->data + (size_t)i * mlpli_dtype_size[t->dtype];
    const bool zero = mlpli_load(at, t->dtype) == 0;
    mask->data[i] = zero;
    any = any || zero;
  }
  return any ? mask : NULL;
}

mlpl_tensor *mlpli_xzero_where(mlpli_expr *e, mlpl_tensor *mask, mlpl_tensor *a) {
  if (!mask) return a;
  return mlpli_x2(e, MLPLI_OP_MASKED_FILL, a, mask, &(mlpl_value){.f = 0});
}

mlpl_tensor *mlpli_xrelu_mask(mlpli_expr *e, mlpl_tensor *y) {
  mlpl_tensor *one;
  if (e->status != MLPL_OK) return NULL;
  e->status = mlpl_tensor_full(e->cx, &one, (mlpl_dtype)y->dtype, y->ndim, y->shape, 1);
  return mlpli_xmap(e, MLPLK_RELU_GRAD, mlpli_xkeep(e, one), y, 0);
}

mlpl_tensor *mlpli_xout(mlpli_expr *e, mlpli_node *n) {
  mlpl_tensor *out;
  if (!e->cx->grad_enabled) return n->out;
  if (e->status != MLPL_OK) return NULL;
  e->status = mlpli_tensor_alias(e->cx, &out, n->out);
  if (e->status == MLPL_OK) out->node = mlpli_node_retain(n);
  return mlpli_xkeep(e, out);
}

void mlpli_xgive(mlpli_expr *e, mlpli_node *n, int i, mlpl_tensor *gx) {
  if (!gx || e->status != MLPL_OK) return;
  int ndim;
  const int64_t *shape;
  mlpli_input_shape(n, i, &ndim, &shape);
  if (!mlpli_same_shape(gx, ndim, shape)) {
    mlpl_value p = {.sizes = {.n = ndim}};
    memcpy(p.sizes.v, shape, sizeof p.sizes.v);
    gx = mlpli_x1(e, MLPLI_OP_SUM_TO_SIZE, gx, &p);
    if (!gx) return;
  }
  e->status = mlpli_give(e->cx, n, i, gx);
}

mlpl_status mlpli_expr_end(mlpli_expr *e) {
  while (e->n) mlpl_tensor_release(e->temp[--e->n]);
  return e->status;
}

mlpl_status mlpli_xresult(mlpli_expr *e, mlpl_tensor **out, mlpl_tensor *y) {
  *out = e->status == MLPL_OK ? mlpli_retain(y) : NULL;
  return mlpli_expr_end(e);
}
