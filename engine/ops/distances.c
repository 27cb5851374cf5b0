/* Distances between rows and vectors, and vectors of length one; composed of differences,
   products and norms. */
#include "grad/grad.h"
#include "ops/rows.h"
#include "ops/shape.h"

/* ---- cdist ------------------------------------------------------------------------- */

#define FEW 25 /* rows up to which differences are as fast as a product, and exact */

/* |a - b|^2 = |a|^2 + |b|^2 - 2 a b, its root with gradient 0 where it is 0. */
static mlpl_tensor *by_product(mlpli_expr *e, mlpl_tensor *a, mlpl_tensor *b) {
  const mlpl_value last[2] = {{.i = -1}, {.i = 1}}, turn[2] = {{.i = -2}, {.i = -1}},
                   none = {.f = 0}, one = {.f = 1};
  mlpl_tensor *a2 = mlpli_x1(
                  e, MLPLI_OP_SUM, mlpli_x1(e, MLPLI_OP_SQUARE, a, NULL), last),
              *b2 = mlpli_x1(
                  e, MLPLI_OP_SUM, mlpli_x1(e, MLPLI_OP_SQUARE, b, NULL), last);
  mlpl_tensor *ab = mlpli_x2(
      e, MLPLI_OP_MATMUL, a, mlpli_x1(e, MLPLI_OP_TRANSPOSE, b, turn), NULL);
  mlpl_tensor *square = mlpli_xadd(e,
      mlpli_xadd(e, a2, mlpli_x1(e, MLPLI_OP_TRANSPOSE, b2, turn)),
      mlpli_xaffine(e, ab, -2, 0));
  const bool was = mlpl_set_grad_enabled(e->cx, false);
  mlpl_tensor *same = mlpli_x2(e, MLPLI_OP_LE, square, mlpli_xnumber(e, a, 0), NULL);
  mlpl_set_grad_enabled(e->cx, was);
  mlpl_tensor *root = mlpli_x1(
      e, MLPLI_OP_SQRT, mlpli_x2(e, MLPLI_OP_MASKED_FILL, square, same, &one), NULL);
  return mlpli_x2(e, MLPLI_OP_MASKED_FILL, root, same, &none);
}

static mlpl_tensor *by_difference(
    mlpli_expr *e, mlpl_tensor *a, mlpl_tensor *b, const mlpl_value *p) {
  const mlpl_value before = {.i = -2}, behind = {.i = -3};
  const mlpl_value how[3] = {*p, {.i = -1}, {.i = 0}};
  mlpl_tensor *wide = mlpli_x1(e, MLPLI_OP_UNSQUEEZE, a, &before),
              *tall = mlpli_x1(e, MLPLI_OP_UNSQUEEZE, b, &behind);
  return mlpli_x1(e, MLPLI_OP_NORM, mlpli_xsub(e, wide, tall), how);
}

static COMPOSE(cdist) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *a = c->in[0], *b = c->in[1];
  char ta[MLPLI_SHAPE_TEXT], tb[MLPLI_SHAPE_TEXT];
  if (a->ndim < 2 || b->ndim < 2 || a->ndim >= MLPL_MAX_RANK ||
      b->ndim >= MLPL_MAX_RANK || a->shape[a->ndim - 1] != b->shape[b->ndim - 1])
    return mlpl_fail(cx, MLPL_ESHAPE,
        "cdist: x1 is %s, x2 is %s; they must be [rows x k] or stacks of such, with one "
        "k",
        mlpli_tensor_text(ta, a), mlpli_tensor_text(tb, b));
  mlpl_tensor lead_a = *a, lead_b = *b;
  mlpli_shape s;
  lead_a.ndim = (uint8_t)(a->ndim - 2), lead_b.ndim = (uint8_t)(b->ndim - 2);
  MLPL_TRY(mlpli_broadcast(cx, "cdist", &lead_a, &lead_b, &s));
  const bool many = a->shape[a->ndim - 2] > FEW || b->shape[b->ndim - 2] > FEW;
  return mlpli_xresult(&e, out,
      many && c->p[0].f == 2 ? by_product(&e, a, b) : by_difference(&e, a, b, c->p));
}

