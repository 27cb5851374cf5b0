/* Reading safetensors. Nothing is allocated from a number in the file before it is
   checked against the file. */
#include "io/safetensors.h"

#include "base/file.h"
#include "io/json.h"
#include "io/st_types.h"

#include <stdio.h>
#include <string.h>

/* A text of the metadata. */
typedef struct pair {
  size_t key, value, n;
} pair;

struct mlpli_st {
  mlpl_ctx *cx;
  void *owned;               /* the file's bytes, or NULL */
  const unsigned char *data; /* behind the header */
  uint64_t data_bytes;
  mlpli_buffer text;           /* names and metadata */
  mlpli_buffer entries, pairs; /* mlpli_st_entry, pair */
  bool has_metadata;
  char where[MLPLI_PATH_TEXT];
};

static int64_t n_entries(const mlpli_st *st) {
  return (int64_t)(st->entries.n / sizeof(mlpli_st_entry));
}
static mlpli_st_entry *entry(const mlpli_st *st, int64_t i) {
  return (mlpli_st_entry *)(void *)st->entries.p + i;
}
static const char *name_of(const mlpli_st *st, const mlpli_st_entry *e) {
  return st->text.p + e->name;
}

/* ---- the header: fields of a tensor ------------------------------------------------ */

enum { DTYPE = 1, SHAPE = 2, OFFSETS = 4, ALL_FIELDS = 7 };

static mlpl_status bad_tensor(
    const mlpli_st *st, const mlpli_st_entry *e, const char *problem) {
  return mlpl_fail(
      st->cx, MLPL_EFORMAT, "%s: tensor '%.80s' %s", st->where, name_of(st, e), problem);
}

static mlpl_status read_dtype(mlpli_st *st, mlpli_json *j, mlpli_st_entry *e) {
  size_t n, start = st->text.n;
  char problem[80];
  MLPL_TRY(mlpli_json_string(j, &st->text, &n));
  int type = mlpli_st_type_find(st->text.p + start);
  snprintf(problem, sizeof problem, "has the unknown dtype '%.24s'", st->text.p + start);
  st->text.n = start; /* not kept */
  if (type < 0) return bad_tensor(st, e, problem);
  e->type = (uint8_t)type;
  return MLPL_OK;
}

static mlpl_status read_shape(mlpli_st *st, mlpli_json *j, mlpli_st_entry *e) {
  bool more;
  uint64_t size;
  MLPL_TRY(mlpli_json_open(j, '['));
  for (;;) {
    MLPL_TRY(mlpli_json_next(j, &more));
    if (!more) return MLPL_OK;
    MLPL_TRY(mlpli_json_whole(j, &size));
    if (e->ndim == MLPL_MAX_RANK) return bad_tensor(st, e, "has more than 8 axes");
    if (size > INT64_MAX) return bad_tensor(st, e, "has a size beyond 2^63");
    e->shape[e->ndim++] = (int64_t)size;
  }
}

static mlpl_status read_offsets(mlpli_st *st, mlpli_json *j, mlpli_st_entry *e) {
  bool more = true;
  uint64_t offset[2];
  int n = 0;
  MLPL_TRY(mlpli_json_open(j, '['));
  for (;;) {
    MLPL_TRY(mlpli_json_next(j, &more));
    if (!more) break;
    if (n == 2) return bad_tensor(st, e, "has more than two data_offsets");
    MLPL_TRY(mlpli_json_whole(j, &offset[n++]));
  }
  if (n < 2) return bad_tensor(st, e, "has less than two data_offsets");
  e->begin = offset[0];
  e->end = offset[1];
  return MLPL_OK;
}

static mlpl_status read_field(
    mlpli_st *st, mlpli_json *j, mlpli_st_entry *e, int *fields) {
  size_t n, start = st->text.n;
  char key[16] = "", problem[64];
  MLPL_TRY(mlpli_json_key(j, &st->text, &n));
  snprintf(key, sizeof key, "%s", st->text.p + start);
  st->text.n = start;
  int field = strcmp(key, "dtype") == 0  ? DTYPE
      : strcmp(key, "shape") == 0        ? SHAPE
      : strcmp(key, "data_offsets") == 0 ? OFFSETS
                                         : 0;
  if (field == 0 || n != strlen(key)) {
    snprintf(problem, sizeof problem, "has the unknown field '%s'", key);
    return bad_tensor(st, e, problem);
  }
  if (*fields & field) {
    snprintf(problem, sizeof problem, "has its %s twice", key);
    return bad_tensor(st, e, problem);
  }
  *fields |= field;
  return field == DTYPE ? read_dtype(st, j, e)
      : field == SHAPE  ? read_shape(st, j, e)
                        : read_offsets(st, j, e);
}

