/*
** Softmax cross-entropy in one pass: the forward pass also writes the gradient, because
** softmax is at hand then. Targets are class labels, or shares of every class in the
** input's shape. Other inputs than [n x k] are computed as rows.
*/
#include "ops/rows.h"

#include "grad/grad.h"

#include <string.h>

enum { INPUT, TARGET, WEIGHT };              /* tensors */
enum { REDUCTION, IGNORE_INDEX, SMOOTHING }; /* options */

#define GRAIN 8192 /* elements a task works on */

/* ---- shapes ------------------------------------------------------------------------ */

/* Scores are [n x k], [n x k x ...] or [k]; the classes lie along this axis, and labels have
   the other ones. */
static int class_axis(const mlpl_tensor *x) { return x->ndim == 1 ? 0 : 1; }

static void labels_shape(const mlpl_tensor *x, mlpli_shape *s) {
  *s = (mlpli_shape){.ndim = 0};
  for (int d = 0; d < x->ndim; d++)
    if (d != class_axis(x)) s->size[s->ndim++] = x->shape[d];
}

/* s: of labels. nll_loss takes nothing else. */
static mlpl_status check_target(mlpl_ctx *cx, const mlpli_call *c, const mlpli_shape *s) {
  const mlpl_tensor *x = c->in[INPUT], *t = c->in[TARGET];
  const char *name = c->op->name;
  const bool takes_shares = c->op->domain[TARGET] == MLPLI_TARGET;
  char a[MLPLI_SHAPE_TEXT], b[MLPLI_SHAPE_TEXT], d[MLPLI_SHAPE_TEXT];
  bool labels = t->dtype == MLPL_I64 && mlpli_same_shape(t, s->ndim, s->size);
  bool shares = mlpli_is_real(t) && mlpli_same_shape(t, x->ndim, x->shape);
  if (!labels && !takes_shares)
    return mlpl_fail(cx, MLPL_ESHAPE,
        "%s: input is %s, target is %s; it must be %s of labels", name,
        mlpli_tensor_text(a, x), mlpli_tensor_text(b, t),
        mlpli_shape_text(d, s->ndim, s->size));
  if (!labels && !shares)
    return mlpl_fail(cx, MLPL_ESHAPE,
        "%s: input is %s, target is %s of %s; it must be %s of labels (dtype i64), or %s "
        "of %s shares",
        name, mlpli_tensor_text(a, x), mlpli_tensor_text(b, t),
        mlpl_dtype_name((mlpl_dtype)t->dtype), mlpli_shape_text(d, s->ndim, s->size), a,
        mlpl_dtype_name((mlpl_dtype)x->dtype));
  if (shares && t->dtype != x->dtype)
    return mlpl_fail(cx, MLPL_EARG,
        "%s: input is %s, target is %s; shares need the input's dtype", name,
        mlpl_dtype_name((mlpl_dtype)x->dtype), mlpl_dtype_name((mlpl_dtype)t->dtype));
  if (cx->grad_enabled && mlpli_tracked(t))
    return mlpl_fail(cx, MLPL_EARG,
        "%s: the target requires a gradient; only the input has one here (:detach() it)",
        name);
  return MLPL_OK;
}

static mlpl_status check_weight(mlpl_ctx *cx, const mlpli_call *c) {
  const mlpl_tensor *x = c->in[INPUT], *w = c->n > WEIGHT ? c->in[WEIGHT] : NULL;
  const int64_t k = x->shape[class_axis(x)];
  char a[MLPLI_SHAPE_TEXT], b[MLPLI_SHAPE_TEXT];
  if (cx->grad_enabled && mlpli_tracked(w))
    return mlpl_fail(cx, MLPL_EARG,
        "%s: the weight requires a gradient; only the input has one here (:detach() it)",
        c->op->name);
  if (w && (w->ndim != 1 || w->shape[0] != k))
    return mlpl_fail(cx, MLPL_ESHAPE,
        "%s: weight is %s, input is %s; the weight must be [%lld]", c->op->name,
        mlpli_tensor_text(b, w), mlpli_tensor_text(a, x), (long long)k);
  return MLPL_OK;
}

