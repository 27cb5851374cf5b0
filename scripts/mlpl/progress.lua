-- mlpl.progress: how a training run is going.
--
--   local progress = mlpl.progress { epochs = 20 }
--   for epoch = 1, 20 do
--     for x, y in progress:epoch(train:batches { size = 32, shuffle = true }) do
--       ...
--       progress:loss(loss)
--     end
--     progress:note { valid = accuracy }        -- may be left out
--   end
--
-- Says the seed, the threads and the instruction set once. On a terminal, one line is
-- redrawn; elsewhere there is one line for each finished epoch. Options:
--
--   epochs    how many there will be
--   out       where to write, anything with a write method (default io.stderr)
--   every     least seconds between two lines (default 0.1 on a terminal, 0 elsewhere)
--   columns   redraw, in so many columns; for a host's own console
--
-- An epoch's line waits for progress:note if the run has such notes, and ends at the
-- latest when the next epoch begins, at progress:finish(), or when `progress` goes out of
-- scope or dies.

local mlpl = ...
local clock = mlpl.clock

-- ---- text -----------------------------------------------------------------------------

local function shown_number(value)
  if math.type(value) == "integer" then return tostring(value) end
  local size = math.abs(value)
  local plain = value == 0 or size >= 0.01 and size < 1e4
  return ((plain or value ~= value) and "%.4f" or "%.3e"):format(value)
end

local function shown(value)
  if type(value) == "userdata" then value = value:item() end
  return type(value) == "number" and shown_number(value) or tostring(value)
end

