/* The element types of safetensors and how they become ours. Internal. */
#ifndef MLPLI_ST_TYPES_H
#define MLPLI_ST_TYPES_H

#include <stdbool.h>
#include <stdint.h>

/* In the order of the reference, which writes files from the last to the first. */
typedef enum mlpli_st_code {
  MLPLI_ST_BOOL,
  MLPLI_ST_F4,
  MLPLI_ST_F6_E2M3,
  MLPLI_ST_F6_E3M2,
  MLPLI_ST_U8,
  MLPLI_ST_I8,
  MLPLI_ST_F8_E5M2,
  MLPLI_ST_F8_E4M3,
  MLPLI_ST_F8_E8M0,
  MLPLI_ST_F8_E4M3FNUZ,
  MLPLI_ST_F8_E5M2FNUZ,
  MLPLI_ST_I16,
  MLPLI_ST_U16,
  MLPLI_ST_F16,
  MLPLI_ST_BF16,
  MLPLI_ST_I32,
  MLPLI_ST_U32,
  MLPLI_ST_F32,
  MLPLI_ST_C64,
  MLPLI_ST_F64,
  MLPLI_ST_I64,
  MLPLI_ST_U64,
  MLPLI_ST_TYPES
} mlpli_st_code;

typedef struct mlpli_st_info {
  const char *name;
  uint8_t bits;
  int8_t becomes; /* the mlpl_dtype it is read into, -1: not read */
} mlpli_st_info;

extern const mlpli_st_info mlpli_st_types[MLPLI_ST_TYPES];

int mlpli_st_type_find(const char *name); /* -1: no such type */
/* The type that a dtype is written as. */
mlpli_st_code mlpli_st_type_of(int dtype);
/* n elements from a file, at any address, into a tensor's memory. false: a U64 is too
   large for i64. */
bool mlpli_st_decode(int type, void *out, const unsigned char *in, int64_t n);

#endif
