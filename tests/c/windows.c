/*
** Products, convolutions and pooling beyond the walk over the table: the texts of their
** errors, einsum, the same bits for any number of threads, and failing allocations.
*/
#include "tensor_test.h"

#include "ops/ops.h"

/* ---- texts ------------------------------------------------------------------------- */

static mlpl_status try(
    mlpl_ctx *cx, const char *op, mlpl_tensor *const *in, int n, const mlpl_arg *args) {
  mlpl_tensor *out[MLPLI_MAX_OUTPUTS] = {NULL};
  mlpl_status status = mlpl_call(cx, out, op, in, n, args);
  if (status != MLPL_OK) assert_null(out[0]);
  mlpl_tensor_release(out[0]);
  mlpl_tensor_release(out[1]);
  return status;
}
#define F32(...) test_new(cx, MLPL_F32, SIZES(__VA_ARGS__))
#define IN1(a) (mlpl_tensor *[]){a}, 1
#define IN2(a, b) (mlpl_tensor *[]){a, b}, 2
#define IN3(a, b, c) (mlpl_tensor *[]){a, b, c}, 3
#define LIST(key, ...)                                                                   \
  {                                                                                      \
    .name = key, .value = sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t),            \
    .sizes = (int64_t[]) {                                                               \
      __VA_ARGS__                                                                        \
    }                                                                                    \
  }
#define WORD(key, word)                                                                  \
  { .name = key, .text = word }

static void texts_of_products(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *number = test_new(cx, MLPL_F32, 0, NULL);
  assert_fails(cx, try(cx, "matmul", IN2(number, F32(3)), NULL), MLPL_ESHAPE,
      "matmul: a is [], b is [3]; both must have at least one axis");
  assert_fails(cx, try(cx, "matmul", IN2(F32(3), F32(2, 3)), NULL), MLPL_ESHAPE,
      "matmul: inner sizes differ: a is [3], b is [2x3]");
  assert_fails(cx, try(cx, "matmul", IN2(F32(2, 3, 4), F32(3, 4, 5)), NULL), MLPL_ESHAPE,
      "matmul: a is [2x3x4], b is [3x4x5]; sizes before the last two axes must be equal "
      "or 1");
  assert_fails(cx, try(cx, "mm", IN2(F32(3), F32(3, 2)), NULL), MLPL_ESHAPE,
      "mm: a is [3], b is [3x2]; both must be matrices (two axes)");
  assert_fails(cx, try(cx, "mv", IN2(F32(3, 2), F32(2, 1)), NULL), MLPL_ESHAPE,
      "mv: a is [3x2], b is [2x1]; it takes a matrix (two axes) and a vector (one axis)");
  assert_fails(cx, try(cx, "dot", IN2(F32(3), F32(4)), NULL), MLPL_ESHAPE,
      "dot: inner sizes differ: a is [3], b is [4]");
  assert_fails(cx, try(cx, "dot", IN2(F32(3), F32(3, 1)), NULL), MLPL_ESHAPE,
      "dot: a is [3], b is [3x1]; both must be vectors (one axis)");
  assert_fails(cx, try(cx, "bmm", IN2(F32(2, 3, 4), F32(1, 4, 5)), NULL), MLPL_ESHAPE,
      "bmm: a is [2x3x4], b is [1x4x5]; both must be [n x rows x columns], with one n");
  assert_fails(cx, try(cx, "outer", IN2(F32(3, 1), F32(4)), NULL), MLPL_ESHAPE,
      "outer: a is [3x1], b is [4]; both must be vectors (one axis)");
  assert_fails(cx, try(cx, "inner", IN2(F32(2, 3), F32(2)), NULL), MLPL_ESHAPE,
      "inner: a is [2x3], b is [2]; their last axes must be of one size");
  assert_fails(cx, try(cx, "inner", IN2(number, F32(2)), NULL), MLPL_ESHAPE,
      "inner: a is [], b is [2]; both must have at least one axis");
  assert_fails(cx, try(cx, "addmm", IN3(F32(3), F32(2, 3), F32(3, 2)), NULL), MLPL_ESHAPE,
      "addmm: input is [3]; it must broadcast to the product, which is [2x2]");
  assert_fails(cx, try(cx, "addmm", IN3(F32(1, 2, 2), F32(2, 3), F32(3, 2)), NULL),
      MLPL_ESHAPE, "addmm: input is [1x2x2]; it must broadcast to the product");
  assert_fails(cx, try(cx, "addmm", IN3(number, F32(3), F32(3, 2)), NULL), MLPL_ESHAPE,
      "addmm: a is [3], b is [3x2]; both must be [rows x columns]");
  assert_fails(cx, try(cx, "baddbmm", IN3(number, F32(2, 3, 4), F32(1, 4, 5)), NULL),
      MLPL_ESHAPE,
      "baddbmm: a is [2x3x4], b is [1x4x5]; both must be [n x rows x columns]");
  assert_fails(cx, try(cx, "addmm", IN3(number, F32(2, 3), F32(2, 3)), NULL), MLPL_ESHAPE,
      "addmm: inner sizes differ: a is [2x3], b is [2x3]");
  mlpl_tensor *deep = F32(1, 1, 1, 1, 1, 2);
  assert_fails(cx, try(cx, "inner", IN2(deep, deep), NULL), MLPL_ESHAPE,
      "the result would have more than 8 axes");
  test_drop_and_close(cx);
}

