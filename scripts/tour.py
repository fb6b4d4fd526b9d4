#!/usr/bin/env python3
"""Writes docs/TourOfThePasses.md: one small network after each stage, as leafc really leaves it.

    scripts/tour.py --build build/release            writes it
    scripts/tour.py --build build/release --check    exit code 1 where the file differs
"""
import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "TourOfThePasses.md"
MODEL = "demo/tour.onnx"
TARGET = "x86-64-v3"

INTRODUCTION = f"""# A tour of the stages

<!-- Made by `make docs` (scripts/tour.py), which runs leafc and holds the explanations; edit that. -->

One small network, from the ONNX file to code. [demo/tour.onnx](../{MODEL}) has five nodes: a convolution of an 8x8 picture
into 4 channels, ReLU, 2x2 pooling, flattening, and a fully connected layer with 3 outputs. What you see was written by

    leafc compile {MODEL} --target={TARGET} --dim batch=1 --dump-stages=stages --stop-after=codegen

and shortened: numbers of constants are `…`, and names of ONNX nodes stand in place of the aliases of locations. Do it
with a model of yours, and `leaf-opt stages/05.form.mlir --leaf-stage-plan` to run one stage by hand, or
`--mlir-print-ir-after-all` to see each pass. [Architecture.md](Architecture.md) states what holds after each stage,
[Passes.md](Passes.md) describes each pass.
"""

IMPORT = """libonnx has checked the model, converted it to its newest opset and inlined functions. Each node is an op of
the `onnx` dialect, with the node's name as its location; constants of at most 256 bytes are `onnx.Constant`, larger ones
symbols (`leaf.weight`), whose bytes stay in the mapped file. `batch` became 1 by the option. Pooling has a second result
that nobody asked for, of type `none`."""

NORMALIZE = """Shapes are inferred, constants folded, batch normalization would be folded into the convolution. What
has several spellings in ONNX has one from here on: the `Flatten` is a `Reshape`. An operator that cannot be compiled is
reported at the end of this stage, with all others of its kind."""

OPTIMIZE = """Convolution and pooling want their channels last. `leaf-channels-last` gives them the attribute
`leaf.channels_last` and puts a `Transpose` before and after each; `leaf-propagate-transposes` moves those until they meet
and vanish. At the input, the one channel makes the transposition a `Reshape`. At the end, the last one went into
`fc.weight`, whose rows were permuted at compile time: no data is moved at run time."""

FORM = """No ONNX is left. `leaf-convert-onnx-to-linalg` lowered each op to `linalg.generic` or `leaf.contract` (our one
contraction: indexing maps, and regions for what happens before and after), `leaf-fuse-epilogues` pulled bias and ReLU
into the convolution, and `leaf-outline-kernels` put each group into a `plan.kernel` that writes to an operand (`outs`).
`@main` only calls kernels; equal ones would be one. Weights are packed: `tensor<1x3x3x1x8xf32>` is one panel of 8
channels, of which 4 are zeros, for the 8 lanes of the target's vectors."""

FORM_KERNEL = """The kernel of convolution and ReLU. Its input has a halo of zeros, which `@kernel_0` wrote, so that no
bounds are tested. The maps say which element each of the seven loops reads; `epilogue` computes the scalar that is
stored:"""

PLAN = """Tensors became buffers: `plan.slot` is a place in the arena, at a fixed offset. Slots whose lives do not overlap
share bytes (the padded picture and the result of the pooling), and the total reached the lower bound. The last kernel
writes into the caller's buffer. Kernels are still on tensors, untouched."""

CODEGEN = """Each kernel became loops over flat buffers, with vectors as wide as the target's. The emitter chose 8 pixels
by one vector for the convolution: the accumulators stay in registers (`iter_args`) over the whole reduction. `%arg5` and
`%arg6` are the range of tiles, for callers with threads. The first lines:"""

CALLS = """`plan.call` became `plan.launch`, with the number of tiles:"""

EMIT = """The same form goes to LLVM, or is printed as C. The first lines of the convolution in `tour.c`
(`--emit=c`):"""

HEADER = """And all that a program sees is in `tour.h`:"""

STAGES = ["01.import", "02.normalize", "04.optimize", "05.form", "06.plan", "07.codegen"]


