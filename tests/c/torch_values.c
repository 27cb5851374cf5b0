/*
** Results and gradients of every public row against PyTorch's, from
** tests/golden/torch_values.txt. The cases are those of op_cases.h; their inputs are
** drawn here, from a seed that is the case's own text, and are exact in f32, so that one
** table of f64 values serves both dtypes.
**
** `torch_values --dump` prints the cases for tests/golden/make_torch_values.py, which
** makes the table.
*/
#include "op_cases.h"

static const char again[] = "make the table again: tests/golden/make_torch_values.py";

/* ---- a case with its numbers ------------------------------------------------------ */

typedef struct numbered {
  const op_case *one;
  made_case c;
  mlpl_tensor *out[MLPLI_MAX_OUTPUTS];
  mlpl_tensor *seed[MLPLI_MAX_OUTPUTS]; /* gradients of out; NULL: none is asked for */
  unsigned wanted;                      /* bit i: input i has a gradient */
  uint64_t sum;                         /* of all numbers that go in */
  double *sign; /* of vectors (see below); NULL: the row has none */
} numbered;

/* Fowler, Noll and Vo's hash, 64 bits, FNV-1a. */
static uint64_t hash(uint64_t h, const void *bytes, size_t n) {
  const unsigned char *p = bytes;
  for (size_t i = 0; i < n; i++) h = (h ^ p[i]) * UINT64_C(0x100000001b3);
  return h;
}
#define HASH_START UINT64_C(0xcbf29ce484222325)

static const char *key_of(const op_case *one) {
  static char text[512];
  int n = snprintf(text, sizeof text, "%s | %s | %s", one->op, one->inputs, one->options);
  assert_in_range(n, 1, sizeof text - 1);
  return text;
}

/* The letters of input i. */
static const char *letters_of(const op_case *one, int i) {
  static char text[16];
  const char *p = one->inputs;
  for (; i > 0; i--) p = strchr(p, ' ') + 1;
  size_t n = strcspn(p, " "), sizes = *p == 's' ? 1 : strspn(p, "0123456789x-");
  snprintf(text, sizeof text, "%.*s", (int)(n - sizes), p + sizes);
  return text;
}

static void hash_values(uint64_t *sum, const mlpl_tensor *t) {
  for (int64_t e = 0; e < t->numel; e++) {
    double v = case_get(t, e);
    *sum = hash(*sum, &v, sizeof v);
  }
}

/* The same numbers whatever the dtype: drawn in f64 and rounded to f32. */
static void draw_inputs(
    mlpl_ctx *cx, numbered *k, mlpl_dtype dtype, const op_case *one, uint64_t *random) {
  uint64_t same = *random;
  made_case exact = case_make(cx, one, MLPL_F64, random);
  k->c = case_make(cx, one, dtype, &same);
  for (int i = 0; i < k->c.n; i++) {
    mlpl_tensor *from = exact.leaf[i], *to = k->c.leaf[i];
    for (int64_t e = 0; from && e < from->numel; e++) {
      double v = case_get(from, e);
      case_put(to, e, from->dtype == MLPL_F64 ? (double)(float)v : v);
    }
    if (to) hash_values(&k->sum, to);
  }
  case_release(&exact);
}

/* Of result i. */
static void draw_seed(mlpl_ctx *cx, numbered *k, int i, uint64_t *random) {
  const mlpl_tensor *y = k->out[i];
  mlpl_tensor *seed;
  if (!y || !mlpl_tensor_requires_grad(y)) return;
  assert_works(cx, mlpl_tensor_new(cx, &seed, (mlpl_dtype)y->dtype, y->ndim, y->shape));
  for (int64_t e = 0; e < y->numel; e++)
    case_put(seed, e, (double)(float)test_between(random, -1, 1));
  hash_values(&k->sum, seed);
  k->seed[i] = seed;
}

/* Whether results behind the first have gradients. */
static bool has_more_seeds(const numbered *k) {
  for (int i = 1; i < MLPLI_MAX_OUTPUTS; i++)
    if (k->seed[i]) return true;
  return false;
}

