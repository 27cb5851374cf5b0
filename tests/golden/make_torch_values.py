#!/usr/bin/env python3
"""Write torch_values.txt: what PyTorch computes for the cases of tests/c/op_cases.h.

Run by hand after operations or cases were added, where PyTorch 2 is installed (in a virtual
environment outside the repository; nothing else needs it):

    sh scripts/build.sh release --tests
    python3 tests/golden/make_torch_values.py build/release/tests/torch_values

The test program prints its cases (names, options, inputs); this script applies PyTorch to them
in f64 and writes results and gradients, which the test then compares with the engine's.

A row `name` is torch.nn.functional.name, torch.name, torch.linalg.name, torch.special.name,
torch.fft.name or a tensor's method, whichever exists first, called with the required inputs in
order and everything else by name: optional inputs, and the options that the case sets. Only what
differs from that is listed under EXCEPTIONS.
"""

import json
import math
import os
import re
import subprocess
import sys

try:
    import torch
    import torch.nn.functional as F
except ImportError as problem:
    sys.exit("%s\n%s: this Python has no PyTorch (%s)" % (__doc__, sys.argv[0], problem))

TARGET = os.path.join(os.path.dirname(os.path.abspath(__file__)), "torch_values.txt")
# in the engine's order (mlpl_dtype)
DTYPES = {"f32": torch.float32, "f64": torch.float64, "i64": torch.int64,
          "u8": torch.uint8, "bool": torch.bool}
PLACES = (F, torch, torch.linalg, torch.special, torch.fft, torch.Tensor)
# torch has older functions of these names, which give something else
LINALG = {"cholesky", "qr", "svd", "det", "slogdet", "inv", "pinv", "solve", "lstsq", "eigh",
          "eigvalsh", "matrix_norm", "vector_norm", "matrix_power", "matrix_rank", "cross",
          "cond", "lu", "vander", "solve_triangular", "svdvals", "cholesky_ex", "inv_ex"}


# ---- what differs from PyTorch's call ------------------------------------------------------

def renamed(names, name=None):
    """The same call, some options called otherwise."""
    def call(op, inputs, options):
        return plain(name or op, inputs,
                     {names.get(key, key): value for key, value in options.items()})
    return call


def by_method(method, option):
    """x.method(sizes)"""
    def call(op, inputs, options):
        return getattr(inputs[0][1], method)(options[option])
    return call


def linear(op, inputs, options):
    y = F.linear(*[x for _, x, _ in inputs if x is not None])
    return torch.relu(y) if options.get("activation") == "relu" else y


def reduction(op, inputs, options):
    """PyTorch keeps all axes only where it is told which, and some rows take but one."""
    x = inputs[0][1]
    every = tuple(range(x.ndim))
    if op == "prod" and isinstance(options.get("dim", every if options else 0), tuple):
        for dim in sorted((d % x.ndim for d in options.get("dim", every)), reverse=True):
            x = torch.prod(x, dim=dim, keepdim=options.get("keepdim", False))
        return x
    if "dim" not in options and (options.get("keepdim") or op == "logsumexp"):
        if op in ("max", "min"):
            return getattr(torch, "a" + op)(x, dim=every, keepdim=True)
        if op in ("argmax", "argmin", "median", "nanmedian", "quantile", "nanquantile"):
            rest = {key: value for key, value in options.items() if key != "keepdim"}
            y = plain(op, inputs, rest)
            return y.reshape((1,) * x.ndim) if options.get("keepdim") else y
        options = dict(options, dim=every)
    return plain(op, inputs, options)


def layer_norm(op, inputs, options):
    """Over the axes that the weight has, or the last."""
    x = dict((name, t) for name, t, _ in inputs)
    weight = x.get("weight")
    shape = options.pop("normalized_shape", None)
    if shape is None:
        shape = weight.shape if weight is not None else inputs[0][1].shape[-1:]
    return F.layer_norm(inputs[0][1], shape, weight, x.get("bias"), **options)


