/*
** Random numbers: Philox4x32-10 for BLOCKS counters side by side, then a conversion.
**
** All arithmetic is exact, or plain IEEE products and sums in one order, so a seed
** gives the same numbers on every instruction set.
*/
#if defined __AVX2__ || defined __SSE2__
#include <immintrin.h>
#endif

#include "kern/variants/vmath.h"

enum { BLOCKS = 16, PER_BLOCK = MLPLK_REAL == 32 ? 4 : 2, PER_FILL = BLOCKS * PER_BLOCK };

/* ---- blocks ------------------------------------------------------------------------ */

/* The words of BLOCKS blocks in the order of the fill. A pair has its first word in
   the low half (we run on little-endian machines only). */
typedef union words {
  uint64_t pair[2 * BLOCKS];
  uint32_t word[4 * BLOCKS];
} words;

/* Each lane holds one 32-bit word of a block in its low half; the high half is noise.
   No compiler finds the instruction that multiplies low halves by itself. */
#if defined __AVX512F__
enum { ACROSS = 8 };
typedef uint64_t lanes __attribute__((vector_size(64)));
static inline lanes product(lanes a, lanes b) {
  return (lanes)_mm512_mul_epu32((__m512i)a, (__m512i)b);
}
#elif defined __AVX2__
enum { ACROSS = 4 };
typedef uint64_t lanes __attribute__((vector_size(32)));
static inline lanes product(lanes a, lanes b) {
  return (lanes)_mm256_mul_epu32((__m256i)a, (__m256i)b);
}
#else
enum { ACROSS = 2 };
typedef uint64_t lanes __attribute__((vector_size(16)));
static inline lanes product(lanes a, lanes b) {
#if defined __SSE2__
  return (lanes)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
  return (a & 0xffffffffu) * (b & 0xffffffffu);
#endif
}
#endif

static inline lanes all(uint64_t x) { return x - (lanes){0}; }

static inline lanes pair_of(lanes low, lanes high) {
  return (low & 0xffffffffu) | high << 32;
}

