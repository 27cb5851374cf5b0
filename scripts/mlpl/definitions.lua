-- What editors know of mlpl: a definition file for the Lua language server (---@meta), made
-- from the entries of the help. definitions(names, entry_of, arguments, returned) gives its
-- text.

local mlpl = ...

local classes = {
  Tensor = true, Module = true, Optimizer = true, Dataset = true, Batches = true,
  Step = true, Generator = true, Hook = true,
}

-- "Tensor|number?" as the language server spells it.
local function type_text(name)
  return (name:gsub("[%w_]+", function(word)
    return classes[word] and "mlpl." .. word or word
  end))
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

-- Options may follow in order or stand in one table at the end.
local function overload(out, list, results)
  local before, options = {}, {}
  for _, a in ipairs(list) do
    if a.option then
      options[#options + 1] = ("%s%s: %s"):format(a.name, a.optional and "?" or "",
        type_text(a.type))
    else
      before[#before + 1] = ("%s%s: %s"):format(parameter_name(a.name),
        a.optional and "?" or "", type_text(a.type))
    end
  end
  if #options == 0 then return end
  before[#before + 1] = ("options: { %s }"):format(table.concat(options, ", "))
  out[#out + 1] = ("---@overload fun(%s)%s"):format(table.concat(before, ", "),
    #results > 0 and ": " .. table.concat(results, ", ") or "")
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
      a.optional and name ~= "..." and "?" or "", type_text(a.type:gsub("%?$", "")),
      a.text and " " .. a.text:gsub("%s+", " ") or "")
  end
  for _, r in ipairs(returned(entry)) do
    results[#results + 1] = type_text(r[2])
    out[#out + 1] = ("---@return %s %s%s"):format(results[#results], r[1],
      r[3] and " # " .. r[3]:gsub("%s+", " ") or "")
  end
  overload(out, list, results)
  local target = is_method and is_method .. ":" .. method or "mlpl." .. path
  out[#out + 1] = ("function %s(%s) end"):format(target, table.concat(names, ", "))
end

-- A table that can be called: its fields follow as names of their own.
local function write_callable_table(out, path, entry, arguments)
  local list = {}
  for i, a in ipairs(arguments(entry)) do
    list[i] = ("%s%s: %s"):format(parameter_name(a.name), a.optional and "?" or "",
      type_text(a.type:gsub("%?$", "")))
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
  if kind == "Tensor" then
    for _, event in ipairs { "add", "sub", "mul", "div", "pow", "mod", "idiv", "band", "bor",
      "bxor" } do
      out[#out + 1] = ("---@operator %s(mlpl.Tensor|number): mlpl.Tensor"):format(event)
    end
    out[#out + 1] = "---@operator unm: mlpl.Tensor\n---@operator bnot: mlpl.Tensor"
  end
  if kind == "Module" then
    out[#out + 1] = "---@overload fun(...: mlpl.Tensor): mlpl.Tensor"
  end
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
    "\n---@class mlpl", "local mlpl = {}" }
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
