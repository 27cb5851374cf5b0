-- The misuse matrix: every public row of the operation table, every argument of it (inputs
-- and options, in their place and by name, and out), some forty bad values in each. What must
-- happen is not written down here: the row's description says which values an argument
-- takes. A call either raises an error that names the function and the argument, and leaves
-- its operands as they were, or gives what the row says: see plainly.lua.

local lu = require "luaunit"
local mlpl = require "mlpl"
local domains = require "domains"
local odd = require "odd"
local plainly = require "plainly"

local is_tensor, is_released = odd.is_tensor, odd.is_released
local option_takes, names_of_option = domains.option_takes, domains.names_of_option

local LIMIT = 64 << 20

-- "the first input": the value that the call has there already.
local bad = table.move(odd.values, 1, #odd.values, 1, {})
bad[#bad + 1] = { "the first input" }

-- ---- calls in earnest -----------------------------------------------------------------

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
local function in_earnest_of(row)
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

-- ---- what an argument takes -----------------------------------------------------------

local function input_takes(row, input, v)
  if is_released(v) then return false end
  if v == nil then return not input.required end
  if type(v) == "number" then return input.number end
  if not is_tensor(v) then return type(v) == "boolean" and row.broadcasts end
  for _, dtype in ipairs(input.dtypes) do
    if dtype == v.dtype then return true end
  end
  return false
end

-- ---- one call -------------------------------------------------------------------------

local calls, raised, compared, places_tried, failures, problems

-- The names of all arguments.
local function all_names(row)
  local matrices = row.group == "linalg" or row.name:find "^cholesky"
  local names = { row.list and "tensors" or matrices and "the matrix" or nil }
  for _, input in ipairs(row.inputs) do names[#names + 1] = input.name end
  for _, p in ipairs(row.params) do table.move(names_of_option(p), 1, 3, #names + 1, names) end
  return names
end

-- The function by its name, as scripts call it: it stands in messages of Lua's own. Some rows
-- are called by other names, too, which are what a message has to say then.
local function caller(row, suffix, called)
  local name = (called or row.name) .. (suffix or "")
  local holder = suffix and mlpl._methods "Tensor" or row.group and mlpl[row.group] or mlpl
  local code = "local t = ... return function(...) return t." .. name .. "(...) end"
  return { call = assert(load(code))(holder), name = name, row = row, suffix = suffix,
    all_names = all_names(row) }
end

local function mark(f, where, problem, message)
  problems[#problems + 1] = ("%s, %s: %s: %s"):format(f.name, where, problem,
    tostring(message))
end

-- Everything that a call can change: the values of the tensors that it is given.
local function operands_of(args)
  local kept = {}
  local function keep(v)
    if is_tensor(v) and not is_released(v) then
      kept[#kept + 1] = { v, v:detach():clone() }
    elseif type(v) == "table" and not getmetatable(v) then
      for _, each in next, v do
        if each ~= v then keep(each) end
      end
    end
  end
  for i = 1, args.n do keep(args[i]) end
  return kept
end

local function check_operands(f, where, kept, but)
  for _, each in ipairs(kept) do
    if not rawequal(each[1], but) and not plainly.same(each[1], each[2]) then
      mark(f, where, "must leave its operands alone", plainly.shown(each[1]))
    end
  end
end

local function check_text(f, where, message)
  if type(message) ~= "string" or message == "" or #message > 1000 then
    mark(f, where, "must say what is wrong", message)
    return false
  end
  if odd.speaks_of_the_inside(message) then
    mark(f, where, "speaks of what is inside", message)
  end
  if not odd.names(message, f.name) then mark(f, where, "must name the function", message) end
  return true
end

local function names_any(message, names)
  for _, name in ipairs(names) do
    if odd.names(message, name) then return true end
  end
  return odd.names(message, "not enough memory")
end

-- Results, packed: f(...), with the same random numbers whenever the row draws some.
local function apply(f, args)
  calls = calls + 1
  if f.row.random then mlpl.seed(1) end
  return table.pack(pcall(f.call, table.unpack(args, 1, args.n)))
end

local function unpacked(results)
  return table.pack(table.unpack(results, 2, results.n))
end

-- In place: the receiver is what comes back, and holds the result converted to its dtype.
local function receiver_is_wrong(f, before, results, inputs, options)
  if not rawequal(results[1], inputs[1]) then return "it must give its receiver" end
  local now = { before, table.unpack(inputs, 2, #f.row.inputs) }
  for i = 2, #f.row.inputs do
    if rawequal(inputs[i], inputs[1]) then now[i] = before end
  end
  local function plain(...) return (mlpl[f.row.name] or f.call)(...) end
  if f.row.random then mlpl.seed(1) end
  local wanted = plainly.call(f.row, plain, now, options)[1]:to(before.dtype)
  if plainly.same(inputs[1], wanted) then return nil end
  return ("it is %s; plainly said it is %s"):format(plainly.shown(inputs[1]),
    plainly.shown(wanted))
end

-- call: { args =, inputs =, options = }. taken: true or false, or nil: not to be told from
-- the row. names: patterns of which an error shows one.
local function check(f, where, call, taken, names)
  local kept = operands_of(call.args)
  local results = apply(f, call.args)
  if not results[1] then
    raised = raised + 1
    local message = results[2]
    check_operands(f, where, kept)
    if not check_text(f, where, message) then return end
    if taken and (message:find "it must be a whole number" or message:find "must be one of")
    then
      mark(f, where, "must not complain of the type", message)
    end
    if taken then names = f.all_names end            -- it is not alone to blame
    if taken ~= nil and not names_any(message, names) then
      mark(f, where, "must name " .. table.concat(names, " or "), message)
    end
    return
  end
  if taken == false then return mark(f, where, "must raise", "it did not") end
  check_operands(f, where, kept, f.suffix and call.args[1])
  if taken == nil then return end
  compared = compared + 1
  results = unpacked(results)
  local wrong
  if f.suffix then
    wrong = receiver_is_wrong(f, kept[1][2], results, call.inputs, call.options)
  else
    wrong = plainly.wrong(f.row, f.call, results, call.inputs, call.options)
  end
  if wrong then mark(f, where, "wrong result", wrong) end
end

-- ---- a row's arguments ----------------------------------------------------------------

-- The positions of a call in order: { input = i } and { param = i }.
local function positions(row)
  local list, k = {}, row.options_first
  if row.list then
    list[1] = { list = true }
    k = 0
  else
    for i = 1, #row.inputs do
      list[#list + 1] = { input = i }
      if i == 1 then
        for j = 1, k do list[#list + 1] = { param = j } end
      end
    end
  end
  for j = k + 1, #row.params do list[#list + 1] = { param = j } end
  return list
end

-- A call with its arguments up to `last` in their places, and those after that have to be
-- given by name in a table behind, which is there where `table_too` says or they are some.
local function arguments(row, places, last, change, table_too)
  local inputs, options = in_earnest_of(row)
  local call = { args = { n = last }, inputs = inputs, options = options }
  change(call)
  local rest, placed = {}, {}
  for place = 1, last do
    local at = places[place]
    if at.list then call.args[place] = inputs
    elseif at.input then call.args[place] = inputs[at.input]
    else
      local name = row.params[at.param].name
      placed[name] = true
      call.args[place] = options[name]
    end
  end
  for name, value in pairs(options) do
    if not placed[name] then rest[name] = value end
  end
  for name, value in pairs(call.named or {}) do rest[name] = value end
  if table_too or next(rest) ~= nil then
    call.args.n, call.args[last + 1] = last + 1, rest
  end
  return call
end

local function value_of(each, call)
  if each[2] then return each[2]() end
  return call.inputs[1]
end

local function names_of_input(row, input)
  local names = { input.name }
  if row.broadcasts then names[2] = "operands" end   -- both are numbers
  return names
end

-- What is no tensor where an input may be left out is the first option, or all of them by
-- name.
local function takes_as_option(row, call, i, v, names)
  local p = row.params[row.options_first + 1]
  call.inputs[i] = nil
  if type(v) == "table" and next(v) == nil then return true end
  if type(v) == "table" then names[#names + 1] = "option" end
  names[#names + 1] = "argument too many"
  if not p then return false end
  call.options[p.name] = v
  table.move(names_of_option(p), 1, 3, #names + 1, names)
  return option_takes(p, v)
end

local function try_input(f, places, place, required)
  local row = f.row
  local i = places[place].input
  local input = row.inputs[i]
  for _, each in ipairs(bad) do
    local v
    local call = arguments(row, places, math.max(place, required), function(call)
      v = value_of(each, call)
      call.inputs[i] = v
    end)
    local taken, names = input_takes(row, input, v), names_of_input(row, input)
    if f.suffix and i == 1 and not is_tensor(v) then taken = false end
    if not input.required and not is_tensor(v) and v ~= nil then
      taken = takes_as_option(row, call, i, v, names)
    end
    check(f, ("argument %d %s"):format(place, each[1]), call, taken, names)
  end
end

-- With a tensor in the place of their first option they are maximum and minimum.
local of_two = { max = "maximum", min = "minimum" }

local function as_of_two(f, where, call, v)
  local name = of_two[f.row.name]
  local row = mlpl._describe_op(name)
  row.name = name
  local two = { call = f.call, name = f.name, row = row, all_names = all_names(row) }
  call.inputs[2], call.options = v, {}
  check(two, where, call, input_takes(row, row.inputs[2], v), { "b", "dim" })
end

local function try_option(f, places, place, required)
  local row = f.row
  local p = row.params[places[place].param]
  for _, each in ipairs(bad) do
    local v
    local call = arguments(row, places, math.max(place, required), function(call)
      v = value_of(each, call)
      call.options[p.name] = v
    end, true)                                       -- so that {} is the option's value
    local where = ("argument %d %s"):format(place, each[1])
    if of_two[row.name] and p.name == "dim" and (is_tensor(v) or is_released(v)) then
      as_of_two(f, where, call, v)
    else
      check(f, where, call, option_takes(p, v), names_of_option(p))
    end
  end
end

local function try_by_name(f, places, p)
  for _, each in ipairs(bad) do
    local v
    local call = arguments(f.row, places, #places, function(call)
      v = value_of(each, call)
      call.options[p.name] = v
    end, true)
    local taken = option_takes(p, v)
    local list = p.type == "sizes" or p.type == "axis list"
    if list and v == nil and next(call.options) == nil then      -- {} are sizes, too
      call.options[p.name] = {}
      taken = option_takes(p, {})
    end
    check(f, p.name .. " = " .. each[1], call, taken, names_of_option(p))
  end
end

local function try_input_by_name(f, places, i)
  local input = f.row.inputs[i]
  for _, each in ipairs(bad) do
    local v
    local call = arguments(f.row, places, #places, function(call)
      v = value_of(each, call)
      call.named = { [input.name] = v }
      call.inputs[i] = v
    end, true)
    local taken = v == nil or is_tensor(v) and input_takes(f.row, input, v)
    check(f, input.name .. " = " .. each[1], call, taken, { input.name })
  end
end

local function try_list(f, places)
  for _, each in ipairs(bad) do
    local v
    for place = 1, 2 do
      local call = arguments(f.row, places, 1, function(call)
        v = each[2] and each[2]() or not each[2] and call.inputs[1] or nil
        call.inputs[place] = v
      end)
      local taken = is_tensor(v) and not is_released(v)
      if v == nil then taken = place == 2 end        -- a shorter list, or one with a hole
      check(f, ("tensor %d %s"):format(place, each[1]), call, taken, { "tensor " .. place })
    end
    local call = arguments(f.row, places, 1, function() end)
    v = value_of(each, call)
    call.args[1] = v
    -- {} has no tensors
    check(f, "tensors " .. each[1], call, false,
      { "the tensors", "tensor 1", "0 tensors", "among the tensors" })
  end
end

local function try_unknown(f, places)
  for _, each in ipairs(bad) do
    local key
    local call = arguments(f.row, places, #places, function(call)
      key = value_of(each, call)
      if key ~= nil and key == key and type(key) ~= "number" then
        call.named = { [key] = 1 }
      end
    end)
    if call.named then
      check(f, "a key " .. each[1], call, false, { "unknown option", "one argument too many" })
    end
  end
end

-- ---- out ------------------------------------------------------------------------------

-- What `out` may be, made from the call's result, and whether it takes that: true, or words
-- of the error.
local outs = {
  { "like the result", function(y) return mlpl.zeros_like(y) end, true },
  { "of another dtype",
    function(y) return mlpl.zeros_like(y, { dtype = y.dtype == "f64" and "f32" or "f64" }) end,
    { "out" } },
  { "of another shape",
    function(y) return mlpl.zeros(7, y:numel() + 1, { dtype = y.dtype }) end, { "out" } },
  { "a leaf that requires a gradient", function(y)
    local real = y.dtype == "f32" or y.dtype == "f64"
    return mlpl.zeros(y.shape, { dtype = real and y.dtype or "f32", requires_grad = true })
  end, { "out" } },
  { "stretched", function(y)
    return mlpl.zeros(1, { dtype = y.dtype }):expand(2):expand(2, 2)
  end, { "out" } },
}

local function call_with_out(f, places, out, replaced)
  return arguments(f.row, places, #places, function(call)
    if replaced then call.inputs[1] = replaced end
    call.named = { out = out }
  end)
end

-- out is filled with the result that the call gives without.
local function check_filled(f, where, call, out, y)
  local results = apply(f, call.args)
  if not results[1] then return mark(f, where, "must be taken", results[2]) end
  compared = compared + 1
  if not rawequal(results[2], out) then mark(f, where, "must give out itself", results[2]) end
  if not plainly.same(out, y) then
    mark(f, where, "wrong result", plainly.shown(out) .. ", not " .. plainly.shown(y))
  end
end

-- x with its elements in a larger tensor, and out a part of that, `shift` elements on.
local function overlapping(x, y, shift)
  local memory = mlpl.zeros(x:numel() + y:numel() + shift, { dtype = x.dtype })
  local part = memory:narrow(1, 1, x:numel()):view(x.shape)
  part:copy_(x)
  return part, memory:narrow(1, 1 + shift, y:numel()):view(y.shape)
end

-- What an input may hold instead, so that a call may fail at its values.
local spoilers = {
  { "with a last element of 1000", function(x)
    x:view(-1):narrow(1, x:numel(), 1):fill_(x.dtype == "u8" and 100 or 1000)
  end },
  { "with a last element of -1000", function(x)
    if x.dtype ~= "u8" then x:view(-1):narrow(1, x:numel(), 1):fill_(-1000) end
  end },
  { "of zeros", function(x) x:fill_(0) end },
  { "of NaN", function(x)
    if x.dtype == "f32" or x.dtype == "f64" then x:fill_(0 / 0) end
  end },
}

-- A call that fails leaves out as it was.
local function try_out_of_failures(f, places, y)
  for i = 1, #f.row.inputs do
    for _, each in ipairs(spoilers) do
      local out, spoiled = mlpl.zeros_like(y):fill_(y.dtype == "bool" or 77), false
      local call = arguments(f.row, places, #places, function(call)
        call.named = { out = out }
        local x = call.inputs[i]
        if not is_tensor(x) or x.dtype == "bool" or x:numel() == 0 then return end
        call.inputs[i], spoiled = x:contiguous():clone(), true
        each[2](call.inputs[i])
      end)
      local before = out:clone()
      if spoiled and not apply(f, call.args)[1] then
        failures = failures + 1
        if not plainly.same(out, before) then
          mark(f, ("out, %s %s"):format(f.row.inputs[i].name, each[1]),
            "a failing call must leave out as it was", plainly.shown(out))
        end
      end
    end
  end
end

local function try_out(f, places)
  local row = f.row
  local plain = arguments(row, places, #places, function() end)
  local results = apply(f, plain.args)
  local y, x = results[2], plain.inputs[1]
  if row.outputs > 1 or row.list then
    local call = call_with_out(f, places, mlpl.zeros_like(y))
    return check(f, "out where there are several results or inputs", call, false, { "out" })
  end
  for _, each in ipairs(outs) do
    local out = each[2](y)
    if each[3] == true then
      check_filled(f, "out " .. each[1], call_with_out(f, places, out), out, y)
    else
      check(f, "out " .. each[1], call_with_out(f, places, out), false, each[3])
    end
  end
  try_out_of_failures(f, places, y)
  if is_tensor(x) and x.dtype == y.dtype then
    for shift = 0, 2 do
      local part, out = overlapping(x, y, shift)
      check_filled(f, ("out %d elements on in an input's memory"):format(shift),
        call_with_out(f, places, out, part), out, y)
    end
  end
  if is_tensor(x) and y.dtype == x.dtype and y:dim() == x:dim() and
    table.concat(x.shape, "x") == table.concat(y.shape, "x") then
    local own = x:clone()
    check_filled(f, "out the first input", call_with_out(f, places, own, own), own, y)
  end
  for _, each in ipairs(bad) do
    local out = each[2] and each[2]()
    local fits = is_tensor(out) and not is_released(out) and out.dtype == y.dtype and
      table.concat(out.shape, "x") == table.concat(y.shape, "x")
    if out ~= nil and not fits then
      check(f, "out " .. each[1], call_with_out(f, places, out), false, { "out" })
    end
  end
end

-- ---- receivers ------------------------------------------------------------------------

-- In place: what changes may not be anything.
local function try_receivers(f, places)
  local row = f.row
  local _, x
  local function with(make, names, where)
    local call = arguments(row, places, #places, function(call)
      call.inputs[1] = make(call.inputs[1])
      x = call.inputs[1]
    end)
    check(f, "a receiver that is " .. where, call, names == nil, names or {})
  end
  local receiver = row.inputs[1].name
  with(function(t) return t:narrow(1, 1, 1):expand(t.shape) end, { receiver }, "stretched")
  if f.row.promotes and in_earnest_of(row)[1].dtype == "f32" then
    with(function(t) return t:clone():requires_grad_() end, { receiver }, "a leaf")
    with(function(t) return (t:clone():requires_grad_() * 1)[1] end, { receiver },
      "a view with a history")
  end
  with(function(t) return mlpl.cat({ t, t }, 1):narrow(1, 2, #t) end, nil, "a view")
  with(function(t) return t:transpose(1, -1):contiguous():transpose(1, -1) end, nil, "turned")
  if not row.broadcasts then return end
  for shift = -2, 2 do
    local call = arguments(row, places, #places, function(call)
      local a, b = overlapping(call.inputs[1], call.inputs[1], math.abs(shift))
      if shift ~= 0 then b:copy_(call.inputs[1]) end
      if shift < 0 then a, b = b, a end
      call.inputs[1], call.inputs[2] = a, b
    end)
    local before, other = call.inputs[1]:clone(), call.inputs[2]:clone()
    local wanted = mlpl[row.name](before, other):to(before.dtype)
    local results = apply(f, call.args)
    if not results[1] or not plainly.same(results[2], wanted) then
      mark(f, ("beside what lies %d elements on"):format(shift), "wrong result",
        plainly.shown(results[2]))
    end
  end
  local call = arguments(row, places, #places, function(call)
    call.inputs[2] = call.inputs[1]:clone()
    call.inputs[1] = call.inputs[1][1]
  end)
  check(f, "a receiver that is too small", call, false, { receiver })
end

-- ---- the matrix -----------------------------------------------------------------------

local function rows()
  local list = {}
  for _, name in ipairs(mlpl._describe_op()) do
    local row = mlpl._describe_op(name)
    row.name = name
    list[#list + 1] = row
  end
  return list
end

-- Where the inputs that have to be given end, in a call with only those.
local function inputs_end(row, places)
  local last = 0
  for place, at in ipairs(places) do
    if at.list or at.input and row.inputs[at.input].required then last = place end
  end
  return last
end

-- Rows with options in front, called with those by name: inputs only.
local function inputs_only(row, places)
  local list = {}
  for _, at in ipairs(places) do
    if at.list or at.input and row.inputs[at.input].required then list[#list + 1] = at end
  end
  return list
end

local function try_row(f)
  local row = f.row
  local places = positions(row)
  local plain = inputs_only(row, places)
  local required = inputs_end(row, places)
  local results = apply(f, arguments(row, plain, #plain, function() end).args)
  if not results[1] then return mark(f, "in earnest", "must work", results[2]) end
  places_tried = places_tried + #places + #row.params + 1
  for place, at in ipairs(places) do
    if at.list then try_list(f, places)
    elseif at.input then try_input(f, places, place, required)
    else try_option(f, places, place, required) end
  end
  for _, p in ipairs(row.params) do try_by_name(f, plain, p) end
  for i, input in ipairs(row.inputs) do
    if not input.required then try_input_by_name(f, plain, i) end
  end
  try_unknown(f, plain)
  if f.suffix then try_receivers(f, plain) else try_out(f, plain) end
end

TestMisuseMatrix = {}

function TestMisuseMatrix:setUp()
  self.threads = mlpl.threads()
  calls, raised, compared, places_tried, failures, problems = 0, 0, 0, 0, 0, {}
  mlpl.memory_limit(LIMIT)
  mlpl.threads(1)
end

function TestMisuseMatrix:tearDown()
  mlpl.memory_limit(0)
  mlpl.threads(self.threads)
end

local function report(what, n, of)
  print(("# %s: %d %s, %d positions, %d calls: %d raised, %d results compared"):format(
    what, n, of or "rows", places_tried, calls, raised, compared))
  odd.report(problems, calls)
end

function TestMisuseMatrix:test_every_argument_of_every_row()
  local list = rows()
  for _, row in ipairs(list) do try_row(caller(row)) end
  report("every argument of every row", #list)
  lu.assertTrue(#list > 200, "only " .. #list .. " rows")
  lu.assertTrue(calls > 40000 and raised > 30000 and compared > 4000)
  lu.assertTrue(failures > 10, "only " .. failures .. " calls with out failed")
end

function TestMisuseMatrix:test_every_argument_of_every_row_in_place()
  local n = 0
  for _, row in ipairs(rows()) do
    if row.in_place and not row.list and mlpl._methods "Tensor"[row.name .. "_"] then
      n = n + 1
      try_row(caller(row, "_"))
    end
  end
  report("in place", n)
  lu.assertTrue(n > 60 and calls > 8000 and compared > 800)
end

-- { name as called, row } of rows that are called by another name, too.
local function other_names()
  local list = { { "solve_triangular", "triangular_solve" } }
  for name, f in pairs(mlpl) do
    local row = type(f) == "function" and mlpl._describe_op(name)
    if row and row.name ~= name then list[#list + 1] = { name, row.name } end
  end
  table.sort(list, function(a, b) return a[1] < b[1] end)
  for _, each in ipairs(list) do
    local name = each[2]
    each[2] = mlpl._describe_op(name)
    each[2].name = name
  end
  return list
end

function TestMisuseMatrix:test_every_argument_of_every_other_name()
  local list, methods = other_names(), mlpl._methods "Tensor"
  for _, each in ipairs(list) do
    local name, row = each[1], each[2]
    try_row(caller(row, nil, name))
    -- one function serves as both
    if not row.list and not row.group then lu.assertIs(methods[name], mlpl[name]) end
  end
  report("every argument by other names", #list, "names")
  lu.assertTrue(#list >= 30 and calls > 5000 and raised > 4000 and compared > 400)
end

function TestMisuseMatrix:test_every_argument_of_every_other_name_in_place()
  local n = 0
  for _, each in ipairs(other_names()) do
    local name, row = each[1], each[2]
    if row.in_place and mlpl._methods "Tensor"[name .. "_"] then
      n = n + 1
      try_row(caller(row, "_", name))
    end
  end
  report("by other names, in place", n, "names")
  lu.assertTrue(n >= 15 and calls > 2000 and compared > 200)
end

local operators = {
  ["a + b"] = "add", ["a - b"] = "sub", ["a * b"] = "mul", ["a / b"] = "div", ["a ^ b"] = "pow",
  ["a % b"] = "remainder", ["a // b"] = "floor_divide", ["a & b"] = "bitwise_and",
  ["a | b"] = "bitwise_or", ["a ~ b"] = "bitwise_xor", ["a << b"] = "bitwise_left_shift",
  ["a >> b"] = "bitwise_right_shift", ["-a"] = "neg", ["~a"] = "bitwise_not",
}

-- Operators have no options, and Lua looks for one of ours only where an operand is a tensor.
local function operator(expression, name)
  local row = mlpl._describe_op(name)
  row.name, row.params = name, {}
  local call = assert(load("local a, b = ... return " .. expression))
  return { call = call, name = name, row = row, all_names = all_names(row) }
end

local function try_unary(f, places, each)
  local v
  local call = arguments(f.row, places, 1, function(call)
    v = value_of(each, call)
    call.inputs[1] = v
  end)
  local input = f.row.inputs[1]
  check(f, "operand " .. each[1], call, input_takes(f.row, input, v), names_of_input(f.row, input))
end

function TestMisuseMatrix:test_every_operand_of_every_operator()
  local n = 0
  for expression, name in pairs(operators) do
    local f = operator(expression, name)
    local places = positions(f.row)
    n, places_tried = n + 1, places_tried + #places
    if #places == 2 then
      for place = 1, 2 do try_input(f, places, place, 2) end
    else
      for _, each in ipairs(bad) do            -- others are none of ours to answer
        if is_tensor(value_of(each, { inputs = {} })) then try_unary(f, places, each) end
      end
    end
  end
  report("every operand of every operator", n, "operators")
  lu.assertTrue(n == 14 and calls > 700 and raised > 400 and compared > 80)
end
