"""Output folders that cannot be written, or not to the end: old files stay, no part of a new one appears."""
import os
import shutil
from pathlib import Path

import build
from harness import Failure, run

DATA = Path(__file__).resolve().parent.parent / "Models" / "data"
EMISSIONS = ("lib", "obj", "c")


def snapshot(folder):
    return {path.name: path.read_bytes() if path.is_file() else None for path in sorted(folder.iterdir())}


def case_full_disk(case):
    """The weights are 900 kB; files must not grow past 100 kB."""
    model = DATA / "mnist_mlp.onnx"
    for emission in EMISSIONS:
        flags = ("compile", model, "-o", case.out, f"--emit={emission}")
        answer = case.leafc_run(*flags, file_limit=100_000)
        case.check(answer, 1, "cannot write '.*/out/.*': File too large")
        case.check_nothing_left()
        case.check(case.leafc_run(*flags), 0)
        before = snapshot(case.out)
        case.check(case.leafc_run(*flags, "--max-threads=2", file_limit=100_000), 1, "File too large")
        if snapshot(case.out) != before:
            raise Failure("the old output changed")
        shutil.rmtree(case.out)


def case_full_file_system(case):
    """The same on a file system of 64 kB, where the machine lets us have one."""
    small = case.folder / "small"
    small.mkdir()
    if run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small]).code:
        return
    try:
        answer = case.leafc_run("compile", DATA / "mnist_mlp.onnx", "-o", small / "out")
        case.check(answer, 1, "cannot write '.*': No space left on device")
        if list(small.iterdir()):
            raise Failure(f"left behind: {list(small.iterdir())}")
    finally:
        run(["umount", small])


def case_folder_that_is_none(case):
    path = case.write("m.onnx", build.gemm())
    case.write("file", b"text")
    for out in ("file", "file/out", "/proc/out", "/dev/null/out"):
        target = out if out.startswith("/") else case.folder / out
        answer = case.leafc_run("compile", path, "-o", target)
        case.check(answer, 1, "cannot (make the folder|write) ")
    if (case.folder / "file").read_bytes() != b"text":
        raise Failure("the file changed")


def case_unwritable_folder(case):
    path = case.write("m.onnx", build.gemm())
    case.out.mkdir()
    case.write("out/m.h", b"old")
    case.out.chmod(0o555)
    if os.geteuid() == 0:
        if run(["chattr", "+i", case.out]).code:
            return
    try:
        answer = case.leafc_run("compile", path, "-o", case.out)
        case.check(answer, 1, "cannot write '.*/out/.*': (Permission denied|Operation not permitted)")
    finally:
        if os.geteuid() == 0:
            run(["chattr", "-i", case.out])
        case.out.chmod(0o755)
    if snapshot(case.out) != {"m.h": b"old"}:
        raise Failure(f"the folder changed: {list(snapshot(case.out))}")


def case_folders_in_the_way_of_files(case):
    path = case.write("m.onnx", build.gemm())
    for emission, name in (("lib", "libm.a"), ("lib", "m.h"), ("c", "m.c"), ("obj", "m_weights.o"), ("c", "example.c")):
        (case.out / name).mkdir(parents=True)
        answer = case.leafc_run("compile", path, "-o", case.out, f"--emit={emission}")
        case.check(answer, 1, f"cannot write '.*/{name}': Is a directory")
        if list(snapshot(case.out)) != [name]:
            raise Failure(f"left behind: {list(snapshot(case.out))}")
        shutil.rmtree(case.out)


def case_failed_compilation_keeps_the_old_output(case):
    good, bad = case.write("m.onnx", build.gemm()), case.write("bad/m.onnx", build.gemm().SerializeToString()[:-30])
    case.accepts(good)
    before = snapshot(case.out)
    case.check(case.leafc_run("compile", bad, "-o", case.out), 1, "is no ONNX model|is no valid model")
    unsupported = build.model([build.node("ImageDecoder", ["x"], ["y"])],
                              [build.value("x", (9,), build.TensorProto.UINT8)],
                              [build.value("y", (2, 2, 3), build.TensorProto.UINT8)], opset=20)
    case.check(case.leafc_run("compile", case.write("bad/m.onnx", unsupported), "-o", case.out), 1, "ImageDecoder")
    if snapshot(case.out) != before:
        raise Failure("the old output changed")


def case_output_arrays(case):
    sizes = build.helper.make_tensor("s", 7, [1], [60000])
    path = case.write("m.onnx", build.model([build.node("Expand", ["x", "s"], ["y"])], [build.value("x", (1,))],
                                            [build.value("y", (60000,))], [sizes]))
    import numpy as np
    np.savez(case.folder / "in.npz", x=np.ones(1, np.float32))
    flags = ("run", path, "--input", case.folder / "in.npz", "--output")
    case.write("o/y.npz", b"old")
    case.check(case.leafc_run(*flags, case.folder / "o/y.npz", file_limit=100_000), 1, "cannot write '.*y.npz'")
    if snapshot(case.folder / "o") != {"y.npz": b"old"}:
        raise Failure(f"the folder changed: {list(snapshot(case.folder / 'o'))}")
    case.check(case.leafc_run(*flags, case.folder / "none/y.npz"), 1, "cannot write '.*y.npz'")
    case.check(case.leafc_run(*flags, case.folder / "o"), 1, "cannot write '.*o'")


def case_stage_dumps(case):
    flags = ("compile", DATA / "mnist_mlp.onnx", "--dump-stages", case.folder / "s", "--stop-after=form")
    case.check(case.leafc_run(*flags, file_limit=100_000), 1, "cannot write '.*01.import.weights': File too large")
    if (case.folder / "s").exists() and list((case.folder / "s").iterdir()):
        raise Failure(f"left behind: {list((case.folder / 's').iterdir())}")
    case.write("file", b"")
    case.check(case.leafc_run(*flags[:3], case.folder / "file", flags[4]), 1, "cannot make the folder|cannot write")