static void texts_of_convolutions(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x = F32(3, 8, 8), *w = F32(16, 3, 3, 3);
  assert_fails(cx, try(cx, "conv2d", IN2(x, F32(16, 4, 3, 3)), NULL), MLPL_ESHAPE,
      "conv2d: input is [3x8x8], weight is [16x4x3x3]; the weight takes 4 channels, the "
      "input has 3");
  assert_fails(cx, try(cx, "conv2d", IN2(F32(8, 8), w), NULL), MLPL_ESHAPE,
      "conv2d: input is [8x8]; it must be [n x channels x h x w], or without n");
  assert_fails(cx, try(cx, "conv1d", IN2(F32(8), F32(2, 3, 4)), NULL), MLPL_ESHAPE,
      "conv1d: input is [8]; it must be [n x channels x length], or without n");
  assert_fails(cx, try(cx, "conv2d", IN2(x, F32(16, 3, 3)), NULL), MLPL_ESHAPE,
      "conv2d: weight is [16x3x3]; it must be [out x in/groups x kh x kw]");
  assert_fails(cx, try(cx, "conv_transpose1d", IN2(F32(3, 8), F32(16, 3)), NULL),
      MLPL_ESHAPE,
      "conv_transpose1d: weight is [16x3]; it must be [in x out/groups x k]");
  assert_fails(cx, try(cx, "conv2d", IN2(x, F32(16, 1, 3, 3)), ARGS(ARG("groups", 3))),
      MLPL_ESHAPE,
      "conv2d: weight is [16x1x3x3]; its first axis must be a multiple of groups, which "
      "is 3");
  assert_fails(cx, try(cx, "conv2d", IN3(x, w, F32(3)), NULL), MLPL_ESHAPE,
      "conv2d: bias is [3], weight is [16x3x3x3]; the bias must be [16]");
  assert_fails(cx, try(cx, "conv2d", IN2(x, F32(16, 3, 0, 3)), NULL), MLPL_ESHAPE,
      "conv2d: weight is [16x3x0x3]; a kernel has at least 1 element");
  assert_fails(cx,
      try(cx, "conv2d", IN2(x, w), ARGS(WORD("padding", "same"), ARG("stride", 2))),
      MLPL_EARG, "conv2d: padding is 'same' and stride 2; 'same' needs stride 1");
  assert_fails(cx, try(cx, "conv2d", IN2(x, w), ARGS(WORD("padding", "full"))), MLPL_EARG,
      "conv2d: padding is 'full'; it must be one of valid, same");
  assert_fails(cx, try(cx, "conv2d", IN2(x, w), ARGS(LIST("dilation", 1, 4))),
      MLPL_ESHAPE,
      "conv2d: input is [3x8x8], weight is [16x3x3x3]; the kernel reaches over 9 "
      "elements "
      "of axis 2, the padded input has 8");
  assert_fails(cx, try(cx, "conv2d", IN2(x, w), ARGS(LIST("stride", 1, 2, 3))), MLPL_EARG,
      "conv2d: stride has 3 values; it takes one number, or one for each of the 2 axes");
  assert_fails(cx, try(cx, "conv2d", IN2(x, w), ARGS(ARG("stride", 0))), MLPL_EARG,
      "conv2d: stride is 0; it must be at least 1");
  assert_fails(cx, try(cx, "conv2d", IN2(x, w), ARGS(ARG("padding", 1e9))), MLPL_ESHAPE,
      "conv2d: input is [3x8x8], weight is [16x3x3x3]; padded it has more elements than "
      "can be counted");
  assert_fails(cx, try(cx, "conv2d", IN2(x, w), ARGS(ARG("groups", 0))), MLPL_EARG,
      "conv2d: groups is 0; it must be at least 1");
  mlpl_tensor *wt = F32(3, 2, 3, 3);
  assert_fails(cx,
      try(cx, "conv_transpose2d", IN2(x, wt), ARGS(ARG("output_padding", 1))), MLPL_EARG,
      "conv_transpose2d: output_padding is 1; it must be less than stride (1) or "
      "dilation "
      "(1)");
  assert_fails(cx, try(cx, "conv_transpose2d", IN2(x, wt), ARGS(ARG("padding", 6))),
      MLPL_ESHAPE,
      "conv_transpose2d: input is [3x8x8], weight is [3x2x3x3]; the result would have -2 "
      "elements along axis 1");
  assert_fails(cx, try(cx, "conv_transpose2d", IN2(x, wt), ARGS(ARG("stride", 1e9))),
      MLPL_ESHAPE, "padded it has more elements than can be counted");
  mlpl_value p[4] = {
      {.sizes = {-3, {0}}}, {.sizes = {1, {0}}}, {.sizes = {1, {1}}}, {.i = 1}};
  mlpl_tensor *out;
  assert_fails(cx, mlpl_op_apply(cx, &out, mlpl_op_find("conv2d"), IN2(x, w), p),
      MLPL_EARG, "conv2d: stride has -3 values; it takes one, or one an axis");
  test_drop_and_close(cx);
}

