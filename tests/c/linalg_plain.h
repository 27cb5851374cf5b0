/*
** Plain loops for the rows of linear algebra: elimination with complete pivoting, sums as
** they are written, Jacobi's rotations. Factors are checked by what defines them. Part of
** table.c.
*/
#ifndef TEST_LINALG_PLAIN_H
#define TEST_LINALG_PLAIN_H

/* A matrix m x n, row by row. */
typedef struct dense {
  int64_t m, n;
  double *v;
} dense;

#define AT(a, i, j) (a).v[(i) * (a).n + (j)]

static dense dense_new(int64_t m, int64_t n) {
  dense a = {m, n, calloc((size_t)(m * n) + 1, sizeof(double))};
  assert_non_null(a.v);
  return a;
}

static dense dense_turned(dense a) {
  dense t = dense_new(a.n, a.m);
  for (int64_t i = 0; i < a.m; i++)
    for (int64_t j = 0; j < a.n; j++) AT(t, j, i) = AT(a, i, j);
  return t;
}

static dense dense_product(dense a, dense b) {
  dense c = dense_new(a.m, b.n);
  for (int64_t i = 0; i < a.m; i++)
    for (int64_t j = 0; j < b.n; j++)
      for (int64_t k = 0; k < a.n; k++) AT(c, i, j) += AT(a, i, k) * AT(b, k, j);
  return c;
}

/* A^-1, and *det; elimination with a pivot from the whole rest (Gauss and Jordan). */
static dense dense_inverse(dense given, double *det) {
  const int64_t n = given.n;
  dense a = dense_new(n, 2 * n), x = dense_new(n, n);
  int64_t *column = calloc((size_t)n + 1, sizeof *column);
  *det = 1;
  for (int64_t i = 0; i < n; i++) {
    column[i] = i;
    for (int64_t j = 0; j < n; j++) AT(a, i, j) = AT(given, i, j);
    AT(a, i, n + i) = 1;
  }
  for (int64_t k = 0; k < n; k++) {
    int64_t p = k, q = k;
    for (int64_t i = k; i < n; i++)
      for (int64_t j = k; j < n; j++)
        if (fabs(AT(a, i, j)) > fabs(AT(a, p, q))) p = i, q = j;
    if (p != k) *det = -*det;
    if (q != k) *det = -*det;
    for (int64_t j = 0; j < 2 * n; j++) {
      double v = AT(a, k, j);
      AT(a, k, j) = AT(a, p, j), AT(a, p, j) = v;
    }
    for (int64_t i = 0; i < n; i++) {
      double v = AT(a, i, k);
      AT(a, i, k) = AT(a, i, q), AT(a, i, q) = v;
    }
    int64_t c = column[k];
    column[k] = column[q], column[q] = c;
    const double pivot = AT(a, k, k);
    *det *= pivot;
    for (int64_t j = 0; j < 2 * n; j++) AT(a, k, j) /= pivot;
    for (int64_t i = 0; i < n; i++) {
      const double f = AT(a, i, k);
      for (int64_t j = 0; i != k && j < 2 * n; j++) AT(a, i, j) -= f * AT(a, k, j);
    }
  }
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < n; j++) AT(x, column[i], j) = AT(a, i, n + j);
  free(a.v);
  free(column);
  return x;
}

static int falling(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return x < y ? 1 : x > y ? -1 : 0;
}

