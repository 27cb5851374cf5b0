-- Products of vectors and matrices.
local sizes = "sizes that differ (both shapes are named)"

local function scaled(a, b)
  return { input = "broadcasts to the product; not read where beta is 0", a = a, b = b,
    beta = "of the input", alpha = "of the product" }
end

return {
  matmul = {
    "The matrix product. Vectors stand for a row or a column, which the result drops; axes "
      .. "before the last two are a stack and broadcast.",
    args = { a = "[... m x k], or [k]", b = "[... k x n], or [k]" },
    errors = sizes .. "; a tensor without axes",
    example = "local y = mlpl.ones(5, 2, 3):matmul(mlpl.ones(3, 4))\n"
      .. "assert(y.shape[3] == 4 and y[1][1][1]:item() == 3)",
  },
  mm = {
    "The product of two matrices; no broadcasting.",
    args = { a = "[m x k]", b = "[k x n]" }, errors = sizes .. "; what is no matrix",
    example = "assert(mlpl.ones(2, 3):mm(mlpl.ones(3, 4))[1][1]:item() == 3)",
  },
  mv = {
    "The product of a matrix and a vector.",
    args = { a = "[m x k]", b = "[k]" }, errors = sizes,
    example = "assert(mlpl.ones(2, 3):mv(mlpl.ones(3))[2]:item() == 3)",
  },
  bmm = {
    "The products of two stacks of matrices, one by one; no broadcasting.",
    args = { a = "[s x m x k]", b = "[s x k x n]" }, errors = sizes,
    example = "assert(mlpl.ones(5, 2, 3):bmm(mlpl.ones(5, 3, 4)).shape[3] == 4)",
  },
  dot = {
    "sum a b of two vectors.",
    args = { a = "[n]", b = "[n]" }, errors = sizes .. "; what is no vector",
    example = "assert(mlpl.tensor { 1, 2 }:dot(mlpl.tensor { 3, 4 }):item() == 11)",
  },
  addmv = {
    "beta input + alpha a b, of a matrix and a vector.",
    args = scaled("[n x k]", "[k]"), errors = "sizes that do not fit",
    example = "local a = mlpl.ones(2, 3)\nassert(mlpl.ones(2):addmv(a, mlpl.ones(3))[1]:item() == 4)",
    example_in_place = "local x = mlpl.ones(2)\n"
      .. "x:addmv_(mlpl.ones(2, 3), mlpl.ones(3))\nassert(x[1]:item() == 4)",
  },
  addr = {
    "beta input + alpha a b^T: the outer product of two vectors, added.",
    args = scaled("[n]", "[m]"), errors = "sizes that do not fit",
    example = "local y = mlpl.ones(2, 3):addr(mlpl.ones(2), mlpl.ones(3))\nassert(y[1][1]:item() == 2)",
    example_in_place = "local x = mlpl.ones(2, 2)\n"
      .. "x:addr_(mlpl.ones(2), mlpl.ones(2))\nassert(x[1][1]:item() == 2)",
  },
  addbmm = {
    "beta input + alpha times the sum of a stack's products.",
    args = scaled("[b x n x k]", "[b x k x m]"), errors = "sizes that do not fit",
    example = "local a = mlpl.ones(3, 2, 2)\nassert(mlpl.zeros(2, 2):addbmm(a, a)[1][1]:item() == 6)",
    example_in_place = "local x, y = mlpl.ones(2, 2), mlpl.ones(3, 2, 2)\n"
      .. "x:addbmm_(y, y)\nassert(x[1][1]:item() == 7)",
  },
  kron = {
    "Kronecker's product: every element of a times all of b, as blocks.",
    errors = "more than 4 axes",
    example = "local y = mlpl.eye(2):kron(mlpl.ones(2, 2))\nassert(y.shape[1] == 4 and y[1][3]:item() == 0)",
  },
  cross = {
    "The cross product of vectors of three numbers along an axis; other axes broadcast.",
    args = { dim = "the axis of size 3" }, errors = "sizes other than 3; other numbers of axes",
    example = "local y = mlpl.tensor { 1, 0, 0 }:cross(mlpl.tensor { 0, 1, 0 })\n"
      .. "assert(y[3]:item() == 1)",
  },
  cdist = {
    "The distance of every row of x1 from every row of x2. The 2-norm of more than 25 rows comes "
      .. "from a product of matrices, whose rounding shows where rows are close.",
    args = { x1 = "[n x k], or a stack of such", x2 = "[m x k]", p = "of the norm" },
    errors = "rows of different sizes",
    example = "local y = mlpl.zeros(2, 2):cdist(mlpl.tensor { { 3, 4 } })\nassert(y[1][1]:item() == 5)",
  },
  pdist = {
    "The distances of all pairs of rows, in order: of the first from those behind it, of the "
      .. "second, and so on.",
    args = { input = "[n x k]", p = "of the norm" },
    returns = { { "", "Tensor", "[n (n - 1) / 2]" } },
    errors = "an input that is no matrix",
    example = "local y = mlpl.tensor { { 0, 0 }, { 3, 4 }, { 0, 1 } }:pdist()\n"
      .. "assert(y.shape[1] == 3 and y[1]:item() == 5)",
  },
  dist = {
    "The p-norm of the difference of two tensors, all elements together.",
    args = { other = "broadcasts with input", p = "of the norm" }, errors = sizes,
    example = "assert(mlpl.tensor { 1, 1 }:dist(mlpl.tensor { 4, 5 }):item() == 5)",
  },
  pairwise_distance = {
    "The p-norms of x1 - x2 + eps along the last axis.",
    args = { x1 = "[... k]", x2 = "[... k]; they broadcast", p = "of the norm",
      eps = "added to the differences, in their unit", keepdim = "keep the axis, with size 1" },
    errors = sizes,
    example = "local y = mlpl.zeros(1, 2):pairwise_distance(mlpl.tensor { { 3, 4 } })\n"
      .. "assert(math.abs(y[1]:item() - 5) < 1e-4)",
  },
  cosine_similarity = {
    "The cosine of the angle between vectors along an axis, the second unless told: the product "
      .. "of both over their norms, which count as eps where they are less.",
    args = { x1 = "vectors along dim", x2 = "broadcasts with x1", dim = "the vectors' axis",
      eps = "the least norm" },
    errors = sizes .. "; an axis that the result of broadcasting does not have",
    example = "local y = mlpl.tensor { { 1, 0 } }:cosine_similarity(mlpl.tensor { { 1, 1 } })\n"
      .. "assert(math.abs(y[1]:item() - 0.5 ^ 0.5) < 1e-6)",
  },
  normalize = {
    "x over its p-norms along an axis, the second unless told; norms count as eps where they are "
      .. "less.",
    args = { p = "of the norm", dim = "the axis", eps = "the least norm" },
    errors = "an axis that the input does not have",
    example = "local y = mlpl.tensor { { 3, 4 } }:normalize()\n"
      .. "assert(math.abs(y[1][2]:item() - 0.8) < 1e-6)",
  },
  cholesky_solve = {
    "X with A X = input, where A = L L^T and L is known; with upper = true A = L^T L. Only that "
      .. "triangle is read.",
    args = { input = "[... n x k]", L = "[... n x n], as linalg.cholesky gives it",
      upper = "whether L is the upper triangle" },
    errors = "sizes that differ; a 0 in the diagonal",
    example = "local A = mlpl.tensor { { 4, 2 }, { 2, 3 } }\n"
      .. "local X = mlpl.eye(2):cholesky_solve(linalg.cholesky(A))\n"
      .. "assert(A:matmul(X):allclose(mlpl.eye(2), 1e-5, 1e-5))",
    source = "Golub, Van Loan, Matrix Computations (2013), 4.2",
  },
  cholesky_inverse = {
    "The inverse of A = L L^T from L; with upper = true of A = L^T L.",
    args = { input = "[... n x n], as linalg.cholesky gives it",
      upper = "whether it is the upper triangle" },
    errors = "a matrix that is not square; a 0 in the diagonal",
    example = "local L = linalg.cholesky(mlpl.tensor { { 4, 0 }, { 0, 16 } })\n"
      .. "assert(L:cholesky_inverse()[2][2]:item() == 1 / 16)",
    source = "Golub, Van Loan, Matrix Computations (2013), 4.2",
  },
  outer = {
    "y[i][j] = a[i] b[j] of two vectors; dtypes promote.",
    args = { a = "[m]", b = "[n]" }, errors = "what is no vector",
    example = "assert(mlpl.tensor { 1, 2 }:outer(mlpl.tensor { 3, 4 })[2][1]:item() == 6)",
  },
  inner = {
    "The sums of products along the last axes of both; of vectors their dot product.",
    args = { a = "[... k]", b = "[... k]" }, errors = sizes,
    example = "assert(mlpl.ones(2, 3):inner(mlpl.ones(4, 3)).shape[2] == 4)",
  },
  addmm = {
    "beta input + alpha a b, a b the matrix product. With beta = 0 nan in the input does not "
      .. "count.",
    args = { input = "broadcasts to [m x n]", a = "[m x k]", b = "[k x n]" }, errors = sizes,
    example = "local y = mlpl.ones(2):addmm(mlpl.ones(2, 3), mlpl.ones(3, 2))\n"
      .. "assert(y[1][1]:item() == 4)",
    example_in_place = "local x = mlpl.ones(2, 2)\n"
      .. "x:addmm_(x, x)\nassert(x[1][1]:item() == 3)",
  },
  baddbmm = {
    "beta input + alpha a b for stacks of matrices.",
    args = { input = "broadcasts to [s x m x n]", a = "[s x m x k]", b = "[s x k x n]" },
    errors = sizes,
    example = "local y = mlpl.ones(1):baddbmm(mlpl.ones(5, 2, 3), mlpl.ones(5, 3, 2))\n"
      .. "assert(y[5][1][1]:item() == 4)",
    example_in_place = "local x = mlpl.ones(3, 2, 2)\n"
      .. "x:baddbmm_(x, x)\nassert(x[1][1][1]:item() == 3)",
  },
  linear = {
    "x W^T + b, and max(., 0) of it with activation = 'relu', in one pass.",
    args = { activation = "what is applied to the result", input = "[... in]", weight = "[out x in]", bias = "[out]" }, errors = sizes,
    example = "local y = nn.linear(mlpl.ones(4, 2), mlpl.ones(3, 2), mlpl.ones(3))\n"
      .. "assert(y.shape[2] == 3 and y[1][1]:item() == 3)",
  },
}
