-- Values that no function expects, for the tests of misuse: a name and what makes one.

local lu = require "luaunit"
local mlpl = require "mlpl"

local odd = {}

local long = ("long "):rep(1 << 16)

local function released()
  local x = mlpl.zeros(2)
  x:release()
  return x
end

local function cycle()
  local t = {}
  t[1], t.t = t, t
  return t
end

local function hostile()
  local function raise() error("a metamethod ran") end
  local meta = { __index = raise, __len = raise, __newindex = raise, __pairs = raise }
  return setmetatable({}, meta)
end

local function constant(v) return function() return v end end

odd.values = {
  { "nil", constant(nil) },
  { "true", constant(true) },
  { "false", constant(false) },
  { "0", constant(0) },
  { "1.0", constant(1.0) },
  { "-1", constant(-1) },
  { "0.5", constant(0.5) },
  { "NaN", constant(0 / 0) },
  { "infinity", constant(math.huge) },
  { "-infinity", constant(-math.huge) },
  { "1e300", constant(1e300) },
  { "2^40", constant(1 << 40) },
  { "2^53", constant(1 << 53) },
  { "2^63 - 1", constant(math.maxinteger) },
  { "-2^63", constant(math.mininteger) },
  { "no text", constant "" },
  { "a text", constant "no_such_folder/text" },
  { "a long text", constant(long) },
  { "a zero byte", constant "a\0b" },
  { "{}", function() return {} end },
  { "{1, 'x'}", function() return { 1, "x" } end },
  { "{1, 2, 3}", function() return { 1, 2, 3 } end },
  { "{1, 2, ... 9}", function() return { 1, 2, 3, 4, 5, 6, 7, 8, 9 } end },
  { "a table in itself", cycle },
  { "a hostile table", hostile },
  { "a function", function() return function() return 1 end end },
  { "a coroutine", function() return coroutine.create(print) end },
  { "a file", function() return io.stdout end },
  { "a released tensor", released },
  { "a number in a tensor", function() return mlpl.tensor(1) end },
  { "an empty tensor", function() return mlpl.zeros(0) end },
  { "an i64 tensor", function() return mlpl.tensor({ 1, 2 }, { dtype = "i64" }) end },
  { "a u8 tensor", function() return mlpl.tensor({ 1, 2 }, { dtype = "u8" }) end },
  { "negative i64", function() return mlpl.tensor({ 1, -5 }, { dtype = "i64" }) end },
  { "a bool tensor", function() return mlpl.tensor { true, false } end },
  { "an f64 tensor", function() return mlpl.zeros(2, 3, { dtype = "f64" }) end },
  { "NaN in a tensor", function()
    return mlpl.tensor { { 0 / 0, math.huge, -math.huge }, { -0.0, 1e38, 1 } }
  end },
  { "a tensor with 8 axes", function() return mlpl.zeros(1, 1, 1, 1, 1, 1, 1, 1) end },
  { "a module", function() return mlpl.nn.ReLU() end },
  { "a generator", function() return mlpl.Generator(1) end },
  { "a metatable of ours", function() return debug.getmetatable(mlpl.zeros(1)) end },
}

local tensor_meta = debug.getmetatable(released())

function odd.is_tensor(v) return debug.getmetatable(v) == tensor_meta end

-- Was it released? It says so itself, whatever it is.
function odd.is_released(v)
  return odd.is_tensor(v) and not pcall(function() return v.dtype end)
end

-- The argument's place in a call, whole, as a pattern: "#2" is not in "#20".
local function pattern_of(name)
  local p = name:gsub("%p", "%%%0")
  local front = name:find "^[%w_]" and "%f[%w_]" or ""
  return front .. p .. "%f[^%w_]"
end

-- Does the message have the name, as a word of its own?
function odd.names(message, name) return message:find(pattern_of(name)) ~= nil end

-- What a sentence for users does not hold.
local internal = {
  "assert", "Assert", "%.[ch]:%d", "attempt to", "0x%x%x%x%x", "#%-", "%%[sdIp]",
  "internal", "a metamethod ran",
}

function odd.speaks_of_the_inside(message)
  for _, sign in ipairs(internal) do
    if message:find(sign) then return true end
  end
  return false
end

-- Fails where there are problems; all of them go to the file that MLPL_PROBLEMS names.
function odd.report(problems, calls)
  if #problems == 0 then return end
  local path = os.getenv "MLPL_PROBLEMS"
  if path then
    local file <close> = assert(io.open(path, "a"))
    file:write(table.concat(problems, "\n"), "\n")
  end
  lu.fail(("%d of %d calls:\n%s"):format(#problems, calls,
    table.concat(problems, "\n", 1, math.min(#problems, 10))))
end

return odd
