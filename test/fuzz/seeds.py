#!/usr/bin/env python3
"""Makes the first inputs of the fuzz targets: small files that reach much of the readers.

    test/fuzz/seeds.py --leafc build/release/bin/leafc      writes test/fuzz/corpus/*/seed-*

Findings of the fuzzers are added by hand (minimized with `<Name>Fuzzer -minimize_crash=1`).
"""
import argparse
import io
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper

ROOT = Path(__file__).resolve().parent
CORPUS = ROOT / "corpus"
sys.path.insert(0, str(ROOT.parent / "Hostile"))
import build  # noqa: E402
from build import model, node, value, weight  # noqa: E402


def models():
    yield "gemm", build.gemm("w", 2, 2)
    yield "conv", model([node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]), node("Relu", ["c"], ["r"]),
                         node("GlobalAveragePool", ["r"], ["y"])],
                        [value("x", ("n", 1, 4, 4))], [value("y", None)], [weight("w", (2, 1, 1, 1))])
    then = helper.make_graph([node("Relu", ["x"], ["a"])], "t", [], [value("a")])
    other = helper.make_graph([node("Add", ["x", "v"], ["b"])], "e", [], [value("b")], [weight("v", (1,))])
    yield "if", model([node("If", ["c"], ["y"], then_branch=then, else_branch=other)],
                      [value("c", (), TensorProto.BOOL), value("x")])
    body = helper.make_function("f", "F", ["a"], ["b"], [node("Softplus", ["a"], ["t"]), node("Neg", ["t"], ["b"])],
                                [helper.make_opsetid("", 17)])
    yield "function", model([node("F", ["x"], ["y"], domain="f")], functions=[body],
                            imports=[helper.make_opsetid("", 17), helper.make_opsetid("f", 1)])
    yield "expand", model([node("Celu", ["x"], ["t"]), node("MeanVarianceNormalization", ["t"], ["y"], axes=[0])])
    yield "old", model([node("Clip", ["x"], ["t"], min=0.0, max=6.0), node("Softmax", ["t"], ["y"])], opset=9, ir=3)
    yield "reshape", model([node("Shape", ["x"], ["s"]), node("Reshape", ["x", "q"], ["t"]),
                            node("Unsqueeze", ["t", "a"], ["y"])], [value("x")],
                           [value("y", None), value("s", None, 7)],
                           [helper.make_tensor("q", 7, [1], [-1]), helper.make_tensor("a", 7, [1], [0])])
    constants = [node("Constant", [], ["a"], value_float=1.0), node("Constant", [], ["b"], value_ints=[2, 3]),
                 node("Constant", [], ["d"], value=helper.make_tensor("t", 10, [2], [1.0, 2.0])),
                 node("Cast", ["d"], ["e"], to=1), node("Add", ["x", "a"], ["g"]), node("Expand", ["g", "b"], ["y"])]
    yield "constants", model(constants, [value("x", (1, 1))], [value("y", None), value("e", None)])
    sparse = model([node("Add", ["x", "w"], ["y"])])
    sparse.graph.sparse_initializer.append(helper.make_sparse_tensor(
        helper.make_tensor("w", 1, [2], [1.0, 2.0]), helper.make_tensor("i", 7, [2], [1, 5]), [2, 3]))
    yield "sparse", sparse
    yield "quantized", model([node("DequantizeLinear", ["w", "s"], ["v"]), node("Add", ["x", "v"], ["y"])],
                             [value("x", (2,))], [value("y", (2,))],
                             [helper.make_tensor("w", 3, [2], [1, -1]), helper.make_tensor("s", 1, [], [0.5])])
    external = TensorProto(name="w", data_type=1, data_location=1)
    external.dims.extend((2, 3))
    for key, text in (("location", "w.bin"), ("offset", "16"), ("length", "24")):
        external.external_data.add(key=key, value=text)
    yield "external", model([node("Add", ["x", "w"], ["y"])], initializers=[external])


def arrays():
    values = dict(x=np.arange(3, dtype=np.float32), i=np.array(7), b=np.array([[True, False]]))
    for name, save in (("stored", np.savez), ("deflated", np.savez_compressed)):
        out = io.BytesIO()
        save(out, **values)
        yield name, out.getvalue()
    for name, array in (("npy", values["x"]), ("fortran", np.asfortranarray(np.ones((2, 3), ">i2"))),
                        ("scalar", np.float64(1))):
        out = io.BytesIO()
        np.save(out, array)
        yield name, out.getvalue()
    yield "empty", b"PK\5\6" + b"\0" * 18


def stages(leafc):
    """Each stage of a small model with a weight that is large enough to stand in the weight file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.onnx"
        path.write_bytes(build.gemm("w", 8, 16).SerializeToString())
        subprocess.run([leafc, "compile", path, "--dump-stages", folder, "--stop-after=codegen", "--target=x86-64-v2"],
                       check=True, capture_output=True)
        for stage in sorted(Path(folder).glob("*.mlir")):
            weights = stage.with_suffix(".weights")
            yield stage.stem, stage.read_bytes() + b"\0" + (weights.read_bytes() if weights.exists() else b"")
    yield "hand", b"module { func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> { return %x : tensor<4xf32> } }"


def weight_files(leafc):
    for name, one in (("one", build.gemm("w", 2, 2)), ("several", build.gemm("v", 3, 5))):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "m.onnx"
            path.write_bytes(one.SerializeToString())
            subprocess.run([leafc, "compile", path, "-o", folder, "--weights=file"], check=True, capture_output=True)
            yield name, (Path(folder) / "m.weights").read_bytes()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--leafc", type=Path, default=ROOT.parent.parent / "build/release/bin/leafc")
    args = parser.parse_args()
    inputs = [("import", name, one.SerializeToString()) for name, one in models()]
    inputs += [("npz", name, data) for name, data in arrays()]
    inputs += [("stage", name, data) for name, data in stages(args.leafc)]
    inputs += [("weights", name, data) for name, data in weight_files(args.leafc)]
    for folder, name, data in inputs:
        (CORPUS / folder).mkdir(parents=True, exist_ok=True)
        (CORPUS / folder / f"seed-{name}").write_bytes(data)
    print(f"{len(inputs)} files")


if __name__ == "__main__":
    main()
