/* Options: one description serves C hosts, Lua and model files; here they are filled in
   and checked. */
#include "ops/ops.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

mlpl_value mlpl_param_standard(const mlpl_param *p) {
  mlpl_value v;
  memset(&v, 0, sizeof v);
  if (p->type == MLPL_PARAM_REAL)
    v.f = p->standard;
  else if (p->type == MLPL_PARAM_PAIR)
    v.pair[0] = p->standard, v.pair[1] = p->standard2;
  else if ((p->type == MLPL_PARAM_AXIS || p->type == MLPL_PARAM_AXES) &&
      isnan(p->standard))
    v.i = MLPL_NO_AXIS;
  else if (p->type == MLPL_PARAM_EXTENT) {
    v.sizes.n = !isnan(p->standard);
    v.sizes.v[0] = v.sizes.n ? (int64_t)p->standard : 0;
  }
  else if (p->type != MLPL_PARAM_SIZES && p->type != MLPL_PARAM_AXIS_LIST)
    v.i = (int64_t)p->standard;
  return v;
}

bool mlpl_param_none_of(
    const mlpl_param *params, int n, const bool *given, const char **missing) {
  int k = 0;
  for (int i = 0; i < n; i++) {
    if (!(params[i].flags & MLPL_ONE_REQUIRED)) continue;
    if (given[i]) return false;
    if (k < 2) missing[k++] = params[i].name;
  }
  return k > 0;
}

void mlpl_value_axes(mlpl_value *v, int n, const int64_t *axes) {
  memset(v, 0, sizeof *v);
  v->i = n == 0 ? MLPL_NO_AXIS : n == 1 ? axes[0] : MLPL_SEVERAL_AXES;
  if (n < 2) return;
  v->axes.n = n;
  for (int i = 0; i < n; i++) /* beyond 32 bits they are as wrong as at the end */
    v->axes.v[i] = (int32_t)(axes[i] > INT32_MAX ? INT32_MAX
            : axes[i] < INT32_MIN                ? INT32_MIN
                                                 : axes[i]);
}

/* Append " name" to a list of names in a fixed buffer. */
static void add_name(char *list, size_t size, const char *name) {
  size_t at = strlen(list);
  snprintf(list + at, size - at, "%s%s", at ? ", " : "", name);
}

static mlpl_status unknown(
    mlpl_ctx *cx, const char *what, const mlpl_param *params, int n, const char *name) {
  char list[MLPLI_TEXT / 2] = "";
  for (int i = 0; i < n; i++) add_name(list, sizeof list, params[i].name);
  if (!n)
    return mlpl_fail(
        cx, MLPL_EARG, "%s: unknown option '%.40s'; it has no options", what, name);
  return mlpl_fail(
      cx, MLPL_EARG, "%s: unknown option '%.40s'; the options are %s", what, name, list);
}

static mlpl_status bad_choice(
    mlpl_ctx *cx, const char *what, const mlpl_param *p, const char *text) {
  char list[MLPLI_TEXT / 2] = "";
  for (int i = 0; p->choices[i]; i++) add_name(list, sizeof list, p->choices[i]);
  return mlpl_fail(cx, MLPL_EARG, "%s: %s is '%.40s'; it must be one of %s", what,
      p->name, text ? text : "", list);
}

static int n_choices(const mlpl_param *p) {
  int n = 0;
  while (p->choices[n]) n++;
  return n;
}

/* What no memory could hold is no limit that helps a reader. */
#define NO_LIMIT 1e9

static mlpl_status bad_range(
    mlpl_ctx *cx, const char *what, const mlpl_param *p, double value) {
  if (value > p->max && p->max >= NO_LIMIT)
    return mlpl_fail(cx, MLPL_EARG, "%s: %s is %.17g; it must be at most %g", what,
        p->name, value, p->max);
  if (p->max < 1 && p->max == nextafter(1, 0))
    return mlpl_fail(cx, MLPL_EARG, "%s: %s is %.17g; it must be from %g up to but not 1",
        what, p->name, value, p->min);
  if (p->max >= NO_LIMIT)
    return mlpl_fail(cx, MLPL_EARG, "%s: %s is %.17g; it must be at least %g", what,
        p->name, value, p->min);
  return mlpl_fail(cx, MLPL_EARG, "%s: %s is %.17g; it must be from %g to %g", what,
      p->name, value, p->min, p->max);
}

static mlpl_status too_many_axes(
    mlpl_ctx *cx, const char *what, const mlpl_param *p, double n) {
  return mlpl_fail(cx, MLPL_EARG, "%s: %s has %g axes; a tensor has at most %d", what,
      p->name, n, MLPL_MAX_RANK);
}

