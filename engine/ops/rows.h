/*
** What rows of the table are written with. Internal; only the families include it. A
** family is a file: shape rules, forward and backward passes, and at its end its rows,
** each complete. Axes and indices in options count from 0, negative ones from the end; Lua
** converts.
*/
#ifndef MLPLI_ROWS_H
#define MLPLI_ROWS_H

#include "ops/ops.h"
#include "ops/param.h"

/* ---- passes ------------------------------------------------------------------------ */

#define SHAPE(name)                                                                      \
  mlpl_status shape_##name(mlpl_ctx *cx, const mlpli_call *c, mlpli_shape *s)
#define FORWARD(name)                                                                    \
  mlpl_status name##_forward(mlpl_ctx *cx, mlpli_call *c, mlpl_tensor **out)
#define VIEW(name) mlpl_status name##_view(mlpl_ctx *cx, mlpli_call *c, mlpl_tensor **out)
#define COMPOSE(name)                                                                    \
  mlpl_status name##_compose(mlpl_ctx *cx, mlpli_call *c, mlpl_tensor **out)
#define BACKWARD(name)                                                                   \
  mlpl_status name##_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g)

/* Shape rules that families share: the first input's, the second's, the two inputs'
   broadcast (arithmetic.c), the first input's without the axis in option dim (reduce.c),
   the sizes in the first option (shape.c). */
mlpl_status mlpli_shape_same(mlpl_ctx *cx, const mlpli_call *c, mlpli_shape *s);
mlpl_status mlpli_shape_second(mlpl_ctx *cx, const mlpli_call *c, mlpli_shape *s);
mlpl_status mlpli_shape_sizes(mlpl_ctx *cx, const mlpli_call *c, mlpli_shape *s);
mlpl_status mlpli_shape_broadcast(mlpl_ctx *cx, const mlpli_call *c, mlpli_shape *s);
mlpl_status mlpli_shape_reduced(mlpl_ctx *cx, const mlpli_call *c, mlpli_shape *s);

/* Places counted from 0 become what users see (axes.c), out may be index; *out is index
   itself, unless it is kept for backward. */
void mlpli_count_from_base(mlpl_tensor *out, const mlpl_tensor *index);
mlpl_status mlpli_give_places(
    mlpl_ctx *cx, const mlpli_call *c, mlpl_tensor *index, mlpl_tensor **out);

/* out = a + alpha b of whole numbers, alpha one of them (arithmetic.c). */
mlpl_status mlpli_add_whole(mlpl_ctx *cx, mlpl_tensor *out, const mlpl_tensor *a,
    const mlpl_tensor *b, double alpha);
/* That whole numbers are not raised to negative powers (modulo.c); out: the result. */
mlpl_status mlpli_check_exponent(
    mlpl_ctx *cx, const mlpli_call *c, const mlpl_tensor *out);
/* The backward pass of step functions: the gradient is 0 (functions.c). */
mlpl_status mlpli_flat_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g);

/* ---- rows -------------------------------------------------------------------------- */

#define MANY 9e15 /* more than any count */

#define PARAMS(p) .params = p, .n_params = (uint8_t)(sizeof(p) / sizeof *(p))
#define HAS_BACKWARD(f) .backward = f##_backward

/* y = f(a, b), broadcast */
#define BINARY_ROW(f, a_domain, b_domain, saved)                                         \
  .name = #f, .input_name = {"a", "b"}, .domain = {a_domain, b_domain}, .n_inputs = 2,   \
  .n_required = 2, .n_outputs = 1, .saves = saved, .differentiable = 3,                  \
  .shape = mlpli_shape_broadcast, .forward = f##_forward, HAS_BACKWARD(f)
/* y = f(x), of a shape by a rule */
#define UNARY_ROW(f, in, rule)                                                           \
  .name = #f, .input_name = {"input"}, .domain = {in}, .n_inputs = 1, .n_required = 1,   \
  .n_outputs = 1, .differentiable = 1, .shape = rule, .forward = f##_forward
/* y = f(x, second), of a shape by a rule, where second tells which elements of x */
#define GUIDED_ROW(f, second, in, in_second, rule)                                       \
  .name = #f, .input_name = {"input", second}, .domain = {in, in_second}, .n_inputs = 2, \
  .n_required = 2, .n_outputs = 1, .saves = 2, .differentiable = 1, .shape = rule,       \
  .forward = f##_forward, HAS_BACKWARD(f)
/* values and, as a second result, their places: index-valued */
#define PLACES_ROW(f, in, rule)                                                          \
  .name = #f, .input_name = {"input"}, .domain = {in}, .n_inputs = 1, .n_required = 1,   \
  .n_outputs = 2, .differentiable = 1, .shape = rule, .forward = f##_forward
/* y = f(x), element by element */
#define MAP_ROW(f, in, saved) UNARY_ROW(f, in, mlpli_shape_same), .saves = saved
/* other shape and strides of the same memory */
#define VIEW_ROW(f, back)                                                                \
  .name = #f, .input_name = {"input"}, .domain = {MLPLI_ANY}, .n_inputs = 1,             \
  .n_required = 1, .n_outputs = 1, .differentiable = 1, .view = f##_view,                \
  HAS_BACKWARD(back)

/* made of other rows */
#define COMPOSE_ROW(f, in)                                                               \
  .name = #f, .input_name = {"input"}, .domain = {in}, .n_inputs = 1, .n_required = 1,   \
  .n_outputs = 1, .differentiable = 1, .compose = f##_compose

/* ---- losses ------------------------------------------------------------------------ */

/* The choices of `reduction`, in the order of mlpli_reductions. */
typedef enum mlpli_reduction {
  MLPLI_MEAN_LOSS,
  MLPLI_SUM_LOSS,
  MLPLI_NO_REDUCTION
} mlpli_reduction;
extern const char *const mlpli_reductions[];
extern const char *const mlpli_batch_reductions[]; /* and the sum over the first size */

#endif
