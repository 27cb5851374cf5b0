/* Products composed of those in matmul.c: sums with products of vectors and of stacks,
   Kronecker's and the cross product, and matrices of blocks. */
#include "grad/grad.h"
#include "ops/rows.h"
#include "ops/shape.h"

#include <string.h>

/* ---- beta input + alpha product ---------------------------------------------------- */

/* With beta 0 the input is not read, so NaN in it does not matter. */
static mlpl_tensor *add_product(mlpli_expr *e, const mlpli_call *c, mlpl_tensor *product) {
  const double beta = c->p[0].f, alpha = c->p[1].f;
  mlpl_tensor *x = c->in[0];
  char a[MLPLI_SHAPE_TEXT], b[MLPLI_SHAPE_TEXT];
  if (!product) return NULL;
  bool fits = x->ndim <= product->ndim;
  for (int d = 1; fits && d <= x->ndim; d++) {
    const int64_t size = x->shape[x->ndim - d];
    fits = size == 1 || size == product->shape[product->ndim - d];
  }
  if (!fits) {
    e->status = mlpl_fail(e->cx, MLPL_ESHAPE,
        "%s: input is %s; it must broadcast to the product, which is %s", c->op->name,
        mlpli_tensor_text(a, x), mlpli_tensor_text(b, product));
    return NULL;
  }
  if (alpha != 1) product = mlpli_xaffine(e, product, alpha, 0);
  if (beta == 0 && !(e->cx->grad_enabled && mlpli_tracked(x))) return product;
  if (beta == 0) /* 0 whatever x is, and still a function of x */
    return mlpli_xadd(
        e, mlpli_xgate(e, MLPLK_GATE_ABOVE, x, mlpli_xnumber(e, x, 0), 0), product);
  return mlpli_xadd(e, beta == 1 ? x : mlpli_xaffine(e, x, beta, 0), product);
}

static mlpl_status wrong_factors(mlpl_ctx *cx, const mlpli_call *c, const char *rule) {
  char a[MLPLI_SHAPE_TEXT], b[MLPLI_SHAPE_TEXT];
  return mlpl_fail(cx, MLPL_ESHAPE, "%s: a is %s, b is %s; %s", c->op->name,
      mlpli_tensor_text(a, c->in[1]), mlpli_tensor_text(b, c->in[2]), rule);
}

static COMPOSE(addmv) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *a = c->in[1], *b = c->in[2];
  if (a->ndim != 2 || b->ndim != 1 || a->shape[1] != b->shape[0])
    return wrong_factors(cx, c, "they must be [n x k] and [k]");
  return mlpli_xresult(
      &e, out, add_product(&e, c, mlpli_x2(&e, MLPLI_OP_MV, a, b, NULL)));
}

static COMPOSE(addr) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *a = c->in[1], *b = c->in[2];
  if (a->ndim != 1 || b->ndim != 1)
    return wrong_factors(cx, c, "both must have one axis");
  return mlpli_xresult(
      &e, out, add_product(&e, c, mlpli_x2(&e, MLPLI_OP_OUTER, a, b, NULL)));
}

/* The products of a stack, added up: one product of the stack's matrices side by side. */
static COMPOSE(addbmm) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *a = c->in[1], *b = c->in[2];
  if (a->ndim != 3 || b->ndim != 3 || a->shape[0] != b->shape[0] ||
      a->shape[2] != b->shape[1])
    return wrong_factors(cx, c, "they must be [b x n x k] and [b x k x m]");
  const int64_t stack = a->shape[0], n = a->shape[1], k = a->shape[2], m = b->shape[2];
  const mlpl_value swap[2] = {{.i = 0}, {.i = 1}},
                   wide = mlpli_sizes_of(2, (int64_t[]){n, stack * k}),
                   tall = mlpli_sizes_of(2, (int64_t[]){stack * k, m});
  mlpl_tensor *left = mlpli_x1(
      &e, MLPLI_OP_RESHAPE, mlpli_x1(&e, MLPLI_OP_TRANSPOSE, a, swap), &wide);
  mlpl_tensor *right = mlpli_x1(&e, MLPLI_OP_RESHAPE, b, &tall);
  return mlpli_xresult(
      &e, out, add_product(&e, c, mlpli_x2(&e, MLPLI_OP_MM, left, right, NULL)));
}

/* ---- kron, cross ------------------------------------------------------------------- */

