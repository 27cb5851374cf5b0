/* Readers and writers of files: what the system does wrong, gzip, and files that stay whole. */
#include "support.h"

#include "base/buffer.h"
#include "base/file.h"
#include "base/number.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Read a file in steps of `step` bytes; *n of them into buf. */
static mlpl_status read_in_steps(mlpl_ctx *cx, const char *path, size_t step, char *buf, size_t room, size_t *n) {
  mlpli_reader *r;
  *n = 0;
  MLPL_TRY(mlpli_reader_open(cx, &r, path));
  mlpl_status status;
  size_t got;
  do {
    assert_true(*n + step <= room);
    status = mlpli_reader_read(cx, r, buf + *n, step, &got);
    *n += got;
  } while (status == MLPL_OK && got == step);
  mlpli_reader_close(r);
  return status;
}

static void fill_random(unsigned char *p, size_t n, uint64_t seed) {
  for (size_t i = 0; i < n; i++) p[i] = (unsigned char)(test_random(&seed) & 15); /* compressible */
}

static void reads_plain_and_gzip_in_steps_of_any_size(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  static const size_t sizes[] = {0, 1, 2, 3, 1000, 65535, 65536, 65537, 300000};
  static const size_t steps[] = {1, 7, 4096, 65536, 1000000};
  char *buf = malloc(2000000);
  unsigned char *bytes = malloc(300000);
  for (int i = 0; i < COUNT(sizes); i++) {
    fill_random(bytes, sizes[i], 5);
    const char *plain = test_write("plain", bytes, sizes[i]), *gzip = test_write_gzip("gzip", bytes, sizes[i]);
    for (int j = 0; j < COUNT(steps); j++) {
      if (steps[j] == 1 && sizes[i] > 1000) continue;
      size_t n;
      assert_works(cx, read_in_steps(cx, plain, steps[j], buf, 2000000, &n));
      assert_int_equal(n, sizes[i]);
      assert_memory_equal(buf, bytes, n);
      assert_works(cx, read_in_steps(cx, gzip, steps[j], buf, 2000000, &n));
      assert_int_equal(n, sizes[i]);
      assert_memory_equal(buf, bytes, n);
    }
  }
  free(buf);
  free(bytes);
  test_close(cx);
}

static void joins_gzip_members(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  size_t a, b, n;
  char buf[64];
  unsigned char *first = test_read(test_write_gzip("a.gz", "hello ", 6), &a);
  unsigned char *second = test_read(test_write_gzip("b.gz", "world", 5), &b);
  unsigned char *both = malloc(a + b + 1);
  memcpy(both, first, a);
  memcpy(both + a, second, b);
  assert_works(cx, read_in_steps(cx, test_write("ab.gz", both, a + b), 3, buf, sizeof buf, &n));
  assert_int_equal(n, 11);
  assert_memory_equal(buf, "hello world", 11);
  for (size_t cut = a + 1; cut < a + b; cut++)
    assert_fails(cx, read_in_steps(cx, test_write("cut.gz", both, cut), 3, buf, sizeof buf, &n), MLPL_EFORMAT,
        "cut.gz: gzip: ");
  both[a + b] = 0;
  assert_fails(cx, read_in_steps(cx, test_write("tail.gz", both, a + b + 1), 3, buf, sizeof buf, &n), MLPL_EFORMAT,
      "tail.gz: gzip: bytes that are no gzip follow its end");
  free(first);
  free(second);
  free(both);
  test_close(cx);
}

