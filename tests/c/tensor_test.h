/*
** Short ways to make tensors and apply operations in tests: every result is held until
** test_drop.
*/
#ifndef TEST_TENSOR_TEST_H
#define TEST_TENSOR_TEST_H

#include "support.h"

#include "ops/ops.h"

#include <stdio.h>

static mlpl_tensor *test_held[512];
static int test_n_held;

static inline mlpl_tensor *test_hold(mlpl_tensor *t) {
  assert_true(test_n_held < COUNT(test_held));
  if (t) test_held[test_n_held++] = t;
  return t;
}

static inline void test_drop(void) {
  while (test_n_held) mlpl_tensor_release(test_held[--test_n_held]);
}

/* Drop what is held, then test_close. */
static inline void test_drop_and_close(mlpl_ctx *cx) {
  test_drop();
  test_close(cx);
}

static inline mlpl_tensor *test_copy(
    mlpl_ctx *cx, mlpl_dtype dtype, int ndim, const int64_t *shape, const double *v) {
  mlpl_tensor *wide, *t;
  assert_works(cx, mlpl_tensor_copy(cx, &wide, MLPL_F64, ndim, shape, v));
  assert_works(cx, mlpl_tensor_to(cx, &t, wide, dtype));
  mlpl_tensor_release(wide);
  return test_hold(t);
}

#define SIZES(...)                                                                       \
  (int)(sizeof(int64_t[]){__VA_ARGS__} / sizeof(int64_t)), (const int64_t[]) {           \
    __VA_ARGS__                                                                          \
  }
#define VALUES(...)                                                                      \
  (const double[]) { __VA_ARGS__ }
#define VECTOR(cx, ...)                                                                  \
  test_copy(cx, MLPL_F64, 1,                                                             \
      (const int64_t[]){sizeof(double[]){__VA_ARGS__} / sizeof(double)},                 \
      VALUES(__VA_ARGS__))
#define MATRIX(cx, rows, cols, ...)                                                      \
  test_copy(cx, MLPL_F64, SIZES(rows, cols), VALUES(__VA_ARGS__))

static inline mlpl_tensor *test_scalar(mlpl_ctx *cx, double v) {
  return test_copy(cx, MLPL_F64, 0, NULL, &v);
}

static inline mlpl_tensor *test_new(
    mlpl_ctx *cx, mlpl_dtype dtype, int ndim, const int64_t *shape) {
  mlpl_tensor *t;
  assert_works(cx, mlpl_tensor_full(cx, &t, dtype, ndim, shape, 0));
  return test_hold(t);
}

static inline mlpl_tensor *test_labels(mlpl_ctx *cx, int n, const int64_t *v) {
  mlpl_tensor *t;
  assert_works(cx, mlpl_tensor_copy(cx, &t, MLPL_I64, 1, (const int64_t[]){n}, v));
  return test_hold(t);
}

static inline mlpl_tensor *test_leaf(mlpl_ctx *cx, mlpl_tensor *t) {
  assert_works(cx, mlpl_tensor_set_requires_grad(cx, t, true));
  return t;
}

static inline mlpl_tensor *test_call(
    mlpl_ctx *cx, const char *op, mlpl_tensor *const *in, int n, const mlpl_arg *args) {
  mlpl_tensor *out[MLPLI_MAX_OUTPUTS] = {NULL};
  assert_works(cx, mlpl_call(cx, out, op, in, n, args));
  for (int i = 1; i < MLPLI_MAX_OUTPUTS; i++) test_hold(out[i]);
  return test_hold(out[0]);
}

#define ARGS(...)                                                                        \
  (const mlpl_arg[]) {                                                                   \
    __VA_ARGS__, { 0 }                                                                   \
  }
#define ARG(key, v)                                                                      \
  { .name = key, .value = v }
#define CALL1(cx, op, x) test_call(cx, op, (mlpl_tensor *[]){x}, 1, NULL)
#define CALL2(cx, op, x, y) test_call(cx, op, (mlpl_tensor *[]){x, y}, 2, NULL)

static inline double test_item(mlpl_ctx *cx, const mlpl_tensor *t) {
  double v;
  assert_works(cx, mlpl_tensor_item(cx, t, &v));
  return v;
}

/* Element i, row-major. */
static inline double test_element(const mlpl_tensor *t, int64_t i) {
  int64_t at = 0;
  for (int d = t->ndim - 1; d >= 0; d--) {
    at += i % t->shape[d] * t->stride[d];
    i /= t->shape[d];
  }
  return mlpli_load(t->data + at * mlpli_dtype_size[t->dtype], t->dtype);
}

/* Every element within atol + rtol |wanted| of v. */
static inline void test_near(
    const mlpl_tensor *t, const double *v, double rtol, const char *file, int line) {
  if (!t) {
    print_error("there is no tensor\n");
    _fail(file, line);
    return;
  }
  for (int64_t i = 0; i < t->numel; i++) {
    double got = test_element(t, i);
    if (isnan(v[i]) ? isnan(got) : fabs(got - v[i]) <= rtol * fmax(1, fabs(v[i])))
      continue;
    print_error("element %d is %.17g, not %.17g\n", (int)i, got, v[i]);
    _fail(file, line);
  }
}
#define assert_near(t, rtol, ...)                                                        \
  test_near(t, VALUES(__VA_ARGS__), rtol, __FILE__, __LINE__)
#define assert_values(t, ...) assert_near(t, 1e-14, __VA_ARGS__)

static inline bool test_same_bits(const mlpl_tensor *a, const mlpl_tensor *b) {
  if (a->dtype != b->dtype || a->numel != b->numel || !a->contiguous || !b->contiguous)
    return false;
  return memcmp(a->data, b->data, (size_t)a->numel * mlpli_dtype_size[a->dtype]) == 0;
}

#endif
