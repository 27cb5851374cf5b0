-- Element-wise functions, choices and activations as scripts call them: arguments by
-- position and name, numbers for tensors, gradients, messages.

local lu = require "luaunit"
local mlpl = require "mlpl"
local expect = require "expect"

local nn = mlpl.nn
local values, fails = expect.values, expect.fails
local tensor, inf, nan = mlpl.tensor, math.huge, 0 / 0

local function f64(v) return tensor(v, { dtype = "f64" }) end

-- The gradient of the sum of f(x).
local function slope(f, v)
  local x = f64(v):requires_grad_()
  f(x):sum():backward()
  return x.grad
end

TestFunctions = {}

function TestFunctions:test_functions_of_one_number()
  local pi = math.pi
  values(f64({ 0, pi / 6, 1e22 }):sin(), { 0, 0.5, math.sin(1e22) }, 1e-15)
  values(f64({ 0, pi, 1e6 }):cos(), { 1, -1, math.cos(1e6) }, 1e-15)
  values(f64({ pi / 4, -1.5 }):tan(), { 1, math.tan(-1.5) }, 1e-15)
  values(f64({ -1, 0.5 }):asin(), { -pi / 2, pi / 6 }, 1e-15)
  values(f64({ -1, 0.5 }):acos(), { pi, pi / 3 }, 1e-15)
  values(f64({ 1, -inf }):atan(), { pi / 4, -pi / 2 }, 1e-15)
  values(f64({ 1, -1 }):sinh(), { 1.1752011936438014, -1.1752011936438014 }, 1e-15)
  values(f64({ 1 }):cosh(), { 1.5430806348152437 }, 1e-15)
  values(f64({ 1, 1e-20 }):asinh(), { 0.881373587019543, 1e-20 }, 1e-15)
  values(f64({ 2, 0.5 }):acosh(), { 1.3169578969248166, nan }, 1e-15)
  values(f64({ 0.5 }):atanh(), { 0.5493061443340549 }, 1e-15)
  values(f64({ 1, -1, 2 }):atanh(), { inf, -inf, nan })
  values(f64({ 10, -1 }):exp2(), { 1024, 0.5 })
  values(f64({ 1e-10 }):expm1(), { 1.00000000005e-10 }, 1e-25)
  values(f64({ 1e-10 }):log1p(), { 9.9999999995e-11 }, 1e-25)
  values(f64({ -1, -2 }):log1p(), { -inf, nan })
  values(f64({ 8, 1024 }):log2(), { 3, 10 })
  values(f64({ 1000, 0.1 }):log10(), { 3, -1 })
  values(f64({ 4, 0 }):rsqrt(), { 0.5, inf })
  values(f64({ 4, -2 }):reciprocal(), { 0.25, -0.5 })
  values(f64({ 3, -2 }):square(), { 9, 4 })
  values(f64({ 0.5, 7 }):erf(), { 0.5204998778130465, 1 }, 1e-15)
  values(f64({ 0.5, 10 }):erfc(), { 0.4795001221869535, 2.088487583762545e-45 }, 1e-15)
  values(f64({ 0.5 }):erfinv(), { 0.4769362762044699 }, 1e-15)
  values(f64({ 1, -1, 2 }):erfinv(), { inf, -inf, nan })
  values(f64({ 5, 0.5 }):lgamma(), { math.log(24), 0.5723649429247001 }, 1e-15)
  values(f64({ 1 }):digamma(), { -0.5772156649015329 }, 1e-15)
  values(f64({ 1 }):polygamma(1), { pi ^ 2 / 6 }, 1e-15)
  values(f64({ 0, 0.5, 1 }):sinc(), { 1, 2 / pi, 0 }, 1e-15)
  values(tensor({ 180, -90 }):deg2rad(), { pi, -pi / 2 }, 1e-6)
  values(f64({ pi }):rad2deg(), { 180 }, 1e-15)
end