static SHAPE(cross_entropy) {
  const mlpl_tensor *x = c->in[INPUT];
  char a[MLPLI_SHAPE_TEXT];
  if (x->ndim == 0 || x->shape[class_axis(x)] < 1)
    return mlpl_fail(cx, MLPL_ESHAPE,
        "%s: input is %s; it must be [n x classes], [n x classes x ...] or [classes]",
        c->op->name, mlpli_tensor_text(a, x));
  labels_shape(x, s);
  MLPL_TRY(check_target(cx, c, s));
  MLPL_TRY(check_weight(cx, c));
  if (c->p[REDUCTION].i != MLPLI_NO_REDUCTION) s->ndim = 0;
  return MLPL_OK;
}

/* What lies along the class axis as rows, [.. x k]. */
static mlpl_tensor *as_rows(mlpli_expr *e, mlpl_tensor *x) {
  if (!x || x->ndim == 2) return x;
  const int64_t k = x->shape[class_axis(x)];
  mlpl_value p[2] = {{.sizes = {1, {1}}}, {.sizes = {1, {-1}}}};
  mlpl_value rows = {.sizes = {2, {x->numel / k, k}}};
  if (x->ndim > 2) x = mlpli_x1(e, MLPLI_OP_MOVEDIM, x, p);
  return mlpli_x1(e, MLPLI_OP_RESHAPE, x, &rows);
}

/* Rows back to what x, of these sizes, has along its class axis. */
static mlpl_tensor *from_rows(
    mlpli_expr *e, mlpl_tensor *rows, int ndim, const int64_t *shape) {
  if (ndim == 2) return rows;
  mlpl_value p[2] = {{.sizes = {1, {-1}}}, {.sizes = {1, {1}}}},
             sizes = {.sizes = {.n = 0}};
  sizes.sizes.n = ndim;
  for (int d = 0, at = 0; d < ndim; d++)
    if (d != 1) sizes.sizes.v[at++] = shape[d];
  if (ndim > 2) sizes.sizes.v[ndim - 1] = shape[1];
  rows = mlpli_x1(e, MLPLI_OP_RESHAPE, rows, &sizes);
  return ndim > 2 ? mlpli_x1(e, MLPLI_OP_MOVEDIM, rows, p) : rows;
}

/* Targets of those rows. */
static mlpl_tensor *row_targets(mlpli_expr *e, mlpl_tensor *t) {
  if (t->dtype != MLPL_I64) return as_rows(e, t);
  mlpl_value flat = {.sizes = {1, {t->numel}}};
  return t->ndim == 1 ? t : mlpli_x1(e, MLPLI_OP_RESHAPE, t, &flat);
}

/* ---- class labels ------------------------------------------------------------------ */

static double weight_at(const mlpl_tensor *w, int64_t c) {
  return w ? mlpli_load(w->data + c * w->stride[0] * mlpli_dtype_size[w->dtype], w->dtype)
           : 1;
}

/* What a mean divides by: the weights of the labels that count. */
static double denominator(const int64_t *label, int64_t n, const mlpl_tensor *w) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++)
    if (label[i] >= 0) sum += weight_at(w, label[i]);
  return sum;
}

typedef struct xent_job {
  const mlplk_table *kern;
  mlplk_xent all;
  int64_t per_task;
} xent_job;

static void xent_task(void *arg, ptrdiff_t i, int worker) {
  (void)worker;
  const xent_job *j = arg;
  mlplk_xent part = j->all;
  ptrdiff_t first = i * j->per_task;
  size_t size = j->kern->real_bytes;
  part.n = part.n - first < j->per_task ? part.n - first : (ptrdiff_t)j->per_task;
  part.x = (const char *)part.x + first * part.s_x * (ptrdiff_t)size;
  part.label += first;
  part.loss = (char *)part.loss + (size_t)first * size;
  if (part.dx) part.dx = (char *)part.dx + (size_t)(first * part.k) * size;
  j->kern->xent(&part);
}

/* Loss of each row, and the gradient where dx is not NULL. x has rows of adjacent
   elements. */
