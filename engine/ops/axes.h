/*
** Axes to reduce, and lines along one axis. Internal; what the families of reductions,
** scans and orders share.
*/
#ifndef MLPLI_AXES_H
#define MLPLI_AXES_H

#include "ops/ops.h"

/* The axes of an option (one, several, all), as bits; the error names axis and rank. A
   number has one axis here, as in PyTorch. */
mlpl_status mlpli_axes(
    mlpl_ctx *cx, const char *what, const mlpl_value *v, int ndim, unsigned *axes);
/* The same of an option that was checked before. */
unsigned mlpli_axes_known(const mlpl_value *v, int ndim);

/* shape without the axes, or with size 1 there. */
void mlpli_shape_without(
    int ndim, const int64_t *shape, unsigned axes, bool keep, mlpli_shape *s);
/* How many elements each result is made of. */
double mlpli_share(int ndim, const int64_t *shape, unsigned axes);
/* That there is something to choose from, where there are results; the error names the
   axis. */
mlpl_status mlpli_check_choice(
    mlpl_ctx *cx, const char *what, const mlpl_tensor *x, unsigned axes);

/* t, a reduced result, with axes of size 1 where `axes` of input 0 were. */
mlpl_tensor *mlpli_xkept(mlpli_expr *e, mlpli_node *n, mlpl_tensor *t, unsigned axes);
/* ... and stretched to the shape of input 0. */
mlpl_tensor *mlpli_xstretched(
    mlpli_expr *e, mlpli_node *n, mlpl_tensor *t, unsigned axes);

/* mlpli_axes and the shape for a row whose options are dim and keepdim, at `keepdim`. */
mlpl_status mlpli_shape_of_axes(
    mlpl_ctx *cx, const mlpli_call *c, int keepdim, mlpli_shape *s);

/* A row's `dtype`: that of the first input, of whole numbers and truth values i64. */
int mlpli_gives_total(const mlpli_call *c);

/* *parts, of x's shape: 1 over their number where elements equal the result y of reducing
   the axes, else 0. */
mlpl_status mlpli_even_parts(
    mlpl_ctx *cx, mlpl_tensor *x, mlpl_tensor *y, unsigned axes, mlpl_tensor **parts);
/* A backward pass in which the gradient is shared evenly among all elements of input 0
   (saved) that equal the result (saved). */
mlpl_tensor *mlpli_xevenly(mlpli_expr *e, mlpli_node *n, mlpl_tensor *g, unsigned axes);

/* ---- lines of a contiguous tensor along one axis ----------------------------------- */

typedef struct mlpli_lines {
  int64_t n;     /* lines */
  int64_t r;     /* elements of a line */
  int64_t inner; /* from one element of a line to the next; lines side by side */
} mlpli_lines;

/* Of a tensor with this shape; axis < 0: all elements are one line. */
mlpli_lines mlpli_lines_of(int ndim, const int64_t *shape, int axis);
/* Where line i starts in a tensor that has k elements along the axis. */
static inline int64_t mlpli_line_start(const mlpli_lines *l, int64_t i, int64_t k) {
  return i / l->inner * k * l->inner + i % l->inner;
}

/*
** work(arg, i, scratch) for every line, on several threads where they are many elements;
** each worker has scratch memory of `bytes`, 64-byte aligned.
*/
typedef void mlpli_line_work(void *arg, int64_t line, void *scratch);
mlpl_status mlpli_each_line(mlpl_ctx *cx, const char *what, const mlpli_lines *l,
    size_t bytes, mlpli_line_work *work, void *arg);

/* The axis of the first input that option k of a call, dim, says; -1 where it was left out
   (all axes), or of a number. */
mlpl_status mlpli_line_axis(mlpl_ctx *cx, const mlpli_call *c, int k, int *axis);

#endif
