/* Saving and loading models. */
#include "support.h"

#include "io/safetensors.h"

#include <stdio.h>

static mlpl_module *layer(mlpl_ctx *cx, const char *kind, const mlpl_arg *args) {
  mlpl_module *m;
  assert_works(cx, mlpl_module_new(cx, &m, kind, args));
  return m;
}

static mlpl_module *linear(mlpl_ctx *cx, double in, double out, double bias) {
  return layer(cx, "Linear", (mlpl_arg[]){{.name = "in_features", .value = in}, {.name = "out_features", .value = out},
                                 {.name = "bias", .value = bias}, {0}});
}

/* Gives the children up. */
static mlpl_module *sequence(mlpl_ctx *cx, mlpl_module **children, int n) {
  mlpl_module *m;
  assert_works(cx, mlpl_sequential_new(cx, &m, children, n));
  for (int i = 0; i < n; i++) mlpl_module_release(children[i]);
  return m;
}

static mlpl_module *small_net(mlpl_ctx *cx) {
  mlpl_module *inner[] = {linear(cx, 5, 4, 0), layer(cx, "LeakyReLU", (mlpl_arg[]){{.name = "negative_slope", .value = .2}, {0}})};
  mlpl_module *outer[] = {linear(cx, 3, 5, 1), layer(cx, "ReLU", NULL), sequence(cx, inner, 2),
      layer(cx, "Dropout", (mlpl_arg[]){{.name = "p", .value = .1}, {0}}), linear(cx, 4, 2, 1),
      layer(cx, "Softmax", (mlpl_arg[]){{.name = "dim", .value = -1}, {0}})};
  return sequence(cx, outer, 6);
}

/* The same kinds, options, parameters, bit for bit. */
static void check_same(mlpl_ctx *cx, const mlpl_module *a, const mlpl_module *b) {
  assert_string_equal(mlpl_module_kind(a), mlpl_module_kind(b));
  int n;
  mlpl_kind_params(mlpl_module_kind(a), &n);
  if (n) assert_memory_equal(mlpl_module_params(a), mlpl_module_params(b), (size_t)n * sizeof(mlpl_value));
  assert_int_equal(mlpl_module_n_children(a), mlpl_module_n_children(b));
  for (int i = 0; i < mlpl_module_n_children(a); i++) check_same(cx, mlpl_module_child(a, i), mlpl_module_child(b, i));
  assert_int_equal(mlpl_module_n_parameters(a), mlpl_module_n_parameters(b));
  for (int i = 0; i < mlpl_module_n_parameters(a); i++) {
    mlpl_tensor *p = mlpl_module_parameter(a, i), *q = mlpl_module_parameter(b, i);
    char name[2][64];
    mlpl_module_parameter_name(a, i, name[0], sizeof name[0]);
    mlpl_module_parameter_name(b, i, name[1], sizeof name[1]);
    assert_string_equal(name[0], name[1]);
    assert_int_equal(mlpl_tensor_dtype(p), mlpl_tensor_dtype(q));
    assert_true(mlpl_tensor_requires_grad(q));
    const size_t bytes = (size_t)mlpl_tensor_numel(p) * mlpl_dtype_bytes(mlpl_tensor_dtype(p));
    void *x = malloc(bytes), *y = malloc(bytes);
    assert_int_equal(mlpl_tensor_read(cx, p, x, bytes), MLPL_OK);
    assert_int_equal(mlpl_tensor_read(cx, q, y, bytes), MLPL_OK);
    assert_memory_equal(x, y, bytes);
    free(x);
    free(y);
  }
}

