#!/usr/bin/env python3
"""Writes docs/OperatorBench.md: latency of each operator of a folder's models against ONNX Runtime's, node by node.

    test/Models/operator_bench.py --build build/release ../shared/models               all
    test/Models/operator_bench.py --build build/release ../shared/models --only 'Resize|TopK' --page /dev/stdout

Of all nodes of an operator, the one that moves most bytes in a model is cut out, with the attributes and constants that
it has there and the values that reach it on the model's reference input, and becomes a model of its own. Latencies are
taken in turns, a new process each time, one thread each on the same core; nothing else should run meanwhile.
"""
import argparse
import datetime
import os
import re
import statistics
import sys
import tempfile
from collections import namedtuple
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import operator_list
from onnx import helper, numpy_helper

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "scripts"))
from models_table import ROOT, WORKER, cpu_name, last_json, run  # noqa: E402

MAX_PINNED_ELEMENTS = 64
BOUND = re.compile(r"--bound '(.+?)=N'")
Case = namedtuple("Case", "operator model node feeds outputs largest opsets constants bytes")

HEAD = """# Operators

<!-- Made by test/Models/operator_bench.py; do not edit. -->

Latency of single operators against ONNX Runtime {ort}, on {date}, for the CPU that it ran on: **{cpu}**, one thread,
{rounds} rounds in turns on the same core. For each operator of `../shared/models`: the node that moves most bytes, with
the values that reach it there. Lines that come from no model are those of `test/Models/operator_list.py`: operators
that take time in models, at usual sizes. Below 1, leafc is faster; a session of ONNX Runtime costs about {floor:.0f} us
besides the node (measured with Identity of one element), ours about {ours:.1f}. {count} lines, geometric mean
{mean:.2f}.

| operator | from | inputs | leafc us | ORT us | ratio |
|---|---|---|--:|--:|--:|
"""


def free_names(node):
    """Values of enclosing graphs that a node reads, in its subgraphs too."""
    names = [name for name in node.input if name]
    for attribute in node.attribute:
        for graph in [*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])]:
            own = {item.name for item in [*graph.input, *graph.initializer]}
            for inner in graph.node:
                names += [name for name in free_names(inner) if name not in own]
                own.update(inner.output)
            names += [item.name for item in graph.output if item.name not in own]
    return list(dict.fromkeys(names))


def constants_of(model):
    """Initializers and results of Constant nodes."""
    found = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            found[node.output[0]] = node.attribute[0].t
    return found


def rename(graph, names):
    """Gives the values of a graph, and of those in it, other names."""
    for node in graph.node:
        for words in (node.input, node.output):
            words[:] = [names.get(name, name) for name in words]
        for attribute in node.attribute:
            if attribute.HasField("g"):
                rename(attribute.g, names)
    for item in [*graph.input, *graph.output, *graph.initializer]:
        item.name = names.get(item.name, item.name)


def inline_branches(model, feeds):
    """Replaces each If by the branch that is taken on `feeds`."""
    while any(node.op_type == "If" for node in model.graph.node):
        index = next(i for i, node in enumerate(model.graph.node) if node.op_type == "If")
        node = model.graph.node[index]
        condition = run_model(model, feeds, [node.input[0]])[0]
        branch = next(item.g for item in node.attribute if item.name == ("then_branch" if condition else "else_branch"))
        inner = [name for item in branch.node for name in item.output] + [item.name for item in branch.initializer]
        names = {name: f"if{index}.{len(model.graph.node)}.{name}" for name in inner if name}
        names.update({item.name: name for item, name in zip(branch.output, node.output)})
        rename(branch, names)
        model.graph.initializer.extend(branch.initializer)
        nodes = [*model.graph.node[:index], *branch.node, *model.graph.node[index + 1:]]
        kept = [onnx.NodeProto.FromString(item.SerializeToString()) for item in nodes]
        del model.graph.node[:]
        model.graph.node.extend(kept)


