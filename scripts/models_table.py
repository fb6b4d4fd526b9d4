#!/usr/bin/env python3
"""Writes docs/Models.md: every model of a folder verified and measured, or the error that it gives.

    scripts/models_table.py --build build/release ../shared/models           all
    scripts/models_table.py --build build/release ../shared/models mnist_cnn magika_v3_3

The folder holds models/NAME.onnx and ref/NAME.npz (arrays in:NAME and out:NAME). Latencies of leafc and ONNX Runtime, one
thread each on the same core, are taken in turns, a new process each time; nothing else should run meanwhile.
"""
import argparse
import datetime
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORKER = ROOT / "test" / "Models" / "ort_bench.py"
ANSWERS = ROOT / "test" / "Models" / "shared.py"
TIMEOUT = 600

HEAD = """# Models

<!-- Made by scripts/models_table.py; do not edit. -->

What `leafc verify` and `leafc bench` say about {total} models, on {date}, {version}, for the CPU that it ran on:
**{cpu}**, one thread on one core, {rounds} rounds in turns with ONNX Runtime {ort} on the same core.

- **error**: largest error over the largest magnitude of an output, against ONNX Runtime's stored outputs; agreement means
  1e-4, for integers equality. Quantized models are judged by their answers (`test/Models/shared.py`): "same answers" is
  what counts, where a code or two differ.
- **latency**: median of a run on the reference's inputs, in milliseconds; **/ ORT**: over ONNX Runtime's (below 1: leafc
  is faster).
- **arena**, **weights**, **code**: KiB of a compiled model. **compile**: seconds; **memory**: the compiler's peak, MiB.

| model | error | | latency | / ORT | arena | weights | code | compile | memory |
|---|--:|---|--:|--:|--:|--:|--:|--:|--:|
"""


def cpu_name():
    """As Linux says it."""
    match = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    return match[1].strip() if match else "unknown"


def run(command, core=None):
    """Exit code, output, and the peak memory in MiB of the process or its children."""
    pin = (lambda: os.sched_setaffinity(0, {core})) if core is not None else None
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen([str(word) for word in command], stdout=output, stderr=subprocess.STDOUT,
                                   preexec_fn=pin)
        # wait4 instead of wait: it tells what the process used, with the children that it waited for.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        return process.returncode, output.read().strip(), usage.ru_maxrss / 1024


def last_json(text):
    """The last line, as JSON."""
    return json.loads(text.splitlines()[-1])


class Measurer:
    """Verifies and measures one model after the other."""

    def __init__(self, args):
        self.leafc, self.python, self.core = args.build.resolve() / "bin" / "leafc", args.python, args.core
        self.rounds, self.runs = args.rounds, args.runs
        self.ort_version = ""

    def measure(self, model, reference):
        """A row: dict of columns, or an error text."""
        code, text, _ = run(["timeout", TIMEOUT, self.leafc, "verify", model, "--reference", reference])
        errors = re.findall(r"max rel error (\S+): ", text)
        if code == 124:
            return f"no answer in {TIMEOUT} s"
        if code != 0 and not errors:
            return text
        agrees = "agrees" if code == 0 else "same answers" if self.has_same_answers(model) else "differs"
        row = {"error": max(errors, key=float) if errors else "", "agrees": agrees}
        with tempfile.TemporaryDirectory() as folder:
            failure = self.bench(model, reference, f"{folder}/in.npz", row)
        return failure or row

    def has_same_answers(self, model):
        """What the test says, in process."""
        command = ["env", f"LEAF_SHARED={model.parent.parent.parent}", self.python, ANSWERS, "--build",
                   self.leafc.parent.parent, model.stem, "jit"]
        code, text, _ = run(command)
        return code == 0 and not re.search(r"^0 passed", text, re.M)

    def bench(self, model, reference, inputs, row):
        """Adds the measured columns; an error text where a session fails."""
        ours, theirs, memory = [], [], []
        for _ in range(self.rounds):
            code, text, _ = run([self.python, WORKER, model, reference, inputs, self.runs], self.core)
            if code != 0:
                return f"ONNX Runtime: {text}"
            result = last_json(text)
            theirs.append(result["median_ns"])
            self.ort_version = result["version"]
            code, text, peak = run([self.leafc, "bench", model, "--inputs", inputs, "--runs", self.runs, "--json"],
                                   self.core)
            if code != 0:
                return text
            ours.append(last_json(text))
            memory.append(peak)
        latency = statistics.median(result["median_ns"] for result in ours)
        row.update(latency=latency / 1e6, ratio=latency / statistics.median(theirs),
                   arena=ours[0]["arena_bytes"] / 1024, weights=ours[0]["weights_bytes"] / 1024,
                   code=ours[0]["code_bytes"] / 1024, memory=max(memory),
                   compile=min(result["compile_ns"] for result in ours) / 1e9)
        return None


def table_row(name, row):
    """A line of the table."""
    return (f"| {name} | {row['error']} | {row['agrees']} | {row['latency']:.3f} | {row['ratio']:.2f} | "
            f"{row['arena']:,.0f} | {row['weights']:,.0f} | {row['code']:,.0f} | {row['compile']:.2f} | "
            f"{row['memory']:,.0f} |\n")


def failure_text(name, model, text):
    """A model that fails: its message, without the folder."""
    lines = text.replace(f"{model.parent}/", "").splitlines()
    return f"**{name}**\n\n```text\n" + "\n".join(lines[:12]) + "\n```\n\n"


def page(results, measurer, leafc_version):
    """The whole file."""
    good = [(name, row) for name, _, row in results if isinstance(row, dict)]
    text = HEAD.format(total=len(results), date=datetime.date.today(), version=leafc_version, cpu=cpu_name(),
                       rounds=measurer.rounds, ort=measurer.ort_version)
    text += "".join(table_row(name, row) for name, row in good)
    if good:
        agree = sum(row["agrees"] != "differs" for _, row in good)
        mean = statistics.geometric_mean(row["ratio"] for _, row in good)
        text += f"\n{agree} of {len(results)} agree; the geometric mean of / ORT is {mean:.2f}.\n"
    if len(good) < len(results):
        text += "\n## Not compiled\n\n"
        text += "".join(failure_text(*result) for result in results if isinstance(result[2], str))
    return text.rstrip() + "\n"


def main():
    """Measures all models and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release")
    parser.add_argument("--python", default=ROOT / "build" / "venv" / "bin" / "python",
                        help="one that has numpy and onnxruntime")
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=25, help="timed runs of a round")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "Models.md")
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    measurer = Measurer(args)
    results = []
    for model in sorted((args.folder.resolve() / "models").glob("*.onnx")):
        reference = args.folder / "ref" / f"{model.stem}.npz"
        if reference.exists() and (not args.names or model.stem in args.names):
            results.append((model.stem, model, measurer.measure(model, reference)))
            row = results[-1][2]
            print(table_row(model.stem, row) if isinstance(row, dict) else f"{model.stem}: failed\n", end="",
                  flush=True)
    version = subprocess.run([measurer.leafc, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    args.out.write_text(page(results, measurer, version))
    return 0


if __name__ == "__main__":
    sys.exit(main())
