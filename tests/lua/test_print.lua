local lu = require "luaunit"
local mlpl = require "mlpl"
local expect = require "expect"
local process = require "process"

local fails = expect.fails

local function shows(text, tensor) lu.assertEquals(tostring(tensor), text) end

TestPrint = {}

-- Other tests call every function with every odd value, set_printoptions among them.
local standard = { precision = 4, threshold = 1000, edgeitems = 3, linewidth = 80,
  sci_mode = "auto" }

function TestPrint:setUp() mlpl.set_printoptions(standard) end
TestPrint.tearDown = TestPrint.setUp

function TestPrint:test_numbers_and_rows()
  shows("5. [] f32", mlpl.tensor(5))
  shows("[1., 2.] [2] f32", mlpl.tensor { 1, 2 })
  shows("[ 0.5000, -1.0000] [2] f32", mlpl.tensor { 0.5, -1 })
  shows("[0.1000] [1] f64", mlpl.tensor({ 0.1 }, { dtype = "f64" }))
end

function TestPrint:test_matrices_are_aligned()
  shows("[[ 1., -2.],\n [10.,  4.]]\n[2x2] f32", mlpl.tensor { { 1, -2 }, { 10, 4 } })
  shows("[[[1.],\n  [2.]],\n\n [[3.],\n  [4.]]]\n[2x2x1] f32",
    mlpl.arange(4):reshape(2, 2, 1))
  shows("[[1., 3.],\n [2., 4.]]\n[2x2] f32", mlpl.arange(4):reshape(2, 2):t())
end

function TestPrint:test_other_dtypes()
  shows("[ 1, -2] [2] i64", mlpl.tensor({ 1, -2 }, { dtype = "i64" }))
  shows("[-9223372036854775808] [1] i64",
    mlpl.tensor({ math.mininteger }, { dtype = "i64" }))
  shows("[  0, 255] [2] u8", mlpl.tensor({ 0, 255 }, { dtype = "u8" }))
  shows("[ true, false] [2] bool", mlpl.tensor { true, false })
end

function TestPrint:test_large_and_small_numbers()
  shows("[1.0000e+06, 1.0000e-09, 5.0000e-01] [3] f32", mlpl.tensor { 1e6, 1e-9, 0.5 })
  shows("[999999.] [1] f32", mlpl.tensor { 999999 })
end

function TestPrint:test_what_is_no_number_has_no_sign()
  shows("[nan, nan] [2] f32", mlpl.tensor { 0 / 0, -(0 / 0) })
  shows("[ inf, -inf,   1.] [3] f32", mlpl.tensor { math.huge, -math.huge, 1 })
  shows("[-0.] [1] f32", mlpl.tensor { -0.0 })
end

function TestPrint:test_nothing()
  shows("[] [0] f32", mlpl.zeros(0))
  shows("[]\n[2x0] f32", mlpl.zeros(2, 0))
  shows("[]\n[1099511627776x0] f32", mlpl.zeros(1 << 40, 0))   -- at once
end

function TestPrint:test_many_are_abbreviated()
  shows("[   1.,    2.,    3., ..., 1999., 2000., 2001.] [2001] f32", mlpl.arange(2001))
  shows("[0., 0., 0., ..., 0., 0., 0.] [1099511627776] f32",
    mlpl.zeros(1):expand(1 << 40))
  local lines = select(2, tostring(mlpl.zeros(100, 100)):gsub("\n", "\n"))
  lu.assertEquals(lines, 7)
  lu.assertStrContains(tostring(mlpl.zeros(100, 100)),
    "[0., 0., 0., ..., 0., 0., 0.],\n ...,\n")
end

-- ---- PyTorch's text -------------------------------------------------------------------