static void number_case(mlpl_ctx *cx, numbered *k, mlpl_dtype dtype, const op_case *one) {
  const char *key = key_of(one);
  uint64_t random = hash(HASH_START, key, strlen(key));
  *k = (numbered){.one = one, .sum = HASH_START};
  draw_inputs(cx, k, dtype, one, &random);
  for (int i = 0; i < k->c.n; i++) {
    mlpl_tensor *leaf = k->c.leaf[i];
    const bool has_gradients = k->c.op->backward || k->c.op->compose;
    if (!leaf || !mlpli_is_real(leaf) || !has_gradients) continue;
    if (!mlpli_input_in(k->c.op->differentiable, k->c.op, i)) continue;
    if (k->c.in[i].constant) continue;
    k->wanted |= 1u << i;
    assert_works(cx, mlpl_tensor_set_requires_grad(cx, leaf, true));
  }
  if (case_apply(cx, &k->c, k->c.leaf, k->out) != MLPL_OK)
    fail_msg("%s: %s", case_text(one), mlpl_error(cx));
  for (int i = 0; i < MLPLI_MAX_OUTPUTS; i++) draw_seed(cx, k, i, &random);
  if (!k->seed[0] && !has_more_seeds(k)) k->wanted = 0;
}

static void release_case(numbered *k) {
  for (int i = 0; i < k->c.op->n_outputs; i++) mlpl_tensor_release(k->out[i]);
  for (int i = 0; i < MLPLI_MAX_OUTPUTS; i++) mlpl_tensor_release(k->seed[i]);
  free(k->sign);
  case_release(&k->c);
}

/* ---- the dump --------------------------------------------------------------------- */

static void print_number(double v) {
  if (isnan(v))
    printf("NaN");
  else if (isinf(v))
    printf(v < 0 ? "-Infinity" : "Infinity");
  else
    printf("%.17g", v);
}

static void print_sizes(const char *name, int n, const int64_t *size) {
  printf("\"%s\":[", name);
  for (int d = 0; d < n; d++) printf("%s%lld", d ? "," : "", (long long)size[d]);
  printf("]");
}

static void print_values(const mlpl_tensor *t) {
  printf(",\"values\":[");
  for (int64_t e = 0; e < t->numel; e++) {
    if (e) printf(",");
    print_number(case_get(t, e));
  }
  printf("]");
}

static void print_input(const numbered *k, int i) {
  const mlpl_tensor *t = k->c.leaf[i];
  const case_input *in = &k->c.in[i];
  const mlpl_op *op = k->c.op;
  const bool of_list = op->list && i >= op->n_inputs - 1;
  printf("%s{\"letters\":\"%s\",\"name\":\"%s\",\"required\":%s,\"list\":%s",
      i ? "," : "", letters_of(k->one, i), op->input_name[mlpli_input_place(op, i)],
      i < op->n_required || of_list ? "true" : "false", of_list ? "true" : "false");
  if (t) {
    printf(",\"dtype\":\"%s\",", mlpl_dtype_name((mlpl_dtype)t->dtype));
    print_sizes("shape", t->ndim, t->shape);
    printf(",");
    print_sizes("sizes", in->ndim, in->size); /* stretched: others than its shape */
    print_values(t);
    printf(",\"grad\":%s", k->wanted >> i & 1 ? "true" : "false");
  }
  printf("}");
}

/* The options that the case sets, as text; PyTorch's own defaults stand for the rest. */
static void print_options(const numbered *k) {
  static const char *const types[] = {"int", "real", "bool", "axis", "index", "choice",
      "sizes", "pair", "axes", "axis list", "extent"}; /* as mlpl_param_type has them */
  char words[256], *rest = words;
  snprintf(words, sizeof words, "%s", k->one->options);
  for (bool some = false; *rest; some = true) {
    char *word = rest, *end = strchr(rest, ' '), *value = strchr(word, '=');
    int type = -1;
    rest = end ? end + 1 : word + strlen(word);
    if (end) *end = '\0';
    *value++ = '\0';
    for (int i = 0; i < k->c.op->n_params; i++)
      if (strcmp(k->c.op->params[i].name, word) == 0) type = (int)k->c.op->params[i].type;
    printf("%s[\"%s\",\"%s\",\"%s\"]", some ? "," : "", word,
        type >= 0 && type < COUNT(types) ? types[type] : "other", value);
  }
}

static void print_seed(const mlpl_tensor *seed, bool comma) {
  printf(comma ? "," : "");
  if (!seed) {
    printf("null");
    return;
  }
  printf("{\"dtype\":\"f64\",");
  print_sizes("shape", seed->ndim, seed->shape);
  print_values(seed);
  printf("}");
}

