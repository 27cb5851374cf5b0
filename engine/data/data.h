/*
** Data sets and what their readers share. Internal.
*/
#ifndef MLPLI_DATA_H
#define MLPLI_DATA_H

#include "tensor/tensor.h"

/* A list of texts that several data sets share: the parts of a split name the same
   classes. */
typedef struct mlpli_names {
  int refs, n;
  mlpli_heap *heap;
  const char *text[]; /* n, their characters behind them */
} mlpli_names;

mlpl_status mlpli_names_new(
    mlpl_ctx *cx, mlpli_names **names, const char *const *text, int64_t n);
void mlpli_names_release(mlpli_names *names); /* NULL: nothing */

struct mlpl_dataset {
  int refs;
  mlpl_ctx *cx;
  mlpl_tensor *x, *y;             /* y may be NULL */
  mlpli_names *classes, *columns; /* may be NULL */
};

/* Keeps what it is given; checks nothing. y, classes and columns may be NULL. */
mlpl_status mlpli_dataset_make(mlpl_ctx *cx, mlpl_dataset **ds, mlpl_tensor *x,
    mlpl_tensor *y, mlpli_names *classes, mlpli_names *columns);

/* Rows t[rows[0]], t[rows[1]], ... side by side in a tensor of their own. t is
   contiguous. */
mlpl_status mlpli_gather_rows(mlpl_ctx *cx, mlpl_tensor **out, const mlpl_tensor *t,
    const int64_t *rows, int64_t n);

#endif
