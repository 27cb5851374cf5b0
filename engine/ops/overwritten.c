/*
** Which values of several for one place a later one takes the place of: they reach no
** result, and so have no gradient. In memory by the number of values or of places,
** whichever is less.
*/
#include "ops/ops.h"
#include "ops/shape.h"

/* A table of positions, counted from 1 (0: none), by their places: a slot for each place
   or, where those are many more, 2^bits that are looked for. */
typedef struct slots {
  int64_t *slot;
  const int64_t *at;
  int bits; /* 0: one for each place */
} slots;

/* Where the place of position i has its position. */
static int64_t *slot_of(const slots *t, int64_t i) {
  const int64_t place = t->at[i];
  if (!t->bits) return &t->slot[place];
  const uint64_t last = (UINT64_C(1) << t->bits) - 1;
  uint64_t s = (uint64_t)place * UINT64_C(0x9e3779b97f4a7c15) >> (64 - t->bits);
  while (t->slot[s] && t->at[t->slot[s] - 1] != place) s = (s + 1) & last;
  return &t->slot[s];
}

static mlpl_status slots_new(
    mlpl_ctx *cx, const char *what, int64_t n, int64_t places, slots *t) {
  int64_t size = places;
  t->bits = 0;
  if (places / 4 > n)
    for (size = 1; size < 2 * n; size *= 2) t->bits++;
  return mlpli_new(cx, &t->slot, (size_t)size * sizeof *t->slot, what);
}

mlpl_status mlpli_overwritten(mlpl_ctx *cx, const char *what, int ndim,
    const int64_t *shape, const int64_t *at, int64_t places, mlpl_tensor **mask) {
  slots t = {.at = at};
  int64_t n = 1, repeated = 0;
  for (int d = 0; d < ndim; d++) n *= shape[d];
  *mask = NULL;
  if (n < 2) return MLPL_OK;
  MLPL_TRY(slots_new(cx, what, n, places, &t));
  for (int64_t i = 0; i < n; i++) {
    int64_t *own = slot_of(&t, i);
    repeated += *own != 0;
    *own = i + 1;
  }
  mlpl_status status = repeated ? mlpli_tensor_make(cx, mask, MLPL_BOOL, ndim, shape)
                                : MLPL_OK;
  for (int64_t i = 0; *mask && i < n; i++) (*mask)->data[i] = *slot_of(&t, i) != i + 1;
  mlpli_free(cx->heap, t.slot);
  return status;
}