/* Axes of a and b in turn, [a1, 1, a2, 1, ..] times [1, b1, 1, b2, ..], then in pairs. */
static COMPOSE(kron) {
  mlpli_expr e = {.cx = cx};
  const int n = c->in[0]->ndim > c->in[1]->ndim ? c->in[0]->ndim : c->in[1]->ndim;
  mlpl_value sizes = {.sizes = {.n = n}};
  mlpl_tensor *part[2];
  char a[MLPLI_SHAPE_TEXT], b[MLPLI_SHAPE_TEXT];
  if (2 * n > MLPL_MAX_RANK)
    return mlpl_fail(cx, MLPL_ESHAPE, "kron: a is %s, b is %s; it takes at most %d axes",
        mlpli_tensor_text(a, c->in[0]), mlpli_tensor_text(b, c->in[1]),
        MLPL_MAX_RANK / 2);
  for (int d = 0; d < n; d++) sizes.sizes.v[d] = 1;
  for (int i = 0; i < 2; i++) {
    const mlpl_tensor *t = c->in[i];
    mlpl_value wide = {.sizes = {.n = 2 * n}};
    for (int d = 0; d < n; d++) {
      const int own = d - n + t->ndim;
      const int64_t size = own < 0 ? 1 : t->shape[own];
      wide.sizes.v[2 * d + i] = size;
      wide.sizes.v[2 * d + 1 - i] = 1;
      sizes.sizes.v[d] *= size;
    }
    part[i] = mlpli_x1(&e, MLPLI_OP_RESHAPE, c->in[i], &wide);
  }
  mlpl_tensor *y = mlpli_xmul(&e, part[0], part[1]);
  return mlpli_xresult(&e, out, y ? mlpli_x1(&e, MLPLI_OP_RESHAPE, y, &sizes) : NULL);
}

/* (a x b)_i = a_{i+1} b_{i+2} - a_{i+2} b_{i+1} */
static COMPOSE(cross) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *a = c->in[0], *b = c->in[1];
  char ta[MLPLI_SHAPE_TEXT], tb[MLPLI_SHAPE_TEXT];
  int axis;
  MLPL_TRY(mlpli_axis(cx, "cross", c->p[0].i, a->ndim, &axis));
  if (a->ndim != b->ndim || a->shape[axis] != 3 || b->shape[axis] != 3)
    return mlpl_fail(cx, MLPL_ESHAPE,
        "cross: a is %s, b is %s; both must have size 3 along axis %d, and as many axes",
        mlpli_tensor_text(ta, a), mlpli_tensor_text(tb, b), axis + cx->index_base);
  mlpli_shape s;
  MLPL_TRY(mlpli_broadcast(cx, "cross", a, b, &s));
  mlpl_value up[2], down[2];
  for (int i = 0; i < 2; i++) {
    up[i] = mlpli_sizes_of(1, (int64_t[]){i ? axis : -1});
    down[i] = mlpli_sizes_of(1, (int64_t[]){i ? axis : -2});
  }
  mlpl_tensor *a1 = mlpli_x1(&e, MLPLI_OP_ROLL, a, up),
              *a2 = mlpli_x1(&e, MLPLI_OP_ROLL, a, down),
              *b1 = mlpli_x1(&e, MLPLI_OP_ROLL, b, up),
              *b2 = mlpli_x1(&e, MLPLI_OP_ROLL, b, down);
  return mlpli_xresult(
      &e, out, mlpli_xsub(&e, mlpli_xmul(&e, a1, b2), mlpli_xmul(&e, a2, b1)));
}

/* ---- block_diag, cartesian_prod ---------------------------------------------------- */

/* Row i of blocks: the block between zeros. */
static mlpl_status padded_block(mlpl_ctx *cx, mlpl_tensor *x, int64_t before,
    int64_t behind, mlpl_tensor **out) {
  mlpli_expr e = {.cx = cx};
  const int64_t rows = x->ndim == 2 ? x->shape[0] : 1,
                cols = x->ndim ? x->shape[x->ndim - 1] : 1;
  mlpl_value sizes = mlpli_sizes_of(2, (int64_t[]){rows, cols}),
             pad[2] = {mlpli_sizes_of(2, (int64_t[]){before, behind}), {.f = 0}};
  mlpl_tensor *block = mlpli_x1(&e, MLPLI_OP_RESHAPE, x, &sizes);
  return mlpli_xresult(&e, out, mlpli_x1(&e, MLPLI_OP_PAD_CONSTANT, block, pad));
}

static COMPOSE(block_diag) {
  mlpl_tensor **row;
  int64_t all = 0, before = 0;
  char text[MLPLI_SHAPE_TEXT], name[MLPLI_INPUT_TEXT];
  int n = 0;
  for (int i = 0; i < c->n; i++) {
    const mlpl_tensor *x = c->in[i];
    if (x->ndim > 2)
      return mlpl_fail(cx, MLPL_ESHAPE, "block_diag: %s is %s; a block has at most two axes",
          mlpli_input_text(name, cx, c->op, i), mlpli_tensor_text(text, x));
    all += x->ndim ? x->shape[x->ndim - 1] : 1;
  }
  MLPL_TRY(mlpli_new(cx, &row, (size_t)c->n * sizeof *row, "block_diag"));
  mlpl_status status = MLPL_OK;
  for (; n < c->n && status == MLPL_OK; n++) {
    const mlpl_tensor *x = c->in[n];
    const int64_t cols = x->ndim ? x->shape[x->ndim - 1] : 1;
    row[n] = NULL;
    status = padded_block(cx, c->in[n], before, all - before - cols, &row[n]);
    before += cols;
  }
  if (status == MLPL_OK)
    status = mlpli_apply(cx, out, MLPLI_OP_CAT, row, n, &(mlpl_value){.i = 0});
  while (n--) mlpl_tensor_release(row[n]);
  mlpli_free(cx->heap, row);
  return status;
}

