"""Attributes of the wrong kind, missing, unknown, or with values that make no sense."""
import itertools

from onnx import AttributeProto, TensorProto, helper

import build
from build import model, node, value
from files import inspect_all

EXTREMES = (0, -1, 1, 7, -2**31, 2**31, 2**62, -2**63)


def case_wrong_attribute_kinds(case):
    for attribute in (dict(axis="one"), dict(axis=1.5), dict(axis=[1, 2]), dict(nonsense=3)):
        case.rejects(case.write("m.onnx", model([node("Softmax", ["x"], ["y"], **attribute)])),
                     "attribute|axis|nonsense")
    bare = node("Softmax", ["x"], ["y"])
    bare.attribute.append(AttributeProto(name="axis"))
    case.survives(case.write("m.onnx", model([bare])))
    lying = node("Softmax", ["x"], ["y"])
    lying.attribute.append(AttributeProto(name="axis", type=AttributeProto.INT, s=b"text"))
    case.survives(case.write("m.onnx", model([lying])))
    unknown = node("Softmax", ["x"], ["y"])
    unknown.attribute.append(AttributeProto(name="axis", type=AttributeProto.INT, i=1))
    unknown.attribute.append(AttributeProto(name="axis", type=AttributeProto.INT, i=0))
    case.rejects(case.write("m.onnx", model([unknown])), "axis")
    nameless = node("Softmax", ["x"], ["y"])
    nameless.attribute.append(AttributeProto(type=AttributeProto.INT, i=1))
    case.rejects(case.write("m.onnx", model([nameless])), ".")
    refers = node("Softmax", ["x"], ["y"])
    refers.attribute.append(AttributeProto(name="axis", type=AttributeProto.INT, ref_attr_name="outside"))
    case.survives(case.write("m.onnx", model([refers])))


def case_missing_attributes(case):
    for op in ("Cast", "Concat", "MaxPool", "SpaceToDepth"):
        case.rejects(case.write("m.onnx", model([node(op, ["x"], ["y"])])), op)


def mutations(template):
    """The template with one attribute changed to something extreme, each time."""
    for attribute in template.attribute:
        if attribute.type == AttributeProto.INT:
            for number in EXTREMES:
                changed = helper.make_attribute(attribute.name, number)
                yield attribute.name, changed
        elif attribute.type == AttributeProto.INTS:
            count = len(attribute.ints)
            lists = [[], [1] * 9, [0] * count, [-1] * count, [2**62] * count, [-2**63] * count, [2**31] * count,
                     [1] * (count - 1) if count > 1 else [3, 3]]
            for numbers in lists:
                changed = AttributeProto(name=attribute.name, type=AttributeProto.INTS, ints=numbers)
                yield attribute.name, changed
        elif attribute.type == AttributeProto.FLOAT:
            for number in (float("nan"), float("inf"), -1e38, 0.0):
                yield attribute.name, helper.make_attribute(attribute.name, number)
        elif attribute.type == AttributeProto.STRING:
            for text in (b"", b"\xff\x00", b"no such mode", b"x" * 5000):
                yield attribute.name, AttributeProto(name=attribute.name, type=AttributeProto.STRING, s=text)


