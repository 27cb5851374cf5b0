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
