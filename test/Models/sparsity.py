#!/usr/bin/env python3
"""Models whose weights are mostly zero: the sparse kernels on all ways to run them, and how much they store.

    test/Models/sparsity.py --build build/release             everything
    test/Models/sparsity.py --build build/release conv rpi4   only checks with all these words in their name

Each model is compiled with --sparse=always and compared with what ONNX Runtime computes; leafc compress prunes
mnist_cnn in all patterns. Prints FAIL: lines and closes with: N passed, N failed, N skipped.
"""
import re
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent))
import suite  # noqa: E402

try:
    import numpy as np
    import onnx
    import onnxruntime
    from onnx import helper, numpy_helper

    import compression
except ImportError:
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)

WAYS = {"jit": [], "library": ["--emit=lib"], "c gcc": ["--emit=c", "--compiler=gcc"],
        "c clang": ["--emit=c", "--compiler=clang"],
        "v2": ["--target=x86-64-v2"], "v3 c": ["--target=x86-64-v3", "--emit=c"],
        "levels": ["--target=x86-64-v2,x86-64-v4", "--emit=lib"],
        "threads": ["--max-threads=3", "--threads=3"],
        "rpi4": ["--target=rpi4", "--emit=lib"], "rpi4 c": ["--target=rpi4", "--emit=c"],
        "rpi3-32": ["--target=rpi3-32", "--emit=lib"], "cortex-m4": ["--target=cortex-m4", "--emit=lib"],
        "generic c": ["--target=generic", "--emit=c"]}
# What runs every way: all roles of rows, odd sizes, blocks. The others run in this process and as C.
EVERY_WAY = ("matmul_odd", "matmul_row", "conv_3x3_strided", "matmul_blocks")