static mlpl_status read_entry(mlpli_st *st, mlpli_json *j, size_t name) {
  mlpli_st_entry e = {.name = name};
  int fields = 0;
  bool more;
  MLPL_TRY(mlpli_json_open(j, '{'));
  for (;;) {
    MLPL_TRY(mlpli_json_next(j, &more));
    if (!more) break;
    MLPL_TRY(read_field(st, j, &e, &fields));
  }
  if (!(fields & DTYPE)) return bad_tensor(st, &e, "has no dtype");
  if (!(fields & SHAPE)) return bad_tensor(st, &e, "has no shape");
  if (!(fields & OFFSETS)) return bad_tensor(st, &e, "has no data_offsets");
  return mlpli_buffer_add(&st->entries, &e, sizeof e);
}

/* ---- the header: metadata and the whole -------------------------------------------- */

static int64_t n_pairs(const mlpli_st *st) {
  return (int64_t)(st->pairs.n / sizeof(pair));
}
static const pair *pair_at(const mlpli_st *st, int64_t i) {
  return (const pair *)(void *)st->pairs.p + i;
}

static bool pair_less(const void *ud, int64_t a, int64_t b) {
  const mlpli_st *st = ud;
  return strcmp(st->text.p + pair_at(st, a)->key, st->text.p + pair_at(st, b)->key) < 0;
}

/* The numbers 0 to n - 1 in the order of what they stand for. Freed with mlpli_free. */
static mlpl_status sorted(mlpli_st *st, int64_t **order, int64_t n, mlpli_less *less) {
  MLPL_TRY(mlpli_new(st->cx, order, (size_t)n * sizeof **order, "safetensors"));
  for (int64_t i = 0; i < n; i++) (*order)[i] = i;
  mlpli_sort(*order, n, less, st);
  return MLPL_OK;
}

static mlpl_status check_pairs(mlpli_st *st) {
  int64_t *order;
  const char *twice = NULL;
  MLPL_TRY(sorted(st, &order, n_pairs(st), pair_less));
  for (int64_t i = 1; i < n_pairs(st) && !twice; i++)
    if (!pair_less(st, order[i - 1], order[i]))
      twice = st->text.p + pair_at(st, order[i])->key;
  mlpli_free(st->cx->heap, order);
  if (!twice) return MLPL_OK;
  return mlpl_fail(
      st->cx, MLPL_EFORMAT, "%s: metadata '%.80s' appears twice", st->where, twice);
}

static mlpl_status read_metadata(mlpli_st *st, mlpli_json *j) {
  bool more;
  size_t n;
  if (st->has_metadata)
    return mlpl_fail(st->cx, MLPL_EFORMAT, "%s: __metadata__ appears twice", st->where);
  st->has_metadata = true;
  MLPL_TRY(mlpli_json_open(j, '{'));
  for (;;) {
    MLPL_TRY(mlpli_json_next(j, &more));
    if (!more) return check_pairs(st);
    pair p = {.key = st->text.n};
    MLPL_TRY(mlpli_json_key(j, &st->text, &n));
    if (strlen(st->text.p + p.key) != n)
      return mlpl_fail(
          st->cx, MLPL_EFORMAT, "%s: a name in the metadata holds a NUL", st->where);
    if (mlpli_json_kind(j) != '"')
      return mlpl_fail(st->cx, MLPL_EFORMAT, "%s: metadata '%.80s' is not a string",
          st->where, st->text.p + p.key);
    p.value = st->text.n;
    MLPL_TRY(mlpli_json_string(j, &st->text, &p.n));
    MLPL_TRY(mlpli_buffer_add(&st->pairs, &p, sizeof p));
  }
}

static mlpl_status read_names(mlpli_st *st, mlpli_json *j) {
  bool more;
  size_t n;
  MLPL_TRY(mlpli_json_open(j, '{'));
  for (;;) {
    MLPL_TRY(mlpli_json_next(j, &more));
    if (!more) return mlpli_json_finish(j);
    size_t name = st->text.n;
    MLPL_TRY(mlpli_json_key(j, &st->text, &n));
    if (strlen(st->text.p + name) != n)
      return mlpl_fail(
          st->cx, MLPL_EFORMAT, "%s: a tensor's name holds a NUL", st->where);
    if (strcmp(st->text.p + name, "__metadata__") == 0)
      MLPL_TRY(read_metadata(st, j));
    else
      MLPL_TRY(read_entry(st, j, name));
  }
}

