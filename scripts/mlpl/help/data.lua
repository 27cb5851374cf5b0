-- mlpl.data: data sets, their batches, and the readers of files.

local outside = {
  { "message", "string?", "what is wrong then: file, line, column" },
  { "code", "string?", '"EIO" (cannot be read) or "EFORMAT" (not what it should be)' },
}

return {
  data = {
    "Data sets: rows of examples with what is to be predicted, read from files or made of "
      .. "tensors, divided into parts and given out in batches.",
    call = "data",
    example = [[
local ds = data.TensorDataset(mlpl.randn(10, 2), mlpl.randn(10, 1))
local train, test = ds:split(0.8, { shuffle = true })
for x, y in train:batches { size = 4 } do assert(#x == #y) end]],
  },
  ["data.csv"] = {
    "A table of numbers from a text file, plain or gzip: one row a line. Quotes, spaces round "
      .. "numbers, a first line of names and blank lines are understood. A column of labels may "
      .. "hold any text; classes are sorted, as numbers where all are numbers.",
    call = "data.csv(path, { labels, target, separator, header, dtype })",
    args = {
      { "path", "string", "of the file" },
      { "options", "table?", "labels: the column of class labels, by name or number (-1 is the "
        .. "last); target: instead, the column of a number to predict; separator: a character "
        .. "(otherwise comma, semicolon, tab or blanks, by the first line); header: whether the "
        .. "first line holds names (otherwise found out); dtype: \"f32\" (unless "
        .. "told otherwise) or \"f64\"" },
    },
    returns = { { "ds", "Dataset?", "nil where the file is at fault" }, outside[1], outside[2] },
    memory = "the data set has memory of its own; the file is read in parts",
    errors = "a file at fault (numbers missing, lines of another length) gives nil, message, code; "
      .. "a column that does not exist and unknown options raise",
    example = [[
local path = os.tmpname()
io.open(path, "w"):write("size,weight,kind\n1,2,cat\n3,4,dog\n"):close()
local ds = assert(data.csv(path, { labels = "kind" }))
os.remove(path)
assert(ds.classes[2] == "dog" and ds.x.shape[2] == 2)]],
  },
  ["data.idx"] = {
    "The IDX files of MNIST, plain or gzip. Two files, images and labels, make a data set: x from "
      .. "0 to 1 in f32, labels counted from 1, the classes named as the file has them ("
      .. '"0", "1", ...). One file is a tensor with the numbers as they are.',
    call = "data.idx(images, [labels])",
    args = {
      { "images", "string", "the path of a file" },
      { "labels", "string?", "the path of the labels' file" },
    },
    returns = { { "value", "Dataset|Tensor|nil", "nil where a file is at fault" }, outside[1],
      outside[2] },
    errors = "a file at fault gives nil, message, code",
    example = [[
local path = os.tmpname()
io.open(path, "wb"):write(string.pack(">BBBB I4 BBB", 0, 0, 8, 1, 3, 7, 8, 9)):close()
local x = assert(data.idx(path))
os.remove(path)
assert(x[3]:item() == 9 and x.dtype == "u8")]],
  },
  ["data.npy"] = {
    "An array of NumPy's .npy files, whatever the file's name ends in; see mlpl.load for the rest.",
    call = "data.npy(path)",
    args = { { "path", "string", "of the file" } },
    returns = { { "x", "Tensor?", "nil where the file is at fault" }, outside[1], outside[2] },
    errors = "a file at fault gives nil, message, code",
    example = [[
local path = os.tmpname() .. ".npy"
mlpl.save(path, mlpl.arange(3))
local x = assert(data.npy(path))
os.remove(path)
assert(x[3]:item() == 3)]],
  },
  ["data.TensorDataset"] = {
    "A data set of tensors: row i of x belongs to row i of y.",
    call = "data.TensorDataset(x, [y], { classes = nil })",
    args = {
      { "x", "Tensor", "[n x ...]" },
      { "y", "Tensor|table?", "[n] or [n x ...]; labels, i64 from 1, where there are classes" },
      { "options", "table?", "classes: their names, in an array" },
    },
    returns = { { "ds", "Dataset" } },
    memory = "holds x and y themselves: they are not copied",
    errors = "x and y that differ in rows, and labels that are no class, raise",
    example = [[
local y = mlpl.tensor({ 1, 2, 1 }, { dtype = "i64" })
local ds = data.TensorDataset(mlpl.randn(3, 2), y, { classes = { "no", "yes" } })
assert(#ds == 3 and ds.classes[y[2]:item()] == "yes")]],
  },
  Dataset = {
    "Rows of examples. #ds is their number.",
    call = "Dataset",
    fields = {
      { "x", "Tensor", "[n x ...]" },
      { "y", "Tensor?", "what is to be predicted: [n] or [n x ...]" },
      { "classes", "string[]", "their names, in the order of the labels; empty: no classes" },
      { "names", "string[]", "of x's columns; empty where the file had none" },
    },
    memory = "holds its tensors",
    example = "local ds = data.TensorDataset(mlpl.randn(3, 2))\nassert(#ds == 3 and ds.y == nil)",
  },
  ["Dataset.split"] = {
    "Two data sets, the first with a share of the rows, the second with the others.",
    call = "ds:split(share, { shuffle = false, stratify = false })",
    args = {
      { "share", "number", "between 0 and 1" },
      { "options", "table?", "shuffle: draw the rows at random (otherwise the first ones); "
        .. "stratify: the same share of every class" },
    },
    returns = { { "first", "Dataset", "round(share n) rows" }, { "second", "Dataset" } },
    memory = "copies of the rows",
    errors = "a share that is not between 0 and 1 raises, and so does stratify without classes",
    example = [[
local train, test = data.TensorDataset(mlpl.randn(10, 2)):split(0.8, { shuffle = true })
assert(#train == 8 and #test == 2)]],
  },
  ["Dataset.batches"] = {
    "One pass over the data set in batches, for a generic for: x and y of so many rows a time. "
      .. "With shuffle, a new order is drawn for every pass.",
    call = "ds:batches { size = 32, shuffle = false, drop_last = false }",
    args = { { "options", "table?", "size: rows of a batch; shuffle: in random order; drop_last: "
      .. "leave out a last batch that is smaller" } },
    returns = { { "batches", "Batches", "and what a generic for needs besides" } },
    memory = "without shuffle, batches are views of the data set; else copies of their rows",
    errors = "a size below 1 raises",
    example = [[
local ds, n = data.TensorDataset(mlpl.randn(10, 2)), 0
for x in ds:batches { size = 4, shuffle = true } do n = n + #x end
assert(n == 10)]],
  },
  ["Dataset.release"] = {
    "Lets go of the data set now, not when the collector comes by; tensors that something else "
      .. "refers to stay. A variable marked <close> does the same at the end of its block.",
    call = "ds:release()",
    errors = "using the data set afterwards raises",
    example = "local ds = data.TensorDataset(mlpl.randn(3, 2))\nds:release()",
  },
  Batches = {
    "A pass over a data set, from ds:batches: called, it gives the next x and y, and nil at the "
      .. "end. #batches is the number of batches in the whole pass.",
    call = "batches()",
    returns = { { "x", "Tensor?" }, { "y", "Tensor?", "none where the data set has no y" } },
    memory = "holds the data set's tensors until it is released; a for loop does so at its end",
    example = [[
local batches = data.TensorDataset(mlpl.randn(10, 2)):batches { size = 4 }
assert(#batches == 3 and #batches() == 4)]],
  },
  ["Batches.release"] = {
    "Ends the pass and lets go of its memory now. A for loop does so by itself.",
    call = "batches:release()",
    errors = "using the pass afterwards raises",
    example = "local batches = data.TensorDataset(mlpl.randn(3, 2)):batches()\nbatches:release()",
  },
}
