/*
** Singular values and what is made of them: pseudo-inverse, least squares, rank. A tall
** matrix is reduced by QR first, a wide one is transposed.
*/
#include "ops/linalg.h"

#include "grad/grad.h"

#include <string.h>

#define MOST_SWEEPS 60

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

/* ---- one decomposition ------------------------------------------------------------- */

/* Memory for matrices of one size, p x k with p >= k once turned. */
typedef struct svd_memory {
  mlpl_ctx *cx;
  int dtype, sweeps;
  int64_t p, k, q; /* q: columns of the tall factor that are wanted; 0: values only */
  char *work, *tall, *left; /* p x k, p x q, k x k */
  void *scratch;
} svd_memory;

static void svd_end(svd_memory *s) {
  mlpli_free(s->cx->heap, s->work);
  mlpli_free(s->cx->heap, s->tall);
  mlpli_free(s->cx->heap, s->left);
  mlpli_free(s->cx->heap, s->scratch);
}

static mlpl_status svd_begin(mlpl_ctx *cx, svd_memory *s, const mlpl_tensor *a, bool full,
    bool values, int sweeps) {
  const int64_t m = mlpli_rows(a), n = mlpli_cols(a);
  const mlplk_linalg *kern = &cx->kern[a->dtype]->linalg;
  const size_t bytes = mlpli_dtype_size[a->dtype];
  *s = (svd_memory){
      cx, a->dtype, sweeps, m > n ? m : n, smaller(m, n), 0, NULL, NULL, NULL, NULL};
  if (!values) s->q = full ? s->p : s->k;
  size_t qr = kern->qr_scratch(s->p, s->k, s->q > s->k ? s->q : s->k, cx->par.workers);
  size_t core = kern->svd_scratch(s->k, cx->par.workers);
  mlpl_status status = mlpli_new(cx, &s->work, (size_t)(s->p * s->k) * bytes, "svd");
  if (status == MLPL_OK)
    status = mlpli_new(cx, &s->tall, (size_t)(s->p * s->q) * bytes, "svd");
  if (status == MLPL_OK)
    status = mlpli_new(cx, &s->left, (size_t)(s->k * s->k) * bytes, "svd");
  if (status == MLPL_OK)
    status = mlpli_new(cx, &s->scratch, qr > core ? qr : core, "svd");
  if (status != MLPL_OK) svd_end(s);
  return status;
}

/* u [p x q] := Q with its first k columns times `left` */
static mlpl_status long_factor(svd_memory *s, mlpli_matrix u) {
  const int dtype = s->dtype;
  mlpli_matrix q = {s->tall, s->p, s->k, s->q, 1}, rest = q, to = u;
  rest.p = mlpli_elem(q, dtype, 0, s->k), rest.cols = s->q - s->k;
  to.p = mlpli_elem(u, dtype, 0, s->k), to.cols = s->q - s->k;
  mlpli_matrix_copy(dtype, to, rest);
  u.cols = s->k;
  return mlpli_product(s->cx, dtype, q, (mlpli_matrix){s->left, s->k, s->k, s->k, 1}, 0,
      u, NULL, MLPLK_ACT_NONE);
}

/* a = u diag(values) vh, the factors written where they are wanted, with any strides.
   Nothing is written when an element is not finite. */
