-- mlpl.nn: layers, losses, initialisers, and what a model can be asked to do. Layers and
-- losses describe their options themselves. Functions in lower case (nn.relu) are operations.

local module = { { "layer", "Module" } }
local loss = { { "loss", "Module", "loss(input, target)" } }
local reduction = "mean of all, their sum, or none: the losses one by one"
local options_wrong = "unknown options and values outside their range raise"
local fill = { { "x", "Tensor", "the tensor itself" } }
local fill_memory = "the tensor is changed in place; nothing is recorded"
local fill_errors = "dtypes of whole numbers and recorded results raise"
local glorot = "Glorot and Bengio, Understanding the difficulty of training deep feedforward "
  .. "neural networks (2010)"
local he = "He, Zhang, Ren and Sun, Delving deep into rectifiers (2015)"
local kaiming_args = {
  { "x", "Tensor", "two axes or more: [out x in x ...]" },
  { "a", "number|table?", "the negative slope, of leaky_relu only (0); from here on, a table of "
    .. "options by name will do" },
  { "mode", "string?", '"fan_in" keeps the size of what flows forward, "fan_out" of gradients' },
  { "nonlinearity", "string?",
    '"leaky_relu" (the default), "relu", "linear", "sigmoid" or "tanh"' },
}

local function to_fill(...)
  return { { "x", "Tensor", "a leaf, f32 or f64" }, ... }
end

