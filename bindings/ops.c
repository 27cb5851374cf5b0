/*
** Every operation of the table as a method, a function and, where Lua has one, an
** operator: one generic call that checks by the row's signature, pushes an empty box,
** applies, raises or returns.
*/
#include "bind.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A number that stands for a tensor. */
typedef struct number {
  mlpl_dtype dtype; /* until it is read: of the tensors beside it */
  union {
    float f32;
    double f64;
    int64_t i64;
    unsigned char byte;
  } value;
} number;

/* What a call is given. */
typedef struct arguments {
  const char *what; /* the function's name */
  mlpl_tensor *in[MLPL_MAX_INPUTS];
  int n;
  unsigned numbers; /* bit i: input i is a number, to be made */
  number number[MLPL_MAX_INPUTS];
  int options; /* where the table with `out` is; 0: there is none */
  mlpl_tensor *out;
  mlplb_generator *generator; /* that a random row draws from; NULL: the state's own */
  mlpl_value values[MLPL_MAX_PARAMS];
} arguments;

/*
** A Lua number beside a tensor of `dtype` is as if it had that dtype, but that a float
** makes reals of whole numbers, and a whole number makes numbers of truth values.
*/
static void read_number(
    lua_State *L, const mlpl_op *op, const char *what, int i, number *a) {
  const int arg = i + 1;
  mlpl_dtype dtype = a->dtype;
  if (lua_isboolean(L, arg)) {
    a->dtype = MLPL_BOOL;
    a->value.byte = (unsigned char)lua_toboolean(L, arg);
    return;
  }
  int64_t v = lua_tointeger(L, arg);
  if (dtype > MLPL_F64 && !lua_isinteger(L, arg)) dtype = MLPL_F32;
  if (!mlpl_op_number(op, i, &dtype, &v))
    luaL_error(
        L, "%s: %I does not fit u8, which holds 0 to 255; convert with :to", what, v);
  a->dtype = dtype;
  switch (dtype) {
    case MLPL_F32: a->value.f32 = (float)lua_tonumber(L, arg); break;
    case MLPL_F64: a->value.f64 = lua_tonumber(L, arg); break;
    case MLPL_I64: a->value.i64 = v; break;
    default: a->value.byte = (unsigned char)v; break;
  }
}

static bool is_number(lua_State *L, int arg) {
  int type = lua_type(L, arg);
  return type == LUA_TNUMBER || type == LUA_TBOOLEAN;
}

/* The tensor at arg, which is input i, or NULL where there is none. */
static mlpl_tensor *tensor_input(
    lua_State *L, const mlpl_op *op, const char *what, int i, int arg) {
  const mlplb_box *box = mlplb_test_box(L, arg, MLPLB_TENSOR);
  if (box && !box->object)
    luaL_error(
        L, "%s: %s is a tensor that was released", what, mlpl_op_input_name(op, i));
  return box ? box->object : NULL;
}

static int no_input(lua_State *L, const mlpl_op *op, const char *what, int i, int arg) {
  const bool either = mlpl_op_broadcasts(op) || mlpl_op_takes_number(op, i);
  return luaL_error(L, "%s: %s is %s; it must be a tensor%s", what,
      mlpl_op_input_name(op, i), mlplb_shown(L, arg), either ? " or a number" : "");
}

static mlpl_tensor *check_input(
    lua_State *L, const mlpl_op *op, const char *what, int i, int arg) {
  mlpl_tensor *t = tensor_input(L, op, what, i, arg);
  if (!t) no_input(L, op, what, i, arg);
  return t;
}

/* Input i is the number at its argument, beside a tensor of `dtype`. */
static void number_input(int i, mlpl_dtype dtype, arguments *a) {
  a->numbers |= 1u << i;
  a->number[i].dtype = dtype;
}

/* When the options are known, which may choose another row. */
static void read_numbers(lua_State *L, const mlpl_op *op, arguments *a) {
  if (!a->numbers) return;
  op = mlpl_op_chosen(op, a->values);
  for (int i = 0; a->numbers >> i; i++)
    if (a->numbers >> i & 1) read_number(L, op, a->what, i, &a->number[i]);
}

