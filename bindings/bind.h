/*
** What the files of the binding share. A Lua object is a userdata with a box that holds an
** engine object, its metatable on before the engine object exists, so that the collector
** owns it whatever is raised.
**
** Functions are closures: upvalue 1 is the state (mlplb_state), upvalue 2 the metatable
** of tensors.
*/
#ifndef MLPLB_BIND_H
#define MLPLB_BIND_H

#include "mlpl_lua.h"

#include "lauxlib.h"

#include <stdbool.h>

typedef enum mlplb_type {
  MLPLB_TENSOR,
  MLPLB_MODULE,
  MLPLB_OPTIMIZER,
  MLPLB_DATASET,
  MLPLB_BATCHES,
  MLPLB_STEP,
  MLPLB_HOOK,
  MLPLB_TENSORS,
  MLPLB_N_TYPES
} mlplb_type;

/* Names of types as users read them, and keys of their metatables: "mlpl.Tensor". */
extern const char *const mlplb_type_name[MLPLB_N_TYPES];

typedef struct mlplb_box {
  void *object;           /* NULL: not made yet, or released */
  void *doomed;           /* released by a finalizer: goes with the box */
  struct mlplb_box *next; /* free boxes */
  mlplb_type type;
} mlplb_box;

/* How tensors are shown (print.c). */
typedef struct mlplb_print {
  int precision;         /* digits behind the point */
  lua_Integer threshold; /* elements beyond which only the edges are shown */
  lua_Integer edgeitems; /* entries at either end of an axis then */
  lua_Integer linewidth; /* columns */
  int sci_mode;          /* 1 always, 0 never, -1 where the range demands it */
} mlplb_print;
extern const mlplb_print mlplb_print_standard;

/* Rows that indexing applies, found once. */
typedef enum mlplb_row {
  MLPLB_SELECT,
  MLPLB_SLICE,
  MLPLB_INDEX,
  MLPLB_NONZERO,
  MLPLB_MASKED_SELECT,
  MLPLB_N_ROWS
} mlplb_row;

/* One for each Lua state; a userdata, whose user values are the error of a callback, the
   last message that one raised and the same with its traceback, the last block of boxes,
   and the values that the engine holds. */
enum {
  MLPLB_STATE_ERROR = 1,
  MLPLB_STATE_MESSAGE,
  MLPLB_STATE_TRACE,
  MLPLB_STATE_BOXES,
  MLPLB_STATE_ANCHORS,
  MLPLB_STATE_VALUES = MLPLB_STATE_ANCHORS
};
typedef struct mlplb_state {
  mlpl_ctx *cx;
  lua_State *L;    /* where callbacks run: the thread of the call in progress */
  lua_State *main; /* the state's first thread, which lives as long as it does */
  const char *who; /* what runs as a callback, for errors */
  struct mlplb_anchor *anchors;
  size_t soft_limit; /* live bytes at which everything is collected */
  int rounds;        /* of collection, the first few counted */
  lua_Integer seed;  /* as it was last set */
  /* addresses of the metatables: a check costs no look-up */
  const void *meta[MLPLB_N_TYPES];
  struct block *blocks;             /* all boxes */
  mlplb_box *free;                  /* those not in use */
  mlplb_box nothing;                /* the box of a value that was collected */
  const mlpl_op *row[MLPLB_N_ROWS]; /* NULL: not looked up yet */
  mlplb_print print;
} mlplb_state;

#define MLPLB_UPVALUES 2
/* Around an engine call that may call Lua back. Returns what s->L was; put it back
   afterwards, for the thread may die. */
static inline lua_State *mlplb_enter(mlplb_state *s, lua_State *L) {
  lua_State *was = s->L;
  s->L = L;
  return was;
}

#define MLPLB_LUA_FAILED                                                                 \
  "a Lua layer failed" /* the engine's text while the error itself waits in the state */

/* Raise for arguments beyond the n-th. */
void mlplb_at_most(lua_State *L, const char *what, int n);

/* The state of the function that runs. Raises when lua_close has closed the context
   already: a finalizer that is older than the library called. */
static inline mlplb_state *mlplb_get(lua_State *L) {
  mlplb_state *s = lua_touserdata(L, lua_upvalueindex(1));
  if (!s->cx) luaL_error(L, "mlpl: the Lua state is closing");
  return s;
}

/* ---- state.c ----------------------------------------------------------------------- */

/* The state, or NULL before the first call of mlplb_state_push. */
mlplb_state *mlplb_state_of(lua_State *L);
/* Push the state, made on the first call. */
mlplb_state *mlplb_state_push(lua_State *L);
/* Push the two upvalues that every function of the binding has. */
void mlplb_push_upvalues(lua_State *L);
/* Fill the table on top with functions that have them. */
void mlplb_setfuncs(lua_State *L, const luaL_Reg *functions);

