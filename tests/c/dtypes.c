/*
** dtypes in C: what inputs promote to, conversion with a gradient, whole-number kernels
** at the ends of their ranges, and the answers equal and allclose.
*/
#include "tensor_test.h"

static mlpl_tensor *filled(mlpl_ctx *cx, mlpl_dtype dtype, int ndim, double v) {
  mlpl_tensor *t;
  assert_works(cx, mlpl_tensor_full(cx, &t, dtype, ndim, (int64_t[]){2, 2}, v));
  return test_hold(t);
}

/* PyTorch 2's torch.result_type, by dtype in the order of mlpl_dtype: both have axes; the
   second has none. */
static void inputs_promote(void **state) {
  (void)state;
  enum { F = MLPL_F32, D = MLPL_F64, I = MLPL_I64, U = MLPL_U8, B = MLPL_BOOL };
  static const int both[5][5] = {{F, D, F, F, F}, {D, D, D, D, D}, {F, D, I, I, I},
      {F, D, I, U, U}, {F, D, I, U, B}};
  static const int second[5][5] = {{F, F, F, F, F}, {D, D, D, D, D}, {F, D, I, I, I},
      {F, D, U, U, U}, {F, D, I, U, B}};
  mlpl_ctx *cx = test_open(0);
  for (int a = 0; a < 5; a++)
    for (int b = 0; b < 5; b++) {
      mlpl_tensor *x = filled(cx, (mlpl_dtype)a, 1, 1),
                  *y = filled(cx, (mlpl_dtype)b, 1, 1),
                  *s = filled(cx, (mlpl_dtype)b, 0, 1);
      assert_int_equal(CALL2(cx, "add", x, y)->dtype, both[a][b]);
      assert_int_equal(CALL2(cx, "mul", x, s)->dtype, second[a][b]);
      assert_int_equal(CALL2(cx, "maximum", s, x)->dtype, second[a][b]);
      assert_int_equal(CALL2(cx, "lt", x, y)->dtype, B);
      int real = both[a][b] == D ? D : F;
      assert_int_equal(CALL2(cx, "div", x, y)->dtype, real);
      assert_int_equal(CALL1(cx, "exp", x)->dtype, a == D ? D : F);
      test_drop();
    }
  test_drop_and_close(cx);
}

static void conversion_has_a_gradient(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = test_leaf(cx, test_copy(cx, MLPL_F32, SIZES(2), VALUES(1.5, 2)));
  mlpl_tensor *wide = test_call(cx, "to", &x, 1, ARGS(ARG("dtype", MLPL_F64)));
  assert_int_equal(wide->dtype, MLPL_F64);
  mlpl_tensor *y = CALL2(cx, "mul", wide, VECTOR(cx, 3, 4));
  assert_works(cx, mlpl_backward(cx, CALL1(cx, "sum", y), NULL, 0));
  assert_int_equal(mlpl_tensor_grad(x)->dtype, MLPL_F32);
  assert_values(mlpl_tensor_grad(x), 3, 4);
  mlpl_tensor *whole = test_call(cx, "to", &x, 1, ARGS(ARG("dtype", MLPL_I64)));
  assert_values(whole, 1, 2);
  assert_false(mlpl_tensor_requires_grad(whole));
  mlpl_tensor *plain;
  assert_works(cx, mlpl_tensor_to(cx, &plain, x, MLPL_F64));
  assert_false(mlpl_tensor_requires_grad(test_hold(plain)));
  test_drop_and_close(cx);
}

static void promoted_inputs_have_gradients_in_their_dtype(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = test_leaf(cx, test_copy(cx, MLPL_F32, SIZES(2), VALUES(1, 2))),
              *y = test_leaf(cx, VECTOR(cx, 3, 4));
  mlpl_tensor *p = CALL2(cx, "mul", x, y);
  assert_int_equal(p->dtype, MLPL_F64);
  assert_works(cx, mlpl_backward(cx, CALL1(cx, "sum", p), NULL, 0));
  assert_int_equal(mlpl_tensor_grad(x)->dtype, MLPL_F32);
  assert_int_equal(mlpl_tensor_grad(y)->dtype, MLPL_F64);
  assert_values(mlpl_tensor_grad(x), 3, 4);
  assert_values(mlpl_tensor_grad(y), 1, 2);
  test_drop_and_close(cx);
}

/* ---- whole numbers against Python's definition, all signs and the ends --------------- */