static mlpl_status svd_one(svd_memory *s, mlpli_matrix a, mlpli_matrix u, char *values,
    mlpli_matrix vh, bool *finite) {
  mlpl_ctx *cx = s->cx;
  const mlplk_linalg *kern = &cx->kern[s->dtype]->linalg;
  const bool wide = a.rows<a.cols, reduce = s->p> s->k;
  mlpli_matrix work = {s->work, s->p, s->k, s->k, 1};
  mlpli_matrix big = wide ? mlpli_transposed(vh) : u,
               small = wide ? mlpli_transposed(u) : vh;
  mlpli_matrix left = reduce ? (mlpli_matrix){s->left, s->k, s->k, s->k, 1} : big;
  mlpli_matrix_copy(s->dtype, work, wide ? mlpli_transposed(a) : a);
  const double scale = mlpli_to_unit(s->dtype, s->p * s->k, s->work);
  *finite = !isnan(scale);
  if (!*finite) return MLPL_OK;
  mlplk_matrix kw = mlpli_kernel_matrix(work), kq = {s->q ? s->tall : NULL, s->q, 1};
  if (reduce && s->k)
    kern->qr(s->p, s->k, s->q > s->k ? s->q : s->k, &kw, &kq, s->scratch, &cx->par);
  if (s->k == 0 && s->q)
    mlpli_matrix_identity(s->dtype, (mlpli_matrix){s->tall, s->p, s->q, s->q, 1});
  mlplk_matrix ku = mlpli_kernel_matrix(left), kv = mlpli_kernel_matrix(small);
  if (!s->q) ku.p = kv.p = NULL;
  if (kern->svd(s->k, &kw, values, &ku, &kv, s->sweeps, s->scratch, &cx->par))
    return mlpl_fail(cx, MLPL_ENUMERIC,
        "svd: no convergence after %d sweeps for a singular value", s->sweeps);
  mlpli_scale(s->dtype, s->k, values, scale);
  return reduce && s->q ? long_factor(s, big) : MLPL_OK;
}

/* ---- all of a stack: U [m x u], values [k], Vh [v x n], side by side in one axis ----- */

typedef struct svd_sizes {
  int64_t m, n, k, u, v;
} svd_sizes;

static svd_sizes sizes_of(const int64_t *last_two, bool full) {
  const int64_t m = last_two[0], n = last_two[1], k = smaller(m, n);
  return (svd_sizes){m, n, k, full ? m : k, full ? n : k};
}

static int64_t packed(const svd_sizes *s) { return s->m * s->u + s->k + s->v * s->n; }

/* Options of these rows: full_matrices, sweeps. */
static SHAPE(svd_factors) {
  svd_sizes s1 = sizes_of(c->in[0]->shape + c->in[0]->ndim - 2, c->p[0].i != 0);
  (void)cx;
  mlpli_stack_shape(s, c->in[0], 1, packed(&s1), 0);
  return MLPL_OK;
}

static SHAPE(svd_values) {
  (void)cx;
  mlpli_stack_shape(s, c->in[0], 1, mlpli_smaller_side(c->in[0]), 0);
  return MLPL_OK;
}

static mlpl_status svd_all(mlpl_ctx *cx, mlpli_call *c, mlpl_tensor *out, bool values) {
  mlpl_tensor *a = c->in[0];
  svd_memory memory;
  svd_sizes s = sizes_of(a->shape + a->ndim - 2, c->p[0].i != 0);
  const int64_t stacked = mlpli_stacked(a, 2), bytes = mlpli_dtype_size[a->dtype],
                each = values ? s.k : packed(&s);
  mlpl_status status = MLPL_OK;
  MLPL_TRY(svd_begin(cx, &memory, a, c->p[0].i != 0, values, (int)c->p[1].i));
  for (int64_t i = 0; i < stacked && status == MLPL_OK; i++) {
    char *to = out->data + i * each * bytes;
    mlpli_matrix u = {values ? NULL : to, s.m, s.u, s.u, 1};
    char *at = values ? to : to + s.m * s.u * bytes;
    mlpli_matrix vh = {values ? NULL : at + s.k * bytes, s.v, s.n, s.n, 1};
    bool finite;
    status = svd_one(&memory, mlpli_matrix_at(a, i), u, at, vh, &finite);
    if (!finite) mlpli_set_all(a->dtype, each, to, (double)NAN);
  }
  svd_end(&memory);
  return status;
}

static FORWARD(svd_factors) { return svd_all(cx, c, *out, false); }
static FORWARD(svd_values) { return svd_all(cx, c, *out, true); }

