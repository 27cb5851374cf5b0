local lu = require "luaunit"
local mlpl = require "mlpl"
local expect = require "expect"

local values, fails = expect.values, expect.fails

local function leaf(v) return mlpl.tensor(v, { dtype = "f64", requires_grad = true }) end

TestAutograd = {}

function TestAutograd:test_expressions_against_numbers_worked_out_by_hand()
  local x, y = leaf { 1, 2, 3 }, leaf { 4, 5, 6 }
  ;(x * y):sum():backward()
  values(x.grad, { 4, 5, 6 })
  values(y.grad, { 1, 2, 3 })

  local a, b = leaf(6), leaf(3)
  -- dz/da = 1/b + 2, dz/db = -a/b^2 - 2b
  local z = a / b - b ^ 2 + 2 * a
  z:backward()
  values(a.grad, 1 / 3 + 2, 1e-15)
  values(b.grad, -6 / 9 - 6, 1e-15)

  local u = leaf { 0.5 }
  ;(u:exp() * u:tanh() + u:log() - u:sqrt() + u:sigmoid()):backward()
  local e, t, s = math.exp(0.5), (math.exp(1) - 1) / (math.exp(1) + 1),
    1 / (1 + math.exp(-0.5))
  values(u.grad, { e * t + e * (1 - t * t) + 2 - 0.5 / math.sqrt(0.5) + s * (1 - s) },
    1e-14)
end

function TestAutograd:test_every_use_of_a_tensor_counts()
  local x = leaf(3)
  local y = x * x
  ;(y * x + y):backward()                                       -- x^3 + x^2
  values(x.grad, 27 + 6)
end

function TestAutograd:test_broadcast_operands_get_sums()
  local row, column, number = leaf { { 1, 2, 3 } }, leaf { { 10 }, { 20 } }, leaf(2)
  ;(row * column * number):sum():backward()
  values(row.grad, { { 60, 60, 60 } })
  values(column.grad, { { 12 }, { 12 } })
  values(number.grad, 180)
end

function TestAutograd:test_products()
  local a, b = leaf { { 1, 2 }, { 3, 4 } }, leaf { { 5, 6 }, { 7, 8 } }
  a:matmul(b):sum():backward()
  values(a.grad, { { 11, 15 }, { 11, 15 } })
  values(b.grad, { { 4, 4 }, { 6, 6 } })
end

function TestAutograd:test_reductions_and_views()
  local x = leaf { { 1, 5 }, { 4, 2 } }
  x:mean():backward()
  values(x.grad, { { 0.25, 0.25 }, { 0.25, 0.25 } })
  x.grad = nil
  x:max(2):sum():backward()
  values(x.grad, { { 0, 1 }, { 1, 0 } })
  x.grad = nil
  ;(x:t()[1] * mlpl.tensor({ 2, 3 }, { dtype = "f64" })):sum():backward()
  values(x.grad, { { 2, 0 }, { 3, 0 } })
  x.grad = nil
  x:reshape(4)[{ { 2, 3 } }]:sum():backward()
  values(x.grad, { { 0, 1 }, { 1, 0 } })
end

function TestAutograd:test_gradients_add_up_until_they_are_zeroed()
  local x = leaf { 1, 2 }
  local function go() (x * 3):sum():backward() end
  lu.assertNil(x.grad)
  go()
  values(x.grad, { 3, 3 })
  go()
  values(x.grad, { 6, 6 })
  x:zero_grad()
  lu.assertNil(x.grad)
  go()
  values(x.grad, { 3, 3 })
  x.grad = nil
  lu.assertNil(x.grad)
  go()
  values(x.grad, { 3, 3 })
end

function TestAutograd:test_a_gradient_in_hand_grows_but_is_not_zeroed()
  local x = leaf { 1 }
  ;(x * 3):sum():backward()
  local g = x.grad
  lu.assertIs(x.grad, g)
  ;(x * 3):sum():backward()
  values(g, { 6 })
  x:zero_grad()
  values(g, { 6 })
  ;(x * 3):sum():backward()
  values(g, { 6 })
  values(x.grad, { 3 })
end

