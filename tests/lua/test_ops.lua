local lu = require "luaunit"
local mlpl = require "mlpl"
local expect = require "expect"

local values, fails = expect.values, expect.fails
local tensor, inf, nan = mlpl.tensor, math.huge, 0 / 0

-- ---- arithmetic -----------------------------------------------------------------------

TestOpsArithmetic = {}

function TestOpsArithmetic:test_operators_between_tensors()
  local a, b = tensor { 1, 2, 3 }, tensor { 4, 5, 6 }
  values(a + b, { 5, 7, 9 })
  values(a - b, { -3, -3, -3 })
  values(a * b, { 4, 10, 18 })
  values(b / a, { 4, 2.5, 2 })
  values(a ^ b, { 1, 32, 729 }, 1e-6)
  values(-a, { -1, -2, -3 })
end

function TestOpsArithmetic:test_numbers_on_either_side()
  local a = tensor { 1, 2, 4 }
  values(a + 1, { 2, 3, 5 })
  values(1 + a, { 2, 3, 5 })
  values(a - 1, { 0, 1, 3 })
  values(1 - a, { 0, -1, -3 })
  values(a * 0.5, { 0.5, 1, 2 })
  values(3 * a, { 3, 6, 12 })
  values(a / 2, { 0.5, 1, 2 })
  values(8 / a, { 8, 4, 2 })
  values(a ^ 2, { 1, 4, 16 })
  values(2 ^ a, { 2, 4, 16 }, 1e-6)
  lu.assertEquals((a + 1).dtype, "f32")
  lu.assertEquals((a:to("f64") + 1).dtype, "f64")
end

function TestOpsArithmetic:test_methods_and_functions_are_the_operators()
  local a, b = tensor { 1, 2 }, tensor { 3, 4 }
  values(a:add(b), { 4, 6 })
  values(a:sub(1), { 0, 1 })
  values(a.mul(2, a), { 2, 4 })
  values(a:div(b), { 1 / 3, 0.5 }, 1e-7)
  values(a:pow(2), { 1, 4 })
  values(a:neg(), { -1, -2 })
end

function TestOpsArithmetic:test_division_by_zero_and_odd_numbers()
  values(tensor { 1, -1, 0 } / 0, { inf, -inf, nan })
  values(tensor { inf, nan } + 1, { inf, nan })
  values(tensor { -1 } ^ 0.5, { nan })
  values(tensor { 0, -2 } ^ 0, { 1, 1 })
end

function TestOpsArithmetic:test_broadcasting()
  local row, column = tensor { { 1, 2, 3 } }, tensor { { 10 }, { 20 } }
  values(row + column, { { 11, 12, 13 }, { 21, 22, 23 } })
  values(column - tensor { 1, 2, 3 }, { { 9, 8, 7 }, { 19, 18, 17 } })
  values(tensor(5) * tensor { 1, 2 }, { 5, 10 })
  lu.assertEquals((mlpl.zeros(4, 1, 2) + mlpl.zeros(3, 1)).shape, { 4, 3, 2 })
  lu.assertEquals((mlpl.zeros(0, 3) + mlpl.zeros(1, 3)).shape, { 0, 3 })
  lu.assertEquals((mlpl.zeros(0, 3) + mlpl.zeros(1)).shape, { 0, 3 })
  values(mlpl.arange(6):reshape(2, 3):t() + tensor { 10, 20 },
    { { 11, 24 }, { 12, 25 }, { 13, 26 } })
end

function TestOpsArithmetic:test_sizes_that_do_not_fit()
  local a, b = mlpl.zeros(2, 3), mlpl.zeros(4)
  local rule = "; aligned at the last axis, sizes must be equal or 1"
  fails("add: sizes differ: a is [2x3], b is [4]" .. rule, function() return a + b end)
  fails("sub: sizes differ: a is [4], b is [2x3]" .. rule, function() return b - a end)
  fails("mul: sizes differ: a is [2x3], b is [2]" .. rule,
    function() return a * mlpl.zeros(2) end)
  fails("div: sizes differ: a is [0], b is [2]" .. rule,
    function() return mlpl.zeros(0) / mlpl.zeros(2) end)
end

