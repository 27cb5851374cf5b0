/*
** A model's architecture as JSON, and back. It is data: names of layer kinds and their
** options, checked against the table of kinds like any other caller's. Internal.
**
**   {"kind":"Sequential","children":[{"kind":"Linear","params":{"in_features":64,"out_features":10,"bias":true}},...]}
*/
#ifndef MLPLI_MODEL_H
#define MLPLI_MODEL_H

#include "base/buffer.h"
#include "nn/nn.h"

#define MLPLI_ARCH_BYTES ((size_t)4 << 20) /* of the text, at most */
#define MLPLI_ARCH_DEPTH 30 /* of modules in modules; each is two levels of JSON */

/* MLPL_EARG: a layer that a file cannot describe. */
mlpl_status mlpli_arch_write(mlpli_buffer *out, const mlpl_module *m);
/*
** Build the model. elements: how many parameters the file holds, so that a text asking
** for more fails before memory is asked for. Errors are MLPL_EFORMAT and begin with
** `where`; MLPL_ENOMEM.
*/
mlpl_status mlpli_arch_build(mlpl_ctx *cx, mlpl_module **m, const char *where,
    const char *text, size_t n, uint64_t elements);

#endif
