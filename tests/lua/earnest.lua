-- A call in earnest of every row of the operation table: inputs that it takes and the options
-- that it must be given, for the tests of misuse and of what the help says of results.

local mlpl = require "mlpl"

local earnest = {}

-- Words in the texts below, made anew for every call.
local made = {
  x = function() return mlpl.arange(6):reshape(2, 3) end,
  x1 = function() return mlpl.arange(3) end,
  x3 = function() return mlpl.ones(2, 3, 3) end,
  w = function() return mlpl.ones(4, 3) end,
  a = function() return mlpl.tensor { { 4, 1 }, { 1, 3 } } end,
  whole = function() return mlpl.tensor({ { 1, 2, 3 }, { 4, 5, 6 } }, { dtype = "i64" }) end,
  labels = function() return mlpl.tensor({ 1, 3 }, { dtype = "i64" }) end,
  places = function() return mlpl.tensor({ { 1 }, { 3 } }, { dtype = "i64" }) end,
  mask = function() return mlpl.tensor { true, false, true } end,
  kernel = function() return mlpl.ones(2, 2, 2, 2) end,
  image = function() return mlpl.ones(2, 3, 3) end,
}
local words = setmetatable({}, { __index = function(_, name)
  return (made[name] or error("what is " .. name .. "?"))()
end })

-- Inputs, then options by name. Rows that are not here take one tensor for each input.
local in_earnest = {
  addbmm = "{ x3[1], x3, x3 }", addmm = "{ a, a, a }", addmv = "{ a[1], a, a[1] }",
  baddbmm = "{ x3, x3, x3 }", bmm = "{ x3, x3 }", mm = "{ x, w:t() }",
  mv = "{ x, w[1] }", dot = "{ x1, x1 }", outer = "{ x1, x1 }", inner = "{ x, w }",
  matmul = "{ x, w:t() }", linear = "{ x, w }",
  conv1d = "{ x, kernel[1] }", conv2d = "{ image, kernel }",
  conv_transpose1d = "{ x, kernel[1] }", conv_transpose2d = "{ image, kernel }",
  max_pool1d = "{ x }, { kernel_size = 2 }", max_pool2d = "{ image }, { kernel_size = 2 }",
  avg_pool1d = "{ x }, { kernel_size = 2 }", avg_pool2d = "{ image }, { kernel_size = 2 }",
  adaptive_avg_pool1d = "{ x }, { output_size = 2 }",
  adaptive_avg_pool2d = "{ image }, { output_size = 2 }",
  adaptive_max_pool1d = "{ x }, { output_size = 2 }",
  adaptive_max_pool2d = "{ image }, { output_size = 2 }",
  im2col = "{ image }, { kernel_size = 2 }",
  col2im = "{ x:t() }, { output_size = { 1, 2 }, kernel_size = 1 }",
  cross_entropy = "{ x, labels }", nll_loss = "{ x, labels }",
  binary_cross_entropy = "{ x:sigmoid(), x:sigmoid() }",
  gather = "{ x, places }, { dim = 2 }", scatter = "{ x, places, x }, { dim = 2 }",
  scatter_add = "{ x, places, x }, { dim = 2 }",
  scatter_reduce = "{ x, places, x }, { dim = 2, reduce = 'sum' }",
  take_along_dim = "{ x, places }, { dim = 2 }", take = "{ x, labels }",
  index_select = "{ x, labels }, { dim = 2 }",
  index_add = "{ x, labels, x:narrow(2, 1, 2) }, { dim = 2 }",
  index_reduce = "{ x, labels, x:narrow(2, 1, 2) }, { dim = 2, reduce = 'mean' }",
  index_copy = "{ x, labels, x:narrow(2, 1, 2) }, { dim = 2 }",
  index_fill = "{ x, labels, 7 }, { dim = 2 }",
  masked_select = "{ x, mask }", masked_scatter = "{ x, mask, x }",
  masked_fill = "{ x, mask, 1 }", where = "{ mask, x, x }",
  bincount = "{ labels }", searchsorted = "{ x1, x1 }", one_hot = "{ labels }",
  bucketize = "{ x1, x1 }", embedding = "{ labels, w }",
  view = "{ x }, { sizes = { 3, 2 } }", reshape = "{ x }, { sizes = { 3, 2 } }",
  expand = "{ x }, { sizes = { 2, 3 } }", sum_to_size = "{ x }, { sizes = { 1, 3 } }",
  unflatten = "{ x }, { dim = 2, sizes = { 3, 1 } }",
  permute = "{ x }, { dims = { 2, 1 } }", flip = "{ x }, { dims = { 1 } }",
  tile = "{ x }, { dims = { 2, 2 } }", roll = "{ x }, { shifts = { 1 }, dims = { 2 } }",
  movedim = "{ x }, { source = { 1 }, destination = { 2 } }",
  transpose = "{ x }, { dim0 = 1, dim1 = 2 }", swapaxes = "{ x }, { axis0 = 1, axis1 = 2 }",
  clamp = "{ x }, { min = 0 }", prelu = "{ x, x1 }", glu = "{ x:t() }", pad = "{ x }, { pad = { 1, 1 } }", std = "{ x }, { dim = 1 }",
  narrow = "{ x }, { dim = 1, start = 1, length = 1 }",
  select = "{ x }, { dim = 1, index = 1 }",
  unfold = "{ x }, { dimension = 2, size = 2, step = 1 }",
  cholesky = "{ a }", solve = "{ a, a }", triangular_solve = "{ a, a }",
  lu_solve = "{ a, labels:minimum(2), a }",
  matrix_exp = "{ a }", multi_dot = "{ a }", cholesky_solve = "{ a, a }",
  cholesky_inverse = "{ a }",
  inv = "{ a }", det = "{ a }", slogdet = "{ a }", logdet = "{ a }", eigh = "{ a }",
  eigvalsh = "{ a }", cond = "{ a }", matrix_power = "{ a }, { n = 2 }",
  lstsq = "{ a, a }", trace = "{ a }",
  quantile = "{ x }, { q = 0.5 }", nanquantile = "{ x }, { q = 0.5 }", topk = "{ x }, { k = 1 }",
  kthvalue = "{ x }, { k = 1 }", cdist = "{ x, w }", addr = "{ a, a[1], a[1] }",
  cross = "{ x, x }", gcd = "{ whole, whole }", lcm = "{ whole, whole }",
  combinations = "{ x1 }", trapezoid = "{ x }", cumulative_trapezoid = "{ x }",
  block_diag = "{ x }", cartesian_prod = "{ x1 }",
}

