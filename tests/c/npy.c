/* NPY: files as NumPy writes them, headers that nobody should, damage. */
#include "file_bytes.h"

#include "npy_fixtures.h"

/* ---- what NumPy writes ------------------------------------------------------------- */

static void check_tensor(const npy_fixture *f, mlpl_tensor *t) {
  int64_t n = 1;
  assert_int_equal(mlpl_tensor_dtype(t), f->dtype);
  assert_int_equal(mlpl_tensor_ndim(t), f->ndim);
  for (int d = 0; d < f->ndim; d++) {
    assert_int_equal(mlpl_tensor_shape(t)[d], f->shape[d]);
    n *= f->shape[d];
  }
  assert_true(mlpl_tensor_is_contiguous(t));
  for (int64_t i = 0; i < n; i++) {
    int64_t index[MLPL_MAX_RANK], rest = i;
    for (int d = f->ndim - 1; d >= 0; d--) {
      index[d] = rest % f->shape[d];
      rest /= f->shape[d];
    }
    double v = test_get(t, index), wanted = f->values[i];
    if (!(v == wanted && signbit(v) == signbit(wanted)) && !(isnan(v) && isnan(wanted)))
      fail_msg("%s: element %d is %.17g, not %.17g", f->name, (int)i, v, wanted);
  }
}

static void reads_what_numpy_writes(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(1);
  for (int i = 0; i < COUNT(npy_fixtures); i++) {
    const npy_fixture *f = &npy_fixtures[i];
    size_t n;
    unsigned char *bytes = test_bytes_of(f->hex, &n);
    mlpl_tensor *t;
    assert_works(cx, mlpl_npy_read(cx, &t, test_write("in.npy", bytes, n)));
    check_tensor(f, t);
    mlpl_tensor_release(t);
    assert_works(cx, mlpl_npy_read_memory(cx, &t, bytes, n));
    check_tensor(f, t);
    mlpl_tensor_release(t);
    free(bytes);
  }
  test_close(cx);
}

static void writes_the_bytes_of_numpy(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(1);
  int same = 0;
  for (int i = 0; i < COUNT(npy_fixtures); i++) {
    const npy_fixture *f = &npy_fixtures[i];
    size_t n;
    mlpl_tensor *t;
    if (!f->same) continue;
    unsigned char *bytes = test_bytes_of(f->hex, &n);
    assert_works(cx, mlpl_npy_read_memory(cx, &t, bytes, n));
    assert_works(cx, mlpl_npy_write(cx, t, test_path("out.npy")));
    test_check_file(f->name, test_path("out.npy"), bytes, n);
    mlpl_tensor_release(t);
    free(bytes);
    same++;
  }
  assert_true(same >= 15);
  test_close(cx);
}

/* What is not row-major is written as if it were. */
static void writes_views(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x, *view, *y;
  const float data[] = {1, 2, 3, 4, 5, 6};
  assert_works(cx, mlpl_tensor_copy(cx, &x, MLPL_F32, 2, (int64_t[]){2, 3}, data));
  assert_works(cx, mlpl_call(cx, &view, "t", &x, 1, NULL));
  assert_works(cx, mlpl_npy_write(cx, view, test_path("t.npy")));
  assert_works(cx, mlpl_npy_read(cx, &y, test_path("t.npy")));
  assert_int_equal(mlpl_tensor_shape(y)[0], 3);
  for (int i = 0; i < 6; i++)
    assert_true(test_at2(y, i / 2, i % 2) == data[i % 2 * 3 + i / 2]);
  mlpl_tensor_release(y);
  mlpl_tensor_release(view);
  mlpl_tensor_release(x);
  test_close(cx);
}

static void refuses_what_no_tensor_holds(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  for (int i = 0; i < COUNT(npy_refusals); i++) {
    size_t n;
    unsigned char *bytes = test_bytes_of(npy_refusals[i].hex, &n);
    mlpl_tensor *t;
    assert_fails(
        cx, mlpl_npy_read_memory(cx, &t, bytes, n), MLPL_EFORMAT, npy_refusals[i].why);
    assert_null(t);
    free(bytes);
  }
  test_close(cx);
}

