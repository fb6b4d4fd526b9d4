#!/usr/bin/env python3
"""The light models of the onnx wheel (densenet, inception, resnet50, …) against the outputs that the wheel stores.

    test/Models/light.py --build build/release               all
    test/Models/light.py --build build/release resnet50      only models with all these words in their name

Their weights are ConstantOfShape nodes; the input is what onnx.backend.test makes up for them: 0, 1/n, 2/n, … Prints
FAIL: lines and closes with: N passed, N failed, N skipped.
"""
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import suite  # noqa: E402

# Of onnx.backend.test; there relative to each element, here to the output's largest magnitude, and they are all equal.
TOLERANCE = 1e-3
TIMEOUT = 300


def find_models():
    """Paths of all models; none where the wheel is missing."""
    try:
        import onnx
    except ImportError:
        return []
    return sorted((Path(onnx.__file__).parent / "backend" / "test" / "data" / "light").glob("*.onnx"))


def write_reference(path, target):
    """The made-up input and the stored outputs as in:NAME and out:NAME."""
    import numpy as np
    import onnx
    graph = onnx.load(path).graph
    weights = {weight.name for weight in graph.initializer}
    arrays = {}
    for value in graph.input:
        if value.name not in weights:
            shape = [dim.dim_value or 1 for dim in value.type.tensor_type.shape.dim]
            count = int(np.prod(shape))
            arrays[f"in:{value.name}"] = (np.arange(count).reshape(shape) / count).astype(np.float32)
    for i, value in enumerate(graph.output):
        tensor = onnx.TensorProto()
        tensor.ParseFromString(Path(f"{path.with_suffix('')}_output_{i}.pb").read_bytes())
        arrays[f"out:{value.name}"] = onnx.numpy_helper.to_array(tensor)
    np.savez(target, **arrays)


def check(leafc, path, emission):
    """An error text; empty when outputs agree."""
    with tempfile.TemporaryDirectory() as folder:
        reference = Path(folder, "reference.npz")
        write_reference(path, reference)
        command = [leafc, "verify", path, "--reference", reference, f"--tolerance={TOLERANCE}", f"--emit={emission}"]
        try:
            result = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
        except subprocess.TimeoutExpired:
            return f"no answer in {TIMEOUT} s"
    return "" if result.returncode == 0 else (result.stdout + result.stderr).strip() or str(result.returncode)


def main():
    """Runs the models that were asked for."""
    args = suite.make_parser(__doc__).parse_args()
    models = find_models()
    if not models:
        return suite.skip("the onnx wheel is missing")
    leafc = suite.leafc_of(args)
    checks = [(f"{path.stem} {emission}", partial(check, leafc, path, emission))
              for path in models for emission in ("jit", "lib")]
    # Some models take gigabytes.
    return suite.run(checks, args, "light", jobs=1)


if __name__ == "__main__":
    sys.exit(main())
