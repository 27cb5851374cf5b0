-- The collector knows what tensors weigh, a limit holds, a training loop asks for nothing

local lu = require "luaunit"
local mlpl = require "mlpl"
local process = require "process"

local nn, optim, data = mlpl.nn, mlpl.optim, mlpl.data
local MB = 1000 * 1000

-- Sanitizers keep freed memory away, and every block goes straight back to the system.
local sanitized = (os.getenv "MLPL_SANITIZE" or "") ~= ""

-- ---- pressure -------------------------------------------------------------------------

TestPressure = {}

-- 3 000 steps with 1.25 MB of garbage each beside 50 MB that live, and no word to the
-- collector. In a process of its own, whose peak is its own. Says the peak of the engine
-- and that of the process, in bytes (0 where the system does not tell).
local script = [[
local mlpl = require "mlpl"
local mode, ballast = arg[1], tonumber(arg[2])
collectgarbage(mode)
local tables = {}
for i = 1, ballast do tables[i] = { i } end
local live = {}
for i = 1, 50 do live[i] = mlpl.full({ 250000 }, i) end
for i = 1, 3000 do
  local a = mlpl.full({ 250000 }, i)
  local b = mlpl.full({ 64000 }, i)
end
local sum = 0
for i = 1, 50 do sum = sum + live[i][1]:item() end
assert(sum == 51 * 25)
local status, resident = io.open "/proc/self/status", 0
if status then
  resident = 1024 * tonumber(status:read("a"):match "VmHWM:%s*(%d+) kB" or 0)
  status:close()
end
print(mlpl.memory().peak, resident, collectgarbage "incremental")
]]

local function peaks(mode, ballast)
  return process.with_file(script, function(name)
    local out, err, code = process.run(name, mode, ballast)
    lu.assertEquals(code, 0, err)
    local engine, resident, mode_at_the_end = out:match "(%d+)%s+(%d+)%s+(%w+)"
    lu.assertEquals(mode_at_the_end, mode)
    return tonumber(engine), tonumber(resident)
  end)
end

local function stays_small(mode, ballast)
  local engine, resident = peaks(mode, ballast)
  lu.assertTrue(engine > 51 * MB)
  lu.assertTrue(engine < 250 * MB, engine)
  if not sanitized then lu.assertTrue(resident < 250 * MB, resident) end
end

function TestPressure:test_incremental() stays_small("incremental", 0) end
function TestPressure:test_generational() stays_small("generational", 0) end
function TestPressure:test_incremental_beside_tables() stays_small("incremental", 100000) end
function TestPressure:test_generational_beside_tables() stays_small("generational", 1e5) end

-- Whatever makes tensors counts: operations, models, batches, conversions, gradients.
function TestPressure:test_of_every_kind()
  local x = mlpl.ones(250, 1000)
  local model = nn.Sequential { nn.Linear(1000, 1000), nn.ReLU() }
  local ds = data.TensorDataset(x)
  local w = mlpl.ones(250, 1000):requires_grad_()
  local makers = {
    function() return x + x end,
    function() return 2 * x end,
    function() return model(x) end,
    function() return model:predict(x) end,
    function() return x:to "f64" end,
    function() return mlpl.randn(250, 1000) end,
    function() for y in ds:batches { size = 250, shuffle = true } do return y end end,
    function() return (ds:split(0.5, { shuffle = true })) end,
    function() return x[{ { 1, 200 } }] * 1 end,
    function() return nn.Linear(500, 500) end,
    function() (w * w):sum():backward() end,
  }
  for i, make in ipairs(makers) do
    collectgarbage()
    mlpl.memory_limit(mlpl.memory().live + 150 * MB)
    for _ = 1, 300 do make() end
    mlpl.memory_limit(0)
    lu.assertTrue(mlpl.memory().live < 160 * MB, "maker " .. i)
  end
end

-- ---- the limit ------------------------------------------------------------------------

TestLimit = {}

function TestLimit:tearDown() mlpl.memory_limit(0) end

function TestLimit:test_the_error_names_the_numbers()
  collectgarbage()
  collectgarbage()
  local live = mlpl.memory().live
  local limit = live + 3 * MB
  lu.assertEquals(mlpl.memory_limit(limit), limit)
  lu.assertEquals(mlpl.memory_limit(), limit)
  lu.assertEquals(mlpl.memory().limit, limit)
  local ok, message = pcall(mlpl.zeros, 1000, 1000)
  lu.assertFalse(ok)
  local wanted, used, most = message:match(
    "zeros: not enough memory: (%d+) bytes more than the (%d+) in use %(limit (%d+)%)$")
  lu.assertEquals(tonumber(wanted), 4 * MB)
  lu.assertTrue(tonumber(used) >= live and tonumber(used) < live + 10000, used)
  lu.assertEquals(tonumber(most), limit)
end

