#!/usr/bin/env python3
"""Measures sparse kernels and pruned models, and writes the tables of docs/Sparsity.md.

    test/Models/sparsity_tables.py kernels                              matmul and convolutions, dense and sparse
    test/Models/sparsity_tables.py accuracy                             methods and shares on labelled models
    test/Models/sparsity_tables.py model --model FILE.onnx --runtimes   a whole model, pruned to 90 %

Each prints its table; with --write it takes the place of the old one. For an idle machine, one thread; `accuracy` needs
the shared models and data (LEAF_SHARED).
"""
import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "test"), str(ROOT / "test" / "Models")]
import compression  # noqa: E402
import sparsity  # noqa: E402

PAGE = ROOT / "docs" / "Sparsity.md"
SHARES = ("0.5", "0.6", "0.7", "0.8", "0.9")
METHODS = {"magnitude, by layer": ["--method=magnitude", "--sparsity-scope=layer"],
           "obs, by layer": ["--method=obs", "--sparsity-scope=layer"],
           "magnitude, global": ["--method=magnitude"], "obs, global": ["--method=obs"]}
LABELLED = ("mnist_cnn", "mnist_mlp", "charlm_full", "charmoe_dense")


def kernel_cases():
    """Name and model of each row: sizes of ../shared/kernels, and smaller images."""
    for rows in (1, 16, 32, 128):
        for density, name in ((0.2, "80 %"), (0.1, "90 %")):
            yield f"matmul {rows}x768x3072", name, sparsity.matmul(rows, 768, 3072, density)
        pattern = sparsity.n_of_m(768, 3072, 2, 4)
        yield f"matmul {rows}x768x3072", "2:4", sparsity.matmul(rows, 768, 3072, 0.5, pattern=pattern)
        yield f"matmul {rows}x768x3072", "block4x1 90 %", sparsity.matmul(rows, 768, 3072, 0.1, block=4)
    for density, name in ((0.2, "80 %"), (0.1, "90 %")):
        yield "matmul 1x4096x4096", name, sparsity.matmul(1, 4096, 4096, density)
        for inputs, outputs, size, kernel in ((256, 64, 56, 1), (256, 64, 28, 1), (64, 256, 28, 1), (64, 64, 56, 3),
                                              (256, 256, 14, 3)):
            model = sparsity.conv(inputs, outputs, [size, size], [kernel, kernel], density, pads=[kernel // 2] * 4)
            yield f"conv {kernel}x{kernel} {inputs} to {outputs}, {size}x{size}", name, model


def bench(leafc, path, *flags):
    """Median microseconds of the contraction's kernel, or of the whole model, and bytes of weights."""
    text = subprocess.run([leafc, "bench", path, "--profile", *flags], capture_output=True, text=True,
                          check=True).stdout
    kernels = [line.split() for line in text.splitlines() if " kernel_" in line]
    # Transpositions to channels last and back have no operations.
    own = [float(words[0]) for words in kernels if float(words[2]) > 0 and any("Conv" in word for word in words)]
    median = float(re.search(r"median +([\d.]+) us", text)[1])
    return (sum(own) if own else median), int(re.search(r"weights +([\d,]+)", text)[1].replace(",", ""))


def kernels(leafc, _args):
    rows = ["| kernel | zeros | dense us | sparse us | speed-up | weights | chosen |",
            "|---|---|---:|---:|---:|---:|---|"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kernel, zeros, model in kernel_cases():
            sparsity.write(folder, *model)
            (dense, whole), (sparse, stored) = (bench(leafc, folder / "case.onnx", f"--sparse={mode}")
                                                for mode in ("off", "always"))
            chosen = "sparse" if bench(leafc, folder / "case.onnx", "--runs=1")[1] == stored else "dense"
            rows.append(f"| {kernel} | {zeros} | {dense:.0f} | {sparse:.0f} | {dense / sparse:.2f} | "
                        f"{stored / whole:.2f} | {chosen} |")
            print(rows[-1], flush=True)
    return rows


def accuracy(leafc, _args):
    rows = ["| model | zeros | dense | " + " | ".join(METHODS) + " |", "|---|---:|---:|" + "---:|" * len(METHODS)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for model in LABELLED:
            calibration, evaluation = compression.LABELLED[model](1000)
            np.savez(folder / "cal.npz", **calibration)
            np.savez(folder / "eval.npz", **evaluation)
            for share in SHARES:
                cells = []
                for flags in METHODS.values():
                    code, text = compression.leafc(
                        leafc, "compress", compression.model_path(model), f"--eval={folder / 'eval.npz'}",
                        f"--calibration={folder / 'cal.npz'}", f"--report={folder / 'report.tsv'}",
                        f"--sparsify={share}", *flags)
                    if code:
                        raise SystemExit(text)
                    table, _ = compression.read_report(folder / "report.tsv")
                    key = "perplexity" if table["f32"]["perplexity"] != "-" else "top1"
                    cells.append(table["f32 sparse"][key])
                unit = "top-1 %" if key == "top1" else "perplexity"
                first = f"| {model}, {unit} | {float(share):.0%} | {table['f32'][key]} | "
                rows.append(first + " | ".join(cells) + " |")
                print(rows[-1], flush=True)
    return rows


def time_of(run):
    """Median milliseconds."""
    times, end = [], time.time() + 5
    run()
    while time.time() < end and len(times) < 50:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return float(np.median(times)) * 1e3


def peers(path):
    """Name and milliseconds in the runtimes that are installed, one thread, on ones."""
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    feed = {i.name: np.ones([d if isinstance(d, int) else 1 for d in i.shape], np.float32)
            for i in session.get_inputs()}
    yield "ONNX Runtime", time_of(lambda: session.run(None, feed))
    try:
        import openvino
    except ImportError:
        return
    settings = {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    request = openvino.Core().compile_model(str(path), "CPU", settings).create_infer_request()
    yield "OpenVINO", time_of(lambda: request.infer(dict(enumerate(feed.values()))))


def model(leafc, args):
    rows = ["| model, 90 % zeros | ms | of dense | weights |", "|---|---:|---:|---:|"]
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "sparse.onnx"
        code, text = compression.leafc(leafc, "compress", args.model, "-o", path, "--sparsify=0.9",
                                       "--sparsity-scope=layer")
        if code:
            raise SystemExit(text)
        figures = {mode: json.loads(subprocess.run([leafc, "bench", path, "--json", f"--sparse={mode}"], check=True,
                                                   capture_output=True, text=True).stdout.splitlines()[-1])
                   for mode in ("off", "auto")}
        dense = figures["off"]["median_ns"] / 1e6
        for mode, what in (("off", "dense"), ("auto", "sparse")):
            took = figures[mode]["median_ns"] / 1e6
            size = figures[mode]["weights_bytes"] / figures["off"]["weights_bytes"]
            rows.append(f"| {Path(args.model).stem}, {what} | {took:.1f} | {took / dense:.2f} | {size:.2f} |")
        for peer, took in peers(path) if args.runtimes else ():
            rows.append(f"| {Path(args.model).stem}, {peer} | {took:.1f} | {took / dense:.2f} | |")
    return rows


def replace_table(part, rows):
    begin, end = f"<!-- {part} -->", f"<!-- end of {part} -->"
    text = PAGE.read_text()
    head, rest = text.split(begin)
    PAGE.write_text(head + begin + "\n" + "\n".join(rows) + "\n" + end + rest.split(end)[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=("kernels", "accuracy", "model"))
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release")
    parser.add_argument("--model", type=Path, help="for `model`")
    parser.add_argument("--runtimes", action="store_true", help="for `model`: other runtimes beside it")
    parser.add_argument("--write", action="store_true", help="into docs/Sparsity.md")
    args = parser.parse_args()
    rows = {"kernels": kernels, "accuracy": accuracy, "model": model}[args.part](args.build / "bin" / "leafc", args)
    print("\n".join(rows))
    if args.write:
        replace_table(args.part, rows)


if __name__ == "__main__":
    main()
