#!/usr/bin/env python3
"""Decodes 64 characters with a KV-cache model, one artifact for all steps, and compares each step with ONNX Runtime.

    decode.py --leafc build/release/bin/leafc --model charlm_kv.onnx [--alias] [--steps 64]

With --alias past and present share the caller's buffers. Exit code 77: numpy or onnxruntime is missing.
"""
import argparse
import ctypes
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import numpy as np
    import onnxruntime
except ImportError:
    sys.exit(77)

HEADS, WIDTH, CAPACITY = 4, 16, 64
CACHES = ["k_0", "v_0", "k_1", "v_1"]

# One call for a step, over plain pointers, so that Python needs no layout of the generated structs. DENSE is set where
# past and present are buffers of their own.
SHIM = r"""
#include "charlm_kv.h"
#include <stddef.h>
LEAF_ALIGNAS(CHARLM_KV_ARENA_ALIGN) static unsigned char arena[CHARLM_KV_ARENA_BYTES];
int step(const int64_t *ids, float *logits, float **past, float **present, int64_t length) {
  leaf_context ctx;
  charlm_kv_inputs in;
  charlm_kv_outputs out;
  int rc = charlm_kv_init(&ctx, arena, sizeof arena);
  if (rc != LEAF_OK)
    return rc;
  in.input_ids = ids;
  in.past_k_0 = past[0];
  in.past_v_0 = past[1];
  in.past_k_1 = past[2];
  in.past_v_1 = past[3];
  in.past = length;
  out.logits = logits;
#ifdef DENSE
  out.present_k_0 = present[0];
  out.present_v_0 = present[1];
  out.present_k_1 = present[2];
  out.present_v_1 = present[3];
#else
  (void)present;
#endif
  return charlm_kv_run(&ctx, &in, &out);
}
"""


def build(args, folder):
    """Compiles the model once and loads it with the shim."""
    command = [args.leafc, "compile", args.model, "-o", folder, "--emit=c", "--dim", "batch=1", "--dim", "seq=1",
               "--dim",
               f"past<={CAPACITY - 1}"]
    if args.alias:
        for cache in CACHES:
            command += ["--alias", f"past_{cache}=present_{cache}"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    Path(folder, "shim.c").write_text(SHIM)
    subprocess.run(["gcc", "-O2", "-shared", "-fPIC", *([] if args.alias else ["-DDENSE"]), "-o", f"{folder}/shim.so",
                    f"{folder}/shim.c", f"{folder}/charlm_kv.c", "-lm"], check=True)
    return ctypes.CDLL(f"{folder}/shim.so")


def pointers(arrays):
    return (ctypes.c_void_p * len(arrays))(*[array.ctypes.data for array in arrays])


def run_step(library, token, past, present, length):
    """Logits of one step; the caches are read and written in place."""
    ids, logits = np.array([[token]], np.int64), np.full((1, 1, 96), np.nan, np.float32)
    code = library.step(ctypes.c_void_p(ids.ctypes.data), ctypes.c_void_p(logits.ctypes.data), pointers(past),
                        pointers(present), ctypes.c_int64(length))
    if code != 0:
        raise SystemExit(f"step {length}: status {code}")
    return logits


def compare(step, name, actual, expected):
    """Ends the script where an output is off by more than 1e-4 of its largest magnitude."""
    error = np.abs(actual - expected).max() / np.abs(expected).max()
    if not error <= 1e-4:
        raise SystemExit(f"step {step}: {name} differs by {error:.3g}")


def main():
    """Runs all steps."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--leafc", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--alias", action="store_true")
    parser.add_argument("--steps", type=int, default=CAPACITY)
    args = parser.parse_args()
    session = onnxruntime.InferenceSession(args.model, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    expected_past = [np.zeros((1, HEADS, 0, WIDTH), np.float32) for _ in CACHES]
    # Aliased caches are at capacity strides; otherwise two sets of buffers take turns, dense at the step's size.
    caches, others = ([np.full((1, HEADS, CAPACITY, WIDTH), np.nan, np.float32) for _ in CACHES] for _ in range(2))
    with tempfile.TemporaryDirectory() as folder:
        library = build(args, folder)
        token = 40
        for step in range(args.steps):
            feeds = {f"past_{cache}": past for cache, past in zip(CACHES, expected_past)}
            expected = dict(zip(names, session.run(None, {"input_ids": np.array([[token]], np.int64), **feeds})))
            if args.alias:
                logits = run_step(library, token, caches, caches, step)
                present = [cache[:, :, :step + 1] for cache in caches]
            else:
                logits = run_step(library, token, caches, others, step)
                used = HEADS * (step + 1) * WIDTH
                present = [other.reshape(-1)[:used].reshape(1, HEADS, step + 1, WIDTH) for other in others]
                caches, others = others, caches
            compare(step, "logits", logits, expected["logits"])
            for cache, actual in zip(CACHES, present):
                compare(step, f"present_{cache}", actual, expected[f"present_{cache}"])
            expected_past = [expected[f"present_{cache}"] for cache in CACHES]
            token = int(expected["logits"][0, -1].argmax())
            if int(logits[0, -1].argmax()) != token:
                raise SystemExit(f"step {step}: another token")
    print(f"{args.steps} steps agree")


if __name__ == "__main__":
    main()
