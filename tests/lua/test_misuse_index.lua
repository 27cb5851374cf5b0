-- The misuse matrix of indexing: x[key] and x[key] = value with every odd value in every place
-- of a key, and as the value. What a key names is found out here, by its own rules; the result
-- is that, or an error that speaks of the index, and then nothing was changed.

local lu = require "luaunit"
local mlpl = require "mlpl"
local odd = require "odd"

local ROWS, COLUMNS = 3, 4
local sizes = { ROWS, COLUMNS }

TestMisuseIndex = {}

-- Element i, j is 4 (i - 1) + j.
local function made(dtype)
  return mlpl.arange(ROWS * COLUMNS):reshape(ROWS, COLUMNS):to(dtype or "f32")
end

-- ---- what a key names -----------------------------------------------------------------

local function all(n)
  local places = {}
  for i = 1, n do places[i] = i end
  return places
end

-- A place along an axis of n, or nil.
local function place(v, n)
  local i = math.type(v) and math.tointeger(v)
  if not i or i == 0 or i > n or i < -n then return nil end
  return i > 0 and i or n + 1 + i
end

-- { first, last, step }: both ends included; empty where the last is just before the first.
local function range(t, n)
  local function whole(v) return math.type(v) and math.tointeger(v) end
  local step = t[3] == nil and 1 or whole(t[3])
  local first, last = place(t[1], n), place(t[2], n)
  if whole(t[1]) == n + 1 then first = n + 1 end
  if whole(t[2]) == 0 then last = 0 end
  if #t > 3 or not first or not last or not step or step < 1 or last < first - 1 then return end
  local places = {}
  while first <= last do
    places[#places + 1] = first
    if step > n then break end
    first = first + step
  end
  return places
end

-- The places that an entry names along an axis of n, and whether the axis goes; nil: none.
local function places_of(entry, n)
  if entry == nil then return all(n) end
  if math.type(entry) then
    local i = place(entry, n)
    return i and { i }, true
  end
  if odd.is_tensor(entry) then
    if odd.is_released(entry) or entry.dtype ~= "i64" or entry:dim() ~= 1 then return nil end
    local places = {}
    for k, v in ipairs(entry:totable()) do
      places[k] = place(v, n)
      if not places[k] then return nil end
    end
    return places
  end
  if type(entry) ~= "table" then return nil end
  for key in next, entry do
    if math.type(key) ~= "integer" then return nil end
  end
  if rawlen(entry) == 0 then return all(n) end
  return range(entry, n)
end

-- The same of a key: for rows and columns { places, whether the axis goes }.
local function named(key)
  local entries = { key }
  if type(key) == "table" and not odd.is_tensor(key) then
    entries = {}
    for k, v in next, key do
      if k ~= 1 and k ~= 2 then return nil end
      entries[k] = v
    end
    if entries[2] ~= nil and entries[1] == nil then return nil end  -- a hole
  elseif key == nil or type(key) == "string" then
    return nil
  end
  local found = {}
  for axis = 1, 2 do
    local places, goes = places_of(entries[axis], sizes[axis])
    if not places then return nil end
    found[axis] = { places = places, goes = goes }
  end
  return found
end

-- ---- one call -------------------------------------------------------------------------

local problems, calls, raised

local function mark(where, problem, shown)
  problems[#problems + 1] = ("%s: %s: %s"):format(where, problem, tostring(shown))
end

-- An error that says what is wrong with the index, or the value.
local function check_error(where, message, words)
  raised = raised + 1
  if type(message) ~= "string" or #message > 1000 then return mark(where, "no sentence", message) end
  if odd.speaks_of_the_inside(message) or message:find "bad argument" then
    mark(where, "speaks of what is inside", message)
  end
  for _, word in ipairs(words) do
    if odd.names(message, word) then return end
  end
  mark(where, "must name " .. table.concat(words, " or "), message)
end

local of_keys = { "index", "indices", "range", "mask", "field" }

local function check_part(where, found, part)
  local rows, columns = part[1], part[2]
  local shape, values = {}, {}
  for axis = 1, 2 do
    if not part[axis].goes then shape[#shape + 1] = #part[axis].places end
  end
  for _, i in ipairs(rows.places) do
    for _, j in ipairs(columns.places) do values[#values + 1] = COLUMNS * (i - 1) + j + 0.0 end
  end
  local ok = pcall(lu.assertEquals, { found.shape, found:reshape(-1):totable() }, { shape, values })
  if not ok then mark(where, "is not the part that the key names", found) end
end

local function check_read(where, key)
  local x = made()
  local part = named(key)
  local ok, result = pcall(function() return x[key] end)
  calls = calls + 1
  if not ok then
    if part then mark(where, "must be taken", result) end
    return check_error(where, result, of_keys)
  end
  if not part then return mark(where, "must raise", result) end
  check_part(where, result, part)
end

local function changed(part, value)
  local values = made():totable()
  for _, i in ipairs(part and part[1].places or {}) do
    for _, j in ipairs(part[2].places) do values[i][j] = value end
  end
  return values
end

local function check_write(where, key)
  local x = made()
  local part = named(key)
  local ok, message = pcall(function() x[key] = 77 end)
  calls = calls + 1
  if not ok then check_error(where, message, of_keys) end
  if ok ~= (part ~= nil) then mark(where, part and "must be taken" or "must raise", message) end
  if not pcall(lu.assertEquals, x:totable(), changed(part, 77.0)) then
    mark(where, "changed what it must not", x)
  end
end

-- ---- the matrix -----------------------------------------------------------------------

-- Keys with an odd value in one place.
local forms = {
  { "x[v]", function(v) return v end },
  { "x[{ v }]", function(v) return { v } end },
  { "x[{ {}, v }]", function(v) return { {}, v } end },
  { "x[{ v, {} }]", function(v) return { v, {} } end },
  { "x[{ { v, 2 } }]", function(v) return { { v, 2 } } end },
  { "x[{ { 1, v } }]", function(v) return { { 1, v } } end },
  { "x[{ { 1, 3, v } }]", function(v) return { { 1, 3, v } } end },
  { "x[{ {}, { 1, 4, v } }]", function(v) return { {}, { 1, 4, v } } end },
  { "x[{ 1, 1, v }]", function(v) return { 1, 1, v } end },
}

function TestMisuseIndex:setUp()
  calls, raised, problems = 0, 0, {}
end

local function report(what)
  print(("# %s: %d calls, %d raised"):format(what, calls, raised))
  odd.report(problems, calls)
end

function TestMisuseIndex:test_every_place_of_a_key()
  for _, form in ipairs(forms) do
    for _, each in ipairs(odd.values) do
      local where = form[1] .. ", v " .. each[1]
      check_read(where, form[2](each[2]()))
      check_write(where .. ", assigned", form[2](each[2]()))
    end
  end
  report("every place of a key")
  lu.assertTrue(calls > 600 and raised > 400)
end

-- What the number is as an element, or nil.
local function element(v, dtype)
  if type(v) == "boolean" then v = v and 1 or 0 end
  if dtype == "bool" then return v == 0 and 0 or 1 end   -- as C converts
  if dtype == "f32" then return string.unpack("f", string.pack("f", v)) end
  local whole = math.tointeger(v)
  if not whole or dtype == "u8" and (whole < 0 or whole > 255) then return nil end
  return whole
end

-- A tensor of one element is taken whatever the dtype, converted.
local function takes_value(v, dtype)
  if odd.is_tensor(v) then return not odd.is_released(v) and v:numel() == 1 end
  if type(v) ~= "number" and type(v) ~= "boolean" then return false end
  return element(v, dtype) ~= nil
end

local function check_value(dtype, name, v)
  local where = ("%s x[2] = %s"):format(dtype, name)
  local x, before = made(dtype), made(dtype)
  local ok, message = pcall(function() x[2] = v end)
  calls = calls + 1
  if ok ~= takes_value(v, dtype) then
    mark(where, ok and "must raise" or "must be taken", message)
  end
  if not ok then check_error(where, message, { "value", "values", "fit" }) end
  local same = x[1]:equal(before[1]) and x[3]:equal(before[3]) and (ok or x:equal(before))
  if not same then mark(where, "changed what it must not", x) end
  if not ok or odd.is_tensor(v) then return end
  local wanted = element(v, dtype)
  for _, found in ipairs(x[2]:totable()) do
    if dtype == "bool" then found = found and 1 or 0 end
    if found ~= wanted and wanted == wanted then mark(where, "wrong element", found) end
    if wanted ~= wanted and found == found then mark(where, "must be NaN", found) end
  end
end

function TestMisuseIndex:test_every_value()
  for _, dtype in ipairs { "f32", "i64", "u8", "bool" } do
    for _, each in ipairs(odd.values) do check_value(dtype, each[1], each[2]()) end
  end
  report("every value")
  lu.assertTrue(calls > 150 and raised > 80)
end