static void print_case(const numbered *k) {
  printf("{\"key\":\"%s\",\"op\":\"%s\",\"random\":%s,\"sum\":\"%016llx\",\"inputs\":[",
      key_of(k->one), mlpli_said(k->c.op), k->c.op->random ? "true" : "false",
      (unsigned long long)k->sum);
  for (int i = 0; i < k->c.n; i++) print_input(k, i);
  printf("],\"options\":[");
  print_options(k);
  printf("],\"outputs\":[");
  for (int i = 0; i < k->c.op->n_outputs && k->out[i]; i++) {
    printf("%s{\"dtype\":\"%s\",", i ? "," : "",
        mlpl_dtype_name((mlpl_dtype)k->out[i]->dtype));
    print_sizes("shape", k->out[i]->ndim, k->out[i]->shape);
    printf("}");
  }
  printf("]");
  printf(",\"seeds\":[");
  for (int i = 0; i < k->c.op->n_outputs; i++) print_seed(k->seed[i], i > 0);
  printf("]}\n");
}

static int dump(void) {
  mlpl_ctx *cx;
  if (mlpl_open(&cx, &(mlpl_config){.threads = 1, .seed = 1}) != MLPL_OK) return 1;
  for (int i = 0; i < COUNT(op_cases); i++) {
    numbered k;
    const mlpl_op *op = mlpl_op_find(op_cases[i].op);
    if (!op || (op->internal && !op->says)) continue;
    number_case(cx, &k, MLPL_F64, &op_cases[i]);
    print_case(&k);
    release_case(&k);
  }
  mlpl_close(cx);
  return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}

/* ---- the table -------------------------------------------------------------------- */

/*
** case <key>
** sum <16 digits> <what follows: y0 y1 ... g0 g1 ..., or none and a reason>
** y0 <sizes>: <numbers>      results
** g0 <sizes>: <numbers>      gradients of inputs, where the first result has one
** h0 <sizes>: <numbers>      and of all results together, where others have one
*/
typedef struct table {
  char *text;
  struct {
    const char *key, *body;
    bool used;
  } * entry;
  int n, next; /* next: where the search begins */
} table;

static char *line_end(char *p) {
  char *end = strchr(p, '\n');
  if (!end) fail_msg("torch_values.txt: the last line has no end");
  return end;
}

static table table_read(void) {
  static const char *const places[] = {"tests/golden/torch_values.txt",
      "../tests/golden/torch_values.txt", "../../tests/golden/torch_values.txt",
      "../../../tests/golden/torch_values.txt"};
  table t = {.n = 0};
  size_t size;
  for (int i = 0; i < COUNT(places) && !t.text; i++)
    t.text = (char *)test_read(places[i], &size);
  if (!t.text) fail_msg("tests/golden/torch_values.txt is not there; %s", again);
  int room = 1;
  for (const char *p = t.text; (p = strstr(p, "\ncase ")); p++) room++;
  t.entry = calloc((size_t)room, sizeof *t.entry);
  assert_non_null(t.entry);
  for (char *p = t.text, *end; *p; p = end + 1) {
    end = line_end(p);
    if (strncmp(p, "case ", 5) != 0) continue;
    if (p > t.text) p[-1] = '\0'; /* ends the body before */
    *end = '\0';
    t.entry[t.n].key = p + 5;
    t.entry[t.n++].body = end + 1;
  }
  return t;
}

static const char *table_find(table *t, const char *key) {
  for (int i = 0; i < t->n; i++) {
    int at = (t->next + i) % t->n;
    if (strcmp(t->entry[at].key, key) != 0) continue;
    t->next = (at + 1) % t->n;
    t->entry[at].used = true;
    return t->entry[at].body;
  }
  return NULL;
}

/* The line that begins with this word: what follows it, or NULL. */
static const char *find_line(const char *body, const char *word) {
  size_t n = strlen(word);
  for (const char *p = body; p && *p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL)
    if (strncmp(p, word, n) == 0 && p[n] == ' ') return p + n + 1;
  return NULL;
}

/* ---- what is wrong: all of it, so that a merge sees what it has to do ------------- */

static int n_wrong;

