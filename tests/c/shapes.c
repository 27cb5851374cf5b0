/*
** Shapes, parts, joining and assignment: the texts of errors, for indices that count from
** 0 and from 1; rows with any number of inputs; assignment with and without a graph, and
** when memory fails; the same bits for any number of threads.
*/
#include "tensor_test.h"

#include "grad/grad.h"
#include "op_cases.h"

/* ---- errors of rows, from the texts of cases --------------------------------------- */

static const struct {
  const char *op, *inputs, *options, *text;
} refusals[] = {
    {"view", "2x3t", "sizes=6",
        "view: input [2x3] with strides [1x2] cannot be seen as [6] without copying; use "
        "reshape"},
    {"view", "2x3", "sizes=4", "view: input [2x3] has 6 elements, which do not fit [4]"},
    {"view_as", "2x3t 6", "", "view_as: input [2x3] with strides [1x2] cannot be seen as [6]"},
    {"permute", "2x3", "dims=0",
        "permute: 1 axes given for a tensor with 2; each stands there once"},
    {"permute", "2x3", "dims=0x-2", "permute: axis 0 stands twice among the axes"},
    {"permute", "2x3", "dims=0x2", "permute: axis 2 is outside 0 to 1"},
    {"movedim", "2x3", "source=0x1 destination=0",
        "movedim: 2 axes to move, but 1 places for them"},
    {"squeeze", "2x1", "dim=2", "squeeze: axis 2 is outside 0 to 1"},
    {"unsqueeze", "1x1x1x1x1x1x1x1", "dim=0", "unsqueeze: input has 8 axes already"},
    {"unsqueeze", "2", "dim=2", "unsqueeze: axis 2 is outside 0 to 1"},
    {"unflatten", "1x1x1x1x1x1x1x1", "dim=0 sizes=1x1",
        "unflatten: 9 axes would come of these sizes; a tensor has at most 8"},
    {"unflatten", "2x6", "dim=1 sizes=4x-1",
        "unflatten: axis 1 has size 6, which [4x-1] does not multiply to"},
    {"unflatten", "6", "dim=0 sizes=s", "which [] does not multiply to"},
    {"unflatten", "0", "dim=0 sizes=0x-1", "which [0x-1] does not multiply to"},
    {"diagonal", "2x3", "dim1=1 dim2=-1",
        "diagonal: dim1 and dim2 are both axis 1; it lies between two"},
    {"unfold", "5", "dimension=0 size=6 step=1",
        "unfold: windows of 6 on axis 0, which has size 5"},
    {"unfold", "1x1x1x1x1x1x1x1", "dimension=0 size=1 step=1",
        "unfold: input has 8 axes already; windows need one more"},
    {"slice", "5", "start=3 step=1 count=3",
        "slice: 3 elements from 3 in steps of 1 leave axis 0, which has size 5"},
    {"slice", "5", "start=3 step=0 count=2", "leave axis 0"},
    {"slice", "5", "start=1 step=-1 count=3", "leave axis 0"},
    {"slice", "5", "start=0x0 step=1 count=1",
        "slice: 2 starts, 1 steps and 1 counts for 1 axes"},
    {"slice", "5", "start=0 step=1 count=-2", "slice: -2 elements from 0"},

    {"cat", "s s", "", "cat: a tensor without axes cannot be joined; stack gives it one"},
    {"cat", "2x3 2x2", "",
        "cat: tensor 1 is [2x2], the first is [2x3]; sizes must be equal but along axis "
        "0"},
    {"cat", "2x3 2x3 3", "dim=1", "cat: tensor 2 is [3], the first is [2x3]"},
    {"cat", "2 2", "dim=1", "cat: axis 1 is outside 0 to 0"},
    {"stack", "2 2 3", "",
        "stack: tensor 2 is [3], the first is [2]; all must have one shape"},
    {"stack", "1x1x1x1x1x1x1x1 1x1x1x1x1x1x1x1", "",
        "stack: the tensors have 8 axes already; a stack needs one more"},
    {"hstack", "2x3 3x3", "", "hstack: tensor 1 is [3x3], the first is [2x3]"},

    {"index", "2x3 1k 1k 1k", "", "index: 3 indices for a tensor with 2 axes"},
    {"index", "2x3 2k 3k", "", "index: sizes differ: a is [2], b is [3]"},
    {"index", "1x1x1x1x1x1x1x1 1x1k", "",
        "index: 9 axes would come of it; a tensor has at most 8"},
    {"index_put", "3x4 3 2k", "",
        "index_put: the part is [2x4], the values [3]; they must broadcast to it"},
    {"index_select", "2x3 1x1k", "dim=0",
        "index_select: index is [1x1]; it must have one axis"},
    {"index_add", "2x3 2k 3x3", "dim=0",
        "index_add: source is [3x3]; with 2 indices along axis 0 it must be [2x3]"},
    {"index_copy", "2x3 2k 2x3", "dim=1",
        "index_copy: source is [2x3]; with 2 indices along axis 1 it must be [2x2]"},
    {"masked_scatter", "2x3 2x3m 0", "",
        "masked_scatter: source is [0]; the mask asks for "},
    {"masked_select", "2x3 2m", "", "masked_select: sizes differ: input is [2x3], mask is [2]"},

    {"gather", "2x3 3x1k", "dim=1",
        "gather: input is [2x3], index is [3x1]; it must have as many axes and be "
        "nowhere "
        "longer but along axis 1"},
    {"gather", "2x3 2k", "dim=0", "it must have as many axes"},
    {"scatter", "2x3 2x2k 1x2", "dim=1",
        "scatter: src is [1x2], index is [2x2]; it must have as many axes and be nowhere "
        "longer"},
    {"take_along_dim", "2x3 2k", "dim=0",
        "take_along_dim: input is [2x3], indices is [2]; they must have as many axes"},
    {"take_along_dim", "2x3 3x1k", "dim=1", "take_along_dim: sizes differ"},
    {"one_hot", "0k", "",
        "one_hot: the tensor is empty; num_classes must say how many classes there are"},
    {"one_hot", "1x1x1x1x1x1x1x1k", "num_classes=2",
        "one_hot: input has 8 axes already; classes need one more"},

    {"tile", "2", "dims=-1", "tile: dims is -1; it must be 0 or more"},
    {"repeat_interleave", "200", "repeats=9e15",
        "repeat_interleave: input axis 0 of 200 elements, 9000000000000000 times: more than can be "
        "counted"},
    {"roll", "2x3", "shifts=1x2 dims=0", "roll: 2 shifts for 1 axes; each needs one"},
    {"roll", "2x3", "shifts=1x2", "roll: 2 shifts for 1 axes; each needs one"},
    {"rot90", "2x3x4", "dims=0x1x2", "rot90: 3 axes; a plane has two"},
    {"tril", "3", "", "tril: input is [3]; a triangle needs two axes"},
    {"triu", "s", "", "triu: input is []; a triangle needs two axes"},
    {"diag_embed", "s", "", "diag_embed: input has 0 axes; it takes 1 to 7"},
    {"diag_embed", "2", "dim1=0 dim2=-2",
        "diag_embed: dim1 and dim2 are both axis 0; it lies between two"},
    {"diag", "2x2x2", "",
        "diag: the tensor is [2x2x2]; it takes one axis or two (diagonal and diag_embed "
        "take more)"},
    {"trace", "2", "", "trace: input is [2]; it must be a matrix"},
    {"pad", "2x3", "pad=1",
        "pad: 1 numbers for a tensor of shape [2x3]; they are two for each axis, the "
        "last "
        "axis first"},
    {"pad", "3", "pad=1x1x1x1", "pad: 4 numbers for a tensor of shape [3]"},
    {"pad", "3", "pad=-4x2", "pad: axis 0 of size 3 cannot have -4 before and 2 behind"},
    {"pad", "3", "pad=-2x-2",
        "pad: axis 0 of size 3 cannot have -2 before and -2 behind"},
    {"pad", "3", "pad=3x0 mode=reflect",
        "pad: reflect with 3 before and 0 behind axis 0, which has size 3; both must be "
        "less "
        "than the size"},
    {"pad", "3", "pad=0x4 mode=circular", "both must be at most the size"},
    {"pad", "0", "pad=0x1 mode=replicate",
        "both must be 0 where there is nothing to repeat"},
    {"pad", "3", "pad=-1x0 mode=replicate",
        "both must be 0 or more (constant alone can cut)"},
};

