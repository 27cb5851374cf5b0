/*
** tostring: the values in nested brackets, aligned, abbreviated when there are many; then
** shape and dtype. The rules are PyTorch's but for two: whole numbers below 1e8 stay whole
** however much they differ, and the width of a column counts nan, inf and zeros, too.
*/
#include "bind.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOST_DIGITS 40
#define CELL (384 + MOST_DIGITS) /* 1e308 written out */

const mlplb_print mlplb_print_standard = {
    .precision = 4, .threshold = 1000, .edgeitems = 3, .linewidth = 80, .sci_mode = -1};

typedef struct printer {
  mlpl_tensor *t;
  const mlplb_print *options;
  bool abbreviate, real;
  bool whole;         /* no shown number has a fraction */
  bool scientific;    /* numbers with an exponent */
  double least, most; /* absolute values of the shown numbers that are finite, not 0 */
  int width;          /* of the widest cell */
} printer;

/* ---- numbers ----------------------------------------------------------------------- */

static double value(const printer *f, const char *p) {
  float v;
  double d;
  if (mlpl_tensor_dtype(f->t) == MLPL_F64) {
    memcpy(&d, p, sizeof d);
    return d;
  }
  memcpy(&v, p, sizeof v);
  return (double)v;
}

static int real_cell(const printer *f, double v, char *text) {
  int digits = f->options->precision;
  if (isnan(v)) return snprintf(text, CELL, "nan"); /* printf may give it a sign */
  if (isinf(v)) return snprintf(text, CELL, v < 0 ? "-inf" : "inf");
  if (f->scientific) return snprintf(text, CELL, "%.*e", digits, v);
  if (f->whole) return snprintf(text, CELL, "%.0f.", v);
  return snprintf(text, CELL, "%.*f", digits, v);
}

/* Returns the length. */
static int cell(const printer *f, const char *p, char *text) {
  int64_t i;
  switch (mlpl_tensor_dtype(f->t)) {
    case MLPL_BOOL: return snprintf(text, CELL, *p ? "true" : "false");
    case MLPL_U8: return snprintf(text, CELL, "%d", *(const unsigned char *)p);
    case MLPL_I64:
      memcpy(&i, p, sizeof i);
      return snprintf(text, CELL, "%lld", (long long)i);
    default: return real_cell(f, value(f, p), text);
  }
}

/* ---- what is shown ----------------------------------------------------------------- */

/* Entries of an axis that are left out: from `first` up to `last`. */
static bool skips(const printer *f, int axis, int64_t *first, int64_t *last) {
  int64_t n = mlpl_tensor_shape(f->t)[axis], edge = f->options->edgeitems;
  *first = edge;
  *last = n - edge;
  return f->abbreviate && edge < n && n - edge > edge;
}

static int64_t step_of(const printer *f, int axis) {
  return mlpl_tensor_strides(f->t)[axis] *
      (int64_t)mlpl_dtype_bytes(mlpl_tensor_dtype(f->t));
}

/* Call visit for every number that is shown. */
static void walk(
    printer *f, int axis, const char *p, void (*visit)(printer *, const char *)) {
  if (axis == mlpl_tensor_ndim(f->t)) {
    visit(f, p);
    return;
  }
  int64_t n = mlpl_tensor_shape(f->t)[axis], step = step_of(f, axis), first, last;
  bool some = skips(f, axis, &first, &last);
  for (int64_t i = 0; i < n; i++) {
    if (some && i == first) i = last;
    if (i < n) walk(f, axis + 1, p + i * step, visit);
  }
}

static void measure_range(printer *f, const char *p) {
  double v = value(f, p), a = fabs(v);
  if (!isfinite(v) || v == 0) return;
  if (v != floor(v)) f->whole = false;
  if (a < f->least) f->least = a;
  if (a > f->most) f->most = a;
}

static void measure_width(printer *f, const char *p) {
  char text[CELL];
  int n = cell(f, p, text);
  if (n > f->width) f->width = n;
}

