#!/usr/bin/env python3
"""Write tests/c/npy_fixtures.h: files as NumPy writes them, for tests/c/npy.c and npz.c.

Run by hand where NumPy is installed (made with 2.4.6, Python 3.11):
    python3 tests/golden/make_npy_fixtures.py > tests/c/npy_fixtures.h
"""

import io
import struct

import numpy as np

NAMES = {"f2": "F32", "f4": "F32", "f8": "F64", "u1": "U8", "b1": "BOOL"}


def saved(array, version=None):
    out = io.BytesIO()
    if version:
        np.lib.format.write_array(out, array, version=version)
    else:
        np.save(out, array)
    return out.getvalue()


def text(data):
    """C string literals of hex digits, a line each."""
    digits = data.hex()
    lines = [digits[i:i + 80] for i in range(0, len(digits), 80)]
    return "\n        ".join('"%s"' % line for line in lines)


def number(v):
    if np.isnan(v):
        return "NAN"
    if np.isinf(v):
        return "-INFINITY" if v < 0 else "INFINITY"
    if isinstance(v, (float, np.floating)) or abs(int(v)) > 2 ** 53:
        return float(v).hex()
    return "%d" % int(v)


def fixture(name, array, same=False, data=None):
    kind = array.dtype.str[1:]
    values = [number(v) for v in array.flatten(order="C")]
    print("    {\"%s\", MLPL_%s, %d, {%s}, {%s}, %s,\n        %s},\n" % (
        name, NAMES.get(kind, "I64"), array.ndim,
        ", ".join(map(str, array.shape)) or "0", ", ".join(values) or "0",
        "true" if same else "false", text(data or saved(array))))


def numbers(kind):
    """Six values that need every byte of the type."""
    if kind == "f2":
        return [1.5, -2.0 ** -24, 65504, 2.0 ** -14, float("inf"), float("nan")]
    if kind[0] == "f":
        most = 3.25e38 if kind == "f4" else 1.75e308
        return [1.5, -0.0, most, -1e-40 if kind == "f4" else -5e-324, float("-inf"),
                float("nan")]
    if kind == "b1":
        return [1, 0, 0, 1, 1, 0]
    bits = 8 * int(kind[1])
    if kind[0] == "u":  # the largest u8 that an i64 holds
        return [0, 1, 2 ** min(bits, 63) - 1, 3 << (bits - 3), 200, 7]
    return [0, 1, -1, 2 ** (bits - 1) - 1, -2 ** (bits - 1), 100]


def good():
    print("static const npy_fixture npy_fixtures[] = {")
    for kind in "f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1".split():
        values = np.array(numbers(kind)).astype(kind).reshape(2, 3) \
            if kind != "u8" else np.array(numbers(kind), dtype="u8").reshape(2, 3)
        same = kind in ("f4", "f8", "i8", "u1", "b1")
        fixture(kind, values, same)
        fixture(kind + " Fortran", np.asfortranarray(values))
        if values.itemsize > 1:
            big = values.astype(values.dtype.newbyteorder(">"))
            fixture(kind + " big-endian", big)
            fixture(kind + " big-endian, Fortran", np.asfortranarray(big))
    fixture("one number", np.array(2.5, dtype="f4"), True)
    fixture("one truth value", np.array(True), True)
    fixture("one axis", np.arange(5, dtype="i8"), True)
    fixture("a long axis", np.zeros(12345, dtype="u1")[:0].reshape(12345, 0), True)
    fixture("empty", np.zeros(0, dtype="f4"), True)
    fixture("empty matrix", np.zeros((0, 3), dtype="f8"), True)
    fixture("empty, Fortran", np.zeros((4, 0, 2), dtype="f4", order="F"))
    deep = np.arange(12, dtype="f4").reshape(1, 2, 1, 3, 1, 1, 2, 1)
    fixture("eight axes", deep, True)
    cube = np.arange(24, dtype="i2").reshape(2, 3, 4)
    fixture("Fortran cube", np.asfortranarray(cube))
    # the header's padding, around the place where a line is full
    for n in (1, 20, 300, 4000, 50000, 600000, 7000000):
        fixture("0 rows of %d" % n, np.zeros((0, n, n), dtype="f8"), True)
    fixture("version 2", cube, data=saved(cube, (2, 0)))
    fixture("version 3", cube, data=saved(cube, (3, 0)))
    print("};\n")