static void rows_refuse(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  uint64_t random = 1;
  for (int i = 0; i < COUNT(refusals); i++) {
    op_case one = {refusals[i].op, refusals[i].inputs, refusals[i].options};
    made_case c = case_make(cx, &one, MLPL_F64, &random);
    mlpl_tensor *out[MLPLI_MAX_OUTPUTS];
    mlpl_status status = case_apply(cx, &c, c.leaf, out);
    if (status == MLPL_OK) fail_msg("%s works", case_text(&one));
    if (!strstr(mlpl_error(cx), refusals[i].text))
      fail_msg("%s: %s", case_text(&one), mlpl_error(cx));
    assert_null(out[0]);
    case_release(&c);
  }
  test_drop_and_close(cx);
}

static mlpl_status try(
    mlpl_ctx *cx, const char *op, mlpl_tensor *const *in, int n, const mlpl_arg *args) {
  mlpl_tensor *out[MLPLI_MAX_OUTPUTS];
  mlpl_status status = mlpl_call(cx, out, op, in, n, args);
  if (status == MLPL_OK)
    test_hold(out[0]);
  else
    assert_null(out[0]);
  return status;
}
#define IN(...)                                                                          \
  (mlpl_tensor *[]){__VA_ARGS__}, (int)COUNT(((mlpl_tensor *[]){__VA_ARGS__}))