function TestOpsArithmetic:test_wrong_operands()
  local a = mlpl.zeros(2)
  local function bad(text, f) lu.assertStrContains(expect.message(f), text) end
  bad("add: b is nil; it must be a tensor or a number", function() return a + nil end)
  bad("sub: a is '1'; it must be a tensor or a number", function() return "1" - a end)
  bad("mul: b is a table; it must be a tensor or a number", function() return a * {} end)
  bad("div: b is a mlpl.Module; it must be a tensor or a number",
    function() return a / mlpl.nn.ReLU() end)
  bad("bitwise_left_shift: a is f32; it takes i64, u8 (convert with :to)",
    function() return a << 2 end)
  bad("attempt to concatenate a mlpl.Tensor value", function() return a .. "x" end)
  fails("mul: one argument too many: 2", a.mul, a, 1, 2)
  fails("add: one argument too many: 3", a.add, a, 1, 2, 3)
  fails("pow: unknown option 'e'; it has no options", a.pow, a, 1, { e = 1 })
end

-- ---- one input ------------------------------------------------------------------------

TestOpsFunctions = {}

function TestOpsFunctions:test_element_by_element()
  local x = tensor({ -2, -0.5, 0, 0.5, 2 }, { dtype = "f64" })
  local function each(f)
    local wanted = {}
    for i, v in ipairs(x:totable()) do wanted[i] = f(v) end
    return wanted
  end
  values(x:exp(), each(math.exp), 1e-15)
  values(x:abs(), each(math.abs))
  values(x:sigmoid(), each(function(v) return 1 / (1 + math.exp(-v)) end), 1e-15)
  values(x:tanh(), each(function(v) return 1 - 2 / (math.exp(2 * v) + 1) end), 1e-15)
  values(x:relu(), { 0, 0, 0, 0.5, 2 })
  values(x:sign(), { -1, -1, 0, 1, 1 })
  values(x:leaky_relu(), { -0.02, -0.005, 0, 0.5, 2 })
  values(x:leaky_relu(0.1), { -0.2, -0.05, 0, 0.5, 2 }, 1e-16)
  values(x:leaky_relu { negative_slope = 0.5 }, { -1, -0.25, 0, 0.5, 2 })
  values(x:elu(), { math.exp(-2) - 1, math.exp(-0.5) - 1, 0, 0.5, 2 }, 1e-15)
  values(x:elu(2)[1], 2 * (math.exp(-2) - 1), 1e-15)
  values(tensor { 1, 0, -1 }:log(), { 0, -inf, nan })
  values(tensor { 4, 0, -1 }:sqrt(), { 2, 0, nan })
end

function TestOpsFunctions:test_nan_comes_through()
  local x = tensor { nan }
  for _, name in ipairs { "exp", "log", "sqrt", "abs", "relu", "leaky_relu", "elu",
    "sigmoid", "tanh" } do
    lu.assertNaN(x[name](x):item(), name)
  end
end

function TestOpsFunctions:test_functional_forms()
  local nn, x = mlpl.nn, tensor { { -1, 2 } }
  values(nn.relu(x), { { 0, 2 } })
  values(nn.leaky_relu(x, { negative_slope = 0.5 }), { { -0.5, 2 } })
  values(nn.elu(x)[{ 1, 2 }], 2)
  values(nn.sigmoid(mlpl.zeros(1)), { 0.5 })
  values(nn.tanh(mlpl.zeros(1)), { 0 })
  values(nn.linear(x, tensor { { 1, 2 }, { 3, 4 } }), { { 3, 5 } })
  values(nn.linear(x, tensor { { 1, 2 }, { 3, 4 } }, tensor { 10, 20 }), { { 13, 25 } })
  values(nn.linear(x, tensor { { 1, 2 } }, { bias = tensor { 1 }, activation = "relu" }),
    { { 4 } })
  fails("linear: input is [1x2], weight is [1x3]; the input's last axis must be 3",
    nn.linear, x, mlpl.zeros(1, 3))
  fails("linear: bias is [2], weight is [1x2]; the bias must be [1]", nn.linear, x,
    mlpl.zeros(1, 2), mlpl.zeros(2))
  fails("linear: bias is given twice", nn.linear, x, mlpl.zeros(1, 2), mlpl.zeros(1),
    { bias = mlpl.zeros(1) })
  fails("linear: activation is 'gelu'; it must be one of none, relu", nn.linear, x,
    mlpl.zeros(1, 2), { activation = "gelu" })
