/* Operands with any strides, side by side for kernels that know nothing else. */
#include "kern/variants/spread.h"

#include <string.h>

enum { CHUNK = 32 * BLOCK };

/*
** Elements [first, first + n) of x side by side: where they lie, or in `run`, filled up to
** a whole block. A single number fills the run of the first chunk, the longest.
*/
static const real *bring(const operand *x, ptrdiff_t first, ptrdiff_t n, real *run) {
  if (!x->p) return NULL;
  const real *from = x->p + first * x->s;
  const ptrdiff_t whole = WHOLE_BLOCKS(n + BLOCK - 1);
  if (x->s == 1 && n == whole) return from;
  if (x->s == 0) {
    const real value = *from;
    for (ptrdiff_t i = 0; first == 0 && i < whole; i++) run[i] = value;
    return run;
  }
  for (ptrdiff_t i = 0; i < n; i++) run[i] = from[i * x->s];
  for (ptrdiff_t i = n; i < whole; i++) run[i] = *from;
  return run;
}

static void put(ptrdiff_t n, void *out, ptrdiff_t s_out, const void *run, size_t bytes) {
  if (s_out == 1)
    memcpy(out, run, (size_t)n * bytes);
  else if (bytes == 1)
    for (ptrdiff_t i = 0; i < n; i++) ((char *)out)[i * s_out] = ((const char *)run)[i];
  else
    for (ptrdiff_t i = 0; i < n; i++) ((real *)out)[i * s_out] = ((const real *)run)[i];
}

static int lies_side_by_side(const operand *x) { return !x->p || x->s == 1; }

void VARIANT(spread)(blocks *f, size_t out_bytes, ptrdiff_t n, void *out, ptrdiff_t s_out,
    const operand in[3], double p) {
  real run[3][CHUNK], out_run[CHUNK];
  ptrdiff_t first = 0;
  if (s_out == 1 && lies_side_by_side(in) && lies_side_by_side(in + 1) &&
      lies_side_by_side(in + 2)) {
    first = WHOLE_BLOCKS(n);
    if (first) f(first, out, in[0].p, in[1].p, in[2].p, p);
  }
  for (ptrdiff_t m; first < n; first += m) {
    m = n - first < CHUNK ? n - first : CHUNK;
    char *to = (char *)out + first * s_out * (ptrdiff_t)out_bytes;
    const ptrdiff_t whole = WHOLE_BLOCKS(m + BLOCK - 1);
    const int direct = s_out == 1 && m == whole;
    f(whole, direct ? (void *)to : out_run, bring(in, first, m, run[0]),
        bring(in + 1, first, m, run[1]), bring(in + 2, first, m, run[2]), p);
    if (!direct) put(m, to, s_out, out_run, out_bytes);
  }
}
