/*
** The IDX format of MNIST: 00 00 <type> <axes>, a big-endian u32 for each axis, then the
** elements, big-endian. Read from gzip as well, where the length of the data is known
** only at its end; so memory grows with what has arrived, never by what the header says.
*/
#include "base/buffer.h"
#include "base/file.h"
#include "data/data.h"

#include <stdio.h>

#define FIRST_BYTES ((size_t)256 << 10) /* reserved before any data has come */
#define MAX_LABEL 65535 /* a class has a name, so a wild label would cost memory */

typedef struct idx {
  mlpl_ctx *cx;
  char path[MLPLI_PATH_TEXT];
  int type, ndim;
  int64_t shape[MLPL_MAX_RANK], numel;
  size_t size; /* bytes of an element */
  mlpli_buffer data;
} idx;

/* Type codes, sizes, and what they become. */
static const struct {
  uint8_t code, size, dtype;
} types[] = {{0x08, 1, MLPL_U8}, {0x09, 1, MLPL_I64}, {0x0b, 2, MLPL_I64},
    {0x0c, 4, MLPL_I64}, {0x0d, 4, MLPL_F32}, {0x0e, 8, MLPL_F64}};

static int find_type(int code) {
  for (int i = 0; i < (int)(sizeof types / sizeof *types); i++)
    if (types[i].code == code) return i;
  return -1;
}

static uint64_t big_endian(const unsigned char *p, size_t n) {
  uint64_t v = 0;
  for (size_t i = 0; i < n; i++) v = v << 8 | p[i];
  return v;
}

static mlpl_status truncated(
    const idx *f, const char *what, size_t expected, size_t found) {
  return mlpl_fail(f->cx, MLPL_EFORMAT,
      "idx: %s is truncated: %s of %zu bytes was expected, %zu are there", f->path, what,
      expected, found);
}

static mlpl_status read_magic(idx *f, mlpli_reader *r) {
  unsigned char magic[4];
  size_t got;
  MLPL_TRY(mlpli_reader_read(f->cx, r, magic, sizeof magic, &got));
  if (got < sizeof magic) return truncated(f, "a header", sizeof magic, got);
  if (magic[0] || magic[1])
    return mlpl_fail(f->cx, MLPL_EFORMAT,
        "idx: %s is no IDX file: it begins with %02x %02x %02x %02x, not 00 00", f->path,
        magic[0], magic[1], magic[2], magic[3]);
  f->type = find_type(magic[2]);
  if (f->type < 0)
    return mlpl_fail(f->cx, MLPL_EFORMAT,
        "idx: %s: element type %02x is none of 08, 09, 0b, 0c, 0d, 0e", f->path,
        magic[2]);
  f->ndim = magic[3];
  if (f->ndim < 1 || f->ndim > MLPL_MAX_RANK)
    return mlpl_fail(f->cx, MLPL_EFORMAT, "idx: %s: %d axes; there may be 1 to %d",
        f->path, f->ndim, MLPL_MAX_RANK);
  f->size = types[f->type].size;
  return MLPL_OK;
}

/* The sizes. Their product has to fit whether or not one of them is 0: strides are
   products, too. */
static mlpl_status read_sizes(idx *f, mlpli_reader *r) {
  unsigned char sizes[4 * MLPL_MAX_RANK];
  char text[MLPLI_SHAPE_TEXT];
  size_t got, n = 4 * (size_t)f->ndim;
  MLPL_TRY(mlpli_reader_read(f->cx, r, sizes, n, &got));
  if (got < n) return truncated(f, "a header", n + 4, got + 4);
  int64_t product = (int64_t)sizeof(double);
  bool fits = true;
  f->numel = 1;
  for (int d = 0; d < f->ndim; d++) {
    f->shape[d] = (int64_t)big_endian(sizes + 4 * d, 4);
    if (f->shape[d])
      fits = fits && !__builtin_mul_overflow(product, f->shape[d], &product);
  }
  if (!fits)
    return mlpl_fail(f->cx, MLPL_EFORMAT, "idx: %s: sizes %s are too large", f->path,
        mlpli_shape_text(text, f->ndim, f->shape));
  for (int d = 0; d < f->ndim; d++) f->numel *= f->shape[d];
  return MLPL_OK;
}

