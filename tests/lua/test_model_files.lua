local lu = require "luaunit"
local mlpl = require "mlpl"
local expect = require "expect"
local process = require "process"

local nn = mlpl.nn
local fails, refuses = expect.fails, expect.refuses

local function bytes_of(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

-- Call f with the name of a file that is not there yet; it is gone afterwards.
local function with_path(f, ending)
  process.with_file("", function(path)
    local name <close> = setmetatable({ path .. (ending or ".safetensors") },
      { __close = function(self)
      os.remove(self[1])
    end })
    f(name[1])
  end)
end

local function every_layer()
  return nn.Sequential {
    nn.Flatten(), nn.Linear(6, 4), nn.ReLU(),
      nn.Sequential { nn.Linear(4, 4, { bias = false }), nn.ELU(0.5) },
    nn.Dropout(0.25), nn.LeakyReLU(0.1), nn.Sigmoid(), nn.Tanh(), nn.Linear(4, 3),
      nn.LogSoftmax(-1), nn.Softmax(2),
  }
end

-- The bits of every parameter, by name.
local function weights(model)
  local out = {}
  for name, p in model:named_parameters() do
    out[name] = { p.dtype, p.shape, p:detach():totable() }
  end
  return out
end

TestModelFiles = {}

function TestModelFiles:test_round_trip_to_the_last_bit()
  mlpl.seed(1)
  for _, dtype in ipairs { "f32", "f64" } do
    with_path(function(path)
      local model, x = every_layer():to(dtype), mlpl.randn(5, 2, 3, { dtype = dtype })
      lu.assertEquals(select("#", model:save(path)), 0)
      local again = assert(nn.load(path))
      lu.assertEquals(tostring(again), tostring(model))
      lu.assertEquals(weights(again), weights(model))
      lu.assertEquals(again:predict(x):totable(), model:predict(x):totable())
      lu.assertIs(again.training, true)
      lu.assertIs(again[2].weight.requires_grad, true)
    end)
  end
end

function TestModelFiles:test_loading_draws_no_random_numbers()
  with_path(function(path)
    nn.Linear(3, 3):save(path)
    mlpl.seed(8)
    local wanted = mlpl.rand(2):totable()
    mlpl.seed(8)
    assert(nn.load(path))
    lu.assertEquals(mlpl.rand(2):totable(), wanted)
  end)
end

function TestModelFiles:test_a_loaded_model_trains()
  with_path(function(path)
    nn.Sequential { nn.Linear(2, 2) }:save(path)
    local model = assert(nn.load(path))
    local opt = mlpl.optim.SGD(model:parameters(), { lr = 0.1 })
    local before = weights(model)
    model(mlpl.ones(1, 2)):sum():backward()
    opt:step()
    lu.assertNotEquals(weights(model), before)
  end)
end

function TestModelFiles:test_odd_paths()
  with_path(function(path)
    local model = nn.Linear(1, 1)
    model:save(path)
    local wanted = weights(model)
    lu.assertEquals(weights(assert(nn.load(path))), wanted)
    model:save(path)                                           -- over the old one
    lu.assertEquals(weights(assert(nn.load(path))), wanted)
  end, " with spaces, 'quotes', \"ünïcode\" and\na newline.st")
  with_path(function(path)
    local folder, name = path:match "^(.*)/(.*)$"
    nn.Linear(1, 1):save(folder .. "/.//./" .. name)
    assert(nn.load(path))
  end, ("x"):rep(180))
end

function TestModelFiles:test_no_file()
  refuses("cannot open no_such_file: No such file or directory", "EIO", nn.load,
    "no_such_file")
  refuses("cannot open '': No such file or directory", "EIO", nn.load, "")
  refuses("cannot read tests: Is a directory", "EIO", nn.load, "tests")
  lu.assertStrContains(expect.message(nn.load), "string expected, got no value")
  lu.assertStrContains(expect.message(nn.load, "a\0b"), "a path cannot hold a zero byte")
end

function TestModelFiles:test_saving_raises()
  local model = nn.Linear(1, 1)
  fails("save: cannot write no_such_folder/m.st: No such file or directory", model.save, model,
    "no_such_folder/m.st")
  lu.assertStrContains(expect.message(model.save, model, "tests"), "tests")
  lu.assertStrContains(expect.message(model.save, model), "string expected, got no value")
  lu.assertStrContains(expect.message(model.save, model, "a\0b"),
    "a path cannot hold a zero byte")
end

function TestModelFiles:test_models_that_no_file_can_hold()
  with_path(function(path)
    local linear = nn.Linear(1, 1)
    local lua = nn.Sequential { function(x) return x end }
    fails("save: a layer of your own (function) cannot be saved, a file names kinds of nn; " ..
      "save the parameters by themselves and build the model in code", lua.save, lua, path)
    local twice = nn.Sequential { linear, linear }
    fails("save: 0.weight and 1.weight are the same tensor; a model that uses a " ..
      "layer twice cannot be saved", twice.save, twice, path)
    local loss = nn.CrossEntropyLoss { weight = mlpl.ones(2) }
    fails("save: a CrossEntropyLoss with its weight cannot be saved", loss.save, loss,
      path)
    local deep = nn.ReLU()
    for _ = 1, 30 do deep = nn.Sequential { deep } end
    fails("save: layers are nested more than 30 deep", deep.save, deep, path)
    lu.assertNil(io.open(path))                                -- nothing was written
  end)
end

-- ---- files that lie -------------------------------------------------------------------

TestModelFilesThatLie = {}

local function file_of(header, body) return string.pack("<s8", header) .. (body or "") end

local function bad(bytes, problem)
  process.with_file(bytes,
    function(path) refuses(path .. problem, "EFORMAT", nn.load, path) end)
end

local function tensors(more) return '{"w":{' .. more .. "}}" end

function TestModelFilesThatLie:test_lengths()
  bad("", ": 0 bytes are too short for safetensors")
  bad("\1\2\3", ": 3 bytes are too short for safetensors")
  bad(string.pack("<I8", 100) .. "{}",
    ": the header should have 100 bytes, but the file ends after 2")
  bad(string.pack("<I8", -1) .. "{}",
    ": a header of 18446744073709551615 bytes is too large")
  local hint = "; model:save writes one, and in Python safetensors.torch.save_file does"
  bad("a text, not a model", ": this is not a safetensors file" .. hint)
  bad("\x93NUMPY\1\0v\0{'descr'",
    ": this is not a safetensors file but an NPY file (mlpl.load reads it)" .. hint)
  bad("PK\3\4\20\0\0\0\8\0", ": this is not a safetensors file but a ZIP archive (mlpl.load reads NPZ; PyTorch's .pt " ..
    "files are not read)" .. hint)
  bad(string.pack("<I8", 0), ": the header does not begin with '{'")
  bad(file_of "[]", ": the header does not begin with '{'")
end

function TestModelFilesThatLie:test_headers()
  local function header(text, problem, body) bad(file_of(text, body), problem) end
  header(tensors '"dtype":"F32","shape":[4],"data_offsets":[0,8]',
    ": tensor 'w' is F32 [4], which is 16 bytes, but it has 8", ("\0"):rep(8))
  header(tensors '"dtype":"F32","shape":[2],"data_offsets":[0,8]',
    ": the tensors take 8 bytes, but the file has 4 for them", ("\0"):rep(4))
  header(tensors '"dtype":"F32","shape":[2],"data_offsets":[8,16]',
    ": tensor 'w' begins behind a hole in the data", ("\0"):rep(16))
  header(tensors '"dtype":"F32","shape":[2],"data_offsets":[8,0]',
    ": tensor 'w' begins behind a hole in the data", ("\0"):rep(8))
  header(tensors '"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]',
    ": tensor 'w' has sizes whose product is too large")
  header(tensors '"dtype":"F33","shape":[],"data_offsets":[0,4]',
    ": tensor 'w' has the unknown dtype 'F33'")
  header(tensors '"dtype":"F32","shape":[1]', ": tensor 'w' has no data_offsets")
  header(tensors '"dtype":"F32","shape":[1],"data_offsets":[0]',
    ": tensor 'w' has less than two data_offsets")
  header(tensors '"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]',
    ": tensor 'w' has its dtype twice")
  header(tensors '"dtype":"F32","shape":[1],"data_offsets":[0,4]',
    ' holds 1 tensors but no architecture (metadata ' ..
    '"mlpl.model"), so it cannot be loaded as a whole model; build the model in code, read ' ..
    'the tensors alone (mlpl.load) and copy them into its parameters (copy_)', ("\0"):rep(4))
end

-- The file of a model with one thing changed in its header.
local function changed(model, from, to)
  local bytes
  with_path(function(path)
    model:save(path)
    bytes = bytes_of(path)
  end)
  local header, body = string.unpack("<s8", bytes)
  local start, stop = header:find(from, 1, true)
  lu.assertNotNil(start, from .. " is not in " .. header)
  header = header:sub(1, start - 1) .. to .. header:sub(stop + 1)
  return string.pack("<s8", header) .. bytes:sub(body)
end

function TestModelFilesThatLie:test_architectures()
  local function arch(from, to, problem)
    bad(changed(nn.Sequential { nn.Linear(2, 3) }, from, to), problem)
  end
  arch("Linear", "Lunear", ": architecture: module: there is no layer 'Lunear'")
  arch('\\"in_features\\":2', '\\"in_features\\":4',
    ": architecture: Linear asks for more parameters than the file holds")
  arch('\\"in_features\\":2', '\\"in_features\\":1',
    ": tensor '0.weight' is [3x2], but the architecture makes it [3x1]")
  arch('\\"in_features\\":2', '\\"in_features\\":1e300',
    ": architecture: Linear: in_features is not a whole number")
  arch('\\"bias\\":true', '\\"bias\\":false',
    ": tensor '0.bias' belongs to no layer of the architecture")
  arch('\\"bias\\":true', '\\"bais\\":true',
    ": architecture: Linear: unknown option 'bais'; the options are in_features, " ..
      "out_features, bias")
  arch('"0.weight"', '"1.weight"', ": tensor '0.weight' is missing")
end

function TestModelFilesThatLie:test_cut_off_anywhere()
  with_path(function(path)
    every_layer():save(path)
    local whole = bytes_of(path)
    for n = 0, #whole - 1, 7 do
      process.with_file(whole:sub(1, n), function(cut)
        local model, message, code = nn.load(cut)
        lu.assertNil(model)
        lu.assertStrContains(message, cut)
        lu.assertEquals(code, "EFORMAT")
      end)
    end
  end)
end
