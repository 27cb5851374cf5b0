/*
** NPY. The header is Python source, so it is read by a parser of its own that knows one
** dict with three keys; nothing is evaluated, and objects (pickles) are refused.
*/
#include "io/npy.h"

#include "base/file.h"
#include "io/st_types.h"

#include <stdio.h>

#define LARGE ((size_t)256 << 10) /* a file */
#define MAGIC "\x93NUMPY"
enum { MAGIC_BYTES = 6, MOST_HEADER = 10000 }; /* NumPy's limit, too */

typedef struct npy {
  mlpl_ctx *cx;
  const char *where;
  const unsigned char *p, *end; /* what is left of the header */
  int type;                     /* mlpli_st_code */
  bool swap, fortran;
  int ndim;
  int64_t shape[MLPL_MAX_RANK], numel;
} npy;

static mlpl_status bad(const npy *f, const char *problem) {
  return mlpl_fail(f->cx, MLPL_EFORMAT, "%s: %s", f->where, problem);
}

/* ---- the header's language --------------------------------------------------------- */

static void skip_blanks(npy *f) {
  while (f->p < f->end && memchr(" \t\n\r\f", *f->p, 5)) f->p++;
}

/* Is c next? Then it is read. */
static bool take(npy *f, char c) {
  skip_blanks(f);
  if (f->p == f->end || *f->p != (unsigned char)c) return false;
  f->p++;
  return true;
}

static bool take_word(npy *f, const char *word) {
  size_t n = strlen(word);
  skip_blanks(f);
  if ((size_t)(f->end - f->p) < n || memcmp(f->p, word, n) != 0) return false;
  f->p += n;
  return true;
}

#define MOST_TEXT 32

/* A string without escapes; a longer one than there can be is no match for anything. */
static bool take_text(npy *f, char text[MOST_TEXT]) {
  skip_blanks(f);
  if (f->p == f->end || (*f->p != '\'' && *f->p != '"')) return false;
  unsigned char quote = *f->p++;
  size_t n = 0;
  for (; f->p < f->end && *f->p != quote; f->p++) {
    if (*f->p < 32 || *f->p == '\\') return false;
    if (n < MOST_TEXT - 1) text[n++] = (char)*f->p;
  }
  text[n] = '\0';
  return f->p++ < f->end;
}

/* Digits, and the L that Python 2 wrote behind some. */
static mlpl_status read_size(npy *f, int64_t *size) {
  skip_blanks(f);
  const unsigned char *start = f->p;
  *size = 0;
  for (; f->p < f->end && *f->p >= '0' && *f->p <= '9'; f->p++)
    if (__builtin_mul_overflow(*size, 10, size) ||
        __builtin_add_overflow(*size, *f->p - '0', size))
      return bad(f, "a size in the shape is beyond 2^63");
  if (f->p == start) return bad(f, "the header's shape is no tuple of sizes");
  if (f->p < f->end && *f->p == 'L') f->p++;
  return MLPL_OK;
}

/* (), (3,), (3, 4), (3, 4,); a number in brackets is no tuple in Python. */
static mlpl_status read_shape(npy *f) {
  bool comma = true;
  int n = 0;
  if (!take(f, '(')) return bad(f, "the header's shape is no tuple of sizes");
  while (!take(f, ')')) {
    int64_t size;
    if (!comma) return bad(f, "the header's shape is no tuple of sizes");
    MLPL_TRY(read_size(f, &size));
    if (n == MLPL_MAX_RANK)
      return bad(f, "the array has more than 8 axes, which no tensor has");
    f->shape[n++] = size;
    comma = take(f, ',');
  }
  if (n == 1 && !comma) return bad(f, "the header's shape is no tuple of sizes");
  f->ndim = n;
  return MLPL_OK;
}

/* ---- dtypes ------------------------------------------------------------------------ */

