#include "base/buffer.h"

mlpl_status mlpli_buffer_grow(mlpli_buffer *b, size_t extra) {
  size_t need, room;
  if (!mlpli_add(b->n, extra, &need)) return mlpli_no_memory(b->cx, b->what, SIZE_MAX);
  if (!mlpli_mul(b->room, 2, &room) || room < need) room = need;
  if (room < 256) room = 256;
  char *p = mlpli_realloc(b->cx->heap, b->p, room);
  if (!p && room > need) p = mlpli_realloc(b->cx->heap, b->p, room = need);
  if (!p) return mlpli_no_memory(b->cx, b->what, need);
  b->p = p;
  b->room = room;
  return MLPL_OK;
}

void mlpli_buffer_free(mlpli_buffer *b) {
  mlpli_free(b->cx->heap, b->p);
  b->p = NULL;
  b->n = b->room = 0;
}

/* Heap sort: let the element at `i` sink to its place among the first n. */
static void sink(int64_t *v, int64_t i, int64_t n, mlpli_less *less, const void *ud) {
  int64_t moved = v[i];
  for (int64_t child; (child = 2 * i + 1) < n; i = child) {
    if (child + 1 < n && less(ud, v[child], v[child + 1])) child++;
    if (!less(ud, moved, v[child])) break;
    v[i] = v[child];
  }
  v[i] = moved;
}

void mlpli_sort(int64_t *v, int64_t n, mlpli_less *less, const void *ud) {
  for (int64_t i = n / 2; i-- > 0;) sink(v, i, n, less, ud);
  for (int64_t last = n - 1; last > 0; last--) {
    int64_t top = v[0];
    v[0] = v[last];
    v[last] = top;
    sink(v, 0, last, less, ud);
  }
}