static void texts_of_pooling(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(1);
  mlpl_tensor *x = F32(3, 8, 8);
  assert_fails(cx, try(cx, "max_pool2d", IN1(F32(8, 8)), ARGS(ARG("kernel_size", 2))),
      MLPL_ESHAPE,
      "max_pool2d: input is [8x8]; it must be [n x channels x h x w], or without n");
  assert_fails(cx, try(cx, "avg_pool1d", IN1(F32(8)), ARGS(ARG("kernel_size", 2))),
      MLPL_ESHAPE, "avg_pool1d: input is [8]; it must be [n x channels x length], or");
  assert_fails(cx, try(cx, "max_pool2d", IN1(x), NULL), MLPL_EARG,
      "max_pool2d: kernel_size is missing");
  assert_fails(cx,
      try(cx, "avg_pool2d", IN1(x), ARGS(ARG("kernel_size", 3), ARG("padding", 2))),
      MLPL_EARG,
      "avg_pool2d: padding is 2, kernel_size is 3; the padding can be at most half of "
      "it");
  assert_fails(cx, try(cx, "avg_pool2d", IN1(x), ARGS(LIST("kernel_size", 2, 9))),
      MLPL_ESHAPE,
      "avg_pool2d: input is [3x8x8]; a window reaches over 9 elements of axis 3, the "
      "padded input has 8");
  assert_fails(cx,
      try(cx, "adaptive_avg_pool2d", IN1(F32(3, 0, 8)), ARGS(ARG("output_size", 2))),
      MLPL_ESHAPE,
      "adaptive_avg_pool2d: input is [3x0x8]; windows of nothing hold no element");
  assert_fails(cx,
      try(cx, "adaptive_max_pool1d", IN1(F32(3, 0)), ARGS(ARG("output_size", 2))),
      MLPL_ESHAPE,
      "adaptive_max_pool1d: input is [3x0]; windows of nothing hold no element");
  assert_fails(cx, try(cx, "im2col", IN1(F32(3, 8)), ARGS(ARG("kernel_size", 2))),
      MLPL_ESHAPE,
      "im2col: input is [3x8]; it must be [n x channels x h x w], or without n");
  assert_fails(cx,
      try(cx, "im2col", IN1(F32(3, 8, 4)),
          ARGS(ARG("kernel_size", 3), ARG("dilation", 3), ARG("padding", 1))),
      MLPL_ESHAPE,
      "im2col: the image is [8x4]; a patch of kernel_size reaches over 7 elements of its "
      "axis 2, the "
      "padded image has 6");
  assert_fails(cx,
      try(cx, "im2col", IN1(F32(3, 8, 4)),
          ARGS(ARG("kernel_size", 3), ARG("padding", 1e9))),
      MLPL_ESHAPE,
      "im2col: the image is [8x4]; its patches have more elements than can be counted");
  assert_fails(cx,
      try(cx, "col2im", IN1(F32(8)), ARGS(ARG("output_size", 4), ARG("kernel_size", 2))),
      MLPL_ESHAPE,
      "col2im: input is [8]; it must be [n x channels kh kw x patches], or without n");
  assert_fails(cx,
      try(cx, "col2im", IN1(F32(6, 9)),
          ARGS(ARG("output_size", 4), ARG("kernel_size", 2))),
      MLPL_ESHAPE,
      "col2im: input is [6x9]; a column is of whole patches, of 4 elements a channel");
  assert_fails(cx,
      try(cx, "col2im", IN1(F32(8, 8)),
          ARGS(ARG("output_size", 4), ARG("kernel_size", 2))),
      MLPL_ESHAPE,
      "col2im: input is [8x8]; an image with these options has 3 x 3 = 9 patches");
  assert_fails(cx,
      try(cx, "max_pool1d", IN1(F32(1, 1)),
          ARGS(ARG("kernel_size", 2), ARG("padding", 1), ARG("dilation", 2))),
      MLPL_ESHAPE, "max_pool1d: with dilation 2 and padding 1 a window holds no element");
  test_drop_and_close(cx);
}

