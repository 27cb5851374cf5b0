/* The IDX reader. */
#include "support.h"

#include <stdio.h>

/* An IDX file of these sizes and bytes of data. */
static size_t make(unsigned char *out, int type, int ndim, const uint32_t *shape, const void *data, size_t n) {
  unsigned char *p = out;
  *p++ = 0, *p++ = 0, *p++ = (unsigned char)type, *p++ = (unsigned char)ndim;
  for (int d = 0; d < ndim; d++)
    for (int shift = 24; shift >= 0; shift -= 8) *p++ = (unsigned char)(shape[d] >> shift);
  if (n) memcpy(p, data, n);
  return (size_t)(p - out) + n;
}

static const char *write_idx(const char *name, int type, int ndim, const uint32_t *shape, const void *data, size_t n) {
  unsigned char bytes[4096];
  assert_true(n < 4000);
  return test_write(name, bytes, make(bytes, type, ndim, shape, data, n));
}

static void reads_every_type(void **state) {
  (void)state;
  static const struct {
    int type, size;
    mlpl_dtype dtype;
    unsigned char bytes[8];
    double value;
  } cases[] = {
      {0x08, 1, MLPL_U8, {200}, 200}, {0x09, 1, MLPL_I64, {200}, -56},
      {0x0b, 2, MLPL_I64, {0xff, 0xfe}, -2}, {0x0b, 2, MLPL_I64, {1, 2}, 258},
      {0x0c, 4, MLPL_I64, {0xff, 0xff, 0xff, 0x00}, -256}, {0x0c, 4, MLPL_I64, {1, 2, 3, 4}, 16909060},
      {0x0d, 4, MLPL_F32, {0x40, 0x49, 0x0f, 0xdb}, (double)3.14159274f},
      {0x0e, 8, MLPL_F64, {0x40, 0x09, 0x21, 0xfb, 0x54, 0x44, 0x2d, 0x18}, 3.141592653589793},
  };
  mlpl_ctx *cx = test_open(1);
  for (int i = 0; i < COUNT(cases); i++) {
    unsigned char data[6 * 8];
    for (int k = 0; k < 6; k++) memcpy(data + k * cases[i].size, cases[i].bytes, (size_t)cases[i].size);
    mlpl_tensor *t;
    const size_t n = 6 * (size_t)cases[i].size;
    assert_works(cx, mlpl_idx_read(cx, &t, write_idx("t.idx", cases[i].type, 2, (uint32_t[]){2, 3}, data, n)));
    assert_int_equal(mlpl_tensor_dtype(t), cases[i].dtype);
    assert_int_equal(mlpl_tensor_ndim(t), 2);
    assert_int_equal(mlpl_tensor_shape(t)[0], 2);
    assert_int_equal(mlpl_tensor_shape(t)[1], 3);
    for (int k = 0; k < 6; k++) assert_true(test_at2(t, k / 3, k % 3) == cases[i].value);
    mlpl_tensor_release(t);
  }
  test_close(cx);
}

static void reads_empty_and_deep_files(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *t;
  assert_works(cx, mlpl_idx_read(cx, &t, write_idx("e.idx", 8, 3, (uint32_t[]){5, 0, 7}, "", 0)));
  assert_int_equal(mlpl_tensor_numel(t), 0);
  assert_int_equal(mlpl_tensor_shape(t)[2], 7);
  mlpl_tensor_release(t);
  assert_works(cx, mlpl_idx_read(cx, &t, write_idx("d.idx", 8, 8, (uint32_t[]){1, 1, 1, 1, 1, 1, 1, 2}, "ab", 2)));
  assert_int_equal(mlpl_tensor_ndim(t), 8);
  mlpl_tensor_release(t);
  test_close(cx);
}

