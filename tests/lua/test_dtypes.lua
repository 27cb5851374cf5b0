-- dtypes that meet, whole numbers and truth values, comparisons, and operations that write
-- into a tensor that exists.

local lu = require "luaunit"
local mlpl = require "mlpl"
local expect = require "expect"

local values, fails = expect.values, expect.fails
local tensor, inf, nan = mlpl.tensor, math.huge, 0 / 0

local function i64(t) return tensor(t, { dtype = "i64" }) end
local function u8(t) return tensor(t, { dtype = "u8" }) end
local function leaf(t) return tensor(t, { requires_grad = true }) end

-- The elements and the dtype.
local function are(x, dtype, wanted)
  lu.assertEquals(x:totable(), wanted)
  lu.assertEquals(x.dtype, dtype)
end

-- ---- promotion ------------------------------------------------------------------------

TestDtypesPromotion = {}

local order = { "bool", "u8", "i64", "f32", "f64" }
local kind = { bool = 0, u8 = 1, i64 = 1, f32 = 2, f64 = 2 }

-- PyTorch's rule, said once more.
local function promoted(a, a_axes, b, b_axes)
  local rank = {}
  for i, name in ipairs(order) do rank[name] = i end
  if a_axes ~= b_axes then
    local with, without = a_axes and a or b, a_axes and b or a
    if kind[without] <= kind[with] then return with end
    return without
  end
  return rank[a] > rank[b] and a or b
end

function TestDtypesPromotion:test_every_pair()
  for _, a in ipairs(order) do
    for _, b in ipairs(order) do
      for _, axes in ipairs { { true, true }, { true, false }, { false, true },
        { false, false } } do
        local x = axes[1] and mlpl.ones(2, { dtype = a }) or mlpl.ones({}, { dtype = a })
        local y = axes[2] and mlpl.ones(2, { dtype = b }) or mlpl.ones({}, { dtype = b })
        local wanted = promoted(a, axes[1], b, axes[2])
        lu.assertEquals((x + y).dtype, wanted, a .. " + " .. b)
        lu.assertEquals(x:eq(y).dtype, "bool")
        lu.assertEquals(x:div(y).dtype, kind[wanted] == 2 and wanted or "f32")
      end
    end
  end
end

function TestDtypesPromotion:test_numbers()
  local f, d, i = tensor { 1, 2 }, tensor({ 1, 2 }, { dtype = "f64" }), i64 { 1, 2 }
  are(f + 2.5, "f32", { 3.5, 4.5 })
  are(d + 2.5, "f64", { 3.5, 4.5 })
  are(f + 2, "f32", { 3, 4 })
  are(i + 2, "i64", { 3, 4 })
  are(i + 2.0, "f32", { 3, 4 })                -- a float makes reals, as in PyTorch
  are(2.5 - i, "f32", { 1.5, 0.5 })
  are(i * f, "f32", { 1, 4 })
  are(i + d, "f64", { 2, 4 })
  are(u8 { 1, 2 } + i, "i64", { 2, 4 })
  are(u8 { 1, 255 } + 1, "u8", { 2, 0 })
  are(tensor { true, false } + 1, "i64", { 2, 1 })
  are(tensor { true, false } * 0.5, "f32", { 0.5, 0 })
  are(tensor { true, false }:eq(true), "bool", { true, false })
  are(i64 { 0 } + math.maxinteger, "i64", { math.maxinteger })
  are(i:exp(), "f32", tensor { 1, 2 }:exp():totable())
  are(tensor { true }:sqrt(), "f32", { 1 })
  are(i:sin(), "f32", tensor { 1, 2 }:sin():totable())
  are(mlpl.atan2(i64 { 0, 0 }, d), "f64", { 0, 0 })
  are(mlpl.hypot(i64 { 3 }, tensor { 4 }), "f32", { 5 })
  are(mlpl.xlogy(i64 { 0, 1 }, d), "f64", { 0, math.log(2) })
  are(mlpl.copysign(u8 { 1, 2 }, tensor { -1, 1 }), "f32", { -1, 2 })
  are(i64 { 0, 0 }:logsumexp(), "f32", tensor { 0, 0 }:logsumexp():item())
  are(f:addcmul(d, f), "f64", { 2, 6 })
  are(f:addcdiv(d, f), "f64", { 2, 3 })
  are(f:lerp(d * 3, 0.5), "f64", { 2, 4 })
  are(f:lerp(f * 3, tensor(0.5, { dtype = "f64" })), "f32", { 2, 4 })
  are(i:square(), "i64", { 1, 4 })             -- whole numbers stay whole
  for _, name in ipairs { "floor", "ceil", "round", "trunc" } do
    are(i64 { -3, 2 ^ 53 | 1 }[name](i64 { -3, 2 ^ 53 | 1 }), "i64", { -3, 2 ^ 53 | 1 })
  end
  are(tensor { true, false }:fmax(3), "i64", { 3, 3 })
  are(tensor { true, false }:clamp_min(1), "i64", { 1, 1 })
end

