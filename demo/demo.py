#!/usr/bin/env python3
"""Compiles two trained networks, builds small C programs around them and runs them on real inputs.

    demo/demo.py --leafc build/release/bin/leafc

mnist_cnn comes with the repository, magika (tells a file's type) from its PyPI package.
"""
import argparse
import json
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAGIKA = "magika==1.0.3"
MODEL = "magika/models/standard_v3_3"


def run(*command):
    """Runs a command after printing it, so that the reader can repeat it."""
    words = [str(word) for word in command]
    print("$ " + " ".join(word.replace(f"{ROOT}/", "") for word in words), flush=True)
    subprocess.run(words, check=True, cwd=ROOT)


def fetch_magika(folder):
    """The model and a header with its labels, out of the wheel."""
    model = folder / "magika.onnx"
    if not model.exists() or not (folder / "labels.h").exists():
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps",
                        "--only-binary=:all:", "-d", folder, MAGIKA], check=True)
        with zipfile.ZipFile(next(folder.glob("magika-*.whl"))) as wheel:
            labels = json.loads(wheel.read(f"{MODEL}/config.min.json"))["target_labels_space"]
            lines = ",\n".join(f"    {json.dumps(label)}" for label in labels)
            (folder / "labels.h").write_text(f"static const char *const MAGIKA_LABELS[] = {{\n{lines}}};\n")
            model.write_bytes(wheel.read(f"{MODEL}/model.onnx"))
    return model


def main():
    """Both demos."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--leafc", type=Path, required=True)
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "demo")
    args = parser.parse_args()
    out = args.out.resolve()
    leafc = args.leafc.resolve()
    out.mkdir(parents=True, exist_ok=True)

    print("--- A digit ---")
    run(leafc, "compile", ROOT / "test/Models/data/mnist_cnn.onnx", "-o", out / "mnist_cnn")
    run(args.cc, "-O2", f"-I{out}/mnist_cnn", ROOT / "demo/digit.c", f"{out}/mnist_cnn/libmnist_cnn.a", "-o", out / "digit")
    run(out / "digit", "demo/digit.pgm")

    print("\n--- What kind of file is it? ---")
    model = fetch_magika(out)
    run(leafc, "compile", model, "-o", out / "magika")
    run(args.cc, "-O2", f"-I{out}/magika", f"-I{out}", ROOT / "demo/filetype.c", f"{out}/magika/libmagika.a", "-o",
        out / "filetype")
    run(out / "filetype", "demo/demo.py", "demo/digit.c", "README.md", "Makefile", "test/Models/data/mnist_cnn.onnx",
        "test/Models/data/mnist_cnn.npz", out / "digit")


if __name__ == "__main__":
    main()
