"""Graphs that are too long, too deep, or not graphs of ONNX at all."""
from onnx import AttributeProto, TensorProto, helper

import build
from build import model, node, value
from harness import Failure

def chain(make, count):
    """x -> make(0, x, t0) -> … -> y"""
    nodes = []
    for i in range(count):
        nodes.append(make(i, f"t{i - 1}" if i else "x", f"t{i}" if i + 1 < count else "y"))
    return nodes


def plain_chain(case, count):
    ops = ("Sigmoid", "Tanh", "Sigmoid", "Neg")
    built = model(chain(lambda i, x, y: node(ops[i % 4], [x], [y]), count), [value("x", (4,))], [value("y", (4,))])
    case.accepts(case.write("m.onnx", built), seconds=count * 0.003, megabytes=200 + count * 0.02)


def expanded_chain(case, count):
    """An older opset, and functions of the schema that become several nodes each."""
    built = model(chain(lambda i, x, y: node("Add", [x, "w"], [y]) if i % 2 else node("Celu", [x], [y]), count),
                  [value("x", (4,))], [value("y", (4,))], [build.weight("w", (4,))], opset=13)
    case.accepts(case.write("m.onnx", built), seconds=count * 0.004, megabytes=200 + count * 0.03)


def case_chain_of_10000_nodes(case):
    plain_chain(case, 10_000)


def case_chain_of_5000_nodes_to_convert_and_expand(case):
    expanded_chain(case, 5_000)


def long_chain_of_100000_nodes(case):
    plain_chain(case, 100_000)


def long_chain_of_100000_nodes_to_convert_and_expand(case):
    expanded_chain(case, 100_000)


