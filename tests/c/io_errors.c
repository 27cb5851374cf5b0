/*
** Every call of the system that reading and writing make fails in turn: the error names the path and the
** reason, the old file is whole, no temporary file stays. The calls are replaced by defining them here.
*/
#define _GNU_SOURCE /* syscall */
#include "support.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NOTHING, OPEN, READ, WRITE, FSYNC, RENAME, CLOSE, FCHMOD, KINDS };

static struct {
  int kind, at, error; /* the at-th call of this kind fails; -1: all do, every other time */
  int calls;
  bool slowly; /* read and write take one byte at a time */
} fault;

static bool fails(int kind) {
  if (fault.kind != kind) return false;
  fault.calls++;
  if (fault.at == -1 ? fault.calls % 2 == 0 : fault.calls != fault.at) return false;
  errno = fault.error;
  return true;
}

int open(const char *path, int flags, ...) {
  va_list args;
  va_start(args, flags);
  mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
  va_end(args);
  return fails(OPEN) ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}
ssize_t read(int fd, void *buf, size_t n) {
  return fails(READ) ? -1 : syscall(SYS_read, fd, buf, fault.slowly && n ? 1 : n);
}
ssize_t write(int fd, const void *buf, size_t n) {
  return fails(WRITE) ? -1 : syscall(SYS_write, fd, buf, fault.slowly && n ? 1 : n);
}
int fsync(int fd) { return fails(FSYNC) ? -1 : (int)syscall(SYS_fsync, fd); }
int rename(const char *from, const char *to) {
  return fails(RENAME) ? -1 : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}
/* As on Linux, the descriptor is closed whatever close says. */
int close(int fd) {
  bool failed = fails(CLOSE);
  int error = errno, result = (int)syscall(SYS_close, fd);
  if (!failed) return result;
  errno = error;
  return -1;
}
int fchmod(int fd, mode_t mode) { return fails(FCHMOD) ? -1 : (int)syscall(SYS_fchmod, fd, mode); }

static void arm(int kind, int at, int error) {
  fault.kind = kind;
  fault.at = at;
  fault.error = error;
  fault.calls = 0;
}

/* ---- the tasks --------------------------------------------------------------------------------- */

#define BYTES 150000

static char text[BYTES];

static mlpl_status save(mlpl_ctx *cx, const char *path) {
  mlpli_writer *w;
  MLPL_TRY(mlpli_writer_open(cx, &w, path));
  for (size_t i = 0; i < BYTES; i += BYTES / 3) {
    mlpl_status status = mlpli_writer_write(cx, w, text + i, BYTES / 3);
    if (status == MLPL_OK) continue;
    mlpli_writer_abandon(w);
    return status;
  }
  return mlpli_writer_commit(cx, w);
}

static mlpl_status load(mlpl_ctx *cx, const char *path) {
  static char there[BYTES + 1];
  mlpli_reader *r;
  void *bytes;
  size_t n;
  MLPL_TRY(mlpli_reader_open(cx, &r, path));
  mlpl_status status = mlpli_reader_read(cx, r, there, sizeof there, &n);
  mlpli_reader_close(r);
  MLPL_TRY(status);
  assert_int_equal(n, BYTES);
  assert_memory_equal(there, text, n);
  MLPL_TRY(mlpli_file_load(cx, path, &bytes, &n));
  assert_int_equal(n, BYTES);
  assert_memory_equal(bytes, text, n);
  mlpli_free(cx->heap, bytes);
  return MLPL_OK;
}

static bool holds(const char *path, const char *bytes, size_t size) {
  size_t n;
  unsigned char *p = test_read(path, &n);
  bool same = p && n == size && memcmp(p, bytes, n) == 0;
  free(p);
  return same;
}

static int open_files(void) {
  int n = 0;
  for (int fd = 0; fd < 256; fd++) n += fcntl(fd, F_GETFD) >= 0;
  return n;
}

/* ---- tests ------------------------------------------------------------------------------------------ */

static void saving_survives_every_failure(void **state) {
  (void)state;
  static const int errors[] = {EIO, ENOSPC, EACCES};
  mlpl_ctx *cx = test_open(0);
  const char *path = test_write_text("saved", "old");
  const int files = test_count_files(), open_before = open_files();
  int reached[KINDS] = {0};
  for (int kind = OPEN; kind < KINDS; kind++)
    for (int e = 0; e < COUNT(errors); e++)
      for (int at = 1;; at++) {
        test_write_text("saved", "old");
        arm(kind, at, errors[e]);
        mlpl_status status = save(cx, path);
        const int calls = fault.calls;
        arm(NOTHING, 0, 0);
        assert_int_equal(test_count_files(), files);
        assert_int_equal(open_files(), open_before);
        if (calls < at) {
          assert_works(cx, status);
          break;
        }
        reached[kind] = at;
        /* The second open and fsync are the folder's: the new file is there, perhaps not for good. */
        const bool folder = (kind == OPEN || kind == FSYNC || kind == CLOSE) && at == 2;
        assert_true(holds(path, folder ? text : "old", folder ? BYTES : 3));
        if (folder && (kind == CLOSE || (kind == OPEN && errors[e] == EACCES))) {
          assert_works(cx, status);
          continue;
        }
        char wanted[1200];
        snprintf(wanted, sizeof wanted, "cannot write %s: %s", path, strerror(errors[e]));
        assert_fails(cx, status, MLPL_EIO, wanted);
      }
  assert_true(reached[WRITE] >= 3 && reached[FSYNC] == 2 && reached[RENAME] == 1 && reached[FCHMOD] == 1);
  test_close(cx);
}

static void reading_survives_every_failure(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  const char *path = test_write("read", text, BYTES);
  const int open_before = open_files();
  for (int kind = OPEN; kind <= READ; kind++)
    for (int at = 1;; at++) {
      arm(kind, at, EIO);
      mlpl_status status = load(cx, path);
      const int calls = fault.calls;
      arm(NOTHING, 0, 0);
      assert_int_equal(open_files(), open_before);
      if (calls < at) {
        assert_works(cx, status);
        break;
      }
      char wanted[1200];
      snprintf(wanted, sizeof wanted, "cannot %s %s: %s", kind == OPEN ? "open" : "read", path, strerror(EIO));
      assert_fails(cx, status, MLPL_EIO, wanted);
    }
  test_close(cx);
}

static void interruptions_and_small_steps_do_not_matter(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  const char *path = test_path("steps");
  for (int kind = OPEN; kind <= FSYNC; kind++)
    for (int slowly = 0; slowly <= 1; slowly++) {
      arm(kind, -1, EINTR);
      fault.slowly = slowly;
      mlpl_status status = save(cx, path);
      if (status == MLPL_OK) status = load(cx, path);
      fault.slowly = false;
      arm(NOTHING, 0, 0);
      assert_works(cx, status);
      assert_true(holds(path, text, BYTES));
    }
  test_close(cx);
}

int main(void) {
  uint64_t seed = 1;
  for (size_t i = 0; i < BYTES; i++) text[i] = (char)('a' + test_random(&seed) % 26);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(saving_survives_every_failure),
      cmocka_unit_test(reading_survives_every_failure),
      cmocka_unit_test(interruptions_and_small_steps_do_not_matter),
  };
  return cmocka_run_group_tests_name("io errors", tests, test_folder_make, test_folder_remove);
}
