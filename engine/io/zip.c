/* Reading ZIP. No number of the file is used before it was checked against its length. */
#include "io/zip.h"

#include "io/json.h"

#include <zlib.h>

enum { END_BYTES = 22, LOCATOR_BYTES = 20, END64_BYTES = 56, ENTRY_BYTES = 46 };
enum { LOCAL_BYTES = 30 };
enum { STORED = 0, DEFLATED = 8 };
enum { ENCRYPTED = 1, PATCHED = 1 << 5, STRONG = 1 << 6 }; /* general purpose flags */

/* Deflate makes at most 258 bytes from 2 bits; a block has a few bytes of its own. */
#define MOST_TIMES 1032
#define ONE_CALL ((size_t)1 << 30) /* zlib's counters */

static uint16_t u16(const unsigned char *p) { return (uint16_t)(p[0] | p[1] << 8); }
static uint32_t u32(const unsigned char *p) {
  return u16(p) | (uint32_t)u16(p + 2) << 16;
}
static uint64_t u64(const unsigned char *p) {
  return u32(p) | (uint64_t)u32(p + 4) << 32;
}

static mlpl_status bad(const mlpli_zip *z, const char *problem) {
  return mlpl_fail(z->cx, MLPL_EFORMAT, "npz: %s: %s", z->where, problem);
}

static mlpl_status bad_member(
    const mlpli_zip *z, const mlpli_zip_entry *e, const char *problem) {
  return mlpl_fail(z->cx, MLPL_EFORMAT, "npz: %s: member '%.*s' %s", z->where,
      e->name_n < 80 ? (int)e->name_n : 80, e->name, problem);
}

/* ---- the end: where the directory is ----------------------------------------------- */

typedef struct directory {
  uint64_t begin, end, count;
} directory;

/* The end record is the last thing in the file; only its comment may follow. */
static const unsigned char *find_end(const mlpli_zip *z) {
  if (z->size < END_BYTES) return NULL;
  for (size_t comment = 0; comment <= 0xffff && comment + END_BYTES <= z->size;
       comment++) {
    const unsigned char *p = z->bytes + z->size - END_BYTES - comment;
    if (memcmp(p, "PK\5\6", 4) == 0 && u16(p + 20) == comment) return p;
  }
  return NULL;
}

/* The numbers that did not fit the end record; *at is where the directory has to stop. */
static mlpl_status read_end64(
    const mlpli_zip *z, const unsigned char *locator, directory *d, uint64_t *at) {
  uint64_t from = u64(locator + 8), limit = (uint64_t)(locator - z->bytes);
  if (u32(locator + 4) != 0 || u32(locator + 16) > 1)
    return bad(z, "the archive is cut into several files");
  if (limit < END64_BYTES || from > limit - END64_BYTES ||
      memcmp(z->bytes + from, "PK\6\6", 4) != 0)
    return bad(z, "the ZIP64 end record is not where it should be");
  const unsigned char *p = z->bytes + from;
  if (u64(p + 4) != limit - from - 12)
    return bad(z, "the ZIP64 end record has a wrong size");
  if (u32(p + 16) != 0 || u32(p + 20) != 0 || u64(p + 24) != u64(p + 32))
    return bad(z, "the archive is cut into several files");
  d->count = u64(p + 32);
  d->end = u64(p + 40); /* a size so far */
  d->begin = u64(p + 48);
  *at = from;
  return MLPL_OK;
}

