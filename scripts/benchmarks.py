#!/usr/bin/env python3
"""Compares leafc with other runtimes by ../shared/bench; writes docs/Benchmarks.md and docs/Benchmarks.svg.

    scripts/benchmarks.py run   --venv VENV --leafc build/release/bin/leafc [--models a,b] [--threads 1,2]
    scripts/benchmarks.py write                           the page and the plot, from what was measured last
    make bench VENV_PEERS=VENV                            both

VENV is what ../shared/bench/setup.sh makes (with --models: the models of the table). Results are appended to
build/bench/THREADS.tsv; only the last session of each model counts. On a machine that does something else the figures
mean nothing.
"""
import argparse
import csv
import datetime
import math
import os
import platform
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("LEAF_SHARED", ROOT.parent / "shared"))
RESULTS = ROOT / "build" / "bench"
PEERS = ["ort", "ov_f32", "ncnn", "mnn", "leafc"]
TITLES = {"ort": "ONNX Runtime", "ov_f32": "OpenVINO", "ncnn": "ncnn", "mnn": "MNN", "leafc": "Leafcutter"}
COLOURS = {"ov_f32": "#9aa5b1", "ncnn": "#c3b091", "mnn": "#b39ddb", "leafc": "#2e7d32"}
MAX_FP32_REL_ERROR = 0.02  # as in ../shared/bench/schema.py


def cpu_name():
    """What the CPU calls itself, with its cores."""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return f"{line.split(':', 1)[1].strip()}, {os.cpu_count()} cores"
    return f"{platform.machine()}, {os.cpu_count()} cores"


def model_folders(args):
    """Folders of models and the models to take of each."""
    wanted = args.models.split(",") if args.models else None
    for folder in args.models_dir or [Path(args.venv) / "models", SHARED / "models"]:
        folder = Path(folder)
        inner = folder / "models" if (folder / "models").is_dir() else folder
        names = sorted(path.stem for path in inner.glob("*.onnx"))
        chosen = [name for name in names if wanted is None or name in wanted]
        if chosen:
            yield folder, chosen


def run(args):
    """Measures; returns the exit code."""
    bench = SHARED / "bench" / "bench.py"
    if not bench.exists():
        print(f"{bench} is missing: set LEAF_SHARED", file=sys.stderr)
        return 1
    python = Path(args.venv) / "bin" / "python"
    if not python.exists():
        print(f"{python} is missing: sh {SHARED}/bench/setup.sh {args.venv} --models", file=sys.stderr)
        return 1
    RESULTS.mkdir(parents=True, exist_ok=True)
    folders = list(model_folders(args))
    if not folders:
        print("no such model", file=sys.stderr)
        return 1
    environment = without_pip(RESULTS)
    for threads in args.threads.split(","):
        for folder, names in folders:
            command = [python, bench, "--models-dir", folder, "--models", ",".join(names), "--peers", args.peers,
                       "--leafc", Path(args.leafc).resolve(), "--threads", threads, "--rounds", str(args.rounds),
                       "--runs", str(args.runs), "--out", RESULTS / f"{threads}.tsv"]
            if args.cache:
                command += ["--cache", args.cache]
            if subprocess.run(command, check=False, env=environment).returncode != 0:
                print(f"bench.py failed on {folder}", file=sys.stderr)
                return 1
    (RESULTS / "machine.txt").write_text(f"{cpu_name()}\n{datetime.date.today()}\n", encoding="utf-8")
    return 0


def without_pip(folder):
    """An environment where pip does nothing. MNN calls it when it converts a model, and what it installs brings an older
    protobuf with it, on which onnx then fails."""
    stub = folder / "bin" / "pip"
    stub.parent.mkdir(exist_ok=True)
    stub.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
    stub.chmod(0o755)
    return {**os.environ, "PATH": f"{stub.parent.resolve()}{os.pathsep}{os.environ['PATH']}"}


def last_sessions(path):
    """{model: {peer: row}} of each model's last session; as ../shared/bench/summarize.py."""
    models = {}
    if not path.exists():
        return {}
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            session, rows = models.get(row["model"], (None, {}))
            if session != row["session"]:
                rows = {}
            rows[row["peer"]] = row
            models[row["model"]] = (row["session"], rows)
    return {model: rows for model, (_, rows) in sorted(models.items())}


def number(row, column):
    """A column as a number, or None."""
    try:
        return float(row[column]) if row and row["status"] == "ok" else None
    except (TypeError, ValueError):
        return None


