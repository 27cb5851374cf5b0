/*
** The thread pool: every item once, no worker at two at a time, many short jobs, forked
** children, and no work while there is none. Clean under ThreadSanitizer (scripts/test.sh
** --tsan).
*/
#include "support.h"

#include "base/base.h"

#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- a pool of its own ------------------------------------------------------------- */

typedef struct fixture {
  test_heap host;
  mlpli_heap heap;
  mlpli_pool *pool;
  mlplk_par par;
} fixture;

static void begin(fixture *f, int threads) {
  test_heap_init(&f->host);
  f->heap = (mlpli_heap){.host = f->host.allocator};
  f->pool = mlpli_pool_new(&f->heap, threads);
  assert_non_null(f->pool);
  f->par = mlpli_pool_par(f->pool);
  assert_int_equal(f->par.workers, threads);
}

static void end(fixture *f) {
  mlpli_pool_free(&f->heap, f->pool);
  mlpli_pool_free(&f->heap, NULL);
  mlpli_heap_trim(&f->heap);
  assert_int_equal(f->host.blocks, 0);
}

static void nap(double seconds) {
  nanosleep(&(struct timespec){(time_t)seconds, (long)(fmod(seconds, 1) * 1e9)}, NULL);
}

/* ---- items ------------------------------------------------------------------------- */

enum { MOST = 5000, WORKERS = 16 };

typedef struct job {
  atomic_int done[MOST];
  atomic_int busy[WORKERS]; /* a worker is at an item */
  atomic_int clashes, strangers;
  int64_t by_worker[WORKERS]; /* not atomic: only its worker writes it */
  int workers, work;
} job;

static void item(void *arg, ptrdiff_t i, int worker) {
  job *j = arg;
  if (worker < 0 || worker >= j->workers) {
    atomic_fetch_add(&j->strangers, 1);
    return;
  }
  if (atomic_exchange(&j->busy[worker], 1)) atomic_fetch_add(&j->clashes, 1);
  atomic_fetch_add(&j->done[i], 1);
  j->by_worker[worker]++;
  for (volatile int k = 0; k < j->work; k++) continue;
  atomic_store(&j->busy[worker], 0);
}

static void check_job(fixture *f, job *j, ptrdiff_t n, int work) {
  int64_t total = 0;
  memset(j, 0, sizeof *j);
  j->workers = f->par.workers;
  j->work = work;
  f->par.run(&f->par, n, item, j);
  for (ptrdiff_t i = 0; i < MOST; i++) assert_int_equal(atomic_load(&j->done[i]), i < n);
  for (int w = 0; w < WORKERS; w++) total += j->by_worker[w];
  assert_int_equal(total, n);
  assert_int_equal(atomic_load(&j->clashes), 0);
  assert_int_equal(atomic_load(&j->strangers), 0);
}

static void every_item_is_done_once(void **state) {
  (void)state;
  static const int threads[] = {1, 2, 3, 4, 8, 16};
  static job j;
  for (int k = 0; k < COUNT(threads); k++) {
    fixture f;
    begin(&f, threads[k]);
    for (ptrdiff_t n = 0; n <= 40; n++) check_job(&f, &j, n, 10);
    check_job(&f, &j, 1000, 200);
    check_job(&f, &j, MOST, 0);
    for (int gap = 0; gap < 20; gap++) { /* threads asleep, or on their way there */
      nap(1e-5 * gap);
      check_job(&f, &j, 7, 100);
    }
    end(&f);
  }
}

/* A job's items see what was written before it, and what they write is seen after it. */
static void square(void *arg, ptrdiff_t i, int worker) {
  int64_t *v = arg;
  (void)worker;
  v[i] *= v[i];
}

static void many_short_jobs(void **state) {
  (void)state;
  fixture f;
  int64_t v[8];
  begin(&f, 4);
  for (int k = 0; k < 20000; k++) {
    const ptrdiff_t n = 2 + k % 7;
    for (int i = 0; i < 8; i++) v[i] = k + i;
    f.par.run(&f.par, n, square, v);
    for (int i = 0; i < 8; i++)
      assert_int_equal(v[i], i < n ? (int64_t)(k + i) * (k + i) : k + i);
  }
  end(&f);
}

/* Two pools at once: the task of one runs a job on the other. */
typedef struct inner {
  fixture *f;
  int64_t v[64][8];
} inner;

static void run_inner(void *arg, ptrdiff_t i, int worker) {
  inner *in = arg;
  for (int k = 0; k < 8; k++) in->v[i][k] = i + k;
  if (worker == 0)
    in->f->par.run(
        &in->f->par, 8, square, in->v[i]); /* one thread at a time may use a pool */
  else
    for (int k = 0; k < 8; k++) in->v[i][k] *= in->v[i][k];
}