/* U, the values as a row [... 1 x k], Vh */
static void svd_apart(mlpli_expr *e, mlpl_tensor *t, const svd_sizes *s, mlpl_tensor **u,
    mlpl_tensor **values, mlpl_tensor **vh) {
  const int64_t at = s->m * s->u;
  *u = mlpli_xreshaped(e, mlpli_xpart(e, t, -1, 0, at), 1, 2, s->m, s->u);
  *values = mlpli_xreshaped(e, mlpli_xpart(e, t, -1, at, s->k), 1, 2, 1, s->k);
  *vh = mlpli_xreshaped(
      e, mlpli_xpart(e, t, -1, at + s->k, s->v * s->n), 1, 2, s->v, s->n);
}

static mlpl_tensor *skew(mlpli_expr *e, mlpl_tensor *x) {
  return mlpli_xsub(e, x, mlpli_xtransposed(e, x));
}

/*
** With E_ij = s_j^2 - s_i^2, skew(X) = X - X^T, V = Vh^T:
**   gA = U [skew(U^T gU) / E S + S skew(V^T gV) / E + diag(gs)] Vh
**      + (I - U U^T) gU S^-1 Vh + U S^-1 gVh (I - V V^T)
** where equal values (in E) and zeros (in S^-1) give NaN: their vectors are not determined.
** S^-1 is not needed where only the other side's vectors have a gradient.
** Source: Townsend, Differentiating the singular value decomposition (2016).
*/
static BACKWARD(svd_factors) {
  mlpli_expr e = {.cx = cx};
  int ndim;
  const int64_t *shape;
  mlpli_input_shape(n, 0, &ndim, &shape);
  svd_sizes z = sizes_of(shape + ndim - 2, n->p[0].i != 0);
  mlpl_tensor *u, *s, *vh, *gu, *gs, *gvh;
  svd_apart(&e, mlpli_xout(&e, n), &z, &u, &s, &vh);
  svd_apart(&e, g, &z, &gu, &gs, &gvh);
  mlpl_tensor *st = mlpli_xtransposed(&e, s);
  /* (s_j - s_i)(s_j + s_i): exact where they are close */
  mlpl_tensor *f = mlpli_xinverse_or_nan(
      &e, mlpli_xmul(&e, mlpli_xsub(&e, s, st), mlpli_xadd(&e, s, st)), true, NULL, NULL);
  mlpl_tensor *ugu = mlpli_xproduct(&e, u, gu, 1, 0),
              *vgv = mlpli_xproduct(&e, vh, gvh, 0, 1);
  mlpl_tensor *from_u = mlpli_xmul(&e, mlpli_xmul(&e, skew(&e, ugu), f), s),
              *from_v = mlpli_xmul(&e, mlpli_xmul(&e, skew(&e, vgv), f), st);
  mlpl_tensor *inner = mlpli_xadd(&e, mlpli_xadd(&e, from_u, from_v),
      mlpli_xmul(&e, gs, mlpli_xidentity(&e, n->dtype, z.k)));
  mlpl_tensor *left = mlpli_xproduct(&e, u, inner, 0, 0);
  if (z.m > z.k) { /* what of gU lies outside U */
    mlpl_tensor *beside = mlpli_xsub(&e, gu, mlpli_xproduct(&e, u, ugu, 0, 0));
    mlpl_tensor *inverse = mlpli_xinverse_or_nan(&e, s, false, gu, gvh);
    left = mlpli_xadd(&e, left, mlpli_xmul(&e, beside, inverse));
  }
  mlpl_tensor *ga = mlpli_xproduct(&e, left, vh, 0, 0);
  if (z.n > z.k) {
    mlpl_tensor *beside = mlpli_xsub(&e, gvh, mlpli_xproduct(&e, vgv, vh, 1, 0));
    mlpl_tensor *inverse = mlpli_xinverse_or_nan(&e, s, false, gvh, gu);
    mlpl_tensor *scaled = mlpli_xmul(&e, u, inverse);
    ga = mlpli_xadd(&e, ga, mlpli_xproduct(&e, scaled, beside, 0, 0));
  }
  mlpli_xgive(&e, n, 0, ga);
  return mlpli_expr_end(&e);
}

