/*
** Orthogonal factors of matrices whose rank is deficient, to the last digit: repeated rows
** and columns, blocks, zeros; columns that fall over the whole range of numbers; the ends of
** that range. On every instruction set, since another order of roundings leaves another zero.
**
** u is as in linalg.c: 1e-15 n in f64, as many roundings in f32.
*/
#include "tensor_test.h"

#include <float.h>

typedef struct subject {
  mlpl_ctx *cx;
  mlpl_dtype dtype;
  const char *kind;
  int m, n;
  double *v; /* m x n */
} subject;

/* ---- matrices ---------------------------------------------------------------------- */

static void random_matrix(subject *s, uint64_t *random) {
  for (int i = 0; i < s->m * s->n; i++) s->v[i] = test_between(random, -1, 1);
}

static void ones(subject *s, uint64_t *random) {
  (void)random;
  for (int i = 0; i < s->m * s->n; i++) s->v[i] = 1;
}

static void zeros(subject *s, uint64_t *random) {
  (void)random;
  for (int i = 0; i < s->m * s->n; i++) s->v[i] = 0;
}

static void repeated_columns(subject *s, uint64_t *random) {
  random_matrix(s, random);
  for (int i = 0; i < s->m; i++)
    for (int j = 0; j < s->n; j++) s->v[i * s->n + j] = s->v[i * s->n + j * j % 7 % s->n];
}

static void repeated_rows(subject *s, uint64_t *random) {
  random_matrix(s, random);
  for (int i = 0; i < s->m; i++)
    for (int j = 0; j < s->n; j++) s->v[i * s->n + j] = s->v[i * i % 7 % s->m * s->n + j];
}

static void blocks(subject *s, uint64_t *random) {
  double each[24][24];
  for (int i = 0; i < 24; i++)
    for (int j = 0; j < 24; j++) each[i][j] = test_between(random, -1, 1);
  for (int i = 0; i < s->m; i++)
    for (int j = 0; j < s->n; j++)
      s->v[i * s->n + j] = (each[i / 10][j / 10] + each[j / 10][i / 10]) / 2;
}

static void zero_columns(subject *s, uint64_t *random) {
  random_matrix(s, random);
  for (int i = 0; i < s->m * s->n; i++)
    if (i % s->n % 3 != 1) s->v[i] = 0;
}

/* Few whole numbers: many ranks. */
static void small_integers(subject *s, uint64_t *random) {
  for (int i = 0; i < s->m * s->n; i++) s->v[i] = floor(test_between(random, 0, 1.3));
}

static void graded(subject *s, uint64_t *random) {
  const double digits = s->dtype == MLPL_F64 ? 300 : 36;
  random_matrix(s, random);
  for (int i = 0; i < s->m * s->n; i++) s->v[i] *= pow(10, -digits * (i % s->n) / s->n);
}

static void graded_upwards(subject *s, uint64_t *random) {
  const double digits = s->dtype == MLPL_F64 ? 300 : 36;
  random_matrix(s, random);
  for (int i = 0; i < s->m * s->n; i++)
    s->v[i] *= pow(10, -digits * (s->n - 1 - i % s->n) / s->n);
}

static const struct {
  const char *name;
  void (*make)(subject *s, uint64_t *random);
} kinds[] = {{"ones", ones}, {"zeros", zeros}, {"repeated columns", repeated_columns},
    {"repeated rows", repeated_rows}, {"blocks", blocks}, {"zero columns", zero_columns},
    {"small integers", small_integers}, {"graded", graded},
    {"graded upwards", graded_upwards}};

/* ---- checks ------------------------------------------------------------------------ */

static double allowed(const subject *s) {
  const double n = s->m > s->n ? s->m : s->n;
  return (n < 4 ? 4 : n) * (s->dtype == MLPL_F64 ? 1e-15 : 1e-15 * 0x1p29);
}

static void within(const subject *s, const char *what, double error) {
  if (!(error <= allowed(s)))
    fail_msg("%s of %s (%s, %s, %d x %d): the error is %.3g, %.3g is allowed", what,
        s->kind, mlpl_dtype_name(s->dtype), mlpl_isa(s->cx), s->m, s->n, error,
        allowed(s));
}

static double *elements(const mlpl_tensor *t) {
  double *v = calloc((size_t)t->numel + 1, sizeof *v);
  assert_non_null(v);
  for (int64_t i = 0; i < t->numel; i++) v[i] = test_element(t, i);
  return v;
}

/* q [m x n]: its columns, or its rows where `rows`. */
static void orthogonal(
    const subject *s, const char *what, const mlpl_tensor *q, bool rows) {
  const int n = (int)q->shape[!rows], m = (int)q->shape[rows];
  const int next = rows ? m : 1, along = rows ? 1 : n;
  double *v = elements(q), most = 0;
  for (int i = 0; i < n; i++)
    for (int j = 0; j <= i && !isnan(most); j++) {
      double sum = i == j ? -1 : 0;
      for (int k = 0; k < m; k++)
        sum += v[i * next + k * along] * v[j * next + k * along];
      most = isnan(sum) ? sum : fmax(most, fabs(sum));
    }
  free(v);
  within(s, what, most);
}

/* |left diag(middle) right - A| beside |A|, where it can be told: not among numbers that
   have few digits or overflow. */
