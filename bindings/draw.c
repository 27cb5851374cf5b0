/* Random numbers: tensors of given sizes or like another, draws by probabilities,
   permutations, and tensors filled in place. */
#include "bind.h"

#include <string.h>

/* ---- one draw ---------------------------------------------------------------------- */

/* After a draw with g in the place of the state's own generator, which comes back: is there
   to be another one, because memory lacked? */
static bool drawn_in_vain(
    lua_State *L, mlplb_state *s, mlplb_generator *g, mlpl_status status, int *tries) {
  mlplb_generator_swap(s, g);
  return mlplb_again(L, s, status, tries);
}

/* v as a tensor without axes, in a box that stays on the stack. */
static mlpl_tensor *number_tensor(
    lua_State *L, const char *what, mlpl_dtype dtype, double v) {
  mlplb_state *s = mlplb_get(L);
  mlpl_tensor *t = NULL;
  mlpl_status status;
  int tries = 0;
  mlplb_box *box = mlplb_tensor_box(L);
  do status = mlpl_tensor_full(s->cx, &t, dtype, 0, NULL, v);
  while (mlplb_again(L, s, status, &tries));
  box->object = t;
  if (status != MLPL_OK) mlplb_raise_as(L, s, what);
  return t;
}

/* ---- draws that make a tensor ------------------------------------------------------ */

/* The options table behind n arguments, or 0; what is between is one argument too many. */
static int options_after(
    lua_State *L, int n, const char *what, const char *const *names) {
  int options = lua_gettop(L) > n ? mlplb_options(L) : 0;
  int last = options ? options - 1 : lua_gettop(L);
  for (int i = n + 1; i <= last; i++)
    if (!lua_isnil(L, i))
      luaL_error(L, "%s: one argument too many: %s", what, mlplb_shown(L, i));
  mlplb_known_keys(L, options, what, names);
  return options;
}

static const char *const generator_alone[] = {"generator", NULL};

/* mlpl.bernoulli(p, { generator = g }), also a method of p */
static int bernoulli(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  const mlpl_tensor *p = mlplb_check_tensor(L, 1);
  int options = options_after(L, 1, "bernoulli", generator_alone), tries = 0;
  mlplb_generator *g = mlplb_generator_at(L, options, "bernoulli");
  mlpl_tensor *t = NULL;
  mlpl_status status;
  mlplb_pressure(L, s);
  mlplb_box *box = mlplb_tensor_box(L);
  do {
    mlplb_generator_swap(s, g);
    status = mlpl_tensor_bernoulli(s->cx, &t, p);
  } while (drawn_in_vain(L, s, g, status, &tries));
  box->object = t;
  return status == MLPL_OK ? 1 : mlplb_raise_as(L, s, "bernoulli");
}

/* mlpl.multinomial(weights, n, { replacement = true }), also a method of weights */
static int multinomial(lua_State *L) {
  static const char *const names[] = {"replacement", "generator", NULL};
  mlplb_state *s = mlplb_get(L);
  const mlpl_tensor *weights = mlplb_check_tensor(L, 1);
  bool counted = lua_type(L, 2) == LUA_TNUMBER;
  lua_Integer n = lua_isnoneornil(L, 2) || (!counted && lua_istable(L, 2))
      ? 1
      : mlplb_whole(L, 2, "multinomial", "n");
  bool positional = lua_isboolean(L, 3);
  int options = options_after(L,
      positional                       ? 3
          : counted || lua_isnil(L, 2) ? 2
                                       : 1,
      "multinomial", names);
  bool replacement = positional
      ? lua_toboolean(L, 3)
      : mlplb_get_flag(L, options, "multinomial", "replacement", false);
  mlplb_generator *g = mlplb_generator_at(L, options, "multinomial");
  int tries = 0;
  mlpl_tensor *t = NULL;
  mlpl_status status;
  mlplb_pressure(L, s);
  mlplb_box *box = mlplb_tensor_box(L);
  do {
    mlplb_generator_swap(s, g);
    status = mlpl_tensor_multinomial(s->cx, &t, weights, n, replacement);
  } while (drawn_in_vain(L, s, g, status, &tries));
  box->object = t;
  return status == MLPL_OK ? 1 : mlplb_raise_as(L, s, "multinomial");
}

