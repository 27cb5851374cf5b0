local lu = require "luaunit"
local mlpl = require "mlpl"
local process = require "process"

local function contents(name)
  local file <close> = assert(io.open(name, "rb"))
  return file:read "a"
end

-- Run an example; returns the accuracy in its last line.
local function accuracy(...)
  local out, err, code = process.run(...)
  lu.assertEquals(code, 0, err)
  local last = out:match "([^\n]*)\n$"
  lu.assertStrMatches(last, "test accuracy: [01]%.%d%d%d%d")
  return tonumber(last:match "[%d.]+"), out, err
end

TestDigits = {}

function TestDigits:test_learns_and_says_how()
  local share, out, err = accuracy("examples/digits.lua")
  lu.assertTrue(share >= 0.97, out)
  lu.assertStrMatches(err, "seed 42, %d+ threads?, %w+\nepoch 1/%d+  loss .*")
end

-- The weights are in the file that the model is saved in; the losses are between them.
function TestDigits:test_every_run_gives_the_same_bits()
  local function weights(...)
    local words = table.pack(...)
    return process.with_file("", function(name)
      local _, out = accuracy("examples/digits.lua", "--epochs", "5", "--save", name,
        table.unpack(words))
      return { out, contents(name) }
    end)
  end
  local first = weights()
  lu.assertTrue(#first[2] > 4 * 64 * 64)
  lu.assertTrue(weights()[2] == first[2], "a second run differs")
  for threads = 1, 3 do
    local other = weights("--threads", threads)
    lu.assertEquals(other[1], first[1])
    lu.assertTrue(other[2] == first[2], threads .. " threads give other weights")
  end
  lu.assertFalse(weights("--seed", "43")[2] == first[2], "another seed changes nothing")
end

function TestDigits:test_runs_from_any_directory()
  local here = process.shell("pwd"):match "[^\n]*"
  local command = process.mlpl:match "^/" and process.mlpl or here .. "/" .. process.mlpl
  local out, _, code = process.shell(("cd / && %s %s --epochs 1"):format(
    process.quote(command), process.quote(here .. "/examples/digits.lua")))
  lu.assertEquals(code, 0)
  lu.assertStrContains(out, "test accuracy: ")
end

function TestDigits:test_runs_in_a_stock_lua()
  if (os.getenv "MLPL_SANITIZE" or "") ~= "" then
    lu.skip "a stock Lua cannot load a module made for a sanitizer"
  elseif not process.has "lua5.4" then
    lu.skip "lua5.4 is not here"
  end
  local folder = process.mlpl:match "^(.*)/" or "."
  local line = "LUA_CPATH=%s lua5.4 examples/digits.lua --epochs 3"
  local out, err, code = process.shell(line:format(process.quote(folder .. "/?.so")))
  lu.assertEquals(code, 0, err)
  lu.assertEquals(out, (process.run("examples/digits.lua", "--epochs", "3")))
end

TestMnist = {}

-- A pair of IDX files like MNIST's: in image i, the rows that its label names are bright.
local function write_pair(folder, part, count)
  local images, labels = {}, {}
  for i = 1, count do
    local label = i % 10
    labels[i] = string.char(label)
    for row = 0, 27 do
      local grey = row // 2 == label and 255 or (i * row) % 50
      images[#images + 1] = string.char(grey):rep(28)
    end
  end
  local function write(name, header, body)
    local file <close> = assert(io.open(folder .. "/" .. part .. name, "wb"))
    file:write(header, body)
  end
  local images_header = (">I4I4I4I4"):pack(0x803, count, 28, 28)
  write("-images-idx3-ubyte", images_header, table.concat(images))
  write("-labels-idx1-ubyte", (">I4I4"):pack(0x801, count), table.concat(labels))
end

function TestMnist:setUp()
  self.folder = os.tmpname()
  os.remove(self.folder)
  assert(os.execute("mkdir " .. process.quote(self.folder)))
  write_pair(self.folder, "train", 600)
  write_pair(self.folder, "t10k", 100)
end

function TestMnist:tearDown()
  os.execute("rm -r " .. process.quote(self.folder))
  self.folder = nil
end

function TestMnist:test_reads_the_four_files()
  lu.assertTrue(accuracy("examples/mnist.lua", self.folder) > 0.9)
end

function TestMnist:test_softmax_regression()
  local function weights(...)
    local words = table.pack(...)
    return process.with_file("", function(name)
      accuracy("examples/mnist.lua", self.folder, "--epochs", "1", "--save", name,
        table.unpack(words))
      return #contents(name)
    end)
  end
  lu.assertTrue(weights("--hidden", "0") < 4 * 784 * 10 + 2000)
  lu.assertTrue(weights("--hidden", "40") > 4 * 784 * 40)
end

function TestMnist:test_gzipped()
  if not process.has "gzip" then lu.skip "gzip is not here" end
  os.execute("gzip " .. process.quote(self.folder) .. "/*")
  lu.assertTrue(accuracy("examples/mnist.lua", self.folder, "--hidden", "0") > 0.9)
end

function TestMnist:test_missing_files_are_named()
  local _, err, code = process.run("examples/mnist.lua", "no_such_folder")
  lu.assertEquals(code, 1)
  lu.assertStrContains(err, "cannot open no_such_folder/train-")
  _, err, code = process.run("examples/mnist.lua")
  lu.assertEquals(code, 1)
  lu.assertStrContains(err, "missing argument: dir")
end
