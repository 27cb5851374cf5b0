-- Arithmetic, comparisons and logic, element by element.
local broadcast = "shapes that do not broadcast; two numbers instead of a tensor"
local both = { a = "any shape; a number stands for a tensor", b = "likewise; broadcasts with a" }
local scaled = { a = both.a, b = both.b, alpha = "a factor" }

return {
  add = {
    "a + alpha b, element by element; also a + b. Shapes broadcast, dtypes promote.",
    args = scaled, errors = broadcast .. "; an alpha with a fraction for whole numbers",
    example = "local y = mlpl.ones(2, 3) + mlpl.tensor { 1, 2, 3 }\nassert(y[1][3]:item() == 4)\n"
      .. "assert(y:add(y, { alpha = 2 })[1][3]:item() == 12)",
  },
  sub = {
    "a - alpha b, element by element; also a - b. Shapes broadcast, dtypes promote.",
    args = scaled, errors = broadcast .. "; an alpha with a fraction for whole numbers",
    example = "local y = 1 - mlpl.tensor { 1, 2, 3 }\nassert(y[3]:item() == -2)",
  },
  rsub = {
    "b - alpha a: sub with its operands exchanged, and alpha for a.",
    args = scaled, errors = broadcast .. "; an alpha with a fraction for whole numbers",
    example = "assert(mlpl.tensor { 1 }:rsub(5):item() == 4)",
  },
  mul = {
    "a b, element by element; also a * b. The product of matrices is matmul.",
    args = both, errors = broadcast,
    example = "local y = mlpl.tensor { 1, 2 } * mlpl.tensor { 3, 4 }\nassert(y[2]:item() == 8)",
  },
  div = {
    "a / b, element by element; also a / b. Whole numbers are divided as f32; a division by 0 "
      .. "gives inf or nan.",
    args = { a = both.a, b = both.b, rounding_mode = '"trunc" rounds the quotient towards 0, '
      .. '"floor" towards minus infinity as // does; whole numbers stay whole then, and the '
      .. "gradient is 0" },
    errors = broadcast .. "; a whole number divided by 0 with a rounding_mode",
    example = "local y = mlpl.tensor({ -7 }, { dtype = 'i64' })\nassert((y / 2):item() == -3.5)\n"
      .. 'assert(y:div(2, { rounding_mode = "floor" }):item() == -4)\n'
      .. 'assert(y:div(2, { rounding_mode = "trunc" }):item() == -3)',
  },
  pow = {
    "a to the power b, element by element; also a ^ b. Differentiable in both; the gradient of b "
      .. "is a^b log(a), so it is nan where a < 0; where a is 0 it is 0, for negative b -inf.",
    args = both, errors = broadcast .. "; a negative exponent for whole numbers",
    example = "local y = mlpl.tensor { 1, 2, 3 } ^ 2\nassert(y[3]:item() == 9)",
  },
  floor_divide = {
    "floor(a / b), element by element; also a // b. It rounds towards minus infinity. "
      .. "The gradient is 0.",
    args = both, errors = broadcast .. "; a whole number divided by 0",
    example = "local y = mlpl.tensor { 7, -7 } // 2\nassert(y[2]:item() == -4)",
  },
  remainder = {
    "a - b floor(a / b), element by element; also a % b. It has the sign of b, as in Lua.",
    args = both, errors = broadcast .. "; a whole number divided by 0",
    example = "assert((mlpl.tensor { -7 } % 3):item() == 2)",
  },
  fmod = {
    "a - b trunc(a / b), element by element. It has the sign of a, as C's fmod.",
    args = both, errors = broadcast .. "; a whole number divided by 0",
    example = "assert(mlpl.tensor { -7 }:fmod(3):item() == -1)",
  },
  gcd = {
    "The greatest common divisor of whole numbers, element by element; never negative.",
    args = both, errors = broadcast .. "; f32, f64 or bool",
    example = "assert(mlpl.tensor({ 12 }, { dtype = 'i64' }):gcd(18):item() == 6)",
  },
  lcm = {
    "The least common multiple of whole numbers, element by element; never negative.",
    args = both, errors = broadcast .. "; f32, f64 or bool",
    example = "assert(mlpl.tensor({ 4 }, { dtype = 'i64' }):lcm(6):item() == 12)",
  },
  maximum = {
    "The larger of a and b, element by element; nan where one of them is nan. "
      .. "Where they are equal, each gets half of the gradient.",
    args = both, errors = broadcast,
    example = "local y = mlpl.tensor { 1, 5 }:maximum(3)\nassert(y[1]:item() == 3)",
  },
  minimum = {
    "The smaller of a and b, element by element; nan where one of them is nan. "
      .. "Where they are equal, each gets half of the gradient.",
    args = both, errors = broadcast,
    example = "local y = mlpl.tensor { 1, 5 }:minimum(3)\nassert(y[2]:item() == 3)",
  },
  neg = {
    "-x, element by element; also -x.",
    example = "assert((-mlpl.tensor { 2 }):item() == -2)",
  },
  abs = {
    "The absolute value, element by element. The gradient at 0 is 0.",
    example = "assert(mlpl.tensor { -3 }:abs():item() == 3)",
  },
  sign = {
    "-1, 0 or 1, element by element; of truth values themselves. The gradient is 0.",
    example = "local y = mlpl.tensor { -3, 0, 2 }:sign()\nassert(y[1]:item() == -1)",
  },
  eq = {
    "Where a equals b, as a bool tensor. The operator == compares identities instead.",
    args = both, errors = broadcast,
    example = "local y = mlpl.tensor { 1, 2 }:eq(2)\nassert(y.dtype == 'bool' and y[2]:item())",
  },
  ne = {
    "Where a differs from b, as a bool tensor; true where either is nan.",
    args = both, errors = broadcast,
    example = "local y = mlpl.tensor { 1, 2 }:ne(2)\nassert(y[1]:item() and not y[2]:item())",
  },
  lt = {
    "Where a < b, as a bool tensor; false where either is nan. The operator < raises.",
    args = both, errors = broadcast,
    example = "assert(mlpl.tensor { 1, 2 }:lt(2):sum():item() == 1)",
  },
  le = {
    "Where a <= b, as a bool tensor; false where either is nan.",
    args = both, errors = broadcast,
    example = "assert(mlpl.tensor { 1, 2 }:le(2):all():item())",
  },
  gt = {
    "Where a > b, as a bool tensor; false where either is nan.",
    args = both, errors = broadcast,
    example = "assert(mlpl.tensor { 1, 2 }:gt(1)[2]:item())",
  },
  ge = {
    "Where a >= b, as a bool tensor; false where either is nan.",
    args = both, errors = broadcast,
    example = "assert(mlpl.tensor { 1, 2 }:ge(1):all():item())",
  },
  isnan = {
    "Where x is not a number, as a bool tensor. Every tensor is true to if, and, or and not: take "
      .. ":any():item(), or & | ~ for elements.",
    example = "assert(mlpl.tensor { 0 / 0, 1 }:isnan()[1]:item())",
  },
  isinf = {
    "Where x is infinite, of either sign, as a bool tensor.",
    example = "assert(mlpl.tensor { -math.huge, 1 }:isinf()[1]:item())",
  },
  isfinite = {
    "Where x is neither infinite nor nan, as a bool tensor.",
    example = "assert(not mlpl.tensor { math.huge, 1 }:isfinite()[1]:item())",
  },
  isclose = {
    "Where |a - b| <= atol + rtol |b|, as a bool tensor. Infinities are close to themselves.",
    args = { a = "any shape", b = "broadcasts with a", rtol = "relative to |b|",
      atol = "absolute", equal_nan = "whether nan is close to nan" },
    errors = broadcast,
    example = "assert(mlpl.ones(2):isclose(mlpl.full({ 2 }, 1 + 1e-6)):all():item())",
  },
  isposinf = {
    "Where x is inf, as a bool tensor.",
    example = "assert(not mlpl.tensor { -math.huge }:isposinf():item())",
  },
  isneginf = {
    "Where x is -inf, as a bool tensor.",
    example = "assert(mlpl.tensor { -math.huge }:isneginf():item())",
  },
  signbit = {
    "Where x has a minus sign, as a bool tensor; true of -0, too.",
    example = "assert(mlpl.tensor { -0.0 }:signbit():item())",
  },
  isin = {
    "Where an element is among test_elements, as a bool tensor; nan is among none.",
    args = { invert = "where it is not" },
    example = "local y = mlpl.tensor { 1, 2, 3 }:isin(mlpl.tensor { 3, 1 })\n"
      .. "assert(y[1]:item() and not y[2]:item())",
  },
  logical_and = {
    "Where a and b both differ from 0, as a bool tensor.",
    args = both, errors = broadcast,
    example = "assert(not mlpl.tensor { 1 }:logical_and(mlpl.tensor { 0 }):item())",
  },
  logical_or = {
    "Where a or b differs from 0, as a bool tensor.",
    args = both, errors = broadcast,
    example = "assert(mlpl.tensor { 1 }:logical_or(mlpl.tensor { 0 }):item())",
  },
  logical_xor = {
    "Where exactly one of a and b differs from 0, as a bool tensor.",
    args = both, errors = broadcast,
    example = "assert(not mlpl.tensor { 1 }:logical_xor(mlpl.tensor { 2 }):item())",
  },
  logical_not = {
    "Where x is 0, as a bool tensor.",
    example = "assert(mlpl.tensor { 0, 1 }:logical_not()[1]:item())",
  },
  bitwise_and = {
    "The bits that a and b both have; also a & b. Of bool, the logical and.",
    args = { a = "i64, u8 or bool", b = "likewise; broadcasts with a" },
    errors = "f32 or f64; " .. broadcast,
    example = "local x = mlpl.tensor({ 6 }, { dtype = 'i64' })\nassert((x & 3):item() == 2)",
  },
  bitwise_or = {
    "The bits that a or b has; also a | b. Of bool, the logical or.",
    args = { a = "i64, u8 or bool", b = "likewise; broadcasts with a" },
    errors = "f32 or f64; " .. broadcast,
    example = "local x = mlpl.tensor({ 6 }, { dtype = 'i64' })\nassert((x | 3):item() == 7)",
  },
  bitwise_xor = {
    "The bits that exactly one of a and b has; also a ~ b.",
    args = { a = "i64, u8 or bool", b = "likewise; broadcasts with a" },
    errors = "f32 or f64; " .. broadcast,
    example = "local x = mlpl.tensor({ 6 }, { dtype = 'i64' })\nassert((x ~ 3):item() == 5)",
  },
  bitwise_left_shift = {
    "The bits of a moved up by b places, a << b: a times 2^b, without the bits that leave. By a "
      .. "negative number, or as many places as there are, 0.",
    args = { a = "i64 or u8", b = "likewise; broadcasts with a" },
    errors = "f32, f64 or bool; " .. broadcast,
    example = "local x = mlpl.tensor({ 1, 3 }, { dtype = 'i64' })\n"
      .. "assert((x << 2)[2]:item() == 12)",
  },
  bitwise_right_shift = {
    "The bits of a moved down by b places, a >> b: a over 2^b, rounded down. By a negative "
      .. "number, or as many places as there are, 0, or -1 of a negative number.",
    args = { a = "i64 or u8", b = "likewise; broadcasts with a" },
    errors = "f32, f64 or bool; " .. broadcast,
    example = "local x = mlpl.tensor({ 12, -1 }, { dtype = 'i64' })\n"
      .. "assert((x >> 2)[1]:item() == 3)",
  },
  bitwise_not = {
    "Every bit turned; also ~x. Of i64 -x - 1, of u8 255 - x, of bool the logical not.",
    args = { input = "i64, u8 or bool" },
    errors = "f32 or f64",
    example = "assert((~mlpl.tensor({ 1 }, { dtype = 'i64' })):item() == -2)",
  },
  clamp = {
    "x kept between min and max, numbers or tensors, of which one may be left out; where they "
      .. "cross, max counts. dtypes promote: a number makes numbers of truth values, 0.5 reals of "
      .. "whole numbers. The gradient goes to what was chosen.",
    args = { min = "the least result", max = "the largest result" },
    errors = "no bound given; " .. broadcast,
    example = "local y = mlpl.tensor { -1, 0.5, 2 }:clamp { min = 0 }\nassert(y[1]:item() == 0)\n"
      .. "assert(y:clamp(nil, mlpl.tensor { 1, 0, 1 })[2]:item() == 0)",
  },
  clamp_min = {
    "x, but min where it is below: clamp with one bound.",
    args = { min = "broadcasts with x" }, errors = broadcast,
    example = "assert(mlpl.tensor { -1, 2 }:clamp_min(0)[1]:item() == 0)",
  },
  clamp_max = {
    "x, but max where it is above: clamp with one bound.",
    args = { max = "broadcasts with x" }, errors = broadcast,
    example = "assert(mlpl.tensor { -1, 2 }:clamp_max(0)[2]:item() == 0)",
  },
  lerp = {
    "input + weight (end - input), element by element: linear interpolation. "
      .. "Differentiable in all three. dtypes promote, whole numbers to f32.",
    args = { ["end"] = "broadcasts with input", weight = "a tensor or a number; may leave [0, 1]" },
    errors = "shapes that do not broadcast",
    example = "local y = mlpl.tensor { 1 }:lerp(mlpl.tensor { 3 }, 0.5)\nassert(y:item() == 2)",
  },
  addcmul = {
    "input + value tensor1 tensor2, element by element; shapes broadcast, dtypes promote.",
    args = { value = "a number that scales the product; a whole one beside whole numbers" },
    errors = "shapes that do not broadcast; a value that is not whole beside whole numbers",
    example = "local y = mlpl.ones(1):addcmul(mlpl.tensor { 2 }, mlpl.tensor { 3 }, 10)\n"
      .. "assert(y:item() == 61)",
  },
  addcdiv = {
    "input + value tensor1 / tensor2, element by element; shapes broadcast, dtypes promote, "
      .. "whole numbers to f32, as in a quotient.",
    args = { value = "a number that scales the quotient" },
    errors = "shapes that do not broadcast",
    example = "local y = mlpl.ones(1):addcdiv(mlpl.tensor { 6 }, mlpl.tensor { 3 }, 10)\n"
      .. "assert(y:item() == 21)",
  },
  where = {
    "a where the condition holds, else b, element by element. A gradient goes only to the side "
      .. "that was taken.",
    args = { condition = "bool; all three broadcast", a = "a tensor or a number",
      b = "a tensor or a number" },
    errors = "a condition that is not bool; shapes that do not broadcast",
    example = "local x = mlpl.tensor { 1, -1 }\n"
      .. "assert(mlpl.where(x:gt(0), x, 0)[2]:item() == 0)",
  },
  masked_fill = {
    "value where the mask holds, else the input.",
    args = { mask = "bool; broadcasts with input",
      value = "a number, or a tensor without axes, which has a gradient then" },
    errors = "a mask that is not bool or does not broadcast; a value that the input's dtype "
      .. "cannot hold",
    example = "local x = mlpl.tensor { 1, -1 }\n"
      .. "assert(x:masked_fill(x:lt(0), 7)[2]:item() == 7)\n"
      .. "assert(x:masked_fill(x:lt(0), x:max())[2]:item() == 1)",
  },
}
