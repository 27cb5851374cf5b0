/*
** The context's random numbers: Philox4x32-10, a function of key and counter. A fill
** takes as many blocks as it needs and moves the counter on, so what it draws does not
** depend on threads.
*/
#include "base/base.h"

/* One round of splitmix64 (Steele, Lea and Flood, 2014): spreads small seeds over the
   key. */
static uint64_t spread(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

void mlpl_seed(mlpl_ctx *cx, uint64_t seed) {
  uint64_t key = spread(seed);
  cx->random = (mlplk_stream){{(uint32_t)key, (uint32_t)(key >> 32)}, 0};
}

mlpl_random_state mlpl_random_get(const mlpl_ctx *cx) {
  const mlplk_stream *s = &cx->random;
  return (mlpl_random_state){{s->key[0], s->key[1]}, s->counter};
}

void mlpl_random_set(mlpl_ctx *cx, mlpl_random_state state) {
  cx->random = (mlplk_stream){{state.key[0], state.key[1]}, state.counter};
}

mlplk_stream mlpli_random_take(mlpl_ctx *cx, uint64_t n_blocks) {
  mlplk_stream s = cx->random;
  cx->random.counter += n_blocks;
  return s;
}

/* 64 random bits; every second call uses up a block. */
typedef struct bits {
  mlpl_ctx *cx;
  uint32_t word[4];
  int left; /* halves of `word` not used yet */
} bits;

static uint64_t next_bits(bits *b) {
  if (b->left == 0) {
    mlplk_stream s = mlpli_random_take(b->cx, 1);
    mlplk_philox(s.key, s.counter, b->word);
    b->left = 2;
  }
  int at = 2 * (2 - b->left--);
  return (uint64_t)b->word[at] << 32 | b->word[at + 1];
}

/* Lemire's multiplication method (2019): unbiased, rejects with probability below n /
   2^64. */
static uint64_t below(bits *b, uint64_t n) {
  if (n == 0) return next_bits(b); /* stands for 2^64 */
  unsigned __int128 product = (unsigned __int128)next_bits(b) * n;
  if ((uint64_t)product < n) {
    uint64_t least = (0 - n) % n;
    while ((uint64_t)product < least) product = (unsigned __int128)next_bits(b) * n;
  }
  return (uint64_t)(product >> 64);
}

uint64_t mlpli_random_below(mlpl_ctx *cx, uint64_t n) {
  bits b = {.cx = cx};
  return below(&b, n);
}

/* So many places are drawn before anything is swapped, for memory to be on its way. */
enum { DRAWN_AHEAD = 64 };

void mlpli_random_permutation(mlpl_ctx *cx, int64_t *p, int64_t n) {
  bits b = {.cx = cx};
  for (int64_t i = 0; i < n; i++) p[i] = i;
  for (int64_t i = n - 1; i > 0;) {
    int64_t j[DRAWN_AHEAD];
    const int m = i < DRAWN_AHEAD ? (int)i : DRAWN_AHEAD;
    for (int d = 0; d < m; d++) {
      j[d] = (int64_t)below(&b, (uint64_t)(i - d) + 1);
      __builtin_prefetch(p + j[d], 1);
    }
    for (int d = 0; d < m; d++, i--) {
      const int64_t t = p[i];
      p[i] = p[j[d]], p[j[d]] = t;
    }
  }
}
