/* Models in files: safetensors with the architecture in the metadata. */
#include "io/model.h"
#include "io/safetensors.h"

#define NAME_BYTES                                                                       \
  512 /* of a parameter's name: 30 levels, each up to 11 characters, and its own */

/* ---- saving ------------------------------------------------------------------------ */

typedef struct saver {
  mlpl_ctx *cx;
  const mlpl_module *m;
  int n;
  mlpli_st_item *items;
  mlpli_buffer names, arch;
} saver;

/* Loading would make two layers of one that appears twice, so the model would train
   differently. */
static mlpl_status check_shared(const saver *s) {
  for (int i = 0; i < s->n; i++)
    for (int j = 0; j < i; j++)
      if (s->items[i].tensor == s->items[j].tensor)
        return mlpl_fail(s->cx, MLPL_EARG,
            "save: %s and %s are the same tensor; a model that uses a layer twice cannot "
            "be saved",
            s->items[j].name, s->items[i].name);
  return MLPL_OK;
}

static mlpl_status collect(saver *s) {
  size_t n_names;
  MLPL_TRY(mlpli_new(s->cx, &s->items, (size_t)s->n * sizeof *s->items, "save"));
  if (!mlpli_mul((size_t)s->n, NAME_BYTES, &n_names))
    return mlpli_no_memory(s->cx, "save", SIZE_MAX);
  MLPL_TRY(mlpli_buffer_reserve(&s->names, n_names));
  for (int i = 0; i < s->n; i++) {
    char *name = s->names.p + (size_t)i * NAME_BYTES;
    size_t length = mlpl_module_parameter_name(s->m, i, name, NAME_BYTES);
    MLPL_ASSERT(length < NAME_BYTES);
    (void)length;
    s->items[i] = (mlpli_st_item){name, mlpl_module_parameter(s->m, i)};
  }
  return check_shared(s);
}

mlpl_status mlpl_module_save(mlpl_ctx *cx, const mlpl_module *m, const char *path) {
  saver s = {.cx = cx, .m = m, .n = mlpl_module_n_parameters(m)};
  s.names = s.arch = mlpli_buffer_of(cx, "save");
  mlpl_status status = mlpli_arch_write(&s.arch, m);
  if (status == MLPL_OK) status = collect(&s);
  if (status == MLPL_OK) {
    const mlpli_st_text metadata[] = {
        {"format", "pt"}, {"mlpl.version", MLPL_VERSION}, {"mlpl.model", s.arch.p}};
    status = mlpli_st_write(cx, path, s.items, s.n, metadata, 3);
  }
  mlpli_buffer_free(&s.arch);
  mlpli_buffer_free(&s.names);
  mlpli_free(cx->heap, s.items);
  return status;
}

/* ---- loading ----------------------------------------------------------------------- */

static mlpl_status bad_tensor(
    mlpl_ctx *cx, const mlpli_st *st, const char *name, const char *problem) {
  return mlpl_fail(
      cx, MLPL_EFORMAT, "%s: tensor '%.100s' %s", mlpli_st_where(st), name, problem);
}

/* The dtype of the model: that of its tensors, which is one. */
static mlpl_status find_dtype(
    mlpl_ctx *cx, const mlpli_st *st, mlpl_dtype *dtype, uint64_t *elements) {
  const char *type = NULL;
  *elements = 0;
  *dtype = MLPL_F32;
  for (int64_t i = 0; i < mlpli_st_count(st); i++) {
    const char *found = mlpli_st_type(st, i);
    if (strcmp(found, "F32") != 0 && strcmp(found, "F64") != 0)
      return bad_tensor(
          cx, st, mlpli_st_name(st, i), "is neither F32 nor F64, as parameters are");
    if (type && strcmp(type, found) != 0)
      return bad_tensor(
          cx, st, mlpli_st_name(st, i), "has another dtype than those before it");
    type = found;
    /* no more than the file has bytes */
    *elements += (uint64_t)mlpli_st_at(st, i)->numel;
  }
  if (type && strcmp(type, "F64") == 0) *dtype = MLPL_F64;
  return MLPL_OK;
}

