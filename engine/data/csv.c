/*
** CSV: a table of numbers, one row a line. The file passes through a buffer of a few
** lines; what grows is the result. Numbers are read where they lie in that buffer, and
** only a cell that is not plainly a number (quoted, missing, text) takes the longer way
** through next_cell.
*/
#include "base/buffer.h"
#include "base/file.h"
#include "base/number.h"
#include "data/classes.h"
#include "data/data.h"

#include <math.h>
#include <stdio.h>

#define PART_BYTES ((size_t)256 << 10) /* of the file, read at a time */
#define LINE_BYTES                                                                       \
  ((size_t)16 << 20) /* longest line: a file without newlines is no table */
#define BLANKS ' '   /* separator: any run of spaces and tabs */

typedef struct csv {
  mlpl_ctx *cx;
  char path[MLPLI_PATH_TEXT];
  mlpl_csv_options o;
  mlpli_reader *reader;
  mlpli_buffer text; /* the part of the file at hand */
  size_t at, seen;   /* where the next line begins; how far it was searched for its end */
  bool ended, nul;   /* the file has no more; a NUL byte was in it */
  int64_t line;      /* counts from 1 */
  char *p, *end;     /* the current line; *end is 0 */
  char separator;
  int64_t columns, special; /* special: the column that becomes y, -1 none */
  mlpli_buffer names;       /* of the columns, each with its 0; empty without header */
  mlpli_buffer x, y;        /* values: f32 or f64 */
  mlpli_classes labels;
  int64_t rows;
} csv;

typedef struct cell {
  const char *p;
  size_t n;
  bool quoted, last; /* last: the line ends behind it */
} cell;

/* ---- lines ------------------------------------------------------------------------- */

/* Read on: have more bytes behind the unfinished line, which moves to the front. */
static mlpl_status fill(csv *c) {
  size_t rest = c->text.n - c->at, got;
  if (rest > LINE_BYTES)
    return mlpl_fail(c->cx, MLPL_EFORMAT, "csv: %s: line %lld is longer than %zu MB",
        c->path, (long long)c->line + 1, LINE_BYTES >> 20);
  if (rest) memmove(c->text.p, c->text.p + c->at, rest);
  c->text.n = rest;
  c->seen -= c->at;
  c->at = 0;
  /* one byte for the 0 behind a line */
  MLPL_TRY(mlpli_buffer_reserve(&c->text, PART_BYTES + 1));
  char *to = c->text.p + rest;
  MLPL_TRY(mlpli_reader_read(c->cx, c->reader, to, PART_BYTES, &got));
  c->text.n += got;
  c->ended = got < PART_BYTES;
  c->nul = c->nul || memchr(to, 0, got);
  return MLPL_OK;
}

/* The bytes up to the next newline, or those that are left. */
static mlpl_status find_line(csv *c, char **end) {
  for (;;) {
    *end = c->seen < c->text.n ? memchr(c->text.p + c->seen, '\n', c->text.n - c->seen)
                               : NULL;
    if (*end) return MLPL_OK;
    c->seen = c->text.n;
    if (c->ended) {
      *end = c->text.p + c->text.n;
      return MLPL_OK;
    }
    MLPL_TRY(fill(c));
  }
}

static bool is_blank(char b) { return b == ' ' || b == '\t'; }

static char *skip_blanks(const csv *c, const char *p) {
  while (*p == ' ' || (*p == '\t' && c->separator != '\t')) p++;
  return (char *)(uintptr_t)p;
}

/* The next line that is not blank, as p and end; *more is false at the end of the
   file. */
static mlpl_status next_line(csv *c, bool *more) {
  for (;;) {
    char *end;
    MLPL_TRY(find_line(c, &end));
    *more = c->at < c->text.n;
    if (!*more) return MLPL_OK;
    c->p = c->text.p + c->at;
    c->at = c->seen = (size_t)(end - c->text.p) + 1;
    if (c->at > c->text.n) c->at = c->seen = c->text.n;
    c->line++;
    if (end > c->p && end[-1] == '\r') end--;
    *end = '\0';
    c->end = end;
    if (c->line == 1 && end - c->p >= 3 && memcmp(c->p, "\xef\xbb\xbf", 3) == 0)
      c->p += 3;
    if (c->nul && memchr(c->p, 0, (size_t)(end - c->p)))
      return mlpl_fail(c->cx, MLPL_EFORMAT,
          "csv: %s: line %lld holds a NUL byte; is this a text file?", c->path,
          (long long)c->line);
    const char *p = c->p;
    while (is_blank(*p)) p++;
    if (p < end) return MLPL_OK;
  }
}

