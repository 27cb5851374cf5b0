#include "io/st_types.h"

#include "mlpl.h"

#include <string.h>

/* Elements are copied as they lie in the file, which is little-endian. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
    "a big-endian machine has to swap bytes here");

const mlpli_st_info mlpli_st_types[MLPLI_ST_TYPES] = {
    [MLPLI_ST_BOOL] = {"BOOL", 8, MLPL_BOOL},
    [MLPLI_ST_F4] = {"F4", 4, -1},
    [MLPLI_ST_F6_E2M3] = {"F6_E2M3", 6, -1},
    [MLPLI_ST_F6_E3M2] = {"F6_E3M2", 6, -1},
    [MLPLI_ST_U8] = {"U8", 8, MLPL_U8},
    [MLPLI_ST_I8] = {"I8", 8, MLPL_I64},
    [MLPLI_ST_F8_E5M2] = {"F8_E5M2", 8, -1},
    [MLPLI_ST_F8_E4M3] = {"F8_E4M3", 8, -1},
    [MLPLI_ST_F8_E8M0] = {"F8_E8M0", 8, -1},
    [MLPLI_ST_F8_E4M3FNUZ] = {"F8_E4M3FNUZ", 8, -1},
    [MLPLI_ST_F8_E5M2FNUZ] = {"F8_E5M2FNUZ", 8, -1},
    [MLPLI_ST_I16] = {"I16", 16, MLPL_I64},
    [MLPLI_ST_U16] = {"U16", 16, MLPL_I64},
    [MLPLI_ST_F16] = {"F16", 16, MLPL_F32},
    [MLPLI_ST_BF16] = {"BF16", 16, MLPL_F32},
    [MLPLI_ST_I32] = {"I32", 32, MLPL_I64},
    [MLPLI_ST_U32] = {"U32", 32, MLPL_I64},
    [MLPLI_ST_F32] = {"F32", 32, MLPL_F32},
    [MLPLI_ST_C64] = {"C64", 64, -1},
    [MLPLI_ST_F64] = {"F64", 64, MLPL_F64},
    [MLPLI_ST_I64] = {"I64", 64, MLPL_I64},
    [MLPLI_ST_U64] = {"U64", 64, MLPL_I64},
};

int mlpli_st_type_find(const char *name) {
  for (int i = 0; i < MLPLI_ST_TYPES; i++)
    if (strcmp(mlpli_st_types[i].name, name) == 0) return i;
  return -1;
}

mlpli_st_code mlpli_st_type_of(int dtype) {
  switch (dtype) {
    case MLPL_F32: return MLPLI_ST_F32;
    case MLPL_F64: return MLPLI_ST_F64;
    case MLPL_I64: return MLPLI_ST_I64;
    case MLPL_U8: return MLPLI_ST_U8;
  }
  return MLPLI_ST_BOOL;
}

static float from_bits(uint32_t bits) {
  float v;
  memcpy(&v, &bits, sizeof v);
  return v;
}

/* IEEE half precision: 1 sign, 5 exponent (bias 15), 10 fraction. */
static float from_half(uint16_t h) {
  uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = (h >> 10) & 31,
           fraction = h & 0x3ff;
  if (exponent == 31) return from_bits(sign | 0x7f800000 | fraction << 13);
  if (exponent > 0) return from_bits(sign | (exponent + 112) << 23 | fraction << 13);
  float v = (float)fraction * 0x1p-24f; /* subnormal: exact in single precision */
  return sign ? -v : v;
}

static float real16(int type, const unsigned char *p) {
  uint16_t bits = (uint16_t)(p[0] | p[1] << 8);
  return type == MLPLI_ST_F16 ? from_half(bits) : from_bits((uint32_t)bits << 16);
}

static int64_t whole(int type, const unsigned char *p, int bytes) {
  uint64_t v = 0;
  for (int i = bytes; i-- > 0;) v = v << 8 | p[i];
  switch (type) {
    case MLPLI_ST_I8: return (int8_t)v;
    case MLPLI_ST_I16: return (int16_t)v;
    case MLPLI_ST_I32: return (int32_t)v;
  }
  return (int64_t)v;
}

bool mlpli_st_decode(int type, void *out, const unsigned char *in, int64_t n) {
  int bytes = mlpli_st_types[type].bits / 8;
  switch (type) {
    case MLPLI_ST_F32:
    case MLPLI_ST_F64:
    case MLPLI_ST_I64:
    case MLPLI_ST_U8:
      if (n) memcpy(out, in, (size_t)n * (size_t)bytes);
      return true;
    case MLPLI_ST_BOOL: /* a byte other than 0 and 1 would break what counts on them */
      for (int64_t i = 0; i < n; i++) ((uint8_t *)out)[i] = in[i] != 0;
      return true;
    case MLPLI_ST_F16:
    case MLPLI_ST_BF16:
      for (int64_t i = 0; i < n; i++) ((float *)out)[i] = real16(type, in + 2 * i);
      return true;
  }
  for (int64_t i = 0; i < n; i++) {
    int64_t v = ((int64_t *)out)[i] = whole(type, in + bytes * i, bytes);
    if (type == MLPLI_ST_U64 && v < 0) return false;
  }
  return true;
}
