#!/usr/bin/env python3
"""Integer kernels against exact integer arithmetic, on values at the ends of their ranges.

    test/Models/integers.py --build build/release            all
    test/Models/integers.py --build build/release conv c     only checks with all these words in their name

Each case is a model of one product or convolution, between quantized tensors (QuantizeLinear, DequantizeLinear), or by
MatMulInteger, ConvInteger. Half of all data are the least and the largest numbers of their type. The reference is
computed here in 64-bit integers and float64. Scales are powers of two, so that the floats of the model are exact, or
("scales") any numbers by which no result lies near a tie: equality is asked for. Prints FAIL: lines and closes with:
N passed, N failed, N skipped.
"""
import itertools
import shutil
import sys
import tempfile
import zlib
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import suite  # noqa: E402

try:
    import numpy as np
    import onnx
    from onnx import helper, numpy_helper
except ImportError:
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)

OPSET = 17
# Four roundings of float32, relative to 128 codes.
TIE = 128 * 4 * 2.0 ** -24
TYPES = {"u8": np.uint8, "s8": np.int8}

# rows, depth, columns of a product
PRODUCTS = {"row": (1, 64, 40), "thin": (7, 3, 5), "odd": (13, 37, 33), "wide": (33, 128, 64), "tiles": (67, 192, 70)}
# height, width, channels, channels of the result, kernel, stride, padding, dilation, groups
CONVOLUTIONS = {
    "stem": (9, 9, 3, 16, 3, 2, 1, 1, 1), "one": (8, 8, 1, 8, 3, 1, 1, 1, 1), "pair": (6, 6, 2, 6, 3, 1, 1, 1, 1),
    "pointwise": (7, 9, 24, 36, 1, 1, 0, 1, 1), "deep": (14, 14, 64, 64, 3, 1, 1, 1, 1),
    "strided": (15, 16, 32, 48, 3, 2, 1, 1, 1), "dilated": (9, 9, 8, 8, 3, 1, 2, 2, 1),
    "grouped": (6, 6, 8, 12, 3, 1, 1, 1, 2), "depthwise": (10, 10, 40, 40, 3, 1, 1, 1, 40),
    "depthwise5": (11, 11, 19, 19, 5, 2, 2, 1, 19),
}
I8MM = ["--triple=aarch64-linux-gnu", "--mcpu=neoverse-v1"]
EMISSIONS = {
    "jit": ["--emit=jit"], "lib": ["--emit=lib"], "c": ["--emit=c"], "c clang": ["--emit=c", "--compiler=clang-22"],
    "v3": ["--emit=lib", "--target=x86-64-v3"], "v3 c": ["--emit=c", "--target=x86-64-v3"],
    "v2": ["--emit=lib", "--target=x86-64-v2"], "generic c": ["--emit=c", "--target=generic"],
    "rpi4": ["--emit=lib", "--target=rpi4"], "rpi4 c": ["--emit=c", "--target=rpi4"],
    "rpi5": ["--emit=lib", "--target=rpi5"], "rpi5 c": ["--emit=c", "--target=rpi5"],
    "i8mm": ["--emit=lib", *I8MM], "i8mm c": ["--emit=c", *I8MM],
    "armv7": ["--emit=lib", "--target=rpi3-32"], "armv7 c": ["--emit=c", "--target=rpi3-32"],
    "m4": ["--emit=lib", "--target=cortex-m4"], "m4 c": ["--emit=c", "--target=cortex-m4"],
    "m7": ["--emit=lib", "--target=cortex-m7"], "m33": ["--emit=lib", "--target=cortex-m33"],
    "m55": ["--emit=lib", "--target=cortex-m55"], "m55 c": ["--emit=c", "--target=cortex-m55"],
}
# In the quick run foreign targets do a few cases each.
FEW = {"product odd u8", "product tiles s8", "convolution stem u8", "convolution deep s8", "convolution depthwise u8"}