static const struct {
  char text[3];
  uint8_t type;
} types[] = {{"f2", MLPLI_ST_F16}, {"f4", MLPLI_ST_F32}, {"f8", MLPLI_ST_F64},
    {"i1", MLPLI_ST_I8}, {"i2", MLPLI_ST_I16}, {"i4", MLPLI_ST_I32}, {"i8", MLPLI_ST_I64},
    {"u1", MLPLI_ST_U8}, {"u2", MLPLI_ST_U16}, {"u4", MLPLI_ST_U32}, {"u8", MLPLI_ST_U64},
    {"b1", MLPLI_ST_BOOL}};

static mlpl_status find_dtype(npy *f, const char *text) {
  char problem[160];
  if (*text == '\0' || !strchr("<>=|", *text))
    return bad(f, "the header's dtype has no byte order (<, >, = or |)");
  if (text[1] == 'O')
    return bad(f,
        "the array holds Python objects (a pickle), which could run code when read; save "
        "it as numbers");
  for (int i = 0; i < (int)(sizeof types / sizeof *types); i++)
    if (strcmp(types[i].text, text + 1) == 0) {
      f->type = types[i].type;
      f->swap = *text == '>';
      return MLPL_OK;
    }
  snprintf(problem, sizeof problem,
      "dtype '%.20s' is not read; these are: f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1", text);
  return bad(f, problem);
}

static mlpl_status read_dtype(npy *f) {
  char text[MOST_TEXT];
  skip_blanks(f);
  if (f->p < f->end && (*f->p == '[' || *f->p == '('))
    return bad(f, "the array is structured (a table of named fields), which is not read");
  if (!take_text(f, text)) return bad(f, "the header's dtype is no string");
  return find_dtype(f, text);
}

/* ---- the header -------------------------------------------------------------------- */

enum { DESCR = 1, ORDER = 2, SHAPE = 4, ALL_KEYS = 7 };

static mlpl_status read_order(npy *f) {
  f->fortran = take_word(f, "True");
  if (f->fortran || take_word(f, "False")) return MLPL_OK;
  return bad(f, "the header's fortran_order is neither True nor False");
}

static mlpl_status read_entry(npy *f, int *keys) {
  char key[MOST_TEXT];
  if (!take_text(f, key) || !take(f, ':')) return bad(f, "the header is damaged");
  int one = strcmp(key, "descr") == 0     ? DESCR
      : strcmp(key, "fortran_order") == 0 ? ORDER
      : strcmp(key, "shape") == 0         ? SHAPE
                                          : 0;
  if (!one || *keys & one)
    return bad(f, "the header's keys must be descr, fortran_order and shape, each once");
  *keys |= one;
  return one == DESCR ? read_dtype(f) : one == ORDER ? read_order(f) : read_shape(f);
}

static mlpl_status read_dict(npy *f) {
  int keys = 0;
  bool comma = true;
  if (!take(f, '{')) return bad(f, "the header is no Python dict");
  while (!take(f, '}')) {
    if (!comma) return bad(f, "the header is damaged");
    MLPL_TRY(read_entry(f, &keys));
    comma = take(f, ',');
  }
  skip_blanks(f);
  if (f->p != f->end) return bad(f, "something follows the dict in the header");
  if (keys == ALL_KEYS) return MLPL_OK;
  return bad(f, "the header's keys must be descr, fortran_order and shape, each once");
}

