/*
** What the tests of the engine share: a host's allocator that counts, guards and fails when told to; files in a
** folder of their own; numbers.
*/
#ifndef TEST_SUPPORT_H
#define TEST_SUPPORT_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mlpl.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

/* ---- an allocator ---------------------------------------------------------------------------- */

typedef struct test_heap {
  mlpl_allocator allocator; /* for mlpl_config */
  uint64_t calls;           /* of alloc since the last test_heap_fail */
  uint64_t fail_at;         /* this call fails; 0: none does */
  bool forever;             /* and all after it */
  int64_t blocks;           /* live */
  size_t bytes, peak;       /* live */
  int broken;               /* blocks overrun, freed twice or with a wrong size */
} test_heap;

void test_heap_init(test_heap *h);
void test_heap_fail(test_heap *h, uint64_t n, bool forever); /* n = 1: the next call */

/*
** Run the task with every allocation failing in turn, once and from then on. It releases whatever it was given. Each time
** it must end in MLPL_OK or MLPL_ENOMEM with a text, leak nothing, and work again afterwards.
*/
typedef mlpl_status test_task(mlpl_ctx *cx, void *ud);
void test_every_failure(test_task *task, void *ud);

/* ---- contexts and checks ------------------------------------------------------------------------ */

mlpl_ctx *test_open(int index_base); /* one thread, seed 1 */
/* Release the context; nothing of it is alive. */
void test_close(mlpl_ctx *cx);

/* The status is as expected and the error contains the text. */
void test_fails(mlpl_ctx *cx, mlpl_status status, mlpl_status wanted, const char *text, const char *file,
    int line);
#define assert_fails(cx, call, wanted, text) test_fails(cx, call, wanted, text, __FILE__, __LINE__)
/* MLPL_OK, or the error is shown. */
void test_works(mlpl_ctx *cx, mlpl_status status, const char *file, int line);
#define assert_works(cx, call) test_works(cx, call, __FILE__, __LINE__)

double test_get(mlpl_tensor *t, const int64_t *index);
#define test_at1(t, i) test_get(t, (int64_t[]){i})
#define test_at2(t, i, j) test_get(t, (int64_t[]){i, j})

/* ---- files ------------------------------------------------------------------------------------------- */

/* Group set-up and tear-down: a new folder, removed with all that is in it. */
int test_folder_make(void **state);
int test_folder_remove(void **state);
/* Path of a file in there; the text lives until the 16th call after this one. */
const char *test_path(const char *name);
const char *test_write(const char *name, const void *bytes, size_t n); /* its path */
const char *test_write_text(const char *name, const char *text);
const char *test_write_gzip(const char *name, const void *bytes, size_t n);
/* The whole file, with a 0 behind it; freed with free. NULL: there is none. */
unsigned char *test_read(const char *path, size_t *n);
int test_count_files(void); /* in the folder */

/* A file of the shared data sets, or NULL after saying that it is not there. */
const char *test_data(const char *name);

/* ---- numbers ------------------------------------------------------------------------------------------ */

uint64_t test_random(uint64_t *state);       /* 64 bits; any start will do */
double test_uniform(uint64_t *state);        /* in [0, 1) */
double test_between(uint64_t *state, double lo, double hi);

#endif