def to(op, inputs, options):
    """The option is a dtype's place in the engine's list, or its name."""
    dtype = options["dtype"]
    return inputs[0][1].to(DTYPES.get(dtype) or list(DTYPES.values())[int(dtype)])


class Digamma(torch.autograd.Function):
    """PyTorch's own gradient, its trigamma, has 9 digits; the zeta function has all."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.digamma(x)

    @staticmethod
    def backward(ctx, g):
        x, = ctx.saved_tensors
        two = torch.full_like(x, 2)
        reflected = (math.pi / torch.sin(math.pi * x)) ** 2 - torch.special.zeta(two, 1 - x)
        return g * torch.where(x > 0, torch.special.zeta(two, x), reflected)


def step(op, inputs, options):
    """The threshold unit: 1 for x >= 0."""
    x = inputs[0][1]
    return torch.heaviside(x.detach(), torch.ones_like(x))


def order(options, name):
    """The order of a norm: a number, or a name."""
    text = options.get(name)
    return text if text in (None, "fro", "nuc") else float(text)


def matrix_norm(op, inputs, options):
    return torch.linalg.matrix_norm(inputs[0][1], order(options, "ord") or "fro",
                                    keepdim=options.get("keepdim", False))


def cond(op, inputs, options):
    """By its definition: PyTorch's own has no gradient for some norms."""
    x, p = inputs[0][1], order(options, "p")
    if 0 in x.shape[-2:]:  # of nothing; joined to the graph
        return torch.linalg.cond(x, p) + x.sum((-2, -1))
    if p in (None, 2, -2):
        values = torch.linalg.svdvals(x)
        return values[..., -1] / values[..., 0] if p == -2 else values[..., 0] / values[..., -1]
    return torch.linalg.matrix_norm(x, p) * torch.linalg.matrix_norm(torch.linalg.inv(x), p)


def solve(op, inputs, options):
    """Of a vector from the left, too."""
    a, b = inputs[0][1], inputs[1][1]
    if b.ndim == 1 and not options.get("left", True):
        return torch.linalg.solve(a.mT, b)
    return torch.linalg.solve(a, b, **options)


def lstsq(op, inputs, options):
    """By the driver that gives all four results; a vector is a matrix of one column."""
    a, b = inputs[0][1], inputs[1][1]
    vector = b.ndim == 1 or (b.ndim == a.ndim - 1 and b.shape == a.shape[:-1])
    if vector:
        b = b.unsqueeze(-1)
    stack = torch.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    x, *rest = torch.linalg.lstsq(a.expand(stack + a.shape[-2:]), b.expand(stack + b.shape[-2:]),
                                  driver="gelsd", **options)
    return [x.squeeze(-1) if vector else x] + rest


def lu_factor(op, inputs, options):
    """Pivots count from 0 here."""
    lu, pivots = torch.linalg.lu_factor(inputs[0][1])
    return [lu, pivots.long() - 1]


def lu_solve(op, inputs, options):
    (_, lu, _), (_, pivots, _), (_, b, _) = inputs
    stack = torch.broadcast_shapes(lu.shape[:-2], b.shape[:-2])
    return torch.linalg.lu_solve(lu.expand(stack + lu.shape[-2:]),
                                 (pivots + 1).int().expand(stack + pivots.shape[-1:]),
                                 b.expand(stack + b.shape[-2:]))


def by_factor(op, inputs, options):
    """PyTorch's gradients of cholesky_solve and cholesky_inverse are not those of a triangle."""
    factor, upper = inputs[-1][1], options.get("upper", False)
    b = inputs[0][1] if op == "cholesky_solve" else \
        torch.eye(factor.shape[-1], dtype=factor.dtype).expand(factor.shape)
    if op == "cholesky_solve":
        stack = torch.broadcast_shapes(b.shape[:-2], factor.shape[:-2])
        b, factor = b.expand(stack + b.shape[-2:]), factor.expand(stack + factor.shape[-2:])
    low = factor.mT if upper else factor
    y = torch.linalg.solve_triangular(low, b, upper=False)
    return torch.linalg.solve_triangular(low.mT, y, upper=True)


