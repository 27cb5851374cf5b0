/*
** What the sources of convolutions share.
**
** conv.c         results and gradients of the input: one correlation, seen from both ends
** conv_layout.c  plans, and the source laid out so that every tap reads it along memory
** conv_weight.c  gradients of the weight
**
** No matrix of patches is made. The source is copied once into planes with zeros around
** it, one plane for each remainder of the stride; rows follow each other `width` apart,
** so that result i of a plane, counted through all rows, reads element i + offset for one
** offset a tap. What lies between the end of a row and `width` is computed and dropped.
*/
#ifndef MLPLK_CONV_H
#define MLPLK_CONV_H

#include "kern/variants/vector.h"

/* How results, taps and source lie along one axis. */
typedef struct along {
  ptrdiff_t source, results;
  ptrdiff_t step, first, by; /* result r and tap t read element r step + first + t by */
  ptrdiff_t taps, k_first, k_by; /* tap t is element k_first + t k_by of the kernel */
  ptrdiff_t out_first, out_by;   /* result r is element out_first + r out_by */
  ptrdiff_t lowest, reach; /* least offset of a tap; planes needed beyond a result */
  ptrdiff_t planes;        /* remainders of the step that occur */
} along;

/* The rows [r, r + n_r) and columns [q, q + n_q) of the results. */
typedef struct part {
  ptrdiff_t r, n_r, q, n_q;
  ptrdiff_t width;  /* from row to row of a plane */
  ptrdiff_t length; /* from the first result to the last */
  ptrdiff_t plane;  /* elements */
} part;

/* A correlation along two axes and its division into parts. */
typedef struct plan {
  along a[2];
  ptrdiff_t taps;
  ptrdiff_t n_r, n_q; /* of a part; the last of a row or column may be smaller */
  ptrdiff_t parts_r, parts_q;
  ptrdiff_t channels;                /* of the source in one block */
  ptrdiff_t most_plane, most_length; /* over all parts; lengths in whole tiles */
} plan;

/* Columns of a tile of results. */
enum { CONV_NR = 2 * LANES };

/* The three sides of mlplk_conv as its gradients need them. */
plan VARIANT(conv_plan_y)(const mlplk_conv *c);
plan VARIANT(conv_plan_x)(const mlplk_conv *c, const ptrdiff_t *phase);
part VARIANT(conv_part)(const plan *p, ptrdiff_t i);
/* Planes of `channels` channels, `s` apart in x. */
void VARIANT(conv_lay_out)(const plan *p, const part *t, ptrdiff_t channels,
    const real *x, ptrdiff_t s, real *to);
/* offset[channel * taps + tap] in those planes. */
void VARIANT(conv_offsets)(
    const plan *p, const part *t, ptrdiff_t channels, ptrdiff_t *offset);

size_t VARIANT(conv_weight_scratch)(const mlplk_conv *c, int workers);
void VARIANT(conv_weight)(const mlplk_conv *c, void *scratch, const mlplk_par *par);

static inline ptrdiff_t conv_least(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }
static inline ptrdiff_t conv_most(ptrdiff_t a, ptrdiff_t b) { return a > b ? a : b; }
static inline ptrdiff_t conv_parts(ptrdiff_t n, ptrdiff_t size) {
  return (n + size - 1) / size;
}
static inline ptrdiff_t conv_up(ptrdiff_t n, ptrdiff_t unit) {
  return conv_parts(n, unit) * unit;
}
static inline ptrdiff_t conv_planes(const plan *p) {
  return p->a[0].planes * p->a[1].planes;
}
/* Rows are short, so they are copied here and not by calls. */
static inline void conv_copy(real *to, const real *from, ptrdiff_t n) {
  for (; n >= LANES; n -= LANES, to += LANES, from += LANES) store(to, load(from));
  if (n > 0) store_first(to, first(n), load_first(from, first(n)));
}
static inline void conv_zero(real *to, ptrdiff_t n) {
  for (; n >= LANES; n -= LANES, to += LANES) store(to, (vec){0});
  if (n > 0) store_first(to, first(n), (vec){0});
}
/* Elements of scratch memory that begin a new cache line. */
static inline ptrdiff_t conv_lines(ptrdiff_t n) {
  return conv_up(n, 64 / (ptrdiff_t)sizeof(real));
}

#endif
