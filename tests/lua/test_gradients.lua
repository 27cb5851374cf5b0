-- mlpl.autograd and what belongs to it: gradients of chosen tensors, Jacobians, Hessians,
-- functions with both passes in Lua, hooks, the search for NaN.

local lu = require "luaunit"
local mlpl = require "mlpl"
local expect = require "expect"
local values, fails, message = expect.values, expect.fails, expect.message

local autograd, nn = mlpl.autograd, mlpl.nn
local f64 = { dtype = "f64" }

local function tensor(v) return mlpl.tensor(v, f64) end
local function leaf(v) return mlpl.tensor(v, { dtype = "f64", requires_grad = true }) end

-- The first line of an error, without places in a script.
local function first_line(f, ...)
  return (message(f, ...):match "^[^\n]*":gsub("the function at [^ ,]+:%d+", "the function"))
end

-- ---- grad -----------------------------------------------------------------------------

TestGrad = {}

function TestGrad:test_one_and_many()
  local x, w = leaf { 1, 2 }, leaf { 3, 4 }
  local y = (x * w):sum()
  values(autograd.grad(y, x, { retain_graph = true }), { 3, 4 })
  local g = autograd.grad({ y }, { x, w })
  values(g[1], { 3, 4 })
  values(g[2], { 1, 2 })
  lu.assertNil(x.grad)
  lu.assertNil(w.grad)
end

function TestGrad:test_outputs_with_their_gradients()
  local x = leaf { 1, 2 }
  local a, b = x * x, x:sum()
  values(autograd.grad(a, x, { grad_outputs = tensor { 1, 10 }, retain_graph = true }),
    { 2, 40 })
  values(autograd.grad({ a, b }, x, { grad_outputs = { tensor { 1, 10 } } }), { 3, 41 })
end

function TestGrad:test_results_of_operations_are_inputs_too()
  local x = leaf { 1, 2 }
  local h = x * 3
  values(autograd.grad((h * h):sum(), h), { 6, 12 })
  lu.assertNil(h.grad)
end

function TestGrad:test_gradients_of_gradients()
  local x = leaf { 1, 2 }
  local g = autograd.grad((x ^ 3):sum(), x, { create_graph = true })
  values(autograd.grad(g:sum(), x), { 6, 12 })
end

function TestGrad:test_the_second_gradient_of_std_is_0_where_it_is_0()
  local x = leaf { { 1, 1, 1 }, { 1, 2, 4 } }
  local w = tensor { { 1, 2, 5 }, { 1, 2, 5 } }
  local g = autograd.grad(x:std(2):sum(), x, { create_graph = true })
  values(g[1], { 0, 0, 0 })
  values(autograd.grad((g * w):sum(), x)[1], { 0, 0, 0 })
  -- of the row that is not constant, as where it stands alone
  local y = leaf { 1, 2, 4 }
  local alone = autograd.grad(y:std(), y, { create_graph = true })
  g = autograd.grad(x:std(2):sum(), x, { create_graph = true })
  values(autograd.grad((g * w):sum(), x)[2], autograd.grad((alone * w[2]):sum(), y):totable())
end

function TestGrad:test_every_derivative_of_sinc_at_0()
  local x = leaf { 0, 1e-8 }
  local y = x:sinc()
  local wanted = { { 0, -math.pi ^ 2 / 3 * 1e-8 }, { -math.pi ^ 2 / 3, -math.pi ^ 2 / 3 },
    { 0, math.pi ^ 4 / 5 * 1e-8 }, { math.pi ^ 4 / 5, math.pi ^ 4 / 5 } }
  for _, slope in ipairs(wanted) do
    y = autograd.grad(y:sum(), x, { create_graph = true })
    values(y, slope, 1e-13)
  end
end

function TestGrad:test_the_last_derivative_of_sinc()
  local x = leaf { 0 }
  local y = x:sinc()
  for _ = 1, 100 do y = autograd.grad(y:sum(), x, { create_graph = true }) end
  lu.assertStrContains(message(autograd.grad, y:sum(), x),
    "sinc: has no derivative of order 101; the last is of order 100")
end

-- A norm has no derivative at 0: the first is 0 by choice, as PyTorch's, the second NaN.
function TestGrad:test_norm_at_0()
  local zeros, mixed = tensor { 0, 0 }, tensor { { 0, 0 }, { 3, 4 } }
  local vector_norm = mlpl.linalg.vector_norm
  local function nan(t) lu.assertTrue(t:isnan():all():item(), tostring(t)) end
  for _, p in ipairs { 2, 3, 1.5, 0.5, -1 } do
    for _, norm in ipairs { mlpl.norm, vector_norm } do
      local x = leaf { 0, 0 }
      values(autograd.grad(norm(x, p), x), { 0, 0 })
      values(autograd.grad(norm(x, p) ^ 2, x), { 0, 0 })
      if p > 1 then nan(autograd.hessian(function(y) return norm(y, p) end, zeros)) end
    end
  end
  nan(autograd.hessian(function(x) return x:norm() ^ 2 end, zeros))
  for _, norm in ipairs { mlpl.norm, vector_norm } do
    local h = autograd.hessian(function(x) return norm(x, 2, 2):sum() end, mixed)
    nan(h[1][1][1])
    values(h[2][1][2], { 0.128, -0.096 }, 1e-15)
  end
end

function TestGrad:test_unused_inputs()
  local x, w = leaf { 1 }, leaf { 2 }
  local y = x * 2
  fails("grad: input 2 was not used to compute the outputs; allow_unused gives no " ..
    "gradient for it", autograd.grad, y, { x, w }, { retain_graph = true })
  local g = autograd.grad(y, { x, w }, { allow_unused = true })
  values(g[1], { 2 })
  lu.assertNil(g[2])
  lu.assertNil(autograd.grad(x * 2, w, { allow_unused = true }))
