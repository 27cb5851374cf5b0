local lu = require "luaunit"
local mlpl = require "mlpl"
local expect = require "expect"

local values, fails = expect.values, expect.fails

TestIndex = {}

function TestIndex:setUp() self.x = mlpl.arange(12):reshape(3, 4) end
function TestIndex:tearDown() self.x = nil end

function TestIndex:test_rows_count_from_one()
  local x = self.x
  values(x[1], { 1, 2, 3, 4 })
  values(x[3], { 9, 10, 11, 12 })
  values(x[-1], { 9, 10, 11, 12 })
  values(x[-3], { 1, 2, 3, 4 })
  values(x[2.0], { 5, 6, 7, 8 })
  lu.assertEquals(x[2][3]:item(), 7)
  lu.assertEquals(x[2][3].shape, {})
end

function TestIndex:test_tables_hold_one_entry_for_each_axis()
  local x = self.x
  lu.assertEquals(x[{ 2, 3 }]:item(), 7)
  lu.assertEquals(x[{ -1, -1 }]:item(), 12)
  values(x[{ 2 }], { 5, 6, 7, 8 })
  values(x[{ {}, 2 }], { 2, 6, 10 })
  values(x[{ { 1, 2 }, 2 }], { 2, 6 })
  values(x[{ { 2, 3 } }], { { 5, 6, 7, 8 }, { 9, 10, 11, 12 } })
  values(x[{ { 2, 3 }, { 1, 2 } }], { { 5, 6 }, { 9, 10 } })
  values(x[{ { -2, -1 }, -1 }], { 8, 12 })
  values(x[{ {}, {} }], x:totable())
  values(x[{}], x:totable())
end

function TestIndex:test_ranges_include_both_ends_and_may_be_empty()
  local x = self.x
  lu.assertEquals(x[{ { 2, 2 } }].shape, { 1, 4 })
  lu.assertEquals(x[{ { 2, 1 } }].shape, { 0, 4 })
  lu.assertEquals(x[{ { 1, 0 } }].shape, { 0, 4 })
  lu.assertEquals(x[{ { 4, 3 } }].shape, { 0, 4 })
  lu.assertEquals(x[{ {}, { 3, 2 } }].shape, { 3, 0 })
  lu.assertEquals(mlpl.zeros(0, 2)[{ { 1, 0 } }].shape, { 0, 2 })
  lu.assertEquals(x[{ { 1, -1 } }].shape, { 3, 4 })
  -- however its ends are written
  local one, none = mlpl.tensor { 5 }, mlpl.zeros(0, 3)
  for _, range in ipairs { { 1, 0 }, { 1, -2 }, { 2, 1 }, { 2, -1 }, { -1, 0 }, { -1, -2 } } do
    lu.assertEquals(one[{ range }].shape, { 0 })
  end
  lu.assertEquals(none[{ { 1, -1 } }].shape, { 0, 3 })
  lu.assertEquals(none[{ { 1, 0 } }].shape, { 0, 3 })
  fails("index 0 is outside axis 1, which has size 1 (indices count from 1)", function() return one[{ { 0, -2 } }] end)
  fails("index -2 is outside axis 1, which has size 1", function() return one[{ { -2, -3 } }] end)
  fails("index -3 is outside axis 1, which has size 1", function() return one[{ { 1, -3 } }] end)
  fails("index 3 is outside axis 1, which has size 1", function() return one[{ { 3, 2 } }] end)
end

-- Releasing what a key gave, as <close> does, leaves what it was taken of.
function TestIndex:test_a_key_for_everything_gives_a_view()
  local x, one = self.x, mlpl.tensor(3)
  for _, key in ipairs { {}, { {} }, { {}, {} }, { { 1, 3 } }, { { 1, -1 }, { 1, 4 } } } do
    do
      local part <close> = x[key]
      lu.assertFalse(rawequal(part, x))
      lu.assertEquals(part.shape, { 3, 4 })
      part[1] = 100
    end
    values(x[1], { 100, 100, 100, 100 })
    x[1] = 1
  end
  one[{}]:release()
  lu.assertEquals(one:item(), 3)
  local leaf = mlpl.ones(2, { requires_grad = true })
  leaf[{}]:sum():backward()
  values(leaf.grad, { 1, 1 })
end

function TestIndex:test_views_share_memory()
  local x, init = self.x, mlpl.nn.init
  init.constant_(x[1], 0)
  init.constant_(x[{ { 2, 3 }, 2 }], -1)
  init.constant_(x[{ 3, 4 }], 100)
  values(x, { { 0, 0, 0, 0 }, { 5, -1, 7, 8 }, { 9, -1, 11, 100 } })
  init.ones_(x:t()[1])
  values(x[{ {}, 1 }], { 1, 1, 1 })
  local row = x[2]
  -- the view keeps the memory
  x:release()
  values(row, { 1, -1, 7, 8 })
end

