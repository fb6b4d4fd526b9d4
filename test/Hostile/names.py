"""Names and texts with anything in them: the generated C compiles and is not escaped from."""
import re
import shutil

from onnx import TensorProto, helper

from build import model, node, value, weight
from harness import Failure, run

# Serialized as they are: protobuf's Python wants UTF-8, so other bytes are put in place of a marker afterwards.
EVIL = [
    "a */ int evil(void) { return 1; } /*", "b // line", "c\nint evil;\n", "d\\", "e\\\nint evil;", 'f" "', "g'",
    "h??/", "i??/\nint evil;", "j%s%n", "k\t\r\v\f\b\a", "l\x1b[31m", "m\u2028\u202e\u0000n", "o;}", "p`id`$(id)",
    "q<x>&amp;", "r#include <evil>", "s\n#define int long", "/*", "*/", "??)", "\\", '"', "'", " ", "-", "9", "_",
    "__x",
]
KEYWORDS = [
    "int", "float", "if", "while", "inline", "restrict", "class", "new", "delete", "this", "template", "bool", "true",
    "main", "NULL", "EOF", "errno", "stdin", "INT8_MAX", "int64_t", "uint8_t", "size_t", "linux", "unix", "i386",
    "LEAF_OK", "LEAF_H", "LEAF_ALIGNAS", "LEAF_LEAF_H", "leaf_context", "arena", "ctx", "in", "out", "status", "dims",
    "buffers", "M_ARENA_BYTES", "M_WEIGHTS_BYTES", "M_entry", "m_entry", "m_run", "INFINITY", "NAN", "asm", "typeof",
    "and", "or", "not", "xor", "concept", "x", "X", "in0", "out0", "inputs", "outputs", "model", "float32_t", "assert",
]


def wide(names, element=TensorProto.FLOAT):
    """Each name is an input, and with a tail an output, a node, a weight and a dimension."""
    nodes, inputs, outputs, weights = [], [], [], []
    for i, name in enumerate(names):
        nodes.append(node("Add", [name, name + "w"], [name + "y"], name=name + "n", doc_string=name))
        inputs.append(value(name, (4, f"{name}d") if i < 3 else (4, 2)))
        outputs.append(value(name + "y", None))
        weights.append(weight(name + "w", (1,), i))
    for one in inputs + outputs + weights:
        one.doc_string = names[0]
    built = model(nodes, inputs, outputs, weights, doc=names[0])
    built.doc_string = built.producer_name = built.producer_version = built.domain = names[0]
    helper.set_model_props(built, {names[0]: names[-1]})
    return built


COMPILERS = (["gcc", "-std=c99"], ["clang-22", "-std=c99"], ["gcc", "-std=gnu17"], ["g++", "-std=c++17", "-x", "c++"])
WARNINGS = ["-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only"]


def check_c(case, name, code=True):
    """The C file, the example and the header compile without a warning; the header as C++ too."""
    header = case.write("header.c", f'#include "{name}.h"\nint main(void) {{ return 0; }}\n'.encode())
    descriptor = case.write("descriptor.c", f'#include "leaf/model.h"\n#include "{name}.h"\n'
                            f"int main(void) {{ return {name}_model()->num_inputs < 0; }}\n".encode())
    include = str(descriptor.parents[0])
    runtime = __import__("pathlib").Path(__file__).resolve().parents[2] / "runtime" / "include"
    for compiler in COMPILERS:
        if not shutil.which(compiler[0]):
            continue
        files = [header, descriptor]
        if code and "c++" not in compiler:
            files += [case.out / "example.c", case.out / f"{name}.c"]
        for file in files:
            answer = run([*compiler, *WARNINGS, f"-I{case.out}", f"-I{runtime}", f"-I{include}", file], seconds=120)
            if answer.code:
                raise Failure(f"{' '.join(compiler)} {file.name}:\n{answer.text[:2000]}")
    for path in case.out.iterdir():
        if re.search(rb"(?m)^\s*(int evil|#define int|#include <evil>)", path.read_bytes()):
            raise Failure(f"{path.name}: a name escaped into the text")
        if path.suffix in (".c", ".h", ".cmake") and re.search(rb"[^\x20-\x7e\n]", path.read_bytes()):
            raise Failure(f"{path.name}: bytes that are no printable ASCII")


def dims(names):
    return [flag for name in names[:3] for flag in ("--dim", f"{name}d<=5")]


def case_evil_names_in_c(case):
    names = [name for name in EVIL if "\0" not in name]
    path = case.write("m.onnx", wide(names))
    case.accepts(path, "--emit=c", *dims(names))
    check_c(case, "m")


