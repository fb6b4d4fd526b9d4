#!/usr/bin/env python3
"""Single operators against ONNX Runtime, as machine code and as C.

    test/Models/operators.py --build build/release           all
    test/Models/operators.py --build build/release lrn c     only checks with all these words in their name

A new operator gets its cases in CASES (docs/AddAnOp.md). Prints FAIL: lines and closes with: N passed, N failed, N
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
    from onnx import helper
except ImportError:
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)

OPSET = 17

# Name of the case, operator, shapes of its float inputs, attributes.
CASES = [
    ("lrn", "LRN", [(2, 7, 5, 3)], {"size": 5}),
    ("lrn power", "LRN", [(1, 8, 4, 4)], {"size": 3, "alpha": 0.5, "beta": 0.6, "bias": 2.0}),
    ("lrn wide", "LRN", [(1, 3, 6, 1)], {"size": 9, "alpha": 1.0}),
    ("log softmax", "LogSoftmax", [(3, 160)], {}),
    ("lrn one", "LRN", [(1, 4, 2, 2)], {"size": 1, "alpha": 1.0, "beta": 0.5}),
]
EMISSIONS = {"jit": ["--emit=jit"], "c": ["--emit=c"]}


def write_case(kind, shapes, attributes, folder):
    """A model of one node, and its reference on random inputs."""
    rng = np.random.default_rng(0)
    arrays = {f"x{i}": rng.standard_normal(shape).astype(np.float32) for i, shape in enumerate(shapes)}
    node = helper.make_node(kind, list(arrays), ["y"], kind, **attributes)
    inputs = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, array.shape)
              for name, array in arrays.items()]
    graph = helper.make_graph([node], "case", inputs, [onnx.ValueInfoProto(name="y")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    model = onnx.shape_inference.infer_shapes(model)
    onnx.save(model, folder / "case.onnx")
    result, = onnxruntime.InferenceSession(folder / "case.onnx", providers=["CPUExecutionProvider"]).run(None, arrays)
    np.savez(folder / "case.npz", **{f"in:{name}": array for name, array in arrays.items()}, **{"out:y": result})


def check(leafc, case, flags):
    """An error text; empty when both agree."""
    _, kind, shapes, attributes = case
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_case(kind, shapes, attributes, folder)
        return suite.verify_case(leafc, folder, flags)


def main():
    """Runs the checks that were asked for."""
    args = suite.make_parser(__doc__).parse_args()
    leafc = suite.leafc_of(args)
    checks = [(f"{case[0]} {emission}", partial(check, leafc, case, flags))
              for case in CASES for emission, flags in EMISSIONS.items()]
    return suite.run(checks, args, "operator")


if __name__ == "__main__":
    sys.exit(main())