/* ---- dtypes, lists, indices out of range ------------------------------------------- */

static void dtypes_and_lists(void **state) {
  (void)state;
  for (int base = 0; base <= 1; base++) {
    mlpl_ctx *cx = test_open(base);
    mlpl_tensor *x = VECTOR(cx, 1, 2, 3), *i = test_labels(cx, 1, (int64_t[]){1});
    assert_fails(cx, try(cx, "index_select", IN(x, x), ARGS(ARG("dim", 0))), MLPL_EARG,
        "index_select: index is f64; indices are i64");
    assert_fails(cx, try(cx, "masked_select", IN(x, i), NULL), MLPL_EARG,
        "masked_select: mask is i64; a mask is bool");
    assert_fails(cx, try(cx, "index_copy", IN(x, i, i), ARGS(ARG("dim", 0))), MLPL_EARG,
        "index_copy: input is f64, source is i64; they must have one dtype");
    assert_works(cx, try(cx, "cat", IN(x, i), NULL));
    mlpl_tensor *truth = test_new(cx, MLPL_BOOL, 1, (int64_t[]){3});
    assert_fails(cx, try(cx, "scatter_reduce", IN(truth, i, truth),
        ARGS(ARG("dim", 0), {.name = "reduce", .text = "mean"})), MLPL_EARG,
        "scatter_reduce: input is bool; a mean takes numbers (convert with :to)");
    mlpl_tensor *first = test_labels(cx, 1, (int64_t[]){base});
    assert_fails(cx, try(cx, "index_reduce",
        IN(truth, first, test_new(cx, MLPL_BOOL, 1, (int64_t[]){1})),
        ARGS(ARG("dim", 0), {.name = "reduce", .text = "mean"})), MLPL_EARG,
        "index_reduce: input is bool; a mean takes numbers (convert with :to)");
    assert_fails(cx, try(cx, "quantiles", IN(x, x), NULL), MLPL_EARG,
        "quantile: q holds 2; every one must be from 0 to 1");
    assert_fails(cx, try(cx, "quantiles", IN(x, test_new(cx, MLPL_F32, 2,
        (int64_t[]){1, 1})), NULL), MLPL_ESHAPE,
        "quantile: q is [1x1]; it must be a number or have one axis");
    assert_fails(cx, try(cx, "diff", IN(x, NULL, truth, x), NULL), MLPL_EARG,
        "diff: 4 tensors given");
    assert_fails(cx, try(cx, "diff", IN(x, test_new(cx, MLPL_F32, 2,
        (int64_t[]){1, 1})), NULL), MLPL_ESHAPE,
        base ? "diff: input is [3], prepend is [1x1]; sizes must be equal but along axis 1"
             : "diff: input is [3], prepend is [1x1]; sizes must be equal but along axis 0");
    assert_fails(cx, try(cx, "repeat_each", IN(x, x), NULL), MLPL_EARG,
        "repeat_interleave: repeats is f64; counts are whole numbers (i64)");
    assert_fails(cx, try(cx, "repeat_each", IN(x, test_labels(cx, 2, (int64_t[]){1, 2})),
        NULL), MLPL_ESHAPE,
        base ? "repeat_interleave: repeats is [2]; it must be one number, or one for each "
               "of the 3 elements of axis 1"
             : "repeat_interleave: repeats is [2]; it must be one number, or one for each "
               "of the 3 elements of axis 0");
    assert_fails(cx, try(cx, "repeat_each",
        IN(x, test_labels(cx, 3, (int64_t[]){1, 2, -5})), NULL), MLPL_EARG,
        "repeat_interleave: repeats holds ");
    assert_fails(cx, try(cx, "repeat_each",
        IN(x, test_labels(cx, 3, (int64_t[]){INT64_MAX / 2, INT64_MAX / 2, 5})), NULL),
        MLPL_ESHAPE,
        "repeat_interleave: repeats add up to more elements than can be counted");
    assert_fails(cx, try(cx, "stack", IN(x, NULL), NULL), MLPL_EARG,
        base ? "stack: tensor 2 is missing" : "stack: tensor 1 is missing");
    assert_fails(cx, try(cx, "cat", NULL, 0, NULL), MLPL_EARG,
        "cat: 0 tensors given; it takes 1 or more");
    assert_works(cx, try(cx, "cat", IN(i, i), NULL));
    assert_works(cx, try(cx, "index", IN(x, NULL), NULL));
    test_drop_and_close(cx);
  }
}