def run_model(model, feeds, names):
    """The values `names`, without optimizations, which would leave some out."""
    copy = onnx.ModelProto.FromString(model.SerializeToString())
    del copy.graph.output[:]
    copy.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(copy.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(names, feeds)


def capture(path, reference):
    """The model, the values of all its tensors on the reference's inputs, and its outputs."""
    model = onnx.load(path)
    outputs = {item.name: onnx.ValueInfoProto.FromString(item.SerializeToString()) for item in model.graph.output}
    with np.load(reference) as data:
        feeds = {key[3:]: data[key] for key in data if key.startswith("in:")}
    inline_branches(model, feeds)
    names = [name for node in model.graph.node for name in node.output if name]
    return model, {**feeds, **dict(zip(names, run_model(model, feeds, names)))}, outputs


def declare(name, value, outputs):
    """The output `name`, of rank and type as its value; what is no array is an output of the whole model."""
    if not isinstance(value, np.ndarray):
        return outputs[name]
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), [None] * value.ndim)


def cases_of(path, reference):
    """One for each node that is given data."""
    model, values, outputs = capture(path, reference)
    constants = constants_of(model)
    for node in model.graph.node:
        names = free_names(node)
        given = [name for name in names if name not in constants]
        arrays = {name: values.get(name) for name in given}
        results = {name: values.get(name) for name in node.output if name}
        if not given or not all(isinstance(array, np.ndarray) for array in arrays.values()):
            continue
        size = sum(array.nbytes for array in [*arrays.values(), *results.values()] if isinstance(array, np.ndarray))
        operator = f"{node.domain}.{node.op_type}" if node.domain else node.op_type
        declared = [declare(name, value, outputs) for name, value in results.items()]
        largest = max((size for array in results.values() if isinstance(array, np.ndarray) for size in array.shape),
                      default=1)
        yield Case(operator, path.stem, node, arrays, declared, largest, model.opset_import,
                   {name: constants[name] for name in names if name in constants}, size)


def heaviest(folder, only):
    """By operator."""
    best = {}
    for path in sorted((folder / "models").glob("*.onnx")):
        try:
            for case in cases_of(path, folder / "ref" / f"{path.stem}.npz"):
                if re.fullmatch(only, case.operator) and case.bytes > getattr(best.get(case.operator), "bytes", -1):
                    best[case.operator] = case
        except Exception as error:  # a model that ONNX Runtime cannot run node by node
            print(f"{path.stem}: {str(error).splitlines()[0]}", file=sys.stderr)
    return [best[name] for name in sorted(best)]


def named(only):
    """Those of operator_list.py."""
    for operator, node, feeds, constants, opsets in operator_list.named():
        if not re.fullmatch(only, operator):
            continue
        graph = helper.make_graph([node], "node", [declare(name, value, {}) for name, value in feeds.items()], [],
                                  list(constants.values()))
        try:
            results = run_model(helper.make_model(graph, opset_imports=opsets, ir_version=10), feeds, list(node.output))
        except Exception as error:  # an operator that ONNX Runtime lacks
            print(f"{operator}: {str(error).splitlines()[0]}", file=sys.stderr)
            continue
        outputs = [declare(name, value, {}) for name, value in zip(node.output, results)]
        largest = max(max(value.shape, default=1) for value in results)
        yield Case(operator, "", node, feeds, outputs, largest, opsets, constants, 0)


def save(case, folder, pinned):
    """model.onnx with the `pinned` inputs as constants, and ref.npz."""
    inputs = [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
              for name, array in case.feeds.items() if name not in pinned]
    constants = [numpy_helper.from_array(case.feeds[name], name) for name in pinned]
    for name, tensor in case.constants.items():
        constants.append(onnx.TensorProto())
        constants[-1].CopyFrom(tensor)
        constants[-1].name = name
    graph = helper.make_graph([case.node], "node", inputs, case.outputs, constants)
    model = helper.make_model(graph, opset_imports=case.opsets, ir_version=10)
    onnx.save(model, folder / "model.onnx")
    np.savez(folder / "ref.npz", **{f"in:{name}": case.feeds[name] for name in case.feeds if name not in pinned})


