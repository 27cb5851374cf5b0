/*
** Products of vectors, matrices and stacks of matrices. matmul takes them all; mm, mv,
** bmm and dot are matmul for operands of one rank, with errors of their own; outer and
** inner are matrix products of what they are given laid out as matrices. All take whole
** numbers, too, by plain loops.
*/
#include "ops/product.h"

#include "grad/grad.h"

#include <string.h>

/* ---- shapes ------------------------------------------------------------------------ */

static mlpl_status misfit(mlpl_ctx *cx, const mlpli_call *c, const char *rule) {
  char a[MLPLI_SHAPE_TEXT], b[MLPLI_SHAPE_TEXT];
  return mlpl_fail(cx, MLPL_ESHAPE, "%s: a is %s, b is %s; %s", c->op->name,
      mlpli_tensor_text(a, c->in[0]), mlpli_tensor_text(b, c->in[1]), rule);
}

static mlpl_status inner_sizes(mlpl_ctx *cx, const mlpli_call *c) {
  char a[MLPLI_SHAPE_TEXT], b[MLPLI_SHAPE_TEXT];
  return mlpl_fail(cx, MLPL_ESHAPE, "%s: inner sizes differ: a is %s, b is %s",
      c->op->name, mlpli_tensor_text(a, c->in[0]), mlpli_tensor_text(b, c->in[1]));
}

/* The axes before the matrix, broadcast. */
static bool stacks_fit(const mlpl_tensor *a, const mlpl_tensor *b, mlpli_shape *s) {
  int na = a->ndim > 2 ? a->ndim - 2 : 0, nb = b->ndim > 2 ? b->ndim - 2 : 0;
  s->ndim = na > nb ? na : nb;
  for (int i = 1; i <= s->ndim; i++) {
    int64_t x = i <= na ? a->shape[na - i] : 1, y = i <= nb ? b->shape[nb - i] : 1;
    if (x != y && x != 1 && y != 1) return false;
    s->size[s->ndim - i] = x == 1 ? y : x;
  }
  return true;
}

static SHAPE(matmul) {
  const mlpl_tensor *a = c->in[0], *b = c->in[1];
  if (a->ndim == 0 || b->ndim == 0)
    return misfit(cx, c, "both must have at least one axis");
  if (a->shape[a->ndim - 1] != b->shape[b->ndim > 1 ? b->ndim - 2 : 0])
    return inner_sizes(cx, c);
  if (!stacks_fit(a, b, s))
    return misfit(cx, c, "sizes before the last two axes must be equal or 1");
  if (a->ndim > 1) s->size[s->ndim++] = a->shape[a->ndim - 2];
  if (b->ndim > 1) s->size[s->ndim++] = b->shape[b->ndim - 1];
  return MLPL_OK;
}

static mlpl_status shape_of_ranks(mlpl_ctx *cx, const mlpli_call *c, mlpli_shape *s,
    int rank_a, int rank_b, const char *rule) {
  if (c->in[0]->ndim != rank_a || c->in[1]->ndim != rank_b) return misfit(cx, c, rule);
  return shape_matmul(cx, c, s);
}

static SHAPE(mm) {
  return shape_of_ranks(cx, c, s, 2, 2, "both must be matrices (two axes)");
}

static SHAPE(mv) {
  return shape_of_ranks(
      cx, c, s, 2, 1, "it takes a matrix (two axes) and a vector (one axis)");
}

static SHAPE(dot) {
  return shape_of_ranks(cx, c, s, 1, 1, "both must be vectors (one axis)");
}

static SHAPE(bmm) {
  static const char rule[] = "both must be [n x rows x columns], with one n";
  if (c->in[0]->ndim == 3 && c->in[1]->ndim == 3 &&
      c->in[0]->shape[0] != c->in[1]->shape[0])
    return misfit(cx, c, rule);
  return shape_of_ranks(cx, c, s, 3, 3, rule);
}

/* ---- stacks of products ------------------------------------------------------------ */

/* Matrices of one shape; m is the first. */
typedef struct stack {
  mlpli_matrix m;
  int64_t stride[MLPL_MAX_RANK]; /* along the axes of the stack */
} stack;

