/*
** Singular values and vectors of a square matrix: reflections to an upper bidiagonal
** matrix, then implicit QR with a zero shift where that keeps small values exact; scalars
** in double.
** Source: Golub, Van Loan, Matrix Computations (4th ed.), 8.6; Demmel, Kahan, Accurate
** singular values of bidiagonal matrices (1990).
*/
#include <string.h>

#include "kern/linalg/linalg.h"

/* ---- to bidiagonal form ------------------------------------------------------------ */

/*
** Reflection k from the left has vector v_k (column k of `left`), from the right u_k
** (column k of `right`, whose row i stands for column i + 1 of the matrix). A step's
** update from the right, A -= x u^T, waits for the next step, so that the matrix is read
** and written twice a step.
*/
typedef struct bidiagonal {
  ptrdiff_t n, k;
  mat a, left, right;
  real *tau_left, *tau_right;
  real *v, *w, *x, *u; /* n each; u is 0 at first */
  double *d, *e;
  ptrdiff_t columns; /* of a task */
} bidiagonal;

/* Rows from k on, some columns after k: A -= x u^T; w = v^T A. */
static void update_columns(void *arg, ptrdiff_t task, int worker) {
  const bidiagonal *b = arg;
  ptrdiff_t first = b->k + 1 + task * b->columns, n = least(b->columns, b->n - first);
  real *restrict w = b->w + first;
  const real *u = b->u + first;
  (void)worker;
  for (ptrdiff_t j = 0; j < n; j++) w[j] = 0;
  for (ptrdiff_t i = b->k; i < b->n; i++) {
    real *restrict row = elem(b->a, i, first);
    const real x = b->x[i], v = b->v[i];
    for (ptrdiff_t j = 0; j < n; j++) {
      row[j] -= x * u[j];
      w[j] += v * row[j];
    }
  }
}

/* Some rows after k, columns after k: A -= v w^T; x = A u. w holds tau, x does not. */
static void update_rows(void *arg, ptrdiff_t task, int worker) {
  const bidiagonal *b = arg;
  ptrdiff_t first = b->k + 1 + task * b->columns, end = least(first + b->columns, b->n);
  const ptrdiff_t n = b->n - b->k - 1;
  const real *w = b->w + b->k + 1, *u = b->u + b->k + 1;
  (void)worker;
  for (ptrdiff_t i = first; i < end; i++) {
    real *row = elem(b->a, i, b->k + 1);
    const vec v = splat(b->v[i]);
    vec sum = {0};
    ptrdiff_t j = 0;
    double total = 0;
    for (; j + LANES <= n; j += LANES) {
      const vec r = load(row + j) - v * load(w + j);
      store(row + j, r);
      sum = fma_vec(r, load(u + j), sum);
    }
    for (; j < n; j++) {
      row[j] -= v[0] * w[j];
      total += (double)row[j] * (double)u[j];
    }
    for (int l = 0; l < LANES; l++) total += (double)sum[l];
    b->x[i] = (real)total;
  }
}

/* Tasks of as many rows or columns as make 2^15 elements. */
static void shared_out(bidiagonal *b, mlplk_task *task, const mlplk_par *par) {
  const ptrdiff_t n = b->n - b->k - 1;
  b->columns = round_up(most(1, (1 << 15) / n), LANES);
  par->run(par, parts_of(n, b->columns), task, b);
}

/* Column k under the waiting update; d[k] and v. */
static void left_reflection(bidiagonal *b) {
  const ptrdiff_t k = b->k, n = b->n;
  for (ptrdiff_t i = k; i < n; i++) b->v[i] = *elem(b->a, i, k) - b->x[i] * b->u[k];
  b->tau_left[k] = (real)VARIANT(reflection)(n - k, b->v + k, 1, &b->d[k]);
  b->v[k] = 1;
  for (ptrdiff_t i = 0; i < n; i++) *elem(b->left, i, k) = i < k ? 0 : b->v[i];
}

