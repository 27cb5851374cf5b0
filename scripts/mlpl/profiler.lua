-- Where the time goes: mlpl.profiler.start(), the work, then mlpl.profiler.report().
-- `mlpl --profile script.lua` does both. While it is on, every operation reads the clock twice;
-- off, it costs nothing.

local mlpl = ...

local profiler = {}
local started

local function no_arguments(what, ...)
  if select("#", ...) == 0 then return end
  error(("profiler.%s: one argument too many: %s"):format(what, mlpl._shown((...))), 3)
end

function profiler.start(...)
  no_arguments("start", ...)
  mlpl._profile_start()
  started = mlpl.clock()
end

function profiler.stop(...)
  no_arguments("stop", ...)
  mlpl._profile_stop()
  started = nil
end

-- What was measured, the longest first: an array of tables { layer, operation, pass, calls,
-- seconds, bytes, flops }.
function profiler.entries(...)
  no_arguments("entries", ...)
  local entries = mlpl._profile_entries()
  table.sort(entries, function(a, b) return a.seconds > b.seconds end)
  return entries
end

-- Operations per second of the products of this machine, on the threads in use.
local function peak()
  local a, best = mlpl.full({ 768, 768 }, 1), 0
  for _ = 1, 5 do
    local start = mlpl.clock()
    local c <close> = mlpl.no_grad(a.matmul, a, a)
    best = math.max(best, 2 * 768 ^ 3 / (mlpl.clock() - start))
  end
  a:release()
  return best
end

local row = "%-20s %-18s %-8s %9s %10s %6s %8s %8s %6s\n"

local function line(e, total, top)
  local rate = e.flops / e.seconds
  return row:format(e.layer, e.operation, e.pass, e.calls, ("%.3f"):format(1e3 * e.seconds),
    ("%.1f"):format(100 * e.seconds / total), ("%.2f"):format(e.bytes / e.seconds / 1e9),
    ("%.2f"):format(rate / 1e9), ("%.1f"):format(100 * rate / top))
end

-- Print a table on `out` (stderr if it is not given) and stop measuring.
function profiler.report(out)
  if not started then error("profiler.report: nothing was measured; call profiler.start first", 2) end
  if out == nil then out = io.stderr end
  local indexed, write = pcall(function() return out.write end)
  if not indexed or not write then
    error(("profiler.report: out is a %s; it must have a method write"):format(type(out)), 2)
  end
  local wall, entries, inside = mlpl.clock() - started, profiler.entries(), 0
  profiler.stop()
  for _, e in ipairs(entries) do inside = inside + e.seconds end
  local top = peak()
  out:write(row:format("layer", "operation", "pass", "calls", "ms", "%", "GB/s", "GFLOP/s", "% peak"))
  for _, e in ipairs(entries) do out:write(line(e, wall, top)) end
  out:write(("%.3f s in all, %.3f s (%.1f %%) in the operations above; peak %.0f GFLOP/s with %d threads, %s\n")
    :format(wall, inside, 100 * inside / wall, top / 1e9, mlpl.threads(), mlpl.isa()))
end

return profiler
