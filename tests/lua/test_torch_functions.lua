-- Functions that are no rows of the operation table against values made by PyTorch: results,
-- their dtypes and shapes, and gradients; every case in f64 and f32, its inputs contiguous and
-- strided.

local lu = require "luaunit"
local mlpl = require "mlpl"

local cases = dofile "tests/golden/torch_functions.lua"
local tolerance = { f64 = 1e-12, f32 = 5e-6 }

TestTorchFunctions = {}

-- Its elements are every second in memory.
local function strided(t)
  return mlpl.stack({ t, t }, -1):select(-1, 1):detach()
end

local function made(dtype, shape, values)
  if #values == 0 then return mlpl.zeros(shape, { dtype = dtype }) end
  return mlpl.tensor(values, { dtype = dtype }):reshape(shape)
end

-- A tensor of a case, its reals in `real`.
local function read(of, real)
  return made(of[1] == "f64" and real or of[1], of[2], of[3])
end

local function same(where, found, of, real, makes)
  local dtype = of[1] == "f64" and not makes and real or of[1]
  lu.assertEquals({ found.dtype, found.shape }, { dtype, of[2] }, where)
  local flat = found:detach():reshape(-1):totable()
  for i, wanted in ipairs(of[3]) do
    if type(wanted) == "boolean" then
      lu.assertEquals(flat[i], wanted, where)
    elseif not (math.abs(flat[i] - wanted) <= tolerance[real] * math.max(1, math.abs(wanted))) then
      lu.fail(("%s: element %d is %.17g, PyTorch's %.17g"):format(where, i, flat[i], wanted))
    end
  end
end

-- The same as the program that made the values has.
local function weights(like)
  local w = {}
  for i = 0, like:numel() - 1 do w[i + 1] = 0.25 + 0.5 * (7 * i % 5 - 2) end
  return made(like.dtype, like.shape, w)
end

local function weighted_sum(results)
  local total
  for _, r in ipairs(results) do
    if r.requires_grad then
      local part = (r * weights(r)):sum()
      total = total and total + part or part
    end
  end
  return total
end

local function check_case(case, real, layout)
  local env, leaves = { mlpl = mlpl, unpack = table.unpack }, {}
  local where = ("%s, %s: %s"):format(real, layout == strided and "strided" or "contiguous",
    case[2])
  for name, of in pairs(case.inputs) do
    env[name] = layout(read(of, real))
    if of[1] == "f64" then leaves[name] = env[name]:requires_grad_() end
  end
  local results = { assert(load(case[2], "=case", "t", env))() }
  lu.assertEquals(#results, #case.results, where)
  for k, of in ipairs(case.results) do
    same(where, results[k], of, real, next(leaves) == nil)
  end
  local total = weighted_sum(results)
  lu.assertEquals(total ~= nil, next(case.gradients) ~= nil, where)
  if total then total:backward() end
  for name, of in pairs(case.gradients) do
    same(where .. ": gradient of " .. name, leaves[name].grad or mlpl.zeros_like(leaves[name]),
      of, real)
  end
end

local function as_it_is(t)
  return t
end

-- First and second gradients of a case against central differences.
local function check_gradients(case)
  local names, inputs = {}, {}
  for name, of in pairs(case.inputs) do
    if case.gradients[name] and #of[3] > 0 then
      names[#names + 1], inputs[#inputs + 1] = name, read(of, "f64")
    end
  end
  if #names == 0 or case[1]:find "^autograd%." then return 0 end
  local function f(...)
    local env = { mlpl = mlpl, unpack = table.unpack }
    for name, of in pairs(case.inputs) do env[name] = read(of, "f64") end
    for i, name in ipairs(names) do env[name] = select(i, ...) end
    local results = { assert(load(case[2], "=case", "t", env))() }
    for k, r in ipairs(results) do
      if r.requires_grad then results[k] = r:sin() end          -- nothing is linear
    end
    return weighted_sum(results)
  end
  mlpl.autograd.gradcheck(f, inputs)
  mlpl.autograd.gradgradcheck(f, inputs)
  return 1
end

function TestTorchFunctions:test_gradients_against_differences()
  local n = 0
  for _, case in ipairs(cases) do
    local ok, message = pcall(check_gradients, case)
    if not ok then lu.fail(case[2] .. ": " .. tostring(message)) end
    n = n + message
  end
  print(("# first and second gradients of %d cases"):format(n))
  lu.assertTrue(n > 130)
end

for _, real in ipairs { "f64", "f32" } do
  for name, layout in pairs { contiguous = as_it_is, strided = strided } do
    TestTorchFunctions["test_" .. real .. "_" .. name] = function()
      for _, case in ipairs(cases) do check_case(case, real, layout) end
    end
  end
end

-- ---- what has none --------------------------------------------------------------------

-- Names that give tensors, and are compared elsewhere or with nothing of PyTorch's.
local elsewhere = {
  random = "bernoulli multinomial normal rand rand_like randint randint_like randn randn_like "
    .. "randperm", -- other numbers than PyTorch's: test_random
  the_same_elements = "Tensor.contiguous Tensor.detach Tensor.retain_grad Tensor.to "
    .. "Tensor.type_as empty empty_like tensor", -- test_tensor, test_dtypes
  like_the_functions = "Tensor.new_full Tensor.new_ones Tensor.new_zeros",
  files = "data.idx data.npy load",
  modules = "Module.forward Module.parameters Module.predict nn.checkpoint",
  differences = "autograd.numeric_grad",
  flags = "Tensor.detach_ Tensor.requires_grad_",
  random_in_place = "Tensor.bernoulli_ Tensor.exponential_ Tensor.normal_ Tensor.uniform_",
  initialisers = "nn.init.constant_ nn.init.kaiming_normal_ nn.init.kaiming_uniform_ "
    .. "nn.init.normal_ nn.init.ones_ nn.init.uniform_ nn.init.xavier_normal_ "
    .. "nn.init.xavier_uniform_ nn.init.zeros_", -- golden.json
}

local function left_out()
  local out = {}
  for _, list in pairs(elsewhere) do
    for name in list:gmatch "%S+" do out[name], out["Tensor." .. name] = true, true end
  end
  return out
end

-- Cases are of the short name, "nn.fold"; of methods, of the function.
local function names_of_cases()
  local has = {}
  for _, case in ipairs(cases) do has[case[1]] = true end
  for line in io.lines "tests/golden/torch_values.txt" do
    local name = line:match "^case (%S+)"
    if name then has[name] = true end
  end
  return has
end

local function gives_tensors(name)
  for _, each in ipairs(mlpl.help.entry(name).returns or {}) do
    if each[2]:find "Tensor" then return true end
  end
  return false
end

-- Every public function that gives tensors is compared: here, or in the table of operations by
-- one of its names, or, in place, by the form that is not.
function TestTorchFunctions:test_every_function_has_cases()
  local has, but, missing = names_of_cases(), left_out(), {}
  for name in pairs(mlpl.help.names()) do
    local short = name:gsub("^Tensor%.", ""):gsub("^linalg%.", "")
    local plain = short:gsub("^nn%.", ""):gsub("_$", "")
    local compared = has[short] or has[plain] or but[name] or mlpl._describe_op(plain)
    if not compared and gives_tensors(name) then missing[#missing + 1] = name end
  end
  table.sort(missing)
  lu.assertEquals(missing, {})
  print(("# %d cases of functions that are no rows"):format(#cases))
end
