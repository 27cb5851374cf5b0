/*
** Forward results of every row of the operation table against plain loops in double, over
** the cases of op_cases.h and a few that are large enough for threads.
*/
#include "op_cases.h"
#include "plain_functions.h"

/* ---- plain arrays ------------------------------------------------------------------ */

typedef struct array {
  int ndim;
  int64_t size[MLPL_MAX_RANK], n;
  double *v;
} array;

static array array_new(int ndim, const int64_t *size) {
  array a = {.ndim = ndim, .n = 1};
  for (int d = 0; d < ndim; d++) a.size[d] = size[d], a.n *= size[d];
  a.v = calloc((size_t)a.n + 1, sizeof *a.v);
  assert_non_null(a.v);
  return a;
}

static array array_of(const mlpl_tensor *t) {
  array a = array_new(t->ndim, t->shape);
  for (int64_t i = 0; i < a.n; i++) a.v[i] = case_get(t, i);
  return a;
}

/* Index of element i, and back. */
static void index_of(const array *a, int64_t i, int64_t *at) {
  for (int d = a->ndim - 1; d >= 0; d--) at[d] = i % a->size[d], i /= a->size[d];
}
static int64_t place_of(const array *a, const int64_t *at) {
  int64_t i = 0;
  for (int d = 0; d < a->ndim; d++) i = i * a->size[d] + at[d];
  return i;
}

/* Element of a at the place that index `at`, of `ndim` axes, has after broadcasting. */
static double stretched(const array *a, int ndim, const int64_t *at) {
  int64_t own[MLPL_MAX_RANK];
  for (int d = 0; d < a->ndim; d++) own[d] = a->size[d] == 1 ? 0 : at[d + ndim - a->ndim];
  return a->v[place_of(a, own)];
}

/* One case as the loops see it. */
typedef struct plain {
  const made_case *c;
  array x[MLPL_MAX_INPUTS], y;
  bool there[MLPL_MAX_INPUTS];
  bool labels;    /* the second input holds i64 */
  int64_t terms;  /* that were added up for one result, for the tolerance */
  double largest; /* magnitude among inputs and results */
  array places;   /* the second result, where v is not NULL */
} plain;

static int64_t axis_of(const plain *p, int64_t given) {
  return given < 0 ? given + (p->x[0].ndim ? p->x[0].ndim : 1) : given;
}

/* ---- element by element ------------------------------------------------------------ */

static double unary(mlpli_op_id id, const mlpl_value *p, double x) {
  switch (id) {
  case MLPLI_OP_NEG: return -x;
  case MLPLI_OP_ABS: return fabs(x);
  case MLPLI_OP_SIGN: return x > 0 ? 1 : x < 0 ? -1 : x;
  case MLPLI_OP_POSITIVE: return x > 0;
  case MLPLI_OP_AFFINE: return p[0].f * x + p[1].f;
  case MLPLI_OP_EXP: return exp(x);
  case MLPLI_OP_LOG: return log(x);
  case MLPLI_OP_SQRT: return sqrt(x);
  case MLPLI_OP_RELU: return x <= 0 ? 0 : x;
  case MLPLI_OP_LEAKY_RELU: return x > 0 ? x : p[0].f * x;
  case MLPLI_OP_ELU: return x > 0 ? x : p[0].f * expm1(x);
  case MLPLI_OP_SIGMOID: return 1 / (1 + exp(-x));
  case MLPLI_OP_TANH: return tanh(x);
  case MLPLI_OP_FLOORED:
  case MLPLI_OP_CLONE: case MLPLI_OP_TO: return x;
  case MLPLI_OP_ISNAN: return isnan(x);
  case MLPLI_OP_ISINF: return isinf(x) != 0;
  case MLPLI_OP_ISFINITE: return isfinite(x);
  case MLPLI_OP_LOGICAL_NOT: return x == 0;
  default:
    if (!plain_function(id, p, x, &x)) fail_msg("no plain function");
    return x;
  }
}

/* By trying. */
static double plain_gcd(double a, double b) {
  double d = fmax(fabs(a), fabs(b));
  while (d > 1 && (fmod(a, d) != 0 || fmod(b, d) != 0)) d--;
  return d;
}

static double binary(mlpli_op_id id, const mlpl_value *p, double a, double b) {
  switch (id) {
  case MLPLI_OP_ADD: return a + p[0].f * b;
  case MLPLI_OP_SUB: return a - p[0].f * b;
  case MLPLI_OP_RSUB: return b - p[0].f * a;
  case MLPLI_OP_CLAMP_MIN: return a > b ? a : b;
  case MLPLI_OP_GCD: return plain_gcd(a, b);
  case MLPLI_OP_LCM: return a == 0 || b == 0 ? 0 : fabs(a * b) / plain_gcd(a, b);
  case MLPLI_OP_CLAMP_MAX: return a < b ? a : b;
  case MLPLI_OP_MUL: return a * b;
  case MLPLI_OP_DIV:
    return p[0].i == 0 ? a / b : p[0].i == 1 ? trunc(a / b) : floor(a / b);
  case MLPLI_OP_DIV_TRUNC: return trunc(a / b);
  case MLPLI_OP_POW: return pow(a, b);
  case MLPLI_OP_DIV_FLOOR:
  case MLPLI_OP_FLOOR_DIVIDE: return floor(a / b);
  case MLPLI_OP_REMAINDER: return a - b * floor(a / b);
  case MLPLI_OP_FMOD: return a - b * trunc(a / b);
  case MLPLI_OP_MAXIMUM: return a > b ? a : b;
  case MLPLI_OP_MINIMUM: return a < b ? a : b;
  case MLPLI_OP_EQ: return a == b;
  case MLPLI_OP_NE: return a != b;
  case MLPLI_OP_LT: return a < b;
  case MLPLI_OP_LE: return a <= b;
  case MLPLI_OP_GT: return a > b;
  case MLPLI_OP_GE: return a >= b;
  case MLPLI_OP_LOGICAL_AND: return a != 0 && b != 0;
  case MLPLI_OP_LOGICAL_OR: return a != 0 || b != 0;
  case MLPLI_OP_LOGICAL_XOR: return (a != 0) != (b != 0);
  case MLPLI_OP_BITWISE_AND: return (double)((int64_t)a & (int64_t)b);
  case MLPLI_OP_BITWISE_OR: return (double)((int64_t)a | (int64_t)b);
  case MLPLI_OP_BITWISE_XOR: return (double)((int64_t)a ^ (int64_t)b);
  case MLPLI_OP_BITWISE_LEFT_SHIFT: return a * pow(2, b);
  case MLPLI_OP_BITWISE_RIGHT_SHIFT: return floor(a / pow(2, b));
  default:
    if (!plain_function2(id, p, a, b, &a)) fail_msg("no plain function");
    return a;
  }
}