/* Two operands that broadcast: either may be a number. */
static void two_inputs(lua_State *L, const mlpl_op *op, arguments *a) {
  a->n = 2;
  a->in[0] = tensor_input(L, op, a->what, 0, 1);
  a->in[1] = tensor_input(L, op, a->what, 1, 2);
  if (a->in[0] && a->in[1]) return;
  if (is_number(L, 1) && is_number(L, 2))
    luaL_error(L, "%s: both operands are numbers; one must be a tensor", a->what);
  if (!a->in[0] && !is_number(L, 1)) no_input(L, op, a->what, 0, 1);
  if (!a->in[1] && !is_number(L, 2)) no_input(L, op, a->what, 1, 2);
  int place = a->in[0] ? 1 : 0;
  number_input(place, mlpl_tensor_dtype(a->in[1 - place]), a);
}

/* How many options stand between the first input and the others. */
static int options_between(lua_State *L, const mlpl_op *op) {
  const int k = mlpl_op_options_first(op);
  const bool there = lua_type(L, 2) == LUA_TNUMBER ||
      (!mlplb_test(L, 2, MLPLB_TENSOR) && mlplb_test_box(L, 2 + k, MLPLB_TENSOR));
  return there ? k : 0;
}

/* Some rows have options between the first input and the others, x:gather(dim, index):
   they move behind the inputs. Given by name, they do not stand there, and a tensor does. */
static void options_behind(lua_State *L, const mlpl_op *op, const char *what, int n) {
  const int k = options_between(L, op);
  if (!k) return;
  for (int i = 1; i < n; i++)
    if (!mlpl_op_takes_number(op, i) || lua_type(L, 1 + k + i) != LUA_TNUMBER)
      check_input(L, op, what, i, 1 + k + i);
  for (int i = 0; i < k; i++) {
    lua_pushvalue(L, 2);
    lua_insert(L, 2 + k + n - 1);
    lua_remove(L, 2);
  }
}

/* The dtype beside which a number stands: the highest of the tensors that hold numbers, or
   f32 where there are none. */
static mlpl_dtype dtype_beside(
    lua_State *L, const mlpl_op *op, mlpl_tensor *const *in, int n) {
  static const mlpl_dtype falling[] = {MLPL_F64, MLPL_F32, MLPL_I64, MLPL_U8, MLPL_BOOL};
  unsigned there = 0;
  for (int i = 0; i < n; i++) {
    const mlpl_tensor *t = in[i] ? in[i] : mlplb_test_tensor(L, i + 1);
    if (t && strcmp(mlpl_op_input_domain(op, i), "numbers") == 0)
      there |= 1u << mlpl_tensor_dtype(t);
  }
  for (int i = 0; i < 5; i++)
    if (there >> falling[i] & 1) return falling[i];
  return MLPL_F32;
}

/* Inputs from argument 1 on: required ones, of which some rows take numbers, then optional
   ones as long as they are tensors or nil. Returns the next argument. */
static int positional_inputs(
    lua_State *L, const mlpl_op *op, int n, int required, arguments *a) {
  mlpl_tensor **in = a->in;
  int i = 0;
  options_behind(L, op, a->what, required);
  for (; i < required; i++)
    if (!mlpl_op_takes_number(op, i) || lua_type(L, i + 1) != LUA_TNUMBER)
      in[i] = check_input(L, op, a->what, i, i + 1);
    else
      number_input(i,
          mlpl_op_options_first(op) ? mlpl_tensor_dtype(in[0])
                                    : dtype_beside(L, op, in, required),
          a);
  for (; i < n; i++) {
    mlpl_tensor *t = tensor_input(L, op, a->what, i, i + 1);
    bool given = !t && mlpl_op_takes_number(op, i) && lua_type(L, i + 1) == LUA_TNUMBER;
    if (!t && !given && !lua_isnil(L, i + 1)) break;
    in[i] = t;
    if (given) number_input(i, dtype_beside(L, op, in, n), a);
  }
  return i + 1;
}