static mlpl_status read_data(idx *f, mlpli_reader *r) {
  size_t total = (size_t)f->numel * f->size;
  while (f->data.n < total) {
    size_t step = f->data.n < FIRST_BYTES ? FIRST_BYTES : f->data.n, got;
    if (step > total - f->data.n) step = total - f->data.n;
    MLPL_TRY(mlpli_buffer_reserve(&f->data, step));
    MLPL_TRY(mlpli_reader_read(f->cx, r, f->data.p + f->data.n, step, &got));
    f->data.n += got;
    if (got < step) return truncated(f, "data", total, f->data.n);
  }
  char more; /* reading past the end is also what makes gzip check its sum */
  size_t got;
  MLPL_TRY(mlpli_reader_read(f->cx, r, &more, 1, &got));
  if (got)
    return mlpl_fail(
        f->cx, MLPL_EFORMAT, "idx: %s: bytes follow the %zu of its data", f->path, total);
  return MLPL_OK;
}

static void idx_free(idx *f) {
  bool large = f->data.room > FIRST_BYTES;
  mlpli_buffer_free(&f->data);
  /* blocks of these sizes are not asked for again */
  if (large) mlpli_heap_trim(f->cx->heap);
}

/* On failure there is nothing to free. */
static mlpl_status idx_load(idx *f, mlpl_ctx *cx, const char *path) {
  *f = (idx){.cx = cx, .data = mlpli_buffer_of(cx, "idx")};
  mlpli_path_text(f->path, path);
  mlpli_reader *r;
  MLPL_TRY(mlpli_reader_open(cx, &r, path));
  mlpl_status status = read_magic(f, r);
  if (status == MLPL_OK) status = read_sizes(f, r);
  if (status == MLPL_OK) status = read_data(f, r);
  mlpli_reader_close(r);
  if (status != MLPL_OK) idx_free(f);
  return status;
}

/* Element i, of a whole-number type. */
static int64_t whole_at(const idx *f, int64_t i) {
  const unsigned char *p = (const unsigned char *)f->data.p + (size_t)i * f->size;
  uint64_t v = big_endian(p, f->size);
  switch (types[f->type].code) {
    case 0x09: return (int8_t)v;
    case 0x0b: return (int16_t)v;
    case 0x0c: return (int32_t)v;
  }
  return (int64_t)v;
}

static float f32_at(const idx *f, int64_t i) {
  uint32_t bits = (uint32_t)big_endian((const unsigned char *)f->data.p + 4 * i, 4);
  float v;
  memcpy(&v, &bits, sizeof v);
  return v;
}

static double f64_at(const idx *f, int64_t i) {
  uint64_t bits = big_endian((const unsigned char *)f->data.p + 8 * i, 8);
  double v;
  memcpy(&v, &bits, sizeof v);
  return v;
}

static void decode(const idx *f, void *out) {
  int64_t n = f->numel;
  switch (types[f->type].dtype) {
    case MLPL_U8:
      if (n) memcpy(out, f->data.p, (size_t)n);
      break;
    case MLPL_F32:
      for (int64_t i = 0; i < n; i++) ((float *)out)[i] = f32_at(f, i);
      break;
    case MLPL_F64:
      for (int64_t i = 0; i < n; i++) ((double *)out)[i] = f64_at(f, i);
      break;
    default:
      for (int64_t i = 0; i < n; i++) ((int64_t *)out)[i] = whole_at(f, i);
  }
}

mlpl_status mlpl_idx_read(mlpl_ctx *cx, mlpl_tensor **t, const char *path) {
  *t = NULL;
  idx f;
  MLPL_TRY(idx_load(&f, cx, path));
  mlpl_status status = mlpli_tensor_make(cx, t, types[f.type].dtype, f.ndim, f.shape);
  if (status == MLPL_OK) decode(&f, (*t)->data);
  idx_free(&f);
  return status;
}

/* ---- images and labels ------------------------------------------------------------- */

#define PART ((int64_t)1 << 16) /* elements that a task converts */

typedef struct conversion {
  const idx *f;
  float *out;
  float scaled[256]; /* u8 / 255, rounded once */
} conversion;

static void convert_part(void *arg, ptrdiff_t part, int worker) {
  (void)worker;
  const conversion *m = arg;
  const idx *f = m->f;
  int64_t from = part * PART, to = from + PART < f->numel ? from + PART : f->numel;
  const unsigned char *p = (const unsigned char *)f->data.p;
  if (types[f->type].dtype == MLPL_U8)
    for (int64_t i = from; i < to; i++) m->out[i] = m->scaled[p[i]];
  else if (types[f->type].dtype == MLPL_F32)
    for (int64_t i = from; i < to; i++) m->out[i] = f32_at(f, i);
  else if (types[f->type].dtype == MLPL_F64)
    for (int64_t i = from; i < to; i++) m->out[i] = (float)f64_at(f, i);
  else
    for (int64_t i = from; i < to; i++) m->out[i] = (float)whole_at(f, i);
}