static void run_rows(mlpl_ctx *cx, const mlpl_value *p, const mlpl_tensor *x,
    const mlpl_tensor *w, const int64_t *label, double scale, mlpl_tensor *each,
    mlpl_tensor *dx) {
  int64_t k = x->shape[1];
  xent_job j = {.kern = mlpli_kern(x), .per_task = k >= GRAIN ? 1 : GRAIN / k};
  j.all = (mlplk_xent){.n = x->shape[0],
      .k = k,
      .x = x->data,
      .s_x = x->stride[0],
      .label = label,
      .weight = w ? w->data : NULL,
      .smoothing = p[SMOOTHING].f,
      .scale = scale,
      .loss = each->data,
      .dx = dx ? dx->data : NULL};
  cx->par.run(&cx->par, (j.all.n + j.per_task - 1) / j.per_task, xent_task, &j);
}

static mlpl_status reduce_rows(
    mlpl_ctx *cx, const mlpl_value *p, mlpl_tensor *out, mlpl_tensor *each, double by) {
  MLPL_TRY(mlpli_reduce(cx, MLPLK_SUM, out, each, 1));
  if (p[REDUCTION].i == MLPLI_MEAN_LOSS)
    mlpli_store(out->data, out->dtype, mlpli_load(out->data, out->dtype) / by);
  return MLPL_OK;
}

static mlpl_status read_labels(mlpl_ctx *cx, const char *name, const mlpl_tensor *target,
    int64_t k, const mlpl_value *p, int64_t **label) {
  size_t bytes = (size_t)target->numel * sizeof **label;
  *label = mlpli_alloc(cx->heap, bytes);
  if (!*label) return mlpli_no_memory(cx, name, bytes);
  mlpl_status status = mlpli_labels(cx, name, target, k, &p[IGNORE_INDEX].i, *label);
  if (status == MLPL_OK) return MLPL_OK;
  mlpli_free(cx->heap, *label);
  *label = NULL;
  return status;
}

/* t, or a copy of it in which rows are side by side. */
static mlpl_status with_rows(mlpl_ctx *cx, mlpl_tensor *t, mlpl_tensor **held) {
  if (t->stride[t->ndim - 1] != 1 && t->shape[t->ndim - 1] > 1)
    return mlpl_tensor_clone(cx, held, t);
  *held = mlpli_retain(t);
  return MLPL_OK;
}

mlpl_status mlpli_cross_entropy_labels(mlpl_ctx *cx, const mlpl_value *p, mlpl_tensor *x,
    mlpl_tensor *w, const int64_t *label, mlpl_tensor *each, mlpl_tensor *dx,
    mlpl_tensor *out) {
  double by = denominator(label, x->shape[0], w);
  bool mean = p[REDUCTION].i == MLPLI_MEAN_LOSS;
  run_rows(cx, p, x, w, label, mean ? 1 / by : 1, each ? each : out, dx);
  return each ? reduce_rows(cx, p, out, each, by) : MLPL_OK;
}

static mlpl_status forward_labels(mlpl_ctx *cx, mlpli_call *c, mlpl_tensor *out) {
  mlpl_tensor *x = NULL, *w = NULL, *each = NULL,
              *given = c->n > WEIGHT ? c->in[WEIGHT] : NULL;
  int64_t *label = NULL, reduction = c->p[REDUCTION].i;
  mlpl_status status = read_labels(
      cx, c->op->name, c->in[TARGET], c->in[INPUT]->shape[1], c->p, &label);
  if (status == MLPL_OK) status = with_rows(cx, c->in[INPUT], &x);
  if (status == MLPL_OK && given) status = with_rows(cx, given, &w);
  if (status == MLPL_OK && c->record)
    status = mlpli_tensor_like(cx, &c->extra, c->in[INPUT]);
  if (status == MLPL_OK && reduction != MLPLI_NO_REDUCTION)
    status = mlpli_tensor_make(cx, &each, x->dtype, 1, x->shape);
  if (status == MLPL_OK)
    status = mlpli_cross_entropy_labels(cx, c->p, x, w, label, each, c->extra, out);
  mlpli_free(cx->heap, label);
  mlpl_tensor_release(x);
  mlpl_tensor_release(w);
  mlpl_tensor_release(each);
  return status;
}

/* ---- shares, and second derivatives: with operations ------------------------------- */

/* q: what each class counts, [n x k]; also the factor of a mean. For shares: w ((1 - e)
   target + e / k). */