static mlpl_status check_extent(
    mlpl_ctx *cx, const char *what, const mlpl_param *p, const mlpl_value *v) {
  int n = v->sizes.n;
  if (n > MLPL_MAX_RANK || (n < 0 && !(p->choices && -n <= n_choices(p))))
    return mlpl_fail(cx, MLPL_EARG, "%s: %s has %d values; it takes one, or one an axis",
        what, p->name, n);
  for (int i = 0; i < n; i++)
    if ((double)v->sizes.v[i] < p->min || (double)v->sizes.v[i] > p->max)
      return bad_range(cx, what, p, (double)v->sizes.v[i]);
  return MLPL_OK;
}

static mlpl_status check_value(
    mlpl_ctx *cx, const char *what, const mlpl_param *p, const mlpl_value *v) {
  switch (p->type) {
    case MLPL_PARAM_REAL:
      if (p->flags & MLPL_MAY_BE_NAN && isnan(v->f)) return MLPL_OK;
      if (!(v->f >= p->min && v->f <= p->max)) return bad_range(cx, what, p, v->f);
      return MLPL_OK;
    case MLPL_PARAM_PAIR:
      for (int i = 0; i < 2; i++)
        if (!(v->pair[i] >= p->min && v->pair[i] <= p->max))
          return bad_range(cx, what, p, v->pair[i]);
      return MLPL_OK;
    case MLPL_PARAM_INT:
      if ((double)v->i < p->min || (double)v->i > p->max)
        return bad_range(cx, what, p, (double)v->i);
      return MLPL_OK;
    case MLPL_PARAM_BOOL:
      if (v->i != 0 && v->i != 1) return bad_range(cx, what, p, (double)v->i);
      return MLPL_OK;
    case MLPL_PARAM_CHOICE:
      if (v->i < 0 || v->i >= n_choices(p)) return bad_choice(cx, what, p, NULL);
      return MLPL_OK;
    case MLPL_PARAM_AXIS_LIST:
    case MLPL_PARAM_SIZES:
      if (v->sizes.n < 0 || v->sizes.n > MLPL_MAX_RANK)
        return mlpl_fail(cx, MLPL_EARG,
            "%s: %s has %d sizes; a tensor has at most %d axes", what, p->name,
            v->sizes.n, MLPL_MAX_RANK);
      return MLPL_OK;
    case MLPL_PARAM_AXES:
      if (v->i == MLPL_SEVERAL_AXES && (v->axes.n < 0 || v->axes.n > MLPL_MAX_RANK))
        return too_many_axes(cx, what, p, v->axes.n);
      return MLPL_OK;
    case MLPL_PARAM_EXTENT: return check_extent(cx, what, p, v);
    case MLPL_PARAM_AXIS:
    case MLPL_PARAM_INDEX: return MLPL_OK; /* the row checks them against its inputs */
  }
  return MLPL_OK;
}

mlpl_status mlpli_check_params(mlpl_ctx *cx, const char *what, const mlpl_param *params,
    int n, const mlpl_value *values) {
  for (int i = 0; i < n; i++) MLPL_TRY(check_value(cx, what, &params[i], &values[i]));
  return MLPL_OK;
}

/* Its place among the choices, or -1. */
static int find_choice(const mlpl_param *p, const char *text) {
  for (int i = 0; text && p->choices[i]; i++)
    if (strcmp(text, p->choices[i]) == 0) return i;
  return -1;
}

static mlpl_status convert_choice(mlpl_ctx *cx, const char *what, const mlpl_param *p,
    const char *text, mlpl_value *v) {
  const int i = find_choice(p, text);
  if (i < 0) return bad_choice(cx, what, p, text);
  if (p->type == MLPL_PARAM_EXTENT)
    v->sizes.n = -1 - i;
  else
    v->i = i;
  return MLPL_OK;
}

/* As many numbers as a->value says. */
static mlpl_status convert_sizes(mlpl_ctx *cx, const char *what, const mlpl_param *p,
    const mlpl_arg *a, mlpl_value *v) {
  const bool axes = p->type == MLPL_PARAM_AXES;
  if (a->value < 0 || a->value > MLPL_MAX_RANK || (a->value > 0 && !a->sizes))
    return axes ? too_many_axes(cx, what, p, a->value)
                : mlpl_fail(cx, MLPL_EARG,
                      "%s: %s has %g sizes; a tensor has at most %d axes", what, p->name,
                      a->value, MLPL_MAX_RANK);
  if (axes) {
    mlpl_value_axes(v, (int)a->value, a->sizes);
    return MLPL_OK;
  }
  v->sizes.n = (int)a->value;
  for (int i = 0; i < v->sizes.n; i++) v->sizes.v[i] = a->sizes[i];
  return MLPL_OK;
}