/* mlpl.randperm(n, { dtype = "f32" }): 1 to n */
static int randperm(lua_State *L) {
  static const char *const names[] = {"dtype", "generator", NULL};
  mlplb_state *s = mlplb_get(L);
  lua_Integer n = mlplb_whole(L, 1, "randperm", "n");
  int options = options_after(L, 1, "randperm", names), tries = 0;
  mlpl_dtype dtype = MLPL_I64;
  if (mlplb_get_option(L, options, "dtype") != LUA_TNIL)
    dtype = mlplb_dtype(L, lua_gettop(L), "randperm");
  mlplb_generator *g = mlplb_generator_at(L, options, "randperm");
  mlpl_tensor *t = NULL;
  mlpl_status status;
  mlplb_pressure(L, s);
  mlplb_box *box = mlplb_tensor_box(L);
  do {
    mlplb_generator_swap(s, g);
    status = mlpl_tensor_randperm(s->cx, &t, dtype, n);
  } while (drawn_in_vain(L, s, g, status, &tries));
  box->object = t;
  return status == MLPL_OK ? 1 : mlplb_raise_as(L, s, "randperm");
}

/* ---- of given sizes, and like another tensor --------------------------------------- */

typedef struct drawing {
  mlplb_making m;
  mlplb_generator *g; /* NULL: the state's own */
  int ndim;
  int64_t shape[MLPL_MAX_RANK];
} drawing;

static const char *const drawing_keys[] = {"dtype", "requires_grad", "generator", NULL};

/* The sizes stand at argument `first` and after. The generator stays on the stack. */
static drawing of_sizes(lua_State *L, const char *what, mlpl_dtype standard, int first) {
  const int options = mlplb_options(L), end = options ? options : lua_gettop(L) + 1;
  mlplb_known_keys(L, options, what, drawing_keys);
  drawing d = {.m = mlplb_making_of(L, options, what, standard)};
  d.ndim = mlplb_sizes(L, what, first, end, d.shape);
  d.g = mlplb_generator_at(L, options, what);
  return d;
}

/* The sizes and, unless another is asked for, the dtype of the tensor at 1; the options are
   behind n arguments. */
static drawing like_tensor(lua_State *L, const char *what, int n) {
  const mlpl_tensor *x = mlplb_check_tensor(L, 1);
  const int options = options_after(L, n, what, drawing_keys);
  drawing d = {.m = mlplb_making_of(L, options, what, mlpl_tensor_dtype(x)),
      .ndim = mlpl_tensor_ndim(x)};
  memcpy(d.shape, mlpl_tensor_shape(x), (size_t)d.ndim * sizeof *d.shape);
  d.g = mlplb_generator_at(L, options, what);
  return d;
}

typedef mlpl_status real_draw(mlpl_ctx *cx, mlpl_tensor **t, mlpl_dtype dtype, int ndim,
    const int64_t *shape, double a, double b);

static int draw_reals(
    lua_State *L, const drawing *d, real_draw *draw, double a, double b) {
  mlplb_state *s = mlplb_get(L);
  mlpl_tensor *t = NULL;
  mlpl_status status;
  int tries = 0;
  mlplb_pressure(L, s);
  mlplb_box *box = mlplb_tensor_box(L);
  do {
    mlplb_generator_swap(s, d->g);
    status = draw(s->cx, &t, d->m.dtype, d->ndim, d->shape, a, b);
  } while (drawn_in_vain(L, s, d->g, status, &tries));
  return mlplb_finish(L, &d->m, box, t, status);
}

static int rand_(lua_State *L) {
  const drawing d = of_sizes(L, "rand", MLPL_F32, 1);
  return draw_reals(L, &d, mlpl_tensor_rand, 0, 1);
}
static int rand_like(lua_State *L) {
  const drawing d = like_tensor(L, "rand_like", 1);
  return draw_reals(L, &d, mlpl_tensor_rand, 0, 1);
}
static int randn(lua_State *L) {
  const drawing d = of_sizes(L, "randn", MLPL_F32, 1);
  return draw_reals(L, &d, mlpl_tensor_randn, 0, 1);
}
static int randn_like(lua_State *L) {
  const drawing d = like_tensor(L, "randn_like", 1);
  return draw_reals(L, &d, mlpl_tensor_randn, 0, 1);
}

/* A mean or a deviation that is a tensor, or becomes one. */
static mlpl_tensor *parameter(
    lua_State *L, int arg, const char *name, double standard, mlpl_dtype dtype) {
  mlpl_tensor *t = mlplb_test_tensor(L, arg);
  if (t) return t;
  const double v = lua_isnoneornil(L, arg) ? standard : lua_tonumber(L, arg);
  if (!lua_isnoneornil(L, arg) && lua_type(L, arg) != LUA_TNUMBER)
    luaL_error(L, "normal: %s is %s; it must be a number or a tensor", name,
        mlplb_shown(L, arg));
  return number_tensor(L, "normal", dtype, v);
}