static mlpl_status make_images(mlpl_ctx *cx, mlpl_tensor **x, const idx *f) {
  MLPL_TRY(mlpli_tensor_make(cx, x, MLPL_F32, f->ndim, f->shape));
  conversion m = {.f = f, .out = (float *)(void *)(*x)->data};
  for (int i = 0; i < 256; i++) m.scaled[i] = (float)(i / 255.0);
  if (f->numel)
    cx->par.run(&cx->par, (ptrdiff_t)((f->numel + PART - 1) / PART), convert_part, &m);
  return MLPL_OK;
}

static mlpl_status make_labels(
    mlpl_ctx *cx, mlpl_tensor **y, int64_t *n_classes, const idx *f) {
  MLPL_TRY(mlpli_tensor_make(cx, y, MLPL_I64, 1, f->shape));
  int64_t *out = (int64_t *)(void *)(*y)->data;
  *n_classes = 0;
  for (int64_t i = 0; i < f->numel; i++) {
    int64_t v = whole_at(f, i);
    if (v < 0 || v > MAX_LABEL)
      return mlpl_fail(cx, MLPL_EFORMAT,
          "idx: %s: label %lld of row %lld is outside 0 to %d", f->path, (long long)v,
          (long long)(i + cx->index_base), MAX_LABEL);
    if (v >= *n_classes) *n_classes = v + 1;
    out[i] = v + cx->index_base;
  }
  return MLPL_OK;
}

/* "0", "1", ... up to n - 1. */
static mlpl_status make_classes(mlpl_ctx *cx, mlpli_names **names, int64_t n) {
  struct number {
    char text[8];
  } *number = NULL;
  const char **text = NULL;
  mlpl_status status = mlpli_new(cx, &number, (size_t)n * sizeof *number, "idx");
  if (status == MLPL_OK) status = mlpli_new(cx, &text, (size_t)n * sizeof *text, "idx");
  for (int64_t i = 0; status == MLPL_OK && i < n; i++) {
    snprintf(number[i].text, sizeof number[i].text, "%d", (int)i);
    text[i] = number[i].text;
  }
  if (status == MLPL_OK) status = mlpli_names_new(cx, names, text, n);
  mlpli_free(cx->heap, text);
  mlpli_free(cx->heap, number);
  return status;
}

static mlpl_status check_pair(mlpl_ctx *cx, const idx *images, const idx *labels) {
  if (labels->ndim != 1)
    return mlpl_fail(cx, MLPL_EFORMAT, "idx: %s: labels have one axis; this file has %d",
        labels->path, labels->ndim);
  if (types[labels->type].dtype != MLPL_U8 && types[labels->type].dtype != MLPL_I64)
    return mlpl_fail(cx, MLPL_EFORMAT,
        "idx: %s: labels are whole numbers; this file holds real ones", labels->path);
  if (images->shape[0] != labels->shape[0])
    return mlpl_fail(cx, MLPL_EFORMAT, "idx: %s has %lld images, %s has %lld labels",
        images->path, (long long)images->shape[0], labels->path,
        (long long)labels->shape[0]);
  return MLPL_OK;
}

static mlpl_status make_pair(
    mlpl_ctx *cx, mlpl_dataset **ds, const idx *images, const idx *labels) {
  mlpl_tensor *x = NULL, *y = NULL;
  mlpli_names *classes = NULL;
  int64_t n_classes;
  mlpl_status status = check_pair(cx, images, labels);
  if (status == MLPL_OK) status = make_labels(cx, &y, &n_classes, labels);
  if (status == MLPL_OK) status = make_classes(cx, &classes, n_classes);
  if (status == MLPL_OK) status = make_images(cx, &x, images);
  if (status == MLPL_OK) status = mlpli_dataset_make(cx, ds, x, y, classes, NULL);
  mlpl_tensor_release(x);
  mlpl_tensor_release(y);
  mlpli_names_release(classes);
  return status;
}

mlpl_status mlpl_idx_read_pair(
    mlpl_ctx *cx, mlpl_dataset **ds, const char *images, const char *labels) {
  *ds = NULL;
  idx x, y;
  MLPL_TRY(idx_load(&y, cx, labels));
  mlpl_status status = idx_load(&x, cx, images);
  if (status == MLPL_OK) {
    status = make_pair(cx, ds, &x, &y);
    idx_free(&x);
  }
  idx_free(&y);
  return status;
}
