-- Every public name that is no operation of the engine's table has an entry in the help, with
-- a text and an example; every entry is for something that exists.

local lu = require "luaunit"
local mlpl = require "mlpl"

TestHelpNames = {}

-- The entries of the files themselves: what help.entry finds for a name may be that of the
-- operation it belongs to.
local function entry_of(name)
  local entry = mlpl.help.entry(name)
  return entry and entry.name == name and entry or nil
end

-- Parts that are written in Lua appear with their first use, or when names are asked for.
local function all_names()
  local names = mlpl.help.names()
  lu.assertNotNil(names["autograd.vjp"])
  lu.assertNotNil(names["profiler.report"])
  lu.assertNotNil(names["Hook.remove"])
  return names
end

local function is_operation(name)
  local row = mlpl._describe_op(name)
  return row ~= nil and not row.internal
end

-- A function for an operation of the table, or its form in place. Operations of a group are
-- functions of its part alone, others are tensors' methods and functions of mlpl and nn.
local function is_row(name)
  local path, last = name:match "^(.-)%.?([%w_]+)$"
  if path == "linalg" then return is_operation(last) and rawget(mlpl, last) == nil end
  if path ~= "" and path ~= "Tensor" and path ~= "nn" then return false end
  return is_operation(last) or path == "Tensor" and is_operation(last:match "^(.-)_?$")
end

