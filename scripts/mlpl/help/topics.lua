-- What is spread over many names. Topics are no names of the library: mlpl help indexing.
return {
  indexing = {
    "Counting begins at 1, negative numbers count from the end, ranges include both ends. "
      .. "x[i] is row i, always a tensor; :item() gives a number. x[{ ... }] has an entry for "
      .. "each leading axis: a number, { first, last }, { first, last, step }, {} for the whole "
      .. "axis, an i64 tensor of positions or a bool tensor as a mask. x[mask] and x[positions] "
      .. "stand alone, too. A range whose last is just before its first is empty, as { 1, 0 } or "
      .. "{ k + 1, k }, also written from the end; one that runs further backwards raises. "
      .. "x[key] = value writes a number or a tensor that broadcasts. A tensor "
      .. "has no end that ipairs would see: for i = 1, #x do.",
    call = "x[i]   x[{ {1, 10}, 3 }]   x[mask]   x[positions]",
    returns = { { "", "Tensor", "numbers and ranges: a view, which shares memory; masks and positions: a copy" } },
    errors = "positions outside an axis, more indices than axes",
    example = [[
local x = mlpl.arange(12):reshape(3, 4)
assert(x[2][3]:item() == 7 and x[{ 2, 3 }]:item() == 7)
assert(x[{ {}, -1 }]:sum():item() == 4 + 8 + 12)            -- the last column
assert(x[{ { 3, 1, -1 } }][1][1]:item() == 9)               -- rows from the last on
assert(#x[{ { 4, 3 } }] == 0 and #x[{ { 4, -1 } }] == 0)    -- none
local rows = mlpl.tensor({ 1, 3 }, { dtype = "i64" })
x[{ rows, { 1, 2 } }] = 0
x[x:gt(7)] = -1
for i = 1, #x do assert(x[i]:numel() == 4) end]],
  },
  broadcasting = {
    "Where two shapes meet they are aligned at the last axis; an axis of size 1, or one that is "
      .. "missing, stretches to the other's size. Sizes that differ otherwise raise and are named. "
      .. "unsqueeze and keepdim make axes of size 1. A tensor without axes stretches to any shape, "
      .. "and does not widen the other's dtype (see dtypes).",
    call = "[n x 1] + [m] gives [n x m]",
    example = [[
local x = mlpl.randn(5, 3)
local centred = x - x:mean(1)                      -- [5x3] - [3]
local shares = x:exp() / x:exp():sum(2, true)      -- [5x3] / [5x1]
assert(centred:mean():abs():item() < 1e-6 and shares:sum(2):allclose(mlpl.ones(5)))]],
  },
  dtypes = {
    "f32 (the usual one), f64, i64, u8 and bool. Where two meet, the result can hold both: any "
      .. "float wins over whole numbers, f64 over f32; a Lua number changes no float's dtype. A "
      .. "tensor without axes beside one with axes counts by its kind alone (truth, whole, real): "
      .. "an f32 vector and an f64 tensor without axes give f32, an i64 vector and it give f64. "
      .. "Products (matmul, einsum, conv2d) convert nothing: their operands have one dtype. "
      .. "/ and mean of whole numbers need a float. Positions and labels are i64, masks bool. "
      .. "x:to(dtype) converts.",
    call = 'mlpl.zeros(3, { dtype = "f64" })   x:to "i64"',
    example = [[
local i = mlpl.tensor({ 1, 2 }, { dtype = "i64" })
assert((i + 0.5).dtype == "f32" and (i / 2).dtype == "f32" and (i + 1).dtype == "i64")
assert(i:gt(1).dtype == "bool" and i:to("f64"):mean().dtype == "f64")
local one = mlpl.tensor(1, { dtype = "f64" })               -- without axes
assert((mlpl.ones(2) + one).dtype == "f32" and (i + one).dtype == "f64")
assert((mlpl.ones(2) + one:reshape(1)).dtype == "f64")]],
  },
  operators = {
    "+ - * / ^ % // and unary - work element by element; & | ~ on truth values and whole "
      .. "numbers. A number may stand on either side, except of comparisons: Lua's == asks "
      .. "whether two are the same tensor, < and > raise. x:eq(y), x:lt(y) and their like compare "
      .. "elements, x:equal(y) and x:allclose(y) whole tensors. Matrix products are x:matmul(y). "
      .. "#x is the size of the first axis.",
    call = "x + y   2 ^ x   -x   x:gt(0) & x:lt(1)",
    example = [[
local x = mlpl.tensor { -0.5, 0.5, 1.5 }
assert((x:gt(0) & x:lt(1)):sum():item() == 1)
assert((2 ^ x)[3]:item() == 2 ^ x[3]:item() or (2 ^ x):allclose(mlpl.exp2(x)))
assert((1 - x):equal(-(x - 1)))]],
  },
  options = {
    "Arguments that may be left out can be given in order, or by name in one table at the end. A "
      .. "name that does not exist raises and says which ones do.",
    call = "x:sum(1, true)   x:sum(1, { keepdim = true })   x:sum { dim = 1, keepdim = true }",
    example = [[
local x = mlpl.ones(2, 3)
assert(x:sum(1, true):equal(x:sum { dim = 1, keepdim = true }))
assert(x:sum(1, { keepdim = true }).shape == mlpl.ones(1, 3).shape)]],
  },
  randomness = {
    "mlpl.seed(n) makes everything that follows repeat to the last bit. A Generator is a stream "
      .. "of its own, for the option generator. get_rng_state and set_rng_state, or a generator's "
      .. "get_state and set_state, save a place in the stream and go back to it.",
    call = "mlpl.seed(42)   mlpl.randn(3, { generator = mlpl.Generator(7) })",
    example = [[
mlpl.seed(42)
local state = mlpl.get_rng_state()
local a = mlpl.randn(3)
mlpl.set_rng_state(state)
assert(mlpl.randn(3):equal(a))
local g = mlpl.Generator(7)
local b = mlpl.randn(3, { generator = g })
assert(mlpl.randn(3, { generator = mlpl.Generator(7) }):equal(b))]],
  },
  gradients = {
    "What is computed from a tensor with requires_grad is recorded; loss:backward() adds into "
      .. "the .grad of those tensors, autograd.grad gives gradients as values. no_grad and detach "
      .. "leave recording out. autograd has jacobian, hessian and products with them, gradcheck, "
      .. "and Function for an operation with a backward pass of your own. detect_anomaly finds "
      .. "where the first NaN comes from.",
    call = "x:requires_grad_()   loss:backward()   x.grad",
    example = [[
local x = mlpl.tensor({ 1, 2, 3 }, { requires_grad = true })
x:square():sum():backward()
assert(x.grad:equal(mlpl.tensor { 2, 4, 6 }))
x.grad = nil
mlpl.no_grad(function() x:sub_(0.1 * x) end)
local g = mlpl.autograd.grad((x ^ 3):sum(), x)
assert(g:allclose(3 * x:detach() ^ 2))]],
  },
  files = {
    "mlpl.save and mlpl.load go by a file's ending: .npy (a tensor), .npz and .safetensors (a "
      .. "table of named tensors). Models have model:save and nn.load. Reading gives nil, message, "
      .. "code where the file is at fault; saving raises.",
    call = 'mlpl.save("x.npy", x)   assert(mlpl.load "x.npy")',
    example = [[
local path = os.tmpname() .. ".npz"
mlpl.save(path, { a = mlpl.ones(2), b = mlpl.arange(3, { dtype = "i64" }) })
local back = assert(mlpl.load(path))
os.remove(path)
assert(back.b.dtype == "i64" and #back.a == 2)]],
  },
}