/* { out = y } in the trailing table. */
static bool read_out(lua_State *L, const char *what, arguments *a) {
  int options = mlplb_options(L);
  if (!options) return false;
  if (mlplb_get_option(L, options, "out") != LUA_TNIL) {
    a->options = options;
    a->out = mlplb_option_tensor(L, what, "out");
  }
  lua_pop(L, 1);
  return a->out != NULL;
}

/* { generator = g } in the trailing table, which stays where it is and keeps it. */
static void read_generator(lua_State *L, const char *what, arguments *a) {
  int options = mlplb_options(L);
  if (!options) return;
  a->generator = mlplb_generator_at(L, options, what);
  lua_pop(L, 1);
}

static void inputs_and_options(lua_State *L, const mlpl_op *op, arguments *a) {
  int required, n = mlpl_op_inputs(op, &required), n_params, next = 3;
  const char *what = a->what;
  const mlpl_param *params = mlpl_op_params(op, &n_params);
  mlplb_named named = {.n = n - required};
  if (mlpl_op_broadcasts(op))
    two_inputs(L, op, a);
  else {
    memset(a->in, 0, sizeof a->in);
    next = positional_inputs(L, op, n, required, a);
    a->n = n;
  }
  if (!mlpl_op_needs_options(op) && named.n == 0 && next > lua_gettop(L)) {
    for (int i = 0; i < n_params; i++) a->values[i] = mlpl_param_standard(&params[i]);
    return;
  }
  named.out = read_out(L, what, a);
  named.generator = mlpl_op_is_random(op);
  if (named.generator) read_generator(L, what, a);
  for (int i = required; i < n; i++) {
    named.name[i - required] = mlpl_op_input_name(op, i);
    named.tensor[i - required] = a->in[i];
  }
  mlplb_params(L, what, next, params, n_params, a->values, &named);
  for (int i = required; i < n; i++) a->in[i] = named.tensor[i - required];
  while (a->n > required && !a->in[a->n - 1] && !(a->numbers >> (a->n - 1) & 1)) a->n--;
}

static void inputs_and_params(lua_State *L, const mlpl_op *op, arguments *a) {
  inputs_and_options(L, op, a);
  read_numbers(L, op, a);
}

/* ---- options that are tensors ------------------------------------------------------ */

/* A tensor, or a table of numbers that is to become one. */
static bool is_tensor_like(lua_State *L, int arg) {
  return mlplb_test_box(L, arg, MLPLB_TENSOR) ||
      (lua_istable(L, arg) && lua_rawlen(L, arg) > 0);
}

/* The table of numbers at arg, if it is one, becomes a tensor of them. */
static void make_tensor(
    lua_State *L, int arg, const char *what, const char *name, mlpl_dtype dtype) {
  if (!lua_istable(L, arg)) return;
  mlplb_state *s = mlplb_get(L);
  const int64_t n = (int64_t)lua_rawlen(L, arg);
  mlpl_tensor *t = NULL;
  mlpl_status status;
  int tries = 0;
  mlplb_only_array(L, arg, what, name);
  mlplb_box *box = mlplb_tensor_box(L);
  do status = mlpl_tensor_new(s->cx, &t, dtype, 1, &n);
  while (mlplb_again(L, s, status, &tries));
  box->object = t;
  if (status != MLPL_OK) mlplb_raise(L, s);
  for (int64_t i = 0; i < n; i++) {
    if (lua_rawgeti(L, arg, i + 1) != LUA_TNUMBER)
      luaL_error(
          L, "%s: %s holds %s; it must hold numbers", what, name, mlplb_shown(L, -1));
    if (dtype == MLPL_I64)
      ((int64_t *)mlpl_tensor_data(t))[i] = mlplb_whole(L, -1, what, name);
    else if (dtype == MLPL_F64)
      ((double *)mlpl_tensor_data(t))[i] = lua_tonumber(L, -1);
    else
      ((float *)mlpl_tensor_data(t))[i] = (float)lua_tonumber(L, -1);
    lua_pop(L, 1);
  }
  lua_replace(L, arg);
}

