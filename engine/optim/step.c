/*
** A training step as one call. A plain multilayer perceptron is planned: its layers laid
** out in a list with buffers that are kept from step to step, so that a step is a handful
** of kernel calls. What those calls compute, and in which order, is what the recorded
** operations compute (ops/product.c, ops/cross_entropy.c, ops/dropout.c): the results
** have the same bits.
*/
#include "optim/optim.h"

#include "base/profile.h"
#include "grad/grad.h"
#include "nn/nn.h"
#include "ops/rows.h"

#include <string.h>

#define MAX_LAYERS 64

typedef enum layer_kind { LINEAR, MAP, DROPOUT } layer_kind;

typedef struct layer {
  layer_kind kind;
  const mlpl_module *module;
  int place;              /* among the model's layers, from 1, for the profiler */
  bool relu;              /* of a LINEAR: applied in the product's epilogue */
  mlplk_map_kind f, grad; /* of a MAP: an activation */
  bool from_input;        /* its gradient reads the input, else the output */
  double p;
  mlpl_tensor *y;    /* [n x width] */
  mlpl_tensor *mask; /* of a DROPOUT; made when it is first needed */
  mlpl_tensor *gy;   /* gradient of y */
  mlpl_tensor *gz;   /* of a LINEAR with relu: gradient before the activation */
  /* of the present step: what it read, where that one's gradient goes (NULL: nowhere) */
  mlpl_tensor *x, *gx;
  /* of a LINEAR, all but the addresses: y = x W^T, gx = g W, gradient of W = g^T x */
  mlplk_gemm forward, to_x, to_w;
} layer;

struct mlpl_step {
  int refs;
  mlpl_ctx *cx;
  mlpl_module *model, *loss;
  mlpl_optimizer *optimizer;
  bool planned; /* the last run was */
  int n;        /* layers of the plan; 0: none for this shape */
  layer layer[MAX_LAYERS];
  /* x of the present step seen as [n x width]: a struct of ours, x's memory */
  mlpl_tensor *in;
  int64_t *label;      /* [n] */
  mlpl_tensor *each;   /* [n] losses */
  mlpl_tensor *value;  /* the loss */
  int64_t rows, width; /* of x */
  uint8_t dtype;
  void *scratch; /* of the products */
  size_t scratch_bytes;
};

/* ---- laying out -------------------------------------------------------------------- */

/* Kernels of an activation, as its row of the table uses them (ops/arithmetic.c). */
static bool activation(layer *l) {
  static const struct {
    mlpli_op_id op;
    mlplk_map_kind f, grad;
    bool from_input;
  } maps[] = {
      {MLPLI_OP_RELU, MLPLK_RELU, MLPLK_RELU_GRAD, false},
      {MLPLI_OP_LEAKY_RELU, MLPLK_LEAKY_RELU, MLPLK_LEAKY_GRAD, true},
      {MLPLI_OP_ELU, MLPLK_ELU, MLPLK_ELU_GRAD, false},
      {MLPLI_OP_SIGMOID, MLPLK_SIGMOID, MLPLK_SIGMOID_GRAD, false},
      {MLPLI_OP_TANH, MLPLK_TANH, MLPLK_TANH_GRAD, false},
  };
  for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
    if (maps[i].op != l->module->kind->op) continue;
    l->kind = MAP;
    l->f = maps[i].f;
    l->grad = maps[i].grad;
    l->from_input = maps[i].from_input;
    l->p = l->module->kind->n_params ? l->module->p[0].f : 0;
    return true;
  }
  return false;
}

/* The layers below m in order; false when one of them is none of ours. */
static bool lay_out(mlpl_step *s, const mlpl_module *m) {
  if (m->kind == &mlpli_sequential) {
    for (int i = 0; i < m->n_children; i++)
      if (!lay_out(s, m->child[i])) return false;
    return true;
  }
  if (m->kind->op == MLPLI_OP_FLATTEN)
    return s->n == 0 && m->p[0].i == 1 && m->p[1].i == -1;
  if (s->n == MAX_LAYERS) return false;
  layer l = {.module = m, .place = s->n + 1};
  if (m->kind->op == MLPLI_OP_LINEAR)
    l.kind = LINEAR;
  else if (m->kind->op == MLPLI_OP_DROPOUT)
    l.kind = DROPOUT;
  else if (!activation(&l))
    return false;
  s->layer[s->n++] = l;
  return true;
}

