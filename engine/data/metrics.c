/* Numbers that say how good predictions are. */
#include "tensor/tensor.h"

#include <math.h>

static mlpl_status check(
    mlpl_ctx *cx, const mlpl_tensor *scores, const mlpl_tensor *target) {
  char s[MLPLI_SHAPE_TEXT], t[MLPLI_SHAPE_TEXT];
  bool fit = target->ndim == 1 && (scores->ndim == 1 || scores->ndim == 2) &&
      scores->shape[0] == target->shape[0];
  if (!fit || (scores->ndim == 2 && scores->shape[1] == 0))
    return mlpl_fail(cx, MLPL_ESHAPE,
        "accuracy: expected scores [n x k] or labels [n] and a target [n]: they are %s "
        "and %s",
        mlpli_tensor_text(s, scores), mlpli_tensor_text(t, target));
  if (target->dtype != MLPL_I64)
    return mlpl_fail(cx, MLPL_EARG, "accuracy: the target is %s; labels are i64",
        mlpl_dtype_name((mlpl_dtype)target->dtype));
  if (scores->ndim == 2 ? !mlpli_is_real(scores) : scores->dtype != MLPL_I64)
    return mlpl_fail(cx, MLPL_EARG, "accuracy: %s are %s; %s",
        scores->ndim == 2 ? "scores" : "the labels in scores",
        mlpl_dtype_name((mlpl_dtype)scores->dtype),
        scores->ndim == 2 ? "they are f32 or f64" : "they are i64");
  return MLPL_OK;
}

/* As argmax has it: the first of equal values, and NaN is larger than any. */
static int64_t largest(const mlpl_tensor *scores, int64_t row) {
  size_t size = mlpli_dtype_size[scores->dtype];
  const char *p = scores->data + (ptrdiff_t)size * row * scores->stride[0];
  double best = mlpli_load(p, scores->dtype);
  int64_t at = 0;
  for (int64_t i = 1; i < scores->shape[1] && !isnan(best); i++) {
    double v = mlpli_load(p + (ptrdiff_t)size * i * scores->stride[1], scores->dtype);
    if (v > best || isnan(v)) best = v, at = i;
  }
  return at;
}

static mlpl_status count_scores(
    mlpl_ctx *cx, const mlpl_tensor *scores, const mlpl_tensor *target, int64_t *hits) {
  int64_t *label, n = target->shape[0];
  MLPL_TRY(mlpli_new(cx, &label, (size_t)n * sizeof *label, "accuracy"));
  mlpl_status status = mlpli_labels(
      cx, "accuracy", target, scores->shape[1], NULL, label);
  for (int64_t i = 0; status == MLPL_OK && i < n; i++)
    *hits += largest(scores, i) == label[i];
  mlpli_free(cx->heap, label);
  return status;
}

static void count_labels(
    const mlpl_tensor *labels, const mlpl_tensor *target, int64_t *hits) {
  const int64_t *a = (const int64_t *)(const void *)labels->data;
  const int64_t *b = (const int64_t *)(const void *)target->data;
  for (int64_t i = 0; i < target->shape[0]; i++)
    *hits += a[i * labels->stride[0]] == b[i * target->stride[0]];
}

mlpl_status mlpl_accuracy(
    mlpl_ctx *cx, double *share, mlpl_tensor *scores, mlpl_tensor *target) {
  *share = NAN;
  MLPL_TRY(check(cx, scores, target));
  int64_t hits = 0, n = target->shape[0];
  if (scores->ndim == 2)
    MLPL_TRY(count_scores(cx, scores, target, &hits));
  else
    count_labels(scores, target, &hits);
  *share = n ? (double)hits / (double)n : NAN;
  return MLPL_OK;
}