static mlpl_value *svd_options(mlpl_value *p, bool full) {
  memset(p, 0, 2 * sizeof *p);
  p[0].i = full;
  p[1].i = MOST_SWEEPS;
  return p;
}

static COMPOSE(svd) {
  mlpli_expr e = {.cx = cx};
  mlpl_value p[2];
  mlpl_tensor *a = c->in[0], *u, *s, *vh;
  char text[MLPLI_SHAPE_TEXT];
  MLPL_TRY(mlpli_check_matrix(cx, "svd", "input", a));
  svd_sizes z = sizes_of(a->shape + a->ndim - 2, c->p[0].i != 0);
  if (c->p[0].i && z.m != z.n && mlpli_is_tracked(cx, c))
    return mlpl_fail(cx, MLPL_EARG,
        "svd: has no gradient here: the matrix is %s and full_matrices is true; set it "
        "to false (or use x:detach())",
        mlpli_tensor_text(text, a));
  mlpl_tensor *all = mlpli_x1(
      &e, MLPLI_OP_SVD_FACTORS, a, svd_options(p, c->p[0].i && z.m != z.n));
  svd_apart(&e, all, &z, &u, &s, &vh);
  if (mlpli_is_tracked(cx, c)) s = mlpli_xvalues_of(&e, a, u, s, vh, false);
  s = mlpli_xreshaped(&e, s, 2, 1, z.k, 0);
  if (e.status == MLPL_OK) out[1] = mlpli_retain(s), out[2] = mlpli_retain(vh);
  return mlpli_xresult(&e, out, u);
}

static mlpl_tensor *singular_values(mlpli_expr *e, mlpl_tensor *a, bool tracked) {
  mlpl_value p[2];
  mlpl_tensor *u, *s, *vh;
  svd_sizes z = sizes_of(a->shape + a->ndim - 2, false);
  svd_options(p, false);
  if (!tracked) return mlpli_x1(e, MLPLI_OP_SVD_VALUES, a, p);
  svd_apart(e, mlpli_x1(e, MLPLI_OP_SVD_FACTORS, a, p), &z, &u, &s, &vh);
  s = mlpli_xvalues_of(e, a, u, s, vh, false);
  return mlpli_xreshaped(e, s, 2, 1, z.k, 0);
}

static COMPOSE(svdvals) {
  mlpli_expr e = {.cx = cx};
  MLPL_TRY(mlpli_check_matrix(cx, "svdvals", "input", c->in[0]));
  return mlpli_xresult(&e, out, singular_values(&e, c->in[0], mlpli_is_tracked(cx, c)));
}

/* ---- pinv -------------------------------------------------------------------------- */

/* Singular values up to this count as 0: the larger of atol and rtol times the largest. */
static double cut_of(
    const mlpl_tensor *a, const mlpl_value *p, const char *values, int64_t k) {
  const double atol = p[0].f, rtol = p[1].f;
  double part = rtol < 0 && atol > 0
      ? 0
      : mlpli_tolerance(a->dtype, mlpli_rows(a), mlpli_cols(a), rtol);
  return fmax(atol, k ? part * mlpli_load(values, a->dtype) : 0);
}

static SHAPE(pinv) {
  MLPL_TRY(mlpli_check_matrix(cx, "pinv", "input", c->in[0]));
  mlpli_stack_shape(s, c->in[0], 2, mlpli_cols(c->in[0]), mlpli_rows(c->in[0]));
  return MLPL_OK;
}

/* The factors of a stack, unpacked by hand: one matrix of the packed tensor. */
typedef struct factors {
  mlpli_matrix u, vh;
  char *values;
} factors;

