-- Running programs from tests: files for what goes in and out, so that nothing can block.

local process = {}

-- The `mlpl` that runs these tests, or what stands in for it.
process.mlpl = arg[-1]

-- A word for the shell.
function process.quote(word)
  return "'" .. tostring(word):gsub("'", "'\\''") .. "'"
end

-- Call f with the name of a file that holds text; the file is gone afterwards.
function process.with_file(text, f)
  local name <close> = setmetatable({ os.tmpname() }, { __close = function(self)
    os.remove(self[1])
  end })
  local file = assert(io.open(name[1], "wb"))
  file:write(text)
  file:close()
  return f(name[1])
end

local function contents(name)
  local file <close> = assert(io.open(name, "rb"))
  return file:read "a"
end

-- Run a line of shell; returns what it printed, what it complained of and its exit status
-- (a signal's number negative). input is its stdin, empty unless given.
function process.shell(line, input)
  return process.with_file(input or "", function(in_name)
    return process.with_file("", function(out_name)
      return process.with_file("", function(err_name)
        local whole = ("{ %s\n} <%s >%s 2>%s"):format(line, in_name, out_name, err_name)
        local _, how, code = os.execute(whole)
        return contents(out_name), contents(err_name), how == "exit" and code or -code
      end)
    end)
  end)
end

-- Run the command with these arguments.
function process.run(...)
  return process.run_with("", ...)
end

-- The same, with a stdin.
function process.run_with(input, ...)
  local words = { process.quote(process.mlpl) }
  for i, word in ipairs { ... } do words[i + 1] = process.quote(word) end
  return process.shell(table.concat(words, " "), input)
end

function process.has(program)
  return os.execute(("command -v %s >/dev/null 2>&1"):format(program)) == true
end

return process
