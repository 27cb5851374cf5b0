#include "io/json.h"
#include "io/model.h"

#include <math.h>

/* ---- writing ----------------------------------------------------------------------- */

static mlpl_status put_sizes(mlpli_buffer *b, const mlpl_value *v) {
  MLPL_TRY(mlpli_json_put(b, "["));
  for (int i = 0; i < v->sizes.n; i++) {
    if (i) MLPL_TRY(mlpli_json_put(b, ","));
    MLPL_TRY(mlpli_json_put_int(b, v->sizes.v[i]));
  }
  return mlpli_json_put(b, "]");
}

static mlpl_status put_pair(mlpli_buffer *b, const mlpl_value *v) {
  MLPL_TRY(mlpli_json_put(b, "["));
  MLPL_TRY(mlpli_json_put_real(b, v->pair[0]));
  MLPL_TRY(mlpli_json_put(b, ","));
  MLPL_TRY(mlpli_json_put_real(b, v->pair[1]));
  return mlpli_json_put(b, "]");
}

static mlpl_status put_value(mlpli_buffer *b, const mlpl_param *p, const mlpl_value *v) {
  switch (p->type) {
    case MLPL_PARAM_REAL: return mlpli_json_put_real(b, v->f);
    case MLPL_PARAM_BOOL: return mlpli_json_put(b, v->i ? "true" : "false");
    case MLPL_PARAM_CHOICE:
      return mlpli_json_put_string(b, p->choices[v->i], strlen(p->choices[v->i]));
    case MLPL_PARAM_AXIS_LIST: return put_sizes(b, v);
    case MLPL_PARAM_EXTENT:
      if (v->sizes.n >= 0) return put_sizes(b, v);
      return mlpli_json_put_string(
          b, p->choices[-1 - v->sizes.n], strlen(p->choices[-1 - v->sizes.n]));
    case MLPL_PARAM_SIZES: return put_sizes(b, v);
    case MLPL_PARAM_PAIR: return put_pair(b, v);
    case MLPL_PARAM_AXES: /* no layer has several */
    case MLPL_PARAM_INT:
    case MLPL_PARAM_AXIS:
    case MLPL_PARAM_INDEX: break;
  }
  return mlpli_json_put_int(b, v->i);
}

static mlpl_status put_options(mlpli_buffer *b, const mlpl_module *m) {
  bool first = true;
  MLPL_TRY(mlpli_json_put(b, ",\"params\":{"));
  for (int i = 0; i < m->kind->n_params; i++) {
    const mlpl_param *p = &m->kind->params[i];
    /* as it was: not given */
    if (p->type == MLPL_PARAM_AXIS && m->p[i].i == MLPL_NO_AXIS) continue;
    MLPL_TRY(mlpli_json_put(b, first ? "\"" : ",\""));
    MLPL_TRY(mlpli_json_put(b, p->name));
    MLPL_TRY(mlpli_json_put(b, "\":"));
    MLPL_TRY(put_value(b, p, &m->p[i]));
    first = false;
  }
  return mlpli_json_put(b, "}");
}

static mlpl_status check_layer(mlpl_ctx *cx, const mlpl_module *m, int depth) {
  if (m->kind == &mlpli_custom)
    return mlpl_fail(cx, MLPL_EARG,
        "save: a layer of your own (%.60s) cannot be saved, a file names kinds of nn; "
        "save the parameters by themselves and build the model in code",
        mlpl_module_kind(m));
  if (depth > MLPLI_ARCH_DEPTH)
    return mlpl_fail(
        cx, MLPL_EARG, "save: layers are nested more than %d deep", MLPLI_ARCH_DEPTH);
  for (int i = 0; i < MLPLI_MAX_TENSORS; i++)
    if (m->tensor[i])
      return mlpl_fail(cx, MLPL_EARG, "save: a %s with its %s cannot be saved",
          m->kind->name, m->kind->tensor[i]);
  return MLPL_OK;
}

static mlpl_status put_module(mlpli_buffer *b, const mlpl_module *m, int depth) {
  MLPL_TRY(check_layer(b->cx, m, depth));
  MLPL_TRY(mlpli_json_put(b, "{\"kind\":\""));
  MLPL_TRY(mlpli_json_put(b, m->kind->name));
  MLPL_TRY(mlpli_json_put(b, "\""));
  if (m->kind->n_params) MLPL_TRY(put_options(b, m));
  if (m->kind == &mlpli_sequential) MLPL_TRY(mlpli_json_put(b, ",\"children\":["));
  for (int i = 0; i < m->n_children; i++) {
    if (i) MLPL_TRY(mlpli_json_put(b, ","));
    MLPL_TRY(put_module(b, m->child[i], depth + 1));
  }
  return mlpli_json_put(b, m->kind == &mlpli_sequential ? "]}" : "}");
}

mlpl_status mlpli_arch_write(mlpli_buffer *out, const mlpl_module *m) {
  MLPL_TRY(put_module(out, m, 1));
  if (out->n > MLPLI_ARCH_BYTES)
    return mlpl_fail(out->cx, MLPL_EARG,
        "save: the model has too many layers to describe (%zu bytes)", out->n);
  return mlpli_buffer_add(out, "", 1);
}

