"""Files that are no models, or damaged ones."""
import os
import random
from pathlib import Path

import build
from harness import Failure

DATA = Path(__file__).resolve().parent.parent / "Models" / "data"


def inspect_all(case, paths, seconds=120):
    """Runs `leafc inspect` on many files in one process. Models that are none are errors, and the next one follows."""
    for start in range(0, len(paths), 40):
        part = paths[start:start + 40]
        answer = case.leafc_run("inspect", *part, seconds=seconds)
        case.check(answer, (0, 1))
        for path in part:
            if str(path) not in answer.text:
                raise Failure(f"no word of {path.name}\n{answer.text[-1500:]}")


def case_not_a_protobuf(case):
    for data in (b"\x00" * 100, b"\x89PNG\r\n\x1a\n" + bytes(range(256)), b"hello, world\n" * 50, b"\xff" * 1000,
                 b"\x93NUMPY\x01\x00v\x00{'descr': '<f4'}", b"PK\x03\x04" + b"\0" * 60):
        case.rejects(case.write("m.onnx", data), r"m\.onnx: is no ONNX model")


def case_empty_file(case):
    case.rejects(case.write("m.onnx", b""), r"m\.onnx: is no ONNX model: the file is empty")


def case_missing_file_folder_and_device(case):
    case.rejects(case.folder / "none.onnx", r"none\.onnx: cannot be read: No such file")
    case.rejects(case.folder, "cannot be read: it is a folder")
    case.rejects("/dev/zero", "/dev/zero: cannot be read: it is no regular file")
    os.mkfifo(case.folder / "loop")
    link = case.folder / "l.onnx"
    link.symlink_to(link)
    case.rejects(link, "cannot be read: Too many levels of symbolic links")


def case_unreadable_file(case):
    path = case.write("m.onnx", build.gemm())
    path.chmod(0)
    if os.access(path, os.R_OK):
        return  # root reads everything
    case.rejects(path, "cannot be read: Permission denied")


def case_truncated_at_every_1000th_byte(case):
    data = (DATA / "mnist_cnn.onnx").read_bytes()
    paths = [case.write(f"cut{size:06}.onnx", data[:size]) for size in range(0, len(data), 1000)]
    inspect_all(case, paths)
    case.rejects(paths[5], "is no ONNX model, or is truncated")
    case.rejects(paths[-1], "is no ONNX model, or is truncated")


def case_flipped_bits(case):
    rng = random.Random(1)
    paths = []
    data = build.convnet().SerializeToString()
    # The weights are most of the file and can hold any bits; the structure is at both ends.
    head = [i for i in range(len(data)) if i < 600 or i > len(data) - 700]
    for i in range(160):
        damaged = bytearray(data)
        for _ in range(rng.choice((1, 1, 2, 8))):
            damaged[rng.choice(head)] ^= 1 << rng.randrange(8)
        paths.append(case.write(f"flip{i:03}.onnx", bytes(damaged)))
    inspect_all(case, paths)


def case_random_bytes_in_the_middle(case):
    rng = random.Random(2)
    data = (DATA / "charlm_kv.onnx").read_bytes()
    paths = []
    for i in range(12):
        at, size = rng.randrange(len(data)), rng.randrange(1, 64)
        paths.append(case.write(f"mid{i:02}.onnx", data[:at] + rng.randbytes(size) + data[at + size:]))
    inspect_all(case, paths)


def case_stage_files(case):
    for text, message in ((b"", "does not say after which stage"), (b"// leafc-stage\n", "stage"),
                          (b"// leafc-stage form target host triple x cpu y features z\nmodule {\n", "."),
                          (b"// leafc-stage nowhere target host\nmodule {}\n", "there is no stage 'nowhere'"),
                          (b"// leafc-stage form target pdp11\nmodule {}\n", "pdp11"),
                          (b"\xff\xfe\x00" * 20, "."), (b"module { func.func @main() { return } }", "--start-from")):
        case.rejects(case.write("m.mlir", text), message)
    answer = case.leafc_run("compile", DATA / "mnist_cnn.onnx", "--stop-after=form", "--dump-stages", case.folder / "s")
    case.check(answer, 0)
    stage = case.folder / "s" / "05.form.mlir"
    weights = stage.with_suffix(".weights")
    good = weights.read_bytes()
    for size in (0, 7, 8, 16, 63, 64, 100, len(good) // 2, len(good) - 1):
        weights.write_bytes(good[:size])
        case.rejects(stage, "05.form.weights'", "--name=m")
    rng = random.Random(3)
    text = stage.read_bytes()
    weights.write_bytes(good)
    for _ in range(12):
        at = rng.randrange(len(text))
        stage.write_bytes(text[:at] + rng.randbytes(4) + text[at + 4:])
        case.survives(stage)
