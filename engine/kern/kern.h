/*
** Kernels: loops over pointers, sizes and strides. They know no tensor and no context,
** allocate nothing, keep nothing and check nothing: the caller has proved every size.
**
** Every kernel that works on real numbers is written once against `real` (variants/,
** linalg/, seldom/) and compiled once per element type and instruction set, those in
** seldom/ for two sets only; each compilation fills one mlplk_table. mlplk_select
** (select.c) picks the best table that this processor can run.
**
** Two promises hold for every table:
**   position   an element of a result gets the same bits wherever it lies in the array and
**              whatever the strides, so work may be cut anywhere (but see `random`);
**   threads    work is divided by size, never by the number of workers, so the result has
**              the same bits for any number of threads.
**
** Sizes and strides count elements, not bytes. Strides may be zero or negative where
** nothing else is said. Outputs never overlap inputs unless they are the same array with
** the same strides (in place), which element-wise kernels allow.
*/
#ifndef MLPLK_KERN_H
#define MLPLK_KERN_H

#include <stddef.h>
#include <stdint.h>

/* ---- parallel-for ------------------------------------------------------------------ */

typedef void mlplk_task(void *arg, ptrdiff_t i, int worker);

/*
** run() calls task(arg, i, worker) once for every i in [0, n), in any order, perhaps at
** the same time on several threads, and returns when all are done. 0 <= worker < workers,
** and no two calls with the same worker run at the same time, so worker indexes scratch
** memory.
*/
typedef struct mlplk_par {
  void (*run)(const struct mlplk_par *par, ptrdiff_t n, mlplk_task *task, void *arg);
  int workers;
  void *pool;
} mlplk_par;

extern const mlplk_par mlplk_serial; /* one worker: the calling thread */

/* ---- matrix products --------------------------------------------------------------- */

typedef enum mlplk_act {
  MLPLK_ACT_NONE,
  MLPLK_ACT_RELU /* v <= 0 ? 0 : v, so NaN stays NaN */
} mlplk_act;

/*
** C := act(alpha A B + beta C + bias)      A [m x k], B [k x n], C [m x n]
**
** Element (i, j) of a matrix lies at p[i * rs + j * cs]. When beta is 0, C is written
** without being read (so NaN in it does not matter). k may be 0: C := act(beta C + bias).
** A and B may have any strides; C must have no two elements at one address. bias is NULL
** or has n elements, one per column, bias[j * bias_stride]. Bias and activation are
** applied once, after the last block of k. packed_a / packed_b: NULL, or the whole
** operand as pack_a / pack_b wrote it (for the same m, k or k, n, from the same table);
** the operand itself is then not read.
*/
typedef struct mlplk_gemm {
  ptrdiff_t m, n, k;
  double alpha, beta;
  const void *a;
  ptrdiff_t rs_a, cs_a;
  const void *b;
  ptrdiff_t rs_b, cs_b;
  void *c;
  ptrdiff_t rs_c, cs_c;
  const void *packed_a, *packed_b;
  const void *bias;
  ptrdiff_t bias_stride;
  mlplk_act act;
} mlplk_gemm;

/* C := A B of whole numbers of 1 byte (unsigned) or 8 (int64_t), which wrap around, by plain
   loops. */
void mlplk_whole_gemm(size_t bytes, const mlplk_gemm *g);

/* ---- element-wise ------------------------------------------------------------------ */

