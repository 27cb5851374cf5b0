/*
** Einstein's sums: a sentence of subscripts, carried out two operands at a time with rows
** of the table, so that derivatives of any order come with it. The next two are those that
** leave the least to hold. An operand is laid out as [kept in both, own, summed] by one
** internal row that moves axes, takes diagonals and adds axes of size 1; then one matmul,
** or a product where nothing is summed.
**
**   move_axes    axis i of the input is axis axes[i] of the result; two on one are its
**                diagonal, -1 drops an axis of size 1, and axes that none is sent to have
**                size 1
**   spread_axes  the reverse: zeros of `sizes`, and the input where move_axes would read
*/
#include "ops/rows.h"

#include "grad/grad.h"

#include <math.h>
#include <string.h>

/* ---- rows that move axes ----------------------------------------------------------- */

static mlpl_status moved(mlpl_ctx *cx, const mlpl_tensor *x, const mlpl_value *axes,
    int ndim, mlpl_tensor **out) {
  int64_t shape[MLPL_MAX_RANK], stride[MLPL_MAX_RANK];
  for (int d = 0; d < ndim; d++) shape[d] = 1, stride[d] = 0;
  for (int d = 0; d < x->ndim; d++) {
    int64_t to = axes->sizes.v[d];
    if (to < 0) continue;
    shape[to] = x->shape[d];
    stride[to] += x->stride[d];
  }
  int64_t step = 1;
  for (int d = ndim - 1; d >= 0; d--) { /* any stride will do over one element */
    if (shape[d] == 1) stride[d] = step;
    step = stride[d] * shape[d];
  }
  return mlpli_tensor_view(cx, out, x, 0, ndim, shape, stride);
}

static VIEW(move_axes) { return moved(cx, c->in[0], &c->p[0], (int)c->p[1].i, out); }

static BACKWARD(move_axes) {
  mlpli_expr e = {.cx = cx};
  int ndim, from[MLPL_MAX_RANK];
  const int64_t *shape;
  bool diagonal = false;
  mlpli_input_shape(n, 0, &ndim, &shape);
  mlpl_value back[2];
  memset(back, 0, sizeof back);
  for (int d = 0; d < n->ndim; d++) from[d] = -1;
  for (int d = 0; d < ndim; d++) {
    int64_t to = n->p[0].sizes.v[d];
    if (to < 0) continue;
    diagonal |= from[to] >= 0;
    from[to] = d;
  }
  if (diagonal) {
    back[0] = n->p[0];
    back[1].sizes.n = ndim;
    memcpy(back[1].sizes.v, shape, (size_t)ndim * sizeof *shape);
    mlpli_xgive(&e, n, 0, mlpli_x1(&e, MLPLI_OP_SPREAD_AXES, g, back));
    return mlpli_expr_end(&e);
  }
  back[0].sizes.n = n->ndim;
  for (int d = 0; d < n->ndim; d++) back[0].sizes.v[d] = from[d];
  back[1].i = ndim;
  mlpli_xgive(&e, n, 0, mlpli_x1(&e, MLPLI_OP_MOVE_AXES, g, back));
  return mlpli_expr_end(&e);
}

static SHAPE(spread_axes) {
  (void)cx;
  s->ndim = c->p[1].sizes.n;
  memcpy(s->size, c->p[1].sizes.v, sizeof s->size);
  return MLPL_OK;
}

static FORWARD(spread_axes) {
  mlpl_tensor *part;
  mlpli_fill(*out, 0);
  MLPL_TRY(moved(cx, *out, &c->p[0], c->in[0]->ndim, &part));
  mlpli_copy(part, c->in[0]);
  mlpl_tensor_release(part);
  return MLPL_OK;
}

static BACKWARD(spread_axes) {
  mlpli_expr e = {.cx = cx};
  int ndim;
  const int64_t *shape;
  mlpl_value p[2];
  mlpli_input_shape(n, 0, &ndim, &shape);
  memset(p, 0, sizeof p);
  p[0] = n->p[0];
  p[1].i = ndim;
  mlpli_xgive(&e, n, 0, mlpli_x1(&e, MLPLI_OP_MOVE_AXES, g, p));
  return mlpli_expr_end(&e);
}