/* ---- building ---------------------------------------------------------------------- */

typedef struct builder {
  mlpl_ctx *cx;
  const char *where;
  mlpli_json_tree tree;
  uint64_t elements; /* of the file's parameters, not yet asked for */
} builder;

static const mlpli_json_node *at(const builder *b, int64_t i) {
  return mlpli_json_at(&b->tree, i);
}
static const char *key_of(const builder *b, int64_t i) {
  return b->tree.text.p + at(b, i)->key;
}

static mlpl_status bad(
    const builder *b, const char *kind, const char *option, const char *problem) {
  return mlpl_fail(b->cx, MLPL_EFORMAT, "%s: architecture: %.60s%s%.60s %s", b->where,
      kind, *option ? ": " : "", option, problem);
}

/* The last error, as one of the file. */
static mlpl_status in_file(const builder *b, mlpl_status status) {
  if (status == MLPL_OK || status == MLPL_ENOMEM) return status;
  return mlpl_fail(
      b->cx, MLPL_EFORMAT, "%s: architecture: %s", b->where, mlpl_error(b->cx));
}

static const char *text_at(const builder *b, int64_t i) {
  const char *text = b->tree.text.p + at(b, i)->text;
  return at(b, i)->kind == '"' && strlen(text) == at(b, i)->length ? text : NULL;
}

static bool is_whole(const mlpli_json_node *n) {
  return n->kind == '0' && n->number == floor(n->number) && fabs(n->number) <= 0x1p53;
}

/* Room for the values of options that are arrays. */
typedef struct arrays {
  int64_t sizes[MLPL_MAX_PARAMS][MLPL_MAX_RANK];
  double pair[MLPL_MAX_PARAMS][2];
} arrays;

static bool take_array(
    const builder *b, int64_t i, bool whole, int max, int64_t *sizes, double *reals) {
  if (at(b, i)->kind != '[' || at(b, i)->n > max) return false;
  int n = 0;
  for (int64_t c = at(b, i)->first; c >= 0; c = at(b, c)->next, n++) {
    if (whole ? !is_whole(at(b, c)) : at(b, c)->kind != '0') return false;
    if (whole)
      sizes[n] = (int64_t)at(b, c)->number;
    else
      reals[n] = at(b, c)->number;
  }
  return true;
}

/* The JSON value as the option's type has it; NULL, or what was expected. */
static const char *take_value(const builder *b, const mlpl_param *p, int64_t i,
    mlpl_arg *arg, int64_t *sizes, double *pair) {
  const mlpli_json_node *n = at(b, i);
  arg->value = n->number;
  switch (p->type) {
    case MLPL_PARAM_REAL: return n->kind == '0' ? NULL : "is not a number";
    case MLPL_PARAM_BOOL:
      arg->value = n->kind == 't';
      return n->kind == 't' || n->kind == 'f' ? NULL : "is neither true nor false";
    case MLPL_PARAM_CHOICE:
      arg->text = text_at(b, i);
      return arg->text ? NULL : "is not a text";
    case MLPL_PARAM_EXTENT:
      if (p->choices && n->kind == '"') {
        arg->text = text_at(b, i);
        return arg->text ? NULL : "is not a text";
      } /* fall through */
    case MLPL_PARAM_AXIS_LIST:
    case MLPL_PARAM_SIZES:
      arg->sizes = sizes;
      arg->value = n->n;
      return take_array(b, i, true, MLPL_MAX_RANK, sizes, NULL)
          ? NULL
          : "is not a list of up to 8 whole numbers";
    case MLPL_PARAM_PAIR:
      arg->pair = pair;
      return n->n == 2 && take_array(b, i, false, 2, NULL, pair)
          ? NULL
          : "is not a pair of numbers";
    case MLPL_PARAM_AXES:
    case MLPL_PARAM_INT:
    case MLPL_PARAM_AXIS:
    case MLPL_PARAM_INDEX: break;
  }
  return is_whole(n) ? NULL : "is not a whole number";
}

static const mlpl_param *find_param(const mlpl_param *params, int n, const char *name) {
  for (int i = 0; i < n; i++)
    if (strcmp(params[i].name, name) == 0) return &params[i];
  return NULL;
}

/* Options as a list for mlpl_module_new, which checks names and domains. */
static mlpl_status take_options(
    const builder *b, const char *kind, int64_t object, mlpl_arg *args, arrays *room) {
  int n_params, n = 0;
  const mlpl_param *params = mlpl_kind_params(kind, &n_params);
  memset(args, 0, (MLPL_MAX_PARAMS + 1) * sizeof *args);
  if (object < 0) return MLPL_OK;
  if (at(b, object)->kind != '{')
    return bad(b, kind, "", "has params that are no object");
  for (int64_t i = at(b, object)->first; i >= 0; i = at(b, i)->next, n++) {
    if (n == MLPL_MAX_PARAMS) return bad(b, kind, "", "has too many params");
    const mlpl_param *p = params ? find_param(params, n_params, key_of(b, i)) : NULL;
    args[n].name = key_of(b, i);
    const char *problem = p ? take_value(b, p, i, &args[n], room->sizes[n], room->pair[n])
                            : NULL;
    if (problem) return bad(b, kind, args[n].name, problem);
  }
  return MLPL_OK;
}

