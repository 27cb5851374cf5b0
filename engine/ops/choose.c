/* Choices between values: where, masked_fill, clamp, nan_to_num, the gates of backward
   passes; and the interpolations and sums of three tensors. */
#include "ops/rows.h"

#include "grad/grad.h"
#include "tensor/walk.h"

#include <float.h>
#include <stdio.h>
#include <string.h>

/* ---- choosing elements of any dtype ------------------------------------------------ */

#define GRAIN 16384 /* elements a task works on */

typedef struct choice {
  char *p[4]; /* out, condition, a, b */
  int64_t size, run, pieces;
  mlpli_walk walk;
} choice;

static void choose_run(const choice *j, int64_t run, int64_t start, int64_t n) {
  const mlpli_walk *w = &j->walk;
  const int last = w->ndim - 1;
  int64_t at[4], step[4];
  char *p[4];
  mlpli_walk_at(w, run, at);
  for (int a = 0; a < 4; a++) {
    const int64_t size = a == 1 ? 1 : j->size;
    step[a] = w->stride[a][last] * size;
    p[a] = j->p[a] + at[a] * size + start * step[a];
  }
  for (int64_t i = 0; i < n; i++) {
    const char *from = p[1][i * step[1]] ? p[2] + i * step[2] : p[3] + i * step[3];
    switch (j->size) {
      case 1: p[0][i * step[0]] = *from; break;
      case 4: memcpy(p[0] + i * step[0], from, 4); break;
      default: memcpy(p[0] + i * step[0], from, 8); break;
    }
  }
}

static void choose_task(void *arg, ptrdiff_t i, int worker) {
  (void)worker;
  const choice *j = arg;
  const int64_t start = i % j->pieces * GRAIN;
  choose_run(j, i / j->pieces, start, j->run - start < GRAIN ? j->run - start : GRAIN);
}

void mlpli_choose(
    mlpl_tensor *out, const mlpl_tensor *c, const mlpl_tensor *a, const mlpl_tensor *b) {
  const mlpl_tensor *const in[3] = {c, a, b};
  int64_t stride[3][MLPL_MAX_RANK];
  choice j = {
      .p = {out->data, c->data, a->data, b->data}, .size = mlpli_dtype_size[out->dtype]};
  if (out->numel == 0) return;
  for (int i = 0; i < 3; i++)
    mlpli_broadcast_strides(in[i], out->ndim, out->shape, stride[i]);
  mlpli_walk_init(&j.walk, out->ndim, out->shape, 4,
      (const int64_t *[]){out->stride, stride[0], stride[1], stride[2]});
  j.run = mlpli_walk_run(&j.walk);
  j.pieces = (j.run + GRAIN - 1) / GRAIN;
  const int64_t tasks = mlpli_walk_n_runs(&j.walk) * j.pieces;
  if (out->numel <= GRAIN)
    for (int64_t i = 0; i < tasks; i++) choose_task(&j, i, 0);
  else
    out->cx->par.run(&out->cx->par, tasks, choose_task, &j);
}

static mlpl_status check_bool(mlpl_ctx *cx, const mlpli_call *c, int i) {
  if (c->in[i]->dtype == MLPL_BOOL) return MLPL_OK;
  return mlpl_fail(cx, MLPL_EARG, "%s: %s is %s; it must be bool", c->op->name,
      c->op->input_name[i], mlpl_dtype_name((mlpl_dtype)c->in[i]->dtype));
}

/* The shape that all three inputs broadcast to. */
static SHAPE(of_three) {
  mlpli_shape first;
  char name[64];
  MLPL_TRY(mlpli_broadcast_inputs(cx, c, 0, 1, &first));
  mlpl_tensor both = {.ndim = (uint8_t)first.ndim};
  memcpy(both.shape, first.size, sizeof both.shape);
  snprintf(name, sizeof name, "%s with %s", c->op->input_name[0], c->op->input_name[1]);
  return mlpli_broadcast_as(
      cx, c->op->name, name, &both, c->op->input_name[2], c->in[2], s);
}

/* ---- where, masked_fill ------------------------------------------------------------ */

static SHAPE(where) {
  MLPL_TRY(check_bool(cx, c, 0));
  return shape_of_three(cx, c, s);
}

