"""Checks the JSON of leafc bench --profile: kernels are named and sorted, their times add up to about the run."""
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    profile = json.loads(file.read().splitlines()[-1])["profile"]
kernels = profile["kernels"]
assert kernels and all(kernel["kernel"] and kernel["nodes"] and all(kernel["nodes"]) for kernel in kernels), kernels
times = [kernel["median_ns"] for kernel in kernels]
assert times == sorted(times, reverse=True), times
assert all(kernel["bytes"] > 0 and kernel["operations"] >= 0 for kernel in kernels), kernels
assert abs(sum(times) - profile["sum_ns"]) < 1, profile["sum_ns"]
# Between two kernels there are a few instructions and two calls of the clock; medians of parts add up roughly.
assert 0.5 < profile["sum_ns"] / profile["run_ns"] < 1.2, (profile["sum_ns"], profile["run_ns"])
assert profile["peak_gflops"] > 0.5 and all(level["gb_per_s"] > 0.1 for level in profile["bandwidths"]), profile
# Shares may pass 1 where the clock of the machine rises, not by much.
assert all(0 <= kernel["roofline_share"] < 2 for kernel in kernels), kernels
assert any("MatMul" in node for kernel in kernels for node in kernel["nodes"]), kernels
