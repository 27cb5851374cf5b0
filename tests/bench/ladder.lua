-- mlpl on one rung of the ladder (rungs.txt).
--
--   mlpl ladder.lua RUNG THREADS SECONDS     microseconds per step, of several chunks
--   mlpl ladder.lua RUNG THREADS --serve     "ready"; then, for every line of seconds on
--                                            stdin, the median of its chunks
--   mlpl ladder.lua RUNG THREADS --steps N   N steps, then this process's peak of
--                                            resident memory in KiB
--   mlpl ladder.lua RUNG THREADS --save FILE STEPS
--                                            STEPS steps; the weights (or, where nothing
--                                            is trained, the outputs) into FILE
--
-- THREADS 0 leaves what mlpl takes by itself. "plain" or "planned" may follow RUNG: which
-- loop. What is timed is the whole of train_plain's loop, the batches included.

local mlpl = require "mlpl"
local nn, optim, data, clock = mlpl.nn, mlpl.optim, mlpl.data, mlpl.clock

local BATCHES, CHUNKS = 64, 5

-- ---- the rung ------------------------------------------------------------------------

local function read_rung(name)
  local path = (arg[0]:match "^.*/" or "") .. "rungs.txt"
  for line in io.lines(path) do
    local words = {}
    for word in line:gmatch "%S+" do words[#words + 1] = word end
    if words[1] == name then
      local sizes = {}
      for size in words[3]:gmatch "%d+" do sizes[#sizes + 1] = tonumber(size) end
      return { job = words[2], sizes = sizes, batch = tonumber(words[4]),
        optimizer = words[5], dropout = tonumber(words[6]) }
    end
  end
  error("there is no rung " .. tostring(name), 0)
end

local function make_model(r)
  local layers, last = {}, #r.sizes - 1
  for i = 1, last do
    layers[#layers + 1] = nn.Linear(r.sizes[i], r.sizes[i + 1])
    if i < last then layers[#layers + 1] = nn.ReLU() end
    if i < last and r.dropout > 0 then layers[#layers + 1] = nn.Dropout(r.dropout) end
  end
  return nn.Sequential(layers)
end

-- Rates so low that a long run stays where it is: no loss comes near 0, no number near
-- the denormal ones.
local optimizers = {
  sgd = function(p) return optim.SGD(p, { lr = 1e-3 }) end,
  momentum = function(p) return optim.SGD(p, { lr = 1e-3, momentum = 0.9 }) end,
  adam = function(p) return optim.Adam(p, { lr = 1e-5 }) end,
}

local function make_data(r)
  local n = BATCHES * r.batch
  local x = mlpl.randn(n, r.sizes[1])
  if r.job == "predict" then return data.TensorDataset(x) end
  return data.TensorDataset(x, mlpl.randint(1, r.sizes[#r.sizes], { n }))
end

-- ---- the loops -----------------------------------------------------------------------

-- control() says after how many steps from the start it is to be called again; nil:
-- enough.

local function train_plain(r, model, train, control)
  local opt = optimizers[r.optimizer](model:parameters())
  local n, due = 0, control()
  while true do
    for x, y in train:batches { size = r.batch, shuffle = true } do
      local loss = nn.cross_entropy(model(x), y)
      opt:zero_grad()
      loss:backward()
      opt:step()
      n = n + 1
      if n == due then
        due = control()
        if not due then return end
      end
    end
  end
end

local function predict_plain(r, model, inputs, control)
  local n, due = 0, control()
  while true do
    for x in inputs:batches { size = r.batch, shuffle = true } do
      model:predict(x)
      n = n + 1
      if n == due then
        due = control()
        if not due then return end
      end
    end
  end
end

-- The second column: a step planned once and replayed as one call.
local function train_planned(r, model, train, control)
  local opt = optimizers[r.optimizer](model:parameters())
  local step = mlpl.train_step(model, nn.CrossEntropyLoss(), opt)
  local n, due = 0, control()
  while true do
    for x, y in train:batches { size = r.batch, shuffle = true } do
      step(x, y)
      n = n + 1
      if n == due then
        assert(step:is_planned())
        due = control()
        if not due then return end
      end
    end
  end
end

local function find_loop(r, kind)
  if kind == "plain" then return r.job == "predict" and predict_plain or train_plain end
  return r.job == "train" and rawget(mlpl, "train_step") and train_planned or nil
end

-- ---- control -------------------------------------------------------------------------

-- body(run) becomes a control function; in it, run(n) lets the loop make n steps and
-- gives the seconds that one took.
local function controlled(body)
  return coroutine.wrap(function()
    local n = 0
    body(function(steps)
      n = n + steps
      local start = clock()
      coroutine.yield(n)
      return (clock() - start) / steps
    end)
    return nil
  end)
end

-- Seconds per step, roughly, once a tenth of the time has shown it.
local function estimate(run, seconds)
  local steps = 1
  while true do
    local each = run(steps)
    if each * steps > seconds / 10 then return each end
    steps = steps * 2
  end
end

-- Microseconds per step of CHUNKS chunks, in order of size.
local function measure(run, seconds)
  local steps = math.max(1, math.ceil(seconds / CHUNKS / estimate(run, seconds)))
  local each = {}
  for i = 1, CHUNKS do each[i] = 1e6 * run(steps) end
  table.sort(each)
  return each
end

local function middle(sorted) return sorted[(#sorted + 1) // 2] end

local function say(...)
  print(...)
  io.stdout:flush()
end

local function peak_memory()
  for line in io.lines "/proc/self/status" do
    local peak = line:match "^VmHWM:%s*(%d+)"
    if peak then return tonumber(peak) end
  end
end

local function write_outputs(model, inputs, batch, path)
  local file = assert(io.open(path, "wb"))
  for x in inputs:batches { size = batch } do
    for _, row in ipairs(model:predict(x):totable()) do
      file:write(string.pack(("f"):rep(#row), table.unpack(row)))
    end
  end
  file:close()
end

-- ---- the command line ----------------------------------------------------------------

local function main(name, kind, threads, what, a, b)
  if kind ~= "plain" and kind ~= "planned" then
    return main(name, "plain", kind, threads, what, a)
  end
  if tonumber(threads) > 0 then mlpl.threads(tonumber(threads)) end
  mlpl.seed(1)
  local r = read_rung(name)
  local loop = find_loop(r, kind)
  if not loop then return say("cannot: mlpl has no such loop") end
  local model, set = make_model(r), make_data(r)

  local function run(body) loop(r, model, set, controlled(body)) end
  if what == "--serve" then
    run(function(run_steps)
      measure(run_steps, 0.2)
      say("ready " .. mlpl._VERSION .. " " .. mlpl.isa())
      for line in io.lines() do
        say(("%.4f"):format(middle(measure(run_steps, tonumber(line)))))
      end
    end)
  elseif what == "--steps" then
    run(function(run_steps) run_steps(tonumber(a)) end)
    say(peak_memory())
  elseif what == "--save" then
    run(function(run_steps) run_steps(tonumber(b)) end)
    if r.job == "train" then return model:save(a) end
    write_outputs(model, set, r.batch, a)
  else
    run(function(run_steps)
      measure(run_steps, 0.2)
      for _, each in ipairs(measure(run_steps, tonumber(what))) do
        say(("%.3f"):format(each))
      end
    end)
  end
end

main(table.unpack(arg))
