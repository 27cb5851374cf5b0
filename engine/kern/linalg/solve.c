/* Triangular systems, LU with partial pivoting, Cholesky: halves, and products between. */
#include "kern/linalg/linalg.h"

enum { LEAF = 16, TILE = 64, LU_LEAF = 8, SYRK_LEAF = 128 };

/* ---- L X = B, L lower triangular --------------------------------------------------- */

/* w columns of X, in place; rows of b are s apart. l is packed: LEAF a row. */
static void solve_tile(
    ptrdiff_t n, ptrdiff_t w, const real *l, int unit, real *b, ptrdiff_t s) {
  for (ptrdiff_t i = 0; i < n; i++) {
    real *restrict x = b + i * s;
    const real *li = l + i * LEAF;
    ptrdiff_t k = 0;
    for (; k + 4 <= i; k += 4) {
      const real l0 = li[k], l1 = li[k + 1], l2 = li[k + 2], l3 = li[k + 3];
      const real *b0 = b + k * s, *b1 = b0 + s, *b2 = b1 + s, *b3 = b2 + s;
      for (ptrdiff_t j = 0; j < w; j++)
        x[j] -= l0 * b0[j] + l1 * b1[j] + (l2 * b2[j] + l3 * b3[j]);
    }
    for (; k < i; k++) {
      const real l0 = li[k], *b0 = b + k * s;
      for (ptrdiff_t j = 0; j < w; j++) x[j] -= l0 * b0[j];
    }
    if (unit) continue;
    const real d = li[i];
    for (ptrdiff_t j = 0; j < w; j++) x[j] /= d;
  }
}

static void solve_leaf(ptrdiff_t n, ptrdiff_t r, mat l, int unit, mat b) {
  real packed[LEAF * LEAF], tile[LEAF * TILE];
  for (ptrdiff_t i = 0; i < n; i++)
    for (ptrdiff_t k = 0; k <= i; k++) packed[i * LEAF + k] = *elem(l, i, k);
  for (ptrdiff_t j = 0; j < r; j += TILE) {
    ptrdiff_t w = least(TILE, r - j);
    if (b.cs == 1) {
      solve_tile(n, w, packed, unit, elem(b, 0, j), b.rs);
      continue;
    }
    for (ptrdiff_t x = 0; x < w; x++)
      for (ptrdiff_t i = 0; i < n; i++) tile[i * TILE + x] = *elem(b, i, j + x);
    solve_tile(n, w, packed, unit, tile, TILE);
    for (ptrdiff_t x = 0; x < w; x++)
      for (ptrdiff_t i = 0; i < n; i++) *elem(b, i, j + x) = tile[i * TILE + x];
  }
}

/* A multiple of `unit` near the half of n. */
static ptrdiff_t half(ptrdiff_t n, ptrdiff_t unit) {
  return most(unit, n / 2 / unit * unit);
}

static void solve_lower(
    const tools *t, ptrdiff_t n, ptrdiff_t r, mat l, int unit, mat b) {
  if (n <= LEAF) {
    solve_leaf(n, r, l, unit, b);
    return;
  }
  ptrdiff_t h = half(n, LEAF);
  solve_lower(t, h, r, l, unit, b);
  add_product(t, n - h, r, h, -1, from(l, h, 0), b, 1, from(b, h, 0));
  solve_lower(t, n - h, r, from(l, h, h), unit, from(b, h, 0));
}

/* An upper triangle read from its last element back is a lower one. */
void VARIANT(solve_triangular)(ptrdiff_t n, ptrdiff_t r, const mlplk_matrix *a, int upper,
    int unit, const mlplk_matrix *b, void *scratch, const mlplk_par *par) {
  tools t = {scratch, par};
  mat l = mat_of(a), x = mat_of(b);
  if (n == 0 || r == 0) return;
  if (upper) {
    l = from(l, n - 1, n - 1), x = from(x, n - 1, 0);
    l.rs = -l.rs, l.cs = -l.cs, x.rs = -x.rs;
  }
  solve_lower(&t, n, r, l, unit, x);
}

/* ---- P A = L U --------------------------------------------------------------------- */

static void swap_rows(mat a, ptrdiff_t n, ptrdiff_t i, ptrdiff_t k) {
  real *x = elem(a, i, 0), *y = elem(a, k, 0);
  if (i == k) return;
  for (ptrdiff_t j = 0; j < n; j++) {
    real v = x[j];
    x[j] = y[j];
    y[j] = v;
  }
}

/* Row, from j on, of the largest element of column j; a NaN is the largest. */
static ptrdiff_t pivot_row(mat a, ptrdiff_t m, ptrdiff_t j) {
  ptrdiff_t best = j;
  real largest = (real)fabs((double)*elem(a, j, j));
  for (ptrdiff_t i = j + 1; i < m; i++) {
    real v = (real)fabs((double)*elem(a, i, j));
    if (v > largest || (v != v && largest == largest)) best = i, largest = v;
  }
  return best;
}

