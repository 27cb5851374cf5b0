/*
** Optimizers: one call updates all parameters, long ones in parts on several threads.
** Formulas and defaults are PyTorch's; step sizes and bias corrections are computed in
** double.
*/
#include "optim/optim.h"

#include "base/profile.h"
#include "grad/grad.h"
#include "ops/param.h"

#include <math.h>
#include <string.h>

#define PART 16384 /* elements a task updates */
#define MAX_STATE 3

/* A parameter and what the optimizer keeps for it. */
typedef struct slot {
  mlpl_tensor *w;
  mlpl_tensor *state[MAX_STATE]; /* of w's shape; made at its first step */
  int64_t steps;
  bool fresh; /* the state was just made and holds nothing yet */
} slot;

/* One step of one parameter: what the tasks share. */
typedef struct update {
  const mlplk_table *kern;
  char *w, *state[MAX_STATE];
  const char *g;
  int64_t n, first_task, steps;
  union {
    mlplk_sgd sgd;
    mlplk_adam adam;
  } how;
} update;

typedef struct kind {
  const char *name;
  int n_params;
  const mlpl_param *params;
  int (*n_state)(const mlpl_value *p);
  /* s->steps counts this step; before: the update of another parameter, prepared for
     this step, or NULL */
  void (*prepare)(const mlpl_value *p, const slot *s, update *u, const update *before);
  void (*part)(const update *u, size_t offset, int64_t n);
} kind;

struct mlpl_optimizer {
  int refs;
  mlpl_ctx *cx;
  const kind *kind;
  int n;
  slot *slot;
  update *update; /* n, reused by every step */
  mlpl_value p[MLPL_MAX_PARAMS];
};

/* ---- SGD --------------------------------------------------------------------------- */

enum { SGD_LR, SGD_MOMENTUM, SGD_DAMPENING, SGD_WEIGHT_DECAY, SGD_NESTEROV };
static const mlpl_param sgd_params[] = {MLPLI_REAL_OPTION("lr", 1e-3, 0, INFINITY),
    MLPLI_REAL_OPTION("momentum", 0, 0, INFINITY),
    MLPLI_REAL_OPTION("dampening", 0, -INFINITY, INFINITY),
    MLPLI_REAL_OPTION("weight_decay", 0, 0, INFINITY), MLPLI_BOOL_OPTION("nesterov", 0)};

static int sgd_state(const mlpl_value *p) { return p[SGD_MOMENTUM].f != 0; }

static void sgd_prepare(
    const mlpl_value *p, const slot *s, update *u, const update *before) {
  (void)before;
  u->how.sgd = (mlplk_sgd){.lr = p[SGD_LR].f,
      .momentum = p[SGD_MOMENTUM].f,
      .dampening = p[SGD_DAMPENING].f,
      .weight_decay = p[SGD_WEIGHT_DECAY].f,
      .nesterov = p[SGD_NESTEROV].i != 0,
      .first = s->fresh};
}

static void sgd_part(const update *u, size_t at, int64_t n) {
  u->kern->sgd(
      n, u->w + at, u->g + at, u->state[0] ? u->state[0] + at : NULL, &u->how.sgd);
}

/* ---- Adam -------------------------------------------------------------------------- */

enum { ADAM_LR, ADAM_BETAS, ADAM_EPS, ADAM_WEIGHT_DECAY, ADAM_AMSGRAD };
static const mlpl_param adam_params[] = {MLPLI_REAL_OPTION("lr", 1e-3, 0, INFINITY),
    MLPLI_PAIR_OPTION("betas", 0.9, 0.999, 0, 1 - 0x1p-53),
    MLPLI_REAL_OPTION("eps", 1e-8, 0, INFINITY),
    MLPLI_REAL_OPTION("weight_decay", 0, 0, INFINITY), MLPLI_BOOL_OPTION("amsgrad", 0)};

static int adam_state(const mlpl_value *p) { return p[ADAM_AMSGRAD].i ? 3 : 2; }