static FORWARD(where) {
  (void)cx;
  mlpli_choose(*out, c->in[0], c->in[1], c->in[2]);
  return MLPL_OK;
}

/* g where it came from, 0 elsewhere */
static BACKWARD(where) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *zero = mlpli_xnumber(&e, g, 0), *c = n->in[0];
  if (mlpli_wants(n, 1))
    mlpli_xgive(&e, n, 1, mlpli_x3(&e, MLPLI_OP_WHERE, c, g, zero, NULL));
  if (mlpli_wants(n, 2))
    mlpli_xgive(&e, n, 2, mlpli_x3(&e, MLPLI_OP_WHERE, c, zero, g, NULL));
  return mlpli_expr_end(&e);
}

static SHAPE(masked_fill) {
  const int dtype = c->in[0]->dtype;
  MLPL_TRY(check_bool(cx, c, 1));
  if (!mlpli_is_real(c->in[0]) && !mlpli_can_be(dtype, c->p[0].element))
    return mlpl_fail(cx, MLPL_EARG, "masked_fill: value is %g, which %s cannot hold",
        c->p[0].f, mlpl_dtype_name((mlpl_dtype)dtype));
  return mlpli_shape_broadcast(cx, c, s);
}

static FORWARD(masked_fill) {
  mlpli_number value;
  (void)cx;
  mlpli_number_like(&value, *out, c->p[0].f);
  mlpli_store_element(value.value, (*out)->dtype, c->p[0].element);
  mlpli_choose(*out, c->in[1], &value.t, c->in[0]);
  return MLPL_OK;
}

static BACKWARD(masked_fill) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(
      &e, n, 0, mlpli_x2(&e, MLPLI_OP_MASKED_FILL, g, n->in[1], &(mlpl_value){.f = 0}));
  return mlpli_expr_end(&e);
}

/* Input 2, one number, in the first input's dtype, which has to hold it. */
static mlpl_status fill_value(mlpl_ctx *cx, const mlpli_call *c, mlpl_tensor **v) {
  const mlpl_tensor *x = c->in[0], *value = c->in[2];
  const mlpl_value dtype = {.i = x->dtype};
  char text[MLPLI_SHAPE_TEXT];
  if (value->ndim)
    return mlpl_fail(cx, MLPL_ESHAPE,
        "masked_fill: value is %s; it must be one number, in a tensor without axes",
        mlpli_tensor_text(text, value));
  const double given = mlpli_load(value->data, value->dtype);
  if (mlpli_is_real(x) || value->dtype == x->dtype ||
      mlpli_can_be(x->dtype, (mlpl_element){given, 0}))
    return mlpli_apply(cx, v, MLPLI_OP_TO, c->in + 2, 1, &dtype);
  return mlpl_fail(cx, MLPL_EARG, "masked_fill: value is %g, which %s cannot hold", given,
      mlpl_dtype_name((mlpl_dtype)x->dtype));
}

/* The value has a gradient: of where the mask lets it in. */
static COMPOSE(masked_fill_by) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *v;
  MLPL_TRY(check_bool(cx, c, 1));
  MLPL_TRY(fill_value(cx, c, &v));
  return mlpli_xresult(&e, out,
      mlpli_x3(&e, MLPLI_OP_WHERE, c->in[1], mlpli_xkeep(&e, v), c->in[0], NULL));
}

/* ---- gates: what backward passes of functions with kinks are made of --------------- */

static FORWARD(gate) {
  (void)cx;
  const mlplk_map_kind kind = (mlplk_map_kind)(MLPLK_GATE_ABOVE + c->p[0].i);
  mlpli_map(kind, *out, c->in[0], c->in[1], c->p[1].f);
  return MLPL_OK;
}

static BACKWARD(gate) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(&e, n, 0, mlpli_x2(&e, MLPLI_OP_GATE, g, n->in[1], n->p));
  return mlpli_expr_end(&e);
}

/* ---- clamp ------------------------------------------------------------------------- */

void mlpli_clamp(mlpl_tensor *out, const mlpl_tensor *x, double min, double max) {
  mlpli_number low;
  if (isnan(min) || isnan(max))
    mlpli_fill(out, (double)NAN);
  else
    mlpli_map(MLPLK_CLAMP, out, x, mlpli_number_like(&low, out, min), max);
}

