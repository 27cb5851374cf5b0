/* The table of layer kinds and what each does with its input. Options in the order of the
   constructor's arguments. */
#include "nn/nn.h"

#include "base/profile.h"

#include "ops/param.h"
#include "ops/rows.h"

#include <stdio.h>
#include <string.h>

#define COUNT(a) (int)(sizeof(a) / sizeof *(a))

/* ---- forward passes ---------------------------------------------------------------- */

static mlpl_status forward_op(
    mlpl_ctx *cx, mlpl_module *m, mlpl_tensor *const *x, mlpl_tensor **y) {
  return mlpli_apply(cx, y, m->kind->op, x, m->kind->n_inputs, m->p);
}

static mlpl_status linear(
    mlpl_ctx *cx, mlpl_module *m, mlpl_tensor *const *x, mlpl_tensor **y) {
  return mlpli_linear_forward_act(cx, m, x[0], false, y);
}

mlpl_status mlpli_linear_forward_act(
    mlpl_ctx *cx, mlpl_module *m, mlpl_tensor *x, bool relu, mlpl_tensor **y) {
  mlpl_tensor *const in[] = {x, m->parameter[0], m->parameter[1]};
  return mlpli_apply(
      cx, y, MLPLI_OP_LINEAR, in, in[2] ? 3 : 2, (mlpl_value[]){{.i = relu}});
}

static mlpl_status dropout(
    mlpl_ctx *cx, mlpl_module *m, mlpl_tensor *const *x, mlpl_tensor **y) {
  return mlpli_apply(cx, y, MLPLI_OP_DROPOUT, x, 1,
      (mlpl_value[]){m->p[0], {.i = mlpli_is_training(m)}});
}

/* A loss: input, target and the tensors that were given beside the options. */
static mlpl_status loss(
    mlpl_ctx *cx, mlpl_module *m, mlpl_tensor *const *x, mlpl_tensor **y) {
  mlpl_tensor *const in[] = {x[0], x[1], m->tensor[0], m->tensor[1]};
  int n = 4;
  while (n > 2 && !in[n - 1]) n--;
  return mlpli_apply(cx, y, m->kind->op, in, n, m->p);
}

/* "Sequential: layer 2 (Linear): ..." instead of "linear: ...". */
static mlpl_status in_layer(
    mlpl_ctx *cx, mlpl_status status, int i, const mlpl_module *m) {
  char form[96];
  if (status == MLPL_OK) return status;
  snprintf(
      form, sizeof form, ": layer %d (%.60s)", i + cx->index_base, mlpl_module_kind(m));
  return mlpli_fail_as(cx, status, "Sequential", form);
}

/* Children in order; a ReLU behind a Linear is applied in the product's epilogue. */
static mlpl_status sequential(
    mlpl_ctx *cx, mlpl_module *m, mlpl_tensor *const *x, mlpl_tensor **y) {
  mlpl_tensor *at = mlpl_tensor_retain(x[0]);
  mlpl_status status = MLPL_OK;
  for (int i = 0; i < m->n_children && status == MLPL_OK; i++) {
    mlpl_module *child = m->child[i];
    mlpl_tensor *next = NULL;
    bool fused = child->kind->build == mlpli_linear_build && i + 1 < m->n_children &&
        m->child[i + 1]->kind->op == MLPLI_OP_RELU;
    if (cx->profile) mlpli_profile_enter(cx, i + 1, child->kind->name);
    if (fused)
      status = mlpli_linear_forward_act(cx, child, at, true, &next);
    else
      status = mlpl_forward(cx, child, &next, (mlpl_tensor *[]){at}, 1);
    if (cx->profile) mlpli_profile_leave(cx);
    status = in_layer(cx, status, i, child);
    mlpl_tensor_release(at);
    at = next;
    i += fused;
  }
  *y = at;
  return status;
}

