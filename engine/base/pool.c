/*
** A pool of threads that share out the items of one job at a time. The caller works too,
** so a pool of n has n - 1 threads, and a job never waits for a thread that has not come:
** where none could be started, the caller does it all. A forked child has none of its
** parent's threads and starts its own.
**
** Hand-off: the caller publishes the job and bumps `epoch`; threads that spin see it at
** once, threads that sleep are woken. After some microseconds without work a thread
** sleeps.
*/
#define _GNU_SOURCE /* sched_getaffinity */
#include "base/base.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#define SPINS 4000 /* about 20 to 40 microseconds of pauses before a thread sleeps */
#define STACK ((size_t)512 << 10)

/* The caller is worker 0. Its share of the job's items is [next, end). */
typedef struct worker {
  mlpli_pool *pool;
  int index;
  pthread_t thread;
  _Alignas(64) atomic_ptrdiff_t next;
  ptrdiff_t end;
} worker;

struct mlpli_pool {
  int threads; /* workers, the caller included */
  int started; /* threads running */
  bool tried;
  pid_t process; /* that started them */
  /* the job */
  mlplk_task *task;
  void *arg;
  _Alignas(64) atomic_uint epoch; /* counts jobs */
  atomic_bool open;               /* the job may be joined */
  atomic_bool stop;
  _Alignas(64) atomic_int inside; /* threads that joined it and have not left */
  atomic_int sleeping;
  pthread_mutex_t mutex;
  pthread_cond_t wake;
  worker workers[];
};

static inline void pause_briefly(void) {
#if defined __x86_64__ || defined __i386__
  __builtin_ia32_pause();
#endif
}

/* A worker takes the items of its own share first, so that a job of the same size finds
   its operands in the same processor's cache again, then what others have left. */
static void take_items(mlpli_pool *pool, int index) {
  for (int k = 0; k < pool->threads; k++) {
    int whose = index + k < pool->threads ? index + k : index + k - pool->threads;
    worker *s = &pool->workers[whose];
    for (;;) {
      if (atomic_load_explicit(&s->next, memory_order_relaxed) >= s->end) break;
      ptrdiff_t i = atomic_fetch_add_explicit(&s->next, 1, memory_order_relaxed);
      if (i >= s->end) break;
      pool->task(pool->arg, i, index);
    }
  }
}

static void deal(mlpli_pool *pool, ptrdiff_t n) {
  ptrdiff_t each = n / pool->threads, rest = n % pool->threads, start = 0;
  for (int w = 0; w < pool->threads; w++) {
    worker *s = &pool->workers[w];
    ptrdiff_t end = start + each + (w < rest);
    atomic_store_explicit(&s->next, start, memory_order_relaxed);
    s->end = start = end;
  }
}

/* Wait until epoch is not `seen`: spin first, then sleep. */
static unsigned next_epoch(mlpli_pool *pool, unsigned seen) {
  for (int i = 0; i < SPINS; i++) {
    unsigned now = atomic_load(&pool->epoch);
    if (now != seen || atomic_load(&pool->stop)) return now;
    pause_briefly();
  }
  pthread_mutex_lock(&pool->mutex);
  atomic_fetch_add(&pool->sleeping, 1);
  while (atomic_load(&pool->epoch) == seen && !atomic_load(&pool->stop))
    pthread_cond_wait(&pool->wake, &pool->mutex);
  atomic_fetch_sub(&pool->sleeping, 1);
  pthread_mutex_unlock(&pool->mutex);
  return atomic_load(&pool->epoch);
}

/* A thread enters before it looks whether the job is open, and the caller closes it
   before it looks who is inside: one of the two sees the other. */
static void *work(void *arg) {
  worker *w = arg;
  mlpli_pool *pool = w->pool;
  unsigned seen = 0;
  while (!atomic_load(&pool->stop)) {
    seen = next_epoch(pool, seen);
    atomic_fetch_add(&pool->inside, 1);
    if (atomic_load(&pool->open)) take_items(pool, w->index);
    atomic_fetch_sub(&pool->inside, 1);
  }
  return NULL;
}

/* Threads of a library take no signals and little stack. Fewer than wanted is no
   error. */
static void start(mlpli_pool *pool) {
  pool->tried = true;
  pool->process = getpid();
  pthread_attr_t attr;
  if (pthread_attr_init(&attr) != 0) return;
  pthread_attr_setstacksize(&attr, STACK);
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  for (int i = 0; i < pool->threads - 1; i++) {
    worker *w = &pool->workers[i + 1];
    w->pool = pool;
    w->index = i + 1;
    if (pthread_create(&w->thread, &attr, work, w) != 0) break;
    pool->started++;
  }
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  pthread_attr_destroy(&attr);
}

/* In a forked child: as after mlpli_pool_new, whatever the parent's threads were about to
   do. */
static void forget_parent(mlpli_pool *pool) {
  if (!pool->tried || pool->process == getpid()) return;
  pool->started = 0;
  pool->tried = false;
  atomic_store(&pool->open, false);
  atomic_store(&pool->inside, 0);
  atomic_store(&pool->sleeping, 0);
  pthread_mutex_init(&pool->mutex, NULL);
  pthread_cond_init(&pool->wake, NULL);
}

static void wake_sleepers(mlpli_pool *pool) {
  if (!atomic_load(&pool->sleeping)) return;
  pthread_mutex_lock(&pool->mutex);
  pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->mutex);
}

static void run(const mlplk_par *par, ptrdiff_t n, mlplk_task *task, void *arg) {
  mlpli_pool *pool = par->pool;
  if (n <= 1 || pool->threads == 1) {
    for (ptrdiff_t i = 0; i < n; i++) task(arg, i, 0);
    return;
  }
  forget_parent(pool);
  if (!pool->tried) start(pool);
  pool->task = task;
  pool->arg = arg;
  deal(pool, n);
  atomic_store(&pool->open, true);
  atomic_fetch_add(&pool->epoch, 1);
  wake_sleepers(pool);
  take_items(pool, 0);
  atomic_store(&pool->open, false);
  for (int spins = 0; atomic_load(&pool->inside) != 0; spins++) {
    if (spins < SPINS)
      pause_briefly();
    else
      sched_yield(); /* the thread inside may need this processor */
  }
}

mlplk_par mlpli_pool_par(mlpli_pool *pool) {
  return (mlplk_par){run, pool->threads, pool};
}

mlpli_pool *mlpli_pool_new(mlpli_heap *heap, int threads) {
  size_t bytes = sizeof(mlpli_pool) + (size_t)threads * sizeof(worker);
  mlpli_pool *pool = mlpli_alloc_zeroed(heap, bytes);
  if (!pool) return NULL;
  pool->threads = threads;
  pthread_mutex_init(&pool->mutex, NULL); /* cannot fail with default attributes here */
  pthread_cond_init(&pool->wake, NULL);
  return pool;
}

void mlpli_pool_free(mlpli_heap *heap, mlpli_pool *pool) {
  if (!pool) return;
  forget_parent(pool);
  atomic_store(&pool->stop, true);
  wake_sleepers(pool);
  for (int i = 0; i < pool->started; i++) pthread_join(pool->workers[i + 1].thread, NULL);
  pthread_cond_destroy(&pool->wake);
  pthread_mutex_destroy(&pool->mutex);
  mlpli_free(heap, pool);
}

int mlpli_processors(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    int n = CPU_COUNT(&set);
    if (n >= 1) return n < 256 ? n : 256;
  }
  long n = sysconf(_SC_NPROCESSORS_ONLN);
  return n < 1 ? 1 : n > 256 ? 256 : (int)n;
}