/* Row k once the reflection from the left is applied; e[k] and u. */
static void right_reflection(bidiagonal *b) {
  const ptrdiff_t k = b->k, n = b->n;
  for (ptrdiff_t j = k + 1; j < n; j++) {
    b->w[j] *= b->tau_left[k];
    b->u[j] = *elem(b->a, k, j) - b->w[j];
  }
  b->tau_right[k] = (real)VARIANT(reflection)(n - k - 1, b->u + k + 1, 1, &b->e[k]);
  b->u[k + 1] = 1;
  for (ptrdiff_t j = 1; j < n; j++) *elem(b->right, j - 1, k) = j <= k ? 0 : b->u[j];
}

static void to_bidiagonal(bidiagonal *b, const mlplk_par *par) {
  for (ptrdiff_t i = 0; i < b->n; i++) b->x[i] = b->u[i] = 0;
  for (b->k = 0; b->k < b->n; b->k++) {
    left_reflection(b);
    if (b->k + 1 == b->n) break;
    shared_out(b, update_columns, par);
    right_reflection(b);
    shared_out(b, update_rows, par);
    for (ptrdiff_t i = b->k + 1; i < b->n; i++) b->x[i] *= b->tau_right[b->k];
  }
}

/* ---- implicit QR ------------------------------------------------------------------- */

typedef struct iteration {
  ptrdiff_t n, width, room, n_rotations;
  double *d, *e;
  real *left, *right; /* NULL: values only */
  rotation *of_left, *of_right;
  const mlplk_par *par;
} iteration;

static void flush(iteration *it) {
  if (it->left) {
    VARIANT(rotate_rows)(it->left, it->width, it->of_left, it->n_rotations, it->par);
    VARIANT(rotate_rows)(it->right, it->width, it->of_right, it->n_rotations, it->par);
  }
  it->n_rotations = 0;
}

typedef struct plane {
  double c, s, r;
} plane;

/* c f + s g = r, c g - s f = 0 */
static plane plane_of(double f, double g) {
  if (g == 0) return (plane){1, 0, f};
  if (f == 0) return (plane){0, 1, g};
  const double up = lift_of(f, g);
  f *= up, g *= up;
  const double r = copysign(hypot(f, g), f);
  return (plane){f / r, g / r, r / up};
}

static void turn(iteration *it, ptrdiff_t i, plane left, plane right) {
  it->of_left[it->n_rotations] = (rotation){i, (real)left.c, (real)left.s};
  it->of_right[it->n_rotations] = (rotation){i, (real)right.c, (real)right.s};
  it->n_rotations++;
}

/* The smaller singular value of (f g; 0 h). */
static double smaller_of(double f, double g, double h) {
  const double fa = fabs(f), ga = fabs(g), ha = fabs(h);
  const double low = fmin(fa, ha), high = fmax(fa, ha);
  if (low == 0) return 0;
  const double as = 1 + low / high, at = (high - low) / high;
  if (ga < high) {
    const double au = ga / high * (ga / high);
    return low * (2 / (sqrt(as * as + au) + sqrt(at * at + au)));
  }
  const double au = high / ga;
  if (au == 0) return low * high / ga;
  return 2 * (low * (1 / (hypot(as * au, 1) + hypot(at * au, 1)))) * au;
}

/* On the block [lo, hi]: 0 where a shift would cost small values their accuracy. */
static double shift_of(const iteration *it, ptrdiff_t lo, ptrdiff_t hi) {
  const double *d = it->d, *e = it->e;
  double low = fabs(d[lo]), high = low, mu = low;
  for (ptrdiff_t i = lo; i < hi && low > 0; i++) {
    mu = fabs(d[i + 1]) * (mu / (mu + fabs(e[i])));
    low = fmin(low, mu);
    high = fmax(high, fmax(fabs(d[i + 1]), fabs(e[i])));
  }
  if (low == 0 || (double)it->n * low / high <= DBL_EPSILON) return 0;
  const double shift = smaller_of(d[hi - 1], e[hi - 1], d[hi]), part = shift / d[lo];
  return part * part < DBL_EPSILON ? 0 : shift;
}

