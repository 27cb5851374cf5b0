-- The shapes of what operations give, in words. results(d, part) -> a text for each result of
-- the operation that d describes (mlpl._describe_op), whose entry is in a part of the help;
-- nothing where the entry alone says it. One text a family; rows that are in none have their
-- own. What an entry says of a result besides stands behind it.

local single = "a single number"
local stack = "[... n x k]; stacks broadcast"

-- Rows that give the shape of their first input, and are not of one input element by element.
local same = {}
for name in ([[bucketize cholesky cholesky_inverse clone cumprod cumsum dropout flip fliplr flipud
    index_add index_copy index_fill index_reduce inv isin log_softmax logcumsumexp matrix_exp
    matrix_power normalize prelu roll scatter scatter_add scatter_reduce softmax tril triu]])
    :gmatch "%S+" do
  same[name] = true
end

-- Rows whose inputs broadcast together, beside those that the table says it of.
local broadcast = {}
for name in ([[addcdiv addcmul clamp_max clamp_min cross float_power fmax fmin ldexp lerp
    logaddexp2 where]]):gmatch "%S+" do
  broadcast[name] = true
end

local formula = "(size + 2 padding - dilation (kernel - 1) - 1) / stride + 1, rounded down"
local up = formula .. ", or up with ceil_mode"
local without_dilation =
  "(size + 2 padding - kernel) / stride + 1, rounded down, or up with ceil_mode"
local signal, image = "[n x c x length], or without n", "[n x c x height x width], or without n"
local windows1, windows2 = "[n x c x output_size], or without n",
  "[n x c x output_size x output_size], one for each axis, or without n"
local exchanged = "input's shape with the two sizes exchanged"
local other = "other's shape"
local vectors = "the shape that %s and %s broadcast to, without the axis dim"

-- A row's own text, or a text for each result.
local own = {
  clamp = "the shape that input and the bounds broadcast to",
  masked_fill = "the shape that input and mask broadcast to",
  masked_scatter = "the shape that input and mask broadcast to",
  glu = "input's shape, with half of the size along dim",

  count_nonzero = "input's shape without the axes dim (all where it is left out)",
  quantile = "input's shape without the axis dim (all axes where it is left out), or with size 1 "
    .. "there (keepdim); of several q a first axis for them",
  cov = "[v x v] for [v x observations]; " .. single .. " for a vector",
  trapezoid = "y's shape without the axis dim",
  cumulative_trapezoid = "y's shape, with a place less along dim",
  diff = "input's shape; along dim n places fewer, and more by those of prepend and append",
  topk = { "input's shape with size k along dim", "likewise" },
  bincount = "[k], k the largest label, or minlength where that is more",
  histc = "[bins]",
  sum_to_size = "the given sizes",
  trace = single,

  matmul = "[... m x n]; without the axis of a vector", mm = "[m x n]", mv = "[m]",
  bmm = "[s x m x n]", dot = single, outer = "[m x n]",
  inner = "a's sizes but the last, then b's but the last; " .. single .. " of vectors",
  addmm = "[m x n]", baddbmm = "[s x m x n]", addmv = "[n]", addr = "[n x m]",
  addbmm = "[n x m]",
  kron = "for each axis the product of both sizes; axes that one does not have count as size 1, "
    .. "in front",
  cdist = "[n x m], behind the axes of the stacks, which broadcast", dist = single,
  pairwise_distance = "the shape that x1 and x2 broadcast to, without the last axis, or with size "
    .. "1 there (keepdim)",
  cosine_similarity = vectors:format("x1", "x2"), vecdot = vectors:format("x", "y"),
  linear = "[... out]",

  conv1d = "[n x out x length], or without n",
  conv2d = "[n x out x height x width], or without n",
  max_pool1d = { signal .. "; length is " .. up, "likewise" },
  max_pool2d = { image .. "; each size is " .. up, "likewise" },
  avg_pool1d = signal .. "; length is " .. without_dilation,
  avg_pool2d = image .. "; each size is " .. without_dilation,
  adaptive_avg_pool1d = windows1, adaptive_avg_pool2d = windows2,
  adaptive_max_pool1d = { windows1, "likewise" }, adaptive_max_pool2d = { windows2, "likewise" },
  im2col = "[n x c kh kw x patches], or without n; along each axis there are " .. formula,
  col2im = "[n x c x height x width], height and width from output_size, or without n",

  view = "the given sizes, with -1 computed", reshape = "the given sizes, with -1 computed",
  view_as = other, reshape_as = other, expand_as = other,
  expand = "the given sizes, where -1 is the size of input",
  flatten = "input's shape with one axis, the product of their sizes, for start_dim to end_dim",
  ravel = "[n], n the number of elements",
  unflatten = "input's shape with the given sizes in place of dim's",
  transpose = exchanged, swapaxes = exchanged,
  t = "[n x m] for [m x n]; else input's shape",
  permute = "input's sizes in the order of dims",
  movedim = "input's sizes, those of source at destination, the others in their order",
  squeeze = "input's shape without axes of size 1 (of those in dim, where it is given)",
  unsqueeze = "input's shape with size 1 added at dim",
  narrow = "input's shape with size length along dim",
  select = "input's shape without the axis dim",
  diagonal = "input's shape without the axes dim1 and dim2, then the diagonal's length",
  unfold = "input's shape with (n - size) / step + 1, rounded down, for the size n of dimension; "
    .. "then size",
  cat = "the tensors' shape; along dim the sum of their sizes",
  stack = "the tensors' shape, and at dim a new axis, as long as there are tensors",
  hstack = "the tensors' shape; along axis 2, of vectors along their own, the sum of their sizes",
  vstack = "the tensors' shape, [1 x n] of vectors; along axis 1 the sum of their sizes",
  column_stack = "the tensors' shape, [n x 1] of vectors; along axis 2 the sum of their sizes",
  dstack = "the tensors' shape, with at least three axes; along axis 3 the sum of their sizes",
  block_diag = "[the sum of the rows x the sum of the columns]",
  cartesian_prod = "[the product of the sizes x the number of vectors]; of one vector its shape",
  index_select = "input's shape with size k along dim",
  masked_select = "[k], as many as hold",
  argwhere = "[k x axes]",
  combinations = "[how many x r]",
  take_along_dim = "the shape that indices and input broadcast to, with the size of indices along "
    .. "dim; without dim [k], k the number of indices",
  tile = "for each axis, input's size times its number in dims",
  repeat_interleave = "input's shape; along dim the sum of the repeats of its places; without "
    .. "dim a vector with the sum of the elements' repeats",
  rot90 = "input's shape; the two sizes exchanged where k is odd",
  diag = "[n x n] of a vector, n its size and |diagonal| together; of a matrix the diagonal's "
    .. "length",
  diagflat = "[n x n], n the number of elements and |offset| together",
  diag_embed = "input's shape without its last axis, and two axes dim1 and dim2, each of that "
    .. "size and |offset| together",
  pad = "input's shape, with the numbers of pad added to the sizes",

  solve = "[... n x k], of a vector [n]; stacks broadcast", triangular_solve = stack,
  lu_solve = stack, cholesky_solve = stack,
  matrix_norm = "[...], or with keepdim [... 1 x 1]",
}
own.nanquantile, own.corrcoef = own.quantile, own.cov
own.conv_transpose1d, own.conv_transpose2d = own.conv1d, own.conv2d

