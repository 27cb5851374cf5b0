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

-- Arguments that are no tensors say what they are.
function TestHelpEntries:test_options_have_a_text()
  local missing = {}
  for path in pairs(operations()) do
    local args, last = help.text(path):match "\nArguments\n(.-)\n\n" or "", nil
    for line in (args .. "\n  "):gmatch "[^\n]+" do
      local name, kind = line:match "^  (%S+) +(%S+)"
      local is_text = line:find "^    " ~= nil
      if last and not is_text then missing[#missing + 1] = path .. ": " .. last end
      last = not is_text and name and not kind:find "Tensor" and name or nil
    end
  end
  table.sort(missing)
  equals(missing, {})
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
  contains(help.text "Tensor.abs_", "x:abs_()\n")          -- in an example that test_examples_run runs
  contains(help.entry "Tensor.bitwise_and_".example, "x:bitwise_and_(2)")
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
  lu.assertErrorMsgContains("a nil that is not mlpl's", help.text, nil)
  lu.assertErrorMsgContains("there is nothing called ''", help.text, "")
  lu.assertErrorMsgContentEquals("help.text: there is nothing called '+'", help.text, "+")
  local _, message = pcall(help.text, "linalg.nope")
  local _, count = message:gsub("'linalg%.norm'", "")
  equals(count, 1)                                       -- not twice
end

function TestHelpText:test_a_word_that_is_no_name()
  lu.assertErrorMsgContains("'singular' stands in the help of ", help.text, "singular")
  lu.assertErrorMsgContains("'precision' stands in the help of ", function() help "precision" end)
end

function TestHelpText:test_names_as_people_write_them()
  local sum, relu = help.text "Tensor.sum", help.text "nn.relu"
  for _, name in ipairs { "x:sum", "x.sum()", "Tensor:sum", "torch.sum", " mlpl.sum(x, 1) " } do
    equals(help.text(name), sum)
  end
  equals(help.text "Adam", help.text "optim.Adam")
  equals(help.text "jacobian", help.text "autograd.jacobian")
  for _, name in ipairs { "F.relu", "torch.nn.functional.relu" } do
    equals(help.text(name), relu)
  end
end

function TestHelpText:test_values()
  equals(help.text(mlpl.nn.Linear(1, 1)), help.text "nn.Linear")
  equals(help.text(mlpl.ones(1)), help.text "Tensor")
  equals(help.text(mlpl.Generator(1)), help.text "Generator")
  local opt = mlpl.optim.Adam { mlpl.ones(1, { requires_grad = true }) }
  equals(help.text(opt), help.text "optim.Adam")
  equals(help.text(mlpl), help.text())
  equals(help.text "mlpl", help.text())
end

function TestHelpText:test_fields()
  contains(help.text "Tensor.shape", "integer[]")
  contains(help.text "dtype", '"f64"')
  contains(help.text "Dataset.classes", "in the order of the labels")
end

function TestHelpText:test_topics()
  for name, topic in pairs(dofile "scripts/mlpl/help/topics.lua") do
    contains(help.text(name), topic[1]:match "^%S+")
    contains(help.text(), name)
    contains(topic.example, "assert(")
    local run = assert(load(topic.example, "=" .. name, "t", environment()))
    run()
  end
end

-- Other words for a topic, as people write them.
function TestHelpText:test_words_that_lead_to_topics()
  for topic, words in pairs {
    ["in-place"] = { "in place", "inplace", "In-Place", "out", "out=" },
    dtypes = { "promotion", "type promotion", "result_type", "casting" },
    schedules = { "lr", "lr_scheduler", "optim.lr_scheduler", "learning rate",
      "torch.optim.lr_scheduler.StepLR" },
    minibatches = { "torch.utils.data.DataLoader", "loader" },
    devices = { "device", "cuda", "x.device", "torch.device", "x:cuda()" },
    files = { "state_dict", "load_state_dict", "nn.Module.state_dict", "saving" },
  } do
    for _, word in ipairs(words) do equals(help.text(word), help.text(topic), word) end
  end
  contains(help.text "DataLoader", "here it is ds:batches { size = 32, shuffle = true }\n\nds:batches")
  equals(help.text "model:save", help.text "Module.save")
  equals(help.text "opt.lr", help.text "Optimizer.lr")
  equals(help.text "opt:step()", help.text "Optimizer.step")
  equals(help.text "ds:batches", help.text "Dataset.batches")
  equals(help.text "batches", help.text "Dataset.batches")
  equals(help.text "x:step()", help.text "Tensor.step")
end

function TestHelpText:test_names_of_other_libraries_in_messages()
  local linear = mlpl.nn.Linear(2, 2)
  for _, case in ipairs {
    { mlpl.data, "DataLoader", "here it is ds:batches { size = 32, shuffle = true }" },
    { linear, "state_dict", "here it is model:named_parameters(), and in a file model:save(path)" },
    { linear, "cuda", "there are no devices" }, { mlpl, "device", "there are no devices" },
    { mlpl.ones(1), "device", "there are no devices" },
    { mlpl.optim, "lr_scheduler", "here it is opt.lr" },
  } do
    local _, message = pcall(function() return case[1][case[2]] end)
    contains(message, case[2] .. "'; " .. case[3])
  end
end

-- What is asked for by another library's name, or by a part of a name.
function TestHelpText:test_names_that_lead_to_others()
  contains(help.text "repeat", "repeat: here it is x:tile(...)\n\ntile(input, dims)")
  contains(help.text "x:repeat", "here it is x:tile(...)\n\ntile(input, dims)")
  contains(help.text "concat", "Another name of cat")
  local seeds = help.text "manual_seed"
  contains(seeds, "seed([seed])")
  contains(seeds, "g:manual_seed(seed)")
  equals(help.text "x.grad", help.text "Tensor.grad")
  equals(help.text "autograd.grad", help.text(mlpl.autograd.grad))
  contains(help.text "to", "x:to(")
  contains(help.text "to", "model:to(")
  equals(help.text "nn.init.", help.text "nn.init")
  equals(help.text("nn"):find "init%. ", nil)
  local function hint(name) return select(2, pcall(help.text, name)) end
  contains(hint "conv", "did you mean 'conv1d', 'conv2d', 'conv_transpose1d', 'conv_transpose2d'?")
  contains(hint "entropy", "'cross_entropy', 'nn.CrossEntropyLoss'?")
  contains(hint "Conv2d", "no such layer exists yet, nn.conv2d is the function")
  contains(hint "variance", "'variance' stands in the help of var, ")
  contains(hint "zeross", "did you mean 'zeros'?")
end

function TestHelpText:test_several_names()
  equals(help.text("abs", "relu"), help.text "abs" .. "\n" .. help.text "relu")
end

-- A limit that no memory could reach is none to a reader.
function TestHelpText:test_domains_are_readable()
  contains(help.text "nn.Linear", "integer; at least 0\n")
  for name in pairs(entries()) do
    equals(help.text(name):match "to %d[%d.]*e%+%d+", nil, name)
  end
end

function TestHelpText:test_tensors_of_losses()
  contains(help.text "nn.CrossEntropyLoss", "  weight         Tensor, optional\n")
  contains(help.text "nn.BCEWithLogitsLoss", "  pos_weight     Tensor, optional\n")
  contains(help.text "cross_entropy", "  weight         Tensor, optional\n")
end

function TestHelpText:test_the_table_itself()
  contains(tostring(help), "mlpl.help is called")
  lu.assertErrorMsgContains("mlpl.help has no field 'foo'", function() return help.foo end)
  lu.assertErrorMsgContains("a script cannot add fields", function() help.foo = 1 end)
end

-- Comparing a long text with every name would take its length squared.
function TestHelpText:test_a_name_longer_than_any()
  local long = ("long "):rep(1 << 16)
  local shown = ("'%s...'"):format(long:sub(1, 60))
  lu.assertErrorMsgContentEquals("help.text: there is nothing called " .. shown, help.text, long)
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
  contains(err, ": help: there is nothing called 'softmx'; did you mean")
  equals(err:find("help:%d"), nil)                       -- no place in the command's own code
end

function TestHelpCommand:test_several_names()
  local out, err, code = process.run("help", "abs", "relu")
  equals({ out, err, code }, { help.text("abs", "relu"), "", 0 })
end

function TestHelpCommand:test_definitions()
  local out, err, code = process.run("help", "--definitions")
  equals({ err, code }, { "", 0 })
  contains(out, "---@meta mlpl")
  contains(out, "function mlpl.linalg.svd(input, full_matrices) end")
  contains(out, "function Tensor:gather(dim, index) end")
  contains(out, "---@overload fun(self: mlpl.Tensor, dim?: integer|integer[], "
    .. "options: { keepdim?: boolean }): mlpl.Tensor\nfunction Tensor:sum(dim, keepdim) end")
  contains(out, "---@overload fun(in_features: integer, out_features: integer, "
    .. "options: { bias?: boolean }): mlpl.Module")
  contains(out, '---@param reduction? "mean"|"sum"|"none" ')
  contains(out, '{ dtype?: "f32"|"f64"|"i64"|"u8"|"bool", requires_grad?: boolean }')
  for _, event in ipairs { "add", "sub", "mul", "div", "pow", "mod", "idiv", "band", "bor",
    "bxor", "shl", "shr" } do
    contains(out, ("---@operator %s(mlpl.Tensor|number): mlpl.Tensor\n"):format(event))
  end
  for _, event in ipairs { "unm: mlpl.Tensor", "bnot: mlpl.Tensor", "len: integer" } do
    contains(out, ("---@operator %s\n"):format(event))
  end
  local definitions = assert(load(out, "=definitions", "t", {}))()
  equals(type(definitions.linalg.svd), "function")
  equals(type(definitions.zeros_like or definitions.matmul), "function")
end

-- Every public name is defined, as what it is: a function, a method, a table.
function TestHelpCommand:test_definitions_are_complete()
  local out = help.definitions()
  local defined = assert(load(out, "=definitions", "t", {}))()
  local missing, count = {}, 0
  for name, value in pairs(help.names()) do
    local kind, method = name:match "^(%u%w+)%.([%w_]+)$"
    local found = defined
    if kind and mlpl._methods(kind) then
      found = out:find(("\nfunction %s:%s("):format(kind, method), 1, true)
    else
      for word in name:gmatch "[%w_]+" do found = type(found) == "table" and found[word] or nil end
    end
    if not found or type(value) == "function" and type(found) == "table" then
      missing[#missing + 1] = name
    end
    count = count + 1
  end
  table.sort(missing)
  equals(missing, {})
  is_true(count > 500)
end

-- What the language server could not read would silently mean nothing.
function TestHelpCommand:test_definitions_are_well_formed()
  local known = { integer = true, number = true, boolean = true, string = true, table = true,
    any = true, file = true, ["nil"] = true, fun = true, ["function"] = true, self = true }
  local out = help.definitions()
  local classes = {}
  for class in out:gmatch "\n%-%-%-@class ([%w_.]+)" do classes[class] = true end
  local function check_type(text, line)
    text = text:gsub('"[^"]*"', ""):gsub("[%w_]+%?:", ":"):gsub("[%w_]+:", ":")
    for word in text:gmatch "[%a_][%w_.]*" do
      is_true(known[word] or classes[word] or false, word .. " in " .. line)
    end
  end
  for line in out:gmatch "[^\n]+" do
    local overload = line:match "^%-%-%-@overload (.+)$"
    local type_text = line:match "^%-%-%-@param [%w_.]+%?? (%b{})" or overload
    local _, open = line:gsub("[({]", "")
    local _, close = line:gsub("[)}]", "")
    if overload then
      equals(open, close, line)
      is_true(line:find "^%-%-%-@overload fun%(" ~= nil, line)
    end
    if type_text then check_type((type_text:gsub("%.%.%.", "")), line) end
  end
end