/* ---- cells ------------------------------------------------------------------------- */

/* Step over the separator at p, where a cell ended. */
static char *step(const csv *c, char *p, bool *last) {
  if (c->separator != BLANKS) {
    *last = p == c->end;
    return *last ? p : p + 1;
  }
  while (is_blank(*p)) p++;
  *last = p == c->end;
  return p;
}

static bool ends_cell(const csv *c, const char *p) {
  return p == c->end || *p == c->separator || (c->separator == BLANKS && *p == '\t');
}

/* A quoted cell: p is behind the quote. Doubled quotes become one, in place. */
static mlpl_status quoted_cell(csv *c, char *p, cell *out) {
  char *to = p;
  out->p = p;
  out->quoted = true;
  for (; p < c->end; *to++ = *p++) {
    if (*p != '"') continue;
    if (p[1] == '"')
      p++;
    else
      break;
  }
  if (p == c->end)
    return mlpl_fail(c->cx, MLPL_EFORMAT, "csv: %s: line %lld: a quote is not closed",
        c->path, (long long)c->line);
  out->n = (size_t)(to - out->p);
  p = c->separator == BLANKS ? p + 1 : skip_blanks(c, p + 1);
  if (!ends_cell(c, p))
    return mlpl_fail(c->cx, MLPL_EFORMAT,
        "csv: %s: line %lld: text follows a closing quote", c->path, (long long)c->line);
  c->p = step(c, p, &out->last);
  return MLPL_OK;
}

/* The cell at c->p without the blanks and quotes round it; c->p moves to the next. */
static mlpl_status next_cell(csv *c, cell *out) {
  char *p = skip_blanks(c, c->p);
  if (*p == '"') return quoted_cell(c, p + 1, out);
  char *from = p;
  while (!ends_cell(c, p)) p++;
  char *end = p;
  while (end > from && is_blank(end[-1])) end--;
  *out = (cell){.p = from, .n = (size_t)(end - from)};
  c->p = step(c, p, &out->last);
  return MLPL_OK;
}

/* The names one after the other: NULL gives the first, NULL comes after the last. */
static const char *next_name(const csv *c, const char *name) {
  const char *p = name ? name + strlen(name) + 1 : c->names.p;
  return c->names.n && p < c->names.p + c->names.n ? p : NULL;
}

static const char *column_name(const csv *c, int64_t i) {
  const char *name = next_name(c, NULL);
  while (name && i-- > 0) name = next_name(c, name);
  return name;
}

/* What other programs write where a number is missing or none: it names no column. */
static bool is_gap(const cell *found) {
  static const char *const words[] = {
      "nan", "inf", "infinity", "na", "n/a", "null", "none", "?"};
  const char *p = found->p;
  size_t n = found->n;
  if (n && (*p == '-' || *p == '+')) p++, n--;
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    size_t k = 0;
    while (k < n && words[i][k] &&
        (p[k] == words[i][k] ||
            (p[k] >= 'A' && p[k] <= 'Z' && p[k] + ('a' - 'A') == words[i][k])))
      k++;
    if (k == n && !words[i][k]) return true;
  }
  return false;
}

/* "line 7, column 3 (age): ..." */
static mlpl_status cell_error(
    const csv *c, int64_t column, const cell *found, const char *problem) {
  const char *name = column_name(c, column);
  char text[48], label[64] = "";
  size_t n = found->n < 32 ? found->n : 32;
  for (size_t i = 0; i < n; i++)
    text[i] = (unsigned char)found->p[i] < 0x20 ? '?' : found->p[i];
  memcpy(text + n, found->n > n ? "..." : "", found->n > n ? 4 : 1);
  if (name && *name) snprintf(label, sizeof label, " (%.48s)", name);
  bool hint = c->rows == 0 && !c->names.n && c->o.header < 0 && !is_gap(found);
  return mlpl_fail(c->cx, MLPL_EFORMAT, "csv: %s: line %lld, column %lld%s: %s%s%s%s",
      c->path, (long long)c->line, (long long)(column + c->cx->index_base), label,
      found->n ? "'" : "", found->n ? text : "", problem,
      hint ? " (if this line holds names, say so with the option header)" : "");
}

