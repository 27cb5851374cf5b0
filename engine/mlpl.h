/*
** mlpl: an embeddable neural-network engine. This header is the whole public C API; what
** is not here is not part of it.
**
** Ownership, in three words: a function *borrows* its arguments (the default), *keeps*
** one (retains it), or *gives* its result (the caller releases it). Outputs come after
** the context and are NULL after an error. release(NULL) does nothing.
**
** What can fail returns mlpl_status; the sentence that says what went wrong is
** mlpl_error(cx), valid until the next failure. A failed call leaves its operands as they
** were. Nothing here prints, exits, aborts, installs signal handlers or keeps state
** outside the context.
**
** A context, and every object made in it, is used by one thread at a time. Different
** contexts may run in different threads at the same time.
**
** Shapes are written [n x k], row-major; axes and indices count from 0. The *contents* of
** index-valued tensors (class labels, argmax) count from the context's index_base.
*/
#ifndef MLPL_H
#define MLPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined __GNUC__
#define MLPL_API __attribute__((visibility("default")))
#define MLPL_FORMAT(f, a) __attribute__((format(printf, f, a)))
#else
#define MLPL_API
#define MLPL_FORMAT(f, a)
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define MLPL_VERSION "0.1.0"
#define MLPL_MAX_RANK 8

/* ---- status ------------------------------------------------------------------------ */

typedef enum mlpl_status {
  MLPL_OK = 0,
  /* memory: the allocator refused, or the context's limit is reached */
  MLPL_ENOMEM = -1,
  MLPL_ESHAPE = -2,   /* sizes that do not fit each other */
  MLPL_EARG = -3,     /* an argument outside its domain: type, range, option name */
  MLPL_ESTATE = -4,   /* right call, wrong moment: a second backward, no gradient yet */
  MLPL_EIO = -5,      /* the system refused to open, read or write */
  MLPL_EFORMAT = -6,  /* a file whose contents break its format */
  MLPL_ENUMERIC = -7, /* NaN or infinity where a number is needed */
  MLPL_ECALLBACK = -8 /* a function of the host's, called by the engine, failed */
} mlpl_status;

/* The constant's name without prefix, in words: "out of memory", "shapes do not fit",
   ... */
MLPL_API const char *mlpl_status_text(mlpl_status status);

/* ---- context ----------------------------------------------------------------------- */

typedef struct mlpl_ctx mlpl_ctx;
typedef struct mlpl_tensor mlpl_tensor;
typedef struct mlpl_module mlpl_module;
typedef struct mlpl_optimizer mlpl_optimizer;
typedef struct mlpl_dataset mlpl_dataset;
typedef struct mlpl_batches mlpl_batches;
typedef struct mlpl_op mlpl_op;

/*
** Where every byte of the engine comes from. alloc returns NULL when it cannot; free gets
** the size that was asked for. Memory must be aligned as malloc's is. Calls come from the
** thread that uses the context.
*/
typedef struct mlpl_allocator {
  void *(*alloc)(void *ud, size_t bytes);
  void (*free)(void *ud, void *p, size_t bytes);
  void *ud;
} mlpl_allocator;

/* Told of progress and odd events, one line without newline; never called unless set. */
typedef void mlpl_log(void *ud, const char *line);

/* All fields may be left 0. */
typedef struct mlpl_config {
  const mlpl_allocator *allocator; /* copied; NULL: malloc and free */
  size_t memory_limit;             /* cap on live bytes; 0: none */
  int threads;                     /* at most this many at work; 0: one per processor */
  /* "base", "avx2", "avx512"; NULL: the best this machine runs */
  const char *isa;
  int index_base; /* what index-valued tensors count from: 0 or 1 */
  uint64_t seed;  /* of the context's random numbers */
  mlpl_log *log;
  void *log_ud;
} mlpl_config;

/*
** Make a context. config may be NULL (all defaults).
**
** Errors  MLPL_ENOMEM; MLPL_EARG: the config's threads, isa or index_base. *cx is NULL
**         then, and there is no text beyond mlpl_status_text.
*/
MLPL_API mlpl_status mlpl_open(mlpl_ctx **cx, const mlpl_config *config);

/*
** Give the context up. Objects of it that are still held stay valid until they are
** released; the last one frees the context's memory. Its threads end here.
*/
MLPL_API void mlpl_close(mlpl_ctx *cx);

/* What the last failure was, in one line: operation, what is wrong, the values. "" at
   first. */
MLPL_API const char *mlpl_error(const mlpl_ctx *cx);

/* Set the text and return the status: for a host's own layers and callbacks. */
MLPL_API mlpl_status mlpl_fail(mlpl_ctx *cx, mlpl_status status, const char *format, ...)
    MLPL_FORMAT(3, 4);

/* The last failure's text names `what` in place of the operation that it begins with: for
   a host's function that is made of several operations. */
MLPL_API void mlpl_error_of(mlpl_ctx *cx, const char *what);

/* Bytes. live: asked for and not freed; cached: freed, kept for reuse; requests: calls of
   the allocator's alloc so far (a training loop in its stride adds none). */
typedef struct mlpl_memory {
  size_t live, peak, cached, limit;
  uint64_t requests;
} mlpl_memory;

MLPL_API mlpl_memory mlpl_memory_use(const mlpl_ctx *cx);
MLPL_API void mlpl_memory_set_limit(mlpl_ctx *cx, size_t bytes); /* 0: none */
MLPL_API void mlpl_memory_reset_peak(mlpl_ctx *cx);
/* give cached blocks back to the allocator */
MLPL_API void mlpl_memory_trim(mlpl_ctx *cx);

MLPL_API int mlpl_threads(const mlpl_ctx *cx);
/* 1 <= n <= 256. Results do not depend on n. */
MLPL_API mlpl_status mlpl_set_threads(mlpl_ctx *cx, int n);
MLPL_API const char *mlpl_isa(const mlpl_ctx *cx);
MLPL_API int mlpl_index_base(const mlpl_ctx *cx);

/* Monotonic wall clock in seconds, from an arbitrary start. */
MLPL_API double mlpl_clock(void);

/* ---- random numbers ---------------------------------------------------------------- */

/* Philox4x32-10 (Salmon et al., 2011). The whole state: restoring it repeats the
   numbers. */
typedef struct mlpl_random_state {
  uint32_t key[2];
  uint64_t counter;
} mlpl_random_state;

MLPL_API void mlpl_seed(mlpl_ctx *cx, uint64_t seed);
MLPL_API mlpl_random_state mlpl_random_get(const mlpl_ctx *cx);
MLPL_API void mlpl_random_set(mlpl_ctx *cx, mlpl_random_state state);

/* ---- options by name --------------------------------------------------------------- */

/*
** Operations, layers, losses and optimizers take their options by name, so that one table
** serves C, Lua and model files alike. A list of mlpl_arg ends with a NULL name. Unknown
** names, missing required ones and values outside the domain are MLPL_EARG, and the text
** lists the valid names.
**   (mlpl_arg[]){{.name = "in_features", .value = 64},
**       {.name = "out_features", .value = 10}, {.name = NULL}}
** Whole numbers up to 2^53 and truth values (0 or 1) go in `value`, choices ("mean",
** "sum") in `text`, sizes in `sizes` with their number in `value`, a pair of reals
** (betas) in `pair`. Where several axes may be given, one goes in `value`, several go as
** sizes do.
*/
typedef struct mlpl_arg {
  const char *name;
  double value;
  const char *text;
  const int64_t *sizes;
  const double *pair;
} mlpl_arg;

