/* Plans of convolutions, and the source laid out for them. */
#include "kern/variants/conv.h"

/* Rows of the source's block, results of a part (the dropped ones included) and elements of
   its planes or sums: sized so that these and the packed weights stay in a second-level
   cache. */
enum { BLOCK_ROWS = 512, SHORT = 1024, LONG = 4096, MOST_ELEMENTS = 1 << 16 };
enum { MOST_COLUMNS = 1024 };

static ptrdiff_t gcd(ptrdiff_t a, ptrdiff_t b) {
  while (b) {
    ptrdiff_t rest = a % b;
    a = b, b = rest;
  }
  return a;
}

/* by > 0 where step > 1 */
static void finish_axis(along *a) {
  ptrdiff_t span = a->taps ? (a->taps - 1) * (a->by < 0 ? -a->by : a->by) : 0;
  a->lowest = a->by < 0 ? a->first - span : a->first;
  a->reach = span / a->step;
  a->planes = a->step == 1
      ? 1
      : conv_most(1, conv_least(a->taps, a->step / gcd(a->step, a->by)));
}

static ptrdiff_t clamp(ptrdiff_t v, ptrdiff_t lo, ptrdiff_t hi) {
  return v < lo ? lo : v > hi ? hi : v;
}

/* Where n_q results from q on begin in the source. */
static ptrdiff_t begin(const along *a, ptrdiff_t q) { return q * a->step + a->lowest; }

/* Zeros at the right of a row serve as zeros at the left of the next one. */
static ptrdiff_t width_of(const along *a, ptrdiff_t q, ptrdiff_t n_q) {
  ptrdiff_t need = n_q + a->reach, start = begin(a, q);
  if (a->step > 1) return need;
  ptrdiff_t left = clamp(-start, 0, need),
            right = clamp(start + need - a->source, 0, need);
  return conv_most(need - conv_least(left, right), n_q);
}

part VARIANT(conv_part)(const plan *p, ptrdiff_t i) {
  part t = {.r = i / p->parts_q * p->n_r, .q = i % p->parts_q * p->n_q};
  t.n_r = conv_least(p->n_r, p->a[0].results - t.r);
  t.n_q = conv_least(p->n_q, p->a[1].results - t.q);
  t.width = width_of(&p->a[1], t.q, t.n_q);
  t.length = (t.n_r - 1) * t.width + t.n_q;
  t.plane = conv_up(
      conv_up(t.length, CONV_NR) + p->a[0].reach * t.width + p->a[1].reach, LANES);
  return t;
}

/* Blocks of source channels, all alike, and parts. rows: of results. */
static void cut(plan *p, ptrdiff_t rows_of_results, ptrdiff_t depth) {
  const along *r = &p->a[0], *q = &p->a[1];
  p->taps = r->taps * q->taps;
  p->channels = clamp(BLOCK_ROWS / conv_most(1, p->taps), 1, conv_most(1, depth));
  p->channels = conv_parts(
      conv_most(1, depth), conv_parts(conv_most(1, depth), p->channels));
  p->most_length = p->most_plane = 0;
  if (r->results == 0 || q->results == 0) return;
  p->parts_q = conv_parts(q->results, MOST_COLUMNS);
  p->n_q = conv_parts(q->results, p->parts_q);
  p->parts_q = conv_parts(q->results, p->n_q);
  ptrdiff_t lines = conv_most(rows_of_results, p->channels * conv_planes(p));
  ptrdiff_t length = clamp(MOST_ELEMENTS / conv_most(1, lines), SHORT, LONG);
  p->parts_r = conv_parts(r->results, conv_most(1, length / (p->n_q + q->reach)));
  p->n_r = conv_parts(r->results, p->parts_r);
  p->parts_r = conv_parts(r->results, p->n_r);
  for (ptrdiff_t i = 0; i < p->parts_q; i++) { /* the first of each column is whole */
    part t = VARIANT(conv_part)(p, i);
    p->most_length = conv_most(p->most_length, conv_up(t.length, CONV_NR));
    p->most_plane = conv_most(p->most_plane, t.plane);
  }
}

/* Results, or the weight's gradient: tap t of r reads r stride + t dilation - pad. */
plan VARIANT(conv_plan_y)(const mlplk_conv *c) {
  plan p = {0};
  for (int d = 0; d < 2; d++) {
    p.a[d] = (along){.source = c->x[d],
        .results = c->y[d],
        .step = c->stride[d],
        .first = -c->pad[d],
        .by = c->dilation[d],
        .taps = c->k[d],
        .k_by = 1,
        .out_by = 1};
    finish_axis(&p.a[d]);
  }
  cut(&p, c->m, c->c);
  return p;
}

