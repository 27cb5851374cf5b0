/* Data sets: rows of examples with their targets, and their division into parts. */
#include "data/data.h"

#include <limits.h>
#include <math.h>
#include <string.h>

/* ---- names ------------------------------------------------------------------------- */

mlpl_status mlpli_names_new(
    mlpl_ctx *cx, mlpli_names **out, const char *const *text, int64_t n) {
  *out = NULL;
  size_t bytes = 0;
  if (n > INT_MAX)
    return mlpl_fail(cx, MLPL_EARG, "data set: %lld names are too many", (long long)n);
  mlpli_mul((size_t)n, sizeof(char *), &bytes);
  /* all of it is in memory: no overflow */
  for (int64_t i = 0; i < n; i++) bytes += strlen(text[i]) + 1;
  mlpli_names *names;
  MLPL_TRY(mlpli_new(cx, &names, sizeof *names + bytes, "data set"));
  names->refs = 1;
  names->n = (int)n;
  names->heap = cx->heap;
  char *p = (char *)(names->text + n);
  for (int64_t i = 0; i < n; i++) {
    size_t length = strlen(text[i]) + 1;
    names->text[i] = memcpy(p, text[i], length);
    p += length;
  }
  *out = names;
  return MLPL_OK;
}

void mlpli_names_release(mlpli_names *names) {
  if (names && --names->refs == 0) mlpli_free(names->heap, names);
}

/* ---- the data set ------------------------------------------------------------------ */

mlpl_status mlpli_dataset_make(mlpl_ctx *cx, mlpl_dataset **out, mlpl_tensor *x,
    mlpl_tensor *y, mlpli_names *classes, mlpli_names *columns) {
  *out = NULL;
  mlpl_dataset *ds;
  MLPL_TRY(mlpli_new(cx, &ds, sizeof *ds, "data set"));
  mlpli_ctx_retain(cx);
  *ds = (mlpl_dataset){
      1, cx, mlpli_retain(x), y ? mlpli_retain(y) : NULL, classes, columns};
  if (classes) classes->refs++;
  if (columns) columns->refs++;
  *out = ds;
  return MLPL_OK;
}

/* Every label is one of the classes. */
static mlpl_status check_labels(
    mlpl_ctx *cx, const char *what, const mlpl_tensor *y, int n_classes) {
  char shape[MLPLI_SHAPE_TEXT];
  if (y->dtype != MLPL_I64 || y->ndim != 1)
    return mlpl_fail(cx, y->ndim != 1 ? MLPL_ESHAPE : MLPL_EARG,
        "%s: with classes y holds i64 labels [n]; it is %s %s", what,
        mlpl_dtype_name((mlpl_dtype)y->dtype), mlpli_tensor_text(shape, y));
  int64_t *label;
  MLPL_TRY(mlpli_new(cx, &label, (size_t)y->numel * sizeof *label, what));
  mlpl_status status = mlpli_labels(cx, what, y, n_classes, NULL, label);
  mlpli_free(cx->heap, label);
  return status;
}

static mlpl_status check_parts(mlpl_ctx *cx, const mlpl_tensor *x, const mlpl_tensor *y,
    const char *const *classes, int n_classes) {
  char xs[MLPLI_SHAPE_TEXT], ys[MLPLI_SHAPE_TEXT];
  if (x->ndim == 0)
    return mlpl_fail(cx, MLPL_ESHAPE, "data set: x is a scalar; it needs rows");
  if (y && (y->ndim == 0 || y->shape[0] != x->shape[0]))
    return mlpl_fail(cx, MLPL_ESHAPE,
        "data set: x and y differ in rows: x is %s, y is %s", mlpli_tensor_text(xs, x),
        mlpli_tensor_text(ys, y));
  if (n_classes < 0 || (n_classes > 0 && !classes))
    return mlpl_fail(cx, MLPL_EARG, "data set: %d classes without names", n_classes);
  for (int i = 0; i < n_classes; i++)
    if (!classes[i])
      return mlpl_fail(
          cx, MLPL_EARG, "data set: class %d has no name", i + cx->index_base);
  if (n_classes == 0) return MLPL_OK;
  if (!y) return mlpl_fail(cx, MLPL_EARG, "data set: there are classes, but no y");
  return check_labels(cx, "data set", y, n_classes);
}

mlpl_status mlpl_dataset_new(mlpl_ctx *cx, mlpl_dataset **ds, mlpl_tensor *x,
    mlpl_tensor *y, const char *const *classes, int n_classes) {
  *ds = NULL;
  MLPL_TRY(check_parts(cx, x, y, classes, n_classes));
  mlpli_names *names = NULL;
  if (n_classes) MLPL_TRY(mlpli_names_new(cx, &names, classes, n_classes));
  mlpl_status status = mlpli_dataset_make(cx, ds, x, y, names, NULL);
  mlpli_names_release(names);
  return status;
}