static mlpl_tensor *dense_shares(
    mlpli_expr *e, mlpl_tensor *t, mlpl_tensor *w, const mlpl_value *p) {
  double smooth = p[SMOOTHING].f;
  mlpl_tensor *q = mlpli_xaffine(e, t, 1 - smooth, smooth / (double)t->shape[1]);
  return w ? mlpli_xmul(e, q, w) : q;
}

/* For labels: (1 - e) w_y [c = y] + (e / k) w_c; rows that are ignored are 0. */
static mlpl_tensor *dense_labels(mlpli_expr *e, mlpl_tensor *x, mlpl_tensor *t,
    mlpl_tensor *w, const mlpl_value *p, double *by) {
  int64_t *label, k = x->shape[1];
  double smooth = p[SMOOTHING].f;
  mlpl_tensor *q;
  e->status = read_labels(e->cx, "cross_entropy", t, k, p, &label);
  if (e->status != MLPL_OK) return NULL;
  e->status = mlpli_tensor_like(e->cx, &q, x);
  for (int64_t i = 0; e->status == MLPL_OK && i < x->shape[0]; i++)
    for (int64_t c = 0; c < k; c++) {
      double v = smooth / (double)k * weight_at(w, c) +
          (c == label[i] ? (1 - smooth) * weight_at(w, c) : 0);
      mlpli_store(q->data + (i * k + c) * mlpli_dtype_size[q->dtype], q->dtype,
          label[i] < 0 ? 0 : v);
    }
  *by = denominator(label, x->shape[0], w);
  mlpli_free(e->cx->heap, label);
  return mlpli_xkeep(e, q);
}

static mlpl_tensor *dense(
    mlpli_expr *e, mlpl_tensor *const *in, int n, const mlpl_value *p, double *scale) {
  mlpl_tensor *w = n > WEIGHT ? in[WEIGHT] : NULL;
  double by = (double)in[INPUT]->shape[0];
  mlpl_tensor *q = in[TARGET]->dtype == MLPL_I64
      ? dense_labels(e, in[INPUT], in[TARGET], w, p, &by)
      : dense_shares(e, in[TARGET], w, p);
  *scale = p[REDUCTION].i == MLPLI_MEAN_LOSS ? 1 / by : 1;
  return q;
}

static const mlpl_value last_axis[] = {{.i = 1}, {.i = 1}}; /* dim, keepdim */

/* softmax(x) sum_c q - q */
static mlpl_tensor *slope(mlpli_expr *e, mlpl_tensor *x, mlpl_tensor *q) {
  mlpl_tensor *p = mlpli_x1(e, MLPLI_OP_SOFTMAX, x, last_axis);
  return mlpli_xsub(e, mlpli_xmul(e, p, mlpli_x1(e, MLPLI_OP_SUM, q, last_axis)), q);
}

static mlpl_status forward_shares(mlpl_ctx *cx, mlpli_call *c, mlpl_tensor *out) {
  mlpli_expr e = {.cx = cx};
  mlpl_value rows[2] = {{.i = 1}, {.i = 0}};
  double scale = 1;
  bool was = mlpl_set_grad_enabled(cx, false);
  mlpl_tensor *x = c->in[INPUT], *q = dense(&e, c->in, c->n, c->p, &scale);
  mlpl_tensor *terms = mlpli_xmul(
      &e, q, mlpli_x1(&e, MLPLI_OP_LOG_SOFTMAX, x, last_axis));
  mlpl_tensor *each = mlpli_x1(
      &e, MLPLI_OP_NEG, mlpli_x1(&e, MLPLI_OP_SUM, terms, rows), NULL);
  if (each && c->p[REDUCTION].i == MLPLI_NO_REDUCTION)
    mlpli_copy(out, each);
  else if (each)
    e.status = reduce_rows(cx, c->p, out, each, (double)x->shape[0]);
  mlpl_tensor *dx = c->record ? mlpli_xaffine(&e, slope(&e, x, q), scale, 0) : NULL;
  if (dx) c->extra = mlpli_retain(dx);
  mlpl_set_grad_enabled(cx, was);
  return mlpli_expr_end(&e);
}

