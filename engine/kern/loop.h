/*
** The loop of an element-wise kernel over whole numbers, or with truth values as results,
** for any strides: written out where all lie side by side and where one of two operands
** is a single number, so that those vectorise.
*/
#ifndef MLPLK_LOOP_H
#define MLPLK_LOOP_H

#include "kern/kern.h"

/* at(x, y) is what the kernel does to an element. */
#define MLPLK_LOOP(name, at, out_type, in_type)                                          \
  void name(ptrdiff_t n, void *out, ptrdiff_t s_out, const void *x, ptrdiff_t s_x,       \
      const void *y, ptrdiff_t s_y, double p) {                                          \
    (void)p;                                                                             \
    out_type *o = out;                                                                   \
    const in_type *a = x, *b = y;                                                        \
    if (n <= 0) return;                                                                  \
    if (s_out == 1 && s_x == 1 && s_y == 1) {                                            \
      for (ptrdiff_t i = 0; i < n; i++) o[i] = at(a[i], b[i]);                           \
    }                                                                                    \
    else if (s_out == 1 && s_x == 1 && s_y == 0) {                                       \
      const in_type b0 = *b;                                                             \
      for (ptrdiff_t i = 0; i < n; i++) o[i] = at(a[i], b0);                             \
    }                                                                                    \
    else if (s_out == 1 && s_x == 0 && s_y == 1) {                                       \
      const in_type a0 = *a;                                                             \
      for (ptrdiff_t i = 0; i < n; i++) o[i] = at(a0, b[i]);                             \
    }                                                                                    \
    else {                                                                               \
      for (ptrdiff_t i = 0; i < n; i++) o[i * s_out] = at(a[i * s_x], b[i * s_y]);       \
    }                                                                                    \
  }

/* The same of x alone. */
#define MLPLK_LOOP_1(name, at, out_type, in_type)                                        \
  void name(ptrdiff_t n, void *out, ptrdiff_t s_out, const void *x, ptrdiff_t s_x,       \
      const void *y, ptrdiff_t s_y, double p) {                                          \
    (void)y, (void)s_y, (void)p;                                                         \
    out_type *o = out;                                                                   \
    const in_type *a = x;                                                                \
    if (s_out == 1 && s_x == 1) {                                                        \
      for (ptrdiff_t i = 0; i < n; i++) o[i] = at(a[i]);                                 \
    }                                                                                    \
    else {                                                                               \
      for (ptrdiff_t i = 0; i < n; i++) o[i * s_out] = at(a[i * s_x]);                   \
    }                                                                                    \
  }

#endif