static mlpl_status check_shape(mlpl_ctx *cx, const mlpli_st *st, const mlpli_st_entry *e,
    const char *name, const mlpl_tensor *p) {
  char found[MLPLI_SHAPE_TEXT], wanted[MLPLI_SHAPE_TEXT];
  if (e->ndim == p->ndim &&
      memcmp(e->shape, p->shape, (size_t)p->ndim * sizeof *p->shape) == 0)
    return MLPL_OK;
  return mlpl_fail(cx, MLPL_EFORMAT,
      "%s: tensor '%.100s' is %s, but the architecture makes it %s", mlpli_st_where(st),
      name, mlpli_shape_text(found, e->ndim, e->shape), mlpli_tensor_text(wanted, p));
}

static mlpl_status fill_parameter(
    mlpl_ctx *cx, const mlpli_st *st, mlpl_tensor *p, const char *name, bool *used) {
  int64_t i = mlpli_st_find(st, name);
  if (i < 0) return bad_tensor(cx, st, name, "is missing");
  mlpl_tensor *t;
  MLPL_TRY(check_shape(cx, st, mlpli_st_at(st, i), name, p));
  MLPL_TRY(mlpli_st_tensor(st, &t, i));
  mlpli_copy(p, t);
  mlpl_tensor_release(t);
  used[i] = true;
  return MLPL_OK;
}

static mlpl_status fill_all(
    mlpl_ctx *cx, const mlpli_st *st, mlpl_module *m, bool *used) {
  char name[NAME_BYTES];
  for (int i = 0; i < mlpl_module_n_parameters(m); i++) {
    mlpl_module_parameter_name(m, i, name, sizeof name);
    MLPL_TRY(fill_parameter(cx, st, mlpl_module_parameter(m, i), name, used));
  }
  for (int64_t i = 0; i < mlpli_st_count(st); i++)
    if (!used[i])
      return bad_tensor(
          cx, st, mlpli_st_name(st, i), "belongs to no layer of the architecture");
  return MLPL_OK;
}

/* The file's tensors are the model's parameters, no more, no less. */
static mlpl_status fill(
    mlpl_ctx *cx, const mlpli_st *st, mlpl_module *m, mlpl_dtype dtype) {
  bool *used;
  if (dtype == MLPL_F64) MLPL_TRY(mlpl_module_to(cx, m, dtype));
  MLPL_TRY(mlpli_new(cx, &used, (size_t)mlpli_st_count(st) * sizeof *used, "load"));
  mlpl_status status = fill_all(cx, st, m, used);
  mlpli_free(cx->heap, used);
  return status;
}

static mlpl_status load(mlpl_ctx *cx, mlpl_module **m, const mlpli_st *st) {
  size_t n;
  mlpl_dtype dtype;
  uint64_t elements;
  const char *arch = mlpli_st_metadata(st, "mlpl.model", &n);
  if (!arch)
    return mlpl_fail(cx, MLPL_EFORMAT,
        "%s holds %lld tensors but no architecture (metadata \"mlpl.model\"), so it "
        "cannot be loaded as a whole model; build the model in code, read the tensors "
        "alone (mlpl.load) and copy them into its parameters (copy_)",
        mlpli_st_where(st), (long long)mlpli_st_count(st));
  MLPL_TRY(find_dtype(cx, st, &dtype, &elements));
  MLPL_TRY(mlpli_arch_build(cx, m, mlpli_st_where(st), arch, n, elements));
  mlpl_status status = fill(cx, st, *m, dtype);
  if (status == MLPL_OK) return MLPL_OK;
  mlpl_module_release(*m);
  *m = NULL;
  return status;
}

mlpl_status mlpl_module_load(mlpl_ctx *cx, mlpl_module **m, const char *path) {
  mlpli_st *st;
  *m = NULL;
  MLPL_TRY(mlpli_st_read(cx, &st, path));
  mlpl_status status = load(cx, m, st);
  mlpli_st_close(st);
  return status;
}

mlpl_status mlpl_module_load_memory(
    mlpl_ctx *cx, mlpl_module **m, const void *bytes, size_t n) {
  mlpli_st *st;
  *m = NULL;
  MLPL_TRY(mlpli_st_read_memory(cx, &st, "model in memory", bytes, n));
  mlpl_status status = load(cx, m, st);
  mlpli_st_close(st);
  return status;
}