/* ---- the equation ------------------------------------------------------------------ */

/* Subscripts are numbered: letters, then the axes of an ellipsis, from the last. */
enum { LETTERS = 52, LABELS = LETTERS + MLPL_MAX_RANK, MOST_OPERANDS = 16 };

/* A tensor and the subscripts of its axes. */
typedef struct term {
  mlpl_tensor *t;
  mlpl_tensor *made; /* t, if it is a result on the way and not an operand */
  int n;
  int label[MLPL_MAX_RANK];
} term;

typedef struct sum_of {
  mlpl_ctx *cx;
  const char *equation;
  int n;                  /* operands that are left */
  term in[MOST_OPERANDS]; /* in their order */
  int n_out, out[MLPL_MAX_RANK];
  int dots;             /* most axes that an ellipsis stands for */
  int64_t size[LABELS]; /* 0: not seen; else size + 1 */
  int times[LABELS];    /* that a letter occurs */
} sum_of;

static int letter_of(char c) {
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  return c >= 'A' && c <= 'Z' ? c - 'A' : -1;
}

static mlpl_status bad(sum_of *s, const char *what) {
  return mlpl_fail(s->cx, MLPL_EARG, "einsum: equation '%.100s': %s", s->equation, what);
}

static char letter(int label) {
  return (char)(label < 26 ? 'A' + label : 'a' + label - 26);
}

static mlpl_status bad_letter(sum_of *s, int label, const char *problem) {
  return mlpl_fail(s->cx, MLPL_EARG,
      "einsum: equation '%.100s': the result has subscript "
      "'%c'%s",
      s->equation, letter(label), problem);
}

/* Letters of one operand, or of the result, at *text, into label; *dots is the place of
   an ellipsis among them, or -1. Ends at ',', '-' or the end. */
static mlpl_status read_letters(
    sum_of *s, const char **text, int *label, int *n, int *dots) {
  *n = 0, *dots = -1;
  for (; **text && **text != ',' && **text != '-'; ++*text) {
    if (**text == ' ') continue;
    if (strncmp(*text, "...", 3) == 0 && *dots < 0) {
      *dots = *n;
      *text += 2;
      continue;
    }
    int l = letter_of(**text);
    if (l < 0)
      return mlpl_fail(s->cx, MLPL_EARG,
          "einsum: equation '%.100s': '%c' is no subscript; those are letters and one "
          "'...'",
          s->equation, **text >= ' ' && **text < 127 ? **text : '?');
    if (*n == MLPL_MAX_RANK) return bad(s, "a tensor has at most 8 axes");
    label[(*n)++] = l;
  }
  return MLPL_OK;
}

static mlpl_status see_size(sum_of *s, int operand, int label, int64_t size) {
  int64_t known = s->size[label] - 1;
  if (known < 0 || known == 1)
    s->size[label] = size + 1;
  else if (size != known && size != 1 && label < LETTERS)
    return mlpl_fail(s->cx, MLPL_ESHAPE,
        "einsum: equation '%.100s': subscript '%c' has size %lld in operand %d and %lld "
        "before",
        s->equation, letter(label), (long long)size, operand + 1, (long long)known);
  else if (size != known && size != 1)
    return mlpl_fail(s->cx, MLPL_ESHAPE,
        "einsum: equation '%.100s': '...' has an axis of size %lld in operand %d and "
        "%lld before",
        s->equation, (long long)size, operand + 1, (long long)known);
  return MLPL_OK;
}

/* Put the ellipsis's axes among the letters. */
static void insert_dots(int *label, int *n, int at, int dots) {
  memmove(label + at + dots, label + at, (size_t)(*n - at) * sizeof *label);
  for (int d = 0; d < dots; d++) label[at + d] = LETTERS + dots - 1 - d;
  *n += dots;
}

