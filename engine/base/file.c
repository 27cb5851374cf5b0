/*
** Reading files: plain, or the gzip stream in them. POSIX calls, because stdio allocates
** by itself and hides which call failed.
*/
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define IN_BYTES ((size_t)64 << 10) /* of the file, read at a time */
#define ONE_CALL ((size_t)1 << 30)  /* read() and zlib's counters take less than 2^31 */

const char *mlpli_path_text(char *buf, const char *path) {
  if (*path == '\0') path = "''";
  size_t n = strlen(path);
  const size_t keep = MLPLI_PATH_TEXT - 4;
  if (n < MLPLI_PATH_TEXT) {
    memcpy(buf, path, n + 1);
  }
  else {
    memcpy(buf, "...", 3);
    memcpy(buf + 3, path + n - keep, keep + 1);
  }
  return buf;
}

mlpl_status mlpli_io_error(mlpl_ctx *cx, const char *verb, const char *path, int error) {
  char shown[MLPLI_PATH_TEXT], reason[128];
  if (strerror_r(error, reason, sizeof reason) != 0)
    snprintf(reason, sizeof reason, "error %d", error);
  return mlpl_fail(
      cx, MLPL_EIO, "cannot %s %s: %s", verb, mlpli_path_text(shown, path), reason);
}

/* ---- the system's file ------------------------------------------------------------- */

/* Open a file for reading. *bytes, its size, is 0 where it has none (a pipe). */
static mlpl_status open_file(mlpl_ctx *cx, const char *path, int *fd, size_t *bytes) {
  do *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  while (*fd < 0 && errno == EINTR);
  if (*fd < 0) return mlpli_io_error(cx, "open", path, errno);
  struct stat st;
  int error = fstat(*fd, &st) != 0 ? errno : S_ISDIR(st.st_mode) ? EISDIR : 0;
  if (error) {
    close(*fd);
    return mlpli_io_error(cx, "read", path, error);
  }
  *bytes = S_ISREG(st.st_mode) && st.st_size > 0 ? (size_t)st.st_size : 0;
  return MLPL_OK;
}

/* Read until n bytes are there or the file ends. */
static mlpl_status read_file(
    mlpl_ctx *cx, int fd, const char *path, void *buf, size_t n, size_t *got) {
  *got = 0;
  while (*got < n) {
    size_t rest = n - *got;
    ssize_t part = read(fd, (char *)buf + *got, rest < ONE_CALL ? rest : ONE_CALL);
    if (part == 0) break;
    if (part > 0)
      *got += (size_t)part;
    else if (errno != EINTR)
      return mlpli_io_error(cx, "read", path, errno);
  }
  return MLPL_OK;
}

/* ---- the reader -------------------------------------------------------------------- */

struct mlpli_reader {
  mlpl_ctx *cx;
  int fd;
  bool gzip, z_open;
  bool ended;   /* the file has no more bytes than those in `in` */
  bool between; /* gzip: a member just ended, another may follow */
  size_t at, n; /* in[at .. n) is read and not used */
  z_stream z;
  unsigned char in[IN_BYTES];
  char path[];
};

void *mlpli_z_alloc(void *heap, unsigned items, unsigned size) {
  size_t bytes;
  return mlpli_mul(items, size, &bytes) ? mlpli_alloc(heap, bytes) : NULL;
}

void mlpli_z_free(void *heap, void *p) { mlpli_free(heap, p); }

static mlpl_status damaged(const mlpli_reader *r, const char *how) {
  char shown[MLPLI_PATH_TEXT];
  return mlpl_fail(
      r->cx, MLPL_EFORMAT, "%s: gzip: %s", mlpli_path_text(shown, r->path), how);
}

/* Have bytes in `in`, unless the file ended. */
static mlpl_status fill(mlpli_reader *r) {
  if (r->at < r->n || r->ended) return MLPL_OK;
  r->at = r->n = 0;
  MLPL_TRY(read_file(r->cx, r->fd, r->path, r->in, IN_BYTES, &r->n));
  r->ended = r->n < IN_BYTES;
  return MLPL_OK;
}

static mlpl_status start(mlpli_reader *r) {
  MLPL_TRY(fill(r));
  r->gzip = r->n >= 2 && r->in[0] == 0x1f && r->in[1] == 0x8b;
  if (!r->gzip) return MLPL_OK;
  r->z.zalloc = mlpli_z_alloc;
  r->z.zfree = mlpli_z_free;
  r->z.opaque = r->cx->heap;
  int code = inflateInit2(&r->z, 16 + MAX_WBITS);
  if (code == Z_MEM_ERROR) return mlpli_no_memory(r->cx, "gzip", sizeof(mlpli_reader));
  if (code != Z_OK) return damaged(r, "zlib cannot start");
  r->z_open = true;
  return MLPL_OK;
}

