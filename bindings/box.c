/*
** Boxes: what a Lua value holds of the engine. The userdata has a pointer to a box, and
** boxes lie in blocks that the state keeps: a finalizer is a call, which needs memory,
** and when there is none Lua drops it without another try. Then the box is still there,
** and is emptied when the state is closed.
*/
#include "bind.h"

#define BLOCK 64

/*
** The userdata. A size and the address of a metatable of this state, which no other value
** holds, tell a type in fewer steps than asking for the value's metatable.
*/
typedef struct place {
  mlplb_box *box;
  const void *meta;
} place;

typedef struct block {
  struct block *next;
  mlplb_box box[BLOCK];
} block;

static const char known_key = 0; /* its address: a key of the registry */

const char *const mlplb_type_name[MLPLB_N_TYPES] = {"mlpl.Tensor", "mlpl.Module",
    "mlpl.Optimizer", "mlpl.Dataset", "mlpl.Batches", "mlpl.Step", "mlpl.Hook",
    "mlpl.Tensors"};

static void let_go(mlplb_type type, void *object) {
  switch (type) {
    case MLPLB_TENSOR: mlpl_tensor_release(object); return;
    case MLPLB_MODULE: mlpl_module_release(object); return;
    case MLPLB_OPTIMIZER: mlpl_optimizer_release(object); return;
    case MLPLB_DATASET: mlpl_dataset_release(object); return;
    case MLPLB_BATCHES: mlpl_batches_release(object); return;
    case MLPLB_STEP: mlpl_step_release(object); return;
    case MLPLB_HOOK: mlpl_hook_release(object); return;
    case MLPLB_TENSORS: mlpl_tensors_release(object); return;
    case MLPLB_N_TYPES: return;
  }
}

/* ---- blocks ------------------------------------------------------------------------ */

/* A block's user value is the block before it; the state's holds the last. */
static void more_boxes(lua_State *L, mlplb_state *s) {
  block *b = lua_newuserdatauv(L, sizeof *b, 1);
  mlplb_state_push(L);
  lua_getiuservalue(L, -1, MLPLB_STATE_BOXES);
  lua_setiuservalue(L, -3, 1);
  lua_pushvalue(L, -2);
  lua_setiuservalue(L, -2, MLPLB_STATE_BOXES);
  lua_pop(L, 2);
  b->next = s->blocks;
  s->blocks = b;
  for (int i = 0; i < BLOCK; i++) {
    b->box[i] = (mlplb_box){.next = s->free};
    s->free = &b->box[i];
  }
}

void mlplb_boxes_open(lua_State *L) {
  lua_createtable(L, 0, 0);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &known_key);
}

void mlplb_boxes_close(mlplb_state *s) {
  for (block *b = s->blocks; b; b = b->next)
    for (int i = 0; i < BLOCK; i++) {
      mlplb_box *box = &b->box[i];
      void *object = box->object ? box->object : box->doomed;
      box->object = box->doomed = NULL;
      let_go(box->type, object);
    }
}

/* ---- making ------------------------------------------------------------------------ */

static place *push_place(lua_State *L, mlplb_state *s, mlplb_type type, int n_user) {
  place *p = lua_newuserdatauv(L, sizeof *p, n_user);
  p->box = &s->nothing;
  p->meta = s->meta[type];
  return p;
}

/* The userdata on top, its metatable on, gets a box. */
static mlplb_box *fill_place(lua_State *L, mlplb_state *s, place *p, mlplb_type type) {
  if (!s->free) more_boxes(L, s);
  mlplb_box *box = s->free;
  s->free = box->next;
  box->object = box->doomed = NULL;
  box->type = type;
  return p->box = box;
}

mlplb_box *mlplb_box_push(lua_State *L, mlplb_type type, int n_user) {
  mlplb_state *s = mlplb_state_push(L);
  place *p = push_place(L, s, type, n_user);
  luaL_setmetatable(L, mlplb_type_name[type]);
  lua_remove(L, -2);
  return fill_place(L, s, p, type);
}

mlplb_box *mlplb_tensor_box(lua_State *L) { return mlplb_tensor_box_of(L, mlplb_get(L)); }

mlplb_box *mlplb_tensor_box_of(lua_State *L, mlplb_state *s) {
  place *p = push_place(L, s, MLPLB_TENSOR, 0);
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_setmetatable(L, -2);
  return fill_place(L, s, p, MLPLB_TENSOR);
}

/* ---- looking ----------------------------------------------------------------------- */

