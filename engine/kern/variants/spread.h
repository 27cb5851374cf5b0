/*
** Element-wise kernels of which a formula is compiled into one loop, over whole blocks of
** elements that lie side by side. Everything else -- strides, single numbers, what is left
** of a block -- is brought into that form by `spread`, for all of them: the same bits, and
** no more copies of long formulas.
**
** ONE, TWO and THREE make a kernel `map_name` from a formula of x (y, z) and p.
*/
#ifndef MLPLK_SPREAD_H
#define MLPLK_SPREAD_H

#include "kern/variants/variant.h"
#include "kern/variants/vmath.h"

enum { BLOCK = 16 };
#define WHOLE_BLOCKS(n) ((n) & ~(ptrdiff_t)(BLOCK - 1))

typedef struct operand {
  const real *p; /* or NULL: not read */
  ptrdiff_t s;
} operand;

/* out[i] = f(x[i], y[i], z[i], p) of n elements, n a multiple of BLOCK. */
typedef void blocks(
    ptrdiff_t n, void *out, const real *x, const real *y, const real *z, double p);

/* f of n elements with any strides; those of out have out_bytes each, 1 or a real's. */
void SELDOM(spread)(blocks *f, size_t out_bytes, ptrdiff_t n, void *out, ptrdiff_t s_out,
    const operand in[3], double p);

/* The loop of a formula, with the elements that it takes of a, b and c. */
#define BLOCKS(name, out_type, formula, ...)                                             \
  ALWAYS out_type name##_at(real x, real y, real z, real p) {                            \
    (void)x, (void)y, (void)z, (void)p;                                                  \
    return formula;                                                                      \
  }                                                                                      \
  static void name##_blocks(                                                             \
      ptrdiff_t n, void *out, const real *a, const real *b, const real *c, double p) {   \
    (void)a, (void)b, (void)c;                                                           \
    out_type *o = out;                                                                   \
    const real q = (real)p;                                                              \
    NO_CARRY                                                                             \
    for (ptrdiff_t i = 0; i < WHOLE_BLOCKS(n); i++) o[i] = name##_at(__VA_ARGS__, q);    \
  }

/* The kernel of a loop that reads x alone, or x and y. */
#define SPREAD_ONE(kernel, loop, out_type)                                               \
  void kernel(ptrdiff_t n, void *out, ptrdiff_t s_out, const void *x, ptrdiff_t s_x,     \
      const void *y, ptrdiff_t s_y, double p) {                                          \
    (void)y, (void)s_y;                                                                  \
    SELDOM(spread)(loop, sizeof(out_type), n, out, s_out, (operand[3]){{x, s_x}}, p);    \
  }
#define SPREAD_TWO(kernel, loop, out_type)                                               \
  void kernel(ptrdiff_t n, void *out, ptrdiff_t s_out, const void *x, ptrdiff_t s_x,     \
      const void *y, ptrdiff_t s_y, double p) {                                          \
    SELDOM(spread)                                                                       \
    (loop, sizeof(out_type), n, out, s_out, (operand[3]){{x, s_x}, {y, s_y}}, p);        \
  }

#define ONE(name, formula)                                                               \
  BLOCKS(name, real, formula, a[i], 0, 0)                                                \
  SPREAD_ONE(VARIANT(map_##name), name##_blocks, real)
#define TWO(name, formula)                                                               \
  BLOCKS(name, real, formula, a[i], b[i], 0)                                             \
  SPREAD_TWO(VARIANT(map_##name), name##_blocks, real)
#define THREE(name, formula)                                                             \
  BLOCKS(name, real, formula, a[i], b[i], c[i])                                          \
  void VARIANT(map_##name)(ptrdiff_t n, void *out, ptrdiff_t s_out, const void *x,       \
      ptrdiff_t s_x, const void *y, ptrdiff_t s_y, const void *z, ptrdiff_t s_z,         \
      double p) {                                                                        \
    SELDOM(spread)                                                                       \
    (name##_blocks, sizeof(real), n, out, s_out,                                         \
        (operand[3]){{x, s_x}, {y, s_y}, {z, s_z}}, p);                                  \
  }

#endif
