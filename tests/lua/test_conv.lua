-- Products, einsum, convolutions and pooling as a script sees them.

local lu = require "luaunit"
local mlpl = require "mlpl"
local expect = require "expect"

local nn, tensor = mlpl.nn, mlpl.tensor
local values, fails = expect.values, expect.fails

TestProducts = {}

function TestProducts:test_vectors_matrices_stacks()
  local a, v = tensor { { 1, 2 }, { 3, 4 } }, tensor { 1, 10 }
  values(a:matmul(v), { 21, 43 })
  values(a:mv(v), { 21, 43 })
  values(v:matmul(a), { 31, 42 })
  values(a:mm(a), { { 7, 10 }, { 15, 22 } })
  values(v:outer(v), { { 1, 10 }, { 10, 100 } })
  values(a:inner(v), { 21, 43 })
  lu.assertEquals(v:dot(v):item(), 101)
  lu.assertEquals(mlpl.ones(5, 1, 2, 3):matmul(mlpl.ones(4, 3, 6)).shape, { 5, 4, 2, 6 })
  lu.assertEquals(mlpl.ones(4, 2, 3):bmm(mlpl.ones(4, 3, 6)).shape, { 4, 2, 6 })
  fails("mm: a is [2x2], b is [2]; both must be matrices (two axes)", a.mm, a, v)
  lu.assertStrContains(expect.message(function() return a:mm(3) end),
    "mm: b is 3; it must be a tensor")
end

function TestProducts:test_einsum()
  local a = mlpl.arange(6):reshape(2, 3)
  values(mlpl.einsum("ij,kj->ik", a, a), { { 14, 32 }, { 32, 77 } })
  values(mlpl.einsum("ij->j", a), { 5, 7, 9 })
  lu.assertEquals(mlpl.einsum("ii", mlpl.ones(3, 3)):item(), 3)
  local y = mlpl.einsum("...ij,...jk->...ik", mlpl.ones(4, 2, 3), mlpl.ones(3, 5))
  lu.assertEquals(y.shape, { 4, 2, 5 })
  local w = mlpl.ones(3, { requires_grad = true })
  mlpl.einsum("ij,j->", a, w):backward()
  values(w.grad, { 5, 7, 9 })
  fails("einsum: equation 'ij,jk': subscript 'j' has size 2 in operand 2 and 3 before",
    mlpl.einsum, "ij,jk", a, a)
  fails("einsum: 0 operands; it takes 1 to 16", mlpl.einsum, "ij")
  values(mlpl.einsum("ij,kj->ik", { a, a }), { { 14, 32 }, { 32, 77 } })
  fails("einsum: operand 2 is 3; it must be a tensor", mlpl.einsum, "ij,kj->ik", { a, 3 })
  fails("einsum: 0 operands; it takes 1 to 16", mlpl.einsum, "ij", {})
  lu.assertStrContains(expect.message(mlpl.einsum, "ij,kj->ik", { a, a }, a),
    "einsum: one argument too many")
  lu.assertStrContains(expect.message(mlpl.einsum, "i\0j", a), "cannot hold a zero byte")
end

-- In the order of the sentence the first product would have n^4 elements.
function TestProducts:test_einsum_chooses_its_order()
  local n = 40
  local a = mlpl.randn(n, n, { dtype = "f64", requires_grad = true })
  collectgarbage()
  collectgarbage()
  local before = mlpl.memory()
  mlpl.memory_limit(before.live + 100 * 8 * n ^ 2)
  local y = mlpl.einsum("ij,kl,jk->il", a, a, a)
  mlpl.memory_limit(before.limit)
  lu.assertTrue(y:allclose(a:matmul(a):matmul(a)))
  local g = mlpl.autograd.grad(y:sum(), a)
  lu.assertTrue(g:allclose(mlpl.autograd.grad(a:matmul(a):matmul(a):sum(), a)))
end

function TestProducts:test_tensordot()
  local dot = mlpl.tensordot
  local a, b = mlpl.arange(24):reshape(2, 3, 4), mlpl.arange(60):reshape(3, 4, 5)
  lu.assertEquals(mlpl.tensordot(a, b).shape, { 2, 5 })
  values(mlpl.tensordot(a, b), mlpl.einsum("abc,bcd->ad", a, b):totable())
  values(mlpl.tensordot(a, b, { { 3, -2 }, { 2, 1 } }),
    mlpl.einsum("abc,bcd->ad", a, b):totable())
  values(mlpl.tensordot(a, a, { { 1 }, { 1 } }),
    mlpl.einsum("abc,ade->bcde", a, a):totable())
  lu.assertEquals(mlpl.tensordot(a, b, 0).shape, { 2, 3, 4, 3, 4, 5 })
  fails("tensordot: axis 3 of a has size 4, axis 1 of b has size 3", dot, a, b, 1)
  fails("tensordot: dims is 4; a has 3 axes, b has 3", dot, a, b, 4)
  fails("tensordot: axis 4 of a, which has 3 axes", dot, a, b, { { 4 }, { 1 } })
  fails("tensordot: axis -3 of a is given twice", dot, a, b, { { 1, -3 }, { 1, 2 } })
  fails("tensordot: dims has 1 axes of a and 2 of b", dot, a, b, { { 1 }, { 1, 2 } })
  fails("tensordot: dims must be a number or two tables of axes", dot, a, b, { 1 })
  fails("tensordot: dims of b is 2; it must be a table of at most 3 axes", dot, a, b,
    { { 1 }, 2 })