/* A named argument's value in its option's type. */
static mlpl_status convert(mlpl_ctx *cx, const char *what, const mlpl_param *p,
    const mlpl_arg *a, mlpl_value *v) {
  const bool list = p->type == MLPL_PARAM_SIZES || p->type == MLPL_PARAM_AXIS_LIST,
             either = p->type == MLPL_PARAM_EXTENT || p->type == MLPL_PARAM_AXES;
  memset(v, 0, sizeof *v);
  if (p->type == MLPL_PARAM_REAL) {
    v->f = a->value;
    return MLPL_OK;
  }
  if (p->type == MLPL_PARAM_PAIR) {
    if (!a->pair)
      return mlpl_fail(cx, MLPL_EARG, "%s: %s must be two numbers", what, p->name);
    v->pair[0] = a->pair[0], v->pair[1] = a->pair[1];
    return MLPL_OK;
  }
  if (p->type == MLPL_PARAM_CHOICE ||
      (p->type == MLPL_PARAM_EXTENT && p->choices && a->text))
    return convert_choice(cx, what, p, a->text, v);
  if (a->value != floor(a->value) || fabs(a->value) > 9007199254740992.0)
    return mlpl_fail(cx, MLPL_EARG, "%s: %s is %.17g; it must be a whole number", what,
        p->name, a->value);
  if (list || (either && a->sizes)) return convert_sizes(cx, what, p, a, v);
  if (p->type == MLPL_PARAM_EXTENT) {
    v->sizes.n = 1;
    v->sizes.v[0] = (int64_t)a->value;
  }
  else
    v->i = (int64_t)a->value;
  return MLPL_OK;
}

mlpl_status mlpli_resolve(mlpl_ctx *cx, const char *what, const mlpl_param *params, int n,
    const mlpl_arg *args, mlpl_value *values) {
  bool given[MLPL_MAX_PARAMS] = {false};
  MLPL_ASSERT(n <= MLPL_MAX_PARAMS);
  for (int i = 0; i < n; i++) values[i] = mlpl_param_standard(&params[i]);
  for (; args && args->name; args++) {
    int i = 0;
    while (i < n && strcmp(params[i].name, args->name) != 0) i++;
    if (i == n) return unknown(cx, what, params, n, args->name);
    MLPL_TRY(convert(cx, what, &params[i], args, &values[i]));
    given[i] = true;
  }
  for (int i = 0; i < n; i++)
    if ((params[i].flags & MLPL_REQUIRED) && !given[i])
      return mlpl_fail(cx, MLPL_EARG, "%s: %s is missing", what, params[i].name);
  const char *missing[2] = {"", ""};
  if (mlpl_param_none_of(params, n, given, missing))
    return mlpl_fail(
        cx, MLPL_EARG, "%s: neither %s nor %s is given", what, missing[0], missing[1]);
  return mlpli_check_params(cx, what, params, n, values);
}

mlpl_status mlpli_axis(
    mlpl_ctx *cx, const char *what, int64_t given, int ndim, int *axis) {
  int64_t d = given < 0 ? given + ndim : given;
  if (d >= 0 && d < ndim) {
    *axis = (int)d;
    return MLPL_OK;
  }
  int base = cx->index_base;
  long long shown = (long long)(given < 0 ? given : given + base);
  if (ndim == 0)
    return mlpl_fail(
        cx, MLPL_EARG, "%s: axis %lld of a tensor without axes", what, shown);
  return mlpl_fail(cx, MLPL_EARG,
      "%s: axis %lld is outside %d to %d (or -%d to -1 from the end)", what, shown, base,
      ndim - 1 + base, ndim);
}

mlpl_status mlpli_axis_list(mlpl_ctx *cx, const char *what, const mlpl_value *given, int ndim,
    int *list, unsigned *axes) {
  *axes = 0;
  for (int i = 0; i < given->sizes.n; i++) {
    MLPL_TRY(mlpli_axis(cx, what, given->sizes.v[i], ndim, &list[i]));
    if (*axes >> list[i] & 1)
      return mlpl_fail(cx, MLPL_EARG, "%s: axis %d stands twice among the axes", what,
          list[i] + cx->index_base);
    *axes |= 1u << list[i];
  }
  return MLPL_OK;
}
