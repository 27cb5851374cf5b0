/* The safetensors reader and writer. */
#include "support.h"

#include "io/safetensors.h"

#include <stdio.h>

/* A file: length, header, n bytes of data. Exactly as long as it is, so that a read past its end is seen. */
typedef struct bytes {
  unsigned char *p;
  size_t n;
} bytes;

static bytes file_of(uint64_t length, const char *header, size_t n_header, size_t n_data) {
  bytes f = {malloc(8 + n_header + n_data), 8 + n_header + n_data};
  for (int i = 0; i < 8; i++) f.p[i] = (unsigned char)(length >> 8 * i);
  memcpy(f.p + 8, header, n_header);
  for (size_t i = 0; i < n_data; i++) f.p[8 + n_header + i] = (unsigned char)(i + 1);
  return f;
}

static bytes file_with(const char *header, size_t n_data) {
  return file_of(strlen(header), header, strlen(header), n_data);
}

static mlpl_status read_bytes(mlpl_ctx *cx, mlpli_st **st, bytes f) {
  mlpl_status status = mlpli_st_read_memory(cx, st, "f", f.p, f.n);
  if (status != MLPL_OK) assert_null(*st);
  return status;
}

static void reads_the_reference_vector(void **state) {
  (void)state;
  static const char header[] =
      "{\"__metadata__\":{\"format\":\"mlpl\"},\"fc.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
      "\"fc.weight\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[8,32]}}   ";
  static const float data[] = {1, 2, 0, 1, 2, 3, 4, 5};
  mlpl_ctx *cx = test_open(0);
  bytes f = file_of(160, header, sizeof header - 1, sizeof data);
  assert_int_equal(sizeof header - 1, 160);
  memcpy(f.p + 168, data, sizeof data);
  mlpli_st *st;
  assert_works(cx, read_bytes(cx, &st, f));
  assert_int_equal(mlpli_st_count(st), 2);
  assert_int_equal(mlpli_st_find(st, "fc.weight"), 1);
  assert_int_equal(mlpli_st_find(st, "fc"), -1);
  assert_string_equal(mlpli_st_type(st, 0), "F32");
  size_t n;
  assert_string_equal(mlpli_st_metadata(st, "format", &n), "mlpl");
  assert_int_equal(n, 4);
  assert_null(mlpli_st_metadata(st, "nothing", &n));
  mlpl_tensor *t;
  assert_works(cx, mlpli_st_tensor(st, &t, 1));
  assert_int_equal(mlpl_tensor_dtype(t), MLPL_F32);
  for (int i = 0; i < 6; i++) assert_true(test_at2(t, i / 3, i % 3) == i);
  mlpl_tensor_release(t);
  mlpli_st_close(st);
  mlpli_st_close(NULL);
  free(f.p);
  test_close(cx);
}

/* ---- what is refused ------------------------------------------------------------------------------- */

