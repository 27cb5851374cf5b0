-- Every function and method of the library with every odd value in every place, under a
-- cap on memory: a result, or an error that is a sentence for users. What there is to
-- call is found in the live tables, so what is new is tried, too; how something is called
-- in earnest is told below, as far as it matters.

local lu = require "luaunit"
local mlpl = require "mlpl"
local odd = require "odd"

local nn, optim, data = mlpl.nn, mlpl.optim, mlpl.data

local LIMIT = 64 << 20

-- ---- what is called, and how ----------------------------------------------------------

-- Words in the texts below, made anew for every call.
local made = {
  x = function() return mlpl.arange(6):reshape(2, 3) end,
  g = function() return (mlpl.ones(2, 3, { requires_grad = true }) * 2):sum() end,
  w = function() return mlpl.ones(4, 3) end,
  condition = function()
    return mlpl.tensor { { true, false, true }, { false, false, true } }
  end,
  image = function() return mlpl.ones(2, 3, 3) end,
  kernel = function() return mlpl.ones(2, 2, 2, 2) end,
  labels = function() return mlpl.tensor({ 1, 3 }, { dtype = "i64" }) end,
  mask = function() return mlpl.tensor { true, false, true } end,
  model = function()
    return nn.Sequential { nn.Linear(3, 3), nn.Dropout(), function(x) return x end }
  end,
  linear = function() return nn.Linear(3, 3) end,
  loss = function() return nn.CrossEntropyLoss() end,
  parameters = function() return nn.Linear(3, 3):parameters() end,
  opt = function() return optim.Adam(nn.Linear(3, 3):parameters()) end,
  ds = function()
    local y = mlpl.tensor({ 1, 2 }, { dtype = "i64" })
    return data.TensorDataset(mlpl.ones(2, 3), y, { classes = { "a", "b" } })
  end,
  f = function() return function(...) return ... end end,
  a = function() return mlpl.tensor { { 4, 1 }, { 1, 3 } } end,
}

local words = setmetatable({}, { __index = function(_, name)
  local make = made[name] or error("what is " .. name .. "?")
  return make()
end })