static mlpl_status forward_rows(mlpl_ctx *cx, mlpli_call *c, mlpl_tensor *out) {
  return c->in[TARGET]->dtype == MLPL_I64 ? forward_labels(cx, c, out)
                                          : forward_shares(cx, c, out);
}

/* The operands as rows; the gradient that is kept for backward is one of rows. */
static FORWARD(cross_entropy) {
  if (c->in[INPUT]->ndim == 2) return forward_rows(cx, c, *out);
  mlpli_expr e = {.cx = cx};
  mlpl_tensor *in[3] = {NULL}, *flat = NULL;
  mlpli_call rows = *c;
  bool was = mlpl_set_grad_enabled(cx, false);
  for (int i = 0; i < c->n; i++) in[i] = c->in[i];
  in[INPUT] = as_rows(&e, in[INPUT]);
  if (in[INPUT]) in[TARGET] = row_targets(&e, in[TARGET]);
  mlpl_set_grad_enabled(cx, was);
  rows.in = in;
  if (e.status == MLPL_OK && c->p[REDUCTION].i == MLPLI_NO_REDUCTION)
    e.status = mlpli_tensor_view(
        cx, &flat, *out, 0, 1, &in[INPUT]->shape[0], (int64_t[]){1});
  if (e.status == MLPL_OK) e.status = forward_rows(cx, &rows, flat ? flat : *out);
  c->extra = rows.extra;
  mlpl_tensor_release(flat);
  return mlpli_expr_end(&e);
}

/* ---- backward ---------------------------------------------------------------------- */

/* g as a factor of rows: [n x 1] where there is one for each. */
static mlpl_tensor *row_factor(mlpli_expr *e, mlpl_tensor *g) {
  mlpl_value column = {.sizes = {2, {g->numel, 1}}};
  return g->ndim ? mlpli_x1(e, MLPLI_OP_RESHAPE, g, &column) : g;
}

static BACKWARD(cross_entropy) {
  mlpli_expr e = {.cx = cx};
  int ndim;
  const int64_t *shape;
  mlpl_tensor *dx = n->extra;
  mlpli_input_shape(n, 0, &ndim, &shape);
  if (cx->grad_enabled) {
    double scale = 1;
    mlpl_tensor *in[3] = {NULL};
    for (int i = 0; i < n->n_in; i++) in[i] = n->in[i];
    in[INPUT] = as_rows(&e, in[INPUT]);
    mlpl_set_grad_enabled(cx, false);
    if (in[INPUT]) in[TARGET] = row_targets(&e, in[TARGET]);
    mlpl_tensor *q = in[INPUT] && in[TARGET] ? dense(&e, in, n->n_in, n->p, &scale)
                                             : NULL;
    mlpl_set_grad_enabled(cx, true);
    dx = mlpli_xaffine(&e, slope(&e, in[INPUT], q), scale, 0);
  }
  /* the usual end of a graph */
  if (cx->grad_enabled || g->ndim || mlpli_load(g->data, g->dtype) != 1)
    dx = mlpli_xmul(&e, dx, row_factor(&e, g));
  mlpli_xgive(&e, n, 0, dx ? from_rows(&e, dx, ndim, shape) : NULL);
  return mlpli_expr_end(&e);
}

/* ---- nll_loss: logarithms of probabilities are given ------------------------------- */

/* What picks a row's loss: its label (0 where it is ignored), the label's weight, whether it
   is ignored. */
typedef struct picked {
  mlpl_tensor *label, *weight, *ignored;
} picked;

static mlpl_status pick_by(mlpl_ctx *cx, const int64_t *label, const mlpl_tensor *w,
    const mlpl_tensor *x, picked *k) {
  const int64_t n = x->shape[0], column[] = {n, 1};
  MLPL_TRY(mlpli_tensor_make(cx, &k->label, MLPL_I64, 2, column));
  MLPL_TRY(mlpli_tensor_make(cx, &k->weight, x->dtype, 2, column));
  MLPL_TRY(mlpli_tensor_make(cx, &k->ignored, MLPL_BOOL, 2, column));
  for (int64_t i = 0; i < n; i++) {
    const bool counts = label[i] >= 0;
    ((int64_t *)(void *)k->label->data)[i] = counts ? label[i] : 0;
    ((uint8_t *)k->ignored->data)[i] = !counts;
    mlpli_store(k->weight->data + i * mlpli_dtype_size[x->dtype], x->dtype,
        counts ? weight_at(w, label[i]) : 0);
  }
  return MLPL_OK;
}

