-- Convolutions for conv.py: a line with a job comes in, a line with seconds goes out.
--
--   n c h w m kh kw stride padding groups pass repeats      pass: forward or backward
--
-- Seconds are of each of the repeats, the least and the median. Backward makes all three
-- gradients, of input, weight and bias, beside the forward pass.

local mlpl = require "mlpl"

local nn = mlpl.nn
mlpl.threads(tonumber(arg[1]))
local clock = arg[2] == "cpu" and os.clock or mlpl.clock
mlpl.seed(1)

local made, made_for = {}, nil

local function operands(key, n, c, h, w, m, kh, kw, groups)
  if made_for ~= key then
    made_for, made = key, { mlpl.randn(n, c, h, w), mlpl.randn(m, c // groups, kh, kw),
      mlpl.randn(m) }
  end
  return made[1], made[2], made[3]
end

for line in io.lines() do
  local key = line:match("^(.-) %a")
  local n, c, h, w, m, kh, kw, stride, padding, groups, pass, repeats = table.unpack(
    (function()
      local v = {}
      for word in line:gmatch("%S+") do v[#v + 1] = tonumber(word) or word end
      return v
    end)())
  local x, weight, bias = operands(key, n, c, h, w, m, kh, kw, groups)
  local back = pass == "backward"
  for _, t in ipairs { x, weight, bias } do t:requires_grad_(back) end
  local options = { stride = stride, padding = padding, groups = groups }
  local g = back and mlpl.ones_like(nn.conv2d(x, weight, bias, options):detach())
  local times = {}
  for i = 1, repeats do
    local start = clock()
    local y = nn.conv2d(x, weight, bias, options)
    if back then
      y:backward(g)
      x.grad, weight.grad, bias.grad = nil, nil, nil
    end
    times[i] = clock() - start
    y:release()
  end
  table.sort(times)
  print(("%.9f %.9f"):format(times[1], times[(repeats + 1) // 2]))
  io.stdout:flush()
end