/* What a table of numbers is made of that stands for an option of op. */
static mlpl_dtype dtype_of_option(lua_State *L, const mlpl_op *op, int option) {
  int n;
  const int input = mlpl_op_inputs(op, NULL) + option - mlpl_op_options_first(op);
  if (mlpl_op_params(op, &n)[option].type == MLPL_PARAM_INT) return MLPL_I64;
  if (strcmp(mlpl_op_input_domain(mlpl_op_by_tensor(op), input), "any") == 0)
    return MLPL_F64; /* it decides nothing of the result's */
  return mlpl_tensor_dtype(mlplb_check_tensor(L, 1)) == MLPL_F64 ? MLPL_F64 : MLPL_F32;
}

/* Inputs first to n of `other`, given by position or name, to their positions, behind k
   options; the trailing table keeps what else it has. */
static void options_to_places(lua_State *L, const char *what, const mlpl_op *op,
    const mlpl_op *other, int first, int n, int k, int options) {
  int last = options ? options - 1 : lua_gettop(L), rest = 0;
  luaL_checkstack(L, n + 8, what);
  if (options) { /* a copy, whose entries may go */
    lua_createtable(L, 0, 4);
    for (lua_pushnil(L); lua_next(L, options);) {
      lua_pushvalue(L, -2);
      lua_insert(L, -2);
      lua_rawset(L, -4);
    }
    lua_replace(L, options);
  }
  for (; last < n + k; last++) { /* room for those that are not there */
    lua_pushnil(L);
    lua_insert(L, last + 1);
    if (options) options++;
  }
  for (int i = first; i < n; i++) {
    const char *name = mlpl_op_input_name(other, i);
    const int place = i + 1 + k, option = i - first + mlpl_op_options_first(op);
    if (options && mlplb_get_option(L, options, name) != LUA_TNIL) {
      if (!lua_isnil(L, place)) luaL_error(L, "%s: %s is given twice", what, name);
      lua_copy(L, -1, place);
      lua_pushstring(L, name);
      lua_pushnil(L);
      lua_rawset(L, options);
    }
    if (options) lua_settop(L, options);
    if (!lua_isnil(L, place) && lua_type(L, place) != LUA_TNUMBER &&
        !is_tensor_like(L, place))
      luaL_error(L, "%s: %s is %s; it must be a number or a tensor", what, name,
          mlplb_shown(L, place));
    make_tensor(L, place, what, name, dtype_of_option(L, op, option));
  }
  if (!options) return;
  for (lua_pushnil(L); lua_next(L, options); lua_pop(L, 1)) rest++;
  if (!rest) lua_settop(L, options - 1);
}

/* The row for these arguments: op, or the one that takes tensors for its first options, or
   as its second input. */
static const mlpl_op *row_for(lua_State *L, const mlpl_op *op, const char *what) {
  const mlpl_op *other = mlpl_op_by_tensor(op), *pair = mlpl_op_by_pair(op);
  if (pair && mlplb_test_box(L, 2, MLPLB_TENSOR)) return pair;
  if (!other) return op;
  const int first = mlpl_op_inputs(op, NULL), n = mlpl_op_inputs(other, NULL);
  const mlplb_box *box = mlplb_test_box(L, 1, MLPLB_TENSOR);
  const mlpl_tensor *x = box ? box->object : NULL;
  const int options = mlplb_options(L), last = options ? options - 1 : lua_gettop(L);
  if (!x) return op; /* which says so */
  const mlpl_dtype dtype = mlpl_tensor_dtype(x);
  bool tensors = !mlpl_op_takes_dtype(op, 0, dtype) &&
      mlpl_op_takes_dtype(other, 0, dtype);
  const int k = options_between(L, op);
  const bool placed = k == mlpl_op_options_first(op); /* else the option has a name */
  for (int i = first; i < n && !tensors; i++) {
    if (placed && i + k < last && is_tensor_like(L, i + 1 + k)) tensors = true;
    if (mlplb_get_option(L, options, mlpl_op_input_name(other, i)) != LUA_TNIL)
      tensors = tensors || is_tensor_like(L, lua_gettop(L));
    lua_pop(L, 1);
  }
  if (tensors) options_to_places(L, what, op, other, first, n, k, options);
  return tensors ? other : op;
}