/* out = f(x, y, p); a row without y in its formula never reads y (NULL is fine). */
typedef enum mlplk_map_kind {
  MLPLK_COPY,       /* x */
  MLPLK_ADD,        /* x + y */
  MLPLK_SUB,        /* x - y */
  MLPLK_MUL,        /* x y */
  MLPLK_DIV,        /* x / y */
  MLPLK_POW,        /* x to the power y, as C's pow */
  MLPLK_SCALE,      /* p x */
  MLPLK_ADD_SCALED, /* x + p y */
  MLPLK_NEG,        /* -x */
  MLPLK_ABS,        /* |x| */
  MLPLK_SIGN,       /* -1, 0 or 1; NaN stays NaN */
  MLPLK_POSITIVE,   /* x > 0 ? 1 : 0 */
  MLPLK_EXP,        /* e^x */
  /* natural logarithm; log 0 = -inf, log of a negative number = NaN */
  MLPLK_LOG,
  MLPLK_SQRT,               /* square root */
  MLPLK_RELU,               /* x <= 0 ? 0 : x */
  MLPLK_LEAKY_RELU,         /* x > 0 ? x : p x */
  MLPLK_ELU,                /* x > 0 ? x : p (e^x - 1) */
  MLPLK_SIGMOID,            /* 1 / (1 + e^-x), without overflow */
  MLPLK_TANH,               /* tanh x */
  MLPLK_RELU_GRAD,          /* x = gradient, y = output: y <= 0 ? 0 : x */
  MLPLK_LEAKY_GRAD,         /* x = gradient, y = input: y > 0 ? x : p x */
  MLPLK_ELU_GRAD,           /* x = gradient, y = output: y > 0 ? x : x (y + p) */
  MLPLK_SIGMOID_GRAD,       /* x = gradient, y = output: x y (1 - y) */
  MLPLK_TANH_GRAD,          /* x = gradient, y = output: x (1 - y y) */
  MLPLK_SQUARED_DIFFERENCE, /* (x - y)^2 */
  /* x = logit, y = target: (1 - y) x - logsigmoid(x), stable for any x */
  MLPLK_BCE_LOGITS,
  MLPLK_BCE_LOGITS_GRAD, /* x = logit, y = target: sigmoid(x) - y */
  /* x / y rounded down, as Python's //; x / 0 as division gives it */
  MLPLK_FLOOR_DIVIDE,
  MLPLK_REMAINDER, /* x - y floor(x / y), with the sign of y: Lua's and Python's % */
  MLPLK_FMOD,      /* the remainder with the sign of x, as C's fmod */
  MLPLK_MAXIMUM,   /* the larger; NaN when either is */
  MLPLK_MINIMUM,   /* the smaller; NaN when either is */
  /* functions of vtrig.h and vspecial.h */
  MLPLK_SIN,         /* sin x */
  MLPLK_COS,         /* cos x */
  MLPLK_TAN,         /* tan x */
  MLPLK_ASIN,        /* arc sine */
  MLPLK_ACOS,        /* arc cosine */
  MLPLK_ATAN,        /* arc tangent */
  MLPLK_ATAN2,       /* angle of the point (y, x), as C's atan2(x, y) */
  MLPLK_SINH,        /* sinh x */
  MLPLK_COSH,        /* cosh x */
  MLPLK_ASINH,       /* inverse of sinh */
  MLPLK_ACOSH,       /* inverse of cosh */
  MLPLK_ATANH,       /* inverse of tanh */
  MLPLK_SINC,        /* sin(pi x) / (pi x), 1 at 0 */
  MLPLK_EXP2,        /* 2^x */
  MLPLK_EXPM1,       /* e^x - 1 */
  MLPLK_LOG2,        /* logarithm to base 2 */
  MLPLK_LOG10,       /* logarithm to base 10 */
  MLPLK_LOG1P,       /* log(1 + x) */
  MLPLK_RSQRT,       /* 1 / sqrt x */
  MLPLK_RECIPROCAL,  /* 1 / x */
  MLPLK_SQUARE,      /* x^2 */
  MLPLK_ERF,         /* error function */
  MLPLK_ERFC,        /* 1 - erf x */
  MLPLK_ERFINV,      /* inverse of erf */
  MLPLK_LGAMMA,      /* log |gamma x| */
  MLPLK_DIGAMMA,     /* its derivative */
  MLPLK_POLYGAMMA,   /* derivative p of digamma */
  MLPLK_FLOOR,       /* largest whole number up to x */
  MLPLK_CEIL,        /* smallest whole number from x on */
  MLPLK_ROUND,       /* nearest whole number, the even one of two */
  MLPLK_TRUNC,       /* x without what follows the point */
  MLPLK_FRAC,        /* x - trunc x */
  MLPLK_HYPOT,       /* sqrt(x^2 + y^2) */
  MLPLK_LOGADDEXP,   /* log(e^x + e^y) */
  MLPLK_XLOGY,       /* x log y, 0 where x is 0 */
  MLPLK_XLOGY_OFF,   /* x is 0 and y <= 0 ? 0 : 1 */
  MLPLK_HEAVISIDE,   /* x < 0 ? 0 : x > 0 ? 1 : y; NaN stays NaN */
  MLPLK_COPYSIGN,    /* |x| with the sign of y */
  MLPLK_NAN_TO_NUM,  /* NaN becomes p */
  MLPLK_INF_TO_NUM,  /* inf becomes y, -inf becomes p */
  MLPLK_CLAMP,       /* y if x < y, then p if that is > p */
  MLPLK_THRESHOLD,   /* x <= p ? y : x */
  MLPLK_GELU,        /* x/2 (1 + erf(x / sqrt 2)) */
  MLPLK_GELU_TANH,   /* x/2 (1 + tanh(k (x + 0.044715 x^3))), k^2 = 2 / pi */
  MLPLK_SILU,        /* x sigmoid(x) */
  MLPLK_MISH,        /* x tanh(log(1 + e^x)) */
  MLPLK_SOFTPLUS,    /* p x > y ? x : log(1 + e^(p x)) / p */
  MLPLK_SOFTSIGN,    /* x / (1 + |x|) */
  MLPLK_HARDSIGMOID, /* (x + 3) / 6, kept between 0 and 1 */
  MLPLK_HARDSWISH,   /* x hardsigmoid(x) */
  MLPLK_SELU,        /* 1.0507... (x > 0 ? x : 1.6732... (e^x - 1)) */
  MLPLK_CELU,        /* x > 0 ? x : p (e^(x/p) - 1) */
  MLPLK_LOGSIGMOID,  /* log sigmoid(x), stable for any x */
  MLPLK_TANHSHRINK,  /* x - tanh x */
  MLPLK_SOFTSHRINK,  /* x brought nearer to 0 by p, 0 within p of it */
  MLPLK_HARDSHRINK,  /* |x| <= p ? 0 : x */
  MLPLK_STEP,        /* x >= 0 ? 1 : 0; NaN stays NaN */
  MLPLK_PRELU,       /* x > 0 ? x : y x */
  MLPLK_GLU,         /* x sigmoid(y) */
  MLPLK_GELU_GRAD,   /* x = gradient, y = input, here and below */
  MLPLK_GELU_TANH_GRAD,
  MLPLK_SILU_GRAD,
  MLPLK_MISH_GRAD,
  MLPLK_SOFTSIGN_GRAD,
  MLPLK_HARDSIGMOID_GRAD,
  MLPLK_HARDSWISH_GRAD,
  MLPLK_LOGSIGMOID_GRAD,
  MLPLK_SELU_GRAD,    /* x = gradient, y = output */
  MLPLK_CELU_GRAD,    /* x = gradient, y = output */
  MLPLK_GATE_ABOVE,   /* y <= p ? 0 : x */
  MLPLK_GATE_BELOW,   /* y >= p ? 0 : x */
  MLPLK_GATE_FROM,    /* y >= p ? x : 0 */
  MLPLK_GATE_UP_TO,   /* y <= p ? x : 0 */
  MLPLK_GATE_OUTSIDE, /* |y| <= p ? 0 : x */
  MLPLK_GATE_INSIDE,  /* |y| <= p ? x : 0 */
  MLPLK_N_MAPS
} mlplk_map_kind;

