"""Tests of operators whose numbers no two runtimes share: ONNX prescribes no generator, so that the suite's outputs are
an example. Of these type and shape must agree, and the values must be possible."""

import numpy as np


def find_check(name):
    """For a test's name: a function from inputs, outputs and expected outputs by name to an error or None; or None."""
    if name.startswith("test_bernoulli"):
        return check_bernoulli
    if name.startswith("test_training_dropout") and "zero_ratio" not in name:
        return check_dropout
    return None


def check_bernoulli(_inputs, outputs, _expected):
    (name, value), = outputs.items()
    return None if np.isin(value, (0, 1)).all() else f"output '{name}' is not 0 or 1"


def check_dropout(inputs, outputs, expected):
    """Each element is 0 or scaled; about as many are dropped as `r` says."""
    x, y = inputs["x"], outputs["y"]
    ratio = float(inputs["r"]) if "r" in inputs else 0.5
    kept = y != 0
    if not np.allclose(y[kept], x[kept] / (1 - ratio), rtol=1e-3):
        return "output 'y' has elements that are neither 0 nor scaled"
    mask = outputs.get("z", kept)
    if not np.array_equal(mask, kept | (x == 0)):
        return "output 'z' is not where 'y' is kept"
    deviation = 4 * np.sqrt(ratio * (1 - ratio) / x.size)
    if abs(1 - kept.mean() - ratio) > deviation:
        return f"output 'y' drops {1 - kept.mean():.2f}, not {ratio:.2f} of its elements"
    return None