def is_accurate(row):
    """True where the outputs are those of ONNX Runtime."""
    error = number(row, "max_rel")
    return error is not None and error <= MAX_FP32_REL_ERROR


def best_other(rows):
    """The fastest accurate peer that is not leafc, by its ratio to ONNX Runtime; or None."""
    ratios = [number(row, "vs_ort") for peer, row in rows.items() if peer != "leafc" and is_accurate(row)]
    ratios = [ratio for ratio in ratios if ratio]
    return min(ratios) if ratios else None


def geometric_mean(values):
    values = [value for value in values if value]
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def text(value, digits=2):
    return f"{value:.{digits}f}" if value is not None else ""


def megabytes(value):
    return f"{value / 1e6:.1f}" if value is not None else ""


def ratio_cell(row):
    """A ratio to ONNX Runtime; `!` where the outputs are off; the status where there is none."""
    ratio = number(row, "vs_ort")
    if row is None or row["status"] == "not_installed":
        return ""
    if ratio is None:
        return row["status"]
    return text(ratio) + ("" if is_accurate(row) else " !")


def latency_table(models, peers, threads):
    """Lines of Markdown: latency of each peer over ONNX Runtime's."""
    lines = [f"## Latency, {threads} thread{'s' if threads != '1' else ''}", "",
             "Over that of ONNX Runtime in the same session; lower is better. `!`: wrong outputs.", "",
             "| model | ONNX Runtime ms | " + " | ".join(TITLES[peer] for peer in peers) + " | over the best |",
             "|---|" + "---:|" * (len(peers) + 2)]
    overs = []
    for model, rows in models.items():
        best, ours = best_other(rows), number(rows.get("leafc"), "vs_ort")
        over = ours / best if best and ours else None
        overs.append(over)
        cells = [ratio_cell(rows.get(peer)) for peer in peers]
        lines.append(f"| {model} | {text(number(rows.get('ort'), 'median_ms'), 3)} | " + " | ".join(cells) +
                     f" | {text(over)} |")
    lines.append("| geometric mean | | " + " | ".join(
        text(geometric_mean(number(rows.get(peer), "vs_ort") for rows in models.values() if is_accurate(rows.get(peer))))
        for peer in peers) +
        f" | {text(geometric_mean(overs))} |")
    return lines + [""]


def speedup_table(one, two):
    """Lines of Markdown: what a second thread brings."""
    lines = ["## Second thread", "", "Time on one thread over time on two; higher is better. The two are other sessions.",
             "", "| model | ONNX Runtime | Leafcutter |", "|---|---:|---:|"]
    for model in one:
        cells = []
        for peer in ("ort", "leafc"):
            single, double = number(one[model].get(peer), "median_ms"), number(two.get(model, {}).get(peer), "median_ms")
            cells.append(text(single / double if single and double else None))
        if any(cells):
            lines.append(f"| {model} | " + " | ".join(cells) + " |")
    return lines + [""]


def memory_table(models, peers):
    """Lines of Markdown: memory while running, and what is deployed."""
    lines = ["## Memory and size", "",
             "Peak memory of the process while running, less what it had before the model was loaded, MiB; for Leafcutter "
             "also MB of arena, of the model's weights, and of code with its runtime.", "",
             "| model | " + " | ".join(TITLES[peer] for peer in peers) + " | arena | weights | code |",
             "|---|" + "---:|" * (len(peers) + 3)]
    for model, rows in models.items():
        ours = rows.get("leafc")
        sizes = [megabytes(number(ours, column)) for column in ("arena_bytes", "model_bytes")]
        code = number(ours, "runtime_bytes")
        lines.append(f"| {model} | " + " | ".join(text(number(rows.get(peer), "rss_mb"), 1) for peer in peers) +
                     f" | {' | '.join(sizes)} | {f'{code / 1e6:.2f}' if code is not None else ''} |")
    return lines + [""]