#define T(name, dtype, shape, offsets) \
  "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static void refuses_lying_headers(void **state) {
  (void)state;
  static const struct {
    const char *header;
    size_t data;
    const char *error;
  } cases[] = {
      /* the header as a whole */
      {"[]", 0, "f: the header does not begin with '{'"},
      {" {}", 0, "f: the header does not begin with '{'"},
      {"", 0, "f: the header does not begin with '{'"},
      {"{", 0, "f: header: JSON: expected a string at byte 1"},
      {"{} {", 0, "f: header: JSON: expected nothing more at byte 3"},
      {"{\"\xff\":1}", 0, "f: header: JSON: byte 2 is not UTF-8"},
      {"{\"a\":1}", 0, "f: header: JSON: expected '{' at byte 5"},
      {"{\"a\":[]}", 0, "f: header: JSON: expected '{' at byte 5"},
      {"{\"a\\u0000b\":{}}", 0, "f: a tensor's name holds a NUL"},
      /* metadata */
      {"{\"__metadata__\":{\"a\":1}}", 0, "f: metadata 'a' is not a string"},
      {"{\"__metadata__\":{\"a\":{}}}", 0, "f: metadata 'a' is not a string"},
      {"{\"__metadata__\":[]}", 0, "f: header: JSON: expected '{' at byte 16"},
      {"{\"__metadata__\":{\"b\":\"1\",\"a\":\"\",\"b\":\"1\"}}", 0, "f: metadata 'b' appears twice"},
      {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, "f: __metadata__ appears twice"},
      {"{\"__metadata__\":{\"a\\u0000\":\"\"}}", 0, "f: a name in the metadata holds a NUL"},
      /* fields */
      {"{\"a\":{}}", 0, "f: tensor 'a' has no dtype"},
      {"{\"a\":{\"dtype\":\"F32\"}}", 0, "f: tensor 'a' has no shape"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[]}}", 0, "f: tensor 'a' has no data_offsets"},
      {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", 0, "f: tensor 'a' has its dtype twice"},
      {"{\"a\":{\"shape\":[],\"shape\":[]}}", 0, "f: tensor 'a' has its shape twice"},
      {"{\"a\":{\"strides\":[]}}", 0, "f: tensor 'a' has the unknown field 'strides'"},
      {"{\"a\":{\"data_offsetsXXX\":[]}}", 0, "f: tensor 'a' has the unknown field 'data_offsetsXXX'"},
      {"{\"a\":{\"shape\\u0000\":[]}}", 0, "f: tensor 'a' has the unknown field 'shape'"},
      {"{" T("a", "F33", "[1]", "[0,4]") "}", 4, "f: tensor 'a' has the unknown dtype 'F33'"},
      {"{" T("a", "f32", "[1]", "[0,4]") "}", 4, "f: tensor 'a' has the unknown dtype 'f32'"},
      {"{\"a\":{\"dtype\":32}}", 0, "f: header: JSON: expected a string at byte 14"},
      {"{\"a\":{\"shape\":4}}", 0, "f: header: JSON: expected '[' at byte 14"},
      {"{" T("a", "F32", "[-1]", "[0,4]") "}", 4, "JSON: expected a whole number from 0"},
      {"{" T("a", "F32", "[1.0]", "[0,4]") "}", 4, "JSON: expected a whole number from 0"},
      {"{" T("a", "F32", "[1e0]", "[0,4]") "}", 4, "JSON: expected a whole number from 0"},
      {"{" T("a", "F32", "[NaN]", "[0,4]") "}", 4, "JSON: expected a whole number from 0"},
      {"{" T("a", "F32", "[01]", "[0,4]") "}", 4, "JSON: expected a whole number from 0"},
      {"{" T("a", "F32", "[\"1\"]", "[0,4]") "}", 4, "JSON: expected a whole number from 0"},
      {"{" T("a", "F32", "[18446744073709551616]", "[0,4]") "}", 4, "JSON: expected a number below 2^64"},
      {"{" T("a", "F32", "[[[1]]]", "[0,4]") "}", 4, "JSON: expected a whole number from 0"},
      {"{\"a\":{\"shape\":{\"b\":{}}}}", 4, "JSON: expected '[' at byte 14"},
      {"{" T("a", "F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]") "}", 4, "f: tensor 'a' has more than 8 axes"},
      {"{" T("a", "F32", "[9223372036854775808]", "[0,4]") "}", 4, "f: tensor 'a' has a size beyond 2^63"},
      {"{" T("a", "F32", "[1]", "[0]") "}", 4, "f: tensor 'a' has less than two data_offsets"},
      {"{" T("a", "F32", "[1]", "[]") "}", 4, "f: tensor 'a' has less than two data_offsets"},
      {"{" T("a", "F32", "[1]", "[0,4,4]") "}", 4, "f: tensor 'a' has more than two data_offsets"},
      {"{" T("a", "F32", "[1]", "[-4,0]") "}", 4, "JSON: expected a whole number from 0"},
      /* sizes */
      {"{" T("a", "F32", "[9223372036854775807]", "[0,4]") "}", 4, "f: tensor 'a' has sizes whose product is too large"},
      {"{" T("a", "F32", "[4294967296,4294967296]", "[0,0]") "}", 0, "has sizes whose product is too large"},
      {"{" T("a", "U8", "[4294967296,4294967296]", "[0,0]") "}", 0, "has sizes whose product is too large"},
      {"{" T("a", "F32", "[0,4611686018427387904]", "[0,0]") "}", 0, "has sizes whose product is too large"},
      {"{" T("a", "U8", "[4294967296,4294967296,0]", "[0,0]") "}", 0, "has sizes whose product is too large"},
      {"{" T("a", "F32", "[2,3]", "[0,20]") "}", 20, "f: tensor 'a' is F32 [2x3], which is 24 bytes, but it has 20"},
      {"{" T("a", "F32", "[]", "[0,0]") "}", 0, "f: tensor 'a' is F32 [], which is 4 bytes, but it has 0"},
      {"{" T("a", "F32", "[0]", "[0,4]") "}", 4, "f: tensor 'a' is F32 [0], which is 0 bytes, but it has 4"},
      {"{" T("a", "F4", "[3]", "[0,2]") "}", 2, "f: tensor 'a' does not end with a whole byte"},
      {"{" T("a", "F6_E2M3", "[3]", "[0,2]") "}", 2, "f: tensor 'a' does not end with a whole byte"},
      /* places */
      {"{" T("a", "F32", "[1]", "[4,8]") "}", 8, "f: tensor 'a' begins behind a hole in the data"},
      {"{" T("a", "F32", "[1]", "[0,4]") "," T("b", "F32", "[1]", "[8,12]") "}", 12,
          "f: tensor 'b' begins behind a hole in the data"},
      {"{" T("a", "F32", "[1]", "[0,4]") "," T("b", "F32", "[1]", "[2,6]") "}", 6,
          "f: tensor 'b' overlaps the tensor before it"},
      {"{" T("a", "F32", "[1]", "[0,4]") "," T("b", "F32", "[1]", "[0,4]") "}", 4, "overlaps the tensor before it"},
      {"{" T("a", "F32", "[1]", "[0,4]") "," T("b", "F32", "[1]", "[4,0]") "}", 4, "f: tensor 'b' ends before it begins"},
      {"{" T("a", "U8", "[1]", "[0,18446744073709551615]") "}", 1,
          "is U8 [1], which is 1 bytes, but it has 18446744073709551615"},
      {"{" T("a", "F32", "[1]", "[0,4]") "," T("a", "F32", "[1]", "[4,8]") "}", 8, "f: tensor 'a' appears twice"},
      {"{" T("a", "F32", "[1]", "[0,4]") "}", 5, "f: the tensors take 4 bytes, but the file has 5 for them"},
      {"{" T("a", "F32", "[1]", "[0,4]") "}", 3, "f: the tensors take 4 bytes, but the file has 3 for them"},
      {"{" T("a", "F32", "[1000000000]", "[0,4000000000]") "}", 8, "f: the tensors take 4000000000 bytes, but the file has 8"},
      {"{}", 1, "f: the tensors take 0 bytes, but the file has 1 for them"},
  };
  mlpl_ctx *cx = test_open(0);
  mlpli_st *st;
  for (int i = 0; i < COUNT(cases); i++) {
    bytes f = file_with(cases[i].header, cases[i].data);
    assert_fails(cx, read_bytes(cx, &st, f), MLPL_EFORMAT, cases[i].error);
    free(f.p);
  }
  test_close(cx);
}