static void wrong(const char *format, ...) MLPL_FORMAT(1, 2);
static void wrong(const char *format, ...) {
  char text[512];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (n_wrong++ < 100) print_error("%s\n", text);
}

/* ---- comparing -------------------------------------------------------------------- */

/*
** What an element may differ by: a share of itself, and one of the largest number for
** what cancels on the way, for each term of a sum. Where PyTorch and we solve in other
** orders, errors grow with the condition of the problem, not only with its size: such
** rows have a factor.
*/
static const struct {
  const char *op;
  double factor;
} factors[] = {{"svd", 10}, {NULL, 1}};

static double factor_of(const char *op) {
  for (int i = 0; factors[i].op; i++)
    if (strcmp(factors[i].op, op) == 0) return factors[i].factor;
  return 1;
}

/* Where each element of the result comes of one of each input: no sum, nothing cancels. */
static bool is_elementwise(const mlpl_op *op) {
  return mlpl_op_broadcasts(op) ||
      (mlpl_op_has_in_place(op) && mlpl_op_inputs(op, NULL) == 1 && !op->compose &&
          strncmp(op->name, "cum", 3) != 0);
}

/* Of such a result; a double near 0 may be off by a few units of 1, too. */
static double allowed_of_one(int dtype, double wanted) {
  if (dtype == MLPL_F64) return fmax(1e-12 * fabs(wanted), 1e-15);
  return dtype == MLPL_F32 ? fmax(1e-6 * fabs(wanted), 1e-7) : 0;
}

static double allowed(
    const numbered *k, int dtype, double wanted, double most, int64_t terms) {
  const double factor = factor_of(k->one->op), scale = fmax(most, 1);
  if (dtype == MLPL_F64)
    return factor * (1e-12 * fabs(wanted) + 4e-16 * (double)terms * scale);
  if (dtype == MLPL_F32)
    return factor * sqrt((double)terms) * (1e-6 * fabs(wanted) + 2e-7 * scale);
  return 0;
}

static bool same(double a, double b, double tolerance) {
  if (isnan(b)) return isnan(a);
  return a == b || fabs(a - b) <= tolerance; /* infinities are equal or not */
}

/* Rows with vectors that may have either sign: the results that they are columns and rows
   of. What belongs to one vector is compared with PyTorch's times 1 or -1. */
static const struct {
  const char *op;
  int columns, rows; /* -1: none */
} vectors[] = {{"qr", 0, 1}, {"svd", 0, 2}, {"eigh", 1, -1}};

static int vectors_of(const char *op) {
  for (int i = 0; i < COUNT(vectors); i++)
    if (strcmp(vectors[i].op, op) == 0) return i;
  return -1;
}

/* Which vector element e of result i belongs to; -1: none. */
static int64_t vector_at(const numbered *k, int i, int64_t e) {
  const int row = vectors_of(k->one->op);
  const mlpl_tensor *t = k->out[i];
  if (row < 0 || t->ndim < 2) return -1;
  const int64_t m = t->shape[t->ndim - 2], n = t->shape[t->ndim - 1];
  if (i == vectors[row].columns) return e / (m * n) * n + e % n;
  return i == vectors[row].rows ? e / n : -1;
}

static double sign_at(const numbered *k, const mlpl_tensor *t, int64_t e) {
  for (int i = 0; k->sign && i < k->c.op->n_outputs; i++)
    if (t == k->out[i] && vector_at(k, i, e) >= 0) return k->sign[vector_at(k, i, e)];
  return 1;
}

/* Vectors of which we have the negative have the negative gradient. */
static void turn_seed(numbered *k, int i) {
  for (int64_t e = 0; k->seed[i] && e < k->seed[i]->numel; e++)
    case_put(k->seed[i], e, case_get(k->seed[i], e) * sign_at(k, k->out[i], e));
}