static void says_what_is_wrong(void **state) {
  (void)state;
  const uint32_t huge[8] = {UINT32_MAX, UINT32_MAX, UINT32_MAX, 0, UINT32_MAX};
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *t;
  unsigned char b[64] = {0};
#define READ(name, n) mlpl_idx_read(cx, &t, test_write(name, b, n))
  assert_fails(cx, READ("a.idx", 0), MLPL_EFORMAT, "a.idx is truncated: a header of 4 bytes was expected, 0 are there");
  assert_fails(cx, READ("a.idx", 3), MLPL_EFORMAT, "a.idx is truncated: a header of 4 bytes was expected, 3 are there");
  memcpy(b, "\x89PNG", 4);
  assert_fails(cx, READ("a.idx", 4), MLPL_EFORMAT, "a.idx is no IDX file: it begins with 89 50 4e 47, not 00 00");
  memcpy(b, "\0\0\x0a\1", 4);
  assert_fails(cx, READ("a.idx", 4), MLPL_EFORMAT, "a.idx: element type 0a is none of 08, 09, 0b, 0c, 0d, 0e");
  memcpy(b, "\0\0\x08\0", 4);
  assert_fails(cx, READ("a.idx", 4), MLPL_EFORMAT, "a.idx: 0 axes; there may be 1 to 8");
  memcpy(b, "\0\0\x08\xff", 4);
  assert_fails(cx, READ("a.idx", 4), MLPL_EFORMAT, "a.idx: 255 axes; there may be 1 to 8");
  memcpy(b, "\0\0\x08\2", 4);
  assert_fails(cx, READ("a.idx", 11), MLPL_EFORMAT, "a.idx is truncated: a header of 12 bytes was expected, 11 are");
#undef READ
  assert_fails(cx, mlpl_idx_read(cx, &t, write_idx("b.idx", 8, 3, huge, "", 0)), MLPL_EFORMAT,
      "b.idx: sizes [4294967295x4294967295x4294967295] are too large");
  assert_fails(cx, mlpl_idx_read(cx, &t, write_idx("b.idx", 8, 5, huge, "", 0)), MLPL_EFORMAT, "are too large");
  assert_fails(cx, mlpl_idx_read(cx, &t, write_idx("b.idx", 0x0d, 2, (uint32_t[]){2, 2}, "0123456789abcde", 15)),
      MLPL_EFORMAT, "b.idx is truncated: data of 16 bytes was expected, 15 are there");
  assert_fails(cx, mlpl_idx_read(cx, &t, write_idx("b.idx", 8, 2, (uint32_t[]){2, 2}, "01234", 5)), MLPL_EFORMAT,
      "b.idx: bytes follow the 4 of its data");
  assert_fails(cx, mlpl_idx_read(cx, &t, test_path("none.idx")), MLPL_EIO, "none.idx: No such file or directory");
  assert_null(t);
  test_close(cx);
}

/* A small file that promises gigabytes costs less than a megabyte. */
static void believes_no_size(void **state) {
  (void)state;
  test_heap h;
  mlpl_ctx *cx;
  test_heap_init(&h);
  assert_int_equal(mlpl_open(&cx, &(mlpl_config){.allocator = &h.allocator, .threads = 1}), MLPL_OK);
  unsigned char bytes[100] = {0};
  const size_t n = make(bytes, 8, 3, (uint32_t[]){60000, 28000, 28}, "", 0) + 50;
  for (int gzip = 0; gzip <= 1; gzip++) {
    mlpl_tensor *t;
    const char *path = gzip ? test_write_gzip("lie.gz", bytes, n) : test_write("lie", bytes, n);
    h.peak = h.bytes;
    const size_t before = h.bytes;
    assert_fails(cx, mlpl_idx_read(cx, &t, path), MLPL_EFORMAT,
        "is truncated: data of 47040000000 bytes was expected, 50 are there");
    assert_true(h.peak - before < 1 << 20);
  }
  mlpl_close(cx);
  assert_int_equal(h.blocks, 0);
}

