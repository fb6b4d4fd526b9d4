#!/usr/bin/env python3
"""Models that decide at run time (loops, branches, sequences, sizes from data) against ONNX Runtime.

    test/Models/programs.py --build build/release             all
    test/Models/programs.py --build build/release while c     only checks with all these words in their name

Each case is a graph in ONNX's text form with its inputs, the options that leafc needs, and what is checked: that it
agrees, that a run beyond its bound ends with the error for that, or that without a bound the message names the option.
Prints FAIL: lines and closes with: N passed, N failed, N skipped.
"""
import re
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
    import onnx.parser
    import onnxruntime
except ImportError:
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)

HEADER = '<ir_version: 8, opset_import: ["": 17]>\n'
EMISSIONS = {"jit": ["--emit=jit"], "c": ["--emit=c"]}
F, I = np.float32, np.int64


class Case:
    """A graph, its inputs by name (a list is a sequence), flags, and inputs that exceed the bounds in these."""

    def __init__(self, graph, inputs, flags=(), beyond=None, asks=None, header=HEADER):
        self.graph, self.inputs, self.flags, self.header = graph, inputs, list(flags), header
        self.beyond = beyond  # inputs of a run that must end with LEAF_ERROR_BOUND
        self.asks = asks  # the option that is asked for where the flags are not given


def steps(count, width=3):
    return np.arange(count * width, dtype=F).reshape(count, width) / 7


# A loop that doubles x while its sum is small; `collected` is what it gives besides.
WHILE = """
while_model (float[3] x, int64 trip, bool start) => (float[3] y{outputs}) {{
  limit = Constant <value = float {{50}}> ()
  {results} = Loop ({trip}, {start}, x) <body = body (int64 i, bool go, float[3] s) => (bool next, float[3] t{inner}) {{
    t = Add (s, s)
    sum = ReduceSum <keepdims = 0> (t)
    next = Less (sum, limit)
    {collect}
  }}>
}}
"""


def while_loop(trip="trip", start="start", collects=True):
    return WHILE.format(trip=trip, start=start, outputs=", float[n,3] all" if collects else "",
                        results="y, all" if collects else "y", inner=", float[3] u" if collects else "",
                        collect="u = Neg (s)" if collects else "")


GROWING = """
growing (float[k,2] x, int64 trip) => (float[n,2] y, float[m] sums) {
  yes = Constant <value = bool {1}> ()
  [loop] y, sums = Loop (trip, yes, x) <body = body (int64 i, bool go, float[r,2] s)
      => (bool next, float[q,2] t, float u) {
    next = Identity (go)
    one = Cast <to = 1> (i)
    shape = Constant <value = int64[2] {1, 2}> ()
    row = Expand (one, shape)
    t = Concat <axis = 0> (s, row)
    u = ReduceSum <keepdims = 0> (t)
  }>
}
"""

NESTED = """
nested (float[4] x, int64 outer) => (float[4] y, float[a] sums) {
  yes = Constant <value = bool {1}> ()
  y, sums = Loop (outer, yes, x) <body = body (int64 i, bool go, float[4] s) => (bool next, float[4] t, float u) {
    next = Identity (go)
    always = Constant <value = bool {1}> ()
    t = Loop (i, always, s) <inner = inner, body = inside (int64 j, bool more, float[4] p) => (bool then, float[4] q) {
      then = Identity (more)
      f = Cast <to = 1> (j)
      g = Add (x, f)
      q = Add (p, g)
    }>
    u = ReduceSum <keepdims = 0> (t)
  }>
}
""".replace("inner = inner, ", "")

SCAN = """
scanned (float[2] s0, float[2,5] x, float[5,3] z) => (float[2] s1, float[2,5] a, float[5,3] b) {{
  s1, a, b = Scan <num_scan_inputs = 2, scan_input_axes = [1, 0], scan_input_directions = [{d0}, {d1}],
                   scan_output_axes = [1, 0], scan_output_directions = [{d2}, {d3}],
    body = body (float[2] s, float[2] u, float[3] v) => (float[2] t, float[2] p, float[3] q) {{
      t = Add (s, u)
      total = ReduceSum <keepdims = 1> (t)
      p = Mul (t, u)
      q = Mul (v, total)
    }}> (s0, x, z)
}}
"""

SCAN_OPEN = """
scanned (float[2] s0, float[n,2] x) => (float[2] s1, float[n,2] a) {
  s1, a = Scan <num_scan_inputs = 1, body = body (float[2] s, float[2] u) => (float[2] t, float[2] p) {
      t = Add (s, u)
      p = Mul (t, u)
    }> (s0, x)
}
"""

