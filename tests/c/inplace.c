/*
** Operations that write into a tensor that exists, over the cases of op_cases.h: every row
** that has such a form gives the bits of its plain form, has its gradient, and leaves all
** as it was where it is refused.
*/
#include "op_cases.h"

#include "tensor_test.h"

/* ---- the same bits as the plain form ----------------------------------------------- */

static void release_inputs(mlpl_tensor **x, int n) {
  for (int i = 0; i < n; i++) mlpl_tensor_release(x[i]);
}

static void make_inputs(mlpl_ctx *cx, const made_case *c, mlpl_tensor **x) {
  for (int i = 0; i < c->n; i++) assert_works(cx, case_input_of(cx, c, i, c->leaf[i], &x[i]));
}

/* A contiguous copy, so that bits can be compared. */
static mlpl_tensor *laid_out(mlpl_ctx *cx, const mlpl_tensor *t) {
  mlpl_tensor *copy;
  assert_works(cx, mlpl_tensor_clone(cx, &copy, t));
  return copy;
}

static void expect_same(
    mlpl_ctx *cx, const op_case *one, const mlpl_tensor *got, const mlpl_tensor *wanted) {
  mlpl_tensor *a = laid_out(cx, got), *b = laid_out(cx, wanted);
  if (!test_same_bits(a, b)) fail_msg("%s: other bits than the plain form's", case_text(one));
  mlpl_tensor_release(a);
  mlpl_tensor_release(b);
}

static bool fits(const mlpl_tensor *t, const mlpl_tensor *result) {
  return t->dtype == result->dtype && mlpli_same_shape(t, result->ndim, result->shape) &&
      !mlpli_overlaps_itself(t);
}

/* out: new memory, and where it fits each input's own. Returns how many were tried. */
static int check_into(mlpl_ctx *cx, const op_case *one) {
  uint64_t random = 11;
  int n = 0;
  mlpl_tensor *x[MLPL_MAX_INPUTS] = {NULL}, *wanted[MLPLI_MAX_OUTPUTS], *y;
  made_case c = case_make(cx, one, MLPL_F32, &random);
  make_inputs(cx, &c, x);
  const mlpl_random_state before = mlpl_random_get(cx);
  assert_works(cx, mlpl_op_apply(cx, wanted, c.op, x, c.n, c.p));
  mlpl_tensor *view = wanted[0]; /* perhaps of x, which is written into below */
  wanted[0] = laid_out(cx, view);
  mlpl_tensor_release(view);
  for (int i = -1; i < c.n; i++) {
    if (i >= 0 && (!x[i] || !fits(x[i], wanted[0]))) continue;
    if (i < 0) assert_works(cx, mlpli_tensor_like(cx, &y, wanted[0]));
    else y = mlpl_tensor_retain(x[i]);
    mlpl_tensor *was = laid_out(cx, y);
    const uint32_t version = y->storage->version;
    mlpl_random_set(cx, before);
    assert_works(cx, mlpl_op_apply_into(cx, y, c.op, x, c.n, c.p));
    assert_true(y->storage->version != version);
    expect_same(cx, one, y, wanted[0]);
    mlpli_copy(y, was); /* it may be an input of the next */
    mlpl_tensor_release(was);
    mlpl_tensor_release(y);
    n++;
  }
  mlpl_tensor_release(wanted[0]);
  release_inputs(x, c.n);
  case_release(&c);
  return n;
}

static void into_gives_the_bits_of_the_plain_form(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  int n = 0;
  for (int k = 0; k < COUNT(op_cases); k++)
    if (mlpl_op_outputs(mlpl_op_find(op_cases[k].op)) == 1) n += check_into(cx, &op_cases[k]);
  print_message("%d results written into tensors that were there\n", n);
  assert_true(n > COUNT(op_cases));
  test_close(cx);
}

