local lu = require "luaunit"
local mlpl = require "mlpl"

local function rows_of(n)
  return setmetatable({}, { __len = function() return n end })
end

-- A batches object: `count` batches of `rows` rows.
local function batches(count, rows)
  local i = 0
  return setmetatable({}, {
    __len = function() return count end,
    __call = function()
      i = i + 1
      if i <= count then return rows_of(rows), i end
    end,
  })
end

-- Something to write to, and what has been written.
local function paper()
  local text = {}
  local function write(_, ...) text[#text + 1] = table.concat { ... } end
  return { write = write }, function() return table.concat(text) end
end

local function lines_of(text)
  local lines = {}
  for line in text:gmatch "([^\n]*)\n" do lines[#lines + 1] = line end
  return lines
end

-- What a terminal shows in the end: a return goes to the start of the line, ESC [ A up.
local function screen(text)
  local rows, row, column = { "" }, 1, 1
  for piece in text:gsub("\27%[A", "\1"):gmatch "." do
    if piece == "\r" then
      column = 1
    elseif piece == "\1" then
      row = row - 1
    elseif piece == "\n" then
      row, column = row + 1, 1
      rows[row] = rows[row] or ""
    else
      rows[row] = rows[row]:sub(1, column - 1) .. piece .. rows[row]:sub(column + 1)
      column = column + 1
    end
  end
  for i, line in ipairs(rows) do rows[i] = line:match "^(.-) *$" end
  return rows
end

local function run(progress, epochs, body)
  for epoch = 1, epochs do
    for x, i in progress:epoch(batches(4, 8)) do
      lu.assertEquals(#x, 8)
      progress:loss(i / epoch)
    end
    if body then body(epoch) end
  end
end

TestProgressFile = {}

function TestProgressFile:test_a_line_for_each_epoch()
  local out, text = paper()
  run(mlpl.progress { epochs = 2, out = out }, 2)
  local lines = lines_of(text())
  lu.assertEquals(#lines, 3)
  lu.assertEquals(lines[1], ("seed %d, %d thread%s, %s"):format(mlpl.seed(),
    mlpl.threads(), mlpl.threads() == 1 and "" or "s", mlpl.isa()))
  lu.assertStrMatches(lines[2], "epoch 1/2  loss 2%.5000  [%d.]+[kM]?/s  %d+%.?%d* m?s")
  lu.assertStrMatches(lines[3], "epoch 2/2  loss 1%.2500  [%d.]+[kM]?/s  %d+%.?%d* m?s")
end

function TestProgressFile:test_the_mean_loss_counts_rows()
  local out, text = paper()
  local progress = mlpl.progress { epochs = 1, out = out }
  local sizes = { 30, 10 }
  local function next_batch()
    local n = table.remove(sizes, 1)
    return n and rows_of(n)
  end
  for x in progress:epoch(next_batch) do progress:loss(#x == 30 and 1 or 2) end
  lu.assertStrContains(text(), "loss 1.2500")
end

function TestProgressFile:test_takes_tensors()
  local out, text = paper()
  local progress = mlpl.progress { epochs = 1, out = out }
  local left = 2
  local function next_batch()
    left = left - 1
    if left >= 0 then return mlpl.zeros(3, 2), mlpl.zeros(3) end
  end
  for _, y in progress:epoch(next_batch) do progress:loss(y:sum() + 0.5) end
  lu.assertStrContains(text(), "loss 0.5000")
end

function TestProgressFile:test_notes_join_their_epoch()
  local out, text = paper()
  local progress = mlpl.progress { epochs = 3, out = out }
  run(progress, 3, function(epoch)
    progress:note { valid = 0.9 + epoch / 100, n = epoch }
  end)
  local lines = lines_of(text())
  lu.assertEquals(#lines, 4)
  for epoch = 1, 3 do
    lu.assertStrMatches(lines[epoch + 1],
      ("epoch %d/3 .*s  n %d  valid 0%%.9%d00"):format(epoch, epoch, epoch))
  end
end

function TestProgressFile:test_the_last_line_does_not_wait_without_reason()
  local out, text = paper()
  local progress = mlpl.progress { epochs = 2, out = out }
  run(progress, 2)
  lu.assertEquals(#lines_of(text()), 3)
  progress:finish()
  lu.assertEquals(#lines_of(text()), 3)
end

function TestProgressFile:test_a_note_that_never_comes()
  local out, text = paper()
  do
    local progress <close> = mlpl.progress { epochs = 3, out = out }
    run(progress, 3, function(epoch)
      if epoch < 3 then progress:note { n = epoch } end
    end)
    lu.assertEquals(#lines_of(text()), 3)
  end
  lu.assertEquals(#lines_of(text()), 4)
end

function TestProgressFile:test_leaving_an_epoch()
  local out, text = paper()
  local progress = mlpl.progress { epochs = 5, out = out }
  for _, i in progress:epoch(batches(4, 8)) do if i == 3 then break end end
  lu.assertError(function()
    for _ in progress:epoch(batches(4, 8)) do error "no" end
  end)
  local lines = lines_of(text())
  lu.assertStrContains(lines[2], "epoch 1/5  stopped in batch 3")
  lu.assertStrContains(lines[3], "epoch 2/5  stopped in batch 1")
end

function TestProgressFile:test_every_thins_lines_but_keeps_the_last()
  local out, text = paper()
  run(mlpl.progress { epochs = 50, out = out, every = 1000 }, 50)
  local lines = lines_of(text())
  lu.assertTrue(#lines <= 4)
  lu.assertStrContains(lines[#lines], "epoch 50/50")
end

function TestProgressFile:test_batches_without_a_length()
  local out, text = paper()
  local progress = mlpl.progress { epochs = 1, out = out, columns = 80, every = 0 }
  local all = batches(3, 2)
  for _ in progress:epoch(function() return all() end) do progress:loss(1) end
  lu.assertStrContains(text(), "batch 2  loss 1.0000")
end

TestProgressTerminal = {}

local function on_terminal(options)
  local out, text = paper()
  options.out, options.columns = out, options.columns or 80
  options.every = options.every or 0
  return mlpl.progress(options), text
end

function TestProgressTerminal:test_redraws_one_line()
  local progress, text = on_terminal { epochs = 2 }
  run(progress, 2)
  lu.assertStrMatches(text(), ".*\repoch 1/2  batch 2/4 %[==========          %]  " ..
    "loss 1%.5000  [%d.]+[kM]?/s  %d+%.?%d* m?s left.*")
  local rows = screen(text())
  lu.assertEquals(#rows, 4)
  lu.assertStrContains(rows[2], "epoch 1/2  loss 2.5000")
  lu.assertStrContains(rows[3], "epoch 2/2  loss 1.2500")
  lu.assertEquals(rows[4], "")
end

function TestProgressTerminal:test_notes_join_their_epoch()
  local progress, text = on_terminal { epochs = 3 }
  run(progress, 3, function(epoch) progress:note { valid = epoch } end)
  local rows = screen(text())
  lu.assertEquals(#rows, 5)
  for epoch = 1, 3 do
    lu.assertStrMatches(rows[epoch + 1], ("epoch %d/3 .*  valid %d"):format(epoch, epoch))
  end
end

function TestProgressTerminal:test_printing_between_epochs()
  local progress, text = on_terminal { epochs = 2 }
  run(progress, 2, function() lu.assertEquals(text():sub(-1), "\n") end)
end

function TestProgressTerminal:test_stays_within_the_columns()
  local progress, text = on_terminal { epochs = 3, columns = 24 }
  run(progress, 3, function(epoch) progress:note { valid = epoch } end)
  for line in text():gmatch "[^\r\n]+" do lu.assertTrue(#line <= 23, line) end
end

function TestProgressTerminal:test_a_stopped_epoch_leaves_a_whole_line()
  local progress, text = on_terminal { epochs = 3 }
  lu.assertError(function()
    for _ in progress:epoch(batches(4, 8)) do error "no" end
  end)
  lu.assertEquals(text():sub(-1), "\n")
  lu.assertStrContains(screen(text())[2], "epoch 1/3  stopped in batch 1")
end

function TestProgressTerminal:test_draws_seldom()
  local progress, text = on_terminal { epochs = 300, every = 0.1 }
  local start = mlpl.clock()
  run(progress, 300)
  local seconds = mlpl.clock() - start
  local _, drawn = text():gsub("\r", "")
  lu.assertTrue(drawn <= 2 * 10 * seconds + 6, drawn .. " lines in " .. seconds .. " s")
  lu.assertStrContains(text(), "epoch 300/300")
end

TestProgressMisuse = {}

function TestProgressMisuse:test_options()
  lu.assertErrorMsgContains("epochs says how many", mlpl.progress, {})
  lu.assertErrorMsgContains("epochs says how many", mlpl.progress, { epochs = 1.5 })
  lu.assertErrorMsgContains("the options are a nil", mlpl.progress)
  lu.assertErrorMsgContains("unknown option 'epoch'; did you mean 'epochs'? there are",
    mlpl.progress, { epoch = 3 })
  lu.assertErrorMsgContains("every is a number", mlpl.progress,
    { epochs = 3, every = "1" })
end

function TestProgressMisuse:test_methods()
  local progress = mlpl.progress { epochs = 1, out = paper() }
  lu.assertErrorMsgContains("no epoch is running", progress.loss, progress, 1)
  lu.assertErrorMsgContains("takes the batches", progress.epoch, progress)
  lu.assertErrorMsgContains("takes a table", progress.note, progress, 0.9)
  lu.assertErrorMsgContains("no method 'notes'; did you mean 'note'?", function()
    progress:notes { n = 1 }
  end)
end

TestNames = {}

function TestNames:test_unknown_fields_raise()
  local function raises(message, t, name)
    lu.assertErrorMsgContains(message, function() return t[name] end)
  end
  raises("mlpl has no field 'zeroes'; did you mean 'zeros'?", mlpl, "zeroes")
  raises("mlpl.nn has no field 'Linaer'; did you mean 'Linear'?", mlpl.nn, "Linaer")
  raises("mlpl has no field [1]", mlpl, 1)
  raises("mlpl has no field 'xyzzyx'", mlpl, "xyzzyx")
end

function TestNames:test_fields_cannot_be_added()
  lu.assertErrorMsgContains("mlpl.nn.mine: a script cannot add fields", function()
    mlpl.nn.mine = 1
  end)
end

function TestNames:test_errors_point_at_the_script()
  lu.assertErrorMsgContains("test_progress.lua:", function() return mlpl.zeroes end)
end

function TestNames:test_lazy_parts_stay()
  lu.assertIs(mlpl.args, mlpl.args)
  lu.assertNotNil(rawget(mlpl, "args"))
end
