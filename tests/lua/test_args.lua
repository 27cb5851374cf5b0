local lu = require "luaunit"
local mlpl = require "mlpl"
local process = require "process"

local args = mlpl.args

local function fails(text, spec, list)
  lu.assertErrorMsgContains(text, args, spec, list)
end

TestArgsOptions = {}

function TestArgsOptions:test_defaults()
  local a = args({ epochs = 20, lr = 1e-3, name = "net", fast = false }, {})
  lu.assertEquals({ a.epochs, a.lr, a.name, a.fast }, { 20, 1e-3, "net", false })
end

function TestArgsOptions:test_value_in_the_next_word_or_after_an_equals_sign()
  local a = args({ epochs = 20, lr = 1e-3 }, { "--epochs", "5", "--lr=0.5" })
  lu.assertEquals({ a.epochs, a.lr }, { 5, 0.5 })
end

function TestArgsOptions:test_types_follow_the_defaults()
  local a = args({ n = 1, x = 1.5, s = "" }, { "--n", "1e3", "--x", "2", "--s", "7" })
  lu.assertEquals(math.type(a.n), "integer")
  lu.assertEquals(a.n, 1000)
  lu.assertEquals(math.type(a.x), "float")
  lu.assertEquals(a.s, "7")
end

function TestArgsOptions:test_negative_numbers_are_values()
  lu.assertEquals(args({ lr = 1.0 }, { "--lr", "-0.5" }).lr, -0.5)
end

function TestArgsOptions:test_text_may_be_empty_or_hold_anything()
  lu.assertEquals(args({ s = "x" }, { "--s=" }).s, "")
  lu.assertEquals(args({ s = "x" }, { "--s=a=b --c" }).s, "a=b --c")
end

function TestArgsOptions:test_the_last_one_counts()
  lu.assertEquals(args({ n = 1 }, { "--n", "2", "--n", "3" }).n, 3)
end

function TestArgsOptions:test_wrong_values_name_the_option()
  local spec = { epochs = 20 }
  fails("--epochs takes a whole number, not '3.5'", spec, { "--epochs", "3.5" })
  fails("--epochs takes a whole number, not 'many'", spec, { "--epochs=many" })
  fails("--n takes a whole number", { n = 1 }, { "--n", "99999999999999999999" })
  fails("--lr takes a number, not 'fast'", { lr = 1.0 }, { "--lr", "fast" })
  fails("--lr needs a value: a number", { lr = 1.0 }, { "--lr" })
  fails("--lr needs a value: a number", { lr = 1.0, n = 1 }, { "--lr", "--n", "3" })
end

function TestArgsOptions:test_unknown_options_list_those_that_exist()
  local spec = { epochs = 20, batch_size = 32 }
  fails("unknown option --epoch; did you mean --epochs? " ..
    "there are --batch-size, --epochs, --help", spec, { "--epoch", "3" })
  fails("unknown option --batch; did you mean --batch-size?", spec, { "--batch=3" })
  fails("unknown option --zzz; there are --batch-size", spec, { "--zzz" })
  fails("unknown option -n; options have two dashes", spec, { "-n" })
end

function TestArgsOptions:test_dashes_and_underscores()
  lu.assertEquals(args({ batch_size = 1 }, { "--batch-size", "2" }).batch_size, 2)
  lu.assertEquals(args({ batch_size = 1 }, { "--batch_size=2" }).batch_size, 2)
end

function TestArgsOptions:test_booleans()
  local function flag(default, word) return args({ flag = default }, { word }).flag end
  lu.assertIs(flag(false, "--flag"), true)
  lu.assertIs(flag(true, "--no-flag"), false)
  lu.assertIs(flag(true, "--flag=false"), false)
  lu.assertIs(flag(false, "--flag=yes"), true)
  fails("--flag takes true or false, not 'maybe'", { flag = true }, { "--flag=maybe" })
  fails("unknown option --no-n; there are --n, --help", { n = 1 }, { "--no-n" })
end

function TestArgsOptions:test_a_default_with_its_help_text()
  lu.assertEquals(args({ n = { 3, "how many" } }, {}).n, 3)
  lu.assertEquals(args({ n = { 3, "how many" } }, { "--n", "4" }).n, 4)
end

TestArgsArguments = {}

function TestArgsArguments:test_in_order_between_options()
  local a = args({ "from", "to", n = 1 }, { "a", "--n", "2", "b" })
  lu.assertEquals({ a.from, a.to, a.n }, { "a", "b", 2 })
end

function TestArgsArguments:test_missing_ones_raise_with_usage()
  fails("missing argument: to", { "from", "to" }, { "a" })
  fails("from to", { "from", "to" }, { "a" })