static mlpl_status custom(
    mlpl_ctx *cx, mlpl_module *m, mlpl_tensor *const *x, mlpl_tensor **y) {
  return m->custom.forward(cx, m, m->custom.ud, y, x[0]);
}

/* ---- options ----------------------------------------------------------------------- */

#define FEATURES_MAX 1099511627776.0 /* 2^40 */
static const mlpl_param linear_params[] = {
    MLPLI_INT_NEEDED("in_features", 0, FEATURES_MAX),
    MLPLI_INT_NEEDED("out_features", 0, FEATURES_MAX), MLPLI_BOOL_OPTION("bias", 1)};
static const mlpl_param leaky_relu_params[] = {
    MLPLI_REAL_OPTION("negative_slope", 0.01, -1e300, 1e300)};
static const mlpl_param elu_params[] = {MLPLI_REAL_OPTION("alpha", 1, 0, 1e300)};
static const mlpl_param softmax_params[] = {MLPLI_AXIS_NEEDED("dim")};
static const mlpl_param flatten_params[] = {
    MLPLI_AXIS_OPTION("start_dim", 1), MLPLI_AXIS_OPTION("end_dim", -1)};
static const mlpl_param dropout_params[] = {MLPLI_REAL_OPTION("p", 0.5, 0, 1)};
static const mlpl_param loss_params[] = {
    MLPLI_CHOICE_OPTION("reduction", mlpli_reductions)};
static const mlpl_param cross_entropy_params[] = {
    MLPLI_CHOICE_OPTION("reduction", mlpli_reductions),
    MLPLI_INT_OPTION("ignore_index", -100, -MANY, MANY),
    MLPLI_REAL_OPTION("label_smoothing", 0, 0, 1)};

static const mlpl_param nll_params[] = {
    MLPLI_CHOICE_OPTION("reduction", mlpli_reductions),
    MLPLI_INT_OPTION("ignore_index", -100, -MANY, MANY)};
static const mlpl_param beta_params[] = {
    MLPLI_CHOICE_OPTION("reduction", mlpli_reductions),
    MLPLI_REAL_OPTION("beta", 1, 0, 1e300)};
static const mlpl_param delta_params[] = {
    MLPLI_CHOICE_OPTION("reduction", mlpli_reductions),
    MLPLI_REAL_OPTION("delta", 1, 0, 1e300)};
static const mlpl_param kl_params[] = {
    MLPLI_CHOICE_OPTION("reduction", mlpli_batch_reductions),
    MLPLI_BOOL_OPTION("log_target", 0)};
static const mlpl_param poisson_params[] = {
    MLPLI_CHOICE_OPTION("reduction", mlpli_reductions), MLPLI_BOOL_OPTION("log_input", 1),
    MLPLI_BOOL_OPTION("full", 0), MLPLI_REAL_OPTION("eps", 1e-8, 0, 1e300)};
static const mlpl_param margin_params[] = {
    MLPLI_CHOICE_OPTION("reduction", mlpli_reductions),
    MLPLI_REAL_OPTION("margin", 1, -1e300, 1e300)};

/* ---- kinds ------------------------------------------------------------------------- */

#define ACTIVATION(kind_name, row)                                                       \
  .name = kind_name, .n_inputs = 1, .op = row, .forward = forward_op
#define LOSS(kind_name, row) .name = kind_name, .n_inputs = 2, .op = row, .forward = loss

