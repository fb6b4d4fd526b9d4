#!/usr/bin/env python3
"""A camera frame as it is against ONNX Runtime on what numpy makes of it.

    preprocessing.py --leafc build/release/bin/leafc [--case NAME] [FLAGS for leafc verify]

Makes a small CNN whose convolution pads, a frame, and the reference, and runs leafc verify on them. Exit code 77: a
Python package is missing.
"""
import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import numpy as np
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper
except ImportError:
    sys.exit(77)

MEAN = np.array([123.675, 116.28, 103.53], np.float32)
STD = np.array([58.395, 57.12, 57.375], np.float32)
HEIGHT, WIDTH, CLASSES = 17, 23, 10


def make_model(path):
    """conv 3x3 with padding, Relu, global average, Gemm."""
    random = np.random.default_rng(7)

    def weight(name, *shape):
        return onnx.numpy_helper.from_array((random.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))).astype(
            np.float32), name)

    nodes = [
        helper.make_node("Conv", ["image", "w0", "b0"], ["c"], kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("GlobalAveragePool", ["r"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "w1"], ["logits"], transB=1),
    ]
    graph = helper.make_graph(
        nodes, "cnn", [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, HEIGHT, WIDTH])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", CLASSES])],
        [weight("w0", 8, 3, 3, 3), weight("b0", 8), weight("w1", CLASSES, 8)])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)


def make_case(name, session):
    """Arrays of the reference and the flags of leafc for one case."""
    frame = np.random.default_rng(11).integers(0, 256, (1, HEIGHT, WIDTH, 3)).astype(np.uint8)
    if name == "camera":
        logits = session.run(None, {"image": ((frame.astype(np.float32) - MEAN) / STD).transpose(0, 3, 1, 2)})[0]
        flags = ["--input-layout", "image=nhwc", "--input-type=uint8", "--mean",
                 "image=" + ",".join(map(str, MEAN)), "--std", ",".join(map(str, STD))]
        return {"in:image": frame, "out:logits": logits}, flags
    if name == "scaled":
        planes = frame.transpose(0, 3, 1, 2).astype(np.int16)
        logits = session.run(None, {"image": (planes.astype(np.float32) - np.float32(127.5)) / np.float32(127.5)})[0]
        return {"in:image": np.ascontiguousarray(planes), "out:logits": logits}, [
            "--input-type", "image=int16", "--mean=127.5", "--std=127.5"]
    frame = np.concatenate([frame, 255 - frame])
    logits = session.run(None, {"image": frame.transpose(0, 3, 1, 2).astype(np.float32)})[0]
    return {"in:image": frame, "out:logits": logits.argmax(-1)}, [
        "--input-layout=nhwc", "--input-type=uint8", "--output-argmax=logits", "--dim", "batch<=3"]


def main():
    """Runs one case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--leafc", required=True)
    parser.add_argument("--case", default="camera", choices=["camera", "scaled", "argmax"])
    args, flags = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        model, reference = Path(folder) / "cnn.onnx", Path(folder) / "ref.npz"
        make_model(model)
        session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        arrays, own = make_case(args.case, session)
        np.savez(reference, **arrays)
        command = [args.leafc, "verify", model, "--reference", reference, *own, *flags]
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