static place *place_of(lua_State *L, const mlplb_state *s, int arg, mlplb_type type) {
  place *p = lua_touserdata(L, arg);
  return p && lua_rawlen(L, arg) == sizeof *p && p->meta == s->meta[type] ? p : NULL;
}

mlpl_tensor *mlplb_tensor_at(lua_State *L, const mlplb_state *s, int arg) {
  const place *p = place_of(L, s, arg, MLPLB_TENSOR);
  return p ? p->box->object : NULL;
}

/* The context of the state may be closed. */
mlplb_box *mlplb_test_box(lua_State *L, int arg, mlplb_type type) {
  const place *p = place_of(L, lua_touserdata(L, lua_upvalueindex(1)), arg, type);
  return p ? p->box : NULL;
}

mlplb_box *mlplb_check_box(lua_State *L, int arg, mlplb_type type) {
  mlplb_box *box = mlplb_test_box(L, arg, type);
  if (!box) luaL_typeerror(L, arg, mlplb_type_name[type]);
  return box;
}

void *mlplb_test(lua_State *L, int arg, mlplb_type type) {
  const mlplb_box *box = mlplb_test_box(L, arg, type);
  return box ? box->object : NULL;
}

static void *object_of(lua_State *L, int arg, const mlplb_box *box, mlplb_type type) {
  if (!box->object)
    luaL_argerror(
        L, arg, lua_pushfstring(L, "this %s was released", mlplb_type_name[type]));
  return box->object;
}

void *mlplb_check(lua_State *L, int arg, mlplb_type type) {
  return object_of(L, arg, mlplb_check_box(L, arg, type), type);
}

mlplb_box *mlplb_test_box_anywhere(lua_State *L, int arg, mlplb_type type) {
  const mlplb_state *s = mlplb_state_of(L);
  const place *p = s ? place_of(L, s, arg, type) : NULL;
  return p ? p->box : NULL;
}

void *mlplb_check_anywhere(lua_State *L, int arg, mlplb_type type) {
  const mlplb_box *box = mlplb_test_box_anywhere(L, arg, type);
  if (!box) luaL_typeerror(L, arg, mlplb_type_name[type]);
  return object_of(L, arg, box, type);
}

/* ---- releasing --------------------------------------------------------------------- */

/* The collector is done with the value: nothing is in it now, should a finalizer bring it
   back. */
static void give_back(mlplb_state *s, place *p) {
  if (p->box == &s->nothing) return;
  p->box->next = s->free;
  s->free = p->box;
  p->box = &s->nothing;
}

/* Inside a finalizer lua_gc answers nothing but -1. The method has a third upvalue; __close,
   which Lua gives an error as well, has none. */
int mlplb_release(lua_State *L, mlplb_type type) {
  mlplb_state *s = lua_touserdata(L, lua_upvalueindex(1));
  const place *p = place_of(L, s, 1, type);
  if (!p) return luaL_typeerror(L, 1, mlplb_type_name[type]);
  if (!lua_isnone(L, lua_upvalueindex(MLPLB_UPVALUES + 1))) mlplb_at_most(L, "release", 1);
  mlplb_box *box = p->box;
  void *object = box->object ? box->object : box->doomed;
  box->object = box->doomed = NULL;
  if (lua_gc(L, LUA_GCISRUNNING) >= 0)
    let_go(type, object);
  else
    box->doomed = object;
  return 0;
}

/* Runs for every tensor that a script made: what it asks of Lua is counted. */
int mlplb_collect(lua_State *L) {
  mlplb_state *s = lua_touserdata(L, lua_upvalueindex(1));
  place *p = lua_touserdata(L, 1);
  int type = 0;
  if (!p || lua_rawlen(L, 1) != sizeof *p) return 0;
  while (type < MLPLB_N_TYPES && p->meta != s->meta[type]) type++;
  if (type == MLPLB_N_TYPES) return 0;
  mlplb_box *box = p->box;
  void *object = box->object ? box->object : box->doomed;
  box->object = box->doomed = NULL;
  give_back(s, p);
  let_go((mlplb_type)type, object);
  return 0;
}

/* ---- the same object is the same value --------------------------------------------- */

bool mlplb_push_known(lua_State *L, const void *object) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &known_key);
  lua_rawgetp(L, -1, object);
  lua_remove(L, -2);
  const place *p = lua_touserdata(L, -1);
  /* else a released box, its address used again */
  if (p && p->box->object == object) return true;
  lua_pop(L, 1);
  return false;
}

void mlplb_remember(lua_State *L, const void *object) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &known_key);
  lua_pushvalue(L, -2);
  lua_rawsetp(L, -2, object);
  lua_pop(L, 1);
}
