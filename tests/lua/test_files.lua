-- mlpl.load and mlpl.save, data.npy, and the same files seen by NumPy where it is installed.

local lu = require "luaunit"
local mlpl = require "mlpl"
local expect = require "expect"
local process = require "process"

local fails, refuses, values = expect.fails, expect.refuses, expect.values

-- A folder of our own while f runs.
local function in_folder(f)
  local name = os.tmpname()
  os.remove(name)
  assert(os.execute("mkdir " .. process.quote(name)))
  local folder <close> = setmetatable({}, { __close = function()
    os.execute("rm -r " .. process.quote(name))
  end })
  f(name .. "/")
end

local function write(path, bytes)
  local file <close> = assert(io.open(path, "wb"))
  file:write(bytes)
  return path
end

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

local dtypes = { "f32", "f64", "i64", "u8", "bool" }

local function example(dtype)
  local truth = { { true, false, true }, { false, false, true } }
  return mlpl.tensor(dtype == "bool" and truth or { { 1, 0, 200 }, { 3, 7, 255 } },
    { dtype = dtype })
end

TestFiles = {}

function TestFiles:test_a_tensor_there_and_back()
  in_folder(function(folder)
    for _, dtype in ipairs(dtypes) do
      local x, path = example(dtype), folder .. dtype .. ".npy"
      mlpl.save(path, x)
      local y = assert(mlpl.load(path))
      lu.assertEquals(y.dtype, dtype)
      values(y, x:totable())
      values(assert(mlpl.data.npy(path)), x:totable())
    end
    mlpl.save(folder .. "t.NPY", mlpl.arange(6):reshape(2, 3):t())
    values(assert(mlpl.load(folder .. "t.NPY")), { { 1, 4 }, { 2, 5 }, { 3, 6 } })
    mlpl.save(folder .. "s.npy", mlpl.tensor(2.5))
    lu.assertEquals(assert(mlpl.load(folder .. "s.npy")):item(), 2.5)
    mlpl.save(folder .. "e.npy", mlpl.zeros(0, 3))
    lu.assertEquals(assert(mlpl.load(folder .. "e.npy")).shape, { 0, 3 })
  end)
end