/*
** The input's gradient at elements phase, phase + stride, ...: x[i] takes from y[r] by
** tap t where r stride + t dilation - pad = i, so from every (stride / gcd)-th tap.
*/
static along from_y(const mlplk_conv *c, int d, ptrdiff_t phase) {
  ptrdiff_t s = c->stride[d], by = c->dilation[d], at = phase + c->pad[d], t = 0;
  ptrdiff_t common = gcd(s, by), every = s / common;
  along a = {.source = c->y[d],
      .results = phase < c->x[d] ? (c->x[d] - phase + s - 1) / s : 0,
      .step = 1,
      .k_by = every,
      .by = -by / common,
      .out_first = phase,
      .out_by = s};
  while (t < every && (at - t * by) % s != 0) t++;
  if (t < every && t < c->k[d]) {
    a.k_first = t;
    a.taps = (c->k[d] - 1 - t) / every + 1;
    a.first = (at - t * by) / s;
  }
  finish_axis(&a);
  return a;
}

plan VARIANT(conv_plan_x)(const mlplk_conv *c, const ptrdiff_t *phase) {
  plan p = {.a = {from_y(c, 0, phase[0]), from_y(c, 1, phase[1])}};
  cut(&p, c->c, c->m);
  return p;
}

/* ---- laying out -------------------------------------------------------------------- */

/* to[j] = x[2 j] */
static void every_other(real *to, const real *x, ptrdiff_t n) {
  for (; n > LANES; n -= LANES, to += LANES, x += 2 * LANES)
    store(to, evens(load(x), load(x + LANES)));
  if (n <= 0) return;
  ptrdiff_t span = 2 * n - 1, low = conv_least(span, LANES);
  vec a = load_first(x, first(low)), b = {0};
  if (span > low) b = load_first(x + LANES, first(span - low));
  store_first(to, first(n), evens(a, b));
}

/* The elements [from, end) of a laid-out row of n are in the source's row, from its element
   `at` on; the others are 0. */
typedef struct row {
  ptrdiff_t n, from, end, at, step;
} row;

static row row_of(ptrdiff_t n, ptrdiff_t size, ptrdiff_t start, ptrdiff_t step) {
  row r = {.n = n, .step = step};
  r.from = start >= 0 ? 0 : clamp(conv_parts(-start, step), 0, n);
  r.end = start >= size ? 0 : clamp(conv_parts(size - start, step), 0, n);
  if (r.end < r.from) r.end = r.from;
  r.at = start + r.from * step;
  return r;
}

static void lay_row(const row *r, real *to, const real *x) {
  ptrdiff_t n = r->end - r->from;
  conv_zero(to, r->from);
  if (n > 0 && r->step == 1)
    conv_copy(to + r->from, x + r->at, n);
  else if (n > 0 && r->step == 2)
    every_other(to + r->from, x + r->at, n);
  else
    for (ptrdiff_t j = 0; j < n; j++) to[r->from + j] = x[r->at + j * r->step];
  conv_zero(to + r->end, r->n - r->end);
}

static void lay_plane(const plan *p, const part *t, const real *x, ptrdiff_t phase_r,
    ptrdiff_t phase_q, real *to) {
  const along *r = &p->a[0], *q = &p->a[1];
  ptrdiff_t at = begin(r, t->r) + phase_r, n = t->n_r + r->reach;
  const row columns = row_of(t->width, q->source, begin(q, t->q) + phase_q, q->step);
  for (ptrdiff_t i = 0; i < n; i++, at += r->step, to += t->width)
    if (at >= 0 && at < r->source)
      lay_row(&columns, to, x + at * q->source);
    else
      conv_zero(to, t->width);
  conv_zero(to, t->plane - n * t->width);
}

void VARIANT(conv_lay_out)(const plan *p, const part *t, ptrdiff_t channels,
    const real *x, ptrdiff_t s, real *to) {
  const along *r = &p->a[0], *q = &p->a[1];
  for (ptrdiff_t c = 0; c < channels; c++, x += s)
    for (ptrdiff_t i = 0; i < r->planes; i++)
      for (ptrdiff_t j = 0; j < q->planes; j++, to += t->plane)
        lay_plane(p, t, x, i * r->by % r->step, j * q->by % q->step, to);
}

/* How far tap t is from the lowest one. */
static ptrdiff_t from_lowest(const along *a, ptrdiff_t t) {
  return a->by < 0 ? (a->taps - 1 - t) * -a->by : t * a->by;
}

void VARIANT(conv_offsets)(
    const plan *p, const part *t, ptrdiff_t channels, ptrdiff_t *offset) {
  const along *r = &p->a[0], *q = &p->a[1];
  for (ptrdiff_t c = 0; c < channels; c++)
    for (ptrdiff_t i = 0; i < r->taps; i++)
      for (ptrdiff_t j = 0; j < q->taps; j++) {
        ptrdiff_t plane = (c * r->planes + i % r->planes) * q->planes + j % q->planes;
        *offset++ = plane * t->plane + from_lowest(r, i) / r->step * t->width +
            from_lowest(q, j) / q->step;
      }
}