typedef enum mlpl_param_type {
  MLPL_PARAM_INT, /* a whole number */
  MLPL_PARAM_REAL,
  MLPL_PARAM_BOOL,
  MLPL_PARAM_AXIS, /* from 0; negative counts from the end. In Lua from 1 */
  /* a position along an axis, from 0; negative counts from the end. In Lua from 1 */
  MLPL_PARAM_INDEX,
  MLPL_PARAM_CHOICE, /* one of `choices`, held as its place in that list */
  MLPL_PARAM_SIZES,  /* up to MLPL_MAX_RANK whole numbers */
  MLPL_PARAM_PAIR,   /* two reals */
  MLPL_PARAM_AXES,   /* one axis, several, or (as left out) all of them */
  /* up to MLPL_MAX_RANK axes in order, held as sizes are; none: not given. In Lua from 1 */
  MLPL_PARAM_AXIS_LIST,
  /* whole numbers, one for all axes that an operation works on or one for each (kernel
     sizes), given as a number or as sizes; or one of `choices` where there are any */
  MLPL_PARAM_EXTENT
} mlpl_param_type;

typedef enum mlpl_param_flags {
  MLPL_REQUIRED = 1,
  MLPL_MAY_BE_NAN = 2, /* a real that NaN is a value of, as of elements */
  MLPL_ONE_REQUIRED = 4, /* of the two options with it one, at least, is */
  /* `standard` is taken when it is absent; an axis whose standard is NaN: all axes */
  MLPL_OPTIONAL = 0
} mlpl_param_flags;

/* One option of an operation, layer or optimizer: min <= value <= max. */
typedef struct mlpl_param {
  const char *name;
  mlpl_param_type type;
  int flags;
  double standard; /* the value when none is given */
  double min, max;
  const char *const *choices; /* NULL-terminated */
  double standard2;           /* of a pair: the second's */
} mlpl_param;

/* A number that becomes elements, of whatever dtype. f is it or, where whole rounds to f,
   the double nearest to it: then whole is it (2^53 + 1). */
typedef struct mlpl_element {
  double f;
  int64_t whole;
} mlpl_element;

/* A resolved option. A real is in f, and may be exact in element. An optional axis that
   was not given has i == MLPL_NO_AXIS (all axes). Axes are a single one in i, or i ==
   MLPL_NO_AXIS, or axes.several == MLPL_SEVERAL_AXES with 2 to MLPL_MAX_RANK of them. An
   extent that was not given has sizes.n == 0, a choice of one -1 minus its place. */
typedef union mlpl_value {
  int64_t i;
  double f;
  mlpl_element element; /* its f lies where f lies */
  double pair[2];
  struct {
    int n;
    int64_t v[MLPL_MAX_RANK];
  } sizes;
  struct {
    int64_t several; /* lies where i lies */
    int32_t n, v[MLPL_MAX_RANK];
  } axes;
} mlpl_value;

/* The value of an option that is not given. */
MLPL_API mlpl_value mlpl_param_standard(const mlpl_param *param);

/* Of n options none is given of the two of which one has to be; then they are
   missing[0..1]. */
MLPL_API bool mlpl_param_none_of(
    const mlpl_param *params, int n, const bool *given, const char **missing);

/* n axes, 0 to MLPL_MAX_RANK (0: all, as in PyTorch), as an option's value. */
MLPL_API void mlpl_value_axes(mlpl_value *value, int n, const int64_t *axes);

#define MLPL_NO_AXIS INT64_MIN
#define MLPL_SEVERAL_AXES INT64_MAX
#define MLPL_MAX_PARAMS 12
#define MLPL_MAX_INPUTS 4
#define MLPL_MAX_OUTPUTS 4

/* ---- tensors ----------------------------------------------------------------------- */

typedef enum mlpl_dtype { MLPL_F32, MLPL_F64, MLPL_I64, MLPL_U8, MLPL_BOOL } mlpl_dtype;

/* "f32", "f64", "i64", "u8", "bool" */
MLPL_API const char *mlpl_dtype_name(mlpl_dtype dtype);
MLPL_API size_t mlpl_dtype_bytes(mlpl_dtype dtype);

/*
** Make a tensor [shape] (0 <= ndim <= MLPL_MAX_RANK, sizes >= 0). Memory: numel *
** mlpl_dtype_bytes, 64-byte aligned. new: contents are not set. full, full_int: every
** element is value, converted as C converts. copy: elements are read from data, row-major,
** numel of them, in the tensor's own dtype.
**
** Errors  MLPL_EARG ndim, dtype or a negative size, MLPL_ENOMEM
*/
MLPL_API mlpl_status mlpl_tensor_new(
    mlpl_ctx *cx, mlpl_tensor **t, mlpl_dtype dtype, int ndim, const int64_t *shape);
MLPL_API mlpl_status mlpl_tensor_full(mlpl_ctx *cx, mlpl_tensor **t, mlpl_dtype dtype,
    int ndim, const int64_t *shape, double value);
MLPL_API mlpl_status mlpl_tensor_full_int(mlpl_ctx *cx, mlpl_tensor **t, mlpl_dtype dtype,
    int ndim, const int64_t *shape, int64_t value);
MLPL_API mlpl_status mlpl_tensor_copy(mlpl_ctx *cx, mlpl_tensor **t, mlpl_dtype dtype,
    int ndim, const int64_t *shape, const void *data);

/* first, first + step, ... up to and including last where it is met: floor((last - first)
   / step) + 1 elements (none when that is negative). MLPL_EARG: step 0, or a bound that
   is not finite. */
MLPL_API mlpl_status mlpl_tensor_arange(mlpl_ctx *cx, mlpl_tensor **t, mlpl_dtype dtype,
    double first, double last, double step);
/* The same of whole numbers, exactly, as i64. */
MLPL_API mlpl_status mlpl_tensor_arange_int(
    mlpl_ctx *cx, mlpl_tensor **t, int64_t first, int64_t last, int64_t step);

/* n numbers from first to last, both included, at equal distances. f32 and f64. */
MLPL_API mlpl_status mlpl_tensor_linspace(mlpl_ctx *cx, mlpl_tensor **t, mlpl_dtype dtype,
    double first, double last, int64_t n);
/* base to the power of those numbers. */
MLPL_API mlpl_status mlpl_tensor_logspace(mlpl_ctx *cx, mlpl_tensor **t, mlpl_dtype dtype,
    double first, double last, int64_t n, double base);
/* [rows x cols] with ones on the diagonal. */
MLPL_API mlpl_status mlpl_tensor_eye(
    mlpl_ctx *cx, mlpl_tensor **t, mlpl_dtype dtype, int64_t rows, int64_t cols);
/* Indices of the elements of a [rows x cols] matrix on and below its diagonal (lower), or
   on and above it: [2 x count], index-valued, row by row. offset moves the diagonal to
   the right. */
MLPL_API mlpl_status mlpl_tensor_triangle_indices(mlpl_ctx *cx, mlpl_tensor **t,
    int64_t rows, int64_t cols, int64_t offset, bool lower);

/* Uniform in [lo, hi); normal. f32 and f64. Drawn from the context's generator. MLPL_EARG:
   a bound, mean or std that is not finite, bounds out of order, a negative std, dtype. */
MLPL_API mlpl_status mlpl_tensor_rand(mlpl_ctx *cx, mlpl_tensor **t, mlpl_dtype dtype,
    int ndim, const int64_t *shape, double lo, double hi);
MLPL_API mlpl_status mlpl_tensor_randn(mlpl_ctx *cx, mlpl_tensor **t, mlpl_dtype dtype,
    int ndim, const int64_t *shape, double mean, double std);
/* Whole numbers from lo to hi, both included, each equally likely. Any dtype that holds
   them. */
MLPL_API mlpl_status mlpl_tensor_randint(mlpl_ctx *cx, mlpl_tensor **t, mlpl_dtype dtype,
    int ndim, const int64_t *shape, int64_t lo, int64_t hi);

