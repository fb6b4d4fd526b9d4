"""Runs the ONNX backend suites of the onnx wheel through leafc and compares with their own outputs and tolerances.

  conformance.py --build build/release                           all node tests, compiled and run in process
  conformance.py --build ... --suite all                         also simple, pytorch-converted, pytorch-operator
  conformance.py --build ... --filter 'test_(resize|lstm).*'     those whose name matches
  conformance.py --build ... --emit c                            as C, built with gcc and run
  conformance.py --build ... --emit lib --target rpi4 --sample 188   as objects for aarch64, under qemu
  conformance.py --build ... --sample 150                        every n-th test, so that there are about 150
  conformance.py --build ... --table docs/SupportedOps.md        writes the table of operators
  conformance.py --build ... --check docs/SupportedOps.md        tests that pass according to the table must pass

An input that only decides shapes may be pinned to the test's data where the model cannot be compiled without it; the
table says where. A bound that leafc asks for is the largest size in the test's outputs. A test is `passed`, `refused`
(leafc says at compile time what it does not support), or `failed`: a wrong answer, a crash, or a time-out. The last
line is N passed, N failed, N skipped, where skipped are those refused.
"""

import argparse
import collections
import json
import pathlib
import platform
import queue
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import cases  # noqa: E402
import leafc  # noqa: E402
import randomness  # noqa: E402
import table  # noqa: E402
import values  # noqa: E402

import numpy as np  # noqa: E402
import onnx  # noqa: E402

# A message that asks for the largest size of a result.
BOUND = re.compile(r"--bound '(.+?)=N'")
# What emitted programs include; to read <immintrin.h> takes gcc longer than all else for a small model.
HEADERS = ("immintrin.h", "stdbool.h", "stddef.h", "stdint.h", "stdio.h")
# Larger inputs are data, which no model needs at compile time.
MAX_PINNED_ELEMENTS = 64
Result = collections.namedtuple("Result", "suite name operator status reason pinned types milliseconds")


def compare(case, inputs, got, expected):
    """Why the outputs are wrong, or None."""
    check = randomness.find_check(case.name)
    tolerance = (0, np.inf) if check else (case.rtol, case.atol)
    for name, value in expected.items():
        if check and value.dtype == bool and got[name] is not None and got[name].dtype == bool:
            continue
        problem = values.compare(name, got[name], value, *tolerance)
        if problem:
            return problem
    return check(inputs, got, expected) if check else None


def make_compiler(folder):
    """A command like gcc that has its headers compiled; it does not optimize much, as each program runs once."""
    header, compiler = folder / "headers.h", folder / "cc"
    header.write_text("".join(f"#include <{name}>\n" for name in HEADERS))
    gcc = [shutil.which("gcc"), "-pthread", "-O1"]
    subprocess.run([*gcc, "-x", "c-header", header, "-o", folder / "headers.h.gch"], check=True)
    compiler.write_text(f'#!/bin/sh\nexec {gcc[0]} "$@" -O1 -Winvalid-pch -include {header}\n')
    compiler.chmod(0o755)
    return compiler


