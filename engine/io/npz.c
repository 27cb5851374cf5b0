/* NPZ: a ZIP archive whose members are NPY files, each called after its array. */
#include "io/npy.h"
#include "io/tensors.h"
#include "io/zip.h"

#include <stdio.h>

#define ENDING ".npy"
enum { ENDING_BYTES = 4, MOST_NAME = 0xffff };
#define LARGE ((size_t)256 << 10) /* a file */

/* ---- reading ----------------------------------------------------------------------- */

static mlpl_status read_member(
    mlpl_tensors *list, const mlpli_zip *z, const mlpli_zip_entry *e) {
  mlpl_ctx *cx = list->cx;
  char where[MLPLI_PATH_TEXT + 128];
  const unsigned char *p;
  void *owned;
  mlpl_tensor *t = NULL;
  int shown = e->name_n < 80 ? (int)e->name_n : 80;
  snprintf(where, sizeof where, "npz: %s: member '%.*s'", z->where, shown, e->name);
  if (e->name_n < ENDING_BYTES ||
      memcmp(e->name + e->name_n - ENDING_BYTES, ENDING, ENDING_BYTES) != 0)
    return mlpl_fail(
        cx, MLPL_EFORMAT, "%s is no array: its name does not end with .npy", where);
  MLPL_TRY(mlpli_zip_contents(z, e, &p, &owned));
  mlpl_status status = mlpli_npy_decode(cx, &t, where, p, (size_t)e->n);
  mlpli_free(cx->heap, owned);
  if (status == MLPL_OK)
    status = mlpli_tensors_add(list, e->name, e->name_n - ENDING_BYTES, t);
  mlpl_tensor_release(t);
  return status;
}

static mlpl_status read_members(mlpl_tensors *list, const mlpli_zip *z) {
  for (int64_t i = 0; i < mlpli_zip_count(z); i++)
    MLPL_TRY(read_member(list, z, mlpli_zip_at(z, i)));
  return MLPL_OK;
}

static mlpl_status decode(
    mlpl_ctx *cx, mlpl_tensors **list, const char *where, const void *bytes, size_t n) {
  mlpli_zip z;
  *list = NULL;
  MLPL_TRY(mlpli_zip_open(cx, &z, where, bytes, n));
  mlpl_status status = mlpli_tensors_new(cx, list);
  if (status == MLPL_OK) status = read_members(*list, &z);
  mlpli_zip_close(&z);
  if (status == MLPL_OK) return MLPL_OK;
  mlpl_tensors_release(*list);
  *list = NULL;
  return status;
}

mlpl_status mlpl_npz_read_memory(
    mlpl_ctx *cx, mlpl_tensors **list, const void *bytes, size_t n) {
  return decode(cx, list, "archive in memory", bytes, n);
}

mlpl_status mlpl_npz_read(mlpl_ctx *cx, mlpl_tensors **list, const char *path) {
  void *bytes;
  size_t n;
  *list = NULL;
  MLPL_TRY(mlpli_file_load(cx, path, &bytes, &n));
  mlpl_status status = decode(cx, list, path, bytes, n);
  mlpli_free(cx->heap, bytes);
  /* blocks of these sizes are not asked for again */
  if (n > LARGE) mlpli_heap_trim(cx->heap);
  return status;
}

/* ---- writing ----------------------------------------------------------------------- */

/* Names as the reader takes them, so that what was written can be read. */
static mlpl_status check_name(mlpl_ctx *cx, const char *name) {
  size_t n = strlen(name);
  bool good = *name != '/' && !strchr(name, '\\');
  for (const char *p = name; good;) {
    size_t part = strcspn(p, "/");
    /* the last part is followed by .npy */
    good = p[part] == '\0' || (part > 0 && !(part <= 2 && memcmp(p, "..", part) == 0));
    if (p[part] == '\0') break;
    p += part + 1;
  }
  for (size_t i = 0; i < n; i++)
    if ((unsigned char)name[i] < 32 || name[i] == 127)
      return mlpl_fail(
          cx, MLPL_EARG, "npz: the name of an array has a control character");
  if (!good)
    return mlpl_fail(cx, MLPL_EARG,
        "npz: the name '%.80s' is no relative path without . and ..", name);
  if (n > MOST_NAME - ENDING_BYTES)
    return mlpl_fail(cx, MLPL_EARG, "npz: a name has %zu bytes; there may be %d", n,
        MOST_NAME - ENDING_BYTES);
  return MLPL_OK;
}

static mlpl_status write_array(
    mlpli_zip_writer *z, mlpli_buffer *name, const mlpl_named *item, bool compressed) {
  unsigned char head[MLPLI_NPY_HEAD];
  mlpl_tensor *whole;
  name->n = 0;
  MLPL_TRY(mlpli_buffer_add(name, item->name, strlen(item->name)));
  MLPL_TRY(mlpli_buffer_add(name, ENDING, ENDING_BYTES + 1));
  MLPL_TRY(mlpli_tensor_contiguous(z->cx, &whole, item->tensor));
  size_t bytes = (size_t)whole->numel * mlpli_dtype_size[whole->dtype];
  mlpli_piece pieces[] = {{head, mlpli_npy_head(head, whole)}, {whole->data, bytes}};
  mlpl_status status = mlpli_zip_add(z, name->p, pieces, 2, compressed);
  mlpl_tensor_release(whole);
  return status;
}

static mlpl_status write_all(
    mlpl_ctx *cx, mlpli_writer *w, const mlpl_named *items, int64_t n, bool compressed) {
  mlpli_zip_writer z;
  mlpli_buffer name = mlpli_buffer_of(cx, "npz");
  mlpl_status status = MLPL_OK;
  mlpli_zip_begin(cx, &z, w);
  for (int64_t i = 0; i < n && status == MLPL_OK; i++)
    status = write_array(&z, &name, &items[i], compressed);
  if (status == MLPL_OK) status = mlpli_zip_finish(&z);
  mlpli_zip_end(&z);
  mlpli_buffer_free(&name);
  return status;
}

mlpl_status mlpl_npz_write(
    mlpl_ctx *cx, const mlpl_named *items, int64_t n, bool compressed, const char *path) {
  mlpli_writer *w;
  MLPL_TRY(mlpli_named_check(cx, "npz", items, n));
  for (int64_t i = 0; i < n; i++) MLPL_TRY(check_name(cx, items[i].name));
  MLPL_TRY(mlpli_writer_open(cx, &w, path));
  mlpl_status status = write_all(cx, w, items, n, compressed);
  if (status == MLPL_OK) return mlpli_writer_commit(cx, w);
  mlpli_writer_abandon(w);
  return status;
}
