-- Sums, extremes, statistics, scans, order and counts.
local axes = { dim = "an axis or an array of axes; all where it is left out",
  keepdim = "keep the axes, with size 1" }
local axis = { dim = "all elements where it is left out", keepdim = "keep the axis, with size 1" }
local along = { dim = "an axis, or from -1 at the end" }
local no_axis = "an axis that the tensor does not have"
local function values_and(what)
  return { { "values", "Tensor" }, { "indices", "Tensor", what .. ", i64, from 1; only with dim" } }
end
local scanned = { { "values", "Tensor", "the input's shape" },
  { "indices", "Tensor", "the input's shape, i64: where along dim each value stands, from 1" } }

local truth = "Every tensor is true to if, and, or and not: take :item(), or & | ~ for "
  .. "elements."

local spread = { dim = axes.dim, keepdim = axes.keepdim,
  correction = "is taken from the number of elements in the divisor" }
local samples = { x = "places of the samples", dx = "how far they are apart without x", dim = along.dim }

return {
  sum = {
    "The sum over axes, or of all elements. Of i64, u8 and bool an i64. Of nothing 0.",
    args = axes, errors = no_axis,
    example = "local x = mlpl.ones(2, 3)\nassert(x:sum():item() == 6)\n"
      .. "assert(x:sum { dim = 2, keepdim = true }.shape[2] == 1)",
    source = "Higham, The accuracy of floating point summation (1993), for pairwise sums",
  },
  mean = {
    "The mean over axes, or of all elements; nan of nothing.",
    args = axes, errors = no_axis .. "; whole numbers (convert with :to)",
    example = "assert(mlpl.tensor { 1, 2, 6 }:mean():item() == 3)",
    source = "Higham, The accuracy of floating point summation (1993), for pairwise sums",
  },
  prod = {
    "The product over axes, or of all elements; 1 of nothing. The gradient is right where "
      .. "elements are 0, too.",
    args = axes, errors = no_axis,
    example = "assert(mlpl.tensor { 2, 3, 4 }:prod():item() == 24)",
  },
  max = {
    "The largest element; with dim also where it stands, the first of equal ones. nan wins. "
      .. "Over all elements equal maxima share the gradient; with dim the index's element has it. "
      .. "With a tensor in place of dim, max(a, b), it is maximum. With dim both results "
      .. "are passed on: (x:max(1)) in parentheses is the values alone.",
    args = axis, returns = values_and "places along dim",
    errors = no_axis .. "; nothing to choose from",
    example = "local v, i = mlpl.tensor { { 1, 5, 3 } }:max(2)\n"
      .. "assert(v:item() == 5 and i:item() == 2)\n"
      .. "assert(mlpl.max(v, v + 1):item() == 6)",
  },
  min = {
    "The smallest element; with dim also where it stands, the first of equal ones. nan wins. "
      .. "Over all elements equal minima share the gradient; with dim the index's element has it. "
      .. "With a tensor in place of dim, min(a, b), it is minimum. With dim both results "
      .. "are passed on: (x:min(1)) in parentheses is the values alone.",
    args = axis, returns = values_and "places along dim",
    errors = no_axis .. "; nothing to choose from",
    example = "local v, i = mlpl.tensor { { 1, 5, 3 } }:min(2)\n"
      .. "assert(v:item() == 1 and i:item() == 1)",
  },
  argmax = {
    "Where the largest element stands, from 1 (so logits give labels); without dim in the "
      .. "flattened tensor. The first of equal ones; nan wins.",
    args = axis, returns = { { "", "Tensor", "i64" } },
    errors = no_axis .. "; nothing to choose from",
    example = "assert(mlpl.tensor { { 1, 5 }, { 9, 1 } }:argmax(2)[1]:item() == 2)",
  },
  argmin = {
    "Where the smallest element stands, from 1; without dim in the flattened tensor. The first "
      .. "of equal ones; nan wins.",
    args = axis, returns = { { "", "Tensor", "i64" } },
    errors = no_axis .. "; nothing to choose from",
    example = "assert(mlpl.tensor { { 1, 5 }, { 9, 1 } }:argmin(2)[2]:item() == 2)",
  },
  amax = {
    "The largest element over axes. Unlike max it takes several axes, gives no index, and equal "
      .. "maxima share the gradient.",
    args = axes, errors = no_axis .. "; nothing to choose from",
    example = "assert(mlpl.tensor { { 1, 5 }, { 9, 1 } }:amax({ 1, 2 }):item() == 9)",
  },
  amin = {
    "The smallest element over axes. Unlike min it takes several axes, gives no index, and equal "
      .. "minima share the gradient.",
    args = axes, errors = no_axis .. "; nothing to choose from",
    example = "assert(mlpl.tensor { { 1, 5 }, { 9, 1 } }:amin({ 1, 2 }):item() == 1)",
  },
  any = {
    "Whether an element differs from 0, over axes, as a bool tensor (of u8, too, where PyTorch "
      .. "keeps u8); false of nothing. " .. truth,
    args = axes, errors = no_axis,
    example = "assert(mlpl.tensor { 0, 1 }:any():item())",
  },
  all = {
    "Whether all elements differ from 0, over axes, as a bool tensor (of u8, too, where PyTorch "
      .. "keeps u8); true of nothing. " .. truth,
    args = axes, errors = no_axis,
    example = "assert(not mlpl.tensor { 0, 1 }:all():item())",
  },
  count_nonzero = {
    "How many elements differ from 0, over axes, as an i64 tensor.",
    args = { dim = axes.dim }, errors = no_axis,
    example = "assert(mlpl.tensor { 0, 4, 5 }:count_nonzero():item() == 2)",
  },
  var = {
    "The variance, sum (x - mean)^2 / (n - correction) over axes, in two passes; nan where n is less than "
      .. "2 with the default.",
    args = { dim = axes.dim, unbiased = "false: correction is 0", keepdim = axes.keepdim,
      correction = "what is taken off n" },
    errors = no_axis,
    example = "local x = mlpl.tensor { 1, 2, 3 }\nassert(x:var():item() == 1)\n"
      .. "assert(math.abs(x:var { unbiased = false }:item() - 2 / 3) < 1e-6)",
    source = "Chan, Golub, LeVeque, Algorithms for computing the sample variance (1983)",
  },
  std = {
    "The square root of var over axes.",
    args = { dim = axes.dim, unbiased = "false: correction is 0", keepdim = axes.keepdim,
      correction = "what is taken off n" },
    errors = no_axis,
    example = "assert(mlpl.tensor { 1, 2, 3 }:std():item() == 1)",
    source = "Chan, Golub, LeVeque, Algorithms for computing the sample variance (1983)",
  },
  var_mean = {
    "var and mean of the same axes.",
    args = spread,
    returns = { { "variance", "Tensor" }, { "mean", "Tensor" } }, errors = no_axis,
    example = "local v, m = mlpl.tensor { 1, 3 }:var_mean()\nassert(v:item() == 2 and m:item() == 2)",
    source = "Chan, Golub, LeVeque, Algorithms for computing the sample variance (1983)",
  },
  std_mean = {
    "std and mean of the same axes.",
    args = spread,
    returns = { { "deviation", "Tensor" }, { "mean", "Tensor" } }, errors = no_axis,
    example = "local s, m = mlpl.tensor { 1, 1 }:std_mean()\nassert(s:item() == 0 and m:item() == 1)",
    source = "Chan, Golub, LeVeque, Algorithms for computing the sample variance (1983)",
  },
  aminmax = {
    "amin and amax of the same axes.",
    args = axes, returns = { { "min", "Tensor" }, { "max", "Tensor" } },
    errors = "nothing to choose from; " .. no_axis,
    example = "local a, b = mlpl.tensor { 3, 1 }:aminmax()\nassert(a:item() == 1 and b:item() == 3)",
  },
  nansum = {
    "The sum without nan.", args = axes, errors = no_axis,
    example = "assert(mlpl.tensor { 1, 0 / 0 }:nansum():item() == 1)",
  },
  nanmean = {
    "The mean of what is not nan.", args = axes, errors = no_axis,
    example = "assert(mlpl.tensor { 1, 0 / 0, 3 }:nanmean():item() == 2)",
  },
  cov = {
    "The covariances of variables, of which every row holds the observations; the variance of one "
      .. "row.",
    args = { input = "[observations] or [variables x observations]",
      fweights = "how often each observation was made: [observations], i64 or u8",
      aweights = "how much each observation counts: [observations]",
      correction = "is taken from the number of observations in the divisor" },
    errors = "more than two axes; weights below 0, or not one for each observation",
    example = "local x = mlpl.tensor { { 0, 2 }, { 2, 0 } }\nassert(x:cov()[1][2]:item() == -2)\n"
      .. "local twice = mlpl.tensor({ 2, 2 }, { dtype = 'i64' })\n"
      .. "assert(x:cov { fweights = twice }:allclose(mlpl.cat({ x, x }, 2):cov()))",
  },
  corrcoef = {
    "The correlations of variables: cov over their deviations.",
    args = { input = "as for cov" }, errors = "more than two axes",
    example = "local y = mlpl.tensor { { 0, 1 }, { 5, 3 } }:corrcoef()\n"
      .. "assert(math.abs(y[1][2]:item() + 1) < 1e-6)",
  },
  trapezoid = {
    "The integral of samples y by the trapezoidal rule, along an axis, the last unless told.",
    args = samples, errors = no_axis .. "; not one place for each sample",
    example = "assert(mlpl.tensor { 0, 1, 2 }:trapezoid():item() == 2)",
  },
  cumulative_trapezoid = {
    "The integrals of samples y by the trapezoidal rule up to every place but the first.",
    args = samples, errors = no_axis .. "; not one place for each sample",
    example = "assert(mlpl.tensor { 0, 1, 2 }:cumulative_trapezoid()[1]:item() == 0.5)",
  },
  norm = {
    "(sum |x|^p)^(1/p) over axes; the largest |x| for p = math.huge. Norms of matrices are in "
      .. "mlpl.linalg.",
    args = { p = "any number", dim = axes.dim, keepdim = axes.keepdim }, errors = no_axis,
    example = "assert(mlpl.tensor { 3, 4 }:norm():item() == 5)",
  },
  logsumexp = {
    "log(sum e^x) over axes; the maximum is subtracted first, so nothing overflows. Where all x "
      .. "are -inf the gradient is 0 (in PyTorch nan).",
    args = axes, errors = no_axis,
    example = "local y = mlpl.full({ 2 }, 1000):logsumexp(1)\n"
      .. "assert(math.abs(y:item() - 1000 - math.log(2)) < 1e-3)",
    source = "Blanchard, Higham, Higham, Accurately computing the log-sum-exp and softmax "
      .. "functions (2021)",
  },
  cumsum = {
    "Sums of the first elements along dim: y[i] = x[1] + ... + x[i].",
    args = along, errors = no_axis,
    example = "assert(mlpl.tensor { 1, 2, 3 }:cumsum(1)[3]:item() == 6)",
  },
  cumprod = {
    "Products of the first elements along dim: y[i] = x[1] ... x[i].",
    args = along, errors = no_axis,
    example = "assert(mlpl.tensor { 1, 2, 3 }:cumprod(1)[3]:item() == 6)",
  },
  logcumsumexp = {
    "log(e^x[1] + ... + e^x[i]) along dim, without overflow.",
    args = along, errors = no_axis,
    example = "local y = mlpl.zeros(3):logcumsumexp(1)\n"
      .. "assert(math.abs(y[3]:item() - math.log(3)) < 1e-6)",
    source = "Blanchard, Higham, Higham, Accurately computing the log-sum-exp and softmax "
      .. "functions (2021)",
  },
  cummax = {
    "The largest of the first elements along dim, and where it stands; nan stays from where it "
      .. "is met.",
    args = along, returns = scanned, errors = no_axis,
    example = "local v = mlpl.tensor { 1, 3, 2 }:cummax(1)\nassert(v[3]:item() == 3)",
  },
  cummin = {
    "The smallest of the first elements along dim, and where it stands; nan stays from where it "
      .. "is met.",
    args = along, returns = scanned, errors = no_axis,
    example = "local v = mlpl.tensor { 3, 1, 2 }:cummin(1)\nassert(v[3]:item() == 1)",
  },
  diff = {
    "Differences of neighbours along dim, x[i + 1] - x[i], n times over; each time dim gets "
      .. "shorter by one.",
    args = { n = "how many times", dim = along.dim, prepend = "stands before input along dim",
      append = "stands behind input along dim" },
    errors = no_axis .. "; sizes that differ along other axes",
    example = "local x = mlpl.tensor { 1, 3, 6 }\nassert(x:diff()[2]:item() == 3)\n"
      .. "assert(x:diff({ prepend = mlpl.zeros(1) })[1]:item() == 1)",
  },
  sort = {
    "The elements in order along dim, and where they stood; nan counts as largest. The gradient "
      .. "goes back to where an element stood.",
    args = { dim = along.dim, stable = "equal elements keep their order; they always do here" },
    returns = scanned, errors = no_axis,
    example = "local v, i = mlpl.tensor { 3, 1, 2 }:sort()\n"
      .. "assert(v[1]:item() == 1 and i[1]:item() == 2)",
  },
  argsort = {
    "Where the elements stand, from 1, in their order along dim; nan counts as largest.",
    args = { dim = along.dim, stable = "equal elements keep their order; they always do here" },
    returns = { { "indices", "Tensor", "the input's shape, i64" } }, errors = no_axis,
    example = "assert(mlpl.tensor { 3, 1, 2 }:argsort()[1]:item() == 2)",
  },
  topk = {
    "The k largest (or smallest) elements along dim, in order, and where they stand.",
    args = { k = "at most the size of dim", dim = along.dim, largest = "false: the smallest",
      sorted = "they always are" },
    returns = { { "values", "Tensor" }, { "indices", "Tensor", "i64, from 1" } },
    errors = "more than there are; " .. no_axis,
    example = "local v, i = mlpl.tensor { 1, 3, 2 }:topk(2)\n"
      .. "assert(v[2]:item() == 2 and i[1]:item() == 2)",
  },
  kthvalue = {
    "The k-th smallest element along dim, and where it stands; nan counts as largest.",
    args = { k = "from 1 to the size of dim", keepdim = axis.keepdim },
    returns = { { "values", "Tensor" }, { "indices", "Tensor", "i64, from 1" } },
    errors = "a k that dim does not have; " .. no_axis,
    example = "assert(mlpl.tensor { 3, 1, 2 }:kthvalue(2):item() == 2)",
  },
  median = {
    "The middle element, the lower one of two (quantile(0.5) is their mean); with dim also "
      .. "where it stands. nan where there is a nan.",
    args = axis, returns = values_and "places along dim", errors = no_axis,
    example = "assert(mlpl.tensor { 4, 1, 3, 2 }:median():item() == 2)",
  },
  nanmedian = {
    "The median of what is not nan; nan where nothing is left.",
    args = axis, returns = values_and "places along dim", errors = no_axis,
    example = "assert(mlpl.tensor { 0 / 0, 1, 3, 2 }:nanmedian():item() == 2)",
  },
  mode = {
    "The most frequent element along dim, the last axis unless told, of several the smallest, and "
      .. "the last place where it stands. A nan equals no other.",
    args = axis, returns = { { "values", "Tensor" }, { "indices", "Tensor", "places along dim, i64, from 1" } }, errors = no_axis,
    example = "local v, i = mlpl.tensor { 1, 3, 3, 2 }:mode()\n"
      .. "assert(v:item() == 3 and i:item() == 3)",
  },
  quantile = {
    "The value below which a share q of the elements lies, interpolated between neighbours; "
      .. "nan where there is a nan. Of several q, a tensor or a table, the results stand along a "
      .. "new first axis.",
    args = { q = "from 0 to 1; one or several", dim = axis.dim, keepdim = axis.keepdim,
      interpolation = "what is taken between two neighbours" },
    errors = "nothing to choose from; " .. no_axis,
    example = "local x = mlpl.tensor { 4, 1, 3, 2 }\nassert(x:quantile(0.5):item() == 2.5)\n"
      .. "assert(x:quantile { q = { 0, 1 } }[2]:item() == 4)",
    source = "Hyndman, Fan, Sample quantiles in statistical packages (1996), type 7",
  },
  nanquantile = {
    "The quantile of what is not nan; nan where nothing is left.",
    args = { q = "from 0 to 1; one or several", dim = axis.dim, keepdim = axis.keepdim,
      interpolation = "what is taken between two neighbours" },
    errors = "nothing to choose from; " .. no_axis,
    example = "assert(mlpl.tensor { 4, 0 / 0, 1, 3, 2 }:nanquantile(0.5):item() == 2.5)",
  },
  bincount = {
    "How often each label 1, 2, ... stands in the input, or the sum of its weights.",
    args = { input = "[n], i64, from 1", weights = "[n], a weight for each element",
      minlength = "the least size of the result" },
    errors = "an element below 1; dtypes other than i64",
    example = "local x = mlpl.tensor({ 1, 3, 3 }, { dtype = 'i64' })\n"
      .. "assert(x:bincount()[3]:item() == 2)",
  },
  histc = {
    "How many elements lie in each of `bins` equal parts of [min, max]; the last part has its "
      .. "upper end. Elements outside do not count.",
    args = { bins = "how many parts", min = "min = max: the input's own range", max = "the upper end" },
    errors = "max < min; a range that is not finite",
    example = "local y = mlpl.tensor { 1, 2, 3 }:histc { bins = 2, min = 0, max = 4 }\n"
      .. "assert(y[2]:item() == 2)",
  },
  bucketize = {
    "Between which boundaries each element lies: searchsorted with the input first.",
    args = { boundaries = "one axis, ascending", right = "put elements behind equal boundaries" },
    errors = "boundaries with another number of axes",
    example = "assert(mlpl.tensor { 2.5 }:bucketize(mlpl.tensor { 1, 2, 3 }):item() == 3)",
  },
  searchsorted = {
    "Where each element would be inserted, from 1: before equal ones, or with right = true "
      .. "behind them.",
    args = { sorted_sequence = "ascending along the last axis; [n], or the input's other axes",
      input = "what is looked up", right = "behind equal elements" },
    returns = { { "", "Tensor", "the input's shape, i64, from 1 to n + 1" } },
    errors = "dtypes or shapes that differ",
    example = "local at = mlpl.tensor { 1, 3, 5 }:searchsorted(mlpl.tensor { 3, 6 })\n"
      .. "assert(at[1]:item() == 2 and at[2]:item() == 4)",
  },
  sum_to_size = {
    "The input summed over axes until it has the given sizes: what broadcasting is undone with.",
    args = { sizes = "sizes that broadcast to the input's" },
    errors = "sizes that do not broadcast to the input's",
    example = "assert(mlpl.ones(3, 2):sum_to_size(1, 2)[1][2]:item() == 3)",
  },
  trace = {
    "The sum of the main diagonal of a matrix; of whole numbers in i64.",
    args = { input = "[m x n]" }, errors = "an input that is no matrix",
    example = "assert(mlpl.eye(3):trace():item() == 3)",
  },
}