const mlpli_kind mlpli_kinds[] = {
    {.name = "Linear",
        .n_inputs = 1,
        PARAMS(linear_params),
        .parameter = {"weight", "bias"},
        .op = MLPLI_OP_LINEAR,
        .build = mlpli_linear_build,
        .forward = linear},
    {ACTIVATION("ReLU", MLPLI_OP_RELU)},
    {ACTIVATION("LeakyReLU", MLPLI_OP_LEAKY_RELU), PARAMS(leaky_relu_params)},
    {ACTIVATION("ELU", MLPLI_OP_ELU), PARAMS(elu_params)},
    {ACTIVATION("Sigmoid", MLPLI_OP_SIGMOID)},
    {ACTIVATION("Tanh", MLPLI_OP_TANH)},
    {ACTIVATION("Softmax", MLPLI_OP_SOFTMAX), PARAMS(softmax_params)},
    {ACTIVATION("LogSoftmax", MLPLI_OP_LOG_SOFTMAX), PARAMS(softmax_params)},
    {ACTIVATION("Flatten", MLPLI_OP_FLATTEN), PARAMS(flatten_params)},
    {.name = "Dropout",
        .n_inputs = 1,
        .op = MLPLI_OP_DROPOUT,
        PARAMS(dropout_params),
        .forward = dropout},
    {LOSS("CrossEntropyLoss", MLPLI_OP_CROSS_ENTROPY), PARAMS(cross_entropy_params),
        .tensor = {"weight"}},
    {LOSS("NLLLoss", MLPLI_OP_NLL_LOSS), PARAMS(nll_params), .tensor = {"weight"}},
    {LOSS("MSELoss", MLPLI_OP_MSE_LOSS), PARAMS(loss_params)},
    {LOSS("L1Loss", MLPLI_OP_L1_LOSS), PARAMS(loss_params)},
    {LOSS("SmoothL1Loss", MLPLI_OP_SMOOTH_L1_LOSS), PARAMS(beta_params)},
    {LOSS("HuberLoss", MLPLI_OP_HUBER_LOSS), PARAMS(delta_params)},
    {LOSS("KLDivLoss", MLPLI_OP_KL_DIV), PARAMS(kl_params)},
    {LOSS("PoissonNLLLoss", MLPLI_OP_POISSON_NLL_LOSS), PARAMS(poisson_params)},
    {LOSS("SoftMarginLoss", MLPLI_OP_SOFT_MARGIN_LOSS), PARAMS(loss_params)},
    {LOSS("HingeEmbeddingLoss", MLPLI_OP_HINGE_EMBEDDING_LOSS), PARAMS(margin_params)},
    {LOSS("BCELoss", MLPLI_OP_BINARY_CROSS_ENTROPY), PARAMS(loss_params),
        .tensor = {"weight"}},
    {LOSS("BCEWithLogitsLoss", MLPLI_OP_BCE_WITH_LOGITS), PARAMS(loss_params),
        .tensor = {"weight", "pos_weight"}},
    {.name = NULL},
};

const mlpli_kind mlpli_sequential = {
    .name = "Sequential", .n_inputs = 1, .op = MLPLI_N_OPS, .forward = sequential};
const mlpli_kind mlpli_custom = {
    .name = "custom", .n_inputs = 1, .op = MLPLI_N_OPS, .forward = custom};

const mlpli_kind *mlpli_kind_find(const char *name) {
  for (const mlpli_kind *k = mlpli_kinds; k->name; k++)
    if (strcmp(k->name, name) == 0) return k;
  return strcmp(name, mlpli_sequential.name) == 0 ? &mlpli_sequential : NULL;
}

const char *mlpl_kind_at(int i) {
  int n = COUNT(mlpli_kinds) - 1;
  return i >= 0 && i < n ? mlpli_kinds[i].name : i == n ? mlpli_sequential.name : NULL;
}

const mlpl_param *mlpl_kind_params(const char *name, int *n) {
  static const mlpl_param none[] = {{.name = NULL}};
  const mlpli_kind *kind = mlpli_kind_find(name);
  *n = kind ? kind->n_params : 0;
  return !kind ? NULL : kind->params ? kind->params : none;
}

int mlpl_kind_inputs(const char *name) {
  const mlpli_kind *kind = mlpli_kind_find(name);
  return kind ? kind->n_inputs : -1;
}

const char *mlpl_kind_tensor(const char *name, int i) {
  const mlpli_kind *kind = mlpli_kind_find(name);
  return kind && i >= 0 && i < MLPLI_MAX_TENSORS ? kind->tensor[i] : NULL;
}