static void plain_unary(plain *p, mlpli_op_id id) {
  p->y = array_new(p->x[0].ndim, p->x[0].size);
  for (int64_t i = 0; i < p->y.n; i++) {
    double x = p->x[0].v[i];
    if (id != MLPLI_OP_BITWISE_NOT) p->y.v[i] = unary(id, p->c->p, x);
    else p->y.v[i] = p->c->in[0].whole == 'b' ? x == 0 : -x - 1;
  }
}

/* Truth values are added and multiplied as or and and. */
static double combined(const plain *p, mlpli_op_id id, double a, double b) {
  const mlpl_value *o = p->c->p;
  if (id == MLPLI_OP_ISCLOSE) return fabs(a - b) <= o[1].f + o[0].f * fabs(b);
  double v = binary(id, o, a, b);
  bool truth = p->c->in[0].whole == 'b' && p->c->in[1].whole == 'b';
  return truth && v > 1 ? 1 : v;
}

/* NumPy's rule: what an axis of one shape and an axis of another make together. */
static int together(int n, int64_t *size, const array *b) {
  const int most = n > b->ndim ? n : b->ndim;
  int64_t both[MLPL_MAX_RANK];
  for (int d = 0; d < most; d++) {
    int64_t sa = d < most - n ? 1 : size[d - most + n],
            sb = d < most - b->ndim ? 1 : b->size[d - most + b->ndim];
    both[d] = sa == 1 ? sb : sa;
  }
  memcpy(size, both, sizeof both);
  return most;
}

/* Of two or three inputs that broadcast. */
static void plain_broadcast(plain *p, mlpli_op_id id) {
  int64_t size[MLPL_MAX_RANK] = {0}, at[MLPL_MAX_RANK];
  const mlpl_value *o = p->c->p;
  int n = 0;
  for (int i = 0; i < p->c->n; i++) n = together(n, size, &p->x[i]);
  p->y = array_new(n, size);
  for (int64_t i = 0; i < p->y.n; i++) {
    index_of(&p->y, i, at);
    const double a = stretched(&p->x[0], n, at), b = stretched(&p->x[1], n, at);
    if (p->c->n == 2)
      p->y.v[i] = combined(p, id, a, b);
    else if (!plain_function3(id, o, a, b, stretched(&p->x[2], n, at), &p->y.v[i]))
      fail_msg("no plain function");
  }
}

/* Bounds that may be left out. */
static void plain_clamp_by(plain *p) {
  int64_t size[MLPL_MAX_RANK] = {0}, at[MLPL_MAX_RANK];
  int n = 0;
  for (int i = 0; i < p->c->n; i++)
    if (p->there[i]) n = together(n, size, &p->x[i]);
  p->y = array_new(n, size);
  for (int64_t i = 0; i < p->y.n; i++) {
    index_of(&p->y, i, at);
    double v = stretched(&p->x[0], n, at);
    if (p->there[1]) v = fmax(v, stretched(&p->x[1], n, at));
    if (p->there[2]) v = fmin(v, stretched(&p->x[2], n, at));
    p->y.v[i] = v;
  }
}

/* One slope, or one for each place on the second axis. */
static void plain_prelu(plain *p) {
  const array *x = &p->x[0], *w = &p->x[1];
  int64_t at[MLPL_MAX_RANK];
  p->y = array_new(x->ndim, x->size);
  for (int64_t i = 0; i < x->n; i++) {
    index_of(x, i, at);
    p->y.v[i] = x->v[i] * (x->v[i] > 0 ? 1 : w->v[w->n == 1 ? 0 : at[1]]);
  }
}

static void plain_glu(plain *p) {
  const array *x = &p->x[0];
  const int64_t axis = axis_of(p, p->c->p[0].i), half = x->size[axis] / 2;
  int64_t size[MLPL_MAX_RANK], at[MLPL_MAX_RANK];
  memcpy(size, x->size, sizeof size);
  size[axis] = half;
  p->y = array_new(x->ndim, size);
  for (int64_t i = 0; i < p->y.n; i++) {
    index_of(&p->y, i, at);
    const double a = x->v[place_of(x, at)];
    at[axis] += half;
    p->y.v[i] = a * plain_sigmoid(x->v[place_of(x, at)]);
  }
}

