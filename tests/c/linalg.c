/*
** Linear algebra at work: accuracy on matrices of known singular values, over sizes from 1
** to 200, in f64 and f32; errors; NaN and infinity; stacks; extremes of scale; any number
** of threads; memory that fails.
**
** u = 1e-15 n in f64 (some 4.5 n roundings), as many roundings in f32. Sums for checking are
** in long double.
*/
#include "tensor_test.h"

#include "grad/grad.h"

static const int sizes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
    20, 24, 31, 32, 33, 47, 63, 64, 65, 100, 129, 200};

/* ---- matrices of a known kind ------------------------------------------------------ */

typedef long double wide;

typedef struct dense {
  int m, n;
  wide *v;
} dense;

#define AT(a, i, j) (a).v[(size_t)(i) * (size_t)(a).n + (size_t)(j)]

static dense *made[256];
static int n_made;

static dense dense_new(int m, int n) {
  dense a = {m, n, calloc((size_t)m * (size_t)n + 1, sizeof(wide))};
  assert_non_null(a.v);
  assert_true(n_made < COUNT(made));
  made[n_made] = malloc(sizeof a);
  *made[n_made++] = a;
  return a;
}

static void drop_all(void) {
  while (n_made) {
    free(made[--n_made]->v);
    free(made[n_made]);
  }
  test_drop();
}

static wide normal(uint64_t *random) { /* near enough to one */
  wide sum = 0;
  for (int i = 0; i < 6; i++) sum += test_between(random, -1, 1);
  return sum;
}

static dense random_dense(int m, int n, uint64_t *random) {
  dense a = dense_new(m, n);
  for (int i = 0; i < m * n; i++) a.v[i] = normal(random);
  return a;
}

/* The product of up to ten random reflections; *sign: its determinant. */
static dense orthogonal(int n, uint64_t *random, int *sign) {
  dense q = dense_new(n, n), v = dense_new(n, 1);
  for (int i = 0; i < n; i++) AT(q, i, i) = 1;
  *sign = 1;
  for (int k = 0; k < n && k < 10; k++) {
    wide squares = 0;
    for (int i = 0; i < n; i++) {
      v.v[i] = normal(random);
      squares += v.v[i] * v.v[i];
    }
    for (int j = 0; j < n; j++) {
      wide w = 0;
      for (int i = 0; i < n; i++) w += v.v[i] * AT(q, i, j);
      for (int i = 0; i < n; i++) AT(q, i, j) -= 2 * w / squares * v.v[i];
    }
    *sign = -*sign;
  }
  return q;
}

static dense product(dense a, dense b) {
  dense c = dense_new(a.m, b.n);
  for (int i = 0; i < a.m; i++)
    for (int k = 0; k < a.n; k++) {
      const wide f = AT(a, i, k);
      for (int j = 0; j < b.n; j++) AT(c, i, j) += f * AT(b, k, j);
    }
  return c;
}

static dense turned(dense a) {
  dense t = dense_new(a.n, a.m);
  for (int i = 0; i < a.m; i++)
    for (int j = 0; j < a.n; j++) AT(t, j, i) = AT(a, i, j);
  return t;
}

static wide norm(dense a) {
  wide sum = 0;
  for (int i = 0; i < a.m * a.n; i++) sum += a.v[i] * a.v[i];
  return sqrtl(sum);
}

/* |a - b| in Frobenius' norm */
static wide distance(dense a, dense b) {
  wide sum = 0;
  assert_true(a.m == b.m && a.n == b.n);
  for (int i = 0; i < a.m * a.n; i++) sum += (a.v[i] - b.v[i]) * (a.v[i] - b.v[i]);
  return sqrtl(sum);
}

static dense unit(int n) {
  dense a = dense_new(n, n);
  for (int i = 0; i < n; i++) AT(a, i, i) = 1;
  return a;
}

/* u diag(s^power) v^T, with as many values as s has columns */
static dense composed(dense u, dense s, dense v, int power) {
  dense left = dense_new(u.m, v.m);
  for (int i = 0; i < u.m; i++)
    for (int k = 0; k < s.n; k++) {
      const wide f = AT(u, i, k) * (power > 0 ? s.v[k] : 1 / s.v[k]);
      for (int j = 0; j < v.m; j++) AT(left, i, j) += f * AT(v, j, k);
    }
  return left;
}

/* A = u diag(s) v^T [m x n], the k = min(m, n) values from 1 down to 1 / c. */
typedef struct known {
  dense a, inverse, u, s, v;
  int sign; /* of the determinant */
  double c;
} known;

static dense falling(int k, double c) {
  dense s = dense_new(1, k);
  for (int i = 0; i < k; i++)
    s.v[i] = k == 1 ? 1 : powl((wide)c, -(wide)i / (wide)(k - 1));
  return s;
}

static known known_matrix(int m, int n, double c, uint64_t *random) {
  known w = {.c = c};
  int su, sv;
  w.u = orthogonal(m, random, &su);
  w.v = orthogonal(n, random, &sv);
  w.s = falling(m < n ? m : n, c);
  w.a = composed(w.u, w.s, w.v, 1);
  w.inverse = composed(w.v, w.s, w.u, -1);
  w.sign = su * sv;
  return w;
}

/* ---- tensors ----------------------------------------------------------------------- */

/* What is measured now: the dtype and its u for size n. */
typedef struct precision {
  mlpl_ctx *cx;
  mlpl_dtype dtype;
} precision;

static double unit_of(precision p, int n) {
  return (double)n * (p.dtype == MLPL_F64 ? 1e-15 : 1e-15 * 0x1p29);
}

/* Rounds a as well, so that the tensor is exactly what later sums see. */
static mlpl_tensor *tensor_of(precision p, dense a) {
  mlpl_tensor *t = test_new(p.cx, p.dtype, 2, (int64_t[]){a.m, a.n});
  for (int i = 0; i < a.m * a.n; i++) {
    char *at = t->data + (size_t)i * mlpli_dtype_size[t->dtype];
    mlpli_store(at, t->dtype, (double)a.v[i]);
    a.v[i] = mlpli_load(at, t->dtype);
  }
  return t;
}

