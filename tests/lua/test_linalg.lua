-- mlpl.linalg as scripts see it: names, results, options, errors. Accuracy is tests/c's.

local lu = require "luaunit"
local mlpl = require "mlpl"
local expect = require "expect"

local values, fails = expect.values, expect.fails
local linalg, autograd = mlpl.linalg, mlpl.autograd

local function f64(t) return mlpl.tensor(t, { dtype = "f64" }) end

TestLinalg = {}

function TestLinalg:setUp()
  self.a = f64 { { 4, 2 }, { 2, 3 } }
end
function TestLinalg:tearDown() self.a = nil end

function TestLinalg:test_systems()
  local a = self.a
  values(linalg.solve(a, f64 { 8, 8 }), { 1, 2 }, 1e-15)
  values(linalg.solve(a, f64 { { 8, 4 }, { 8, 2 } }), { { 1, 1 }, { 2, 0 } }, 1e-15)
  values(linalg.solve(a, f64 { { 8, 8 } }, { left = false }), { { 1, 2 } }, 1e-15)
  values(linalg.inv(a):matmul(a), { { 1, 0 }, { 0, 1 } }, 1e-15)
  local low = f64 { { 2, 0 }, { 1, 4 } }
  values(linalg.triangular_solve(low, f64 { { 4 }, { 6 } }, { upper = false }),
    { { 2 }, { 1 } })
  values(linalg.solve_triangular(low, f64 { { 4 }, { 6 } }, false), { { 2 }, { 1 } })
  fails("triangular_solve: upper is missing", linalg.triangular_solve, low, low)
  fails("solve_triangular: upper is missing", linalg.solve_triangular, low, low)
  fails("solve_triangular: b is [3]; it must be a matrix or a stack of matrices (two " ..
    "axes or more)", linalg.solve_triangular, mlpl.eye(3), mlpl.ones(3), false)
  fails("triangular_solve: b is [2]; it must be a matrix or a stack of matrices (two axes " ..
    "or more)", linalg.triangular_solve, mlpl.eye(2),
    mlpl.ones(2), { upper = true, left = false })
  fails("solve_triangular: sizes differ: a is [3x3], b is [2x3]; b must have as many " ..
    "rows as a", linalg.solve_triangular, mlpl.eye(3), mlpl.ones(2, 3), false)
  fails("solve: the matrix is singular: pivot 2 is 0", linalg.solve,
    f64 { { 1, 2 }, { 2, 4 } }, f64 { 1, 2 })
  local flat = mlpl.tensor({ { 1, 2 }, { 2, 4 } }, { requires_grad = true })
  local log = linalg.logdet(flat)
  fails("logdet: the matrix is singular: pivot 2 is 0", log.backward,
    log)
  fails("inv: the matrix is singular: pivot 1 is 0 (matrix 2 of the stack)", linalg.inv,
    f64 { { { 1 } }, { { 0 } } })
end