function TestAutograd:test_a_gradient_for_backward()
  local x = leaf { 1, 2 }
  local y = x * x
  y:backward(mlpl.tensor({ 1, 10 }, { dtype = "f64" }))
  values(x.grad, { 2, 40 })
  local z = leaf { 1, 2 } * 2
  fails("backward: the tensor is [2] of f64, the gradient given is [3] of f64",
    z.backward, z, mlpl.zeros(3, { dtype = "f64" }))
  fails("backward: the tensor is [2] of f64, the gradient given is [2] of f32",
    z.backward, z, mlpl.zeros(2))
  lu.assertStrContains(expect.message(z.backward, z, 5),
    "mlpl.Tensor expected, got number")
  fails("backward: the tensor is [2]; only from a single number can gradients start " ..
    "by themselves, give one of " ..
    "this shape or reduce it (:sum(), :mean())", z.backward, z)
  fails("backward: unknown option 'retain'; the options are retain_graph, " ..
    "create_graph, inputs", z.backward, z, { retain = true })
end

function TestAutograd:test_backward_from_a_leaf()
  local x = leaf(2)
  x:backward()
  values(x.grad, 1)
end

function TestAutograd:test_a_graph_serves_once_unless_it_is_retained()
  local x = leaf(3)
  local y = x * x
  y:backward { retain_graph = true }
  y:backward(nil, { retain_graph = true })
  y:backward()
  values(x.grad, 18)
  fails("backward: the graph below mul was freed by an earlier backward; to go " ..
    "through it twice, pass retain_graph " ..
    "to the first", y.backward, y)
  values(x.grad, 18)
end

function TestAutograd:test_second_and_third_derivatives()
  local x = leaf { 1, 2, -3 }
  ;(x ^ 3):sum():backward { create_graph = true }
  local first = x.grad
  values(first, { 3, 12, 27 }, 1e-15)
  x.grad = nil
  first:sum():backward { create_graph = true }
  local second = x.grad
  values(second, { 6, 12, -18 }, 1e-14)
  x.grad = nil
  second:sum():backward()
  values(x.grad, { 6, 6, 6 }, 1e-14)
end

function TestAutograd:test_second_derivative_through_a_layer()
  local nn = mlpl.nn
  local model = nn.Sequential { nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1) }:to("f64")
  local x = leaf { { 0.3, -0.2 } }
  model(x):sum():backward { create_graph = true }
  local g = x.grad
  x.grad = nil
  model:zero_grad()
  ;(g * g):sum():backward()
  lu.assertEquals(model[1].weight.grad.shape, { 3, 2 })
  -- Against a difference: f(w) = |d model / dx|^2.
  local function f()
    local v = mlpl.tensor(x:detach():totable(), { dtype = "f64", requires_grad = true })
    model(v):sum():backward()
    return (v.grad * v.grad):sum():item()
  end
  local w, h = model[3].weight, 1e-6
  local found, at = w.grad[{ 1, 2 }]:item(), w:detach()[{ 1, 2 }]
  local was = at:item()
  mlpl.nn.init.constant_(at, was + h)
  local up = f()
  mlpl.nn.init.constant_(at, was - h)
  lu.assertAlmostEquals((up - f()) / (2 * h), found, 1e-6)
  model:zero_grad()
end

function TestAutograd:test_no_grad()
  local x = leaf(2)
  lu.assertIs(mlpl.is_grad_enabled(), true)
  local y, a, b = mlpl.no_grad(function(...)
    lu.assertIs(mlpl.is_grad_enabled(), false)
    return x * 3, ...
  end, 7, nil)
  lu.assertEquals({ y:item(), a, b }, { 6, 7, nil })
  lu.assertIs(y.requires_grad, false)
  lu.assertIs(mlpl.is_grad_enabled(), true)
  lu.assertEquals(select("#", mlpl.no_grad(function() return nil, nil end)), 2)
  lu.assertEquals(select("#", mlpl.no_grad(function() end)), 0)
  -- anything that can be called
  values(mlpl.no_grad(mlpl.nn.ReLU(), x), 2)
  fails("backward: nothing was recorded for this tensor; no input of it requires a " ..
    "gradient, it was made under no_grad, or it is a constant: the gradient of a function " ..
    "that is linear piece by piece (ReLU)", y.backward, y)
end