static factors factors_at(const mlpl_tensor *all, const svd_sizes *s, int64_t i) {
  const int64_t bytes = mlpli_dtype_size[all->dtype];
  char *at = all->data + i * packed(s) * bytes, *values = at + s->m * s->u * bytes;
  return (factors){
      {at, s->m, s->u, s->u, 1}, {values + s->k * bytes, s->v, s->n, s->n, 1}, values};
}

static mlpl_status factorise(mlpl_ctx *cx, mlpl_tensor *a, mlpl_tensor **all) {
  mlpl_value p[2];
  bool was = mlpl_set_grad_enabled(cx, false);
  mlpl_status status = mlpli_apply(
      cx, all, MLPLI_OP_SVD_FACTORS, &a, 1, svd_options(p, false));
  mlpl_set_grad_enabled(cx, was);
  return status;
}

/* Row j of m divided by value j, or 0 where that is cut off (NaN stays). */
static void divide_rows(int dtype, mlpli_matrix m, const char *values, double cut) {
  for (int64_t j = 0; j < m.rows; j++) {
    const double s = mlpli_load(values + j * mlpli_dtype_size[dtype], dtype);
    for (int64_t x = 0; x < m.cols; x++) {
      void *at = mlpli_elem(m, dtype, j, x);
      mlpli_store(at, dtype, s <= cut ? 0 : mlpli_load(at, dtype) / s);
    }
  }
}

/* V S^-1 U^T */
static FORWARD(pinv) {
  mlpl_tensor *a = c->in[0], *all;
  svd_sizes s = sizes_of(a->shape + a->ndim - 2, false);
  const int64_t stacked = mlpli_stacked(a, 2);
  MLPL_TRY(factorise(cx, a, &all));
  mlpl_status status = MLPL_OK;
  for (int64_t i = 0; i < stacked && status == MLPL_OK; i++) {
    factors f = factors_at(all, &s, i);
    divide_rows(a->dtype, f.vh, f.values, cut_of(a, c->p, f.values, s.k));
    status = mlpli_product(cx, a->dtype, mlpli_transposed(f.vh), mlpli_transposed(f.u), 0,
        mlpli_matrix_at(*out, i), NULL, MLPLK_ACT_NONE);
  }
  mlpl_tensor_release(all);
  return status;
}

/* For constant rank: dP = -P dA P + P P^T dA^T (I - A P) + (I - P A) dA^T P^T P.
   Source: Golub, Pereyra (1973). */
mlpl_tensor *mlpli_xpinv_grad(
    mlpli_expr *e, mlpl_tensor *a, mlpl_tensor *p, mlpl_tensor *g) {
  mlpl_tensor *first = mlpli_xproduct(e, mlpli_xproduct(e, p, g, 1, 0), p, 0, 1);
  /* (I - A P) g^T P P^T */
  mlpl_tensor *x = mlpli_xproduct(e, mlpli_xproduct(e, g, p, 1, 0), p, 0, 1);
  mlpl_tensor *second = mlpli_xsub(
      e, x, mlpli_xproduct(e, a, mlpli_xproduct(e, p, x, 0, 0), 0, 0));
  /* P^T P g^T (I - P A) */
  mlpl_tensor *y = mlpli_xproduct(e, p, mlpli_xproduct(e, p, g, 0, 1), 1, 0);
  mlpl_tensor *third = mlpli_xsub(
      e, y, mlpli_xproduct(e, mlpli_xproduct(e, y, p, 0, 0), a, 0, 0));
  return mlpli_xsub(e, mlpli_xadd(e, second, third), first);
}

static BACKWARD(pinv) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(&e, n, 0, mlpli_xpinv_grad(&e, n->in[0], mlpli_xout(&e, n), g));
  return mlpli_expr_end(&e);
}

/* ---- lstsq: X [n x r], then the k singular values, side by side in one axis ---------- */