static void lu_leaf(ptrdiff_t m, ptrdiff_t n, mat a, ptrdiff_t *pivot) {
  for (ptrdiff_t j = 0; j < n; j++) {
    pivot[j] = pivot_row(a, m, j);
    swap_rows(a, n, j, pivot[j]);
    const real *top = elem(a, j, 0);
    const real d = top[j];
    if (d == 0) continue;
    for (ptrdiff_t i = j + 1; i < m; i++) {
      real *restrict row = elem(a, i, 0);
      const real l = row[j] / d;
      row[j] = l;
      for (ptrdiff_t k = j + 1; k < n; k++) row[k] -= l * top[k];
    }
  }
}

/* The first n columns of m rows, m >= n; rows of a lie side by side. */
static void lu_part(const tools *t, ptrdiff_t m, ptrdiff_t n, mat a, ptrdiff_t *pivot) {
  if (n <= LU_LEAF) {
    lu_leaf(m, n, a, pivot);
    return;
  }
  ptrdiff_t h = half(n, LU_LEAF);
  mat right = from(a, 0, h), rest = from(a, h, h);
  lu_part(t, m, h, a, pivot);
  for (ptrdiff_t j = 0; j < h; j++) swap_rows(right, n - h, j, pivot[j]);
  solve_lower(t, h, n - h, a, 1, right);
  add_product(t, m - h, n - h, h, -1, from(a, h, 0), right, 1, rest);
  lu_part(t, m - h, n - h, rest, pivot + h);
  for (ptrdiff_t j = h; j < n; j++) {
    pivot[j] += h;
    swap_rows(a, h, j, pivot[j]);
  }
}

/* What is right of the leading square takes part in its steps, and in no others. */
void VARIANT(lu)(ptrdiff_t m, ptrdiff_t n, const mlplk_matrix *a, ptrdiff_t *pivot,
    void *scratch, const mlplk_par *par) {
  tools t = {scratch, par};
  const ptrdiff_t k = m < n ? m : n;
  if (k == 0) return;
  mat left = mat_of(a), right = from(left, 0, k);
  lu_part(&t, m, k, left, pivot);
  if (n == k) return;
  for (ptrdiff_t j = 0; j < k; j++) swap_rows(right, n - k, j, pivot[j]);
  solve_lower(&t, k, n - k, left, 1, right);
}

/* ---- A = L L^T --------------------------------------------------------------------- */

static ptrdiff_t cholesky_leaf(ptrdiff_t n, mat a) {
  for (ptrdiff_t i = 0; i < n; i++) {
    real *x = elem(a, i, 0);
    for (ptrdiff_t j = 0; j <= i; j++) {
      const real *y = elem(a, j, 0);
      real sum = x[j];
      for (ptrdiff_t k = 0; k < j; k++) sum -= x[k] * y[k];
      if (j < i)
        x[j] = sum / y[j];
      else if (!(sum > 0)) /* NaN, too */
        return i + 1;
      else
        x[i] = (real)sqrt((double)sum);
    }
  }
  return 0;
}

/* The lower triangle of C [n x n] -= A A^T, A [n x k]; above it, C is spoiled. */
static void subtract_square(const tools *t, ptrdiff_t n, ptrdiff_t k, mat a, mat c) {
  if (n <= SYRK_LEAF) {
    add_product(t, n, n, k, -1, a, flipped(a), 1, c);
    return;
  }
  ptrdiff_t h = half(n, LEAF);
  mat low = from(a, h, 0);
  subtract_square(t, h, k, a, c);
  add_product(t, n - h, h, k, -1, low, flipped(a), 1, from(c, h, 0));
  subtract_square(t, n - h, k, low, from(c, h, h));
}

/* 0, or the order of the first leading minor that is not positive. */
static ptrdiff_t cholesky_part(const tools *t, ptrdiff_t n, mat a) {
  if (n <= LEAF) return cholesky_leaf(n, a);
  ptrdiff_t h = half(n, LEAF), bad = cholesky_part(t, h, a);
  mat low = from(a, h, 0), rest = from(a, h, h);
  if (bad) return bad;
  solve_lower(t, h, n - h, a, 0, flipped(low));
  subtract_square(t, n - h, h, low, rest);
  bad = cholesky_part(t, n - h, rest);
  return bad ? bad + h : 0;
}

ptrdiff_t VARIANT(cholesky)(
    ptrdiff_t n, const mlplk_matrix *a, void *scratch, const mlplk_par *par) {
  tools t = {scratch, par};
  return n ? cholesky_part(&t, n, mat_of(a)) : 0;
}
