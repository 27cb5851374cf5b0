/* Writing safetensors as the reference writer lays them out. */
#include "io/json.h"
#include "io/safetensors.h"
#include "io/st_types.h"

typedef struct plan {
  mlpl_ctx *cx;
  const mlpli_st_item *items;
  int64_t n;
  int64_t *order; /* of the items in the file */
  mlpli_buffer header;
} plan;

/* Widest type first, so that every tensor is aligned to its elements; then by name. */
static bool comes_before(const void *ud, int64_t a, int64_t b) {
  const mlpli_st_item *x = &((const plan *)ud)->items[a],
                      *y = &((const plan *)ud)->items[b];
  mlpli_st_code tx = mlpli_st_type_of(x->tensor->dtype),
                ty = mlpli_st_type_of(y->tensor->dtype);
  return tx != ty ? tx > ty : strcmp(x->name, y->name) < 0;
}

static bool name_before(const void *ud, int64_t a, int64_t b) {
  const plan *p = ud;
  return strcmp(p->items[a].name, p->items[b].name) < 0;
}

static size_t tensor_bytes(const mlpl_tensor *t) {
  return (size_t)t->numel * mlpli_dtype_size[t->dtype];
}

static mlpl_status arrange(plan *p) {
  MLPL_TRY(mlpli_new(p->cx, &p->order, (size_t)p->n * sizeof *p->order, "safetensors"));
  for (int64_t i = 0; i < p->n; i++) p->order[i] = i;
  mlpli_sort(p->order, p->n, name_before, p);
  for (int64_t i = 1; i < p->n; i++)
    if (!name_before(p, p->order[i - 1], p->order[i]))
      return mlpl_fail(p->cx, MLPL_EARG, "safetensors: the name '%.100s' appears twice",
          p->items[p->order[i]].name);
  mlpli_sort(p->order, p->n, comes_before, p);
  return MLPL_OK;
}

static mlpl_status put_metadata(mlpli_buffer *b, const mlpli_st_text *text, int n) {
  MLPL_TRY(mlpli_json_put(b, "\"__metadata__\":{"));
  for (int i = 0; i < n; i++) {
    if (i) MLPL_TRY(mlpli_json_put(b, ","));
    MLPL_TRY(mlpli_json_put_string(b, text[i].key, strlen(text[i].key)));
    MLPL_TRY(mlpli_json_put(b, ":"));
    MLPL_TRY(mlpli_json_put_string(b, text[i].value, strlen(text[i].value)));
  }
  return mlpli_json_put(b, "}");
}

static mlpl_status put_tensor(mlpli_buffer *b, const mlpli_st_item *item, size_t *at) {
  const mlpl_tensor *t = item->tensor;
  MLPL_TRY(mlpli_json_put_string(b, item->name, strlen(item->name)));
  MLPL_TRY(mlpli_json_put(b, ":{\"dtype\":\""));
  MLPL_TRY(mlpli_json_put(b, mlpli_st_types[mlpli_st_type_of(t->dtype)].name));
  MLPL_TRY(mlpli_json_put(b, "\",\"shape\":["));
  for (int d = 0; d < t->ndim; d++) {
    if (d) MLPL_TRY(mlpli_json_put(b, ","));
    MLPL_TRY(mlpli_json_put_int(b, t->shape[d]));
  }
  MLPL_TRY(mlpli_json_put(b, "],\"data_offsets\":["));
  MLPL_TRY(mlpli_json_put_int(b, (int64_t)*at));
  MLPL_TRY(mlpli_json_put(b, ","));
  *at += tensor_bytes(t);
  MLPL_TRY(mlpli_json_put_int(b, (int64_t)*at));
  return mlpli_json_put(b, "]}");
}

static mlpl_status make_header(plan *p, const mlpli_st_text *metadata, int n_metadata) {
  mlpli_buffer *b = &p->header;
  size_t at = 0;
  MLPL_TRY(mlpli_json_put(b, "{"));
  if (n_metadata) MLPL_TRY(put_metadata(b, metadata, n_metadata));
  for (int64_t i = 0; i < p->n; i++) {
    if (i || n_metadata) MLPL_TRY(mlpli_json_put(b, ","));
    MLPL_TRY(put_tensor(b, &p->items[p->order[i]], &at));
  }
  MLPL_TRY(mlpli_json_put(b, "}"));
  while (b->n % 8) MLPL_TRY(mlpli_json_put(b, " "));
  if (b->n <= MLPLI_ST_HEADER) return MLPL_OK;
  return mlpl_fail(
      p->cx, MLPL_EARG, "safetensors: a header of %zu bytes is too large", b->n);
}

static mlpl_status write_tensor(mlpl_ctx *cx, mlpli_writer *w, const mlpl_tensor *t) {
  mlpl_tensor *whole;
  MLPL_TRY(mlpli_tensor_contiguous(cx, &whole, t));
  mlpl_status status = mlpli_writer_write(cx, w, whole->data, tensor_bytes(whole));
  mlpl_tensor_release(whole);
  return status;
}

static mlpl_status write_all(plan *p, mlpli_writer *w) {
  unsigned char length[8];
  for (int i = 0; i < 8; i++) length[i] = (unsigned char)((uint64_t)p->header.n >> 8 * i);
  MLPL_TRY(mlpli_writer_write(p->cx, w, length, sizeof length));
  MLPL_TRY(mlpli_writer_write(p->cx, w, p->header.p, p->header.n));
  for (int64_t i = 0; i < p->n; i++)
    MLPL_TRY(write_tensor(p->cx, w, p->items[p->order[i]].tensor));
  return MLPL_OK;
}

static mlpl_status write_file(plan *p, const char *path) {
  mlpli_writer *w;
  MLPL_TRY(mlpli_writer_open(p->cx, &w, path));
  mlpl_status status = write_all(p, w);
  if (status == MLPL_OK) return mlpli_writer_commit(p->cx, w);
  mlpli_writer_abandon(w);
  return status;
}

mlpl_status mlpli_st_write(mlpl_ctx *cx, const char *path, const mlpli_st_item *items,
    int64_t n, const mlpli_st_text *metadata, int n_metadata) {
  plan p = {
      .cx = cx, .items = items, .n = n, .header = mlpli_buffer_of(cx, "safetensors")};
  mlpl_status status = arrange(&p);
  if (status == MLPL_OK) status = make_header(&p, metadata, n_metadata);
  if (status == MLPL_OK) status = write_file(&p, path);
  mlpli_buffer_free(&p.header);
  mlpli_free(cx->heap, p.order);
  return status;
}
