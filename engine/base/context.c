/* The context: everything that other libraries would keep in globals. */
#define _POSIX_C_SOURCE 200809L
#include "base/base.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void *host_alloc(void *ud, size_t bytes) {
  (void)ud;
  return malloc(bytes);
}

static void host_free(void *ud, void *p, size_t bytes) {
  (void)ud, (void)bytes;
  free(p);
}

static mlpl_status check_config(const mlpl_config *config) {
  if (config->threads < 0 || config->threads > 256) return MLPL_EARG;
  if (config->index_base < 0 || config->index_base > 1) return MLPL_EARG;
  if (!mlplk_select(sizeof(float), config->isa)) return MLPL_EARG;
  return MLPL_OK;
}

/* The heap's own struct comes from the host directly, everything else from the heap. */
static mlpli_heap *heap_new(const mlpl_config *config) {
  mlpl_allocator host = {host_alloc, host_free, NULL};
  if (config->allocator) host = *config->allocator;
  mlpli_heap *heap = host.alloc(host.ud, sizeof *heap);
  if (!heap) return NULL;
  memset(heap, 0, sizeof *heap);
  heap->host = host;
  heap->limit = config->memory_limit;
  return heap;
}

static void heap_delete(mlpli_heap *heap) {
  mlpli_heap_trim(heap);
  heap->host.free(heap->host.ud, heap, sizeof *heap);
}

mlpl_status mlpl_open(mlpl_ctx **out, const mlpl_config *config) {
  static const mlpl_config standard = {0};
  *out = NULL;
  if (!config) config = &standard;
  MLPL_TRY(check_config(config));
  mlpli_heap *heap = heap_new(config);
  if (!heap) return MLPL_ENOMEM;
  mlpl_ctx *cx = mlpli_alloc_zeroed(heap, sizeof *cx);
  mlpli_pool *pool = cx
      ? mlpli_pool_new(heap, config->threads ? config->threads : mlpli_processors())
      : NULL;
  if (!pool) {
    mlpli_free(heap, cx);
    heap_delete(heap);
    return MLPL_ENOMEM;
  }
  cx->refs = 1;
  cx->grad_enabled = true;
  cx->index_base = config->index_base;
  cx->heap = heap;
  cx->kern[MLPL_F32] = mlplk_select(sizeof(float), config->isa);
  cx->kern[MLPL_F64] = mlplk_select(sizeof(double), config->isa);
  cx->pool = pool;
  cx->par = mlpli_pool_par(pool);
  cx->log = config->log;
  cx->log_ud = config->log_ud;
  mlpl_seed(cx, config->seed);
  mlpli_logf(cx, "mlpl " MLPL_VERSION ": %s kernels, at most %d threads, seed %llu",
      mlpl_isa(cx), mlpl_threads(cx), (unsigned long long)config->seed);
  *out = cx;
  return MLPL_OK;
}

void mlpl_close(mlpl_ctx *cx) {
  if (!cx) return;
  mlpli_pool_free(cx->heap, cx->pool);
  cx->pool = NULL;
  cx->par = mlplk_serial;
  mlpli_ctx_release(cx);
}

void mlpli_ctx_release(mlpl_ctx *cx) {
  if (--cx->refs > 0) return;
  mlpli_heap *heap = cx->heap;
  mlpl_profile_stop(cx);
  mlpli_free(heap, cx);
  heap_delete(heap);
}

/* ---- errors and log ---------------------------------------------------------------- */

const char *mlpl_status_text(mlpl_status status) {
  switch (status) {
    case MLPL_OK: return "no error";
    case MLPL_ENOMEM: return "out of memory";
    case MLPL_ESHAPE: return "shapes do not fit";
    case MLPL_EARG: return "bad argument";
    case MLPL_ESTATE: return "not possible now";
    case MLPL_EIO: return "input or output failed";
    case MLPL_EFORMAT: return "bad file format";
    case MLPL_ENUMERIC: return "not a finite number";
    case MLPL_ECALLBACK: return "a callback failed";
  }
  return "unknown status";
}

const char *mlpl_error(const mlpl_ctx *cx) { return cx->text; }

/* "-nan" is how C libraries print some NaN: its sign says nothing. It goes where it stands
   as a word of its own; in a path such as "a -nan.csv", too. */