def refused():
    cases = [
        ("objects", np.array([None, {}], dtype=object), "Python objects (a pickle)"),
        ("complex", np.zeros(2, dtype="c8"), "dtype '<c8' is not read"),
        ("bytes", np.array([b"ab"]), "dtype '|S2' is not read"),
        ("text", np.array(["ab"]), "dtype '<U2' is not read"),
        ("void", np.zeros(2, dtype="V2"), "dtype '|V2' is not read"),
        ("dates", np.zeros(2, dtype="M8[s]"), "dtype '<M8[s]' is not read"),
        ("long double", np.zeros(2, dtype="g"), "is not read"),
        ("structure", np.zeros(2, dtype=[("a", "f4"), ("b", "i4")]), "is structured"),
        ("nine axes", np.zeros((1,) * 9, dtype="f4"), "more than 8 axes"),
        ("large u8", np.array([1, 2 ** 63], dtype="u8"), "beyond 2^63 - 1"),
    ]
    print("static const npy_refused npy_refusals[] = {")
    for name, array, why in cases:
        print("    {\"%s\", \"%s\",\n        %s},\n" % (name, why, text(saved(array))))
    print("};\n")


def archives():
    w = np.arange(6, dtype="f4").reshape(2, 3)
    b = np.array([1, -1], dtype="i8")
    wide = np.tile(np.arange(16, dtype="f8"), 8).reshape(8, 16)
    cases = [
        ("stored", np.savez, {"b": b, "layer.w": w}, True),
        ("deflated", np.savez_compressed, {"b": b, "wide": wide}, True),
        ("no member", np.savez, {}, True),
        ("names", np.savez, {"deep/er/w": w, "gr\u00f6\u00dfe": b}, True),
        ("one number", np.savez_compressed, {"n": np.array(2.5)}, True),
    ]
    print("static const npz_fixture npz_fixtures[] = {")
    for name, save, arrays, same in cases:
        out = io.BytesIO()
        save(out, **arrays)
        names = ", ".join('"%s"' % n for n in arrays) or "NULL"
        sums = ", ".join(float(a.sum()).hex() for a in arrays.values()) or "0"
        print("    {\"%s\", %s, %d, {%s}, {%s}, %s,\n        %s},\n" % (
            name, "true" if save is np.savez_compressed else "false", len(arrays), names,
            sums, "true" if same else "false", text(out.getvalue())))
    print("};\n")


print("""/* Files as NumPy %s writes them. Made by tests/golden/make_npy_fixtures.py. */
#ifndef TEST_NPY_FIXTURES_H
#define TEST_NPY_FIXTURES_H

#include "mlpl.h"

#include <math.h>

/* clang-format off */
typedef struct npy_fixture {
  const char *name;
  mlpl_dtype dtype; /* of the tensor */
  int ndim;
  int64_t shape[MLPL_MAX_RANK];
  double values[24]; /* row-major */
  bool same; /* writing the tensor gives these bytes */
  const char *hex;
} npy_fixture;

typedef struct npy_refused {
  const char *name, *why, *hex;
} npy_refused;

typedef struct npz_fixture {
  const char *name;
  bool compressed;
  int n;
  const char *names[2];
  double sums[2]; /* of each array's elements */
  bool same;
  const char *hex;
} npz_fixture;
""" % np.__version__)
good()
refused()
archives()
print("/* clang-format on */\n\n#endif")