static mlpl_status read_operand(sum_of *s, int i, const char **text) {
  term *t = &s->in[i];
  int at;
  char shape[MLPLI_SHAPE_TEXT];
  MLPL_TRY(read_letters(s, text, t->label, &t->n, &at));
  int dots = t->t->ndim - t->n;
  if (dots < 0 || (dots > 0 && at < 0))
    return mlpl_fail(s->cx, MLPL_ESHAPE,
        "einsum: equation '%.100s': operand %d is %s and has %d subscripts", s->equation,
        i + 1, mlpli_tensor_text(shape, t->t), t->n);
  for (int k = 0; k < t->n; k++) s->times[t->label[k]]++;
  if (at >= 0) insert_dots(t->label, &t->n, at, dots);
  if (dots > s->dots) s->dots = dots;
  for (int k = 0; k < t->n; k++) {
    for (int l = 0; l < k; l++)
      if (t->label[l] == t->label[k] && t->t->shape[l] != t->t->shape[k])
        return mlpl_fail(s->cx, MLPL_ESHAPE,
            "einsum: equation '%.100s': subscript '%c' stands for sizes %lld and %lld of "
            "operand %d, which is %s",
            s->equation, letter(t->label[k]), (long long)t->t->shape[l],
            (long long)t->t->shape[k], i + 1, mlpli_tensor_text(shape, t->t));
    MLPL_TRY(see_size(s, i, t->label[k], t->t->shape[k]));
  }
  return MLPL_OK;
}

/* After "->", or what occurs once: the ellipsis, then letters in the alphabet's order. */
static mlpl_status read_result(sum_of *s, const char *text) {
  int at = -1;
  if (*text) {
    if (strncmp(text, "->", 2) != 0)
      return bad(s, "'-' is no subscript; the result follows '->'");
    text += 2;
    MLPL_TRY(read_letters(s, &text, s->out, &s->n_out, &at));
    if (*text) return bad(s, "there is one result, behind one '->'");
    for (int k = 0; k < s->n_out; k++) {
      if (!s->times[s->out[k]]) return bad_letter(s, s->out[k], ", which no operand has");
      for (int l = 0; l < k; l++)
        if (s->out[l] == s->out[k]) return bad_letter(s, s->out[k], " twice");
    }
  }
  else {
    at = 0;
    for (int l = 0; l < LETTERS; l++)
      if (s->times[l] == 1) {
        if (s->n_out == MLPL_MAX_RANK) return bad(s, "a tensor has at most 8 axes");
        s->out[s->n_out++] = l;
      }
  }
  if (at < 0) return MLPL_OK;
  if (s->n_out + s->dots > MLPL_MAX_RANK) return bad(s, "a tensor has at most 8 axes");
  insert_dots(s->out, &s->n_out, at, s->dots);
  return MLPL_OK;
}

static mlpl_status read_equation(sum_of *s) {
  const char *text = s->equation;
  for (int i = 0; i < s->n; i++) {
    if (i && *text++ != ',')
      return mlpl_fail(s->cx, MLPL_EARG,
          "einsum: equation '%.100s' has %d operands, %d are given", s->equation, i,
          s->n);
    MLPL_TRY(read_operand(s, i, &text));
  }
  if (*text == ',')
    return mlpl_fail(s->cx, MLPL_EARG,
        "einsum: equation '%.100s' has more operands than the %d that are given",
        s->equation, s->n);
  return read_result(s, text);
}

/* ---- one operand ------------------------------------------------------------------- */

static bool has(const int *label, int n, int l) {
  for (int i = 0; i < n; i++)
    if (label[i] == l) return true;
  return false;
}

/* t with its axes in the order of label[0..n), all of its subscripts among them; those it
   does not have become axes of size 1. */
static mlpl_tensor *ordered(mlpli_expr *e, const term *t, const int *label, int n) {
  mlpl_value p[2];
  memset(p, 0, sizeof p);
  p[0].sizes.n = t->n;
  p[1].i = n;
  bool same = n == t->n;
  for (int d = 0; d < t->n; d++) {
    int at = 0;
    while (label[at] != t->label[d]) at++;
    p[0].sizes.v[d] = at;
    same = same && at == d;
  }
  return same ? t->t : mlpli_x1(e, MLPLI_OP_MOVE_AXES, t->t, p);
}

