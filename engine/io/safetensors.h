/*
** safetensors: u64 header length, a JSON header of names, dtypes, shapes and offsets,
** then the bytes of all tensors, without holes. Source: huggingface/safetensors, README
** and safetensors/src/tensor.rs (2026-05). Internal.
*/
#ifndef MLPLI_SAFETENSORS_H
#define MLPLI_SAFETENSORS_H

#include "base/buffer.h"
#include "tensor/tensor.h"

#define MLPLI_ST_HEADER                                                                  \
  100000000 /* bytes of a header at most, as the reference reader has it */

typedef struct mlpli_st mlpli_st;

/* A tensor of the file. Its name ends with a 0. */
typedef struct mlpli_st_entry {
  size_t name;         /* where the name is; see mlpli_st_name */
  uint64_t begin, end; /* of its bytes, in the data */
  int64_t numel;
  int64_t shape[MLPL_MAX_RANK];
  uint8_t type, ndim;
} mlpli_st_entry;

/*
** Check everything about the file, so that what the functions below read is known to be
** there. where: the file's name for messages; read_memory borrows the bytes until close.
*/
mlpl_status mlpli_st_read(mlpl_ctx *cx, mlpli_st **st, const char *path);
mlpl_status mlpli_st_read_memory(
    mlpl_ctx *cx, mlpli_st **st, const char *where, const void *bytes, size_t n);
void mlpli_st_close(mlpli_st *st); /* NULL: nothing */

const char *mlpli_st_where(const mlpli_st *st);
int64_t mlpli_st_count(const mlpli_st *st);
const mlpli_st_entry *mlpli_st_at(const mlpli_st *st, int64_t i); /* sorted by name */
const char *mlpli_st_name(const mlpli_st *st, int64_t i);
const char *mlpli_st_type(const mlpli_st *st, int64_t i);    /* "F32" */
int64_t mlpli_st_find(const mlpli_st *st, const char *name); /* or -1 */
/* A text of the metadata and its length, or NULL. */
const char *mlpli_st_metadata(const mlpli_st *st, const char *key, size_t *n);

/*
** Gives tensor i: F32, F64, I64, U8 and BOOL as they are, F16 and BF16 as f32, other
** whole numbers as i64. MLPL_EFORMAT: another type, or a U64 beyond i64.
*/
mlpl_status mlpli_st_tensor(const mlpli_st *st, mlpl_tensor **t, int64_t i);

/* ---- writing ----------------------------------------------------------------------- */

typedef struct mlpli_st_item {
  const char *name;
  const mlpl_tensor *tensor;
} mlpli_st_item;

typedef struct mlpli_st_text {
  const char *key, *value;
} mlpli_st_text;

/* The layout of the reference writer. MLPL_EARG: a name appears twice or is not UTF-8. */
mlpl_status mlpli_st_write(mlpl_ctx *cx, const char *path, const mlpli_st_item *items,
    int64_t n, const mlpli_st_text *metadata, int n_metadata);

#endif
