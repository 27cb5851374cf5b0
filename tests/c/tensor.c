/* Tensors: making, reading, writing, converting, copying between layouts, holding; and
   what they refuse. */
#include "tensor_test.h"

#include "tensor/walk.h"

/* ---- making ------------------------------------------------------------------------ */

static void what_a_tensor_tells(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *t = test_new(cx, MLPL_I64, SIZES(2, 3, 4)), *v;
  static const int64_t strides[] = {12, 4, 1};
  assert_int_equal(mlpl_tensor_ndim(t), 3);
  assert_int_equal(mlpl_tensor_numel(t), 24);
  assert_int_equal(mlpl_tensor_dtype(t), MLPL_I64);
  assert_memory_equal(mlpl_tensor_strides(t), strides, sizeof strides);
  assert_int_equal((uintptr_t)mlpl_tensor_data(t) % 64, 0);
  assert_true(mlpl_tensor_is_contiguous(t));
  v = test_call(cx, "transpose", &t, 1, ARGS(ARG("dim0", 0), ARG("dim1", 2)));
  assert_false(mlpl_tensor_is_contiguous(v));
  assert_int_equal(mlpl_tensor_strides(v)[0], 1);
  assert_true(mlpl_tensor_is_contiguous(
      CALL1(cx, "t", test_new(cx, MLPL_F32, SIZES(1, 5))))); /* no gaps, in order */
  assert_true(
      mlpl_tensor_is_contiguous(CALL1(cx, "t", test_new(cx, MLPL_F32, SIZES(0, 5)))));
  mlpl_tensor *s = test_scalar(cx, 4);
  assert_int_equal(mlpl_tensor_ndim(s), 0);
  assert_int_equal(mlpl_tensor_numel(s), 1);
  test_drop_and_close(cx);
}

static void names_of_dtypes(void **state) {
  (void)state;
  static const char *const names[] = {"f32", "f64", "i64", "u8", "bool"};
  static const size_t bytes[] = {4, 8, 8, 1, 1};
  for (int i = 0; i < COUNT(names); i++) {
    assert_string_equal(mlpl_dtype_name((mlpl_dtype)i), names[i]);
    assert_int_equal(mlpl_dtype_bytes((mlpl_dtype)i), bytes[i]);
  }
  assert_string_equal(mlpl_dtype_name((mlpl_dtype)5), "?");
  assert_int_equal(mlpl_dtype_bytes((mlpl_dtype)5), 0);
}

static void filling(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  static const struct {
    double in, out[5]; /* by dtype: as C converts */
  } table[] = {
      {1, {1, 1, 1, 1, 1}},
      {0, {0, 0, 0, 0, 0}},
      {-0.0, {-0.0, -0.0, 0, 0, 0}},
      {2.75, {2.75, 2.75, 2, 2, 1}},
      {NAN, {NAN, NAN, 0, 0, 1}},
      {-2.5, {-2.5, -2.5, -2, 254, 1}},
  };
  for (int k = 0; k < COUNT(table); k++)
    for (int dtype = MLPL_F32; dtype <= MLPL_BOOL; dtype++) {
      mlpl_tensor *t;
      assert_works(
          cx, mlpl_tensor_full(cx, &t, (mlpl_dtype)dtype, SIZES(3, 5), table[k].in));
      for (int i = 0; i < 15; i++) {
        double got = test_element(t, i), wanted = table[k].out[dtype];
        assert_true(isnan(wanted) ? isnan(got)
                                  : got == wanted && signbit(got) == signbit(wanted));
      }
      mlpl_tensor_release(t);
    }
  test_close(cx);
}

