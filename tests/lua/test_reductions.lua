-- Reductions, cumulative operations, orders and counts as scripts see them: axes and
-- places count from 1, several results, options and what is said about wrong ones.

local lu = require "luaunit"
local mlpl = require "mlpl"
local expect = require "expect"

local values, fails = expect.values, expect.fails
local tensor, inf, nan = mlpl.tensor, math.huge, 0 / 0

local function i64(t) return tensor(t, { dtype = "i64" }) end

-- ---- several axes -----------------------------------------------------------------------

TestAxes = {}

function TestAxes:setUp()
  self.x = mlpl.arange(24):reshape(2, 3, 4)
end

function TestAxes:tearDown() self.x = nil end

function TestAxes:test_one_several_or_all()
  local x = self.x
  values(x:sum { dim = { 1, 3 } }, { 68, 100, 132 })
  values(x:sum({ 1, 3 }), { 68, 100, 132 })
  values(x:sum({ -1, 1 }, true), { { { 68 }, { 100 }, { 132 } } })
  values(x:sum({ 3, 1 }, { keepdim = true }), { { { 68 }, { 100 }, { 132 } } })
  values(x:mean { dim = { 2, 3 } }, { 6.5, 18.5 })
  values(x:amax { dim = { 1, 2, 3 } }, 24)
  values(x:sum { dim = {} }, 300)                      -- no axes are all, as in PyTorch
  values(x:sum({ 2 }):sum(), 300)
  lu.assertEquals(x:amin({ 1, 2 }, true).shape, { 1, 1, 4 })
  lu.assertEquals(x:count_nonzero { dim = { 1, 2 } }:totable(), { 6, 6, 6, 6 })
end

function TestAxes:test_misused()
  local x = self.x
  fails("sum: axis 2 is given twice", x.sum, x, { 2, -2 })
  fails("sum: axis 4 is outside 1 to 3 (or -3 to -1 from the end)", x.sum, x, { 1, 4 })
  fails("sum: dim is 0; it counts from 1, or from -1 at the end", x.sum, x, { 1, 0 })
  fails("sum: dim has 9 axes; a tensor has at most 8", x.sum, x,
    { 1, 1, 1, 1, 1, 1, 1, 1, 1 })
  fails("sum: dim is 1.5; it must be a whole number", x.sum, x, { 1, 1.5 })
  fails("sum: unknown key 'keepdim' among the axes", x.sum, x, { 1, 2, keepdim = true })
  fails("sum: dim is 'all'; it must be an axis or an array of axes", x.sum, x, "all")
  fails("max: dim is a table; it must be a whole number", x.max, x, { 1, 2 })
end

-- ---- reductions -------------------------------------------------------------------------

TestReductions = {}

function TestReductions:test_moments()
  local x = tensor({ { 1, 5, 3 }, { 4, 2, 6 } }, { dtype = "f64" })
  values(x:var(), 3.5)
  values(x:var(2), { 4, 4 })
  values(x:var(2, false), { 8 / 3, 8 / 3 }, 1e-14)
  values(x:var { dim = 2, correction = 0 }, { 8 / 3, 8 / 3 }, 1e-14)
  values(x:std { dim = { 1, 2 }, unbiased = false }, (35 / 12) ^ 0.5, 1e-14)
  values(x:norm(), 91 ^ 0.5, 1e-14)
  values(x:norm(1, 1), { 5, 7, 9 })
  values(x:norm(inf, 2, true), { { 5 }, { 6 } })
  values(x:norm { p = -inf }, 1)
  values(x:prod(), 720)
  values(x:prod { dim = 1 }, { 4, 10, 18 })
  values(tensor { 0, 0 }:logsumexp(1), math.log(2), 1e-6)
  lu.assertNaN(tensor(1):var():item())
end

