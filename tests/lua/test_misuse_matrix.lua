-- The misuse matrix: every public row of the operation table, every argument of it (inputs
-- and options, in their place and by name), two dozen bad values in each. What must happen
-- is not written down here: the row's description says which values an argument takes, and
-- each call either works, or raises an error that names the function, and the argument
-- where that is what is wrong.

local lu = require "luaunit"
local mlpl = require "mlpl"

local LIMIT = 64 << 20
local MOST_AXES = 8

-- ---- bad values -----------------------------------------------------------------------

local released = mlpl.zeros(2)
released:release()

local SELF = {}                                      -- stands for the first input

local bad = {
  { "nil", nil },
  { "true", true },
  { "'text'", "text" },
  { "''", "" },
  { "{}", {} },
  { "{ 1, 'x' }", { 1, "x" } },
  { "{ 1, 2, ... 9 }", { 1, 2, 3, 4, 5, 6, 7, 8, 9 } },
  { "a function", function() return 1 end },
  { "a coroutine", coroutine.create(print) },
  { "NaN", 0 / 0 },
  { "infinity", math.huge },
  { "-infinity", -math.huge },
  { "2^63 - 1", math.maxinteger },
  { "-2^63", math.mininteger },
  { "1e300", 1e300 },
  { "0.5", 0.5 },
  { "-1", -1 },
  { "0", 0 },
  { "2^40", 1 << 40 },
  { "an empty tensor", mlpl.zeros(0) },
  { "a bool tensor", mlpl.tensor { true, false } },
  { "an i64 tensor", mlpl.tensor({ 1, 2 }, { dtype = "i64" }) },
  { "a u8 tensor", mlpl.tensor({ 1, 2 }, { dtype = "u8" }) },
  { "an f64 tensor", mlpl.zeros(2, 3, { dtype = "f64" }) },
  { "a released tensor", released },
  { "a file", io.stdout },
  { "the first input", SELF },
  { "a tensor with 8 axes", mlpl.zeros(1, 1, 1, 1, 1, 1, 1, 1) },
  { "a module", mlpl.nn.ReLU() },
}

local tensor_meta = debug.getmetatable(released)
local function is_tensor(v) return debug.getmetatable(v) == tensor_meta end

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
  addbmm = "{ x3[1], x3, x3 }", addmm = "{ a, a, a }", addmv = "{ x[1], a, a }",
  baddbmm = "{ x3, x3, x3 }", bmm = "{ x3, x3 }", mm = "{ x, w:t() }",
  mv = "{ x, w[1] }", dot = "{ x1, x1 }", outer = "{ x1, x1 }", inner = "{ x, w }",
  matmul = "{ x, w:t() }", linear = "{ x, w }", vdot = "{ x1, x1 }",
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
  inv = "{ a }", det = "{ a }", slogdet = "{ a }", logdet = "{ a }", eigh = "{ a }",
  eigvalsh = "{ a }", cond = "{ a }", matrix_power = "{ a }, { n = 2 }",
  lstsq = "{ a, a }", solve_triangular = "{ a, a }", trace = "{ a }",
  quantile = "{ x }, { q = 0.5 }", topk = "{ x }, { k = 1 }",
  kthvalue = "{ x }, { k = 1 }", cdist = "{ x, w }",
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

-- ---- what must happen -----------------------------------------------------------------

local function whole(v) return math.type(v) ~= nil and math.tointeger(v) end

local function array_of_wholes(v)
  if type(v) ~= "table" or is_tensor(v) or #v > MOST_AXES then return false end
  for _, each in ipairs(v) do
    if not whole(each) then return false end
  end
  return true
end

local function within(p, v)
  return v >= (p.min or -math.huge) and v <= (p.max or math.huge)
end

-- Does the option take a value like that? What it says of it afterwards (an axis that the
-- tensor does not have, sizes that do not fit) depends on the inputs.
local takes = {
  integer = function(p, v) return whole(v) and within(p, whole(v)) end,
  number = function(p, v) return type(v) == "number" and v == v and within(p, v) end,
  boolean = function(_, v) return type(v) == "boolean" end,
  axis = function(_, v) return whole(v) and whole(v) ~= 0 end,
  index = function(_, v) return whole(v) and whole(v) ~= 0 end,
  axes = function(p, v)
    return whole(v) and whole(v) ~= 0 or array_of_wholes(v)
  end,
  ["axis list"] = function(_, v) return whole(v) and whole(v) ~= 0 or array_of_wholes(v) end,
  sizes = function(_, v) return whole(v) or array_of_wholes(v) end,
  pair = function(p, v)
    return type(v) == "table" and #v == 2 and type(v[2]) == "number" and
      within(p, v[1]) and within(p, v[2])
  end,
  extent = function(p, v)
    for _, choice in ipairs(p.choices or {}) do
      if v == choice then return true end
    end
    return whole(v) and within(p, whole(v)) or array_of_wholes(v) and #v > 0
  end,
  choice = function(p, v)
    local text = v
    if type(v) == "number" then
      text = whole(v) and ("%d"):format(whole(v)) or
        v == math.huge and "inf" or v == -math.huge and "-inf"
    end
    for _, choice in ipairs(p.choices) do
      if text == choice then return true end
    end
  end,
}

