local lu = require "luaunit"
local process = require "process"

local equals, contains = lu.assertEquals, lu.assertStrContains
local run, run_with, quote = process.run, process.run_with, process.quote
local mlpl_word = quote(process.mlpl)

local function prints(expected, ...)
  local out, err, code = run(...)
  equals({ out, err, code }, { expected, "", 0 })
end

local function with_script(text, f)
  process.with_file(text, f)
end

TestCommandOptions = {}

function TestCommandOptions:test_statements()
  prints("1\n2\n", "-e", "print(1)", "-eprint(2)")
  prints("3\n", "-e", "x = 3", "-e", "print(x)")
end

function TestCommandOptions:test_libraries()
  prints("true\n", "-l", "math", "-e", "print(math == require 'math')")
  prints("abcabc\n", "-l", "s=string", "-e", "print(s.rep('abc', 2))")
  prints("abcabc\n", "-ls=string", "-e", "print(s.rep('abc', 2))")
  prints("table\n", "-lmlpl", "-e", "print(type(mlpl))")
  prints("table\n", "-l", "m=mlpl", "-e", "print(type(m.nn))")
end

function TestCommandOptions:test_library_that_is_missing()
  local out, err, code = run("-l", "no_such_library", "-e", "print(1)")
  equals({ out, code }, { "", 1 })
  contains(err, "module 'no_such_library' not found")
end

function TestCommandOptions:test_version()
  local version = "^mlpl %d+%.%d+%.%d+ %(Lua 5%.4%.%d+, %w+%)\n"
  local out, err, code = run("-v")
  equals({ err, code }, { "", 0 })
  lu.assertStrMatches(out, version .. "$")
  equals((run "--version"), out)
  equals((run("-v", "-e", "print(1)")), out .. "1\n")
  equals((run("--version", "-e", "print(1)")), out)
end

function TestCommandOptions:test_help()
  local out, err, code = run "--help"
  equals({ err, code }, { "", 0 })
  contains(out, "usage: mlpl [options] [script [args]]")
  equals((run "-h"), out)
end

function TestCommandOptions:test_bad_command_lines()
  local function bad(message, ...)
    local out, err, code = run(...)
    equals({ out, code }, { "", 2 })
    contains(err, message)
    contains(err, "usage: mlpl")
  end
  bad("unrecognized option '-x'", "-x")
  bad("unrecognized option '-vx'", "-vx")
  bad("unrecognized option '-ii'", "-ii")
  bad("unrecognized option '-Ex'", "-Ex")
  bad("unrecognized option '-Wx'", "-Wx")
  bad("unrecognized option '--foo'", "--foo")
  bad("'-e' needs an argument", "-e")
  bad("'-e' needs an argument", "-e", "-i")
  bad("'-l' needs an argument", "-v", "-l")
  bad("unrecognized option '-x'", "-e", "print(1)", "-x")
end

function TestCommandOptions:test_warnings()
  local _, err = run("-e", "warn 'hidden'")
  equals(err, "")
  _, err = run("-W", "-e", "warn 'shown'")
  equals(err, "Lua warning: shown\n")
  _, err = run("-e", "warn '@on' warn('in ', '@pieces') warn '@off' warn 'no' warn '@on' warn '@x'")
  equals(err, "Lua warning: in @pieces\n")
end

function TestCommandOptions:test_environment()
  local function with(settings, line)
    return process.shell(("env %s %s %s"):format(settings, mlpl_word, line))
  end
  equals((with("LUA_INIT='print(1)'", "-e 'print(2)'")), "1\n2\n")
  equals((with("LUA_INIT_5_4='print(0)' LUA_INIT='print(1)'", "-e 'print(2)'")),
    "0\n2\n")
  equals((with("LUA_INIT='print(1)'", "-E -e 'print(2)'")), "2\n")
  contains((with("LUA_PATH='/there/?.lua;;'", "-e 'print(package.path)'")), "/there/")
  contains((with("LUA_PATH_5_4='/there/?.lua'", "-e 'print(package.path)'")),
    "/there/")
  contains((with("LUA_CPATH='/there/?.so'", "-e 'print(package.cpath)'")), "/there/")
  local search = "-E -e 'print(package.path:find \"there\")'"
  equals((with("LUA_PATH='/there/?.lua'", search)), "nil\n")
  with_script("print 'from a file'", function(name)
    equals((with("LUA_INIT=@" .. name, "-e 'print(2)'")), "from a file\n2\n")
  end)
  local out, err, code = with("LUA_INIT='error(1)'", "-e 'print(2)'")
  equals({ out, code }, { "", 1 })
  contains(err, "LUA_INIT:1")