class Hardsigmoid(torch.autograd.Function):
    """PyTorch's own gradient multiplies by 1/6 in f32."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return F.hardsigmoid(x)

    @staticmethod
    def backward(ctx, g):
        x, = ctx.saved_tensors
        return torch.where((x > -3) & (x < 3), g / 6, torch.zeros_like(g))


class Celu(torch.autograd.Function):
    """PyTorch's own gradient divides by alpha in f32."""

    @staticmethod
    def forward(ctx, x, alpha):
        ctx.save_for_backward(x)
        ctx.alpha = alpha
        return F.celu(x, alpha)

    @staticmethod
    def backward(ctx, g):
        x, = ctx.saved_tensors
        return torch.where(x > 0, g, g * torch.exp(x / ctx.alpha)), None


def polygamma(op, inputs, options):
    """The first two as Digamma has them; PyTorch's trigamma has 9 digits."""
    n, x = options["n"], inputs[0][1]
    return Digamma.apply(x) if n == 0 else Trigamma.apply(x) if n == 1 else \
        torch.polygamma(n, x)


class Trigamma(torch.autograd.Function):
    """Of positive numbers."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        if not bool((x > 0).all()):
            raise ValueError("a trigamma of a number that is not positive")
        return torch.special.zeta(torch.full_like(x, 2), x)

    @staticmethod
    def backward(ctx, g):
        x, = ctx.saved_tensors
        return g * torch.polygamma(2, x)


def staying(x, dim, index, source):
    """source without a gradient for elements that a later one takes the place of, to which
    PyTorch gives that of the place: its backward of scatter is for unique places."""
    number = torch.arange(index.numel()).reshape(index.shape)
    there = torch.zeros(x.shape, dtype=torch.int64).scatter(dim, index, number)
    return torch.where(there.gather(dim, index) == number, source, source.detach())


def index_copy(op, inputs, options):
    (_, x, _), (_, index, _), (_, source, _) = inputs
    sizes = [-1 if dim == options["dim"] % x.ndim else 1 for dim in range(x.ndim)]
    each = index.reshape(sizes).expand(source.shape)
    return x.index_copy(options["dim"], index, staying(x, options["dim"], each, source))


def scatter(op, inputs, options):
    """Of the part that the index reads, or of one number for all places: the same results,
    and PyTorch's backward takes no other."""
    (_, x, _), (_, index, _), (_, source, _) = inputs
    if source.ndim == 0:
        source = source.expand(index.shape)
    for dim, size in enumerate(index.shape):
        source = source.narrow(dim, 0, size)
    if op == "scatter":
        source = staying(x, options["dim"], index, source)
    rest = {key: value for key, value in options.items() if key != "dim"}
    return getattr(torch, op)(x, options["dim"], index, source, **rest)


def pad(op, inputs, options):
    """Constants are put at any axes; other modes want a first axis that is left alone."""
    x = inputs[0][1]
    if options.get("mode", "constant") == "constant" or len(options["pad"]) < 2 * x.ndim:
        return F.pad(x, **options)
    return F.pad(x.unsqueeze(0), **options).squeeze(0)


def scaled_sum(op, inputs, options):
    """A number beside whole numbers must be a whole one for PyTorch, too."""
    if "alpha" in options and not any(x.dtype.is_floating_point for _, x, _ in inputs):
        options["alpha"] = int(options["alpha"])
    return plain(op, inputs, options)


def quantile(op, inputs, options):
    """With several q, too."""
    if len(inputs) == 1:
        return reduction(op, inputs, options)
    return getattr(torch, op)(inputs[0][1], inputs[1][1], **options)


def aminmax(op, inputs, options):
    """Of all axes with keepdim, too."""
    x, dim = inputs[0][1], options.get("dim")
    return [getattr(torch, name)(x, dim=() if dim is None else dim,
                                 keepdim=options.get("keepdim", False))
            for name in ("amin", "amax")]


def fmax(op, inputs, options):
    """Of one dtype: PyTorch's has no promotion in its gradient."""
    (_, a, _), (_, b, _) = inputs
    both = torch.result_type(a, b)
    return getattr(torch, op)(a.to(both), b.to(both))