function TestFiles:test_a_table_there_and_back()
  in_folder(function(folder)
    local all = {}
    for _, dtype in ipairs(dtypes) do all["layer." .. dtype] = example(dtype) end
    for _, case in ipairs { { "a.npz" }, { "b.npz", { compressed = true } },
      { "c.npz", { compressed = false } }, { "d.npz", {} }, { "e.safetensors" } } do
      mlpl.save(folder .. case[1], all, case[2])
      local found, n = assert(mlpl.load(folder .. case[1])), 0
      for name, tensor in pairs(found) do
        lu.assertEquals(tensor.dtype, all[name].dtype)
        values(tensor, all[name]:totable())
        n = n + 1
      end
      lu.assertEquals(n, #dtypes)
      mlpl.save(folder .. "none." .. case[1], {}, case[2])
      lu.assertEquals(mlpl.load(folder .. "none." .. case[1]), {})
    end
    lu.assertEquals(read(folder .. "a.npz"), read(folder .. "c.npz"))
    mlpl.save(folder .. "zeros.npz", { zeros = mlpl.zeros(100, 100) }, { compressed = true })
    lu.assertTrue(#read(folder .. "zeros.npz") < 1000)
  end)
end

function TestFiles:test_a_model_file_is_a_table_too()
  in_folder(function(folder)
    mlpl.nn.Sequential { mlpl.nn.Linear(3, 2) }:save(folder .. "m.safetensors")
    local weights = assert(mlpl.load(folder .. "m.safetensors"))
    lu.assertEquals(weights["0.weight"].shape, { 2, 3 })
    lu.assertEquals(weights["0.bias"].shape, { 2 })
  end)
end

-- The same table gives the same file, whatever order it is walked in.
function TestFiles:test_members_are_in_the_order_of_their_names()
  in_folder(function(folder)
    local all, names = {}, {}
    for i = 1, 50 do
      names[i] = ("w%02d"):format(i)
      all[names[i]] = mlpl.tensor(i)
    end
    mlpl.save(folder .. "a.npz", all)
    local found = {}
    for name in read(folder .. "a.npz"):gmatch "PK\1\2.-(w%d%d).npy" do
      found[#found + 1] = name
    end
    lu.assertEquals(found, names)
  end)
end

function TestFiles:test_faults_of_files()
  in_folder(function(folder)
    for _, ending in ipairs { "npy", "npz", "safetensors" } do
      refuses(("cannot open %sno.%s: No such file or directory"):format(folder, ending),
        "EIO", mlpl.load, folder .. "no." .. ending)
    end
    refuses(("cannot open %sno: No such file or directory"):format(folder), "EIO",
      mlpl.data.npy, folder .. "no")
    local path = write(folder .. "a.npy", "no array")
    refuses(("npy: %s: this is no NPY file: it does not begin with \\x93NUMPY"):format(path),
      "EFORMAT", mlpl.load, path)
    path = write(folder .. "a.npz", "PK\3\4")
    refuses(("npz: %s: the archive is truncated: it has no end record"):format(path),
      "EFORMAT", mlpl.load, path)
    local head = "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}"
    path = write(folder .. "o.npy", "\x93NUMPY\1\0" .. ("<s2"):pack(head) .. "cos\nsystem\n")
    refuses(("npy: %s: the array holds Python objects (a pickle), which could run code when"
      .. " read; save it as numbers"):format(path), "EFORMAT", mlpl.load, path)
    refuses(("npy: %s: the array holds Python objects (a pickle), which could run code when"
      .. " read; save it as numbers"):format(path), "EFORMAT", mlpl.data.npy, path)
  end)
end

function TestFiles:test_faults_of_calls()
  local x = mlpl.zeros(2)
  fails("load: the ending of the path 'a.txt' says no kind of file; it must be .npy (a tensor), .npz"
    .. " or .safetensors (a table of named tensors)", mlpl.load, "a.txt")
  lu.assertStrContains(expect.message(mlpl.load, "a.npy/b"), "the ending of the path 'a.npy/b'")
  lu.assertStrContains(expect.message(mlpl.save, "a", x), "save: the ending of the path 'a' says")
  fails("load: one argument too many: 1", mlpl.load, "a.npy", 1)
  fails("save: the value is nil; a .npy file holds one tensor (a table: .npz or .safetensors)",
    mlpl.save, "a.npy", nil)
  fails("save: the value is a table; a .npy file holds one tensor (a table: .npz or"
    .. " .safetensors)", mlpl.save, "a.npy", { x })
  fails("save: the value is a mlpl.Tensor; a .npz file holds a table of named tensors",
    mlpl.save, "a.npz", x)
  fails("save: the value is 5; a .safetensors file holds a table of named tensors",
    mlpl.save, "a.safetensors", 5)
  fails("save: the value has a key 1; every tensor needs a name", mlpl.save, "a.npz", { x })
  fails("save: 'x' in the value is 5; it must be a tensor", mlpl.save, "a.npz", { x = 5 })
  fails("save: a name holds a zero byte", mlpl.save, "a.npz", { ["a\0b"] = x })
  fails("save: the name '../x' is no relative path without . and ..", mlpl.save, "a.npz",
    { ["../x"] = x })
  fails("save: only .npz files can be compressed", mlpl.save, "a.npy", x,
    { compressed = true })
  fails("save: unknown option 'compress'; the options are compressed", mlpl.save, "a.npz",
    { x = x }, { compress = true })
  fails("save: the options are true; they must be a table with names", mlpl.save, "a.npz",
    { x = x }, true)
  lu.assertStrContains(expect.message(mlpl.save, "no_folder/a.npy", x),
    "cannot write no_folder/a.npy: No such file or directory")
  x:release()
  lu.assertStrContains(expect.message(mlpl.save, "a.npy", x), "released")
  lu.assertStrContains(expect.message(mlpl.save, "a.npz", { x = x }), "released")
end

-- What a failed save leaves is what was there.
function TestFiles:test_the_old_file_stays()
  in_folder(function(folder)
    local path = folder .. "a.npz"
    mlpl.save(path, { x = mlpl.ones(2) })
    lu.assertFalse((pcall(mlpl.save, path, { x = mlpl.zeros(2), ["/y"] = mlpl.zeros(2) })))
    values(assert(mlpl.load(path)).x, { 1, 1 })
  end)
end

-- ---- NumPy itself ---------------------------------------------------------------------

local script = [[
import sys, numpy as np
folder = sys.argv[1]
for name in "f32 f64 i64 u8 bool".split():
    x = np.load(folder + name + ".npy")
    assert x.shape == (2, 3) and x.flags.c_contiguous
    np.save(folder + name + "_back.npy", x)
    np.save(folder + name + "_turned.npy", np.asfortranarray(x))
    with np.load(folder + "all.npz") as z, np.load(folder + "packed.npz") as p:
        assert (z[name] == x).all() and z[name].dtype == x.dtype
        assert (p[name] == x).all() and p[name].dtype == x.dtype
with np.load(folder + "all.npz") as z:
    np.savez(folder + "all_back.npz", **z)
    np.savez_compressed(folder + "packed_back.npz", **z)
]]

function TestFiles:test_numpy_reads_and_writes_the_same_files()
  local python = os.getenv "MLPL_TEST_PYTHON" or "python3"
  if not os.execute(process.quote(python) .. " -c 'import numpy' 2>/dev/null") then
    lu.skip(python .. " with NumPy is not here (MLPL_TEST_PYTHON names one)")
  end
  in_folder(function(folder)
    local all = {}
    for _, dtype in ipairs(dtypes) do
      all[dtype] = example(dtype)
      mlpl.save(folder .. dtype .. ".npy", all[dtype])
    end
    mlpl.save(folder .. "all.npz", all)
    mlpl.save(folder .. "packed.npz", all, { compressed = true })
    local program = write(folder .. "there.py", script)
    local _, complaints, code = process.shell(("%s %s %s"):format(process.quote(python),
      process.quote(program), process.quote(folder)))
    lu.assertEquals(code, 0, complaints)
    for _, dtype in ipairs(dtypes) do
      lu.assertEquals(read(folder .. dtype .. "_back.npy"), read(folder .. dtype .. ".npy"))
      values(assert(mlpl.load(folder .. dtype .. "_turned.npy")), all[dtype]:totable())
    end
    for _, name in ipairs { "all_back.npz", "packed_back.npz" } do
      for key, tensor in pairs(assert(mlpl.load(folder .. name))) do
        values(tensor, all[key]:totable())
      end
    end
  end)
end