static dense dense_of(const mlpl_tensor *t) {
  dense a = dense_new(t->ndim > 1 ? (int)t->shape[t->ndim - 2] : 1,
      t->ndim ? (int)t->shape[t->ndim - 1] : 1);
  for (int i = 0; i < a.m * a.n; i++) a.v[i] = test_element(t, i);
  return a;
}

static void apply(mlpl_ctx *cx, mlpl_tensor **out, const char *op, mlpl_tensor *a,
    mlpl_tensor *b, const mlpl_arg *args) {
  for (int i = 0; i < MLPLI_MAX_OUTPUTS; i++) out[i] = NULL;
  assert_works(cx, mlpl_call(cx, out, op, (mlpl_tensor *[]){a, b}, b ? 2 : 1, args));
  for (int i = 0; i < MLPLI_MAX_OUTPUTS; i++) test_hold(out[i]);
}

static dense result(
    mlpl_ctx *cx, const char *op, mlpl_tensor *a, mlpl_tensor *b, const mlpl_arg *args) {
  mlpl_tensor *out[MLPLI_MAX_OUTPUTS];
  apply(cx, out, op, a, b, args);
  return dense_of(out[0]);
}

static void within(
    const char *what, precision p, int n, double c, wide error, double allowed) {
  if (!(error <= allowed))
    fail_msg("%s (%s, n = %d, condition %g): the error is %.3Lg, %.3g is allowed", what,
        mlpl_dtype_name(p.dtype), n, c, error, allowed);
}

static void check_orthogonal(
    const char *what, precision p, int n, double c, dense q, double u) {
  within(what, p, n, c, distance(product(turned(q), q), unit(q.n)), u);
}

/* Every size and condition that a precision can show. */
static void each(void (*check)(precision p, int n, double c, uint64_t *random)) {
  static const double conditions[] = {1, 1e3, 1e6, 1e10};
  uint64_t random = 4;
  precision p = {.cx = test_open(0)};
  for (p.dtype = MLPL_F32; p.dtype <= MLPL_F64; p.dtype++)
    for (int k = 0; k < COUNT(conditions); k++)
      for (int i = 0; i < COUNT(sizes); i++) {
        if (p.dtype == MLPL_F32 && conditions[k] > 1e3) continue;
        if (sizes[i] > 70 && k % 2 == 0) continue; /* two conditions tell enough */
        check(p, sizes[i], sizes[i] == 1 ? 1 : conditions[k], &random);
        drop_all();
      }
  test_close(p.cx);
}

/* ---- systems ----------------------------------------------------------------------- */

static void check_solve(precision p, int n, double c, uint64_t *random) {
  const double u = unit_of(p, n);
  known w = known_matrix(n, n, c, random);
  dense x = random_dense(n, 3, random);
  mlpl_tensor *a = tensor_of(p, w.a);
  dense b = product(w.a, x);
  mlpl_tensor *tb = tensor_of(p, b);
  dense found = result(p.cx, "solve", a, tb, NULL);
  within("residual of solve", p, n, c,
      distance(product(w.a, found), b) / (norm(w.a) * norm(found)), u);
  if (u * c < 1) within("solve", p, n, c, distance(found, x) / norm(x), u * c);
  dense left = result(p.cx, "solve", a, tensor_of(p, turned(b)), ARGS(ARG("left", 0)));
  within("residual of solve, left = false", p, n, c,
      distance(product(left, w.a), turned(b)) / (norm(w.a) * norm(left)), u);
}

static void check_inverse(precision p, int n, double c, uint64_t *random) {
  const double u = unit_of(p, n);
  known w = known_matrix(n, n, c, random);
  mlpl_tensor *a = tensor_of(p, w.a);
  wide det = w.sign;
  if (u * c >= 1) return;
  dense inv = result(p.cx, "inv", a, NULL, NULL), pinv = result(p.cx, "pinv", a, NULL, NULL);
  within("inv", p, n, c, distance(inv, w.inverse) / norm(w.inverse), u * c);
  within("pinv", p, n, c, distance(pinv, w.inverse) / norm(w.inverse), u * c);
  for (int i = 0; i < n; i++) det *= w.s.v[i];
  /* times a power of 2 that brings the determinant near 1 */
  const wide by = exp2l(roundl(-log2l(fabsl(det)) / n));
  dense near_1 = dense_new(n, n);
  for (int i = 0; i < n * n; i++) near_1.v[i] = w.a.v[i] * by;
  const wide wanted = det * powl(by, n);
  within("det", p, n, c,
      fabsl(result(p.cx, "det", tensor_of(p, near_1), NULL, NULL).v[0] - wanted) /
          fabsl(wanted),
      u * c);
  mlpl_tensor *out[MLPLI_MAX_OUTPUTS];
  apply(p.cx, out, "slogdet", a, NULL, NULL);
  wide log_det = 0;
  for (int i = 0; i < n; i++) log_det += logl(w.s.v[i]);
  assert_true(test_item(p.cx, out[0]) == w.sign);
  within("slogdet", p, n, c, fabsl((wide)test_item(p.cx, out[1]) - log_det),
      u * (c + fabs((double)log_det)));
}

/* R of A = Q R, by reflections. */
static dense triangle_of(dense a) {
  dense r = turned(turned(a)), v = dense_new(a.m, 1);
  for (int k = 0; k < a.n; k++) {
    wide squares = 0, of_v = 0;
    for (int i = k; i < a.m; i++) squares += AT(r, i, k) * AT(r, i, k);
    for (int i = k; i < a.m; i++) v.v[i] = AT(r, i, k);
    v.v[k] += AT(r, k, k) > 0 ? sqrtl(squares) : -sqrtl(squares);
    for (int i = k; i < a.m; i++) of_v += v.v[i] * v.v[i];
    for (int j = k; j < a.n; j++) {
      wide w = 0;
      for (int i = k; i < a.m; i++) w += v.v[i] * AT(r, i, j);
      for (int i = k; i < a.m; i++) AT(r, i, j) -= 2 * w / of_v * v.v[i];
    }
    for (int i = k + 1; i < a.m; i++) AT(r, i, k) = 0;
  }
  return r;
}

