/*
** What the families that change shapes and pick elements share. Internal.
*/
#ifndef MLPLI_SHAPE_H
#define MLPLI_SHAPE_H

#include "ops/ops.h"

/* ---- views (view.c) ---------------------------------------------------------------- */

/* Strides with which x's memory, in row-major order of its elements, has another shape of
   as many elements; false: only a copy has. */
bool mlpli_view_strides(
    const mlpl_tensor *x, int ndim, const int64_t *shape, int64_t *stride);
/* The sizes in p, one of which may be -1 (whatever is left), checked against x. */
mlpl_status mlpli_fill_in(mlpl_ctx *cx, const char *what, const mlpl_tensor *x,
    const mlpl_value *p, int64_t *shape);

/* A value of sizes. */
static inline mlpl_value mlpli_sizes_of(int n, const int64_t *sizes) {
  mlpl_value v = {.sizes = {.n = n}};
  for (int d = 0; d < n; d++) v.sizes.v[d] = sizes[d];
  return v;
}
/* The shape of input 0 of a recorded call, as a value. */
mlpl_value mlpli_input_sizes(const mlpli_node *n);

/* ---- parts: the leading axes of x[...], one entry each (shape.c) ------------------- */

/* count: how many elements of the axis, from start in steps; or one of these. */
enum { MLPLI_ONE = -1 /* the element at start; the axis goes */ };

/* The part of x that options p[0..2] (start, step, count; as many as the axes they speak
   of) describe, without history. */
mlpl_status mlpli_part(mlpl_ctx *cx, const char *what, const mlpl_tensor *x,
    const mlpl_value *p, mlpl_tensor **out);

/* ---- places (index.c) ----------------------------------------------------------- */

typedef enum mlpli_negative { MLPLI_FROM_START, MLPLI_FROM_END_TOO } mlpli_negative;

/* at[0..numel): the values of the index-valued t, row-major, as places from 0 along an
   axis of size n, checked. The error names what, the axis, the value and the range. *at
   is freed with mlpli_free. */
mlpl_status mlpli_places(mlpl_ctx *cx, const char *what, const mlpl_tensor *t, int axis,
    int64_t n, mlpli_negative negative, int64_t **at);
/* Its two halves. at[i]: the place of v[i], outside 0..n - 1 where there is none; true when
   all have one. And the error that the first without one is. */
bool mlpli_places_of(int64_t count, const int64_t *v, int64_t n, int base,
    mlpli_negative negative, int64_t *at);
mlpl_status mlpli_no_place(mlpl_ctx *cx, const char *what, int64_t count,
    const int64_t *v, int axis, int64_t n, mlpli_negative negative);
/* Of the positions of a shape, place at[i] of `places` for the i-th: the truth value of
   whether a later one has the same place; *mask NULL where none has. */
mlpl_status mlpli_overwritten(mlpl_ctx *cx, const char *what, int ndim,
    const int64_t *shape, const int64_t *at, int64_t places, mlpl_tensor **mask);

typedef enum mlpli_move {
  MLPLI_TAKE, /* elements of the many go to the chosen: o = t */
  MLPLI_PUT,  /* t = o */
  MLPLI_ADD,  /* t += o; from here on t is computed from both */
  MLPLI_TIMES, /* t *= o */
  MLPLI_MOST,  /* t = max(t, o), NaN when either is */
  MLPLI_LEAST  /* t = min(t, o), likewise */
} mlpli_move;

/* n elements, s_t and s_o elements apart. */
void mlpli_move_run(
    mlpli_move move, int dtype, int64_t n, char *t, int64_t s_t, char *o, int64_t s_o);
/* Element i of n, in order, between t[i s_t + at[i] along] and o[i s_o]. */
void mlpli_move_each(mlpli_move move, int dtype, int64_t n, const int64_t *at,
    int64_t along, char *t, int64_t s_t, char *o, int64_t s_o);

/* x[...] = v or += v (p: start, step, count, accumulate) in x's own memory, which no
   other reads. Nothing is written when it fails. */
mlpl_status mlpli_put(mlpl_ctx *cx, const char *what, mlpl_tensor *x, mlpl_tensor *v,
    mlpl_tensor *const *index, int n, const mlpl_value *p);

#endif