/* t as it takes part in a product over stacks of these sizes: a vector is a row on the
   left, a column on the right. */
static stack stack_of(const mlpl_tensor *t, bool left, int ndim, const int64_t *size) {
  stack s;
  const int own = t->ndim > 2 ? t->ndim - 2 : 0;
  if (t->ndim == 1) {
    s.m = (mlpli_matrix){t->data, 1, t->shape[0], t->shape[0], t->stride[0]};
    if (!left) s.m = mlpli_transposed(s.m);
  }
  else
    s.m = (mlpli_matrix){t->data, t->shape[t->ndim - 2], t->shape[t->ndim - 1],
        t->stride[t->ndim - 2], t->stride[t->ndim - 1]};
  for (int d = 0; d < ndim; d++) {
    int at = d - (ndim - own);
    s.stride[d] = at < 0 || (t->shape[at] == 1 && size[d] != 1) ? 0 : t->stride[at];
  }
  return s;
}

/* Can the matrices of a be read as one, each under the one before? */
static bool piles_up(const stack *a, int ndim, const int64_t *size) {
  int64_t rows = a->m.rows;
  for (int d = ndim - 1; d >= 0; d--) {
    if (size[d] != 1 && a->stride[d] != a->m.rs * rows) return false;
    rows *= size[d];
  }
  return true;
}

typedef struct stack_job {
  const mlplk_table *kern; /* NULL: whole numbers have none */
  int64_t bytes;           /* of an element */
  mlplk_gemm g;            /* of the first */
  int ndim;
  const int64_t *size;
  const stack *a, *b;
  int64_t n, per_task;
  char *scratch;
  size_t scratch_bytes; /* of a worker */
} stack_job;

/* Task i's products, one after the other; par is their own. */
static void multiply(
    const stack_job *j, int64_t first, int64_t end, char *scratch, const mlplk_par *par) {
  for (int64_t i = first; i < end; i++) {
    mlplk_gemm g = j->g;
    int64_t at_a = 0, at_b = 0, left = i;
    for (int d = j->ndim - 1; d >= 0; d--) {
      at_a += left % j->size[d] * j->a->stride[d];
      at_b += left % j->size[d] * j->b->stride[d];
      left /= j->size[d];
    }
    g.a = (const char *)g.a + at_a * j->bytes;
    g.b = (const char *)g.b + at_b * j->bytes;
    g.c = (char *)g.c + i * g.m * g.n * j->bytes;
    if (j->kern)
      j->kern->gemm(&g, scratch, j->scratch_bytes, par);
    else
      mlplk_whole_gemm((size_t)j->bytes, &g);
  }
}

static void multiply_task(void *arg, ptrdiff_t task, int worker) {
  const stack_job *j = arg;
  int64_t first = task * j->per_task, end = first + j->per_task;
  multiply(j, first, end < j->n ? end : j->n,
      j->scratch + (size_t)worker * j->scratch_bytes, &mlplk_serial);
}

/* In flops: a product of this size is for one thread; what a task should have. */
#define SMALL_PRODUCT 8e6
#define TASK_FLOPS 1e6

/* Small products side by side on the threads, large ones one after the other. */
static mlpl_status multiply_all(mlpl_ctx *cx, stack_job *j) {
  double flops = 2 * (double)j->g.m * (double)j->g.n * (double)j->g.k;
  bool small = flops <= SMALL_PRODUCT || !j->kern;
  int workers = cx->par.workers, each = small ? 1 : workers;
  size_t bytes = j->kern ? (j->kern->gemm_scratch(&j->g, each) + 63) / 64 * 64 : 0;
  size_t all = small ? bytes * (size_t)workers : bytes;
  j->scratch_bytes = bytes;
  if (all && !(j->scratch = mlpli_alloc(cx->heap, all)))
    return mlpli_no_memory(cx, "product", all);
  if (small) {
    j->per_task = flops < TASK_FLOPS ? (int64_t)(TASK_FLOPS / (flops + 1000)) + 1 : 1;
    cx->par.run(&cx->par, (j->n + j->per_task - 1) / j->per_task, multiply_task, j);
  }
  else
    multiply(j, 0, j->n, j->scratch, &cx->par);
  mlpli_free(cx->heap, j->scratch);
  return MLPL_OK;
}