end

function TestOpsFunctions:test_softmax()
  local x = tensor({ { 1, -2, 0.5, 3 } }, { dtype = "f64" })
  values(x:softmax(2), { { 0.11055375036, 0.00550414713, 0.06705423914, 0.81688786337 } },
    1e-11)
  values(x:softmax(-1):log() - x:log_softmax(-1), { { 0, 0, 0, 0 } }, 1e-15)
  values(x:softmax(1), { { 1, 1, 1, 1 } })
  values(tensor { 1000, 1001, 999 }:softmax { dim = 1 },
    { 0.24472847, 0.66524096, 0.09003057 }, 1e-6)
  fails("softmax: dim is missing", x.softmax, x)
  fails("softmax: axis 3 is outside 1 to 2 (or -2 to -1 from the end)", x.softmax, x, 3)
end

function TestOpsFunctions:test_dropout_from_a_generator()
  local x = mlpl.ones(50)
  local g, h = mlpl.Generator(7), mlpl.Generator(7)
  mlpl.seed(3)
  local wanted = mlpl.rand(2):totable()
  mlpl.seed(3)
  local first = mlpl.nn.dropout(x, 0.5, { generator = g }):totable()
  values(mlpl.rand(2), wanted)                         -- the own generator did not move
  values(x:dropout(0.5, { generator = h }), first)
  lu.assertNotEquals(x:dropout(0.5, { generator = h }):totable(), first)
  mlpl.seed(7)
  values(mlpl.nn.dropout(x), first)
  values(mlpl.nn.dropout(x, { p = 0.5, out = mlpl.zeros(50), generator = mlpl.Generator(7) }),
    first)
  fails("dropout: generator is 7; it must be a mlpl.Generator", mlpl.nn.dropout, x, 0.5,
    { generator = 7 })
  fails("dropout: unknown option 'seed'; the options are p, training, generator",
    mlpl.nn.dropout, x, { seed = 7 })
  fails("relu: unknown option 'generator'; it has no options", mlpl.nn.relu, x,
    { generator = g })
end

function TestOpsFunctions:test_dropout()
  mlpl.seed(3)
  local x = mlpl.ones(1000)
  local y = mlpl.nn.dropout(x, 0.25)
  local kept = 0
  for _, v in ipairs(y:totable()) do
    lu.assertTrue(v == 0 or math.abs(v - 4 / 3) < 1e-6)
    if v ~= 0 then kept = kept + 1 end
  end
  lu.assertAlmostEquals(kept, 750, 80)                         -- 6 standard errors
  values(mlpl.nn.dropout(x, { training = false }), x:totable())
  values(mlpl.nn.dropout(x, 0), x:totable())
  lu.assertEquals(mlpl.nn.dropout(x, 1):sum():item(), 0)
  fails("dropout: p is 1.5; it must be from 0 to 1", mlpl.nn.dropout, x, 1.5)
end

-- ---- reductions -----------------------------------------------------------------------

TestOpsReductions = {}

function TestOpsReductions:setUp() self.x = tensor { { 1, 5, 3 }, { 4, 2, 6 } } end
function TestOpsReductions:tearDown() self.x = nil end

function TestOpsReductions:test_sum_and_mean()
  local x = self.x
  lu.assertEquals(x:sum():item(), 21)
  lu.assertEquals(x:sum().shape, {})
  values(x:sum(1), { 5, 7, 9 })
  values(x:sum(-1), { 9, 12 })
  values(x:sum(2, true), { { 9 }, { 12 } })
  values(x:sum { dim = 1, keepdim = true }, { { 5, 7, 9 } })
  values(x:sum { keepdim = true }, { { 21 } })
  values(x:sum(nil, true), { { 21 } })
  values(x:mean(), 3.5)
  values(x:mean(2), { 3, 4 })
  values(x:t():sum(1), { 9, 12 })
  values(tensor(3):sum(1), 3)