static void indices_are_checked(void **state) {
  (void)state;
  for (int base = 0; base <= 1; base++) {
    mlpl_ctx *cx = test_open(base);
    mlpl_tensor *x = VECTOR(cx, 1, 2, 3), *none = test_new(cx, MLPL_F64, SIZES(0));
    mlpl_tensor *high = test_labels(cx, 2, (int64_t[]){1, 3 + base}),
                *low = test_labels(cx, 1, (int64_t[]){-4}),
                *last = test_labels(cx, 1, (int64_t[]){-1}),
                *zero = test_labels(cx, 1, (int64_t[]){base - 1}),
                *least = test_labels(cx, 1, (int64_t[]){INT64_MIN});
    assert_fails(cx, try(cx, "index", IN(x, high), NULL), MLPL_EARG,
        base ? "index: index 4 along axis 1, which has size 3: indices run from 1 to 3 "
               "(or "
               "-3 to -1 from the end)"
             : "index: index 3 along axis 0, which has size 3: indices run from 0 to 2 "
               "(or "
               "-3 to -1 from the end)");
    assert_fails(
        cx, try(cx, "index", IN(x, low), NULL), MLPL_EARG, "index: index -4 along");
    assert_fails(cx, try(cx, "index", IN(x, least), NULL), MLPL_EARG,
        "index: index -9223372036854775808 along");
    assert_works(cx, try(cx, "index", IN(x, last), NULL));
    assert_values(test_held[test_n_held - 1], 3);
    assert_fails(cx, try(cx, "index_select", IN(x, last), ARGS(ARG("dim", 0))), MLPL_EARG,
        "index_select: index -1 along");
    if (base)
      assert_fails(cx, try(cx, "gather", IN(x, zero), ARGS(ARG("dim", 0))), MLPL_EARG,
          "gather: index 0 along axis 1, which has size 3: indices run from 1 to 3; are "
          "these counted from 0? add 1");
    assert_fails(cx, try(cx, "index", IN(none, last), NULL), MLPL_EARG,
        ", which has size 0: no index is valid");
    assert_fails(cx, try(cx, "one_hot", IN(high), ARGS(ARG("num_classes", 3))), MLPL_EARG,
        base ? "one_hot: input has class 4; with 3 classes they run from 1 to 3"
             : "one_hot: input has class 3; with 3 classes they run from 0 to 2");
    if (base)
      assert_fails(cx, try(cx, "one_hot", IN(zero), ARGS(ARG("num_classes", 3))),
          MLPL_EARG,
          "one_hot: input has class 0; with 3 classes they run from 1 to 3 (are they counted from "
          "0? "
          "add 1)");
    test_drop_and_close(cx);
  }
}

static void sizes_that_cannot_be_counted(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  const int64_t most = INT64_MAX / 16;
  mlpl_tensor *one = test_new(cx, MLPL_F64, SIZES(1)), *wide;
  wide = test_call(cx, "expand", IN(one),
      ARGS({.name = "sizes", .value = 1, .sizes = (int64_t[]){most}}));
  mlpl_tensor *many[20];
  for (int i = 0; i < COUNT(many); i++) many[i] = wide;
  assert_fails(cx, try(cx, "cat", many, COUNT(many), NULL), MLPL_ESHAPE,
      "cat: axis 0 would have more elements than can be counted");
  assert_fails(cx,
      try(cx, "unfold", IN(wide),
          ARGS(ARG("dimension", 0), ARG("size", 1LL << 50), ARG("step", 1))),
      MLPL_ESHAPE, "has more elements than can be counted");
  /* sizes of nothing are multiplied, too */
  assert_fails(cx,
      try(cx, "reshape", (mlpl_tensor *[]){test_new(cx, MLPL_F32, SIZES(0))}, 1,
          ARGS({.name = "sizes", .value = 2, .sizes = (int64_t[]){INT64_MAX / 2, -1}})),
      MLPL_ESHAPE, "which do not fit [4611686018427387903x-1]");
  mlpl_tensor *zero = test_labels(cx, 1, (int64_t[]){0}), *tall, *flat;
  const int64_t half = (int64_t)1 << 33;
  tall = test_call(cx, "expand", IN(zero),
      ARGS({.name = "sizes", .value = 2, .sizes = (int64_t[]){half, 1}}));
  flat = test_call(cx, "expand", IN(zero),
      ARGS({.name = "sizes", .value = 2, .sizes = (int64_t[]){1, half}}));
  mlpl_tensor *x = test_new(cx, MLPL_F32, SIZES(3, 3));
  mlpl_value whole[3] = {{.sizes = {.n = 0}}};
  memset(whole, 0, sizeof whole);
  assert_fails(cx,
      mlpl_tensor_assign(cx, x, one, (mlpl_tensor *[]){tall, flat}, 2, whole),
      MLPL_ESHAPE, "assignment: [8589934592x8589934592] is more than can be counted");
  assert_fails(cx, try(cx, "index", (mlpl_tensor *[]){x, tall, flat}, 3, NULL),
      MLPL_ESHAPE, "index: [8589934592x8589934592] is more than can be counted");
  test_drop_and_close(cx);
}

