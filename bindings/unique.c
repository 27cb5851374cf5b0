/* x:unique(), x:unique_consecutive(): distinct elements or slices, and on request where and
   how often they are. */
#include "bind.h"

#include <math.h>

/* The options that both have. */
#define WANTED                                                                           \
  {"return_inverse", MLPL_PARAM_BOOL, MLPL_OPTIONAL, 0, 0, 1, NULL, 0},                  \
      {"return_counts", MLPL_PARAM_BOOL, MLPL_OPTIONAL, 0, 0, 1, NULL, 0},               \
  {                                                                                      \
    "dim", MLPL_PARAM_AXIS, MLPL_OPTIONAL, NAN, 0, 0, NULL, 0                            \
  }

/* v: return_inverse, return_counts, dim. Pushes values, inverse, counts; what was not asked
   for is left out. */
static int push_unique(lua_State *L, const mlpl_value *v, bool consecutive) {
  const char *what = consecutive ? "unique_consecutive" : "unique";
  mlplb_state *s = mlplb_get(L);
  mlpl_tensor *x = mlplb_check_tensor(L, 1), *out[3] = {NULL, NULL, NULL};
  mlpl_tensor **inverse = v[0].i ? &out[1] : NULL, **counts = v[1].i ? &out[2] : NULL;
  mlplb_pressure(L, s);
  mlplb_box *box[3];
  int n = 0, tries = 0;
  for (int i = 0; i < 3; i++)
    if ((box[i] = i == 0 || v[i - 1].i ? mlplb_tensor_box(L) : NULL)) n++;
  mlpl_status status;
  do
    status = consecutive || v[2].i != MLPL_NO_AXIS
        ? mlpl_unique_slices(s->cx, &out[0], inverse, counts, x, v[2].i, consecutive)
        : mlpl_unique(s->cx, &out[0], inverse, counts, x);
  while (mlplb_again(L, s, status, &tries));
  for (int i = 0; i < 3; i++)
    if (box[i]) box[i]->object = out[i];
  return status == MLPL_OK ? n : mlplb_raise_as(L, s, what);
}

/* x:unique{return_inverse = true, return_counts = true, dim = 1}; sorted: always, as in
   PyTorch */
int mlplb_unique(lua_State *L) {
  static const mlpl_param params[] = {
      {"sorted", MLPL_PARAM_BOOL, MLPL_OPTIONAL, 1, 0, 1, NULL, 0}, WANTED};
  mlpl_value v[4];
  mlplb_check_tensor(L, 1);
  mlplb_params(L, "unique", 2, params, 4, v, NULL);
  return push_unique(L, v + 1, false);
}

int mlplb_unique_consecutive(lua_State *L) {
  static const mlpl_param params[] = {WANTED};
  mlpl_value v[3];
  mlplb_check_tensor(L, 1);
  mlplb_params(L, "unique_consecutive", 2, params, 3, v, NULL);
  return push_unique(L, v, true);
}
