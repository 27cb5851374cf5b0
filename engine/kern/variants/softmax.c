/*
** Softmax, log-softmax, their gradients, and softmax with cross-entropy.
**
** Short rows (k <= SHORT: ten classes are the usual case) are turned so that WIDE rows
** lie in the lanes of vectors: everything is then a loop over lanes, whatever k is,
** and each row adds its terms in the order of c. Longer rows are vectorised along the
** row. Lanes without a row work on zeros, so a row gets the same bits in whatever
** company it comes.
**
** The row maximum is subtracted first, so exp cannot overflow. A NaN in a row makes
** its sum NaN and so every element; likewise an infinite maximum, since inf - inf is
** NaN (as in PyTorch).
*/
#include "kern/variants/reduce.h"
#include "kern/variants/vmath.h"

enum {
  WIDE = 64 / sizeof(real),
  SHORT = 32,
  CHUNK = 256 /* elements of a long row whose exponentials are summed together */
};

/* ---- tiles: element c of row l at t[c][l] ------------------------------------------ */

typedef real tile[SHORT][WIDE];

/* Kept a loop: the compiler unrolls loops this short before it looks for vectors, and
   then finds fewer. */
#define EACH_LANE _Pragma("GCC unroll 1") for (int l = 0; l < WIDE; l++)

/* Turning goes by squares held in registers: element by element, the vectors read next
   would wait for a hundred small stores. */
typedef real quad __attribute__((vector_size(16), aligned(sizeof(real)), may_alias));

enum { SIDE = 16 / sizeof(real) };

#if MLPLK_REAL == 32
typedef int32_t order __attribute__((vector_size(16)));
#else
typedef int64_t order __attribute__((vector_size(16)));
#endif

/* The elements of a (counted first) and b that are named. */
#if defined __clang__
#define PICK(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define PICK(a, b, ...) __builtin_shuffle(a, b, (order){__VA_ARGS__})
#endif

static inline quad quad_at(const real *p) { return *(const quad *)p; }

static inline void quad_put(real *p, quad q) { *(quad *)p = q; }

#if MLPLK_REAL == 32
static inline void turn_square(real *to, ptrdiff_t s_to, const real *x, ptrdiff_t s_x) {
  const quad a = quad_at(x), b = quad_at(x + s_x);
  const quad c = quad_at(x + 2 * s_x), d = quad_at(x + 3 * s_x);
  const quad ab = PICK(a, b, 0, 4, 1, 5), cd = PICK(c, d, 0, 4, 1, 5);
  const quad ab2 = PICK(a, b, 2, 6, 3, 7), cd2 = PICK(c, d, 2, 6, 3, 7);
  quad_put(to, PICK(ab, cd, 0, 1, 4, 5));
  quad_put(to + s_to, PICK(ab, cd, 2, 3, 6, 7));
  quad_put(to + 2 * s_to, PICK(ab2, cd2, 0, 1, 4, 5));
  quad_put(to + 3 * s_to, PICK(ab2, cd2, 2, 3, 6, 7));
}
#else
static inline void turn_square(real *to, ptrdiff_t s_to, const real *x, ptrdiff_t s_x) {
  const quad a = quad_at(x), b = quad_at(x + s_x);
  quad_put(to, PICK(a, b, 0, 2));
  quad_put(to + s_to, PICK(a, b, 1, 3));
}
#endif

/* to[c * s_to + l] = from[l * s_from + c] for l < rows, c < columns. */
static void turn(
    real *to, ptrdiff_t s_to, const real *from, ptrdiff_t s_from, int rows, int columns) {
  int l = 0;
  for (; l + SIDE <= rows; l += SIDE) {
    int c = 0;
    for (; c + SIDE <= columns; c += SIDE)
      turn_square(to + c * s_to + l, s_to, from + l * s_from + c, s_from);
    for (; c < columns; c++)
      for (int u = 0; u < SIDE; u++) to[c * s_to + l + u] = from[(l + u) * s_from + c];
  }
  for (; l < rows; l++)
    for (int c = 0; c < columns; c++) to[c * s_to + l] = from[l * s_from + c];
}