class Measurer:
    """Measures one case after the other."""

    def __init__(self, args):
        self.leafc, self.core = args.build.resolve() / "bin" / "leafc", args.core
        self.rounds, self.runs = args.rounds, args.runs

    def measure(self, case):
        """(leafc's, ORT's) median in ns, or an error text."""
        small = [name for name, array in case.feeds.items()
                 if array.size <= MAX_PINNED_ELEMENTS and array.dtype.kind in "iu"]
        first = None
        for pinned in [[], small] if small and len(small) < len(case.feeds) else [[]]:
            with tempfile.TemporaryDirectory() as folder:
                save(case, Path(folder), pinned)
                result = self.measure_model(Path(folder), case.largest)
            if not isinstance(result, str):
                return result
            first = first or result
        return first

    def measure_model(self, folder, largest):
        ours, theirs, bounds = [], [], []
        while len(ours) < self.rounds:
            code, text, _ = run([sys.executable, WORKER, folder / "model.onnx", folder / "ref.npz", folder / "in.npz",
                                 self.runs], self.core)
            if code != 0:
                return f"ONNX Runtime: {text[-300:]}"
            theirs.append(last_json(text)["median_ns"])
            code, text, _ = run([self.leafc, "bench", folder / "model.onnx", "--inputs", folder / "in.npz", "--runs",
                                 self.runs, "--json", *bounds], self.core)
            asked = BOUND.search(text)
            if code != 0 and asked and not bounds:
                bounds = ["--bound", f"{asked[1]}={largest}"]
                continue
            if code != 0:
                return text
            ours.append(last_json(text)["median_ns"])
        return statistics.median(ours), statistics.median(theirs)


def identity_case():
    """What a session costs."""
    output = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    return Case("Identity", "", helper.make_node("Identity", ["x"], ["y"]), {"x": np.zeros(1, np.float32)}, [output], 1,
                [helper.make_opsetid("", 17)], {}, 0)


def describe(case):
    """"f32 1x3x224x224, ..." of what is given."""
    def one(array):
        return f"{array.dtype.kind}{array.itemsize * 8} {'x'.join(map(str, array.shape)) or 'scalar'}"
    return ", ".join(one(array) for array in case.feeds.values())


def page(rows, floor, rounds):
    ratios = [ours / theirs for _, (ours, theirs) in rows]
    text = HEAD.format(ort=onnxruntime.__version__, date=datetime.date.today(), cpu=cpu_name(), rounds=rounds,
                       floor=floor[1] / 1e3, ours=floor[0] / 1e3, count=len(rows),
                       mean=statistics.geometric_mean(ratios) if rows else 0)
    for case, (ours, theirs) in sorted(rows, key=lambda row: -row[1][0] / row[1][1]):
        text += (f"| {case.operator} | {case.model} | {describe(case)} | {ours / 1e3:.1f} | {theirs / 1e3:.1f} | "
                 f"{ours / theirs:.2f} |\n")
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--build", required=True, type=Path)
    parser.add_argument("--only", default=".*", help="regular expression on operators")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "OperatorBench.md")
    parser.add_argument("--core", type=int, default=os.cpu_count() - 1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=200)
    args = parser.parse_args()
    measurer, rows, failed = Measurer(args), [], 0
    floor = measurer.measure(identity_case())
    for case in [*heaviest(args.folder, args.only), *named(args.only)]:
        result = measurer.measure(case)
        if isinstance(result, str):
            print(f"{case.operator} of {case.model}: {result}", file=sys.stderr)
            failed += 1
        else:
            rows.append((case, result))
            print(f"{case.operator}: {result[0] / 1e3:.1f} / {result[1] / 1e3:.1f} us = {result[0] / result[1]:.2f}",
                  flush=True)
    args.page.write_text(page(rows, floor, args.rounds))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