/* ---- reductions -------------------------------------------------------------------- */

/* The result with reduced axes kept at size 1, and which axes those are. */
static void plain_reduce(plain *p, mlpli_op_id id) {
  const array *x = &p->x[0];
  int64_t size[MLPL_MAX_RANK], at[MLPL_MAX_RANK], kept[MLPL_MAX_RANK];
  bool all = p->c->p[0].i == MLPL_NO_AXIS || x->ndim == 0;
  int64_t axis = all ? 0 : axis_of(p, p->c->p[0].i);
  int n = 0;
  for (int d = 0; d < x->ndim; d++) size[d] = all || d == axis ? 1 : x->size[d];
  p->y = array_new(x->ndim, size);
  p->terms = p->y.n ? x->n / p->y.n : 1;
  int64_t *count = calloc((size_t)p->y.n + 1, sizeof *count);
  for (int64_t i = 0; i < x->n; i++) {
    index_of(x, i, at);
    for (int d = 0; d < x->ndim; d++) kept[d] = size[d] == 1 ? 0 : at[d];
    int64_t o = place_of(&p->y, kept);
    if (id == MLPLI_OP_SUM || id == MLPLI_OP_MEAN) p->y.v[o] += x->v[i];
    else if (id == MLPLI_OP_MAX)
      p->y.v[o] = count[o] ? fmax(p->y.v[o], x->v[i]) : x->v[i];
    else {
      int64_t best[MLPL_MAX_RANK]; /* index of the largest so far along the axis */
      memcpy(best, at, sizeof best);
      if (!all) best[axis] = (int64_t)p->y.v[o];
      double largest = all ? x->v[(int64_t)p->y.v[o]] : x->v[place_of(x, best)];
      if (count[o] && x->v[i] > largest) p->y.v[o] = all ? (double)i : (double)at[axis];
    }
    count[o]++;
  }
  if (id == MLPLI_OP_MEAN)
    for (int64_t o = 0; o < p->y.n; o++) p->y.v[o] /= (double)p->terms;
  free(count);
  if (p->c->p[1].i) return;
  for (int d = 0; d < x->ndim; d++)
    if (!all && d != axis) p->y.size[n++] = x->size[d];
  p->y.ndim = n;
}

static void plain_sum_to_size(plain *p) {
  const array *x = &p->x[0];
  int64_t at[MLPL_MAX_RANK], own[MLPL_MAX_RANK];
  p->y = array_new(p->c->p[0].sizes.n, p->c->p[0].sizes.v);
  p->terms = x->n;
  for (int64_t i = 0; i < x->n; i++) {
    index_of(x, i, at);
    for (int d = 0; d < p->y.ndim; d++)
      own[d] = p->y.size[d] == 1 ? 0 : at[d + x->ndim - p->y.ndim];
    p->y.v[place_of(&p->y, own)] += x->v[i];
  }
}

/* ---- products ---------------------------------------------------------------------- */

static void plain_linear(plain *p) {
  const array *x = &p->x[0], *w = &p->x[1];
  int64_t out = w->size[0], in = w->size[1], size[MLPL_MAX_RANK];
  memcpy(size, x->size, sizeof size);
  size[x->ndim - 1] = out;
  p->y = array_new(x->ndim, size);
  p->terms = in + 1;
  for (int64_t i = 0; i < p->y.n; i++) {
    double sum = p->there[2] ? p->x[2].v[i % out] : 0;
    for (int64_t k = 0; k < in; k++)
      sum += x->v[i / out * in + k] * w->v[i % out * in + k];
    p->y.v[i] = p->c->p[0].i && sum < 0 ? 0 : sum;
  }
}

/* ---- views ------------------------------------------------------------------------- */

/* y[at] = x[from(at)], by row. */
static void plain_view(plain *p, mlpli_op_id id) {
  const array *x = &p->x[0];
  const mlpl_value *o = p->c->p;
  int64_t at[MLPL_MAX_RANK], from[MLPL_MAX_RANK], size[MLPL_MAX_RANK],
      axis = 0, other = 0, start = 0;
  int n = x->ndim;
  memcpy(size, x->size, sizeof size);
  if (id == MLPLI_OP_TRANSPOSE) axis = axis_of(p, o[0].i), other = axis_of(p, o[1].i);
  if (id == MLPLI_OP_T && n == 2) other = 1;
  size[axis] = x->size[other], size[other] = x->size[axis];
  if (id == MLPLI_OP_NARROW || id == MLPLI_OP_SELECT) {
    axis = other = axis_of(p, o[0].i);
    start = o[1].i < 0 ? o[1].i + x->size[axis] : o[1].i;
    memcpy(size, x->size, sizeof size);
    if (id == MLPLI_OP_NARROW) size[axis] = o[2].i;
  }
  if (id == MLPLI_OP_SELECT)
    for (n--; other < n; other++) size[other] = x->size[other + 1];
  p->y = array_new(n, size);
  for (int64_t i = 0; i < p->y.n; i++) {
    index_of(&p->y, i, at);
    memcpy(from, at, sizeof from);
    if (id == MLPLI_OP_NARROW) from[axis] += start;
    else if (id == MLPLI_OP_SELECT) {
      for (int d = x->ndim - 1; d > axis; d--) from[d] = at[d - 1];
      from[axis] = start;
    }
    else if (n) from[axis] = at[other], from[other] = at[axis];
    p->y.v[i] = x->v[place_of(x, from)];
  }
}

