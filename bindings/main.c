/*
** The `mlpl` command: an interpreter with the options and manners of lua 5.4's own, in
** which `require "mlpl"` needs no file. Three things differ: --help and --version exist,
** a bad command line ends with status 2, and the collector stays incremental, because
** generational collections do not see what tensors weigh until a major one.
*/
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lauxlib.h"
#include "lua.h"
#include "lualib.h"

#include "main.h"
#include "mlpl.h"
#include "mlpl_lua.h"

enum { BAD_COMMAND_LINE = 2 };

typedef struct options {
  int script;          /* index of the script's name; argc: none */
  bool version;        /* -v, -i */
  bool interactive;    /* -i */
  bool statements;     /* -e */
  bool no_environment; /* -E */
  bool help;           /* -h, --help */
  bool only_version;   /* --version */
  bool profile;        /* --profile */
  const char *bad;     /* the option that is wrong, or NULL */
} options;

typedef struct command {
  int argc;
  char **argv;
  int status; /* of the process */
} command;

static const char *program = "mlpl";

/* ---- messages ---------------------------------------------------------------------- */

static const char usage[] =
    "usage: mlpl [options] [script [args]]\n"
    "       mlpl help [name ...]\n"
    "  -e stat      run the statement 'stat'\n"
    "  -i           go interactive after running the script\n"
    "  -l mod       require 'mod' into the global 'mod'\n"
    "  -l g=mod     require 'mod' into the global 'g'\n"
    "  -v           print the version, then go on\n"
    "  -E           ignore environment variables\n"
    "  -W           turn warnings on\n"
    "  --           stop handling options\n"
    "  -            stop handling options and run stdin\n"
    "  -h, --help   print this and leave\n"
    "  --version    print the version and leave\n"
    "  --profile    print on stderr where the script's time went\n"
    "Without a script or -e, mlpl is interactive on a terminal and runs stdin "
    "elsewhere.\n";

static void complain(const char *who, const char *message) {
  if (who != NULL) fprintf(stderr, "%s: ", who);
  fprintf(stderr, "%s\n", message);
}

static void complain_of_option(const char *bad) {
  bool unfinished = strcmp(bad, "-e") == 0 || strcmp(bad, "-l") == 0;
  fprintf(stderr,
      unfinished ? "%s: '%s' needs an argument\n" : "%s: unrecognized option '%s'\n",
      program, bad);
  fputs(usage, stderr);
}

void mlplb_print_version(void) {
  mlpl_ctx *cx = NULL;
  mlpl_config config = {.threads = 1, .isa = getenv("MLPL_ISA")};
  if (mlpl_open(&cx, &config) == MLPL_OK)
    printf("mlpl %s (%s, %s)\n", MLPL_VERSION, LUA_RELEASE, mlpl_isa(cx));
  else
    printf("mlpl %s (%s)\n", MLPL_VERSION, LUA_RELEASE);
  mlpl_close(cx);
  fflush(stdout);
}

int mlplb_report(lua_State *L, const char *who, int status) {
  if (status != LUA_OK) {
    const char *message = lua_tostring(L, -1);
    complain(who, message != NULL ? message : "(error message is not a string)");
    lua_pop(L, 1);
  }
  return status;
}

/* ---- calls ------------------------------------------------------------------------- */

static lua_State *running; /* what Ctrl-C interrupts */
static pthread_t main_thread;

static void stop(lua_State *L, lua_Debug *ar) {
  (void)ar;
  lua_sethook(L, NULL, 0, 0);
  luaL_error(L, "interrupted!");
}

/*
** lua_sethook is all that may be done to a running state, and only from its own thread:
** an engine thread passes the signal on.
*/
static void on_interrupt(int sig) {
  if (!pthread_equal(pthread_self(), main_thread)) {
    pthread_kill(main_thread, sig);
    return;
  }
  signal(sig, SIG_DFL);
  int any = LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT;
  lua_sethook(running, stop, any, 1);
}

/* An error with a __tostring speaks for itself; anything else gets a traceback. */
static int add_traceback(lua_State *L) {
  const char *message = lua_tostring(L, 1);
  if (message == NULL) {
    if (luaL_callmeta(L, 1, "__tostring") && lua_type(L, -1) == LUA_TSTRING) return 1;
    message = lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
  }
  luaL_traceback(L, L, message, 1);
  return 1;
}

int mlplb_call(lua_State *L, int n_args, int n_results) {
  int base = lua_gettop(L) - n_args;
  lua_pushcfunction(L, add_traceback);
  lua_insert(L, base);

  struct sigaction ours = {.sa_handler = on_interrupt}, theirs;
  sigemptyset(&ours.sa_mask);
  sigaction(SIGINT, NULL, &theirs);
  bool catching = theirs.sa_handler != SIG_IGN; /* a job in the background ignores it */
  running = L;
  main_thread = pthread_self();
  if (catching) sigaction(SIGINT, &ours, NULL);
  int status = lua_pcall(L, n_args, n_results, base);
  if (catching) sigaction(SIGINT, &theirs, NULL);
  if (lua_gethook(L) == stop) /* it came too late to stop anything */
    lua_sethook(L, NULL, 0, 0);

  lua_remove(L, base);
  return status;
}

