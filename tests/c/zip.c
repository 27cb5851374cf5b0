/* ZIP: archives made by hand, as other programs and hostile ones make them. */
#include "file_bytes.h"

#include <zlib.h>

/* ---- archives made by hand --------------------------------------------------------- */

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
  unsigned char *exact = test_copy_of(a->p, a->n);
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

/* ---- archives that are refused ----------------------------------------------------- */

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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(archives_of_other_programs),
      cmocka_unit_test(archives_with_zip64_numbers),
      cmocka_unit_test(refuses_hostile_archives),
      cmocka_unit_test(refuses_names_that_lead_out),
  };
  return cmocka_run_group_tests_name("zip", tests, NULL, NULL);
}