/* A permutation of the n numbers that count from the context's index base. */
MLPL_API mlpl_status mlpl_tensor_randperm(
    mlpl_ctx *cx, mlpl_tensor **t, mlpl_dtype dtype, int64_t n);

/*
** 1 with probability p[i], else 0, in p's shape and dtype (f32 or f64). Not recorded.
** Errors  MLPL_EARG  a probability that is not from 0 to 1 (the text names the first)
*/
MLPL_API mlpl_status mlpl_tensor_bernoulli(
    mlpl_ctx *cx, mlpl_tensor **t, const mlpl_tensor *p);
/*
** n draws from each row of weights [k] or [rows x k], which need not add up to 1: gives
** index-valued [n] or [rows x n]. Without replacement, in the order in which they were
** drawn one after the other.
** Errors  MLPL_EARG  a weight that is negative or not finite, a row of zeros, or, without
**                    replacement, fewer weights above 0 than draws (the text says where)
*/
MLPL_API mlpl_status mlpl_tensor_multinomial(mlpl_ctx *cx, mlpl_tensor **t,
    const mlpl_tensor *weights, int64_t n, bool replacement);

/*
** Fill t, of any strides, with numbers drawn from the context's generator: uniform in [lo,
** hi); normal; exponential with the given rate; 1 with probability p, else 0 (p of one
** element or of t's shape). The first three for f32 and f64, the last for any dtype.
** Errors  MLPL_EARG   parameters outside their domain, dtype, or t is stretched: elements of
**                     it share a place in memory
**         MLPL_ESTATE as for mlpl_tensor_fill, whose rules for recording hold
*/
MLPL_API mlpl_status mlpl_tensor_fill_uniform(
    mlpl_ctx *cx, mlpl_tensor *t, double lo, double hi);
MLPL_API mlpl_status mlpl_tensor_fill_normal(
    mlpl_ctx *cx, mlpl_tensor *t, double mean, double std);
MLPL_API mlpl_status mlpl_tensor_fill_exponential(
    mlpl_ctx *cx, mlpl_tensor *t, double rate);
MLPL_API mlpl_status mlpl_tensor_fill_bernoulli(
    mlpl_ctx *cx, mlpl_tensor *t, const mlpl_tensor *p);

MLPL_API mlpl_tensor *mlpl_tensor_retain(mlpl_tensor *t);
MLPL_API void mlpl_tensor_release(mlpl_tensor *t);

MLPL_API mlpl_dtype mlpl_tensor_dtype(const mlpl_tensor *t);
MLPL_API int mlpl_tensor_ndim(const mlpl_tensor *t);
MLPL_API const int64_t *mlpl_tensor_shape(const mlpl_tensor *t); /* ndim sizes */
/* ndim strides, in elements */
MLPL_API const int64_t *mlpl_tensor_strides(const mlpl_tensor *t);
MLPL_API int64_t mlpl_tensor_numel(const mlpl_tensor *t);
/* Address of element [0, ..., 0]. Writing through it is the caller's affair: no recorded
   graph may need the old value. Valid while the tensor is held. */
MLPL_API void *mlpl_tensor_data(mlpl_tensor *t);
/* row-major without gaps */
MLPL_API bool mlpl_tensor_is_contiguous(const mlpl_tensor *t);

/* Element [index] as a double (i64 beyond 2^53 rounds). MLPL_EARG: an index out of range,
   naming axis and range. */
MLPL_API mlpl_status mlpl_tensor_get(
    mlpl_ctx *cx, const mlpl_tensor *t, const int64_t *index, double *value);
/* The value of a tensor with one element. MLPL_ESHAPE: it has another number of
   elements. */
MLPL_API mlpl_status mlpl_tensor_item(mlpl_ctx *cx, const mlpl_tensor *t, double *value);
MLPL_API mlpl_status mlpl_tensor_item_int(
    mlpl_ctx *cx, const mlpl_tensor *t, int64_t *value);
/*
** x[...] = values, in place: the part of x that start, step and count describe (as many
** leading axes as part[0].sizes has numbers; count -1: the element at start, the axis
** goes), in it the places of n index tensors (index-valued, one for each leading axis of
** the part, NULL: the whole axis; see the row index). values broadcast to the part and
** are converted to x's dtype. Where x or values is part of a graph and recording is on,
** the assignment is recorded as an operation, and later uses of x see it.
**
** Errors  MLPL_ESHAPE  values do not broadcast to the part
**         MLPL_EARG    an index or a part leaves x, or elements of x share memory
**         MLPL_ESTATE  recorded, x is a leaf that requires a gradient, or other tensors
**                      (views) share its memory and could not see the change's gradient
*/
MLPL_API mlpl_status mlpl_tensor_assign(mlpl_ctx *cx, mlpl_tensor *x, mlpl_tensor *values,
    mlpl_tensor *const *index, int n, const mlpl_value part[3]);

/* All elements, row-major, in t's dtype, into dst, which holds `bytes` = numel *
   mlpl_dtype_bytes. */
MLPL_API mlpl_status mlpl_tensor_read(
    mlpl_ctx *cx, const mlpl_tensor *t, void *dst, size_t bytes);
/* Write them back (in place; not for a tensor that a recorded graph still needs). */
MLPL_API mlpl_status mlpl_tensor_write(
    mlpl_ctx *cx, mlpl_tensor *t, const void *src, size_t bytes);

/*
** In place: every element of t becomes value, converted as in mlpl_tensor_to; or the
** elements of src, which stretches to t's shape and is converted to its dtype. t and src
** may share memory. Where recording is on and t or src has a gradient history, t takes
** src's, and what t held before gets a gradient of zeros; the rules are those of
** mlpl_op_apply_in_place.
**
** Errors  MLPL_EARG    t is stretched: elements of it share a place in memory
**         MLPL_ESHAPE  src does not stretch to t's shape
**         MLPL_ESTATE  recording is on, and t is a leaf that requires a gradient or a view
*/
MLPL_API mlpl_status mlpl_tensor_fill(mlpl_ctx *cx, mlpl_tensor *t, double value);
MLPL_API mlpl_status mlpl_tensor_fill_int(mlpl_ctx *cx, mlpl_tensor *t, int64_t value);
MLPL_API mlpl_status mlpl_tensor_copy_from(
    mlpl_ctx *cx, mlpl_tensor *t, mlpl_tensor *src);

/* Have a and b one shape and equal elements (in the dtype that they promote to; NaN is
   equal to nothing)? Other shapes are not equal, and no error. */
MLPL_API mlpl_status mlpl_tensor_equal(
    mlpl_ctx *cx, mlpl_tensor *a, mlpl_tensor *b, bool *equal);
/* Is |a - b| <= atol + rtol |b| everywhere (broadcast)? Equal infinities are close; NaN is
   close to NaN where equal_nan says so. MLPL_ESHAPE; MLPL_EARG: a negative tolerance. */
MLPL_API mlpl_status mlpl_tensor_allclose(mlpl_ctx *cx, mlpl_tensor *a, mlpl_tensor *b,
    double rtol, double atol, bool equal_nan, bool *close);

/* A copy with memory of its own; contiguous, without gradient history. */
MLPL_API mlpl_status mlpl_tensor_clone(
    mlpl_ctx *cx, mlpl_tensor **out, const mlpl_tensor *t);
/* The same elements in another dtype (a copy, without gradient history; mlpl_call of "to"
   with option dtype is the same with one). Reals to whole numbers truncate; NaN becomes 0
   and what i64 cannot hold its nearest end; u8 keeps the low 8 bits of that; bool is
   x != 0. */
MLPL_API mlpl_status mlpl_tensor_to(
    mlpl_ctx *cx, mlpl_tensor **out, const mlpl_tensor *t, mlpl_dtype dtype);