static void finds_every_flaw_in_gzip(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  size_t n, got;
  char buf[400];
  unsigned char text[200];
  fill_random(text, sizeof text, 3);
  unsigned char *good = test_read(test_write_gzip("good.gz", text, sizeof text), &n);
  for (size_t cut = 2; cut < n; cut++)
    assert_fails(cx, read_in_steps(cx, test_write("cut.gz", good, cut), 100, buf, sizeof buf, &got), MLPL_EFORMAT,
        "cut.gz: gzip: the file ends before the data does (truncated)");
  for (size_t i = 16; i < 8 * n; i++) { /* not the magic: without it the file is a plain one */
    good[i / 8] ^= (unsigned char)(1 << i % 8);
    mlpl_status status = read_in_steps(cx, test_write("flip.gz", good, n), 100, buf, sizeof buf, &got);
    if (status == MLPL_OK) /* a bit that tells nothing: the time, the system, padding */
      assert_memory_equal(buf, text, sizeof text);
    else
      assert_int_equal(status, MLPL_EFORMAT);
    good[i / 8] ^= (unsigned char)(1 << i % 8);
  }
  good[n - 8] ^= 1;
  assert_fails(cx, read_in_steps(cx, test_write("sum.gz", good, n), 100, buf, sizeof buf, &got), MLPL_EFORMAT,
      "sum.gz: gzip: the data is damaged (incorrect data check)");
  free(good);
  test_close(cx);
}

static void names_path_and_reason(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpli_reader *r;
  mlpli_writer *w;
  void *bytes;
  size_t n;
  char text[300];
  const char *missing = test_path("no such file");
  snprintf(text, sizeof text, "cannot open %s: No such file or directory", missing);
  assert_fails(cx, mlpli_reader_open(cx, &r, missing), MLPL_EIO, text);
  assert_null(r);
  assert_fails(cx, mlpli_file_load(cx, missing, &bytes, &n), MLPL_EIO, text);
  assert_null(bytes);
  assert_fails(cx, mlpli_reader_open(cx, &r, "/tmp"), MLPL_EIO, "cannot read /tmp: Is a directory");
  assert_fails(cx, mlpli_file_load(cx, "", &bytes, &n), MLPL_EIO, "cannot open '': No such file");
  snprintf(text, sizeof text, "cannot write %s/x: No such file or directory", missing);
  assert_fails(cx, mlpli_writer_open(cx, &w, test_path("no such file/x")), MLPL_EIO, text);
  assert_fails(cx, mlpli_writer_open(cx, &w, "/tmp"), MLPL_EIO, "cannot write /tmp: Is a directory");
  assert_fails(cx, mlpli_writer_open(cx, &w, test_path("new/")), MLPL_EIO, "Is a directory");
  assert_fails(cx, mlpli_writer_open(cx, &w, ""), MLPL_EIO, "cannot write '': No such file");
  assert_fails(cx, mlpli_writer_open(cx, &w, "/dev/null"), MLPL_EIO,
      "cannot write /dev/null: it is a device or a pipe, not a file");
  assert_null(w);
  char path[1000];
  memset(path, 'p', sizeof path - 1);
  path[sizeof path - 1] = '\0';
  assert_fails(cx, mlpli_reader_open(cx, &r, path), MLPL_EIO, "ppp: File name too long");
  assert_fails(cx, mlpli_reader_open(cx, &r, path), MLPL_EIO, "cannot open ...ppp");
  test_close(cx);
}

static void loads_a_whole_file(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  static const size_t sizes[] = {0, 1, 4095, 65536, 200000};
  unsigned char *bytes = malloc(200000);
  fill_random(bytes, 200000, 9);
  for (int i = 0; i < COUNT(sizes); i++) {
    void *p;
    size_t n;
    assert_works(cx, mlpli_file_load(cx, test_write("whole", bytes, sizes[i]), &p, &n));
    assert_int_equal(n, sizes[i]);
    assert_memory_equal(p, bytes, n);
    mlpli_free(cx->heap, p);
  }
  free(bytes);
  void *p;
  size_t n;
  assert_works(cx, mlpli_file_load(cx, "/proc/self/status", &p, &n)); /* says that it has 0 bytes */
  assert_true(n > 100);
  mlpli_free(cx->heap, p);
  test_close(cx);
}

/* ---- writing ------------------------------------------------------------------------------------- */

static mlpl_status save(mlpl_ctx *cx, const char *path, const char *text, size_t n) {
  mlpli_writer *w;
  MLPL_TRY(mlpli_writer_open(cx, &w, path));
  for (size_t i = 0; i < n; i += 1000) { /* small pieces and, behind them, one that is larger than the buffer */
    mlpl_status status = mlpli_writer_write(cx, w, text + i, n - i > 100000 ? 100000 : n - i < 1000 ? n - i : 1000);
    if (status != MLPL_OK) {
      mlpli_writer_abandon(w);
      return status;
    }
    if (n - i > 100000) i += 99000;
  }
  return mlpli_writer_commit(cx, w);
}