static int distinct(const term *t, int *label) {
  int n = 0;
  for (int d = 0; d < t->n; d++)
    if (!has(label, n, t->label[d])) label[n++] = t->label[d];
  return n;
}

/* Take diagonals, and sum over the subscripts that are not kept. */
static void reduce(mlpli_expr *e, term *t, const bool *kept) {
  int own[MLPL_MAX_RANK], order[MLPL_MAX_RANK] = {0}, n = distinct(t, own), summed = 0,
                          at = 0;
  for (int i = 0; i < n; i++) summed += !kept[own[i]];
  if (!summed && n == t->n) return;
  for (int i = 0; i < n; i++)
    if (kept[own[i]]) order[summed + at++] = own[i];
  for (int i = 0, s = 0; i < n; i++)
    if (!kept[own[i]]) order[s++] = own[i];
  mlpl_tensor *x = ordered(e, t, order, n);
  if (summed && x) {
    mlpl_value p = {.sizes = {.n = at}};
    for (int i = 0; i < at; i++) p.sizes.v[i] = x->shape[summed + i];
    x = mlpli_x1(e, MLPLI_OP_SUM_TO_SIZE, x, &p);
  }
  t->t = x;
  t->n = at;
  memcpy(t->label, order + summed, (size_t)at * sizeof *order);
}

/* ---- two operands ------------------------------------------------------------------ */

/* Subscripts of a pair: in both and kept; of the first, of the second alone; summed. */
typedef struct roles {
  int n_both, n_a, n_b, n_sum;
  int both[MLPL_MAX_RANK], a[MLPL_MAX_RANK], b[MLPL_MAX_RANK], sum[MLPL_MAX_RANK];
} roles;

static roles roles_of(const term *a, const term *b, const bool *kept) {
  roles r = {0};
  for (int d = 0; d < a->n; d++) {
    int l = a->label[d];
    if (!has(b->label, b->n, l))
      r.a[r.n_a++] = l;
    else if (kept[l])
      r.both[r.n_both++] = l;
    else
      r.sum[r.n_sum++] = l;
  }
  for (int d = 0; d < b->n; d++)
    if (!has(a->label, a->n, b->label[d])) r.b[r.n_b++] = b->label[d];
  return r;
}

static int append(int *to, int n, const int *from, int more) {
  memcpy(to + n, from, (size_t)more * sizeof *to);
  return n + more;
}

static int64_t count(const sum_of *s, const int *label, int n) {
  int64_t size = 1;
  for (int i = 0; i < n; i++) size *= s->size[label[i]] - 1;
  return size;
}

/* t as [both x x x y], each one axis: stretched where it has size 1 and the other not. */
static mlpl_tensor *as_stack(mlpli_expr *e, const sum_of *s, const term *t,
    const roles *r, const int *x, int n_x, const int *y, int n_y) {
  int order[MLPL_MAX_RANK];
  int n = append(order, 0, r->both, r->n_both);
  n = append(order, n, x, n_x);
  n = append(order, n, y, n_y);
  mlpl_tensor *v = ordered(e, t, order, n);
  mlpl_value full = {.sizes = {.n = n}};
  bool stretch = false;
  if (!v) return NULL;
  for (int i = 0; i < n; i++) {
    full.sizes.v[i] = s->size[order[i]] - 1;
    stretch |= full.sizes.v[i] != v->shape[i];
  }
  if (stretch) v = mlpli_x1(e, MLPLI_OP_EXPAND, v, &full);
  if (n_x == 1 && n_y == 1 && r->n_both <= 1) return v;
  mlpl_value p = {
      .sizes = {3, {count(s, r->both, r->n_both), count(s, x, n_x), count(s, y, n_y)}}};
  if (r->n_both == 0)
    p = (mlpl_value){.sizes = {2, {count(s, x, n_x), count(s, y, n_y)}}};
  return mlpli_x1(e, MLPLI_OP_RESHAPE, v, &p);
}

