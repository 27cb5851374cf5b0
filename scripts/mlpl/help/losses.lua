-- Losses that are operations; the others are functions of mlpl.nn.
local same = "the input's shape"
local reduction = "'none' keeps the elements"
local function point(more)
  local args = { input = "any shape", target = same, reduction = reduction }
  for name, text in pairs(more or {}) do args[name] = text end
  return args
end
local differ = "shapes that differ: nothing broadcasts here"

return {
  nll_loss = {
    "-input[target], the mean over the examples unless told: the cross-entropy of inputs that are "
      .. "logarithms of probabilities already, in nats. With class weights the mean divides by the sum of "
      .. "the targets' weights.",
    args = { input = "log-probabilities [n x k]; or [n x k x ...], or [k] of one example",
      target = "labels 1..k, i64, the input's shape without k",
      weight = "[k], a weight for each class",
      reduction = "'none' gives a loss for each example",
      ignore_index = "examples with this label do not count" },
    errors = "a label out of range (its row, its value and the range are named); sizes that differ",
    example = "local y = nn.log_softmax(mlpl.zeros(2, 3), 2)\n"
      .. "local loss = nn.nll_loss(y, mlpl.tensor({ 1, 3 }, { dtype = 'i64' }))\n"
      .. "assert(math.abs(loss:item() - math.log(3)) < 1e-6)",
    source = "Fisher, On the mathematical foundations of theoretical statistics (1922)",
  },
  l1_loss = {
    "|input - target|, the mean over all elements unless told. Differentiable in both; 0 where "
      .. "they are equal.",
    args = point(), errors = differ,
    example = "assert(nn.l1_loss(mlpl.ones(2), mlpl.zeros(2)):item() == 1)",
    source = "Bloomfield, Steiger, Least absolute deviations (1983)",
  },
  smooth_l1_loss = {
    "d^2 / (2 beta) where d = |input - target| is below beta, d - beta / 2 from there on; the mean "
      .. "over all elements unless told.",
    args = point { beta = "where the parabola ends; 0: l1_loss" }, errors = differ,
    example = "local loss = nn.smooth_l1_loss(mlpl.tensor { 0.5, 2 }, mlpl.zeros(2), 'sum')\n"
      .. "assert(loss:item() == 1.625)",
    source = "Girshick, Fast R-CNN (2015)",
  },
  huber_loss = {
    "d^2 / 2 where d = |input - target| is at most delta, delta (d - delta / 2) beyond; the mean "
      .. "over all elements unless told.",
    args = point { delta = "where the parabola ends, above 0" },
    errors = "shapes that differ; a delta of 0",
    example = "local loss = nn.huber_loss(mlpl.tensor { 3 }, mlpl.zeros(1), { delta = 2 })\n"
      .. "assert(loss:item() == 4)",
    source = "Huber, Robust estimation of a location parameter (1964)",
  },
  kl_div = {
    "target (log target - input), 0 for a target of 0: the divergence of the target's distribution "
      .. "from the input's, whose logarithms are given. The mean is over all elements; 'batchmean' "
      .. "divides the sum by the first size, which is the divergence of an example, in nats.",
    args = { input = "log-probabilities, any shape", target = "probabilities of " .. same,
      reduction = "'batchmean' is the one that mathematics means",
      log_target = "the target holds logarithms, too" },
    errors = differ,
    example = "local p = mlpl.tensor { { 0.5, 0.5 } }\n"
      .. "assert(nn.kl_div(p:log(), p):item() == 0)",
    source = "Kullback and Leibler, On information and sufficiency (1951)",
  },
  poisson_nll_loss = {
    "e^input - target input, the negative logarithm of a Poisson probability of the target, but "
      .. "for what does not depend on the input; the mean over all elements unless told.",
    args = { input = "logarithms of rates, any shape", target = "counts of " .. same,
      log_input = "false: the input holds the rates: input - target log(input + eps)",
      full = "adds Stirling's log target! for targets above 1",
      eps = "keeps log(input + eps) finite", reduction = reduction },
    errors = differ,
    example = "assert(nn.poisson_nll_loss(mlpl.zeros(2), mlpl.ones(2)):item() == 1)",
    source = "Nelder, Wedderburn, Generalized linear models (1972)",
  },
  soft_margin_loss = {
    "log(1 + e^(-target input)) for targets 1 and -1, the mean over all elements unless told. It "
      .. "cannot overflow.",
    args = point { target = same .. ", of 1 and -1" }, errors = differ,
    example = "assert(math.abs(nn.soft_margin_loss(mlpl.zeros(2), mlpl.ones(2)):item() - "
      .. "math.log(2)) < 1e-6)",
    source = "Cox, The regression analysis of binary sequences (1958)",
  },
  hinge_embedding_loss = {
    "The input where the target is 1, max(0, margin - input) where it is -1: distances that are to "
      .. "be small, or not; the mean over all elements unless told.",
    args = point { target = same .. ", of 1 and -1", margin = "from where on a distance is enough" },
    errors = differ,
    example = "local y = nn.hinge_embedding_loss(mlpl.tensor { 0.5, 0.25 }, "
      .. "mlpl.tensor { 1, -1 })\nassert(y:item() == 0.625)",
    source = "Cortes, Vapnik, Support-vector networks (1995), for the margin",
  },
  margin_ranking_loss = {
    "max(0, margin - target (input1 - input2)): a target of 1 wants the first larger, -1 the "
      .. "second; the mean over all elements unless told.",
    args = { input1 = "any shape", input2 = "the first's shape", target = "of 1 and -1, of that shape",
      margin = "by how much; 0", reduction = reduction },
    errors = differ,
    example = "local y = nn.margin_ranking_loss(mlpl.ones(1), mlpl.zeros(1), -mlpl.ones(1))\n"
      .. "assert(y:item() == 1)",
    source = "Herbrich, Graepel, Obermayer, Large margin rank boundaries (2000)",
  },
  binary_cross_entropy = {
    "-target log input - (1 - target) log(1 - input) in nats, the mean over all elements unless "
      .. "told. Logarithms are kept above -100. Differentiable in input and target.",
    args = { input = "probabilities, any shape", target = same .. ", from 0 to 1",
      weight = "scales the elements' losses; broadcasts", reduction = reduction },
    errors = "shapes that differ; an input that is no probability",
    example = "local loss = nn.binary_cross_entropy(mlpl.full({ 2 }, 0.5), mlpl.ones(2))\n"
      .. "assert(math.abs(loss:item() - math.log(2)) < 1e-6)",
    source = "Good, Rational decisions (1952), for the logarithmic loss",
  },
  cross_entropy = {
    "-log softmax(input)[target], the mean over the examples unless told, in nats. Labels count "
      .. "from 1. With class weights the mean divides by the sum of the targets' weights.",
    args = { input = "logits [n x k]; or [n x k x ...], or [k] of one example",
      target = "labels 1..k, i64, the input's shape without k; or shares of the classes, of the "
        .. "input's shape",
      weight = "[k], a weight for each class",
      reduction = "'none' gives a loss for each example",
      ignore_index = "examples with this label do not count",
      label_smoothing = "the share of the target that is spread over all classes, 0 to 1" },
    errors = "a label out of range (its row, its value and the range are named); sizes that differ",
    example = "local target = mlpl.tensor({ 1, 3 }, { dtype = 'i64' })\n"
      .. "local loss = nn.cross_entropy(mlpl.zeros(2, 3), target)\n"
      .. "assert(math.abs(loss:item() - math.log(3)) < 1e-6)",
    source = "Goodfellow, Bengio, Courville, Deep Learning (2016), 6.2.2.3",
  },
  mse_loss = {
    "(input - target)^2, the mean over all elements unless told. Differentiable in both.",
    args = { input = "any shape", target = "the input's shape",
      reduction = "'none' keeps the elements" },
    errors = "shapes that differ: nothing broadcasts here",
    example = "assert(nn.mse_loss(mlpl.ones(2), mlpl.zeros(2)):item() == 1)",
    source = "Gauss, Theoria motus corporum coelestium (1809)",
  },
  binary_cross_entropy_with_logits = {
    "-t log s(x) - (1 - t) log(1 - s(x)) in nats, s the sigmoid, the mean over all elements unless "
      .. "told; computed as max(x, 0) - x t + log(1 + e^-|x|), which cannot overflow. "
      .. "Differentiable in the input.",
    args = { input = "logits, any shape", target = "the input's shape, from 0 to 1",
      weight = "scales the elements' losses; broadcasts",
      pos_weight = "scales the first term; broadcasts",
      reduction = "'none' keeps the elements" },
    errors = "shapes that differ",
    example = "local loss = nn.binary_cross_entropy_with_logits(mlpl.zeros(2), mlpl.ones(2))\n"
      .. "assert(math.abs(loss:item() - math.log(2)) < 1e-6)",
    source = "Good, Rational decisions (1952), for the logarithmic loss",
  },
}
