/* Reference numbers in JSON files, read with the engine's own reader. */
#ifndef TEST_GOLDEN_H
#define TEST_GOLDEN_H

#include "support.h"

#include "io/json.h"

#include <unistd.h>

typedef struct golden {
  mlpl_ctx *cx; /* of the reader alone */
  mlpli_json_tree tree;
} golden;

/* false: none of the places has the file. */
static inline bool golden_open(golden *g, const char *const *places, int n) {
  size_t size;
  unsigned char *text = NULL;
  for (int i = 0; i < n && !text; i++)
    text = places[i] ? test_read(places[i], &size) : NULL;
  if (!text) return false;
  g->cx = test_open(0);
  assert_works(
      g->cx, mlpli_json_parse(&g->tree, g->cx, "reference", (const char *)text, size));
  free(text);
  return true;
}

/* tests/golden/golden.json, from the repository's root or a folder of the build. */
static inline void golden_standard(golden *g) {
  static const char *const places[] = {"tests/golden/golden.json",
      "../tests/golden/golden.json", "../../tests/golden/golden.json",
      "../../../tests/golden/golden.json"};
  if (!golden_open(g, places, COUNT(places)))
    fail_msg("tests/golden/golden.json is not there");
}

static inline void golden_close(golden *g) {
  mlpli_json_free(&g->tree);
  test_close(g->cx);
}

static inline const mlpli_json_node *golden_node(const golden *g, int64_t i) {
  return mlpli_json_at(&g->tree, i);
}

/* The child called name, which must be there. */
static inline int64_t golden_child(const golden *g, int64_t object, const char *name) {
  int64_t i = mlpli_json_find(&g->tree, object, name);
  if (i < 0) fail_msg("the reference has no '%s'", name);
  return i;
}
static inline double golden_number(const golden *g, int64_t object, const char *name) {
  return golden_node(g, golden_child(g, object, name))->number;
}
static inline const char *golden_string(
    const golden *g, int64_t object, const char *name) {
  return g->tree.text.p + golden_node(g, golden_child(g, object, name))->text;
}

/* All numbers below node i, in order, nested arrays too; returns how many. */
static inline int golden_flatten(const golden *g, int64_t i, double *v, int room) {
  const mlpli_json_node *node = golden_node(g, i);
  int n = 0;
  if (node->kind == '0') {
    assert_true(room > 0);
    *v = node->number;
    return 1;
  }
  for (int64_t c = node->first; c >= 0; c = golden_node(g, c)->next)
    n += golden_flatten(g, c, v + n, room - n);
  return n;
}
static inline int golden_numbers(
    const golden *g, int64_t object, const char *name, double *v, int room) {
  return golden_flatten(g, golden_child(g, object, name), v, room);
}

#endif
