/* What the families of products share (product.c). Internal. */
#ifndef MLPLI_PRODUCT_H
#define MLPLI_PRODUCT_H

#include "ops/rows.h"

/* Write a b into the gradient of input i, adding where one is there already. */
mlpl_status mlpli_give_product(
    mlpl_ctx *cx, mlpli_node *n, int i, mlpli_matrix a, mlpli_matrix b);

#endif