/* A view without gradient history: shares memory with t. */
MLPL_API mlpl_status mlpl_tensor_detach(
    mlpl_ctx *cx, mlpl_tensor **out, const mlpl_tensor *t);

/* ---- gradients --------------------------------------------------------------------- */

/* Ask that gradients be kept for a leaf (a tensor that no recorded operation made).
   MLPL_EARG: t is neither f32 nor f64; MLPL_ESTATE: it is the result of an operation. */
MLPL_API mlpl_status mlpl_tensor_set_requires_grad(mlpl_ctx *cx, mlpl_tensor *t, bool on);
/* set, or made from one that is */
MLPL_API bool mlpl_tensor_requires_grad(const mlpl_tensor *t);
/* The gradient gathered so far: borrowed from t, NULL when there is none. */
MLPL_API mlpl_tensor *mlpl_tensor_grad(mlpl_tensor *t);
MLPL_API void mlpl_tensor_zero_grad(mlpl_tensor *t); /* t has no gradient after this */

typedef enum mlpl_backward_flags {
  MLPL_RETAIN_GRAPH = 1, /* keep the graph for another backward */
  /* record the backward pass itself: gradients of gradients (implies retain) */
  MLPL_CREATE_GRAPH = 2,
  MLPL_ALLOW_UNUSED = 4 /* of mlpl_grad: an input that no output depends on has none */
} mlpl_backward_flags;

/*
** Add the gradient of t with respect to every leaf below it into that leaf's grad, and
** free the graph. After a failure in the middle (memory, a host's function) gradients may
** be partly added: zero_grad before the next pass. A gradient made with MLPL_CREATE_GRAPH
** holds the graph that holds its leaf: zero_grad lets go of both. seed is the gradient of
** whatever comes after t, with t's shape; NULL means 1 and needs one element.
**
** Errors  MLPL_ESTATE  t has no graph, the graph was freed by an earlier backward, or a
**                      tensor that an operation saved was changed in place since (the
**                      text names the operation)
**         MLPL_ESHAPE  t has more than one element and seed is NULL, or seed's shape
**                      differs
*/
MLPL_API mlpl_status mlpl_backward(
    mlpl_ctx *cx, mlpl_tensor *t, const mlpl_tensor *seed, int flags);

/*
** The same for the n_in tensors of `inputs` alone: only what leads to them is computed, and
** only they get a gradient, results of operations among them.
*/
MLPL_API mlpl_status mlpl_backward_into(mlpl_ctx *cx, mlpl_tensor *t,
    const mlpl_tensor *seed, mlpl_tensor *const *inputs, int n_in, int flags);

/*
** Gradients of the outputs' sum, weighted by seeds, with respect to the inputs, leaves or
** results of operations: gives grads[i] of input i's shape. Nobody's own grad is touched.
** seeds, or an entry of it, is NULL: 1, for an output of one element. Frees the part of
** the graph that it went through.
**
** Errors  as mlpl_backward's; MLPL_ESTATE an input requires no gradient, or no output
**         depends on it (with MLPL_ALLOW_UNUSED its grads[i] is NULL)
*/
MLPL_API mlpl_status mlpl_grad(mlpl_ctx *cx, mlpl_tensor **grads,
    mlpl_tensor *const *outputs, mlpl_tensor *const *seeds, int n_out,
    mlpl_tensor *const *inputs, int n_in, int flags);

/*
** The Jacobian of y [...] with respect to each input: gives jacobian[i] of y's shape
** followed by input i's. Inputs that y does not depend on have zeros. The graph stays.
** flags: MLPL_CREATE_GRAPH.
**
** Errors  MLPL_ESHAPE y and an input have more than MLPL_MAX_RANK axes together;
**         mlpl_backward's
*/
MLPL_API mlpl_status mlpl_jacobian(mlpl_ctx *cx, mlpl_tensor **jacobian, mlpl_tensor *y,
    mlpl_tensor *const *inputs, int n_in, int flags);

/* What a tensor is to the graph: */

/* no operation made it, or none that was recorded */
MLPL_API bool mlpl_tensor_is_leaf(const mlpl_tensor *t);
/* name of the recorded operation that made it, or NULL */
MLPL_API const char *mlpl_tensor_grad_fn(const mlpl_tensor *t);
/* Cut t, in place, from the graph that made it: a leaf without gradient. */
MLPL_API void mlpl_tensor_cut(mlpl_tensor *t);
/* A result of an operation keeps its gradient, too, in its grad; also after a recorded
   change in place, as what it is then. MLPL_ESTATE: it requires no gradient. */
MLPL_API mlpl_status mlpl_tensor_retain_grad(mlpl_ctx *cx, mlpl_tensor *t);
MLPL_API bool mlpl_tensor_retains_grad(const mlpl_tensor *t);

/*
** Hooks see the gradient of t, when all of it is there, in the order in which they were
** registered; each may give another of the same shape and dtype in *replacement (else it
** stays NULL), which goes on instead. g is borrowed and must not be changed. A result's
** hooks run before its operation's backward pass and before it retains its gradient, and
** go with the graph; a leaf's run at the end of a pass, before its gradient is added to,
** and stay until they are removed. release (may be NULL) is called once, with ud, when the
** hook is removed or dies, or cannot be registered. Gives *hook.
**
** Errors  MLPL_ESTATE  t requires no gradient; MLPL_ENOMEM
*/
typedef struct mlpl_hook mlpl_hook;
typedef mlpl_status mlpl_hook_function(
    mlpl_ctx *cx, void *ud, mlpl_tensor **replacement, mlpl_tensor *g);
MLPL_API mlpl_status mlpl_tensor_register_hook(mlpl_ctx *cx, mlpl_hook **hook,
    mlpl_tensor *t, mlpl_hook_function *f, void (*release)(void *ud), void *ud);
MLPL_API void mlpl_hook_remove(mlpl_hook *hook);  /* any number of times */
MLPL_API void mlpl_hook_release(mlpl_hook *hook); /* the hook itself stays */

/*
** A differentiable function of the host's: out[0..n_out) were computed, without recording,
** from in[0..n_in). If recording is on and an input requires a gradient, each out[i] is
** replaced by a view of it with a history, whose backward pass is f's; else nothing
** happens.
**
** backward  gets the outputs' gradients gy, zeros where there is none, and what was saved;
**           gives gx[i] of input i's shape and dtype where input i wants a gradient (NULL:
**           zero). The rest of gx is released unread. Written with operations, it has
**           gradients itself. Nothing may jump out of it.
** saved     n_saved tensors that backward reads (inputs, outputs or others; kept). One that
**           was changed in place since is an error of the backward pass.
** release   (may be NULL) is called once, with ud: when the graph is freed, or at once if
**           nothing is recorded or the call fails.
** Errors    MLPL_EARG  an output is neither f32 nor f64; out is as it was
*/
typedef struct mlpl_custom_function {
  const char *name; /* copied, cut to 47 bytes; what errors call it */
  mlpl_status (*backward)(mlpl_ctx *cx, void *ud, mlpl_tensor **gx,
      mlpl_tensor *const *gy, mlpl_tensor *const *saved);
  void (*release)(void *ud);
  void *ud;
} mlpl_custom_function;
MLPL_API mlpl_status mlpl_record_custom(mlpl_ctx *cx, const mlpl_custom_function *f,
    mlpl_tensor *const *in, int n_in, mlpl_tensor **out, int n_out,
    mlpl_tensor *const *saved, int n_saved);

