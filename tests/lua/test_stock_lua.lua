-- A Lua that knows nothing of mlpl loads mlpl.so.

local lu = require "luaunit"
local process = require "process"

local sanitized = (os.getenv "MLPL_SANITIZE" or "") ~= ""
local module = (process.mlpl:match "^(.*)/" or ".") .. "/?.so"

TestStockLua = {}

function TestStockLua:setUp()
  if sanitized then lu.skip "a stock Lua cannot load a module made for a sanitizer" end
  if not process.has "lua5.4" then lu.skip "lua5.4 is not here" end
end

-- Run the stock Lua with mlpl.so on its path; returns what it printed.
local function stock(...)
  local words = { "LUA_CPATH=" .. process.quote(module), "lua5.4" }
  for _, word in ipairs { ... } do words[#words + 1] = process.quote(word) end
  local out, err, code = process.shell(table.concat(words, " "))
  lu.assertEquals(code, 0, err)
  return out
end

local function last_line(text) return text:match "([^\n]*)\n$" end

function TestStockLua:test_the_digits_example()
  local said = last_line(stock "examples/digits.lua")
  lu.assertStrMatches(said, "test accuracy: 0%.9%d%d%d")
  lu.assertEquals(said, last_line((process.run "examples/digits.lua")))
end

function TestStockLua:test_no_globals()
  lu.assertEquals(stock("-e", [[
    local before = {}
    for name in pairs(_G) do before[name] = true end
    require "mlpl"
    for name in pairs(_G) do if not before[name] then print(name) end end]]), "")
end

function TestStockLua:test_the_same_bits_as_the_command()
  local script = [[
    local mlpl = require "mlpl"
    mlpl.seed(11)
    local nn = mlpl.nn
    local model = nn.Sequential { nn.Linear(20, 30), nn.Tanh(), nn.Linear(30, 3) }
    local y = model(mlpl.randn(50, 20)):softmax(2)
    for _, row in ipairs(y:totable()) do print(("%a %a %a"):format(table.unpack(row))) end]]
  local out = stock("-e", script)
  lu.assertTrue(#out > 1000)
  lu.assertEquals(out, (process.run("-e", script)))
end

-- Loaded, closed and loaded again: nothing in the module remembers a state.
function TestStockLua:test_states_come_and_go()
  lu.assertEquals(stock("-e", [[
    package.loaded.mlpl = nil
    local mlpl = require "mlpl"
    local x = mlpl.ones(3)
    package.loaded.mlpl = nil
    local again = require "mlpl"
    print((x + again.ones(3)):sum():item())]]), "6.0\n")
end
