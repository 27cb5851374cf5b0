/* Which table this processor runs. */
#include <string.h>

#include "kern/kern.h"

extern const mlplk_table mlplk_table_f32_base, mlplk_table_f64_base;
#if defined __x86_64__
extern const mlplk_table mlplk_table_f32_avx2, mlplk_table_f64_avx2;
extern const mlplk_table mlplk_table_f32_avx512, mlplk_table_f64_avx512;
#endif

/* __builtin_cpu_supports also asks whether the operating system saves the registers. */
static int runs_avx2(void) {
#if defined __x86_64__
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return 0;
#endif
}

static int runs_avx512(void) {
#if defined __x86_64__
  return runs_avx2() && __builtin_cpu_supports("avx512f") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl");
#else
  return 0;
#endif
}

typedef struct {
  const char *isa;
  int (*runs)(void);
  const mlplk_table *f32, *f64;
} candidate;

static int runs_always(void) { return 1; }

static const candidate candidates[] = {
    /* the best first */
#if defined __x86_64__
    {"avx512", runs_avx512, &mlplk_table_f32_avx512, &mlplk_table_f64_avx512},
    {"avx2", runs_avx2, &mlplk_table_f32_avx2, &mlplk_table_f64_avx2},
#else
    {"avx512", runs_avx512, NULL, NULL},
    {"avx2", runs_avx2, NULL, NULL},
#endif
    {"base", runs_always, &mlplk_table_f32_base, &mlplk_table_f64_base},
};

const mlplk_table *mlplk_select(size_t real_bytes, const char *isa) {
  for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
    const candidate *one = &candidates[i];
    if ((!isa || !strcmp(isa, one->isa)) && one->runs())
      return real_bytes == 4 ? one->f32 : real_bytes == 8 ? one->f64 : NULL;
  }
  return NULL;
}