static int run(lua_State *L, int load_status) {
  if (load_status == LUA_OK) load_status = mlplb_call(L, 0, 0);
  return mlplb_report(L, program, load_status);
}

static int run_file(lua_State *L, const char *name) {
  return run(L, luaL_loadfile(L, name));
}

static int run_string(lua_State *L, const char *text, const char *name) {
  return run(L, luaL_loadbuffer(L, text, strlen(text), name));
}

/* ---- what the command line asks for ------------------------------------------------ */

/* Take argv[i]; returns how many more arguments belong to it, or -1 if it is wrong. */
static int take_option(options *o, char **argv, int i) {
  const char *option = argv[i];
  bool alone = option[2] == '\0';
  switch (option[1]) {
    case 'E': o->no_environment = true; return alone ? 0 : -1;
    case 'W': return alone ? 0 : -1;
    case 'h': o->help = true; return alone ? 0 : -1;
    case 'i': o->interactive = o->version = true; return alone ? 0 : -1;
    case 'v': o->version = true; return alone ? 0 : -1;
    case 'e': o->statements = true; /* fall through */
    case 'l':
      if (!alone) return 0;
      return argv[i + 1] != NULL && argv[i + 1][0] != '-' ? 1 : -1;
    default: return -1;
  }
}

static options parse(char **argv) {
  options o = {0};
  int i = 1;
  for (; argv[i] != NULL && argv[i][0] == '-' && argv[i][1] != '\0'; i++) {
    if (strcmp(argv[i], "--") == 0) {
      i++;
      break;
    }
    if (strcmp(argv[i], "--help") == 0)
      o.help = true;
    else if (strcmp(argv[i], "--version") == 0)
      o.only_version = true;
    else if (strcmp(argv[i], "--profile") == 0)
      o.profile = true;
    else {
      int more = take_option(&o, argv, i);
      if (more < 0) {
        o.bad = argv[i];
        break;
      }
      i += more;
    }
    if (o.help || o.only_version) break;
  }
  o.script = i;
  return o;
}

/* arg[0] is the script; what follows it counts from 1, what is before it from -1 down. */
static void set_arg(lua_State *L, const command *c, int script) {
  if (script == c->argc) script = 0;
  lua_createtable(L, c->argc - script - 1, script + 1);
  for (int i = 0; i < c->argc; i++) {
    lua_pushstring(L, c->argv[i]);
    lua_rawseti(L, -2, i - script);
  }
  lua_setglobal(L, "arg");
}

/* Push the script's arguments, as `arg` has them by now; returns how many. */
static int push_args(lua_State *L) {
  if (lua_getglobal(L, "arg") != LUA_TTABLE) luaL_error(L, "'arg' is not a table");
  int n = (int)luaL_len(L, -1);
  luaL_checkstack(L, n + 3, "too many arguments to script");
  for (int i = 1; i <= n; i++) lua_rawgeti(L, -i, i);
  lua_remove(L, -n - 1);
  return n;
}

static int run_script(lua_State *L, char **argv) {
  const char *name = argv[0];
  if (strcmp(name, "-") == 0 && strcmp(argv[-1], "--") != 0)
    name = NULL; /* stdin; after "--" it is a file's name */
  int status = luaL_loadfile(L, name);
  if (status == LUA_OK) status = mlplb_call(L, push_args(L), 0);
  return mlplb_report(L, program, status);
}

static int run_library(lua_State *L, const char *text) {
  const char *equals = strchr(text, '=');
  const char *module = equals != NULL ? equals + 1 : text;
  size_t length = equals != NULL ? (size_t)(equals - text) : strlen(text);
  const char *global = lua_pushlstring(L, text, length);
  lua_getglobal(L, "require");
  lua_pushstring(L, module);
  int status = mlplb_call(L, 1, 1);
  if (status == LUA_OK) lua_setglobal(L, global);
  mlplb_report(L, program, status);
  lua_pop(L, 1); /* the name */
  return status;
}

/* "mlpl help name": like a script that prints what mlpl.help says. Not where there is a
   file of that name. */
static bool is_help(char *const *argv) {
  return strcmp(argv[0], "help") == 0 && access(argv[0], F_OK) != 0;
}

static bool run_help(lua_State *L, char **argv) {
  static const char code[] =
      "local help = require('mlpl').help\n"
      "if ... == '--definitions' then io.stdout:write(help.definitions()) return end\n"
      "local ok, why = pcall(help, ...)\n"
      "if not ok then error(why, 0) end";
  int n = 0;
  /* called by this name, messages have no place in a script before them */
  int status = luaL_loadbufferx(L, code, sizeof code - 1, "@scripts/mlpl/help", "t");
  for (; argv[n + 1]; n++) {
    luaL_checkstack(L, 1, "help");
    lua_pushstring(L, argv[n + 1]);
  }
  if (status == LUA_OK) status = lua_pcall(L, n, 0, 0);
  return mlplb_report(L, program, status) == LUA_OK;
}

