/*
** Whose memory a result is in, over the cases of op_cases.h: what shares memory with an
** input is a view, and a recorded change of it is refused; all else is a tensor of its own,
** which may be changed, and its gradients are right, however many views led to it.
*/
#include "op_cases.h"

#include "tensor_test.h"

static void make_inputs(mlpl_ctx *cx, const made_case *c, mlpl_tensor **x) {
  for (int i = 0; i < c->n; i++) assert_works(cx, case_input_of(cx, c, i, c->leaf[i], &x[i]));
}

static void release_inputs(mlpl_tensor **x, int n) {
  for (int i = 0; i < n; i++) mlpl_tensor_release(x[i]);
}

static bool is_among(mlpl_tensor *const *t, int n, const mlpl_tensor *one) {
  for (int i = 0; i < n; i++)
    if (t[i] == one) return true;
  return false;
}

static bool shares(mlpl_tensor *const *t, int n, const mlpl_tensor *one) {
  for (int i = 0; i < n; i++)
    if (t[i] && t[i]->storage == one->storage) return true;
  return false;
}

/* Inputs that can have one require a gradient. */
static bool require(mlpl_ctx *cx, const made_case *c) {
  bool any = false;
  for (int i = 0; i < c->n; i++) {
    if (!c->leaf[i] || !mlpli_is_real(c->leaf[i]) || c->in[i].constant) continue;
    if (!mlpli_input_in(c->op->differentiable, c->op, i)) continue;
    assert_works(cx, mlpl_tensor_set_requires_grad(cx, c->leaf[i], true));
    any = true;
  }
  return any;
}

/* ---- flags ------------------------------------------------------------------------- */

typedef struct count {
  int views, own;
} count;

static void check_flags(mlpl_ctx *cx, const op_case *one, bool recorded, count *n) {
  uint64_t random = 21;
  mlpl_tensor *x[MLPL_MAX_INPUTS] = {NULL}, *out[MLPLI_MAX_OUTPUTS] = {NULL};
  made_case c = case_make(cx, one, MLPL_F64, &random);
  if (recorded) require(cx, &c);
  make_inputs(cx, &c, x);
  assert_works(cx, mlpl_op_apply(cx, out, c.op, x, c.n, c.p));
  for (int i = 0; i < c.op->n_outputs; i++) {
    if (!out[i] || is_among(x, c.n, out[i])) continue;
    const bool view = shares(x, c.n, out[i]);
    if (out[i]->is_view != view)
      fail_msg("%s: result %d %s", case_text(one), i,
          view ? "shares memory with an input and is no view" : "is a view of nothing");
    if (!view && shares(out, i, out[i]))
      fail_msg("%s: result %d shares memory with another result", case_text(one), i);
    n->views += view;
    n->own += !view;
  }
  case_drop(out);
  release_inputs(x, c.n);
  case_release(&c);
}

static void what_shares_memory_is_a_view(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  count n = {0, 0};
  for (int k = 0; k < COUNT(op_cases); k++)
    for (int recorded = 0; recorded < 2; recorded++)
      check_flags(cx, &op_cases[k], recorded, &n);
  print_message("%d results are views, %d are not\n", n.views, n.own);
  assert_true(n.views > 100);
  test_close(cx);
}

/* ---- changes ----------------------------------------------------------------------- */

/* t is multiplied by 3 in place; what of it is refused, the views, is left as it is. */
static mlpl_status triple(mlpl_ctx *cx, mlpl_tensor *t) {
  mlpl_tensor *three;
  MLPL_TRY(mlpl_tensor_full(cx, &three, MLPL_F64, 0, NULL, 3));
  mlpl_status status = mlpl_op_apply_in_place(
      cx, mlpli_op_table[MLPLI_OP_MUL], (mlpl_tensor *[]){t, three}, 2, NULL);
  mlpl_tensor_release(three);
  return status;
}

/* *y += i-th weight times the sum of t, where t has a gradient. */
static mlpl_status add_up(mlpl_ctx *cx, mlpl_tensor **y, mlpl_tensor *t, int i) {
  mlpl_tensor *sum, *both;
  if (!mlpli_tracked(t)) return MLPL_OK;
  MLPL_TRY(mlpl_call(cx, &sum, "sum", &t, 1, NULL));
  mlpl_status status = mlpl_call(cx, &both, "add", (mlpl_tensor *[]){*y, sum}, 2,
      (const mlpl_arg[]){{.name = "alpha", .value = 1 + i}, {.name = NULL}});
  mlpl_tensor_release(sum);
  if (status != MLPL_OK) return status;
  mlpl_tensor_release(*y);
  *y = both;
  return MLPL_OK;
}

