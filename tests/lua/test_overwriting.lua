-- What a recorded change in place leaves: memory, hooks, retained gradients, names.

local lu = require "luaunit"
local mlpl = require "mlpl"
local expect = require "expect"
local values, message = expect.values, expect.message

local function leaf(v) return mlpl.tensor(v, { dtype = "f64", requires_grad = true }) end

-- ---- memory ---------------------------------------------------------------------------

TestOverwritingFrees = {}

-- Bytes that stay after f has run a few times.
local function left_by(f)
  collectgarbage()
  collectgarbage()
  local before = mlpl.memory().live
  for _ = 1, 3 do f() end
  collectgarbage()
  collectgarbage()
  return mlpl.memory().live - before
end

local w = nil

function TestOverwritingFrees:setUp() w = mlpl.ones(10, { requires_grad = true }) end

function TestOverwritingFrees:tearDown() w = nil end

-- Each changes y by what was computed, and saved, of y itself.
local changes = {
  mul_ = function(y) y:mul_(y:sin()) end,
  add_ = function(y) y:add_(y * y) end,
  copy_ = function(y) y:copy_(y * y) end,
  assignment = function(y) y[{ { 1, 3 } }] = (y * y)[{ { 1, 3 } }] end,
  twice = function(y)
    local z = y * y
    y:mul_(2)
    y:add_(z)
    y:add_(y:exp() * z)
  end,
  overwritten = function(y)
    local z = y * y
    y:fill_(3)
    y:mul_(z)
  end,
  deep = function(y)
    local z = y:sin()
    for _ = 1, 300 do z = z * 1.01 + y end
    y:sub_(z)
  end,
}

function TestOverwritingFrees:test_a_result()
  for name, change in pairs(changes) do
    lu.assertEquals(left_by(function() change(w * 1) end), 0, name)
  end
end

-- No history of its own before the change.
function TestOverwritingFrees:test_a_constant()
  local i = mlpl.tensor({ 1, 2, 3 }, { dtype = "i64" })
  local function constant(f)
    return function() f(mlpl.full({ 10 }, 2), w * 1) end
  end
  for name, f in pairs {
    add_ = function(b, y) b:add_(b * y) end,
    copy_ = function(b, y) b:copy_(b * y) end,
    scatter_ = function(b, y) b:scatter_(1, i, b / y) end,
    assignment = function(b, y) b[{ { 1, 3 } }] = (b * y)[{ { 1, 3 } }] end,
  } do
    lu.assertEquals(left_by(constant(f)), 0, name)
  end
end

-- Round by way of what another tensor has become since it was saved, in either order.
function TestOverwritingFrees:test_two_tensors()
  local function make()
    local b, c = w * 2, w * 3
    return b, c, b:exp() * w, c * c
  end
  lu.assertEquals(left_by(function()
    local b, c, of_b, of_c = make()
    c:add_(of_b * b)
    b:add_(of_c)
  end), 0)
  lu.assertEquals(left_by(function()
    local b, c, of_b, of_c = make()
    b:add_(of_c)
    c:add_(of_b)
  end), 0)
end

-- Saved by a function that is written in Lua.
function TestOverwritingFrees:test_saved_by_a_function()
  local Double = mlpl.autograd.Function {
    forward = function(ctx, x)
      ctx:save_for_backward(x)
      return x * 2
    end,
    backward = function(_, g) return g * 2 end,
  }
  lu.assertEquals(left_by(function()
    local y = w * 1
    y:add_(Double(y))
  end), 0)
end

function TestOverwritingFrees:test_the_old_values_are_missed()
  for name, change in pairs(changes) do
    local y = w * 1
    change(y)
    lu.assertStrContains(message(y.backward, y, mlpl.ones(10)),
      "was changed in place after it was recorded; its old value is needed", name)
  end
end

-- ---- assignment -----------------------------------------------------------------------

TestOverwritingAssigned = {}

-- As every other change in place does.
function TestOverwritingAssigned:test_it_keeps_its_gradient()
  local x = leaf { 1, 2, 3 }
  local y = x * 1
  y:retain_grad()
  y[1] = y[2] * 2
  lu.assertTrue(y.retains_grad)
  ;(y * leaf { 1, 10, 100 }):sum():backward()
  values(y.grad, { 1, 10, 100 })
  values(x.grad, { 0, 12, 100 })
end

-- A hook stays with the result that it was registered for.
function TestOverwritingAssigned:test_hooks_stay_with_what_was()
  local function seen_by(change)
    local x, seen = leaf { 1, 2, 3 }, {}
    local y = x * 1
    y:register_hook(function(g) seen[#seen + 1] = g:totable() end)
    change(y)
    y:register_hook(function(g) seen[#seen + 1] = g:totable() end)
    ;(y * leaf { 1, 10, 100 }):sum():backward()
    return seen
  end
  lu.assertEquals(seen_by(function(y) y[1] = 5 end), { { 1, 10, 100 }, { 0, 10, 100 } })
  lu.assertEquals(seen_by(function(y) y:mul_(2) end), { { 1, 10, 100 }, { 2, 20, 200 } })
end

-- One that fails leaves everything as it was.
function TestOverwritingAssigned:test_a_failure()
  local x = leaf { 1, 2, 3 }
  local y = x * 1
  y:retain_grad()
  local far = mlpl.tensor({ 9 }, { dtype = "i64" })
  lu.assertStrContains(message(function() y[far] = y[2] end),
    "assignment")
  lu.assertTrue(y.retains_grad)
  y:sum():backward()
  values(y.grad, { 1, 1, 1 })
end

-- ---- names ----------------------------------------------------------------------------

TestOverwritingNames = {}

-- What is put in the place of what was there is called as the script calls it.
function TestOverwritingNames:test_of_what_was_recorded()
  local x = leaf { 1, 2 }
  for name, change in pairs {
    fill_ = function(y) y:fill_(3) end,
    zero_ = function(y) y:zero_() end,
    copy_ = function(y) y:copy_(mlpl.zeros(2)) end,
    normal_ = function(y) y:normal_() end,
    uniform_ = function(y) y:uniform_() end,
    exponential_ = function(y) y:exponential_() end,
    bernoulli_ = function(y) y:bernoulli_(0.5) end,
    sign = function(y) y:sign_() end,
    floor = function(y) y:floor_() end,
    mul = function(y) y:mul_(2) end,
    assignment = function(y) y[1] = 4 end,
  } do
    local y = x * 1
    change(y)
    lu.assertEquals(y.grad_fn, name)
  end
  for _, y in ipairs { x * 1, mlpl.zeros(2):to "f64", mlpl.zeros(2) } do
    y:copy_(x)
    lu.assertEquals(y.grad_fn, "copy_")
  end
  local whole = mlpl.zeros({ 2 }, { dtype = "i64" })
  lu.assertFalse(whole:copy_(x).requires_grad)
end

function TestOverwritingNames:test_in_messages()
  local x = leaf { 1, 2 }
  for _, name in ipairs { "zero_", "normal_" } do
    local y = x * 1
    y[name](y)
    y:sum():backward()
    lu.assertStrContains(message(y.backward, y, mlpl.ones(2):to "f64"),
      "the graph below " .. name .. " was freed by an earlier backward")
    lu.assertStrContains(message(x[name], x), name .. ": the tensor is a leaf")
  end
end
