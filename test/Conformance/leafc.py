"""leafc for many small models: one process (leaf-batch) runs a command line after the other."""

import json
import subprocess
import threading

TIMEOUT_S = 120
END = "\x1e"


class Leafc:
    """Not for several threads at once."""

    def __init__(self, build):
        self.program = build / "bin" / "leaf-batch"
        self.process = None
        self.milliseconds = 0.0

    def run(self, *words):
        """(exit code, what it printed); a crash or a time-out has a negative code and ends the process."""
        if not self.process:
            self.process = subprocess.Popen([self.program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace")
        timer = threading.Timer(TIMEOUT_S, self.process.kill)
        timer.start()
        try:
            self.process.stdin.write(json.dumps([str(word) for word in words]) + "\n")
            self.process.stdin.flush()
            lines = []
            for line in self.process.stdout:
                text, end, status = line.rpartition(END)
                lines.append(text if end else line)
                if end:
                    code, self.milliseconds = status.split()[0], float(status.split()[1])
                    return int(code), "".join(lines)
        except BrokenPipeError:
            pass
        finally:
            expired = not timer.is_alive()
            timer.cancel()
        code = self.close()
        return -abs(code or 1), f"takes longer than {TIMEOUT_S} s" if expired else f"crashed: {''.join(lines)[-1000:]}"

    def close(self):
        """The process's exit code."""
        if not self.process:
            return 0
        self.process.stdin.close()
        for line in self.process.stdout:
            del line
        code = self.process.wait()
        self.process = None
        return code