static void tile_load(tile t, const real *x, ptrdiff_t s_x, int rows, int k) {
  if (rows < WIDE) memset(t, 0, (size_t)k * sizeof t[0]);
  turn(t[0], WIDE, x, s_x, rows, k);
}

static void tile_store(real *y, ptrdiff_t s_y, tile t, int rows, int k) {
  turn(y, s_y, t[0], WIDE, k, rows);
}

/* Subtract each row's maximum. */
static void tile_shift(tile t, int k) {
  real max[WIDE];
  EACH_LANE max[l] = t[0][l];
  for (int c = 1; c < k; c++) EACH_LANE max[l] = t[c][l] > max[l] ? t[c][l] : max[l];
  for (int c = 0; c < k; c++) EACH_LANE t[c][l] -= max[l];
}

/* e = exp(t), sum[l] = the sum of row l of it; e may be t. */
static void tile_exp(tile e, tile t, int k, real sum[WIDE]) {
  EACH_LANE sum[l] = 0;
  for (int c = 0; c < k; c++) EACH_LANE {
      const real v = exp_(t[c][l]);
      sum[l] += v;
      e[c][l] = v;
    }
}

static inline int tile_rows(ptrdiff_t n, ptrdiff_t i) {
  return n - i < WIDE ? (int)(n - i) : WIDE;
}

/* ---- long rows --------------------------------------------------------------------- */

static void row_exp(ptrdiff_t k, real *e, const real *x, real max) {
  NO_CARRY
  for (ptrdiff_t c = 0; c < k; c++) e[c] = exp_(x[c] - max);
}

/* Sum of exp(x - max); the terms are kept in e unless it is NULL. */
static real row_exp_sum(ptrdiff_t k, real *e, const real *x, real max) {
  real run[CHUNK], sum = 0;
  for (ptrdiff_t c = 0; c < k; c += CHUNK) {
    const ptrdiff_t m = k - c < CHUNK ? k - c : CHUNK;
    real *to = e ? e + c : run;
    row_exp(m, to, x + c, max);
    sum += VARIANT(run_sum)(to, m);
  }
  return sum;
}

/* ---- softmax and log-softmax ------------------------------------------------------- */

static void softmax_tile(
    real *y, ptrdiff_t s_y, const real *x, ptrdiff_t s_x, int rows, int k) {
  tile t;
  real sum[WIDE];
  tile_load(t, x, s_x, rows, k);
  tile_shift(t, k);
  tile_exp(t, t, k, sum);
  for (int c = 0; c < k; c++) EACH_LANE t[c][l] /= sum[l];
  tile_store(y, s_y, t, rows, k);
}

static void softmax_row(ptrdiff_t k, real *y, const real *x) {
  const real sum = row_exp_sum(k, y, x, SELDOM(run_max)(x, k));
  for (ptrdiff_t c = 0; c < k; c++) y[c] /= sum;
}

void VARIANT(softmax)(
    ptrdiff_t n, ptrdiff_t k, void *y, ptrdiff_t s_y, const void *x, ptrdiff_t s_x) {
  real *to = y;
  const real *from = x;
  if (k <= SHORT)
    for (ptrdiff_t i = 0; i < n; i += WIDE)
      softmax_tile(to + i * s_y, s_y, from + i * s_x, s_x, tile_rows(n, i), (int)k);
  else
    for (ptrdiff_t i = 0; i < n; i++) softmax_row(k, to + i * s_y, from + i * s_x);
}

