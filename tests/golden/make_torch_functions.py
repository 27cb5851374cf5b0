#!/usr/bin/env python3
"""Write torch_functions.lua: what PyTorch computes for functions that are no rows of the
operation table (einsum, splits, makers, indexing, assignment), which torch_values.txt has not.

Run by hand after cases were added, where PyTorch 2 is installed (in a virtual environment
outside the repository; nothing else needs it):

    python3 tests/golden/make_torch_functions.py

A case is a function's name, its inputs, and what is to be computed of them, once in Lua and once
in Python, where the library counts from 1 and PyTorch from 0. Results and, where some input is
real, the gradients of a weighted sum of all real results are PyTorch's, in f64.
tests/lua/test_torch_functions.lua compares.
"""

import os
import random
import sys

try:
    import torch
except ImportError as problem:
    sys.exit("%s\n%s: this Python has no PyTorch (%s)" % (__doc__, sys.argv[0], problem))

TARGET = os.path.join(os.path.dirname(os.path.abspath(__file__)), "torch_functions.lua")
DTYPES = {torch.float64: "f64", torch.int64: "i64", torch.uint8: "u8", torch.bool: "bool"}
cases = []


def real(*shape):
    return ("real", shape)


def whole(values):
    return ("whole", values)


def mask(values):
    return ("mask", values)


def case(name, lua, python, **inputs):
    """inputs: x, y, z ... as real(sizes), whole(values) or mask(values)"""
    cases.append((name, lua, python, inputs))


def same(name, arguments, **inputs):
    """The call is written alike in both languages: name(arguments)."""
    case(name, "return mlpl.%s(%s)" % (name, arguments), "torch.%s(%s)" % (name, arguments), **inputs)


# ---- products ------------------------------------------------------------------------------

SIZES = dict(a=2, b=3, c=1, d=4, e=0, f=5, i=3, j=2, k=4, l=2)


def einsum(equation):
    left = equation.split("->")[0]
    inputs = {}
    for name, letters in zip("xyzuv", left.split(",")):
        # an ellipsis stands for axes of 2 and 1, the second of which stretches
        head = [] if "..." not in letters else [2, 3] if name == "x" else [3] if name == "y" else [1]
        inputs[name] = real(*head, *(SIZES[c] for c in letters if c.isalpha()))
    same("einsum", '"%s", %s' % (equation, ", ".join(inputs)), **inputs)


for equation in ("ij,jk->ik", "ij,jk", "ij->ji", "ij->", "ij->i", "ij->j", "bi,bi->b", "bij,bjk->bik",
                 "i,j->ij", "i,i->", "i,i", "ij,ij->ij", "ij,ij->", "ii->i", "ii->", "ii", "iij->j",
                 "ij,jk,kl->il", "ij,kj,kl,l->i", "bij,bik->bjk", "abi,iab->ba", "...ij,...jk->...ik",
                 "...i,i->...", "...ij->...ji", "i...->...", "ij,j->i", "j,ij->i", "bd,bd,a->ba", "ab,cb->ac",
                 "ac,cb->ab", "ae,eb->ab", "ea,eb->ab", "eab->ab", "i,->i", ",->", "bijd,bikd->bijk",
                 "a,b,d,f->fdba", "iji->j", "ibjb->ji", "ijkl,klij->", "k,ijk,j->i"):
    einsum(equation)

for dims, x, y in ((2, (2, 3, 4), (3, 4, 5)), (1, (2, 3), (3, 4)), (0, (2, 3), (2,)), (1, (3,), (3,)),
                   (2, (1, 3, 1), (3, 1, 2)), (1, (2, 0), (0, 3))):
    same("tensordot", "x, y, %d" % dims, x=real(*x), y=real(*y))