/* ---- pdist ------------------------------------------------------------------------- */

/* The rows of each pair, first and second, of n: i < k. */
static mlpl_status pairs_of(
    mlpl_ctx *cx, int64_t n, mlpl_tensor **first, mlpl_tensor **second) {
  const int64_t pairs = n < 2 ? 0 : n % 2 ? (n - 1) / 2 * n : n / 2 * (n - 1);
  *first = *second = NULL;
  MLPL_TRY(mlpli_tensor_make(cx, first, MLPL_I64, 1, &pairs));
  mlpl_status status = mlpli_tensor_make(cx, second, MLPL_I64, 1, &pairs);
  if (status != MLPL_OK) return status;
  int64_t *a = (void *)(*first)->data, *b = (void *)(*second)->data;
  for (int64_t i = 0; i < n; i++)
    for (int64_t k = i + 1; k < n; k++)
      *a++ = i + cx->index_base, *b++ = k + cx->index_base;
  return MLPL_OK;
}

static COMPOSE(pdist) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *x = c->in[0], *first, *second;
  const mlpl_value rows = {.i = 0}, how[3] = {c->p[0], {.i = -1}, {.i = 0}};
  char text[MLPLI_SHAPE_TEXT];
  if (x->ndim != 2)
    return mlpl_fail(cx, MLPL_ESHAPE, "pdist: input is %s; it must be [rows x k]",
        mlpli_tensor_text(text, x));
  if (x->shape[0] > INT32_MAX)
    return mlpl_fail(cx, MLPL_ESHAPE,
        "pdist: input is %s, which has too many pairs of rows",
        mlpli_tensor_text(text, x));
  e.status = pairs_of(cx, x->shape[0], &first, &second);
  mlpli_xkeep(&e, first), mlpli_xkeep(&e, second);
  if (e.status != MLPL_OK) return mlpli_expr_end(&e);
  mlpl_tensor *d = mlpli_xsub(&e, mlpli_x2(&e, MLPLI_OP_INDEX_SELECT, x, first, &rows),
      mlpli_x2(&e, MLPLI_OP_INDEX_SELECT, x, second, &rows));
  return mlpli_xresult(&e, out, mlpli_x1(&e, MLPLI_OP_NORM, d, how));
}

/* ---- dist, pairwise_distance ------------------------------------------------------- */

static COMPOSE(dist) {
  mlpli_expr e = {.cx = cx};
  const mlpl_value how[3] = {c->p[0], {.i = MLPL_NO_AXIS}, {.i = 0}};
  mlpli_shape s;
  MLPL_TRY(mlpli_broadcast_inputs(cx, c, 0, 1, &s));
  return mlpli_xresult(
      &e, out, mlpli_x1(&e, MLPLI_OP_NORM, mlpli_xsub(&e, c->in[0], c->in[1]), how));
}

/* Of the differences and eps, which keeps the gradient of equal vectors finite. */
static COMPOSE(pairwise_distance) {
  mlpli_expr e = {.cx = cx};
  const mlpl_value how[3] = {c->p[0], {.i = -1}, c->p[2]};
  mlpli_shape s;
  MLPL_TRY(mlpli_broadcast_inputs(cx, c, 0, 1, &s));
  mlpl_tensor *d = mlpli_xsub(&e, c->in[0], c->in[1]);
  return mlpli_xresult(
      &e, out, mlpli_x1(&e, MLPLI_OP_NORM, mlpli_xaffine(&e, d, 1, c->p[1].f), how));
}

/* ---- cosine_similarity, normalize -------------------------------------------------- */

