/* Cases of the rows of linear algebra, for op_cases.h. */
#ifndef TEST_LINALG_CASES_H
#define TEST_LINALG_CASES_H

#define SQUARE_CASES(f, o)                                                               \
  {f, "1x1", o}, {f, "2x2", o}, {f, "3x3", o}, {f, "4x4t", o}, {f, "3x3n", o},           \
      {f, "3x3g", o}, {f, "2x3x3", o}, {f, "2x1x2x2", o}, {f, "2x3x3t", o}, {f, "0x0", o}, \
      {f, "0x2x2", o}, {f, "2x0x0", o}

#define SYMMETRIC_CASES(f, o)                                                            \
  {f, "1x1y", o}, {f, "2x2y", o}, {f, "3x3y", o}, {f, "4x4ty", o}, {f, "3x3ny", o},      \
      {f, "3x3gy", o}, {f, "2x3x3y", o}, {f, "2x1x2x2y", o}, {f, "0x0y", o},             \
      {f, "0x2x2y", o}

#define MATRIX_CASES(f, o)                                                               \
  SQUARE_CASES(f, o), {f, "4x2", o}, {f, "2x4", o}, {f, "3x1", o}, {f, "1x3", o},        \
      {f, "4x2t", o}, {f, "2x4n", o}, {f, "2x3x2g", o}, {f, "3x0", o}, {f, "0x3", o}

#define SYSTEM_CASES(f, o)                                                               \
  {f, "1x1 1x1", o}, {f, "2x2 2x3", o}, {f, "3x3 3x1", o}, {f, "3x3t 3x2t", o},          \
      {f, "3x3n 3x2g", o}, {f, "2x3x3 2x3x2", o}, {f, "0x0 0x2", o}, {f, "3x3 3x0", o},  \
      {f, "0x2x2 0x2x1", o}, {f, "3x3 3x2e", o}

#define BROADCAST_CASES(f, o)                                                            \
  {f, "3x3 2x3x2", o}, {f, "2x3x3 3x2", o}, {f, "2x1x2x2 3x2x1", o}

