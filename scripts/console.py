#!/usr/bin/env python3
"""Runs the commands in the ```console blocks of a page, and writes or checks the output that stands below them.

    scripts/console.py --build build/release docs/boards/*.md            writes what they print
    scripts/console.py --build build/release --check docs/boards/*.md    compares, numbers apart

Each page runs in a folder of its own that holds mnist_cnn.onnx, mnist_cnn.npz, the sources of demo/ and examples/; leafc
is in the path. A page whose tools are missing is skipped with --check. Closes with N passed, N failed, N skipped.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^```console\n(.*?)^```", re.M | re.S)
TOOLS = ("aarch64-linux-gnu-gcc", "arm-linux-gnueabihf-gcc", "arm-none-eabi-gcc", "qemu-aarch64", "qemu-arm",
         "qemu-system-arm")


class Failed(Exception):
    """A command that did not end with 0, and its output."""


def prepare(folder):
    """What the commands find."""
    for name in ("mnist_cnn.onnx", "mnist_cnn.npz"):
        shutil.copy(ROOT / "test" / "Models" / "data" / name, folder)
    for name in ("digit.c", "digit.pgm"):
        shutil.copy(ROOT / "demo" / name, folder)
    shutil.copytree(ROOT / "examples", folder / "examples", ignore=shutil.ignore_patterns("build"))


def run_block(block, folder, environment):
    """The block with real output."""
    result = []
    for line in re.findall(r"^\$ (.*(?:\\\n.*)*)$", block, re.M):
        process = subprocess.run(["bash", "-c", line], cwd=folder, env=environment, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
        if process.returncode != 0:
            raise Failed(f"$ {line}\n{process.stdout}exit code {process.returncode}")
        output = "".join(text.rstrip() + "\n" for text in process.stdout.splitlines())
        result.append(f"$ {line}\n{output}")
    return "".join(result)


def run_page(text, build):
    """The page with real output."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        environment = {**os.environ, "PATH": f"{build / 'bin'}:{os.environ['PATH']}"}
        return BLOCK.sub(lambda match: f"```console\n{run_block(match[1], folder, environment)}```", text)


def without_numbers(text):
    return re.sub(r"[\d,.]+|0x[0-9a-f]+", "#", text)


def main():
    """Writes or checks all pages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release")
    parser.add_argument("--jobs", help="ignored; all suites take it")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("pages", type=Path, nargs="*")
    args = parser.parse_args()
    pages = args.pages or sorted((ROOT / "docs" / "boards").glob("*.md"))
    if args.check and not all(shutil.which(tool) for tool in TOOLS):
        print(f"0 passed, 0 failed, {len(pages)} skipped")
        return 0
    failed = 0
    for page in pages:
        old = page.read_text()
        try:
            new = run_page(old, args.build.resolve())
        except Failed as error:
            failed += 1
            print(f"{page.name}:\n{error}\nFAIL: {page.name}: a command fails")
            continue
        if not args.check:
            page.write_text(new)
        elif without_numbers(old) != without_numbers(new):
            failed += 1
            print(f"FAIL: {page.name}: other output; run make boards")
    print(f"{len(pages) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
