-- The tensor: its fields, how it is indexed, and the methods that are no operations of the
-- engine's table.

local function x(text) return { "x", "Tensor", text } end
local itself = { { "x", "Tensor", "x itself" } }
local in_place = "x is changed in place, and so is whatever shares its memory"
local replaced = in_place .. "; recorded: what x was made of gets a gradient of zeros"
local drawing = "while recording is on, a leaf that requires a gradient; a dtype of whole numbers, "
  .. "and an expanded x raise"

return {
  Tensor = {
    "Numbers of one dtype in up to 8 axes. What indexes count begins at 1, negative numbers "
      .. "count from the end, and ranges include both ends. x[i] is row i; x[{ ... }] has an "
      .. "entry for each leading axis: a number (the axis goes), { first, last } or { first, "
      .. "last, step } (a range), {} (the whole axis), an i64 tensor of indices, or a bool "
      .. "tensor as a mask; x[mask] and x[indices] stand alone, too. Numbers and ranges give "
      .. "views, index tensors and masks give copies; a single element is a tensor still, and "
      .. "x:item() its number. x[key] = value writes a number, or a tensor that broadcasts, into "
      .. "that part, and gradients flow through it. #x is the size of the first axis. Operators "
      .. "are + - * / ^ % // & | ~ and unary -, element by element; numbers may stand on either "
      .. "side. == asks whether two are the same tensor, see x:equal; < and > raise, see x:lt. "
      .. "Every operation is a method (x:sum()) and a function (mlpl.sum(x)).",
    call = "Tensor",
    fields = {
      { "shape", "integer[]", "the size of every axis; a new table every time, which prints "
        .. "as [2x3] and equals a table of the same numbers" },
      { "ndim", "integer", "the number of axes, as x:dim() gives it" },
      { "T", "Tensor", "a matrix with rows and columns exchanged, as x:t() gives it; a view, "
        .. "which shares memory" },
      { "mT", "Tensor", "the same of every matrix of a stack: x:transpose(-2, -1); a view, "
        .. "which shares memory" },
      { "dtype", "string", '"f32", "f64", "i64", "u8" or "bool"' },
      { "grad", "Tensor?", "the gradient that backward passes have added up; may be set to nil" },
      { "requires_grad", "boolean", "whether what is computed from it is recorded; may be set" },
      { "is_leaf", "boolean", "whether it is no recorded result" },
      { "grad_fn", "string?", "the operation that it is the recorded result of" },
      { "retains_grad", "boolean", "whether, though no leaf, it keeps its gradient" },
    },
    memory = "lives as long as something refers to it, views included; x:release() frees it "
      .. "earlier, and so does a variable marked <close>",
    errors = "indices outside an axis raise, and so does an assignment whose gradient other "
      .. "tensors that share x's memory could not see",
    example = [[
local x = mlpl.arange(12):reshape(3, 4)
assert(x[2][3]:item() == 7 and x[{ 2, 3 }]:item() == 7 and x[-1][-1]:item() == 12)
assert(x[{ {}, { 2, 3 } }].shape[2] == 2)      -- columns 2 and 3 of all rows
x[x:gt(10)] = 0
assert(x:max():item() == 10)]],
  },

  -- ---- what it is -----------------------------------------------------------------------

  ["Tensor.size"] = {
    "The sizes of all axes, or that of one.",
    call = "x:size([dim])",
    args = { x(), { "dim", "integer?", "an axis, from 1, or from -1 at the end" } },
    returns = { { "size", "integer|integer[]", "a table where no axis is given" } },
    errors = "an axis that x does not have raises",
    example = "local x = mlpl.zeros(2, 3)\nassert(x:size(2) == 3 and x:size()[1] == 2)",
  },
  ["Tensor.dim"] = {
    "The number of axes.",
    call = "x:dim()",
    args = { x() },
    returns = { { "n", "integer", "0 for a single number" } },
    example = "assert(mlpl.zeros(2, 3):dim() == 2)",
  },
  ["Tensor.numel"] = {
    "The number of elements.",
    call = "x:numel()",
    args = { x() },
    returns = { { "n", "integer" } },
    example = "assert(mlpl.zeros(2, 3):numel() == 6)",
  },
  ["Tensor.stride"] = {
    "How many elements lie in memory from one to the next along each axis, or along one.",
    call = "x:stride([dim])",
    args = { x(), { "dim", "integer?", "an axis, from 1, or from -1 at the end" } },
    returns = { { "stride", "integer|integer[]", "a table where no axis is given" } },
    errors = "an axis that x does not have raises",
    example = "local x = mlpl.zeros(2, 3)\nassert(x:stride(1) == 3 and x:t():stride()[1] == 1)",
  },
  ["Tensor.is_floating_point"] = {
    "Whether the dtype is f32 or f64.",
    call = "x:is_floating_point()",
    args = { x() },
    returns = { { "yes", "boolean" } },
    example = "assert(mlpl.zeros(2):is_floating_point())\nassert(not mlpl.zeros(2):gt(0):is_floating_point())",
  },
  ["Tensor.type_as"] = {
    "The elements in the dtype of another tensor.",
    call = "x:type_as(other)",
    args = { x(), { "other", "Tensor", "only its dtype counts" } },
    returns = { { "y", "Tensor", "x itself where it has that dtype already" } },
    memory = "a copy, or x itself",
    example = 'assert(mlpl.ones(2):type_as(mlpl.zeros(1, { dtype = "i64" })).dtype == "i64")',
  },
  ["Tensor.new_zeros"] = {
    "Zeros of x's dtype, in other sizes.",
    call = "x:new_zeros(sizes, ..., { dtype = x.dtype, requires_grad = false })",
    args = { x "only its dtype counts", { "sizes", "integer|integer[]?", "numbers, or one array of them" },
      { "...", "integer|table?", "more sizes; at the end a table of options" } },
    returns = { { "y", "Tensor" } },
    memory = "memory of its own",
    example = 'local x = mlpl.ones(2, { dtype = "f64" })\nassert(x:new_zeros(3, 4).dtype == "f64")',
  },
  ["Tensor.new_ones"] = {
    "Ones of x's dtype, in other sizes.",
    call = "x:new_ones(sizes, ..., { dtype = x.dtype, requires_grad = false })",
    args = { x "only its dtype counts", { "sizes", "integer|integer[]?", "numbers, or one array of them" },
      { "...", "integer|table?", "more sizes; at the end a table of options" } },
    returns = { { "y", "Tensor" } },
    memory = "memory of its own",
    example = "assert(mlpl.ones(2):new_ones(3, 4):sum():item() == 12)",
  },
  ["Tensor.new_full"] = {
    "One value of x's dtype, in other sizes.",
    call = "x:new_full({ sizes }, value, { dtype = x.dtype, requires_grad = false })",
    args = { x "only its dtype counts", { "sizes", "integer[]", "one array of them" },
      { "value", "number|boolean", "of every element" },
      { "options", "table?", "dtype, requires_grad" } },
    returns = { { "y", "Tensor" } },
    memory = "memory of its own",
    errors = "a value that does not fit a dtype of whole numbers raises",
    example = "assert(mlpl.ones(2):new_full({ 2, 2 }, 3):sum():item() == 12)",
  },
  ["Tensor.is_contiguous"] = {
    "Whether the elements lie in memory row by row, without gaps.",
    call = "x:is_contiguous()",
    args = { x() },
    returns = { { "yes", "boolean" } },
    example = "assert(not mlpl.zeros(2, 3):t():is_contiguous())",
  },
  ["Tensor.to"] = {
    "The elements in another dtype. Gradients flow through it between f32 and f64.",
    call = "x:to(dtype)",
    args = { x(), { "dtype", "string", '"f32", "f64", "i64", "u8" or "bool"' } },
    returns = { { "y", "Tensor", "x itself where it has that dtype already" } },
    memory = "a copy, or x itself",
    errors = "a dtype that does not exist",
    example = [[
local x = mlpl.tensor { 0, 1.75, -1.75 }
local i, b = x:to "i64", x:to "bool"
assert(i[2]:item() == 1 and i[3]:item() == -1)          -- towards zero
assert(b:equal(mlpl.tensor { false, true, true }))]],
  },
  ["Tensor.item"] = {
    "The one element as a Lua value: a float, an integer for i64 and u8, a boolean for bool.",
    call = "x:item()",
    args = { x "with one element, whatever its axes" },
    returns = { { "value", "number|boolean" } },
    errors = "a tensor with more or fewer elements raises",
    example = "assert(mlpl.tensor { 1, 2, 3 }:sum():item() == 6)",
  },
  ["Tensor.totable"] = {
    "The elements as nested tables; a single number for a tensor without axes.",
    call = "x:totable()",
    args = { x() },
    returns = { { "values", "table|number|boolean" } },
    memory = "a copy",
    example = "assert(mlpl.tensor({ { 1, 2 }, { 3, 4 } }):totable()[2][1] == 3)",
  },
  ["Tensor.equal"] = {
    "Whether two tensors have the same shape and equal elements. NaN is equal to nothing.",
    call = "x:equal(other)",
    args = { x(), { "other", "Tensor", "of any dtype: the numbers are compared" } },
    returns = { { "same", "boolean" } },
    example = "assert(mlpl.ones(2):equal(mlpl.ones(2)))",
  },
  ["Tensor.to"] = {
    "The same elements in another dtype; x itself where it has that one. A fraction is cut off "
      .. "on the way to whole numbers; what is not 0 is true.",
    call = "x:to(dtype)",
    args = { x(), { "dtype", "string", '"f32", "f64", "i64", "u8" or "bool"' } },
    returns = { { "y", "Tensor" } },
    memory = "memory of its own, unless it is x",
    errors = "another name raises",
    example = 'assert(mlpl.tensor({ 1.5 }):to("i64"):item() == 1)',
  },
  ["Tensor.allclose"] = {
    "Whether all elements are close: |a - b| <= atol + rtol |b|. Shapes broadcast.",
    call = "a:allclose(b, [rtol, [atol, [equal_nan]]])",
    args = {
      { "a", "Tensor" }, { "b", "Tensor", "the one that rtol is relative to" },
      { "rtol", "number|table?", "1e-5; from here on, a table of options by name will do" },
      { "atol", "number?", "1e-8" },
      { "equal_nan", "boolean?", "whether NaN is close to NaN (false)" },
    },
    returns = { { "close", "boolean" } },
    errors = "shapes that do not broadcast raise",
    example = "assert(mlpl.ones(2):allclose(mlpl.ones(2) + 1e-7, { rtol = 1e-4 }))",
  },

  -- ---- other tensors of it --------------------------------------------------------------

  ["Tensor.contiguous"] = {
    "x with its elements row by row in memory: x itself where they are, a copy otherwise.",
    call = "x:contiguous()",
    args = { x() },
    returns = { { "y", "Tensor" } },
    memory = "x itself, or memory of its own",
    example = "assert(mlpl.zeros(2, 3):t():contiguous():is_contiguous())",
  },
  ["Tensor.detach"] = {
    "x without its past: gradients do not flow through the result into x.",
    call = "x:detach()",
    args = { x() },
    returns = { { "y", "Tensor", "a leaf that requires no gradient" } },
    memory = "a view: shares memory with x",
    example = "local w = mlpl.ones(2):requires_grad_()\nassert(not w:detach().requires_grad)",
  },
  ["Tensor.unique"] = {
    "The distinct elements in ascending order, NaNs last and each its own; with dim the distinct "
      .. "slices along it, in lexicographic order. On request also which of them every element or "
      .. "slice is, and how often each occurs.",
    call = "x:unique { return_inverse = false, return_counts = false, dim = nil }",
    args = {
      x(),
      { "sorted", "boolean|table?", "they always are; or a table with the options by name" },
      { "return_inverse", "boolean?", "give inverse, too" },
      { "return_counts", "boolean?", "give counts, too" },
      { "dim", "integer?", "the axis of the slices; elements where it is left out" },
    },
    returns = {
      { "values", "Tensor", "one axis; with dim those of x" },
      { "inverse", "Tensor?", "in x's shape, or for each slice; i64, counted from 1" },
      { "counts", "Tensor?", "i64; left out unless asked for" },
    },
    memory = "memory of its own; nothing is recorded",
    example = [[
local values, counts = mlpl.tensor { 2, 1, 2 }:unique { return_counts = true }
assert(values[2]:item() == 2 and counts[2]:item() == 2)]],
  },
  ["Tensor.unique_consecutive"] = {
    "unique of neighbours alone: elements, or slices along dim, without those that equal the one "
      .. "before; counts tell how long each run is.",
    call = "x:unique_consecutive { return_inverse = false, return_counts = false, dim = nil }",
    args = {
      x(),
      { "return_inverse", "boolean|table?", "or a table with the options" },
      { "return_counts", "boolean?" }, { "dim", "integer?", "the axis of the slices" },
    },
    returns = {
      { "values", "Tensor" }, { "inverse", "Tensor?", "as of unique" },
      { "counts", "Tensor?", "as of unique" },
    },
    memory = "memory of its own; nothing is recorded",
    example = [[
local values, counts = mlpl.tensor { 2, 2, 1, 2 }:unique_consecutive { return_counts = true }
assert(values.shape[1] == 3 and counts[1]:item() == 2)]],
  },
  ["Tensor.split"] = {
    "Parts of x along an axis, as several results: all of one size, the last with what is left, "
      .. "or of the sizes that are given.",
    call = "x:split(size | { sizes }, [dim])",
    args = {
      x(), { "size", "integer|integer[]", "of a part, or an array of sizes that add up" },
      { "dim", "integer|table?", "the axis; the first where it is left out" },
    },
    returns = { { "...", "Tensor", "the parts" } },
    memory = "views: they share memory with x",
    errors = "a size below 1, and sizes that do not add up to the axis, raise",
    example = [[
local a, b = mlpl.arange(5):split(3)
assert(#a == 3 and #b == 2)
local first, middle, last = mlpl.arange(5):split { 1, 3, 1 }]],
  },
  ["Tensor.chunk"] = {
    "x cut along an axis into a number of parts of one size, as several results; the last may be "
      .. "smaller, and there may be fewer. An axis of size 0 gives that many empty parts.",
    call = "x:chunk(chunks, [dim])",
    args = {
      x(), { "chunks", "integer", "how many at most" },
      { "dim", "integer|table?", "the axis; the first where it is left out" },
    },
    returns = { { "...", "Tensor", "the parts" } },
    memory = "views: they share memory with x",
    errors = "fewer than 1 chunk raises",
    example = "local a, b, c = mlpl.arange(5):chunk(3)\nassert(#a == 2 and #c == 1)",
  },
  ["Tensor.tensor_split"] = {
    "x cut along an axis, as several results: into so many parts, of which the first are one "
      .. "longer where they cannot be equal, or behind given places. chunk gives equal parts, "
      .. "maybe fewer.",
    call = "x:tensor_split(sections | { places }, [dim])",
    args = {
      x(), { "sections", "integer|integer[]|Tensor", "how many parts, or the last place of each but "
        .. "the last; a tensor of i64 holds either" },
      { "dim", "integer|table?", "the axis; the first where it is left out" },
    },
    returns = { { "...", "Tensor", "the parts; empty where there is nothing" } },
    memory = "views: they share memory with x",
    errors = "fewer than 1 section raises",
    example = [[
local a, b = mlpl.arange(5):tensor_split(2)
assert(#a == 3 and #b == 2)
local first, middle, last = mlpl.arange(5):tensor_split { 1, 3 }
assert(#first == 1 and #middle == 2 and #last == 2)]],
  },
  ["Tensor.hsplit"] = {
    "tensor_split along axis 2: columns; of a vector its elements.",
    call = "x:hsplit(sections)",
    args = { x(), { "sections", "integer|integer[]|Tensor", "as for tensor_split" } },
    returns = { { "...", "Tensor", "the parts" } },
    memory = "views: they share memory with x",
    errors = "a tensor without axes raises",
    example = "local a, b = mlpl.ones(2, 4):hsplit(2)\nassert(b.shape[2] == 2)",
  },
  ["Tensor.vsplit"] = {
    "tensor_split along axis 1: rows.",
    call = "x:vsplit(sections)",
    args = { x(), { "sections", "integer|integer[]|Tensor", "as for tensor_split" } },
    returns = { { "...", "Tensor", "the parts" } },
    memory = "views: they share memory with x",
    errors = "fewer than two axes raise",
    example = "local a, b = mlpl.ones(4, 2):vsplit(2)\nassert(b.shape[1] == 2)",
  },
  ["Tensor.dsplit"] = {
    "tensor_split along axis 3.",
    call = "x:dsplit(sections)",
    args = { x(), { "sections", "integer|integer[]|Tensor", "as for tensor_split" } },
    returns = { { "...", "Tensor", "the parts" } },
    memory = "views: they share memory with x",
    errors = "fewer than three axes raise",
    example = "local a, b = mlpl.ones(1, 2, 4):dsplit(2)\nassert(b.shape[3] == 2)",
  },
  ["Tensor.unbind"] = {
    "What x[i] is for every i of an axis, as several results.",
    call = "x:unbind([dim])",
    args = { x(), { "dim", "integer|table?", "the axis; the first where it is left out" } },
    returns = { { "...", "Tensor", "without that axis" } },
    memory = "views: they share memory with x",
    errors = "a tensor without axes raises",
    example = "local a, b = mlpl.tensor({ { 1, 2 }, { 3, 4 } }):unbind()\nassert(b[1]:item() == 3)",
  },
  ["Tensor.bernoulli"] = {
    "Ones and zeros: an element is 1 with the probability that stands there in p.",
    call = "p:bernoulli { generator = nil }",
    args = { { "p", "Tensor", "probabilities, f32 or f64" }, { "options", "table?", "generator" } },
    returns = { { "y", "Tensor", "in the shape and the dtype of p" } },
    memory = "memory of its own; nothing is recorded",
    errors = "a probability outside 0 to 1 raises, and is named",
    example = "assert(mlpl.ones(3):bernoulli():sum():item() == 3)",
  },
  ["Tensor.multinomial"] = {
    "Draws positions by weights: position i with probability weights[i] / sum.",
    call = "weights:multinomial([n], { replacement = false, generator = nil })",
    args = {
      { "weights", "Tensor", "[k] or [rows x k]; they need not add up to 1" },
      { "n", "integer|table?", "how many draws; 1 where it is left out" },
      { "replacement", "boolean|table?", "whether a position may be drawn again" },
      { "options", "table?", "replacement, generator" },
    },
    returns = { { "at", "Tensor", "[n] or [rows x n], i64, counted from 1" } },
    memory = "memory of its own; nothing is recorded",
    errors = "weights that are negative or not finite, rows of zeros and, without replacement, "
      .. "more draws than weights above 0 raise",
    example = "local at = mlpl.tensor({ 0, 1 }):multinomial(4, { replacement = true })\n"
      .. "assert(at:min():item() == 2)",
  },

  -- ---- changed in place -----------------------------------------------------------------

  ["Tensor.copy_"] = {
    "Copies the elements of another tensor into x; it stretches to x's shape and is converted "
      .. "to x's dtype. Recorded: x takes over the other's past, and what it was made of gets a "
      .. "gradient of zeros.",
    call = "x:copy_(source)",
    args = { x(), { "source", "Tensor", "broadcasts to x's shape" } },
    returns = itself,
    memory = in_place,
    errors = "a source that does not broadcast, an expanded x and, while recording is on, a leaf "
      .. "that requires a gradient raise",
    example = "local x = mlpl.zeros(2, 3)\nassert(x:copy_(mlpl.arange(3))[2][3]:item() == 3)",
  },
  ["Tensor.fill_"] = {
    "Sets every element to one value.",
    call = "x:fill_(value)",
    args = { x(), { "value", "number|boolean|Tensor", "a number, or a tensor without axes" } },
    returns = itself,
    memory = replaced,
    errors = "a number that does not fit a dtype of whole numbers and, while recording is on, a "
      .. "leaf that requires a gradient raise",
    example = "assert(mlpl.empty(2, 2):fill_(3):sum():item() == 12)",
  },
  ["Tensor.zero_"] = {
    "Sets every element to zero.",
    call = "x:zero_()",
    args = { x() },
    returns = itself,
    memory = replaced,
    errors = "while recording is on, a leaf that requires a gradient raises",
    example = "assert(mlpl.ones(3):zero_():sum():item() == 0)",
  },
  ["Tensor.uniform_"] = {
    "Fills x with random numbers, uniform from one bound to the other (the upper one excluded).",
    call = "x:uniform_([from, [to]], { generator = nil })",
    args = {
      x "f32 or f64", { "from", "number|table?", "the lower bound (0)" },
      { "to", "number|table?", "the upper bound (1)" },
      { "options", "table?", "generator; from and to as well" },
    },
    returns = itself,
    memory = replaced,
    errors = "bounds out of order or not finite raise; " .. drawing,
    example = "local x = mlpl.empty(100):uniform_(-1, 1)\nassert(x:abs():max():item() <= 1)",
  },
  ["Tensor.normal_"] = {
    "Fills x with random numbers of the normal distribution.",
    call = "x:normal_([mean, [std]], { generator = nil })",
    args = {
      x "f32 or f64", { "mean", "number|table?", "0 where it is left out" },
      { "std", "number|table?", "the standard deviation (1)" },
      { "options", "table?", "generator; mean and std as well" },
    },
    returns = itself,
    memory = replaced,
    errors = "a negative std raises; " .. drawing,
    example = "local x = mlpl.empty(1000):normal_(5, 0.1)\nassert(x:mean():item() > 4.9)",
  },
  ["Tensor.exponential_"] = {
    "Fills x with random numbers of the exponential distribution: density "
      .. "lambd exp(-lambd x) for x >= 0, mean 1 / lambd.",
    call = "x:exponential_([lambd], { generator = nil })",
    args = {
      x "f32 or f64", { "lambd", "number|table?", "the rate (1)" },
      { "options", "table?", "generator; lambd as well" },
    },
    returns = itself,
    memory = replaced,
    errors = "a rate that is not above 0 raises; " .. drawing,
    example = "assert(mlpl.empty(100):exponential_(2):min():item() >= 0)",
  },
  ["Tensor.bernoulli_"] = {
    "Fills x with ones and zeros: an element is 1 with probability p.",
    call = "x:bernoulli_([p], { generator = nil })",
    args = {
      x "any dtype", { "p", "number|Tensor|table?", "0.5; or a probability for every element" },
      { "options", "table?", "generator; p as a number as well" },
    },
    returns = itself,
    memory = replaced,
    errors = "a probability outside 0 to 1, a tensor of another shape and, while recording is on, "
      .. "a leaf that requires a gradient raise",
    example = "assert(mlpl.empty(3):bernoulli_(1):sum():item() == 3)",
  },
  ["Tensor.release"] = {
    "Frees the tensor now, not when the collector comes by. Its memory stays while views of it or "
      .. "a recorded graph need it. A variable marked <close> does the same at the end of its "
      .. "block.",
    call = "x:release()",
    args = { x() },
    errors = "using x afterwards raises",
    example = "local x = mlpl.zeros(1000)\nx:release()\nassert(not pcall(x.sum, x))",
  },

  -- ---- gradients ------------------------------------------------------------------------

  ["Tensor.backward"] = {
    "Computes the gradients of x by all leaves that require one, and adds them to their grad. "
      .. "The graph is freed on the way, unless it is to be retained.",
    call = "x:backward([gradient, [retain_graph, [create_graph]]], { inputs })",
    args = {
      x "a recorded result: the loss",
      { "gradient", "Tensor|table?", "of something by x, in x's shape; 1 for a single number" },
      { "retain_graph", "boolean|table?", "keep the graph for another pass (false)" },
      { "create_graph", "boolean|table?",
        "record the pass itself, for higher derivatives (false)" },
      { "options", "table?", "retain_graph and create_graph by name; inputs: a tensor or an "
        .. "array of them, the only ones that get gradients" },
    },
    memory = "gradients are tensors of their own, kept by the leaves until zero_grad. With "
      .. "create_graph a leaf's grad has a graph that leads back to the leaf, a cycle that is not "
      .. "collected: take the gradients from autograd.grad instead, or call zero_grad afterwards",
    errors = "a tensor that nothing was recorded for, one with several elements and no gradient, "
      .. "a freed graph, and tensors changed in place since raise",
    example = [[
local w = mlpl.tensor({ 1, 2, 3 }, { requires_grad = true })
w:square():sum():backward()
assert(w.grad[3]:item() == 6)]],
  },
  ["Tensor.requires_grad_"] = {
    "Says whether what is computed from x is to be recorded, so that x gets a gradient.",
    call = "x:requires_grad_([on])",
    args = { x "a leaf, f32 or f64", { "on", "boolean?", "true where it is left out" } },
    returns = itself,
    errors = "a recorded result and a dtype of whole numbers raise",
    example = "assert(mlpl.zeros(2):requires_grad_().requires_grad)",
  },
  ["Tensor.zero_grad"] = {
    "Drops x's gradient: x.grad is nil afterwards.",
    call = "x:zero_grad()",
    args = { x() },
    example = [[
local w = mlpl.ones(2):requires_grad_()
w:sum():backward()
w:zero_grad()
assert(w.grad == nil)]],
  },
  ["Tensor.retain_grad"] = {
    "Lets a recorded result keep its gradient in grad, as leaves do.",
    call = "x:retain_grad()",
    args = { x() },
    returns = itself,
    errors = "a tensor that requires no gradient raises",
    example = [[
local w = mlpl.ones(2):requires_grad_()
local y = (w * 2):retain_grad()
y:sum():backward()
assert(y.grad[1]:item() == 1)]],
  },
  ["Tensor.register_hook"] = {
    "Has a function called with x's gradient in every backward pass, before it goes on; what the "
      .. "function returns, if anything, stands in its place.",
    call = "x:register_hook(f)",
    args = { x "that requires a gradient", { "f", "function", "gets the gradient" } },
    returns = { { "hook", "Hook", "hook:remove() ends it" } },
    memory = "the function is held until the hook is removed or the tensor goes; that of a "
      .. "recorded result goes with the graph. A function that refers to x itself (or to what "
      .. "is computed from it) keeps x, and x keeps it: neither is collected before hook:remove(), "
      .. "x:release() or, for a recorded result, a backward pass that frees the graph. Let it "
      .. "use the gradient that it is given, or a local = x:detach() made before, which shares "
      .. "x's elements",
    errors = "a tensor that requires no gradient raises, and in the pass a replacement of another "
      .. "shape",
    example = [[
local w = mlpl.ones(2):requires_grad_()
local hook = w:register_hook(function(g) return g * 10 end)
w:sum():backward()
assert(w.grad[1]:item() == 10)
hook:remove()
local values = w:detach()                          -- not w: the hook would keep it
w:register_hook(function(g) return g * values end)]],
  },
  ["Tensor.detach_"] = {
    "Cuts x from the graph that made it: x is a leaf without a gradient from then on.",
    call = "x:detach_()",
    args = { x() },
    returns = itself,
    example = [[
local w = mlpl.ones(2):requires_grad_()
local y = (w * 2):detach_()
assert(y.is_leaf and not y.requires_grad)]],
  },
  Hook = {
    "A function that x:register_hook has put on a tensor.",
    call = "Hook",
    example = "local hook = mlpl.ones(1):requires_grad_():register_hook(print)\nhook:remove()",
  },
  ["Hook.remove"] = {
    "Ends the hook: its function is not called any more. Once removed, nothing happens.",
    call = "hook:remove()",
    example = "local hook = mlpl.ones(1):requires_grad_():register_hook(print)\nhook:remove()",
  },
  ["Hook.release"] = {
    "Lets go of the hook's handle; the function stays on the tensor. A variable marked <close> "
      .. "does the same at the end of its block.",
    call = "hook:release()",
    errors = "using the hook afterwards raises",
    example = "local hook = mlpl.ones(1):requires_grad_():register_hook(print)\nhook:release()",
  },
}
