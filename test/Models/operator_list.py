"""Operators for operator_bench.py at sizes that models of their kind have: those that take time in real models, whether
or not a shared model has them."""

import numpy as np
from onnx import helper, numpy_helper

RNG = np.random.default_rng(0)


def x(*shape, scale=1.0):
    return (RNG.standard_normal(shape) * scale).astype(np.float32)


def ints(low, high, *shape):
    return RNG.integers(low, high, shape).astype(np.int64)


class Weight:
    """An operand that is part of the model."""

    def __init__(self, array):
        self.array = np.asarray(array)


def boxes(count):
    corner = np.abs(x(count, 2)) * 100
    return np.concatenate([corner, corner + np.abs(x(count, 2)) * 60 + 1], 1).astype(np.float32)


def grid(height, width):
    return RNG.uniform(-1, 1, (1, height, width, 2)).astype(np.float32)


def nbits(rows, inner):
    blocks = inner // 32
    return [Weight(RNG.integers(0, 255, (rows, blocks, 16)).astype(np.uint8)),
            Weight(np.abs(x(rows * blocks, scale=0.01)) + np.float32(0.01))]


def recurrent(gates, width=256):
    return [Weight(x(1, gates * width, width, scale=0.05)), Weight(x(1, gates * width, width, scale=0.05)),
            Weight(x(1, 2 * gates * width, scale=0.05))]