/* Do what -e, -l and -W ask for, in their order. */
static bool run_options(lua_State *L, char **argv, int end) {
  for (int i = 1; i < end; i++) {
    char letter = argv[i][1];
    if (letter == 'W') lua_warning(L, "@on", 0);
    if (letter != 'e' && letter != 'l') continue;
    const char *text = argv[i][2] != '\0' ? argv[i] + 2 : argv[++i];
    int status = letter == 'e' ? run_string(L, text, "=(command line)")
                               : run_library(L, text);
    if (status != LUA_OK) return false;
  }
  return true;
}

static bool run_init(lua_State *L) {
  const char *name = "=LUA_INIT" LUA_VERSUFFIX;
  const char *text = getenv(name + 1);
  if (text == NULL) {
    name = "=LUA_INIT";
    text = getenv(name + 1);
  }
  if (text == NULL) return true;
  return (text[0] == '@' ? run_file(L, text + 1) : run_string(L, text, name)) == LUA_OK;
}

static void open_libraries(lua_State *L, bool no_environment) {
  luaL_checkversion(L);
  if (no_environment) {
    lua_pushboolean(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
  }
  luaL_openlibs(L);
  mlpl_openlib(L);
}

/* A function of the library's profiler; quiet when the script has broken the library. */
static bool profiler(lua_State *L, const char *function) {
  static const char code[] = "local name = ...; require('mlpl').profiler[name]()";
  int status = luaL_loadbuffer(L, code, sizeof code - 1, "=profiler");
  lua_pushstring(L, function);
  if (status == LUA_OK) status = mlplb_call(L, 1, 0);
  return mlplb_report(L, program, status) == LUA_OK;
}

/* The report comes after a failure too: what was measured until then is true. */
static int run_profiled(lua_State *L, char **argv) {
  if (!profiler(L, "start")) return LUA_ERRRUN;
  int status = run_script(L, argv);
  profiler(L, "report");
  return status;
}

static bool run_all(lua_State *L, const command *c, const options *o) {
  bool no_script = o->script >= c->argc;
  open_libraries(L, o->no_environment);
  set_arg(L, c, o->script);
  if (!o->no_environment && !run_init(L)) return false;
  if (!run_options(L, c->argv, o->script)) return false;
  if (!no_script && is_help(c->argv + o->script)) return run_help(L, c->argv + o->script);
  int (*run_it)(lua_State *, char **) = o->profile ? run_profiled : run_script;
  if (!no_script && run_it(L, c->argv + o->script) != LUA_OK) return false;
  if (o->interactive)
    mlplb_repl(L);
  else if (no_script && !o->statements && !o->version) {
    if (!isatty(STDIN_FILENO)) return run_file(L, NULL) == LUA_OK;
    mlplb_print_version();
    mlplb_repl(L);
  }
  return true;
}

static int protected_main(lua_State *L) {
  command *c = lua_touserdata(L, 1);
  options o = parse(c->argv);
  if (o.bad != NULL) {
    complain_of_option(o.bad);
    c->status = BAD_COMMAND_LINE;
    return 0;
  }
  if (o.help) {
    fputs(usage, stdout);
    return 0;
  }
  if (o.version || o.only_version) mlplb_print_version();
  if (!o.only_version && !run_all(L, c, &o)) c->status = EXIT_FAILURE;
  return 0;
}

/* ---- the process ------------------------------------------------------------------- */

/*
** A standard file that is closed would become the first file that a script opens, and
** print would write into it. What is opened here instead fails when used.
*/
static void hold_standard_files(void) {
  for (int fd = 0; fd <= 2; fd++)
    if (fcntl(fd, F_GETFD) == -1 && errno == EBADF) {
      int held = open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
      (void)held; /* the lowest free number, which is fd */
    }
}

/* At the end of the process, however it comes: lost output makes it a failure. */
static void check_stdout(void) {
  if (!ferror(stdout) && fflush(stdout) == 0) return;
  fprintf(stderr, "%s: cannot write to standard output: %s\n", program, strerror(errno));
  fflush(NULL);
  _exit(EXIT_FAILURE);
}

int main(int argc, char **argv) {
  command c = {argc, argv, EXIT_SUCCESS};
  if (argc > 0 && argv[0][0] != '\0') program = argv[0];
  hold_standard_files();
  atexit(check_stdout);

  lua_State *L = argc > 0 ? mlplb_main_open() : NULL;
  if (L == NULL) {
    complain(program, "cannot create state: not enough memory");
    return EXIT_FAILURE;
  }
  lua_pushcfunction(L, protected_main);
  lua_pushlightuserdata(L, &c);
  if (mlplb_report(L, program, lua_pcall(L, 1, 0, 0)) != LUA_OK) c.status = EXIT_FAILURE;
  mlplb_main_close(L);
  return c.status;
}
