#!/usr/bin/env python3
"""One artifact for all sizes: a model with bounded dimensions is compiled once and run at several sizes.

    dynamic.py --leafc build/release/bin/leafc --case minilm|ppocr [--emit lib|c]

Each answer is compared with ONNX Runtime's, within 1e-4 of its largest magnitude, and one size goes through `leafc run`
too. Exit code 77: a Python package is missing, or ../shared (or $LEAF_SHARED) is.
"""
import argparse
import ctypes
import os
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import numpy as np
    import onnxruntime
except ImportError:
    sys.exit(77)

ROOT = Path(__file__).resolve().parent.parent.parent
SHARED = Path(os.environ.get("LEAF_SHARED", ROOT.parent / "shared")) / "models"
TOLERANCE = 1e-4
ERROR_BOUND = 3

# What Python needs to know of the artifact comes from its descriptor.
SHIM = r"""
#include "leaf/model.h"
#include "model.h"
LEAF_ALIGNAS(MODEL_ARENA_ALIGN) static unsigned char arena[MODEL_ARENA_BYTES];
int run(void *const *buffers, int64_t *dims) {
  leaf_context context;
  leaf_status status = model_init(&context, arena, sizeof arena);
  return status == LEAF_OK ? model_entry(&context, buffers, dims) : (int)status;
}
int dim_count(void) { return model_model()->num_dims; }
const char *dim_name(int i) { return model_model()->dim_names[i]; }
int64_t dim_bound(int i) { return model_model()->dim_bounds[i]; }
int size_count(void) { return model_model()->num_sizes; }
int64_t capacity(int output) { return model_model()->outputs[output].capacity; }
"""


def minilm():
    """Sentences of 1 to 512 tokens; every other one has padding behind it."""
    random = np.random.default_rng(0)
    for tokens in (1, 17, 128, 512):
        mask = np.ones((1, tokens), np.int64)
        mask[0, tokens - tokens // 4:] = 0 if tokens in (17, 512) else 1
        yield dict(seq=tokens), {"input_ids": random.integers(1000, 20000, (1, tokens)), "attention_mask": mask,
                                 "token_type_ids": np.zeros((1, tokens), np.int64)}


def ppocr():
    """The picture of the reference, a part of it, and a larger one."""
    picture = np.load(SHARED / "ref/ppocr_v4_det.npz")["in:x"]
    for x in (picture, picture[:, :, 32:128, 64:256], picture.repeat(2, axis=2)):
        yield ({"p2o.DynamicDimension.1": x.shape[2], "p2o.DynamicDimension.2": x.shape[3]},
               {"x": np.ascontiguousarray(x)})


# File, fixed dimensions, bounds, sizes and inputs, which of these `leafc run` gets.
CASES = {
    "minilm": ("minilm_l6_fp16w", ["batch=1"], ["seq<=512"], minilm, 1),
    "ppocr": ("ppocr_v4_det", ["p2o.DynamicDimension.0=1"],
              ["p2o.DynamicDimension.1<=320", "p2o.DynamicDimension.2<=320"], ppocr, 1),
}


def build(args, model, dims, folder):
    """Compiles the model, once, and loads it with the shim."""
    subprocess.run([args.leafc, "compile", model, "-o", folder, "--name=model", f"--emit={args.emit}", *dims],
                   check=True, stdout=subprocess.DEVNULL)
    Path(folder, "shim.c").write_text(SHIM)
    code = f"{folder}/model.c" if args.emit == "c" else f"{folder}/libmodel.a"
    subprocess.run(["gcc", "-O2", "-march=native", "-shared", "-fPIC", f"-I{ROOT}/runtime/include", "-o",
                    f"{folder}/shim.so", f"{folder}/shim.c", code, "-lm"], check=True)
    library = ctypes.CDLL(f"{folder}/shim.so")
    library.dim_name.restype = ctypes.c_char_p
    library.dim_bound.restype = library.capacity.restype = ctypes.c_int64
    return library


def call(library, sizes, inputs, outputs):
    """Status of one run, and the sizes of the outputs that it gave back."""
    dims = np.zeros(library.dim_count() + library.size_count() + 1, np.int64)
    for i in range(library.dim_count()):
        dims[i] = sizes[library.dim_name(i).decode()]
    arrays = [*inputs, *outputs]
    buffers = (ctypes.c_void_p * len(arrays))(*[array.ctypes.data for array in arrays])
    status = library.run(buffers, ctypes.c_void_p(dims.ctypes.data))
    return status, dims[library.dim_count():-1].tolist()


def difference(actual, expected):
    return float(np.abs(actual.astype(np.float64) - expected).max() / np.abs(expected).max())


def check_sizes(library, session, runs):
    """Error texts of the runs that do not agree."""
    names = [given.name for given in session.get_inputs()]
    for sizes, inputs in runs:
        expected = session.run(None, inputs)
        # What is not written stays NaN.
        outputs = [np.full(library.capacity(i), np.nan, array.dtype) for i, array in enumerate(expected)]
        status, given = call(library, sizes, [inputs[name] for name in names], outputs)
        if status:
            yield f"{sizes}: status {status}"
            continue
        if any(size not in expected[0].shape for size in given):
            yield f"{sizes}: output of {given}, expected {expected[0].shape}"
        for actual, right in zip(outputs, expected):
            error = difference(actual[:right.size].reshape(right.shape), right)
            print(f"{sizes}: max rel error {error:.2e}")
            if not error <= TOLERANCE:
                yield f"{sizes}: max rel error {error}"
    beyond = {library.dim_name(i).decode(): library.dim_bound(i) + 1 for i in range(library.dim_count())}
    status, _ = call(library, beyond, [inputs[name] for name in names], outputs)
    if status != ERROR_BOUND:
        yield f"{beyond}: status {status}, expected {ERROR_BOUND}"


def check_run(leafc, model, dims, session, inputs, folder):
    """Error texts of `leafc run` at one size."""
    np.savez(f"{folder}/in.npz", **inputs)
    subprocess.run([leafc, "run", model, "--input", f"{folder}/in.npz", "--output", f"{folder}/out.npz", *dims],
                   check=True, stdout=subprocess.DEVNULL)
    with np.load(f"{folder}/out.npz") as actual:
        for output, right in zip(session.get_outputs(), session.run(None, inputs)):
            if actual[output.name].shape != right.shape:
                yield f"leafc run: {output.name} is {actual[output.name].shape}, expected {right.shape}"
            elif not difference(actual[output.name], right) <= TOLERANCE:
                yield f"leafc run: {output.name}: max rel error {difference(actual[output.name], right)}"


def main():
    """Runs one case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--leafc", required=True)
    parser.add_argument("--case", required=True, choices=list(CASES))
    parser.add_argument("--emit", default="lib", choices=["lib", "c"])
    args = parser.parse_args()
    name, fixed, bounds, make_runs, single = CASES[args.case]
    model = SHARED / "models" / f"{name}.onnx"
    if not model.exists():
        return 77
    dims = [word for dim in (*fixed, *bounds) for word in ("--dim", dim)]
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    runs = list(make_runs())
    with tempfile.TemporaryDirectory() as folder:
        errors = list(check_sizes(build(args, model, dims, folder), session, runs))
        errors += check_run(args.leafc, model, dims, session, runs[single][1], folder)
    print("\n".join(errors))
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