typedef void mlplk_map(ptrdiff_t n, void *out, ptrdiff_t s_out, const void *x,
    ptrdiff_t s_x, const void *y, ptrdiff_t s_y, double p);

/*
** Maps that give truth values: out is one byte an element, 0 or 1. Comparisons with NaN
** are false, but NE, which is true. The last four take whole numbers, and give elements of
** their inputs' type.
*/
typedef enum mlplk_logic_kind {
  MLPLK_EQ,
  MLPLK_NE,
  MLPLK_LT,
  MLPLK_LE,
  MLPLK_GT,
  MLPLK_GE,
  MLPLK_ISNAN,    /* of x alone, as the next two */
  MLPLK_ISINF,    /* either infinity */
  MLPLK_ISFINITE, /* neither NaN nor infinite */
  MLPLK_N_REAL_LOGICS,
  MLPLK_AND = MLPLK_N_REAL_LOGICS, /* bit by bit */
  MLPLK_OR,
  MLPLK_XOR,
  MLPLK_NOT, /* of x alone; of a truth value: 1 - x */
  /* x times or over 2^y, as bits go; by y < 0, or as many as there are, all of them go.
     Not of truth values. */
  MLPLK_SHIFT_LEFT,
  MLPLK_SHIFT_RIGHT,
  MLPLK_N_LOGICS
} mlplk_logic_kind;

