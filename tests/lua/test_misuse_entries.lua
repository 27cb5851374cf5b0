-- The misuse matrix of what is no row of the operation table: makers, gradients, layers,
-- optimizers, data, files and the Lua half. Their table is the help: every entry says which
-- types an argument may have, and every argument gets some forty bad values. A value of
-- another type raises an error that names function and argument; one of that type works, or
-- raises an error that names both, too. Kinds of layers and optimizers have the engine's
-- descriptions, which say more: which values work.

local lu = require "luaunit"
local mlpl = require "mlpl"
local domains = require "domains"
local odd = require "odd"

local nn, optim, data = mlpl.nn, mlpl.optim, mlpl.data
local is_tensor, is_released = odd.is_tensor, odd.is_released

local LIMIT = 64 << 20

-- ---- calls in earnest -----------------------------------------------------------------

local function leaf()
  return mlpl.tensor({ 0.5, 2 }, { dtype = "f64", requires_grad = true })
end

local function labels() return mlpl.tensor({ 1, 2 }, { dtype = "i64" }) end

local function dataset()
  return data.TensorDataset(mlpl.ones(2, 3), labels(), { classes = { "a", "b" } })
end

-- It gives what it gets.
local function same(...) return ... end

-- A value for a type, made anew for every call.
local made = {
  Tensor = function() return mlpl.arange(6):reshape(2, 3) end,
  integer = function() return 2 end,
  number = function() return 0.5 end,
  boolean = function() return true end,
  string = function() return "no_such_folder/file" end,
  table = function() return {} end,
  ["function"] = function() return same end,
  ["file*"] = function() return io.stdout end,
  ["integer[]"] = function() return { 2, 3 } end,
  ["Tensor[]"] = function() return { mlpl.ones(2) } end,
  Module = function() return nn.Linear(3, 3) end,
  Optimizer = function() return optim.SGD(nn.Linear(3, 3):parameters()) end,
  Dataset = dataset,
  Batches = function() return (dataset():batches()) end,
  Step = function()
    local model = nn.Linear(3, 3)
    return mlpl.train_step(model, nn.CrossEntropyLoss(), optim.SGD(model:parameters()))
  end,
  Generator = function() return mlpl.Generator(3) end,
  Hook = function() return leaf():register_hook(same) end,
  any = function() return 1 end,
}

local function square(x) return is_tensor(x) and x:exp() or x end
local function total(x) return is_tensor(x) and x:exp():sum() or x end
local function pack(v) return function() return v end end

