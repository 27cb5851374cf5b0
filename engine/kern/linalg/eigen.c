/*
** Eigenvalues and eigenvectors of a symmetric matrix: reflections to tridiagonal form, in
** panels whose updates are products, then implicit QL, its scalars in double.
** Source: Golub, Van Loan, Matrix Computations (4th ed.), 8.3; Dongarra, Sorensen,
** Hammarling (1989) for the panels.
*/
#include <string.h>

#include "kern/linalg/linalg.h"

static double dot(ptrdiff_t n, const real *x, const real *y) {
  vec sum[2] = {{0}, {0}};
  ptrdiff_t i = 0;
  double total = 0;
  for (; i + 2 * LANES <= n; i += 2 * LANES)
    for (int l = 0; l < 2; l++)
      sum[l] = fma_vec(load(x + i + l * LANES), load(y + i + l * LANES), sum[l]);
  sum[0] += sum[1];
  for (int l = 0; l < LANES; l++) total += (double)sum[0][l];
  for (; i < n; i++) total += (double)x[i] * (double)y[i];
  return total;
}

/* ---- y = A x by rows, shared out --------------------------------------------------- */

enum { TASK_ELEMENTS = 1 << 15 };

typedef struct rows_by_vector {
  ptrdiff_t n, rows;
  mat a;
  const real *x;
  real *y;
} rows_by_vector;

static void run_rows(void *arg, ptrdiff_t task, int worker) {
  const rows_by_vector *r = arg;
  ptrdiff_t end = least((task + 1) * r->rows, r->n);
  (void)worker;
  for (ptrdiff_t i = task * r->rows; i < end; i++)
    r->y[i] = (real)dot(r->n, elem(r->a, i, 0), r->x);
}

static void square_by_vector(
    const mlplk_par *par, ptrdiff_t n, mat a, const real *x, real *y) {
  rows_by_vector r = {n, most(1, TASK_ELEMENTS / n), a, x, y};
  par->run(par, parts_of(n, r.rows), run_rows, &r);
}

/* ---- to tridiagonal form ----------------------------------------------------------- */

/* Row i of v holds what the reflections do to row i + 1 of the matrix. Column k - first
   of w is the other vector of the update of reflection k. */
typedef struct tridiagonal {
  ptrdiff_t n, first;
  mat a, v;
  real *tau, *w, *x, *y;
  double *d, *e;
} tridiagonal;

/* x := column k from row k on, updated by the panel's reflections before k */
static void updated_column(const tridiagonal *t, ptrdiff_t k) {
  const real *wk = t->w + k * PANEL_WIDTH;
  const ptrdiff_t q = k - t->first;
  for (ptrdiff_t i = k; i < t->n; i++) {
    const real *wi = t->w + i * PANEL_WIDTH;
    real sum = *elem(t->a, k, i);
    if (q) {
      const real *vi = elem(t->v, i - 1, t->first), *vk = elem(t->v, k - 1, t->first);
      for (ptrdiff_t l = 0; l < q; l++) sum -= vi[l] * wk[l] + wi[l] * vk[l];
    }
    t->x[i] = sum;
  }
}

/* y[k + 1 ..) := (A - V W^T - W V^T) x */
static void updated_product(const mlplk_par *par, const tridiagonal *t, ptrdiff_t k) {
  real wx[PANEL_WIDTH] = {0}, vx[PANEL_WIDTH] = {0};
  const ptrdiff_t q = k - t->first;
  square_by_vector(
      par, t->n - k - 1, from(t->a, k + 1, k + 1), t->x + k + 1, t->y + k + 1);
  for (ptrdiff_t i = k + 1; i < t->n && q; i++) {
    const real *wi = t->w + i * PANEL_WIDTH, *vi = elem(t->v, i - 1, t->first);
    for (ptrdiff_t l = 0; l < q; l++) wx[l] += wi[l] * t->x[i], vx[l] += vi[l] * t->x[i];
  }
  for (ptrdiff_t i = k + 1; i < t->n && q; i++) {
    const real *wi = t->w + i * PANEL_WIDTH, *vi = elem(t->v, i - 1, t->first);
    real sum = t->y[i];
    for (ptrdiff_t l = 0; l < q; l++) sum -= vi[l] * wx[l] + wi[l] * vx[l];
    t->y[i] = sum;
  }
}

