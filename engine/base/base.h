/*
** The ground floor of the engine: the context and what it owns. Internal; hosts see
** mlpl.h. Includes libc and the kernels' interface, no other folder.
*/
#ifndef MLPLI_BASE_H
#define MLPLI_BASE_H

#include "kern/kern.h"
#include "mlpl.h"

#include <assert.h>

/* States what only a bug of ours can break; no user of the engine can reach one. */
#define MLPL_ASSERT(e) assert(e)

/* Pass a failure up untouched. Only where nothing has to be undone. */
#define MLPL_TRY(e)                                                                      \
  do {                                                                                   \
    mlpl_status try_status_ = (e);                                                       \
    if (try_status_ != MLPL_OK) return try_status_;                                      \
  } while (0)

/* ---- heap (heap.c): every byte of the engine --------------------------------------- */

#define MLPLI_ALIGN 64
#define MLPLI_N_BINS 512

/* A freed block waits in the bin of its size, so that a loop in its stride asks the host
   for nothing. */
typedef struct mlpli_heap {
  mlpl_allocator host;
  size_t live, peak, cached, limit; /* bytes */
  uint64_t requests;
  struct mlpli_block *bin[MLPLI_N_BINS];
} mlpli_heap;

/*
** 64-byte aligned memory of at least `bytes` (0 is allowed and gives a valid pointer), or
** NULL: refused by the host or by the limit. Nothing else is changed then.
*/
void *mlpli_alloc(mlpli_heap *heap, size_t bytes);
void *mlpli_alloc_zeroed(mlpli_heap *heap, size_t bytes);
/* As realloc: on NULL the old block is as it was. p may be NULL. */
void *mlpli_realloc(mlpli_heap *heap, void *p, size_t bytes);
void mlpli_free(mlpli_heap *heap, void *p); /* NULL: nothing */
size_t mlpli_block_bytes(const void *p);    /* usable size of a block */
void mlpli_heap_trim(mlpli_heap *heap);

/* *product = a * b; false on overflow. */
static inline bool mlpli_mul(size_t a, size_t b, size_t *product) {
  return !__builtin_mul_overflow(a, b, product);
}
static inline bool mlpli_add(size_t a, size_t b, size_t *sum) {
  return !__builtin_add_overflow(a, b, sum);
}

/* ---- context (context.c) ----------------------------------------------------------- */

#define MLPLI_TEXT 512 /* bytes of an error sentence */

struct mlpl_ctx {
  int refs; /* the owner's and one for each live object (tensor, module, ...) */
  bool grad_enabled;
  bool predicting; /* modules behave as in eval mode */
  int index_base;
  mlpli_heap *heap;
  const mlplk_table *kern[2]; /* f32, f64 */
  mlplk_par par;              /* the pool as kernels see it */
  struct mlpli_pool *pool;
  mlplk_stream random;
  struct mlpli_node *dying; /* recorded operations on their way out (grad/record.c) */
  struct mlpli_profile *profile; /* NULL: not measuring (profile.h) */
  const char *composing; /* the name of the composed operation at work, or NULL */
  uint64_t n_recorded; /* operations recorded so far: their order for the backward pass */
  struct mlpli_pass *pass; /* the backward pass at work, or NULL (grad/grad.h) */
  uint64_t n_passes;       /* backward passes so far: their names */
  bool anomaly;            /* look for NaN and infinity (grad/anomaly.c) */
  mlpl_where *where;       /* says where a script is, or NULL */
  void *where_ud;
  mlpl_log *log;
  void *log_ud;
  char text[MLPLI_TEXT];
};

/* Objects hold their context; the last one out frees it. */
static inline void mlpli_ctx_retain(mlpl_ctx *cx) { cx->refs++; }
void mlpli_ctx_release(mlpl_ctx *cx);

/* "what: out of memory: N bytes ..." from the fixed text buffer. */
mlpl_status mlpli_no_memory(mlpl_ctx *cx, const char *what, size_t bytes);
/*
** After a failure inside an operation that is made of others: the text begins with
** `what` and `form` in place of the name of the one that failed. Returns the status; MLPL_OK
** and a callback's failure change nothing.
*/
mlpl_status mlpli_fail_as(
    mlpl_ctx *cx, mlpl_status status, const char *what, const char *form);
/* Allocate or fail with that text. */
mlpl_status mlpli_new(mlpl_ctx *cx, void *out /* T** */, size_t bytes, const char *what);
void mlpli_logf(mlpl_ctx *cx, const char *format, ...) MLPL_FORMAT(2, 3);

/* ---- thread pool (pool.c) ---------------------------------------------------------- */

typedef struct mlpli_pool mlpli_pool;
mlpli_pool *mlpli_pool_new(mlpli_heap *heap, int threads); /* NULL: no memory */
void mlpli_pool_free(mlpli_heap *heap, mlpli_pool *pool);
/* What kernels take; workers == threads. Threads start at the first run with more than
   one item. */
mlplk_par mlpli_pool_par(mlpli_pool *pool);
int mlpli_processors(void); /* that this process may use */

/* ---- random numbers (random.c) ----------------------------------------------------- */

/* Reserve n blocks of the context's stream and return where they start. */
mlplk_stream mlpli_random_take(mlpl_ctx *cx, uint64_t n_blocks);
/* A number in [0, n), each equally likely; 0 stands for 2^64. */
uint64_t mlpli_random_below(mlpl_ctx *cx, uint64_t n);
/* p[0..n) = a permutation of 0..n-1, each equally likely (Fisher and Yates). */
void mlpli_random_permutation(mlpl_ctx *cx, int64_t *p, int64_t n);
/* For the end of what may draw and then fail: the generator goes back to where it was
   `before`, so that a second try, when there is memory again, draws the same numbers.
   Returns status. */
static inline mlpl_status mlpli_undraw(
    mlpl_ctx *cx, mlplk_stream before, mlpl_status status) {
  if (status != MLPL_OK) cx->random = before;
  return status;
}

/* ---- files (file.c) ---------------------------------------------------------------- */

/* Reads a file, or the gzip stream in it, which is found out from its first bytes. All
   memory from the heap. */
typedef struct mlpli_reader mlpli_reader;
mlpl_status mlpli_reader_open(mlpl_ctx *cx, mlpli_reader **r, const char *path);
/* Up to n bytes into buf; *got < n only at the end. Truncated or damaged gzip is
   MLPL_EFORMAT. */
mlpl_status mlpli_reader_read(
    mlpl_ctx *cx, mlpli_reader *r, void *buf, size_t n, size_t *got);
void mlpli_reader_close(mlpli_reader *r); /* NULL: nothing */
/* The whole plain file. *bytes is freed with mlpli_free. */
mlpl_status mlpli_file_load(mlpl_ctx *cx, const char *path, void **bytes, size_t *n);

/* Writes path whole or not at all: a temporary file in the same folder, fsync, rename,
   fsync of the folder. */
typedef struct mlpli_writer mlpli_writer;
mlpl_status mlpli_writer_open(mlpl_ctx *cx, mlpli_writer **w, const char *path);
mlpl_status mlpli_writer_write(
    mlpl_ctx *cx, mlpli_writer *w, const void *bytes, size_t n);
/* frees w, whatever happens */
mlpl_status mlpli_writer_commit(mlpl_ctx *cx, mlpli_writer *w);
/* removes the temporary file; NULL: nothing */
void mlpli_writer_abandon(mlpli_writer *w);

#endif
