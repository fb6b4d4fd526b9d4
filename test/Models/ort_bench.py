#!/usr/bin/env python3
"""Times a model with ONNX Runtime on one thread, as `leafc bench` does: one untimed run, then RUNS, at most 5 seconds.

    ort_bench.py model.onnx reference.npz inputs.npz RUNS

The reference holds in:NAME and out:NAME; inputs.npz is written, with NAME, for `leafc bench --inputs`. Prints one JSON
object: median_ns, version.
"""
import json
import statistics
import sys
import time

import numpy as np
import onnxruntime


def main():
    """One session."""
    model, reference, inputs, runs = sys.argv[1:]
    with np.load(reference) as data:
        feeds = {key[3:]: data[key] for key in data if key.startswith("in:")}
    np.savez(inputs, **feeds)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    session.run(None, feeds)
    times = []
    while len(times) < int(runs) and (sum(times) < 5e9 or len(times) < 3):
        start = time.perf_counter_ns()
        session.run(None, feeds)
        times.append(time.perf_counter_ns() - start)
    print(json.dumps({"median_ns": statistics.median(times), "version": onnxruntime.__version__}))


if __name__ == "__main__":
    main()
