-- The programs of examples/embed, which the build makes beside the tests.

local lu = require "luaunit"
local mlpl = require "mlpl"
local process = require "process"

local folder = (process.mlpl:match "^(.*)/" or ".") .. "/examples/"

TestEmbed = {}

local function run(program, ...)
  local words = { process.quote(folder .. program) }
  for i, word in ipairs { ... } do words[i + 1] = process.quote(word) end
  return process.shell(table.concat(words, " "))
end

function TestEmbed:test_predict()
  process.with_file("", function(name)
    mlpl.seed(1)
    local model = mlpl.nn.Sequential {
      mlpl.nn.Linear(3, 4), mlpl.nn.Tanh(), mlpl.nn.Linear(4, 2),
    }
    model:save(name)
    local expected = model:predict(mlpl.tensor { { 1, -2, 0.5 } }):totable()[1]
    local out, err, code = run("predict", name, "1", "-2", "0.5")
    lu.assertEquals(code, 0, err)
    lu.assertEquals(out, ("%g\n%g\n"):format(expected[1], expected[2]))
    out, err, code = run("predict", name, "1", "2")
    lu.assertEquals(code, 1)
    lu.assertEquals(out, "")
    lu.assertStrContains(err, "predict: Sequential: layer 0 (Linear): ")
  end)
  local _, err, code = run("predict", "no_such_model", "1")
  lu.assertEquals(code, 1)
  lu.assertStrContains(err, "no_such_model")
end

function TestEmbed:test_lua_host()
  local out, err, code = run("lua_host", "examples/digits.lua", "--epochs", "2")
  lu.assertEquals(code, 0, err)
  lu.assertEquals(out, (process.run("examples/digits.lua", "--epochs", "2")))
  out, err, code = run("lua_host", "no_such_script.lua")
  lu.assertEquals(out, "")
  lu.assertEquals(code, 1)
  lu.assertStrContains(err, "no_such_script.lua")
end
