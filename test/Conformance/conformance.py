"""Runs the ONNX backend suites of the onnx wheel through leafc and compares with their own outputs and tolerances.

  conformance.py --build build/release                           all node tests, compiled and run in process
  conformance.py --build ... --filter 'test_(resize|lstm).*'     those whose name matches
  conformance.py --build ... --emit c                            as C, built with gcc and run
  conformance.py --build ... --sample 150                        every n-th test, so that there are about 150
  conformance.py --build ... --table docs/SupportedOps.md        writes the table of operators

An input that only decides shapes may be pinned to the test's data where the model cannot be compiled without it; the
table says where. A test is `passed`, `refused` (leafc says at compile time what it does not support), or `failed`: a
wrong answer, a crash, or a time-out. The last line is N passed, N failed, N skipped, where skipped are those refused.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import onnx
import onnx.backend.test.loader
import onnx.numpy_helper

TIMEOUT_S = 120
Result = collections.namedtuple("Result", "name operator status reason pinned")


def load_cases(kind, pattern, sample):
    warnings.simplefilter("ignore")  # the cases compute their own overflows
    cases = [case for case in onnx.backend.test.loader.load_model_tests(kind=kind) if pattern.search(case.name)]
    cases.sort(key=lambda case: case.name)
    if sample and sample < len(cases):
        step = len(cases) / sample
        cases = [cases[int(i * step)] for i in range(sample)]
    return cases


def read_case(case):
    """The model and one list of (inputs, outputs) per data set, as arrays; None where a value is no tensor."""
    model = case.model or onnx.load(os.path.join(case.model_dir, "model.onnx"))
    if case.data_sets:
        return model, case.data_sets
    sets = []
    for folder in sorted(pathlib.Path(case.model_dir).glob("test_data_set_*")):
        values = []
        for kind in ("input", "output"):
            files = sorted(folder.glob(f"{kind}_*.pb"), key=lambda path: int(path.stem.split("_")[1]))
            tensors = []
            for path in files:
                tensor = onnx.TensorProto()
                tensor.ParseFromString(path.read_bytes())
                tensors.append(onnx.numpy_helper.to_array(tensor))
            values.append(tensors)
        sets.append(tuple(values))
    return model, sets


def is_tensor(value):
    return isinstance(value, (np.ndarray, np.generic)) and np.asarray(value).dtype.kind in "biuf"


def compare(name, actual, expected, rtol, atol):
    """Why the output differs, or None."""
    expected = np.asarray(expected)
    if actual.dtype != expected.dtype:
        return f"output '{name}' is {actual.dtype}, not {expected.dtype}"
    if actual.shape != expected.shape:
        return f"output '{name}' has shape {actual.shape}, not {expected.shape}"
    if expected.dtype.kind == "f":
        if np.allclose(actual.astype(np.float64), expected.astype(np.float64), rtol=rtol, atol=atol, equal_nan=True):
            return None
        error = np.nanmax(np.abs(actual.astype(np.float64) - expected.astype(np.float64)))
        return f"output '{name}' differs by {error:.3g}"
    return None if np.array_equal(actual, expected) else f"output '{name}' differs"


class Runner:
    def __init__(self, args):
        self.args = args

    def command(self, words):
        try:
            done = subprocess.run([self.args.build / "bin/leafc", *words], capture_output=True, text=True,
                                  timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            return None, "takes longer than 120 s"
        return done.returncode, done.stderr.strip()

    def attempt(self, folder, pins, names, inputs, outputs):
        """(status, reason) of one run with the inputs `pins` made constants."""
        words = []
        feeds = {}
        for name, value in zip(names, inputs):
            if name in pins:
                path = folder / f"pin{len(words)}.npy"
                np.save(path, np.asarray(value))
                words += ["--pin", f"{name}={path}"]
            else:
                feeds[name] = np.asarray(value)
        np.savez(folder / "in.npz", **feeds)
        if self.args.emit == "jit":
            (folder / "out.npz").unlink(missing_ok=True)
            words = ["run", folder / "model.onnx", "--input", folder / "in.npz", "--output", folder / "out.npz", *words]
            code, text = self.command(map(str, words))
        else:
            np.savez(folder / "ref.npz", **{f"in:{k}": v for k, v in feeds.items()},
                     **{f"out:{name}": np.asarray(value) for name, value in outputs})
            words = ["verify", folder / "model.onnx", "--reference", folder / "ref.npz", f"--emit={self.args.emit}",
                     *words]
            code, text = self.command(map(str, words))
        if code is None or code < 0 or code > 2:
            return "failed", f"exit code {code}: {text[-300:]}"
        return ("ran", "") if code == 0 else ("refused", text)

    def run(self, case):
        model, sets = read_case(case)
        operator = case.name if not model.graph.node else model.graph.node[-1].op_type
        result = lambda status, reason="", pinned=(): Result(case.name, operator, status, reason, tuple(pinned))
        with tempfile.TemporaryDirectory(prefix="conformance") as temp:
            folder = pathlib.Path(temp)
            onnx.save(model, folder / "model.onnx")
            initializers = {tensor.name for tensor in model.graph.initializer}
            names = [value.name for value in model.graph.input if value.name not in initializers]
            for inputs, outputs in sets:
                if not all(map(is_tensor, list(inputs) + list(outputs))):
                    return result("refused", "has an input or output that is no tensor of numbers")
                named = list(zip([value.name for value in model.graph.output], outputs))
                pins = []
                status, reason = self.attempt(folder, pins, names, inputs, named)
                if status == "refused":
                    pins = [name for name, value in list(zip(names, inputs))[1:] if np.asarray(value).size <= 64]
                    if pins:
                        status, reason = self.attempt(folder, pins, names, inputs, named)
                    if status == "refused" and len(names) == 1 and np.asarray(inputs[0]).size <= 64:
                        pins = names
                        status, reason = self.attempt(folder, pins, names, inputs, named)
                if status != "ran":
                    return result(status, reason)
                if self.args.emit == "jit":
                    with np.load(folder / "out.npz") as got:
                        for name, expected in named:
                            if name not in got:
                                return result("failed", f"output '{name}' is missing")
                            problem = compare(name, got[name], expected, case.rtol, case.atol)
                            if problem:
                                return result("failed", problem)
        return result("passed", "", pins)


def write_table(path, results, total):
    rows = collections.defaultdict(lambda: [0, 0, set(), set()])
    for item in results:
        row = rows[item.operator]
        row[0] += item.status == "passed"
        row[1] += 1
        row[2].update(item.pinned)
        if item.status != "passed":
            lines = [line.strip() for line in item.reason.splitlines() if line.strip()]
            row[3].add(lines[0][:120] if lines else item.status)
    passed = sum(item.status == "passed" for item in results)
    lines = [f"{passed} of {total} node tests", "", "Generated by `test/Conformance/conformance.py --table`.", "",
             "| operator | passed | tests | pinned inputs | what is missing |", "|---|---|---|---|---|"]
    for operator, (good, count, pinned, reasons) in sorted(rows.items()):
        why = "; ".join(sorted(reasons)[:2]).replace("|", "/")
        lines.append(f"| {operator} | {good} | {count} | {', '.join(sorted(pinned))} | {why} |")
    pathlib.Path(path).write_text("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, type=pathlib.Path)
    parser.add_argument("--kind", default="node", help="node, simple, pytorch-converted, pytorch-operator")
    parser.add_argument("--filter", default="", help="regular expression on the tests' names")
    parser.add_argument("--sample", type=int)
    parser.add_argument("--at-least", type=int, default=0, help="fewer passed tests are a failure")
    parser.add_argument("--emit", choices=["jit", "c", "lib"], default="jit")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--table")
    parser.add_argument("--json", help="all results, for later comparison")
    args = parser.parse_args()
    cases = load_cases(args.kind, re.compile(args.filter), args.sample)
    runner = Runner(args)
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        results = list(pool.map(runner.run, cases))
    counts = collections.Counter(item.status for item in results)
    for item in results:
        if item.status == "failed":
            print(f"FAIL: {item.name}: {item.reason}")
    if counts["passed"] < args.at_least:
        counts["failed"] += 1
        print(f"FAIL: only {counts['passed']} tests pass, {args.at_least} did before")
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps([item._asdict() for item in results], indent=0))
    if args.table:
        write_table(args.table, results, len(cases))
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['refused']} skipped")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
