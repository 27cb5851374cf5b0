/*
** Plain loops for reductions, scans and orders, part of table.c: every line of elements is
** gathered into an array of doubles, worked on there, and put back.
*/
#ifndef TEST_PLAIN_REDUCTIONS_H
#define TEST_PLAIN_REDUCTIONS_H

/* Which axes an option means. */
static unsigned plain_axes(const plain *p, const mlpl_value *v) {
  int ndim = p->x[0].ndim;
  unsigned axes = 0;
  if (v->i == MLPL_NO_AXIS || !ndim) return (1u << ndim) - 1;
  if (v->i != MLPL_SEVERAL_AXES) return 1u << axis_of(p, v->i);
  for (int i = 0; i < v->axes.n; i++) axes |= 1u << axis_of(p, v->axes.v[i]);
  return axes;
}

/* Elements of x that agree with index `at` outside `axes`, in order. Returns how many. */
static int64_t plain_line(const array *x, const int64_t *at, unsigned axes, double *v) {
  int64_t own[MLPL_MAX_RANK], n = 0;
  for (int64_t i = 0; i < x->n; i++) {
    bool here = true;
    index_of(x, i, own);
    for (int d = 0; d < x->ndim; d++) here &= axes >> d & 1 || own[d] == at[d];
    if (here) v[n++] = x->v[i];
  }
  return n;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static int64_t place_in(const double *v, int64_t n, double wanted) {
  for (int64_t i = 0; i < n; i++)
    if (v[i] == wanted) return i;
  return -1;
}

/* ---- one number of each line ------------------------------------------------------- */

static double plain_norm(const double *v, int64_t n, double p) {
  double sum = 0, most = 0, least = INFINITY;
  for (int64_t i = 0; i < n; i++) {
    sum += p == 0 ? v[i] != 0 : pow(fabs(v[i]), p);
    most = fmax(most, fabs(v[i]));
    least = fmin(least, fabs(v[i]));
  }
  if (isinf(p)) return p > 0 ? most : least;
  return p == 0 ? sum : pow(sum, 1 / p);
}

static double plain_var(const double *v, int64_t n, double correction) {
  double mean = 0, sum = 0;
  for (int64_t i = 0; i < n; i++) mean += v[i] / (double)n;
  for (int64_t i = 0; i < n; i++) sum += (v[i] - mean) * (v[i] - mean);
  return sum / fmax((double)n - correction, 0);
}

/* The most frequent of sorted numbers, the first of several. */
static double plain_mode(const double *v, int64_t n) {
  int64_t best = 0, most = 0;
  for (int64_t i = 0; i < n; i++) {
    int64_t times = 0;
    for (int64_t k = 0; k < n; k++) times += v[k] == v[i];
    if (times > most) most = times, best = i;
  }
  return v[best];
}

static double plain_order(const plain *p, mlpli_op_id id, double *v, int64_t n) {
  qsort(v, (size_t)n, sizeof *v, ascending);
  if (id == MLPLI_OP_MODE) return plain_mode(v, n);
  if (id == MLPLI_OP_MEDIAN || id == MLPLI_OP_NANMEDIAN) return n ? v[(n - 1) / 2] : NAN;
  if (id == MLPLI_OP_KTHVALUE) return v[p->c->p[0].i - 1];
  double at = p->c->p[0].f * (double)(n - 1);
  int64_t low = (int64_t)at, high = low + 1 < n ? low + 1 : low;
  return v[low] + (at - (double)low) * (v[high] - v[low]);
}

static double plain_of_line(const plain *p, mlpli_op_id id, double *v, int64_t n) {
  const mlpl_value *o = p->c->p;
  double sum = 0, product = 1, most = -INFINITY, least = INFINITY, count = 0;
  for (int64_t i = 0; i < n; i++) {
    sum += v[i], product *= v[i], count += v[i] != 0;
    most = fmax(most, v[i]), least = fmin(least, v[i]);
  }
  switch (id) {
  case MLPLI_OP_SUM: return sum;
  case MLPLI_OP_MEAN: return sum / (double)n;
  case MLPLI_OP_PROD: return product;
  case MLPLI_OP_MAX:
  case MLPLI_OP_AMAX: return most;
  case MLPLI_OP_MIN:
  case MLPLI_OP_AMIN: return least;
  case MLPLI_OP_ARGMAX: return (double)place_in(v, n, most);
  case MLPLI_OP_ARGMIN: return (double)place_in(v, n, least);
  case MLPLI_OP_ANY: return count > 0;
  case MLPLI_OP_ALL: return count == (double)n;
  case MLPLI_OP_COUNT_NONZERO: return count;
  case MLPLI_OP_VAR: return plain_var(v, n, o[1].i ? o[3].f : 0);
  case MLPLI_OP_STD: return sqrt(plain_var(v, n, o[1].i ? o[3].f : 0));
  case MLPLI_OP_NORM: return plain_norm(v, n, o[0].f);
  case MLPLI_OP_LOGSUMEXP: return log_sum(v, n, 1);
  default: return plain_order(p, id, v, n);
  }
}

static void plain_each(plain *p, mlpli_op_id id, const mlpl_value *dim, bool keep) {
  const array *x = &p->x[0];
  unsigned axes = plain_axes(p, dim);
  int64_t size[MLPL_MAX_RANK], at[MLPL_MAX_RANK];
  double *v = calloc((size_t)x->n + 1, sizeof *v), *was = calloc((size_t)x->n + 1, 8);
  int n = 0;
  for (int d = 0; d < x->ndim; d++) size[d] = axes >> d & 1 ? 1 : x->size[d];
  p->y = array_new(x->ndim, size);
  p->places = array_new(x->ndim, size);
  p->terms = p->y.n ? x->n / p->y.n : 1;
  for (int64_t i = 0; i < p->y.n; i++) {
    index_of(&p->y, i, at);
    int64_t of = plain_line(x, at, axes, v);
    memcpy(was, v, (size_t)of * sizeof *v);
    p->y.v[i] = plain_of_line(p, id, v, of);
    p->places.v[i] = (double)place_in(was, of, p->y.v[i]);
    for (int64_t k = 0; k < of && id == MLPLI_OP_MODE; k++) /* the last one */
      if (was[k] == p->y.v[i]) p->places.v[i] = (double)k;
  }
  free(v);
  free(was);
  for (int d = 0; d < x->ndim && !keep; d++)
    if (!(axes >> d & 1)) p->y.size[n++] = x->size[d];
  if (!keep) p->y.ndim = n;
  p->places.ndim = p->y.ndim;
  memcpy(p->places.size, p->y.size, sizeof p->y.size);
}

/* ---- a line of each line ----------------------------------------------------------- */

/* v[n], a[n] (the factor of recur) into y and the places at, both with room for n. */
static void plain_scan_line(const plain *p, mlpli_op_id id, const double *v,
    const double *a, int64_t n, double *y, double *at) {
  const mlpl_value *o = p->c->p;
  for (int64_t k = 0; k < n; k++) {
    int64_t i = id == MLPLI_OP_RECUR && o[1].i ? n - 1 - k : k,
            last = id == MLPLI_OP_RECUR && o[1].i ? i + 1 : i - 1;
    double before = k ? y[last] : 0;
    at[i] = (double)i;
    switch (id) {
    case MLPLI_OP_CUMSUM: y[i] = before + v[i]; break;
    case MLPLI_OP_CUMPROD: y[i] = k ? before * v[i] : v[i]; break;
    case MLPLI_OP_LOGCUMSUMEXP: y[i] = log_sum(v, i + 1, 1); break;
    case MLPLI_OP_RECUR: y[i] = v[i] + (k ? a[o[2].i ? last : i] * before : 0); break;
    default:
      y[i] = v[i];
      if (k && (id == MLPLI_OP_CUMMAX ? before > v[i] : before < v[i]))
        y[i] = before, at[i] = at[last];
    }
  }
}

static void plain_sort_line(const double *v, int64_t n, bool down, double *y, double *at) {
  memcpy(y, v, (size_t)n * sizeof *v);
  qsort(y, (size_t)n, sizeof *y, ascending);
  for (int64_t i = 0; down && i < n / 2; i++) {
    double was = y[i];
    y[i] = y[n - 1 - i], y[n - 1 - i] = was;
  }
  for (int64_t i = 0; i < n; i++) at[i] = (double)place_in(v, n, y[i]);
}

/* Returns how many elements the new line has. */
static int64_t plain_new_line(const plain *p, mlpli_op_id id, double *v, const double *a,
    int64_t n, double *y, double *at) {
  const mlpl_value *o = p->c->p;
  if (id == MLPLI_OP_SORT || id == MLPLI_OP_ARGSORT || id == MLPLI_OP_TOPK) {
    plain_sort_line(v, n, id == MLPLI_OP_TOPK ? o[2].i : o[1].i, y, at);
    return id == MLPLI_OP_TOPK ? o[0].i : n;
  }
  if (id != MLPLI_OP_DIFF) {
    plain_scan_line(p, id, v, a, n, y, at);
    return n;
  }
  for (int64_t k = 0; k < o[0].i && n > 0; k++, n--)
    for (int64_t i = 0; i + 1 < n; i++) v[i] = v[i + 1] - v[i];
  memcpy(y, v, (size_t)n * sizeof *v);
  return n;
}

static void plain_lines(plain *p, mlpli_op_id id, const mlpl_value *dim, int64_t k) {
  const array *x = &p->x[0];
  int64_t axis = axis_of(p, dim->i), size[MLPL_MAX_RANK] = {0}, at[MLPL_MAX_RANK];
  unsigned axes = x->ndim ? 1u << axis : 0;
  double *v[4];
  for (int i = 0; i < 4; i++) v[i] = calloc((size_t)x->n + 1, sizeof(double));
  for (int64_t i = 0; i < x->n; i++) v[1][i] = 1; /* recur without a factor */
  memcpy(size, x->size, sizeof size);
  if (k >= 0) size[axis] = k;
  p->y = array_new(x->ndim || k != 0 ? x->ndim : 1, size);
  p->places = array_new(p->y.ndim, size);
  p->terms = x->n;
  for (int64_t i = 0; i < p->y.n; i++) {
    index_of(&p->y, i, at);
    int64_t n = plain_line(x, at, axes, v[0]), t = x->ndim ? at[axis] : 0;
    if (p->there[1]) plain_line(&p->x[1], at, axes, v[1]);
    assert_true(t < plain_new_line(p, id, v[0], v[1], n, v[2], v[3]));
    p->y.v[i] = id == MLPLI_OP_ARGSORT ? v[3][t] : v[2][t];
    p->places.v[i] = v[3][t];
  }
  for (int i = 0; i < 4; i++) free(v[i]);
}

/* ---- along an index, counts -------------------------------------------------------- */

static void plain_taken_along(plain *p, bool add) {
  const array *x = &p->x[0], *index = &p->x[1];
  int64_t size[MLPL_MAX_RANK], at[MLPL_MAX_RANK], axis = p->c->p[0].i;
  memcpy(size, index->size, sizeof size);
  if (add) size[axis] = p->c->p[1].i;
  p->y = array_new(x->ndim, size);
  p->terms = index->n;
  for (int64_t i = 0; i < index->n; i++) {
    index_of(index, i, at);
    at[axis] = (int64_t)index->v[i];
    if (add) p->y.v[place_of(&p->y, at)] += x->v[i];
    else p->y.v[i] = x->v[place_of(x, at)];
  }
}

static void plain_bincount(plain *p) {
  const array *x = &p->x[0];
  int64_t n = p->c->p[0].i;
  for (int64_t i = 0; i < x->n; i++)
    if ((int64_t)x->v[i] >= n) n = (int64_t)x->v[i] + 1;
  p->y = array_new(1, &n);
  p->terms = x->n;
  for (int64_t i = 0; i < x->n; i++)
    p->y.v[(int64_t)x->v[i]] += p->there[1] ? p->x[1].v[i] : 1;
}

static void plain_histc(plain *p) {
  const array *x = &p->x[0];
  int64_t bins = p->c->p[0].i;
  double min = p->c->p[1].f, max = p->c->p[2].f;
  p->y = array_new(1, &bins);
  if (min == max && x->n) {
    min = INFINITY, max = -INFINITY;
    for (int64_t i = 0; i < x->n; i++) min = fmin(min, x->v[i]), max = fmax(max, x->v[i]);
  }
  for (int64_t i = 0; i < x->n; i++)
    for (int64_t b = 0; b < bins; b++) {
      double low = min + (max - min) * (double)b / (double)bins,
             high = min + (max - min) * (double)(b + 1) / (double)bins;
      bool last = b == bins - 1;
      p->y.v[b] += x->v[i] >= low && (last ? x->v[i] <= max : x->v[i] < high);
    }
}

static void plain_search(plain *p) {
  const array *seq = &p->x[0], *x = &p->x[1];
  int64_t r = seq->size[seq->ndim - 1];
  p->y = array_new(x->ndim, x->size);
  for (int64_t i = 0; i < x->n; i++) {
    const double *line =
        seq->v + (seq->ndim > 1 ? i / x->size[x->ndim - 1] * r : 0);
    for (int64_t k = 0; k < r; k++)
      p->y.v[i] += p->c->p[0].i ? line[k] <= x->v[i] : line[k] < x->v[i];
  }
}

/* ---- which ------------------------------------------------------------------------- */

static bool plain_reductions(plain *p, mlpli_op_id id) {
  const mlpl_value *o = p->c->p;
  switch (id) {
  case MLPLI_OP_SUM:
  case MLPLI_OP_MEAN:
    if (o[0].i != MLPL_SEVERAL_AXES) return false; /* plain_reduce */
    plain_each(p, id, &o[0], o[1].i);
    return true;
  case MLPLI_OP_COUNT_NONZERO: plain_each(p, id, &o[0], false); return true;
  case MLPLI_OP_MIN:
  case MLPLI_OP_ARGMIN:
  case MLPLI_OP_AMAX:
  case MLPLI_OP_AMIN:
  case MLPLI_OP_ANY:
  case MLPLI_OP_ALL:
  case MLPLI_OP_PROD:
  case MLPLI_OP_LOGSUMEXP:
  case MLPLI_OP_NANMEDIAN:
  case MLPLI_OP_MODE:
  case MLPLI_OP_MEDIAN: plain_each(p, id, &o[0], o[1].i); return true;
  case MLPLI_OP_VAR:
  case MLPLI_OP_STD: plain_each(p, id, &o[0], o[2].i); return true;
  case MLPLI_OP_NORM:
  case MLPLI_OP_KTHVALUE:
  case MLPLI_OP_QUANTILE: plain_each(p, id, &o[1], o[2].i); return true;
  case MLPLI_OP_CUMSUM:
  case MLPLI_OP_CUMPROD:
  case MLPLI_OP_LOGCUMSUMEXP:
  case MLPLI_OP_CUMMAX:
  case MLPLI_OP_CUMMIN:
  case MLPLI_OP_RECUR:
  case MLPLI_OP_SORT:
  case MLPLI_OP_ARGSORT: plain_lines(p, id, &o[0], -1); return true;
  case MLPLI_OP_TOPK: plain_lines(p, id, &o[1], o[0].i); return true;
  case MLPLI_OP_DIFF: {
    int64_t n = p->x[0].size[axis_of(p, o[1].i)];
    plain_lines(p, id, &o[1], n > o[0].i ? n - o[0].i : 0);
    return true;
  }
  case MLPLI_OP_TAKE_ALONG:
  case MLPLI_OP_ADD_ALONG: plain_taken_along(p, id == MLPLI_OP_ADD_ALONG); return true;
  case MLPLI_OP_BINCOUNT: plain_bincount(p); return true;
  case MLPLI_OP_HISTC: plain_histc(p); return true;
  case MLPLI_OP_SEARCHSORTED: plain_search(p); return true;
  default: return false;
  }
}

#endif