/* Along an axis of which nothing is left but sizes. */
static void differences_of_nothing_take_no_time(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = test_leaf(cx, test_new(cx, MLPL_F32, SIZES(0, (int64_t)1 << 40)));
  mlpl_tensor *y = test_call(cx, "diff", IN(x),
      ARGS(ARG("n", (double)((int64_t)1 << 39)), ARG("dim", 1)));
  assert_works(cx, mlpl_backward(cx, CALL1(cx, "sum", y), NULL, 0));
  assert_int_equal(mlpl_tensor_grad(x)->shape[1], (int64_t)1 << 40);
  test_drop_and_close(cx);
}

static void a_failed_call_gives_nothing(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = test_new(cx, MLPL_F32, SIZES(2)), *out[2] = {x, x};
  assert_fails(cx, mlpl_call(cx, out, "sort", &x, 1, ARGS(ARG("axis", 0))), MLPL_EARG,
      "sort: unknown option 'axis'");
  assert_null(out[0]);
  assert_null(out[1]);
  test_drop_and_close(cx);
}

/* ---- tensors by a rule ------------------------------------------------------------- */

static void sequences(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(1);
  mlpl_tensor *t;
  assert_works(cx, mlpl_tensor_linspace(cx, &t, MLPL_F64, -1, 1, 5));
  assert_values(test_hold(t), -1, -0.5, 0, 0.5, 1);
  assert_works(cx, mlpl_tensor_linspace(cx, &t, MLPL_F32, 3, 9, 1));
  assert_values(test_hold(t), 3);
  assert_works(cx, mlpl_tensor_linspace(cx, &t, MLPL_F64, -1e308, 1e308, 3));
  assert_values(test_hold(t), -1e308, 0, 1e308);
  assert_works(cx, mlpl_tensor_logspace(cx, &t, MLPL_F64, 0, 3, 4, 2));
  assert_values(test_hold(t), 1, 2, 4, 8);
  assert_works(cx, mlpl_tensor_eye(cx, &t, MLPL_I64, 2, 3));
  assert_values(test_hold(t), 1, 0, 0, 0, 1, 0);
  assert_works(cx, mlpl_tensor_triangle_indices(cx, &t, 3, 2, 0, true));
  assert_values(test_hold(t), 1, 2, 2, 3, 3, 1, 1, 2, 1, 2);
  assert_works(cx, mlpl_tensor_triangle_indices(cx, &t, 2, 3, 1, false));
  assert_values(test_hold(t), 1, 1, 2, 2, 3, 3);
  assert_works(cx, mlpl_tensor_triangle_indices(cx, &t, 3, 3, -2, true));
  assert_values(test_hold(t), 3, 1);
  assert_works(cx, mlpl_tensor_triangle_indices(cx, &t, 2, 2, -5, false));
  assert_int_equal(test_hold(t)->numel, 8);
  for (int lower = 0; lower <= 1; lower++) {
    assert_works(cx, mlpl_tensor_triangle_indices(cx, &t, 4, 2, lower ? -9 : 9, lower));
    assert_int_equal(test_hold(t)->numel, 0);
  }
  assert_fails(cx, mlpl_tensor_linspace(cx, &t, MLPL_I64, 0, 1, 2), MLPL_EARG,
      "linspace: dtype is i64; it must be f32 or f64");
  assert_fails(cx, mlpl_tensor_logspace(cx, &t, MLPL_F32, 0, (double)INFINITY, 2, 10),
      MLPL_EARG, "logspace: start is 0, stop is inf; both must be finite");
  assert_fails(cx, mlpl_tensor_linspace(cx, &t, MLPL_F64, 0, 1, -1), MLPL_EARG,
      "linspace: steps is -1; it must be 0 or more");
  assert_fails(cx, mlpl_tensor_triangle_indices(cx, &t, -1, 2, 0, true), MLPL_EARG,
      "triangle indices: -1 rows, 2 columns, offset 0; the sizes must be from 0 to "
      "2147483647, the offset no larger");
  test_drop_and_close(cx);
}

