-- Functions of mlpl itself that are no operations of the engine's table: makers of tensors,
-- random numbers, files, recording, settings, and the tables of the library's parts.

local options = "last, a table of options: dtype (\"f32\", \"f64\", \"i64\", \"u8\" or \"bool\"), "
  .. "requires_grad (false)"
local real_options = "last, a table of options: dtype (\"f32\" or \"f64\"), requires_grad (false)"
local random_options = real_options .. ", generator (a Generator; mlpl's own otherwise)"
local sizes = "the sizes: whole numbers, or one array of them; none for a single number"
local more = "further sizes; "
local own = "memory of its own"
local box_muller = "Box, Muller, A note on the generation of random normal deviates (1958)"
local philox = "Salmon, Moraes, Dror and Shaw, Parallel random numbers: as easy as 1, 2, 3 (2011)"

-- The entry of a tensor made in the shape of another.
local function like(summary, call, example)
  return {
    summary,
    call = call,
    args = { { "x", "Tensor", "any; only its shape and dtype count" },
      { "options", "table?", options } },
    returns = { { "y", "Tensor" } },
    memory = own,
    example = example,
  }
end

return {

  -- ---- the library ----------------------------------------------------------------------

  version = {
    "The library's version, a string of three numbers; mlpl._VERSION has the name before it.",
    call = "mlpl.version",
    example = 'assert(mlpl.version:match "^%d+%.%d+%.%d+$")',
  },
  _VERSION = {
    "The library's name and version, as Lua's own _VERSION: mlpl and three numbers.",
    call = "mlpl._VERSION",
    example = 'assert(mlpl._VERSION == "mlpl " .. mlpl.version)',
  },
  seed = {
    "Seeds mlpl's own random numbers (Philox4x32-10): the same seed gives the same numbers "
      .. "on every machine and with any number of threads. Without an argument it only tells "
      .. "the seed that was last set; a new state has seed 0.",
    call = "seed([seed])",
    args = { { "seed", "integer?", "any whole number" } },
    returns = { { "n", "integer", "the seed in force" } },
    errors = "a seed that is no whole number raises",
    example = [[
mlpl.seed(42)
local a = mlpl.rand(3)
mlpl.seed(42)
assert(a:equal(mlpl.rand(3)))]],
    source = philox,
  },
  threads = {
    "Sets how many threads the engine computes with; without an argument it only tells. "
      .. "Results do not depend on it, bit by bit.",
    call = "threads([n])",
    args = { { "n", "integer?", "threads, from 1 to 256" } },
    returns = { { "n", "integer", "the number of threads in force" } },
    errors = "a number outside 1 to 256 raises",
    example = "local n = mlpl.threads()\nassert(mlpl.threads(1) == 1)\nmlpl.threads(n)",
  },
  isa = {
    "The instruction set that the engine computes with, chosen when the library is opened: "
      .. '"base", "avx2" or "avx512". The environment variable MLPL_ISA chooses a smaller one.',
    call = "isa()",
    returns = { { "name", "string" } },
    example = "assert(({ base = true, avx2 = true, avx512 = true })[mlpl.isa()])",
  },
  clock = {
    "Seconds on a clock that never goes back, for measuring how long something takes: only "
      .. "differences mean anything.",
    call = "clock()",
    returns = { { "seconds", "number", "in seconds; they begin anywhere" } },
    example = "local start = mlpl.clock()\nassert(mlpl.clock() - start >= 0)",
  },
  memory = {
    "What the engine uses: bytes in use (live), the most that ever were (peak), freed and "
      .. "kept for reuse (cached), the limit (0: none), and how often the allocator was asked "
      .. "(requests).",
    call = "memory()",
    returns = { { "use", "table", "live, peak, cached, limit: in bytes; requests: a count" } },
    example = [[
local before = mlpl.memory().live
local x = mlpl.zeros(1000)
assert(mlpl.memory().live >= before + 4000)]],
  },
  memory_limit = {
    "Sets how many bytes the engine may use; 0 lifts the limit. Without an argument it only "
      .. "tells. Whatever would go beyond raises an error once the garbage was collected, and "
      .. "changes nothing.",
    call = "memory_limit([bytes])",
    args = { { "bytes", "integer?", "in bytes, 0 or more; 0: no limit" } },
    returns = { { "bytes", "integer", "the limit in force, in bytes" } },
    errors = "a negative number of bytes raises",
    example = [[
mlpl.memory_limit(mlpl.memory().live + 2 ^ 20)
assert(not pcall(mlpl.zeros, 2 ^ 24))
mlpl.memory_limit(0)]],
  },
  terminal = {
    "The width in columns of the terminal that a file writes to; nil where it is none, or one "
      .. "that cannot go back to the start of a line.",
    call = "terminal(file)",
    args = { { "file", "file*|integer", "an open file, or a file descriptor" } },
    returns = { { "columns", "integer?", "in characters; 80 where the terminal does not tell" } },
    errors = "a closed file raises",
    example = "local columns = mlpl.terminal(io.stdout) or 80\nassert(columns > 0)",
  },
  set_printoptions = {
    "Changes how tensors are printed; what is not named stays. precision: digits after the "
      .. "point (4); threshold: elements beyond which the middle is left out (1000; math.huge: "
      .. "never); edgeitems: how many are shown at each end then (3); linewidth: columns of a "
      .. 'line (80); sci_mode: powers of ten: true, false or "auto" (by the values).',
    call = "set_printoptions { precision, threshold, edgeitems, linewidth, sci_mode }",
    args = { { "options", "table", "the options to change, by name" } },
    errors = "unknown options and values outside their range raise, and change nothing",
    example = [[
mlpl.set_printoptions { precision = 2 }
assert(tostring(mlpl.tensor { 0.125 }):match "^%[0%.1[23]%]")
mlpl.set_printoptions { precision = 4 }]],
  },
  get_printoptions = {
    "The options by which tensors are printed, as set_printoptions takes them.",
    call = "get_printoptions()",
    returns = { { "options", "table", "precision, threshold, edgeitems, linewidth, sci_mode" } },
    example = [[
local was = mlpl.get_printoptions()
mlpl.set_printoptions { threshold = 10 }
mlpl.set_printoptions(was)]],
  },
  help = {
    "Prints what is known of a name, a function, a layer or a tensor; without an argument, the "
      .. "names there are. The command does the same: mlpl help linalg.svd.",
    call = "help([what])",
    args = { { "what", "any?", "a name (\"linalg.svd\"), or the thing itself (mlpl.zeros)" } },
    errors = "what is unknown raises, and names what is spelt alike",
    example = 'mlpl.help "clock"',
  },
  ["help.text"] = {
    "What mlpl.help prints, as a string.",
    call = "help.text([what])",
    args = { { "what", "any?", "as for mlpl.help" } },
    returns = { { "text", "string" } },
    errors = "what is unknown raises",
    example = 'assert(mlpl.help.text "zeros":find("sizes", 1, true))',
  },
  ["help.names"] = {
    "Every public name and what it names: functions, parts, and methods as \"Tensor.sum\".",
    call = "help.names()",
    returns = { { "names", "table<string, any>" } },
    example = 'assert(mlpl.help.names()["nn.Linear"] == nn.Linear)',
  },
  ["help.entry"] = {
    "The entry of a name: its text at 1, and call, args, returns, memory, errors, example, "
      .. "source and fields as far as there are; nil for a name without one.",
    call = "help.entry(name)",
    args = { { "name", "string", "\"nn.Linear\", \"Tensor.sum\"" } },
    returns = { { "entry", "table?" } },
    example = 'assert(mlpl.help.entry("optim.Adam").source)',
  },
  ["help.definitions"] = {
    "A definition file for the Lua language server, made of the same entries, so that editors "
      .. "complete and check. The command prints it: mlpl help --definitions.",
    call = "help.definitions()",
    returns = { { "text", "string", "Lua with annotations (---@meta)" } },
    example = 'assert(mlpl.help.definitions():find("---@meta mlpl", 1, true))',
  },

  -- ---- recording ------------------------------------------------------------------------

  no_grad = {
    "Calls f(...) without recording: what is computed there has no gradient and keeps nothing "
      .. "alive for a backward pass. The mode is as before afterwards, even after an error.",
    call = "no_grad(f, ...)",
    args = { { "f", "function", "what to call" }, { "...", "any?", "its arguments" } },
    returns = { { "...", "any", "what f returns" } },
    errors = "what f raises",
    example = [[
local w = mlpl.ones(3):requires_grad_()
local y = mlpl.no_grad(function() return w * 2 end)
assert(not y.requires_grad)]],
  },
  enable_grad = {
    "Calls f(...) with recording on, inside no_grad too. The mode is as before afterwards, "
      .. "even after an error.",
    call = "enable_grad(f, ...)",
    args = { { "f", "function", "what to call" }, { "...", "any?", "its arguments" } },
    returns = { { "...", "any", "what f returns" } },
    errors = "what f raises",
    example = [[
local w = mlpl.ones(3):requires_grad_()
mlpl.no_grad(function()
  assert(mlpl.enable_grad(function() return w * 2 end).requires_grad)
end)]],
  },
  set_grad_enabled = {
    "Turns recording on or off until it is set again. no_grad(f) is safer: it cannot be left "
      .. "on by an error.",
    call = "set_grad_enabled(on)",
    args = { { "on", "boolean" } },
    errors = "anything but true and false raises",
    example = [[
mlpl.set_grad_enabled(false)
assert(not mlpl.is_grad_enabled())
mlpl.set_grad_enabled(true)]],
  },
  is_grad_enabled = {
    "Whether operations are recorded for backward passes.",
    call = "is_grad_enabled()",
    returns = { { "on", "boolean" } },
    example = "assert(mlpl.is_grad_enabled())",
  },
  detect_anomaly = {
    "Searches for NaN and infinity: while it is on, the operation whose result or gradient has "
      .. "the first of them raises, and names itself and the line of the script that called it, in "
      .. "backward passes, too; so does a hook or a Function whose gradient has it. Given a "
      .. "function, for its call alone; given true or false, until it is set again; without "
      .. "arguments, it tells whether it is on. On, it costs time.",
    call = "detect_anomaly([on | f, ...])",
    args = {
      { "on", "boolean|function?", "true, false, or a function to call" },
      { "...", "any?", "the function's arguments" },
    },
    returns = { { "...", "any", "what f returns; without arguments, whether it is on" } },
    errors = "NaN and infinity in results and gradients, and what f raises",
    example = [[
local x = mlpl.zeros(1):requires_grad_()
local ok, message = pcall(mlpl.detect_anomaly, function()
  (x:sqrt() * 0):sum():backward()
end)
assert(not ok and message:find "NaN")]],
  },
  train_step = {
    "Makes a training step of one call: step(x, y) computes loss(model(x), y), puts its gradients "
      .. "in the place of the old ones, and lets the optimizer step. For a plain perceptron the "
      .. "steps are planned ahead and faster; the results have the same bits as the loop written "
      .. "out.",
    call = "train_step(model, loss, optimizer)",
    args = {
      { "model", "Module", "takes one tensor" },
      { "loss", "Module", "takes two: the model's output and y; nn.CrossEntropyLoss(), ..." },
      { "optimizer", "Optimizer", "over the model's parameters" },
    },
    returns = { { "step", "Step", "step(x, y) gives the loss, a number" } },
    memory = "the step holds all three, and buffers for the last shape of x",
    errors = "a model or a loss that takes another number of tensors raises",
    example = [[
local model = nn.Sequential { nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3) }
local opt = optim.Adam(model:parameters())
local step = mlpl.train_step(model, nn.CrossEntropyLoss(), opt)
local x, y = mlpl.randn(16, 4), mlpl.randint(1, 3, { 16 })
for _ = 1, 3 do assert(step(x, y) > 0) end]],
  },

  -- ---- tensors from values --------------------------------------------------------------

  tensor = {
    "A tensor of the values of nested tables, or of one number. f32, unless a dtype is asked "
      .. "for; bool where all values are true or false. tensor {} has no elements.",
    call = "tensor(values, { dtype = \"f32\", requires_grad = false })",
    args = {
      { "values", "number|boolean|table", "a number, or nested tables of one size a level" },
      { "options", "table?", options },
    },
    returns = { { "x", "Tensor" } },
    memory = own,
    errors = "tables nested unevenly, values that are no numbers, and numbers that do not fit a "
      .. "dtype of whole numbers raise",
    example = [[
local x = mlpl.tensor { { 1, 2, 3 }, { 4, 5, 6 } }
assert(x.shape[1] == 2 and x.shape[2] == 3 and x[2][3]:item() == 6)
local labels = mlpl.tensor({ 1, 3 }, { dtype = "i64" })]],
  },
  zeros = {
    "A tensor of zeros.",
    call = "zeros(sizes, ..., { dtype = \"f32\", requires_grad = false })",
    args = {
      { "sizes", "integer|integer[]?", sizes }, { "...", "integer|table?", more .. options },
    },
    returns = { { "x", "Tensor" } },
    memory = own,
    errors = "negative sizes, more than 8 of them and unknown options raise",
    example = "local x = mlpl.zeros(2, 3)\nlocal n = mlpl.zeros({ 2, 3 }, { dtype = \"i64\" })",
  },
  ones = {
    "A tensor of ones.",
    call = "ones(sizes, ..., { dtype = \"f32\", requires_grad = false })",
    args = {
      { "sizes", "integer|integer[]?", sizes }, { "...", "integer|table?", more .. options },
    },
    returns = { { "x", "Tensor" } },
    memory = own,
    errors = "negative sizes, more than 8 of them and unknown options raise",
    example = "assert(mlpl.ones(2, 3):sum():item() == 6)",
  },
  full = {
    "A tensor whose elements are all one value.",
    call = "full({ sizes }, value, { dtype = \"f32\", requires_grad = false })",
    args = {
      { "sizes", "integer[]", "an array of sizes; {} for a single number" },
      { "value", "number|boolean", "of every element" },
      { "options", "table?", options },
    },
    returns = { { "x", "Tensor" } },
    memory = own,
    errors = "a value that does not fit a dtype of whole numbers raises",
    example = "assert(mlpl.full({ 2, 2 }, 7):sum():item() == 28)",
  },
  empty = {
    "A tensor whose elements are not set: whatever was in that memory. For those that are "
      .. "written right away.",
    call = "empty(sizes, ..., { dtype = \"f32\", requires_grad = false })",
    args = {
      { "sizes", "integer|integer[]?", sizes }, { "...", "integer|table?", more .. options },
    },
    returns = { { "x", "Tensor" } },
    memory = own,
    errors = "negative sizes, more than 8 of them and unknown options raise",
    example = "local x = mlpl.empty(2, 3):fill_(1)\nassert(x:sum():item() == 6)",
  },
  zeros_like = like("Zeros in the shape and the dtype of x.",
    "zeros_like(x, { dtype = x.dtype, requires_grad = false })",
    "local y = mlpl.zeros_like(mlpl.randn(2, 3))\nassert(y.shape[2] == 3)"),
  ones_like = like("Ones in the shape and the dtype of x.",
    "ones_like(x, { dtype = x.dtype, requires_grad = false })",
    'assert(mlpl.ones_like(mlpl.zeros(3), { dtype = "i64" }).dtype == "i64")'),
  full_like = {
    "One value in the shape and the dtype of x.",
    call = "full_like(x, value, { dtype = x.dtype, requires_grad = false })",
    args = {
      { "x", "Tensor", "any; only its shape and dtype count" },
      { "value", "number|boolean", "of every element" },
      { "options", "table?", options },
    },
    returns = { { "y", "Tensor" } },
    memory = own,
    errors = "a value that does not fit a dtype of whole numbers raises",
    example = "assert(mlpl.full_like(mlpl.zeros(2, 2), 3):sum():item() == 12)",
  },
  empty_like = like("A tensor in the shape and the dtype of x whose elements are not set.",
    "empty_like(x, { dtype = x.dtype, requires_grad = false })",
    "local y = mlpl.empty_like(mlpl.ones(2, 3))\nassert(y:numel() == 6)"),
  eye = {
    "Ones on the diagonal, zeros elsewhere: the identity matrix.",
    call = "eye(n, [m], { dtype = \"f32\", requires_grad = false })",
    args = {
      { "n", "integer", "rows" },
      { "m", "integer|table?", "columns; n where it is left out" },
      { "options", "table?", options },
    },
    returns = { { "x", "Tensor", "[n x m]" } },
    memory = own,
    example = "assert(mlpl.eye(3):sum():item() == 3)",
  },
  arange = {
    "The numbers from first to last, both included where the steps meet it: "
      .. "x[i] = first + (i - 1) step. Note that arange(5) is 1 to 5, as a for loop counts.",
    call = "arange([first,] last, [step], { dtype = \"f32\", requires_grad = false })",
    args = {
      { "first", "number", "1 where only one number is given, which is the last" },
      { "last", "number|table?", "the largest, for a negative step the smallest" },
      { "step", "number|table?", "1 where it is left out; negative counts down" },
      { "options", "table?", options },
    },
    returns = { { "x", "Tensor", "one axis; empty where last is before first" } },
    memory = own,
    errors = "bounds that are not finite and a step of 0 raise",
    example = [[
local x = mlpl.arange(5)                       -- 1 2 3 4 5
assert(#x == 5 and x[5]:item() == 5)
assert(#mlpl.arange(0, 1, 0.25) == 5)          -- 0 is one of them, and so is 1]],
  },
  linspace = {
    "Numbers at equal distances from start to stop, both included: "
      .. "x[i] = start + (i - 1) (stop - start) / (steps - 1).",
    call = "linspace(start, stop, steps, { dtype = \"f32\", requires_grad = false })",
    args = {
      { "start", "number", "the first number" },
      { "stop", "number", "the last number" },
      { "steps", "integer", "how many; one alone is start" },
      { "options", "table?", real_options },
    },
    returns = { { "x", "Tensor", "[steps]" } },
    memory = own,
    errors = "bounds that are not finite, negative steps and whole-number dtypes raise",
    example = "local x = mlpl.linspace(0, 1, 11)\nassert(#x == 11 and x[11]:item() == 1)",
  },
  logspace = {
    "Powers of a base whose exponents are at equal distances: base ^ linspace(start, stop, steps).",
    call = "logspace(start, stop, steps, [base], { dtype = \"f32\", requires_grad = false })",
    args = {
      { "start", "number", "the first exponent" },
      { "stop", "number", "the last exponent" },
      { "steps", "integer", "how many" },
      { "base", "number|table?", "10 where it is left out" },
      { "options", "table?", real_options },
    },
    returns = { { "x", "Tensor", "[steps]" } },
    memory = own,
    errors = "exponents that are not finite, negative steps and whole-number dtypes raise",
    example = "local rates = mlpl.logspace(-4, -1, 4)\nassert(rates[2]:item() < 0.0011)",
  },
  broadcast_tensors = {
    "Every tensor stretched to the shape that they broadcast to.",
    call = "broadcast_tensors(x, ...)",
    args = { { "x", "Tensor" }, { "...", "Tensor?", "more of them" } },
    returns = { { "y", "Tensor", "for x" }, { "...", "Tensor", "one for each of the others" } },
    memory = "views: they share memory with the tensors",
    errors = "sizes that neither are equal nor 1",
    example = "local a, b = mlpl.broadcast_tensors(mlpl.ones(3), mlpl.ones(2, 1))\n"
      .. "assert(a.shape[1] == 2 and b.shape[2] == 3)",
  },
  atleast_1d = {
    "Every tensor with at least one axis: axes of size 1 are added where there are fewer.",
    call = "atleast_1d(x, ...)",
    args = { { "x", "Tensor" }, { "...", "Tensor?", "more of them" } },
    returns = { { "y", "Tensor", "for x; x itself where it has enough" },
      { "...", "Tensor", "one for each of the others" } },
    memory = "views: they share memory with the tensors",
    example = "assert(#mlpl.atleast_1d(mlpl.tensor(5)).shape == 1)",
  },
  atleast_2d = {
    "Every tensor with at least two axes: axes of size 1 are added where there are fewer. A vector becomes"
      .. " one row.",
    call = "atleast_2d(x, ...)",
    args = { { "x", "Tensor" }, { "...", "Tensor?", "more of them" } },
    returns = { { "y", "Tensor", "for x; x itself where it has enough" },
      { "...", "Tensor", "one for each of the others" } },
    memory = "views: they share memory with the tensors",
    example = "assert(#mlpl.atleast_2d(mlpl.tensor(5)).shape == 2)",
  },
  atleast_3d = {
    "Every tensor with at least three axes: axes of size 1 are added where there are fewer. A vector"
      .. " becomes [1 x n x 1], a matrix [n x m x 1].",
    call = "atleast_3d(x, ...)",
    args = { { "x", "Tensor" }, { "...", "Tensor?", "more of them" } },
    returns = { { "y", "Tensor", "for x; x itself where it has enough" },
      { "...", "Tensor", "one for each of the others" } },
    memory = "views: they share memory with the tensors",
    example = "assert(#mlpl.atleast_3d(mlpl.tensor(5)).shape == 3)",
  },
  meshgrid = {
    "The coordinates of a grid: every vector stretched over the grid of all of them. With "
      .. 'indexing = "ij", axis k of the results belongs to vector k; with "xy", the first two '
      .. "axes change places, as plots have it.",
    call = "meshgrid(x, ..., { indexing = \"ij\" })",
    args = {
      { "x", "Tensor", "one axis, or a single number" },
      { "...", "Tensor|table?", "up to 8 tensors in all; last, the table with indexing" },
    },
    returns = { { "grid", "Tensor", "for x" }, { "...", "Tensor", "one for each of the others" } },
    memory = "views: they share memory with the vectors",
    errors = "tensors with two axes or more raise",
    example = [[
local a, b = mlpl.meshgrid(mlpl.arange(2), mlpl.arange(3))
assert(a.shape[1] == 2 and a.shape[2] == 3 and b[1][3]:item() == 3)]],
  },
  tril_indices = {
    "Where the elements on and below a diagonal of a matrix are: a row of row numbers and a "
      .. "row of column numbers, counted from 1, ready to index with.",
    call = "tril_indices(row, col, [offset])",
    args = {
      { "row", "integer", "rows of the matrix" },
      { "col", "integer", "columns" },
      { "offset", "integer?", "of the diagonal: 0 is the main one, above 0 is above it" },
    },
    returns = { { "at", "Tensor", "[2 x n], i64, row by row" } },
    memory = own,
    example = [[
local at = mlpl.tril_indices(3, 3)
local x = mlpl.ones(3, 3)
assert(x[{ at[1], at[2] }]:sum():item() == 6)]],
  },
  triu_indices = {
    "Where the elements on and above a diagonal of a matrix are: a row of row numbers and a "
      .. "row of column numbers, counted from 1, ready to index with.",
    call = "triu_indices(row, col, [offset])",
    args = {
      { "row", "integer", "rows of the matrix" },
      { "col", "integer", "columns" },
      { "offset", "integer?", "of the diagonal: 0 is the main one, above 0 is above it" },
    },
    returns = { { "at", "Tensor", "[2 x n], i64, row by row" } },
    memory = own,
    example = "assert(mlpl.triu_indices(3, 3, 1).shape[2] == 3)",
  },

  -- ---- random numbers -------------------------------------------------------------------

  rand = {
    "Random numbers, uniform from 0 to 1 (1 excluded).",
    call = "rand(sizes, ..., { dtype = \"f32\", requires_grad = false, generator = nil })",
    args = {
      { "sizes", "integer|integer[]?", sizes },
      { "...", "integer|table?", more .. random_options },
    },
    returns = { { "x", "Tensor" } },
    memory = own,
    errors = "whole-number dtypes raise",
    example = "local x = mlpl.rand(2, 3)\nassert(x:min():item() >= 0 and x:max():item() < 1)",
    source = philox,
  },
  randn = {
    "Random numbers of the normal distribution with mean 0 and standard deviation 1.",
    call = "randn(sizes, ..., { dtype = \"f32\", requires_grad = false, generator = nil })",
    args = {
      { "sizes", "integer|integer[]?", sizes },
      { "...", "integer|table?", more .. random_options },
    },
    returns = { { "x", "Tensor" } },
    memory = own,
    errors = "whole-number dtypes raise",
    example = "assert(math.abs(mlpl.randn(10000):mean():item()) < 0.1)",
    source = box_muller,
  },
  normal = {
    "Random numbers of the normal distribution with a mean and a standard deviation: of given "
      .. "sizes, or, where mean or std is a tensor, one for each of their elements. Nothing is "
      .. "recorded.",
    call = "normal(mean, std, sizes, ..., { dtype = \"f32\", requires_grad = false, generator = nil })",
    args = {
      { "mean", "number|Tensor", "of the numbers" },
      { "std", "number|Tensor?", "0 or more; 1 beside a tensor" },
      { "sizes", "integer|integer[]?", "where both are numbers; a single number without" },
      { "...", "integer|table?", more .. "dtype and requires_grad where both are numbers, generator" },
    },
    returns = { { "x", "Tensor", "f64 where one of the tensors is" } },
    memory = own,
    errors = "a std below 0, shapes that do not broadcast and whole-number dtypes raise",
    example = [[
assert(math.abs(mlpl.normal(5, 0.1, 10000):mean():item() - 5) < 0.1)
local x = mlpl.normal(mlpl.tensor { 0, 100 }, mlpl.tensor { 0, 1 })
assert(x[1]:item() == 0 and x[2]:item() > 50)]],
    source = box_muller,
  },
  randint = {
    "Random whole numbers from lowest to highest, both included, each as likely: "
      .. "randint(1, 6, { n }) throws n dice.",
    call = "randint(lowest, highest, sizes, ..., { dtype = \"i64\", generator = nil })",
    args = {
      { "lowest", "integer", "the smallest number" },
      { "highest", "integer", "the largest number" },
      { "sizes", "integer|integer[]?", sizes },
      { "...", "integer|table?", "further sizes; last, a table of options: dtype, "
        .. "requires_grad, generator" },
    },
    returns = { { "x", "Tensor", "i64 unless another dtype is asked for" } },
    memory = own,
    errors = "bounds out of order, or beyond the dtype, raise",
    example = "local dice = mlpl.randint(1, 6, { 100 })\nassert(dice:max():item() <= 6)",
  },
  randperm = {
    "The numbers 1 to n in random order, every order as likely: ready to index with.",
    call = "randperm(n, { dtype = \"i64\", generator = nil })",
    args = {
      { "n", "integer", "how many" },
      { "options", "table?", "dtype (\"i64\"), generator" },
    },
    returns = { { "order", "Tensor", "[n]" } },
    memory = own,
    errors = "a negative n, and one that does not fit the dtype, raise",
    example = "local x = mlpl.randn(5, 2)\nlocal shuffled = x[mlpl.randperm(#x)]",
    source = "Fisher, Yates, Statistical tables (1938)",
  },
  bernoulli = {
    "Ones and zeros: an element is 1 with the probability that stands there in p.",
    call = "bernoulli(p, { generator = nil })",
    args = {
      { "p", "Tensor", "probabilities, f32 or f64" },
      { "options", "table?", "generator" },
    },
    returns = { { "x", "Tensor", "in the shape and the dtype of p" } },
    memory = own .. "; nothing is recorded",
    errors = "a probability outside 0 to 1 raises, and is named",
    example = "local x = mlpl.bernoulli(mlpl.full({ 4 }, 0.5))\nassert(x:max():item() <= 1)",
  },
  multinomial = {
    "Draws positions by weights: position i is drawn with probability weights[i] / sum. "
      .. "Without replacement, the positions come in the order in which they were drawn.",
    call = "multinomial(weights, [n], { replacement = false, generator = nil })",
    args = {
      { "weights", "Tensor", "[k], or [rows x k] for draws row by row; they need not add up to 1" },
      { "n", "integer|table?", "how many draws; 1 where it is left out" },
      { "replacement", "boolean|table?", "whether a position may be drawn again" },
      { "options", "table?", "replacement, generator" },
    },
    returns = { { "at", "Tensor", "[n] or [rows x n], i64, counted from 1" } },
    memory = own .. "; nothing is recorded",
    errors = "weights that are negative or not finite, rows of zeros and, without replacement, "
      .. "more draws than weights above 0 raise",
    example = [[
local at = mlpl.multinomial(mlpl.tensor { 1, 0, 3 }, 2)
assert(at:min():item() == 1 and at:max():item() == 3)]],
  },
  rand_like = {
    "Random numbers, uniform from 0 to 1 (1 excluded), in the shape and the dtype of x.",
    call = "rand_like(x, { dtype = x.dtype, requires_grad = false, generator = nil })",
    args = { { "x", "Tensor", "only its shape and dtype count" },
      { "options", "table?", random_options } },
    returns = { { "y", "Tensor" } },
    memory = own,
    errors = "whole-number dtypes raise: ask for a dtype where x has one",
    example = "assert(mlpl.rand_like(mlpl.zeros(2, 3)).shape[2] == 3)",
  },
  randn_like = {
    "Random numbers of the normal distribution with mean 0 and standard deviation 1, in the "
      .. "shape and the dtype of x.",
    call = "randn_like(x, { dtype = x.dtype, requires_grad = false, generator = nil })",
    args = { { "x", "Tensor", "only its shape and dtype count" },
      { "options", "table?", random_options } },
    returns = { { "y", "Tensor" } },
    memory = own,
    errors = "whole-number dtypes raise: ask for a dtype where x has one",
    example = "local x = mlpl.ones(2, 3)\nlocal noisy = x + 0.1 * mlpl.randn_like(x)",
  },
  randint_like = {
    "Random whole numbers from lowest to highest, both included, in the shape and the dtype "
      .. "of x.",
    call = "randint_like(x, lowest, highest, { dtype = x.dtype, generator = nil })",
    args = {
      { "x", "Tensor", "only its shape and dtype count" },
      { "lowest", "integer", "the smallest number" },
      { "highest", "integer", "the largest number" },
      { "options", "table?", "dtype, requires_grad, generator" },
    },
    returns = { { "y", "Tensor" } },
    memory = own,
    errors = "bounds out of order, or beyond the dtype, raise",
    example = "local y = mlpl.randint_like(mlpl.zeros(4), 1, 6)\nassert(y.dtype == \"f32\")",
  },
  get_rng_state = {
    "The state of mlpl's own random numbers as text, for set_rng_state or a file.",
    call = "get_rng_state()",
    returns = { { "state", "string" } },
    example = [[
local state = mlpl.get_rng_state()
local a = mlpl.rand(2)
mlpl.set_rng_state(state)
assert(a:equal(mlpl.rand(2)))]],
  },
  set_rng_state = {
    "Puts mlpl's own random numbers back to where they were when get_rng_state gave this text.",
    call = "set_rng_state(state)",
    args = { { "state", "string", "from get_rng_state or Generator:state" } },
    errors = "a text that is no state raises",
    example = "local state = mlpl.get_rng_state()\nmlpl.rand(2)\nmlpl.set_rng_state(state)",
  },
  Generator = {
    "Random numbers with a seed and a state of their own, beside mlpl's: whatever takes the "
      .. "option generator draws from it. Its methods are listed below.",
    call = "Generator([seed])",
    args = { { "seed", "integer?", "0 where it is left out" } },
    returns = { { "g", "Generator" } },
    errors = "a seed that is no whole number raises",
    example = [[
local g = mlpl.Generator(7)
local x = mlpl.randn(3, { generator = g })
g:seed(7)
assert(x:equal(mlpl.randn(3, { generator = g })))]],
    source = philox,
  },
  ["Generator.seed"] = {
    "Seeds the generator anew; without an argument, only tells the seed that was last set.",
    call = "g:seed([seed])",
    args = { { "seed", "integer?", "any whole number" } },
    returns = { { "n", "integer", "the seed in force" } },
    example = "local g = mlpl.Generator()\nassert(g:seed(5) == 5 and g:seed() == 5)",
  },
  ["Generator.manual_seed"] = {
    "Seeds the generator anew, as PyTorch calls it.",
    call = "g:manual_seed(seed)",
    args = { { "seed", "integer", "any whole number" } },
    returns = { { "g", "Generator", "the generator itself" } },
    example = "local g = mlpl.Generator():manual_seed(5)\nassert(g:initial_seed() == 5)",
  },
  ["Generator.initial_seed"] = {
    "The seed that was last set.",
    call = "g:initial_seed()",
    returns = { { "n", "integer" } },
    example = "assert(mlpl.Generator(9):initial_seed() == 9)",
  },
  ["Generator.state"] = {
    "Where the generator is, as text: for set_state, set_rng_state or a file.",
    call = "g:state()",
    returns = { { "state", "string" } },
    example = [[
local g = mlpl.Generator(1)
local state = g:state()
local a = mlpl.rand(2, { generator = g })
assert(a:equal(mlpl.rand(2, { generator = g:set_state(state) })))]],
  },
  ["Generator.get_state"] = {
    "The same as Generator.state, as PyTorch calls it.",
    call = "g:get_state()",
    returns = { { "state", "string" } },
    example = "local g = mlpl.Generator(1)\nassert(g:get_state() == g:state())",
  },
  ["Generator.set_state"] = {
    "Puts the generator back to where it was when state() gave this text.",
    call = "g:set_state(state)",
    args = { { "state", "string", "from Generator:state or get_rng_state" } },
    returns = { { "g", "Generator", "the generator itself" } },
    errors = "a text that is no state raises",
    example = "local g = mlpl.Generator(1)\ng:set_state(mlpl.Generator(2):state())",
  },

  -- ---- products, comparisons ------------------------------------------------------------

  einsum = {
    "Einstein's sum: letters name the axes of the operands; axes with one letter are "
      .. "multiplied, letters that are missing from the result are summed over, and a letter "
      .. "twice in one operand takes its diagonal. '...' stands for any leading axes. Without "
      .. "'->', the result has the letters that occur once, in alphabetical order. Of more "
      .. "than two operands those come first whose product leaves the least to hold. An operand "
      .. "without axes has no letters (\"i,->i\"); none is converted.",
    call = "einsum(equation, operand, ... | { operands })",
    args = {
      { "equation", "string", "\"bij,bjk->bik\"" },
      { "operand", "Tensor|Tensor[]", "with an axis for every letter, or an array of all "
        .. "operands; f32 or f64, all the same" },
      { "...", "Tensor?", "up to 16 operands in all" },
    },
    returns = { { "y", "Tensor", "an axis for each letter of the result; a single number "
      .. "without any" } },
    memory = "of one operand, where nothing is summed (\"ij->ji\", \"ii->i\"), a view: shares "
      .. "memory with it; else a tensor of its own",
    errors = "an equation that does not fit the operands raises, and says where; operands of "
      .. "several dtypes, also those without axes",
    example = [[
local a, b = mlpl.randn(2, 3), mlpl.randn(3, 4)
assert(mlpl.einsum("ij,jk->ik", a, b):allclose(a:matmul(b), { atol = 1e-5 }))
assert(mlpl.einsum("ij,jk->ik", { a, b }):equal(mlpl.einsum("ij,jk->ik", a, b)))
local trace = mlpl.einsum("ii", mlpl.eye(3))]],
  },
  unravel_index = {
    "Places among all elements of a tensor, row by row, as argmax without dim gives them, taken "
      .. "apart into places along each axis: x[{ unravel_index(x:argmax(), x.shape) }] is the "
      .. "largest element.",
    call = "unravel_index(index, sizes)",
    args = {
      { "index", "Tensor", "i64, from 1 to the number of elements" },
      { "sizes", "integer|integer[]", "the shape of that tensor" },
    },
    returns = { { "...", "Tensor", "for each axis the places, in index's shape" } },
    memory = own,
    errors = "another dtype than i64, and an index out of range, raise",
    example = [[
local x = mlpl.tensor { { 1, 2 }, { 9, 4 } }
local row, column = mlpl.unravel_index(x:argmax(), x.shape)
assert(row:item() == 2 and column:item() == 1)]],
  },
  tensordot = {
    "The sum of products over pairs of axes: the last axes of a with the first of b, or two "
      .. "lists of axes. The result has the other axes of a, then those of b.",
    call = "tensordot(a, b, [dims])",
    args = {
      { "a", "Tensor", "any shape" },
      { "b", "Tensor", "any shape" },
      { "dims", "integer|integer[][]?", "how many axes (2), or { axes of a, axes of b }" },
    },
    returns = { { "y", "Tensor" } },
    errors = "axes in a pair that differ in size raise",
    example = [[
local y = mlpl.tensordot(mlpl.ones(2, 3), mlpl.ones(3, 4), 1)
assert(y[1][1]:item() == 3)
mlpl.tensordot(mlpl.ones(2, 3), mlpl.ones(5, 3), { { 2 }, { 2 } })]],
  },
  equal = {
    "Whether two tensors have the same shape and equal elements. NaN is equal to nothing.",
    call = "equal(a, b)",
    args = { { "a", "Tensor" }, { "b", "Tensor", "of any dtype: the numbers are compared" } },
    returns = { { "same", "boolean" } },
    example = "assert(mlpl.equal(mlpl.ones(2), mlpl.ones(2)))",
  },
  allclose = {
    "Whether all elements are close: |a - b| <= atol + rtol |b|. Shapes broadcast.",
    call = "allclose(a, b, [rtol, [atol, [equal_nan]]])",
    args = {
      { "a", "Tensor" },
      { "b", "Tensor", "the one that rtol is relative to" },
      { "rtol", "number|table?", "1e-5; from here on, a table of options by name will do" },
      { "atol", "number?", "1e-8" },
      { "equal_nan", "boolean?", "whether NaN is close to NaN (false)" },
    },
    returns = { { "close", "boolean" } },
    errors = "shapes that do not broadcast raise",
    example = "assert(mlpl.allclose(mlpl.ones(2), mlpl.ones(2) + 1e-7, { rtol = 1e-4 }))",
  },

  -- ---- files ----------------------------------------------------------------------------

  load = {
    "Reads tensors from a file, whose kind its ending says: .npy gives a tensor, .npz and "
      .. ".safetensors a table of tensors by name. No code in a file is ever run. Half-precision "
      .. "numbers arrive as f32, whole numbers without a dtype of ours as i64.",
    call = "load(path)",
    args = { { "path", "string", "ends in .npy, .npz or .safetensors" } },
    returns = {
      { "value", "Tensor|table<string, Tensor>|nil", "nil where the file is at fault" },
      { "message", "string?", "what is wrong then" },
      { "code", "string?", '"EIO" (cannot be read) or "EFORMAT" (not what it should be)' },
    },
    memory = own,
    errors = "a file at fault gives nil, message, code; another ending raises",
    example = [[
local path = os.tmpname() .. ".npy"
mlpl.save(path, mlpl.ones(2, 3))
local x = assert(mlpl.load(path))
os.remove(path)
assert(x:sum():item() == 6)]],
  },
  save = {
    "Writes tensors into a file that NumPy and PyTorch read, too. The old file is replaced as a "
      .. "whole, or not at all.",
    call = "save(path, value, { compressed = false })",
    args = {
      { "path", "string", ".npy for a tensor, .npz or .safetensors for a table of them" },
      { "value", "Tensor|table<string, Tensor>", "what to write" },
      { "options", "table?", "compressed: deflate the members (.npz only)" },
    },
    errors = "whatever keeps the file from being written raises",
    example = [[
local path = os.tmpname() .. ".npz"
mlpl.save(path, { x = mlpl.ones(3), y = mlpl.zeros(2) }, { compressed = true })
assert(#mlpl.load(path).x == 3)
os.remove(path)]],
  },

  -- ---- scripts --------------------------------------------------------------------------

  args = {
    "The command line of a script. A key of the spec is an option, whose default says what it "
      .. "takes: a whole number, a number, text or a boolean (--shuffle, --no-shuffle); "
      .. "--batch-size sets batch_size. Entries 1, 2, ... name arguments without dashes: "
      .. '"data" must be there, "data?" may be, "files..." takes all that are left. A default '
      .. "or a name may be { value, \"help text\" }. --help prints all that and ends the process.",
    call = "args(spec, [list])",
    args = {
      { "spec", "table", "names and defaults" },
      { "list", "string[]?", "the words to read; the global arg where it is left out" },
    },
    returns = { { "args", "table", "values by name; reading an unknown name raises" } },
    errors = "unknown options, missing arguments and values of another kind raise",
    example = [[
local args = mlpl.args({ "data", epochs = 20, lr = 1e-3, shuffle = true },
  { "digits.csv", "--epochs", "5", "--no-shuffle" })
assert(args.data == "digits.csv" and args.epochs == 5 and not args.shuffle)]],
  },
  progress = {
    "Shows how a training run is going. On a terminal one line is redrawn; elsewhere every "
      .. "epoch that is over gets one. progress:epoch(batches) goes through the batches, for a "
      .. "generic for; progress:loss(loss) adds the loss of the batch at hand; "
      .. "progress:note { name = value } adds to the line of the epoch that has just ended; "
      .. "progress:finish() ends what is on the line, which the next epoch does, too.",
    call = "progress { epochs = n, out = io.stderr, every = seconds, columns = nil }",
    args = {
      { "options", "table", "epochs: how many there will be; out: anything with a write method; "
        .. "every: least seconds between two lines (0.1 on a terminal, else 0); columns: redraw "
        .. "in so many columns, for a console of your own" },
    },
    returns = { { "progress", "table", "with epoch, loss, note and finish" } },
    errors = "unknown options raise, and so does a run without epochs",
    example = [[
local ds = data.TensorDataset(mlpl.randn(8, 2))
local lines = { write = function() end }
local progress = mlpl.progress { epochs = 1, out = lines }
for x in progress:epoch(ds:batches { size = 4 }) do progress:loss(x:square():mean()) end
progress:finish()]],
  },
  profiler = {
    "Where the time goes: start, the work, report. The command does both: mlpl --profile "
      .. "script.lua. Switched off, it costs nothing.",
    call = "profiler",
    example = [[
mlpl.profiler.start()
mlpl.randn(64, 64):matmul(mlpl.randn(64, 64))
for _, e in ipairs(mlpl.profiler.entries()) do assert(e.seconds >= 0) end
mlpl.profiler.stop()]],
  },
  ["profiler.start"] = {
    "Begins to measure, from zero: every operation reads the clock twice from now on.",
    call = "profiler.start()",
    example = "mlpl.profiler.start()\nmlpl.profiler.stop()",
  },
  ["profiler.stop"] = {
    "Ends measuring and forgets what was measured: profiler.entries or report come before it.",
    call = "profiler.stop()",
    example = "mlpl.profiler.start()\nmlpl.profiler.stop()",
  },
  ["profiler.entries"] = {
    "What was measured since profiler.start, by layer, operation and pass, the longest first; "
      .. "nothing while it is off.",
    call = "profiler.entries()",
    returns = { { "entries", "table[]", "layer, operation, pass: names; calls: a count; "
      .. "seconds: in seconds; bytes: read and written; flops: floating-point operations" } },
    example = [[
mlpl.profiler.start()
mlpl.ones(8, 8):exp()
assert(mlpl.profiler.entries()[1].calls == 1)
mlpl.profiler.stop()]],
  },
  ["profiler.report"] = {
    "Prints what was measured as a table, with rates and the share of this machine's peak "
      .. "(which it measures), and stops.",
    call = "profiler.report([out])",
    args = { { "out", "file*|table?", "anything with a write method; io.stderr otherwise" } },
    errors = "raises where profiler.start was not called before",
    example = [[
mlpl.profiler.start()
mlpl.ones(8, 8):exp()
local text = {}
mlpl.profiler.report { write = function(_, s) text[#text + 1] = s end }
assert(#text > 0)]],
  },

  -- ---- parts ----------------------------------------------------------------------------

  metrics = {
    "Numbers that say how good predictions are.",
    call = "metrics",
    example = [[
local labels = mlpl.tensor({ 1, 2 }, { dtype = "i64" })
assert(mlpl.metrics.accuracy(labels, labels) == 1)]],
  },
  ["metrics.accuracy"] = {
    "The share of rows whose largest score is at the label (of equal scores the first counts), "
      .. "or of labels that are right.",
    call = "metrics.accuracy(scores, target)",
    args = {
      { "scores", "Tensor", "[n x classes], f32 or f64; or labels [n], i64" },
      { "target", "Tensor", "labels [n], i64, counted from 1" },
    },
    returns = { { "share", "number", "from 0 to 1; NaN for no rows" } },
    errors = "shapes and dtypes that do not fit, and labels that are no class, raise",
    example = [[
local scores = mlpl.tensor { { 0.9, 0.1 }, { 0.8, 0.2 } }
local target = mlpl.tensor({ 1, 2 }, { dtype = "i64" })
assert(mlpl.metrics.accuracy(scores, target) == 0.5)]],
  },
  linalg = {
    "Linear algebra: factorizations, solutions of equations, norms. Matrices are the last two "
      .. "axes of a tensor; axes before them are a batch.",
    call = "linalg",
    example = "local x = linalg.solve(mlpl.eye(2) * 2, mlpl.ones(2))\nassert(x[1]:item() == 0.5)",
  },
  ["linalg.solve_triangular"] = {
    "X with A X = B, or with left = false X A = B, for triangular A: the same function as "
      .. "linalg.triangular_solve, as PyTorch calls it.",
    row = "triangular_solve",
    args = {
      a = "[... n x n]; the other triangle is not read", b = "[... n x k]; a vector as [n x 1]",
      upper = "which triangle A is", left = "whether A stands left of X",
      unitriangular = "take the diagonal as ones",
    },
    errors = "a matrix that is not square, and sizes that differ, raise",
    example = [[
local a = mlpl.tensor { { 2, 0 }, { 1, 1 } }
local b = mlpl.tensor { { 2 }, { 3 } }
local x = linalg.solve_triangular(a, b, { upper = false })
assert(x[2][1]:item() == 2)]],
    source = "Golub, Van Loan, Matrix Computations (2013), 3.1",
  },
  ["linalg.norm"] = {
    "The norm of all elements, of vectors along one axis, or of matrices in two. Without ord: "
      .. "the square root of the sum of squares (Frobenius'). With ord and without dim, x is one "
      .. "vector or one matrix. Vectors: ord p is (sum |x|^p)^(1/p), inf the largest, -inf the "
      .. 'smallest |x|, 0 counts what is not 0. Matrices: "fro", "nuc" (sum of singular values), '
      .. "1, -1, inf, -inf (sums of columns, rows), 2, -2 (largest, smallest singular value).",
    call = "linalg.norm(input, [ord, [dim, [keepdim]]])",
    args = {
      { "input", "Tensor", "f32 or f64" },
      { "ord", "number|string|table?", "as above; from here on, a table of options will do" },
      { "dim", "integer|integer[]?", "an axis, or two axes in a table" },
      { "keepdim", "boolean?", "keep the axes with size 1 (false)" },
    },
    returns = { { "y", "Tensor" } },
    errors = "axes that are none, and an ord that vectors or matrices do not have, raise",
    example = [[
assert(linalg.norm(mlpl.tensor { 3, 4 }):item() == 5)
local rows = linalg.norm(mlpl.ones(2, 4), { dim = 2 })
assert(rows[1]:item() == 2)]],
    source = "Golub, Van Loan, Matrix Computations (2013), 2.3",
  },
}