function TestLinalg:test_factors()
  local a = self.a
  values(linalg.cholesky(a), { { 2, 0 }, { 1, math.sqrt(2) } }, 1e-15)
  values(linalg.cholesky(a, { upper = true }), { { 2, 1 }, { 0, math.sqrt(2) } }, 1e-15)
  local q, r = linalg.qr(a)
  values(q:matmul(r), a:totable(), 1e-14)
  q, r = linalg.qr(f64 { { 3 }, { 4 } }, "complete")
  lu.assertEquals({ q.shape, r.shape }, { { 2, 2 }, { 2, 1 } })
  q, r = linalg.qr(f64 { { 3 }, { 4 } }, { mode = "r" })
  lu.assertEquals({ q.shape, r.shape }, { { 0 }, { 1, 1 } })
  local l, v = linalg.eigh(f64 { { 2, 1 }, { 1, 2 } })
  values(l, { 1, 3 }, 1e-15)
  values((v * l):matmul(v:t()), { { 2, 1 }, { 1, 2 } }, 1e-14)
  values(linalg.eigvalsh(f64 { { 2, 9 }, { 1, 2 } }), { 1, 3 }, 1e-15)
  local u, s, vh = linalg.svd(f64 { { 3, 0, 0 }, { 0, 4, 0 } })
  lu.assertEquals({ u.shape, s.shape, vh.shape }, { { 2, 2 }, { 2 }, { 3, 3 } })
  values(s, { 4, 3 }, 1e-15)
  u, s, vh = linalg.svd(f64 { { 3, 0, 0 }, { 0, 4, 0 } }, { full_matrices = false })
  values((u * s):matmul(vh), { { 3, 0, 0 }, { 0, 4, 0 } }, 1e-14)
  values(linalg.svdvals(a):sum(), 7, 1e-14)
  fails("cholesky: the matrix is not positive definite: the leading minor of order 2 is " ..
    "not positive", linalg.cholesky, f64 { { 1, 2 }, { 2, 1 } })
  local nan = 0 / 0
  for order, m in ipairs { { { nan, 0 }, { 0, 1 } }, { { 1, 0 }, { nan, 1 } } } do
    local text = "cholesky: the matrix is not positive definite: the leading minor of order %d is not "
      .. "positive"
    fails(text:format(order), linalg.cholesky, f64(m))
    fails(text:format(order), linalg.cholesky, mlpl.tensor(m))
  end
  local large = mlpl.eye(100)
  large[{ 90, 10 }] = nan
  fails("cholesky: the matrix is not positive definite: the leading minor of order 90 is " ..
    "not positive", linalg.cholesky, large)
  fails("qr: mode is 'thin'; it must be one of reduced, complete, r", linalg.qr, a, "thin")
end

function TestLinalg:test_determinants()
  local a = self.a
  values(linalg.det(a), 8, 1e-15)
  values(linalg.logdet(a), math.log(8), 1e-15)
  local sign, logarithm = linalg.slogdet(-a)
  values(sign, 1)
  values(logarithm, math.log(8), 1e-15)
  values(linalg.det(f64 { { 1, 2 }, { 2, 4 } }), 0)
  values(linalg.det(mlpl.zeros(0, 0)), 1)
end

-- Second and third derivatives are sums of minors, of singular matrices as of others.
function TestLinalg:test_derivatives_of_determinants()
  local a = f64 { { 1, 2, 3 }, { 4, 5, 6 }, { 7, 8, 9 } }
  local h = autograd.hessian(linalg.det, a)
  values(h[1][1], { { 0, 0, 0 }, { 0, 9, -8 }, { 0, -6, 5 } }, 1e-13)
  values(h[1][2], { { 0, 0, 0 }, { -9, 0, 7 }, { 6, 0, -4 } }, 1e-13)
  h = autograd.hessian(linalg.det, f64 { { 1, 2 }, { 2, 4 } })
  values(h, { { { { 0, 0 }, { 0, 1 } }, { { 0, 0 }, { -1, 0 } } },
    { { { 0, -1 }, { 0, 0 } }, { { 1, 0 }, { 0, 0 } } } }, 1e-14)
  h = autograd.hessian(linalg.det, mlpl.tensor { { 1, 2 }, { 2, 4 + 1e-5 } })
  values(h[1][1], { { 0, 0 }, { 0, 1 } }, 1e-6)
  values(autograd.hessian(linalg.det, f64 { { 3 } }), { { { { 0 } } } })
  values(autograd.hessian(linalg.det, mlpl.zeros(2, 2))[1][1], { { 0, 0 }, { 0, 1 } })
  for _, x in ipairs { a, f64 { { 1, 2, 3 }, { 2, 4, 6 }, { 3, 6, 9 } }, a * 0, a + mlpl.eye(3) } do
    local third = autograd.jacobian(function(y) -- of d det / d a11 d a22, by a33: 1
      local function first(z)
        return (autograd.grad(linalg.det(z), z, { create_graph = true }))[1][1]
      end
      return (autograd.grad(first(y), y, { create_graph = true }))[2][2]
    end, x)
    values(third, { { 0, 0, 0 }, { 0, 0, 0 }, { 0, 0, 1 } }, 1e-13)
  end
  local x = f64 { { 2, 1 }, { 1, 3 } }:requires_grad_()
  local y = linalg.det(x)
  for _ = 1, 3 do y = autograd.grad(y, x, { create_graph = true }):sum() end
  local no_fourth =
    "det: has no fourth derivative; sign exp(logabsdet) of slogdet has, where A is regular"
  fails(no_fourth, autograd.grad, y, x)
