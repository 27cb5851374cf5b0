-- The built-in help: entries of operations, examples, the command, editors' definitions.
local lu = require "luaunit"
local mlpl = require "mlpl"
local process = require "process"

local equals, contains, is_true = lu.assertEquals, lu.assertStrContains, lu.assertTrue
local help = mlpl.help

-- Every name of an operation of the engine's table -> the operation's name.
local function operations()
  local found = {}
  local function add(home, path)
    for name, value in pairs(home) do
      local op = type(name) == "string" and type(value) == "function" and
        mlpl._describe_op(name)
      if op and not op.internal then found[path .. name] = name end
    end
  end
  add(mlpl, "")
  add(mlpl._methods "Tensor", "Tensor.")
  add(mlpl.nn, "nn.")
  add(mlpl.linalg, "linalg.")
  return found
end

local function environment()
  return setmetatable({ mlpl = mlpl, nn = mlpl.nn, optim = mlpl.optim, data = mlpl.data,
    linalg = mlpl.linalg }, { __index = _G })
end

-- All entries, each once: those of names and those of the operations behind them.
local function entries()
  local all = {}
  for name in pairs(help.names()) do
    local entry = help.entry(name)
    if entry then all[entry.name] = entry end
  end
  return all
end

TestHelpEntries = {}

function TestHelpEntries:test_every_operation_has_an_entry_and_an_example()
  local count, missing = 0, {}
  for path, name in pairs(operations()) do
    local entry = help.entry(path)
    count = count + 1
    -- written in Lua over several rows; another row than the tensor's of that name
    local own = path == "linalg.norm" or path == "nn.unfold"
    if not (entry and (own or entry.name == name) and type(entry[1]) == "string" and entry.example) then
      missing[#missing + 1] = path
    end
  end
  table.sort(missing)
  equals(missing, {})
  is_true(count > 400)
end

function TestHelpEntries:test_entries_name_arguments_that_exist()
  local wrong = {}
  for path, name in pairs(operations()) do
    local entry, d, known = help.entry(path), mlpl._describe_op(name), {}
    for _, input in ipairs(d.inputs) do known[input.name] = true end
    for _, param in ipairs(d.params) do known[param.name] = true end
    for argument in pairs(entry and entry.args or {}) do
      local listed = type(argument) == "number"
      if not listed and not known[argument] then wrong[#wrong + 1] = path .. ": " .. argument end
    end
  end
  equals(wrong, {})
end

function TestHelpEntries:test_entries_name_as_many_results_as_there_are()
  for path, name in pairs(operations()) do
    local entry, d = help.entry(path), mlpl._describe_op(name)
    equals({ name, entry.returns and #entry.returns or 1 }, { name, d.outputs })
  end
end

function TestHelpEntries:test_examples_run()
  local failed = {}
  for name, entry in pairs(entries()) do
    if entry.example then
      local f, problem = load(entry.example, "=" .. name, "t", environment())
      local ok = f ~= nil
      if ok then ok, problem = pcall(f) end
      if not ok then failed[#failed + 1] = tostring(problem) end
    end
  end
  equals(failed, {})
end

function TestHelpEntries:test_examples_of_operations_assert()
  for path in pairs(operations()) do contains(help.entry(path).example, "assert(") end
end

function TestHelpEntries:test_method_and_functions_share_an_entry()
  local entry = help.entry "softmax"
  equals(entry.name, "softmax")
  for _, name in ipairs { "Tensor.softmax", "nn.softmax", "mlpl.softmax", "mlpl.nn.softmax" } do
    is_true(rawequal(help.entry(name), entry))
  end
  equals(help.entry "Dataset.softmax", nil)
end

function TestHelpEntries:test_in_place_forms()
  local entry = help.entry "Tensor.abs_"
  contains(entry[1], "In place: The absolute value")
  contains(entry.errors, "requires a gradient")
  contains(help.text "Tensor.abs_", "input:abs_()")
  contains(help.text "Tensor.leaky_relu_", "input:leaky_relu_([negative_slope])")
  equals(help.entry "Tensor.matmul_", nil)
  for name in pairs(mlpl._methods "Tensor") do
    local op = name:match "^(.+)_$"
    local d = op and mlpl._describe_op(op)
    if d and not d.internal then is_true(help.entry("Tensor." .. name) ~= nil, name) end
  end
end

TestHelpText = {}

function TestHelpText:test_text_of_an_operation()
  local text = help.text "linalg.svd"
  for _, part in ipairs { "linalg.svd(input, [full_matrices])", "\nArguments\n", "default true",
    "\nReturns\n  U ", "\nErrors\n", "\nExample\n", "\nSource\n  Golub" } do
    contains(text, part)
  end
end

function TestHelpText:test_options_stand_where_a_call_has_them()
  contains(help.text "gather", "gather(input, dim, index)\n")
  contains(help.text "add", "Tensor|number")
end

function TestHelpText:test_functions_themselves()
  equals(help.text(mlpl.linalg.svd), help.text "linalg.svd")
end

function TestHelpText:test_lines_fit()
  for name in pairs(entries()) do
    for line in help.text(name):gmatch "[^\n]+" do is_true(#line <= 100, name .. ": " .. line) end
  end
end

function TestHelpText:test_names_have_lazy_parts()
  local names = help.names()
  for _, name in ipairs { "autograd.grad", "linalg.norm", "profiler", "progress", "zeros",
    "Tensor.sum", "Tensor.sum_to_size", "optim.Adam" } do
    is_true(names[name] ~= nil, name)
  end
  equals(names._nearest, nil)
  equals(names._load_all, nil)
end

function TestHelpText:test_wrong_names()
  lu.assertErrorMsgContains("there is nothing called 'linalg.svt'; did you mean", help.text,
    "linalg.svt")
  lu.assertErrorMsgContains("there is nothing called 'no such thing'", help.text, "no such thing")
  lu.assertErrorMsgContains("there is nothing called '%'", help.text, "%")
  lu.assertErrorMsgContains("a function that is not mlpl's", help.text, print)
end

-- Comparing a long text with every name would take its length squared.
function TestHelpText:test_a_name_longer_than_any()
  local long = ("long "):rep(1 << 16)
  local shown = ("'%s...'"):format(long:sub(1, 60))
  lu.assertErrorMsgContentEquals("help: there is nothing called " .. shown, help.text, long)
  lu.assertErrorMsgContentEquals("mlpl has no field " .. shown, function() return mlpl[long] end)
end

TestHelpCommand = {}

function TestHelpCommand:test_name()
  local out, err, code = process.run("help", "linalg.svd")
  equals({ out, err, code }, { help.text "linalg.svd", "", 0 })
end

function TestHelpCommand:test_overview()
  local out, err, code = process.run "help"
  equals({ err, code }, { "", 0 })
  equals(out, help.text())
end

function TestHelpCommand:test_wrong_name()
  local out, err, code = process.run("help", "softmx")
  equals({ out, code }, { "", 1 })
  contains(err, "nothing called 'softmx'; did you mean")
end

function TestHelpCommand:test_definitions()
  local out, err, code = process.run("help", "--definitions")
  equals({ err, code }, { "", 0 })
  contains(out, "---@meta mlpl")
  contains(out, "function mlpl.linalg.svd(input, full_matrices) end")
  contains(out, "function Tensor:gather(dim, index) end")
  local definitions = assert(load(out, "=definitions", "t", {}))()
  equals(type(definitions.linalg.svd), "function")
  equals(type(definitions.zeros_like or definitions.matmul), "function")
end
