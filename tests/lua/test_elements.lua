-- Numbers that become elements: whole ones arrive in i64 as they are, also where a double
-- would round them, and NaN is a number like others.

local lu = require "luaunit"
local mlpl = require "mlpl"
local expect = require "expect"
local values, fails = expect.values, expect.fails

local autograd = mlpl.autograd
local nan, inf = 0 / 0, math.huge

local function i64(v) return mlpl.tensor(v, { dtype = "i64" }) end

-- ---- exact ----------------------------------------------------------------------------

TestElementsExact = {}

local exact = { (1 << 53) + 1, -(1 << 53) - 1, math.maxinteger, math.mininteger, 7,
  math.maxinteger - 1, math.maxinteger - 511 }

-- Each gives two elements that are v, behind one that is 1.
local ways = {
  full = function(v) return mlpl.cat { i64 { 1 }, mlpl.full({ 2 }, v, { dtype = "i64" }) } end,
  full_like = function(v) return mlpl.cat { i64 { 1 }, mlpl.full_like(i64 { 0, 0 }, v) } end,
  new_full = function(v) return mlpl.cat { i64 { 1 }, i64 { 0 }:new_full({ 2 }, v) } end,
  masked_fill = function(v)
    return i64 { 1, 2, 3 }:masked_fill(mlpl.tensor { false, true, true }, v)
  end,
  masked_fill_ = function(v)
    return i64 { 1, 2, 3 }:masked_fill_(mlpl.tensor { false, true, true }, v)
  end,
  index_fill = function(v) return i64 { 1, 2, 3 }:index_fill(1, i64 { 3, 2 }, v) end,
  index_fill_ = function(v) return i64 { 1, 2, 3 }:index_fill_(1, i64 { 3, 2 }, v) end,
  pad = function(v) return i64 { 1 }:pad({ 0, 2 }, "constant", v) end,
  ["pad, by name"] = function(v) return i64 { 1 }:pad { pad = { 0, 2 }, value = v } end,
  assignment = function(v)
    local x = i64 { 1, 2, 3 }
    x[{ { 2, 3 } }] = v
    return x
  end,
  ["assignment by a mask"] = function(v)
    local x = i64 { 1, 2, 3 }
    x[x:gt(1)] = v
    return x
  end,
  fill_ = function(v)
    local x = i64 { 1, 2, 3 }
    x:narrow(1, 2, 2):fill_(v)
    return x
  end,
  scatter = function(v) return i64 { 1, 2, 3 }:scatter(1, i64 { 2, 3 }, v) end,
  where = function(v) return mlpl.where(mlpl.tensor { true, false, false }, i64 { 1 }, v) end,
}

function TestElementsExact:test_whole_numbers_arrive_as_they_are()
  for name, way in pairs(ways) do
    for _, v in ipairs(exact) do
      local y = way(v)
      lu.assertEquals(y.dtype, "i64", name)
      lu.assertEquals(y:totable(), { 1, v, v }, name)
    end
  end
end

function TestElementsExact:test_floats_that_are_whole_arrive_too()
  for name, way in pairs(ways) do
    if name ~= "where" and name ~= "scatter" then    -- there a float makes reals
      lu.assertEquals(way(2.0 ^ 60):totable(), { 1, 1 << 60, 1 << 60 }, name)
    end
  end
end

function TestElementsExact:test_arange()
  local function range(...) return mlpl.arange(...):totable() end
  local most, least = math.maxinteger, math.mininteger
  local big, whole = (1 << 53) + 1, { dtype = "i64" }
  lu.assertEquals(range(big, big + 2, whole), { big, big + 1, big + 2 })
  lu.assertEquals(range(big + 4, big, -3, whole), { big + 4, big + 1 })
  lu.assertEquals(range(most - 1, most, whole), { most - 1, most })
  lu.assertEquals(range(least, least + 1, whole), { least, least + 1 })
  lu.assertEquals(range(least, most, most, whole), { least, -1, most - 1 })
  lu.assertEquals(range(most, least, least, whole), { most, -1 })
  lu.assertEquals(range(most, least, whole), {})
  lu.assertEquals(range(1, 2.5, whole), { 1, 2 })
  lu.assertEquals(range(1.0, 5.0, 2.0, whole), { 1, 3, 5 })
  fails("arange: from 1 to 5 by 0; bounds must be finite, the step not 0", mlpl.arange, 1, 5, 0,
    whole)
  fails("arange: from first to last there are 1.84467e+19 elements, which is too many",
    mlpl.arange, least, most, whole)
end

