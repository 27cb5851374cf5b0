-- Convolutions and pooling. Inputs are [n x channels x length] or [n x channels x height x
-- width], with or without n.
local source = "Dumoulin, Visin, A guide to convolution arithmetic, arXiv:1603.07285"
local function conv(size)
  return {
    input = "[n x c x " .. size .. "], or without n",
    weight = "[out x c/groups x kernel], for 2-d a kernel of two axes", bias = "[out]",
    stride = "steps of the kernel; 1", padding = "zeros on each side; 0, or 'same' or 'valid'",
    dilation = "steps inside the kernel; 1", groups = "parts of the channels, apart from others" }
end
local function transposed(size)
  return {
    input = "[n x c x " .. size .. "], or without n",
    weight = "[c x out/groups x kernel], for 2-d a kernel of two axes", bias = "[out]",
    stride = "steps in the output; 1", padding = "taken off each side; 0",
    output_padding = "added at one side, below stride or dilation; 0",
    dilation = "steps inside the kernel; 1", groups = "parts of the channels, apart from others" }
end
local function pool(size, more)
  local args = { input = "[n x c x " .. size .. "], or without n",
    kernel_size = "a number or one for each axis", stride = "the kernel's size",
    padding = "on each side, at most half the kernel; 0",
    ceil_mode = "round the output's size up: windows may begin inside and end outside" }
  for name, text in pairs(more) do args[name] = text end
  return args
end
local function patches(more)
  local args = { kernel_size = "the patch: a number or one for each axis",
    dilation = "steps inside the patch; 1", padding = "zeros on each side; 0",
    stride = "steps from patch to patch; 1" }
  for name, text in pairs(more) do args[name] = text end
  return args
end
local places = { dilation = "steps inside the window; 1",
  return_indices = "give the places, too" }
local shares = { count_include_pad = "zeros of the padding count in the mean" }
local errors = "a kernel larger than the padded input; sizes or groups that do not fit"
local function with_places(what)
  return { { "values", "Tensor" },
    { "indices", "Tensor", "i64, places in " .. what .. ", from 1; with return_indices" } }
end

