#include "io/json.h"

#include "base/number.h"

#include <math.h>
#include <stdio.h>

/* ---- UTF-8 ------------------------------------------------------------------------- */

static bool continues(unsigned char c) { return (c & 0xc0) == 0x80; }

/* Bytes of the character at p (of n bytes), 0 when it is none. Source: Unicode 15, table
   3-7. */
static size_t character(const unsigned char *p, size_t n) {
  unsigned char c = p[0];
  if (c < 0x80) return 1;
  if (c < 0xc2 || c > 0xf4) return 0;
  size_t length = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
  if (n < length) return 0;
  for (size_t i = 1; i < length; i++)
    if (!continues(p[i])) return 0;
  bool too_long = (c == 0xe0 && p[1] < 0xa0) || (c == 0xf0 && p[1] < 0x90);
  bool surrogate = c == 0xed && p[1] > 0x9f, too_large = c == 0xf4 && p[1] > 0x8f;
  return too_long || surrogate || too_large ? 0 : length;
}

bool mlpli_utf8_valid(const char *text, size_t n, size_t *at) {
  const unsigned char *p = (const unsigned char *)text;
  for (size_t i = 0, length; i < n; i += length) {
    length = character(p + i, n - i);
    if (length == 0) {
      *at = i;
      return false;
    }
  }
  return true;
}

/* ---- tokens ------------------------------------------------------------------------ */

static mlpl_status expected(const mlpli_json *j, const char *what) {
  return mlpl_fail(j->cx, MLPL_EFORMAT, "%s: JSON: expected %s at byte %zu", j->where,
      what, (size_t)(j->p - j->start));
}

mlpl_status mlpli_json_start(mlpli_json *j, mlpl_ctx *cx, const char *where,
    const char *text, size_t n, int max_depth) {
  MLPL_ASSERT(max_depth <= MLPLI_JSON_DEPTH);
  *j = (mlpli_json){.cx = cx,
      .where = where,
      .start = text,
      .p = text,
      .end = text + n,
      .max_depth = max_depth};
  size_t at;
  if (!mlpli_utf8_valid(text, n, &at))
    return mlpl_fail(cx, MLPL_EFORMAT, "%s: JSON: byte %zu is not UTF-8", where, at);
  return MLPL_OK;
}

/* The next byte that is no blank, 0 at the end. */
static char peek(mlpli_json *j) {
  while (
      j->p < j->end && (*j->p == ' ' || *j->p == '\n' || *j->p == '\r' || *j->p == '\t'))
    j->p++;
  return j->p < j->end ? *j->p : '\0';
}

char mlpli_json_kind(mlpli_json *j) {
  char c = peek(j);
  return c == '-' || (c >= '0' && c <= '9') ? '0' : c;
}

mlpl_status mlpli_json_open(mlpli_json *j, char bracket) {
  if (peek(j) != bracket) return expected(j, bracket == '{' ? "'{'" : "'['");
  if (j->depth == j->max_depth)
    return mlpl_fail(j->cx, MLPL_EFORMAT,
        "%s: JSON: nested more than %d deep at byte %zu", j->where, j->max_depth,
        (size_t)(j->p - j->start));
  j->p++;
  j->closing[j->depth++] = bracket == '{' ? '}' : ']';
  j->fresh = true;
  return MLPL_OK;
}

mlpl_status mlpli_json_next(mlpli_json *j, bool *more) {
  char closing = j->closing[j->depth - 1], c = peek(j);
  bool fresh = j->fresh;
  j->fresh = false;
  *more = c != closing;
  if (!*more) {
    j->p++;
    j->depth--;
  }
  else if (!fresh) {
    if (c != ',') return expected(j, closing == '}' ? "',' or '}'" : "',' or ']'");
    j->p++;
  }
  return MLPL_OK;
}

mlpl_status mlpli_json_finish(mlpli_json *j) {
  peek(j);
  return j->p == j->end ? MLPL_OK : expected(j, "nothing more");
}

