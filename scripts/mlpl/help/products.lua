-- Products of vectors and matrices.
local sizes = "sizes that differ (both shapes are named)"

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
