/*
** What the readers and writers of files share. Internal.
*/
#ifndef MLPLI_FILE_H
#define MLPLI_FILE_H

#include "base/base.h"

/* A path as error texts show it: a long one is cut at the front, so that the reason still
   fits. */
#define MLPLI_PATH_TEXT 200
const char *mlpli_path_text(char *buf, const char *path);

/* "cannot <verb> <path>: <the system's reason>", MLPL_EIO. error is an errno. */
mlpl_status mlpli_io_error(mlpl_ctx *cx, const char *verb, const char *path, int error);

/* zlib's memory comes from the heap: its zalloc and zfree, with the heap as opaque. */
void *mlpli_z_alloc(void *heap, unsigned items, unsigned size);
void mlpli_z_free(void *heap, void *p);

#endif