static void refuses_lying_lengths(void **state) {
  (void)state;
  static const struct {
    uint64_t length;
    const char *error;
  } cases[] = {
      {UINT64_C(1) << 63, "f: a header of 9223372036854775808 bytes is too large"},
      {UINT64_MAX, "f: a header of 18446744073709551615 bytes is too large"},
      {100000001, "f: a header of 100000001 bytes is too large"},
      {100000000, "f: the header should have 100000000 bytes, but the file ends after 2"},
      {3, "f: the header should have 3 bytes, but the file ends after 2"},
      {0, "f: the header does not begin with '{'"},
      {1, "f: header: JSON: expected a string at byte 1"},
  };
  mlpl_ctx *cx = test_open(0);
  mlpli_st *st;
  for (int i = 0; i < COUNT(cases); i++) {
    bytes f = file_of(cases[i].length, "{}", 2, 0);
    assert_fails(cx, read_bytes(cx, &st, f), MLPL_EFORMAT, cases[i].error);
    free(f.p);
  }
  for (size_t n = 0; n < 8; n++) {
    char text[60];
    snprintf(text, sizeof text, "f: %d bytes are too short for safetensors", (int)n);
    bytes f = {malloc(n + !n), n};
    memset(f.p, 0, n);
    assert_fails(cx, read_bytes(cx, &st, f), MLPL_EFORMAT, text);
    free(f.p);
  }
  test_close(cx);
}