static void comes_back_as_it_was(void **state) {
  (void)state;
  const char *path = test_path("net.safetensors");
  for (int dtype = MLPL_F32; dtype <= MLPL_F64; dtype++) {
    mlpl_ctx *cx = test_open(1), *other = test_open(0);
    mlpl_module *m = small_net(cx), *loaded, *again;
    assert_works(cx, mlpl_module_to(cx, m, (mlpl_dtype)dtype));
    assert_works(cx, mlpl_module_save(cx, m, path));
    mlpl_random_state before = mlpl_random_get(other);
    assert_works(other, mlpl_module_load(other, &loaded, path));
    mlpl_random_state after = mlpl_random_get(other);
    assert_memory_equal(&before, &after, sizeof before);
    check_same(cx, m, loaded);
    size_t n;
    unsigned char *bytes = test_read(path, &n);
    assert_works(other, mlpl_module_load_memory(other, &again, bytes, n));
    check_same(cx, m, again);
    free(bytes);
    mlpl_tensor *x, *y[2];
    assert_works(cx, mlpl_tensor_randn(cx, &x, (mlpl_dtype)dtype, 2, (int64_t[]){7, 3}, 0, 1));
    assert_works(cx, mlpl_predict(cx, m, &y[0], x));
    mlpl_tensor *z;
    assert_works(other, mlpl_tensor_copy(other, &z, (mlpl_dtype)dtype, 2, (int64_t[]){7, 3}, mlpl_tensor_data(x)));
    assert_works(other, mlpl_predict(other, loaded, &y[1], z));
    assert_memory_equal(mlpl_tensor_data(y[0]), mlpl_tensor_data(y[1]), 14 * mlpl_dtype_bytes((mlpl_dtype)dtype));
    mlpl_tensor *all[] = {x, z, y[0], y[1]};
    for (int i = 0; i < 4; i++) mlpl_tensor_release(all[i]);
    mlpl_module_release(m);
    mlpl_module_release(loaded);
    mlpl_module_release(again);
    test_close(cx);
    test_close(other);
  }
}

/* Every kind with its required options, alone in a file. */
static void every_kind_can_be_saved(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  const char *kind, *path = test_path("kind.safetensors");
  for (int i = 0; (kind = mlpl_kind_at(i)); i++) {
    int n, n_args = 0;
    const mlpl_param *p = mlpl_kind_params(kind, &n);
    mlpl_arg args[MLPL_MAX_PARAMS + 1] = {{0}};
    for (int k = 0; k < n; k++)
      if (p[k].flags & MLPL_REQUIRED) args[n_args++] = (mlpl_arg){.name = p[k].name, .value = 1};
    mlpl_module *m = strcmp(kind, "Sequential") == 0 ? sequence(cx, NULL, 0) : layer(cx, kind, args), *loaded;
    assert_works(cx, mlpl_module_save(cx, m, path));
    assert_works(cx, mlpl_module_load(cx, &loaded, path));
    check_same(cx, m, loaded);
    mlpl_module_release(m);
    mlpl_module_release(loaded);
  }
  test_close(cx);
}

/* The layout that PyTorch's users expect. */
static void names_and_metadata(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_module *m = small_net(cx);
  const char *path = test_path("names.safetensors");
  assert_works(cx, mlpl_module_save(cx, m, path));
  mlpl_module_release(m);
  mlpli_st *st;
  size_t n;
  assert_works(cx, mlpli_st_read(cx, &st, path));
  static const char *const names[] = {"0.bias", "0.weight", "2.0.weight", "4.bias", "4.weight"};
  assert_int_equal(mlpli_st_count(st), COUNT(names));
  for (int i = 0; i < COUNT(names); i++) assert_string_equal(mlpli_st_name(st, i), names[i]);
  assert_int_equal(mlpli_st_at(st, 1)->shape[0], 5);
  assert_int_equal(mlpli_st_at(st, 1)->shape[1], 3);
  assert_string_equal(mlpli_st_metadata(st, "format", &n), "pt");
  assert_string_equal(mlpli_st_metadata(st, "mlpl.version", &n), MLPL_VERSION);
  assert_string_equal(mlpli_st_metadata(st, "mlpl.model", &n),
      "{\"kind\":\"Sequential\",\"children\":[{\"kind\":\"Linear\",\"params\":{\"in_features\":3,\"out_features\":5,"
      "\"bias\":true}},{\"kind\":\"ReLU\"},{\"kind\":\"Sequential\",\"children\":[{\"kind\":\"Linear\",\"params\":{"
      "\"in_features\":5,\"out_features\":4,\"bias\":false}},{\"kind\":\"LeakyReLU\",\"params\":{\"negative_slope\":0.2}}"
      "]},{\"kind\":\"Dropout\",\"params\":{\"p\":0.1}},{\"kind\":\"Linear\",\"params\":{\"in_features\":4,"
      "\"out_features\":2,\"bias\":true}},{\"kind\":\"Softmax\",\"params\":{\"dim\":-1}}]}");
  mlpli_st_close(st);
  test_close(cx);
}

