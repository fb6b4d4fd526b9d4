#!/usr/bin/env python3
"""Checks what the compiler does not: who includes whom, names of passes, files and tests, lengths, forbidden words.

    scripts/lint.py            prints FAIL: lines and closes with N passed, N failed (one per rule)
"""
import argparse
import ast
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CODE = (".c", ".cpp", ".h", ".td")
MAX_COLUMNS, MAX_FILE, MAX_FUNCTION = 120, 800, 100
FOLDERS = ("dialects", "include", "lib", "runtime", "tools", "test", "cmake")

# Prefixes of includes that a folder must not have: dependencies point one way.
FORBIDDEN_INCLUDES = {
    "runtime": ("leafcutter/", "mlir/", "llvm/", "Leaf/", "Plan/", "ONNX/", "onnx/"),
    "dialects": ("leafcutter/",),
    "include": ("../lib/", "../tools/"),
    "lib": ("../tools/", "tools/"),
    "tools": ("../lib/", "lib/"),
}


def tracked(*suffixes, folders=FOLDERS):
    """Files that git knows (or would add), with one of the suffixes."""
    names = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *folders],
                           cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    return [ROOT / name for name in sorted(set(names)) if name.endswith(suffixes) and (ROOT / name).is_file()]


def lines_of(path):
    return enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)


def check_includes():
    """Includes point from tools to lib to dialects; the runtime includes nothing of ours."""
    for path in tracked(".c", ".cpp", ".h", folders=tuple(FORBIDDEN_INCLUDES)):
        folder = path.relative_to(ROOT).parts[0]
        if folder == "runtime" and "test" in path.parts:
            continue
        for number, line in lines_of(path):
            match = re.match(r'\s*#\s*include\s+["<]([^">]+)[">]', line)
            if match and match[1].startswith(FORBIDDEN_INCLUDES[folder]):
                yield path, number, f"{folder}/ must not include {match[1]}"


def kebab(name):
    """FooBar -> foo-bar, ONNXToLinalg -> onnx-to-linalg, FlatToEmitC -> flat-to-emitc."""
    name = name.replace("EmitC", "Emitc").replace("LLVM", "Llvm").replace("ONNX", "Onnx")
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()


def passes():
    """(file, line, def name, argument, body) of each pass."""
    for path in tracked(".td", folders=("include",)):
        if path.name != "Passes.td":
            continue
        text = path.read_text()
        starts = list(re.finditer(r'^def (\w+)\s*:\s*(?:Pass|InterfacePass)<\s*"([^"]+)"', text, re.M))
        for match, following in zip(starts, [*starts[1:], None]):
            body = text[match.start():following.start() if following else len(text)]
            yield path, text[:match.start()].count("\n") + 1, match[1], match[2], body


def check_passes():
    """A pass FooBar is leaf-foo-bar, lives in FooBar.cpp, is tested in foo-bar.mlir, and is described."""
    sources = {path.stem for path in tracked(".cpp", folders=("lib",))}
    tests = {path.stem for path in tracked(".mlir", folders=("test",))}
    for path, line, name, argument, body in passes():
        stage = argument.startswith("leaf-stage-")
        if argument.replace("-", "") != "leaf" + name.lower():
            yield path, line, f"pass {name} has argument {argument}, expected leaf-{kebab(name)}"
        if not stage and name not in sources:
            yield path, line, f"pass {name} has no file {name}.cpp in lib/"
        stem = argument.removeprefix("leaf-")
        if not any(test == stem or test.startswith(stem + "-") for test in tests):
            yield path, line, f"pass {name} has no test {stem}.mlir"
        if "let summary" not in body or "let description" not in body:
            yield path, line, f"pass {name} lacks a summary or a description"


def check_lengths():
    """Lines, files and functions stay short enough to read."""
    for path in tracked(*CODE, ".py"):
        start = name = None
        count = 0
        for number, line in lines_of(path):
            count = number
            if len(line) > MAX_COLUMNS and "http" not in line and path.suffix != ".inc":
                yield path, number, f"{len(line)} columns, at most {MAX_COLUMNS}"
            if path.suffix not in (".c", ".cpp"):
                continue
            if re.match(r"[A-Za-z].*\{$", line) and not re.match(r"(namespace|class|struct|enum|extern|union|constexpr"
                                                                r"|static const)", line):
                start, name = number, line
            elif line.startswith("}") and start:
                if number - start > MAX_FUNCTION:
                    yield path, start, f"function of {number - start} lines, at most {MAX_FUNCTION}: {name}"
                start = None
        if count > MAX_FILE:
            yield path, count, f"{count} lines, at most {MAX_FILE}"


def check_words():
    """No unfinished work, no names of test models in the compiler."""
    unfinished = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    models = [path.stem for path in (ROOT / "test" / "Models" / "data").glob("*.onnx")]
    model_names = re.compile("|".join(rf"\b{re.escape(name)}\b" for name in models)) if models else None
    for path in tracked(*CODE, folders=("dialects", "include", "lib", "runtime", "tools")):
        for number, line in lines_of(path):
            if unfinished.search(line):
                yield path, number, "unfinished work belongs into an issue: " + line.strip()
            if model_names and path.suffix in (".c", ".cpp") and model_names.search(line):
                yield path, number, "the name of a model: " + line.strip()


def check_headers():
    """Each source starts with the banner, each header has its guard."""
    for path in tracked(".cpp", ".h", ".c", folders=("dialects", "include", "lib", "runtime", "tools")):
        text = path.read_text()
        if "Part of Leafcutter, under the Apache License v2.0. See LICENSE." not in text[:600]:
            yield path, 1, "the licence banner is missing"
        elif path.name not in text.split("\n", 1)[0]:
            yield path, 1, f"the banner does not name {path.name}"
        if path.suffix == ".h" and not re.search(r"#ifndef (\w+)\n#define \1\b", text):
            yield path, 1, "the include guard is missing"


def check_python():
    """Scripts of the repository run with a bare Python."""
    standard = sys.stdlib_module_names
    for path in tracked(".py", folders=("scripts", "test/run_tests.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = ([alias.name for alias in node.names] if isinstance(node, ast.Import)
                     else [node.module or ""] if isinstance(node, ast.ImportFrom) else [])
            for name in names:
                if name.split(".")[0] not in standard:
                    yield path, node.lineno, f"imports {name}, which is not in the standard library"


RULES = (check_includes, check_passes, check_lengths, check_words, check_headers, check_python)


def main():
    """Runs all rules."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", help="ignored; all suites take it")
    parser.add_argument("--jobs", help="ignored; all suites take it")
    parser.parse_args()
    failed = 0
    for rule in RULES:
        found = list(rule())
        for path, line, message in found:
            print(f"{path.relative_to(ROOT)}:{line}: {message}")
        if found:
            failed += 1
            print(f"FAIL: {rule.__name__}: {rule.__doc__} ({len(found)} places)")
    print(f"{len(RULES) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