/* Each tensor stretched over the grid of all, as one column. */
static mlpl_status column_of_grid(
    mlpl_ctx *cx, const mlpli_call *c, int i, const mlpl_value *grid, mlpl_tensor **out) {
  mlpli_expr e = {.cx = cx};
  mlpl_value own = {.sizes = {.n = c->n}};
  for (int d = 0; d < c->n; d++) own.sizes.v[d] = d == i ? grid->sizes.v[d] : 1;
  mlpl_tensor *wide = mlpli_x1(&e, MLPLI_OP_RESHAPE, c->in[i], &own);
  wide = mlpli_x1(&e, MLPLI_OP_EXPAND, wide, grid);
  return mlpli_xresult(&e, out, mlpli_x1(&e, MLPLI_OP_RAVEL, wide, NULL));
}

static COMPOSE(cartesian_prod) {
  mlpl_tensor *column[MLPL_MAX_RANK] = {NULL};
  mlpl_value grid = {.sizes = {.n = c->n}};
  char text[MLPLI_SHAPE_TEXT], name[MLPLI_INPUT_TEXT];
  if (c->n > MLPL_MAX_RANK)
    return mlpl_fail(cx, MLPL_EARG, "cartesian_prod: %d tensors; it takes at most %d", c->n,
        MLPL_MAX_RANK);
  for (int i = 0; i < c->n; i++) {
    if (c->in[i]->ndim != 1)
      return mlpl_fail(cx, MLPL_ESHAPE, "cartesian_prod: %s is %s; it must have one axis",
          mlpli_input_text(name, cx, c->op, i), mlpli_tensor_text(text, c->in[i]));
    grid.sizes.v[i] = c->in[i]->numel;
  }
  if (c->n == 1) return mlpli_apply(cx, out, MLPLI_OP_CLONE, c->in, 1, NULL);
  mlpl_status status = MLPL_OK;
  for (int i = 0; i < c->n && status == MLPL_OK; i++)
    status = column_of_grid(cx, c, i, &grid, &column[i]);
  if (status == MLPL_OK)
    status = mlpli_apply(cx, out, MLPLI_OP_STACK, column, c->n, &(mlpl_value){.i = 1});
  for (int i = 0; i < c->n; i++) mlpl_tensor_release(column[i]);
  return status;
}

/* ---- rows -------------------------------------------------------------------------- */

static const mlpl_param scale_params[] = {
    MLPLI_REAL_OPTION("beta", 1, -INFINITY, INFINITY),
    MLPLI_REAL_OPTION("alpha", 1, -INFINITY, INFINITY)};
static const mlpl_param cross_params[] = {MLPLI_AXIS_OPTION("dim", -1)};

#define ADD_ROW(f)                                                                       \
  .name = #f, .input_name = {"input", "a", "b"},                                         \
  .domain = {MLPLI_REAL, MLPLI_REAL, MLPLI_REAL}, .n_inputs = 3, .n_required = 3,        \
  .n_outputs = 1, .differentiable = 7, .underscored = true, .compose = f##_compose,      \
  PARAMS(scale_params)
#define PAIR_ROW(f, first, second)                                                       \
  .name = #f, .input_name = {first, second}, .domain = {MLPLI_REAL, MLPLI_REAL},         \
  .n_inputs = 2, .n_required = 2, .n_outputs = 1, .differentiable = 3,                   \
  .compose = f##_compose
#define LIST_ROW(f)                                                                      \
  .name = #f, .input_name = {"tensor"}, .domain = {MLPLI_REAL}, .n_inputs = 1,           \
  .n_required = 1, .n_outputs = 1, .differentiable = 1, .list = MLPLI_LIST,              \
  .computes = MLPLI_NUMBERS | MLPLI_TRUTH, .compose = f##_compose

const mlpl_op mlpli_op_addmv = {ADD_ROW(addmv)};
const mlpl_op mlpli_op_addr = {ADD_ROW(addr)};
const mlpl_op mlpli_op_addbmm = {ADD_ROW(addbmm)};
const mlpl_op mlpli_op_kron = {
    PAIR_ROW(kron, "a", "b"), .computes = MLPLI_NUMBERS | MLPLI_TRUTH};
const mlpl_op mlpli_op_cross = {
    PAIR_ROW(cross, "a", "b"), .computes = MLPLI_NUMBERS, PARAMS(cross_params)};
const mlpl_op mlpli_op_block_diag = {LIST_ROW(block_diag)};
const mlpl_op mlpli_op_cartesian_prod = {LIST_ROW(cartesian_prod)};
