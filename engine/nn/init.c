/* Initialisers: PyTorch's rules and defaults, in place. Sources: Glorot and Bengio
   (2010), He et al. (2015). */
#include "nn/nn.h"
#include "ops/param.h"

#include <math.h>
#include <string.h>

static const char *const modes[] = {"fan_in", "fan_out", NULL};
static const char *const nonlinearities[] = {
    "leaky_relu", "relu", "linear", "sigmoid", "tanh", NULL};
enum { LEAKY_RELU, RELU, LINEAR, SIGMOID, TANH };

static const mlpl_param constant_params[] = {MLPLI_REAL_NEEDED("value")};
static const mlpl_param uniform_params[] = {
    MLPLI_REAL_OPTION("a", 0, -1e300, 1e300), MLPLI_REAL_OPTION("b", 1, -1e300, 1e300)};
static const mlpl_param normal_params[] = {
    MLPLI_REAL_OPTION("mean", 0, -1e300, 1e300), MLPLI_REAL_OPTION("std", 1, 0, 1e300)};
static const mlpl_param xavier_params[] = {MLPLI_REAL_OPTION("gain", 1, -1e300, 1e300)};
static const mlpl_param kaiming_params[] = {MLPLI_REAL_OPTION("a", 0, -1e300, 1e300),
    MLPLI_CHOICE_OPTION("mode", modes),
    MLPLI_CHOICE_OPTION("nonlinearity", nonlinearities)};

/* ---- rules ------------------------------------------------------------------------- */

/* Random numbers into t, whatever its strides. */
static mlpl_status draw(
    mlpl_ctx *cx, mlpl_tensor *t, mlpli_draw kind, double a, double b) {
  mlpl_tensor *fresh = NULL;
  if (t->contiguous)
    mlpli_random_fill(t, kind, a, b);
  else {
    MLPL_TRY(mlpli_tensor_like(cx, &fresh, t));
    mlpli_random_fill(fresh, kind, a, b);
    mlpli_copy(t, fresh);
    mlpl_tensor_release(fresh);
  }
  return MLPL_OK;
}

/* Sizes of what flows in and out of one unit: [out x in x receptive field]. */
static mlpl_status fans(
    mlpl_ctx *cx, const char *what, const mlpl_tensor *t, double *in, double *out) {
  char text[MLPLI_SHAPE_TEXT];
  double field = 1;
  if (t->ndim < 2)
    return mlpl_fail(cx, MLPL_ESHAPE,
        "%s: the tensor is %s; fan in and fan out need two axes or more", what,
        mlpli_tensor_text(text, t));
  for (int d = 2; d < t->ndim; d++) field *= (double)t->shape[d];
  *in = (double)t->shape[1] * field;
  *out = (double)t->shape[0] * field;
  return MLPL_OK;
}

static double gain_of(int64_t nonlinearity, double a) {
  switch (nonlinearity) {
    case LEAKY_RELU: return sqrt(2 / (1 + a * a));
    case RELU: return sqrt(2);
    case TANH: return 5.0 / 3;
    default: return 1;
  }
}

static mlpl_status xavier(
    mlpl_ctx *cx, mlpl_tensor *t, const mlpl_value *p, bool normal) {
  double in, out;
  MLPL_TRY(fans(cx, normal ? "xavier_normal" : "xavier_uniform", t, &in, &out));
  if (t->numel == 0) return MLPL_OK;
  double std = p[0].f * sqrt(2 / (in + out)), bound = sqrt(3) * std;
  return normal ? draw(cx, t, MLPLI_NORMAL, 0, std)
                : draw(cx, t, MLPLI_UNIFORM, -bound, bound);
}

static mlpl_status kaiming(
    mlpl_ctx *cx, mlpl_tensor *t, const mlpl_value *p, bool normal) {
  double in, out;
  MLPL_TRY(fans(cx, normal ? "kaiming_normal" : "kaiming_uniform", t, &in, &out));
  if (t->numel == 0) return MLPL_OK;
  double std = gain_of(p[2].i, p[0].f) / sqrt(p[1].i ? out : in), bound = sqrt(3) * std;
  return normal ? draw(cx, t, MLPLI_NORMAL, 0, std)
                : draw(cx, t, MLPLI_UNIFORM, -bound, bound);
}

static mlpl_status fill(mlpl_tensor *t, double v) {
  mlpli_fill(t, v);
  return MLPL_OK;
}

enum rule {
  ZEROS,
  ONES,
  CONSTANT,
  UNIFORM,
  NORMAL,
  XAVIER_UNIFORM,
  XAVIER_NORMAL,
  KAIMING_UNIFORM,
  KAIMING_NORMAL
};