static mlpl_status pair(mlpli_expr *e, sum_of *s, term *a, term *b, const bool *kept) {
  roles r = roles_of(a, b, kept);
  term y = {.n = r.n_both + r.n_a + r.n_b};
  if (y.n > MLPL_MAX_RANK)
    return mlpl_fail(s->cx, MLPL_ESHAPE,
        "einsum: equation '%.100s': a product of two operands has %d axes; a tensor has "
        "at most 8",
        s->equation, y.n);
  append(y.label, append(y.label, append(y.label, 0, r.both, r.n_both), r.a, r.n_a), r.b,
      r.n_b);
  if (r.n_sum == 0)
    y.t = mlpli_xmul(e, ordered(e, a, y.label, y.n), ordered(e, b, y.label, y.n));
  else {
    mlpl_tensor *x = as_stack(e, s, a, &r, r.a, r.n_a, r.sum, r.n_sum),
                *z = as_stack(e, s, b, &r, r.sum, r.n_sum, r.b, r.n_b);
    y.t = mlpli_x2(e, MLPLI_OP_MATMUL, x, z, NULL);
    mlpl_value p = {.sizes = {.n = y.n}};
    for (int i = 0; i < y.n; i++) p.sizes.v[i] = s->size[y.label[i]] - 1;
    if (y.t && !mlpli_same_shape(y.t, y.n, p.sizes.v))
      y.t = mlpli_x1(e, MLPLI_OP_RESHAPE, y.t, &p);
  }
  *a = y;
  return e->status;
}

/* ---- all operands ------------------------------------------------------------------ */

/* Subscripts that the result or an operand other than i and j has. */
static void needed_beside(const sum_of *s, int i, int j, bool *kept) {
  memset(kept, 0, LABELS * sizeof *kept);
  for (int d = 0; d < s->n_out; d++) kept[s->out[d]] = true;
  for (int k = 0; k < s->n; k++)
    for (int d = 0; d < s->in[k].n && k != i && k != j; d++)
      kept[s->in[k].label[d]] = true;
}

static double elements(const sum_of *s, const int *label, int n) {
  double size = 1;
  for (int i = 0; i < n; i++) size *= (double)(s->size[label[i]] - 1);
  return size;
}

/* Elements that there are more when the product of i and j stands for both. */
static double growth(const sum_of *s, int i, int j) {
  bool kept[LABELS];
  int all[2 * MLPL_MAX_RANK], n = 0;
  const term *t[2] = {&s->in[i], &s->in[j]};
  double before = 0;
  needed_beside(s, i, j, kept);
  for (int k = 0; k < 2; k++) {
    before += elements(s, t[k]->label, t[k]->n);
    for (int d = 0; d < t[k]->n; d++)
      if (kept[t[k]->label[d]] && !has(all, n, t[k]->label[d])) all[n++] = t[k]->label[d];
  }
  return n > MLPL_MAX_RANK ? INFINITY : elements(s, all, n) - before;
}

/* The pair with which the least is left to hold; the first of equals. */
static void choose_pair(const sum_of *s, int *first, int *second) {
  double least = INFINITY;
  *first = 0, *second = 1;
  for (int i = 0; i < s->n && s->n > 2; i++)
    for (int j = i + 1; j < s->n; j++) {
      double more = growth(s, i, j);
      if (more >= least) continue;
      least = more;
      *first = i, *second = j;
    }
}

/* The steps so far may be let go of: what is left of them is *t. */
static mlpl_status finish_step(mlpli_expr *e, term *t) {
  mlpl_tensor *kept = e->status == MLPL_OK && t->t ? mlpl_tensor_retain(t->t) : NULL;
  mlpl_status status = mlpli_expr_end(e);
  mlpl_tensor_release(t->made);
  t->made = kept;
  return status;
}

/* What only this operand has is summed. */
static void reduce_alone(mlpli_expr *e, sum_of *s, int i) {
  bool kept[LABELS];
  needed_beside(s, i, i, kept);
  reduce(e, &s->in[i], kept);
}

