-- mlpl.autograd: gradients of chosen tensors, Jacobians and Hessians, products with them,
-- functions with a backward pass of their own, and checks of gradients by differences.

local mlpl = ...

local core = mlpl._autograd
local raise = mlpl._raise
local autograd = { grad = core.grad }

-- ---- arguments ------------------------------------------------------------------------

local function check_function(what, f)
  if core.is_callable(f) then return end
  raise(("%s: f is %s; it must be a function"):format(what, core.shown(f)))
end

local function is_tensor(v)
  return type(v) == "userdata" and core.is_tensor(v)
end

-- A tensor or an array of them as an array, and which it was.
local function array(what, name, v)
  local function check_live(x, text)
    if not core.is_live(x) then
      raise(("%s: %s is a tensor that was released"):format(what, text))
    end
  end
  if is_tensor(v) then
    check_live(v, name)
    return { v }, true
  end
  if type(v) ~= "table" then
    raise(("%s: %s is %s; it must be a tensor or an array of tensors")
      :format(what, name, core.shown(v)))
  end
  local list = {}
  for i = 1, rawlen(v) do
    list[i] = rawget(v, i)
    if not is_tensor(list[i]) then
      raise(("%s: entry %d of %s is %s; it must be a tensor"):format(what, i, name,
        core.shown(list[i])))
    end
    check_live(list[i], ("entry %d of %s"):format(i, name))
  end
  if #list == 0 then raise(("%s: %s is empty"):format(what, name)) end
  return list, false
end