static void adam_prepare(
    const mlpl_value *p, const slot *s, update *u, const update *before) {
  if (before && before->steps == s->steps) {
    u->how.adam = before->how.adam; /* powers cost more than all of a small update */
    return;
  }
  const double *beta = p[ADAM_BETAS].pair, t = (double)s->steps;
  u->how.adam = (mlplk_adam){.step_size = p[ADAM_LR].f / (1 - pow(beta[0], t)),
      .beta1 = beta[0],
      .beta2 = beta[1],
      .eps = p[ADAM_EPS].f,
      .weight_decay = p[ADAM_WEIGHT_DECAY].f,
      .bias2_sqrt = sqrt(1 - pow(beta[1], t))};
}

static void adam_part(const update *u, size_t at, int64_t n) {
  u->kern->adam(n, u->w + at, u->g + at, u->state[0] + at, u->state[1] + at,
      u->state[2] ? u->state[2] + at : NULL, &u->how.adam);
}

/* ---- the table --------------------------------------------------------------------- */

#define COUNT(a) (int)(sizeof(a) / sizeof *(a))
static const kind kinds[] = {
    {"SGD", COUNT(sgd_params), sgd_params, sgd_state, sgd_prepare, sgd_part},
    {"Adam", COUNT(adam_params), adam_params, adam_state, adam_prepare, adam_part},
};

static const kind *find(const char *name) {
  for (int i = 0; i < COUNT(kinds); i++)
    if (strcmp(kinds[i].name, name) == 0) return &kinds[i];
  return NULL;
}

const char *mlpl_optimizer_kind_at(int i) {
  return i >= 0 && i < COUNT(kinds) ? kinds[i].name : NULL;
}
const char *mlpl_optimizer_kind(const mlpl_optimizer *o) { return o->kind->name; }

const mlpl_param *mlpl_optimizer_kind_params(const char *name, int *n) {
  const kind *k = find(name);
  *n = k ? k->n_params : 0;
  return k ? k->params : NULL;
}

/* ---- making ------------------------------------------------------------------------ */

static mlpl_status check_options(mlpl_ctx *cx, const kind *k, const mlpl_value *p) {
  MLPL_TRY(mlpli_check_params(cx, k->name, k->params, k->n_params, p));
  if (k->params == sgd_params && p[SGD_NESTEROV].i &&
      (p[SGD_MOMENTUM].f <= 0 || p[SGD_DAMPENING].f != 0))
    return mlpl_fail(cx, MLPL_EARG,
        "SGD: nesterov needs a momentum above 0 and no dampening; they are %g and %g",
        p[SGD_MOMENTUM].f, p[SGD_DAMPENING].f);
  return MLPL_OK;
}

static mlpl_status check_parameters(
    mlpl_ctx *cx, const kind *k, mlpl_tensor *const *w, int n) {
  const int base = cx->index_base;
  if (n < 1) return mlpl_fail(cx, MLPL_EARG, "%s: there are no parameters", k->name);
  for (int i = 0; i < n; i++) {
    if (w[i]->node)
      return mlpl_fail(cx, MLPL_EARG,
          "%s: parameter %d is the result of %s; only leaves can be optimized", k->name,
          i + base, w[i]->node->op->name);
    if (!mlpli_is_real(w[i]))
      return mlpl_fail(cx, MLPL_EARG, "%s: parameter %d is %s; it must be f32 or f64",
          k->name, i + base, mlpl_dtype_name((mlpl_dtype)w[i]->dtype));
    if (!w[i]->contiguous)
      return mlpl_fail(cx, MLPL_EARG,
          "%s: parameter %d is a view with gaps; optimize the tensor it was cut from",
          k->name, i + base);
    for (int j = 0; j < i; j++)
      if (w[i] == w[j])
        return mlpl_fail(cx, MLPL_EARG, "%s: parameters %d and %d are the same tensor",
            k->name, j + base, i + base);
  }
  return MLPL_OK;
}

