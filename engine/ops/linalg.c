/* Linear algebra: stacks of matrices, their products, and pieces of expressions. */
#include "ops/linalg.h"

#include "grad/grad.h"

#include <float.h>
#include <stdio.h>
#include <string.h>

/* ---- stacks ------------------------------------------------------------------------ */

int64_t mlpli_stacked(const mlpl_tensor *t, int axes) {
  int64_t n = 1;
  for (int d = 0; d < t->ndim - axes; d++) n *= t->shape[d];
  return n;
}

mlpli_matrix mlpli_matrix_at(const mlpl_tensor *t, int64_t i) {
  const int n = t->ndim;
  int64_t at = 0;
  for (int d = n - 3; d >= 0; d--) {
    at += i % t->shape[d] * t->stride[d];
    i /= t->shape[d];
  }
  return (mlpli_matrix){t->data + at * mlpli_dtype_size[t->dtype], t->shape[n - 2],
      t->shape[n - 1], t->stride[n - 2], t->stride[n - 1]};
}

mlpl_status mlpli_check_matrix(
    mlpl_ctx *cx, const char *what, const char *name, const mlpl_tensor *t) {
  char text[MLPLI_SHAPE_TEXT];
  if (t->ndim >= 2) return MLPL_OK;
  return mlpl_fail(cx, MLPL_ESHAPE,
      "%s: %s is %s; it must be a matrix or a stack of matrices (two axes or more)", what,
      name, mlpli_tensor_text(text, t));
}

mlpl_status mlpli_check_square(
    mlpl_ctx *cx, const char *what, const char *name, const mlpl_tensor *t) {
  char text[MLPLI_SHAPE_TEXT];
  MLPL_TRY(mlpli_check_matrix(cx, what, name, t));
  if (mlpli_rows(t) == mlpli_cols(t)) return MLPL_OK;
  return mlpl_fail(cx, MLPL_ESHAPE,
      "%s: %s is %s; its last two axes must be equal (square matrices)", what, name,
      mlpli_tensor_text(text, t));
}

mlpl_status mlpli_shape_square(mlpl_ctx *cx, const mlpli_call *c, mlpli_shape *s) {
  MLPL_TRY(mlpli_check_square(cx, c->op->name, c->op->input_name[0], c->in[0]));
  return mlpli_shape_same(cx, c, s);
}

mlpl_status mlpli_shape_stack(mlpl_ctx *cx, const mlpli_call *c, mlpli_shape *s) {
  MLPL_TRY(mlpli_check_square(cx, c->op->name, c->op->input_name[0], c->in[0]));
  mlpli_stack_shape(s, c->in[0], 0, 0, 0);
  return MLPL_OK;
}

void mlpli_stack_shape(
    mlpli_shape *s, const mlpl_tensor *first, int n, int64_t a, int64_t b) {
  s->ndim = first->ndim - 2;
  memcpy(s->size, first->shape, sizeof s->size);
  if (n > 0) s->size[s->ndim++] = a;
  if (n > 1) s->size[s->ndim++] = b;
}

const char *mlpli_which(char *buf, mlpl_ctx *cx, const mlpl_tensor *t, int64_t i) {
  buf[0] = '\0';
  if (t->ndim > 2)
    snprintf(
        buf, MLPLI_WHICH, " (matrix %lld of the stack)", (long long)(i + cx->index_base));
  return buf;
}

/* ---- memory and numbers ------------------------------------------------------------ */

static void copy_strided(int dtype, mlpli_matrix dst, mlpli_matrix src, int64_t i) {
  if (dtype == MLPL_F32) {
    float *to = mlpli_elem(dst, dtype, i, 0), *from = mlpli_elem(src, dtype, i, 0);
    for (int64_t j = 0; j < src.cols; j++) to[j * dst.cs] = from[j * src.cs];
    return;
  }
  double *to = mlpli_elem(dst, dtype, i, 0), *from = mlpli_elem(src, dtype, i, 0);
  for (int64_t j = 0; j < src.cols; j++) to[j * dst.cs] = from[j * src.cs];
}