static mlpl_status custom_forward(mlpl_ctx *cx, mlpl_module *m, void *ud, mlpl_tensor **y, mlpl_tensor *x) {
  (void)cx, (void)m, (void)ud;
  *y = mlpl_tensor_retain(x);
  return MLPL_OK;
}

static void refuses_to_save(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_module *m, *custom, *shared = linear(cx, 2, 2, 1);
  const char *path = test_write_text("old.safetensors", "old");
  int files = test_count_files();
  assert_works(cx, mlpl_module_custom(cx, &custom, &(mlpl_custom){.name = "ReLU", .forward = custom_forward}));
  m = sequence(cx, &custom, 1);
  assert_fails(cx, mlpl_module_save(cx, m, path), MLPL_EARG,
      "save: a layer of your own (ReLU) cannot be saved, a file names kinds of nn; save the "
      "parameters by themselves and build the model in code");
  mlpl_module_release(m);
  m = sequence(cx, (mlpl_module *[]){shared, mlpl_module_retain(shared)}, 2);
  assert_fails(cx, mlpl_module_save(cx, m, path), MLPL_EARG,
      "save: 0.weight and 1.weight are the same tensor; a model that uses a layer twice cannot be saved");
  mlpl_module_release(m);
  m = layer(cx, "ReLU", NULL);
  for (int i = 0; i < 29; i++) m = sequence(cx, &m, 1);
  assert_works(cx, mlpl_module_save(cx, m, test_path("deep.safetensors")));
  mlpl_module *loaded;
  assert_works(cx, mlpl_module_load(cx, &loaded, test_path("deep.safetensors")));
  mlpl_module_release(loaded);
  m = sequence(cx, &m, 1);
  assert_fails(cx, mlpl_module_save(cx, m, path), MLPL_EARG, "save: layers are nested more than 30 deep");
  mlpl_module_release(m);
  m = linear(cx, 1, 1, 1);
  assert_fails(cx, mlpl_module_save(cx, m, "/dev/null"), MLPL_EIO,
      "cannot write /dev/null: it is a device or a pipe, not a file");
  mlpl_module_release(m);
  size_t n;
  unsigned char *old = test_read(path, &n);
  assert_string_equal((char *)old, "old");
  free(old);
  assert_int_equal(test_count_files(), files + 1);
  test_close(cx);
}

/* ---- files that lie ------------------------------------------------------------------------------------ */

#define LINEAR(in, out, more) "{'kind':'Linear','params':{'in_features':" in ",'out_features':" out more "}}"

typedef struct tensor_entry {
  const char *name;
  int64_t rows, columns; /* columns 0: one axis */
} tensor_entry;

