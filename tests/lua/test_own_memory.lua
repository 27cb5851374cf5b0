-- Whose memory a result is in: what shares memory with an argument is a view, and a
-- recorded change of it is refused; all else is a tensor of its own, which may be changed,
-- and its gradients are right. The functions here are those that are no rows of the table;
-- tests/c/own_memory.c has the rows.

local lu = require "luaunit"
local mlpl = require "mlpl"

local nn, linalg, autograd = mlpl.nn, mlpl.linalg, mlpl.autograd

local function leaf(...)
  return mlpl.tensor({ { 1.5, -2, 0.5 }, { 3, 0.25, -1 } }, { dtype = "f64",
    requires_grad = true, ... })
end

local function square(x) return x:matmul(x:t()) + mlpl.eye(2, { dtype = "f64" }) end

-- Of a [2x3], one result or several.
local functions = {
  ["einsum, one operand"] = function(x) return mlpl.einsum("ij->ji", x) end,
  ["einsum, nothing done"] = function(x) return mlpl.einsum("ij", x) end,
  ["einsum, a sum"] = function(x) return mlpl.einsum("ij->j", x) end,
  ["einsum, turned"] = function(x) return mlpl.einsum("ij,kj->ki", x, x) end,
  tensordot = function(x) return mlpl.tensordot(x, x, { { 2 }, { 2 } }) end,
  split = function(x) return x:split(1) end,
  ["split, sizes"] = function(x) return x:split({ 1, 2 }, 2) end,
  chunk = function(x) return x:chunk(2, 2) end,
  unbind = function(x) return x:unbind(2) end,
  tensor_split = function(x) return x:tensor_split({ 1 }, 2) end,
  hsplit = function(x) return x:hsplit(3) end,
  vsplit = function(x) return x:vsplit(2) end,
  meshgrid = function(x) return mlpl.meshgrid(x[1], x[2]) end,
  broadcast_tensors = function(x) return mlpl.broadcast_tensors(x, x[1]) end,
  atleast_3d = function(x) return mlpl.atleast_3d(x) end,
  T = function(x) return x.T end,
  mT = function(x) return x.mT end,
  ["t of a vector"] = function(x) return x[1]:t() end,
  ["an element"] = function(x) return x[2][3] end,
  ["a row"] = function(x) return x[-1] end,
  ["a range"] = function(x) return x[{ {}, { 1, 3, 2 } }] end,
  ["a list"] = function(x) return x[mlpl.tensor({ 2, 1, 1 }, { dtype = "i64" })] end,
  ["a list of columns"] = function(x)
    return x[{ {}, mlpl.tensor({ 3, 1 }, { dtype = "i64" }) }]
  end,
  ["a mask"] = function(x) return x[x:gt(0):detach()] end,
  contiguous = function(x) return x:t():contiguous() end,
  clone = function(x) return x:t():clone() end,
  ["reshape that copies"] = function(x) return x:t():reshape(2, 3) end,
  tile = function(x) return x:tile(2, 2) end,
  kron = function(x) return mlpl.kron(x, x) end,
  ["norm of all"] = function(x) return linalg.norm(x) end,
  ["norm of a matrix"] = function(x) return linalg.norm(x, "nuc") end,
  ["norm in a pair of axes"] = function(x)
    return linalg.norm(mlpl.stack { x, 2 * x }, "nuc", { 1, 3 })
  end,
  ["norm, axes kept"] = function(x)
    return linalg.norm(mlpl.stack { x, 2 * x }, "nuc", { 3, 1 }, true)
  end,
  ["solve_triangular"] = function(x)
    return linalg.solve_triangular(square(x):tril(), x:sin(), false) * 1
  end,
  slogdet = function(x) return linalg.slogdet(square(x)) end,
  svdvals = function(x) return linalg.svdvals(x) end,
  eigvalsh = function(x) return linalg.eigvalsh(square(x)) end,
  ["max, along an axis"] = function(x) return (x:max(2)) end,
  gradient = function(x)
    return autograd.grad((x ^ 3):t():reshape(6):sum(), { x }, { create_graph = true })[1]
  end,
  ["a Function that gives back its input"] = function(x)
    return autograd.Function { forward = function(_, v) return v end,
      backward = function(_, g) return g end }(x)
  end,
  ["a Function that gives a view of its own"] = function(x)
    return autograd.Function { forward = function(_, v) return (v * 2):t() end,
      backward = function(_, g) return 2 * g:t() end }(x)
  end,
  Flatten = function(x) return nn.Flatten(1)(x) end,
}

-- Does a change of x show in any of them?
local function shares(f)
  local x = leaf():detach()
  local results, before = { f(x:requires_grad_()) }, {}
  for i, y in ipairs(results) do before[i] = y:clone() end
  mlpl.no_grad(function() x:add_(1000) end)
  for i, y in ipairs(results) do
    if not y:equal(before[i]) then return true end
  end
  return false
end

-- The results, each changed in place by a recorded operation.
local function changed(f, x)
  local results, all = { f(x * 1) }, 0
  for i, y in ipairs(results) do
    if y.requires_grad then all = all + i * y:mul_(3):cos():sum() end
  end
  return all
end

TestOwnMemory = {}

function TestOwnMemory:test_what_shares_memory_is_a_view_and_nothing_else()
  local views, right = 0, 0
  for name, f in pairs(functions) do
    local ok, trouble = pcall(changed, f, leaf())
    if shares(f) then
      views = views + 1
      lu.assertFalse(ok, name)
      lu.assertNotNil(trouble:match "is a view" or trouble:match "is stretched",
        name .. ": " .. trouble)
    else
      lu.assertTrue(ok, name .. ": " .. tostring(trouble))
      ok, trouble = pcall(autograd.gradcheck, function(x) return changed(f, x) end, leaf())
      right = right + (ok and 1 or 0)
      if not ok then lu.assertStrContains(trouble, "its old value is needed", false, name) end
    end
  end
  lu.assertTrue(views > 15 and right > 15)
end

-- PyTorch gives x itself, so that a change goes where the script meant it to go.
function TestOwnMemory:test_dropout_outside_training_is_its_input()
  local layer = nn.Dropout(0.5):eval()
  for _, drop in ipairs {
    function(x) return nn.dropout(x, 0.5, false) end,
    function(x) return nn.dropout(x, 0) end,
    function(x) return layer(x) end,
  } do
    local x = leaf()
    lu.assertTrue(drop(x).is_leaf)
    local h = x * 1
    local y = drop(h)
    lu.assertEquals(y.grad_fn, "mul")
    y:mul_(2)
    h:sum():backward()
    lu.assertEquals(x.grad:totable(), { { 2, 2, 2 }, { 2, 2, 2 } })
  end
end

-- Two results of one call lie apart: a change of one is nothing to the other.
function TestOwnMemory:test_results_lie_apart()
  local a = mlpl.tensor({ { 4, 1 }, { 1, 3 } }, { dtype = "f64" })
  local w = mlpl.ones(2, 2, { dtype = "f64", requires_grad = true })
  local q, r = linalg.qr(a)
  local loss = (r * w):sum()
  q:mul_(2)
  loss:backward()
  lu.assertTrue(w.grad:equal(r))
end