static SHAPE(lstsq_factors) {
  const mlpl_tensor *a = c->in[0];
  (void)cx;
  mlpli_stack_shape(
      s, a, 1, mlpli_cols(a) * mlpli_cols(c->in[1]) + mlpli_smaller_side(a), 0);
  return MLPL_OK;
}

/* V S^-1 (U^T B): the shortest of the solutions */
static FORWARD(lstsq_factors) {
  mlpl_tensor *a = c->in[0], *all, *middle;
  svd_sizes s = sizes_of(a->shape + a->ndim - 2, false);
  const int64_t r = mlpli_cols(c->in[1]), stacked = mlpli_stacked(a, 2),
                bytes = mlpli_dtype_size[a->dtype];
  const mlpl_value cut[2] = {{.f = 0}, {.f = c->p[0].f}};
  MLPL_TRY(factorise(cx, a, &all));
  mlpl_status status = mlpli_tensor_make(cx, &middle, a->dtype, 2, (int64_t[]){s.k, r});
  for (int64_t i = 0; i < stacked && status == MLPL_OK; i++) {
    factors f = factors_at(all, &s, i);
    char *to = (*out)->data + i * (s.n * r + s.k) * bytes;
    mlpli_matrix x = {to, s.n, r, r, 1}, w = mlpli_matrix_of(middle);
    status = mlpli_product(cx, a->dtype, mlpli_transposed(f.u),
        mlpli_matrix_at(c->in[1], i), 0, w, NULL, MLPLK_ACT_NONE);
    if (status != MLPL_OK) break;
    divide_rows(a->dtype, w, f.values, cut_of(a, cut, f.values, s.k));
    status = mlpli_product(
        cx, a->dtype, mlpli_transposed(f.vh), w, 0, x, NULL, MLPLK_ACT_NONE);
    memcpy(to + s.n * r * bytes, f.values, (size_t)(s.k * bytes));
  }
  mlpl_tensor_release(middle);
  mlpl_tensor_release(all);
  return status;
}

/* X = pinv(A) B; the singular values have no gradient here. */
static BACKWARD(lstsq_factors) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *a = n->in[0], *b = n->in[1];
  const int64_t size = mlpli_cols(a), r = mlpli_cols(b);
  const mlpl_value cut[2] = {{.f = 0}, {.f = n->p[0].f}};
  mlpl_tensor *gx = mlpli_xreshaped(
      &e, mlpli_xpart(&e, g, -1, 0, size * r), 1, 2, size, r);
  mlpl_tensor *p = mlpli_x1(&e, MLPLI_OP_PINV, a, cut);
  if (mlpli_wants(n, 1)) mlpli_xgive(&e, n, 1, mlpli_xproduct(&e, p, gx, 1, 0));
  if (mlpli_wants(n, 0))
    mlpli_xgive(&e, n, 0, mlpli_xpinv_grad(&e, a, p, mlpli_xproduct(&e, gx, b, 0, 1)));
  return mlpli_expr_end(&e);
}

/* How many values of each row [... k] of a contiguous tensor are above the cut. */
static void count_rank(const mlpl_tensor *a, const mlpl_value *p,
    const mlpl_tensor *values, mlpl_tensor *rank) {
  const int64_t k = values->shape[values->ndim - 1], bytes = mlpli_dtype_size[a->dtype];
  for (int64_t i = 0; i < rank->numel; i++) {
    const char *at = values->data + i * k * bytes;
    const double cut = cut_of(a, p, at, k);
    int64_t n = 0;
    for (int64_t j = 0; j < k; j++) n += mlpli_load(at + j * bytes, a->dtype) > cut;
    ((int64_t *)(void *)rank->data)[i] = n;
  }
}

static mlpl_status rank_of(mlpl_ctx *cx, const mlpl_tensor *a, const mlpl_value *p,
    const mlpl_tensor *values, mlpl_tensor **rank) {
  MLPL_TRY(mlpli_tensor_make(cx, rank, MLPL_I64, a->ndim - 2, a->shape));
  count_rank(a, p, values, *rank);
  return MLPL_OK;
}

