"""A pseudo-terminal that times frames: what a program paints, and when it is done.

Answers Textual's question for synchronised output, so that the end of a frame is
marked. Interprets nothing else: an emulator would take longer than the frames.
"""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import tempfile
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

FRAME_END = b"\x1b[?2026l"
_ASKS = b"\x1b[?2026$p"
_ANSWER = b"\x1b[?2026;1$y"
_ANSI = re.compile(rb"\x1b\[[0-9;?<>=:$ ]*[a-zA-Z]|\x1b[()][A-Z0-9]")


class Terminal:
    """A program in a pseudo-terminal of a given size."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        columns: int = 200,
        lines: int = 50,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Starts the program; time runs from here."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        env = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        env.pop("NO_COLOR", None)
        # An installed program is compiled once; the cache stays out of the source tree.
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        env["PYTHONPYCACHEPREFIX"] = str(Path(tempfile.gettempdir()) / "fleettui-bench-pyc")
        env.update(environment or {})
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            arguments, stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True
        )
        os.close(slave)
        self._master = master
        self._fresh = bytearray()
        self.seen = bytearray()

    def pump(self, seconds: float) -> bytes:
        """What was painted within so many seconds; returns with the first bytes."""
        ready, _, _ = select.select([self._master], [], [], max(seconds, 0))
        if not ready:
            return b""
        try:
            data = os.read(self._master, 1 << 18)
        except OSError:
            return b""
        if _ASKS in data:
            os.write(self._master, _ANSWER)
        self.seen += data
        if len(self.seen) > 4_000_000:
            del self.seen[:2_000_000]
        return data

    def drain(self, seconds: float) -> int:
        """Takes everything for so many seconds; returns the number of bytes."""
        until = time.perf_counter() + seconds
        total = 0
        while (left := until - time.perf_counter()) > 0:
            total += len(self.pump(left))
        return total

    def text(self) -> str:
        """What was painted lately, without colours and places."""
        return _ANSI.sub(b"", bytes(self.seen[-400_000:])).decode(errors="replace")

    def wait_for(self, pattern: bytes, timeout_s: float) -> float:
        """Seconds from the start until something was painted that matches, inf if never."""
        wanted = re.compile(pattern)
        tail = b""
        until = time.perf_counter() + timeout_s
        while time.perf_counter() < until and self.process.poll() is None:
            data = self.pump(0.2)
            if data:
                tail = (tail + data)[-100_000:]
                if wanted.search(_ANSI.sub(b"", tail)) or wanted.search(tail):
                    return time.perf_counter() - self.started
        return float("inf")

    def press(self, key: bytes, *, timeout_s: float = 5.0) -> tuple[float, int]:
        """Sends a key; milliseconds until the end of the next frame, and its bytes."""
        begun = time.perf_counter()
        os.write(self._master, key)
        data = b""
        while time.perf_counter() - begun < timeout_s:
            data += self.pump(timeout_s)
            if FRAME_END in data:
                return (time.perf_counter() - begun) * 1000, len(data)
        return float("inf"), len(data)

    def resident_bytes(self) -> int:
        """Memory of the program."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * 4096

    def cpu_s(self) -> float:
        """Processor seconds that the program took so far, all threads."""
        found = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(path.read_text().split()[0]) for path in found) / 1e9

    def close(self, *, gently: bool = False) -> None:
        """Ends the program; gently: lets it save first."""
        if gently and self.process.poll() is None:
            os.write(self._master, b"\x03")
            until = time.perf_counter() + 10
            while self.process.poll() is None and time.perf_counter() < until:
                self.pump(0.1)
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._master)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which a share of them lies."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
