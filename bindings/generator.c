/*
** Random numbers: generators beside the state's own, their states as text, and what is
** drawn by probabilities, as permutations or in place.
**
** A generator lends its state to the context for the time of an engine call. Its text
** holds the seed as well, so that it survives a file whole.
*/
#include "bind.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define GENERATOR "mlpl.Generator"

struct mlplb_generator {
  mlpl_random_state state;
  lua_Integer seed;
};

/* ---- lending ----------------------------------------------------------------------- */

/* The option `generator` of the table at index, or NULL: the state's own. Pushes it. */
mlplb_generator *mlplb_generator_at(lua_State *L, int options, const char *what) {
  if (mlplb_get_option(L, options, "generator") == LUA_TNIL) return NULL;
  mlplb_generator *g = luaL_testudata(L, -1, GENERATOR);
  if (!g)
    luaL_error(
        L, "%s: generator is %s; it must be a mlpl.Generator", what, mlplb_shown(L, -1));
  return g;
}

/* The context takes the generator's state and gives its own; twice: as before. */
void mlplb_generator_swap(mlplb_state *s, mlplb_generator *g) {
  if (!g) return;
  mlpl_random_state own = mlpl_random_get(s->cx);
  mlpl_random_set(s->cx, g->state);
  g->state = own;
}

/* ---- states as text ---------------------------------------------------------------- */

/* "philox4x32-10 seed key0 key1 counter" */
#define FORM "philox4x32-10"

static int push_state(lua_State *L, mlpl_random_state state, lua_Integer seed) {
  char text[96];
  snprintf(text, sizeof text, FORM " %lld %08" PRIx32 " %08" PRIx32 " %016" PRIx64,
      (long long)seed, state.key[0], state.key[1], state.counter);
  lua_pushstring(L, text);
  return 1;
}

/* Believed only when it is what push_state writes for these numbers. */
static mlpl_random_state check_state(
    lua_State *L, int arg, const char *what, lua_Integer *seed) {
  mlpl_random_state state;
  long long number = 0;
  size_t n = 0;
  const char *text = lua_type(L, arg) == LUA_TSTRING ? lua_tolstring(L, arg, &n) : "";
  bool good = n < 96 &&
      sscanf(text, FORM " %lld %" SCNx32 " %" SCNx32 " %" SCNx64, &number, &state.key[0],
          &state.key[1], &state.counter) == 4;
  if (good) {
    push_state(L, state, number);
    good = lua_rawequal(L, -1, arg);
    lua_pop(L, 1);
  }
  if (!good)
    luaL_error(L, "%s: %s is not a generator's state", what, mlplb_shown(L, arg));
  *seed = number;
  return state;
}

/* mlpl.get_rng_state(), mlpl.set_rng_state(state) */
static int get_rng_state(lua_State *L) {
  const mlplb_state *s = mlplb_get(L);
  mlplb_at_most(L, "get_rng_state", 0);
  return push_state(L, mlpl_random_get(s->cx), s->seed);
}

static int set_rng_state(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  mlplb_at_most(L, "set_rng_state", 1);
  mlpl_random_state state = check_state(L, 1, "set_rng_state", &s->seed);
  mlpl_random_set(s->cx, state);
  return 0;
}

/* ---- generators -------------------------------------------------------------------- */

static mlplb_generator *check(lua_State *L) { return luaL_checkudata(L, 1, GENERATOR); }

static void seed_it(mlplb_state *s, mlplb_generator *g, lua_Integer seed) {
  mlpl_random_state own = mlpl_random_get(s->cx);
  mlpl_seed(s->cx, (uint64_t)seed);
  g->state = mlpl_random_get(s->cx);
  g->seed = seed;
  mlpl_random_set(s->cx, own);
}

/* mlpl.Generator(seed) */
static int new_generator(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  mlplb_at_most(L, "Generator", 1);
  lua_Integer seed = lua_isnoneornil(L, 1) ? 0
                                           : mlplb_whole(L, 1, "Generator", "the seed");
  mlplb_generator *g = lua_newuserdatauv(L, sizeof *g, 0);
  seed_it(s, g, seed);
  luaL_setmetatable(L, GENERATOR);
  return 1;
}