static void product(const subject *s, const char *what, const mlpl_tensor *left,
    const mlpl_tensor *middle, const mlpl_tensor *right, bool turned) {
  const int k = (int)left->shape[1];
  double *l = elements(left), *r = elements(right), *d = middle ? elements(middle) : NULL;
  double error = 0, size = 0, values = 0;
  const double least = s->dtype == MLPL_F64 ? 1e-290 : 1e-30;
  for (int i = 0; i < s->m * s->n; i++) size = fmax(size, fabs(s->v[i]));
  for (int i = 0; i < k && d; i++) values = fmax(values, fabs(d[i]));
  for (int i = 0; i < s->m; i++)
    for (int j = 0; j < s->n; j++) {
      double sum = 0;
      for (int x = 0; x < k; x++)
        sum += l[i * k + x] / size * (d ? d[x] : 1) *
            r[turned ? j * k + x : x * s->n + j];
      error = fmax(error, fabs(sum - s->v[i * s->n + j] / size));
    }
  free(l), free(r), free(d);
  if (size > least && values < DBL_MAX)
    within(s, what, error / (s->m < s->n ? s->m : s->n));
}

static mlpl_tensor *tensor_of(subject *s) {
  mlpl_tensor *t = test_copy(s->cx, s->dtype, 2, (int64_t[]){s->m, s->n}, s->v);
  for (int i = 0; i < s->m * s->n; i++) s->v[i] = test_element(t, i);
  return t;
}

static mlpl_tensor **factors(const subject *s, mlpl_tensor **out, const char *op,
    mlpl_tensor *a, const mlpl_arg *args) {
  for (int i = 0; i < MLPLI_MAX_OUTPUTS; i++) out[i] = NULL;
  assert_works(s->cx, mlpl_call(s->cx, out, op, &a, 1, args));
  for (int i = 0; i < MLPLI_MAX_OUTPUTS; i++) test_hold(out[i]);
  return out;
}

static void check_eigh(subject *s) {
  mlpl_tensor *out[MLPLI_MAX_OUTPUTS];
  for (int i = 0; i < s->n; i++)
    for (int j = 0; j < i; j++) s->v[i * s->n + j] = s->v[j * s->n + i];
  factors(s, out, "eigh", tensor_of(s), NULL);
  orthogonal(s, "vectors of eigh", out[1], false);
  product(s, "eigh", out[1], out[0], out[1], true);
}

static void check(subject *s) {
  mlpl_tensor *out[MLPLI_MAX_OUTPUTS], *a = tensor_of(s);
  for (int full = 0; full < 2; full++) {
    factors(s, out, "svd", a, ARGS(ARG("full_matrices", full)));
    orthogonal(s, "U of svd", out[0], false);
    orthogonal(s, "V of svd", out[2], true);
    if (!full) product(s, "svd", out[0], out[1], out[2], false);
    factors(
        s, out, "qr", a, ARGS({.name = "mode", .text = full ? "complete" : "reduced"}));
    orthogonal(s, "Q of qr", out[0], false);
    product(s, "qr", out[0], NULL, out[1], false);
  }
  if (s->m == s->n) check_eigh(s);
  test_drop();
}

/* ---- all of them -------------------------------------------------------------------- */

static const double scales[2][5] = {
    {1, 1e-37, 1e35, 1e-40, 1e-44}, {1, 1e-300, 1e300, 1e-310, 1e-322}};

static void every_scale(subject *s, int kind, uint64_t *random) {
  const bool one = strcmp(kinds[kind].name, "ones") != 0 &&
      strcmp(kinds[kind].name, "blocks") != 0; /* the others take their turns */
  s->kind = kinds[kind].name;
  s->v = calloc((size_t)(s->m * s->n), sizeof *s->v);
  assert_non_null(s->v);
  for (int k = 0; k < COUNT(scales[0]); k++) {
    if (one && k && (s->n + kind) % 5 != k) continue;
    kinds[kind].make(s, random);
    for (int i = 0; i < s->m * s->n; i++) s->v[i] *= scales[s->dtype][k];
    check(s);
  }
  free(s->v);
}

static void on(const char *isa) {
  static const int sizes[] = {1, 2, 3, 4, 5, 7, 10, 16, 20, 25, 33, 50, 65, 90};
  uint64_t random = 12;
  subject s = {0};
  if (mlpl_open(&s.cx, &(mlpl_config){.isa = isa, .threads = 1}) != MLPL_OK) {
    print_message("# not on this machine: %s\n", isa);
    skip();
  }
  for (int dtype = MLPL_F32; dtype <= MLPL_F64; dtype++)
    for (int i = 0; i < COUNT(sizes); i++)
      for (int shape = 0; shape < (sizes[i] < 40 ? 3 : 1); shape++)
        for (int kind = 0; kind < COUNT(kinds); kind++) {
          s.dtype = (mlpl_dtype)dtype;
          s.m = sizes[i] + (shape == 1 ? 9 : 0), s.n = sizes[i] + (shape == 2 ? 9 : 0);
          every_scale(&s, kind, &random);
        }
  test_close(s.cx);
}

static void with_base(void **state) {
  (void)state;
  on("base");
}

static void with_avx2(void **state) {
  (void)state;
  on("avx2");
}

static void with_avx512(void **state) {
  (void)state;
  on("avx512");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(with_base),
      cmocka_unit_test(with_avx2), cmocka_unit_test(with_avx512)};
  return cmocka_run_group_tests_name("deficient", tests, NULL, NULL);
}