static FORWARD(clamp) {
  (void)cx;
  mlpli_clamp(*out, c->in[0], c->p[0].f, c->p[1].f);
  return MLPL_OK;
}

/* g where min <= x <= max */
static BACKWARD(clamp) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *x = n->in[0], *gx;
  const double min = n->p[0].f, max = n->p[1].f;
  if (cx->grad_enabled)
    gx = mlpli_xgate(
        &e, MLPLK_GATE_UP_TO, mlpli_xgate(&e, MLPLK_GATE_FROM, g, x, min), x, max);
  else
    gx = mlpli_xmap3(&e, MLPLK_CLAMP_GRAD, g, x, mlpli_xnumber(&e, g, min), max);
  mlpli_xgive(&e, n, 0, gx);
  return mlpli_expr_end(&e);
}

/* ---- clamp with bounds that are tensors -------------------------------------------- */

/* Which input of a row is the bound: 1 min, 2 max; -1: the row has none such. */
static int place_of_bound(const mlpl_op *op, int bound) {
  if (op == mlpli_op_table[MLPLI_OP_CLAMP_BY]) return bound;
  return bound == (op == mlpli_op_table[MLPLI_OP_CLAMP_MAX] ? 2 : 1) ? 1 : -1;
}

/* The bound, NULL where it was left out. */
static mlpl_tensor *bound(const mlpli_call *c, int which) {
  const int i = place_of_bound(c->op, which);
  return i >= 0 && i < c->n ? c->in[i] : NULL;
}
static mlpl_tensor *saved_bound(const mlpli_node *n, int which) {
  const int i = place_of_bound(n->op, which);
  return i >= 0 && i < n->n_in ? n->in[i] : NULL;
}

/* What all that is there broadcasts to. */
static SHAPE(clamp_by) {
  mlpli_shape with = {0};
  if (!bound(c, 1) && !bound(c, 2))
    return mlpl_fail(
        cx, MLPL_EARG, "%s: neither min nor max is given", mlpli_said(c->op));
  MLPL_TRY(mlpli_shape_same(cx, c, s));
  for (int i = 1; i < 3; i++) {
    if (!bound(c, i)) continue;
    with = *s;
    mlpl_tensor so_far = {.ndim = (uint8_t)with.ndim};
    memcpy(so_far.shape, with.size, sizeof so_far.shape);
    MLPL_TRY(mlpli_broadcast_as(
        cx, mlpli_said(c->op), "input", &so_far, i == 1 ? "min" : "max", bound(c, i), s));
  }
  return MLPL_OK;
}

/* Where the bounds cross, max counts. NaN wins. */
static FORWARD(clamp_by) {
  (void)cx;
  const mlpl_tensor *min = bound(c, 1), *max = bound(c, 2);
  if (min) mlpli_map(MLPLK_MAXIMUM, *out, c->in[0], min, 0);
  if (max) mlpli_map(MLPLK_MINIMUM, *out, min ? *out : c->in[0], max, 0);
  return MLPL_OK;
}

static mlpl_tensor *compared(
    mlpli_expr *e, mlpli_op_id how, mlpl_tensor *a, mlpl_tensor *b) {
  return mlpli_x2(e, how, a, b, NULL);
}