function TestLimit:test_the_state_stays_usable()
  collectgarbage()
  mlpl.memory_limit(mlpl.memory().live + 3 * MB)
  local x = mlpl.ones(500, 500)
  for _ = 1, 20 do
    lu.assertErrorMsgContains("not enough memory", mlpl.zeros, 1000, 1000)
    lu.assertErrorMsgContains("not enough memory", nn.Linear, 2000, 2000)
    lu.assertErrorMsgContains("not enough memory", function()
      return x:reshape(500, 500, 1) + x:reshape(500, 1, 500)
    end)
    lu.assertEquals((x + x):sum():item(), 500000)
  end
end

function TestLimit:test_garbage_does_not_count()
  collectgarbage()
  mlpl.memory_limit(mlpl.memory().live + 5 * MB)
  for i = 1, 100 do
    local x <const> = mlpl.full({ 1000, 1000 }, i)      -- two do not fit
    lu.assertEquals(x[1][1]:item(), i)
  end
end

-- Numbers that become tensors for a draw, too.
function TestLimit:test_garbage_does_not_count_in_draws()
  local x, means = mlpl.zeros(1000), mlpl.zeros(1000)
  collectgarbage()
  collectgarbage "stop"
  local function with_garbage_alone(f)
    for _ = 1, 50 do mlpl.zeros(3) end
    mlpl.memory_limit(mlpl.memory().live)
    local ok, message = pcall(f)
    mlpl.memory_limit(0)
    return ok, message
  end
  local ok, message = with_garbage_alone(function() x:bernoulli_(0.3) end)
  local also, text = with_garbage_alone(function() mlpl.normal(means, 2) end)
  collectgarbage "restart"
  lu.assertTrue(ok, message)
  lu.assertTrue(also, text)
end

function TestLimit:test_a_failed_step_changes_nothing()
  mlpl.seed(2)
  local model = nn.Sequential { nn.Linear(300, 300), nn.ReLU(), nn.Linear(300, 2) }
  local opt = optim.Adam(model:parameters())
  local x, y = mlpl.randn(200, 300), mlpl.randint(1, 2, { 200 })
  local before = model:predict(x):totable()
  local function step()
    local loss = nn.cross_entropy(model(x), y)
    opt:zero_grad()
    loss:backward()
    opt:step()
  end
  collectgarbage()
  local live, failures = mlpl.memory().live, 0
  for room = 0, 20 do
    mlpl.memory_limit(live + room * 50000)
    if pcall(step) then break end
    failures = failures + 1
    mlpl.memory_limit(0)
    lu.assertEquals(model:predict(x):totable(), before)
  end
  mlpl.memory_limit(0)
  lu.assertTrue(failures > 3)
  step()
  lu.assertNotEquals(model:predict(x):totable(), before)
end

-- The numbers of a tensor as one string: a long table would take lua-unit minutes to show.
local function bits(t)
  return table.concat(t:flatten(1):totable(), " ")
end

-- What fails for lack of memory and is tried again draws the same random numbers.
function TestLimit:test_a_failed_call_draws_nothing()
  local x = mlpl.ones(100, 100):requires_grad_()
  local ds = data.TensorDataset(mlpl.arange(20000))
  local dropouts = nn.Sequential { nn.Dropout(0.5), nn.Dropout(0.5) }
  local makers = {
    function() return nn.Linear(100, 100).weight end,
    function() return nn.Linear(100, 100).bias end,
    function() return nn.dropout(x, 0.5) end,
    function() return dropouts(x) end,
    function() return nn.checkpoint(dropouts, x) end,
    function() return (ds:split(0.3, { shuffle = true })).x end,
  }
  for i, make in ipairs(makers) do
    mlpl.seed(3)
    local expected, failures = bits(make()), 0
    for room = 0, 1000000, 4000 do
      collectgarbage()
      mlpl.seed(3)
      mlpl.memory_limit(mlpl.memory().live + room)
      local ok = pcall(make)
      mlpl.memory_limit(0)
      if ok then break end
      failures = failures + 1
      lu.assertTrue(bits(make()) == expected, "maker " .. i)
    end
    lu.assertTrue(failures > 1, "maker " .. i)
  end
end

function TestLimit:test_what_a_limit_may_be()
  lu.assertErrorMsgContains("memory_limit: ", mlpl.memory_limit, -1)
  lu.assertErrorMsgContains("memory_limit: ", mlpl.memory_limit, "much")
  lu.assertErrorMsgContains("memory_limit: ", mlpl.memory_limit, 1.5)
  lu.assertEquals(mlpl.memory_limit(0), 0)
  mlpl.memory_limit(1)                  -- less than there is: nothing more is given
  lu.assertErrorMsgContains("(limit 1)", mlpl.zeros, 1)
end

function TestLimit:test_more_than_can_be_addressed()
  lu.assertErrorMsgContains("more than can be addressed", mlpl.zeros, 1 << 40, 1 << 40)
  lu.assertErrorMsgContains("not enough memory", mlpl.zeros, 1 << 50)
end

-- ---- a loop in its stride -------------------------------------------------------------