/* ---- einsum ------------------------------------------------------------------------ */

/* Plain: over every place that the letters can take, without '...'. */
static double plain_sum(const char *text, mlpl_tensor *const *in, int n,
    const char *result, const int64_t *at) {
  char letters[32] = "";
  int64_t size[32], place[32];
  int n_letters = 0, operand = 0, axis = 0;
  for (const char *c = text; *c && *c != '-'; c++) {
    if (*c == ',') {
      operand++, axis = 0;
      continue;
    }
    if (!strchr(letters, *c)) letters[n_letters] = *c, size[n_letters++] = 1;
    int64_t has = in[operand]->shape[axis++];
    if (has != 1) size[strchr(letters, *c) - letters] = has;
  }
  int64_t all = 1;
  double sum = 0;
  for (int l = 0; l < n_letters; l++) all *= size[l];
  for (int64_t i = 0; i < all; i++) {
    int64_t left = i;
    bool here = true;
    for (int l = 0; l < n_letters; l++) place[l] = left % size[l], left /= size[l];
    for (int d = 0; result[d]; d++)
      here = here && place[strchr(letters, result[d]) - letters] == at[d];
    double product = 1;
    const char *c = text;
    for (int k = 0; here && k < n; k++, c++) {
      int64_t e = 0;
      for (int d = 0; d < in[k]->ndim; d++, c++) {
        int64_t p = place[strchr(letters, *c) - letters];
        e = e * in[k]->shape[d] + (in[k]->shape[d] == 1 ? 0 : p);
      }
      product *= test_element(in[k], e);
    }
    if (here) sum += product;
  }
  return sum;
}

