"""Sizes that are too large, negative, or not those of the data."""
from onnx import TensorProto, helper

import build
from build import model, node, value
from harness import Failure

HUGE = 2**62


def tensor(name, dims, raw, element=TensorProto.FLOAT):
    out = TensorProto(name=name, data_type=element, raw_data=raw)
    out.dims.extend(dims)
    return out


def add_of(initializer):
    return model([node("Add", ["x", initializer.name], ["y"])], initializers=[initializer])


def case_initializer_sizes(case):
    for dims in ((HUGE, HUGE), (2**31, 2**31, 2**31), (2**40,), (HUGE, 4), (-1, 3), (3, -HUGE), (2**63 - 1,)):
        case.rejects(case.write("m.onnx", add_of(tensor("w", dims, b"\0" * 24))),
                     r"initializer 'w' (has an impossible shape|holds 24 bytes, but its shape and type need \d+)")
    case.rejects(case.write("m.onnx", add_of(tensor("w", (2, 3), b"\0" * 23))), "holds 23 bytes.* need 24")
    case.rejects(case.write("m.onnx", add_of(tensor("w", (2, 3), b"\0" * 25))), "holds 25 bytes.* need 24")
    case.rejects(case.write("m.onnx", add_of(tensor("w", (2, 3), b""))), "holds 0 bytes.* need 24")
    case.rejects(case.write("m.onnx", add_of(tensor("w", (0, HUGE), b"\0" * 4))), "w'")


def case_typed_fields_of_the_wrong_length(case):
    for field, element in (("float_data", TensorProto.FLOAT), ("double_data", TensorProto.DOUBLE),
                           ("int32_data", TensorProto.INT32), ("int64_data", TensorProto.INT64),
                           ("int32_data", TensorProto.FLOAT16), ("uint64_data", TensorProto.UINT32)):
        out = TensorProto(name="w", data_type=element)
        out.dims.extend((2, 3))
        getattr(out, field).extend([1] * 5)
        case.rejects(case.write("m.onnx", add_of(out)), "'w' (holds|has)|is no valid model")


def case_sparse_tensor_that_grows(case):
    values = helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0])
    indices = helper.make_tensor("i", TensorProto.INT64, [1], [5])
    for dims, message in (((2**40,), "sparse tensors above 2 GiB|impossible shape"),
                          ((HUGE, HUGE), "impossible shape"), ((4,), "index outside its shape"),
                          ((-4,), "impossible shape")):
        sparse = helper.make_sparse_tensor(values, indices, dims)
        built = model([node("Add", ["x", "w"], ["y"])])
        built.graph.sparse_initializer.append(sparse)
        case.rejects(case.write("m.onnx", built), message)


def case_input_sizes(case):
    for shape in ((HUGE, HUGE), (2**31, 2**31, 2**31), (2**60,)):
        built = model([node("Relu", ["x"], ["y"])], [value("x", shape)], [value("y", shape)])
        case.rejects(case.write("m.onnx", built), "input 'x' .*(impossible|too large)")
    for shape in ((-2, 3), (-HUGE, 3)):  # exporters write open dimensions so
        built = model([node("Relu", ["x"], ["y"])], [value("x", shape)], [value("y", shape)])
        case.accepts(case.write("m.onnx", built))


def case_large_input_is_not_allocated(case):
    built = model([node("Relu", ["x"], ["y"])], [value("x", (2**40,))], [value("y", (2**40,))])
    path = case.write("m.onnx", built)
    case.survives(path)
    case.check(case.leafc_run("run", path, "--input", case.write("in.npz", b"PK\5\6" + b"\0" * 18)), 1,
               "this machine has|input 'x'")