end

function TestProducts:test_addmm()
  local a = tensor { { 1, 2 }, { 3, 4 } }
  values(tensor { 1, 2 }:addmm(a, a), { { 8, 12 }, { 16, 24 } })
  values(a:addmm(a, a, { beta = 0, alpha = 2 }), { { 14, 20 }, { 30, 44 } })
  values(tensor { 0 / 0 }:addmm(a, a, 0), { { 7, 10 }, { 15, 22 } })
  lu.assertEquals(a:baddbmm(mlpl.ones(3, 2, 5), mlpl.ones(3, 5, 2)).shape, { 3, 2, 2 })
end

TestConv = {}

local image = function() return mlpl.arange(16):reshape(1, 4, 4) end

function TestConv:test_options_as_numbers_tables_and_words()
  local x, w = image(), mlpl.ones(1, 1, 3, 3)
  values(x:conv2d(w), { { { 54, 63 }, { 90, 99 } } })
  values(x:conv2d(w, tensor { 1 }), { { { 55, 64 }, { 91, 100 } } })
  values(x:conv2d(w, nil, 2, 1), { { { 14, 30 }, { 57, 99 } } })
  values(x:conv2d(w, nil, { 2, 2 }, { 1, 1 }), { { { 14, 30 }, { 57, 99 } } })
  values(x:conv2d(w, { stride = { 2, 3 }, padding = { 1, 0 } }), { { { 24 }, { 90 } } })
  lu.assertEquals(x:conv2d(w, { padding = "same" }).shape, { 1, 4, 4 })
  lu.assertEquals(x:conv2d(w, nil, 1, "valid").shape, { 1, 2, 2 })
  lu.assertEquals(nn.conv2d(x, w, { dilation = 1, groups = 1 }).shape, { 1, 2, 2 })
  fails("conv2d: padding is 'full'; it must be one of valid, same", x.conv2d, x, w,
    { padding = "full" })
  fails("conv2d: stride is 1.5; it must be a whole number", x.conv2d, x, w, nil, 1.5)
  fails("conv2d: stride is 'a'; it must be a whole number", x.conv2d, x, w, nil, { "a" })
  fails("conv2d: stride has 3 values; it takes one number, or one for each of the 2 axes",
    x.conv2d, x, w, nil, { 1, 1, 1 })
  fails("conv2d: stride has 9 values; it takes one, or one an axis", x.conv2d, x, w, nil,
    { 1, 1, 1, 1, 1, 1, 1, 1, 1 })
  fails("conv2d: unknown key 'h' among the stride", x.conv2d, x, w, nil, { 1, h = 1 })
  fails("conv2d: input is [3x8x8], weight is [16x4x3x3]; the weight takes 4 channels, "
    .. "the input has 3", x.conv2d, mlpl.zeros(3, 8, 8), mlpl.zeros(16, 4, 3, 3))
end

function TestConv:test_one_axis_and_transposed()
  local x, w = tensor { { 1, 2, 3, 4 } }, tensor { { { 1, -1 } } }
  values(x:conv1d(w), { { -1, -1, -1 } })
  values(x:conv_transpose1d(w), { { 1, 1, 1, 1, -4 } })
  values(x:conv_transpose1d(w, nil, 2, { output_padding = 1 }),
    { { 1, -1, 2, -2, 3, -3, 4, -4, 0 } })
  local y = image():conv2d(mlpl.ones(2, 1, 3, 3))
  lu.assertEquals(y:conv_transpose2d(mlpl.ones(2, 1, 3, 3)).shape, { 1, 4, 4 })
end

function TestConv:test_gradients()
  local x, w = image(), mlpl.ones(2, 1, 3, 3)
  local b = mlpl.zeros(2)
  for _, t in ipairs { x, w, b } do t:requires_grad_() end
  x:conv2d(w, b):sum():backward()
  values(b.grad, { 4, 4 })
  values(x.grad, { { { 2, 4, 4, 2 }, { 4, 8, 8, 4 }, { 4, 8, 8, 4 }, { 2, 4, 4, 2 } } })
  values(w.grad[1][1], { { 14, 18, 22 }, { 30, 34, 38 }, { 46, 50, 54 } })