/* Of condition c, and with other numbers where nothing is read: the diagonal for ones. */
static void check_triangles(precision p, int n, double c, uint64_t *random) {
  const double u = unit_of(p, n);
  dense r = triangle_of(known_matrix(n, n, c, random).a);
  for (int kind = 0; kind < 4; kind++) {
    const int upper = kind & 1, one = kind >> 1;
    if (one && n > 30) continue; /* ones with large neighbours: the solution overflows */
    dense a = upper ? turned(turned(r)) : turned(r), x = random_dense(n, 2, random);
    for (int i = 0; i < n; i++)
      for (int j = 0; j < n; j++)
        if (upper ? j < i : j > i) AT(a, i, j) = normal(random);
    mlpl_tensor *ta = tensor_of(p, a);
    dense read = dense_new(n, n);
    for (int i = 0; i < n; i++)
      for (int j = 0; j < n; j++)
        AT(read, i, j) = i == j && one ? 1 : (upper ? j >= i : j <= i) ? AT(a, i, j) : 0;
    dense b = product(read, x);
    mlpl_tensor *tb = tensor_of(p, b);
    dense found = result(p.cx, "triangular_solve", ta, tb,
        ARGS(ARG("upper", upper), ARG("unitriangular", one)));
    within("residual of triangular_solve", p, n, c,
        distance(product(read, found), b) / (norm(read) * norm(found)), u);
    if (!one && u * c < 1)
      within("triangular_solve", p, n, c, distance(found, x) / norm(x), u * c);
  }
}

static void systems(void **state) {
  (void)state;
  each(check_solve);
  each(check_inverse);
  each(check_triangles);
}

/* ---- factors ----------------------------------------------------------------------- */

static void check_cholesky(precision p, int n, double c, uint64_t *random) {
  int sign;
  dense q = orthogonal(n, random, &sign), a = composed(q, falling(n, c), q, 1);
  mlpl_tensor *t = tensor_of(p, a);
  const double u = unit_of(p, n);
  dense l = result(p.cx, "cholesky", t, NULL, NULL),
        up = result(p.cx, "cholesky", t, NULL, ARGS(ARG("upper", 1)));
  within("cholesky", p, n, c, distance(product(l, turned(l)), a) / norm(a), u);
  within("cholesky, upper", p, n, c, distance(product(turned(up), up), a) / norm(a), u);
  for (int i = 0; i < n; i++)
    for (int j = i + 1; j < n; j++) assert_true(AT(l, i, j) == 0 && AT(up, j, i) == 0);
}

static void check_qr_of(precision p, int m, int n, double c, uint64_t *random) {
  static const char *const modes[] = {"reduced", "complete"};
  known w = known_matrix(m, n, c, random);
  const double u = unit_of(p, m > n ? m : n);
  mlpl_tensor *a = tensor_of(p, w.a), *out[MLPLI_MAX_OUTPUTS];
  for (int mode = 0; mode < 2; mode++) {
    apply(p.cx, out, "qr", a, NULL, ARGS({.name = "mode", .text = modes[mode]}));
    dense q = dense_of(out[0]), r = dense_of(out[1]);
    assert_int_equal(q.n, mode || m < n ? m : n);
    check_orthogonal("Q of qr", p, n, c, q, u);
    within("qr", p, n, c, distance(product(q, r), w.a) / norm(w.a), u);
    for (int i = 0; i < r.m; i++)
      for (int j = 0; j < i && j < n; j++) assert_true(AT(r, i, j) == 0);
  }
}

static void check_qr(precision p, int n, double c, uint64_t *random) {
  check_qr_of(p, n, n, c, random);
  if (n > 70) return;
  drop_all();
  check_qr_of(p, n + 7, n, c, random);
  check_qr_of(p, n, 2 * n, c, random);
}

static int by_value(const void *a, const void *b) {
  const wide x = *(const wide *)a, y = *(const wide *)b;
  return x < y ? -1 : x > y ? 1 : 0;
}

/* Values of either sign, some of them equal. */
static void check_eigh(precision p, int n, double c, uint64_t *random) {
  int sign;
  const double u = unit_of(p, n);
  dense q = orthogonal(n, random, &sign), s = falling(n, c), t;
  for (int i = 0; i < n; i++) {
    if (i % 3 == 1) s.v[i] = -s.v[i];
    if (i % 7 == 6) s.v[i] = s.v[i - 1];
  }
  dense a = composed(q, s, q, 1), v;
  mlpl_tensor *ta = tensor_of(p, a), *out[MLPLI_MAX_OUTPUTS];
  for (int i = 0; i < n; i++) /* rounding left it as symmetric as its lower triangle */
    for (int j = i + 1; j < n; j++) AT(a, i, j) = AT(a, j, i);
  apply(p.cx, out, "eigh", ta, NULL, NULL);
  dense values = dense_of(out[0]), only = result(p.cx, "eigvalsh", ta, NULL, NULL);
  v = dense_of(out[1]);
  check_orthogonal("vectors of eigh", p, n, c, v, u);
  t = composed(v, values, v, 1);
  within("eigh", p, n, c, distance(t, a) / norm(a), u);
  qsort(s.v, (size_t)n, sizeof *s.v, by_value);
  for (int i = 0; i < n; i++) {
    within("a value of eigh", p, n, c, fabsl(values.v[i] - s.v[i]), u);
    within("a value of eigvalsh", p, n, c, fabsl(only.v[i] - s.v[i]), u);
    assert_true(i == 0 || values.v[i] >= values.v[i - 1]);
  }
}

static void check_svd_of(
    precision p, int m, int n, double c, int full, uint64_t *random) {
  const double u = unit_of(p, m > n ? m : n);
  known w = known_matrix(m, n, c, random);
  mlpl_tensor *a = tensor_of(p, w.a), *out[MLPLI_MAX_OUTPUTS];
  apply(p.cx, out, "svd", a, NULL, ARGS(ARG("full_matrices", full)));
  dense q = dense_of(out[0]), s = dense_of(out[1]), vh = dense_of(out[2]), v = turned(vh);
  dense only = result(p.cx, "svdvals", a, NULL, NULL);
  assert_int_equal(q.n, full || m < n ? m : n);
  assert_int_equal(vh.m, full || n < m ? n : m);
  check_orthogonal("U of svd", p, n, c, q, u);
  check_orthogonal("V of svd", p, n, c, v, u);
  within("svd", p, n, c, distance(composed(q, s, v, 1), w.a) / norm(w.a), u);
  for (int i = 0; i < s.n; i++) {
    within("a value of svd", p, n, c, fabsl(s.v[i] - w.s.v[i]), u);
    within("a value of svdvals", p, n, c, fabsl(only.v[i] - w.s.v[i]), u);
    assert_true(s.v[i] >= 0 && (i == 0 || s.v[i] <= s.v[i - 1]));
  }
}