function TestElementsExact:test_what_does_not_fit()
  local x, at = i64 { 1, 2 }, i64 { 1 }
  local bytes = x:to "u8"
  local too_large = 2.0 ^ 63
  fails("masked_fill: value is 9.22337e+18, which i64 cannot hold", x.masked_fill, x, x:gt(1),
    too_large)
  fails("masked_fill: value is 2.5, which i64 cannot hold", x.masked_fill, x, x:gt(1), 2.5)
  fails("index_fill: value is 9.22337e+18, which i64 cannot hold", x.index_fill, x, 1, at,
    too_large)
  fails("index_fill_: value is 300, which u8 cannot hold", bytes.index_fill_, bytes, 1, at, 300)
  fails("pad: value is -1, which u8 cannot hold", bytes.pad, bytes, { 1, 1 }, "constant", -1)
  for _, v in ipairs { nan, inf, -inf } do
    local text = (" value is %s, which i64 cannot hold"):format(v ~= v and "nan" or
      v > 0 and "inf" or "-inf")
    fails("masked_fill:" .. text, x.masked_fill, x, x:gt(1), v)
    fails("index_fill:" .. text, x.index_fill, x, 1, at, v)
    fails("pad:" .. text, x.pad, x, { 1, 1 }, "constant", v)
  end
  values(x:index_fill(1, at, -2.5), { -2, 2 })    -- as in PyTorch: to 0
  values(x:gt(1):pad({ 1, 0 }, "constant", 2.5), { true, false, true })
  values(x, { 1, 2 })
end

-- ---- NaN ------------------------------------------------------------------------------

TestElementsNan = {}

-- Like PyTorch's: what f gives of x, and the gradient of its sum.
local function expect_of(f, x, wanted, slope)
  for _, create_graph in ipairs { false, true } do
    local leaf = mlpl.tensor(x, { requires_grad = true })
    local y = f(leaf)
    values(y, wanted)
    values(autograd.grad(y:sum(), leaf, { create_graph = create_graph }), slope)
  end
end

function TestElementsNan:test_it_is_put_in()
  local x, ones = { -2, 0.5, 3 }, { 1, 1, 1 }
  local mask = mlpl.tensor { true, false, true }
  expect_of(function(v) return v:masked_fill(mask, nan) end, x, { nan, 0.5, nan }, { 0, 1, 0 })
  expect_of(function(v) return (v * 1):masked_fill_(mask, nan) end, x, { nan, 0.5, nan },
    { 0, 1, 0 })
  expect_of(function(v) return v:index_fill(1, i64 { 2 }, nan) end, x, { -2, nan, 3 }, { 1, 0, 1 })
  expect_of(function(v) return v:pad({ 1, 0 }, "constant", nan) end, x, { nan, -2, 0.5, 3 }, ones)
  expect_of(function(v) return v:threshold(1, nan) end, x, { nan, nan, 3 }, { 0, 0, 1 })
  expect_of(function(v) return v:nan_to_num(nan) end, { nan, 1 }, { nan, 1 }, { 0, 1 })
  expect_of(function(v) return v:nan_to_num { posinf = nan, neginf = 3 } end,
    { nan, inf, -inf, 1 }, { 0, nan, 3, 1 }, { 0, 0, 0, 1 })
end

function TestElementsNan:test_as_a_bound()
  local x, nothing, all = { -2, 0.5, 3 }, { 0, 0, 0 }, { nan, nan, nan }
  expect_of(function(v) return v:clamp(nan) end, x, all, nothing)
  expect_of(function(v) return v:clamp { max = nan } end, x, all, nothing)
  expect_of(function(v) return v:clamp(nan, 1) end, x, all, nothing)
  expect_of(function(v) return (v * 1):clamp_(0, nan) end, x, all, nothing)
  expect_of(function(v) return v:hardtanh(nan, 1) end, x, all, { 1, 1, 0 })
  expect_of(function(v) return v:hardtanh(-1, nan) end, x, all, { 0, 1, 1 })
  expect_of(function(v) return v:threshold(nan, 5) end, x, x, { 1, 1, 1 })
end

-- What was asked for is no anomaly; elsewhere NaN is refused as before.
function TestElementsNan:test_where_it_is_meant()
  local x = mlpl.ones(2)
  mlpl.detect_anomaly(function()
    values(x:masked_fill(mlpl.tensor { true, false }, nan), { nan, 1 })
  end)
  fails("add: alpha is nan; it must be at least -inf", x.add, x, x, nan)
  fails("leaky_relu: negative_slope is nan; it must be at least -inf", x.leaky_relu, x, nan)
end

-- A number in a tensor has to fit as a number does: 2^63 is not the largest i64.
function TestElementsExact:test_a_tensor_as_fill_fits_by_the_same_rule()
  local x, mask = mlpl.zeros(2, { dtype = "i64" }), mlpl.tensor { true, false }
  local function one(v, dtype) return mlpl.tensor(v, { dtype = dtype }) end
  lu.assertErrorMsgContains("which i64 cannot hold", x.masked_fill, x, mask, one(2.0 ^ 63, "f64"))
  lu.assertErrorMsgContains("which i64 cannot hold", x.masked_fill, x, mask, one(1.5, "f64"))
  lu.assertEquals(x:masked_fill(mask, one(math.maxinteger, "i64")):totable(), { math.maxinteger, 0 })
  lu.assertEquals(x:masked_fill(mask, one(2.0 ^ 62, "f64")):totable(), { 1 << 62, 0 })
end
