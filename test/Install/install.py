#!/usr/bin/env python3
"""Leafcutter as strangers use it: installed, through CMake (also cross-compiling), through pkg-config, as a .deb.

    test/Install/install.py --build build/release                  everything
    test/Install/install.py --build build/release cmake            only checks with all these words in their name

The projects are those of examples/, copied to a temporary folder. Prints FAIL: lines and closes with: N passed, N
failed, N skipped.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import suite  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLES = ROOT / "examples"
MODELS = ROOT / "test" / "Models" / "data"
MODEL = MODELS / "mnist_cnn.onnx"
BAR = "a bar is a 1"
TIMEOUT = 240


class Failure(Exception):
    """What went wrong, for people."""


class Skip(Exception):
    """What is missing."""


def run(*command, cwd=None, env=None, fails=False):
    """Output of a command that must succeed (or, with `fails`, must not)."""
    result = subprocess.run([str(word) for word in command], cwd=cwd, env=env, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, errors="replace", timeout=TIMEOUT, check=False)
    if (result.returncode != 0) != fails:
        line = " ".join(str(word) for word in command)
        raise Failure(f"$ {line}\n{result.stdout.strip()}\nexit code {result.returncode}")
    return result.stdout


def expect(text, *words):
    """Each of `words` stands in `text`."""
    for word in words:
        if word not in text:
            raise Failure(f"'{word}' is missing in:\n{text.strip()}")


def need(*tools):
    """Skips the check where a tool is missing."""
    for tool in tools:
        if not shutil.which(tool):
            raise Skip(tool)


class Checks:
    """All checks share one installation; each has a folder of its own."""

    def __init__(self, build, folder):
        self.build, self.folder = build, folder
        self.prefix = folder / "prefix"
        self.source = folder / "examples"
        shutil.copytree(EXAMPLES, self.source, ignore=shutil.ignore_patterns("build"))
        self.leafc = self.prefix / "bin" / "leafc"
        self.environment = {**os.environ, "PATH": f"{self.prefix / 'bin'}:{os.environ['PATH']}",
                            "PKG_CONFIG_PATH": str(self.prefix / "lib" / "pkgconfig")}

    def configure(self, name, *flags, source=None, fails=False):
        """Configures a project against the installation; its build folder and CMake's output."""
        out = self.folder / name
        text = run("cmake", "-S", source or self.source / "cmake", "-B", out, f"-DCMAKE_PREFIX_PATH={self.prefix}",
                   f"-DMODEL={MODEL}", *flags, fails=fails)
        return out, text

    def project(self, name, *lines, language="C"):
        """A project of these lines, for one behaviour."""
        source = self.folder / f"{name}-source"
        source.mkdir()
        head = ["cmake_minimum_required(VERSION 3.20)", f"project(test LANGUAGES {language})",
                f"find_package(leafcutter REQUIRED PATHS {self.prefix} NO_DEFAULT_PATH)"]
        (source / "CMakeLists.txt").write_text("\n".join([*head, *lines]) + "\n")
        return source

    # --- The installation -----------------------------------------------------------------------------------------

    def install(self):
        """`cmake --install` to a folder of its own, moved afterwards: nothing knows where it was put."""
        first = self.folder / "first"
        run("cmake", "--install", self.build, "--prefix", first)
        first.rename(self.prefix)
        expect(run(self.leafc, "--version"), "leafc ")
        for name in ("include/leaf/leaf.h", "include/leaf/model.h", "lib/libleaf_runtime.a",
                     "lib/pkgconfig/leafcutter-runtime.pc", "share/cmake/leafcutter/leafcutterConfig.cmake",
                     "share/leafcutter/runtime/leaf.c", "share/leafcutter/runtime/threads.c"):
            if not (self.prefix / name).is_file():
                raise Failure(f"{name} was not installed")

    # --- CMake ----------------------------------------------------------------------------------------------------

    def cmake(self):
        """The example on this machine: machine code and C, the runtime."""
        out, _ = self.configure("cmake", "-G", "Ninja")
        run("cmake", "--build", out)
        expect(run(out / "digit"), BAR)
        expect(run(out / "describe"), "input image: up to 2 x 1 x 28 x 28, 6272 bytes", "run: success")

    def cmake_make(self):
        """The same with make instead of Ninja, as debug build."""
        need("make")
        out, _ = self.configure("cmake-make", "-G", "Unix Makefiles", "-DCMAKE_BUILD_TYPE=Debug")
        run("cmake", "--build", out)
        expect(run(out / "digit"), BAR)

    def cmake_rebuild(self):
        """Nothing is compiled twice; a changed model is."""
        model = self.folder / "changing.onnx"
        shutil.copy(MODELS / "mnist_cnn.onnx", model)
        out, _ = self.configure("rebuild", "-G", "Ninja", f"-DMODEL={model}")
        run("cmake", "--build", out)
        expect(run("cmake", "--build", out), "no work to do")
        old = run(out / "digit"), (out / "leafcutter/digits/libdigits.a").read_bytes()
        time.sleep(0.01)
        shutil.copyfile(MODELS / "mnist_mlp.onnx", model)
        run("cmake", "--build", out)
        new = run(out / "digit"), (out / "leafcutter/digits/libdigits.a").read_bytes()
        expect(new[0], BAR)
        if old[1] == new[1]:
            raise Failure("the library is that of the old model")
        expect(run(out / "describe"), "digits: 9", "run: success")

    def cmake_aarch64(self):
        """The example for 64-bit ARM, from the toolchain file alone."""
        need("aarch64-linux-gnu-gcc", "qemu-aarch64")
        toolchain = self.source / "cmake" / "aarch64-linux-gnu.cmake"
        # find_package must find it although the toolchain has a root of its own.
        out, _ = self.configure("aarch64", "-G", "Ninja", f"-DCMAKE_TOOLCHAIN_FILE={toolchain}",
                                "-DCMAKE_EXE_LINKER_FLAGS=-static")
        expect(run("cmake", "--build", out, "--verbose"), "--triple=aarch64-unknown-linux-gnu", "--mcpu=cortex-a72")
        expect(run("qemu-aarch64", "-cpu", "cortex-a72", out / "digit"), BAR)
        expect(run("qemu-aarch64", "-cpu", "cortex-a72", out / "describe"), "run: success")

    def cmake_machines(self):
        """What each toolchain makes of leafc's options, without building anything."""
        base = "set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)\nset(CMAKE_C_COMPILER_WORKS 1)\n"
        cases = {
            "cortex-m4": ("Generic", "arm", "arm-none-eabi-gcc", "-mcpu=cortex-m4 -mthumb -mfloat-abi=hard",
                          "--triple=thumbv7em-none-eabihf --mcpu=cortex-m4"),
            "cortex-m0plus": ("Generic", "cortex-m0plus", "arm-none-eabi-gcc", "-mcpu=cortex-m0plus -mthumb",
                              "--triple=thumbv6m-none-eabi --mcpu=cortex-m0plus"),
            "armhf": ("Linux", "armv7l", "arm-linux-gnueabihf-gcc", "-mfpu=neon-vfpv4",
                      "--triple=armv7-unknown-linux-gnueabihf --mattr=+neon,+vfp4"),
        }
        for name, (system, processor, compiler, flags, expected) in cases.items():
            if not shutil.which(compiler):
                continue
            toolchain = self.folder / f"{name}.cmake"
            toolchain.write_text(f"{base}set(CMAKE_SYSTEM_NAME {system})\nset(CMAKE_SYSTEM_PROCESSOR {processor})\n"
                                 f"set(CMAKE_C_COMPILER {compiler})\nset(CMAKE_C_FLAGS_INIT \"{flags}\")\n")
            out, _ = self.configure(f"machine-{name}", "-G", "Ninja", f"-DCMAKE_TOOLCHAIN_FILE={toolchain}")
            expect(run("ninja", "-C", out, "-t", "commands", "leafcutter/digits/libdigits.a"), expected)
            run("cmake", "--build", out, "--target", "digits_leafc")

    def cmake_target(self):
        """An explicit target wins, as argument and as variable; so does one among the options."""
        lines = [f"leafcutter_add_model(one {MODEL} TARGET cortex-m4)",
                 f"leafcutter_add_model(two {MODEL} OPTIONS --triple=aarch64-linux-gnu)",
                 f"leafcutter_add_model(three {MODEL})"]
        out, _ = self.configure("target", "-G", "Ninja", "-DLEAFCUTTER_TARGET=rpi4",
                                source=self.project("target", *lines))
        for name, flags in (("one", "--target=cortex-m4"), ("two", "--triple=aarch64-linux-gnu"),
                            ("three", "--target=rpi4")):
            commands = run("ninja", "-C", out, "-t", "commands", f"leafcutter/{name}/libmnist_cnn.a")
            expect(commands, flags)
            if commands.count("--target=") + commands.count("--triple=") != 1:
                raise Failure(f"more than one target:\n{commands}")

    def cmake_cxx(self):
        """A project without C."""
        source = self.project("cxx", f"leafcutter_add_model(digits {MODEL} NAME digits)",
                              "add_executable(app app.cpp)", "target_link_libraries(app PRIVATE digits)",
                              language="CXX")
        shutil.copy(self.source / "cmake" / "digit.c", source / "app.cpp")
        out, _ = self.configure("cxx", "-G", "Ninja", source=source)
        run("cmake", "--build", out)
        expect(run(out / "app"), BAR)
        source = self.project("cxx-c", f"leafcutter_add_model(digits {MODEL} EMIT c)", language="CXX")
        _, text = self.configure("cxx-c", "-G", "Ninja", source=source, fails=True)
        expect(text, "needs the language C")

    def cmake_weights(self):
        """Weights in a file, which the runtime of the package maps."""
        source = self.project("weights", f"leafcutter_add_model(digits {MODEL} NAME digits OPTIONS --weights=file)",
                              "add_executable(app app.c)",
                              "target_link_libraries(app PRIVATE digits leafcutter::runtime)")
        digit = (self.source / "cmake" / "digit.c").read_text()
        mapped = ("leaf_weights_map(&file, argv[1], DIGITS_WEIGHTS_ID, DIGITS_WEIGHTS_BYTES) != LEAF_OK ||\n"
                  "      digits_init(&context, arena, sizeof arena) != LEAF_OK ||\n"
                  "      (context.weights = file.weights) == NULL")
        for old, new in (("int main(void) {\n", "int main(int argc, char **argv) {\n  leaf_weight_file file;\n"),
                         ('#include "digits.h"', '#include "leaf/weights.h"\n#include "digits.h"'),
                         ("digits_init(&context, arena, sizeof arena) != LEAF_OK", mapped)):
            expect(digit, old)
            digit = digit.replace(old, new)
        (source / "app.c").write_text(digit)
        out, _ = self.configure("weights", "-G", "Ninja", source=source)
        run("cmake", "--build", out)
        expect(run(out / "app", out / "leafcutter/digits/digits.weights"), BAR)
        run(out / "app", MODEL, fails=True)

    def cmake_errors(self):
        """Mistakes are told when the project is configured."""
        unknown = self.folder / "unknown.cmake"
        unknown.write_text("set(CMAKE_SYSTEM_NAME Linux)\nset(CMAKE_SYSTEM_PROCESSOR riscv64)\n"
                           "set(CMAKE_C_COMPILER_WORKS 1)\n")
        cases = (("model", "leafcutter_add_model(a none.onnx)", [], "there is no file"),
                 ("emit", f"leafcutter_add_model(a {MODEL} EMIT rust)", [], "EMIT takes lib or c, not 'rust'"),
                 ("word", f"leafcutter_add_model(a {MODEL} NAMES x)", [], "unexpected or empty: NAMES"),
                 ("machine", f"leafcutter_add_model(a {MODEL})", [f"-DCMAKE_TOOLCHAIN_FILE={unknown}"],
                  "does not know the machine 'riscv64'"))
        for name, line, flags, message in cases:
            _, text = self.configure(f"error-{name}", "-G", "Ninja", *flags, source=self.project(f"error-{name}", line),
                                     fails=True)
            expect(re.sub(r"\s+", " ", text), message)

    # --- Others ---------------------------------------------------------------------------------------------------

    def pkg_config(self):
        """make and pkg-config, with the runtime."""
        need("make", "pkg-config")
        text = run("make", "-C", self.source / "pkg-config", f"MODEL={MODEL}", "run", env=self.environment)
        expect(text, "output logits: 1 x 10, 40 bytes", "run: success")

    def cortex_m3(self):
        """The microcontroller example without floating point unit."""
        self.cortex("an385")

    def cortex_m7(self):
        """The microcontroller example with one."""
        self.cortex("an500")

    def cortex(self, board):
        """The sections lie where the linker script says, and the stack suffices."""
        need("make", "arm-none-eabi-gcc", "qemu-system-arm")
        text = run("make", "-C", self.source / "cortex-m", f"MODEL={MODEL}", f"BOARD={board}", "run",
                   env=self.environment)
        arena = {"an385": "21000000", "an500": "60000000"}[board]
        expect(text, "status 0", BAR, "weights at 0x100000,", f"arena at 0x{arena},")
        promised = int(re.search(r"stack +([\d,]+) bytes", text)[1].replace(",", ""))
        used = int(re.search(r"stack used (\d+) of", text)[1])
        # What the model needs, and main and the serial line above it; newlib's functions keep little.
        if not promised <= used <= promised + 256:
            raise Failure(f"leafc says {promised} bytes of stack, {used} were used")

    def deb(self):
        """The package: its fields, and leafc out of it."""
        need("dpkg-deb", "dpkg-shlibdeps", "cpack")
        folder = self.folder / "deb"
        run("cpack", "--config", self.build / "CPackConfig.cmake", "-G", "DEB", "-B", folder)
        package, = folder.glob("*.deb")
        fields = run("dpkg-deb", "--field", package)
        expect(fields, "Package: leafcutter", "libllvm22", "libmlir-22", "libprotobuf32", "libzip4", "libc6",
               "Maintainer: ", "Recommends: gcc")
        expect(run("dpkg-deb", "--contents", package), "./usr/bin/leafc", "./usr/share/cmake/leafcutter/",
               "./usr/share/doc/leafcutter/copyright", "./usr/lib/pkgconfig/leafcutter-runtime.pc")
        run("dpkg-deb", "-x", package, folder / "root")
        expect(run(folder / "root/usr/bin/leafc", "compile", MODEL, "-o", folder / "out"), "mnist_cnn for host")