/* -w_y x_y of every row, 0 of those that are ignored, whatever x is there */
static mlpl_tensor *row_losses(
    mlpli_expr *e, const mlpli_call *c, mlpl_tensor *x, mlpl_tensor *t, double *by) {
  const mlpl_tensor *w = c->n > WEIGHT ? c->in[WEIGHT] : NULL;
  int64_t *label;
  picked k = {NULL};
  if (!x || !t) return NULL;
  e->status = read_labels(e->cx, c->op->name, t, x->shape[1], c->p, &label);
  if (e->status != MLPL_OK) return NULL;
  *by = denominator(label, x->shape[0], w);
  e->status = pick_by(e->cx, label, w, x, &k);
  mlpli_free(e->cx->heap, label);
  mlpli_xkeep(e, k.label), mlpli_xkeep(e, k.weight), mlpli_xkeep(e, k.ignored);
  if (e->status != MLPL_OK) return NULL;
  mlpl_tensor *y = mlpli_x2(e, MLPLI_OP_PICK, x, k.label, &(mlpl_value){.i = 1});
  y = mlpli_x2(e, MLPLI_OP_MASKED_FILL, y, k.ignored, &(mlpl_value){.f = 0});
  return mlpli_x1(e, MLPLI_OP_NEG, mlpli_xmul(e, y, k.weight), NULL);
}

static COMPOSE(nll_loss) {
  mlpli_expr e = {.cx = cx};
  mlpli_shape s;
  double by = 1;
  MLPL_TRY(shape_cross_entropy(cx, c, &s));
  mlpl_tensor *x = as_rows(&e, c->in[INPUT]);
  mlpl_tensor *y = row_losses(&e, c, x, x ? row_targets(&e, c->in[TARGET]) : NULL, &by);
  mlpl_value shape = {.sizes = {.n = s.ndim}}, all[2] = {{.i = MLPL_NO_AXIS}, {.i = 0}};
  memcpy(shape.sizes.v, s.size, sizeof s.size);
  if (c->p[REDUCTION].i == MLPLI_NO_REDUCTION)
    y = mlpli_x1(&e, MLPLI_OP_RESHAPE, y, &shape);
  else
    y = mlpli_x1(&e, MLPLI_OP_SUM, y, all);
  if (y && c->p[REDUCTION].i == MLPLI_MEAN_LOSS)
    y = mlpli_xdiv(&e, y, mlpli_xnumber(&e, y, by));
  return mlpli_xresult(&e, out, y);
}

/* ---- rows -------------------------------------------------------------------------- */

static const mlpl_param cross_entropy_params[] = {
    MLPLI_CHOICE_OPTION("reduction", mlpli_reductions),
    MLPLI_INT_OPTION("ignore_index", -100, -MANY, MANY),
    MLPLI_REAL_OPTION("label_smoothing", 0, 0, 1)};

const mlpl_op mlpli_op_cross_entropy = {.name = "cross_entropy",
    .input_name = {"input", "target", "weight"},
    .domain = {MLPLI_REAL, MLPLI_TARGET, MLPLI_SHARE},
    .n_inputs = 3,
    .n_required = 2,
    .n_outputs = 1,
    .saves = 7,
    .differentiable = 1,
    .shape = shape_cross_entropy,
    .forward = cross_entropy_forward,
    HAS_BACKWARD(cross_entropy),
    PARAMS(cross_entropy_params)};

static const mlpl_param nll_params[] = {
    MLPLI_CHOICE_OPTION("reduction", mlpli_reductions),
    MLPLI_INT_OPTION("ignore_index", -100, -MANY, MANY)};

const mlpl_op mlpli_op_nll_loss = {.name = "nll_loss",
    .input_name = {"input", "target", "weight"},
    .domain = {MLPLI_REAL, MLPLI_LABELS, MLPLI_SHARE},
    .n_inputs = 3,
    .n_required = 2,
    .n_outputs = 1,
    .differentiable = 1,
    .compose = nll_loss_compose,
    PARAMS(nll_params)};