local function shown_time(seconds)
  if seconds < 0.1 then return ("%.0f ms"):format(seconds * 1e3) end
  if seconds < 10 then return ("%.1f s"):format(seconds) end
  seconds = math.floor(seconds + 0.5)
  if seconds < 60 then return ("%d s"):format(seconds) end
  if seconds < 3600 then return ("%d:%02d"):format(seconds // 60, seconds % 60) end
  return ("%d:%02d:%02d"):format(seconds // 3600, seconds // 60 % 60, seconds % 60)
end

local function shown_rate(rate)
  if rate < 100 then return ("%.1f/s"):format(rate) end
  if rate < 1e4 then return ("%.0f/s"):format(rate) end
  if rate < 1e6 then return ("%.1fk/s"):format(rate / 1e3) end
  return ("%.1fM/s"):format(rate / 1e6)
end

local function shown_bar(share, width)
  local full = math.floor(share * width + 0.5)
  return "[" .. ("="):rep(full) .. (" "):rep(width - full) .. "]"
end

local function shown_notes(values)
  local names, words = {}, {}
  for name in pairs(values) do names[#names + 1] = tostring(name) end
  table.sort(names)
  for i, name in ipairs(names) do
    words[i] = ("  %s %s"):format(name, shown(values[name]))
  end
  return table.concat(words)
end

-- ---- output ---------------------------------------------------------------------------

-- Columns to redraw in, or false. Asked for each time: windows change their size.
local function columns_of(self)
  if self.columns then return self.columns end
  return io.type(self.out) == "file" and mlpl.terminal(self.out) or false
end

-- Put text where the last one stands. The last column stays empty, or some terminals
-- wrap.
local function draw(self, text)
  text = text:sub(1, math.max(self.width - 1, 1))
  self.out:write("\r", text, (" "):rep(self.drawn - #text))
  self.drawn = #text
  if io.type(self.out) == "file" then self.out:flush() end
end

local function end_line(self)
  if self.drawn > 0 then self.out:write("\n") end
  self.drawn = 0
end

-- Write a whole line, in place of what is drawn.
local function write_line(self, text)
  if self.width then
    draw(self, text)
    end_line(self)
  else
    self.out:write(text, "\n")
  end
  self.last_line = clock()
end

-- ---- one epoch ------------------------------------------------------------------------

local function mean_loss(e)
  return e.weight > 0 and ("  loss %s"):format(shown_number(e.loss / e.weight)) or ""
end

local function mean_rate(e, now)
  return e.seen > 0 and "  " .. shown_rate(e.seen / math.max(now - e.start, 1e-9)) or ""
end

local function title(self, e)
  return ("epoch %d/%d"):format(e.number, self.epochs)
end

-- "epoch 3/20  batch 17/45 [===       ]  loss 0.1234  12.3k/s  1:05 left"
local function status(self, e, now)
  local head = ("%s  batch %d"):format(title(self, e), e.batch)
  local tail = mean_loss(e) .. mean_rate(e, now)
  local share = e.batches and e.batch / math.max(e.batches, e.batch, 1)
  if not share then return head .. tail end
  head = ("%s/%d"):format(head, e.batches)
  local done = e.number - 1 + share
  if done > 0 then
    local left = (now - self.start) / done * (self.epochs - done)
    tail = ("%s  %s left"):format(tail, shown_time(math.max(left, 0)))
  end
  local room = self.width - #head - #tail - 4
  if room < 5 then return head .. tail end
  return ("%s %s%s"):format(head, shown_bar(share, math.min(room, 20)), tail)
end

local function summary(self, e, now)
  local stopped = e.finished and "" or ("  stopped in batch %d"):format(e.batch + 1)
  return ("%s%s%s%s  %s"):format(title(self, e), stopped, mean_loss(e), mean_rate(e, now),
    shown_time(now - e.start))
end

-- Write the line of the epoch that is over. Epochs that are over in no time do not all
-- get one.
local function release(self, must)
  if not self.held then return end
  if must or clock() - self.last_line >= self.every then
    write_line(self, self.held)
    self.rewritable = self.width and self.number == 1 and self.held
    self.held = false
  end
end

-- The loop over an epoch's batches is over, or was left. If there have been notes, there
-- will be one for this epoch. Whether a first epoch gets one is not known: a file's line
-- waits, a terminal's can be written again.
local function leave(self)
  local e = self.current
  if not e then return end
  self.current = false
  self.held = summary(self, e, clock())
  local last = self.number >= self.epochs
  local waits = self.has_notes or self.number == 1 and not last and not self.width
  if not e.finished or last and not waits then
    release(self, true)
  elseif not waits then
    release(self, false)
  elseif self.width then
    draw(self, self.held)
  end
end

-- ---- the object -----------------------------------------------------------------------

local Progress = {}

local function announce(self)
  local threads = mlpl.threads()
  write_line(self, ("seed %d, %d thread%s, %s"):format(mlpl.seed(), threads,
    threads == 1 and "" or "s", mlpl.isa()))
end

-- Go through `batches` (called until it gives nil), counting; for a generic for.
function Progress:epoch(batches)
  if batches == nil then error("progress:epoch: takes the batches of an epoch", 2) end
  leave(self)
  release(self, false)
  self.held, self.rewritable = false, false
  self.width = columns_of(self)
  self.number = self.number + 1
  local e = { number = self.number, batch = 0, rows = false, seen = 0, loss = 0.0,
    weight = 0, batches = type(batches) ~= "function" and #batches, start = clock() }
  self.current, self.start = e, self.start or e.start

  local function step(x, ...)
    if e.rows then
      e.batch, e.seen = e.batch + 1, e.seen + e.rows
    end
    if x == nil then
      e.finished = true
      return nil
    end
    e.rows = #x
    if self.width then
      local now = clock()
      if now - self.last_draw >= self.every then
        self.last_draw, self.width = now, columns_of(self) or self.width
        draw(self, status(self, e, now))
      end
    end
    return x, ...
  end

  local function next_batch() return step(batches()) end
  local function done() if self.current == e then leave(self) end end
  return next_batch, nil, nil, setmetatable({}, { __close = done })
end

-- The loss of the batch at hand, a tensor or a number: its mean over the batch.
function Progress:loss(loss)
  local e = self.current
  if not e or not e.rows then error("progress:loss: no epoch is running", 2) end
  if type(loss) ~= "number" then loss = loss:item() end
  e.loss, e.weight = e.loss + loss * e.rows, e.weight + e.rows
end

-- Add values to the line of the epoch that has just ended.
function Progress:note(values)
  if type(values) ~= "table" then
    error("progress:note: takes a table, as in progress:note { valid = 0.97 }", 2)
  end
  local text = shown_notes(values)
  self.has_notes = true
  if self.rewritable then
    self.out:write("\27[A")                       -- up, to this epoch's line
    self.rewritable = self.rewritable .. text
    write_line(self, self.rewritable)
  elseif self.held then
    self.held = self.held .. text
    release(self, self.number >= self.epochs)
    if self.held and self.width then draw(self, self.held) end
  else
    write_line(self, text)
  end
end

-- End what is on the line. The next epoch does this, too.
function Progress:finish()
  leave(self)
  release(self, true)
  end_line(self)
end

local methods = { __name = "mlpl.progress", __index = Progress }
methods.__close, methods.__gc = Progress.finish, Progress.finish

setmetatable(Progress, { __index = function(_, name)
  local names = {}
  for method in pairs(Progress) do names[#names + 1] = method end
  table.sort(names)
  error(("progress has no method %s%s"):format(mlpl._shown(name),
    mlpl._nearest(name, names)), 2)
end })

-- ---- options --------------------------------------------------------------------------

local function check(options)
  if type(options) ~= "table" then
    error(("progress: the options are a %s; they are a table, as in mlpl.progress { epochs = 20 }")
      :format(type(options)), 3)
  end
  local known = { epochs = "number", every = "number", columns = "number", out = "any" }
  for name, value in next, options do
    if not known[name] then
      local names = { "columns", "epochs", "every", "out" }
      local near = mlpl._nearest(name, names)
      error(("progress: unknown option %s%s%sthere are %s"):format(mlpl._shown(name), near,
        near == "" and "; " or " ", table.concat(names, ", ")), 3)
    elseif known[name] ~= "any" and type(value) ~= known[name] then
      error(("progress: %s is a number, not %s"):format(name, tostring(value)), 3)
    end
  end
  local epochs = rawget(options, "epochs")
  if not epochs or not math.tointeger(epochs) or epochs < 0 then
    error("progress: the option epochs says how many there will be, a whole number", 3)
  end
end

return function(given)
  check(given)
  local options = {}
  for name, value in next, given do options[name] = value end
  local self = {
    epochs = math.tointeger(options.epochs), out = options.out or io.stderr,
    columns = options.columns or false, every = 0, width = false, number = 0, drawn = 0,
    held = false, rewritable = false, has_notes = false, current = false,
    start = false, last_draw = -math.huge, last_line = -math.huge,
  }
  self.width = columns_of(self)
  self.every = options.every or self.width and 0.1 or 0
  setmetatable(self, methods)
  announce(self)
  self.last_line = -math.huge
  return self
end
