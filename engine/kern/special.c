/* Functions that are rarely wanted for many elements, one at a time in double. */
#define _DEFAULT_SOURCE /* lgamma_r */
#include <math.h>

#include "kern/kern.h"

#define PI 3.14159265358979323846

/*
** Halley's steps from an approximation of two digits: y -= d / (1 + y d) with d = (erf y
** - x) / erf'(y). Near 1, where erf has no digits left, erfc is compared with 1 - x, which
** is exact. Source of the approximation: Winitzki, A handy approximation for the error
** function and its inverse (2008).
*/
double mlplk_erfinv(double x) {
  const double size = fabs(x), a = 0.147;
  if (!(size < 1)) return size == 1 ? copysign((double)INFINITY, x) : (double)NAN;
  const double l = log1p(-size * size), t = 2 / (PI * a) + l / 2;
  double y = sqrt(fmax(sqrt(t * t - l / a) - t, 0));
  for (int i = 0; i < 3; i++) {
    const double error = size < 0.5 ? erf(y) - size : (1 - size) - erfc(y);
    const double d = error * (sqrt(PI) / 2) * exp(y * y);
    y -= d / (1 + y * d);
  }
  return copysign(y, x);
}

double mlplk_lgamma(double x) {
  int sign;
  return lgamma_r(x, &sign);
}

/* B(2k) / (2k)!, k = 1, 2, ... */
static const double bernoulli[] = {1.0 / 12, -1.0 / 720, 1.0 / 30240, -1.0 / 1209600,
    1.0 / 47900160, -691.0 / 1307674368000, 1.0 / 74724249600,
    -3617.0 / 10670622842880000};

/* Sum over k >= 0 of (x + k)^-s, s > 1, x > 0: terms as they are up to a place from which
   the Euler-Maclaurin formula holds to the last digit. */
static double hurwitz(double s, double x) {
  double sum = 0;
  while (x < 10 + s) sum += pow(x++, -s);
  const double first = pow(x, -s);
  double factor = s / x;
  sum += first * (x / (s - 1) + 0.5);
  for (int k = 0; k < (int)(sizeof bernoulli / sizeof *bernoulli); k++) {
    sum += first * bernoulli[k] * factor;
    factor *= (s + 2 * k + 1) * (s + 2 * k + 2) / (x * x);
  }
  return sum;
}

/* psi(x), x > 0: log x - 1 / 2x - sum of B(2k) / (2k x^2k), from 10 on. */
static double digamma(double x) {
  double sum = 0, factor = 1;
  for (; x < 10; x++) sum -= 1 / x;
  sum += log(x) - 0.5 / x;
  for (int k = 0; k < (int)(sizeof bernoulli / sizeof *bernoulli); k++) {
    factor /= x * x; /* (2k - 1)! / x^2k */
    sum -= bernoulli[k] * factor;
    factor *= (2 * k + 2) * (2 * k + 3);
  }
  return sum;
}

/* Derivative n of cot(pi x): with c = cot, c' = -pi (1 + c^2), a polynomial in c. */
static double cotangent(int n, double x) {
  double p[MLPLK_MOST_POLYGAMMA + 3] = {0, 1}, q[MLPLK_MOST_POLYGAMMA + 3], sum = 0;
  const double c = 1 / tan(PI * (x - nearbyint(x)));
  for (int i = 0; i < n; i++) {
    for (int k = 0; k <= i + 2; k++)
      q[k] = -PI * ((k + 1) * p[k + 1] + (k > 0 ? (k - 1) * p[k - 1] : 0));
    for (int k = 0; k <= i + 2; k++) p[k] = q[k];
  }
  for (int k = n + 1; k >= 0; k--) sum = sum * c + p[k];
  return sum;
}

/* psi_n(x) = (-1)^(n + 1) n! zeta(n + 1, x) for x > 0, n > 0, and by reflection below
   0: psi_n(x) = (-1)^n psi_n(1 - x) - pi cot^(n)(pi x). */
double mlplk_polygamma(int n, double x) {
  const double sign = n % 2 ? -1 : 1; /* (-1)^n */
  if (isnan(x) || x == -(double)INFINITY) return (double)NAN;
  if (x == 0) return -sign * pow(x, -n - 1) * (double)INFINITY;
  if (x < 0 && x == floor(x)) return n % 2 ? (double)INFINITY : (double)NAN;
  if (x < 0) return sign * mlplk_polygamma(n, 1 - x) - PI * cotangent(n, x);
  if (isinf(x)) return n ? 0 : x;
  return n ? -sign * tgamma(n + 1) * hurwitz(n + 1, x) : digamma(x);
}

/* Derivative n of sin z at z = pi x. */
static double turned_sine(int n, double x) {
  const double z = PI * remainder(x, 2);
  switch (n % 4) {
    case 0: return sin(z);
    case 1: return cos(z);
    case 2: return -sin(z);
    default: return -cos(z);
  }
}

/*
** S_n, derivative n of sin(z) / z, from z S_n + n S_(n - 1) = derivative n of sin z: upwards
** where z is large, downwards where it is not, from a place so high that 0 is as good as
** any beginning. Each direction makes errors smaller where it is used.
*/
double mlplk_sinc_slope(int n, double x) {
  const double z = PI * x;
  double s = 0;
  if (isnan(x) || isinf(x)) return (double)NAN;
  if (fabs(z) > n + 1) {
    s = turned_sine(0, x) / z;
    for (int k = 1; k <= n; k++) s = (turned_sine(k, x) - k * s) / z;
  }
  else
    for (int k = 2 * n + 60; k > n; k--) s = (turned_sine(k, x) - z * s) / k;
  return pow(PI, n) * s + 0.0; /* never -0 */
}