static mlpl_status apply_to(
    mlpl_ctx *cx, const mlpl_op *op, arguments *a, mlpl_tensor **out, bool in_place) {
  if (in_place) return mlpl_op_apply_in_place(cx, op, a->in, a->n, a->values);
  if (a->out) return mlpl_op_apply_into(cx, a->out, op, a->in, a->n, a->values);
  return mlpl_op_apply(cx, out, op, a->in, a->n, a->values);
}

/* Apply with the generator lent, and with numbers made to tensors, for as long as that
   takes; nothing raises. */
static mlpl_status apply(
    mlplb_state *s, const mlpl_op *op, arguments *a, mlpl_tensor **out, bool in_place) {
  if (a->generator) { /* of a row that takes no numbers as tensors */
    mlplb_generator_swap(s, a->generator);
    mlpl_status status = apply_to(s->cx, op, a, out, in_place);
    mlplb_generator_swap(s, a->generator);
    return status;
  }
  if (!a->numbers) return apply_to(s->cx, op, a, out, in_place);
  mlpl_status status = MLPL_OK;
  for (int i = 0; i < a->n && status == MLPL_OK; i++)
    if (a->numbers >> i & 1)
      status = mlpl_tensor_copy(
          s->cx, &a->in[i], a->number[i].dtype, 0, NULL, &a->number[i].value);
  if (status == MLPL_OK) status = apply_to(s->cx, op, a, out, in_place);
  for (int i = 0; i < a->n; i++)
    if (a->numbers >> i & 1) {
      mlpl_tensor_release(a->in[i]);
      a->in[i] = NULL;
    }
  return status;
}

/* Again when there is memory. Anomaly detection asks where the script is: in L. */
static mlpl_status try_apply(lua_State *L, mlplb_state *s, const mlpl_op *op,
    arguments *a, mlpl_tensor **out, bool in_place) {
  int tries = 0;
  mlpl_status status;
  lua_State *was = mlplb_enter(s, L);
  do status = apply(s, op, a, out, in_place);
  while (mlplb_again(L, s, status, &tries));
  s->L = was;
  return status;
}

/* The tensors of the array at 1, in an array of the engine's; both it and an array that
   holds what is in it are pushed, for a finalizer may empty the script's own. */
static mlpl_tensor **list_inputs(lua_State *L, const char *what, int *n) {
  size_t length = lua_rawlen(L, 1);
  if (length > 1 << 24) luaL_error(L, "%s: %I tensors are too many", what, length);
  mlplb_only_array(L, 1, what, "tensors; options have a table of their own");
  *n = (int)length;
  lua_createtable(L, *n, 0);
  mlpl_tensor **in = lua_newuserdatauv(L, (length + 1) * sizeof *in, 0);
  for (int i = 0; i < *n; i++) {
    lua_rawgeti(L, 1, i + 1);
    mlplb_box *box = mlplb_test_box(L, -1, MLPLB_TENSOR);
    if (!box || !box->object)
      luaL_error(L, "%s: tensor %d is %s; it must be a tensor", what, i + 1,
          box ? "released" : mlplb_shown(L, -1));
    in[i] = box->object;
    lua_rawseti(L, -3, i + 1);
  }
  return in;
}

/* cat{a, b}, cat({a, b}, dim): a row whose input is a list. */
int mlplb_list_call(lua_State *L, const mlpl_op *op, const char *what) {
  mlplb_state *s = mlplb_get(L);
  mlpl_value values[MLPL_MAX_PARAMS];
  mlpl_tensor *out = NULL;
  int n, n_params, tries = 0;
  const mlpl_param *params = mlpl_op_params(op, &n_params);
  if (lua_gettop(L) == 0) lua_pushnil(L);
  if (lua_type(L, 1) != LUA_TTABLE)
    luaL_error(L, "%s: the tensors are %s; they stand in one array: %s{a, b}", what,
        mlplb_shown(L, 1), what);
  mlplb_params(L, what, 2, params, n_params, values, NULL);
  mlpl_tensor **in = list_inputs(L, what, &n);
  mlplb_pressure(L, s);
  mlplb_box *box = mlplb_tensor_box(L);
  mlpl_status status;
  lua_State *was = mlplb_enter(s, L);
  do status = mlpl_op_apply(s->cx, &out, op, in, n, values);
  while (mlplb_again(L, s, status, &tries));
  s->L = was;
  box->object = out;
  return status == MLPL_OK ? 1 : mlplb_raise_as(L, s, what);
}