/* As Sequential does it: a ReLU right behind a Linear of the same container is fused.
   Elsewhere it is its own layer. */
static void fuse(mlpl_step *s, const mlpl_module *m) {
  for (int i = 0; i < m->n_children; i++) {
    const mlpl_module *child = m->child[i];
    if (child->n_children) fuse(s, child);
    if (child->kind->op != MLPLI_OP_LINEAR || i + 1 >= m->n_children ||
        m->child[i + 1]->kind->op != MLPLI_OP_RELU)
      continue;
    for (int k = 0; k + 1 < s->n; k++)
      if (s->layer[k].module == child && s->layer[k + 1].module == m->child[i + 1]) {
        s->layer[k].relu = true;
        memmove(
            &s->layer[k + 1], &s->layer[k + 2], (size_t)(s->n - k - 2) * sizeof(layer));
        s->n--;
        break;
      }
  }
}

static void drop(mlpl_tensor **t) {
  mlpli_drop(t);
}

static void forget(mlpl_step *s) {
  for (int i = 0; i < MAX_LAYERS; i++) {
    layer *l = &s->layer[i];
    drop(&l->y);
    drop(&l->mask);
    drop(&l->gy);
    drop(&l->gz);
  }
  memset(s->layer, 0, sizeof s->layer);
  drop(&s->in);
  drop(&s->each);
  drop(&s->value);
  mlpli_free(s->cx->heap, s->label);
  mlpli_free(s->cx->heap, s->scratch);
  s->label = NULL;
  s->scratch = NULL;
  s->scratch_bytes = 0;
  s->n = 0;
}

static mlpl_status buffer(mlpl_step *s, mlpl_tensor **t, int64_t width) {
  return mlpli_tensor_make(s->cx, t, s->dtype, 2, (int64_t[]){s->rows, width});
}

/* Sizes and strides of a layer's products; x stands for anything of its input's shape. */
static void make_products(layer *l, int64_t in) {
  const mlpl_tensor *w = l->module->parameter[0], *b = l->module->parameter[1];
  mlpli_matrix y = mlpli_matrix_of(l->y), W = mlpli_matrix_of(w),
               x = {NULL, y.rows, in, in, 1};
  l->forward = mlpli_gemm(
      x, mlpli_transposed(W), 0, y, b, l->relu ? MLPLK_ACT_RELU : MLPLK_ACT_NONE);
  l->to_x = mlpli_gemm(y, W, 0, x, NULL, MLPLK_ACT_NONE);
  l->to_w = mlpli_gemm(mlpli_transposed(y), x, 0, W, NULL, MLPLK_ACT_NONE);
}

static mlpl_status make_buffers(mlpl_step *s, mlpl_tensor *x) {
  int64_t width = s->width, scalar = 0;
  MLPL_TRY(mlpli_tensor_view(
      s->cx, &s->in, x, 0, 2, (int64_t[]){s->rows, width}, (int64_t[]){width, 1}));
  for (int i = 0; i < s->n; i++) {
    layer *l = &s->layer[i];
    int64_t in = width;
    if (l->kind == LINEAR) width = l->module->parameter[0]->shape[0];
    MLPL_TRY(buffer(s, &l->y, width));
    if (l->kind == LINEAR) make_products(l, in);
    MLPL_TRY(buffer(s, &l->gy, width));
    if (l->relu) MLPL_TRY(buffer(s, &l->gz, width));
  }
  MLPL_TRY(mlpli_tensor_make(s->cx, &s->each, s->dtype, 1, &s->rows));
  MLPL_TRY(mlpli_tensor_make(s->cx, &s->value, s->dtype, 0, &scalar));
  return mlpli_new(
      s->cx, &s->label, (size_t)(s->rows ? s->rows : 1) * sizeof *s->label, "step");
}