/* ---- assignment -------------------------------------------------------------------- */

/* The first row of x := v. */
static mlpl_status first_row(mlpl_ctx *cx, mlpl_tensor *x, mlpl_tensor *v) {
  mlpl_value part[3] = {{.sizes = {.n = 1}}, {.sizes = {.n = 1}}, {.sizes = {.n = 1}}};
  part[1].sizes.v[0] = 1;
  part[2].sizes.v[0] = -1;
  return mlpl_tensor_assign(cx, x, v, NULL, 0, part);
}

static mlpl_status at_places(
    mlpl_ctx *cx, mlpl_tensor *x, mlpl_tensor *index, mlpl_tensor *v) {
  mlpl_value part[3];
  memset(part, 0, sizeof part);
  return mlpl_tensor_assign(cx, x, v, &index, 1, part);
}

static void assignment_without_a_graph(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = MATRIX(cx, 2, 2, 1, 2, 3, 4), *v = VECTOR(cx, 5, 6);
  mlpl_tensor *w = test_copy(cx, MLPL_F32, SIZES(1, 2), VALUES(7, 8));
  assert_works(cx, first_row(cx, x, v));
  assert_values(x, 5, 6, 3, 4);
  assert_works(cx, first_row(cx, x, w)); /* converted; a one in front does not matter */
  assert_values(x, 7, 8, 3, 4);
  assert_works(cx, first_row(cx, x, CALL1(cx, "t", MATRIX(cx, 2, 1, 0, 9))));
  assert_values(x, 0, 9, 3, 4);
  mlpl_tensor *column = test_call(
      cx, "select", IN(x), ARGS(ARG("dim", 1), ARG("index", 1)));
  assert_works(cx, first_row(cx, x, column)); /* from x's own memory */
  assert_values(x, 9, 4, 3, 4);
  assert_works(cx,
      at_places(cx, column, test_labels(cx, 1, (int64_t[]){-1}),
          test_scalar(cx, 0))); /* through a view */
  assert_values(x, 9, 4, 3, 0);
  assert_fails(cx, first_row(cx, x, VECTOR(cx, 1, 2, 3)), MLPL_ESHAPE,
      "assignment: the part is [2], the values [3]; they must broadcast to it");
  assert_fails(cx, at_places(cx, x, test_labels(cx, 2, (int64_t[]){0, 2}), v), MLPL_EARG,
      "assignment: index 2 along axis 0, which has size 2");
  assert_fails(cx, at_places(cx, x, v, v), MLPL_EARG,
      "assignment: an index tensor is f64; indices are i64");
  assert_fails(cx, at_places(cx, test_scalar(cx, 1), NULL, v), MLPL_EARG,
      "assignment: 1 indices for a tensor with 0 axes");
  assert_values(x, 9, 4, 3, 0);
  mlpl_tensor *wide = test_call(cx, "expand", IN(v),
      ARGS({.name = "sizes", .value = 2, .sizes = (int64_t[]){2, 2}}));
  mlpl_tensor *windows = test_call(
      cx, "unfold", IN(v), ARGS(ARG("dimension", 0), ARG("size", 1), ARG("step", 1)));
  assert_fails(cx, first_row(cx, wide, v), MLPL_EARG,
      "assignment: elements of the tensor share memory (expand, unfold); assign to a "
      "clone");
  assert_works(cx, first_row(cx, windows, test_scalar(cx, 3))); /* these do not overlap */
  assert_values(v, 3, 6);
  test_drop_and_close(cx);
}

