-- What an operation's result has to be, told from its row alone: the same call, said in the
-- plainest way: tensors with memory of their own in the dtype that the row computes in,
-- tensors for numbers, options by name, as whole numbers, with what stands for those left
-- out.

local mlpl = require "mlpl"
local odd = require "odd"

local plainly = {}

local is_tensor = odd.is_tensor

-- ---- dtypes ---------------------------------------------------------------------------

local rank = { bool = 0, u8 = 1, i64 = 2, f32 = 3, f64 = 4 }
local kind = { bool = 0, u8 = 1, i64 = 1, f32 = 2, f64 = 2 }

local function higher(a, b)
  return (not a or b and rank[b] > rank[a]) and b or a
end

-- The highest dtype of tensors with axes; one without counts where its kind is higher.
local function common_dtype(row, inputs)
  local with_axes, without
  for i, input in ipairs(row.inputs) do
    local t = inputs[i]
    if t and input.domain == "numbers" then
      if t:dim() > 0 then with_axes = higher(with_axes, t.dtype)
      else without = higher(without, t.dtype) end
    end
  end
  local both = with_axes and without
  local dtype = with_axes or without
  if both and kind[without] > kind[with_axes] then dtype = without end
  local computes = {}
  for _, each in ipairs(row.computes) do computes[each] = true end
  if computes.bool and not computes.f32 and not computes.i64 then return "bool" end
  local reals = computes.f32 and not computes.i64
  return dtype and reals and kind[dtype] < 2 and "f32" or dtype
end

-- ---- inputs ---------------------------------------------------------------------------

-- The dtype that a number has beside tensors.
local function dtype_beside(row, inputs, place)
  if row.broadcasts then return inputs[3 - place].dtype end
  if row.options_first > 0 then return inputs[1].dtype end
  local dtype
  for i, input in ipairs(row.inputs) do
    local t = input.domain == "numbers" and inputs[i]
    if is_tensor(t) then dtype = higher(dtype, t.dtype) end
  end
  return dtype or "f32"
end

local function number_tensor(v, beside)
  if type(v) == "boolean" then return mlpl.tensor(v, { dtype = "bool" }) end
  local whole = math.type(v) == "integer"
  local dtype = beside
  if kind[dtype] < 2 and not whole then dtype = "f32" end
  if dtype == "bool" then dtype = "i64" end
  return mlpl.tensor(v, { dtype = dtype })
end

local function plain_inputs(row, inputs)
  local plain = {}
  if row.list then
    for i, t in ipairs(inputs) do plain[i] = t:clone() end
    return plain
  end
  for i = 1, #row.inputs do
    local v = inputs[i]
    if is_tensor(v) then plain[i] = v:detach():clone()
    elseif v ~= nil then plain[i] = number_tensor(v, dtype_beside(row, inputs, i)) end
  end
  local dtype = row.promotes and common_dtype(row, plain)
  for i, input in ipairs(row.inputs) do
    local converts = dtype and plain[i] and input.domain == "numbers"
    if converts then plain[i] = plain[i]:to(dtype) end
  end
  return plain, dtype
end

-- ---- options --------------------------------------------------------------------------

local lists = { sizes = true, axes = true, ["axis list"] = true, extent = true }

local function whole(v) return type(v) == "number" and math.tointeger(v) or v end

local function choice(v)
  if type(v) ~= "number" then return v end
  if v == math.huge then return "inf" end
  if v == -math.huge then return "-inf" end
  return ("%d"):format(whole(v))
end

local function plain_option(p, v)
  -- clamp's: to be given, an infinite bound makes reals of whole numbers
  if v == nil and p.nan and math.abs(p.standard or 0) == math.huge then return nil end
  if v == nil then return p.standard end
  if p.type == "choice" then return choice(v) end
  if p.type == "number" or p.type == "boolean" or p.type == "pair" then return v end
  if not lists[p.type] or type(v) == "string" then return whole(v) end
  if type(v) == "number" then return { whole(v) } end
  local list = {}
  for i = 1, rawlen(v) do list[i] = whole(rawget(v, i)) end
  return list
end

local function plain_options(row, options)
  local plain = {}
  for _, p in ipairs(row.params) do plain[p.name] = plain_option(p, options[p.name]) end
  return plain
end

-- ---- the call -------------------------------------------------------------------------

-- f's results, packed, and the dtype that it computed in, where the row says which.
function plainly.call(row, f, inputs, options)
  local plain, dtype = plain_inputs(row, inputs)
  local named = plain_options(row, options)
  if row.list then return table.pack(f(plain, next(named) and named)), dtype end
  local n = 0
  for i, input in ipairs(row.inputs) do
    if input.required then n = i else named[input.name] = plain[i] end
  end
  plain[n + 1] = next(named) and named or nil
  return table.pack(f(table.unpack(plain, 1, n + 1))), dtype
end

-- ---- comparing ------------------------------------------------------------------------

local function same_shape(a, b)
  return table.concat(a, "x") == table.concat(b, "x")
end

