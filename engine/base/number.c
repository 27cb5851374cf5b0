#include "base/number.h"

#include <locale.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/*
** The decimal point of strtod and printf follows the thread's locale, which is the
** host's. newlocale returns a static object for "C", so this neither allocates nor fails.
*/
static locale_t enter_c(locale_t *c) {
  *c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  return *c ? uselocale(*c) : (locale_t)0;
}

static void leave_c(locale_t c, locale_t old) {
  if (!c) return;
  uselocale(old);
  freelocale(c);
}

static double read_slowly(const char *p) {
  locale_t c, old = enter_c(&c);
  double value = strtod(p, NULL);
  leave_c(c, old);
  return value;
}

/* Powers of ten that a double holds exactly. */
static const double ten[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* Add the digits at p to *m (modulo 2^64). */
static inline const char *digits(const char *p, uint64_t *m) {
  for (unsigned d; (d = (unsigned)(unsigned char)*p - '0') <= 9; p++) *m = *m * 10 + d;
  return p;
}

/* e[+-]digits at p, if all of it is there. */
static const char *exponent(const char *p, int *e) {
  const char *q = p + 1;
  bool negative = *q == '-';
  if (*q == '-' || *q == '+') q++;
  if (*q < '0' || *q > '9') return p;
  int value = 0;
  for (; *q >= '0' && *q <= '9'; q++)
    if (value < 100000) value = value * 10 + (*q - '0');
  *e += negative ? -value : value;
  return q;
}

/*
** Source: Clinger, How to read floating point numbers accurately (1990): with at most
** 2^53 in the digits and a power of ten that is exact, one multiplication or division
** rounds once, hence correctly.
*/
const char *mlpli_number_read(const char *text, double *value) {
  const char *p = text;
  bool negative = *p == '-';
  if (*p == '-' || *p == '+') p++;
  const char *first = p;
  uint64_t m = 0;
  p = digits(p, &m);
  ptrdiff_t n = p - first;
  int e = 0;
  if (*p == '.') {
    const char *point = p++;
    p = digits(p, &m);
    ptrdiff_t fraction = p - point - 1;
    n += fraction;
    if (n <= 19) e = -(int)fraction;
  }
  if (n == 0) return NULL;
  if (*p == 'e' || *p == 'E') p = exponent(p, &e);
  if (n > 19 || m > UINT64_C(1) << 53 || e < -22 || e > 22) {
    *value = read_slowly(text);
    return p;
  }
  double v = e < 0 ? (double)m / ten[-e] : (double)m * ten[e];
  *value = negative ? -v : v;
  return p;
}

int mlpli_number_write(char *text, double value) {
  int n = 0;
  locale_t c, old = enter_c(&c);
  for (int precision = 15; precision <= 17; precision++) {
    n = snprintf(text, MLPLI_NUMBER_TEXT, "%.*g", precision, value);
    if (strtod(text, NULL) == value) break;
  }
  leave_c(c, old);
  return n;
}
