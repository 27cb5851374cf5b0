-- Generators, their states, and what is drawn by probability, by weight or in place.

local lu = require "luaunit"
local mlpl = require "mlpl"
local expect = require "expect"
local values, fails, message = expect.values, expect.fails, expect.message

TestGenerator = {}

function TestGenerator:setUp() mlpl.seed(1) end

function TestGenerator:test_it_is_beside_the_state_s_own()
  local before = mlpl.get_rng_state()
  local g = mlpl.Generator(7)
  local drawn = mlpl.rand(5, { generator = g }):totable()
  lu.assertEquals(mlpl.get_rng_state(), before)
  mlpl.seed(7)
  values(mlpl.rand(5), drawn)                        -- a seed means the same for both
  lu.assertEquals(g:seed(), 7)
  lu.assertEquals(g:initial_seed(), 7)
  lu.assertEquals(tostring(g), "Generator(7)")
  lu.assertEquals(g:seed(7), 7)
  values(mlpl.rand(5, { generator = g }), drawn)
  lu.assertIs(g:manual_seed(8), g)
  lu.assertNotEquals(mlpl.rand(5, { generator = g }):totable(), drawn)
end

function TestGenerator:test_a_seed_gives_what_it_gave()
  values(mlpl.rand(3), { 0.599230647, 0.885077596, 0.426446855 }, 1e-8)
  values(mlpl.rand(3, { generator = mlpl.Generator(1) }),
    { 0.599230647, 0.885077596, 0.426446855 }, 1e-8)
end

-- Every function that takes one: the same numbers for the same state.
function TestGenerator:test_every_draw_takes_one()
  local p, w, x = mlpl.full({ 50 }, 0.4), mlpl.arange(50), mlpl.zeros(5, 10)
  local draws = {
    function(o) return mlpl.rand(50, o) end,
    function(o) return mlpl.randn(50, o) end,
    function(o) return mlpl.randint(1, 100, { 50 }, o) end,
    function(o) return mlpl.normal(1, 2, { 50 }, o) end,
    function(o) return mlpl.normal(p, 2, o) end,
    function(o) return mlpl.normal(p, o) end,
    function(o) return mlpl.randperm(50, o) end,
    function(o) return mlpl.bernoulli(p, o) end,
    function(o) return p:bernoulli(o) end,
    function(o) return mlpl.multinomial(w, 20, o) end,
    function(o) return mlpl.rand_like(x, o) end,
    function(o) return mlpl.randn_like(x, o) end,
    function(o) return mlpl.randint_like(x, 1, 100, o) end,
    function(o) return mlpl.zeros(50):uniform_(1, 2, o) end,
    function(o) return mlpl.zeros(50):normal_(1, 2, o) end,
    function(o) return mlpl.zeros(50):exponential_(2, o) end,
    function(o) return mlpl.zeros(50):bernoulli_(0.3, o) end,
    function(o) return mlpl.zeros(50):bernoulli_(p, o) end,
  }
  for i, draw in ipairs(draws) do
    mlpl.seed(5)
    local own = draw({}):totable()
    local before = mlpl.get_rng_state()
    local g = mlpl.Generator(5)
    lu.assertEquals(draw({ generator = g }):totable(), own, i)
    lu.assertEquals(mlpl.get_rng_state(), before)
    lu.assertEquals(g:state(), before)
    lu.assertNotEquals(draw({ generator = g }):totable(), own, i)
    lu.assertStrContains(message(draw, { generator = 5 }),
      "generator is 5; it must be a mlpl.Generator")
    lu.assertStrContains(message(draw, { generate = g }), "unknown option 'generate'")
  end
end

