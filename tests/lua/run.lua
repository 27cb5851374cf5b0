-- Runs Lua tests:  mlpl tests/lua/run.lua tests/lua/test_a.lua ... [lua-unit options]
--
-- A test file makes global tables TestSomething whose methods are tests (lua-unit's custom);
-- no other global can be made or misspelt. Helpers are modules beside the tests. A test fails
-- when it leaves engine memory alive: what setUp makes, tearDown drops.

package.path = "tests/lua/?.lua;" .. package.path
local lu = require "luaunit"

-- lua-unit itself is not strict: it looks for suite hooks, and one of its locals is global.
local function in_lua_unit()
  return debug.getinfo(3, "S").source:find "luaunit%.lua$" ~= nil
end

setmetatable(_G, {
  __index = function(_, name)
    if not in_lua_unit() then
      error("undeclared global '" .. tostring(name) .. "'", 2)
    end
  end,
  __newindex = function(globals, name, value)
    local is_class = tostring(name):find "^Test" and type(value) == "table"
    if not is_class and not in_lua_unit() then
      error("assignment to undeclared global '" .. tostring(name) .. "'", 2)
    end
    rawset(globals, name, value)
  end,
})

local mlpl = require "mlpl"

-- Live bytes once nothing is garbage. The second round takes what finalizers let go of.
local function settled()
  collectgarbage()
  collectgarbage()
  return mlpl.memory().live
end

local function watch(class)
  local set_up, tear_down = rawget(class, "setUp"), rawget(class, "tearDown")
  local before
  function class:setUp()
    before = settled()
    if set_up then set_up(self) end
  end
  function class:tearDown()
    if tear_down then tear_down(self) end
    local left = settled() - before
    if left > 0 then lu.fail(left .. " bytes of tensors are still alive after this test") end
  end
end

local options = { "-o", "TAP" }
for _, argument in ipairs(arg) do
  if argument:find "%.lua$" then
    dofile(argument)
  else
    table.insert(options, argument)
  end
end
for name, value in pairs(_G) do
  if name:find "^Test" then watch(value) end
end

os.exit(lu.LuaUnit.run(table.unpack(options)) == 0, true)