/*
** The same maps over whole numbers (whole.c). Sums, differences and products wrap around;
** |x|, -x and x // -1 of the least i64 are that number itself. FLOOR_DIVIDE, REMAINDER and
** FMOD need y != 0, POW needs y >= 0. Maps that make no sense for the type are NULL: of
** real-valued functions there are none, and truth values have ADD (or), MUL (and), MAXIMUM,
** MINIMUM, SIGN and HEAVISIDE.
*/
typedef enum mlplk_whole { MLPLK_I64, MLPLK_U8, MLPLK_BOOL, MLPLK_N_WHOLES } mlplk_whole;
extern mlplk_map *const mlplk_whole_map[MLPLK_N_WHOLES][MLPLK_N_MAPS];
extern mlplk_map *const mlplk_whole_logic[MLPLK_N_WHOLES][MLPLK_N_LOGICS];
/* out = f(x, y, z, p) */
typedef enum mlplk_map3_kind {
  MLPLK_LERP,    /* x + z (y - x), for z >= 1/2 reckoned from y */
  MLPLK_ADDCMUL, /* x + p y z */
  MLPLK_ADDCDIV, /* x + p (y / z) */
  /* x = gradient, y = input: */
  MLPLK_CLAMP_GRAD,    /* y >= z and y <= p ? x : 0 */
  MLPLK_HARDTANH_GRAD, /* y <= z or y >= p ? 0 : x */
  MLPLK_SOFTPLUS_GRAD, /* p y > z ? x : x sigmoid(p y) */
  MLPLK_PRELU_GRAD,    /* y > 0 ? x : z x */
  MLPLK_N_MAP3S
} mlplk_map3_kind;

typedef void mlplk_map3(ptrdiff_t n, void *out, ptrdiff_t s_out, const void *x,
    ptrdiff_t s_x, const void *y, ptrdiff_t s_y, const void *z, ptrdiff_t s_z, double p);

/* ---- reductions -------------------------------------------------------------------- */

/*
** out[i] = reduction over j in [0, r) of x[i * s_n + j * s_r], for i in [0, n). The order
** in which row i is added depends on r and the strides alone, not on n or i. r = 0: sum
** 0, product 1, count 0; MAX, MIN and where they are need r >= 1. A NaN is the maximum
** and the minimum. Ties: the first wins. ARGMAX and ARGMIN write int64_t, counted from 0,
** NONZERO int64_t: how many are not 0 (a NaN is not).
*/
typedef enum mlplk_reduce_kind {
  MLPLK_SUM,
  MLPLK_MAX,
  MLPLK_ARGMAX,
  MLPLK_PROD,
  MLPLK_MIN,
  MLPLK_ARGMIN,
  MLPLK_NONZERO,
  MLPLK_SUM_SQUARES, /* of real numbers alone */
  MLPLK_N_REDUCES
} mlplk_reduce_kind;

