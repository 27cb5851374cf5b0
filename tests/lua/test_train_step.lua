-- A training step as one call gives the bits of the loop it stands for.

local lu = require "luaunit"
local mlpl = require "mlpl"
local nn, optim, data = mlpl.nn, mlpl.optim, mlpl.data

TestTrainStep = {}

local function checksum(model)
  local sums = {}
  for _, p in ipairs(model:parameters()) do sums[#sums + 1] = ("%a"):format((p * p):sum():item()) end
  return table.concat(sums, " ")
end

-- Train `make()` for some epochs; returns the last loss, the weights and whether steps were planned.
local function train(make, loss, optimizer, options, planned, targets)
  mlpl.seed(3)
  local model = make()
  local opt = optim[optimizer](model:parameters(), options)
  local ds = data.TensorDataset(mlpl.rand(50, 6), targets())
  local step, last, was_planned = mlpl.train_step(model, loss, opt), nil, nil
  for _ = 1, 3 do
    for x, y in ds:batches { size = 16, shuffle = true } do
      if planned then
        last, was_planned = step(x, y), step:is_planned()
      else
        local value = loss(model(x), y)
        opt:zero_grad()
        value:backward()
        opt:step()
        last = value:item()
      end
    end
  end
  return ("%a "):format(last) .. checksum(model), was_planned
end

local function labels() return mlpl.randint(1, 4, { 50 }) end
local function numbers() return mlpl.rand(50, 4) end

local function same_bits(make, loss, optimizer, options, targets, planned)
  local written = train(make, loss, optimizer, options, false, targets)
  local called, was = train(make, loss, optimizer, options, true, targets)
  lu.assertEquals(called, written)
  lu.assertEquals(was, planned)
end

local function perceptron()
  return nn.Sequential { nn.Linear(6, 9), nn.ReLU(), nn.Dropout(0.3), nn.Sequential { nn.Linear(9, 5) }, nn.ReLU(),
    nn.Linear(5, 4, { bias = false }) }
end

function TestTrainStep:test_cross_entropy()
  same_bits(perceptron, nn.CrossEntropyLoss(), "SGD", { lr = 0.1, momentum = 0.9 }, labels, true)
  same_bits(perceptron, nn.CrossEntropyLoss { label_smoothing = 0.1, reduction = "sum" }, "Adam", {}, labels, true)
end

function TestTrainStep:test_mean_squared_error_and_every_activation()
  local function make()
    return nn.Sequential { nn.Linear(6, 9), nn.Sigmoid(), nn.Linear(9, 5), nn.LeakyReLU(0.2), nn.ELU(), nn.Tanh(),
      nn.Linear(5, 4), nn.Sigmoid() }
  end
  same_bits(make, nn.MSELoss(), "SGD", { lr = 0.5 }, numbers, true)
  same_bits(make, nn.MSELoss { reduction = "sum" }, "Adam", {}, numbers, true)
end

function TestTrainStep:test_what_cannot_be_planned_runs_as_written()
  local function softmax() return nn.Sequential { nn.Linear(6, 4), nn.LogSoftmax(-1) } end
  same_bits(softmax, nn.CrossEntropyLoss(), "SGD", {}, labels, false)
  same_bits(perceptron, nn.CrossEntropyLoss { weight = mlpl.tensor { 1, 2, 3, 4 } }, "SGD", {}, labels, false)
  local function shared() -- the same layer twice: its gradients add up
    local layer = nn.Linear(6, 6)
    return nn.Sequential { layer, nn.Tanh(), layer, nn.Linear(6, 4) }
  end
  same_bits(shared, nn.CrossEntropyLoss(), "SGD", {}, labels, false)
  lu.assertEquals(#shared():parameters(), 4)
end

function TestTrainStep:test_other_shapes_and_modes_are_planned_anew()
  local model = perceptron()
  local opt = optim.SGD(model:parameters(), { lr = 0.1 })
  local step = mlpl.train_step(model, nn.CrossEntropyLoss(), opt)
  for _, n in ipairs { 1, 7, 3, 7 } do
    local x, y = mlpl.rand(n, 6), mlpl.randint(1, 4, { n })
    model:eval()
    local expected = nn.cross_entropy(model:predict(x), y):item()
    lu.assertEquals(step(x, y), expected) -- in eval mode dropout does nothing
    lu.assertTrue(step:is_planned())
    model:train()
  end
end

function TestTrainStep:test_gradients_of_the_step_can_be_read()
  local model = nn.Sequential { nn.Linear(6, 4) }
  local opt = optim.SGD(model:parameters(), { lr = 0 })
  local x, y = mlpl.rand(5, 6), mlpl.randint(1, 4, { 5 })
  mlpl.train_step(model, nn.CrossEntropyLoss(), opt)(x, y)
  local called = model[1].weight.grad:totable()
  model:zero_grad()
  nn.cross_entropy(model(x), y):backward()
  lu.assertEquals(model[1].weight.grad:totable(), called)
end

function TestTrainStep:test_hooks_on_parameters_are_called()
  local model = nn.Linear(2, 1)
  local step = mlpl.train_step(model, nn.MSELoss(), optim.SGD(model:parameters(), { lr = 1 }))
  local x, y = mlpl.ones(3, 2), mlpl.zeros(3, 1)
  step(x, y)
  lu.assertTrue(step:is_planned())
  local before, seen = checksum(model), 0
  local hooks = {}
  for i, p in ipairs(model:parameters()) do
    hooks[i] = p:register_hook(function(g)
      seen = seen + 1
      return g * 0
    end)
  end
  step(x, y)
  lu.assertEquals(seen, 2)
  lu.assertEquals(checksum(model), before)
  for _, h in ipairs(hooks) do h:remove() end
  step(x, y)
  lu.assertTrue(step:is_planned())
  lu.assertEquals(seen, 2)
end

function TestTrainStep:test_errors()
  local model = nn.Sequential { nn.Linear(6, 4) }
  local opt = optim.SGD(model:parameters(), {})
  local step = mlpl.train_step(model, nn.CrossEntropyLoss(), opt)
  lu.assertErrorMsgContains("layer 1 (Linear): input is [2x5]", step, mlpl.rand(2, 5), mlpl.randint(1, 4, { 2 }))
  lu.assertErrorMsgContains("the target is 5; with 4 classes", step, mlpl.rand(1, 6), mlpl.full({ 1 }, 5, { dtype = "i64" }))
  lu.assertErrorMsgContains("must take 1 and 2", mlpl.train_step, model, model, opt)
end

TestProfiler = {}

function TestProfiler:test_counts_calls_and_work()
  local model = nn.Sequential { nn.Linear(6, 9), nn.ReLU(), nn.Linear(9, 4) }
  local opt = optim.SGD(model:parameters(), {})
  local x, y = mlpl.rand(5, 6), mlpl.randint(1, 4, { 5 })
  mlpl.profiler.start()
  for _ = 1, 3 do
    local loss = nn.cross_entropy(model(x), y)
    opt:zero_grad()
    loss:backward()
    opt:step()
  end
  local found = {}
  for _, e in ipairs(mlpl.profiler.entries()) do found[e.layer .. "/" .. e.operation .. "/" .. e.pass] = e end
  mlpl.profiler.stop()
  lu.assertEquals(found["1 Linear/linear/forward"].calls, 3)
  lu.assertEquals(found["1 Linear/linear/forward"].flops, 3 * 2 * 5 * 6 * 9)
  lu.assertEquals(found["1 Linear/linear/backward"].flops, 3 * 2 * 5 * 6 * 9) -- no gradient of the input
  lu.assertEquals(found["3 Linear/linear/backward"].flops, 3 * 2 * 2 * 5 * 9 * 4)
  lu.assertEquals(found["/SGD/update"].calls, 3)
  lu.assertEquals(#mlpl.profiler.entries(), 0)
end

function TestProfiler:test_a_planned_step_is_measured_alike()
  local model = nn.Sequential { nn.Linear(6, 9), nn.ReLU(), nn.Linear(9, 4) }
  local opt = optim.SGD(model:parameters(), {})
  local step = mlpl.train_step(model, nn.CrossEntropyLoss(), opt)
  local x, y = mlpl.rand(5, 6), mlpl.randint(1, 4, { 5 })
  mlpl.profiler.start()
  step(x, y)
  local found = {}
  for _, e in ipairs(mlpl.profiler.entries()) do found[e.layer .. "/" .. e.operation .. "/" .. e.pass] = e end
  mlpl.profiler.stop()
  lu.assertEquals(found["1 Linear/linear/backward"].flops, 2 * 5 * 6 * 9)
  lu.assertEquals(found["3 Linear/linear/forward"].flops, 2 * 5 * 9 * 4)
end

function TestProfiler:test_report_names_what_ran()
  local lines = {}
  mlpl.profiler.start()
  local _ = mlpl.rand(4, 4):matmul(mlpl.rand(4, 4))
  mlpl.profiler.report { write = function(_, text) lines[#lines + 1] = text end }
  local text = table.concat(lines)
  lu.assertStrContains(text, "GFLOP/s")
  lu.assertStrContains(text, "matmul")
  lu.assertErrorMsgContains("call profiler.start first", mlpl.profiler.report)
end