def plot(models, peers, title):
    """An SVG: one row of bars for each model, lengths are latency over ONNX Runtime's."""
    bar, gap, left, scale, top = 9, 10, 190, 300, 62
    shown = [peer for peer in peers if peer != "ort"]
    row = bar * len(shown) + gap
    limit = 2.0
    height = top + row * len(models) + 30
    escape = lambda s: s.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + int(scale * limit) + 70}" height="{height}" '
           'font-family="sans-serif" font-size="11">', '<rect width="100%" height="100%" fill="white"/>',
           f'<text x="8" y="18" font-size="14">{escape(title)}</text>']
    for i, peer in enumerate(shown):
        x = left + 110 * i
        out += [f'<rect x="{x}" y="28" width="10" height="10" fill="{COLOURS.get(peer, "#777777")}"/>',
                f'<text x="{x + 14}" y="37">{TITLES[peer]}</text>']
    for tick in (0.5, 1.0, 1.5, 2.0):
        x = left + scale * tick
        out += [f'<line x1="{x:.0f}" y1="{top - 6}" x2="{x:.0f}" y2="{height - 22}" '
                f'stroke="{"#c62828" if tick == 1 else "#dddddd"}"/>',
                f'<text x="{x:.0f}" y="{height - 8}" text-anchor="middle">{tick:g}</text>']
    for index, (model, rows) in enumerate(models.items()):
        y = top + index * row
        out.append(f'<text x="{left - 8}" y="{y + row / 2:.0f}" text-anchor="end">{escape(model)}</text>')
        for i, peer in enumerate(shown):
            ratio = number(rows.get(peer), "vs_ort")
            if ratio is None:
                continue
            width = scale * min(ratio, limit)
            out.append(f'<rect x="{left}" y="{y + bar * i}" width="{width:.1f}" height="{bar - 1}" '
                       f'fill="{COLOURS.get(peer, "#777777")}"/>')
            if ratio > limit:
                out.append(f'<text x="{left + width + 4:.0f}" y="{y + bar * (i + 1) - 1}" font-size="9">{ratio:.1f}</text>')
    return "\n".join(out + ["</svg>"]) + "\n"


def write(args):
    """Writes the page and the plot; returns the exit code."""
    results = Path(args.results)
    one, two = last_sessions(results / "1.tsv"), last_sessions(results / "2.tsv")
    if not one and not two:
        print(f"no results in {results}: scripts/benchmarks.py run", file=sys.stderr)
        return 1
    machine = results / "machine.txt"
    cpu, date = (machine.read_text(encoding="utf-8").splitlines() + ["", ""])[:2] if machine.exists() else ("", "")
    sessions = [row for models in (one, two) for rows in models.values() for row in rows.values()]
    peers = [peer for peer in PEERS if any(row["peer"] == peer and row["status"] != "not_installed" for row in sessions)]
    lines = ["# Benchmarks", "",
             "Written by `make bench`; do not edit. How it is measured: `../shared/bench/README.md` (sessions in fresh "
             "processes, interleaved, medians of the ratios within a round).", "",
             f"CPU: {cpu or 'unknown'}. Measured: {date or 'unknown'}. Figures of different CPUs do not compare.", "",
             "![latency over that of ONNX Runtime](Benchmarks.svg)", ""]
    if one:
        lines += latency_table(one, peers, "1")
    if two:
        lines += latency_table(two, peers, "2")
    if one and two:
        lines += speedup_table(one, two)
    lines += memory_table(one or two, peers)
    output = Path(args.output)
    output.with_suffix(".md").write_text("\n".join(lines), encoding="utf-8")
    title = f"Latency over ONNX Runtime's, {'one thread' if one else 'two threads'} ({cpu})"
    output.with_suffix(".svg").write_text(plot(one or two, peers, title), encoding="utf-8")
    print(f"wrote {output.with_suffix('.md')} and {output.with_suffix('.svg')}")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    measure = commands.add_parser("run")
    measure.add_argument("--venv", required=True, help="made by ../shared/bench/setup.sh")
    measure.add_argument("--leafc", default=ROOT / "build/release/bin/leafc")
    measure.add_argument("--models", help="comma list; default: all")
    measure.add_argument("--models-dir", action="append", help="default: those of VENV and of ../shared")
    measure.add_argument("--peers", default=",".join(PEERS))
    measure.add_argument("--threads", default="1,2", help="comma list")
    measure.add_argument("--rounds", type=int, default=5)
    measure.add_argument("--runs", type=int, default=25)
    measure.add_argument("--cache", help="compiled models of the peers")
    page = commands.add_parser("write")
    page.add_argument("--results", default=RESULTS, help="folder of 1.tsv and 2.tsv")
    page.add_argument("--output", default=ROOT / "docs" / "Benchmarks")
    args = parser.parse_args()
    return run(args) if args.command == "run" else write(args)


if __name__ == "__main__":
    sys.exit(main())