static void finds_truncation_at_every_byte(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *t;
  unsigned char bytes[300], data[60];
  uint64_t seed = 5;
  for (int i = 0; i < 60; i++) data[i] = (unsigned char)test_random(&seed);
  const size_t n = make(bytes, 8, 2, (uint32_t[]){6, 10}, data, sizeof data);
  for (size_t cut = 0; cut < n; cut++)
    assert_fails(cx, mlpl_idx_read(cx, &t, test_write("cut", bytes, cut)), MLPL_EFORMAT, "is truncated: ");
  size_t packed;
  unsigned char *gzip = test_read(test_write_gzip("whole.gz", bytes, n), &packed);
  for (size_t cut = 2; cut < packed; cut++)
    assert_fails(cx, mlpl_idx_read(cx, &t, test_write("cut.gz", gzip, cut)), MLPL_EFORMAT, "(truncated)");
  gzip[packed - 6] ^= 1;
  assert_fails(cx, mlpl_idx_read(cx, &t, test_write("crc.gz", gzip, packed)), MLPL_EFORMAT, "incorrect data check");
  free(gzip);
  for (size_t i = 0; i < 8 * n; i++) {
    bytes[i / 8] ^= (unsigned char)(1 << i % 8);
    mlpl_status status = mlpl_idx_read(cx, &t, test_write("flip", bytes, n));
    assert_true((status == MLPL_OK) == (t != NULL) && (t || status == MLPL_EFORMAT));
    mlpl_tensor_release(t);
    bytes[i / 8] ^= (unsigned char)(1 << i % 8);
  }
  test_close(cx);
}

/* ---- pairs ----------------------------------------------------------------------------------------- */

static void reads_pairs(void **state) {
  (void)state;
  for (int base = 0; base <= 1; base++) {
    mlpl_ctx *cx = test_open(base);
    mlpl_dataset *ds;
    const unsigned char pixels[] = {0, 255, 128, 1, 2, 3}, labels[] = {7, 0, 2};
    const char *x = write_idx("x.idx", 8, 3, (uint32_t[]){3, 2, 1}, pixels, 6);
    const char *y = write_idx("y.idx", 8, 1, (uint32_t[]){3}, labels, 3);
    assert_works(cx, mlpl_idx_read_pair(cx, &ds, x, y));
    assert_int_equal(mlpl_dataset_size(ds), 3);
    mlpl_tensor *images = mlpl_dataset_x(ds);
    assert_int_equal(mlpl_tensor_dtype(images), MLPL_F32);
    assert_int_equal(mlpl_tensor_ndim(images), 3);
    for (int i = 0; i < 6; i++)
      assert_true(test_get(images, (int64_t[]){i / 2, i % 2, 0}) == (double)((float)pixels[i] / 255.0f));
    for (int i = 0; i < 3; i++) assert_true(test_at1(mlpl_dataset_y(ds), i) == labels[i] + base);
    assert_int_equal(mlpl_dataset_n_classes(ds), 8);
    assert_string_equal(mlpl_dataset_class(ds, 7), "7");
    mlpl_dataset_release(ds);
    test_close(cx);
  }
}

