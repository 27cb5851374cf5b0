/*
** Plain loops for the rows that change shapes, pick, join and arrange. Inside table.c,
** after its plain arrays. Every result is written from the meaning of the operation: for
** each element of the result where it comes from, or for each element of an input where
** it goes.
*/

static int64_t from_end(int64_t i, int64_t n) { return i < 0 ? i + n : i; }

static array plain_copy(const array *x, int ndim, const int64_t *size) {
  array y = array_new(ndim, size);
  assert_int_equal(y.n, x->n);
  memcpy(y.v, x->v, (size_t)x->n * sizeof *x->v);
  return y;
}

/* ---- the same elements in the same order, of another shape ------------------------- */

static void plain_same_order(plain *p, mlpli_op_id id) {
  const array *x = &p->x[0];
  const mlpl_value *o = p->c->p;
  int64_t size[MLPL_MAX_RANK];
  int n = 0, axis = 0;
  switch (id) {
    case MLPLI_OP_RAVEL: size[n++] = x->n; break;
    case MLPLI_OP_VIEW_AS:
    case MLPLI_OP_RESHAPE_AS:
      for (; n < p->x[1].ndim; n++) size[n] = p->x[1].size[n];
      break;
    case MLPLI_OP_UNSQUEEZE:
      axis = (int)from_end(o[0].i, x->ndim + 1);
      for (int d = 0; d <= x->ndim; d++)
        size[n++] = d == axis ? 1 : x->size[d - (d > axis)];
      break;
    case MLPLI_OP_SQUEEZE:
      for (int d = 0; d < x->ndim; d++) {
        bool named = o[0].sizes.n == 0;
        for (int i = 0; i < o[0].sizes.n; i++)
          if (from_end(o[0].sizes.v[i], x->ndim) == d) named = true;
        if (!named || x->size[d] != 1) size[n++] = x->size[d];
      }
      break;
    default: /* unflatten */
      axis = (int)from_end(o[0].i, x->ndim);
      for (int d = 0; d < x->ndim; d++) {
        int64_t rest = x->size[d];
        if (d != axis) size[n++] = x->size[d];
        for (int i = 0; d == axis && i < o[1].sizes.n; i++)
          if (o[1].sizes.v[i] > 0) rest /= o[1].sizes.v[i];
        for (int i = 0; d == axis && i < o[1].sizes.n; i++)
          size[n++] = o[1].sizes.v[i] < 0 ? rest : o[1].sizes.v[i];
      }
  }
  p->y = plain_copy(x, n, size);
}

/* ---- every element from one place: y[at] = x[from] --------------------------------- */

/* Sizes of the result and, for one of its elements, the place in x. */
typedef struct picture {
  int n;
  int64_t size[MLPL_MAX_RANK];
  int64_t axes[MLPL_MAX_RANK]; /* permute: where axis d of y is in x */
} picture;

static void permuted(const plain *p, mlpli_op_id id, picture *q) {
  const array *x = &p->x[0];
  const mlpl_value *o = p->c->p;
  bool used[MLPL_MAX_RANK] = {false}, set[MLPL_MAX_RANK] = {false};
  for (int d = 0; d < x->ndim; d++) q->axes[d] = d;
  if (id == MLPLI_OP_PERMUTE)
    for (int d = 0; d < x->ndim; d++) q->axes[d] = from_end(o[0].sizes.v[d], x->ndim);
  if (id == MLPLI_OP_SWAPAXES) {
    int64_t a = from_end(o[0].i, x->ndim), b = from_end(o[1].i, x->ndim);
    q->axes[a] = b, q->axes[b] = a;
  }
  if (id == MLPLI_OP_MOVEDIM) {
    for (int i = 0; i < o[0].sizes.n; i++) {
      int64_t a = from_end(o[0].sizes.v[i], x->ndim),
              b = from_end(o[1].sizes.v[i], x->ndim);
      q->axes[b] = a, used[a] = set[b] = true;
    }
    for (int d = 0, a = 0; d < x->ndim; d++) {
      if (set[d]) continue;
      while (used[a]) a++;
      q->axes[d] = a++;
    }
  }
  q->n = x->ndim;
  for (int d = 0; d < x->ndim; d++) q->size[d] = x->size[q->axes[d]];
}

static int64_t windows(int64_t n, int64_t size, int64_t step) {
  return (n - size) / step + 1;
}

