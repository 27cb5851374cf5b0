-- What editors know of mlpl: a definition file for the Lua language server (---@meta), made
-- from the entries of the help. definitions(names, entry_of, arguments, returned) gives its
-- text.

local mlpl = ...

local classes = {
  Tensor = true, Module = true, Optimizer = true, Dataset = true, Batches = true,
  Step = true, Generator = true, Hook = true,
}

-- What values of a class can do that is no method and no field.
local abilities = {
  Tensor = {
    "---@field [integer] mlpl.Tensor", "---@field [table] mlpl.Tensor",
    "---@field [mlpl.Tensor] mlpl.Tensor", "---@operator len: integer",
    "---@operator unm: mlpl.Tensor", "---@operator bnot: mlpl.Tensor",
  },
  Module = {
    "---@field [integer] mlpl.Module", "---@operator len: integer",
    "---@overload fun(...: mlpl.Tensor): mlpl.Tensor",
  },
  Dataset = { "---@operator len: integer" },
  Batches = { "---@overload fun(): mlpl.Tensor?, mlpl.Tensor?" },
  Step = { "---@overload fun(...: mlpl.Tensor): mlpl.Tensor" },
}
for _, event in ipairs { "add", "sub", "mul", "div", "pow", "mod", "idiv", "band", "bor",
  "bxor", "shl", "shr" } do
  table.insert(abilities.Tensor,
    ("---@operator %s(mlpl.Tensor|number): mlpl.Tensor"):format(event))
end

-- Options of functions whose help tells them in a sentence.
local options = {
  dtype = '"f32"|"f64"|"i64"|"u8"|"bool"', requires_grad = "boolean",
  generator = "mlpl.Generator", replacement = "boolean", indexing = '"ij"|"xy"',
  shuffle = "boolean", stratify = "boolean", size = "integer", drop_last = "boolean",
  labels = "integer|string", target = "integer|string", separator = "string",
  header = "boolean", classes = "string[]", compressed = "boolean",
  create_graph = "boolean", retain_graph = "boolean", allow_unused = "boolean",
  grad_outputs = "mlpl.Tensor|mlpl.Tensor[]", eps = "number", atol = "number",
  rtol = "number", equal_nan = "boolean", epochs = "integer", every = "number",
  columns = "integer", precision = "integer", threshold = "integer", edgeitems = "integer",
  linewidth = "integer", sci_mode = "boolean",
}

