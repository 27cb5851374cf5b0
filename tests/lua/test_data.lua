local lu = require "luaunit"
local mlpl = require "mlpl"
local expect = require "expect"
local process = require "process"

local data = mlpl.data
local values, fails, refuses = expect.values, expect.fails, expect.refuses
local with_file = process.with_file

local function labels(v) return mlpl.tensor(v, { dtype = "i64" }) end

-- ---- data sets ------------------------------------------------------------------------

TestDataSets = {}

function TestDataSets:setUp()
  self.ds = data.TensorDataset(mlpl.arange(20):reshape(10, 2),
    labels { 1, 1, 1, 1, 1, 1, 2, 2, 2, 2 },
    { classes = { "no", "yes" } })
end

function TestDataSets:tearDown() self.ds = nil end

function TestDataSets:test_what_it_holds()
  local ds = self.ds
  lu.assertEquals(#ds, 10)
  lu.assertEquals(ds.x.shape, { 10, 2 })
  lu.assertIs(ds.x, ds.x)
  lu.assertEquals(ds.classes, { "no", "yes" })
  lu.assertEquals(ds.classes[ds.y[7]:item()], "yes")
  lu.assertEquals(ds.names, {})
  lu.assertEquals(tostring(ds), "data set of 10 rows, 2 classes")
  lu.assertNil(data.TensorDataset(mlpl.zeros(3)).y)
  lu.assertEquals(data.TensorDataset(mlpl.zeros(3), mlpl.zeros(3, 4)).y.shape, { 3, 4 })
  lu.assertEquals(data.TensorDataset(mlpl.zeros(3), {}).classes, {})
  fails("a data set has no field or method 'z'", function() return ds.z end)
  fails("a mlpl.Dataset has no field 'x' that can be set",
    function() ds.x = mlpl.zeros(1) end)
end

function TestDataSets:test_made_of_what_does_not_fit()
  local new, x = data.TensorDataset, mlpl.zeros(3, 2)
  fails("TensorDataset: x and y differ in rows: x is [3x2], y is [2]", new, x, mlpl.zeros(2))
  fails("TensorDataset: x is a scalar; it needs rows", new, mlpl.tensor(1))
  fails("TensorDataset: row 3 of the target is 3; with 2 classes labels run from 1 to 2", new,
    x, labels { 1, 2, 3 }, { classes = { "a", "b" } })
  fails("TensorDataset: row 1 of the target is 0; with 2 classes labels run from 1 to 2 " ..
    "(are these labels counted from 0? " ..
    "add 1)", new, x, labels { 0, 1, 0 }, { classes = { "a", "b" } })
  fails("TensorDataset: with classes y holds i64 labels [n]; it is f32 [3]", new, x,
    mlpl.ones(3), { classes = { "a" } })
  fails("TensorDataset: there are classes, but no y", new, x, { classes = { "a" } })
  fails("TensorDataset: class 2 is 5; it must be a name", new, x, labels { 1, 1, 1 },
    { classes = { "a", 5 } })
  fails("TensorDataset: classes is 'ab'; it must be an array of names", new, x,
    labels { 1, 1, 1 }, { classes = "ab" })
  fails("TensorDataset: unknown option 'class'; the options are classes", new, x,
    labels { 1, 1, 1 }, { class = {} })
  fails("TensorDataset: one argument too many: 5", new, x, labels { 1, 1, 1 }, {}, 5)
  fails("TensorDataset: the options are 5; they must be a table with names: { name = " ..
    "value }", new, x, nil, 5)
end

function TestDataSets:test_split()
  local a, b = self.ds:split(0.7)
  lu.assertEquals({ #a, #b }, { 7, 3 })
  values(a.x[7], { 13, 14 })
  values(b.x[1], { 15, 16 })
  lu.assertEquals(b.classes, { "no", "yes" })
  a, b = self.ds:split(0.25)                                   -- round(2.5)
  lu.assertEquals({ #a, #b }, { 3, 7 })
end

function TestDataSets:test_split_shuffled_and_stratified()
  mlpl.seed(1)
  local a, b = self.ds:split(0.5, { shuffle = true, stratify = true })
  lu.assertEquals({ #a, #b }, { 5, 5 })
  local count = { 0, 0 }
  for _, c in ipairs(a.y:totable()) do count[c] = count[c] + 1 end
  lu.assertEquals(count, { 3, 2 })
  local seen = {}
  for _, part in ipairs { a, b } do
    for i, row in ipairs(part.x:totable()) do
      seen[row[1]] = true
      lu.assertEquals(row[2], row[1] + 1)
      lu.assertEquals(part.y[i]:item(), row[1] > 12 and 2 or 1)
    end
  end
  for v = 1, 19, 2 do lu.assertTrue(seen[v]) end
  mlpl.seed(1)
  local again = self.ds:split(0.5, { shuffle = true, stratify = true })
  lu.assertEquals(again.x:totable(), a.x:totable())
end

function TestDataSets:test_split_misused()
  local ds = self.ds
  fails("split: the share is missing; it must be a number between 0 and 1", ds.split, ds)
  fails("split: the share is '0.5'; it must be a number between 0 and 1", ds.split, ds,
    "0.5")
  fails("split: share 0 is not between 0 and 1", ds.split, ds, 0)
  fails("split: share 1 is not between 0 and 1", ds.split, ds, 1)
  fails("split: share 80 is not between 0 and 1", ds.split, ds, 80)
  fails("split: unknown option 'shufle'; the options are shuffle, stratify", ds.split, ds,
    0.5, { shufle = true })
  fails("split: shuffle is 1; it must be true or false", ds.split, ds, 0.5,
    { shuffle = 1 })
  fails("split: the options are true; they must be a table with names: { name = value }",
    ds.split, ds, 0.5, true)
  local plain = data.TensorDataset(mlpl.zeros(4, 1))
  fails("split: stratify needs a data set with classes", plain.split, plain, 0.5,
    { stratify = true })
end

function TestDataSets:test_batches()
  local sizes, seen = {}, {}
  for x, y in self.ds:batches { size = 4 } do
    sizes[#sizes + 1] = #x
    lu.assertEquals(#y, #x)
    for _, row in ipairs(x:totable()) do seen[#seen + 1] = row[1] end
  end
  lu.assertEquals(sizes, { 4, 4, 2 })
  lu.assertEquals(seen, { 1, 3, 5, 7, 9, 11, 13, 15, 17, 19 })
  sizes = {}
  for x in self.ds:batches { size = 4, drop_last = true } do sizes[#sizes + 1] = #x end
  lu.assertEquals(sizes, { 4, 4 })
  lu.assertEquals(#self.ds:batches { size = 4 }, 3)
  lu.assertEquals(#self.ds:batches(), 1)
  lu.assertEquals(#self.ds:batches {}, 1)
  for _, y in data.TensorDataset(mlpl.zeros(2, 1)):batches() do lu.assertNil(y) end
  for _ in data.TensorDataset(mlpl.zeros(0,
    1)):batches() do lu.fail("a batch of nothing") end
end

function TestDataSets:test_batches_shuffled()
  mlpl.seed(3)
  local function pass()
    local seen = {}
    for x, y in self.ds:batches { size = 3, shuffle = true } do
      for i, row in ipairs(x:totable()) do
        seen[#seen + 1] = row[1]
        lu.assertEquals(y[i]:item(), row[1] > 12 and 2 or 1)
      end
    end
    return seen
  end
  local first, second = pass(), pass()
  lu.assertNotEquals(first, second)
  lu.assertItemsEquals(first, second)
  mlpl.seed(3)
  lu.assertEquals(pass(), first)
end

function TestDataSets:test_batches_misused()
  local ds = self.ds
  fails("batches: size 0 is less than 1", ds.batches, ds, { size = 0 })
  fails("batches: size is 2.5; it must be a whole number", ds.batches, ds, { size = 2.5 })
  fails("batches: shuffle is 'yes'; it must be true or false", ds.batches, ds,
    { shuffle = "yes" })
  fails("batches: unknown option 'batch_size'; the options are size, shuffle, drop_last",
    ds.batches, ds, { batch_size = 2 })
  fails("batches: the options are 32; they must be a table with names: { name = value }",
    ds.batches, ds, 32)
  fails("batches: the options are an array; they must be a table with names: { name " ..
    "= value }", ds.batches, ds, { 32 })
  local pass = ds:batches()
  fails("a pass of batches has no field or method 'x'", function() return pass.x end)
  pass()
  lu.assertNil(pass())
  lu.assertNil(pass())
  pass:release()
  lu.assertStrContains(expect.message(pass), "was released")
end

-- ---- CSV ------------------------------------------------------------------------------

TestDataCsv = {}

local flowers = "width,height,kind\n1.5,2,rose\n3,4,daisy\n5,6e-1,rose\n"

function TestDataCsv:test_labels_count_from_one_and_classes_have_names()
  with_file(flowers, function(path)
    for _, column in ipairs { "kind", -1, 3, 3.0, "3" } do
      local ds = assert(data.csv(path, { labels = column }))
      lu.assertEquals(ds.classes, { "daisy", "rose" })
      lu.assertEquals(ds.y:totable(), { 2, 1, 2 })
      lu.assertEquals(ds.y.dtype, "i64")
      values(ds.x, { { 1.5, 2 }, { 3, 4 }, { 5, 0.6 } }, 1e-7)
      lu.assertEquals(ds.names, { "width", "height" })
    end
  end)
end

function TestDataCsv:test_labels_that_are_numbers_sort_as_numbers()
  with_file("10,1\n9,2\n0,3\n10,4\n", function(path)
    local ds = assert(data.csv(path, { labels = 1 }))
    lu.assertEquals(ds.classes, { "0", "9", "10" })
    lu.assertEquals(ds.y:totable(), { 3, 2, 1, 3 })
  end)
end

function TestDataCsv:test_targets_separators_headers_dtypes()
  with_file("1;2;0.1\n4;5;6\n", function(path)
    local ds = assert(data.csv(path, { target = -1, dtype = "f64" }))
    values(ds.y, { { 0.1 }, { 6 } })
    values(ds.x, { { 1, 2 }, { 4, 5 } })
    lu.assertEquals(ds.x.dtype, "f64")
    lu.assertEquals(#assert(data.csv(path, { separator = ";", header = true })), 1)
    lu.assertEquals(#assert(data.csv(path)), 2)
    lu.assertEquals(#assert(data.csv(path, {})), 2)
  end)
  with_file("1 2\n 3\t4 \n",
    function(path) values(assert(data.csv(path)).x, { { 1, 2 }, { 3, 4 } }) end)
end

function TestDataCsv:test_bad_files()
  local function bad(text, problem, options)
    with_file(text, function(path)
      refuses(("csv: %s%s"):format(path, problem), "EFORMAT", data.csv, path, options)
    end)
  end
  bad("1,2,3\n4,5,6\n7,8\n", ": line 3 has 2 columns, expected 3")
  bad("1,2\n3,4,5\n", ": line 2 has 3 columns, expected 2")
  bad("a,b\n1,2\n\n3,x\n", ": line 4, column 2 (b): 'x' is not a number")
  bad("1,2\n3,\n", ": line 2, column 2: a number is missing")
  bad("1,2\n3,1e99\n", ": line 2, column 2: '1e99' is too large for the dtype")
  bad("1,a\n2,\n", ": line 2, column 2: the label is missing", { labels = 2 })
  bad("1,\"2\n", ": line 1: a quote is not closed")
  bad("", " is empty")
  bad("a,b\n", " has a line of names and no rows")
  bad("1,\0\n", ": line 1 holds a NUL byte; is this a text file?")
  bad("a\nb\n", ": line 1 has one column, and nothing is left for x", { labels = 1 })
end

function TestDataCsv:test_no_file()
  refuses("cannot open no_such_file.csv: No such file or directory", "EIO", data.csv,
    "no_such_file.csv")
  refuses("cannot open '': No such file or directory", "EIO", data.csv, "")
  refuses("cannot read tests: Is a directory", "EIO", data.csv, "tests")
  lu.assertStrContains(expect.message(data.csv, "a\0b"), "a path cannot hold a zero byte")
  lu.assertStrContains(expect.message(data.csv), "string expected, got no value")
end

function TestDataCsv:test_misused()
  with_file(flowers, function(path)
    local function wrong(text, options)
      fails("csv: " .. text:gsub("PATH", path), data.csv, path, options)
    end
    wrong("unknown option 'label'; the options are labels, target, separator, " ..
      "header, dtype", { label = 1 })
    wrong("the options are -1; they must be a table with names: { name = value }", -1)
    wrong("PATH: there is no column 'colour'; columns are numbered 1 to 3, or named " ..
      "width, height, kind", { labels = "colour" })
    wrong("PATH: there is no column '4'; columns are numbered 1 to 3, or named " ..
      "width, height, kind", { labels = 4 })
    wrong("PATH: there is no column '0'; columns are numbered 1 to 3, or named " ..
      "width, height, kind", { labels = 0 })
    wrong("labels is 1.5; it must be a whole number", { labels = 1.5 })
    wrong("labels is true; it must be a column's name or number", { labels = true })
    wrong("labels '1' and target '2': give one of them", { labels = 1, target = 2 })
    wrong("separator is ', '; it must be one character", { separator = ", " })
    wrong("'.' cannot separate columns", { separator = "." })
    wrong("header is 1; it must be true or false", { header = 1 })
    wrong("dtype must be f32 or f64", { dtype = "i64" })
  end)
  -- a first row is not taken for names
  with_file("1,2\n3,4\n", function(path)
    fails(("csv: %s: there is no column '3'; columns are numbered 1 to 2"):format(path),
      data.csv, path, { labels = 3 })
  end)
end

-- ---- gzip -----------------------------------------------------------------------------

TestDataGzip = {}

local digits = "examples/data/digits.csv.gz"

local function bytes_of(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

function TestDataGzip:test_plain_and_packed_are_the_same()
  local ds = assert(data.csv(digits, { labels = -1 }))
  lu.assertEquals(#ds, 1797)
  lu.assertEquals(ds.x.shape, { 1797, 64 })
  lu.assertEquals(ds.classes, { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9" })
end

function TestDataGzip:test_cut_off_anywhere()
  local whole = bytes_of(digits)
  for _, n in ipairs { 2, 9, 10, 11, 1000, #whole // 2, #whole - 9, #whole - 8,
    #whole - 1 } do
    with_file(whole:sub(1, n), function(path)
      refuses(path .. ": gzip: the file ends before the data does (truncated)", "EFORMAT",
        data.csv, path)
    end)
  end
end

function TestDataGzip:test_damaged()
  local whole = bytes_of(digits)
  local function damage(at)
    return whole:sub(1, at - 1) .. string.char(whole:byte(at) ~ 0xff) .. whole:sub(at + 1)
  end
  for _, at in ipairs { 3, 11, #whole // 2, #whole - 6, #whole - 2 } do
    with_file(damage(at), function(path)
      local ds, message, code = data.csv(path)
      lu.assertNil(ds)
      lu.assertStrContains(message, path)
      lu.assertEquals(code, "EFORMAT")
    end)
  end
  with_file(whole .. "more", function(path)
    refuses(path .. ": gzip: bytes that are no gzip follow its end", "EFORMAT", data.csv,
      path)
  end)
end

-- ---- IDX ------------------------------------------------------------------------------

TestDataIdx = {}

local images = string.pack(">BBBBI4I4I4", 0, 0, 8, 3, 2, 2,
  2) .. "\0\51\102\153\204\255\0\255"
local two_labels = string.pack(">BBBBI4", 0, 0, 8, 1, 2) .. "\3\0"

function TestDataIdx:test_a_pair_is_a_data_set()
  with_file(images, function(x) with_file(two_labels, function(y)
    local ds = assert(data.idx(x, y))
    values(ds.x, { { { 0, 0.2 }, { 0.4, 0.6 } }, { { 0.8, 1 }, { 0, 1 } } }, 1e-7)
    lu.assertEquals(ds.y:totable(), { 4, 1 })
    lu.assertEquals(ds.classes, { "0", "1", "2", "3" })
    lu.assertEquals(ds.classes[ds.y[1]:item()], "3")
  end) end)
end

function TestDataIdx:test_a_file_is_a_tensor()
  with_file(images, function(path)
    local t = assert(data.idx(path))
    lu.assertEquals(t.dtype, "u8")
    lu.assertEquals(t:flatten():totable(), { 0, 51, 102, 153, 204, 255, 0, 255 })
  end)
  with_file(string.pack(">BBBBI4i2i2", 0, 0, 0x0b, 1, 2, -2, 300), function(path)
    lu.assertEquals(assert(data.idx(path)):totable(), { -2, 300 })
  end)
end

function TestDataIdx:test_packed_and_cut_off()
  if not process.has "gzip" then return lu.skip("there is no gzip") end
  with_file(images, function(path)
    process.shell("gzip -k " .. path)
    local packed = bytes_of(path .. ".gz")
    os.remove(path .. ".gz")
    with_file(packed,
      function(other) lu.assertEquals(assert(data.idx(other)).shape, { 2, 2, 2 }) end)
    with_file(packed:sub(1, -3), function(other)
      refuses(other .. ": gzip: the file ends before the data does (truncated)",
        "EFORMAT", data.idx, other)
    end)
  end)
end

function TestDataIdx:test_bad_files()
  local function bad(text, problem)
    with_file(text, function(path)
      refuses(("idx: %s%s"):format(path, problem), "EFORMAT", data.idx, path)
      lu.assertNil((data.idx(path, path)))
    end)
  end
  bad("", " is truncated: a header of 4 bytes was expected, 0 are there")
  bad(images:sub(1, 10), " is truncated: a header of 16 bytes was expected, 10 are there")
  bad(images:sub(1, -2), " is truncated: data of 8 bytes was expected, 7 are there")
  bad(images .. "x", ": bytes follow the 8 of its data")
  bad("PK\3\4more", " is no IDX file: it begins with 50 4b 03 04, not 00 00")
  bad("\0\0\7\1\0\0\0\1x", ": element type 07 is none of 08, 09, 0b, 0c, 0d, 0e")
  bad("\0\0\8\9\0\0\0\1x", ": 9 axes; there may be 1 to 8")
  bad("\0\0\8\3" .. ("\255"):rep(12) .. "x",
    ": sizes [4294967295x4294967295x4294967295] are too large")
  bad("\0\0\8\1\255\255\255\255x",
    " is truncated: data of 4294967295 bytes was expected, 1 are there")
end

function TestDataIdx:test_pairs_that_do_not_fit()
  with_file(images, function(x)
    with_file(string.pack(">BBBBI4", 0, 0, 8, 1, 3) .. "\1\2\3", function(y)
      refuses(("idx: %s has 2 images, %s has 3 labels"):format(x, y), "EFORMAT", data.idx,
        x, y)
    end)
    refuses(("idx: %s: labels have one axis; this file has 3"):format(x), "EFORMAT",
      data.idx, x, x)
    refuses("cannot open no_such_file: No such file or directory", "EIO", data.idx, x,
      "no_such_file")
    refuses("cannot open no_such_file: No such file or directory", "EIO", data.idx,
      "no_such_file")
    lu.assertStrContains(expect.message(data.idx, x, 0 / 0 > 1),
      "string expected, got boolean")
  end)
end

-- ---- accuracy -------------------------------------------------------------------------

TestDataAccuracy = {}

function TestDataAccuracy:test_share_of_rows()
  local accuracy = mlpl.metrics.accuracy
  local scores = mlpl.tensor { { 1, 2 }, { 2, 1 }, { 3, 3 }, { 0, 1 } }
  lu.assertEquals(accuracy(scores, labels { 2, 2, 1, 2 }), 0.75)
  lu.assertEquals(accuracy(scores:argmax(2), labels { 2, 2, 1, 2 }), 0.75)
  lu.assertNaN(accuracy(mlpl.zeros(0, 2), labels {}))
end

function TestDataAccuracy:test_misused()
  local accuracy, scores = mlpl.metrics.accuracy, mlpl.zeros(2, 3)
  fails("accuracy: row 2 of the target is 4; with 3 classes labels run from 1 to 3",
    accuracy, scores, labels { 1, 4 })
  fails("accuracy: the target is f32; labels are i64", accuracy, scores, mlpl.ones(2))
  fails("accuracy: expected scores [n x k] or labels [n] and a target [n]: they are " ..
    "[2x3] and [3]", accuracy, scores, labels { 1, 2, 3 })
  fails("accuracy: the labels in scores are f32; they are i64", accuracy, mlpl.ones(2), labels { 1, 1 })
end