local as_in_earnest = {
  ["mlpl.tensor"] = "{ { 1, 2 } }, { dtype = 'f32' }",
  ["mlpl.zeros"] = "2, 3",
  ["mlpl.ones"] = "{ 2, 3 }",
  ["mlpl.full"] = "{ 2 }, 7",
  ["mlpl.arange"] = "1, 5, 2",
  ["mlpl.rand"] = "2, 3",
  ["mlpl.randn"] = "2, 3",
  ["mlpl.randint"] = "1, 6, { 3 }",
  ["mlpl.unravel_index"] = "labels, { 2, 3 }",
  ["mlpl.normal"] = "x, x",
  ["tensor:new_zeros"] = "x, 2, 3",
  ["tensor:new_ones"] = "x, 2, 3",
  ["tensor:new_full"] = "x, { 2 }, 7",
  ["tensor:tensor_split"] = "x, { 1, 2 }, 1",
  ["tensor:hsplit"] = "x, 2",
  ["tensor:vsplit"] = "x, 2",
  ["tensor:dsplit"] = "image, 2",
  ["tensor:stride"] = "x, 1",
  ["tensor:type_as"] = "x, x",
  ["mlpl.concat"] = "{ x, x }, 1",
  ["tensor:clip"] = "x, 0, 1",
  ["tensor:clip_"] = "x, 0, 1",
  ["tensor:moveaxis"] = "x, 1, 2",
  ["tensor:swapdims"] = "x, 1, 2",
  ["tensor:broadcast_to"] = "x, 2, 3",
  ["mlpl.cat"] = "{ x, x }, 1",
  ["mlpl.stack"] = "{ x, x }, 1",
  ["mlpl.hstack"] = "{ x, x }",
  ["mlpl.vstack"] = "{ x, x }",
  ["mlpl.eye"] = "2, 3",
  ["mlpl.linspace"] = "0, 1, 5",
  ["mlpl.logspace"] = "0, 1, 5, 2",
  ["mlpl.tril_indices"] = "3, 3, 0",
  ["mlpl.triu_indices"] = "3, 3, 0",
  ["mlpl.meshgrid"] = "mask, mask",
  ["mlpl.empty"] = "2, 3",
  ["mlpl.full_like"] = "x, 7",
  ["mlpl.nn.pad"] = "x, { 1, 1 }, 'reflect', 0",
  ["mlpl.nn.one_hot"] = "labels, 3",
  ["tensor:view"] = "x, 3, 2",
  ["tensor:permute"] = "x, 2, 1",
  ["tensor:movedim"] = "x, 1, 2",
  ["tensor:swapaxes"] = "x, 1, 2",
  ["tensor:squeeze"] = "x, 1",
  ["tensor:unsqueeze"] = "x, 1",
  ["tensor:unflatten"] = "x, 2, { 3, 1 }",
  ["tensor:view_as"] = "x, x",
  ["tensor:reshape_as"] = "x, x",
  ["tensor:expand_as"] = "x, x",
  ["tensor:diagonal"] = "x, 1, 1, 2",
  ["tensor:unfold"] = "x, 2, 2, 1",
  ["tensor:split"] = "x, { 1, 1 }, 1",
  ["tensor:chunk"] = "x, 2, 1",
  ["tensor:unbind"] = "x, 1",
  ["tensor:index_select"] = "x, 2, labels",
  ["tensor:index_add"] = "x, 2, labels, x:narrow(2, 1, 2), 1",
  ["tensor:index_copy"] = "x, 2, labels, x:narrow(2, 1, 2)",
  ["tensor:index_fill"] = "x, 2, labels, 7",
  ["tensor:take"] = "x, labels",
  ["tensor:masked_select"] = "x, mask",
  ["tensor:masked_scatter"] = "x, mask, x",
  ["tensor:gather"] = "x, 2, labels:reshape(2, 1)",
  ["tensor:scatter"] = "x, 2, labels:reshape(2, 1), 7",
  ["tensor:scatter_add"] = "x, 2, labels:reshape(2, 1), x",
  ["tensor:take_along_dim"] = "x, labels:reshape(2, 1), 2",
  ["tensor:one_hot"] = "labels, 3",
  ["tensor:tile"] = "x, 2, 2",
  ["tensor:repeat_interleave"] = "x, 2, 1",
  ["tensor:flip"] = "x, 1",
  ["tensor:roll"] = "x, 1, 2",
  ["tensor:rot90"] = "x, 1, { 1, 2 }",
  ["tensor:diag_embed"] = "x, 0, 1, 2",
  ["tensor:pad"] = "x, { 1, 1 }, 'constant', 0",
  ["mlpl.no_grad"] = "f, 1",
  ["mlpl.enable_grad"] = "f, 1",
  ["mlpl.set_grad_enabled"] = "true",
  ["mlpl.detect_anomaly"] = "f, 1",
  ["mlpl.Generator"] = "7",
  ["mlpl.set_rng_state"] = "state",
  ["mlpl.get_rng_state"] = "",
  ["mlpl.randperm"] = "5",
  ["mlpl.multinomial"] = "x, 2, true",
  ["mlpl.randint_like"] = "x, 1, 6",
  ["mlpl.autograd.grad"] = "(function(x) return (x * 2):sum(), { x } end)(leaf)",
  ["mlpl.autograd.jacobian"] = "square, leaf",
  ["mlpl.autograd.hessian"] = "total, leaf",
  ["mlpl.autograd.vjp"] = "square, leaf, leaf",
  ["mlpl.autograd.jvp"] = "square, leaf, leaf",
  ["mlpl.autograd.hvp"] = "total, leaf, leaf",
  ["mlpl.autograd.gradcheck"] = "square, leaf",
  ["mlpl.autograd.gradgradcheck"] = "square, leaf",
  ["mlpl.autograd.numeric_grad"] = "total, leaf",
  ["mlpl.autograd.Function"] = "{ forward = f, backward = f }",
  ["mlpl.threads"] = "2",
  ["mlpl.terminal"] = "1",
  ["mlpl.train_step"] = "linear, loss, opt",
  ["mlpl.metrics.accuracy"] = "x, labels",
  ["mlpl.nn.Linear"] = "3, 2, true",
  ["mlpl.nn.Softmax"] = "1",
  ["mlpl.nn.LogSoftmax"] = "1",
  ["mlpl.nn.Flatten"] = "1, 2",
  ["mlpl.nn.Dropout"] = "0.5",
  ["mlpl.nn.Sequential"] = "linear, linear",
  ["mlpl.nn.linear"] = "x, w, nil",
  ["mlpl.nn.cross_entropy"] = "x, labels, nil, 'sum'",
  ["mlpl.nn.mse_loss"] = "x, x, 'sum'",
  ["mlpl.nn.binary_cross_entropy_with_logits"] = "x, x, nil, nil, 'sum'",
  ["mlpl.nn.softmax"] = "x, 1",
  ["mlpl.nn.log_softmax"] = "x, 1",
  ["mlpl.nn.dropout"] = "x, 0.5, true",
  ["mlpl.nn.CrossEntropyLoss"] = "'mean', 1, 0.1",
  ["mlpl.nn.load"] = "'no_such_file'",
  ["mlpl.nn.init.constant_"] = "x, 1",
  ["mlpl.nn.init.uniform_"] = "x, 0, 1",
  ["mlpl.nn.init.normal_"] = "x, 0, 1",
  ["mlpl.nn.init.kaiming_uniform_"] = "x, 0, 'fan_in', 'relu'",
  ["mlpl.linalg.cholesky"] = "a, true",
  ["mlpl.linalg.solve"] = "a, a, true",
  ["mlpl.linalg.triangular_solve"] = "a, a, true, true, false",
  ["mlpl.linalg.solve_triangular"] = "a, a, true",
  ["mlpl.linalg.inv"] = "a",
  ["mlpl.linalg.det"] = "a",
  ["mlpl.linalg.slogdet"] = "a",
  ["mlpl.linalg.logdet"] = "a",
  ["mlpl.linalg.qr"] = "a, 'complete'",
  ["mlpl.linalg.eigh"] = "a, 'U'",
  ["mlpl.linalg.eigvalsh"] = "a, 'U'",
  ["mlpl.linalg.svd"] = "a, true",
  ["mlpl.linalg.svdvals"] = "a",
  ["mlpl.linalg.pinv"] = "a, 0.1, 0.1",
  ["mlpl.linalg.lstsq"] = "a, a, 0.1",
  ["mlpl.linalg.matrix_rank"] = "a, 0.1, 0.1",
  ["mlpl.linalg.norm"] = "a, 2, 1, true",
  ["mlpl.linalg.vector_norm"] = "a, 2, 1, true",
  ["mlpl.linalg.matrix_norm"] = "a, 'nuc', true",
  ["mlpl.linalg.cond"] = "a, 1",
  ["mlpl.linalg.matrix_power"] = "a, 3",
  ["mlpl.optim.SGD"] = "parameters, 0.1, 0.9",
  ["mlpl.optim.Adam"] = "parameters, 0.1, { 0.9, 0.99 }",
  ["mlpl.data.csv"] = "'examples/data/README.md'",
  ["mlpl.data.idx"] = "'no_such_file', 'no_such_file'",
  ["mlpl.data.npy"] = "'no_such_file'",
  ["mlpl.load"] = "'no_such_file.npz'",
  ["mlpl.save"] = "'no_such_folder/x.npz', { x = x }, { compressed = true }",
  ["mlpl.data.TensorDataset"] = "x, labels",
  ["tensor:sum"] = "x, 1, true",
  ["tensor:mean"] = "x, 1, true",
  ["tensor:max"] = "x, 1, true",
  ["tensor:argmax"] = "x, 1, true",
  ["tensor:min"] = "x, 1, true",
  ["tensor:argmin"] = "x, 1, true",
  ["tensor:amax"] = "x, { 1, 2 }, true",
  ["tensor:amin"] = "x, { 1, 2 }, true",
  ["tensor:any"] = "x, 1, true",
  ["tensor:all"] = "x, 1, true",
  ["tensor:count_nonzero"] = "x, { 1, 2 }",
  ["tensor:prod"] = "x, 1, true",
  ["tensor:var"] = "x, 1, true, false, 1",
  ["tensor:std"] = "x, 1, true, false, 1",
  ["tensor:norm"] = "x, 2, 1, true",
  ["tensor:logsumexp"] = "x, 1, true",
  ["tensor:cumsum"] = "x, 1",
  ["tensor:cumprod"] = "x, 1",
  ["tensor:logcumsumexp"] = "x, 1",
  ["tensor:cummax"] = "x, 1",
  ["tensor:cummin"] = "x, 1",
  ["tensor:diff"] = "x, 1, 2",
  ["tensor:sort"] = "x, 1, true",
  ["tensor:argsort"] = "x, 1, true",
  ["tensor:topk"] = "x, 1, 2, true, true",
  ["tensor:kthvalue"] = "x, 1, 2, true",
  ["tensor:median"] = "x, 1, true",
  ["mlpl.linalg.lu_solve"] = "a, labels[{ { 1, 1 } }]:expand(2), a",
  ["mlpl.linalg.lu"] = "a",
  ["mlpl.linalg.lu_factor"] = "a",
  ["tensor:bitwise_left_shift"] = "labels, labels",
  ["mlpl.linalg.multi_dot"] = "{ a, a, a }",
  ["mlpl.linalg.vecdot"] = "x, x, 1",
  ["mlpl.linalg.vander"] = "x, 3",
  ["mlpl.linalg.matrix_exp"] = "a",
  ["tensor:cholesky_solve"] = "a, a, true",
  ["tensor:cholesky_inverse"] = "a, true",
  ["tensor:pdist"] = "x, 1",
  ["tensor:dist"] = "x, x, 1",
  ["tensor:pairwise_distance"] = "x, x, 1, 0.1, true",
  ["tensor:cosine_similarity"] = "x, x, 1, 0.1",
  ["tensor:normalize"] = "x, 1, 1, 0.1",
  ["tensor:diagflat"] = "x, 1",
  ["mlpl.column_stack"] = "{ x, x }",
  ["mlpl.dstack"] = "{ x, x }",
  ["tensor:addmm_"] = "a, a, a",
  ["tensor:nanmedian"] = "x, 1, true",
  ["tensor:mode"] = "x, 1, true",
  ["tensor:nanquantile"] = "x, { 0.5, 1 }, 1, true, 'nearest'",
  ["tensor:cov"] = "x, { correction = 1, fweights = labels[{ { 1, 1 } }]:expand(3) }",
  ["tensor:index_reduce"] = "x, 2, labels, x:narrow(2, 1, 2), 'prod', true",
  ["tensor:index_reduce_"] = "x, 2, labels, x:narrow(2, 1, 2), 'amax', true",
  ["tensor:quantile"] = "x, { 0.5, 1 }, 1, true, 'nearest'",
  ["tensor:bincount"] = "labels, x[1], 3",
  ["tensor:histc"] = "x, 3, 0, 1",
  ["tensor:searchsorted"] = "x[1], x, true",
  ["tensor:unique"] = "x, true, true, true, 1",
  ["tensor:unique_consecutive"] = "x, true, true, 1",
  ["tensor:scatter_reduce"] = "x, 2, labels:reshape(2, 1), x, 'prod', true",
  ["tensor:scatter_reduce_"] = "x, 2, labels:reshape(2, 1), x, 'amax', true",
  ["tensor:matmul"] = "x, w:t()",
  ["tensor:linear"] = "x, w",
  ["mlpl.einsum"] = "'ij,kj->ik', x, w",
  ["mlpl.tensordot"] = "x, w, { { 2 }, { 2 } }",
  ["tensor:addmm"] = "w[1][1], x, w:t(), 1, 2",
  ["tensor:baddbmm"] = "image, image, image, 1, 2",
  ["tensor:mm"] = "x, w:t()",
  ["tensor:mv"] = "x, w[1]",
  ["tensor:bmm"] = "image, image",
  ["tensor:dot"] = "w[1], w[1]",
  ["tensor:outer"] = "w[1], w[1]",
  ["tensor:inner"] = "x, w",
  ["tensor:conv1d"] = "x, kernel[1], nil, 1, 'same', 1, 1",
  ["tensor:conv2d"] = "image, kernel, nil, { 1, 1 }, { 0, 0 }, 1, 1",
  ["tensor:conv_transpose1d"] = "x, kernel[1]:transpose(1, 2), nil, 1, 0, 0, 1, 1",
  ["tensor:conv_transpose2d"] = "image, kernel:transpose(1, 2), nil, 1, 0, 0, 1, 1",
  ["tensor:max_pool1d"] = "x, 2, 1, 0, 1, false, true",
  ["tensor:max_pool2d"] = "image, 2, { 1, 1 }, 0, 1, false, true",
  ["tensor:avg_pool1d"] = "x, 2, 1, 0, false, true",
  ["tensor:avg_pool2d"] = "image, 2, { 1, 1 }, 0, false, true, 1",
  ["tensor:adaptive_avg_pool1d"] = "x, 2",
  ["tensor:adaptive_avg_pool2d"] = "image, { 2, 2 }",
  ["tensor:adaptive_max_pool1d"] = "x, 2, true",
  ["tensor:adaptive_max_pool2d"] = "image, { 2, 2 }, true",
  ["tensor:im2col"] = "image, 2, 1, 1, { 1, 2 }",
  ["tensor:col2im"] = "x:t(), { 1, 2 }, { 1, 1 }",
  ["mlpl.nn.conv2d"] = "image, kernel, nil, 1, 'valid'",
  ["tensor:add"] = "x, x, 2",
  ["tensor:sub"] = "x, x, 2",
  ["tensor:rsub"] = "x, x, 2",
  ["mlpl.block_diag"] = "{ x, x }",
  ["mlpl.cartesian_prod"] = "{ mask, mask }",
  ["mlpl.broadcast_tensors"] = "x, mask",
  ["mlpl.atleast_3d"] = "x, mask",
  ["tensor:addmv"] = "x[1][1], x, w[1], 1, 2",
  ["tensor:addr"] = "x[1][1], w[1], w[2], 1, 2",
  ["tensor:addbmm"] = "x[1][1], image, image, 1, 2",
  ["tensor:cross"] = "x, x, 2",
  ["tensor:cdist"] = "x, w, 3",
  ["tensor:combinations"] = "mask, 2, true",
  ["tensor:gcd"] = "labels, labels",
  ["tensor:trapezoid"] = "x, x, 1, 2",
  ["tensor:isin"] = "x, x, true",
  ["tensor:bucketize"] = "x, x[1], true",
  ["tensor:var_mean"] = "x, 1, 0, true",
  ["tensor:nansum"] = "x, 1, true",
  ["tensor:clamp_min"] = "x, x",
  ["tensor:clamp_max"] = "x, 1",
  ["tensor:scatter_"] = "x, 2, labels:reshape(2, 1), 7",
  ["tensor:scatter_add_"] = "x, 2, labels:reshape(2, 1), x",
  ["tensor:index_add_"] = "x, 2, labels, x:narrow(2, 1, 2), 1",
  ["tensor:index_copy_"] = "x, 2, labels, x:narrow(2, 1, 2)",
  ["tensor:index_fill_"] = "x, 2, labels, 7",
  ["tensor:masked_scatter_"] = "x, mask, x",
  ["tensor:masked_fill_"] = "x, mask, 7",
  ["tensor:mul"] = "x, x",
  ["tensor:div"] = "x, x",
  ["tensor:pow"] = "x, x",
  ["mlpl.add"] = "x, x, { out = x }",
  ["mlpl.sum"] = "x, 1, { out = x }",
  ["mlpl.matmul"] = "x, w:t(), { out = x }",
  ["mlpl.floor_divide"] = "labels, labels",
  ["mlpl.bitwise_and"] = "labels, labels",
  ["mlpl.isclose"] = "x, x, 0.1, 0.1, true",
  ["tensor:allclose"] = "x, x, 0.1, 0.1, true",
  ["tensor:equal"] = "x, x",
  ["tensor:eq"] = "x, x",
  ["tensor:remainder"] = "labels, labels",
  ["tensor:maximum"] = "x, x",
  ["tensor:logical_xor"] = "x, x",
  ["tensor:add_"] = "x, x",
  ["tensor:pow_"] = "labels, labels",
  ["tensor:remainder_"] = "labels, labels",
  ["tensor:elu_"] = "x, 0.5",
  ["tensor:dropout_"] = "x, 0.5, true",
  ["tensor:fill_"] = "x, 1",
  ["tensor:copy_"] = "x, x",
  ["tensor:transpose"] = "x, 1, 2",
  ["tensor:reshape"] = "x, 3, 2",
  ["tensor:flatten"] = "x, 1, 2",
  ["tensor:narrow"] = "x, 1, 1, 1",
  ["tensor:select"] = "x, 1, 1",
  ["tensor:expand"] = "x, 2, 3",
  ["tensor:sum_to_size"] = "x, 1, 3",
  ["tensor:softmax"] = "x, 1",
  ["tensor:log_softmax"] = "x, 1",
  ["mlpl.where"] = "condition, x, x",
  ["tensor:where"] = "condition, x, x",
  ["tensor:masked_fill"] = "x, condition, 1",
  ["tensor:lerp"] = "x, x, 0.5",
  ["tensor:addcmul"] = "x, x, x, 2",
  ["tensor:addcdiv"] = "x, x, x, 2",
  ["tensor:clamp"] = "x, 0, 1",
  ["tensor:nan_to_num"] = "x, 0, 1, -1",
  ["tensor:polygamma"] = "x, 1",
  ["tensor:softplus"] = "x, 1, 20",
  ["tensor:hardtanh"] = "x, -1, 1",
  ["tensor:threshold"] = "x, 1, 2",
  ["tensor:prelu"] = "x, 0.25",
  ["tensor:glu"] = "x:t(), 1",
  ["tensor:gelu"] = "x, 'tanh'",
  ["mlpl.nn.threshold"] = "x, 1, 2",
  ["mlpl.nn.prelu"] = "x, 0.25",
  ["mlpl.nn.glu"] = "x:t(), 1",
  ["mlpl.nn.gelu"] = "x, 'tanh'",
  ["tensor:atan2"] = "x, x",
  ["tensor:hypot"] = "x, x",
  ["tensor:logaddexp"] = "x, x",
  ["tensor:xlogy"] = "x, x",
  ["tensor:heaviside"] = "x, x",
  ["tensor:copysign"] = "x, x",
  ["tensor:cross_entropy"] = "x, labels",
  ["tensor:mse_loss"] = "x, x",
  ["tensor:nll_loss"] = "x, labels",
  ["tensor:l1_loss"] = "x, x",
  ["tensor:smooth_l1_loss"] = "x, x, 'sum', 0.5",
  ["tensor:huber_loss"] = "x, x, 'none', 0.5",
  ["tensor:kl_div"] = "x, x, 'batchmean', true",
  ["tensor:poisson_nll_loss"] = "x, x, 'mean', true, true, 1e-8",
  ["tensor:soft_margin_loss"] = "x, x",
  ["tensor:hinge_embedding_loss"] = "x, x, 'sum', 0.5",
  ["tensor:margin_ranking_loss"] = "x, x, x, 'sum', 0.5",
  ["tensor:binary_cross_entropy"] = "x:sigmoid(), x:sigmoid()",
  ["tensor:binary_cross_entropy_with_logits"] = "x, x",
  ["tensor:dropout"] = "x, 0.5",
  ["tensor:to"] = "x, 'f64'",
  ["tensor:size"] = "x, 1",
  ["tensor:backward"] = "g, nil, true, false",
  ["tensor:register_hook"] = "leaf, f",
  ["tensor:bernoulli_"] = "x, 0.5",
  ["tensor:uniform_"] = "x, 0, 1",
  ["tensor:normal_"] = "x, 0, 1",
  ["tensor:exponential_"] = "x, 2",
  ["tensor:multinomial"] = "x, 2, true",
  ["generator:seed"] = "generator, 5",
  ["generator:manual_seed"] = "generator, 5",
  ["generator:set_state"] = "generator, state",
  ["generator:__index"] = "generator, 'seed'",
  ["generator:__newindex"] = "generator, 'seed', 1",
  ["tensor:requires_grad_"] = "x, true",
  ["tensor:__index"] = "x, 1",
  ["tensor:__newindex"] = "x, 'grad', nil",
  ["module:forward"] = "model, x",
  ["module:predict"] = "model, x",
  ["module:train"] = "model, true",
  ["module:to"] = "linear, 'f64'",
  ["module:save"] = "linear, ''",
  ["module:__call"] = "model, x",
  ["module:__index"] = "model, 1",
  ["module:__newindex"] = "model, 1, 1",
  ["optimizer:__index"] = "opt, 'lr'",
  ["optimizer:__newindex"] = "opt, 'lr', 0.1",
  ["dataset:split"] = "ds, 0.5, { shuffle = true }",
  ["dataset:batches"] = "ds, { size = 1 }",
  ["dataset:__index"] = "ds, 'x'",
  ["step:__call"] = "step, x, labels",
}