static void zero_shift_sweep(iteration *it, ptrdiff_t lo, ptrdiff_t hi) {
  double *d = it->d, *e = it->e;
  plane right = {1, 0, 0}, left = {1, 0, 0};
  for (ptrdiff_t i = lo; i < hi; i++) {
    right = plane_of(d[i] * right.c, e[i]);
    if (i > lo) e[i - 1] = left.s * right.r;
    left = plane_of(left.c * right.r, d[i + 1] * right.s);
    d[i] = left.r;
    turn(it, i, left, right);
  }
  const double h = d[hi] * right.c;
  d[hi] = h * left.c;
  e[hi - 1] = h * left.s;
}

static void shifted_sweep(iteration *it, ptrdiff_t lo, ptrdiff_t hi, double shift) {
  double *d = it->d, *e = it->e;
  double f = (fabs(d[lo]) - shift) * (copysign(1, d[lo]) + shift / d[lo]), g = e[lo];
  for (ptrdiff_t i = lo; i < hi; i++) {
    const plane right = plane_of(f, g);
    if (i > lo) e[i - 1] = right.r;
    f = right.c * d[i] + right.s * e[i];
    e[i] = right.c * e[i] - right.s * d[i];
    g = right.s * d[i + 1];
    d[i + 1] *= right.c;
    const plane left = plane_of(f, g);
    d[i] = left.r;
    f = left.c * e[i] + left.s * d[i + 1];
    d[i + 1] = left.c * d[i + 1] - left.s * e[i];
    if (i + 1 < hi) g = left.s * e[i + 1], e[i + 1] *= left.c;
    turn(it, i, left, right);
  }
  e[hi - 1] = f;
}

/* 0: converged, within most_sweeps a value on average: the first one pays for the shape of
   all. */
static int bidiagonal_qr(iteration *it, int most_sweeps) {
  const double *d = it->d;
  double norm = 0;
  for (ptrdiff_t i = 0; i < it->n; i++)
    norm = fmax(norm, fabs(d[i]) + (i + 1 < it->n ? fabs(it->e[i]) : 0));
  const double least_norm = DBL_EPSILON * DBL_EPSILON * norm;
  ptrdiff_t left = most_sweeps * it->n;
  int sweep = 0;
  for (ptrdiff_t hi = it->n - 1; hi > 0;) {
    ptrdiff_t lo = hi;
    for (; lo > 0; lo--) {
      const double size = fabs(d[lo]) + fabs(d[lo - 1]), e = fabs(it->e[lo - 1]);
      if (e <= negligible(sweep) * size || e <= least_norm) break;
    }
    if (lo == hi) {
      hi--, sweep = 0;
      continue;
    }
    if (left-- == 0) return 1;
    sweep++;
    if (it->n_rotations + hi - lo > it->room) flush(it);
    const double shift = shift_of(it, lo, hi);
    if (shift == 0)
      zero_shift_sweep(it, lo, hi);
    else
      shifted_sweep(it, lo, hi, shift);
  }
  flush(it);
  return 0;
}

/* ---- together ---------------------------------------------------------------------- */

typedef struct parts {
  real *rows_left, *rows_right, *left, *right, *tau_left, *tau_right, *v, *w, *x, *u,
      *work;
  double *d, *e;
  rotation *of_left, *of_right;
  ptrdiff_t *order;
  char *products;
} parts;

