/*
** Writing a file whole or not at all: into a temporary file in the same folder, which
** takes the name of the old one when every byte is on the disk. Whatever fails or dies
** before that leaves the old file as it was.
*/
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BUFFER_BYTES ((size_t)64 << 10)
#define NAME_BYTES 4096 /* of a path, as Linux limits it */
#define LINKS 40        /* followed from the path, as Linux limits them */

struct mlpli_writer {
  mlpl_ctx *cx;
  int fd; /* -1: closed */
  size_t n;
  char target[NAME_BYTES];    /* path, its links followed */
  char temporary[NAME_BYTES]; /* "" : none there */
  char buffer[BUFFER_BYTES];
  char path[]; /* as the caller wrote it, for messages */
};

#define NOT_REGULAR (-1) /* beside the errnos */

static mlpl_status failed(mlpli_writer *w, int error) {
  char shown[MLPLI_PATH_TEXT];
  if (error == NOT_REGULAR)
    return mlpl_fail(w->cx, MLPL_EIO,
        "cannot write %s: it is a device or a pipe, not a file",
        mlpli_path_text(shown, w->path));
  return mlpli_io_error(w->cx, "write", w->path, error);
}

/* Length of the folder's part, the slash included; 0: the current folder. */
static size_t folder_length(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? (size_t)(slash - path) + 1 : 0;
}

/*
** target := where path's links lead, so that renaming replaces the file and not the link.
** The last one may lead nowhere yet. Not realpath: it fails then. `temporary` is scratch.
** 0 or an errno.
*/
static int follow_links(mlpli_writer *w) {
  size_t n = strlen(w->path);
  if (n >= NAME_BYTES) return ENAMETOOLONG;
  memcpy(w->target, w->path, n + 1);
  for (int i = 0; i < LINKS; i++) {
    ssize_t got = readlink(w->target, w->temporary, NAME_BYTES - 1);
    if (got < 0) return errno == EINVAL || errno == ENOENT ? 0 : errno;
    size_t folder = w->temporary[0] == '/' ? 0 : folder_length(w->target);
    if (folder + (size_t)got >= NAME_BYTES) return ENAMETOOLONG;
    memcpy(w->target + folder, w->temporary, (size_t)got);
    w->target[folder + (size_t)got] = '\0';
  }
  return ELOOP;
}

/* May the target be replaced? Renaming over a device or a protected file would succeed,
   alas. */
static int check_target(const mlpli_writer *w, bool *exists, struct stat *st) {
  size_t n = strlen(w->target);
  *exists = stat(w->target, st) == 0;
  if (!*exists) {
    if (errno != ENOENT) return errno;
    return n == 0 ? ENOENT : w->target[n - 1] == '/' ? EISDIR : 0;
  }
  if (S_ISDIR(st->st_mode)) return EISDIR;
  if (!S_ISREG(st->st_mode)) return NOT_REGULAR;
  return faccessat(AT_FDCWD, w->target, W_OK, AT_EACCESS) == 0 ? 0 : errno;
}

/* Make the temporary file. Its name does not grow with the target's, which may be as long
   as allowed. */
static int create(mlpli_writer *w, mode_t mode) {
  size_t folder = folder_length(w->target);
  for (unsigned attempt = 0; attempt < 1000; attempt++) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    char name[80];
    int n = snprintf(name, sizeof name, ".mlpl-%ld-%llx%08lx-%u.tmp", (long)getpid(),
        (unsigned long long)now.tv_sec, (unsigned long)now.tv_nsec, attempt);
    if (folder + (size_t)n >= NAME_BYTES) return ENAMETOOLONG;
    memcpy(w->temporary, w->target, folder);
    memcpy(w->temporary + folder, name, (size_t)n + 1);
    w->fd = open(w->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (w->fd >= 0) return 0;
    if (errno != EEXIST && errno != EINTR) break;
  }
  int error = errno;
  w->temporary[0] = '\0';
  return error;
}