/*
** Look at every result and every gradient for NaN and infinity. The operation that made
** the first of them fails with MLPL_ENUMERIC; the text names it, in the backward pass the
** operation that was recorded, and says where the script called it. where (may be NULL)
** writes that place into text. Off, it costs nothing.
*/
typedef void mlpl_where(void *ud, char *text, size_t size);
MLPL_API void mlpl_set_anomaly(mlpl_ctx *cx, bool on, mlpl_where *where, void *ud);
MLPL_API bool mlpl_anomaly(const mlpl_ctx *cx);

/* Recording on (the default) or off; returns what it was. */
MLPL_API bool mlpl_set_grad_enabled(mlpl_ctx *cx, bool on);
MLPL_API bool mlpl_grad_enabled(const mlpl_ctx *cx);

/*
** Compare gradients with central differences: f maps inputs (f64, those that require a
** gradient are varied) to one tensor. For every element: |analytic - numeric| <= atol +
** rtol |numeric|. eps, atol, rtol 0: 1e-6, 1e-5, 1e-3.
**
** Errors  MLPL_ENUMERIC  they differ; the text names input, element and both numbers
**         MLPL_EARG      no input requires a gradient, or one that does or y is not f64
**         MLPL_ESHAPE    a call of f gave another number of elements than the first
**         whatever f fails with
*/
typedef mlpl_status mlpl_function(
    mlpl_ctx *cx, void *ud, mlpl_tensor **y, mlpl_tensor *const *x, int n);
MLPL_API mlpl_status mlpl_gradcheck(mlpl_ctx *cx, mlpl_function *f, void *ud,
    mlpl_tensor *const *x, int n, double eps, double atol, double rtol);
/* Gradients of f, which gives one number, by central differences with steps of eps (0:
   1e-6 in f64, 1e-2 in f32): gives grads[i] of input i's shape, f32 or f64. Errors
   MLPL_EARG an input of another dtype, MLPL_ESHAPE f gave more or less than a number. */
MLPL_API mlpl_status mlpl_numeric_grad(mlpl_ctx *cx, mlpl_tensor **grads,
    mlpl_function *f, void *ud, mlpl_tensor *const *x, int n, double eps);

/* ---- operations -------------------------------------------------------------------- */

/*
** Every operation is a row of one table. The rows, with inputs and options, are in the
** sources' ops/, and mlpl_op_at lists them; their names are PyTorch's.
*/
MLPL_API const mlpl_op *mlpl_op_find(const char *name); /* NULL: no such operation */
MLPL_API const mlpl_op *mlpl_op_at(int i);              /* i-th row, NULL past the end */
MLPL_API const char *mlpl_op_name(const mlpl_op *op);
/* "linalg": in Lua a function of mlpl.linalg; NULL: a method of tensors */
MLPL_API const char *mlpl_op_group(const mlpl_op *op);
/* how many tensors; how many may not be NULL */
MLPL_API int mlpl_op_inputs(const mlpl_op *op, int *required);
MLPL_API const char *mlpl_op_input_name(const mlpl_op *op, int i);
/* 1 to MLPL_MAX_OUTPUTS: those after the first may come out NULL */
MLPL_API int mlpl_op_outputs(const mlpl_op *op);
/* draws from the context's generator */
MLPL_API bool mlpl_op_is_random(const mlpl_op *op);
/* serves the engine; nothing for a user */
MLPL_API bool mlpl_op_is_internal(const mlpl_op *op);
MLPL_API const mlpl_param *mlpl_op_params(const mlpl_op *op, int *n);
/* The last input stands for any number of tensors (cat, stack). */
MLPL_API bool mlpl_op_takes_list(const mlpl_op *op);
/* How many options PyTorch's argument order has between the first input and the others:
   gather(x, dim, index). mlpl_op_apply takes inputs and options apart anyway. */
MLPL_API int mlpl_op_options_first(const mlpl_op *op);
/* mlpl_op_apply wants values of its options; else they may be NULL, and all options have
   their standard values. */
MLPL_API bool mlpl_op_needs_options(const mlpl_op *op);
/* The operation for calls in which tensors stand for the first options of this one (after
   those that come before its inputs), which it has as further inputs (clamp with bounds for
   each element). NULL: there is none. */
MLPL_API const mlpl_op *mlpl_op_by_tensor(const mlpl_op *op);
/* The operation for calls whose second argument is a tensor where this one has an option:
   max(a, b) is maximum. NULL: there is none. */
MLPL_API const mlpl_op *mlpl_op_by_pair(const mlpl_op *op);
/* A number may stand for input i: the host makes a tensor without axes of it. */
MLPL_API bool mlpl_op_takes_number(const mlpl_op *op, int i);
/* The operation that is applied with these options: another one where one of them, a choice,
   decides that (div with a rounding_mode). values may be NULL. */
MLPL_API const mlpl_op *mlpl_op_chosen(const mlpl_op *op, const mlpl_value *values);
/* A whole number *v stands for input i, beside others of *dtype: in which dtype, and as
   what, where the result is the right one. u8 takes the low 8 bits where those of the
   result, which u8 keeps of any sum or product, depend on nothing else; a bound that no u8
   reaches is the end of u8; comparisons and reals take any number. False: it does not fit. */
MLPL_API bool mlpl_op_number(const mlpl_op *op, int i, mlpl_dtype *dtype, int64_t *v);
/* What input i holds: "numbers", "labels", "target" (labels, or numbers like the first
   input's), "index", "mask", "any", or "like" (any, of the first input's dtype). */
MLPL_API const char *mlpl_op_input_domain(const mlpl_op *op, int i);
/* The dtypes (bits 1 << dtype) among which is the one that inputs which hold numbers are
   converted to. 0: they are not converted, and are of one dtype, f32 or f64 or another that
   mlpl_op_takes_dtype tells. */
MLPL_API unsigned mlpl_op_computes(const mlpl_op *op);
/* The dtype of the first result, or the name of the input whose dtype it has after that;
   NULL: values or options decide. */
MLPL_API const char *mlpl_op_result(const mlpl_op *op);
/* Is a tensor of that dtype right for input i, where the others are of it too? */
MLPL_API bool mlpl_op_takes_dtype(const mlpl_op *op, int i, mlpl_dtype dtype);

/* Are the two inputs stretched to a common shape, so that either may be a number? */
MLPL_API bool mlpl_op_broadcasts(const mlpl_op *op);
/* Does mlpl_op_apply_in_place take it? Element-wise operations whose result has the first
   input's shape and dtype; in Lua the name with an underscore. */
MLPL_API bool mlpl_op_has_in_place(const mlpl_op *op);

/*
** Apply an operation: n inputs (an optional one may be NULL), options in the order of
** mlpl_op_params. Gives out[0], and the others of mlpl_op_outputs; where there is nothing
** to do (dropout outside training), out[0] is inputs[0] itself. Recorded when an input
** requires a gradient and recording is on.
**
** dtypes  Arithmetic, element-wise functions and comparisons promote as PyTorch does: bool
**         < u8 < i64 < f32 < f64, and a tensor without axes counts only where it is of a
**         higher kind (truth values, whole numbers, reals) than all that have axes.
**         Comparisons of whole numbers are those of i64, with axes or without. Functions
**         of real numbers take whole numbers as f32. Whole numbers wrap around;
**         dividing them by 0 (floor_divide, remainder, fmod) or raising them to a negative
**         power is MLPL_EARG. Other operations want f32 or f64, one dtype for all inputs.
*/
MLPL_API mlpl_status mlpl_op_apply(mlpl_ctx *cx, mlpl_tensor **out, const mlpl_op *op,
    mlpl_tensor *const *inputs, int n, const mlpl_value *params);