static mlpl_status make(mlpl_ctx *cx, mlpl_optimizer **o, const kind *k,
    mlpl_tensor *const *w, int n, const mlpl_value *p) {
  mlpl_optimizer *made;
  MLPL_TRY(check_options(cx, k, p));
  MLPL_TRY(check_parameters(cx, k, w, n));
  MLPL_TRY(mlpli_new(cx, &made, sizeof *made, k->name));
  made->refs = 1;
  made->cx = cx;
  made->kind = k;
  mlpli_ctx_retain(cx);
  mlpl_status status = mlpli_new(
      cx, &made->slot, (size_t)n * sizeof *made->slot, k->name);
  if (status == MLPL_OK)
    status = mlpli_new(cx, &made->update, (size_t)n * sizeof *made->update, k->name);
  if (status != MLPL_OK) {
    mlpl_optimizer_release(made);
    return status;
  }
  memcpy(made->p, p, (size_t)k->n_params * sizeof *p);
  for (int i = 0; i < n; i++) made->slot[i].w = mlpl_tensor_retain(w[i]);
  made->n = n;
  *o = made;
  return MLPL_OK;
}

mlpl_status mlpl_optimizer_make(mlpl_ctx *cx, mlpl_optimizer **o, const char *name,
    mlpl_tensor *const *parameters, int n, const mlpl_value *params) {
  *o = NULL;
  const kind *k = find(name);
  if (!k)
    return mlpl_fail(cx, MLPL_EARG, "optimizer: there is none called '%.40s'", name);
  return make(cx, o, k, parameters, n, params);
}

mlpl_status mlpl_optimizer_new(mlpl_ctx *cx, mlpl_optimizer **o, const char *name,
    mlpl_tensor *const *parameters, int n, const mlpl_arg *args) {
  mlpl_value values[MLPL_MAX_PARAMS];
  *o = NULL;
  const kind *k = find(name);
  if (!k)
    return mlpl_fail(cx, MLPL_EARG, "optimizer: there is none called '%.40s'", name);
  MLPL_TRY(mlpli_resolve(cx, name, k->params, k->n_params, args, values));
  return make(cx, o, k, parameters, n, values);
}

mlpl_optimizer *mlpl_optimizer_retain(mlpl_optimizer *o) {
  o->refs++;
  return o;
}

void mlpl_optimizer_release(mlpl_optimizer *o) {
  if (!o || --o->refs > 0) return;
  mlpl_ctx *cx = o->cx;
  for (int i = 0; i < o->n; i++) {
    mlpl_tensor_release(o->slot[i].w);
    for (int s = 0; s < MAX_STATE; s++) mlpl_tensor_release(o->slot[i].state[s]);
  }
  mlpli_free(cx->heap, o->slot);
  mlpli_free(cx->heap, o->update);
  mlpli_free(cx->heap, o);
  mlpli_ctx_release(cx);
}

bool mlpli_optimizer_has(const mlpl_optimizer *o, const mlpl_tensor *w) {
  for (int i = 0; i < o->n; i++)
    if (o->slot[i].w == w) return true;
  return false;
}

/* ---- options ----------------------------------------------------------------------- */

static mlpl_status option(
    mlpl_ctx *cx, const mlpl_optimizer *o, const char *name, int *i) {
  for (*i = 0; *i < o->kind->n_params; ++*i)
    if (strcmp(o->kind->params[*i].name, name) == 0) return MLPL_OK;
  return mlpl_fail(cx, MLPL_EARG, "%s: it has no option '%.40s'", o->kind->name, name);
}

mlpl_status mlpl_optimizer_get(
    mlpl_ctx *cx, const mlpl_optimizer *o, const char *name, double *value) {
  int i;
  MLPL_TRY(option(cx, o, name, &i));
  *value = o->kind->params[i].type == MLPL_PARAM_BOOL ? (double)o->p[i].i : o->p[i].f;
  return MLPL_OK;
}

mlpl_status mlpl_optimizer_set(
    mlpl_ctx *cx, mlpl_optimizer *o, const char *name, double value) {
  int i;
  mlpl_value p[MLPL_MAX_PARAMS];
  MLPL_TRY(option(cx, o, name, &i));
  memcpy(p, o->p, sizeof p);
  if (o->kind->params[i].type == MLPL_PARAM_PAIR)
    return mlpl_fail(cx, MLPL_EARG, "%s: %s is a pair; make a new optimizer to change it",
        o->kind->name, name);
  if (o->kind->params[i].type == MLPL_PARAM_BOOL)
    p[i].i = value != 0;
  else
    p[i].f = value;
  MLPL_TRY(check_options(cx, o->kind, p));
  memcpy(o->p, p, sizeof p);
  return MLPL_OK;
}

