/*
** Modules: layers, losses and models. A kind is a row of a table; a module is a kind with
** options, parameters and children. Internal.
*/
#ifndef MLPLI_NN_H
#define MLPLI_NN_H

#include "ops/ops.h"

#define MLPLI_MAX_DEPTH 100 /* of modules in modules: they are walked by recursion */
#define MLPLI_MAX_TENSORS 2 /* parameters, or tensors beside the options, of one layer */

typedef struct mlpli_kind {
  const char *name;
  int n_inputs;
  int n_params;
  const mlpl_param *params;                 /* options */
  const char *parameter[MLPLI_MAX_TENSORS]; /* names of its parameters, at most */
  /* names of tensors it takes beside its options */
  const char *tensor[MLPLI_MAX_TENSORS];
  /* what forward_op applies, with the options as they are */
  mlpli_op_id op;
  mlpl_status (*build)(mlpl_ctx *cx, mlpl_module *m); /* make parameters; NULL: none */
  mlpl_status (*forward)(
      mlpl_ctx *cx, mlpl_module *m, mlpl_tensor *const *x, mlpl_tensor **y);
} mlpli_kind;

struct mlpl_module {
  int refs;
  bool training;
  mlpl_ctx *cx;
  const mlpli_kind *kind;
  mlpl_tensor *parameter[MLPLI_MAX_TENSORS]; /* NULL where there is none (no bias) */
  mlpl_tensor *tensor[MLPLI_MAX_TENSORS];
  int n_children, depth; /* depth: 1 more than that of the deepest child */
  mlpl_module **child;
  mlpl_custom custom;
  mlpl_value p[]; /* options */
};

extern const mlpli_kind mlpli_kinds[]; /* ends with a row without name */
extern const mlpli_kind mlpli_sequential, mlpli_custom;
const mlpli_kind *mlpli_kind_find(const char *name);

static inline bool mlpli_is_training(const mlpl_module *m) {
  return m->training && !m->cx->predicting;
}

mlpl_status mlpli_linear_build(mlpl_ctx *cx, mlpl_module *m);
mlpl_status mlpli_linear_forward_act(
    mlpl_ctx *cx, mlpl_module *m, mlpl_tensor *x, bool relu, mlpl_tensor **y);

#endif