class Worker:
    """Runs cases one after the other in a process and a folder of its own."""

    def __init__(self, args, folder):
        self.args = args
        self.folder = pathlib.Path(folder)
        self.options = ["--emit", args.emit] + (["--target", args.target] if args.target else [])
        if args.emit == "c" and not args.target and platform.machine() == "x86_64":
            self.options += ["--compiler", make_compiler(self.folder)]
        self.leafc = leafc.Leafc(args.build)

    def attempt(self, inputs, pins, bounds):
        """(status, reason, outputs) of one run with the inputs `pins` made constants, and sizes up to `bounds`."""
        arrays, words = {}, [word for key, size in bounds.items() for word in ("--bound", f"{key}={size}")]
        for number, (name, value) in enumerate(inputs.items()):
            if name in pins:
                path = self.folder / f"pin{number}.npy"
                np.save(path, values.to_file(value))
                words += ["--pin", f"{name}={path}"]
            else:
                values.pack(name, value, arrays)
        np.savez(self.folder / "in.npz", **arrays)
        output = self.folder / "out.npz"
        output.unlink(missing_ok=True)
        code, text = self.leafc.run("run", self.folder / "model.onnx", "--input", self.folder / "in.npz", "--output",
                                    output, *self.options, *words)
        if code not in (0, 1):
            return "failed", f"exit code {code}: {text[-300:]}", {}
        if code == 1:
            # A message of a compiler or a program is no refusal.
            broken = "failed with code" in text
            asked = BOUND.search(text)
            if asked and asked[1] not in bounds and not broken:
                return self.attempt(inputs, pins, {**bounds, asked[1]: self.largest})
            return "failed" if broken else "refused", text if broken else table.readable(text), {}
        with np.load(output, allow_pickle=False) as got:
            return "ran", "", dict(got.items())

    def run_with_pins(self, inputs):
        """As attempt, and the inputs that had to be pinned."""
        small = [name for name, value in inputs.items()
                 if isinstance(value, np.ndarray) and values.count_elements(value) <= MAX_PINNED_ELEMENTS]
        choices = [[], [name for name in small if name != next(iter(inputs))], small]
        first = None
        for pins in choices:
            if pins or first is None:
                status, reason, outputs = self.attempt(inputs, pins, {})
                first = first or reason
                if status != "refused":
                    return status, reason, outputs, pins
        return "refused", first, {}, []

    def run(self, suite, test, siblings):
        operator = cases.operator_of(test, siblings)
        pinned, types = set(), set()
        done = lambda status, reason="": Result(suite, test.name, operator, status, reason, sorted(pinned),
                                                sorted(types), self.leafc.milliseconds)
        try:
            case = cases.read(suite, test, siblings)
            onnx.save(case.model, self.folder / "model.onnx")
            for inputs, outputs in case.data:
                self.largest = max(map(values.largest_size, outputs.values()), default=1)
                status, reason, arrays, pins = self.run_with_pins(inputs)
                if status != "ran":
                    return done(status, reason)
                pinned.update(pins)
                types.update(filter(None, map(values.element_type, [*inputs.values(), *outputs.values()])))
                got = {name: values.unpack(name, arrays) for name in outputs}
                problem = compare(case, inputs, got, outputs)
                if problem:
                    return done("failed", problem)
        except values.Unsupported as problem:
            return done("refused", f"takes or gives {problem}")
        return done("passed")


def run_all(args, found):
    """Results in the order of `found`, by `args.jobs` workers."""
    work = queue.SimpleQueue()
    for item in enumerate(found):
        work.put(item)
    results = [None] * len(found)

    def serve():
        with tempfile.TemporaryDirectory(prefix="conformance") as folder:
            worker = Worker(args, folder)
            while not work.empty():
                try:
                    index, item = work.get_nowait()
                except queue.Empty:
                    break
                results[index] = worker.run(*item)
            worker.leafc.close()

    threads = [threading.Thread(target=serve) for _ in range(args.jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def make_parser():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, type=pathlib.Path)
    parser.add_argument("--suite", default="node", choices=[*cases.SUITES, "all"])
    parser.add_argument("--filter", default="", help="regular expression on the tests' names")
    parser.add_argument("--sample", type=int)
    parser.add_argument("--at-least", type=int, default=0, help="fewer passed tests are a failure")
    parser.add_argument("--emit", choices=["jit", "c", "lib"], default="jit")
    parser.add_argument("--target", help="as leafc's option")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--table", type=pathlib.Path)
    parser.add_argument("--check", type=pathlib.Path)
    parser.add_argument("--json", type=pathlib.Path, help="all results, for later comparison")
    parser.add_argument("--verbose", action="store_true", help="also what was refused, with its reason")
    return parser


def main():
    args = make_parser().parse_args()
    args.build = args.build.resolve()
    suites = cases.SUITES if args.suite == "all" else [args.suite]
    found = cases.load(suites, args.filter, args.sample)
    start = time.time()
    results = run_all(args, found)
    counts = collections.Counter(item.status for item in results)
    for item in results:
        if item.status == "failed" or (args.verbose and item.status == "refused"):
            print(f"{'FAIL' if item.status == 'failed' else 'refused'}: {item.name}: {item.reason}")
    problems, notes = table.check(args.check, results) if args.check else ([], [])
    for note in notes:
        print(f"note: {args.check}: {note}")
    if counts["passed"] < args.at_least:
        problems.append(f"only {counts['passed']} tests pass, {args.at_least} did before")
    for problem in problems:
        print(f"FAIL: {args.check or 'conformance'}: {problem}")
    if args.json:
        args.json.write_text(json.dumps([item._asdict() for item in results], indent=0))
    if args.table:
        table.write(args.table, results)
    median = statistics.median(item.milliseconds for item in results) if results else 0
    print(f"{time.time() - start:.0f} s; median of a run {median:.0f} ms")
    print(f"{counts['passed']} passed, {counts['failed'] + len(problems)} failed, {counts['refused']} skipped")
    return 1 if counts["failed"] or problems else 0


if __name__ == "__main__":
    sys.exit(main())