static void check_einsum(mlpl_ctx *cx, const char *text, mlpl_tensor *const *in, int n) {
  mlpl_tensor *out;
  const char *result = strstr(text, "->") + 2;
  assert_works(cx, mlpl_einsum(cx, &out, text, in, n));
  test_hold(out);
  assert_int_equal(out->ndim, strlen(result));
  for (int64_t i = 0; i < out->numel; i++) {
    int64_t at[MLPL_MAX_RANK], left = i;
    for (int d = out->ndim - 1; d >= 0; d--)
      at[d] = left % out->shape[d], left /= out->shape[d];
    double wanted = plain_sum(text, in, n, result, at);
    if (fabs(test_element(out, i) - wanted) > 1e-12)
      fail_msg(
          "%s: element %d is %g, not %g", text, (int)i, test_element(out, i), wanted);
  }
}

static mlpl_tensor *some(mlpl_ctx *cx, int ndim, const int64_t *size) {
  mlpl_tensor *t;
  assert_works(cx, mlpl_tensor_rand(cx, &t, MLPL_F64, ndim, size, -1, 1));
  return test_hold(t);
}
#define SOME(...) some(cx, SIZES(__VA_ARGS__))

static void einsum_agrees_with_loops(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *number = some(cx, 0, NULL);
  const struct {
    const char *text;
    mlpl_tensor *in[4];
    int n;
  } sums[] = {
      {"ij,jk->ik", {SOME(2, 3), SOME(3, 4)}, 2},
      {"ij,kj->ki", {SOME(2, 3), SOME(4, 3)}, 2},
      {"bij,bjk->bik", {SOME(2, 3, 4), SOME(2, 4, 5)}, 2},
      {"bij,bjk->bik", {SOME(1, 3, 4), SOME(2, 4, 5)}, 2},
      {"ij,jk->ik", {SOME(2, 1), SOME(3, 4)}, 2},
      {"bhid,bhjd->bhij", {SOME(2, 2, 3, 4), SOME(2, 2, 5, 4)}, 2},
      {"ijk,jil->kl", {SOME(3, 2, 4), SOME(2, 3, 5)}, 2},
      {"ii->", {SOME(3, 3)}, 1},
      {"ii->i", {SOME(3, 3)}, 1},
      {"iji->ji", {SOME(3, 2, 3)}, 1},
      {"iji->j", {SOME(3, 2, 3)}, 1},
      {"ijk->ki", {SOME(2, 3, 4)}, 1},
      {"ij->ij", {SOME(2, 3)}, 1},
      {"i,j->ij", {SOME(2), SOME(3)}, 2},
      {"i,i->", {SOME(3), SOME(3)}, 2},
      {"ij,ij->i", {SOME(2, 3), SOME(2, 3)}, 2},
      {"ij,ij->ji", {SOME(2, 3), SOME(2, 3)}, 2},
      {"bn,anm,bm->ba", {SOME(2, 5), SOME(3, 5, 4), SOME(2, 4)}, 3},
      {"ij,kj,lk->il", {SOME(2, 3), SOME(4, 3), SOME(5, 4)}, 3},
      {"ab,cd,ef,gh->ah", {SOME(2, 2), SOME(2, 2), SOME(2, 2), SOME(2, 2)}, 4},
      {"aB,Bc->ca", {SOME(2, 3), SOME(3, 4)}, 2},
      {",ij->ji", {number, SOME(2, 3)}, 2},
      {"ij,jk->ik", {SOME(2, 0), SOME(0, 3)}, 2},
  };
  for (int i = 0; i < COUNT(sums); i++)
    check_einsum(cx, sums[i].text, sums[i].in, sums[i].n);
  test_drop_and_close(cx);
}