/* Signs from the table, and into the seeds of the gradient. */
static void find_signs(numbered *k, const char *body) {
  const int row = vectors_of(k->one->op);
  char what[16], *end;
  if (row < 0) return;
  int i = vectors[row].columns;
  if (!k->out[i]->numel && vectors[row].rows >= 0) i = vectors[row].rows;
  snprintf(what, sizeof what, "y%d", i);
  const char *line = find_line(body, what), *p = line ? strchr(line, ':') : NULL;
  const int64_t numel = k->out[i]->numel;
  if (!p || !numel) return;
  if (vectors[row].rows >= 0 && i == vectors[row].columns) { /* as many of either */
    const mlpl_tensor *columns = k->out[i], *rows = k->out[vectors[row].rows];
    assert_int_equal(columns->shape[columns->ndim - 1], rows->shape[rows->ndim - 2]);
  }
  k->sign = calloc((size_t)numel, sizeof *k->sign);
  assert_non_null(k->sign);
  p++;
  for (int64_t e = 0; e < numel; e++, p = end)
    k->sign[vector_at(k, i, e)] += strtod(p, &end) * case_get(k->out[i], e);
  for (int64_t e = 0; e < numel; e++) k->sign[e] = k->sign[e] < 0 ? -1 : 1;
  for (i = 0; i < MLPLI_MAX_OUTPUTS; i++) turn_seed(k, i);
}

/* Numbers of the line against those of t (NULL: zeros), which has that shape. */
static void compare(const numbered *k, const char *what, const char *line,
    const mlpl_tensor *t, const mlpl_tensor *like) {
  char shape[MLPLI_SHAPE_TEXT], *end;
  const char *p = strchr(line, ':');
  double most = 0;
  int64_t terms = 1;
  mlpli_tensor_text(shape, like);
  shape[strlen(shape) - 1] = '\0';
  if (!p || strlen(shape + 1) != (size_t)(p - line) ||
      strncmp(line, shape + 1, strlen(shape + 1)) != 0) {
    wrong("%s: %s is [%s], PyTorch has [%.*s]", case_text(k->one), what, shape + 1,
        p ? (int)(p - line) : 0, line);
    return;
  }
  for (int i = 0; i < k->c.n; i++)
    if (k->c.leaf[i] && k->c.leaf[i]->numel > terms) terms = k->c.leaf[i]->numel;
  const char *numbers = p + 1;
  p = numbers;
  for (int64_t e = 0; e < like->numel; e++, p = end) {
    double v = strtod(p, &end);
    if (end == p) {
      wrong("%s: %s has too few numbers", case_text(k->one), what);
      return;
    }
    if (isfinite(v)) most = fmax(most, fabs(v));
  }
  if (*p != '\n' && *p != '\0') wrong("%s: %s has too many", case_text(k->one), what);
  p = numbers;
  for (int64_t e = 0; e < like->numel; e++, p = end) {
    double wanted = strtod(p, &end) * sign_at(k, like, e), v = t ? case_get(t, e) : 0;
    const double off = *what == 'y' && is_elementwise(k->c.op)
        ? allowed_of_one(like->dtype, wanted)
        : allowed(k, like->dtype, wanted, most, terms);
    if (same(v, wanted, off)) continue;
    wrong("%s (%s): element %d of %s is %.17g, PyTorch has %.17g", case_text(k->one),
        mlpl_dtype_name((mlpl_dtype)like->dtype), (int)e, what, v, wanted);
    return;
  }
}

/* Gradients against the lines that begin with the letter. How many there were. */
static int compare_lines(
    mlpl_ctx *cx, const numbered *k, const char *body, char letter, unsigned wanted) {
  int n = 0;
  for (int i = 0; i < k->c.n; i++) {
    char what[16];
    snprintf(what, sizeof what, "%c%d", letter, i);
    const char *line = find_line(body, what);
    if (!line != !(wanted >> i & 1))
      wrong("%s: %s a gradient %s of %s; %s", case_text(k->one),
          line ? "the table alone has" : "the table lacks", what,
          mlpli_input_text((char[MLPLI_INPUT_TEXT]){0}, cx, k->c.op, i), again);
    if (!line || !(wanted >> i & 1)) continue;
    compare(k, what, line, mlpl_tensor_grad(k->c.leaf[i]), k->c.leaf[i]);
    n++;
  }
  return n;
}

/* First those of the first result; those of the others are added. */
static int compare_gradients(mlpl_ctx *cx, numbered *k, const char *body) {
  const bool more = has_more_seeds(k);
  if (k->seed[0])
    assert_works(
        cx, mlpl_backward(cx, k->out[0], k->seed[0], more ? MLPL_RETAIN_GRAPH : 0));
  int n = compare_lines(cx, k, body, 'g', k->seed[0] ? k->wanted : 0);
  for (int i = 1; i < MLPLI_MAX_OUTPUTS; i++)
    if (k->seed[i])
      assert_works(cx, mlpl_backward(cx, k->out[i], k->seed[i], MLPL_RETAIN_GRAPH));
  return n + compare_lines(cx, k, body, 'h', more ? k->wanted : 0);
}