function TestReductions:test_extremes_and_truth()
  local x = tensor { { 1, 5, 3 }, { 4, 2, 6 } }
  local v, i = x:min(2)
  values(v, { 1, 2 })
  lu.assertEquals(i:totable(), { 1, 2 })
  values(x:min(), 1)
  lu.assertEquals(x:argmin():item(), 1)
  lu.assertEquals(x:argmin(1):totable(), { 1, 2, 1 })
  values(x:amin(1), { 1, 2, 3 })
  local b = tensor { { true, false }, { true, true } }
  lu.assertEquals(b:any(1):totable(), { true, true })
  lu.assertEquals(b:all(1):totable(), { true, false })
  lu.assertEquals(b:all().dtype, "bool")
  lu.assertEquals(b:sum():item(), 3)
  lu.assertEquals(b:sum().dtype, "i64")
  lu.assertEquals(x:count_nonzero():item(), 6)
  lu.assertEquals(i64 { 2, 3 }:prod():item(), 6)
  fails("mean: input is i64; it must be f32 or f64 (convert with :to)",
    i64 { 1 }.mean, i64 { 1 })
  fails("min: [0x3] has no elements to choose from along axis 1", x.min, mlpl.zeros(0, 3))
end

-- ---- cumulative -------------------------------------------------------------------------

TestCumulative = {}

function TestCumulative:test_along_an_axis()
  local x = tensor { { 1, 5, 3 }, { 4, 2, 6 } }
  values(x:cumsum(2), { { 1, 6, 9 }, { 4, 6, 12 } })
  values(x:cumsum(1), { { 1, 5, 3 }, { 5, 7, 9 } })
  values(x:cumprod(-1), { { 1, 5, 15 }, { 4, 8, 48 } })
  local v, i = x:cummax(2)
  values(v, { { 1, 5, 5 }, { 4, 4, 6 } })
  lu.assertEquals(i:totable(), { { 1, 2, 2 }, { 1, 1, 3 } })
  v, i = x:cummin(2)
  values(v, { { 1, 1, 1 }, { 4, 2, 2 } })
  lu.assertEquals(i:totable(), { { 1, 1, 1 }, { 1, 2, 2 } })
  values(tensor { 0, 0 }:logcumsumexp(1), { 0, math.log(2) }, 1e-6)
  values(x:diff(), { { 4, -2 }, { -2, 4 } })
  values(x:diff(1, 1), { { 3, -3, 3 } })
  values(x:diff { n = 2 }, { { -6 }, { 6 } })
  lu.assertEquals(i64 { 3, 4 }:cumsum(1).dtype, "i64")
  lu.assertEquals(tensor { true, true }:cumsum(1):totable(), { 1, 2 })
  fails("cumsum: dim is missing", x.cumsum, x)
end

-- ---- order ------------------------------------------------------------------------------

TestOrder = {}

function TestOrder:test_sort_gives_values_and_places()
  local x = tensor { { 3, 1, 2 }, { 4, nan, 6 } }
  local v, i = x:sort(2)
  values(v, { { 1, 2, 3 }, { 4, 6, nan } })
  lu.assertEquals(i:totable(), { { 2, 3, 1 }, { 1, 3, 2 } })
  v = x:sort(-1, true)
  values(v, { { 3, 2, 1 }, { nan, 6, 4 } })
  lu.assertEquals(x:argsort { dim = 1, descending = true }:totable(),
    { { 2, 2, 2 }, { 1, 1, 1 } })
  local _, places = tensor { 1, 0, 1, 0 }:sort { descending = true, stable = true }
  lu.assertEquals(places:totable(), { 1, 3, 2, 4 })
  local words = i64 { 5, -1, 3 }:sort()
  lu.assertEquals(words:totable(), { -1, 3, 5 })
end

-- As many firsts as are kept in order as they come, and one more; many are equal.
function TestOrder:test_topk_is_the_start_of_sort()
  local function plain(t) return t.dtype == "f32" and t:nan_to_num(99) or t end
  for _, dtype in ipairs { "f32", "f64", "i64", "u8" } do
    local x = mlpl.randint(0, 20, { 7, 60 }):to(dtype)
    if dtype == "f32" then x[{ 3, 5 }] = nan end
    for axis, t in pairs { [2] = x, [1] = x:t() } do
      for _, largest in ipairs { true, false } do
        local all, places = t:sort(axis, largest)
        for _, k in ipairs { 1, 2, 15, 16, 17, 59, 60 } do
          local v, i = t:topk(k, axis, largest)
          lu.assertTrue(i:eq(places:narrow(axis, 1, k)):all():item())
          v, all = plain(v), plain(all)
          lu.assertTrue(v:eq(all:narrow(axis, 1, k)):all():item())
        end
      end
    end
  end