def mask(shape, density, block=1):
    """Which elements of a [K, N] matrix stay: blocks of neighbours in N."""
    rng = np.random.default_rng(7)
    return np.repeat(rng.random((shape[0], -(-shape[1] // block))) < density, block, axis=1)[:, :shape[1]]


def matmul(rows, depth, columns, density, block=1, pattern=None, dims=None):
    """x @ W + bias with relu; a number of rows is a size, or a list of leading sizes."""
    rng = np.random.default_rng(3)
    weight = rng.standard_normal((depth, columns)).astype(np.float32)
    weight = weight * (pattern if pattern is not None else mask(weight.shape, density, block))
    shape = [*(rows if isinstance(rows, list) else [rows]), depth]
    nodes = [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("Add", ["m", "b"], ["s"]),
             helper.make_node("Relu", ["s"], ["y"])]
    return nodes, {"w": weight, "b": rng.standard_normal(columns).astype(np.float32)}, shape, dims


def conv(inputs, outputs, size, kernel, density, residual=False, block=1, **attributes):
    """A convolution; its result is added to its input with `residual`."""
    rng = np.random.default_rng(3)
    taps = int(np.prod(kernel))
    weight = rng.standard_normal((taps * inputs, outputs)).astype(np.float32)
    weight = weight * mask(weight.shape, density, block)
    weight = np.ascontiguousarray(weight.reshape(*kernel, inputs, outputs).transpose(-1, -2, *range(len(kernel))))
    nodes = [helper.make_node("Conv", ["x", "w", "b"], ["c"], **attributes)]
    nodes += [helper.make_node("Add", ["c", "x"], ["y"])] if residual else [helper.make_node("Clip", ["c"], ["y"])]
    return nodes, {"w": weight, "b": rng.standard_normal(outputs).astype(np.float32)}, [1, inputs, *size], None


def n_of_m(depth, columns, kept, group):
    """`kept` of each `group` rows of a column."""
    order = np.random.default_rng(5).random((depth // group, group, columns)).argsort(axis=1)
    return (order < kept).reshape(depth, columns)


def deep_chain():
    """Two products with an activation of many operations between them, and a layer norm's reductions behind."""
    nodes, weights, shape, _ = matmul(48, 96, 64, 0.2)
    nodes = [*nodes[:2], helper.make_node("Erf", ["s"], ["e"]), helper.make_node("Mul", ["e", "s"], ["g"]),
             helper.make_node("MatMul", ["g", "w2"], ["h"]), helper.make_node("Softmax", ["h"], ["y"])]
    second = np.random.default_rng(9).standard_normal((64, 40)).astype(np.float32)
    return nodes, {**weights, "w2": second * mask(second.shape, 0.2)}, shape, None


CASES = {
    "matmul_odd": lambda: matmul(37, 301, 83, 0.2), "matmul_row": lambda: matmul(1, 301, 83, 0.2),
    "matmul_long_row": lambda: matmul(1, 3000, 70, 0.1), "matmul_rows": lambda: matmul(3, 301, 83, 0.2),
    "matmul_few": lambda: matmul(5, 64, 33, 0.3), "matmul_wide": lambda: matmul(20, 64, 2100, 0.1),
    "matmul_blocks": lambda: matmul(40, 270, 84, 0.2, block=4), "row_blocks": lambda: matmul(1, 270, 96, 0.2, block=16),
    "matmul_2to4": lambda: matmul(64, 128, 48, 0.5, pattern=n_of_m(128, 48, 2, 4)),
    "matmul_empty": lambda: matmul(16, 64, 32, 0.0), "matmul_batch": lambda: matmul([2, 3, 7], 40, 24, 0.2),
    "matmul_dynamic": lambda: matmul(["n"], 100, 50, 0.2, dims=("n", 23, 60)),
    "conv_1x1": lambda: conv(64, 48, [9, 11], [1, 1], 0.15, kernel_shape=[1, 1]),
    "conv_3x3": lambda: conv(24, 40, [13, 10], [3, 3], 0.1, pads=[1, 1, 1, 1]),
    "conv_3x3_strided": lambda: conv(19, 35, [14, 15], [3, 3], 0.2, strides=[2, 2], pads=[1, 1, 1, 1]),
    "conv_dilated": lambda: conv(16, 24, [12, 12], [3, 3], 0.2, dilations=[2, 2], pads=[2, 2, 2, 2]),
    "conv_residual": lambda: conv(32, 32, [7, 7], [3, 3], 0.15, residual=True, pads=[1, 1, 1, 1]),
    "conv_1d": lambda: conv(20, 28, [50], [5], 0.2, pads=[2, 2]), "chain": deep_chain,
}


def write(folder, nodes, weights, shape, dims):
    """case.onnx and case.npz with ONNX Runtime's results."""
    x = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)
    y = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "case", [x], [y], [numpy_helper.from_array(v, k) for k, v in weights.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, folder / "case.onnx")
    sizes = [dims[1] if isinstance(size, str) else size for size in shape]
    data = np.random.default_rng(1).standard_normal(sizes).astype(np.float32)
    session = onnxruntime.InferenceSession(str(folder / "case.onnx"), providers=["CPUExecutionProvider"])
    np.savez(folder / "case.npz", **{"in:x": data, "out:y": session.run(None, {"x": data})[0]})
    return [f"--dim={dims[0]}<={dims[2]}"] if dims else []


def agrees(leafc, case, flags):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return suite.verify_case(leafc, folder, ["--sparse=always", *write(folder, *CASES[case]()), *flags])


def compiled(leafc, folder, *flags):
    """What compiling case.onnx printed."""
    return subprocess.run([leafc, "compile", folder / "case.onnx", "-o", folder / "out", *flags], capture_output=True,
                          text=True, timeout=120, check=True).stdout


def stores(leafc, rows, depth, most):
    """At 90 % zeros weights take at most `most` of their dense bytes, by choice of the cost model."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, *matmul(rows, depth, 1024, 0.1))
        texts = {mode: compiled(leafc, folder, f"--sparse={mode}") for mode in ("auto", "off")}
        size = {mode: int(re.search(r"weights +([\d,]+)", text)[1].replace(",", "")) for mode, text in texts.items()}
    return "" if size["auto"] <= most * size["off"] else f"{size['auto']} of {size['off']} bytes"


def left_dense(leafc):
    """Where dense is faster the weight stays, and the summary says so."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, *matmul(64, 64, 64, 0.6))
        text = compiled(leafc, folder)
    return "" if "40 % zeros, dense: dense is faster by the cost model" in text else text


# -- compress ----------------------------------------------------------------------------------------------------------

PATTERNS = {"unstructured": ["--sparsify=0.8"], "per layer": ["--sparsify=0.8", "--sparsity-scope=layer"],
            "2:4": ["--pattern=2:4"], "4:8": ["--pattern=4:8"], "block4x1": ["--sparsify=0.75", "--pattern=block4x1"],
            "channel": ["--sparsify=0.5", "--pattern=channel"],
            "int8": ["--sparsify=0.8", "--quantize=int8-weights"]}
MODEL = compression.model_path("mnist_cnn")


def compress(leafc, folder, *flags):
    """The rows of the report, the lines about pruned layers, and the path of the result."""
    calibration, evaluation = compression.mnist(1000)
    np.savez(folder / "cal.npz", **calibration)
    np.savez(folder / "eval.npz", **evaluation)
    code, text = compression.leafc(leafc, "compress", MODEL, "-o", folder / "out.onnx", f"--eval={folder / 'eval.npz'}",
                                   f"--report={folder / 'report.tsv'}", *flags)
    if code:
        raise OSError(text)
    lines = [line.split("\t") for line in (folder / "report.tsv").read_text().splitlines()]
    rows = [dict(zip(lines[0], line)) for line in lines[1:] if line[0] not in ("pruned", "float")]
    return rows, [line[1:] for line in lines if line[0] == "pruned"], folder / "out.onnx"


def matrices(path):
    """Weights of the layers as [outputs][columns], input channels innermost."""
    model = onnx.load(path)
    values = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
    constants = [node for node in model.graph.node if node.op_type == "Constant"]
    values |= {node.output[0]: numpy_helper.to_array(node.attribute[0].t) for node in constants}
    for node in model.graph.node:
        if node.op_type == "Conv":
            weight = values[node.input[1]] if node.input[1] in values else None
            yield None if weight is None else np.moveaxis(weight, 1, -1).reshape(len(weight), -1)
        elif node.op_type in ("Gemm", "MatMul"):
            transposed = any(a.name == "transB" and a.i for a in node.attribute)
            weight = values.get(node.input[1])
            yield None if weight is None else weight if transposed else weight.T


def fits(weight, pattern):
    """Whether zeros lie as the pattern says."""
    if ":" in pattern:
        kept, group = map(int, pattern.split(":"))
        columns = weight.shape[1] // group * group
        return ((weight[:, :columns].reshape(len(weight), -1, group) != 0).sum(-1) <= kept).all()
    if pattern == "block4x1" and len(weight) % 4 == 0:
        blocks = (weight.reshape(-1, 4, weight.shape[1]) != 0).sum(1)
        return ((blocks == 0) | (blocks == 4)).all()
    return True


def compressed(leafc, pattern):
    """What is written has its zeros where they belong, and computes elsewhere what leafc compiles of it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows, pruned, path = compress(leafc, folder, *PATTERNS[pattern])
        weights = [w for w in matrices(path) if w is not None and w.size >= 1024]
        if pattern == "channel":
            if int(rows[1]["weights"]) > 0.35 * int(rows[0]["weights"]):
                return f"weights shrank from {rows[0]['weights']} to {rows[1]['weights']} only"
        elif len(pruned) != 2 or (pattern != "int8" and not all(fits(w, pattern) for w in weights)):
            return f"pruned {pruned}, of {[w.shape for w in weights]}"
        zeros = sum(float(line[1]) for line in pruned)
        if pattern in ("2:4", "4:8", "per layer") and abs(zeros - (1.6 if pattern == "per layer" else 1)) > 0.01:
            return f"zeros: {pruned}"
        inputs, _ = compression.reference("mnist_cnn")
        outputs = compression.session(path, optimized=False).run(None, inputs)
        np.savez(folder / "case.npz", **{f"in:{k}": v for k, v in inputs.items()}, **{"out:logits": outputs[0]})
        path.rename(folder / "case.onnx")
        return suite.verify_case(leafc, folder, ["--sparse=always", f"--dim=batch={len(outputs[0])}"])


def accuracy(leafc, method):
    """Half of the weights gone, at most half a point of accuracy is."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows, _, _ = compress(leafc, folder, "--sparsify=0.5", f"--method={method}",
                              f"--calibration={folder / 'cal.npz'}")
    lost = float(rows[0]["top1"]) - float(rows[1]["top1"])
    return "" if lost <= 0.5 else f"lost {lost} points"


def loses_less(leafc):
    """The second order loses less of each layer's result than magnitude."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        losses = {}
        for method in ("magnitude", "obs"):
            _, pruned, _ = compress(leafc, folder, "--sparsify=0.8", "--sparsity-scope=layer", f"--method={method}",
                                    f"--calibration={folder / 'cal.npz'}")
            losses[method] = [float(line[2]) for line in pruned]
    worse = [(m, o) for m, o in zip(losses["magnitude"], losses["obs"]) if o >= m]
    return f"magnitude and obs: {worse}" if worse else ""


def given_patterns(leafc):
    """A mask and a density; what does not fit is an error."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        weight = list(matrices(MODEL))[-1]
        keep = (np.arange(weight.size).reshape(weight.shape) % 3 == 0).astype(np.uint8)
        np.savez(folder / "pattern.npz", **{"/f1/Gemm": np.float32(0.1), "/f2/Gemm": keep})
        _, pruned, _ = compress(leafc, folder, f"--sparsity-pattern={folder / 'pattern.npz'}")
        if [(line[0], round(float(line[1]), 2)) for line in pruned] != [("/f1/Gemm", 0.9), ("/f2/Gemm", 0.67)]:
            return f"pruned {pruned}"
        for key, array, message in (("/f1/Gemm", keep, "neither the weight's shape nor one element"),
                                    ("nobody", keep, "neither a weight nor a node"),
                                    ("/f1/Gemm", np.float32(2), "is not between 0 and 1")):
            np.savez(folder / "pattern.npz", **{key: array})
            try:
                compress(leafc, folder, f"--sparsity-pattern={folder / 'pattern.npz'}")
                return f"no error: {message}"
            except OSError as error:
                if message not in str(error):
                    return str(error)
    return ""


def max_drop(leafc):
    """The most sensitive layers stay dense until the loss is within bounds."""
    with tempfile.TemporaryDirectory() as name:
        rows, pruned, _ = compress(leafc, Path(name), "--sparsify=0.9", "--sparsity-scope=layer", "--max-drop=1%")
    lost = float(rows[0]["top1"]) - float(rows[1]["top1"])
    return "" if lost <= 1 and len(pruned) == 1 else f"lost {lost} points with {pruned}"


def automatic_pads(leafc):
    """The second order reads the same patches whether pads are given or follow from auto_pad."""
    found = []
    for pads in ({"pads": [1, 1, 1, 1]}, {"auto_pad": "SAME_UPPER"}):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            nodes, weights, shape, _ = conv(16, 24, [11, 14], [3, 3], 1, strides=[2, 1], **pads)
            write(folder, nodes, weights, shape, None)
            np.savez(folder / "cal.npz", x=np.random.default_rng(2).standard_normal([8, *shape]).astype(np.float32))
            code, text = compression.leafc(leafc, "compress", folder / "case.onnx", "-o", folder / "out.onnx",
                                           "--sparsify=0.7", "--method=obs", f"--calibration={folder / 'cal.npz'}",
                                           f"--report={folder / 'report.tsv'}")
            if code:
                return text
            lines = (folder / "report.tsv").read_text().splitlines()
            found.append([line for line in lines if line.startswith("pruned")])
    return "" if found[0] == found[1] and found[0] else f"{found}"


def quantized(leafc):
    """Bytes are multiplied dense, as fast as without zeros, and the zeros are still there."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        calibration, _ = compression.mnist(100)
        np.savez(folder / "cal.npz", **calibration)
        text = subprocess.run([leafc, "compile", MODEL, "-o", folder / "out", "--sparsify=0.9", "--quantize=int8",
                               f"--calibration={folder / 'cal.npz'}", "--target=x86-64-v4"],
                              capture_output=True, text=True, timeout=120, check=True).stdout
    return "" if "% zeros, dense: products of bytes are faster dense" in text else text


def all_checks(leafc):
    for case in CASES:
        for way in WAYS if case in EVERY_WAY else ("jit", "c gcc"):
            yield f"{case} {way}", partial(agrees, leafc, case, WAYS[way])
    for pattern in PATTERNS:
        yield f"compress {pattern}", partial(compressed, leafc, pattern)
    for method in ("magnitude", "obs"):
        yield f"accuracy {method}", partial(accuracy, leafc, method)
    yield "obs loses less", partial(loses_less, leafc)
    yield "masks", partial(given_patterns, leafc)
    yield "auto pad", partial(automatic_pads, leafc)
    yield "int8 stays dense", partial(quantized, leafc)
    yield "max drop", partial(max_drop, leafc)
    yield "stored row", partial(stores, leafc, 1, 3000, 0.16)
    yield "stored rows", partial(stores, leafc, 64, 512, 0.16)
    yield "left dense", partial(left_dense, leafc)


if __name__ == "__main__":
    arguments = suite.make_parser(__doc__).parse_args()
    sys.exit(suite.run(all_checks(suite.leafc_of(arguments)), arguments, "sparsity"))