/* Load a file with this architecture (its quotes are ') and these tensors, all of one type. */
static mlpl_status load_made(mlpl_ctx *cx, const char *arch, const char *type, const tensor_entry *t, int n) {
  char header[8192] = "{", *p = header + 1;
  size_t at = 0, size = strcmp(type, "F64") == 0 || strcmp(type, "I64") == 0 ? 8 : strcmp(type, "F16") == 0 ? 2 : 4;
  if (arch) {
    p += sprintf(p, "\"__metadata__\":{\"mlpl.model\":\"");
    for (; *arch; arch++) p += sprintf(p, *arch == '\'' ? "\\\"" : "%c", *arch);
    p += sprintf(p, "\"}%s", n ? "," : "");
  }
  for (int i = 0; i < n; i++) {
    size_t bytes = size * (size_t)(t[i].rows * (t[i].columns ? t[i].columns : 1));
    p += sprintf(p, t[i].columns ? "\"%s\":{\"dtype\":\"%s\",\"shape\":[%lld,%lld]," : "\"%s\":{\"dtype\":\"%s\",\"shape\":[%lld],",
        t[i].name, type, (long long)t[i].rows, (long long)t[i].columns);
    p += sprintf(p, "\"data_offsets\":[%zu,%zu]}%s", at, at + bytes, i + 1 < n ? "," : "");
    at += bytes;
  }
  p += sprintf(p, "}");
  const size_t length = (size_t)(p - header);
  unsigned char *file = calloc(8 + length + at, 1);
  for (int i = 0; i < 8; i++) file[i] = (unsigned char)(length >> 8 * i);
  memcpy(file + 8, header, length);
  mlpl_module *m;
  mlpl_status status = mlpl_module_load_memory(cx, &m, file, 8 + length + at);
  free(file);
  assert_true((status == MLPL_OK) == (m != NULL));
  mlpl_module_release(m);
  return status;
}

static void refuses_architectures(void **state) {
  (void)state;
  static const tensor_entry fit[] = {{"weight", 2, 3}, {"bias", 2, 0}};
  static const struct {
    const char *arch, *error;
  } cases[] = {
      {"", "model in memory: JSON: expected a value at byte 0"},
      {"{'kind':'Linear'", "model in memory: JSON: expected ',' or '}'"},
      {"[]", "model in memory: architecture: a layer is no object"},
      {"{}", "architecture: a layer has no kind"},
      {"{'kind':1}", "architecture: a layer has no kind"},
      {"{'kind':'Linear','kind':'Linear'}", "JSON: the name 'kind' appears twice"},
      {"{'kind':'Lua','code':'os.exit()'}", "architecture: a layer: code is not understood"},
      {"{'kind':'Evil'}", "model in memory: architecture: module: there is no layer 'Evil'"},
      {"{'kind':'custom'}", "there is no layer 'custom'"},
      {"{'kind':'Evil','params':{'x':1}}", "there is no layer 'Evil'"},
      {"{'kind':'Linear'}", "architecture: Linear: in_features is missing"},
      {"{'kind':'Linear','params':[]}", "architecture: Linear has params that are no object"},
      {"{'kind':'Linear','params':{'in_features':3}}", "architecture: Linear: out_features is missing"},
      {LINEAR("3", "2", ",'evil':1"), "architecture: Linear: unknown option 'evil'"},
      {LINEAR("3", "2", ",'bias':1"), "architecture: Linear: bias is neither true nor false"},
      {LINEAR("3", "2", ",'bias':null"), "architecture: Linear: bias is neither true nor false"},
      {LINEAR("3", "'2'", ""), "architecture: Linear: out_features is not a whole number"},
      {LINEAR("3", "2.5", ""), "architecture: Linear: out_features is not a whole number"},
      {LINEAR("3", "[2]", ""), "architecture: Linear: out_features is not a whole number"},
      {LINEAR("3", "1e300", ""), "architecture: Linear: out_features is not a whole number"},
      {LINEAR("3", "9007199254740994", ""), "architecture: Linear: out_features is not a whole number"},
      {LINEAR("3", "-2", ""), "architecture: Linear: out_features"},
      {LINEAR("3", "-1e15", ""), "architecture: Linear: out_features"},
      {LINEAR("1099511627776", "1099511627776", ""), "architecture: Linear asks for more parameters than the file holds"},
      {LINEAR("0", "1099511627776", ""), "architecture: Linear asks for more parameters than the file holds"},
      {LINEAR("1099511627776", "1", ""), "architecture: Linear asks for more parameters than the file holds"},
      {LINEAR("4294967296", "4294967296", ""), "architecture: Linear asks for more parameters than the file holds"},
      {LINEAR("3", "3", ""), "architecture: Linear asks for more parameters than the file holds"},
      {"{'kind':'Sequential','children':[" LINEAR("3", "2", "") "," LINEAR("3", "2", "") "]}",
          "architecture: Linear asks for more parameters than the file holds"},
      {"{'kind':'Sequential'}", "architecture: Sequential has no children"},
      {"{'kind':'Sequential','children':{}}", "architecture: Sequential has children that are no list"},
      {"{'kind':'Sequential','children':[1]}", "architecture: a layer is no object"},
      {"{'kind':'Sequential','params':{},'children':[]}", "architecture: Sequential takes no params"},
      {"{'kind':'Linear','children':[]}", "architecture: Linear takes no children"},
      {"{'kind':'Sequential','children':[{'kind':'MSELoss'}]}", "architecture: Sequential: layer 0 is MSELoss"},
      {"{'kind':'Dropout','params':{'p':2}}", "architecture: Dropout: p"},
      {"{'kind':'Dropout','params':{'p':true}}", "architecture: Dropout: p is not a number"},
      {"{'kind':'MSELoss','params':{'reduction':'median'}}", "architecture: MSELoss: reduction"},
      {"{'kind':'MSELoss','params':{'reduction':0}}", "architecture: MSELoss: reduction is not a text"},
      {"{'kind':'Linear','params':{'a':1,'b':1,'c':1,'d':1,'e':1,'f':1,'g':1,'h':1,'i':1,'j':1,'k':1,'l':1,'m':1}}",
          "architecture: Linear has too many params"},
      {"{'kind':'ReLU'}", "tensor 'bias' belongs to no layer of the architecture"},
      {LINEAR("3", "2", ",'bias':false"), "tensor 'bias' belongs to no layer of the architecture"},
      {LINEAR("2", "3", ""), "tensor 'weight' is [2x3], but the architecture makes it [3x2]"},
      {LINEAR("6", "1", ""), "tensor 'weight' is [2x3], but the architecture makes it [1x6]"},
      {"{'kind':'Sequential','children':[" LINEAR("3", "2", "") "]}", "tensor '0.weight' is missing"},
  };
  mlpl_ctx *cx = test_open(0);
  assert_works(cx, load_made(cx, LINEAR("3", "2", ""), "F32", fit, 2));
  assert_works(cx, load_made(cx, "{ 'params' : {'out_features':2,'in_features':3.0e0} , 'kind':'Linear' }", "F32", fit, 2));
  for (int i = 0; i < COUNT(cases); i++) {
    mlpl_memory_reset_peak(cx);
    assert_fails(cx, load_made(cx, cases[i].arch, "F32", fit, 2), MLPL_EFORMAT, cases[i].error);
    assert_true(mlpl_memory_use(cx).peak < 1 << 20);
  }
  test_close(cx);
}