/* g:seed(n) seeds it anew and gives n; g:seed() gives the seed that was last set */
static int generator_seed(lua_State *L) {
  mlplb_generator *g = check(L);
  mlplb_at_most(L, "seed", 2);
  if (!lua_isnoneornil(L, 2))
    seed_it(mlplb_get(L), g, mlplb_whole(L, 2, "seed", "the seed"));
  lua_pushinteger(L, g->seed);
  return 1;
}

/* PyTorch's: g itself */
static int generator_manual_seed(lua_State *L) {
  mlplb_generator *g = check(L);
  mlplb_at_most(L, "manual_seed", 2);
  seed_it(mlplb_get(L), g, mlplb_whole(L, 2, "manual_seed", "the seed"));
  lua_settop(L, 1);
  return 1;
}

static int generator_initial_seed(lua_State *L) {
  mlplb_at_most(L, "initial_seed", 1);
  lua_pushinteger(L, check(L)->seed);
  return 1;
}

static int generator_state_as(lua_State *L, const char *what) {
  const mlplb_generator *g = check(L);
  mlplb_at_most(L, what, 1);
  return push_state(L, g->state, g->seed);
}

static int generator_state(lua_State *L) { return generator_state_as(L, "state"); }
static int generator_get_state(lua_State *L) {
  return generator_state_as(L, "get_state");
}

static int generator_set_state(lua_State *L) {
  mlplb_generator *g = check(L);
  mlplb_at_most(L, "set_state", 2);
  mlpl_random_state state = check_state(L, 2, "set_state", &g->seed);
  g->state = state;
  lua_settop(L, 1);
  return 1;
}

static int generator_tostring(lua_State *L) {
  lua_pushfstring(L, "Generator(%I)", check(L)->seed);
  return 1;
}

static int generator_index(lua_State *L) { return mlplb_method(L, "generator"); }

static int no_field(lua_State *L) {
  return luaL_error(L, "a generator has no field %s that can be set", mlplb_shown(L, 2));
}

static void open_generator(lua_State *L) {
  static const luaL_Reg meta[] = {
      {"__tostring", generator_tostring}, {"__newindex", no_field}, {NULL, NULL}};
  static const luaL_Reg methods[] = {{"seed", generator_seed},
      {"manual_seed", generator_manual_seed}, {"initial_seed", generator_initial_seed},
      {"state", generator_state}, {"get_state", generator_get_state},
      {"set_state", generator_set_state}, {NULL, NULL}};
  luaL_newmetatable(L, GENERATOR);
  mlplb_setfuncs(L, meta);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  mlplb_push_upvalues(L);
  lua_createtable(L, 0, 8);
  mlplb_setfuncs(L, methods);
  lua_pushcclosure(L, generator_index, MLPLB_UPVALUES + 1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
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
    mlplb_generator_swap(s, g);
  } while (mlplb_again(L, s, status, &tries));
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
    mlplb_generator_swap(s, g);
  } while (mlplb_again(L, s, status, &tries));
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
    mlplb_generator_swap(s, g);
  } while (mlplb_again(L, s, status, &tries));
  box->object = t;
  return status == MLPL_OK ? 1 : mlplb_raise_as(L, s, "randperm");
}

/* ---- like another tensor ----------------------------------------------------------- */

typedef struct like {
  const char *what;
  mlpl_dtype dtype;
  bool requires_grad;
  mlplb_generator *g;
} like;

/* The options behind n arguments; dtype is x's unless another is asked for. */
static like like_options(lua_State *L, const char *what, const mlpl_tensor *x, int n) {
  static const char *const names[] = {"dtype", "requires_grad", "generator", NULL};
  like l = {what, mlpl_tensor_dtype(x), false, NULL};
  int options = options_after(L, n, what, names);
  if (mlplb_get_option(L, options, "dtype") != LUA_TNIL)
    l.dtype = mlplb_dtype(L, lua_gettop(L), what);
  l.requires_grad = mlplb_get_flag(L, options, what, "requires_grad", false);
  l.g = mlplb_generator_at(L, options, what);
  return l;
}

