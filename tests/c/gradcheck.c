/*
** The gradient of every operation, first and second, against central differences. Walks
** the table: a row with a gradient, an option or an optional input that no case exercises
** fails.
*/
#include "op_cases.h"

/* ---- first gradients --------------------------------------------------------------- */

typedef struct graph {
  const made_case *c;
  mlpl_tensor *weight[MLPL_MAX_INPUTS]; /* of the gradients in a second check */
  mlpl_random_state random; /* dropout draws the same mask at every evaluation */
} graph;

/* Inputs of gradcheck are the leaves that are there; the operation wants them at their
   places. */
static void spread_leaves(const made_case *c, mlpl_tensor *const *x, mlpl_tensor **leaf) {
  int at = 0;
  for (int i = 0; i < c->n; i++) leaf[i] = c->leaf[i] ? x[at++] : NULL;
}

/* One number of several results: the sum of those with a gradient, each weighted by the
   elements of a sequence. */
static mlpl_status weighed(mlpl_ctx *cx, mlpl_tensor *const *out, mlpl_tensor **y) {
  mlpl_status status = mlpl_tensor_full(cx, y, MLPL_F64, 0, NULL, 0);
  for (int i = 0; i < MLPLI_MAX_OUTPUTS && status == MLPL_OK; i++) {
    mlpl_tensor *weight, *product = NULL, *one = NULL, *both = NULL;
    if (!out[i] || !mlpl_tensor_requires_grad(out[i])) continue;
    assert_works(cx, mlpl_tensor_new(cx, &weight, MLPL_F64, out[i]->ndim, out[i]->shape));
    for (int64_t e = 0; e < weight->numel; e++)
      case_put(weight, e, sin(1 + 1.7 * (double)e + i));
    status = mlpl_call(cx, &product, "mul", (mlpl_tensor *[]){out[i], weight}, 2, NULL);
    if (status == MLPL_OK) status = mlpl_call(cx, &one, "sum", &product, 1, NULL);
    if (status == MLPL_OK)
      status = mlpl_call(cx, &both, "add", (mlpl_tensor *[]){*y, one}, 2, NULL);
    mlpl_tensor_release(weight);
    mlpl_tensor_release(product);
    mlpl_tensor_release(one);
    mlpl_tensor_release(*y);
    *y = both;
  }
  return status;
}

static mlpl_status first(
    mlpl_ctx *cx, void *ud, mlpl_tensor **y, mlpl_tensor *const *x, int n) {
  const graph *g = ud;
  mlpl_tensor *out[MLPLI_MAX_OUTPUTS], *leaf[MLPL_MAX_INPUTS];
  (void)n;
  spread_leaves(g->c, x, leaf);
  mlpl_random_set(cx, g->random);
  mlpl_status status = case_apply(cx, g->c, leaf, out);
  *y = NULL;
  if (status == MLPL_OK && g->c->op->compose && out[1]) status = weighed(cx, out, y);
  else *y = out[0] ? mlpl_tensor_retain(out[0]) : NULL;
  case_drop(out);
  return status;
}

static int require(mlpl_ctx *cx, const made_case *c, unsigned wanted, mlpl_tensor **x) {
  int n = 0;
  for (int i = 0; i < c->n; i++) {
    if (!c->leaf[i]) continue;
    x[n++] = c->leaf[i];
    if (mlpli_is_real(c->leaf[i]))
      assert_works(cx, mlpl_tensor_set_requires_grad(cx, c->leaf[i], wanted >> i & 1));
  }
  return n;
}

/* ---- second gradients -------------------------------------------------------------- */

/* *sum += sum(weight grad), recorded. */
static mlpl_status add_product(
    mlpl_ctx *cx, mlpl_tensor **sum, mlpl_tensor *grad, mlpl_tensor *weight) {
  mlpl_tensor *product = NULL, *one = NULL, *both = NULL;
  mlpl_status status =
      mlpl_call(cx, &product, "mul", (mlpl_tensor *[]){grad, weight}, 2, NULL);
  if (status == MLPL_OK) status = mlpl_call(cx, &one, "sum", &product, 1, NULL);
  if (status == MLPL_OK)
    status = mlpl_call(cx, &both, "add", (mlpl_tensor *[]){*sum, one}, 2, NULL);
  mlpl_tensor_release(product);
  mlpl_tensor_release(one);
  if (status != MLPL_OK) return status;
  mlpl_tensor_release(*sum);
  *sum = both;
  return MLPL_OK;
}

/* Takes the gradients of all leaves away, so that the outer check begins without. */
static mlpl_status collect(
    mlpl_ctx *cx, const graph *g, mlpl_tensor *const *leaf, mlpl_tensor **sum) {
  mlpl_status status = mlpl_tensor_full(cx, sum, MLPL_F64, 0, NULL, 0);
  for (int i = 0; i < g->c->n; i++) {
    mlpl_tensor *grad = leaf[i] ? mlpl_tensor_grad(leaf[i]) : NULL;
    if (!grad) continue;
    mlpl_tensor_retain(grad);
    mlpl_tensor_zero_grad(leaf[i]);
    if (status == MLPL_OK) status = add_product(cx, sum, grad, g->weight[i]);
    mlpl_tensor_release(grad);
  }
  return status;
}