function TestGenerator:test_a_state_survives_a_file()
  mlpl.seed(-3)
  mlpl.rand(7)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(mlpl.get_rng_state())
  file:close()
  local wanted = { mlpl.rand(4):totable(), mlpl.randn(3):totable() }
  mlpl.seed(9)
  file = assert(io.open(path))
  local state = file:read "a"
  file:close()
  os.remove(path)
  mlpl.set_rng_state(state)
  lu.assertEquals(mlpl.seed(), -3)
  lu.assertEquals({ mlpl.rand(4):totable(), mlpl.randn(3):totable() }, wanted)
  local g = mlpl.Generator(1)
  lu.assertIs(g:set_state(state), g)
  lu.assertEquals(g:get_state(), state)
  lu.assertEquals(mlpl.rand(4, { generator = g }):totable(), wanted[1])
end

function TestGenerator:test_states_that_are_none()
  local good = mlpl.get_rng_state()
  local g = mlpl.Generator(1)
  for _, bad in ipairs { "", "x", good .. " ", good:sub(1, -2), good:upper(),
    (good:gsub("philox", "Philox")), good .. "\0", ("9"):rep(1000) } do
    lu.assertStrContains(message(mlpl.set_rng_state, bad), "is not a generator's state")
    lu.assertStrContains(message(g.set_state, g, bad), "is not a generator's state")
  end
  fails("set_rng_state: 5 is not a generator's state", mlpl.set_rng_state, 5)
  lu.assertEquals(mlpl.get_rng_state(), good)
  fails("Generator: the seed is 1.5; it must be a whole number", mlpl.Generator, 1.5)
  fails("a generator has no field or method 'seeds'; did you mean 'seed'?", function() return g.seeds end)
  fails("a generator has no field 'x' that can be set", function() g.x = 1 end)
end

TestDraws = {}

function TestDraws:test_randperm()
  local seen = {}
  local p = mlpl.randperm(100)
  lu.assertEquals(p.dtype, "i64")
  for _, v in ipairs(p:totable()) do seen[v] = true end
  for i = 1, 100 do lu.assertTrue(seen[i], i) end
  lu.assertEquals(mlpl.randperm(5, { dtype = "f32" }).dtype, "f32")
  fails("randperm: n is -1; it must be 0 or more", mlpl.randperm, -1)
  fails("randperm: one argument too many: 3", mlpl.randperm, 2, 3)
end

function TestDraws:test_multinomial()
  local w = mlpl.tensor { 0, 1, 0, 3 }
  local drawn = mlpl.multinomial(w, 2):totable()
  table.sort(drawn)
  lu.assertEquals(drawn, { 2, 4 })                   -- places from 1
  lu.assertEquals(w:multinomial(5, true).shape, { 5 })
  lu.assertEquals(w:multinomial(5, { replacement = true }).shape, { 5 })
  lu.assertEquals(w:multinomial().shape, { 1 })
  lu.assertEquals(mlpl.multinomial(mlpl.ones(3, 4), 2).shape, { 3, 2 })
  for _ = 1, 20 do                                 -- 1 over which is infinite
    values(mlpl.multinomial(mlpl.tensor({ 0, 5e-324, 0 }, { dtype = "f64" }), 1), { 2 })
  end
  fails("multinomial: row 1 has 2 weights above 0; without replacement, 3 cannot be drawn",
    mlpl.multinomial, w, 3)
  fails("multinomial: weight 2 of row 1 is -1; weights are finite and not negative",
    mlpl.multinomial, mlpl.tensor { 1, -1 }, 1)
  fails("multinomial: n is 1.5; it must be a whole number",
    mlpl.multinomial, w, 1.5)
end

