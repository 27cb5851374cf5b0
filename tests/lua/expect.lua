-- What tests expect, said in one line: values of tensors, and the exact text of errors.

local lu = require "luaunit"

local expect = {}

local function compare(found, wanted, tolerance, where)
  if type(wanted) == "table" then
    lu.assertIsTable(found, where)
    lu.assertEquals(#found, #wanted, "entries at " .. where)
    for i, each in ipairs(wanted) do
      compare(found[i], each, tolerance, where .. "[" .. i .. "]")
    end
  elseif wanted ~= wanted then
    lu.assertNaN(found)
  elseif type(wanted) == "number" and tolerance > 0 then
    local near = math.abs(found - wanted) <= tolerance * math.max(1, math.abs(wanted))
    if not near then lu.fail(("%s: %.17g, expected %.17g"):format(where, found,
      wanted)) end
  else
    lu.assertEquals(found, wanted, where)
  end
end

-- The elements of a tensor are those of nested tables: exactly, or within a relative
-- tolerance
-- (absolute below 1).
function expect.values(tensor, wanted, tolerance)
  compare(tensor:totable(), wanted, tolerance or 0, "x")
end

-- The message of an error without the place in a script that it begins with.
function expect.message(f, ...)
  local ok, message = pcall(f, ...)
  if ok then lu.fail("no error was raised") end
  lu.assertIsString(message)
  return (message:gsub("^[^\n:]+%.lua:%d+: ", ""))
end

-- f(...) raises exactly this sentence.
function expect.fails(text, f, ...)
  lu.assertEquals(expect.message(f, ...), text)
end

-- f(...) gives nil, exactly this sentence, and the code.
function expect.refuses(text, code, f, ...)
  local value, message, found = f(...)
  lu.assertNil(value)
  lu.assertEquals(message, text)
  lu.assertEquals(found, code)
end

return expect
