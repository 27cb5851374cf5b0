/*
** What the rows of linear algebra share. Internal. An operand is a matrix in its last two
** axes, or a stack of them: its axes before those.
*/
#ifndef MLPLI_LINALG_H
#define MLPLI_LINALG_H

#include "ops/rows.h"

/* ---- stacks (linalg.c) ------------------------------------------------------------- */

static inline int64_t mlpli_rows(const mlpl_tensor *t) { return t->shape[t->ndim - 2]; }
static inline int64_t mlpli_cols(const mlpl_tensor *t) { return t->shape[t->ndim - 1]; }
static inline int64_t mlpli_smaller_side(const mlpl_tensor *t) {
  return mlpli_rows(t) < mlpli_cols(t) ? mlpli_rows(t) : mlpli_cols(t);
}
/* How many matrices, or vectors (axes = 1), a tensor holds. */
int64_t mlpli_stacked(const mlpl_tensor *t, int axes);
/* The i-th of them. */
mlpli_matrix mlpli_matrix_at(const mlpl_tensor *t, int64_t i);

/* That t has two axes or more; that its last two are equal. */
mlpl_status mlpli_check_matrix(
    mlpl_ctx *cx, const char *what, const char *name, const mlpl_tensor *t);
mlpl_status mlpli_check_square(
    mlpl_ctx *cx, const char *what, const char *name, const mlpl_tensor *t);
/* Shape rules: as the input, which is square matrices; its axes before the last two; the
   last one left out. */
mlpl_status mlpli_shape_square(mlpl_ctx *cx, const mlpli_call *c, mlpli_shape *s);
mlpl_status mlpli_shape_stack(mlpl_ctx *cx, const mlpli_call *c, mlpli_shape *s);
/* out = first's axes before the last two, then those n */
void mlpli_stack_shape(
    mlpli_shape *s, const mlpl_tensor *first, int n, int64_t a, int64_t b);

/* " (matrix 3 of the stack)", or nothing for a matrix alone; counted from the base. */
#define MLPLI_WHICH 48
const char *mlpli_which(char *buf, mlpl_ctx *cx, const mlpl_tensor *t, int64_t i);

/* ---- memory and numbers ------------------------------------------------------------ */

/* dst := src of the same sizes, dtype t's. */
void mlpli_matrix_copy(int dtype, mlpli_matrix dst, mlpli_matrix src);
void mlpli_matrix_identity(int dtype, mlpli_matrix m);
static inline void *mlpli_elem(mlpli_matrix m, int dtype, int64_t i, int64_t j) {
  return (char *)m.p + (i * m.rs + j * m.cs) * mlpli_dtype_size[dtype];
}
static inline mlplk_matrix mlpli_kernel_matrix(mlpli_matrix m) {
  return (mlplk_matrix){m.p, m.rs, m.cs};
}
/*
** Divide contiguous elements by a power of two, so that the largest is from 1 to 2 and
** squares neither overflow nor vanish; returns it. NaN: there is an element that is not
** finite, and nothing was changed.
*/
double mlpli_to_unit(int dtype, int64_t n, void *p);
void mlpli_scale(int dtype, int64_t n, void *p, double by);
void mlpli_set_all(int dtype, int64_t n, void *p, double value);

/* ---- expressions ------------------------------------------------------------------- */

/* a b, each perhaps transposed, stack by stack */
mlpl_tensor *mlpli_xproduct(
    mlpli_expr *e, mlpl_tensor *a, mlpl_tensor *b, int ta, int tb);
mlpl_tensor *mlpli_xtransposed(mlpli_expr *e, mlpl_tensor *a);
mlpl_tensor *mlpli_xneg(mlpli_expr *e, mlpl_tensor *a);
/* a as its axes but the last `drop`, then n more of these sizes */
mlpl_tensor *mlpli_xreshaped(
    mlpli_expr *e, mlpl_tensor *a, int drop, int n, int64_t s0, int64_t s1);
/* `length` from `start` along an axis that counts from the end */
mlpl_tensor *mlpli_xpart(
    mlpli_expr *e, mlpl_tensor *a, int axis, int64_t start, int64_t length);
/* a constant [n x n]: ones where j - i <= diagonal, else 0; the identity */
mlpl_tensor *mlpli_xlower(mlpli_expr *e, int dtype, int64_t n, int diagonal);
mlpl_tensor *mlpli_xidentity(mlpli_expr *e, int dtype, int64_t n);
/* 1 / a, and 0 where a is 0 */
mlpl_tensor *mlpli_xinverse_or_0(mlpli_expr *e, mlpl_tensor *a);
/*
** 1 / a for the differences of values [... k x k], 0 on the diagonal, or for values
** [... 1 x k] where !differences. NaN where a is 0: the vectors have no gradient there. But
** 0 in those matrices of the stack where `used` is 0 and `other` is not (NULL: in none).
*/
mlpl_tensor *mlpli_xinverse_or_nan(mlpli_expr *e, mlpl_tensor *a, bool differences,
    const mlpl_tensor *used, const mlpl_tensor *other);
/* `values` of A = U diag(values) Vh with a gradient that needs no differences. */
mlpl_tensor *mlpli_xvalues_of(mlpli_expr *e, mlpl_tensor *a, mlpl_tensor *u,
    mlpl_tensor *values, mlpl_tensor *vh, bool symmetric);
/* solve A X = B, stack by stack */
mlpl_tensor *mlpli_xsolve(mlpli_expr *e, mlpl_tensor *a, mlpl_tensor *b);
mlpl_tensor *mlpli_xtriangular(
    mlpli_expr *e, mlpl_tensor *a, mlpl_tensor *b, int upper, int unit);
/* two operands whose stacks broadcast */
void mlpli_xstacks(mlpli_expr *e, const char *what, mlpl_tensor **a, mlpl_tensor **b);
/* B is vectors where PyTorch's solve takes it so: one axis, or A's shape without its
   last. */
bool mlpli_is_vectors(const mlpl_tensor *a, const mlpl_tensor *b);

/* Would the call be recorded? */
bool mlpli_is_tracked(const mlpl_ctx *cx, const mlpli_call *c);
/* g into the gradient of A for P = pinv(A): what P contributes. */
mlpl_tensor *mlpli_xpinv_grad(
    mlpli_expr *e, mlpl_tensor *a, mlpl_tensor *p, mlpl_tensor *g);
/* A tolerance for singular values: rcond, or eps max(m, n) where that is negative. */
double mlpli_tolerance(int dtype, int64_t m, int64_t n, double rcond);

/* PyTorch's words for the order of a matrix norm, and what they are. */
typedef enum mlpli_order {
  MLPLI_FRO,
  MLPLI_NUC,
  MLPLI_INF,
  MLPLI_MINUS_INF,
  MLPLI_1,
  MLPLI_MINUS_1,
  MLPLI_2,
  MLPLI_MINUS_2
} mlpli_order;

#define LINALG_RESULTS(f, in, n)                                                         \
  .name = #f, .group = "linalg", .input_name = {"input"}, .domain = {in}, .n_inputs = 1, \
  .n_required = 1, .n_outputs = n, .differentiable = 1
#define LINALG_ROW(f, in) LINALG_RESULTS(f, in, 1)
#define LINALG_PAIR(f, in)                                                               \
  .name = #f, .group = "linalg", .input_name = {"a", "b"}, .domain = {in, MLPLI_REAL},   \
  .n_inputs = 2, .n_required = 2, .n_outputs = 1, .differentiable = 3

#endif
