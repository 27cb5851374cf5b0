local lu = require "luaunit"
local mlpl = require "mlpl"

local function shows(text, tensor) lu.assertEquals(tostring(tensor), text) end

TestPrint = {}

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
  shows("[1.0000e+06, 1.0000e-09,     0.5000] [3] f32", mlpl.tensor { 1e6, 1e-9, 0.5 })
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