# After install, whose result all others use; the longest first.
CHECKS = ("deb", "cmake_rebuild", "cmake_make", "cmake", "cmake_aarch64", "cmake_machines", "cmake_target",
          "cmake_weights", "cmake_cxx", "cmake_errors", "pkg_config", "cortex_m3", "cortex_m7")


def check(checks, name):
    """Runs one check: an error text, empty when it passed, None where something is missing."""
    try:
        getattr(checks, name)()
    except Skip:
        return None
    except Failure as error:
        return str(error)
    return ""


def results(checks, words, jobs):
    """(name, error, seconds) of each check; only of install where that fails."""
    first = suite.attempt(partial(check, checks, "install"))
    yield "install", *first
    if first[0] == "":
        names = [name for name in CHECKS if all(word in name for word in words)]
        with ThreadPoolExecutor(jobs) as pool:
            answers = pool.map(suite.attempt, [partial(check, checks, name) for name in names])
            yield from ((name, *answer) for name, answer in zip(names, answers))


def main():
    """Runs the checks that were asked for."""
    args = suite.make_parser(__doc__).parse_args()
    with tempfile.TemporaryDirectory(prefix="leaf-install") as folder:
        checks = Checks(args.build.resolve(), Path(folder))
        return suite.report(results(checks, args.words, args.jobs), args.verbose, "install")


if __name__ == "__main__":
    sys.exit(main())