static void log_softmax_tile(
    real *y, ptrdiff_t s_y, const real *x, ptrdiff_t s_x, int rows, int k) {
  tile t, e;
  real sum[WIDE];
  tile_load(t, x, s_x, rows, k);
  tile_shift(t, k);
  tile_exp(e, t, k, sum);
  EACH_LANE sum[l] = log_(sum[l]);
  for (int c = 0; c < k; c++) EACH_LANE t[c][l] -= sum[l];
  tile_store(y, s_y, t, rows, k);
}

static void log_softmax_row(ptrdiff_t k, real *y, const real *x) {
  const real max = SELDOM(run_max)(x, k);
  const real log_sum = log_(row_exp_sum(k, NULL, x, max));
  NO_CARRY
  for (ptrdiff_t c = 0; c < k; c++) y[c] = (x[c] - max) - log_sum;
}

void VARIANT(log_softmax)(
    ptrdiff_t n, ptrdiff_t k, void *y, ptrdiff_t s_y, const void *x, ptrdiff_t s_x) {
  real *to = y;
  const real *from = x;
  if (k <= SHORT)
    for (ptrdiff_t i = 0; i < n; i += WIDE)
      log_softmax_tile(to + i * s_y, s_y, from + i * s_x, s_x, tile_rows(n, i), (int)k);
  else
    for (ptrdiff_t i = 0; i < n; i++) log_softmax_row(k, to + i * s_y, from + i * s_x);
}

/* ---- their gradients --------------------------------------------------------------- */

/* gx = y (g - sum(g y)) */
static void softmax_grad_tile(real *gx, const real *g, const real *y, int rows, int k) {
  tile tg, ty;
  real dot[WIDE] = {0};
  tile_load(tg, g, k, rows, k);
  tile_load(ty, y, k, rows, k);
  for (int c = 0; c < k; c++) EACH_LANE dot[l] += tg[c][l] * ty[c][l];
  for (int c = 0; c < k; c++) EACH_LANE tg[c][l] = ty[c][l] * (tg[c][l] - dot[l]);
  tile_store(gx, k, tg, rows, k);
}

static void softmax_grad_row(ptrdiff_t k, real *gx, const real *g, const real *y) {
  real run[CHUNK], dot = 0;
  for (ptrdiff_t c = 0; c < k; c += CHUNK) {
    const ptrdiff_t m = k - c < CHUNK ? k - c : CHUNK;
    for (ptrdiff_t j = 0; j < m; j++) run[j] = g[c + j] * y[c + j];
    dot += VARIANT(run_sum)(run, m);
  }
  NO_CARRY
  for (ptrdiff_t c = 0; c < k; c++) gx[c] = y[c] * (g[c] - dot);
}

void VARIANT(softmax_grad)(
    ptrdiff_t n, ptrdiff_t k, void *gx, const void *g, const void *y) {
  real *to = gx;
  const real *a = g, *b = y;
  if (k <= SHORT)
    for (ptrdiff_t i = 0; i < n; i += WIDE)
      softmax_grad_tile(to + i * k, a + i * k, b + i * k, tile_rows(n, i), (int)k);
  else
    for (ptrdiff_t i = 0; i < n; i++)
      softmax_grad_row(k, to + i * k, a + i * k, b + i * k);
}

/* gx = g - e^y sum(g) */
static void log_softmax_grad_tile(
    real *gx, const real *g, const real *y, int rows, int k) {
  tile tg, ty;
  real sum[WIDE] = {0};
  tile_load(tg, g, k, rows, k);
  tile_load(ty, y, k, rows, k);
  for (int c = 0; c < k; c++) EACH_LANE sum[l] += tg[c][l];
  for (int c = 0; c < k; c++) EACH_LANE tg[c][l] -= exp_(ty[c][l]) * sum[l];
  tile_store(gx, k, tg, rows, k);
}

static void log_softmax_grad_row(ptrdiff_t k, real *gx, const real *g, const real *y) {
  const real sum = VARIANT(run_sum)(g, k);
  NO_CARRY
  for (ptrdiff_t c = 0; c < k; c++) gx[c] = g[c] - exp_(y[c]) * sum;
}

