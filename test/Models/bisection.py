#!/usr/bin/env python3
"""References that are wrong from a known node on: `leafc verify --bisect` names this node.

    bisection.py --leafc build/release/bin/leafc [MODEL.onnx REF.npz]

The weight of one node is changed, and ONNX Runtime computes the reference with it, values of all nodes included. So the
values before that node are those of the model, those behind it are not. Exit code 77: a Python package or the model is
missing.
"""
import argparse
import re
import subprocess
import sys
import tempfile
from collections import Counter

try:
    import numpy as np
    import onnx
    from intermediates import compute, inputs_of
except ImportError:
    sys.exit(77)

WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul")


def find_places(model):
    """(node, initializer) of the first, the middle and the last node with a weight that no other node has."""
    uses = Counter(name for node in model.graph.node for name in node.input)
    weights = {tensor.name: tensor for tensor in model.graph.initializer if uses[tensor.name] == 1}
    places = [(node, weights[node.input[1]]) for node in model.graph.node
              if node.name and node.op_type in WEIGHTED and node.input[1] in weights]
    return [places[0], places[len(places) // 2], places[-1]]


def bisect(leafc, model, arrays, folder):
    """What leafc says of the first wrong value."""
    np.savez(f"{folder}/ref.npz", **arrays)
    result = subprocess.run([leafc, "verify", model, "--reference", f"{folder}/ref.npz", "--bisect"],
                            capture_output=True, text=True, check=False)
    lines = re.findall(r"^first wrong value: (.*)$", result.stdout, re.M)
    return lines[0] if len(lines) == 1 else f"?\n{result.stdout}{result.stderr}"


def main():
    """Tries the right reference, then a wrong one for each place."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--leafc", required=True)
    parser.add_argument("model", nargs="?")
    parser.add_argument("reference", nargs="?")
    args = parser.parse_args()
    if not args.reference:
        return 77
    model = onnx.load(args.model)
    with np.load(args.reference) as reference:
        arrays = {name: array for name, array in reference.items() if name.startswith("in:")}
    errors = []
    with tempfile.TemporaryDirectory() as folder:
        said = bisect(args.leafc, args.model, {**arrays, **compute(model, inputs_of(arrays))}, folder)
        if not said.startswith("none"):
            errors.append(f"with the right reference: {said}")
        for node, weight in find_places(model):
            right = weight.SerializeToString()
            weight.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(weight) * np.float32(1.05),
                                                         weight.name))
            said = bisect(args.leafc, args.model, {**arrays, **compute(model, inputs_of(arrays))}, folder)
            weight.ParseFromString(right)
            print(f"{node.name}: {said}")
            if not said.startswith(f"node '{node.name}', in stage normalize"):
                errors.append(f"wrong from node '{node.name}' on: {said}")
    print("\n".join(errors))
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