/*
** Before a layer is built: the file has to hold as many elements as it would. The sizes
** of a layer are its required whole numbers, and their product is no more than the
** elements of its weight. (A kind with required sizes but without parameters, pooling
** say, would have to be told apart here.)
*/
static mlpl_status spend(builder *b, const char *kind, const mlpl_arg *args) {
  int n;
  const mlpl_param *params = mlpl_kind_params(kind, &n);
  uint64_t product = 1, largest = 0;
  bool fits = true, sized = false;
  for (int i = 0; params && args[i].name; i++) {
    const mlpl_param *p = find_param(params, n, args[i].name);
    if (!p || p->type != MLPL_PARAM_INT || !(p->flags & MLPL_REQUIRED) ||
        args[i].value < 0)
      continue;
    uint64_t size = (uint64_t)args[i].value;
    sized = true;
    if (size > largest) largest = size;
    fits = fits && !__builtin_mul_overflow(product, size, &product);
  }
  if (!sized) return MLPL_OK;
  if (product == 0) product = largest; /* an empty weight still has a bias */
  if (!fits || product > b->elements)
    return bad(b, kind, "", "asks for more parameters than the file holds");
  b->elements -= product;
  return MLPL_OK;
}

static mlpl_status build_layer(
    builder *b, mlpl_module **m, const char *kind, int64_t params) {
  mlpl_arg args[MLPL_MAX_PARAMS + 1];
  arrays room;
  MLPL_TRY(take_options(b, kind, params, args, &room));
  MLPL_TRY(spend(b, kind, args));
  return in_file(b, mlpl_module_new(b->cx, m, kind, args));
}

static mlpl_status build(builder *b, mlpl_module **m, int64_t node);

static mlpl_status build_children(builder *b, mlpl_module **m, int64_t list) {
  mlpl_module **child;
  int n = 0;
  mlpl_status status = MLPL_OK;
  if (at(b, list)->kind != '[')
    return bad(b, "Sequential", "", "has children that are no list");
  MLPL_TRY(mlpli_new(b->cx, &child, (size_t)at(b, list)->n * sizeof *child, "load"));
  for (int64_t i = at(b, list)->first; i >= 0 && status == MLPL_OK; i = at(b, i)->next)
    if ((status = build(b, &child[n], i)) == MLPL_OK) n++;
  if (status == MLPL_OK) status = in_file(b, mlpl_sequential_new(b->cx, m, child, n));
  while (n > 0) mlpl_module_release(child[--n]);
  mlpli_free(b->cx->heap, child);
  return status;
}

/* The fields of a module are there, and no others. */
static mlpl_status check_fields(const builder *b, int64_t node, const char **kind,
    int64_t *params, int64_t *children) {
  *params = *children = -1;
  *kind = NULL;
  if (at(b, node)->kind != '{') return bad(b, "a layer", "", "is no object");
  for (int64_t i = at(b, node)->first; i >= 0; i = at(b, i)->next) {
    const char *key = key_of(b, i);
    if (strcmp(key, "kind") == 0)
      *kind = text_at(b, i);
    else if (strcmp(key, "params") == 0)
      *params = i;
    else if (strcmp(key, "children") == 0)
      *children = i;
    else
      return bad(b, "a layer", key, "is not understood");
  }
  return *kind ? MLPL_OK : bad(b, "a layer", "", "has no kind");
}

static mlpl_status build(builder *b, mlpl_module **m, int64_t node) {
  const char *kind;
  int64_t params, children;
  MLPL_TRY(check_fields(b, node, &kind, &params, &children));
  bool sequential = strcmp(kind, mlpli_sequential.name) == 0;
  if (!sequential && children >= 0) return bad(b, kind, "", "takes no children");
  if (!sequential) return build_layer(b, m, kind, params);
  if (params >= 0) return bad(b, kind, "", "takes no params");
  if (children < 0) return bad(b, kind, "", "has no children");
  return build_children(b, m, children);
}

mlpl_status mlpli_arch_build(mlpl_ctx *cx, mlpl_module **m, const char *where,
    const char *text, size_t n, uint64_t elements) {
  builder b = {.cx = cx, .where = where, .elements = elements};
  *m = NULL;
  if (n > MLPLI_ARCH_BYTES)
    return mlpl_fail(
        cx, MLPL_EFORMAT, "%s: an architecture of %zu bytes is too large", where, n);
  MLPL_TRY(mlpli_json_parse(&b.tree, cx, where, text, n));
  /* weights are drawn, then overwritten */
  const mlpl_random_state random = mlpl_random_get(cx);
  mlpl_status status = build(&b, m, 0);
  mlpl_random_set(cx, random);
  mlpli_json_free(&b.tree);
  return status;
}