/* Names of a megabyte, a million axes, deep nesting, many tensors of one name: quick and cheap. */
static void hostile_headers_cost_little(void **state) {
  (void)state;
  test_heap h;
  mlpl_ctx *cx;
  test_heap_init(&h);
  assert_int_equal(mlpl_open(&cx, &(mlpl_config){.allocator = &h.allocator, .threads = 1}), MLPL_OK);
  const size_t n = 1 << 20;
  char *header = malloc(n + 1);
  header[n] = '\0';
  mlpli_st *st;
  for (int kind = 0; kind < 3; kind++) {
    memset(header, kind == 0 ? 'a' : kind == 1 ? '1' : '{', n);
    memcpy(header, "{\"", 2);
    if (kind > 0) memcpy(header, "{\"a\":{\"shape\":[", 15);
    for (size_t i = 16; kind == 1 && i < n; i += 2) header[i] = ',';
    bytes f = file_with(header, 0);
    const size_t before = h.bytes;
    h.peak = before;
    assert_fails(cx, read_bytes(cx, &st, f), MLPL_EFORMAT,
        kind == 0 ? "expected the end of a string" : kind == 1 ? "has more than 8 axes" : "expected a whole number");
    assert_true(h.peak - before < 4 * n);
    free(f.p);
  }
  free(header);
  mlpl_close(cx);
  assert_int_equal(h.blocks, 0);
}

/* ---- what is read ------------------------------------------------------------------------------------ */

static void accepts_what_is_legal(void **state) {
  (void)state;
  static const struct {
    const char *header;
    size_t data;
    int64_t count;
  } cases[] = {
      {"{}", 0, 0}, {"{}       ", 0, 0}, {"{\"__metadata__\":{}}", 0, 0},
      {"{ \"a\" : { \"data_offsets\":[0 , 4],\n\"shape\":[ ],\t\"dtype\":\"F32\" } }", 4, 1},
      {"{" T("b", "F32", "[0,5]", "[4,4]") "," T("a", "F32", "[1]", "[0,4]") "," T("c", "F32", "[0]", "[0,0]") "}", 4, 3},
      {"{" T("", "F32", "[1,1,1,1,1,1,1,1]", "[0,4]") "}", 4, 1},
      {"{" T("z", "U8", "[3]", "[0,3]") "," T("a", "F32", "[1]", "[3,7]") "}", 7, 2}, /* not aligned */
      {"{" T("a", "F4", "[4]", "[0,2]") "," T("b", "F8_E4M3", "[2]", "[2,4]") "}", 4, 2},
      {"{\"__metadata__\":{\"a\":\"x\\u0000y\"}}", 0, 0},
  };
  mlpl_ctx *cx = test_open(0);
  for (int i = 0; i < COUNT(cases); i++) {
    mlpli_st *st;
    bytes f = file_with(cases[i].header, cases[i].data);
    assert_works(cx, read_bytes(cx, &st, f));
    assert_int_equal(mlpli_st_count(st), cases[i].count);
    for (int64_t k = 0; k < cases[i].count; k++) {
      mlpl_tensor *t;
      assert_true(mlpli_st_find(st, mlpli_st_name(st, k)) == k);
      if (mlpli_st_type(st, k)[0] == 'F' && mlpli_st_type(st, k)[1] != '3') {
        assert_fails(cx, mlpli_st_tensor(st, &t, k), MLPL_EFORMAT, ", which mlpl does not read");
        continue;
      }
      assert_works(cx, mlpli_st_tensor(st, &t, k));
      mlpl_tensor_release(t);
    }
    mlpli_st_close(st);
    free(f.p);
  }
  test_close(cx);
}

