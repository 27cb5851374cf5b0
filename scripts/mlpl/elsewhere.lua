-- Names of other libraries, and of ours where they are not asked for: elsewhere(name, whose)
-- gives "; x:totable() does that", to be appended to a message that `whose` ("a tensor",
-- "mlpl.linalg", "a Linear") has no such name, or nil.

local mlpl = ...

-- What PyTorch's and NumPy's users write -> what it is called here.
local of_tensors = {
  tolist = "x:totable()", numpy = "x:totable()", ndimension = "x:dim()",
  nelement = "x:numel()", len = "#x", sgn = "x:sign()", msort = "x:sort(1)",
  index_put_ = "x[{ i, j }] = values", fill_diagonal_ = "x:diagonal():fill_(value)",
  split_with_sizes = "x:split { sizes }", new_empty = "x:new_zeros(sizes)",
  new_tensor = "mlpl.tensor(values, { dtype = x.dtype })", pinverse = "mlpl.linalg.pinv(x)",
  float = 'x:to "f32"', double = 'x:to "f64"', long = 'x:to "i64"', int = 'x:to "i64"',
  byte = 'x:to "u8"', bool = 'x:to "bool"', type = "x.dtype", astype = "x:to(dtype)",
  data = "x:detach()", copy = "x:clone()", ["repeat"] = "x:tile(...)",
  inverse = "mlpl.linalg.inv(x)",
}
local of_mlpl = {
  manual_seed = "mlpl.seed", chain_matmul = "mlpl.linalg.multi_dot", inverse = "mlpl.linalg.inv",
  pinverse = "mlpl.linalg.pinv", as_tensor = "mlpl.tensor", asarray = "mlpl.tensor",
  msort = "mlpl.sort(x, 1)", sgn = "mlpl.sign", get_num_threads = "mlpl.threads()",
  range = "mlpl.arange", array = "mlpl.tensor", from_numpy = "mlpl.load",
  set_num_threads = "mlpl.threads", float32 = 'dtype = "f32"', float64 = 'dtype = "f64"',
  int64 = 'dtype = "i64"', uint8 = 'dtype = "u8"',
}

local of_data = { DataLoader = "ds:batches { size = 32, shuffle = true }" }
local of_optim = { lr_scheduler = "opt.lr = ..., set between steps" }
local of_models = {
  state_dict = "model:named_parameters(), and in a file model:save(path)",
  load_state_dict = "mlpl.nn.load(path)",
}
of_mlpl.DataLoader = of_data.DataLoader

-- Of whose names there are lists.
local lists = { ["a tensor"] = of_tensors, mlpl = of_mlpl, ["mlpl.data"] = of_data,
  ["mlpl.optim"] = of_optim }

local function list_of(whose)
  local kind = whose:match "^an? (%u%w*)$"
  return lists[whose] or kind and rawget(mlpl.nn, kind) and of_models or nil
end

local devices = "; there are no devices: the processor computes (see mlpl.threads)"

-- Where else a name may be: the table's name, the table, how it is used.
local function places()
  return {
    { "mlpl", mlpl, "mlpl.%s" }, { "mlpl.nn", mlpl.nn, "mlpl.nn.%s" },
    { "mlpl.linalg", mlpl.linalg, "mlpl.linalg.%s" },
    { "mlpl.optim", mlpl.optim, "mlpl.optim.%s" },
    { "mlpl.data", mlpl.data, "mlpl.data.%s" },
    { "mlpl.nn.init", mlpl.nn.init, "mlpl.nn.init.%s" },
    { "a tensor", mlpl._methods "Tensor", "x:%s(...)" },
  }
end

-- Layers' names begin with capitals. Where there is no such layer, a function of the same
-- letters may stand for it, but no other.
local function letters(name) return (name:lower():gsub("_", "")) end

local function function_named(wanted)
  for _, place in ipairs { { "nn.", mlpl.nn }, { "mlpl.", mlpl } } do
    for each, value in pairs(place[2]) do
      if type(value) == "function" and letters(each) == wanted then return place[1] .. each end
    end
  end
end

local function layer(name)
  local layers, wanted = {}, letters(name)
  for each in pairs(mlpl.nn) do
    if each:find "^%u" then
      layers[#layers + 1] = each
      if letters(each):sub(1, #wanted) == wanted then
        return ("; did you mean '%s'?"):format(each)
      end
    end
  end
  local found = function_named(wanted)
  if found then
    return ("; no such layer exists yet, %s is the function; a function(x) may stand in " ..
      "nn.Sequential as a layer"):format(found)
  end
  local near = name:find "%dd$" and "" or mlpl._nearest(name, layers)
  return near ~= "" and near or '; no such layer exists yet, mlpl.help "nn" lists those that do'
end

return function(name, whose)
  local known = list_of(whose)
  local found = known and known[name]
  if found then return ("; here it is %s"):format(found) end
  if known and (name == "device" or name == "cuda" or name == "cpu") then return devices end
  if whose == "mlpl.nn" and name:find "^%u%w*$" then return layer(name) end
  local whole_library = lists[whose] or whose:find "^mlpl%.%a+$"
  for _, place in ipairs(whole_library and places() or {}) do
    if place[1] ~= whose and type(rawget(place[2], name)) == "function" then
      return ("; there is %s"):format(place[3]:format(name))
    end
  end
end