/* ---- headers ----------------------------------------------------------------------- */

static mlpl_status read_header(
    mlpl_ctx *cx, mlpl_tensor **t, int major, const char *text, size_t data) {
  unsigned char bytes[24 << 10] = "\x93NUMPY";
  size_t length = strlen(text), at = major == 1 ? 10 : 12;
  bytes[6] = (unsigned char)major;
  bytes[8] = (unsigned char)length;
  bytes[9] = (unsigned char)(length >> 8);
  memcpy(bytes + at, text, length);
  unsigned char *exact = test_copy_of(bytes, at + length + data);
  mlpl_status status = mlpl_npy_read_memory(cx, t, exact, at + length + data);
  free(exact);
  return status;
}

#define HEAD(descr, order, shape)                                                        \
  "{'descr': " descr ", 'fortran_order': " order ", 'shape': " shape "}"

static void reads_headers_of_others(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int ndim;
  } good[] = {
      {HEAD("'<f4'", "False", "(2, 3)"), 2},
      {HEAD("'<f4'", "False", "(2, 3, )") "\n", 2},
      {"{\"shape\":(2,3),\"fortran_order\":False,\"descr\":\"<f4\",}", 2},
      {"  {  'shape' : ( 2 , 3 ) , 'descr' : '<f4' , 'fortran_order' : False }  \n", 2},
      {HEAD("'=f4'", "True", "(6L,)"), 1},
      {HEAD("'<f4'", "False", "(2L, 3L)"), 2},
      {HEAD("'|f4'", "False", "(6,)"), 1},
      {HEAD("'<f4'", "False", "()"), 0},
      {HEAD("'<f4'", "False", "(1, 1, 1, 1, 1, 1, 3, 2)"), 8},
  };
  mlpl_ctx *cx = test_open(0);
  for (int major = 1; major <= 3; major++)
    for (int i = 0; i < COUNT(good); i++) {
      mlpl_tensor *t;
      assert_works(cx, read_header(cx, &t, major, good[i].text, 24));
      assert_int_equal(mlpl_tensor_ndim(t), good[i].ndim);
      mlpl_tensor_release(t);
    }
  test_close(cx);
}