static void whole_numbers_are_exact(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  const int64_t exact[] = {((int64_t)1 << 53) + 1, INT64_MAX, INT64_MIN, -1, 0};
  for (int i = 0; i < COUNT(exact); i++) {
    mlpl_tensor *t;
    int64_t got;
    assert_works(cx, mlpl_tensor_full_int(cx, &t, MLPL_I64, 0, NULL, exact[i]));
    assert_works(cx, mlpl_tensor_item_int(cx, t, &got));
    assert_true(got == exact[i]);
    assert_works(cx, mlpl_tensor_fill_int(cx, t, 5));
    assert_works(cx, mlpl_tensor_fill_int(cx, t, exact[i]));
    assert_works(cx, mlpl_tensor_item_int(cx, t, &got));
    assert_true(got == exact[i]);
    mlpl_tensor_release(t);
    assert_works(cx, mlpl_tensor_arange_int(cx, &t, exact[i], exact[i], -1));
    assert_int_equal(mlpl_tensor_numel(t), 1);
    mlpl_tensor_release(t);
  }
  /* what stands in `whole` counts only where f is its double */
  int64_t held;
  mlpli_store_element(&held, MLPL_I64, (mlpl_element){7, 12345});
  assert_true(held == 7);
  mlpli_store_element(&held, MLPL_I64, (mlpl_element){9007199254740992.0, exact[0]});
  assert_true(held == exact[0]);
  assert_true(mlpli_can_be(MLPL_I64, (mlpl_element){9223372036854775808.0, INT64_MAX}));
  assert_false(mlpli_can_be(MLPL_I64, (mlpl_element){9223372036854775808.0, 0}));
  assert_true(mlpli_can_be(MLPL_I64, (mlpl_element){-9223372036854775808.0, 0}));
  test_close(cx);
}

static void check_arange(
    mlpl_ctx *cx, double first, double last, double step, int64_t n) {
  mlpl_tensor *t;
  assert_works(cx, mlpl_tensor_arange(cx, &t, MLPL_F64, first, last, step));
  assert_int_equal(mlpl_tensor_numel(t), n);
  for (int64_t i = 0; i < n; i++)
    assert_true(test_element(t, i) == first + (double)i * step);
  mlpl_tensor_release(t);
}

/* The last is included where it is met, in spite of rounding. */
static void ranges(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  check_arange(cx, 1, 5, 1, 5);
  check_arange(cx, 0, 1, 0.1, 11);
  check_arange(cx, 0, 0.3, 0.1, 4);
  check_arange(cx, 1, 2, 0.3, 4);
  check_arange(cx, 5, 1, -2, 3);
  check_arange(cx, 1, 0, 1, 0);
  check_arange(cx, 1, 1, 1, 1);
  check_arange(cx, 3, -100, 1, 0);
  check_arange(cx, -1, 1, 0.01, 201);
  test_close(cx);
}

/* ---- in and out -------------------------------------------------------------------- */

static void elements_are_read_one_by_one(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *t = CALL1(cx, "t", MATRIX(cx, 2, 3, 1, 2, 3, 4, 5, 6));
  double v;
  int64_t i;
  assert_works(cx, mlpl_tensor_get(cx, t, (int64_t[]){2, 1}, &v));
  assert_true(v == 6);
  assert_works(cx, mlpl_tensor_item(cx, test_scalar(cx, 3.5), &v));
  assert_true(v == 3.5);
  assert_works(cx, mlpl_tensor_item_int(cx, test_scalar(cx, -3.5), &i));
  assert_int_equal(i, -3);
  mlpl_tensor *large = test_labels(cx, 1, (int64_t[]){(INT64_C(1) << 53) + 1});
  assert_works(cx, mlpl_tensor_item_int(cx, large, &i));
  assert_int_equal(
      i, (INT64_C(1) << 53) + 1); /* as a double it would be another number */
  static const double reals[] = {NAN, 1e300, -1e300, 9.3e18};
  static const int64_t wholes[] = {0, INT64_MAX, INT64_MIN, INT64_MAX};
  for (int k = 0; k < COUNT(reals); k++) {
    assert_works(cx, mlpl_tensor_item_int(cx, test_scalar(cx, reals[k]), &i));
    assert_int_equal(i, wholes[k]);
  }
  test_drop_and_close(cx);
}