static mlpl_status check_rows(
    mlpl_ctx *cx, const mlpl_tensor *a, const mlpl_tensor *b, bool vectors) {
  char s1[MLPLI_SHAPE_TEXT], s2[MLPLI_SHAPE_TEXT];
  MLPL_TRY(mlpli_check_matrix(cx, "lstsq", "a", a));
  if (b->ndim > 0 && (vectors || b->ndim > 1) &&
      (vectors ? b->shape[b->ndim - 1] : mlpli_rows(b)) == mlpli_rows(a))
    return MLPL_OK;
  return mlpl_fail(cx, MLPL_ESHAPE,
      "lstsq: a is %s, b is %s; b must have as many rows as a", mlpli_tensor_text(s1, a),
      mlpli_tensor_text(s2, b));
}

/* |A X - B|^2 of every column where A is tall and of full rank, else nothing. */
static mlpl_tensor *residuals(mlpli_expr *e, mlpl_tensor *a, mlpl_tensor *b,
    mlpl_tensor *x, const mlpl_tensor *rank) {
  bool full = mlpli_rows(a) > mlpli_cols(a);
  for (int64_t i = 0; i < rank->numel; i++)
    full = full && ((int64_t *)(void *)rank->data)[i] == mlpli_cols(a);
  if (!full) {
    mlpl_tensor *none = NULL;
    e->status = mlpl_tensor_new(e->cx, &none, (mlpl_dtype)a->dtype, 1, (int64_t[]){0});
    return mlpli_xkeep(e, none);
  }
  mlpl_tensor *d = mlpli_xsub(e, mlpli_xproduct(e, a, x, 0, 0), b);
  return mlpli_x1(
      e, MLPLI_OP_SUM, mlpli_xmul(e, d, d), (mlpl_value[]){{.i = -2}, {.i = 0}});
}

static COMPOSE(lstsq) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *a = c->in[0], *b = c->in[1], *rank = NULL, *values = NULL, *some = NULL;
  const bool vectors = mlpli_is_vectors(a, b);
  const mlpl_value cut[2] = {{.f = 0}, {.f = c->p[0].f}};
  MLPL_TRY(check_rows(cx, a, b, vectors));
  if (vectors) b = mlpli_xreshaped(&e, b, 0, 1, 1, 0);
  mlpli_xstacks(&e, "lstsq", &a, &b);
  if (e.status != MLPL_OK) return mlpli_expr_end(&e);
  const int64_t n = mlpli_cols(a), r = mlpli_cols(b), k = smaller(mlpli_rows(a), n);
  mlpl_tensor *all = mlpli_x2(&e, MLPLI_OP_LSTSQ_FACTORS, a, b, c->p);
  mlpl_tensor *x = mlpli_xreshaped(&e, mlpli_xpart(&e, all, -1, 0, n * r), 1, 2, n, r);
  bool was = mlpl_set_grad_enabled(cx, false);
  mlpl_tensor *part = mlpli_xpart(&e, all, -1, n * r, k);
  if (e.status == MLPL_OK) e.status = mlpl_tensor_clone(cx, &values, part);
  mlpl_set_grad_enabled(cx, was);
  mlpli_xkeep(&e, values);
  if (e.status == MLPL_OK) e.status = rank_of(cx, a, cut, values, &rank);
  mlpli_xkeep(&e, rank);
  if (e.status == MLPL_OK) some = residuals(&e, a, b, x, rank);
  if (vectors) x = mlpli_xreshaped(&e, x, 2, 1, n, 0);
  if (e.status == MLPL_OK) {
    out[1] = mlpli_retain(some);
    out[2] = mlpli_retain(rank);
    out[3] = mlpli_retain(values);
  }
  return mlpli_xresult(&e, out, x);
}

/* ---- matrix_rank ------------------------------------------------------------------- */

