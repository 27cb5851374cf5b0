#include "support.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* ---- the allocator ------------------------------------------------------------------------------ */

#define MAGIC UINT64_C(0x6d6c706c68656170)
#define GUARD 32 /* bytes before and behind a block */

typedef struct head {
  uint64_t magic;
  size_t bytes;
  unsigned char guard[GUARD - sizeof(uint64_t) - sizeof(size_t)];
} head;

static void *heap_alloc(void *ud, size_t bytes) {
  test_heap *h = ud;
  h->calls++;
  if (h->fail_at && (h->calls == h->fail_at || (h->forever && h->calls > h->fail_at))) return NULL;
  if (bytes > SIZE_MAX - 2 * GUARD) return NULL;
  head *p = malloc(bytes + 2 * GUARD);
  if (!p) return NULL;
  *p = (head){.magic = MAGIC, .bytes = bytes};
  memset(p->guard, 0xfd, sizeof p->guard);
  memset(p + 1, 0xa5, bytes); /* as a double: tiny and negative; as a pointer: nonsense */
  memset((char *)(p + 1) + bytes, 0xfd, GUARD);
  h->blocks++;
  h->bytes += bytes;
  if (h->bytes > h->peak) h->peak = h->bytes;
  return p + 1;
}

static bool is_guard(const unsigned char *p, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (p[i] != 0xfd) return false;
  return true;
}

static void heap_free(void *ud, void *block, size_t bytes) {
  test_heap *h = ud;
  head *p = (head *)block - 1;
  bool good = p->magic == MAGIC && p->bytes == bytes && is_guard(p->guard, sizeof p->guard) &&
      is_guard((unsigned char *)block + bytes, GUARD);
  if (!good) {
    h->broken++;
    return;
  }
  p->magic = 0;
  memset(block, 0xdd, bytes);
  h->blocks--;
  h->bytes -= bytes;
  free(p);
}

void test_heap_init(test_heap *h) {
  memset(h, 0, sizeof *h);
  h->allocator = (mlpl_allocator){heap_alloc, heap_free, h};
}

void test_heap_fail(test_heap *h, uint64_t n, bool forever) {
  h->calls = 0;
  h->fail_at = n;
  h->forever = forever;
}

/* One run that may fail, then one that may not. false: the failure was not reached any more. */
static bool fail_once(test_heap *h, mlpl_ctx *cx, test_task *task, void *ud, uint64_t n, bool forever) {
  mlpl_memory_trim(cx);
  const size_t live = mlpl_memory_use(cx).live, bytes = h->bytes;
  test_heap_fail(h, n, forever);
  mlpl_status status = task(cx, ud);
  const bool reached = h->calls >= n;
  test_heap_fail(h, 0, false);
  if (status != MLPL_OK && status != MLPL_ENOMEM)
    fail_msg("allocation %d failed: %s (%s)", (int)n, mlpl_status_text(status), mlpl_error(cx));
  if (status == MLPL_ENOMEM) assert_non_null(strstr(mlpl_error(cx), "not enough memory"));
  if (mlpl_memory_use(cx).live != live) fail_msg("allocation %d failed: memory leaked", (int)n);
  mlpl_memory_trim(cx);
  if (h->bytes != bytes) fail_msg("allocation %d failed: the host's memory leaked", (int)n);
  test_works(cx, task(cx, ud), __FILE__, __LINE__);
  assert_int_equal(h->broken, 0);
  return reached;
}

void test_every_failure(test_task *task, void *ud) {
  test_heap h;
  mlpl_ctx *cx;
  test_heap_init(&h);
  assert_int_equal(mlpl_open(&cx, &(mlpl_config){.allocator = &h.allocator, .threads = 1}), MLPL_OK);
  test_works(cx, task(cx, ud), __FILE__, __LINE__); /* what is set up once, is */
  uint64_t n = 1;
  for (int forever = 0; forever <= 1; forever++)
    for (n = 1; fail_once(&h, cx, task, ud, n, forever); n++) continue;
  if (n < 2) fail_msg("the task allocated nothing");
  mlpl_close(cx);
  assert_int_equal(h.blocks, 0);
  assert_int_equal(h.broken, 0);
}

/* ---- contexts and checks ---------------------------------------------------------------------------- */

mlpl_ctx *test_open(int index_base) {
  mlpl_ctx *cx;
  assert_int_equal(mlpl_open(&cx, &(mlpl_config){.index_base = index_base, .threads = 1, .seed = 1}), MLPL_OK);
  return cx;
}

void test_close(mlpl_ctx *cx) {
  mlpl_ctx *other;
  assert_int_equal(mlpl_open(&other, &(mlpl_config){.threads = mlpl_threads(cx)}), MLPL_OK);
  const size_t empty = mlpl_memory_use(other).live;
  mlpl_close(other);
  if (mlpl_memory_use(cx).live > empty)
    fail_msg("%d bytes of the context are still in use", (int)(mlpl_memory_use(cx).live - empty));
  mlpl_close(cx);
}

