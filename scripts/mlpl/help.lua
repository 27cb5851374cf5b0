-- Built-in help. mlpl.help(what) prints what it knows of a name ("linalg.svd"), a topic
-- ("indexing"), a function, a layer or a tensor; mlpl.help() lists what there is. The command
-- does the same: mlpl help linalg.svd.
--
-- Entries are in help/*.lua, one file a part: a table from names to entries. Operations
-- of the engine's table and kinds of layers and optimizers describe their own arguments;
-- an entry says what they mean. An entry:
--
--   ["linalg.svd"] = {
--     "One or more sentences: what it computes, formula included.",
--     call = "linalg.svd(input, full_matrices)",          -- where it is no operation
--     args = { { "input", "Tensor", "[m x n], f32 or f64" }, ... },   -- likewise; or
--     args = { input = "[m x n], f32 or f64" },                       -- of an operation
--     returns = { { "U", "Tensor", "[m x k]" }, ... },    -- one Tensor unless told; of an
--                                          -- operation behind the shape that help/results.lua says
--     memory = "a view: shares memory with input",
--     errors = "what raises, or gives nil, message, code",
--     example = "local U, S, Vh = mlpl.linalg.svd(mlpl.randn(3, 2))",
--     example_in_place = "of the form in place, where no generated one will do",
--     source = "where the formula is from",
--   }
--
-- The same entries make definitions for editors (help.definitions()).

local mlpl, script = ...

local raise = mlpl._raise

local parts = {
  "mlpl", "tensor", "autograd", "nn", "optim", "data",
  "arithmetic", "functions", "reductions", "shapes", "products", "windows", "activations",
  "losses", "linalg",    -- operations of the engine's table
}
local types = { "Tensor", "Module", "Optimizer", "Dataset", "Batches", "Step", "Generator",
  "Hook" }

local entries, topics, topic_words

-- Methods that are functions, too, say so in the function's own words.
local function add_functions(all)
  for name, f in pairs(mlpl._methods "Tensor") do
    local method = all["Tensor." .. name]
    if method and not all[name] and rawequal(rawget(mlpl, name), f) then
      local copy = {}
      for key, value in pairs(method) do copy[key] = value end
      copy.name, copy.part = name, "shapes"
      copy.call = method.call:gsub("^x:(%w+) ({.*})$", "%1(x, %2)")
        :gsub("^x:(%w+)%((.*)%)$", "%1(x, %2)")
      all[name] = copy
    end
  end
end

-- PyTorch has some operations by another name, too: "clip" says what clamp does.
local function add_other_names(all)
  for name in pairs(mlpl) do
    local d = type(name) == "string" and not all[name] and mlpl._describe_op(name)
    if d and d.name ~= name and all[d.name] then
      local copy = {}
      for key, value in pairs(all[d.name]) do copy[key] = value end
      copy[1] = ("Another name of %s: %s"):format(d.name, copy[1])
      copy.name = name
      all[name] = copy
    end
  end
end

-- Results of an operation: names and words of the entry, shapes of help/results.lua.
local function add_results(entry, results)
  local d = mlpl._describe_op(entry.name)
  if not d then return end
  local told, list = entry.returns or { { "", "Tensor" } }, {}
  local shapes = results(d, entry.part)
  for i, r in ipairs(told) do
    local text = shapes[i] and r[3] and shapes[i] .. "; " .. r[3] or shapes[i] or r[3]
    list[i] = { r[1], r[2], text }
  end
  entry.returns = list
end

local function load_entries()
  if entries then return entries end
  local results = script "help.results"
  entries, topics = {}, script "help.topics"
  topic_words = {}
  for name, entry in pairs(topics) do
    entry.name = name
    for _, word in ipairs(entry.also or {}) do topic_words[word] = name end
  end
  for _, part in ipairs(parts) do
    for name, entry in pairs(script("help." .. part)) do
      assert(not entries[name], name)
      entry.name, entry.part = name, part
      entries[name] = entry
      add_results(entry, results)
    end
  end
  add_functions(entries)
  add_other_names(entries)
  return entries
end

-- ---- names ----------------------------------------------------------------------------

local function is_public(name) return type(name) == "string" and name:sub(1, 1) ~= "_" end

local function add_names(into, path, t, seen)
  for name, value in pairs(t) do
    local full = path == "" and name or path .. "." .. tostring(name)
    if is_public(name) and type(value) == "function" then
      into[full] = value
    elseif is_public(name) and type(value) == "table" and not seen[value] then
      seen[value] = true
      into[full] = value
      add_names(into, full, value, seen)
    end
  end
end

-- Every public name and what it names: "zeros", "nn.Linear", "Tensor.sum".
local function names()
  local all = {}
  mlpl._load_all()
  add_names(all, "", mlpl, { [mlpl] = true })
  for _, kind in ipairs(types) do
    local methods = mlpl._methods(kind)
    if methods then add_names(all, kind, methods, {}) end
  end
  return all
end

-- Where operations of the table are.
local op_homes = { [""] = true, ["Tensor."] = true, ["nn."] = true, ["linalg."] = true }

-- Arguments for an example: numbers for a second input and for options that must be given.
local function example_arguments(d)
  local words, tensors = {}, { index = "x:argsort()", mask = "x:gt(0.3)", like = "x + 1" }
  tensors.any, tensors.numbers = tensors.mask, tensors.like
  if d.name == "clamp" then return "0.5" end
  for i = 2, #d.inputs do
    local number = d.inputs[i].number
    words[i - 1] = number and tostring(i) or tensors[d.inputs[i].domain]
  end
  for i, p in ipairs(d.params) do
    local word = p.choices and ("'%s'"):format(p.choices[1]) or "1"
    local first = i <= d.options_first
    if p.required then table.insert(words, first and i or #words + 1, word) end
  end
  return table.concat(words, ", ")
end

-- Whatever the operation is, the form in place must do the same to its receiver.
local function in_place_example(op)
  local d = mlpl._describe_op(op)
  local whole = d.inputs[1].dtypes[1] ~= "f32"
  local reals = d.name == "acosh" and "mlpl.tensor { 1, 1.25, 1.5 }" or
    "mlpl.tensor { 0.25, 0.5, 0.75 }"
  local args = example_arguments(d)
  return ([[
local x = %s
local expected = x:%s(%s)
x:%s_(%s)
assert(x:equal(expected))]]):format(whole and 'mlpl.tensor({ 1, 2, 6 }, { dtype = "i64" })' or
    reals, op, args, op, args)
end

-- "Tensor.abs_": the entry of abs, told of the form that changes its receiver.
local function in_place_entry(all, name)
  local op = name:match "^Tensor%.(%a[%w_]*)_$" or name:match "^(%a[%w_]*)_$"
  local entry = op and mlpl._methods "Tensor"[op .. "_"] and mlpl._describe_op(op) and all[op]
  if not entry then return nil end
  return {
    "In place: " .. entry[1],
    name = op .. "_", part = "in place", row = op, in_place = true, args = entry.args,
    example = entry.example_in_place or in_place_example(op),
    returns = { { "", "Tensor", "the receiver, which holds the result" } },
    memory = "overwrites its receiver and every view of the same elements",
    errors = (entry.errors and entry.errors .. "; " or "") ..
      "a result whose shape or dtype the receiver cannot hold; a leaf that requires a " ..
      "gradient, outside no_grad; a later backward that needs the old value",
    source = entry.source,
  }
end

-- "Tensor.shape", or "shape".
local function field_entry(all, name)
  for _, kind in ipairs(types) do
    for _, field in ipairs(all[kind] and all[kind].fields or {}) do
      if name == kind .. "." .. field[1] or name == field[1] and kind == "Tensor" then
        return { ("A field of %s: %s."):format(kind, field[3]), name = name,
          call = ("%s.%s"):format(kind, field[1]), returns = { { "", field[2] } } }
      end
    end
  end
end

-- The topic for a word: "in place", "lr_scheduler", "nn.Module.state_dict".
local function topic_of(name)
  local word = name:match "[^.]*$":lower():gsub("[%s_=-]", "")
  return topics[name] or topics[name:lower()] or topics[topic_words[word]]
end

-- The entry for a name: its own, or that of the operation which it is a method or a
-- function for.
local function entry_of(name)
  local all = load_entries()
  name = name:gsub("^mlpl%.", "")
  local home, last = name:match "^(.-)([%w_]+)$"
  local is_op = last and op_homes[home] and mlpl._describe_op(last)
  return all[name] or is_op and all[last] or in_place_entry(all, name) or nil
end

-- What variables usually hold.
local usual_kind = { opt = "Optimizer", optimizer = "Optimizer", model = "Module",
  net = "Module", ds = "Dataset", dataset = "Dataset", train = "Dataset" }

-- "Module.save" for model:save, opt.lr alike, or nil.
local function of_usual(head, rest)
  local kind = usual_kind[head]
  local full = kind and kind .. "." .. rest
  local known = kind and (mlpl._methods(kind)[rest] or field_entry(load_entries(), full))
  return known and full or nil
end

-- A name as people write it: x:sum(), Tensor:sum, torch.nn.functional.relu, F.relu.
local function plain(name)
  mlpl._load_all()
  local short = name:match "^%s*(.-)%s*$":gsub("%(.*%)$", ""):gsub(":", "."):gsub("%.$", "")
  short = short:gsub("^mlpl%.", ""):gsub("^torch%.", ""):gsub("^nn%.functional%.", "nn.")
  local head, rest = short:match "^(%l%w*)%.(.+)$"
  local unknown = head and rawget(mlpl, head) == nil
  local usual = unknown and of_usual(head, rest)
  if usual then return usual end
  if head == "F" or unknown and (mlpl._methods "Tensor"[rest] or
      field_entry(load_entries(), "Tensor." .. rest)) then
    return "Tensor." .. rest
  end
  return (short:gsub("^F%.", "nn."))
end

local function name_of(value)
  local found
  for name, each in pairs(names()) do
    local first = not found or #name < #found or #name == #found and name < found
    if rawequal(each, value) and first then found = name end
  end
  return found
end

-- ---- arguments ------------------------------------------------------------------------

local function number(v) return ("%.10g"):format(v) end

local function standard_text(v)
  if type(v) == "table" then
    return ("{%s, %s}"):format(number(v[1]), number(v[2]))
  end
  return type(v) == "number" and number(v) or tostring(v)
end

local lua_types = {
  integer = "integer", number = "number", boolean = "boolean", axis = "integer",
  axes = "integer|integer[]", index = "integer", choice = "string", sizes = "integer|integer[]",
  pair = "number[]", ["axis list"] = "integer|integer[]", extent = "integer|integer[]",
}

-- The padding of a convolution may be a word.
local function option_type(d, p)
  local word = p.name == "padding" and d.name and d.name:find "^conv%dd$"
  return lua_types[p.type] .. (word and "|string" or "") .. (p.tensor and "|Tensor" or "")
end

local NO_LIMIT <const> = 1e9     -- what no memory could hold is no limit that helps a reader

local function domain(p)
  if p.choices then return "one of " .. table.concat(p.choices, ", ") end
  if p.min and p.max and p.max < NO_LIMIT then
    return ("from %s to %s"):format(number(p.min), number(p.max))
  end
  return p.min and p.min > -9e15 and "at least " .. number(p.min) or nil
end

local function described(entry)
  return mlpl._describe_op(entry.row or entry.name) or
    mlpl._describe_kind(entry.name:match "[%w_]+$")
end

-- What arguments of these names are wherever an entry says nothing else.
local axis = "the axis, or from -1 at the end"
local usual = {
  dim = axis, dim0 = axis, dim1 = axis, dim2 = axis, axis0 = axis, axis1 = axis,
  dims = "axes, or from -1 at the end", start_dim = "the first axis", end_dim = "the last axis",
  sizes = "numbers in order, or one array of them", other = "the tensor whose sizes count",
  descending = "the largest first", alpha = "as above", beta = "as above", lambd = "as above",
  negative_slope = "as above", tensor1 = "broadcasts", tensor2 = "broadcasts",
}

-- The arguments of an entry, in order: name, type, text, optional, standard.
local function arguments(entry)
  local list, texts, options = {}, entry.args or {}, {}
  local row = #texts > 0 and mlpl._describe_op(entry.name)
  for _, p in ipairs(row and row.params or {}) do options[p.name] = true end
  for _, arg in ipairs(texts) do
    list[#list + 1] = { name = arg[1], type = arg[2], text = arg[3],
      optional = arg.optional or arg[2]:sub(-1) == "?", option = options[arg[1]] }
  end
  local d = #list == 0 and described(entry)
  for _, input in ipairs(d and d.inputs or {}) do
    local number = input.number and not (entry.in_place and #list == 0)
    list[#list + 1] = { name = input.name, type = number and "Tensor|number" or "Tensor",
      text = texts[input.name] or usual[input.name], optional = not input.required,
      option = not input.required }
  end
  for i, p in ipairs(d and d.params or {}) do
    local early = i <= (d.options_first or 0)     -- x:gather(dim, index)
    local several = p.type == "sizes" or p.type == "axis list"
    table.insert(list, early and 1 + i or #list + 1,
      { name = p.name, type = option_type(d, p),
        text = texts[p.name] or usual[p.name], variadic = several and i == #d.params,
        optional = not p.required, standard = p.standard, domain = domain(p),
        option = not early, choices = p.choices })
  end
  for _, name in ipairs(d and d.tensors or {}) do     -- of a loss
    list[#list + 1] = { name = name, type = "Tensor", text = texts[name], optional = true,
      option = true }
  end
  if d and texts.parameters then       -- of an optimizer
    table.insert(list, 1, { name = "parameters", type = "Tensor[]", text = texts.parameters })
  end
  return list
end

local function call_text(entry, list)
  if entry.call then return entry.call end
  local words, open, name = {}, 0, entry.name
  local d = mlpl._describe_op(name)
  if d and d.group then name = d.group .. "." .. name end
  if entry.in_place then
    name = list[1].name .. ":" .. name
    list = table.move(list, 2, #list, 1, {})
  end
  for _, a in ipairs(list) do
    local word = a.name
    if a.optional then
      word = "[" .. word
      open = open + 1
    end
    words[#words + 1] = word
  end
  return ("%s(%s%s)"):format(name, table.concat(words, ", "), ("]"):rep(open))
end

local function returned(entry) return entry.returns or {} end

-- ---- text -----------------------------------------------------------------------------

local WIDTH = 78

local function wrap(text, indent)
  local lines, line = {}, ""
  for word in text:gmatch "%S+" do
    if #line > 0 and #indent + #line + 1 + #word > WIDTH then
      lines[#lines + 1] = indent .. line
      line = word
    else
      line = #line > 0 and line .. " " .. word or word
    end
  end
  lines[#lines + 1] = indent .. line
  return table.concat(lines, "\n")
end

local function arg_text(a)
  local notes = { a.type:gsub("%?$", "") .. (a.optional and ", optional" or "") }
  if a.standard ~= nil then notes[#notes + 1] = "default " .. standard_text(a.standard) end
  if a.domain then notes[#notes + 1] = a.domain end
  local head = ("  %-14s %s"):format(a.name, table.concat(notes, "; "))
  return a.text and head .. "\n" .. wrap(a.text, (" "):rep(17)) or head
end

local function section(out, title, text)
  if text then out[#out + 1] = ("\n%s\n%s"):format(title, text) end
end

local function indented(code) return "  " .. code:gsub("%s+$", ""):gsub("\n", "\n  ") end

local function text_of(entry)
  local list = arguments(entry)
  local call = wrap(call_text(entry, list), ""):gsub("\n", "\n    ")
  local out, args, results, fields = { call, "\n" .. wrap(entry[1], "") }, {}, {}, {}
  for i, a in ipairs(list) do args[i] = arg_text(a) end
  for i, r in ipairs(returned(entry)) do
    results[i] = arg_text { name = r[1], type = r[2], text = r[3] }
  end
  for i, f in ipairs(entry.fields or {}) do
    fields[i] = arg_text { name = f[1], type = f[2], text = f[3] }
  end
  section(out, "Fields", #fields > 0 and table.concat(fields, "\n"))
  section(out, "Arguments", #args > 0 and table.concat(args, "\n"))
  section(out, "Returns", #results > 0 and table.concat(results, "\n"))
  section(out, "Memory", entry.memory and wrap(entry.memory, "  "))
  section(out, "Errors", entry.errors and wrap(entry.errors, "  "))
  section(out, "Example", entry.example and indented(entry.example))
  section(out, "Source", entry.source and wrap(entry.source, "  "))
  return table.concat(out, "\n") .. "\n"
end

-- ---- lists ----------------------------------------------------------------------------

-- The groups of the longest lists, in order: parts of the entries.
local groups = {
  { "parts", "Parts" }, { "types", "Types of values" }, { "topics", "Topics" },
  { "mlpl", "Making tensors, random numbers, files, settings" }, { "tensor", "Of tensors" },
  { "autograd", "Gradients" }, { "arithmetic", "Arithmetic and comparisons" },
  { "functions", "Functions, element by element" }, { "activations", "Activations" },
  { "reductions", "Along axes" }, { "shapes", "Shapes, parts and positions" },
  { "products", "Products" }, { "windows", "Windows: convolution and pooling" },
  { "losses", "Losses" }, { "in place", "In place" },
}

-- The names right below a path ("" or "nn") -> "." where there is more below them.
local function names_below(path)
  local endings, start = {}, path == "" and "" or path .. "."
  for name in pairs(names()) do
    local inside = name:sub(1, #start) == start and name:sub(#start + 1)
    local head = inside and inside:match "^[^.]+"
    if head then endings[head] = (inside ~= head or endings[head] == ".") and "." or "" end
  end
  return endings
end

local function columns(list)
  table.sort(list)
  return wrap(table.concat(list, "  "), "  ") .. "\n"
end

local is_type = {}
for _, kind in ipairs(types) do is_type[kind] = true end

local function group_of(path, head, ending)
  if ending == "." then return is_type[head] and "types" or "parts" end
  local entry = entry_of(path == "" and head or path .. "." .. head)
  return entry and entry.part or "mlpl"
end

local function grouped(path, endings)
  local lists, out = {}, {}
  for head, ending in pairs(endings) do
    local group = group_of(path, head, ending)
    lists[group] = lists[group] or {}
    table.insert(lists[group], head)
  end
  if path == "" then
    lists.topics = {}
    for name in pairs(topics) do table.insert(lists.topics, name) end
  end
  for _, group in ipairs(groups) do
    local list = lists[group[1]]
    if list then out[#out + 1] = group[2] .. "\n" .. columns(list) end
  end
  return table.concat(out, "\n")
end

local function list_text(path)
  local endings, list = names_below(path), {}
  if next(endings) == nil then return nil end
  if path == "" or path == "Tensor" then return grouped(path, endings) end
  for head in pairs(endings) do list[#list + 1] = head end
  return columns(list)
end

-- ---- finding --------------------------------------------------------------------------

local function known_names()
  local known, list = {}, {}
  for each in pairs(names()) do known[each] = true end
  for each in pairs(load_entries()) do known[each] = true end
  for each in pairs(topics) do known[each] = true end
  for each in pairs(known) do list[#list + 1] = each end
  table.sort(list)
  return list
end

-- "'a', 'b', ...": the first of a list.
local MOST <const> = 8
local function first_of(list)
  return table.concat(list, ", ", 1, math.min(#list, MOST)) .. (#list > MOST and ", ..." or "")
end

-- "; did you mean 'nn.conv1d', ...?": names that begin with the word, then those that have
-- it inside, the shortest of each that is a name in several places.
local function containing(word)
  local lists, place = { {}, {} }, {}
  for _, name in ipairs(#word >= 3 and known_names() or {}) do
    local last = name:match "[^.]+$"
    local at = last:lower():find(word:lower(), 1, true)
    if at and not last:find "_$" and #name < #(place[last] or name .. " ") then
      place[last] = name
    end
  end
  for last, name in pairs(place) do
    local begins = last:lower():find(word:lower(), 1, true) == 1
    table.insert(lists[begins and 1 or 2], ("'%s'"):format(name))
  end
  for _, list in ipairs(lists) do table.sort(list) end
  table.move(lists[2], 1, #lists[2], #lists[1] + 1, lists[1])
  return #lists[1] > 0 and ("; did you mean %s?"):format(first_of(lists[1])) or ""
end

-- "; 'gaussian' stands in the help of randn, ...", of a word that is no name; names that
-- the word begins with come first.
local function mentioned(word)
  if #word < 4 or #word > 40 or not word:find "^[%w_ -]+$" then return "" end
  local found, lower = {}, word:lower()
  local function look(name, entry)
    if text_of(entry):lower():find(lower, 1, true) then found[#found + 1] = name end
  end
  for name, entry in pairs(load_entries()) do look(name, entry) end
  for name, entry in pairs(topics) do look(name, entry) end
  if #found == 0 then return "" end
  local function is_start(name) return lower:sub(1, #name) == name end
  table.sort(found, function(a, b)
    if is_start(a) ~= is_start(b) then return is_start(a) end
    return a < b
  end)
  return ("; '%s' stands in the help of %s"):format(word, first_of(found))
end

-- "to": the names that end so, as Module.to and Tensor.to.
local function ending_in(word)
  local found = {}
  for name in pairs(names()) do
    if name:match "[^.]+$" == word and name ~= word then found[#found + 1] = name end
  end
  table.sort(found)
  return #found > 0 and found or nil
end

-- A layer or an optimizer knows its kind, every value its type.
local function name_of_value(what)
  local name = name_of(what)
  if name or type(what) ~= "userdata" then return name end
  local kind = tostring(what):match "^%a[%w]*"
  for _, part in ipairs { "nn.", "optim." } do
    if kind and entry_of(part .. kind) then return part .. kind end
  end
  return mlpl._shown(what):match "mlpl%.(%w+)$"
end

local overview = [[
mlpl.help(what) explains a name ("linalg.svd", "Tensor.sum", "nn.Linear"), a topic
("indexing"), a function, a value or a part ("nn"). On the command line: mlpl help linalg.svd

]]

-- What another library calls so, "; here it is mlpl.cat", and our name for it.
local function elsewhere(short)
  local head, rest = short:match "^(%w+)%.([%w_]+)$"
  local word = (head == "Tensor" or head and rawget(mlpl, head) == nil) and rest or short
  local hint = mlpl._elsewhere(word, "mlpl") or mlpl._elsewhere(word, "a tensor")
  if not hint or not hint:find "^; here it is " then return nil end
  local call = hint:match "^; here it is (.*)$"
  return hint, plain(call:match "^[%a_.:]+[%w_]" or call)
end

local function unknown(name, caller)
  local layer = name:find "^%u%w*$" and mlpl._elsewhere(name, "mlpl.nn") or ""
  local hint = layer:find "is the function" and layer or containing(name)
  if hint == "" then hint = mlpl._nearest(name, known_names()) end
  raise(("%s: there is nothing called %s%s"):format(caller, mlpl._shown(name),
    hint ~= "" and hint or mentioned(name)))
end

local text_of_one

local function texts_of(list, caller)
  local texts = {}
  for i, name in ipairs(list) do texts[i] = text_of_one(name, caller) end
  return table.concat(texts, "\n")
end

function text_of_one(what, caller)
  if rawequal(what, mlpl) or what == "mlpl" then return overview .. list_text "" end
  local name = what
  if type(what) ~= "string" then
    name = name_of_value(what)
    if not name then
      raise(("%s: what is a %s that is not mlpl's; give a name or a function of mlpl")
        :format(caller, type(what)))
    end
  end
  local all = load_entries()
  local short = #name <= 100 and plain(name) or name
  local entry = entry_of(short) or topics[short] or field_entry(all, short)
  local inside = short ~= "" and list_text(short) or nil
  local longer = not entry and not inside and ending_in(short)
  longer = longer and texts_of(longer, caller)
  local hint, ours = nil, nil
  if not entry and not inside and #short <= 100 then hint, ours = elsewhere(short) end
  if hint and (entry_of(ours) or field_entry(all, ours)) then
    return ("%s%s\n\n%s%s"):format(name, ":" .. hint:sub(2), text_of_one(ours, caller),
      longer and "\n" .. longer or "")
  end
  if longer then return longer end
  entry = entry or not inside and topic_of(short) or nil
  if hint and not entry then
    raise(("%s: there is nothing called %s%s"):format(caller, mlpl._shown(name), hint))
  end
  if not entry and not inside then unknown(name, caller) end
  if entry and inside then return text_of(entry) .. "\n" .. inside end
  return entry and text_of(entry) or inside
end

local function text(caller, ...)
  local n, out = select("#", ...), {}
  if n == 0 then return overview .. list_text "" end
  for i = 1, n do out[i] = text_of_one((select(i, ...)), caller) end
  return table.concat(out, "\n")
end

-- ---- the table ------------------------------------------------------------------------

local usage = 'mlpl.help is called: mlpl.help() lists what there is, mlpl.help "zeros" explains it'

local function no_arguments(what, ...)
  if select("#", ...) == 0 then return end
  raise(("help.%s: one argument too many: %s"):format(what, mlpl._shown((...))))
end

local help = {
  text = function(...) return text("help.text", ...) end,
  names = function(...)
    no_arguments("names", ...)
    return names()
  end,
  entry = function(name, ...)
    no_arguments("entry", ...)
    if type(name) ~= "string" then
      raise(("help.entry: the name is %s; it must be a text"):format(mlpl._shown(name)))
    end
    return entry_of(name)
  end,
  definitions = function(...)
    no_arguments("definitions", ...)
    return script "definitions" (names(), entry_of, arguments, returned)
  end,
}

return setmetatable(help, {
  __call = function(_, ...) io.stdout:write(text("help", ...)) end,
  __tostring = function() return usage end,
  __index = function(_, name)
    raise(("mlpl.help has no field %s; %s"):format(mlpl._shown(name), usage))
  end,
  __newindex = function(_, name)
    raise(("mlpl.help.%s: a script cannot add fields to the library's tables; use a local")
      :format(tostring(name):sub(1, 60)))
  end,
})