typedef void mlplk_reduce(
    ptrdiff_t n, ptrdiff_t r, void *out, const void *x, ptrdiff_t s_n, ptrdiff_t s_r);

/* The same for whole numbers of 1 byte (unsigned) or 8 (int64_t). SUM and PROD write
   int64_t and wrap around. */
mlplk_reduce *mlplk_whole_reduce(size_t bytes, mlplk_reduce_kind kind);

/* ---- scans: every element from those before it ------------------------------------- */

/*
** n columns, s_n apart, of r elements, `step` apart in every array (negative: from the end
** to the start, with pointers at the last element). Sums and products are carried in
** double and rounded as they are written. index (cummax, cummin): the place of the last
** of the largest (smallest) so far, counted from 0; a NaN is both.
*/
typedef enum mlplk_scan_kind {
  MLPLK_CUMSUM,       /* y_t = y_{t-1} + x_t */
  MLPLK_CUMPROD,      /* y_t = y_{t-1} x_t */
  MLPLK_LOGCUMSUMEXP, /* y_t = log(e^y_{t-1} + e^x_t) */
  MLPLK_CUMMAX,
  MLPLK_CUMMIN,
  MLPLK_RECUR,     /* y_t = a_t y_{t-1} + x_t, y_{-1} = 0 */
  MLPLK_RECUR_LAG, /* y_t = a_{t-1} y_{t-1} + x_t */
  MLPLK_N_SCANS
} mlplk_scan_kind;

typedef void mlplk_scan(ptrdiff_t n, ptrdiff_t r, void *y, int64_t *index, const void *x,
    const void *a, ptrdiff_t s_n, ptrdiff_t step);

/* CUMSUM, CUMPROD (both wrap around), CUMMAX and CUMMIN of int64_t. */
mlplk_scan *mlplk_whole_scan(mlplk_scan_kind kind);

/* ---- order (order.c) --------------------------------------------------------------- */

/* Elements of any type are put in order by keys: whole numbers in the same order. */
typedef struct mlplk_item {
  uint64_t key;
  int64_t at; /* where the element was */
} mlplk_item;

/* By key; equal keys stay in their order. scratch: n items. */
void mlplk_sort(ptrdiff_t n, mlplk_item *items, mlplk_item *scratch);
/* The k-th smallest of n keys, 0 <= k < n; *among: how many of the keys equal to it come
   before the k-th in order. */
uint64_t mlplk_kth(ptrdiff_t n, const uint64_t *key, ptrdiff_t k, ptrdiff_t *among);

/* ---- softmax and cross-entropy, on rows whose k elements lie side by side ---------- */

typedef enum mlplk_softmax_kind {
  MLPLK_SOFTMAX,
  MLPLK_LOG_SOFTMAX,
  MLPLK_SOFTMAX_GRAD,
  MLPLK_LOG_SOFTMAX_GRAD
} mlplk_softmax_kind;

/*
** loss[i] = sum_c q_ic (logsumexp(x_i) - x_ic), and dx_ic = (sum_c q_ic) softmax(x_i)_c -
** q_ic where dx is wanted, in one pass over the row. label[i] counts from 0; a negative
** label ignores the row (loss 0, dx 0). q_ic = (1 - e) w_y [c = y] + (e / k) w_c, with w
** = weight (k elements) or ones, e = smoothing. Source: numerics as PyTorch's LossNLL.
*/
typedef struct mlplk_xent {
  ptrdiff_t n, k;
  const void *x; /* n rows, s_x apart */
  ptrdiff_t s_x;
  const int64_t *label;
  const void *weight; /* or NULL */
  double smoothing;
  double scale; /* dx is multiplied by it as it is written; loss is not */
  void *loss;   /* n elements */
  void *dx;     /* n rows, k apart, or NULL */
} mlplk_xent;

/* ---- optimizers: one pass over n elements ------------------------------------------ */

typedef struct mlplk_sgd {
  double lr, momentum, dampening, weight_decay;
  int nesterov, first; /* first: the buffer holds nothing yet and is set to g */
} mlplk_sgd;

