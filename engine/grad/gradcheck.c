/* Gradients against central differences: every element of the Jacobian of f, in f64; and
   gradients by central differences alone. */
#include "grad/grad.h"

#include <math.h>
#include <string.h>

typedef struct check {
  mlpl_ctx *cx;
  mlpl_function *f;
  void *ud;
  mlpl_tensor *const *x;
  int n;
  double eps, atol, rtol;
  int64_t n_out; /* elements of the result, -1: not known yet */
} check;

static mlpl_status evaluate(const check *c, mlpl_tensor **y) {
  mlpl_status status = MLPL_OK;
  MLPL_TRY(c->f(c->cx, c->ud, y, c->x, c->n));
  if ((*y)->dtype != MLPL_F64)
    status = mlpl_fail(c->cx, MLPL_EARG, "gradcheck: the result is %s; it must be f64",
        mlpl_dtype_name((mlpl_dtype)(*y)->dtype));
  else if (c->n_out >= 0 && (*y)->numel != c->n_out)
    status = mlpl_fail(c->cx, MLPL_ESHAPE,
        "gradcheck: the result has %lld elements, before it had %lld",
        (long long)(*y)->numel, (long long)c->n_out);
  if (status == MLPL_OK) return MLPL_OK;
  mlpli_drop(y);
  return status;
}

static char *address(mlpl_tensor *t, int64_t i) {
  int64_t at = 0;
  for (int d = t->ndim - 1; d >= 0; d--) {
    at += i % t->shape[d] * t->stride[d];
    i /= t->shape[d];
  }
  return t->data + at * mlpli_dtype_size[t->dtype];
}

static double *element(mlpl_tensor *t, int64_t i) {
  return (double *)(void *)address(t, i);
}

/* analytic[j][e] for output element j over all elements e of input i, one backward pass a
   row. */
static mlpl_status analytic(const check *c, int i, double *row, int64_t j) {
  mlpl_tensor *y, *seed = NULL, *g = NULL;
  MLPL_TRY(evaluate(c, &y));
  mlpl_status status = mlpl_tensor_full(c->cx, &seed, MLPL_F64, y->ndim, y->shape, 0);
  if (status == MLPL_OK) {
    *element(seed, j) = 1;
    status = mlpl_grad(c->cx, &g, &y, &seed, 1, &c->x[i], 1, MLPL_ALLOW_UNUSED);
  }
  if (status == MLPL_OK)
    for (int64_t e = 0; e < c->x[i]->numel; e++) row[e] = g ? *element(g, e) : 0;
  mlpl_tensor_release(g);
  mlpl_tensor_release(seed);
  mlpl_tensor_release(y);
  return status;
}

/* All outputs with element e of input i moved by delta. */
static mlpl_status moved(const check *c, int i, int64_t e, double delta, double *out) {
  double *p = element(c->x[i], e), was = *p;
  mlpl_tensor *y;
  *p = was + delta;
  mlpli_touch(c->x[i]);
  mlpl_status status = evaluate(c, &y);
  if (status == MLPL_OK) { /* before the element is put back: y may be a view of it */
    for (int64_t j = 0; j < c->n_out; j++) out[j] = *element(y, j);
    mlpl_tensor_release(y);
  }
  *p = was;
  mlpli_touch(c->x[i]);
  return status;
}

static mlpl_status compare(
    const check *c, int i, int64_t e, int64_t j, double a, double numeric) {
  if (fabs(a - numeric) <= c->atol + c->rtol * fabs(numeric)) return MLPL_OK;
  const int base = c->cx->index_base;
  return mlpl_fail(c->cx, MLPL_ENUMERIC,
      "gradcheck: input %d, element %lld, output element %lld: the gradient is %.12g, "
      "central differences give %.12g",
      i + base, (long long)(e + base), (long long)(j + base), a, numeric);
}

static mlpl_status check_input(
    const check *c, int i, double *jacobian, double *up, double *down) {
  int64_t n = c->x[i]->numel;
  for (int64_t j = 0; j < c->n_out; j++) MLPL_TRY(analytic(c, i, jacobian + j * n, j));
  for (int64_t e = 0; e < n; e++) {
    MLPL_TRY(moved(c, i, e, c->eps, up));
    MLPL_TRY(moved(c, i, e, -c->eps, down));
    for (int64_t j = 0; j < c->n_out; j++)
      MLPL_TRY(
          compare(c, i, e, j, jacobian[j * n + e], (up[j] - down[j]) / (2 * c->eps)));
  }
  return MLPL_OK;
}

/* That inputs are what can be checked; *most: elements of the largest that is varied. */
static mlpl_status check_inputs(const check *c, int64_t *most) {
  bool any = false;
  *most = 0;
  for (int i = 0; i < c->n; i++) {
    const mlpl_tensor *x = c->x[i];
    if (!x->requires_grad) continue;
    if (x->dtype != MLPL_F64)
      return mlpl_fail(c->cx, MLPL_EARG, "gradcheck: input %d is %s; it must be f64",
          i + c->cx->index_base, mlpl_dtype_name((mlpl_dtype)x->dtype));
    any = true;
    if (x->numel > *most) *most = x->numel;
  }
  if (any) return MLPL_OK;
  return mlpl_fail(c->cx, MLPL_EARG, "gradcheck: no input requires a gradient");
}