static mlpl_status find_directory(const mlpli_zip *z, directory *d) {
  const unsigned char *end = find_end(z);
  if (!end)
    return bad(z,
        z->size >= 4 && memcmp(z->bytes, "PK\3\4", 4) == 0
            ? "the archive is truncated: it has no end record"
            : "this is no NPZ file: it has no ZIP end record");
  uint64_t at = (uint64_t)(end - z->bytes);
  *d = (directory){.count = u16(end + 10), .end = u32(end + 12), .begin = u32(end + 16)};
  bool large = d->count == 0xffff || d->end == 0xffffffff || d->begin == 0xffffffff;
  if (large && at >= LOCATOR_BYTES && memcmp(end - LOCATOR_BYTES, "PK\6\7", 4) == 0)
    MLPL_TRY(read_end64(z, end - LOCATOR_BYTES, d, &at));
  else if (u16(end + 4) != 0 || u16(end + 6) != 0 || u16(end + 8) != d->count)
    return bad(z, "the archive is cut into several files");
  if (d->begin > at || d->end != at - d->begin)
    return bad(z, "the directory does not lie before the end record");
  d->end = at;
  if (d->count > (d->end - d->begin) / ENTRY_BYTES)
    return bad(z, "the directory has no room for its members");
  return MLPL_OK;
}

/* ---- a member ---------------------------------------------------------------------- */

/* Numbers that did not fit the entry, in this order, each only where it is all ones. */
static bool read_extra64(
    const unsigned char *p, size_t n, mlpli_zip_entry *e, bool sizes[3]) {
  uint64_t *to[] = {&e->n, &e->packed_n, &e->begin};
  if (!sizes[0] && !sizes[1] && !sizes[2]) return true;
  while (n >= 4) {
    size_t field = u16(p + 2);
    if (field > n - 4) return false;
    if (u16(p) == 1) {
      p += 4;
      for (int i = 0; i < 3; i++) {
        if (!sizes[i]) continue;
        if (field < 8) return false;
        *to[i] = u64(p);
        p += 8, field -= 8;
      }
      return true;
    }
    p += 4 + field, n -= 4 + field;
  }
  return false;
}

/* A name is a key, nothing is ever written under it; but a file whose names lead out of
   their folder was made to harm somebody. */
static const char *name_problem(const mlpli_zip_entry *e) {
  const char *p = e->name, *end = p + e->name_n;
  if (e->name_n == 0) return "a member has no name";
  if (memchr(p, '\\', e->name_n) || *p == '/')
    return "a member has a name that is no relative path";
  if (!mlpli_utf8_valid(p, e->name_n, &(size_t){0}))
    return "a member has a name that is not UTF-8";
  for (size_t i = 0; i < e->name_n; i++)
    if ((unsigned char)p[i] < 32 || p[i] == 127)
      return "a member has a control character in its name";
  while (p < end) {
    const char *slash = memchr(p, '/', (size_t)(end - p));
    size_t n = (size_t)((slash ? slash : end) - p);
    if (n == 0 || (n <= 2 && memcmp(p, "..", n) == 0))
      return "a member has a name that is no relative path";
    if (!slash) break;
    p = slash + 1;
  }
  return NULL;
}

/* The local header only says where the data begins; it must be of the same member. */
static const char *find_data(
    const mlpli_zip *z, const directory *d, mlpli_zip_entry *e, int method) {
  if (e->begin > d->begin || d->begin - e->begin < LOCAL_BYTES)
    return "lies outside the archive";
  const unsigned char *p = z->bytes + e->begin;
  if (memcmp(p, "PK\3\4", 4) != 0) return "is not where the directory says";
  uint64_t head = LOCAL_BYTES + (uint64_t)u16(p + 26) + u16(p + 28);
  if (head > d->begin - e->begin || e->packed_n > d->begin - e->begin - head)
    return "is truncated";
  if (u16(p + 8) != method || u16(p + 26) != e->name_n ||
      memcmp(p + LOCAL_BYTES, e->name, e->name_n) != 0)
    return "differs from the directory";
  e->p = p + head;
  e->end = e->begin + head + e->packed_n;
  return NULL;
}

static const char *check_entry(
    const mlpli_zip *z, const directory *d, mlpli_zip_entry *e, int flags, int method) {
  if (flags & (ENCRYPTED | STRONG)) return "is encrypted";
  if (method != STORED && method != DEFLATED) return "is packed by an unknown method";
  if (flags & PATCHED) return "is a patch";
  e->deflated = method == DEFLATED;
  const char *problem = find_data(z, d, e, method);
  if (problem) return problem;
  if (!e->deflated && e->packed_n != e->n) return "has two sizes";
  if (e->deflated && e->n / MOST_TIMES > e->packed_n)
    return "claims more bytes than its data can unpack to";
  return e->n > SIZE_MAX ? "is too large" : NULL;
}

