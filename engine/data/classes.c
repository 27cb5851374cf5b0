#include "data/classes.h"

#include "base/number.h"

void mlpli_classes_init(mlpli_classes *s, mlpl_ctx *cx) {
  mlpli_buffer none = mlpli_buffer_of(cx, "labels");
  *s = (mlpli_classes){.cx = cx, .text = none, .start = none, .row = none};
}

void mlpli_classes_free(mlpli_classes *s) {
  mlpli_buffer_free(&s->text);
  mlpli_buffer_free(&s->start);
  mlpli_buffer_free(&s->row);
  mlpli_free(s->cx->heap, s->slot);
  s->slot = NULL;
}

static int64_t count(const mlpli_classes *s) {
  return (int64_t)(s->start.n / sizeof(size_t));
}

static const char *label_text(const mlpli_classes *s, int64_t i) {
  size_t start;
  memcpy(&start, s->start.p + (size_t)i * sizeof start, sizeof start);
  return s->text.p + start;
}

/* FNV-1a: labels are few and short, so any hash will do; a file made to collide costs
   only time. */
static uint64_t hash(const char *p, size_t n) {
  uint64_t h = UINT64_C(14695981039346656037);
  for (size_t i = 0; i < n; i++) h = (h ^ (unsigned char)p[i]) * UINT64_C(1099511628211);
  return h ^ h >> 32;
}

/* The slot that holds the text, or the free one where it belongs. */
static int64_t *find(const mlpli_classes *s, const char *p, size_t n) {
  size_t mask = s->n_slots - 1;
  for (size_t i = (size_t)hash(p, n) & mask;; i = (i + 1) & mask) {
    if (!s->slot[i]) return &s->slot[i];
    const char *there = label_text(s, s->slot[i] - 1);
    if (strncmp(there, p, n) == 0 && there[n] == '\0') return &s->slot[i];
  }
}

/* Keep the table at most half full. */
static mlpl_status make_room(mlpli_classes *s) {
  if ((size_t)count(s) * 2 < s->n_slots) return MLPL_OK;
  size_t n = s->n_slots ? s->n_slots * 2 : 32;
  int64_t *old = s->slot, *slot;
  MLPL_TRY(mlpli_new(s->cx, &slot, n * sizeof *slot, "labels"));
  s->slot = slot;
  s->n_slots = n;
  for (int64_t i = 0; i < count(s); i++) {
    const char *text = label_text(s, i);
    *find(s, text, strlen(text)) = i + 1;
  }
  mlpli_free(s->cx->heap, old);
  return MLPL_OK;
}

mlpl_status mlpli_classes_add(mlpli_classes *s, const char *text, size_t n) {
  MLPL_TRY(make_room(s));
  int64_t *slot = find(s, text, n);
  if (!*slot) {
    size_t start = s->text.n;
    MLPL_TRY(mlpli_buffer_reserve(&s->text, n + 1));
    MLPL_TRY(mlpli_buffer_add(&s->start, &start, sizeof start));
    mlpli_buffer_add(&s->text, text, n);
    mlpli_buffer_add(&s->text, "", 1);
    *slot = count(s);
  }
  int64_t label = *slot - 1;
  return mlpli_buffer_add(&s->row, &label, sizeof label);
}

/* ---- from texts to classes --------------------------------------------------------- */

typedef struct sorting {
  const mlpli_classes *s;
  int64_t n, n_classes;
  double *value;     /* of each label; NULL: not all are numbers */
  int64_t *order;    /* labels, sorted */
  int64_t *class_of; /* of each label */
  const char **name; /* of each class */
} sorting;

static bool by_value(const void *ud, int64_t a, int64_t b) {
  const double *value = ((const sorting *)ud)->value;
  return value[a] < value[b] || (value[a] == value[b] && a < b);
}

static bool by_bytes(const void *ud, int64_t a, int64_t b) {
  const mlpli_classes *s = ((const sorting *)ud)->s;
  return strcmp(label_text(s, a), label_text(s, b)) < 0;
}

/* value is dropped unless all labels are numbers. */
static void read_values(sorting *t) {
  for (int64_t i = 0; i < t->n; i++) {
    const char *end = mlpli_number_read(label_text(t->s, i), &t->value[i]);
    if (end && *end == '\0') continue;
    mlpli_free(t->s->cx->heap, t->value);
    t->value = NULL;
    return;
  }
}

static mlpl_status allocate(sorting *t) {
  mlpl_ctx *cx = t->s->cx;
  size_t n = (size_t)t->n; /* labels, each of more bytes than this needs no check */
  MLPL_TRY(mlpli_new(cx, &t->value, n * sizeof *t->value, "labels"));
  MLPL_TRY(mlpli_new(cx, &t->order, n * sizeof *t->order, "labels"));
  MLPL_TRY(mlpli_new(cx, &t->class_of, n * sizeof *t->class_of, "labels"));
  return mlpli_new(cx, &t->name, n * sizeof *t->name, "labels");
}

/* A class for each label, but one for equal numbers, under the name that came first in
   the file. */
static void number_classes(sorting *t) {
  read_values(t);
  for (int64_t i = 0; i < t->n; i++) t->order[i] = i;
  mlpli_sort(t->order, t->n, t->value ? by_value : by_bytes, t);
  for (int64_t i = 0; i < t->n; i++) {
    int64_t label = t->order[i];
    bool same = i > 0 && t->value && t->value[label] == t->value[t->order[i - 1]];
    if (!same) t->name[t->n_classes++] = label_text(t->s, label);
    t->class_of[label] = t->n_classes - 1;
  }
}

static mlpl_status make(sorting *t, mlpl_tensor **y, mlpli_names **classes) {
  mlpl_ctx *cx = t->s->cx;
  MLPL_TRY(allocate(t));
  number_classes(t);
  int64_t rows = (int64_t)(t->s->row.n / sizeof(int64_t));
  MLPL_TRY(mlpli_tensor_make(cx, y, MLPL_I64, 1, &rows));
  const int64_t *label = (const int64_t *)(const void *)t->s->row.p;
  int64_t *out = (int64_t *)(void *)(*y)->data;
  for (int64_t i = 0; i < rows; i++) out[i] = t->class_of[label[i]] + cx->index_base;
  return mlpli_names_new(cx, classes, t->name, t->n_classes);
}

mlpl_status mlpli_classes_finish(
    mlpli_classes *s, mlpl_tensor **y, mlpli_names **classes) {
  *y = NULL;
  *classes = NULL;
  sorting t = {.s = s, .n = count(s)};
  mlpl_status status = make(&t, y, classes);
  if (status != MLPL_OK) mlpli_drop(y);
  mlpli_heap *heap = s->cx->heap;
  mlpli_free(heap, t.value);
  mlpli_free(heap, t.order);
  mlpli_free(heap, t.class_of);
  mlpli_free(heap, t.name);
  return status;
}