/* normal(means, deviations, { generator = g }): a number for each */
static int normal_of(lua_State *L) {
  static const char *const keys[] = {"generator", NULL};
  mlplb_state *s = mlplb_get(L);
  const int options = mlplb_options(L), n = options ? options - 1 : lua_gettop(L);
  mlpl_tensor *in[2] = {NULL, NULL}, *t = NULL;
  mlpl_status status;
  int tries = 0;
  mlplb_known_keys(L, options, "normal", keys);
  if (n > 2)
    return luaL_error(L,
        "normal: one argument too many: %s; tensors have their own sizes",
        mlplb_shown(L, 3));
  mlplb_generator *g = mlplb_generator_at(L, options, "normal");
  for (int i = 0; i < 2; i++)
    if (i < n) in[i] = mlplb_test_tensor(L, i + 1);
  mlpl_dtype dtype = mlpl_tensor_dtype(in[0] ? in[0] : in[1]);
  if (dtype != MLPL_F64) dtype = MLPL_F32;
  if (n < 2) lua_pushnil(L), lua_insert(L, 2);
  in[0] = parameter(L, 1, "mean", 0, dtype);
  in[1] = parameter(L, 2, "std", 1, dtype);
  mlplb_pressure(L, s);
  mlplb_box *box = mlplb_tensor_box(L);
  do {
    mlplb_generator_swap(s, g);
    status = mlpl_normal(s->cx, &t, in[0], in[1]);
  } while (drawn_in_vain(L, s, g, status, &tries));
  box->object = t;
  return status == MLPL_OK ? 1 : mlplb_raise_as(L, s, "normal");
}

/* normal(mean, std, {n}), or of tensors */
static int normal(lua_State *L) {
  if (mlplb_test_tensor(L, 1) || mlplb_test_tensor(L, 2)) return normal_of(L);
  for (int i = 1; i <= 2; i++)
    if (lua_type(L, i) != LUA_TNUMBER)
      return luaL_error(L, "normal: %s is %s; it must be a number or a tensor",
          i == 1 ? "mean" : "std", mlplb_shown(L, i));
  const double mean = lua_tonumber(L, 1), std = lua_tonumber(L, 2);
  if (std < 0)
    return luaL_error(L, "normal: std is %s; it must be 0 or more", mlplb_shown(L, 2));
  const drawing d = of_sizes(L, "normal", MLPL_F32, 3);
  return draw_reals(L, &d, mlpl_tensor_randn, mean, std);
}

typedef struct span {
  lua_Integer lo, hi;
} span;

/* From the number at argument `first` to the next one, both included. */
static span span_at(lua_State *L, int first, const char *what) {
  const lua_Integer lo = mlplb_whole(L, first, what, "the lowest number");
  return (span){lo, mlplb_whole(L, first + 1, what, "the highest number")};
}

static int draw_whole(lua_State *L, const drawing *d, span of) {
  mlplb_state *s = mlplb_get(L);
  mlpl_tensor *t = NULL;
  mlpl_status status;
  int tries = 0;
  mlplb_pressure(L, s);
  mlplb_box *box = mlplb_tensor_box(L);
  do {
    mlplb_generator_swap(s, d->g);
    status = mlpl_tensor_randint(s->cx, &t, d->m.dtype, d->ndim, d->shape, of.lo, of.hi);
  } while (drawn_in_vain(L, s, d->g, status, &tries));
  return mlplb_finish(L, &d->m, box, t, status);
}

/* randint(1, 6, {n}), randint_like(x, 1, 6) */
static int randint(lua_State *L) {
  const span of = span_at(L, 1, "randint");
  const drawing d = of_sizes(L, "randint", MLPL_I64, 3);
  return draw_whole(L, &d, of);
}
static int randint_like(lua_State *L) {
  const drawing d = like_tensor(L, "randint_like", 3);
  return draw_whole(L, &d, span_at(L, 2, "randint_like"));
}

/* ---- in place ---------------------------------------------------------------------- */

/* Numbers a and b of a fill: in order, or by name in the trailing table. */
typedef struct fill_kind {
  const char *what, *name[2];
  double standard[2];
  int n;
} fill_kind;

static double fill_number(lua_State *L, int index, const fill_kind *f, int i) {
  if (lua_type(L, index) != LUA_TNUMBER)
    luaL_error(L, "%s: %s is %s; it must be a number", f->what, f->name[i],
        mlplb_shown(L, index));
  return lua_tonumber(L, index);
}

