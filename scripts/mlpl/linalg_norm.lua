-- linalg.norm(x, ord, dim, keepdim), any of the last three by name in a table as well: the
-- norm of all elements, of vectors along one axis, or of matrices in a pair of axes.
-- PyTorch's rules: without ord the 2-norm of all elements or along dim, Frobenius' for a
-- pair; with ord and without dim, x is one vector or one matrix.

local mlpl = ...

local linalg = mlpl.linalg
local rank_of = mlpl.zeros(1).dim
local names = { "ord", "dim", "keepdim" }
local known = { ord = true, dim = true, keepdim = true }

local function shown(value)
  local kind = type(value)
  if kind == "string" then return ("'%s'"):format(value:sub(1, 60)) end
  local plain = kind == "number" or kind == "boolean" or kind == "nil"
  return plain and tostring(value) or "a " .. kind
end

local function complain(text, ...) mlpl._raise(("norm: " .. text):format(...)) end

-- The arguments by name.
local function options_of(...)
  local given, args, n = {}, { ... }, select("#", ...)
  local last = args[n]
  if type(last) == "table" and rawlen(last) == 0 then
    for key, value in next, last do
      if not known[key] then
        complain("unknown option %s; the options are ord, dim, keepdim", shown(key))
      end
      given[key] = value
    end
    n = n - 1
  end
  if n > 3 then complain("one argument too many: %s", shown(args[4])) end
  for i = 1, n do
    local value = args[i]
    if value ~= nil and given[names[i]] ~= nil then
      complain("%s is given twice", names[i])
    elseif value ~= nil then
      given[names[i]] = value
    end
  end
  return given
end

-- Both axes of a pair, counted from 1.
local function pair_of(dim, rank)
  local axes = {}
  for i = 1, rawlen(dim) do
    local axis = math.type(rawget(dim, i)) == "integer" and rawget(dim, i) or 0
    axes[i] = axis < 0 and axis + rank + 1 or axis
    if axes[i] < 1 or axes[i] > rank then
      complain("dim holds %s, which is no axis of a tensor with %d", shown(rawget(dim, i)),
        rank)
    end
  end
  if #axes ~= 2 or axes[1] == axes[2] then
    complain "dim must be an axis, or two different ones in a table"
  end
  return axes[1], axes[2]
end

-- The two axes moved to the end, in this order; and back, when they were kept.
local function matrix_norm(x, ord, first, second, keepdim)
  local rank = rank_of(x)
  local now = first == rank and second or first    -- where the first transpose leaves it
  local turned = x:transpose(second, rank):transpose(now, rank - 1)
  local y = linalg.matrix_norm(turned, ord, true)
  y = y:transpose(now, rank - 1):transpose(second, rank)
  local low, high = math.min(first, second), math.max(first, second)
  if not keepdim then y = y:select(high, 1):select(low, 1) end
  return y:clone()    -- no view of what nobody else holds
end

local function check_tensor(x)
  if not mlpl._autograd.is_tensor(x) then
    complain("input is %s; it must be a tensor", shown(x))
  elseif not mlpl._autograd.is_live(x) then
    complain "input is a tensor that was released"
  end
end

-- What vector_norm and matrix_norm complain of, norm does.
local function as_norm(ok, ...)
  if ok then return ... end
  error(tostring((...)):gsub("^.-%f[%w]%l+_norm: ", "norm: "), 2)
end

local function norm_of(x, ...)
  local o = options_of(...)
  check_tensor(x)
  local ord, dim, keepdim, rank = o.ord, o.dim, o.keepdim, rank_of(x)
  if keepdim ~= nil and type(keepdim) ~= "boolean" then
    complain("keepdim is %s; it must be true or false", shown(keepdim))
  end
  if ord == nil and dim == nil then
    return linalg.vector_norm(x, 2, nil, keepdim)
  end
  if type(dim) == "table" then
    local first, second = pair_of(dim, rank)
    return matrix_norm(x, ord or "fro", first, second, keepdim)
  end
  if dim == nil and rank == 2 then return linalg.matrix_norm(x, ord, keepdim) end
  if dim == nil and rank ~= 1 then
    complain("the tensor has %d axes; with ord and without dim it must have one or two",
      rank)
  end
  return linalg.vector_norm(x, ord, dim, keepdim)
end

local function norm(...) return as_norm(pcall(norm_of, ...)) end

return norm