/* Every parameter once, and the optimizer's: then there is no gradient to add to after
   zero_grad. */
static bool owns_parameters(const mlpl_step *s) {
  for (int i = 0; i < s->n; i++)
    for (int p = 0; p < MLPLI_MAX_TENSORS; p++) {
      const mlpl_tensor *w = s->layer[i].module->parameter[p];
      if (w && !mlpli_optimizer_has(s->optimizer, w)) return false;
      for (int k = 0; w && k < i; k++)
        if (s->layer[k].module == s->layer[i].module) return false;
    }
  return true;
}

/* Do sizes and dtypes follow each other? What does not goes the long way, which has the
   error messages. */
static bool fits(const mlpl_step *s) {
  int64_t width = s->width;
  for (int i = 0; i < s->n; i++) {
    const layer *l = &s->layer[i];
    if (l->kind != LINEAR) continue;
    const mlpl_tensor *w = l->module->parameter[0];
    const mlpl_tensor *b = l->module->parameter[1];
    if (w->dtype != s->dtype || w->shape[1] != width || !w->contiguous) return false;
    if (!w->requires_grad || (b && !b->requires_grad)) return false;
    width = w->shape[0];
  }
  return s->n && s->layer[0].kind == LINEAR && s->layer[s->n - 1].kind != DROPOUT;
}

static mlpl_status plan(mlpl_step *s, mlpl_tensor *x) {
  forget(s);
  s->rows = x->shape[0];
  s->width = x->numel / s->rows;
  s->dtype = x->dtype;
  if (!lay_out(s, s->model))
    s->n = 0;
  else
    fuse(s, s->model);
  if (!fits(s) || !owns_parameters(s)) s->n = 0;
  mlpl_status status = s->n ? make_buffers(s, x) : MLPL_OK;
  if (status != MLPL_OK) forget(s);
  return status;
}

static bool is_cross_entropy(const mlpl_step *s) {
  return s->loss->kind->op == MLPLI_OP_CROSS_ENTROPY;
}

/* Losses that are planned: cross-entropy on labels without weights, mean squared error;
   reduced to a number. */
static bool is_plain_loss(
    const mlpl_step *s, const mlpl_tensor *x, const mlpl_tensor *y) {
  if (s->loss->tensor[0]) return false;
  if (is_cross_entropy(s))
    return s->loss->p[0].i != MLPLI_NO_REDUCTION && y->dtype == MLPL_I64 &&
        y->ndim == 1 && y->shape[0] == x->shape[0];
  return s->loss->kind->op == MLPLI_OP_MSE_LOSS &&
      s->loss->p[0].i != MLPLI_NO_REDUCTION && y->dtype == x->dtype && y->ndim == 2 &&
      y->shape[0] == x->shape[0] && y->contiguous && !mlpli_tracked(y);
}

/* Can this step be planned, whatever the sizes? */
static bool is_plain(const mlpl_step *s, const mlpl_tensor *x, const mlpl_tensor *y) {
  bool flat = x->ndim == 2;
  /* other ranks need a Flatten in front */
  for (const mlpl_module *m = s->model; !flat && m;) {
    if (m->kind->op == MLPLI_OP_FLATTEN) flat = x->ndim > 2;
    m = m->n_children ? m->child[0] : NULL;
  }
  return flat && x->contiguous && mlpli_is_real(x) && !mlpli_tracked(x) && x->numel &&
      is_plain_loss(s, x, y) && s->cx->grad_enabled && !s->cx->predicting &&
      !s->cx->anomaly;
}

/* ---- a planned step ---------------------------------------------------------------- */

