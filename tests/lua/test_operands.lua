-- What operations take beside tensors of one dtype: options that are numbers or tensors,
-- scaled operands, mixed dtypes, and the forms in place.

local lu = require "luaunit"
local mlpl = require "mlpl"
local expect = require "expect"

local values = expect.values
-- f(...) raises a sentence that begins like that.
local function fails(text, f, ...)
  lu.assertStrContains(expect.message(f, ...), text)
end
local function i64(t) return mlpl.tensor(t, { dtype = "i64" }) end
local function f64(t) return mlpl.tensor(t, { dtype = "f64" }) end
local function leaf(t) return mlpl.tensor(t, { dtype = "f64", requires_grad = true }) end
local check = mlpl.autograd.gradcheck
local check_twice = mlpl.autograd.gradgradcheck

TestAlpha = {}

function TestAlpha:test_sums_are_scaled()
  local x, y = mlpl.tensor { 1, 2, 3 }, mlpl.tensor { 10, 20, 30 }
  values(x:add(y, { alpha = 2 }), { 21, 42, 63 })
  values(x:sub(y, { alpha = 0.5 }), { -4, -8, -12 })
  values(x:rsub(y, { alpha = 2 }), { 8, 16, 24 })
  values(x:rsub(1), { 0, -1, -2 })
  values(mlpl.add(1, x, 3), { 4, 7, 10 })
  values(x:add(y, -1), { -9, -18, -27 })
end

function TestAlpha:test_in_place_and_out()
  local x, y = mlpl.tensor { 1, 2, 3 }, mlpl.zeros(3)
  lu.assertTrue(rawequal(x:add_(x, { alpha = 2 }), x))
  values(x, { 3, 6, 9 })
  values(x:sub_(1, { alpha = 3 }), { 0, 3, 6 })
  mlpl.add(x, x, { alpha = 2, out = y })
  values(y, { 0, 9, 18 })
end

function TestAlpha:test_whole_numbers_and_truth_values()
  values(i64 { 1, 2 }:add(i64 { 1, 2 }, { alpha = -3 }), { -2, -4 })
  local u = mlpl.tensor({ 250, 3 }, { dtype = "u8" })
  values(u:add(u, { alpha = 2 }), { 750 % 256, 9 })
  values(u:sub(u, { alpha = 2 }), { (-250) % 256, (-3) % 256 })
  fails("add: alpha is 0.5; beside whole numbers (i64) it must be a whole number, too",
    mlpl.add, i64 { 1 }, i64 { 1 }, { alpha = 0.5 })
  fails("add: unknown option 'beta'; the options are alpha", mlpl.add, u, u, { beta = 1 })
end

function TestAlpha:test_gradients()
  local function f(a, b) return a:add(b, { alpha = 3 }) * a:sub(b, { alpha = -2 }) end
  lu.assertTrue(check(f, { leaf { 1, 2 }, leaf { { 3 }, { 4 } } }))
  lu.assertTrue(check_twice(f, { leaf { 1, 2 }, leaf { 3, 4 } }))
end

TestBounds = {}

function TestBounds:test_tensors_as_bounds()
  local x = mlpl.tensor { -1, 0.5, 2 }
  values(x:clamp(mlpl.tensor { 0, 0, 3 }, 1), { 0, 0.5, 1 })
  values(x:clamp(nil, mlpl.tensor(0)), { -1, 0, 0 })
  values(x:clamp { min = mlpl.tensor { { 0 }, { 1 } } }, { { 0, 0.5, 2 }, { 1, 1, 2 } })
  values(x:clamp { max = { 0, 0, 0 } }, { -1, 0, 0 })
  values(x:clamp_min(0), { 0, 0.5, 2 })
  values(x:clamp_max(mlpl.tensor { 0, 0, 0 }), { -1, 0, 0 })
  values(x:clone():clamp_(mlpl.tensor(0), 1), { 0, 0.5, 1 })
  values(x:clone():clamp_max_(1), { -1, 0.5, 1 })
  values(i64 { 1, 5, 9 }:clamp(2, 7), { 2, 5, 7 })
  lu.assertEquals(i64 { 1 }:clamp(2, 7).dtype, "i64")
  lu.assertEquals(i64 { 1 }:clamp(2.5).dtype, "f32")