static void check_file(const char *path, const char *text, size_t n) {
  size_t there;
  unsigned char *p = test_read(path, &there);
  assert_non_null(p);
  assert_int_equal(there, n);
  assert_memory_equal(p, text, n);
  free(p);
}

static mode_t mode_of(const char *path) {
  struct stat st;
  assert_int_equal(stat(path, &st), 0);
  return st.st_mode & 0777;
}

static void writes_whole_files(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  static const size_t sizes[] = {0, 1, 999, 65536, 65537, 250000};
  char *text = malloc(250000);
  fill_random((unsigned char *)text, 250000, 2);
  const char *path = test_path("written");
  int files = test_count_files();
  for (int i = 0; i < COUNT(sizes); i++) {
    assert_works(cx, save(cx, path, text, sizes[i]));
    check_file(path, text, sizes[i]);
  }
  assert_int_equal(test_count_files(), files + 1);
  free(text);
  test_close(cx);
}

static void keeps_permissions(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  const char *path = test_path("mode");
  mode_t mask = umask(027);
  assert_works(cx, save(cx, path, "a", 1));
  assert_int_equal(mode_of(path), 0640);
  assert_int_equal(chmod(path, 0604), 0);
  assert_works(cx, save(cx, path, "b", 1));
  assert_int_equal(mode_of(path), 0604);
  umask(mask);
  test_close(cx);
}