static FORWARD(matmul) {
  mlpl_tensor *a = c->in[0], *b = c->in[1], *y = *out;
  mlpli_shape s;
  if (a->ndim == 2 && b->ndim == 2)
    return mlpli_product(cx, y->dtype, mlpli_matrix_of(a), mlpli_matrix_of(b), 0,
        mlpli_matrix_of(y), NULL, MLPLK_ACT_NONE);
  if (y->numel == 0) return MLPL_OK;
  stacks_fit(a, b, &s);
  stack sa = stack_of(a, true, s.ndim, s.size), sb = stack_of(b, false, s.ndim, s.size);
  mlpli_matrix my = {y->data, sa.m.rows, sb.m.cols, sb.m.cols, 1};
  if (b->ndim <= 2 && piles_up(&sa, s.ndim, s.size)) {
    my.rows = sa.m.rows = y->numel / my.cols;
    return mlpli_product(cx, y->dtype, sa.m, sb.m, 0, my, NULL, MLPLK_ACT_NONE);
  }
  stack_job j = {.kern = mlpli_is_real(y) ? mlpli_kern(y) : NULL,
      .bytes = mlpli_dtype_size[y->dtype],
      .g = mlpli_gemm(sa.m, sb.m, 0, my, NULL, MLPLK_ACT_NONE),
      .ndim = s.ndim,
      .size = s.size,
      .a = &sa,
      .b = &sb,
      .n = y->numel / (my.rows * my.cols)};
  return multiply_all(cx, &j);
}

/* ---- gradients --------------------------------------------------------------------- */

static mlpl_tensor *turned(mlpli_expr *e, mlpl_tensor *t) {
  return mlpli_x1(e, MLPLI_OP_TRANSPOSE, t, (mlpl_value[]){{.i = -2}, {.i = -1}});
}

static mlpl_tensor *shaped(mlpli_expr *e, mlpl_tensor *t, int ndim, const int64_t *size) {
  mlpl_value p = {.sizes = {.n = ndim}};
  memcpy(p.sizes.v, size, (size_t)ndim * sizeof *size);
  return mlpli_x1(e, MLPLI_OP_RESHAPE, t, &p);
}

static mlpl_tensor *times(mlpli_expr *e, mlpl_tensor *a, mlpl_tensor *b) {
  return mlpli_x2(e, MLPLI_OP_MATMUL, a, b, NULL);
}

/* All rows of a stack under each other. */
static mlpl_tensor *pile(mlpli_expr *e, mlpl_tensor *t) {
  if (!t || t->ndim == 2) return t;
  int64_t rows = 1, columns = t->shape[t->ndim - 1];
  for (int d = 0; d < t->ndim - 1; d++) rows *= t->shape[d];
  return shaped(e, t, 2, (int64_t[]){rows, columns});
}

/* g with the axes that vectors do not have, at size 1. */
static mlpl_tensor *with_matrix_axes(
    mlpli_expr *e, const mlpl_tensor *a, const mlpl_tensor *b, mlpl_tensor *g) {
  int64_t size[MLPL_MAX_RANK];
  int n = g->ndim - (a->ndim > 1) - (b->ndim > 1);
  if (a->ndim > 1 && b->ndim > 1) return g;
  memcpy(size, g->shape, sizeof size);
  size[n++] = a->ndim > 1 ? a->shape[a->ndim - 2] : 1;
  size[n++] = b->ndim > 1 ? b->shape[b->ndim - 1] : 1;
  return shaped(e, g, n, size);
}

/* da = g b^T, db = a^T g, summed where the stacks were broadcast; a is input i, b the
   next. Each is saved where the other has a gradient. */