/* y = sum over inputs of weight . (gradient of the operation, seeded with the last x). */
static mlpl_status second(
    mlpl_ctx *cx, void *ud, mlpl_tensor **y, mlpl_tensor *const *x, int n) {
  const graph *g = ud;
  mlpl_tensor *out = NULL, *leaf[MLPL_MAX_INPUTS];
  *y = NULL;
  for (int i = 0; i < n; i++)
    mlpl_tensor_zero_grad(x[i]); /* the outer check left its own */
  spread_leaves(g->c, x, leaf);
  mlpl_status status = first(cx, ud, &out, x, n);
  if (status == MLPL_OK) status = mlpl_backward(cx, out, x[n - 1], MLPL_CREATE_GRAPH);
  mlpl_tensor_release(out);
  return status == MLPL_OK ? collect(cx, g, leaf, y) : status;
}

static mlpl_tensor *random_like(mlpl_ctx *cx, const mlpl_tensor *t, uint64_t *random) {
  mlpl_tensor *out;
  assert_works(cx, mlpl_tensor_new(cx, &out, MLPL_F64, t->ndim, t->shape));
  for (int64_t e = 0; e < out->numel; e++) case_put(out, e, test_between(random, -1, 1));
  return out;
}

/* The seed is one more input, and varied too. */
static void check_second(mlpl_ctx *cx, const op_case *one, graph *g, mlpl_tensor **x,
    int n, uint64_t *random) {
  mlpl_tensor *out;
  assert_works(cx, first(cx, g, &out, x, n));
  x[n] = random_like(cx, out, random);
  mlpl_tensor_release(out);
  assert_works(cx, mlpl_tensor_set_requires_grad(cx, x[n], true));
  for (int i = 0; i < g->c->n; i++)
    g->weight[i] = g->c->leaf[i] && mlpli_is_real(g->c->leaf[i])
                       ? random_like(cx, g->c->leaf[i], random)
                       : NULL;
  if (mlpl_gradcheck(cx, second, g, x, n + 1, 0, 0, 0) != MLPL_OK)
    fail_msg("second gradient of %s: %s", case_text(one), mlpl_error(cx));
  for (int i = 0; i < g->c->n; i++) mlpl_tensor_release(g->weight[i]);
  mlpl_tensor_release(x[n]);
}

/* ---- walking the table ------------------------------------------------------------- */

/* One case with every choice of the inputs that want a gradient. Returns how many
   there were. */
static int check_case(mlpl_ctx *cx, const op_case *one, uint64_t *random) {
  made_case c = case_make(cx, one, MLPL_F64, random);
  mlpl_tensor *x[MLPL_MAX_INPUTS + 1];
  unsigned can = 0;
  int checks = 0;
  for (int i = 0; i < c.n; i++)
    if (c.leaf[i] && mlpli_is_real(c.leaf[i]) && !c.in[i].constant &&
        mlpli_input_in(c.op->differentiable, c.op, i))
      can |= 1u << i;
  for (unsigned wanted = 1; wanted <= can; wanted++) {
    if (wanted & ~can) continue;
    graph g = {.c = &c, .random = mlpl_random_get(cx)};
    int n = require(cx, &c, wanted, x);
    if (mlpl_gradcheck(cx, first, &g, x, n, 0, 0, 0) != MLPL_OK)
      fail_msg("gradient of %s: %s", case_text(one), mlpl_error(cx));
    check_second(cx, one, &g, x, n, random);
    checks++;
  }
  case_release(&c);
  return checks;
}

static void gradients_agree_with_differences(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  uint64_t random = 20240501;
  int rows = 0, checks = 0, n_cases = 0;
  const mlpl_op *op;
  for (int i = 0; (op = mlpl_op_at(i)); i++) {
    if (!op->backward && !op->compose) continue;
    const int before = checks;
    int of_row = 0;
    for (int k = 0; k < COUNT(op_cases); k++) {
      if (strcmp(op_cases[k].op, op->name) != 0) continue;
      checks += check_case(cx, &op_cases[k], &random);
      of_row++;
    }
    if (!of_row) fail_msg("%s has a gradient and no case in op_cases.h", op->name);
    /* parts of others have theirs in the cases of those */
    if (op->differentiable && !op->internal && checks == before)
      fail_msg("no case of %s has an input that wants a gradient", op->name);
    n_cases += of_row;
    rows += checks > before;
  }
  print_message("gradients of %d rows in %d cases, first and second, %d checks\n", rows,
      n_cases, checks);
  test_close(cx);
}

/* ---- the cases reach all that a row has -------------------------------------------- */

static bool has_option(const char *options, const char *name, const char *value) {
  size_t n = strlen(name);
  for (const char *p = options; (p = strstr(p, name)); p += n)
    if ((p == options || p[-1] == ' ') && p[n] == '=' &&
        (!value || strncmp(p + n + 1, value, strlen(value)) == 0))
      return true;
  return false;
}