static int check_in_place(mlpl_ctx *cx, const op_case *one) {
  uint64_t random = 12;
  mlpl_tensor *x[MLPL_MAX_INPUTS] = {NULL}, *wanted[MLPLI_MAX_OUTPUTS];
  made_case c = case_make(cx, one, MLPL_F64, &random);
  make_inputs(cx, &c, x);
  const mlpl_random_state before = mlpl_random_get(cx);
  assert_works(cx, mlpl_op_apply(cx, wanted, c.op, x, c.n, c.p));
  if (c.op->dtype == mlpli_gives_truth) { /* 1 and 0 in x's dtype */
    mlpl_tensor *truth = wanted[0];
    assert_works(cx, mlpl_tensor_to(cx, &wanted[0], truth, (mlpl_dtype)x[0]->dtype));
    mlpl_tensor_release(truth);
  }
  const bool can = fits(x[0], wanted[0]);
  if (can) {
    mlpl_random_set(cx, before);
    assert_works(cx, mlpl_op_apply_in_place(cx, c.op, x, c.n, c.p));
    expect_same(cx, one, x[0], wanted[0]);
  }
  mlpl_tensor_release(wanted[0]);
  release_inputs(x, c.n);
  case_release(&c);
  return can;
}

static void in_place_gives_the_bits_of_the_plain_form(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  int n = 0, rows = 0;
  const mlpl_op *op;
  for (int i = 0; (op = mlpl_op_at(i)); i++) {
    if (!mlpl_op_has_in_place(op)) continue;
    int of_row = 0;
    for (int k = 0; k < COUNT(op_cases); k++)
      if (strcmp(op_cases[k].op, op->name) == 0) of_row += check_in_place(cx, &op_cases[k]);
    if (!of_row) fail_msg("%s_: no case can be done in place", op->name);
    n += of_row;
    rows++;
  }
  print_message("%d rows in place, %d cases\n", rows, n);
  test_close(cx);
}

/* ---- gradients --------------------------------------------------------------------- */

typedef struct form {
  const made_case *c;
  bool in_place;
  mlpl_random_state random;
} form;

/* f(a x, ...) with a = 1: x[0] is no leaf, and may be changed. */
static mlpl_status apply_form(
    mlpl_ctx *cx, void *ud, mlpl_tensor **y, mlpl_tensor *const *leaf, int n) {
  const form *f = ud;
  mlpl_tensor *x[MLPL_MAX_INPUTS] = {NULL}, *first;
  const mlpl_value one[2] = {{.f = 1}, {.f = 0}};
  (void)n;
  for (int i = 0; i < f->c->n; i++)
    MLPL_TRY(case_input_of(cx, f->c, i, leaf[i], &x[i]));
  mlpl_status status = mlpli_apply(cx, &first, MLPLI_OP_AFFINE, &x[0], 1, one);
  if (status == MLPL_OK) {
    mlpl_tensor_release(x[0]);
    x[0] = first;
    mlpl_random_set(cx, f->random);
    status = f->in_place ? mlpl_op_apply_in_place(cx, f->c->op, x, f->c->n, f->c->p)
                         : mlpl_op_apply(cx, y, f->c->op, x, f->c->n, f->c->p);
    if (f->in_place) *y = status == MLPL_OK ? mlpl_tensor_retain(x[0]) : NULL;
  }
  release_inputs(x, f->c->n);
  return status;
}