/* Squares of the results, which are tripled in place before and after they are used. */
static mlpl_status changed(
    mlpl_ctx *cx, void *ud, mlpl_tensor **y, mlpl_tensor *const *leaf, int n) {
  const made_case *c = ud;
  mlpl_tensor *out[MLPLI_MAX_OUTPUTS];
  (void)n;
  MLPL_TRY(mlpl_tensor_full(cx, y, MLPL_F64, 0, NULL, 0));
  mlpl_status status = case_apply(cx, c, leaf, out);
  for (int i = 0; i < c->op->n_outputs && status == MLPL_OK; i++) {
    if (!out[i] || !mlpli_is_real(out[i])) continue;
    status = add_up(cx, y, out[i], 7 * i);
    if (status == MLPL_OK) status = triple(cx, out[i]);
    if (status == MLPL_OK) status = add_up(cx, y, out[i], 7 * i + 1);
  }
  case_drop(out);
  return status;
}

static void expect_refused(mlpl_ctx *cx, const made_case *c) {
  mlpl_tensor *out[MLPLI_MAX_OUTPUTS];
  assert_works(cx, case_apply(cx, c, c->leaf, out));
  const bool stretched = mlpli_overlaps_itself(out[0]);
  if (mlpli_tracked(out[0]))
    assert_fails(cx, triple(cx, out[0]), stretched ? MLPL_EARG : MLPL_ESTATE,
        stretched ? "is stretched" : "is a view");
  case_drop(out);
}

/* 1: checked; 0: the gradient needs the old values, and says so. */
static int check_gradient(mlpl_ctx *cx, const op_case *one, const made_case *c) {
  if (mlpl_gradcheck(cx, changed, (void *)(uintptr_t)c, c->leaf, c->n, 0, 0, 0) == MLPL_OK)
    return 1;
  if (!strstr(mlpl_error(cx), "was changed in place after it was recorded"))
    fail_msg("%s: %s", case_text(one), mlpl_error(cx));
  return 0;
}

static bool gives_views(mlpl_ctx *cx, const made_case *c) {
  mlpl_tensor *out[MLPLI_MAX_OUTPUTS], *x[MLPL_MAX_INPUTS] = {NULL};
  make_inputs(cx, c, x);
  assert_works(cx, mlpl_op_apply(cx, out, c->op, x, c->n, c->p));
  const bool does = shares(x, c->n, out[0]);
  for (int i = 0; i < c->op->n_outputs; i++) mlpl_tensor_release(out[i]);
  release_inputs(x, c->n);
  return does;
}

static bool is_whole(const made_case *c) {
  for (int i = 0; i < c->n; i++)
    if (!c->leaf[i]) return false;
  return true;
}

static void a_tensor_of_its_own_may_be_changed(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  int checked = 0, refused = 0, needed = 0;
  for (int k = 0; k < COUNT(op_cases); k++) {
    uint64_t random = 22;
    const mlpl_op *op = mlpl_op_find(op_cases[k].op);
    if ((!op->view && !op->compose) || op->random || op->internal) continue;
    made_case c = case_make(cx, &op_cases[k], MLPL_F64, &random);
    if (is_whole(&c) && require(cx, &c)) {
      if (gives_views(cx, &c)) {
        expect_refused(cx, &c);
        refused++;
      }
      else if (check_gradient(cx, &op_cases[k], &c)) checked++;
      else needed++;
    }
    case_release(&c);
  }
  print_message("%d cases changed, %d refused, %d need the old values\n", checked, refused,
      needed);
  assert_true(checked > 700 && refused > 100);
  test_close(cx);
}

/* ---- einsum ------------------------------------------------------------------------ */

static void einsum_gives_a_view_only_of_an_operand(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  static const struct {
    const char *equation;
    bool two, view;
  } sums[] = {{"ij", false, true}, {"ij->ji", false, true}, {"ij->j", false, false},
      {"ij,jk->ik", true, false}, {"ij,jk->ki", true, false}, {"ij,jk->ijk", true, false}};
  mlpl_tensor *x[2];
  for (int i = 0; i < 2; i++)
    assert_works(cx, mlpl_tensor_full(cx, &x[i], MLPL_F32, 2, (int64_t[]){2, 2}, i + 1));
  for (int i = 0; i < COUNT(sums); i++) {
    mlpl_tensor *y;
    assert_works(cx, mlpl_einsum(cx, &y, sums[i].equation, x, 1 + sums[i].two));
    assert_int_equal(y->is_view, sums[i].view);
    assert_int_equal(shares(x, 2, y), sums[i].view);
    mlpl_tensor_release(y);
  }
  release_inputs(x, 2);
  test_close(cx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_shares_memory_is_a_view),
      cmocka_unit_test(a_tensor_of_its_own_may_be_changed),
      cmocka_unit_test(einsum_gives_a_view_only_of_an_operand),
  };
  return cmocka_run_group_tests_name("own_memory", tests, NULL, NULL);
}
