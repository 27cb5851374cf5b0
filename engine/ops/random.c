/* Random numbers whose distribution is given by tensors. */
#include "grad/grad.h"
#include "ops/shape.h"

/* That no element is below 0. */
static mlpl_status check_spread(mlpl_ctx *cx, mlpl_tensor *std) {
  mlpl_tensor *flat;
  double least = 0;
  MLPL_TRY(mlpli_tensor_contiguous(cx, &flat, std));
  for (int64_t i = 0; i < flat->numel; i++) {
    const double v = mlpli_load(
        flat->data + (size_t)i * mlpli_dtype_size[flat->dtype], flat->dtype);
    if (v < least) least = v;
  }
  mlpl_tensor_release(flat);
  if (least == 0) return MLPL_OK;
  return mlpl_fail(cx, MLPL_EARG, "normal: std holds %g; it must be 0 or more", least);
}

static mlpl_status draw(
    mlpl_ctx *cx, mlpl_tensor **out, mlpl_tensor *mean, mlpl_tensor *std) {
  mlpli_expr e = {.cx = cx};
  mlpli_shape s;
  mlpl_tensor *z = NULL;
  const bool wide = mean->dtype == MLPL_F64 || std->dtype == MLPL_F64;
  MLPL_TRY(check_spread(cx, std));
  MLPL_TRY(mlpli_broadcast_as(cx, "normal", "mean", mean, "std", std, &s));
  e.status = mlpl_tensor_randn(cx, &z, wide ? MLPL_F64 : MLPL_F32, s.ndim, s.size, 0, 1);
  mlpli_xkeep(&e, z);
  return mlpli_xresult(&e, out, mlpli_xadd(&e, mean, mlpli_xmul(&e, z, std)));
}

mlpl_status mlpl_normal(
    mlpl_ctx *cx, mlpl_tensor **out, mlpl_tensor *mean, mlpl_tensor *std) {
  const mlplk_stream before = cx->random;
  const bool was = mlpl_set_grad_enabled(cx, false);
  *out = NULL;
  const mlpl_status status = draw(cx, out, mean, std);
  mlpl_set_grad_enabled(cx, was);
  return mlpli_undraw(cx, before, status);
}
