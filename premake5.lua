-- The build of mlpl, and the only description of it.
--
--   sh scripts/build.sh                     does all of this
--   premake5 gmake                          Premake 5
--   premake4 --file=premake5.lua gmake      Premake 4.3, as Debian and Ubuntu package it
--   make -C build config=release            or config=debug
--
-- The body is Premake 5. Premake 4.3 lacks some of its words; the next block gives it exactly
-- those. Both read this file with their own Lua, so it keeps to what 5.1 and 5.3 share.

if not workspace then
  workspace = solution

  -- filter "configurations:debug" is configuration "debug"; filter {} resets.
  function filter(terms)
    local out = {}
    for _, term in ipairs(type(terms) == "string" and { terms } or terms) do
      local value = term:match("^configurations:(.+)$")
      table.insert(out, value or error("filter: premake4 cannot do " .. term, 2))
    end
    configuration(out)
  end

  local levels = { Off = "-O0", Debug = "-Og", On = "-O2", Speed = "-O3" }
  function optimize(level)  buildoptions { levels[level] or error("optimize: " .. level, 2) } end
  function cdialect(std)    buildoptions { "-std=" .. std:lower() } end
  function pic()            buildoptions { "-fPIC" } end
  function visibility(v)    buildoptions { "-fvisibility=" .. v:lower() } end
  function warnings()       buildoptions { "-Wall", "-Wextra" } end
  function symbols()        flags { "Symbols" } end    -- without it 4.3 strips what it links
  function removefiles(l)   excludes(l) end
  function dependson(list)  links(list) end            -- orders; programs are not linked
end

newoption {
  trigger = "tests",
  description = "Also build the tests, the benchmarks and the embedding examples"
}
newoption {
  trigger = "sanitize", value = "LIST",
  description = "address,undefined or thread; builds into build/sanitize-LIST"
}
newoption {
  trigger = "blis", value = "DIR",
  description = "Where blis.h and libblis.a are (default: Debian's libblis-serial-dev)"
}

-- Everything is made under `root`, which is also where the makefiles are and commands run.
local sanitize = _OPTIONS["sanitize"]
local root = sanitize and "build/sanitize-" .. sanitize:gsub(",", "-") or "build"
local top = root:gsub("[^/]+", "..")            -- the way back from there

local function sh(command)                      -- first line of a command's output, or nil
  local pipe = io.popen(command .. " 2>/dev/null")
  local line = pipe:read("*l")
  pipe:close()
  return line ~= "" and line or nil
end

local function stop(message)
  io.stderr:write("mlpl: " .. message .. "\n")
  os.exit(1)
end

local triple = sh("gcc -print-multiarch") or sh("cc -dumpmachine") or "unknown"
local lua_include = "/usr/include/lua5.4"

---------------------------------------------------------------------------------------------
-- BLIS: only micro-kernels are taken from it, by name, from the static library. Their names
-- and arguments were checked for 0.9 and 1.x. No header of 0.9 tells the version and no
-- pkg-config file exists, but the library carries the text it answers when asked.

local blis_dir = _OPTIONS["blis"] and path.getabsolute(_OPTIONS["blis"])
local blis = {
  include = blis_dir or "/usr/include/" .. triple .. "/blis-serial",
  library = (blis_dir or "/usr/lib/" .. triple .. "/blis-serial") .. "/libblis.a",
}

if _ACTION and _ACTION ~= "clean" and not _OPTIONS["help"] then
  if not os.isfile(blis.library) or not os.isfile(blis.include .. "/blis.h") then
    stop("BLIS is missing: there is no " .. blis.library .. " with its blis.h. " ..
      "On Debian and Ubuntu it is in the package libblis-serial-dev.")
  end
  blis.version = sh("ar p '" .. blis.library .. "' bli_info.o | strings -n 3 | " ..
    "grep -E '^[0-9]+[.][0-9]+'") or "unknown"
  if not (blis.version:match("^0%.9") or blis.version:match("^1%.")) then
    stop("BLIS " .. blis.version .. " is not known to work; the build takes 0.9 and 1.x.")
  end
  if not os.isfile(lua_include .. "/lua.h") then
    stop("Lua 5.4 is missing: there is no " .. lua_include .. "/lua.h. " ..
      "On Debian and Ubuntu it is in the package liblua5.4-dev.")
  end
end

---------------------------------------------------------------------------------------------