end

function TestArgsArguments:test_too_many_raise()
  fails("unexpected argument 'c'", { "from", "to" }, { "a", "b", "c" })
  fails("unexpected argument 'false'", { flag = true }, { "--flag", "false" })
end

function TestArgsArguments:test_optional()
  lu.assertNil(args({ "from", "to?" }, { "a" }).to)
  lu.assertEquals(args({ "from", "to?" }, { "a", "b" }).to, "b")
  fails("missing argument: from", { "from", "to?" }, {})
end

function TestArgsArguments:test_all_that_are_left()
  lu.assertEquals(args({ "first", "files..." }, { "a", "b", "c" }).files, { "b", "c" })
  lu.assertEquals(args({ "first", "files..." }, { "a" }).files, {})
end

function TestArgsArguments:test_two_dashes_end_the_options()
  local a = args({ "from", "to", n = 1 }, { "--n", "2", "--", "--n", "-x" })
  lu.assertEquals({ a.from, a.to, a.n }, { "--n", "-x", 2 })
end

function TestArgsArguments:test_negative_numbers()
  lu.assertEquals(args({ "x" }, { "-1.5" }).x, "-1.5")
end

TestArgsResult = {}

function TestArgsResult:test_unknown_names_raise()
  local a = args({ epochs = 20 }, {})
  lu.assertErrorMsgContains("args has no 'epoch'; did you mean 'epochs'?", function()
    return a.epoch
  end)
end

function TestArgsResult:test_as_text()
  local a = args({ "data", lr = 0.1, n = 2 }, { "x" })
  lu.assertEquals(tostring(a), "data=x lr=0.1 n=2")
end

function TestArgsResult:test_values_may_be_changed()
  local a = args({ n = 1 }, {})
  a.n = 2
  lu.assertEquals(a.n, 2)
end

TestArgsSpec = {}

function TestArgsSpec:test_mistakes_point_at_the_script()
  local function wrong() return (args { n = {} }) end
  lu.assertErrorMsgContains("test_args.lua:", wrong)
  local rule = "n: a default is a number, a string or a boolean, not "
  fails(rule .. "nil", { n = {} }, {})
  fails(rule .. "a function", { n = print }, {})
  fails("n: the help text is a string", { n = { 1, 2 } }, {})
  fails("'a b' cannot be the name of an option", { ["a b"] = 1 }, {})
  fails("b cannot follow a, which may be left out", { "a?", "b" }, {})
  fails("b cannot follow a, which may be left out", { "a...", "b?" }, {})
  fails("'a!' cannot be the name of an argument", { "a!" }, {})
  fails("a is both an argument and an option", { "a", a = 1 }, {})
  fails("takes names and defaults", 5, {})
end

TestArgsProcess = {}

local script = [[
local mlpl = require "mlpl"
local args = mlpl.args { "data", "extra?", epochs = 20, lr = { 1e-3, "the step" },
  fast = true }
print(args)
]]

function TestArgsProcess:test_the_command_line_is_the_default()
  process.with_file(script, function(name)
    local out, err, code = process.run(name, "x", "--epochs", "3", "--no-fast")
    lu.assertEquals({ out, err, code },
      { "data=x extra=nil epochs=3 fast=false lr=0.001\n", "", 0 })
  end)
end

function TestArgsProcess:test_help_prints_usage_and_ends_well()
  process.with_file(script, function(name)
    local out, err, code = process.run(name, "--help")
    lu.assertEquals(out, ([[
usage: NAME data [extra] [options]
  data
  extra      may be left out
  --epochs   default 20
  --no-fast  default true
  --lr       the step (default 0.001)
  --help     print this and leave
]]):gsub("NAME", name))
    lu.assertEquals({ err, code }, { "", 0 })
  end)
end

function TestArgsProcess:test_mistakes_end_badly()
  process.with_file(script, function(name)
    local out, err, code = process.run(name, "x", "--epoch", "3")
    lu.assertEquals({ out, code }, { "", 1 })
    lu.assertStrContains(err, "unknown option --epoch; did you mean --epochs?")
  end)
end

-- As in a host that has opened the library but has no command line.
function TestArgsProcess:test_without_a_command_line()
  local out, _, code = process.run("-e", [[
    arg = nil
    local mlpl = require "mlpl"
    print(mlpl.args { n = 3 })
    print(pcall(mlpl.args, { n = 3 }, { "--help" }))
    print(pcall(mlpl.args, { "data" }))
  ]])
  lu.assertEquals(code, 0)
  lu.assertStrContains(out, "n=3\nfalse\tusage: script [options]\n")
end