end

function TestOrder:test_chosen_by_order()
  local x = tensor { { 3, 1, 2 }, { 4, 9, 6 } }
  local v, i = x:topk(2)
  values(v, { { 3, 2 }, { 9, 6 } })
  lu.assertEquals(i:totable(), { { 1, 3 }, { 2, 3 } })
  values((x:topk(1, 1, false)), { { 3, 1, 2 } })
  v, i = x:kthvalue(1)
  values(v, { 1, 4 })
  lu.assertEquals(i:totable(), { 2, 1 })
  v, i = x:median(2)
  values(v, { 2, 6 })
  lu.assertEquals(i:totable(), { 3, 3 })
  values(x:median(), 3)
  v, i = mlpl.zeros(0, 0):median(2)
  lu.assertEquals(v.shape, { 0 })
  lu.assertEquals(i.dtype, "i64")
  values(x:quantile(0.5), 3.5)
  values(x:quantile(0.25, 2, true), { { 1.5 }, { 5 } })
  fails("topk: k is 4; axis 2 has 3 elements", x.topk, x, 4)
  fails("quantile: q is -1; it must be from 0 to 1", x.quantile, x, -1)
end

function TestOrder:test_sort_passes_gradients_back()
  local x = tensor({ 3, 1, 2 }, { requires_grad = true })
  ;(x:sort() * tensor { 10, 20, 30 }):sum():backward()
  values(x.grad, { 30, 10, 20 })
end

function TestOrder:test_searching()
  local s = tensor { 1, 3, 3, 5 }
  lu.assertEquals(s:searchsorted(tensor { 0, 3, 9 }):totable(), { 1, 2, 5 })
  lu.assertEquals(s:searchsorted(tensor { 0, 3, 9 }, true):totable(), { 1, 4, 5 })
end

-- ---- counts -----------------------------------------------------------------------------

TestCounts = {}

-- Bin c counts what equals c.
function TestCounts:test_labels_count_from_one()
  local labels = i64 { 1, 3, 3 }
  lu.assertEquals(labels:bincount():totable(), { 1, 0, 2 })
  lu.assertEquals(labels:bincount { minlength = 4 }:totable(), { 1, 0, 2, 0 })
  values(labels:bincount(tensor { 0.5, 1, 2 }), { 0.5, 0, 3 })
  values(labels:bincount { weights = tensor { 0.5, 1, 2 } }, { 0.5, 0, 3 })
  fails("bincount: input element 2 is 0; what is counted must be 1 or more",
    labels.bincount, i64 { 1, 0 })
end

function TestCounts:test_histogram()
  local x = tensor { 1, 2, 1, 4 }
  values(x:histc(3), { 2, 1, 1 })
  values(x:histc { bins = 2, min = 0, max = 2 }, { 0, 3 })
  for _, v in ipairs { 0, 1e17, -1e30, 1e308 } do    -- one to either side may be nothing
    values(mlpl.full({ 2 }, v, { dtype = "f64" }):histc(3), { 0, 2, 0 })
  end
  values(mlpl.tensor({ -1.5e308, 0, 1.5e308 }, { dtype = "f64" }):histc(2), { 1, 2 })
end

function TestCounts:test_unique()
  local x = tensor { { 3, 1 }, { 3, 2 } }
  values(x:unique(), { 1, 2, 3 })
  local v, at, n = x:unique { return_inverse = true, return_counts = true }
  values(v, { 1, 2, 3 })
  lu.assertEquals(at:totable(), { { 3, 1 }, { 3, 2 } })
  lu.assertEquals(n:totable(), { 1, 1, 2 })
  v, n = x:unique { return_counts = true }
  lu.assertEquals(n:totable(), { 1, 1, 2 })
  lu.assertNil((select(2, x:unique())))
  fails("unique: unknown option 'axis'; the options are sorted, return_inverse, " ..
    "return_counts, dim", x.unique, x, { axis = 1 })
end