/* The row is upvalue 3. */
int mlplb_list_function(lua_State *L) {
  const mlpl_op *op = lua_touserdata(L, lua_upvalueindex(3));
  return mlplb_list_call(L, op, mlpl_op_name(op));
}

int mlplb_op_call(lua_State *L, const mlpl_op *op, const char *what) {
  mlplb_state *s = mlplb_get(L);
  arguments a;
  mlpl_tensor *out[MLPL_MAX_OUTPUTS] = {NULL};
  mlplb_box *box[MLPL_MAX_OUTPUTS];
  mlpl_status status;
  a.what = what;
  a.numbers = 0;
  a.options = 0;
  a.out = NULL;
  a.generator = NULL;
  op = row_for(L, op, what);
  inputs_and_params(L, op, &a);
  mlplb_pressure(L, s);
  if (a.out) {
    status = try_apply(L, s, op, &a, NULL, false);
    mlplb_get_option(L, a.options, "out");
    return status == MLPL_OK ? 1 : mlplb_raise_as(L, s, what);
  }
  int n_out = mlpl_op_outputs(op), given = 0;
  for (int i = 0; i < n_out; i++) box[i] = mlplb_tensor_box(L);
  status = try_apply(L, s, op, &a, out, false);
  for (int i = 0; i < n_out; i++)
    if ((box[i]->object = out[i])) given = i + 1;
  if (status != MLPL_OK) return mlplb_raise_as(L, s, what);
  if (out[0] && out[0] == a.in[0]) lua_pushvalue(L, 1); /* one tensor, one value */
  lua_settop(L, lua_gettop(L) - (n_out - given));
  return given;
}

/* x:add_(y): the tensor at 1 becomes the result. The row is upvalue 3, its name in place
   upvalue 4. */
static int op_call_in_place(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  const mlpl_op *op = lua_touserdata(L, lua_upvalueindex(3));
  arguments a;
  a.what = lua_tostring(L, lua_upvalueindex(4));
  a.numbers = 0;
  a.options = 0;
  a.out = NULL;
  a.generator = NULL;
  if (!tensor_input(L, op, a.what, 0, 1))
    luaL_error(L, "%s: %s is %s; it must be a tensor, which the result goes into", a.what,
        mlpl_op_input_name(op, 0), mlplb_shown(L, 1));
  op = row_for(L, op, a.what);
  inputs_and_params(L, op, &a);
  if (a.out) return luaL_error(L, "%s: out makes no sense in place", a.what);
  mlplb_pressure(L, s);
  mlpl_status status = try_apply(L, s, op, &a, NULL, true);
  lua_settop(L, 1);
  return status == MLPL_OK ? 1 : mlplb_raise_as(L, s, a.what);
}

/* The row is upvalue 3. */
static int op_call(lua_State *L) {
  const mlpl_op *op = lua_touserdata(L, lua_upvalueindex(3));
  return mlplb_op_call(L, op, mlpl_op_name(op));
}

/* The same where two tensors broadcast and nothing else is asked: the hot path of
   operators. */
static int op_call_two(lua_State *L) {
  mlplb_state *s = mlplb_get(L);
  const mlpl_op *op = lua_touserdata(L, lua_upvalueindex(3));
  mlpl_tensor *in[2], *out = NULL;
  mlpl_status status;
  int tries = 0;
  if (lua_gettop(L) != 2 || !(in[0] = mlplb_tensor_at(L, s, 1)) ||
      !(in[1] = mlplb_tensor_at(L, s, 2)))
    return mlplb_op_call(L, op, mlpl_op_name(op));
  mlplb_pressure(L, s);
  mlplb_box *box = mlplb_tensor_box_of(L, s);
  lua_State *was = mlplb_enter(s, L);
  do status = mlpl_op_apply(s->cx, &out, op, in, 2, NULL);
  while (mlplb_again(L, s, status, &tries));
  s->L = was;
  box->object = out;
  return status == MLPL_OK ? 1 : mlplb_raise(L, s);
}