-- A value of the option's own kind, for options that have to be given.
local some_value = {
  integer = 1, number = 1, boolean = true, axis = 1, axes = 1, ["axis list"] = { 1 },
  extent = 1, index = 1, sizes = { 1 }, pair = { 0, 1 },
}

local function input_of(input)
  local takes = {}
  for _, dtype in ipairs(input.dtypes) do takes[dtype] = true end
  if input.domain == "mask" then return made.mask() end
  if input.domain == "labels" or input.domain == "index" then return made.labels() end
  return takes.f32 and made.x() or made.whole()
end

-- Inputs and, by name, the options that have to be given.
function earnest.of(row)
  local inputs, options = {}, {}
  if in_earnest[row.name] then
    local chunk = "return " .. in_earnest[row.name]
    inputs, options = assert(load(chunk, "=" .. row.name, "t", words))()
    options = options or {}
  else
    for i, input in ipairs(row.inputs) do
      if input.required then inputs[i] = input_of(input) end
    end
  end
  for _, p in ipairs(row.params) do
    if p.required and options[p.name] == nil then
      options[p.name] = p.type == "choice" and p.choices[1] or some_value[p.type]
    end
  end
  if row.list then inputs = { inputs[1], inputs[1] } end
  return inputs, options
end

earnest.made = made

return earnest