local elementwise = { arithmetic = true, functions = true, activations = true }

local function options_of(d)
  local all = {}
  for _, p in ipairs(d.params) do all[p.name] = p end
  return all
end

-- "input", "a and b", "input, end and weight".
local function names_of(inputs)
  local names = {}
  for i, input in ipairs(inputs) do names[i] = input.name end
  local last = table.remove(names)
  return #names > 0 and table.concat(names, ", ") .. " and " .. last or last
end

-- "input's shape", "elements' shape"
local function of_first(d)
  return ((d.inputs[1].name .. "'s shape"):gsub("s's", "s'"))
end

local function reduced(dim)
  if dim.type == "axes" then
    return "input's shape without the axes dim (all where it is left out), or with size 1 there "
      .. "(keepdim)"
  end
  return ("input's shape without the axis dim%s, or with size 1 there (keepdim)"):format(
    dim.standard and "" or " (all axes where it is left out)")
end

-- Labels name a class for each example: the classes' axis is gone.
local function loss(d)
  local labels = d.inputs[2].domain == "labels" or d.name == "cross_entropy"
  return ("%s; with reduction = 'none' in %s's shape%s"):format(single, d.inputs[1].name,
    labels and " without the classes' axis" or "")
end

local function text_of(d, part)
  if own[d.name] then return own[d.name] end
  if same[d.name] then return of_first(d) end
  if d.broadcasts or broadcast[d.name] then
    return ("the shape that %s broadcast to"):format(names_of(d.inputs))
  end
  local options = options_of(d)
  if options.reduction then return loss(d) end
  if options.dim and options.keepdim then return reduced(options.dim) end
  if elementwise[part] and #d.inputs == 1 then return of_first(d) end
  return nil
end

return function(d, part)
  local text, list = text_of(d, part), {}
  if type(text) == "table" then return text end
  for i = 1, text and d.outputs or 0 do list[i] = i == 1 and text or "likewise" end
  return list
end