TestStride = {}

local function resident()
  local file <close> = io.open "/proc/self/statm"
  return file and 4096 * tonumber(file:read("a"):match "^%d+ (%d+)")
end

-- Rungs of the ladder in their plain loop, in a process of its own: after the first epoch
-- of 64 batches the engine asks the system for nothing. Says how often it did, and by how
-- many bytes the process has grown.
local rung_script = [=[
local mlpl = require "mlpl"
local nn, optim, data = mlpl.nn, mlpl.optim, mlpl.data
local rungs = {
  L3 = { steps = 100000, features = 64, size = 32, make = function()
    local model = nn.Sequential { nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10) }
    return model, optim.SGD(model:parameters(), { lr = 1e-3 })
  end },
  L8 = { steps = 1000, features = 784, size = 256, make = function()
    local model = nn.Sequential {
      nn.Linear(784, 1024), nn.ReLU(), nn.Dropout(0.5),
      nn.Linear(1024, 1024), nn.ReLU(), nn.Dropout(0.5), nn.Linear(1024, 10),
    }
    return model, optim.Adam(model:parameters(), { lr = 1e-5 })
  end },
}
local rung = rungs[arg[1]]
local model, opt = rung.make()
local n = 64 * rung.size
local train = data.TensorDataset(mlpl.randn(n, rung.features), mlpl.randint(1, 10, { n }))

local function resident()
  local file <close> = io.open "/proc/self/statm"
  return file and 4096 * tonumber(file:read("a"):match "^%d+ (%d+)") or 0
end

local function epoch()
  for x, y in train:batches { size = rung.size, shuffle = true } do
    local loss = nn.cross_entropy(model(x), y)
    opt:zero_grad()
    loss:backward()
    opt:step()
  end
end

epoch()
local requests, bytes = mlpl.memory().requests, resident()
for _ = 1, math.ceil(rung.steps / 64) do epoch() end
print(mlpl.memory().requests - requests, resident() - bytes)
]=]

local function rung_asks_for_nothing(name)
  if sanitized then lu.skip "sanitized builds keep no freed blocks" end
  process.with_file(rung_script, function(path)
    local said, wrong = process.run(path, name)
    local requests, growth = said:match "^(%d+)\t(%-?%d+)\n$"
    lu.assertEquals(requests, "0", said .. wrong)
    lu.assertTrue(tonumber(growth) < MB, growth)
  end)
end

function TestStride:test_a_hundred_thousand_steps_of_a_small_net()
  rung_asks_for_nothing "L3"
end

function TestStride:test_a_thousand_steps_of_a_large_net()
  rung_asks_for_nothing "L8"
end

-- Runs `step` over the batches of some epochs. The first ones may ask for memory, until as
-- much garbage has gathered as ever will (the more the larger Lua's own heap is, which here
-- holds all the tests); then come 2000 steps that ask for none.
local function asks_for_nothing(ds, size, step)
  if sanitized then lu.skip "sanitized builds keep no freed blocks" end
  local function epochs(steps)
    while steps > 0 do
      for x, y in ds:batches { size = size, shuffle = true } do
        step(x, y)
        steps = steps - 1
      end
    end
  end
  local requests, bytes
  for _ = 1, 5 do
    epochs(4000)
    requests, bytes = mlpl.memory().requests, resident()
    epochs(2000)
    if mlpl.memory().requests == requests then break end
  end
  lu.assertEquals(mlpl.memory().requests, requests)
  if bytes then lu.assertTrue(resident() - bytes < MB, resident() - bytes) end
end

local function digits()
  return assert(data.csv("examples/data/digits.csv.gz", { labels = -1 }))
end

function TestStride:test_the_loop_as_it_is_written()
  local model = nn.Sequential {
    nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 10),
  }
  local opt = optim.Adam(model:parameters())
  asks_for_nothing(digits(), 32, function(x, y)
    local loss = nn.cross_entropy(model(x), y)
    opt:zero_grad()
    loss:backward()
    opt:step()
  end)
end

function TestStride:test_a_step_as_one_call()
  local model = nn.Sequential { nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 10) }
  local opt = optim.SGD(model:parameters(), { lr = 0.1, momentum = 0.9 })
  local step = mlpl.train_step(model, nn.CrossEntropyLoss(), opt)
  asks_for_nothing(digits(), 32, step)
end

function TestStride:test_with_a_layer_in_lua_and_values_read()
  local model = nn.Sequential {
    nn.Linear(64, 16), function(x) return (x * 0.5):tanh() + x end, nn.Linear(16, 10),
  }
  local opt, total = optim.Adam(model:parameters()), 0
  asks_for_nothing(digits(), 64, function(x, y)
    local scores = model(x)
    local loss = nn.cross_entropy(scores, y)
    total = total + loss:item() + mlpl.metrics.accuracy(scores, y)
    opt:zero_grad()
    loss:backward()
    opt:step()
  end)
  lu.assertTrue(total > 0)
end
