/*
** FANN on its own job: a fully connected net of sigmoids, squared error, incremental
** training (fann_train), sample by sample. run.sh compiles this where fann.h is.
**
** fann SIZES                    SIZES as 2-8-2; then as serve.h says
*/
#include <fann.h>

#include "../serve.h"

#ifndef VERSION
#define VERSION "FANN"
#endif
#define SAMPLES 256

static struct fann *net;
static fann_type *all_x, *all_y;
static unsigned n_in, n_out;

static struct fann *make_net(const char *sizes) {
  unsigned layer[16], n = 0;
  char *end = (char *)sizes - 1;
  do
    layer[n++] = (unsigned)strtoul(end + 1, &end, 10);
  while (*end == '-' && n < 16);
  n_in = layer[0], n_out = layer[n - 1];
  return fann_create_standard_array(n, layer);
}

static void set_up(void) {
  fann_set_activation_function_hidden(net, FANN_SIGMOID);
  fann_set_activation_function_output(net, FANN_SIGMOID);
  fann_set_training_algorithm(net, FANN_TRAIN_INCREMENTAL);
  fann_set_train_error_function(net, FANN_ERRORFUNC_LINEAR);
  fann_set_learning_rate(net, 1e-3f);
  fann_set_learning_momentum(net, 0);
}

static fann_type *values(size_t n) {
  fann_type *v = malloc(n * sizeof *v);
  if (!v)
    exit(1);
  for (size_t i = 0; i < n; i++)
    v[i] = (fann_type)(i * 7919 % 2003) / 2003;
  return v;
}

static void run(long steps) {
  static size_t at;
  while (steps--) {
    fann_train(net, all_x + at * n_in, all_y + at * n_out);
    at = (at + 1) % SAMPLES;
  }
}

int main(int argc, char **argv) {
  if (argc < 2 || !(net = make_net(argv[1])))
    return 2;
  set_up();
  all_x = values(SAMPLES * (size_t)n_in);
  all_y = values(SAMPLES * (size_t)n_out);
  serve(run, VERSION);
  return 0;
}