workspace "mlpl"
  configurations { "release", "debug" }
  if defaultconfiguration then defaultconfiguration "release" end
  location(root)
  language "C"
  -- Nothing unwinds our frames but debuggers, which have the table that is stripped.
  buildoptions { "-fno-asynchronous-unwind-tables" }
  -- Strict C11: the compiler may not fuse a * b + c, so every build rounds alike.
  cdialect "C11"
  defines { "_POSIX_C_SOURCE=200809L" }
  warnings "Extra"
  buildoptions { "-Wshadow", "-Wconversion" }
  symbols "On"
  visibility "Hidden"
  pic "On"
  if sanitize then
    local options = { "-fsanitize=" .. sanitize, "-fno-omit-frame-pointer" }
    if sanitize:find("undefined") then
      table.insert(options, "-fno-sanitize-recover=undefined")
    end
    buildoptions(options)
    linkoptions { "-fsanitize=" .. sanitize }
  end
  filter "configurations:release"
    defines { "NDEBUG" }
    optimize "On"
  filter "configurations:debug"
    optimize "Debug"
  filter {}

local function each_config(body)
  for _, config in ipairs { "release", "debug" } do
    filter("configurations:" .. config)
    body(config)
  end
  filter {}
end

-- Starts a project. Products go to build/release/ and build/debug/, or `folder` in there;
-- what is only a step on the way goes to build/obj/ (folder == nil).
local function begin(name, sort, folder)
  project(name)
  kind(sort)
  each_config(function(config)
    local steps = root .. "/obj/" .. config
    local objects = steps .. "/" .. name .. ".d"        -- not `name`: that may be a program
    targetdir(folder and root .. "/" .. config .. folder or steps)
    objdir(objects)
    os.mkdir(objects)           -- 4.3's makefiles would make it beside the first compile
  end)
end

-- System headers, so that our warnings do not apply to what their macros expand to.
local function system_include(folder) buildoptions { "-isystem " .. folder } end

-- Kernels: the same sources once for every element type and instruction set.

local variants = {
  { isa = "base", flags = {} },
  { isa = "avx2", flags = { "-mavx2", "-mfma" } },
  { isa = "avx512", flags = { "-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mfma",
    "-mprefer-vector-width=512" } },
}
if not triple:match("^x86_64") then variants = { variants[1] } end

local parts = {}                                -- the libraries that libmlpl is made of

local function part(name)
  table.insert(parts, name)
  begin(name, "StaticLib")
  includedirs { "engine" }
end

-- Loops in vectors, but no more copies of loops than that: for half the bytes of -O3, and
-- where it matters for the same time.
local function kernels(name, folder, variant, bits)
  part(name .. "_f" .. bits .. "_" .. variant.isa)
    files { folder .. "/*.c" }
    defines { "MLPLK_REAL=" .. bits, "MLPLK_ISA=" .. variant.isa }
    buildoptions { "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math" }
    buildoptions { "-fvect-cost-model=dynamic" }
    buildoptions(variant.flags)
    optimize "On"                               -- debug, too: its tests would take minutes
    if sanitize then buildoptions { "-O1" } end -- compiles four times as fast
end

for _, variant in ipairs(variants) do
  for _, bits in ipairs { "32", "64" } do
    kernels("kern", "engine/kern/variants", variant, bits)
    kernels("linalg", "engine/kern/linalg", variant, bits)
    if variant.isa ~= "avx512" then             -- which takes avx2's
      kernels("seldom", "engine/kern/seldom", variant, bits)
    end
  end
end

part("kern_blis")
  files { "engine/kern/blis.c" }
  system_include(blis.include)

-- The rest of the engine, a library for each folder: Premake 4.3 calls an object by its
-- source's name alone, and ops/softmax.c may live beside nn/softmax.c.

local folders = {}
for _, file in ipairs(os.matchfiles("engine/**.c")) do
  local folder = path.getdirectory(file)
  if not folder:match("^engine/kern/") and file ~= "engine/kern/blis.c" then
    if not folders[folder] then
      folders[folder] = {}
      table.insert(folders, folder)
    end
    table.insert(folders[folder], file)
  end
end
table.sort(folders)
for _, folder in ipairs(folders) do
  part((folder:gsub("/", "_")))
    files(folders[folder])
end

-- libmlpl.a: the parts and BLIS's micro-kernels in one relocatable object, in which only our
-- names stay global; a host may bring its own BLIS. The step is called mlpl_whole because
-- "-lmlpl" would find libmlpl.so beside the product libmlpl.a.