# Slices whose size data decide: all that is positive in x, once for each row of z.
SCAN_SLICES = """
slices (float[6] x, float[4,1] z) => (float[r,c] y) {
  zero = Constant <value = float {0}> ()
  positive = Greater (x, zero)
  picked = Compress (x, positive)
  [scan] y = Scan <num_scan_inputs = 1, scan_output_axes = [1],
    body = body (float[1] u) => (float[c] p) { p = Mul (picked, u) }> (z)
}
"""

BRANCH = """
branch (float[6] x) => (float[n] y, float[2] z) {
  zero = Constant <value = float {0}> ()
  positive = Greater (x, zero)
  sum = ReduceSum <keepdims = 0> (x)
  cond = Greater (sum, zero)
  y, z = If (cond) <
    then_branch = then () => (float[p] a, float[2] b) {
      a = Compress (x, positive)
      b = Constant <value = float[2] {1, 2}> ()
    },
    else_branch = otherwise () => (float[q] c, float[2] d) {
      c = Neg (x)
      two = Constant <value = int64[1] {2}> ()
      start = Constant <value = int64[1] {0}> ()
      d = Slice (x, start, two)
    }>
}
"""

EXPANDED = """
expanded (float[2,1] x, int64[3] shape) => (float[a,b,c] y) { [node] y = Expand (x, shape) }
"""

BOXES = """
boxes (float[2,60,4] corners, float[2,3,60] scores) => (int64[n,3] y) {{
  most = Constant <value = int64[1] {{{most}}}> ()
  iou = Constant <value = float[1] {{0.3}}> ()
  score = Constant <value = float[1] {{{score}}}> ()
  y = NonMaxSuppression (corners, scores, most, iou, score)
}}
"""

# Rows of 37 elements: vectors and a rest.
SCATTERED = """
scattered (float[40,37] x, int64[9,37] i, float[9,37] u, int64[9,1] j) => (float[40,37] a, float[40,37] b,
                                                                         float[40,37] c, float[40,37] d) {
  a = ScatterElements <axis = 0> (x, i, u)
  b = ScatterElements <axis = 0, reduction = "add"> (x, i, u)
  c = ScatterND (x, j, u)
  d = ScatterND <reduction = "add"> (x, j, u)
}
"""

REPEATED = """
repeated (float[1,3,5,19] x) => (float[1,3,10,57] a, float[1,3,10,38] b, float[1,3,5,38] c) {
  scales = Constant <value = float[4] {1, 1, 2, 3}> ()
  twice = Constant <value = float[4] {1, 1, 2, 2}> ()
  wide = Constant <value = float[4] {1, 1, 1, 2}> ()
  a = Resize <mode = "nearest"> (x, , scales)
  b = Resize <mode = "nearest", coordinate_transformation_mode = "asymmetric", nearest_mode = "floor"> (x, , twice)
  c = Resize <mode = "nearest", coordinate_transformation_mode = "asymmetric"> (x, , wide)
}
"""

UNIQUE = """
unique (float[n] x) => (float[m] y, int64[m] first, int64[n] inverse, int64[m] counts) {{
  y, first, inverse, counts = Unique <sorted = {sorted}> (x)
}}
"""

# Each run of equal numbers as one element of a sequence, which is then joined again.
SEQUENCE = """
sequences (float[6,2] x, seq(float[k,2]) given, int64 at) => (float[n,2] y, seq(float[j,2]) parts, float[k,2] one) {
  lengths = Constant <value = int64[3] {1, 3, 2}> ()
  split = SplitToSequence <axis = 0> (x, lengths)
  first = Constant <value = int64 {0}> ()
  extra = SequenceAt (given, first)
  parts = SequenceInsert (split, extra, first)
  y = ConcatFromSequence <axis = 0> (parts)
  one = SequenceAt (given, at)
}
"""

SEQUENCE_BRANCH = """
branches (bool cond, float[2] x) => (seq(float[2]) y) {
  y = If (cond) <
    then_branch = then () => (seq(float[2]) a) { n = Neg (x)  a = SequenceConstruct (x, n) },
    else_branch = otherwise () => (seq(float[2]) b) { m = Abs (x)  b = SequenceConstruct (m, x) }>
}
"""