/* The entry at *at, which is moved behind it. */
static mlpl_status read_entry(mlpli_zip *z, const directory *d, uint64_t *at) {
  const unsigned char *p = z->bytes + *at;
  uint64_t room = d->end - *at;
  if (room < ENTRY_BYTES || memcmp(p, "PK\1\2", 4) != 0)
    return bad(z, "the directory is damaged");
  size_t name = u16(p + 28), extra = u16(p + 30), comment = u16(p + 32);
  if (name + extra + comment > room - ENTRY_BYTES)
    return bad(z, "the directory is damaged");
  *at += ENTRY_BYTES + name + extra + comment;
  mlpli_zip_entry e = {.name = (const char *)p + ENTRY_BYTES,
      .name_n = name,
      .crc = u32(p + 16),
      .packed_n = u32(p + 20),
      .n = u32(p + 24),
      .begin = u32(p + 42)};
  bool large[3] = {e.n == 0xffffffff, e.packed_n == 0xffffffff, e.begin == 0xffffffff};
  const char *problem = name_problem(&e);
  if (problem) return bad(z, problem);
  if (!read_extra64(p + ENTRY_BYTES + name, extra, &e, large))
    problem = "lacks its ZIP64 sizes";
  if (!problem && u16(p + 34) != 0) problem = "is in another file";
  if (!problem) problem = check_entry(z, d, &e, u16(p + 8), u16(p + 10));
  if (problem) return bad_member(z, &e, problem);
  if (e.name[name - 1] == '/' && e.n == 0) return MLPL_OK; /* a folder */
  return mlpli_buffer_add(&z->entries, &e, sizeof e);
}

/* ---- members among each other ------------------------------------------------------ */

static int compare_names(const mlpli_zip_entry *a, const mlpli_zip_entry *b) {
  int order = memcmp(a->name, b->name, a->name_n < b->name_n ? a->name_n : b->name_n);
  return order ? order : (a->name_n > b->name_n) - (a->name_n < b->name_n);
}

static bool name_less(const void *z, int64_t a, int64_t b) {
  return compare_names(mlpli_zip_at(z, a), mlpli_zip_at(z, b)) < 0;
}
static bool begin_less(const void *z, int64_t a, int64_t b) {
  return mlpli_zip_at(z, a)->begin < mlpli_zip_at(z, b)->begin;
}

static mlpl_status check_members(const mlpli_zip *z) {
  int64_t n = mlpli_zip_count(z), *order;
  MLPL_TRY(mlpli_new(z->cx, &order, (size_t)n * sizeof *order, "npz"));
  for (int64_t i = 0; i < n; i++) order[i] = i;
  mlpl_status status = MLPL_OK;
  mlpli_sort(order, n, begin_less, z);
  for (int64_t i = 1; i < n && status == MLPL_OK; i++)
    if (mlpli_zip_at(z, order[i])->begin < mlpli_zip_at(z, order[i - 1])->end)
      status = bad_member(z, mlpli_zip_at(z, order[i]), "overlaps another");
  mlpli_sort(order, n, name_less, z);
  for (int64_t i = 1; i < n && status == MLPL_OK; i++)
    if (!name_less(z, order[i - 1], order[i]))
      status = bad_member(z, mlpli_zip_at(z, order[i]), "appears twice");
  mlpli_free(z->cx->heap, order);
  return status;
}

static mlpl_status read_directory(mlpli_zip *z) {
  directory d = {0};
  MLPL_TRY(find_directory(z, &d));
  uint64_t at = d.begin;
  for (uint64_t i = 0; i < d.count; i++) MLPL_TRY(read_entry(z, &d, &at));
  if (at != d.end) return bad(z, "the directory is damaged");
  return check_members(z);
}