end

function TestGrad:test_what_it_refuses()
  local x = leaf { 1, 2 }
  fails("grad: input 1 does not require a gradient; ask for it (requires_grad_) before " ..
    "the outputs are computed", autograd.grad, x:sum(), tensor { 1, 2 })
  fails("grad: inputs is 5; it must be a tensor or an array of tensors", autograd.grad,
    x:sum(), 5)
  fails("grad: entry 1 of outputs is 'a'; it must be a tensor", autograd.grad, { "a" }, x)
  fails("grad: 2 gradients are given for 1 outputs", autograd.grad, x:sum(), x,
    { grad_outputs = { x, x } })
  fails("grad: the tensor is [2] of f64, the gradient given is [1] of f64", autograd.grad,
    x * 2, x, { grad_outputs = tensor { 1 } })
  fails("grad: unknown option 'create'; the options are grad_outputs, retain_graph, " ..
    "create_graph, allow_unused", autograd.grad, x:sum(), x, { create = true })
  fails("grad: nothing was recorded for this tensor; no input of it requires a " ..
    "gradient, it was made under no_grad, or it is a constant: the gradient of a function " ..
    "that is linear piece by piece (ReLU)", autograd.grad, tensor { 1 }, x)
end

-- Nothing is recorded where the first gradient does not depend on x.
function TestGrad:test_says_that_a_gradient_may_be_constant()
  local x = leaf { 1, 2 }
  local g = autograd.grad(x:relu():sum(), x, { create_graph = true })
  lu.assertStrContains(message(autograd.grad, g:sum(), x),
    "or it is a constant: the gradient of a function that is linear piece by piece (ReLU)")
end

function TestGrad:test_backward_into_chosen_tensors()
  local x, w = leaf { 1, 2 }, leaf { 3, 4 }
  local h = x * w
  h:sum():backward { inputs = { w, h } }
  lu.assertNil(x.grad)
  values(w.grad, { 1, 2 })
  values(h.grad, { 1, 1 })
  fails("backward: the list of inputs is empty; without one, all leaves get gradients",
    function() (x * 2):sum():backward { inputs = {} } end)
end

-- What is added to a gradient is a change in place like any other.
function TestGrad:test_a_gradient_that_a_graph_needs_may_not_grow()
  local x, w = leaf { 2, 3 }, leaf { 1, 1 }
  ;(x * x):sum():backward()
  local z = (x.grad * w):sum()
  ;(x * x):sum():backward()
  fails("backward: a of mul was changed in place after it was recorded; its old value " ..
    "is needed", z.backward, z)
  local y = leaf { { 1, 2 }, { 3, 4 } }
  y:matmul(y):sum():backward()
  z = (y.grad * w):sum()
  y:matmul(y):sum():backward()
  fails("backward: a of mul was changed in place after it was recorded; its old value " ..
    "is needed", z.backward, z)
end

function TestGrad:test_modes()
  local x = leaf { 1 }
  mlpl.no_grad(function()
    lu.assertFalse((x * 2).requires_grad)
    lu.assertTrue(mlpl.enable_grad(function() return x * 2 end).requires_grad)
    lu.assertFalse(mlpl.is_grad_enabled())
  end)
  mlpl.set_grad_enabled(false)
  local y = x * 2
  mlpl.set_grad_enabled(true)
  lu.assertFalse(y.requires_grad)
  fails("set_grad_enabled: on is 1; it must be true or false", mlpl.set_grad_enabled, 1)
end

-- ---- Jacobians and Hessians -----------------------------------------------------------

TestJacobian = {}

function TestJacobian:test_softmax()
  local x = tensor { 0.3, -1.2, 2, 0.7 }
  local y = x:softmax(1)
  local j = autograd.jacobian(function(v) return v:softmax(1) end, x):totable()
  for a = 1, 4 do
    for b = 1, 4 do
      local ya, yb = y[a]:item(), y[b]:item()
      lu.assertAlmostEquals(j[a][b], (a == b and ya or 0) - ya * yb, 1e-12)
    end
  end
end

function TestJacobian:test_shapes_follow_outputs_and_inputs()
  local a, b = tensor { { 1, 2 }, { 3, 4 } }, tensor { 5, 6 }
  local j = autograd.jacobian(function(x, y) return x * y end, { a, b })
  lu.assertEquals(j[1].shape, { 2, 2, 2, 2 })
  lu.assertEquals(j[2].shape, { 2, 2, 2 })
  values(j[2], { { { 1, 0 }, { 0, 2 } }, { { 3, 0 }, { 0, 4 } } })
  local two = autograd.jacobian(function(x) return x:sum(), x * 2 end, b)
  values(two[1], { 1, 1 })
  values(two[2], { { 2, 0 }, { 0, 2 } })
  values(autograd.jacobian(function() return tensor { 1, 2 } end, b), { { 0, 0 }, { 0, 0 } })
  lu.assertFalse(b.requires_grad)
end

function TestJacobian:test_it_can_be_recorded()
  local x = leaf { 1, 2 }
  local j = autograd.jacobian(function(v) return v ^ 3 end, x, { create_graph = true })
  values(autograd.grad(j:sum(), x), { 6, 12 })
end