/* f->p and f->end enclose the header afterwards. */
static mlpl_status find_header(npy *f, const unsigned char *bytes, size_t n) {
  if (n < MAGIC_BYTES || memcmp(bytes, MAGIC, MAGIC_BYTES) != 0)
    return bad(f, "this is no NPY file: it does not begin with \\x93NUMPY");
  if (n < 10) return bad(f, "the file is truncated in its header");
  int major = bytes[6], minor = bytes[7];
  if (major < 1 || major > 3 || minor != 0) {
    char problem[96];
    snprintf(problem, sizeof problem, "NPY version %d.%d is none of 1.0, 2.0 and 3.0",
        major, minor);
    return bad(f, problem);
  }
  size_t at = major == 1 ? 10 : 12, length = (size_t)(bytes[8] | bytes[9] << 8);
  if (n < at) return bad(f, "the file is truncated in its header");
  if (major > 1) length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
  if (length > MOST_HEADER) return bad(f, "the header has more than 10000 bytes");
  if (length > n - at) return bad(f, "the file is truncated in its header");
  f->p = bytes + at;
  f->end = f->p + length;
  return MLPL_OK;
}

/* ---- elements ---------------------------------------------------------------------- */

/* Big-endian elements are turned round a part at a time. */
static bool decode(const npy *f, char *out, const unsigned char *in) {
  enum { PART = 512 };
  size_t size = mlpli_st_types[f->type].bits / 8,
         to = mlpli_dtype_size[mlpli_st_types[f->type].becomes];
  unsigned char turned[PART * 8];
  if (!f->swap || size == 1) return mlpli_st_decode(f->type, out, in, f->numel);
  for (int64_t i = 0; i < f->numel; i += PART) {
    int64_t n = f->numel - i < PART ? f->numel - i : PART;
    for (size_t k = 0; k < (size_t)n * size; k++)
      turned[k] = in[(size_t)i * size + k / size * size + (size - 1 - k % size)];
    if (!mlpli_st_decode(f->type, out + (size_t)i * to, turned, n)) return false;
  }
  return true;
}

/* Fortran's order is C's for the axes from the last to the first. */
static mlpl_status turn_axes(const npy *f, mlpl_tensor **t) {
  int64_t stride[MLPL_MAX_RANK];
  mlpl_tensor *view, *whole;
  for (int d = 0; d < f->ndim; d++) stride[d] = (*t)->stride[f->ndim - 1 - d];
  MLPL_TRY(mlpli_tensor_view(f->cx, &view, *t, 0, f->ndim, f->shape, stride));
  mlpl_status status = mlpli_tensor_contiguous(f->cx, &whole, view);
  mlpl_tensor_release(view);
  if (status != MLPL_OK) return status;
  mlpl_tensor_release(*t);
  *t = whole;
  return MLPL_OK;
}

static mlpl_status make_tensor(const npy *f, mlpl_tensor **t, const unsigned char *data) {
  int64_t shape[MLPL_MAX_RANK];
  bool turn = f->fortran && f->ndim > 1;
  for (int d = 0; d < f->ndim; d++) shape[d] = f->shape[turn ? f->ndim - 1 - d : d];
  MLPL_TRY(mlpli_tensor_make(f->cx, t, mlpli_st_types[f->type].becomes, f->ndim, shape));
  mlpl_status status = decode(f, (*t)->data, data)
      ? MLPL_OK
      : bad(f, "the array holds a number beyond 2^63 - 1, the largest i64");
  if (status == MLPL_OK && turn) status = turn_axes(f, t);
  if (status == MLPL_OK) return MLPL_OK;
  mlpli_drop(t);
  return status;
}

mlpl_status mlpli_npy_decode(mlpl_ctx *cx, mlpl_tensor **t, const char *where,
    const unsigned char *bytes, size_t n) {
  npy f = {.cx = cx, .where = where, .numel = 1};
  char text[MLPLI_SHAPE_TEXT];
  *t = NULL;
  MLPL_TRY(find_header(&f, bytes, n));
  const unsigned char *data = f.end;
  MLPL_TRY(read_dict(&f));
  if (!mlpli_shape_fits(f.ndim, f.shape))
    return mlpl_fail(cx, MLPL_EFORMAT, "%s: sizes %s are too large", where,
        mlpli_shape_text(text, f.ndim, f.shape));
  for (int d = 0; d < f.ndim; d++) f.numel *= f.shape[d];
  size_t need = (size_t)f.numel * (mlpli_st_types[f.type].bits / 8),
         there = n - (size_t)(data - bytes);
  if (need > there)
    return mlpl_fail(cx, MLPL_EFORMAT,
        "%s: the file is truncated: %s needs %zu bytes of data, %zu are there", where,
        mlpli_shape_text(text, f.ndim, f.shape), need, there);
  return make_tensor(&f, t, data);
}