static void check_svd(precision p, int n, double c, uint64_t *random) {
  check_svd_of(p, n, n, c, 1, random);
  if (n > 70) return;
  for (int full = 0; full < 2; full++) {
    drop_all();
    check_svd_of(p, n + 7, n, c, full, random);
    check_svd_of(p, n, 2 * n, c, full, random);
  }
}

static void factors(void **state) {
  (void)state;
  each(check_cholesky);
  each(check_qr);
  each(check_eigh);
  each(check_svd);
}

/* ---- least squares ----------------------------------------------------------------- */

/* m x n of full rank: right-hand sides in the range of A, and with a part outside it. */
static void check_lstsq(precision p, int n, double c, uint64_t *random) {
  const int m = n + 5;
  const double u = unit_of(p, m);
  known w = known_matrix(m, n, c, random);
  mlpl_tensor *a = tensor_of(p, w.a), *out[MLPLI_MAX_OUTPUTS];
  dense x = random_dense(n, 2, random), b = product(w.a, x), beyond = dense_new(m, 2);
  apply(p.cx, out, "lstsq", a, tensor_of(p, b), NULL);
  if (u * c < 1)
    within("lstsq, consistent", p, n, c, distance(dense_of(out[0]), x) / norm(x), u * c);
  assert_int_equal(test_item(p.cx, out[2]), n);
  if (u * c * c >= 0.1) return;
  for (int j = 0; j < 2; j++) /* columns n and on of U are orthogonal to A's */
    for (int i = 0; i < m; i++) {
      AT(beyond, i, j) = 0.5L * AT(w.u, i, n + j);
      AT(b, i, j) += AT(beyond, i, j);
    }
  apply(p.cx, out, "lstsq", a, tensor_of(p, b), NULL);
  within("lstsq", p, n, c, distance(dense_of(out[0]), x) / norm(x), u * c * c);
  for (int j = 0; j < 2; j++)
    within("residual of lstsq", p, n, c, fabsl(dense_of(out[1]).v[j] - 0.25L),
        u * (double)norm(b) * 10);
}

/* Rank n - 1: the solution of least norm, with rcond above the rounding. */
static void check_deficient(precision p, int n, double c, uint64_t *random) {
  const double u = unit_of(p, 2 * n);
  if (n < 3 || c > 1e3) return;
  known w = known_matrix(n, n, c, random);
  w.s.n = n - 1;
  dense a = composed(w.u, w.s, w.v, 1), shortest = composed(w.v, w.s, w.u, -1);
  dense b = random_dense(n, 2, random), x = product(shortest, b);
  mlpl_tensor *out[MLPLI_MAX_OUTPUTS], *ta = tensor_of(p, a);
  const double cut = p.dtype == MLPL_F64 ? 1e-10 : 3e-5;
  if (cut * c > 0.2) return;
  apply(p.cx, out, "lstsq", ta, tensor_of(p, b), ARGS(ARG("rcond", cut)));
  within("lstsq, rank n - 1", p, n, c, distance(dense_of(out[0]), x) / norm(x), 3 * u * c * c);
  assert_int_equal(test_item(p.cx, out[2]), n - 1);
  assert_int_equal(out[1]->numel, 0);
  within("pinv, rank n - 1", p, n, c,
      distance(result(p.cx, "pinv", ta, NULL, ARGS(ARG("rtol", cut))), shortest) /
          norm(shortest),
      3 * u * c * c);
  apply(p.cx, out, "matrix_rank", ta, NULL, ARGS(ARG("rtol", cut)));
  assert_int_equal(test_item(p.cx, out[0]), n - 1);
}

static void least_squares(void **state) {
  (void)state;
  each(check_lstsq);
  each(check_deficient);
}

/* ---- errors ------------------------------------------------------------------------ */

static mlpl_status try(
    mlpl_ctx *cx, const char *op, mlpl_tensor *a, mlpl_tensor *b, const mlpl_arg *args) {
  mlpl_tensor *out[MLPLI_MAX_OUTPUTS] = {NULL};
  mlpl_status status = mlpl_call(cx, out, op, (mlpl_tensor *[]){a, b}, b ? 2 : 1, args);
  for (int i = 0; i < MLPLI_MAX_OUTPUTS; i++) {
    if (status != MLPL_OK) assert_null(out[i]);
    mlpl_tensor_release(out[i]);
  }
  return status;
}