function TestDraws:test_normal_by_means_and_deviations()
  local x = mlpl.normal(100, 2, 40, 50)
  lu.assertEquals(x.shape, { 40, 50 })
  lu.assertAlmostEquals(x:mean():item(), 100, 0.3)
  lu.assertAlmostEquals(x:std():item(), 2, 0.2)
  lu.assertEquals(mlpl.normal(0, 1).shape, {})
  lu.assertEquals(mlpl.normal(0, 1, { 2 }, { dtype = "f64" }).dtype, "f64")
  local means = mlpl.tensor({ { 1 }, { 2 } }, { dtype = "f64", requires_grad = true })
  local y = mlpl.normal(means, mlpl.zeros(3))
  values(y, { { 1, 1, 1 }, { 2, 2, 2 } })
  lu.assertEquals({ y.dtype, y.requires_grad }, { "f64", false })
  lu.assertEquals(mlpl.normal(mlpl.tensor({ 1, 2 }, { dtype = "i64" })).dtype, "f32")
  values(mlpl.normal(7, mlpl.zeros(2)), { 7, 7 })
  fails("normal: std is -1; it must be 0 or more", mlpl.normal, 0, -1, { 2 })
  fails("normal: std holds -1; it must be 0 or more", mlpl.normal, means, -1)
  fails("normal: std is missing; it must be a number or a tensor", mlpl.normal, 0)
  fails("normal: std is 'a'; it must be a number or a tensor", mlpl.normal, means, "a")
  fails("normal: one argument too many: 5; tensors have their own sizes", mlpl.normal, means, 1, 5)
  fails("normal: unknown option 'dtype'; the options are generator", mlpl.normal, means, 1,
    { dtype = "f64" })
  fails("normal: sizes differ: mean is [2x1], std is [3x3]; aligned at the last axis, sizes " ..
    "must be equal or 1", mlpl.normal, means, mlpl.ones(3, 3))
end

function TestDraws:test_like_another()
  local x = mlpl.zeros(2, 3, { dtype = "f64" })
  lu.assertEquals(mlpl.rand_like(x).dtype, "f64")
  lu.assertEquals(mlpl.randn_like(x, { dtype = "f32" }).shape, { 2, 3 })
  lu.assertTrue(mlpl.randn_like(x, { requires_grad = true }).requires_grad)
  local d = mlpl.randint_like(x, 1, 6)
  lu.assertEquals(d.dtype, "f64")
  for _, v in ipairs(d:reshape(6):totable()) do lu.assertTrue(v >= 1 and v <= 6) end
end

function TestDraws:test_in_place()
  local x = mlpl.zeros(1000)
  lu.assertIs(x:uniform_(5, 6), x)
  for _, v in ipairs(x:totable()) do lu.assertTrue(v >= 5 and v < 6) end
  x:normal_ { mean = 100, std = 0 }
  values(x, mlpl.full({ 1000 }, 100):totable())
  x:normal_(100, { std = 0 })
  fails("normal_: std is given twice", x.normal_, x, 0, 1, { std = 2 })
  fails("normal_: std is 'a'; it must be a number", x.normal_, x, 0, "a")
  fails("uniform_: one argument too many: 3", x.uniform_, x, 1, 2, 3)
  values(mlpl.zeros(2, { dtype = "bool" }):bernoulli_(1), { true, true })
  local t = mlpl.zeros(2, 2)
  t:t()[1]:uniform_(1, 2)
  lu.assertEquals(t[{ 1, 2 }]:item(), 0)
  lu.assertTrue(t[{ 2, 1 }]:item() >= 1)
  local windows = mlpl.zeros(10):unfold(1, 3, 1)
  for _, name in ipairs { "uniform_", "normal_", "exponential_", "bernoulli_" } do
    fails(name .. ": the tensor, [8x3], is stretched: several of its elements share one " ..
      "place in memory; :clone() it first", windows[name], windows)
  end
  local leaf = mlpl.zeros(2, { requires_grad = true })
  fails("uniform_: the tensor is a leaf that requires a gradient, and what was recorded " ..
    "with it would lose its value; change it under no_grad", leaf.uniform_, leaf)
  mlpl.no_grad(leaf.uniform_, leaf, 3, 4)
  lu.assertTrue(leaf[1]:item() >= 3)
  lu.assertTrue(leaf.requires_grad)
end