/* Eigenvalues of a symmetric matrix, falling, into value (Jacobi). */
static void dense_eigenvalues(dense given, double *value) {
  const int64_t n = given.n;
  dense a = dense_new(n, n);
  memcpy(a.v, given.v, (size_t)(n * n) * sizeof *a.v);
  for (int sweep = 0; sweep < 30; sweep++)
    for (int64_t p = 0; p < n; p++)
      for (int64_t q = p + 1; q < n; q++) {
        if (AT(a, p, q) == 0) continue;
        const double t = 0.5 * atan2(2 * AT(a, p, q), AT(a, q, q) - AT(a, p, p)),
                     c = cos(t), s = sin(t);
        for (int64_t k = 0; k < n; k++) {
          const double x = AT(a, k, p), y = AT(a, k, q);
          AT(a, k, p) = c * x - s * y, AT(a, k, q) = s * x + c * y;
        }
        for (int64_t k = 0; k < n; k++) {
          const double x = AT(a, p, k), y = AT(a, q, k);
          AT(a, p, k) = c * x - s * y, AT(a, q, k) = s * x + c * y;
        }
        AT(a, p, q) = AT(a, q, p) = 0;
      }
  for (int64_t i = 0; i < n; i++) value[i] = AT(a, i, i);
  qsort(value, (size_t)n, sizeof *value, falling);
  free(a.v);
}

/* Singular values, falling: roots of the eigenvalues of the smaller of A^T A, A A^T. */
static int64_t dense_singular(dense a, double *value) {
  dense t = dense_turned(a), s = a.m < a.n ? dense_product(a, t) : dense_product(t, a);
  dense_eigenvalues(s, value);
  for (int64_t i = 0; i < s.n; i++) value[i] = sqrt(fmax(value[i], 0));
  free(t.v);
  free(s.v);
  return a.m < a.n ? a.m : a.n;
}

/* A^T (A A^T)^-1 or (A^T A)^-1 A^T */
static dense dense_pseudo(dense a) {
  double det;
  dense t = dense_turned(a), s = a.m < a.n ? dense_product(a, t) : dense_product(t, a);
  dense x = dense_inverse(s, &det);
  dense p = a.m < a.n ? dense_product(t, x) : dense_product(x, t);
  free(t.v), free(s.v), free(x.v);
  return p;
}

static double dense_norm(const double *x, int64_t n, int64_t step, double p) {
  double sum = 0, most = 0, least = INFINITY;
  for (int64_t i = 0; i < n; i++) {
    const double v = fabs(x[i * step]);
    most = fmax(most, v), least = fmin(least, v);
    sum += p == 0 ? v != 0 : pow(v, p);
  }
  return isinf(p) ? (p > 0 ? most : least) : p == 0 ? sum : pow(sum, 1 / p);
}

/* By the order's place among fro, nuc, inf, -inf, 1, -1, 2, -2. */
static double dense_matrix_norm(dense a, int64_t order) {
  double value[64] = {0};
  if (order == 0) return dense_norm(a.v, a.m * a.n, 1, 2);
  if (order == 1 || order > 5) {
    const int64_t k = dense_singular(a, value);
    return order == 1 ? dense_norm(value, k, 1, 1) : value[order == 6 ? 0 : k - 1];
  }
  const bool rows = order < 4, least = order == 3 || order == 5;
  double best = least ? INFINITY : 0;
  for (int64_t i = 0; i < (rows ? a.m : a.n); i++) {
    const double sum = dense_norm(a.v + (rows ? i * a.n : i), rows ? a.n : a.m, rows ? 1 : a.n, 1);
    best = least ? fmin(best, sum) : fmax(best, sum);
  }
  return best;
}

/* ---- one matrix of a case ---------------------------------------------------------- */

static dense part_of(const array *x, int64_t i) {
  dense a = dense_new(x->size[x->ndim - 2], x->size[x->ndim - 1]);
  memcpy(a.v, x->v + i * a.m * a.n, (size_t)(a.m * a.n) * sizeof *a.v);
  return a;
}

/* The axes before the last `drop`, then these. */
static array stack_of(const array *x, int drop, int n, int64_t s0, int64_t s1) {
  int64_t size[MLPL_MAX_RANK];
  int ndim = x->ndim - drop;
  memcpy(size, x->size, sizeof size);
  if (n > 0) size[ndim++] = s0;
  if (n > 1) size[ndim++] = s1;
  return array_new(ndim, size);
}

static int64_t parts_in(const array *x, int axes) {
  int64_t n = 1;
  for (int d = 0; d < x->ndim - axes; d++) n *= x->size[d];
  return n;
}