void mlpli_matrix_copy(int dtype, mlpli_matrix dst, mlpli_matrix src) {
  const size_t bytes = (size_t)src.cols * mlpli_dtype_size[dtype];
  for (int64_t i = 0; i < src.rows && src.cols; i++)
    if (dst.cs == 1 && src.cs == 1)
      memcpy(mlpli_elem(dst, dtype, i, 0), mlpli_elem(src, dtype, i, 0), bytes);
    else
      copy_strided(dtype, dst, src, i);
}

void mlpli_matrix_identity(int dtype, mlpli_matrix m) {
  for (int64_t i = 0; i < m.rows; i++)
    for (int64_t j = 0; j < m.cols; j++)
      mlpli_store(mlpli_elem(m, dtype, i, j), dtype, i == j);
}

static double largest_32(int64_t n, const float *p) {
  double most = 0;
  for (int64_t i = 0; i < n; i++) {
    const double v = fabs((double)p[i]);
    if (!(v <= most)) most = v;
    if (!isfinite(v)) return NAN;
  }
  return most;
}

static double largest_64(int64_t n, const double *p) {
  double most = 0;
  for (int64_t i = 0; i < n; i++) {
    const double v = fabs(p[i]);
    if (!(v <= most)) most = v;
    if (!isfinite(v)) return NAN;
  }
  return most;
}

double mlpli_to_unit(int dtype, int64_t n, void *p) {
  int exponent;
  double most = dtype == MLPL_F32 ? largest_32(n, p) : largest_64(n, p);
  if (isnan(most)) return most;
  if (most == 0) return 1;
  frexp(most, &exponent);
  /* ldexp(1, 1 - exponent) itself may be more than a double holds */
  int first = exponent < -1000 ? 500 : 0;
  if (first) mlpli_scale(dtype, n, p, ldexp(1, first));
  if (exponent != 1) mlpli_scale(dtype, n, p, ldexp(1, 1 - exponent - first));
  return ldexp(1, exponent - 1);
}

void mlpli_scale(int dtype, int64_t n, void *p, double by) {
  if (by == 1) return;
  if (dtype == MLPL_F32)
    for (int64_t i = 0; i < n; i++)
      ((float *)p)[i] = (float)((double)((float *)p)[i] * by);
  else
    for (int64_t i = 0; i < n; i++) ((double *)p)[i] *= by;
}

void mlpli_set_all(int dtype, int64_t n, void *p, double value) {
  for (int64_t i = 0; i < n; i++)
    mlpli_store((char *)p + i * mlpli_dtype_size[dtype], dtype, value);
}

double mlpli_tolerance(int dtype, int64_t m, int64_t n, double rcond) {
  if (rcond >= 0) return rcond;
  return (dtype == MLPL_F32 ? (double)FLT_EPSILON : DBL_EPSILON) *
      (double)(m > n ? m : n);
}

/* ---- expressions ------------------------------------------------------------------- */

bool mlpli_is_tracked(const mlpl_ctx *cx, const mlpli_call *c) {
  for (int i = 0; i < c->n && cx->grad_enabled; i++)
    if (mlpli_tracked(c->in[i])) return true;
  return false;
}

mlpl_tensor *mlpli_xproduct(
    mlpli_expr *e, mlpl_tensor *a, mlpl_tensor *b, int ta, int tb) {
  if (ta) a = mlpli_xtransposed(e, a);
  if (tb) b = mlpli_xtransposed(e, b);
  return mlpli_x2(e, MLPLI_OP_MATMUL, a, b, NULL);
}

mlpl_tensor *mlpli_xtransposed(mlpli_expr *e, mlpl_tensor *a) {
  return mlpli_x1(e, MLPLI_OP_TRANSPOSE, a, (mlpl_value[]){{.i = -2}, {.i = -1}});
}

mlpl_tensor *mlpli_xneg(mlpli_expr *e, mlpl_tensor *a) {
  return mlpli_x1(e, MLPLI_OP_NEG, a, NULL);
}