mlpl_dataset *mlpl_dataset_retain(mlpl_dataset *ds) {
  ds->refs++;
  return ds;
}

void mlpl_dataset_release(mlpl_dataset *ds) {
  if (!ds || --ds->refs > 0) return;
  mlpl_ctx *cx = ds->cx;
  mlpl_tensor_release(ds->x);
  mlpl_tensor_release(ds->y);
  mlpli_names_release(ds->classes);
  mlpli_names_release(ds->columns);
  mlpli_free(cx->heap, ds);
  mlpli_ctx_release(cx);
}

int64_t mlpl_dataset_size(const mlpl_dataset *ds) { return ds->x->shape[0]; }
mlpl_tensor *mlpl_dataset_x(const mlpl_dataset *ds) { return ds->x; }
mlpl_tensor *mlpl_dataset_y(const mlpl_dataset *ds) { return ds->y; }

static int count(const mlpli_names *names) { return names ? names->n : 0; }
static const char *name_at(const mlpli_names *names, int i) {
  return i >= 0 && i < count(names) ? names->text[i] : NULL;
}

int mlpl_dataset_n_classes(const mlpl_dataset *ds) { return count(ds->classes); }
const char *mlpl_dataset_class(const mlpl_dataset *ds, int i) {
  return name_at(ds->classes, i);
}
int mlpl_dataset_n_names(const mlpl_dataset *ds) { return count(ds->columns); }
const char *mlpl_dataset_name(const mlpl_dataset *ds, int i) {
  return name_at(ds->columns, i);
}

/* ---- gathering rows ---------------------------------------------------------------- */

#define PARALLEL_BYTES                                                                   \
  ((size_t)256 << 10) /* less is copied before a thread has woken up */
#define TASK_BYTES ((size_t)64 << 10)

typedef struct gather {
  char *dst;
  const char *src;
  const int64_t *rows;
  size_t bytes; /* of a row */
  int64_t n, rows_a_task;
} gather;

static void gather_range(const gather *g, int64_t from, int64_t to) {
  /* labels: a call of memcpy each would cost more than the copy */
  if (g->bytes == sizeof(int64_t)) {
    for (int64_t i = from; i < to; i++)
      memcpy(g->dst + i * 8, g->src + g->rows[i] * 8, 8);
    return;
  }
  char *dst = g->dst + (size_t)from * g->bytes;
  for (int64_t i = from; i < to; i++, dst += g->bytes) {
    /* The rows lie anywhere in memory: ask for the next while this one is copied. */
    if (i + 1 < to) __builtin_prefetch(g->src + (size_t)g->rows[i + 1] * g->bytes);
    memcpy(dst, g->src + (size_t)g->rows[i] * g->bytes, g->bytes);
  }
}

static void gather_task(void *arg, ptrdiff_t i, int worker) {
  (void)worker;
  const gather *g = arg;
  int64_t from = i * g->rows_a_task, to = from + g->rows_a_task;
  gather_range(g, from, to < g->n ? to : g->n);
}

mlpl_status mlpli_gather_rows(mlpl_ctx *cx, mlpl_tensor **out, const mlpl_tensor *t,
    const int64_t *rows, int64_t n) {
  MLPL_ASSERT(t->contiguous && t->ndim > 0);
  int64_t shape[MLPL_MAX_RANK];
  memcpy(shape, t->shape, sizeof shape);
  shape[0] = n;
  MLPL_TRY(mlpli_tensor_make(cx, out, t->dtype, t->ndim, shape));
  if ((*out)->numel == 0) return MLPL_OK;
  size_t bytes = (size_t)((*out)->numel / n) * mlpli_dtype_size[t->dtype];
  gather g = {(*out)->data, t->data, rows, bytes, n, (int64_t)(TASK_BYTES / bytes) + 1};
  if ((size_t)n * bytes < PARALLEL_BYTES)
    gather_range(&g, 0, n);
  else
    cx->par.run(&cx->par, (n + g.rows_a_task - 1) / g.rows_a_task, gather_task, &g);
  return MLPL_OK;
}

/* ---- split ------------------------------------------------------------------------- */

typedef struct split {
  mlpl_ctx *cx;
  const mlpl_dataset *ds;
  int64_t n, n_a;
  int64_t *order; /* all rows as they are drawn; then a's rows, then b's */
  int64_t *label; /* NULL: not stratified */
  int64_t *share; /* by class: rows of it that a still gets */
} split;

static int64_t rounded(double fraction, int64_t n) {
  return (int64_t)floor(fraction * (double)n + 0.5);
}

