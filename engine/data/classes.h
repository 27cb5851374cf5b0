/*
** Labels as texts, gathered row by row, then turned into numbers of classes. Internal to
** the readers.
*/
#ifndef MLPLI_CLASSES_H
#define MLPLI_CLASSES_H

#include "base/buffer.h"
#include "data/data.h"

typedef struct mlpli_classes {
  mlpl_ctx *cx;
  mlpli_buffer text;  /* the different labels, each with its 0 */
  mlpli_buffer start; /* size_t: where in text each begins */
  mlpli_buffer row;   /* int64_t: of each row, which label */
  int64_t *slot;      /* hash table: label + 1, or 0 */
  size_t n_slots;     /* a power of two */
} mlpli_classes;

void mlpli_classes_init(mlpli_classes *s, mlpl_ctx *cx);
/* The next row's label: n bytes without 0 among them. */
mlpl_status mlpli_classes_add(mlpli_classes *s, const char *text, size_t n);
/*
** Gives the labels [rows] from the context's index base, and the classes: sorted as
** numbers when all of them are ("1" and "1.0" are one class then), else by bytes.
*/
mlpl_status mlpli_classes_finish(
    mlpli_classes *s, mlpl_tensor **y, mlpli_names **classes);
void mlpli_classes_free(mlpli_classes *s);

#endif