static SHAPE(matrix_rank) {
  MLPL_TRY(mlpli_check_matrix(cx, "matrix_rank", "input", c->in[0]));
  mlpli_stack_shape(s, c->in[0], 0, 0, 0);
  return MLPL_OK;
}

static FORWARD(matrix_rank) {
  mlpl_value p[2];
  mlpl_tensor *values;
  MLPL_TRY(
      mlpli_apply(cx, &values, MLPLI_OP_SVD_VALUES, c->in, 1, svd_options(p, false)));
  count_rank(c->in[0], c->p, values, *out);
  mlpl_tensor_release(values);
  return MLPL_OK;
}

/* ---- rows -------------------------------------------------------------------------- */

static const mlpl_param svd_params[] = {MLPLI_BOOL_OPTION("full_matrices", 1)};
static const mlpl_param factor_params[] = {MLPLI_BOOL_OPTION("full_matrices", 0),
    MLPLI_INT_OPTION("sweeps", MOST_SWEEPS, 0, 1000)};
/* rtol, rcond -1: eps max(m, n), or 0 where atol is given */
static const mlpl_param cut_params[] = {MLPLI_REAL_OPTION("atol", 0, 0, INFINITY),
    MLPLI_REAL_OPTION("rtol", -1, -1, INFINITY)};
static const mlpl_param lstsq_params[] = {MLPLI_REAL_OPTION("rcond", -1, -1, INFINITY)};

const mlpl_op mlpli_op_svd_factors = {LINALG_ROW(svd_factors, MLPLI_REGULAR),
    .saves = MLPLI_SAVE_OUT, .shape = shape_svd_factors, .forward = svd_factors_forward,
    HAS_BACKWARD(svd_factors), PARAMS(factor_params), .internal = true,
    .refuses_late = true};
const mlpl_op mlpli_op_svd_values = {LINALG_ROW(svd_values, MLPLI_REGULAR),
    .shape = shape_svd_values, .forward = svd_values_forward, PARAMS(factor_params),
    .internal = true, .refuses_late = true};
const mlpl_op mlpli_op_svd = {
    LINALG_RESULTS(svd, MLPLI_REGULAR, 3), .compose = svd_compose, PARAMS(svd_params)};
const mlpl_op mlpli_op_svdvals = {
    LINALG_ROW(svdvals, MLPLI_REGULAR), .compose = svdvals_compose};
const mlpl_op mlpli_op_pinv = {LINALG_ROW(pinv, MLPLI_REGULAR),
    .saves = 1 | MLPLI_SAVE_OUT, .shape = shape_pinv, .forward = pinv_forward,
    HAS_BACKWARD(pinv), PARAMS(cut_params), .refuses_late = true};
const mlpl_op mlpli_op_lstsq_factors = {LINALG_PAIR(lstsq_factors, MLPLI_REGULAR),
    .saves = 3, .shape = shape_lstsq_factors, .forward = lstsq_factors_forward,
    HAS_BACKWARD(lstsq_factors), PARAMS(lstsq_params), .internal = true,
    .refuses_late = true};
const mlpl_op mlpli_op_lstsq = {.name = "lstsq",
    .group = "linalg",
    .input_name = {"a", "b"},
    .domain = {MLPLI_REGULAR, MLPLI_REAL},
    .n_inputs = 2,
    .n_required = 2,
    .n_outputs = 4,
    .differentiable = 3,
    .compose = lstsq_compose,
    PARAMS(lstsq_params)};
const mlpl_op mlpli_op_matrix_rank = {.name = "matrix_rank",
    .group = "linalg",
    .input_name = {"input"},
    .domain = {MLPLI_REGULAR},
    .n_inputs = 1,
    .n_required = 1,
    .n_outputs = 1,
    .gives_index = true,
    .shape = shape_matrix_rank,
    .forward = matrix_rank_forward,
    PARAMS(cut_params),
    .refuses_late = true};