end

function TestBounds:test_gradients_reach_the_bounds()
  local x, low, high = leaf { -1, 0.5, 2, 0 }, leaf { 0, 0, 0, 3 }, leaf { 1, 1, 1, 1 }
  x:clamp(low, high):sum():backward()
  values(x.grad, { 0, 1, 0, 0 })
  values(low.grad, { 1, 0, 0, 0 })
  values(high.grad, { 0, 0, 1, 1 })
  lu.assertTrue(check_twice(function(a, b, c) return (a * a):clamp(b * b, c) end,
    { leaf { 0.3, 0.9, 1.7 }, leaf { 0.5, 0.5, 0.5 }, leaf { 2, 2, 2 } }))
end

function TestBounds:test_refusals()
  local x = mlpl.tensor { 1, 2, 3 }
  fails("clamp: sizes differ: input is [3], min is [2]", x.clamp, x, mlpl.zeros(2))
  fails("clamp: min holds 'x'; it must hold numbers", x.clamp, x, { 1, "x" })
  fails("clamp: min is given twice", x.clamp, x, x, { min = 1 })
  fails("clamp: max is 'a'; it must be a number or a tensor", x.clamp, x, x, "a")
  fails("clamp: unknown option 'mim'; the options are min, max", x.clamp, x, x, { mim = 1 })
  fails("clamp: one argument too many", x.clamp, x, x, x, x)
  fails("clamp_: the result is [2x3], and input, to hold it, is [3]", x.clamp_, x,
    mlpl.zeros(2, 1))
end

TestCounts = {}

function TestCounts:test_repeats_of_their_own()
  local x = mlpl.tensor { { 1, 2 }, { 3, 4 } }
  values(x:repeat_interleave(i64 { 2, 1 }, 1), { { 1, 2 }, { 1, 2 }, { 3, 4 } })
  values(x:repeat_interleave(i64 { 0, 1, 2, 1 }), { 2, 3, 3, 4 })
  values(x:repeat_interleave { repeats = { 1, 2 }, dim = 2 }, { { 1, 2, 2 }, { 3, 4, 4 } })
  values(x:repeat_interleave(mlpl.tensor({ 3 }, { dtype = "i64" })[1], 2),
    { { 1, 1, 1, 2, 2, 2 }, { 3, 3, 3, 4, 4, 4 } })
  values(x:repeat_interleave(2), { 1, 1, 2, 2, 3, 3, 4, 4 })
  lu.assertTrue(check_twice(function(v) return (v * v):repeat_interleave(i64 { 2, 0, 3 }) end,
    leaf { 1, 2, 3 }))
  fails("repeat_interleave: repeats holds -1; every one must be 0 or more",
    x.repeat_interleave, x, i64 { 1, -1 }, 1)
  fails("repeat_interleave: repeats is f32; counts are whole numbers (i64)",
    x.repeat_interleave, x, mlpl.ones(2), 1)
end

TestMixed = {}

function TestMixed:test_joined_dtypes_promote()
  local f, i, b = mlpl.tensor { 0.5 }, i64 { 7 }, mlpl.tensor { true }
  values(mlpl.cat { f, i, b }, { 0.5, 7, 1 })
  lu.assertEquals(mlpl.cat({ f, i, b }).dtype, "f32")
  lu.assertEquals(mlpl.cat({ b, i }).dtype, "i64")
  lu.assertEquals(mlpl.stack({ f, f64 { 1 } }).dtype, "f64")
  lu.assertEquals(mlpl.hstack({ i, f }).dtype, "f32")
  lu.assertEquals(mlpl.vstack({ i, b }).dtype, "i64")
  lu.assertEquals(mlpl.cat({ b, b }).dtype, "bool")
