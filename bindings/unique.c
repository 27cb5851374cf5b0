/* x:unique(): distinct elements, and on request where and how often they are. */
#include "bind.h"

/* x:unique{return_inverse = true, return_counts = true}: values, inverse, counts; what
   was not asked for is left out. As in PyTorch, which also takes them in order. */
int mlplb_unique(lua_State *L) {
  static const mlpl_param params[] = {
      {"sorted", MLPL_PARAM_BOOL, MLPL_OPTIONAL, 1, 0, 1, NULL, 0},
      {"return_inverse", MLPL_PARAM_BOOL, MLPL_OPTIONAL, 0, 0, 1, NULL, 0},
      {"return_counts", MLPL_PARAM_BOOL, MLPL_OPTIONAL, 0, 0, 1, NULL, 0}};
  mlplb_state *s = mlplb_get(L);
  mlpl_tensor *x = mlplb_check_tensor(L, 1), *out[3] = {NULL, NULL, NULL};
  mlpl_value v[3];
  mlplb_params(L, "unique", 2, params, 3, v, NULL);
  mlplb_pressure(L, s);
  mlplb_box *box[3];
  int n = 0, tries = 0;
  for (int i = 0; i < 3; i++)
    if ((box[i] = i == 0 || v[i].i ? mlplb_tensor_box(L) : NULL)) n++;
  mlpl_status status;
  do
    status = mlpl_unique(
        s->cx, &out[0], box[1] ? &out[1] : NULL, box[2] ? &out[2] : NULL, x);
  while (mlplb_again(L, s, status, &tries));
  for (int i = 0; i < 3; i++)
    if (box[i]) box[i]->object = out[i];
  return status == MLPL_OK ? n : mlplb_raise_as(L, s, "unique");
}