function TestAutograd:test_no_grad_puts_recording_back_after_an_error()
  local problem = {}
  local ok, err = pcall(mlpl.no_grad, function()
    mlpl.no_grad(function() end)
    lu.assertIs(mlpl.is_grad_enabled(), false)
    error(problem)
  end)
  lu.assertIs(ok, false)
  lu.assertIs(err, problem)
  lu.assertIs(mlpl.is_grad_enabled(), true)
  lu.assertStrContains(expect.message(mlpl.no_grad), "function expected, got no value")
  lu.assertStrContains(expect.message(mlpl.no_grad, 5), "function expected, got number")
  local co = coroutine.wrap(function() mlpl.no_grad(coroutine.yield) end)
  lu.assertStrContains(expect.message(co), "a function under no_grad cannot yield: ")
  lu.assertIs(mlpl.is_grad_enabled(), true)
  co = coroutine.wrap(function() mlpl.detect_anomaly(coroutine.yield) end)
  lu.assertStrContains(expect.message(co), "a function under detect_anomaly cannot yield: ")
end

function TestAutograd:test_an_error_that_is_nil()
  local y = leaf { 2 } * 2
  y:register_hook(function() error() end)
  lu.assertStrContains(expect.message(y.backward, y), "a hook raised an error that is nil")
end

function TestAutograd:test_detach()
  local x = leaf { 2 }
  local d = (x * x):detach()
  lu.assertIs(d.requires_grad, false)
  ;(d * x):sum():backward()
  values(x.grad, { 4 })
  mlpl.nn.init.zeros_(x:detach())                              -- shares memory
  values(x, { 0 })
end

function TestAutograd:test_requires_grad()
  local x = mlpl.zeros(2)
  lu.assertIs(x:requires_grad_(), x)
  lu.assertIs(x.requires_grad, true)
  local y = x * 2
  lu.assertIs(y.requires_grad, true)
  x:requires_grad_(false)
  lu.assertIs(x.requires_grad, false)
  x.requires_grad = true
  lu.assertIs(x.requires_grad, true)
  fails("requires_grad_: the tensor is the result of mul; only leaves may be set, use " ..
    "detach first", y.requires_grad_, y, false)
  fails("zeros: dtype is i64; only f32 and f64 have gradients", mlpl.zeros, 2,
    { dtype = "i64", requires_grad = true })
  fails("requires_grad must be true or false", function() x.requires_grad = 1 end)
  fails("a tensor's grad can only be set to nil", function() x.grad = mlpl.zeros(2) end)
end

function TestAutograd:test_a_value_that_was_changed_since()
  local x, w = leaf { 2 }, leaf { 3 }
  local y = (x * w):sum()
  mlpl.nn.init.zeros_(w)
  fails("backward: b of mul was changed in place after it was recorded; its old " ..
    "value is needed", y.backward, y)
end

-- An input that only another one's gradient needs is not kept when that one has none.
function TestAutograd:test_what_no_gradient_needs_may_change()
  local c = mlpl.tensor({ { 2, 3 }, { 5, 7 } }, { dtype = "f64" })
  local uses = {
    function(h) return h * c end, function(h) return c * h end, function(h) return h / c end,
    function(h) return h:matmul(c) end, function(h) return c:matmul(h) end,
    function(h) return h[1]:matmul(c) end, function(h) return c:mv(h[1]) end,
    function(h) return h:inner(c) end, function(h) return h[1]:outer(c[1]) end,
    function(h) return h:expand(3, 2, 2):matmul(c) end,
    function(h) return mlpl.nn.linear(h, c) end, function(h) return mlpl.nn.linear(c, h) end,
    function(h) return mlpl.addmm(c, h, c) end, function(h) return mlpl.addmm(h, c, c) end,
    function(h) return h:remainder(c) end, function(h) return h:fmod(c) end,
    function(h) return mlpl.lerp(h, c, 0.25) end,
    function(h) return mlpl.addcmul(c, h, c) end, function(h) return mlpl.addcdiv(c, h, c) end,
    function(h) return mlpl.nn.conv1d(h:view(1, 2, 2), c:view(2, 2, 1)) end,
    function(h) return mlpl.nn.conv1d(c:view(1, 2, 2), h:view(2, 2, 1)) end,
    function(h) return mlpl.nn.conv_transpose1d(h:view(1, 2, 2), c:view(2, 2, 1)) end,
  }
  for i, use in ipairs(uses) do
    local w = leaf { { 0.5, 1.5 }, { -1, 4 } }
    use(w):sum():backward()
    local wanted = w.grad
    w.grad = nil
    local h = w * 1
    local y = use(h):sum()
    mlpl.no_grad(h.zero_, h)
    y:backward()
    lu.assertEquals(w.grad:totable(), wanted:totable(), "use " .. i)
  end