end

function TestMixed:test_each_gets_a_gradient_of_its_own_dtype()
  local a = mlpl.tensor({ 1, 2 }, { requires_grad = true })
  local b = leaf { 3 }
  local y = mlpl.cat { a, b, i64 { 1, 2, 3 } } * f64 { 1, 2, 3, 4, 5, 6 }
  y:sum():backward()
  values(a.grad, { 1, 2 })
  values(b.grad, { 3 })
  lu.assertEquals({ a.grad.dtype, b.grad.dtype }, { "f32", "f64" })
end

TestInPlace = {}

function TestInPlace:test_elements_put()
  local x = mlpl.zeros(2, 3)
  local at = i64 { { 1 }, { 3 } }
  lu.assertTrue(rawequal(x:scatter_(2, at, 7), x))
  values(x, { { 7, 0, 0 }, { 0, 0, 7 } })
  x:scatter_add_(2, at, mlpl.ones(2, 3))
  values(x, { { 8, 0, 0 }, { 0, 0, 8 } })
  x:index_add_(1, i64 { 2, 2 }, mlpl.ones(2, 3))
  values(x, { { 8, 0, 0 }, { 2, 2, 10 } })
  x:index_copy_(2, i64 { 2 }, mlpl.tensor { { 5 }, { 6 } })
  values(x, { { 8, 5, 0 }, { 2, 6, 10 } })
  x:index_fill_(2, i64 { 1 }, -1)
  values(x, { { -1, 5, 0 }, { -1, 6, 10 } })
  x:masked_fill_(x:lt(0), 0)
  values(x, { { 0, 5, 0 }, { 0, 6, 10 } })
  x:masked_scatter_(x:eq(0), mlpl.tensor { 1, 2, 3, 4 })
  values(x, { { 1, 5, 2 }, { 3, 6, 10 } })
end

function TestInPlace:test_a_source_that_is_the_receiver()
  local x = mlpl.tensor { 1, 2, 3 }
  x:scatter_(1, i64 { 2, 3, 1 }, x)
  values(x, { 3, 1, 2 })
  local t = mlpl.tensor { { 1, 2 }, { 3, 4 } }:t()
  t:scatter_(1, i64 { { 2, 1 }, { 1, 2 } }, t)
  values(t, { { 2, 3 }, { 1, 4 } })
end

function TestInPlace:test_what_fails_leaves_all_as_it_was()
  local x = mlpl.tensor { 1, 2, 3 }
  fails("scatter_: index 4 along axis 1", x.scatter_, x, 1, i64 { 1, 4 }, 9)
  fails("index_fill_: index 0 along axis 1", x.index_fill_, x, 1, i64 { 1, 0 }, 9)
  values(x, { 1, 2, 3 })
end

function TestInPlace:test_comparisons_keep_the_dtype()
  local x = mlpl.tensor { 1, 2, 3 }
  values(x:clone():eq_(2), { 0, 1, 0 })
  values(x:clone():ge_(x - 1), { 1, 1, 1 })
  lu.assertEquals(i64 { 1 }:lt_(2).dtype, "i64")
  values(mlpl.tensor { true, false }:logical_not_(), { false, true })
  values(x:clone():logical_and_(mlpl.tensor { 0, 1, 1 }), { 0, 1, 1 })
end

function TestInPlace:test_interpolations()
  local x = mlpl.tensor { 1, 2 }
  values(x:lerp_(mlpl.tensor { 3, 6 }, 0.5), { 2, 4 })
  values(x:addcmul_(x, x, { value = 2 }), { 10, 36 })
  values(x:addcdiv_(x, mlpl.tensor { 2, 3 }), { 15, 48 })
end

