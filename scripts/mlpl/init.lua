-- The Lua half of the library, opened once for a state: the parts of `mlpl` that are
-- written in Lua appear when they are first used, and a name that does not exist raises
-- instead of giving nil, in `mlpl` and in the tables inside it.
--
-- script(name) runs the embedded script mlpl.<name> with the library's table.

local mlpl, script = ...

local lazy = { args = "args", autograd = "autograd", help = "help", progress = "progress",
  profiler = "profiler", _nearest = "nearest", _elsewhere = "elsewhere" }

-- The string keys of a table, and what would be there if asked for.
local function names_in(t, more)
  local names = {}
  for name in pairs(t) do
    if type(name) == "string" and name:sub(1, 1) ~= "_" then names[#names + 1] = name end
  end
  for name in pairs(more or {}) do
    if rawget(t, name) == nil and name:sub(1, 1) ~= "_" then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

local function shown(name)
  local text = mlpl._shown(name)
  return type(name) == "string" and text or "[" .. text .. "]"
end

local guard

function guard(t, title, more)
  local function missing(_, name)
    local file = more and more[name]
    if file then
      local value = script(file)
      if type(value) == "table" and not getmetatable(value) then
        guard(value, title .. "." .. name)
      end
      rawset(t, name, value)
      return value
    end
    local hint = type(name) == "string" and mlpl._elsewhere(name, title) or
      mlpl._nearest(name, names_in(t, more))
    mlpl._raise(("%s has no field %s%s"):format(title, shown(name), hint))
  end
  local function locked(_, name)
    mlpl._raise(("%s.%s: a script cannot add fields to the library's tables; use a local")
      :format(title, tostring(name):sub(1, 60)))
  end
  local function tostring_of()
    local name = title:gsub("^mlpl%.?", "")
    return name == "" and "mlpl: mlpl.help() lists what is in it" or
      ("%s: mlpl.help %q lists what is in it"):format(title, name)
  end
  return setmetatable(t, { __index = missing, __newindex = locked,
    __tostring = tostring_of })
end

-- Only plain tables are ours to guard: one that has a metatable knows what it is.
local function guard_all(t, title, more)
  for name, value in pairs(t) do
    local plain = type(value) == "table" and getmetatable(value) == nil
    if plain and type(name) == "string" and name:sub(1, 1) ~= "_" then
      guard_all(value, title .. "." .. name)
    end
  end
  guard(t, title, more)
end

mlpl.linalg.solve_triangular = mlpl.linalg.triangular_solve    -- PyTorch's name
local lazy_linalg = { norm = "linalg_norm" }
-- Functions as well as methods, as PyTorch has them.
for _, name in ipairs { "split", "chunk", "unbind", "unique", "unique_consecutive", "tensor_split",
  "hsplit", "vsplit", "dsplit", "is_floating_point", "numel" } do
  mlpl[name] = mlpl._methods "Tensor"[name]
end
-- Whoever lists what there is needs the lazy parts, too.
function mlpl._load_all()
  for name in pairs(lazy) do local _ = mlpl[name] end
  for name in pairs(lazy_linalg) do local _ = mlpl.linalg[name] end
end
guard(mlpl.linalg, "mlpl.linalg", lazy_linalg)
guard_all(mlpl, "mlpl", lazy)

-- What the binding says of a name that a value does not have.
local tensor_fields = { shape = true, T = true, mT = true, ndim = true, dtype = true, grad = true, requires_grad = true,
  is_leaf = true, grad_fn = true, retains_grad = true }
local layer_fields = { training = true, weight = true, bias = true }
mlpl._on_missing(function(name, whose, methods)
  local fields = whose == "a tensor" and tensor_fields or
    methods == mlpl._methods "Module" and layer_fields or nil
  return mlpl._elsewhere(name, whose) or mlpl._nearest(name, names_in(methods, fields))
end)
