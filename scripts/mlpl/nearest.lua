-- Near misses. nearest(name, names, form) gives "; did you mean 'zeros'?", to be appended
-- to a message about a name that does not exist, or "" where nothing is near. form is how
-- a name is shown, "'%s'" unless told.

-- How many characters must be typed, left out, changed or swapped to come from a to b.
local function distance(a, b)
  local before, row = {}, {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local new = { [0] = i }
    for j = 1, #b do
      local same = a:byte(i) == b:byte(j)
      local cost = math.min(row[j] + 1, new[j - 1] + 1, row[j - 1] + (same and 0 or 1))
      if i > 1 and j > 1 and a:sub(i - 1, i) == b:sub(j - 1, j):reverse() then
        cost = math.min(cost, before[j - 2] + 1)
      end
      new[j] = cost
    end
    before, row = row, new
  end
  return row[#b]
end

-- The spelling counts, case and underscores only among equals; a name cut short is near.
local function apart(name, known)
  local a, b = name:lower():gsub("[_-]", ""), known:lower():gsub("[_-]", "")
  if #a >= 2 and #a < #b and b:sub(1, #a) == a then return 1.5 end
  return distance(a, b) + distance(name, known) / 1000
end

local LONGEST = 100   -- no name is near a longer text, and comparing takes its length squared

return function(name, names, form)
  if type(name) ~= "string" or #name < 2 or #name > LONGEST then return "" end
  local found, least = {}, math.max(1, #name // 3) + 0.5
  for _, known in ipairs(names) do
    local d = #known <= LONGEST and known ~= name and apart(name, known) or math.huge
    if d < least then
      found, least = { known }, d
    elseif d == least and #found < 3 then
      found[#found + 1] = known
    end
  end
  if #found == 0 then return "" end
  table.sort(found)
  for i, known in ipairs(found) do found[i] = (form or "'%s'"):format(known) end
  return ("; did you mean %s?"):format(table.concat(found, " or "))
end