local function own_names()
  local own = {}
  for name in pairs(all_names()) do
    if not is_row(name) then own[#own + 1] = name end
  end
  table.sort(own)
  return own
end

local function list_of(names, wanted)
  local list = {}
  for _, name in ipairs(names) do
    if wanted(name) then list[#list + 1] = name end
  end
  return table.concat(list, " ")
end

-- A sentence or more.
local function is_text(text)
  return type(text) == "string" and text:find "^%S.*[.:]$" ~= nil
end

function TestHelpNames:testThereAreManyNames()
  lu.assertTrue(#own_names() > 150)
end

function TestHelpNames:testWhatIsARow()
  for _, name in ipairs { "add", "Tensor.add", "Tensor.add_", "nn.relu", "linalg.svd", "cat" } do
    lu.assertTrue(is_row(name), name)
  end
  for _, name in ipairs { "zeros", "Tensor.copy_", "nn.ReLU", "linalg.norm", "Optimizer.step",
      "Module.to", "nn.init.normal_" } do
    lu.assertFalse(is_row(name), name)
  end
end

function TestHelpNames:testEveryNameHasAnEntry()
  lu.assertEquals(list_of(own_names(), function(name) return not entry_of(name) end), "")
end

function TestHelpNames:testEveryEntryHasATextAndAnExample()
  local names = own_names()
  lu.assertEquals(list_of(names, function(name)
    local entry = entry_of(name)
    return entry ~= nil and not is_text(entry[1])
  end), "")
  lu.assertEquals(list_of(names, function(name)
    local entry = entry_of(name)
    return entry ~= nil and (type(entry.example) ~= "string" or load(entry.example) == nil)
  end), "")
end

-- What a value's type is called has an entry, too, which says what its fields are.
function TestHelpNames:testTypesHaveEntries()
  for _, kind in ipairs { "Tensor", "Module", "Optimizer", "Dataset", "Batches", "Step",
      "Generator", "Hook" } do
    lu.assertNotNil(mlpl._methods(kind), kind)
    local entry = entry_of(kind)
    lu.assertNotNil(entry, kind)
    lu.assertTrue(is_text(entry[1]), kind)
    for _, field in ipairs(entry.fields or {}) do
      lu.assertEquals(#field, 3, kind)
      lu.assertEquals(type(field[3]), "string", kind)
    end
  end
end

-- Fields that the entries of types tell of can be read.
function TestHelpNames:testFieldsExist()
  local linear = mlpl.nn.Linear(1, 1)
  local values = {
    Tensor = { mlpl.zeros(1, 1) }, Module = { linear },
    Dataset = { mlpl.data.TensorDataset(mlpl.zeros(1)) },
    Optimizer = { mlpl.optim.SGD(linear:parameters()), mlpl.optim.Adam(linear:parameters()) },
  }
  local function has(value, name)
    return (pcall(function() return value[name] end))
  end
  for kind, list in pairs(values) do
    for _, field in ipairs(entry_of(kind).fields) do
      local found = false
      for _, value in ipairs(list) do found = found or has(value, field[1]) end
      lu.assertTrue(found, kind .. "." .. field[1])
    end
  end
end

-- The names of all entries, from the files that the help is made of.
local function entry_names()
  local file <close> = assert(io.open "scripts/mlpl/help.lua")
  local parts = assert(file:read("a"):match "\nlocal parts = (%b{})")
  local names = {}
  for part in parts:gmatch '"([%w_]+)"' do
    for name in pairs(dofile("scripts/mlpl/help/" .. part .. ".lua")) do
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return names
end

local function exists(name, names)
  if names[name] ~= nil or mlpl._methods(name) then return true end
  if is_operation(name:match "[%w_]+$") and is_row(name) then return true end
  return rawget(mlpl, name) ~= nil
end

function TestHelpNames:testEveryEntryIsOfSomething()
  local names, entries = all_names(), entry_names()
  lu.assertTrue(#entries > 150)
  lu.assertEquals(list_of(entries, function(name) return not exists(name, names) end), "")
  lu.assertFalse(exists("nn.Liner", names))
  lu.assertFalse(exists("Tensor.summ", names))
end

-- Arguments, results and fields are lists of a name, a type and, mostly, a text.
local known_types = { any = true, integer = true, number = true, boolean = true, string = true,
  table = true, ["function"] = true, ["nil"] = true, file = true, Tensor = true, Module = true,
  Optimizer = true, Dataset = true, Batches = true, Step = true, Generator = true, Hook = true }

local function check_type(name, text)
  lu.assertEquals(type(text), "string", name)
  for word in text:gmatch "[%w_]+" do
    if not known_types[word] then lu.fail(("%s: there is no type %s"):format(name, word)) end
  end
end

local function check_list(name, list)
  for i, each in ipairs(list or {}) do
    lu.assertEquals(type(each[1]), "string", name)
    check_type(name, each[2])
    lu.assertTrue(each[3] == nil or type(each[3]) == "string", name)
    lu.assertTrue(each[1] ~= "..." or i == #list, name .. ": ... is the last")
  end
end

local parts = { [1] = true, name = true, call = true, args = true, returns = true,
  memory = true, errors = true, example = true, source = true, fields = true, row = true,
  part = true }

function TestHelpNames:testEntriesAreWellFormed()
  for _, name in ipairs(own_names()) do
    local entry = entry_of(name)
    for part in pairs(entry or {}) do lu.assertTrue(parts[part], name .. ": " .. part) end
    if entry then
      check_list(name, entry.args)
      check_list(name, entry.returns)
    end
  end
end

-- An option whose meaning is told is one that the kind has, and all of them are told.
function TestHelpNames:testOptionsOfKinds()
  local checked = 0
  for _, part in ipairs { "nn", "optim" } do
    for name in pairs(mlpl[part]) do
      local kind, entry = mlpl._describe_kind(name), entry_of(part .. "." .. name)
      local options = { parameters = part == "optim" or nil }
      for _, p in ipairs(kind and kind.params or {}) do
        checked = checked + 1
        options[p.name] = true
        lu.assertEquals(type(entry.args[p.name]), "string", name .. ": " .. p.name)
      end
      for _, tensor in ipairs(kind and kind.tensors or {}) do
        options[tensor] = true
        lu.assertEquals(type(entry.args[tensor]), "string", name .. ": " .. tensor)
      end
      for option in pairs(kind and entry.args or {}) do
        lu.assertTrue(type(option) == "number" or options[option], name .. ": " .. option)
      end
    end
  end
  lu.assertTrue(checked >= 20)
end

function TestHelpNames:testEveryNameCanBePrinted()
  for _, name in ipairs(own_names()) do
    local text = mlpl.help.text(name)
    lu.assertTrue(text:find(entry_of(name)[1]:match "^%S+", 1, true) ~= nil, name)
  end
end

-- ---- what entries of a kind say -------------------------------------------------------

local types = { "Tensor", "Module", "Optimizer", "Dataset", "Batches", "Step", "Generator",
  "Hook" }

function TestHelpNames:testTypesShowAnExample()
  for _, kind in ipairs(types) do lu.assertStrContains(mlpl.help.text(kind), "\nExample\n") end
end

function TestHelpNames:testValuesOfTheTableHaveEntries()
  for name, value in pairs(mlpl) do
    if type(value) == "string" then lu.assertNotNil(entry_of(name), name) end
  end
  lu.assertStrContains(mlpl.help.text "_VERSION", "\nExample\n")
  lu.assertStrContains(mlpl.help.text "mlpl._VERSION", "\nExample\n")
end

-- Calls whose result, or whose first one, lies in the memory of x.
local views = {
  view = "6", view_as = "mlpl.ones(6)", reshape = "6", reshape_as = "mlpl.ones(6)",
  flatten = "", ravel = "", unflatten = "2, 3, 1", squeeze = "", unsqueeze = "1",
  permute = "2, 1", transpose = "1, 2", swapaxes = "1, 2", swapdims = "1, 2",
  movedim = "1, 2", moveaxis = "1, 2", t = "", narrow = "1, 1, 1", select = "1, 1",
  diagonal = "", unfold = "2, 2, 1", expand = "2, 3", expand_as = "x",
  broadcast_to = "2, 3", split = "1", chunk = "2", tensor_split = "2", hsplit = "3",
  vsplit = "2", unbind = "", detach = "",
}

function TestHelpNames:testViewsSayThatTheyShareMemory()
  for name, args in pairs(views) do
    local x = mlpl.ones(2, 3)
    local y = assert(load("local mlpl, x = ... return x:" .. name .. "(" .. args .. ")"))(mlpl, x)
    y = type(y) == "table" and y[1] or y
    x:fill_(7)
    lu.assertTrue(y:eq(7):all():item(), name .. " makes no view")
    lu.assertStrMatches(mlpl.help.entry("Tensor." .. name).memory, ".*shares? memory.*")
  end
end

-- No other operation of one input gives a view without saying so.
function TestHelpNames:testWhatIsInTheMemoryOfItsInputSaysSo()
  local silent = {}
  for name, f in pairs(mlpl._methods "Tensor") do
    local x = mlpl.ones(2, 2)
    local ok, y = pcall(f, x)
    local is_view = ok and debug.getmetatable(y) == debug.getmetatable(x) and
      not rawequal(x, y) and not name:find "_$"
    if is_view and pcall(x.fill_, x, 7) and pcall(function() assert(y:eq(7):all():item()) end)
    then
      local memory = mlpl.help.entry("Tensor." .. name).memory
      if not (memory or ""):find "shares? memory" then silent[#silent + 1] = name end
    end
  end
  lu.assertEquals(silent, {})
end

-- What help of a quantity with a unit says.
local units = {
  clock = "in seconds", memory = "in bytes", memory_limit = "in bytes", threads = "threads",
  progress = "seconds", terminal = "columns", ["profiler.entries"] = "in seconds",
  sin = "in radians", cos = "in radians", tan = "in radians", asin = "in radians",
  acos = "in radians", atan = "in radians", atan2 = "in radians", deg2rad = "radians",
  rad2deg = "degrees", arctan2 = "in radians", ["Tensor.sin_"] = "in radians",
  ["optim.Adam"] = "unit of the gradient", cross_entropy = "in nats", nll_loss = "in nats",
  kl_div = "in nats", binary_cross_entropy = "in nats",
  binary_cross_entropy_with_logits = "in nats", ["nn.CrossEntropyLoss"] = "in nats",
}

function TestHelpNames:testQuantitiesHaveUnits()
  for name, unit in pairs(units) do
    local text = mlpl.help.text(name):gsub("%s+", " ")
    lu.assertStrContains(text, unit, name)
  end
end

-- Algorithms and formulas that others have published: of these parts all.
local function has_a_source(name)
  return name:find "^linalg%." or name:find "^optim%.%u" or name:find "^nn%.%u%w+Loss$" or
    name:find "^nn%.init%.[xk]" or name:find "^nn%.[%l%d_]+_loss$"
end

local with_source = { "randn", "erf", "erfc", "erfinv", "lgamma", "digamma", "polygamma",
  "softmax", "log_softmax", "logsumexp", "logaddexp", "cross_entropy", "kl_div",
  "binary_cross_entropy", "binary_cross_entropy_with_logits", "quantile", "var", "std",
  "exp", "log", "sin", "atan2", "gelu", "silu", "elu", "selu", "dropout", "conv1d", "conv2d",
  "autograd.jacobian", "autograd.hvp", "nn.checkpoint", "nn.Dropout", "Generator", "seed" }

function TestHelpNames:testAlgorithmsHaveASource()
  local names, missing = table.move(with_source, 1, #with_source, 1, {}), {}
  for name in pairs(all_names()) do
    if has_a_source(name) then names[#names + 1] = name end
  end
  for _, name in ipairs(names) do
    if not is_text((mlpl.help.entry(name).source or "") .. ".") then
      missing[#missing + 1] = name
    end
  end
  table.sort(missing)
  lu.assertEquals(missing, {})
  lu.assertTrue(#names > 70, #names .. " names")
end
