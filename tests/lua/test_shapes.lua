-- Shapes, indexing by masks and index tensors, assignment, joining and arranging, as
-- scripts see them.

local lu = require "luaunit"
local mlpl = require "mlpl"
local expect = require "expect"

local values, fails = expect.values, expect.fails
local tensor = mlpl.tensor

local function index(t) return tensor(t, { dtype = "i64" }) end
-- The error of reading or setting begins with a text.
local function begins(text, f)
  lu.assertEquals(expect.message(f):sub(1, #text), text)
end
local function get(text, x, key) begins(text, function() return x[key] end) end
local function set(text, x, key, v) begins(text, function() x[key] = v end) end

-- ---- reading --------------------------------------------------------------------------

TestSubscripts = {}

function TestSubscripts:setUp() self.x = mlpl.arange(12):reshape(3, 4) end
function TestSubscripts:tearDown() self.x = nil end

function TestSubscripts:test_ranges_with_steps()
  local x = self.x
  values(x[{ { 1, 3, 2 } }], { { 1, 2, 3, 4 }, { 9, 10, 11, 12 } })
  values(x[{ {}, { 1, 4, 3 } }], { { 1, 4 }, { 5, 8 }, { 9, 12 } })
  values(x[{ { 3, 1, -1 }, 1 }], { 9, 5, 1 })
  values(x[{ 2, { -1, 1, -2 } }], { 8, 6 })
  values(x[{ 1, { 1, 4, 100 } }], { 1 })
  values(x[{ 1, { 2, 2, math.mininteger } }], { 2 })
  local odd = x[{ {}, { 1, -1, 2 } }]
  lu.assertEquals(odd.shape, { 3, 2 })
  odd[1] = 0                                         -- a view
  values(x[1], { 0, 2, 0, 4 })
  get("range {1, 3, 0} of axis 1: the step is 0", x, { { 1, 3, 0 } })
  get("range {3, 1, 1} of axis 1 runs the other way", x, { { 3, 1, 1 } })
  get("range {1, 3, -1} of axis 1 runs the other way", x, { { 1, 3, -1 } })
  get("index 5 is outside axis 2, which has size 4", x, { 1, { 1, 5, 2 } })
  get("a range has 4 numbers; it is {first, last}, {first, last, step}, or {} for the " ..
    "whole axis", x, { { 1, 2, 1, 1 } })
end

function TestSubscripts:test_views_that_run_backwards_work_everywhere()
  local back = self.x[{ { 3, 1, -1 }, { 4, 1, -1 } }]
  values(back, { { 12, 11, 10, 9 }, { 8, 7, 6, 5 }, { 4, 3, 2, 1 } })
  values(back:sum(1), { 24, 21, 18, 15 })
  values(back:max(2), { 12, 8, 4 })
  values(back:argmax(1), { 1, 1, 1, 1 })
  values(back + back, { { 24, 22, 20, 18 }, { 16, 14, 12, 10 }, { 8, 6, 4, 2 } })
  values(back:t():matmul(back):select(1, 1), { 224, 200, 176, 152 })
  values(back:exp():log(), back:totable(), 1e-6)
  values(back:softmax(2):sum(2), { 1, 1, 1 }, 1e-6)
  values(back:clone(), back:totable())
  values(back:reshape(2, 6), { { 12, 11, 10, 9, 8, 7 }, { 6, 5, 4, 3, 2, 1 } })
end

function TestSubscripts:test_masks()
  local x = self.x
  values(x[tensor { true, false, true }], { { 1, 2, 3, 4 }, { 9, 10, 11, 12 } })
  values(x[{ {}, tensor { false, true, false, true } }],
    { { 2, 4 }, { 6, 8 }, { 10, 12 } })
  local full = tensor {
    { true, false, false, false }, { false, true, true, false },
    { false, false, false, false },
  }
  values(x[full], { 1, 6, 7 })
  values(x:masked_select(full), { 1, 6, 7 })
  lu.assertEquals(x[tensor { false, false, false }].shape, { 0, 4 })
  local deep = mlpl.arange(24):reshape(2, 3, 4)
  local two = tensor { { true, false, false }, { false, false, true } }
  values(deep[{ two, 1 }], { 1, 21 })
  values(deep[{ 2, tensor { true, false, true }, { 1, 2 } }], { { 13, 14 }, { 21, 22 } })
  get("the mask is [2], the axes of the tensor from 1 on are [3x4]; it must have the " ..
    "sizes of the first of them", x, tensor { true, false })
  get("the mask is [3x4], the axes of the tensor from 2 on are [4]", x, { 1, full })
  get("the mask is [], the axes", x, tensor(true))
  get("index 2 has no axis left: a mask stands for as many as it has, and the tensor has 2",
    x, { full, 1 })
end

function TestSubscripts:test_index_tensors()
  local x = self.x
  values(x[index { 3, 1, -1 }], { { 9, 10, 11, 12 }, { 1, 2, 3, 4 }, { 9, 10, 11, 12 } })
  values(x[index { { 1, 2 } }], { { { 1, 2, 3, 4 }, { 5, 6, 7, 8 } } })
  values(x[index(2)], { 5, 6, 7, 8 })
  values(x[{ {}, index { 4, 1 } }], { { 4, 1 }, { 8, 5 }, { 12, 9 } })
  values(x[{ index { 1, 3 }, index { 2, 4 } }], { 2, 12 })
  values(x[{ index { { 1 }, { 3 } }, index { 2, 4 } }], { { 2, 4 }, { 10, 12 } })
  values(x[{ { 2, 3 }, index { 1, 1 } }], { { 5, 5 }, { 9, 9 } })
  values(x[{ 3, index { 4, 1 } }], { 12, 9 })
  lu.assertEquals(x[mlpl.zeros(0, { dtype = "i64" })].shape, { 0, 4 })
  local deep = mlpl.arange(24):reshape(2, 3, 4)
  lu.assertEquals(deep[{ index { 1, 2 }, {}, index { 1, 2 } }].shape, { 2, 3 })
  lu.assertEquals(deep[{ {}, index { 1, 2, 3, 1, 1 }, index { 1 } }].shape, { 2, 5 })
  values(deep[{ index { 1, 2 }, {}, index { 1, 4 } }], { { 1, 5, 9 }, { 16, 20, 24 } })
end

function TestSubscripts:test_places_that_operations_give_are_indices()
  local x = tensor { { 1, 9, 2 }, { 7, 3, 4 } }
  values(x[{ index { 1, 2 }, x:argmax(2) }], { 9, 7 })
end

function TestSubscripts:test_what_is_refused()
  local x = self.x
  get("an index tensor is f32; indices are i64, masks are bool", x, tensor(1))
  get("an index tensor is f32", x, { {}, tensor { 1 } })
  get("index: index 4 along axis 1, which has size 3: indices run from 1 to 3 (or -3 " ..
    "to -1 from the end)", x, index { 1, 4 })
  get("index: index 0 along axis 2, which has size 4: indices run from 1 to 4 (or -4 " ..
    "to -1 from the end); are these counted from 0? add 1", x, { {}, index { 0 } })
  get("index: entry 1 is [2], entry 2 is [3]; ", x, { index { 1, 2 }, index { 1, 2, 3 } })
  local gone = index { 1 }
  gone:release()
  get("the index is a tensor that was released", x, gone)
  get("a tensor without axes cannot be indexed", tensor(1), index { 1 })
end

function TestSubscripts:test_gradients()
  local x = mlpl.arange(6):reshape(2, 3):requires_grad_()
  ;(x[index { 1, 1, 2 }]:sum() + x[{ 2, { 3, 1, -2 } }]:sum() * 10
    + x[tensor { { true, false, false }, { false, true, false } }]:sum() * 100):backward()
  values(x.grad, { { 102, 2, 2 }, { 11, 101, 11 } })
end

-- ---- assignment -----------------------------------------------------------------------

TestAssignment = {}

function TestAssignment:setUp() self.x = mlpl.arange(12):reshape(3, 4) end
function TestAssignment:tearDown() self.x = nil end

function TestAssignment:test_every_kind_of_index()
  local x = self.x
  x[1] = 0
  x[-1] = tensor { 1, 2, 3, 4 }
  values(x, { { 0, 0, 0, 0 }, { 5, 6, 7, 8 }, { 1, 2, 3, 4 } })
  x[{ { 1, 2 }, 2 }] = -1
  x[{ 3, 4 }] = 100
  values(x, { { 0, -1, 0, 0 }, { 5, -1, 7, 8 }, { 1, 2, 3, 100 } })
  x[{ {}, { 4, 1, -3 } }] = tensor { { 7, 8 } }
  values(x, { { 8, -1, 0, 7 }, { 8, -1, 7, 7 }, { 8, 2, 3, 7 } })
  x[tensor { true, false, true }] = 5
  values(x, { { 5, 5, 5, 5 }, { 8, -1, 7, 7 }, { 5, 5, 5, 5 } })
  x[index { 3, 1 }] = tensor { { 1 }, { 2 } }
  values(x, { { 2, 2, 2, 2 }, { 8, -1, 7, 7 }, { 1, 1, 1, 1 } })
  x[{ index { 1, 2 }, index { 2, 3 } }] = tensor { 10, 20 }
  values(x, { { 2, 10, 2, 2 }, { 8, -1, 20, 7 }, { 1, 1, 1, 1 } })
  x[{ { 1, 3, 2 }, index { -1 } }] = 0
  values(x, { { 2, 10, 2, 0 }, { 8, -1, 20, 7 }, { 1, 1, 1, 0 } })
  x[{}] = 3
  values(x, { { 3, 3, 3, 3 }, { 3, 3, 3, 3 }, { 3, 3, 3, 3 } })
  x[{ { 2, 1 } }] = 9                                -- nothing
  x[tensor { false, false, false }] = 9
  values(x:sum(), 36)
  x[{ { 1, 2 } }] = x[{ { 2, 3 } }]                  -- its own elements
  local row = x[2]
  row[1] = 50                                        -- through a view
  lu.assertEquals(x[{ 2, 1 }]:item(), 50)
end

function TestAssignment:test_overlapping_parts_are_read_first()
  local x = mlpl.arange(6)
  x[{ { 2, 6 } }] = x[{ { 1, 5 } }]
  values(x, { 1, 1, 2, 3, 4, 5 })
end

function TestAssignment:test_dtypes()
  local i, b = index { 1, 2, 3 }, tensor { true, false }
  i[1] = (1 << 53) + 1
  lu.assertEquals(i:totable(), { (1 << 53) + 1, 2, 3 })
  i[2] = 7.0
  i[3] = tensor { 2.9 }[1]                           -- converted as :to does
  lu.assertEquals(i[{ { 2, 3 } }]:totable(), { 7, 2 })
  b[2] = true
  b[1] = 0
  lu.assertEquals(b:totable(), { false, true })
  set("assignment: 1.5 does not fit i64", i, 1, 1.5)
  set("assignment: 300 does not fit u8", tensor({ 1 }, { dtype = "u8" }), 1, 300)
end

function TestAssignment:test_what_is_refused()
  local x = self.x
  set("assignment: the value is nil; it must be a number or a tensor", x, 1, nil)
  set("assignment: the value is 'a'; it must be a number or a tensor", x, 1, "a")
  set("assignment: the part is [4], the values [3]; they must broadcast to it", x, 1,
    mlpl.zeros(3))
  set("index 4 is outside axis 1, which has size 3", x, 4, 1)
  set("assignment: index 9 along axis 1, which has size 3", x, index { 1, 9 }, 0)
  set("assignment: elements of the tensor share memory (expand, unfold); assign to a " ..
    "clone", mlpl.zeros(1):expand(3), 1, 1)
  set("a tensor has no field 'shape' that can be set", x, "shape", 1)
  values(x, mlpl.arange(12):reshape(3, 4):totable())
end

function TestAssignment:test_a_leaf_is_set_under_no_grad_only()
  local w = mlpl.zeros(2, 2, { requires_grad = true })
  set("assignment: the tensor is a leaf that requires a gradient; its elements can be " ..
    "set under no_grad", w, 1, 1)
  mlpl.no_grad(function() w[1] = 1 end)
  values(w, { { 1, 1 }, { 0, 0 } })
  lu.assertTrue(w.requires_grad)
end

function TestAssignment:test_gradients_flow_through()
  local a = tensor({ 1, 2 }, { requires_grad = true })
  local out = mlpl.zeros(3, 2)
  out[1] = a * 2
  out[{ { 2, 3 }, 1 }] = a[1] * 3
  out[index { 3 }] = a * a
  values(out, { { 2, 4 }, { 3, 0 }, { 1, 4 } })
  out:sum():backward()
  values(a.grad, { 2 + 3 + 2, 2 + 4 })
end

function TestAssignment:test_parts_of_a_tensor_into_itself()
  local ways = {
    function(y) y[3] = y[1] end, function(y) y[3] = y[1] * 2 end,
    function(y) y[3] = y[1] / 2 end, function(y) y[3] = y[1]:exp() end,
    function(y) y[3] = y[1]:clone() * 2 end, function(y) y[1] = y[1]:detach() + 1 end,
    function(y) y[{ { 2, 3 } }] = y[{ { 1, 2 } }] - y[{ { 2, 3 } }] end,
  }
  local wanted = { { 2, 1, 0 }, { 3, 1, 0 }, { 1.5, 1, 0 }, { 1 + math.exp(1), 1, 0 },
    { 3, 1, 0 }, { 0, 1, 1 }, { 2, 0, -1 } }
  for i, way in ipairs(ways) do
    local a = tensor({ 1, 2, 3 }, { requires_grad = true })
    local y = a * 1
    way(y)
    y:sum():backward()
    lu.assertTrue(a.grad:allclose(tensor(wanted[i])), "way " .. i)
  end
end

function TestAssignment:test_views_of_a_recorded_assignment()
  local a = tensor({ 1, 2 }, { requires_grad = true })
  local out = a * 1
  local row = out[{ { 1, 1 } }]
  out[1] = 7
  fails("mul: a is a view of memory that a recorded operation has changed in place " ..
    "since; make the view again", function() return row * 2 end)
  row = out[{ { 1, 1 } }]
  set("assignment: the tensor is a view, and a recorded assignment would not reach the " ..
    "gradient of the tensor that it is a part of; assign with one index to that tensor, " ..
    "x[{i, j}] = v, to a clone, or under no_grad", row, 1, 8)
  values(out, { 7, 2 })
  out:sum():backward()
  values(a.grad, { 0, 1 })
end

function TestAssignment:test_a_backward_that_needs_old_values_raises()
  local a = tensor({ 1, 2 }, { requires_grad = true })
  local b = tensor { 3, 4 }
  local y = (a * b):sum()
  b[1] = 0
  fails("backward: b of mul was changed in place after it was recorded; its old value " ..
    "is needed", y.backward, y)
end

-- ---- views ----------------------------------------------------------------------------

TestViews = {}

local function shares(a, b)
  local was = a:sum():item()
  b[{}] = b + 1
  return a:sum():item() ~= was
end

function TestViews:test_which_share_memory_and_which_copy()
  local function x() return mlpl.arange(6):reshape(2, 3) end
  local views = {
    { "view", 3, 2 }, { "permute", 2, 1 }, { "movedim", 1, 2 }, { "swapaxes", 1, 2 },
    { "unsqueeze", 1 }, { "squeeze" }, { "diagonal" }, { "unfold", 2, 2, 2 }, { "ravel" },
    { "reshape", 6 }, { "unflatten", 2, 3, 1 }, { "t" }, { "narrow", 1, 1, 1 },
    { "select", 2, 1 }, { "flatten" }, { "split", 3 }, { "chunk", 1 }, { "unbind" },
    { "view_as", mlpl.zeros(6) }, { "reshape_as", mlpl.zeros(6) },
  }
  local copies = {
    { "clone" }, { "flip", 1 }, { "roll", 1 }, { "roll", 2, 1 }, { "rot90" },
    { "rot90", 4 }, { "tril" }, { "triu" }, { "tile", 1 }, { "tile", 2 },
    { "repeat_interleave", 1, 1 }, { "repeat_interleave", 2 }, { "diag" },
    { "pad", { 0, 0 } }, { "pad", { 1, 1 } }, { "pad", { 0, 0 }, "reflect" },
    { "gather", 1, index { { 1, 1, 1 } } }, { "index_select", 1, index { 1 } },
    { "index_fill", 1, index { 1 }, 0 },
    { "masked_select", tensor { true, true, false } },
    { "take", index { 1 } }, { "scatter", 1, index { { 1 } }, 0 },
  }
  for _, case in ipairs(views) do
    local a = x()
    lu.assertTrue(shares(a, (a[case[1]](a, table.unpack(case, 2)))), case[1])
  end
  for _, case in ipairs(copies) do
    local a = x()
    lu.assertFalse(shares(a, (a[case[1]](a, table.unpack(case, 2)))), case[1])
  end
  local a = x()
  lu.assertFalse(shares(a, a[index { 1 }]))
  lu.assertFalse(shares(a, a[tensor { true, false }]))
  lu.assertFalse(shares(a, mlpl.cat { a }))
end

function TestViews:test_reshape_copies_only_where_it_must()
  local x = mlpl.arange(12):reshape(3, 4)
  lu.assertTrue(shares(x, x[{ { 1, 2 } }]:reshape(8)))
  lu.assertTrue(shares(x, x[{ {}, { 1, 2 } }]:reshape(3, 1, 2)))
  lu.assertFalse(shares(x, x:t():reshape(12)))
end

function TestViews:test_axes_are_numbers_or_one_array()
  local x = mlpl.zeros(2, 3, 4)
  lu.assertEquals(x:permute(3, 1, 2).shape, { 4, 2, 3 })
  lu.assertEquals(x:permute({ -1, 1, 2 }).shape, { 4, 2, 3 })
  lu.assertEquals(x:permute({ dims = { 2, 3, 1 } }).shape, { 3, 4, 2 })
  lu.assertEquals(x:movedim(1, -1).shape, { 3, 4, 2 })
  lu.assertEquals(x:movedim({ 1, 2 }, { 2, 1 }).shape, { 3, 2, 4 })
  lu.assertEquals(mlpl.zeros(1, 2, 1):squeeze().shape, { 2 })
  lu.assertEquals(mlpl.zeros(1, 2, 1):squeeze(1).shape, { 2, 1 })
  lu.assertEquals(mlpl.zeros(1, 2, 1):squeeze({ 1, -1 }).shape, { 2 })
  lu.assertEquals(mlpl.zeros(1, 2, 1):squeeze(nil).shape, { 2 })
  lu.assertEquals(x:unflatten(3, 2, -1).shape, { 2, 3, 2, 2 })
  lu.assertEquals(mlpl.tensor(1):permute({}).shape, {})
  fails("permute: dims is 0; it counts from 1, or from -1 at the end", x.permute, x, 0, 1,
    2)
  fails("permute: axis 1 stands twice among the axes", x.permute, x, 1, 1, 2)
  fails("permute: dims is missing", x.permute, x)
  fails("flip: dims is missing", x.flip, x)
  fails("view: input [3x2] with strides [1x3] cannot be seen as [6] without copying; use " ..
    "reshape", function() return mlpl.zeros(2, 3):t():view(6) end)
end

function TestViews:test_several_parts()
  local x = mlpl.arange(10):reshape(5, 2)
  local a, b, c, d = x:split(2)
  values(a, { { 1, 2 }, { 3, 4 } })
  values(c, { { 9, 10 } })
  lu.assertNil(d)
  a, b, c = x:split { 1, 0, 4 }
  lu.assertEquals({ a.shape, b.shape, c.shape }, { { 1, 2 }, { 0, 2 }, { 4, 2 } })
  a, b = x:split(1, 2)
  values(b, { { 2 }, { 4 }, { 6 }, { 8 }, { 10 } })
  a, b, c = x:chunk(3)
  lu.assertEquals({ #a, #b, #c }, { 2, 2, 1 })
  a, b = x:chunk(2, { dim = -1 })
  lu.assertEquals(b.shape, { 5, 1 })
  lu.assertEquals(select("#", mlpl.zeros(0, 2):split(3)), 1)
  lu.assertEquals(select("#", mlpl.zeros(0, 2):unbind()), 0)
  lu.assertEquals(select("#", x:unbind()), 5)
  a, b = x:unbind(2)
  values(b, { 2, 4, 6, 8, 10 })
  fails("split: the sizes add up to 4, axis 1 has size 5", x.split, x, { 1, 3 })
  fails("split: the sizes add up to more than axis 1, which has size 5", x.split, x,
    { 6 })
  fails("split: a size is -1; it must be 0 or more", x.split, x, { -1, 6 })
  fails("split: the size is 0; it must be at least 1", x.split, x, 0)
  fails("split: axis 3 is outside 1 to 2 (or -2 to -1 from the end)", x.split, x, 1, 3)
  fails("chunk: chunks is missing", x.chunk, x)
  fails("chunk: chunks is 0; it must be at least 1", x.chunk, x, 0)
  fails("unbind: axis 1 of a tensor without axes", tensor(1).unbind, tensor(1))
  local w = mlpl.ones(4, { requires_grad = true })
  local l, r = w:chunk(2)
  ;(l * 2 + r * r * r):sum():backward()
  values(w.grad, { 2, 2, 3, 3 })
end

-- ---- joining and arranging ------------------------------------------------------------

function TestViews:test_places_taken_apart()
  local x = mlpl.tensor { { { 1, 2 }, { 3, 9 } }, { { 5, 6 }, { 7, 8 } } }
  local i, j, k = mlpl.unravel_index(x:argmax(), x.shape)
  lu.assertEquals({ i:item(), j:item(), k:item() }, { 1, 2, 2 })
  lu.assertEquals(x[{ i, j, k }]:item(), 9)
  local all = mlpl.arange(6, { dtype = "i64" }):reshape(3, 2):t()
  local row, column = mlpl.unravel_index(all, { 2, 3 })
  lu.assertEquals(row:totable(), { { 1, 1, 2 }, { 1, 2, 2 } })
  lu.assertEquals(column:totable(), { { 1, 3, 2 }, { 2, 1, 3 } })
  fails("unravel_index: index holds 7; with these sizes elements are 1 to 6", mlpl.unravel_index,
    all + 1, { 2, 3 })
  fails("unravel_index: index is f32; indices are i64", mlpl.unravel_index, mlpl.ones(2), { 2 })
  fails("unravel_index: a size is 'a'; it must be a whole number", mlpl.unravel_index, all,
    { "a" })
end

function TestViews:test_cut_into_sections()
  local x = mlpl.arange(10):reshape(2, 5)
  local function sizes(axis, ...)
    local all = {}
    for i, part in ipairs { ... } do all[i] = part:size(axis) end
    return all
  end
  lu.assertEquals(sizes(2, x:tensor_split(3, 2)), { 2, 2, 1 })
  lu.assertEquals(sizes(2, x:tensor_split({ 1, 4 }, 2)), { 1, 3, 1 })
  lu.assertEquals(sizes(2, x:tensor_split({ -1 }, { dim = 2 })), { 4, 1 })
  lu.assertEquals(sizes(2, mlpl.tensor_split(x, { 3, 1, 9 }, 2)), { 3, 0, 4, 0 })
  lu.assertEquals(sizes(1, x:tensor_split(3)), { 1, 1, 0 })
  lu.assertEquals(sizes(2, x:hsplit { 2 }), { 2, 3 })
  lu.assertEquals(sizes(1, x[1]:hsplit(2)), { 3, 2 })
  lu.assertEquals(sizes(1, x:vsplit(2)), { 1, 1 })
  lu.assertEquals(sizes(3, mlpl.dsplit(mlpl.ones(1, 1, 4), 2)), { 2, 2 })
  local function whole(v) return mlpl.tensor(v, { dtype = "i64" }) end
  lu.assertEquals(sizes(2, x:tensor_split(whole { 1, 4 }, 2)), { 1, 3, 1 })
  lu.assertEquals(sizes(2, x:tensor_split(whole { 4, 1 }:flip(1), 2)), { 1, 3, 1 })
  lu.assertEquals(sizes(2, x:tensor_split(whole { { 1, 9 }, { 4, 9 } }:select(2, 1), 2)), { 1, 3, 1 })
  lu.assertEquals(sizes(2, x:hsplit(whole(2))), { 3, 2 })
  lu.assertEquals(sizes(2, x:tensor_split(mlpl.zeros({ 0 }, { dtype = "i64" }), 2)), { 5 })
  fails("tensor_split: sections is a tensor of f32 with 1 axes; it must be of i64, with one axis "
    .. "(places) or without (how many)", x.tensor_split, x, mlpl.ones(2))
  fails("tensor_split: sections is 0; it must be at least 1", x.tensor_split, x, 0)
  fails("tensor_split: axis 3 is outside 1 to 2 (or -2 to -1 from the end)", x.tensor_split, x,
    2, 3)
  fails("vsplit: the tensor has 1 axes; it must have 2 or more", x.vsplit, x[1], 2)
  fails("hsplit: a place is 'a'; it must be a whole number", x.hsplit, x, { "a" })
end

TestJoining = {}

function TestJoining:test_any_number_of_tensors()
  local rows, w = {}, mlpl.ones(2, { requires_grad = true })
  for i = 1, 300 do rows[i] = w * i end
  local all = mlpl.stack(rows)
  lu.assertEquals(all.shape, { 300, 2 })
  ;(all:sum() + mlpl.cat(rows):sum()):backward()
  values(w.grad, { 90300, 90300 })
  local a, b = mlpl.zeros(2, 3), mlpl.ones(2, 1)
  lu.assertEquals(mlpl.cat({ a, b }, 2).shape, { 2, 4 })
  lu.assertEquals(mlpl.cat({ a, b }, { dim = -1 }).shape, { 2, 4 })
  lu.assertEquals(mlpl.stack({ a, a }, -1).shape, { 2, 3, 2 })
  lu.assertEquals(mlpl.hstack { a, b }.shape, { 2, 4 })
  lu.assertEquals(mlpl.vstack { a, mlpl.ones(3) }.shape, { 3, 3 })
  lu.assertEquals(mlpl.cat { index { 1 }, index { 2 } }.dtype, "i64")
  local large = mlpl.ones(300, 300)                  -- copied by several threads
  values(mlpl.cat { mlpl.zeros(0, 300), large, mlpl.zeros(0, 300) }, large:totable())
  values(mlpl.cat({ large, mlpl.zeros(300, 0) }, 2), large:totable())
  local part = mlpl.ones(300, 1)
  values(mlpl.cat({ part, large, part }, 2):sum(2), mlpl.full({ 300 }, 302):totable())
end

function TestJoining:test_what_is_refused()
  local a, b = mlpl.zeros(2, 3), mlpl.zeros(2, 1)
  fails("cat: the tensors are a mlpl.Tensor; they stand in one array: cat{a, b}",
    mlpl.cat, a)
  fails("cat: 0 tensors given; it takes 1 or more", mlpl.cat, {})
  fails("cat: tensor 2 is 5; it must be a tensor", mlpl.cat, { a, 5 })
  fails("cat: tensor 2 is [2x1], the first is [2x3]; sizes must be equal but along " ..
    "axis 1", mlpl.cat, { a, b })
  fails("cat: axis 3 is outside 1 to 2 (or -2 to -1 from the end)", mlpl.cat, { a, a }, 3)
  fails("cat: unknown key 'dim' among the tensors; options have a table of their own",
    mlpl.cat, { a, a, dim = 2 })
  fails("stack: tensor 2 is [2x1], the first is [2x3]; all must have one shape",
    mlpl.stack, { a, b })
  lu.assertEquals(mlpl.cat({ mlpl.zeros(1), index { 1 } }).dtype, "f32")
end

function TestJoining:test_picking_and_putting()
  local x = mlpl.arange(6):reshape(2, 3)
  values(x:gather(2, index { { 3, 1 }, { 1, 1 } }), { { 3, 1 }, { 4, 4 } })
  values(x:gather(index { { 3 }, { 1 } }, { dim = 2 }), { { 3 }, { 4 } })
  values(x:index_select(2, index { 3, 3 }), { { 3, 3 }, { 6, 6 } })
  values(x:index_add(1, index { 1, 1 }, mlpl.ones(2, 3), { alpha = 10 }),
    { { 21, 22, 23 }, { 4, 5, 6 } })
  values(x:index_copy(1, index { 2 }, mlpl.zeros(1, 3)), { { 1, 2, 3 }, { 0, 0, 0 } })
  values(x:index_fill(2, index { 1, 3 }, -1), { { -1, 2, -1 }, { -1, 5, -1 } })
  values(x:scatter(2, index { { 1 }, { 2 } }, 9), { { 9, 2, 3 }, { 4, 9, 6 } })
  values(x:scatter(2, index { { 1 }, { 2 } }, tensor { { 7 }, { 8 } }),
    { { 7, 2, 3 }, { 4, 8, 6 } })
  values(x:scatter_add(2, index { { 1, 1 }, { 2, 2 } }, 1), { { 3, 2, 3 }, { 4, 7, 6 } })
  values(x:take(index { 1, 6 }), { 1, 6 })
  values(x:take_along_dim(x:argmax(2, true), 2), { { 3 }, { 6 } })
  values(x:masked_scatter(tensor { true, false, true }, mlpl.zeros(4)),
    { { 0, 2, 0 }, { 0, 5, 0 } })
  lu.assertEquals(tensor { { 0, 1 }, { 2, 0 } }:nonzero():totable(),
    { { 1, 2 }, { 2, 1 } })
  lu.assertEquals(index { 1, 3 }:one_hot():totable(), { { 1, 0, 0 }, { 0, 0, 1 } })
  lu.assertEquals(mlpl.nn.one_hot(index { 2 }, 2):totable(), { { 0, 1 } })
  lu.assertStrContains(expect.message(x.take, x, 5), "take: index is 5; it must be")
  lu.assertStrContains(expect.message(x.expand_as, x, 5), "expand_as: other is 5; it must")
  lu.assertStrContains(expect.message(x.gather, x, 1, 5), "gather: index is 5; it must be")
  fails("gather: index is f32; indices are i64", x.gather, x, 1, x)
  fails("index_select: index 0 along axis 1, which has size 2: indices run from 1 to " ..
    "2; are these counted from 0? add 1", x.index_select, x, 1, index { 0 })
end

function TestJoining:test_arranging()
  local x = mlpl.arange(4):reshape(2, 2)
  values(x:flip(2), { { 2, 1 }, { 4, 3 } })
  values(x:flip { 1, 2 }, { { 4, 3 }, { 2, 1 } })
  values(x:roll(1), { { 4, 1 }, { 2, 3 } })
  values(x:roll(1, 1), { { 3, 4 }, { 1, 2 } })
  values(x:roll({ 1, 1 }, { 1, 2 }), { { 4, 3 }, { 2, 1 } })
  values(x:rot90(), { { 2, 4 }, { 1, 3 } })
  values(x:rot90(-1), { { 3, 1 }, { 4, 2 } })
  values(x:tile(2), { { 1, 2, 1, 2 }, { 3, 4, 3, 4 } })
  values(x:repeat_interleave(2), { 1, 1, 2, 2, 3, 3, 4, 4 })
  values(x:repeat_interleave(2, 2), { { 1, 1, 2, 2 }, { 3, 3, 4, 4 } })
  values(x:tril(), { { 1, 0 }, { 3, 4 } })
  values(x:triu(1), { { 0, 2 }, { 0, 0 } })
  values(x:diag(), { 1, 4 })
  values(tensor { 1, 2 }:diag(), { { 1, 0 }, { 0, 2 } })
  lu.assertEquals(x:trace():item(), 5)
  values(x:pad { 1, 0 }, { { 0, 1, 2 }, { 0, 3, 4 } })
  values(x:pad({ 0, 0, 1, 0 }, "constant", 9), { { 9, 9 }, { 1, 2 }, { 3, 4 } })
  values(x:pad({ 1, 1 }, "reflect"), { { 2, 1, 2, 1 }, { 4, 3, 4, 3 } })
  values(mlpl.nn.pad(x, { 1, 1 }, { mode = "replicate" }),
    { { 1, 1, 2, 2 }, { 3, 3, 4, 4 } })
  values(x:pad({ 1, 1 }, "circular"), { { 2, 1, 2, 1 }, { 4, 3, 4, 3 } })
  values(x:pad({ -1, 0 }), { { 2 }, { 4 } })
  lu.assertEquals(tensor { true, false }:flip(1):totable(), { false, true })
end

-- ---- makers ---------------------------------------------------------------------------

TestMakers = {}

function TestMakers:test_makers()
  values(mlpl.eye(2, 3), { { 1, 0, 0 }, { 0, 1, 0 } })
  lu.assertEquals(mlpl.eye(2, { dtype = "i64" }):totable(), { { 1, 0 }, { 0, 1 } })
  values(mlpl.linspace(0, 1, 5), { 0, 0.25, 0.5, 0.75, 1 })
  values(mlpl.linspace { start = 1, stop = 2, steps = 2, dtype = "f64" }, { 1, 2 })
  values(mlpl.logspace(0, 2, 3), { 1, 10, 100 }, 1e-5)
  values(mlpl.logspace(0, 2, 3, 2), { 1, 2, 4 })
  values(mlpl.logspace(0, 1, 2, { base = 3 }), { 1, 3 })
  lu.assertEquals(mlpl.tril_indices(2, 2):totable(), { { 1, 2, 2 }, { 1, 1, 2 } })
  lu.assertEquals(mlpl.triu_indices(2, 3, 1):totable(), { { 1, 1, 2 }, { 2, 3, 3 } })
  local at = mlpl.tril_indices(2, 2)
  values(mlpl.arange(4):reshape(2, 2)[{ at[1], at[2] }], { 1, 3, 4 })
  local x = mlpl.zeros(2, 3, { dtype = "f64" })
  for _, name in ipairs { "zeros_like", "ones_like", "empty_like" } do
    local y = mlpl[name](x, { dtype = "f32", requires_grad = true })
    lu.assertEquals({ y.shape, y.dtype, y.requires_grad }, { { 2, 3 }, "f32", true })
  end
  values(mlpl.full_like(x, 7), { { 7, 7, 7 }, { 7, 7, 7 } })
  lu.assertEquals(mlpl.ones_like(x).dtype, "f64")
  lu.assertEquals(mlpl.empty(2, 3).shape, { 2, 3 })
  lu.assertEquals(mlpl.empty({ 4 }, { dtype = "u8" }).dtype, "u8")
  local a, b = mlpl.meshgrid(mlpl.arange(2), mlpl.arange(3))
  values(a, { { 1, 1, 1 }, { 2, 2, 2 } })
  values(b, { { 1, 2, 3 }, { 1, 2, 3 } })
  a, b = mlpl.meshgrid(mlpl.arange(2), mlpl.arange(3), { indexing = "xy" })
  values(a, { { 1, 2 }, { 1, 2 }, { 1, 2 } })
  values(b, { { 1, 1 }, { 2, 2 }, { 3, 3 } })
end

function TestMakers:test_what_is_refused()
  fails("eye: n is missing", mlpl.eye)
  fails("linspace: steps is missing", mlpl.linspace, 0, 1)
  fails("linspace: steps is -1; it must be 0 or more", mlpl.linspace, 0, 1, -1)
  fails("linspace: dtype is i64; it must be f32 or f64", mlpl.linspace, 0, 1, 2,
    { dtype = "i64" })
  fails("eye: unknown option 'k'; the options are n, m", mlpl.eye, 2, { k = 1 })
  fails("zeros_like: one argument too many: 3", mlpl.zeros_like, mlpl.zeros(1), 3)
  fails("full_like: the value is missing; it must be a number", mlpl.full_like,
    mlpl.zeros(1))
  fails("meshgrid: indexing is 'yx'; it must be one of ij, xy", mlpl.meshgrid,
    mlpl.zeros(1), { indexing = "yx" })
  fails("meshgrid: tensor 1 has 2 axes; it must have one", mlpl.meshgrid, mlpl.eye(2))
end

TestShapesFunctions = {}

-- What PyTorch has as functions, too.
function TestShapesFunctions:test_methods_that_are_functions()
  local x = mlpl.arange(6)
  local a, b = mlpl.split(x, 4)
  values(a, { 1, 2, 3, 4 })
  values(b, { 5, 6 })
  lu.assertEquals(select("#", mlpl.chunk(x, 3)), 3)
  lu.assertEquals(select("#", mlpl.unbind(x)), 6)
  values(mlpl.unique(mlpl.tensor { 2, 1, 2 }), { 1, 2 })
  lu.assertStrContains(mlpl.help.text "split", "split(x, size | { sizes }, [dim])")
  lu.assertStrContains(mlpl.help.text "unique", "unique(x, { return_inverse")
end