/*
** inputs[0] becomes the result (x:add_(y)). The result has its shape; a dtype of its kind
** or a lower one is converted. Inputs may share its memory.
**
** Recording  Where an input requires a gradient and recording is on, inputs[0] continues
**            with the result's history. A backward pass that needs the values it had before
**            is MLPL_ESTATE and names the operation that does.
** Errors     MLPL_ESTATE  recorded, and inputs[0] is a leaf that requires a gradient, or a
**                         view (what it is a part of would change without a record)
**            MLPL_EARG    the operation has no such form; inputs[0] is stretched; the result
**                         is of a dtype that it cannot hold
**            MLPL_ESHAPE  the result has another shape
**            inputs[0] is as it was, but that MLPL_ENOMEM may leave it partly written.
*/
MLPL_API mlpl_status mlpl_op_apply_in_place(mlpl_ctx *cx, const mlpl_op *op,
    mlpl_tensor *const *inputs, int n, const mlpl_value *params);

/*
** The same, written into out, which has the result's shape and dtype and may share memory
** with inputs (`out=` in PyTorch). Borrows out. Never recorded: MLPL_ESTATE where recording
** is on and an input or out requires a gradient. Other errors as in place; MLPL_EARG also
** for operations with two results.
*/
MLPL_API mlpl_status mlpl_op_apply_into(mlpl_ctx *cx, mlpl_tensor *out, const mlpl_op *op,
    mlpl_tensor *const *inputs, int n, const mlpl_value *params);

/* The same as mlpl_op_apply by name: mlpl_call(cx, &y, "softmax", (mlpl_tensor *[]){x}, 1,
   (mlpl_arg[]){{.name = "dim", .value = -1}, {.name = NULL}}). args may be NULL; out has
   room for mlpl_op_outputs tensors. */
MLPL_API mlpl_status mlpl_call(mlpl_ctx *cx, mlpl_tensor **out, const char *op,
    mlpl_tensor *const *inputs, int n, const mlpl_arg *args);

/*
** The distinct elements of t (any dtype) in ascending order, NaNs last and each its own.
** *inverse, of t's shape, says for every element which of them it is (index-valued, counted
** from the context's base); *counts how often each occurs. Both may be NULL.
**
** Memory  gives *values, *inverse, *counts; NULL after an error. Nothing is recorded.
*/
MLPL_API mlpl_status mlpl_unique(mlpl_ctx *cx, mlpl_tensor **values,
    mlpl_tensor **inverse, mlpl_tensor **counts, const mlpl_tensor *t);
/*
** The same of slices along axis `dim` (MLPL_NO_AXIS: of all elements as one row), in
** lexicographic order; `consecutive`: as they stand, of equal neighbours the first alone.
** *inverse has an entry for each slice. A slice with NaN differs from every other.
*/
MLPL_API mlpl_status mlpl_unique_slices(mlpl_ctx *cx, mlpl_tensor **values,
    mlpl_tensor **inverse, mlpl_tensor **counts, mlpl_tensor *t, int64_t dim,
    bool consecutive);

/*
** For places among all elements of a tensor with that shape (i64, counted from the context's
** base, row by row; as argmax gives them) the places along each axis: out[0..ndim), each of
** index's shape.
**
** Errors  MLPL_EARG   index is not i64, or an element is out of range
**         MLPL_ESHAPE the shape has more elements than can be counted
*/
MLPL_API mlpl_status mlpl_unravel_index(
    mlpl_ctx *cx, mlpl_tensor **out, mlpl_tensor *index, int ndim, const int64_t *shape);

/*
** Normal numbers with these means and standard deviations (0 or more), which broadcast; f64 if
** one of them is, else f32. Nothing is recorded.
*/
MLPL_API mlpl_status mlpl_normal(
    mlpl_ctx *cx, mlpl_tensor **out, mlpl_tensor *mean, mlpl_tensor *std);

/*
** Einstein's sum: "ij,jk->ik" multiplies two matrices. Letters name the axes of each
** operand; a letter that the result does not have is summed over; twice in one operand it
** is a diagonal; "..." stands for all other axes, aligned at the last. Without "->" the
** result has the letters that occur once, in the alphabet's order (A to Z, a to z). Sizes
** are equal or 1. 1 <= n <= 16; operands are multiplied from the first to the last.
**
** Errors  MLPL_EARG the equation, MLPL_ESHAPE sizes; the text names the subscript
*/
MLPL_API mlpl_status mlpl_einsum(mlpl_ctx *cx, mlpl_tensor **out, const char *equation,
    mlpl_tensor *const *operands, int n);

/* ---- modules (layers and models) --------------------------------------------------- */

/*
** Kinds: Linear, ReLU, LeakyReLU, ELU, Sigmoid, Tanh, Softmax, LogSoftmax, Flatten,
** Dropout, Sequential, CrossEntropyLoss, MSELoss, BCEWithLogitsLoss. Options are
** PyTorch's names and defaults, which mlpl_kind_params lists.
*/
MLPL_API const char *mlpl_kind_at(int i); /* name of the i-th kind, NULL past the end */
/* NULL: no such kind */
MLPL_API const mlpl_param *mlpl_kind_params(const char *kind, int *n);
/* tensors that forward takes: 1, or 2 for a loss; -1: no such kind */
MLPL_API int mlpl_kind_inputs(const char *kind);

/* Gives *m. Parameters are drawn from the context's generator (PyTorch's default
   initialisation), in f32. */
MLPL_API mlpl_status mlpl_module_new(
    mlpl_ctx *cx, mlpl_module **m, const char *kind, const mlpl_arg *args);
/* The same with resolved options, in the order of mlpl_kind_params. */
MLPL_API mlpl_status mlpl_module_make(
    mlpl_ctx *cx, mlpl_module **m, const char *kind, const mlpl_value *params);
/* Keeps the n children. */
MLPL_API mlpl_status mlpl_sequential_new(
    mlpl_ctx *cx, mlpl_module **m, mlpl_module *const *children, int n);

/* A host's own layer without parameters. forward gives *y; it may be called while another
   forward of the same context is at work, and nothing may jump out of it. release (may be
   NULL) is called when the module dies. */
typedef struct mlpl_custom {
  const char *name;
  mlpl_status (*forward)(
      mlpl_ctx *cx, mlpl_module *self, void *ud, mlpl_tensor **y, mlpl_tensor *x);
  void (*release)(void *ud);
  void *ud;
} mlpl_custom;
MLPL_API mlpl_status mlpl_module_custom(
    mlpl_ctx *cx, mlpl_module **m, const mlpl_custom *custom);

MLPL_API mlpl_module *mlpl_module_retain(mlpl_module *m);
MLPL_API void mlpl_module_release(mlpl_module *m);

MLPL_API const char *mlpl_module_kind(const mlpl_module *m);
/* a layer of the host: its kind is the name it gave */
MLPL_API bool mlpl_module_is_custom(const mlpl_module *m);
/* the options it was made with */
MLPL_API const mlpl_value *mlpl_module_params(const mlpl_module *m);
MLPL_API int mlpl_module_n_children(const mlpl_module *m);
MLPL_API mlpl_module *mlpl_module_child(const mlpl_module *m, int i); /* borrowed */

/* Tensors that a kind takes beside its options: "weight" and "pos_weight" of losses.
   Keeps t (NULL: none). */
/* name of the i-th, NULL past the end */
MLPL_API const char *mlpl_kind_tensor(const char *kind, int i);
MLPL_API mlpl_status mlpl_module_set_tensor(
    mlpl_ctx *cx, mlpl_module *m, const char *name, mlpl_tensor *t);

/* y = m(x); a loss takes x[0] = prediction, x[1] = target. Gives *y. */
MLPL_API mlpl_status mlpl_forward(
    mlpl_ctx *cx, mlpl_module *m, mlpl_tensor **y, mlpl_tensor *const *x, int n);
/* The same in eval mode, without recording: y has no history. The mode is as before
   afterwards. */