function TestInPlace:test_recorded()
  local x, v = leaf { 1, 2, 3 }, leaf { 5 }
  local y = x * 2
  y:index_copy_(1, i64 { 2 }, v)
  y:masked_fill_(mlpl.tensor { true, false, false }, 0)
  y:scatter_add_(1, i64 { 3 }, v)
  local total = (y * f64 { 1, 10, 100 }):sum()
  total:backward()
  values(x.grad, { 0, 0, 200 })
  values(v.grad, { 110 })
  fails("scatter_: input is a leaf that requires a gradient", x.scatter_, x, 1,
    i64 { 1 }, 0)
  local z = x * 2
  local w = z * z
  z:scatter_(1, i64 { 1 }, 0)
  fails("was changed in place after it was recorded", function() w:sum():backward() end)
end

TestNames = {}

function TestNames:test_messages_name_what_was_called()
  local x = mlpl.tensor { 1, 2, 3 }
  fails("allclose: sizes differ: a is [3], b is [2]", x.allclose, x, mlpl.zeros(2))
  fails("rand_like: dtype is i64; random real numbers need f32 or f64", mlpl.rand_like,
    i64 { 1 })
  fails("randn_like: dtype is bool; random real", mlpl.randn_like, x, { dtype = "bool" })
  fails("full_like: value 1.5 does not fit i64", mlpl.full_like, i64 { 1 }, 1.5)
  fails("full_like: value 300 does not fit u8", mlpl.full_like, x, 300, { dtype = "u8" })
  values(mlpl.full_like(i64 { 1, 2 }, 7), { 7, 7 })
end

TestGroups = {}

function TestGroups:test_what_goes_to_one_place()
  local x, at = mlpl.tensor { 1, 2, 3 }, i64 { 1, 1, 3 }
  local src = mlpl.tensor { 5, -6, 7 }
  values(x:scatter_reduce(1, at, src, "sum"), { 0, 2, 10 })
  values(x:scatter_reduce(1, at, src, "sum", false), { -1, 2, 7 })
  values(x:scatter_reduce(1, at, src, "mean", { include_self = false }), { -0.5, 2, 7 })
  values(x:scatter_reduce(1, at, src, "prod"), { -30, 2, 21 })
  values(x:scatter_reduce(1, at, src, "amax", false), { 5, 2, 7 })
  values(x:clone():scatter_reduce_(1, at, src, "amin"), { -6, 2, 3 })
  values(x:scatter_reduce(1, at, mlpl.tensor { 0 / 0, 1, 1 }, "amax"), { 0 / 0, 2, 3 })
  fails("scatter_reduce: reduce is 'max'; it must be one of prod, amax, amin, sum, mean",
    x.scatter_reduce, x, 1, at, src, "max")
  fails("scatter_reduce: index 4 along axis 1", x.scatter_reduce, x, 1, i64 { 4 }, src, "prod")
end

function TestGroups:test_zeros_among_factors_have_gradients()
  local x, src = leaf { 2, 0 }, leaf { 0, 3, 5, 0, 0 }
  local at = i64 { 1, 1, 2, 1, 2 }
  x:scatter_reduce(1, at, src, "prod"):sum():backward()
  values(x.grad, { 0, 0 })
  values(src.grad, { 0, 0, 0, 0, 0 })
  x, src = leaf { 2, 0 }, leaf { 0, 3, 5, 4, 1 }
  x:scatter_reduce(1, at, src, "prod"):sum():backward()
  values(x.grad, { 0, 5 })
  values(src.grad, { 24, 0, 0, 0, 0 })
  lu.assertTrue(check(function(a, b) return a:scatter_reduce(1, at, b, "prod") end,
    { leaf { 2, 0 }, leaf { 0, 3, 5, 4, 1 } }))
end

function TestGroups:test_several_quantiles()
  local x = mlpl.tensor { { 4, 1, 3, 2 }, { 40, 10, 30, 20 } }
  values(x:quantile({ 0, 0.5, 1 }, 2), { { 1, 10 }, { 2.5, 25 }, { 4, 40 } })
  values(x:quantile { q = mlpl.tensor { 0.5 }, dim = 2, keepdim = true },
    { { { 2.5 }, { 25 } } })
  values(x:quantile(mlpl.tensor(0.5), 2), { 2.5, 25 })
  values(x[1]:quantile(0.4, { interpolation = "nearest" }), 2)
  fails("quantile: q holds 1.5; every one must be from 0 to 1", x.quantile, x, { 0.5, 1.5 })