def run_leafc(leafc, folder):
    """Text of each stage, the C file, the header and the summary."""
    base = [leafc, "compile", MODEL, f"--target={TARGET}", "--dim", "batch=1"]
    subprocess.run([*base, f"--dump-stages={folder}", "--stop-after=codegen"], cwd=ROOT, check=True)
    summary = subprocess.run([*base, "-o", folder], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    subprocess.run([*base, "-o", folder, "--emit=c"], cwd=ROOT, check=True, capture_output=True)
    texts = {stage: (folder / f"{stage}.mlir").read_text(errors="replace") for stage in STAGES}
    return texts, (folder / "tour.c").read_text(), (folder / "tour.h").read_text(), summary


def readable(text):
    """A dump without the numbers of constants, with names in place of location aliases."""
    names = dict(re.findall(r"^(#loc\d*) = loc\((.*)\)$", text, re.M))
    names = {alias: re.sub(r"\(#loc\d*\)$", "", name) for alias, name in names.items()}  # without a node's outputs
    text = re.sub(r"^(// leafc-stage|#loc|#map).*\n", "", text, flags=re.M)
    text = re.sub(r" loc\((#loc\d*)\)", lambda m: "" if ".onnx" in names.get(m[1], ".onnx") else f" loc({names[m[1]]})",
                  text)
    text = re.sub(r' loc\("[^"]*\.onnx"\)', "", text)
    return re.sub(r"dense<\[[^>]*\]>", lambda m: m[0] if len(m[0]) < 24 else "dense<…>", text)


def block(text, start):
    """Lines from the first that contains `start` to the line that closes its brace."""
    lines = text.splitlines()
    first = next(i for i, line in enumerate(lines) if start in line)
    indent = re.match(r" *", lines[first])[0]
    last = next(i for i in range(first + 1, len(lines)) if lines[i].startswith(indent + "}"))
    return [line[len(indent):] for line in lines[first:last + 1]]


def code(lines, language="mlir", most=None):
    """A Markdown block of at most `most` lines."""
    if most and len(lines) > most:
        lines = [*lines[:most], f"… {len(lines) - most} more lines"]
    return f"```{language}\n" + "\n".join(lines) + "\n```\n"


def maps_of(text, lines):
    """Definitions of the maps that the lines use."""
    used = set(re.findall(r"#map\d*", "\n".join(lines)))
    return [line for line in text.splitlines() if line.split(" ")[0] in used]


def page(texts, source, header, summary):
    """The whole file."""
    stage = {name: readable(text) for name, text in texts.items()}
    main = {name: block(text, "func.func @main") for name, text in stage.items()}
    # The convolution's kernel is the one that also does the ReLU.
    kernel = block(stage["05.form"], 'nodes = ["conv", "relu"]')
    compiled = block(stage["07.codegen"], 'nodes = ["conv", "relu"]')
    name = re.search(r"@(kernel_\d+)", compiled[0])[1]
    loops = next(i for i, line in enumerate(compiled) if "scf.for" in line)
    function = block(source, next(line for line in source.splitlines()
                                  if re.search(rf"\b(tour_)?{name}\(", line) and line.endswith("{")))
    figures = [line for line in summary.splitlines() if not re.match(r" +(time|written)", line)]
    weights = [line.strip() for line in stage["01.import"].splitlines() if "leaf.weight" in line]
    parts = [
        INTRODUCTION,
        "## import\n", IMPORT + "\n", code([*weights, *main["01.import"]]),
        "## normalize\n", NORMALIZE + "\n", code(main["02.normalize"]),
        "`compress` follows: it changes nothing unless asked to.\n",
        "## optimize\n", OPTIMIZE + "\n", code(main["04.optimize"]),
        "## form\n", FORM + "\n", code(main["05.form"]),
        FORM_KERNEL + "\n", code([*maps_of(texts["05.form"], kernel), *kernel]),
        "## plan\n", PLAN + "\n", code([stage["06.plan"].splitlines()[0], *main["06.plan"]]),
        "## codegen\n", CALLS + "\n", code(main["07.codegen"]),
        CODEGEN + "\n", code([compiled[0], *compiled[loops:]], most=28),
        "## emit\n", EMIT + "\n", code(function, "c", most=24),
        HEADER + "\n", code([*block(header, "typedef struct tour_inputs"), *block(header, "typedef struct tour_outputs"),
                             *[line for line in header.splitlines() if line.startswith("#define TOUR_")]], "c"),
        "leafc's own summary:\n", code(figures, "text"),
    ]
    return "\n".join(parts)


def main():
    """Writes or checks the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        text = page(*run_leafc(args.build.resolve() / "bin" / "leafc", Path(folder)))
    if not args.check:
        PAGE.write_text(text)
    elif not PAGE.exists() or PAGE.read_text() != text:
        print("docs/TourOfThePasses.md is stale: run make docs")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
