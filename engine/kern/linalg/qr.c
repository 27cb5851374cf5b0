/* Householder reflections: QR, and products of reflections written out. */
#include "kern/linalg/linalg.h"

#include <string.h>

static double sum_of_squares(ptrdiff_t n, const real *x, ptrdiff_t s) {
  double sum = 0;
  for (ptrdiff_t i = 0; i < n; i++) sum += (double)x[i * s] * (double)x[i * s];
  return sum;
}

/* Multiplies alpha and x by a power of two, so that the largest is from 1/2 to 1; returns
   its exponent. */
static int lift(ptrdiff_t n, real *x, ptrdiff_t s, double *alpha) {
  int exponent;
  double largest = fabs(*alpha);
  for (ptrdiff_t i = 0; i < n; i++) largest = fmax(largest, fabs((double)x[i * s]));
  frexp(largest, &exponent);
  *alpha = ldexp(*alpha, -exponent);
  for (ptrdiff_t i = 0; i < n; i++) x[i * s] = (real)ldexp((double)x[i * s], -exponent);
  return -exponent;
}

/* A sum of squares below this has lost digits, so that H were not orthogonal. */
#define LEAST_SQUARES 0x1p-900

double VARIANT(reflection)(ptrdiff_t n, real *x, ptrdiff_t s, double *beta) {
  double alpha = n ? (double)x[0] : 0, squares = sum_of_squares(n - 1, x + s, s);
  int up = 0;
  if (alpha * alpha + squares < LEAST_SQUARES) {
    up = lift(n - 1, x + s, s, &alpha);
    squares = sum_of_squares(n - 1, x + s, s);
  }
  if (squares == 0) {
    *beta = n ? (double)x[0] : 0;
    for (ptrdiff_t i = 1; i < n; i++) x[i * s] = 0; /* nothing beside alpha */
    return 0;
  }
  const double b = -copysign(sqrt(alpha * alpha + squares), alpha);
  const double by = 1 / (alpha - b);
  for (ptrdiff_t i = 1; i < n; i++) x[i * s] = (real)((double)x[i * s] * by);
  *beta = ldexp(b, -up);
  return (b - alpha) / b;
}

/* H_0 ... H_(k-1) = I - V T V^T. square [k x k] = V^T V. T is upper triangular. */
static void make_t(ptrdiff_t k, const real *square, const real *tau, real *t) {
  for (ptrdiff_t j = 0; j < k; j++) {
    for (ptrdiff_t i = 0; i < j; i++) {
      real sum = 0;
      for (ptrdiff_t l = i; l < j; l++) sum += t[i * k + l] * square[l * k + j];
      t[i * k + j] = -tau[j] * sum;
      t[j * k + i] = 0;
    }
    t[j * k + j] = tau[j];
  }
}

/* c [m x n] := (I - V T V^T) c, or with T^T; v [m x k], k <= PANEL_WIDTH. */
static void apply_panel(const tools *t, ptrdiff_t m, ptrdiff_t k, ptrdiff_t n, mat v,
    const real *tau, int transposed, mat c, real *work) {
  real *square = work, *factor = work + k * k;
  real *w = work + room(2 * PANEL_WIDTH * PANEL_WIDTH), *tw = w + k * n;
  mat middle = rows_at(factor, k);
  if (m == 0 || n == 0) return;
  add_product(t, k, k, m, 1, flipped(v), v, 0, rows_at(square, k));
  make_t(k, square, tau, factor);
  add_product(t, k, n, m, 1, flipped(v), c, 0, rows_at(w, n));
  add_product(t, k, n, k, 1, transposed ? flipped(middle) : middle, rows_at(w, n), 0,
      rows_at(tw, n));
  add_product(t, m, n, k, -1, v, rows_at(tw, n), 1, c);
}

void VARIANT(form_q)(const tools *t, ptrdiff_t m, ptrdiff_t k, ptrdiff_t nq, mat v,
    const real *tau, mat q, real *work) {
  for (ptrdiff_t i = 0; i < m; i++)
    for (ptrdiff_t j = 0; j < nq; j++) *elem(q, i, j) = i == j;
  for (ptrdiff_t j = (k - 1) / PANEL_WIDTH * PANEL_WIDTH; k && j >= 0; j -= PANEL_WIDTH)
    apply_panel(t, m - j, least(PANEL_WIDTH, k - j), nq - j, from(v, j, j), tau + j, 0,
        from(q, j, j), work);
}

/* Columns [0, k) of a [m x n], rows side by side; v and tau receive the reflections. */
static void reduce_panel(ptrdiff_t m, ptrdiff_t k, mat a, mat v, real *tau) {
  real w[PANEL_WIDTH];
  for (ptrdiff_t j = 0; j < k; j++) {
    double beta;
    tau[j] = (real)VARIANT(reflection)(m - j, elem(a, j, j), a.rs, &beta);
    for (ptrdiff_t i = 0; i < m; i++) {
      *elem(v, i, j) = i < j ? 0 : i == j ? 1 : *elem(a, i, j);
      if (i > j) *elem(a, i, j) = 0;
    }
    *elem(a, j, j) = (real)beta;
    const ptrdiff_t n = k - j - 1;
    for (ptrdiff_t x = 0; x < n; x++) w[x] = 0;
    for (ptrdiff_t i = j; i < m; i++) {
      const real f = *elem(v, i, j), *row = elem(a, i, j + 1);
      for (ptrdiff_t x = 0; x < n; x++) w[x] += f * row[x];
    }
    for (ptrdiff_t i = j; i < m; i++) {
      const real f = tau[j] * *elem(v, i, j);
      real *restrict row = elem(a, i, j + 1);
      for (ptrdiff_t x = 0; x < n; x++) row[x] -= f * w[x];
    }
  }
}

/* Of one column block: room for v, tau, and the work of panels. */
static ptrdiff_t qr_reals(ptrdiff_t m, ptrdiff_t n, ptrdiff_t nq) {
  ptrdiff_t k = least(m, n);
  return room(m * k) + room(k) + reflect_work(most(n, nq));
}

size_t VARIANT(qr_scratch)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t nq, int workers) {
  return (size_t)qr_reals(m, n, nq) * sizeof(real) +
      VARIANT(gemm_scratch_most)(most(most(m, n), nq), workers);
}

void VARIANT(qr)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t nq, const mlplk_matrix *a,
    const mlplk_matrix *q, void *scratch, const mlplk_par *par) {
  const ptrdiff_t k = least(m, n);
  real *store = scratch, *tau = store + room(m * k), *work = tau + room(k);
  tools t = {store + qr_reals(m, n, nq), par};
  mat v = rows_at(store, k), r = mat_of(a);
  for (ptrdiff_t j = 0; j < k; j += PANEL_WIDTH) {
    ptrdiff_t w = least(PANEL_WIDTH, k - j);
    reduce_panel(m - j, w, from(r, j, j), from(v, j, j), tau + j);
    for (ptrdiff_t i = 0; i < j; i++)
      for (ptrdiff_t x = 0; x < w; x++) *elem(v, i, j + x) = 0;
    apply_panel(
        &t, m - j, w, n - j - w, from(v, j, j), tau + j, 1, from(r, j, j + w), work);
  }
  if (q->p) VARIANT(form_q)(&t, m, k, nq, v, tau, mat_of(q), work);
}
