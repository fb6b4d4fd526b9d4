#!/usr/bin/env python3
"""Runs the suites and ends with one line: N passed, N failed, N skipped.

    test/run_tests.py --build build/release             everything
    test/run_tests.py --build build/release lit unit    some suites
    test/run_tests.py --build build/release --long      those that take long

Suites: lit (test/**/*.mlir, *.test), unit (GoogleTest), models, element-types, operators, domains, integers, graphs,
compression, sparsity and programs (test/Models), lint (scripts/lint.py), docs (scripts/check_docs.py), planner-quick
(test/planner: hard cases of arena placement), install (test/Install: examples against an installation), boards
(scripts/console.py: the commands of docs/boards), conformance (a sample of the ONNX backend suite), hostile
(test/Hostile: broken and odd input), fuzz (test/fuzz: corpora, and variations of them); long ones: planner (all hard
cases), shared and light (test/Models: all models of ../shared, and those of the onnx wheel), conformance-c (as C),
hostile-long.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIT_FAILURES = ("FAIL", "XPASS", "UNRESOLVED", "TIMEOUT")
LIT_SKIPS = ("UNSUPPORTED", "SKIPPED", "EXCLUDED")


class Totals:
    """Counts of test results, and the names of the failed."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []

    def add(self, passed=0, failed=0, skipped=0):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped

    def fail(self, name):
        self.failed += 1
        self.failures.append(name)


def run_lit(build, totals, jobs):
    """lit, with its own report for people and a JSON file for the counts."""
    site = build / "test"
    if not (site / "lit.site.cfg.py").exists():
        totals.fail("lit: not configured")
        return
    lit = find_lit()
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        subprocess.run([sys.executable, lit, "-q", f"-j{jobs}", "--timeout=120", "-o", report.name, str(site)],
                       check=False)
        text = Path(report.name).read_text()
    if not text:
        totals.fail("lit: it did not run")
        return
    for test in json.loads(text)["tests"]:
        if test["code"] in LIT_FAILURES:
            totals.fail(test["name"])
        elif test["code"] in LIT_SKIPS:
            totals.add(skipped=1)
        else:
            totals.add(passed=1)


def find_lit():
    """lit of the LLVM packages."""
    for path in ("/usr/lib/llvm-22/build/utils/lit/lit.py", "/usr/lib/llvm-22/bin/lit"):
        if Path(path).exists():
            return path
    raise SystemExit("run_tests: lit is missing: apt-get install llvm-22-tools (or run 'make deps')")


def run_unit(build, totals, _jobs):
    """All GoogleTest binaries below the build's test folders."""
    binaries = sorted([*build.glob("test/unit/*Test"), *build.glob("runtime/**/*Test")])
    if not binaries:
        totals.fail("unit: no test binary is built")
    for binary in binaries:
        with tempfile.NamedTemporaryFile(suffix=".json") as report:
            result = subprocess.run([binary, "--gtest_brief=1", f"--gtest_output=json:{report.name}"], check=False,
                                    capture_output=True, text=True)
            text = Path(report.name).read_text()
        if not text:
            print(result.stdout + result.stderr)
            totals.fail(f"{binary.name}: crashed with exit code {result.returncode}")
            continue
        for suite in json.loads(text)["testsuites"]:
            for test in suite["testsuite"]:
                if test.get("failures"):
                    print(f"{binary.name}: " + "\n".join(failure["failure"] for failure in test["failures"]))
                    totals.fail(f"{binary.name}: {suite['name']}.{test['name']}")
                else:
                    totals.add(**{"skipped" if test["result"] == "SKIPPED" else "passed": 1})