/* w = tau y - (tau / 2) (tau y . x) x, so that H A H = A - x w^T - w x^T */
static void other_vector(const tridiagonal *t, ptrdiff_t k) {
  const real tau = t->tau[k];
  const ptrdiff_t n = t->n - k - 1;
  const real half = (real)(-0.5 * (double)tau * (double)tau *
      dot(n, t->y + k + 1, t->x + k + 1));
  for (ptrdiff_t i = k + 1; i < t->n; i++)
    t->w[i * PANEL_WIDTH + k - t->first] = tau * t->y[i] + half * t->x[i];
}

static void one_column(const mlplk_par *par, tridiagonal *t, ptrdiff_t k) {
  updated_column(t, k);
  t->d[k] = (double)t->x[k];
  if (k + 1 == t->n) return;
  t->tau[k] = (real)VARIANT(reflection)(t->n - k - 1, t->x + k + 1, 1, &t->e[k]);
  t->x[k + 1] = 1;
  for (ptrdiff_t i = 1; i < t->n; i++) *elem(t->v, i - 1, k) = i <= k ? 0 : t->x[i];
  updated_product(par, t, k);
  other_vector(t, k);
}

static void to_tridiagonal(const tools *tool, tridiagonal *t) {
  for (ptrdiff_t k = 0; k < t->n; k++) {
    one_column(tool->par, t, k);
    const ptrdiff_t next = k + 1, q = next - t->first, n = t->n - next;
    if (q < PANEL_WIDTH || n <= 0) continue;
    mat rest = from(t->a, next, next), v = from(t->v, next - 1, t->first),
        w = rows_at(t->w + next * PANEL_WIDTH, PANEL_WIDTH);
    add_product(tool, n, n, q, -1, v, flipped(w), 1, rest);
    add_product(tool, n, n, q, -1, w, flipped(v), 1, rest);
    t->first = next;
  }
}

/* ---- implicit QL ------------------------------------------------------------------- */

/* The row of index i of `rows` is n - 1 - i: a sweep, from the last index to the first,
   then goes down them. */
typedef struct iteration {
  ptrdiff_t n, width, room, n_rotations;
  double *d, *e;
  real *rows; /* NULL: values only */
  rotation *r;
  const mlplk_par *par;
} iteration;

static void flush(iteration *it) {
  if (it->rows)
    VARIANT(rotate_rows)(it->rows, it->width, it->r, it->n_rotations, it->par);
  it->n_rotations = 0;
}

/* One sweep on the block [l, m]. */
static void ql_sweep(iteration *it, ptrdiff_t l, ptrdiff_t m) {
  double *d = it->d, *e = it->e;
  double g = (d[l + 1] - d[l]) / (2 * e[l]), r = hypot(g, 1);
  double s = 1, c = 1, p = 0;
  ptrdiff_t i = m - 1;
  if (it->n_rotations + m - l > it->room) flush(it);
  g = d[m] - d[l] + e[l] / (g + copysign(r, g));
  for (; i >= l; i--) {
    const double f = s * e[i], b = c * e[i], up = lift_of(f, g);
    r = hypot(f * up, g * up);
    e[i + 1] = r / up;
    if (r == 0) break;
    s = f * up / r, c = g * up / r;
    g = d[i + 1] - p;
    r = (d[i] - g) * s + 2 * c * b;
    p = s * r;
    d[i + 1] = g + p;
    g = c * r - b;
    it->r[it->n_rotations++] = (rotation){it->n - 2 - i, (real)c, (real)s};
  }
  if (i >= l)
    d[i + 1] -= p; /* the block fell apart */
  else
    d[l] -= p, e[l] = g;
  e[m] = 0;
}