SEQUENCE_LOOP = """
looped (float[3] x) => (seq(float[k]) y, int64 length) {
  trip = Constant <value = int64 {3}> ()
  yes = Constant <value = bool {1}> ()
  one = Constant <value = int64[1] {1}> ()
  start = Constant <value = int64[1] {0}> ()
  empty = SequenceEmpty <dtype = 1> ()
  y = Loop (trip, yes, empty) <body = body (int64 i, bool go, seq(float[k]) s) => (bool next, seq(float[j]) t) {
    next = Identity (go)
    i1 = Reshape (i, one)
    end = Add (i1, one)
    part = Slice (x, start, end)
    t = SequenceInsert (s, part)
  }>
  length = SequenceLength (y)
}
"""

STRINGS = """
strings (string[2,3] x, string[3] z) => (string[2,3] joined, bool[2,3] equal, bool[2,3] matches, string[3,2] moved,
                                         string[4,3] both, string[n] row, string[2,3,k] parts, int64[2,3] counts) {
  joined = StringConcat (x, z)
  equal = Equal (x, z)
  matches = RegexFullMatch <pattern = "[a-c]+(é|,)?.*"> (x)
  moved = Transpose (x)
  both = Concat <axis = 0> (x, joined)
  from = Constant <value = int64[1] {1}> ()
  to = Constant <value = int64[1] {2}> ()
  second = Slice (x, from, to)
  axis = Constant <value = int64[1] {0}> ()
  line = Squeeze (second, axis)
  row = StringNormalizer <case_change_action = "UPPER", is_case_sensitive = 0, locale = "C.UTF-8",
          stopwords = ["B", "zz"]> (line)
  parts, counts = StringSplit <delimiter = ",", maxsplit = 2> (x)
}
"""

LABELS = """
labels (string[2,3] x, int64[4] i, float[4] f) => (int64[2,3] a, string[2,3] b, string[4] c, float[4] d) {
  a = ai.onnx.ml.LabelEncoder <keys_strings = ["b", "a,b", ""], values_int64s = [7, 8, 9], default_int64 = -3> (x)
  b = ai.onnx.ml.LabelEncoder <keys_strings = ["b", "a,b"], values_strings = ["é", ""], default_string = "none"> (x)
  c = ai.onnx.ml.LabelEncoder <keys_int64s = [5, -2, 9], values_strings = ["five", "minus two", "nine"]> (i)
  d = ai.onnx.ml.LabelEncoder <keys_floats = [0.5, 2.0], values_floats = [1.5, -1.0], default_float = 9.0> (f)
}
"""

TOKENS = """
tokens (string[2,5] x, string[5] z) => (float[2,6] a, float[6] b) {
  a = TfIdfVectorizer <mode = "TFIDF", min_gram_length = 1, max_gram_length = 2, max_skip_count = 1,
        ngram_counts = [0, 4], ngram_indexes = [0, 2, 1, 3, 4, 5],
        pool_strings = ["a", "b", "c", "d", "a", "b", "b", "c"],
        weights = [0.5, 1.0, 2.0, 3.0, 4.0, 5.0]> (x)
  b = TfIdfVectorizer <mode = "IDF", min_gram_length = 1, max_gram_length = 2, max_skip_count = 0,
        ngram_counts = [0, 4], ngram_indexes = [0, 2, 1, 3, 4, 5],
        pool_strings = ["a", "b", "c", "d", "a", "b", "b", "c"]> (z)
}
"""
TEXT = '<ir_version: 9, opset_import: ["": 20, "ai.onnx.ml": 4]>\n'
WORDS = np.array([["a,b", "b", "zz"], ["été", "a,,b,c,d", "bZ"]])

RANDOM = np.random.default_rng(1)
CORNERS = RANDOM.uniform(0, 40, (2, 60, 2)).astype(F)
CORNERS = np.concatenate([CORNERS, CORNERS + RANDOM.uniform(4, 30, (2, 60, 2)).astype(F)], 2)
# Few values, so that scores are equal.
SCORES = RANDOM.integers(0, 20, (2, 3, 60)).astype(F) / 20
ROWS = RANDOM.permutation(40)[:9]
SPREAD = {"x": RANDOM.standard_normal((40, 37)).astype(F), "u": RANDOM.standard_normal((9, 37)).astype(F),
          "i": np.stack([RANDOM.permutation(40)[:9] for _ in range(37)], 1) - 40, "j": ROWS[:, None]}
X3 = np.array([1, 2, 0.5], F)
X6 = np.array([3, -1, 2, -4, 0.5, 1], F)
TRIP = {"x": X3, "start": np.array(True)}