static mlpl_status split_check(
    mlpl_ctx *cx, const mlpl_dataset *ds, double fraction, int flags) {
  if (!(fraction > 0 && fraction < 1))
    return mlpl_fail(cx, MLPL_EARG, "split: share %g is not between 0 and 1", fraction);
  if (flags & ~(MLPL_SHUFFLE | MLPL_STRATIFY))
    return mlpl_fail(cx, MLPL_EARG, "split: unknown flags %d", flags);
  if ((flags & MLPL_STRATIFY) && !ds->classes)
    return mlpl_fail(cx, MLPL_EARG, "split: stratify needs a data set with classes");
  return MLPL_OK;
}

/* Memory for everything, and the shares of the classes (all rows are one class unless
   stratified). */
static mlpl_status split_plan(split *s, double fraction, int flags) {
  int n_classes = flags & MLPL_STRATIFY ? s->ds->classes->n : 1;
  size_t row_bytes = (size_t)s->n * sizeof(int64_t), all;
  /* x may be [n x 0]: n alone is not bounded by memory. */
  if (!mlpli_mul((size_t)s->n, 2 * sizeof(int64_t), &all))
    return mlpli_no_memory(s->cx, "split", SIZE_MAX);
  MLPL_TRY(mlpli_new(s->cx, &s->order, all, "split"));
  MLPL_TRY(mlpli_new(s->cx, &s->share, (size_t)n_classes * sizeof(int64_t), "split"));
  if (flags & MLPL_STRATIFY) {
    MLPL_TRY(mlpli_new(s->cx, &s->label, row_bytes, "split"));
    MLPL_TRY(mlpli_labels(s->cx, "split", s->ds->y, n_classes, NULL, s->label));
    for (int64_t i = 0; i < s->n; i++) s->share[s->label[i]]++;
  }
  else {
    s->share[0] = s->n;
  }
  for (int c = 0; c < n_classes; c++)
    s->n_a += s->share[c] = rounded(fraction, s->share[c]);
  return MLPL_OK;
}

/* Deal the rows out in the order drawn. */
static void split_deal(split *s, int flags) {
  int64_t *drawn = s->order + s->n, *a = s->order, *b = s->order + s->n_a;
  if (flags & MLPL_SHUFFLE)
    mlpli_random_permutation(s->cx, drawn, s->n);
  else
    for (int64_t i = 0; i < s->n; i++) drawn[i] = i;
  for (int64_t i = 0; i < s->n; i++) {
    int64_t row = drawn[i], *share = &s->share[s->label ? s->label[row] : 0];
    if (*share > 0)
      *a++ = row, --*share;
    else
      *b++ = row;
  }
}

static mlpl_status take_tensor(mlpl_ctx *cx, mlpl_tensor **out, const mlpl_tensor *t,
    const int64_t *rows, int64_t n) {
  mlpl_tensor *whole;
  *out = NULL;
  if (!t) return MLPL_OK;
  MLPL_TRY(mlpli_tensor_contiguous(cx, &whole, t));
  mlpl_status status = mlpli_gather_rows(cx, out, whole, rows, n);
  mlpl_tensor_release(whole);
  return status;
}

static mlpl_status take(mlpl_ctx *cx, mlpl_dataset **out, const mlpl_dataset *ds,
    const int64_t *rows, int64_t n) {
  mlpl_tensor *x = NULL, *y = NULL;
  mlpl_status status = take_tensor(cx, &x, ds->x, rows, n);
  if (status == MLPL_OK) status = take_tensor(cx, &y, ds->y, rows, n);
  if (status == MLPL_OK)
    status = mlpli_dataset_make(cx, out, x, y, ds->classes, ds->columns);
  mlpl_tensor_release(x);
  mlpl_tensor_release(y);
  return status;
}

mlpl_status mlpl_dataset_split(mlpl_ctx *cx, const mlpl_dataset *ds, double fraction,
    int flags, mlpl_dataset **a, mlpl_dataset **b) {
  *a = *b = NULL;
  MLPL_TRY(split_check(cx, ds, fraction, flags));
  const mlplk_stream before = cx->random;
  split s = {.cx = cx, .ds = ds, .n = mlpl_dataset_size(ds)};
  mlpl_status status = split_plan(&s, fraction, flags);
  if (status == MLPL_OK) {
    split_deal(&s, flags);
    status = take(cx, a, ds, s.order, s.n_a);
  }
  if (status == MLPL_OK) status = take(cx, b, ds, s.order + s.n_a, s.n - s.n_a);
  if (status != MLPL_OK) {
    mlpl_dataset_release(*a);
    *a = NULL;
  }
  mlpli_free(cx->heap, s.order);
  mlpli_free(cx->heap, s.share);
  mlpli_free(cx->heap, s.label);
  return mlpli_undraw(cx, before, status);
}