/* Lua gives the operand of - and ~ twice. */
static int op_unary(lua_State *L) {
  lua_settop(L, 1);
  return op_call(L);
}

static void push_op(lua_State *L, lua_CFunction f, const mlpl_op *op) {
  mlplb_push_upvalues(L);
  lua_pushlightuserdata(L, (void *)(uintptr_t)op);
  lua_pushcclosure(L, f, MLPLB_UPVALUES + 1);
}

/* PyTorch's name of triangular_solve. */
static int solve_triangular(lua_State *L) {
  return mlplb_op_call(L, mlpl_op_find("triangular_solve"), "solve_triangular");
}

void mlplb_open_group(lua_State *L, const char *group) {
  lua_createtable(L, 0, 32);
  for (int i = 0; mlpl_op_at(i); i++) {
    const mlpl_op *op = mlpl_op_at(i);
    const char *its = mlpl_op_group(op);
    if (mlpl_op_is_internal(op) || !its || strcmp(its, group) != 0) continue;
    push_op(L, mlpl_op_takes_list(op) ? mlplb_list_function : op_call, op);
    lua_setfield(L, -2, mlpl_op_name(op));
    if (strcmp(mlpl_op_name(op), "triangular_solve") != 0) continue;
    push_op(L, solve_triangular, op);
    lua_setfield(L, -2, "solve_triangular");
  }
}

static lua_CFunction caller_of(const mlpl_op *op) {
  bool two = mlpl_op_broadcasts(op) && !mlpl_op_needs_options(op) &&
      mlpl_op_outputs(op) == 1;
  return two ? op_call_two : op_call;
}

static bool is_method(const mlpl_op *op) {
  return !mlpl_op_is_internal(op) && !mlpl_op_takes_list(op) && !mlpl_op_group(op);
}

/* ---- other names ------------------------------------------------------------------- */

/* PyTorch's, in the order of its documentation. */
static const struct {
  const char *name, *op;
} other_names[] = {{"concat", "cat"}, {"concatenate", "cat"}, {"row_stack", "vstack"},
    {"moveaxis", "movedim"}, {"swapdims", "transpose"}, {"broadcast_to", "expand"},
    {"absolute", "abs"}, {"arccos", "acos"}, {"arccosh", "acosh"}, {"arcsin", "asin"},
    {"arcsinh", "asinh"}, {"arctan", "atan"}, {"arctan2", "atan2"}, {"arctanh", "atanh"},
    {"clip", "clamp"}, {"divide", "div"}, {"true_divide", "div"}, {"fix", "trunc"},
    {"multiply", "mul"}, {"negative", "neg"}, {"subtract", "sub"}, {"greater", "gt"},
    {"greater_equal", "ge"}, {"less", "lt"}, {"less_equal", "le"}, {"not_equal", "ne"},
    {"trapz", "trapezoid"}, {"ger", "outer"}, {"vdot", "dot"}};

#define N_OTHER_NAMES (sizeof other_names / sizeof *other_names)

const mlpl_op *mlplb_other_name(const char *name) {
  for (size_t i = 0; i < N_OTHER_NAMES; i++)
    if (strcmp(other_names[i].name, name) == 0) return mlpl_op_find(other_names[i].op);
  return NULL;
}

/* The row is upvalue 3, the name upvalue 4. */
static int op_call_named(lua_State *L) {
  return mlplb_op_call(
      L, lua_touserdata(L, lua_upvalueindex(3)), lua_tostring(L, lua_upvalueindex(4)));
}

static int list_call_named(lua_State *L) {
  return mlplb_list_call(
      L, lua_touserdata(L, lua_upvalueindex(3)), lua_tostring(L, lua_upvalueindex(4)));
}

/* t[name] = f, where the table t is on top */
static void set_named(
    lua_State *L, lua_CFunction f, const mlpl_op *op, const char *name) {
  mlplb_push_upvalues(L);
  lua_pushlightuserdata(L, (void *)(uintptr_t)op);
  lua_pushstring(L, name);
  lua_pushcclosure(L, f, MLPLB_UPVALUES + 2);
  lua_setfield(L, -2, name);
}