static void refuses_bad_headers(void **state) {
  (void)state;
  static const char keys[] =
      "the header's keys must be descr, fortran_order and shape, each once";
  static const char tuple[] = "the header's shape is no tuple of sizes";
  static const struct {
    const char *text, *why;
  } bad[] = {
      {"", "the header is no Python dict"},
      {"[]", "the header is no Python dict"},
      {"{}", keys},
      {"{'descr': '<f4', 'fortran_order': False}", keys},
      {"{'descr': '<f4', 'descr': '<f4', 'shape': ()}", keys},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (), 'more': 1}", keys},
      {"{'descr': '<f4' 'fortran_order': False, 'shape': ()}", "the header is damaged"},
      {"{'descr' '<f4'}", "the header is damaged"},
      {"{descr: '<f4'}", "the header is damaged"},
      {"{'descr", "the header is damaged"},
      {"{'de\\x73cr': '<f4'}", "the header is damaged"},
      {HEAD("'<f4'", "False", "(6,)") " x", "something follows the dict"},
      {HEAD("'<f4'", "False", "(6,)") "{}", "something follows the dict"},
      {HEAD("'<f4'", "false", "(6,)"), "fortran_order is neither True nor False"},
      {HEAD("'<f4'", "0", "(6,)"), "fortran_order is neither True nor False"},
      {HEAD("'<f4'", "False", "(6)"), tuple},
      {HEAD("'<f4'", "False", "[6]"), tuple},
      {HEAD("'<f4'", "False", "6"), tuple},
      {HEAD("'<f4'", "False", "(,)"), tuple},
      {HEAD("'<f4'", "False", "(2 3)"), tuple},
      {HEAD("'<f4'", "False", "(-1,)"), tuple},
      {HEAD("'<f4'", "False", "(2.0,)"), tuple},
      {HEAD("'<f4'", "False", "(1e3,)"), tuple},
      {HEAD("'<f4'", "False", "(__import__('os'),)"), tuple},
      {HEAD("'<f4'", "False", "(2, 3"), tuple},
      {HEAD("'<f4'", "False", "(9223372036854775808,)"),
          "a size in the shape is beyond 2^63"},
      {HEAD("'<f4'", "False", "(99999999999999999999,)"),
          "a size in the shape is beyond 2^63"},
      {HEAD("'<f4'", "False", "(9223372036854775807,)"),
          "sizes [9223372036854775807] are too large"},
      {HEAD("'<f4'", "False", "(0, 4294967296, 4294967296)"), "are too large"},
      {HEAD("'<f4'", "False", "(4294967296, 4294967296)"), "are too large"},
      {HEAD("'<f4'", "False", "(7,)"),
          "the file is truncated: [7] needs 28 bytes of data, 24 are there"},
      {HEAD("'<f4'", "True", "(1000000000, 100000000)"),
          "needs 400000000000000000 bytes of data"},
      {HEAD("'<f4'", "False", "(1, 1, 1, 1, 1, 1, 1, 1, 1)"), "more than 8 axes"},
      {HEAD("'f4'", "False", "(6,)"), "the header's dtype has no byte order"},
      {HEAD("''", "False", "(6,)"), "the header's dtype has no byte order"},
      {HEAD("'<f3'", "False", "(6,)"), "dtype '<f3' is not read; these are: f2 f4 f8 i1"},
      {HEAD("'<f44444444444444444444444444444444444444'", "False", "(6,)"),
          "is not read"},
      {HEAD("'|O'", "False", "(6,)"),
          "the array holds Python objects (a pickle), which could run code"},
      {HEAD("'|O8'", "False", "(6,)"), "the array holds Python objects (a pickle)"},
      {HEAD("[('a', '<f4')]", "False", "(6,)"), "the array is structured"},
      {HEAD("4", "False", "(6,)"), "the header's dtype is no string"},
      {HEAD("'<f4", "False", "(6,)"), "dtype '<f4, ' is not read"},
  };
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *t;
  for (int i = 0; i < COUNT(bad); i++) {
    assert_fails(
        cx, read_header(cx, &t, 1 + i % 3, bad[i].text, 24), MLPL_EFORMAT, bad[i].why);
    assert_null(t);
  }
  char *text = calloc(1, 10002);
  assert_non_null(text);
  memset(text, ' ', 10001);
  memcpy(text, HEAD("'<f4'", "False", "(6,)"), strlen(HEAD("'<f4'", "False", "(6,)")));
  assert_fails(cx, read_header(cx, &t, 2, text, 24), MLPL_EFORMAT,
      "the header has more than 10000 bytes");
  text[10000] = '\0';
  assert_works(cx, read_header(cx, &t, 2, text, 24));
  mlpl_tensor_release(t);
  free(text);
  test_close(cx);
}

static void refuses_other_files(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *t;
  static const struct {
    const char *bytes;
    size_t n;
    const char *why;
  } bad[] = {
      {"", 0, "this is no NPY file"},
      {"\x93NUMPZ\1\0\0\0", 10, "this is no NPY file: it does not begin with \\x93NUMPY"},
      {"\x93NUMPY\1\0\0", 9, "the file is truncated in its header"},
      {"\x93NUMPY\4\0\0\0", 10, "NPY version 4.0 is none of 1.0, 2.0 and 3.0"},
      {"\x93NUMPY\0\0\0\0", 10, "NPY version 0.0 is none of"},
      {"\x93NUMPY\1\1\0\0", 10, "NPY version 1.1 is none of"},
      {"\x93NUMPY\2\0\0\0\0", 11, "the file is truncated in its header"},
      {"\x93NUMPY\1\0\1\0", 10, "the file is truncated in its header"},
      {"\x93NUMPY\2\0\377\377\377\377", 12, "the header has more than 10000 bytes"},
  };
  for (int i = 0; i < COUNT(bad); i++) {
    const char *path = test_write("bad.npy", bad[i].bytes, bad[i].n);
    assert_fails(cx, mlpl_npy_read(cx, &t, path), MLPL_EFORMAT, bad[i].why);
    assert_non_null(strstr(mlpl_error(cx), path));
    assert_null(t);
  }
  assert_fails(
      cx, mlpl_npy_read(cx, &t, test_path("none.npy")), MLPL_EIO, "cannot open ");
  assert_works(cx, mlpl_tensor_full(cx, &t, MLPL_F32, 0, NULL, 1));
  assert_fails(
      cx, mlpl_npy_write(cx, t, test_path("no_folder/a.npy")), MLPL_EIO, "cannot write ");
  mlpl_tensor_release(t);
  test_close(cx);
}

