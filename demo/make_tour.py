#!/usr/bin/env python3
"""Makes demo/tour.onnx, the network that docs/TourOfThePasses.md follows: convolution, ReLU, pooling, Gemm.

    build/venv/bin/python demo/make_tour.py demo/tour.onnx
"""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def main():
    """Weights are small multiples of 1/16, so that the file is the same everywhere."""
    shapes = {"conv.weight": (4, 1, 3, 3), "conv.bias": (4,), "fc.weight": (3, 64), "fc.bias": (3,)}
    weights = []
    for seed, (name, shape) in enumerate(shapes.items()):
        count = int(np.prod(shape))
        values = ((np.arange(count) * 7 + seed) % 11 - 5) / 16
        weights.append(numpy_helper.from_array(values.reshape(shape).astype(np.float32), name))
    nodes = [
        helper.make_node("Conv", ["image", "conv.weight", "conv.bias"], ["c"], "conv", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"], "relu"),
        helper.make_node("MaxPool", ["r"], ["p"], "pool", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["p"], ["f"], "flatten"),
        helper.make_node("Gemm", ["f", "fc.weight", "fc.bias"], ["scores"], "fc", transB=1),
    ]
    graph = helper.make_graph(
        nodes, "tour", [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, 8, 8])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", 3])], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8,
                              producer_name="make_tour.py")
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, sys.argv[1])


if __name__ == "__main__":
    main()
