/*
** Element-wise kernels over whole numbers and truth values. i64 arithmetic goes through
** uint64_t, where C defines what happens beyond the ends: it wraps around.
*/
#include "kern/loop.h"

/* ---- i64 --------------------------------------------------------------------------- */

static inline int64_t wrap(uint64_t v) { return (int64_t)v; }

static inline int64_t i64_add_at(int64_t x, int64_t y) {
  return wrap((uint64_t)x + (uint64_t)y);
}
static inline int64_t i64_sub_at(int64_t x, int64_t y) {
  return wrap((uint64_t)x - (uint64_t)y);
}
static inline int64_t i64_mul_at(int64_t x, int64_t y) {
  return wrap((uint64_t)x * (uint64_t)y);
}
static inline int64_t i64_neg_at(int64_t x) { return wrap(0 - (uint64_t)x); }
static inline int64_t i64_abs_at(int64_t x) { return x < 0 ? i64_neg_at(x) : x; }
static inline int64_t i64_sign_at(int64_t x) { return (x > 0) - (x < 0); }
static inline int64_t i64_maximum_at(int64_t x, int64_t y) { return x > y ? x : y; }
static inline int64_t i64_minimum_at(int64_t x, int64_t y) { return x < y ? x : y; }
static inline int64_t i64_heaviside_at(int64_t x, int64_t y) { return x ? x > 0 : y; }

/* y >= 0: by squaring */
static inline int64_t i64_pow_at(int64_t x, int64_t y) {
  uint64_t power = 1, square = (uint64_t)x;
  for (uint64_t left = (uint64_t)y; left; left >>= 1, square *= square)
    if (left & 1) power *= square;
  return wrap(power);
}

/* y != 0; towards 0. The least number divided by -1 traps, so -1 goes its own way.
   Numbers of 32 bits, which most are, divide several times as fast. */
static inline int64_t quotient(int64_t x, int64_t y) {
  if (((uint64_t)x | (uint64_t)y) >> 32 == 0) return (uint32_t)x / (uint32_t)y;
  return y == -1 ? i64_neg_at(x) : x / y;
}
static inline int64_t i64_fmod_at(int64_t x, int64_t y) {
  return i64_sub_at(x, i64_mul_at(quotient(x, y), y));
}
static inline int64_t i64_remainder_at(int64_t x, int64_t y) {
  int64_t m = i64_fmod_at(x, y);
  return m != 0 && (m < 0) != (y < 0) ? m + y : m;
}
static inline int64_t i64_floor_divide_at(int64_t x, int64_t y) {
  int64_t q = quotient(x, y);
  return (x < 0) != (y < 0) && i64_mul_at(q, y) != x ? q - 1 : q;
}

static inline int64_t i64_and_at(int64_t x, int64_t y) { return x & y; }
static inline int64_t i64_or_at(int64_t x, int64_t y) { return x | y; }
static inline int64_t i64_xor_at(int64_t x, int64_t y) { return x ^ y; }
static inline int64_t i64_not_at(int64_t x) { return ~x; }

/* ---- u8 ---------------------------------------------------------------------------- */

static inline uint8_t u8_add_at(uint8_t x, uint8_t y) { return (uint8_t)(x + y); }
static inline uint8_t u8_sub_at(uint8_t x, uint8_t y) { return (uint8_t)(x - y); }
static inline uint8_t u8_mul_at(uint8_t x, uint8_t y) { return (uint8_t)(x * y); }
static inline uint8_t u8_neg_at(uint8_t x) { return (uint8_t)-x; }
static inline uint8_t u8_abs_at(uint8_t x) { return x; }
static inline uint8_t u8_sign_at(uint8_t x) { return x != 0; }
static inline uint8_t u8_maximum_at(uint8_t x, uint8_t y) { return x > y ? x : y; }
static inline uint8_t u8_minimum_at(uint8_t x, uint8_t y) { return x < y ? x : y; }
static inline uint8_t u8_heaviside_at(uint8_t x, uint8_t y) { return x ? 1 : y; }
static inline uint8_t u8_pow_at(uint8_t x, uint8_t y) {
  return (uint8_t)i64_pow_at(x, y);
}
static inline uint8_t u8_fmod_at(uint8_t x, uint8_t y) { return (uint8_t)(x % y); }
static inline uint8_t u8_remainder_at(uint8_t x, uint8_t y) { return (uint8_t)(x % y); }
static inline uint8_t u8_floor_divide_at(uint8_t x, uint8_t y) {
  return (uint8_t)(x / y);
}
static inline uint8_t u8_and_at(uint8_t x, uint8_t y) { return x & y; }
static inline uint8_t u8_or_at(uint8_t x, uint8_t y) { return x | y; }
static inline uint8_t u8_xor_at(uint8_t x, uint8_t y) { return x ^ y; }
static inline uint8_t u8_not_at(uint8_t x) { return (uint8_t)~x; }