/* Returns how many gradients were compared, or -1: the table has none for the case. */
static int check_case(
    mlpl_ctx *cx, const op_case *one, mlpl_dtype dtype, const char *body) {
  numbered k;
  char sum[24];
  number_case(cx, &k, dtype, one);
  snprintf(sum, sizeof sum, "%016llx", (unsigned long long)k.sum);
  const char *found = find_line(body, "sum");
  bool drifted = !found || strncmp(found, sum, 16) != 0;
  if (drifted)
    wrong("%s: the inputs are not those of the table; %s", case_text(one), again);
  int n = drifted || strncmp(found + 16, " none", 5) != 0 ? 0 : -1;
  if (!drifted && n == 0) find_signs(&k, body);
  for (int i = 0; !drifted && n == 0 && i < k.c.op->n_outputs; i++) {
    char what[16];
    snprintf(what, sizeof what, "y%d", i);
    const char *line = find_line(body, what);
    if (!line != !k.out[i])
      wrong("%s: result %d is there or not; %s", case_text(one), i, again);
    else if (line)
      compare(&k, what, line, k.out[i], k.out[i]);
  }
  if (!drifted && n == 0) n = compare_gradients(cx, &k, body);
  release_case(&k);
  return n;
}

/* ---- walking the table of operations ---------------------------------------------- */

typedef struct counts {
  int rows, cases, gradients, without; /* without: cases that PyTorch cannot compute */
} counts;

static int check_row(
    mlpl_ctx *cx, const mlpl_op *op, mlpl_dtype dtype, table *t, counts *all) {
  int found = 0;
  for (int i = 0; i < COUNT(op_cases); i++) {
    if (strcmp(op_cases[i].op, op->name) != 0) continue;
    const char *body = table_find(t, key_of(&op_cases[i]));
    if (!body) wrong("%s: no values; %s", case_text(&op_cases[i]), again);
    int n = body ? check_case(cx, &op_cases[i], dtype, body) : 0;
    if (n < 0) {
      all->without++;
      continue;
    }
    all->gradients += n;
    found++;
  }
  return found;
}

static void check_rows(mlpl_ctx *cx, table *t, mlpl_dtype dtype, counts *all) {
  const mlpl_op *op;
  *all = (counts){0};
  for (int i = 0; (op = mlpl_op_at(i)); i++) {
    if (op->internal && !op->says) continue;
    int n = check_row(cx, op, dtype, t, all);
    if (!n && !op->random) wrong("%s is public and has no values of PyTorch's", op->name);
    all->rows += n > 0;
    all->cases += n;
  }
}

static const char *const isas[] = {"base", "avx2", "avx512"};

static void rows_agree_with_pytorch(void **state) {
  (void)state;
  table t = table_read();
  counts all = {0};
  int n_isas = 0;
  for (int i = 0; i < COUNT(isas); i++) {
    mlpl_ctx *cx;
    if (mlpl_open(&cx, &(mlpl_config){.isa = isas[i], .threads = 1, .seed = 1}) !=
        MLPL_OK) {
      print_message("skipped: this machine does not run %s\n", isas[i]);
      continue;
    }
    check_rows(cx, &t, MLPL_F64, &all);
    check_rows(cx, &t, MLPL_F32, &all);
    n_isas++;
    test_close(cx);
  }
  for (int i = 0; i < t.n; i++)
    if (!t.entry[i].used) wrong("%s: values of no case; %s", t.entry[i].key, again);
  print_message("%d operations in %d cases and %d gradients as PyTorch has them, f32 and "
                "f64, on %d instruction sets; %d cases without values\n",
      all.rows, all.cases, all.gradients, n_isas, all.without);
  free(t.entry);
  free(t.text);
  if (n_wrong) fail_msg("%d comparisons failed", n_wrong);
}

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "--dump") == 0) return dump();
  const struct CMUnitTest tests[] = {cmocka_unit_test(rows_agree_with_pytorch)};
  return cmocka_run_group_tests_name("torch_values", tests, NULL, NULL);
}