/* Whether the Lua half of the library wrote the function: its lines say nothing to users. */
bool mlplb_is_ours(const lua_Debug *d);
/* Push "train.lua:12: ", where the function running now was called: luaL_where(L, 1), but
   from the Lua half of the library on to the script that called it. */
void mlplb_where(lua_State *L);
/* Raise the engine's text, with the position of the Lua code that called; or the error of
   a Lua function that the engine had called. */
int mlplb_raise(lua_State *L, mlplb_state *s);
/* The same, the text of which begins with the function's name whatever inside failed. */
int mlplb_raise_as(lua_State *L, mlplb_state *s, const char *what);
/* nil, message, code for what is wrong with the world outside (files); raises for what is
   wrong with the call. */
int mlplb_outside(lua_State *L, mlplb_state *s, mlpl_status status);
/*
** The collector learns here what tensors weigh: call before anything that makes one. Live
** bytes over the soft limit start a full collection, and the limit follows what is live.
** Full collections are robust in both of the collector's modes, steps are not.
*/
void mlplb_pressure(lua_State *L, mlplb_state *s);
/* After a failure for lack of memory: collect everything and say true, once (*tries
   counts from 0). */
bool mlplb_again(lua_State *L, mlplb_state *s, mlpl_status status, int *tries);

/* ---- box.c ------------------------------------------------------------------------- */

void mlplb_boxes_open(lua_State *L);
void mlplb_boxes_close(mlplb_state *s); /* empty those whose finalizers Lua has lost */
/* Push a value with an empty box, its metatable on; n user values. */
mlplb_box *mlplb_box_push(lua_State *L, mlplb_type type, int n_user);
/* The box at arg, or NULL; only from functions with the binding's upvalues. */
mlplb_box *mlplb_test_box(lua_State *L, int arg, mlplb_type type);
mlplb_box *mlplb_check_box(lua_State *L, int arg, mlplb_type type); /* raises instead */
/* The object in it; raises when it is another type, or released. */
void *mlplb_check(lua_State *L, int arg, mlplb_type type);
/* NULL instead of raising; also when released */
void *mlplb_test(lua_State *L, int arg, mlplb_type type);
/* The same from any function: a host's, or one that runs without upvalues. */
void *mlplb_check_anywhere(lua_State *L, int arg, mlplb_type type);
mlplb_box *mlplb_test_box_anywhere(lua_State *L, int arg, mlplb_type type);
/*
** A type's `release` and __close, of the value at 1. A finalizer of the user's may run in
** the middle of any function of ours that allocates, and must not take away what that
** function works on: what is released in a finalizer stays until its value is collected.
*/
int mlplb_release(lua_State *L, mlplb_type type);
/* __gc of every type. */
int mlplb_collect(lua_State *L);
/* Objects known to Lua come back as the same value: a weak table from engine objects to
   boxes. */
bool mlplb_push_known(lua_State *L, const void *object);
void mlplb_remember(lua_State *L, const void *object); /* the box on top */

/* ---- callback.c: Lua that the engine calls ----------------------------------------- */

/*
** A Lua value that an engine object holds: the pointer goes where the engine takes a
** host's data, mlplb_anchor_release where it takes the function that lets go of it. An
** object that outlives the Lua state finds that there is none.
*/
typedef struct mlplb_anchor mlplb_anchor;
/* Takes the value from the top of the stack. To be given away before anything can raise. */
mlplb_anchor *mlplb_anchor_new(lua_State *L);
void mlplb_anchor_release(void *anchor);
/* The state, or NULL after an error: it is closed. */
mlplb_state *mlplb_anchor_state(mlpl_ctx *cx, const mlplb_anchor *anchor);
void mlplb_anchor_push(lua_State *L, const mlplb_anchor *anchor);
void mlplb_anchors_open(lua_State *L); /* the state is on top */
void mlplb_anchors_close(mlplb_state *s);

/*
** For functions that the engine calls: run(L), its argument `arg` as a light userdata,
** under pcall, since nothing may jump across an engine frame. What it raises waits in the
** state until the outer call is back in Lua. What it returns,
** if anything, is a sentence about what the script's function gave: the engine's call
** fails with it, so that it is raised at the script's line. who: "a Lua layer".
*/
mlpl_status mlplb_call_back(
    mlplb_state *s, const char *who, lua_CFunction run, void *arg);
/* Push "the function at train.lua:12", or "it". */
const char *mlplb_function_text(lua_State *L, int index);
/* A message handler: keeps the message's traceback for mlpl_traceback, while the stack that
   it describes is still there. */
