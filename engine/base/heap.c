/*
** The heap: every byte of the engine, taken from the host's allocator in blocks of few
** sizes and kept for reuse, so that a training loop in its stride asks the host for
** nothing.
**
** A block is a header, padding and then 64-byte aligned memory. Sizes are rounded up to 8
** steps per power of two (at most 12.5 % lost), so a freed block fits the next request of
** about its size. Sanitizers find nothing in recycled memory, so under them every block
** goes straight back.
*/
#include "base/base.h"

#include <string.h>

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define KEEP_BLOCKS 0
#else
#define KEEP_BLOCKS 1
#endif

#define FLOOR ((size_t)64 << 20) /* bytes that may be cached whatever the peak was */

typedef struct mlpli_block {
  size_t bytes;             /* usable */
  size_t taken;             /* asked of the host */
  void *base;               /* as the host gave it */
  int bin;                  /* -1: never cached */
  struct mlpli_block *next; /* in its bin */
} block;

_Static_assert(
    sizeof(block) <= MLPLI_ALIGN, "the header fits in front of aligned memory");

static block *header(const void *p) {
  return (block *)((char *)(uintptr_t)p - MLPLI_ALIGN);
}
static void *memory(block *b) { return (char *)b + MLPLI_ALIGN; }

/* Round *bytes up to its size class and return the class, or -1 when it has none. */
static int size_class(size_t *bytes) {
  size_t n = (*bytes + 63) / 64; /* in units of 64 bytes */
  if (n <= 16) {
    n = n ? n : 1;
    *bytes = n * 64;
    return (int)n - 1;
  }
  int log = 63 - __builtin_clzll((unsigned long long)(n - 1)); /* n - 1 >= 16: log >= 4 */
  size_t step = (size_t)1 << (log - 3);
  n = (n + step - 1) / step * step;
  if (n > SIZE_MAX / 256) return -1;
  *bytes = n * 64;
  log = 63 - __builtin_clzll((unsigned long long)n);
  int bin = 16 + (log - 4) * 8 + (int)((n >> (log - 3)) & 7);
  return bin < MLPLI_N_BINS ? bin : -1;
}

static void give_back(mlpli_heap *heap, block *b) {
  heap->host.free(heap->host.ud, b->base, b->taken);
}

void mlpli_heap_trim(mlpli_heap *heap) {
  for (int i = 0; i < MLPLI_N_BINS; i++) {
    block *b = heap->bin[i];
    heap->bin[i] = NULL;
    while (b) {
      block *next = b->next;
      heap->cached -= b->bytes;
      give_back(heap, b);
      b = next;
    }
  }
}

static block *from_host(mlpli_heap *heap, size_t bytes, int bin) {
  size_t taken;
  if (!mlpli_add(bytes, 2 * MLPLI_ALIGN, &taken)) return NULL;
  heap->requests++;
  char *base = heap->host.alloc(heap->host.ud, taken);
  if (!base && heap->cached) {
    mlpli_heap_trim(heap);
    base = heap->host.alloc(heap->host.ud, taken);
  }
  if (!base) return NULL;
  uintptr_t at = ((uintptr_t)base + 2 * MLPLI_ALIGN - 1) / MLPLI_ALIGN * MLPLI_ALIGN;
  block *b = header((void *)at);
  b->base = base;
  b->taken = taken;
  b->bytes = bytes;
  b->bin = bin;
  return b;
}

void *mlpli_alloc(mlpli_heap *heap, size_t bytes) {
  if (bytes > SIZE_MAX / 2) return NULL;
  int bin = -1;
  if (KEEP_BLOCKS)
    bin = size_class(&bytes);
  else if (bytes == 0)
    bytes = 1;
  if (heap->limit &&
      bytes > heap->limit - (heap->live < heap->limit ? heap->live : heap->limit))
    return NULL;
  block *b = NULL;
  if (bin >= 0 && heap->bin[bin]) {
    b = heap->bin[bin];
    heap->bin[bin] = b->next;
    heap->cached -= b->bytes;
  }
  else if (!(b = from_host(heap, bytes, bin)))
    return NULL;
  heap->live += bytes;
  if (heap->live > heap->peak) heap->peak = heap->live;
  return memory(b);
}

void *mlpli_alloc_zeroed(mlpli_heap *heap, size_t bytes) {
  void *p = mlpli_alloc(heap, bytes);
  return p ? memset(p, 0, bytes) : NULL;
}

/*
** Cache a freed block as long as all that is held stays near the peak of what was needed
** at once. What goes beyond are sizes that are not asked for any more: they go, so that
** the present ones find room.
*/
void mlpli_free(mlpli_heap *heap, void *p) {
  if (!p) return;
  block *b = header(p);
  heap->live -= b->bytes;
  if (b->bin < 0) {
    give_back(heap, b);
    return;
  }
  if (heap->live + heap->cached + b->bytes > heap->peak + FLOOR) mlpli_heap_trim(heap);
  b->next = heap->bin[b->bin];
  heap->bin[b->bin] = b;
  heap->cached += b->bytes;
}

size_t mlpli_block_bytes(const void *p) { return header(p)->bytes; }

void *mlpli_realloc(mlpli_heap *heap, void *p, size_t bytes) {
  if (p && bytes <= header(p)->bytes) return p;
  void *q = mlpli_alloc(heap, bytes);
  if (!q) return NULL;
  if (p) memcpy(q, p, header(p)->bytes < bytes ? header(p)->bytes : bytes);
  mlpli_free(heap, p);
  return q;
}