typedef dense of_matrix(dense a, const mlpl_value *p);

static dense number(double v) {
  dense y = dense_new(1, 1);
  y.v[0] = v;
  return y;
}

static dense inverse(dense a, const mlpl_value *p) {
  double det;
  (void)p;
  return dense_inverse(a, &det);
}
static dense determinant(dense a, const mlpl_value *p) {
  double det;
  (void)p;
  free(dense_inverse(a, &det).v);
  return number(det);
}
static dense log_determinant(dense a, const mlpl_value *p) {
  dense y = determinant(a, p);
  y.v[0] = log(y.v[0]);
  return y;
}
static dense sign_log(dense a, const mlpl_value *p) {
  dense d = determinant(a, p), y = dense_new(1, 2);
  y.v[0] = d.v[0] > 0 ? 1 : -1, y.v[1] = log(fabs(d.v[0]));
  free(d.v);
  return y;
}
static dense cofactors(dense a, const mlpl_value *p) {
  double det;
  (void)p;
  dense x = dense_inverse(a, &det), t = dense_turned(x);
  for (int64_t i = 0; i < t.m * t.n; i++) t.v[i] *= det;
  free(x.v);
  return t;
}
static dense cholesky(dense a, const mlpl_value *p) {
  dense l = dense_new(a.m, a.m);
  for (int64_t i = 0; i < a.m; i++)
    for (int64_t j = 0; j <= i; j++) {
      double sum = AT(a, i, j);
      for (int64_t k = 0; k < j; k++) sum -= AT(l, i, k) * AT(l, j, k);
      AT(l, i, j) = i == j ? sqrt(sum) : sum / AT(l, j, j);
    }
  if (!p[0].i) return l;
  dense u = dense_turned(l);
  free(l.v);
  return u;
}
static dense eigenvalues(dense a, const mlpl_value *p) {
  dense y = dense_new(1, a.m), r = dense_new(1, a.m);
  (void)p;
  dense_eigenvalues(a, y.v);
  for (int64_t i = 0; i < a.m; i++) r.v[i] = y.v[a.m - 1 - i];
  free(y.v);
  return r;
}
static dense singular_values(dense a, const mlpl_value *p) {
  dense y = dense_new(1, a.m < a.n ? a.m : a.n);
  (void)p;
  dense_singular(a, y.v);
  return y;
}
static dense pseudo_inverse(dense a, const mlpl_value *p) {
  (void)p;
  return dense_pseudo(a);
}
static dense matrix_norm(dense a, const mlpl_value *p) {
  return number(dense_matrix_norm(a, p[0].i));
}
static dense condition(dense a, const mlpl_value *p) {
  double det, value[64];
  if (a.m == 0 || a.n == 0) return number(0);
  if (p[0].i > 5) {
    const int64_t k = dense_singular(a, value);
    return number(p[0].i == 6 ? value[0] / value[k - 1] : value[k - 1] / value[0]);
  }
  dense x = dense_inverse(a, &det), y = matrix_norm(a, p);
  y.v[0] *= dense_matrix_norm(x, p[0].i);
  free(x.v);
  return y;
}
static dense power(dense a, const mlpl_value *p) {
  dense y = dense_new(a.m, a.m), base = p[0].i < 0 ? inverse(a, NULL) : a;
  for (int64_t i = 0; i < a.m; i++) AT(y, i, i) = 1;
  for (int64_t k = llabs(p[0].i); k > 0; k--) {
    dense next = dense_product(y, base);
    free(y.v);
    y = next;
  }
  if (base.v != a.v) free(base.v);
  return y;
}
/* The series of A / 2^4, squared as often. */
static dense exponential(dense a, const mlpl_value *p) {
  dense term = dense_new(a.m, a.m), y = dense_new(a.m, a.m);
  (void)p;
  for (int64_t i = 0; i < a.m; i++) AT(term, i, i) = AT(y, i, i) = 1;
  for (int k = 1; k < 20; k++) {
    dense next = dense_product(term, a);
    free(term.v);
    term = next;
    for (int64_t i = 0; i < a.m * a.m; i++) y.v[i] += term.v[i] /= k * 16.0;
  }
  free(term.v);
  for (int k = 0; k < 4; k++) {
    dense next = dense_product(y, y);
    free(y.v);
    y = next;
  }
  return y;
}
static dense row_norm(dense a, const mlpl_value *p) {
  return number(dense_norm(a.v, a.n, 1, p[0].f));
}

