/* The table of operations: every row that MLPLI_OPS (ops.h) lists, from the families. */
#include "ops/ops.h"

#define EXTERN(ID, row) extern const mlpl_op mlpli_op_##row;
MLPLI_OPS(EXTERN)

#define PLACE(ID, row) [MLPLI_OP_##ID] = &mlpli_op_##row,
const mlpl_op *const mlpli_op_table[MLPLI_N_OPS] = {MLPLI_OPS(PLACE)};