static void drop_sign_of_nan(char *text) {
  for (char *p = text; (p = strstr(p, "-nan")); p++)
    if ((p == text || p[-1] == ' ') && !isalnum((unsigned char)p[4]))
      memmove(p, p + 1, strlen(p));
}

mlpl_status mlpl_fail(mlpl_ctx *cx, mlpl_status status, const char *format, ...) {
  char text[MLPLI_TEXT]; /* the arguments may point into cx->text */
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  drop_sign_of_nan(text);
  memcpy(cx->text, text, sizeof text);
  return status;
}

static bool in_name(char c) { return c == '_' || c == '.' || isalnum((unsigned char)c); }

/* Bytes of what a text says it is about, in one word or two ("data set"), or 0. */
static size_t name_length(const char *text) {
  size_t n = 0;
  while (in_name(text[n])) n++;
  if (text[n] == ' ')
    while (in_name(text[++n])) {
    }
  return text[n] == ':' && text[n + 1] == ' ' ? n : 0;
}

mlpl_status mlpli_fail_as(
    mlpl_ctx *cx, mlpl_status status, const char *what, const char *form) {
  const size_t n = name_length(cx->text);
  if (status == MLPL_OK || status == MLPL_ECALLBACK) return status;
  return mlpl_fail(cx, status, "%s%s: %s", what, form, cx->text + (n ? n + 2 : 0));
}

void mlpl_error_of(mlpl_ctx *cx, const char *what) {
  mlpli_fail_as(cx, MLPL_EARG, what, "");
}

mlpl_status mlpli_no_memory(mlpl_ctx *cx, const char *what, size_t bytes) {
  const mlpli_heap *heap = cx->heap;
  if (heap->limit)
    return mlpl_fail(cx, MLPL_ENOMEM,
        "%s: not enough memory: %zu bytes more than the %zu in use (limit %zu)", what,
        bytes, heap->live, heap->limit);
  return mlpl_fail(cx, MLPL_ENOMEM,
      "%s: not enough memory: %zu bytes more than the %zu in use", what, bytes,
      heap->live);
}

mlpl_status mlpli_new(mlpl_ctx *cx, void *out, size_t bytes, const char *what) {
  void *p = mlpli_alloc_zeroed(cx->heap, bytes);
  memcpy(out, &p, sizeof p);
  return p ? MLPL_OK : mlpli_no_memory(cx, what, bytes);
}

void mlpli_logf(mlpl_ctx *cx, const char *format, ...) {
  if (!cx->log) return;
  char line[MLPLI_TEXT];
  va_list args;
  va_start(args, format);
  vsnprintf(line, sizeof line, format, args);
  va_end(args);
  cx->log(cx->log_ud, line);
}

/* ---- what a host may ask and set --------------------------------------------------- */

mlpl_memory mlpl_memory_use(const mlpl_ctx *cx) {
  const mlpli_heap *heap = cx->heap;
  return (mlpl_memory){heap->live, heap->peak, heap->cached, heap->limit, heap->requests};
}

void mlpl_memory_set_limit(mlpl_ctx *cx, size_t bytes) { cx->heap->limit = bytes; }
void mlpl_memory_reset_peak(mlpl_ctx *cx) { cx->heap->peak = cx->heap->live; }
void mlpl_memory_trim(mlpl_ctx *cx) { mlpli_heap_trim(cx->heap); }

int mlpl_threads(const mlpl_ctx *cx) { return cx->par.workers; }

mlpl_status mlpl_set_threads(mlpl_ctx *cx, int n) {
  if (n < 1 || n > 256)
    return mlpl_fail(cx, MLPL_EARG, "threads: n is %d, which is outside 1 to 256", n);
  /* a closed context has no threads any more */
  if (n == cx->par.workers || !cx->pool) return MLPL_OK;
  mlpli_pool *pool = mlpli_pool_new(cx->heap, n);
  if (!pool) return mlpli_no_memory(cx, "threads", 0);
  mlpli_pool_free(cx->heap, cx->pool);
  cx->pool = pool;
  cx->par = mlpli_pool_par(pool);
  return MLPL_OK;
}

const char *mlpl_isa(const mlpl_ctx *cx) { return cx->kern[MLPL_F32]->isa; }
int mlpl_index_base(const mlpl_ctx *cx) { return cx->index_base; }

double mlpl_clock(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
