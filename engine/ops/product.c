/* The kernels' one product on tensors, and the linear layer. */
#include "ops/product.h"

#include "grad/grad.h"

#include <string.h>

mlplk_gemm mlpli_gemm(mlpli_matrix a, mlpli_matrix b, double beta, mlpli_matrix c,
    const mlpl_tensor *bias, mlplk_act act) {
  return (mlplk_gemm){.m = a.rows,
      .n = b.cols,
      .k = a.cols,
      .alpha = 1,
      .beta = beta,
      .a = a.p,
      .rs_a = a.rs,
      .cs_a = a.cs,
      .b = b.p,
      .rs_b = b.rs,
      .cs_b = b.cs,
      .c = c.p,
      .rs_c = c.rs,
      .cs_c = c.cs,
      .bias = bias ? bias->data : NULL,
      .bias_stride = bias ? bias->stride[0] : 0,
      .act = act};
}

mlpl_status mlpli_product(mlpl_ctx *cx, int dtype, mlpli_matrix a, mlpli_matrix b,
    double beta, mlpli_matrix c, const mlpl_tensor *bias, mlplk_act act) {
  mlplk_gemm g = mlpli_gemm(a, b, beta, c, bias, act);
  if (dtype > MLPL_F64) {
    mlplk_whole_gemm(mlpli_dtype_size[dtype], &g);
    return MLPL_OK;
  }
  const mlplk_table *k = cx->kern[dtype];
  size_t bytes = k->gemm(&g, NULL, 0, &cx->par);
  if (bytes == 0) return MLPL_OK;
  void *scratch = mlpli_alloc(cx->heap, bytes);
  if (!scratch) return mlpli_no_memory(cx, "product", bytes);
  k->gemm(&g, scratch, bytes, &cx->par);
  mlpli_free(cx->heap, scratch);
  return MLPL_OK;
}

mlpl_status mlpli_give_product(
    mlpl_ctx *cx, mlpli_node *n, int i, mlpli_matrix a, mlpli_matrix b) {
  mlpl_tensor *to;
  bool add;
  MLPL_TRY(mlpli_grad_target(cx, n, i, &to, &add));
  mlpli_matrix c = {to->data, a.rows, b.cols, b.cols, 1};
  mlpl_status status = mlpli_product(
      cx, to->dtype, a, b, add ? 1 : 0, c, NULL, MLPLK_ACT_NONE);
  if (status != MLPL_OK && !add) mlpli_grad_undo(n, i);
  return status;
}

/* ---- linear: y = act(x W^T + b), x [... x in], W [out x in], b [out] --------------- */

static SHAPE(linear) {
  const mlpl_tensor *x = c->in[0], *w = c->in[1], *b = c->n > 2 ? c->in[2] : NULL;
  char s1[MLPLI_SHAPE_TEXT], s2[MLPLI_SHAPE_TEXT];
  if (w->ndim != 2)
    return mlpl_fail(cx, MLPL_ESHAPE, "linear: weight is %s; it must be [out x in]",
        mlpli_tensor_text(s1, w));
  if (x->ndim < 1 || x->shape[x->ndim - 1] != w->shape[1])
    return mlpl_fail(cx, MLPL_ESHAPE,
        "linear: input is %s, weight is %s; the input's last axis must be %lld",
        mlpli_tensor_text(s1, x), mlpli_tensor_text(s2, w), (long long)w->shape[1]);
  if (b && (b->ndim != 1 || b->shape[0] != w->shape[0]))
    return mlpl_fail(cx, MLPL_ESHAPE,
        "linear: bias is %s, weight is %s; the bias must be [%lld]",
        mlpli_tensor_text(s1, b), mlpli_tensor_text(s2, w), (long long)w->shape[0]);
  s->ndim = x->ndim;
  memcpy(s->size, x->shape, sizeof s->size);
  s->size[s->ndim - 1] = w->shape[0];
  return MLPL_OK;
}

/* All axes but the last as one. t is contiguous or has at most two axes. */
static mlpli_matrix rows_of(const mlpl_tensor *t) {
  int64_t cols = t->shape[t->ndim - 1];
  if (t->ndim == 2) return mlpli_matrix_of(t);
  if (t->ndim == 1) return (mlpli_matrix){t->data, 1, cols, 0, t->stride[0]};
  return (mlpli_matrix){t->data, cols ? t->numel / cols : 0, cols, cols, 1};
}

/* t, or a contiguous copy where its leading axes do not make one. Gives *m's tensor. */
static mlpl_status as_rows(mlpl_ctx *cx, const mlpl_tensor *t, mlpl_tensor **held) {
  if (t->ndim <= 2) {
    *held = mlpli_retain((mlpl_tensor *)(uintptr_t)t);
    return MLPL_OK;
  }
  return mlpli_tensor_contiguous(cx, held, t);
}

static FORWARD(linear) {
  mlpl_tensor *x;
  c->forget_out = !c->p[0].i; /* only the activation's backward reads it */
  if ((*out)->numel == 0) return MLPL_OK;
  MLPL_TRY(as_rows(cx, c->in[0], &x));
  mlplk_act act = c->p[0].i ? MLPLK_ACT_RELU : MLPLK_ACT_NONE;
  mlpl_status status = mlpli_product(cx, x->dtype, rows_of(x),
      mlpli_transposed(mlpli_matrix_of(c->in[1])), 0, rows_of(*out),
      c->n > 2 ? c->in[2] : NULL, act);
  mlpl_tensor_release(x);
  return status;
}