/* The views diagonal, unfold and slice of a tensor of these sizes: o without `sizes`. */
static void view_sizes(
    mlpli_op_id id, int ndim, const int64_t *size, const mlpl_value *o, picture *q) {
  int64_t a = id == MLPLI_OP_DIAGONAL ? from_end(o[1].i, ndim) : from_end(o[0].i, ndim),
          b;
  q->n = 0;
  if (id == MLPLI_OP_DIAGONAL) {
    int64_t length = 0;
    b = from_end(o[2].i, ndim);
    for (int64_t i = 0; i < size[a]; i++)
      length += i + o[0].i >= 0 && i + o[0].i < size[b];
    for (int d = 0; d < ndim; d++)
      if (d != a && d != b) q->size[q->n++] = size[d];
    q->size[q->n++] = length;
  }
  else if (id == MLPLI_OP_UNFOLD) {
    for (; q->n < ndim; q->n++) q->size[q->n] = size[q->n];
    q->size[a] = windows(size[a], o[1].i, o[2].i);
    q->size[q->n++] = o[1].i;
  }
  else
    for (int d = 0; d < ndim; d++)
      if (d >= o[2].sizes.n || o[2].sizes.v[d] >= 0)
        q->size[q->n++] = d < o[2].sizes.n ? o[2].sizes.v[d] : size[d];
}

static void view_from(
    mlpli_op_id id, int ndim, const mlpl_value *o, const int64_t *at, int64_t *from) {
  int64_t a, b;
  int n = 0;
  if (id == MLPLI_OP_DIAGONAL) {
    a = from_end(o[1].i, ndim), b = from_end(o[2].i, ndim);
    for (int d = 0; d < ndim; d++)
      if (d != a && d != b) from[d] = at[n++];
    from[a] = at[n] + (o[0].i < 0 ? -o[0].i : 0);
    from[b] = at[n] + (o[0].i > 0 ? o[0].i : 0);
  }
  else if (id == MLPLI_OP_UNFOLD) {
    a = from_end(o[0].i, ndim);
    for (int d = 0; d < ndim; d++) from[d] = at[d];
    from[a] = at[a] * o[2].i + at[ndim];
  }
  else
    for (int d = 0; d < ndim; d++) {
      if (d >= o[2].sizes.n)
        from[d] = at[n++];
      else {
        int64_t i = o[2].sizes.v[d] < 0 ? 0 : at[n++];
        from[d] = o[0].sizes.v[d] + i * o[1].sizes.v[d];
      }
    }
}

static bool has_axis(const mlpl_value *axes, int ndim, int d) {
  for (int i = 0; i < axes->sizes.n; i++)
    if (from_end(axes->sizes.v[i], ndim) == d) return true;
  return false;
}

static int64_t modulo(int64_t i, int64_t n) { return ((i % n) + n) % n; }

static void turned_sizes(const plain *p, mlpli_op_id id, picture *q) {
  const array *x = &p->x[0];
  const mlpl_value *o = p->c->p;
  int64_t a = 0, b = 1;
  q->n = x->ndim;
  memcpy(q->size, x->size, sizeof q->size);
  if (id != MLPLI_OP_ROT90) return;
  if (o[1].sizes.n)
    a = from_end(o[1].sizes.v[0], x->ndim), b = from_end(o[1].sizes.v[1], x->ndim);
  if (o[0].i % 2) q->size[a] = x->size[b], q->size[b] = x->size[a];
}

static void turned_from(
    const plain *p, mlpli_op_id id, const int64_t *at, int64_t *from) {
  const array *x = &p->x[0];
  const mlpl_value *o = p->c->p;
  for (int d = 0; d < x->ndim; d++) from[d] = at[d];
  if (id == MLPLI_OP_FLIP)
    for (int d = 0; d < x->ndim; d++)
      if (has_axis(&o[0], x->ndim, d)) from[d] = x->size[d] - 1 - at[d];
  if (id == MLPLI_OP_ROLL)
    for (int i = 0; i < o[1].sizes.n; i++) {
      int64_t d = from_end(o[1].sizes.v[i], x->ndim);
      from[d] = modulo(at[d] - o[0].sizes.v[i], x->size[d]);
    }
  if (id == MLPLI_OP_ROT90) {
    int64_t a = o[1].sizes.n ? from_end(o[1].sizes.v[0], x->ndim) : 0,
            b = o[1].sizes.n ? from_end(o[1].sizes.v[1], x->ndim) : 1;
    switch (modulo(o[0].i, 4)) {
      case 1: from[a] = at[b], from[b] = x->size[b] - 1 - at[a]; break;
      case 2: from[a] = x->size[a] - 1 - at[a], from[b] = x->size[b] - 1 - at[b]; break;
      case 3: from[a] = x->size[a] - 1 - at[b], from[b] = at[a]; break;
      default: break;
    }
  }
}