def templates():
    """Nodes with all their attributes, and what they need around them."""
    image, kernel = value("x", (1, 4, 8, 8)), build.weight("w", (4, 4, 3, 3))
    int64 = TensorProto.INT64
    yield node("Conv", ["x", "w"], ["y"], dilations=[1, 1], group=1, kernel_shape=[3, 3], pads=[1, 1, 1, 1],
               strides=[1, 1], auto_pad="NOTSET"), image, [kernel]
    yield node("ConvTranspose", ["x", "w"], ["y"], dilations=[1, 1], group=1, kernel_shape=[3, 3], pads=[1, 1, 1, 1],
               strides=[2, 2], output_padding=[1, 1], output_shape=[16, 16]), image, [kernel]
    yield node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2], strides=[2, 2], pads=[0, 0, 0, 0], dilations=[1, 1],
               ceil_mode=0, storage_order=0), image, []
    yield node("AveragePool", ["x"], ["y"], kernel_shape=[2, 2], strides=[2, 2], pads=[0, 0, 0, 0], ceil_mode=1,
               count_include_pad=1), image, []
    yield node("Transpose", ["x"], ["y"], perm=[0, 2, 3, 1]), image, []
    yield node("Concat", ["x", "x"], ["y"], axis=1), image, []
    yield node("Softmax", ["x"], ["y"], axis=1), image, []
    yield node("Flatten", ["x"], ["y"], axis=1), image, []
    yield node("LayerNormalization", ["x", "s"], ["y"], axis=-1, epsilon=1e-5, stash_type=1), image, [
        build.weight("s", (8,))]
    yield node("BatchNormalization", ["x", "s", "s", "s", "s"], ["y"], epsilon=1e-5, momentum=0.9), image, [
        build.weight("s", (4,))]
    yield node("InstanceNormalization", ["x", "s", "s"], ["y"], epsilon=1e-5), image, [build.weight("s", (4,))]
    yield node("LRN", ["x"], ["y"], alpha=0.1, beta=0.75, bias=1.0, size=3), image, []
    yield node("ReduceMean", ["x"], ["y"], axes=[2, 3], keepdims=1), image, []
    yield node("ArgMax", ["x"], ["y"], axis=1, keepdims=0, select_last_index=0), image, []
    yield node("Gather", ["x", "i"], ["y"], axis=1), image, [helper.make_tensor("i", int64, [2], [0, 1])]
    yield node("GatherElements", ["x", "i"], ["y"], axis=1), image, [
        helper.make_tensor("i", int64, [1, 1, 1, 2], [0, 1])]
    yield node("Split", ["x"], ["y", "z"], axis=1), image, []
    yield node("Gemm", ["x", "w"], ["y"], alpha=1.0, beta=1.0, transA=0, transB=0), value("x", (2, 3)), [
        build.weight("w", (3, 4))]
    yield node("SpaceToDepth", ["x"], ["y"], blocksize=2), image, []
    yield node("DepthToSpace", ["x"], ["y"], blocksize=2, mode="DCR"), image, []
    yield node("Resize", ["x", "", "f"], ["y"], mode="linear", coordinate_transformation_mode="half_pixel",
               cubic_coeff_a=-0.75, exclude_outside=0, nearest_mode="floor"), image, [
        helper.make_tensor("f", TensorProto.FLOAT, [4], [1, 1, 2, 2])]
    yield node("CumSum", ["x", "i"], ["y"], exclusive=0, reverse=0), image, [helper.make_tensor("i", int64, [], [1])]
    yield node("Trilu", ["x"], ["y"], upper=1), image, []
    yield node("QuantizeLinear", ["x", "s", "q"], ["y"], axis=1), image, [
        build.weight("s", (4,)), helper.make_tensor("q", TensorProto.INT8, [4], [0] * 4)]
    yield node("LSTM", ["x", "w", "r"], ["y"], hidden_size=4, direction="forward", activations=["Tanh"] * 3,
               clip=3.0, layout=0), value("x", (5, 1, 4)), [
        build.weight("w", (1, 16, 4)), build.weight("r", (1, 16, 4))]
    yield node("Constant", [], ["y"], value_ints=[1, 2]), value("x"), []
    yield node("Cast", ["x"], ["y"], to=6), image, []
    yield node("LeakyRelu", ["x"], ["y"], alpha=0.1), image, []
    yield node("Einsum", ["x", "x"], ["y"], equation="abcd,abcd->ab"), image, []


def extreme_values(case, every):
    """All mutants, or each so-many-th of them."""
    paths = []
    total = itertools.count()
    for number, (template, given, weights) in enumerate(templates()):
        for count, (name, changed) in zip(itertools.count(), mutations(template)):
            if next(total) % every:
                continue
            mutant = type(template)()
            mutant.CopyFrom(template)
            for i, attribute in enumerate(mutant.attribute):
                if attribute.name == name:
                    mutant.attribute[i].CopyFrom(changed)
            output = value("y", None, 7 if template.op_type == "ArgMax" else 1)
            built = model([mutant], [given], [output], weights)
            paths.append(case.write(f"{number:02}-{template.op_type}-{count:02}-{name}.onnx", built))
    inspect_all(case, paths, seconds=200)


def case_extreme_attribute_values(case):
    extreme_values(case, 5)


def long_extreme_attribute_values(case):
    extreme_values(case, 1)