typedef struct mlplk_adam {
  double step_size; /* lr / (1 - beta1^t) */
  double beta1, beta2, eps, weight_decay;
  double bias2_sqrt; /* sqrt(1 - beta2^t) */
} mlplk_adam;

/* ---- random numbers: Philox4x32-10, a function of key and counter ------------------ */

/*
** Element i of a fill is made from block counter + i / per_block. A fill may be cut at
** multiples of per_block (start the second part at counter + start / per_block): the same
** bits come out.
*/
typedef struct mlplk_stream {
  uint32_t key[2];
  uint64_t counter;
} mlplk_stream;

/* ---- linear algebra ---------------------------------------------------------------- */

/* Element (i, j) lies at p[i * rs + j * cs]. */
typedef struct mlplk_matrix {
  void *p;
  ptrdiff_t rs, cs;
} mlplk_matrix;

/*
** Factorisations, in place; `a` has cs 1 (rows lie along memory) but in solve_triangular.
** Bulk work is matrix products. NaN comes through; no iteration goes on for ever. scratch
** is 64-byte aligned.
*/
typedef struct mlplk_linalg {
  /* of solve_triangular, lu and cholesky: n the largest of their sizes */
  size_t (*product_scratch)(ptrdiff_t n, int workers);
  /* A X = B, A [n x n] triangular, of which only that triangle is read; unit: its
     diagonal counts as ones. b [n x r] is replaced by X. */
  void (*solve_triangular)(ptrdiff_t n, ptrdiff_t r, const mlplk_matrix *a, int upper,
      int unit, const mlplk_matrix *b, void *scratch, const mlplk_par *par);
  /* P A = L U, A [m x n], in its place; step i of min(m, n) exchanged rows i and pivot[i].
     Rows of a lie side by side. A pivot may be 0. */
  void (*lu)(ptrdiff_t m, ptrdiff_t n, const mlplk_matrix *a, ptrdiff_t *pivot,
      void *scratch, const mlplk_par *par);
  /* A = L L^T, from and into the lower triangle; above it, a is spoiled. 0, or the order
     of the first leading minor that is not positive. */
  ptrdiff_t (*cholesky)(
      ptrdiff_t n, const mlplk_matrix *a, void *scratch, const mlplk_par *par);
  /* a [m x n] becomes R; q [m x nq] (p NULL: not wanted), nq >= min(m, n), the first
     columns of Q. */
  size_t (*qr_scratch)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t nq, int workers);
  void (*qr)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t nq, const mlplk_matrix *a,
      const mlplk_matrix *q, void *scratch, const mlplk_par *par);
  /* Eigenvalues of a symmetric matrix (both triangles are read; spoiled), rising, and
     eigenvectors as columns (p NULL: not wanted). Not 0: no convergence within `sweeps` a
     value. Elements are finite, and their squares too. */
  size_t (*eigh_scratch)(ptrdiff_t n, int workers);
  int (*eigh)(ptrdiff_t n, const mlplk_matrix *a, void *values,
      const mlplk_matrix *vectors, int sweeps, void *scratch, const mlplk_par *par);
  /* A = U diag(values) Vh of a square matrix (spoiled), values falling; u->p NULL: values
     only. The rest as of eigh. */
  size_t (*svd_scratch)(ptrdiff_t n, int workers);
  int (*svd)(ptrdiff_t n, const mlplk_matrix *a, void *values, const mlplk_matrix *u,
      const mlplk_matrix *vh, int sweeps, void *scratch, const mlplk_par *par);
} mlplk_linalg;

/* ---- convolutions ------------------------------------------------------------------ */

