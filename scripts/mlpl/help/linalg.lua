-- mlpl.linalg. Matrices are the last two axes; the axes before them are a stack, and stacks
-- of two inputs broadcast. Everything is f32 or f64.
local square = "[... n x n]"
local ndim = "an input with fewer than two axes"

return {
  cholesky = {
    "L lower triangular with A = L L^T, A symmetric and positive definite; with upper = true "
      .. "U = L^T. Only that triangle of A is read, and its gradient is symmetric.",
    args = { input = square, upper = "read and give the upper triangle" },
    errors = "a matrix that is not square, or not positive definite (its leading minor is named)",
    example = "local A = mlpl.tensor { { 4, 2 }, { 2, 3 } }\n"
      .. "local L = linalg.cholesky(A)\n"
      .. "assert(L:matmul(L:t()):isclose(A):all():item())",
    source = "Golub, Van Loan, Matrix Computations (2013), 4.2",
  },
  solve = {
    "X with A X = B, or with left = false X A = B, by LU with row exchanges. "
      .. "Differentiable in both.",
    args = { a = square, b = "[... n x k], or a vector [n]", left = "whether A stands left of X" },
    errors = "a matrix that is not square, or singular (the pivot is named); sizes that differ",
    example = "local x = linalg.solve(mlpl.tensor { { 2, 0 }, { 0, 4 } }, mlpl.tensor { 2, 4 })\n"
      .. "assert(x[1]:item() == 1 and x[2]:item() == 1)",
    source = "Golub, Van Loan, Matrix Computations (2013), 3.4",
  },
  triangular_solve = {
    "X with A X = B, or with left = false X A = B, for triangular A, by substitution. "
      .. "Also solve_triangular, PyTorch's name.",
    args = { a = square .. "; the other triangle is not read", b = "[... n x k]; a vector as [n x 1]",
      upper = "which triangle A is", left = "whether A stands left of X",
      unitriangular = "take the diagonal as ones" },
    errors = "a matrix that is not square; b with one axis; sizes that differ",
    example = "local A = mlpl.tensor { { 2, 0 }, { 1, 1 } }\n"
      .. "local X = linalg.triangular_solve(A, mlpl.tensor { { 2 }, { 3 } }, { upper = false })\n"
      .. "assert(X[2][1]:item() == 2)",
    source = "Golub, Van Loan, Matrix Computations (2013), 3.1",
  },
  inv = {
    "The inverse. linalg.solve(A, B) is faster and more accurate than inv(A) B.",
    args = { input = square },
    errors = "a matrix that is not square, or singular",
    example = "local A = mlpl.tensor { { 2, 0 }, { 0, 4 } }\n"
      .. "assert(linalg.inv(A)[2][2]:item() == 0.25)",
    source = "Golub, Van Loan, Matrix Computations (2013), 3.4",
  },
  det = {
    "The determinant; 0 for a singular matrix. It has three derivatives, everywhere; further "
      .. "ones of a regular matrix are those of sign exp(logabsdet), by slogdet.",
    args = { input = square },
    returns = { { "det", "Tensor", "[...]" } },
    errors = "a matrix that is not square; a fourth derivative",
    example = "assert(linalg.det(mlpl.tensor { { 2, 0 }, { 0, 4 } }):item() == 8)",
    source = "Golub, Van Loan, Matrix Computations (2013), 3.4",
  },
  slogdet = {
    "Sign and logarithm of the determinant, which neither overflow: det = sign exp(logabsdet). "
      .. "Of a singular matrix 0 and -inf.",
    args = { input = square },
    returns = { { "sign", "Tensor", "[...], -1, 0 or 1" },
      { "logabsdet", "Tensor", "[...], log |det|" } },
    errors = "a matrix that is not square",
    example = "local sign, log = linalg.slogdet(mlpl.tensor { { 1, 0 }, { 0, -1 } })\n"
      .. "assert(sign:item() == -1 and log:item() == 0)",
    source = "Golub, Van Loan, Matrix Computations (2013), 3.4",
  },
  logdet = {
    "The logarithm of the determinant: nan where that is negative, -inf where it is 0.",
    args = { input = square },
    returns = { { "logdet", "Tensor", "[...]" } },
    errors = "a matrix that is not square",
    example = "assert(linalg.logdet(mlpl.eye(3)):item() == 0)",
    source = "Golub, Van Loan, Matrix Computations (2013), 3.4",
  },
  lu_factor = {
    "L and U of A = P L U in one tensor, by elimination with row exchanges: U on and above the "
      .. "diagonal, L, whose diagonal is ones, below it. lu_solve takes them.",
    args = { input = "[... m x n], k = min(m, n)" },
    returns = { { "LU", "Tensor", "[... m x n]" },
      { "pivots", "Tensor", "[... k], i64: step i exchanged the rows i and pivots[i]" } },
    errors = ndim .. "; backward of a matrix that is not square, or singular",
    example = "local LU, pivots = linalg.lu_factor(mlpl.tensor { { 0, 2 }, { 4, 0 } })\n"
      .. "assert(LU[1][1]:item() == 4 and pivots[1]:item() == 2)",
    source = "Golub, Van Loan, Matrix Computations (2013), 3.4",
  },
  lu = {
    "A = P L U: P a permutation, L lower triangular with ones in the diagonal, U upper "
      .. "triangular.",
    args = { input = "[... m x n], k = min(m, n)" },
    returns = { { "P", "Tensor", "[... m x m]" }, { "L", "Tensor", "[... m x k]" },
      { "U", "Tensor", "[... k x n]" } },
    errors = ndim .. "; backward of a matrix that is not square, or singular",
    example = "local A = mlpl.randn(3, 3)\nlocal P, L, U = linalg.lu(A)\n"
      .. "assert(P:matmul(L):matmul(U):allclose(A, 1e-4, 1e-4))",
    source = "Golub, Van Loan, Matrix Computations (2013), 3.4",
  },
  lu_solve = {
    "X with A X = B by the factors of A, which lu_factor gave: quicker than solve where there "
      .. "are several B.",
    args = { LU = square .. ", of lu_factor", pivots = "[... n], of lu_factor",
      B = "[... n x k]" },
    errors = "sizes that differ; a 0 in U's diagonal",
    example = "local A, B = mlpl.tensor { { 0, 2 }, { 4, 0 } }, mlpl.tensor { { 2 }, { 4 } }\n"
      .. "local LU, pivots = linalg.lu_factor(A)\n"
      .. "assert(linalg.lu_solve(LU, pivots, B):equal(mlpl.ones(2, 1)))",
    source = "Golub, Van Loan, Matrix Computations (2013), 3.4",
  },
  qr = {
    "A = Q R with orthonormal columns in Q and upper triangular R, by Householder reflections. "
      .. "With k = min(m, n), mode 'reduced' gives k columns of Q, 'complete' all m, and 'r' "
      .. "an empty Q.",
    args = { input = "[... m x n]", mode = "the columns of Q" },
    returns = { { "Q", "Tensor", "[... m x k]" }, { "R", "Tensor", "[... k x n]" } },
    errors = ndim .. "; recording where m < n, or with mode 'r', or 'complete' where m > n",
    example = "local A = mlpl.randn(4, 2)\n"
      .. "local Q, R = linalg.qr(A)\n"
      .. "assert(Q:matmul(R):isclose(A, 1e-4, 1e-5):all():item())",
    source = "Golub, Van Loan, Matrix Computations (2013), 5.2; gradient: Walter, Lehmann (2010)",
  },
  eigh = {
    "A = V diag(L) V^T of a symmetric matrix, eigenvalues ascending, eigenvectors as columns of "
      .. "V. Only one triangle is read. The gradient of V needs eigenvalues that differ: where two "
      .. "are equal it is nan. That of L alone needs none, but its own gradient does. V's signs "
      .. "are arbitrary.",
    args = { input = square, UPLO = "the triangle that is read" },
    returns = { { "L", "Tensor", "[... n], ascending" }, { "V", "Tensor", square } },
    errors = "a matrix that is not square; no convergence",
    example = "local L, V = linalg.eigh(mlpl.tensor { { 2, 0 }, { 0, 1 } })\n"
      .. "assert(math.abs(L[1]:item() - 1) < 1e-6 and V.shape[1] == 2)",
    source = "Golub, Van Loan, Matrix Computations (2013), 8.3",
  },
  eigvalsh = {
    "The eigenvalues of a symmetric matrix, ascending. Differentiable, also where some are "
      .. "equal; second gradients are nan there.",
    args = { input = square, UPLO = "the triangle that is read" },
    returns = { { "L", "Tensor", "[... n]" } },
    errors = "a matrix that is not square; no convergence",
    example = "local L = linalg.eigvalsh(mlpl.tensor { { 2, 0 }, { 0, 1 } })\n"
      .. "assert(math.abs(L[2]:item() - 2) < 1e-6)",
    source = "Golub, Van Loan, Matrix Computations (2013), 8.3",
  },
  svd = {
    "A = U diag(S) Vh, singular values descending. The gradient of U and Vh needs singular "
      .. "values that differ: where two are equal, or one is 0 and m is not n, it is nan. That of "
      .. "S alone needs neither, but its own gradient does. The signs of U's columns and Vh's "
      .. "rows are arbitrary in pairs.",
    args = { input = "[... m x n], k = min(m, n)",
      full_matrices = "whether U is [m x m] and Vh [n x n], or [m x k] and [k x n]" },
    returns = { { "U", "Tensor", "[... m x m] or [... m x k]" },
      { "S", "Tensor", "[... k], descending" },
      { "Vh", "Tensor", "[... n x n] or [... k x n]" } },
    errors = ndim .. "; no convergence; recording with full_matrices where m differs from n",
    example = "local A = mlpl.randn(3, 2)\n"
      .. "local U, S, Vh = linalg.svd(A, false)\n"
      .. "assert((U * S):matmul(Vh):isclose(A, 1e-4, 1e-5):all():item())",
    source = "Golub, Van Loan, Matrix Computations (2013), 8.6",
  },
  svdvals = {
    "The singular values, descending. Differentiable, also where some are equal, where svd's "
      .. "vectors are not; second gradients are nan there.",
    args = { input = "[... m x n]" },
    returns = { { "S", "Tensor", "[... min(m, n)]" } },
    errors = ndim .. "; no convergence",
    example = "local S = linalg.svdvals(mlpl.tensor { { 3, 0 }, { 0, -4 } })\n"
      .. "assert(math.abs(S[1]:item() - 4) < 1e-5)",
    source = "Golub, Van Loan, Matrix Computations (2013), 8.6",
  },
  pinv = {
    "The Moore-Penrose inverse V diag(1/S) U^T over the singular values above "
      .. "max(atol, rtol S[1]). Its gradients, also where values are equal, are "
      .. "those for a rank that stays as it is.",
    args = { input = "[... m x n]", atol = "an absolute threshold",
      rtol = "relative to the largest; negative: max(m, n) eps, or 0 where atol is given" },
    returns = { { "", "Tensor", "[... n x m]" } },
    errors = ndim .. "; no convergence",
    example = "local P = linalg.pinv(mlpl.tensor { { 2, 0 }, { 0, 0 } })\n"
      .. "assert(math.abs(P[1][1]:item() - 0.5) < 1e-6)",
    source = "Golub, Van Loan, Matrix Computations (2013), 5.5",
  },
  lstsq = {
    "X with the smallest ||A X - B||, and of those the one with the smallest ||X||, by the "
      .. "singular values of A.",
    args = { a = "[... m x n]", b = "[... m x k], or a vector [m] ([... m] for a stack)",
      rcond = "singular values below rcond S[1] count as 0; negative: max(m, n) eps" },
    returns = { { "solution", "Tensor", "[... n x k], of a vector [n]" },
      { "residuals", "Tensor", "[... k], squared; empty unless m > n and the rank is n" },
      { "rank", "Tensor", "[...], i64" },
      { "singular_values", "Tensor", "[... min(m, n)]" } },
    errors = "sizes that differ; no convergence",
    example = "local A = mlpl.tensor { { 1, 0 }, { 0, 1 }, { 0, 0 } }\n"
      .. "local X, R, rank = linalg.lstsq(A, mlpl.tensor { { 1 }, { 2 }, { 3 } })\n"
      .. "assert(math.abs(R[1]:item() - 9) < 1e-4 and rank:item() == 2)",
    source = "Golub, Van Loan, Matrix Computations (2013), 5.5",
  },
  matrix_rank = {
    "How many singular values are above max(atol, rtol S[1]). It has no gradient.",
    args = { input = "[... m x n]", atol = "an absolute threshold",
      rtol = "relative to the largest; negative: max(m, n) eps, or 0 where atol is given" },
    returns = { { "rank", "Tensor", "[...], i64" } },
    errors = ndim .. "; no convergence",
    example = "assert(linalg.matrix_rank(mlpl.ones(3, 3)):item() == 1)",
    source = "Golub, Van Loan, Matrix Computations (2013), 5.5",
  },
  vector_norm = {
    "(sum |x|^ord)^(1/ord) over an axis, or over all elements; the largest |x| for inf, the "
      .. "smallest for -inf, the count of x ~= 0 for 0.",
    args = { ord = "any number; math.huge is inf", dim = "all elements when left out",
      keepdim = "keep the axis, with size 1" },
    errors = "an empty axis where inf or a negative ord has no value",
    example = "assert(linalg.vector_norm(mlpl.tensor { 3, 4 }):item() == 5)",
    source = "Golub, Van Loan, Matrix Computations (2013), 2.2",
  },
  matrix_norm = {
    "A norm of matrices: 'fro' sqrt(sum a^2), 'nuc' the sum of the singular values, '2' and '-2' "
      .. "the largest and the smallest of them, '1' and '-1' the largest and smallest column sum "
      .. "of |a|, 'inf' and '-inf' the same of rows. Of a matrix without elements it is 0, but "
      .. "where the smallest of nothing is asked for.",
    args = { input = "[... m x n]", ord = "a text, or a number where it is one",
      keepdim = "keep both axes, with size 1" },
    returns = { { "norm", "Tensor" } },
    errors = ndim .. "; a smallest that there is not",
    example = "assert(linalg.matrix_norm(mlpl.tensor { { 1, -2 }, { 3, 4 } }, 'inf')"
      .. ":item() == 7)",
    source = "Golub, Van Loan, Matrix Computations (2013), 2.3",
  },
  cond = {
    "The condition number ||A|| ||A^-1|| in a norm of matrix_norm; for '2' the largest over the "
      .. "smallest singular value, of matrices of any shape. Of a singular matrix inf "
      .. "only where that value, or in the other norms a pivot, comes out as 0; where rounding "
      .. "leaves something there, a number about 1 / eps: 1e7 in f32. Of zeros nan for '2', "
      .. "'-2' and 'nuc'; of a matrix without elements 0.",
    args = { input = "[... n x n]; for '2' and '-2' [... m x n]", p = "the norm" },
    returns = { { "cond", "Tensor", "[...]" } },
    errors = "a matrix that is not square, in the other norms",
    example = "local c = linalg.cond(mlpl.tensor { { 4, 0 }, { 0, 2 } })\n"
      .. "assert(math.abs(c:item() - 2) < 1e-5)",
    source = "Golub, Van Loan, Matrix Computations (2013), 2.6",
  },
  matrix_power = {
    "A^n by repeated squaring; the identity for n = 0, of the inverse for n < 0.",
    args = { input = square, n = "the exponent" },
    errors = "a matrix that is not square; a singular one with n < 0",
    example = "local A = mlpl.tensor { { 1, 1 }, { 0, 1 } }\n"
      .. "assert(linalg.matrix_power(A, 5)[1][2]:item() == 5)",
    source = "Knuth, The Art of Computer Programming 2 (1997), 4.6.3",
  },
  multi_dot = {
    "The product of two or more matrices, in the order that takes the fewest multiplications. "
      .. "The first may be a vector, which is a row, and the last, which is a column.",
    args = { { "tensors", "Tensor[]", "multiplied from left to right" } },
    returns = { { "", "Tensor", "[m x n]; without the axis of a vector" } },
    errors = "fewer than two; sizes that differ",
    example = "local y = linalg.multi_dot { mlpl.ones(2, 9), mlpl.ones(9, 9), mlpl.ones(9) }\n"
      .. "assert(y.shape[1] == 2 and y[1]:item() == 81)",
    source = "Cormen, Leiserson, Rivest, Stein, Introduction to Algorithms (2009), 15.2",
  },
  vecdot = {
    "The products of vectors along an axis, the last unless told.",
    args = { x = "vectors along dim", y = "broadcasts with x" },
    errors = "shapes that do not broadcast; an axis that is not there",
    example = "local y = linalg.vecdot(mlpl.tensor { { 1, 2 }, { 3, 4 } }, mlpl.tensor { 1, 10 })\n"
      .. "assert(y[2]:item() == 43)",
    source = "Golub, Van Loan, Matrix Computations (2013), 1.1",
  },
  vander = {
    "Powers of x in rows: 1, x, x^2, and so on.",
    args = { input = "[... n]", N = "how many powers; -1: n" },
    returns = { { "", "Tensor", "[... n x N]" } },
    errors = "a tensor without axes",
    example = "assert(linalg.vander(mlpl.tensor { 2, 3 }, 3)[2][3]:item() == 9)",
    source = "Golub, Van Loan, Matrix Computations (2013), 4.6",
  },
  matrix_exp = {
    "e^A = I + A + A^2 / 2 + ..., by scaling and squaring. Of a stack all matrices are scaled as "
      .. "the largest needs it.",
    args = { input = square },
    errors = "a matrix that is not square",
    example = "local y = linalg.matrix_exp(mlpl.tensor { { 0, 1 }, { 0, 0 } })\n"
      .. "assert(math.abs(y[1][2]:item() - 1) < 1e-6 and math.abs(y[1][1]:item() - 1) < 1e-6)",
    source = "Higham, The scaling and squaring method for the matrix exponential revisited (2005)",
  },
}