static mlpl_status einsum2(
    mlpl_ctx *cx, mlpl_tensor **out, const char *text, mlpl_tensor *a, mlpl_tensor *b) {
  return mlpl_einsum(cx, out, text, (mlpl_tensor *[]){a, b}, b ? 2 : 1);
}

/* What is left out is as if it were said. */
static void einsum_completes_equations(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *a = SOME(2, 3, 4), *b = SOME(4, 5), *y, *z;
  const char *pairs[][2] = {{"bij,jk->bik", "...ij,jk->...ik"}, {"bij,jk->bik", "bij,jk"},
      {"bij,jk->bik", "...j,jk->...k"}, {"bij,jk->bik", " b i j , j k -> b i k "}};
  for (int i = 0; i < COUNT(pairs); i++) {
    assert_works(cx, einsum2(cx, &y, pairs[i][0], a, b));
    assert_works(cx, einsum2(cx, &z, pairs[i][1], a, b));
    assert_true(test_same_bits(test_hold(y), test_hold(z)));
  }
  assert_works(cx, einsum2(cx, &y, "cba", a, NULL)); /* in the alphabet's order */
  assert_int_equal(test_hold(y)->shape[0], 4);
  assert_works(cx, einsum2(cx, &y, "...,...->...", SOME(2, 1, 3), SOME(4, 3)));
  assert_int_equal(test_hold(y)->ndim, 3);
  assert_int_equal(y->shape[1], 4);
  assert_works(cx, einsum2(cx, &y, "...->...", a, NULL)); /* a tensor of its own */
  assert_ptr_not_equal(test_hold(y), a);
  test_drop_and_close(cx);
}

static mlpl_status three(
    mlpl_ctx *cx, void *ud, mlpl_tensor **y, mlpl_tensor *const *x, int n) {
  return mlpl_einsum(cx, y, ud, x, n);
}

/* Gradients of gradients by differences are the table's affair; the first ones here. */
static void einsum_has_gradients(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *x[3] = {
      test_leaf(cx, SOME(2, 3)), test_leaf(cx, SOME(3, 3, 4)), test_leaf(cx, SOME(2, 4))};
  char text[] = "bi,iij,bj->bj", trace[] = "ii";
  assert_works(cx, mlpl_gradcheck(cx, three, text, x, 3, 0, 0, 0));
  x[0] = test_leaf(cx, SOME(3, 3));
  assert_works(cx, mlpl_gradcheck(cx, three, trace, x, 1, 0, 0, 0));
  test_drop_and_close(cx);
}

