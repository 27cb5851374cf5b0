local lu = require "luaunit"
local mlpl = require "mlpl"
local expect = require "expect"

local values, fails = expect.values, expect.fails
local inf, nan = math.huge, 0 / 0

-- ---- from values ----------------------------------------------------------------------

TestTensorFromValues = {}

function TestTensorFromValues:test_nested_tables()
  local x = mlpl.tensor { { 1, 2, 3 }, { 4, 5, 6 } }
  lu.assertEquals(x.shape, { 2, 3 })
  lu.assertEquals(x.dtype, "f32")
  values(x, { { 1, 2, 3 }, { 4, 5, 6 } })
  values(mlpl.tensor { { { 1 }, { 2 } } }, { { { 1 }, { 2 } } })
end

function TestTensorFromValues:test_a_number()
  local x = mlpl.tensor(5)
  lu.assertEquals(x.shape, {})
  lu.assertEquals(x:dim(), 0)
  lu.assertEquals(x:numel(), 1)
  lu.assertEquals(x:item(), 5.0)
  lu.assertEquals(math.type(x:item()), "float")
  lu.assertEquals(x:totable(), 5.0)
end

function TestTensorFromValues:test_f32_whatever_the_subtype()
  lu.assertEquals(mlpl.tensor({ 1, 2 }).dtype, "f32")
  lu.assertEquals(mlpl.tensor({ 1, 2.5 }).dtype, "f32")
  values(mlpl.tensor { 0.1 }, { 0.100000001490116119384765625 })
  values(mlpl.tensor { 16777217 }, { 16777216 })
  values(mlpl.tensor { 1e39, -1e39 }, { inf, -inf })
  values(mlpl.tensor({ 0.1 }, { dtype = "f64" }), { 0.1 })
end

function TestTensorFromValues:test_odd_numbers()
  local x = mlpl.tensor { nan, inf, -inf, -0.0 }
  values(x, { nan, inf, -inf, 0 })
  lu.assertEquals(1 / x[4]:item(), -inf)
end

function TestTensorFromValues:test_dtypes()
  local i = mlpl.tensor({ 1, -2, math.maxinteger, 3.0 }, { dtype = "i64" })
  lu.assertEquals(i:totable(), { 1, -2, math.maxinteger, 3 })
  lu.assertEquals(math.type(i[1]:item()), "integer")
  local u = mlpl.tensor({ 0, 255 }, { dtype = "u8" })
  lu.assertEquals(u:totable(), { 0, 255 })
  lu.assertEquals(math.type(u[1]:item()), "integer")
  local b = mlpl.tensor { true, false }
  lu.assertEquals(b.dtype, "bool")
  lu.assertEquals(b:totable(), { true, false })
  lu.assertIs(b[2]:item(), false)
  lu.assertEquals(mlpl.tensor({ 0, 3, nan }, { dtype = "bool" }):totable(),
    { false, true, true })
  lu.assertEquals(mlpl.tensor({ true, false }, { dtype = "f64" }):totable(), { 1, 0 })
  lu.assertEquals(mlpl.tensor({ true }, { dtype = "i64" }):totable(), { 1 })
  lu.assertEquals(mlpl.tensor(true):item(), true)
end

function TestTensorFromValues:test_nothing()
  lu.assertEquals(mlpl.tensor({}).shape, { 0 })
  lu.assertEquals(mlpl.tensor({ {}, {} }).shape, { 2, 0 })
  lu.assertEquals(mlpl.tensor({}, { dtype = "u8" }).dtype, "u8")
end

