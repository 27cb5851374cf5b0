/* Lists of named tensors, and the safetensors files that hold them. */
#include "io/tensors.h"

#include "io/json.h"
#include "io/safetensors.h"

static mlpl_named *item_at(const mlpl_tensors *list, int64_t i) {
  return (mlpl_named *)(void *)list->items.p + i;
}

mlpl_status mlpli_tensors_new(mlpl_ctx *cx, mlpl_tensors **list) {
  MLPL_TRY(mlpli_new(cx, list, sizeof **list, "load"));
  **list = (mlpl_tensors){.cx = cx, .items = mlpli_buffer_of(cx, "load")};
  mlpli_ctx_retain(cx);
  return MLPL_OK;
}

mlpl_status mlpli_tensors_add(
    mlpl_tensors *list, const char *name, size_t n, mlpl_tensor *t) {
  char *copy;
  MLPL_TRY(mlpli_new(list->cx, &copy, n + 1, "load"));
  memcpy(copy, name, n);
  copy[n] = '\0';
  mlpl_named item = {copy, t};
  mlpl_status status = mlpli_buffer_add(&list->items, &item, sizeof item);
  if (status == MLPL_OK)
    mlpli_retain(t);
  else
    mlpli_free(list->cx->heap, copy);
  return status;
}

int64_t mlpl_tensors_count(const mlpl_tensors *list) {
  return (int64_t)(list->items.n / sizeof(mlpl_named));
}

const mlpl_named *mlpl_tensors_at(const mlpl_tensors *list, int64_t i) {
  return i >= 0 && i < mlpl_tensors_count(list) ? item_at(list, i) : NULL;
}

mlpl_tensor *mlpl_tensors_find(const mlpl_tensors *list, const char *name) {
  for (int64_t i = 0; i < mlpl_tensors_count(list); i++)
    if (strcmp(item_at(list, i)->name, name) == 0) return item_at(list, i)->tensor;
  return NULL;
}

void mlpl_tensors_release(mlpl_tensors *list) {
  if (!list) return;
  mlpl_ctx *cx = list->cx;
  for (int64_t i = 0; i < mlpl_tensors_count(list); i++) {
    mlpli_free(cx->heap, (void *)(uintptr_t)item_at(list, i)->name);
    mlpl_tensor_release(item_at(list, i)->tensor);
  }
  mlpli_buffer_free(&list->items);
  mlpli_free(cx->heap, list);
  mlpli_ctx_release(cx);
}

/* ---- what is to be written --------------------------------------------------------- */

static bool name_less(const void *ud, int64_t a, int64_t b) {
  const mlpl_named *items = ud;
  return strcmp(items[a].name, items[b].name) < 0;
}

static mlpl_status check_twice(
    mlpl_ctx *cx, const char *what, const mlpl_named *items, int64_t n) {
  int64_t *order;
  mlpl_status status = MLPL_OK;
  MLPL_TRY(mlpli_new(cx, &order, (size_t)n * sizeof *order, what));
  for (int64_t i = 0; i < n; i++) order[i] = i;
  mlpli_sort(order, n, name_less, items);
  for (int64_t i = 1; i < n && status == MLPL_OK; i++)
    if (!name_less(items, order[i - 1], order[i]))
      status = mlpl_fail(cx, MLPL_EARG, "%s: the name '%.80s' appears twice", what,
          items[order[i]].name);
  mlpli_free(cx->heap, order);
  return status;
}

mlpl_status mlpli_named_check(
    mlpl_ctx *cx, const char *what, const mlpl_named *items, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    size_t at;
    if (!items[i].name || !items[i].tensor)
      return mlpl_fail(cx, MLPL_EARG, "%s: item %lld has no %s", what,
          (long long)(i + cx->index_base), items[i].name ? "tensor" : "name");
    if (!mlpli_utf8_valid(items[i].name, strlen(items[i].name), &at))
      return mlpl_fail(cx, MLPL_EARG, "%s: the name of item %lld is not UTF-8", what,
          (long long)(i + cx->index_base));
  }
  return check_twice(cx, what, items, n);
}

/* ---- safetensors ------------------------------------------------------------------- */

static mlpl_status read_all(mlpl_tensors *list, const mlpli_st *st) {
  for (int64_t i = 0; i < mlpli_st_count(st); i++) {
    mlpl_tensor *t;
    const char *name = mlpli_st_name(st, i);
    MLPL_TRY(mlpli_st_tensor(st, &t, i));
    mlpl_status status = mlpli_tensors_add(list, name, strlen(name), t);
    mlpl_tensor_release(t);
    if (status != MLPL_OK) return status;
  }
  return MLPL_OK;
}

mlpl_status mlpl_safetensors_read(mlpl_ctx *cx, mlpl_tensors **list, const char *path) {
  mlpli_st *st;
  *list = NULL;
  MLPL_TRY(mlpli_st_read(cx, &st, path));
  mlpl_status status = mlpli_tensors_new(cx, list);
  if (status == MLPL_OK) status = read_all(*list, st);
  mlpli_st_close(st);
  if (status == MLPL_OK) return MLPL_OK;
  mlpl_tensors_release(*list);
  *list = NULL;
  return status;
}

mlpl_status mlpl_safetensors_write(
    mlpl_ctx *cx, const mlpl_named *items, int64_t n, const char *path) {
  mlpli_st_item *list;
  MLPL_TRY(mlpli_named_check(cx, "safetensors", items, n));
  MLPL_TRY(mlpli_new(cx, &list, (size_t)n * sizeof *list, "safetensors"));
  for (int64_t i = 0; i < n; i++)
    list[i] = (mlpli_st_item){items[i].name, items[i].tensor};
  /* "pt" is what the loaders of others insist on */
  mlpl_status status = mlpli_st_write(
      cx, path, list, n, &(mlpli_st_text){"format", "pt"}, 1);
  mlpli_free(cx->heap, list);
  return status;
}