def case_2000_initializers_with_names_alike(case):
    weights = [build.weight("!" * (i % 50) + "?" * (i // 50), (1,)) for i in range(1, 1000)]
    large = build.weight("w", (400,))
    for i in range(1000):
        one = TensorProto()
        one.CopyFrom(large)
        one.name = "".join("+-*/"[i // 4**d % 4] for d in range(8))
        weights.append(one)
    inputs = [value("x", (400,))] + [value(one.name, tuple(one.dims)) for one in weights]
    nodes = chain(lambda i, x, y: node("Add", [x, weights[i].name], [y]), len(weights))
    built = model(nodes, inputs, [value("y", (400,))], weights)
    case.survives(case.write("m.onnx", built), seconds=60, megabytes=2000)


def many_inputs_and_outputs(case, count, seconds):
    nodes = [node("Relu", [f"x{i}"], [f"y{i}"]) for i in range(count)]
    path = case.write("m.onnx", model(nodes, [value(f"x{i}") for i in range(count)],
                                      [value(f"y{i}") for i in range(count)]))
    case.accepts(path, seconds=seconds, megabytes=600)


def case_1000_inputs_and_outputs(case):
    many_inputs_and_outputs(case, 1000, seconds=60)


def long_4000_inputs_and_outputs(case):
    many_inputs_and_outputs(case, 4000, seconds=150)


def field(number, data):
    """A field of bytes as protobuf lays it down. Python's protobuf refuses messages that are nested deep."""
    size, length = len(data), b""
    while True:
        length += bytes([size & 127 | (128 if size > 127 else 0)])
        size >>= 7
        if not size:
            return bytes([number << 3 | 2]) + length + data


def nest(depth):
    """`If` in the branch of an `If`, in the branch of …"""
    def graph(node_bytes, output):
        return field(1, node_bytes) + field(2, b"g") + field(12, value(output).SerializeToString())

    inner, result = node("Relu", ["x"], ["r"]).SerializeToString(), "r"
    for i in range(depth):
        other = helper.make_graph([node("Neg", ["x"], [f"n{i}"])], "g", [], [value(f"n{i}")])
        outer = node("If", ["c"], [f"r{i}" if i + 1 < depth else "y"], else_branch=other).SerializeToString()
        branch = field(1, b"then_branch") + field(6, graph(inner, result)) + b"\xa0\x01\x05"
        inner, result = outer + field(5, branch), f"r{i}"
    whole = model([node("Relu", ["x"], ["y"])], [value("c", (), TensorProto.BOOL), value("x")])
    del whole.graph.node[:]
    body = whole.graph.SerializeToString()
    whole.ClearField("graph")
    return whole.SerializeToString() + field(7, field(1, inner) + body)


def case_if_nested_300_deep(case):
    for depth in (3, 30, 99, 300, 900, 2000):
        answer = case.survives(case.write("m.onnx", nest(depth)), seconds=30)
        if depth > 100 and "nested" not in answer.text and "protobuf cannot be parsed" not in answer.text:
            raise Failure(answer.text[-1500:])


def case_types_nested_deep(case):
    built = model([node("Relu", ["x"], ["y"])])
    inner = built.graph.input[0].type
    for _ in range(20):
        inner = inner.sequence_type.elem_type
    inner.tensor_type.elem_type = TensorProto.FLOAT
    case.rejects(case.write("m.onnx", built), "is no valid model|is no tensor|is a sequence")
    kind = built.graph.input[0].type.SerializeToString()
    for _ in range(900):
        kind = field(4, field(1, kind))
    graph = built.graph.SerializeToString()
    built.ClearField("graph")
    case.rejects(case.write("m.onnx", built.SerializeToString() + field(7, graph + field(
        11, field(1, b"z") + field(2, kind)))), "is no valid model|is no tensor|is a sequence|cannot be parsed")


def case_cyclic_graph(case):
    built = model([node("Add", ["x", "t"], ["y"]), node("Relu", ["y"], ["t"])])
    case.rejects(case.write("m.onnx", built), "is no valid model.*sorted")
    built = model([node("Add", ["x", "y"], ["y"])])
    case.rejects(case.write("m.onnx", built), "is no valid model")


def case_duplicate_names(case):
    w = build.weight("w", (2, 3))
    case.rejects(case.write("m.onnx", model([node("Relu", ["x"], ["y"]), node("Neg", ["x"], ["y"])])),
                 "is no valid model.*y")
    case.rejects(case.write("m.onnx", model([node("Add", ["x", "w"], ["y"])], initializers=[w, w])),
                 "two initializers are named 'w'")
    case.rejects(case.write("m.onnx", model([node("Add", ["x", "x"], ["y"])], [value("x"), value("x")])), "x")
    case.rejects(case.write("m.onnx", model([node("Relu", ["x"], ["y"])], [value("x")], [value("y"), value("y")])), "y")
    case.rejects(case.write("m.onnx", model([node("Relu", ["x"], ["x"])], [value("x")], [value("x")])), "x")
    same = [node("Relu", ["x"], ["t"], name="n"), node("Neg", ["t"], ["y"], name="n")]
    case.accepts(case.write("m.onnx", model(same)))


def case_missing_names(case):
    case.rejects(case.write("m.onnx", model([node("Add", ["x", "t"], ["y"])])), "t")
    case.rejects(case.write("m.onnx", model([node("Relu", ["x"], ["z"])])), "y")
    case.rejects(case.write("m.onnx", model([node("Relu", [""], ["y"])])), "Relu")
    case.rejects(case.write("m.onnx", model([node("Relu", [], ["y"])])), "Relu")
    case.rejects(case.write("m.onnx", model([node("Relu", ["x", "x"], ["y"])])), "Relu")
    case.rejects(case.write("m.onnx", model([node("Relu", ["x"], [])])), ".")
    case.rejects(case.write("m.onnx", model([])), ".")
    case.rejects(case.write("m.onnx", model([node("Relu", ["x"], ["y"])], [value("")], [value("y")])), ".")
    empty = model([node("Relu", ["x"], ["y"])])
    empty.graph.name = ""
    case.survives(case.write("m.onnx", empty))
    nothing = model([node("Relu", ["x"], ["y"])])
    del nothing.graph.output[:]
    case.rejects(case.write("m.onnx", nothing), ".")


def case_unknown_operator_type_and_opset(case):
    case.rejects(case.write("m.onnx", model([node("Frobnicate", ["x"], ["y"])])), "Frobnicate")
    case.rejects(case.write("m.onnx", model([node("Foo", ["x"], ["y"], domain="com.acme")], imports=[
        helper.make_opsetid("", 17), helper.make_opsetid("com.acme", 1)])), r"node 'Foo_0' \(com.acme.Foo\)")
    case.rejects(case.write("m.onnx", model([node("Foo", ["x"], ["y"], domain="com.acme")])), "com.acme")
    for element in (0, 8, 14, 17, 99, -1, 2**31 - 1):
        built = model([node("Relu", ["x"], ["y"])])
        built.graph.input[0].type.tensor_type.elem_type = element
        case.rejects(case.write("m.onnx", built), "x|elem_type")
        built = model([node("Cast", ["x"], ["y"], to=element)])
        built.graph.output[0].type.tensor_type.elem_type = 1
        case.rejects(case.write("m.onnx", built), "Cast|element type|type")
    for opset in (0, -1, 999, 2**62):
        case.rejects(case.write("m.onnx", model([node("Relu", ["x"], ["y"])], opset=opset)), "opset|version")
    bare = model([node("Relu", ["x"], ["y"])])
    del bare.opset_import[:]
    case.rejects(case.write("m.onnx", bare), "opset")
    for version in (0, -1, 2**62, 9999):
        case.survives(case.write("m.onnx", model([node("Relu", ["x"], ["y"])], ir=version)))
    twice = [helper.make_opsetid("", 13), helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx", 11)]
    case.survives(case.write("m.onnx", model([node("Relu", ["x"], ["y"])], imports=twice)))


def function(name, nodes):
    return helper.make_function("f", name, ["a"], ["b"], nodes,
                                [helper.make_opsetid("", 17), helper.make_opsetid("f", 1)])


def with_functions(functions):
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("f", 1)]
    return model([node("F0", ["x"], ["y"], domain="f")], imports=imports, functions=functions)


def case_functions_that_never_end(case):
    itself = function("F0", [node("F0", ["a"], ["b"], domain="f")])
    case.rejects(case.write("m.onnx", with_functions([itself])), "function 'f.F0' calls itself")
    each_other = [function("F0", [node("F1", ["a"], ["b"], domain="f")]),
                  function("F1", [node("F0", ["a"], ["b"], domain="f")])]
    case.rejects(case.write("m.onnx", with_functions(each_other)), "calls itself")
    double = [function(f"F{i}", [node(f"F{i + 1}", ["a"], ["t"], domain="f"),
                                 node(f"F{i + 1}", ["t"], ["b"], domain="f")]) for i in range(60)]
    double.append(function("F60", [node("Relu", ["a"], ["b"])]))
    case.rejects(case.write("m.onnx", with_functions(double)), "grow to more than")
    deep = [function(f"F{i}", [node(f"F{i + 1}", ["a"], ["b"], domain="f")]) for i in range(2000)]
    deep.append(function("F2000", [node("Relu", ["a"], ["b"])]))
    case.rejects(case.write("m.onnx", with_functions(deep)), "nested more than 100 deep")


def case_graph_attributes_where_none_belong(case):
    inner = helper.make_graph([node("Relu", ["x"], ["r"])], "g", [], [value("r")])
    case.rejects(case.write("m.onnx", model([node("Relu", ["x"], ["y"], body=inner)])), "Relu|body")
    lone = node("If", ["c"], ["y"], then_branch=inner)
    case.rejects(case.write("m.onnx", model([lone], [value("c", (), TensorProto.BOOL), value("x")])), "If|else_branch")
    several = node("Relu", ["x"], ["y"])
    several.attribute.append(AttributeProto(name="graphs", type=AttributeProto.GRAPHS, graphs=[inner, inner]))
    case.rejects(case.write("m.onnx", model([several])), "Relu|graphs")