MLPL_API mlpl_status mlpl_predict(
    mlpl_ctx *cx, mlpl_module *m, mlpl_tensor **y, mlpl_tensor *x);

/*
** y = m(x) without keeping what backward needs inside m: m runs once more when its
** gradient is due (the same random numbers included). Gradients are the same bits. Gives
** *y.
*/
MLPL_API mlpl_status mlpl_checkpoint(
    mlpl_ctx *cx, mlpl_module *m, mlpl_tensor **y, mlpl_tensor *x);

/* train or eval mode, children included */
MLPL_API void mlpl_module_train(mlpl_module *m, bool on);
MLPL_API bool mlpl_module_is_training(const mlpl_module *m);

/* Parameters in the order of the model; names as PyTorch's state_dict has them
   ("0.weight": children count from 0). A parameter is the same tensor for life. */
MLPL_API int mlpl_module_n_parameters(const mlpl_module *m);
MLPL_API mlpl_tensor *mlpl_module_parameter(const mlpl_module *m, int i); /* borrowed */
/* Writes the name, cut to size, always terminated; returns its full length. */
MLPL_API size_t mlpl_module_parameter_name(
    const mlpl_module *m, int i, char *name, size_t size);
MLPL_API void mlpl_module_zero_grad(mlpl_module *m);
/* Convert every parameter to f32 or f64, in place (the tensors stay the same objects;
   gradients are dropped). */
MLPL_API mlpl_status mlpl_module_to(mlpl_ctx *cx, mlpl_module *m, mlpl_dtype dtype);

/* ---- initialisation, in place (nn.init) -------------------------------------------- */

/*
** rule: "zeros", "ones", "constant" (value), "uniform" (a, b), "normal" (mean, std),
** "xavier_uniform", "xavier_normal" (gain), "kaiming_uniform", "kaiming_normal" (a, mode
** "fan_in" or "fan_out", nonlinearity). PyTorch's rules and defaults; a tensor with
** requires_grad stays a leaf. MLPL_ESHAPE: fans need two axes or more.
*/
MLPL_API mlpl_status mlpl_init(
    mlpl_ctx *cx, mlpl_tensor *t, const char *rule, const mlpl_arg *args);
MLPL_API const char *mlpl_init_at(int i);
MLPL_API const mlpl_param *mlpl_init_params(const char *rule, int *n);
MLPL_API mlpl_status mlpl_init_apply(
    mlpl_ctx *cx, mlpl_tensor *t, const char *rule, const mlpl_value *params);

/* ---- optimizers -------------------------------------------------------------------- */

/* Kinds: SGD, Adam. Options: PyTorch's names and defaults. Keeps the n parameters. */
MLPL_API const char *mlpl_optimizer_kind_at(int i);
MLPL_API const mlpl_param *mlpl_optimizer_kind_params(const char *kind, int *n);
MLPL_API mlpl_status mlpl_optimizer_new(mlpl_ctx *cx, mlpl_optimizer **o,
    const char *kind, mlpl_tensor *const *parameters, int n, const mlpl_arg *args);
MLPL_API mlpl_status mlpl_optimizer_make(mlpl_ctx *cx, mlpl_optimizer **o,
    const char *kind, mlpl_tensor *const *parameters, int n, const mlpl_value *params);
MLPL_API mlpl_optimizer *mlpl_optimizer_retain(mlpl_optimizer *o);
MLPL_API void mlpl_optimizer_release(mlpl_optimizer *o);
/* One update from the gradients; a parameter without gradient is left alone and its step
   count stays. */
MLPL_API mlpl_status mlpl_optimizer_step(mlpl_ctx *cx, mlpl_optimizer *o);
MLPL_API void mlpl_optimizer_zero_grad(mlpl_optimizer *o);
MLPL_API const char *mlpl_optimizer_kind(const mlpl_optimizer *o);
MLPL_API mlpl_status mlpl_optimizer_get(
    mlpl_ctx *cx, const mlpl_optimizer *o, const char *option, double *value);
MLPL_API mlpl_status mlpl_optimizer_set(
    mlpl_ctx *cx, mlpl_optimizer *o, const char *option, double value);

/* ---- a training step as one call --------------------------------------------------- */

/*
** loss(model(x), y), zero_grad, backward, step: the same arithmetic, bit for bit, as
** these calls one after the other. A model of Linear, Dropout, Flatten and activation
** layers under CrossEntropyLoss on labels or MSELoss is planned once for each shape of x:
** nothing is recorded, buffers are kept. Any other is run as written. Keeps its
** arguments.
*/
typedef struct mlpl_step mlpl_step;
MLPL_API mlpl_status mlpl_step_new(mlpl_ctx *cx, mlpl_step **s, mlpl_module *model,
    mlpl_module *loss, mlpl_optimizer *optimizer);
/* *value is the loss before the update. */
MLPL_API mlpl_status mlpl_step_run(
    mlpl_ctx *cx, mlpl_step *s, mlpl_tensor *x, mlpl_tensor *y, double *value);
MLPL_API bool mlpl_step_is_planned(const mlpl_step *s); /* was the last run? */
MLPL_API mlpl_step *mlpl_step_retain(mlpl_step *s);
MLPL_API void mlpl_step_release(mlpl_step *s);

/* ---- where the time goes ----------------------------------------------------------- */

/* Calls, seconds, bytes read and written, and floating-point operations, by layer,
   operation and pass. Off, it costs nothing. */
typedef struct mlpl_profile_entry {
  /* "2 Linear": child 2 of the model; "" outside every container */
  char layer[48];
  const char *operation; /* the row of the table, or the optimizer's kind */
  const char *pass;      /* "forward", "backward", "update", "data" */
  uint64_t calls;
  double seconds, bytes, flops;
} mlpl_profile_entry;

MLPL_API mlpl_status mlpl_profile_start(mlpl_ctx *cx); /* from nothing */
MLPL_API void mlpl_profile_stop(mlpl_ctx *cx);         /* forgets the entries */
MLPL_API int mlpl_profile_count(const mlpl_ctx *cx);   /* 0 when not measuring */
MLPL_API const mlpl_profile_entry *mlpl_profile_at(const mlpl_ctx *cx, int i);

/* ---- model files: safetensors ------------------------------------------------------ */

/*
** Write the model: weights under PyTorch's names and shapes, layer kinds and options as
** data in the metadata. Written to a temporary file beside path, synced, then renamed:
** path holds the old file or the new one, whole.
** Errors  MLPL_EIO (path and reason; no file is left behind), MLPL_ENOMEM, MLPL_EARG: a
**         custom layer cannot be saved
*/
MLPL_API mlpl_status mlpl_module_save(
    mlpl_ctx *cx, const mlpl_module *m, const char *path);
/*
** Read a model that mlpl_module_save wrote. Runs no code; believes no size before
** checking it against the file's length. Errors  MLPL_EIO, MLPL_EFORMAT (what is wrong,
** where), MLPL_ENOMEM. Gives *m.
*/
MLPL_API mlpl_status mlpl_module_load(mlpl_ctx *cx, mlpl_module **m, const char *path);
MLPL_API mlpl_status mlpl_module_load_memory(
    mlpl_ctx *cx, mlpl_module **m, const void *bytes, size_t n);

/* ---- tensor files: NPY, NPZ, safetensors ------------------------------------------- */

/*
** Files are written as models are: path holds the old file or the new one, whole. Readers
** run no code, believe no size before checking it against the file's length, and give
** nothing after an error.
** Errors  MLPL_EIO (path and reason); MLPL_EFORMAT (what is wrong, where); MLPL_EARG: a
**         name that cannot be written or appears twice; MLPL_ENOMEM
*/