-- "{ dtype?: ..., requires_grad?: ... }" of the options that a text names, or "table".
local function table_text(text)
  local list, seen = {}, {}
  for word in (text or ""):gmatch "[%a_]+" do
    if options[word] and not seen[word] then
      seen[word] = true
      list[#list + 1] = ("%s?: %s"):format(word, options[word])
    end
  end
  return #list > 0 and ("{ %s }"):format(table.concat(list, ", ")) or "table"
end

-- "Tensor|number?" as the language server spells it.
local function type_text(name)
  return (name:gsub("[%w_]+", function(word)
    return classes[word] and "mlpl." .. word or word
  end))
end

-- The type of an argument: its choices, the options its text tells.
local function argument_type(a)
  if a.choices then
    return ('"%s"'):format(table.concat(a.choices, '"|"'))
  end
  local text = type_text(a.type:gsub("%?$", ""))
  return (text:gsub("%f[%w]table%f[%W]", function() return table_text(a.text) end))
end

local function comment(text)
  return "---" .. text:gsub("\n", "\n---")
end

-- A name that Lua keeps for itself is no parameter's name.
local reserved = { ["end"] = true, ["repeat"] = true, ["function"] = true, ["in"] = true }

local function parameter_name(name)
  if name == "..." then return name end
  name = name:gsub("[^%w_]", "_")
  return reserved[name] and name .. "_" or name
end

local function typed(a, name)
  return ("%s%s: %s"):format(name, a.optional and "?" or "", argument_type(a))
end

-- Options may follow in order or stand in one table at the end, the first ones in order
-- and the others in a table. A method's form begins with the value itself.
local function overloads(out, list, results, self)
  local words = { self and "self: mlpl." .. self }
  for i, a in ipairs(list) do
    if a.option and (a.optional or i == #list) then
      local rest = {}
      for k = i, #list do rest[#rest + 1] = typed(list[k], list[k].name) end
      local all = table.move(words, 1, #words, 1, {})
      all[#all + 1] = ("options: { %s }"):format(table.concat(rest, ", "))
      out[#out + 1] = ("---@overload fun(%s)%s"):format(table.concat(all, ", "),
        #results > 0 and ": " .. table.concat(results, ", ") or "")
    end
    words[#words + 1] = typed(a, parameter_name(a.name))
  end
end

local function write_function(out, path, entry, arguments, returned)
  local list, names, results = arguments(entry), {}, {}
  local kind, method = path:match "^(%u%w+)%.([%w_]+)$"
  local is_method = classes[kind] and kind
  if is_method and list[1] and list[1].type:match(kind) then table.remove(list, 1) end
  out[#out + 1] = "\n" .. comment(entry[1]:gsub("%s+", " "))
  if entry.example then
    out[#out + 1] = "---```lua\n" .. comment((entry.example:gsub("%s+$", ""))) .. "\n---```"
  end
  for i, a in ipairs(list) do
    local name = parameter_name(a.name)
    names[i] = name
    out[#out + 1] = ("---@param %s%s %s%s"):format(name,
      a.optional and name ~= "..." and "?" or "", argument_type(a),
      a.text and " " .. a.text:gsub("%s+", " ") or "")
  end
  if #list > 0 and list[#list].variadic then          -- x:view(2, 3), too
    names[#names + 1] = "..."
    out[#out + 1] = "---@param ... integer"
  end
  for _, r in ipairs(returned(entry)) do
    results[#results + 1] = type_text(r[2])
    out[#out + 1] = ("---@return %s %s%s"):format(results[#results], r[1],
      r[3] and " # " .. r[3]:gsub("%s+", " ") or "")
  end
  overloads(out, list, results, is_method)
  local target = is_method and is_method .. ":" .. method or "mlpl." .. path
  out[#out + 1] = ("function %s(%s) end"):format(target, table.concat(names, ", "))
end

-- A table that can be called: its fields follow as names of their own.
local function write_callable_table(out, path, entry, arguments)
  local list = {}
  for i, a in ipairs(arguments(entry)) do
    list[i] = typed(a, parameter_name(a.name))
  end
  out[#out + 1] = "\n" .. comment(entry[1]:gsub("%s+", " "))
  out[#out + 1] = ("---@overload fun(%s)\nmlpl.%s = {}"):format(table.concat(list, ", "), path)
end

local function write_class(out, kind, entry)
  out[#out + 1] = ("\n---@class mlpl.%s"):format(kind)
  for _, field in ipairs(entry and entry.fields or {}) do
    out[#out + 1] = ("---@field %s %s %s"):format(field[1], type_text(field[2]),
      field[3] or "")
  end
  for _, line in ipairs(abilities[kind] or {}) do out[#out + 1] = line end
  out[#out + 1] = ("local %s = {}"):format(kind)
end

local function sorted_keys(t)
  local keys = {}
  for k in pairs(t) do keys[#keys + 1] = k end
  table.sort(keys)
  return keys
end

return function(names, entry_of, arguments, returned)
  local out = { "---@meta mlpl", "-- mlpl " .. mlpl.version .. ", made by: mlpl help --definitions",
    "\n---@class mlpl\n---@field version string\n---@field _VERSION string", "local mlpl = {}" }
  for _, kind in ipairs(sorted_keys(classes)) do write_class(out, kind, entry_of(kind)) end
  for _, path in ipairs(sorted_keys(names)) do
    local entry, value = entry_of(path), names[path]
    local callable = type(value) == "function" or
      (getmetatable(value) and getmetatable(value).__call)
    if callable and entry and type(value) == "table" then
      write_callable_table(out, path, entry, arguments)
    elseif callable and entry then
      write_function(out, path, entry, arguments, returned)
    elseif type(value) == "table" then
      out[#out + 1] = ("\nmlpl.%s = {}"):format(path)
    end
  end
  out[#out + 1] = "\nreturn mlpl\n"
  return table.concat(out, "\n")
end