static void give_stacks(mlpli_expr *e, mlpli_node *n, int i, mlpl_tensor *g) {
  mlpl_tensor seen[2], *gb;
  const mlpl_tensor *a = mlpli_input_seen(n, i, &seen[0]),
                    *b = mlpli_input_seen(n, i + 1, &seen[1]);
  const bool row = a->ndim == 1, column = b->ndim == 1;
  if (!g) return;
  g = with_matrix_axes(e, a, b, g);
  if (mlpli_wants(n, i)) {
    mlpl_tensor *saved = n->in[i + 1];
    mlpli_xgive(e, n, i,
        times(e, g,
            column ? shaped(e, saved, 2, (int64_t[]){1, b->shape[0]})
                   : turned(e, saved)));
  }
  if (!mlpli_wants(n, i + 1)) return;
  mlpl_tensor *saved = n->in[i];
  if (row)
    gb = times(e, shaped(e, saved, 2, (int64_t[]){a->shape[0], 1}), g);
  else if (b->ndim <= 2) /* one sum over the rows of all matrices */
    gb = times(e, turned(e, pile(e, saved)), pile(e, g));
  else
    gb = times(e, turned(e, saved), g);
  if (column) {
    mlpl_value kept = {.sizes = {2, {b->shape[0], 1}}};
    gb = mlpli_x1(e, MLPLI_OP_SUM_TO_SIZE, gb, &kept);
    gb = shaped(e, gb, 1, b->shape);
  }
  mlpli_xgive(e, n, i + 1, gb);
}

static mlpl_status stacks_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g) {
  mlpli_expr e = {.cx = cx};
  give_stacks(&e, n, 0, g);
  return mlpli_expr_end(&e);
}

/* da = g b^T, db = a^T g */
static BACKWARD(matmul) {
  mlpl_tensor *a = n->in[0], *b = n->in[1], seen[2];
  if (mlpli_input_seen(n, 0, &seen[0])->ndim != 2 ||
      mlpli_input_seen(n, 1, &seen[1])->ndim != 2)
    return stacks_backward(cx, n, g);
  if (!cx->grad_enabled) {
    mlpli_matrix mg = mlpli_matrix_of(g);
    if (mlpli_wants(n, 0))
      MLPL_TRY(mlpli_give_product(cx, n, 0, mg, mlpli_transposed(mlpli_matrix_of(b))));
    if (mlpli_wants(n, 1))
      MLPL_TRY(mlpli_give_product(cx, n, 1, mlpli_transposed(mlpli_matrix_of(a)), mg));
    return MLPL_OK;
  }
  mlpli_expr e = {.cx = cx};
  if (mlpli_wants(n, 0))
    mlpli_xgive(&e, n, 0, times(&e, g, mlpli_x1(&e, MLPLI_OP_T, b, NULL)));
  if (mlpli_wants(n, 1))
    mlpli_xgive(&e, n, 1, times(&e, mlpli_x1(&e, MLPLI_OP_T, a, NULL), g));
  return mlpli_expr_end(&e);
}

/* ---- addmm, baddbmm: beta input + alpha a b ---------------------------------------- */

static SHAPE(addmm) {
  const bool batches = c->op == mlpli_op_table[MLPLI_OP_BADDBMM];
  const mlpl_tensor *x = c->in[0], *a = c->in[1], *b = c->in[2];
  const int rank = batches ? 3 : 2;
  char text[3][MLPLI_SHAPE_TEXT], result[MLPLI_SHAPE_TEXT];
  mlpli_call product = {.op = c->op, .n = 2, .in = c->in + 1}; /* for its sizes */
  bool fits = x->ndim <= rank;
  if (a->ndim != rank || b->ndim != rank || (batches && a->shape[0] != b->shape[0]))
    return mlpl_fail(cx, MLPL_ESHAPE,
        "%s: a is %s, b is %s; both must be [%srows x columns]", c->op->name,
        mlpli_tensor_text(text[1], a), mlpli_tensor_text(text[2], b),
        batches ? "n x " : "");
  MLPL_TRY(shape_matmul(cx, &product, s));
  for (int d = 1; fits && d <= x->ndim; d++)
    fits = x->shape[x->ndim - d] == 1 || x->shape[x->ndim - d] == s->size[rank - d];
  if (fits) return MLPL_OK;
  return mlpl_fail(cx, MLPL_ESHAPE,
      "%s: input is %s; it must broadcast to the product, which is %s", c->op->name,
      mlpli_tensor_text(text[0], x), mlpli_shape_text(result, s->ndim, s->size));
}

