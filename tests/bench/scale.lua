-- How time and memory grow: one thing at a time is changed from a common middle.
--
--   mlpl scale.lua                  a table (Markdown)
--   mlpl scale.lua POINT...         one point, name=value; what it prints is what the
--                                   table is made of
--
-- A point runs in a process of its own, so that its peak of resident memory is its own.
-- Time is the median of five chunks of the plain loop: batches, model, loss, zero_grad,
-- backward, step.

local middle = { width = 256, depth = 2, batch = 64, data = 8192, threads = 2 }
local lines = {
  { "width", 16, 64, 256, 1024, 4096 },
  { "depth", 1, 2, 8, 32, 128 },
  { "depth, batch 1024", 8, 32, 128, batch = 1024 },
  { "depth, batch 1024, checkpointed", 8, 32, 128, batch = 1024, checkpointed = true },
  { "batch", 1, 8, 64, 512, 4096 },
  { "data", 8192, 65536, 524288 },
  { "threads", 1, 2 },
}
local FEATURES, CLASSES, CHUNKS = 256, 10, 5
local SEGMENT = 8                       -- layers of which only the input is kept

-- ---- a point --------------------------------------------------------------------------

local function make_model(nn, p)
  local model = {}
  for first = 1, p.depth, SEGMENT do
    local layers = {}
    for i = first, math.min(first + SEGMENT - 1, p.depth) do
      layers[#layers + 1] = nn.Linear(i == 1 and FEATURES or p.width, p.width)
      layers[#layers + 1] = nn.ReLU()
    end
    model[#model + 1] = nn.Sequential(layers)
  end
  model[#model + 1] = nn.Linear(p.width, CLASSES)
  return model
end

local function forward(nn, p, model, x)
  for i, part in ipairs(model) do
    x = p.checkpointed and i < #model and nn.checkpoint(part, x) or part(x)
  end
  return x
end

local function make_run(mlpl, p)
  local nn, optim, data = mlpl.nn, mlpl.optim, mlpl.data
  local model, parameters = make_model(nn, p), {}
  for _, part in ipairs(model) do
    table.move(part:parameters(), 1, #part:parameters(), #parameters + 1, parameters)
  end
  local opt = optim.Adam(parameters, { lr = 1e-5 })
  local train = data.TensorDataset(mlpl.randn(p.data, FEATURES),
    mlpl.randint(1, CLASSES, { p.data }))
  local options = { size = p.batch, shuffle = true }
  local batches = train:batches(options)
  return function()
    local x, y = batches()
    if not x then
      batches = train:batches(options)
      x, y = batches()
    end
    local loss = nn.cross_entropy(forward(nn, p, model, x), y)
    opt:zero_grad()
    loss:backward()
    opt:step()
  end
end

local function seconds_of(clock, run, n)
  local start = clock()
  for _ = 1, n do run() end
  return (clock() - start) / n
end

local function time_of(clock, run, seconds)
  local n = 1
  while seconds_of(clock, run, n) * n < seconds / 10 do n = n * 2 end
  local each = {}
  for i = 1, CHUNKS do each[i] = seconds_of(clock, run, n * 2) end
  table.sort(each)
  return each[CHUNKS // 2 + 1]
end

local function peak_memory()
  for line in io.lines "/proc/self/status" do
    local peak = line:match "^VmHWM:%s*(%d+)"
    if peak then return tonumber(peak) end
  end
end

local function multiplications(p)
  local products = FEATURES * p.width + (p.depth - 1) * p.width ^ 2 + p.width * CLASSES
  return p.batch * (3 * products - FEATURES * p.width)
end

local function measure_point(words)
  local mlpl = require "mlpl"
  local p = {}
  for _, word in ipairs(words) do
    local name, value = word:match "^(%w+)=(%w+)$"
    p[name] = tonumber(value) or value == "true"
  end
  mlpl.threads(p.threads)
  mlpl.seed(1)
  local run = make_run(mlpl, p)
  local each = time_of(mlpl.clock, run, 1)
  print(("%.9g %d"):format(each, peak_memory()))
end

-- ---- the table ------------------------------------------------------------------------

local function point(line, value)
  local p, words = { checkpointed = line.checkpointed or false }, {}
  for k, v in pairs(middle) do p[k] = v end
  p.batch = line.batch or p.batch
  p[line[1]:match "^%w+"] = value
  for k, v in pairs(p) do words[#words + 1] = k .. "=" .. tostring(v) end
  return p, table.concat(words, " ")
end

local function print_row(line, value)
  local p, words = point(line, value)
  local child <close> = assert(io.popen(("'%s' '%s' %s"):format(arg[-1], arg[0], words)))
  local seconds, kib = child:read("a"):match "^(%S+) (%d+)"
  print(("| %s | %d | %.4g | %.3g | %.3g |"):format(line[1], value, 1e6 * seconds,
    2e-9 * multiplications(p) / seconds, kib * 1024 / 1e6))
  io.stdout:flush()
end

if #arg > 0 then
  measure_point(arg)
else
  print "| what | value | step, us | GFLOP/s | peak memory, MB |"
  print "| --- | --- | --- | --- | --- |"
  for _, line in ipairs(lines) do
    for _, value in ipairs(line) do
      if value ~= line[1] then print_row(line, value) end
    end
  end
end