/* ---- values ------------------------------------------------------------------------ */

static inline mlpl_status store(
    csv *c, int64_t column, mlpli_buffer *to, double v, const cell *found) {
  if (c->o.dtype == MLPL_F64) {
    memcpy(to->p + to->n, &v, sizeof v);
    to->n += sizeof v;
  }
  else {
    float f = (float)v;
    v = f;
    memcpy(to->p + to->n, &f, sizeof f);
    to->n += sizeof f;
  }
  return isinf(v) ? cell_error(c, column, found, "' is too large for the dtype")
                  : MLPL_OK;
}

/* A cell that was not plainly a number: quoted, or an error. */
static mlpl_status odd_number(csv *c, int64_t column, mlpli_buffer *to, bool *last) {
  cell found;
  double v;
  MLPL_TRY(next_cell(c, &found));
  *last = found.last;
  if (found.n == 0) return cell_error(c, column, &found, "a number is missing");
  if (mlpli_number_read(found.p, &v) != found.p + found.n)
    return cell_error(c, column, &found,
        is_gap(&found) ? "' is not a finite number; give one, or leave the line out"
                       : "' is not a number");
  return store(c, column, to, v, &found);
}

static inline mlpl_status number(csv *c, int64_t column, mlpli_buffer *to, bool *last) {
  double v;
  char *p = skip_blanks(c, c->p);
  const char *after = mlpli_number_read(p, &v);
  if (!after) return odd_number(c, column, to, last);
  const char *end = c->separator == BLANKS ? after : skip_blanks(c, after);
  if (!ends_cell(c, end)) return odd_number(c, column, to, last);
  c->p = step(c, (char *)(uintptr_t)end, last);
  return store(c, column, to, v, &(cell){.p = p, .n = (size_t)(after - p)});
}

static mlpl_status label(csv *c, int64_t column, bool *last) {
  cell found;
  MLPL_TRY(next_cell(c, &found));
  *last = found.last;
  if (found.n == 0) return cell_error(c, column, &found, "the label is missing");
  return mlpli_classes_add(&c->labels, found.p, found.n);
}

static mlpl_status wrong_length(csv *c, int64_t found, bool last) {
  for (cell rest; !last; found++, last = rest.last) MLPL_TRY(next_cell(c, &rest));
  return mlpl_fail(c->cx, MLPL_EFORMAT,
      "csv: %s: line %lld has %lld column%s, expected %lld", c->path, (long long)c->line,
      (long long)found, found == 1 ? "" : "s", (long long)c->columns);
}

static mlpl_status read_row(csv *c) {
  size_t size = mlpli_dtype_size[c->o.dtype];
  MLPL_TRY(mlpli_buffer_reserve(&c->x, (size_t)c->columns * size));
  MLPL_TRY(mlpli_buffer_reserve(&c->y, size));
  bool last = false;
  for (int64_t i = 0; i < c->columns; i++) {
    if (last) return wrong_length(c, i, true);
    if (i != c->special)
      MLPL_TRY(number(c, i, &c->x, &last));
    else if (c->o.labels)
      MLPL_TRY(label(c, i, &last));
    else
      MLPL_TRY(number(c, i, &c->y, &last));
  }
  if (!last) return wrong_length(c, c->columns, false);
  c->rows++;
  return MLPL_OK;
}

/* ---- the first line ---------------------------------------------------------------- */

/* A semicolon is hardly ever anything but a separator; commas may be decimal points
   beside it. */
static char find_separator(const char *p) {
  int commas = 0, tabs = 0, semicolons = 0;
  for (bool quoted = false; *p; p++) {
    quoted ^= *p == '"';
    commas += !quoted && *p == ',';
    tabs += !quoted && *p == '\t';
    semicolons += !quoted && *p == ';';
  }
  if (semicolons) return ';';
  return commas || tabs ? (commas >= tabs ? ',' : '\t') : BLANKS;
}

/* "-1", "12": a column by its number. */
static bool is_number(const char *s, int64_t *value) {
  const char *p = s + (*s == '-' || *s == '+');
  *value = 0;
  for (; *p >= '0' && *p <= '9' && *value < INT32_MAX; p++)
    *value = *value * 10 + (*p - '0');
  if (*p || p == s || p[-1] < '0') return false;
  if (*s == '-') *value = -*value;
  return true;
}