static void plain_turned(plain *p, mlpli_op_id id) {
  const array *x = &p->x[0];
  int64_t at[MLPL_MAX_RANK], from[MLPL_MAX_RANK];
  picture q = {0};
  bool view = id == MLPLI_OP_DIAGONAL || id == MLPLI_OP_UNFOLD || id == MLPLI_OP_SLICE,
       axes = id == MLPLI_OP_PERMUTE || id == MLPLI_OP_MOVEDIM || id == MLPLI_OP_SWAPAXES;
  if (axes)
    permuted(p, id, &q);
  else if (view)
    view_sizes(id, x->ndim, x->size, p->c->p, &q);
  else
    turned_sizes(p, id, &q);
  p->y = array_new(q.n, q.size);
  for (int64_t i = 0; i < p->y.n; i++) {
    index_of(&p->y, i, at);
    if (axes)
      for (int d = 0; d < q.n; d++) from[q.axes[d]] = at[d];
    else if (view)
      view_from(id, x->ndim, p->c->p, at, from);
    else
      turned_from(p, id, at, from);
    if (id == MLPLI_OP_ROLL && p->c->p[1].sizes.n == 0)
      p->y.v[i] = x->v[modulo(i - p->c->p[0].sizes.v[0], x->n)];
    else
      p->y.v[i] = x->v[place_of(x, from)];
  }
}

/* place_diagonal, place_unfold, place_slice: among zeros, added where windows overlap. */
static void plain_placed(plain *p, mlpli_op_id id) {
  const mlpl_value *o = p->c->p;
  int64_t at[MLPL_MAX_RANK], to[MLPL_MAX_RANK];
  p->y = array_new(o[0].sizes.n, o[0].sizes.v);
  p->terms = 8;
  for (int64_t i = 0; i < p->x[0].n; i++) {
    index_of(&p->x[0], i, at);
    view_from(id, p->y.ndim, o + 1, at, to);
    p->y.v[place_of(&p->y, to)] += p->x[0].v[i];
  }
}

/* ---- joining ----------------------------------------------------------------------- */

static void plain_cat(plain *p, int64_t axis, int least) {
  int64_t size[MLPL_MAX_RANK] = {1, 1}, at[MLPL_MAX_RANK], start = 0;
  int n = p->x[0].ndim;
  for (int i = 0; i < p->c->n; i++) { /* axes in front, as vstack and hstack give them */
    array *x = &p->x[i];
    for (; x->ndim < least; x->ndim++) {
      memmove(x->size + 1, x->size, (size_t)x->ndim * sizeof *x->size);
      x->size[0] = 1;
    }
  }
  n = p->x[0].ndim;
  memcpy(size, p->x[0].size, (size_t)n * sizeof *size);
  axis = from_end(axis, n);
  size[axis] = 0;
  for (int i = 0; i < p->c->n; i++) size[axis] += p->x[i].size[axis];
  p->y = array_new(n, size);
  for (int i = 0; i < p->c->n; i++) {
    for (int64_t k = 0; k < p->x[i].n; k++) {
      index_of(&p->x[i], k, at);
      at[axis] += start;
      p->y.v[place_of(&p->y, at)] = p->x[i].v[k];
    }
    start += p->x[i].size[axis];
  }
}

static void plain_stack(plain *p) {
  const array *x = &p->x[0];
  int64_t size[MLPL_MAX_RANK], at[MLPL_MAX_RANK], own[MLPL_MAX_RANK];
  int64_t axis = from_end(p->c->p[0].i, x->ndim + 1);
  for (int d = 0; d <= x->ndim; d++)
    size[d] = d == axis ? p->c->n : x->size[d - (d > axis)];
  p->y = array_new(x->ndim + 1, size);
  for (int64_t i = 0; i < p->y.n; i++) {
    index_of(&p->y, i, at);
    for (int d = 0; d < x->ndim; d++) own[d] = at[d + (d >= axis)];
    p->y.v[i] = p->x[at[axis]].v[place_of(x, own)];
  }
}