def listed(op, inputs, options):
    """The tensors of a list, one by one; PyTorch's converts none."""
    tensors = inputs[0][1]
    both = torch.result_type(tensors[0], tensors[-1])
    return getattr(torch, op)(*[x.to(both) for x in tensors])


def by_position(op, inputs, options):
    """torch.trapezoid(y, x, dim=...), or with dx."""
    return getattr(torch, op)(*[x for _, x, _ in inputs if x is not None], **options)


def soft_margin_loss(op, inputs, options):
    """Of the target, too, of which PyTorch has no gradient."""
    each = -F.logsigmoid(inputs[1][1] * inputs[0][1])
    return {"mean": each.mean, "sum": each.sum, "none": lambda: each}[
        options.get("reduction", "mean")]()


def div(op, inputs, options):
    mode = op[4:] or options.get("rounding_mode", "none")
    return torch.div(inputs[0][1], inputs[1][1],
                     rounding_mode=None if mode == "none" else mode)


EXCEPTIONS = {
    "div": div, "div_trunc": div, "div_floor": div,
    "aminmax": aminmax,
    "fmax": fmax, "fmin": fmax,
    "block_diag": listed,
    "cartesian_prod": listed,
    "trapezoid": by_position,
    "cumulative_trapezoid": by_position,
    "quantile": quantile, "nanquantile": quantile,
    "add": scaled_sum, "sub": scaled_sum, "rsub": scaled_sum,
    "im2col": renamed({}, "unfold"),
    "col2im": renamed({}, "fold"),
    "soft_margin_loss": soft_margin_loss,
    "hardsigmoid": lambda op, inputs, options: Hardsigmoid.apply(inputs[0][1]),
    "celu": lambda op, inputs, options: Celu.apply(inputs[0][1], options.get("alpha", 1.0)),
    "polygamma": polygamma,
    "index_copy": index_copy,
    "scatter": scatter,
    "scatter_add": scatter,
    "scatter_reduce": scatter,
    "pad": pad,
    # torch.nn.functional's is of images
    "unfold": lambda op, inputs, options: inputs[0][1].unfold(**options),
    "matrix_norm": matrix_norm,
    "cond": cond,
    "solve": solve,
    "lstsq": lstsq,
    "lu_factor": lu_factor, "lu_solve": lu_solve,
    "cholesky_solve": by_factor, "cholesky_inverse": by_factor,
    "triangular_solve": lambda op, inputs, options: torch.linalg.solve_triangular(
        inputs[0][1], inputs[1][1], **options),
    # of vectors, over any number of axes
    "norm": lambda op, inputs, options: torch.linalg.vector_norm(
        inputs[0][1], options.pop("p", 2.0), **options),
    "digamma": lambda op, inputs, options: Digamma.apply(inputs[0][1]),
    "step": step,
    "reshape": renamed({"sizes": "shape"}),
    "view": by_method("view", "sizes"),
    "repeat": by_method("repeat", "sizes"),
    "permute": renamed({"sizes": "dims"}),
    "tile": renamed({"sizes": "dims"}),
    "to": to,
    "layer_norm": layer_norm,
    "expand": by_method("expand", "sizes"),
    "sum_to_size": by_method("sum_to_size", "sizes"),
    "linear": linear,
    "sum": reduction, "mean": reduction, "max": reduction, "min": reduction,
    "argmax": reduction, "argmin": reduction, "prod": reduction, "var": reduction,
    "std": reduction, "logsumexp": reduction, "all": reduction,
    "any": reduction, "median": reduction, "nanmedian": reduction,
}