/* A product at these addresses, with scratch memory that stays. */
static mlpl_status product(mlpl_step *s, mlplk_gemm *g, const mlpl_tensor *a,
    const mlpl_tensor *b, mlpl_tensor *c) {
  const mlplk_table *k = mlpli_kern(c);
  const mlplk_par *par = &s->cx->par;
  g->a = a->data;
  g->b = b->data;
  g->c = c->data;
  size_t bytes = k->gemm(g, s->scratch, s->scratch_bytes, par);
  if (bytes == 0) return MLPL_OK;
  mlpli_free(s->cx->heap, s->scratch);
  s->scratch_bytes = 0;
  if (!(s->scratch = mlpli_alloc(s->cx->heap, bytes)))
    return mlpli_no_memory(s->cx, "product", bytes);
  s->scratch_bytes = bytes;
  k->gemm(g, s->scratch, bytes, par);
  return MLPL_OK;
}

static mlpl_status forward_linear(mlpl_step *s, layer *l) {
  const mlpl_tensor *b = l->module->parameter[1];
  if (b) l->forward.bias = b->data;
  return product(s, &l->forward, l->x, l->module->parameter[0], l->y);
}

static bool drops(const layer *l) {
  return l->module->training && l->module->p[0].f != 0;
}

static mlpl_status forward_dropout(mlpl_ctx *cx, layer *l) {
  double p = l->module->p[0].f;
  if (!drops(l)) return MLPL_OK;
  if (!l->mask) MLPL_TRY(mlpli_tensor_like(cx, &l->mask, l->x));
  mlpli_random_fill(l->mask, MLPLI_DROPOUT, p, p < 1 ? 1 / (1 - p) : 0);
  mlpli_map(MLPLK_MUL, l->y, l->x, l->mask, 0);
  return MLPL_OK;
}

static mlpl_status forward_layer(mlpl_step *s, layer *l) {
  if (l->kind == LINEAR) return forward_linear(s, l);
  if (l->kind == DROPOUT) return forward_dropout(s->cx, l);
  mlpli_map(l->f, l->y, l->x, NULL, l->p);
  return MLPL_OK;
}

/* Tensors and cost of a layer's operation, as the profiler counts them when it is
   recorded. */
static double layer_flops(const layer *l) {
  return l->kind == LINEAR
      ? 2 * (double)l->y->numel * (double)l->module->parameter[0]->shape[1]
      : (double)l->y->numel;
}

static double layer_bytes(const layer *l) {
  double w = l->kind == LINEAR ? (double)l->module->parameter[0]->numel : 0;
  return ((double)l->x->numel + (double)l->y->numel + w) * mlpli_dtype_size[l->x->dtype];
}

typedef struct measure {
  mlpli_span span;
  int entry;
} measure;

static void begin(mlpl_ctx *cx, const layer *l, const char *pass, measure *m) {
  const mlpl_op *op = mlpli_op_table[l->module->kind->op];
  mlpli_profile_enter(cx, l->place, l->module->kind->name);
  m->entry = mlpli_profile_layer(cx, op->name, pass);
  mlpli_profile_leave(cx);
  mlpli_span_begin(cx, &m->span);
}

static __attribute__((noinline)) mlpl_status measured(mlpl_step *s, layer *l,
    const char *pass, mlpl_status (*run)(mlpl_step *, layer *), double passes) {
  measure m;
  begin(s->cx, l, pass, &m);
  mlpl_status status = run(s, l);
  mlpli_span_end(s->cx, &m.span, m.entry, passes * layer_bytes(l),
      (l->gx && l->kind == LINEAR ? passes : 1) * layer_flops(l));
  return status;
}

/* A dropout that lets everything through is not there: its neighbours meet. */
static mlpl_status forward(mlpl_step *s, mlpl_tensor **scores) {
  mlpl_tensor *at = s->in, *gradient = NULL;
  for (int i = 0; i < s->n; i++) {
    layer *l = &s->layer[i];
    l->x = at;
    l->gx = gradient;
    MLPL_TRY(s->cx->profile ? measured(s, l, "forward", forward_layer, 1)
                            : forward_layer(s, l));
    if (l->kind == DROPOUT && !drops(l)) continue;
    at = l->y;
    gradient = l->gy;
  }
  *scores = at;
  return MLPL_OK;
}

/* The gradient's memory of a parameter, after zero_grad: kept from the last step, unless
   something else left it there. */