mlpl_status mlpli_json_literal(mlpli_json *j, const char *word) {
  size_t n = strlen(word);
  peek(j);
  if ((size_t)(j->end - j->p) < n || memcmp(j->p, word, n) != 0)
    return expected(j, "a value");
  j->p += n;
  return MLPL_OK;
}

/* ---- strings ----------------------------------------------------------------------- */

static mlpl_status hex4(mlpli_json *j, uint32_t *v) {
  *v = 0;
  for (int i = 0; i < 4; i++, j->p++) {
    char c = j->p < j->end ? *j->p : '\0';
    int digit = c >= '0' && c <= '9' ? c - '0'
        : c >= 'a' && c <= 'f'       ? c - 'a' + 10
        : c >= 'A' && c <= 'F'       ? c - 'A' + 10
                                     : -1;
    if (digit < 0) return expected(j, "four hexadecimal digits");
    *v = *v << 4 | (uint32_t)digit;
  }
  return MLPL_OK;
}

static mlpl_status add_character(mlpli_buffer *to, uint32_t c) {
  char p[4];
  size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
  for (size_t i = n; i-- > 1; c >>= 6) p[i] = (char)(0x80 | (c & 0x3f));
  p[0] = (char)(lead[n] | c);
  return mlpli_buffer_add(to, p, n);
}

/* \uXXXX, or two of them that make one character; p is behind the u. */
static mlpl_status unicode(mlpli_json *j, mlpli_buffer *to) {
  uint32_t c, low;
  MLPL_TRY(hex4(j, &c));
  if (c >= 0xdc00 && c <= 0xdfff)
    return expected(j, "a high surrogate before the low one that ends");
  if (c >= 0xd800 && c <= 0xdbff) {
    if (j->end - j->p < 2 || j->p[0] != '\\' || j->p[1] != 'u')
      return expected(j, "a low surrogate");
    j->p += 2;
    MLPL_TRY(hex4(j, &low));
    if (low < 0xdc00 || low > 0xdfff)
      return expected(j, "a low surrogate before what ends");
    c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
  }
  return add_character(to, c);
}

static mlpl_status escape(mlpli_json *j, mlpli_buffer *to) {
  static const char code[] = "\"\\/bfnrt", meaning[] = "\"\\/\b\f\n\r\t";
  char c = j->p < j->end ? *j->p : '\0';
  if (c == 'u') {
    j->p++;
    return unicode(j, to);
  }
  const char *at = c ? strchr(code, c) : NULL;
  if (!at) return expected(j, "one of \"\\/bfnrtu");
  j->p++;
  return mlpli_buffer_add(to, &meaning[at - code], 1);
}

mlpl_status mlpli_json_string(mlpli_json *j, mlpli_buffer *to, size_t *n) {
  if (peek(j) != '"') return expected(j, "a string");
  size_t start = to->n;
  for (j->p++;;) {
    const char *plain = j->p;
    while (j->p < j->end && *j->p != '"' && *j->p != '\\' && (unsigned char)*j->p >= 0x20)
      j->p++;
    MLPL_TRY(mlpli_buffer_add(to, plain, (size_t)(j->p - plain)));
    if (j->p == j->end) return expected(j, "the end of a string");
    if ((unsigned char)*j->p < 0x20) return expected(j, "a printable character");
    if (*j->p++ == '"') break;
    MLPL_TRY(escape(j, to));
  }
  *n = to->n - start;
  return mlpli_buffer_add(to, "", 1);
}

mlpl_status mlpli_json_key(mlpli_json *j, mlpli_buffer *to, size_t *n) {
  MLPL_TRY(mlpli_json_string(j, to, n));
  if (peek(j) != ':') return expected(j, "':'");
  j->p++;
  return MLPL_OK;
}

/* ---- numbers ----------------------------------------------------------------------- */

static bool is_digit(const char *p, const char *end) {
  return p < end && *p >= '0' && *p <= '9';
}

static const char *skip_digits(const char *p, const char *end) {
  while (is_digit(p, end)) p++;
  return p;
}