static void refuses_tensors(void **state) {
  (void)state;
  static const tensor_entry fit[] = {{"weight", 2, 3}, {"bias", 2, 0}, {"more", 1, 0}}, flat[] = {{"weight", 6, 0}, {"bias", 2, 0}};
  const char *arch = LINEAR("3", "2", "");
  mlpl_ctx *cx = test_open(0);
  assert_works(cx, load_made(cx, arch, "F64", fit, 2));
  assert_fails(cx, load_made(cx, NULL, "F32", fit, 2), MLPL_EFORMAT,
      "model in memory holds 2 tensors but no architecture (metadata \"mlpl.model\"), so it cannot be loaded as a whole");
  assert_fails(cx, load_made(cx, arch, "F16", fit, 2), MLPL_EFORMAT,
      "model in memory: tensor 'bias' is neither F32 nor F64, as parameters are");
  assert_fails(cx, load_made(cx, arch, "I64", fit, 2), MLPL_EFORMAT, "is neither F32 nor F64");
  assert_fails(cx, load_made(cx, arch, "F32", fit, 1), MLPL_EFORMAT, "model in memory: tensor 'bias' is missing");
  assert_fails(cx, load_made(cx, arch, "F32", fit, 3), MLPL_EFORMAT, "tensor 'more' belongs to no layer");
  assert_fails(cx, load_made(cx, arch, "F32", flat, 2), MLPL_EFORMAT,
      "tensor 'weight' is [6], but the architecture makes it [2x3]");
  assert_fails(cx, load_made(cx, arch, "F32", NULL, 0), MLPL_EFORMAT, "asks for more parameters than the file holds");
  mlpl_module *m;
  assert_fails(cx, mlpl_module_load(cx, &m, test_path("none")), MLPL_EIO, "none: No such file or directory");
  assert_fails(cx, mlpl_module_load(cx, &m, "/tmp"), MLPL_EIO, "cannot read /tmp: Is a directory");
  assert_fails(cx, mlpl_module_load(cx, &m, test_write_text("text", "a text, not a model")), MLPL_EFORMAT,
      "this is not a safetensors file; model:save writes one");
  assert_fails(cx, mlpl_module_load_memory(cx, &m, NULL, 0), MLPL_EFORMAT, "0 bytes are too short");
  assert_null(m);
  test_close(cx);
}