function TestFunctions:test_rounding()
  local x = tensor { -2.5, -0.5, 0.5, 1.5, 2.7, inf, nan }
  values(x:floor(), { -3, -1, 0, 1, 2, inf, nan })
  values(x:ceil(), { -2, 0, 1, 2, 3, inf, nan })
  values(x:round(), { -2, 0, 0, 2, 3, inf, nan })
  values(x:trunc(), { -2, 0, 0, 1, 2, inf, nan })
  values(tensor({ -2.5, 1.25 }):frac(), { -0.5, 0.25 })
  local y = f64 { 1.235, -1.255, 1250, -0.001, inf, nan }
  values(y:round { decimals = 2 }, { 1.24, -1.25, 1250, 0, inf, nan })
  local large = mlpl.tensor({ 1e300, -1e308, inf, -inf, 0.5, nan }, { dtype = "f64" })
  for _, decimals in ipairs { 20, 300, 400 } do
    values(large:narrow(1, 1, 5):round { decimals = decimals }, { 1e300, -1e308, inf, -inf, 0.5 })
  end
  values(large:narrow(1, 1, 4):round_ { decimals = 10 }, { 1e300, -1e308, inf, -inf })
  values(mlpl.tensor { 3e38, 1.25 }:round { decimals = 1 }, mlpl.tensor { 3e38, 1.2 }:totable())
  values(y:round(-2), { 0, 0, 1200, 0, inf, nan })
  values(y:narrow(1, 1, 2):round(300), { 1.235, -1.255 })
  values(x:round(39), { -2.5, -0.5, 0.5, 1.5, tensor(2.7):item(), inf, nan })
  values(tensor({ 5 }):round(-39), { 0 })
  values(y:clone():round_(1):narrow(1, 1, 2), { 1.2, -1.3 })
  local whole = tensor({ 125 }, { dtype = "i64" })
  values(whole:round(1), { 125 })
  fails("round: decimals is -1; whole numbers (i64) are rounded behind the point only (f32 " ..
    "and f64 before it, too)", whole.round, whole, -1)
  values(slope(function(v) return v:round() end, { 0.3, 0.5 }), { 0, 0 })
  values(slope(function(v) return v:frac() end, { 0.3, 1.5 }), { 1, 1 })
end