static void singular_and_indefinite(void **state) {
  (void)state;
  for (int base = 0; base <= 1; base++) {
    mlpl_ctx *cx = test_open(base);
    mlpl_tensor *a = MATRIX(cx, 3, 3, 4, 2, 6, 2, 5, 7, 1, 1, 2), *b = VECTOR(cx, 1, 2, 3);
    mlpl_tensor *low = MATRIX(cx, 2, 2, 3, 0, 1, 0);
    mlpl_tensor *two = test_copy(cx, MLPL_F64, SIZES(2, 2, 2), VALUES(1, 0, 0, 1, 1, 2, 2, 4));
    mlpl_tensor *saddle = MATRIX(cx, 3, 3, 4, 2, 2, 2, 5, 3, 2, 3, 1);
    assert_fails(cx, try(cx, "solve", a, b, NULL), MLPL_ENUMERIC,
        "solve: the matrix is singular: pivot 3 is 0");
    assert_fails(cx, try(cx, "inv", MATRIX(cx, 1, 1, 0), NULL, NULL), MLPL_ENUMERIC,
        "inv: the matrix is singular: pivot 1 is 0");
    assert_fails(cx, try(cx, "inv", two, NULL, NULL), MLPL_ENUMERIC,
        base ? "inv: the matrix is singular: pivot 2 is 0 (matrix 2 of the stack)"
             : "inv: the matrix is singular: pivot 2 is 0 (matrix 1 of the stack)");
    assert_fails(cx,
        try(cx, "triangular_solve", low, VECTOR(cx, 1, 2), ARGS(ARG("upper", 0))),
        MLPL_ESHAPE,
        "triangular_solve: b is [2]; it must be a matrix or a stack of matrices (two axes or "
        "more)");
    assert_fails(cx,
        try(cx, "triangular_solve", low, MATRIX(cx, 2, 1, 1, 2), ARGS(ARG("upper", 0))),
        MLPL_ENUMERIC,
        "triangular_solve: the matrix is singular: element 2 of its diagonal is 0");
    assert_works(cx,
        try(cx, "triangular_solve", low, MATRIX(cx, 2, 1, 1, 2),
            ARGS(ARG("upper", 0), ARG("unitriangular", 1))));
    assert_fails(cx, try(cx, "cholesky", saddle, NULL, NULL), MLPL_ENUMERIC,
        "cholesky: the matrix is not positive definite: the leading minor of order 3 is "
        "not positive");
    assert_fails(cx, try(cx, "cholesky", two, NULL, NULL), MLPL_ENUMERIC,
        "the leading minor of order 2 is not positive (matrix ");
    assert_true(test_item(cx, CALL1(cx, "det", a)) == 0);
    assert_values(CALL1(cx, "det", two), 1, 0);
    mlpl_tensor *logarithms = CALL1(cx, "logdet", two);
    assert_true(test_element(logarithms, 0) == 0);
    assert_true(test_element(logarithms, 1) == -(double)INFINITY);
    assert_values(CALL1(cx, "logdet", MATRIX(cx, 1, 1, -1)), NAN);
    mlpl_tensor *condition = test_call(cx, "cond", &a, 1, ARGS({.name = "p", .text = "1"}));
    assert_true(isinf(test_item(cx, condition)));
    test_drop_and_close(cx);
  }
}

/* The minor that fails is found wherever it lies among the blocks. */
static void the_first_bad_minor(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  for (int bad = 1; bad <= 100; bad += 3) {
    char text[120];
    mlpl_tensor *a = test_new(cx, MLPL_F64, SIZES(100, 100));
    for (int i = 0; i < 100; i++)
      mlpli_store(a->data + (size_t)(101 * i) * 8, MLPL_F64, i + 1 == bad ? -1 : 1);
    snprintf(text, sizeof text,
        "cholesky: the matrix is not positive definite: the leading minor of order %d is",
        bad);
    assert_fails(cx, try(cx, "cholesky", a, NULL, NULL), MLPL_ENUMERIC, text);
    mlpli_store(a->data + (size_t)(101 * (bad - 1)) * 8, MLPL_F64, 0);
    snprintf(text, sizeof text, "inv: the matrix is singular: pivot %d is 0", bad);
    assert_fails(cx, try(cx, "inv", a, NULL, NULL), MLPL_ENUMERIC, text);
    test_drop();
  }
  test_close(cx);
}

static void shapes(void **state) {
  (void)state;
  static const char *const any[] = {"svd", "svdvals", "qr", "pinv", "matrix_rank",
      "matrix_norm", "cond"};
  static const char *const squares[] = {"cholesky", "inv", "det", "slogdet", "logdet",
      "eigh", "eigvalsh"};
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *v = VECTOR(cx, 1, 2), *a = MATRIX(cx, 2, 3, 1, 2, 3, 4, 5, 6),
              *s = MATRIX(cx, 2, 2, 1, 2, 3, 5), *none = test_new(cx, MLPL_F64, SIZES(0, 2));
  char text[200];
  for (int i = 0; i < COUNT(any); i++) {
    snprintf(text, sizeof text,
        "%s: input is [2]; it must be a matrix or a stack of matrices (two axes or more)",
        any[i]);
    assert_fails(cx, try(cx, any[i], v, NULL, NULL), MLPL_ESHAPE, text);
  }
  for (int i = 0; i < COUNT(squares); i++) {
    snprintf(text, sizeof text,
        "%s: input is [2x3]; its last two axes must be equal (square matrices)",
        squares[i]);
    assert_fails(cx, try(cx, squares[i], a, NULL, NULL), MLPL_ESHAPE, text);
  }
  assert_fails(cx, try(cx, "matrix_power", a, NULL, ARGS(ARG("n", 2))), MLPL_ESHAPE,
      "matrix_power: input is [2x3]; its last two axes must be equal (square");
  assert_fails(cx, try(cx, "solve", s, VECTOR(cx, 1, 2, 3), NULL), MLPL_ESHAPE,
      "solve: sizes differ: a is [2x2], b is [3]; b must have as many rows as a");
  assert_fails(cx, try(cx, "solve", s, MATRIX(cx, 2, 3, 1, 2, 3, 4, 5, 6), ARGS(ARG("left", 0))),
      MLPL_ESHAPE, "solve: sizes differ: a is [2x2], b is [2x3]; b must have as many columns as a");
  assert_fails(cx, try(cx, "solve", s, test_scalar(cx, 1), NULL), MLPL_ESHAPE,
      "solve: sizes differ: a is [2x2], b is []");
  assert_fails(cx,
      try(cx, "solve", test_new(cx, MLPL_F64, SIZES(2, 2, 2)),
          test_new(cx, MLPL_F64, SIZES(3, 2, 1)), NULL),
      MLPL_ESHAPE, "solve: sizes differ: a is [2], b is [3]");
  assert_fails(cx, try(cx, "lstsq", a, VECTOR(cx, 1, 2, 3), NULL), MLPL_ESHAPE,
      "lstsq: a is [2x3], b is [3]; b must have as many rows as a");
  assert_fails(cx, try(cx, "vector_norm", none, NULL, ARGS(ARG("ord", INFINITY))),
      MLPL_ESHAPE,
      "vector_norm: input is [0x2]; a norm of no elements needs an order from 0 up, "
      "and not inf");
  assert_fails(cx, try(cx, "matrix_norm", none, NULL, ARGS({.name = "ord", .text = "-2"})),
      MLPL_ESHAPE,
      "matrix_norm: input is [0x2]; order -2 has no smallest to choose");
  test_drop_and_close(cx);
}

