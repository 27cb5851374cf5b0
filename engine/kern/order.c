/*
** Sorting and selecting by 64-bit keys, digit by digit: no comparison, no bad input, the
** same for every element type. Digits in which all keys agree cost one look.
*/
#include "kern/kern.h"

#include <string.h>

enum { DIGITS = 8, VALUES = 256, FEW = 40 };

static inline unsigned digit(uint64_t key, int d) {
  return (unsigned)(key >> 8 * d) & 0xff;
}

static void insert(ptrdiff_t n, mlplk_item *items) {
  for (ptrdiff_t i = 1; i < n; i++) {
    const mlplk_item one = items[i];
    ptrdiff_t j = i;
    for (; j > 0 && items[j - 1].key > one.key; j--) items[j] = items[j - 1];
    items[j] = one;
  }
}

void mlplk_sort(ptrdiff_t n, mlplk_item *items, mlplk_item *scratch) {
  size_t count[DIGITS][VALUES];
  mlplk_item *from = items, *to = scratch;
  if (n <= FEW) {
    insert(n, items);
    return;
  }
  memset(count, 0, sizeof count);
  for (ptrdiff_t i = 0; i < n; i++)
    for (int d = 0; d < DIGITS; d++) count[d][digit(items[i].key, d)]++;
  for (int d = 0; d < DIGITS; d++) {
    size_t *at = count[d], first = 0;
    if (at[digit(items[0].key, d)] == (size_t)n) continue;
    for (int v = 0; v < VALUES; v++) {
      const size_t here = at[v];
      at[v] = first;
      first += here;
    }
    for (ptrdiff_t i = 0; i < n; i++) to[at[digit(from[i].key, d)]++] = from[i];
    mlplk_item *was = from;
    from = to;
    to = was;
  }
  if (from != items) memcpy(items, from, (size_t)n * sizeof *items);
}

uint64_t mlplk_kth(ptrdiff_t n, const uint64_t *key, ptrdiff_t k, ptrdiff_t *among) {
  uint64_t differ = 0, found = 0,
           known = 0; /* known: the bits of found that are settled */
  for (ptrdiff_t i = 1; i < n; i++) differ |= key[i] ^ key[0];
  for (int d = DIGITS - 1; d >= 0; d--) {
    ptrdiff_t count[VALUES] = {0};
    const uint64_t bits = (uint64_t)0xff << 8 * d;
    unsigned v = 0;
    if (differ & bits) {
      for (ptrdiff_t i = 0; i < n; i++)
        if ((key[i] & known) == found) count[digit(key[i], d)]++;
      while (k >= count[v]) k -= count[v++];
    }
    else
      v = digit(key[0], d);
    found |= (uint64_t)v << 8 * d;
    known |= bits;
  }
  *among = k;
  return found;
}