static void converts_elements(void **state) {
  (void)state;
  static const struct {
    const char *type;
    int size;
    mlpl_dtype dtype;
    uint64_t bits;
    double value;
  } cases[] = {
      {"BOOL", 1, MLPL_BOOL, 2, 1}, {"U8", 1, MLPL_U8, 200, 200}, {"I8", 1, MLPL_I64, 200, -56},
      {"I16", 2, MLPL_I64, 0xfffe, -2}, {"U16", 2, MLPL_I64, 0xfffe, 65534}, {"I32", 4, MLPL_I64, 0xfffffffe, -2},
      {"U32", 4, MLPL_I64, 0xfffffffe, 4294967294}, {"I64", 8, MLPL_I64, UINT64_MAX, -1}, {"U64", 8, MLPL_I64, 7, 7},
      {"F64", 8, MLPL_F64, UINT64_C(0x400921fb54442d18), 3.141592653589793}, {"F32", 4, MLPL_F32, 0x3fc00000, 1.5},
      {"BF16", 2, MLPL_F32, 0xc020, -2.5}, {"BF16", 2, MLPL_F32, 0x7f80, INFINITY}, {"F16", 2, MLPL_F32, 0x3c00, 1},
      {"F16", 2, MLPL_F32, 0xc100, -2.5}, {"F16", 2, MLPL_F32, 0x7bff, 65504}, {"F16", 2, MLPL_F32, 0x0400, 0x1p-14},
      {"F16", 2, MLPL_F32, 0x0001, 0x1p-24}, {"F16", 2, MLPL_F32, 0x83ff, -0x3ffp-24}, {"F16", 2, MLPL_F32, 0, 0},
      {"F16", 2, MLPL_F32, 0xfc00, -INFINITY}, {"F16", 2, MLPL_F32, 0x3555, 0.333251953125},
  };
  mlpl_ctx *cx = test_open(0);
  char header[200];
  for (int i = 0; i < COUNT(cases); i++) {
    snprintf(header, sizeof header, "{\"a\":{\"dtype\":\"%s\",\"shape\":[3],\"data_offsets\":[0,%d]}}", cases[i].type,
        3 * cases[i].size);
    bytes f = file_with(header, 3 * (size_t)cases[i].size);
    for (int k = 0; k < 3; k++)
      memcpy(f.p + f.n - (size_t)((3 - k) * cases[i].size), &cases[i].bits, (size_t)cases[i].size);
    mlpli_st *st;
    mlpl_tensor *t;
    assert_works(cx, read_bytes(cx, &st, f));
    assert_works(cx, mlpli_st_tensor(st, &t, 0));
    assert_int_equal(mlpl_tensor_dtype(t), cases[i].dtype);
    for (int k = 0; k < 3; k++) assert_true(test_at1(t, k) == cases[i].value);
    mlpl_tensor_release(t);
    mlpli_st_close(st);
    free(f.p);
  }
  bytes f = file_with("{" T("a", "U64", "[1]", "[0,8]") "}", 8);
  f.p[f.n - 1] = 0x80;
  mlpli_st *st;
  mlpl_tensor *t;
  assert_works(cx, read_bytes(cx, &st, f));
  assert_fails(cx, mlpli_st_tensor(st, &t, 0), MLPL_EFORMAT, "f: tensor 'a' holds a number beyond 2^63");
  assert_null(t);
  mlpli_st_close(st);
  f.p[f.n - 1] = 0;
  f.p[f.n - 8] = 1;
  free(f.p);
  f = file_with("{" T("a", "F16", "[1]", "[0,2]") "}", 2);
  memcpy(f.p + f.n - 2, "\0\x7e", 2);
  assert_works(cx, read_bytes(cx, &st, f));
  assert_works(cx, mlpli_st_tensor(st, &t, 0));
  assert_true(isnan(test_at1(t, 0)));
  mlpl_tensor_release(t);
  mlpli_st_close(st);
  free(f.p);
  test_close(cx);
}

/* ---- writing -------------------------------------------------------------------------------------------- */

static mlpl_status write_some(mlpl_ctx *cx, const char *path) {
  static const mlpli_st_text metadata[] = {{"format", "pt"}, {"a \"b\"", "\xc3\xa9\n"}};
  static const mlpl_dtype dtypes[] = {MLPL_F32, MLPL_BOOL, MLPL_I64, MLPL_F32, MLPL_U8, MLPL_F64};
  static const char *const names[] = {"w2", "b", "i", "w1", "u", "d"};
  mlpli_st_item items[6];
  mlpl_tensor *t[6] = {NULL};
  mlpl_status status = MLPL_OK;
  for (int i = 0; i < 6 && status == MLPL_OK; i++) {
    status = mlpl_tensor_full(cx, &t[i], dtypes[i], 2, (int64_t[]){i, 1}, i == 1 ? 1 : i + 0.5);
    items[i] = (mlpli_st_item){names[i], t[i]};
  }
  if (status == MLPL_OK) status = mlpli_st_write(cx, path, items, 6, metadata, 2);
  for (int i = 0; i < 6; i++) mlpl_tensor_release(t[i]);
  return status;
}