def case_evil_names_in_libraries_and_stages(case):
    names = [name for name in EVIL if "\0" not in name]
    path = case.write("m.onnx", wide(names))
    case.accepts(path, *dims(names))
    check_c(case, "m", code=False)
    stages = case.folder / "s"
    answer = case.leafc_run("compile", path, "--dump-stages", stages, "--stop-after=codegen", *dims(names))
    case.check(answer, 0)
    for stage in sorted(stages.glob("*.mlir")):
        shutil.rmtree(case.out)
        case.accepts(stage)
        check_c(case, "m", code=False)


def case_keywords_and_macros(case):
    for stem in ("m", "LEAF", "int", "main"):
        path = case.write(f"{stem}.onnx", wide(KEYWORDS))
        case.accepts(path, "--emit=c", *dims(KEYWORDS))
        name = next(path.stem for path in case.out.glob("*.c") if path.name != "example.c")
        check_c(case, name)
        shutil.rmtree(case.out)


def case_bytes_that_are_no_utf8(case):
    names = ["a@@@@", "b@@@@", "c@@@@"]
    data = wide(names).SerializeToString().replace(b"@@@@", b"\xff\x80\xc3(")
    path = case.write("m.onnx", data)
    flags = []
    for letter in b"abc":
        flags += [b"--dim", bytes([letter]) + b"\xff\x80\xc3(d<=5"]
    answer = run([bytes(case.leafc), b"compile", bytes(path), b"-o", bytes(case.out), b"--emit=c", *flags])
    case.check(answer, 0)
    if re.search(r"\\xff|\udcff", answer.text) and "\\xFF" not in answer.text:
        raise Failure("raw bytes in the summary")
    check_c(case, "m")
    case.check(case.leafc_run("inspect", path), 0, r"a\\xFF\\x80\\xC3\(")
    case.check(case.leafc_run("bench", path, "--runs=1", *[flag.decode(errors="surrogateescape") for flag in flags]),
               (0, 1))
    case.rejects(case.write("m.onnx", data.replace(b"\xff\x80\xc3(w", b"\xff\x80\xc3(q")), r"\\xFF")


def case_terminal_commands_in_messages(case):
    built = model([node("Foo\x1b[2J\x07", ["x"], ["y"], name="n\x1b]0;evil\x07\r")])
    answer = case.leafc_run("compile", case.write("m.onnx", built), "-o", case.out)
    case.check(answer, 1, r"\\x1B")
    if re.search("[\x1b\x07\r]", answer.text):
        raise Failure("control characters reach the terminal")


def case_zero_bytes_in_names(case):
    path = case.write("m.onnx", wide(["a\0b", "a\0c", "\0"]))
    flags = ["--dim", "x=1"]
    case.check(case.leafc_run("compile", path, "-o", case.out, *flags), (0, 1))
    case.check(case.leafc_run("inspect", path), (0, 1), r"a\\x00b")


def case_model_names(case):
    stems = ["leaf", "leaf_model", "leaf_run", "stdint", "stddef", "math", "string", "example", "features", "while",
             "3d", "_x", "NULL", "errno", "a b", "a'b", 'a"b', "a\nb", "a*b", "$(id)", "-", "--help", "é", "x" * 200]
    for stem in stems:
        path = case.write(f"{stem}.onnx", model([node("Add", ["x", "w"], ["y"])], initializers=[weight("w", (2, 3))]))
        answer = case.leafc_run("compile", "--emit=c", "-o", case.out, "--", path)
        case.check(answer, 0)
        name = next(path.stem for path in case.out.glob("*.h"))
        check_c(case, name)
        shutil.rmtree(case.out)
    for name in ("leaf", "int", "1x", "a b", "stdio", "example", "", "a/../../b", "LEAF_x"):
        answer = case.leafc_run("compile", path, "-o", case.out, f"--name={name}")
        case.check(answer, 2, "--name takes an identifier")
        case.check_nothing_left()


def case_long_names(case):
    case.rejects(case.write("m.onnx", wide(["n" * 100_000])), "the name of input 'nnn.* has 100000 bytes; at most")
    one = model([node("Add", ["a", "w" * 100_000], ["y"], name="n" * 100_000)], [value("a", (2,))],
                [value("y", (2,))], [weight("w" * 100_000, (400,))])
    one.graph.initializer[0].dims[:] = [200, 2]
    one.graph.output[0].type.tensor_type.shape.dim.add(dim_value=2)
    one.graph.output[0].type.tensor_type.shape.dim[0].dim_value = 200
    case.accepts(case.write("m.onnx", one), "--emit=c")
    check_c(case, "m")
    shutil.rmtree(case.out)
    path = case.write("m.onnx", wide(["n" * 990, "?" * 990]))
    case.accepts(path, "--emit=c", "--dim", "n" * 990 + "d=2", "--dim", "?" * 990 + "d=2")
    check_c(case, "m")