def edges(rng, dtype, shape):
    """Random numbers of `dtype`, half of them at an end of its range."""
    info = np.iinfo(dtype)
    ends = rng.choice([info.min, info.max], shape)
    return np.where(rng.random(shape) < 0.5, ends, rng.integers(info.min, info.max + 1, shape)).astype(dtype)


def convolve(x, w, case):
    """Sums of products in NCHW of int64 `x`, padded already, and `w`."""
    _, _, _, outs, kernel, stride, _, dilation, groups = case
    reach = (kernel - 1) * dilation
    rows, columns = ((size - reach - 1) // stride + 1 for size in x.shape[2:])
    result = np.zeros((1, outs, rows, columns), np.int64)
    inner, each = w.shape[1], outs // groups
    for ky, kx in itertools.product(range(kernel), repeat=2):
        part = x[:, :, ky * dilation:, kx * dilation:][:, :, :rows * stride:stride, :columns * stride:stride]
        for g in range(groups):
            result[0, g * each:(g + 1) * each] += np.tensordot(
                w[g * each:(g + 1) * each, :, ky, kx], part[0, g * inner:(g + 1) * inner], 1)
    return result


class Case:
    """One model and its reference."""

    def __init__(self, name, kind, sizes, data, form):
        self.name, self.kind, self.sizes, self.form = name, kind, sizes, form
        self.rng = np.random.default_rng(zlib.crc32(name.encode()))
        self.dtype = TYPES[data]
        self.nodes, self.constants = [], []

    def constant(self, name, array):
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def node(self, kind, inputs, output, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [output], output, **attributes))
        return output

    def sums(self, x, w, zero):
        """The exact sums, with x less its zero point."""
        x = x.astype(np.int64) - int(zero)
        if self.kind == "product":
            return x @ w.astype(np.int64)
        pad = self.sizes[6]
        return convolve(np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad))), w.astype(np.int64), self.sizes)

    def attributes(self):
        if self.kind == "product":
            return {}
        _, _, _, _, kernel, stride, pad, dilation, groups = self.sizes
        return {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": [pad] * 4, "dilations": [dilation] * 2,
                "group": groups}

    def operands(self):
        if self.kind == "product":
            rows, depth, columns = self.sizes
            return (rows, depth), (depth, columns), columns, 1
        height, width, ins, outs, kernel, _, _, _, groups = self.sizes
        return (1, ins, height, width), (outs, ins // groups, kernel, kernel), outs, 0

    def build(self, folder):
        xs, ws, columns, axis = self.operands()
        x, w = edges(self.rng, self.dtype, xs), edges(self.rng, np.int8, ws)
        info = np.iinfo(self.dtype)
        zero = self.dtype(self.rng.choice([info.min, info.max, (info.min + info.max + 1) // 2]))
        sums = self.sums(x, w, zero)
        result = self.integer(w, zero, sums) if self.form == "integer" else self.quantized(w, zero, sums, columns, axis)
        graph = helper.make_graph(
            self.nodes, "case", [helper.make_tensor_value_info("x", helper.np_dtype_to_tensor_dtype(x.dtype), xs)],
            [helper.make_tensor_value_info("y", helper.np_dtype_to_tensor_dtype(result.dtype), result.shape)],
            self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
        onnx.save(model, folder / "case.onnx")
        np.savez(folder / "case.npz", **{"in:x": x, "out:y": result})

    def integer(self, w, zero, sums):
        kind = "MatMulInteger" if self.kind == "product" else "ConvInteger"
        self.node(kind, ["x", self.constant("w", w), self.constant("z", zero)], "y", **self.attributes())
        return sums.astype(np.int32)

    def result_scale(self, value, least):
        """A power of two, or another scale by which no value lies so near a tie that float32 may round it otherwise."""
        if self.form != "scales":
            return 2.0 ** np.ceil(np.log2(least))
        for factor in self.rng.uniform(1, 2, 1000):
            scale = float(np.float32(least * factor))
            if np.abs(np.abs(value / scale) % 1 - 0.5).min() > TIE:
                return scale
        raise AssertionError("every scale has a value near a tie")

    def quantized(self, w, zero, sums, columns, axis):
        """Dequantized operands, a bias, Relu where that is odd, and a result of the data's type."""
        float32 = np.float32
        draw = self.rng.uniform if self.form == "scales" else self.rng.integers
        scale = float(float32(2.0 ** -draw(3, 6)))
        scales = (2.0 ** -draw(4, 8, columns)).astype(float32)
        bias = self.rng.integers(-2000, 2000, columns).astype(np.int32)
        spread = float(np.abs(sums).max()) * scale * float(scales.max()) + 1
        shape = (1, -1) + (1, 1) if self.kind != "product" else (1, -1)
        value = (sums + bias.astype(np.int64).reshape(shape)) * (scale * scales.astype(np.float64)).reshape(shape)
        relu = columns % 2 == 1
        value = np.maximum(value, 0) if relu else value
        out_scale = self.result_scale(value, spread / 100)
        info = np.iinfo(self.dtype)
        out_zero = self.dtype(self.rng.choice([info.min, info.max, (info.min + info.max + 1) // 2]))
        result = np.clip(np.rint(value / out_scale) + int(out_zero), info.min, info.max).astype(self.dtype)
        self.node("DequantizeLinear", ["x", self.constant("sx", float32(scale)), self.constant("zx", zero)], "xf")
        self.node("DequantizeLinear", [self.constant("w", w), self.constant("sw", scales),
                                       self.constant("zw", np.zeros(columns, np.int8))], "wf", axis=axis)
        self.node("DequantizeLinear", [self.constant("b", bias), self.constant("sb", (scale * scales).astype(float32)),
                                       self.constant("zb", np.zeros(columns, np.int32))], "bf", axis=0)
        if self.kind == "product":
            self.node("Add", [self.node("MatMul", ["xf", "wf"], "p"), "bf"], "f")
        else:
            self.node("Conv", ["xf", "wf", "bf"], "f", **self.attributes())
        last = self.node("Relu", ["f"], "r") if relu else "f"
        self.node("QuantizeLinear", [last, self.constant("sy", float32(out_scale)), self.constant("zy", out_zero)], "y")
        return result


def check(leafc, case, flags):
    """An error text; empty when both agree."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        Case(*case).build(folder)
        return suite.verify_case(leafc, folder, flags)


def cases():
    for kind, table in (("product", PRODUCTS), ("convolution", CONVOLUTIONS)):
        for (name, sizes), data in itertools.product(table.items(), TYPES):
            for form in ("quantized", "scales", "integer"):
                yield f"{kind} {name} {data} {form}", kind, sizes, data, form


def is_available(emission):
    """Whether what the emission needs is installed."""
    needs = {"rpi4": "qemu-aarch64", "rpi5": "qemu-aarch64", "i8mm": "qemu-aarch64", "armv7": "qemu-arm",
             "clang": "clang-22", **dict.fromkeys(["m4", "m7", "m33", "m55"], "qemu-system-arm")}
    return all(shutil.which(tool) for word, tool in needs.items() if word in emission.split())


def main():
    """Runs the checks that were asked for."""
    parser = suite.make_parser(__doc__)
    parser.add_argument("--all", action="store_true", help="every case on every target")
    args = parser.parse_args()
    leafc = suite.leafc_of(args)
    checks = []
    for case, (emission, flags) in itertools.product(cases(), EMISSIONS.items()):
        if args.all or emission == "jit" or any(case[0].startswith(few) for few in FEW):
            run = partial(check, leafc, case, flags) if is_available(emission) else lambda: None
            checks.append((f"{case[0]} {emission}", run))
    return suite.run(checks, args, "integers")


if __name__ == "__main__":
    sys.exit(main())
