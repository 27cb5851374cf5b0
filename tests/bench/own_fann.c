/*
** FANN's own job (peers/fann.c) through our C API: a sigmoid after each layer, squared
** error, plain gradient descent, sample by sample.
**
** own_fann SIZES [planned]      SIZES as 2-8-2; then as serve.h says
*/
#include <string.h>

#include "mlpl.h"
#include "serve.h"

#define SAMPLES 256

static mlpl_ctx *cx;
static mlpl_module *model, *mse;
static mlpl_optimizer *sgd;
static mlpl_tensor *x, *y;               /* the sample at hand: [1 x in], [1 x out] */
static float *all_x, *all_y;
static size_t n_in, n_out;

static void need(mlpl_status status) {
  if (status == MLPL_OK)
    return;
  fprintf(stderr, "own_fann: %s\n", cx ? mlpl_error(cx) : mlpl_status_text(status));
  exit(1);
}

static void make_model(const char *sizes) {
  mlpl_module *layers[16];
  int n = 0;
  char *end;
  int64_t in = strtol(sizes, &end, 10);
  n_in = (size_t)in;
  while (*end == '-' && n < 15) {
    int64_t out = strtol(end + 1, &end, 10);
    mlpl_arg args[] = {{.name = "in_features", .value = (double)in},
        {.name = "out_features", .value = (double)out}, {.name = NULL}};
    need(mlpl_module_new(cx, &layers[n++], "Linear", args));
    need(mlpl_module_new(cx, &layers[n++], "Sigmoid", NULL));
    in = out;
  }
  n_out = (size_t)in;
  need(mlpl_sequential_new(cx, &model, layers, n));
  while (n)
    mlpl_module_release(layers[--n]);
}

static void make_optimizer(void) {
  mlpl_tensor *parameters[16];
  int n = mlpl_module_n_parameters(model);
  for (int i = 0; i < n && i < 16; i++)
    parameters[i] = mlpl_module_parameter(model, i);
  mlpl_arg args[] = {{.name = "lr", .value = 1e-3}, {.name = NULL}};
  need(mlpl_optimizer_new(cx, &sgd, "SGD", parameters, n, args));
}

/* Numbers between 0 and 1, which sigmoids can reach. */
static float *values(size_t n) {
  float *v = malloc(n * sizeof *v);
  if (!v)
    exit(1);
  for (size_t i = 0; i < n; i++)
    v[i] = (float)(i * 7919 % 2003) / 2003;
  return v;
}

static void make_data(void) {
  all_x = values(SAMPLES * n_in);
  all_y = values(SAMPLES * n_out);
  need(mlpl_tensor_full(cx, &x, MLPL_F32, 2, (int64_t[]){1, (int64_t)n_in}, 0));
  need(mlpl_tensor_full(cx, &y, MLPL_F32, 2, (int64_t[]){1, (int64_t)n_out}, 0));
}

static void next_sample(void) {
  static size_t at;
  memcpy(mlpl_tensor_data(x), all_x + at * n_in, n_in * sizeof *all_x);
  memcpy(mlpl_tensor_data(y), all_y + at * n_out, n_out * sizeof *all_y);
  at = (at + 1) % SAMPLES;
}

static void plain(long steps) {
  while (steps--) {
    mlpl_tensor *out, *loss;
    next_sample();
    need(mlpl_forward(cx, model, &out, &x, 1));
    need(mlpl_forward(cx, mse, &loss, (mlpl_tensor *[]){out, y}, 2));
    mlpl_optimizer_zero_grad(sgd);
    need(mlpl_backward(cx, loss, NULL, 0));
    need(mlpl_optimizer_step(cx, sgd));
    mlpl_tensor_release(loss);
    mlpl_tensor_release(out);
  }
}

/* The second column: a step planned once and replayed as one call. */
static mlpl_step *step;

static void planned(long steps) {
  double loss;
  while (steps--) {
    next_sample();
    need(mlpl_step_run(cx, step, x, y, &loss));
  }
}

static void (*make_planned(void))(long) {
  need(mlpl_step_new(cx, &step, model, mse, sgd));
  planned(1);
  return mlpl_step_is_planned(step) ? planned : NULL;
}

int main(int argc, char **argv) {
  if (argc < 2)
    return 2;
  need(mlpl_open(&cx, &(mlpl_config){.threads = 1, .seed = 1}));
  make_model(argv[1]);
  make_optimizer();
  make_data();
  need(mlpl_module_new(cx, &mse, "MSELoss", NULL));
  void (*run)(long) = argc > 2 && !strcmp(argv[2], "planned") ? make_planned() : plain;
  if (run)
    serve(run, MLPL_VERSION);
  else
    puts("cannot: mlpl plans no step of such a net");
  return 0;
}