end

function TestLinalg:test_least_squares()
  local a, b = f64 { { 1, 0 }, { 1, 1 }, { 1, 2 } }, f64 { 1, 3, 5 }
  local x, residuals, rank, s = linalg.lstsq(a, b)
  values(x, { 1, 2 }, 1e-14)
  values(residuals, { 0 }, 1e-14)
  lu.assertEquals(rank:item(), 2)
  lu.assertEquals(s.shape, { 2 })
  values(linalg.pinv(a):matmul(a), { { 1, 0 }, { 0, 1 } }, 1e-14)
  lu.assertEquals(linalg.matrix_rank(f64 { { 1, 2 }, { 2, 4 } }):item(), 1)
  values(linalg.lstsq(f64 { { 1, 1 }, { 1, 1 } }, f64 { 2, 2 }), { 1, 1 }, 1e-14)
end

function TestLinalg:test_powers_and_conditions()
  local a = f64 { { 1, 1 }, { 0, 2 } }
  values(linalg.matrix_power(a, 3), { { 1, 7 }, { 0, 8 } })
  values(linalg.matrix_power(a, 0), { { 1, 0 }, { 0, 1 } })
  values(linalg.matrix_power(a, -1), { { 1, -0.5 }, { 0, 0.5 } })
  values(linalg.cond(f64 { { 4, 0 }, { 0, 2 } }), 2, 1e-15)
  values(linalg.cond(f64 { { 4, 0 }, { 0, 2 } }, 1), 2, 1e-15)
  values(linalg.cond(f64 { { 4, 0 }, { 0, 0 } }, "fro"), math.huge)
  local none = mlpl.zeros(2, 2)                          -- as in PyTorch
  for _, p in ipairs { 1, -1, math.huge, "fro" } do values(linalg.cond(none, p), math.huge) end
  lu.assertNaN(linalg.cond(none):item())
  lu.assertNaN(linalg.cond(none * (0 / 0), 1):item())
end

function TestLinalg:test_chains_of_products()
  local a, b, c = mlpl.randn(3, 40), mlpl.randn(40, 2), mlpl.randn(2, 30)
  local expected = a:matmul(b):matmul(c)
  lu.assertTrue(linalg.multi_dot { a, b, c }:allclose(expected, 1e-4, 1e-4))
  local chain, product = {}, mlpl.eye(4, { dtype = "f64" })
  for i = 1, 150 do                                      -- longer than any that is put in order
    chain[i] = mlpl.eye(4, { dtype = "f64" }) + mlpl.rand(4, 4, { dtype = "f64" }) * 0.01
    product = product:matmul(chain[i])
  end
  lu.assertTrue(linalg.multi_dot(chain):allclose(product, 1e-12))
  fails("multi_dot: tensor 2 is [2x30]; the one before it has 40 columns", linalg.multi_dot,
    { a, c })
  fails("multi_dot: tensor 2 is [2]; it must be a matrix", linalg.multi_dot,
    { a, mlpl.ones(2), c })
  fails("multi_dot: one tensor; it takes two or more", linalg.multi_dot, { a })
end