/* Row-major order stays. */
static void plain_reshape(plain *p, mlpli_op_id id) {
  const array *x = &p->x[0];
  int64_t size[MLPL_MAX_RANK] = {1}, known = 1;
  int n = 0, open = -1;
  if (id == MLPLI_OP_RESHAPE) {
    for (n = 0; n < p->c->p[0].sizes.n; n++) {
      size[n] = p->c->p[0].sizes.v[n];
      if (size[n] < 0) open = n;
      else known *= size[n];
    }
    if (open >= 0) size[open] = x->n / known;
  }
  else if (x->ndim == 0) n = 1;
  else {
    int64_t first = axis_of(p, p->c->p[0].i), last = axis_of(p, p->c->p[1].i);
    for (int d = 0; d < x->ndim; d++) {
      if (d > first && d <= last) size[n - 1] *= x->size[d];
      else size[n++] = x->size[d];
    }
  }
  p->y = array_new(n, size);
  assert_int_equal(p->y.n, x->n);
  memcpy(p->y.v, x->v, (size_t)x->n * sizeof *x->v);
}

static void plain_expand(plain *p) {
  int64_t size[MLPL_MAX_RANK], at[MLPL_MAX_RANK];
  int n = p->c->p[0].sizes.n;
  for (int d = 0; d < n; d++) {
    size[d] = p->c->p[0].sizes.v[d];
    if (size[d] < 0) size[d] = p->x[0].size[d - n + p->x[0].ndim];
  }
  p->y = array_new(n, size);
  for (int64_t i = 0; i < p->y.n; i++) {
    index_of(&p->y, i, at);
    p->y.v[i] = stretched(&p->x[0], n, at);
  }
}

/* place, spread: into zeros; pick: out of the input. */
static void plain_place(plain *p, mlpli_op_id id) {
  const array *x = &p->x[0], *index = &p->x[1];
  int64_t size[MLPL_MAX_RANK], at[MLPL_MAX_RANK], axis = p->c->p[0].i;
  memcpy(size, id == MLPLI_OP_PICK ? index->size : x->size, sizeof size);
  if (id != MLPLI_OP_PICK) size[axis] = p->c->p[id == MLPLI_OP_PLACE ? 2 : 1].i;
  p->y = array_new(x->ndim, size);
  for (int64_t i = 0; i < (id == MLPLI_OP_PICK ? p->y.n : x->n); i++) {
    index_of(id == MLPLI_OP_PICK ? &p->y : x, i, at);
    if (id == MLPLI_OP_PLACE) at[axis] += p->c->p[1].i;
    else at[axis] = (int64_t)index->v[i];
    if (id == MLPLI_OP_PICK) p->y.v[i] = x->v[place_of(x, at)];
    else p->y.v[place_of(&p->y, at)] = x->v[i];
  }
}

#include "table_shapes.h"

/* What goes to one place, multiplied or compared; the first alone where the place's own
   does not count. */
static void plain_combine(plain *p) {
  const array *index = &p->x[1], *src = &p->x[2];
  const int64_t axis = axis_of(p, p->c->p[0].i), how = p->c->p[1].i;
  int64_t at[MLPL_MAX_RANK];
  p->y = array_new(p->x[0].ndim, p->x[0].size);
  memcpy(p->y.v, p->x[0].v, (size_t)p->y.n * sizeof *p->y.v);
  bool *some = calloc((size_t)p->y.n + 1, sizeof *some);
  for (int64_t i = 0; i < index->n; i++) {
    index_of(index, i, at);
    at[axis] = (int64_t)index->v[i];
    const int64_t o = place_of(&p->y, at);
    const double v = src->v[i];
    if (!some[o] && !p->c->p[2].i) p->y.v[o] = v;
    else if (how == 0) p->y.v[o] *= v;
    else p->y.v[o] = how == 1 ? fmax(p->y.v[o], v) : fmin(p->y.v[o], v);
    some[o] = true;
  }
  free(some);
}

/* ---- softmax and losses ------------------------------------------------------------ */

/* log sum exp of k elements, step apart */
static double log_sum(const double *x, int64_t k, int64_t step) {
  double most = -INFINITY, sum = 0;
  for (int64_t i = 0; i < k; i++) most = fmax(most, x[i * step]);
  for (int64_t i = 0; i < k; i++) sum += exp(x[i * step] - most);
  return most + log(sum);
}

static void plain_softmax(plain *p, bool logarithm) {
  const array *x = &p->x[0];
  int64_t axis = axis_of(p, p->c->p[0].i), k = x->ndim ? x->size[axis] : 1, step = 1;
  for (int d = x->ndim - 1; d > axis; d--) step *= x->size[d];
  p->y = array_new(x->ndim, x->size);
  p->terms = k;
  for (int64_t r = 0; r < x->n / (k ? k : 1); r++) {
    int64_t first = r / step * k * step + r % step;
    double all = log_sum(x->v + first, k, step);
    for (int64_t i = first; i < first + k * step; i += step)
      p->y.v[i] = logarithm ? x->v[i] - all : exp(x->v[i] - all);
  }
}

/* Losses of all elements or rows, each[n]; the sum, or what a mean is, into y. */
static void plain_loss(plain *p, array each, int64_t reduction, double by) {
  p->terms = each.n;
  if (reduction == 2) {
    p->y = each;
    return;
  }
  p->y = array_new(0, NULL);
  for (int64_t i = 0; i < each.n; i++) p->y.v[0] += each.v[i];
  if (reduction == 0) p->y.v[0] /= by;
  free(each.v);
}

