#!/usr/bin/env python3
"""Adds the value of each named node, by ONNX Runtime, to a reference: `leafc verify --bisect` compares with them.

    test/Models/intermediates.py model.onnx ref.npz out.npz
    leafc verify model.onnx --reference out.npz --bisect
"""
import argparse

import numpy as np
import onnx
import onnxruntime


def main():
    """Runs the model with all values as outputs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("reference")
    parser.add_argument("output")
    args = parser.parse_args()
    model = onnx.load(args.model)
    arrays = dict(np.load(args.reference))
    known = {output.name for output in model.graph.output}
    nodes = {}
    for node in model.graph.node:
        if node.name and node.op_type != "Constant" and node.output and node.output[0]:
            nodes[node.name] = node.output[0]
            if node.output[0] not in known:
                model.graph.output.append(onnx.helper.make_empty_tensor_value_info(node.output[0]))
                known.add(node.output[0])
    options = onnxruntime.SessionOptions()
    # Optimizations fuse nodes, and change their values a little.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    inputs = {key[3:]: array for key, array in arrays.items() if key.startswith("in:")}
    values = session.run(list(nodes.values()), inputs)
    for name, value in zip(nodes, values):
        if isinstance(value, np.ndarray):
            arrays[f"node:{name}"] = value
    np.savez(args.output, **arrays)
    unnamed = sum(not node.name for node in model.graph.node)
    print(f"{len(nodes)} nodes" + (f"; {unnamed} have no name and are left out" if unnamed else ""))


if __name__ == "__main__":
    main()
