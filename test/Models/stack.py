#!/usr/bin/env python3
"""The stack need that leafc prints against what a run takes, measured on a painted stack.

    stack.py --leafc build/release/bin/leafc --target cortex-m4 model.onnx

The need must be no less than the measured bytes, less those of functions of the C library and the compiler (memset,
soft-float helpers), and no more than a few words above them. Exit code 77: a compiler or emulator is missing.
"""
import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
BOARDS = HERE.parent.parent / "lib" / "Target" / "Run" / "boards"
# Bytes that functions outside the model may take, and by which the need may be above what this input takes.
HELPERS, SLACK = 48, 160

BARE = ["--specs=rdimon.specs", "-mthumb", "-Wl,--no-warn-rwx-segments", "-L."]
MACHINES = {
    "host": (["gcc"], []),
    "x86-64-v2": (["gcc"], []),
    "rpi4": (["aarch64-linux-gnu-gcc", "-static"], ["qemu-aarch64"]),
    "rpi3-32": (["arm-linux-gnueabihf-gcc", "-static", "-march=armv7-a", "-mfpu=neon-vfpv4"], ["qemu-arm"]),
    "cortex-m0plus": (["arm-none-eabi-gcc", *BARE, "-mcpu=cortex-m0plus", "-Tmps2.ld", "start.c"], "mps2-an385"),
    "cortex-m4": (["arm-none-eabi-gcc", *BARE, "-mcpu=cortex-m4", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16", "-Tmps2.ld",
                   "start.c"], "mps2-an386"),
    "cortex-m55": (["arm-none-eabi-gcc", *BARE, "-mcpu=cortex-m55", "-mfloat-abi=hard", "-Tan547.ld", "start.c"],
                   "mps3-an547"),
}


def emulator(run):
    """Command line before the program's name."""
    if isinstance(run, list):
        return run
    return ["qemu-system-arm", "-M", run, "-nographic", "-monitor", "none", "-serial", "none", "-semihosting-config",
            "enable=on,target=native", "-kernel"]


def main():
    """Measures one model on one target."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--leafc", required=True)
    parser.add_argument("--target", default="host", choices=MACHINES)
    parser.add_argument("model")
    args = parser.parse_args()
    build, run = MACHINES[args.target]
    run = emulator(run)
    if not all(shutil.which(tool) for tool in [build[0], *run[:1]]):
        return 77
    with tempfile.TemporaryDirectory() as folder:
        told = subprocess.run([Path(args.leafc).resolve(), "compile", args.model, "-o", folder, "--name=model",
                               f"--target={args.target}"], check=True, capture_output=True, text=True).stdout
        for board in BOARDS.iterdir():
            shutil.copy(board, folder)
        macros = ['-DMODEL_HEADER="model.h"', "-DMODEL(x)=MODEL_##x", "-DMODEL_INIT=model_init",
                  "-DMODEL_ENTRY=model_entry"]
        sources = [HERE / "stack_main.c", "libmodel.a", "-lm"]
        subprocess.run([*build, "-O1", "-Wall", *macros, "-I.", *sources, "-o", "run"], cwd=folder, check=True)
        output = subprocess.run([*run, "./run"], cwd=folder, check=True, capture_output=True, text=True,
                                timeout=60).stdout
    need = int(re.search(r"stack +([\d,]+) bytes", told)[1].replace(",", ""))
    status, used = (int(word) for word in re.search(r"status (\d+) stack (\d+)", output).groups())
    print(f"{args.target}: told {need}, used {used}")
    return 0 if status == 0 and used - HELPERS <= need <= used + SLACK else 1


if __name__ == "__main__":
    sys.exit(main())
