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
  },
  addr = {
    "beta input + alpha a b^T: the outer product of two vectors, added.",
    args = scaled("[n]", "[m]"), errors = "sizes that do not fit",
    example = "local y = mlpl.ones(2, 3):addr(mlpl.ones(2), mlpl.ones(3))\nassert(y[1][1]:item() == 2)",
  },
  addbmm = {
    "beta input + alpha times the sum of a stack's products.",
    args = scaled("[b x n x k]", "[b x k x m]"), errors = "sizes that do not fit",
    example = "local a = mlpl.ones(3, 2, 2)\nassert(mlpl.zeros(2, 2):addbmm(a, a)[1][1]:item() == 6)",
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
  outer = {
    "y[i][j] = a[i] b[j] of two vectors.",
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
  },
  baddbmm = {
    "beta input + alpha a b for stacks of matrices.",
    args = { input = "broadcasts to [s x m x n]", a = "[s x m x k]", b = "[s x k x n]" },
    errors = sizes,
    example = "local y = mlpl.ones(1):baddbmm(mlpl.ones(5, 2, 3), mlpl.ones(5, 3, 2))\n"
      .. "assert(y[5][1][1]:item() == 4)",
  },
  linear = {
    "x W^T + b, and max(., 0) of it with activation = 'relu', in one pass.",
    args = { activation = "what is applied to the result", input = "[... in]", weight = "[out x in]", bias = "[out]" }, errors = sizes,
    example = "local y = nn.linear(mlpl.ones(4, 2), mlpl.ones(3, 2), mlpl.ones(3))\n"
      .. "assert(y.shape[2] == 3 and y[1][1]:item() == 3)",
  },
}