/*
** y[i, g m + a, r, q] = sum over b, u, v of
**     w[g m + a, b, u, v] x[i, g c + b, r s0 + u d0 - p0, q s1 + v d1 - p1]
**
** with x [n x groups c x h x w], w [groups m x c x kh x kw], y [n x groups m x oh x ow], all
** contiguous, and 0 for what lies outside of x. For any sizes of x and y: a row of y
** that no element of x reaches is 0. The sum of g y, with g of y's shape, is linear in x,
** w and g alike; a kind names what is computed of the other two:
**   Y  the results    X  the gradient with respect to x    W  with respect to w
** y stands for g in the last two. Strides, dilations and kernel sizes >= 1; a negative
** pad cuts.
*/
typedef enum mlplk_conv_kind { MLPLK_CONV_Y, MLPLK_CONV_X, MLPLK_CONV_W } mlplk_conv_kind;

typedef struct mlplk_conv {
  ptrdiff_t n, groups, c, m; /* images; channels of x and of y in a group */
  ptrdiff_t x[2], y[2], k[2], stride[2], pad[2], dilation[2]; /* rows, columns */
  void *px, *py, *pw;        /* one is written */
  const void *bias;          /* NULL, or one for each channel of the result (Y and X) */
  ptrdiff_t bias_stride;
} mlplk_conv;

/*
** Windows over the rows of one axis: result r covers the elements [from[r], to[r]).
** Averages divide by the product of the counts, which may be larger than the window.
*/
typedef struct mlplk_windows {
  ptrdiff_t n;
  const ptrdiff_t *from, *to, *count;
} mlplk_windows;

/* Maxima: window r begins at element r stride - pad and has `taps`, `dilation` apart. */
typedef struct mlplk_max_axis {
  ptrdiff_t source, results, taps, stride, pad, dilation;
} mlplk_max_axis;

/* ---- one table per element type and instruction set -------------------------------- */

typedef struct mlplk_table {
  const char *isa;   /* "base", "avx2", "avx512" */
  size_t real_bytes; /* 4 or 8 */

  /* The product, and 0; or, when it needs more than the `bytes` of scratch that it was
     given, nothing but how many it needs. Small products need none: ask by calling.
     Scratch and packed operands are 64-byte aligned. */
  /* How many it needs for g with this many workers, without the product. */
  size_t (*gemm_scratch)(const mlplk_gemm *g, int workers);
  size_t (*gemm)(const mlplk_gemm *g, void *scratch, size_t bytes, const mlplk_par *par);
  size_t (*pack_a_bytes)(ptrdiff_t m, ptrdiff_t k);
  size_t (*pack_b_bytes)(ptrdiff_t k, ptrdiff_t n);
  void (*pack_a)(
      ptrdiff_t m, ptrdiff_t k, const void *a, ptrdiff_t rs, ptrdiff_t cs, void *packed);
  void (*pack_b)(
      ptrdiff_t k, ptrdiff_t n, const void *b, ptrdiff_t rs, ptrdiff_t cs, void *packed);

  mlplk_map *map[MLPLK_N_MAPS];
  mlplk_map *logic[MLPLK_N_REAL_LOGICS];
  mlplk_map3 *map3[MLPLK_N_MAP3S];
  mlplk_reduce *reduce[MLPLK_N_REDUCES];
  mlplk_scan *scan[MLPLK_N_SCANS];

  /* n rows of k: row i of y at y + i * s_y, of x at x + i * s_x. y may be x. k >= 1. */
  void (*softmax)(
      ptrdiff_t n, ptrdiff_t k, void *y, ptrdiff_t s_y, const void *x, ptrdiff_t s_x);
  void (*log_softmax)(
      ptrdiff_t n, ptrdiff_t k, void *y, ptrdiff_t s_y, const void *x, ptrdiff_t s_x);
  /* gx = y (g - sum(g y));   gx = g - e^y sum(g): all n rows of k, k apart */
  void (*softmax_grad)(ptrdiff_t n, ptrdiff_t k, void *gx, const void *g, const void *y);
  void (*log_softmax_grad)(
      ptrdiff_t n, ptrdiff_t k, void *gx, const void *g, const void *y);
  void (*xent)(const mlplk_xent *args);

  /* w, g and the state are n elements side by side; formulas: PyTorch's (SGD, Adam) */
  void (*sgd)(ptrdiff_t n, void *w, const void *g, void *buf, const mlplk_sgd *args);
  void (*adam)(ptrdiff_t n, void *w, const void *g, void *m, void *v,
      void *vmax /* AMSGrad's, or NULL */, const mlplk_adam *args);

  /* uniform in [lo, hi); normal with mean and standard deviation; keep: p -> 0, else
     scale */
  ptrdiff_t per_block; /* elements made from one Philox block: 4 for f32, 2 for f64 */
  void (*uniform)(ptrdiff_t n, void *out, const mlplk_stream *s, double lo, double hi);
  void (*normal)(ptrdiff_t n, void *out, const mlplk_stream *s, double mean, double std);
  void (*dropout)(ptrdiff_t n, void *mask, const mlplk_stream *s, double p, double scale);

  mlplk_linalg linalg;

  /* Bytes of scratch for these workers, and the call. */
  size_t (*conv_scratch)(mlplk_conv_kind kind, const mlplk_conv *c, int workers);
  void (*conv)(mlplk_conv_kind kind, const mlplk_conv *c, void *scratch,
      const mlplk_par *par);
  /* One plane: y [rows->n x columns->n] of x, whose rows have `width` elements; divisor
     0: by the counts. The gradient adds into x, which is set before. */
  void (*average_pool)(void *y, const void *x, ptrdiff_t width, const mlplk_windows *rows,
      const mlplk_windows *columns, double divisor);
  void (*average_pool_grad)(void *x, const void *y, ptrdiff_t width,
      const mlplk_windows *rows, const mlplk_windows *columns, double divisor);
  /* One plane: the first of equal maxima, a NaN above all; index (NULL: not wanted) is
     its place in the plane. Every window holds an element. */
  void (*max_pool)(void *y, int64_t *index, const void *x, const mlplk_max_axis *rows,
      const mlplk_max_axis *columns);
  /* x[index[i]] += y[i];   y[i] = x[index[i]] */
  void (*scatter_add)(ptrdiff_t n, void *x, const int64_t *index, const void *y);
  void (*gather)(ptrdiff_t n, void *y, const int64_t *index, const void *x);
} mlplk_table;