-- Where a value of the type will not do: all arguments, from the first.
local in_earnest = {
  args = function() return { epochs = 20 }, {} end,
  arange = function() return 1, 5, 2 end,
  ["autograd.Function"] = function() return { forward = same, backward = same } end,
  ["autograd.grad"] = function()
    local w = leaf()
    return (w * 2):sum(), w
  end,
  ["autograd.jacobian"] = function() return square, leaf() end,
  ["autograd.vjp"] = function() return square, leaf(), leaf() end,
  ["autograd.jvp"] = function() return square, leaf(), leaf() end,
  ["autograd.hessian"] = function() return total, leaf() end,
  ["autograd.hvp"] = function() return total, leaf(), leaf() end,
  ["autograd.gradcheck"] = function() return square, leaf() end,
  ["autograd.gradgradcheck"] = function() return square, leaf() end,
  ["autograd.numeric_grad"] = function() return total, leaf() end,
  bernoulli = function() return mlpl.full({ 3 }, 0.5) end,
  ["Tensor.bernoulli"] = function() return mlpl.full({ 3 }, 0.5) end,
  ["Tensor.backward"] = function() return (leaf() * 2):sum() end,
  ["Tensor.register_hook"] = function() return leaf(), same end,
  ["Tensor.retain_grad"] = function() return leaf() * 2 end,
  ["Tensor.item"] = function() return mlpl.tensor(1) end,
  ["Tensor.requires_grad_"] = function() return mlpl.ones(2), true end,
  ["Tensor.to"] = function() return mlpl.ones(2), "f64" end,
  ["Tensor.split"] = function() return mlpl.ones(2, 2), 1, 1 end,
  ["Tensor.dsplit"] = function() return mlpl.ones(2, 2, 2), 2 end,
  dsplit = function() return mlpl.ones(2, 2, 2), 2 end,
  ["Tensor.size"] = function() return mlpl.ones(2, 2), 1 end,
  ["Dataset.split"] = function() return dataset(), 0.5 end,
  ["Generator.set_state"] = function()
    local g = mlpl.Generator(1)
    return g, g:state()
  end,
  ["Module.to"] = function() return nn.Linear(3, 3), "f64" end,
  ["data.csv"] = pack "examples/data/README.md",
  ["data.TensorDataset"] = function() return mlpl.ones(2, 3), labels() end,
  einsum = function() return "ij,kj->ik", mlpl.ones(2, 3), mlpl.ones(2, 3) end,
  full = function() return { 2 }, 7 end,
  ["help.entry"] = pack "zeros",
  ["help.text"] = pack "zeros",
  help = pack "zeros",
  load = pack "no_such_folder/x.npy",
  save = function() return "no_such_folder/x.npz", { x = mlpl.ones(2) } end,
  ["linalg.norm"] = function() return mlpl.ones(2, 2), 2, 1, true end,
  linspace = function() return 0, 1, 5 end,
  logspace = function() return 0, 1, 5, 2 end,
  ["metrics.accuracy"] = function() return mlpl.ones(2, 3), labels() end,
  meshgrid = function() return mlpl.ones(2), mlpl.ones(3) end,
  unravel_index = function() return labels(), { 2, 3 } end,
  normal = function() return 0, 1, 2 end,
  multinomial = function() return mlpl.ones(2, 3), 2, true end,
  ["Tensor.multinomial"] = function() return mlpl.ones(2, 3), 2, true end,
  ["nn.checkpoint"] = function() return nn.Linear(3, 3), mlpl.ones(2, 3) end,
  ["nn.init.uniform_"] = function() return mlpl.ones(2, 2), 0, 1 end,
  ["nn.init.kaiming_normal_"] = function() return mlpl.ones(2, 2), 0, "fan_in", "relu" end,
  ["nn.init.kaiming_uniform_"] = function() return mlpl.ones(2, 2), 0, "fan_in", "relu" end,
  ["Tensor.uniform_"] = function() return mlpl.ones(2, 2), 0, 1 end,
  ["nn.Sequential"] = function() return nn.ReLU(), nn.ReLU() end,
  ["nn.unfold"] = function() return mlpl.ones(2, 3, 3), 2, 1, 0, 1 end,
  ["nn.fold"] = function() return mlpl.ones(8, 4), 3, 2, 1, 0, 1 end,
  ["profiler.report"] = function() return { write = function() end } end,
  progress = function() return { epochs = 2, out = { write = function() end } } end,
  randint = function() return 1, 6, 3 end,
  randint_like = function() return mlpl.ones(2), 1, 6 end,
  set_rng_state = function() return mlpl.get_rng_state() end,
  tensordot = function() return mlpl.ones(2, 2), mlpl.ones(2, 2), 1 end,
  train_step = function()
    local model = nn.Linear(3, 3)
    return model, nn.CrossEntropyLoss(), optim.SGD(model:parameters())
  end,
  hstack = function() return { mlpl.ones(2) } end,
}

local before = {
  ["profiler.report"] = function() mlpl.profiler.start() end,
}

-- ---- types ----------------------------------------------------------------------------

local function whole(v) return type(v) == "number" and math.tointeger(v) ~= nil end

local meta_of = {}
for _, kind in ipairs { "Module", "Optimizer", "Dataset", "Batches", "Step", "Generator",
  "Hook" }
do
  meta_of[kind] = debug.getmetatable(made[kind]())
end

local function callable(v)
  local meta = debug.getmetatable(v)
  return type(v) == "function" or type(meta) == "table" and rawget(meta, "__call") ~= nil
end

-- Has the value that type?
local has_type = {
  any = function() return true end,
  ["nil"] = function(v) return v == nil end,
  boolean = function(v) return type(v) == "boolean" end,
  integer = whole,
  number = function(v) return type(v) == "number" end,
  string = function(v) return type(v) == "string" end,
  table = function(v) return type(v) == "table" end,
  ["function"] = callable,
  Tensor = function(v) return is_tensor(v) and not is_released(v) end,
  ["file*"] = function(v) return io.type(v) == "file" end,
}