-- What print shows in PyTorch 2.15 (linewidth 7 more than ours, for "tensor(").
local torch = {
  { "tensor([ 0.5000, -1.0000])", { 0.5, -1 } },
  { "tensor([1.0000e+06, 1.0000e-09, 5.0000e-01])", { 1e6, 1e-9, 0.5 } },
  { "tensor([1.0005e+03, 1.0000e+00])", { 1000.5, 1 } },
  { "tensor([100000000., 100000000.])", { 1e8, 1e8 } },
  { "tensor([2.0000e+08, 2.0000e+08])", { 2e8, 2e8 } },
  { "tensor([0.0001, 0.0002])", { 1e-4, 2e-4 }, "f64" },
  { "tensor([9.0000e-05, 2.0000e-04])", { 0.9e-4, 2e-4 } },
  { "tensor([   nan, 1.5000,    inf,   -inf])", { 0 / 0, 1.5, math.huge, -math.huge } },
  { "tensor([0., 0.])", { 0, 0 } },
  { "tensor(3.1416)", 3.14159 },
  { "tensor(1.0000e-06)", 1e-6 },
  { "tensor([[   1.2500,   -2.0000],\n        [1000.0000,    3.0000]])",
    { { 1.25, -2 }, { 1000, 3 } } },
  { "tensor([[   1, -200],\n        [   3,    4]])", { { 1, -200 }, { 3, 4 } }, "i64" },
  { "tensor([[ true, false],\n        [false,  true]])",
    { { true, false }, { false, true } }, "bool" },
  { "tensor([  0, 255])", { 0, 255 }, "u8" },
  { "tensor([ 1.26, -2.00])", { 1.256, -2 }, "f32", { precision = 2 } },
  { "tensor([2, 2])", { 1.5, 2.5 }, "f32", { precision = 0 } },
  { "tensor([0.10000000000000001, 0.66666666666666663])", { 0.1, 2 / 3 }, "f64",
    { precision = 17 } },
  { "tensor([ 1.2560e+00, -2.0000e+00])", { 1.256, -2 }, "f32", { sci_mode = true } },
  { "tensor([1.0000e+00, 2.0000e+00])", { 1, 2 }, "f32", { sci_mode = true } },
  { "tensor([         0.0000, 1000000000.0000])", { 1e-9, 1e9 }, "f32",
    { sci_mode = false } },
}

local ranges = {
  { "tensor([   0,    1,    2,  ...,  998,  999, 1000])", { 1001 }, "i64", {} },
  { [==[
tensor([[ 0.,  1.,  ...,  8.,  9.],
        [10., 11.,  ..., 18., 19.],
        ...,
        [80., 81.,  ..., 88., 89.],
        [90., 91.,  ..., 98., 99.]])]==], { 10, 10 }, "f32", { threshold = 50, edgeitems = 2 } },
  { [==[
tensor([[[ 0.,  ...,  3.],
         ...,
         [ 8.,  ..., 11.]],

        [[12.,  ..., 15.],
         ...,
         [20.,  ..., 23.]]])]==], { 2, 3, 4 }, "f32", { threshold = 5, edgeitems = 1 } },
  { "tensor([...])", { 8 }, "f32", { threshold = 5, edgeitems = 0 } },
  { [==[
tensor([ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,
         8.,  9., 10., 11., 12., 13., 14., 15.,
        16., 17., 18., 19., 20., 21., 22., 23.,
        24., 25., 26., 27., 28., 29.])]==], { 30 }, "f32", { linewidth = 40 } },
  { [==[
tensor([[ 0,  1,  2,  3,
          4,  5,  6,  7,
          8,  9, 10, 11],
        [12, 13, 14, 15,
         16, 17, 18, 19,
         20, 21, 22, 23]])]==], { 2, 12 }, "i64", { linewidth = 20 } },
  { [==[
tensor([[[[0., 1.],
          [2., 3.]],

         [[4., 5.],
          [6., 7.]]]])]==], { 1, 2, 2, 2 }, "f32", {} },
}

local function adapted(text)
  return (text:gsub("^tensor%(", ""):gsub("%)$", ""):gsub("\n       ", "\n")
    :gsub(",  %.%.%.", ", ..."):gsub("%.%.%.,  ", "..., "))
end

