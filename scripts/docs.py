#!/usr/bin/env python3
"""Writes docs/Passes.md and docs/Dialects.md from the TableGen definitions, and checks that they are not stale.

    scripts/docs.py --build build/release            writes them
    scripts/docs.py --build build/release --check    exit code 1 where a file differs
"""
import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLEGEN = "/usr/lib/llvm-22/bin/mlir-tblgen"
INCLUDES = ["-I/usr/lib/llvm-22/include", f"-I{ROOT}/include", f"-I{ROOT}/dialects"]
NOTE = "<!-- Made by `make docs`; edit the .td files instead. -->\n\n"


def tablegen(path, *flags, shift=""):
    """Markdown of one .td file, its headings moved down by `shift`."""
    text = subprocess.run([TABLEGEN, *flags, *INCLUDES, str(path)], check=True, capture_output=True,
                          text=True).stdout
    lines = [line for line in text.splitlines() if not line.startswith("<!--")]
    return "\n".join(shift + line if line.startswith("#") else line for line in lines).strip() + "\n\n"


def passes():
    """All passes, by folder."""
    text = "# Passes\n\n" + NOTE
    for path in sorted((ROOT / "include" / "leafcutter").glob("*/Passes.td")):
        text += f"## {path.parent.name}\n\n" + tablegen(path, "-gen-pass-doc")
    return text


def dialects():
    """Our own dialects; the ONNX dialect is as large as its standard, which describes it."""
    text = "# Dialects\n\n" + NOTE
    for name in ("Leaf", "Machine", "Plan"):
        text += tablegen(ROOT / "dialects" / name / f"{name}Ops.td", "-gen-dialect-doc", f"-dialect={name.lower()}",
                         shift="#")
    return text


def main():
    """Writes or checks both files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", help="ignored; the definitions are all in the sources")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    stale = []
    for name, text in (("Passes.md", passes()), ("Dialects.md", dialects())):
        path = ROOT / "docs" / name
        if args.check:
            if not path.exists() or path.read_text() != text:
                stale.append(name)
        else:
            path.write_text(text)
    for name in stale:
        print(f"docs/{name} is stale: run make docs")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
