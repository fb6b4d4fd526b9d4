#!/usr/bin/env python3
"""Trained models against their references: in process, as library, as C with gcc and clang, on foreign targets.

    test/Models/models.py --build build/release                     everything
    test/Models/models.py --build build/release mnist_cnn lib       only checks with all these words in their name

Prints FAIL: lines and closes with: N passed, N failed, N skipped. Models that are not committed come from ../shared (or
$LEAF_SHARED); without it their checks count as skipped.
"""
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import suite  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent.parent
DATA = Path(__file__).resolve().parent / "data"
SHARED = Path(os.environ.get("LEAF_SHARED", ROOT.parent / "shared"))
TIMEOUT = 300

# Model, its --dim flags beyond what the reference fixes, and whether small targets run it too.
MODELS = {
    "mnist_mlp": ([], False),
    "mnist_cnn": ([], True),
    "sk_mlp_digits": ([], True),
    "sk_rf_digits": ([], False),
    "charmoe_dense": ([], False),
    "charlm_full": ([], False),
    "charlm_kv": (["--dim", "batch=1", "--dim", "seq=4", "--dim", "past<=63"], True),
    "mlperf_ic_resnet8_f32": ([], True),
    "mlperf_kws_f32": ([], True),
    "efficientnet_lite0": ([], False),
    "magika_v3_3": ([], False),
    "minilm_l6_fp16w": ([], False),
}
HOST_EMISSIONS = {
    "jit": ["--emit=jit"],
    "lib": ["--emit=lib"],
    "c-gcc": ["--emit=c", "--compiler=gcc"],
    "c-clang": ["--emit=c", "--compiler=clang-22"],
}
LEVELS = ["x86-64-v2", "x86-64-v3", "x86-64-v4"]
FOREIGN_TARGETS = ["rpi4", "rpi5", "rpi3-32", "cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33",
                   "cortex-m55"]
# The emission each small target is checked with; rpi4 has both everywhere.
FOREIGN_EMISSIONS = {"rpi4": ["lib", "c"], "cortex-m4": ["lib", "c"]}
# What a model needs that the emulated board lacks.
TOO_LARGE = {}


def find_model(name):
    """Paths of a model and its reference, or None."""
    for model, reference in ((DATA / f"{name}.onnx", DATA / f"{name}.npz"),
                             (SHARED / "models/models" / f"{name}.onnx", SHARED / "models/ref" / f"{name}.npz")):
        if model.exists() and reference.exists():
            return model, reference
    return None


