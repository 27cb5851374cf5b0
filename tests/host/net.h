/*
** What the hosts in this folder share: a network for the digits of examples/data, trained
** by the public API alone, and the bits that come out. tests/host/model.lua does the same
** from Lua. Everything here returns a status and asserts nothing, so that any thread can
** use it.
*/
#ifndef HOST_NET_H
#define HOST_NET_H

#include "mlpl.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NET_DIGITS "examples/data/digits.csv.gz"
#define NET_SEED 42
#define NET_BATCH 32
#define NET_FLOATS 8192 /* enough for the weights and the predictions */

#define TRY(call)                                                                        \
  do {                                                                                   \
    mlpl_status try_status = (call);                                                     \
    if (try_status) return try_status;                                                   \
  } while (0)

/* One run: a network, what it was trained on, and what it is tested on. */
typedef struct net {
  mlpl_dataset *train, *test;
  mlpl_module *model;
  mlpl_optimizer *opt;
} net;

typedef struct net_bits {
  size_t n;
  float v[NET_FLOATS];
} net_bits;

static inline bool net_same(const net_bits *a, const net_bits *b) {
  return a->n && a->n == b->n && memcmp(a->v, b->v, a->n * sizeof *a->v) == 0;
}

/* 64 - 32 - ReLU - 10; the parameters are drawn from the context's generator. */
static inline mlpl_status net_layers(mlpl_ctx *cx, mlpl_module **model) {
  mlpl_module *layer[3] = {NULL, NULL, NULL};
  mlpl_status status = mlpl_module_new(cx, &layer[0], "Linear",
      (mlpl_arg[]){{.name = "in_features", .value = 64},
          {.name = "out_features", .value = 32}, {0}});
  if (!status) status = mlpl_module_new(cx, &layer[1], "ReLU", NULL);
  if (!status)
    status = mlpl_module_new(cx, &layer[2], "Linear",
        (mlpl_arg[]){{.name = "in_features", .value = 32},
            {.name = "out_features", .value = 10}, {0}});
  if (!status) status = mlpl_sequential_new(cx, model, layer, 3);
  for (int i = 0; i < 3; i++) mlpl_module_release(layer[i]);
  return status;
}

static inline mlpl_status net_open(mlpl_ctx *cx, net *n) {
  mlpl_dataset *all;
  mlpl_tensor *parameter[4];
  memset(n, 0, sizeof *n);
  TRY(mlpl_csv_read(
      cx, &all, NET_DIGITS, &(mlpl_csv_options){.labels = "-1", .header = -1}));
  mlpl_status status =
      mlpl_dataset_split(cx, all, 0.8, MLPL_SHUFFLE | MLPL_STRATIFY, &n->train, &n->test);
  mlpl_dataset_release(all);
  TRY(status);
  TRY(net_layers(cx, &n->model));
  for (int i = 0; i < 4; i++) parameter[i] = mlpl_module_parameter(n->model, i);
  return mlpl_optimizer_new(cx, &n->opt, "Adam", parameter, 4,
      (mlpl_arg[]){{.name = "lr", .value = 0.01}, {0}});
}

static inline void net_close(net *n) {
  mlpl_optimizer_release(n->opt);
  mlpl_module_release(n->model);
  mlpl_dataset_release(n->train);
  mlpl_dataset_release(n->test);
}

static inline mlpl_status net_step(mlpl_ctx *cx, net *n, mlpl_tensor *x, mlpl_tensor *y) {
  mlpl_tensor *scores = NULL, *loss = NULL;
  mlpl_status status = mlpl_forward(cx, n->model, &scores, &x, 1);
  if (!status)
    status = mlpl_call(cx, &loss, "cross_entropy", (mlpl_tensor *[]){scores, y}, 2, NULL);
  mlpl_optimizer_zero_grad(n->opt);
  if (!status) status = mlpl_backward(cx, loss, NULL, 0);
  if (!status) status = mlpl_optimizer_step(cx, n->opt);
  mlpl_tensor_release(scores);
  mlpl_tensor_release(loss);
  return status;
}

static inline mlpl_status net_epoch(mlpl_ctx *cx, net *n) {
  mlpl_batches *b;
  mlpl_tensor *x, *y;
  mlpl_status status;
  TRY(mlpl_batches_new(cx, &b, n->train, NET_BATCH, true, false));
  while ((status = mlpl_batches_next(cx, b, &x, &y)) == MLPL_OK && x) {
    status = net_step(cx, n, x, y);
    mlpl_tensor_release(x);
    mlpl_tensor_release(y);
    if (status) break;
  }
  mlpl_batches_release(b);
  return status;
}

/* Add a tensor's numbers to the bits. */
static inline mlpl_status net_take(mlpl_ctx *cx, mlpl_tensor *t, net_bits *bits) {
  size_t n = (size_t)mlpl_tensor_numel(t);
  if (bits->n + n > NET_FLOATS)
    return mlpl_fail(cx, MLPL_EARG, "NET_FLOATS is too small");
  TRY(mlpl_tensor_read(cx, t, bits->v + bits->n, n * sizeof *bits->v));
  bits->n += n;
  return MLPL_OK;
}

static inline mlpl_status net_weights(
    mlpl_ctx *cx, const mlpl_module *model, net_bits *bits) {
  for (int i = 0; i < mlpl_module_n_parameters(model); i++)
    TRY(net_take(cx, mlpl_module_parameter(model, i), bits));
  return MLPL_OK;
}

/* What the model says of the digits held out, and how often it is right. */
static inline mlpl_status net_predict(mlpl_ctx *cx, mlpl_module *model,
    const mlpl_dataset *test, net_bits *bits, double *share) {
  mlpl_tensor *scores;
  TRY(mlpl_predict(cx, model, &scores, mlpl_dataset_x(test)));
  mlpl_status status = net_take(cx, scores, bits);
  if (!status) status = mlpl_accuracy(cx, share, scores, mlpl_dataset_y(test));
  mlpl_tensor_release(scores);
  return status;
}

/* All of it: the weights after some epochs, then the predictions. */
static inline mlpl_status net_run(
    mlpl_ctx *cx, int epochs, net_bits *bits, double *share) {
  net n;
  bits->n = 0;
  mlpl_seed(cx, NET_SEED);
  mlpl_status status = net_open(cx, &n);
  for (int i = 0; i < epochs && !status; i++) status = net_epoch(cx, &n);
  if (!status) status = net_weights(cx, n.model, bits);
  if (!status) status = net_predict(cx, n.model, n.test, bits, share);
  net_close(&n);
  return status;
}

/* The folder of what was built, as scripts/test.sh says it. */
static inline const char *net_build(void) {
  const char *build = getenv("MLPL_BUILD");
  return build && *build ? build : "build/release";
}

#endif