/* *used: the bytes before the memory for products. */
static parts cut(char *base, ptrdiff_t n, size_t *used) {
  parts p;
  *used = 0;
  p.rows_left = take_reals(base, used, n * padded(n));
  p.rows_right = take_reals(base, used, n * padded(n));
  p.left = take_reals(base, used, n * n);
  p.right = take_reals(base, used, n * n);
  p.tau_left = take_reals(base, used, n);
  p.tau_right = take_reals(base, used, n);
  p.v = take_reals(base, used, n);
  p.w = take_reals(base, used, n);
  p.x = take_reals(base, used, n);
  p.u = take_reals(base, used, n);
  p.work = take_reals(base, used, reflect_work(n));
  p.d = take(base, used, n + 1, sizeof(double));
  p.e = take(base, used, n + 1, sizeof(double));
  p.of_left = take(base, used, most_rotations(n), sizeof(rotation));
  p.of_right = take(base, used, most_rotations(n), sizeof(rotation));
  p.order = take(base, used, n, sizeof(ptrdiff_t));
  p.products = base ? base + *used : NULL;
  return p;
}

size_t VARIANT(svd_scratch)(ptrdiff_t n, int workers) {
  size_t used;
  cut(NULL, n, &used);
  return used + VARIANT(gemm_scratch_most)(n, workers);
}

/* Rows that are the columns of the two products of reflections. */
static void start_rows(const tools *t, ptrdiff_t n, const parts *p) {
  const ptrdiff_t width = padded(n);
  mat ql = {p->rows_left, 1, width}, qr = {p->rows_right, 1, width};
  memset(p->rows_left, 0, (size_t)(n * width) * sizeof(real));
  memset(p->rows_right, 0, (size_t)(n * width) * sizeof(real));
  VARIANT(form_q)(t, n, n, n, rows_at(p->left, n), p->tau_left, ql, p->work);
  *elem(qr, 0, 0) = 1;
  if (n > 1) VARIANT(form_q)
  (t, n - 1, n - 1, n - 1, rows_at(p->right, n - 1), p->tau_right, from(qr, 1, 1),
      p->work);
}

/* Values become positive, and falling by `order`. */
static void finish_values(ptrdiff_t n, const parts *p, ptrdiff_t width, int vectors) {
  for (ptrdiff_t i = 0; i < n; i++) {
    ptrdiff_t at = i;
    if (signbit(p->d[i])) {
      p->d[i] = -p->d[i];
      for (ptrdiff_t j = 0; j < n && vectors; j++)
        p->rows_right[i * width + j] = -p->rows_right[i * width + j];
    }
    for (; at > 0 && p->d[p->order[at - 1]] < p->d[i]; at--)
      p->order[at] = p->order[at - 1];
    p->order[at] = i;
  }
}

int VARIANT(svd)(ptrdiff_t n, const mlplk_matrix *a, void *values, const mlplk_matrix *u,
    const mlplk_matrix *vh, int sweeps, void *scratch, const mlplk_par *par) {
  if (n == 0) return 0;
  size_t used;
  parts p = cut(scratch, n, &used);
  tools tool = {p.products, par};
  bidiagonal b = {.n = n,
      .a = mat_of(a),
      .left = rows_at(p.left, n),
      .right = rows_at(p.right, n - 1),
      .tau_left = p.tau_left,
      .tau_right = p.tau_right,
      .v = p.v,
      .w = p.w,
      .x = p.x,
      .u = p.u,
      .d = p.d,
      .e = p.e};
  to_bidiagonal(&b, par);
  const int vectors = u->p != NULL;
  if (vectors) start_rows(&tool, n, &p);
  iteration it = {n, padded(n), most_rotations(n), 0, p.d, p.e,
      vectors ? p.rows_left : NULL, vectors ? p.rows_right : NULL, p.of_left, p.of_right,
      par};
  if (bidiagonal_qr(&it, sweeps)) return 1;
  finish_values(n, &p, it.width, vectors);
  for (ptrdiff_t i = 0; i < n; i++) ((real *)values)[i] = (real)p.d[p.order[i]];
  if (vectors) {
    take_rows(n, mat_of(u), p.rows_left, it.width, p.order);
    take_rows(n, flipped(mat_of(vh)), p.rows_right, it.width, p.order);
  }
  return 0;
}