static const struct {
  const char *name;
  const mlpl_param *params;
  int n;
} rules[] = {
    [ZEROS] = {"zeros", constant_params, 0},
    [ONES] = {"ones", constant_params, 0},
    [CONSTANT] = {"constant", constant_params, 1},
    [UNIFORM] = {"uniform", uniform_params, 2},
    [NORMAL] = {"normal", normal_params, 2},
    [XAVIER_UNIFORM] = {"xavier_uniform", xavier_params, 1},
    [XAVIER_NORMAL] = {"xavier_normal", xavier_params, 1},
    [KAIMING_UNIFORM] = {"kaiming_uniform", kaiming_params, 3},
    [KAIMING_NORMAL] = {"kaiming_normal", kaiming_params, 3},
};
#define N_RULES (int)(sizeof rules / sizeof *rules)

static int find(const char *name) {
  for (int i = 0; i < N_RULES; i++)
    if (strcmp(rules[i].name, name) == 0) return i;
  return -1;
}

static mlpl_status apply(mlpl_ctx *cx, mlpl_tensor *t, int rule, const mlpl_value *p) {
  switch (rule) {
    case ZEROS: return fill(t, 0);
    case ONES: return fill(t, 1);
    case CONSTANT: return fill(t, p[0].f);
    case UNIFORM:
      if (p[0].f > p[1].f)
        return mlpl_fail(cx, MLPL_EARG,
            "uniform: a is %g, b is %g; a must not be above b", p[0].f, p[1].f);
      return draw(cx, t, MLPLI_UNIFORM, p[0].f, p[1].f);
    case NORMAL: return draw(cx, t, MLPLI_NORMAL, p[0].f, p[1].f);
    case XAVIER_UNIFORM: return xavier(cx, t, p, false);
    case XAVIER_NORMAL: return xavier(cx, t, p, true);
    case KAIMING_UNIFORM: return kaiming(cx, t, p, false);
    default: return kaiming(cx, t, p, true);
  }
}

/* ---- by name ----------------------------------------------------------------------- */

const char *mlpl_init_at(int i) { return i >= 0 && i < N_RULES ? rules[i].name : NULL; }

const mlpl_param *mlpl_init_params(const char *name, int *n) {
  int rule = find(name);
  *n = rule < 0 ? 0 : rules[rule].n;
  return rule < 0 ? NULL : rules[rule].params;
}

mlpl_status mlpl_init_apply(
    mlpl_ctx *cx, mlpl_tensor *t, const char *name, const mlpl_value *p) {
  int rule = find(name);
  if (rule < 0) return mlpl_fail(cx, MLPL_EARG, "init: there is no rule '%.40s'", name);
  if (!mlpli_is_real(t))
    return mlpl_fail(cx, MLPL_EARG, "%s: the tensor is %s; it must be f32 or f64", name,
        mlpl_dtype_name((mlpl_dtype)t->dtype));
  if (t->node)
    return mlpl_fail(cx, MLPL_ESTATE,
        "%s: the tensor is a recorded result; only leaves are initialised", name);
  MLPL_TRY(mlpli_check_params(cx, name, rules[rule].params, rules[rule].n, p));
  MLPL_TRY(apply(cx, t, rule, p));
  mlpli_touch(t);
  return MLPL_OK;
}

mlpl_status mlpl_init(
    mlpl_ctx *cx, mlpl_tensor *t, const char *name, const mlpl_arg *args) {
  mlpl_value values[MLPL_MAX_PARAMS];
  int rule = find(name);
  if (rule < 0) return mlpl_fail(cx, MLPL_EARG, "init: there is no rule '%.40s'", name);
  MLPL_TRY(mlpli_resolve(cx, name, rules[rule].params, rules[rule].n, args, values));
  return mlpl_init_apply(cx, t, name, values);
}

/* ---- the default of Linear --------------------------------------------------------- */

/* weight [out x in] and bias [out] uniform in +-1/sqrt(in): PyTorch's kaiming_uniform
   with a = sqrt 5. */
mlpl_status mlpli_linear_build(mlpl_ctx *cx, mlpl_module *m) {
  int64_t in = m->p[0].i, out = m->p[1].i;
  double bound = in ? 1 / sqrt((double)in) : 0;
  MLPL_TRY(mlpl_tensor_rand(
      cx, &m->parameter[0], MLPL_F32, 2, (int64_t[]){out, in}, -bound, bound));
  m->parameter[0]->requires_grad = true;
  if (!m->p[2].i) return MLPL_OK;
  MLPL_TRY(mlpl_tensor_rand(
      cx, &m->parameter[1], MLPL_F32, 1, (int64_t[]){out}, -bound, bound));
  m->parameter[1]->requires_grad = true;
  return MLPL_OK;
}