-- Spaces round the dots are ours; so is the line of shape and dtype.
local function alike(text, tensor, options)
  local before = mlpl.get_printoptions()
  mlpl.set_printoptions(options or {})
  local found = tostring(tensor)
  mlpl.set_printoptions(before)
  local shape = ("[%s] %s"):format(table.concat(tensor.shape, "x"), tensor.dtype)
  local wanted = adapted(text) .. (#tensor.shape > 1 and "\n" or " ") .. shape
  lu.assertEquals(found:gsub("%.%.%., +", "..., "), (wanted:gsub("%.%.%., +", "..., ")))
end

function TestPrint:test_as_pytorch_prints()
  for _, case in ipairs(torch) do
    alike(case[1], mlpl.tensor(case[2], { dtype = case[3] or "f32" }), case[4])
  end
end

function TestPrint:test_abbreviated_and_wrapped_as_pytorch_does()
  for _, case in ipairs(ranges) do
    local n = 1
    for _, size in ipairs(case[2]) do n = n * size end
    local x = mlpl.arange(0, n - 1, { dtype = case[3] }):reshape(case[2])
    alike(case[1], x, case[4])
  end
end

-- PyTorch would print 1.0000e+00: whole numbers lose nothing by being whole.
function TestPrint:test_whole_numbers_stay_whole()
  shows("[       1., 99999999.] [2] f64", mlpl.tensor({ 1, 99999999 }, { dtype = "f64" }))
  shows("[ 1., nan] [2] f32", mlpl.tensor { 1, 0 / 0 })
end

-- PyTorch measures neither.
function TestPrint:test_zeros_and_infinities_are_aligned()
  shows("[-0.0000,  1.5000] [2] f32", mlpl.tensor { -0.0, 1.5 })
  shows("[  1., -inf] [2] f32", mlpl.tensor { 1, -math.huge })
end

-- The range is that of the numbers shown.
function TestPrint:test_only_what_is_shown_counts()
  local v = {}
  for i = 1, 3000 do v[i] = i == 1500 and 1e30 or 0.5 end
  local x = mlpl.tensor(v)
  shows("[0.5000, 0.5000, 0.5000, ..., 0.5000, 0.5000, 0.5000] [3000] f32", x)
end

function TestPrint:test_lines_end_at_80_columns()
  for _, x in ipairs { mlpl.ones(300), mlpl.ones(3, 300), mlpl.ones(2, 3, 100) * 0.5 } do
    local longest = 0
    for line in tostring(x):gsub(" %[%d+%] f32", ""):gmatch "[^\n]+" do longest = math.max(longest, #line) end
    lu.assertTrue(longest <= 82 and longest > 70)   -- brackets close behind the last
  end
end

function TestPrint:test_a_huge_tensor_prints_at_once()
  local x = mlpl.zeros(1):expand(1 << 20, 1 << 20)
  local start = mlpl.clock()
  lu.assertStrContains(tostring(x), "[1048576x1048576] f32")
  lu.assertTrue(mlpl.clock() - start < 0.1)
end

-- ---- options --------------------------------------------------------------------------

function TestPrint:test_options()
  local before = mlpl.get_printoptions()
  lu.assertEquals(before, standard)
  mlpl.set_printoptions { precision = 2, threshold = math.huge, sci_mode = false }
  lu.assertEquals(mlpl.get_printoptions(), { precision = 2, threshold = math.huge,
    edgeitems = 3, linewidth = 80, sci_mode = false })
  lu.assertNotStrContains(tostring(mlpl.zeros(5000)), "...")
  mlpl.set_printoptions { linewidth = math.huge }
  shows("[" .. ("0., "):rep(1999) .. "0.] [2000] f32", mlpl.zeros(2000))
  mlpl.set_printoptions { linewidth = 1, precision = 40 }
  shows("[0.,\n 0.] [2] f32", mlpl.zeros(2))
  lu.assertStrContains(tostring(mlpl.tensor({ 1.5e308, 0.5 }, { dtype = "f64" })), "1500000")
  mlpl.set_printoptions(before)
  lu.assertEquals(mlpl.get_printoptions(), before)
end

function TestPrint:test_standard_options()
  local out = process.run("-e", [[local o = require "mlpl".get_printoptions()
    print(o.precision, o.threshold, o.edgeitems, o.linewidth, o.sci_mode)]])
  lu.assertEquals(out, "4\t1000\t3\t80\tauto\n")
end

function TestPrint:test_wrong_options()
  local set = mlpl.set_printoptions
  fails("set_printoptions: precision is -1; it must be 0 to 40", set, { precision = -1 })
  fails("set_printoptions: precision is 41; it must be 0 to 40", set, { precision = 41 })
  fails("set_printoptions: threshold is -1; it must be 0 or more", set, { threshold = -1 })
  fails("set_printoptions: linewidth is 0; it must be 1 or more", set, { linewidth = 0 })
  fails("set_printoptions: sci_mode is 1; it must be true, false or 'auto'", set,
    { sci_mode = 1 })
  fails("set_printoptions: the options are nil; they must be a table with names: "
    .. "{ precision = 2 }", set, nil)
  fails("set_printoptions: the options are an array; they must be a table with names: "
    .. "{ precision = 2 }", set, { 1 })
  lu.assertStrContains(expect.message(set, { digits = 3 }),
    "precision, threshold, edgeitems, linewidth, sci_mode")
  lu.assertStrContains(expect.message(set, { edgeitems = 1.5 }), "edgeitems")
  -- a call that fails changes nothing
  lu.assertFalse((pcall(set, { precision = 1, linewidth = -1 })))
  lu.assertEquals(mlpl.get_printoptions().precision, 4)
end
