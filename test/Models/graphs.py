#!/usr/bin/env python3
"""Small graphs whose nodes are computed together, against ONNX Runtime, as machine code and as C.

    test/Models/graphs.py --build build/release                  all
    test/Models/graphs.py --build build/release winograd c       only checks with all these words in their name

Each case is what a rewrite of the compiler is for, at sizes where it could go wrong: images that tiles don't divide,
channels that vectors don't, sizes known only at run time. Prints FAIL: lines and closes with: N passed, N failed, N
skipped.
"""
import sys
import tempfile
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import suite  # noqa: E402

try:
    import numpy as np
    import onnx
    import onnxruntime
    from onnx import helper, numpy_helper
except ImportError:
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)

OPSET = 17
EMISSIONS = {"jit": ["--emit=jit"], "c": ["--emit=c"], "generic": ["--emit=c", "--target=x86-64-v2"],
             "threads": ["--emit=jit", "--threads=2"]}


class Graph:
    """A graph while it is built; values are names, random weights come from one seed."""

    def __init__(self):
        self.rng = np.random.default_rng(0)
        self.nodes, self.weights, self.inputs, self.flags = [], [], {}, []

    def input(self, *shape, open_dims=()):
        """An input; `open_dims` maps positions to names of dimensions that are open in the model."""
        name = f"x{len(self.inputs)}"
        self.inputs[name] = (self.rng.standard_normal(shape).astype(np.float32), dict(open_dims))
        return name

    def weight(self, *shape, scale=None, dtype=np.float32):
        """A weight, by default scaled so that sums of products keep the size of their inputs."""
        fan = int(np.prod(shape[1:])) if len(shape) > 1 else 1
        array = self.rng.standard_normal(shape) * (scale or 1 / np.sqrt(fan))
        self.weights.append(numpy_helper.from_array(array.astype(dtype), f"w{len(self.weights)}"))
        return self.weights[-1].name

    def node(self, kind, *inputs, **attributes):
        """Adds an operator with one result."""
        name = f"{kind}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name, **attributes))
        return name

    def conv(self, x, inputs, outputs, kernel=3, group=1, **attributes):
        """A convolution with a bias, padded to keep its size unless told otherwise."""
        attributes.setdefault("pads", [kernel // 2] * 4)
        return self.node("Conv", x, self.weight(outputs, inputs // group, kernel, kernel), self.weight(outputs),
                         group=group, **attributes)

    def write(self, outputs, folder):
        """The model and its reference."""
        inputs = []
        for name, (array, open_dims) in self.inputs.items():
            shape = [open_dims.get(i, size) for i, size in enumerate(array.shape)]
            inputs.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape))
        graph = helper.make_graph(self.nodes, "case", inputs, [onnx.ValueInfoProto(name=name) for name in outputs],
                                  self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
        onnx.save(onnx.shape_inference.infer_shapes(model), folder / "case.onnx")
        arrays = {name: array for name, (array, _) in self.inputs.items()}
        session = onnxruntime.InferenceSession(folder / "case.onnx", providers=["CPUExecutionProvider"])
        results = session.run(None, arrays)
        np.savez(folder / "case.npz", **{f"in:{name}": array for name, array in arrays.items()},
                 **{f"out:{name}": array for name, array in zip(outputs, results)})


def winograd(size, inputs=16, outputs=16, batch=1, tile="f4"):
    """A 3x3 convolution by Winograd's filtering."""
    def build(graph):
        x = graph.input(batch, inputs, *size)
        graph.flags = [f"--winograd={tile}", "--weight-growth=1000"]
        return [graph.node("Relu", graph.conv(x, inputs, outputs))]
    return build


def winograd_residual(graph):
    """The sum may lie in the memory of the convolution's other operand."""
    x = graph.conv(graph.input(1, 16, 11, 9), 16, 16, kernel=1)
    graph.flags = ["--weight-growth=1000"]
    y = graph.conv(graph.node("Relu", x), 16, 16)
    return [graph.node("Sigmoid", graph.node("Add", y, x))]


def winograd_open(size):
    """Sizes that are known only at run time, down to less than a tile."""
    def build(graph):
        x = graph.input(1, 8, *size, open_dims={2: "h", 3: "w"})
        graph.flags = ["--weight-growth=1000", "--dim=h<=40", "--dim=w<=48"]
        return [graph.conv(x, 8, 24)]
    return build


def halos(graph):
    """Padded buffers that several readers share: two paddings of one value, a sum, a pool, an output."""
    graph.flags = ["--winograd=off"]
    x = graph.node("Relu", graph.conv(graph.input(1, 6, 14, 11), 6, 20, kernel=1))
    y = graph.node("Relu", graph.conv(x, 20, 20, group=20))
    z = graph.conv(x, 20, 20, kernel=5, group=4)
    pooled = graph.node("MaxPool", x, kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2])
    total = graph.node("Add", graph.node("Add", y, z), x)
    return [graph.conv(graph.conv(total, 20, 9, kernel=1), 9, 7, strides=[2, 2]), graph.conv(pooled, 20, 3), total]


def halos_reshaped(graph):
    """A value that is also read as a matrix cannot lie in a padded buffer."""
    x = graph.node("Relu", graph.conv(graph.input(1, 3, 8, 8), 3, 8))
    return [graph.conv(x, 8, 8), graph.node("Softmax", graph.node("Flatten", x), axis=1)]


def split_concat(graph):
    """Parts of a value that are read where they lie, and parts of another one written there: all of a split beside a
    branch, parts in another order, one part twice, narrow ones, and a part that is also padded and an output."""
    x = graph.node("Relu", graph.conv(graph.input(1, 6, 11, 9), 6, 48, kernel=1))
    graph.nodes.append(helper.make_node("Split", [x], ["low", "high"], "parts", axis=1))
    y = graph.node("Relu", graph.conv("high", 24, 24))
    joined = graph.node("Concat", "low", "high", y, axis=1)
    swapped = graph.node("Concat", "high", y, "low", "high", axis=1)
    narrow = graph.node("Concat", graph.conv(y, 24, 3), y, axis=1)
    pooled = graph.node("MaxPool", "low", kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    rows = graph.node("Concat", pooled, y, axis=2)
    return [graph.conv(joined, 72, 20, kernel=1), graph.conv(swapped, 96, 18), graph.conv(narrow, 27, 8), y,
            graph.conv(rows, 24, 5)]


def rows_through_cache(strides, pads):
    """A depthwise convolution and the pointwise one that alone reads it go row by row; the sum may lie in place."""
    def build(graph):
        x = graph.node("Relu", graph.conv(graph.input(1, 5, 104, 60), 5, 96, kernel=1))
        y = graph.node("Clip", graph.conv(x, 96, 96, group=96, strides=strides, pads=pads))
        z = graph.conv(y, 96, 27, kernel=1, pads=[0] * 4)
        pooled = graph.node("AveragePool", x, kernel_shape=[3, 3], strides=strides, pads=pads)
        return [graph.node("Add", z, graph.conv(pooled, 96, 27, kernel=1, pads=[0] * 4))]
    return build


def long_reductions(rows):
    """Products whose panels exceed the first level cache, with a residual and columns left over."""
    def build(graph):
        x = graph.input(rows, 640, open_dims={} if rows != 61 else {0: "m"})
        graph.flags = ["--dim=m<=80"] if rows == 61 else []
        y = graph.node("Add", graph.node("MatMul", x, graph.weight(640, 640)), x)
        return [graph.node("Sigmoid", graph.node("MatMul", y, graph.weight(640, 75, scale=0.05)))]
    return build


def rows(size, **attributes):
    """Rows of an image that fill no register tile: products walk over several of them at once."""
    def build(graph):
        x = graph.node("Relu", graph.conv(graph.input(2, 8, *size), 8, 64, kernel=1))
        y = graph.conv(x, 64, 40, kernel=1, pads=[0] * 4, **attributes)
        z = graph.conv(graph.node("Relu", y), 40, 24, pads=[2, 1, 1, 1])
        return [graph.node("Add", graph.node("MaxPool", y, kernel_shape=[1, 1]), y), z]
    return build


def precision(name):
    """Weights in 16 bits, in a convolution, a depthwise one, a product of many rows and of one."""
    def build(graph):
        graph.flags = [f"--precision={name}", f"--tolerance={0.002 if name == 'f16' else 0.016}"]
        x = graph.node("Relu", graph.conv(graph.input(1, 6, 9, 10), 6, 20))
        x = graph.node("GlobalAveragePool", graph.conv(x, 20, 20, group=20))
        return [graph.node("Gemm", graph.node("Flatten", x), graph.weight(20, 33)),
                graph.node("MatMul", graph.input(7, 40), graph.weight(40, 33))]
    return build


def embeddings(name):
    """Tables in 16 bits that Gather reads, one of them a factor, too, and a factor stored as float16."""
    def build(graph):
        graph.flags = [f"--precision={name}", f"--tolerance={0.002 if name == 'f16' else 0.016}"]
        table = graph.weight(40, 37)
        tokens = graph.node("Cast", graph.node("Abs", graph.input(2, 9)), to=onnx.TensorProto.INT64)
        rows = graph.node("Gather", table, tokens)
        x = graph.node("Add", rows, graph.node("Gather", graph.weight(12, 37), tokens))
        half = graph.node("Cast", graph.weight(37, 35, dtype=np.float16), to=onnx.TensorProto.FLOAT)
        back = graph.node("Transpose", table, perm=[1, 0])
        return [rows, graph.node("MatMul", x, half), graph.node("MatMul", x, back)]
    return build


def transposed(shape, perm, open_dims=()):
    """A transposition alone, with arithmetic on both sides, and of bytes."""
    def build(graph):
        x = graph.input(*shape, open_dims=open_dims)
        graph.flags = [f"--dim={name}<={shape[axis] + 3}" for axis, name in dict(open_dims).items()]
        y = graph.node("Transpose", graph.node("Neg", x), perm=perm)
        narrow = graph.node("Transpose", graph.node("Cast", x, to=onnx.TensorProto.INT8), perm=perm)
        scaled = graph.node("Mul", y, graph.weight(shape[perm[-1]]))
        return [y, graph.node("Transpose", x, perm=perm), graph.node("Cast", narrow, to=onnx.TensorProto.FLOAT), scaled]
    return build


def keys(rows, columns, depth, open_dims=()):
    """Queries by keys that are no constants: the columns of the product lie along its sums."""
    def build(graph):
        graph.flags = [f"--dim={name}<={(columns, depth)[axis] + 5}" for axis, name in dict(open_dims).items()]
        x = graph.input(rows, depth, open_dims={1: dict(open_dims)[1]} if 1 in dict(open_dims) else ())
        y = graph.input(columns, depth, open_dims=open_dims)
        heads = graph.node("Transpose", graph.input(2, columns, 3, depth), perm=[0, 2, 3, 1])
        return [graph.node("Gemm", x, y, transB=1), graph.node("MatMul", graph.input(2, 3, rows, depth), heads)]
    return build


def attention(queries, keys, heads, depth, mask=None):
    """Softmax between two products, whose scores exceed the cache: `mask` is a shape that is added to them."""
    def build(graph):
        def split(x, length, perm):
            shape = numpy_helper.from_array(np.array([1, length, -1, depth], np.int64), f"shape{len(graph.weights)}")
            graph.weights.append(shape)
            return graph.node("Transpose", graph.node("Reshape", x, shape.name), perm=perm)
        q = split(graph.input(1, queries, heads * depth), queries, [0, 2, 1, 3])
        k = split(graph.input(1, keys, heads * depth), keys, [0, 2, 3, 1])
        v = split(graph.input(1, keys, heads * depth), keys, [0, 2, 1, 3])
        scores = graph.node("Mul", graph.node("MatMul", q, k), graph.weight(1, scale=0.2))
        if mask:
            scores = graph.node("Add", scores, graph.input(*mask) if mask[-2] == 1 else graph.weight(*mask))
        sums = graph.node("MatMul", graph.node("Softmax", scores, axis=-1), v)
        return [graph.node("Transpose", sums, perm=[0, 2, 1, 3])]
    return build


CASES = {
    "attention": attention(136, 136, 4, 16),
    "attention masked": attention(144, 160, 3, 24, (1, 1, 1, 160)),
    "attention causal": attention(256, 272, 2, 33, (256, 272)),
    "attention one head": attention(640, 300, 1, 16),
    "attention prime": attention(263, 257, 1, 20, (263, 257)),
    "keys": keys(16, 64, 32),
    "keys odd": keys(9, 37, 21),
    "keys short": keys(17, 11, 5),
    "keys open": keys(20, 40, 33, open_dims={0: "n"}),
    "keys open depth": keys(20, 40, 33, open_dims={0: "n", 1: "k"}),
    "transposed two": transposed((1, 2, 9, 11), (0, 2, 3, 1)),
    "transposed three": transposed((2, 3, 16, 20), (0, 2, 3, 1)),
    "transposed four": transposed((1, 4, 5, 13), (0, 2, 3, 1)),
    "transposed five": transposed((1, 5, 10, 10), (0, 2, 3, 1)),
    "transposed back": transposed((1, 10, 9, 3), (0, 3, 1, 2)),
    "transposed square": transposed((24, 40), (1, 0)),
    "transposed ends": transposed((19, 3, 37), (2, 1, 0)),
    "transposed heads": transposed((1, 12, 17, 16), (0, 2, 1, 3)),
    "transposed open": transposed((21, 27), (1, 0), open_dims={0: "a", 1: "b"}),
    "precision f16": precision("f16"),
    "precision bf16": precision("bf16"),
    "embeddings f16": embeddings("f16"),
    "embeddings bf16": embeddings("bf16"),
    "long reductions": long_reductions(131),
    "long reductions open": long_reductions(61),
    "split concat": split_concat,
    "rows through the cache": rows_through_cache([1, 1], [1, 1, 1, 1]),
    "rows through the cache strided": rows_through_cache([2, 1], [0, 1, 1, 0]),
    "rows of seven": rows((7, 7)),
    "rows of seven strided": rows((14, 13), strides=[2, 2]),
    "rows of three": rows((5, 3)),
    "halos": halos,
    "halos reshaped": halos_reshaped,
    "winograd divides": winograd((16, 8)),
    "winograd ends": winograd((13, 7)),
    "winograd one": winograd((4, 4)),
    "winograd wide": winograd((9, 120), 24, 40),
    "winograd narrow": winograd((30, 5), 20, 12),
    "winograd odd": winograd((14, 14), 13, 37),
    "winograd deep": winograd((7, 7), 160, 288),
    "winograd batch": winograd((10, 10), batch=3),
    "winograd f2": winograd((13, 7), 20, 24, tile="f2"),
    "winograd f2 even": winograd((12, 2), tile="f2"),
    "winograd residual": winograd_residual,
    "winograd open": winograd_open((37, 45)),
    "winograd open small": winograd_open((3, 2)),
    "winograd open one": winograd_open((1, 17)),
}


def check(leafc, build, flags):
    """An error text; empty when both agree."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        graph = Graph()
        graph.write(build(graph), folder)
        return suite.verify_case(leafc, folder, [*flags, *graph.flags])


def main():
    """Runs the checks that were asked for."""
    args = suite.make_parser(__doc__).parse_args()
    leafc = suite.leafc_of(args)
    checks = [(f"{case} {emission}", partial(check, leafc, build, flags))
              for case, build in CASES.items() for emission, flags in EMISSIONS.items()]
    return suite.run(checks, args, "graph")


if __name__ == "__main__":
    sys.exit(main())