static void choose_form(printer *f) {
  f->whole = true;
  f->least = HUGE_VAL;
  walk(f, 0, mlpl_tensor_data(f->t), measure_range);
  if (f->options->sci_mode >= 0)
    f->scientific = f->options->sci_mode;
  else if (f->most > 0)
    f->scientific = f->most > 1e8 ||
        (!f->whole && (f->most / f->least > 1000 || f->least < 1e-4));
}

/* ---- writing ----------------------------------------------------------------------- */

static void add_spaces(luaL_Buffer *b, int n) {
  while (n-- > 0) luaL_addchar(b, ' ');
}

static void add_cell(const printer *f, luaL_Buffer *b, const char *p) {
  char text[CELL];
  int n = cell(f, p, text);
  add_spaces(b, f->width - n);
  luaL_addlstring(b, text, (size_t)n);
}

/* The comma behind an entry, and what comes before the next: a blank line for each axis
   below but one. */
static void add_break(luaL_Buffer *b, int axis, int lines) {
  luaL_addchar(b, ',');
  while (lines-- > 0) luaL_addchar(b, '\n');
  add_spaces(b, axis + 1);
}

/* Numbers in lines. */
static void add_row(const printer *f, luaL_Buffer *b, int axis, const char *p) {
  int64_t n = mlpl_tensor_shape(f->t)[axis], step = step_of(f, axis), first, last, at = 0;
  int64_t a_line = (f->options->linewidth - axis) / (f->width + 2);
  bool some = skips(f, axis, &first, &last);
  for (int64_t i = 0; i < n; i++, at++) {
    if (at && a_line > 1 && at % a_line)
      luaL_addlstring(b, ", ", 2);
    else if (at)
      add_break(b, axis, 1);
    if (some && i == first) {
      luaL_addlstring(b, "...", 3);
      i = last - 1;
    }
    else
      add_cell(f, b, p + i * step);
  }
}

static void add_axis(const printer *f, luaL_Buffer *b, int axis, const char *p) {
  int below = mlpl_tensor_ndim(f->t) - axis - 1; /* axes inside an entry */
  luaL_addchar(b, '[');
  if (below == 0) {
    add_row(f, b, axis, p);
  }
  else {
    int64_t n = mlpl_tensor_shape(f->t)[axis], step = step_of(f, axis), first, last;
    bool some = skips(f, axis, &first, &last);
    for (int64_t i = 0; i < n; i++) {
      if (i) add_break(b, axis, below);
      if (some && i == first) {
        luaL_addlstring(b, "...", 3);
        i = last - 1;
      }
      else
        add_axis(f, b, axis + 1, p + i * step);
    }
  }
  luaL_addchar(b, ']');
}

static void add_values(printer *f, luaL_Buffer *b) {
  const char *p = mlpl_tensor_data(f->t);
  if (mlpl_tensor_numel(f->t) == 0)
    luaL_addstring(b, "[]");
  else if (mlpl_tensor_ndim(f->t) == 0)
    add_cell(f, b, p);
  else
    add_axis(f, b, 0, p);
}

static void add_shape(const mlpl_tensor *t, luaL_Buffer *b) {
  char text[24];
  luaL_addstring(b, mlpl_tensor_ndim(t) > 1 ? "\n[" : " [");
  for (int d = 0; d < mlpl_tensor_ndim(t); d++) {
    snprintf(
        text, sizeof text, "%s%lld", d ? "x" : "", (long long)mlpl_tensor_shape(t)[d]);
    luaL_addstring(b, text);
  }
  luaL_addstring(b, "] ");
  luaL_addstring(b, mlpl_dtype_name(mlpl_tensor_dtype(t)));
}

void mlplb_tostring(lua_State *L, mlpl_tensor *t) {
  const mlplb_print options = mlplb_get(L)->print; /* a finalizer may change them */
  printer f = {.t = t, .options = &options};
  luaL_Buffer b;
  f.abbreviate = mlpl_tensor_numel(t) > options.threshold;
  f.real = mlpl_tensor_dtype(t) <= MLPL_F64;
  if (mlpl_tensor_numel(t)) {
    if (f.real) choose_form(&f);
    walk(&f, 0, mlpl_tensor_data(t), measure_width);
  }
  luaL_buffinit(L, &b);
  add_values(&f, &b);
  add_shape(t, &b);
  luaL_pushresult(&b);
}

