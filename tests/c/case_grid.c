/*
** The cases of every public operation (op_cases.h) lie on a grid: an empty input, a size
** of 1, memory that is not contiguous, a negative number for every option that names
** axes, and sizes that broadcast where the operation takes them. Whoever adds an
** operation adds such cases, and PyTorch's values of them (torch_values.c).
*/
#include "op_cases.h"

enum { EMPTY, SIZE_1, STRIDED, NEGATIVE, BROADCAST, N_KINDS };

static const char *const kind_name[N_KINDS] = {"an empty input", "a size of 1",
    "an input that is not contiguous", "a negative axis in every axis option",
    "sizes that broadcast"};

/* ---- what a case has --------------------------------------------------------------- */

static int64_t numel_of(const case_input *in) {
  int64_t n = 1;
  for (int d = 0; d < in->ndim; d++) n *= in->size[d];
  return n;
}

static bool has_size_1(const case_input *in) {
  for (int d = 0; d < in->ndim; d++)
    if (in->size[d] == 1) return true;
  return false;
}

/* Whether its memory is other than one run; t and n alone do nothing to a single axis. */
static bool is_strided(const case_input *in) {
  int axes = 0;
  for (int d = 0; d < in->ndim; d++) axes += in->size[d] > 1;
  if (numel_of(in) == 0) return false;
  if (in->stretched) return in->size[0] > 1;
  return in->layout == 'g' ? axes > 0 : in->layout && axes > 1;
}

static bool is_axis(const mlpl_param *p) {
  return p->type == MLPL_PARAM_AXIS || p->type == MLPL_PARAM_AXES ||
         p->type == MLPL_PARAM_AXIS_LIST;
}

/* Whether the option is set, to something with a negative number. */
static bool is_negative(const char *options, const char *name) {
  size_t n = strlen(name);
  for (const char *p = options; (p = strstr(p, name)); p += n) {
    if ((p > options && p[-1] != ' ') || p[n] != '=') continue;
    return memchr(p + n, '-', strcspn(p + n, " ")) != NULL;
  }
  return false;
}

/* Axis options as bits that the case gives a negative number. */
static unsigned negative_options(const mlpl_op *op, const char *options) {
  unsigned set = 0;
  for (int i = 0; i < op->n_params; i++)
    if (is_axis(&op->params[i]) && is_negative(options, op->params[i].name))
      set |= 1u << i;
  return set;
}

static bool same_sizes(const case_input *a, const case_input *b) {
  return a->ndim == b->ndim &&
         memcmp(a->size, b->size, (size_t)a->ndim * sizeof *a->size) == 0;
}

/* Whether the sizes differ and yet fit from the last axis on. */
static bool broadcasts(const case_input *a, const case_input *b) {
  for (int d = 1; d <= a->ndim && d <= b->ndim; d++) {
    int64_t m = a->size[a->ndim - d], n = b->size[b->ndim - d];
    if (m != n && m != 1 && n != 1) return false;
  }
  return !same_sizes(a, b);
}

static unsigned kinds_of(const case_input *in, int n) {
  unsigned has = 0;
  for (int i = 0; i < n; i++) {
    if (!in[i].there) continue;
    if (numel_of(&in[i]) == 0) has |= 1u << EMPTY;
    if (has_size_1(&in[i])) has |= 1u << SIZE_1;
    if (is_strided(&in[i])) has |= 1u << STRIDED;
    for (int j = 0; j < i; j++)
      if (in[j].there && broadcasts(&in[j], &in[i])) has |= 1u << BROADCAST;
  }
  return has;
}

/* ---- which rows broadcast ---------------------------------------------------------- */

/* Input i cut to the first along its first axis: does the operation take that? */
static bool takes_cut(mlpl_ctx *cx, made_case *c, int i) {
  static const mlpl_value first[] = {{.i = 0}, {.i = 0}, {.i = 1}};
  mlpl_tensor *whole = c->leaf[i], *out[MLPLI_MAX_OUTPUTS];
  assert_works(cx, mlpli_apply(cx, &c->leaf[i], MLPLI_OP_NARROW, &whole, 1, first));
  bool works = case_apply(cx, c, c->leaf, out) == MLPL_OK;
  if (works) case_drop(out);
  mlpl_tensor_release(c->leaf[i]);
  c->leaf[i] = whole;
  return works;
}

/* Tried on two inputs of the same sizes: one of them becomes smaller. */
static bool case_can_broadcast(mlpl_ctx *cx, const op_case *one) {
  uint64_t random = 1;
  made_case c = case_make(cx, one, MLPL_F64, &random);
  bool can = false;
  for (int i = 1; i < c.n && !can; i++)
    if (c.leaf[0] && c.leaf[i] && c.in[i].ndim && c.in[i].size[0] > 1 &&
        !c.in[i].stretched && same_sizes(&c.in[0], &c.in[i]))
      can = takes_cut(cx, &c, i);
  case_release(&c);
  return can;
}

/* ---- walking the table ------------------------------------------------------------- */

typedef struct grid {
  int rows, cases, cells, wrong; /* cells: kinds of case that are demanded */
} grid;

static void demand(grid *g, const mlpl_op *op, int kind, bool there) {
  g->cells++;
  if (there) return;
  print_error("%s: no case has %s\n", op->name, kind_name[kind]);
  g->wrong++;
}

static void check_row(mlpl_ctx *cx, const mlpl_op *op, grid *g) {
  unsigned has = 0, negative = 0, axes = 0;
  bool can_broadcast = false;
  for (int i = 0; i < op->n_params; i++) axes |= (unsigned)is_axis(&op->params[i]) << i;
  for (int k = 0; k < COUNT(op_cases); k++) {
    case_input in[MLPL_MAX_INPUTS];
    if (strcmp(op_cases[k].op, op->name) != 0) continue;
    has |= kinds_of(in, read_inputs(op_cases[k].inputs, in));
    negative |= negative_options(op, op_cases[k].options);
    if (!can_broadcast) can_broadcast = case_can_broadcast(cx, &op_cases[k]);
    g->cases++;
  }
  demand(g, op, EMPTY, has >> EMPTY & 1);
  demand(g, op, SIZE_1, has >> SIZE_1 & 1);
  demand(g, op, STRIDED, has >> STRIDED & 1);
  if (axes) demand(g, op, NEGATIVE, negative == axes);
  if (can_broadcast) demand(g, op, BROADCAST, has >> BROADCAST & 1);
  g->rows++;
}

static void every_row_has_every_kind_of_case(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  grid g = {0};
  const mlpl_op *op;
  for (int i = 0; (op = mlpl_op_at(i)); i++)
    if (!op->internal || op->says) check_row(cx, op, &g);
  print_message("%d operations, %d cases: %d times an empty input, a size of 1, no "
                "contiguous memory, negative axes or broadcasting\n",
      g.rows, g.cases, g.cells);
  test_close(cx);
  if (g.wrong) fail_msg("%d kinds of case are missing in op_cases.h", g.wrong);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_row_has_every_kind_of_case),
  };
  return cmocka_run_group_tests_name("case_grid", tests, NULL, NULL);
}