static int check_gradient(mlpl_ctx *cx, const op_case *one) {
  uint64_t random = 13;
  mlpl_tensor *y;
  made_case c = case_make(cx, one, MLPL_F64, &random);
  form f = {&c, false, mlpl_random_get(cx)};
  int n = 0;
  bool whole = true; /* no input is left out */
  for (int i = 0; i < c.n; i++) {
    if (!c.leaf[i]) whole = false;
    if (c.leaf[i] && mlpli_is_real(c.leaf[i]) && c.op->differentiable >> i & 1)
      assert_works(cx, mlpl_tensor_set_requires_grad(cx, c.leaf[i], true));
  }
  if (mlpli_is_real(c.leaf[0]) && whole) {
    assert_works(cx, apply_form(cx, &f, &y, c.leaf, c.n));
    n = mlpli_same_shape(y, c.in[0].ndim, c.in[0].size) && mlpl_tensor_requires_grad(y);
    mlpl_tensor_release(y);
  }
  f.in_place = true;
  if (n && mlpl_gradcheck(cx, apply_form, &f, c.leaf, c.n, 0, 0, 0) != MLPL_OK)
    fail_msg("gradient of %s_: %s", case_text(one), mlpl_error(cx));
  case_release(&c);
  return n;
}

static void in_place_has_the_gradient_of_the_plain_form(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  int n = 0;
  for (int k = 0; k < COUNT(op_cases); k++) {
    const mlpl_op *op = mlpl_op_find(op_cases[k].op);
    if (mlpl_op_has_in_place(op) && (op->backward || op->compose)) n += check_gradient(cx, &op_cases[k]);
  }
  print_message("gradients of %d cases in place\n", n);
  assert_true(n > 200);
  test_close(cx);
}

/* ---- refusals ---------------------------------------------------------------------- */

static mlpl_status in_place(mlpl_ctx *cx, const char *op, mlpl_tensor *x, mlpl_tensor *y) {
  return mlpl_op_apply_in_place(
      cx, mlpl_op_find(op), (mlpl_tensor *[]){x, y}, y ? 2 : 1, NULL);
}

static mlpl_status into(
    mlpl_ctx *cx, mlpl_tensor *out, const char *op, mlpl_tensor *x, mlpl_tensor *y) {
  return mlpl_op_apply_into(
      cx, out, mlpl_op_find(op), (mlpl_tensor *[]){x, y}, y ? 2 : 1, NULL);
}

#define NEW(dtype, ...) test_new(cx, dtype, SIZES(__VA_ARGS__))

static void what_is_refused(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = NEW(MLPL_F32, 3), *i = NEW(MLPL_I64, 3), *m = NEW(MLPL_F32, 2, 3);
  assert_fails(cx, in_place(cx, "sum", x, NULL), MLPL_EARG,
      "sum: it has no form that works in place");
  assert_fails(cx, in_place(cx, "add", NULL, x), MLPL_EARG,
      "add_: the tensor to change is missing");
  assert_fails(cx, mlpl_op_apply_in_place(cx, mlpl_op_find("add"), &x, 0, NULL), MLPL_EARG,
      "add_: the tensor to change is missing");
  assert_fails(cx, in_place(cx, "add", x, NULL), MLPL_EARG,
      "add_: 1 tensors given; it takes 2 to 2");
  assert_fails(cx, in_place(cx, "add", x, m), MLPL_ESHAPE,
      "add_: the result is [2x3], and a, to hold it, is [3]");
  assert_fails(cx, in_place(cx, "add", i, x), MLPL_EARG,
      "add_: the result is of f32, and a, to hold it, of i64");
  assert_works(cx, in_place(cx, "add", x, test_scalar(cx, 1)));
  assert_fails(cx, into(cx, i, "add", x, x), MLPL_EARG,
      "add: the result is of f32, and out, to hold it, of i64");
  assert_fails(cx, into(cx, NEW(MLPL_F64, 3), "add", x, x), MLPL_EARG,
      "add: the result is of f32, and out, to hold it, of f64");
  assert_fails(cx,
      mlpl_op_apply_into(cx, x, mlpl_op_find("max"), &x, 1,
          (mlpl_value[]){{.i = MLPL_NO_AXIS}, {.i = 0}}),
      MLPL_EARG, "max: out takes one result; this gives two");
  assert_fails(cx, mlpl_tensor_copy_from(cx, x, NEW(MLPL_F32, 2)), MLPL_ESHAPE,
      "copy_: the tensor is [3], the values are [2], which do not stretch to it");
  mlpl_tensor *wide = test_call(cx, "expand", (mlpl_tensor *[]){NEW(MLPL_F32, 1)}, 1,
      ARGS({.name = "sizes", .value = 1, .sizes = (int64_t[]){3}}));
  assert_fails(cx, in_place(cx, "add", wide, x), MLPL_EARG,
      "add_: a, [3], is stretched: several of its elements share one place in memory; "
      ":clone() it first");
  assert_fails(cx, mlpl_tensor_fill(cx, wide, 1), MLPL_EARG, "fill_: the tensor, [3], is");
  assert_fails(cx, mlpl_tensor_copy_from(cx, wide, x), MLPL_EARG, "copy_: the tensor, [3], is");
  assert_fails(cx, in_place(cx, "sub", NEW(MLPL_BOOL, 2), NEW(MLPL_BOOL, 2)), MLPL_EARG,
      "sub_: a is bool; it takes f32, f64, i64, u8 (convert with :to)");
  assert_fails(cx, into(cx, i, "floor_divide", i, i), MLPL_EARG,
      "floor_divide: b has a 0; whole numbers (i64) cannot be divided by it (f32 and f64 "
      "can)");
  assert_works(cx, mlpl_tensor_fill(cx, i, -1));
  assert_fails(cx, into(cx, i, "pow", i, i), MLPL_EARG,
      "pow: b has a negative number; whole numbers (i64) have no negative powers (f32 and "
      "f64 do)");
  test_drop_and_close(cx);
}

