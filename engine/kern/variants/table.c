/* The table of this element type and instruction set. */
#include "kern/variants/elementwise.h"
#include "kern/variants/gemm.h"
#include "kern/variants/reduce.h"
#include "kern/seldom/scan.h"

extern const mlplk_table VARIANT(table);

const mlplk_table VARIANT(table) = {
    .isa = MLPLK_STRING(MLPLK_ISA),
    .real_bytes = sizeof(real),
    .gemm_scratch = VARIANT(gemm_scratch),
    .gemm = VARIANT(gemm),
    .pack_a_bytes = VARIANT(pack_a_bytes),
    .pack_b_bytes = VARIANT(pack_b_bytes),
    .pack_a = VARIANT(pack_a),
    .pack_b = VARIANT(pack_b),
    .map = MLPLK_MAP_TABLE,
    .logic = MLPLK_LOGIC_TABLE,
    .map3 = MLPLK_MAP3_TABLE,
    .reduce = MLPLK_REDUCE_TABLE,
    .scan = MLPLK_SCAN_TABLE,
    .softmax = VARIANT(softmax),
    .log_softmax = VARIANT(log_softmax),
    .softmax_grad = VARIANT(softmax_grad),
    .log_softmax_grad = VARIANT(log_softmax_grad),
    .xent = VARIANT(xent),
    .sgd = VARIANT(sgd),
    .adam = VARIANT(adam),
    .per_block = MLPLK_REAL == 32 ? 4 : 2,
    .uniform = VARIANT(uniform),
    .normal = VARIANT(normal),
    .dropout = VARIANT(dropout),
    .linalg = {.product_scratch = VARIANT(gemm_scratch_most),
        .solve_triangular = VARIANT(solve_triangular),
        .lu = VARIANT(lu),
        .cholesky = VARIANT(cholesky),
        .qr_scratch = VARIANT(qr_scratch),
        .qr = VARIANT(qr),
        .eigh_scratch = VARIANT(eigh_scratch),
        .eigh = VARIANT(eigh),
        .svd_scratch = VARIANT(svd_scratch),
        .svd = VARIANT(svd)},
    .conv_scratch = VARIANT(conv_scratch),
    .conv = VARIANT(conv),
    .average_pool = SELDOM(average_pool),
    .average_pool_grad = SELDOM(average_pool_grad),
    .max_pool = SELDOM(max_pool),
    .scatter_add = SELDOM(scatter_add),
    .gather = SELDOM(gather),
};