static void says_what_is_wrong_with_a_pair(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(1);
  mlpl_dataset *ds;
  const char *x = write_idx("x.idx", 8, 2, (uint32_t[]){3, 1}, "abc", 3);
  const char *two = write_idx("two.idx", 8, 1, (uint32_t[]){2}, "ab", 2);
  const char *deep = write_idx("deep.idx", 8, 2, (uint32_t[]){3, 1}, "abc", 3);
  const char *real = write_idx("real.idx", 0x0d, 1, (uint32_t[]){3}, "0123456789ab", 12);
  const char *below = write_idx("below.idx", 9, 1, (uint32_t[]){3}, "\0\1\xff", 3);
  const char *wild = write_idx("wild.idx", 0x0c, 1, (uint32_t[]){3}, "\0\0\0\1\x7f\xff\xff\xff\0\0\0\0", 12);
  assert_fails(cx, mlpl_idx_read_pair(cx, &ds, x, two), MLPL_EFORMAT, "two.idx has 2 labels");
  assert_fails(cx, mlpl_idx_read_pair(cx, &ds, x, two), MLPL_EFORMAT, "x.idx has 3 images");
  assert_fails(cx, mlpl_idx_read_pair(cx, &ds, x, deep), MLPL_EFORMAT,
      "deep.idx: labels have one axis; this file has 2");
  assert_fails(cx, mlpl_idx_read_pair(cx, &ds, x, real), MLPL_EFORMAT,
      "real.idx: labels are whole numbers; this file holds real ones");
  assert_fails(cx, mlpl_idx_read_pair(cx, &ds, x, below), MLPL_EFORMAT,
      "below.idx: label -1 of row 3 is outside 0 to 65535");
  assert_fails(cx, mlpl_idx_read_pair(cx, &ds, x, wild), MLPL_EFORMAT,
      "wild.idx: label 2147483647 of row 2 is outside 0 to 65535");
  assert_fails(cx, mlpl_idx_read_pair(cx, &ds, test_path("none"), two), MLPL_EIO, "none: No such file");
  assert_null(ds);
  test_close(cx);
}

static mlpl_status read_task(mlpl_ctx *cx, void *paths) {
  const char **path = paths;
  mlpl_dataset *ds;
  mlpl_tensor *t;
  mlpl_status status = mlpl_idx_read_pair(cx, &ds, path[0], path[1]);
  mlpl_dataset_release(ds);
  if (status != MLPL_OK) return status;
  status = mlpl_idx_read(cx, &t, path[0]);
  mlpl_tensor_release(t);
  return status;
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  unsigned char bytes[64];
  const size_t n = make(bytes, 8, 2, (uint32_t[]){4, 2}, "01234567", 8);
  const char *paths[2] = {test_write_gzip("task.gz", bytes, n)};
  paths[1] = write_idx("task.idx", 8, 1, (uint32_t[]){4}, "\0\1\2\3", 4);
  test_every_failure(read_task, paths);
}

static void reads_mnist(void **state) {
  (void)state;
  char images[1024], labels[1024];
  const char *path = test_data("mnist/t10k-images-idx3-ubyte.gz");
  if (!path) skip();
  snprintf(images, sizeof images, "%s", path);
  snprintf(labels, sizeof labels, "%s", test_data("mnist/t10k-labels-idx1-ubyte.gz"));
  mlpl_ctx *cx = test_open(1);
  mlpl_dataset *ds;
  assert_works(cx, mlpl_idx_read_pair(cx, &ds, images, labels));
  assert_int_equal(mlpl_dataset_size(ds), 10000);
  assert_int_equal(mlpl_dataset_n_classes(ds), 10);
  const int first[] = {7, 2, 1, 0, 4, 1, 4, 9, 5, 9};
  for (int i = 0; i < 10; i++) assert_true(test_at1(mlpl_dataset_y(ds), i) == first[i] + 1);
  const float *x = mlpl_tensor_data(mlpl_dataset_x(ds));
  double sum = 0;
  for (int64_t i = 0; i < 7840000; i++) sum += (double)x[i];
  assert_true(fabs(sum / 7840000 - 0.1325) < 1e-4); /* the test set's mean */
  mlpl_dataset_release(ds);
  test_close(cx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_every_type),
      cmocka_unit_test(reads_empty_and_deep_files),
      cmocka_unit_test(says_what_is_wrong),
      cmocka_unit_test(believes_no_size),
      cmocka_unit_test(finds_truncation_at_every_byte),
      cmocka_unit_test(reads_pairs),
      cmocka_unit_test(says_what_is_wrong_with_a_pair),
      cmocka_unit_test(every_allocation_may_fail),
      cmocka_unit_test(reads_mnist),
  };
  return cmocka_run_group_tests_name("idx", tests, test_folder_make, test_folder_remove);
}