function TestFunctions:test_division_that_rounds()
  local a, b = tensor { 7, -7, 0, 5, inf }, tensor { 2, 2, 0, -0.3, 2 }
  values(a:div(b, { rounding_mode = "floor" }), { 3, -4, nan, -17, nan })
  values(a:div(b, "trunc"), { 3, -3, nan, -16, inf })
  values(a:div(2, { rounding_mode = nil }), { 3.5, -3.5, 0, 2.5, inf })
  local function i64(v) return tensor(v, { dtype = "i64" }) end
  local w = i64 { 7, -7, math.mininteger }
  lu.assertEquals(w:div(2, "trunc").dtype, "i64")
  values(w:div(2, "trunc"), { 3, -3, math.mininteger // 2 })
  values(w:div(-1, "trunc"), { -7, 7, math.mininteger })
  values(w:div(2.5, "floor"):narrow(1, 1, 2), { 2, -3 })
  values(w:clone():div_(2, "floor"), { 3, -4, math.mininteger // 2 })
  values(a:clone():div_(b, "trunc"), { 3, -3, nan, -16, inf })
  local out = mlpl.zeros(5)
  values(a:div(b, { rounding_mode = "floor", out = out }), { 3, -4, nan, -17, nan })
  values(slope(function(v) return v:div(2, "floor") end, { 7 }), { 0 })
  values(slope(function(v) return f64({ 7 }):div(v, "trunc") end, { 2 }), { 0 })
  fails("div: b has a 0; whole numbers (i64) cannot be divided by it (f32 and f64 can)",
    w.div, w, 0, "trunc")
  fails("div_: b has a 0; whole numbers (i64) cannot be divided by it (f32 and f64 can)",
    w.div_, w, 0, "floor")
  fails("div: rounding_mode is 'down'; it must be one of none, trunc, floor", a.div, a, 2,
    { rounding_mode = "down" })
end

function TestFunctions:test_signs_have_gradients_of_0()
  values(slope(function(v) return v:sign() end, { -2, 0, 3 }), { 0, 0, 0 })
  values(slope(function(v) return (v * 1):sign_() end, { -2, 0, 3 }), { 0, 0, 0 })
  values(slope(function(v) return f64({ 1, -2, 3 }):copysign(v) end, { -2, 0, 3 }), { 0, 0, 0 })
  values(slope(function(v) return v:copysign(-v) end, { -2, 0, 3 }), { -1, 0, -1 })
  values(slope(function(v) return f64({ { 1 }, { 2 } }):copysign(v) end, { 1, 2 }), { 0, 0 })
end

function TestFunctions:test_the_gradient_of_fmax_and_fmin_is_shared_where_both_are_equal()
  local first, second = { 1, 1, 2, nan, 1, nan }, { 1, 2, 1, 1, nan, nan }
  for name, to_first in pairs { fmax = { 0.5, 0, 1, 0, 1, 1 }, fmin = { 0.5, 1, 0, 0, 1, 1 } } do
    local to_second = {}
    for i, v in ipairs(to_first) do to_second[i] = 1 - v end
    values(slope(function(a) return a[name](a, f64(second)) end, first), to_first)
    values(slope(function(b) return mlpl[name](f64(first), b) end, second), to_second)
  end
end

function TestFunctions:test_max_and_min_of_two()
  local a, b = tensor { 1, 5, nan }, tensor { { 2 }, { 3 } }
  values(mlpl.max(a, b), { { 2, 5, nan }, { 3, 5, nan } })
  values(a:min(b), { { 1, 2, nan }, { 1, 3, nan } })
  values(mlpl.max(tensor { 1, 2 }, 1), 2)
end

function TestFunctions:test_functions_of_two_take_numbers_on_either_side()
  local x = f64 { 3, -3 }
  values(x:atan2(-3), { math.pi * 3 / 4, -math.pi * 3 / 4 }, 1e-15)
  values(x:hypot(4), { 5, 5 })
  values(x.hypot(4, x), { 5, 5 })
  values(x:logaddexp(x), { 3 + math.log(2), -3 + math.log(2) }, 1e-15)
  values(f64({ 0, 2 }):xlogy(f64 { 0, 1 }), { 0, 0 })
  values(tensor({ -1, 0, 2, nan }):heaviside(0.5), { 0, 0.5, 1, nan })
  values(x:copysign(-1), { -3, -3 })
  lu.assertEquals(tensor({ 1 }):atan2(1).dtype, "f32")
end

TestChoices = {}

function TestChoices:test_where_takes_tensors_and_numbers()
  local c = tensor { true, false, true }
  values(mlpl.where(c, tensor { 1, 2, 3 }, tensor { 4, 5, 6 }), { 1, 5, 3 })
  values(mlpl.where(c, f64 { 1, 2, 3 }, 0), { 1, 0, 3 })
  values(mlpl.where(c, -1, f64 { 1, 2, 3 }), { -1, 2, -1 })
  values(c:where(1, 0), { 1, 0, 1 })
  lu.assertEquals(mlpl.where(c, 1, 0).dtype, "f32")
  lu.assertEquals(mlpl.where(c, 1, f64 { 1, 2, 3 }).dtype, "f64")
  local whole = tensor({ 1, 2, 3 }, { dtype = "i64" })
  lu.assertEquals(mlpl.where(c, whole, 0).dtype, "i64")
  values(mlpl.where(c, whole, whole), { 1, 2, 3 })
  local column = tensor { { true }, { false } }
  values(mlpl.where(column, tensor { 1, 2 }, 9), { { 1, 2 }, { 9, 9 } })
end

function TestChoices:test_where_passes_gradients_to_what_was_chosen()
  local c = tensor { true, false }
  values(slope(function(x) return mlpl.where(c, x * 2, 0) end, { 1, 2 }), { 2, 0 })
  values(slope(function(x) return mlpl.where(c, 0, x:log()) end, { 0, 2 }), { nan, 0.5 })
  values(slope(function(x) return x:masked_fill(c, 7) end, { 1, 2 }), { 0, 1 })
end

function TestChoices:test_where_says_what_is_wrong()
  local c, x = tensor { true, false }, mlpl.ones(2)
  fails("where: condition is f32; it must be bool", mlpl.where, x, x, x)
  lu.assertEquals(mlpl.where(c, x, x:to "f64").dtype, "f64")
  fails("where: b is '1'; it must be a tensor or a number", mlpl.where, c, x, "1")
  fails("where: b is missing; it must be a tensor or a number", mlpl.where, c, x)
  fails("where: one argument too many: 3", mlpl.where, c, 1, 2, 3)
end

function TestChoices:test_masked_fill()
  local mask = tensor { true, false, true }
  values(tensor({ 1, 2, 3 }):masked_fill(mask, -inf), { -inf, 2, -inf })
  values(tensor({ 1, 2, 3 }):masked_fill(mask, { value = 0 }), { 0, 2, 0 })
  values(tensor({ 1, 2, 3 }, { dtype = "i64" }):masked_fill(mask, 9), { 9, 2, 9 })
  fails("masked_fill: value is 0.5, which i64 cannot hold", mask.masked_fill,
    tensor({ 1, 2, 3 }, { dtype = "i64" }), mask, 0.5)
  fails("masked_fill: mask is f32; it must be bool", mask.masked_fill, mlpl.ones(3),
    mlpl.ones(3), 0)
end

-- An infinite bound is one, whatever it lets through.
function TestChoices:test_clamp_with_infinite_bounds_gives_the_input()
  local inf = math.huge
  local x = tensor { -2, -inf, inf, nan }
  for _, name in ipairs { "clamp", "clip", "clamp_", "clip_" } do
    local function of(...)
      local v = x:clone()
      return v[name](v, ...)
    end
    values(of(-inf, inf), x:totable())
    values(of(nil, inf), x:totable())
    values(of(-inf), x:totable())
    values(of { min = -inf }, x:totable())
    values(of { max = inf }, x:totable())
    values(of(-inf, 0), { -2, -inf, 0, nan })
    values(of(0, inf), { 0, 0, inf, nan })
    values(of(-inf, tensor(0)), { -2, -inf, 0, nan })
    values(of(tensor(0), inf), { 0, 0, inf, nan })
    values(of(tensor(-inf), inf), x:totable())
  end
  values(slope(function(v) return v:clamp(-inf, inf) end, { -1, 2 }), { 1, 1 })
  local whole = mlpl.tensor({ 1, 2 }, { dtype = "i64" }):clamp(-inf, inf)
  values(whole, { 1, 2 })
  lu.assertEquals(whole.dtype, "f32") -- as beside any other real
end

function TestChoices:test_clamp_takes_either_end()
  local x = tensor { -2, 0.5, 2, nan }
  values(x:clamp(-1, 1), { -1, 0.5, 1, nan })
  values(x:clamp { min = 0 }, { 0, 0.5, 2, nan })
  values(x:clamp { max = 0 }, { -2, 0, 0, nan })
  values(x:clamp(0), { 0, 0.5, 2, nan })
  values(x:clamp(nil, 0), { -2, 0, 0, nan })
  for _, options in ipairs { "nothing", {}, { out = x:clone() } } do
    local more = options ~= "nothing" and options or nil
    fails("clamp: neither min nor max is given", x.clamp, x, more)
    fails("clamp: neither min nor max is given", x.clamp, x, nil, nil, more)
  end
  fails("clamp_: neither min nor max is given", x.clamp_, x)
  fails("clip: neither min nor max is given", x.clip, x)
  local function unit(v) return v:clamp(-1, 1) end
  values(slope(unit, { -2, -1, 0, 1, 2 }), { 0, 1, 1, 1, 0 })
end

function TestChoices:test_nan_to_num()
  local x = f64 { nan, inf, -inf, 1 }
  local most = 0x1.fffffffffffffp1023
  values(x:nan_to_num(), { 0, most, -most, 1 })
  values(x:nan_to_num(9), { 9, most, -most, 1 })
  values(x:nan_to_num { posinf = 2, neginf = inf }, { 0, 2, inf, 1 })
  values(x:to "f32":nan_to_num(), { 0, 0x1.fffffep127, -0x1.fffffep127, 1 })
end

function TestChoices:test_three_tensors()
  local a, b = f64 { 0, 10 }, f64 { 1, 20 }
  values(a:lerp(b, 0.25), { 0.25, 12.5 })
  values(a:lerp(b, f64 { 1, 0 }), { 1, 10 })
  values(a:addcmul(b, b), { 1, 410 })
  values(a:addcmul(b, b, 0.5), { 0.5, 210 })
  values(a:addcdiv(b, b, { value = 3 }), { 3, 13 })
end

TestActivations = {}

-- numerics as published for PyTorch, at -3, -1, -0.5, 0.5, 1 and 3
local at = { -3, -1, -0.5, 0.5, 1, 3 }
local golden = {
  { "gelu", { -0.004049694095, -0.1586552539, -0.1542687694, 0.3457312306, 0.8413447461,
    2.995950306 } },
  { "silu", { -0.1422776195, -0.2689414214, -0.1887703344, 0.3112296656, 0.7310585786,
    2.85772238 } },
  { "softplus", { 0.04858735157, 0.3132616875, 0.4740769842, 0.9740769842, 1.313261688,
    3.048587352 } },
  { "mish", { -0.1456474613, -0.3034014614, -0.2207437747, 0.3752452113, 0.8650983883,
    2.986535005 } },
  { "hardtanh", { -1, -1, -0.5, 0.5, 1, 1 } },
  { "relu6", { 0, 0, 0, 0.5, 1, 3 } },
  { "hardsigmoid", { 0, 1 / 3, 2.5 / 6, 3.5 / 6, 2 / 3, 1 } },
  { "hardswish", { 0, -1 / 3, -1.25 / 6, 1.75 / 6, 2 / 3, 3 } },
  { "softsign", { -0.75, -0.5, -1 / 3, 1 / 3, 0.5, 0.75 } },
  { "softshrink", { -2.5, -0.5, 0, 0, 0.5, 2.5 } },
  { "hardshrink", { -3, -1, 0, 0, 1, 3 } },
  { "step", { 0, 0, 0, 1, 1, 1 } },
}

function TestActivations:test_values()
  for _, each in ipairs(golden) do
    local name, wanted = table.unpack(each)
    values(nn[name](f64(at)), wanted, 1e-9)
    values(nn[name](tensor(at)), wanted, 1e-6)
    values(f64(at)[name](f64(at)), wanted, 1e-9)
  end
  values(nn.gelu(f64(at), "tanh"), { -0.003637392082, -0.1588080094, -0.1542859902,
    0.3457140098, 0.8411919906, 2.996362608 }, 1e-9)
  values(nn.selu(f64 { -1, 1 }), { -1.1113307378125625, 1.0507009873554805 }, 1e-15)
  values(nn.celu(f64 { -1, 1 }, 2), { -0.7869386805747332, 1 }, 1e-15)
  values(nn.logsigmoid(f64 { 0 }), { -math.log(2) }, 1e-15)
  values(nn.tanhshrink(f64 { 1 }), { 0.23840584404423515 }, 1e-15)
  values(nn.threshold(f64 { 1, 2 }, 1, -5), { -5, 2 })
end

function TestActivations:test_options_by_position_and_name()
  local x = f64 { -1, 1 }
  values(nn.gelu(x, { approximate = "none" }), nn.gelu(x):totable())
  values(nn.softplus(x, 2), nn.softplus(x, { beta = 2, threshold = 20 }):totable())
  values(nn.hardtanh(x, -0.5, 0.5), { -0.5, 0.5 })
  values(nn.softshrink(x, { lambd = 1 }), { 0, 0 })
  fails("hardtanh: min_val is 1, above max_val, which is 0.5", nn.hardtanh, x, 1, 0.5)
  fails("gelu: approximate is 'fast'; it must be one of none, tanh", nn.gelu, x, "fast")
  fails("softshrink: lambd is -1; it must be at least 0", nn.softshrink, x, -1)
end

function TestActivations:test_prelu_has_a_slope_for_all_or_for_each_channel()
  local x = f64 { { -1, 2, -3 }, { 4, -5, -6 } }
  values(nn.prelu(x, 0.5), { { -0.5, 2, -1.5 }, { 4, -2.5, -3 } })
  local w = f64({ 0.1, 0.2, 0.3 }):requires_grad_()
  local y = nn.prelu(x, w)
  values(y, { { -0.1, 2, -0.9 }, { 4, -1, -1.8 } }, 1e-15)
  y:sum():backward()
  values(w.grad, { -1, -5, -9 })
  fails("prelu: weight is [2], input is [2x3]; it has one number, or one for each of " ..
    "the 3 on the input's second axis", nn.prelu, x, mlpl.ones(2, { dtype = "f64" }))
end

function TestActivations:test_glu_halves_an_axis()
  local x = f64 { { 1, 2, 0, 0 }, { 3, 4, 0, 0 } }
  values(nn.glu(x), { { 0.5, 1 }, { 1.5, 2 } })
  values(nn.glu(x, 1),
    { { 1 / (1 + math.exp(-3)), 2 / (1 + math.exp(-4)), 0, 0 } }, 1e-15)
  fails("glu: axis 2 of [2x3] has an odd size; it is cut into halves", nn.glu,
    mlpl.ones(2, 3))
end

function TestActivations:test_a_step_has_the_gradient_zero()
  values(slope(nn.step, { -1, 0, 1 }), { 0, 0, 0 })
end

-- Whatever the number of threads, the same bits.
function TestActivations:test_threads_do_not_matter()
  local before = mlpl.threads()
  mlpl.seed(3)
  local x = mlpl.randn(100, 701)
  for _, name in ipairs { "sin", "erf", "gelu", "atan", "lgamma", "mish", "asinh" } do
    mlpl.threads(1)
    local one = x[name](x):totable()
    mlpl.threads(4)
    lu.assertEquals(x[name](x):totable(), one, name)
  end
  mlpl.threads(before)
end

-- ---- softmax along any axis -------------------------------------------------------------

TestSoftmax = {}

-- Few columns side by side, some, more than a strip of them; what is turned first agrees, and
-- so do gradients.
function TestSoftmax:test_along_any_axis_as_along_the_last()
  for _, shape in ipairs { { 9, 3 }, { 9, 16 }, { 70, 40 }, { 5, 300 }, { 3, 70, 33 },
    { 40, 6, 17 }, { 2, 4, 5, 15 }, { 1, 20 }, { 2, 1, 20 }, { 0, 20 }, { 3, 0, 20 } } do
    local x, g = mlpl.randn(shape, { dtype = "f64" }), mlpl.randn(shape, { dtype = "f64" })
    for _, name in ipairs { "softmax", "log_softmax" } do
      for axis = 1, #shape do
        local a, b = x:clone():requires_grad_(true), x:clone():requires_grad_(true)
        local y = a[name](a, axis)
        local z = b:transpose(axis, -1)
        z = z[name](z, #shape):transpose(axis, -1)
        y:backward(g)
        z:backward(g)
        lu.assertEquals(y.shape, shape)
        lu.assertTrue((y - z):abs():le(1e-12):all():item())
        lu.assertTrue((a.grad - b.grad):abs():le(1e-12):all():item())
      end
    end
  end
end