/* Blocks counter, counter + 1, ...: words 0 and 1 to low[], words 2 and 3 to high[]. */
static inline void philox_lanes(uint64_t low[ACROSS], uint64_t high[ACROSS],
    const uint32_t key[2], uint64_t counter) {
  lanes c0 = all(counter), c2 = {0}, c3 = {0};
  for (uint64_t l = 0; l < ACROSS; l++) c0[l] += l;
  lanes c1 = c0 >> 32;
  uint32_t k0 = key[0], k1 = key[1];
#pragma GCC unroll 10
  for (int round = 0; round < 10; round++) {
    const lanes p0 = product(c0, all(0xD2511F53u)), p1 = product(c2, all(0xCD9E8D57u));
    c0 = (p1 >> 32) ^ c1 ^ k0;
    c1 = p1;
    c2 = (p0 >> 32) ^ c3 ^ k1;
    c3 = p0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  const lanes first = pair_of(c0, c1), second = pair_of(c2, c3);
  memcpy(low, &first, sizeof first);
  memcpy(high, &second, sizeof second);
}

static void philox_blocks(words *w, const uint32_t key[2], uint64_t counter) {
  uint64_t low[BLOCKS], high[BLOCKS];
  for (uint64_t b = 0; b < BLOCKS; b += ACROSS)
    philox_lanes(low + b, high + b, key, counter + b);
  for (int b = 0; b < BLOCKS; b++) {
    w->pair[2 * b] = low[b];
    w->pair[2 * b + 1] = high[b];
  }
}

/* Turns BLOCKS blocks into PER_FILL elements. */
typedef void convert(real out[PER_FILL], const words *w, const void *args);

static inline void fill(
    ptrdiff_t n, real *out, const mlplk_stream *s, convert *to_reals, const void *args) {
  const uint32_t key[2] = {s->key[0], s->key[1]};
  uint64_t counter = s->counter;
  words w;
  for (; n >= PER_FILL; n -= PER_FILL, out += PER_FILL, counter += BLOCKS) {
    philox_blocks(&w, key, counter);
    to_reals(out, &w, args);
  }
  if (n > 0) {
    real rest[PER_FILL];
    philox_blocks(&w, key, counter);
    to_reals(rest, &w, args);
    memcpy(out, rest, (size_t)n * sizeof *out);
  }
}

/* ---- a number in [0, 1) ------------------------------------------------------------ */

#if MLPLK_REAL == 32
/* 24 bits of a word. Conversion from signed integers is what every instruction set
   has. */
static inline real unit(uint32_t word) { return (real)(int32_t)(word >> 8) * 0x1p-24f; }

static inline real unit_of(const words *w, int i) { return unit(w->word[i]); }
#else
/* 52 bits of a pair, as the mantissa of a number in [1, 2). */
static inline real unit(uint64_t pair) {
  return real_of(0x3ff0000000000000u | pair >> 12) - 1.0;
}

static inline real unit_of(const words *w, int i) { return unit(w->pair[i]); }
#endif

/* ---- uniform ----------------------------------------------------------------------- */

typedef struct uniform_args {
  real low, width, last;
} uniform_args;

static void to_uniform(real out[PER_FILL], const words *w, const void *args) {
  const uniform_args a = *(const uniform_args *)args;
  NO_CARRY
  for (int i = 0; i < PER_FILL; i++) {
    const real v = a.low + a.width * unit_of(w, i);
    out[i] = v > a.last ? a.last : v;
  }
}

static real next_up(real x) {
  return sizeof(real) == 4 ? (real)nextafterf((float)x, INFINITY)
                           : (real)nextafter((double)x, (double)INFINITY);
}

static real next_down(real x) { return -next_up(-x); }

/* Rounding may neither reach hi nor fall below lo, whose nearest reals may lie
   outside. lo = hi gives lo. hi - lo must be finite. */
void VARIANT(uniform)(
    ptrdiff_t n, void *out, const mlplk_stream *s, double lo, double hi) {
  const real low = (double)(real)lo < lo ? next_up((real)lo) : (real)lo;
  const real last = (double)(real)hi >= hi ? next_down((real)hi) : (real)hi;
  const uniform_args a = {
      .low = low,
      .width = (real)(hi - lo),
      .last = last > low ? last : low,
  };
  fill(n, out, s, to_uniform, &a);
}

/* ---- normal: Box and Muller -------------------------------------------------------- */

typedef struct normal_args {
  real mean, std;
} normal_args;

/* The radius is made of a number in (0, 1], so there is no log 0. The direction: two
   bits choose a quarter turn, the rest a place in it, from -1/2 to 1/2. */
typedef struct polar {
  real radius, place;
  uint32_t quarter;
} polar;

#if MLPLK_REAL == 32
static inline polar polar_of(const words *w, int i) { /* the radius reaches 6.6 */
  const uint32_t word = w->word[2 * i], turn = w->word[2 * i + 1];
  const real u = (real)(int32_t)(word >> 1) * 0x1p-31f + 0x1p-32f;
  return (polar){
      root(-2.0f * log_(u)), (real)(int32_t)(turn << 2) * 0x1p-32f, turn >> 30};
}
#else
static inline polar polar_of(const words *w, int i) { /* the radius reaches 8.4 */
  const uint64_t turn = w->pair[2 * i + 1];
  const real u = 1.0 - unit(w->pair[2 * i]);
  return (polar){root(-2.0 * log_(u)), unit(turn << 2) - 0.5, (uint32_t)(turn >> 62)};
}
#endif

static void to_normal(real out[PER_FILL], const words *w, const void *args) {
  const normal_args a = *(const normal_args *)args;
  NO_CARRY
  for (int i = 0; i < PER_FILL / 2; i++) {
    const polar p = polar_of(w, i);
    const real c = cos_quarter(p.place), s = sin_quarter(p.place);
    const real across = p.quarter & 1 ? s : c, up = p.quarter & 1 ? c : s;
    const real x = (p.quarter + 1) & 2 ? -across
                                       : across; /* quarters 1 and 2 are on the left */
    const real y = p.quarter & 2 ? -up : up;
    out[2 * i] = a.mean + a.std * (p.radius * x);
    out[2 * i + 1] = a.mean + a.std * (p.radius * y);
  }
}

void VARIANT(normal)(
    ptrdiff_t n, void *out, const mlplk_stream *s, double mean, double std) {
  const normal_args a = {(real)mean, (real)std};
  fill(n, out, s, to_normal, &a);
}

/* ---- dropout ----------------------------------------------------------------------- */

typedef struct dropout_args {
  real p, scale;
} dropout_args;

/* u < p has probability p for u in [0, 1): all for p = 1, none for p = 0. */
static void to_mask(real out[PER_FILL], const words *w, const void *args) {
  const dropout_args a = *(const dropout_args *)args;
  NO_CARRY
  for (int i = 0; i < PER_FILL; i++) out[i] = unit_of(w, i) < a.p ? 0 : a.scale;
}

void VARIANT(dropout)(
    ptrdiff_t n, void *mask, const mlplk_stream *s, double p, double scale) {
  const dropout_args a = {(real)p, (real)scale};
  fill(n, mask, s, to_mask, &a);
}
