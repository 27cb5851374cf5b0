-- What one operation costs beside its arithmetic: adding two 4x4 f32 tensors from Lua, the
-- collector included, without and with recording, and for scale a call of an (all but)
-- empty C function.
--
--   mlpl overhead.lua [ROUNDS]      nanoseconds, the median and least of the rounds

local mlpl = require "mlpl"

local CALLS = 500000
local rounds = tonumber(arg[1]) or 15

local function timed(body)
  local each = {}
  for i = 1, rounds do
    local start = mlpl.clock()
    body()
    each[i] = 1e9 * (mlpl.clock() - start) / CALLS
  end
  table.sort(each)
  return each[(rounds + 1) // 2], each[1]
end

local function report(what, body)
  print(("%-28s %7.1f ns  (least %.1f)"):format(what, timed(body)))
end

mlpl.threads(1)
mlpl.seed(1)
local a, b = mlpl.randn(4, 4), mlpl.randn(4, 4)
local empty = coroutine.isyieldable

report("empty C function", function() for _ = 1, CALLS do empty() end end)
report("a + b", function() for _ = 1, CALLS do local _ = a + b end end)
a:requires_grad_()
report("a + b, recorded", function() for _ = 1, CALLS do local _ = a + b end end)
