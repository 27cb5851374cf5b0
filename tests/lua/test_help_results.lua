-- What the help says of an operation's results: every one has a text that tells its shape, and
-- what families of operations promise is what a call gives.

local lu = require "luaunit"
local mlpl = require "mlpl"
local earnest = require "earnest"

-- Every public row once: its description and the results that its entry tells.
local function rows()
  local list, seen = {}, {}
  for _, name in ipairs(mlpl._describe_op()) do
    local row = mlpl._describe_op(name)
    if not row.internal and not seen[row.name] then
      seen[row.name] = true
      local path = row.group == "linalg" and "linalg." .. row.name or row.name
      list[#list + 1] = { row = row, returns = assert(mlpl.help.entry(path), path).returns }
    end
  end
  return list
end

local function call(row, inputs, options)
  local holder = row.group and mlpl[row.group] or mlpl
  local args = row.list and { inputs } or table.move(inputs, 1, #row.inputs, 1, {})
  local n = row.list and 1 or #inputs
  args[n + 1] = next(options) and options or nil
  return holder[row.name](table.unpack(args, 1, n + 1))
end

-- The shape that all of the inputs broadcast to; numbers have none.
local function broadcast(inputs)
  local most, shape, shapes = 0, {}, {}
  for i, x in ipairs(inputs) do
    shapes[i] = type(x) == "number" and {} or x.shape
    most = math.max(most, #shapes[i])
  end
  for i = 1, most do
    shape[i] = 1
    for _, each in ipairs(shapes) do
      local size = each[i - most + #each]
      if size and size ~= 1 then shape[i] = size end
    end
  end
  return shape
end

local function list_of(shape) return table.move(shape, 1, #shape, 1, {}) end

local function without(shape, axis, keepdim)
  shape = list_of(shape)
  if keepdim then shape[axis] = 1 else table.remove(shape, axis) end
  return shape
end

local failures

local function check(row, what, shape, wanted)
  shape, wanted = table.concat(shape, " x "), table.concat(wanted, " x ")
  if shape == wanted then return end
  failures[#failures + 1] = ("%s%s: [%s], by its text [%s]"):format(row.name, what, shape, wanted)
end

-- Also where one of the inputs has a first axis of size 1.
local function check_broadcast(row, text)
  for short = 0, #row.inputs do
    local inputs, options = earnest.of(row)
    local x = text:find("%f[%w]" .. (row.inputs[short] or { name = "?" }).name .. "%f[%W]") and
      inputs[short]
    if x and type(x) ~= "number" and #x.shape == 2 then inputs[short] = x:narrow(1, 1, 1) end
    local named = {}
    for i, input in ipairs(row.inputs) do
      if text:find("%f[%w]" .. input.name .. "%f[%W]") then named[#named + 1] = inputs[i] end
    end
    check(row, " broadcast", call(row, inputs, options).shape, broadcast(named))
  end
end

local function check_reduction(row, text)
  for _, keepdim in ipairs { false, true } do
    for axis = 1, 2 do
      local inputs, options = earnest.of(row)
      options.dim, options.keepdim = axis, keepdim
      check(row, " dim", call(row, inputs, options).shape,
        without(inputs[1].shape, axis, keepdim))
    end
    if text:find("where it is left out", 1, true) then
      local inputs, options = earnest.of(row)
      options.dim, options.keepdim = nil, keepdim
      check(row, " of all", call(row, inputs, options).shape, keepdim and { 1, 1 } or {})
    end
  end
end

local function check_loss(row, text)
  for _, reduction in ipairs { "mean", "sum", "none" } do
    local inputs, options = earnest.of(row)
    options.reduction = reduction
    local shape = list_of(inputs[1].shape)
    if text:find "without the classes" then table.remove(shape, 2) end
    check(row, " " .. reduction, call(row, inputs, options).shape,
      reduction == "none" and shape or {})
  end
end

local function check_same(row)
  local inputs, options = earnest.of(row)
  for i, y in ipairs { call(row, inputs, options) } do
    check(row, " result " .. i, y.shape, inputs[1].shape)
  end
end

-- The first check whose pattern the text has is the family's.
local families = {
  { "^a single number; with reduction", check_loss },
  { "^the shape that [%w, ]+ broadcast to$", check_broadcast },
  { "^input's shape without the ax[ei]s dim.*or with size 1 there %(keepdim%)", check_reduction },
  { "^[%w_]+'s? shape$", check_same },
}

TestHelpResults = {}

function TestHelpResults:test_every_result_tells_its_shape()
  local missing = {}
  for _, each in ipairs(rows()) do
    for i, r in ipairs(each.returns) do
      local text = r[3] or ""
      local tells = text:find "shape" or text:find "%[.*%]" or text:find "size" or
        text:find "^a single number" or i > 1 and text:find "^likewise"
      if not tells then missing[#missing + 1] = ("%s %d: %s"):format(each.row.name, i, text) end
    end
    if #each.returns ~= each.row.outputs then missing[#missing + 1] = each.row.name end
  end
  lu.assertEquals(missing, {})
end

function TestHelpResults:test_families_keep_their_promises()
  failures = {}
  local count = {}
  for _, each in ipairs(rows()) do
    local text = each.returns[1][3]
    for i, family in ipairs(families) do
      local of_first = i < #families or text:find("^" .. each.row.inputs[1].name:gsub("s$", ""))
      if text:find(family[1]) and of_first then
        count[i] = (count[i] or 0) + 1
        family[2](each.row, text)
        break
      end
    end
  end
  lu.assertEquals(failures, {})
  lu.assertTrue(count[1] >= 13 and count[2] > 35 and count[3] > 15 and count[4] >= 90,
    table.concat(count, " "))
end

-- Single numbers have no axes; matrices as their letters say.
function TestHelpResults:test_single_numbers()
  failures = {}
  for _, each in ipairs(rows()) do
    local inputs, options = earnest.of(each.row)
    if each.returns[1][3] == "a single number" then
      check(each.row, "", call(each.row, inputs, options).shape, {})
    end
  end
  lu.assertEquals(failures, {})
end

-- As many axes as a bracket has letters, without one that stands for a stack.
function TestHelpResults:test_brackets_have_as_many_axes_as_letters()
  failures = {}
  for _, each in ipairs(rows()) do
    local inside = each.returns[1][3]:match "^%[([%a ]+)%]$"
    if inside then
      local inputs, options = earnest.of(each.row)
      local shape = call(each.row, inputs, options).shape
      local _, crosses = inside:gsub(" x ", "")
      check(each.row, " axes", { #shape }, { crosses + 1 })
    end
  end
  lu.assertEquals(failures, {})
end

function TestHelpResults:test_the_text_shows_it()
  lu.assertStrContains(mlpl.help.text "matmul", "[... m x n]; without the axis of a vector")
  lu.assertStrContains(mlpl.help.text "sum", "or with size 1")
  lu.assertStrContains(mlpl.help.text "argmax", "(keepdim); i64")
  lu.assertStrContains(mlpl.help.text "clip", "input and the bounds broadcast to")
end

-- Only the padding of a convolution may be a word.
function TestHelpResults:test_types_of_extents()
  local conv, pool = mlpl.help.text "conv2d", mlpl.help.text "avg_pool2d"
  lu.assertStrContains(conv, "padding        integer|integer[]|string")
  lu.assertStrContains(conv, "stride         integer|integer[], optional")
  lu.assertStrContains(pool, "padding        integer|integer[], optional")
end