static void assignment_is_recorded(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *a = test_leaf(cx, VECTOR(cx, 1, 2)), *b = test_leaf(cx, VECTOR(cx, 3, 4));
  mlpl_tensor *x = MATRIX(cx, 2, 2, 0, 0, 0, 0);
  mlpl_tensor *before = CALL2(cx, "mul", a, a);
  assert_works(cx, first_row(cx, x, before));
  mlpl_tensor *square = CALL2(cx, "mul", x, x); /* [a^4; 0] */
  assert_works(cx, mlpl_backward(cx, CALL1(cx, "sum", square), NULL, MLPL_RETAIN_GRAPH));
  assert_values(mlpl_tensor_grad(a), 4, 32);
  mlpl_tensor_zero_grad(a);
  assert_works(cx, first_row(cx, x, b)); /* a's row is gone */
  assert_works(cx, mlpl_backward(cx, CALL1(cx, "sum", CALL2(cx, "mul", x, x)), NULL, 0));
  assert_values(mlpl_tensor_grad(b), 6, 8);
  assert_values(mlpl_tensor_grad(a), 0, 0);
  assert_fails(cx, mlpl_backward(cx, CALL1(cx, "sum", square), NULL, 0), MLPL_ESTATE,
      "backward: a of mul was changed in place after it was recorded; its old value is "
      "needed");
  test_drop_and_close(cx);
}

static void assignment_is_refused(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *w = test_leaf(cx, MATRIX(cx, 2, 2, 1, 2, 3, 4)), *v = VECTOR(cx, 5, 6);
  assert_fails(cx, first_row(cx, w, v), MLPL_ESTATE,
      "assignment: the tensor is a leaf that requires a gradient; its elements can be "
      "set "
      "under no_grad, or set those of a copy (clone)");
  mlpl_tensor *y = CALL2(cx, "mul", w, w);
  mlpl_tensor *row = test_call(cx, "select", IN(y), ARGS(ARG("dim", 0), ARG("index", 0)));
  assert_fails(cx, first_row(cx, row, test_scalar(cx, 1)), MLPL_ESTATE,
      "assignment: the tensor is a view, and a recorded assignment would not reach the "
      "gradient of the tensor that it is a part of; assign with one index to that "
      "tensor, x[{i, j}] = v, to a clone, or under no_grad");
  mlpl_tensor *leaf = test_leaf(cx, test_copy(cx, MLPL_F32, SIZES(2), VALUES(1, 2)));
  assert_fails(cx, first_row(cx, CALL1(cx, "clone", MATRIX(cx, 1, 2, 0, 0)), leaf),
      MLPL_EARG,
      "assignment: the tensor is f64, the values are f32 and require a gradient, which "
      "no "
      "conversion passes on; they must have one dtype");
  mlpl_set_grad_enabled(cx, false);
  assert_works(cx, first_row(cx, w, v));
  assert_works(cx, first_row(cx, y, v));
  mlpl_set_grad_enabled(cx, true);
  assert_values(w, 5, 6, 3, 4);
  assert_true(w->requires_grad && !w->node);
  assert_fails(cx, mlpl_backward(cx, CALL1(cx, "sum", y), NULL, 0), MLPL_ESTATE,
      "backward: a of mul was changed in place");
  test_drop_and_close(cx);
}

/* ---- when memory fails ------------------------------------------------------------- */

typedef struct chain {
  const char *op;
  int n, n_index; /* inputs; the last of them are index tensors of one place 0 */
  const mlpl_arg *args;
} chain;

static mlpl_status make_input(mlpl_ctx *cx, mlpl_tensor **t, bool index) {
  MLPL_TRY(mlpl_tensor_full(cx, t, index ? MLPL_I64 : MLPL_F64, index ? 1 : 2,
      index ? (int64_t[]){1} : (int64_t[]){3, 3}, index ? mlpl_index_base(cx) : 2));
  return index ? MLPL_OK : mlpl_tensor_set_requires_grad(cx, *t, true);
}

static mlpl_status apply_and_back(mlpl_ctx *cx, void *ud) {
  const chain *k = ud;
  mlpl_tensor *in[8] = {NULL}, *y = NULL, *sum = NULL;
  mlpl_status status = MLPL_OK;
  for (int i = 0; i < k->n && status == MLPL_OK; i++)
    status = make_input(cx, &in[i], i >= k->n - k->n_index);
  if (status == MLPL_OK) status = mlpl_call(cx, &y, k->op, in, k->n, k->args);
  if (status == MLPL_OK) status = mlpl_call(cx, &sum, "sum", &y, 1, NULL);
  if (status == MLPL_OK) status = mlpl_backward(cx, sum, NULL, MLPL_CREATE_GRAPH);
  for (int i = 0; i < k->n; i++)
    if (in[i]) mlpl_tensor_zero_grad(in[i]);
  mlpl_tensor_release(sum);
  mlpl_tensor_release(y);
  for (int i = 0; i < k->n; i++) mlpl_tensor_release(in[i]);
  return status;
}

