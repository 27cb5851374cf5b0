-- mlpl.args: the command line of a script.
--
--   local args = mlpl.args { "data", epochs = 20, lr = 1e-3, shuffle = true,
--     hidden = { 128, "units of the hidden layer" } }
--
--   mlpl train.lua digits.csv --epochs 5 --lr=0.01 --no-shuffle
--
-- A key is an option; its default says what it takes: a whole number, a number, text, or
-- a boolean (--shuffle, --no-shuffle, --shuffle=false). --batch-size sets batch_size. A
-- default may be { value, "help text" }.
--
-- Entries 1, 2, ... name the arguments without dashes, in order: "data" must be given,
-- "data?" may be (nil otherwise), "files..." takes all that are left, as a list. Here too,
-- { "data", "help text" } explains.
--
-- --help prints all this and ends the process. mlpl.args(spec, list) parses list instead
-- of the global `arg`; without either, all defaults. Reading a name that is not in the spec
-- raises.

local mlpl = ...

local takes = { integer = "a whole number", float = "a number", string = "text",
  boolean = "true or false" }

local truth = { ["true"] = true, yes = true, on = true, ["1"] = true,
  ["false"] = false, no = false, off = false, ["0"] = false }

local function kind_of(value)
  return math.type(value) or type(value)
end

local function dashed(name)
  return "--" .. name:gsub("_", "-")
end

-- ---- the spec -------------------------------------------------------------------------

local function read_option(name, default, level)
  local help
  if type(default) == "table" then default, help = default[1], default[2] end
  local kind = kind_of(default)
  if type(name) ~= "string" or not name:match("^[%a_][%w_-]*$") then
    error(("args: %s cannot be the name of an option"):format(mlpl._shown(name)), level)
  elseif not takes[kind] then
    error(("args: %s: a default is a number, a string or a boolean, not %s"):format(name,
      default == nil and "nil" or "a " .. kind), level)
  elseif help ~= nil and type(help) ~= "string" then
    error(("args: %s: the help text is a string"):format(name), level)
  end
  return { name = name, kind = kind, default = default, help = help }
end

local function read_positional(entry, level)
  local text, help = entry, nil
  if type(entry) == "table" then text, help = entry[1], entry[2] end
  local name, mark = tostring(text):match("^([%a_][%w_]*)([?.]*)$")
  local marks = { [""] = true, ["?"] = true, ["..."] = true }
  if type(text) ~= "string" or not marks[mark] then
    error(("args: %s cannot be the name of an argument"):format(mlpl._shown(text)), level)
  end
  return { name = name, optional = mark == "?", rest = mark == "...", help = help }
end