/* With beta 0 the input is not read, so NaN in it does not matter. */
static FORWARD(addmm) {
  mlpl_tensor *a = c->in[1], *b = c->in[2], *y = *out;
  const double beta = c->p[0].f;
  const int ndim = y->ndim - 2;
  if (y->numel == 0) return MLPL_OK;
  if (beta != 0) mlpli_map(MLPLK_SCALE, y, c->in[0], NULL, beta);
  stack sa = stack_of(a, true, ndim, y->shape), sb = stack_of(b, false, ndim, y->shape);
  mlpli_matrix my = {y->data, sa.m.rows, sb.m.cols, sb.m.cols, 1};
  stack_job j = {.kern = mlpli_kern(y),
      .bytes = mlpli_dtype_size[y->dtype],
      .g = mlpli_gemm(sa.m, sb.m, 0, my, NULL, MLPLK_ACT_NONE),
      .ndim = ndim,
      .size = y->shape,
      .a = &sa,
      .b = &sb,
      .n = y->numel / (my.rows * my.cols)};
  j.g.alpha = c->p[1].f;
  j.g.beta = beta != 0;
  return multiply_all(cx, &j);
}

static BACKWARD(addmm) {
  mlpli_expr e = {.cx = cx};
  if (mlpli_wants(n, 0)) mlpli_xgive(&e, n, 0, mlpli_xaffine(&e, g, n->p[0].f, 0));
  if (mlpli_wants(n, 1) || mlpli_wants(n, 2))
    give_stacks(&e, n, 1, n->p[1].f == 1 ? g : mlpli_xaffine(&e, g, n->p[1].f, 0));
  return mlpli_expr_end(&e);
}

/* ---- outer, inner ------------------------------------------------------------------ */

static SHAPE(outer) {
  const mlpl_tensor *a = c->in[0], *b = c->in[1];
  if (a->ndim != 1 || b->ndim != 1)
    return misfit(cx, c, "both must be vectors (one axis)");
  *s = (mlpli_shape){2, {a->shape[0], b->shape[0]}};
  return MLPL_OK;
}

static FORWARD(outer) {
  const mlpl_tensor *a = c->in[0], *b = c->in[1];
  mlpli_matrix column = {a->data, a->shape[0], 1, a->stride[0], 1},
               row = {b->data, 1, b->shape[0], b->shape[0], b->stride[0]};
  return mlpli_product(
      cx, (*out)->dtype, column, row, 0, mlpli_matrix_of(*out), NULL, MLPLK_ACT_NONE);
}

/* da = g b, db = g^T a */
static BACKWARD(outer) {
  mlpli_expr e = {.cx = cx};
  if (mlpli_wants(n, 0)) mlpli_xgive(&e, n, 0, times(&e, g, n->in[1]));
  if (mlpli_wants(n, 1)) mlpli_xgive(&e, n, 1, times(&e, turned(&e, g), n->in[0]));
  return mlpli_expr_end(&e);
}

static SHAPE(inner) {
  const mlpl_tensor *a = c->in[0], *b = c->in[1];
  if (a->ndim == 0 || b->ndim == 0)
    return misfit(cx, c, "both must have at least one axis");
  if (a->ndim + b->ndim - 2 > MLPL_MAX_RANK)
    return misfit(cx, c, "the result would have more than 8 axes");
  if (a->shape[a->ndim - 1] != b->shape[b->ndim - 1])
    return misfit(cx, c, "their last axes must be of one size");
  s->ndim = a->ndim + b->ndim - 2;
  memcpy(s->size, a->shape, (size_t)(a->ndim - 1) * sizeof *s->size);
  memcpy(s->size + a->ndim - 1, b->shape, (size_t)(b->ndim - 1) * sizeof *s->size);
  return MLPL_OK;
}

