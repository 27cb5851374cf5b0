/* NPZ: archives as NumPy writes them, damage, names that cannot be written. */
#include "file_bytes.h"

#include "npy_fixtures.h"

#include <zlib.h>

/* ---- what NumPy writes ------------------------------------------------------------- */

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
    unsigned char *bytes = test_bytes_of(f->hex, &n);
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
      test_check_file(f->name, test_path("out.npz"), bytes, n);
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

/* ---- damage ------------------------------------------------------------------------ */

static mlpl_status read_npz(mlpl_ctx *cx, const unsigned char *bytes, size_t n) {
  mlpl_tensors *list;
  mlpl_status status = mlpl_npz_read_memory(cx, &list, bytes, n);
  assert_true((list != NULL) == (status == MLPL_OK));
  mlpl_tensors_release(list);
  return status;
}

static void damage_is_found_or_harmless(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  int refused = 0;
  for (int i = 0; i < COUNT(npz_fixtures); i++)
    refused += test_damage(cx, npz_fixtures[i].name, npz_fixtures[i].hex, read_npz);
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
    unsigned char *bytes = test_bytes_of(npz_fixtures[i].hex, &n);
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

/* ---- names ------------------------------------------------------------------------- */

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

/* ---- memory ------------------------------------------------------------------------ */

/* Stored and deflated. */
static mlpl_status round_trip(mlpl_ctx *cx, void *ud) {
  mlpl_tensor *x = NULL, *y = NULL;
  mlpl_tensors *list = NULL;
  const char *path = test_path("m.npz");
  (void)ud;
  mlpl_status status = mlpl_tensor_full(cx, &x, MLPL_F32, 2, (int64_t[]){30, 40}, 1);
  if (status == MLPL_OK) status = mlpl_call(cx, &y, "t", &x, 1, NULL);
  for (int i = 0; i < 2 && status == MLPL_OK; i++) {
    mlpl_named items[] = {{"x", x}, {"y", y}};
    status = mlpl_npz_write(cx, items, 2, i, path);
    if (status == MLPL_OK) status = mlpl_npz_read(cx, &list, path);
    mlpl_tensors_release(list);
    list = NULL;
  }
  mlpl_tensor_release(x);
  mlpl_tensor_release(y);
  return status;
}

static void exhausted_memory_is_an_error(void **state) {
  (void)state;
  test_every_failure(round_trip, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(archives_of_numpy),
      cmocka_unit_test(many_members_are_zip64),
      cmocka_unit_test(damage_is_found_or_harmless),
      cmocka_unit_test(sums_guard_the_arrays),
      cmocka_unit_test(refuses_to_write_what_cannot_be_read),
      cmocka_unit_test(exhausted_memory_is_an_error),
  };
  return cmocka_run_group_tests_name("npz", tests, test_folder_make, test_folder_remove);
}
