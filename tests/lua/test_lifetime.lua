-- Who keeps what alive, and what happens to those who come too late.

local lu = require "luaunit"
local mlpl = require "mlpl"
local process = require "process"

local nn, optim, data = mlpl.nn, mlpl.optim, mlpl.data

local function live()
  collectgarbage()
  collectgarbage()
  return mlpl.memory().live
end

local function net()
  return nn.Sequential { nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2) }
end

local function dataset(rows)
  return data.TensorDataset(mlpl.randn(rows, 3), mlpl.randint(1, 2, { rows }))
end

-- One training step; returns the loss as a number.
local function step(model, opt, x, y)
  local loss = nn.cross_entropy(model(x), y)
  opt:zero_grad()
  loss:backward()
  opt:step()
  return loss:item()
end

-- Call f in both modes of the collector; it is as before afterwards.
local function in_both_modes(f)
  for _, mode in ipairs { "incremental", "generational" } do
    local before = collectgarbage(mode)
    local ok, message = pcall(f, mode)
    collectgarbage(before)
    if not ok then lu.fail(mode .. ": " .. tostring(message)) end
  end
end

-- ---- release --------------------------------------------------------------------------

TestRelease = {}

local function things()
  local model = net()
  return {
    ["mlpl.Tensor"] = mlpl.zeros(3), ["mlpl.Module"] = model,
    ["mlpl.Optimizer"] = optim.Adam(model:parameters()),
    ["mlpl.Dataset"] = dataset(4), ["mlpl.Batches"] = (dataset(4):batches {}),
    ["mlpl.Step"] = mlpl.train_step(model, nn.MSELoss(), optim.SGD(model:parameters())),
  }
end

function TestRelease:test_any_number_of_times()
  for _, thing in pairs(things()) do
    thing:release()
    thing:release()
    thing:release()
  end
end

function TestRelease:test_gives_the_memory_back_at_once()
  local before = live()
  collectgarbage "stop"
  local x = mlpl.zeros(1000, 1000)
  lu.assertTrue(mlpl.memory().live - before >= 4000000)
  x:release()
  collectgarbage "restart"
  lu.assertEquals(mlpl.memory().live, before)
end

function TestRelease:test_use_after_release_is_an_error()
  local uses = {
    ["mlpl.Tensor"] = { "relu", "item", "totable", "detach", "numel", "backward" },
    ["mlpl.Module"] = { "predict", "forward", "parameters", "train", "save" },
    ["mlpl.Optimizer"] = { "step", "zero_grad" },
    ["mlpl.Dataset"] = { "split", "batches" },
  }
  for name, thing in pairs(things()) do
    local methods = {}
    for i, method in ipairs(uses[name] or {}) do methods[i] = thing[method] end
    thing:release()
    for _, method in ipairs(methods) do
      lu.assertErrorMsgContains("was released", method, thing)
    end
    local shown = tostring(thing)
    local found = shown:find(name, 1, true) or shown:find "%(released%)"
    lu.assertNotNil(found, shown)
  end
end