function TestTensorFromValues:test_misfits()
  local t = mlpl.tensor
  fails("tensor: 0.5 does not fit i64", t, { 0.5 }, { dtype = "i64" })
  fails("tensor: 1e+300 does not fit i64", t, { 1e300 }, { dtype = "i64" })
  fails("tensor: 256 does not fit u8", t, { 256 }, { dtype = "u8" })
  fails("tensor: -1 does not fit u8", t, { -1 }, { dtype = "u8" })
  fails("tensor: a value is 'one'; values are numbers", t, { "one" })
  fails("tensor: a value is '1'; values are numbers", t, { "1" })
  fails("tensor: a value is nil; values are numbers", t, { 1, nil, 3 })
  fails("tensor: a value is a mlpl.Tensor; values are numbers (stack and cat join "
    .. "tensors)", t, { mlpl.zeros(1) })
  fails("tensor: a value is a function; values are numbers", t, print)
  fails("tensor: 0.5 stands among truth values; say the dtype if numbers are meant", t,
    { true, 0.5 })
  lu.assertStrContains(expect.message(t), "a number or nested tables of numbers expected")
  lu.assertStrContains(expect.message(t, nil),
    "a number or nested tables of numbers expected")
end

function TestTensorFromValues:test_ragged_tables()
  local t = mlpl.tensor
  fails("tensor: a table at level 2 has size 1, the first one there has size 2", t,
    { { 1, 2 }, { 3 } })
  fails("tensor: a table at level 2 has size 3, the first one there has size 2", t,
    { { 1, 2 }, { 3, 4, 5 } })
  fails("tensor: a table at level 2 has size 1, the first one there has size 0", t,
    { {}, { 1 } })
  fails("tensor: 3 where a table should be: the tables are nested unevenly", t,
    { { 1, 2 }, 3 })
  fails("tensor: a table where a number should be: the tables are nested unevenly", t,
    { 1, { 2 } })
  local cycle = {}
  cycle[1] = cycle
  fails("tensor: the values have more than 8 levels of tables", t, cycle)
  lu.assertEquals(#t({ { { { { { { { 1 } } } } } } } }).shape, 8)
end

function TestTensorFromValues:test_keys_that_are_no_places()
  fails("tensor: unknown key 'dtype' among the values; options have a table of their own",
    mlpl.tensor, { 1, 2, dtype = "f64" })
  fails("tensor: unknown key 'x' among the values; options have a table of their own",
    mlpl.tensor, { { x = 1 } })
  fails("tensor: the first argument has no values; it must be a number or nested tables",
    mlpl.tensor, { dtype = "f64" })
end

-- ---- from sizes -----------------------------------------------------------------------

TestTensorFromSizes = {}

function TestTensorFromSizes:test_every_form_of_sizes()
  for _, make in ipairs { mlpl.zeros, mlpl.ones, mlpl.rand, mlpl.randn } do
    lu.assertEquals(make().shape, {})
    lu.assertEquals(make({}).shape, {})
    lu.assertEquals(make(3).shape, { 3 })
    lu.assertEquals(make({ 3 }).shape, { 3 })
    lu.assertEquals(make(2, 3).shape, { 2, 3 })
    lu.assertEquals(make({ 2, 3 }).shape, { 2, 3 })
    lu.assertEquals(make(2.0, 0).shape, { 2, 0 })
    lu.assertEquals(make(2, 3, { dtype = "f64" }).dtype, "f64")
    lu.assertEquals(make({ 2, 3 }, { dtype = "f64" }).dtype, "f64")
    lu.assertEquals(make({ dtype = "f64" }).shape, {})
    lu.assertIs(make(2, { requires_grad = true }).requires_grad, true)
    lu.assertIs(make(2).requires_grad, false)
    lu.assertEquals(make(1, 1, 1, 1, 1, 1, 1, 2):dim(), 8)
  end
end

function TestTensorFromSizes:test_wrong_sizes()
  for name,
    make in pairs { zeros = mlpl.zeros, ones = mlpl.ones, rand = mlpl.rand,
    randn = mlpl.randn } do
    local function wrong(text, ...) fails(name .. ": " .. text, make, ...) end
    local options = "dtype, requires_grad"
    if name:find "^rand" then options = options .. ", generator" end
    wrong("a size is 2.5; it must be a whole number", 2.5)
    wrong("a size is '3'; it must be a whole number", "3")
    wrong("a size is nil; it must be a whole number", nil)
    wrong("a size is true; it must be a whole number", 2, true)
    wrong("a size is nan; it must be a whole number", { -nan })
    wrong("sizes are numbers or one array of numbers, not both", { 2 }, 3)
    wrong("9 sizes; a tensor has at most 8 axes", 1, 1, 1, 1, 1, 1, 1, 1, 1)
    wrong("unknown key 'dtype' among the sizes; options have a table of their own",
      { 2, dtype = "f64" })
    wrong("unknown option 'dtyp'; the options are " .. options, 2,
      { dtyp = "f64" })
    wrong("unknown option a table; the options are " .. options, 2, { [{}] = 1 })
    wrong("dtype is 'float'; it must be one of f32, f64, i64, u8, bool", 2,
      { dtype = "float" })
    wrong("dtype is 32; it must be one of f32, f64, i64, u8, bool", 2, { dtype = 32 })
    wrong("requires_grad is 1; it must be true or false", 2, { requires_grad = 1 })
  end
  fails("zeros: size -1 of axis 2 is negative", mlpl.zeros, 2, -1)
  fails("rand: size -1 of axis 2 is negative", mlpl.rand, 2, -1)
end

function TestTensorFromSizes:test_sizes_beyond_all_memory()
  lu.assertStrContains(expect.message(mlpl.zeros, 1 << 50), "zeros: not enough memory: ")
  fails("zeros: not enough memory: [4294967296x4294967296] of f32 is more than can " ..
    "be addressed", mlpl.zeros, 1 << 32, 1 << 32)
  -- Strides are products of sizes, so a 0 beside them does not help.
  fails("zeros: not enough memory: [0x4611686018427387904x4] of f32 is more than " ..
    "can be addressed", mlpl.zeros, 0, 1 << 62, 4)
  lu.assertEquals(mlpl.zeros(1 << 40, 0):numel(), 0)
end

function TestTensorFromSizes:test_zeros_ones_full()
  values(mlpl.zeros(2, 2), { { 0, 0 }, { 0, 0 } })
  values(mlpl.ones(2, { dtype = "i64" }), { 1, 1 })
  lu.assertEquals(mlpl.ones(1, { dtype = "bool" }):totable(), { true })
  values(mlpl.full({ 2, 2 }, 7), { { 7, 7 }, { 7, 7 } })
  values(mlpl.full({}, 0.1, { dtype = "f64" }), 0.1)
  values(mlpl.full({ 2 }, -3, { dtype = "i64" }), { -3, -3 })
  lu.assertEquals(mlpl.full({ 1 }, true, { dtype = "bool" }):totable(), { true })
  values(mlpl.full({ 1 }, nan), { nan })
end

function TestTensorFromSizes:test_new_ones_like_it()
  local x = mlpl.zeros(2, { dtype = "i64" })
  lu.assertEquals(x:new_zeros(2, 3).shape, { 2, 3 })
  values(x:new_ones { 2 }, { 1, 1 })
  lu.assertEquals(x:new_full({ 2 }, 7).dtype, "i64")
  lu.assertEquals(x:new_ones(2, { dtype = "f64" }).dtype, "f64")
  fails("new_full: value 0.5 does not fit i64", x.new_full, x, { 2 }, 0.5)
  fails("new_full: the sizes must be an array: new_full({2, 3}, value)", x.new_full, x, 2, 3)
  fails("new_zeros: size -1 of axis 1 is negative", x.new_zeros, x, -1)
  fails("new_ones: unknown option 'x'; the options are dtype, requires_grad", x.new_ones, x, { x = 1 })
end

function TestTensorFromSizes:test_full_misused()
  local full = mlpl.full
  fails("full: the sizes must be an array: full({2, 3}, value)", full, 2, 3)
  fails("full: the value is missing; it must be a number", full, { 2 })
  fails("full: the value is '7'; it must be a number", full, { 2 }, "7")
  fails("full: one argument too many: 8", full, { 2 }, 7, 8)
  local like = mlpl.zeros(2, { dtype = "u8" })
  fails("full_like: value 300 does not fit u8", mlpl.full_like, like, 300)
  fails("full_like: value 0.5 does not fit i64", mlpl.full_like, like, 0.5, { dtype = "i64" })
  lu.assertEquals(mlpl.full_like(like, true):totable(), { 1, 1 })
  fails("full: value 300 does not fit u8", full, { 2 }, 300, { dtype = "u8" })
  fails("full: value -1 does not fit u8", full, { 2 }, -1, { dtype = "u8" })
  fails("full: value 0.5 does not fit i64", full, { 2 }, 0.5, { dtype = "i64" })
  fails("full: value inf does not fit i64", full, { 2 }, inf, { dtype = "i64" })
  fails("full: value 9.2233720368548e+18 does not fit i64", full, { 2 }, 2.0 ^ 63,
    { dtype = "i64" })
end

function TestTensorFromSizes:test_arange_includes_both_ends()
  values(mlpl.arange(5), { 1, 2, 3, 4, 5 })
  values(mlpl.arange(3, 6), { 3, 4, 5, 6 })
  values(mlpl.arange(0, 1, 0.25), { 0, 0.25, 0.5, 0.75, 1 })
  values(mlpl.arange(5, 1, -2), { 5, 3, 1 })
  values(mlpl.arange(1, 2.5), { 1, 2 })
  lu.assertEquals(mlpl.arange(0, 1, 0.1):numel(), 11)
  lu.assertEquals(mlpl.arange(0).shape, { 0 })
  lu.assertEquals(mlpl.arange(3, 1).shape, { 0 })
  lu.assertEquals(mlpl.arange(3, { dtype = "i64" }):totable(), { 1, 2, 3 })
  lu.assertEquals(mlpl.arange(254, 255, { dtype = "u8" }):totable(), { 254, 255 })
end

function TestTensorFromSizes:test_arange_misused()
  local arange = mlpl.arange
  fails("arange: last is missing; it takes last, or first and last, or first, last and step",
    arange)
  fails("arange: one argument too many: 7", arange, 1, 2, 1, 7)
  fails("arange: argument 2 is '3'; it must be a number", arange, 1, "3")
  fails("arange: from 1 to 5 by 0; bounds must be finite, the step not 0", arange, 1, 5,
    0)
  fails("arange: from 1 to inf by 1; bounds must be finite, the step not 0", arange, inf)
  fails("arange: from first to last there are 1e+300 elements, which is too many", arange, 1e300)
  fails("arange: last 300 does not fit u8", arange, 300, { dtype = "u8" })
  fails("arange: first 0.5 does not fit i64", arange, 0.5, 3, { dtype = "i64" })
  fails("arange: the step is 0.5; for i64 it must be a whole number", arange, 0, 3, 0.5,
    { dtype = "i64" })
end

-- ---- random ---------------------------------------------------------------------------

TestTensorRandom = {}

function TestTensorRandom:setUp() mlpl.seed(7) end

function TestTensorRandom:test_seeds_repeat()
  local function draw()
    mlpl.seed(11)
    return { mlpl.rand(3):totable(), mlpl.randn(3):totable(),
      mlpl.randint(1, 6, { 3 }):totable() }
  end
  lu.assertEquals(draw(), draw())
  lu.assertEquals(mlpl.seed(), 11)
  local a = mlpl.rand(3):totable()
  lu.assertNotEquals(mlpl.rand(3):totable(), a)
end

function TestTensorRandom:test_rand_is_uniform_below_one()
  for _, dtype in ipairs { "f32", "f64" } do
    local x = mlpl.rand(10000, { dtype = dtype })
    local least, most = -(-x):max():item(), x:max():item()
    lu.assertTrue(least >= 0 and least < 0.01)
    lu.assertTrue(most < 1 and most > 0.99)
    lu.assertAlmostEquals(x:mean():item(), 0.5, 0.02)          -- 7 standard errors
  end
end

function TestTensorRandom:test_randn_is_standard_normal()
  local x = mlpl.randn(10000)
  lu.assertAlmostEquals(x:mean():item(), 0, 0.06)              -- 6 standard errors
  lu.assertAlmostEquals((x * x):mean():item(), 1, 0.08)
end

function TestTensorRandom:test_randint_throws_dice()
  local seen = {}
  for _, v in ipairs(mlpl.randint(1, 6,
    { 600 }):totable()) do seen[v] = (seen[v] or 0) + 1 end
  for v = 1, 6 do lu.assertTrue(seen[v] > 50) end
  lu.assertNil(seen[0] or seen[7])
  lu.assertEquals(mlpl.randint(1, 6, 2, 3).dtype, "i64")
  lu.assertEquals(mlpl.randint(1, 6, 2, 3).shape, { 2, 3 })
  lu.assertEquals(mlpl.randint(1, 6).shape, {})
  lu.assertEquals(mlpl.randint(-3, -3, { 2 }):totable(), { -3, -3 })
  lu.assertEquals(mlpl.randint(0, 255, { 2 }, { dtype = "u8" }).dtype, "u8")
end

function TestTensorRandom:test_misused()
  fails("rand: dtype is i64; random real numbers need f32 or f64", mlpl.rand, 2,
    { dtype = "i64" })
  fails("randn: dtype is bool; random real numbers need f32 or f64", mlpl.randn, 2,
    { dtype = "bool" })
  fails("randint: the lowest number is missing; it must be a whole number", mlpl.randint)
  fails("randint: the highest number is a table; it must be a whole number", mlpl.randint,
    6, { 3 })
  fails("randint: the lowest number is 0.5; it must be a whole number", mlpl.randint, 0.5,
    6)
  fails("randint: lowest is 6, highest is 1; they must be in order and fit i64", mlpl.randint, 6, 1,
    { 3 })
  fails("randint: lowest is 0, highest is 256; they must be in order and fit u8", mlpl.randint, 0, 256,
    { 3 }, { dtype = "u8" })
  fails("seed: the seed is 'a'; it must be a whole number", mlpl.seed, "a")
  for _, nan in ipairs { 0 / 0, -(0 / 0) } do
    fails("seed: the seed is nan; it must be a whole number", mlpl.seed, nan)
    fails("uniform_: from nan to 1; the bounds must be finite and in order",
      function() return mlpl.zeros(2):uniform_(nan, 1) end)
  end
end

-- All whole numbers that there are.
function TestTensorRandom:test_randint_of_the_widest_range()
  local x = mlpl.randint(math.mininteger, math.maxinteger, { 1000 })
  local negative = x:lt(0):sum():item()
  lu.assertTrue(negative > 400 and negative < 600)
  values(mlpl.randint(math.maxinteger, math.maxinteger, { 1 }), { math.maxinteger })
end

-- ---- what a tensor is -----------------------------------------------------------------

TestTensorQueries = {}

function TestTensorQueries:test_pairs_is_for_tables()
  fails("pairs goes through tables; this is a mlpl.Tensor: for i = 1, #x goes through it, " ..
    "x:totable() makes a table of it", pairs, mlpl.zeros(2))
  fails("pairs goes through tables; this is a mlpl.Module", pairs, mlpl.nn.ReLU())
  fails("tensor: one argument too many: 2; several values stand in a table: " ..
    "tensor{1, 2, 3}", mlpl.tensor, 1, 2, 3)
end

function TestTensorQueries:setUp() self.x = mlpl.zeros(2, 3, 4) end
function TestTensorQueries:tearDown() self.x = nil end

function TestTensorQueries:test_shape_and_size()
  local x = self.x
  lu.assertEquals(x.shape, { 2, 3, 4 })
  lu.assertEquals(x:size(), { 2, 3, 4 })
  lu.assertEquals({ x:size(1), x:size(3), x:size(-1), x:size(-3) }, { 2, 4, 4, 2 })
  lu.assertEquals({ x:dim(), x:numel(), #x }, { 3, 24, 2 })
  -- a table of the caller's own
  x.shape[1] = 99
  lu.assertEquals(x.shape[1], 2)
  fails("size: axis 4 is outside 1 to 3 (or -3 to -1 from the end)", x.size, x, 4)
  fails("size: axis 0 is outside 1 to 3 (or -3 to -1 from the end)", x.size, x, 0)
  fails("size: dim is 1.5; it must be a whole number", x.size, x, 1.5)
end

function TestTensorQueries:test_turned_matrices_are_fields()
  local x = mlpl.tensor({ { 1, 2, 3 }, { 4, 5, 6 } }, { requires_grad = true })
  values(x.T, { { 1, 4 }, { 2, 5 }, { 3, 6 } })
  values(x.mT, x.T:totable())
  lu.assertEquals(self.x.mT.shape, { 2, 4, 3 })
  lu.assertEquals({ self.x.ndim, mlpl.zeros {}.ndim }, { 3, 0 })
  values(mlpl.arange(2).T, { 1, 2 })
  local scaled = x.T * mlpl.tensor { 1, 10 }
  scaled:sum():backward()
  values(x.grad, { { 1, 1, 1 }, { 10, 10, 10 } })
  mlpl.no_grad(function() x.T[1][2] = 7 end)              -- a view
  lu.assertEquals(x[2][1]:item(), 7)
  fails("T: the tensor has 3 axes; mT turns the matrices of a stack, permute any axes",
    function() local _ = self.x.T end)
  fails("mT: the tensor has 1 axes; matrices have two or more",
    function() local _ = self.x[1][1].mT end)
  fails("a tensor has no field 'T' that can be set", function() x.T = 1 end)
end

function TestTensorQueries:test_strides_and_kinds()
  lu.assertEquals(self.x:stride(), { 12, 4, 1 })
  lu.assertEquals(tostring(self.x:transpose(1, 3):stride()), "[1x4x12]")
  lu.assertEquals(self.x:stride(-1), 1)
  fails("stride: axis 4 is outside 1 to 3 (or -3 to -1 from the end)", self.x.stride, self.x, 4)
  lu.assertTrue(mlpl.is_floating_point(self.x))
  lu.assertFalse(self.x:gt(0):is_floating_point())
  lu.assertEquals(mlpl.numel(self.x), 24)
  local whole = mlpl.zeros(1, { dtype = "i64" })
  lu.assertEquals(self.x:type_as(whole).dtype, "i64")
  lu.assertIs(self.x:type_as(mlpl.zeros(1)), self.x)
end

function TestTensorQueries:test_numbers_have_no_length()
  fails("#: a tensor without axes has no length; :item() gives its value", function()
    return #mlpl.tensor(1)
  end)
  lu.assertEquals(#mlpl.zeros(0), 0)
end

function TestTensorQueries:test_item()
  lu.assertEquals(mlpl.tensor { { 3 } }:item(), 3)
  fails("item: the tensor is [2]; only a tensor of one element has an item", function()
    return mlpl.zeros(2):item()
  end)
  fails("item: the tensor is [0]; only a tensor of one element has an item", function()
    return mlpl.zeros(0):item()
  end)
end

function TestTensorQueries:test_clone_has_memory_of_its_own()
  local x = mlpl.tensor { 1, 2 }
  local y = x:clone()
  mlpl.nn.init.zeros_(x)
  values(y, { 1, 2 })
  lu.assertNotIs(x, y)
end

function TestTensorQueries:test_flatten()
  local x = mlpl.arange(24):reshape(2, 3, 4)
  lu.assertEquals(x:flatten().shape, { 24 })
  lu.assertEquals(x:flatten(2).shape, { 2, 12 })
  lu.assertEquals(x:flatten(1, 2).shape, { 6, 4 })
  lu.assertEquals(x:flatten { start_dim = -2 }.shape, { 2, 12 })
  lu.assertEquals(x:flatten { end_dim = 2 }.shape, { 6, 4 })
  lu.assertEquals(mlpl.tensor(1):flatten().shape, { 1 })
  values(x:transpose(1, 3):flatten()[{ { 1, 3 } }], { 1, 13, 5 })
  mlpl.nn.init.zeros_(x:flatten())                             -- a view where it can be
  lu.assertEquals(x:sum():item(), 0)
  fails("flatten: start_dim 3 is behind end_dim 2", x.flatten, x, 3, 2)
  fails("flatten: axis 4 is outside 1 to 3 (or -3 to -1 from the end)", x.flatten, x, 4)
end

function TestTensorQueries:test_conversions()
  local x = mlpl.tensor { 1.9, -1.9, 300 }
  lu.assertEquals(x:to("i64"):totable(), { 1, -1, 300 })
  lu.assertEquals(x:to("f64").dtype, "f64")
  lu.assertIs(x:to("f32"), x)
  lu.assertEquals(mlpl.tensor({ 0, 2 }):to("bool"):totable(), { false, true })
  fails("to: dtype is missing; it must be one of f32, f64, i64, u8, bool", x.to, x)
  fails("to: dtype is 'float32'; it must be one of f32, f64, i64, u8, bool", x.to, x,
    "float32")
end

function TestTensorQueries:test_conversions_have_gradients()
  local w = mlpl.ones(2, { requires_grad = true })
  local wide = (w * 2):to("f64")
  lu.assertEquals(wide.dtype, "f64")
  wide:sum():backward()
  values(w.grad, { 2, 2 })
  lu.assertEquals(w.grad.dtype, "f32")
  lu.assertFalse(w:to("i64").requires_grad)
  lu.assertEquals(w:to("i64"):totable(), { 1, 1 })
  lu.assertFalse(mlpl.no_grad(w.to, w, "f64").requires_grad)
end

function TestTensorQueries:test_contiguous()
  local x = mlpl.arange(6):reshape(2, 3)
  lu.assertIs(x:contiguous(), x)
  local t = x:t()
  lu.assertIs(t:is_contiguous(), false)
  lu.assertIs(t:contiguous():is_contiguous(), true)
  values(t:contiguous(), { { 1, 4 }, { 2, 5 }, { 3, 6 } })
end

function TestTensorQueries:test_equality_is_identity()
  local x = mlpl.zeros(2)
  lu.assertTrue(x == x)
  lu.assertFalse(x == mlpl.zeros(2))
end

function TestTensorQueries:test_order_raises()
  local x = mlpl.zeros(2)
  local text = "tensors are not ordered by <, <=, > and >=; :lt, :le, :gt and :ge compare " ..
    "their elements, :item() gives a number"
  fails(text, function() return x < x end)
  fails(text, function() return x <= 5 end)
  fails(text, function() return 5 > x end)
end

-- A shape is a table of its own, which prints and compares as a whole.
function TestTensorQueries:test_shapes_as_a_whole()
  local x = mlpl.zeros(2, 3)
  lu.assertEquals(tostring(x.shape), "[2x3]")
  lu.assertEquals("shape " .. x:size() .. "!", "shape [2x3]!")
  lu.assertEquals(tostring(mlpl.zeros().shape), "[]")
  lu.assertTrue(x.shape == mlpl.ones(2, 3).shape)
  lu.assertTrue(x.shape == { 2, 3 })
  lu.assertFalse(x.shape == mlpl.ones(2, 3, 1).shape)
  lu.assertFalse(x.shape == mlpl.ones(3, 2).shape)
  local shape = x.shape
  shape[1] = 7
  lu.assertEquals(x.shape, { 2, 3 })
  lu.assertEquals(mlpl.zeros(shape).shape, { 7, 3 })
  lu.assertFalse(getmetatable(shape))
end

function TestTensorQueries:test_unknown_names_raise()
  local x = self.x
  fails("a tensor has no field or method 'nosuch'", function() return x.nosuch end)
  fails("a tensor has no field or method 'summ'; did you mean 'sum'?",
    function() return x.summ end)
  fails("a tensor has no field or method 'shap'; did you mean 'shape'?",
    function() return x.shap end)
  fails("a tensor has no field or method 'tolist'; here it is x:totable()",
    function() return x.tolist end)
  fails("a tensor has no field or method 'det'; there is mlpl.linalg.det",
    function() return x.det end)
  fails("a tensor has no field 'nosuch' that can be set", function() x.nosuch = 1 end)
  fails("mlpl has no field 'aranges'; did you mean 'arange'?",
    function() return mlpl.aranges end)
  lu.assertIs(getmetatable(x), false)
end

function TestTensorQueries:test_released()
  local x = mlpl.zeros(2)
  x:release()
  x:release()
  lu.assertEquals(tostring(x), "tensor (released)")
  lu.assertStrContains(expect.message(function() return x + 1 end),
    "add: a is a tensor that was released")
  lu.assertStrContains(expect.message(function() return x.shape end), "was released")
  lu.assertStrContains(expect.message(function() return x[1] end), "was released")
  lu.assertStrContains(expect.message(function() return #x end), "was released")
end