/* The first line's cells, as names. */
static mlpl_status read_names(csv *c) {
  cell found = {0};
  for (c->columns = 0; !found.last; c->columns++) {
    MLPL_TRY(next_cell(c, &found));
    MLPL_TRY(mlpli_buffer_add(&c->names, found.p, found.n));
    MLPL_TRY(mlpli_buffer_add(&c->names, "", 1));
  }
  return MLPL_OK;
}

static bool reads_as_number(const char *text) {
  double v;
  const char *end = mlpli_number_read(text, &v);
  return end && *end == '\0';
}

/*
** Is the first line one of names? Yes if no cell of it is a number, the label's apart,
** which may be text in any line. A line that mixes both is taken for data: its error is
** better than a row lost in silence.
*/
static bool looks_like_names(const csv *c) {
  const char *name = NULL;
  int64_t texts = 0;
  for (int64_t i = 0; (name = next_name(c, name)); i++) {
    if (*name == '\0' || (i == c->special && c->o.labels)) continue;
    if (reads_as_number(name)) return false;
    texts++;
  }
  return texts > 0;
}

static mlpl_status no_column(const csv *c, const char *wanted) {
  char list[200] = "";
  const char *name = NULL;
  size_t n = 0;
  while (looks_like_names(c) && (name = next_name(c, name)) && n + 1 < sizeof list)
    n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", n ? ", " : "", name);
  int base = c->cx->index_base;
  return mlpl_fail(c->cx, MLPL_EARG,
      "csv: %s: there is no column '%.40s'; columns are numbered %d to %lld%s%s", c->path,
      wanted, base, (long long)(c->columns - 1 + base), n ? ", or named " : "", list);
}

/* Find the column of labels or target: by name where names are, else by number. */
static mlpl_status find_special(csv *c, bool named) {
  const char *wanted = c->o.labels ? c->o.labels : c->o.target, *name = NULL;
  int64_t i = 0;
  c->special = -1;
  if (!wanted) return MLPL_OK;
  for (; named && (name = next_name(c, name)); i++)
    if (strcmp(name, wanted) == 0) {
      c->special = i;
      return MLPL_OK;
    }
  if (!is_number(wanted, &i)) return no_column(c, wanted);
  i = wanted[0] == '-' ? i + c->columns : i - c->cx->index_base;
  if (i < 0 || i >= c->columns) return no_column(c, wanted);
  c->special = i;
  return MLPL_OK;
}

/* Names or not; *data: the line is a row. */
static mlpl_status judge_first(csv *c, bool *data) {
  const char *wanted = c->o.labels ? c->o.labels : c->o.target;
  int64_t ignored;
  bool by_name = wanted && !is_number(wanted, &ignored);
  if (c->o.header < 0 && !by_name) MLPL_TRY(find_special(c, false));
  *data = c->o.header == 0 || (c->o.header < 0 && !by_name && !looks_like_names(c));
  if (*data) c->names.n = 0;
  MLPL_TRY(find_special(c, !*data));
  if (c->columns == (c->special >= 0))
    return mlpl_fail(c->cx, MLPL_EFORMAT,
        "csv: %s: line %lld has one column, and nothing is left for x", c->path,
        (long long)c->line);
  return MLPL_OK;
}

static mlpl_status read_first(csv *c) {
  bool more, data;
  MLPL_TRY(next_line(c, &more));
  if (!more) return mlpl_fail(c->cx, MLPL_EFORMAT, "csv: %s is empty", c->path);
  c->separator = c->o.separator ? c->o.separator : find_separator(c->p);
  /* Looking at cells unquotes them in place: keep the line as it was. */
  mlpli_buffer copy = mlpli_buffer_of(c->cx, "csv");
  char *from = c->p;
  size_t n = (size_t)(c->end - from);
  MLPL_TRY(mlpli_buffer_add(&copy, from, n));
  mlpl_status status = read_names(c);
  memcpy(from, copy.p, n);
  mlpli_buffer_free(&copy);
  if (status == MLPL_OK) status = judge_first(c, &data);
  c->p = from;
  return status == MLPL_OK && data ? read_row(c) : status;
}

/* ---- the result -------------------------------------------------------------------- */

static mlpl_status read_rows(csv *c) {
  bool more = true;
  MLPL_TRY(read_first(c));
  for (;;) {
    MLPL_TRY(next_line(c, &more));
    if (!more) break;
    MLPL_TRY(read_row(c));
  }
  if (c->rows) return MLPL_OK;
  return mlpl_fail(
      c->cx, MLPL_EFORMAT, "csv: %s has a line of names and no rows", c->path);
}