local function option_takes(p, v)
  if v == nil then return not p.required end
  return (takes[p.type] or error(p.type))(p, v)
end

local function input_takes(input, v)
  if v == released then return false end
  if v == nil then return not input.required end
  if type(v) == "number" then return input.number end
  if not is_tensor(v) then return type(v) == "boolean" and input.number and "perhaps" end
  for _, dtype in ipairs(input.dtypes) do
    if dtype == v.dtype then return true end
  end
  return false
end

-- ---- one call -------------------------------------------------------------------------

local function shown(v)
  if is_tensor(v) then return v == released and "released" or "tensor" end
  if type(v) ~= "table" then return tostring(v) end
  local list = {}
  for k, each in pairs(v) do list[#list + 1] = tostring(k) .. "=" .. shown(each) end
  return "{" .. table.concat(list, ", ") .. "}"
end

-- These are made of other rows, which say what is wrong.
local made_of = {
  view_as = { "view" }, reshape_as = { "reshape" }, expand_as = { "expand" },
  hstack = { "cat" }, vstack = { "cat" }, swapaxes = { "transpose" },
  take = { "index" }, tile = { "repeat" },
}

local calls, raised, problems

-- The function by its name, as scripts call it: it stands in messages of Lua's own.
local function caller(row, suffix)
  local name = row.name .. (suffix or "")
  local holder = suffix and mlpl._methods "Tensor" or row.group and mlpl[row.group] or mlpl
  local code = "local t = ... return function(...) local r = t." .. name .. "(...) return r end"
  return assert(load(code))(holder)
end

local function mark(problem, row, args, message)
  local list = {}
  for i = 1, args.n do list[i] = shown(args[i]) end
  problems[#problems + 1] = ("%s(%s): %s: %s"):format(
    row.name, table.concat(list, ", "), problem, tostring(message))
end

local internal = { "%.[ch]:%d", "attempt to", "0x%x%x%x%x", "%%[sdIp]", "assert", "internal" }

-- taken: true, false, or "perhaps". names: patterns of which an error shows one.
local function check(row, f, args, taken, names)
  calls = calls + 1
  local ok, message = pcall(f, table.unpack(args, 1, args.n))
  if ok then
    if taken == false then mark("must raise", row, args, "it did not") end
    return
  end
  raised = raised + 1
  if type(message) ~= "string" or message == "" then
    return mark("must say what is wrong", row, args, message)
  end
  for _, sign in ipairs(internal) do
    if message:find(sign) then mark("speaks of what is inside", row, args, message) end
  end
  local function has(text) return message:find(text, 1, true) end
  local function names_made_of()
    for _, name in ipairs(made_of[row.name] or {}) do
      if has(name .. ":") then return true end
    end
  end
  if not has(row.name) and not has "not enough memory" and not names_made_of() then
    mark("must name the function", row, args, message)
  end
  if taken == "perhaps" then return end
  if taken then
    if has "it must be a whole number" or has "it must be one of" then
      mark("must not complain of the type", row, args, message)
    end
    return
  end
  for _, name in ipairs(names) do
    if has(name) then return end
  end
  mark("must name " .. table.concat(names, " or "), row, args, message)
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

local function arguments(row, places, last)
  local inputs, options = in_earnest_of(row)
  local args = { n = last }
  for place = 1, last do
    local at = places[place]
    if at.list then args[place] = inputs
    elseif at.input then args[place] = inputs[at.input]
    else args[place] = options[row.params[at.param].name] end
  end
  return args, options
end

-- The options that have to be given and do not stand among the first `last`.
local function missing(row, places, last, options)
  local given, rest, some = {}, {}, false
  for place = 1, last do
    if places[place].param then given[row.params[places[place].param].name] = true end
  end
  for name, value in pairs(options) do
    if not given[name] then rest[name], some = value, true end
  end
  return rest, some
end

local function value_of(each, args)
  local v = each[2]
  if rawequal(v, SELF) then return args[1] end
  return v
end

-- An input's complaint is of Lua's form or the engine's.
local function names_of_input(input, place)
  return { ("#%d"):format(place), ("#%d"):format(place - 1), "self", input.name .. " ",
    "operands" }
end

local function names_of_option(p, place)
  local names = { p.name == "sizes" and "size" or p.name }
  if p.type:find "axis" or p.type == "axes" then names[2] = "axis" end
  if place then names[#names + 1] = ("#%d"):format(place) end
  return names
end

local function try_input(row, f, places, place, required)
  local input = row.inputs[places[place].input]
  for _, each in ipairs(bad) do
    local last = math.max(place, required)
    local args, options = arguments(row, places, last)
    args[place] = value_of(each, args)
    local rest, some = missing(row, places, last, options)
    if some then args.n, args[last + 1] = last + 1, rest end
    local taken = input_takes(input, args[place])
    if not input.required and not is_tensor(args[place]) then
      taken = "perhaps"                              -- it is the first option, then
    end
    check(row, f, args, taken, names_of_input(input, place))
  end
end

local function try_option(row, f, places, place, required)
  local p = row.params[places[place].param]
  for _, each in ipairs(bad) do
    local last = math.max(place, required)
    local args, options = arguments(row, places, last)
    local v = value_of(each, args)
    args[place] = v
    args.n = last + 1                                -- so that {} is the option's value
    local rest = missing(row, places, last, options)
    args[last + 1] = rest
    local in_front = place <= row.options_first + 1 and place or nil
    check(row, f, args, option_takes(p, v) and true or false, names_of_option(p, in_front))
  end
end

local function try_by_name(row, f, places, p, n_inputs)
  for _, each in ipairs(bad) do
    local args, options = arguments(row, places, n_inputs)
    local v = value_of(each, args)
    options[p.name] = v
    args.n, args[n_inputs + 1] = n_inputs + 1, options
    local taken = option_takes(p, v) and true or false
    local list = p.type == "sizes" or p.type == "axis list"
    if list and next(options) == nil then taken = "perhaps" end    -- {} are sizes, too
    check(row, f, args, taken, names_of_option(p))
  end
end

local function try_input_by_name(row, f, places, input, n_inputs)
  for _, each in ipairs(bad) do
    local args, options = arguments(row, places, n_inputs)
    local v = value_of(each, args)
    options[input.name] = v
    args.n, args[n_inputs + 1] = n_inputs + 1, options
    local taken = v == nil or is_tensor(v) and input_takes(input, v)
    check(row, f, args, taken, { input.name })
  end
end

local function try_list(row, f, places)
  for _, each in ipairs(bad) do
    for place = 1, 2 do
      local args = arguments(row, places, 1)
      local v = rawequal(each[2], SELF) and args[1][1] or each[2]
      args[1][place] = v
      local taken = is_tensor(v) and v ~= released or v == nil and "perhaps"
      check(row, f, args, taken, { "tensor " .. place })
    end
    local args = arguments(row, places, 1)
    args[1] = value_of(each, args)
    check(row, f, args, type(args[1]) == "table", { "the tensors", "tensor 1", "0 tensors" })
  end
end

local function try_unknown(row, f, places, n_inputs)
  for _, each in ipairs(bad) do
    local args, options = arguments(row, places, n_inputs)
    local key = value_of(each, args)
    if key ~= nil and key == key and type(key) ~= "number" then
      options[key] = 1
      args.n, args[n_inputs + 1] = n_inputs + 1, options
      check(row, f, args, false, { "unknown option" , "one argument too many" })
    end
  end
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

local function try_row(row, f)
  local places = positions(row)
  local plain = inputs_only(row, places)
  local required = inputs_end(row, places)
  local args, options = arguments(row, plain, #plain)
  args.n, args[#plain + 1] = #plain + 1, options
  local ok, message = pcall(f, table.unpack(args, 1, args.n))
  if not ok then mark("works in earnest", row, args, message) end
  for place, at in ipairs(places) do
    if at.list then try_list(row, f, places)
    elseif at.input then try_input(row, f, places, place, required)
    else try_option(row, f, places, place, required) end
  end
  for _, p in ipairs(row.params) do try_by_name(row, f, plain, p, #plain) end
  for _, input in ipairs(row.inputs) do
    if not input.required then try_input_by_name(row, f, plain, input, #plain) end
  end
  try_unknown(row, f, plain, #plain)
end

TestMisuseMatrix = {}

function TestMisuseMatrix:setUp()
  self.threads = mlpl.threads()
  calls, raised, problems = 0, 0, {}
  mlpl.memory_limit(LIMIT)
  mlpl.threads(1)
end

function TestMisuseMatrix:tearDown()
  mlpl.memory_limit(0)
  mlpl.threads(self.threads)
end

local function no_problems()
  if #problems > 0 then
    local some = table.concat(problems, "\n", 1, math.min(#problems, 10))
    lu.fail(#problems .. " calls of " .. calls .. ":\n" .. some)
  end
end

function TestMisuseMatrix:test_every_argument_of_every_row()
  local list = rows()
  for _, row in ipairs(list) do try_row(row, caller(row)) end
  no_problems()
  lu.assertTrue(#list > 200, "only " .. #list .. " rows")
  lu.assertTrue(calls > 25000 and raised > 20000, calls .. " calls, " .. raised .. " raised")
end

function TestMisuseMatrix:test_every_argument_of_every_row_in_place()
  local n = 0
  for _, row in ipairs(rows()) do
    if row.in_place and not row.list and mlpl._methods "Tensor"[row.name .. "_"] then
      n = n + 1
      try_row(row, caller(row, "_"))
    end
  end
  no_problems()
  lu.assertTrue(n > 60 and calls > 4000, n .. " rows, " .. calls .. " calls")
end