static void plain_mse(plain *p) {
  array each = array_new(p->x[0].ndim, p->x[0].size);
  for (int64_t i = 0; i < each.n; i++) each.v[i] = pow(p->x[0].v[i] - p->x[1].v[i], 2);
  plain_loss(p, each, p->c->p[0].i, (double)each.n);
}

static void plain_bce(plain *p) {
  array each = array_new(p->x[0].ndim, p->x[0].size);
  int64_t at[MLPL_MAX_RANK];
  for (int64_t i = 0; i < each.n; i++) {
    index_of(&each, i, at);
    double x = p->x[0].v[i], t = p->x[1].v[i],
           w = p->there[2] ? stretched(&p->x[2], each.ndim, at) : 1;
    double pos = p->there[3] ? stretched(&p->x[3], each.ndim, at) : 1;
    each.v[i] = w * ((1 - t) * x + (1 + (pos - 1) * t) * plain_softplus(-x));
  }
  plain_loss(p, each, p->c->p[0].i, (double)each.n);
}

/* numerics.md, section 3: labels with weights, smoothing and an ignored value; or
   shares of every class. */
static void plain_cross_entropy(plain *p) {
  const array *in = &p->x[0];
  int64_t size[MLPL_MAX_RANK], k = in->size[in->ndim == 1 ? 0 : 1], rest = 1;
  int ndim = 0;
  for (int d = 0; d < in->ndim; d++) {
    if (d > 1) rest *= in->size[d];
    if (d != 1 && in->ndim > 1) size[ndim++] = in->size[d];
  }
  array each = array_new(ndim, size);
  double smooth = p->c->p[2].f, by = p->labels ? 0 : (double)each.n;
  for (int64_t i = 0; i < each.n; i++) {
    const int64_t first = i / rest * k * rest + i % rest;
    const double *x = in->v + first;
    double all = log_sum(x, k, rest);
    int64_t label = p->labels ? (int64_t)p->x[1].v[i] : -1;
    if (p->labels && label == p->c->p[1].i) continue;
    if (p->labels) by += p->there[2] ? p->x[2].v[label] : 1;
    for (int64_t c = 0; c < k; c++) {
      double share = p->labels ? (double)(c == label) : p->x[1].v[first + c * rest];
      double q =
          (p->there[2] ? p->x[2].v[c] : 1) * ((1 - smooth) * share + smooth / (double)k);
      each.v[i] -= q * (x[c * rest] - all);
    }
  }
  plain_loss(p, each, p->c->p[0].i, by);
  p->terms = in->n;
}

/* The loss of one element. */
static double point_loss(mlpli_op_id id, const mlpl_value *o, double x, double t) {
  const double d = fabs(x - t), at = o[1].f;
  switch (id) {
  case MLPLI_OP_L1_LOSS: return d;
  case MLPLI_OP_SMOOTH_L1_LOSS: return d < at ? d * d / 2 / at : d - at / 2;
  case MLPLI_OP_HUBER_LOSS: return d <= at ? d * d / 2 : at * (d - at / 2);
  case MLPLI_OP_KL_DIV:
    return o[1].i ? exp(t) * (t - x) : (t > 0 ? t * log(t) : 0) - t * x;
  case MLPLI_OP_POISSON_NLL_LOSS:
    return (o[1].i ? exp(x) - t * x : x - t * log(x + o[3].f)) +
        (o[2].i && t > 1 ? t * log(t) - t + log(2 * acos(-1) * t) / 2 : 0);
  case MLPLI_OP_SOFT_MARGIN_LOSS: return plain_softplus(-t * x);
  case MLPLI_OP_HINGE_EMBEDDING_LOSS:
    return (t == -1 ? 0 : x) + (t == 1 ? 0 : fmax(0, at - x));
  default: return -(t * fmax(log(x), -100) + (1 - t) * fmax(log(1 - x), -100));
  }
}

static void plain_point_loss(plain *p, mlpli_op_id id) {
  const mlpl_value *o = p->c->p;
  const bool ranking = id == MLPLI_OP_MARGIN_RANKING_LOSS,
             alone = id == MLPLI_OP_PROBABILITY_LOSS;
  const int64_t reduction = alone ? 2 : o[0].i;
  int64_t at[MLPL_MAX_RANK];
  array each = array_new(p->x[0].ndim, p->x[0].size);
  for (int64_t i = 0; i < each.n; i++) {
    const double a = p->x[0].v[i], b = p->x[1].v[i];
    index_of(&each, i, at);
    each.v[i] = ranking ? fmax(0, o[1].f - p->x[2].v[i] * (a - b)) : point_loss(id, o, a, b);
    if (!ranking && p->there[2]) each.v[i] *= stretched(&p->x[2], each.ndim, at);
  }
  const double by = reduction == 3 && each.ndim ? (double)each.size[0] : (double)each.n;
  plain_loss(p, each, reduction == 3 ? 0 : reduction, by);
}

static void plain_nll(plain *p) {
  const array *in = &p->x[0], *labels = &p->x[1];
  int64_t k = in->size[in->ndim == 1 ? 0 : 1], rest = 1;
  double by = 0;
  for (int d = 2; d < in->ndim; d++) rest *= in->size[d];
  array each = array_new(labels->ndim, labels->size);
  for (int64_t i = 0; i < each.n; i++) {
    int64_t label = (int64_t)labels->v[i];
    if (label == p->c->p[1].i) continue;
    const double weight = p->there[2] ? p->x[2].v[label] : 1;
    each.v[i] = -weight * in->v[(i / rest * k + label) * rest + i % rest];
    by += weight;
  }
  plain_loss(p, each, p->c->p[0].i, by);
}