static mlpl_status make_values(
    csv *c, mlpl_tensor **t, mlpli_buffer *values, int64_t columns) {
  MLPL_TRY(
      mlpli_tensor_make(c->cx, t, (int)c->o.dtype, 2, (int64_t[]){c->rows, columns}));
  memcpy((*t)->data, values->p, values->n);
  mlpli_buffer_free(values);
  return MLPL_OK;
}

/* Names of x's columns, without that of y. */
static mlpl_status make_columns(csv *c, mlpli_names **names) {
  if (!c->names.n) return MLPL_OK;
  const char **text, *p = c->names.p;
  int64_t n = 0;
  MLPL_TRY(mlpli_new(c->cx, &text, (size_t)c->columns * sizeof *text, "csv"));
  for (int64_t i = 0; i < c->columns; i++, p += strlen(p) + 1)
    if (i != c->special) text[n++] = p;
  mlpl_status status = mlpli_names_new(c->cx, names, text, n);
  mlpli_free(c->cx->heap, text);
  return status;
}

static mlpl_status make_dataset(csv *c, mlpl_dataset **ds) {
  mlpl_tensor *x = NULL, *y = NULL;
  mlpli_names *classes = NULL, *columns = NULL;
  mlpl_status status = make_values(c, &x, &c->x, c->columns - (c->special >= 0));
  if (status == MLPL_OK && c->o.labels)
    status = mlpli_classes_finish(&c->labels, &y, &classes);
  if (status == MLPL_OK && c->o.target) status = make_values(c, &y, &c->y, 1);
  if (status == MLPL_OK) status = make_columns(c, &columns);
  if (status == MLPL_OK) status = mlpli_dataset_make(c->cx, ds, x, y, classes, columns);
  mlpl_tensor_release(x);
  mlpl_tensor_release(y);
  mlpli_names_release(classes);
  mlpli_names_release(columns);
  return status;
}

static mlpl_status check_options(mlpl_ctx *cx, const mlpl_csv_options *o) {
  if (o->labels && o->target)
    return mlpl_fail(cx, MLPL_EARG,
        "csv: labels '%.60s' and target '%.60s': give one of them", o->labels, o->target);
  if (o->separator && (strchr("0123456789+-.eE\"\r\n", o->separator)))
    return mlpl_fail(cx, MLPL_EARG, "csv: '%c' cannot separate columns", o->separator);
  if (o->header < -1 || o->header > 1)
    return mlpl_fail(cx, MLPL_EARG, "csv: header %d is none of 1, 0 and -1", o->header);
  if (o->dtype != MLPL_F32 && o->dtype != MLPL_F64)
    return mlpl_fail(cx, MLPL_EARG, "csv: dtype must be f32 or f64");
  return MLPL_OK;
}

static void csv_free(csv *c) {
  bool large = c->x.room > PART_BYTES || c->rows > 100000;
  mlpli_reader_close(c->reader);
  mlpli_buffer_free(&c->text);
  mlpli_buffer_free(&c->names);
  mlpli_buffer_free(&c->x);
  mlpli_buffer_free(&c->y);
  mlpli_classes_free(&c->labels);
  /* blocks of these sizes are not asked for again */
  if (large) mlpli_heap_trim(c->cx->heap);
}

mlpl_status mlpl_csv_read(
    mlpl_ctx *cx, mlpl_dataset **ds, const char *path, const mlpl_csv_options *options) {
  static const mlpl_csv_options standard = {.header = -1};
  *ds = NULL;
  if (!options) options = &standard;
  MLPL_TRY(check_options(cx, options));
  mlpli_buffer none = mlpli_buffer_of(cx, "csv");
  csv *c; /* too large for a small thread's stack */
  MLPL_TRY(mlpli_new(cx, &c, sizeof *c, "csv"));
  c->cx = cx;
  c->o = *options;
  c->text = c->names = c->x = c->y = none;
  mlpli_classes_init(&c->labels, cx);
  mlpli_path_text(c->path, path);
  mlpl_status status = mlpli_reader_open(cx, &c->reader, path);
  if (status == MLPL_OK) status = read_rows(c);
  if (status == MLPL_OK) status = make_dataset(c, ds);
  csv_free(c);
  mlpli_free(cx->heap, c);
  return status;
}