/* ---- options ----------------------------------------------------------------------- */

static const char *const keys[] = {
    "precision", "threshold", "edgeitems", "linewidth", "sci_mode", NULL};

/* A whole number from `least` up to `most`, or what it was; infinity: no limit. */
static lua_Integer get_number(lua_State *L, const char *name, lua_Integer was,
    lua_Integer least, lua_Integer most) {
  lua_Integer v = was;
  int type = mlplb_get_option(L, 1, name);
  if (type == LUA_TNUMBER && most == LUA_MAXINTEGER && lua_tonumber(L, -1) == HUGE_VAL)
    v = most;
  else if (type != LUA_TNIL)
    v = mlplb_whole(L, lua_gettop(L), "set_printoptions", name);
  if (v < least || v > most) {
    if (most == LUA_MAXINTEGER)
      luaL_error(L, "set_printoptions: %s is %I; it must be %I or more", name, v, least);
    luaL_error(
        L, "set_printoptions: %s is %I; it must be %I to %I", name, v, least, most);
  }
  lua_pop(L, 1);
  return v;
}

static int get_mode(lua_State *L, int was) {
  int mode = was, type = mlplb_get_option(L, 1, "sci_mode");
  if (type == LUA_TBOOLEAN)
    mode = lua_toboolean(L, -1);
  else if (type == LUA_TSTRING && strcmp(lua_tostring(L, -1), "auto") == 0)
    mode = -1;
  else if (type != LUA_TNIL)
    luaL_error(L, "set_printoptions: sci_mode is %s; it must be true, false or 'auto'",
        mlplb_shown(L, -1));
  lua_pop(L, 1);
  return mode;
}

/* set_printoptions { precision = 4, threshold = 1000, edgeitems = 3, linewidth = 80,
   sci_mode = "auto" }: what is not named stays as it was */
static int set_printoptions(lua_State *L) {
  mlplb_at_most(L, "set_printoptions", 1);
  mlplb_state *s = mlplb_get(L);
  mlplb_print p = s->print;
  if (!lua_istable(L, 1) || lua_rawlen(L, 1) > 0)
    return luaL_error(L,
        "set_printoptions: the options are %s; they must be a table with names: "
        "{ precision = 2 }",
        lua_istable(L, 1) ? "an array" : mlplb_shown(L, 1));
  mlplb_known_keys(L, 1, "set_printoptions", keys);
  p.precision = (int)get_number(L, "precision", p.precision, 0, MOST_DIGITS);
  p.threshold = get_number(L, "threshold", p.threshold, 0, LUA_MAXINTEGER);
  p.edgeitems = get_number(L, "edgeitems", p.edgeitems, 0, LUA_MAXINTEGER);
  p.linewidth = get_number(L, "linewidth", p.linewidth, 1, LUA_MAXINTEGER);
  p.sci_mode = get_mode(L, p.sci_mode);
  s->print = p;
  return 0;
}

static void set_count(lua_State *L, const char *name, lua_Integer n) {
  if (n == LUA_MAXINTEGER)
    lua_pushnumber(L, HUGE_VAL);
  else
    lua_pushinteger(L, n);
  lua_setfield(L, -2, name);
}

/* get_printoptions(): the options as set_printoptions takes them */
static int get_printoptions(lua_State *L) {
  mlplb_at_most(L, "get_printoptions", 0);
  const mlplb_print p = mlplb_get(L)->print;
  lua_createtable(L, 0, 5);
  set_count(L, "precision", p.precision);
  set_count(L, "threshold", p.threshold);
  set_count(L, "edgeitems", p.edgeitems);
  set_count(L, "linewidth", p.linewidth);
  if (p.sci_mode < 0)
    lua_pushliteral(L, "auto");
  else
    lua_pushboolean(L, p.sci_mode);
  lua_setfield(L, -2, "sci_mode");
  return 1;
}

void mlplb_open_print(lua_State *L) {
  static const luaL_Reg functions[] = {{"set_printoptions", set_printoptions},
      {"get_printoptions", get_printoptions}, {NULL, NULL}};
  mlplb_setfuncs(L, functions);
}
