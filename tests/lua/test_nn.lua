local lu = require "luaunit"
local mlpl = require "mlpl"
local expect = require "expect"

local nn = mlpl.nn
local values, fails = expect.values, expect.fails
local nan = 0 / 0

local function f64(v) return mlpl.tensor(v, { dtype = "f64" }) end
local function labels(v) return mlpl.tensor(v, { dtype = "i64" }) end
local function copy(t) return t:detach():totable() end

-- ---- constructors ---------------------------------------------------------------------

TestNnConstructors = {}

-- { constructor's arguments..., text }: what tostring says shows that the options
-- arrived.
local constructors = {
  { "Linear", { 2, 3 }, "Linear(in_features=2, out_features=3, bias=true)" },
  { "Linear", { 2, 3, false }, "Linear(in_features=2, out_features=3, bias=false)" },
  { "Linear", { 2, 3, { bias = false } },
    "Linear(in_features=2, out_features=3, bias=false)" },
  { "Linear", { { in_features = 2, out_features = 3 } },
    "Linear(in_features=2, out_features=3, bias=true)" },
  { "Linear", { 2, { out_features = 3 } },
    "Linear(in_features=2, out_features=3, bias=true)" },
  { "Linear", { 2, 3, {} }, "Linear(in_features=2, out_features=3, bias=true)" },
  { "Linear", { 2, 3, nil }, "Linear(in_features=2, out_features=3, bias=true)" },
  { "ReLU", {}, "ReLU()" },
  { "LeakyReLU", {}, "LeakyReLU(negative_slope=0.01)" },
  { "LeakyReLU", { 0.2 }, "LeakyReLU(negative_slope=0.2)" },
  { "LeakyReLU", { { negative_slope = 0.2 } }, "LeakyReLU(negative_slope=0.2)" },
  { "ELU", {}, "ELU(alpha=1)" },
  { "ELU", { { alpha = 0.5 } }, "ELU(alpha=0.5)" },
  { "Sigmoid", {}, "Sigmoid()" },
  { "Tanh", {}, "Tanh()" },
  { "Softmax", { 2 }, "Softmax(dim=2)" },
  { "Softmax", { { dim = -1 } }, "Softmax(dim=-1)" },
  { "LogSoftmax", { -1 }, "LogSoftmax(dim=-1)" },
  { "Flatten", {}, "Flatten(start_dim=2, end_dim=-1)" },
  { "Flatten", { 1, 2 }, "Flatten(start_dim=1, end_dim=2)" },
  { "Dropout", {}, "Dropout(p=0.5)" },
  { "Dropout", { 0.1 }, "Dropout(p=0.1)" },
  { "MSELoss", {}, 'MSELoss(reduction="mean")' },
  { "MSELoss", { "sum" }, 'MSELoss(reduction="sum")' },
  { "CrossEntropyLoss", { { label_smoothing = 0.1 } },
    'CrossEntropyLoss(reduction="mean", ignore_index=-100, label_smoothing=0.1)' },
  { "CrossEntropyLoss", { "none", 3 },
    'CrossEntropyLoss(reduction="none", ignore_index=3, label_smoothing=0)' },
  { "NLLLoss", { "sum", 2 }, 'NLLLoss(reduction="sum", ignore_index=2)' },
  { "L1Loss", {}, 'L1Loss(reduction="mean")' },
  { "SmoothL1Loss", { { beta = 0.5 } }, 'SmoothL1Loss(reduction="mean", beta=0.5)' },
  { "HuberLoss", { "none", 2 }, 'HuberLoss(reduction="none", delta=2)' },
  { "KLDivLoss", { "batchmean" }, 'KLDivLoss(reduction="batchmean", log_target=false)' },
  { "PoissonNLLLoss", { { full = true } },
    'PoissonNLLLoss(reduction="mean", log_input=true, full=true, eps=1e-08)' },
  { "SoftMarginLoss", {}, 'SoftMarginLoss(reduction="mean")' },
  { "HingeEmbeddingLoss", {}, 'HingeEmbeddingLoss(reduction="mean", margin=1)' },
  { "BCELoss", { "sum" }, 'BCELoss(reduction="sum")' },
  { "BCEWithLogitsLoss", { { reduction = "none" } },
    'BCEWithLogitsLoss(reduction="none")' },
  { "Sequential", {}, "Sequential()" },
}

function TestNnConstructors:test_options_by_position_and_by_name()
  for _, each in ipairs(constructors) do
    local kind, args, text = table.unpack(each)
    lu.assertEquals(tostring(nn[kind](table.unpack(args))), text)
  end
end

function TestNnConstructors:test_every_kind_is_tried_above()
  local tried = {}
  for _, each in ipairs(constructors) do tried[each[1]] = true end
  for name, value in pairs(nn) do
    if type(value) == "function" and name:find "^%u" then
      lu.assertTrue(tried[name], name)
    end
  end
end

function TestNnConstructors:test_misused()
  fails("Linear: in_features is missing", nn.Linear)
  fails("Linear: out_features is missing", nn.Linear, 2)
  fails("Linear: in_features is 2.5; it must be a whole number", nn.Linear, 2.5, 3)
  fails("Linear: in_features is '2'; it must be a whole number", nn.Linear, "2", 3)
  fails("Linear: in_features is -1; it must be at least 0", nn.Linear, -1, 3)
  fails("Linear: bias is 1; it must be true or false", nn.Linear, 2, 3, 1)
  fails("Linear: unknown option 'bais'; the options are in_features, out_features, bias",
    nn.Linear, 2, 3, { bais = false })
  fails("Linear: bias is given twice", nn.Linear, 2, 3, true, { bias = false })
  fails("Linear: one argument too many: 4", nn.Linear, 2, 3, true, 4)
  fails("ReLU: unknown option 'inplace'; it has no options", nn.ReLU, { inplace = true })
  fails("Softmax: dim is missing", nn.Softmax)
  fails("Softmax: dim is 0; it counts from 1, or from -1 at the end", nn.Softmax, 0)
  fails("Dropout: p is 1.5; it must be from 0 to 1", nn.Dropout, 1.5)
  fails("Dropout: p is '0.5'; it must be a number", nn.Dropout, "0.5")
  fails("ELU: alpha is -1; it must be at least 0", nn.ELU, -1)
  fails("MSELoss: reduction is 'avg'; it must be one of mean, sum, none", nn.MSELoss,
    "avg")
  fails("MSELoss: reduction is true; it must be one of mean, sum, none", nn.MSELoss, true)
  fails("CrossEntropyLoss: weight is 3; it must be a tensor", nn.CrossEntropyLoss,
    { weight = 3 })
  fails("CrossEntropyLoss: unknown option 'weigth'; the options are reduction, " ..
    "ignore_index, label_smoothing, weight",
    nn.CrossEntropyLoss, { weigth = mlpl.zeros(2) })
  local function hint(name) return expect.message(function() return nn[name] end) end
  lu.assertEquals(hint "Relu", "mlpl.nn has no field 'Relu'; did you mean 'ReLU'?")
  lu.assertEquals(hint "Conv2d", "mlpl.nn has no field 'Conv2d'; no such layer exists yet, " ..
    "nn.conv2d is the function; a function(x) may stand in nn.Sequential as a layer")
  lu.assertStrContains(hint "GELU", "nn.gelu is the function")
  lu.assertStrContains(hint "MaxPool2d", "nn.max_pool2d is the function")
  lu.assertStrContains(hint "Dropout2d", "no such layer exists yet, mlpl.help")
  lu.assertStrContains(hint "CrossEntropy", "did you mean 'CrossEntropyLoss'?")
  lu.assertStrContains(hint "sequential", "did you mean 'Sequential'?")
  fails("Linear: one argument too many: 3; it takes one tensor, no target", nn.Linear(2, 2),
    mlpl.zeros(1, 2), 3)
  fails("MSELoss: the target is 3; it must be a tensor", nn.MSELoss(), mlpl.zeros(2), 3)
  fails("MSELoss: one argument too many: 3; it takes an input and a target", nn.MSELoss(),
    mlpl.zeros(2), mlpl.zeros(2), 3)
  fails("mlpl.nn has no field 'Linaer'; did you mean 'Linear'?",
    function() return nn.Linaer end)
end

-- ---- layers ---------------------------------------------------------------------------

TestNnLayers = {}

function TestNnLayers:test_linear()
  local layer = nn.Linear(2, 3)
  nn.init.constant_(layer.weight, 2)
  nn.init.constant_(layer.bias, 1)
  values(layer(mlpl.tensor { { 1, 2 }, { 0, 0 } }), { { 7, 7, 7 }, { 1, 1, 1 } })
  values(layer:forward(mlpl.tensor { 1, 1 }), { 5, 5, 5 })
  lu.assertEquals(layer(mlpl.zeros(4, 5, 2)).shape, { 4, 5, 3 })
  lu.assertEquals(layer(mlpl.zeros(0, 2)).shape, { 0, 3 })
  lu.assertEquals(layer.weight.shape, { 3, 2 })
  lu.assertIs(layer.weight, layer.weight)
  lu.assertIs(layer.weight.requires_grad, true)
  lu.assertNil(nn.Linear(2, 3, false).bias)
  fails("a ReLU has no field or method 'bias'", function() return nn.ReLU().bias end)
  fails("linear: input is [1x3], weight is [3x2]; the input's last axis must be 2", layer,
    mlpl.zeros(1, 3))
  fails("linear: input is [], weight is [3x2]; the input's last axis must be 2", layer,
    mlpl.tensor(1))
  fails("linear: input is f64, weight is f32; they must have one dtype (convert with " ..
    ":to)", nn.linear, mlpl.zeros(1, 2, { dtype = "f64" }), layer.weight)
end

function TestNnLayers:test_linear_starts_as_in_pytorch()
  mlpl.seed(5)
  local layer = nn.Linear(784, 100)
  local bound = 1 / 28
  for _, p in ipairs(layer:parameters()) do
    local most, least = p:detach():max():item(), -(-p:detach()):max():item()
    lu.assertTrue(most <= bound and most > 0.9 * bound)
    lu.assertTrue(least >= -bound and least < -0.9 * bound)
  end
  mlpl.seed(5)
  lu.assertEquals(copy(nn.Linear(784, 100).bias), copy(layer.bias))
end

function TestNnLayers:test_activations()
  local x = mlpl.tensor { { -1, 0, 2 } }
  values(nn.ReLU()(x), { { 0, 0, 2 } })
  values(nn.LeakyReLU(0.5)(x), { { -0.5, 0, 2 } })
  values(nn.ELU()(x), { { math.exp(-1) - 1, 0, 2 } }, 1e-6)
  values(nn.Sigmoid()(x), { { 1 / (1 + math.exp(1)), 0.5, 1 / (1 + math.exp(-2)) } },
    1e-6)
  values(nn.Tanh()(x)[{ 1, 2 }], 0)
  values(nn.Softmax(-1)(mlpl.zeros(1, 4)), { { 0.25, 0.25, 0.25, 0.25 } })
  values(nn.LogSoftmax(2)(mlpl.zeros(1, 2)), { { -math.log(2), -math.log(2) } }, 1e-6)
  lu.assertEquals(nn.Flatten()(mlpl.zeros(2, 3, 4)).shape, { 2, 12 })
  lu.assertEquals(nn.Flatten(1)(mlpl.zeros(2, 3, 4)).shape, { 24 })
end

function TestNnLayers:test_what_is_no_input()
  local relu, loss, x = nn.ReLU(), nn.MSELoss(), mlpl.zeros(2)
  fails("ReLU: the input is missing; it must be a tensor", relu)
  fails("ReLU: the input is 5; it must be a tensor", relu, 5)
  fails("ReLU: the input is a table; it must be a tensor", relu, { 1, 2 })
  fails("ReLU: the input is a mlpl.Module; it must be a tensor", relu.forward, relu, relu)
  fails("ReLU: 2 tensors given; it takes 1", relu, x, x)
  fails("MSELoss: 1 tensors given; it takes 2", loss, x)
  fails("MSELoss: the target is 1; it must be a tensor", loss, x, 1)
  fails("ReLU: the input is nil; it must be a tensor", relu.predict, relu, nil)
  local gone = mlpl.zeros(1)
  gone:release()
  fails("ReLU: the input was released", relu, gone)
  fails("MSELoss: 1 tensors given; it takes 2", loss.predict, loss, x)
end

-- ---- models ---------------------------------------------------------------------------

TestNnModels = {}

local function small()
  return nn.Sequential { nn.Linear(2, 3), nn.ReLU(),
    nn.Sequential { nn.Linear(3, 1, { bias = false }) } }
end

function TestNnModels:test_both_forms_make_the_same()
  local a, b = nn.ReLU(), nn.Tanh()
  lu.assertEquals(tostring(nn.Sequential(a, b)), tostring(nn.Sequential { a, b }))
  lu.assertEquals(tostring(small()), [[
Sequential(
  (1): Linear(in_features=2, out_features=3, bias=true)
  (2): ReLU()
  (3): Sequential(
    (1): Linear(in_features=3, out_features=1, bias=false)
  )
)]])
  local x = mlpl.tensor { 1, 2 }
  values(nn.Sequential {}(x), { 1, 2 })
end

function TestNnModels:test_layers_by_number()
  local relu = nn.ReLU()
  local model = nn.Sequential { nn.Linear(2, 3), relu }
  lu.assertEquals(#model, 2)
  lu.assertIs(model[2], relu)
  lu.assertIs(model[-1], relu)
  lu.assertIs(model[1], model[-2])
  lu.assertEquals(#relu, 0)
  fails("Sequential: layer 3 is outside 1 to 2", function() return model[3] end)
  fails("Sequential: layer 0 is outside 1 to 2", function() return model[0] end)
  fails("Sequential: layer -3 is outside 1 to 2", function() return model[-3] end)
  fails("Sequential: the layer's number is 1.5; it must be a whole number",
    function() return model[1.5] end)
  fails("ReLU: layer 1 is outside 1 to 0", function() return relu[1] end)
  fails("a Sequential has no field or method 'layers'",
    function() return model.layers end)
  fails("a mlpl.Module has no field 'x' that can be set", function() model.x = 1 end)
  fails("a mlpl.Module has no field 1 that can be set",
    function() model[1] = nn.ReLU() end)
end

function TestNnModels:test_parameters_are_the_same_values_every_time()
  local model = small()
  local p = model:parameters()
  lu.assertEquals(#p, 3)
  for i, each in ipairs(model:parameters()) do lu.assertIs(each, p[i]) end
  lu.assertIs(model[1].weight, p[1])
  lu.assertIs(model[1].bias, p[2])
  lu.assertIs(model[3][1].weight, p[3])
end

function TestNnModels:test_names_are_those_of_pytorch()
  local names, model = {}, small()
  for name, p in model:named_parameters() do
    names[#names + 1] = name
    lu.assertIs(p, model:parameters()[#names])
  end
  lu.assertEquals(names, { "0.weight", "0.bias", "2.0.weight" })
  local name = nn.Linear(1, 1, false):named_parameters()()
  lu.assertEquals(name, "weight")
end

function TestNnModels:test_training_and_eval()
  local model = nn.Sequential { nn.Dropout(0.5), nn.ReLU() }
  lu.assertIs(model.training, true)
  lu.assertIs(model:eval(), model)
  lu.assertIs(model.training, false)
  lu.assertIs(model[1].training, false)
  local x = mlpl.ones(100)
  values(model(x), x:totable())
  lu.assertIs(model:train(), model)
  lu.assertIs(model[1].training, true)
  lu.assertNotEquals(model(x):totable(), x:totable())
  model:train(false)
  lu.assertIs(model.training, false)
  lu.assertStrContains(expect.message(model.train, model, 1),
    "boolean expected, got number")
end

function TestNnModels:test_predict_is_eval_without_recording()
  local model = nn.Sequential { nn.Linear(4, 4), nn.Dropout(0.9) }
  local x = mlpl.ones(2, 4)
  local y = model:predict(x)
  lu.assertIs(y.requires_grad, false)
  values(y, copy(model[1](x)))
  lu.assertIs(model.training, true)
  lu.assertIs(mlpl.is_grad_enabled(), true)
  lu.assertIs(model(x).requires_grad, true)
  -- the mode is as before after an error, too
  pcall(model.predict, model, mlpl.zeros(3))
  lu.assertIs(model.training, true)
  lu.assertIs(mlpl.is_grad_enabled(), true)
end

function TestNnModels:test_zero_grad()
  local model = small()
  model(mlpl.ones(1, 2)):sum():backward()
  lu.assertNotNil(model[1].weight.grad)
  model:zero_grad()
  for _, p in ipairs(model:parameters()) do lu.assertNil(p.grad) end
end

function TestNnModels:test_conversion_keeps_the_parameters()
  local model = small()
  local weight, before = model[1].weight, copy(model[1].weight)
  lu.assertIs(model:to("f64"), model)
  lu.assertIs(model[1].weight, weight)
  lu.assertEquals(weight.dtype, "f64")
  values(weight, before)
  lu.assertEquals(model(mlpl.zeros(1, 2, { dtype = "f64" })).dtype, "f64")
  model:to("f32")
  values(weight, before)
  fails("to: parameters are f32 or f64, not i64", model.to, model, "i64")
  fails("to: dtype is missing; it must be one of f32, f64, i64, u8, bool", model.to,
    model)
end

function TestNnModels:test_fused_and_separate_relu_agree()
  mlpl.seed(9)
  local linear, x = nn.Linear(5, 7), mlpl.randn(6, 5)
  local fused = nn.Sequential { linear, nn.ReLU() }
  fused(x):sum():backward()
  local found = { copy(fused(x)), copy(linear.weight.grad), copy(linear.bias.grad) }
  linear:zero_grad()
  local y = linear(x):relu()
  y:sum():backward()
  values(y, found[1])
  values(linear.weight.grad, found[2])
  values(linear.bias.grad, found[3])
end

function TestNnModels:test_what_is_no_layer()
  fails("Sequential: layer 1 is 5; it must be a module or a function", nn.Sequential, 5)
  fails("Sequential: layer 2 is nil; it must be a module or a function", nn.Sequential,
    nn.ReLU(), nil)
  fails("Sequential: layer 1 is a mlpl.Tensor; it must be a module or a function",
    nn.Sequential, mlpl.zeros(1))
  fails("Sequential: layer 2 is MSELoss, which takes 2 tensors; a layer here takes one",
    nn.Sequential, { nn.ReLU(), nn.MSELoss() })
  fails("Sequential: unknown option 'name'; it takes layers only, numbered from 1 " ..
    "without a gap", nn.Sequential, { nn.ReLU(), name = "net" })
  fails("Sequential: unknown option 5; it takes layers only, numbered from 1 without " ..
    "a gap", nn.Sequential, { nn.ReLU(), [5] = nn.ReLU() })
  local gone = nn.ReLU()
  gone:release()
  fails("Sequential: layer 1 was released", nn.Sequential, gone)
end

function TestNnModels:test_models_in_models_in_models()
  local model = nn.ReLU()
  for _ = 1, 100 do model = nn.Sequential { model } end
  values(model(mlpl.tensor { -1, 1 }), { 0, 1 })
  lu.assertStrContains(tostring(model), "ReLU()")
  fails("Sequential: layers are nested more than 100 deep", nn.Sequential, { model })
end

function TestNnModels:test_a_layer_may_be_used_twice()
  local linear = nn.Linear(2, 2)
  local model = nn.Sequential { linear, linear }
  model(mlpl.ones(1, 2)):sum():backward()
  lu.assertEquals(#model:parameters(), 2) -- listed once, as in PyTorch
  lu.assertIs(model:parameters()[1], linear.weight)
end

function TestNnModels:test_a_forgotten_call_is_named()
  fails("Sequential: layer 2 is the constructor nn.ReLU itself; call it: nn.ReLU()", nn.Sequential,
    { nn.Linear(2, 2), nn.ReLU })
end

-- ---- layers written in Lua ------------------------------------------------------------

TestNnFunctions = {}

function TestNnFunctions:test_functions_are_layers()
  local model = nn.Sequential { nn.Linear(2, 2), function(x) return x * x end, nn.ReLU() }
  nn.init.ones_(model[1].weight)
  nn.init.zeros_(model[1].bias)
  local y = model(mlpl.tensor { { 1, 2 } })
  values(y, { { 9, 9 } })
  y:sum():backward()
  values(model[1].weight.grad, { { 6, 12 }, { 6, 12 } })
  lu.assertStrContains(tostring(model), "(2): function()")
  lu.assertEquals(#model:parameters(), 2)
  local layer = model[2]
  model = nil
  collectgarbage()
  collectgarbage()
  values(layer(mlpl.tensor { 3 }), { 9 })
end

function TestNnFunctions:test_errors_in_them_come_through()
  local problem = {}
  local model = nn.Sequential { function() error(problem) end }
  local _, err = pcall(model, mlpl.zeros(1))
  lu.assertIs(err, problem)
  model = nn.Sequential { function() error("no such luck") end }
  err = expect.message(model, mlpl.zeros(1))
  lu.assertStrContains(err, "no such luck")
  lu.assertNotStrContains(err, "stack traceback:")
  _, err = pcall(model.predict, model, mlpl.zeros(1))
  lu.assertStrContains(err, "no such luck")
  lu.assertIs(mlpl.is_grad_enabled(), true)
  for _, value in ipairs { 5, false } do
    model = nn.Sequential { function() error(value) end }
    lu.assertEquals({ pcall(model, mlpl.zeros(1)) }, { false, value })
  end
end

function TestNnFunctions:test_they_must_return_a_tensor()
  for _, value in ipairs { 5, "x", false } do
    local model = nn.Sequential { function() return value end }
    lu.assertStrContains(expect.message(model, mlpl.zeros(1)),
      "a Lua layer must return a tensor")
  end
  local model = nn.Sequential { nn.ReLU(), function() end }
  local line = debug.getinfo(1, "l").currentline - 1
  local _, message = pcall(function() model(mlpl.zeros(1)) end)
  lu.assertStrMatches(message, ("[^\n]*test_nn.lua:%d: Sequential: layer 2 %%(function%%): " ..
    "a Lua layer must return a tensor, the function at [^\n]*test_nn.lua:%d returned nil")
    :format(line + 2, line))
end

-- An error inside a function keeps its line.
function TestNnFunctions:test_errors_begin_with_their_line()
  local model = nn.Sequential { function(x) return x:matmul(x) end }
  local line = debug.getinfo(1, "l").currentline - 1
  lu.assertStrMatches(select(2, pcall(model, mlpl.zeros(2, 3))),
    ("[^\n]*test_nn.lua:%d: matmul: inner sizes differ: a is %%[2x3%%], b is %%[2x3%%]")
      :format(line))
  local ok, message = pcall(nn.Sequential { mlpl.matmul }, mlpl.zeros(2, 3))
  lu.assertFalse(ok)
  lu.assertStrMatches(message, "[^\n]*test_nn.lua:%d+: matmul: b is missing[^\n]*")
end

function TestNnFunctions:test_errors_name_the_layer()
  local model = nn.Sequential {
    nn.ReLU(), nn.Linear(3, 2), nn.Sequential { nn.Tanh(), nn.Linear(4, 3), nn.ReLU() },
  }
  fails("Sequential: layer 2 (Linear): input is [1x5], weight is [2x3]; the input's last " ..
    "axis must be 3", model, mlpl.zeros(1, 5))
  fails("Sequential: layer 3 (Sequential): layer 2 (Linear): input is [1x2], weight is [3x4]; " ..
    "the input's last axis must be 4", model, mlpl.zeros(1, 3))
end

function TestNnFunctions:test_endless_recursion_ends()
  local model
  model = nn.Sequential { function(x) return model(x) end }
  local err = expect.message(model, mlpl.zeros(1))
  lu.assertStrContains(err, "stack overflow")
end

-- ---- losses ---------------------------------------------------------------------------

TestNnLosses = {}

local logits = { { 0.2, -1, 3, 0.5 }, { 1.5, 0.3, -0.7, 0 }, { -2, 0.1, 0.4, 2.2 } }
local w = { 1, 2, 0.5, 3 }

-- "w" stands for a tensor of w, made anew in each test. The numbers are those of
-- PyTorch's semantics in the reference, worked out by another program.
local cross_entropies = {
  { 0.30188735664089855 },
  { { 0.14946316785, 0.49172080157, 0.26447810051 }, { reduction = "none" } },
  { 0.30188735664089855 * 3, { reduction = "sum" } },
  { 0.30219704155789895, { weight = "w" } },
  { 1.3598866870105453, { weight = "w", reduction = "sum" } },
  { 0.4877206899742319, { label_smoothing = 0.1 } },
  { 1.4631620699226957, { label_smoothing = 0.1, reduction = "sum" } },
  { 0.5024595788159841, { label_smoothing = 0.1, weight = "w" } },
  { 2.2610681046719288, { label_smoothing = 0.1, weight = "w", reduction = "sum" } },
}
local function with_weight(options)
  local out = {}
  for name,
    value in pairs(options or {}) do out[name] = value == "w" and f64(w) or value end
  return out
end

function TestNnLosses:test_cross_entropy_with_labels()
  local x, y = f64(logits), labels { 3, 1, 4 }
  for _, each in ipairs(cross_entropies) do
    values(nn.cross_entropy(x, y, with_weight(each[2])), each[1], 1e-10)
    values(nn.CrossEntropyLoss(with_weight(each[2]))(x, y), each[1], 1e-10)
  end
  values(nn.cross_entropy(x, y, f64(w)), 0.30219704155789895, 1e-14)
  values(nn.cross_entropy(x, y, nil, "sum"), 0.30188735664089855 * 3, 1e-14)
end

function TestNnLosses:test_rows_that_are_ignored()
  local x = f64(logits)
  values(nn.cross_entropy(x, labels { 3, -100, 4 }), 0.20697063417832304, 1e-14)
  values(nn.cross_entropy(x, labels { 3, 2, 4 },
    { ignore_index = 2, label_smoothing = 0.1, weight = f64(w) }),
    0.4396042151451432, 1e-14)
  values(nn.cross_entropy(x, labels { 3, -100, 4 }, { reduction = "none" })[2], 0)
  lu.assertNaN(nn.cross_entropy(x, labels { -100, -100, -100 }):item())
end

function TestNnLosses:test_cross_entropy_with_shares()
  local shares = { { 0.1, 0.2, 0.3, 0.4 }, { 1, 0, 0, 0 }, { 0.25, 0.25, 0.25, 0.25 } }
  local x, y = f64(logits), f64(shares)
  values(nn.cross_entropy(x, y), 1.670220689974232, 1e-14)
  values(nn.cross_entropy(x, y, { weight = f64(w) }), 2.8010015251372966, 1e-14)
  values(nn.cross_entropy(x, y, { label_smoothing = 0.1 }), 1.7192206899742322, 1e-14)
end

function TestNnLosses:test_cross_entropy_gradient()
  local x = f64(logits):requires_grad_()
  nn.cross_entropy(x, labels { 3, 1, 4 }):backward()
  values(x.grad[1], { 0.017455937, 0.0052576272, -0.046276615, 0.02356305 }, 1e-8)
end

-- An image of labels is the mean over its elements; one example needs no batch.
function TestNnLosses:test_cross_entropy_of_more_axes()
  local x, y = f64(logits), labels { 3, 1, 4 }
  local image, truth = x:t():reshape(1, 4, 3), y:reshape(1, 3)
  for _, each in ipairs(cross_entropies) do
    local loss = nn.CrossEntropyLoss(with_weight(each[2]))(image, truth)
    values(loss:reshape(-1), type(each[1]) == "table" and each[1] or { each[1] }, 1e-10)
  end
  values(nn.cross_entropy(image, truth, "none"), nn.cross_entropy(x, y, "none"):reshape(1, 3)
    :totable(), 1e-14)
  values(nn.cross_entropy(x[2], y[2]), nn.cross_entropy(x, y, "none")[2]:item(), 1e-14)
  lu.assertEquals(nn.cross_entropy(x[2], y[2], "none").shape, {})
  x:requires_grad_()
  nn.cross_entropy(x:t():reshape(1, 2, 2, 3), mlpl.ones({ 1, 2, 3 }, { dtype = "i64" }), "sum")
    :backward()
  values(x.grad:sum(), 0, 1e-14)
end

function TestNnLosses:test_mse()
  local x, y = f64 { 0.5, -1.2, 2.3, 0, 4 }, f64 { 0, -1, 0.1, 0.4, 0.5 }
  values(nn.mse_loss(x, y), 3.508, 1e-14)
  values(nn.MSELoss("sum")(x, y), 3.508 * 5, 1e-14)
  values(nn.mse_loss(x, y, "none"), { 0.25, 0.04, 4.84, 0.16, 12.25 }, 1e-14)
  x:requires_grad_()
  nn.mse_loss(x, y):backward()
  values(x.grad, { 0.2, -0.08, 0.88, -0.16, 1.4 }, 1e-14)
  lu.assertNaN(nn.mse_loss(mlpl.zeros(0), mlpl.zeros(0)):item())
  lu.assertEquals(nn.mse_loss(mlpl.zeros(0), mlpl.zeros(0), "sum"):item(), 0)
end

-- Losses and slopes at kinks and beside them, as PyTorch has them.
local function each(loss, x, t, wanted, slopes, options)
  x = f64(x):requires_grad_()
  options = options or {}
  options.reduction = "none"
  local y = loss(x, f64(t), options)
  values(y, wanted, 1e-14)
  y:sum():backward()
  values(x.grad, slopes, 1e-12)
end

function TestNnLosses:test_of_differences()
  local x, t = { 0, 0.5, -1, 2, 1 }, { 0, 0, 0, 0, 1 }
  each(nn.l1_loss, x, t, { 0, 0.5, 1, 2, 0 }, { 0, 1, -1, 1, 0 })
  each(nn.smooth_l1_loss, x, t, { 0, 0.125, 0.5, 1.5, 0 }, { 0, 0.5, -1, 1, 0 })
  each(nn.smooth_l1_loss, x, t, { 0, 0.25, 0.75, 1.75, 0 }, { 0, 1, -1, 1, 0 }, { beta = 0.5 })
  each(nn.smooth_l1_loss, x, t, { 0, 0.5, 1, 2, 0 }, { 0, 1, -1, 1, 0 }, { beta = 0 })
  each(nn.huber_loss, x, t, { 0, 0.125, 0.5, 2, 0 }, { 0, 0.5, -1, 2, 0 }, { delta = 2 })
  values(nn.L1Loss()(f64(x), f64(t)), 0.7, 1e-14)
  values(nn.SmoothL1Loss { beta = 0.5 }(f64(x), f64(t)), 0.55, 1e-14)
  values(nn.HuberLoss("sum", 2)(f64(x), f64(t)), 2.625, 1e-14)
end

function TestNnLosses:test_of_signs()
  local x, s = { 0.5, 0.5, 1, 2, -1 }, { 1, -1, -1, -1, 1 }
  each(nn.hinge_embedding_loss, x, s, { 0.5, 0.5, 0, 0, -1 }, { 1, -1, 0, 0, 1 })
  values(nn.soft_margin_loss(f64(x), f64(s), "none"), { 0.4740769841801067,
    0.9740769841801067, 1.3132616875182228, 2.1269280110429727, 1.3132616875182228 }, 1e-14)
  lu.assertEquals(nn.soft_margin_loss(f64 { 1000 }, f64 { -1 }):item(), 1000)
  local a = f64({ 1, 2, 3 }):requires_grad_()
  local y = nn.margin_ranking_loss(a, f64 { 2, 2, 2 }, f64 { 1, 1, -1 }, { reduction = "none" })
  values(y, { 1, 0, 1 })
  y:sum():backward()
  values(a.grad, { -1, 0, 1 })
end

function TestNnLosses:test_of_probabilities()
  each(nn.binary_cross_entropy, { 0, 1, 0.25 }, { 0, 1, 0.5 }, { 0, 0, 0.8369882167858358 },
    { 0, 0, -1.3333333333333333 })
  values(nn.BCELoss()(f64 { 1, 0 }, f64 { 0, 1 }), 100)
  fails("binary_cross_entropy: input has the element 1.5; probabilities lie between 0 and 1 " ..
    "(for logits there is binary_cross_entropy_with_logits)", nn.binary_cross_entropy,
    f64 { 0.5, 1.5 }, f64 { 1, 1 })
  lu.assertNaN(nn.BCELoss()(f64 { 0.5, 0 / 0 }, f64 { 1, 1 }):item())
  local p = f64 { { 0.2, 0.3, 0.5 }, { 0.1, 0.1, 0.8 } }
  local logs, t = p:log(), f64 { { 0, 0.5, 0.5 }, { 1, 0, 0 } }
  values(nn.kl_div(logs, t, "batchmean"), 1.2789989524385204, 1e-14)
  values(nn.KLDivLoss()(logs, t), 0.42633298414617343, 1e-14)
  values(nn.kl_div(logs, logs:flip { 1 }, { log_target = true, reduction = "sum" }),
    0.43003826456333705, 1e-14)
  values(nn.nll_loss(logs, labels { 3, 1 }, f64 { 1, 2, 3 }), 1.0955066586684703, 1e-14)
  values(nn.poisson_nll_loss(f64 { 0, 1 }, f64 { 1, 3 }, { full = true }), 1.241181686001051,
    1e-14)
  values(nn.PoissonNLLLoss(nil, false)(f64 { 0.5, 1 }, f64 { 1, 3 }), 1.0965735652799729, 1e-14)
end

-- What is ignored does not count, whatever its scores are.
function TestNnLosses:test_nll()
  local x = f64({ { -math.huge, 0 }, { -math.huge, -1 } }):requires_grad_()
  local loss = nn.NLLLoss()(x, labels { -100, 2 })
  values(loss, 1)
  loss:backward()
  values(x.grad, { { 0, 0 }, { 0, -1 } })
  lu.assertNaN(nn.nll_loss(x, labels { -100, -100 }):item())
  fails("nll_loss: row 1 of the target is 3; with 2 classes labels run from 1 to 2",
    nn.nll_loss, x, labels { 3, 1 })
  fails("nll_loss: input is [2x2], target is [3]; it must be [2] of labels", nn.nll_loss, x,
    labels { 1, 1, 1 })
  values(nn.nll_loss(f64(logits):log_softmax(2), labels { 3, 1, 4 }), 0.30188735664089855, 1e-14)
end

function TestNnLosses:test_binary_cross_entropy_on_logits()
  local bce = nn.binary_cross_entropy_with_logits
  local x, y = f64 { 0.5, -1.2, 2.3, 0, 40 }, f64 { 0, 1, 0.25, 1, 0 }
  values(bce(x, y), 8.99021041933521, 1e-14)
  values(bce(x, y, { pos_weight = mlpl.full({ 5 }, 3, { dtype = "f64" }) }),
    9.862336824954195, 1e-14)
  values(nn.BCEWithLogitsLoss { pos_weight = f64 { 3 } }(x, y), 9.862336824954195, 1e-14)
  values(bce(x, y, { weight = f64 { 0, 0, 0, 1, 0 }, reduction = "sum" }), math.log(2),
    1e-14)
  values(bce(x, y, { weight = f64 { 0, 0, 0, 1, 0 } }), math.log(2) / 5, 1e-14)
  values(bce(f64 { 1000, -1000 }, f64 { 1, 0 }, { reduction = "none" }), { 0, 0 })
end

function TestNnLosses:test_sizes_and_labels_that_do_not_fit()
  local x = mlpl.zeros(2, 3)
  fails("cross_entropy: row 2 of the target is 4; with 3 classes labels run from 1 to 3",
    nn.cross_entropy, x, labels { 1, 4 })
  fails("cross_entropy: row 1 of the target is 0; with 3 classes labels run from 1 " ..
    "to 3 (are these labels counted " ..
    "from 0? add 1)", nn.CrossEntropyLoss(), x, labels { 0, 2 })
  fails("cross_entropy: row 1 of the target is -1; with 3 classes labels run from 1 to 3",
    nn.cross_entropy, x, labels { -1, 2 })
  fails("cross_entropy: input is [2x3], target is [3] of i64; it must be [2] of " ..
    "labels (dtype i64), or [2x3] of f32 shares", nn.cross_entropy, x, labels { 1, 2, 3 })
  fails("cross_entropy: input is [2x3], target is [2] of f32; it must be [2] of " ..
    "labels (dtype i64), or [2x3] of f32 shares", nn.cross_entropy, x, mlpl.zeros(2))
  fails("cross_entropy: input is [3], target is [1] of i64; it must be [] of labels " ..
    "(dtype i64), or [3] of f32 shares", nn.cross_entropy, mlpl.zeros(3), labels { 1 })
  fails("cross_entropy: input is []; it must be [n x classes], [n x classes x ...] or " ..
    "[classes]", nn.cross_entropy, mlpl.tensor(1), labels { 1 })
  fails("cross_entropy: input is [2x3x4], target is [2x3] of i64; it must be [2x4] of " ..
    "labels (dtype i64), or [2x3x4] of f32 shares", nn.cross_entropy, mlpl.zeros(2, 3, 4),
    labels { { 1, 2, 3 }, { 1, 2, 3 } })
  fails("cross_entropy: weight is [2], input is [2x3]; the weight must be [3]",
    nn.cross_entropy, x, labels { 1, 2 }, mlpl.zeros(2))
  fails("mse_loss: input is [2x3], target is [2]; they must have one shape", nn.mse_loss,
    x, mlpl.zeros(2))
  fails("binary_cross_entropy_with_logits: pos_weight is [4x1x1]; it must broadcast " ..
    "to the input, which is [2x3]",
    nn.binary_cross_entropy_with_logits, x, x, { pos_weight = mlpl.zeros(4, 1, 1) })
  fails("cross_entropy: label_smoothing is 2; it must be from 0 to 1", nn.cross_entropy,
    x, labels { 1, 2 }, { label_smoothing = 2 })
  fails("cross_entropy: ignore_index is 1.5; it must be a whole number", nn.cross_entropy,
    x, labels { 1, 2 }, { ignore_index = 1.5 })
end

-- ---- initialisers ---------------------------------------------------------------------

TestNnInit = {}

local function spread(t)
  local mean = t:mean():item()
  return mean, math.sqrt(((t - mean) * (t - mean)):mean():item()), -(-t):max():item(),
    t:max():item()
end

function TestNnInit:test_constants()
  local x = mlpl.zeros(2, 2)
  lu.assertIs(nn.init.ones_(x), x)
  values(x, { { 1, 1 }, { 1, 1 } })
  values(nn.init.constant_(x, 0.5), { { 0.5, 0.5 }, { 0.5, 0.5 } })
  values(nn.init.constant_(x, { value = -2 }), { { -2, -2 }, { -2, -2 } })
  values(nn.init.zeros_(x), { { 0, 0 }, { 0, 0 } })
  values(nn.init.ones_(x:t()[2]), { 1, 1 })
  values(x, { { 0, 1 }, { 0, 1 } })
end

function TestNnInit:test_random_rules()
  mlpl.seed(2)
  local x = mlpl.zeros(200, 100)                               -- fan in 100, fan out 200
  local function check(rule, mean, std, ...)
    local m, s, least, most = spread(nn.init[rule](x, ...))
    lu.assertAlmostEquals(m, mean, 6 * std / math.sqrt(20000) + 1e-7)
    lu.assertAlmostEquals(s, std, 0.03 * std)
    return least, most
  end
  check("normal_", 0, 1)
  check("normal_", 3, 0.5, 3, 0.5)
  check("normal_", 0, 2, { std = 2 })
  local least, most = check("uniform_", 0.5, 1 / math.sqrt(12))
  lu.assertTrue(least >= 0 and most < 1)
  least, most = check("uniform_", 0, 2 / math.sqrt(3), -2, 2)
  lu.assertTrue(least >= -2 and least < -1.99 and most < 2 and most > 1.99)
  least, most = check("xavier_uniform_", 0, math.sqrt(2 / 300))
  lu.assertAlmostEquals(most, math.sqrt(6 / 300), 1e-3)
  check("xavier_normal_", 0, 2 * math.sqrt(2 / 300), { gain = 2 })
  check("kaiming_normal_", 0, math.sqrt(2 / 100), { nonlinearity = "relu" })
  check("kaiming_normal_", 0, math.sqrt(2 / 200),
    { mode = "fan_out", nonlinearity = "relu" })
  check("kaiming_uniform_", 0, math.sqrt(2 / 100), { nonlinearity = "relu" })
  check("kaiming_uniform_", 0, math.sqrt(2 / (1 + 5) / 100), { a = math.sqrt(5) })
end

function TestNnInit:test_parameters_stay_leaves()
  local layer = nn.Linear(2, 2)
  nn.init.xavier_uniform_(layer.weight)
  lu.assertIs(layer.weight.requires_grad, true)
  layer(mlpl.ones(1, 2)):sum():backward()
  lu.assertNotNil(layer.weight.grad)
end

function TestNnInit:test_misused()
  local x, init = mlpl.zeros(2, 2), nn.init
  fails("constant_: value is missing", init.constant_, x)
  fails("constant_: value is 'a'; it must be a number", init.constant_, x, "a")
  fails("normal_: std is -1; it must be at least 0", init.normal_, x, 0, -1)
  fails("uniform_: a is 2, b is 1; a must not be above b", init.uniform_, x, 2, 1)
  fails("kaiming_uniform_: mode is 'fan'; it must be one of fan_in, fan_out",
    init.kaiming_uniform_, x, { mode = "fan" })
  fails("xavier_uniform_: the tensor is [2]; fan in and fan out need two axes or more",
    init.xavier_uniform_, mlpl.zeros(2))
  fails("zeros_: unknown option 'value'; it has no options", init.zeros_, x, { value = 1 })
  fails("zeros_: the tensor is i64; it must be f32 or f64", init.zeros_, labels { 1 })
  fails("zeros_: the tensor is a recorded result; only leaves are initialised",
    init.zeros_, mlpl.zeros(2, { requires_grad = true }) * 2)
  fails("mlpl.nn.init has no field 'zeros'; did you mean 'zeros_'?",
    function() return init.zeros end)
  lu.assertStrContains(expect.message(init.zeros_, 5), "mlpl.Tensor expected, got number")
end

-- ---- what gives its input -------------------------------------------------------------

TestIdentity = {}

-- One tensor is one value; what is predicted has no history, even where nothing is computed.
function TestIdentity:test_dropout_outside_training_is_its_input()
  local x = mlpl.ones(2, { requires_grad = true })
  local d = nn.Dropout(0.5)
  lu.assertIs(x:dropout { training = false }, x)
  lu.assertIs(d:eval()(x), x)
  for _, input in ipairs { x, x * 1 } do
    local y = d:predict(input)
    lu.assertIs(y.requires_grad, false)
    lu.assertNil(y.grad_fn)
    lu.assertEquals(y:totable(), { 1, 1 })
    lu.assertIs(input.requires_grad, true)
  end
end