/* ---- index tensors for leading axes ------------------------------------------------ */

/* The shape of x[index...] (x of these sizes, index k of input first + k), and for an
   element of it the place in x. */
typedef struct lookup {
  int n_index, first, ndim, n_b, lead, n;
  int64_t b[MLPL_MAX_RANK], size[MLPL_MAX_RANK];
} lookup;

static lookup lookup_of(const plain *p, int first, int ndim, const int64_t *size) {
  lookup l = {.n_index = p->c->n - first, .first = first, .ndim = ndim, .lead = -1};
  int apart = 0;
  for (int k = 0; k < l.n_index; k++) {
    if (!p->there[first + k]) continue;
    const array *i = &p->x[first + k];
    if (i->ndim > l.n_b) {
      memmove(l.b + (i->ndim - l.n_b), l.b, (size_t)l.n_b * sizeof *l.b);
      for (int d = 0; d < i->ndim - l.n_b; d++) l.b[d] = 1;
      l.n_b = i->ndim;
    }
    for (int d = 0; d < i->ndim; d++)
      if (i->size[d] != 1) l.b[d + l.n_b - i->ndim] = i->size[d];
    if (l.lead < 0)
      l.lead = k;
    else if (!p->there[first + k - 1])
      apart = 1;
  }
  if (apart || l.lead < 0) l.lead = 0;
  for (int d = 0, at_b = 0; d <= ndim; d++) {
    if (l.n == l.lead && !at_b++)
      for (int k = 0; k < l.n_b; k++) l.size[l.n++] = l.b[k];
    if (d < ndim && !(d < l.n_index && p->there[first + d])) l.size[l.n++] = size[d];
  }
  return l;
}

static void lookup_place(const plain *p, const lookup *l, const int64_t *size,
    const int64_t *at, int64_t *from) {
  int rest = 0;
  for (int d = 0; d < l->ndim; d++) {
    if (d < l->n_index && p->there[l->first + d]) {
      from[d] = (int64_t)stretched(&p->x[l->first + d], l->n_b, at + l->lead);
      continue;
    }
    from[d] = at[rest < l->lead ? rest : rest + l->n_b];
    rest++;
  }
  (void)size;
}

static void plain_index(plain *p) {
  const array *x = &p->x[0];
  int64_t at[MLPL_MAX_RANK], from[MLPL_MAX_RANK];
  lookup l = lookup_of(p, 1, x->ndim, x->size);
  p->y = array_new(l.n, l.size);
  for (int64_t i = 0; i < p->y.n; i++) {
    index_of(&p->y, i, at);
    lookup_place(p, &l, x->size, at, from);
    p->y.v[i] = x->v[place_of(x, from)];
  }
}

static void plain_place_index(plain *p) {
  const mlpl_value *o = p->c->p;
  int64_t at[MLPL_MAX_RANK], to[MLPL_MAX_RANK];
  p->y = array_new(o[0].sizes.n, o[0].sizes.v);
  p->terms = p->x[0].n + 1;
  lookup l = lookup_of(p, 1, p->y.ndim, p->y.size);
  for (int64_t i = 0; i < p->x[0].n; i++) {
    index_of(&p->x[0], i, at);
    lookup_place(p, &l, p->y.size, at, to);
    p->y.v[place_of(&p->y, to)] += p->x[0].v[i];
  }
}

static void plain_index_put(plain *p) {
  const array *x = &p->x[0];
  const mlpl_value *o = p->c->p;
  int64_t at[MLPL_MAX_RANK], in_part[MLPL_MAX_RANK], to[MLPL_MAX_RANK];
  picture part = {0};
  view_sizes(MLPLI_OP_SLICE, x->ndim, x->size, o, &part);
  lookup l = lookup_of(p, 2, part.n, part.size);
  array all = array_new(l.n, l.size);
  p->y = plain_copy(x, x->ndim, x->size);
  p->terms = all.n + 1;
  for (int64_t i = 0; i < all.n; i++) {
    index_of(&all, i, at);
    lookup_place(p, &l, part.size, at, in_part);
    view_from(MLPLI_OP_SLICE, x->ndim, o, in_part, to);
    array values = p->x[1];
    for (; values.ndim > all.ndim; values.ndim--) /* ones in front do not matter */
      memmove(values.size, values.size + 1, MLPL_MAX_RANK / 2 * sizeof *values.size);
    double v = stretched(&values, all.ndim, at), *y = &p->y.v[place_of(&p->y, to)];
    *y = o[3].i ? *y + v : v;
  }
  free(all.v);
}

