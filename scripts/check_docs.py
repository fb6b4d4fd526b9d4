#!/usr/bin/env python3
"""Checks that generated pages are what their scripts write now, and that links between pages lead somewhere.

    scripts/check_docs.py --build build/release    prints FAIL: lines and closes with N passed, N failed
"""
import argparse
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def pages():
    """All Markdown files that git knows or would add."""
    names = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", "*.md"], cwd=ROOT,
                           check=True, capture_output=True, text=True).stdout.splitlines()
    return [ROOT / name for name in sorted(names) if (ROOT / name).is_file()]


def anchors(path):
    """Anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links():
    """Relative links without a file, or without a heading."""
    for path in pages():
        text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.M | re.S)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            file = (path.parent / name).resolve() if name else path
            if not file.exists():
                yield f"{path.relative_to(ROOT)}: there is no {target}"
            elif anchor and anchor not in anchors(file):
                yield f"{path.relative_to(ROOT)}: {name or 'the page'} has no heading #{anchor}"


def stale(script):
    """What a script says about its pages with --check."""
    def check(build):
        result = subprocess.run([sys.executable, ROOT / "scripts" / script, "--check", "--build", build], check=False,
                                capture_output=True, text=True)
        return [] if result.returncode == 0 else [(result.stdout + result.stderr).strip()]
    return check


CHECKS = {
    "links": lambda build: list(broken_links()),
    "Passes.md and Dialects.md": stale("docs.py"),
    "TourOfThePasses.md": stale("tour.py"),
}


def main():
    """Runs all checks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release")
    parser.add_argument("--jobs", help="ignored; all suites take it")
    args = parser.parse_args()
    failed = 0
    for name, check in CHECKS.items():
        found = check(args.build.resolve())
        if found:
            failed += 1
            print("\n".join(found) + f"\nFAIL: docs: {name}")
    print(f"{len(CHECKS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