-- Options sorted by name, positionals in their order, and both by name.
local function read_spec(spec, level)
  if type(spec) ~= "table" then
    error(("args: spec is a %s; it takes names and defaults, as in mlpl.args { epochs = 20 }")
      :format(type(spec)), level)
  end
  local options, positionals, known = {}, {}, {}
  for i = 1, rawlen(spec) do                         -- raw: nothing else of it is a word
    local positional = read_positional(rawget(spec, i), level + 1)
    local last = positionals[i - 1]
    local needed = not (positional.optional or positional.rest)
    if last and (last.rest or last.optional and needed) then
      error(("args: %s cannot follow %s, which may be left out"):format(positional.name,
        last.name), level)
    end
    positionals[i], known[positional.name] = positional, positional
  end
  for name, default in next, spec do
    if not (math.type(name) == "integer" and positionals[name]) then
      local option = read_option(name, default, level + 1)
      if known[name] then
        error(("args: %s is both an argument and an option"):format(name), level)
      end
      options[#options + 1], known[name] = option, option
    end
  end
  table.sort(options, function(a, b) return a.name < b.name end)
  return options, positionals
end

-- ---- usage ----------------------------------------------------------------------------

local function shown_default(option)
  if option.kind == "string" then return ("%q"):format(option.default) end
  if option.kind == "float" then return ("%.14g"):format(option.default) end
  return tostring(option.default)
end

local function usage_line(options, positionals)
  local command = rawget(_ENV, "arg")
  local words = { "usage:", type(command) == "table" and command[0] or "script" }
  for _, p in ipairs(positionals) do
    local word = p.rest and p.name .. " ..." or p.name
    words[#words + 1] = (p.optional or p.rest) and "[" .. word .. "]" or word
  end
  if #options > 0 then words[#words + 1] = "[options]" end
  return table.concat(words, " ")
end

local function usage(options, positionals)
  local rows, width = {}, #"--help"
  local function row(left, right)
    width = math.max(width, #left)
    rows[#rows + 1] = { left, right }
  end
  for _, p in ipairs(positionals) do
    row(p.name, p.help or p.optional and "may be left out" or "")
  end
  for _, o in ipairs(options) do
    local default = ("default %s"):format(shown_default(o))
    local left = dashed(o.name)
    if o.kind == "boolean" and o.default then left = "--no-" .. left:sub(3) end
    row(left, o.help and ("%s (%s)"):format(o.help, default) or default)
  end
  row("--help", "print this and leave")
  local lines = { usage_line(options, positionals) }
  for _, each in ipairs(rows) do
    local line = "  " .. each[1] .. (" "):rep(width - #each[1] + 2) .. each[2]
    lines[#lines + 1] = line:match("^(.-)%s*$")
  end
  return table.concat(lines, "\n")
end

-- ---- the command line -----------------------------------------------------------------

-- Mistakes of whoever typed the command: no position in the script, it is not at fault.
local function complain(form, ...)
  error(form:format(...), 0)
end

local function convert(option, text)
  local shown, value = dashed(option.name), nil
  if option.kind == "string" then return text end
  if option.kind == "boolean" then
    value = truth[text:lower()]
  else
    value = tonumber(text)
    if option.kind == "integer" then
      value = value and math.tointeger(value)
    else
      value = value and value + 0.0
    end
  end
  if value == nil then
    complain("%s takes %s, not '%s'", shown, takes[option.kind], text)
  end
  return value
end

local function find_option(options, word)
  local name = word:gsub("-", "_")
  for _, option in ipairs(options) do
    if option.name:gsub("-", "_") == name then return option end
  end
end

local function complain_of_unknown(options, word)
  local names, shown = {}, {}
  for i, option in ipairs(options) do
    names[i] = dashed(option.name):sub(3)
    shown[i] = dashed(option.name)
  end
  shown[#shown + 1] = "--help"
  local near = mlpl._nearest(word, names, "--%s")
  complain("unknown option --%s%s%sthere are %s", word, near, near == "" and "; " or " ",
    table.concat(shown, ", "))
end

-- Read list[i], an option, into args; returns the index of the last word that belongs to
-- it.
local function take_option(options, args, list, i)
  local word, value = list[i]:match("^%-%-([^=]*)=(.*)$")
  word = word or list[i]:sub(3)
  local option = find_option(options, word)
  if not option and word:sub(1, 3) == "no-" then
    option = find_option(options, word:sub(4))
    if option and option.kind == "boolean" and value == nil then
      args[option.name] = false
      return i
    end
    option = nil
  end
  if not option then complain_of_unknown(options, word) end
  if option.kind == "boolean" then
    args[option.name] = value == nil or convert(option, value)
    return i
  end
  if value == nil then
    i = i + 1
    value = list[i]
    if value == nil or value:sub(1, 2) == "--" then
      complain("--%s needs a value: %s", word, takes[option.kind])
    end
  end
  args[option.name] = convert(option, value)
  return i
end

-- Options into args, the rest in order into a list; true second if help was asked for.
local function take_all(options, args, list)
  local rest, i, n = {}, 1, #list
  while i <= n do
    local word = tostring(list[i])
    if word == "--" then
      table.move(list, i + 1, n, #rest + 1, rest)
      return rest
    elseif word == "--help" and not find_option(options, "help") then
      return rest, true
    elseif word:sub(1, 2) == "--" then
      i = take_option(options, args, list, i)
    elseif word:match("^%-.") and not tonumber(word) then
      complain("unknown option %s; options have two dashes, --help lists them", word)
    else
      rest[#rest + 1] = word
    end
    i = i + 1
  end
  return rest
end

local function place(positionals, args, rest, usage_text)
  local count = #positionals
  for i, p in ipairs(positionals) do
    if p.rest then
      args[p.name] = table.move(rest, i, #rest, 1, {})
      return
    end
    args[p.name] = rest[i]
    if rest[i] == nil and not p.optional then
      complain("missing argument: %s\n%s", p.name, usage_text())
    end
  end
  if #rest > count then
    complain("unexpected argument '%s'\n%s", rest[count + 1], usage_text())
  end
end

local function strict(args, options, positionals)
  local names, may_be_nil = {}, {}
  for _, list in ipairs { positionals, options } do
    for _, each in ipairs(list) do
      names[#names + 1] = each.name
      may_be_nil[each.name] = true
    end
  end
  local function missing(_, name)
    if may_be_nil[name] then return nil end
    error(("args has no %s%s"):format(mlpl._shown(name), mlpl._nearest(name, names)), 2)
  end
  local function text()
    local words = {}
    for i, name in ipairs(names) do
      local value = args[name]
      if type(value) == "table" then value = table.concat(value, " ") end
      words[i] = ("%s=%s"):format(name, tostring(value))
    end
    return table.concat(words, " ")
  end
  return setmetatable(args, { __index = missing, __tostring = text })
end

-- Ends a program that was started from a command line; a host that only embeds us lives
-- on.
local function help(text)
  if type(rawget(_ENV, "arg")) ~= "table" then error(text, 0) end
  io.stdout:write(text, "\n")
  io.stdout:flush()
  os.exit(true)
end

-- The words of a list, as texts.
local function words_of(list)
  if type(list) ~= "table" then
    error(("args: list is a %s; it must be an array of words"):format(type(list)), 3)
  end
  local words = {}
  for i = 1, rawlen(list) do
    local word = rawget(list, i)
    if type(word) ~= "string" and type(word) ~= "number" then
      error(("args: word %d of list is a %s; it must be a text"):format(i, type(word)), 3)
    end
    words[i] = tostring(word)
  end
  return words
end

return function(spec, list)
  local options, positionals = read_spec(spec, 3)
  if list == nil then list = rawget(_ENV, "arg") else list = words_of(list) end
  local args = {}
  for _, option in ipairs(options) do args[option.name] = option.default end
  local function usage_text() return usage(options, positionals) end
  if type(list) == "table" then
    local rest, wants_help = take_all(options, args, list)
    if wants_help then help(usage_text()) end
    place(positionals, args, rest, usage_text)
  end
  return strict(args, options, positionals)
end