/* ---- rows -------------------------------------------------------------------------- */

/* y[i] = f(x[i]) of every matrix (axes = 2) or row (1); each gives `more` axes. */
static void plain_matrices(plain *p, of_matrix *f, int axes, int more, int64_t s0, int64_t s1) {
  array x = p->x[0];
  if (axes == 1) x.size[x.ndim] = x.size[x.ndim - 1], x.size[x.ndim - 1] = 1, x.ndim++;
  p->y = stack_of(&p->x[0], axes, more, s0, s1);
  const int64_t n = parts_in(&p->x[0], axes);
  for (int64_t i = 0; i < n; i++) {
    dense a = part_of(&x, i), y = f(a, p->c->p);
    memcpy(p->y.v + i * y.m * y.n, y.v, (size_t)(y.m * y.n) * sizeof *y.v);
    free(a.v), free(y.v);
  }
}

/* The triangle that is read, with ones where they are understood. */
static void cut_triangle(dense a, bool upper, bool unit) {
  for (int64_t i = 0; i < a.m; i++)
    for (int64_t j = 0; j < a.m; j++) {
      if (upper ? j < i : j > i) AT(a, i, j) = 0;
      if (unit && i == j) AT(a, i, j) = 1;
    }
}

/* X = A^-1 B, pinv(A) B, or B A^-1, of stacks that broadcast over at most two axes; b may
   be vectors. */
static void plain_system(plain *p, mlpli_op_id id) {
  array a = p->x[0], b = p->x[1];
  const mlpl_value *o = p->c->p;
  const bool triangle = id == MLPLI_OP_SOLVE_TRIANGLES || id == MLPLI_OP_TRIANGULAR_SOLVE;
  const bool left = id == MLPLI_OP_SOLVE ? o[0].i != 0
      : id == MLPLI_OP_TRIANGULAR_SOLVE  ? o[1].i != 0
                                         : true;
  const bool vectors = (id == MLPLI_OP_SOLVE || id == MLPLI_OP_LSTSQ) &&
      (b.ndim == 1 ||
          (b.ndim == a.ndim - 1 && !memcmp(a.size, b.size, (size_t)b.ndim * sizeof *b.size)));
  if (vectors && left) b.size[b.ndim++] = 1;
  else if (vectors) b.size[b.ndim] = b.size[b.ndim - 1], b.size[b.ndim++ - 1] = 1;
  const int64_t x0 = left ? a.size[a.ndim - 1] : b.size[b.ndim - 2],
                x1 = left ? b.size[b.ndim - 1] : a.size[a.ndim - 1];
  const int n = a.ndim > b.ndim ? a.ndim : b.ndim;
  int64_t size[MLPL_MAX_RANK], at[MLPL_MAX_RANK];
  for (int d = 0; d < n - 2; d++) {
    const int da = d - n + a.ndim, db = d - n + b.ndim;
    size[d] = da >= 0 && a.size[da] != 1 ? a.size[da] : db >= 0 ? b.size[db] : 1;
  }
  size[n - 2] = x0, size[n - 1] = x1;
  p->y = array_new(n, size);
  array stack = {.ndim = n - 2};
  memcpy(stack.size, size, sizeof stack.size);
  for (int64_t i = 0; i < parts_in(&p->y, 2); i++) {
    array sa = a, sb = b;
    index_of(&stack, i, at);
    sa.ndim -= 2, sb.ndim -= 2;
    int64_t own[2][MLPL_MAX_RANK];
    for (int d = 0; d < sa.ndim; d++) own[0][d] = sa.size[d] == 1 ? 0 : at[d + n - a.ndim];
    for (int d = 0; d < sb.ndim; d++) own[1][d] = sb.size[d] == 1 ? 0 : at[d + n - b.ndim];
    dense x = part_of(&a, place_of(&sa, own[0])), y = part_of(&b, place_of(&sb, own[1]));
    if (triangle) cut_triangle(x, o[0].i, o[id == MLPLI_OP_TRIANGULAR_SOLVE ? 2 : 1].i);
    dense inv = id == MLPLI_OP_LSTSQ ? dense_pseudo(x) : inverse(x, NULL);
    dense r = left ? dense_product(inv, y) : dense_product(y, inv);
    memcpy(p->y.v + i * x0 * x1, r.v, (size_t)(x0 * x1) * sizeof *r.v);
    free(x.v), free(y.v), free(inv.v), free(r.v);
  }
  if (vectors) p->y.ndim--, p->y.size[p->y.ndim - 1] = left ? x0 : x1;
}