mlpl_status mlpli_json_whole(mlpli_json *j, uint64_t *v) {
  peek(j);
  const char *p = j->p, *end = skip_digits(p, j->end);
  bool fraction = end < j->end && (*end == '.' || *end == 'e' || *end == 'E');
  if (end == p || fraction || (*p == '0' && end - p > 1))
    return expected(j, "a whole number from 0");
  *v = 0;
  for (; p < end; p++)
    if (__builtin_mul_overflow(*v, 10, v) ||
        __builtin_add_overflow(*v, (uint64_t)(*p - '0'), v))
      return expected(j, "a number below 2^64");
  j->p = end;
  return MLPL_OK;
}

/* End of the number at p by JSON's grammar, NULL when there is none. */
static const char *number_end(const char *p, const char *end) {
  if (p < end && *p == '-') p++;
  const char *q = skip_digits(p, end);
  if (q == p || (*p == '0' && q - p > 1)) return NULL;
  if (q < end && *q == '.') {
    p = q + 1;
    q = skip_digits(p, end);
    if (q == p) return NULL;
  }
  if (q < end && (*q == 'e' || *q == 'E')) {
    p = q + 1;
    if (p < end && (*p == '+' || *p == '-')) p++;
    q = skip_digits(p, end);
    if (q == p) return NULL;
  }
  return q;
}

mlpl_status mlpli_json_real(mlpli_json *j, double *v) {
  char text[128]; /* ends with the 0 that mlpli_number_read needs */
  peek(j);
  const char *end = number_end(j->p, j->end);
  if (!end) return expected(j, "a number");
  size_t n = (size_t)(end - j->p);
  if (n >= sizeof text) return expected(j, "a number of less than 128 characters");
  memcpy(text, j->p, n);
  text[n] = '\0';
  mlpli_number_read(text, v);
  if (!isfinite(*v)) return expected(j, "a number that a double holds");
  j->p = end;
  return MLPL_OK;
}

/* ---- the tree ---------------------------------------------------------------------- */

static mlpli_json_node *node(mlpli_json_tree *tree, int64_t i) {
  return (mlpli_json_node *)(void *)tree->nodes.p + i;
}

int64_t mlpli_json_find(const mlpli_json_tree *tree, int64_t object, const char *name) {
  for (int64_t i = mlpli_json_at(tree, object)->first; i >= 0;
       i = mlpli_json_at(tree, i)->next)
    if (strcmp(tree->text.p + mlpli_json_at(tree, i)->key, name) == 0) return i;
  return -1;
}

static mlpl_status parse(mlpli_json *j, mlpli_json_tree *tree, int64_t *made, size_t key);

/* Name of an object's next child: unique, and without a 0 in it. */
static mlpl_status parse_key(
    mlpli_json *j, mlpli_json_tree *tree, int64_t object, size_t *key) {
  size_t n;
  *key = tree->text.n;
  MLPL_TRY(mlpli_json_key(j, &tree->text, &n));
  const char *name = tree->text.p + *key;
  if (strlen(name) != n)
    return mlpl_fail(j->cx, MLPL_EFORMAT, "%s: JSON: a name holds a NUL", j->where);
  if (mlpli_json_find(tree, object, name) >= 0)
    return mlpl_fail(
        j->cx, MLPL_EFORMAT, "%s: JSON: the name '%.60s' appears twice", j->where, name);
  if (mlpli_json_at(tree, object)->n == MLPLI_JSON_NAMES)
    return mlpl_fail(j->cx, MLPL_EFORMAT, "%s: JSON: more than %d names in one object",
        j->where, MLPLI_JSON_NAMES);
  return MLPL_OK;
}

static mlpl_status parse_children(mlpli_json *j, mlpli_json_tree *tree, int64_t parent) {
  bool more, object = node(tree, parent)->kind == '{';
  int64_t last = -1, child;
  MLPL_TRY(mlpli_json_open(j, node(tree, parent)->kind));
  for (;;) {
    size_t key = 0;
    MLPL_TRY(mlpli_json_next(j, &more));
    if (!more) return MLPL_OK;
    if (object) MLPL_TRY(parse_key(j, tree, parent, &key));
    MLPL_TRY(parse(j, tree, &child, key));
    if (last < 0)
      node(tree, parent)->first = child;
    else
      node(tree, last)->next = child;
    last = child;
    node(tree, parent)->n++;
  }
}