/* ---- damage ------------------------------------------------------------------------ */

static mlpl_status read_npy(mlpl_ctx *cx, const unsigned char *bytes, size_t n) {
  mlpl_tensor *t;
  mlpl_status status = mlpl_npy_read_memory(cx, &t, bytes, n);
  assert_true((t != NULL) == (status == MLPL_OK));
  mlpl_tensor_release(t);
  return status;
}

static void damage_is_found_or_harmless(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  int refused = 0;
  for (int i = 0; i < COUNT(npy_fixtures); i++) {
    bool empty = false;
    for (int d = 0; d < npy_fixtures[i].ndim; d++)
      empty = empty || npy_fixtures[i].shape[d] == 0;
    if (!empty)
      refused += test_damage(cx, npy_fixtures[i].name, npy_fixtures[i].hex, read_npy);
  }
  print_message("%d files with one bit turned were refused\n", refused);
  assert_true(refused > 40000);
  test_close(cx);
}

/* ---- memory ------------------------------------------------------------------------ */

/* Written from a view, so that a copy is made; read. */
static mlpl_status round_trip(mlpl_ctx *cx, void *ud) {
  mlpl_tensor *x = NULL, *y = NULL, *t = NULL;
  (void)ud;
  mlpl_status status = mlpl_tensor_full(cx, &x, MLPL_F32, 2, (int64_t[]){30, 40}, 1);
  if (status == MLPL_OK) status = mlpl_call(cx, &y, "t", &x, 1, NULL);
  if (status == MLPL_OK) status = mlpl_npy_write(cx, y, test_path("m.npy"));
  if (status == MLPL_OK) status = mlpl_npy_read(cx, &t, test_path("m.npy"));
  mlpl_tensor_release(x);
  mlpl_tensor_release(y);
  mlpl_tensor_release(t);
  return status;
}

static void exhausted_memory_is_an_error(void **state) {
  (void)state;
  test_every_failure(round_trip, NULL);
}

/* A Fortran array is turned by way of a second tensor. */
static mlpl_status read_fortran(mlpl_ctx *cx, void *ud) {
  mlpl_tensor *t;
  const char *path = ud;
  mlpl_status status = mlpl_npy_read(cx, &t, path);
  mlpl_tensor_release(t);
  return status;
}

static void exhausted_memory_while_turning(void **state) {
  (void)state;
  for (int i = 0; i < COUNT(npy_fixtures); i++) {
    if (strcmp(npy_fixtures[i].name, "Fortran cube") != 0) continue;
    size_t n;
    unsigned char *bytes = test_bytes_of(npy_fixtures[i].hex, &n);
    char path[600];
    snprintf(path, sizeof path, "%s", test_write("f.npy", bytes, n));
    test_every_failure(read_fortran, path);
    free(bytes);
    return;
  }
  fail_msg("there is no Fortran cube");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_what_numpy_writes),
      cmocka_unit_test(writes_the_bytes_of_numpy),
      cmocka_unit_test(writes_views),
      cmocka_unit_test(refuses_what_no_tensor_holds),
      cmocka_unit_test(reads_headers_of_others),
      cmocka_unit_test(refuses_bad_headers),
      cmocka_unit_test(refuses_other_files),
      cmocka_unit_test(damage_is_found_or_harmless),
      cmocka_unit_test(exhausted_memory_is_an_error),
      cmocka_unit_test(exhausted_memory_while_turning),
  };
  return cmocka_run_group_tests_name("npy", tests, test_folder_make, test_folder_remove);
}