static void division_rounds_down(void **state) {
  (void)state;
  static const int64_t v[] = {0, 1, -1, 2, -2, 3, -3, 7, -7, 1000, -1000, UINT32_MAX,
      (int64_t)UINT32_MAX + 1, -(int64_t)UINT32_MAX, INT64_MAX, INT64_MIN, INT64_MIN + 1};
  mlpl_ctx *cx = test_open(0);
  for (int i = 0; i < COUNT(v); i++)
    for (int j = 1; j < COUNT(v); j++) {
      mlpl_tensor *a = test_labels(cx, 1, &v[i]), *b = test_labels(cx, 1, &v[j]);
      int64_t q, m, f;
      memcpy(&q, CALL2(cx, "floor_divide", a, b)->data, sizeof q);
      memcpy(&m, CALL2(cx, "remainder", a, b)->data, sizeof m);
      memcpy(&f, CALL2(cx, "fmod", a, b)->data, sizeof f);
      /* a = q b + m, m between 0 and b; a - f is a multiple, f has a's sign */
      assert_true((uint64_t)q * (uint64_t)v[j] + (uint64_t)m == (uint64_t)v[i]);
      assert_true(v[j] > 0 ? m >= 0 && m < v[j] : m <= 0 && m > v[j]);
      assert_true(f == m || f == (int64_t)((uint64_t)m - (uint64_t)v[j]));
      assert_true(f == 0 || (f < 0) == (v[i] < 0));
      test_drop();
    }
  test_drop_and_close(cx);
}

/* f32 goes by way of double, f64 by fmod: both are the exact quotient rounded down. */
static void real_division_rounds_down(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  uint64_t random = 5;
  mlpl_tensor *a = test_new(cx, MLPL_F32, SIZES(5000)), *b = test_new(cx, MLPL_F32, SIZES(5000));
  float *x = mlpl_tensor_data(a), *y = mlpl_tensor_data(b);
  for (int i = 0; i < 5000; i++) {
    y[i] = (float)(test_between(&random, -3, 3) * pow(10, test_between(&random, -3, 3)));
    x[i] = (float)test_between(&random, -50, 50);
    /* often a multiple, or next to one */
    if (i % 3) x[i] = y[i] * (float)(test_random(&random) % 1000);
    if (i % 3 == 1) x[i] = nextafterf(x[i], i % 2 ? INFINITY : -INFINITY);
  }
  mlpl_tensor *q = CALL2(cx, "floor_divide", a, b), *m = CALL2(cx, "remainder", a, b),
              *f = CALL2(cx, "fmod", a, b);
  for (int i = 0; i < 5000; i++) {
    double left = fmod((double)x[i], (double)y[i]);
    double down = left != 0 && (left < 0) != (y[i] < 0) ? left + (double)y[i] : left;
    double exact = round(((double)x[i] - down) / (double)y[i]);
    assert_true(test_element(f, i) == left);
    assert_true(test_element(m, i) == (double)(float)down);
    assert_true(test_element(q, i) == (double)(float)exact);
  }
  test_drop_and_close(cx);
}

/* ---- answers ----------------------------------------------------------------------- */

static void equal_and_close(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *a = VECTOR(cx, 1, 2), *b = VECTOR(cx, 1, 2 + 1e-9), *n = VECTOR(cx, 1, NAN),
              *i = test_labels(cx, 2, (int64_t[]){1, 2}), *one = VECTOR(cx, 1);
  bool yes;
  assert_works(cx, mlpl_tensor_equal(cx, a, i, &yes));
  assert_true(yes);
  assert_works(cx, mlpl_tensor_equal(cx, a, b, &yes));
  assert_false(yes);
  assert_works(cx, mlpl_tensor_equal(cx, a, one, &yes));
  assert_false(yes);
  assert_works(cx, mlpl_tensor_equal(cx, n, n, &yes));
  assert_false(yes);
  assert_works(cx, mlpl_tensor_allclose(cx, a, b, 1e-5, 1e-8, false, &yes));
  assert_true(yes);
  assert_works(cx, mlpl_tensor_allclose(cx, a, b, 0, 1e-10, false, &yes));
  assert_false(yes);
  assert_works(cx, mlpl_tensor_allclose(cx, n, n, 0, 0, true, &yes));
  assert_true(yes);
  assert_fails(cx, mlpl_tensor_allclose(cx, a, b, -1, 0, false, &yes), MLPL_EARG,
      "allclose: rtol is -1; it must be at least 0");
  assert_fails(cx, mlpl_tensor_allclose(cx, a, VECTOR(cx, 1, 2, 3), 0, 0, false, &yes),
      MLPL_ESHAPE, "allclose: sizes differ: a is [2], b is [3]");
  assert_false(yes);
  test_drop_and_close(cx);
}

static void fill_and_assign(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = VECTOR(cx, 1, 2);
  assert_works(cx, mlpl_tensor_fill(cx, x, 3));
  assert_values(x, 3, 3);
  assert_works(cx, mlpl_tensor_copy_from(cx, x, test_labels(cx, 1, (int64_t[]){4})));
  assert_values(x, 4, 4);
  test_drop_and_close(cx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(inputs_promote),
      cmocka_unit_test(conversion_has_a_gradient),
      cmocka_unit_test(promoted_inputs_have_gradients_in_their_dtype),
      cmocka_unit_test(division_rounds_down),
      cmocka_unit_test(real_division_rounds_down),
      cmocka_unit_test(equal_and_close),
      cmocka_unit_test(fill_and_assign),
  };
  return cmocka_run_group_tests_name("dtypes", tests, NULL, NULL);
}
