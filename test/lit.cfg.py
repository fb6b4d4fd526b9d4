"""lit: MLIR files run through leaf-opt, and command lines of leafc. Start it with `make check` or test/run_tests.py."""
import os
import shutil
import sys

import lit.formats

config.name = "Leafcutter"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs", "unit", "fuzz", "data"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.leaf_obj_root, "test")

path = [os.path.join(config.leaf_obj_root, "bin"), config.llvm_tools_dir, os.environ.get("PATH", "")]
config.environment["PATH"] = os.pathsep.join(path)
for name in ("HOME", "LEAF_SHARED"):
    if name in os.environ:
        config.environment[name] = os.environ[name]

config.substitutions += [
    ("%shared", config.leaf_shared),
    ("%models", os.path.join(config.test_source_root, "Models", "data")),
    ("%include", os.path.join(config.leaf_src_root, "runtime", "include")),
    ("%src", config.leaf_src_root),
    ("%python", sys.executable),  # the one that runs lit: it has what test/requirements.txt lists
]

# `REQUIRES: shared` marks what needs the models beside the repository; such tests count as skipped without them.
if os.path.isdir(os.path.join(config.leaf_shared, "models")):
    config.available_features.add("shared")
if os.path.exists(os.path.join(config.leaf_obj_root, "bin", "leafc")):
    config.available_features.add("leafc")
for feature, tool in {
    "gcc": "gcc",
    "clang": "clang-22",
    "aarch64": "aarch64-linux-gnu-gcc",
    "armhf": "arm-linux-gnueabihf-gcc",
    "cortex-m": "arm-none-eabi-gcc",
    "qemu-user": "qemu-aarch64",
    "qemu-x86": "qemu-x86_64",
    "qemu-system": "qemu-system-arm",
}.items():
    if shutil.which(tool):
        config.available_features.add(feature)