end

-- x ^ 2 keeps x, not the result, and x * 2 keeps nothing of x's size.
function TestAutograd:test_the_memory_of_what_is_not_needed()
  local x = mlpl.zeros(1000, 1000, { requires_grad = true })
  local function held(f)
    collectgarbage()
    collectgarbage()
    local before = mlpl.memory().live
    local y = f()
    collectgarbage()
    collectgarbage()
    return (mlpl.memory().live - before) / 4e6, y
  end
  lu.assertAlmostEquals(held(function() return ((x * 2) * 3 / 4):sum() end), 0, 0.1)
  lu.assertAlmostEquals(held(function() return ((x * 2) ^ 2):sum() end), 1, 0.1)
  local frozen = mlpl.zeros(1000, 1000)
  lu.assertAlmostEquals(
    held(function() return mlpl.nn.linear(x * 1, frozen):sum() end), 0, 0.1)
end

-- A recorded change in place copies the old values only where they are needed.
function TestAutograd:test_changes_in_place_that_need_no_old_values()
  local x = leaf { 1, 2 }
  local y = x * 3
  local z = y:exp()
  y:mul_(2);
  (z:sum() + y:sum()):backward()
  lu.assertAlmostEquals(x.grad[1]:item(), 3 * math.exp(3) + 6, 1e-4)
end

function TestAutograd:test_a_model_that_was_converted_since()
  local model = mlpl.nn.Linear(2, 2):to("f64")
  local x = mlpl.ones(1, 2, { dtype = "f64", requires_grad = true })
  local function loss() return model(x):sum() end
  local y = loss()
  model:to("f32")
  fails("backward: weight of linear was converted to f32 after it was recorded",
    y.backward, y)
  model:to("f64")
  y = loss()
  -- there and back: other numbers
  model:to("f32"):to("f64")
  lu.assertStrContains(expect.message(y.backward, y),
    "of linear was changed in place after it was recorded")
  local t = model.weight:t():sum()
  model:to("f32")
  fails("backward: input of t was converted to f32 after it was recorded", t.backward, t)
end

function TestAutograd:test_a_long_graph()
  local x = leaf(1)
  local y = x
  for _ = 1, 20000 do y = y + x end
  y:backward()
  values(x.grad, 20001)
end

function TestAutograd:test_integer_results_are_not_recorded()
  local x = leaf { 1, 3, 2 }
  lu.assertIs(x:argmax().requires_grad, false)
  local v, i = x:max(1)
  lu.assertIs(v.requires_grad, true)
  lu.assertIs(i.requires_grad, false)
end

-- What the Lua half of the library finds wrong is wrong in the line that called it.
function TestAutograd:test_errors_stand_at_the_script_s_line()
  local autograd, linalg, x = mlpl.autograd, mlpl.linalg, leaf { 1, 2 }
  local function same(v) return v * 1 end
  local calls = {
    function() local _ = autograd.hessian(same, x) end,
    function() local _ = autograd.jacobian(x, x) end,
    function() local _ = autograd.vjp(same, x) end,
    function() local _ = autograd.jvp(same, x, mlpl.ones(3)) end,
    function() local _ = autograd.gradcheck(same, mlpl.ones(2)) end,
    function() local _ = autograd.gradcheck(function(v) return v:detach() * v end, x) end,
    function() local _ = autograd.Function {} end,
    function() local _ = linalg.norm(mlpl.ones(2, 2), "none") end,
    function() local _ = linalg.norm(mlpl.ones(2), 2, 3, 4, 5) end,
    function() local _ = mlpl.help.entry(1) end,
    function() mlpl.help "none such" end,
    function() local _ = mlpl.nothing end,
    function() mlpl.anything = 1 end,
    function() local _ = x.nothing end,
  }
  for i, call in ipairs(calls) do
    local _, message = pcall(call)
    local line = debug.getinfo(call, "S").linedefined
    lu.assertStrContains(message, ("tests/lua/test_autograd.lua:%d: "):format(line), false, i)
  end
  local _, message = pcall(mlpl.detect_anomaly, function()
    return linalg.norm(mlpl.tensor { 0 / 0 }) + 0
  end)
  lu.assertNotStrContains(message, "scripts/mlpl")
end