-- Made by name for the first argument of a type's methods.
local self_of = {
  tensor = "x", module = "model", optimizer = "opt", dataset = "ds", batches = "pass",
  step = "step", hook = "hook", generator = "generator",
}
made.leaf = function()
  return mlpl.tensor({ 0.5, 2 }, { dtype = "f64", requires_grad = true })
end
local function if_tensor(f)
  return function(x) return type(x) == "userdata" and x.sum and f(x) or nil end
end
made.square = function() return if_tensor(function(x) return x:exp() end) end
made.total = function() return if_tensor(function(x) return x:exp():sum() end) end
made.hook = function() return made.leaf():register_hook(made.f()) end
made.generator = function() return mlpl.Generator(3) end
made.state = function() return made.generator():state() end
made.pass = function() return (made.ds():batches()) end
made.step = function() return mlpl.train_step(made.linear(), made.loss(), made.opt()) end

-- These end the program or write to the terminal; they have tests of their own.
local left_out = {
  ["mlpl.args"] = true, ["mlpl.progress"] = true,
}

local function free_functions(into, title, t)
  for name, value in pairs(t) do
    local full = title .. "." .. tostring(name)
    local own = tostring(name):find "^_" or left_out[full]
    if type(value) == "function" and not own then
      into[#into + 1] = { full, value, as_in_earnest[full] or "x" }
    elseif type(value) == "table" and getmetatable(value) then
      free_functions(into, full, value)
    end
  end
end

local function methods(into, type_name, word)
  local meta = debug.getmetatable(words[word])
  local _, own = debug.getupvalue(meta.__index, 3)
  for _, t in ipairs { meta, own } do
    for name, value in pairs(t) do
      local full = type_name .. ":" .. name
      if type(value) == "function" then
        into[#into + 1] = { full, value, as_in_earnest[full] or word }
      end
    end
  end
end

local function everything()
  local list = {}
  mlpl._load_all()
  free_functions(list, "mlpl", mlpl)
  for type_name, word in pairs(self_of) do methods(list, type_name, word) end
  table.sort(list, function(a, b) return a[1] < b[1] end)
  return list
end

-- ---- one call -------------------------------------------------------------------------

local calls

local function describe(name, args)
  local shown = {}
  for i = 1, args.n do
    local text = type(args[i]) ~= "string" and tostring(args[i]) or args[i]:sub(1, 20)
    shown[i] = text:gsub("\n.*", "...")
  end
  return ("%s(%s)"):format(name, table.concat(shown, ", "))
end

local function check(name, f, args)
  mlpl.memory_limit(LIMIT)
  mlpl.threads(1)
  calls = calls + 1
  local ok, message = pcall(f, table.unpack(args, 1, args.n))
  local function fail(problem) lu.fail(describe(name, args) .. ": " .. problem) end
  mlpl.memory_limit(LIMIT)
  mlpl.detect_anomaly(false)
  if mlpl.memory().live > LIMIT then fail "takes memory beyond the limit" end
  if not mlpl.is_grad_enabled() and name ~= "mlpl.set_grad_enabled" then
    fail "leaves recording off"
  end
  mlpl.set_grad_enabled(true)
  if ok then return end
  if type(message) ~= "string" or message == "" or #message > 1000 then
    fail("the error is " .. tostring(message):sub(1, 200))
  end
  if odd.speaks_of_the_inside(message) then fail(message) end
end

local function arguments(text)
  local chunk = "local pack = ... return pack(" .. text .. ")"
  return assert(load(chunk, "=" .. text, "t", words))(table.pack)
end

local function each_odd(act)
  for _, value in ipairs(odd.values) do act(value[2]) end
end

-- The options that a function names when it is given one that does not exist.
local function options_of(f, text)
  local args = arguments(text)
  local list = {}
  for last = 1, args.n + 1 do                        -- some arguments, then the table
    local fresh = arguments(text)
    fresh[last], fresh.n = { no_such_option = 1 }, last
    local _, message = pcall(f, table.unpack(fresh, 1, last))
    local names = tostring(message):match "no_such_option'; the options are (.*)$"
    for name in (names or ""):gmatch "[%w_]+" do list[#list + 1] = { name, last } end
    if names then return list end
  end
  return list
end

-- ---- the sweep ------------------------------------------------------------------------

TestMisuse = {}

function TestMisuse:setUp()
  self.threads, calls = mlpl.threads(), 0
end

function TestMisuse:tearDown()
  mlpl.memory_limit(0)
  mlpl.threads(self.threads)
end

function TestMisuse:test_odd_values_in_every_place()
  for _, each in ipairs(everything()) do
    local name, f, text = table.unpack(each)
    local n = arguments(text).n
    check(name, f, arguments(text))
    check(name, f, { n = 0 })
    each_odd(function(make)
      for place = 1, n + 1 do                        -- one after the last as well
        local args = arguments(text)
        args[place], args.n = make(), math.max(args.n, place)
        check(name, f, args)
      end
      for count = 1, 3 do
        local args = { n = count }
        for i = 1, count do args[i] = make() end
        check(name, f, args)
      end
    end)
    for place = 2, n + 1 do                          -- the object itself
      local args = arguments(text)
      args[place], args.n = args[1], math.max(args.n, place)
      check(name, f, args)
    end
  end
  lu.assertTrue(calls > 20000, "only " .. calls .. " calls")
end

function TestMisuse:test_odd_values_for_every_option()
  local tried = 0
  for _, each in ipairs(everything()) do
    local name, f, text = table.unpack(each)
    for _, option in ipairs(options_of(f, text)) do
      tried = tried + 1
      each_odd(function(make)
        local args = arguments(text)
        args[option[2]], args.n = { [option[1]] = make() }, option[2]
        check(name .. " " .. option[1], f, args)
      end)
    end
    each_odd(function(make)                          -- as a name
      local key = make()
      if key == nil or key ~= key then return end
      local args = arguments(text)
      args.n = args.n + 1
      args[args.n] = { [key] = 1 }
      check(name, f, args)
    end)
  end
  lu.assertTrue(tried > 80, "only " .. tried .. " options")
end

function TestMisuse:test_every_index()
  local x = mlpl.arange(24):reshape(2, 3, 4)
  each_odd(function(make)
    for _, key in ipairs { { 1, 1 }, { {}, 1 }, { { 1, 1 }, { 1, 2 } } } do
      local i, j = make(), make()
      local keys = {
        { i }, { key[1], j }, { { i, 1 } }, { { 1, j } }, { { i, j } }, { i, a = j },
      }
      for _, k in ipairs(keys) do check("x[k]", function() return x[k] end, { n = 0 }) end
    end
  end)
end

function TestMisuse:test_every_assignment()
  each_odd(function(make)
    for _, key in ipairs { { 1, 1 }, { {}, 1 }, { { 1, 1 }, { 1, 2 } } } do
      local i, j = make(), make()
      local keys = { i, { i }, { key[1], j }, { { i, 1 } }, { { 1, 2, j } }, { i, j }, key }
      for _, k in pairs(keys) do
        for _, value in ipairs { 1, mlpl.zeros(4), j } do
          local x = mlpl.arange(24):reshape(2, 3, 4)
          check("x[k] = v", function() x[k] = value end, { n = 0 })
        end
      end
    end
  end)
end

-- These hand what they are given to functions of the script.
local hands_on = {
  ["mlpl.no_grad"] = true, ["mlpl.enable_grad"] = true, ["mlpl.detect_anomaly"] = true,
}
-- What they are called in an error, where that is not their name.
local says = {
  ["mlpl.nn.checkpoint"] = "mlpl.Module expected",
  ["module:forward"] = "Sequential",
}

-- Behind its own arguments, and behind any number of places left out, nothing goes unseen.
function TestMisuse:test_one_argument_too_many()
  for _, each in ipairs(everything()) do
    local name, f, text = table.unpack(each)
    local args = arguments(text)
    args[16], args.n = 17, 16
    local ok, message = pcall(f, table.unpack(args, 1, args.n))
    if not (name:find ":__" or hands_on[name]) then
      lu.assertFalse(ok, name .. " takes any number of arguments")
      local said = says[name] or name:match "[%w_]+$"
      lu.assertStrContains(tostring(message), said)
    end
  end
end