mlpl_status mlpli_zip_open(
    mlpl_ctx *cx, mlpli_zip *z, const char *where, const void *bytes, size_t size) {
  *z = (mlpli_zip){.cx = cx, .bytes = bytes, .size = size};
  z->entries = mlpli_buffer_of(cx, "npz");
  mlpli_path_text(z->where, where);
  mlpl_status status = read_directory(z);
  if (status != MLPL_OK) mlpli_zip_close(z);
  return status;
}

void mlpli_zip_close(mlpli_zip *z) { mlpli_buffer_free(&z->entries); }

/* ---- unpacking --------------------------------------------------------------------- */

/* All of a member into out, which has room for e->n bytes and gets exactly as many. */
static mlpl_status unpack(
    z_stream *s, const mlpli_zip *z, const mlpli_zip_entry *e, unsigned char *out) {
  uint64_t used = 0, made = 0;
  int code = Z_OK;
  while (code == Z_OK) {
    unsigned char beyond; /* zlib wants room even where nothing is to come */
    uint64_t in = e->packed_n - used, room = e->n - made;
    s->next_in = (unsigned char *)(uintptr_t)(e->p + used); /* zlib 1.2 has no const */
    s->avail_in = (unsigned)(in < ONE_CALL ? in : ONE_CALL);
    s->next_out = room ? out + made : &beyond;
    s->avail_out = (unsigned)(room == 0 ? 1 : room < ONE_CALL ? room : ONE_CALL);
    unsigned had = s->avail_out, given = s->avail_in;
    code = inflate(s, Z_NO_FLUSH);
    used += given - s->avail_in;
    if (room == 0 && s->avail_out == 0)
      return bad_member(z, e, "unpacks to more bytes than it claims");
    if (room) made += had - s->avail_out;
  }
  if (code == Z_MEM_ERROR) return mlpli_no_memory(z->cx, "npz", (size_t)1 << MAX_WBITS);
  if (code != Z_STREAM_END)
    return bad_member(z, e, "is damaged: its data cannot be unpacked");
  if (made != e->n) return bad_member(z, e, "unpacks to fewer bytes than it claims");
  if (used != e->packed_n) return bad_member(z, e, "has bytes behind its data");
  return MLPL_OK;
}

static mlpl_status inflate_member(
    const mlpli_zip *z, const mlpli_zip_entry *e, unsigned char *out) {
  z_stream s = {.zalloc = mlpli_z_alloc, .zfree = mlpli_z_free, .opaque = z->cx->heap};
  if (inflateInit2(&s, -MAX_WBITS) != Z_OK)
    return mlpli_no_memory(z->cx, "npz", (size_t)1 << MAX_WBITS);
  mlpl_status status = unpack(&s, z, e, out);
  inflateEnd(&s);
  return status;
}

static uint32_t sum_of(const unsigned char *p, uint64_t n) {
  uLong crc = crc32(0, NULL, 0);
  for (uint64_t at = 0; at < n;) {
    uint64_t step = n - at < ONE_CALL ? n - at : ONE_CALL;
    crc = crc32(crc, p + at, (unsigned)step);
    at += step;
  }
  return (uint32_t)crc;
}

mlpl_status mlpli_zip_contents(
    const mlpli_zip *z, const mlpli_zip_entry *e, const unsigned char **p, void **owned) {
  *p = e->p;
  *owned = NULL;
  mlpl_status status = MLPL_OK;
  if (e->deflated) {
    MLPL_TRY(mlpli_new(z->cx, owned, (size_t)e->n, "npz"));
    status = inflate_member(z, e, *owned);
    *p = *owned;
  }
  if (status == MLPL_OK && sum_of(*p, e->n) != e->crc)
    status = bad_member(z, e, "is damaged: its CRC-32 is wrong");
  if (status == MLPL_OK) return MLPL_OK;
  mlpli_free(z->cx->heap, *owned);
  *owned = NULL;
  *p = NULL;
  return status;
}
