"""The tests of the onnx wheel: models with their inputs, outputs and tolerances."""

import collections
import os
import pathlib
import re
import warnings

import onnx
import onnx.backend.test.loader

import values

SUITES = ("node", "simple", "pytorch-converted", "pytorch-operator")

# One or several (inputs, outputs) by name, each the values of one run.
Case = collections.namedtuple("Case", "name suite operator model data rtol atol")


def load(suites, pattern, sample):
    """Cases whose name matches, by name; with `sample` every n-th, so that there are about so many."""
    warnings.simplefilter("ignore")  # the cases compute their own overflows
    found = []
    for suite in suites:
        cases = {case.name: case for case in onnx.backend.test.loader.load_model_tests(kind=suite)}
        found += [(suite, case, cases) for name, case in sorted(cases.items()) if re.search(pattern, name)]
    if sample and sample < len(found):
        found = [found[int(i * len(found) / sample)] for i in range(sample)]
    return found


def read(suite, case, siblings):
    """Raises values.Unsupported."""
    model = load_model(case)
    initializers = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in initializers]
    data = []
    for given, expected in case.data_sets or read_folders(case, inputs, model.graph.output):
        data.append((name_values(inputs, given), name_values(model.graph.output, expected)))
    return Case(case.name, suite, operator_of(case, siblings), model, data, case.rtol, case.atol)


def load_model(case):
    return case.model or onnx.load(os.path.join(case.model_dir, "model.onnx"))


def name_values(declared, given):
    return {value.name: values.normalize(item) for value, item in zip(declared, given)}


def read_folders(case, inputs, outputs):
    for folder in sorted(pathlib.Path(case.model_dir).glob("test_data_set_*")):
        yield tuple([values.read(path, value.type) for path, value in zip(numbered(folder, kind), declared)]
                    for kind, declared in (("input", inputs), ("output", outputs)))


def numbered(folder, kind):
    return sorted(folder.glob(f"{kind}_*.pb"), key=lambda path: int(path.stem.split("_")[1]))


def operator_of(case, siblings):
    """(domain, name, opset) of what the test is about: an expanded function is tested for the function's sake."""
    base = siblings.get(re.sub(r"_expanded(_ver\d+|_function_[a-z_]+)?$", "", case.name), case)
    model = load_model(base)
    if not model.graph.node:
        return "", "Identity", 0
    node = model.graph.node[-1]
    versions = {entry.domain: entry.version for entry in model.opset_import}
    return node.domain, node.op_type, versions.get(node.domain, 0)