# Rows, or single cases ("op | inputs | options"), that PyTorch cannot tell the numbers of, and
# why. The test fails for a public row without any numbers, unless they are random.
WITHOUT = {
    "topk | s | k=0": "PyTorch's topk of a number does not take k = 0",
    "quantile | 0x3 | q=0.3 dim=1": "PyTorch has no quantiles of an empty tensor",
    "nanquantile | 0x3 | q=0.3 dim=1": "PyTorch has no quantiles of an empty tensor",
    "pdist | 0x3 | ": "PyTorch ends with a segmentation fault",
    "vander | 4 | N=1": "PyTorch has no single power",
    "vander | 3g | N=0": "PyTorch has no powers fewer than two",
    "svd | 4x2d | ": "vectors beyond the singular values are any basis of the rest",
    "svd | 2x3x4d | ": "vectors beyond the singular values are any basis of the rest",
    "svd | 3x0d | ": "vectors beyond the singular values are any basis of the rest",
    "conv2d | 2x0x3x3 2x0x2x2 2 | ": "PyTorch gives as many channels as go in, none",
    "conv2d | 2x2x3x3 0x2x2x2 | ": "PyTorch has no convolutions without results",
    "conv_transpose2d | 1x0x2x2 0x2x2x2 2 | ": "PyTorch has no convolutions of no channels",
    "adaptive_avg_pool2d | 1x1x2x2 | output_size=0x3": "PyTorch has no gradient of nothing",
}


# ---- a call ----------------------------------------------------------------------------------

def find(name):
    prefixes = {"linalg_": torch.linalg, "special_": torch.special, "fft_": torch.fft}
    for prefix, place in prefixes.items():
        if name.startswith(prefix) and hasattr(place, name[len(prefix):]):
            return getattr(place, name[len(prefix):])
    for place in (torch.linalg,) if name in LINALG else PLACES:
        if callable(getattr(place, name, None)):
            return getattr(place, name)
    raise LookupError("PyTorch has no %s" % name)


def plain(op, inputs, options):
    function = find(op)
    positional, named = [], dict(options)
    required = [x for x in inputs if x[2]]
    for name, x, _ in required:
        positional.append(x)
    for name, x, is_required in inputs:
        if not is_required and x is not None:
            named[name] = x
    try:
        return function(*positional, **named)
    except TypeError:  # gather(input, dim, index): options stand between the inputs
        return function(**{name: x for name, x, _ in required}, **named)


def option(kind, text):
    if kind in ("int", "axis", "index"):
        return int(text)
    if kind == "real":
        return float(text)
    if kind == "bool":
        return bool(int(text))
    if kind == "choice":
        return text
    if kind in ("sizes", "axis list"):
        return () if text == "s" else tuple(int(n) for n in text.split("x"))
    for form in (int, float):  # one of several kinds
        try:
            return form(text)
        except ValueError:
            pass
    if re.fullmatch(r"-?[0-9]+(x-?[0-9]+)+", text):
        return option("sizes", text)
    return text


def tensor(one):
    return torch.tensor(one["values"], dtype=DTYPES[one["dtype"]]).reshape(one["shape"])


def outputs_of(case, inputs):
    options = {name: option(kind, text) for name, kind, text in case["options"]}
    row = case["key"].split(" ")[0]        # which messages may call otherwise
    name = row if row in EXCEPTIONS else case["op"]
    call = EXCEPTIONS.get(name, plain)
    result = call(name, inputs, dict(options))
    if torch.is_tensor(result) and len(case["outputs"]) == 2:  # pooling
        result = call(case["op"], inputs, dict(options, return_indices=True))
    return list(result) if isinstance(result, (tuple, list)) else [result]


# ---- the table -------------------------------------------------------------------------------

def number(v):
    if isinstance(v, bool):
        return str(int(v))
    if isinstance(v, int):
        return str(v)
    if math.isnan(v):
        return "nan"
    if v == int(v) if math.isfinite(v) else False:
        return "%.17g" % v
    return repr(v)


def line(word, t):
    shape = "x".join(map(str, t.shape))
    numbers = " ".join(map(number, t.reshape(-1).tolist()))
    return ("%s %s: %s" % (word, shape, numbers)).rstrip()


def check_like(what, t, one):
    if list(t.shape) != one["shape"]:
        raise ValueError("%s is %s, ours is %s" % (what, list(t.shape), one["shape"]))
    real = one["dtype"] in ("f32", "f64")
    if not t.dtype.is_floating_point if real else t.dtype != DTYPES[one["dtype"]]:
        raise ValueError("%s is %s, ours is %s" % (what, t.dtype, one["dtype"]))


