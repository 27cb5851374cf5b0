-- Activations: f(x) element by element unless told. Each is a method, a function of mlpl and
-- one of mlpl.nn.
return {
  relu = {
    "max(x, 0). Whole numbers stay whole. The gradient at 0 is 0; nan stays nan.",
    example = "assert(nn.relu(mlpl.tensor { -1, 2 })[1]:item() == 0)",
    source = "Nair, Hinton, Rectified linear units improve restricted Boltzmann machines (2010)",
  },
  leaky_relu = {
    "x for x > 0, else negative_slope x.",
    example = "local y = nn.leaky_relu(mlpl.tensor { -1 }, 0.5)\nassert(y:item() == -0.5)",
    source = "Maas, Hannun, Ng, Rectifier nonlinearities improve acoustic models (2013)",
  },
  elu = {
    "x for x > 0, else alpha (e^x - 1).",
    example = "assert(nn.elu(mlpl.tensor { 2 }):item() == 2)",
    source = "Clevert, Unterthiner, Hochreiter, arXiv:1511.07289",
  },
  celu = {
    "max(0, x) + min(0, alpha (e^(x / alpha) - 1)); smooth for every alpha.",
    example = "assert(nn.celu(mlpl.tensor { 2 }):item() == 2)",
    source = "Barron, arXiv:1704.07483",
  },
  selu = {
    "scale (max(0, x) + min(0, alpha (e^x - 1))) with scale 1.0507 and alpha 1.6733, which keep "
      .. "mean 0 and variance 1.",
    example = "assert(math.abs(nn.selu(mlpl.ones(1)):item() - 1.050701) < 1e-5)",
    source = "Klambauer and others, Self-normalizing neural networks, arXiv:1706.02515",
  },
  sigmoid = {
    "1 / (1 + e^-x), without overflow.",
    example = "assert(nn.sigmoid(mlpl.zeros(1)):item() == 0.5)",
  },
  tanh = {
    "The hyperbolic tangent.",
    example = "assert(nn.tanh(mlpl.zeros(1)):item() == 0)",
    source = "Abramowitz, Stegun, Handbook of Mathematical Functions (1964), 4.5",
  },
  gelu = {
    "x Phi(x), Phi the normal distribution function; with approximate = 'tanh' "
      .. "0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))).",
    args = { approximate = "the exact form or the one with tanh" },
    example = "assert(math.abs(nn.gelu(mlpl.ones(1)):item() - 0.841345) < 1e-5)",
    source = "Hendrycks, Gimpel, arXiv:1606.08415",
  },
  silu = {
    "x sigmoid(x), also called swish.",
    example = "assert(nn.silu(mlpl.zeros(1)):item() == 0)",
    source = "Elfwing, Uchibe, Doya, arXiv:1702.03118",
  },
  mish = {
    "x tanh(softplus(x)).",
    example = "assert(nn.mish(mlpl.zeros(1)):item() == 0)",
    source = "Misra, arXiv:1908.08681",
  },
  softplus = {
    "log(1 + e^(beta x)) / beta; x itself where beta x > threshold.",
    args = { threshold = "from where on it is linear" },
    example = "assert(math.abs(nn.softplus(mlpl.zeros(1)):item() - math.log(2)) < 1e-6)",
    source = "Dugas and others, Incorporating second-order functional knowledge (2001)",
  },
  softsign = {
    "x / (1 + |x|); of whole numbers in f32.",
    example = "assert(nn.softsign(mlpl.ones(1)):item() == 0.5)",
  },
  hardtanh = {
    "min(max(x, min_val), max_val). Whole numbers stay whole, with bounds rounded towards 0.",
    args = { min_val = "the least result", max_val = "the largest result" },
    example = "assert(nn.hardtanh(mlpl.tensor { 3 }):item() == 1)",
  },
  relu6 = {
    "min(max(x, 0), 6). Whole numbers stay whole.",
    example = "assert(nn.relu6(mlpl.tensor { 8 }):item() == 6)",
    source = "Krizhevsky, Convolutional deep belief networks on CIFAR-10 (2010)",
  },
  hardsigmoid = {
    "min(max(x + 3, 0), 6) / 6.",
    example = "assert(nn.hardsigmoid(mlpl.zeros(1)):item() == 0.5)",
    source = "Howard and others, Searching for MobileNetV3, arXiv:1905.02244",
  },
  hardswish = {
    "x min(max(x + 3, 0), 6) / 6.",
    example = "assert(nn.hardswish(mlpl.tensor { 4 }):item() == 4)",
    source = "Howard and others, Searching for MobileNetV3, arXiv:1905.02244",
  },
  logsigmoid = {
    "log(1 / (1 + e^-x)), without overflow.",
    example = "assert(math.abs(nn.logsigmoid(mlpl.zeros(1)):item() + math.log(2)) < 1e-6)",
    source = "Dugas and others, Incorporating second-order functional knowledge (2001)",
  },
  tanhshrink = {
    "x - tanh(x); of whole numbers in f32.",
    example = "assert(nn.tanhshrink(mlpl.zeros(1)):item() == 0)",
  },
  softshrink = {
    "x - lambd for x > lambd, x + lambd for x < -lambd, else 0.",
    example = "assert(nn.softshrink(mlpl.tensor { 2 }):item() == 1.5)",
    source = "Donoho, De-noising by soft-thresholding (1995)",
  },
  hardshrink = {
    "x where |x| > lambd, else 0.",
    example = "assert(nn.hardshrink(mlpl.tensor { 0.25 }):item() == 0)",
    source = "Donoho, Johnstone, Ideal spatial adaptation by wavelet shrinkage (1994)",
  },
  threshold = {
    "x for x > threshold, else value. The threshold unit of a perceptron is step.",
    args = { threshold = "what x must exceed", value = "what stands for the others" },
    example = "assert(nn.threshold(mlpl.tensor { 1 }, 1.5, 7):item() == 7)",
  },
  prelu = {
    "x for x > 0, else weight x, with a weight that is learnt: one for all, or one for each "
      .. "channel (axis 2 of the input). Differentiable in both.",
    args = { weight = "[1], or as many as channels" },
    errors = "as many weights as neither 1 nor the channels",
    example = "local y = nn.prelu(mlpl.tensor { -1 }, mlpl.tensor { 0.5 })\n"
      .. "assert(y:item() == -0.5)",
    source = "He and others, Delving deep into rectifiers, arXiv:1502.01852",
  },
  step = {
    "1 for x >= 0, else 0: the perceptron's threshold unit. The gradient is 0.",
    example = "assert(mlpl.tensor { 0 }:step():item() == 1)",
    source = "Rosenblatt, The perceptron (1958)",
  },
  glu = {
    "a sigmoid(b), a and b the first and the second half of the input along dim.",
    args = { dim = "the axis that is halved; its size is even" },
    errors = "an axis of odd size",
    example = "assert(nn.glu(mlpl.tensor { 4, 0 }):item() == 2)",
    source = "Dauphin and others, arXiv:1612.08083",
  },
  softmax = {
    "e^x / sum e^x along dim: shares that sum to 1. The maximum is subtracted first, so nothing "
      .. "overflows.",
    example = "local y = mlpl.zeros(2, 4):softmax(2)\nassert(y[1][1]:item() == 0.25)",
    source = "Goodfellow, Bengio, Courville, Deep Learning (2016), 6.2.2.3",
  },
  log_softmax = {
    "log(softmax(x)) along dim, computed as x - logsumexp(x), so it is accurate where shares "
      .. "are tiny.",
    example = "local y = mlpl.zeros(2, 4):log_softmax(-1)\n"
      .. "assert(math.abs(y[1][1]:item() + math.log(4)) < 1e-6)",
    source = "Blanchard, Higham, Higham, Accurately computing the log-sum-exp and softmax "
      .. "functions (2021)",
  },
  dropout = {
    "In training, 0 with probability p, else x / (1 - p), so that the mean stays; outside it the "
      .. "input itself. Draws from mlpl's generator (mlpl.seed), or from "
      .. "generator = a mlpl.Generator. nn.Dropout knows by itself whether it trains.",
    args = { p = "the probability of 0", training = "false: nothing is dropped" },
    memory = "with training = false, or p = 0, the input itself: shares memory with input; else a tensor of its own",
    example = "local x = mlpl.ones(100)\n"
      .. "assert(nn.dropout(x, 0.5, false):sum():item() == 100)\n"
      .. "assert(nn.dropout(x, 1):sum():item() == 0)",
    source = "Srivastava and others, Dropout (2014)",
  },
}
