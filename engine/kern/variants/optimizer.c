/*
** Optimizers: one pass over parameter, gradient and state.
**
** Plain products and sums in the order of PyTorch's formulas, so the bits are the same
** on every instruction set. Scalars are computed in double and rounded once. A term
** whose factor is zero is left out, not multiplied by zero: an infinite parameter
** without decay stays harmless.
*/
#if !defined __clang__ /* a loop for every choice of options */
#pragma GCC optimize("O3")
#endif
#include "kern/variants/vmath.h"

/* w -= lr (g + decay w) */
static void plain_step(
    ptrdiff_t n, real *restrict w, const real *restrict g, real lr, real decay) {
  if (decay == 0)
    for (ptrdiff_t i = 0; i < n; i++) w[i] -= lr * g[i];
  else
    for (ptrdiff_t i = 0; i < n; i++) w[i] -= lr * (g[i] + decay * w[i]);
}

typedef struct factors {
  real lr, momentum, fresh, decay; /* fresh: 1 - dampening */
} factors;

/* The loop that all forms share; `decays`, `first` and `nesterov` are constants where
   it is called, so each form becomes a loop without tests. */
static inline void momentum_loop(ptrdiff_t n, real *restrict w, const real *restrict g,
    real *restrict buf, factors f, const int decays, const int first,
    const int nesterov) {
  for (ptrdiff_t i = 0; i < n; i++) {
    const real d = decays ? g[i] + f.decay * w[i] : g[i];
    const real b = first ? d : f.momentum * buf[i] + f.fresh * d;
    buf[i] = b;
    w[i] -= f.lr * (nesterov ? d + f.momentum * b : b);
  }
}

static inline void momentum_step(ptrdiff_t n, real *w, const real *g, real *buf,
    factors f, int first, int nesterov, const int decays) {
  if (first && nesterov)
    momentum_loop(n, w, g, buf, f, decays, 1, 1);
  else if (first)
    momentum_loop(n, w, g, buf, f, decays, 1, 0);
  else if (nesterov)
    momentum_loop(n, w, g, buf, f, decays, 0, 1);
  else
    momentum_loop(n, w, g, buf, f, decays, 0, 0);
}

void VARIANT(sgd)(ptrdiff_t n, void *w, const void *g, void *buf, const mlplk_sgd *args) {
  if (args->momentum == 0) {
    plain_step(n, w, g, (real)args->lr, (real)args->weight_decay);
    return;
  }
  const factors f = {
      .lr = (real)args->lr,
      .momentum = (real)args->momentum,
      .fresh = (real)(1 - args->dampening),
      .decay = (real)args->weight_decay,
  };
  if (f.decay == 0)
    momentum_step(n, w, g, buf, f, args->first, args->nesterov, 0);
  else
    momentum_step(n, w, g, buf, f, args->first, args->nesterov, 1);
}

typedef struct adam_factors {
  real step, beta1, beta2, fresh1, fresh2, bias2, eps, decay;
} adam_factors;

/* m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2;
   w -= step m / (sqrt v / sqrt(1 - b2^t) + eps).
   AMSGrad (vmax is not NULL) takes the largest v so far instead (Reddi et al., 2018). */
static inline void adam_loop(ptrdiff_t n, real *restrict w, const real *restrict g,
    real *restrict m, real *restrict v, real *restrict vmax, adam_factors f,
    const int decays) {
  for (ptrdiff_t i = 0; i < n; i++) {
    const real d = decays ? g[i] + f.decay * w[i] : g[i];
    const real m1 = f.beta1 * m[i] + f.fresh1 * d;
    const real v1 = f.beta2 * v[i] + f.fresh2 * d * d;
    m[i] = m1;
    v[i] = v1;
    real used = v1;
    if (vmax) {
      used = vmax[i] >= v1 ? vmax[i] : v1; /* a NaN in v1 is taken over */
      vmax[i] = used;
    }
    w[i] -= f.step * m1 / (root(used) * f.bias2 + f.eps);
  }
}

void VARIANT(adam)(ptrdiff_t n, void *w, const void *g, void *m, void *v, void *vmax,
    const mlplk_adam *args) {
  const adam_factors f = {
      .step = (real)args->step_size,
      .beta1 = (real)args->beta1,
      .beta2 = (real)args->beta2,
      .fresh1 = (real)(1 - args->beta1),
      .fresh2 = (real)(1 - args->beta2),
      .bias2 = (real)(1 / args->bias2_sqrt),
      .eps = (real)args->eps,
      .decay = (real)args->weight_decay,
  };
  if (vmax && f.decay == 0)
    adam_loop(n, w, g, m, v, vmax, f, 0);
  else if (vmax)
    adam_loop(n, w, g, m, v, vmax, f, 1);
  else if (f.decay == 0)
    adam_loop(n, w, g, m, v, NULL, f, 0);
  else
    adam_loop(n, w, g, m, v, NULL, f, 1);
}
