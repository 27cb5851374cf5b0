/* Cases (op_cases.h) of products, convolutions and pooling. */
#ifndef TEST_WINDOW_CASES_H
#define TEST_WINDOW_CASES_H

#define RESOLVED(size) "size=" size " stride=1x1 padding=0x0 dilation=1x1 groups=1"

#define WINDOW_CASES                                                                     \
  {"matmul", "3 3", ""}, {"matmul", "3 3x2", ""}, {"matmul", "2x3 3", ""},               \
      {"matmul", "4x2x3 3x2", ""}, {"matmul", "4x2x3t 3x2", ""},                         \
      {"matmul", "2x3 4x3x2", ""}, {"matmul", "4x2x3 4x3x2", ""},                        \
      {"matmul", "4x2x3 1x3x2", ""}, {"matmul", "1x2x3 4x3x2t", ""},                     \
      {"matmul", "2x1x2x3 3x3x2", ""}, {"matmul", "3 2x3x2", ""},                        \
      {"matmul", "2x2x3 3", ""}, {"matmul", "2x3x2x3n 3g", ""},                          \
      {"matmul", "2x2x3e 2x3x1", ""}, {"matmul", "0x2x3 3x2", ""},                       \
      {"matmul", "2x0x3 2x3x2", ""}, {"matmul", "2x2x0 2x0x3", ""},                      \
      {"matmul", "0 0", ""}, {"matmul", "0 0x2", ""}, {"matmul", "2x2x0 0", ""},         \
      {"mm", "2x3 3x4", ""}, {"mm", "2x3t 3x4n", ""}, {"mm", "0x3 3x2", ""},             \
      {"mm", "1x3 3x1", ""}, {"mm", "3x1 1x2", ""}, {"mm", "2x0 0x3", ""},               \
      {"mv", "2x3 3", ""}, {"mv", "2x3t 3g", ""}, {"mv", "2x0 0", ""},                   \
      {"mv", "1x3 3", ""}, {"mv", "3x1 1", ""}, {"mv", "0x3 3", ""},                     \
      {"bmm", "2x2x3 2x3x2", ""}, {"bmm", "2x2x3t 2x3x2n", ""},                          \
      {"bmm", "1x1x1 1x1x1", ""}, {"bmm", "0x2x3 0x3x2", ""},                            \
      {"bmm", "2x3x2e 2x2x3", ""}, {"dot", "4 4", ""}, {"dot", "4g 4e", ""},             \
      {"dot", "1 1", ""}, {"dot", "0 0", ""}, {"outer", "2 3", ""},                      \
      {"outer", "2g 3e", ""}, {"outer", "1 1", ""}, {"outer", "0 3", ""},                \
      {"inner", "3 3", ""}, {"inner", "2x3 4x3", ""}, {"inner", "2x2x3t 3", ""},         \
      {"inner", "3 2x3n", ""}, {"inner", "2x0 3x0", ""}, {"inner", "0x2 2", ""},         \
      {"inner", "1x3 2x3", ""}, {"inner", "2x1 1", ""},                                  \
      {"addmm", "2x4 2x3 3x4", ""}, {"addmm", "4 2x3t 3x4n", "beta=2 alpha=-0.5"},       \
      {"addmm", "2x1 2x3 3x4", "beta=-1"}, {"addmm", "s 2x0 0x3", "alpha=3"},            \
      {"addmm", "1x4 0x3 3x4", "alpha=2"},                                               \
      {"baddbmm", "2x2x4 2x2x3 2x3x4", "beta=0.5 alpha=2"},                              \
      {"baddbmm", "2x1t 2x2x3n 2x3x2", ""},                                              \
      {"baddbmm", "0x2x4 0x2x3 0x3x4", ""},                                              \
      {"baddbmm", "2x2x4 2x2x0 2x0x4", "beta=0.5"},                                      \
                                                                                         \
      {"move_axes", "2x3", "axes=1x0 ndim=2"}, {"move_axes", "3x3", "axes=0x0 ndim=1"},  \
      {"move_axes", "2x3t", "axes=2x0 ndim=3"}, {"move_axes", "s", "axes=s ndim=1"},     \
      {"move_axes", "2x1x3n", "axes=0x-1x1 ndim=2"},                                     \
      {"move_axes", "2x3x2", "axes=1x0x1 ndim=2"},                                       \
      {"move_axes", "0x3", "axes=1x0 ndim=2"},                                           \
      {"spread_axes", "3", "axes=0x0 sizes=3x3"},                                        \
      {"spread_axes", "2x3t", "axes=1x0x1 sizes=3x2x3"},                                 \
      {"spread_axes", "0", "axes=0x0 sizes=0x0"},                                        \
                                                                                         \
      {"conv1d", "2x3x5 4x3x3", ""}, {"conv1d", "2x3x5 4x3x3 4", "padding=1"},           \
      {"conv1d", "3x5 4x3x2 4", "stride=2"}, {"conv1d", "2x4x7t 6x2x2 6g", "groups=2"},  \
      {"conv1d", "1x2x6n 2x2x3", "dilation=2 padding=3"},                                \
      {"conv1d", "1x2x5 2x2x2", "padding=same"},                                         \
      {"conv1d", "1x2x5 2x2x2", "padding=valid stride=3"},                               \
      {"conv1d", "0x2x5 2x2x2", ""}, {"conv1d", "1x1x1 1x1x1 1", ""},                    \
      {"conv2d", "2x2x4x5 3x2x3x3 3", ""}, {"conv2d", "2x2x4x5 3x2x2x3", "padding=1"},   \
      {"conv2d", "2x4x5 3x2x3x2 3", "stride=2 padding=1x0"},                             \
      {"conv2d", "1x4x4x5 4x1x3x3", "groups=4 padding=same"},                            \
      {"conv2d", "1x4x4x3 6x2x2x1 6", "groups=2 stride=1x2"},                            \
      {"conv2d", "1x2x5x6t 3x2x2x3n 3e", "dilation=2x1 stride=3x2 padding=2x1"},         \
      {"conv2d", "2x1x4x4n 2x1x2x2t", "padding=same dilation=1x2"},                      \
      {"conv2d", "2x3x2x2 2x3x1x1 2", "padding=valid"},                                  \
      {"conv2d", "1x2x3x3 1x2x1x1", "stride=2 padding=1"},                               \
      {"conv2d", "1x1x2x3 2x1x4x5", "padding=2 stride=2x1"},                             \
      {"conv2d", "0x2x3x3 2x2x2x2 2", ""}, {"conv2d", "2x0x3x3 2x0x2x2 2", ""},          \
      {"conv2d", "2x2x3x3 0x2x2x2", ""}, {"conv2d", "2x2x3x3e 1x2x2x2e", ""},            \
                                                                                         \
      {"conv_transpose1d", "2x3x4 3x2x3 2", ""},                                         \
      {"conv_transpose1d", "3x4t 3x1x2", "stride=2 padding=1 output_padding=1"},         \
      {"conv_transpose1d", "1x4x3 4x2x2 4", "groups=2 dilation=2 output_padding=1"},     \
      {"conv_transpose1d", "0x3x4 3x2x3", ""},                                           \
      {"conv_transpose2d", "1x3x2x3 3x2x3x2 2", ""},                                     \
      {"conv_transpose2d", "1x2x3x2n 2x2x3x3t",                                          \
          "stride=2x3 padding=1 output_padding=1x2"},                                    \
      {"conv_transpose2d", "4x2x2 4x1x2x3 2", "groups=2 dilation=2x1 padding=0x1"},      \
      {"conv_transpose2d", "2x2x2x2 2x3x1x1", "stride=2"},                               \
      {"conv_transpose2d", "1x0x2x2 0x2x2x2 2", ""},                                     \
                                                                                         \
      {"conv_result", "1x2x4x4 3x2x2x2", RESOLVED("3x3")},                               \
      {"conv_result", "2x4t 3x2x2", "size=5 stride=1 padding=1 dilation=1 groups=1"},    \
      {"conv_result", "1x4x3x3 2x2x2x2",                                                 \
          "size=3x2 stride=2x2 padding=1x0 dilation=1x1 groups=2"},                      \
      {"conv_input", "1x3x3x3 3x2x2x2", RESOLVED("4x4")},                                \
      {"conv_input", "3x5n 3x2x2", "size=4 stride=1 padding=1 dilation=1 groups=1"},     \
      {"conv_input", "1x2x2x2 2x2x2x3t",                                                 \
          "size=5x4 stride=2x2 padding=1x1 dilation=3x1 groups=2"},                      \
      {"conv_weight", "1x2x4x4 1x3x3x3", RESOLVED("2x2")},                               \
      {"conv_weight", "2x4g 3x5", "size=2 stride=1 padding=1 dilation=1 groups=1"},      \
      {"conv_weight", "2x4x3x3 2x2x3x2t",                                                \
          "size=2x2 stride=2x2 padding=1x0 dilation=1x1 groups=2"},                      \
      {"conv_weight", "0x2x4x4 0x3x3x3", RESOLVED("2x2")},                               \
                                                                                         \
      {"max_pool1d", "2x2x6", "kernel_size=2"},                                          \
      {"max_pool1d", "2x7t", "kernel_size=3 stride=2 padding=1 return_indices=1"},       \
      {"max_pool1d", "1x2x7", "kernel_size=3 stride=3 ceil_mode=1"},                     \
      {"max_pool1d", "1x1x7", "kernel_size=3 dilation=2 return_indices=1"},              \
      {"max_pool1d", "0x2x6", "kernel_size=2"},                                          \
      {"max_pool2d", "2x2x4x4", "kernel_size=2"},                                        \
      {"max_pool2d", "2x2x4x4n", "kernel_size=2 return_indices=1"},                      \
      {"max_pool2d", "2x5x6t", "kernel_size=3x2 stride=2x1 padding=1 return_indices=1"}, \
      {"max_pool2d", "1x1x5x7", "kernel_size=2x3 stride=3 padding=1 ceil_mode=1"},       \
      {"max_pool2d", "1x2x5x5", "kernel_size=2 dilation=3x2 stride=1"},                  \
      {"max_pool2d", "0x2x4x4", "kernel_size=2"},                                        \
      {"avg_pool1d", "2x2x6", "kernel_size=2"},                                          \
      {"avg_pool1d", "2x7t", "kernel_size=3 stride=2 padding=1 count_include_pad=0"},    \
      {"avg_pool1d", "1x1x6", "kernel_size=3 stride=2 padding=1 ceil_mode=1"},           \
      {"avg_pool1d", "0x2x6", "kernel_size=2"},                                          \
      {"avg_pool2d", "2x2x4x4", "kernel_size=2"},                                        \
      {"avg_pool2d", "2x5x6n", "kernel_size=3x2 stride=2x1 padding=1"},                  \
      {"avg_pool2d", "1x1x5x7t",                                                         \
          "kernel_size=2x3 stride=3 padding=1 ceil_mode=1 count_include_pad=0"},         \
      {"avg_pool2d", "1x2x4x4", "kernel_size=3 divisor_override=5"},                     \
      {"avg_pool2d", "0x2x4x4", "kernel_size=2"},                                        \
      {"adaptive_avg_pool1d", "2x2x7", "output_size=3"},                                 \
      {"adaptive_avg_pool1d", "2x3t", "output_size=5"},                                  \
      {"adaptive_avg_pool1d", "0x2x7", "output_size=3"},                                 \
      {"adaptive_avg_pool1d", "1x2x7t", "output_size=1"},                                \
      {"adaptive_avg_pool2d", "2x1x5x7", "output_size=3x2"},                             \
      {"adaptive_avg_pool2d", "2x3x4n", "output_size=1"},                                \
      {"adaptive_avg_pool2d", "1x1x2x2", "output_size=0x3"},                             \
      {"adaptive_avg_pool2d", "0x2x4x4", "output_size=2"},                               \
      {"adaptive_max_pool1d", "2x2x7", "output_size=3"},                                 \
      {"adaptive_max_pool1d", "2x3t", "output_size=5 return_indices=1"},                 \
      {"adaptive_max_pool1d", "0x2x7", "output_size=3"},                                 \
      {"adaptive_max_pool1d", "1x2x7t", "output_size=1"},                                \
      {"adaptive_max_pool2d", "2x1x5x7", "output_size=3x2"},                             \
      {"adaptive_max_pool2d", "2x3x4n", "output_size=1 return_indices=1"},               \
      {"adaptive_max_pool2d", "1x2x5x6t", "output_size=4 return_indices=1"},             \
      {"adaptive_max_pool2d", "0x2x4x4", "output_size=2"},                               \
      {"im2col", "2x2x4x5", "kernel_size=2"}, {"im2col", "2x4x5t", "kernel_size=3x2"},   \
      {"im2col", "1x2x5x6n", "kernel_size=3x2 dilation=2x1 padding=1x2 stride=2x3"},     \
      {"im2col", "3x2x2", "kernel_size=1"}, {"im2col", "0x2x3x3", "kernel_size=2"},      \
      {"im2col", "2x1x4x4", "kernel_size=2 stride=2"},                                   \
      {"im2col", "1x4x4e", "kernel_size=4 padding=3"},                                   \
      {"col2im", "2x8x12", "output_size=4x5 kernel_size=2"},                             \
      {"col2im", "12x15t", "output_size=4x5 kernel_size=2x3 padding=1x0"},               \
      {"col2im", "1x12x6n",                                                              \
          "output_size=5x6 kernel_size=3x2 dilation=2x1 padding=1x2 stride=2x3"},        \
      {"col2im", "3x4", "output_size=2 kernel_size=1"},                                  \
      {"col2im", "0x8x4", "output_size=3 kernel_size=2"},                                \
      {"col2im", "2x4x4", "output_size=4 kernel_size=2 stride=2"},                       \
      {"average", "1x2x4x4",                                                             \
          "size=3x2 kernel_size=2x3 stride=1x2 padding=0x1 count_include_pad=1 "         \
          "divisor_override=0"},                                                         \
      {"average", "2x5t", "size=2 kernel_size=0 stride=1 padding=0"},                    \
      {"average", "2x5", "size=2 kernel_size=2 stride=2 padding=0 divisor_override=3"},  \
      {"average_back", "1x2x3x2",                                                        \
          "size=4x4 kernel_size=2x3 stride=1x2 padding=0x1 count_include_pad=0"},        \
      {"average_back", "2x2n", "size=5 kernel_size=0 stride=1 padding=0"},               \
      {"average_back", "2x2",                                                            \
          "size=5 kernel_size=2 stride=2 padding=0 divisor_override=3"},                 \
      {"plane_scatter", "2x3 2x3i", "size=4"},                                           \
      {"plane_scatter", "1x2x2x3t 1x2x2x3i", "size=2x3"},                                \
      {"plane_gather", "2x4 2x3i", "axes=1"}, {                                          \
    "plane_gather", "1x2x2x3n 1x2x2x2i", "axes=2"                                        \
  }

#endif