static int open_writer(mlpli_writer *w) {
  bool exists;
  struct stat st;
  int error = follow_links(w);
  if (!error) error = check_target(w, &exists, &st);
  w->temporary[0] = '\0';
  if (!error) error = create(w, exists ? 0600 : 0666);
  if (error || !exists) return error;
  /* The owner stays where we may give files away; the permissions must. */
  if (st.st_uid != geteuid() || st.st_gid != getegid())
    if (fchown(w->fd, st.st_uid, st.st_gid) != 0) errno = 0;
  return fchmod(w->fd, st.st_mode & 0777) == 0 ? 0 : errno;
}

mlpl_status mlpli_writer_open(mlpl_ctx *cx, mlpli_writer **out, const char *path) {
  *out = NULL;
  mlpli_writer *w;
  size_t n = strlen(path) + 1;
  MLPL_TRY(mlpli_new(cx, &w, sizeof *w + n, "writer"));
  w->cx = cx;
  w->fd = -1;
  w->n = 0;
  w->target[0] = w->temporary[0] = '\0';
  memcpy(w->path, path, n);
  int error = open_writer(w);
  if (error) {
    mlpl_status status = failed(w, error);
    mlpli_writer_abandon(w);
    return status;
  }
  *out = w;
  return MLPL_OK;
}

/* All n bytes to the system; 0 or an errno. */
static int put(int fd, const char *bytes, size_t n) {
  while (n > 0) {
    ssize_t part = write(fd, bytes, n < ((size_t)1 << 30) ? n : (size_t)1 << 30);
    if (part < 0 && errno == EINTR) continue;
    if (part <= 0) return part < 0 ? errno : EIO;
    bytes += part;
    n -= (size_t)part;
  }
  return 0;
}

static int flush(mlpli_writer *w) {
  int error = put(w->fd, w->buffer, w->n);
  w->n = 0;
  return error;
}

mlpl_status mlpli_writer_write(
    mlpl_ctx *cx, mlpli_writer *w, const void *bytes, size_t n) {
  (void)cx;
  int error = 0;
  if (n > BUFFER_BYTES - w->n) error = flush(w);
  if (error) return failed(w, error);
  if (n > BUFFER_BYTES) {
    error = put(w->fd, bytes, n);
  }
  else if (n > 0) {
    memcpy(w->buffer + w->n, bytes, n);
    w->n += n;
  }
  return error ? failed(w, error) : MLPL_OK;
}

/* 0 or an errno. Some file systems cannot sync and say EINVAL; there is nothing better to
   do there. */
static int sync_file(int fd) {
  int result;
  do result = fsync(fd);
  while (result != 0 && errno == EINTR);
  return result == 0 || errno == EINVAL || errno == ENOTSUP ? 0 : errno;
}

/* The new name itself has to reach the disk. A folder that we may write but not read
   cannot be synced. */
static int sync_folder(mlpli_writer *w) {
  size_t n = folder_length(w->target);
  memcpy(w->temporary, n ? w->target : "./", n ? n : 2);
  w->temporary[n ? n : 2] = '\0';
  int fd, error;
  do fd = open(w->temporary, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  while (fd < 0 && errno == EINTR);
  error = errno;
  w->temporary[0] = '\0';
  if (fd < 0) return error == EACCES ? 0 : error;
  error = sync_file(fd);
  close(fd);
  return error;
}

static int finish(mlpli_writer *w) {
  int error = flush(w);
  if (!error) error = sync_file(w->fd);
  /* After EINTR the file is closed on Linux; its bytes are synced, so nothing can be lost
     any more. */
  if (close(w->fd) != 0 && errno != EINTR && !error) error = errno;
  w->fd = -1;
  if (!error && rename(w->temporary, w->target) != 0) error = errno;
  if (error) return error;
  w->temporary[0] = '\0';
  return sync_folder(w);
}

mlpl_status mlpli_writer_commit(mlpl_ctx *cx, mlpli_writer *w) {
  (void)cx;
  int error = finish(w);
  mlpl_status status = error ? failed(w, error) : MLPL_OK;
  mlpli_writer_abandon(w);
  return status;
}

void mlpli_writer_abandon(mlpli_writer *w) {
  if (!w) return;
  if (w->fd >= 0) close(w->fd);
  if (w->temporary[0]) unlink(w->temporary);
  mlpli_free(w->cx->heap, w);
}