static void what_recording_refuses(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *w = test_leaf(cx, VECTOR(cx, 1, 2)), *x = VECTOR(cx, 3, 4);
  assert_fails(cx, in_place(cx, "add", w, x), MLPL_ESTATE,
      "add_: a is a leaf that requires a gradient, and what was recorded with it would "
      "lose its value; change it under no_grad");
  assert_fails(cx, mlpl_tensor_fill(cx, w, 0), MLPL_ESTATE, "fill_: the tensor is a leaf");
  assert_fails(cx, mlpl_tensor_copy_from(cx, w, x), MLPL_ESTATE, "copy_: the tensor is a leaf");
  assert_fails(cx, into(cx, x, "add", w, w), MLPL_ESTATE,
      "add: out has no gradient, and an input or out requires one; do without out, or work "
      "under no_grad");
  assert_fails(cx, into(cx, w, "add", x, x), MLPL_ESTATE, "add: out has no gradient");
  mlpl_tensor *h = CALL2(cx, "mul", w, x), *half = test_call(cx, "narrow", &h, 1,
      ARGS(ARG("dim", 0), ARG("start", 0), ARG("length", 1)));
  assert_fails(cx, in_place(cx, "neg", half, NULL), MLPL_ESTATE,
      "neg_: the change would be recorded, and input is a view: the tensor that it is a "
      "part of would change without a record; :clone() it first");
  assert_values(h, 3, 8);
  assert_works(cx, in_place(cx, "neg", h, NULL));
  assert_values(h, -3, -8);
  assert_values(half, -3);
  mlpl_tensor *out;
  assert_fails(cx, mlpl_call(cx, &out, "neg", &half, 1, NULL), MLPL_ESTATE,
      "neg: input is a view of memory that a recorded operation has changed in place "
      "since; make the view again");
  mlpl_set_grad_enabled(cx, false);
  assert_works(cx, mlpl_tensor_fill(cx, w, 5));
  assert_works(cx, into(cx, w, "add", w, x));
  assert_values(w, 8, 9);
  test_drop_and_close(cx);
}

/* ---- memory ------------------------------------------------------------------------ */