static inline int64_t i64_shift_left_at(int64_t x, int64_t y) {
  return y < 0 || y > 63 ? 0 : (int64_t)((uint64_t)x << y);
}
static inline int64_t i64_shift_right_at(int64_t x, int64_t y) {
  return x >> (y < 0 || y > 63 ? 63 : y); /* the sign is what comes in */
}
static inline uint8_t u8_shift_left_at(uint8_t x, uint8_t y) {
  return (uint8_t)(y > 7 ? 0 : x << y);
}
static inline uint8_t u8_shift_right_at(uint8_t x, uint8_t y) {
  return (uint8_t)(y > 7 ? 0 : x >> y);
}

/* ---- comparisons, and what no whole number is -------------------------------------- */

#define COMPARISONS(type, in_type)                                                       \
  static inline uint8_t type##_eq_at(in_type x, in_type y) { return x == y; }            \
  static inline uint8_t type##_ne_at(in_type x, in_type y) { return x != y; }            \
  static inline uint8_t type##_lt_at(in_type x, in_type y) { return x < y; }             \
  static inline uint8_t type##_le_at(in_type x, in_type y) { return x <= y; }            \
  static inline uint8_t type##_gt_at(in_type x, in_type y) { return x > y; }             \
  static inline uint8_t type##_ge_at(in_type x, in_type y) { return x >= y; }            \
  static inline uint8_t type##_never_at(in_type x) { return (void)x, 0; }                \
  static inline uint8_t type##_always_at(in_type x) { return (void)x, 1; }

COMPARISONS(i64, int64_t)
COMPARISONS(u8, uint8_t)

static inline uint8_t bool_not_at(uint8_t x) { return !x; }

/* ---- kernels ----------------------------------------------------------------------- */