end

function TestOpsReductions:test_max_gives_values_and_places_from_one()
  local x = self.x
  lu.assertEquals(x:max():item(), 6)
  lu.assertNil((select(2, x:max())))
  local v, i = x:max(2)
  values(v, { 5, 6 })
  lu.assertEquals(i:totable(), { 2, 3 })
  lu.assertEquals(i.dtype, "i64")
  v, i = x:max(1, true)
  values(v, { { 4, 5, 6 } })
  lu.assertEquals(i:totable(), { { 2, 1, 2 } })
  lu.assertEquals(x:argmax():item(), 6)
  lu.assertEquals(x:argmax(1):totable(), { 2, 1, 2 })
  lu.assertEquals(tensor { 2, 2 }:argmax():item(), 1)          -- the first of equals
  lu.assertEquals(tensor { 1, nan, 3 }:argmax():item(), 2)
end

function TestOpsReductions:test_of_nothing()
  local x = mlpl.zeros(0, 3)
  lu.assertEquals(x:sum():item(), 0)
  values(x:sum(1), { 0, 0, 0 })
  lu.assertEquals(x:sum(2).shape, { 0 })
  lu.assertNaN(x:mean():item())
  lu.assertEquals(x:max(2).shape, { 0 })
  fails("max: [0x3] has no elements to choose from along axis 1", x.max, x)
  fails("argmax: [0x3] has no elements to choose from along axis 1", x.argmax, x, 1)
end

function TestOpsReductions:test_misused()
  local x = self.x
  fails("sum: axis 3 is outside 1 to 2 (or -2 to -1 from the end)", x.sum, x, 3)
  fails("mean: axis -3 is outside 1 to 2 (or -2 to -1 from the end)", x.mean, x, -3)
  fails("sum: axis -9223372036854775807 is outside 1 to 2 (or -2 to -1 from the end)",
    x.sum, x, math.mininteger)
  fails("sum: dim is 0; it counts from 1, or from -1 at the end", x.sum, x, 0)
  fails("sum: dim is 1.5; it must be a whole number", x.sum, x, 1.5)
  fails("sum: keepdim is 1; it must be true or false", x.sum, x, 1, 1)
  fails("sum: unknown option 'axis'; the options are dim, keepdim", x.sum, x,
    { axis = 1 })
  fails("sum: dim is given twice", x.sum, x, 1, { dim = 2 })
  fails("sum: one argument too many: 'x'", x.sum, x, 1, true, nil, "x")
end

-- ---- shapes and products --------------------------------------------------------------

TestOpsShapes = {}

function TestOpsShapes:test_reshape()
  local x = mlpl.arange(6)
  values(x:reshape(2, 3), { { 1, 2, 3 }, { 4, 5, 6 } })
  values(x:reshape { 3, 2 }, { { 1, 2 }, { 3, 4 }, { 5, 6 } })
  lu.assertEquals(x:reshape(-1, 2).shape, { 3, 2 })
  lu.assertEquals(x:reshape { sizes = { 6, 1 } }.shape, { 6, 1 })
  lu.assertEquals(mlpl.tensor { 5 }:reshape {}.shape, {})
  fails("reshape: input [6] has 6 elements, which do not fit [4x-1]", x.reshape, x, 4, -1)
  fails("reshape: input [6] has 6 elements, which do not fit [7]", x.reshape, x, 7)
  fails("reshape: input [6] has 6 elements, which do not fit [-1x-1]; one size may be -1, "
    .. "for what the others leave", x.reshape, x, -1, -1)
  fails("reshape: input [6] has 6 elements, which do not fit [4611686018427387904x4]",
    x.reshape, x, 1 << 62, 4)
  local none = mlpl.zeros(0)
  fails("reshape: input [0] has 0 elements, which do not fit [0x4611686018427387904x4]",
    none.reshape, none, 0, 1 << 62, 4)
end

