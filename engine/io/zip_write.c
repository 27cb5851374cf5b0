/*
** Writing ZIP as Python's zipfile does for NumPy, byte for byte: dates of 1980, ZIP64 sizes
** in every local header. Members are summed and packed before their header is written, so
** that the file is never written backwards.
*/
#include "io/zip.h"

#include <zlib.h>

#define LARGE 0x7fffffffu /* beyond this zipfile writes ZIP64 numbers */
#define ALL_ONES 0xffffffffu
#define ONE_CALL ((size_t)1 << 30)
#define ROOM ((size_t)64 << 10)

enum { VERSION = 45, UNIX = 3, UTF8_NAME = 1 << 11, FIRST_OF_1980 = 1 << 5 | 1 };

/* A record put together. */
typedef struct record {
  unsigned char p[128];
  size_t n;
} record;

static void put(record *r, int bytes, uint64_t v) {
  for (int i = 0; i < bytes; i++) r->p[r->n++] = (unsigned char)(v >> 8 * i);
}
static void put_magic(record *r, int a, int b) {
  put(r, 4, (uint64_t)(a << 16 | b << 24) | 'P' | 'K' << 8);
}

typedef struct member {
  const char *name;
  size_t name_n;
  uint64_t n, packed_n, at;
  uint32_t crc;
  bool deflated, ascii;
} member;

void mlpli_zip_begin(mlpl_ctx *cx, mlpli_zip_writer *z, mlpli_writer *w) {
  *z = (mlpli_zip_writer){.cx = cx, .w = w};
  z->directory = z->packed = mlpli_buffer_of(cx, "npz");
}

void mlpli_zip_end(mlpli_zip_writer *z) {
  mlpli_buffer_free(&z->directory);
  mlpli_buffer_free(&z->packed);
}

static mlpl_status write_bytes(mlpli_zip_writer *z, const void *p, size_t n) {
  MLPL_TRY(mlpli_writer_write(z->cx, z->w, p, n));
  z->at += n;
  return MLPL_OK;
}

/* ---- the data ---------------------------------------------------------------------- */

static void sum_pieces(member *m, const mlpli_piece *pieces, int n_pieces) {
  uLong crc = crc32(0, NULL, 0);
  for (int i = 0; i < n_pieces; i++) {
    m->n += pieces[i].n;
    for (size_t at = 0; at < pieces[i].n;) {
      size_t rest = pieces[i].n - at, step = rest < ONE_CALL ? rest : ONE_CALL;
      crc = crc32(crc, (const unsigned char *)pieces[i].p + at, (unsigned)step);
      at += step;
    }
  }
  m->crc = (uint32_t)crc;
}

/* What deflate makes of what it was given, until it wants more. */
static mlpl_status drain(mlpli_zip_writer *z, z_stream *s, int flush) {
  do {
    MLPL_TRY(mlpli_buffer_reserve(&z->packed, ROOM));
    s->next_out = (unsigned char *)z->packed.p + z->packed.n;
    s->avail_out = (unsigned)ROOM;
    int code = deflate(s, flush);
    MLPL_ASSERT(code != Z_STREAM_ERROR);
    z->packed.n += ROOM - s->avail_out;
    if (code == Z_STREAM_END) break;
  } while (s->avail_out == 0);
  return MLPL_OK;
}

static mlpl_status deflate_pieces(
    mlpli_zip_writer *z, z_stream *s, const mlpli_piece *pieces, int n_pieces) {
  z->packed.n = 0;
  for (int i = 0; i < n_pieces; i++)
    for (size_t at = 0; at < pieces[i].n;) {
      size_t rest = pieces[i].n - at, step = rest < ONE_CALL ? rest : ONE_CALL;
      /* zlib 1.2 has no const */
      s->next_in = (unsigned char *)(uintptr_t)pieces[i].p + at;
      s->avail_in = (unsigned)step;
      MLPL_TRY(drain(z, s, Z_NO_FLUSH));
      at += step;
    }
  return drain(z, s, Z_FINISH);
}

static mlpl_status pack(
    mlpli_zip_writer *z, member *m, const mlpli_piece *pieces, int n_pieces) {
  z_stream s = {.zalloc = mlpli_z_alloc, .zfree = mlpli_z_free, .opaque = z->cx->heap};
  const int level = Z_DEFAULT_COMPRESSION, memory = 8;
  if (deflateInit2(&s, level, Z_DEFLATED, -MAX_WBITS, memory, Z_DEFAULT_STRATEGY) != Z_OK)
    return mlpli_no_memory(z->cx, "npz", (size_t)256 << 10);
  mlpl_status status = deflate_pieces(z, &s, pieces, n_pieces);
  deflateEnd(&s);
  m->packed_n = z->packed.n;
  return status;
}

/* ---- headers ----------------------------------------------------------------------- */