def run_script(name, *flags):
    """A suite that is a script of its own and ends with the same line as this one."""
    def run(build, totals, jobs):
        script = ROOT / name
        if not script.exists():
            return
        result = subprocess.run([sys.executable, script, "--build", str(build), "--jobs", str(jobs), *flags],
                                check=False, stdout=subprocess.PIPE, text=True)
        match = re.search(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", result.stdout, re.M)
        if not match:
            print(result.stdout)
            totals.fail(f"{name}: exit code {result.returncode}")
            return
        print(result.stdout[:match.start()], end="")
        passed, failed, skipped = (int(group or 0) for group in match.groups())
        totals.add(passed=passed, skipped=skipped)
        for line in result.stdout.splitlines():
            if line.startswith("FAIL: "):
                failed -= 1
                totals.fail(line[6:])
        totals.add(failed=failed)
    return run


FUZZ_TARGETS = {"Import": "import", "Npz": "npz", "StageFile": "stage", "WeightFile": "weights"}


def run_fuzz(build, totals, _jobs):
    """Each fuzz target on its corpus, and for five seconds on variations of it (test/fuzz/Replay.cpp)."""
    for name, corpus in FUZZ_TARGETS.items():
        program = build / "test" / "fuzz" / f"{name}Replay"
        with tempfile.TemporaryDirectory() as folder:
            try:
                result = subprocess.run([program, ROOT / "test" / "fuzz" / "corpus" / corpus, "5"], check=False,
                                        capture_output=True, text=True, errors="replace", cwd=folder, timeout=100)
                error = f"{result.returncode}\n{result.stdout}{result.stderr}" if result.returncode else ""
            except (OSError, subprocess.SubprocessError) as problem:
                error = str(problem)
            if not error:
                totals.add(passed=1)
                continue
            kept = build / f"{name}-last-input"
            if (Path(folder) / "last-input").exists():
                kept.write_bytes((Path(folder) / "last-input").read_bytes())
            print(f"{name}: {error[-2000:]}\n{kept} may hold the input")
            totals.fail(f"fuzz {name}")


def run_planner(cases):
    """PlannerCases on cases of ../shared/planner: placed within their capacity, in a minute each."""
    def run(build, totals, _jobs):
        folder = Path(os.environ.get("LEAF_SHARED", ROOT.parent / "shared")) / "planner"
        files = sorted(folder.glob(f"[{cases}].*.csv"))
        if not files:
            totals.add(skipped=len(cases))
            return
        result = subprocess.run([build / "bin" / "PlannerCases", "4000000000", *files], check=False,
                                stdout=subprocess.PIPE, text=True)
        print(result.stdout, end="")
        passed = re.findall(r"^PASS: ", result.stdout, re.M)
        totals.add(passed=len(passed))
        for name in re.findall(r"^FAIL: (.*)$", result.stdout, re.M):
            totals.fail(f"planner {name}")
        if len(passed) < len(files) and result.returncode != 1:
            totals.fail(f"planner: exit code {result.returncode}")
    return run


SUITES = {
    "lint": run_script("scripts/lint.py"),
    "docs": run_script("scripts/check_docs.py"),
    "unit": run_unit,
    "planner-quick": run_planner("ABCFGHIK"),
    "lit": run_lit,
    "conformance": run_script("test/Conformance/conformance.py", "--sample", "150", "--check",
                              str(ROOT / "docs" / "SupportedOps.md")),
    "models": run_script("test/Models/models.py"),
    "shared-quick": run_script("test/Models/shared.py", "--quick"),
    "element-types": run_script("test/Models/element_types.py"),
    "operators": run_script("test/Models/operators.py"),
    "domains": run_script("test/Models/domains.py"),
    "integers": run_script("test/Models/integers.py"),
    "graphs": run_script("test/Models/graphs.py"),
    "compression": run_script("test/Models/compression.py"),
    "sparsity": run_script("test/Models/sparsity.py"),
    "programs": run_script("test/Models/programs.py"),
    "install": run_script("test/Install/install.py"),
    "boards": run_script("scripts/console.py", "--check"),
    "hostile": run_script("test/Hostile/hostile.py"),
    "fuzz": run_fuzz,
}
LONG_SUITES = {
    "instructions": run_script("test/Models/instructions.py"),
    "integers-all": run_script("test/Models/integers.py", "--all"),
    "planner": run_planner("ABCDEFGHIJK"),
    "conformance-c": run_script("test/Conformance/conformance.py", "--suite", "all", "--emit", "c"),
    "conformance-arm": run_script("test/Conformance/conformance.py", "--suite", "all", "--sample", "202", "--emit",
                                  "lib", "--target", "rpi4"),
    "shared": run_script("test/Models/shared.py"),
    "compression-long": run_script("test/Models/compression.py", "--long"),
    "light": run_script("test/Models/light.py"),
    "hostile-long": run_script("test/Hostile/hostile.py", "--long"),
}


def main():
    """Runs the suites that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--long", action="store_true", help="the suites that take long")
    suites = {**SUITES, **LONG_SUITES}
    parser.add_argument("suites", nargs="*", metavar="SUITE", choices=[[], *suites], help=", ".join(suites))
    args = parser.parse_args()
    totals = Totals()
    for name in args.suites or (LONG_SUITES if args.long else SUITES):
        before, start = (totals.passed, totals.failed, totals.skipped), time.time()
        print(f"== {name}", flush=True)
        suites[name](args.build.resolve(), totals, args.jobs)
        now = (totals.passed, totals.failed, totals.skipped)
        counts = [after - earlier for after, earlier in zip(now, before)]
        print("   {} passed, {} failed, {} skipped in {:.0f} s".format(*counts, time.time() - start), flush=True)
    for failure in totals.failures:
        print(f"FAIL: {failure}")
    print(f"{totals.passed} passed, {totals.failed} failed, {totals.skipped} skipped")
    return 1 if totals.failed or not totals.passed else 0


if __name__ == "__main__":
    sys.exit(main())