/* ---- along an axis ----------------------------------------------------------------- */

/* index_select, index_add, index_copy, index_fill, with a value that is a tensor, too */
static void plain_along(plain *p, mlpli_op_id id) {
  const array *x = &p->x[0], *index = &p->x[1];
  int64_t axis = axis_of(p, p->c->p[0].i), size[MLPL_MAX_RANK], at[MLPL_MAX_RANK];
  memcpy(size, x->size, sizeof size);
  size[axis] = index->n;
  array many = array_new(x->ndim, size); /* an element for every index */
  p->y = id == MLPLI_OP_INDEX_SELECT ? array_new(x->ndim, size)
                                     : plain_copy(x, x->ndim, x->size);
  p->terms = index->n + 1;
  for (int64_t i = 0; i < many.n; i++) {
    index_of(&many, i, at);
    at[axis] = (int64_t)index->v[at[axis]];
    int64_t place = place_of(x, at);
    if (id == MLPLI_OP_INDEX_SELECT) p->y.v[i] = x->v[place];
    if (id == MLPLI_OP_INDEX_ADD) p->y.v[place] += p->c->p[1].f * p->x[2].v[i];
    if (id == MLPLI_OP_INDEX_COPY) p->y.v[place] = p->x[2].v[i];
    if (id == MLPLI_OP_INDEX_FILL) p->y.v[place] = p->c->p[1].f;
    if (id == MLPLI_OP_INDEX_FILL_BY) p->y.v[place] = p->x[2].v[0];
  }
  free(many.v);
}

static void plain_gather(plain *p, mlpli_op_id id) {
  const array *x = &p->x[0], *index = &p->x[1], *src = &p->x[2];
  int64_t axis = axis_of(p, p->c->p[id == MLPLI_OP_PLACE_GATHER].i), at[MLPL_MAX_RANK],
          to[MLPL_MAX_RANK];
  p->terms = index->n + 1;
  if (id == MLPLI_OP_GATHER)
    p->y = array_new(index->ndim, index->size);
  else if (id == MLPLI_OP_PLACE_GATHER)
    p->y = array_new(p->c->p[0].sizes.n, p->c->p[0].sizes.v);
  else
    p->y = plain_copy(x, x->ndim, x->size);
  for (int64_t i = 0; i < index->n; i++) {
    index_of(index, i, at);
    memcpy(to, at, sizeof to);
    to[axis] = (int64_t)index->v[i];
    if (id == MLPLI_OP_GATHER) {
      p->y.v[i] = x->v[place_of(x, to)];
      continue;
    }
    double *y = &p->y.v[place_of(&p->y, to)];
    if (id == MLPLI_OP_PLACE_GATHER)
      *y += x->v[i];
    else {
      double v = src->ndim ? src->v[place_of(src, at)] : src->v[0];
      *y = id == MLPLI_OP_SCATTER_ADD ? *y + v : v;
    }
  }
}

static void plain_take_along(plain *p) {
  const array *x = &p->x[0], *index = &p->x[1];
  int64_t size[MLPL_MAX_RANK], at[MLPL_MAX_RANK], own[MLPL_MAX_RANK];
  if (p->c->p[0].i == MLPL_NO_AXIS) {
    p->y = array_new(1, &index->n);
    for (int64_t i = 0; i < index->n; i++) p->y.v[i] = x->v[(int64_t)index->v[i]];
    return;
  }
  int64_t axis = axis_of(p, p->c->p[0].i);
  for (int d = 0; d < x->ndim; d++)
    size[d] = d == axis || x->size[d] == 1 ? index->size[d] : x->size[d];
  p->y = array_new(x->ndim, size);
  for (int64_t i = 0; i < p->y.n; i++) {
    index_of(&p->y, i, at);
    for (int d = 0; d < x->ndim; d++) own[d] = index->size[d] == 1 ? 0 : at[d];
    int64_t place = (int64_t)index->v[place_of(index, own)];
    for (int d = 0; d < x->ndim; d++)
      own[d] = d == axis ? place : x->size[d] == 1 ? 0 : at[d];
    p->y.v[i] = x->v[place_of(x, own)];
  }
}

/* ---- masks ------------------------------------------------------------------------- */

