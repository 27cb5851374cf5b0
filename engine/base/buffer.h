/*
** A growing array of bytes from the context's heap, for whatever has no size beforehand.
** Internal.
*/
#ifndef MLPLI_BUFFER_H
#define MLPLI_BUFFER_H

#include "base/base.h"

#include <string.h>

typedef struct mlpli_buffer {
  mlpl_ctx *cx;
  const char *what; /* for the text of a failure: "csv" */
  char *p;          /* may be NULL while nothing was reserved */
  size_t n, room;   /* bytes in use, bytes there */
} mlpli_buffer;

static inline mlpli_buffer mlpli_buffer_of(mlpl_ctx *cx, const char *what) {
  return (mlpli_buffer){.cx = cx, .what = what};
}

/* Have room for `extra` bytes more; at least doubles when it grows. On failure all is as
   it was. */
mlpl_status mlpli_buffer_grow(mlpli_buffer *b, size_t extra);

static inline mlpl_status mlpli_buffer_reserve(mlpli_buffer *b, size_t extra) {
  return b->room - b->n >= extra && b->p ? MLPL_OK : mlpli_buffer_grow(b, extra);
}

static inline mlpl_status mlpli_buffer_add(mlpli_buffer *b, const void *bytes, size_t n) {
  MLPL_TRY(mlpli_buffer_reserve(b, n));
  if (n) memcpy(b->p + b->n, bytes, n);
  b->n += n;
  return MLPL_OK;
}

void mlpli_buffer_free(mlpli_buffer *b);

/*
** Sort an array of numbers that stand for something. less(ud, a, b): a comes before b. In
** place and without recursion, so that no input makes it slow or deep (qsort may allocate
** outside the heap).
*/
typedef bool mlpli_less(const void *ud, int64_t a, int64_t b);
void mlpli_sort(int64_t *index, int64_t n, mlpli_less *less, const void *ud);

#endif
