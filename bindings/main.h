/*
** What the files of the `mlpl` command (bindings/main*.c) share. None of this is in the
** libraries: only the command prints, catches signals and ends the process.
*/
#ifndef MLPLB_MAIN_H
#define MLPLB_MAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "lua.h"

/* The command's Lua state, without libraries (main_state.c); NULL: not enough memory. */
lua_State *mlplb_main_open(void);
void mlplb_main_close(lua_State *L);

/*
** Call the function under its n_args arguments. An error comes back as a message with its
** traceback; Ctrl-C raises "interrupted!" in the running code, and a second one ends the
** process.
*/
int mlplb_call(lua_State *L, int n_args, int n_results);

/* Print "who: message" (who may be NULL) on stderr; pops the message. Returns status. */
int mlplb_report(lua_State *L, const char *who, int status);

/* Print the version on stdout, on one line. */
void mlplb_print_version(void);

/* Read, run and print until the input ends. */
void mlplb_repl(lua_State *L);

typedef enum mlplb_input { MLPLB_LINE, MLPLB_END, MLPLB_CLEARED } mlplb_input;

/*
** Completions of `text`: a malloc'ed array that ends with NULL, of malloc'ed strings, the
** first being what all the others begin with; NULL if there are none.
*/
typedef char **mlplb_completer(void *ud, const char *text);

/* Look for an editing library if this is a terminal; without, lines are read plainly. */
void mlplb_edit_open(mlplb_completer *completer, void *ud);

/*
** Prompt for a line. MLPLB_LINE gives *line (free it) and its length, without newline;
** MLPLB_CLEARED means that the user typed Ctrl-C.
*/
mlplb_input mlplb_edit_read(const char *prompt, char **line, size_t *length);

void mlplb_edit_remember(const char *line);

#endif
