-- Which values an option takes, by the engine's description of it: for the tests of misuse.

local mlpl = require "mlpl"

local domains = {}

local tensor_meta = debug.getmetatable(mlpl.zeros(1))

local MOST_AXES = 8

local function whole(v) return math.type(v) ~= nil and math.tointeger(v) end

-- An array of whole numbers and nothing else.
local function array_of_wholes(v)
  if type(v) ~= "table" or rawlen(v) > MOST_AXES then return false end
  for key, each in next, v do
    if not whole(each) or math.type(key) ~= "integer" then return false end
  end
  return true
end

local function within(p, v)
  return v >= (p.min or -math.huge) and v <= (p.max or math.huge)
end

-- Does the option take a value like that? What it says of it afterwards (an axis that the
-- tensor does not have, sizes that do not fit) depends on the inputs.
local takes = {
  integer = function(p, v) return whole(v) and within(p, whole(v)) end,
  number = function(p, v)
    return type(v) == "number" and (v ~= v and p.nan or within(p, v))
  end,
  boolean = function(_, v) return type(v) == "boolean" end,
  axis = function(_, v) return whole(v) and whole(v) ~= 0 end,
  index = function(_, v) return whole(v) and whole(v) ~= 0 end,
  axes = function(_, v)
    return whole(v) and whole(v) ~= 0 or array_of_wholes(v)
  end,
  ["axis list"] = function(_, v) return whole(v) and whole(v) ~= 0 or array_of_wholes(v) end,
  sizes = function(_, v) return whole(v) or array_of_wholes(v) end,
  pair = function(p, v)
    return type(v) == "table" and rawlen(v) == 2 and type(rawget(v, 2)) == "number" and
      within(p, rawget(v, 1)) and within(p, rawget(v, 2))
  end,
  extent = function(p, v)
    for _, each in ipairs(p.choices or {}) do
      if v == each then return true end
    end
    return whole(v) and within(p, whole(v)) or array_of_wholes(v) and rawlen(v) > 0
  end,
  choice = function(p, v)
    local text = v
    if type(v) == "number" then
      text = whole(v) and ("%d"):format(whole(v)) or
        v == math.huge and "inf" or v == -math.huge and "-inf"
    end
    for _, each in ipairs(p.choices) do
      if text == each then return true end
    end
  end,
}

-- nil: not to be told from the value alone; a tensor or several numbers for an option that
-- may be one have to fit the inputs.
function domains.option_takes(p, v)
  if v == nil then return not p.required end
  local is_tensor = type(v) == "userdata" and debug.getmetatable(v) == tensor_meta
  if p.tensor and (is_tensor or type(v) == "table" and rawlen(v) > 0) then return nil end
  return (takes[p.type] or error(p.type))(p, v) and true or false
end

-- Other words for an option, where the sentence is about one of its numbers.
local also = {
  sizes = { "size" }, axis = { "axis" }, axes = { "axis", "axes" },
  ["axis list"] = { "axis", "axes" },
}

function domains.names_of_option(p)
  local names = { p.name }
  for _, name in ipairs(also[p.type] or {}) do names[#names + 1] = name end
  return names
end

return domains
