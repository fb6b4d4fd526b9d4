#!/usr/bin/env python3
"""Element types of 16 bits and fewer: conversions and quantization against numpy and ml_dtypes, bit by bit; random
numbers of several types by their statistics.

    test/Models/element_types.py --build build/release          all checks
    test/Models/element_types.py --build build/release cast     those with these words in their name

Each check is a model with one node that gets every code of its input type, or numbers at the edges of all exponents and
random ones. It runs in process, as C, and as an object for aarch64 under qemu.
"""

import sys
import tempfile
import threading
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT.parent))
sys.path.insert(0, str(ROOT.parent / "Conformance"))
import suite  # noqa: E402

try:
    import ml_dtypes
    import numpy as np
    import onnx
    from onnx import helper
    import leafc as leafc_process
    import values
except ImportError as error:
    sys.exit(suite.skip(f"element types: {error}"))

FLOAT8 = ("float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz")
NARROW = ("int4", "uint4", "int2", "uint2")
MODES = {"jit": [], "c": ["--emit=c"], "aarch64": ["--emit=lib", "--target=rpi4"]}
local = threading.local()


def dtype_of(name):
    return np.dtype(getattr(ml_dtypes, name, name))


def onnx_type(name):
    return helper.np_dtype_to_tensor_dtype(dtype_of(name))


def all_codes(name):
    """Every number of a type of at most 16 bits, NaNs included."""
    dtype = dtype_of(name)
    bits = {"int4": 4, "uint4": 4, "float4_e2m1fn": 4, "int2": 2, "uint2": 2}.get(name, 8 * dtype.itemsize)
    return np.arange(1 << bits).astype(f"u{dtype.itemsize}").view(dtype)


def edges(name):
    """Numbers of float32 or float64 around what narrower types can hold, and random ones."""
    generator = np.random.default_rng(0)
    exponents = np.ldexp(1.0, np.arange(-160 if name == "float64" else -148, 130))
    mantissas = np.unique(np.concatenate([1 + np.arange(64) / 32, 1 + generator.random(64)]))
    exact = (exponents[:, None] * mantissas).ravel()
    near = [exact, np.nextafter(exact, 0), np.nextafter(exact, np.inf)]
    with np.errstate(over="ignore"):
        x = np.concatenate([*near, [0.0, np.inf, np.nan]]).astype(name)
    return np.concatenate([x, -x])


def inputs_of(name):
    return edges(name) if name in ("float32", "float64") else all_codes(name)


def run(build, mode, nodes, inputs, output_type, initializers=()):
    """The output 'y' of a model of `nodes`, on arrays by name; raises RuntimeError with leafc's message."""
    if not hasattr(local, "leafc"):
        local.leafc = leafc_process.Leafc(build)
    value = helper.make_tensor_value_info
    graph = helper.make_graph(nodes, "types", [value(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
                                               for name, array in inputs.items()],
                              [value("y", onnx_type(output_type), None)], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 26)], ir_version=13)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        onnx.save(model, folder / "model.onnx")
        np.savez(folder / "in.npz", **{name: values.to_file(array) for name, array in inputs.items()})
        code, text = local.leafc.run("run", folder / "model.onnx", "--input", folder / "in.npz", "--output",
                                     folder / "out.npz", *MODES[mode])
        if code != 0:
            raise RuntimeError(text)
        with np.load(folder / "out.npz") as arrays:
            return values.unpack("y", arrays)


def differ(x, actual, expected):
    """An error that shows the first of the elements whose bits differ; NaNs are equal."""
    if actual.dtype != expected.dtype:
        return f"the output is {actual.dtype}, not {expected.dtype}"
    unsigned = f"u{actual.dtype.itemsize}"
    wrong = actual.view(unsigned) != expected.view(unsigned)
    if expected.dtype.kind == "f" or "float" in expected.dtype.name:
        with np.errstate(invalid="ignore"):
            wrong &= ~(np.isnan(actual.astype(np.float64)) & np.isnan(expected.astype(np.float64)))
    if not wrong.any():
        return ""
    first = int(np.argmax(wrong))
    return f"{wrong.sum()} of {wrong.size} differ: {x[first]!r} became {actual[first]!r}, not {expected[first]!r}"


def expect_cast(x, to, saturate):
    with np.errstate(all="ignore"):
        if x.dtype == np.float64 and to == "bfloat16":  # ml_dtypes rounds twice
            exponent = np.maximum(np.frexp(x)[1] - 1, -126)
            unit = np.ldexp(1.0, exponent - 7)
            return (np.rint(x / unit) * unit).astype(np.float32).astype(dtype_of(to))
        if to in FLOAT8 and saturate:
            return onnx.numpy_helper.saturate_cast(x.astype(np.float32), dtype_of(to))
        return x.astype(dtype_of(to))


def check_cast(build, mode, source, to, saturate=True):
    x = inputs_of(source)
    if to == "float4_e2m1fn":  # NaN has no code
        with np.errstate(invalid="ignore"):
            x = x[~np.isnan(x.astype(np.float64))]
    if to.startswith(("int", "uint")):  # what does not fit an integer is undefined
        wide = x.astype(np.float64)
        info = ml_dtypes.iinfo(dtype_of(to))
        x = x[np.isfinite(wide) & (np.trunc(wide) >= info.min) & (np.trunc(wide) <= info.max)]
    node = helper.make_node("Cast", ["x"], ["y"], to=onnx_type(to), **({} if saturate else {"saturate": 0}))
    return differ(x, run(build, mode, [node], {"x": x}, to), expect_cast(x, to, saturate))