static void reading_and_writing(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *whole = MATRIX(cx, 3, 4, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
  mlpl_tensor *part = test_call(
      cx, "narrow", &whole, 1, ARGS(ARG("dim", 1), ARG("start", 1), ARG("length", 2)));
  double v[6];
  assert_works(cx, mlpl_tensor_read(cx, part, v, sizeof v));
  for (int i = 0; i < 6; i++) assert_true(v[i] == 1 + i / 2 * 4 + i % 2);
  for (int i = 0; i < 6; i++) v[i] = -i;
  assert_works(cx, mlpl_tensor_write(cx, part, v, sizeof v));
  assert_values(whole, 0, 0, -1, 3, 4, -2, -3, 7, 8, -4, -5, 11);
  mlpl_tensor *turned = CALL1(cx, "t", part);
  assert_works(cx, mlpl_tensor_read(cx, turned, v, sizeof v));
  assert_true(v[0] == 0 && v[1] == -2 && v[2] == -4 && v[3] == -1);
  mlpl_tensor *none = test_new(cx, MLPL_F32, SIZES(0, 3));
  assert_works(cx, mlpl_tensor_read(cx, none, NULL, 0));
  assert_works(cx, mlpl_tensor_write(cx, none, NULL, 0));
  test_drop_and_close(cx);
}

static void copies_have_memory_of_their_own(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = test_leaf(cx, MATRIX(cx, 2, 3, 1, 2, 3, 4, 5, 6)), *c, *d;
  mlpl_tensor *y = CALL1(cx, "t", x);
  assert_works(cx, mlpl_tensor_clone(cx, &c, y));
  test_hold(c);
  assert_true(mlpl_tensor_is_contiguous(c) && !mlpl_tensor_requires_grad(c));
  assert_values(c, 1, 4, 2, 5, 3, 6);
  assert_works(cx, mlpl_tensor_detach(cx, &d, y));
  test_hold(d);
  assert_false(mlpl_tensor_requires_grad(d));
  assert_works(cx, mlpl_tensor_write(cx, d, VALUES(9, 9, 9, 9, 9, 9), 48));
  assert_values(x, 9, 9, 9, 9, 9, 9);
  assert_values(c, 1, 4, 2, 5, 3, 6);
  test_drop_and_close(cx);
}

/* Every dtype to every other, from a layout with gaps. */
static void conversions(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  static const double values[] = {0, 1, 2.5, 200, 0, 3};
  for (int from = MLPL_F32; from <= MLPL_BOOL; from++) {
    mlpl_tensor *x = CALL1(cx, "t", test_copy(cx, (mlpl_dtype)from, SIZES(2, 3), values));
    for (int to = MLPL_F32; to <= MLPL_BOOL; to++) {
      mlpl_tensor *y;
      assert_works(cx, mlpl_tensor_to(cx, &y, x, (mlpl_dtype)to));
      test_hold(y);
      assert_int_equal(mlpl_tensor_dtype(y), to);
      for (int i = 0; i < 6; i++) {
        double v = test_element(x, i);
        assert_true(test_element(y, i) == (to == MLPL_BOOL     ? v != 0
                                              : to <= MLPL_F64 ? v
                                                               : trunc(v)));
      }
    }
  }
  test_drop_and_close(cx);
}

/* x with two axes exchanged. */
static mlpl_tensor *exchanged(mlpl_ctx *cx, mlpl_tensor *x, uint64_t a, uint64_t b) {
  return test_call(
      cx, "transpose", &x, 1, ARGS(ARG("dim0", (double)a), ARG("dim1", (double)b)));
}

static void check_copy(mlpl_ctx *cx, const int64_t *shape, int k, uint64_t *random) {
  const int dtype = (int)(test_random(random) % 5),
            to = k % 3 ? dtype : (int)(test_random(random) % 5);
  const uint64_t a = test_random(random) % 3, b = test_random(random) % 3;
  mlpl_tensor *from, *into;
  assert_works(cx, mlpl_tensor_randint(cx, &from, (mlpl_dtype)dtype, 3, shape, 0,
                       dtype == MLPL_BOOL ? 1 : 100));
  from = exchanged(cx, test_hold(from), a, b);
  if (k % 2) assert_works(cx, mlpl_tensor_clone(cx, &into, from)), test_hold(into);
  else { /* made with two axes exchanged, which are then put back */
    const uint64_t c = test_random(random) % 3, d = test_random(random) % 3;
    const mlpl_tensor *like = exchanged(cx, from, c, d);
    assert_works(cx, mlpl_tensor_new(cx, &into, (mlpl_dtype)to, 3, like->shape));
    into = exchanged(cx, test_hold(into), c, d);
    mlpli_copy(into, from);
  }
  for (int64_t i = 0; i < from->numel; i++)
    if (test_element(into, i) !=
        (into->dtype == MLPL_BOOL ? test_element(from, i) != 0 : test_element(from, i)))
      fail_msg("copy %d, element %lld", k, (long long)i);
  test_drop();
}

/* Copies between any two strides, of elements of one, four and eight bytes. */
static void random_copies(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  uint64_t random = 8;
  for (int k = 0; k < 600; k++) {
    int64_t shape[3];
    for (int d = 0; d < 3; d++)
      shape[d] = (int64_t)(test_random(&random) % (k % 5 ? 5 : 40));
    check_copy(cx, shape, k, &random);
  }
  test_close(cx);
}

/* So large that threads share them. */
static void large_copies(void **state) {
  (void)state;
  static const int64_t shapes[][3] = {{1, 300, 301}, {70001, 1, 1}, {3, 160, 150},
      {2000, 6, 7}, {5, 4000, 4}, {40, 41, 42}};
  uint64_t random = 9;
  for (int threads = 1; threads <= 3; threads++) {
    mlpl_ctx *cx = test_open(0);
    assert_works(cx, mlpl_set_threads(cx, threads));
    for (int k = 0; k < 10 * COUNT(shapes); k++)
      check_copy(cx, shapes[k % COUNT(shapes)], k, &random);
    test_close(cx);
  }
}

/* ---- holding ----------------------------------------------------------------------- */

static void a_view_holds_the_memory(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x, *v, *w;
  assert_works(cx, mlpl_tensor_full(cx, &x, MLPL_F32, SIZES(4, 4), 7));
  assert_works(cx, mlpl_call(cx, &v, "t", &x, 1, NULL));
  mlpl_tensor_release(x);
  assert_works(cx, mlpl_call(cx, &w, "flatten", &v, 1, NULL));
  mlpl_tensor_release(v);
  assert_ptr_equal(mlpl_tensor_retain(w), w);
  mlpl_tensor_release(w);
  assert_true(test_element(w, 15) == 7);
  mlpl_tensor_release(w);
  mlpl_tensor_release(NULL);
  test_close(cx);
}

static void shapes_as_text(void **state) {
  (void)state;
  char text[MLPLI_SHAPE_TEXT];
  assert_string_equal(mlpli_shape_text(text, 0, NULL), "[]");
  assert_string_equal(mlpli_shape_text(text, 1, (int64_t[]){5}), "[5]");
  assert_string_equal(mlpli_shape_text(text, 3, (int64_t[]){2, 0, 1}), "[2x0x1]");
  int64_t huge[8];
  for (int i = 0; i < 8; i++) huge[i] = INT64_MAX;
  assert_in_range(strlen(mlpli_shape_text(text, 8, huge)), 60,
      MLPLI_SHAPE_TEXT - 1); /* cut, and ended */
}

/* ---- what is refused --------------------------------------------------------------- */

static void errors_of_making(void **state) {
  (void)state;
  for (int base = 0; base <= 1; base++) {
    mlpl_ctx *cx = test_open(base);
    mlpl_tensor *t;
    const int64_t nine[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1}, huge[] = {INT64_MAX, 2};
    assert_fails(cx, mlpl_tensor_new(cx, &t, (mlpl_dtype)9, SIZES(2)), MLPL_EARG,
        "tensor: no dtype has number 9");
    assert_null(t);
    assert_fails(cx, mlpl_tensor_new(cx, &t, MLPL_F32, 9, nine), MLPL_EARG,
        "tensor: 9 axes; a tensor has at most 8");
    assert_fails(cx, mlpl_tensor_new(cx, &t, MLPL_F32, -1, nine), MLPL_EARG,
        "tensor: -1 axes; a tensor has at most 8");
    assert_fails(cx, mlpl_tensor_full(cx, &t, MLPL_F32, SIZES(2, -3), 0), MLPL_EARG,
        base ? "tensor: size -3 of axis 2 is negative"
             : "tensor: size -3 of axis 1 is negative");
    assert_fails(cx, mlpl_tensor_new(cx, &t, MLPL_U8, 2, huge), MLPL_ENOMEM,
        "tensor: not enough memory: [9223372036854775807x2] of u8 is more than can be "
        "addressed");
    assert_fails(cx, mlpl_tensor_new(cx, &t, MLPL_F64, 1, huge), MLPL_ENOMEM,
        "more than can be addressed");
    assert_fails(cx, mlpl_tensor_new(cx, &t, MLPL_F32, SIZES(INT64_C(1) << 45)),
        MLPL_ENOMEM, "tensor: not enough memory: 140737488355328 bytes more than the ");
    assert_null(t);
    assert_fails(cx, mlpl_tensor_arange(cx, &t, MLPL_F32, 0, 1, 0), MLPL_EARG,
        "arange: from 0 to 1 by 0; bounds must be finite, the step not 0");
    assert_fails(cx, mlpl_tensor_arange(cx, &t, MLPL_F32, 0, INFINITY, 1), MLPL_EARG,
        "arange: from 0 to inf by 1; bounds");
    assert_fails(cx, mlpl_tensor_arange(cx, &t, MLPL_F32, NAN, 1, 1), MLPL_EARG,
        "arange: from nan to 1 by 1; bounds");
    assert_fails(cx, mlpl_tensor_arange(cx, &t, MLPL_F32, 0, 1e300, 1), MLPL_EARG,
        "arange: from first to last there are 1e+300 elements, which is too many");
    assert_fails(cx, mlpl_tensor_arange(cx, &t, MLPL_F32, 0, 1e308, 1e-308), MLPL_EARG,
        "arange: from first to last there are inf elements");
    assert_fails(cx, mlpl_tensor_arange(cx, &t, (mlpl_dtype)7, 0, 1, 1), MLPL_EARG,
        "tensor: no dtype has number 7");
    assert_fails(cx, mlpl_tensor_rand(cx, &t, MLPL_I64, SIZES(2), 0, 1), MLPL_EARG,
        "rand: dtype is i64; random real numbers need f32 or f64");
    assert_fails(cx, mlpl_tensor_rand(cx, &t, MLPL_F32, SIZES(2), 1, 0), MLPL_EARG,
        "rand: from 1 to 0; the bounds must be finite and in order");
    assert_fails(cx, mlpl_tensor_rand(cx, &t, MLPL_F32, SIZES(-2), 0, 1), MLPL_EARG,
        "rand: size -2 of axis");
    assert_fails(cx, mlpl_tensor_randn(cx, &t, MLPL_BOOL, SIZES(2), 0, 1), MLPL_EARG,
        "randn: dtype is bool; random");
    assert_fails(cx, mlpl_tensor_randn(cx, &t, MLPL_F32, SIZES(2), 0, -1), MLPL_EARG,
        "randn: mean 0, std -1; they must be finite, std not negative");
    assert_fails(cx, mlpl_tensor_randint(cx, &t, MLPL_U8, SIZES(2), 0, 256), MLPL_EARG,
        "randint: lowest is 0, highest is 256; they must be in order and fit u8");
    assert_fails(cx, mlpl_tensor_randint(cx, &t, MLPL_F32, SIZES(2), 3, 2), MLPL_EARG,
        "randint: lowest is 3, highest is 2; they must be in order and fit f32");
    assert_fails(cx, mlpl_tensor_randint(cx, &t, (mlpl_dtype)5, SIZES(2), 0, 1),
        MLPL_EARG, "randint: no dtype has number");
    assert_null(t);
    test_close(cx);
  }
}

/* A 0 among the sizes does not excuse the others: strides are products of them. */
static void sizes_beside_a_zero(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *t;
  const int64_t much = INT64_C(1) << 40;
  assert_fails(cx, mlpl_tensor_new(cx, &t, MLPL_F32, SIZES(0, much, much)), MLPL_ENOMEM,
      "more than can be addressed");
  assert_works(cx, mlpl_tensor_new(cx, &t, MLPL_F32, SIZES(0, much)));
  assert_int_equal(mlpl_tensor_numel(t), 0);
  mlpl_tensor_release(t);
  test_close(cx);
}

static void errors_of_reading(void **state) {
  (void)state;
  for (int base = 0; base <= 1; base++) {
    mlpl_ctx *cx = test_open(base);
    mlpl_tensor *t = test_new(cx, MLPL_F32, SIZES(2, 3)), *y;
    double v;
    int64_t i;
    float buffer[6] = {0};
    assert_fails(cx, mlpl_tensor_get(cx, t, (int64_t[]){1, 3}, &v), MLPL_EARG,
        base ? "get: index 4 of axis 2 is outside 1 to 3"
             : "get: index 3 of axis 1 is outside 0 to 2");
    assert_fails(cx, mlpl_tensor_get(cx, t, (int64_t[]){-1, 0}, &v), MLPL_EARG,
        base ? "get: index 0 of axis 1 is outside 1 to 2"
             : "get: index -1 of axis 0 is outside 0 to 1");
    assert_fails(cx, mlpl_tensor_item(cx, t, &v), MLPL_ESHAPE,
        "item: the tensor is [2x3]; only a tensor of one element has an item");
    assert_fails(cx, mlpl_tensor_item_int(cx, t, &i), MLPL_ESHAPE,
        "item: the tensor is [2x3]; only");
    assert_fails(cx, mlpl_tensor_read(cx, t, buffer, 20), MLPL_ESHAPE,
        "read: [2x3] of f32 is 24 bytes, the buffer 20");
    assert_fails(cx, mlpl_tensor_write(cx, t, buffer, 25), MLPL_ESHAPE,
        "write: [2x3] of f32 is 24 bytes, the buffer 25");
    assert_fails(cx, mlpl_tensor_to(cx, &y, t, (mlpl_dtype)-1), MLPL_EARG,
        "to: no dtype has number -1");
    assert_null(y);
    test_drop_and_close(cx);
  }
}

static mlpl_status make_some(mlpl_ctx *cx, void *ud) {
  mlpl_tensor *t[6] = {NULL};
  (void)ud;
  mlpl_status status = mlpl_tensor_full(cx, &t[0], MLPL_F32, SIZES(3, 4), 1);
  if (status == MLPL_OK) status = mlpl_tensor_randn(cx, &t[1], MLPL_F64, SIZES(5), 0, 1);
  if (status == MLPL_OK) status = mlpl_tensor_to(cx, &t[2], t[0], MLPL_I64);
  if (status == MLPL_OK) status = mlpl_tensor_detach(cx, &t[3], t[0]);
  if (status == MLPL_OK) status = mlpl_tensor_arange(cx, &t[4], MLPL_F32, 0, 5, 1);
  if (status == MLPL_OK) status = mlpl_tensor_clone(cx, &t[5], t[3]);
  for (int i = 0; i < 6; i++) {
    if (status == MLPL_OK) assert_non_null(t[i]);
    mlpl_tensor_release(t[i]);
  }
  return status;
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  test_every_failure(make_some, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_a_tensor_tells),
      cmocka_unit_test(names_of_dtypes),
      cmocka_unit_test(filling),
      cmocka_unit_test(whole_numbers_are_exact),
      cmocka_unit_test(ranges),
      cmocka_unit_test(elements_are_read_one_by_one),
      cmocka_unit_test(reading_and_writing),
      cmocka_unit_test(copies_have_memory_of_their_own),
      cmocka_unit_test(conversions),
      cmocka_unit_test(random_copies),
      cmocka_unit_test(large_copies),
      cmocka_unit_test(a_view_holds_the_memory),
      cmocka_unit_test(shapes_as_text),
      cmocka_unit_test(errors_of_making),
      cmocka_unit_test(sizes_beside_a_zero),
      cmocka_unit_test(errors_of_reading),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests_name("tensor", tests, NULL, NULL);
}