CASES = {
    "while sum": Case(while_loop(start='', trip='', collects=False).replace(", int64 trip, bool start", ""), {"x": X3}),
    "while trip": Case(while_loop(collects=False), {**TRIP, "trip": np.array(2)}),
    "while condition": Case(while_loop(collects=False), {**TRIP, "trip": np.array(2**40)}),
    "while never": Case(while_loop(), {**TRIP, "trip": np.array(7), "start": np.array(False)}, ["--bound", "all=9"]),
    "while collects": Case(while_loop(), {**TRIP, "trip": np.array(9)}, ["--bound", "all=9"],
                           beyond={**TRIP, "x": X3 / 1000, "trip": np.array(12)}),
    "while collects all": Case(while_loop(), {**TRIP, "trip": np.array(3)}, ["--bound", "all=3"]),
    "while open": Case(while_loop(trip='').replace(", int64 trip", ""), TRIP, ["--bound", "all=6"], asks="all",
                       beyond={**TRIP, "x": X3 / 1000}),
    "growing": Case(GROWING, {"x": steps(2, 2), "trip": np.array(3)}, ["--bound", "loop.y=6", "--bound", "loop.sums=3"],
                    beyond={"x": steps(2, 2), "trip": np.array(4)}, asks="loop.y"),
    "growing none": Case(GROWING, {"x": steps(2, 2), "trip": np.array(0)},
                         ["--bound", "loop.y=6", "--bound", "loop.sums=3"]),
    "nested": Case(NESTED, {"x": steps(1, 4)[0], "outer": np.array(4)}, ["--bound", "sums=5"]),
    "scan": Case(SCAN.format(d0=0, d1=0, d2=0, d3=0), {"s0": X3[:2], "x": steps(2, 5), "z": steps(5)}),
    "scan backwards": Case(SCAN.format(d0=1, d1=0, d2=0, d3=1), {"s0": X3[:2], "x": steps(2, 5), "z": steps(5)}),
    "scan mixed": Case(SCAN.format(d0=0, d1=1, d2=1, d3=0), {"s0": X3[:2], "x": steps(2, 5), "z": steps(5)}),
    "scan open": Case(SCAN_OPEN, {"s0": X3[:2], "x": steps(4, 2)}, ["--dim", "n<=8"]),
    "scan slices": Case(SCAN_SLICES, {"x": X6, "z": steps(4, 1)}, ["--bound", "scan.y=4"], asks="scan.y",
                        beyond={"x": abs(X6), "z": steps(4, 1)}),
    "branch then": Case(BRANCH, {"x": X6}),
    "branch else": Case(BRANCH, {"x": -X6}),
    "expanded": Case(EXPANDED, {"x": steps(2, 1), "shape": np.array([3, 2, 4])}, ["--bound", "node.y=4"],
                     beyond={"x": steps(2, 1), "shape": np.array([3, 2, 5])}, asks="node.y"),
    "expanded negative": Case(EXPANDED, {"x": steps(2, 1), "shape": np.array([1, 1, 1])}, ["--bound", "node.y=4"],
                              beyond={"x": steps(2, 1), "shape": np.array([-3, 2, 1])}),
    "boxes": Case(BOXES.format(most=7, score=0.2), {"corners": CORNERS, "scores": SCORES}),
    "boxes all": Case(BOXES.format(most=100, score=0), {"corners": CORNERS, "scores": SCORES}),
    "boxes none": Case(BOXES.format(most=5, score=2), {"corners": CORNERS, "scores": SCORES}),
    "scattered": Case(SCATTERED, SPREAD),
    "repeated": Case(REPEATED, {"x": RANDOM.standard_normal((1, 3, 5, 19)).astype(F)}),
    "unique": Case(UNIQUE.format(sorted=1), {"x": np.array([2, 1, 1, 3, 4, 3, 1], F)}),
    "unique in order": Case(UNIQUE.format(sorted=0), {"x": np.array([2, 1, 1, 3, 4, 3, 1], F)}),
    "unique one": Case(UNIQUE.format(sorted=1), {"x": np.array([2], F)}),
    "unique many": Case(UNIQUE.format(sorted=1), {"x": np.random.default_rng(0).integers(0, 90, 1000).astype(F)}),
    "unique open": Case(UNIQUE.format(sorted=0), {"x": np.array([2, 1, 1, 3, 4, 3, 1], F)}, ["--dim", "n<=10"]),
    "sequence": Case(SEQUENCE, {"x": steps(6, 2), "given": [steps(2, 2), -steps(2, 2)], "at": np.array(1)}),
    "sequence branch then": Case(SEQUENCE_BRANCH, {"cond": np.array(True), "x": X3[:2]}),
    "sequence branch else": Case(SEQUENCE_BRANCH, {"cond": np.array(False), "x": -X3[:2]}),
    "strings": Case(STRINGS, {"x": WORDS, "z": np.array(["a,b", "", "zz"])}, header=TEXT),
    "strings stopped": Case(STRINGS, {"x": np.full((2, 3), "b"), "z": np.array(["", "", ""])}, header=TEXT),
    "strings open": Case(STRINGS, {"x": WORDS, "z": np.array(["a,b", "", "zz"])},
                         ["--dim", "x.bytes<=40", "--dim", "z.bytes<=9"], header=TEXT),
    "labels": Case(LABELS, {"x": WORDS, "i": np.array([9, 5, 1, -2]), "f": np.array([2, 0.5, np.nan, 1], F)},
                   header=TEXT),
    "tokens": Case(TOKENS, {"x": np.array([list("abcab"), list("ddxbc")]), "z": np.array(list("aabcx"))}, header=TEXT),
    "sequence loop": Case(SEQUENCE_LOOP, {"x": X3}),
}


