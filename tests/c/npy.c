/* NPY and NPZ: files as NumPy writes them, headers and archives that nobody should. */
#include "support.h"

#include "npy_fixtures.h"

#include <stdio.h>
#include <zlib.h>

/* The bytes of hex digits, in a block of exactly their size, so that reading beyond the
   end is found. Freed with free. */
static unsigned char *bytes_of(const char *hex, size_t *n) {
  *n = strlen(hex) / 2;
  unsigned char *p = malloc(*n ? *n : 1);
  assert_non_null(p);
  for (size_t i = 0; i < *n; i++) {
    unsigned v;
    assert_int_equal(sscanf(hex + 2 * i, "%2x", &v), 1);
    p[i] = (unsigned char)v;
  }
  return p;
}

static unsigned char *copy_of(const unsigned char *p, size_t n) {
  unsigned char *copy = malloc(n ? n : 1);
  assert_non_null(copy);
  if (n) memcpy(copy, p, n);
  return copy;
}

static void check_file(
    const char *name, const char *path, const unsigned char *bytes, size_t n) {
  size_t found;
  unsigned char *p = test_read(path, &found);
  assert_non_null(p);
  if (found != n || memcmp(p, bytes, n) != 0)
    fail_msg("%s: the file differs from NumPy's", name);
  free(p);
}

/* ---- NPY: what NumPy writes ---------------------------------------------------------
 */

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
    unsigned char *bytes = bytes_of(f->hex, &n);
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
    unsigned char *bytes = bytes_of(f->hex, &n);
    assert_works(cx, mlpl_npy_read_memory(cx, &t, bytes, n));
    assert_works(cx, mlpl_npy_write(cx, t, test_path("out.npy")));
    check_file(f->name, test_path("out.npy"), bytes, n);
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
    unsigned char *bytes = bytes_of(npy_refusals[i].hex, &n);
    mlpl_tensor *t;
    assert_fails(
        cx, mlpl_npy_read_memory(cx, &t, bytes, n), MLPL_EFORMAT, npy_refusals[i].why);
    assert_null(t);
    free(bytes);
  }
  test_close(cx);
}

/* ---- NPY: headers -------------------------------------------------------------------
 */

static mlpl_status read_header(
    mlpl_ctx *cx, mlpl_tensor **t, int major, const char *text, size_t data) {
  unsigned char bytes[24 << 10] = "\x93NUMPY";
  size_t length = strlen(text), at = major == 1 ? 10 : 12;
  bytes[6] = (unsigned char)major;
  bytes[8] = (unsigned char)length;
  bytes[9] = (unsigned char)(length >> 8);
  memcpy(bytes + at, text, length);
  unsigned char *exact = copy_of(bytes, at + length + data);
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

/* ---- damage --------------------------------------------------------------------------
 */

typedef mlpl_status reader(mlpl_ctx *cx, const unsigned char *bytes, size_t n);

static mlpl_status read_npy(mlpl_ctx *cx, const unsigned char *bytes, size_t n) {
  mlpl_tensor *t;
  mlpl_status status = mlpl_npy_read_memory(cx, &t, bytes, n);
  assert_true((t != NULL) == (status == MLPL_OK));
  mlpl_tensor_release(t);
  return status;
}

static mlpl_status read_npz(mlpl_ctx *cx, const unsigned char *bytes, size_t n) {
  mlpl_tensors *list;
  mlpl_status status = mlpl_npz_read_memory(cx, &list, bytes, n);
  assert_true((list != NULL) == (status == MLPL_OK));
  mlpl_tensors_release(list);
  return status;
}

/* Every length, every bit: a result or an error of the format. Returns how many changes
   of one bit were refused. */
static int damage(mlpl_ctx *cx, const char *name, const char *hex, reader *read) {
  size_t n;
  unsigned char *bytes = bytes_of(hex, &n);
  int refused = 0;
  for (size_t cut = 0; cut < n; cut++) {
    unsigned char *part = copy_of(bytes, cut);
    if (read(cx, part, cut) != MLPL_EFORMAT)
      fail_msg("%s: cut at %d: %s", name, (int)cut, mlpl_error(cx));
    free(part);
  }
  for (size_t bit = 0; bit < 8 * n; bit++) {
    bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
    mlpl_status status = read(cx, bytes, n);
    if (status != MLPL_OK && status != MLPL_EFORMAT)
      fail_msg("%s: bit %d turned: %s", name, (int)bit, mlpl_error(cx));
    refused += status != MLPL_OK;
    bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
  }
  assert_works(cx, read(cx, bytes, n));
  free(bytes);
  return refused;
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
      refused += damage(cx, npy_fixtures[i].name, npy_fixtures[i].hex, read_npy);
  }
  for (int i = 0; i < COUNT(npz_fixtures); i++)
    refused += damage(cx, npz_fixtures[i].name, npz_fixtures[i].hex, read_npz);
  print_message("%d files with one bit turned were refused\n", refused);
  assert_true(refused > 10000);
  test_close(cx);
}

