/* How the tables spell an option (mlpl_param): one macro a type. Internal. */
#ifndef MLPLI_PARAM_H
#define MLPLI_PARAM_H

#include "ops/ops.h"

#include <math.h>

#define MLPLI_REAL_OPTION(name, standard, min, max)                                      \
  { name, MLPL_PARAM_REAL, MLPL_OPTIONAL, standard, min, max, NULL, 0 }
#define MLPLI_REAL_NEEDED(name)                                                          \
  { name, MLPL_PARAM_REAL, MLPL_REQUIRED, 0, -INFINITY, INFINITY, NULL, 0 }
/* reals that become elements, or are compared with some: any at all */
#define MLPLI_ELEMENT_OPTION(name, standard)                                             \
  { name, MLPL_PARAM_REAL, MLPL_MAY_BE_NAN, standard, -INFINITY, INFINITY, NULL, 0 }
/* the same, two of which one has to be given */
#define MLPLI_ELEMENT_EITHER(name, standard)                                             \
  {                                                                                      \
    name, MLPL_PARAM_REAL, MLPL_ONE_REQUIRED | MLPL_MAY_BE_NAN, standard, -INFINITY,     \
        INFINITY, NULL, 0                                                                \
  }
#define MLPLI_ELEMENT_NEEDED(name)                                                       \
  {                                                                                      \
    name, MLPL_PARAM_REAL, MLPL_REQUIRED | MLPL_MAY_BE_NAN, 0, -INFINITY, INFINITY,      \
        NULL, 0                                                                          \
  }
#define MLPLI_INT_OPTION(name, standard, min, max)                                       \
  { name, MLPL_PARAM_INT, MLPL_OPTIONAL, standard, min, max, NULL, 0 }
#define MLPLI_INT_NEEDED(name, min, max)                                                 \
  { name, MLPL_PARAM_INT, MLPL_REQUIRED, 0, min, max, NULL, 0 }
#define MLPLI_BOOL_OPTION(name, standard)                                                \
  { name, MLPL_PARAM_BOOL, MLPL_OPTIONAL, standard, 0, 1, NULL, 0 }
/* standard NAN: all axes when it is left out */
#define MLPLI_AXIS_OPTION(name, standard)                                                \
  { name, MLPL_PARAM_AXIS, MLPL_OPTIONAL, standard, 0, 0, NULL, 0 }
/* one axis or several; all when it is left out */
#define MLPLI_AXES_OPTION(name)                                                          \
  { name, MLPL_PARAM_AXES, MLPL_OPTIONAL, NAN, 0, 0, NULL, 0 }
#define MLPLI_AXIS_NEEDED(name)                                                          \
  { name, MLPL_PARAM_AXIS, MLPL_REQUIRED, 0, 0, 0, NULL, 0 }
#define MLPLI_INDEX_NEEDED(name)                                                         \
  { name, MLPL_PARAM_INDEX, MLPL_REQUIRED, 0, 0, 0, NULL, 0 }
#define MLPLI_CHOICE_OPTION(name, choices)                                               \
  { name, MLPL_PARAM_CHOICE, MLPL_OPTIONAL, 0, 0, 0, choices, 0 }
#define MLPLI_SIZES_NEEDED(name)                                                         \
  { name, MLPL_PARAM_SIZES, MLPL_REQUIRED, 0, 0, 0, NULL, 0 }
#define MLPLI_SIZES_OPTION(name)                                                         \
  { name, MLPL_PARAM_SIZES, MLPL_OPTIONAL, 0, 0, 0, NULL, 0 }
#define MLPLI_AXIS_LIST_NEEDED(name)                                                     \
  { name, MLPL_PARAM_AXIS_LIST, MLPL_REQUIRED, 0, 0, 0, NULL, 0 }
#define MLPLI_AXIS_LIST_OPTION(name)                                                     \
  { name, MLPL_PARAM_AXIS_LIST, MLPL_OPTIONAL, 0, 0, 0, NULL, 0 }
#define MLPLI_PAIR_OPTION(name, first, second, min, max)                                 \
  { name, MLPL_PARAM_PAIR, MLPL_OPTIONAL, first, min, max, NULL, second }
#define MLPLI_MOST_EXTENT 1e9
#define MLPLI_EXTENT_NEEDED(name, min)                                                   \
  { name, MLPL_PARAM_EXTENT, MLPL_REQUIRED, NAN, min, MLPLI_MOST_EXTENT, NULL, 0 }
/* standard NAN: none */
#define MLPLI_EXTENT_OPTION(name, standard, min, choices)                                \
  { name, MLPL_PARAM_EXTENT, MLPL_OPTIONAL, standard, min, MLPLI_MOST_EXTENT, choices, 0 }

#endif