return {
  conv1d = {
    "The cross-correlation of [c x length] signals with learnt kernels: size (length + "
      .. "2 padding - dilation (kernel - 1) - 1) / stride + 1, rounded down.",
    args = conv "length", errors = errors,
    example = "local y = nn.conv1d(mlpl.ones(1, 1, 4), mlpl.ones(1, 1, 2))\n"
      .. "assert(y.shape[3] == 3 and y:sum():item() == 6)",
    source = source,
  },
  conv2d = {
    "The cross-correlation of [c x height x width] images with learnt kernels; each axis gets "
      .. "(size + 2 padding - dilation (kernel - 1) - 1) / stride + 1, rounded down.",
    args = conv "height x width", errors = errors,
    example = "local y = nn.conv2d(mlpl.ones(1, 4, 4), mlpl.ones(2, 1, 3, 3), nil,\n"
      .. "  { stride = 2, padding = { 1, 0 } })\nassert(y.shape[1] == 2 and y.shape[2] == 2)",
    source = source,
  },
  conv_transpose1d = {
    "The transpose of conv1d (its gradient by the input): size (length - 1) stride - 2 padding "
      .. "+ dilation (kernel - 1) + output_padding + 1.",
    args = transposed "length", errors = errors,
    example = "local y = nn.conv_transpose1d(mlpl.ones(1, 1, 2), mlpl.ones(1, 1, 2), "
      .. "{ stride = 2 })\nassert(y.shape[3] == 4)",
    source = source,
  },
  conv_transpose2d = {
    "The transpose of conv2d (its gradient by the input): each axis gets (size - 1) stride - "
      .. "2 padding + dilation (kernel - 1) + output_padding + 1.",
    args = transposed "height x width", errors = errors,
    example = "local y = nn.conv_transpose2d(mlpl.ones(1, 2, 2), mlpl.ones(1, 1, 2, 2), "
      .. "{ stride = 2 })\nassert(y.shape[3] == 4)",
    source = source,
  },
  max_pool1d = {
    "The largest element of every window of a signal; padding is smaller than everything, nan "
      .. "wins. The gradient goes to the first of equal maxima.",
    args = pool("length", places), returns = with_places "the axis", errors = errors,
    example = "local y = nn.max_pool1d(mlpl.tensor { { 1, 3, 2, 4 } }, 2)\n"
      .. "assert(y[1][2]:item() == 4)",
  },
  max_pool2d = {
    "The largest element of every window of an image; padding is smaller than everything, nan "
      .. "wins. The gradient goes to the first of equal maxima.",
    args = pool("height x width", places), returns = with_places "the flattened plane",
    errors = errors,
    example = "local y = nn.max_pool2d(mlpl.arange(16):reshape(1, 4, 4), 2)\n"
      .. "assert(y[1][1][1]:item() == 6)",
  },
  avg_pool1d = {
    "The mean of every window of a signal.",
    args = pool("length", shares), errors = errors,
    example = "local y = nn.avg_pool1d(mlpl.tensor { { 1, 3, 2, 4 } }, 2)\n"
      .. "assert(y[1][1]:item() == 2)",
  },
  avg_pool2d = {
    "The mean of every window of an image.",
    args = pool("height x width", { count_include_pad = shares.count_include_pad,
      divisor_override = "divide by this instead of the window's size; 0: do not" }),
    errors = errors,
    example = "local y = nn.avg_pool2d(mlpl.ones(1, 4, 4), 2)\nassert(y:sum():item() == 4)",
  },
  adaptive_avg_pool1d = {
    "The means of output_size windows that cover the axis: from floor((i - 1) n / size) + 1 to "
      .. "ceil(i n / size).",
    args = { input = "[n x c x length], or without n", output_size = "how many windows" },
    example = "assert(nn.adaptive_avg_pool1d(mlpl.ones(1, 5), 2).shape[2] == 2)",
  },
  adaptive_avg_pool2d = {
    "The means of windows that cover the plane, output_size of them along each axis.",
    args = { input = "[n x c x height x width], or without n",
      output_size = "a number or one for each axis" },
    example = "assert(nn.adaptive_avg_pool2d(mlpl.ones(3, 5, 7), 1).shape[3] == 1)",
  },
  adaptive_max_pool1d = {
    "The largest elements of output_size windows that cover the axis, the windows of "
      .. "adaptive_avg_pool1d. The gradient goes to the first of equal maxima.",
    args = { input = "[n x c x length], or without n", output_size = "how many windows",
      return_indices = places.return_indices },
    returns = with_places "the axis", errors = "an input without elements along the axis",
    example = "local y = nn.adaptive_max_pool1d(mlpl.tensor { { 1, 4, 2, 3 } }, 2)\n"
      .. "assert(y[1][2]:item() == 3)",
  },
  adaptive_max_pool2d = {
    "The largest elements of windows that cover the plane, output_size of them along each axis. "
      .. "The gradient goes to the first of equal maxima.",
    args = { input = "[n x c x height x width], or without n",
      output_size = "a number or one for each axis", return_indices = places.return_indices },
    returns = with_places "the flattened plane",
    errors = "an input without elements along an axis",
    example = "local x = mlpl.arange(9):reshape(1, 3, 3)\n"
      .. "assert(nn.adaptive_max_pool2d(x, 1):item() == 9)",
  },
  im2col = {
    "nn.unfold, PyTorch's nn.functional.unfold: every patch of an image as a column, "
      .. "[n x c kh kw x patches], the patches in the order of a convolution's results. (A "
      .. "tensor's own unfold makes windows along one axis.)",
    args = patches { input = "[n x c x height x width], or without n" },
    errors = "a patch larger than the padded image",
    example = "local x = mlpl.randn(2, 3, 5, 5)\nlocal w = mlpl.randn(4, 3, 3, 3)\n"
      .. "local y = w:reshape(4, 27):matmul(nn.unfold(x, 3))\n"
      .. "assert((y:reshape(2, 4, 3, 3) - nn.conv2d(x, w)):abs():max():item() < 1e-4)",
    source = "Chellapilla, Puri, Simard, High performance convolutional neural networks (2006)",
  },
  col2im = {
    "nn.fold, PyTorch's nn.functional.fold: columns of patches back to an image, where they "
      .. "overlap their sum: the adjoint of nn.unfold.",
    args = patches { input = "[n x c kh kw x patches], or without n",
      output_size = "the image's sizes: a number or one for each axis" },
    errors = "columns that are not whole patches; another number of patches than the image has",
    example = "local columns = nn.unfold(mlpl.ones(1, 4, 4), 2, { stride = 2 })\n"
      .. "assert(nn.fold(columns, 4, 2, { stride = 2 }):sum():item() == 16)",
    source = "Chellapilla, Puri, Simard, High performance convolutional neural networks (2006)",
  },
}