for of_x, of_y, x, y in (((1,), (0,), (2, 3), (3, 4)), ((0,), (1,), (3, 2), (4, 3)),
                         ((0, 2), (1, 0), (2, 3, 4), (4, 2, 5)), ((-1,), (-2,), (2, 3), (3, 4)),
                         ((1, 0), (0, 1), (2, 3, 1), (3, 2))):
    def listed(places, base):
        return ", ".join(str(p + base if p >= 0 else p) for p in places)
    case("tensordot", "return mlpl.tensordot(x, y, { { %s }, { %s } })" % (listed(of_x, 1), listed(of_y, 1)),
         "torch.tensordot(x, y, ([%s], [%s]))" % (listed(of_x, 0), listed(of_y, 0)), x=real(*x), y=real(*y))

# ---- parts ---------------------------------------------------------------------------------

for shape, size, dim in (((5, 2), 2, 0), ((5, 2), 1, 1), ((6,), 3, 0), ((2, 5), 4, -1), ((1, 3), 7, 0),
                         ((0, 3), 2, 0), ((3, 0), 2, 0)):
    at = dim + 1 if dim >= 0 else dim
    case("split", "return x:split(%d, %d)" % (size, at), "x.split(%d, %d)" % (size, dim), x=real(*shape))
    case("chunk", "return x:chunk(%d, %d)" % (size, at), "x.chunk(%d, %d)" % (size, dim), x=real(*shape))
    case("tensor_split", "return x:tensor_split(%d, %d)" % (size, at), "x.tensor_split(%d, %d)" % (size, dim),
         x=real(*shape))
case("split", "return x:split({ 1, 4, 0 }, 1)", "x.split([1, 4, 0], 0)", x=real(5, 2))
case("split", "return x:split({ 2, 1 }, -1)", "x.split([2, 1], -1)", x=real(2, 3))
case("tensor_split", "return x:tensor_split({ 1, 3 }, 1)", "x.tensor_split([1, 3], 0)", x=real(5, 2))
case("tensor_split", "return x:tensor_split({ 2, 2, 9 }, -1)", "x.tensor_split([2, 2, 9], -1)", x=real(2, 4))
for dim in (0, 1, -1):
    case("unbind", "return x:unbind(%d)" % (dim + 1 if dim >= 0 else dim), "x.unbind(%d)" % dim, x=real(3, 2))
case("unbind", "return x:unbind()", "x.unbind()", x=real(1))
for name, shape in (("hsplit", (2, 4)), ("hsplit", (4,)), ("vsplit", (4, 3)), ("vsplit", (2, 1)), ("dsplit", (2, 3, 4))):
    case(name, "return x:%s(2)" % name, "x.%s(2)" % name, x=real(*shape))
    case(name, "return x:%s({ 1 })" % name, "x.%s([1])" % name, x=real(*shape))
for name in ("atleast_1d", "atleast_2d", "atleast_3d"):
    for shape in ((), (3,), (2, 3), (2, 1, 3), (0,), (2, 0)):
        same(name, "x", x=real(*shape))

# ---- grids ---------------------------------------------------------------------------------

for x, y in (((3,), (2,)), ((1,), (4,)), ((0,), (2,)), ((), (3,))):
    for indexing in ("ij", "xy"):
        case("meshgrid", 'return mlpl.meshgrid(x, y, { indexing = "%s" })' % indexing,
             'torch.meshgrid(x, y, indexing="%s")' % indexing, x=real(*x), y=real(*y))
case("meshgrid", "return mlpl.meshgrid(x, y, z)", 'torch.meshgrid(x, y, z, indexing="ij")',
     x=real(2), y=real(3), z=real(1))
for x, y in (((3, 1), (1, 4)), ((2, 3), (3,)), ((), (2, 2)), ((1,), (0,)), ((2, 1, 3), (4, 1))):
    same("broadcast_tensors", "x, y", x=real(*x), y=real(*y))
case("broadcast_tensors", "return mlpl.broadcast_tensors(x, y, z)", "torch.broadcast_tensors(x, y, z)",
     x=real(2, 1), y=real(3), z=real(1, 1, 1))
for row, col, offset in ((3, 3, 0), (3, 4, 1), (4, 2, -1), (1, 1, 0), (0, 3, 0), (2, 3, 5), (2, 3, -5)):
    for name in ("tril_indices", "triu_indices"):
        case(name, "return mlpl.%s(%d, %d, %d)" % (name, row, col, offset),
             "torch.%s(%d, %d, offset=%d) + 1" % (name, row, col, offset))
