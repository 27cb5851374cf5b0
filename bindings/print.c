/* tostring: the values in nested brackets, aligned, abbreviated when there are many; then
   shape and dtype. */
#include "bind.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MANY 1000 /* elements beyond which only the edges are shown */
#define EDGE 3    /* entries at either end of an axis then */
#define CELL 32

typedef struct printer {
  mlpl_tensor *t;
  bool abbreviate, whole;
  int width;
} printer;

static double value(const mlpl_tensor *t, const char *p) {
  float f;
  double d;
  int64_t i;
  switch (mlpl_tensor_dtype(t)) {
    case MLPL_F32: memcpy(&f, p, sizeof f); return (double)f;
    case MLPL_F64: memcpy(&d, p, sizeof d); return d;
    case MLPL_I64: memcpy(&i, p, sizeof i); return (double)i;
    default: return *(const unsigned char *)p;
  }
}

static int cell(const printer *f, const char *p, char *text) {
  mlpl_dtype dtype = mlpl_tensor_dtype(f->t);
  int64_t i;
  if (dtype == MLPL_BOOL) return snprintf(text, CELL, "%s", *p ? "true" : "false");
  if (dtype == MLPL_U8) return snprintf(text, CELL, "%d", *(const unsigned char *)p);
  if (dtype == MLPL_I64) {
    memcpy(&i, p, sizeof i);
    return snprintf(text, CELL, "%lld", (long long)i);
  }
  double v = value(f->t, p);
  if (isnan(v)) return snprintf(text, CELL, "nan"); /* printf may give it a sign */
  if (f->whole && isfinite(v)) return snprintf(text, CELL, "%.0f.", v);
  double a = fabs(v);
  if (isfinite(v) && a != 0 && (a < 1e-4 || a >= 1e6))
    return snprintf(text, CELL, "%.4e", v);
  return snprintf(text, CELL, isfinite(v) ? "%.4f" : "%g", v);
}

static bool skipped(const printer *f, int64_t i, int64_t n) {
  return f->abbreviate && n > 2 * EDGE && i >= EDGE && i < n - EDGE;
}

/* Widest cell, and whether all numbers are whole. */
static void measure(printer *f, int axis, const char *p, int pass) {
  if (axis == mlpl_tensor_ndim(f->t)) {
    char text[CELL];
    double v = value(f->t, p);
    if (pass == 0 && isfinite(v) && (v != floor(v) || fabs(v) >= 1e6)) f->whole = false;
    int n = pass ? cell(f, p, text) : 0;
    if (n > f->width) f->width = n;
    return;
  }
  int64_t n = mlpl_tensor_shape(f->t)[axis];
  int64_t step = mlpl_tensor_strides(f->t)[axis] *
      (int64_t)mlpl_dtype_bytes(mlpl_tensor_dtype(f->t));
  for (int64_t i = 0; i < n; i++) {
    if (skipped(f, i, n)) i = n - EDGE;
    measure(f, axis + 1, p + i * step, pass);
  }
}

static void add_spaces(luaL_Buffer *b, int n) {
  while (n-- > 0) luaL_addchar(b, ' ');
}

static void separator(const printer *f, luaL_Buffer *b, int axis) {
  int below = mlpl_tensor_ndim(f->t) - axis - 1; /* axes inside an entry */
  luaL_addchar(b, ',');
  if (below == 0)
    luaL_addchar(b, ' ');
  else {
    for (int i = 0; i < below; i++) luaL_addchar(b, '\n');
    add_spaces(b, axis + 1);
  }
}

static void print(const printer *f, luaL_Buffer *b, int axis, const char *p) {
  if (axis == mlpl_tensor_ndim(f->t)) {
    char text[CELL];
    int n = cell(f, p, text);
    add_spaces(b, axis ? f->width - n : 0);
    luaL_addstring(b, text);
    return;
  }
  int64_t n = mlpl_tensor_shape(f->t)[axis];
  int64_t step = mlpl_tensor_strides(f->t)[axis] *
      (int64_t)mlpl_dtype_bytes(mlpl_tensor_dtype(f->t));
  luaL_addchar(b, '[');
  for (int64_t i = 0; i < n; i++) {
    if (skipped(f, i, n)) {
      luaL_addstring(b, "...");
      separator(f, b, axis);
      i = n - EDGE;
    }
    print(f, b, axis + 1, p + i * step);
    if (i < n - 1) separator(f, b, axis);
  }
  luaL_addchar(b, ']');
}

void mlplb_tostring(lua_State *L, mlpl_tensor *t) {
  printer f = {t, mlpl_tensor_numel(t) > MANY, true, 0};
  luaL_Buffer b;
  char text[24];
  for (int pass = 0; pass < 2 && mlpl_tensor_numel(t); pass++)
    measure(&f, 0, mlpl_tensor_data(t), pass);
  luaL_buffinit(L, &b);
  if (mlpl_tensor_numel(t) || mlpl_tensor_ndim(t) <= 1)
    print(&f, &b, 0, mlpl_tensor_data(t));
  else
    luaL_addstring(&b, "[]");
  luaL_addstring(&b, mlpl_tensor_ndim(t) > 1 ? "\n[" : " [");
  for (int d = 0; d < mlpl_tensor_ndim(t); d++) {
    snprintf(
        text, sizeof text, "%s%lld", d ? "x" : "", (long long)mlpl_tensor_shape(t)[d]);
    luaL_addstring(&b, text);
  }
  luaL_addstring(&b, "] ");
  luaL_addstring(&b, mlpl_dtype_name(mlpl_tensor_dtype(t)));
  luaL_pushresult(&b);
}