/* Its first 8 bytes are no length of a header; what kind of file it is, if that is known. */
static mlpl_status not_safetensors(mlpli_st *st, const unsigned char *bytes) {
  const char *kind = "";
  if (memcmp(bytes, "\x93NUMPY", 6) == 0) kind = " but an NPY file (mlpl.load reads it)";
  if (memcmp(bytes, "PK\3\4", 4) == 0)
    kind = " but a ZIP archive (mlpl.load reads NPZ; PyTorch's .pt files are not read)";
  return mlpl_fail(st->cx, MLPL_EFORMAT,
      "%s: this is not a safetensors file%s; model:save writes one, and in Python "
      "safetensors.torch.save_file does",
      st->where, kind);
}

/* Lengths first; then the text. */
static mlpl_status read_header(mlpli_st *st, const unsigned char *bytes, size_t n) {
  char where[MLPLI_PATH_TEXT + 16];
  uint64_t header = 0;
  if (n < 8)
    return mlpl_fail(st->cx, MLPL_EFORMAT, "%s: %zu bytes are too short for safetensors",
        st->where, n);
  for (int i = 8; i-- > 0;) header = header << 8 | bytes[i];
  if (header > MLPLI_ST_HEADER && (n < 9 || bytes[8] != '{'))
    return not_safetensors(st, bytes);
  if (header > MLPLI_ST_HEADER)
    return mlpl_fail(st->cx, MLPL_EFORMAT, "%s: a header of %llu bytes is too large",
        st->where, (unsigned long long)header);
  if (header > n - 8)
    return mlpl_fail(st->cx, MLPL_EFORMAT,
        "%s: the header should have %llu bytes, but the file ends after %zu", st->where,
        (unsigned long long)header, n - 8);
  if (header == 0 || bytes[8] != '{')
    return mlpl_fail(
        st->cx, MLPL_EFORMAT, "%s: the header does not begin with '{'", st->where);
  st->data = bytes + 8 + header;
  st->data_bytes = n - 8 - header;
  snprintf(where, sizeof where, "%s: header", st->where);
  mlpli_json j;
  MLPL_TRY(
      mlpli_json_start(&j, st->cx, where, (const char *)bytes + 8, (size_t)header, 3));
  return read_names(st, &j);
}

/* ---- the data ---------------------------------------------------------------------- */

static bool name_less(const void *ud, int64_t a, int64_t b) {
  const mlpli_st *st = ud;
  return strcmp(name_of(st, entry(st, a)), name_of(st, entry(st, b))) < 0;
}

static bool offset_less(const void *ud, int64_t a, int64_t b) {
  const mlpli_st_entry *x = entry(ud, a), *y = entry(ud, b);
  return x->begin < y->begin || (x->begin == y->begin && x->end < y->end);
}

/* Its sizes are those of its bytes. */
static mlpl_status check_size(mlpli_st *st, mlpli_st_entry *e) {
  uint64_t bits = mlpli_st_types[e->type].bits, numel = 1, bytes = 8;
  bool fits = true;
  for (int d = 0; d < e->ndim; d++) {
    fits = fits && !__builtin_mul_overflow(numel, (uint64_t)e->shape[d], &numel);
    /* Sizes beside a 0 count as well: strides are products of them. 8 is the largest
       element. */
    if (e->shape[d])
      fits = fits && !__builtin_mul_overflow(bytes, (uint64_t)e->shape[d], &bytes);
  }
  fits = fits && bytes <= INT64_MAX && !__builtin_mul_overflow(numel, bits, &bits);
  if (!fits) return bad_tensor(st, e, "has sizes whose product is too large");
  if (bits % 8) return bad_tensor(st, e, "does not end with a whole byte");
  e->numel = (int64_t)numel;
  if (bits / 8 == e->end - e->begin) return MLPL_OK;
  char problem[160], shape[MLPLI_SHAPE_TEXT];
  snprintf(problem, sizeof problem, "is %s %s, which is %llu bytes, but it has %llu",
      mlpli_st_types[e->type].name, mlpli_shape_text(shape, e->ndim, e->shape),
      (unsigned long long)(bits / 8), (unsigned long long)(e->end - e->begin));
  return bad_tensor(st, e, problem);
}

/* The tensors lie end to end and fill the data. */
static mlpl_status check_order(mlpli_st *st, const int64_t *order) {
  uint64_t start = 0;
  for (int64_t i = 0; i < n_entries(st); i++) {
    mlpli_st_entry *e = entry(st, order[i]);
    if (e->begin > start) return bad_tensor(st, e, "begins behind a hole in the data");
    if (e->begin < start) return bad_tensor(st, e, "overlaps the tensor before it");
    if (e->end < e->begin) return bad_tensor(st, e, "ends before it begins");
    start = e->end;
    MLPL_TRY(check_size(st, e));
  }
  if (start == st->data_bytes) return MLPL_OK;
  return mlpl_fail(st->cx, MLPL_EFORMAT,
      "%s: the tensors take %llu bytes, but the file has %llu for them", st->where,
      (unsigned long long)start, (unsigned long long)st->data_bytes);
}

