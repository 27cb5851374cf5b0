/* The parallel-for of one worker: the calling thread. */
#include "kern/kern.h"

static void run(const mlplk_par *par, ptrdiff_t n, mlplk_task *task, void *arg) {
  (void)par;
  for (ptrdiff_t i = 0; i < n; i++) task(arg, i, 0);
}

const mlplk_par mlplk_serial = {run, 1, NULL};