static void plain_masked(plain *p, mlpli_op_id id) {
  const array *x = &p->x[0], *m = &p->x[1];
  int n = x->ndim > m->ndim ? x->ndim : m->ndim;
  int64_t size[MLPL_MAX_RANK], at[MLPL_MAX_RANK], held = 0;
  for (int d = 0; d < n; d++) {
    int64_t a = d < n - x->ndim ? 1 : x->size[d - n + x->ndim],
            b = d < n - m->ndim ? 1 : m->size[d - n + m->ndim];
    size[d] = a == 1 ? b : a;
  }
  array all = array_new(n, size);
  for (int64_t i = 0; i < all.n; i++) {
    index_of(&all, i, at);
    bool holds = stretched(m, n, at) != 0;
    double v = stretched(x, n, at);
    if (id == MLPLI_OP_MASKED_SCATTER)
      all.v[i] = holds ? p->x[2].v[held] : v;
    else if (holds)
      all.v[held] = v;
    held += holds;
  }
  p->y = all;
  if (id == MLPLI_OP_MASKED_SCATTER) return;
  p->y.ndim = 1;
  p->y.size[0] = p->y.n = held;
}

static void plain_nonzero(plain *p) {
  const array *x = &p->x[0];
  int64_t n = 0, at[MLPL_MAX_RANK];
  for (int64_t i = 0; i < x->n; i++) n += x->v[i] != 0;
  p->y = array_new(2, (int64_t[]){n, x->ndim});
  n = 0;
  for (int64_t i = 0; i < x->n; i++) {
    if (x->v[i] == 0) continue;
    index_of(x, i, at);
    for (int d = 0; d < x->ndim; d++) p->y.v[n++] = (double)at[d];
  }
}

static void plain_one_hot(plain *p) {
  const array *x = &p->x[0];
  int64_t size[MLPL_MAX_RANK], k = p->c->p[0].i;
  memcpy(size, x->size, sizeof size);
  if (k < 0)
    for (int64_t i = 0; i < x->n; i++)
      if ((int64_t)x->v[i] >= k) k = (int64_t)x->v[i] + 1;
  size[x->ndim] = k;
  p->y = array_new(x->ndim + 1, size);
  for (int64_t i = 0; i < x->n; i++) p->y.v[i * k + (int64_t)x->v[i]] = 1;
}

/* ---- arranged ---------------------------------------------------------------------- */

/* Slices of an axis, each as often as its count says; one count stands for all. */
static void plain_repeat_each(plain *p) {
  array x = p->x[0];
  const array *times = &p->x[1];
  const bool flat = p->c->p[0].i == MLPL_NO_AXIS;
  int64_t size[MLPL_MAX_RANK], at[MLPL_MAX_RANK], from[64], total = 0;
  if (flat) x.ndim = 1, x.size[0] = x.n;
  const int64_t axis = flat ? 0 : axis_of(p, p->c->p[0].i);
  for (int64_t i = 0; i < x.size[axis]; i++)
    for (int64_t k = 0; k < times->v[times->n == 1 ? 0 : i]; k++) from[total++] = i;
  memcpy(size, x.size, sizeof size);
  size[axis] = total;
  p->y = array_new(x.ndim, size);
  for (int64_t i = 0; i < p->y.n; i++) {
    index_of(&p->y, i, at);
    at[axis] = from[at[axis]];
    p->y.v[i] = x.v[place_of(&x, at)];
  }
}

static void plain_repeated(plain *p, mlpli_op_id id) {
  array x = p->x[0];
  const mlpl_value *o = p->c->p;
  int64_t size[MLPL_MAX_RANK], times[MLPL_MAX_RANK], at[MLPL_MAX_RANK];
  bool each = id == MLPLI_OP_REPEAT_INTERLEAVE;
  if (each && o[1].i == MLPL_NO_AXIS) x.ndim = 1, x.size[0] = x.n;
  int n = !each && o[0].sizes.n > x.ndim ? o[0].sizes.n : x.ndim;
  for (int d = 0; d < n; d++) {
    int own = d - n + x.ndim, given = d - n + o[0].sizes.n;
    if (each)
      times[d] = d == (o[1].i == MLPL_NO_AXIS ? 0 : axis_of(p, o[1].i)) ? o[0].i : 1;
    else
      times[d] = given < 0 ? 1 : o[0].sizes.v[given];
    size[d] = (own < 0 ? 1 : x.size[own]) * times[d];
  }
  p->y = array_new(n, size);
  for (int64_t i = 0; i < p->y.n; i++) {
    int64_t from[MLPL_MAX_RANK];
    index_of(&p->y, i, at);
    for (int d = n - x.ndim; d < n; d++) {
      int own = d - n + x.ndim;
      from[own] = each ? at[d] / times[d] : at[d] % x.size[own];
    }
    p->y.v[i] = x.v[place_of(&x, from)];
  }
}

