/* Files as bytes: from hex digits, compared, and damaged bit by bit. */
#ifndef TEST_FILE_BYTES_H
#define TEST_FILE_BYTES_H

#include "support.h"

#include <stdio.h>

/* The bytes of hex digits, in a block of exactly their size, so that reading beyond the
   end is found. Freed with free. */
static inline unsigned char *test_bytes_of(const char *hex, size_t *n) {
  *n = strlen(hex) / 2;
  unsigned char *p = malloc(*n ? *n : 1);
  assert_non_null(p);
  for (size_t i = 0; i < *n; i++) {
    unsigned v;
    assert_int_equal(sscanf(hex + 2 * i, "%2x", &v), 1);
    p[i] = (unsigned char)v;
  }
  return p;
}

static inline unsigned char *test_copy_of(const unsigned char *p, size_t n) {
  unsigned char *copy = malloc(n ? n : 1);
  assert_non_null(copy);
  if (n) memcpy(copy, p, n);
  return copy;
}

static inline void test_check_file(
    const char *name, const char *path, const unsigned char *bytes, size_t n) {
  size_t found;
  unsigned char *p = test_read(path, &found);
  assert_non_null(p);
  if (found != n || memcmp(p, bytes, n) != 0)
    fail_msg("%s: the file differs from NumPy's", name);
  free(p);
}

typedef mlpl_status test_reader(mlpl_ctx *cx, const unsigned char *bytes, size_t n);

/* Every length, every bit: a result or an error of the format. Returns how many changes
   of one bit were refused. */
static inline int test_damage(
    mlpl_ctx *cx, const char *name, const char *hex, test_reader *read) {
  size_t n;
  unsigned char *bytes = test_bytes_of(hex, &n);
  int refused = 0;
  for (size_t cut = 0; cut < n; cut++) {
    unsigned char *part = test_copy_of(bytes, cut);
    if (read(cx, part, cut) != MLPL_EFORMAT)
      fail_msg("%s: cut at %d: %s", name, (int)cut, mlpl_error(cx));
    free(part);
  }
  for (size_t bit = 0; bit < 8 * n; bit++) {
    bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
    mlpl_status status = read(cx, bytes, n);
    if (status != MLPL_OK && status != MLPL_EFORMAT)
      fail_msg("%s: bit %d turned: %s", name, (int)bit, mlpl_error(cx));
    refused += status != MLPL_OK;
    bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
  }
  assert_works(cx, read(cx, bytes, n));
  free(bytes);
  return refused;
}

#endif