int mlplb_note_traceback(lua_State *L);
/* Call the function at 1 with all that is above it: pcall with as many results as there are,
   whose errors are to be raised again. who: "a function under no_grad". */
int mlplb_call_through(lua_State *L, mlplb_state *s, const char *who);

/* ---- types, also in state.c -------------------------------------------------------- */

/*
** Make the metatable of a type, on which nothing is left to chance: metamethods, methods
** in upvalue 3 of __index, __gc, and `release` as __close and method, which may run any
** number of times.
*/
void mlplb_new_type(lua_State *L, mlplb_type type, const luaL_Reg *meta,
    const luaL_Reg *methods, lua_CFunction index, lua_CFunction release);
/* __index: the method named by the key at index 2, from upvalue 3. Comes before a look at
   the object: what was released may be released again. */
bool mlplb_push_method(lua_State *L);
/* Raise: there is nothing called the key at index 2 in `whose`, "a tensor"; with a hint. */
int mlplb_no_field(lua_State *L, const char *whose);
int mlplb_on_missing(lua_State *L); /* mlpl._on_missing, which gives the hints */
/* raises a sentence when there is none */
int mlplb_method(lua_State *L, const char *type);

/* ---- tensor.c ---------------------------------------------------------------------- */

/* An empty tensor box (fast: metatable from upvalue 2). Only from functions with the
   binding's upvalues. */
mlplb_box *mlplb_tensor_box(lua_State *L);
mlplb_box *mlplb_tensor_box_of(lua_State *L, mlplb_state *s); /* where s is at hand */
/* The tensor at arg; NULL: there is none, or it was released. */
mlpl_tensor *mlplb_tensor_at(lua_State *L, const mlplb_state *s, int arg);
mlpl_tensor *mlplb_check_tensor(lua_State *L, int arg);
/* NULL when it is no tensor; raises when it was released */
mlpl_tensor *mlplb_test_tensor(lua_State *L, int arg);
/* borrows; the same tensor is the same value */
void mlplb_push_tensor(lua_State *L, mlpl_tensor *t);
void mlplb_open_tensor(lua_State *L);

/* ---- params.c ---------------------------------------------------------------------- */

/* Where a call's tensors may be given beside its options: by name in the trailing
   table. */
typedef struct mlplb_named {
  int n;
  const char *name[MLPL_MAX_INPUTS];
  mlpl_tensor *tensor[MLPL_MAX_INPUTS];
  bool out;       /* the caller has read the option `out` */
  bool generator; /* and the option `generator` */
} mlplb_named;

/*
** Options from the arguments at first and after: in order, or by name in one trailing
** table. Raises by name on what is wrong; unknown names list those that exist. named may
** be NULL.
*/
void mlplb_params(lua_State *L, const char *what, int first, const mlpl_param *params,
    int n, mlpl_value *values, mlplb_named *named);
/* What the value at index is, as messages have it: 'text', 2.5, nil, missing, a table, a
   mlpl.Tensor. Pushes it. */
const char *mlplb_shown(lua_State *L, int index);
/* Raise for a key of the array at index that is none of its 1 to n: nothing that a script
   says goes unheard. */
void mlplb_only_array(lua_State *L, int index, const char *what, const char *holds);
/* The path at arg. */
const char *mlplb_path(lua_State *L, int arg);
/* A whole number at index; raises "what: name ...". */
lua_Integer mlplb_whole(lua_State *L, int index, const char *what, const char *name);
/* Sizes: one array at arg, or numbers from arg up to (not including) end. Returns how
   many. */
int mlplb_sizes(lua_State *L, const char *what, int arg, int end, int64_t *sizes);
/* The index of the trailing options table, or 0: a table without array part. */
int mlplb_options(lua_State *L);
/* An option of the table at index (0: no table): pushes its value or nil; true or false,
   or the standard. */
int mlplb_get_option(lua_State *L, int index, const char *name);
/* The tensor on top, which is that option; raises for anything else. */
mlpl_tensor *mlplb_option_tensor(lua_State *L, const char *what, const char *name);
bool mlplb_get_flag(
    lua_State *L, int index, const char *what, const char *name, bool standard);
/* Raise for a key of the options table at index that is not in names
   (NULL-terminated). */
void mlplb_known_keys(
    lua_State *L, int index, const char *what, const char *const *names);
mlpl_dtype mlplb_dtype(lua_State *L, int index, const char *what);
/* The number or truth value at index, exact where it is whole. */
mlpl_element mlplb_element(lua_State *L, int index);

/* ---- create.c ---------------------------------------------------------------------- */

/* What every function that makes a tensor is told, by the table at index `options` (0:
   there is none). */