static void plain_vector_norm(plain *p) {
  const mlpl_value *o = p->c->p;
  const array *x = &p->x[0];
  int64_t size[MLPL_MAX_RANK], at[MLPL_MAX_RANK], step = 1;
  const bool all = o[1].i == MLPL_NO_AXIS || x->ndim == 0;
  const int64_t axis = all ? 0 : axis_of(p, o[1].i);
  int n = 0;
  for (int d = 0; d < x->ndim; d++) {
    if (!all && d != axis) size[n++] = x->size[d];
    else if (o[2].i) size[n++] = 1;
    if (!all && d > axis) step *= x->size[d];
  }
  p->y = array_new(n, size);
  for (int64_t i = 0; i < p->y.n; i++) {
    int64_t first = all ? 0 : i / step * step * x->size[axis] + i % step;
    p->y.v[i] = dense_norm(x->v + first, all ? x->n : x->size[axis], all ? 1 : step, o[0].f);
  }
  (void)at;
}

static void plain_rank(plain *p) {
  const mlpl_value *o = p->c->p;
  p->y = stack_of(&p->x[0], 2, 0, 0, 0);
  for (int64_t i = 0; i < p->y.n; i++) {
    double value[64] = {0};
    dense a = part_of(&p->x[0], i);
    const int64_t k = a.m && a.n ? dense_singular(a, value) : 0;
    for (int64_t j = 0; j < k; j++)
      p->y.v[i] += value[j] > fmax(o[0].f, fmax(o[1].f, 0) * value[0]) && value[j] > 1e-5;
    free(a.v);
  }
}

/* ---- factors, by what defines them ------------------------------------------------- */

/* `count` elements from `from` on in the last axis of t, as matrices m x n. */
static dense unpacked(const mlpl_tensor *t, int64_t each, int64_t i, int64_t from, int64_t m,
    int64_t n) {
  dense a = dense_new(m, n);
  for (int64_t e = 0; e < m * n; e++) a.v[e] = case_get(t, i * each + from + e);
  return a;
}

static void assert_close(const op_case *one, dense a, dense b, double allowed) {
  assert_true(a.m == b.m && a.n == b.n);
  for (int64_t i = 0; i < a.m * a.n; i++)
    if (!(fabs(a.v[i] - b.v[i]) <= allowed))
      fail_msg("%s: element %d is %.17g, not %.17g", case_text(one), (int)i, a.v[i], b.v[i]);
}

/* Q^T Q = 1 by columns. */
static void assert_orthogonal(const op_case *one, dense q, double allowed) {
  dense t = dense_turned(q), s = dense_product(t, q), eye = dense_new(q.n, q.n);
  for (int64_t i = 0; i < q.n; i++) AT(eye, i, i) = 1;
  assert_close(one, s, eye, allowed);
  free(t.v), free(s.v), free(eye.v);
}

