"""Runs leafc on hostile input and checks the whole answer: exit code, message, time, memory, what is left behind."""
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

# Signs of a crash in what leafc prints.
CRASH = re.compile(r"Stack dump|PLEASE submit|LLVM ERROR|Assertion|crashed|Sanitizer|runtime error:")
SECONDS = 20
# leafc at rest takes 100 MB or so: LLVM, MLIR and all dialects.
MEGABYTES = 600


class Answer:
    """What one run of a program came to."""

    def __init__(self, code, text, seconds, megabytes, timed_out):
        self.code, self.text, self.seconds, self.megabytes = code, text, seconds, megabytes
        self.timed_out = timed_out


def run(command, seconds=SECONDS, file_limit=None, cwd=None):
    """Runs a command; its peak memory is what the kernel says of this child alone."""
    def limit():
        if file_limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))

    start = time.time()
    with tempfile.TemporaryFile() as output:
        child = subprocess.Popen([os.fspath(part) for part in command], stdin=subprocess.DEVNULL, stdout=output,
                                 stderr=subprocess.STDOUT, preexec_fn=limit if file_limit is not None else None,
                                 cwd=cwd)
        timed_out = False
        while True:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            if pid:
                break
            if time.time() - start > seconds and not timed_out:
                timed_out = True
                child.send_signal(signal.SIGKILL)
            time.sleep(0.002)
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors="backslashreplace")
    return Answer(child.returncode, text, time.time() - start, usage.ru_maxrss / 1024, timed_out)


class Failure(Exception):
    """A check that did not hold."""


class Case:
    """One check with a folder of its own. `leafc`: path of the compiler."""

    def __init__(self, leafc, folder):
        self.leafc, self.folder = leafc, Path(folder)
        self.out = self.folder / "out"

    def write(self, name, data):
        """A file in the case's folder; `data` is bytes or an onnx.ModelProto."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.SerializeToString())
        return path

    def check(self, answer, code, message=None, megabytes=MEGABYTES):
        """The exit code is one of `code`, the text matches `message`, memory was bounded, nothing crashed."""
        codes = (code,) if isinstance(code, int) else code
        shown = answer.text if len(answer.text) < 1500 else answer.text[:700] + " [...] " + answer.text[-700:]
        if answer.timed_out:
            raise Failure(f"no answer in {answer.seconds:.0f} s\n{shown}")
        if answer.code not in codes:
            raise Failure(f"exit code {answer.code}, expected {codes}\n{shown}")
        if CRASH.search(answer.text):
            raise Failure(f"it crashed\n{shown}")
        if message is not None and not re.search(message, answer.text):
            raise Failure(f"the message does not match /{message}/\n{shown}")
        if answer.megabytes > megabytes:
            raise Failure(f"{answer.megabytes:.0f} MB at the peak, at most {megabytes} allowed")
        if answer.code != 0 and not answer.text.strip():
            raise Failure("it failed without a message")

    def leafc_run(self, *args, **options):
        return run([self.leafc, *args], **options)

    def rejects(self, model, message, *flags, seconds=SECONDS, megabytes=MEGABYTES):
        """`leafc compile` ends with an error that matches `message`, and leaves nothing."""
        shutil.rmtree(self.out, ignore_errors=True)
        answer = self.leafc_run("compile", model, "-o", self.out, *flags, seconds=seconds)
        self.check(answer, 1, message, megabytes)
        self.check_nothing_left()

    def accepts(self, model, *flags, seconds=SECONDS, megabytes=MEGABYTES):
        """`leafc compile` succeeds."""
        answer = self.leafc_run("compile", model, "-o", self.out, *flags, seconds=seconds)
        self.check(answer, 0, None, megabytes)

    def survives(self, model, *flags, seconds=SECONDS, megabytes=MEGABYTES):
        """`leafc compile` succeeds, or says clearly why not and leaves nothing."""
        answer = self.leafc_run("compile", model, "-o", self.out, *flags, seconds=seconds)
        self.check(answer, (0, 1), "error: ." if answer.code else None, megabytes)
        if answer.code:
            self.check_nothing_left()
        shutil.rmtree(self.out, ignore_errors=True)
        return answer

    def check_nothing_left(self):
        if self.out.exists():
            raise Failure(f"left behind: {sorted(path.name for path in self.out.iterdir()) or 'an empty folder'}")