end

TestPool = {}

function TestPool:test_maxima()
  local x = image()
  values(x:max_pool2d(2), { { { 6, 8 }, { 14, 16 } } })
  local y, places = x:max_pool2d(2, { return_indices = true })
  values(y, { { { 6, 8 }, { 14, 16 } } })
  values(places, { { { 6, 8 }, { 14, 16 } } })        -- they count from 1
  lu.assertEquals(places.dtype, "i64")
  lu.assertEquals(select("#", x:max_pool2d(2)), 1)
  values(x:max_pool2d({ 3, 2 }, { 1, 2 }), { { { 10, 12 }, { 14, 16 } } })
  lu.assertEquals(x:max_pool2d(3, 2, 0, 1, true).shape, { 1, 2, 2 })
  values(tensor { { 3, 0 / 0, 1 } }:max_pool1d(2, 1), { { 0 / 0, 0 / 0 } })
  x:requires_grad_()
  x:max_pool2d(2):sum():backward()
  values(x.grad, { { { 0, 0, 0, 0 }, { 0, 1, 0, 1 }, { 0, 0, 0, 0 }, { 0, 1, 0, 1 } } })
  fails("max_pool2d: kernel_size is missing", x.max_pool2d, x)
  fails("max_pool2d: kernel_size is 0; it must be at least 1", x.max_pool2d, x, 0)
end

function TestPool:test_adaptive_maxima()
  local x = image():requires_grad_()
  local y, places = nn.adaptive_max_pool2d(x, 3, { return_indices = true })
  values(y, { { { 6, 7, 8 }, { 10, 11, 12 }, { 14, 15, 16 } } })
  values(places, { { { 6, 7, 8 }, { 10, 11, 12 }, { 14, 15, 16 } } })
  lu.assertEquals(select("#", x:adaptive_max_pool2d { 1, 2 }), 1)
  x:adaptive_max_pool2d({ 1, 2 }):sum():backward()
  values(x.grad:sum(), 2)
  values(x.grad[1][4], { 0, 1, 0, 1 })
  values(tensor { { 3, 0 / 0, 1 } }:adaptive_max_pool1d(1), { { 0 / 0 } })
  values(tensor { { 2, 2, 1 } }:adaptive_max_pool1d(2), { { 2, 2 } })
  fails("adaptive_max_pool2d: output_size is missing", x.adaptive_max_pool2d, x)
  fails("adaptive_max_pool2d: input is [4]; it must be [n x channels x h x w], or without n",
    x.adaptive_max_pool2d, mlpl.zeros(4), 1)
end

TestPatches = {}

function TestPatches:test_columns_and_back()
  local x = image()
  values(nn.unfold(x, 2, { stride = 2 }), { { 1, 3, 9, 11 }, { 2, 4, 10, 12 },
    { 5, 7, 13, 15 }, { 6, 8, 14, 16 } })
  values(nn.fold(nn.unfold(x, 3, 1, 1), 4, 3, 1, 1), { { { 4, 12, 18, 16 },
    { 30, 54, 63, 48 }, { 54, 90, 99, 72 }, { 52, 84, 90, 64 } } })
  lu.assertEquals(nn.unfold(mlpl.zeros(2, 3, 8, 9), { 3, 2 }, { dilation = { 2, 1 } }).shape,
    { 2, 18, 32 })
  local y = nn.unfold(x, 1)
  y:mul_(0)                                 -- a copy, always
  lu.assertEquals(x:sum():item(), 136)
  fails("unfold: the image is [4x4]; a patch of kernel_size reaches over 5 elements of its axis 1, the " ..
    "padded image has 4", nn.unfold, x, 5)
  fails("fold: input is [4x4]; an image with these options has 3 x 3 = 9 patches", nn.fold,
    mlpl.zeros(4, 4), 4, 2)
end

function TestPool:test_averages()
  local x = image()
  values(x:avg_pool2d(2), { { { 3.5, 5.5 }, { 11.5, 13.5 } } })
  values(tensor { { 1, 2, 3 } }:avg_pool1d(2, 2, 1), { { 0.5, 2.5 } })
  values(tensor { { 1, 2, 3 } }:avg_pool1d(2, 2, 1, { count_include_pad = false }),
    { { 1, 2.5 } })
  values(x:avg_pool2d(2, { divisor_override = 1 }), { { { 14, 22 }, { 46, 54 } } })
  values(x:adaptive_avg_pool2d(1), { { { 8.5 } } })
  values(tensor { { 1, 2, 3, 4, 5 } }:adaptive_avg_pool1d(2), { { 2, 4 } })
  lu.assertEquals(nn.adaptive_avg_pool2d(x, { 3, 5 }).shape, { 1, 3, 5 })
end