/* One value. Recursion is as deep as the text, which the tokens limit. */
static mlpl_status parse(
    mlpli_json *j, mlpli_json_tree *tree, int64_t *made, size_t key) {
  mlpli_json_node fresh = {
      .kind = mlpli_json_kind(j), .first = -1, .next = -1, .key = key};
  switch (fresh.kind) {
    case '"':
      fresh.text = tree->text.n;
      MLPL_TRY(mlpli_json_string(j, &tree->text, &fresh.length));
      break;
    case '0': MLPL_TRY(mlpli_json_real(j, &fresh.number)); break;
    case 't': MLPL_TRY(mlpli_json_literal(j, "true")); break;
    case 'f': MLPL_TRY(mlpli_json_literal(j, "false")); break;
    case 'n': MLPL_TRY(mlpli_json_literal(j, "null")); break;
    case '{':
    case '[': break;
    default: return expected(j, "a value");
  }
  *made = (int64_t)(tree->nodes.n / sizeof fresh);
  MLPL_TRY(mlpli_buffer_add(&tree->nodes, &fresh, sizeof fresh));
  return fresh.kind == '{' || fresh.kind == '[' ? parse_children(j, tree, *made)
                                                : MLPL_OK;
}

mlpl_status mlpli_json_parse(
    mlpli_json_tree *tree, mlpl_ctx *cx, const char *where, const char *text, size_t n) {
  mlpli_json j;
  int64_t root;
  tree->nodes = tree->text = mlpli_buffer_of(cx, "json");
  mlpl_status status = mlpli_json_start(&j, cx, where, text, n, MLPLI_JSON_DEPTH);
  /* the key of what has none */
  if (status == MLPL_OK) status = mlpli_buffer_add(&tree->text, "", 1);
  if (status == MLPL_OK) status = parse(&j, tree, &root, 0);
  if (status == MLPL_OK) status = mlpli_json_finish(&j);
  if (status != MLPL_OK) mlpli_json_free(tree);
  return status;
}

void mlpli_json_free(mlpli_json_tree *tree) {
  mlpli_buffer_free(&tree->nodes);
  mlpli_buffer_free(&tree->text);
}

/* ---- writing ----------------------------------------------------------------------- */

mlpl_status mlpli_json_put(mlpli_buffer *b, const char *text) {
  return mlpli_buffer_add(b, text, strlen(text));
}

static mlpl_status put_character(mlpli_buffer *b, char c) {
  char text[8];
  if (c == '"' || c == '\\')
    snprintf(text, sizeof text, "\\%c", c);
  else if ((unsigned char)c < 0x20)
    snprintf(text, sizeof text, "\\u%04x", (unsigned)c);
  else
    return mlpli_buffer_add(b, &c, 1);
  return mlpli_json_put(b, text);
}

mlpl_status mlpli_json_put_string(mlpli_buffer *b, const char *text, size_t n) {
  size_t at;
  if (!mlpli_utf8_valid(text, n, &at))
    return mlpl_fail(b->cx, MLPL_EARG, "json: byte %zu of a text is not UTF-8", at);
  MLPL_TRY(mlpli_json_put(b, "\""));
  for (size_t i = 0; i < n; i++) MLPL_TRY(put_character(b, text[i]));
  return mlpli_json_put(b, "\"");
}

mlpl_status mlpli_json_put_int(mlpli_buffer *b, int64_t v) {
  char text[24];
  snprintf(text, sizeof text, "%lld", (long long)v);
  return mlpli_json_put(b, text);
}

mlpl_status mlpli_json_put_real(mlpli_buffer *b, double v) {
  char text[MLPLI_NUMBER_TEXT];
  if (!isfinite(v))
    return mlpl_fail(b->cx, MLPL_EARG, "json: %g cannot be written as a number", v);
  mlpli_number_write(text, v);
  return mlpli_json_put(b, text);
}
