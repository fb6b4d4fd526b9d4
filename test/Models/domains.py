#!/usr/bin/env python3
"""Operators of com.microsoft and ai.onnx.ml against ONNX Runtime, as machine code and as C.

    test/Models/domains.py --build build/release                 all
    test/Models/domains.py --build build/release attention c     only checks with all these words in their name

A new operator gets its cases in CASES. Prints FAIL: lines and closes with: N passed, N failed, N skipped.
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
TRAINED = Path(__file__).resolve().parent / "data" / "scikit"
EMISSIONS = {"jit": ["--emit=jit"], "c": ["--emit=c"]}
RNG = np.random.default_rng(0)


class Weight:
    """An operand that is part of the model."""

    def __init__(self, array):
        self.array = array


def x(*shape, scale=1.0):
    """Random numbers, an input of the model."""
    return (RNG.standard_normal(shape) * scale).astype(np.float32)


def w(*shape):
    """Random numbers, a weight of the model."""
    return Weight(x(*shape, scale=0.3))


def ints(values, dtype=np.int32):
    """Given integers, an input."""
    return np.array(values, dtype)


def angles(positions, half):
    """Caches of a rotary embedding, as weights."""
    phase = np.outer(np.arange(positions), 1 / 100 ** (np.arange(half) / half))
    return Weight(np.cos(phase).astype(np.float32)), Weight(np.sin(phase).astype(np.float32))


COS, SIN = angles(32, 4)
WIDE_COS, WIDE_SIN = angles(32, 8)


def grouped(sequence, past, lengths, total, **attributes):
    """Operands of GroupQueryAttention: 6 heads of queries of 16 elements on 3 of keys, after `past` positions."""
    attributes = {"num_heads": 6, "kv_num_heads": 3, **attributes}
    batch = len(lengths)
    rotary = [WIDE_COS, WIDE_SIN] if attributes.get("do_rotary") else [None, None]
    states = [x(batch, 3, past, 16) for _ in range(2)] if past else [None, None]
    if past >= total:
        # What ONNX Runtime leaves behind the last row of a larger cache are zeros, unless both share a buffer.
        for state in states:
            state[:, :, total - sequence:] = 0
    return ([x(batch, sequence, 96), x(batch, sequence, 48), x(batch, sequence, 48), *states, ints(lengths),
             ints(total), *rotary], attributes)


def support_vectors(kernel, per_class, features=4, probabilities=False, **attributes):
    """Attributes of SVMClassifier."""
    count, classes = sum(per_class), len(per_class)
    pairs = classes * (classes - 1) // 2
    given = {"kernel_type": kernel, "kernel_params": [0.3, 0.2, 3.0], "vectors_per_class": per_class,
             "support_vectors": x(count * features).tolist(), "coefficients": x((classes - 1) * count).tolist(),
             "rho": x(pairs).tolist(), "classlabels_ints": [10 * i + 3 for i in range(classes)]}
    if probabilities:
        given.update(prob_a=(-1 - np.abs(x(pairs))).tolist(), prob_b=x(pairs).tolist())
    return {**given, **attributes}


def regression(kernel, count=5, features=4, **attributes):
    """Attributes of SVMRegressor."""
    return {"kernel_type": kernel, "kernel_params": [0.3, 0.2, 3.0], "n_supports": count, "rho": [0.3],
            "support_vectors": x(count * features).tolist(), "coefficients": x(count).tolist(), **attributes}


def linear(classes, features=4, **attributes):
    """Attributes of LinearClassifier."""
    return {"coefficients": x(classes * features).tolist(), "intercepts": x(classes).tolist(),
            "classlabels_ints": [10 * i + 3 for i in range(max(classes, 2))], **attributes}


def experts(k, activation, rows=5, width=8, inner=12, count=4, bias=True, fused=0, **attributes):
    """Operands of MoE."""
    first = inner * (2 if fused else 1)
    return ([x(rows, width), x(rows, count), w(count, first, width), w(count, first) if bias else None,
             w(count, width, inner), w(count, width) if bias else None],
            {"k": k, "activation_type": activation, "swiglu_fusion": fused, **attributes})


def quantized(*shape, dtype=np.uint8):
    """Random integers of a type of 8 bits."""
    info = np.iinfo(dtype)
    return RNG.integers(info.min, info.max, shape, dtype, endpoint=True)


def scale(value):
    return Weight(np.array(value, np.float32))


def zero(value, dtype=np.uint8):
    return Weight(np.array(value, dtype))


def packed(rows, inner, bits, block, zeros=None, bias=False, batch=(3,), **attributes):
    """Operands of MatMulNBits; zeros: None, "packed" or "float"."""
    blocks = -(-inner // block)
    given = [x(*batch, inner), Weight(quantized(rows, blocks, block * bits // 8)),
             Weight(np.abs(x(rows * blocks)) + np.float32(0.1)), None, None, w(rows) if bias else None]
    if zeros == "packed":
        given[3] = Weight(quantized(rows * -(-blocks * bits // 8)))
    elif zeros == "float":
        given[3] = Weight(np.abs(x(rows * blocks, scale=4)))
    while given[-1] is None:
        given.pop()
    return given, {"K": inner, "N": rows, "bits": bits, "block_size": block, **attributes}


def packed_experts(k, bits, activation="silu", rows=5, width=64, inner=32, count=4, block=0, fused=0, **attributes):
    """Operands of QMoE."""
    def layer(outputs, inputs):
        scales = (count, outputs, inputs // block) if block else (count, outputs)
        return [Weight(quantized(count, outputs, inputs * bits // 8)),
                Weight((np.abs(x(*scales)) * 0.02 + np.float32(0.01)).astype(np.float32)), w(count, outputs)]
    return ([x(rows, width), x(rows, count), *layer(inner * (2 if fused else 1), width), *layer(width, inner)],
            {"k": k, "activation_type": activation, "expert_weight_bits": bits, "swiglu_fusion": fused,
             **({"block_size": block} if block else {}), **attributes})


# Name of the case, operator, operands, attributes, and how many results are looked at.
CASES = [
    ("gelu", "Gelu", [x(3, 5, 7)], {}, 1),
    ("bias gelu", "BiasGelu", [x(3, 5, 7), w(7)], {}, 1),
    ("fast gelu", "FastGelu", [x(3, 5, 7)], {}, 1),
    ("fast gelu bias", "FastGelu", [x(3, 5, 7), w(7)], {}, 1),
    ("quick gelu", "QuickGelu", [x(3, 5, 7)], {"alpha": 1.3}, 1),
    ("fused matmul", "FusedMatMul", [x(2, 5, 7), w(7, 4)], {"alpha": 0.5}, 1),
    ("fused matmul transposed", "FusedMatMul", [x(2, 7, 5), x(2, 4, 7)], {"transA": 1, "transB": 1}, 1),
    ("fused matmul batch", "FusedMatMul", [x(5, 2, 7), x(7, 2, 4)], {"transBatchA": 1, "transBatchB": 1}, 1),
    ("fused matmul both", "FusedMatMul", [x(7, 3, 2, 5), x(7, 3, 2, 4)], {"transBatchA": 1, "transA": 1,
                                                                          "transBatchB": 1}, 1),
    ("fused gemm relu", "FusedGemm", [x(5, 7), w(7, 4), w(4)], {"activation": "Relu", "alpha": 0.5, "beta": 2.0}, 1),
    ("fused gemm leaky", "FusedGemm", [x(5, 7), w(4, 7), w(4)], {"activation": "LeakyRelu", "activation_alpha": 0.3,
                                                                 "transB": 1}, 1),
    ("fused gemm hard sigmoid", "FusedGemm", [x(5, 7), w(7, 4)], {"activation": "HardSigmoid",
                                                                  "activation_alpha": 0.3, "activation_beta": 0.4}, 1),
    ("fused conv relu", "FusedConv", [x(1, 4, 9, 7), w(6, 4, 3, 3), w(6)], {"activation": "Relu",
                                                                           "pads": [1, 1, 1, 1]}, 1),
    ("fused conv leaky", "FusedConv", [x(1, 4, 9, 7), w(6, 4, 1, 1)], {"activation": "LeakyRelu",
                                                                      "activation_params": [0.2]}, 1),
    ("fused conv clip", "FusedConv", [x(1, 4, 9, 7), w(4, 1, 3, 3), w(4)], {"activation": "Clip", "group": 4,
                                                                           "activation_params": [-0.5, 0.5]}, 1),
    ("fused conv sum", "FusedConv", [x(1, 4, 9, 7), w(6, 4, 3, 3), w(6), x(1, 6, 9, 7)],
     {"activation": "Relu", "pads": [1, 1, 1, 1]}, 1),
    ("fused conv hard sigmoid", "FusedConv", [x(1, 4, 9, 7), w(6, 4, 3, 3)], {"activation": "HardSigmoid",
                                                                             "activation_params": [0.3, 0.4]}, 1),
    ("skip layer norm", "SkipLayerNormalization", [x(2, 5, 16), x(2, 5, 16), w(16), w(16), w(16)], {"epsilon": 1e-5},
     4),
    ("skip layer norm broadcast", "SkipLayerNormalization", [x(2, 5, 16), x(1, 5, 16), w(16)], {}, 1),
    ("skip simplified", "SkipSimplifiedLayerNormalization", [x(2, 5, 16), x(2, 5, 16), w(16), w(16)],
     {"epsilon": 1e-5}, (0, 3)),
    ("embed layer norm", "EmbedLayerNormalization", [ints([[1, 4, 2], [0, 3, 3]]), ints([[0, 0, 1], [1, 0, 1]]),
                                                     w(6, 16), w(8, 16), w(2, 16), w(16), w(16),
                                                     ints([[1, 1, 0], [1, 1, 1]])], {"epsilon": 1e-5}, 2),
    ("embed layer norm positions", "EmbedLayerNormalization", [ints([[1, 4, 2], [0, 3, 3]]), None, w(6, 16), w(8, 16),
                                                               None, w(16), w(16), None,
                                                               ints([[2, 0, 1], [5, 6, 7]])], {}, 2),
    ("attention", "Attention", [x(2, 5, 12), w(12, 36), w(36)], {"num_heads": 3}, 1),
    ("attention unidirectional", "Attention", [x(2, 5, 12), w(12, 36), w(36)],
     {"num_heads": 3, "unidirectional": 1}, 1),
    ("attention lengths", "Attention", [x(2, 5, 12), w(12, 36), w(36), ints([5, 3])], {"num_heads": 3}, 1),
    ("attention begins", "Attention", [x(2, 5, 12), w(12, 36), w(36), ints([5, 4, 0, 2])], {"num_heads": 3}, 1),
    ("attention mask", "Attention", [x(2, 5, 12), w(12, 36), w(36), ints([[1] * 5, [1, 1, 1, 0, 0]])],
     {"num_heads": 3, "scale": 0.3}, 1),
    ("attention mask rows", "Attention", [x(2, 5, 12), w(12, 36), w(36), ints(np.tri(5)[None].repeat(2, 0))],
     {"num_heads": 3, "mask_filter_value": -500.0}, 1),
    ("attention past", "Attention", [x(2, 5, 12), w(12, 36), w(36), None, x(2, 2, 3, 4, 4)],
     {"num_heads": 3, "unidirectional": 1}, 2),
    ("attention bias", "Attention", [x(2, 5, 12), w(12, 36), w(36), None, None, x(1, 3, 5, 5)], {"num_heads": 3}, 1),
    ("attention sizes", "Attention", [x(2, 5, 12), w(12, 54), w(54)], {"num_heads": 3,
                                                                      "qkv_hidden_sizes": [12, 12, 30]}, 1),
    ("multi head", "MultiHeadAttention", [x(2, 5, 12), x(2, 7, 12), x(2, 7, 24)], {"num_heads": 3}, 1),
    ("multi head bias", "MultiHeadAttention", [x(2, 5, 12), x(2, 7, 12), x(2, 7, 24), w(48)], {"num_heads": 3}, 1),
    ("multi head lengths", "MultiHeadAttention", [x(2, 5, 12), x(2, 7, 12), x(2, 7, 12), None, ints([7, 4])],
     {"num_heads": 3}, 1),
    ("multi head mask", "MultiHeadAttention", [x(2, 5, 12), x(2, 7, 12), x(2, 7, 12), None,
                                               ints([[1] * 7, [1] * 4 + [0] * 3])], {"num_heads": 3}, 1),
    ("multi head attention bias", "MultiHeadAttention", [x(2, 5, 12), x(2, 7, 12), x(2, 7, 12), None, None,
                                                         x(1, 1, 5, 7)], {"num_heads": 3, "scale": 0.3}, 1),
    ("multi head past", "MultiHeadAttention", [x(2, 1, 12), x(2, 1, 12), x(2, 1, 12), None, None, None,
                                               x(2, 3, 6, 4), x(2, 3, 6, 4)], {"num_heads": 3, "unidirectional": 1}, 3),
    ("multi head cross past", "MultiHeadAttention", [x(2, 5, 12), x(2, 3, 7, 4), x(2, 3, 7, 4)], {"num_heads": 3}, 1),
    ("multi head unidirectional", "MultiHeadAttention", [x(2, 5, 12), x(2, 5, 12), x(2, 5, 12)],
     {"num_heads": 3, "unidirectional": 1}, 1),
    ("group query prompt", "GroupQueryAttention", *grouped(5, 0, [4], 5), 3),
    ("group query decode", "GroupQueryAttention", *grouped(1, 6, [6], 7), 3),
    ("group query chunk", "GroupQueryAttention", *grouped(3, 6, [8], 9), 3),
    ("group query capacity", "GroupQueryAttention", *grouped(2, 12, [7], 8, do_rotary=1), 3),
    ("group query rotary", "GroupQueryAttention", *grouped(1, 6, [6], 7, do_rotary=1), 3),
    ("group query interleaved", "GroupQueryAttention", *grouped(4, 6, [9], 10, do_rotary=1, rotary_interleaved=1), 3),
    ("group query window", "GroupQueryAttention", *grouped(5, 6, [10], 11, local_window_size=3), 3),
    ("group query softcap", "GroupQueryAttention", *grouped(5, 0, [4], 5, softcap=2.0, scale=0.7), 3),
    ("group query smooth", "GroupQueryAttention", *grouped(5, 0, [4], 5, smooth_softmax=1), 3),
    ("group query batch", "GroupQueryAttention", *grouped(1, 6, [6, 6], 7), 3),
    ("group query ragged", "GroupQueryAttention", *grouped(1, 6, [6, 3], 7, do_rotary=1), 3),
    ("group query packed", "GroupQueryAttention", [x(1, 5, 96), None, None, None, None, ints([4]), ints(5)],
     {"num_heads": 6, "kv_num_heads": 3}, 3),
    ("rotary", "RotaryEmbedding", [x(2, 5, 24), ints([[0, 1, 2, 3, 4], [3, 4, 5, 6, 7]], np.int64), COS, SIN], {}, 1),
    ("rotary offset", "RotaryEmbedding", [x(2, 5, 24), ints([3], np.int64), COS, SIN], {"interleaved": 1}, 1),
    ("rotary heads", "RotaryEmbedding", [x(2, 3, 5, 8), ints([2], np.int64), COS, SIN], {}, 1),
    ("rotary part", "RotaryEmbedding", [x(2, 5, 36), ints([2], np.int64), COS, SIN], {"num_heads": 3,
                                                                                   "rotary_embedding_dim": 8}, 1),
    ("experts one", "MoE", *experts(1, "relu"), 1),
    ("experts two", "MoE", *experts(2, "gelu"), 1),
    ("experts normalized", "MoE", *experts(3, "silu", bias=False, normalize_routing_weights=1), 1),
    ("experts swiglu", "MoE", *experts(2, "swiglu", fused=1, activation_alpha=1.702, activation_beta=1.0,
                                       swiglu_limit=0.5, normalize_routing_weights=1), 1),
    *((f"{kind} {np.dtype(dtype).name}", kind, [quantized(3, 1, 7, dtype=dtype), scale(0.07), zero(5, dtype),
                                                quantized(5, 7, dtype=dtype), scale(0.03), zero(9, dtype),
                                                scale(s), zero(3, dtype)], {}, 1)
      for kind, s in (("QLinearAdd", 0.11), ("QLinearMul", 0.37)) for dtype in (np.uint8, np.int8)),
    ("QLinearLeakyRelu", "QLinearLeakyRelu", [quantized(3, 50), scale(0.07), zero(120), scale(0.05), zero(40)],
     {"alpha": 0.3}, 1),
    ("QLinearSigmoid", "QLinearSigmoid", [quantized(3, 50), scale(0.06), zero(120), scale(1 / 256), zero(0)], {}, 1),
    ("QLinearConcat", "QLinearConcat", [scale(0.1), zero(7), quantized(3, 5), scale(0.07), zero(5), quantized(3, 4),
                                        scale(0.2), zero(130)], {"axis": 1}, 1),
    ("QLinearGlobalAveragePool", "QLinearGlobalAveragePool", [quantized(2, 5, 6, 7), scale(0.07), zero(120),
                                                              scale(0.013), zero(90)], {}, 1),
    ("QLinearGlobalAveragePool last", "QLinearGlobalAveragePool", [quantized(2, 6, 7, 5), scale(0.07), zero(120),
                                                                   scale(0.013), zero(90)], {"channels_last": 1}, 1),
    ("integers to float", "MatMulIntegerToFloat", [quantized(2, 5, 13), Weight(quantized(13, 6, dtype=np.int8)),
                                                   scale(0.03), Weight(np.abs(x(6))), zero(120), None, w(6)], {}, 1),
    ("integers to float zeros", "MatMulIntegerToFloat", [quantized(5, 13), Weight(quantized(13, 6)), scale(0.03),
                                                         scale(0.07), zero(120), zero(130)], {}, 1),
    ("dynamic quantize", "DynamicQuantizeMatMul", [x(5, 13), Weight(quantized(13, 6, dtype=np.int8)),
                                                   Weight(np.abs(x(6))), None, w(6)], {}, 1),
    ("dynamic quantize zero", "DynamicQuantizeMatMul", [x(5, 13), Weight(quantized(13, 6)), scale(0.07), zero(130)],
     {}, 1),
    ("bits 4", "MatMulNBits", *packed(24, 64, 4, 16), 1),
    ("bits 4 row", "MatMulNBits", *packed(24, 64, 4, 32, zeros="packed", bias=True, batch=(1,)), 1),
    ("bits 4 zeros", "MatMulNBits", *packed(24, 96, 4, 32, zeros="packed"), 1),
    ("bits 4 float zeros", "MatMulNBits", *packed(24, 96, 4, 32, zeros="float"), 1),
    ("bits 4 rest", "MatMulNBits", *packed(24, 72, 4, 32, batch=(2, 3)), 1),
    ("bits 8", "MatMulNBits", *packed(24, 64, 8, 32, zeros="packed"), 1),
    ("bits 2", "MatMulNBits", *packed(24, 64, 2, 32), 1),
    ("packed experts 4", "QMoE", *packed_experts(2, 4), 1),
    ("packed experts 8", "QMoE", *packed_experts(2, 8, normalize_routing_weights=1), 1),
    ("packed experts blocks", "QMoE", *packed_experts(2, 4, block=32), 1),
    ("packed experts swiglu", "QMoE", *packed_experts(2, 4, "swiglu", fused=1, activation_alpha=1.702,
                                                      activation_beta=1.0, swiglu_limit=7.0), 1),
    ("scaler", "ml.Scaler", [x(5, 4)], {"offset": x(4).tolist(), "scale": x(4).tolist()}, 1),
    ("scaler one", "ml.Scaler", [ints([[1, 2], [3, 4]], np.int64)], {"offset": [0.5], "scale": [2.0]}, 1),
    ("normalizer max", "ml.Normalizer", [x(5, 4)], {"norm": "MAX"}, 1),
    ("normalizer l1", "ml.Normalizer", [x(5, 4)], {"norm": "L1"}, 1),
    ("normalizer l2", "ml.Normalizer", [np.array([[3, -4], [0, 0]], np.float32)], {"norm": "L2"}, 1),
    ("imputer nan", "ml.Imputer", [np.array([[1, np.nan], [np.nan, 4]], np.float32)],
     {"imputed_value_floats": [7.0, 8.0], "replaced_value_float": float("nan")}, 1),
    ("imputer value", "ml.Imputer", [np.array([[1, 2], [2, 4]], np.float32)],
     {"imputed_value_floats": [7.0], "replaced_value_float": 2.0}, 1),
    ("imputer int", "ml.Imputer", [ints([[1, -1], [-1, 4]], np.int64)],
     {"imputed_value_int64s": [7, 8], "replaced_value_int64": -1}, 1),
    ("binarizer", "ml.Binarizer", [x(5, 4)], {"threshold": 0.2}, 1),
    ("one hot", "ml.OneHotEncoder", [ints([[3, 5], [1, 7]], np.int64)], {"cats_int64s": [1, 3, 5], "zeros": 1}, 1),
    ("one hot float", "ml.OneHotEncoder", [np.array([3, 5, 1], np.float32)], {"cats_int64s": [1, 3, 5]}, 1),
    ("feature vectorizer", "ml.FeatureVectorizer", [x(5, 2), x(5, 3)], {"inputdimensions": [2, 3]}, 1),
    ("linear regressor", "ml.LinearRegressor", [x(5, 4)], {"coefficients": x(12).tolist(), "targets": 3,
                                                           "intercepts": x(3).tolist()}, 1),
    ("linear regressor one", "ml.LinearRegressor", [x(5, 4)], {"coefficients": x(4).tolist()}, 1),
    ("linear classifier softmax", "ml.LinearClassifier", [x(5, 4)], linear(3, post_transform="SOFTMAX"), 2),
    ("linear classifier zeros", "ml.LinearClassifier", [x(5, 4)], linear(3, post_transform="SOFTMAX_ZERO"), 2),
    ("linear classifier logistic", "ml.LinearClassifier", [x(5, 4)], linear(3, post_transform="LOGISTIC"), 2),
    ("linear classifier two", "ml.LinearClassifier", [x(5, 4)], linear(2, post_transform="LOGISTIC"), 2),
    ("linear classifier one", "ml.LinearClassifier", [x(5, 4)], linear(1), 2),
    ("linear classifier one logistic", "ml.LinearClassifier", [x(5, 4)], linear(1, post_transform="LOGISTIC"), 2),
    ("linear classifier probit", "ml.LinearClassifier", [1 / (1 + np.exp(-x(5, 4)))],
     {"coefficients": [0.4, 0, 0, 0, 0, 0.3, 0.1, 0], "intercepts": [0.2, 0.3], "classlabels_ints": [0, 1],
      "post_transform": "PROBIT"}, 2),
    ("linear classifier int", "ml.LinearClassifier", [ints([[1, 2, 3, 4], [-2, 0, 1, 0]], np.int64)], linear(3), 2),
    *((f"support vectors {kernel.lower()}", "ml.SVMClassifier", [x(7, 4)], support_vectors(kernel, [3, 2, 4]), 2)
      for kernel in ("LINEAR", "POLY", "RBF", "SIGMOID")),
    ("support vectors two", "ml.SVMClassifier", [x(7, 4)], support_vectors("RBF", [3, 2]), 2),
    ("support vectors two logistic", "ml.SVMClassifier", [x(7, 4)],
     support_vectors("RBF", [3, 2], post_transform="LOGISTIC"), 2),
    ("support vectors two softmax", "ml.SVMClassifier", [x(7, 4)],
     support_vectors("RBF", [3, 2], post_transform="SOFTMAX"), 2),
    ("support vectors probabilities", "ml.SVMClassifier", [x(7, 4)],
     support_vectors("RBF", [3, 2, 4, 3], probabilities=True), 2),
    ("support vectors two probabilities", "ml.SVMClassifier", [x(7, 4)],
     support_vectors("LINEAR", [3, 2], probabilities=True), 2),
    ("support vectors softmax", "ml.SVMClassifier", [x(7, 4)],
     support_vectors("RBF", [3, 2, 4], post_transform="SOFTMAX"), 2),
    ("support vectors none", "ml.SVMClassifier", [x(7, 4)],
     {"coefficients": x(12).tolist(), "rho": [0.2], "classlabels_ints": [1, 2, 3], "kernel_params": [0.0] * 3}, 2),
    *((f"support regression {kernel.lower()}", "ml.SVMRegressor", [x(7, 4)], regression(kernel), 1)
      for kernel in ("LINEAR", "POLY", "RBF", "SIGMOID")),
    ("support regression one class", "ml.SVMRegressor", [x(7, 4)], regression("RBF", one_class=1), 1),
]


def infer(model, arrays, folder):
    """What ONNX Runtime computes; case.onnx in `folder` is the model that it reads."""
    onnx.save(model, folder / "case.onnx")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(folder / "case.onnx", options, providers=["CPUExecutionProvider"])
    return session.run(None, arrays)


def write_reference(arrays, names, results, folder):
    """case.npz in `folder`."""
    np.savez(folder / "case.npz", **{f"in:{name}": array for name, array in arrays.items()},
             **{f"out:{name}": array for name, array in zip(names, results)})


def write_case(kind, operands, attributes, results, folder):
    """A model of one node, and its reference."""
    names = [f"x{i}" if operand is not None else "" for i, operand in enumerate(operands)]
    weights = {name: operand.array for name, operand in zip(names, operands) if isinstance(operand, Weight)}
    arrays = {name: operand for name, operand in zip(names, operands) if isinstance(operand, np.ndarray)}
    shown = [f"y{i}" for i in (range(results) if isinstance(results, int) else results)]
    outputs = [f"y{i}" if f"y{i}" in shown else "" for i in range(1 + max(int(name[1:]) for name in shown))]
    domain = "ai.onnx.ml" if kind.startswith("ml.") else "com.microsoft"
    node = helper.make_node(kind.removeprefix("ml."), names, outputs, kind, domain=domain, **attributes)
    inputs = [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
              for name, array in arrays.items()]
    graph = helper.make_graph([node], "case", inputs, [onnx.ValueInfoProto(name=name) for name in shown],
                              [numpy_helper.from_array(array, name) for name, array in weights.items()])
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", OPSET),
                                                                  helper.make_opsetid(domain, 1)])
    found = infer(model, arrays, folder)
    del model.graph.output[:]
    # Whether a cache grows is what its declared size says.
    has_cache = kind == "GroupQueryAttention"
    model.graph.output.extend(
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype),
                                      array.shape if has_cache else None) for name, array in zip(shown, found))
    onnx.save(model, folder / "case.onnx")
    write_reference(arrays, shown, found, folder)


def check(leafc, case, flags):
    """An error text; empty when both agree."""
    _, kind, operands, attributes, results = case
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_case(kind, operands, attributes, results, folder)
        return suite.verify_case(leafc, folder, flags)


def check_trained(leafc, path, flags):
    """As check, of a model of train_scikit.py; a ZipMap is looked at as the matrix of its values."""
    model = onnx.load(path)
    width = model.graph.input[0].type.tensor_type.shape.dim[1].dim_value
    with np.load(path.parent / "samples.npz") as samples, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        arrays = {model.graph.input[0].name: samples[str(width)]}
        results = [np.array([list(row.values()) for row in result], np.float32) if isinstance(result, list) else result
                   for result in infer(model, arrays, folder)]
        write_reference(arrays, [output.name for output in model.graph.output], results, folder)
        return suite.verify_case(leafc, folder, flags)


def main():
    """Runs the checks that were asked for."""
    args = suite.make_parser(__doc__).parse_args()
    leafc = suite.leafc_of(args)
    checks = [(f"{case[0]} {emission}", partial(check, leafc, case, flags))
              for case in CASES for emission, flags in EMISSIONS.items()]
    checks += [(f"trained {path.stem} {emission}", partial(check_trained, leafc, path, flags))
               for path in sorted(TRAINED.glob("*.onnx")) for emission, flags in EMISSIONS.items()]
    return suite.run(checks, args, "operator")


if __name__ == "__main__":
    sys.exit(main())
