"""What the scripts that are suites share: their command line, and the report that run_tests.py reads."""
import argparse
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def make_parser(doc):
    """--build, --jobs, --verbose and words; `doc` is the script's."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--verbose", action="store_true", help="also print what passed, with its time")
    parser.add_argument("words", nargs="*", help="only checks with all these words in their name")
    return parser


def leafc_of(args):
    return args.build.resolve() / "bin" / "leafc"


def verify_case(leafc, folder, flags):
    """What `attempt` takes: case.onnx in `folder` by `leafc verify` against case.npz."""
    result = subprocess.run([leafc, "verify", folder / "case.onnx", "--reference", folder / "case.npz", *flags],
                            capture_output=True, text=True, timeout=120, check=False)
    return "" if result.returncode == 0 else (result.stdout + result.stderr).strip() or str(result.returncode)


def select(checks, words):
    """Those of (name, function) whose name has all the words; where there are none, those that have them in part."""
    checks = list(checks)
    exact = [check for check in checks if all(word in check[0].split() for word in words)]
    return exact or [check for check in checks if all(word in check[0] for word in words)]


def attempt(check):
    """(what the check says, seconds): None for skipped, an error text, empty when it passed."""
    start = time.time()
    try:
        return check(), time.time() - start
    except (OSError, subprocess.SubprocessError) as error:
        return str(error), time.time() - start


def report(results, verbose, label):
    """Prints FAIL lines for (name, error, seconds) as they come, and the counts; returns the exit code."""
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for name, error, seconds in results:
        result = "skipped" if error is None else "failed" if error else "passed"
        counts[result] += 1
        if error:
            print(f"{name}:\n  " + error.replace("\n", "\n  ") + f"\nFAIL: {label} {name}", flush=True)
        elif verbose:
            print(f"{result} {name} ({seconds:.1f} s)", flush=True)
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**counts))
    return 1 if counts["failed"] else 0


def run(checks, args, label, jobs=None):
    """Runs those of (name, function) that were asked for; functions are as `attempt` takes them."""
    checks = select(checks, args.words)
    with ThreadPoolExecutor(jobs or args.jobs) as pool:
        results = pool.map(attempt, [check for _, check in checks])
        return report(((name, *result) for (name, _), result in zip(checks, results)), args.verbose, label)


def skip(why):
    """The report of a suite that cannot run here; returns the exit code."""
    print(f"{why}\n0 passed, 0 failed, 1 skipped")
    return 0