static FORWARD(inner) {
  mlpl_tensor *a, *b, *y = *out;
  if (y->numel == 0) return MLPL_OK;
  int64_t k = c->in[0]->shape[c->in[0]->ndim - 1], rows = 1;
  for (int d = 0; d < c->in[0]->ndim - 1; d++) rows *= y->shape[d];
  int64_t columns = y->numel / rows;
  MLPL_TRY(mlpli_tensor_contiguous(cx, &a, c->in[0]));
  mlpl_status status = mlpli_tensor_contiguous(cx, &b, c->in[1]);
  if (status == MLPL_OK)
    status = mlpli_product(cx, y->dtype, (mlpli_matrix){a->data, rows, k, k, 1},
        (mlpli_matrix){b->data, k, columns, 1, k}, 0,
        (mlpli_matrix){y->data, rows, columns, columns, 1}, NULL, MLPLK_ACT_NONE);
  if (status == MLPL_OK) mlpl_tensor_release(b);
  mlpl_tensor_release(a);
  return status;
}

/* with all but the last axes as rows: da = g b, db = g^T a */
static BACKWARD(inner) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor seen[2];
  const mlpl_tensor *a = mlpli_input_seen(n, 0, &seen[0]),
                    *b = mlpli_input_seen(n, 1, &seen[1]);
  int64_t rows = 1, columns = 1, k = a->shape[a->ndim - 1];
  for (int d = 0; d < a->ndim - 1; d++) rows *= a->shape[d];
  for (int d = 0; d < b->ndim - 1; d++) columns *= b->shape[d];
  g = shaped(&e, g, 2, (int64_t[]){rows, columns});
  if (mlpli_wants(n, 0)) {
    mlpl_tensor *b2 = shaped(&e, n->in[1], 2, (int64_t[]){columns, k});
    mlpli_xgive(&e, n, 0, shaped(&e, times(&e, g, b2), a->ndim, a->shape));
  }
  if (mlpli_wants(n, 1)) {
    mlpl_tensor *a2 = shaped(&e, n->in[0], 2, (int64_t[]){rows, k});
    mlpli_xgive(
        &e, n, 1, shaped(&e, g ? times(&e, turned(&e, g), a2) : NULL, b->ndim, b->shape));
  }
  return mlpli_expr_end(&e);
}

/* ---- rows -------------------------------------------------------------------------- */

#define PRODUCT_ROW(f, by)                                                               \
  .name = #f, .input_name = {"a", "b"}, .domain = {MLPLI_REAL, MLPLI_REAL},              \
  .n_inputs = 2, .n_required = 2, .n_outputs = 1, .saves = 3, .saved_for = {2, 1},       \
  .differentiable = 3, .shape = shape_##f, .forward = by##_forward, HAS_BACKWARD(by)
#define ALIKE .computes = MLPLI_NUMBERS, .alike = true

const mlpl_op mlpli_op_matmul = {PRODUCT_ROW(matmul, matmul), ALIKE};
const mlpl_op mlpli_op_mm = {PRODUCT_ROW(mm, matmul), ALIKE};
const mlpl_op mlpli_op_mv = {PRODUCT_ROW(mv, matmul), ALIKE};
const mlpl_op mlpli_op_bmm = {PRODUCT_ROW(bmm, matmul), ALIKE};
const mlpl_op mlpli_op_dot = {PRODUCT_ROW(dot, matmul), ALIKE};
const mlpl_op mlpli_op_outer = {
    PRODUCT_ROW(outer, outer), .computes = MLPLI_NUMBERS | MLPLI_TRUTH};
const mlpl_op mlpli_op_inner = {PRODUCT_ROW(inner, inner), ALIKE};

static const mlpl_param addmm_params[] = {
    MLPLI_REAL_OPTION("beta", 1, -INFINITY, INFINITY),
    MLPLI_REAL_OPTION("alpha", 1, -INFINITY, INFINITY)};
#define ADD_ROW(title)                                                                   \
  .name = title, .input_name = {"input", "a", "b"},                                      \
  .domain = {MLPLI_REAL, MLPLI_REAL, MLPLI_REAL}, .n_inputs = 3, .n_required = 3,        \
  .n_outputs = 1, .saves = 6, .saved_for = {0, 4, 2}, .differentiable = 7,               \
  .underscored = true,                                                                   \
  .shape = shape_addmm, .forward = addmm_forward, HAS_BACKWARD(addmm),                   \
  PARAMS(addmm_params)
const mlpl_op mlpli_op_addmm = {ADD_ROW("addmm")};
const mlpl_op mlpli_op_baddbmm = {ADD_ROW("baddbmm")};
