-- Built-in help. mlpl.help(what) prints what it knows of a name ("linalg.svd"), a function,
-- a layer or a tensor; mlpl.help() lists the parts. The command does the same: mlpl help
-- linalg.svd.
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
--     returns = { { "U", "Tensor", "[m x k]" }, ... },    -- one Tensor unless told
--     memory = "a view: shares memory with input",
--     errors = "what raises, or gives nil, message, code",
--     example = "local U, S, Vh = mlpl.linalg.svd(mlpl.randn(3, 2))",
--     source = "where the formula is from",
--   }
--
-- The same entries make definitions for editors (help.definitions()).

local mlpl, script = ...

local parts = {
  "mlpl", "tensor", "autograd", "nn", "optim", "data",
  "arithmetic", "functions", "reductions", "shapes", "products", "windows", "activations",
  "losses", "linalg",    -- operations of the engine's table
}
local types = { "Tensor", "Module", "Optimizer", "Dataset", "Batches", "Step", "Generator",
  "Hook" }

local entries

local function load_entries()
  if entries then return entries end
  entries = {}
  for _, part in ipairs(parts) do
    for name, entry in pairs(script("help." .. part)) do
      assert(not entries[name], name)
      entry.name = name
      entries[name] = entry
    end
  end
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

-- "Tensor.abs_": the entry of abs, told of the form that changes its receiver.
local function in_place_entry(all, name)
  local op = name:match "^Tensor%.(%a[%w_]*)_$" or name:match "^(%a[%w_]*)_$"
  local entry = op and mlpl._methods "Tensor"[op .. "_"] and mlpl._describe_op(op) and all[op]
  if not entry then return nil end
  return {
    "In place: " .. entry[1],
    name = op .. "_", row = op, in_place = true, args = entry.args,
    returns = { { "", "Tensor", "the receiver, which holds the result" } },
    memory = "overwrites its receiver and every view of the same elements",
    errors = (entry.errors and entry.errors .. "; " or "") ..
      "a result whose shape or dtype the receiver cannot hold; a leaf that requires a " ..
      "gradient, outside no_grad; a later backward that needs the old value",
    source = entry.source,
  }
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
  axes = "integer|integer[]", index = "integer", choice = "string", sizes = "integer[]",
  pair = "number[]", ["axis list"] = "integer|integer[]", extent = "integer|integer[]|string",
}

local function domain(p)
  if p.choices then return "one of " .. table.concat(p.choices, ", ") end
  if p.min and p.max and p.max < 9e15 then
    return ("from %s to %s"):format(number(p.min), number(p.max))
  end
  return p.min and p.min > -9e15 and "at least " .. number(p.min) or nil
end

local function described(entry)
  return mlpl._describe_op(entry.row or entry.name) or
    mlpl._describe_kind(entry.name:match "[%w_]+$")
end

-- The arguments of an entry, in order: name, type, text, optional, standard.
local function arguments(entry)
  local list, texts = {}, entry.args or {}
  for _, arg in ipairs(texts) do
    list[#list + 1] = { name = arg[1], type = arg[2], text = arg[3],
      optional = arg.optional or arg[2]:sub(-1) == "?" }
  end
  local d = #list == 0 and described(entry)
  for _, input in ipairs(d and d.inputs or {}) do
    local number = input.number and not (entry.in_place and #list == 0)
    list[#list + 1] = { name = input.name, type = number and "Tensor|number" or "Tensor",
      text = texts[input.name], optional = not input.required }
  end
  for i, p in ipairs(d and d.params or {}) do
    local early = i <= (d.options_first or 0)     -- x:gather(dim, index)
    table.insert(list, early and 1 + i or #list + 1,
      { name = p.name, type = lua_types[p.type], text = texts[p.name],
        optional = not p.required, standard = p.standard, domain = domain(p),
        option = not early })
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

local function returned(entry)
  if entry.returns then return entry.returns end
  local d = mlpl._describe_op(entry.row or entry.name)
  return d and { { "", "Tensor" } } or {}
end

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

-- The names right below a path ("" or "nn"), in columns.
local function list_text(path)
  local found, endings = {}, {}
  local start = path == "" and "" or path .. "."
  for name in pairs(names()) do
    local inside = name:sub(1, #start) == start and name:sub(#start + 1)
    local head = inside and inside:match "^[^.]+"
    if head then endings[head] = (inside ~= head or endings[head] == ".") and "." or "" end
  end
  for head, ending in pairs(endings) do found[#found + 1] = head .. ending end
  if #found == 0 then return nil end
  table.sort(found)
  return wrap(table.concat(found, "  "), "  ") .. "\n"
end

local overview = [[
mlpl.help(what) explains a name ("linalg.svd", "Tensor.sum", "nn.Linear"), a function or
a part ("nn"). On the command line: mlpl help linalg.svd

]]

local function text(what, caller)
  if what == nil then return overview .. list_text "" end
  local name = what
  if type(what) ~= "string" then
    local kind = type(what) == "userdata" and getmetatable(what)
    name = name_of(what) or (type(kind) == "table" and kind.__name) or nil
    if not name then
      error(("%s: what is a %s that is not mlpl's; give a name or a function of mlpl")
        :format(caller, type(what)), 3)
    end
  end
  name = name:gsub("^mlpl%.", "")
  local entry, inside = entry_of(name), list_text(name)
  if entry and inside then return text_of(entry) .. "\n" .. inside end
  if entry or inside then return entry and text_of(entry) or inside end
  local known = {}
  for each in pairs(names()) do known[#known + 1] = each end
  for each in pairs(load_entries()) do known[#known + 1] = each end
  error(("%s: there is nothing called %s%s"):format(caller, mlpl._shown(name),
    mlpl._nearest(name, known)), 3)
end

return setmetatable({
  text = function(what) return text(what, "help.text") end,
  names = names,
  entry = function(name)
    if type(name) ~= "string" then
      error(("help.entry: the name is a %s; it must be a text"):format(type(name)), 2)
    end
    return entry_of(name)
  end,
  definitions = function()
    return script "definitions" (names(), entry_of, arguments, returned)
  end,
}, { __call = function(_, what) io.stdout:write(text(what, "help")) end })