function TestOpsShapes:test_transpose_and_t()
  local x = mlpl.arange(6):reshape(2, 3)
  values(x:t(), { { 1, 4 }, { 2, 5 }, { 3, 6 } })
  values(x:transpose(1, 2), { { 1, 4 }, { 2, 5 }, { 3, 6 } })
  values(x:transpose(-1, -2), { { 1, 4 }, { 2, 5 }, { 3, 6 } })
  lu.assertEquals(mlpl.zeros(2, 3, 4):transpose(1, 3).shape, { 4, 3, 2 })
  values(tensor { 1, 2 }:t(), { 1, 2 })
  fails("t: input is [2x3x4]; t takes at most two axes, use transpose", x.t,
    mlpl.zeros(2, 3, 4))
  fails("transpose: axis 3 is outside 1 to 2 (or -2 to -1 from the end)", x.transpose, x,
    1, 3)
  fails("transpose: dim1 is missing", x.transpose, x, 1)
  fails("t: one argument too many: 1", x.t, x, 1)
end

function TestOpsShapes:test_expand()
  local x = tensor { { 1 }, { 2 } }
  values(x:expand(2, 3), { { 1, 1, 1 }, { 2, 2, 2 } })
  values(x:expand(-1, 2), { { 1, 1 }, { 2, 2 } })
  lu.assertEquals(x:expand(4, 2, 1).shape, { 4, 2, 1 })
  fails("expand: input [2x1] cannot be expanded to [3x1]; only axes of size 1 stretch",
    x.expand, x, 3, 1)
  fails("expand: input [2x1] cannot be expanded to [2]; only axes of size 1 stretch", x.expand,
    x, 2)
  local one = mlpl.zeros(1)
  fails("expand: [4294967296x4294967296] has more elements than can be counted",
    one.expand, one, 1 << 32, 1 << 32)
end

function TestOpsShapes:test_matmul()
  local a = mlpl.arange(6):reshape(2, 3)
  values(a:matmul(a:t()), { { 14, 32 }, { 32, 77 } })
  values(mlpl.zeros(2, 0):matmul(mlpl.zeros(0, 3)), { { 0, 0, 0 }, { 0, 0, 0 } })
  lu.assertEquals(mlpl.zeros(0, 2):matmul(mlpl.zeros(2, 3)).shape, { 0, 3 })
  local f, d = mlpl.zeros(1, 1), mlpl.zeros(1, 1, { dtype = "f64" })
  fails("matmul: inner sizes differ: a is [2x3], b is [2x3]", a.matmul, a, a)
  fails("matmul: inner sizes differ: a is [3], b is [2x3]", a.matmul, mlpl.zeros(3), a)
  fails("matmul: a is f32, b is f64; they must have one dtype (convert with :to)",
    a.matmul, f, d)
  lu.assertStrContains(expect.message(function() return a:matmul(3) end),
    "matmul: b is 3; it must be a tensor")
end

TestOpsNames = {}

-- Whatever is inside, the text begins with what the script called.
function TestOpsNames:test_operations_made_of_others()
  local x, five = mlpl.zeros(2, 3), mlpl.zeros(5)
  fails("hstack: tensor 2 is [3x3x3], the first is [2x3]; sizes must be equal but along " ..
    "axis 2", mlpl.hstack, { x, mlpl.zeros(3, 3, 3) })
  lu.assertErrorMsgContains("vstack: ", mlpl.vstack, { x, five })
  fails("view_as: input [2x3] has 6 elements, which do not fit [5]", x.view_as, x, five)
  fails("reshape_as: input [2x3] has 6 elements, which do not fit [5]", x.reshape_as, x, five)
  lu.assertErrorMsgContains("expand_as: input [2x3] cannot", x.expand_as, x, five)
  lu.assertErrorMsgContains("take: index 9 ", x.take, x, mlpl.tensor({ 9 }, { dtype = "i64" }))
  fails("swapaxes: axis 3 is outside 1 to 2 (or -2 to -1 from the end)", x.swapaxes, x, 3, 1)
  lu.assertErrorMsgContains("tile: not enough memory", x.tile, x, 1 << 40, 1)
  lu.assertErrorMsgContains("add: not enough memory", function()
    local wide = mlpl.zeros(1):expand(1 << 50)
    return wide + wide
  end)
end