/* db = column sums of g */
static mlpl_status give_bias(mlpl_ctx *cx, mlpli_node *n, const mlpl_tensor *g) {
  mlpl_tensor *to, *sum;
  bool add;
  unsigned rows = (1u << (g->ndim - 1)) - 1;
  MLPL_TRY(mlpli_grad_target(cx, n, 2, &to, &add));
  mlpl_status status;
  if (!add) {
    status = mlpli_reduce(cx, MLPLK_SUM, to, g, rows);
    if (status != MLPL_OK) mlpli_grad_undo(n, 2);
    return status;
  }
  MLPL_TRY(mlpli_tensor_like(cx, &sum, to));
  status = mlpli_reduce(cx, MLPLK_SUM, sum, g, rows);
  if (status == MLPL_OK) mlpli_map(MLPLK_ADD, to, to, sum, 0);
  mlpl_tensor_release(sum);
  return status;
}

/* dx = g W, dW = g^T x */
static mlpl_status linear_kernels(mlpl_ctx *cx, mlpli_node *n, const mlpl_tensor *g) {
  mlpli_matrix mg = rows_of(g);
  mlpl_tensor *x;
  if (mlpli_wants(n, 0))
    MLPL_TRY(mlpli_give_product(cx, n, 0, mg, mlpli_matrix_of(n->in[1])));
  if (mlpli_wants(n, 1)) {
    MLPL_TRY(as_rows(cx, n->in[0], &x));
    mlpl_status status = mlpli_give_product(cx, n, 1, mlpli_transposed(mg), rows_of(x));
    mlpl_tensor_release(x);
    if (status != MLPL_OK) return status;
  }
  return n->n_in > 2 && mlpli_wants(n, 2) ? give_bias(cx, n, g) : MLPL_OK;
}

static mlpl_status linear_recorded(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
  mlpli_expr e = {.cx = cx};
  mlpl_value rows = {.sizes = {2, {1, n->shape[n->ndim - 1]}}},
             shape = {.sizes = {.n = 0}};
  mlpl_value first[2] = {{.i = 0}, {.i = 0}};
  /* -1 tells nothing where a size is 0 */
  for (int d = 0; d < n->ndim - 1; d++) rows.sizes.v[0] *= n->shape[d];
  if (n->p[0].i) g = mlpli_xmul(&e, g, mlpli_xrelu_mask(&e, n->out));
  mlpl_tensor *g2 = mlpli_x1(&e, MLPLI_OP_RESHAPE, g, &rows);
  if (mlpli_wants(n, 0)) {
    int ndim;
    const int64_t *size;
    mlpli_input_shape(n, 0, &ndim, &size);
    shape.sizes.n = ndim;
    memcpy(shape.sizes.v, size, (size_t)ndim * sizeof *size);
    mlpl_tensor *gx = mlpli_x2(&e, MLPLI_OP_MATMUL, g2, n->in[1], NULL);
    mlpli_xgive(&e, n, 0, mlpli_x1(&e, MLPLI_OP_RESHAPE, gx, &shape));
  }
  if (mlpli_wants(n, 1)) {
    rows.sizes.v[1] = n->in[0]->shape[n->in[0]->ndim - 1];
    mlpl_tensor *x2 = mlpli_x1(&e, MLPLI_OP_RESHAPE, n->in[0], &rows);
    mlpl_tensor *gt = mlpli_x1(&e, MLPLI_OP_T, g2, NULL);
    mlpli_xgive(&e, n, 1, mlpli_x2(&e, MLPLI_OP_MATMUL, gt, x2, NULL));
  }
  if (n->n_in > 2 && mlpli_wants(n, 2))
    mlpli_xgive(&e, n, 2, mlpli_x1(&e, MLPLI_OP_SUM, g2, first));
  return mlpli_expr_end(&e);
}

static BACKWARD(linear) {
  if (cx->grad_enabled) return linear_recorded(cx, n, g);
  mlpl_tensor *gy;
  if (n->p[0].i) { /* through the activation: g [y > 0] */
    MLPL_TRY(mlpli_tensor_like(cx, &gy, g));
    mlpli_map(MLPLK_RELU_GRAD, gy, g, n->out, 0);
  }
  else
    MLPL_TRY(as_rows(cx, g, &gy));
  mlpl_status status = linear_kernels(cx, n, gy);
  mlpl_tensor_release(gy);
  return status;
}

/* ---- rows -------------------------------------------------------------------------- */

static const char *const activations[] = {"none", "relu", NULL};
static const mlpl_param linear_params[] = {
    MLPLI_CHOICE_OPTION("activation", activations)};

const mlpl_op mlpli_op_linear = {.name = "linear",
    .input_name = {"input", "weight", "bias"},
    .domain = {MLPLI_REAL, MLPLI_REAL, MLPLI_REAL},
    .n_inputs = 3,
    .n_required = 2,
    .n_outputs = 1,
    .saves = 3 | MLPLI_SAVE_OUT,
    .saved_for = {2, 1},
    .differentiable = 7,
    .shape = shape_linear,
    .forward = linear_forward,
    HAS_BACKWARD(linear),
    PARAMS(linear_params)};