/* A tensor and what it is called: UTF-8. */
typedef struct mlpl_named {
  const char *name;
  mlpl_tensor *tensor;
} mlpl_named;

/* The tensors of a file, in its order; safetensors by name. */
typedef struct mlpl_tensors mlpl_tensors;
MLPL_API int64_t mlpl_tensors_count(const mlpl_tensors *list);
/* borrowed; NULL past the end */
MLPL_API const mlpl_named *mlpl_tensors_at(const mlpl_tensors *list, int64_t i);
/* borrowed; NULL: none of that name */
MLPL_API mlpl_tensor *mlpl_tensors_find(const mlpl_tensors *list, const char *name);
MLPL_API void mlpl_tensors_release(mlpl_tensors *list);

/*
** NumPy's array file, versions 1.0 to 3.0, either byte order, C or Fortran order (the
** tensor is row-major). f4, f8, i8, u1 and b1 arrive as they are, f2 as f32, i1 i2 i4 u2 u4
** u8 as i64; a u8 beyond 2^63 - 1 is MLPL_EFORMAT, as are objects (pickles), complex
** numbers, texts and structures. What follows the array in the file is not looked at.
** Gives *t.
*/
MLPL_API mlpl_status mlpl_npy_read(mlpl_ctx *cx, mlpl_tensor **t, const char *path);
MLPL_API mlpl_status mlpl_npy_read_memory(
    mlpl_ctx *cx, mlpl_tensor **t, const void *bytes, size_t n);
/* The bytes that np.save writes for the array in C order. */
MLPL_API mlpl_status mlpl_npy_write(
    mlpl_ctx *cx, const mlpl_tensor *t, const char *path);

/*
** NumPy's archive of arrays, stored or deflated, ZIP64 too. Names are the members' without
** ".npy". Sums are checked; members that overlap, claim more than they hold or are called
** like a path out of the folder are MLPL_EFORMAT. Gives *list.
*/
MLPL_API mlpl_status mlpl_npz_read(mlpl_ctx *cx, mlpl_tensors **list, const char *path);
MLPL_API mlpl_status mlpl_npz_read_memory(
    mlpl_ctx *cx, mlpl_tensors **list, const void *bytes, size_t n);
/* The n items in their order: the bytes of np.savez, or compressed as np.savez_compressed
   does. */
MLPL_API mlpl_status mlpl_npz_write(mlpl_ctx *cx, const mlpl_named *items, int64_t n,
    bool compressed, const char *path);

/* All tensors of a safetensors file, models' files included: F32, F64, I64, U8 and BOOL as
   they are, F16 and BF16 as f32, other whole numbers as i64. Gives *list. */
MLPL_API mlpl_status mlpl_safetensors_read(
    mlpl_ctx *cx, mlpl_tensors **list, const char *path);
MLPL_API mlpl_status mlpl_safetensors_write(
    mlpl_ctx *cx, const mlpl_named *items, int64_t n, const char *path);

/* ---- data -------------------------------------------------------------------------- */

/*
** A data set: x [n x ...], y [n] or [n x ...] or NULL, names of classes or none. With
** classes y holds i64 labels that count from the context's index base.
*/
MLPL_API mlpl_status mlpl_dataset_new(mlpl_ctx *cx, mlpl_dataset **ds, mlpl_tensor *x,
    mlpl_tensor *y, const char *const *classes, int n_classes);
MLPL_API mlpl_dataset *mlpl_dataset_retain(mlpl_dataset *ds);
MLPL_API void mlpl_dataset_release(mlpl_dataset *ds);
MLPL_API int64_t mlpl_dataset_size(const mlpl_dataset *ds);
MLPL_API mlpl_tensor *mlpl_dataset_x(const mlpl_dataset *ds); /* borrowed */
MLPL_API mlpl_tensor *mlpl_dataset_y(const mlpl_dataset *ds); /* borrowed, may be NULL */
MLPL_API int mlpl_dataset_n_classes(const mlpl_dataset *ds);
MLPL_API const char *mlpl_dataset_class(const mlpl_dataset *ds, int i);
/* columns of x that have a name */
MLPL_API int mlpl_dataset_n_names(const mlpl_dataset *ds);
MLPL_API const char *mlpl_dataset_name(const mlpl_dataset *ds, int i);

/*
** Read a table of numbers, one row a line; gzip or plain. Quotes, spaces round numbers,
** CR LF, a missing last newline and a first line of names are understood; blank lines are
** skipped.
*/
typedef struct mlpl_csv_options {
  /* column of class labels: name, number from the base, or negative from the end; NULL:
     none */
  const char *labels;
  const char *target; /* column of a number to predict (y is [n x 1]); NULL: none */
  char separator;     /* 0: ',' ';' tab or blanks, whichever the first line shows */
  int header;         /* 1 first line holds names, 0 it does not, -1 find out */
  mlpl_dtype dtype;   /* of x (and of a target): MLPL_F32 or MLPL_F64 */
} mlpl_csv_options;
/*
** Labels may be any text; classes are sorted, as numbers where all are numbers, else by
** bytes.
** Errors  MLPL_EIO, MLPL_EFORMAT (file, line, column, what was expected), MLPL_EARG (no
**         such column), MLPL_ENOMEM
*/
MLPL_API mlpl_status mlpl_csv_read(
    mlpl_ctx *cx, mlpl_dataset **ds, const char *path, const mlpl_csv_options *options);
/*
** Read an IDX file (MNIST's format), gzip or plain: u8, and i8/i16/i32 as i64, f32, f64.
** Gives *t with the file's shape.
*/
MLPL_API mlpl_status mlpl_idx_read(mlpl_ctx *cx, mlpl_tensor **t, const char *path);
/*
** Images and labels of an IDX pair as a data set: x [n x height x width] in f32 from 0 to
** 1 (u8 divided by 255), y labels, classes "0", "1", ... as the file has them.
*/
MLPL_API mlpl_status mlpl_idx_read_pair(
    mlpl_ctx *cx, mlpl_dataset **ds, const char *images, const char *labels);

typedef enum mlpl_split_flags {
  MLPL_SHUFFLE = 1, /* draw at random (else the first rows go to a) */
  MLPL_STRATIFY = 2 /* the same share of every class; needs classes */
} mlpl_split_flags;
/* a gets round(fraction n) rows (per class when stratified), b the rest; 0 < fraction <
   1. Gives both. */
MLPL_API mlpl_status mlpl_dataset_split(mlpl_ctx *cx, const mlpl_dataset *ds,
    double fraction, int flags, mlpl_dataset **a, mlpl_dataset **b);

/*
** One pass over ds in batches of size rows (the last may be smaller, or is left out with
** drop_last). Keeps ds. The order is drawn when the pass begins.
*/
MLPL_API mlpl_status mlpl_batches_new(mlpl_ctx *cx, mlpl_batches **b, mlpl_dataset *ds,
    int64_t size, bool shuffle, bool drop_last);
MLPL_API int64_t mlpl_batches_count(const mlpl_batches *b);
/* Gives the next *x and *y (*y NULL when ds has none); both NULL, with MLPL_OK, at the
   end. */
MLPL_API mlpl_status mlpl_batches_next(
    mlpl_ctx *cx, mlpl_batches *b, mlpl_tensor **x, mlpl_tensor **y);
MLPL_API void mlpl_batches_release(mlpl_batches *b);

/* ---- metrics ----------------------------------------------------------------------- */

/*
** Share of rows whose largest score is at the label (the first of equal scores counts).
** scores [n x k] or labels [n] against target [n]. n = 0: NaN.
*/
MLPL_API mlpl_status mlpl_accuracy(
    mlpl_ctx *cx, double *share, mlpl_tensor *scores, mlpl_tensor *target);

#ifdef __cplusplus
}
#endif

#endif