function TestIndex:test_gradients_flow_through()
  local x = mlpl.zeros(2, 3, { requires_grad = true })
  local y = x[2] * 3 + x[{ {}, 2 }]:sum()
  y:sum():backward()
  values(x.grad, { { 0, 3, 0 }, { 3, 6, 3 } })
end

function TestIndex:test_three_axes()
  local x = mlpl.arange(24):reshape(2, 3, 4)
  values(x[{ 2, {}, 4 }], { 16, 20, 24 })
  values(x[{ {}, 3, { 1, 2 } }], { { 9, 10 }, { 21, 22 } })
  values(x[{ {}, { 1, 2 }, 1 }], { { 1, 5 }, { 13, 17 } })
end

function TestIndex:test_out_of_range()
  local x = self.x
  local function get(text, key) fails(text, function() return x[key] end) end
  get("index 4 is outside axis 1, which has size 3", 4)
  get("index -4 is outside axis 1, which has size 3", -4)
  get("index 0 is outside axis 1, which has size 3 (indices count from 1)", 0)
  get("index 5 is outside axis 2, which has size 4", { 1, 5 })
  get("index 5 is outside axis 2, which has size 4", { { 1, 2 }, { 1, 5 } })
  get("index 0 is outside axis 2, which has size 4 (indices count from 1)",
    { 1, { 0, 2 } })
  get("range {3, 1} of axis 1 runs backwards; {3, 1, -1} gives it in that order", { { 3, 1 } })
  get("3 indices for a tensor with 2 axes", { 1, 1, 1 })
  get("index -9223372036854775808 is outside axis 1, which has size 3", math.mininteger)
  get("index 9223372036854775807 is outside axis 1, which has size 3",
    { { 1, math.maxinteger } })
  fails("a tensor without axes cannot be indexed; :item() gives its value", function()
    return mlpl.tensor(1)[1]
  end)
  fails("1 index for a tensor with 0 axes", function() return mlpl.tensor(1)[{ 1 }] end)
end

function TestIndex:test_index_tensors_that_do_not_go_together()
  local x = mlpl.arange(24):reshape(2, 3, 4)
  local function i64(v) return mlpl.tensor(v, { dtype = "i64" }) end
  local rule = "; the sizes of index tensors, aligned at the last axis, must be equal or 1"
  fails("index: entry 1 is [0], entry 3 is [2x3]" .. rule, function()
    return x[{ mlpl.zeros({ 0 }, { dtype = "i64" }), {}, i64 { { 1, 1, 1 }, { 1, 1, 1 } } }]
  end)
  local mask = mlpl.tensor { { true, false, true }, { true, false, false } }
  fails("index: entry 1 is a mask with 3 places, entry 2 is [2]" .. rule ..
    " (a mask counts as a list of its places)", function() return x[{ mask, i64 { 1, 2 } }] end)
  lu.assertErrorMsgContains("entry 1 is a mask with 3 places, entry 2 is [2]", function()
    x[{ mask, i64 { 1, 2 } }] = 0
  end)
end

-- so that code written for any number of axes serves for none
function TestIndex:test_a_mask_of_one_number()
  local x = mlpl.tensor(3)
  lu.assertEquals(x[x:gt(2)]:totable(), { 3 })
  lu.assertEquals(x[x:lt(2)].shape, { 0 })
  x[x:lt(2)] = 7
  lu.assertEquals(x:item(), 3)
  x[x:gt(2)] = 2
  lu.assertEquals(x:item(), 2)
  local w = mlpl.tensor(5, { requires_grad = true })
  local y = w * 1
  y[y:gt(9)] = 0
  y:backward()
  lu.assertEquals(w.grad:item(), 1)
  y = w * 1
  y[y:gt(2)] = 0
  y:backward()
  lu.assertEquals(w.grad:item(), 1)
  fails("1 index for a tensor with 0 axes", function() return x[{ x:gt(1) }] end)
end

function TestIndex:test_what_is_no_index()
  local x = self.x
  local rule = "; an index is a whole number, a range {first, last}, {} for the " ..
    "whole axis, a mask or an index tensor"
  local function get(text, key) fails(text, function() return x[key] end) end
  get("the index is 1.5" .. rule, 1.5)
  get("the index is true" .. rule, true)
  get("the index is nil" .. rule, nil)
  get("an index tensor is f32; indices are i64, masks are bool", mlpl.tensor(1))
  get("an entry of the index table is '1'" .. rule, { "1" })
  get("an end of a range is 0.5" .. rule, { { 0.5, 2 } })
  get("a range has 1 number; it is {first, last}, {first, last, step}, or {} for the " ..
    "whole axis", { { 1 } })
  get("index: unknown key 'dim' among the indices", { 1, dim = 1 })
  get("index: unknown key 'first' among the ends of a range", { { first = 1 } })
  get("a tensor has no field or method '1'", "1")
end