case("unravel_index", "return mlpl.unravel_index(x, { 3, 4 })", "[i + 1 for i in torch.unravel_index(x - 1, (3, 4))]",
     x=whole([1, 12, 5, 8]))
case("unravel_index", "return mlpl.unravel_index(x, { 2, 1, 3 })",
     "[i + 1 for i in torch.unravel_index(x - 1, (2, 1, 3))]", x=whole([[1, 6], [3, 4]]))
case("unravel_index", "return mlpl.unravel_index(x, 5)", "[i + 1 for i in torch.unravel_index(x - 1, (5,))]", x=whole([]))

# ---- distinct elements ---------------------------------------------------------------------

for values in ([3, 1, 2, 1, 3, 3], [[2, 1], [1, 2]], [], [5]):
    case("unique", "return x:unique { return_inverse = true, return_counts = true }",
         "(lambda v, i, n: (v, i + 1, n))(*x.unique(return_inverse=True, return_counts=True))", x=whole(values))
    case("unique_consecutive", "return x:unique_consecutive { return_inverse = true, return_counts = true }",
         "(lambda v, i, n: (v, i + 1, n))(*x.unique_consecutive(return_inverse=True, return_counts=True))",
         x=whole(values))
for dim in (0, 1, -1):
    at = dim + 1 if dim >= 0 else dim
    for name in ("unique", "unique_consecutive"):
        case(name, "return x:%s { dim = %d, return_inverse = true, return_counts = true }" % (name, at),
             "(lambda v, i, n: (v, i + 1, n))(*x.%s(dim=%d, return_inverse=True, return_counts=True))" % (name, dim),
             x=whole([[1, 2, 1], [1, 2, 1], [0, 5, 0], [1, 2, 1]]))

# ---- makers --------------------------------------------------------------------------------

for first, last, n in ((0, 1, 5), (-2, 3, 1), (1, 0, 4), (2, 2, 3), (0, 1, 0), (-1e3, 1e3, 8)):
    case("linspace", 'return mlpl.linspace(%r, %r, %d, { dtype = "f64" })' % (first, last, n),
         "torch.linspace(%r, %r, %d)" % (first, last, n))
for first, last, n, base in ((0, 2, 5, 10), (-1, 1, 3, 2), (3, 0, 4, 2.5), (1, 1, 1, 10)):
    case("logspace", 'return mlpl.logspace(%r, %r, %d, %r, { dtype = "f64" })' % (first, last, n, base),
         "torch.logspace(%r, %r, %d, %r)" % (first, last, n, base))
for first, last, step in ((0, 5, 1), (1, 2, 0.25), (5, 0, -2), (0, 1, 0.1), (-3, 3, 1.5)):
    case("arange", 'return mlpl.arange(%r, %r, %r, { dtype = "f64" })' % (first, last, step),
         # the last is part of it where a step ends there
         "%r + %r * torch.arange(0.0, int((%r - %r) / %r + 1e-9) + 1)" % (first, step, last, first, step))
for n, m in ((3, 3), (2, 4), (4, 1), (0, 2)):
    case("eye", 'return mlpl.eye(%d, %d, { dtype = "f64" })' % (n, m), "torch.eye(%d, %d)" % (n, m))
for name in ("zeros", "ones"):
    case(name, 'return mlpl.%s(2, 0, 3, { dtype = "f64" }), mlpl.%s(2, { dtype = "i64" })' % (name, name),
         "(torch.%s(2, 0, 3), torch.%s(2, dtype=torch.int64))" % (name, name))
    case(name + "_like", "return mlpl.%s_like(x)" % name, "torch.%s_like(x.detach())" % name, x=whole([[1, 2], [3, 4]]))
case("full", 'return mlpl.full({ 2, 3 }, -1.5, { dtype = "f64" }), mlpl.full({ 2 }, 7, { dtype = "i64" })',
     "(torch.full((2, 3), -1.5), torch.full((2,), 7))")
case("full_like", "return mlpl.full_like(x, 9)", "torch.full_like(x, 9)", x=whole([[1, 2], [3, 4]]))