typedef struct mlplb_making {
  const char *what; /* the function */
  mlpl_dtype dtype;
  bool requires_grad;
} mlplb_making;
mlplb_making mlplb_making_of(
    lua_State *L, int options, const char *what, mlpl_dtype standard);
/* Its end: t goes into the box on top, or the error is raised. */
int mlplb_finish(lua_State *L, const mlplb_making *m, mlplb_box *box, mlpl_tensor *t,
    mlpl_status status);

/* ---- the other files --------------------------------------------------------------- */

/* methods into the table on top */
void mlplb_open_ops(lua_State *L);
/* pushes a table of the operations of a group: mlpl.linalg */
void mlplb_open_group(lua_State *L, const char *group);
/* tensors' methods that are operations of the table as functions into the table on top,
   where it has none of the name */
void mlplb_open_functions(lua_State *L);
/* pushes the table of a type's methods, or nil */
void mlplb_push_methods(lua_State *L, const char *type_name);
/* values.c: methods, and those of them that are functions too, into the table on top */
void mlplb_open_values(lua_State *L);
/* Does the number or truth value at arg arrive as it is: whole for whole numbers, within
   the range of the dtype? */
bool mlplb_fits(lua_State *L, int arg, mlpl_dtype dtype);
mlpl_status mlplb_full(mlpl_ctx *cx, mlpl_tensor **t, mlpl_dtype dtype, int ndim,
    const int64_t *shape, mlpl_element value);
void mlplb_open_answers(lua_State *L);
/* inputs and options from argument 1 on; what: the name it is called by */
int mlplb_op_call(lua_State *L, const mlpl_op *op, const char *what);
/* the inputs in one array at argument 1, then options */
int mlplb_list_call(lua_State *L, const mlpl_op *op, const char *what);
int mlplb_list_function(lua_State *L);                  /* of the row that is upvalue 3 */
int mlplb_index(lua_State *L, mlpl_tensor *t, int key); /* t[key]: pushes it */
/* t[key] = the value at index `value` */
int mlplb_set_index(lua_State *L, mlpl_tensor *t, int key, int value);
/* the row that PyTorch has by another name as well ("clip" is clamp), or NULL */
const mlpl_op *mlplb_other_name(const char *name);
/* functions by other names whose inputs are a list into the table on top */
void mlplb_open_other_lists(lua_State *L);
/* methods split, chunk, unbind into the table on top */
void mlplb_open_parts(lua_State *L);
/* functions that join and cut tensors into the table on top */
void mlplb_open_shapes(lua_State *L);
void mlplb_tostring(lua_State *L, mlpl_tensor *t); /* print.c */
/* set_printoptions and get_printoptions into the table on top */
void mlplb_open_print(lua_State *L);
/* functions into the table on top */
void mlplb_open_create(lua_State *L);
void mlplb_open_sequences(lua_State *L);
void mlplb_open_nn(lua_State *L);    /* pushes the table */
void mlplb_open_optim(lua_State *L); /* pushes the table */
/* methods into the table on top */
void mlplb_open_grad_methods(lua_State *L);
void mlplb_open_grad(lua_State *L); /* functions into the table on top */
/* methods into the table on top; functions into the table on top (draw.c) */
void mlplb_open_draw_methods(lua_State *L);
void mlplb_open_draws(lua_State *L);
void mlplb_open_new_methods(lua_State *L); /* methods into the table on top */
void mlplb_open_generators(lua_State *L); /* functions into the table on top */
/* The option `generator` of the table at index (0: no table), or NULL: the state's own.
   Pushes the option. */
typedef struct mlplb_generator mlplb_generator;
mlplb_generator *mlplb_generator_at(lua_State *L, int options, const char *what);
/* Before and after an engine call that draws: the context has the generator's state
   meanwhile. NULL: nothing. */
void mlplb_generator_swap(mlplb_state *s, mlplb_generator *g);
/* upvalues 3 to 5: the two passes and the name */
int mlplb_function_call(lua_State *L);
void mlplb_open_data(lua_State *L); /* pushes the table */
/* functions into the table on top */
void mlplb_open_step(lua_State *L);
/* functions into the table on top */
void mlplb_open_profile(lua_State *L);
/* functions into the table on top */
void mlplb_open_describe(lua_State *L);
int mlplb_terminal(lua_State *L); /* terminal.c */
int mlplb_unique(lua_State *L);   /* unique.c: a tensor's method */
int mlplb_unique_consecutive(lua_State *L); /* likewise */
int mlplb_einsum(lua_State *L);   /* einsum.c */
int mlplb_tensordot(lua_State *L);
/* load and save into the table on top */
void mlplb_open_files(lua_State *L);
int mlplb_npy(lua_State *L); /* data.npy */

#endif