/* ---- the step ---------------------------------------------------------------------- */

/* State is made before anything is changed, so that a failed step changes nothing.
   Options may have changed since. */
static mlpl_status make_state(mlpl_ctx *cx, mlpl_optimizer *o, int wanted) {
  for (int i = 0; i < o->n; i++) {
    slot *s = &o->slot[i];
    if (!s->w->has_grad) continue;
    if (s->w->grad->dtype != s->w->dtype)
      return mlpl_fail(cx, MLPL_ESTATE,
          "%s: the gradient of a parameter has another dtype; call zero_grad after "
          "converting a model",
          o->kind->name);
    for (int k = 0; k < wanted; k++) {
      mlpl_tensor *t = s->state[k];
      if (t && t->dtype == s->w->dtype) continue;
      mlpl_tensor *fresh;
      MLPL_TRY(mlpli_tensor_like(cx, &fresh, s->w));
      if (t)
        mlpli_copy(fresh, t); /* the model was converted */
      else {
        mlpli_fill(fresh, 0);
        s->fresh = true;
      }
      mlpl_tensor_release(t);
      s->state[k] = fresh;
    }
  }
  return MLPL_OK;
}

typedef struct step_job {
  const mlpl_optimizer *o;
  int n;
} step_job;

static void step_task(void *arg, ptrdiff_t i, int worker) {
  (void)worker;
  const step_job *j = arg;
  const update *u = j->o->update;
  for (int left = j->n; left > 1 && u[1].first_task <= i; left--) u++;
  int64_t start = (i - u->first_task) * PART,
          n = u->n - start < PART ? u->n - start : PART;
  j->o->kind->part(u, (size_t)start * u->kern->real_bytes, n);
}

static mlpl_status step(mlpl_ctx *cx, mlpl_optimizer *o) {
  step_job j = {o, 0};
  int64_t tasks = 0;
  int n_state = o->kind->n_state(o->p);
  MLPL_TRY(make_state(cx, o, n_state));
  for (int i = 0; i < o->n; i++) {
    slot *s = &o->slot[i];
    if (!s->w->has_grad) continue;
    update *u = &o->update[j.n++];
    u->kern = mlpli_kern(s->w);
    u->w = s->w->data;
    u->g = s->w->grad->data;
    u->n = s->w->numel;
    u->first_task = tasks;
    for (int k = 0; k < MAX_STATE; k++)
      u->state[k] = k < n_state ? s->state[k]->data : NULL;
    u->steps = ++s->steps;
    o->kind->prepare(o->p, s, u, j.n > 1 ? u - 1 : NULL);
    s->fresh = false;
    tasks += (u->n + PART - 1) / PART;
    mlpli_touch(s->w);
  }
  if (tasks > j.n)
    cx->par.run(&cx->par, tasks, step_task, &j);
  else /* all are short */
    for (int i = 0; i < j.n; i++) o->kind->part(&o->update[i], 0, o->update[i].n);
  return MLPL_OK;
}

/* Reads weight, gradient and state, writes weight and state. */
static double bytes_moved(const mlpl_optimizer *o) {
  double bytes = 0;
  for (int i = 0; i < o->n; i++) {
    const mlpl_tensor *w = o->slot[i].w;
    if (w->has_grad)
      bytes += (double)w->numel * mlpli_dtype_size[w->dtype] *
          (3 + 2 * o->kind->n_state(o->p));
  }
  return bytes;
}

mlpl_status mlpl_optimizer_step(mlpl_ctx *cx, mlpl_optimizer *o) {
  if (!cx->profile) return step(cx, o);
  mlpli_span span;
  int entry = mlpli_profile_layer(cx, o->kind->name, "update");
  mlpli_span_begin(cx, &span);
  mlpl_status status = step(cx, o);
  mlpli_span_end(cx, &span, entry, bytes_moved(o), bytes_moved(o) / 4);
  return status;
}

void mlpl_optimizer_zero_grad(mlpl_optimizer *o) {
  for (int i = 0; i < o->n; i++) mlpl_tensor_zero_grad(o->slot[i].w);
}
