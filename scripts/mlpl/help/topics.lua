-- What is spread over many names. Topics are no names of the library: mlpl help indexing.
-- `also` are other words for them, in small letters without anything between.
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
    also = { "promotion", "typepromotion", "dtypepromotion", "resulttype", "casting" },
    "f32 (the usual one), f64, i64, u8 and bool. Where two meet, the result can hold both: any "
      .. "float wins over whole numbers, f64 over f32; a Lua number changes no float's dtype. A "
      .. "tensor without axes beside one with axes counts by its kind alone (truth, whole, real): "
      .. "an f32 vector and an f64 tensor without axes give f32, an i64 vector and it give f64. "
      .. "Products (matmul, einsum, conv2d) convert nothing: their operands have one dtype, which "
      .. "may be a whole one for matmul, mm, mv, bmm, dot and inner. "
      .. "Functions whose values are real (/, exp, lerp, addcdiv) give f32 of whole numbers, those "
      .. "whose values are whole keep them (abs, relu, round, clamp, trace); mean, var, std, norm, "
      .. "softmax and the losses take floats alone. Positions and labels are i64, masks bool. "
      .. "x:to(dtype) converts. "
      .. "Whole numbers wrap around: u8 keeps the low 8 bits. So a number beside u8 need not fit "
      .. "it in + - * & | ~, nor in "
      .. "comparisons, nor as a bound (clamp, maximum, minimum) that no u8 reaches; elsewhere "
      .. "(// % ^, where) it raises. PyTorch takes the low 8 bits of such a number everywhere; it "
      .. "also has negative powers of whole numbers, which raise here, and any and all of u8 in "
      .. "u8, which are bool here.",
    call = 'mlpl.zeros(3, { dtype = "f64" })   x:to "i64"',
    example = [[
local i = mlpl.tensor({ 1, 2 }, { dtype = "i64" })
assert((i + 0.5).dtype == "f32" and (i / 2).dtype == "f32" and (i + 1).dtype == "i64")
assert(i:exp().dtype == "f32" and i:sum().dtype == "i64" and not pcall(i.mean, i))
assert(i:gt(1).dtype == "bool" and i:to("f64"):mean().dtype == "f64")
local one = mlpl.tensor(1, { dtype = "f64" })               -- without axes
assert((mlpl.ones(2) + one).dtype == "f32" and (i + one).dtype == "f64")
assert((mlpl.ones(2) + one:reshape(1)).dtype == "f64")
local u = mlpl.tensor({ 3, 250 }, { dtype = "u8" })
assert((u + 10)[2]:item() == 4 and u:lt(300):all():item() and i:relu().dtype == "i64")]],
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
  ["in-place"] = {
    also = { "inplace", "out" },
    "A method whose name ends with an underscore changes its receiver and returns it: x:add_(y), "
      .. "x:zero_(); so does x[i] = value. { out = y }, among the options of an operation with one "
      .. "result, puts the result into y and returns y; what takes a list of tensors (cat, stack, "
      .. "multi_dot) and einsum have no out. The tensor that is changed keeps shape and "
      .. "dtype: a result that does not fit raises, as a real one does for whole numbers; in place "
      .. "other floats are converted, out asks for the result's dtype. All views of the same "
      .. "memory see the change. A leaf that requires a gradient is changed under no_grad; a "
      .. "backward pass that needs a value which was overwritten raises; out is for what is not "
      .. "recorded.",
    call = "x:add_(y)   x[1] = 0   mlpl.add(x, y, { out = z })   x:exp { out = z }",
    example = [[
local x, z = mlpl.tensor { 1, 2, 3 }, mlpl.zeros(3)
local row = x:view(1, 3)
assert(rawequal(x:mul_(2), x) and row[1][3]:item() == 6)
assert(rawequal(mlpl.add(x, 1, { out = z }), z) and z[1]:item() == 3)
local w = mlpl.ones(3, { requires_grad = true })
assert(not pcall(w.add_, w, 1))
mlpl.no_grad(function() w:add_(1) end)]],
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
  schedules = {
    also = { "learningrate", "lr", "lrscheduler", "scheduler", "schedule", "learningrates", "steplr" },
    "opt.lr can be read and set at any time; a schedule is a line of the script that sets it, each "
      .. "step or each pass over the data. There are no schedulers that do it.",
    call = "opt.lr = opt.lr * 0.5",
    example = [[
local model = nn.Linear(2, 1)
local opt = optim.SGD(model:parameters(), { lr = 0.1 })
for epoch = 1, 10 do
  opt.lr = 0.1 * 0.5 * (1 + math.cos(math.pi * epoch / 10))   -- half a cosine
  opt:step()
end
assert(opt.lr < 1e-9)]],
  },
  minibatches = {
    also = { "dataloader", "loader" },
    "A data set gives its examples in batches, shuffled anew each time: for x, y in ds:batches { "
      .. "size = 32, shuffle = true } do. Data sets come from data.csv, data.idx, data.npy, and "
      .. "data.TensorDataset(x, y) of tensors; ds:split cuts one in two.",
    call = "for x, y in ds:batches { size = 32, shuffle = true, drop_last = false } do",
    example = [[
local ds = data.TensorDataset(mlpl.randn(10, 3), mlpl.randint(1, 2, { 10 }))
local train, test = ds:split(0.8, { shuffle = true })
local seen = 0
for x, y in train:batches { size = 3, shuffle = true } do seen = seen + #y end
assert(seen == 8 and #test == 2)]],
  },
  devices = {
    also = { "device", "cuda", "cpu", "gpu" },
    "There are none to choose: everything is computed on the processor, whose vector instructions "
      .. "are found when the program starts (MLPL_ISA forces some). mlpl.threads(n) says on how "
      .. "many threads; the results have the same bits for any number.",
    call = "mlpl.threads(2)",
    example = [[
local n = mlpl.threads()
assert(n >= 1)]],
  },
  files = {
    also = { "statedict", "loadstatedict", "saving", "loading", "checkpoints" },
    "mlpl.save and mlpl.load go by a file's ending: .npy (a tensor), .npz and .safetensors (a "
      .. "table of named tensors). A model is written whole by model:save, and made again by nn.load; "
      .. "what elsewhere is its state_dict are the pairs of model:named_parameters(). Reading gives "
      .. "nil, message, code where the file is at fault; saving raises.",
    call = 'mlpl.save("x.npy", x)   assert(mlpl.load "x.npy")   model:save(path)   nn.load(path)',
    example = [[
local path = os.tmpname() .. ".npz"
mlpl.save(path, { a = mlpl.ones(2), b = mlpl.arange(3, { dtype = "i64" }) })
local back = assert(mlpl.load(path))
os.remove(path)
assert(back.b.dtype == "i64" and #back.a == 2)
local one, other = nn.Linear(2, 3), nn.Linear(2, 3)
local state = {}
for name, p in one:named_parameters() do state[name] = p end
mlpl.no_grad(function()
  for name, p in other:named_parameters() do p:copy_(state[name]) end
end)
assert(other.weight:equal(one.weight))]],
  },
}