end

function TestGroups:test_slices_that_differ()
  local x = mlpl.tensor { { 2, 1 }, { 1, 9 }, { 2, 1 }, { 1, 3 } }
  local v, at, n = x:unique { dim = 1, return_inverse = true, return_counts = true }
  values(v, { { 1, 3 }, { 1, 9 }, { 2, 1 } })
  values(at, { 3, 2, 3, 1 })
  values(n, { 1, 1, 2 })
  values(mlpl.tensor { { 1, 1, 0 }, { 2, 2, 5 } }:unique { dim = 2 }, { { 0, 1 }, { 5, 2 } })
  v, at, n = mlpl.tensor { 1, 1, 2, 1 }:unique_consecutive(true, true)
  values(v, { 1, 2, 1 })
  values(at, { 1, 1, 2, 3 })
  values(n, { 2, 1, 1 })
  values(mlpl.tensor { { 1, 1 }, { 1, 1 }, { 0, 1 } }:unique_consecutive { dim = 1 },
    { { 1, 1 }, { 0, 1 } })
  lu.assertEquals(mlpl.zeros(0, 3):unique({ dim = 1 }).shape, { 0, 3 })
  lu.assertEquals(mlpl.tensor({ { 0 / 0 }, { 0 / 0 } }):unique({ dim = 1 }).shape, { 2, 1 })
  fails("unique: axis 3 is outside 1 to 2", x.unique, x, { dim = 3 })
  fails("unique_consecutive: axis 3 is outside 1 to 2", x.unique_consecutive, x, { dim = 3 })
end

function TestGroups:test_differences_at_the_ends()
  local x = mlpl.tensor { 1, 3, 6 }
  values(x:diff { prepend = mlpl.zeros(1), append = mlpl.tensor { 10 } }, { 1, 2, 3, 4 })
  values(x:diff(2, { prepend = mlpl.zeros(1) }), { 1, 1 })
  lu.assertTrue(check_twice(function(a, b) return (a * a):diff { append = b * b } end,
    { leaf { 1, 2, 5 }, leaf { 7 } }))
  fails("diff: input is [3], append is [1x1]; sizes must be equal but along axis 1", x.diff, x,
    { append = mlpl.zeros(1, 1) })
end

TestComposed = {}

function TestComposed:test_statistics()
  local x = mlpl.tensor { { 1, 2, 3 }, { 4, 0 / 0, 9 } }
  values(x:nansum(2), { 6, 13 })
  values(x:nanmean(1), { 2.5, 2, 6 })
  lu.assertNaN(mlpl.tensor { 0 / 0 }:nanmean():item())
  local v, m = x[1]:var_mean { correction = 0 }
  values(m, 2)
  values(v, 2 / 3, 1e-6)
  local low, high = x[1]:aminmax()
  values(low, 1)
  values(high, 3)
  values(mlpl.tensor { { 0, 1, 2 }, { 2, 1, 0 } }:cov(), { { 1, -1 }, { -1, 1 } })
  values(mlpl.tensor { 1, 2, 4 }:trapezoid(mlpl.tensor { 0, 2, 3 }), 6)
  values(mlpl.tensor { 7 }:trapezoid(), 0)
  values(mlpl.tensor { 1, 2, 4 }:cumulative_trapezoid { dx = 2 }, { 3, 9 })
  fails("nanmean: axis 3 is outside 1 to 2", x.nanmean, x, 3)
end