return {
  nn = {
    "Neural networks: layers and losses by PyTorch's class names, functions in lower case "
      .. "(nn.relu, nn.cross_entropy), initialisers in nn.init.",
    call = "nn",
    example = [[
local model = nn.Sequential { nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3) }
local loss = nn.cross_entropy(model(mlpl.randn(5, 4)), mlpl.randint(1, 3, { 5 }))
loss:backward()]],
  },

  -- ---- layers ---------------------------------------------------------------------------

  ["nn.Linear"] = {
    "y = x W^T + b along the last axis. The weight is [out_features x in_features], the bias "
      .. "[out_features]; both begin uniform between -1/sqrt(in_features) and 1/sqrt(in_features).",
    args = {
      in_features = "size of the input's last axis", out_features = "size of the output's",
      bias = "whether there is a b",
    },
    returns = { { "layer", "Module", "with fields weight and bias" } },
    memory = "parameters in f32; layer:to \"f64\" converts them",
    errors = options_wrong .. "; an input whose last axis is not in_features raises",
    example = [[
local layer = nn.Linear(4, 3)
assert(layer(mlpl.ones(2, 4)).shape[2] == 3 and layer.weight.shape[1] == 3)]],
  },
  ["nn.ReLU"] = {
    "max(x, 0), element by element.",
    returns = module,
    example = "assert(nn.ReLU()(mlpl.tensor { -1, 2 }):sum():item() == 2)",
    source = "Nair and Hinton, Rectified linear units improve restricted Boltzmann machines (2010)",
  },
  ["nn.LeakyReLU"] = {
    "x for x > 0, negative_slope x otherwise.",
    args = { negative_slope = "the slope below zero" },
    returns = module,
    errors = options_wrong,
    example = "assert(nn.LeakyReLU(0.5)(mlpl.tensor { -2, 3 })[1]:item() == -1)",
    source = "Maas, Hannun and Ng, Rectifier nonlinearities improve neural network acoustic "
      .. "models (2013)",
  },
  ["nn.ELU"] = {
    "x for x > 0, alpha (exp(x) - 1) otherwise.",
    args = { alpha = "-alpha is what it goes to for very negative x" },
    returns = module,
    errors = options_wrong,
    example = "assert(nn.ELU()(mlpl.tensor { -100, 3 })[1]:item() == -1)",
    source = "Clevert, Unterthiner and Hochreiter, Fast and accurate deep network learning by "
      .. "exponential linear units (2016)",
  },
  ["nn.Sigmoid"] = {
    "1 / (1 + exp(-x)), from 0 to 1.",
    returns = module,
    example = "assert(nn.Sigmoid()(mlpl.zeros(1)):item() == 0.5)",
  },
  ["nn.Tanh"] = {
    "The hyperbolic tangent, from -1 to 1.",
    returns = module,
    example = "assert(nn.Tanh()(mlpl.zeros(1)):item() == 0)",
  },
  ["nn.Softmax"] = {
    "exp(x_i) / sum_j exp(x_j) along an axis: positive numbers that add up to 1.",
    args = { dim = "the axis along which they add up to 1" },
    returns = module,
    errors = "without dim it raises",
    example = "assert(nn.Softmax(-1)(mlpl.zeros(1, 4))[1][2]:item() == 0.25)",
    source = "Blanchard, Higham, Higham, Accurately computing the log-sum-exp and softmax "
      .. "functions (2021)",
  },
  ["nn.LogSoftmax"] = {
    "The logarithm of softmax, x_i - log sum_j exp(x_j), accurate where softmax is nearly 0.",
    args = { dim = "the axis along which the exponentials add up to 1" },
    returns = module,
    errors = "without dim it raises",
    example = "assert(nn.LogSoftmax(-1)(mlpl.zeros(1, 1)):item() == 0)",
    source = "Blanchard, Higham, Higham, Accurately computing the log-sum-exp and softmax "
      .. "functions (2021)",
  },
  ["nn.Flatten"] = {
    "Makes one axis of several; without options, all but the first, which are the examples.",
    args = { start_dim = "the first of them", end_dim = "the last" },
    returns = module,
    memory = "its output is a view, which shares memory with the input, where that is contiguous",
    errors = "an input without those axes raises",
    example = "assert(nn.Flatten()(mlpl.ones(2, 3, 4)).shape[2] == 12)",
  },
  ["nn.Dropout"] = {
    "In training, sets every element to 0 with probability p and multiplies the others by "
      .. "1 / (1 - p); in eval mode it changes nothing.",
    args = { p = "the probability of 0" },
    returns = module,
    errors = "a p outside 0 to 1 raises",
    example = "assert(nn.Dropout(0.5):eval()(mlpl.ones(3)):sum():item() == 3)",
    source = "Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, Dropout: a simple way "
      .. "to prevent neural networks from overfitting (2014)",
  },
  ["nn.Sequential"] = {
    "A model of layers in a row: the output of each is the input of the next. A function stands "
      .. "for a layer without parameters. model[i] is layer i (-1 the last), #model their number.",
    call = "nn.Sequential { layer, ... }",
    args = {
      { "layers", "table|Module|function", "an array of layers, or the first of them" },
      { "...", "Module|function?", "the other layers" },
    },
    returns = { { "model", "Module" } },
    memory = "holds its layers; one may stand in it twice, and is then shared",
    errors = "entries that are no layers raise; a model with functions cannot be saved",
    example = [[
local model = nn.Sequential { nn.Linear(4, 8), function(x) return x:sin() end, nn.Linear(8, 1) }
assert(#model == 3 and model(mlpl.ones(2, 4)).shape[2] == 1)]],
  },

  -- ---- losses ---------------------------------------------------------------------------

  ["nn.CrossEntropyLoss"] = {
    "-log softmax(input)[target] in nats, by rows: the loss of classification. The target holds labels "
      .. "(i64, from 1), or in the input's shape a share for every class. With "
      .. "weight the mean divides by the sum of the targets' weights.",
    args = {
      reduction = reduction, ignore_index = "rows with this label are left out",
      label_smoothing = "this share of the target is spread over all classes",
      weight = "[classes], a weight for each class",
    },
    returns = { { "loss", "Module", "loss(input, target), input [n x classes] or [n x classes x "
      .. "...] without softmax" } },
    errors = "shapes that do not fit raise, and a label that is no class, with its row",
    example = [[
local loss = nn.CrossEntropyLoss { label_smoothing = 0.1, weight = mlpl.tensor { 1, 2, 1 } }
assert(loss(mlpl.randn(4, 3), mlpl.randint(1, 3, { 4 })):item() > 0)]],
    source = "Szegedy, Vanhoucke, Ioffe, Shlens and Wojna, Rethinking the Inception architecture "
      .. "(2016), for label_smoothing",
  },
  ["nn.MSELoss"] = {
    "(input - target)^2, the loss of regression.",
    args = { reduction = reduction },
    returns = loss,
    errors = "shapes that do not fit raise",
    example = "assert(nn.MSELoss()(mlpl.ones(2, 1), mlpl.zeros(2, 1)):item() == 1)",
    source = "Gauss, Theoria motus corporum coelestium (1809)",
  },
  ["nn.NLLLoss"] = {
    "-input[target], the loss of classification where the input holds logarithms of "
      .. "probabilities (nn.LogSoftmax).",
    args = { reduction = reduction, ignore_index = "rows with this label are left out",
      weight = "[classes], a weight for each class" },
    returns = loss,
    errors = "shapes that do not fit raise",
    example = "assert(nn.NLLLoss()(-mlpl.ones(2, 3), mlpl.randint(1, 3, { 2 })):item() == 1)",
    source = "Fisher, On the mathematical foundations of theoretical statistics (1922)",
  },
  ["nn.L1Loss"] = {
    "|input - target|: a loss of regression that forgives outliers.",
    args = { reduction = reduction },
    returns = loss,
    errors = "shapes that do not fit raise",
    example = "assert(nn.L1Loss()(mlpl.ones(2, 1), mlpl.zeros(2, 1)):item() == 1)",
    source = "Bloomfield, Steiger, Least absolute deviations (1983)",
  },
  ["nn.SmoothL1Loss"] = {
    "Like nn.MSELoss near 0, like nn.L1Loss far from it: see nn.smooth_l1_loss.",
    args = { reduction = reduction, beta = "where the parabola ends" },
    returns = loss,
    errors = "shapes that do not fit raise",
    example = "assert(nn.SmoothL1Loss()(mlpl.ones(2, 1), mlpl.zeros(2, 1)):item() == 0.5)",
    source = "Girshick, Fast R-CNN (2015)",
  },
  ["nn.HuberLoss"] = {
    "delta times nn.SmoothL1Loss with beta = delta: see nn.huber_loss.",
    args = { reduction = reduction, delta = "where the parabola ends" },
    returns = loss,
    errors = "shapes that do not fit raise",
    example = "assert(nn.HuberLoss()(mlpl.ones(2, 1), mlpl.zeros(2, 1)):item() == 0.5)",
    source = "Huber, Robust estimation of a location parameter (1964)",
  },
  ["nn.KLDivLoss"] = {
    "target (log target - input), the divergence of two distributions: see nn.kl_div.",
    args = { reduction = reduction,
      log_target = "the target holds logarithms, too" },
    returns = loss,
    errors = "shapes that do not fit raise",
    example = [[
local p = mlpl.tensor { { 0.5, 0.5 } }
assert(nn.KLDivLoss { reduction = "batchmean" }(p:log(), p):item() == 0)]],
    source = "Kullback and Leibler, On information and sufficiency (1951)",
  },
  ["nn.PoissonNLLLoss"] = {
    "e^input - target input: the loss of counts. See nn.poisson_nll_loss.",
    args = { reduction = reduction, log_input = "the input holds logarithms of rates",
      full = "adds Stirling's log target!", eps = "keeps the logarithm of a rate finite" },
    returns = loss,
    errors = "shapes that do not fit raise",
    example = "assert(nn.PoissonNLLLoss()(mlpl.zeros(2), mlpl.ones(2)):item() == 1)",
    source = "Nelder, Wedderburn, Generalized linear models (1972)",
  },
  ["nn.SoftMarginLoss"] = {
    "log(1 + e^(-target input)) for targets 1 and -1.",
    args = { reduction = reduction },
    returns = loss,
    errors = "shapes that do not fit raise",
    example = "assert(nn.SoftMarginLoss()(mlpl.zeros(2), mlpl.ones(2)):item() > 0.69)",
    source = "Cox, The regression analysis of binary sequences (1958)",
  },
  ["nn.HingeEmbeddingLoss"] = {
    "The input where the target is 1, max(0, margin - input) where it is -1.",
    args = { reduction = reduction,
      margin = "from where on a distance is enough" },
    returns = loss,
    errors = "shapes that do not fit raise",
    example = "assert(nn.HingeEmbeddingLoss()(mlpl.ones(2), mlpl.ones(2)):item() == 1)",
    source = "Cortes, Vapnik, Support-vector networks (1995), for the margin",
  },
  ["nn.BCELoss"] = {
    "-(y log x + (1 - y) log(1 - x)), the loss of yes or no where the input is a probability. "
      .. "nn.BCEWithLogitsLoss is more accurate.",
    args = { reduction = reduction,
      weight = "multiplies the losses; it broadcasts to the input" },
    returns = loss,
    errors = "shapes that do not fit raise",
    example = "assert(nn.BCELoss()(mlpl.full({ 2 }, 0.5), mlpl.ones(2)):item() > 0.69)",
    source = "Good, Rational decisions (1952), for the logarithmic loss",
  },
  ["nn.BCEWithLogitsLoss"] = {
    "-(p y log s(x) + (1 - y) log(1 - s(x))), where s is the sigmoid and p is pos_weight (1): "
      .. "the loss of yes or no, accurate for large x.",
    args = { reduction = reduction, weight = "multiplies the losses; broadcasts",
      pos_weight = "p, multiplies the losses of the target 1; broadcasts" },
    returns = { { "loss", "Module", "loss(input, target), input without sigmoid, target 0 to 1" } },
    errors = "shapes that do not fit raise",
    example = [[
local loss = nn.BCEWithLogitsLoss { pos_weight = mlpl.tensor { 3 } }
assert(loss(mlpl.zeros(4, 1), mlpl.zeros(4, 1)):item() > 0.69)]],
    source = "Good, Rational decisions (1952), for the logarithmic loss",
  },

  -- ---- functions ------------------------------------------------------------------------

  ["nn.unfold"] = {
    "Every patch of an image as a column, in the order of a convolution's results: im2col. A "
      .. "tensor's own unfold makes windows along one axis.",
    call = "nn.unfold(input, kernel_size, dilation, padding, stride)",
    args = {
      { "input", "Tensor", "[n x c x height x width], or without n" },
      { "kernel_size", "integer|table", "the patch: a number or one for each axis" },
      { "dilation", "integer|table?", "steps inside the patch; 1" },
      { "padding", "integer|table?", "zeros on each side; 0" },
      { "stride", "integer|table?", "steps from patch to patch; 1" },
    },
    returns = { { "columns", "Tensor", "[n x c kh kw x patches]" } },
    errors = "a patch larger than the padded image raises",
    example = "assert(nn.unfold(mlpl.ones(1, 3, 4, 4), 2, { stride = 2 }).shape[2] == 12)",
  },
  ["nn.fold"] = {
    "Columns of patches back to an image, where they overlap their sum: col2im, the adjoint of "
      .. "nn.unfold.",
    call = "nn.fold(input, output_size, kernel_size, dilation, padding, stride)",
    args = {
      { "input", "Tensor", "[n x c kh kw x patches], or without n" },
      { "output_size", "integer|table", "the image's: a number or one for each axis" },
      { "kernel_size", "integer|table", "the patch" },
      { "dilation", "integer|table?", "steps inside the patch; 1" },
      { "padding", "integer|table?", "zeros on each side; 0" },
      { "stride", "integer|table?", "steps from patch to patch; 1" },
    },
    returns = { { "image", "Tensor", "[n x c x height x width]" } },
    errors = "columns that are not whole patches, or another number than the image has, raise",
    example = [[
local columns = nn.unfold(mlpl.ones(1, 4, 4), 2, { stride = 2 })
assert(nn.fold(columns, 4, 2, { stride = 2 }):sum():item() == 16)]],
  },
  ["nn.load"] = {
    "Reads a model that model:save wrote. No code in a file is ever run.",
    call = "nn.load(path)",
    args = { { "path", "string", "of a safetensors file" } },
    returns = {
      { "model", "Module?", "nil where the file is at fault" },
      { "message", "string?", "what is wrong then" },
      { "code", "string?", '"EIO" (cannot be read) or "EFORMAT" (not what it should be)' },
    },
    errors = "a file at fault gives nil, message, code",
    example = [[
local path = os.tmpname()
nn.Sequential { nn.Linear(2, 1) }:save(path)
local model = assert(nn.load(path))
os.remove(path)
assert(#model:parameters() == 2)]],
  },
  ["nn.checkpoint"] = {
    "module(x) without keeping what its backward pass needs: the module runs once more when its "
      .. "gradient is due, with the same random numbers. Memory for time; gradients are the same "
      .. "bits.",
    call = "nn.checkpoint(module, input)",
    args = { { "module", "Module", "a part of a model" }, { "input", "Tensor" } },
    returns = { { "y", "Tensor" } },
    memory = "keeps the input, and nothing inside the module",
    errors = "backward passes through it with create_graph or a list of inputs raise",
    example = [[
local part = nn.Sequential { nn.Linear(4, 4), nn.Tanh() }
nn.checkpoint(part, mlpl.ones(2, 4)):sum():backward()
assert(part[1].weight.grad)]],
    source = "Chen, Xu, Zhang and Guestrin, Training deep nets with sublinear memory cost (2016)",
  },

  -- ---- initialisers ---------------------------------------------------------------------

  ["nn.init"] = {
    "Initialisers: they fill a tensor in place and give it back. Parameters may be filled "
      .. "although they require a gradient.",
    call = "nn.init",
    example = "local layer = nn.Linear(4, 3)\nnn.init.zeros_(layer.bias)",
  },
  ["nn.init.zeros_"] = {
    "Fills a tensor with zeros.",
    call = "nn.init.zeros_(x)",
    args = to_fill(), returns = fill, memory = fill_memory, errors = fill_errors,
    example = "assert(nn.init.zeros_(mlpl.ones(3)):sum():item() == 0)",
  },
  ["nn.init.ones_"] = {
    "Fills a tensor with ones.",
    call = "nn.init.ones_(x)",
    args = to_fill(), returns = fill, memory = fill_memory, errors = fill_errors,
    example = "assert(nn.init.ones_(mlpl.zeros(3)):sum():item() == 3)",
  },
  ["nn.init.constant_"] = {
    "Fills a tensor with one value.",
    call = "nn.init.constant_(x, value)",
    args = to_fill { "value", "number", "of every element" },
    returns = fill, memory = fill_memory, errors = fill_errors,
    example = "assert(nn.init.constant_(mlpl.zeros(3), 2):sum():item() == 6)",
  },
  ["nn.init.uniform_"] = {
    "Fills a tensor with random numbers, uniform from a to b.",
    call = "nn.init.uniform_(x, [a, [b]])",
    args = to_fill({ "a", "number|table?", "the lower bound (0); or a table with a and b" },
      { "b", "number?", "the upper bound (1)" }),
    returns = fill, memory = fill_memory,
    errors = "an a above b raises; " .. fill_errors,
    example = "assert(nn.init.uniform_(mlpl.zeros(9), -1, 0):max():item() <= 0)",
  },
  ["nn.init.normal_"] = {
    "Fills a tensor with random numbers of the normal distribution.",
    call = "nn.init.normal_(x, [mean, [std]])",
    args = to_fill({ "mean", "number|table?", "0; or a table with mean and std" },
      { "std", "number?", "the standard deviation (1)" }),
    returns = fill, memory = fill_memory,
    errors = "a negative std raises; " .. fill_errors,
    example = "local w = nn.init.normal_(nn.Linear(4, 3).weight, 0, 0.02)",
  },
  ["nn.init.xavier_uniform_"] = {
    "Uniform between -b and b, b = gain sqrt(6 / (fan_in + fan_out)): for sigmoid and tanh. For a "
      .. "weight [out x in x ...], fan_in is in times the sizes of further axes, fan_out likewise.",
    call = "nn.init.xavier_uniform_(x, [gain])",
    args = { { "x", "Tensor", "two axes or more" }, { "gain", "number|table?",
      "what the deviation is multiplied by, 1; by name: { gain = 5 / 3 } suits tanh" } },
    returns = fill, memory = fill_memory,
    errors = "fewer than two axes raise; " .. fill_errors,
    example = "nn.init.xavier_uniform_(nn.Linear(4, 3).weight)",
    source = glorot,
  },
  ["nn.init.xavier_normal_"] = {
    "Normal with standard deviation gain sqrt(2 / (fan_in + fan_out)): for sigmoid and tanh. For a "
      .. "weight [out x in x ...], fan_in is in times the sizes of further axes, fan_out likewise.",
    call = "nn.init.xavier_normal_(x, [gain])",
    args = { { "x", "Tensor", "two axes or more" }, { "gain", "number|table?",
      "what the deviation is multiplied by, 1; by name: { gain = 5 / 3 } suits tanh" } },
    returns = fill, memory = fill_memory,
    errors = "fewer than two axes raise; " .. fill_errors,
    example = "nn.init.xavier_normal_(nn.Linear(4, 3).weight, { gain = 5 / 3 })",
    source = glorot,
  },
  ["nn.init.kaiming_uniform_"] = {
    "Uniform between -b and b, b = gain sqrt(3 / fan): for rectifiers. The gain is sqrt(2) for "
      .. "relu, sqrt(2 / (1 + a^2)) for leaky_relu, 5/3 for tanh, 1 otherwise.",
    call = "nn.init.kaiming_uniform_(x, [a, [mode, [nonlinearity]]])",
    args = kaiming_args,
    returns = fill, memory = fill_memory,
    errors = "fewer than two axes raise; " .. fill_errors,
    example = 'nn.init.kaiming_uniform_(nn.Linear(4, 3).weight, { nonlinearity = "relu" })',
    source = he,
  },
  ["nn.init.kaiming_normal_"] = {
    "Normal with standard deviation gain / sqrt(fan): for rectifiers. The gain is sqrt(2) for "
      .. "relu, sqrt(2 / (1 + a^2)) for leaky_relu, 5/3 for tanh, 1 otherwise.",
    call = "nn.init.kaiming_normal_(x, [a, [mode, [nonlinearity]]])",
    args = kaiming_args,
    returns = fill, memory = fill_memory,
    errors = "fewer than two axes raise; " .. fill_errors,
    example = 'nn.init.kaiming_normal_(nn.Linear(4, 3).weight, { mode = "fan_out" })',
    source = he,
  },

  -- ---- models ---------------------------------------------------------------------------

  Module = {
    "A layer, a model or a loss. model(x) runs it, loss(x, y) a loss; model[i] is layer i, #model "
      .. "the number of layers, tostring(model) tells what it is made of.",
    call = "module(x, ...)",
    args = { { "x", "Tensor", "the input" }, { "...", "Tensor?", "of a loss: the target" } },
    returns = { { "y", "Tensor" } },
    fields = {
      { "training", "boolean", "the mode: true in training" },
      { "weight", "Tensor", "of a layer that has one: a parameter" },
      { "bias", "Tensor?", "of a layer that has one; nil where an option left it out" },
    },
    memory = "holds its parameters; a parameter is the same tensor for life",
    errors = "shapes that do not fit raise",
    example = [[
local model = nn.Sequential { nn.Linear(4, 3), nn.ReLU() }
assert(model(mlpl.ones(2, 4)).shape[2] == 3 and model[1].bias.shape[1] == 3)]],
  },
  ["Module.forward"] = {
    "The same as model(x).",
    call = "model:forward(input, [target])",
    args = { { "input", "Tensor" }, { "target", "Tensor?", "of a loss" } },
    returns = { { "y", "Tensor" } },
    errors = "shapes that do not fit raise",
    example = "assert(nn.ReLU():forward(mlpl.ones(2)):sum():item() == 2)",
  },
  ["Module.predict"] = {
    "model(x) in eval mode and without recording; the mode is as before afterwards.",
    call = "model:predict(input)",
    args = { { "input", "Tensor" } },
    returns = { { "y", "Tensor", "without a gradient" } },
    errors = "shapes that do not fit raise",
    example = "assert(not nn.Linear(2, 1):predict(mlpl.ones(3, 2)).requires_grad)",
  },
  ["Module.train"] = {
    "Sets the mode of the model and all layers in it: in training, Dropout drops.",
    call = "model:train([on])",
    args = { { "on", "boolean?", "true where it is left out" } },
    returns = { { "model", "Module", "the model itself" } },
    example = "assert(nn.Dropout():train().training)",
  },
  ["Module.eval"] = {
    "Ends training mode for the model and all layers in it, as train(false) does.",
    call = "model:eval()",
    returns = { { "model", "Module", "the model itself" } },
    example = "assert(not nn.Dropout():eval().training)",
  },
  ["Module.parameters"] = {
    "The parameters of the model in an array, each once: what optimizers take.",
    call = "model:parameters()",
    returns = { { "parameters", "Tensor[]" } },
    memory = "the parameters themselves; the array is new",
    example = "assert(#nn.Linear(4, 3):parameters() == 2)",
  },
  ["Module.named_parameters"] = {
    "Goes through the parameters with their names, for a generic for. Names are PyTorch's: "
      .. '"0.weight" is the weight of the first layer.',
    call = "model:named_parameters()",
    returns = { { "next", "function", "gives a name and a tensor, nil at the end" } },
    example = [[
for name, w in nn.Sequential { nn.Linear(4, 3) }:named_parameters() do
  assert(name:match "^0%.%l+$" and w.requires_grad)
end]],
  },
  ["Module.zero_grad"] = {
    "Drops the gradients of all parameters: grad is nil afterwards.",
    call = "model:zero_grad()",
    example = [[
local model = nn.Linear(2, 1)
model(mlpl.ones(1, 2)):sum():backward()
model:zero_grad()
assert(model.weight.grad == nil)]],
  },
  ["Module.to"] = {
    "Converts all parameters to another dtype, in place: they stay the same tensors.",
    call = "model:to(dtype)",
    args = { { "dtype", "string", '"f32" or "f64"' } },
    returns = { { "model", "Module", "the model itself" } },
    memory = "gradients are dropped; an optimizer may go on",
    errors = "another dtype raises",
    example = 'assert(nn.Linear(2, 1):to("f64").weight.dtype == "f64")',
  },
  ["Module.save"] = {
    "Writes the model into a safetensors file: parameters under PyTorch's names, kinds of layers "
      .. "and options beside them. The old file is replaced as a whole, or not at all.",
    call = "model:save(path)",
    args = { { "path", "string", "of the file" } },
    errors = "whatever keeps the file from being written raises, and so does a model with layers "
      .. "that are Lua functions",
    example = [[
local path = os.tmpname()
nn.Sequential { nn.Linear(2, 1) }:save(path)
assert(nn.load(path))
os.remove(path)]],
  },
  ["Module.release"] = {
    "Lets go of the model now, not when the collector comes by; what an optimizer or another "
      .. "model holds stays. A variable marked <close> does the same at the end of its block.",
    call = "model:release()",
    errors = "using the model afterwards raises",
    example = "local model = nn.Linear(2, 1)\nmodel:release()",
  },
}