/*
** The best table for elements of real_bytes (4 or 8) on this processor, or the one named
** by isa; NULL when isa is unknown or this processor cannot run it.
*/
const mlplk_table *mlplk_select(size_t real_bytes, const char *isa);

/* Down n columns side by side, whose k >= 1 elements are `step` apart in all of them: y of
   a = x; of a gradient, y = gx of a = g and b = y. y may be a. */
void mlplk_softmax_columns(const mlplk_table *t, mlplk_softmax_kind kind, ptrdiff_t n,
    ptrdiff_t k, ptrdiff_t step, void *y, const void *a, const void *b);

/* One Philox4x32-10 block (random.c): the definition that the vector loops agree with. */
void mlplk_philox(const uint32_t key[2], uint64_t counter, uint32_t out[4]);

/* ---- functions that have no vector loop (special.c) -------------------------------- */

double mlplk_erfinv(double x);
/* As lgamma, which also writes the sign to a global. */
double mlplk_lgamma(double x);
/* Derivative n of log gamma's derivative; n from 0 to MLPLK_MOST_POLYGAMMA. */
#define MLPLK_MOST_POLYGAMMA 100
double mlplk_polygamma(int n, double x);
/* Derivative n of sin(pi x) / (pi x); n from 0 to MLPLK_MOST_SINC_SLOPE. */
#define MLPLK_MOST_SINC_SLOPE 100
double mlplk_sinc_slope(int n, double x);

/* ---- the plain loops that define the kernels above (reference.c), for tests -------- */

/* As gemm, with sums in double from k = 0 up; packed operands are ignored. */
void mlplk_gemm_reference(size_t real_bytes, const mlplk_gemm *g);
/* f(x, y, p) of one element, by the C library in double. */
double mlplk_map_reference(mlplk_map_kind kind, double x, double y, double p);
double mlplk_map3_reference(mlplk_map3_kind kind, double x, double y, double z, double p);

#endif