/* Put the entries into the order of their names, which differ. */
static mlpl_status sort_entries(mlpli_st *st) {
  int64_t *order, n = n_entries(st);
  mlpli_st_entry *to = NULL;
  MLPL_TRY(sorted(st, &order, n, name_less));
  mlpl_status status = mlpli_new(st->cx, &to, (size_t)n * sizeof *to, "safetensors");
  for (int64_t i = 0; status == MLPL_OK && i < n; i++) {
    to[i] = *entry(st, order[i]);
    if (i > 0 && !name_less(st, order[i - 1], order[i]))
      status = bad_tensor(st, &to[i], "appears twice");
  }
  if (status == MLPL_OK && n) memcpy(st->entries.p, to, (size_t)n * sizeof *to);
  mlpli_free(st->cx->heap, to);
  mlpli_free(st->cx->heap, order);
  return status;
}

static mlpl_status read_all(mlpli_st *st, const void *bytes, size_t n) {
  int64_t *order;
  MLPL_TRY(read_header(st, bytes, n));
  MLPL_TRY(sort_entries(st));
  MLPL_TRY(sorted(st, &order, n_entries(st), offset_less));
  mlpl_status status = check_order(st, order);
  mlpli_free(st->cx->heap, order);
  return status;
}

/* ---- opening and asking ------------------------------------------------------------ */

mlpl_status mlpli_st_read_memory(
    mlpl_ctx *cx, mlpli_st **out, const char *where, const void *bytes, size_t n) {
  mlpli_st *st;
  *out = NULL;
  MLPL_TRY(mlpli_new(cx, &st, sizeof *st, "safetensors"));
  st->cx = cx;
  st->text = st->entries = st->pairs = mlpli_buffer_of(cx, "safetensors");
  mlpli_path_text(st->where, where);
  mlpl_status status = read_all(st, bytes, n);
  if (status != MLPL_OK)
    mlpli_st_close(st);
  else
    *out = st;
  return status;
}

mlpl_status mlpli_st_read(mlpl_ctx *cx, mlpli_st **st, const char *path) {
  void *bytes;
  size_t n;
  *st = NULL;
  MLPL_TRY(mlpli_file_load(cx, path, &bytes, &n));
  mlpl_status status = mlpli_st_read_memory(cx, st, path, bytes, n);
  if (status == MLPL_OK)
    (*st)->owned = bytes;
  else
    mlpli_free(cx->heap, bytes);
  return status;
}

void mlpli_st_close(mlpli_st *st) {
  if (!st) return;
  mlpli_buffer_free(&st->text);
  mlpli_buffer_free(&st->entries);
  mlpli_buffer_free(&st->pairs);
  mlpli_free(st->cx->heap, st->owned);
  mlpli_free(st->cx->heap, st);
}

const char *mlpli_st_where(const mlpli_st *st) { return st->where; }
int64_t mlpli_st_count(const mlpli_st *st) { return n_entries(st); }
const mlpli_st_entry *mlpli_st_at(const mlpli_st *st, int64_t i) { return entry(st, i); }
const char *mlpli_st_name(const mlpli_st *st, int64_t i) {
  return name_of(st, entry(st, i));
}
const char *mlpli_st_type(const mlpli_st *st, int64_t i) {
  return mlpli_st_types[entry(st, i)->type].name;
}

int64_t mlpli_st_find(const mlpli_st *st, const char *name) {
  int64_t low = 0, high = n_entries(st);
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    int order = strcmp(mlpli_st_name(st, middle), name);
    if (order == 0) return middle;
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return -1;
}

const char *mlpli_st_metadata(const mlpli_st *st, const char *key, size_t *n) {
  for (int64_t i = 0; i < n_pairs(st); i++) {
    if (strcmp(st->text.p + pair_at(st, i)->key, key) != 0) continue;
    *n = pair_at(st, i)->n;
    return st->text.p + pair_at(st, i)->value;
  }
  return NULL;
}

mlpl_status mlpli_st_tensor(const mlpli_st *st, mlpl_tensor **t, int64_t i) {
  const mlpli_st_entry *e = entry(st, i);
  *t = NULL;
  if (mlpli_st_types[e->type].becomes < 0) {
    char problem[64];
    snprintf(problem, sizeof problem, "is %s, which mlpl does not read",
        mlpli_st_types[e->type].name);
    return bad_tensor(st, e, problem);
  }
  MLPL_TRY(
      mlpli_tensor_make(st->cx, t, mlpli_st_types[e->type].becomes, e->ndim, e->shape));
  if (mlpli_st_decode(e->type, (*t)->data, st->data + e->begin, e->numel)) return MLPL_OK;
  mlpli_drop(t);
  return bad_tensor(st, e, "holds a number beyond 2^63");
}