-- The loss of a net of two layers, its parameters in one list: the Hessian is the
-- difference quotient of the gradient.
function TestJacobian:test_hessian_of_a_net()
  mlpl.seed(3)
  local x, t = mlpl.randn(5, 3, f64), mlpl.randn(5, 2, f64)
  local ps = {
    mlpl.randn(4, 3, f64), mlpl.randn(4, f64), mlpl.randn(2, 4, f64), mlpl.randn(2, f64),
  }
  local function loss(w1, b1, w2, b2)
    return nn.mse_loss(nn.linear(nn.linear(x, w1, b1):tanh(), w2, b2), t)
  end
  local h = autograd.hessian(loss, ps)
  local eps, worst = 1e-5, 0
  for k, p in ipairs(ps) do
    local flat = p:detach():reshape(p:numel())
    for e = 1, p:numel() do
      local function gradient(by)
        local at = flat[e]
        local was = at:item()
        nn.init.constant_(at, was + by)
        local vs = {}
        for i, each in ipairs(ps) do vs[i] = each:detach():clone():requires_grad_() end
        nn.init.constant_(at, was)
        return autograd.grad(loss(table.unpack(vs)), vs)
      end
      local up, down = gradient(eps), gradient(-eps)
      for i, q in ipairs(ps) do
        local wanted = ((up[i] - down[i]) / (2 * eps)):reshape(q:numel())
        local found = h[i][k]:reshape(q:numel(), p:numel()):t()[e]
        worst = math.max(worst, (wanted - found):abs():max():item())
      end
    end
  end
  lu.assertTrue(worst < 1e-6, worst)
  lu.assertEquals(h[1][3].shape, { 4, 3, 2, 4 })
end

function TestJacobian:test_hessian_of_one_tensor()
  local x = tensor { 1, 2 }
  values(autograd.hessian(function(v) return (v ^ 3):sum() end, x), { { 6, 0 }, { 0, 12 } })
  values(autograd.hessian(function(v) return v:sum() end, x), { { 0, 0 }, { 0, 0 } })
  fails("hessian: f must return a single number, not [2]", autograd.hessian,
    function(v) return v end, x)
end

function TestJacobian:test_products()
  local x, v = tensor { 1, 2 }, tensor { 1, -1 }
  local cube = function(u) return u ^ 3 end
  local total = function(u) return (u ^ 3):sum() end
  local y, g = autograd.vjp(cube, x, v)
  values(y, { 1, 8 })
  values(g, { 3, -12 })
  y, g = autograd.jvp(cube, x, v)
  values(y, { 1, 8 })
  values(g, { 3, -12 })
  lu.assertFalse(g.requires_grad)
  y, g = autograd.hvp(total, x, v)
  values(y, 9)
  values(g, { 6, -12 })
  values(select(2, autograd.vjp(total, x)), { 3, 12 })
  values(select(2, autograd.hvp(function(u) return u:sum() end, x, v)), { 0, 0 })
  local a = tensor { { 1, 2, 3 }, { 4, 5, 6 } }
  local map = function(u) return a:matmul(u:reshape(3, 1)) end
  values(select(2, autograd.jvp(map, tensor { 0, 0, 0 }, tensor { 1, 0, 2 })),
    { { 7 }, { 16 } })
  fails("jvp: vector 1 of v is [2], it must be [3]", autograd.jvp, map, tensor { 0, 0, 0 },
    tensor { 1, 0 })
end

-- What an operation is made of complains in its name.
function TestGrad:test_parts_speak_for_the_whole()
  local linalg = mlpl.linalg
  local function changed(f, ...)
    local x = leaf { { 1, 2 }, { 3, 5 } } * 1
    local y = f(x, ...)
    x:add_(1)
    return message(y.backward, y, mlpl.ones_like(y))
  end
  local needed = " was changed in place after it was recorded; its old value is needed"
  lu.assertEquals(changed(linalg.norm, "fro"), "backward: an input of matrix_norm" .. needed)
  lu.assertEquals(changed(nn.cosine_similarity, mlpl.ones({ 2, 2 }, f64)),
    "backward: an input of cosine_similarity" .. needed)
  lu.assertEquals(changed(function(x) return x:sin() end), "backward: input of sin" .. needed)
  local y = linalg.norm(leaf { { 1, 2 }, { 3, 5 } }, "nuc")
  lu.assertEquals(y.grad_fn, "matrix_norm")
  y:mul_(2)
  lu.assertEquals(message(y.backward, y), "backward: the result of matrix_norm" .. needed)
  local function lu_of(v)
    local _, l, u = linalg.lu(leaf(v))
    return message(function() (l:sum() + u:sum()):backward() end)
  end
  lu.assertStrContains(lu_of { { 1, 2 }, { 2, 4 } }, "lu: the matrix is singular: element 2 of")
  lu.assertStrContains(lu_of { { 1, 2 } }, "lu: has no gradient here: the matrix is [1x2]; it ")
  local x = leaf { 1, 2, 3 }:clone()
  local index = mlpl.tensor({ 1, 2 }, { dtype = "i64" })
  x[index] = 7
  index:add_(1)
  lu.assertEquals(message(x.backward, x, x:detach()), "backward: an input of assignment" .. needed)
end

-- ---- checks ---------------------------------------------------------------------------

TestGradcheck = {}

function TestGradcheck:test_functions_and_models()
  local x = tensor { { 0.3, -0.7 }, { 1.1, 0.2 } }
  lu.assertTrue(autograd.gradcheck(function(v) return v:tanh():matmul(v) end, x))
  lu.assertTrue(autograd.gradgradcheck(function(v) return v:tanh():matmul(v) end, x))
  local model = nn.Sequential { nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1) }:to("f64")
  lu.assertTrue(autograd.gradcheck(model, x))
  lu.assertNil(model[1].weight.grad)
  lu.assertTrue(autograd.gradcheck(function(a, b) return a * b, a:sum() end, { x, x }))
end