function TestComposed:test_orders_without_nan()
  local nan = 0 / 0
  local x = mlpl.tensor { { 4, nan, 1, 3 }, { nan, nan, nan, 7 }, { nan, nan, nan, nan } }
  local v, i = x:nanmedian(2)
  values(v, { 3, 7, nan })
  lu.assertEquals(i[{ { 1, 2 } }]:totable(), { 4, 4 })
  values(x:nanmedian(), 3)
  values(x:nanquantile(0.75, 2), { 3.5, 7, nan })
  values(x:nanquantile({ 0, 1 }, 2), { { 1, 7, nan }, { 4, 7, nan } })
  fails("nanquantile: q holds 2; every one must be from 0 to 1", x.nanquantile, x, { 2 })
  fails("nanquantile: q is missing", x.nanquantile, x)
  x = x:to "f64":requires_grad_()
  x:nanquantile(0.75, 2):nansum():backward()
  values(x.grad, { { 0.5, 0, 0, 0.5 }, { 0, 0, 0, 1 }, { 0, 0, 0, 0 } })
end

function TestComposed:test_distances()
  local x = mlpl.tensor { { 0, 0 }, { 3, 4 }, { 0, 1 } }
  values(x:pdist(), { 5, 1, 18 ^ 0.5 }, 1e-6)
  values(x:pdist(1), { 7, 1, 6 })
  values(x:pdist(math.huge), { 4, 1, 3 })
  values(x:dist(x[2]), (25 + 18) ^ 0.5, 1e-6)
  values(x:pairwise_distance(x[1], { eps = 0, keepdim = true }), { { 0 }, { 5 }, { 1 } })
  values(x:cosine_similarity(x[2]), { 0, 1, 0.8 }, 1e-6)
  values(x:normalize(), { { 0, 0 }, { 0.6, 0.8 }, { 0, 1 } }, 1e-6)
  values(x:normalize(1, 1), { { 0, 0 }, { 1, 0.8 }, { 0, 0.2 } }, 1e-6)
  fails("normalize: axis 3 is outside 1 to 2", x.normalize, x, 2, 3)
  fails("cosine_similarity: sizes differ: x1 is [3x2], x2 is [3]", x.cosine_similarity, x, mlpl.ones(3))
  fails("dist: sizes differ: input is [3x2], other is [3]", x.dist, x, mlpl.ones(3))
  fails("pdist: p is -1; it must be at least 0", x.pdist, x, -1)
end

function TestComposed:test_larger_and_smaller_but_nan()
  local nan = 0 / 0
  local a, b = leaf { 1, nan, 3, nan, 2 }, leaf { 2, 5, nan, nan, 2 }
  values(a:fmax(b), { 2, 5, 3, nan, 2 })
  values(a:fmin(b), { 1, 5, 3, nan, 2 })
  values(i64 { 1, 5 }:fmax(3), { 3, 5 })
  a:fmax(b)[{ { 1, 3 } }]:sum():backward()
  values(a.grad, { 0, 0, 1, 0, 0 })
  fails("fmax: sizes differ: a is [5], b is [2]", a.fmax, a, mlpl.ones(2))
end

function TestComposed:test_joined_as_columns_and_sheets()
  local a, b = mlpl.tensor { 1, 2 }, mlpl.tensor { 3, 4 }
  values(mlpl.column_stack { a, b }, { { 1, 3 }, { 2, 4 } })
  values(mlpl.column_stack { a, mlpl.eye(2) }, { { 1, 1, 0 }, { 2, 0, 1 } })
  values(mlpl.dstack { a, b }, { { { 1, 3 }, { 2, 4 } } })
  values(a:diagflat(1), { { 0, 1, 0 }, { 0, 0, 2 }, { 0, 0, 0 } })
  values(mlpl.tensor { { 1, 2 }, { 3, 4 } }:fliplr(), { { 2, 1 }, { 4, 3 } })
  values(mlpl.tensor { { 1, 2 }, { 3, 4 } }:flipud(), { { 3, 4 }, { 1, 2 } })
  fails("fliplr: input is [2]; it must have two axes or more", a.fliplr, a)
  fails("column_stack: tensor 2 is [3x1]", mlpl.column_stack, { a, mlpl.ones(3) })