/* Recorded and not, converted and not; what is released is all there was. */
static mlpl_status every_form(mlpl_ctx *cx, void *ud) {
  mlpl_tensor *w, *x = NULL, *d = NULL, *h = NULL, *sum = NULL;
  (void)ud;
  MLPL_TRY(mlpl_tensor_full(cx, &w, MLPL_F32, 1, (int64_t[]){3}, 2));
  mlpl_status s = mlpl_tensor_set_requires_grad(cx, w, true);
  if (s == MLPL_OK) s = mlpl_tensor_full(cx, &x, MLPL_F32, 1, (int64_t[]){3}, 3);
  if (s == MLPL_OK) s = mlpl_tensor_full(cx, &d, MLPL_F64, 1, (int64_t[]){3}, 3);
  if (s == MLPL_OK) s = in_place(cx, "add", x, d);
  if (s == MLPL_OK) s = into(cx, x, "mul", x, x);
  if (s == MLPL_OK) s = mlpl_call(cx, &h, "mul", (mlpl_tensor *[]){w, x}, 2, NULL);
  if (s == MLPL_OK) s = in_place(cx, "mul", h, h);
  if (s == MLPL_OK) s = in_place(cx, "exp", h, NULL);
  if (s == MLPL_OK) s = in_place(cx, "add", h, d);
  if (s == MLPL_OK) s = mlpl_tensor_copy_from(cx, d, h);
  if (s == MLPL_OK) s = in_place(cx, "sub", d, w);
  if (s == MLPL_OK) s = mlpl_tensor_fill(cx, d, 2);
  if (s == MLPL_OK) s = mlpl_tensor_copy_from(cx, d, w);
  if (s == MLPL_OK) s = mlpl_tensor_fill_normal(cx, d, 0, 1);
  if (s == MLPL_OK) s = in_place(cx, "eq", d, w);
  if (s == MLPL_OK) s = mlpl_call(cx, &sum, "sum", &d, 1, NULL);
  if (s == MLPL_OK) s = mlpl_backward(cx, sum, NULL, 0);
  mlpl_tensor_release(w);
  mlpl_tensor_release(x);
  mlpl_tensor_release(d);
  mlpl_tensor_release(h);
  mlpl_tensor_release(sum);
  return s;
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  test_every_failure(every_form, NULL);
}

static void overlaps_are_found(void **state) {
  (void)state;
  static const struct {
    int ndim;
    int64_t shape[3], stride[3];
    bool overlaps;
  } table[] = {
      {0, {0}, {0}, false}, {1, {3}, {1}, false}, {1, {3}, {0}, true},
      {1, {1}, {0}, false}, {2, {2, 3}, {3, 1}, false}, {2, {3, 2}, {1, 3}, false},
      {2, {2, 3}, {2, 1}, true}, {2, {2, 3}, {0, 1}, true}, {2, {0, 3}, {0, 0}, false},
      {3, {2, 1, 3}, {3, 0, 1}, false}, {3, {2, 2, 2}, {4, 2, 1}, false},
      {3, {2, 2, 2}, {3, 2, 1}, true}, {2, {2, 3}, {-3, 1}, false}, {1, {3}, {-2}, false},
  };
  for (int i = 0; i < COUNT(table); i++) {
    mlpl_tensor t = {.ndim = (uint8_t)table[i].ndim, .numel = 1};
    for (int d = 0; d < t.ndim; d++) {
      t.shape[d] = table[i].shape[d];
      t.stride[d] = table[i].stride[d];
      t.numel *= t.shape[d];
    }
    assert_int_equal(mlpli_overlaps_itself(&t), table[i].overlaps);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(into_gives_the_bits_of_the_plain_form),
      cmocka_unit_test(in_place_gives_the_bits_of_the_plain_form),
      cmocka_unit_test(in_place_has_the_gradient_of_the_plain_form),
      cmocka_unit_test(what_is_refused),
      cmocka_unit_test(what_recording_refuses),
      cmocka_unit_test(every_allocation_may_fail),
      cmocka_unit_test(overlaps_are_found),
  };
  return cmocka_run_group_tests_name("inplace", tests, NULL, NULL);
}