-- What the result needs of a number is in its low 8 bits, or the right answer fits anyway.
function TestDtypesPromotion:test_numbers_that_u8_cannot_hold()
  local x = u8 { 0, 3, 250 }
  are(x + 256, "u8", { 0, 3, 250 })
  are(x + -1, "u8", { 255, 2, 249 })
  are(x - -1, "u8", { 1, 4, 251 })
  are(300 - x, "u8", { 44, 41, 50 })
  are(x * -1, "u8", { 0, 253, 6 })
  are(x & 300, "u8", { 0, 0, 40 })
  are(x | -1, "u8", { 255, 255, 255 })
  are(x ~ 256, "u8", { 0, 3, 250 })
  are((-2) ^ u8 { 0, 3 }, "u8", { 1, 248 })
  are(u8({ 1 }):add_(-2), "u8", { 255 })
  are(tensor(3, { dtype = "u8" }) - 5, "u8", 254)
  local yes, no = { true, true, true }, { false, false, false }
  for _, v in ipairs { 256, 300, math.maxinteger } do
    are(x:lt(v), "bool", yes)
    are(x:le(v), "bool", yes)
    are(x:ge(v), "bool", no)
    are(mlpl.lt(v, x), "bool", no)
    are(x:minimum(v), "u8", { 0, 3, 250 })
    are(x:fmin(v), "u8", { 0, 3, 250 })
    are(x:clamp_max(v), "u8", { 0, 3, 250 })
    are(x:clamp(2, v), "u8", { 2, 3, 250 })
  end
  for _, v in ipairs { -1, -256, math.mininteger } do
    are(x:gt(v), "bool", yes)
    are(x:le(v), "bool", no)
    are(x:maximum(v), "u8", { 0, 3, 250 })
    are(mlpl.fmax(v, x), "u8", { 0, 3, 250 })
    are(x:clamp_min(v), "u8", { 0, 3, 250 })
    are(x:clamp { min = v, max = 7 }, "u8", { 0, 3, 7 })
  end
  are(x:clamp(-1, 300), "u8", { 0, 3, 250 })
  are(x:eq(256), "bool", no)
  are(x:ne(-6), "bool", yes)
  are(x:eq(i64(250 + 256):view()), "bool", no)  -- nor does a tensor's
  are(x:isclose(256), "bool", no)
  are(x:isin(259), "bool", no)
  are(x:logical_and(256), "bool", { false, true, true })
  are(x / -2, "f32", { -0.0, -1.5, -125 })      -- reals in any case
  are(x:div(-2), "f32", { -0.0, -1.5, -125 })
  are(u8 { 0 }:atan2(-1), "f32", tensor { 0 }:atan2(-1):totable())
  are(u8({}) + 256, "u8", {})
  local rule = " does not fit u8, which holds 0 to 255; convert with :to"
  fails("floor_divide: -3" .. rule, function() return x // -3 end)
  fails("div: -3" .. rule, x.div, x, -3, "floor")
  fails("div: 300" .. rule, x.div, x, 300, { rounding_mode = "trunc" })
  fails("remainder: 256" .. rule, function() return x % 256 end)
  fails("pow: -1" .. rule, function() return x ^ -1 end)
  fails("bitwise_left_shift: 256" .. rule, function() return x << 256 end)
  fails("maximum: 256" .. rule, x.maximum, x, 256)
  fails("clamp: 300" .. rule, x.clamp, x, 300)
  fails("clamp_max_: -1" .. rule, x.clamp_max_, x, -1)
  fails("where: -1" .. rule, mlpl.where, x:gt(0), x, -1)
end

-- Functions that keep whole numbers and truth values where PyTorch does.
function TestDtypesPromotion:test_what_stays_whole()
  local i, u, b = i64 { -4, -1, 0, 9 }, u8 { 0, 1, 7, 9 }, tensor { false, true }
  are(i:relu(), "i64", { 0, 0, 0, 9 })
  are(u:relu(), "u8", { 0, 1, 7, 9 })
  are(i64({ -3, 3 }):relu_(), "i64", { 0, 3 })
  are(mlpl.nn.relu6(i), "i64", { 0, 0, 0, 6 })
  are(mlpl.nn.relu6(u), "u8", { 0, 1, 6, 6 })
  are(mlpl.nn.hardtanh(i), "i64", { -1, -1, 0, 1 })
  are(mlpl.nn.hardtanh(i, -2.5, 2.5), "i64", { -2, -1, 0, 2 })
  are(mlpl.nn.hardtanh(u, -2, 300), "u8", { 0, 1, 7, 9 })
  are(mlpl.nn.hardtanh(i64 { math.mininteger }, -inf, inf), "i64", { math.mininteger })
  are(i:heaviside(5), "i64", { 0, 0, 5, 1 })
  are(u:heaviside(u8 { 3 }), "u8", { 3, 1, 1, 1 })
  are(b:heaviside(true), "bool", { true, true })
  are(i:heaviside(0.5), "f32", { 0, 0, 0.5, 1 })
  are(i:nan_to_num(7), "i64", { -4, -1, 0, 9 })
  are(b:nan_to_num(), "bool", { false, true })
  are(b:sign(), "bool", { false, true })
  are(b:square(), "i64", { 0, 1 })
  are(i64 { { 1, 2 }, { 3, 4 } }:trace(), "i64", 5)
  are(u8 { { 200, 2 }, { 3, 100 } }:trace(), "i64", 300)
  are(u:outer(u8 { 3, 100 })[4], "u8", { 27, 132 })
  are(b:outer(i)[2], "i64", { -4, -1, 0, 9 })
  are(i:addcmul(i, i, { value = -2 }), "i64", { -36, -3, 0, -153 })
  are(u:addcmul(u, u), "u8", { 0, 2, 56, 90 })
  are(i:addcmul(i, tensor(0.5)), "f32", { -6, -1.5, 0, 13.5 })
  are(i64 { 1 << 62 }:addcmul(i64 { 3 }, i64 { 1 << 60 }), "i64", { (1 << 62) + (3 << 60) })
  are(i64({ 1, 2 }):addcmul_(i64 { 3, 4 }, i64 { 5, 6 }), "i64", { 16, 26 })
  are(b:clamp(1, 2), "i64", { 1, 1 })
  are(b:clamp(0.5), "f32", { 0.5, 1 })
  are(b:clamp(tensor(true)), "bool", { true, true })
  are(i64 { { 1, 2 }, { 3, 4 } }:matmul(i64 { 1 << 60, 8 }), "i64", { (1 << 60) + 16,
    (3 << 60) + 32 })
  are(u8 { { 100, 2 } }:mm(u8 { { 3 }, { 1 } }), "u8", { { 46 } })
  are(i:dot(i), "i64", 98)
  are(i64 { { 1, 2 }, { 5, 9 } }:cov(), "f32", { { 0.5, 2 }, { 2, 8 } })
  are(i:trapezoid(), "f32", 1.5)
  for _, name in ipairs { "softsign", "tanhshrink" } do
    are(mlpl.nn[name](i), "f32", mlpl.nn[name](i:to("f32")):totable())
  end
  are(i:addcdiv(i, i64 { 2, 2, 2, 2 }), "f32", { -6, -1.5, 0, 13.5 })   -- as / does
  are(i:lerp(i64 { 0, 0, 1, 0 }, 0.5), "f32", { -2, -0.5, 0.5, 4.5 })
  fails("addcmul: value is 0.5; beside whole numbers (u8) it must be a whole number, too",
    u.addcmul, u, u, u, 0.5)
  fails("hardtanh: min_val is -3, max_val is -1; no u8 is between them (convert with :to)",
    mlpl.nn.hardtanh, u, -3, -1)
  fails("hardtanh: min_val is -1, max_val is nan; no i64 is between them (convert with :to)",
    mlpl.nn.hardtanh, i, -1, nan)
  fails("clamp_: the result is of i64, and input, to hold it, of bool", b.clamp_, b, 1)
  fails("square_: the result is of i64, and input, to hold it, of bool", b.square_, b)
  for _, name in ipairs { "relu", "trace", "abs" } do
    fails(name .. ": input is bool; it takes f32, f64, i64, u8 (convert with :to)",
      mlpl[name], b)
  end
end

-- A value that is a tensor without axes, whose gradient is that of the places it fills.
function TestDtypesPromotion:test_fills_with_a_tensor()
  local mask, at = tensor { true, false, true }, i64 { 1, 3, 1 }
  local x, v = leaf { 1, 2, 3 }, tensor(5, { dtype = "f64", requires_grad = true })
  for _, f in ipairs {
    function(y) return y:masked_fill(mask, v) end,
    function(y) return y:masked_fill(mask, { value = v }) end,
    function(y) return y:clone():masked_fill_(mask, v) end,
    function(y) return y:index_fill(1, at, v) end,
    function(y) return y:index_fill(1, at, { value = v }) end,
    function(y) return y:index_fill(at, { dim = 1, value = v }) end,
    function(y) return y:clone():index_fill_(-1, at, v) end,
  } do
    x:zero_grad()
    v:zero_grad()
    local y = f(x)
    are(y, "f32", { 5, 2, 5 });
    (y * tensor { 1, 10, 100 }):sum():backward()
    are(x.grad, "f32", { 0, 10, 0 })
    are(v.grad, "f64", 101)
  end
  are(i64 { 1, 2, 3 }:masked_fill(mask, tensor(7)), "i64", { 7, 2, 7 })
  are(i64 { 1, 2, 3 }:masked_fill(mask, i64(math.maxinteger):view()), "i64",
    { math.maxinteger, 2, math.maxinteger })
  are(mask:masked_fill(mask, tensor(false)), "bool", { false, false, false })
  local y = mlpl.zeros(3):masked_fill_(mask, v)
  lu.assertTrue(y.requires_grad)
  fails("masked_fill: value is 2.5, which i64 cannot hold", at.masked_fill, at, mask,
    tensor(2.5))
  fails("masked_fill_: value is 300, which u8 cannot hold",
    function() u8({ 1, 2, 3 }):masked_fill_(mask, tensor(300)) end)
  fails("index_fill: value is 300, which u8 cannot hold", at.index_fill, u8 { 1, 2, 3 }, 1, at,
    tensor(300))
  are(i64 { 1, 2, 3 }:index_fill(1, at, tensor(7.5)), "i64", { 7, 2, 7 })   -- as of a number
  fails("masked_fill: value is [1]; it must be one number, in a tensor without axes",
    x.masked_fill, x, mask, tensor { 1 })
  fails("index_fill: value is [2]; it must be one number, in a tensor without axes",
    x.index_fill, x, 1, at, tensor { 1, 2 })
end

function TestDtypesPromotion:test_gradients_keep_the_dtype_of_their_input()
  local w, v = leaf { 1, 2 }, tensor({ 3, 4 }, { dtype = "f64", requires_grad = true })
  local y = w * v
  lu.assertEquals(y.dtype, "f64")
  y:sum():backward()
  are(w.grad, "f32", { 3, 4 })
  are(v.grad, "f64", { 1, 2 })
  local x = leaf { 1, 2 };
  (x * i64 { 3, 5 }):sum():backward()
  are(x.grad, "f32", { 3, 5 })
end

function TestDtypesPromotion:test_second_gradients_pass_conversions()
  local w = leaf { 2 }
  local y = (w:to("f64") ^ 3):to("f32")
  y:sum():backward { create_graph = true }
  local g = w.grad
  lu.assertEquals(g.dtype, "f32")
  values(g, { 12 })
  w:zero_grad()
  g:sum():backward()
  values(w.grad, { 12 })                       -- d 3w^2 / dw = 6 w
end

function TestDtypesPromotion:test_what_there_is_not()
  local b, f = tensor { true }, tensor { 1 }
  fails("sub: a is bool; it takes f32, f64, i64, u8 (convert with :to)",
    function() return b - b end)
  fails("neg: input is bool; it takes f32, f64, i64, u8 (convert with :to)",
    function() return -b end)
  fails("bitwise_and: a is f32; it takes i64, u8, bool (convert with :to)",
    function() return f & 1 end)
  fails("bitwise_not: input is f32; it takes i64, u8, bool (convert with :to)",
    function() return ~f end)
  fails("add: both operands are numbers; one must be a tensor", mlpl.add, 1, 2)
  fails("matmul: a is f32, b is f64; they must have one dtype (convert with :to)",
    f.matmul, mlpl.zeros(1, 1), mlpl.zeros(1, 1, { dtype = "f64" }))
  fails("gelu: input is i64; it must be f32 or f64 (convert with :to)", mlpl.nn.gelu,
    i64 { 1 })
  fails("mm: a is i64, b is u8; they must have one dtype (convert with :to)", mlpl.mm,
    i64 { { 1 } }, u8 { { 1 } })
  fails("dot: a is bool; it takes f32, f64, i64, u8 (convert with :to)", b.dot, b, b)
end

-- ---- whole numbers --------------------------------------------------------------------

TestDtypesWhole = {}

function TestDtypesWhole:test_arithmetic_is_luas()
  local a, b = {}, {}
  for x = -7, 7 do
    for y = -3, 3 do
      if y ~= 0 then a[#a + 1], b[#b + 1] = x, y end
    end
  end
  local x, y = i64(a), i64(b)
  local function each(f)
    local t = {}
    for k = 1, #a do t[k] = f(a[k], b[k]) end
    return t
  end
  are(x + y, "i64", each(function(p, q) return p + q end))
  are(x - y, "i64", each(function(p, q) return p - q end))
  are(x * y, "i64", each(function(p, q) return p * q end))
  are(x // y, "i64", each(function(p, q) return p // q end))
  are(x % y, "i64", each(function(p, q) return p % q end))
  are(x:fmod(y), "i64", each(function(p, q) return math.fmod(p, q) end))
  are(x & y, "i64", each(function(p, q) return p & q end))
  are(x | y, "i64", each(function(p, q) return p | q end))
  are(x ~ y, "i64", each(function(p, q) return p ~ q end))
  are(~x, "i64", each(function(p) return ~p end))
  are(-x, "i64", each(function(p) return -p end))
  are(x:abs(), "i64", each(function(p) return math.abs(p) end))
  are(x:maximum(y), "i64", each(math.max))
  are(x:minimum(y), "i64", each(math.min))
  are(x ^ y:abs(), "i64", each(function(p, q) return math.tointeger(p ^ math.abs(q)) end))
  local real = x:to("f64")
  are(real // y, "f64", each(function(p, q) return (p + 0.0) // q + 0.0 end))
  are(real % y, "f64", each(function(p, q) return (p + 0.0) % q end))
  values(x / y, each(function(p, q) return p / q end), 1e-7)
end

function TestDtypesWhole:test_at_the_ends()
  local least, most = i64 { math.mininteger }, i64 { math.maxinteger }
  are(most + 1, "i64", { math.mininteger })
  are(least - 1, "i64", { math.maxinteger })
  are(most * 2, "i64", { -2 })
  are(-least, "i64", { math.mininteger })
  are(least:abs(), "i64", { math.mininteger })
  are(least // -1, "i64", { math.mininteger })
  are(least % -1, "i64", { 0 })
  are(least:fmod(-1), "i64", { 0 })
  are(i64 { 3 } ^ i64 { 39, 40 }, "i64", { 4052555153018976267, 3 * 4052555153018976267 })
  are(u8 { 200 } + u8 { 100 }, "u8", { 44 })
  are(u8 { 3 } - u8 { 5 }, "u8", { 254 })
  are(-u8 { 1, 0 }, "u8", { 255, 0 })
  are(~u8 { 1 }, "u8", { 254 })
  are(u8 { 200, 7 } // 3, "u8", { 66, 2 })
  are(u8 { 200, 7 } % 3, "u8", { 2, 1 })
  are(u8 { 3 } ^ 6, "u8", { 217 })
  are(u8 { 0, 9 }:sign(), "u8", { 0, 1 })
end

function TestDtypesWhole:test_what_has_no_answer()
  local x = i64 { 1, 2 }
  local rule = "; whole numbers (%s) cannot be divided by it (f32 and f64 can)"
  fails("floor_divide: b has a 0" .. rule:format "i64", function() return x // 0 end)
  fails("remainder: b has a 0" .. rule:format "i64",
    function() return x % i64 { { 1, 1 }, { 1, 0 } }:t() end)
  fails("fmod: b has a 0" .. rule:format "u8", u8({ 1 }).fmod, u8 { 1 }, 0)
  fails("pow: b has a negative number; whole numbers (i64) have no negative powers " ..
    "(f32 and f64 do)", function() return x ^ i64 { 1, -1 } end)
  are(i64 {} // 0, "i64", {})
  values(x / 0, { inf, inf })
  values(x ^ -1.0, { 1, 0.5 })
  local same = x
  lu.assertErrorMsgContains("b has a 0", function() x:floor_divide_(0) end)
  are(same, "i64", { 1, 2 })
end

function TestDtypesWhole:test_truth_values()
  local a, b = tensor { true, true, false, false }, tensor { true, false, true, false }
  are(a & b, "bool", { true, false, false, false })
  are(a | b, "bool", { true, true, true, false })
  are(a ~ b, "bool", { false, true, true, false })
  are(~a, "bool", { false, false, true, true })
  are(a + b, "bool", { true, true, true, false })
  are(a * b, "bool", { true, false, false, false })
  are(a:maximum(b), "bool", { true, true, true, false })
  are(a:lt(b), "bool", { false, false, true, false })
  are(a:to("f32"), "f32", { 1, 1, 0, 0 })
end

function TestDtypesWhole:test_conversions()
  local odd = tensor { nan, inf, -inf, 2.9, -2.9, 300, -1 }
  are(odd:to("i64"), "i64", { 0, math.maxinteger, math.mininteger, 2, -2, 300, -1 })
  are(odd:to("bool"), "bool", { true, true, true, true, true, true, true })
  are(tensor { 2.9, 300, -1 }:to("u8"), "u8", { 2, 44, 255 })   -- the low 8 bits
  are(i64 { 300, -1 }:to("u8"), "u8", { 44, 255 })
  are(i64 { (1 << 53) + 1 }:to("f64"), "f64", { 2.0 ^ 53 })
end

-- ---- real remainders ------------------------------------------------------------------

function TestDtypesWhole:test_remainders_of_reals()
  local x = tensor({ 5.5, -5.5, 5.5, -5.5 }, { dtype = "f64" })
  local y = tensor({ 2, 2, -2, -2 }, { dtype = "f64" })
  values(x % y, { 1.5, 0.5, -0.5, -1.5 })
  values(x // y, { 2, -3, -3, 2 })
  values(x:fmod(y), { 1.5, -1.5, 1.5, -1.5 })
  values(tensor { 1, -1, 0 } // 0, { inf, -inf, nan })
  values(tensor { 1 } % 0, { nan })
  values(tensor { -1, 1 } % inf, { inf, 1 })
  values(tensor({ 1 }, { dtype = "f64" }) // 0.1, { 9 })        -- as in Python
  local w = leaf { 5.5, -5.5 }
  local v = leaf { 2, 2 };
  (w % v):sum():backward()
  values(w.grad, { 1, 1 })
  values(v.grad, { -2, 3 })
end

function TestDtypesWhole:test_larger_and_smaller()
  local a, b = leaf { 1, 5, 2 }, leaf { 3, 4, 2 }
  local y = a:maximum(b)
  values(y, { 3, 5, 2 })
  y:sum():backward()
  values(a.grad, { 0, 1, 0.5 })
  values(b.grad, { 1, 0, 0.5 })
  values(tensor { nan, 1 }:maximum(tensor { 1, nan }), { nan, nan })
  values(tensor { nan, 1 }:minimum(0), { nan, 0 })
end

-- ---- comparisons ----------------------------------------------------------------------

TestDtypesLogic = {}

function TestDtypesLogic:test_comparisons()
  local a, b = tensor { 1, 2, 3, nan }, tensor { 2, 2, 2, nan }
  are(a:eq(b), "bool", { false, true, false, false })
  are(a:ne(b), "bool", { true, false, true, true })
  are(a:lt(b), "bool", { true, false, false, false })
  are(a:le(b), "bool", { true, true, false, false })
  are(a:gt(b), "bool", { false, false, true, false })
  are(a:ge(b), "bool", { false, true, true, false })
  are(a:gt(1.5), "bool", { false, true, true, false })
  are(mlpl.lt(2, a), "bool", { false, false, true, false })
  are(tensor { { 1 }, { 2 } }:eq(tensor { 1, 2 }), "bool",
    { { true, false }, { false, true } })
  are(i64 { 1, 2 }:lt(1.5), "bool", { true, false })
  are(i64 { (1 << 53) + 1 }:eq(1 << 53), "bool", { false })
  fails("lt: sizes differ: a is [4], b is [3]; aligned at the last axis, sizes must be " ..
    "equal or 1", a.lt, a, mlpl.zeros(3))
end

function TestDtypesLogic:test_logic()
  local a, b = tensor { 0, 2, nan }, i64 { 0, 0, 1 }
  are(a:logical_and(b), "bool", { false, false, true })
  are(a:logical_or(b), "bool", { false, true, true })
  are(a:logical_xor(b), "bool", { false, true, false })
  are(a:logical_not(), "bool", { true, false, false })
  are(a:isnan(), "bool", { false, false, true })
  are(tensor { inf, -inf, nan, 1 }:isinf(), "bool", { true, true, false, false })
  are(tensor { inf, -inf, nan, 1 }:isfinite(), "bool", { false, false, false, true })
  are(b:isnan(), "bool", { false, false, false })
  are(b:isfinite(), "bool", { true, true, true })
end

function TestDtypesLogic:test_nearly_equal()
  local a = tensor({ 1, 100, inf, nan }, { dtype = "f64" })
  local b = tensor({ 1 + 1e-9, 100.1, inf, nan }, { dtype = "f64" })
  are(a:isclose(b), "bool", { true, false, true, false })
  are(a:isclose(b, 1e-2, 0, true), "bool", { true, true, true, true })
  are(a:isclose(100, { atol = 99 }), "bool", { true, true, false, false })
  lu.assertFalse(a:allclose(b))
  lu.assertFalse(a:allclose(b, { rtol = 0.01 }))
  lu.assertTrue(a:allclose(b, { rtol = 0.01, equal_nan = true }))
  lu.assertTrue(mlpl.allclose(tensor { 1 }, i64 { 1, 1 }))
  lu.assertTrue(mlpl.zeros(0):allclose(mlpl.zeros(0)))
  fails("isclose: rtol is -1; it must be at least 0", a.isclose, a, b, -1)
  fails("allclose: unknown option 'tol'; the options are rtol, atol, equal_nan",
    a.allclose, a, b, { tol = 1 })
end

function TestDtypesLogic:test_equal()
  lu.assertTrue(tensor { 1, 2 }:equal(tensor { 1, 2 }))
  lu.assertFalse(tensor { 1, 2 }:equal(tensor { 1, 3 }))
  lu.assertFalse(tensor { 1, 1 }:equal(tensor { 1 }))
  lu.assertFalse(tensor { nan }:equal(tensor { nan }))
  lu.assertTrue(mlpl.equal(i64 { 1 }, tensor { 1 }))
  lu.assertTrue(mlpl.arange(6):reshape(2, 3):t():equal(mlpl.tensor { { 1, 4 }, { 2, 5 },
    { 3, 6 } }))
end

-- ---- in place -------------------------------------------------------------------------

TestDtypesInPlace = {}

function TestDtypesInPlace:test_values_and_the_receiver()
  local x = tensor { 1, 2, 3 }
  lu.assertIs(x:add_(tensor { 1, 1, 1 }), x)
  values(x, { 2, 3, 4 })
  values(x:mul_(2):sub_(1), { 3, 5, 7 })
  values(x:div_(2), { 1.5, 2.5, 3.5 })
  values(x:pow_(2), { 2.25, 6.25, 12.25 })
  values(x:sqrt_():neg_():abs_(), { 1.5, 2.5, 3.5 })
  values(x:floor_divide_(1):remainder_(2), { 1, 0, 1 })
  values(x:sub_(x), { 0, 0, 0 })
  values(x:exp_():log_():tanh_():sigmoid_():relu_(), { 0.5, 0.5, 0.5 })
  values(x:maximum_(tensor { 0, 1, 0 }):leaky_relu_(0.1), { 0.5, 1, 0.5 })
  are(i64 { 6, 7 }:bitwise_and_(3), "i64", { 2, 3 })
  are(x:fill_(2):zero_(), "f32", { 0, 0, 0 })
  fails("a tensor has no field or method 'isnan_'; did you mean 'isnan'?",
    function() return x.isnan_ end)
  fails("a tensor has no field or method 'clone_'; did you mean 'clone'?", function() return x.clone_ end)
end

function TestDtypesInPlace:test_dtypes_and_shapes_must_fit()
  local x, i = tensor { 1, 2 }, i64 { 1, 2 }
  are(x:add_(tensor({ 0.5, 0.5 }, { dtype = "f64" })), "f32", { 1.5, 2.5 })
  are(x:add_(i), "f32", { 2.5, 4.5 })
  are(u8 { 1, 2 }:add_(i), "u8", { 2, 4 })
  fails("add_: the result is of f32, and a, to hold it, of i64", i.add_, i, 0.5)
  fails("div_: the result is of f32, and a, to hold it, of i64", i.div_, i, 2)
  fails("add_: the result is [2x2], and a, to hold it, is [2]", x.add_, x,
    mlpl.zeros(2, 2))
  fails("add_: the result is of i64, and a, to hold it, of bool",
    function() tensor({ true, false }):add_(i) end)
  are(i, "i64", { 1, 2 })
  lu.assertErrorMsgContains("add_: a is 1; it must be a tensor", x.add_, 1, x)
  fails("add_: out makes no sense in place", x.add_, x, 1, { out = x })
end

function TestDtypesInPlace:test_memory_that_is_shared()
  local x = mlpl.arange(9):reshape(3, 3)
  values(mlpl.arange(9):reshape(3, 3):add_(1), { { 2, 3, 4 }, { 5, 6, 7 }, { 8, 9, 10 } })
  values(x:add_(x:t()), { { 2, 6, 10 }, { 6, 10, 14 }, { 10, 14, 18 } })
  local y = mlpl.arange(5)
  y[{ { 2, 5 } }]:copy_(y[{ { 1, 4 } }])
  values(y, { 1, 1, 2, 3, 4 })
  y[{ { 2, 5 } }]:add_(y[{ { 1, 4 } }])
  values(y, { 1, 2, 3, 5, 7 })
  y[2]:zero_()
  values(y, { 1, 0, 3, 5, 7 })
  local text = ", [3x2], is stretched: several of its elements share one place in " ..
    "memory; :clone() it first"
  fails("add_: a" .. text, function() tensor({ 1, 2 }):expand(3, 2):add_(1) end)
  fails("fill_: the tensor" .. text, function() tensor({ 1, 2 }):expand(3, 2):fill_(1) end)
end

function TestDtypesInPlace:test_fill_and_copy()
  local x = mlpl.zeros(2, 2)
  values(x:copy_(tensor { 1, 2 }), { { 1, 2 }, { 1, 2 } })
  values(x:t():copy_(tensor { 1, 2 }), { { 1, 2 }, { 1, 2 } })
  values(x, { { 1, 1 }, { 2, 2 } })
  values(x:fill_(tensor(7)), { { 7, 7 }, { 7, 7 } })
  are(i64 { 0 }:fill_(math.maxinteger), "i64", { math.maxinteger })
  are(i64 { 0, 0 }:copy_(tensor { 2.9, -2.9 }), "i64", { 2, -2 })
  are(tensor { true, true }:fill_(false), "bool", { false, false })
  fails("fill_: value 2.5 does not fit i64", function() i64({ 1 }):fill_(2.5) end)
  fails("fill_: value 256 does not fit u8", function() u8({ 1 }):fill_(256) end)
  fails("fill_: the value is a tensor with axes; it must be one number (see copy_)",
    x.fill_, x, tensor { 1, 2 })
  fails("copy_: the tensor is [2x2], the values are [3], which do not stretch to it",
    x.copy_, x, mlpl.zeros(3))
  fails("copy_: the tensor is [2x2], the values are [1x2x2], which do not stretch to it",
    x.copy_, x, mlpl.zeros(1, 2, 2))
end

-- ---- in place, recorded ---------------------------------------------------------------

TestDtypesRecorded = {}

local function gradient(f)
  local w = leaf { 1, 2, 3 }
  f(w):sum():backward()
  return w.grad
end

function TestDtypesRecorded:test_gradients_are_those_of_the_plain_forms()
  local pairs_of = {
    { function(w) return (w * 2):add_(1):mul_(w) end,
      function(w) return ((w * 2) + 1) * w end },
    { function(w) local h = w * 2 return h:mul_(h) end,
      function(w) local h = w * 2 return h * h end },
    { function(w) return (w * 0.5):exp_():sigmoid_():tanh_() end,
      function(w) return (w * 0.5):exp():sigmoid():tanh() end },
    { function(w) return (w - 2):relu_():add_(w) end,
      function(w) return (w - 2):relu() + w end },
    { function(w) return tensor({ 1, 1, 1 }):div_(w) end,
      function(w) return 1 / w end },
    { function(w) return tensor({ 1, 1, 1 }):add_(w:to("f64") ^ 2) end,
      function(w) return w ^ 2 + 1 end },
    { function(w) return (w * 3):copy_(w ^ 2) end, function(w) return w ^ 2 end },
    { function(w) return mlpl.zeros(3):copy_(w) end, function(w) return w end },
    { function(w) return (w * 3):pow_(2):sub_(w):neg_() end,
      function(w) return -((w * 3) ^ 2 - w) end },
    { function(w) return w + (w * 3):zero_() end, function(w) return w end },
    { function(w) return w + (w * 3):sign_() end, function(w) return w end },
    { function(w) return w + (w * 3):floor_divide_(2) end, function(w) return w end },
  }
  for i, each in ipairs(pairs_of) do
    local got, wanted = gradient(each[1]), gradient(each[2])
    lu.assertTrue(got:allclose(wanted), "gradient " .. i)
  end
end

function TestDtypesRecorded:test_old_values_that_are_needed()
  local w = leaf { 1, 2 }
  local old = "was changed in place after it was recorded; its old value is needed"
  local y = w:exp()
  y:add_(1)
  fails("backward: the result of exp " .. old, function() y:sum():backward() end)
  local h = w * 2
  local z = h * h
  h:add_(1)
  fails("backward: a of mul " .. old, function() z:sum():backward() end)
  local c = tensor { 3, 4 }
  local v = w * c
  c:zero_()
  fails("backward: b of mul " .. old, function() v:sum():backward() end)
  local sum = w + c                            -- needs no values
  c:fill_(9)
  sum:sum():backward()
  values(w.grad, { 1, 1 })
end

function TestDtypesRecorded:test_leaves()
  local w = leaf { 1, 2 }
  local text = " is a leaf that requires a gradient, and what was recorded with it would " ..
    "lose its value; change it under no_grad"
  fails("add_: a" .. text, w.add_, w, 1)
  fails("exp_: input" .. text, w.exp_, w)
  fails("fill_: the tensor" .. text, w.fill_, w, 1)
  fails("copy_: the tensor" .. text, w.copy_, w, mlpl.zeros(2))
  fails("floor_divide_: a" .. text, w.floor_divide_, w, 1)
  mlpl.no_grad(function() w:sub_(w):add_(3) end)
  values(w, { 3, 3 })
  lu.assertTrue(w.requires_grad)
  w:detach():mul_(2)
  values(w, { 6, 6 })
end

function TestDtypesRecorded:test_views()
  local w = leaf { { 1, 2 }, { 3, 4 } }
  local h = w * 2
  local row = h[1]
  local function text(what, name)
    return what .. ": the change would be recorded, and " .. name .. " is a view: the " ..
      "tensor that it is a part of would change without a record; :clone() it first"
  end
  fails(text("mul_", "a"), row.mul_, row, 2)
  fails(text("zero_", "the tensor"), row.zero_, row)
  fails(text("add_", "a"), function() mlpl.zeros(2, 2)[1]:add_(w[1]) end)
  h:mul_(3)                                    -- the view sees it, its history does not
  fails("add: a is a view of memory that a recorded operation has changed in place " ..
    "since; make the view again", function() return row + 1 end)
  values(mlpl.no_grad(function() return row + 1 end), { 7, 13 })
  values(h[1] + 1, { 7, 13 })
  h[1]:sum():backward()
  values(w.grad, { { 6, 6 }, { 0, 0 } })
end

function TestDtypesRecorded:test_constants_end_no_history()
  local w = leaf { 1 }
  lu.assertTrue((w * 2):zero_().requires_grad)
  lu.assertTrue((w * 2):copy_(mlpl.zeros(1)).requires_grad)
  lu.assertTrue((w * 2):sign_().requires_grad)
  lu.assertTrue(mlpl.zeros(1):add_(w).requires_grad)
  lu.assertFalse(i64({ 1 }):copy_(w * 3).requires_grad)
end

-- ---- out ------------------------------------------------------------------------------

TestDtypesOut = {}

function TestDtypesOut:test_results_go_where_they_are_wanted()
  local a, b, y = mlpl.arange(4):reshape(2, 2), mlpl.ones(2, 2), mlpl.zeros(2, 2)
  lu.assertIs(mlpl.add(a, b, { out = y }), y)
  values(y, { { 2, 3 }, { 4, 5 } })
  lu.assertIs(a:matmul(b, { out = y }), y)
  values(y, { { 3, 3 }, { 7, 7 } })
  lu.assertIs(mlpl.mul(2, a, { out = y }), y)
  values(y, { { 2, 4 }, { 6, 8 } })
  local sum = mlpl.zeros(2)
  lu.assertIs(a:sum(1, { out = sum }), sum)
  values(sum, { 4, 6 })
  values(a:sum { dim = 2, out = sum }, { 3, 7 })
  local truth = mlpl.zeros(2, 2, { dtype = "bool" })
  are(a:lt(2.5, { out = truth }), "bool", { { true, true }, { false, false } })
  values(a:t({ out = y }), { { 1, 3 }, { 2, 4 } })
end

function TestDtypesOut:test_memory_that_is_shared()
  local a = tensor { { 1, 2 }, { 3, 4 } }
  values(mlpl.add(a, a, { out = a }), { { 2, 4 }, { 6, 8 } })
  values(a:matmul(a, { out = a }), { { 28, 40 }, { 60, 88 } })
  values(a:t({ out = a }), { { 28, 60 }, { 40, 88 } })
  values(mlpl.add(a, 1, { out = a:t() }), { { 29, 61 }, { 41, 89 } })
  values(a, { { 29, 41 }, { 61, 89 } })
  values(a:softmax(2, { out = a }):sum(2), { 1, 1 }, 1e-6)
end

function TestDtypesOut:test_refused()
  local a = mlpl.ones(2, 2)
  fails("add: the result is [2x2], and out, to hold it, is [2]", mlpl.add, a, a,
    { out = mlpl.zeros(2) })
  fails("add: the result is of f32, and out, to hold it, of f64", mlpl.add, a, a,
    { out = mlpl.zeros(2, 2, { dtype = "f64" }) })
  fails("add: out is 3; it must be a tensor", mlpl.add, a, a, { out = 3 })
  fails("add: unknown option 'of'; the options are alpha", mlpl.add, a, a,
    { out = mlpl.zeros(2, 2), of = 1 })
  fails("max: out takes one result; this gives two", a.max, a, 1, { out = mlpl.zeros(2) })
  fails("add: out, [2x2], is stretched: several of its elements share one place " ..
    "in memory; :clone() it first", mlpl.add, a, a, { out = mlpl.zeros(2):expand(2, 2) })
  local w, y = leaf { 1 }, mlpl.zeros(1)
  local text = "mul: out has no gradient, and an input or out requires one; do without " ..
    "out, or work under no_grad"
  fails(text, mlpl.mul, w, w, { out = y })
  fails(text, mlpl.mul, y, y, { out = w })
  values(mlpl.no_grad(mlpl.mul, w, 3, { out = y }), { 3 })
  values(mlpl.no_grad(mlpl.mul, y, 2, { out = w }), { 6 })
  local gone = mlpl.zeros(1)
  gone:release()
  lu.assertErrorMsgContains("mul: out is a tensor that was released", mlpl.mul, y, y,
    { out = gone })
end
