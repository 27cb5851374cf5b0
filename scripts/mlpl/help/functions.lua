-- Functions of one and two numbers, element by element. Those of reals take whole numbers
-- and truth values as f32.
local broadcast = "shapes that do not broadcast; two numbers instead of a tensor"

return {
  exp = {
    "e^x, element by element.",
    example = "assert(mlpl.tensor { 0 }:exp():item() == 1)",
    source = "Abramowitz, Stegun, Handbook of Mathematical Functions (1964), 4.2",
  },
  log = {
    "The natural logarithm, element by element: -inf at 0, nan below.",
    example = "assert(mlpl.tensor { 1 }:log():item() == 0)",
    source = "Abramowitz, Stegun, Handbook of Mathematical Functions (1964), 4.1",
  },
  sqrt = {
    "The square root, element by element; nan below 0. The gradient at 0 is inf.",
    example = "assert(mlpl.tensor { 9 }:sqrt():item() == 3)",
  },
  sin = {
    "The sine of x in radians.",
    args = { input = "angles in radians" },
    example = "assert(mlpl.tensor { 0 }:sin():item() == 0)",
    source = "Abramowitz, Stegun, Handbook of Mathematical Functions (1964), 4.3",
  },
  cos = {
    "The cosine of x in radians.",
    args = { input = "angles in radians" },
    example = "assert(mlpl.tensor { 0 }:cos():item() == 1)",
    source = "Abramowitz, Stegun, Handbook of Mathematical Functions (1964), 4.3",
  },
  tan = {
    "The tangent of x in radians.",
    args = { input = "angles in radians" },
    example = "assert(mlpl.tensor { 0 }:tan():item() == 0)",
    source = "Abramowitz, Stegun, Handbook of Mathematical Functions (1964), 4.3",
  },
  asin = {
    "The angle in radians, in [-pi/2, pi/2], whose sine is x; nan outside [-1, 1].",
    example = "assert(mlpl.tensor { 0 }:asin():item() == 0)",
    source = "Abramowitz, Stegun, Handbook of Mathematical Functions (1964), 4.4",
  },
  acos = {
    "The angle in radians, in [0, pi], whose cosine is x; nan outside [-1, 1].",
    example = "assert(mlpl.tensor { 1 }:acos():item() == 0)",
    source = "Abramowitz, Stegun, Handbook of Mathematical Functions (1964), 4.4",
  },
  atan = {
    "The angle in radians, in (-pi/2, pi/2), whose tangent is x.",
    example = "assert(mlpl.tensor { 0 }:atan():item() == 0)",
    source = "Abramowitz, Stegun, Handbook of Mathematical Functions (1964), 4.4",
  },
  sinh = {
    "(e^x - e^-x) / 2.",
    example = "assert(mlpl.tensor { 0 }:sinh():item() == 0)",
    source = "Abramowitz, Stegun, Handbook of Mathematical Functions (1964), 4.5",
  },
  cosh = {
    "(e^x + e^-x) / 2.",
    example = "assert(mlpl.tensor { 0 }:cosh():item() == 1)",
    source = "Abramowitz, Stegun, Handbook of Mathematical Functions (1964), 4.5",
  },
  asinh = {
    "The x' with sinh(x') = x.",
    example = "assert(mlpl.tensor { 0 }:asinh():item() == 0)",
    source = "Abramowitz, Stegun, Handbook of Mathematical Functions (1964), 4.6",
  },
  acosh = {
    "The x' >= 0 with cosh(x') = x; nan below 1.",
    example = "assert(mlpl.tensor { 1 }:acosh():item() == 0)",
    source = "Abramowitz, Stegun, Handbook of Mathematical Functions (1964), 4.6",
  },
  atanh = {
    "The x' with tanh(x') = x; infinite at -1 and 1, nan outside.",
    example = "assert(mlpl.tensor { 0 }:atanh():item() == 0)",
    source = "Abramowitz, Stegun, Handbook of Mathematical Functions (1964), 4.6",
  },
  sinc = {
    "sin(pi x) / (pi x), 1 at 0: the normalised form. Its derivatives are right at 0, too.",
    example = "assert(mlpl.tensor { 0 }:sinc():item() == 1)",
  },
  exp2 = {
    "2^x, element by element.",
    example = "assert(mlpl.tensor { 3 }:exp2():item() == 8)",
    source = "Abramowitz, Stegun, Handbook of Mathematical Functions (1964), 4.2",
  },
  expm1 = {
    "e^x - 1, exact for x near 0.",
    example = "assert(math.abs(mlpl.tensor { 1e-6 }:expm1():item() - 1e-6) < 1e-11)",
    source = "Abramowitz, Stegun, Handbook of Mathematical Functions (1964), 4.2",
  },
  log2 = {
    "The logarithm to base 2.",
    example = "assert(mlpl.tensor { 8 }:log2():item() == 3)",
    source = "Abramowitz, Stegun, Handbook of Mathematical Functions (1964), 4.1",
  },
  log10 = {
    "The logarithm to base 10.",
    example = "assert(math.abs(mlpl.tensor { 1000 }:log10():item() - 3) < 1e-6)",
    source = "Abramowitz, Stegun, Handbook of Mathematical Functions (1964), 4.1",
  },
  log1p = {
    "log(1 + x), exact for x near 0.",
    example = "assert(math.abs(mlpl.tensor { 1e-6 }:log1p():item() - 1e-6) < 1e-11)",
    source = "Abramowitz, Stegun, Handbook of Mathematical Functions (1964), 4.1",
  },
  rsqrt = {
    "1 / sqrt(x), element by element; inf at 0.",
    example = "assert(mlpl.tensor { 4 }:rsqrt():item() == 0.5)",
  },
  reciprocal = {
    "1 / x, element by element.",
    example = "assert(mlpl.tensor { 4 }:reciprocal():item() == 0.25)",
  },
  square = {
    "x^2, element by element; of whole numbers and truth values in whole numbers.",
    example = "assert(mlpl.tensor { 3 }:square():item() == 9)",
  },
  erf = {
    "The error function, 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x.",
    example = "assert(mlpl.tensor { 0 }:erf():item() == 0)",
    source = "Abramowitz, Stegun, Handbook of Mathematical Functions (1964), 7.1.1",
  },
  erfc = {
    "1 - erf(x), without cancellation for large x.",
    example = "assert(mlpl.tensor { 0 }:erfc():item() == 1)",
    source = "Abramowitz, Stegun, Handbook of Mathematical Functions (1964), 7.1.2",
  },
  erfinv = {
    "The x' with erf(x') = x; infinite at -1 and 1, nan outside.",
    example = "assert(mlpl.tensor { 0 }:erfinv():item() == 0)",
    source = "Winitzki, A handy approximation for the error function (2008), then Halley's steps",
  },
  lgamma = {
    "log |Gamma(x)|; inf at 0, -1, -2, ... Its gradient is digamma.",
    example = "assert(math.abs(mlpl.tensor { 5 }:lgamma():item() - math.log(24)) < 1e-5)",
    source = "Abramowitz, Stegun, Handbook of Mathematical Functions (1964), 6.1",
  },
  digamma = {
    "The derivative of log Gamma(x).",
    example = "assert(math.abs(mlpl.tensor { 1 }:digamma():item() + 0.5772157) < 1e-5)",
    source = "Abramowitz, Stegun, Handbook of Mathematical Functions (1964), 6.3",
  },
  floor = {
    "The largest whole number <= x. The gradient is 0.",
    example = "assert(mlpl.tensor { -1.5 }:floor():item() == -2)",
  },
  ceil = {
    "The smallest whole number >= x. The gradient is 0.",
    example = "assert(mlpl.tensor { -1.5 }:ceil():item() == -1)",
  },
  round = {
    "The nearest whole number; halves go to the even one. The gradient is 0.",
    args = { decimals = "to so many digits behind the point; negative: before it. By way of x "
      .. "10^decimals, as in PyTorch, so that numbers near a half may go either way; where that "
      .. "overflows x stays what it is" },
    errors = "negative decimals of whole numbers",
    example = "assert(mlpl.tensor { 2.5 }:round():item() == 2)\n"
      .. 'local x = mlpl.tensor({ 2.718, 1234 }, { dtype = "f64" })\n'
      .. "assert(x:round(2)[1]:item() == 2.72 and x:round { decimals = -2 }[2]:item() == 1200)",
  },
  trunc = {
    "x without its fraction, rounded towards 0. The gradient is 0.",
    example = "assert(mlpl.tensor { -1.5 }:trunc():item() == -1)",
  },
  frac = {
    "x - trunc(x), with the sign of x.",
    example = "assert(mlpl.tensor { -1.5 }:frac():item() == -0.5)",
  },
  deg2rad = {
    "x pi / 180: degrees to radians.",
    example = "assert(math.abs(mlpl.tensor { 180 }:deg2rad():item() - math.pi) < 1e-6)",
  },
  rad2deg = {
    "180 x / pi: radians to degrees.",
    example = "assert(math.abs(mlpl.tensor { math.pi }:rad2deg():item() - 180) < 1e-4)",
  },
  polygamma = {
    "The n-th derivative of digamma(x); its gradient is polygamma(n + 1, x). The tensor comes "
      .. "first: x:polygamma(n).",
    args = { n = "the order; 0 is digamma" },
    example = "assert(math.abs(mlpl.tensor { 1 }:polygamma(1):item() - math.pi ^ 2 / 6) < 1e-4)",
    source = "Abramowitz, Stegun, Handbook of Mathematical Functions (1964), 6.4",
  },
  atan2 = {
    "The angle in radians of the point (b, a), in (-pi, pi], element by element: atan(a / b) with the "
      .. "quadrant from both signs.",
    args = { a = "the ordinates, y", b = "the abscissas, x; broadcasts with a" },
    errors = broadcast,
    example = "local y = mlpl.tensor { 1 }:atan2(mlpl.tensor { 0 })\n"
      .. "assert(math.abs(y:item() - math.pi / 2) < 1e-6)",
    source = "Abramowitz, Stegun, Handbook of Mathematical Functions (1964), 4.4",
  },
  hypot = {
    "sqrt(a^2 + b^2), element by element, without overflow in between.",
    errors = broadcast,
    example = "assert(mlpl.tensor { 3 }:hypot(mlpl.tensor { 4 }):item() == 5)",
  },
  logaddexp = {
    "log(e^a + e^b), element by element, without overflow in between.",
    errors = broadcast,
    example = "local y = mlpl.zeros(1):logaddexp(mlpl.zeros(1))\n"
      .. "assert(math.abs(y:item() - math.log(2)) < 1e-6)",
    source = "Blanchard, Higham, Higham, Accurately computing the log-sum-exp and softmax "
      .. "functions (2021)",
  },
  logaddexp2 = {
    "log2(2^a + 2^b), without overflow.", errors = broadcast,
    example = "assert(math.abs(mlpl.tensor { 3 }:logaddexp2(3):item() - 4) < 1e-6)",
    source = "Blanchard, Higham, Higham, Accurately computing the log-sum-exp and softmax "
      .. "functions (2021)",
  },
  float_power = {
    "a to the power b in f64, whatever the dtypes; float_power_ converts to a's, which has to "
      .. "be real.", errors = broadcast,
    example = "assert(mlpl.tensor({ 2 }, { dtype = 'i64' }):float_power(-1):item() == 0.5)",
  },
  ldexp = {
    "a 2^b, also where 2^b alone is too large or too small.", errors = broadcast,
    example = "assert(mlpl.tensor { 3 }:ldexp(2):item() == 12)",
  },
  logit = {
    "log(x / (1 - x)), the inverse of sigmoid; infinite at 0 and 1, nan outside.",
    args = { eps = "x is kept between eps and 1 - eps first; -1: it is not" },
    example = "assert(mlpl.tensor { 0.5 }:logit():item() == 0)",
  },
  xlogy = {
    "a log(b), element by element; 0 where a is 0, unless b is nan.",
    errors = broadcast,
    example = "assert(mlpl.zeros(1):xlogy(mlpl.zeros(1)):item() == 0)",
  },
  heaviside = {
    "0 for x < 0, 1 for x > 0 and `values` for x = 0, element by element; dtypes promote.",
    args = { values = "what stands for 0; broadcasts with input" },
    errors = broadcast,
    example = "local y = mlpl.tensor { -1, 0, 2 }:heaviside(0.5)\nassert(y[2]:item() == 0.5)",
  },
  copysign = {
    "|a| with the sign of b, element by element; the sign of -0 counts. The gradient of b is 0.",
    errors = broadcast,
    example = "assert(mlpl.tensor { 3 }:copysign(-1):item() == -3)",
  },
  fmax = {
    "The larger of a and b, element by element; of a number and nan the number.",
    errors = broadcast,
    example = "assert(mlpl.tensor { 0 / 0 }:fmax(mlpl.tensor { 1 }):item() == 1)",
  },
  fmin = {
    "The smaller of a and b, element by element; of a number and nan the number.",
    errors = broadcast,
    example = "assert(mlpl.tensor { 2, 0 / 0 }:fmin(1)[2]:item() == 1)",
  },
  nan_to_num = {
    "x with nan and the infinities replaced by numbers; the gradient there is 0. Whole numbers "
      .. "and truth values have none of them.",
    args = { nan = "instead of nan", posinf = "instead of inf; the dtype's largest by default",
      neginf = "instead of -inf; the dtype's smallest by default" },
    example = "local y = mlpl.tensor { 0 / 0, 1 }:nan_to_num(7)\nassert(y[1]:item() == 7)",
  },
}
