#!/usr/bin/env python3
"""Hostile and odd input: every case ends with a clear message and exit code, in bounded time and memory.

    test/Hostile/hostile.py --build build/release              everything
    test/Hostile/hostile.py --build build/release chain        only cases with all these words in their name

A case is a function `case_…(case)` (or `long_…`, with --long) of one of the modules here; it raises harness.Failure.
Models are made on the spot with the onnx package; without it all cases count as skipped.
"""
import argparse
import os
import sys
import tempfile
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(Path(__file__).resolve().parent))


def find_cases(prefixes):
    """(name, function) of all functions with one of the prefixes."""
    import arrays
    import attributes
    import externals
    import files
    import folders
    import graphs
    import names
    import sizes
    found = []
    for module in (graphs, files, attributes, names, sizes, externals, arrays, folders):
        for key, function in vars(module).items():
            prefix, _, name = key.partition("_")
            if prefix in prefixes and function.__module__ == module.__name__:
                found.append((f"{module.__name__} {name.replace('_', ' ')}", function))
    return found


def run_case(leafc, function):
    """The error text, empty when the case passed."""
    from harness import Case, Failure
    with tempfile.TemporaryDirectory(prefix="leaf-hostile-") as folder:
        try:
            function(Case(leafc, folder))
        except Failure as failure:
            return str(failure)
        except Exception:  # a broken test is a failed test
            return traceback.format_exc()
    return ""


def main():
    """Runs the cases that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--verbose", action="store_true", help="also print what passed, with its time")
    parser.add_argument("--long", action="store_true", help="also the cases that take minutes")
    parser.add_argument("words", nargs="*")
    args = parser.parse_args()
    try:
        cases = find_cases(("case", "long") if args.long else ("case",))
    except ImportError as error:
        if "onnx" not in str(error) and "numpy" not in str(error):
            raise
        print(f"{error}; pip install -r test/requirements.txt")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    cases = [case for case in cases if all(word in case[0].split() for word in args.words)]
    leafc = args.build.resolve() / "bin" / "leafc"

    def timed(case):
        start = time.time()
        return run_case(leafc, case[1]), time.time() - start

    failed = 0
    with ThreadPoolExecutor(args.jobs) as pool:
        for (name, _), (error, seconds) in zip(cases, pool.map(timed, cases)):
            if error:
                failed += 1
                print(f"{name}:\n  " + error.replace("\n", "\n  ") + f"\nFAIL: hostile {name}", flush=True)
            elif args.verbose:
                print(f"passed {name} ({seconds:.1f} s)", flush=True)
    print(f"{len(cases) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
