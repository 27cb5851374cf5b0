/* Options with a number for each spatial axis. */
#include "ops/window.h"

mlpl_status mlpli_extent(mlpl_ctx *cx, const mlpli_call *c, int i, int axes,
    const int64_t *standard, int64_t *v) {
  const mlpl_value *p = &c->p[i];
  if (p->sizes.n != 1 && p->sizes.n != axes && !(standard && p->sizes.n == 0))
    return mlpl_fail(cx, MLPL_EARG,
        "%s: %s has %d values; it takes one number, or one for each of the %d axes",
        c->op->name, c->op->params[i].name, p->sizes.n, axes);
  for (int d = 0; d < axes; d++)
    v[d] = p->sizes.n ? p->sizes.v[p->sizes.n == 1 ? 0 : d] : standard[d];
  return MLPL_OK;
}

bool mlpli_padded_fits(int64_t n, int axes, const int64_t *size, const int64_t *pad) {
  double elements = (double)n;
  for (int d = 0; d < axes; d++) elements *= (double)size[d] + 2 * (double)pad[d];
  return elements < 0x1p48;
}
