/*
** Writes Lua scripts, byte for byte, into a C file (see bindings/scripts.h).
**
**   embed gen/embedded.c ROOT scripts/mlpl
**
** takes every .lua file below ROOT/scripts/mlpl, sorted by path. A tool of the build: it runs
** at every make and leaves the file alone when nothing changed, so that nothing is rebuilt.
** A script that is not text Lua can read is the library's tests' business, not ours.
*/
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_FILES = 1000, MAX_PATH = 1024 };

static const char *root;
static char paths[MAX_FILES][MAX_PATH];   /* relative to root */
static size_t n_paths;

static _Noreturn void fail(const char *what, const char *path) {
  fprintf(stderr, "embed: %s: %s\n", what, path);
  exit(1);
}

static void join(char *out, const char *folder, const char *name) {
  if (snprintf(out, MAX_PATH, "%s/%s", folder, name) >= MAX_PATH) fail("path too long", name);
}

static int ends_with(const char *text, const char *end) {
  size_t n = strlen(text), n_end = strlen(end);
  return n > n_end && strcmp(text + n - n_end, end) == 0;
}

static void collect(const char *folder) {
  char full[MAX_PATH], path[MAX_PATH];
  join(full, root, folder);
  DIR *dir = opendir(full);
  if (!dir) fail("cannot read folder", full);
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    struct stat info;
    if (entry->d_name[0] == '.') continue;              /* also what editors leave behind */
    join(path, folder, entry->d_name);
    join(full, root, path);
    if (stat(full, &info) == 0 && S_ISDIR(info.st_mode)) {
      collect(path);
    } else if (ends_with(path, ".lua")) {
      if (n_paths == MAX_FILES) fail("too many scripts at", path);
      strcpy(paths[n_paths++], path);
    }
  }
  closedir(dir);
}

static int by_text(const void *a, const void *b) { return strcmp(a, b); }

/* scripts/mlpl/args.lua is mlpl.args, scripts/mlpl/init.lua is mlpl. */
static void write_module_name(FILE *out, const char *path) {
  const char *name = strchr(path, '/') + 1;
  size_t n = strlen(name) - strlen(".lua");
  if (ends_with(path, "/init.lua")) n -= strlen("/init");
  for (size_t i = 0; i < n; i++) putc(name[i] == '/' ? '.' : name[i], out);
}

/* Closed by a zero byte that the size does not count: C has no empty arrays. */
static void write_bytes(FILE *out, size_t number, const char *path) {
  char full[MAX_PATH];
  join(full, root, path);
  FILE *in = fopen(full, "rb");
  if (!in) fail("cannot read", full);
  fprintf(out, "\nstatic const unsigned char bytes_%zu[] = {   /* %s */", number, path);
  for (int c, n = 0; (c = getc(in)) != EOF; n++) fprintf(out, "%s%d,", n % 24 ? "" : "\n", c);
  if (ferror(in)) fail("cannot read", full);
  fprintf(out, "\n0 };\n");
  fclose(in);
}

static void write_all(FILE *out) {
  fprintf(out, "/* Made by scripts/embed.c. */\n#include \"scripts.h\"\n");
  for (size_t i = 0; i < n_paths; i++) write_bytes(out, i, paths[i]);
  fprintf(out, "\nconst struct mlplb_script mlplb_scripts[] = {\n");
  for (size_t i = 0; i < n_paths; i++) {
    fprintf(out, "  { \"");
    write_module_name(out, paths[i]);
    fprintf(out, "\", \"@%s\", bytes_%zu, sizeof bytes_%zu - 1 },\n", paths[i], i, i);
  }
  fprintf(out, "  { NULL, NULL, NULL, 0 }\n};\n");
}

static int file_holds(const char *path, const char *text, size_t n) {
  FILE *file = fopen(path, "rb");
  if (!file) return 0;
  size_t i = 0;
  int c;
  while ((c = getc(file)) != EOF && i < n && c == (unsigned char)text[i]) i++;
  fclose(file);
  return c == EOF && i == n;
}

int main(int argc, char **argv) {
  if (argc != 4) fail("wants an output file, a root and a folder, not", "this");
  root = argv[2];
  collect(argv[3]);
  qsort(paths, n_paths, MAX_PATH, by_text);

  char *text;
  size_t n;
  FILE *buffer = open_memstream(&text, &n);
  if (!buffer) fail("out of memory", argv[1]);
  write_all(buffer);
  if (fclose(buffer) != 0) fail("out of memory", argv[1]);
  if (!file_holds(argv[1], text, n)) {
    char fresh[MAX_PATH];
    if (snprintf(fresh, MAX_PATH, "%s.new", argv[1]) >= MAX_PATH) fail("path too long", argv[1]);
    FILE *out = fopen(fresh, "wb");
    if (!out || fwrite(text, 1, n, out) != n || fclose(out) != 0 || rename(fresh, argv[1]) != 0)
      fail("cannot write", argv[1]);
  }
  free(text);
  return 0;
}