static void texts_of_einsum(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_tensor *a = SOME(2, 3), *y, *many[17],
              *deep = some(cx, 8, (int64_t[8]){1, 1, 1, 1, 1, 1, 1, 1});
  const struct {
    const char *text;
    mlpl_tensor *a, *b;
    mlpl_status status;
    const char *error;
  } bad[] = {
      {"ij,jk", a, SOME(4, 5), MLPL_ESHAPE,
          "einsum: equation 'ij,jk': subscript 'j' has size 4 in operand 2 and 3 before"},
      {"i...,j...", SOME(2, 3), SOME(2, 4), MLPL_ESHAPE,
          "'...' has an axis of size 4 in operand 2 and 3 before"},
      {"ii", a, NULL, MLPL_ESHAPE,
          "subscript 'i' stands for sizes 2 and 3 of operand 1, which is [2x3]"},
      {"ij,jk", a, NULL, MLPL_EARG,
          "einsum: equation 'ij,jk' has more operands than the 1 that are given"},
      {"ij", a, a, MLPL_EARG, "einsum: equation 'ij' has 1 operands, 2 are given"},
      {"ijk", a, NULL, MLPL_ESHAPE, "operand 1 is [2x3] and has 3 subscripts"},
      {"i", a, NULL, MLPL_ESHAPE, "operand 1 is [2x3] and has 1 subscripts"},
      {"i.j", a, NULL, MLPL_EARG, "'.' is no subscript; those are letters and one '...'"},
      {"i\xc3j", a, NULL, MLPL_EARG, "'?' is no subscript"},
      {"......", a, NULL, MLPL_EARG, "'.' is no subscript"},
      {"ij->ii", a, NULL, MLPL_EARG, "the result has subscript 'i' twice"},
      {"ij->k", a, NULL, MLPL_EARG, "the result has subscript 'k', which no operand has"},
      {"ij-ji", a, NULL, MLPL_EARG, "'-' is no subscript; the result follows '->'"},
      {"ij->i->j", a, NULL, MLPL_EARG, "there is one result, behind one '->'"},
      {"abcdefghi", a, NULL, MLPL_EARG, "a tensor has at most 8 axes"},
      {"abcdefgh,ij", deep, a, MLPL_EARG, "a tensor has at most 8 axes"},
      {"abcdefgh,ij->", deep, test_new(cx, MLPL_I64, SIZES(2, 3)), MLPL_EARG,
          "einsum: operand 2 is i64; it must be f32 or f64"},
  };
  for (int i = 0; i < COUNT(bad); i++) {
    assert_fails(cx, einsum2(cx, &y, bad[i].text, bad[i].a, bad[i].b), bad[i].status,
        bad[i].error);
    assert_null(y);
  }
  for (int i = 0; i < 4; i++) many[i] = SOME(1, 1, 1, 1, 1);
  /* in the order of the sentence the first product would have 10 axes */
  assert_works(cx, mlpl_einsum(cx, &y, "abcde,fghij,abcde,fghij->", many, 4));
  mlpl_tensor_release(y);
  many[0] = many[1] = SOME(1, 1, 1, 1, 1, 1, 1);
  assert_fails(cx, mlpl_einsum(cx, &y, "abcdefx,abcdghx,efghx->abcdefgh", many, 3),
      MLPL_ESHAPE, "a product of two operands has 9 axes; a tensor has at most 8");
  for (int i = 0; i < 17; i++) many[i] = a;
  assert_fails(cx, mlpl_einsum(cx, &y, "", many, 17), MLPL_EARG,
      "einsum: 17 operands; it takes 1 to 16");
  test_drop_and_close(cx);
}

/* ---- threads and memory ------------------------------------------------------------ */

typedef struct net {
  mlpl_tensor *x, *w, *b, *seed;
} net;

/* Everything of a convolution: results and three gradients. */
static mlpl_status all_of(
    mlpl_ctx *cx, const net *n, const mlpl_arg *args, mlpl_tensor **y) {
  MLPL_TRY(mlpl_call(cx, y, "conv2d", (mlpl_tensor *[]){n->x, n->w, n->b}, 3, args));
  return mlpl_backward(cx, *y, n->seed, 0);
}