#define LINALG_CASES                                                                     \
  SYSTEM_CASES("solve_matrices", ""),                                                    \
      SYSTEM_CASES("solve", ""), BROADCAST_CASES("solve", ""), {"solve", "3x3 3", ""},   \
      {"solve", "2x3x3 2x3", ""}, {"solve", "2x3x3 3", ""}, {"solve", "0x0 0", ""},      \
      {"solve", "3x3 2x3", "left=0"}, {"solve", "3x3 3", "left=0"},                      \
      {"solve", "2x3x3t 4x3", "left=0"}, SYSTEM_CASES("solve_triangles", ""),            \
      SYSTEM_CASES("solve_triangles", "upper=1"),                                        \
      {"solve_triangles", "3x3 3x2", "unitriangular=1"},                                 \
      {"solve_triangles", "3x3t 3x2", "upper=1 unitriangular=1"},                        \
      SYSTEM_CASES("triangular_solve", "upper=0"),                                       \
      BROADCAST_CASES("triangular_solve", "upper=1"),                                    \
      {"triangular_solve", "3x3 2x3", "upper=1 left=0"},                                 \
      {"triangular_solve", "3x3 2x3", "upper=0 left=0 unitriangular=1"},                 \
      {"triangular_solve", "3x3g 3x2", "upper=1 unitriangular=1"},                       \
      SYMMETRIC_CASES("cholesky", ""), SYMMETRIC_CASES("cholesky", "upper=1"),           \
      {"cholesky_solve", "2x3 2x2", ""}, {"cholesky_solve", "3x2t 3x3t", "upper=1"},     \
      {"cholesky_solve", "2x3x2 3x3n", ""}, {"cholesky_solve", "3x1 2x3x3", "upper=1"},  \
      {"cholesky_solve", "0x2 0x0", ""}, SQUARE_CASES("cholesky_inverse", ""),           \
      {"cholesky_inverse", "3x3t", "upper=1"}, SQUARE_CASES("matrix_exp", ""),           \
      {"multi_dot", "2x3 3x4", ""}, {"multi_dot", "2x3t 3x4n 4x2", ""},                  \
      {"multi_dot", "3 3x4 4x2 2", ""}, {"multi_dot", "2x3 3", ""},                      \
      {"multi_dot", "3 3", ""}, {"multi_dot", "2x5 5x1 1x4 4x3", ""},                    \
      {"multi_dot", "0x2 2x3 3x1", ""}, {"multi_dot", "2x0 0x3", ""},                    \
      {"vecdot", "3 3", ""}, {"vecdot", "2x3t 3", ""}, {"vecdot", "2x3 2x1", "dim=0"},   \
      {"vecdot", "2x3x2n 3x1", "dim=-2"}, {"vecdot", "0 0", ""}, {"vander", "3", ""},    \
      {"vander", "2x3t", "N=5"}, {"vander", "4", "N=1"}, {"vander", "3g", "N=0"},        \
      {"vander", "0", "N=2"},                                                            \
      {"vander", "1", "N=3"},                                                            \
      SQUARE_CASES("inv", ""), SQUARE_CASES("inv_or_inf", ""), SQUARE_CASES("det", ""),  \
      {"cofactor_slope", "2x2d 2x2", ""}, {"cofactor_slope", "3x3d 3x3t", ""},           \
      {"cofactor_slope", "2x4x4td 2x4x4n", ""}, {"cofactor_curve", "3x3d 3x3 3x3", ""},  \
      {"cofactor_curve", "2x4x4d 2x4x4t 2x4x4n", ""},                                    \
      SQUARE_CASES("cofactor", ""), SQUARE_CASES("sign_and_log", ""),                    \
      SQUARE_CASES("lu_factor", ""), {"lu_factor", "4x2d", ""}, {"lu_factor", "2x4d", ""}, \
      {"lu_factor", "2x3x2d", ""}, {"lu_factor", "3x0d", ""}, SQUARE_CASES("lu", ""),    \
      {"lu", "4x2d", ""}, {"lu", "2x4tnd", ""}, {"lu", "2x2x3d", ""},                    \
      {"lu_solve", "3x3 3i 3x2", ""}, {"lu_solve", "2x2t 2i 2x1t", ""},                  \
      {"lu_solve", "3x3n 3i 2x3x2", ""}, {"lu_solve", "0x0 0i 0x2", ""},                 \
      SQUARE_CASES("slogdet", ""), SQUARE_CASES("logdet", ""),                           \
      SQUARE_CASES("qr_factors", ""), {"qr_factors", "4x2", ""},                         \
      {"qr_factors", "3x1t", ""}, {"qr_factors", "2x3x2", ""},                           \
      {"qr_factors", "2x4d", ""}, {"qr_factors", "4x2d", "mode=complete"},               \
      {"qr_factors", "2x2", "mode=complete"}, {"qr_factors", "4x2d", "mode=reduced"},    \
      {"qr_factors", "4x2d", "mode=r"}, SQUARE_CASES("qr", ""), {"qr", "4x2", ""},       \
      {"qr", "4x2n", "mode=reduced"}, {"qr", "2x4d", ""}, {"qr", "2x3x2", ""},           \
      {"qr", "4x2d", "mode=complete"}, {"qr", "3x3", "mode=complete"},                   \
      {"qr", "4x2d", "mode=r"}, {"qr", "2x3x4d", "mode=r"}, {"qr", "3x0d", ""},          \
      {"qr", "3x0d", "mode=complete"}, {"qr", "0x3d", ""},                               \
      {"values_of", "3x3d 3x3d 1x3d 3x3d", "symmetric=1"},                               \
      {"values_of", "2x4x3d 2x4x3td 2x1x3d 2x3x3d", ""},                                 \
      SYMMETRIC_CASES("eigh_factors", ""), {"eigh_factors", "3x3y", "upper=1 sweeps=50"}, \
      SYMMETRIC_CASES("eigh_values", ""), {"eigh_values", "3x3y", "upper=1 sweeps=50"},  \
      SYMMETRIC_CASES("eigh", ""), {"eigh", "3x3y", "UPLO=U"}, {"eigh", "3x3y", "UPLO=L"}, \
      SYMMETRIC_CASES("eigvalsh", ""), {"eigvalsh", "3x3y", "UPLO=U"},                   \
      {"eigvalsh", "3x3y", "UPLO=L"}, MATRIX_CASES("svd_factors", ""),                   \
      {"svd_factors", "3x3", "full_matrices=1 sweeps=50"},                               \
      {"svd_factors", "4x2d", "full_matrices=1"}, {"svd_factors", "2x4d", "full_matrices=1"}, \
      MATRIX_CASES("svd_values", ""), {"svd_values", "3x3", "full_matrices=1 sweeps=50"}, \
      MATRIX_CASES("svd", "full_matrices=0"), SQUARE_CASES("svd", ""),                   \
      {"svd", "4x2d", ""}, {"svd", "2x3x4d", ""}, {"svd", "3x0d", ""},                   \
      MATRIX_CASES("svdvals", ""), MATRIX_CASES("pinv", ""),                             \
      {"pinv", "3x2", "atol=0.001"}, {"pinv", "3x2", "rtol=0.001"},                      \
      {"lstsq_factors", "3x2d 3x2d", ""}, {"lstsq_factors", "2x3d 2x1d", "rcond=0.001"},  \
      {"lstsq_factors", "2x3x2d 2x3x2d", ""}, {"lstsq", "3x3 3x2", ""},                    \
      {"lstsq", "4x2 4x3", ""}, {"lstsq", "4x2 4", ""}, {"lstsq", "2x4 2x2", ""},        \
      {"lstsq", "2x3x2 2x3x1", "rcond=0.001"}, {"lstsq", "2x3x2 2x3", ""},               \
      {"lstsq", "3x2 2x3x1", ""}, {"lstsq", "0x2 0x3", ""}, {"lstsq", "3x0 3x2", ""},    \
      {"lstsq", "4x2t 4x3n", ""},                                                        \
      MATRIX_CASES("matrix_rank", ""), {"matrix_rank", "3x3", "atol=0.5 rtol=0.9"},      \
      {"row_norm", "5", ""}, {"row_norm", "2x3", "ord=2"}, {"row_norm", "2x3", "ord=1"}, \
      {"row_norm", "2x3t", "ord=3"}, {"row_norm", "2x3n", "ord=0.5"},                    \
      {"row_norm", "2x3", "ord=inf"}, {"row_norm", "2x3", "ord=-inf"},                   \
      {"row_norm", "2x3", "ord=-1.5"}, {"row_norm", "2x3", "ord=0"},                     \
      {"row_norm", "2x0", ""}, {"row_norm", "0x3", "ord=3"}, {"vector_norm", "s", ""},   \
      {"vector_norm", "5g", ""}, {"vector_norm", "2x3", "keepdim=1"},                    \
      {"vector_norm", "2x3t", "ord=3 dim=0"}, {"vector_norm", "2x3x2", "ord=1 dim=1"},   \
      {"vector_norm", "2x3x2n", "ord=inf dim=-3 keepdim=1"},                             \
      {"vector_norm", "2x3", "ord=-inf dim=-1"}, {"vector_norm", "0", ""},               \
      {"vector_norm", "2x0", "dim=1 ord=1"}, {"vector_norm", "0x2", "dim=1 ord=inf"},    \
      {"vector_norm", "1x4", "dim=-1"}, {"vector_norm", "3x1t", "ord=1"},                \
      MATRIX_CASES("matrix_norm", "ord=fro"), {"matrix_norm", "3x2", "ord=nuc"},         \
      {"matrix_norm", "3x2", "ord=inf keepdim=1"}, {"matrix_norm", "3x2t", "ord=-inf"},  \
      {"matrix_norm", "3x2n", "ord=1"}, {"matrix_norm", "2x3x2", "ord=-1 keepdim=1"},    \
      {"matrix_norm", "3x2", "ord=2"}, {"matrix_norm", "2x3x3", "ord=-2"},               \
      {"matrix_norm", "0x3", "ord=2"}, {"matrix_norm", "2x3x0", "ord=1 keepdim=1"},      \
      {"matrix_norm", "0x0", "ord=inf"}, {"matrix_norm", "0x3", "ord=-1"},               \
      {"matrix_norm", "3x0", "ord=-inf"}, {"matrix_norm", "0x3x0", "ord=2"},            \
      {"cond", "0x0", ""}, {"cond", "0x3", "p=-2"}, {"cond", "2x0x0", "p=-1"},           \
      {"cond", "3x3", ""}, {"cond", "3x2", "p=2"}, {"cond", "2x4", "p=-2"},              \
      {"cond", "3x3", "p=fro"}, {"cond", "2x3x3", "p=nuc"}, {"cond", "3x3t", "p=inf"},   \
      {"cond", "3x3", "p=-inf"}, {"cond", "3x3", "p=1"}, {"cond", "3x3n", "p=-1"},       \
      {"cond", "1x1", ""}, {"cond", "0x3x3", ""},                                        \
      SQUARE_CASES("matrix_power", "n=3"), {"matrix_power", "3x3", "n=1"},               \
      {"matrix_power", "3x3", "n=-2"}, {"matrix_power", "2x2x2", "n=6"}

#define LARGE_LINALG_CASES                                                               \
  {"solve", "70x70 70x33", ""}, {"solve", "130x130t 130", ""},                           \
      {"triangular_solve", "70x70 70x70t", "upper=1"}, {"cholesky", "150x150y", ""},     \
      {"cholesky", "70x70y", "upper=1"}, {"inv", "70x70", ""}, {"qr", "90x40d", ""},     \
      {"qr", "40x90d", ""}, {"qr", "70x40d", "mode=complete"}, {"eigh", "70x70y", ""},   \
      {"eigvalsh", "40x40y", "UPLO=U"}, {"svd", "70x70", ""},                            \
      {"svd", "80x30d", ""}, {"svd", "30x80", "full_matrices=0"},                        \
      {"svdvals", "33x40", ""}, {"pinv", "40x33", ""}, {"lstsq", "50x33 50x3", ""}

#endif