#define ARITHMETIC(type, t)                                                              \
  static MLPLK_LOOP(type##_add, type##_add_at, t, t) static MLPLK_LOOP(                  \
      type##_sub, type##_sub_at, t, t) static MLPLK_LOOP(type##_mul, type##_mul_at, t,   \
      t) static MLPLK_LOOP(type##_pow, type##_pow_at, t,                                 \
      t) static MLPLK_LOOP(type##_floor_divide, type##_floor_divide_at, t,               \
      t) static MLPLK_LOOP(type##_remainder, type##_remainder_at, t,                     \
      t) static MLPLK_LOOP(type##_fmod, type##_fmod_at, t,                               \
      t) static MLPLK_LOOP(type##_maximum, type##_maximum_at, t,                         \
      t) static MLPLK_LOOP(type##_minimum, type##_minimum_at, t,                         \
      t) static MLPLK_LOOP(type##_heaviside, type##_heaviside_at, t,                     \
      t) static MLPLK_LOOP_1(type##_neg, type##_neg_at, t,                               \
      t) static MLPLK_LOOP_1(type##_abs, type##_abs_at, t,                               \
      t) static MLPLK_LOOP_1(type##_sign, type##_sign_at, t, t)

#define LOGIC(type, t)                                                                   \
  static MLPLK_LOOP(type##_eq, type##_eq_at, uint8_t, t) static MLPLK_LOOP(              \
      type##_ne, type##_ne_at, uint8_t, t) static MLPLK_LOOP(type##_lt, type##_lt_at,    \
      uint8_t, t) static MLPLK_LOOP(type##_le, type##_le_at, uint8_t,                    \
      t) static MLPLK_LOOP(type##_gt, type##_gt_at, uint8_t,                             \
      t) static MLPLK_LOOP(type##_ge, type##_ge_at, uint8_t,                             \
      t) static MLPLK_LOOP_1(type##_never, type##_never_at, uint8_t,                     \
      t) static MLPLK_LOOP_1(type##_always, type##_always_at, uint8_t,                   \
      t) static MLPLK_LOOP(type##_and, type##_and_at, t, t) static MLPLK_LOOP(type##_or, \
      type##_or_at, t, t) static MLPLK_LOOP(type##_xor, type##_xor_at, t,                \
      t) static MLPLK_LOOP_1(type##_not, type##_not_at, t, t)

ARITHMETIC(i64, int64_t)
ARITHMETIC(u8, uint8_t)
LOGIC(i64, int64_t)
LOGIC(u8, uint8_t)
static MLPLK_LOOP_1(bool_not, bool_not_at, uint8_t, uint8_t) static MLPLK_LOOP(
    i64_shift_left, i64_shift_left_at, int64_t,
    int64_t) static MLPLK_LOOP(i64_shift_right, i64_shift_right_at, int64_t,
    int64_t) static MLPLK_LOOP(u8_shift_left, u8_shift_left_at, uint8_t,
    uint8_t) static MLPLK_LOOP(u8_shift_right, u8_shift_right_at, uint8_t, uint8_t)

#define ARITHMETIC_TABLE(type)                                                           \
  {                                                                                      \
    [MLPLK_ADD] = type##_add, [MLPLK_SUB] = type##_sub, [MLPLK_MUL] = type##_mul,        \
    [MLPLK_POW] = type##_pow, [MLPLK_NEG] = type##_neg, [MLPLK_ABS] = type##_abs,        \
    [MLPLK_SIGN] = type##_sign, [MLPLK_FLOOR_DIVIDE] = type##_floor_divide,              \
    [MLPLK_REMAINDER] = type##_remainder, [MLPLK_FMOD] = type##_fmod,                    \
    [MLPLK_MAXIMUM] = type##_maximum, [MLPLK_MINIMUM] = type##_minimum,                  \
    [MLPLK_HEAVISIDE] = type##_heaviside,                                                \
  }

#define LOGIC_TABLE(type, not_)                                                          \
  {                                                                                      \
    [MLPLK_EQ] = type##_eq, [MLPLK_NE] = type##_ne, [MLPLK_LT] = type##_lt,              \
    [MLPLK_LE] = type##_le, [MLPLK_GT] = type##_gt, [MLPLK_GE] = type##_ge,              \
    [MLPLK_ISNAN] = type##_never, [MLPLK_ISINF] = type##_never,                          \
    [MLPLK_ISFINITE] = type##_always, [MLPLK_AND] = type##_and, [MLPLK_OR] = type##_or,  \
    [MLPLK_XOR] = type##_xor, [MLPLK_NOT] = not_,                                        \
    [MLPLK_SHIFT_LEFT] = type##_shift_left, [MLPLK_SHIFT_RIGHT] = type##_shift_right,    \
  }

    mlplk_map *const mlplk_whole_map[MLPLK_N_WHOLES][MLPLK_N_MAPS] = {
        [MLPLK_I64] = ARITHMETIC_TABLE(i64),
        [MLPLK_U8] = ARITHMETIC_TABLE(u8),
        [MLPLK_BOOL] = {[MLPLK_ADD] = u8_or,
            [MLPLK_MUL] = u8_and,
            [MLPLK_MAXIMUM] = u8_or,
            [MLPLK_MINIMUM] = u8_and,
            [MLPLK_SIGN] = u8_sign,
            [MLPLK_HEAVISIDE] = u8_or}};

mlplk_map *const mlplk_whole_logic[MLPLK_N_WHOLES][MLPLK_N_LOGICS] = {
    [MLPLK_I64] = LOGIC_TABLE(i64, i64_not),
    [MLPLK_U8] = LOGIC_TABLE(u8, u8_not),
    [MLPLK_BOOL] = LOGIC_TABLE(u8, bool_not)};
