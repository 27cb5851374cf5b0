/*
** The Lua half of the library, scripts/mlpl/, as the build embeds it: byte for byte, so
** that line numbers in errors stay true, in the order of their paths. scripts/embed.c
** writes the table; whoever opens the library puts each script into package.preload under
** its name.
*/
#ifndef MLPLB_SCRIPTS_H
#define MLPLB_SCRIPTS_H

#include <stddef.h>

struct mlplb_script {
  const char *name;  /* what `require` takes: "mlpl.args" */
  const char *chunk; /* what errors show: "@scripts/mlpl/args.lua" */
  const unsigned char *bytes;
  size_t size;
};

extern const struct mlplb_script mlplb_scripts[]; /* ends with a NULL name */

#endif
