/*
** JSON, as little of it as model files need, and strictly: UTF-8, no duplicate names,
** limited depth. Internal.
*/
#ifndef MLPLI_JSON_H
#define MLPLI_JSON_H

#include "base/buffer.h"

#define MLPLI_JSON_DEPTH 64

/* ---- reading, token by token ------------------------------------------------------- */

/*
** The caller walks the text by asking for what it expects; anything else is MLPL_EFORMAT,
** with `where`, the byte and what was expected. Needs no memory of its own, so a hostile
** text cannot make it grow.
*/
typedef struct mlpli_json {
  mlpl_ctx *cx;
  const char *where; /* "model.safetensors: header" */
  const char *start, *p, *end;
  int depth, max_depth;
  bool fresh; /* a bracket was just opened: no comma before the next value */
  char closing[MLPLI_JSON_DEPTH];
} mlpli_json;

/* Checks that the text is UTF-8. */
mlpl_status mlpli_json_start(mlpli_json *j, mlpl_ctx *cx, const char *where,
    const char *text, size_t n, int max_depth);
/* What comes next: one of { [ " 0 (a number) t f n, or something else that is no
   value. */
char mlpli_json_kind(mlpli_json *j);
mlpl_status mlpli_json_open(mlpli_json *j, char bracket); /* '{' or '[' */
/* Inside brackets: is there another value? Otherwise they are closed. */
mlpl_status mlpli_json_next(mlpli_json *j, bool *more);
/* Append a string and a 0 to `to`; *n is its length. */
mlpl_status mlpli_json_string(mlpli_json *j, mlpli_buffer *to, size_t *n);
/* a string and its colon */
mlpl_status mlpli_json_key(mlpli_json *j, mlpli_buffer *to, size_t *n);
mlpl_status mlpli_json_whole(mlpli_json *j, uint64_t *v); /* digits alone */
/* any number that is finite */
mlpl_status mlpli_json_real(mlpli_json *j, double *v);
/* true, false, null */
mlpl_status mlpli_json_literal(mlpli_json *j, const char *word);
/* nothing but blanks follows */
mlpl_status mlpli_json_finish(mlpli_json *j);

/* *at: the first byte that breaks it */
bool mlpli_utf8_valid(const char *text, size_t n, size_t *at);

/* ---- reading all of it ------------------------------------------------------------- */

typedef struct mlpli_json_node {
  char kind;                /* as mlpli_json_kind */
  int n;                    /* children of { and [ */
  int64_t first, next;      /* child, sibling: numbers of nodes, -1 none */
  size_t key, text, length; /* offsets into the tree's text; length of a string */
  double number;
} mlpli_json_node;

typedef struct mlpli_json_tree {
  mlpli_buffer nodes, text;
} mlpli_json_tree;

#define MLPLI_JSON_NAMES 64 /* in one object: keeps the search for duplicates short */

/* Gives the tree; node 0 is the outermost value. After a failure there is nothing to
   free. */
mlpl_status mlpli_json_parse(
    mlpli_json_tree *tree, mlpl_ctx *cx, const char *where, const char *text, size_t n);
void mlpli_json_free(mlpli_json_tree *tree);

static inline const mlpli_json_node *mlpli_json_at(
    const mlpli_json_tree *tree, int64_t i) {
  return (const mlpli_json_node *)(const void *)tree->nodes.p + i;
}
/* Child of an object by name, or -1. */
int64_t mlpli_json_find(const mlpli_json_tree *tree, int64_t object, const char *name);

/* ---- writing ----------------------------------------------------------------------- */

mlpl_status mlpli_json_put(mlpli_buffer *b, const char *text); /* as it is */
/* Quoted and escaped. MLPL_EARG: not UTF-8. */
mlpl_status mlpli_json_put_string(mlpli_buffer *b, const char *text, size_t n);
mlpl_status mlpli_json_put_int(mlpli_buffer *b, int64_t v);
/* reads back the same; MLPL_EARG: not finite */
mlpl_status mlpli_json_put_real(mlpli_buffer *b, double v);

#endif