/* a = q diag(d) r, d NULL: without; r as many rows as q has columns, or fewer values. */
static void assert_factors(
    const op_case *one, dense a, dense q, const dense *d, dense r, double allowed) {
  dense y = dense_new(a.m, a.n);
  const int64_t k = d ? d->n : q.n;
  for (int64_t i = 0; i < a.m; i++)
    for (int64_t j = 0; j < a.n; j++)
      for (int64_t l = 0; l < k; l++)
        AT(y, i, j) += AT(q, i, l) * (d ? d->v[l] : 1) * AT(r, l, j);
  assert_close(one, y, a, allowed);
  free(y.v);
}

static void check_qr(const op_case *one, const plain *p, mlpl_tensor *const *out, bool packed) {
  const array *x = &p->x[0];
  const int64_t m = x->size[x->ndim - 2], n = x->size[x->ndim - 1], mode = p->c->p[0].i;
  const int64_t q = mode == 1 ? m : m < n ? m : n, size = mode == 2 ? 0 : m * q;
  const double eps = out[0]->dtype == MLPL_F32 ? 0x1p-23 : 0x1p-52;
  const double allowed = eps * 10 * (double)(m + n) * fmax(p->largest, 1);
  for (int64_t i = 0; i < parts_in(x, 2); i++) {
    dense a = part_of(x, i), r, f = dense_new(0, 0);
    r = packed ? unpacked(out[0], size + q * n, i, size, q, n) : unpacked(out[1], q * n, i, 0, q, n);
    for (int64_t y = 0; y < q; y++)
      for (int64_t z = 0; z < n && z < y; z++) assert_true(AT(r, y, z) == 0);
    if (mode != 2) {
      free(f.v);
      f = unpacked(out[0], packed ? size + q * n : size, i, 0, m, q);
      assert_orthogonal(one, f, allowed);
      assert_factors(one, a, f, NULL, r, allowed);
    }
    else { /* R^T R = A^T A */
      dense rt = dense_turned(r), at = dense_turned(a), s = dense_product(rt, r),
            t = dense_product(at, a);
      assert_close(one, s, t, allowed * 4 * p->largest);
      free(rt.v), free(at.v), free(s.v), free(t.v);
    }
    free(a.v), free(r.v), free(f.v);
  }
}

static void check_eigh(const op_case *one, const plain *p, mlpl_tensor *const *out, bool packed) {
  const array *x = &p->x[0];
  const int64_t n = x->size[x->ndim - 1];
  const double eps = out[0]->dtype == MLPL_F32 ? 0x1p-23 : 0x1p-52;
  const double allowed = eps * 20 * (double)n * fmax(p->largest, 1);
  for (int64_t i = 0; i < parts_in(x, 2); i++) {
    dense a = part_of(x, i);
    dense v = packed ? unpacked(out[0], (n + 1) * n, i, 0, n, n) : unpacked(out[1], n * n, i, 0, n, n);
    dense l = packed ? unpacked(out[0], (n + 1) * n, i, n * n, 1, n) : unpacked(out[0], n, i, 0, 1, n);
    dense vt = dense_turned(v);
    for (int64_t j = 1; j < n; j++) assert_true(l.v[j - 1] <= l.v[j]);
    assert_orthogonal(one, v, allowed);
    assert_factors(one, a, v, &l, vt, allowed);
    free(a.v), free(v.v), free(l.v), free(vt.v);
  }
}

