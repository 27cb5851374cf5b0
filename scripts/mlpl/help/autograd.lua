-- mlpl.autograd: gradients of chosen tensors, derivatives of functions, functions with a
-- backward pass of their own, and checks by differences.

local inputs = { "inputs", "Tensor|Tensor[]", "the arguments of f; they are not changed" }
local create_graph = { "options", "table?",
  "create_graph: record the derivatives, too, for further ones (false)" }
local wrong_f = "a function that does not return tensors raises"

return {
  autograd = {
    "Derivatives beyond x:backward(): gradients of chosen tensors, Jacobians, Hessians, products "
      .. "with them, functions with both passes in Lua, and checks of gradients.",
    call = "autograd",
    example = [[
local x = mlpl.tensor({ 3 }, { requires_grad = true })
local g = mlpl.autograd.grad(x:square():sum(), x)
assert(g:item() == 6)]],
  },
  ["autograd.grad"] = {
    "The gradients of outputs by inputs, given back instead of added to grad. Several outputs "
      .. "are as their sum.",
    call = "autograd.grad(outputs, inputs, { grad_outputs, retain_graph, ... })",
    args = {
      { "outputs", "Tensor|Tensor[]", "recorded results" },
      { "inputs", "Tensor|Tensor[]", "leaves or results that they were computed from" },
      { "options", "table?", "grad_outputs: a gradient for each output, needed unless that is a "
        .. "single number; retain_graph: keep the graph for another pass; create_graph: record "
        .. "the pass, for higher derivatives; allow_unused: nil for inputs that do not matter" },
    },
    returns = { { "g", "Tensor|Tensor[]", "as inputs is a tensor or an array" } },
    memory = "gradients are tensors of their own; no grad is touched",
    errors = "an input that the outputs were not computed from raises without allow_unused; so do "
      .. "a freed graph and tensors changed in place since",
    example = [[
local x = mlpl.tensor({ 2 }, { requires_grad = true })
local g = mlpl.autograd.grad(x ^ 3, x, { create_graph = true })
local h = mlpl.autograd.grad(g, x)
assert(g:item() == 12 and h:item() == 12)]],
    source = "Griewank, Walther, Evaluating Derivatives (2008)",
  },
  ["autograd.jacobian"] = {
    "The derivatives of every element of f(inputs) by every element of the inputs: "
      .. "J[i][j] = dy_i / dx_j.",
    call = "autograd.jacobian(f, inputs, { create_graph = false })",
    args = { { "f", "function", "takes the inputs, returns one tensor or several" }, inputs,
      create_graph },
    returns = { { "J", "Tensor|table", "its axes are those of y, then those of x; an array by "
      .. "inputs where those are an array, an array by results where f returns several" } },
    memory = "numel(y) x numel(x) elements",
    errors = wrong_f,
    example = [[
local J = mlpl.autograd.jacobian(function(x) return x:square() end, mlpl.tensor { 1, 2 })
assert(J[2][2]:item() == 4 and J[1][2]:item() == 0)]],
    source = "Griewank, Walther, Evaluating Derivatives (2008)",
  },
  ["autograd.hessian"] = {
    "The second derivatives of a single number: H[i][j] = d^2 y / (dx_i dx_j).",
    call = "autograd.hessian(f, inputs, { create_graph = false })",
    args = { { "f", "function", "takes the inputs, returns a single number" }, inputs,
      create_graph },
    returns = { { "H", "Tensor|Tensor[][]", "its axes are those of x, twice; for an array of "
      .. "inputs, H[i][k] is that of input i and input k" } },
    memory = "numel(x) x numel(x) elements",
    errors = "a function that does not return a single number raises",
    example = [[
local H = mlpl.autograd.hessian(function(x) return (x ^ 3):sum() end, mlpl.tensor { 1, 2 })
assert(H[2][2]:item() == 12)]],
    source = "Griewank, Walther, Evaluating Derivatives (2008)",
  },
  ["autograd.vjp"] = {
    "f's result, and the product of a vector with its Jacobian: v^T J, one backward pass.",
    call = "autograd.vjp(f, inputs, [v], { create_graph = false })",
    args = {
      { "f", "function", "takes the inputs, returns one tensor or several" }, inputs,
      { "v", "Tensor|Tensor[]|nil", "in the shape of the result; 1 for a single number" },
      create_graph,
    },
    returns = { { "y", "Tensor|Tensor[]", "f's result" },
      { "g", "Tensor|Tensor[]", "in the inputs' shapes" } },
    errors = wrong_f .. ", and so does a v of another shape",
    example = [[
local y, g = mlpl.autograd.vjp(function(x) return x:square() end, mlpl.ones(3), mlpl.ones(3))
assert(g[1]:item() == 2)]],
    source = "Griewank, Walther, Evaluating Derivatives (2008)",
  },
  ["autograd.jvp"] = {
    "f's result, and the product of its Jacobian with a vector: J v, the derivative in the "
      .. "direction v. Computed with two backward passes.",
    call = "autograd.jvp(f, inputs, v, { create_graph = false })",
    args = {
      { "f", "function", "takes the inputs, returns one tensor or several" }, inputs,
      { "v", "Tensor|Tensor[]", "in the inputs' shapes" }, create_graph,
    },
    returns = { { "y", "Tensor|Tensor[]", "f's result" },
      { "d", "Tensor|Tensor[]", "in the result's shape" } },
    errors = wrong_f .. ", and so does a v of another shape",
    example = [[
local y, d = mlpl.autograd.jvp(function(x) return x:square() end, mlpl.ones(3), mlpl.ones(3))
assert(d[1]:item() == 2)]],
    source = "Griewank, Walther, Evaluating Derivatives (2008)",
  },
  ["autograd.hvp"] = {
    "The value of f, which is a single number, and the product of its Hessian with a vector: H v, "
      .. "without the matrix.",
    call = "autograd.hvp(f, inputs, v, { create_graph = false })",
    args = {
      { "f", "function", "takes the inputs, returns a single number" }, inputs,
      { "v", "Tensor|Tensor[]", "in the inputs' shapes" }, create_graph,
    },
    returns = { { "y", "Tensor", "f's value" },
      { "h", "Tensor|Tensor[]", "in the inputs' shapes" } },
    errors = "a function that does not return a single number raises, and so does a v of another "
      .. "shape",
    example = [[
local y, h = mlpl.autograd.hvp(function(x) return (x ^ 3):sum() end, mlpl.ones(2), mlpl.ones(2))
assert(y:item() == 2 and h[1]:item() == 6)]],
    source = "Pearlmutter, Fast exact multiplication by the Hessian (1994)",
  },
  ["autograd.Function"] = {
    "A differentiable function with both passes written in Lua. forward(ctx, ...) computes "
      .. "without recording; backward(ctx, ...) gets the gradients of the results and returns one "
      .. "for each argument, nil for none. ctx:save_for_backward(...) keeps tensors, which "
      .. "backward finds in ctx.saved_tensors; ctx.needs_input_grad[i] says whether argument i "
      .. "wants a gradient; ctx:mark_non_differentiable(...) names results without one; other "
      .. "fields of ctx are free to use.",
    call = "autograd.Function { forward = f, backward = g, name = \"function\" }",
    args = { { "passes", "table", "forward, backward, and a name for messages" } },
    returns = { { "f", "function", "takes forward's arguments, gives its results" } },
    memory = "a recorded call keeps ctx, backward and the saved tensors until the graph goes: "
      .. "where ctx or backward (by a local of the script) refers to the call's own result, none "
      .. "of them is collected before a backward pass frees the graph or the result is released. "
      .. "save_for_backward keeps results without that",
    errors = "unknown options raise; in a backward pass, gradients of another shape, more of them "
      .. "than arguments, and saved tensors that were changed in place",
    example = [[
local cube = mlpl.autograd.Function {
  forward = function(ctx, x) ctx:save_for_backward(x) return x * x * x end,
  backward = function(ctx, g) return 3 * g * ctx.saved_tensors[1]:square() end }
local x = mlpl.tensor({ 2 }, { requires_grad = true })
assert(mlpl.autograd.grad(cube(x), x):item() == 12)]],
  },
  ["autograd.gradcheck"] = {
    "Compares the gradients of f with central differences, element by element: raises unless "
      .. "|analytic - numeric| <= atol + rtol |numeric|. Inputs that require a gradient are "
      .. "varied; all, where none does.",
    call = "autograd.gradcheck(f, inputs, { eps = 1e-6, atol = 1e-5, rtol = 1e-3 })",
    args = {
      { "f", "function", "takes the inputs, returns one tensor or several" },
      { "inputs", "Tensor|Tensor[]", "f64; copies of them are varied" },
      { "options", "table?", "eps: the step; atol, rtol: how far off a gradient may be" },
    },
    returns = { { "ok", "boolean", "true" } },
    errors = "a gradient that differs raises, and names input, element and both numbers",
    example = [[
local x = mlpl.randn(3, { dtype = "f64" })
assert(mlpl.autograd.gradcheck(function(x) return x:tanh() end, x))]],
  },
  ["autograd.gradgradcheck"] = {
    "The same check of second derivatives: of f's gradient, as a function of the inputs and of "
      .. "the results' gradients.",
    call = "autograd.gradgradcheck(f, inputs, { eps = 1e-6, atol = 1e-5, rtol = 1e-3 })",
    args = {
      { "f", "function", "takes the inputs, returns one tensor or several" },
      { "inputs", "Tensor|Tensor[]", "f64; copies of them are varied" },
      { "options", "table?", "eps: the step; atol, rtol: how far off a derivative may be" },
    },
    returns = { { "ok", "boolean", "true" } },
    errors = "a derivative that differs raises, and names input, element and both numbers",
    example = [[
local x = mlpl.randn(3, { dtype = "f64" })
assert(mlpl.autograd.gradgradcheck(function(x) return x:tanh() end, x))]],
  },
  ["autograd.numeric_grad"] = {
    "The gradient of a single number by central differences alone: "
      .. "(f(x + eps) - f(x - eps)) / (2 eps) for every element.",
    call = "autograd.numeric_grad(f, inputs, { eps = 1e-6 })",
    args = {
      { "f", "function", "takes the inputs, returns a single number" },
      { "inputs", "Tensor|Tensor[]", "f32 or f64; copies of them are varied" },
      { "options", "table?", "eps: the step (1e-6 in f64, 1e-2 in f32)" },
    },
    returns = { { "g", "Tensor|Tensor[]", "as inputs is a tensor or an array" } },
    errors = "a function that does not return a single number raises",
    example = [[
local x = mlpl.ones(2, { dtype = "f64" })
local g = mlpl.autograd.numeric_grad(function(x) return x:square():sum() end, x)
assert(math.abs(g[1]:item() - 2) < 1e-6)]],
  },
}