def gradients(letter, leaves, wanted, outputs, seeds):
    """Of all outputs together that have a seed."""
    pairs = [(y, seed) for y, seed in zip(outputs, seeds)
             if seed is not None and y.requires_grad]
    grads = [None] * len(wanted)
    if pairs:
        grads = torch.autograd.grad([y for y, _ in pairs], [leaves[i] for i in wanted],
                                    [seed for _, seed in pairs], allow_unused=True,
                                    retain_graph=True)
    return [line("%s%d" % (letter, i), torch.zeros_like(leaves[i]) if grad is None else grad)
            for i, grad in zip(wanted, grads)]


def entry(case):
    leaves, inputs = [], []
    for one in case["inputs"]:
        leaf = tensor(one) if "dtype" in one else None
        if leaf is not None and one["grad"]:
            leaf.requires_grad_()
        leaves.append(leaf)
        x = leaf
        if leaf is not None and "e" in one["letters"]:
            x = leaf.expand(one["sizes"])
        if leaf is not None and "y" in one["letters"]:  # a symmetric matrix is meant
            x = (x + x.transpose(-2, -1)) / 2
        if one["list"] and inputs and isinstance(inputs[-1][1], list):
            inputs[-1][1].append(x)
            continue
        inputs.append((one["name"], [x] if one["list"] else x, one["required"]))
    outputs = outputs_of(case, inputs)
    lines = ["sum %s" % case["sum"]]
    if len(outputs) < len(case["outputs"]):
        raise ValueError("%d results, ours are %d" % (len(outputs), len(case["outputs"])))
    for i, one in enumerate(case["outputs"]):
        check_like("result %d" % i, outputs[i], one)
        lines.append(line("y%d" % i, outputs[i].detach()))
    wanted = [i for i, one in enumerate(case["inputs"]) if one.get("grad")]
    seeds = [tensor(one) if one else None for one in case["seeds"]]
    if wanted and seeds[0] is not None:
        lines += gradients("g", leaves, wanted, outputs[:1], seeds[:1])
    if wanted and any(seed is not None for seed in seeds[1:]):
        lines += gradients("h", leaves, wanted, outputs, seeds)
    return lines


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        dumped = subprocess.run([sys.argv[1], "--dump"], check=True, stdout=subprocess.PIPE,
                                text=True)
    except (OSError, subprocess.CalledProcessError) as problem:
        sys.exit("%s\n%s: the test program: %s" % (__doc__, sys.argv[0], problem))
    failures, seen, ops, without = [], set(), set(), 0
    torch.set_default_dtype(torch.float64)  # what whole numbers become
    text = ["What PyTorch %s computes in f64 for the cases of tests/c/op_cases.h." %
            torch.__version__.split("+")[0],
            "Made by make_torch_values.py, compared by tests/c/torch_values.c, which says how "
            "to read it."]
    for row in dumped.stdout.splitlines():
        case = json.loads(row)
        if case["key"] in seen:
            continue
        seen.add(case["key"])
        reason = "random" if case["random"] else WITHOUT.get(case["key"], WITHOUT.get(case["op"]))
        if reason:
            lines = ["sum %s none: %s" % (case["sum"], reason)]
            without += 1
        else:
            try:
                lines = entry(case)
            except Exception as problem:  # whatever it is, the others are computed
                failures.append("%s: %s: %s" % (case["key"], type(problem).__name__,
                                                str(problem).split("\n")[0]))
                continue
            ops.add(case["op"])
        text += ["case " + case["key"]] + lines
    with open(TARGET, "w") as out:
        out.write("\n".join(text) + "\n")
    print("%d operations, %d cases, %d without values; %d bytes" %
          (len(ops), len(seen) - without - len(failures), without, os.path.getsize(TARGET)))
    if failures:
        sys.exit("no values:\n  " + "\n  ".join(failures))


main()