def case_operators_that_grow(case):
    def ints(name, values):
        return helper.make_tensor(name, TensorProto.INT64, [len(values)], values)

    def scalar(name, number):
        return helper.make_tensor(name, TensorProto.INT64, [], [number])

    x = value("x")
    open_output = [value("y", None)]
    built = [
        model([node("ConstantOfShape", ["s"], ["c"]), node("Add", ["x", "c"], ["y"])], [x], open_output,
              [ints("s", [2**40])]),
        model([node("ConstantOfShape", ["s"], ["c"]), node("Add", ["x", "c"], ["y"])], [x], open_output,
              [ints("s", [HUGE, HUGE])]),
        model([node("Expand", ["x", "s"], ["y"])], [x], open_output, [ints("s", [HUGE, 2, 3])]),
        model([node("Expand", ["w", "s"], ["c"]), node("Add", ["x", "c"], ["y"])], [x], open_output,
              [ints("s", [2**36, 2, 3]), build.weight("w", (2, 3))]),
        model([node("Tile", ["x", "s"], ["y"])], [x], open_output, [ints("s", [2**61, 2**61])]),
        model([node("Tile", ["w", "s"], ["c"]), node("Add", ["x", "c"], ["y"])], [x], open_output,
              [ints("s", [2**30, 2**30]), build.weight("w", (2, 3))]),
        model([node("Pad", ["x", "s"], ["y"])], [x], open_output, [ints("s", [2**61, 0, 2**61, 0])]),
        model([node("Pad", ["x", "s"], ["y"])], [x], open_output, [ints("s", [-2**61, 0, -9, 0])]),
        model([node("Range", ["a", "b", "c"], ["r"]), node("Cast", ["r"], ["y"], to=1)], [x], open_output,
              [scalar("a", 0), scalar("b", 2**62), scalar("c", 1)]),
        model([node("Range", ["a", "b", "c"], ["r"]), node("Cast", ["r"], ["y"], to=1)], [x], open_output,
              [scalar("a", 0), scalar("b", 10), scalar("c", 0)]),
        model([node("Reshape", ["x", "s"], ["y"])], [x], open_output, [ints("s", [2**62, -1])]),
        model([node("Reshape", ["x", "s"], ["y"])], [x], open_output, [ints("s", [-1, -1])]),
        model([node("Reshape", ["x", "s"], ["y"])], [x], open_output, [ints("s", [-7, 6])]),
        model([node("OneHot", ["i", "d", "v"], ["y"])], [value("i", (2, 3), TensorProto.INT64)], open_output,
              [scalar("d", 2**61), helper.make_tensor("v", TensorProto.FLOAT, [2], [0.0, 1.0])]),
        model([node("Resize", ["q", "", "f"], ["y"])], [value("q", (1, 1, 4, 4))], open_output,
              [helper.make_tensor("f", TensorProto.FLOAT, [4], [1, 1, 1e18, 1e18])]),
        model([node("Resize", ["q", "", "f"], ["y"])], [value("q", (1, 1, 4, 4))], open_output,
              [helper.make_tensor("f", TensorProto.FLOAT, [4], [1, 1, float("nan"), -1.0])]),
        model([node("Split", ["x", "s"], ["y", "z"], axis=1)], [x], open_output, [ints("s", [-2**62, 2**62 + 3])]),
        model([node("Slice", ["x", "a", "b", "c", "d"], ["y"])], [x], open_output,
              [ints("a", [-2**63]), ints("b", [2**63 - 1]), ints("c", [0]), ints("d", [-2**63])]),
        model([node("Gather", ["x", "i"], ["y"])], [x], open_output, [ints("i", [2**40, -2**63])]),
        model([node("TopK", ["x", "k"], ["y", "z"])], [x], open_output, [ints("k", [2**62])]),
        model([node("Unsqueeze", ["x", "a"], ["y"])], [x], open_output, [ints("a", list(range(2, 2000)))]),
    ]
    wrong = (1, 2, 4, 6, 9, 10, 11, 12, 13, 14, 15, 16, 19)
    for i, one in enumerate(built):
        answer = case.survives(case.write(f"m{i:02}.onnx", one))
        if answer.code == 0 and i in wrong:
            raise Failure(f"model {i} has no meaning and was compiled\n{answer.text}")


def case_deep_ranks(case):
    for rank in (33, 200, 3000):
        built = model([node("Relu", ["x"], ["y"])], [value("x", (1,) * rank)], [value("y", (1,) * rank)])
        case.survives(case.write("m.onnx", built))
    shape = (2,) * 60
    built = model([node("Relu", ["x"], ["y"])], [value("x", shape)], [value("y", shape)])
    case.rejects(case.write("m.onnx", built), "input 'x' .*(impossible|too large)")