void mlplb_open_other_lists(lua_State *L) {
  for (size_t i = 0; i < N_OTHER_NAMES; i++) {
    const mlpl_op *op = mlpl_op_find(other_names[i].op);
    if (mlpl_op_takes_list(op)) set_named(L, list_call_named, op, other_names[i].name);
  }
}

static void set_other_methods(lua_State *L) {
  for (size_t i = 0; i < N_OTHER_NAMES; i++) {
    const mlpl_op *op = mlpl_op_find(other_names[i].op);
    if (mlpl_op_takes_list(op)) continue;
    set_named(L, op_call_named, op, other_names[i].name);
    if (!mlpl_op_has_in_place(op)) continue;
    char form[32];
    snprintf(form, sizeof form, "%s_", other_names[i].name);
    set_named(L, op_call_in_place, op, form);
  }
}

/* ---- opening ----------------------------------------------------------------------- */

/* A method of the table on top becomes a function of the one below it, unless that has one
   of the name. */
static void share_method(lua_State *L, const char *name) {
  lua_pushstring(L, name);
  if (lua_rawget(L, -3) == LUA_TNIL) {
    lua_getfield(L, -2, name);
    lua_setfield(L, -4, name);
  }
  lua_pop(L, 1);
}

/* One closure serves as method and as function: the collector has fewer to look at. */
void mlplb_open_functions(lua_State *L) {
  mlplb_push_methods(L, mlplb_type_name[MLPLB_TENSOR]);
  for (int i = 0; mlpl_op_at(i); i++)
    if (is_method(mlpl_op_at(i))) share_method(L, mlpl_op_name(mlpl_op_at(i)));
  for (size_t i = 0; i < N_OTHER_NAMES; i++) share_method(L, other_names[i].name);
  lua_pop(L, 1);
  mlplb_open_answers(L);
}

static void set_methods(lua_State *L) {
  for (int i = 0; mlpl_op_at(i); i++) {
    const mlpl_op *op = mlpl_op_at(i);
    if (is_method(op)) {
      lua_pushstring(L, mlpl_op_name(op));
      if (lua_rawget(L, -2) == LUA_TNIL) {
        push_op(L, caller_of(op), op);
        lua_setfield(L, -3, mlpl_op_name(op));
      }
      lua_pop(L, 1);
    }
    if (mlpl_op_is_internal(op) || mlpl_op_takes_list(op) || !mlpl_op_has_in_place(op))
      continue;
    lua_pushfstring(L, "%s_", mlpl_op_name(op));
    mlplb_push_upvalues(L);
    lua_pushlightuserdata(L, (void *)(uintptr_t)op);
    lua_pushvalue(L, -MLPLB_UPVALUES - 2); /* the name */
    lua_pushcclosure(L, op_call_in_place, MLPLB_UPVALUES + 2);
    lua_rawset(L, -3);
  }
  set_other_methods(L);
}

/* Methods into the table on top, operators into the tensors' metatable. */
void mlplb_open_ops(lua_State *L) {
  static const struct {
    const char *event, *op;
  } operators[] = {{"__add", "add"}, {"__sub", "sub"}, {"__mul", "mul"}, {"__div", "div"},
      {"__pow", "pow"}, {"__mod", "remainder"}, {"__idiv", "floor_divide"},
      {"__band", "bitwise_and"}, {"__bor", "bitwise_or"}, {"__bxor", "bitwise_xor"},
      {"__shl", "bitwise_left_shift"}, {"__shr", "bitwise_right_shift"}};
  set_methods(L);
  luaL_getmetatable(L, mlplb_type_name[MLPLB_TENSOR]);
  for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
    push_op(L, op_call_two, mlpl_op_find(operators[i].op));
    lua_setfield(L, -2, operators[i].event);
  }
  push_op(L, op_unary, mlpl_op_find("neg"));
  lua_setfield(L, -2, "__unm");
  push_op(L, op_unary, mlpl_op_find("bitwise_not"));
  lua_setfield(L, -2, "__bnot");
  lua_pop(L, 1);
}