#include "plain_reductions.h"
#include "plain_windows.h"

/* ---- comparing --------------------------------------------------------------------- */

/* false: the row is random and has no plain result; or it is composed of other rows, and
   its numbers are compared with PyTorch's alone (torch_values.c) */
static bool plain_result(plain *p, mlpli_op_id id) {
  if (id == MLPLI_OP_DIFFERENCE) id = MLPLI_OP_DIFF;
  else if (id == MLPLI_OP_DIFF && p->c->n > 1) return false;
  if (id == MLPLI_OP_QUANTILE && p->c->p[3].i) return false;
  if (plain_shapes(p, id)) return true;
  if (plain_reductions(p, id)) return true;
  if (plain_windows(p, id)) return true;
  switch (id) {
  case MLPLI_OP_ADD:
  case MLPLI_OP_SUB:
  case MLPLI_OP_GCD: case MLPLI_OP_LCM:
  case MLPLI_OP_RSUB: case MLPLI_OP_CLAMP_MIN: case MLPLI_OP_CLAMP_MAX:
  case MLPLI_OP_MUL:
  case MLPLI_OP_DIV:
  case MLPLI_OP_POW:
  case MLPLI_OP_DIV_TRUNC: case MLPLI_OP_DIV_FLOOR:
  case MLPLI_OP_FLOOR_DIVIDE: case MLPLI_OP_REMAINDER: case MLPLI_OP_FMOD:
  case MLPLI_OP_MAXIMUM: case MLPLI_OP_MINIMUM: case MLPLI_OP_EQ: case MLPLI_OP_NE:
  case MLPLI_OP_LT: case MLPLI_OP_LE: case MLPLI_OP_GT: case MLPLI_OP_GE:
  case MLPLI_OP_ISCLOSE: case MLPLI_OP_LOGICAL_AND: case MLPLI_OP_LOGICAL_OR:
  case MLPLI_OP_LOGICAL_XOR: case MLPLI_OP_BITWISE_AND: case MLPLI_OP_BITWISE_OR:
  case MLPLI_OP_BITWISE_XOR: case MLPLI_OP_BITWISE_LEFT_SHIFT:
  case MLPLI_OP_BITWISE_RIGHT_SHIFT:
  case MLPLI_OP_ATAN2:
  case MLPLI_OP_HYPOT:
  case MLPLI_OP_LOGADDEXP:
  case MLPLI_OP_XLOGY:
  case MLPLI_OP_HEAVISIDE:
  case MLPLI_OP_COPYSIGN:
  case MLPLI_OP_GATE:
  case MLPLI_OP_MASKED_FILL:
  case MLPLI_OP_LERP:
  case MLPLI_OP_ADDCMUL:
  case MLPLI_OP_ADDCDIV:
  case MLPLI_OP_WHERE: case MLPLI_OP_MASKED_FILL_BY: plain_broadcast(p, id); return true;
  case MLPLI_OP_CLAMP_BY: plain_clamp_by(p); return true;
  case MLPLI_OP_PRELU: plain_prelu(p); return true;
  case MLPLI_OP_GLU: plain_glu(p); return true;
  case MLPLI_OP_SUM:
  case MLPLI_OP_MEAN:
  case MLPLI_OP_MAX:
  case MLPLI_OP_ARGMAX: plain_reduce(p, id); return true;
  case MLPLI_OP_SUM_TO_SIZE: plain_sum_to_size(p); return true;
  case MLPLI_OP_LINEAR: plain_linear(p); return true;
  case MLPLI_OP_TRANSPOSE:
  case MLPLI_OP_T:
  case MLPLI_OP_NARROW:
  case MLPLI_OP_SELECT: plain_view(p, id); return true;
  case MLPLI_OP_RESHAPE:
  case MLPLI_OP_FLATTEN: plain_reshape(p, id); return true;
  case MLPLI_OP_EXPAND: plain_expand(p); return true;
  case MLPLI_OP_PLACE:
  case MLPLI_OP_SPREAD:
  case MLPLI_OP_PICK: plain_place(p, id); return true;
  case MLPLI_OP_SOFTMAX: plain_softmax(p, false); return true;
  case MLPLI_OP_LOG_SOFTMAX: plain_softmax(p, true); return true;
  case MLPLI_OP_CROSS_ENTROPY: plain_cross_entropy(p); return true;
  case MLPLI_OP_NLL_LOSS: plain_nll(p); return true;
  case MLPLI_OP_L1_LOSS:
  case MLPLI_OP_SMOOTH_L1_LOSS:
  case MLPLI_OP_HUBER_LOSS:
  case MLPLI_OP_KL_DIV:
  case MLPLI_OP_POISSON_NLL_LOSS:
  case MLPLI_OP_SOFT_MARGIN_LOSS:
  case MLPLI_OP_HINGE_EMBEDDING_LOSS:
  case MLPLI_OP_MARGIN_RANKING_LOSS:
  case MLPLI_OP_BINARY_CROSS_ENTROPY:
  case MLPLI_OP_PROBABILITY_LOSS: plain_point_loss(p, id); return true;
  case MLPLI_OP_MSE_LOSS: plain_mse(p); return true;
  case MLPLI_OP_BCE_WITH_LOGITS: plain_bce(p); return true;
  case MLPLI_OP_DROPOUT: return false;
  case MLPLI_OP_SCATTER_COMBINE: plain_combine(p); return true;
  default:
    if (p->c->op->compose) return false;
    plain_unary(p, id);
    return true;
  }
}