static void follows_links(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  const char *target = test_path("target"), *link = test_path("link"), *far = test_path("far");
  assert_int_equal(symlink("target", link), 0); /* leads nowhere yet, and is relative */
  assert_int_equal(symlink(link, far), 0);
  struct stat st;
  for (int i = 0; i < 2; i++) {
    assert_works(cx, save(cx, far, "text", 4));
    check_file(target, "text", 4);
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(lstat(far, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
  }
  mlpli_writer *w;
  assert_int_equal(symlink("loop", test_path("loop")), 0);
  assert_fails(cx, mlpli_writer_open(cx, &w, test_path("loop")), MLPL_EIO,
      "loop: Too many levels of symbolic links");
  test_close(cx);
}

static void leaves_nothing_behind(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  const char *path = test_path("kept");
  assert_works(cx, save(cx, path, "old", 3));
  int files = test_count_files();
  mlpli_writer *w;
  assert_works(cx, mlpli_writer_open(cx, &w, path));
  assert_works(cx, mlpli_writer_write(cx, w, "new", 3));
  assert_int_equal(test_count_files(), files + 1);
  check_file(path, "old", 3);
  mlpli_writer_abandon(w);
  mlpli_writer_abandon(NULL);
  assert_int_equal(test_count_files(), files);
  check_file(path, "old", 3);
  /* The folder of the new name cannot take it: rename fails. */
  assert_works(cx, mlpli_writer_open(cx, &w, test_path("becomes a folder")));
  assert_int_equal(mkdir(test_path("becomes a folder"), 0777), 0);
  assert_fails(cx, mlpli_writer_commit(cx, w), MLPL_EIO, "becomes a folder: Is a directory");
  assert_int_equal(test_count_files(), files + 1);
  assert_int_equal(rmdir(test_path("becomes a folder")), 0);
  test_close(cx);
}

/* The disk is full at any byte: an error, the old file as it was, nothing left behind. */
static void survives_a_full_disk(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  const char *path = test_path("full");
  char *text = malloc(300000);
  fill_random((unsigned char *)text, 300000, 2);
  assert_works(cx, save(cx, path, "old", 3));
  int files = test_count_files();
  struct rlimit old, limit;
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
  void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
  for (rlim_t bytes = 0; bytes < 300000; bytes += 4096 * 5) {
    limit = (struct rlimit){bytes, old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    mlpl_status status = save(cx, path, text, 300000);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_fails(cx, status, MLPL_EIO, "full: File too large");
    check_file(path, "old", 3);
    assert_int_equal(test_count_files(), files);
  }
  signal(SIGXFSZ, handler);
  free(text);
  test_close(cx);
}

/* A saver is killed at any moment: the file is the old one or the new one. */
static void survives_being_killed(void **state) {
  (void)state;
  const char *path = test_path("killed");
  char *text[2] = {malloc(100000), malloc(100000)};
  for (int i = 0; i < 2; i++) memset(text[i], 'a' + i, 100000);
  mlpl_ctx *cx = test_open(0);
  assert_works(cx, save(cx, path, text[0], 100000));
  uint64_t seed = 4;
  for (int i = 0; i < 40; i++) {
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
      for (int k = 0;; k++)
        if (save(cx, path, text[k % 2], 100000) != MLPL_OK) _exit(1);
    struct timespec pause = {0, (long)(test_uniform(&seed) * 20e6)};
    nanosleep(&pause, NULL);
    kill(pid, SIGKILL);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    size_t n;
    char *p = (char *)test_read(path, &n);
    assert_int_equal(n, 100000);
    assert_memory_equal(p, text[p[0] - 'a'], n);
    free(p);
  }
  free(text[0]);
  free(text[1]);
  test_close(cx);
}

static void refuses_protected_files(void **state) {
  (void)state;
  if (geteuid() == 0) {
    print_message("skipped: root may write everything\n");
    skip();
  }
  mlpl_ctx *cx = test_open(0);
  mlpli_writer *w;
  mlpli_reader *r;
  const char *path = test_write_text("protected", "old");
  assert_int_equal(chmod(path, 0400), 0);
  assert_fails(cx, mlpli_writer_open(cx, &w, path), MLPL_EIO, "protected: Permission denied");
  assert_int_equal(chmod(path, 0), 0);
  assert_fails(cx, mlpli_reader_open(cx, &r, path), MLPL_EIO, "protected: Permission denied");
  test_close(cx);
}

static mlpl_status read_task(mlpl_ctx *cx, void *path) {
  char buf[1000];
  size_t n;
  MLPL_TRY(read_in_steps(cx, path, sizeof buf - 1, buf, sizeof buf, &n));
  void *bytes;
  MLPL_TRY(mlpli_file_load(cx, path, &bytes, &n));
  mlpli_free(cx->heap, bytes);
  return MLPL_OK;
}

static mlpl_status write_task(mlpl_ctx *cx, void *path) { return save(cx, path, "text", 4); }

static void every_allocation_may_fail(void **state) {
  (void)state;
  char path[1024];
  unsigned char text[500] = "text";
  snprintf(path, sizeof path, "%s", test_write_gzip("task.gz", text, sizeof text));
  test_every_failure(read_task, path);
  snprintf(path, sizeof path, "%s", test_path("task"));
  int files = test_count_files();
  test_every_failure(write_task, path);
  assert_int_equal(test_count_files(), files + 1);
}

/* ---- numbers and buffers -------------------------------------------------------------------------- */

/* Every number with the bits of the C library, whose conversion is exact. */
static void check_number(const char *text) {
  double v = 0, wanted = strtod(text, NULL);
  const char *end = mlpli_number_read(text, &v);
  if (end != text + strlen(text) || memcmp(&v, &wanted, sizeof v) != 0)
    fail_msg("%s: read as %.17g, expected %.17g", text, v, wanted);
}

static void numbers_are_read_exactly(void **state) {
  (void)state;
  static const char *const texts[] = {"0", "-0", "+1", "1.", ".5", "-.28", "1e5", "1E-5", "1e+5", "0.1", "123456.789",
      "9007199254740992", "9007199254740993", "9007199254740993e1", "18446744073709551615", "18446744073709551616",
      "1e22", "1e23", "1e-22", "1e-23", "1e308", "1.7976931348623157e308", "1.8e308", "-1e400", "4.9e-324", "1e-400",
      "2.2250738585072011e-308", "0.000000000000000000000000000000001", "00000000000000000000000001.5",
      "1234567890123456789012345678901234567890", "0.1234567890123456789012345678901234567890", "1e000000000000000005",
      "1e99999999999999999999", "1e-99999999999999999999", "0e99999999999", "3.141592653589793238462643383279502884"};
  for (int i = 0; i < COUNT(texts); i++) check_number(texts[i]);
  uint64_t seed = 11;
  char text[64];
  for (int i = 0; i < 200000; i++) {
    uint64_t bits = test_random(&seed);
    double v;
    memcpy(&v, &bits, sizeof v);
    if (!isfinite(v)) continue;
    snprintf(text, sizeof text, "%.*g", (int)(bits % 21) + 1, v);
    check_number(text);
    snprintf(text, sizeof text, "%.*f", (int)(bits % 18), test_between(&seed, -1e6, 1e6));
    check_number(text);
  }
  static const char *const none[] = {"", "-", "+", ".", "-.", "e5", "x", "nan", "inf", "--1", " 1"};
  double v;
  for (int i = 0; i < COUNT(none); i++) assert_null(mlpli_number_read(none[i], &v));
  static const struct {
    const char *text;
    int used;
  } partly[] = {{"1x", 1}, {"1e", 1}, {"1e+", 1}, {"0x10", 1}, {"1.5.2", 3}, {"1,5", 1}, {"2e5e", 3}};
  for (int i = 0; i < COUNT(partly); i++)
    assert_ptr_equal(mlpli_number_read(partly[i].text, &v), partly[i].text + partly[i].used);
}

static void numbers_are_written_to_read_back(void **state) {
  (void)state;
  char text[MLPLI_NUMBER_TEXT];
  uint64_t seed = 12;
  for (int i = 0; i < 100000; i++) {
    uint64_t bits = test_random(&seed);
    double v, back;
    memcpy(&v, &bits, sizeof v);
    if (!isfinite(v)) continue;
    int n = mlpli_number_write(text, v);
    assert_int_equal(n, strlen(text));
    assert_ptr_equal(mlpli_number_read(text, &back), text + n);
    assert_memory_equal(&v, &back, sizeof v);
  }
  mlpli_number_write(text, 0.01);
  assert_string_equal(text, "0.01");
  mlpli_number_write(text, 64);
  assert_string_equal(text, "64");
}

static bool less(const void *ud, int64_t a, int64_t b) { return ((const int64_t *)ud)[a] < ((const int64_t *)ud)[b]; }

static void sorts(void **state) {
  (void)state;
  uint64_t seed = 6;
  int64_t key[300], order[300];
  for (int n = 0; n <= 300; n += n < 20 ? 1 : 56)
    for (int range = 1; range < 1000; range *= 4) {
      for (int i = 0; i < n; i++) key[i] = (int64_t)(test_random(&seed) % (uint64_t)range), order[i] = i;
      mlpli_sort(order, n, less, key);
      bool seen[300] = {false};
      for (int i = 0; i < n; i++) seen[order[i]] = true;
      for (int i = 0; i < n; i++) assert_true(seen[i]);
      for (int i = 1; i < n; i++) assert_true(key[order[i - 1]] <= key[order[i]]);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_plain_and_gzip_in_steps_of_any_size),
      cmocka_unit_test(joins_gzip_members),
      cmocka_unit_test(finds_every_flaw_in_gzip),
      cmocka_unit_test(names_path_and_reason),
      cmocka_unit_test(loads_a_whole_file),
      cmocka_unit_test(writes_whole_files),
      cmocka_unit_test(keeps_permissions),
      cmocka_unit_test(follows_links),
      cmocka_unit_test(leaves_nothing_behind),
      cmocka_unit_test(survives_a_full_disk),
      cmocka_unit_test(survives_being_killed),
      cmocka_unit_test(refuses_protected_files),
      cmocka_unit_test(every_allocation_may_fail),
      cmocka_unit_test(numbers_are_read_exactly),
      cmocka_unit_test(numbers_are_written_to_read_back),
      cmocka_unit_test(sorts),
  };
  return cmocka_run_group_tests_name("files", tests, test_folder_make, test_folder_remove);
}