function TestOpsNames:test_in_place()
  local x = mlpl.zeros(2, 3)
  fails("add_: the result is [4x2x3], and a, to hold it, is [2x3]", x.add_, x,
    mlpl.zeros(4, 2, 3))
  fails("add_: b is nil; it must be a tensor or a number", x.add_, x, nil)
  fails("elu_: alpha is 'a'; it must be a number", x.elu_, x, "a")
  fails("add: the result is [2x3], and out, to hold it, is [3]", mlpl.add, x, x,
    { out = mlpl.zeros(3) })
end

-- ---- other names --------------------------------------------------------------------------

TestShifts = {}

function TestShifts:test_bits_move()
  local x = mlpl.tensor({ 1, 3, -8, 9 }, { dtype = "i64" })
  lu.assertEquals((x << 2):totable(), { 4, 12, -32, 36 })
  lu.assertEquals((x >> 1):totable(), { 0, 1, -4, 4 })
  lu.assertEquals((1 << x[{ { 1, 2 } }]):totable(), { 2, 8 })
  lu.assertEquals(x:bitwise_left_shift(64):totable(), { 0, 0, 0, 0 })
  lu.assertEquals(x:bitwise_right_shift(-1):totable(), { 0, 0, -1, 0 })
  lu.assertEquals((x << 63)[2]:item(), math.mininteger)
  local byte = mlpl.tensor({ 1, 200 }, { dtype = "u8" })
  lu.assertEquals((byte << 1):totable(), { 2, 144 })
  lu.assertEquals((byte >> 3):totable(), { 0, 25 })
  lu.assertEquals((byte << 8):totable(), { 0, 0 })
  lu.assertEquals(x:clone():bitwise_left_shift_(1):totable(), { 2, 6, -16, 18 })
  fails("bitwise_left_shift: a is f32; it takes i64, u8 (convert with :to)", function() return mlpl.ones(2) << 1 end)
end

TestOtherNames = {}

function TestOtherNames:test_they_do_the_same_and_say_their_own()
  local x, y = mlpl.tensor { 0.25, 0.5 }, mlpl.tensor { 0.5, 0.125 }
  for name, own in pairs { absolute = "abs", arccos = "acos", arcsin = "asin", arctan = "atan",
    arcsinh = "asinh", arctanh = "atanh", fix = "trunc", negative = "neg" } do
    lu.assertTrue(x[name](x):equal(x[own](x)))
    lu.assertTrue(mlpl[name](x):equal(x[own](x)))
    lu.assertTrue(x:clone()[name .. "_"](x:clone()):equal(x[own](x)))
  end
  for name, own in pairs { divide = "div", true_divide = "div", multiply = "mul",
    subtract = "sub", greater = "gt", greater_equal = "ge", less = "lt", less_equal = "le",
    not_equal = "ne", arctan2 = "atan2", ger = "outer", vdot = "dot", clip = "clamp" } do
    lu.assertTrue(mlpl[name](x, y):equal(mlpl[own](x, y)))
  end
  lu.assertEquals(mlpl.concat({ x, y }, 1):totable(), mlpl.cat({ x, y }, 1):totable())
  lu.assertEquals(mlpl.concatenate { x, y }.shape, { 4 })
  lu.assertEquals(mlpl.row_stack { x, y }.shape, { 2, 2 })
  local z = mlpl.zeros(2, 3, 4)
  lu.assertEquals(z:moveaxis(1, 3).shape, { 3, 4, 2 })
  lu.assertEquals(z:swapdims(1, 3).shape, { 4, 3, 2 })
  lu.assertEquals(x:broadcast_to(3, 2).shape, { 3, 2 })
  lu.assertEquals(x:trapz():item(), 0.375)
  fails("clip: min is 'a'; it must be a number", x.clip, x, "a")
  fails("multiply: sizes differ: a is [2], b is [3]; aligned at the last axis, sizes must be " ..
    "equal or 1", x.multiply, x, mlpl.ones(3))
  fails("concat: the tensors are 3; they stand in one array: concat{a, b}", mlpl.concat, 3)
  fails("concat: tensor 2 is [3x1], the first is [2]; sizes must be equal but along axis 1",
    mlpl.concat, { x, mlpl.ones(3, 1) })
  lu.assertStrContains(mlpl.help.text "clip", "Another name of clamp: ")
end
