/* Short ways to make modules in tests. */
#ifndef TEST_MODULE_TEST_H
#define TEST_MODULE_TEST_H

#include "tensor_test.h"

static inline mlpl_module *module(mlpl_ctx *cx, const char *kind, const mlpl_arg *args) {
  mlpl_module *m;
  assert_works(cx, mlpl_module_new(cx, &m, kind, args));
  return m;
}

static inline mlpl_module *linear(mlpl_ctx *cx, double in, double out) {
  return module(cx, "Linear", ARGS(ARG("in_features", in), ARG("out_features", out)));
}

/* Takes over the children: they live on in the model alone. */
static inline mlpl_module *sequential(mlpl_ctx *cx, mlpl_module *const *children, int n) {
  mlpl_module *m;
  assert_works(cx, mlpl_sequential_new(cx, &m, children, n));
  for (int i = 0; i < n; i++) mlpl_module_release(children[i]);
  return m;
}
#define SEQUENTIAL(cx, ...)                                                              \
  sequential(cx, (mlpl_module *[]){__VA_ARGS__},                                         \
      (int)(sizeof((mlpl_module *[]){__VA_ARGS__}) / sizeof(mlpl_module *)))

static inline mlpl_tensor *forward(mlpl_ctx *cx, mlpl_module *m, mlpl_tensor *x) {
  mlpl_tensor *y;
  assert_works(cx, mlpl_forward(cx, m, &y, &x, 1));
  return test_hold(y);
}

#endif