static void where_there_is_no_gradient(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *wide_one = test_leaf(cx, MATRIX(cx, 1, 2, 1, 2)),
              *tall = test_leaf(cx, MATRIX(cx, 2, 1, 1, 2));
  const mlpl_arg *complete = ARGS({.name = "mode", .text = "complete"});
  const mlpl_arg *only_r = ARGS({.name = "mode", .text = "r"});
  assert_fails(cx, try(cx, "qr", wide_one, NULL, NULL), MLPL_ESHAPE,
      "qr: has no gradient here: the matrix is [1x2]; it must have at least as many rows "
      "as columns, and as many in mode complete (or use x:detach())");
  assert_fails(cx, try(cx, "qr", tall, NULL, complete), MLPL_ESHAPE,
      "qr: has no gradient here: the matrix is [2x1]");
  assert_fails(cx, try(cx, "qr", tall, NULL, only_r), MLPL_EARG,
      "qr: mode r has no gradient; use reduced, or x:detach()");
  assert_fails(cx, try(cx, "svd", tall, NULL, NULL), MLPL_EARG,
      "svd: has no gradient here: the matrix is [2x1] and full_matrices is true; set it "
      "to false (or use x:detach())");
  mlpl_tensor *square = test_leaf(cx, MATRIX(cx, 2, 2, 1, 2, 3, 4)), *third;
  third = test_call(
      cx, "cofactor_curve", (mlpl_tensor *[]){square, square, square}, 3, NULL);
  assert_fails(cx, mlpl_backward(cx, CALL1(cx, "sum", third), NULL, 0), MLPL_EARG,
      "det: has no fourth derivative; sign exp(logabsdet) of slogdet has, where A is regular");
  mlpl_set_grad_enabled(cx, false);
  assert_works(cx, try(cx, "qr", wide_one, NULL, NULL));
  assert_works(cx, try(cx, "qr", tall, NULL, only_r));
  assert_works(cx, try(cx, "svd", tall, NULL, NULL));
  test_drop_and_close(cx);
}

/* The gradient of a determinant exists where the matrix is singular; an equal pair of
   eigenvalues does not spoil the gradient of their sum. */
static void gradients_at_the_edge(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *a = test_leaf(cx, MATRIX(cx, 2, 2, 1, 2, 2, 4));
  assert_works(cx, mlpl_backward(cx, CALL1(cx, "det", a), NULL, 0));
  assert_near(mlpl_tensor_grad(a), 1e-13, 4, -2, -2, 1);
  mlpl_tensor *one = test_leaf(cx, MATRIX(cx, 2, 2, 1, 0, 0, 1));
  mlpl_tensor *sum = CALL1(cx, "sum", CALL1(cx, "eigvalsh", one));
  assert_works(cx, mlpl_backward(cx, sum, NULL, 0));
  assert_values(mlpl_tensor_grad(one), 1, 0, 0, 1);
  mlpl_tensor_zero_grad(one);
  sum = CALL1(cx, "sum", CALL1(cx, "svdvals", one));
  assert_works(cx, mlpl_backward(cx, sum, NULL, 0));
  assert_values(mlpl_tensor_grad(one), 1, 0, 0, 1);
  mlpl_tensor *zero = test_leaf(cx, VECTOR(cx, 0, 0));
  assert_works(cx, mlpl_backward(cx, CALL1(cx, "vector_norm", zero), NULL, 0));
  assert_values(mlpl_tensor_grad(zero), 0, 0);
  test_drop_and_close(cx);
}

/* ---- no convergence ---------------------------------------------------------------- */

/* Iterations are bounded: with a bound of no sweeps at all, there is an error. */
static void bounded_iterations(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *a = MATRIX(cx, 2, 2, 2, 1, 1, 3);
  assert_fails(cx, try(cx, "eigh_factors", a, NULL, ARGS(ARG("sweeps", 0))), MLPL_ENUMERIC,
      "eigh: no convergence after 0 sweeps for an eigenvalue");
  assert_fails(cx, try(cx, "svd_factors", a, NULL, ARGS(ARG("sweeps", 0))), MLPL_ENUMERIC,
      "svd: no convergence after 0 sweeps for a singular value");
  test_drop_and_close(cx);
}

static const char *const one_matrix[] = {"cholesky", "inv", "det", "slogdet", "logdet",
    "qr", "eigh", "eigvalsh", "svd", "svdvals", "pinv", "matrix_rank", "matrix_norm",
    "vector_norm", "cond"};

/* One NaN or infinity anywhere: NaN, infinity or an error, and an end. */
static void not_finite(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  static const double odd[] = {NAN, INFINITY, -INFINITY};
  for (int n = 1; n <= 40; n += 13)
    for (int k = 0; k < COUNT(odd); k++)
      for (int at = 0; at < n * n; at += n * n / 3 + 1)
        for (int dtype = MLPL_F32; dtype <= MLPL_F64; dtype++) {
          uint64_t random = 8;
          dense v = random_dense(n, n, &random);
          for (int i = 0; i < n; i++) AT(v, i, i) += 2 * n;
          v.v[at] = odd[k];
          mlpl_tensor *a = tensor_of((precision){cx, (mlpl_dtype)dtype}, v);
          for (int i = 0; i < COUNT(one_matrix); i++) try(cx, one_matrix[i], a, NULL, NULL);
          mlpl_tensor *b = test_new(cx, (mlpl_dtype)dtype, SIZES(n, 1));
          try(cx, "solve", a, b, NULL);
          try(cx, "lstsq", a, b, NULL);
          if (isnan(odd[k])) {
            mlpl_tensor *out[MLPLI_MAX_OUTPUTS];
            apply(cx, out, "svd", a, NULL, NULL);
            for (int i = 0; i < 3; i++) assert_true(isnan(test_element(out[i], 0)));
            apply(cx, out, "det", a, NULL, NULL);
            assert_true(isnan(test_item(cx, out[0])));
          }
          drop_all();
        }
  test_close(cx);
}

/* ---- extremes ---------------------------------------------------------------------- */