-- What they had written to it by then, the first of a stack, too.
function TestLinalg:test_failing_calls_leave_out()
  local function refuses(text, f, ...) lu.assertStrContains(expect.message(f, ...), text) end
  local good, bad = f64 { { 4, 2 }, { 2, 3 } }, f64 { { 1, 1 }, { 1, 1 } }
  for _, a in ipairs { -good, mlpl.stack { good, -good } } do
    local out = mlpl.full(a.shape, 7, { dtype = "f64" })
    refuses("cholesky: the matrix is not positive definite", linalg.cholesky, a, { out = out })
    lu.assertTrue(out:eq(7):all():item())
  end
  for _, a in ipairs { bad, mlpl.stack { good, bad } } do
    local out = mlpl.full(a.shape, 7, { dtype = "f64" })
    refuses("inv: the matrix is singular", linalg.inv, a, { out = out })
    refuses("solve: the matrix is singular", linalg.solve, a, a, { out = out })
    refuses("triangular_solve: the matrix is singular", linalg.triangular_solve, a * 0, a,
      { upper = true, out = out })
    lu.assertTrue(out:eq(7):all():item())
  end
end

-- No product of the values on the way leaves the range that the derivatives stay in.
function TestLinalg:test_derivatives_of_determinants_with_extreme_values()
  local n = 120
  local function full(v) return mlpl.full({ n // 2 }, v, { dtype = "f64" }) end
  local v = mlpl.cat { full(1e6), full(1e-6) }
  for _, d in ipairs { v, v:flip { 1 } } do
    local x = mlpl.diag(d):requires_grad_()
    local y = linalg.det(x)
    values(y, 1, 1e-10)
    y:backward()
    lu.assertTrue(x.grad:allclose(mlpl.diag(1 / d), 1e-10, 1e-10))
  end
  local x = mlpl.diag(v):requires_grad_()
  local g = autograd.grad(linalg.det(x), x, { create_graph = true })
  local second = autograd.grad(g[1][1], x)      -- d det / d a11 d ajj = 1 / a11 ajj
  local wanted = 1 / v / 1e6
  wanted[1] = 0
  lu.assertTrue(second:allclose(mlpl.diag(wanted), 1e-10, 1e-10))
end

-- Their time and memory are those of the matrix, not of a square around it.
function TestLinalg:test_long_and_wide_factors()
  for _, shape in ipairs { { 70, 33 }, { 33, 70 }, { 2, 300, 3 }, { 2, 3, 300 }, { 17, 18 } } do
    local a = mlpl.randn(shape, { dtype = "f64" })
    local P, L, U = linalg.lu(a)
    lu.assertTrue(P:matmul(L):matmul(U):allclose(a, 1e-11, 1e-11))
    lu.assertTrue(L:abs():max():item() <= 1)
  end
  mlpl.memory_limit(mlpl.memory().live + (32 << 20))
  local ok, LU, pivots = pcall(linalg.lu_factor, mlpl.randn(20000, 2))
  local wide_ok, WIDE = pcall(linalg.lu_factor, mlpl.randn(2, 20000))
  mlpl.memory_limit(0)
  lu.assertTrue(ok, LU)
  lu.assertTrue(wide_ok, WIDE)
  lu.assertEquals(pivots.shape, { 2 })
end

function TestLinalg:test_factors_with_row_exchanges()
  for _, shape in ipairs { { 4, 4 }, { 5, 2 }, { 2, 5 }, { 3, 4, 4 }, { 1, 1 }, { 40, 40 } } do
    local a = mlpl.randn(shape, { dtype = "f64" })
    local P, L, U = linalg.lu(a)
    lu.assertTrue(P:matmul(L):matmul(U):allclose(a, 1e-12, 1e-12))
    lu.assertTrue(L:tril():equal(L) and U:triu():equal(U))
    lu.assertTrue(P:matmul(P.mT):allclose(mlpl.eye(P:size(-1), { dtype = "f64" })))
  end
  local a = f64 { { 0, 2, 1 }, { 4, 0, 3 }, { 1, 1, 1 } }
  local LU, pivots = linalg.lu_factor(a)
  lu.assertEquals(pivots:totable(), { 2, 2, 3 })
  local b = f64 { { 1, 2 }, { 3, 4 }, { 5, 6 } }
  lu.assertTrue(linalg.lu_solve(LU, pivots, b):allclose(linalg.solve(a, b), 1e-12, 1e-12))
  LU, pivots = linalg.lu_factor(mlpl.zeros(2, 2))        -- singular: a 0 in the diagonal of U
  values(LU, { { 0, 0 }, { 0, 0 } })
  fails("lu_solve: pivots has row 0; the rows are 1 to 2", linalg.lu_solve, mlpl.eye(2),
    mlpl.zeros(2, { dtype = "i64" }), mlpl.eye(2))
  lu.assertTrue(mlpl.autograd.gradgradcheck(function(x)
    local _, L, U = linalg.lu(x)
    return L:matmul(U)
  end, a))
end

function TestLinalg:test_exponentials()
  local turn = f64 { { 0, -1 }, { 1, 0 } } * 20          -- a rotation by 20, which is squared often
  local c, s = math.cos(20), math.sin(20)
  values(linalg.matrix_exp(turn), { { c, -s }, { s, c } }, 1e-12)
  values(linalg.matrix_exp(f64 { { 0, 1e9 }, { 0, 0 } }), { { 1, 1e9 }, { 0, 1 } }, 1e-3)
  values(linalg.matrix_exp(mlpl.zeros(2, 2)), { { 1, 0 }, { 0, 1 } })
  lu.assertNaN(linalg.matrix_exp(mlpl.ones(2, 2) * (0 / 0))[1][1]:item())
  fails("matrix_exp: input is [2x3]; its last two axes must be equal (square matrices)",
    linalg.matrix_exp, mlpl.ones(2, 3))
end

function TestLinalg:test_known_factors()
  local a = f64 { { 4, 2, 0 }, { 2, 5, 1 }, { 0, 1, 3 } }
  local b, low = f64 { { 1, 2 }, { 3, 4 }, { 5, 6 } }, linalg.cholesky(a)
  lu.assertTrue(a:matmul(b:cholesky_solve(low)):allclose(b, 1e-12, 1e-12))
  lu.assertTrue(b:cholesky_solve(low:t(), true):allclose(b:cholesky_solve(low), 1e-14))
  lu.assertTrue(low:cholesky_inverse():allclose(linalg.inv(a), 1e-12, 1e-12))
  fails("cholesky_solve: input is [2x2], L is [3x3]; they must have as many rows",
    b.cholesky_solve, mlpl.ones(2, 2, { dtype = "f64" }), low)
end

TestLinalgNorm = {}

function TestLinalgNorm:test_of_everything_vectors_and_matrices()
  local a = f64 { { 3, -4 }, { 0, 0 } }
  values(linalg.norm(a), 5)
  values(linalg.norm(a, { keepdim = true }), { { 5 } })
  values(linalg.norm(a, "nuc"), 5, 1e-15)
  values(linalg.norm(a, math.huge), 7)
  values(linalg.norm(a, -math.huge), 0)
  values(linalg.norm(a, 1), 4)
  values(linalg.norm(a, { ord = 2 }), 5, 1e-15)
  values(linalg.norm(a, nil, 2), { 5, 0 })
  values(linalg.norm(a, 1, 1), { 3, 4 })
  values(linalg.norm(a, { ord = 1, dim = -1, keepdim = true }), { { 7 }, { 0 } })
  values(linalg.norm(f64 { 1, 2, 2 }), 3)
  values(linalg.norm(f64 { 1, -2, 2 }, 1), 5)
  values(linalg.norm(f64 { 3, -4 }, math.huge), 4)
  values(linalg.vector_norm(a, 1, 2), { 7, 0 })
  values(linalg.matrix_norm(a, "fro", true), { { 5 } })
end

function TestLinalgNorm:test_pairs_of_axes()
  local x = mlpl.arange(24):reshape(2, 3, 4):to "f64"
  for _, dim in ipairs { { 1, 2 }, { 1, 3 }, { 2, 3 }, { 3, 2 }, { 2, 1 }, { -1, 1 } } do
    local a, b = dim[1] % 4, dim[2] % 4
    local rest = 6 - (dim[1] < 0 and dim[1] + 4 or dim[1]) - (dim[2] < 0 and dim[2] + 4 or
      dim[2])
    local each = linalg.norm(x, "fro", dim)
    lu.assertEquals(each.shape, { x.shape[rest] }, a .. " and " .. b)
    for i = 1, x.shape[rest] do
      values(each[i], linalg.norm(x:select(rest, i)):item(), 1e-14)
    end
    local one = linalg.norm(x, 1, dim)
    for i = 1, x.shape[rest] do
      local m = x:select(rest, i)
      local first, second = dim[1] < 0 and 3 or dim[1], dim[2] < 0 and 3 or dim[2]
      if first > second then m = m:t() end
      values(one[i], linalg.matrix_norm(m, 1):item(), 1e-14)
    end
    local kept = linalg.norm(x, "fro", dim, true).shape
    for axis = 1, 3 do
      lu.assertEquals(kept[axis], axis == rest and x.shape[axis] or 1)
    end
  end
end

function TestLinalgNorm:test_misuse()
  local x = mlpl.zeros(2, 3, 4)
  fails("norm: the tensor has 3 axes; with ord and without dim it must have one or two",
    linalg.norm, x, 1)
  fails("norm: unknown option 'axis'; the options are ord, dim, keepdim", linalg.norm, x,
    { axis = 1 })
  fails("norm: dim holds 4, which is no axis of a tensor with 3", linalg.norm, x, 1, { 1, 4 })
  fails("norm: dim must be an axis, or two different ones in a table", linalg.norm, x, 1,
    { 1, 1 })
  fails("norm: keepdim is 1; it must be true or false", linalg.norm, x, { keepdim = 1 })
  fails("norm: ord is 3; it must be one of fro, nuc, inf, -inf, 1, -1, 2, -2",
    linalg.norm, x[1], 3)
end

TestLinalgGradients = {}

-- The gradient of f at a leaf against a step to either side along one direction.
local function slope_agrees(f, a)
  local x = a:clone():requires_grad_()
  f(x):backward()
  local g = x.grad
  local d = mlpl.randn(a.shape[1], a.shape[2], { dtype = "f64" })
  d = d + d:t()
  local h = 1e-6
  local numeric = (f(a + d * h):item() - f(a - d * h):item()) / (2 * h)
  values((g * d):sum(), numeric, 1e-6)
end

function TestLinalgGradients:test_of_functions_with_several_results()
  local a = f64 { { 4, 1, 0.5 }, { 1, 3, -0.25 }, { 0.5, -0.25, 2 } }
  local w = f64 { { 1, 2, -1 }, { 0.5, 1, 3 }, { 2, -2, 1 } }
  slope_agrees(function(x)
    local l, v = linalg.eigh(x)
    return (l * l):sum() + (v * v * w):sum()
  end, a)
  slope_agrees(function(x)
    local u, s, vh = linalg.svd(x)
    return (s:log()):sum() + (u:matmul(vh) * w):sum()
  end, a)
  slope_agrees(function(x)
    local q, r = linalg.qr(x)
    return (q * w):sum() + (r * r):sum()
  end, a)
  slope_agrees(function(x) return select(2, linalg.slogdet(x)) end, a)
end

local function all_nan(t)
  lu.assertTrue(t:isnan():all():item(), tostring(t))
end

local function slope(f, x)
  x = x:detach():requires_grad_()
  return (autograd.grad(f(x), x))
end

-- Vectors of equal values are not determined: what reads them has no gradient.
function TestLinalgGradients:test_nan_among_equal_values()
  local eye = mlpl.eye(3, { dtype = "f64" })
  local w = f64 { { 1, 2, 3 }, { 4, 5, 6 }, { 7, 8, 9 } }
  local function by_svd(x)
    local u, s, vh = linalg.svd(x, false)
    return ((u * s):matmul(vh) * w:narrow(1, 1, x.shape[1]):narrow(2, 1, x.shape[2])):sum()
  end
  local function by_eigh(x)
    local l, v = linalg.eigh(x)
    return ((v * l):matmul(v:t()) * w):sum()
  end
  all_nan(slope(by_svd, eye))
  all_nan(slope(by_eigh, eye))
  all_nan(slope(function(x) return by_svd(x) + by_svd(x:t()) end, eye)) -- 0 / 0
  all_nan(slope(by_svd, f64 { { 1, 0 }, { 0, 0 }, { 0, 0 } }))
  all_nan(slope(by_svd, f64 { { 1, 0, 0 }, { 0, 0, 0 } }))
  all_nan(slope(by_svd, mlpl.zeros(2, 2, { dtype = "f64" })))
  all_nan(slope(function(x)
    local _, s, vh = linalg.svd(x)
    return (vh * w):sum() + s:sum()
  end, eye))
  local stack = mlpl.stack { eye, f64 { { 3, 0, 0 }, { 0, 2, 0 }, { 0, 0, 1 } } }
  local g = slope(by_svd, stack[2])
  values(g, w:totable(), 1e-14)
  g = slope(function(x)
    local u, s, vh = linalg.svd(x)
    return ((u * s:view(2, 1, 3)):matmul(vh) * w):sum()
  end, stack)
  all_nan(g[1])
  values(g[2], w:totable(), 1e-14)
  local tall = f64 { { 2, 0 }, { 0, 0 }, { 0, 0 } } -- only V is read, and its values differ
  values(slope(function(x)
    local _, _, vh = linalg.svd(x, false)
    return (vh * vh * f64 { { 1, 2 }, { 3, 4 } }):sum()
  end, tall), { { 0, 0 }, { 0, 0 }, { 0, 0 } })
  mlpl.detect_anomaly(true)
  local ok, message = pcall(slope, by_svd, eye)
  mlpl.detect_anomaly(false)
  lu.assertFalse(ok)
  lu.assertErrorMsgContains("NaN", error, message)
end

-- What reads only values has one, but no second one.
function TestLinalgGradients:test_values_among_equal_ones()
  local eye = mlpl.eye(3, { dtype = "f64" })
  local c = f64 { 1, 2, 3 }
  local diagonal = { { 1, 0, 0 }, { 0, 2, 0 }, { 0, 0, 3 } }
  values(slope(function(x) return (linalg.eigvalsh(x) * c):sum() end, eye), diagonal)
  values(slope(function(x) return (linalg.svdvals(x) * c):sum() end, eye):diagonal():sum(), 6)
  local function first_of(x)
    local _, v = linalg.eigh(x)
    return (v:select(2, 3) * c):sum() * v[3][3]:sign():detach()
  end
  local x = f64 { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 3 } }
  all_nan(slope(first_of, x))
  -- second gradients read the vectors
  all_nan(autograd.hessian(function(y) return (linalg.eigvalsh(y) * c):sum() end, eye)[1][1])
  all_nan(autograd.hessian(function(y) return linalg.svdvals(y):sum() end, eye)[1][1])
  -- pinv has its own gradient, for a rank that stays
  local w = f64 { { 1, 2, 3 }, { 4, 5, 6 } }
  values(slope(function(y) return (linalg.pinv(y) * w):sum() end,
    f64 { { 1, 0 }, { 0, 0 }, { 0, 0 } }), { { -1, 4 }, { 2, 0 }, { 3, 0 } }, 1e-14)
end

function TestLinalgGradients:test_clear_error_where_there_is_none()
  local x = mlpl.ones(3, 2, { requires_grad = true })
  fails("svd: has no gradient here: the matrix is [3x2] and full_matrices is true; set it " ..
    "to false (or use x:detach())", linalg.svd, x)
  mlpl.no_grad(function() linalg.svd(x) end)
  linalg.svd(x:detach())
end

TestLinalgTable = {}

function TestLinalgTable:test_names()
  local names = {}
  for name in pairs(linalg) do names[#names + 1] = name end
  table.sort(names)
  local text = table.concat(names, " "):gsub("norm ", "", 1)
  lu.assertStrContains(text, "cholesky cond det eigh eigvalsh inv logdet lstsq ")
  fails("mlpl.linalg has no field 'svdval'; did you mean 'svdvals'?", function()
    return linalg.svdval
  end)
  lu.assertErrorMsgContains("cholesky", function() return mlpl.zeros(1).cholesky end)
end
