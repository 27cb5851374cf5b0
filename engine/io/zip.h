/*
** The part of ZIP that NPZ needs: members stored or deflated, ZIP64. Source: PKWARE
** APPNOTE.TXT 6.3.10; layout as Python's zipfile writes it. Internal.
*/
#ifndef MLPLI_ZIP_H
#define MLPLI_ZIP_H

#include "base/buffer.h"
#include "base/file.h"

/* ---- reading ----------------------------------------------------------------------- */

typedef struct mlpli_zip_entry {
  const char *name; /* name_n bytes of UTF-8, no 0 among them and none behind */
  size_t name_n;
  uint64_t begin, end;    /* in the file: from the local header to the data's end */
  uint64_t packed_n, n;   /* bytes in the file, bytes unpacked */
  const unsigned char *p; /* the packed bytes */
  uint32_t crc;
  bool deflated;
} mlpli_zip_entry;

typedef struct mlpli_zip {
  mlpl_ctx *cx;
  const unsigned char *bytes;
  size_t size;
  mlpli_buffer entries; /* mlpli_zip_entry, in the directory's order */
  char where[MLPLI_PATH_TEXT];
} mlpli_zip;

/*
** Check everything about the archive but the contents of members: that the directory and
** all members lie inside the bytes and apart from each other, that names are relative and
** differ, that no member claims more than its bytes can unpack to. Borrows the bytes until
** close. Folders are left out. Errors begin with "npz: <where>". On failure there is
** nothing to close.
*/
mlpl_status mlpli_zip_open(
    mlpl_ctx *cx, mlpli_zip *z, const char *where, const void *bytes, size_t size);
void mlpli_zip_close(mlpli_zip *z);

static inline int64_t mlpli_zip_count(const mlpli_zip *z) {
  return (int64_t)(z->entries.n / sizeof(mlpli_zip_entry));
}
static inline const mlpli_zip_entry *mlpli_zip_at(const mlpli_zip *z, int64_t i) {
  return (const mlpli_zip_entry *)(const void *)z->entries.p + i;
}

/* The e->n bytes of a member, its sum checked. *owned is freed with mlpli_free (NULL where
   the bytes lie in the archive itself). */
mlpl_status mlpli_zip_contents(
    const mlpli_zip *z, const mlpli_zip_entry *e, const unsigned char **p, void **owned);

/* ---- writing ----------------------------------------------------------------------- */

typedef struct mlpli_zip_writer {
  mlpl_ctx *cx;
  mlpli_writer *w;
  uint64_t at, count; /* bytes and members written */
  mlpli_buffer directory, packed;
} mlpli_zip_writer;

typedef struct mlpli_piece {
  const void *p;
  size_t n;
} mlpli_piece;

/* Borrows w. */
void mlpli_zip_begin(mlpl_ctx *cx, mlpli_zip_writer *z, mlpli_writer *w);
/* A member made of pieces, one behind the other. name: UTF-8, at most 65535 bytes. */
mlpl_status mlpli_zip_add(mlpli_zip_writer *z, const char *name,
    const mlpli_piece *pieces, int n_pieces, bool deflated);
/* The directory. */
mlpl_status mlpli_zip_finish(mlpli_zip_writer *z);
void mlpli_zip_end(mlpli_zip_writer *z); /* frees what the writer holds */

#endif