void VARIANT(log_softmax_grad)(
    ptrdiff_t n, ptrdiff_t k, void *gx, const void *g, const void *y) {
  real *to = gx;
  const real *a = g, *b = y;
  if (k <= SHORT)
    for (ptrdiff_t i = 0; i < n; i += WIDE)
      log_softmax_grad_tile(to + i * k, a + i * k, b + i * k, tile_rows(n, i), (int)k);
  else
    for (ptrdiff_t i = 0; i < n; i++)
      log_softmax_grad_row(k, to + i * k, a + i * k, b + i * k);
}

/* ---- softmax with cross-entropy ---------------------------------------------------- */

/*
** With z = x - max, s = sum_c e^z_c, hit = (1 - e) w_y, q_c = hit [c = y] + (e / k) w_c:
**
**   loss = hit (log s - z_y) + (e / k) (W log s - sum_c w_c z_c),   W = sum_c w_c
**   dx_c = scale ((hit + (e / k) W) e^z_c / s - q_c)
**
** Without smoothing the terms in e / k are left out, so that z = -inf does no harm there.
*/
typedef struct xent_terms {
  ptrdiff_t k;
  const real *weight; /* or NULL */
  real keep;          /* 1 - e */
  real spread;        /* e / k */
  real total;         /* W */
  real scale;
} xent_terms;

static xent_terms xent_prepare(const mlplk_xent *args) {
  const real *weight = args->weight;
  double total = (double)args->k;
  if (weight) {
    total = 0;
    for (ptrdiff_t c = 0; c < args->k; c++) total += (double)weight[c];
  }
  return (xent_terms){
      .k = args->k,
      .weight = weight,
      .keep = (real)(1 - args->smoothing),
      .spread = (real)(args->smoothing / (double)args->k),
      .total = (real)total,
      .scale = (real)args->scale,
  };
}

static inline real weight_of(const xent_terms *a, ptrdiff_t c) {
  return a->weight ? a->weight[c] : R_(1.0);
}

/* What is known of the labels of a tile's rows; rows that do not exist count as
   ignored. */
typedef struct tile_labels {
  real label[WIDE]; /* small whole numbers, which `real` holds exactly */
  real hit[WIDE], mass[WIDE];
} tile_labels;

static void labels_load(
    tile_labels *q, const xent_terms *a, const int64_t *label, int rows) {
  EACH_LANE {
    const int counts = l < rows && label[l] >= 0;
    q->label[l] = counts ? (real)label[l] : R_(-1.0);
    q->hit[l] = counts ? a->keep * weight_of(a, label[l]) : 0;
    q->mass[l] = counts ? q->hit[l] + a->spread * a->total : 0;
  }
}

/* at_label[l] = z_y; linear[l] = sum_c w_c z_c, where it is needed. */
static void tile_pick(const xent_terms *a, tile t, const tile_labels *q,
    real at_label[WIDE], real linear[WIDE]) {
  EACH_LANE at_label[l] = linear[l] = 0;
  for (int c = 0; c < (int)a->k; c++)
    EACH_LANE at_label[l] = q->label[l] == (real)c ? t[c][l] : at_label[l];
  if (a->spread != 0)
    for (int c = 0; c < (int)a->k; c++) EACH_LANE linear[l] += weight_of(a, c) * t[c][l];
}

static void tile_loss(const xent_terms *a, tile t, const tile_labels *q,
    const real sum[WIDE], real loss[WIDE]) {
  real at_label[WIDE], linear[WIDE];
  tile_pick(a, t, q, at_label, linear);
  EACH_LANE {
    const real log_sum = log_(sum[l]);
    const real hit = q->hit[l] * (log_sum - at_label[l]);
    const real rest = a->spread * (a->total * log_sum - linear[l]);
    const real v = a->spread != 0 ? hit + rest : hit;
    loss[l] = q->label[l] < 0 ? 0 : v;
  }
}