static mlpl_status check_all(check *c) {
  mlpl_tensor *y;
  int64_t most;
  size_t bytes;
  double *memory;
  MLPL_TRY(check_inputs(c, &most));
  MLPL_TRY(evaluate(c, &y));
  const int64_t n_out = c->n_out = y->numel;
  mlpl_tensor_release(y);
  if (!mlpli_mul((size_t)n_out, (size_t)most + 2, &bytes) ||
      !mlpli_mul(bytes, sizeof *memory, &bytes))
    return mlpl_fail(c->cx, MLPL_ENOMEM,
        "gradcheck: %lld results by %lld elements are more than can be counted",
        (long long)n_out, (long long)most);
  MLPL_TRY(mlpli_new(c->cx, &memory, bytes, "gradcheck"));
  mlpl_status status = MLPL_OK;
  for (int i = 0; i < c->n && status == MLPL_OK; i++)
    if (c->x[i]->requires_grad)
      status = check_input(
          c, i, memory, memory + n_out * most, memory + n_out * (most + 1));
  mlpli_free(c->cx->heap, memory);
  return status;
}

mlpl_status mlpl_gradcheck(mlpl_ctx *cx, mlpl_function *f, void *ud,
    mlpl_tensor *const *x, int n, double eps, double atol, double rtol) {
  check c = {
      cx, f, ud, x, n, eps ? eps : 1e-6, atol ? atol : 1e-5, rtol ? rtol : 1e-3, -1};
  bool was = mlpl_set_grad_enabled(cx, true);
  mlpl_status status = check_all(&c);
  mlpl_set_grad_enabled(cx, was);
  return status;
}

/* ---- without a graph --------------------------------------------------------------- */

/* f(x) with element e of input i at v; the step that was really made in v's dtype. */
static mlpl_status value_at(
    const check *c, int i, int64_t e, double v, double *value, double *where) {
  mlpl_tensor *x = c->x[i], *y = NULL;
  char *p = address(x, e), was[sizeof(double)];
  memcpy(was, p, mlpli_dtype_size[x->dtype]);
  mlpli_store(p, x->dtype, v);
  *where = mlpli_load(p, x->dtype);
  mlpli_touch(x);
  mlpl_status status = c->f(c->cx, c->ud, &y, c->x, c->n);
  if (status == MLPL_OK && y->numel != 1) {
    char text[MLPLI_SHAPE_TEXT];
    status = mlpl_fail(c->cx, MLPL_ESHAPE,
        "numeric_grad: the result is %s; it must be a single number",
        mlpli_tensor_text(text, y));
  }
  if (status == MLPL_OK) status = mlpl_tensor_item(c->cx, y, value);
  mlpl_tensor_release(y);
  memcpy(p, was, mlpli_dtype_size[x->dtype]);
  mlpli_touch(x);
  return status;
}

static mlpl_status differences(const check *c, int i, mlpl_tensor *g) {
  const mlpl_tensor *x = c->x[i];
  double eps = c->eps ? c->eps : x->dtype == MLPL_F64 ? 1e-6 : 1e-2;
  for (int64_t e = 0; e < x->numel; e++) {
    double at = mlpli_load(address(c->x[i], e), x->dtype), up, down, a, b;
    MLPL_TRY(value_at(c, i, e, at + eps, &up, &a));
    MLPL_TRY(value_at(c, i, e, at - eps, &down, &b));
    mlpli_store(
        g->data + e * mlpli_dtype_size[g->dtype], g->dtype, (up - down) / (a - b));
  }
  return MLPL_OK;
}

static mlpl_status all_differences(const check *c, mlpl_tensor **grads) {
  for (int i = 0; i < c->n; i++) {
    if (!mlpli_is_real(c->x[i]))
      return mlpl_fail(c->cx, MLPL_EARG,
          "numeric_grad: input %d is %s; it must be f32 or f64", i + c->cx->index_base,
          mlpl_dtype_name((mlpl_dtype)c->x[i]->dtype));
    MLPL_TRY(mlpli_tensor_like(c->cx, &grads[i], c->x[i]));
    MLPL_TRY(differences(c, i, grads[i]));
  }
  return MLPL_OK;
}

mlpl_status mlpl_numeric_grad(mlpl_ctx *cx, mlpl_tensor **grads, mlpl_function *f,
    void *ud, mlpl_tensor *const *x, int n, double eps) {
  const check c = {.cx = cx, .f = f, .ud = ud, .x = x, .n = n, .eps = eps};
  for (int i = 0; i < n; i++) grads[i] = NULL;
  bool was = mlpl_set_grad_enabled(cx, false);
  mlpl_status status = all_differences(&c, grads);
  mlpl_set_grad_enabled(cx, was);
  for (int i = 0; i < n && status != MLPL_OK; i++) {
    mlpli_drop(&grads[i]);
  }
  return status;
}