static double largest(const array *a, double most) {
  for (int64_t i = 0; i < a->n; i++)
    if (isfinite(a->v[i]) && fabs(a->v[i]) > most) most = fabs(a->v[i]);
  return most;
}

/* The plain loops count on where u8 wraps round. */
static double wanted_at(const plain *p, const mlpl_tensor *got, int64_t i) {
  const double v = p->y.v[i];
  return got->dtype == MLPL_U8 && isfinite(v) ? v - 256 * floor(v / 256) : v;
}

/* 8 roundings a result, and one for each term of a sum, of numbers as large as the
   largest there is. */
static void compare(const op_case *one, const plain *p, const mlpl_tensor *got) {
  const double eps = got->dtype == MLPL_F32 ? 0x1p-24 : 0x1p-53;
  const double most = largest(&p->y, p->largest),
               allowed = eps * (8 + (double)p->terms) * most * fmax(most, 1);
  if (got->ndim != p->y.ndim ||
      memcmp(got->shape, p->y.size, (size_t)got->ndim * sizeof *got->shape) != 0)
    fail_msg("%s: the shape is wrong", case_text(one));
  for (int64_t i = 0; i < p->y.n; i++) {
    double v = case_get(got, i), wanted = wanted_at(p, got, i);
    if (isnan(v) ? isnan(wanted) : fabs(v - wanted) <= allowed) continue;
    fail_msg("%s (%s): element %d is %.17g, plain loops give %.17g", case_text(one),
        mlpl_dtype_name((mlpl_dtype)got->dtype), (int)i, v, wanted);
  }
}

/* Dropout keeps an element, divided by 1 - p, or makes it 0. */
static void compare_dropout(const op_case *one, const plain *p, const mlpl_tensor *got) {
  double share = p->c->p[1].i ? p->c->p[0].f : 0;
  for (int64_t i = 0; i < p->x[0].n; i++) {
    double v = case_get(got, i), kept = share < 1 ? p->x[0].v[i] / (1 - share) : 0;
    if (share > 0 && v == 0) continue;
    if (fabs(v - kept) > 1e-6 * fabs(kept))
      fail_msg("%s: %g became %g", case_text(one), p->x[0].v[i], v);
  }
  assert_int_equal(got->numel, p->x[0].n);
}

/* The places of maxima: the second result of max. */
static void compare_places(plain *p, const op_case *one, mlpl_tensor *places) {
  if (!places) {
    free(p->places.v);
    return;
  }
  assert_int_equal(places->dtype, MLPL_I64);
  free(p->y.v);
  const char *pool = strstr(one->op, "max_pool");
  if (p->places.v) p->y = p->places;
  else if (pool) plain_pool(p, pool[8] - '0', true, true);
  else plain_reduce(p, MLPLI_OP_ARGMAX);
  compare(one, p, places);
}

static mlpli_op_id id_of(const mlpl_op *op) {
  int i = 0;
  while (mlpli_op_table[i] != op) i++;
  return (mlpli_op_id)i;
}

#include "linalg_plain.h"

static void check_case(
    mlpl_ctx *cx, const op_case *one, mlpl_dtype dtype, uint64_t *random) {
  made_case c = case_make(cx, one, dtype, random);
  plain p = {.c = &c, .terms = 1};
  mlpl_tensor *out[MLPLI_MAX_OUTPUTS], *x;
  for (int i = 0; i < c.n; i++) {
    assert_works(cx, case_input_of(cx, &c, i, c.leaf[i], &x));
    if (!x) continue;
    p.there[i] = true;
    p.x[i] = array_of(x);
    if (c.in[i].labels) p.labels = true;
    else p.largest = largest(&p.x[i], p.largest);
    mlpl_tensor_release(x);
  }
  if (case_apply(cx, &c, c.leaf, out) != MLPL_OK)
    fail_msg("%s: %s", case_text(one), mlpl_error(cx));
  if (c.op->group) compare_linalg(&p, one, out);
  else if (plain_result(&p, id_of(c.op))) {
    compare(one, &p, out[0]);
    compare_places(&p, one, out[1]);
    free(p.y.v);
  }
  else if (c.op->random) compare_dropout(one, &p, out[0]);
  for (int i = 0; i < c.n; i++) free(p.x[i].v);
  case_drop(out);
  case_release(&c);
}