mlpl_tensor *mlpli_xreshaped(
    mlpli_expr *e, mlpl_tensor *a, int drop, int n, int64_t s0, int64_t s1) {
  if (!a || e->status != MLPL_OK) return NULL;
  mlpl_value p = {.sizes = {.n = a->ndim - drop}};
  memcpy(p.sizes.v, a->shape, sizeof p.sizes.v);
  if (n > 0) p.sizes.v[p.sizes.n++] = s0;
  if (n > 1) p.sizes.v[p.sizes.n++] = s1;
  return mlpli_x1(e, MLPLI_OP_RESHAPE, a, &p);
}

mlpl_tensor *mlpli_xpart(
    mlpli_expr *e, mlpl_tensor *a, int axis, int64_t start, int64_t length) {
  return mlpli_x1(
      e, MLPLI_OP_NARROW, a, (mlpl_value[]){{.i = axis}, {.i = start}, {.i = length}});
}

static mlpl_tensor *square(mlpli_expr *e, int dtype, int64_t n) {
  mlpl_tensor *t;
  if (e->status != MLPL_OK) return NULL;
  e->status = mlpl_tensor_full(e->cx, &t, (mlpl_dtype)dtype, 2, (int64_t[]){n, n}, 0);
  return mlpli_xkeep(e, t);
}

mlpl_tensor *mlpli_xlower(mlpli_expr *e, int dtype, int64_t n, int diagonal) {
  mlpl_tensor *t = square(e, dtype, n);
  if (!t) return NULL;
  mlpli_matrix m = mlpli_matrix_of(t);
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < n && j - i <= diagonal; j++)
      mlpli_store(mlpli_elem(m, dtype, i, j), dtype, 1);
  return t;
}

mlpl_tensor *mlpli_xidentity(mlpli_expr *e, int dtype, int64_t n) {
  mlpl_tensor *t = square(e, dtype, n);
  if (t) mlpli_matrix_identity(dtype, mlpli_matrix_of(t));
  return t;
}

mlpl_tensor *mlpli_xinverse_or_0(mlpli_expr *e, mlpl_tensor *a) {
  mlpl_tensor *zero, *flat;
  if (!a || e->status != MLPL_OK) return NULL;
  e->status = mlpli_tensor_contiguous(e->cx, &flat, a);
  if (!mlpli_xkeep(e, flat) || e->status != MLPL_OK) return NULL;
  e->status = mlpli_tensor_like(e->cx, &zero, a);
  if (!mlpli_xkeep(e, zero) || e->status != MLPL_OK) return NULL;
  const size_t bytes = mlpli_dtype_size[a->dtype];
  for (int64_t i = 0; i < a->numel; i++)
    mlpli_store(zero->data + (size_t)i * bytes, a->dtype,
        mlpli_load(flat->data + (size_t)i * bytes, a->dtype) == 0);
  return mlpli_xdiv(e, mlpli_xaffine(e, zero, -1, 1), mlpli_xadd(e, a, zero));
}

static bool is_zero(const mlpl_tensor *t, int64_t i) {
  mlpli_matrix m = mlpli_matrix_at(t, i);
  for (int64_t x = 0; x < m.rows; x++)
    for (int64_t y = 0; y < m.cols; y++)
      if (mlpli_load(mlpli_elem(m, t->dtype, x, y), t->dtype) != 0) return false;
  return true;
}

mlpl_tensor *mlpli_xinverse_or_nan(mlpli_expr *e, mlpl_tensor *a, bool differences,
    const mlpl_tensor *used, const mlpl_tensor *other) {
  mlpl_tensor *inverse = mlpli_xinverse_or_0(e, a), *none;
  bool any = false;
  if (e->status != MLPL_OK) return NULL;
  e->status = mlpli_tensor_like(e->cx, &none, a);
  if (e->status != MLPL_OK || !mlpli_xkeep(e, none)) return NULL;
  for (int64_t x = 0; x < mlpli_stacked(a, 2); x++) {
    mlpli_matrix m = mlpli_matrix_at(a, x), to = mlpli_matrix_at(none, x);
    const bool free = other && is_zero(used, x) && !is_zero(other, x);
    for (int64_t i = 0; i < m.rows; i++)
      for (int64_t j = 0; j < m.cols; j++) {
        const bool undefined = !free && !(differences && i == j) &&
            mlpli_load(mlpli_elem(m, a->dtype, i, j), a->dtype) == 0;
        mlpli_store(
            mlpli_elem(to, a->dtype, i, j), a->dtype, undefined ? (double)NAN : 0);
        any = any || undefined;
      }
  }
  return any ? mlpli_xadd(e, inverse, none) : inverse;
}