/* b := values recorded, under which a gradient flows; x is as it was when it fails. */
static mlpl_status assign_and_back(mlpl_ctx *cx, void *ud) {
  (void)ud;
  mlpl_tensor *w = NULL, *x = NULL, *v = NULL, *index = NULL, *sum = NULL;
  mlpl_status status = make_input(cx, &w, false);
  if (status == MLPL_OK) status = make_input(cx, &index, true);
  if (status == MLPL_OK) status = mlpl_call(cx, &x, "neg", &w, 1, NULL);
  if (status == MLPL_OK) status = mlpl_call(cx, &v, "sum", &w, 1, NULL);
  if (status == MLPL_OK) {
    status = at_places(cx, x, index, v);
    assert_true(test_element(x, 0) == (status == MLPL_OK ? 18 : -2));
    assert_non_null(x->node);
  }
  if (status == MLPL_OK) status = mlpl_call(cx, &sum, "sum", &x, 1, NULL);
  if (status == MLPL_OK) status = mlpl_backward(cx, sum, NULL, 0);
  mlpl_tensor *all[] = {sum, v, x, index, w};
  for (int i = 0; i < COUNT(all); i++) mlpl_tensor_release(all[i]);
  return status;
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  const int64_t ones[] = {1, 1, 1, 1};
  const chain chains[] = {
      {"cat", 3, 0, ARGS(ARG("dim", 1))},
      {"stack", 5, 0, NULL},
      {"vstack", 3, 0, NULL},
      {"index", 3, 2, NULL},
      {"index_select", 2, 1, ARGS(ARG("dim", 1))},
      {"index_fill", 2, 1, ARGS(ARG("dim", 1), ARG("value", 3))},
      {"take", 2, 1, NULL},
      {"flip", 1, 0, ARGS({.name = "dims", .value = 2, .sizes = (int64_t[]){0, 1}})},
      {"roll", 1, 0, ARGS({.name = "shifts", .value = 1, .sizes = ones})},
      {"unfold", 1, 0, ARGS(ARG("dimension", 0), ARG("size", 2), ARG("step", 1))},
      {"diagonal", 1, 0, NULL},
      {"tile", 1, 0, ARGS({.name = "dims", .value = 2, .sizes = (int64_t[]){2, 3}})},
      {"pad", 1, 0,
          ARGS({.name = "pad", .value = 4, .sizes = ones},
              {.name = "mode", .text = "reflect"})},
      {"pad", 1, 0, ARGS({.name = "pad", .value = 4, .sizes = ones})},
  };
  for (int i = 0; i < COUNT(chains); i++)
    test_every_failure(apply_and_back, (void *)(uintptr_t)&chains[i]);
  test_every_failure(assign_and_back, NULL);
}

/* ---- threads ----------------------------------------------------------------------- */

static void the_same_bits_for_any_number_of_threads(void **state) {
  (void)state;
  mlpl_tensor *got[2][3];
  mlpl_ctx *cx[2];
  for (int k = 0; k < 2; k++) {
    assert_int_equal(
        mlpl_open(&cx[k], &(mlpl_config){.threads = k ? 4 : 1, .seed = 1}), 0);
    mlpl_tensor *x, *index, *sum;
    assert_works(cx[k], mlpl_tensor_randn(cx[k], &x, MLPL_F32, SIZES(500, 90), 0, 1));
    assert_works(
        cx[k], mlpl_tensor_randint(cx[k], &index, MLPL_I64, SIZES(4000), 0, 499));
    test_leaf(cx[k], test_hold(x));
    got[k][0] = CALL2(cx[k], "index", x, test_hold(index));
    got[k][1] = CALL2(cx[k], "mul", got[k][0], got[k][0]);
    sum = CALL1(cx[k], "sum", got[k][1]);
    assert_works(cx[k], mlpl_backward(cx[k], sum, NULL, 0));
    got[k][2] = mlpl_tensor_grad(x);
  }
  for (int i = 0; i < 3; i++) assert_true(test_same_bits(got[0][i], got[1][i]));
  test_drop();
  test_close(cx[0]);
  test_close(cx[1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_refuse),
      cmocka_unit_test(dtypes_and_lists),
      cmocka_unit_test(indices_are_checked),
      cmocka_unit_test(sizes_that_cannot_be_counted),
      cmocka_unit_test(differences_of_nothing_take_no_time),
      cmocka_unit_test(a_failed_call_gives_nothing),
      cmocka_unit_test(sequences),
      cmocka_unit_test(assignment_without_a_graph),
      cmocka_unit_test(assignment_is_recorded),
      cmocka_unit_test(assignment_is_refused),
      cmocka_unit_test(every_allocation_may_fail),
      cmocka_unit_test(the_same_bits_for_any_number_of_threads),
  };
  return cmocka_run_group_tests_name("shapes", tests, NULL, NULL);
}