def cpu_flags():
    """Features of this CPU as Linux names them."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("flags"):
            return set(line.split(":", 1)[1].split())
    return set()


def can_run(level):
    needed = {"x86-64-v2": {"sse4_2"}, "x86-64-v3": {"avx2", "fma"}, "x86-64-v4": {"avx512f", "avx512vl"}}
    return needed[level] <= cpu_flags()


def verify(leafc, name, dims, flags):
    """A check: leafc verify agrees with the reference. None: skipped; otherwise an error text, empty when it passed."""
    def check():
        found = find_model(name)
        if not found:
            return None
        command = [leafc, "verify", found[0], "--reference", found[1], *dims, *flags]
        try:
            result = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
        except subprocess.TimeoutExpired:
            return f"no answer in {TIMEOUT} s"
        return "" if result.returncode == 0 else (result.stdout + result.stderr).strip() or str(result.returncode)
    return check


def script(python, name, *flags):
    """A check: a script of this folder, which says by exit code 77 that something for it is missing."""
    def check():
        result = subprocess.run([python, Path(__file__).with_name(name), *flags], capture_output=True, text=True,
                                timeout=TIMEOUT, check=False, env={**os.environ, "LEAF_SHARED": str(SHARED)})
        if result.returncode == 77:
            return None
        return "" if result.returncode == 0 else (result.stdout + result.stderr).strip() or str(result.returncode)
    return check


def same_bytes(leafc):
    """A check: two compilations give the same files."""
    def check():
        with tempfile.TemporaryDirectory() as folder:
            for run in "ab":
                subprocess.run([leafc, "compile", DATA / "mnist_cnn.onnx", "-o", f"{folder}/{run}"], check=True,
                               capture_output=True, timeout=TIMEOUT)
            result = subprocess.run(["diff", "-r", f"{folder}/a", f"{folder}/b"], capture_output=True, text=True,
                                    check=False)
            return result.stdout
    return check


def all_checks(leafc, python):
    """Name and function of each check."""
    for name, (dims, small) in MODELS.items():
        for emission, flags in HOST_EMISSIONS.items():
            yield f"{name} {emission}", verify(leafc, name, dims, flags)
        if not small:
            continue
        for target in FOREIGN_TARGETS:
            for emission in FOREIGN_EMISSIONS.get(target, ["lib"]):
                if (name, target) not in TOO_LARGE:
                    yield (f"{name} {emission} {target}",
                           verify(leafc, name, dims, [f"--emit={emission}", f"--target={target}"]))
    for target, emission in (("rpi4", "c"), ("rpi3-32", "lib"), ("cortex-m4", "lib")):
        yield (f"mnist_cnn weights {emission} {target}",
               verify(leafc, "mnist_cnn", [], ["--weights=file", f"--emit={emission}", f"--target={target}"]))
    yield "charlm_kv weights lib", verify(leafc, "charlm_kv", MODELS["charlm_kv"][0], ["--weights=file", "--emit=lib"])
    for level in LEVELS:
        if can_run(level):
            yield f"mnist_cnn jit {level}", verify(leafc, "mnist_cnn", [], ["--emit=jit", f"--target={level}"])
    for level in LEVELS:
        for emission, name in (("jit", "mlperf_ic_resnet8_f32"), ("lib", "mnist_cnn"), ("c", "charlm_kv")):
            flags = [f"--emit={emission}", "--target=" + ",".join(LEVELS), f"--isa-level={level}"]
            yield (f"{name} {emission} level {level}",
                   verify(leafc, name, MODELS[name][0], flags) if can_run(level) else lambda: None)
    for name in ("efficientnet_lite0", "mlperf_ic_resnet8_f32"):
        yield f"{name} jit threads", verify(leafc, name, MODELS[name][0], ["--threads=2"])
    yield "charlm_kv jit threads", verify(leafc, "charlm_kv", MODELS["charlm_kv"][0], ["--threads=2"])
    yield "mnist_cnn jit threads", verify(leafc, "mnist_cnn", [], ["--threads=2"])
    yield from script_checks(leafc, python)
    yield "mnist_cnn same bytes", same_bytes(leafc)


def script_checks(leafc, python):
    """Those that compile an artifact themselves and run it otherwise than verify does."""
    decode = ["decode.py", "--leafc", leafc, "--model", DATA / "charlm_kv.onnx"]
    yield "charlm_kv decode", script(python, *decode)
    yield "charlm_kv decode alias", script(python, *decode, "--alias")
    for case, emission in (("minilm", "lib"), ("ppocr", "lib"), ("ppocr", "c")):
        yield f"dynamic {case} {emission}", script(python, "dynamic.py", "--leafc", leafc, "--case", case, "--emit",
                                                   emission)
    for name in ("mlperf_kws_f32", "mlperf_ic_resnet8_f32"):
        yield f"bisection {name}", script(python, "bisection.py", "--leafc", leafc, *find_model(name) or [])
    camera = ["preprocessing.py", "--leafc", leafc, "--case", "camera"]
    for case, emissions in {"camera": HOST_EMISSIONS, "scaled": ["jit"], "argmax": ["jit", "lib"]}.items():
        for emission in emissions:
            yield (f"preprocessing {case} {emission}",
                   script(python, *camera[:-1], case, *HOST_EMISSIONS[emission]))
    for target in ("rpi4", "cortex-m4"):
        for emission in ("lib", "c"):
            yield (f"preprocessing camera {emission} {target}",
                   script(python, *camera, f"--emit={emission}", f"--target={target}"))
    for target in ("host", "x86-64-v2", "rpi4", "rpi3-32", "cortex-m0plus", "cortex-m4", "cortex-m55"):
        yield (f"mnist_cnn stack {target}",
               script(python, "stack.py", "--leafc", leafc, "--target", target, DATA / "mnist_cnn.onnx"))


def main():
    """Runs the checks that were asked for."""
    args = suite.make_parser(__doc__).parse_args()
    venv = ROOT / "build" / "venv" / "bin" / "python"
    python = venv if venv.exists() else Path(shutil.which("python3"))
    return suite.run(all_checks(suite.leafc_of(args), python), args, "model")


if __name__ == "__main__":
    sys.exit(main())
