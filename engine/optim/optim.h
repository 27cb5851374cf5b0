/* What the files of this folder share. Internal. */
#ifndef MLPLI_OPTIM_H
#define MLPLI_OPTIM_H

#include "tensor/tensor.h"

/* Is w one of the optimizer's parameters? */
bool mlpli_optimizer_has(const mlpl_optimizer *o, const mlpl_tensor *w);

#endif