end

function TestComposed:test_more_forms_in_place()
  local x = mlpl.tensor { { 1, 2 }, { 3, 4 } }
  values(x:clone():tril_(), { { 1, 0 }, { 3, 4 } })
  values(x:clone():triu_(1), { { 0, 2 }, { 0, 0 } })
  values(x:clone():cumsum_(1), { { 1, 2 }, { 4, 6 } })
  values(x:clone():cumprod_(2), { { 1, 2 }, { 3, 12 } })
  values(x:clone():addmm_(x, x), { { 8, 12 }, { 18, 26 } })
  values(x:clone():addr_(x[1], x[2]), { { 4, 6 }, { 9, 12 } })
end

function TestComposed:test_mode()
  local x = mlpl.tensor({ { 2, 1, 2, 1 }, { 5, 3, 3, 5 }, { 4, 4, 4, 0 } }, { dtype = "i64" })
  local v, i = x:mode()
  lu.assertEquals({ v:totable(), i:totable() }, { { 1, 3, 4 }, { 4, 3, 3 } })
  v, i = x:mode(1, true)
  lu.assertEquals({ v:totable(), i:totable() }, { { { 2, 1, 2, 0 } }, { { 1, 1, 1, 3 } } })
  values(mlpl.tensor { 0 / 0, 0 / 0, 1 }:mode(), 1)
  fails("mode: axis 3 is outside 1 to 2", x.mode, x, 3)
end

function TestComposed:test_weighted_covariance()
  local x = mlpl.tensor { { 1, 2, 4 }, { 0, 1, 5 } }
  local often = i64 { 1, 2, 3 }
  local each = x:repeat_interleave(often, 2)
  lu.assertTrue(x:cov { fweights = often }:allclose(each:cov()))
  local much = mlpl.tensor { 0.5, 0.25, 0.25 }
  values(x[1]:cov { aweights = much, correction = 0 }, 1.5, 1e-6)
  fails("cov: aweights has -1 at 2; weights are 0 or more", x.cov, x,
    { aweights = mlpl.tensor { 1, -1, 0 } })
  fails("cov: aweights is [2]; it must be [3]", x.cov, x, { aweights = mlpl.ones(2) })
  fails("cov: fweights is f32; it says how often", x.cov, x, { fweights = much })
end

function TestComposed:test_index_reduce()
  local x, at = mlpl.tensor { { 1, 2 }, { 3, 4 }, { 5, 6 } }, i64 { 1, 3, 1 }
  local source = mlpl.tensor { { 2, 3 }, { 4, 5 }, { 6, 7 } }
  values(x:index_reduce(1, at, source, "prod"), { { 12, 42 }, { 3, 4 }, { 20, 30 } })
  values(x:index_reduce(1, at, source, "mean", false), { { 4, 5 }, { 3, 4 }, { 4, 5 } })
  values(x:clone():index_reduce_(1, at, source, "amax"), { { 6, 7 }, { 3, 4 }, { 5, 6 } })
  fails("index_reduce: reduce is 'sum'; it must be one of prod, amax, amin, mean",
    x.index_reduce, x, 1, at, source, "sum")
  fails("index_reduce: source is [2x2]; with 3 indices along axis 1 it must be [3x2]",
    x.index_reduce, x, 1, at, x[{ { 1, 2 } }], "prod")
  fails("index_reduce: index 4 along axis 1", x.index_reduce, x, 1, i64 { 4 }, x, "prod")
end

