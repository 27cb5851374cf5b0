-- Losses that are operations; the others are functions of mlpl.nn.
return {
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
  },
  binary_cross_entropy_with_logits = {
    "-t log s(x) - (1 - t) log(1 - s(x)) with s the sigmoid, the mean over all elements unless "
      .. "told; computed as max(x, 0) - x t + log(1 + e^-|x|), which cannot overflow. "
      .. "Differentiable in the input.",
    args = { input = "logits, any shape", target = "the input's shape, from 0 to 1",
      weight = "scales the elements' losses; broadcasts",
      pos_weight = "scales the first term; broadcasts",
      reduction = "'none' keeps the elements" },
    errors = "shapes that differ",
    example = "local loss = nn.binary_cross_entropy_with_logits(mlpl.zeros(2), mlpl.ones(2))\n"
      .. "assert(math.abs(loss:item() - math.log(2)) < 1e-6)",
  },
}