static void plain_triangle(plain *p, bool lower) {
  const array *x = &p->x[0];
  int64_t at[MLPL_MAX_RANK];
  p->y = plain_copy(x, x->ndim, x->size);
  for (int64_t i = 0; i < x->n; i++) {
    index_of(x, i, at);
    int64_t right = at[x->ndim - 1] - at[x->ndim - 2]; /* of the main diagonal */
    if (lower ? right > p->c->p[0].i : right < p->c->p[0].i) p->y.v[i] = 0;
  }
}

static void plain_embed(plain *p, int64_t offset, int64_t a, int64_t b) {
  const array *x = &p->x[0];
  int64_t size[MLPL_MAX_RANK], at[MLPL_MAX_RANK], to[MLPL_MAX_RANK];
  int64_t side = x->size[x->ndim - 1] + (offset < 0 ? -offset : offset);
  int n = x->ndim + 1;
  a = from_end(a, n), b = from_end(b, n);
  for (int d = 0, k = 0; d < n; d++) size[d] = d == a || d == b ? side : x->size[k++];
  p->y = array_new(n, size);
  for (int64_t i = 0; i < x->n; i++) {
    index_of(x, i, at);
    int64_t last = at[x->ndim - 1];
    for (int d = 0, k = 0; d < n; d++)
      if (d != a && d != b) to[d] = at[k++];
    to[a] = last - (offset < 0 ? offset : 0);
    to[b] = last + (offset > 0 ? offset : 0);
    p->y.v[place_of(&p->y, to)] = x->v[i];
  }
}

static void plain_diag(plain *p) {
  const array *x = &p->x[0];
  int64_t n = 0, k = p->c->p[0].i;
  if (x->ndim == 1) {
    plain_embed(p, k, 0, 1);
    return;
  }
  p->y = array_new(1, (int64_t[]){x->n});
  for (int64_t r = 0; r < x->size[0]; r++)
    if (r + k >= 0 && r + k < x->size[1]) p->y.v[n++] = x->v[r * x->size[1] + r + k];
  p->y.n = p->y.size[0] = n;
}

static void plain_trace(plain *p) {
  p->y = array_new(0, NULL);
  p->terms = 8;
  for (int64_t i = 0; i < p->x[0].size[0] && i < p->x[0].size[1]; i++)
    p->y.v[0] += p->x[0].v[i * p->x[0].size[1] + i];
}

static int64_t padded_from(int64_t i, int64_t n, int64_t mode) {
  if (i >= 0 && i < n) return i;
  switch (mode) {
    case 1: return i < 0 ? -i : 2 * n - 2 - i;
    case 2: return i < 0 ? 0 : n - 1;
    case 3: return modulo(i, n);
    default: return -1;
  }
}

static void plain_pad(plain *p, int64_t mode, double value) {
  const array *x = &p->x[0];
  const mlpl_value *pad = &p->c->p[0];
  int64_t size[MLPL_MAX_RANK], before[MLPL_MAX_RANK], at[MLPL_MAX_RANK];
  for (int d = 0; d < x->ndim; d++) {
    int i = 2 * (x->ndim - 1 - d);
    before[d] = i < pad->sizes.n ? pad->sizes.v[i] : 0;
    size[d] = x->size[d] + before[d] + (i < pad->sizes.n ? pad->sizes.v[i + 1] : 0);
  }
  p->y = array_new(x->ndim, size);
  for (int64_t i = 0; i < p->y.n; i++) {
    bool inside = true;
    index_of(&p->y, i, at);
    for (int d = 0; d < x->ndim; d++) {
      at[d] = padded_from(at[d] - before[d], x->size[d], mode);
      inside = inside && at[d] >= 0;
    }
    p->y.v[i] = inside ? x->v[place_of(x, at)] : value;
  }
}

/* ---- which ------------------------------------------------------------------------- */