/* Two operands become one, in the place of the first. */
static mlpl_status join(sum_of *s, int i, int j) {
  bool kept[LABELS];
  mlpli_expr e = {.cx = s->cx};
  term *a = &s->in[i], *b = &s->in[j];
  mlpl_tensor *made = a->made;
  reduce_alone(&e, s, i);
  reduce_alone(&e, s, j);
  needed_beside(s, i, j, kept);
  if (e.status == MLPL_OK) {
    mlpl_status status = pair(&e, s, a, b, kept);
    if (status != MLPL_OK) e.status = status;
  }
  a->made = made;
  MLPL_TRY(finish_step(&e, a));
  mlpl_tensor_release(b->made);
  memmove(b, b + 1, (size_t)(--s->n - j) * sizeof *b);
  return MLPL_OK;
}

static mlpl_status carry_out(sum_of *s) {
  int i, j;
  while (s->n > 1) {
    choose_pair(s, &i, &j);
    MLPL_TRY(join(s, i, j));
  }
  mlpli_expr last = {.cx = s->cx};
  term *t = &s->in[0];
  reduce_alone(&last, s, 0);
  t->t = last.status == MLPL_OK ? ordered(&last, t, s->out, s->n_out) : NULL;
  return finish_step(&last, t);
}

mlpl_status mlpl_einsum(mlpl_ctx *cx, mlpl_tensor **out, const char *equation,
    mlpl_tensor *const *operands, int n) {
  sum_of s = {.cx = cx, .equation = equation, .n = n};
  *out = NULL;
  if (n < 1 || n > MOST_OPERANDS)
    return mlpl_fail(
        cx, MLPL_EARG, "einsum: %d operands; it takes 1 to %d", n, MOST_OPERANDS);
  for (int i = 0; i < n; i++) {
    s.in[i].t = operands[i];
    if (!mlpli_is_real(operands[i]))
      return mlpl_fail(cx, MLPL_EARG, "einsum: operand %d is %s; it must be f32 or f64",
          i + 1, mlpl_dtype_name((mlpl_dtype)operands[i]->dtype));
    if (operands[i]->dtype != operands[0]->dtype)
      return mlpl_fail(cx, MLPL_EARG,
          "einsum: operand 1 is %s, operand %d is %s; they must have one dtype (convert "
          "with :to)",
          mlpl_dtype_name((mlpl_dtype)operands[0]->dtype), i + 1,
          mlpl_dtype_name((mlpl_dtype)operands[i]->dtype));
  }
  MLPL_TRY(read_equation(&s));
  mlpl_status status = carry_out(&s);
  mlpl_tensor *result = s.in[0].made;
  if (status == MLPL_OK && result == operands[0]) {
    /* nothing was done: a view, so that the result is a tensor of its own */
    mlpl_value p = {.sizes = {.n = result->ndim}};
    memcpy(p.sizes.v, result->shape, sizeof p.sizes.v);
    status = mlpli_apply(cx, out, MLPLI_OP_EXPAND, operands, 1, &p);
  }
  else if (status == MLPL_OK)
    *out = mlpl_tensor_retain(result);
  if (status == MLPL_OK) status = mlpli_settle_memory(cx, out, 1, operands, n);
  for (int i = 0; i < s.n; i++) mlpl_tensor_release(s.in[i].made);
  return status;
}

/* ---- rows -------------------------------------------------------------------------- */

static const mlpl_param move_params[] = {
    MLPLI_SIZES_NEEDED("axes"), MLPLI_INT_NEEDED("ndim", 0, MLPL_MAX_RANK)};
static const mlpl_param spread_params[] = {
    MLPLI_SIZES_NEEDED("axes"), MLPLI_SIZES_NEEDED("sizes")};

const mlpl_op mlpli_op_move_axes = {
    VIEW_ROW(move_axes, move_axes), PARAMS(move_params), .internal = true};
const mlpl_op mlpli_op_spread_axes = {
    UNARY_ROW(spread_axes, MLPLI_REAL, shape_spread_axes), PARAMS(spread_params),
    HAS_BACKWARD(spread_axes), .internal = true};