/* No bit of an array in an archive changes unseen; deflate has bits that mean nothing. */
static void sums_guard_the_arrays(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensors *list;
  for (int i = 0; i < 2; i++) {
    size_t n, begin = 30 + strlen("b.npy") + 20, end = begin;
    unsigned char *bytes = bytes_of(npz_fixtures[i].hex, &n);
    assert_memory_equal(bytes + 30, "b.npy", 5);
    while (memcmp(bytes + end, "PK\3\4", 4) != 0) end++;
    for (size_t bit = 8 * begin; bit < 8 * end; bit++) {
      bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
      mlpl_status status = mlpl_npz_read_memory(cx, &list, bytes, n);
      if (status == MLPL_OK) {
        assert_true(npz_fixtures[i].compressed && bit >= 8 * (end - 2));
        assert_true(test_at1(mlpl_tensors_find(list, "b"), 0) == 1);
        assert_true(test_at1(mlpl_tensors_find(list, "b"), 1) == -1);
      }
      else
        assert_fails(cx, status, MLPL_EFORMAT, "member 'b.npy' ");
      mlpl_tensors_release(list);
      bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    free(bytes);
  }
  test_close(cx);
}

/* ---- NPZ: what NumPy writes ---------------------------------------------------------
 */

static double total(mlpl_ctx *cx, mlpl_tensor *t) {
  mlpl_tensor *real, *sum;
  double v;
  assert_works(cx, mlpl_tensor_to(cx, &real, t, MLPL_F64));
  assert_works(cx, mlpl_call(cx, &sum, "sum", &real, 1, NULL));
  assert_works(cx, mlpl_tensor_item(cx, sum, &v));
  mlpl_tensor_release(sum);
  mlpl_tensor_release(real);
  return v;
}

static void archives_of_numpy(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  for (int i = 0; i < COUNT(npz_fixtures); i++) {
    const npz_fixture *f = &npz_fixtures[i];
    size_t n;
    unsigned char *bytes = bytes_of(f->hex, &n);
    mlpl_tensors *list;
    assert_works(cx, mlpl_npz_read(cx, &list, test_write("in.npz", bytes, n)));
    assert_int_equal(mlpl_tensors_count(list), f->n);
    assert_null(mlpl_tensors_at(list, f->n));
    assert_null(mlpl_tensors_at(list, -1));
    assert_null(mlpl_tensors_find(list, "none"));
    mlpl_named items[2] = {{0}};
    for (int k = 0; k < f->n; k++) {
      items[k] = *mlpl_tensors_at(list, k);
      assert_string_equal(items[k].name, f->names[k]);
      assert_ptr_equal(mlpl_tensors_find(list, f->names[k]), items[k].tensor);
      assert_true(total(cx, items[k].tensor) == f->sums[k]);
    }
    assert_works(
        cx, mlpl_npz_write(cx, items, f->n, f->compressed, test_path("out.npz")));
    if (!f->compressed || strcmp(zlibVersion(), "1.2.13") == 0)
      check_file(f->name, test_path("out.npz"), bytes, n);
    else
      print_message("skipped: the bytes of %s are those of zlib 1.2.13\n", f->name);
    mlpl_tensors_release(list);
    assert_works(cx, mlpl_npz_read(cx, &list, test_path("out.npz")));
    for (int k = 0; k < f->n; k++)
      assert_true(total(cx, mlpl_tensors_find(list, f->names[k])) == f->sums[k]);
    mlpl_tensors_release(list);
    free(bytes);
  }
  test_close(cx);
}

static void many_members_are_zip64(void **state) {
  (void)state;
  enum { MANY = 66000 };
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *t;
  mlpl_tensors *list;
  mlpl_named *items = calloc(MANY, sizeof *items);
  char(*name)[8] = calloc(MANY, sizeof *name);
  assert_true(items && name);
  assert_works(cx, mlpl_tensor_full(cx, &t, MLPL_U8, 0, NULL, 7));
  for (int i = 0; i < MANY; i++) {
    snprintf(name[i], sizeof name[i], "%d", i);
    items[i] = (mlpl_named){name[i], t};
  }
  const char *path = test_path("many.npz");
  assert_works(cx, mlpl_npz_write(cx, items, MANY, false, path));
  size_t n;
  unsigned char *bytes = test_read(path, &n);
  assert_memory_equal(bytes + n - 42, "PK\6\7", 4);
  assert_memory_equal(bytes + n - 98, "PK\6\6", 4);
  free(bytes);
  assert_works(cx, mlpl_npz_read(cx, &list, path));
  assert_int_equal(mlpl_tensors_count(list), MANY);
  assert_string_equal(mlpl_tensors_at(list, MANY - 1)->name, "65999");
  mlpl_tensors_release(list);
  mlpl_tensor_release(t);
  free(items);
  free(name);
  test_close(cx);
}

/* ---- NPZ: archives made by hand ------------------------------------------------------
 */

typedef struct archive {
  unsigned char p[16 << 10];
  size_t n;
  struct {
    size_t at, name_n;
    char name[64];
    uint32_t crc;
    uint64_t packed, size;
    int flags, method;
  } member[4];
  int count;
} archive;

static void put(archive *a, int bytes, uint64_t v) {
  assert_true(a->n + 8 <= sizeof a->p);
  for (int i = 0; i < bytes; i++) a->p[a->n++] = (unsigned char)(v >> 8 * i);
}
static void put_bytes(archive *a, const void *p, size_t n) {
  assert_true(a->n + n <= sizeof a->p);
  memcpy(a->p + a->n, p, n);
  a->n += n;
}

static const char array[] = "\x93NUMPY\1\0\67\0{'descr': '<f4', 'fortran_order': False, "
                            "'shape': (1,)}\0\0\x80\x3f";
#define ARRAY_BYTES (sizeof array - 1)

static int add(
    archive *a, const char *name, size_t name_n, const void *data, size_t n, int method) {
  int i = a->count++;
  a->member[i].at = a->n;
  a->member[i].name_n = name_n;
  memcpy(a->member[i].name, name, name_n);
  a->member[i].crc = (uint32_t)crc32(0, data, (unsigned)n);
  a->member[i].packed = a->member[i].size = n;
  a->member[i].method = method;
  put_bytes(a, "PK\3\4\24\0\0", 8);
  a->n = a->member[i].at + 8;
  put(a, 2, (uint64_t)method);
  put(a, 4, 0);
  put(a, 4, 0); /* the directory counts */
  put(a, 8, 0);
  put(a, 2, name_n);
  put(a, 2, 0);
  put_bytes(a, name, name_n);
  put_bytes(a, data, n);
  return i;
}
static int add_array(archive *a, const char *name) {
  return add(a, name, strlen(name), array, ARRAY_BYTES, 0);
}

static void add_directory(archive *a) {
  size_t begin = a->n;
  for (int i = 0; i < a->count; i++) {
    put_bytes(a, "PK\1\2\24\0\24\0", 8);
    put(a, 2, (uint64_t)a->member[i].flags);
    put(a, 2, (uint64_t)a->member[i].method);
    put(a, 4, 0);
    put(a, 4, a->member[i].crc);
    put(a, 4, a->member[i].packed);
    put(a, 4, a->member[i].size);
    put(a, 2, a->member[i].name_n);
    put(a, 8, 0);
    put(a, 6, 0);
    a->n -= 2;
    put(a, 4, a->member[i].at);
    put_bytes(a, a->member[i].name, a->member[i].name_n);
  }
  size_t size = a->n - begin;
  put_bytes(a, "PK\5\6\0\0\0", 8);
  put(a, 2, (uint64_t)a->count);
  put(a, 2, (uint64_t)a->count);
  put(a, 4, size);
  put(a, 4, begin);
  put(a, 2, 0);
}

static mlpl_status read_archive(mlpl_ctx *cx, const archive *a, int64_t count) {
  mlpl_tensors *list;
  unsigned char *exact = copy_of(a->p, a->n);
  mlpl_status status = mlpl_npz_read_memory(cx, &list, exact, a->n);
  if (status == MLPL_OK) assert_int_equal(mlpl_tensors_count(list), count);
  mlpl_tensors_release(list);
  free(exact);
  return status;
}

static void archives_of_other_programs(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  archive a = {.n = 0};
  add_array(&a, "a.npy");
  add(&a, "folder/", 7, "", 0, 0);
  put_bytes(&a, "a hole between members", 22);
  add_array(&a, "folder/b.npy");
  archive with_comment = a;
  add_directory(&a);
  assert_works(cx, read_archive(cx, &a, 2));
  add_directory(&with_comment);
  with_comment.p[with_comment.n - 2] = 5;
  put_bytes(&with_comment, "PK\5\6!", 5);
  assert_works(cx, read_archive(cx, &with_comment, 2));
  with_comment.p[with_comment.n - 7] = 4; /* one byte of it unaccounted for */
  assert_fails(
      cx, read_archive(cx, &with_comment, 0), MLPL_EFORMAT, "it has no end record");
  test_close(cx);
}

/* A directory of ZIP64 numbers: count, sizes and offsets all beyond their old fields. */
static void archives_with_zip64_numbers(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  for (int broken = 0; broken < 6; broken++) {
    archive a = {.n = 0};
    add_array(&a, "a.npy");
    size_t begin = a.n;
    put_bytes(&a, "PK\1\2\55\0\55\0\0\0\0\0\0\0\0\0", 16);
    put(&a, 4, a.member[0].crc);
    put(&a, 8, UINT64_MAX);
    put(&a, 2, 5);
    put(&a, 2, 4 + 2 + 28); /* extra: another field first */
    put(&a, 8, 0);
    put(&a, 2, 0);
    put(&a, 4, UINT32_MAX);
    put_bytes(&a, "a.npy", 5);
    put(&a, 2, 0x5455);
    put(&a, 2, 2);
    put(&a, 2, 0);
    put(&a, 2, broken == 1 ? 2 : 1); /* no ZIP64 field */
    put(&a, 2, broken == 2 ? 16 : 24);
    put(&a, 8, ARRAY_BYTES);
    put(&a, 8, ARRAY_BYTES);
    put(&a, 8, broken == 3 ? UINT64_MAX - 10 : 0);
    size_t end = a.n;
    put_bytes(&a, "PK\6\6", 4);
    put(&a, 8, 44);
    put(&a, 4, 45 << 16 | 45);
    put(&a, 8, 0);
    put(&a, 8, 1);
    put(&a, 8, broken == 4 ? 2 : 1);
    put(&a, 8, end - begin);
    put(&a, 8, begin);
    put_bytes(&a, "PK\6\7\0\0\0", 8);
    put(&a, 8, broken == 5 ? UINT64_MAX : end);
    put(&a, 4, 1);
    put_bytes(&a, "PK\5\6\0\0\0", 8);
    put(&a, 4, UINT32_MAX);
    put(&a, 8, UINT64_MAX);
    put(&a, 2, 0);
    static const char *const why[] = {"", "member 'a.npy' lacks its ZIP64 sizes",
        "member 'a.npy' lacks its ZIP64 sizes", "member 'a.npy' lies outside the archive",
        "the archive is cut into several files",
        "the ZIP64 end record is not where it should be"};
    if (broken)
      assert_fails(cx, read_archive(cx, &a, 0), MLPL_EFORMAT, why[broken]);
    else
      assert_works(cx, read_archive(cx, &a, 1));
  }
  test_close(cx);
}

static void refuse_with(mlpl_ctx *cx, void (*make)(archive *), const char *why) {
  archive a = {.n = 0};
  make(&a);
  assert_fails(cx, read_archive(cx, &a, 0), MLPL_EFORMAT, why);
}

static void overlap(archive *a) {
  add_array(a, "a.npy");
  add_array(a, "b.npy");
  a->member[0].packed = a->member[0].size = ARRAY_BYTES + 10;
  add_directory(a);
}
static void one_place_twice(archive *a) {
  add_array(a, "a.npy");
  a->member[1] = a->member[0];
  a->count = 2;
  add_directory(a);
}
static void one_name_twice(archive *a) {
  add_array(a, "a.npy");
  add_array(a, "a.npy");
  add_directory(a);
}
static void encrypted(archive *a) {
  a->member[add_array(a, "a.npy")].flags = 1;
  add_directory(a);
}
static void unknown_method(archive *a) {
  add(a, "a.npy", 5, array, ARRAY_BYTES, 12);
  add_directory(a);
}
static void two_methods(archive *a) {
  a->member[add_array(a, "a.npy")].method = 8;
  add_directory(a);
}
static void two_names(archive *a) {
  a->member[add_array(a, "a.npy")].name[0] = 'b';
  add_directory(a);
}
static void two_sizes(archive *a) {
  a->member[add_array(a, "a.npy")].size--;
  add_directory(a);
}
static void behind_the_end(archive *a) {
  a->member[add_array(a, "a.npy")].at = 1000;
  add_directory(a);
}
static void not_a_member(archive *a) {
  add_array(a, "a.npy");
  a->member[0].at = 1;
  add_directory(a);
}
static void cut(archive *a) {
  add_array(a, "a.npy");
  a->member[0].packed = a->member[0].size = 4096;
  add_directory(a);
}
static void no_array(archive *a) {
  add_array(a, "a.txt");
  add_directory(a);
}
static void wrong_sum(archive *a) {
  a->member[add_array(a, "a.npy")].crc ^= 1;
  add_directory(a);
}
static void pickle(archive *a) {
  static const char head[] =
      "\x93NUMPY\1\0\67\0{'descr': '|O', 'fortran_order': False, 'shape': (1,)} cos\nx";
  add(a, "a.npy", 5, head, sizeof head - 1, 0);
  add_directory(a);
}

/* Raw deflate of n zeros. */
static size_t deflated_zeros(unsigned char *out, size_t room, size_t n) {
  z_stream s = {0};
  unsigned char zeros[1024] = {0};
  assert_int_equal(deflateInit2(&s, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
  s.next_out = out;
  s.avail_out = (unsigned)room;
  for (size_t i = 0; i < n; i += sizeof zeros) {
    s.next_in = zeros;
    s.avail_in = sizeof zeros;
    assert_int_equal(deflate(&s, Z_NO_FLUSH), Z_OK);
  }
  assert_int_equal(deflate(&s, Z_FINISH), Z_STREAM_END);
  deflateEnd(&s);
  return room - s.avail_out;
}
static void add_zeros(archive *a, size_t claimed) {
  unsigned char packed[4096];
  size_t n = deflated_zeros(packed, sizeof packed, 1 << 20);
  a->member[add(a, "a.npy", 5, packed, n, 8)].size = claimed;
  add_directory(a);
}
static void bomb(archive *a) { add_zeros(a, 1 << 10); }
static void short_of_claim(archive *a) { add_zeros(a, (1 << 20) + 1); }
static void wild_claim(archive *a) { add_zeros(a, 0xfffffff0); }
static void no_deflate(archive *a) {
  a->member[add(a, "a.npy", 5, "\7garbage", 8, 8)].size = 100;
  add_directory(a);
}
static void more_behind(archive *a) {
  unsigned char packed[4096];
  size_t n = deflated_zeros(packed, sizeof packed, 1 << 10);
  a->member[add(a, "a.npy", 5, packed, n + 3, 8)].size = 1 << 10;
  add_directory(a);
}
static void damaged_directory(archive *a) {
  add_array(a, "a.npy");
  add_directory(a);
  a->p[a->n - 22 - 51] ^= 1;
}
static void long_name(archive *a) {
  add_array(a, "a.npy");
  add_directory(a);
  a->p[a->n - 22 - 51 + 28] = 200;
}
static void many_claimed(archive *a) {
  add_array(a, "a.npy");
  add_directory(a);
  a->p[a->n - 14] = a->p[a->n - 12] = 100;
}
static void few_claimed(archive *a) {
  add_array(a, "a.npy");
  add_array(a, "b.npy");
  add_directory(a);
  a->p[a->n - 14] = a->p[a->n - 12] = 1;
}
static void prefixed(archive *a) {
  put_bytes(a, "#!/bin/sh\n", 10);
  add_array(a, "a.npy");
  add_directory(a);
  a->p[a->n - 6] -= 10;
}
static void several_disks(archive *a) {
  add_array(a, "a.npy");
  add_directory(a);
  a->p[a->n - 18] = 1;
}

static void refuses_hostile_archives(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  refuse_with(cx, overlap, "npz: archive in memory: member 'b.npy' overlaps another");
  refuse_with(cx, one_place_twice, "member 'a.npy' overlaps another");
  refuse_with(cx, one_name_twice, "member 'a.npy' appears twice");
  refuse_with(cx, encrypted, "member 'a.npy' is encrypted");
  refuse_with(cx, unknown_method, "member 'a.npy' is packed by an unknown method");
  refuse_with(cx, two_methods, "member 'a.npy' differs from the directory");
  refuse_with(cx, two_names, "member 'b.npy' differs from the directory");
  refuse_with(cx, two_sizes, "member 'a.npy' has two sizes");
  refuse_with(cx, behind_the_end, "member 'a.npy' lies outside the archive");
  refuse_with(cx, not_a_member, "member 'a.npy' is not where the directory says");
  refuse_with(cx, cut, "member 'a.npy' is truncated");
  refuse_with(
      cx, no_array, "member 'a.txt' is no array: its name does not end with .npy");
  refuse_with(cx, wrong_sum, "member 'a.npy' is damaged: its CRC-32 is wrong");
  refuse_with(cx, pickle, "member 'a.npy': the array holds Python objects (a pickle)");
  refuse_with(cx, bomb, "member 'a.npy' unpacks to more bytes than it claims");
  refuse_with(cx, short_of_claim, "member 'a.npy' unpacks to fewer bytes than it claims");
  refuse_with(
      cx, wild_claim, "member 'a.npy' claims more bytes than its data can unpack to");
  refuse_with(cx, no_deflate, "member 'a.npy' is damaged: its data cannot be unpacked");
  refuse_with(cx, more_behind, "member 'a.npy' has bytes behind its data");
  refuse_with(cx, damaged_directory, "the directory is damaged");
  refuse_with(cx, long_name, "the directory is damaged");
  refuse_with(cx, many_claimed, "the directory has no room for its members");
  refuse_with(cx, few_claimed, "the directory is damaged");
  refuse_with(cx, prefixed, "the directory does not lie before the end record");
  refuse_with(cx, several_disks, "the archive is cut into several files");
  test_close(cx);
}

static void refuses_names_that_lead_out(void **state) {
  (void)state;
  static const struct {
    const char *name;
    size_t n;
    const char *why;
  } bad[] = {{"/etc/a.npy", 10, "no relative path"}, {"../a.npy", 8, "no relative path"},
      {"a/../b.npy", 10, "no relative path"}, {"./a.npy", 7, "no relative path"},
      {"a//b.npy", 8, "no relative path"}, {"a\\b.npy", 7, "no relative path"},
      {"..", 2, "no relative path"}, {"", 0, "has no name"},
      {"a\0b.npy", 7, "has a control character in its name"},
      {"\33[2J.npy", 8, "has a control character in its name"},
      {"\xff.npy", 5, "has a name that is not UTF-8"}};
  mlpl_ctx *cx = test_open(0);
  for (int i = 0; i < COUNT(bad); i++) {
    archive a = {.n = 0};
    add(&a, bad[i].name, bad[i].n, array, ARRAY_BYTES, 0);
    add_directory(&a);
    assert_fails(cx, read_archive(cx, &a, 0), MLPL_EFORMAT, bad[i].why);
  }
  test_close(cx);
}

static void refuses_to_write_what_cannot_be_read(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(1);
  mlpl_tensor *t;
  const char *path = test_path("never.npz");
  int files = test_count_files();
  assert_works(cx, mlpl_tensor_full(cx, &t, MLPL_F32, 0, NULL, 1));
  static const char *const bad[] = {"/a", "../a", "a/../b", "./a", "a//b", "a\\b"};
  for (int i = 0; i < COUNT(bad); i++)
    assert_fails(cx, mlpl_npz_write(cx, &(mlpl_named){bad[i], t}, 1, false, path),
        MLPL_EARG, "is no relative path without . and ..");
  mlpl_named twice[] = {{"b", t}, {"a", t}, {"b", t}};
  assert_fails(cx, mlpl_npz_write(cx, twice, 3, false, path), MLPL_EARG,
      "npz: the name 'b' appears twice");
  assert_fails(cx, mlpl_safetensors_write(cx, twice, 3, path), MLPL_EARG,
      "the name 'b' appears twice");
  twice[2].name = "\xff";
  assert_fails(cx, mlpl_npz_write(cx, twice, 3, false, path), MLPL_EARG,
      "npz: the name of item 3 is not UTF-8");
  twice[2].name = NULL;
  assert_fails(
      cx, mlpl_npz_write(cx, twice, 3, true, path), MLPL_EARG, "npz: item 3 has no name");
  twice[0].tensor = NULL;
  assert_fails(cx, mlpl_npz_write(cx, twice, 1, true, path), MLPL_EARG,
      "npz: item 1 has no tensor");
  assert_fails(cx, mlpl_npz_write(cx, &(mlpl_named){"a\n", t}, 1, false, path), MLPL_EARG,
      "npz: the name of an array has a control character");
  char *name = calloc(1, 65540);
  assert_non_null(name);
  memset(name, 'a', 65532);
  assert_fails(cx, mlpl_npz_write(cx, &(mlpl_named){name, t}, 1, false, path), MLPL_EARG,
      "npz: a name has 65532 bytes; there may be 65531");
  name[65531] = '\0';
  assert_int_equal(test_count_files(), files);
  assert_works(cx, mlpl_npz_write(cx, &(mlpl_named){name, t}, 1, false, path));
  mlpl_tensors *list;
  assert_works(cx, mlpl_npz_read(cx, &list, path));
  assert_string_equal(mlpl_tensors_at(list, 0)->name, name);
  mlpl_tensors_release(list);
  free(name);
  /* the parts of a name that only look like a path out */
  mlpl_named odd[] = {{"..", t}, {"...", t}, {"a/..b", t}, {"", t}};
  assert_works(cx, mlpl_npz_write(cx, odd, 4, false, path));
  assert_works(cx, mlpl_npz_read(cx, &list, path));
  assert_int_equal(mlpl_tensors_count(list), 4);
  mlpl_tensors_release(list);
  mlpl_tensor_release(t);
  test_close(cx);
}

/* ---- safetensors ---------------------------------------------------------------------
 */

static void safetensors_hold_tables(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *w, *b;
  mlpl_tensors *list;
  const char *path = test_path("t.safetensors");
  assert_works(cx, mlpl_tensor_full(cx, &w, MLPL_F64, 2, (int64_t[]){2, 3}, 0.5));
  assert_works(cx, mlpl_tensor_full(cx, &b, MLPL_BOOL, 1, (int64_t[]){3}, 1));
  assert_works(
      cx, mlpl_safetensors_write(cx, (mlpl_named[]){{"w", w}, {"b", b}}, 2, path));
  assert_works(cx, mlpl_safetensors_read(cx, &list, path));
  assert_int_equal(mlpl_tensors_count(list), 2);
  assert_string_equal(mlpl_tensors_at(list, 0)->name, "b");
  assert_int_equal(mlpl_tensor_dtype(mlpl_tensors_find(list, "b")), MLPL_BOOL);
  assert_true(test_at2(mlpl_tensors_find(list, "w"), 1, 2) == 0.5);
  mlpl_tensors_release(list);
  assert_fails(cx,
      mlpl_safetensors_read(cx, &list, test_write_text("x.safetensors", "12345678")),
      MLPL_EFORMAT, "x.safetensors");
  assert_null(list);
  mlpl_tensor_release(w);
  mlpl_tensor_release(b);
  test_close(cx);
}

/* ---- memory --------------------------------------------------------------------------
 */

/* Every way through both formats. */
static mlpl_status round_trip(mlpl_ctx *cx, void *ud) {
  mlpl_tensor *x = NULL, *y = NULL, *t = NULL;
  mlpl_tensors *list = NULL;
  (void)ud;
  mlpl_status status = mlpl_tensor_full(cx, &x, MLPL_F32, 2, (int64_t[]){30, 40}, 1);
  if (status == MLPL_OK) status = mlpl_call(cx, &y, "t", &x, 1, NULL);
  if (status == MLPL_OK) status = mlpl_npy_write(cx, y, test_path("m.npy"));
  if (status == MLPL_OK) status = mlpl_npy_read(cx, &t, test_path("m.npy"));
  for (int i = 0; i < 3 && status == MLPL_OK; i++) {
    const char *path = test_path(i == 2 ? "m.safetensors" : "m.npz");
    mlpl_named items[] = {{"x", x}, {"y", y}};
    status = i == 2 ? mlpl_safetensors_write(cx, items, 2, path)
                    : mlpl_npz_write(cx, items, 2, i, path);
    if (status == MLPL_OK)
      status = i == 2 ? mlpl_safetensors_read(cx, &list, path)
                      : mlpl_npz_read(cx, &list, path);
    mlpl_tensors_release(list);
    list = NULL;
  }
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
    unsigned char *bytes = bytes_of(npy_fixtures[i].hex, &n);
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
      cmocka_unit_test(sums_guard_the_arrays),
      cmocka_unit_test(archives_of_numpy),
      cmocka_unit_test(many_members_are_zip64),
      cmocka_unit_test(archives_of_other_programs),
      cmocka_unit_test(archives_with_zip64_numbers),
      cmocka_unit_test(refuses_hostile_archives),
      cmocka_unit_test(refuses_names_that_lead_out),
      cmocka_unit_test(refuses_to_write_what_cannot_be_read),
      cmocka_unit_test(safetensors_hold_tables),
      cmocka_unit_test(exhausted_memory_is_an_error),
      cmocka_unit_test(exhausted_memory_while_turning),
  };
  return cmocka_run_group_tests_name("npy", tests, test_folder_make, test_folder_remove);
}