-- Are all elements the same? NaN is NaN.
function plainly.same(a, b)
  if a.dtype ~= b.dtype or not same_shape(a.shape, b.shape) then return false end
  local real = kind[a.dtype] == 2
  a, b = a:detach(), b:detach()
  return real and a:allclose(b, 0, 0, true) or not real and a:equal(b)
end

function plainly.shown(t)
  if not is_tensor(t) then return tostring(t) end
  local text = tostring(t):gsub("%s+", " ")
  return ("%s of %s [%s]"):format(text:sub(1, 60), t.dtype, table.concat(t.shape, "x"))
end

-- ---- rules of the row -----------------------------------------------------------------

local function broadcast(a, b)
  local shape = {}
  local n = math.max(#a, #b)
  for d = 1, n do
    local x, y = a[d - n + #a] or 1, b[d - n + #b] or 1
    shape[d] = x == 1 and y or x
  end
  return shape
end

local function param(row, name)
  for _, p in ipairs(row.params) do
    if p.name == name then return p end
  end
end

-- Without the axes of dim; all axes where there are none.
local function reduced(shape, dim, keepdim)
  local gone, left = {}, {}
  if type(dim) == "number" then dim = { dim } end
  local all = dim == nil or #dim == 0
  for _, d in ipairs(dim or {}) do gone[d < 0 and d + #shape + 1 or d] = true end
  for d, size in ipairs(shape) do
    if not (all or gone[d]) then left[#left + 1] = size
    elseif keepdim then left[#left + 1] = 1 end
  end
  return left
end

-- The shape that the row's rule gives, or nil where it is no rule that can be told.
function plainly.shape(row, inputs, options)
  if row.list or not is_tensor(inputs[1]) and not row.broadcasts then return nil end
  local function shape_of(v) return is_tensor(v) and v.shape or {} end
  if row.broadcasts then return broadcast(shape_of(inputs[1]), shape_of(inputs[2])) end
  if row.in_place then                               -- of several inputs it may broadcast
    local alone = #row.inputs == 1
    for _, p in ipairs(row.params) do
      if p.tensor and type(options[p.name]) ~= "number" then alone = false end
    end
    return alone and inputs[1].shape or nil
  end
  local sizes = row.inputs[2] == nil and param(row, "sizes")
  if sizes and #row.params == 1 and row.name ~= "tile" then
    local given = plain_option(sizes, options.sizes)
    for _, size in ipairs(given) do
      if size < 0 then return nil end
    end
    return given
  end
  local dim = param(row, "dim")
  if dim and param(row, "keepdim") then
    return reduced(inputs[1].shape, plain_option(dim, options.dim), options.keepdim)
  end
end

-- What is documented for no elements, over all of them.
local of_nothing = {
  sum = 0, prod = 1, all = true, any = false, count_nonzero = 0, mean = 0 / 0, norm = 0,
  logsumexp = -math.huge, var = 0 / 0, std = 0 / 0, vector_norm = 0,
}

local function same_number(a, b)
  return a == b or type(a) == "number" and type(b) == "number" and a ~= a and b ~= b
end

-- What is wrong with the results of a call, or nil.
function plainly.wrong(row, f, results, inputs, options)
  local count = 0
  for i = 1, results.n do
    if not is_tensor(results[i]) then return "result " .. i .. " is no tensor" end
    count = i
  end
  if count < 1 or count > row.outputs then
    return ("%d results, not %d"):format(count, row.outputs)
  end
  local first = results[1]
  local shape = plainly.shape(row, inputs, options)
  if shape and not same_shape(first.shape, shape) then
    return "its shape should be [" .. table.concat(shape, "x") .. "]: " ..
      plainly.shown(first)
  end
  local nothing = of_nothing[row.name]
  local over_all = is_tensor(inputs[1]) and inputs[1]:dim() == 1 and first:dim() == 0
  if nothing ~= nil and over_all and inputs[1]:numel() == 0 and
    not same_number(first:item(), nothing) then
    return "of nothing it should be " .. tostring(nothing) .. ": " .. plainly.shown(first)
  end
  if row.random then mlpl.seed(1) end
  local plain, dtype = plainly.call(row, f, inputs, options)
  if plain.n ~= results.n then
    return ("%d results; plainly said %d"):format(results.n, plain.n)
  end
  for i = 1, plain.n do
    if not plainly.same(results[i], plain[i]) then
      return ("result %d is %s; plainly said it is %s"):format(i,
        plainly.shown(results[i]), plainly.shown(plain[i]))
    end
  end
  local wanted = not (row.list and row.promotes) and row.result
  for i, input in ipairs(row.inputs) do
    if input.name == wanted then
      local numbers = dtype and input.domain == "numbers"
      wanted = numbers and dtype or is_tensor(inputs[i]) and inputs[i].dtype or nil
    end
  end
  if wanted == "bool" and (row.name == "clamp" or row.name == "clip") then
    wanted = nil -- its bounds, which are numbers, decide
  end
  if wanted and first.dtype ~= wanted then
    return "its dtype should be " .. wanted .. ": " .. plainly.shown(first)
  end
end

return plainly