# ---- indexing ------------------------------------------------------------------------------

for lua, python, shape in (
        ("x[2]", "x[1]", (3, 4)), ("x[-1]", "x[-1]", (3, 4)), ("x[1][2][1]", "x[0][1][0]", (2, 3, 1)),
        ("x[{ 2, 3 }]", "x[1, 2]", (3, 4)), ("x[{ {}, 2 }]", "x[:, 1]", (3, 4)),
        ("x[{ { 2, 3 }, {} }]", "x[1:3, :]", (3, 4)), ("x[{ { 1, -1 } }]", "x", (3, 2)),
        ("x[{ {}, { 1, 4, 2 } }]", "x[:, 0:4:2]", (3, 4)), ("x[{ { 2, -2 } }]", "x[1:-1]", (4, 2)),
        ("x[{ {}, {}, 1 }]", "x[:, :, 0]", (2, 3, 2)), ("x[{ { 2, 2 }, 1 }]", "x[1:2, 0]", (3, 2))):
    case("indexing", "return " + lua, python, x=real(*shape))
places = whole([[1, 3], [2, 1]])
for lua, python, inputs in (
        ("x[i]", "x[i - 1]", dict(x=real(3, 2), i=places)),
        ("x[{ i, j }]", "x[i - 1, j - 1]", dict(x=real(3, 4), i=places, j=whole([[4, 1], [1, 4]]))),
        ("x[{ i, 2 }]", "x[i - 1, 1]", dict(x=real(3, 4), i=places)),
        ("x[{ {}, i }]", "x[:, i - 1]", dict(x=real(2, 3), i=whole([3, 1, 1]))),
        ("x[{ i, {}, j }]", "x[i - 1, :, j - 1]", dict(x=real(3, 2, 4), i=whole([1, 3]), j=whole([4, 4]))),
        ("x[i]", "x[i - 1]", dict(x=real(3, 2), i=whole([]))),
        ("x[m]", "x[m]", dict(x=real(2, 3), m=mask([[True, False, True], [False, True, True]]))),
        ("x[m]", "x[m]", dict(x=real(2, 3), m=mask([False, True]))),
        ("x[{ {}, m }]", "x[:, m]", dict(x=real(2, 3), m=mask([True, False, True])))):
    case("indexing", "return " + lua, python, **inputs)

# ---- assignment ----------------------------------------------------------------------------


def assigned(lua, python, **inputs):
    """x is changed; what the gradient reaches is its old value and the new elements."""
    case("assignment", "local y = x:clone(); y%s; return y" % lua, "y = x.clone(); y%s" % python, **inputs)


assigned("[2] = v", "[1] = v", x=real(3, 2), v=real(2))
assigned("[2] = 5", "[1] = 5", x=real(3, 2))
assigned("[-1] = v", "[-1] = v", x=real(3, 2), v=real())
assigned("[{ 2, 1 }] = v", "[1, 0] = v", x=real(3, 2), v=real())
assigned("[{ {}, 2 }] = v", "[:, 1] = v", x=real(3, 2), v=real(3))
assigned("[{ { 1, 2 }, {} }] = v", "[0:2, :] = v", x=real(3, 2), v=real(1, 2))
assigned("[{ {}, { 1, 4, 2 } }] = v", "[:, 0:4:2] = v", x=real(2, 4), v=real(2, 1))
assigned("[i] = v", "[i - 1] = v", x=real(4, 2), v=real(2, 2), i=whole([4, 2]))
assigned("[i] = v", "[i - 1] = v", x=real(4, 2), v=real(2), i=whole([1, 3]))
assigned("[{ i, j }] = v", "[i - 1, j - 1] = v", x=real(3, 4), v=real(2), i=whole([1, 3]), j=whole([4, 1]))
assigned("[m] = v", "[m] = v", x=real(2, 2), v=real(3), m=mask([[True, False], [True, True]]))
assigned("[m] = 0", "[m] = 0", x=real(2, 2), m=mask([[True, False], [True, True]]))
assigned("[m] = v", "[m] = v", x=real(3, 2), v=real(2), m=mask([True, False, True]))
assigned("[i] = v", "[i - 1] = v", x=real(4, 2), v=real(0, 2), i=whole([]))
assigned("[1] = y[3]", "[0] = y[2].clone()", x=real(3, 2))
assigned("[1] = y[3]:clone() * y[2]:clone()", "[0] = y[2].clone() * y[1].clone()", x=real(3, 2))

