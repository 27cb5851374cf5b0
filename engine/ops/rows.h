/*
** What the rows of the table are made of: shape rules, forward and backward passes, one
** family a file. Internal; only table.c and the families include it.
*/
#ifndef MLPLI_ROWS_H
#define MLPLI_ROWS_H

#include "ops/ops.h"

#define MLPLI_SHAPE(name)                                                                \
  mlpl_status mlpli_shape_##name(mlpl_ctx *cx, const mlpli_call *c, mlpli_shape *s)
#define MLPLI_FORWARD(name)                                                              \
  mlpl_status mlpli_##name##_forward(mlpl_ctx *cx, mlpli_call *c, mlpl_tensor **out)
#define MLPLI_VIEW(name)                                                                 \
  mlpl_status mlpli_##name##_view(mlpl_ctx *cx, mlpli_call *c, mlpl_tensor **out)
#define MLPLI_BACKWARD(name)                                                             \
  mlpl_status mlpli_##name##_backward(mlpl_ctx *cx, mlpli_node *n, mlpl_tensor *g)

/* arithmetic.c */
MLPLI_SHAPE(same);
MLPLI_SHAPE(broadcast);
MLPLI_FORWARD(add);
MLPLI_BACKWARD(add);
MLPLI_FORWARD(sub);
MLPLI_BACKWARD(sub);
MLPLI_FORWARD(mul);
MLPLI_BACKWARD(mul);
MLPLI_FORWARD(div);
MLPLI_BACKWARD(div);
MLPLI_FORWARD(pow);
MLPLI_BACKWARD(pow);
MLPLI_FORWARD(neg);
MLPLI_BACKWARD(neg);
MLPLI_FORWARD(abs);
MLPLI_BACKWARD(abs);
MLPLI_FORWARD(sign);
MLPLI_FORWARD(positive);
MLPLI_FORWARD(affine);
MLPLI_BACKWARD(affine);
MLPLI_FORWARD(exp);
MLPLI_BACKWARD(exp);
MLPLI_FORWARD(log);
MLPLI_BACKWARD(log);
MLPLI_FORWARD(sqrt);
MLPLI_BACKWARD(sqrt);
MLPLI_FORWARD(relu);
MLPLI_BACKWARD(relu);
MLPLI_FORWARD(leaky_relu);
MLPLI_BACKWARD(leaky_relu);
MLPLI_FORWARD(elu);
MLPLI_BACKWARD(elu);
MLPLI_FORWARD(sigmoid);
MLPLI_BACKWARD(sigmoid);
MLPLI_FORWARD(tanh);
MLPLI_BACKWARD(tanh);
MLPLI_FORWARD(clone);
MLPLI_BACKWARD(clone);

/* reduce.c */
MLPLI_SHAPE(reduced);
MLPLI_SHAPE(sum_to_size);
MLPLI_FORWARD(sum);
MLPLI_BACKWARD(sum);
MLPLI_FORWARD(mean);
MLPLI_BACKWARD(mean);
MLPLI_FORWARD(max);
MLPLI_BACKWARD(max);
MLPLI_FORWARD(argmax);
MLPLI_FORWARD(sum_to_size);
MLPLI_BACKWARD(sum_to_size);

/* product.c */
MLPLI_SHAPE(matmul);
MLPLI_FORWARD(matmul);
MLPLI_BACKWARD(matmul);
MLPLI_SHAPE(linear);
MLPLI_FORWARD(linear);
MLPLI_BACKWARD(linear);

/* view.c */
MLPLI_VIEW(transpose);
MLPLI_BACKWARD(transpose);
MLPLI_VIEW(t);
MLPLI_BACKWARD(t);
MLPLI_VIEW(reshape);
MLPLI_BACKWARD(reshape);
MLPLI_VIEW(flatten);
MLPLI_VIEW(narrow);
MLPLI_BACKWARD(narrow);
MLPLI_VIEW(select);
MLPLI_BACKWARD(select);
MLPLI_VIEW(expand);
MLPLI_BACKWARD(expand);

/* place.c */
MLPLI_SHAPE(place);
MLPLI_FORWARD(place);
MLPLI_BACKWARD(place);
MLPLI_FORWARD(spread);
MLPLI_BACKWARD(spread);
MLPLI_SHAPE(pick);
MLPLI_FORWARD(pick);
MLPLI_BACKWARD(pick);

/* softmax.c */
MLPLI_FORWARD(softmax);
MLPLI_BACKWARD(softmax);
MLPLI_FORWARD(log_softmax);
MLPLI_BACKWARD(log_softmax);

/* cross_entropy.c, losses.c */
MLPLI_SHAPE(cross_entropy);
MLPLI_FORWARD(cross_entropy);
MLPLI_BACKWARD(cross_entropy);
MLPLI_SHAPE(mse_loss);
MLPLI_FORWARD(mse_loss);
MLPLI_BACKWARD(mse_loss);
MLPLI_SHAPE(bce);
MLPLI_FORWARD(bce);
MLPLI_BACKWARD(bce);

/* dropout.c */
MLPLI_VIEW(dropout);
MLPLI_BACKWARD(dropout);

/* The choices of `reduction`, in the order of mlpli_reductions. */
typedef enum mlpli_reduction {
  MLPLI_MEAN_LOSS,
  MLPLI_SUM_LOSS,
  MLPLI_NO_REDUCTION
} mlpli_reduction;
extern const char *const mlpli_reductions[];

#endif