static bool some_case(const mlpl_op *op, const char *name, const char *value) {
  for (int k = 0; k < COUNT(op_cases); k++)
    if (strcmp(op_cases[k].op, op->name) == 0 &&
        has_option(op_cases[k].options, name, value))
      return true;
  return false;
}

static int most_inputs(const mlpl_op *op) {
  int most = 0;
  for (int k = 0; k < COUNT(op_cases); k++) {
    case_input in[MLPL_MAX_INPUTS];
    if (strcmp(op_cases[k].op, op->name) != 0) continue;
    int n = read_inputs(op_cases[k].inputs, in);
    if (n > most) most = n;
  }
  return most;
}

/* Rows without a gradient too: the comparison with plain loops (table.c) uses the same
   cases. */
static void cases_reach_every_option_and_input(void **state) {
  (void)state;
  const mlpl_op *op;
  for (int i = 0; (op = mlpl_op_at(i)); i++) {
    if (most_inputs(op) < op->n_inputs + (op->list != MLPLI_NO_LIST))
      fail_msg("%s has an input that no case gives", op->name);
    for (int k = 0; k < op->n_params; k++) {
      const mlpl_param *p = &op->params[k];
      if (!some_case(op, p->name, NULL))
        fail_msg("%s: no case sets %s", op->name, p->name);
      for (int j = 0; p->type == MLPL_PARAM_CHOICE && p->choices[j]; j++)
        if (!some_case(op, p->name, p->choices[j]))
          fail_msg("%s: no case has %s", op->name, p->choices[j]);
    }
  }
}

/* ---- the check itself -------------------------------------------------------------- */

typedef struct wrong {
  int kind; /* what is wrong with it */
} wrong;

static mlpl_status f_wrong(
    mlpl_ctx *cx, void *ud, mlpl_tensor **y, mlpl_tensor *const *x, int n) {
  const wrong *w = ud;
  mlpl_tensor *cut;
  (void)n;
  if (w->kind == 0) return mlpl_call(cx, y, "exp", x, 1, NULL);
  if (w->kind == 1) return mlpl_fail(cx, MLPL_ECALLBACK, "the function itself failed");
  if (w->kind == 2) return mlpl_tensor_to(cx, y, x[0], MLPL_F32);
  /* 3: half of the product is cut off from the graph, so that the gradient is half of
     what it should be */
  MLPL_TRY(mlpl_tensor_detach(cx, &cut, x[0]));
  mlpl_status status = mlpl_call(cx, y, "mul", (mlpl_tensor *[]){x[0], cut}, 2, NULL);
  mlpl_tensor_release(cut);
  return status;
}

static mlpl_status run_wrong(mlpl_ctx *cx, int kind, mlpl_dtype dtype, bool required) {
  mlpl_tensor *x;
  assert_works(cx, mlpl_tensor_full(cx, &x, dtype, 1, (int64_t[]){2}, 1.5));
  assert_works(cx, mlpl_tensor_set_requires_grad(cx, x, required));
  mlpl_status status = mlpl_gradcheck(cx, f_wrong, &(wrong){kind}, &x, 1, 0, 0, 0);
  if (status != MLPL_ECALLBACK) assert_null(mlpl_tensor_grad(x));
  mlpl_tensor_release(x);
  return status;
}

static void a_wrong_gradient_is_found(void **state) {
  (void)state;
  for (int base = 0; base <= 1; base++) {
    mlpl_ctx *cx = test_open(base);
    assert_works(cx, run_wrong(cx, 0, MLPL_F64, true));
    assert_fails(cx, run_wrong(cx, 3, MLPL_F64, true), MLPL_ENUMERIC,
        base ? "gradcheck: input 1, element 1, output element 1: the gradient is 1.5, "
               "central differences give "
             : "gradcheck: input 0, element 0, output element 0: the gradient is 1.5, "
               "central differences give ");
    assert_fails(cx, run_wrong(cx, 1, MLPL_F64, true), MLPL_ECALLBACK,
        "the function itself failed");
    assert_fails(cx, run_wrong(cx, 2, MLPL_F64, true), MLPL_EARG,
        "gradcheck: the result is f32; it must be f64");
    assert_fails(cx, run_wrong(cx, 0, MLPL_F64, false), MLPL_EARG,
        "gradcheck: no input requires a gradient");
    assert_fails(cx, run_wrong(cx, 0, MLPL_F32, true), MLPL_EARG,
        base ? "gradcheck: input 1 is f32; it must be f64"
             : "gradcheck: input 0 is f32; it must be f64");
    assert_true(mlpl_grad_enabled(cx));
    test_close(cx);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gradients_agree_with_differences),
      cmocka_unit_test(cases_reach_every_option_and_input),
      cmocka_unit_test(a_wrong_gradient_is_found),
  };
  return cmocka_run_group_tests_name("gradcheck", tests, NULL, NULL);
}