static void writes_as_the_reference_does(void **state) {
  (void)state;
  static const char wanted[] =
      "{\"__metadata__\":{\"format\":\"pt\",\"a \\\"b\\\"\":\"\xc3\xa9\\u000a\"},"
      T("i", "I64", "[2,1]", "[0,16]") "," T("d", "F64", "[5,1]", "[16,56]") "," T("w1", "F32", "[3,1]", "[56,68]") ","
      T("w2", "F32", "[0,1]", "[68,68]") "," T("u", "U8", "[4,1]", "[68,72]") "," T("b", "BOOL", "[1,1]", "[72,73]") "}";
  mlpl_ctx *cx = test_open(0);
  const char *path = test_path("some.safetensors");
  assert_works(cx, write_some(cx, path));
  size_t n;
  unsigned char *p = test_read(path, &n);
  const size_t length = p[0] + 256u * p[1];
  assert_true(length % 8 == 0 && length - strlen(wanted) < 8);
  assert_int_equal(n, 8 + length + 73);
  assert_memory_equal(p + 8, wanted, strlen(wanted));
  for (size_t i = strlen(wanted); i < length; i++) assert_int_equal(p[8 + i], ' ');
  free(p);
  mlpli_st *st;
  mlpl_tensor *t;
  assert_works(cx, mlpli_st_read(cx, &st, path));
  assert_works(cx, mlpli_st_tensor(st, &t, mlpli_st_find(st, "d")));
  assert_true(test_at2(t, 4, 0) == 5.5);
  mlpl_tensor_release(t);
  assert_works(cx, mlpli_st_tensor(st, &t, mlpli_st_find(st, "i")));
  assert_true(test_at2(t, 1, 0) == 2);
  mlpl_tensor_release(t);
  mlpli_st_close(st);
  test_close(cx);
}

static void writes_any_strides(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x, *t;
  const float values[] = {0, 1, 2, 3, 4, 5};
  assert_works(cx, mlpl_tensor_copy(cx, &x, MLPL_F32, 2, (int64_t[]){2, 3}, values));
  assert_works(cx, mlpli_tensor_view(cx, &t, x, 0, 2, (int64_t[]){3, 2}, (int64_t[]){1, 3}));
  const char *path = test_path("t.safetensors");
  assert_works(cx, mlpli_st_write(cx, path, &(mlpli_st_item){"t", t}, 1, NULL, 0));
  mlpl_tensor_release(t);
  mlpl_tensor_release(x);
  mlpli_st *st;
  assert_works(cx, mlpli_st_read(cx, &st, path));
  assert_works(cx, mlpli_st_tensor(st, &t, 0));
  for (int i = 0; i < 6; i++) assert_true(test_at2(t, i / 2, i % 2) == i / 2 + 3 * (i % 2));
  mlpl_tensor_release(t);
  mlpli_st_close(st);
  test_close(cx);
}

static void refuses_to_write(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *t;
  assert_works(cx, mlpl_tensor_full(cx, &t, MLPL_F32, 1, (int64_t[]){1}, 0));
  const mlpli_st_item twice[] = {{"a", t}, {"b", t}, {"a", t}}, bad[] = {{"\xff", t}};
  int files = test_count_files();
  assert_fails(cx, mlpli_st_write(cx, test_path("x"), twice, 3, NULL, 0), MLPL_EARG,
      "safetensors: the name 'a' appears twice");
  assert_fails(cx, mlpli_st_write(cx, test_path("x"), bad, 1, NULL, 0), MLPL_EARG, "is not UTF-8");
  assert_fails(cx, mlpli_st_write(cx, test_path("no/x"), twice, 1, NULL, 0), MLPL_EIO, "no/x: No such file");
  assert_int_equal(test_count_files(), files);
  mlpl_tensor_release(t);
  test_close(cx);
}

/* ---- damage ------------------------------------------------------------------------------------------------- */