/*
** To x where min <= x <= max; to min where x < min < max; to max where x or min is above
** it. That is where each was chosen, but for ties, which go to x: PyTorch's rule.
*/
static BACKWARD(clamp_by) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *x = n->in[0], *min = saved_bound(n, 1), *max = saved_bound(n, 2),
              *to[3] = {NULL, NULL, NULL};
  const bool was = mlpl_set_grad_enabled(cx, false);
  if (min) {
    to[0] = compared(&e, MLPLI_OP_GE, x, min);
    to[1] = compared(&e, MLPLI_OP_LT, x, min);
  }
  if (max) {
    mlpl_tensor *up_to = compared(&e, MLPLI_OP_LE, x, max);
    to[0] = min ? compared(&e, MLPLI_OP_LOGICAL_AND, to[0], up_to) : up_to;
    to[2] = compared(&e, MLPLI_OP_GT, x, max);
  }
  if (min && max) {
    to[1] = compared(
        &e, MLPLI_OP_LOGICAL_AND, to[1], compared(&e, MLPLI_OP_LT, min, max));
    to[2] = compared(&e, MLPLI_OP_LOGICAL_OR, to[2], compared(&e, MLPLI_OP_LT, max, min));
  }
  mlpl_set_grad_enabled(cx, was);
  for (int k = 0; k < 3; k++) {
    const int i = k ? place_of_bound(n->op, k) : 0;
    if (to[k] && mlpli_wants(n, i))
      mlpli_xgive(&e, n, i,
          mlpli_x3(&e, MLPLI_OP_WHERE, to[k], g, mlpli_xnumber(&e, g, 0), NULL));
  }
  return mlpli_expr_end(&e);
}

/* ---- nan_to_num -------------------------------------------------------------------- */

static double largest(int dtype) { return dtype == MLPL_F32 ? (double)FLT_MAX : DBL_MAX; }

/* An infinity's stand-in: the options' DBL_MAX means the dtype's own largest number. */
static double stand_in(double given, int dtype) {
  if (fabs(given) != DBL_MAX) return given;
  return copysign(largest(dtype), given);
}

/* Whole numbers are numbers. */
static FORWARD(nan_to_num) {
  mlpli_number inf;
  (void)cx;
  const int dtype = (*out)->dtype;
  if (!mlpli_is_real(*out)) {
    mlpli_copy(*out, c->in[0]);
    return MLPL_OK;
  }
  const double posinf = stand_in(c->p[1].f, dtype), neginf = stand_in(c->p[2].f, dtype);
  const bool first = isnan(posinf) || isnan(neginf); /* those are to stay */
  mlpl_tensor *x = c->in[0];
  mlpli_number_like(&inf, *out, posinf);
  if (first) mlpli_map(MLPLK_NAN_TO_NUM, *out, x, NULL, c->p[0].f);
  mlpli_map(MLPLK_INF_TO_NUM, *out, first ? *out : x, &inf.t, neginf);
  if (!first) mlpli_map(MLPLK_NAN_TO_NUM, *out, *out, NULL, c->p[0].f);
  return MLPL_OK;
}

/* g where x is a number */
static BACKWARD(nan_to_num) {
  mlpli_expr e = {.cx = cx};
  mlpli_xgive(
      &e, n, 0, mlpli_xgate(&e, MLPLK_GATE_INSIDE, g, n->in[0], largest(g->dtype)));
  return mlpli_expr_end(&e);
}

/* ---- three tensors ----------------------------------------------------------------- */

#define MAP3(name, kind, param)                                                          \
  static FORWARD(name) {                                                                 \
    (void)cx;                                                                            \
    mlpli_map3(kind, *out, c->in[0], c->in[1], c->in[2], param);                         \
    return MLPL_OK;                                                                      \
  }

MAP3(lerp, MLPLK_LERP, 0)
MAP3(addcdiv, MLPLK_ADDCDIV, c->p[0].f)

/* Of whole numbers, which have no fused kernel. */
static mlpl_status addcmul_whole(mlpl_ctx *cx, const mlpli_call *c, mlpl_tensor *out) {
  mlpl_tensor *product;
  MLPL_TRY(mlpli_tensor_like(cx, &product, out));
  mlpli_map(MLPLK_MUL, product, c->in[1], c->in[2], 0);
  mlpl_status status = mlpli_add_whole(cx, out, c->in[0], product, c->p[0].f);
  mlpl_tensor_release(product);
  return status;
}

static FORWARD(addcmul) {
  const double v = c->p[0].f;
  if (!mlpli_is_real(*out)) {
    if (v == floor(v) && isfinite(v)) return addcmul_whole(cx, c, *out);
    return mlpl_fail(cx, MLPL_EARG,
        "addcmul: value is %g; beside whole numbers (%s) it must be a whole number, too",
        v, mlpl_dtype_name((mlpl_dtype)(*out)->dtype));
  }
  mlpli_map3(MLPLK_ADDCMUL, *out, c->in[0], c->in[1], c->in[2], v);
  return MLPL_OK;
}