static void check_svd(const op_case *one, const plain *p, mlpl_tensor *const *out, bool packed) {
  const array *x = &p->x[0];
  const int64_t m = x->size[x->ndim - 2], n = x->size[x->ndim - 1], k = m < n ? m : n;
  const int64_t q = p->c->p[0].i ? m : k, r = p->c->p[0].i ? n : k,
                each = m * q + k + r * n;
  const double eps = out[0]->dtype == MLPL_F32 ? 0x1p-23 : 0x1p-52;
  const double allowed = eps * 20 * (double)(m + n) * fmax(p->largest, 1);
  for (int64_t i = 0; i < parts_in(x, 2); i++) {
    dense a = part_of(x, i);
    dense u = packed ? unpacked(out[0], each, i, 0, m, q) : unpacked(out[0], m * q, i, 0, m, q);
    dense s = packed ? unpacked(out[0], each, i, m * q, 1, k) : unpacked(out[1], k, i, 0, 1, k);
    dense vh = packed ? unpacked(out[0], each, i, m * q + k, r, n)
                      : unpacked(out[2], r * n, i, 0, r, n);
    dense v = dense_turned(vh);
    for (int64_t j = 0; j < k; j++) assert_true(s.v[j] >= 0 && (j == 0 || s.v[j - 1] >= s.v[j]));
    assert_orthogonal(one, u, allowed);
    assert_orthogonal(one, v, allowed);
    assert_factors(one, a, u, &s, vh, allowed);
    free(a.v), free(u.v), free(s.v), free(vh.v), free(v.v);
  }
}

/* x m[0] x m[1] ... x, transposed, and the trace of x m[0] x m[1] ... */
static dense chain(dense x, const dense *m, int n, double *trace) {
  dense y = dense_product(x, x);
  for (int64_t i = 0; i < x.m * x.n; i++) y.v[i] = x.v[i];
  for (int k = 0; k < n; k++) {
    dense left = dense_product(y, m[k]), right = dense_product(left, x);
    *trace = 0;
    for (int64_t i = 0; i < x.n; i++) *trace += AT(left, i, i);
    free(y.v), free(left.v);
    y = right;
  }
  dense t = dense_turned(y);
  free(y.v);
  return t;
}

static void add(dense to, double by, dense a) {
  for (int64_t i = 0; i < a.m * a.n; i++) to.v[i] += by * a.v[i];
  free(a.v);
}

/* d of d X^T, X = A^-1, in the direction g, and of that in the direction h: derivatives of
   products, d(det) = det tr(X dA), dX = -X dA X. */
static void plain_slope(plain *p) {
  const bool curved = p->c->n > 2;
  p->y = stack_of(&p->x[0], 0, 0, 0, 0);
  for (int64_t i = 0; i < parts_in(&p->x[0], 2); i++) {
    double det, tg, th, both, unused;
    dense a = part_of(&p->x[0], i), m[2] = {part_of(&p->x[1], i)}, x = dense_inverse(a, &det);
    dense y = {a.m, a.n, p->y.v + i * a.m * a.n};
    m[1] = part_of(&p->x[curved ? 2 : 1], i);
    dense turned[2] = {m[1], m[0]}, gx = chain(x, m, 1, &tg), hx = chain(x, m + 1, 1, &th),
          ghx = chain(x, m, 2, &both), hgx = chain(x, turned, 2, &unused);
    add(y, det * (curved ? tg * th - both : tg), dense_turned(x));
    add(y, -det * (curved ? th : 1), gx);
    add(y, curved ? -det * tg : 0, hx);
    add(y, curved ? det : 0, ghx);
    add(y, curved ? det : 0, hgx);
    free(a.v), free(m[0].v), free(m[1].v), free(x.v);
  }
}

static void plain_values_of(plain *p) {
  p->y = array_new(p->x[2].ndim, p->x[2].size);
  for (int64_t i = 0; i < p->y.n; i++) p->y.v[i] = p->x[2].v[i];
}

/* ---- all --------------------------------------------------------------------------- */