/* 0: converged, within most_sweeps a value on average */
static int ql(iteration *it, int most_sweeps) {
  double norm = 0;
  for (ptrdiff_t i = 0; i < it->n; i++)
    norm = fmax(norm, fabs(it->d[i]) + (i + 1 < it->n ? fabs(it->e[i]) : 0));
  const double least_norm = DBL_EPSILON * DBL_EPSILON * norm;
  ptrdiff_t left = most_sweeps * it->n;
  for (ptrdiff_t l = 0; l < it->n; l++)
    for (int sweep = 0;; sweep++) {
      ptrdiff_t m = l;
      for (; m + 1 < it->n; m++) {
        const double size = fabs(it->d[m]) + fabs(it->d[m + 1]), e = fabs(it->e[m]);
        if (e <= negligible(sweep) * size || e <= least_norm) break;
      }
      if (m == l) break;
      if (left-- == 0) return 1;
      ql_sweep(it, l, m);
    }
  flush(it);
  return 0;
}

/* ---- together ---------------------------------------------------------------------- */

/* Parts of the scratch memory, each from a multiple of 64 bytes. */
typedef struct parts {
  real *rows, *v, *tau, *w, *x, *y, *work;
  double *d, *e;
  rotation *r;
  ptrdiff_t *order;
  char *products;
} parts;

/* *used: the bytes before the memory for products. */
static parts cut(char *base, ptrdiff_t n, size_t *used) {
  parts p;
  *used = 0;
  p.rows = take_reals(base, used, n * padded(n));
  p.v = take_reals(base, used, n * n);
  p.tau = take_reals(base, used, n);
  p.w = take_reals(base, used, n * PANEL_WIDTH);
  p.x = take_reals(base, used, n);
  p.y = take_reals(base, used, n);
  p.work = take_reals(base, used, reflect_work(n));
  p.d = take(base, used, n + 1, sizeof(double));
  p.e = take(base, used, n + 1, sizeof(double));
  p.r = take(base, used, most_rotations(n), sizeof(rotation));
  p.order = take(base, used, n, sizeof(ptrdiff_t));
  p.products = base ? base + *used : NULL;
  return p;
}

size_t VARIANT(eigh_scratch)(ptrdiff_t n, int workers) {
  size_t used;
  cut(NULL, n, &used);
  return used + VARIANT(gemm_scratch_most)(n, workers);
}

/* rows := the transposed product of the reflections, in QL's order of rows */
static void start_rows(const tools *t, ptrdiff_t n, const parts *p) {
  const ptrdiff_t width = padded(n);
  memset(p->rows, 0, (size_t)(n * width) * sizeof(real));
  mat q = {p->rows + (n - 1) * width, 1, -width};
  *elem(q, 0, 0) = 1;
  if (n > 1) VARIANT(form_q)
  (t, n - 1, n - 1, n - 1, rows_at(p->v, n - 1), p->tau, from(q, 1, 1), p->work);
}

static void sort_rising(ptrdiff_t n, const double *d, ptrdiff_t *order) {
  for (ptrdiff_t i = 0; i < n; i++) {
    ptrdiff_t at = i;
    for (; at > 0 && d[order[at - 1]] > d[i]; at--) order[at] = order[at - 1];
    order[at] = i;
  }
}

int VARIANT(eigh)(ptrdiff_t n, const mlplk_matrix *a, void *values,
    const mlplk_matrix *vectors, int sweeps, void *scratch, const mlplk_par *par) {
  if (n == 0) return 0;
  size_t used;
  parts p = cut(scratch, n, &used);
  tools tool = {p.products, par};
  tridiagonal t = {n, 0, mat_of(a), rows_at(p.v, n - 1), p.tau, p.w, p.x, p.y, p.d, p.e};
  to_tridiagonal(&tool, &t);
  if (vectors->p) start_rows(&tool, n, &p);
  iteration it = {
      n, padded(n), most_rotations(n), 0, p.d, p.e, vectors->p ? p.rows : NULL, p.r, par};
  if (ql(&it, sweeps)) return 1;
  sort_rising(n, p.d, p.order);
  for (ptrdiff_t i = 0; i < n; i++) {
    ((real *)values)[i] = (real)p.d[p.order[i]];
    p.order[i] = n - 1 - p.order[i]; /* its row */
  }
  if (vectors->p) {
    /* values above used the places; the rows follow them */
    take_rows(n, mat_of(vectors), p.rows, padded(n), p.order);
  }
  return 0;
}