/* a + w (b - a): da = g (1 - w), db = g w, dw = g (b - a) */
static BACKWARD(lerp) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *a = n->in[0], *b = n->in[1], *w = n->in[2];
  if (mlpli_wants(n, 0))
    mlpli_xgive(&e, n, 0, mlpli_xmul(&e, g, mlpli_xaffine(&e, w, -1, 1)));
  if (mlpli_wants(n, 1)) mlpli_xgive(&e, n, 1, mlpli_xmul(&e, g, w));
  if (mlpli_wants(n, 2)) mlpli_xgive(&e, n, 2, mlpli_xmul(&e, g, mlpli_xsub(&e, b, a)));
  return mlpli_expr_end(&e);
}

/* a + v b c: db = g v c, dc = g v b */
static BACKWARD(addcmul) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *gv = mlpli_xaffine(&e, g, n->p[0].f, 0);
  if (mlpli_wants(n, 0)) mlpli_xgive(&e, n, 0, g);
  if (mlpli_wants(n, 1)) mlpli_xgive(&e, n, 1, mlpli_xmul(&e, gv, n->in[2]));
  if (mlpli_wants(n, 2)) mlpli_xgive(&e, n, 2, mlpli_xmul(&e, gv, n->in[1]));
  return mlpli_expr_end(&e);
}

/* a + v b / c: db = g v / c, dc = -(g v / c) (b / c) */
static BACKWARD(addcdiv) {
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *b = n->in[1], *c = n->in[2];
  mlpl_tensor *db = mlpli_xdiv(&e, mlpli_xaffine(&e, g, n->p[0].f, 0), c);
  if (mlpli_wants(n, 0)) mlpli_xgive(&e, n, 0, g);
  if (mlpli_wants(n, 1)) mlpli_xgive(&e, n, 1, db);
  if (mlpli_wants(n, 2))
    mlpli_xgive(&e, n, 2,
        mlpli_x1(&e, MLPLI_OP_NEG, mlpli_xmul(&e, db, mlpli_xdiv(&e, b, c)), NULL));
  return mlpli_expr_end(&e);
}

/* ---- rows -------------------------------------------------------------------------- */

/* in the order of MLPLK_GATE_... */
static const char *const gate_sides[] = {
    "above", "below", "from", "up_to", "outside", "inside", NULL};
static const mlpl_param gate_params[] = {
    MLPLI_CHOICE_OPTION("side", gate_sides), MLPLI_ELEMENT_OPTION("at", 0)};
static const mlpl_param clamp_params[] = {
    MLPLI_ELEMENT_EITHER("min", -INFINITY), MLPLI_ELEMENT_EITHER("max", INFINITY)};
static const mlpl_param nan_to_num_params[] = {MLPLI_ELEMENT_OPTION("nan", 0),
    MLPLI_ELEMENT_OPTION("posinf", DBL_MAX), MLPLI_ELEMENT_OPTION("neginf", -DBL_MAX)};
static const mlpl_param value_params[] = {
    MLPLI_REAL_OPTION("value", 1, -INFINITY, INFINITY)};
static const mlpl_param masked_fill_params[] = {MLPLI_ELEMENT_NEEDED("value")};

const mlpl_op mlpli_op_nan_to_num = {MAP_ROW(nan_to_num, MLPLI_REAL, 1),
    HAS_BACKWARD(nan_to_num), PARAMS(nan_to_num_params), .places_options = true,
    .computes = MLPLI_NUMBERS | MLPLI_TRUTH};
/* bounds that are numbers or tensors */
#define CLAMP_ROW(row)                                                                   \
  .name = row, .domain = {MLPLI_REAL, MLPLI_REAL, MLPLI_REAL}, .n_outputs = 1,           \
  .computes = MLPLI_NUMBERS | MLPLI_TRUTH, .underscored = true, .rewrites = true,        \
  .shape = shape_clamp_by, .forward = clamp_by_forward, HAS_BACKWARD(clamp_by)
#define CLAMP_ONE_ROW(row, bound)                                                        \
  CLAMP_ROW(row), .input_name = {"input", bound}, .n_inputs = 2, .n_required = 2,        \
                  .saves = 3, .differentiable = 3, .numbers = 2

