"""Small ONNX models for the cases."""
import numpy as np
from onnx import TensorProto, helper, numpy_helper

FLOAT = TensorProto.FLOAT


def value(name, shape=(2, 3), element=FLOAT):
    return helper.make_tensor_value_info(name, element, shape)


def model(nodes, inputs=None, outputs=None, initializers=(), opset=17, **options):
    """A model that is not checked."""
    graph = helper.make_graph(nodes, "g", inputs or [value("x")], outputs or [value("y")], list(initializers),
                              value_info=options.pop("value_info", []), doc_string=options.pop("doc", ""))
    imports = options.pop("imports", [helper.make_opsetid("", opset)])
    return helper.make_model(graph, opset_imports=imports, ir_version=options.pop("ir", 8), **options)


def node(op, inputs, outputs, **attributes):
    return helper.make_node(op, inputs, outputs, **attributes)


def weight(name, shape, seed=0):
    data = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    return numpy_helper.from_array(data, name)


def gemm(name="w", rows=3, columns=4):
    """x[2,rows] times a weight."""
    return model([node("MatMul", ["x", name], ["y"])], [value("x", (2, rows))], [value("y", (2, columns))],
                 [weight(name, (rows, columns))])


def convnet():
    """Several operators, two of them with weights."""
    return model([
        node("Conv", ["x", "k", "b"], ["c"], pads=[1, 1, 1, 1], strides=[2, 2]),
        node("Relu", ["c"], ["r"]),
        node("MaxPool", ["r"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
        node("Transpose", ["p"], ["t"], perm=[0, 2, 3, 1]),
        node("Flatten", ["t"], ["f"], axis=1),
        node("Gemm", ["f", "w", "v"], ["g"], transB=1, alpha=0.5),
        node("Softmax", ["g"], ["y"], axis=-1),
    ], [value("x", (1, 3, 16, 16))], [value("y", (1, 10))],
        [weight("k", (8, 3, 3, 3)), weight("b", (8,), 1), weight("w", (10, 128), 2), weight("v", (10,), 3)])