# Operator, operands, attributes, results, opset.
OTHERS = [
    ("Attention", [x(1, 8, 128, 64), x(1, 8, 128, 64), x(1, 8, 128, 64)], {}, 1, 23),
    ("Attention", [x(1, 8, 1, 64), x(1, 8, 512, 64), x(1, 8, 512, 64)], {}, 1, 23),
    ("LayerNormalization", [x(1, 128, 768), Weight(x(768)), Weight(x(768))], {}, 1, 17),
    ("RMSNormalization", [x(1, 128, 768), Weight(x(768))], {}, 1, 23),
    ("GroupNormalization", [x(1, 64, 56, 56), Weight(x(64)), Weight(x(64))], {"num_groups": 8}, 1, 21),
    ("InstanceNormalization", [x(1, 64, 56, 56), Weight(x(64)), Weight(x(64))], {}, 1, 17),
    ("LpNormalization", [x(128, 768)], {"axis": -1}, 1, 22),
    ("Softmax", [x(12, 128, 128)], {}, 1, 17),
    ("Softmax", [x(1, 80, 3549)], {"axis": 1}, 1, 17),
    ("LogSoftmax", [x(128, 1000)], {}, 1, 17),
    ("Gelu", [x(128, 3072)], {}, 1, 20),
    ("Gelu", [x(128, 3072)], {"approximate": "tanh"}, 1, 20),
    ("RotaryEmbedding", [x(1, 12, 128, 64), Weight(x(512, 32)), Weight(x(512, 32)), ints(0, 512, 1, 128)], {}, 1, 23),
    ("Resize", [x(1, 64, 28, 28), None, Weight(np.array([1, 1, 2, 2], np.float32))],
     {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}, 1, 19),
    ("Resize", [x(1, 64, 28, 28), None, Weight(np.array([1, 1, 2, 2], np.float32))], {"mode": "cubic"}, 1, 19),
    ("GridSample", [x(1, 32, 56, 56), grid(56, 56)], {}, 1, 16),
    ("NonMaxSuppression", [boxes(1000)[None], np.abs(x(1, 20, 1000)), Weight(np.array([50], np.int64)),
                           Weight(np.array([0.5], np.float32)), Weight(np.array([0.5], np.float32))], {}, 1, 17),
    ("LSTM", [x(32, 1, 256), *recurrent(4)], {"hidden_size": 256}, 1, 17),
    ("GRU", [x(32, 1, 256), *recurrent(3)], {"hidden_size": 256, "linear_before_reset": 1}, 1, 17),
    ("RNN", [x(32, 1, 256), *recurrent(1)], {"hidden_size": 256}, 1, 17),
    ("TopK", [x(1, 30000), Weight(np.array([100], np.int64))], {}, 2, 17),
    ("TopK", [x(128, 64), Weight(np.array([4], np.int64))], {}, 2, 17),
    ("Einsum", [x(1, 128, 12, 64), x(1, 128, 12, 64)], {"equation": "bqhd,bkhd->bhqk"}, 1, 17),
    ("ScatterElements", [x(1000, 64), ints(0, 1000, 200, 64), x(200, 64)], {"axis": 0}, 1, 18),
    ("ScatterElements", [x(1000, 64), ints(0, 1000, 200, 64), x(200, 64)], {"axis": 0, "reduction": "add"}, 1, 18),
    ("ScatterND", [x(1000, 64), ints(0, 1000, 200, 1), x(200, 64)], {}, 1, 18),
    ("GatherElements", [x(1000, 64), ints(0, 1000, 200, 64)], {"axis": 0}, 1, 17),
    ("GatherND", [x(1000, 64), ints(0, 1000, 200, 1)], {}, 1, 17),
    ("Gather", [Weight(x(30000, 384)), ints(0, 30000, 1, 128)], {}, 1, 17),
    ("DeformConv", [x(1, 32, 28, 28), Weight(x(32, 32, 3, 3)), x(1, 18, 28, 28)], {"pads": [1, 1, 1, 1]}, 1, 19),
    ("RoiAlign", [x(1, 64, 50, 50), boxes(50), Weight(np.zeros(50, np.int64))],
     {"output_height": 7, "output_width": 7, "sampling_ratio": 2, "spatial_scale": 0.25}, 1, 16),
    ("STFT", [x(1, 16000, 1), Weight(np.array(160)), Weight(np.hanning(400).astype(np.float32)),
              Weight(np.array(400))], {}, 1, 17),
    ("DFT", [x(1, 512, 2), None], {"axis": 1}, 1, 17),
    ("CumSum", [x(128, 768), Weight(np.array(1))], {}, 1, 17),
    ("ArgMax", [x(128, 1000)], {"axis": 1}, 1, 17),
    ("ReduceMean", [x(64, 56, 56)], {"axes": [0]}, 1, 17),
    ("TensorScatter", [x(1, 8, 512, 64), x(1, 8, 1, 64), Weight(np.array([300]))], {"axis": 2}, 1, 24),
    ("com.microsoft.MatMulNBits", [x(1, 2048), *nbits(2048, 2048)],
     {"K": 2048, "N": 2048, "bits": 4, "block_size": 32}, 1, 17),
    ("com.microsoft.MatMulNBits", [x(64, 2048), *nbits(2048, 2048)],
     {"K": 2048, "N": 2048, "bits": 4, "block_size": 32}, 1, 17),
    ("com.microsoft.SkipLayerNormalization", [x(1, 128, 768), x(1, 128, 768), Weight(x(768)), Weight(x(768))], {}, 1,
     17),
    ("com.microsoft.FastGelu", [x(128, 3072), Weight(x(3072))], {}, 1, 17),
    ("com.microsoft.MultiHeadAttention", [x(1, 128, 512), x(1, 128, 512), x(1, 128, 512)], {"num_heads": 8}, 1, 17),
]


def named():
    """(operator, node, inputs by name, constants as tensors by name, opsets) of each."""
    for operator, operands, attributes, results, opset in OTHERS:
        domain, _, kind = operator.rpartition(".")
        names = [f"x{i}" if value is not None else "" for i, value in enumerate(operands)]
        node = helper.make_node(kind, names, [f"y{i}" for i in range(results)], "node", domain=domain, **attributes)
        given = {name: value for name, value in zip(names, operands) if value is not None}
        constants = {name: numpy_helper.from_array(value.array, name) for name, value in given.items()
                     if isinstance(value, Weight)}
        feeds = {name: value for name, value in given.items() if name not in constants}
        opsets = [helper.make_opsetid("", opset)] + ([helper.make_opsetid(domain, 1)] if domain else [])
        yield operator, node, feeds, constants, opsets
