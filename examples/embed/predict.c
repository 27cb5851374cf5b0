/*
** A program without Lua that uses a trained model: prints what it says of the numbers.
**
**   mlpl examples/digits.lua --save digits.safetensors
**   predict digits.safetensors 0 0 5 13 9 1 0 0 ...     (as many as the model takes)
**
**   cc predict.c -lmlpl -lz -lm -lpthread
*/
#include "mlpl.h"

#include <stdio.h>
#include <stdlib.h>

static mlpl_status predict(mlpl_ctx *cx, const char *path, int n, const float *numbers) {
  mlpl_module *model = NULL;
  mlpl_tensor *x = NULL, *y = NULL;
  mlpl_status status = mlpl_module_load(cx, &model, path);
  if (!status) status = mlpl_tensor_copy(cx, &x, MLPL_F32, 2, (int64_t[]){1, n}, numbers);
  if (!status) status = mlpl_predict(cx, model, &y, x);
  if (!status) {
    const float *score = mlpl_tensor_data(y); /* [1 x outputs] */
    for (int64_t i = 0; i < mlpl_tensor_numel(y); i++) printf("%g\n", (double)score[i]);
  }
  mlpl_tensor_release(y);
  mlpl_tensor_release(x);
  mlpl_module_release(model);
  return status;
}

int main(int argc, char **argv) {
  mlpl_ctx *cx;
  float numbers[1024];
  int n = argc - 2 < 1024 ? argc - 2 : 1024;
  if (argc < 3) return fprintf(stderr, "usage: predict MODEL NUMBER...\n"), 2;
  for (int i = 0; i < n; i++) numbers[i] = strtof(argv[i + 2], NULL);
  if (mlpl_open(&cx, NULL)) return fprintf(stderr, "predict: no memory\n"), 1;
  mlpl_status status = predict(cx, argv[1], n, numbers);
  if (status) fprintf(stderr, "predict: %s\n", mlpl_error(cx));
  mlpl_close(cx);
  return status ? 1 : 0;
}
