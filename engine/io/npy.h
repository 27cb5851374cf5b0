/*
** NPY: magic, version, the length of a header, the header (a Python dict of dtype, order
** and shape), the elements. Source: numpy/lib/format.py. Internal.
*/
#ifndef MLPLI_NPY_H
#define MLPLI_NPY_H

#include "base/buffer.h"
#include "tensor/tensor.h"

/*
** The tensor in the bytes of a file; bytes behind it are none of ours. where begins the
** errors: "npy: data.npy", "npz: data.npz: array 'x'".
*/
mlpl_status mlpli_npy_decode(mlpl_ctx *cx, mlpl_tensor **t, const char *where,
    const unsigned char *bytes, size_t n);

/* What stands before the elements of a contiguous tensor like t. Returns its length. */
#define MLPLI_NPY_HEAD 448
size_t mlpli_npy_head(unsigned char head[MLPLI_NPY_HEAD], const mlpl_tensor *t);

#endif