void test_fails(mlpl_ctx *cx, mlpl_status status, mlpl_status wanted, const char *text, const char *file,
    int line) {
  if (status == wanted && strstr(mlpl_error(cx), text)) return;
  print_error("expected \"%s\" (%s)\n", text, mlpl_status_text(wanted));
  print_error("but got  \"%s\" (%s)\n", mlpl_error(cx), mlpl_status_text(status));
  _fail(file, line);
}

void test_works(mlpl_ctx *cx, mlpl_status status, const char *file, int line) {
  if (status == MLPL_OK) return;
  print_error("failed: \"%s\" (%s)\n", mlpl_error(cx), mlpl_status_text(status));
  _fail(file, line);
}

double test_get(mlpl_tensor *t, const int64_t *index) {
  const char *p = mlpl_tensor_data(t);
  int64_t at = 0;
  for (int d = 0; d < mlpl_tensor_ndim(t); d++) {
    assert_in_range(index[d], 0, mlpl_tensor_shape(t)[d] - 1);
    at += index[d] * mlpl_tensor_strides(t)[d];
  }
  p += at * (int64_t)mlpl_dtype_bytes(mlpl_tensor_dtype(t));
  switch (mlpl_tensor_dtype(t)) {
    case MLPL_F32: return (double)*(const float *)(const void *)p;
    case MLPL_F64: return *(const double *)(const void *)p;
    case MLPL_I64: return (double)*(const int64_t *)(const void *)p;
    default: return (double)*(const uint8_t *)p;
  }
}

/* ---- files -------------------------------------------------------------------------------------------- */

static char folder[512];

int test_folder_make(void **state) {
  (void)state;
  const char *tmp = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%s/mlpl-test-XXXXXX", tmp && *tmp ? tmp : "/tmp");
  return mkdtemp(folder) ? 0 : -1;
}

/* Calls f, unless NULL, with the path of each file in a folder; returns how many there are. */
static int each_file(const char *dir, void (*f)(const char *path)) {
  DIR *d = opendir(dir);
  int n = 0;
  if (!d) return -1;
  for (struct dirent *e; (e = readdir(d));) {
    if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
    char path[1024];
    if ((size_t)snprintf(path, sizeof path, "%s/%s", dir, e->d_name) < sizeof path && f) f(path);
    n++;
  }
  closedir(d);
  return n;
}

static void remove_all(const char *path) {
  struct stat st;
  if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode)) each_file(path, remove_all);
  remove(path);
}

int test_folder_remove(void **state) {
  (void)state;
  remove_all(folder);
  return access(folder, F_OK) == 0 ? -1 : 0;
}

int test_count_files(void) { return each_file(folder, NULL); }

const char *test_path(const char *name) {
  static char path[16][1024];
  static int next;
  char *p = path[next++ % 16];
  snprintf(p, sizeof path[0], "%s/%s", folder, name);
  return p;
}

const char *test_write(const char *name, const void *bytes, size_t n) {
  const char *path = test_path(name);
  FILE *f = fopen(path, "wb");
  assert_non_null(f);
  if (n) assert_int_equal(fwrite(bytes, 1, n, f), n);
  assert_int_equal(fclose(f), 0);
  return path;
}

const char *test_write_text(const char *name, const char *text) { return test_write(name, text, strlen(text)); }

const char *test_write_gzip(const char *name, const void *bytes, size_t n) {
  const char *path = test_path(name);
  gzFile f = gzopen(path, "wb");
  assert_non_null(f);
  if (n) assert_int_equal(gzwrite(f, bytes, (unsigned)n), n);
  assert_int_equal(gzclose(f), Z_OK);
  return path;
}

unsigned char *test_read(const char *path, size_t *n) {
  FILE *f = fopen(path, "rb");
  if (!f) return NULL;
  struct stat st;
  assert_int_equal(fstat(fileno(f), &st), 0);
  *n = (size_t)st.st_size;
  unsigned char *p = malloc(*n + 1);
  assert_non_null(p);
  assert_int_equal(fread(p, 1, *n, f), *n);
  p[*n] = 0;
  fclose(f);
  return p;
}

const char *test_data(const char *name) {
  static char path[1024];
  static const char *const places[] = {"../shared/data", "../../shared/data", "../../../shared/data"};
  const char *given = getenv("MLPL_TEST_DATA");
  for (int i = 0; i < (given ? 1 : COUNT(places)); i++) {
    snprintf(path, sizeof path, "%s/%s", given ? given : places[i], name);
    if (access(path, R_OK) == 0) return path;
  }
  print_message("skipped: the data set %s is not there (MLPL_TEST_DATA names its folder)\n", name);
  return NULL;
}

/* ---- numbers ---------------------------------------------------------------------------------------------- */

/* SplitMix64: Steele, Lea, Flood, Fast splittable pseudorandom number generators (2014). */
uint64_t test_random(uint64_t *state) {
  uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

double test_uniform(uint64_t *state) { return (double)(test_random(state) >> 11) * 0x1p-53; }

double test_between(uint64_t *state, double lo, double hi) { return lo + (hi - lo) * test_uniform(state); }