static void compare_linalg(plain *p, const op_case *one, mlpl_tensor *const *out) {
  const mlpli_op_id id = id_of(p->c->op);
  const array *x = &p->x[0];
  const int64_t m = x->ndim > 1 ? x->size[x->ndim - 2] : 0,
                n = x->ndim > 0 ? x->size[x->ndim - 1] : 0, k = m < n ? m : n;
  p->terms = 100 * (m + n);
  switch (id) {
  case MLPLI_OP_SOLVE_MATRICES:
  case MLPLI_OP_SOLVE:
  case MLPLI_OP_SOLVE_TRIANGLES:
  case MLPLI_OP_TRIANGULAR_SOLVE:
  case MLPLI_OP_LSTSQ: plain_system(p, id); break;
  case MLPLI_OP_CHOLESKY: plain_matrices(p, cholesky, 2, 2, n, n); break;
  case MLPLI_OP_INV:
  case MLPLI_OP_INV_OR_INF: plain_matrices(p, inverse, 2, 2, n, n); break;
  case MLPLI_OP_DET: plain_matrices(p, determinant, 2, 0, 0, 0); break;
  case MLPLI_OP_LOGDET: plain_matrices(p, log_determinant, 2, 0, 0, 0); break;
  case MLPLI_OP_COFACTOR: plain_matrices(p, cofactors, 2, 2, n, n); break;
  case MLPLI_OP_COFACTOR_SLOPE:
  case MLPLI_OP_COFACTOR_CURVE: plain_slope(p); break;
  case MLPLI_OP_SIGN_AND_LOG: plain_matrices(p, sign_log, 2, 1, 2, 0); break;
  case MLPLI_OP_SLOGDET:
    plain_matrices(p, log_determinant, 2, 0, 0, 0); /* positive, as the cases are */
    compare(one, p, out[1]);
    for (int64_t i = 0; i < p->y.n; i++) p->y.v[i] = 1;
    break;
  case MLPLI_OP_QR_FACTORS: check_qr(one, p, out, true); return;
  case MLPLI_OP_QR: check_qr(one, p, out, false); return;
  case MLPLI_OP_VALUES_OF: plain_values_of(p); break;
  case MLPLI_OP_EIGH_FACTORS: check_eigh(one, p, out, true); return;
  case MLPLI_OP_EIGH: check_eigh(one, p, out, false); return;
  case MLPLI_OP_EIGH_VALUES:
  case MLPLI_OP_EIGVALSH: plain_matrices(p, eigenvalues, 2, 1, n, 0); break;
  case MLPLI_OP_SVD_FACTORS: check_svd(one, p, out, true); return;
  case MLPLI_OP_SVD: check_svd(one, p, out, false); return;
  case MLPLI_OP_SVD_VALUES:
  case MLPLI_OP_SVDVALS: plain_matrices(p, singular_values, 2, 1, k, 0); break;
  case MLPLI_OP_PINV: plain_matrices(p, pseudo_inverse, 2, 2, n, m); break;
  case MLPLI_OP_LSTSQ_FACTORS: return; /* lstsq's, taken apart there */
  case MLPLI_OP_MATRIX_RANK: plain_rank(p); break;
  case MLPLI_OP_ROW_NORM: plain_matrices(p, row_norm, 1, 0, 0, 0); break;
  case MLPLI_OP_VECTOR_NORM: plain_vector_norm(p); break;
  case MLPLI_OP_MATRIX_NORM:
    plain_matrices(p, matrix_norm, 2, p->c->p[1].i ? 2 : 0, 1, 1);
    break;
  case MLPLI_OP_COND: plain_matrices(p, condition, 2, 0, 0, 0); break;
  case MLPLI_OP_MATRIX_POWER: plain_matrices(p, power, 2, 2, n, n); break;
  case MLPLI_OP_MATRIX_EXP: plain_matrices(p, exponential, 2, 2, n, n); break;
  /* of products and factors: compared with PyTorch's alone */
  case MLPLI_OP_LU_FACTOR:
  case MLPLI_OP_LU:
  case MLPLI_OP_LU_SOLVE:
  case MLPLI_OP_MULTI_DOT:
  case MLPLI_OP_VECDOT:
  case MLPLI_OP_VANDER: return;
  default: fail_msg("%s has no plain loops", one->op);
  }
  compare(one, p, out[0]);
  free(p->y.v);
}

#endif
