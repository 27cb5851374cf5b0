/* Walks over strided arrays against plain nested indices: every element once, in
   order, in as few runs as there can be. */
#include "support.h"

#include "tensor/walk.h"

enum { ARRAYS = MLPLI_WALK_MAX };

/* Offsets of element i by the definition. */
static void plain_offsets(int ndim, const int64_t *shape, int64_t stride[][MLPL_MAX_RANK],
    int n, int64_t i, int64_t *at) {
  memset(at, 0, ARRAYS * sizeof *at);
  for (int d = ndim - 1; d >= 0; d--) {
    for (int a = 0; a < n; a++) at[a] += i % shape[d] * stride[a][d];
    i /= shape[d];
  }
}

static int64_t check_walk(
    int ndim, const int64_t *shape, int64_t stride[][MLPL_MAX_RANK], int n) {
  const int64_t *strides[ARRAYS];
  int64_t numel = 1, count = 0, start[ARRAYS], at[ARRAYS];
  mlpli_walk w;
  for (int d = 0; d < ndim; d++) numel *= shape[d];
  for (int a = 0; a < n; a++) strides[a] = stride[a];
  mlpli_walk_init(&w, ndim, shape, n, strides);
  assert_in_range(w.ndim, 1, MLPL_MAX_RANK);
  for (int64_t r = 0; r < mlpli_walk_n_runs(&w); r++) {
    mlpli_walk_at(&w, r, start);
    for (int64_t i = 0; i < mlpli_walk_run(&w); i++, count++) {
      plain_offsets(ndim, shape, stride, n, count, at);
      for (int a = 0; a < n; a++)
        assert_int_equal(start[a] + i * w.stride[a][w.ndim - 1], at[a]);
    }
  }
  assert_int_equal(count, numel);
  return mlpli_walk_n_runs(&w);
}

static void row_major(int ndim, const int64_t *shape, int64_t *stride) {
  int64_t step = 1;
  for (int d = ndim - 1; d >= 0; d--) stride[d] = step, step *= shape[d] ? shape[d] : 1;
}

static void what_is_contiguous_is_one_run(void **state) {
  (void)state;
  static const int64_t shapes[][4] = {
      {2, 3, 4, 5}, {1, 1, 7, 1}, {1, 1, 1, 1}, {6, 1, 1, 2}};
  int64_t stride[ARRAYS][MLPL_MAX_RANK] = {{0}};
  for (int i = 0; i < COUNT(shapes); i++) {
    for (int a = 0; a < ARRAYS; a++) row_major(4, shapes[i], stride[a]);
    assert_int_equal(check_walk(4, shapes[i], stride, ARRAYS), 1);
  }
  assert_int_equal(check_walk(0, NULL, stride, 2), 1); /* a number: one run of one */
  /* a row added to a matrix: axes merge only where they do in all arrays */
  row_major(2, (int64_t[]){3, 4}, stride[0]);
  stride[1][0] = 0, stride[1][1] = 1;
  assert_int_equal(check_walk(2, (int64_t[]){3, 4}, stride, 2), 3);
  stride[1][1] = 0; /* a number added to a matrix */
  assert_int_equal(check_walk(2, (int64_t[]){3, 4}, stride, 2), 1);
}

static void empty_shapes_have_no_elements(void **state) {
  (void)state;
  static const int64_t shapes[][3] = {
      {0, 3, 4}, {3, 0, 4}, {3, 4, 0}, {0, 0, 0}, {1, 0, 1}};
  int64_t stride[ARRAYS][MLPL_MAX_RANK];
  for (int i = 0; i < COUNT(shapes); i++) {
    for (int a = 0; a < ARRAYS; a++) row_major(3, shapes[i], stride[a]);
    check_walk(3, shapes[i], stride, ARRAYS);
  }
}

/* Axes in any order, stretched, with gaps, backwards. */
static void random_strides(void **state) {
  (void)state;
  uint64_t random = 12;
  for (int k = 0; k < 3000; k++) {
    int ndim = (int)(test_random(&random) % (MLPL_MAX_RANK + 1)),
        n = 1 + (int)(test_random(&random) % ARRAYS);
    int64_t shape[MLPL_MAX_RANK], stride[ARRAYS][MLPL_MAX_RANK];
    for (int d = 0; d < ndim; d++) shape[d] = (int64_t)(test_random(&random) % 4);
    for (int a = 0; a < n; a++) {
      row_major(ndim, shape, stride[a]);
      for (int d = 0; d < ndim; d++) {
        int e = (int)(test_random(&random) % (uint64_t)ndim);
        int64_t t = stride[a][d];
        if (test_random(&random) % 4 == 0) stride[a][d] = stride[a][e], stride[a][e] = t;
        if (test_random(&random) % 4 == 0)
          stride[a][d] *= (int64_t)(test_random(&random) % 4) - 1;
      }
    }
    check_walk(ndim, shape, stride, n);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_contiguous_is_one_run),
      cmocka_unit_test(empty_shapes_have_no_elements),
      cmocka_unit_test(random_strides),
  };
  return cmocka_run_group_tests_name("walk", tests, NULL, NULL);
}
