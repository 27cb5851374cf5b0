-- mlpl.optim: optimizers. They describe their options themselves.

local one = { { "opt", "Optimizer" } }
local wrong = "options outside their range, no parameters, one that is given twice, and tensors "
  .. "that are no contiguous leaves of f32 or f64 raise"
local params = "as model:parameters() gives; the first argument, before the options"

return {
  optim = {
    "Optimizers: they change parameters by their gradients. Options are fields: opt.lr = 0.01 "
      .. "changes the rate from the next step on.",
    call = "optim",
    example = [[
local w = mlpl.tensor({ 5 }, { requires_grad = true })
local opt = optim.SGD({ w }, { lr = 0.1 })
w:square():sum():backward()
opt:step()
assert(w:item() == 4)]],
  },
  ["optim.SGD"] = {
    "Gradient descent with momentum. With g the gradient plus weight_decay w: "
      .. "b = momentum b + (1 - dampening) g (at first b = g); w = w - lr b, with nesterov "
      .. "w = w - lr (g + momentum b); without momentum w = w - lr g.",
    call = "optim.SGD(parameters, { lr, momentum, dampening, weight_decay, nesterov })",
    args = {
      parameters = params, lr = "the learning rate",
      momentum = "how much of the last step's direction stays",
      dampening = "how little of the gradient the direction takes up",
      weight_decay = "pulls parameters to zero: the factor of w in the gradient",
      nesterov = "look ahead; needs momentum, and no dampening",
    },
    returns = one,
    memory = "holds the parameters and, with momentum, as much again",
    errors = wrong,
    example = [[
local model = nn.Linear(2, 1)
local opt = optim.SGD(model:parameters(), { lr = 0.1, momentum = 0.9, nesterov = true })
model(mlpl.ones(4, 2)):square():mean():backward()
opt:step()]],
    source = "Robbins and Monro, A stochastic approximation method (1951); Sutskever, Martens, "
      .. "Dahl and Hinton, On the importance of initialization and momentum (2013)",
  },
  ["optim.Adam"] = {
    "Steps by running means of the gradient and its square. With g the gradient plus "
      .. "weight_decay w, and betas b1, b2: m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; "
      .. "w = w - lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps) in step t. With amsgrad the "
      .. "largest v so far stands in the place of v.",
    call = "optim.Adam(parameters, { lr, betas, eps, weight_decay, amsgrad })",
    args = {
      parameters = params, lr = "the learning rate: about how far a parameter moves in a step",
      betas = "how much of the means stays: of the gradient's, of its square's",
      eps = "keeps the divisor away from zero; in the unit of the gradient",
      weight_decay = "pulls parameters to zero: the factor of w in the gradient",
      amsgrad = "never let a step grow because v shrinks",
    },
    returns = one,
    memory = "holds the parameters and twice as much again, with amsgrad three times",
    errors = wrong,
    example = [[
local model = nn.Linear(2, 1)
local opt = optim.Adam(model:parameters(), { lr = 0.01 })
model(mlpl.ones(4, 2)):square():mean():backward()
opt:step()]],
    source = "Kingma and Ba, Adam: a method for stochastic optimization (2015); Reddi, Kale and "
      .. "Kumar, On the convergence of Adam and beyond (2018)",
  },
  Optimizer = {
    "What changes parameters by their gradients: optim.SGD, optim.Adam. Its options are fields "
      .. "that may be read and set, but for pairs (betas).",
    call = "Optimizer",
    fields = {
      { "lr", "number", "the learning rate; may be set" },
      { "weight_decay", "number", "may be set" },
      { "momentum", "number", "of SGD; may be set" },
      { "dampening", "number", "of SGD; may be set" },
      { "nesterov", "boolean", "of SGD; may be set" },
      { "eps", "number", "of Adam; may be set" },
      { "amsgrad", "boolean", "of Adam; may be set" },
    },
    memory = "holds its parameters",
    errors = "an option that the optimizer does not have raises, and so does a value outside its "
      .. "range",
    example = [[
local opt = optim.SGD(nn.Linear(2, 1):parameters(), { lr = 0.1 })
opt.lr = opt.lr / 2
assert(opt.lr == 0.05)]],
  },
  ["Optimizer.step"] = {
    "Changes every parameter that has a gradient; the others stay. A step that fails changes "
      .. "nothing.",
    call = "opt:step()",
    memory = "parameters are changed in place; what an optimizer keeps for one is made at its "
      .. "first step",
    errors = "gradients left over from before the model was converted to another dtype raise",
    example = [[
local w = mlpl.ones(1):requires_grad_()
local opt = optim.SGD({ w }, { lr = 0.5 })
w:sum():backward()
opt:step()
assert(w:item() == 0.5)]],
  },
  ["Optimizer.zero_grad"] = {
    "Drops the gradients of all its parameters: grad is nil afterwards.",
    call = "opt:zero_grad()",
    example = [[
local w = mlpl.ones(1):requires_grad_()
local opt = optim.SGD({ w })
w:sum():backward()
opt:zero_grad()
assert(w.grad == nil)]],
  },
  ["Optimizer.release"] = {
    "Frees the optimizer and what it keeps now, not when the collector comes by; the parameters "
      .. "stay. A variable marked <close> does the same at the end of its block.",
    call = "opt:release()",
    errors = "using the optimizer afterwards raises",
    example = "local opt = optim.SGD({ mlpl.ones(1):requires_grad_() })\nopt:release()",
  },
  Step = {
    "A training step of one call, made by mlpl.train_step: step(x, y) computes the loss, puts its "
      .. "gradients in the place of the old ones, lets the optimizer step, and gives the loss, a "
      .. "number.",
    call = "step(x, y)",
    args = { { "x", "Tensor", "the model's input" }, { "y", "Tensor", "the loss's target" } },
    returns = { { "loss", "number", "before the step" } },
    errors = "what the model, the loss and the optimizer raise",
    example = [[
local model = nn.Sequential { nn.Linear(2, 3) }
local step = mlpl.train_step(model, nn.CrossEntropyLoss(), optim.SGD(model:parameters()))
assert(step(mlpl.ones(4, 2), mlpl.randint(1, 3, { 4 })) > 0)]],
  },
  ["Step.is_planned"] = {
    "Whether the last step was planned ahead, as it is for a plain perceptron with "
      .. "nn.CrossEntropyLoss of labels without weights, or nn.MSELoss. The numbers are the same, "
      .. "it only takes less time.",
    call = "step:is_planned()",
    returns = { { "yes", "boolean", "false before the first step" } },
    example = [[
local model = nn.Sequential { nn.Linear(2, 3) }
local step = mlpl.train_step(model, nn.CrossEntropyLoss(), optim.SGD(model:parameters()))
step(mlpl.ones(4, 2), mlpl.randint(1, 3, { 4 }))
assert(step:is_planned())]],
  },
  ["Step.release"] = {
    "Frees the step and its buffers now; model, loss and optimizer stay. A variable marked "
      .. "<close> does the same at the end of its block.",
    call = "step:release()",
    errors = "using the step afterwards raises",
    example = [[
local model = nn.Linear(2, 3)
local step = mlpl.train_step(model, nn.CrossEntropyLoss(), optim.SGD(model:parameters()))
step:release()]],
  },
}
