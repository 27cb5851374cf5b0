/*
** The command's Lua state: the standard one but for its memory. Tables, closures, short
** strings and userdata come from lists of free pieces, one for every 16 bytes of size,
** cut from large chunks: the collector gives back thousands at a time, for which the C
** library's free is slow. Pieces stay with the state until it is closed.
*/
#include "main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lauxlib.h"

#define UNIT ((size_t)16) /* also what Lua asks for as alignment */
#define N_SIZES 16        /* pieces of up to 256 bytes */
#define CHUNK ((size_t)64 << 10)

/* Sanitizers find nothing in memory that is used again. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define CUT_PIECES 0
#else
#define CUT_PIECES 1
#endif

typedef struct piece {
  struct piece *next;
} piece;

typedef struct chunk {
  struct chunk *next;
  _Alignas(16) char memory[];
} chunk;

typedef struct state {
  piece *free[N_SIZES + 1]; /* by size in units */
  char *at;                 /* where the rest of the last chunk begins, */
  size_t rest;              /* and its bytes */
  chunk *chunks;
  bool warns;      /* after warn("@on") */
  bool in_warning; /* more of the text is to come */
} state;

/* ---- memory ------------------------------------------------------------------------ */

static size_t units(size_t bytes) { return (bytes + UNIT - 1) / UNIT; }

static bool is_piece(size_t bytes) { return CUT_PIECES && bytes - 1 < N_SIZES * UNIT; }

static void *cut(state *s, size_t bytes) {
  if (s->rest < bytes) {
    chunk *c = malloc(sizeof *c + CHUNK);
    if (!c) return NULL;
    c->next = s->chunks;
    s->chunks = c;
    s->at = c->memory;
    s->rest = CHUNK;
  }
  void *p = s->at;
  s->at += bytes;
  s->rest -= bytes;
  return p;
}

static void *take(state *s, size_t bytes) {
  if (!is_piece(bytes)) return malloc(bytes);
  const size_t n = units(bytes);
  piece *p = s->free[n];
  if (!p) return cut(s, n * UNIT);
  s->free[n] = p->next;
  return p;
}

static void give_back(state *s, void *memory, size_t bytes) {
  if (!is_piece(bytes)) {
    free(memory);
    return;
  }
  piece *p = memory;
  p->next = s->free[units(bytes)];
  s->free[units(bytes)] = p;
}

/* As lua_Alloc has it. `was` is a type where there is no memory yet. */
static void *reallocate(void *ud, void *memory, size_t was, size_t bytes) {
  state *s = ud;
  if (!memory) return bytes ? take(s, bytes) : NULL;
  if (!bytes) {
    give_back(s, memory, was);
    return NULL;
  }
  if (!is_piece(was) && !is_piece(bytes)) return realloc(memory, bytes);
  if (is_piece(was) && is_piece(bytes) && units(was) == units(bytes)) return memory;
  void *moved = take(s, bytes);
  if (!moved) return NULL;
  memcpy(moved, memory, was < bytes ? was : bytes);
  give_back(s, memory, was);
  return moved;
}

/* ---- messages ---------------------------------------------------------------------- */

/* warn's: "@on" and "@off" are orders. */
static void warning(void *ud, const char *text, int to_continue) {
  state *s = ud;
  if (!s->in_warning && !to_continue && *text == '@') {
    if (strcmp(text, "@on") == 0) s->warns = true;
    if (strcmp(text, "@off") == 0) s->warns = false;
    return;
  }
  if (s->warns)
    fprintf(stderr, "%s%s%s", s->in_warning ? "" : "Lua warning: ", text,
        to_continue ? "" : "\n");
  s->in_warning = to_continue;
}

/* An error outside every protected call: lua_pcall is all that main calls. */
static int panic(lua_State *L) {
  const char *text = lua_tostring(L, -1);
  fprintf(stderr, "PANIC: unprotected error in call to Lua API (%s)\n",
      text ? text : "error object is not a string");
  return 0;
}

/* ---- the state --------------------------------------------------------------------- */

static void free_state(state *s) {
  for (chunk *c = s->chunks, *next; c; c = next) {
    next = c->next;
    free(c);
  }
  free(s);
}

lua_State *mlplb_main_open(void) {
  state *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  lua_State *L = lua_newstate(reallocate, s);
  if (!L) {
    free_state(s);
    return NULL;
  }
  lua_atpanic(L, panic);
  lua_setwarnf(L, warning, s);
  return L;
}

void mlplb_main_close(lua_State *L) {
  void *s;
  lua_getallocf(L, &s);
  lua_close(L);
  free_state(s);
}