static void same_bits_for_any_number_of_threads(void **state) {
  (void)state;
  mlpl_tensor *first[4] = {NULL};
  mlpl_ctx *cx = test_open(0);
  net n = {test_leaf(cx, SOME(9, 10, 21, 22)), test_leaf(cx, SOME(70, 5, 3, 3)),
      test_leaf(cx, SOME(70)), SOME(9, 70, 11, 11)};
  mlpl_tensor *a = SOME(50, 7, 9), *b = SOME(50, 9, 5), *products = NULL;
  for (int threads = 1; threads <= 5; threads++) {
    mlpl_tensor *y, *z;
    assert_works(cx, mlpl_set_threads(cx, threads));
    assert_works(cx,
        all_of(cx, &n, ARGS(ARG("stride", 2), ARG("padding", 1), ARG("groups", 2)), &y));
    mlpl_tensor *got[4] = {test_hold(y), mlpl_tensor_grad(n.x), mlpl_tensor_grad(n.w),
        mlpl_tensor_grad(n.b)};
    z = CALL2(cx, "matmul", a, b);
    if (!products) products = z;
    assert_true(test_same_bits(products, z));
    for (int i = 0; i < 4; i++) {
      if (threads == 1) {
        assert_works(cx, mlpl_tensor_clone(cx, &first[i], got[i]));
        test_hold(first[i]);
      }
      assert_true(test_same_bits(first[i], got[i]));
    }
    mlpl_tensor_zero_grad(n.x);
    mlpl_tensor_zero_grad(n.w);
    mlpl_tensor_zero_grad(n.b);
  }
  test_drop_and_close(cx);
}

static mlpl_status everything(mlpl_ctx *cx, void *ud) {
  (void)ud;
  net n = {NULL, NULL, NULL, NULL};
  mlpl_tensor *y = NULL, *pooled[2] = {NULL, NULL}, *mean = NULL, *sum = NULL;
  const mlpl_arg two[] = {
      {.name = "kernel_size", .value = 2}, {.name = "return_indices", .value = 1}, {0}};
  mlpl_status status =
      mlpl_tensor_full(cx, &n.x, MLPL_F32, 4, (int64_t[]){2, 2, 5, 5}, 1);
  if (status == MLPL_OK)
    status = mlpl_tensor_full(cx, &n.w, MLPL_F32, 4, (int64_t[]){3, 2, 2, 2}, 1);
  if (status == MLPL_OK)
    status = mlpl_tensor_full(cx, &n.b, MLPL_F32, 1, (int64_t[]){3}, 1);
  if (status == MLPL_OK)
    status = mlpl_tensor_full(cx, &n.seed, MLPL_F32, 4, (int64_t[]){2, 3, 4, 4}, 1);
  if (status == MLPL_OK) status = mlpl_tensor_set_requires_grad(cx, n.x, true);
  if (status == MLPL_OK) status = mlpl_tensor_set_requires_grad(cx, n.w, true);
  if (status == MLPL_OK) status = mlpl_tensor_set_requires_grad(cx, n.b, true);
  if (status == MLPL_OK) status = all_of(cx, &n, NULL, &y);
  if (status == MLPL_OK) status = mlpl_call(cx, pooled, "max_pool2d", &n.x, 1, two);
  if (status == MLPL_OK)
    status = mlpl_call(cx, &mean, "avg_pool2d", pooled, 1, ARGS(ARG("kernel_size", 2)));
  if (status == MLPL_OK) status = mlpl_backward(cx, mean, mean, 0);
  if (status == MLPL_OK) status = einsum2(cx, &sum, "bcij,bdij->dc", n.x, n.x);
  if (status == MLPL_OK) status = mlpl_backward(cx, sum, sum, 0);
  mlpl_tensor *all[] = {n.x, n.w, n.b, n.seed, y, pooled[0], pooled[1], mean, sum};
  for (int i = 0; i < COUNT(all); i++) mlpl_tensor_release(all[i]);
  return status;
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  test_every_failure(everything, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(texts_of_products),
      cmocka_unit_test(texts_of_convolutions),
      cmocka_unit_test(texts_of_pooling),
      cmocka_unit_test(einsum_agrees_with_loops),
      cmocka_unit_test(einsum_completes_equations),
      cmocka_unit_test(einsum_has_gradients),
      cmocka_unit_test(texts_of_einsum),
      cmocka_unit_test(same_bits_for_any_number_of_threads),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests_name("windows", tests, NULL, NULL);
}