mlpl_tensor *mlpli_xsolve(mlpli_expr *e, mlpl_tensor *a, mlpl_tensor *b) {
  return mlpli_x2(e, MLPLI_OP_SOLVE_MATRICES, a, b, NULL);
}

mlpl_tensor *mlpli_xtriangular(
    mlpli_expr *e, mlpl_tensor *a, mlpl_tensor *b, int upper, int unit) {
  return mlpli_x2(
      e, MLPLI_OP_SOLVE_TRIANGLES, a, b, (mlpl_value[]){{.i = upper}, {.i = unit}});
}

bool mlpli_is_vectors(const mlpl_tensor *a, const mlpl_tensor *b) {
  if (b->ndim == 1) return true;
  if (b->ndim != a->ndim - 1) return false;
  for (int d = 0; d < b->ndim; d++)
    if (a->shape[d] != b->shape[d]) return false;
  return true;
}

/* t with the axes of s before its last two */
static mlpl_tensor *stretched(mlpli_expr *e, mlpl_tensor *t, const mlpli_shape *s) {
  mlpl_value p = {.sizes = {.n = s->ndim + 2}};
  memcpy(p.sizes.v, s->size, (size_t)s->ndim * sizeof *s->size);
  p.sizes.v[s->ndim] = mlpli_rows(t), p.sizes.v[s->ndim + 1] = mlpli_cols(t);
  if (mlpli_same_shape(t, p.sizes.n, p.sizes.v)) return t;
  return mlpli_x1(e, MLPLI_OP_EXPAND, t, &p);
}

void mlpli_xstacks(mlpli_expr *e, const char *what, mlpl_tensor **a, mlpl_tensor **b) {
  mlpli_shape s;
  if (!*a || !*b || e->status != MLPL_OK) return;
  mlpl_tensor x = **a, y = **b; /* without their matrices */
  x.ndim = (uint8_t)(x.ndim - 2), y.ndim = (uint8_t)(y.ndim - 2);
  e->status = mlpli_broadcast(e->cx, what, &x, &y, &s);
  if (e->status != MLPL_OK) return;
  *a = stretched(e, *a, &s);
  *b = stretched(e, *b, &s);
}

/* ---- powers ------------------------------------------------------------------------ */

static mlpl_tensor *identities(mlpli_expr *e, const mlpl_tensor *like) {
  mlpli_shape s;
  mlpl_tensor *t = mlpli_xidentity(e, like->dtype, mlpli_rows(like));
  mlpli_stack_shape(&s, like, 0, 0, 0);
  return t ? mlpli_x1(e, MLPLI_OP_CLONE, stretched(e, t, &s), NULL) : NULL;
}

/* Squares, and the products of those that the bits of n choose. */
static COMPOSE(matrix_power) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *a = c->in[0], *result = NULL;
  int64_t n = c->p[0].i;
  MLPL_TRY(mlpli_check_square(cx, "matrix_power", "input", a));
  if (n < 0) a = mlpli_x1(&e, MLPLI_OP_INV, a, NULL), n = -n;
  for (; n; n >>= 1) {
    if (n & 1) result = result ? mlpli_xproduct(&e, result, a, 0, 0) : a;
    if (n > 1) a = mlpli_xproduct(&e, a, a, 0, 0);
    /* what is kept of the expression is what the next steps read */
  }
  if (!result && e.status == MLPL_OK) result = identities(&e, a);
  if (result == c->in[0]) result = mlpli_x1(&e, MLPLI_OP_CLONE, result, NULL);
  return mlpli_xresult(&e, out, result);
}

/* ---- rows -------------------------------------------------------------------------- */

/* 63 squares would fit in an expression; more than these bits no power needs */
static const mlpl_param power_params[] = {MLPLI_INT_NEEDED("n", -1e6, 1e6)};

const mlpl_op mlpli_op_matrix_power = {LINALG_ROW(matrix_power, MLPLI_REGULAR),
    .compose = matrix_power_compose, PARAMS(power_params)};