function TestRelease:test_the_text_names_the_argument()
  local a, b = mlpl.ones(2), mlpl.ones(2)
  b:release()
  lu.assertErrorMsgContains("was released", function() return a + b end)
  lu.assertErrorMsgContains("matmul: b is a tensor that was released",
    function() return a:matmul(b) end)
  lu.assertErrorMsgContains("was released", function() return #b end)
  lu.assertErrorMsgContains("was released", function() return b[1] end)
  lu.assertErrorMsgContains("was released", function() return b.shape end)
  local m = net()
  m:release()
  lu.assertErrorMsgContains("was released", m, a)
  lu.assertErrorMsgContains("was released", function() return m[1] end)
end

function TestRelease:test_of_a_released_batch_in_a_loop()
  local pass = dataset(8):batches { size = 2 }
  pass:release()
  lu.assertErrorMsgContains("was released", function() for _ in pass do end end)
end

function TestRelease:test_close()
  local before = live()
  do
    local x <close> = mlpl.zeros(1000)
    lu.assertTrue(mlpl.memory().live > before)
    x:release()              -- earlier than its block ends: no harm
  end
  lu.assertEquals(mlpl.memory().live, before)
  pcall(function()
    local y <close> = mlpl.zeros(1000)
    local model <close> = net()
    local opt <close> = optim.SGD(model:parameters())
    local ds <close> = dataset(3)
    error "out of here"
  end)
  lu.assertEquals(live(), before)
end

-- ---- who keeps whom -------------------------------------------------------------------

TestKeeping = {}

function TestKeeping:test_a_view_keeps_its_base()
  in_both_modes(function()
    local base = mlpl.arange(12)
    local table_ = base:reshape(3, 4)
    local row = table_[2]
    local part = row[{ { 2, 3 } }]
    base:release()
    table_:release()
    row = nil
    collectgarbage()
    local _ = mlpl.zeros(12)        -- would take the memory, were it free
    lu.assertEquals(part:totable(), { 6, 7 })
  end)
end

function TestKeeping:test_a_graph_keeps_what_backward_needs()
  in_both_modes(function()
    local w = mlpl.full({ 2 }, 3):requires_grad_()
    local loss = (function()
      local x = mlpl.tensor { 1, 2 }
      local y = w * x
      local sum = (y * y):sum()
      x:release()
      y:release()
      return sum
    end)()
    collectgarbage()
    loss:backward()
    lu.assertEquals(w.grad:totable(), { 6, 24 })
  end)
end

function TestKeeping:test_parts_outlive_their_model()
  in_both_modes(function()
    local model = net()
    local layer, weight = model[1], model[3].weight
    local opt = optim.SGD(model:parameters(), { lr = 0.1 })
    model:release()
    model = nil
    collectgarbage()
    lu.assertEquals(layer(mlpl.ones(2, 3)).shape, { 2, 4 })
    lu.assertEquals(weight.shape, { 2, 4 })
    opt:step()
  end)
end

function TestKeeping:test_a_parameter_is_always_the_same_value()
  local model = net()
  local weight = model[1].weight
  lu.assertTrue(rawequal(weight, model:parameters()[1]))
  lu.assertTrue(rawequal(model[1], model[1]))
  weight:release()
  local again = model[1].weight
  lu.assertFalse(rawequal(weight, again))
  lu.assertEquals(again.shape, { 4, 3 })
  lu.assertTrue(rawequal(again, model:parameters()[1]))
end

function TestKeeping:test_a_gradient_outlives_its_tensor()
  local w = mlpl.ones(3):requires_grad_()
  w:sum():backward()
  local grad = w.grad
  w:release()
  collectgarbage()
  lu.assertEquals(grad:totable(), { 1, 1, 1 })
end

function TestKeeping:test_batches_outlive_their_data_set()
  local ds = dataset(10)
  local pass = ds:batches { size = 4 }
  ds:release()
  ds = nil
  collectgarbage()
  local rows = 0
  for x in pass do rows = rows + #x end
  lu.assertEquals(rows, 10)
end

function TestKeeping:test_a_pass_ends_with_its_loop()
  local ds = dataset(1000)
  local before = live()
  collectgarbage "stop"
  for _ = 1, 3 do
    for x, y in ds:batches { size = 10, shuffle = true } do
      x:release()
      y:release()
      break
    end
    pcall(function()
      for x, y in ds:batches { size = 10, shuffle = true } do
        x:release()
        y:release()
        error "no"
      end
    end)
    lu.assertEquals(mlpl.memory().live, before)
  end
  collectgarbage "restart"
end

-- ---- the collector --------------------------------------------------------------------

TestCollector = {}

-- Everything becomes garbage in one cycle, made in every order.
function TestCollector:test_finalises_in_any_order()
  local makers = {
    function(t) t.ds = dataset(12) end,
    function(t) t.pass = t.ds and t.ds:batches { size = 5 } or false end,
    function(t) t.model = net() end,
    function(t) t.opt = t.model and optim.Adam(t.model:parameters()) or false end,
    function(t) t.y = t.model and t.model(mlpl.ones(4, 3)):sum() or false end,
    function(t) t.view = t.y and t.y:reshape(1) or mlpl.ones(4)[{ { 2, 3 } }] end,
  }
  in_both_modes(function()
    local before = live()
    local order = { 1, 2, 3, 4, 5, 6 }
    for i = 1, 60 do
      local t = {}
      for _, k in ipairs(order) do makers[k](t) end
      t.itself = t
      local a, b = i % 6 + 1, (i * 7) % 6 + 1
      order[a], order[b] = order[b], order[a]
      if i % 10 == 0 then collectgarbage "step" end
    end
    lu.assertEquals(live(), before)
  end)
end

function TestCollector:test_training_while_it_collects_at_every_chance()
  local function losses()
    mlpl.seed(3)
    local model, ds, list = net(), dataset(20), {}
    local opt = optim.Adam(model:parameters())
    for x, y in ds:batches { size = 6, shuffle = true } do
      list[#list + 1] = step(model, opt, x, y)
    end
    return list
  end
  local expected = losses()
  local pause = collectgarbage("setpause", 0)
  local multiplier = collectgarbage("setstepmul", 1000)
  local busy = losses()
  collectgarbage("setpause", pause)
  collectgarbage("setstepmul", multiplier)
  lu.assertEquals(busy, expected)
  collectgarbage "generational"
  local young = losses()
  collectgarbage "incremental"
  lu.assertEquals(young, expected)
end

-- Finalizers run wherever something is allocated: in the middle of our own functions too.
-- One that releases what such a function works on must not pull it away.
function TestCollector:test_a_finalizer_releases_arguments()
  local pause = collectgarbage("setpause", 0)
  local multiplier = collectgarbage("setstepmul", 1000)
  local function doom(...)
    local victims = { ... }
    setmetatable({}, { __gc = function()
      for _, v in ipairs(victims) do v:release() end
    end })
  end
  local uses = {
    function(x) return x + x end,
    function(x) return x:totable() end,
    function(x) return tostring(x) end,
    function(x) return x:reshape(50, 2)[{ {}, 1 }]:sum() end,
    function(x) return x * 2 end,
    function(x) return 2 - x end,
    function(x) return x:to "f64" end,
    function(x) return x:requires_grad_():sum():backward() end,
    function(_, m) return m:parameters() end,
    function(_, m) return m[1].weight end,
    function(_, m) for _ in m:named_parameters() do end end,
    function(_, m) return tostring(m) end,
    function(_, m) return m(mlpl.ones(2, 3)) end,
    function(_, m) return m:predict(mlpl.ones(2, 3)) end,
    function(_, m) return nn.Sequential { m, nn.ReLU(), m } end,
    function(_, m) return optim.Adam(m:parameters()):step() end,
    function(x)
      local y = mlpl.ones(10, { dtype = "i64" })
      return data.TensorDataset(x:reshape(10, 10), y, { classes = { "a", "b" } })
    end,
    function(x, m)
      local loss, opt = nn.MSELoss(), optim.SGD(m:parameters())
      return mlpl.train_step(m, loss, opt)(mlpl.ones(2, 3), mlpl.ones(2, 2)), x
    end,
    function(_, _, ds) return ds.x, ds.y end,
    function(_, _, ds) return ds:split(0.5, { shuffle = true }) end,
    function(_, _, ds) for x in ds:batches { size = 3 } do return x:sum() end end,
    function(_, _, _, pass) return pass() end,
  }
  for i, use in ipairs(uses) do
    for _ = 1, 40 do
      local x, m, ds = mlpl.ones(100), net(), dataset(9)
      local pass = ds:batches { size = 2 }
      doom(x, m, ds, pass, m[1], m[1].weight)
      local ok, message = pcall(use, x, m, ds, pass)
      if not ok and not message:find "was released" then
        lu.fail("use " .. i .. ": " .. message)
      end
    end
  end
  collectgarbage("setpause", pause)
  collectgarbage("setstepmul", multiplier)
end

-- The same with the full collection that memory pressure starts.
function TestCollector:test_a_finalizer_releases_arguments_under_pressure()
  local limit = mlpl.memory().limit
  for _ = 1, 20 do
    local a = mlpl.ones(1000, 1000)
    local doomed = a
    setmetatable({}, { __gc = function() doomed:release() end })
    mlpl.memory_limit(mlpl.memory().live + 1000000)   -- the next fails, collects, tries again
    local ok, message = pcall(function() return a + a end)
    mlpl.memory_limit(limit)
    if not ok then
      lu.assertNotNil(message:find "was released" or message:find "not enough memory")
    end
    a:release()
  end
end

function TestCollector:test_resurrection()
  local kept
  do
    local x = mlpl.ones(3)
    setmetatable({}, { __gc = function() kept = x end })
  end
  collectgarbage()
  collectgarbage()
  local ok, message = pcall(function() return (kept + 1):totable() end)
  if ok then
    lu.assertEquals(message, { 2, 2, 2 })
  else
    lu.assertStrContains(message, "was released")
  end
  kept:release()
end

-- Options are plain data: what a metatable would say is not asked.
function TestCollector:test_options_run_no_code()
  local ds, called = dataset(6), false
  local sly = setmetatable({ size = 2 }, { __index = function()
    called = true
    ds:release()
  end })
  local rows = 0
  for x in ds:batches(sly) do rows = rows + #x end
  lu.assertEquals(rows, 6)
  lu.assertFalse(called)
end

-- ---- errors and order at the end of a state -------------------------------------------

TestClosing = {}

-- Run a script in a process of its own; it must end well and say what is expected.
local function runs(script, expected)
  local out, err, code = process.run("-e", script)
  lu.assertEquals(code, 0, err)
  lu.assertEquals(err, "")
  lu.assertEquals(out, expected)
end

function TestClosing:test_finalizers_that_fail()
  local out, err, code = process.run("-W", "-e", [[
    local mlpl = require "mlpl"
    local x = mlpl.ones(2)
    setmetatable({}, { __gc = function() error "first" end })
    setmetatable({}, { __gc = function() x:matmul(mlpl.ones(3)) end })
    collectgarbage()
    print((x + 1):sum():item())]])
  lu.assertEquals(code, 0)
  lu.assertEquals(out, "4.0\n")
  lu.assertStrContains(err, "first")
  lu.assertStrContains(err, "matmul: ")
end

function TestClosing:test_everything_still_alive()
  runs([[
    local mlpl = require "mlpl"
    local nn = mlpl.nn
    a = nn.Sequential { nn.Linear(2, 2), function(x) return x * 2 end }
    b = mlpl.optim.Adam(a:parameters())
    c = mlpl.data.TensorDataset(mlpl.ones(4, 2))
    d = c:batches { size = 2 }
    e = d()
    f = a(e):sum()
    f:backward()
    print "done"]], "done\n")
end

-- Finalizers run in the reverse of the order in which their objects were marked, so one that
-- was there before the library runs after it was closed.
function TestClosing:test_a_finalizer_older_than_the_library()
  runs([[
    local late = setmetatable({}, { __gc = function(self)
      for _, f in ipairs(self) do
        local ok, message = pcall(f)
        print(ok or (message:gsub("^.*mlpl: ", "")))
      end
    end })
    local mlpl = require "mlpl"
    local x, m = mlpl.ones(3), mlpl.nn.Linear(3, 2)
    local opt = mlpl.optim.SGD(m:parameters())
    late[1] = function() return mlpl.zeros(3) end
    late[2] = function() return x + 1 end
    late[3] = function() return m(x) end
    late[4] = function() return mlpl.seed(1) end
    late[5] = function() x:release() m:release() opt:release() end
    late[6] = function() return opt.lr end
    late[7] = function() return mlpl.memory().live end
    keep = late]], ("the Lua state is closing\n"):rep(4) .. "true\n" ..
      ("the Lua state is closing\n"):rep(2))
end

function TestClosing:test_leaving_early()
  local out, _, code = process.run("-e", [[
    local mlpl = require "mlpl"
    local x <close> = mlpl.ones(3)
    local co = coroutine.wrap(function()
      local y <close> = mlpl.ones(3)
      coroutine.yield(y)
    end)
    co()
    io.stdout:write "bye\n"
    os.exit(3, true)]])
  lu.assertEquals(out, "bye\n")
  lu.assertEquals(code, 3)
end

-- ---- Lua code called by the engine ----------------------------------------------------

TestLuaLayers = {}

local x23 = function() return mlpl.ones(2, 3) end

local function with_layer(f) return nn.Sequential { nn.Linear(3, 3), f, nn.ReLU() } end

-- The engine works as if nothing had happened.
local function assert_usable()
  lu.assertTrue(mlpl.is_grad_enabled())
  mlpl.seed(5)
  local model = net()
  local opt = optim.SGD(model:parameters(), { lr = 0.1 })
  local labels = mlpl.tensor({ 1, 2 }, { dtype = "i64" })
  local first = step(model, opt, x23(), labels)
  mlpl.seed(5)
  model = net()
  opt = optim.SGD(model:parameters(), { lr = 0.1 })
  lu.assertEquals(step(model, opt, x23(), labels), first)
end

function TestLuaLayers:test_an_error_comes_out_of_the_outer_call()
  local model = with_layer(function() error "the layer is sorry" end)
  for _, method in ipairs { "forward", "predict" } do
    lu.assertErrorMsgContains("the layer is sorry", model[method], model, x23())
  end
  lu.assertErrorMsgContains("test_lifetime.lua", model, x23())
  assert_usable()
end

function TestLuaLayers:test_the_error_is_its_message()
  local function deep() error "down here" end
  local ok, message = pcall(with_layer(function(x) return (deep(x)) end), x23())
  lu.assertFalse(ok)
  lu.assertStrMatches(message, "[^\n]*test_lifetime.lua:%d+: down here")
end

function TestLuaLayers:test_an_error_of_any_type()
  local thrown = setmetatable({ code = 7 }, {})
  for _, value in ipairs { thrown, false, 42, coroutine.create(print) } do
    local ok, got = pcall(with_layer(function() error(value) end), x23())
    lu.assertFalse(ok)
    lu.assertTrue(rawequal(got, value))
  end
  local ok, got = pcall(with_layer(function() error() end), x23())
  lu.assertFalse(ok)
  lu.assertStrContains(tostring(got), "a Lua layer raised an error that is nil")
  assert_usable()
end

function TestLuaLayers:test_an_error_of_the_engine_inside()
  local model = with_layer(function(x) return x:matmul(mlpl.ones(5, 5)) end)
  lu.assertErrorMsgContains("matmul: inner sizes differ: a is [2x3], b is [5x5]",
    model, x23())
  assert_usable()
end

function TestLuaLayers:test_an_error_that_is_caught_inside()
  local inner = with_layer(function() error "inner" end)
  local outer = with_layer(function(x)
    lu.assertFalse((pcall(inner, x)))
    return x
  end)
  lu.assertEquals(outer(x23()).shape, { 2, 3 })
  lu.assertErrorMsgContains("must be", mlpl.zeros, "x")    -- not the inner error, held over
end

function TestLuaLayers:test_what_it_returns_must_be_a_tensor()
  for _, value in ipairs { 1, "x", {}, net() } do
    lu.assertErrorMsgContains("a Lua layer must return a tensor, the function at ",
      with_layer(function() return value end), x23())
  end
  lu.assertErrorMsgContains("returned nil", with_layer(function() end), x23())
end

function TestLuaLayers:test_it_returns_a_released_tensor()
  lu.assertErrorMsgContains("returned a tensor that was released",
    with_layer(function(x)
      local y = x + 1
      y:release()
      return y
    end), x23())
end

function TestLuaLayers:test_a_yield_is_an_error()
  local model = with_layer(function(x)
    coroutine.yield(x)
    return x
  end)
  local co = coroutine.create(function() return model(x23()) end)
  local ok, message = coroutine.resume(co)
  lu.assertFalse(ok)
  lu.assertStrContains(message, "a Lua layer cannot yield")
  lu.assertEquals(coroutine.status(co), "dead")
  lu.assertErrorMsgContains("yield", model, x23())
  assert_usable()
end

function TestLuaLayers:test_coroutines_inside_a_layer()
  local model = with_layer(function(x)
    local twice = coroutine.wrap(function(a)
      local b = coroutine.yield(a * 2)
      return net()(b)
    end)
    local y = twice(x)
    lu.assertEquals(twice(y).shape, { 2, 2 })
    return y
  end)
  local co = coroutine.wrap(function() return model(x23()), model:predict(x23()) end)
  lu.assertEquals(co().shape, { 2, 3 })
  collectgarbage()
  lu.assertEquals(model(x23()).shape, { 2, 3 })
end

function TestLuaLayers:test_gradients_flow_through_it()
  local model = nn.Sequential { function(x) return x * x end }
  local x = mlpl.tensor { 3, 4 }:requires_grad_()
  model(x):sum():backward()
  lu.assertEquals(x.grad:totable(), { 6, 8 })
end

-- What the outer call works on is let go of by the layer that it called.
function TestLuaLayers:test_it_releases_everything_it_can_reach()
  for _, method in ipairs { "forward", "predict" } do
    local input, model = x23(), nil
    model = nn.Sequential {
      function(x)
        input:release()
        x:release()
        model[2]:release()
        model[1]:release()
        model:release()
        collectgarbage()
        return mlpl.ones(2, 3)
      end,
      nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2),
    }
    lu.assertEquals(model[method](model, input).shape, { 2, 2 })
    lu.assertErrorMsgContains("was released", model, x23())
  end
  assert_usable()
end

function TestLuaLayers:test_it_releases_the_step_that_called_it()
  local x, y, step_, opt = x23(), mlpl.ones(2, 2), nil, nil
  local model = nn.Sequential {
    nn.Linear(3, 2),
    function(z)
      x:release()
      y:release()
      opt:release()
      step_:release()
      collectgarbage()
      return z * 2
    end,
  }
  opt = optim.SGD(model:parameters())
  step_ = mlpl.train_step(model, nn.MSELoss(), opt)
  lu.assertTrue(step_(x, y) > 0)
  lu.assertErrorMsgContains("was released", step_, x23(), y)
end

-- A checkpoint's layers run again in backward, wherever that is called from.
function TestLuaLayers:test_in_a_checkpoint()
  local model = with_layer(function(x) return x * x end)
  local x = x23():requires_grad_()
  local co = coroutine.create(function() return nn.checkpoint(model, x):sum() end)
  local _, loss = coroutine.resume(co)
  co = nil
  collectgarbage()
  collectgarbage()
  loss:backward()
  lu.assertEquals(x.grad.shape, { 2, 3 })
  coroutine.wrap(function() nn.checkpoint(model, x):sum():backward() end)()
  assert_usable()
end

function TestLuaLayers:test_errors_in_the_second_run_of_a_checkpoint()
  local runs, loss = 0, nil
  local model = with_layer(function(z)
    runs = runs + 1
    if runs == 2 then
      loss:release()
      collectgarbage()
      error "the second time"
    end
    return z
  end)
  loss = nn.checkpoint(model, x23():requires_grad_()):sum()
  lu.assertErrorMsgContains("the second time", loss.backward, loss)
  assert_usable()
end

function TestLuaLayers:test_a_checkpoint_of_a_model_that_is_gone()
  local x = x23():requires_grad_()
  local loss = nn.checkpoint(with_layer(function(z) return z end), x):sum()
  collectgarbage()
  collectgarbage()
  local ok, message = pcall(loss.backward, loss)
  if not ok then lu.assertStrContains(message, "was released") end
  assert_usable()
end

function TestLuaLayers:test_a_released_layer()
  local model = with_layer(function(x) return x end)
  model[2]:release()
  lu.assertErrorMsgContains("a Lua layer was called after it was released", model, x23())
end

function TestLuaLayers:test_one_that_calls_itself()
  local model
  model = nn.Sequential { function(x) return model(x) end }
  lu.assertErrorMsgContains("stack overflow", model, x23())
  assert_usable()
end

function TestLuaLayers:test_its_model_is_collected_with_it()
  local before = live()
  do
    local model
    model = nn.Sequential { nn.Linear(50, 50), function(x) return model and x end }
    model(mlpl.ones(1, 50))
  end
  lu.assertEquals(live(), before)
end

-- ---- no_grad --------------------------------------------------------------------------

TestNoGrad = {}

function TestNoGrad:test_recording_is_back_after_an_error()
  lu.assertErrorMsgContains("stop", mlpl.no_grad, function() error "stop" end)
  lu.assertTrue(mlpl.is_grad_enabled())
  local _, message = pcall(mlpl.no_grad, function() error { 1 } end)
  lu.assertEquals(message, { 1 })
  lu.assertTrue(mlpl.is_grad_enabled())
end