/* An error, or tensors that can all be read. */
static void read_damaged(mlpl_ctx *cx, const unsigned char *p, size_t n, bool may_work) {
  unsigned char *copy = malloc(n + !n);
  memcpy(copy, p, n);
  mlpli_st *st;
  mlpl_status status = mlpli_st_read_memory(cx, &st, "damaged", copy, n);
  assert_true(status == MLPL_EFORMAT || (status == MLPL_OK && may_work));
  for (int64_t i = 0; status == MLPL_OK && i < mlpli_st_count(st); i++) {
    mlpl_tensor *t;
    mlpli_st_tensor(st, &t, i);
    mlpl_tensor_release(t);
  }
  mlpli_st_close(st);
  free(copy);
}

static void damage_does_no_harm(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  const char *path = test_path("whole.safetensors");
  assert_works(cx, write_some(cx, path));
  size_t n;
  unsigned char *p = test_read(path, &n);
  for (size_t cut = 0; cut < n; cut++) read_damaged(cx, p, cut, false);
  for (size_t i = 0; i < 8 * n; i++) {
    p[i / 8] ^= (unsigned char)(1 << i % 8);
    read_damaged(cx, p, n, true);
    p[i / 8] ^= (unsigned char)(1 << i % 8);
  }
  uint64_t seed = 21;
  for (int i = 0; i < 20000; i++) {
    unsigned char *copy = memcpy(malloc(n), p, n);
    for (int k = 0; k <= i % 4; k++) copy[8 + test_random(&seed) % (n - 8)] = (unsigned char)"0123456789\"[]{},:"[test_random(&seed) % 17];
    read_damaged(cx, copy, n, true);
    free(copy);
  }
  free(p);
  test_close(cx);
}

static mlpl_status read_task(mlpl_ctx *cx, void *path) {
  mlpli_st *st;
  MLPL_TRY(mlpli_st_read(cx, &st, path));
  mlpl_status status = MLPL_OK;
  for (int64_t i = 0; i < mlpli_st_count(st) && status == MLPL_OK; i++) {
    mlpl_tensor *t;
    status = mlpli_st_tensor(st, &t, i);
    mlpl_tensor_release(t);
  }
  mlpli_st_close(st);
  return status;
}

static mlpl_status write_task(mlpl_ctx *cx, void *path) { return write_some(cx, path); }

static void every_allocation_may_fail(void **state) {
  (void)state;
  char path[1024];
  snprintf(path, sizeof path, "%s", test_path("task.safetensors"));
  test_every_failure(write_task, path);
  test_every_failure(read_task, path);
}

/* ---- tables of tensors, as a host sees them ---------------------------------------- */

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

/* From a view, so that a copy is made. */
static mlpl_status table_task(mlpl_ctx *cx, void *path) {
  mlpl_tensor *x = NULL, *y = NULL;
  mlpl_tensors *list = NULL;
  mlpl_status status = mlpl_tensor_full(cx, &x, MLPL_F32, 2, (int64_t[]){30, 40}, 1);
  if (status == MLPL_OK) status = mlpl_call(cx, &y, "t", &x, 1, NULL);
  mlpl_named items[] = {{"x", x}, {"y", y}};
  if (status == MLPL_OK) status = mlpl_safetensors_write(cx, items, 2, path);
  if (status == MLPL_OK) status = mlpl_safetensors_read(cx, &list, path);
  mlpl_tensors_release(list);
  mlpl_tensor_release(x);
  mlpl_tensor_release(y);
  return status;
}

static void every_allocation_of_a_table_may_fail(void **state) {
  (void)state;
  char path[1024];
  snprintf(path, sizeof path, "%s", test_path("table.safetensors"));
  test_every_failure(table_task, path);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_the_reference_vector),
      cmocka_unit_test(refuses_lying_headers),
      cmocka_unit_test(refuses_lying_lengths),
      cmocka_unit_test(hostile_headers_cost_little),
      cmocka_unit_test(accepts_what_is_legal),
      cmocka_unit_test(converts_elements),
      cmocka_unit_test(writes_as_the_reference_does),
      cmocka_unit_test(writes_any_strides),
      cmocka_unit_test(refuses_to_write),
      cmocka_unit_test(damage_does_no_harm),
      cmocka_unit_test(every_allocation_may_fail),
      cmocka_unit_test(safetensors_hold_tables),
      cmocka_unit_test(every_allocation_of_a_table_may_fail),
  };
  return cmocka_run_group_tests_name("safetensors", tests, test_folder_make, test_folder_remove);
}
