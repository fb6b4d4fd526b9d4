#!/usr/bin/env python3
"""Hostile and odd input: every case ends with a clear message and exit code, in bounded time and memory.

    test/Hostile/hostile.py --build build/release              everything
    test/Hostile/hostile.py --build build/release chain        only cases with all these words in their name

A case is a function `case_…(case)` (or `long_…`, with --long) of one of the modules here; it raises harness.Failure.
Models are made on the spot with the onnx package; without it all cases count as skipped.
"""
import sys
import tempfile
import traceback
from functools import partial
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]
import suite  # noqa: E402


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
    parser = suite.make_parser(__doc__)
    parser.add_argument("--long", action="store_true", help="also the cases that take minutes")
    args = parser.parse_args()
    try:
        cases = find_cases(("case", "long") if args.long else ("case",))
    except ImportError as error:
        if "onnx" not in str(error) and "numpy" not in str(error):
            raise
        return suite.skip(f"{error}; pip install -r test/requirements.txt")
    leafc = suite.leafc_of(args)
    return suite.run([(name, partial(run_case, leafc, case)) for name, case in cases], args, "hostile")


if __name__ == "__main__":
    sys.exit(main())
