/* Lists of named tensors, as files hold them. Internal. */
#ifndef MLPLI_TENSORS_H
#define MLPLI_TENSORS_H

#include "base/buffer.h"
#include "tensor/tensor.h"

struct mlpl_tensors {
  mlpl_ctx *cx;
  mlpli_buffer items; /* mlpl_named; names are blocks of their own */
};

mlpl_status mlpli_tensors_new(mlpl_ctx *cx, mlpl_tensors **list);
/* Keeps t. name has n bytes, no 0 among them. */
mlpl_status mlpli_tensors_add(
    mlpl_tensors *list, const char *name, size_t n, mlpl_tensor *t);
/* MLPL_EARG: a name is missing, not UTF-8 or appears twice, or a tensor is missing. what
   begins the error. */
mlpl_status mlpli_named_check(
    mlpl_ctx *cx, const char *what, const mlpl_named *items, int64_t n);

#endif
