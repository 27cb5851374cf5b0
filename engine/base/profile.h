/* Measuring where the time goes (profile.c). Internal. */
#ifndef MLPLI_PROFILE_H
#define MLPLI_PROFILE_H

#include "base/base.h"

typedef struct mlpli_profile mlpli_profile;

typedef struct mlpli_span {
  double start;
} mlpli_span;

/* All of these only while cx->profile is set. The names are constants. */

/* Child `place` (from 1) of the container at work, and its kind. */
void mlpli_profile_enter(mlpl_ctx *cx, int place, const char *kind);
void mlpli_profile_leave(mlpl_ctx *cx);
/* The entry for this operation in the layer at work; pass is "forward", "backward" or
   "update". -1: none. */
int mlpli_profile_layer(mlpl_ctx *cx, const char *operation, const char *pass);

void mlpli_span_begin(mlpl_ctx *cx, mlpli_span *span);
void mlpli_span_end(
    mlpl_ctx *cx, const mlpli_span *span, int entry, double bytes, double flops);

#endif