# ---- filled in place -----------------------------------------------------------------------

case("fill_", "local y = x * 2; y:fill_(3); return y", "y = x * 2; y.fill_(3)", x=real(2, 3))
case("fill_", "local y = x * 2; y:fill_(v); return y", "y = x * 2; y.fill_(v)", x=real(2, 3), v=real())
case("fill_", "local y = x * 2; y:fill_(3); return y", "y = x * 2; y.fill_(3)", x=real(0, 3))
case("zero_", "local y = x * 2; y:zero_(); return y", "y = x * 2; y.zero_()", x=real(2, 1))
case("zero_", "local y = x:sin(); y:zero_(); return y + x", "y = x.sin(); y.zero_(); y = y + x", x=real(3))
case("copy_", "local y = x * 2; y:copy_(v); return y", "y = x * 2; y.copy_(v)", x=real(2, 3), v=real(3))
case("copy_", "local y = x * 2; y:copy_(x); return y", "y = x * 2; y.copy_(x)", x=real(2, 3))

# ---- derivatives ---------------------------------------------------------------------------

for name, lua, python, inputs in (
        ("jacobian", "x:softmax(1)", "x.softmax(0)", dict(x=real(4))),
        ("jacobian", "x:matmul(y):tanh()", "(x @ y).tanh()", dict(x=real(2, 3), y=real(3))),
        ("jacobian", "(x * y):sum()", "(x * y).sum()", dict(x=real(2, 1), y=real(1, 3))),
        ("hessian", "(x ^ 3):sum() * x:prod()", "(x ** 3).sum() * x.prod()", dict(x=real(3))),
        ("hessian", "x:matmul(y):sigmoid():log():sum()", "(x @ y).sigmoid().log().sum()", dict(x=real(2, 2), y=real(2))),
        ("hessian", "mlpl.linalg.det(x)", "torch.linalg.det(x)", dict(x=real(3, 3)))):
    names = ", ".join(inputs)
    case("autograd." + name, "local r = mlpl.autograd.%s(function(%s) return %s end, { %s })\n"
         "%s" % (name, names, lua, names, "return r[1]" if len(inputs) == 1 and name == "jacobian" else
                 "return r[1][1]" if len(inputs) == 1 else
                 "return r[1], r[2]" if name == "jacobian" else "return r[1][1], r[1][2], r[2][1], r[2][2]"),
         "flat(torch.autograd.functional.%s(lambda %s: %s, (%s,)))" % (name, names, python, names), **inputs)
for name, of, v in (("hvp", "(x ^ 3):sum() * x:prod()", (3,)), ("vjp", "(x * x:sum()):tanh()", (3,)),
                    ("jvp", "(x * x:sum()):tanh()", (3,))):
    case("autograd." + name, "return mlpl.autograd.%s(function(x) return %s end, x, v:detach())" % (name, of),
         "torch.autograd.functional.%s(lambda x: %s, x, v.detach())"
         % (name, of.replace("^", "**").replace(":", ".")), x=real(*v), v=real(*v))
case("autograd.grad", "return unpack(mlpl.autograd.grad((x * y):exp():sum(), { x, y }))",
     "torch.autograd.grad((x * y).exp().sum(), (x, y))", x=real(2, 3), y=real(3))
case("autograd.grad", "return unpack(mlpl.autograd.grad((x * y):exp():sum(), { x }, { create_graph = true }))",
     "torch.autograd.grad((x * y).exp().sum(), (x,), create_graph=True)", x=real(2, 3), y=real(3))

# ---- patches -------------------------------------------------------------------------------