mlpl_status mlpli_reader_open(mlpl_ctx *cx, mlpli_reader **out, const char *path) {
  *out = NULL;
  int fd;
  size_t bytes;
  MLPL_TRY(open_file(cx, path, &fd, &bytes));
  mlpli_reader *r;
  size_t n = strlen(path) + 1;
  mlpl_status status = mlpli_new(cx, &r, sizeof *r + n, "reader");
  if (status != MLPL_OK) {
    close(fd);
    return status;
  }
  memset(r, 0, offsetof(mlpli_reader, in));
  memcpy(r->path, path, n);
  r->cx = cx;
  r->fd = fd;
  status = start(r);
  if (status != MLPL_OK)
    mlpli_reader_close(r);
  else
    *out = r;
  return status;
}

void mlpli_reader_close(mlpli_reader *r) {
  if (!r) return;
  if (r->z_open) inflateEnd(&r->z);
  close(r->fd);
  mlpli_free(r->cx->heap, r);
}

static mlpl_status read_plain(mlpli_reader *r, char *buf, size_t n, size_t *got) {
  size_t here = r->n - r->at < n ? r->n - r->at : n;
  memcpy(buf, r->in + r->at, here);
  r->at += here;
  *got = here;
  if (here == n || r->ended) return MLPL_OK;
  size_t more;
  MLPL_TRY(read_file(r->cx, r->fd, r->path, buf + here, n - here, &more));
  r->ended = more < n - here;
  *got += more;
  return MLPL_OK;
}

/* A member ended: *over when the file did too, else begin the next. */
static mlpl_status next_member(mlpli_reader *r, bool *over) {
  MLPL_TRY(fill(r));
  *over = r->at == r->n;
  if (*over) return MLPL_OK;
  if (r->in[r->at] != 0x1f) return damaged(r, "bytes that are no gzip follow its end");
  r->between = false;
  return inflateReset(&r->z) == Z_OK ? MLPL_OK : damaged(r, "zlib cannot start");
}

/* One call of inflate: out of `in`, into `room` bytes at buf. */
static mlpl_status inflate_some(mlpli_reader *r, char *buf, size_t room, size_t *made) {
  MLPL_TRY(fill(r));
  if (r->at == r->n) return damaged(r, "the file ends before the data does (truncated)");
  unsigned out = (unsigned)(room < ONE_CALL ? room : ONE_CALL);
  r->z.next_in = r->in + r->at;
  r->z.avail_in = (unsigned)(r->n - r->at);
  r->z.next_out = (unsigned char *)buf;
  r->z.avail_out = out;
  int code = inflate(&r->z, Z_NO_FLUSH);
  r->at = r->n - r->z.avail_in;
  *made = out - r->z.avail_out;
  if (code == Z_MEM_ERROR) return mlpli_no_memory(r->cx, "gzip", (size_t)1 << MAX_WBITS);
  if (code == Z_STREAM_END) r->between = true;
  if (code == Z_OK || code == Z_BUF_ERROR || code == Z_STREAM_END) return MLPL_OK;
  char how[128];
  snprintf(how, sizeof how, "the data is damaged (%s)",
      r->z.msg ? r->z.msg : "unknown method");
  return damaged(r, how);
}

static mlpl_status read_gzip(mlpli_reader *r, char *buf, size_t n, size_t *got) {
  for (*got = 0; *got < n;) {
    bool over = false;
    size_t made = 0;
    if (r->between) MLPL_TRY(next_member(r, &over));
    if (over) break;
    MLPL_TRY(inflate_some(r, buf + *got, n - *got, &made));
    *got += made;
  }
  return MLPL_OK;
}

mlpl_status mlpli_reader_read(
    mlpl_ctx *cx, mlpli_reader *r, void *buf, size_t n, size_t *got) {
  (void)cx;
  *got = 0;
  return r->gzip ? read_gzip(r, buf, n, got) : read_plain(r, buf, n, got);
}

/* ---- a whole file ------------------------------------------------------------------ */

/* The size is where to begin, not what to rely on: the file may be a pipe, or change
   meanwhile. */
static mlpl_status load(
    mlpl_ctx *cx, int fd, const char *path, size_t room, char **bytes, size_t *n) {
  for (;;) {
    size_t got, bigger;
    char *p = mlpli_realloc(cx->heap, *bytes, room);
    if (!p) return mlpli_no_memory(cx, path, room);
    *bytes = p;
    MLPL_TRY(read_file(cx, fd, path, p + *n, room - *n, &got));
    *n += got;
    if (*n < room) return MLPL_OK;
    if (!mlpli_mul(room, 2, &bigger)) return mlpli_no_memory(cx, path, SIZE_MAX);
    room = bigger;
  }
}

mlpl_status mlpli_file_load(mlpl_ctx *cx, const char *path, void **bytes, size_t *n) {
  *bytes = NULL;
  *n = 0;
  int fd;
  size_t size, room;
  MLPL_TRY(open_file(cx, path, &fd, &size));
  /* One byte more than the file has, so that its end is met without growing. */
  if (!mlpli_add(size ? size : IN_BYTES, 1, &room)) room = SIZE_MAX;
  char *p = NULL;
  mlpl_status status = load(cx, fd, path, room, &p, n);
  close(fd);
  if (status != MLPL_OK) {
    mlpli_free(cx->heap, p);
    *n = 0;
  }
  else {
    *bytes = p;
  }
  return status;
}
