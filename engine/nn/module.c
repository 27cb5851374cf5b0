/* Modules: making, holding, running, and the parameters in them. */
#include "nn/nn.h"

#include <stdio.h>
#include <string.h>

/* ---- making and holding ------------------------------------------------------------ */

static mlpl_status blank(
    mlpl_ctx *cx, mlpl_module **m, const mlpli_kind *kind, const mlpl_value *params) {
  size_t options = (size_t)kind->n_params * sizeof(mlpl_value);
  MLPL_TRY(mlpli_new(cx, m, sizeof **m + options, kind->name));
  (*m)->refs = 1;
  (*m)->training = true;
  (*m)->cx = cx;
  (*m)->kind = kind;
  if (options && params) memcpy((*m)->p, params, options);
  mlpli_ctx_retain(cx);
  return MLPL_OK;
}

static mlpl_status unknown_kind(mlpl_ctx *cx, const char *kind) {
  return mlpl_fail(cx, MLPL_EARG, "module: there is no layer '%.60s'", kind);
}

static mlpl_status make(
    mlpl_ctx *cx, mlpl_module **m, const mlpli_kind *kind, const mlpl_value *params) {
  MLPL_TRY(mlpli_check_params(cx, kind->name, kind->params, kind->n_params, params));
  MLPL_TRY(blank(cx, m, kind, params));
  const mlplk_stream before = cx->random;
  mlpl_status status = kind->build ? kind->build(cx, *m) : MLPL_OK;
  if (mlpli_undraw(cx, before, status) == MLPL_OK) return MLPL_OK;
  mlpl_module_release(*m);
  *m = NULL;
  return status;
}

mlpl_status mlpl_module_make(
    mlpl_ctx *cx, mlpl_module **m, const char *name, const mlpl_value *params) {
  *m = NULL;
  const mlpli_kind *kind = mlpli_kind_find(name);
  return kind ? make(cx, m, kind, params) : unknown_kind(cx, name);
}

mlpl_status mlpl_module_new(
    mlpl_ctx *cx, mlpl_module **m, const char *name, const mlpl_arg *args) {
  mlpl_value values[MLPL_MAX_PARAMS];
  *m = NULL;
  const mlpli_kind *kind = mlpli_kind_find(name);
  if (!kind) return unknown_kind(cx, name);
  MLPL_TRY(mlpli_resolve(cx, name, kind->params, kind->n_params, args, values));
  return make(cx, m, kind, values);
}

mlpl_status mlpl_sequential_new(
    mlpl_ctx *cx, mlpl_module **m, mlpl_module *const *children, int n) {
  mlpl_module *s;
  *m = NULL;
  int depth = 0;
  for (int i = 0; i < n; i++) {
    if (children[i]->kind->n_inputs != 1)
      return mlpl_fail(cx, MLPL_EARG,
          "Sequential: layer %d is %s, which takes %d tensors; a layer here takes one",
          i + cx->index_base, children[i]->kind->name, children[i]->kind->n_inputs);
    if (children[i]->depth > depth) depth = children[i]->depth;
  }
  if (depth >= MLPLI_MAX_DEPTH)
    return mlpl_fail(cx, MLPL_EARG, "Sequential: layers are nested more than %d deep",
        MLPLI_MAX_DEPTH);
  MLPL_TRY(blank(cx, &s, &mlpli_sequential, NULL));
  if (n) {
    mlpl_status status = mlpli_new(
        cx, &s->child, (size_t)n * sizeof *s->child, "Sequential");
    if (status != MLPL_OK) {
      mlpl_module_release(s);
      return status;
    }
  }
  for (int i = 0; i < n; i++) s->child[i] = mlpl_module_retain(children[i]);
  s->n_children = n;
  s->depth = depth + 1;
  *m = s;
  return MLPL_OK;
}

mlpl_status mlpl_module_custom(mlpl_ctx *cx, mlpl_module **m, const mlpl_custom *custom) {
  *m = NULL;
  MLPL_TRY(blank(cx, m, &mlpli_custom, NULL));
  (*m)->custom = *custom;
  return MLPL_OK;
}

mlpl_module *mlpl_module_retain(mlpl_module *m) {
  m->refs++;
  return m;
}

void mlpl_module_release(mlpl_module *m) {
  if (!m || --m->refs > 0) return;
  mlpl_ctx *cx = m->cx;
  for (int i = 0; i < MLPLI_MAX_TENSORS; i++) {
    mlpl_tensor_release(m->parameter[i]);
    mlpl_tensor_release(m->tensor[i]);
  }
  for (int i = 0; i < m->n_children; i++) mlpl_module_release(m->child[i]);
  mlpli_free(cx->heap, m->child);
  if (m->custom.release) m->custom.release(m->custom.ud);
  mlpli_free(cx->heap, m);
  mlpli_ctx_release(cx);
}

/* ---- what a module is -------------------------------------------------------------- */

const char *mlpl_module_kind(const mlpl_module *m) {
  return m->kind == &mlpli_custom && m->custom.name ? m->custom.name : m->kind->name;
}
const mlpl_value *mlpl_module_params(const mlpl_module *m) { return m->p; }
bool mlpl_module_is_custom(const mlpl_module *m) { return m->kind == &mlpli_custom; }
int mlpl_module_n_children(const mlpl_module *m) { return m->n_children; }
mlpl_module *mlpl_module_child(const mlpl_module *m, int i) {
  return i >= 0 && i < m->n_children ? m->child[i] : NULL;
}