def check_constant(build, mode, name):
    """An initializer, which ONNX packs where elements have 4 or 2 bits, returned as it is and as a number."""
    x = all_codes(name)
    if name in NARROW or name == "float4_e2m1fn":
        x = np.concatenate([x, x[:3]])  # no whole number of bytes
    tensor = onnx.numpy_helper.from_array(x, "w")
    identity = helper.make_node("Identity", ["w"], ["y"])
    dummy = np.zeros(1, np.float32)
    problem = differ(x, run(build, mode, [identity], {"x": dummy}, name, [tensor]), x)
    cast = [helper.make_node("Cast", ["w"], ["v"], to=onnx_type("float32")), helper.make_node("Mul", ["v", "x"], ["y"])]
    one = np.ones(1, np.float32)
    return problem or differ(x, run(build, mode, cast, {"x": one}, "float32", [tensor]), x.astype(np.float32))


def check_quantize(build, mode, name):
    """QuantizeLinear and back, by a scale of each block of 4 along an axis."""
    generator = np.random.default_rng(1)
    x = (generator.standard_normal((3, 10)) * 20).astype(np.float32)
    scale = (generator.random((3, 3)) + 0.5).astype(np.float32)
    repeated = np.repeat(scale, 4, axis=1)[:, :10]
    if name in NARROW or name == "int8":
        info = ml_dtypes.iinfo(dtype_of(name))
        expected = np.clip(np.rint(x / repeated), info.min, info.max).astype(dtype_of(name))
    else:
        expected = expect_cast(x / repeated, name, True)
    nodes = [helper.make_node("QuantizeLinear", ["x", "s"], ["y"], axis=1, block_size=4, output_dtype=onnx_type(name))]
    problem = differ(x.ravel(), run(build, mode, nodes, {"x": x, "s": scale}, name).ravel(), expected.ravel())
    nodes = [helper.make_node("DequantizeLinear", ["q", "s"], ["y"], axis=1, block_size=4)]
    numbers = expected.astype(np.float32) * repeated
    given = {"q": expected, "s": scale}
    return problem or differ(expected.ravel(), run(build, mode, nodes, given, "float32").ravel(), numbers.ravel())


def check_random(build, mode, kind, name):
    """Numbers of a distribution of mean 1 and deviation 1; the same again from the same seed in another process."""
    given = {"low": 1 - 3 ** 0.5, "high": 1 + 3 ** 0.5} if kind == "RandomUniformLike" else {"mean": 1.0}
    node = helper.make_node(kind, ["x"], ["y"], dtype=onnx_type(name), seed=7.0, **given)
    x = {"x": np.zeros((100, 400), np.float32)}
    y = run(build, mode, [node], x, name).astype(np.float64)
    neighbours = np.corrcoef(y[:, 1:].ravel(), y[:, :-1].ravel())[0, 1]
    if max(abs(y.mean() - 1), abs(y.std() - 1), abs(neighbours)) > 0.02:
        return f"mean {y.mean():.3f}, deviation {y.std():.3f}, or neighbours depend on each other"
    tolerance = 1e-5 if name in ("float32", "float64") else 2e-2
    expected = run(build, "jit", [node], x, name).astype(np.float64)
    return "" if np.allclose(y, expected, rtol=tolerance, atol=tolerance) else "differs from the same seed in process"


def guarded(function, *args):
    try:
        return function(*args)
    except RuntimeError as error:
        return str(error)


def make_checks(build):
    casts = [(source, to) for to in (*FLOAT8, "float4_e2m1fn") for source in ("float32", "float16", "bfloat16")]
    casts += [(source, to) for source in (*FLOAT8, "float4_e2m1fn", "float8_e8m0fnu", *NARROW)
              for to in ("float32", "float16")]
    casts += [(source, to) for source in ("float32", "int8", "uint8", "int16") for to in NARROW]
    casts += [("float64", "float16"), ("float64", "bfloat16"), ("float32", "float16"), ("float32", "bfloat16"),
              ("int4", "int8"), ("uint4", "uint8"), ("int2", "int64"), ("uint2", "int32")]
    for mode in MODES:
        for kind in ("RandomUniformLike", "RandomNormalLike"):
            for name in ("float32", "float64", "float16"):
                yield f"random {kind} {name} {mode}", partial(guarded, check_random, build, mode, kind, name)
        for source, to in casts:
            yield f"cast {source} {to} {mode}", partial(guarded, check_cast, build, mode, source, to)
        for to in FLOAT8:
            yield (f"cast float32 {to} unsaturated {mode}",
                   partial(guarded, check_cast, build, mode, "float32", to, False))
        for name in (*FLOAT8, "float4_e2m1fn", "float8_e8m0fnu", "bfloat16", "float16", *NARROW):
            yield f"constant {name} {mode}", partial(guarded, check_constant, build, mode, name)
        for name in (*FLOAT8, "float4_e2m1fn", *NARROW, "int8"):
            yield f"quantize {name} {mode}", partial(guarded, check_quantize, build, mode, name)


def main():
    args = suite.make_parser(__doc__).parse_args()
    return suite.run(make_checks(args.build.resolve()), args, "element types")


if __name__ == "__main__":
    sys.exit(main())