/* As large and as small as the numbers go, factors neither overflow nor vanish. */
static void any_scale(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  uint64_t random = 9;
  static const double scale[2][4] = {
      {1e-35, 1e35, 1e-20, 1e18}, {1e-300, 1e300, 1e-160, 1e170}};
  for (int dtype = MLPL_F32; dtype <= MLPL_F64; dtype++)
    for (int k = 0; k < 4; k++) {
      precision p = {cx, (mlpl_dtype)dtype};
      const int n = 20;
      known w = known_matrix(n, n, 10, &random);
      for (int i = 0; i < n * n; i++) w.a.v[i] *= (wide)scale[dtype][k];
      mlpl_tensor *a = tensor_of(p, w.a), *out[MLPLI_MAX_OUTPUTS];
      const double u = unit_of(p, n);
      apply(cx, out, "svd", a, NULL, NULL);
      dense s = dense_of(out[1]);
      within("svd", p, n, 10,
          distance(composed(dense_of(out[0]), s, turned(dense_of(out[2])), 1), w.a) / norm(w.a),
          u);
      apply(cx, out, "qr", a, NULL, NULL);
      within("qr", p, n, 10,
          distance(product(dense_of(out[0]), dense_of(out[1])), w.a) / norm(w.a), u);
      apply(cx, out, "matrix_norm", a, NULL, NULL);
      within("norm", p, n, 10, fabsl((wide)test_item(cx, out[0]) / norm(w.a) - 1), u);
      apply(cx, out, "slogdet", a, NULL, NULL);
      assert_true(isfinite(test_item(cx, out[1])));
      drop_all();
    }
  test_close(cx);
}

static void nothing_and_one(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *none = test_new(cx, MLPL_F64, SIZES(0, 0)), *out[MLPLI_MAX_OUTPUTS];
  for (int i = 0; i < COUNT(one_matrix); i++)
    assert_works(cx, try(cx, one_matrix[i], none, NULL, NULL));
  assert_true(test_item(cx, CALL1(cx, "det", none)) == 1);
  assert_true(test_item(cx, CALL1(cx, "logdet", none)) == 0);
  assert_true(test_item(cx, CALL1(cx, "matrix_norm", none)) == 0);
  assert_true(test_item(cx, CALL1(cx, "matrix_rank", none)) == 0);
  assert_true(test_item(cx, CALL1(cx, "cond", none)) == 0);
  apply(cx, out, "svd", test_new(cx, MLPL_F64, SIZES(3, 0)), NULL, NULL);
  assert_near(out[0], 0, 1, 0, 0, 0, 1, 0, 0, 0, 1);
  apply(cx, out, "lstsq", test_new(cx, MLPL_F64, SIZES(0, 2)), test_new(cx, MLPL_F64, SIZES(0, 1)), NULL);
  assert_values(out[0], 0, 0);
  mlpl_tensor *one = MATRIX(cx, 1, 1, -2);
  assert_values(CALL1(cx, "inv", one), -0.5);
  assert_values(CALL1(cx, "det", one), -2);
  assert_values(CALL1(cx, "eigvalsh", one), -2);
  assert_values(CALL1(cx, "svdvals", one), 2);
  assert_values(CALL1(cx, "cond", one), 1);
  mlpl_tensor *square = MATRIX(cx, 2, 2, 1, 2, 3, 4);
  assert_values(test_call(cx, "matrix_power", &square, 1, ARGS(ARG("n", 0))), 1, 0, 0, 1);
  mlpl_tensor *base = VECTOR(cx, -5, 1, 0, 3);
  assert_values(test_call(cx, "vector_norm", &base, 1, ARGS(ARG("ord", 0))), 3);
  test_drop_and_close(cx);
}

/* Only the triangle that was asked for is read. */
static void one_triangle_is_read(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *low = MATRIX(cx, 2, 2, 4, NAN, 2, 5), *high = MATRIX(cx, 2, 2, 4, 2, NAN, 5);
  assert_values(CALL1(cx, "cholesky", low), 2, 0, 1, 2);
  assert_values(test_call(cx, "cholesky", &high, 1, ARGS(ARG("upper", 1))), 2, 1, 0, 2);
  const double root = sqrt(17.0) / 2;
  assert_values(CALL1(cx, "eigvalsh", low), 4.5 - root, 4.5 + root);
  assert_values(test_call(cx, "eigvalsh", &high, 1, ARGS({.name = "UPLO", .text = "U"})),
      4.5 - root, 4.5 + root);
  mlpl_tensor *b = MATRIX(cx, 2, 1, 8, 9);
  assert_values(test_call(cx, "triangular_solve", (mlpl_tensor *[]){low, b}, 2,
                    ARGS(ARG("upper", 0))),
      2, 1);
  assert_values(test_call(cx, "triangular_solve", (mlpl_tensor *[]){high, b}, 2,
                    ARGS(ARG("upper", 1))),
      1.1, 1.8);
  test_drop_and_close(cx);
}

/* ---- threads ----------------------------------------------------------------------- */

static void same_bits_for_any_threads(void **state) {
  (void)state;
  static const int threads[] = {1, 2, 3, 7};
  static const char *const ops[] = {"cholesky", "inv", "det", "qr", "eigh", "svd", "pinv"};
  for (int dtype = MLPL_F32; dtype <= MLPL_F64; dtype++) {
    mlpl_ctx *cx = test_open(0);
    uint64_t random = 10;
    const int n = 310;
    dense q = random_dense(n, n, &random);
    for (int i = 0; i < n; i++)
      for (int j = 0; j <= i; j++) AT(q, j, i) = AT(q, i, j) + (i == j ? 3 * n : 0);
    for (int i = 0; i < n; i++)
      for (int j = 0; j < i; j++) AT(q, i, j) = AT(q, j, i);
    mlpl_tensor *a = tensor_of((precision){cx, (mlpl_dtype)dtype}, q);
    mlpl_tensor *b = tensor_of((precision){cx, (mlpl_dtype)dtype}, random_dense(n, 70, &random));
    for (int i = 0; i < COUNT(ops) + 2; i++) {
      mlpl_tensor *first[MLPLI_MAX_OUTPUTS], *out[MLPLI_MAX_OUTPUTS];
      const char *op = i < COUNT(ops) ? ops[i] : i == COUNT(ops) ? "solve" : "lstsq";
      for (int k = 0; k < COUNT(threads); k++) {
        assert_works(cx, mlpl_set_threads(cx, threads[k]));
        apply(cx, k ? out : first, op, a, i < COUNT(ops) ? NULL : b, NULL);
        for (int j = 0; j < MLPLI_MAX_OUTPUTS && k; j++)
          if (first[j] && !test_same_bits(first[j], out[j]))
            fail_msg("%s: result %d differs with %d threads", op, j, threads[k]);
      }
    }
    drop_all();
    test_close(cx);
  }
}