static void a_job_inside_a_job_of_another_pool(void **state) {
  (void)state;
  fixture outer, within;
  static inner in;
  begin(&outer, 3);
  begin(&within, 2);
  in.f = &within;
  for (int round = 0; round < 50; round++) {
    outer.par.run(&outer.par, 64, run_inner, &in);
    for (int i = 0; i < 64; i++)
      for (int k = 0; k < 8; k++) assert_int_equal(in.v[i][k], (i + k) * (i + k));
  }
  end(&within);
  end(&outer);
}

static void pools_come_and_go(void **state) {
  (void)state;
  static job j;
  for (int k = 0; k < 100; k++) {
    fixture f;
    begin(&f, 2 + k % 3);
    if (k % 4) check_job(&f, &j, k, 0); /* some never start a thread */
    end(&f);
  }
}

/* ---- threads that have nothing to do ----------------------------------------------- */

static int count_threads(void) {
  DIR *d = opendir("/proc/self/task");
  int n = 0;
  if (!d) return -1;
  for (struct dirent *e; (e = readdir(d));) n += e->d_name[0] != '.';
  closedir(d);
  return n;
}

static void threads_start_with_the_first_real_job(void **state) {
  (void)state;
  static job j;
  fixture f;
  for (int i = 0; i < 100 && count_threads() > 1; i++)
    nap(0.001); /* those that the tests before have joined leave /proc a little later */
  int before = count_threads();
  if (before < 0) {
    print_message("skipped: there is no /proc/self/task\n");
    skip();
  }
  begin(&f, 4);
  check_job(&f, &j, 1, 0);
  assert_int_equal(count_threads(), before);
  check_job(&f, &j, 2, 0);
  assert_int_equal(count_threads(), before + 3);
  end(&f);
  for (int i = 0; i < 100 && count_threads() != before; i++)
    nap(0.001); /* a joined thread leaves /proc a little later */
  assert_int_equal(count_threads(), before);
}

static double cpu_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void idle_threads_use_no_processor(void **state) {
  (void)state;
  static job j;
  fixture f;
  begin(&f, 4);
  check_job(&f, &j, 100, 100);
  nap(0.05); /* they spin for some microseconds, then sleep */
  double before = cpu_seconds();
  nap(0.3);
  assert_true(cpu_seconds() - before < 0.01);
  end(&f);
}

/* ---- forked children --------------------------------------------------------------- */

/* The child has none of the threads: it does its jobs alone, may use the engine and
   close it. */
static void in_child(mlpl_ctx *cx) {
  mlpl_tensor *x, *y, *s;
  double v = 0;
  alarm(20); /* ends a child that hangs */
  bool good = mlpl_tensor_full(cx, &x, MLPL_F32, 1, (int64_t[]){100000}, 2) == MLPL_OK &&
      mlpl_call(cx, &y, "neg", &x, 1, NULL) == MLPL_OK &&
      mlpl_call(cx, &s, "sum", &y, 1, NULL) == MLPL_OK &&
      mlpl_tensor_item(cx, s, &v) == MLPL_OK;
  if (!good || v != -200000) _exit(1);
  mlpl_tensor_release(x);
  mlpl_tensor_release(y);
  mlpl_tensor_release(s);
  if (mlpl_set_threads(cx, 2) != MLPL_OK) _exit(2);
  mlpl_close(cx);
  _exit(0);
}

static void warm_up(mlpl_ctx *cx) {
  mlpl_tensor *x;
  assert_works(cx, mlpl_tensor_rand(cx, &x, MLPL_F32, 1, (int64_t[]){200000}, 0, 1));
  mlpl_tensor_release(x);
}

static void forked_children_do_not_hang(void **state) {
  (void)state;
#if defined __SANITIZE_THREAD__
  print_message("skipped: ThreadSanitizer does not follow threads into a child\n");
  skip();
#endif
  mlpl_ctx *cx;
  assert_int_equal(mlpl_open(&cx, &(mlpl_config){.threads = 3}), MLPL_OK);
  for (int k = 0; k < 60; k++) {
    int status;
    warm_up(cx);
    nap(2e-6 * (k % 30)); /* threads spin, fall asleep, sleep */
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) in_child(cx);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
      fail_msg("child %d %s %d", k,
          WIFEXITED(status) ? "ended with" : "was ended by signal",
          WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
  }
  warm_up(cx); /* the parent's threads are as they were */
  mlpl_close(cx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_item_is_done_once),
      cmocka_unit_test(many_short_jobs),
      cmocka_unit_test(a_job_inside_a_job_of_another_pool),
      cmocka_unit_test(pools_come_and_go),
      cmocka_unit_test(threads_start_with_the_first_real_job),
      cmocka_unit_test(idle_threads_use_no_processor),
      cmocka_unit_test(forked_children_do_not_hang),
  };
  return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