begin("mlpl_whole", "StaticLib")
  links(parts)
  each_config(function(config)
    local steps = "obj/" .. config .. "/"
    local archives = steps .. "lib" .. table.concat(parts, ".a " .. steps .. "lib") .. ".a"
    postbuildcommands {                         -- a half-done target must not look up to date
      "( ld -r -o " .. steps .. "mlpl.o --whole-archive " .. archives ..
      " --no-whole-archive '" .. blis.library .. "'" ..
      " && objcopy -w --keep-global-symbol='mlpl*' " .. steps .. "mlpl.o" ..
      " && rm -f $(TARGET) && ar rcs $(TARGET) " .. steps .. "mlpl.o" ..
      " && mkdir -p " .. config .. " && cp $(TARGET) " .. config .. "/libmlpl.a" ..
      " ) || ( rm -f $(TARGET); exit 1 )"
    }
  end)

begin("libmlpl", "SharedLib", "")
  targetname "mlpl"
  links { "mlpl_whole", "z", "m", "pthread" }
  linkoptions { "-Wl,-soname,libmlpl.so.0" }
  each_config(function(config)
    linkoptions { "obj/" .. config .. "/mlpl.o" }       -- all of it, not what somebody asks for
  end)

-- The Lua half, embedded byte for byte. `embed` runs at every make and writes only what
-- changed. It has a project of its own because make -j runs a project's prebuild commands
-- beside its compiles, but ends a project before those that depend on it.

begin("embed", "ConsoleApp")
  files { "scripts/embed.c" }

begin("embedded", "StaticLib")
  files { "scripts/embed.c" }                   -- Premake 5 forgets the commands without any
  dependson { "embed" }
  each_config(function(config)
    prebuildcommands {
      "@mkdir -p gen && obj/" .. config .. "/embed gen/embedded.c " .. top .. " scripts/mlpl"
    }
  end)

begin("mlpl_lua", "StaticLib", "")
  files { "bindings/*.c", root .. "/gen/embedded.c" }
  removefiles { "bindings/main*.c" }            -- the command's
  includedirs { "engine", "bindings" }
  system_include(lua_include)
  dependson { "embedded" }

begin("module", "SharedLib", "")                -- mlpl.so; Lua itself comes with the host
  targetprefix ""
  targetname "mlpl"
  links { "mlpl_lua", "mlpl_whole", "z", "m", "pthread" }
  linkoptions {
    "-Wl,-u,luaopen_mlpl", "-Wl,--version-script=" .. top .. "/bindings/module.map"
  }

-- What a program with Lua in it links. Lua is static, so that the program needs no package.
local lua_libs = { "mlpl_lua", "mlpl_whole", ":liblua5.4.a", "z", "m", "dl", "pthread" }

-- A command that may lie anywhere in memory has its addresses put right as it starts; glibc
-- takes a list of them that is a twentieth as long from 2.36 on.
local glibc = (sh("getconf GNU_LIBC_VERSION") or ""):match("^glibc 2%.(%d+)")

begin("mlpl", "ConsoleApp", "")
  files { "bindings/main*.c" }
  includedirs { "engine", "bindings" }
  system_include(lua_include)
  links(lua_libs)
  linkoptions { "-Wl,-E" }                      -- C modules find Lua in the command
  if glibc and tonumber(glibc) >= 36 then
    linkoptions { "-Wl,-z,pack-relative-relocs" }
  end

if not _OPTIONS["tests"] then return end

-- One program for each file; adding one needs no line here.

local function programs(pattern, prefix, folder, body)
  for _, file in ipairs(os.matchfiles(pattern)) do
    local name = path.getbasename(file)
    if file ~= "tests/c/support.c" then
      begin(prefix .. name, "ConsoleApp", folder)
        files { file }
        includedirs { "engine" }
        body(name)
    end
  end
end

local function host(name)
  if name:match("^lua_") then
    includedirs { "bindings" }
    system_include(lua_include)
    links(lua_libs)
    linkoptions { "-Wl,-E" }
  else
    links { "mlpl_whole", "z", "m", "pthread" }
  end
end

begin("c_support", "StaticLib")
  files(os.matchfiles("tests/c/support.c"))
  includedirs { "engine", "tests/c" }

programs("tests/c/*.c", "c_", "/tests", function(name)
  targetname(name)
  includedirs { "tests/c" }
  links { "c_support", "mlpl_whole", "cmocka", "z", "m", "pthread" }
end)

programs("tests/host/*.c", "host_", "/tests", function(name)
  host(name)
  links { "cmocka" }
end)

programs("tests/bench/*.c", "bench_", "/bench", function(name)
  targetname(name)
  host(name)
end)

programs("examples/embed/*.c", "example_", "/examples", function(name)
  targetname(name)
  host(name)
end)