const mlpl_op mlpli_op_clamp_by = {CLAMP_ROW("clamp_by"), .says = MLPLI_OP_CLAMP,
    .input_name = {"input", "min", "max"}, .n_inputs = 3, .n_required = 1, .saves = 7,
    .differentiable = 7, .numbers = 6, .lower = 2, .upper = 4, .internal = true};
const mlpl_op mlpli_op_clamp = {MAP_ROW(clamp, MLPLI_REAL, 1), HAS_BACKWARD(clamp),
    PARAMS(clamp_params), .underscored = true, .in_place = true,
    .by_tensor = MLPLI_OP_CLAMP_BY, .places_options = true};
const mlpl_op mlpli_op_clamp_min = {CLAMP_ONE_ROW("clamp_min", "min"), .lower = 2};
const mlpl_op mlpli_op_clamp_max = {CLAMP_ONE_ROW("clamp_max", "max"), .upper = 2};

#define TERNARY_ROW(f, second, third, third_domain)                                      \
  .name = #f, .input_name = {"input", second, third},                                    \
  .domain = {MLPLI_REAL, MLPLI_REAL, third_domain}, .n_inputs = 3, .n_required = 3,      \
  .n_outputs = 1, .differentiable = 7, .shape = shape_of_three, .forward = f##_forward,  \
  .in_place = true, .underscored = true, HAS_BACKWARD(f)

const mlpl_op mlpli_op_lerp = {TERNARY_ROW(lerp, "end", "weight", MLPLI_REAL), .saves = 7,
    .saved_for = {4, 4, 3}, .numbers = 4, .computes = MLPLI_REALS};
const mlpl_op mlpli_op_addcmul = {TERNARY_ROW(addcmul, "tensor1", "tensor2", MLPLI_REAL),
    .saves = 6, .saved_for = {0, 4, 2}, .computes = MLPLI_NUMBERS, PARAMS(value_params)};
const mlpl_op mlpli_op_addcdiv = {
    TERNARY_ROW(addcdiv, "tensor1", "tensor2", MLPLI_NONZERO), .saves = 6,
    .saved_for = {0, 4}, .computes = MLPLI_REALS, PARAMS(value_params)};

const mlpl_op mlpli_op_where = {.name = "where",
    .input_name = {"condition", "a", "b"},
    .domain = {MLPLI_ANY, MLPLI_REAL, MLPLI_REAL},
    .n_inputs = 3,
    .n_required = 3,
    .n_outputs = 1,
    .saves = 1,
    .differentiable = 6,
    .computes = MLPLI_REALS | MLPLI_WHOLES | MLPLI_TRUTH,
    .numbers = 6,
    .like = 1,
    .shape = shape_where,
    .forward = where_forward,
    HAS_BACKWARD(where)};
const mlpl_op mlpli_op_masked_fill = {
    GUIDED_ROW(masked_fill, "mask", MLPLI_ANY, MLPLI_ANY, shape_masked_fill),
    .underscored = true, PARAMS(masked_fill_params), .places_options = true,
    .by_tensor = MLPLI_OP_MASKED_FILL_BY};
const mlpl_op mlpli_op_masked_fill_by = {.name = "masked_fill_by",
    .says = MLPLI_OP_MASKED_FILL,
    .input_name = {"input", "mask", "value"},
    .domain = {MLPLI_ANY, MLPLI_ANY, MLPLI_ANY},
    .n_inputs = 3,
    .n_required = 3,
    .n_outputs = 1,
    .differentiable = 5,
    .underscored = true,
    .internal = true,
    .compose = masked_fill_by_compose};
/* a where b is on the right side of a number, else 0 */
const mlpl_op mlpli_op_gate = {.name = "gate",
    .input_name = {"a", "b"},
    .domain = {MLPLI_REAL, MLPLI_SMOOTH},
    .n_inputs = 2,
    .n_required = 2,
    .n_outputs = 1,
    .saves = 2,
    .differentiable = 1,
    .internal = true,
    .shape = mlpli_shape_broadcast,
    .forward = gate_forward,
    HAS_BACKWARD(gate),
    PARAMS(gate_params)};