static mlplb_generator *fill_options(lua_State *L, const fill_kind *f, double *v) {
  const char *names[4] = {NULL};
  int n = lua_gettop(L), options = n > 1 ? mlplb_options(L) : 0;
  int last = options ? options - 1 : n;
  for (int i = 0; i < f->n; i++) names[i] = f->name[i];
  names[f->n] = "generator";
  if (last > 1 + f->n)
    luaL_error(L, "%s: one argument too many: %s", f->what, mlplb_shown(L, 2 + f->n));
  mlplb_known_keys(L, options, f->what, names);
  for (int i = 0; i < f->n; i++) {
    bool given = i + 2 <= last && !lua_isnil(L, i + 2);
    v[i] = given ? fill_number(L, i + 2, f, i) : f->standard[i];
    if (mlplb_get_option(L, options, f->name[i]) == LUA_TNIL) continue;
    if (given) luaL_error(L, "%s: %s is given twice", f->what, f->name[i]);
    v[i] = fill_number(L, lua_gettop(L), f, i);
  }
  return mlplb_generator_at(L, options, f->what);
}

static int fill_end(lua_State *L, mlplb_state *s, const char *what, mlpl_status status) {
  if (status != MLPL_OK) return mlplb_raise_as(L, s, what);
  lua_settop(L, 1);
  return 1;
}

typedef mlpl_status fill_function(mlpl_ctx *cx, mlpl_tensor *t, double a, double b);

static int fill(lua_State *L, const fill_kind *f, fill_function *draw) {
  mlplb_state *s = mlplb_get(L);
  mlpl_tensor *t = mlplb_check_tensor(L, 1);
  double v[2] = {0};
  mlpl_status status;
  int tries = 0;
  mlplb_generator *g = fill_options(L, f, v);
  do {
    mlplb_generator_swap(s, g);
    status = draw(s->cx, t, v[0], v[1]);
  } while (drawn_in_vain(L, s, g, status, &tries));
  return fill_end(L, s, f->what, status);
}

/* x:uniform_(from, to), x:normal_(mean, std), x:exponential_(lambd): x itself */
static int uniform_(lua_State *L) {
  static const fill_kind kind = {"uniform_", {"from", "to"}, {0, 1}, 2};
  return fill(L, &kind, mlpl_tensor_fill_uniform);
}

static int normal_(lua_State *L) {
  static const fill_kind kind = {"normal_", {"mean", "std"}, {0, 1}, 2};
  return fill(L, &kind, mlpl_tensor_fill_normal);
}

static mlpl_status draw_exponential(mlpl_ctx *cx, mlpl_tensor *t, double a, double b) {
  (void)b;
  return mlpl_tensor_fill_exponential(cx, t, a);
}

static int exponential_(lua_State *L) {
  static const fill_kind kind = {"exponential_", {"lambd"}, {1}, 1};
  return fill(L, &kind, draw_exponential);
}

/* x:bernoulli_(p): a number, or a tensor of x's shape */
static int bernoulli_(lua_State *L) {
  static const fill_kind kind = {"bernoulli_", {"p"}, {0.5}, 1};
  mlplb_state *s = mlplb_get(L);
  mlpl_tensor *t = mlplb_check_tensor(L, 1), *p = mlplb_test_tensor(L, 2);
  mlplb_generator *g;
  mlpl_status status;
  int tries = 0;
  if (p)
    g = mlplb_generator_at(
        L, options_after(L, 2, "bernoulli_", generator_alone), "bernoulli_");
  else {
    double v[2];
    bool real = mlpl_tensor_dtype(t) == MLPL_F32;
    g = fill_options(L, &kind, v);
    p = number_tensor(L, "bernoulli_", real ? MLPL_F32 : MLPL_F64, v[0]);
  }
  do {
    mlplb_generator_swap(s, g);
    status = mlpl_tensor_fill_bernoulli(s->cx, t, p);
  } while (drawn_in_vain(L, s, g, status, &tries));
  return fill_end(L, s, "bernoulli_", status);
}

/* ---- opening ----------------------------------------------------------------------- */

void mlplb_open_draw_methods(lua_State *L) {
  static const luaL_Reg methods[] = {{"bernoulli", bernoulli},
      {"multinomial", multinomial}, {"uniform_", uniform_}, {"normal_", normal_},
      {"exponential_", exponential_}, {"bernoulli_", bernoulli_}, {NULL, NULL}};
  mlplb_setfuncs(L, methods);
}

void mlplb_open_draws(lua_State *L) {
  static const luaL_Reg functions[] = {{"rand", rand_}, {"randn", randn},
      {"normal", normal}, {"randint", randint}, {"rand_like", rand_like},
      {"randn_like", randn_like}, {"randint_like", randint_like},
      {"bernoulli", bernoulli}, {"multinomial", multinomial}, {"randperm", randperm},
      {NULL, NULL}};
  mlplb_setfuncs(L, functions);
}