mlpl_status mlpl_module_set_tensor(
    mlpl_ctx *cx, mlpl_module *m, const char *name, mlpl_tensor *t) {
  for (int i = 0; i < MLPLI_MAX_TENSORS && m->kind->tensor[i]; i++) {
    if (strcmp(m->kind->tensor[i], name) != 0) continue;
    if (t) mlpl_tensor_retain(t);
    mlpl_tensor_release(m->tensor[i]);
    m->tensor[i] = t;
    return MLPL_OK;
  }
  return mlpl_fail(cx, MLPL_EARG, "%s: it takes no tensor '%.40s'", m->kind->name, name);
}

void mlpl_module_train(mlpl_module *m, bool on) {
  m->training = on;
  for (int i = 0; i < m->n_children; i++) mlpl_module_train(m->child[i], on);
}

bool mlpl_module_is_training(const mlpl_module *m) { return mlpli_is_training(m); }

/* ---- running ----------------------------------------------------------------------- */

mlpl_status mlpl_forward(
    mlpl_ctx *cx, mlpl_module *m, mlpl_tensor **y, mlpl_tensor *const *x, int n) {
  *y = NULL;
  if (n != m->kind->n_inputs)
    return mlpl_fail(cx, MLPL_EARG, "%s: %d tensors given; it takes %d",
        mlpl_module_kind(m), n, m->kind->n_inputs);
  const mlplk_stream before = cx->random;
  return mlpli_undraw(cx, before, m->kind->forward(cx, m, x, y));
}

/* What changes nothing gives its input, which may have a history. */
static mlpl_status without_history(mlpl_ctx *cx, mlpl_tensor **y) {
  mlpl_tensor *t = *y;
  mlpl_status status = mlpl_tensor_detach(cx, y, t);
  mlpl_tensor_release(t);
  return status;
}

mlpl_status mlpl_predict(mlpl_ctx *cx, mlpl_module *m, mlpl_tensor **y, mlpl_tensor *x) {
  bool was_recording = mlpl_set_grad_enabled(cx, false), was_predicting = cx->predicting;
  cx->predicting = true;
  mlpl_status status = mlpl_forward(cx, m, y, (mlpl_tensor *[]){x}, 1);
  if (status == MLPL_OK && mlpl_tensor_requires_grad(*y)) status = without_history(cx, y);
  cx->predicting = was_predicting;
  mlpl_set_grad_enabled(cx, was_recording);
  return status;
}

/* ---- parameters -------------------------------------------------------------------- */

int mlpl_module_n_parameters(const mlpl_module *m) {
  int n = 0;
  for (int i = 0; i < MLPLI_MAX_TENSORS; i++) n += m->parameter[i] != NULL;
  for (int i = 0; i < m->n_children; i++) n += mlpl_module_n_parameters(m->child[i]);
  return n;
}

/* The place of parameter *i below m: the module that has it, and which of its own it is.
   Builds the name as it goes. */
static const mlpl_module *locate(
    const mlpl_module *m, int *i, char *name, size_t size, size_t *length) {
  for (int p = 0; p < MLPLI_MAX_TENSORS; p++) {
    if (!m->parameter[p]) continue;
    if (*i == 0) {
      *i = p;
      return m;
    }
    --*i;
  }
  for (int c = 0; c < m->n_children; c++) {
    int n = mlpl_module_n_parameters(m->child[c]);
    if (*i < n) {
      char part[16];
      int put = snprintf(part, sizeof part, "%d.", c);
      if (*length < size) snprintf(name + *length, size - *length, "%s", part);
      *length += (size_t)put;
      return locate(m->child[c], i, name, size, length);
    }
    *i -= n;
  }
  return NULL;
}

mlpl_tensor *mlpl_module_parameter(const mlpl_module *m, int i) {
  size_t length = 0;
  const mlpl_module *at = i < 0 ? NULL : locate(m, &i, NULL, 0, &length);
  return at ? at->parameter[i] : NULL;
}

size_t mlpl_module_parameter_name(const mlpl_module *m, int i, char *name, size_t size) {
  size_t length = 0;
  if (size) name[0] = '\0';
  const mlpl_module *at = i < 0 ? NULL : locate(m, &i, name, size, &length);
  if (!at) return 0;
  if (length < size) snprintf(name + length, size - length, "%s", at->kind->parameter[i]);
  return length + strlen(at->kind->parameter[i]);
}

void mlpl_module_zero_grad(mlpl_module *m) {
  for (int i = 0; i < MLPLI_MAX_TENSORS; i++)
    if (m->parameter[i]) mlpl_tensor_zero_grad(m->parameter[i]);
  for (int i = 0; i < m->n_children; i++) mlpl_module_zero_grad(m->child[i]);
}

/* All conversions are made before any is put in place, so that a failure changes
   nothing. */
mlpl_status mlpl_module_to(mlpl_ctx *cx, mlpl_module *m, mlpl_dtype dtype) {
  int n = mlpl_module_n_parameters(m), done = 0;
  mlpl_tensor **fresh;
  if (dtype != MLPL_F32 && dtype != MLPL_F64)
    return mlpl_fail(
        cx, MLPL_EARG, "to: parameters are f32 or f64, not %s", mlpl_dtype_name(dtype));
  MLPL_TRY(mlpli_new(cx, &fresh, (size_t)n * sizeof *fresh, "to"));
  mlpl_status status = MLPL_OK;
  for (; done < n && status == MLPL_OK; done++)
    status = mlpl_tensor_to(cx, &fresh[done], mlpl_module_parameter(m, done), dtype);
  for (int i = 0; i < done; i++) {
    mlpl_tensor *p = mlpl_module_parameter(m, i);
    if (status == MLPL_OK && p->dtype != (uint8_t)dtype) {
      mlpli_drop(&p->grad);
      p->has_grad = false;
      mlpli_tensor_become(p, fresh[i]);
    }
    mlpl_tensor_release(fresh[i]);
  }
  mlpli_free(cx->heap, fresh);
  return status;
}
