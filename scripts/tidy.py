#!/usr/bin/env python3
"""Runs clang-tidy (.clang-tidy) on the sources of a build, with its precompiled header.

    scripts/tidy.py --build build/release                all: 7 seconds a file, most of them for MLIR's declarations
    scripts/tidy.py --build build/release --changed      what the last commit or the working tree changed
    scripts/tidy.py --build build/release lib/Plan       only paths that contain one of these words

Prints what was found, then: N passed, N failed (files).
"""
import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("dialects", "lib", "tools")
TIDY = "clang-tidy-22"


def sources(build):
    """Our own files among those that the build compiles."""
    commands = json.loads((build / "compile_commands.json").read_text())
    files = {Path(entry["directory"], entry["file"]).resolve() for entry in commands}
    return sorted(file for file in files if any(file.is_relative_to(ROOT / folder) for folder in FOLDERS))


def changed():
    """Paths that differ from the commit before the last; none where there is no such commit."""
    result = subprocess.run(["git", "diff", "--name-only", "HEAD~1"], cwd=ROOT, check=False, capture_output=True,
                            text=True)
    return {ROOT / name for name in result.stdout.splitlines()}


def main():
    """Checks all files, some at the same time."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--changed", action="store_true", help="only what the last commit or the working tree changed")
    parser.add_argument("words", nargs="*")
    args = parser.parse_args()
    files = [file for file in sources(args.build)
             if not args.words or any(word in str(file.relative_to(ROOT)) for word in args.words)]
    if args.changed:
        files = sorted(changed().intersection(files))

    def check(file):
        return subprocess.run([TIDY, "-p", args.build, "--quiet", file], check=False, capture_output=True, text=True)

    seen, failed = set(), 0
    with ThreadPoolExecutor(args.jobs) as pool:
        for result in pool.map(check, files):
            failed += result.returncode != 0
            # A header's findings come with each file that includes it.
            if result.stdout not in seen:
                print(result.stdout, end="", flush=True)
            seen.add(result.stdout)
            if result.returncode != 0 and not result.stdout:
                print(result.stderr, end="", flush=True)
    print(f"{len(files) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