/* e := dx */
static void tile_gradient(
    const xent_terms *a, tile e, const tile_labels *q, const real sum[WIDE]) {
  real factor[WIDE];
  EACH_LANE factor[l] = q->mass[l] / sum[l];
  for (int c = 0; c < (int)a->k; c++) {
    const real spread = a->spread * weight_of(a, c);
    EACH_LANE {
      const real target = q->label[l] == (real)c ? q->hit[l] + spread : spread;
      const real v = a->scale * (factor[l] * e[c][l] - target);
      e[c][l] = q->label[l] < 0 ? 0 : v;
    }
  }
}

static void xent_tile(const xent_terms *a, const real *x, ptrdiff_t s_x,
    const int64_t *label, real *loss, real *dx, int rows) {
  const int k = (int)a->k;
  tile t, e;
  tile_labels q;
  real sum[WIDE], row_loss[WIDE];
  tile_load(t, x, s_x, rows, k);
  labels_load(&q, a, label, rows);
  tile_shift(t, k);
  tile_exp(e, t, k, sum);
  tile_loss(a, t, &q, sum, row_loss);
  for (int l = 0; l < rows; l++) loss[l] = row_loss[l];
  if (dx) {
    tile_gradient(a, e, &q, sum);
    tile_store(dx, k, e, rows, k);
  }
}

/* sum_c w_c (x_c - max) */
static real row_linear(const xent_terms *a, const real *x, real max) {
  real run[CHUNK], sum = 0;
  for (ptrdiff_t c = 0; c < a->k; c += CHUNK) {
    const ptrdiff_t m = a->k - c < CHUNK ? a->k - c : CHUNK;
    for (ptrdiff_t j = 0; j < m; j++) run[j] = weight_of(a, c + j) * (x[c + j] - max);
    sum += VARIANT(run_sum)(run, m);
  }
  return sum;
}

static void row_gradient(
    const xent_terms *a, real *dx, int64_t label, real hit, real sum) {
  const real factor = (hit + a->spread * a->total) / sum;
  const real e_label = dx[label];
  const real scale = a->scale, spread = a->spread;
  if (a->weight)
    for (ptrdiff_t c = 0; c < a->k; c++)
      dx[c] = scale * (factor * dx[c] - spread * a->weight[c]);
  else
    for (ptrdiff_t c = 0; c < a->k; c++) dx[c] = scale * (factor * dx[c] - spread);
  dx[label] = a->scale * (factor * e_label - (hit + a->spread * weight_of(a, label)));
}

static void xent_row(
    const xent_terms *a, const real *x, int64_t label, real *loss, real *dx) {
  if (label < 0) {
    *loss = 0;
    if (dx) memset(dx, 0, (size_t)a->k * sizeof *dx);
    return;
  }
  const real max = SELDOM(run_max)(x, a->k);
  const real sum = row_exp_sum(a->k, dx, x, max);
  const real log_sum = log_(sum);
  const real hit = a->keep * weight_of(a, label);
  real v = hit * (log_sum - (x[label] - max));
  if (a->spread != 0) v += a->spread * (a->total * log_sum - row_linear(a, x, max));
  *loss = v;
  if (dx) row_gradient(a, dx, label, hit, sum);
}

void VARIANT(xent)(const mlplk_xent *args) {
  const xent_terms a = xent_prepare(args);
  const real *x = args->x;
  real *loss = args->loss, *dx = args->dx;
  const ptrdiff_t n = args->n, k = args->k, step = k <= SHORT ? WIDE : 1;
  for (ptrdiff_t i = 0; i < n; i += step) {
    real *to = dx ? dx + i * k : NULL;
    if (k <= SHORT)
      xent_tile(&a, x + i * args->s_x, args->s_x, args->label + i, loss + i, to,
          tile_rows(n, i));
    else
      xent_row(&a, x + i * args->s_x, args->label[i], loss + i, to);
  }
}
