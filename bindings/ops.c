/*
** Every operation of the table as a method, a function and, where Lua has one, an
** operator: one generic call that checks by the row's signature, pushes an empty box,
** applies, raises or returns.
*/
#include "bind.h"

#include <string.h>

/* A number where a tensor of the other's dtype could stand, as a tensor without axes. The
   box goes on the stack. */
static mlpl_tensor *number_input(lua_State *L, int arg, mlpl_dtype dtype) {
  mlplb_state *s = mlplb_get(L);
  mlpl_tensor *t = NULL;
  mlplb_box *box = mlplb_tensor_box(L);
  if (mlpl_tensor_full(s->cx, &t, dtype, 0, NULL, lua_tonumber(L, arg)) != MLPL_OK)
    mlplb_raise(L, s);
  box->object = t;
  lua_replace(L, arg);
  return t;
}

/* Two operands that broadcast: either may be a number. */
static void two_inputs(lua_State *L, const char *what, mlpl_tensor **in) {
  if (lua_gettop(L) > 2)
    luaL_error(L, "%s: one argument too many: %s", what, mlplb_shown(L, 3));
  in[0] = mlplb_test_tensor(L, 1);
  in[1] = mlplb_test_tensor(L, 2);
  if (in[0] && in[1]) return;
  if (in[0] && lua_type(L, 2) == LUA_TNUMBER)
    in[1] = number_input(L, 2, mlpl_tensor_dtype(in[0]));
  else if (in[1] && lua_type(L, 1) == LUA_TNUMBER)
    in[0] = number_input(L, 1, mlpl_tensor_dtype(in[1]));
  else
    luaL_typeerror(L, in[0] ? 2 : 1, "mlpl.Tensor or a number");
}

static bool is_product(const char *name) {
  static const char *const names[] = {
      "matmul", "mm", "mv", "bmm", "dot", "outer", "inner", NULL};
  for (int i = 0; names[i]; i++)
    if (strcmp(names[i], name) == 0) return true;
  return false;
}

static bool takes_numbers(const mlpl_op *op) {
  int required, n_params, n = mlpl_op_inputs(op, &required);
  mlpl_op_params(op, &n_params);
  return n == 2 && n_params == 0 && !is_product(mlpl_op_name(op));
}

/* Inputs from argument 1 on: required ones, then optional ones as long as they are
   tensors or nil. Returns the next argument. */
static int positional_inputs(lua_State *L, int n, int required, mlpl_tensor **in) {
  int i = 0;
  for (; i < required; i++) in[i] = mlplb_check_tensor(L, i + 1);
  for (; i < n; i++) {
    mlpl_tensor *t = mlplb_test_tensor(L, i + 1);
    if (!t && !lua_isnil(L, i + 1)) break;
    in[i] = t;
  }
  return i + 1;
}

static int inputs_and_params(
    lua_State *L, const mlpl_op *op, mlpl_tensor **in, mlpl_value *values) {
  int required, n = mlpl_op_inputs(op, &required), n_params;
  const mlpl_param *params = mlpl_op_params(op, &n_params);
  mlplb_named named = {.n = n - required};
  memset(in, 0, MLPL_MAX_INPUTS * sizeof *in);
  int next = positional_inputs(L, n, required, in);
  if (n_params == 0 && named.n == 0 && next > lua_gettop(L)) return n;
  for (int i = required; i < n; i++) {
    named.name[i - required] = mlpl_op_input_name(op, i);
    named.tensor[i - required] = in[i];
  }
  mlplb_params(L, mlpl_op_name(op), next, params, n_params, values, &named);
  for (int i = required; i < n; i++) in[i] = named.tensor[i - required];
  while (n > required && !in[n - 1]) n--;
  return n;
}

int mlplb_op_call(lua_State *L, const mlpl_op *op) {
  mlplb_state *s = mlplb_get(L);
  mlpl_tensor *in[MLPL_MAX_INPUTS], *out[MLPL_MAX_OUTPUTS] = {NULL};
  mlplb_box *box[MLPL_MAX_OUTPUTS];
  mlpl_value values[MLPL_MAX_PARAMS];
  int n = 2, tries = 0;
  if (takes_numbers(op))
    two_inputs(L, mlpl_op_name(op), in);
  else
    n = inputs_and_params(L, op, in, values);
  mlplb_pressure(L, s);
  int n_out = mlpl_op_outputs(op), given = 0;
  for (int i = 0; i < n_out; i++) box[i] = mlplb_tensor_box(L);
  mlpl_status status;
  do status = mlpl_op_apply(s->cx, out, op, in, n, values);
  while (mlplb_again(L, s, status, &tries));
  for (int i = 0; i < n_out; i++)
    if ((box[i]->object = out[i])) given = i + 1;
  if (status != MLPL_OK) return mlplb_raise(L, s);
  lua_settop(L, lua_gettop(L) - (n_out - given));
  return given;
}

/* The row is upvalue 3. */
static int op_call(lua_State *L) {
  return mlplb_op_call(L, lua_touserdata(L, lua_upvalueindex(3)));
}

/* Lua gives unary minus its operand twice. */
static int op_neg(lua_State *L) {
  lua_settop(L, 1);
  return op_call(L);
}

static void push_op(lua_State *L, lua_CFunction f, const mlpl_op *op) {
  mlplb_push_upvalues(L);
  lua_pushlightuserdata(L, (void *)(uintptr_t)op);
  lua_pushcclosure(L, f, MLPLB_UPVALUES + 1);
}

void mlplb_open_group(lua_State *L, const char *group) {
  lua_createtable(L, 0, 32);
  for (int i = 0; mlpl_op_at(i); i++) {
    const mlpl_op *op = mlpl_op_at(i);
    const char *its = mlpl_op_group(op);
    if (mlpl_op_is_internal(op) || !its || strcmp(its, group) != 0) continue;
    push_op(L, op_call, op);
    lua_setfield(L, -2, mlpl_op_name(op));
  }
}

/* Methods into the table on top, operators into the tensors' metatable. */
void mlplb_open_ops(lua_State *L) {
  static const struct {
    const char *event, *op;
  } operators[] = {{"__add", "add"}, {"__sub", "sub"}, {"__mul", "mul"}, {"__div", "div"},
      {"__pow", "pow"}};
  for (int i = 0; mlpl_op_at(i); i++) {
    const mlpl_op *op = mlpl_op_at(i);
    if (mlpl_op_is_internal(op) || mlpl_op_group(op)) continue;
    push_op(L, op_call, op);
    lua_setfield(L, -2, mlpl_op_name(op));
  }
  luaL_getmetatable(L, mlplb_type_name[MLPLB_TENSOR]);
  for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
    push_op(L, op_call, mlpl_op_find(operators[i].op));
    lua_setfield(L, -2, operators[i].event);
  }
  push_op(L, op_neg, mlpl_op_find("neg"));
  lua_setfield(L, -2, "__unm");
  lua_pop(L, 1);
}