function TestGradcheck:test_values_that_others_took_the_place_of()
  local function index(v) return mlpl.tensor(v, { dtype = "i64" }) end
  local x, s = mlpl.rand({ 2, 3, 4 }, f64), leaf { { 1, 2 }, { 3, 4 }, { 5, 6 } }
  local function put(v)
    local y = x:clone()
    y[{ index { 2, 1, 2 }, { 1, 2 }, index { 4, 1, 4 } }] = v
    return y
  end
  values(autograd.grad(put(s):sum(), s), { { 0, 0 }, { 1, 1 }, { 1, 1 } })
  lu.assertTrue(autograd.gradcheck(put, s))
  lu.assertTrue(autograd.gradgradcheck(function(v) return put(v) ^ 3 end, s))
  local n = leaf { 7 }
  values(autograd.grad(put(n):sum(), n), { 4 })
  local y = leaf { 0, 0, 0 }:clone()
  y:scatter_(1, index { 2, 2, 3, 2 }, leaf { 1, 2, 3, 4 })
  values(y, { 0, 4, 3 })
end

function TestGradcheck:test_it_names_what_is_wrong()
  local x = tensor { 2, 3 }
  local half = function(a, b) return b:sum() + (a * a:detach()):sum() end
  local text = message(autograd.gradcheck, half, { leaf { 1 }, leaf { 2, 3 } })
  lu.assertStrContains(text, "gradcheck: input 1, element 1, output element 1: the " ..
    "gradient is 1, central differences give 2")
  lu.assertStrContains(message(autograd.gradcheck, function(v) return v:to("f32") end, x),
    "gradcheck: the result is f32; it must be f64")
  lu.assertStrContains(message(autograd.gradcheck, function(v) return v end,
    mlpl.ones(2)), "gradcheck: input 1 is f32; it must be f64")
  lu.assertEquals(first_line(autograd.gradcheck, function() error "inside" end, x), "inside")
  fails("gradcheck: inputs is empty", autograd.gradcheck, half, {})
end

-- Of other sizes than before: what is compared would not be there.
function TestGradcheck:test_results_keep_their_size()
  for calls = 2, 10 do
    local k = 0
    local function shrinking(v)
      k = k + 1
      return k <= calls and v * 2 or v:narrow(1, 1, 0)
    end
    fails("gradcheck: the result has 0 elements, before it had 3", autograd.gradcheck,
      shrinking, leaf { 1, 2, 3 })
  end
  fails("gradcheck: 576460752303423488 results by 30 elements are more than can be counted",
    autograd.gradcheck, function(v) return v:sum():expand(1 << 59) end,
    mlpl.ones(30, f64))
end

function TestGradcheck:test_numeric_grad()
  local x = tensor { 1, -2 }
  values(autograd.numeric_grad(function(v) return (v ^ 3):sum() end, x), { 3, 12 }, 1e-8)
  local g = autograd.numeric_grad(function(a, b) return (a * b):sum() end,
    { x, tensor { 5, 6 } }, { eps = 1e-4 })
  values(g[1], { 5, 6 }, 1e-8)
  values(x, { 1, -2 })
  fails("numeric_grad: the result is [2]; it must be a single number",
    autograd.numeric_grad, function(v) return v end, x)
end

-- ---- functions with both passes -------------------------------------------------------

TestFunction = {}

local Power = autograd.Function {
  name = "Power",
  forward = function(ctx, x, k)
    ctx:save_for_backward(x)
    ctx.k = k
    return x ^ k
  end,
  backward = function(ctx, g)
    local x = table.unpack(ctx.saved_tensors)
    return g * x ^ (ctx.k - 1) * ctx.k
  end,
}

function TestFunction:test_values_and_derivatives()
  local x = leaf { 1, 2, -3 }
  local y = Power(x, 3)
  values(y, { 1, 8, -27 })
  lu.assertEquals(y.grad_fn, "Power")
  y:sum():backward()
  values(x.grad, { 3, 12, 27 })
  lu.assertTrue(autograd.gradcheck(function(v) return Power(v, 3) end, x))
  lu.assertTrue(autograd.gradgradcheck(function(v) return Power(v, 3) end, x))
  values(autograd.hessian(function(v) return Power(v, 3):sum() end, tensor { 1, 2 }),
    { { 6, 0 }, { 0, 12 } }, 1e-12)
end

function TestFunction:test_without_a_gradient_nothing_is_recorded()
  local y = Power(tensor { 2 }, 2)
  lu.assertFalse(y.requires_grad)
  lu.assertFalse(mlpl.no_grad(Power, leaf { 2 }, 2).requires_grad)
end

function TestFunction:test_a_layer_of_a_model()
  local model = nn.Sequential {
    nn.Linear(2, 2), function(x) return Power(x, 2) end, nn.Linear(2, 1),
  }:to("f64")
  lu.assertTrue(autograd.gradcheck(model, tensor { { 0.3, -0.2 } }))
end