/* A stack gives the bits of its matrices one by one. */
static void stacks(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  uint64_t random = 11;
  const int n = 9, each_size = n * n;
  mlpl_tensor *stack = test_new(cx, MLPL_F64, SIZES(2, 3, n, n));
  for (int i = 0; i < 6 * each_size; i++) {
    const int row = i / n % n, col = i % n, at = i - i % each_size + col * n + row;
    double v = row == col ? 12 + row : test_between(&random, -1, 1);
    if (row > col) v = mlpli_load(stack->data + (size_t)at * 8, MLPL_F64);
    mlpli_store(stack->data + (size_t)i * 8, MLPL_F64, v);
  }
  for (int i = 0; i < COUNT(one_matrix); i++) {
    mlpl_tensor *all[MLPLI_MAX_OUTPUTS], *one[MLPLI_MAX_OUTPUTS];
    if (strcmp(one_matrix[i], "vector_norm") == 0) continue;
    mlpl_tensor_retain(stack);
    apply(cx, all, one_matrix[i], stack, NULL, NULL);
    for (int k = 0; k < 6; k++) {
      mlpl_tensor *a = test_new(cx, MLPL_F64, SIZES(n, n));
      memcpy(a->data, stack->data + (size_t)(k * each_size) * 8, (size_t)each_size * 8);
      apply(cx, one, one_matrix[i], a, NULL, NULL);
      for (int j = 0; j < MLPLI_MAX_OUTPUTS && one[j]; j++) {
        assert_int_equal(all[j]->ndim, one[j]->ndim + 2);
        assert_int_equal(all[j]->numel, 6 * one[j]->numel);
        for (int64_t e = 0; e < one[j]->numel; e++)
          if (test_element(all[j], k * one[j]->numel + e) != test_element(one[j], e))
            fail_msg("%s: matrix %d of the stack differs from itself", one_matrix[i], k);
      }
    }
    test_drop();
    test_hold(stack);
  }
  test_drop_and_close(cx);
}

/* ---- memory ------------------------------------------------------------------------ */

static mlpl_status all_of_it(mlpl_ctx *cx, void *ud) {
  static const char *const rows[] = {"inv", "det", "logdet", "cholesky", "qr", "eigh",
      "svd", "pinv", "cond", "matrix_norm"};
  const char *op = rows[*(const int *)ud];
  mlpl_tensor *a = NULL, *out[MLPLI_MAX_OUTPUTS] = {NULL}, *sum = NULL;
  double v[36];
  for (int i = 0; i < 36; i++) v[i] = i % 7 == 0 ? 5 + i : i % 6 == 2 || i / 6 == 2 ? 0.5 : 0.25;
  mlpl_status status = mlpl_tensor_copy(cx, &a, MLPL_F64, 2, (int64_t[]){6, 6}, v);
  if (status == MLPL_OK) status = mlpl_tensor_set_requires_grad(cx, a, true);
  if (status == MLPL_OK) status = mlpl_call(cx, out, op, &a, 1, NULL);
  if (status == MLPL_OK) status = mlpl_call(cx, &sum, "sum", out, 1, NULL);
  if (status == MLPL_OK) status = mlpl_backward(cx, sum, NULL, 0);
  mlpl_tensor_release(sum);
  for (int i = 0; i < MLPLI_MAX_OUTPUTS; i++) mlpl_tensor_release(out[i]);
  mlpl_tensor_release(a);
  return status;
}

static mlpl_status systems_of_it(mlpl_ctx *cx, void *ud) {
  static const char *const rows[] = {"solve", "lstsq"};
  mlpl_tensor *x[2] = {NULL, NULL}, *out[MLPLI_MAX_OUTPUTS] = {NULL}, *sum = NULL;
  const double v[] = {3, 1, 0, 1, 4, 1, 0, 1, 5, 1, 2, 3};
  mlpl_status status = mlpl_tensor_copy(cx, &x[0], MLPL_F64, 2, (int64_t[]){3, 3}, v);
  if (status == MLPL_OK)
    status = mlpl_tensor_copy(cx, &x[1], MLPL_F64, 1, (int64_t[]){3}, v + 9);
  if (status == MLPL_OK) status = mlpl_tensor_set_requires_grad(cx, x[0], true);
  if (status == MLPL_OK) status = mlpl_call(cx, out, rows[*(const int *)ud], x, 2, NULL);
  if (status == MLPL_OK) status = mlpl_call(cx, &sum, "sum", out, 1, NULL);
  if (status == MLPL_OK) status = mlpl_backward(cx, sum, NULL, 0);
  mlpl_tensor_release(sum);
  for (int i = 0; i < MLPLI_MAX_OUTPUTS; i++) mlpl_tensor_release(out[i]);
  mlpl_tensor_release(x[0]);
  mlpl_tensor_release(x[1]);
  return status;
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  for (int i = 0; i < 10; i++) test_every_failure(all_of_it, &i);
  for (int i = 0; i < 2; i++) test_every_failure(systems_of_it, &i);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(systems),
      cmocka_unit_test(factors),
      cmocka_unit_test(least_squares),
      cmocka_unit_test(singular_and_indefinite),
      cmocka_unit_test(the_first_bad_minor),
      cmocka_unit_test(shapes),
      cmocka_unit_test(where_there_is_no_gradient),
      cmocka_unit_test(gradients_at_the_edge),
      cmocka_unit_test(bounded_iterations),
      cmocka_unit_test(not_finite),
      cmocka_unit_test(any_scale),
      cmocka_unit_test(nothing_and_one),
      cmocka_unit_test(one_triangle_is_read),
      cmocka_unit_test(same_bits_for_any_threads),
      cmocka_unit_test(stacks),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests_name("linalg", tests, NULL, NULL);
}