static bool plain_shapes(plain *p, mlpli_op_id id) {
  const mlpl_value *o = p->c->p;
  switch (id) {
    case MLPLI_OP_VIEW: plain_reshape(p, MLPLI_OP_RESHAPE); return true;
    case MLPLI_OP_RAVEL:
    case MLPLI_OP_VIEW_AS:
    case MLPLI_OP_RESHAPE_AS:
    case MLPLI_OP_UNSQUEEZE:
    case MLPLI_OP_SQUEEZE:
    case MLPLI_OP_UNFLATTEN: plain_same_order(p, id); return true;
    case MLPLI_OP_EXPAND_AS: {
      made_case like = *p->c; /* as expand to those sizes */
      like.p[0].sizes.n = p->x[1].ndim;
      memcpy(like.p[0].sizes.v, p->x[1].size, sizeof like.p[0].sizes.v);
      const made_case *own = p->c;
      p->c = &like;
      plain_expand(p);
      p->c = own;
      return true;
    }
    case MLPLI_OP_PERMUTE:
    case MLPLI_OP_MOVEDIM:
    case MLPLI_OP_SWAPAXES:
    case MLPLI_OP_DIAGONAL:
    case MLPLI_OP_UNFOLD:
    case MLPLI_OP_SLICE:
    case MLPLI_OP_FLIP:
    case MLPLI_OP_ROLL:
    case MLPLI_OP_ROT90: plain_turned(p, id); return true;
    case MLPLI_OP_PLACE_DIAGONAL: plain_placed(p, MLPLI_OP_DIAGONAL); return true;
    case MLPLI_OP_PLACE_UNFOLD: plain_placed(p, MLPLI_OP_UNFOLD); return true;
    case MLPLI_OP_PLACE_SLICE: plain_placed(p, MLPLI_OP_SLICE); return true;
    case MLPLI_OP_CAT: plain_cat(p, o[0].i, 0); return true;
    case MLPLI_OP_HSTACK: plain_cat(p, p->x[0].ndim > 1 ? 1 : 0, 1); return true;
    case MLPLI_OP_VSTACK: plain_cat(p, 0, 2); return true;
    case MLPLI_OP_STACK: plain_stack(p); return true;
    case MLPLI_OP_INDEX: plain_index(p); return true;
    case MLPLI_OP_PLACE_INDEX: plain_place_index(p); return true;
    case MLPLI_OP_INDEX_PUT: plain_index_put(p); return true;
    case MLPLI_OP_INDEX_SELECT:
    case MLPLI_OP_INDEX_ADD:
    case MLPLI_OP_INDEX_COPY:
    case MLPLI_OP_INDEX_FILL:
    case MLPLI_OP_INDEX_FILL_BY: plain_along(p, id); return true;
    case MLPLI_OP_TAKE:
      p->y = array_new(p->x[1].ndim, p->x[1].size);
      for (int64_t i = 0; i < p->y.n; i++) p->y.v[i] = p->x[0].v[(int64_t)p->x[1].v[i]];
      return true;
    case MLPLI_OP_MASKED_SELECT:
    case MLPLI_OP_MASKED_SCATTER: plain_masked(p, id); return true;
    case MLPLI_OP_NONZERO: plain_nonzero(p); return true;
    case MLPLI_OP_GATHER:
    case MLPLI_OP_PLACE_GATHER:
    case MLPLI_OP_SCATTER:
    case MLPLI_OP_SCATTER_ADD: plain_gather(p, id); return true;
    case MLPLI_OP_TAKE_ALONG_DIM: plain_take_along(p); return true;
    case MLPLI_OP_ONE_HOT: plain_one_hot(p); return true;
    case MLPLI_OP_TILE:
    case MLPLI_OP_REPEAT_INTERLEAVE: plain_repeated(p, id); return true;
    case MLPLI_OP_REPEAT_EACH: plain_repeat_each(p); return true;
    case MLPLI_OP_TRIL: plain_triangle(p, true); return true;
    case MLPLI_OP_TRIU: plain_triangle(p, false); return true;
    case MLPLI_OP_DIAG: plain_diag(p); return true;
    case MLPLI_OP_DIAG_EMBED: plain_embed(p, o[0].i, o[1].i, o[2].i); return true;
    case MLPLI_OP_TRACE: plain_trace(p); return true;
    case MLPLI_OP_PAD: plain_pad(p, o[1].i, o[2].f); return true;
    case MLPLI_OP_PAD_CONSTANT: plain_pad(p, 0, o[1].f); return true;
    default: return false;
  }
}
