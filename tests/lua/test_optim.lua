local lu = require "luaunit"
local mlpl = require "mlpl"
local expect = require "expect"

local nn, optim = mlpl.nn, mlpl.optim
local values, fails = expect.values, expect.fails

local function leaf(v) return mlpl.tensor(v, { dtype = "f64", requires_grad = true }) end

-- Steps of an optimizer on w, whose gradients are given one after the other.
local function steps(make, w, gradients)
  local opt = make { w }
  for _, g in ipairs(gradients) do
    opt:zero_grad()
    w:backward(mlpl.tensor(g, { dtype = "f64" }))
    opt:step()
  end
  return w
end

TestOptimSteps = {}

function TestOptimSteps:test_sgd()
  local w = steps(function(p) return optim.SGD(p, { lr = 0.1 }) end, leaf { 1, -2 },
    { { 1, 2 }, { -1, 0.5 } })
  values(w, { 1 - 0.1 + 0.1, -2 - 0.2 - 0.05 }, 1e-15)
end

function TestOptimSteps:test_sgd_with_weight_decay()
  local w = steps(function(p) return optim.SGD(p, { lr = 0.1, weight_decay = 0.5 }) end,
    leaf { 2 }, { { 1 } })
  values(w, { 2 - 0.1 * (1 + 0.5 * 2) }, 1e-15)
end

function TestOptimSteps:test_sgd_with_momentum()
  local function run(options)
    return steps(function(p) return optim.SGD(p, options) end, leaf { 0 },
      { { 1 }, { 2 }, { 3 } })
  end
  -- b = 1; .9 + 2; .9 (2.9) + 3
  values(run { lr = 0.1, momentum = 0.9 }, { -0.1 * (1 + 2.9 + 5.61) }, 1e-15)
  -- The first step has no dampening: b = 1; .9 + 1; .9 (1.9) + 1.5
  values(run { lr = 0.1, momentum = 0.9, dampening = 0.5 }, { -0.1 * (1 + 1.9 + 3.21) },
    1e-15)
  -- g + .9 b
  values(run { lr = 0.1, momentum = 0.9, nesterov = true },
    { -0.1 * (1.9 + 2 + 2.61 + 3 + 5.049) }, 1e-15)
end

function TestOptimSteps:test_adam()
  local function by_hand(g, lr, b1, b2, eps, decay, amsgrad)
    local w, m, v, most = 1.0, 0, 0, 0
    for t, each in ipairs(g) do
      each = each + decay * w
      m, v = b1 * m + (1 - b1) * each, b2 * v + (1 - b2) * each * each
      most = math.max(most, v)
      local second = amsgrad and most or v
      w = w - lr / (1 - b1 ^ t) * m / (math.sqrt(second) / math.sqrt(1 - b2 ^ t) + eps)
    end
    return w
  end
  local g = { 1, -3, 0.5, 0.01 }
  local gradients = { { 1 }, { -3 }, { 0.5 }, { 0.01 } }
  local function run(options)
    return steps(function(p) return optim.Adam(p, options) end, leaf { 1 }, gradients)
  end
  values(run {}, { by_hand(g, 1e-3, 0.9, 0.999, 1e-8, 0) }, 1e-15)
  values(run { lr = 0.1, betas = { 0.5, 0.9 }, eps = 0.1, weight_decay = 0.3 },
    { by_hand(g, 0.1, 0.5, 0.9, 0.1, 0.3) }, 1e-14)
  values(run { lr = 0.1, betas = { 0.5, 0.6 }, amsgrad = true },
    { by_hand(g, 0.1, 0.5, 0.6, 1e-8, 0, true) }, 1e-14)
end

function TestOptimSteps:test_what_has_no_gradient_is_left_alone()
  local a, b = leaf { 1 }, leaf { 1 }
  local opt = optim.SGD({ a, b }, 0.5)
  a:sum():backward()
  opt:step()
  values(a, { 0.5 })
  values(b, { 1 })
  opt:zero_grad()
  lu.assertNil(a.grad)
  opt:step()
  values(a, { 0.5 })
end

function TestOptimSteps:test_a_model_that_was_converted_in_between()
  local model = nn.Linear(2, 1)
  local opt = optim.SGD(model:parameters(), { lr = 0.1, momentum = 0.9 })
  for _, dtype in ipairs { "f32", "f64", "f32" } do
    model:to(dtype)
    opt:zero_grad()
    model(mlpl.ones(1, 2, { dtype = dtype })):sum():backward()
    opt:step()
  end
  lu.assertEquals(model.weight.dtype, "f32")
end

TestOptimTraining = {}

-- Two interleaved half circles' simpler cousin: xor, which no linear model learns.
local function train(make)
  mlpl.seed(4)
  local x = mlpl.tensor { { 0, 0 }, { 0, 1 }, { 1, 0 }, { 1, 1 } }
  local y = mlpl.tensor({ 1, 2, 2, 1 }, { dtype = "i64" })
  local model = nn.Sequential { nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2) }
  local opt, loss = make(model:parameters()), nil
  for _ = 1, 300 do
    loss = nn.cross_entropy(model(x), y)
    opt:zero_grad()
    loss:backward()
    opt:step()
  end
  return loss:item(), mlpl.metrics.accuracy(model:predict(x), y)
end