/* Cut among threads, summed in parts, or both. */
static const op_case large_cases[] = {
    LARGE_LINALG_CASES,
    {"add", "300x70 300x70", ""},
    {"add", "300x70 70", ""},
    {"mul", "300x70t 300x1", ""},
    {"sub", "40000 1", ""},
    {"div", "40000g 40000", ""},
    {"exp", "50000", ""},
    {"tanh", "300x70n", ""},
    {"sigmoid", "300x70t", ""},
    {"relu", "20x30x40t", ""},
    {"sin", "50000", ""},
    {"gelu", "300x70t", "approximate=tanh"},
    {"hypot", "300x70 70", ""},
    {"clamp", "300x70", "min=-1 max=1"},
    {"prelu", "30x70x20 70", ""},
    {"glu", "300x140n", ""},
    {"lerp", "300x70 70 s", ""},
    {"addcmul", "40000 40000g 1", "value=2"},
    {"where", "300x70tb 300x70 70", ""},
    {"where", "40000b s 40000", ""},
    {"masked_fill", "300x70 70b", "value=3"},
    {"sum", "300000", ""},
    {"sum", "300000g", ""},
    {"sum", "500x300", "dim=0"},
    {"sum", "500x300", "dim=1"},
    {"sum", "500x300t", "dim=0"},
    {"sum", "20x30x40", "dim=1"},
    {"mean", "300x700n", ""},
    {"sum", "2x70000", "dim=1"},
    {"sum", "70000x2", "dim=0"},
    {"sum_to_size", "300x70", "sizes=70"},
    {"sum_to_size", "300x70", "sizes=300x1"},
    {"sum", "30x40x50", "dim=0x2"},
    {"sum", "131072", ""},
    {"var", "300x70", "dim=0"},
    {"std", "90000", ""},
    {"norm", "300x70t", ""},
    {"any", "300x70", "dim=1"},
    {"bincount", "5000i", ""},
    {"bincount", "5000i 5000", ""},
    {"histc", "300x70", "bins=7"},
    {"searchsorted", "3000 300x70", ""},
    {"matmul", "65x130 130x70", ""},
    {"matmul", "65x130t 130x70t", ""},
    {"linear", "70x65 33x65 33", "activation=relu"},
    {"linear", "4x20x65 33x65 33", ""},
    {"softmax", "300x70", "dim=1"},
    {"softmax", "300x70", "dim=0"},
    {"log_softmax", "3x20000", "dim=1"},
    {"softmax", "20x30x40", "dim=1"},
    {"cross_entropy", "2000x10 2000i", ""},
    {"cross_entropy", "2000x10t 2000j 10", "label_smoothing=0.1"},
    {"cross_entropy", "2x20000 2i", "reduction=none"},
    {"cross_entropy", "9x10x30x40t 9x30x40i", ""},
    {"mse_loss", "300x70 300x70t", ""},
    {"binary_cross_entropy_with_logits", "300x70 300x70 70 300x1", ""},
    {"clone", "300x70t", ""},
    {"lt", "300x70t 300x1", ""},
    {"isclose", "300x70t 300x1", ""},
    {"mul", "300x70wt 300x1o", ""},
    {"remainder", "40000wg 40000o", ""},
    {"logical_and", "300x70b 300x70", ""},
    {"to", "300x70n", "dtype=0"},
    {"dropout", "300x300", ""},
    {"index", "300x70 500i", ""},
    {"index", "300x70 - 500i", ""},
    {"index", "300x70t 40000i 40000i", ""},
    {"place_index", "500x70 500i", "sizes=300x70"},
    {"cat", "300x70 300x70t 300x7", "dim=1"},
    {"pad", "300x70", "pad=9x9x9x9 mode=reflect"},
    {"gather", "300x70 300x90i", "dim=1"},
};

static int check_cases(mlpl_ctx *cx, const op_case *cases, int n) {
  uint64_t random = 7;
  for (int dtype = MLPL_F32; dtype <= MLPL_F64; dtype++)
    for (int k = 0; k < n; k++) check_case(cx, &cases[k], (mlpl_dtype)dtype, &random);
  return 2 * n;
}

static const char *const isas[] = {"base", "avx2", "avx512"};

static void rows_agree_with_plain_loops(void **state) {
  (void)state;
  int checks = 0, n_isas = 0;
  for (int i = 0; i < COUNT(isas); i++) {
    mlpl_ctx *cx;
    if (mlpl_open(&cx, &(mlpl_config){.isa = isas[i], .threads = 3, .seed = 1}) !=
        MLPL_OK) {
      print_message("skipped: this machine does not run %s\n", isas[i]);
      continue;
    }
    checks += check_cases(cx, op_cases, COUNT(op_cases)) +
        check_cases(cx, large_cases, COUNT(large_cases)) +
        check_cases(cx, large_window_cases, COUNT(large_window_cases));
    n_isas++;
    test_close(cx);
  }
  print_message("forward results of %d cases on %d instruction sets, f32 and f64\n",
      checks / n_isas / 2, n_isas);
}

static void every_row_has_cases(void **state) {
  (void)state;
  const mlpl_op *op;
  for (int i = 0; (op = mlpl_op_at(i)); i++) {
    int n = 0;
    for (int k = 0; k < COUNT(op_cases); k++) n += strcmp(op_cases[k].op, op->name) == 0;
    if (!n) fail_msg("%s has no case in op_cases.h", op->name);
    assert_ptr_equal(mlpl_op_find(op->name), op);
  }
  assert_null(mlpl_op_at(-1));
  assert_null(mlpl_op_at(MLPLI_N_OPS));
  assert_null(mlpl_op_find("nothing"));
}

/* Results of views share memory with their input; the others do not. */
static void views_share_memory(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  uint64_t random = 3;
  for (int k = 0; k < COUNT(op_cases); k++) {
    made_case c = case_make(cx, &op_cases[k], MLPL_F64, &random);
    mlpl_tensor *out[MLPLI_MAX_OUTPUTS];
    assert_works(cx, case_apply(cx, &c, c.leaf, out));
    if (c.op->compose) { /* of rows of either kind */
      case_drop(out);
      case_release(&c);
      continue;
    }
    bool shares = out[0]->storage == c.leaf[0]->storage;
    bool copies = c.op->random || c.op->compose || strcmp(c.op->name, "reshape") == 0 ||
        strcmp(c.op->name, "flatten") == 0;
    if (!copies && shares != (c.op->view != NULL))
      fail_msg("%s", case_text(&op_cases[k]));
    case_drop(out);
    case_release(&c);
  }
  test_close(cx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_row_has_cases),
      cmocka_unit_test(rows_agree_with_plain_loops),
      cmocka_unit_test(views_share_memory),
  };
  return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