/* ---- damage and shortage ------------------------------------------------------------------------------------ */

/* An error, or a model that runs. */
static void load_damaged(mlpl_ctx *cx, const unsigned char *bytes, size_t n, bool may_work) {
  unsigned char *copy = malloc(n + !n);
  memcpy(copy, bytes, n);
  mlpl_module *m;
  mlpl_status status = mlpl_module_load_memory(cx, &m, copy, n);
  free(copy);
  assert_true(status == MLPL_EFORMAT || (status == MLPL_OK && may_work));
  if (!m) return;
  mlpl_tensor *x, *y = NULL;
  assert_works(cx, mlpl_tensor_full(cx, &x, MLPL_F32, 2, (int64_t[]){2, 3}, .5));
  mlpl_predict(cx, m, &y, x);
  mlpl_tensor_release(x);
  mlpl_tensor_release(y);
  mlpl_module_release(m);
}

static void damage_does_no_harm(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_module *m = small_net(cx);
  const char *path = test_path("whole.safetensors");
  assert_works(cx, mlpl_module_save(cx, m, path));
  mlpl_module_release(m);
  size_t n;
  unsigned char *p = test_read(path, &n);
  for (size_t cut = 0; cut < n; cut++) load_damaged(cx, p, cut, false);
  for (size_t i = 0; i < 8 * n; i++) {
    p[i / 8] ^= (unsigned char)(1 << i % 8);
    load_damaged(cx, p, n, true);
    p[i / 8] ^= (unsigned char)(1 << i % 8);
  }
  free(p);
  test_close(cx);
}

static mlpl_status task(mlpl_ctx *cx, void *path) {
  mlpl_module *child[3] = {NULL}, *m = NULL, *loaded = NULL;
  static const mlpl_arg args[] = {{.name = "in_features", .value = 3}, {.name = "out_features", .value = 2}, {0}};
  mlpl_status s = mlpl_module_new(cx, &child[0], "Linear", args);
  if (s == MLPL_OK) s = mlpl_module_new(cx, &child[1], "Tanh", NULL);
  if (s == MLPL_OK) s = mlpl_module_new(cx, &child[2], "Flatten", NULL);
  if (s == MLPL_OK) s = mlpl_sequential_new(cx, &m, child, 3);
  if (s == MLPL_OK) s = mlpl_module_to(cx, m, MLPL_F64);
  if (s == MLPL_OK) s = mlpl_module_save(cx, m, path);
  if (s == MLPL_OK) s = mlpl_module_load(cx, &loaded, path);
  for (int i = 0; i < 3; i++) mlpl_module_release(child[i]);
  mlpl_module_release(m);
  mlpl_module_release(loaded);
  return s;
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  char path[1024];
  snprintf(path, sizeof path, "%s", test_path("task.safetensors"));
  int files = test_count_files();
  test_every_failure(task, path);
  assert_int_equal(test_count_files(), files + 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(comes_back_as_it_was),
      cmocka_unit_test(every_kind_can_be_saved),
      cmocka_unit_test(names_and_metadata),
      cmocka_unit_test(refuses_to_save),
      cmocka_unit_test(refuses_architectures),
      cmocka_unit_test(refuses_tensors),
      cmocka_unit_test(damage_does_no_harm),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests_name("model files", tests, test_folder_make, test_folder_remove);
}