static int finish_like(
    lua_State *L, const like *l, mlplb_box *box, mlpl_tensor *t, mlpl_status status) {
  mlplb_state *s = mlplb_get(L);
  box->object = t;
  if (status == MLPL_OK && l->requires_grad)
    status = mlpl_tensor_set_requires_grad(s->cx, t, true);
  return status == MLPL_OK ? 1 : mlplb_raise_as(L, s, l->what);
}

typedef mlpl_status real_draw(mlpl_ctx *cx, mlpl_tensor **t, mlpl_dtype dtype, int ndim,
    const int64_t *shape, double a, double b);

static int draw_like(lua_State *L, const char *what, real_draw *draw) {
  mlplb_state *s = mlplb_get(L);
  const mlpl_tensor *x = mlplb_check_tensor(L, 1);
  like l = like_options(L, what, x, 1);
  mlpl_tensor *t = NULL;
  if (l.dtype > MLPL_F64)
    return luaL_error(L, "%s: dtype is %s; random real numbers need f32 or f64", what,
        mlpl_dtype_name(l.dtype));
  mlpl_status status;
  int tries = 0;
  mlplb_pressure(L, s);
  mlplb_box *box = mlplb_tensor_box(L);
  do {
    mlplb_generator_swap(s, l.g);
    status = draw(s->cx, &t, l.dtype, mlpl_tensor_ndim(x), mlpl_tensor_shape(x), 0, 1);
    mlplb_generator_swap(s, l.g);
  } while (mlplb_again(L, s, status, &tries));
  return finish_like(L, &l, box, t, status);
}

static int rand_like(lua_State *L) { return draw_like(L, "rand_like", mlpl_tensor_rand); }
static int randn_like(lua_State *L) {
  return draw_like(L, "randn_like", mlpl_tensor_randn);
}

/* mlpl.randint_like(x, 1, 6): both ends included */
static int randint_like(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  const mlpl_tensor *x = mlplb_check_tensor(L, 1);
  lua_Integer lo = mlplb_whole(L, 2, "randint_like", "the lowest number");
  lua_Integer hi = mlplb_whole(L, 3, "randint_like", "the highest number");
  like l = like_options(L, "randint_like", x, 3);
  mlpl_tensor *t = NULL;
  mlpl_status status;
  int tries = 0;
  mlplb_pressure(L, s);
  mlplb_box *box = mlplb_tensor_box(L);
  do {
    mlplb_generator_swap(s, l.g);
    status = mlpl_tensor_randint(
        s->cx, &t, l.dtype, mlpl_tensor_ndim(x), mlpl_tensor_shape(x), lo, hi);
    mlplb_generator_swap(s, l.g);
  } while (mlplb_again(L, s, status, &tries));
  return finish_like(L, &l, box, t, status);
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
    mlplb_generator_swap(s, g);
  } while (mlplb_again(L, s, status, &tries));
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
    mlplb_box *box = mlplb_tensor_box(L);
    status = mlpl_tensor_full(s->cx, &p, real ? MLPL_F32 : MLPL_F64, 0, NULL, v[0]);
    box->object = p;
    if (status != MLPL_OK) return mlplb_raise_as(L, s, "bernoulli_");
  }
  do {
    mlplb_generator_swap(s, g);
    status = mlpl_tensor_fill_bernoulli(s->cx, t, p);
    mlplb_generator_swap(s, g);
  } while (mlplb_again(L, s, status, &tries));
  return fill_end(L, s, "bernoulli_", status);
}

/* ---- opening ----------------------------------------------------------------------- */

void mlplb_open_random_methods(lua_State *L) {
  static const luaL_Reg methods[] = {{"bernoulli", bernoulli},
      {"multinomial", multinomial}, {"uniform_", uniform_}, {"normal_", normal_},
      {"exponential_", exponential_}, {"bernoulli_", bernoulli_}, {NULL, NULL}};
  mlplb_setfuncs(L, methods);
}

void mlplb_open_random(lua_State *L) {
  static const luaL_Reg functions[] = {{"Generator", new_generator},
      {"get_rng_state", get_rng_state}, {"set_rng_state", set_rng_state},
      {"bernoulli", bernoulli}, {"multinomial", multinomial}, {"randperm", randperm},
      {"rand_like", rand_like}, {"randn_like", randn_like},
      {"randint_like", randint_like}, {NULL, NULL}};
  open_generator(L);
  mlplb_setfuncs(L, functions);
}