function TestIndex:test_narrow_and_select()
  local x = self.x
  values(x:narrow(2, 2, 2), { { 2, 3 }, { 6, 7 }, { 10, 11 } })
  values(x:narrow(1, -1, 1), { { 9, 10, 11, 12 } })
  values(x:select(2, -1), { 4, 8, 12 })
  values(x:select { dim = 1, index = 2 }, { 5, 6, 7, 8 })
  fails("narrow: start 3 and length 2 do not lie within axis 1, which has size 3", x.narrow, x, 1, 3, 2)
  fails("narrow: start is 0; it counts from 1, or from -1 at the end", x.narrow, x, 1, 0,
    2)
  fails("narrow: length is missing", x.narrow, x, 1, 1)
  fails("narrow: length is 9.2233720368547758e+18; it must be at most 9e+15", x.narrow, x,
    1, 1, math.maxinteger)
  fails("select: index 4 is outside axis 1, which has size 3", x.select, x, 1, 4)
  fails("select: axis 3 is outside 1 to 2 (or -2 to -1 from the end)", x.select, x, 3, 1)
end

function TestIndex:test_ipairs_says_what_to_do()
  local seen = 0
  local function loop(x) for _, v in ipairs(x) do seen = seen + v:item() end end
  local ok, message = pcall(loop, mlpl.arange(3))
  lu.assertFalse(ok)
  lu.assertEquals(seen, 6)
  local line = debug.getinfo(loop, "S").linedefined
  lu.assertEquals(message, ("tests/lua/test_index.lua:%d: ipairs finds no end in a tensor; "
    .. "for i = 1, #x goes through it"):format(line))
end

-- ---- long runs: places are made a chunk at a time, runs are cut among threads -----------

TestLongIndex = {}

function TestLongIndex:test_gather_and_scatter_agree_with_loops()
  for _, n in ipairs { 511, 512, 513, 1300 } do
    local x = mlpl.rand(20, n)
    local across, down = mlpl.randint(1, n, { 20, n }), mlpl.randint(1, 20, { 20, n })
    local src = mlpl.randint(0, 9, { 20, n }):to "f32"
    for axis, index in pairs { down, across } do
      local got, put, sum = x:gather(axis, index), x:scatter(axis, index, src),
        x:scatter_add(axis, index, src):totable()
      local a, b, at, s = got:totable(), put:totable(), index:totable(), src:totable()
      local from = x:totable()
      local last = x:totable()
      for i = 1, 20 do
        for j = 1, n do
          local r, c = axis == 1 and at[i][j] or i, axis == 2 and at[i][j] or j
          if a[i][j] ~= from[r][c] then lu.fail("gather at " .. i .. ", " .. j) end
          last[r][c] = s[i][j]
          sum[r][c] = sum[r][c] - s[i][j]
        end
      end
      lu.assertEquals(b, last)
      lu.assertTrue((mlpl.tensor(sum) - x):abs():max():item() < 1e-4)
    end
  end
end

-- The gradient of src is that of the place for the last element that went there; few places
-- among many are looked for in another way.
function TestLongIndex:test_gradients_of_repeated_places_agree_with_loops()
  for _, case in ipairs { { 5, 1 }, { 5, 2 }, { 1000, 1 }, { 1000, 2 } } do
    local n, axis = case[1], case[2]
    local x, weight = mlpl.randn(n, 7), mlpl.randn(n, 7)
    local index = mlpl.randint(1, axis == 1 and math.min(n, 4) or 7, { 5, axis == 1 and 7 or 9 })
    index = axis == 2 and index or index:mul_(n // 4):clamp_ { max = n }
    local src = mlpl.randn({ 5, index:size(2) }, { requires_grad = true })
    x:scatter(axis, index, src):backward(weight)
    local last, at, want = {}, index:totable(), mlpl.zeros_like(src):totable()
    for i = 1, 5 do
      for j = 1, #at[1] do
        local r, c = axis == 1 and at[i][j] or i, axis == 2 and at[i][j] or j
        last[r .. "," .. c] = { i, j, weight[r][c]:item() }
      end
    end
    for _, l in pairs(last) do want[l[1]][l[2]] = l[3] end
    lu.assertEquals(src.grad:totable(), want)
  end
end

function TestLongIndex:test_a_wrong_index_writes_nothing_in_place()
  local x, src = mlpl.zeros(3, 1300), mlpl.ones(3, 1300)
  local index = mlpl.ones(3, 1300):to "i64"
  index[2][1200] = 1301
  local says = "index 1301 along axis 2, which has size 1300: indices run from 1 to 1300"
  fails("gather: " .. says, x.gather, x, 2, index)
  fails("scatter_add: " .. says, x.scatter_add, x, 2, index, src)
  fails("scatter_add_: " .. says, x.scatter_add_, x, 2, index, src)
  fails("scatter_: " .. says, x.scatter_, x, 2, index, src)
  lu.assertEquals(x:abs():max():item(), 0)
end
