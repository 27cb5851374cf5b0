/* Plane rotations of neighbouring rows, a strip of columns at a time, which stays in the
   caches; the row that two rotations share stays in registers. */
#include "kern/linalg/linalg.h"

typedef struct turn {
  real *a;
  ptrdiff_t width, n, strips;
  const rotation *r;
} turn;

enum { PIECES = STRIP / LANES };

static void rotate_strip(real *a, ptrdiff_t width, const rotation *r, ptrdiff_t n) {
  vec lower[PIECES];
  ptrdiff_t held = -1; /* the row whose elements are in `lower` */
  for (ptrdiff_t k = 0; k < n; k++) {
    const ptrdiff_t i = r[k].i;
    real *x = a + i * width, *y = x + width;
    const vec c = splat(r[k].c), s = splat(r[k].s);
    if (held != i) {
      for (int l = 0; l < PIECES; l++) {
        if (held >= 0) store(a + held * width + l * LANES, lower[l]);
        lower[l] = load(x + l * LANES);
      }
    }
    for (int l = 0; l < PIECES; l++) {
      const vec v = load(y + l * LANES);
      store(x + l * LANES, c * lower[l] + s * v);
      lower[l] = c * v - s * lower[l];
    }
    held = i + 1;
  }
  for (int l = 0; l < PIECES && held >= 0; l++)
    store(a + held * width + l * LANES, lower[l]);
}

static void run_strips(void *arg, ptrdiff_t task, int worker) {
  const turn *t = arg;
  ptrdiff_t first = task * t->strips * STRIP,
            end = least(first + t->strips * STRIP, t->width);
  (void)worker;
  for (ptrdiff_t j = first; j < end; j += STRIP)
    rotate_strip(t->a + j, t->width, t->r, t->n);
}

void VARIANT(rotate_rows)(real *a, ptrdiff_t width, const rotation *r,
    ptrdiff_t n_rotations, const mlplk_par *par) {
  turn t = {a, width, n_rotations, 1, r};
  ptrdiff_t n = width / STRIP;
  if (n_rotations == 0 || width == 0) return;
  if (n_rotations * width < 1 << 17) t.strips = n;
  par->run(par, parts_of(n, t.strips), run_strips, &t);
}
