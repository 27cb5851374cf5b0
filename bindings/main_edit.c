/*
** Lines from the user. On a terminal they are edited by libedit or readline, whichever
** the machine has: the library is found at run time, so that the command needs neither to
** be built nor to start, and takes no licence from them.
**
** Both are driven through their callback interface, one character at a time, because a
** plain readline() does not return when the user types Ctrl-C.
*/
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

#include "main.h"

typedef void line_handler(char *line);
typedef char **attempt(const char *text, int start, int end);

typedef struct library {
  void (*install)(const char *prompt, line_handler *handler);
  void (*read_char)(void);
  void (*remove)(void);
  int (*add_history)(const char *line); /* readline's gives nothing; nobody looks */
  attempt **completer;
  const char **breaks; /* what ends the word that is completed */
  int *append;         /* character after a completed word */
  int *over;           /* "do not go on to complete file names" */
} library;

static struct {
  bool terminal;
  library lib;
  bool found;
  mlplb_completer *completer;
  void *ud;
} edit;

static bool find(void *handle, const char *name, void *where) {
  void *symbol = dlsym(handle, name);
  memcpy(where, &symbol, sizeof symbol); /* ISO C has no conversion to a function */
  return symbol != NULL;
}

static bool find_all(void *handle, library *lib) {
  return find(handle, "rl_callback_handler_install", &lib->install) &&
      find(handle, "rl_callback_read_char", &lib->read_char) &&
      find(handle, "rl_callback_handler_remove", &lib->remove) &&
      find(handle, "add_history", &lib->add_history) &&
      find(handle, "rl_attempted_completion_function", &lib->completer) &&
      find(handle, "rl_basic_word_break_characters", &lib->breaks) &&
      find(handle, "rl_completion_append_character", &lib->append) &&
      find(handle, "rl_attempted_completion_over", &lib->over);
}

static bool load(library *lib) {
  static const char *const names[] = {"libedit.so.2", "libreadline.so.8"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    void *handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (handle != NULL && find_all(handle, lib)) return true;
    if (handle != NULL) dlclose(handle);
  }
  return false;
}

static char **complete(const char *text, int start, int end) {
  (void)start;
  (void)end;
  *edit.lib.append = '\0'; /* both reset these for each attempt */
  *edit.lib.over = 1;
  return edit.completer(edit.ud, text);
}

void mlplb_edit_open(mlplb_completer *completer, void *ud) {
  edit.terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
  edit.found = edit.terminal && load(&edit.lib);
  edit.completer = completer;
  edit.ud = ud;
  if (edit.found) {
    *edit.lib.completer = complete;
    *edit.lib.breaks = " \t\n\"'`<>=~;|&{}()[]+-*/%^#,";
  }
}

/* ---- Ctrl-C ------------------------------------------------------------------------ */

static volatile sig_atomic_t interrupted;

static void on_interrupt(int sig) {
  (void)sig;
  interrupted = 1;
}

/* No SA_RESTART: a read that waits for the user has to end. */
static void catch_interrupt(struct sigaction *old) {
  struct sigaction ours = {.sa_handler = on_interrupt};
  sigemptyset(&ours.sa_mask);
  interrupted = 0;
  sigaction(SIGINT, &ours, old);
}

/* ---- with a library ---------------------------------------------------------------- */

static struct {
  bool done;
  char *line;
} got;

static void take_line(char *line) {
  got.done = true;
  got.line = line;
  edit.lib.remove(); /* now, or readline shows its prompt again */
}

/*
** Wait for a key and let the library have it. SIGINT is blocked everywhere but here, so
** it can neither be missed nor interrupt the library. False: no key will ever come.
*/
static bool take_key(const sigset_t *unblocked) {
  fd_set set;
  FD_ZERO(&set);
  FD_SET(STDIN_FILENO, &set);
  if (pselect(STDIN_FILENO + 1, &set, NULL, NULL, NULL, unblocked) < 0)
    return errno == EINTR; /* a signal; Ctrl-C is for the caller to see */
  struct pollfd fd = {.fd = STDIN_FILENO, .events = POLLIN};
  if (poll(&fd, 1, 0) == 1 && (fd.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0)
    return false;
  edit.lib.read_char();
  return true;
}

static mlplb_input read_edited(const char *prompt, char **line, size_t *length) {
  struct sigaction at_first;
  sigset_t block, unblocked;
  sigaction(SIGINT, NULL, &at_first);
  sigemptyset(&block);
  sigaddset(&block, SIGINT);
  sigprocmask(SIG_BLOCK, &block, &unblocked);
  got.done = false;
  got.line = NULL;
  fflush(stdout);
  edit.lib.install(prompt, take_line);
  catch_interrupt(NULL); /* after libedit, which installs a handler */
  bool open = true;
  while (!got.done && !interrupted && open) open = take_key(&unblocked);
  if (!got.done) edit.lib.remove();

  sigaction(SIGINT, &at_first, NULL);
  sigprocmask(SIG_SETMASK, &unblocked, NULL);
  if (!got.done && open) return MLPLB_CLEARED;
  *line = got.line;
  *length = got.line != NULL ? strlen(got.line) : 0;
  return got.line != NULL ? MLPLB_LINE : MLPLB_END;
}

/* ---- without ----------------------------------------------------------------------- */

/* A line of any length from stdin, or NULL: at its end, or without memory. */
static char *get_line(size_t *length) {
  size_t size = 128, n = 0;
  char *text = malloc(size);
  int c = EOF;
  while (text != NULL && (c = getc(stdin)) != EOF && c != '\n') {
    text[n++] = (char)c;
    if (n == size) {
      char *longer = realloc(text, size *= 2);
      if (longer == NULL) free(text);
      text = longer;
    }
  }
  if (text == NULL || (c == EOF && n == 0)) {
    free(text);
    return NULL;
  }
  text[n] = '\0';
  *length = n;
  return text;
}

static mlplb_input read_plain(const char *prompt, char **line, size_t *length) {
  struct sigaction old;
  if (edit.terminal) catch_interrupt(&old);
  fputs(prompt, stdout);
  fflush(stdout);
  *line = get_line(length);
  if (edit.terminal) sigaction(SIGINT, &old, NULL);
  if (edit.terminal && interrupted) {
    free(*line);
    clearerr(stdin);
    return MLPLB_CLEARED;
  }
  return *line != NULL ? MLPLB_LINE : MLPLB_END;
}

mlplb_input mlplb_edit_read(const char *prompt, char **line, size_t *length) {
  if (edit.found) return read_edited(prompt, line, length);
  return read_plain(prompt, line, length);
}

void mlplb_edit_remember(const char *line) {
  if (edit.found && line[0] != '\0') edit.lib.add_history(line);
}
