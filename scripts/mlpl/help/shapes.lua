-- Shapes, parts and places. Axes, indices and places count from 1, or from -1 at the end.
local view = "a view: shares memory with input"
local copy = "a view, which shares memory with input, where its strides allow it; else a copy"
local axis = "an axis that the tensor does not have"
local range = "a place that the tensor does not have (it and the range are named)"

return {
  view = {
    "The same elements in another shape; one size may be -1 and is computed.",
    memory = view, errors = "another number of elements; strides that need a copy (use reshape)",
    example = "local x = mlpl.arange(6)\nx:view(2, 3)[1][1] = 9\nassert(x[1]:item() == 9)",
  },
  reshape = {
    "The same elements, in order, in another shape; one size may be -1 and is computed.",
    memory = copy, errors = "another number of elements",
    example = "assert(mlpl.arange(6):reshape(2, -1).shape[2] == 3)",
  },
  flatten = {
    "The axes from start_dim to end_dim as one; all of them unless told.",
    memory = copy, errors = axis .. "; start_dim behind end_dim",
    example = "assert(mlpl.zeros(2, 3, 4):flatten(2).shape[2] == 12)",
  },
  ravel = {
    "All elements, in order, as a vector.", memory = copy,
    example = "assert(mlpl.zeros(2, 3):ravel().shape[1] == 6)",
  },
  unflatten = {
    "One axis as several; one of their sizes may be -1.",
    args = { sizes = "what the axis becomes; their product is its size" },
    memory = view, errors = axis .. "; sizes whose product differs",
    example = "assert(mlpl.zeros(2, 6):unflatten(2, { 3, -1 }).shape[3] == 2)",
  },
  view_as = {
    "view with the sizes of another tensor.",
    memory = view, errors = "another number of elements; strides that need a copy",
    example = "assert(mlpl.zeros(6):view_as(mlpl.zeros(2, 3)).shape[2] == 3)",
  },
  reshape_as = {
    "reshape with the sizes of another tensor.",
    memory = copy, errors = "another number of elements",
    example = "assert(mlpl.zeros(6):reshape_as(mlpl.zeros(2, 3)).shape[2] == 3)",
  },
  expand = {
    "Axes of size 1 repeated without copying; -1 keeps a size, new axes stand in front.",
    memory = view .. "; elements of it lie at one place, so it cannot be written to",
    errors = "a size other than 1 that would change",
    example = "assert(mlpl.ones(1, 3):expand(2, -1):sum():item() == 6)",
  },
  expand_as = {
    "expand to the sizes of another tensor.",
    memory = view, errors = "a size other than 1 that would change",
    example = "assert(mlpl.ones(3):expand_as(mlpl.zeros(2, 3)):sum():item() == 6)",
  },
  transpose = {
    "Two axes exchanged.", memory = view, errors = axis,
    example = "assert(mlpl.zeros(2, 3):transpose(1, 2).shape[1] == 3)",
  },
  swapaxes = {
    "transpose by NumPy's name.", memory = view, errors = axis,
    example = "assert(mlpl.zeros(2, 3):swapaxes(1, 2).shape[1] == 3)",
  },
  t = {
    "The transpose of a matrix; a vector or a number stays.",
    memory = view, errors = "more than two axes",
    example = "assert(mlpl.zeros(2, 3):t().shape[1] == 3)",
  },
  permute = {
    "The axes in another order.",
    args = { dims = "for each axis of the result, which of the input's it is" },
    memory = view, errors = axis .. "; one twice or missing",
    example = "assert(mlpl.zeros(2, 3, 4):permute(3, 1, 2).shape[1] == 4)",
  },
  movedim = {
    "Axes moved to other places; the others keep their order.",
    args = { source = "an axis or an array of axes",
      destination = "where they go, as many" },
    memory = view, errors = axis .. "; one twice; lists of different lengths",
    example = "assert(mlpl.zeros(2, 3, 4):movedim(1, 3).shape[3] == 2)",
  },
  squeeze = {
    "Without axes of size 1: all of them, or those named that have size 1.",
    memory = view, errors = axis,
    example = "assert(#mlpl.zeros(2, 1, 3):squeeze().shape == 2)",
  },
  unsqueeze = {
    "A new axis of size 1.",
    args = { dim = "where it stands in the result; -1 is behind the last" },
    memory = view, errors = "a place that the result does not have",
    example = "assert(mlpl.zeros(3):unsqueeze(1).shape[2] == 3)",
  },
  narrow = {
    "`length` places along an axis, from `start` on.",
    args = { start = "the first place, from 1", length = "how many places" },
    memory = view, errors = range .. "; " .. axis,
    example = "assert(mlpl.arange(5):narrow(1, 2, 3)[1]:item() == 2)",
  },
  select = {
    "One place along an axis, which the result drops; x[i] is x:select(1, i).",
    args = { index = "the place, from 1, or from -1 at the end" },
    memory = view, errors = range .. "; " .. axis,
    example = "assert(mlpl.arange(6):reshape(2, 3):select(2, -1)[2]:item() == 6)",
  },
  diagonal = {
    "The diagonals of the matrices in two axes, as the last axis.",
    args = { offset = "above the main diagonal; below where negative", dim1 = "the rows' axis",
      dim2 = "the columns' axis" },
    memory = view, errors = axis .. "; the same axis twice",
    example = "assert(mlpl.eye(3):diagonal():sum():item() == 3)",
  },
  unfold = {
    "Windows along an axis: `size` neighbours, as a new last axis, `step` apart.",
    args = { dimension = "the axis", size = "places in a window", step = "between windows" },
    memory = view .. "; windows overlap where step < size",
    errors = "size above the axis; " .. axis,
    example = "assert(mlpl.arange(4):unfold(1, 2, 1)[2][2]:item() == 3)",
  },
  clone = {
    "A copy, contiguous; gradients go through.", memory = "a copy",
    example = "local x = mlpl.ones(2)\nx:clone()[1] = 9\nassert(x[1]:item() == 1)",
  },
  cat = {
    "Tensors one behind the other along an axis.",
    args = { { "tensors", "Tensor[]", "joined in this order; their other sizes are equal" },
      { "dim", "integer?", "the axis, 1 unless told" } },
    errors = "an empty array; sizes or ranks that differ (the tensor is named)",
    example = "local y = mlpl.cat({ mlpl.ones(2, 1), mlpl.zeros(2, 3) }, 2)\n"
      .. "assert(y.shape[2] == 4)",
  },
  stack = {
    "Tensors side by side along a new axis.",
    args = { { "tensors", "Tensor[]", "joined in this order; their shapes are equal" },
      { "dim", "integer?", "where the new axis stands, 1 unless told" } },
    errors = "an empty array; shapes or dtypes that differ (the tensor is named)",
    example = "assert(mlpl.stack({ mlpl.ones(3), mlpl.zeros(3) }, 2).shape[2] == 2)",
  },
  block_diag = {
    "Matrices as blocks on the diagonal of one, zeros elsewhere; a vector is a row.",
    args = { { "tensors", "Tensor[]", "at most two axes each; dtypes promote" } },
    errors = "an empty array; more than two axes (the tensor is named)",
    example = "local y = mlpl.block_diag { mlpl.ones(1, 2), mlpl.ones(2, 1) }\n"
      .. "assert(y.shape[1] == 3 and y[1][3]:item() == 0)",
  },
  cartesian_prod = {
    "All ways to choose one element of each vector, each a row; of one vector a copy.",
    args = { { "tensors", "Tensor[]", "at most 8, of one axis each; dtypes promote" } },
    errors = "an empty array; another number of axes (the tensor is named)",
    example = "local y = mlpl.cartesian_prod { mlpl.arange(2), mlpl.arange(3) }\n"
      .. "assert(y.shape[1] == 6)",
  },
  hstack = {
    "cat along axis 2, of vectors along axis 1.",
    args = { { "tensors", "Tensor[]", "joined in this order" } },
    errors = "an empty array; sizes that differ",
    example = "assert(mlpl.hstack { mlpl.ones(2), mlpl.zeros(1) }.shape[1] == 3)",
  },
  vstack = {
    "cat along axis 1; vectors stand for rows.",
    args = { { "tensors", "Tensor[]", "joined in this order" } },
    errors = "an empty array; sizes that differ",
    example = "assert(mlpl.vstack { mlpl.ones(2), mlpl.zeros(2) }.shape[1] == 2)",
  },
  column_stack = {
    "cat along axis 2; vectors stand for columns.",
    args = { { "tensors", "Tensor[]", "joined in this order" } },
    errors = "an empty array; sizes that differ",
    example = "assert(mlpl.column_stack { mlpl.ones(2), mlpl.zeros(2) }.shape[2] == 2)",
  },
  dstack = {
    "cat along axis 3; [n] stands for [1 x n x 1], [n x m] for [n x m x 1].",
    args = { { "tensors", "Tensor[]", "joined in this order" } },
    errors = "an empty array; sizes that differ",
    example = "assert(mlpl.dstack { mlpl.ones(2), mlpl.zeros(2) }.shape[3] == 2)",
  },
  index_select = {
    "The places of an axis that an index names, in its order, repeated where it repeats.",
    args = { index = "[k], i64, from 1" }, errors = range .. "; " .. axis,
    example = "local i = mlpl.tensor({ 3, 1, 1 }, { dtype = 'i64' })\n"
      .. "assert(mlpl.arange(3):index_select(1, i)[1]:item() == 3)",
  },
  index_add = {
    "The input with alpha source added at the places of an axis; repeated places add up.",
    args = { index = "[k], i64, from 1", source = "the input's shape but k along dim" },
    errors = range .. "; sizes that differ",
    example = "local i = mlpl.tensor({ 1, 1 }, { dtype = 'i64' })\n"
      .. "assert(mlpl.zeros(3):index_add(1, i, mlpl.tensor { 1, 2 })[1]:item() == 3)",
  },
  index_copy = {
    "The input with places of an axis replaced by those of source; the last of repeated ones "
      .. "stays, and has the gradient.",
    args = { index = "[k], i64, from 1", source = "the input's shape but k along dim" },
    errors = range .. "; sizes that differ",
    example = "local i = mlpl.tensor({ 2 }, { dtype = 'i64' })\n"
      .. "assert(mlpl.zeros(3):index_copy(1, i, mlpl.tensor { 5 })[2]:item() == 5)",
  },
  index_fill = {
    "The input with a number at the places of an axis.",
    args = { value = "a number, or a tensor without axes, which has a gradient then",
      index = "[k], i64, from 1" },
    errors = range .. "; " .. axis .. "; a value that the input's dtype cannot hold",
    example = "local i = mlpl.tensor({ 2 }, { dtype = 'i64' })\n"
      .. "assert(mlpl.zeros(3):index_fill(1, i, 5)[2]:item() == 5)",
  },
  take = {
    "Elements of the flattened input, by place.",
    args = { index = "any shape, i64, from 1" }, returns = { { "", "Tensor", "index's shape" } },
    errors = range,
    example = "local i = mlpl.tensor({ 4, 1 }, { dtype = 'i64' })\n"
      .. "assert(mlpl.arange(4):reshape(2, 2):take(i)[1]:item() == 4)",
  },
  gather = {
    "y[i][j] = x[index[i][j]][j] for dim 1, and so on for other axes: an element of the axis "
      .. "for every element of index. Differentiable in the input.",
    args = { index = "i64, from 1; as many axes as input, no larger but along dim" },
    returns = { { "", "Tensor", "index's shape" } }, errors = range .. "; sizes that do not fit",
    example = "local i = mlpl.tensor({ { 2 }, { 1 } }, { dtype = 'i64' })\n"
      .. "assert(mlpl.tensor { { 1, 2 }, { 3, 4 } }:gather(2, i)[1]:item() == 2)",
  },
  take_along_dim = {
    "gather whose shapes broadcast but along dim, so argsort and argmax can be used at once; "
      .. "without dim in the flattened tensors.",
    args = { indices = "i64, from 1" }, errors = range .. "; shapes that do not broadcast",
    example = "local x = mlpl.tensor { { 3, 1, 2 } }\n"
      .. "assert(x:take_along_dim(x:argsort(2), 2)[1][1]:item() == 1)",
  },
  scatter = {
    "The input with y[index[i][j]][j] = src[i][j] for dim 1, and so on for other axes; the last "
      .. "of repeated places stays, and has the gradient. src may be a number.",
    args = { index = "i64, from 1; no larger than input but along dim",
      src = "at least index's shape" },
    errors = range .. "; sizes that do not fit",
    example = "local i = mlpl.tensor({ 3, 1 }, { dtype = 'i64' })\n"
      .. "assert(mlpl.zeros(3):scatter(1, i, mlpl.tensor { 7, 8 })[3]:item() == 7)",
  },
  scatter_add = {
    "scatter that adds to what is there; repeated places add up.",
    args = { index = "i64, from 1; no larger than input but along dim",
      src = "at least index's shape" },
    errors = range .. "; sizes that do not fit",
    example = "local i = mlpl.tensor({ 3, 3 }, { dtype = 'i64' })\n"
      .. "assert(mlpl.zeros(3):scatter_add(1, i, mlpl.tensor { 7, 8 })[3]:item() == 15)",
  },
  scatter_reduce = {
    "scatter that combines all that goes to one place, and what is there unless include_self is "
      .. "false. Of equal extremes each gets its share of the gradient.",
    args = { index = "i64, from 1; no larger than input but along dim",
      src = "at least index's shape", reduce = "what is made of them",
      include_self = "whether the input's own element counts" },
    errors = range .. "; sizes that do not fit",
    example = "local i = mlpl.tensor({ 3, 3 }, { dtype = 'i64' })\n"
      .. "local y = mlpl.zeros(3):scatter_reduce(1, i, mlpl.tensor { 7, 8 }, 'amax')\n"
      .. "assert(y[3]:item() == 8)",
  },
  index_reduce = {
    "The input whose slices at index are combined with the source's, and with what is there "
      .. "unless include_self is false. index_add has the sum.",
    args = { index = "[n], i64, from 1", source = "the input's shape, with n slices along dim",
      reduce = "what is made of them", include_self = "whether the input's own slice counts" },
    errors = range .. "; a source of another shape",
    example = "local i = mlpl.tensor({ 3, 3 }, { dtype = 'i64' })\n"
      .. "local y = mlpl.ones(3):index_reduce(1, i, mlpl.tensor { 7, 8 }, 'prod')\n"
      .. "assert(y[3]:item() == 56)",
  },
  masked_select = {
    "The elements where the mask holds, in order, as a vector.",
    args = { mask = "bool; broadcasts with input" },
    errors = "a mask that is not bool or does not broadcast",
    example = "local x = mlpl.tensor { 1, -1, 2 }\n"
      .. "assert(x:masked_select(x:gt(0)):numel() == 2)",
  },
  masked_scatter = {
    "The input with elements of source, in order, where the mask holds.",
    args = { mask = "bool; broadcasts with input", source = "as many elements as the mask holds" },
    errors = "fewer elements than places",
    example = "local x = mlpl.tensor { 1, -1, 2 }\n"
      .. "assert(x:masked_scatter(x:lt(0), mlpl.tensor { 9 })[2]:item() == 9)",
  },
  argwhere = {
    "nonzero by NumPy's name.",
    example = "assert(mlpl.tensor { 0, 5 }:argwhere()[1][1]:item() == 2)",
  },
  combinations = {
    "All ways to choose r of the elements of a vector, each a row, in the order of the elements.",
    args = { input = "one axis", r = "how many are chosen",
      with_replacement = "whether one may be chosen again" },
    errors = "another number of axes; more rows than can be counted",
    example = "assert(mlpl.arange(4):combinations(2).shape[1] == 6)",
  },
  nonzero = {
    "The places of the elements that differ from 0, a row for each, from 1.",
    returns = { { "", "Tensor", "[k x axes], i64" } },
    example = "assert(mlpl.tensor { { 1, 0 }, { 0, 4 } }:nonzero()[2][1]:item() == 2)",
  },
  one_hot = {
    "A row for each label with 1 at its place, else 0.",
    args = { input = "labels, i64, from 1", num_classes = "-1: the largest label" },
    returns = { { "", "Tensor", "[... num_classes], i64" } },
    errors = "a label outside 1 to num_classes",
    example = "assert(mlpl.tensor({ 1, 3 }, { dtype = 'i64' }):one_hot()[2][3]:item() == 1)",
  },
  tile = {
    "The tensor repeated along its axes; missing axes stand in front.",
    args = { dims = "how often, for each axis" }, errors = "a negative number",
    example = "assert(mlpl.tensor { 1, 2 }:tile(2, 2).shape[2] == 4)",
  },
  repeat_interleave = {
    "Every element of an axis as often as repeats says, one count for all or one for each; without "
      .. "dim, of all elements as one row.",
    args = { repeats = "a number, or a tensor of counts" },
    memory = "a copy", errors = axis .. "; counts below 0, or not one for each element",
    example = "local x = mlpl.tensor { 1, 2 }\nassert(x:repeat_interleave(2)[2]:item() == 1)\n"
      .. "assert(x:repeat_interleave { repeats = { 0, 3 } }[1]:item() == 2)",
  },
  flip = {
    "The elements in reverse order along axes.", errors = axis .. "; one twice",
    example = "assert(mlpl.tensor { 1, 2 }:flip(1)[1]:item() == 2)",
  },
  roll = {
    "The elements moved along axes, those that leave come in at the other end; without dims "
      .. "the flattened tensor is rolled.",
    args = { shifts = "how far, for each axis" }, errors = axis .. "; not as many shifts as axes",
    example = "assert(mlpl.tensor { 1, 2, 3 }:roll(1)[1]:item() == 3)",
  },
  rot90 = {
    "A plane turned k times by 90 degrees, from the first axis of dims to the second.",
    args = { k = "how often; backwards where negative", dims = "two axes; the first two" }, errors = axis .. "; not two axes",
    example = "assert(mlpl.tensor { { 1, 2 }, { 3, 4 } }:rot90()[1][1]:item() == 2)",
  },
  fliplr = {
    "The columns in the opposite order: flip(2).", errors = "fewer than two axes",
    example = "assert(mlpl.tensor { { 1, 2 } }:fliplr()[1][1]:item() == 2)",
  },
  flipud = {
    "The rows in the opposite order: flip(1).", errors = "no axes",
    example = "assert(mlpl.tensor { { 1 }, { 2 } }:flipud()[1][1]:item() == 2)",
  },
  tril = {
    "Matrices with 0 above a diagonal.",
    args = { diagonal = "above the main one; below where negative" },
    errors = "fewer than two axes", example = "assert(mlpl.ones(3, 3):tril():sum():item() == 6)",
    example_in_place = "assert(mlpl.ones(3, 3):tril_():sum():item() == 6)",
  },
  triu = {
    "Matrices with 0 below a diagonal.",
    args = { diagonal = "above the main one; below where negative" },
    errors = "fewer than two axes", example = "assert(mlpl.ones(3, 3):triu(1):sum():item() == 3)",
    example_in_place = "assert(mlpl.ones(3, 3):triu_():sum():item() == 6)",
  },
  diag = {
    "Of a vector the matrix with it as diagonal, of a matrix its diagonal.",
    args = { diagonal = "above the main one; below where negative" },
    errors = "more than two axes",
    example = "assert(mlpl.tensor { 1, 2 }:diag()[2][2]:item() == 2)",
  },
  diagflat = {
    "A matrix with all elements of the input, in order, as diagonal.",
    args = { offset = "above the main diagonal; below where negative" },
    example = "assert(mlpl.ones(2, 2):diagflat().shape[1] == 4)",
  },
  diag_embed = {
    "Matrices with the last axis as diagonal, in two new axes.",
    args = { offset = "above the main diagonal; below where negative" },
    errors = "axes that the result does not have; one twice",
    example = "assert(mlpl.ones(5, 2):diag_embed().shape[3] == 2)",
  },
  pad = {
    "The tensor with places added at the ends of its last axes; negative numbers take places "
      .. "away in mode 'constant'.",
    args = { pad = "before and behind the last axis, then of the one before it, ...",
      mode = "'constant' value, 'reflect' without the edge, 'replicate' the edge, 'circular'",
      value = "of mode 'constant'" },
    errors = "an odd count of numbers; more than the mode can take from the axis; a value that "
      .. "the dtype cannot hold",
    example = "local y = nn.pad(mlpl.tensor { 1, 2 }, { 1, 0 }, 'constant', 9)\n"
      .. "assert(y[1]:item() == 9 and y.shape[1] == 3)",
  },
}
