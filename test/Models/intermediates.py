#!/usr/bin/env python3
"""Adds the value of each named node, by ONNX Runtime, to a reference: `leafc verify --bisect` compares with them.

    test/Models/intermediates.py model.onnx ref.npz out.npz
    leafc verify model.onnx --reference out.npz --bisect
"""
import argparse

import numpy as np
import onnx
import onnxruntime


def compute(model, inputs):
    """Values by name: first results of all named nodes as node:NAME, outputs of the model as out:NAME."""
    wanted = {f"out:{output.name}": output.name for output in model.graph.output}
    for node in model.graph.node:
        if node.name and node.op_type != "Constant" and node.output and node.output[0]:
            wanted[f"node:{node.name}"] = node.output[0]
    exposed = onnx.ModelProto()
    exposed.CopyFrom(model)
    known = {output.name for output in model.graph.output}
    for name in dict.fromkeys(wanted.values()):
        if name not in known:
            exposed.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
    options = onnxruntime.SessionOptions()
    # Optimizations fuse nodes, and change their values a little.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(exposed.SerializeToString(), options, providers=["CPUExecutionProvider"])
    values = session.run(list(wanted.values()), inputs)
    # Sequences and maps have no place in a .npz.
    return {name: value for name, value in zip(wanted, values) if isinstance(value, np.ndarray)}


def inputs_of(arrays):
    return {key[3:]: array for key, array in arrays.items() if key.startswith("in:")}


def main():
    """Runs the model with all values as outputs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("reference")
    parser.add_argument("output")
    args = parser.parse_args()
    model = onnx.load(args.model)
    with np.load(args.reference) as reference:
        arrays = dict(reference)
    values = {name: value for name, value in compute(model, inputs_of(arrays)).items() if name.startswith("node:")}
    np.savez(args.output, **arrays, **values)
    unnamed = sum(not node.name for node in model.graph.node)
    print(f"{len(values)} nodes" + (f"; {unnamed} have no name and are left out" if unnamed else ""))


if __name__ == "__main__":
    main()