local function is_of(name, v)
  if has_type[name] then return has_type[name](v) end
  if meta_of[name] then return debug.getmetatable(v) == meta_of[name] end
  -- "Tensor[]", "integer[][]", "table<string, Tensor>": what is in it, the call may tell
  if name:find "%[%]$" or name:find "^table<" then return type(v) == "table" end
  error("what is a " .. name .. "?")
end

-- { types }, optional
local function types_of(arg)
  local list, text = {}, arg[2]
  local optional = text:sub(-1) == "?"
  if optional then text = text:sub(1, -2) end
  for name in text:gsub("<.->", "<>"):gmatch "[^|]+" do list[#list + 1] = name end
  return list, optional or arg.optional
end

local function may_be(arg, v)
  local list, optional = types_of(arg)
  if v == nil and optional then return true end
  for _, name in ipairs(list) do
    if is_of(name, v) then return true end
  end
  return false
end

-- ---- domains --------------------------------------------------------------------------

-- Which numbers and texts of its type an argument takes, as its help says; `args` are those
-- of the call. An entry's last name and the argument's, which may be an option.

local MOST_AXES = 8

local function at_least(n)
  return function(v) return type(v) ~= "number" or v >= n end       -- NaN is not
end

local function between(low, high)
  return function(v) return type(v) ~= "number" or v >= low and v <= high end
end

local function one_of(...)
  local known = {}
  for _, each in ipairs { ... } do known[each] = true end
  return function(v) return type(v) ~= "string" or known[v] end
end

-- No NaN and no infinity.
local function finite(v) return type(v) ~= "number" or v - v == 0 end

local function axis(v, args)
  local most = is_tensor(args[1]) and not is_released(args[1]) and args[1]:dim() or MOST_AXES
  return not whole(v) or v ~= 0 and v >= -most and v <= most
end

local function new_axis(v, args)
  local most = 1 + (type(args[1]) == "table" and args[1][1] or args[1]):dim()
  return not whole(v) or v ~= 0 and v >= -most and v <= most
end

-- Sizes in a table: as many as there may be axes, none of them negative.
local function sizes(v)
  if type(v) ~= "table" then return not whole(v) or v >= 0 end
  if rawlen(v) > MOST_AXES then return false end
  for i = 1, rawlen(v) do
    if not whole(rawget(v, i)) or rawget(v, i) < 0 then return false end
  end
  return true
end

local share = function(v) return type(v) ~= "number" or v > 0 and v < 1 end
local rate = function(v) return type(v) ~= "number" or v > 0 end
local dtype = one_of("f32", "f64", "i64", "u8", "bool")
local mode = one_of("fan_in", "fan_out")
local shape_of_activation = one_of("linear", "sigmoid", "tanh", "relu", "leaky_relu")

local domain_of = {
  ["split.share"] = share, ["split.size"] = at_least(1), ["split.dim"] = axis,
  ["threads.n"] = between(1, 256), ["memory_limit.bytes"] = at_least(0),
  ["allclose.rtol"] = at_least(0), ["allclose.atol"] = at_least(0),
  ["bernoulli_.p"] = between(0, 1), ["exponential_.lambd"] = rate,
  ["normal_.std"] = at_least(0), ["normal.std"] = at_least(0),
  ["chunk.chunks"] = at_least(1), ["chunk.dim"] = axis,
  ["tensor_split.dim"] = axis, ["tensor_split.sections"] = at_least(1),
  ["hsplit.sections"] = at_least(1), ["vsplit.sections"] = at_least(1),
  ["dsplit.sections"] = at_least(1), ["unbind.dim"] = axis, ["unique.dim"] = axis,
  ["unique_consecutive.dim"] = axis, ["size.dim"] = axis, ["stride.dim"] = axis,
  ["cat.dim"] = axis, ["concat.dim"] = axis, ["concatenate.dim"] = axis,
  ["stack.dim"] = new_axis, ["linalg.norm.dim"] = axis,
  ["multinomial.n"] = at_least(1), ["randperm.n"] = at_least(0),
  ["eye.n"] = at_least(0), ["eye.m"] = at_least(0),
  ["linspace.steps"] = at_least(0), ["logspace.steps"] = at_least(0),
  ["linspace.start"] = finite, ["linspace.stop"] = finite,
  ["arange.first"] = finite, ["arange.last"] = finite, ["arange.step"] = finite,
  ["tril_indices.row"] = at_least(0), ["tril_indices.col"] = at_least(0),
  ["triu_indices.row"] = at_least(0), ["triu_indices.col"] = at_least(0),
  ["to.dtype"] = dtype, ["fold.kernel_size"] = at_least(1), ["fold.stride"] = at_least(1),
  ["fold.dilation"] = at_least(1), ["fold.padding"] = at_least(0),
  ["fold.output_size"] = at_least(1), ["unfold.kernel_size"] = at_least(1),
  ["unfold.stride"] = at_least(1), ["unfold.dilation"] = at_least(1),
  ["unfold.padding"] = at_least(0), ["tensordot.dims"] = at_least(0),
  ["kaiming_normal_.mode"] = mode, ["kaiming_uniform_.mode"] = mode,
  ["kaiming_normal_.nonlinearity"] = shape_of_activation,
  ["kaiming_uniform_.nonlinearity"] = shape_of_activation,
  ["uniform_.from"] = finite, ["uniform_.to"] = finite,
  ["uniform_.a"] = finite, ["uniform_.b"] = finite,
  ["xavier_normal_.gain"] = finite, ["xavier_uniform_.gain"] = finite,
  ["batches.size"] = at_least(1), ["progress.epochs"] = at_least(1),
  ["progress.every"] = at_least(0), ["progress.columns"] = at_least(1),
  ["unravel_index.sizes"] = sizes,
}

-- These stand in many entries and mean the same in all.
local domain_named = { sizes = sizes, dtype = dtype }

local function in_domain(e, name, v, args)
  local domain = domain_of[e.last .. "." .. name] or domain_of[e.name .. "." .. name] or
    domain_named[name]
  if not domain or v == nil then return true end
  return domain(v, args) and true or false
end

-- ---- one call -------------------------------------------------------------------------

local calls, raised, compared, positions, problems

local function mark(where, problem, message)
  problems[#problems + 1] = ("%s: %s: %s"):format(where, problem, tostring(message))
end

-- The function by its name, as scripts call it: it stands in messages of Lua's own.
local function caller(holder, name)
  local code = "local t = ... return function(...) local r = table.pack(t." .. name ..
    "(...)) return table.unpack(r, 1, r.n) end"
  return assert(load(code, "=call"))(holder)
end

local function restore()
  mlpl.memory_limit(LIMIT)
  mlpl.threads(1)
  mlpl.detect_anomaly(false)
  mlpl.set_grad_enabled(true)
  mlpl.profiler.stop()
end

local function names_any(message, names)
  if type(names) == "function" then return names(message) end
  for _, name in ipairs(names) do
    if odd.names(message, name) then return true end
  end
  return odd.names(message, "not enough memory")
end

-- taken: whether the argument may have the value. functions: names one of which an error
-- shows, or who tells; names: likewise, of arguments. wrong(...): what is wrong with results, or nil.
local function check(where, f, args, taken, functions, names, wrong)
  calls = calls + 1
  local results = table.pack(pcall(f, table.unpack(args, 1, args.n)))
  restore()
  if results[1] then
    if not taken then return mark(where, "must raise", "it did not") end
    compared = compared + (wrong and 1 or 0)
    local found = wrong and wrong(table.unpack(results, 2, results.n))
    return found and mark(where, "wrong result", found)
  end
  raised = raised + 1
  local message = results[2]
  if type(message) ~= "string" or message == "" or #message > 1000 then
    return mark(where, "must say what is wrong", message)
  end
  if odd.speaks_of_the_inside(message) then
    mark(where, "speaks of what is inside", message)
  end
  if not names_any(message, functions) then
    mark(where, "must name the function", message)
  end
  if not names_any(message, names) then
    mark(where, "must name " .. table.concat(names, " or "), message)
  end
end

-- ---- entries --------------------------------------------------------------------------

-- Where operations of the table are.
local op_homes = { [""] = true, Tensor = true, nn = true, linalg = true }

-- { name =, f =, args = { { name, type }, ... }, entry = }: those with arguments of their
-- own, the receiver among them.
local function entries()
  local list = {}
  for name, f in pairs(mlpl.help.names()) do
    local entry = mlpl.help.entry(name)
    local home, last = name:match "^(.-)%.?([%w_]+)$"
    local row = op_homes[home] and mlpl._describe_op(last)
    local own = entry and (entry.args and entry.args[1] or not row and not entry.row)
    local function_like = type(f) == "function" or
      type(f) == "table" and debug.getmetatable(f) and debug.getmetatable(f).__call
    local kind = mlpl._describe_kind(last)
    if own and function_like and not (kind and last ~= "Sequential") then
      local args = table.move(entry.args or {}, 1, #(entry.args or {}), 1, {})
      if made[home] and not (args[1] and args[1][2] == home) then
        table.insert(args, 1, { "self", home })
      end
      local holder = mlpl
      for part in home:gmatch "[%w_]+" do
        holder = not made[home] and holder[part] or holder
      end
      list[#list + 1] = { name = name, last = last, args = args, home = home, entry = entry,
        f = caller(made[home] and { [last] = f } or holder, last) }
    end
  end
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

local function arguments(e)
  if in_earnest[e.name] then return table.pack(in_earnest[e.name]()) end
  local args = { n = 0 }
  for i, arg in ipairs(e.args) do
    local list, optional = types_of(arg)
    if optional and i > 1 or arg[1] == "..." then break end
    args.n, args[i] = i, (made[list[1]] or error(list[1]))()
  end
  return args
end

-- A model that runs speaks in its kind's name, or in that of what the layer computes; what is
-- wrong with a command line is said to those who wrote it.
local also_called = {
  ["Module.forward"] = { "Linear", "linear" }, ["Module.predict"] = { "Linear", "linear" },
  ["nn.checkpoint"] = { "Linear", "linear" }, args = { "argument", "option" },
}

local function functions_of(e)
  return { e.last, table.unpack(also_called[e.name] or {}) }
end

-- Other words for an argument, in sentences about a part of it.
local also = {
  sizes = { "size" }, options = { "options", "option", "argument too many" },
  ["..."] = { "argument too many", "tensor", "size", "layer" },
  dim = { "axis" }, inputs = { "input" }, tensors = { "tensor" }, classes = { "class" },
  layers = { "layer" }, labels = { "column" }, target = { "column", "tensors" },
  spec = { "argument", "option", "default" }, passes = { "forward", "backward" },
  what = { "nothing called" },
  grad_outputs = { "gradient" }, a = { "operand 1" }, b = { "operand 2" },
  x = { "the tensor", "tensors", "dtype" },         -- the receiver has no name where it is called
  p = { "dtype" }, weights = { "dtype", "weight" },
  requires_grad = { "gradients" },
  first = { "bounds" }, last = { "bounds" }, row = { "rows" }, col = { "columns" },
  path = { "cannot write" },             -- the path stands behind it
}

-- Its name; its place: "#2", "argument 2".
local function names_of(e, place)
  local arg = e.args[place]
  local names = { arg and arg[1] or "argument too many", "#" .. place,
    "argument " .. place }
  if not arg then return table.move(also["..."], 1, 4, #names + 1, names) end
  if arg and arg[1] == "..." then names[1] = e.args[place - 1][1] end
  if arg and (arg[2]:find "table" or arg[1] == "...") then
    table.move(also.options, 1, 3, #names + 1, names)
  end
  return table.move(also[arg and arg[1]] or {}, 1, 4, #names + 1, names)
end

local function all_names(e)
  local names = {}
  for i = 1, #e.args do
    for _, name in ipairs(names_of(e, i)) do names[#names + 1] = name end
  end
  return names
end

-- What may be left out may be said in a table.
local function takes_options(e, place)
  for i = 2, math.min(place, #e.args) do
    local _, optional = types_of(e.args[i])
    if optional then return true end
  end
  return false
end

-- What an error has to name one of.
local function wanted_names(e, place, v, taken)
  local names = taken and all_names(e) or {}
  table.move(names_of(e, place), 1, 12, #names + 1, names)
  if type(v) == "table" then table.move(also.options, 1, 3, #names + 1, names) end
  return names
end

-- Results as the entry says, as far as it does.
local function results_of(e)
  local returns = e.entry.returns
  if not returns then return nil end
  return function(...)
    local results = table.pack(...)
    for i, r in ipairs(returns) do
      if r[1] == "..." or r[2] == "..." then return nil end
      if not may_be(r, results[i]) then
        return ("result %d is %s, no %s"):format(i, tostring(results[i]), r[2])
      end
    end
    -- a generic for takes four values
    if results.n > #returns and e.last ~= "batches" then return results.n .. " results, not " .. #returns end
  end
end

local function try_entry(e)
  for place = 1, #e.args + 1 do
    positions = positions + 1
    local arg = e.args[place]
    for _, each in ipairs(odd.values) do
      local v = each[2]()
      local args = arguments(e)
      args[place], args.n = v, math.max(args.n, place)
      if before[e.name] then before[e.name]() end
      -- one argument too many is an error in some; a table of options may stand early
      local empty = type(v) == "table" and rawlen(v) == 0
      local taken = not arg or may_be(arg, v) or empty and takes_options(e, place)
      if taken and arg and not in_domain(e, arg[1], v, args) then taken = false end
      if e.last == "release" and is_tensor(v) then taken = true end
      -- what is called, a function or a method of its own, says what it likes
      local called = arg and (arg[1] == "out" and each[1] == "a hostile table" or
        arg[2]:find "function" and type(v) ~= "function" and callable(v))
      if not called then
        check(("%s, argument %d %s"):format(e.name, place, each[1]), e.f, args, taken,
          functions_of(e), wanted_names(e, place, v, taken), results_of(e))
      end
    end
  end
end

-- The options that a function names when it is given one that does not exist, and where
-- the table stands.
local function options_of(e)
  local fresh = arguments(e)
  for last = 1, #e.args + 1 do
    local args = arguments(e)
    args[last], args.n = { no_such_option = 1 }, last
    local _, message = pcall(e.f, table.unpack(args, 1, last))
    restore()
    local text = tostring(message):match "no_such_option'; the options are ([%w_, ]*)"
    local list = {}
    for name in (text or ""):gmatch "[%w_]+" do list[#list + 1] = name end
    if text then return list, last end
  end
  return {}, fresh.n
end

-- What a call in earnest has from there on, by name.
local function by_name(e, list, place)
  local known, named, args = {}, {}, arguments(e)
  for _, option in ipairs(list) do known[option] = true end
  for i = place, math.min(#e.args, args.n) do
    local name = e.args[i][1]
    if known[name] then named[name] = args[i] end
  end
  return named
end

local function try_options(e)
  local list, place = options_of(e)
  for _, option in ipairs(list) do
    positions = positions + 1
    for _, each in ipairs(odd.values) do
      local args = arguments(e)
      args[place], args.n = by_name(e, list, place), place
      args[place][option] = each[2]()
      if before[e.name] then before[e.name]() end
      local names = { option, also[option] and also[option][1] or option }
      local taken = in_domain(e, option, args[place][option], args)
      if taken then table.move(all_names(e), 1, 99, #names + 1, names) end
      check(("%s, %s = %s"):format(e.name, option, each[1]), e.f, args, taken,
        functions_of(e), names, results_of(e))
    end
  end
  return #list
end

-- ---- kinds of layers and optimizers ---------------------------------------------------

local function kinds()
  local list = {}
  for group, t in pairs { nn = nn, optim = optim } do
    for name, f in pairs(t) do
      local kind = type(f) == "function" and mlpl._describe_kind(name)
      if kind and name ~= "Sequential" then
        list[#list + 1] = { name = name, params = kind.params, f = caller(t, name),
          group = group }
      end
    end
  end
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

local some_value = { integer = 2, number = 0.5, boolean = true, axis = 1, extent = 2,
  sizes = { 2 }, axes = 1, index = 1, pair = { 0.1, 0.2 } }

-- Options that have to be given, by name, and how many arguments are in front of them.
local function kind_arguments(k)
  local options = {}
  for _, p in ipairs(k.params) do
    if p.required then
      options[p.name] = p.choices and p.choices[1] or some_value[p.type]
    end
  end
  if k.group == "optim" then return { nn.Linear(3, 3):parameters(), options, n = 2 }, options end
  return { options, n = 1 }, options
end

-- A layer shows its options, an optimizer has them as fields.
local function option_is_wrong(k, p, v)
  return function(made_of_it)
    if v == nil then v = p.standard end
    -- -2^63 stands for no axis: the engine has the next one, which is as far outside
    if v == nil or type(v) == "table" or v == math.mininteger then return nil end
    if type(v) == "number" and p.type == "number" then v = v + 0.0 end
    if k.group == "optim" then
      local found
      if p.type ~= "pair" and p.type ~= "choice" then found = made_of_it[p.name] end
      if found ~= nil and found ~= v then
        return ("%s is %s, not %s"):format(p.name, tostring(found), tostring(v))
      end
      return nil
    end
    local form = type(v) == "string" and '"%s"' or p.type == "number" and "%.14g" or
      type(v) == "number" and "%d" or "%s"
    local shown = form:format(type(v) == "boolean" and tostring(v) or v)
    if not tostring(made_of_it):find(p.name .. "=" .. shown, 1, true) then
      return ("%s should be %s: %s"):format(p.name, shown, tostring(made_of_it))
    end
  end
end

local function try_kind(k)
  local front = k.group == "optim" and 1 or 0
  for i, p in ipairs(k.params) do
    positions = positions + 2
    for _, each in ipairs(odd.values) do
      local v = each[2]()
      local args, options = kind_arguments(k)
      options[p.name] = v
      local taken = domains.option_takes(p, v)
      local names = domains.names_of_option(p)
      local where = ("%s, %s = %s"):format(k.name, p.name, each[1])
      check(where, k.f, args, taken, { k.name }, names, option_is_wrong(k, p, v))
      -- in its place, those in front left out or as they have to be
      local placed, rest = kind_arguments(k)
      local list = { placed[front] , n = front + i + 1 }
      for j = 1, i - 1 do
        list[front + j], rest[k.params[j].name] = rest[k.params[j].name], nil
      end
      rest[p.name] = nil
      list[front + i], list[front + i + 1] = v, rest
      check(where .. " in its place", k.f, list, taken, { k.name }, names,
        option_is_wrong(k, p, v))
      if k.group == "optim" and p.type ~= "pair" and p.type ~= "choice" then
        local o = k.f(table.unpack((kind_arguments(k)), 1, 2))
        local set = function(value) o[p.name] = value end
        check(where .. " as a field", set, { v, n = 1 }, v ~= nil and taken, { k.name },
          names)
      end
    end
  end
  for _, each in ipairs(odd.values) do
    local args, options = kind_arguments(k)
    local key = each[2]()
    if key ~= nil and key == key and key ~= 1 then
      options[key] = 1
      check(("%s, a key %s"):format(k.name, each[1]), k.f, args, false, { k.name },
        { "unknown option", "argument too many", "key" })
    end
    if k.group == "optim" then
      positions = positions + 1
      local parameters = each[2]()
      check(("%s, parameters %s"):format(k.name, each[1]), k.f, { parameters, n = 1 },
        type(parameters) == "table", { k.name }, { "parameter", "parameters", "first argument" })
      check(("%s, parameters with %s"):format(k.name, each[1]), k.f,
        { { mlpl.ones(2):requires_grad_(), parameters }, n = 1 },
        parameters == nil or is_tensor(parameters) and not is_released(parameters),
        { k.name }, { "parameter", "parameters" })
    end
  end
end

-- A layer speaks in its kind's name, or in that of what it computes: max_pool2d for
-- MaxPool2d, cross_entropy for CrossEntropyLoss.
local function speaks_for(message, kind)
  local function letters(name)
    local text = name:lower():gsub("_", ""):gsub("loss$", "")
    return (text:gsub("^bce", "binarycrossentropy"))
  end
  local own = letters(kind)
  for word in message:gmatch "([%a_][%w_]*): " do
    if own:sub(1, #letters(word)) == letters(word) then return true end
  end
  return false
end

-- Tensors that a layer takes by name, and its inputs.
local function try_layer(k)
  local function functions(message) return speaks_for(message, k.name) end
  local layer = k.f(table.unpack((kind_arguments(k)), 1, 1))
  local loss = k.name:find "Loss$"
  local x = mlpl.arange(6):reshape(2, 3)
  local y = k.name == "CrossEntropyLoss" and labels() or x:clone()
  for _, each in ipairs(odd.values) do
    for place = 1, loss and 2 or 1 do
      positions = positions + (each[1] == "nil" and 1 or 0)
      local args = { x, y, n = loss and 2 or 1 }
      args[place] = each[2]()
      local taken = is_tensor(args[place]) and not is_released(args[place])
      local names = place == 1 and { "input" } or { "target" }
      if taken then
        names = { "input", "target", "a", "b", "axis", "weight", "row" }
      end
      check(("%s(%s) at %d"):format(k.name, each[1], place), layer, args, taken, functions,
        names)
    end
    local args = { x, y, 7, each[2](), n = 4 }
    check(k.name .. "(x, y, 7, " .. each[1] .. ")", layer, args, false, functions,
      { "argument too many", "tensors", "inputs", "input" })
  end
  local tensors = {}
  local _, message = pcall(k.f, { no_such_option = 1 })
  for name in (tostring(message):match "the options are (.*)$" or ""):gmatch "[%w_]+" do
    tensors[name] = true
  end
  for _, p in ipairs(k.params) do tensors[p.name] = nil end
  for name in pairs(tensors) do
    positions = positions + 1
    for _, each in ipairs(odd.values) do
      local args, options = kind_arguments(k)
      local v = each[2]()
      options[name] = v
      check(("%s, %s = %s"):format(k.name, name, each[1]), k.f, args,
        v == nil or is_tensor(v) and not is_released(v), { k.name }, { name })
    end
  end
end

-- ---- tests ----------------------------------------------------------------------------

TestMisuseEntries = {}

-- Help and progress write; args may end the process.
function TestMisuseEntries:setUp()
  self.threads, self.stdout, self.exit = mlpl.threads(), io.stdout, os.exit
  self.printing = mlpl.get_printoptions()
  self.stderr = io.stderr
  local sink = io.open("/dev/null", "w")
  io.stdout, io.stderr = sink, sink
  os.exit = function() error "args: the process ends: argument" end
  calls, raised, compared, positions, problems = 0, 0, 0, 0, {}
  mlpl._load_all()
  restore()
end

function TestMisuseEntries:tearDown()
  io.stdout:close()
  io.stdout, io.stderr, os.exit = self.stdout, self.stderr, self.exit
  mlpl.set_printoptions(self.printing)
  mlpl.memory_limit(0)
  mlpl.threads(self.threads)
  self.printing = nil
end

local function report(what, n)
  print(("# %s: %d functions, %d positions, %d calls: %d raised, %d results checked"):format(
    what, n, positions, calls, raised, compared))
  odd.report(problems, calls)
end

function TestMisuseEntries:test_every_argument_of_every_entry()
  local list, options = entries(), 0
  for _, e in ipairs(list) do
    try_entry(e)
    options = options + try_options(e)
  end
  report("every argument of every entry of the help", #list)
  lu.assertTrue(#list > 130 and options > 60 and calls > 10000, #list .. ", " .. options)
end

-- What an entry's text says of a number's range is checked above.
function TestMisuseEntries:test_ranges_in_the_help_are_domains()
  local signs = { "from %-?%d[%d.]* to", "between %-?%d", "%d or more", "at least %d",
    "how many", "^an? axis", "^the axis", "^the image's", "^the patch", "^rows", "^columns" }
  local missing, found = {}, 0
  for _, e in ipairs(entries()) do
    for _, arg in ipairs(e.args) do
      for _, sign in ipairs(arg[2]:find "[in][nu][tm]" and signs or {}) do
        if arg[3] and arg[3]:find(sign) then
          found = found + 1
          local domain = domain_of[e.last .. "." .. arg[1]] or
            domain_of[e.name .. "." .. arg[1]] or domain_named[arg[1]]
          if not domain then missing[#missing + 1] = e.name .. ": " .. arg[1] end
          break
        end
      end
    end
  end
  table.sort(missing)
  lu.assertEquals(table.concat(missing, ", "), "")
  lu.assertTrue(found > 40, found .. " ranges")
end

function TestMisuseEntries:test_every_option_of_every_kind()
  local list = kinds()
  for _, k in ipairs(list) do
    try_kind(k)
    if k.group == "nn" then try_layer(k) end
  end
  report("every option of every kind", #list)
  lu.assertTrue(#list > 12 and calls > 3000, #list .. " kinds, " .. calls .. " calls")
end