/* x over its p-norms along the axis, which count as eps where they are less. */
static mlpl_tensor *of_length_one(
    mlpli_expr *e, mlpl_tensor *x, double p, int64_t axis, double eps) {
  const mlpl_value how[3] = {{.f = p}, {.i = axis}, {.i = 1}},
                   least[2] = {{.f = eps}, {.f = INFINITY}};
  mlpl_tensor *size = mlpli_x1(e, MLPLI_OP_NORM, x, how);
  return mlpli_xdiv(e, x, mlpli_x1(e, MLPLI_OP_CLAMP, size, least));
}

static COMPOSE(normalize) {
  mlpli_expr e = {.cx = cx};
  int axis;
  MLPL_TRY(mlpli_axis(cx, "normalize", c->p[1].i, c->in[0]->ndim, &axis));
  return mlpli_xresult(&e, out, of_length_one(&e, c->in[0], c->p[0].f, axis, c->p[2].f));
}

/* The cosine of the angle between vectors: the product of those of length one. */
static COMPOSE(cosine_similarity) {
  mlpli_expr e = {.cx = cx};
  mlpli_shape s;
  int axis;
  MLPL_TRY(mlpli_broadcast_inputs(cx, c, 0, 1, &s));
  MLPL_TRY(mlpli_axis(cx, "cosine_similarity", c->p[0].i, s.ndim, &axis));
  const mlpl_value wide = mlpli_sizes_of(s.ndim, s.size),
                   last[2] = {{.i = axis}, {.i = 0}};
  mlpl_tensor *unit[2];
  for (int i = 0; i < 2; i++)
    unit[i] = of_length_one(
        &e, mlpli_x1(&e, MLPLI_OP_EXPAND, c->in[i], &wide), 2, axis, c->p[1].f);
  return mlpli_xresult(
      &e, out, mlpli_x1(&e, MLPLI_OP_SUM, mlpli_xmul(&e, unit[0], unit[1]), last));
}

/* ---- rows -------------------------------------------------------------------------- */

#define POWER(standard) MLPLI_REAL_OPTION("p", standard, 0, INFINITY)
#define SMALL(standard) MLPLI_REAL_OPTION("eps", standard, 0, INFINITY)
static const mlpl_param power_params[] = {POWER(2)};
static const mlpl_param pairwise_params[] = {
    MLPLI_REAL_OPTION("p", 2, -INFINITY, INFINITY),
    MLPLI_REAL_OPTION("eps", 1e-6, -INFINITY, INFINITY), MLPLI_BOOL_OPTION("keepdim", 0)};
static const mlpl_param cosine_params[] = {MLPLI_AXIS_OPTION("dim", 1), SMALL(1e-8)};
static const mlpl_param normalize_params[] = {
    MLPLI_REAL_OPTION("p", 2, -INFINITY, INFINITY), MLPLI_AXIS_OPTION("dim", 1),
    SMALL(1e-12)};

#define PAIR_ROW(f, first, second)                                                       \
  .name = #f, .input_name = {first, second}, .domain = {MLPLI_REAL, MLPLI_REAL},         \
  .n_inputs = 2, .n_required = 2, .n_outputs = 1, .differentiable = 3,                   \
  .compose = f##_compose

const mlpl_op mlpli_op_cdist = {PAIR_ROW(cdist, "x1", "x2"), PARAMS(power_params)};
const mlpl_op mlpli_op_pdist = {COMPOSE_ROW(pdist, MLPLI_REAL), PARAMS(power_params)};
const mlpl_op mlpli_op_dist = {PAIR_ROW(dist, "input", "other"), PARAMS(power_params)};
const mlpl_op mlpli_op_pairwise_distance = {
    PAIR_ROW(pairwise_distance, "x1", "x2"), PARAMS(pairwise_params)};
const mlpl_op mlpli_op_cosine_similarity = {
    PAIR_ROW(cosine_similarity, "x1", "x2"), PARAMS(cosine_params)};
const mlpl_op mlpli_op_normalize = {
    COMPOSE_ROW(normalize, MLPLI_REAL), PARAMS(normalize_params)};