function TestFunction:test_many_inputs_and_outputs()
  local seen
  local F = autograd.Function {
    forward = function(ctx, a, name, b, c, d, e)
      ctx.needs = ctx.needs_input_grad
      ctx:save_for_backward(a, nil, b)
      local larger = mlpl.tensor({ 1 }, { dtype = "i64" })
      return a * b, name .. "!", larger, a + b + c + d + e
    end,
    backward = function(ctx, ga, name, larger, gb)
      seen = { ctx.needs, name, larger, ctx.saved_tensors.n, ctx.saved_tensors[2] }
      local a, b = ctx.saved_tensors[1], ctx.saved_tensors[3]
      return ga * b + gb, nil, ga * a + gb, gb, gb, gb
    end,
  }
  local a, b, c, d, e = leaf { 1, 2 }, leaf { 3, 4 }, leaf { 5, 6 }, tensor { 7, 8 },
    leaf { 9, 10 }
  local p, text, index, s = F(a, "text", b, c, d, e)
  lu.assertEquals(text, "text!")
  lu.assertFalse(index.requires_grad)
  values(s, { 25, 30 })
  ;(p:sum() + (s * tensor { 1, 10 }):sum()):backward()
  values(a.grad, { 4, 14 })
  values(b.grad, { 2, 12 })
  values(c.grad, { 1, 10 })
  values(e.grad, { 1, 10 })
  lu.assertNil(d.grad)
  lu.assertEquals(seen[1], { true, false, true, true, false, true })
  lu.assertNil(seen[2])
  lu.assertNil(seen[3])
  lu.assertEquals(seen[4], 3)
  lu.assertNil(seen[5])
  -- one output alone: the other's gradient is zero
  a:zero_grad()
  F(a, "", b, c, d, e):sum():backward()
  values(a.grad, { 3, 4 })
end

function TestFunction:test_saved_outputs_and_straight_through()
  local Exp = autograd.Function {
    forward = function(ctx, x)
      local y = x:exp()
      ctx:save_for_backward(y)
      return y
    end,
    backward = function(ctx, g) return g * ctx.saved_tensors[1] end,
  }
  lu.assertTrue(autograd.gradgradcheck(Exp, tensor { 0.5, -1 }))
  for _ = 1, 3 do Exp(leaf { 1 }) end                -- never gone through: freed all the same
  local Step = autograd.Function {
    forward = function(_, x) return x:sign() end,
    backward = function(_, g) return g end,
  }
  local x = leaf { -1, 2 }
  Step(x):sum():backward()
  values(x.grad, { 1, 1 })
end

function TestFunction:test_marked_outputs_have_no_gradient()
  local F = autograd.Function {
    forward = function(ctx, x)
      local mask = x:sign()
      ctx:mark_non_differentiable(mask)
      return x * mask, mask
    end,
    backward = function(_, g, none)
      lu.assertNil(none)
      return g
    end,
  }
  local y, mask = F(leaf { 1, -1 })
  lu.assertTrue(y.requires_grad)
  lu.assertFalse(mask.requires_grad)
  y:sum():backward()
end

function TestFunction:test_what_backward_may_not_return()
  local function with(backward, ...)
    local F = autograd.Function {
      name = "F", forward = function(_, x) return x * 2 end, backward = backward,
    }
    local y = F(leaf { 1, 2 }, ...):sum()
    return first_line(y.backward, y)
  end
  lu.assertEquals(with(function() return tensor { 1 } end),
    "F: input 1 is [2] of f64, the gradient that its backward gave is [1] of f64")
  lu.assertEquals(with(function() return mlpl.ones(2) end),
    "F: input 1 is [2] of f64, the gradient that its backward gave is [2] of f32")
  lu.assertEquals(with(function(_, g) return g, g end),
    "F: backward, the function, returned 2 gradients for 1 argument")
  lu.assertEquals(with(function(_, g) return g, g end, 5),
    "F: backward, the function, returned a gradient for argument 2, which is no tensor that has one; " ..
    "return nil in its place")
  lu.assertEquals(with(function() return 5 end),
    "F: backward, the function, returned 5 as the gradient of argument 1; it must be a tensor or nil")
  local x = leaf { 1 }
  autograd.Function { forward = function(_, v) return v * 2 end,
    backward = function() end }(x):backward()
  lu.assertNil(x.grad)                               -- nothing is zero
end

function TestFunction:test_errors_are_what_was_raised()
  local F = autograd.Function {
    forward = function(_, x) return x * 2 end,
    backward = function() error "backward broke" end,
  }
  local y = F(leaf { 1 })
  lu.assertStrMatches(select(2, pcall(y.backward, y)),
    "[^\n]*test_gradients.lua:%d+: backward broke")
  local problem = {}
  local G = autograd.Function {
    forward = function() error(problem) end, backward = function() end,
  }
  local ok, found = pcall(G, leaf { 1 })
  lu.assertFalse(ok)
  lu.assertIs(found, problem)
  lu.assertTrue(mlpl.is_grad_enabled())
  fails("function: forward returned no tensor", autograd.Function {
    forward = function() return 5 end, backward = function() end }, leaf { 1 })
end

function TestFunction:test_neither_pass_can_yield()
  local F = autograd.Function {
    forward = function(_, x) return x * 2 end,
    backward = function() coroutine.yield() end,
  }
  local y = F(leaf { 1 })
  lu.assertEquals(first_line(coroutine.wrap(function() y:backward() end)),
    "the backward of a function cannot yield: attempt to yield across a C-call boundary")
  local G = autograd.Function {
    forward = function() coroutine.yield() end, backward = function() end,
  }
  lu.assertEquals(first_line(coroutine.wrap(function() G(leaf { 1 }) end)),
    "the forward of a function cannot yield: attempt to yield across a C-call boundary")
  lu.assertTrue(mlpl.is_grad_enabled())
end

function TestFunction:test_saved_values_are_guarded()
  local x = leaf { 2 }
  local y = Power(x, 2)
  nn.init.zeros_(x)
  lu.assertEquals(first_line(y.backward, y), "backward: tensor 1 that Power saved was " ..
    "changed in place since; its old value is needed")
  local F = autograd.Function {
    forward = function(ctx, v)
      ctx:save_for_backward(5)
      return v
    end,
    backward = function(_, g) return g end,
  }
  lu.assertEquals(first_line(F, x), "save_for_backward: argument 1 is 5; it takes tensors, " ..
    "a field of the context takes anything")
