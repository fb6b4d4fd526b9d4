"""Weights in other files: where they may lie, and what they must hold."""
import os

from onnx import TensorProto

import build
from build import model, node


def external(entries, dims=(2, 3)):
    """x + w, with w's bytes elsewhere."""
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL)
    tensor.dims.extend(dims)
    for key, text in entries.items():
        tensor.external_data.add(key=key, value=text)
    return model([node("Add", ["x", "w"], ["y"])], initializers=[tensor])


def case_a_good_one(case):
    case.write("w.bin", bytes(100))
    case.accepts(case.write("m.onnx", external(dict(location="w.bin", offset="16", length="24"))))
    case.write("sub/w.bin", bytes(24))
    case.accepts(case.write("m.onnx", external(dict(location="sub/w.bin"))))
    case.accepts(case.write("m.onnx", external(dict(location="./sub/../sub/w.bin"))))


def case_outside_of_the_folder(case):
    (case.folder / "inside").mkdir()
    case.write("w.bin", bytes(24))
    for location in ("../w.bin", "/etc/passwd", str(case.folder / "w.bin"), "sub/../../w.bin", "", "..", ".", "./..",
                     "w.bin\0.txt"):
        case.rejects(case.write("inside/m.onnx", external(dict(location=location))),
                     "external data '.*(must be a relative path inside the model's folder|no regular file)")
    (case.folder / "inside" / "link.bin").symlink_to("../w.bin")
    case.rejects(case.write("inside/m.onnx", external(dict(location="link.bin"))), "leads out of the model's folder")
    (case.folder / "inside" / "up").symlink_to("..")
    case.rejects(case.write("inside/m.onnx", external(dict(location="up/w.bin"))), "leads out of the model's folder")
    os.link(case.folder / "w.bin", case.folder / "inside" / "hard.bin")
    case.rejects(case.write("inside/m.onnx", external(dict(location="hard.bin"))),
                 "'hard.bin' has several hard links.*make a copy")


def case_links_inside_of_the_folder(case):
    case.write("w.bin", bytes(24))
    (case.folder / "link.bin").symlink_to("w.bin")
    case.accepts(case.write("m.onnx", external(dict(location="link.bin"))))
    (case.folder / "loop.bin").symlink_to("loop.bin")
    case.rejects(case.write("m.onnx", external(dict(location="loop.bin"))), "'loop.bin' cannot be read")


def case_missing_file_folder_device_and_pipe(case):
    case.rejects(case.write("m.onnx", external(dict(location="none.bin"))),
                 r"initializer 'w': external data 'none.bin' cannot be read: No such file.*expected at .*none.bin")
    case.rejects(case.write("m.onnx", external({})), "must be a relative path")
    (case.folder / "sub").mkdir()
    case.rejects(case.write("m.onnx", external(dict(location="sub"))), "no regular file")
    os.mkfifo(case.folder / "pipe")
    case.rejects(case.write("m.onnx", external(dict(location="pipe"))), "no regular file")
    (case.folder / "zero").symlink_to("/dev/zero")
    case.rejects(case.write("m.onnx", external(dict(location="zero"))), "leads out of the model's folder")


def case_offset_and_length(case):
    case.write("w.bin", bytes(100))
    for entries, message in ((dict(offset="77"), "beyond the 100 bytes"), (dict(offset="101"), "beyond the 100 bytes"),
                             (dict(offset=str(2**63)), "beyond|malformed"), (dict(offset=str(2**64 - 1)), "beyond"),
                             (dict(offset=str(2**64)), "malformed offset"), (dict(offset="-1"), "malformed offset"),
                             (dict(offset="0x10"), "malformed offset"), (dict(offset=""), "malformed offset"),
                             (dict(length="-24"), "malformed"), (dict(length="12"), "external data has 12 bytes"),
                             (dict(length=str(2**64 - 1)), "external data has"), (dict(length="1e2"), "malformed"),
                             (dict(length="100"), "external data has 100 bytes")):
        case.rejects(case.write("m.onnx", external({"location": "w.bin", **entries})),
                     f"initializer 'w': .*({message})")
    case.rejects(case.write("m.onnx", external(dict(location="w.bin"), (2**40,))), "beyond the 100 bytes")
    case.rejects(case.write("m.onnx", external(dict(location="w.bin"), (2**62, 2**62))), "impossible shape")
    case.rejects(case.write("m.onnx", external(dict(location="w.bin"), (-2, 3))), "impossible shape")


def case_in_nodes_and_subgraphs(case):
    inner = TensorProto(name="v", data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL)
    inner.dims.extend((2, 3))
    inner.external_data.add(key="location", value="../../etc/passwd")
    built = model([node("Constant", [], ["v"], value=inner), node("Add", ["x", "v"], ["y"])])
    case.rejects(case.write("m.onnx", built), "must be a relative path inside the model's folder")
    lying = build.weight("w", (2, 3))
    lying.data_location = TensorProto.EXTERNAL
    case.rejects(case.write("m.onnx", model([node("Add", ["x", "w"], ["y"])], initializers=[lying])),
                 "must be a relative path")