def flatten(prefix, values):
    """Arrays of a .npz: NAME, or NAME[0], NAME[1], ... of a sequence."""
    arrays = {}
    for name, value in values.items():
        if isinstance(value, list):
            arrays.update({f"{prefix}{name}[{i}]": item for i, item in enumerate(value)})
        else:
            array = np.asarray(value)
            arrays[prefix + name] = array.astype(str) if array.dtype.kind == "O" else array
    return arrays


def write_model(case, folder):
    model = onnx.parser.parse_model(case.header + case.graph.replace("[loop]", "").replace("[scan]", "")
                                    .replace("[node]", ""))
    for name in re.findall(r"\[(loop|scan|node)\]", case.graph):
        next(node for node in model.graph.node if node.op_type in ("Loop", "Scan", "Expand")).name = name
    onnx.save(model, folder / "case.onnx")
    return model


def run_leafc(leafc, *words):
    result = subprocess.run([leafc, *words], capture_output=True, text=True, timeout=120, check=False)
    return result.returncode, result.stdout + result.stderr


def check_agrees(leafc, case, flags):
    """An error text; empty when both agree."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = write_model(case, folder)
        session = onnxruntime.InferenceSession(folder / "case.onnx", providers=["CPUExecutionProvider"])
        results = session.run(None, case.inputs)
        outputs = {value.name: result for value, result in zip(model.graph.output, results)}
        np.savez(folder / "case.npz", **flatten("in:", case.inputs), **flatten("out:", outputs))
        return suite.verify_case(leafc, folder, [*flags, *case.flags])


def check_beyond(leafc, case, flags):
    """A run that needs more than its bound ends with the error for that."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_model(case, folder)
        np.savez(folder / "in.npz", **flatten("", case.beyond))
        code, text = run_leafc(leafc, "run", folder / "case.onnx", "--input", folder / "in.npz", *flags, *case.flags)
        return "" if code == 1 and "above the bound" in text else f"exit code {code}: {text}"


def check_asks(leafc, case):
    """Without a bound, the message names the option."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_model(case, folder)
        np.savez(folder / "in.npz", **flatten("", case.inputs))
        code, text = run_leafc(leafc, "run", folder / "case.onnx", "--input", folder / "in.npz")
        named = re.search(r"--bound '([^']*)=N'", text)
        if code == 1 and named and named[1].endswith(case.asks):
            return ""
        return f"does not ask for --bound {case.asks}: exit code {code}: {text}"


def list_checks(leafc):
    for name, case in CASES.items():
        for emission, flags in EMISSIONS.items():
            yield f"{name} {emission}", partial(check_agrees, leafc, case, flags)
            if case.beyond:
                yield f"{name} beyond {emission}", partial(check_beyond, leafc, case, flags)
        if case.asks:
            yield f"{name} asks", partial(check_asks, leafc, case)


def main():
    """Runs the checks that were asked for."""
    args = suite.make_parser(__doc__).parse_args()
    return suite.run(list_checks(suite.leafc_of(args)), args, "program")


if __name__ == "__main__":
    sys.exit(main())
