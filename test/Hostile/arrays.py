"""Arrays for run and verify: files that are none, and arrays that do not fit the model."""
import io
import random
import struct
import zipfile

import numpy as np

import build
from build import model, node, value
from harness import MEGABYTES, Failure


def npz(**arrays):
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def zipped(members, method=zipfile.ZIP_STORED):
    """A .npz with members of any bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def bomb(declared, zeros):
    """A .npz whose header says `declared` bytes before very many zeros (None: without a header). It is made without
    holding them: the kernel counts what this process holds as the child's peak."""
    out, header = io.BytesIO(), b""
    if declared is not None:
        header = npy(np.zeros(0, np.int8)).replace(b"(0,), }" + b" " * 10, f"({declared},), }}".encode().ljust(17))
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x.npy", "w") as member:
        member.write(header)
        for _ in range(zeros // 1_000_000):
            member.write(bytes(1_000_000))
    return out.getvalue()


def npy(array):
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def rejects(case, command, data, message, *flags, megabytes=MEGABYTES):
    """run or verify on these bytes is an error; the output file does not appear."""
    path = case.write("in.npz", data)
    out = case.folder / "out.npz"
    option = "--input" if command == "run" else "--reference"
    more = ["--output", out] if command == "run" else []
    case.check(case.leafc_run(command, case.folder / "m.onnx", option, path, *more, *flags), 1, message, megabytes)
    if out.exists() or list(case.folder.glob("out.npz*")):
        raise Failure("an output file was left")


X = np.ones((2, 3), np.float32)


def case_wrong_names_shapes_and_types_in_run(case):
    case.write("m.onnx", build.gemm())
    for arrays, message in (({}, "input 'x' float32.2,3. is missing"), (dict(z=X), "no input 'z' .inputs: x."),
                            (dict(x=X, z=X), "no input 'z'"),
                            (dict(x=X.astype(np.float64)), "input 'x' is float64; the model takes 'x' float32"),
                            (dict(x=X.astype(np.int32)), "is int32"), (dict(x=X[0]), "rank 1.*rank 2"),
                            (dict(x=X.T), r"has 3 in dimension 0, the model's input has 2"),
                            (dict(x=X[:0]), "has 0 in dimension 0"), (dict(x=np.float32(1)), "rank 0"),
                            (dict(x=X[None]), "rank 3"), (dict(x=X.astype(np.complex64)), "'<c8' is not supported"),
                            (dict(x=np.array(["a", "b"])), "input 'x' is an array of strings; the model takes float32"),
                            (dict(x=np.zeros(2, [("a", "<f4")])), "no records")):
        rejects(case, "run", npz(**arrays), message)
    case.check(case.leafc_run("run", case.folder / "m.onnx", "--input", case.folder / "none.npz"), 1,
               "cannot read '.*none.npz': No such file")
    case.check(case.leafc_run("run", case.folder / "m.onnx", "--input", case.folder), 1, "error: .")


def case_wrong_names_shapes_and_types_in_verify(case):
    case.write("m.onnx", build.gemm())
    good = {"in:x": X, "out:y": np.zeros((2, 4), np.float32)}
    for change, message in (({"in:x": None}, "input 'x' .*is missing"), ({"out:y": None}, "has no array 'out:NAME'"),
                            ({"y": X}, "array 'y' starts with neither 'in:' nor"),
                            ({"out:y": np.zeros((4, 2), np.float32)}, r"is float32\[2,4\], the reference is float32"),
                            ({"out:y": np.zeros((2, 4))}, "differs"),
                            ({"out:z": X, "out:y": None}, "output y: not in the reference: differs"),
                            ({"out:z": X}, "output z: not an output of the model: differs"),
                            ({"in:x": X.T}, "has 3 in dimension 0"), ({"in:q": X}, "no input 'q'"),
                            ({"out:y": np.full((2, 4), np.nan, np.float32)}, "max rel error inf: differs")):
        arrays = {key: array for key, array in {**good, **change}.items() if array is not None}
        rejects(case, "verify", npz(**arrays), message)


def case_dynamic_sizes(case):
    open_model = model([node("Add", ["a", "b"], ["y"])], [value("a", ("n", 3)), value("b", ("n", 3))],
                       [value("y", ("n", 3))])
    case.write("m.onnx", open_model)
    for a, b, message in ((X, np.ones((4, 3), np.float32), "is 2 in another input|has 4 in dimension 0"),
                          (np.ones((9, 3), np.float32), np.ones((9, 3), np.float32), "above the bound")):
        rejects(case, "run", npz(a=a, b=b), message, "--dim", "n<=5")
    rejects(case, "run", npz(a=X, b=np.ones((4, 3), np.float32)), "has 4 in dimension 0|shapes do not fit")
    for flag in ("n=0", "n=-1", "n<=0", "n=99999999999999999999", "n", "=3", "n=3x", "m=3"):
        answer = case.leafc_run("compile", case.folder / "m.onnx", "-o", case.out, "--dim", flag)
        case.check(answer, (1, 2), "--dim")
    case.check_nothing_left()


def case_no_npz(case):
    case.write("m.onnx", build.gemm())
    good = npz(x=X)
    rejects(case, "run", b"", "in.npz")
    rejects(case, "run", b"PK", "in.npz")
    rejects(case, "run", b"\0" * 1000, "in.npz")
    rejects(case, "run", npy(X), "in.npz")
    for size in range(0, len(good), 17):
        rejects(case, "run", good[:size], "in.npz")


def case_damaged_npy(case):
    case.write("m.onnx", build.gemm())
    good = npy(X)
    header = good[:10]
    for data in (b"", good[:8], good[:40], good[:-1], good + b"\0", b"\x93NUMPY\x09\0" + good[8:],
                 good.replace(b"(2, 3)", b"(2, 4)"), good.replace(b"(2, 3)", b"(-2,3)"),
                 good.replace(b"(2, 3)", b"(9" + b"9" * 30 + b")")[:len(good)],
                 good.replace(b"'<f4'", b"'<f9'"), good.replace(b"'<f4'", b"'|O' "), good.replace(b"{", b"["),
                 good.replace(b"descr", b"dscr'"), good.replace(b"False", b"Maybe"),
                 header[:8] + b"\xff\xff" + good[10:], good.replace(b"(2, 3)", b"((((("), good.replace(b"}", b" ")):
        rejects(case, "run", zipped({"x.npy": data}), "array 'x': ")
    rejects(case, "run", zipped({"x.txt": good}), "is no .npy")
    shape = b"{'descr': '<f4', 'fortran_order': False, 'shape': (" + b"1," * 5000 + b"), }"
    data = b"\x93NUMPY\x02\0" + struct.pack("<I", len(shape)) + shape + b"\0\0\0\0"
    rejects(case, "run", zipped({"x.npy": data}), "array 'x': ")


def case_zip_tricks(case):
    case.write("m.onnx", build.gemm())
    twice = io.BytesIO()
    with zipfile.ZipFile(twice, "w") as archive:
        archive.writestr("x.npy", npy(X))
        import warnings
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            archive.writestr("x.npy", npy(X))
    rejects(case, "run", twice.getvalue(), "is there twice|already exists")
    rejects(case, "run", bomb(None, 100_000_000), "array 'x': malformed")
    # The size is looked at before anything is inflated; what must be inflated is, once. leafc at rest takes 100 MB, and
    # this process may have grown to more than that in earlier cases.
    rejects(case, "run", bomb(1000, 300_000_000), "the shape needs 1000 bytes", megabytes=350)
    rejects(case, "run", bomb(300_000_000, 300_000_000), "is int8|rank 1", megabytes=480)
    rejects(case, "run", zipped({"x.npy": npy(X)}, zipfile.ZIP_BZIP2), "compression method 12 is not supported")
    lie = bytearray(zipped({"x.npy": npy(X)}, zipfile.ZIP_DEFLATED))
    directory = lie.rfind(b"PK\1\2")
    lie[directory + 24:directory + 28] = struct.pack("<I", 0xFFFFFFF0)
    rejects(case, "run", bytes(lie), "in.npz")
    rejects(case, "run", zipped({"x.npy": npy(X), "../../evil.npy": npy(X)}), "no input '../../evil'")


def case_flipped_bits(case):
    """Any answer is fine that is one: other numbers are other numbers."""
    case.write("m.onnx", build.gemm())
    rng = random.Random(4)
    good = npz(x=X)
    for _ in range(25):
        data = bytearray(good)
        for _ in range(3):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        path = case.write("in.npz", bytes(data))
        answer = case.leafc_run("run", case.folder / "m.onnx", "--input", path)
        case.check(answer, (0, 1), None if answer.code == 0 else "error: .")


def case_pinned_arrays(case):
    path = case.write("m.onnx", model([node("Add", ["x", "b"], ["y"])], [value("x"), value("b")]))
    for data, message in ((npy(X.astype(np.int8)), "the array holds int8, the input is float32"),
                          (npy(X[0]), "rank 1"), (npy(X)[:60], "malformed|truncated"), (b"", "malformed"),
                          (npy(X.T), "has 3 in dimension 0")):
        case.rejects(path, message, "--pin", f"b={case.write('b.npy', data)}")
    case.rejects(path, "there is no such input", "--pin", f"q={case.write('b.npy', npy(X))}")
    case.rejects(path, "cannot read '/dev/zero': it is no regular file", "--pin", "b=/dev/zero")
    case.rejects(path, "No such file", "--pin", f"b={case.folder}/none.npy")