-- What is given behind the options is one argument too many.
local function options(what, given, known, ...)
  if select("#", ...) > 0 then
    raise(("%s: one argument too many: %s"):format(what, core.shown((...))))
  end
  local o = {}
  if given ~= nil and type(given) ~= "table" then
    raise(("%s: the options are %s; they must be a table"):format(what, core.shown(given)))
  end
  for name, standard in pairs(known) do o[name] = standard end
  for name, value in next, given or {} do
    if known[name] == nil then
      local names = {}
      for each in pairs(known) do names[#names + 1] = each end
      table.sort(names)
      raise(("%s: unknown option %s; the options are %s"):format(what, core.shown(name),
        table.concat(names, ", ")))
    end
    if type(value) ~= type(known[name]) then
      raise(("%s: %s is %s; it must be a %s"):format(what, name, core.shown(value),
        type(known[name])))
    end
    o[name] = value
  end
  return o
end

-- Leaves of their own with the same elements; with create_graph, the same values joined
-- to the graph that they come from.
local function variables(what, xs, joined)
  local vs = {}
  for i, x in ipairs(xs) do
    if x.dtype ~= "f32" and x.dtype ~= "f64" then
      raise(("%s: input %d is %s; only f32 and f64 have gradients"):format(what, i, x.dtype))
    end
    if joined and x.requires_grad then
      vs[i] = x:reshape(x.shape)
    else
      vs[i] = x:detach():requires_grad_()
    end
  end
  return vs
end

local function unpacked(list, single)
  if single then return list[1] end
  return list
end

-- f's results as an array of tensors.
local function outputs_of(what, f, xs)
  local ys = table.pack(f(table.unpack(xs)))
  if ys.n == 0 then raise(what .. ": f returned nothing") end
  for i = 1, ys.n do
    if not is_tensor(ys[i]) then
      raise(("%s: result %d of f is %s; it must be a tensor")
        :format(what, i, core.shown(ys[i])))
    end
  end
  return ys
end

local function one_number(what, f, xs)
  local ys = outputs_of(what, f, xs)
  if ys.n ~= 1 or ys[1]:numel() ~= 1 then
    raise(("%s: f must return a single number, not %s"):format(what,
      ys.n ~= 1 and ys.n .. " tensors" or tostring(ys[1].shape)))
  end
  return ys[1]:reshape {}
end

-- Recording is on in here, whatever it is outside.
local function recorded(f, ...) return mlpl.enable_grad(f, ...) end

-- ---- Jacobians and Hessians -----------------------------------------------------------

function autograd.jacobian(f, inputs, given, ...)
  check_function("jacobian", f)
  local xs, single = array("jacobian", "inputs", inputs)
  local o = options("jacobian", given, { create_graph = false }, ...)
  return recorded(function()
    local vs = variables("jacobian", xs, o.create_graph)
    local ys = outputs_of("jacobian", f, vs)
    local all = {}
    for k = 1, ys.n do
      all[k] = unpacked(core.jacobian(ys[k], vs, o.create_graph), single)
    end
    return unpacked(all, ys.n == 1)
  end)
end

-- Rows of second derivatives: [i][k] of input i and input k.
local function second_derivatives(y, vs, create_graph)
  local function jacobian(g)
    local ok, result = pcall(core.jacobian, g, vs, create_graph)
    if ok then return result end
    error(type(result) == "string" and result:gsub("^jacobian: ", "hessian: ") or result, 0)
  end
  local rows = {}
  local first = { n = #vs }
  if y.requires_grad then
    first = core.grad(y, vs, { create_graph = true, allow_unused = true })
  end
  for i, v in ipairs(vs) do
    rows[i] = jacobian(first[i] or v:detach() * 0)
  end
  return rows
end

function autograd.hessian(f, inputs, given, ...)
  check_function("hessian", f)
  local xs, single = array("hessian", "inputs", inputs)
  local o = options("hessian", given, { create_graph = false }, ...)
  return recorded(function()
    local vs = variables("hessian", xs, o.create_graph)
    local y = one_number("hessian", f, vs)
    local rows = second_derivatives(y, vs, o.create_graph)
    if single then return rows[1][1] end
    return rows
  end)
end

-- ---- products with them ---------------------------------------------------------------

local function zeros_like(x) return mlpl.zeros(x.shape, { dtype = x.dtype }) end
local function ones_like(x) return mlpl.ones(x.shape, { dtype = x.dtype }) end

local function kind_text(x, y)
  local dtype = x.dtype ~= y.dtype and " of " .. x.dtype or ""
  return ("[%s]%s"):format(table.concat(x.shape, "x"), dtype)
end

local function check_shapes(what, vs, xs, of)
  if #vs ~= #xs then
    raise(("%s: v has %d vectors for %d %s"):format(what, #vs, #xs, of))
  end
  for i, v in ipairs(vs) do
    local a, b = kind_text(v, xs[i]), kind_text(xs[i], v)
    if a ~= b then
      raise(("%s: vector %d of v is %s, it must be %s"):format(what, i, a, b))
    end
  end
end

local function filled(grads, xs)
  for i, x in ipairs(xs) do grads[i] = grads[i] or zeros_like(x) end
  return grads
end

local function gradients(ys, vs, seeds, create_graph)
  local used, weights = {}, {}
  for i = 1, #ys do
    if ys[i].requires_grad then
      used[#used + 1], weights[#weights + 1] = ys[i], seeds[i]
    end
  end
  if #used == 0 then return filled({}, vs) end
  return filled(core.grad(used, vs, {
    grad_outputs = weights, create_graph = create_graph, allow_unused = true,
  }), vs)
end

-- f's result and the product of v with its Jacobian.
function autograd.vjp(f, inputs, v, given, ...)
  check_function("vjp", f)
  local xs, single = array("vjp", "inputs", inputs)
  local o = options("vjp", given, { create_graph = false }, ...)
  local seeds = v ~= nil and array("vjp", "v", v)
  return recorded(function()
    local vs = variables("vjp", xs, o.create_graph)
    local ys = outputs_of("vjp", f, vs)
    if not seeds then
      if ys.n ~= 1 or ys[1]:numel() ~= 1 then
        raise("vjp: v may be left out only where the function returns a single number")
      end
      seeds = { ones_like(ys[1]) }
    end
    check_shapes("vjp", seeds, ys, "results")
    local g = gradients(ys, vs, seeds, o.create_graph)
    for i = 1, ys.n do
      if not o.create_graph then ys[i] = ys[i]:detach() end
    end
    ys.n = nil
    return unpacked(ys, #ys == 1), unpacked(g, single)
  end)
end

-- f's result and the product of its Jacobian with v: the gradient of u . (v^T J), which is
-- linear in u, with respect to u.
function autograd.jvp(f, inputs, v, given, ...)
  check_function("jvp", f)
  local xs = array("jvp", "inputs", inputs)
  local o = options("jvp", given, { create_graph = false }, ...)
  local direction = array("jvp", "v", v)
  check_shapes("jvp", direction, xs, "inputs")
  return recorded(function()
    local vs = variables("jvp", xs, o.create_graph)
    local ys = outputs_of("jvp", f, vs)
    local us = {}
    for i = 1, ys.n do us[i] = zeros_like(ys[i]):requires_grad_() end
    local g = gradients(ys, vs, us, true)
    local products = gradients(g, us, direction, o.create_graph)
    for i = 1, ys.n do
      if not o.create_graph then ys[i] = ys[i]:detach() end
    end
    ys.n = nil
    return unpacked(ys, #ys == 1), unpacked(products, #ys == 1)
  end)
end

-- f's value and the product of its Hessian with v.
function autograd.hvp(f, inputs, v, given, ...)
  check_function("hvp", f)
  local xs, single = array("hvp", "inputs", inputs)
  local o = options("hvp", given, { create_graph = false }, ...)
  local direction = array("hvp", "v", v)
  check_shapes("hvp", direction, xs, "inputs")
  return recorded(function()
    local vs = variables("hvp", xs, o.create_graph)
    local y = one_number("hvp", f, vs)
    local g = gradients({ y }, vs, { ones_like(y) }, true)
    local products = gradients(g, vs, direction, o.create_graph)
    if not o.create_graph then y = y:detach() end
    return y, unpacked(products, single)
  end)
end

-- ---- checks ---------------------------------------------------------------------------

-- Inputs that can be moved without anybody else noticing. Where the caller has said which
-- require a gradient, those are varied; else all are.
local function copies(xs)
  local chosen = false
  for _, x in ipairs(xs) do chosen = chosen or x.requires_grad end
  local vs = {}
  for i, x in ipairs(xs) do
    local real = x.dtype == "f32" or x.dtype == "f64"
    vs[i] = x:detach():clone()
    if real and (x.requires_grad or not chosen) then vs[i]:requires_grad_() end
  end
  return vs
end

local tolerances = { eps = 1e-6, atol = 1e-5, rtol = 1e-3 }

local function check_each(what, f, vs, o)
  local n = recorded(function() return outputs_of(what, f, vs).n end)
  for k = 1, n do
    local ok, message = pcall(core.gradcheck, function(...) return (select(k, f(...))) end, vs,
      o.eps, o.atol, o.rtol)
    if not ok and type(message) == "string" and message:find "^gradcheck: " then
      raise((message:gsub("^gradcheck: ", what .. ": ")))
    elseif not ok then
      error(message, 0)                              -- what f raised
    end
  end
  return true
end

function autograd.gradcheck(f, inputs, given, ...)
  check_function("gradcheck", f)
  local xs = array("gradcheck", "inputs", inputs)
  return check_each("gradcheck", f, copies(xs), options("gradcheck", given, tolerances, ...))
end

-- The check of f's gradient as a function of the inputs and of the outputs' gradients.
function autograd.gradgradcheck(f, inputs, given, ...)
  check_function("gradgradcheck", f)
  local xs = array("gradgradcheck", "inputs", inputs)
  local o = options("gradgradcheck", given, tolerances, ...)
  local vs = copies(xs)
  local n, varied = #vs, {}
  for i, v in ipairs(vs) do
    if v.requires_grad then varied[#varied + 1] = i end
  end
  if #varied == 0 then raise("gradgradcheck: no input requires a gradient") end
  local ys = recorded(outputs_of, "gradgradcheck", f, vs)
  local all = table.move(vs, 1, n, 1, {})
  for k = 1, ys.n do
    -- any numbers will do that are not alike
    local g = mlpl.arange(ys[k]:numel(), { dtype = ys[k].dtype }):reshape(ys[k].shape)
    all[n + k] = (g * 0.37 + 0.5):requires_grad_()
  end
  return check_each("gradgradcheck", function(...)
    local values = { ... }
    local now, seeds, targets = {}, {}, {}
    local results = table.pack(f(table.unpack(values, 1, n)))
    for k = 1, results.n do
      if results[k].requires_grad then
        now[#now + 1], seeds[#seeds + 1] = results[k], values[n + k]
      end
    end
    for i, at in ipairs(varied) do targets[i] = values[at] end
    local g = core.grad(now, targets, {
      grad_outputs = seeds, create_graph = true, allow_unused = true,
    })
    return table.unpack(filled(g, targets))
  end, all, o)
end

-- Gradients of f, which gives one number, by central differences alone.
function autograd.numeric_grad(f, inputs, given, ...)
  check_function("numeric_grad", f)
  local xs, single = array("numeric_grad", "inputs", inputs)
  local o = options("numeric_grad", given, { eps = 0.0 }, ...)
  local vs = {}
  for i, x in ipairs(xs) do vs[i] = x:detach():clone() end
  return unpacked(core.numeric_grad(f, vs, o.eps), single)
end

-- ---- functions with both passes -------------------------------------------------------

function autograd.Function(passes, ...)
  options("Function", nil, {}, ...)
  if type(passes) ~= "table" then
    raise(("Function: passes is %s; it must be a table of forward and backward")
      :format(core.shown(passes)))
  end
  for name in next, passes do
    if name ~= "forward" and name ~= "backward" and name ~= "name" then
      raise(("Function: unknown option %s; the options are backward, forward, name")
        :format(core.shown(name)))
    end
  end
  for _, pass in ipairs { "forward", "backward" } do
    if type(rawget(passes, pass)) ~= "function" then
      raise(("Function: %s is %s; it must be a function")
        :format(pass, core.shown(rawget(passes, pass))))
    end
  end
  local name = rawget(passes, "name")
  if name ~= nil and type(name) ~= "string" then
    raise(("Function: name is %s; it must be a string"):format(core.shown(name)))
  end
  return core["function"](passes.forward, passes.backward, name or "function")
end

return autograd