/* What local headers and entries of the directory share. */
static void put_common(record *r, const member *m) {
  put(r, 2, VERSION);
  put(r, 2, m->ascii ? 0 : UTF8_NAME);
  put(r, 2, m->deflated ? 8 : 0);
  put(r, 2, 0); /* time */
  put(r, 2, FIRST_OF_1980);
  put(r, 4, m->crc);
}

static mlpl_status write_local(mlpli_zip_writer *z, const member *m) {
  record r = {.n = 0}, extra = {.n = 0};
  put_magic(&r, 3, 4);
  put_common(&r, m);
  put(&r, 4, ALL_ONES);
  put(&r, 4, ALL_ONES);
  put(&r, 2, m->name_n);
  put(&r, 2, 20);
  put(&extra, 2, 1);
  put(&extra, 2, 16);
  put(&extra, 8, m->n);
  put(&extra, 8, m->packed_n);
  MLPL_TRY(write_bytes(z, r.p, r.n));
  MLPL_TRY(write_bytes(z, m->name, m->name_n));
  return write_bytes(z, extra.p, extra.n);
}

static mlpl_status add_entry(mlpli_zip_writer *z, const member *m) {
  record r = {.n = 0}, extra = {.n = 0};
  bool sizes = m->n > LARGE || m->packed_n > LARGE, at = m->at > LARGE;
  if (sizes || at) {
    put(&extra, 2, 1);
    put(&extra, 2, (sizes ? 16u : 0u) + (at ? 8u : 0u));
  }
  if (sizes) {
    put(&extra, 8, m->n);
    put(&extra, 8, m->packed_n);
  }
  if (at) put(&extra, 8, m->at);
  put_magic(&r, 1, 2);
  put(&r, 1, VERSION);
  put(&r, 1, UNIX);
  put_common(&r, m);
  put(&r, 4, sizes ? ALL_ONES : m->packed_n);
  put(&r, 4, sizes ? ALL_ONES : m->n);
  put(&r, 2, m->name_n);
  put(&r, 2, extra.n);
  put(&r, 2, 0); /* comment */
  put(&r, 2, 0); /* disk */
  put(&r, 2, 0); /* internal attributes */
  put(&r, 4, (uint64_t)0600 << 16);
  put(&r, 4, at ? ALL_ONES : m->at);
  MLPL_TRY(mlpli_buffer_add(&z->directory, r.p, r.n));
  MLPL_TRY(mlpli_buffer_add(&z->directory, m->name, m->name_n));
  return mlpli_buffer_add(&z->directory, extra.p, extra.n);
}

mlpl_status mlpli_zip_add(mlpli_zip_writer *z, const char *name,
    const mlpli_piece *pieces, int n_pieces, bool deflated) {
  member m = {.name = name, .name_n = strlen(name), .at = z->at};
  MLPL_ASSERT(m.name_n <= 0xffff);
  m.deflated = deflated;
  m.ascii = true;
  for (size_t i = 0; i < m.name_n; i++) m.ascii = m.ascii && (unsigned char)name[i] < 128;
  sum_pieces(&m, pieces, n_pieces);
  m.packed_n = m.n;
  if (deflated) MLPL_TRY(pack(z, &m, pieces, n_pieces));
  MLPL_TRY(write_local(z, &m));
  if (deflated) MLPL_TRY(write_bytes(z, z->packed.p, z->packed.n));
  for (int i = 0; i < n_pieces && !deflated; i++)
    MLPL_TRY(write_bytes(z, pieces[i].p, pieces[i].n));
  z->count++;
  return add_entry(z, &m);
}

static void put_end64(record *r, const mlpli_zip_writer *z, uint64_t at, uint64_t size) {
  put_magic(r, 6, 6);
  put(r, 8, 44); /* bytes that follow in this record */
  put(r, 2, VERSION);
  put(r, 2, VERSION);
  put(r, 8, 0); /* disks */
  put(r, 8, z->count);
  put(r, 8, z->count);
  put(r, 8, size);
  put(r, 8, at);
  put_magic(r, 6, 7);
  put(r, 4, 0);
  put(r, 8, at + size);
  put(r, 4, 1);
}

mlpl_status mlpli_zip_finish(mlpli_zip_writer *z) {
  record r = {.n = 0};
  uint64_t at = z->at, size = z->directory.n;
  bool large = z->count > 0xffff || at > LARGE || size > LARGE;
  MLPL_TRY(write_bytes(z, z->directory.p, z->directory.n));
  if (large) put_end64(&r, z, at, size);
  uint64_t count = z->count < 0xffff ? z->count : 0xffff;
  put_magic(&r, 5, 6);
  put(&r, 4, 0); /* disks */
  put(&r, 2, count);
  put(&r, 2, count);
  put(&r, 4, size < ALL_ONES ? size : ALL_ONES);
  put(&r, 4, at < ALL_ONES ? at : ALL_ONES);
  put(&r, 2, 0); /* comment */
  return write_bytes(z, r.p, r.n);
}