end

-- The list of saved tensors is a table that a script can reach.
function TestFunction:test_a_list_of_saved_tensors_that_was_changed()
  for _, n in ipairs { -5, -1, 1 << 40, math.mininteger, 0.5, "x" } do
    local F = autograd.Function {
      name = "Odd",
      forward = function(ctx, v)
        ctx:save_for_backward(v)
        ctx.saved_tensors.n = n
        return v * 2
      end,
      backward = function(_, g) return g * 2 end,
    }
    fails("Odd: saved_tensors was changed: its n is not the number of tensors", F, leaf { 1 })
  end
end

function TestFunction:test_what_it_is_made_of()
  fails("Function: backward is nil; it must be a function", autograd.Function,
    { forward = print })
  fails("Function: unknown option 'forwards'; the options are backward, forward, name",
    autograd.Function, { forwards = print })
  fails("Function: passes is a function; it must be a table of forward and backward",
    autograd.Function, print)
end

-- ---- hooks and the graph --------------------------------------------------------------

TestHooks = {}

function TestHooks:test_leaves_and_results()
  local x, order = leaf { 1, 2 }, {}
  local function note(name, factor)
    return function(g)
      order[#order + 1] = name
      return factor and g * factor
    end
  end
  local h = x * 3
  local on_x = x:register_hook(note("x", 2))
  h:register_hook(note "first")
  h:retain_grad()
  h:register_hook(note("second", 10))
  lu.assertTrue(h.retains_grad)
  ;(h + h):sum():backward()
  lu.assertEquals(order, { "first", "second", "x" })
  values(h.grad, { 20, 20 })
  values(x.grad, { 120, 120 })
  on_x:remove()
  on_x:remove()
  x:zero_grad()
  ;(x * 1):sum():backward()
  values(x.grad, { 1, 1 })
  lu.assertEquals(#order, 3)
end

function TestHooks:test_the_handle_may_go()
  local x, calls = leaf { 1 }, 0
  do local _ = x:register_hook(function() calls = calls + 1 end) end
  collectgarbage()
  x:sum():backward()
  lu.assertEquals(calls, 1)
end

function TestHooks:test_a_hook_that_refers_to_its_tensor_goes_with_the_graph()
  local x = leaf { 1, 2 }
  local h = x * 3
  h:register_hook(function(g) return g * h:detach() end)
  h:sum():backward()
  values(x.grad, { 9, 18 })
end

-- A change in place makes it another result, whose gradient it keeps.
function TestHooks:test_what_was_changed_in_place_keeps_its_gradient()
  local x, seen = leaf { 1, 2 }, 0
  local y = x * 2
  y:retain_grad()
  y:register_hook(function() seen = seen + 1 end)
  y:mul_(3)
  lu.assertTrue(y.retains_grad)
  y:sum():backward()
  values(y.grad, { 1, 1 })
  values(x.grad, { 6, 6 })
  lu.assertEquals(seen, 1)
  y = x * 2
  y:retain_grad()
  y:register_hook(function() seen = seen + 1 end)
  y:fill_(3)
  lu.assertTrue(y.retains_grad)
  ;(y * 2):sum():backward()
  values(y.grad, { 2, 2 })
  values(x.grad, { 6, 6 })
  lu.assertEquals(seen, 2)
end

-- Whatever is put in the place of what was there: the tensor stays in the graph, and its
-- source gets zeros.
TestOverwriting = {}

local function doubled(x) return x * 2 end

function TestOverwriting:test_the_source_gets_zeros()
  local ways = {
    fill_ = function(y) return y:fill_(3) end,
    zero_ = function(y) return y:zero_() end,
    copy_ = function(y) return y:copy_(tensor { 5, 6 }) end,
    ["copy_, stretched"] = function(y) return y:copy_(tensor({ 5 }, { dtype = "i64" })) end,
    uniform_ = function(y) return y:uniform_(1, 2) end,
    normal_ = function(y) return y:normal_() end,
    exponential_ = function(y) return y:exponential_() end,
    bernoulli_ = function(y) return y:bernoulli_(0.5) end,
    ["bernoulli_, by a tensor"] = function(y) return y:bernoulli_(tensor { 0.5, 1 }) end,
    eq_ = function(y) return y:eq_(tensor { 2, 2 }) end,
    floor_ = function(y) return y:floor_() end,
    ["all elements"] = function(y) y[{ {} }] = 4 return y end,
  }
  for name, change in pairs(ways) do
    local x = leaf { 1, 2 }
    local y = doubled(x)
    lu.assertIs(change(y), y)
    lu.assertTrue(y.requires_grad, name)
    ;(y * y:detach()):sum():backward()
    values(x.grad, { 0, 0 })
  end
end

-- Also where a gradient of it is infinite, and in a second pass.
function TestOverwriting:test_zeros_they_are()
  local x = leaf { 1, 2 }
  local y = doubled(x):zero_()
  y:log():sum():backward()
  values(x.grad, { 0, 0 })
  y = doubled(x)
  local before = y * y
  y:fill_(4)
  local g = autograd.grad((y * x):sum(), { x }, { create_graph = true })[1]
  values(g, { 4, 4 })
  fails("backward: a of mul was changed in place after it was recorded; its old value is " ..
    "needed", before.backward, before:sum())
end

function TestOverwriting:test_the_new_values_have_theirs()
  for _, change in ipairs {
    function(y, z) return y:copy_(z) end,
    function(y, z) return y:copy_(z:sum()) end,
    function(y, z) return y:fill_(z:sum()) end,
    function(y, z) return y:fill_(z[1]):add_(z[2]) end,
  } do
    local x, z = leaf { 1, 2 }, leaf { 3, 4 }
    local y = change(doubled(x), z)
    ;(y * tensor { 5, 5 }):sum():backward()
    values(x.grad, { 0, 0 })
    lu.assertEquals(z.grad:sum():item() % 10, 0)
    lu.assertTrue(z.grad[1]:item() >= 5)
    lu.assertTrue(autograd.gradcheck(function(u, v) return change(doubled(u), v) end,
      { leaf { 1, 2 }, leaf { 3, 4 } }))
  end
  local x, z = leaf { 1, 2 }, leaf { 3, 4 }
  local plain = mlpl.zeros(2)
  plain:copy_(z)
  plain:sum():backward()
  values(z.grad, { 1, 1 })
  local y = doubled(x)
  y:copy_(y)
  y:sum():backward()
  values(x.grad, { 2, 2 })
end

function TestOverwriting:test_what_is_refused_stays_as_it_was()
  local x = leaf { 1, 2 }
  local y = doubled(x)
  for _, name in ipairs { "fill_", "uniform_", "normal_", "exponential_", "bernoulli_" } do
    local arg = name == "fill_" and 1 or nil
    fails(name .. ": the tensor is a leaf that requires a gradient, and what was recorded " ..
      "with it would lose its value; change it under no_grad", x[name], x, arg)
    fails(name .. ": the change would be recorded, and the tensor is a view: the tensor " ..
      "that it is a part of would change without a record; :clone() it first",
      y[1][name], y[1], arg)
  end
  fails("bernoulli_: p at element 2 is 7; it must be from 0 to 1", y.bernoulli_, y,
    tensor { 1, 7 })
  values(y, { 2, 4 })
  y:sum():backward()
  values(x.grad, { 2, 2 })
  mlpl.no_grad(function() x:fill_(7):bernoulli_(1) end)
  values(x, { 1, 1 })
  lu.assertTrue(x.requires_grad)
end

function TestHooks:test_errors()
  local x = leaf { 1, 2 }
  local y = (x * 2):sum()
  local h = x:register_hook(function() error "hook broke" end)
  lu.assertEquals(message(y.backward, y), "hook broke")
  h:remove()
  h = x:register_hook(function() return 5 end)
  y = (x * 2):sum()
  lu.assertEquals(first_line(y.backward, y),
    "a hook must return a tensor or nothing, the function returned 5")
  y = (x * 2):sum()
  lu.assertStrMatches(select(2, pcall(function() y:backward() end)),
    "[^\n]*test_gradients.lua:%d+: a hook must return [^\n]*")
  h:remove()
  h = x:register_hook(function() coroutine.yield() end)
  y = (x * 2):sum()
  lu.assertEquals(first_line(coroutine.wrap(function() y:backward() end)),
    "a hook cannot yield: attempt to yield across a C-call boundary")
  h:remove()
  fails("register_hook: the tensor does not require a gradient", x.register_hook,
    tensor { 1 }, print)
  lu.assertStrContains(message(x.register_hook, x, 5), "function expected, got number")
  fails("retain_grad: the tensor does not require a gradient", x.retain_grad, tensor { 1 })
  fails("a hook has no field or method 'removed'; did you mean 'remove'?", function() return h.removed end)
end

function TestHooks:test_what_a_tensor_is_to_the_graph()
  local x = leaf { 1, 2 }
  local y = x:exp()
  lu.assertTrue(x.is_leaf)
  lu.assertNil(x.grad_fn)
  lu.assertFalse(y.is_leaf)
  lu.assertEquals(y.grad_fn, "exp")
  lu.assertFalse(x.retains_grad)
  lu.assertIs(y:detach_(), y)
  lu.assertTrue(y.is_leaf)
  lu.assertFalse(y.requires_grad)
  lu.assertTrue(y:requires_grad_().requires_grad)
end

-- ---- the first NaN --------------------------------------------------------------------

TestAnomaly = {}

-- Infinity that the script itself has put in is none that an operation made.
function TestAnomaly:test_what_the_script_asks_for()
  local x = tensor { { 1, 2 }, { 3, 4 } }
  local mask, inf = mlpl.ones(2, 2):triu(1):gt(0), math.huge
  local y = mlpl.detect_anomaly(function()
    local leaf_of = x:clone():requires_grad_()
    local weights = leaf_of:masked_fill(mask, -inf):softmax(-1)
    weights:log_softmax(-1):sum():backward()
    assert(mlpl.where(mask, x, -inf):max():item() == 2)
    assert(mlpl.full({ 2 }, inf):sum():item() == inf)
    assert(nn.pad(x, { 1, 1 }, "constant", inf):max():item() == inf)
    return weights
  end)
  values(y[1], { 1, 0 })
  lu.assertStrContains(message(mlpl.detect_anomaly, function()
    return x:masked_fill(mask, -inf) * 0
  end), "mul: element 2 of the result [2x2] is NaN")
end

-- An infinite option lets pass only what the row puts in as an element.
function TestAnomaly:test_infinite_options_that_are_no_elements()
  local x, inf = tensor { 1, 2 }, math.huge
  mlpl.detect_anomaly(function()
    assert(x:threshold(1.5, inf):max():item() == inf)
    assert(x:clamp { min = inf }:max():item() == inf)
    assert(x:norm(inf):item() == 2)
  end)
  lu.assertStrContains(message(mlpl.detect_anomaly, function()
    return x:addcmul(x, x, { value = inf })
  end), "addcmul: element 1 of the result [2] is infinite, the first there is")
end

local function line() return debug.getinfo(2, "l").currentline end

function TestAnomaly:test_forward_names_operation_and_line()
  local at
  local text = message(mlpl.detect_anomaly, function()
    local x = leaf { 4, -1 }
    at = line() + 1
    return (x * 2):sqrt():log()
  end)
  lu.assertEquals(text, ("sqrt: element 2 of the result [2] is NaN, the first there is; " ..
    "called at tests/lua/test_gradients.lua:%d"):format(at))
  lu.assertFalse(mlpl.detect_anomaly())
end

function TestAnomaly:test_in_place_and_out()
  local x, y = tensor { 1, 0 }, tensor { 0, 0 }
  lu.assertStrContains(message(mlpl.detect_anomaly, function() x:div_(tensor { 0, 1 }) end),
    "div_: element 1 of the result [2] is infinite, the first there is; called at")
  values(x, { 1, 0 })
  lu.assertStrContains(message(mlpl.detect_anomaly, function() x:log({ out = y }) end),
    "log: element 2 of the result [2] is infinite, the first there is; called at")
  values(y, { 0, 0 })
end

function TestAnomaly:test_lists_name_their_tensor()
  local list = {}
  for i = 1, 6 do list[i] = mlpl.ones(2) end
  list[6] = mlpl.tensor { 1, 0 / 0 }
  lu.assertStrContains(message(mlpl.detect_anomaly, mlpl.cat, list),
    "cat: element 2 of tensor 6 is NaN, which no operation made since anomaly detection")
end

function TestAnomaly:test_backward_names_the_line_of_forward()
  local at
  local text = message(mlpl.detect_anomaly, function()
    local x = leaf { 4, 0 }
    at = line() + 1
    local y = x:sqrt()
    y:sum():backward()
  end)
  lu.assertEquals(text, ("backward: element 2 of the gradient of input of sqrt is " ..
    "infinite, the first there is; called at tests/lua/test_gradients.lua:%d"):format(at))
end

-- What functions of the script make of a gradient is theirs, not the operation's below.
function TestAnomaly:test_hooks_functions_and_given_gradients()
  local nan, at = 0 / 0, nil
  local function found(f) return message(mlpl.detect_anomaly, f) end
  local function spoil(g) return g * tensor { 1, nan } end
  local function called() return ("; called at tests/lua/test_gradients.lua:%d"):format(at) end
  local start = "backward: element 2 of the gradient "
  lu.assertEquals(found(function()
    at = line() + 1
    local y = leaf { 1, 2 } * 2
    y:register_hook(spoil)
    y:sum():backward()
  end), start .. "that a hook on the result of mul left is NaN, the first there is" .. called())
  lu.assertEquals(found(function()
    local x = leaf { 1, 2 }
    x:register_hook(spoil)
    x:sum():backward()
  end), start .. "that a hook on a leaf [2] left is NaN, the first there is")
  lu.assertEquals(found(function()
    local x = leaf { 1, 2 }
    x:register_hook(function(g) return g / 0 end)
    autograd.grad((x * 2):sum(), x)
  end), "backward: element 1 of the gradient that a hook on a leaf [2] left is infinite, the " ..
    "first there is")
  local Spoil = autograd.Function {
    name = "Spoil",
    forward = function(_, a, b) return a * b end,
    backward = function(_, g) return g, spoil(g) end,
  }
  lu.assertEquals(found(function()
    at = line() + 1
    local y = Spoil(leaf { 1, 2 }, leaf { 3, 4 } * 2)
    y:sum():backward()
  end), start .. "of input 2 of Spoil is NaN, the first there is" .. called())
  lu.assertEquals(found(function() (leaf { 1, 2 } * 2):backward(tensor { 1, nan }) end),
    start .. "that backward was given is NaN, the first there is")
end

function TestAnomaly:test_on_and_off()
  mlpl.detect_anomaly(true)
  local on, ok = mlpl.detect_anomaly(), pcall(function() return tensor { -1 }:log() end)
  mlpl.detect_anomaly(false)
  lu.assertTrue(on)
  lu.assertFalse(ok)
  lu.assertNaN(tensor { -1 }:log():item())
  lu.assertEquals({ mlpl.detect_anomaly(function(...) return ... end, 1, 2) }, { 1, 2 })
end

-- Layers, models and planned training steps: the line is the one that called them.
function TestAnomaly:test_models_and_planned_steps()
  local model = nn.Sequential { nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2) }
  local at
  nn.init.constant_(model[3].weight, math.huge)
  local text = message(mlpl.detect_anomaly, function()
    at = line() + 1
    return model(mlpl.ones(1, 2))
  end)
  lu.assertStrMatches(text,
    "Sequential: layer 3 %(Linear%): .*test_gradients.lua:" .. at .. ".*")
  local opt = mlpl.optim.SGD(model:parameters(), { lr = 0.1 })
  local step = mlpl.train_step(model, nn.MSELoss(), opt)
  lu.assertStrContains(message(mlpl.detect_anomaly, function()
    step(mlpl.ones(1, 2), mlpl.ones(1, 2))
  end), "(Linear): ")
end

function TestAnomaly:test_inside_a_coroutine()
  local at
  local co = coroutine.wrap(function()
    at = line() + 1
    return tensor { -1 }:log()
  end)
  lu.assertStrContains(message(mlpl.detect_anomaly, co), "test_gradients.lua:" .. at)
  for _, f in ipairs {
    function(x) return x / x end, function(x) x:div_(x) end,
    function(x) x:div(x, { out = x }) end, function(x) mlpl.cat { x / 0 } end,
  } do
    co = coroutine.wrap(function()
      f(tensor { 0 })
    end)
    at = debug.getinfo(f, "S").linedefined
    lu.assertStrContains(message(mlpl.detect_anomaly, co), "test_gradients.lua:" .. at)
  end
end