function TestOptimTraining:test_optimizers_learn_xor()
  for name, make in pairs {
    sgd = function(p) return optim.SGD(p, { lr = 0.5, momentum = 0.9 }) end,
    nesterov = function(p) return optim.SGD(p,
      { lr = 0.5, momentum = 0.9, nesterov = true }) end,
    adam = function(p) return optim.Adam(p, { lr = 0.05 }) end,
    amsgrad = function(p) return optim.Adam(p, { lr = 0.05, amsgrad = true }) end,
  } do
    local loss, accuracy = train(make)
    lu.assertTrue(loss < 0.02, name .. " ends at " .. loss)
    lu.assertEquals(accuracy, 1.0)
  end
end

TestOptimOptions = {}

function TestOptimOptions:setUp() self.p = { leaf { 1 } } end
function TestOptimOptions:tearDown() self.p = nil end

function TestOptimOptions:test_options_are_fields()
  local opt = optim.SGD(self.p)
  lu.assertEquals({ opt.lr, opt.momentum, opt.dampening, opt.weight_decay, opt.nesterov },
    { 1e-3, 0, 0, 0, false })
  opt.lr = 0.5
  lu.assertEquals(opt.lr, 0.5)
  opt.momentum = 0.9
  opt.nesterov = true
  lu.assertIs(opt.nesterov, true)
  lu.assertEquals(tostring(opt), "SGD(lr=0.5)")
  local adam = optim.Adam(self.p, { lr = 0.01, eps = 1e-6 })
  lu.assertEquals({ adam.lr, adam.eps, adam.weight_decay, adam.amsgrad },
    { 0.01, 1e-6, 0, false })
  lu.assertEquals(optim.SGD(self.p, 0.25).lr, 0.25)
  lu.assertEquals(optim.SGD(self.p, 0.25, 0.5).momentum, 0.5)
end

function TestOptimOptions:test_a_new_rate_counts_from_the_next_step()
  local w = self.p[1]
  local opt = optim.SGD(self.p, { lr = 1 })
  w:sum():backward()
  opt.lr = 0.25
  opt:step()
  values(w, { 0.75 })
end

function TestOptimOptions:test_misused()
  local p = self.p
  fails("SGD: the first argument is nil; it must be an array of tensors, as " ..
    "model:parameters() gives", optim.SGD)
  fails("SGD: the first argument is a mlpl.Module; it must be an array of tensors, " ..
    "as model:parameters() gives", optim.SGD, nn.Linear(1, 1))
  fails("SGD: there are no parameters", optim.SGD, {})
  fails("SGD: there are no parameters", optim.SGD, nn.ReLU():parameters())
  fails("SGD: parameter 1 is 5; it must be a tensor", optim.SGD, { 5 })
  fails("Adam: parameter 2 is a table; it must be a tensor", optim.Adam, { p[1], {} })
  fails("SGD: parameter 1 is i64; it must be f32 or f64", optim.SGD,
    { mlpl.zeros(1, { dtype = "i64" }) })
  fails("SGD: parameter 1 is the result of mul; only leaves can be optimized", optim.SGD,
    { p[1] * 2 })
  fails("SGD: parameters 1 and 2 are the same tensor", optim.SGD, { p[1], p[1] })
  fails("SGD: parameter 1 is a view with gaps; optimize the tensor it was cut from",
    optim.SGD, { mlpl.zeros(2, 2):t() })
  fails("SGD: unknown key 'lr' among the parameters; options have a table of their own",
    optim.SGD, { p[1], lr = 0.1 })
  fails("SGD: unknown option 'rl'; the options are lr, momentum, dampening, " ..
    "weight_decay, nesterov", optim.SGD, p, { rl = 0.1 })
  fails("Adam: unknown option 'beta1'; the options are lr, betas, eps, weight_decay, " ..
    "amsgrad", optim.Adam, p, { beta1 = 0.9 })
  fails("SGD: lr is -1; it must be at least 0", optim.SGD, p, { lr = -1 })
  fails("SGD: lr is '0.1'; it must be a number", optim.SGD, p, { lr = "0.1" })
  fails("SGD: nesterov needs a momentum above 0 and no dampening; they are 0 and 0",
    optim.SGD, p, { nesterov = true })
  fails("Adam: betas is 1; it must be from 0 up to but not 1", optim.Adam, p,
    { betas = { 0.9, 1 } })
  fails("Adam: betas is a table; it must be two numbers in a table", optim.Adam, p,
    { betas = { 0.9 } })
  fails("Adam: betas is 0.9; it must be two numbers in a table", optim.Adam, p,
    { betas = 0.9 })
  fails("Adam: betas is 'a'; it must be two numbers in a table", optim.Adam, p,
    { betas = { 0.9, "a" } })
  local gone = leaf { 1 }
  gone:release()
  fails("SGD: parameter 1 was released", optim.SGD, { gone })
end

function TestOptimOptions:test_fields_misused()
  local opt = optim.SGD(self.p)
  fails("SGD: lr is 'x'; it must be a number", function() opt.lr = "x" end)
  fails("SGD: lr is nil; it must be a number", function() opt.lr = nil end)
  fails("SGD: nesterov is 1; it must be true or false", function() opt.nesterov = 1 end)
  fails("SGD: nesterov needs a momentum above 0 and no dampening; they are 0 and 0",
    function() opt.nesterov = true end)
  fails("SGD: lr is -1; it must be at least 0", function() opt.lr = -1 end)
  lu.assertEquals(opt.lr, 1e-3)
  fails("SGD: it has no option 'rl' that can be set", function() opt.rl = 1 end)
  fails("a SGD has no field or method 'rl'", function() return opt.rl end)
  opt:release()
  lu.assertEquals(tostring(opt), "optimizer (released)")
  lu.assertStrContains(expect.message(opt.step, opt), "this mlpl.Optimizer was released")
end