static mlpl_status fresh_grad(mlpl_ctx *cx, mlpl_tensor *w) {
  if (w->grad && (!w->grad->contiguous || w->grad->dtype != w->dtype)) drop(&w->grad);
  if (!w->grad) MLPL_TRY(mlpli_tensor_make(cx, &w->grad, w->dtype, w->ndim, w->shape));
  w->has_grad = true;
  return MLPL_OK;
}

/* dx = g W (not for the first layer), dW = g^T x, db = column sums of g */
static mlpl_status backward_linear(mlpl_step *s, layer *l) {
  mlpl_tensor *w = l->module->parameter[0], *b = l->module->parameter[1], *g = l->gy;
  if (l->relu) {
    mlpli_map(MLPLK_RELU_GRAD, l->gz, l->gy, l->y, 0);
    g = l->gz;
  }
  if (l->gx) MLPL_TRY(product(s, &l->to_x, g, w, l->gx));
  MLPL_TRY(fresh_grad(s->cx, w));
  MLPL_TRY(product(s, &l->to_w, g, l->x, w->grad));
  if (!b) return MLPL_OK;
  MLPL_TRY(fresh_grad(s->cx, b));
  return mlpli_reduce(s->cx, MLPLK_SUM, b->grad, g, 1);
}

static mlpl_status backward_layer(mlpl_step *s, layer *l) {
  if (l->kind == LINEAR) return backward_linear(s, l);
  if (l->kind == MAP)
    mlpli_map(l->grad, l->gx, l->gy, l->from_input ? l->x : l->y, l->p);
  else if (drops(l))
    mlpli_map(MLPLK_MUL, l->gx, l->gy, l->mask, 0);
  return MLPL_OK;
}

static mlpl_status backward(mlpl_step *s) {
  for (int i = s->n - 1; i >= 0; i--)
    MLPL_TRY(s->cx->profile ? measured(s, &s->layer[i], "backward", backward_layer, 2)
                            : backward_layer(s, &s->layer[i]));
  return MLPL_OK;
}

static mlpl_status cross_entropy(
    mlpl_step *s, mlpl_tensor *scores, mlpl_tensor *y, mlpl_tensor *dx) {
  const mlpl_value *p = s->loss->p;
  MLPL_TRY(mlpli_labels(s->cx, "cross_entropy", y, scores->shape[1], &p[1].i, s->label));
  return mlpli_cross_entropy_labels(
      s->cx, p, scores, NULL, s->label, s->each, dx, s->value);
}

/* Loss, and the gradient of the model's output into dx. */
static mlpl_status loss_and_slope(
    mlpl_step *s, mlpl_tensor *out, mlpl_tensor *y, mlpl_tensor *dx) {
  if (is_cross_entropy(s)) return cross_entropy(s, out, y, dx);
  return mlpli_mse_step(s->cx, s->loss->p[0].i, out, y, dx, s->value);
}

static mlpl_status measured_loss(
    mlpl_step *s, mlpl_tensor *out, mlpl_tensor *y, mlpl_tensor *dx) {
  mlpl_ctx *cx = s->cx;
  if (!cx->profile) return loss_and_slope(s, out, y, dx);
  measure m = {.entry = mlpli_profile_layer(
                   cx, mlpli_op_table[s->loss->kind->op]->name, "forward")};
  double n = (double)out->numel;
  mlpli_span_begin(cx, &m.span);
  mlpl_status status = loss_and_slope(s, out, y, dx);
  mlpli_span_end(cx, &m.span, m.entry, 2 * n * mlpli_dtype_size[s->dtype], n);
  return status;
}

static mlpl_status run_planned(
    mlpl_step *s, mlpl_tensor *x, mlpl_tensor *y, double *value) {
  mlpl_tensor *out;
  s->in->data = x->data; /* x is held by the caller while the step runs */
  MLPL_TRY(forward(s, &out));
  MLPL_TRY(measured_loss(s, out, y, s->layer[s->n - 1].gy));
  mlpl_optimizer_zero_grad(s->optimizer);
  MLPL_TRY(backward(s));
  MLPL_TRY(mlpl_optimizer_step(s->cx, s->optimizer));
  *value = mlpli_load(s->value->data, s->value->dtype);
  return MLPL_OK;
}