end

TestCommandScript = {}

local show = [[
local t = {}
for i = -9, 9 do if arg[i] then t[#t + 1] = i .. "=" .. arg[i] end end
print(table.concat(t, " "))
print(select("#", ...), ...)
]]

function TestCommandScript:test_arguments()
  with_script(show, function(name)
    prints(("-1=%s 0=%s 1=a 2=-i 3=\n3\ta\t-i\t\n"):format(process.mlpl, name),
      name, "a", "-i", "")
    prints(("-4=%s -3=-W -2=-e -1=x=1 0=%s\n0\n"):format(process.mlpl, name),
      "-W", "-e", "x=1", name)
    prints(("-2=%s -1=-- 0=%s 1=-\n1\t-\n"):format(process.mlpl, name), "--", name, "-")
  end)
end

function TestCommandScript:test_from_stdin()
  local out, _, code = run_with(show, "-", "a")
  equals({ out, code }, { ("-1=%s 0=- 1=a\n1\ta\n"):format(process.mlpl), 0 })
  equals((run_with "print(1 + 1)"), "2\n")
  out, _, code = process.shell(mlpl_word, "#!/a/comment\nprint(1 + 1)")
  equals({ out, code }, { "2\n", 0 })
end

function TestCommandScript:test_nothing_is_global()
  prints("nil\tnil\tnil\tnil\n", "-e", "print(mlpl, nn, optim, data)")
end

function TestCommandScript:test_errors_have_a_traceback_and_fail()
  with_script("local function f() error 'boo' end\nf()", function(name)
    local out, err, code = run(name)
    equals({ out, code }, { "", 1 })
    contains(err, process.mlpl .. ": " .. name .. ":1: boo\nstack traceback:\n")
    contains(err, name .. ":2: in main chunk")
  end)
end

function TestCommandScript:test_error_values()
  local function err_of(statement)
    local _, err, code = run("-e", statement)
    equals(code, 1)
    return err
  end
  contains(err_of "error {}", "(error object is a table value)\nstack traceback:")
  equals(err_of "error(setmetatable({}, { __tostring = function() return 'hey' end }))",
    process.mlpl .. ": hey\n")
  contains(err_of "error()", "(error object is a nil value)")
  contains(err_of "x =", "(command line):1: unexpected symbol near <eof>")
end

function TestCommandScript:test_files_that_cannot_be_run()
  local function fails(message, name)
    local out, err, code = run(name)
    equals({ out, code }, { "", 1 })
    contains(err, message)
  end
  fails("cannot open no_such_file.lua: No such file or directory", "no_such_file.lua")
  fails("cannot read tests: Is a directory", "tests")
end

function TestCommandScript:test_exit_statuses()
  local function status(statement) return (select(3, run("-e", statement))) end
  equals(status "os.exit(3)", 3)
  equals(status "os.exit(false)", 1)
  equals(status "os.exit(true, true)", 0)
  equals(status "setmetatable({}, { __gc = error }) os.exit(4, true)", 4)
end

function TestCommandScript:test_finalizers_run_at_the_end()
  prints("end\n", "-e", "setmetatable({}, { __gc = function() print 'end' end })")
end

function TestCommandScript:test_lost_output_is_a_failure()
  local line = "%s -e 'print(1)' %s"
  local _, err, code = process.shell(line:format(mlpl_word, ">&-"))
  equals(code, 1)
  contains(err, "cannot write to standard output: Bad file descriptor")
  if io.open "/dev/full" then
    _, err, code = process.shell(line:format(mlpl_word, ">/dev/full"))
    equals(code, 1)
    contains(err, "cannot write to standard output: No space left on device")
    code = select(3, process.shell(mlpl_word .. " -e 'print(1) os.exit(0)' >/dev/full"))
    equals(code, 1)
  end
  code = select(3, process.shell(mlpl_word .. " -e 'local x = 1' >&-"))
  equals(code, 0)
end

function TestCommandScript:test_closed_pipe_with_sigpipe_ignored()
  local _, err = process.shell("trap '' PIPE; { " .. mlpl_word ..
    " -e 'for i = 1, 1e5 do print(i) end'; echo status $? >&2; } | true")
  contains(err, "cannot write to standard output: Broken pipe")
  contains(err, "status 1")
end

-- A file that a script opens must not become its standard output.
function TestCommandScript:test_closed_files_stay_closed()
  process.with_file("", function(name)
    local statement = ("local f = io.open(%q, 'w') print(1) f:write 'kept'"):format(name)
    process.shell(("%s -e %s >&-"):format(mlpl_word, quote(statement)))
    local file <close> = assert(io.open(name))
    equals(file:read "a", "kept")
  end)
end

function TestCommandScript:test_closed_stdin()
  local out, err, code = process.shell(mlpl_word .. " <&-")
  equals({ out, code }, { "", 1 })
  contains(err, "cannot read stdin")
end

function TestCommandScript:test_interrupt()
  local timeout = "timeout --foreground --preserve-status -s INT 2 "
  local _, err, code = process.shell(timeout .. mlpl_word .. " -e 'while true do end'")
  equals(code, 1)
  contains(err, "interrupted!\nstack traceback:")
end

TestCommandMemory = {}

-- Strings of every size around those that are cut from chunks, and tables, whose parts move
-- from size to size, made and dropped over and over, keep what is put into them.
function TestCommandMemory:test_pieces_keep_their_contents()
  local kept, from = {}, 1
  for i = 1, 40000 do
    local size = i * 7919 % 600
    local t = { i }
    for k = 2, size % 40 do t[k] = i + k end
    for k = 1, size % 11 do t["k" .. k] = { i * k } end
    kept[i] = { text = string.char(i % 256):rep(size), t = t }
    while i - from >= 500 do
      local size_was, it = from * 7919 % 600, kept[from]
      equals(#it.text, size_was)
      equals(it.text, string.char(from % 256):rep(size_was))
      for k = 2, size_was % 40 do equals(it.t[k], from + k) end
      for k = 1, size_was % 11 do equals(it.t["k" .. k][1], from * k) end
      kept[from], from = nil, from + 1
    end
  end
end

function TestCommandMemory:test_without_memory_there_is_an_error()
  if (os.getenv "MLPL_SANITIZE" or "") ~= "" then lu.skip "sanitizers need all addresses" end
  local script = quote [[
    local kept = {}
    local ok, message = pcall(function()
      while true do kept[#kept + 1] = { {}, {}, {} } end
    end)
    kept = nil
    local again = {}
    for i = 1, 100000 do again[i] = { i } end
    print(ok, message, #again)]]
  local line = ("ulimit -v 400000; %s -e %s"):format(mlpl_word, script)
  equals({ process.shell(line) }, { "false\tnot enough memory\t100000\n", "", 0 })
end

TestRepl = {}

-- What a session through a pipe prints, without the line that tells the version.
local function session(text, ...)
  local out, err, code = run_with(text, "-i", ...)
  equals(code, 0)
  return out:gsub("^mlpl [^\n]*\n", ""), err
end

function TestRepl:test_values_are_printed()
  equals(session "1 + 1\n", "> 2\n> \n")
  equals(session "1, nil, 'x'\n", "> 1\tnil\tx\n> \n")
  equals(session "= 3\n", "> 3\n> \n")
  equals(session "x = 3\nx\n", "> > 3\n> \n")
  equals(session "local x = 3\n\n;\n", "> > > > \n")
  equals(session "function print(...) io.write('<', ..., '>') end\n7\n", "> > <7>> \n")
end

function TestRepl:test_chunks_may_take_lines()
  equals(session "for i = 1, 2 do\nprint(i)\nend\n", "> >> >> 1\n2\n> \n")
  equals(session "return\n1\n", "> > 1\n> \n")
  equals(session "f(\n", "> >> > \n")
end

function TestRepl:test_errors_do_not_end_it()
  local out, err = session "error 'boo'\nx =\nlocal t t.x = 1\n7\n"
  equals(out, "> > >> > 7\n> \n")
  contains(err, "stdin:1: boo\nstack traceback:")
end

function TestRepl:test_error_while_printing()
  local _, err = session "print = nil\n1\n"
  contains(err, "error calling 'print' (")
end

function TestRepl:test_prompts()
  equals(session "_PROMPT = 'a '\n_PROMPT2 = 'b '\nfor i = 1, 1 do\nend\n",
    "> a a b a \n")
  local out = session "_PROMPT = setmetatable({}, { __tostring = error })\n1\n"
  equals(out, "> > 1\n> \n")
end

function TestRepl:test_long_lines()
  local out = session(("x = '%s'\n#x\n"):format(("y"):rep(100000)))
  equals(out, "> > 100000\n> \n")
end

function TestRepl:test_has_the_library_as_globals()
  equals(session "mlpl == require 'mlpl', nn == mlpl.nn\n", "> true\ttrue\n> \n")
  equals(session "optim == mlpl.optim, data == mlpl.data\n", "> true\ttrue\n> \n")
end

function TestRepl:test_after_a_script()
  with_script("nn = 'mine' y = (...) z = mlpl", function(name)
    equals(session("nn, y, z\n", name, "arg"), "> mine\targ\tnil\n> \n")
  end)
  equals(session("x\n", "-e", "x = 5"), "> 5\n> \n")
end

function TestRepl:test_a_strict_script_does_not_stop_it()
  local strict = "setmetatable(_G, { __index = function(_, name) error(name) end })"
  equals(session("1\n", "-e", strict), "> 1\n> \n")
end

-- ---- on a terminal --------------------------------------------------------------------

TestTerminal = {}

function TestTerminal:setUp()
  if not process.has "script" then lu.skip "script (util-linux) is not here" end
end

-- Type on a terminal: `steps` is a list of { wait for this, then type that }.
local function typed(steps)
  return process.with_file("", function(log)
    local lines = { "export TERM=xterm; w() { n=0",
      ("until grep -q -e \"$1\" %s; do"):format(quote(log)),
      "n=$((n + 1)); [ $n -lt 400 ] || { echo \"$1: never came\" >&2; exit; }",
      "sleep 0.05; done; sleep 0.1; printf \"$2\"; }; (" }
    for _, step in ipairs(steps) do
      lines[#lines + 1] = ("w %s %s"):format(quote(step[1]), quote(step[2]))
    end
    lines[#lines + 1] = (") | script -qefc %s %s"):format(quote(mlpl_word), quote(log))
    local out, err = process.shell(table.concat(lines, "\n"))
    equals(err, "")
    return (out:gsub("\r", ""))
  end)
end

function TestTerminal:test_banner_and_prompt()
  local out = typed { { "> ", "6 * 7\\n" }, { "42", "os.exit(0)\\n" } }
  lu.assertStrMatches(out, "mlpl %d.-%)\n.*> .*42\n.*")
end

-- What runs in the background of a shell may be told to ignore Ctrl-C, and all it starts.
local function ignores_interrupts()
  local file <close> = io.open "/proc/self/status"
  local mask = file and file:read("a"):match "SigIgn:%s*(%x+)"
  return mask ~= nil and tonumber(mask, 16) & 2 ~= 0
end

function TestTerminal:test_ctrl_c_interrupts_what_runs()
  if ignores_interrupts() then lu.skip "Ctrl-C is ignored here" end
  local out = typed {
    { "> ", 'io.write("rea", "dy\\\\n") while true do end\\n' },
    { "ready", "\\003" },
    { "interrupted!", '"go" .. "od"\\n' },
    { "good", "os.exit(0)\\n" },
  }
  contains(out, "interrupted!\nstack traceback:")
  contains(out, "good")
end

function TestTerminal:test_ctrl_c_clears_the_line()
  local out = typed {
    { "> ", "nonsense and" },
    { "nonsense and", "\\003" },
    { "> ", "for i = 1, 2 do\\n" },
    { ">> ", "\\003" },
    { "> ", '"go" .. "od"\\n' },
    { "good", "\\004" },
  }
  contains(out, "good")
  lu.assertNotStrContains(out, "traceback")
end

local function has_editing()
  for _, name in ipairs { "libedit.so.2", "libreadline.so.8" } do
    local loaded = package.loadlib(name, "*")
    if loaded then return true end
  end
end

function TestTerminal:test_completion_and_history()
  if not has_editing() then lu.skip "neither libedit nor libreadline is here" end
  local out = typed {
    { "> ", "stri\\t.re\\t\\t" },
    { "reverse", "p('ab', 3)\\n" },
    { "ababab", "\\033[A .. 'c'\\n" },
    { "abababc", "t = mlpl.ey\\t(5, 7)\\n#t * 20 + 1\\n" },
    { "101", "t:num\\t() + 200\\n" },
    { "235", "os.exit(0)\\n" },
  }
  contains(out, "string.rep")
end

function TestTerminal:test_width()
  local statement = "local m = require 'mlpl' print(m.terminal(1), m.terminal(io.stdout))"
  local command = ("stty cols 57; %s -e %s"):format(mlpl_word, quote(statement))
  local on_terminal = " script -qec " .. quote(command) .. " /dev/null"
  contains(process.shell("TERM=xterm" .. on_terminal), "57\t57")
  contains(process.shell("TERM=dumb" .. on_terminal), "nil\tnil")
  prints("nil\tnil\n", "-e", statement)
end