for shape, size, kernel, options in (
        ((1, 8, 4), (4, 4), 2, dict(stride=2)), ((2, 4, 9), (4, 4), 2, {}), ((9, 4), (4, 4), 3, {}),
        ((1, 6, 12), (3, 5), (2, 3), dict(padding=1, stride=(1, 2))), ((1, 4, 4), (4, 4), 2, dict(dilation=2)),
        ((0, 4, 9), (4, 4), 2, {}), ((1, 1, 1), (1, 1), 1, {})):
    def pair(v):
        return "{ %s }" % ", ".join(map(str, v)) if isinstance(v, tuple) else str(v)
    named = ", { %s }" % ", ".join("%s = %s" % (k, pair(v)) for k, v in options.items()) if options else ""
    case("nn.fold", "return mlpl.nn.fold(x, %s, %s%s)" % (pair(size), pair(kernel), named),
         "torch.nn.functional.fold(x, %r, %r%s)" % (size, kernel, "".join(", %s=%r" % o for o in options.items())),
         x=real(*shape))

# ---- writing them --------------------------------------------------------------------------


def number(v):
    if isinstance(v, bool):
        return "true" if v else "false"
    return repr(v).replace("inf", "math.huge").replace("nan", "0/0")


def lua_tensor(t):
    return '{ "%s", { %s }, { %s } }' % (DTYPES[t.dtype], ", ".join(map(str, t.shape)),
                                         ", ".join(number(v) for v in t.detach().flatten().tolist()))


def make(spec, rnd):
    kind, of = spec
    if kind == "whole":
        return torch.tensor(of, dtype=torch.int64)
    if kind == "mask":
        return torch.tensor(of, dtype=torch.bool)
    numel = 1
    for n in of:
        numel *= n
    values = [round(rnd.uniform(0.25, 2) * rnd.choice((-1, 1)), 3) for _ in range(numel)]
    return torch.tensor(values, dtype=torch.float64).reshape(of).requires_grad_()


def weights(numel):
    """The test has the same."""
    return 0.25 + 0.5 * ((7 * torch.arange(numel)) % 5 - 2)


def flat(results):
    return [results] if isinstance(results, torch.Tensor) else [t for r in results for t in flat(r)]


def computed(python, inputs):
    scope = dict(inputs, torch=torch, flat=flat)
    if python.startswith("y = "):
        exec(python, scope)
        return [scope["y"]]
    return flat(eval(python, scope))


def gradients(results, inputs):
    leaves = {name: t for name, t in inputs.items() if t.requires_grad}
    wanted = [r for r in results if r.requires_grad]
    total = sum((r * weights(r.numel()).reshape(r.shape)).sum() for r in wanted)
    if not leaves or not wanted:
        return {}
    found = torch.autograd.grad(total, list(leaves.values()), allow_unused=True, materialize_grads=True)
    return dict(zip(leaves, found))


def written(name, lua, python, specs, rnd):
    inputs = {key: make(spec, rnd) for key, spec in specs.items()}
    results = computed(python, inputs)
    lines = ["  { %s, [==[%s]==]," % ('"%s"' % name, lua)]
    for title, tensors in (("inputs", inputs), ("gradients", gradients(results, inputs))):
        lines.append("    %s = { %s }," % (title, ", ".join("%s = %s" % (k, lua_tensor(t)) for k, t in tensors.items())))
    lines.append("    results = { %s } }," % ", ".join(map(lua_tensor, results)))
    return "\n".join(lines)


def main():
    torch.set_default_dtype(torch.float64)
    rnd = random.Random(1)
    with open(TARGET, "w") as out:
        out.write("-- What PyTorch %s computes in f64. Made by make_torch_functions.py, compared by\n"
                  "-- tests/lua/test_torch_functions.lua. A case: the function, what is to be computed, the\n"
                  "-- inputs, gradients of the weighted sum of the results, and these; a tensor is its\n"
                  "-- dtype, sizes and elements.\nreturn {\n" % torch.__version__.split("+")[0])
        for each in cases:
            out.write(written(*each, rnd) + "\n")
        out.write("}\n")
    print("%d functions, %d cases" % (len({c[0] for c in cases}), len(cases)))


main()