/* ---- any other step: as written ---------------------------------------------------- */

static mlpl_status run_recorded(
    mlpl_step *s, mlpl_tensor *x, mlpl_tensor *y, double *value) {
  mlpl_ctx *cx = s->cx;
  mlpl_tensor *out, *loss;
  MLPL_TRY(mlpl_forward(cx, s->model, &out, &x, 1));
  mlpl_status status = mlpl_forward(cx, s->loss, &loss, (mlpl_tensor *[]){out, y}, 2);
  mlpl_tensor_release(out);
  if (status != MLPL_OK) return status;
  status = mlpl_tensor_item(cx, loss, value);
  if (status == MLPL_OK) {
    mlpl_optimizer_zero_grad(s->optimizer);
    status = mlpl_backward(cx, loss, NULL, 0);
  }
  if (status == MLPL_OK) status = mlpl_optimizer_step(cx, s->optimizer);
  mlpl_tensor_release(loss);
  return status;
}

/* ---- the object -------------------------------------------------------------------- */

mlpl_status mlpl_step_new(mlpl_ctx *cx, mlpl_step **out, mlpl_module *model,
    mlpl_module *loss, mlpl_optimizer *optimizer) {
  *out = NULL;
  if (model->kind->n_inputs != 1 || loss->kind->n_inputs != 2)
    return mlpl_fail(cx, MLPL_EARG,
        "step: the model is %s, the loss %s; they take %d and %d tensors and must take 1 "
        "and 2",
        mlpl_module_kind(model), mlpl_module_kind(loss), model->kind->n_inputs,
        loss->kind->n_inputs);
  mlpl_step *s;
  MLPL_TRY(mlpli_new(cx, &s, sizeof *s, "step"));
  s->refs = 1;
  s->cx = cx;
  s->model = mlpl_module_retain(model);
  s->loss = mlpl_module_retain(loss);
  s->optimizer = mlpl_optimizer_retain(optimizer);
  mlpli_ctx_retain(cx);
  *out = s;
  return MLPL_OK;
}

mlpl_step *mlpl_step_retain(mlpl_step *s) {
  s->refs++;
  return s;
}

void mlpl_step_release(mlpl_step *s) {
  if (!s || --s->refs > 0) return;
  mlpl_ctx *cx = s->cx;
  forget(s);
  mlpl_module_release(s->model);
  mlpl_module_release(s->loss);
  mlpl_optimizer_release(s->optimizer);
  mlpli_free(cx->heap, s);
  mlpli_ctx_release(cx);
}

bool mlpl_step_is_planned(const mlpl_step *s) { return s->planned; }

static bool same_shape(const mlpl_step *s, const mlpl_tensor *x) {
  return s->in && s->rows == x->shape[0] && s->rows * s->width == x->numel &&
      s->dtype == x->dtype && fits(s);
}

/* Hooks on parameters see, and may change, the gradients of a recorded pass. */
static bool has_hooks(const mlpl_step *s) {
  for (int i = 0; i < s->n; i++)
    for (int k = 0; s->layer[i].kind == LINEAR && k < 2; k++) {
      const mlpl_tensor *t = s->layer[i].module->parameter[k];
      if (t && mlpli_hooks_wait(t)) return true;
    }
  return false;
}

mlpl_status mlpl_step_run(
    mlpl_ctx *cx, mlpl_step *s, mlpl_tensor *x, mlpl_tensor *y, double *value) {
  const mlplk_stream before = cx->random;
  s->planned = x->ndim && is_plain(s, x, y);
  if (s->planned && !same_shape(s, x)) MLPL_TRY(plan(s, x));
  s->planned = s->planned && s->n && !has_hooks(s) &&
      (is_cross_entropy(s) || y->shape[1] == s->layer[s->n - 1].y->shape[1]);
  return mlpli_undraw(cx, before,
      s->planned ? run_planned(s, x, y, value) : run_recorded(s, x, y, value));
}