function TestComposed:test_products()
  local x = mlpl.tensor { 1, 2 }
  values(x:addr(x, x, { alpha = 2 }), { { 3, 6 }, { 5, 10 } })
  values(mlpl.tensor { 0 / 0, 0 }:addmv(mlpl.eye(2), x, { beta = 0 }), { 1, 2 })
  values(mlpl.kron(x, mlpl.tensor { 1, 10 }), { 1, 10, 2, 20 })
  values(mlpl.block_diag { x, mlpl.tensor(5) }, { { 1, 2, 0 }, { 0, 0, 5 } })
  values(mlpl.cartesian_prod { x, i64 { 7, 8 } }, { { 1, 7 }, { 1, 8 }, { 2, 7 }, { 2, 8 } })
  values(x:combinations(2, { with_replacement = true }), { { 1, 1 }, { 1, 2 }, { 2, 2 } })
  local a = mlpl.zeros(30, 2, { requires_grad = true })
  a:cdist(a:detach()):sum():backward()                  -- by a product; all distances are 0
  values(a.grad[1], { 0, 0 })
  values(mlpl.ones(1, 2):cdist(mlpl.zeros(40, 2))[1][40], 2 ^ 0.5, 1e-6)
end

function TestComposed:test_element_by_element()
  values(mlpl.tensor { -0.0, 0, -1, 0 / 0 }:signbit():narrow(1, 1, 3), { true, false, true })
  values(mlpl.tensor { math.huge, -math.huge, 0 / 0 }:isposinf(), { true, false, false })
  values(mlpl.tensor { math.huge, -math.huge, 0 / 0 }:isneginf(), { false, true, false })
  values(mlpl.tensor { 1, 2, 0 / 0 }:isin(mlpl.tensor { 2, 0 / 0 }), { false, true, false })
  values(i64 { 1, 2 }:isin(2, { invert = true }), { true, false })
  values(mlpl.tensor { 1, 2, 9 }:isin(mlpl.zeros(0)), { false, false, false })
  values(i64 { 12, -8, 0 }:gcd(i64 { 18, 12, 5 }), { 6, 4, 5 })
  values(i64 { 4, -6, 0 }:lcm(6), { 12, 6, 0 })
  values(mlpl.tensor { 2.5, 2 }:bucketize(mlpl.tensor { 1, 2, 3 }, true), { 3, 3 })
  lu.assertEquals(i64 { 2 }:float_power(2).dtype, "f64")
  values(i64 { 3 }:ldexp(i64 { -1 }), { 1.5 })
  -- powers that are too large or too small by themselves
  local inf = math.huge
  values(mlpl.ldexp(mlpl.tensor { 0, 2 ^ -100, 2 ^ -149, 1, 2 ^ 100, 0, 1, -1 },
    mlpl.tensor { 200, 150, 276, -149, -249, 1e9, -1e9, inf }),
    { 0, 2 ^ 50, 2 ^ 127, 2 ^ -149, 2 ^ -149, 0, 0, -inf })
  local function f64(v) return mlpl.tensor(v, { dtype = "f64" }) end
  values(mlpl.ldexp(f64 { 0, 2 ^ -1074, 1.5, 0 }, f64 { 2000, 2097, -1073, 3000 }),
    { 0, 2 ^ 1023, 1.5 * 2 ^ -1073, 0 })
end

function TestComposed:test_shapes_of_several()
  local x, s = mlpl.ones(2, 1), mlpl.tensor(5)
  local a, b = mlpl.broadcast_tensors(x, mlpl.ones(3))
  lu.assertEquals({ a.shape, b.shape }, { { 2, 3 }, { 2, 3 } })
  fails("broadcast_tensors: tensor 2 has size 3 along axis -2, others have 2",
    mlpl.broadcast_tensors, x, mlpl.ones(3, 1))
  fails("broadcast_tensors: no tensors", mlpl.broadcast_tensors)
  lu.assertEquals(mlpl.atleast_1d(s).shape, { 1 })
  a, b = mlpl.atleast_2d(mlpl.ones(3), s)
  lu.assertEquals({ a.shape, b.shape }, { { 1, 3 }, { 1, 1 } })
  a, b = mlpl.atleast_3d(mlpl.ones(3), x)
  lu.assertEquals({ a.shape, b.shape }, { { 1, 3, 1 }, { 2, 1, 1 } })
end