mlpl_status mlpl_npy_read_memory(
    mlpl_ctx *cx, mlpl_tensor **t, const void *bytes, size_t n) {
  return mlpli_npy_decode(cx, t, "npy: array in memory", bytes, n);
}

mlpl_status mlpl_npy_read(mlpl_ctx *cx, mlpl_tensor **t, const char *path) {
  void *bytes;
  size_t n;
  char where[MLPLI_PATH_TEXT + 8] = "npy: ";
  *t = NULL;
  MLPL_TRY(mlpli_file_load(cx, path, &bytes, &n));
  mlpli_path_text(where + 5, path);
  mlpl_status status = mlpli_npy_decode(cx, t, where, bytes, n);
  mlpli_free(cx->heap, bytes);
  /* a block of this size is not asked for again */
  if (n > LARGE) mlpli_heap_trim(cx->heap);
  return status;
}

/* ---- writing ----------------------------------------------------------------------- */

/* NumPy leaves room in the header for the first size to grow to 21 digits, and adds 1 to 64
   blanks so that the elements are aligned. */
size_t mlpli_npy_head(unsigned char head[MLPLI_NPY_HEAD], const mlpl_tensor *t) {
  static const char *const descr[] = {"<f4", "<f8", "<i8", "|u1", "|b1"};
  enum { START = 10, ALIGN = 64, GROWTH = 21 };
  char *text = (char *)head + START, size[24];
  size_t room = MLPLI_NPY_HEAD - START, n = 0;
#define PUT(...) n += (size_t)snprintf(text + n, room - n, __VA_ARGS__)
  PUT("{'descr': '%s', 'fortran_order': False, 'shape': (", descr[t->dtype]);
  for (int d = 0; d < t->ndim; d++) PUT(d ? ", %lld" : "%lld", (long long)t->shape[d]);
  PUT(t->ndim == 1 ? ",), }" : "), }");
  if (t->ndim) {
    int digits = snprintf(size, sizeof size, "%lld", (long long)t->shape[0]);
    PUT("%*s", GROWTH - digits, "");
  }
  PUT("%*s\n", (int)(ALIGN - (START + n + 1) % ALIGN), "");
#undef PUT
  memcpy(head, MAGIC "\1\0", MAGIC_BYTES + 2);
  head[8] = (unsigned char)n;
  head[9] = (unsigned char)(n >> 8);
  return START + n;
}

static mlpl_status write_all(mlpl_ctx *cx, mlpli_writer *w, const mlpl_tensor *t) {
  unsigned char head[MLPLI_NPY_HEAD];
  mlpl_tensor *whole;
  MLPL_TRY(mlpli_writer_write(cx, w, head, mlpli_npy_head(head, t)));
  MLPL_TRY(mlpli_tensor_contiguous(cx, &whole, t));
  size_t bytes = (size_t)whole->numel * mlpli_dtype_size[whole->dtype];
  mlpl_status status = mlpli_writer_write(cx, w, whole->data, bytes);
  mlpl_tensor_release(whole);
  return status;
}

mlpl_status mlpl_npy_write(mlpl_ctx *cx, const mlpl_tensor *t, const char *path) {
  mlpli_writer *w;
  MLPL_TRY(mlpli_writer_open(cx, &w, path));
  mlpl_status status = write_all(cx, w, t);
  if (status == MLPL_OK) return mlpli_writer_commit(cx, w);
  mlpli_writer_abandon(w);
  return status;
}
