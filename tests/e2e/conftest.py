"""The installed program in a terminal of its own, over real HTTP."""

import base64
import fcntl
import json
import os
import pty
import select
import signal
import ssl
import struct
import subprocess
import sys
import termios
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyte
import pytest
import yaml
from quick_start import Nursery

READY_S = 120.0
"""Longest wait for a state of the screen; ten times what a busy machine needs."""
FRAME_ASKED, FRAME_ANSWER = b"\x1b[?2026$p", b"\x1b[?2026;2$y"
FRAME_BEGINS, FRAME_ENDS = b"\x1b[?2026h", b"\x1b[?2026l"


class Terminal:
    """A program in a pseudo-terminal, and the screen it paints.

    As good terminals do it shows frames whole (synchronized output, mode 2026): what is
    read in pieces is never looked at before its frame has ended.
    """

    def __init__(
        self,
        arguments: list[str],
        *,
        columns: int = 120,
        lines: int = 40,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = bytearray()
        self._is_mid_frame = False
        master, slave = pty.openpty()
        _set_size(slave, columns, lines)
        env = {
            **os.environ,
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            **(environment or {}),
        }
        for name in ("NO_COLOR", "COLUMNS", "LINES"):
            if name not in (environment or {}):
                env.pop(name, None)
        self.process = subprocess.Popen(
            arguments,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=env,
            start_new_session=True,
        )
        os.close(slave)
        self._master = master

    def pump(self, seconds: float = 0.05) -> bool:
        """Takes what the program painted; whether there was anything."""
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self._master, 1 << 16)
        except OSError:
            return False
        seen = bytes(self.raw[1 - len(FRAME_ASKED) :]) + data
        self.raw += data
        self._stream.feed(data)
        if FRAME_ASKED in seen:
            os.write(self._master, FRAME_ANSWER)
        begun, ended = seen.rfind(FRAME_BEGINS), seen.rfind(FRAME_ENDS)
        if begun != ended:  # either is there
            self._is_mid_frame = begun > ended
        return bool(data)

    @property
    def text(self) -> str:
        """The screen as lines of text."""
        return "\n".join(self.screen.display)

    def wait_for(self, what: str | Callable[[str], bool], timeout_s: float = READY_S) -> str:
        """The screen's text once it shows ``what``; fails with the screen when it never does."""
        shows = (lambda text: what in text) if isinstance(what, str) else what
        deadline = time.monotonic() + timeout_s
        is_new = True
        while time.monotonic() < deadline:
            if is_new and not self._is_mid_frame and shows(text := self.text):
                return text
            is_new = self.pump()
            if not is_new and self.process.poll() is not None:
                is_new = self.pump(0)
                if not is_new:
                    break
        if shows(text := self.text):
            return text
        pytest.fail(f"the screen never showed {what!r}")

    def press(self, keys: str) -> None:
        """Sends keys as a terminal would."""
        os.write(self._master, keys.encode())

    def resize(self, columns: int, lines: int) -> None:
        """Changes the terminal's size."""
        _set_size(self._master, columns, lines)
        self.screen.resize(lines, columns)
        os.killpg(self.process.pid, signal.SIGWINCH)

    def wait_end(self, timeout_s: float = READY_S) -> int:
        """The exit code once the program ended."""
        deadline = time.monotonic() + timeout_s
        while self.process.poll() is None and time.monotonic() < deadline:
            self.pump()
        code = self.process.poll()
        if code is None:
            pytest.fail("the program did not end")
        while self.pump(0):
            pass
        return code

    def close(self) -> None:
        """Ends the program whatever it does."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self._master)


def _set_size(descriptor: int, columns: int, lines: int) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))


class DemoServers:
    """A running demo fleet."""

    def __init__(self, process: subprocess.Popen[str], kubeconfig: Path) -> None:
        self.process = process
        self.kubeconfig = kubeconfig
        document = yaml.safe_load(kubeconfig.read_text())
        self.servers = {c["name"]: c["cluster"]["server"] for c in document["clusters"]}
        self.tokens = {u["name"]: u["user"]["token"] for u in document["users"]}
        self.contexts = [c["name"] for c in document["contexts"]]
        authority = document["clusters"][0]["cluster"]["certificate-authority-data"]
        self._trust = ssl.create_default_context(cadata=base64.b64decode(authority).decode())

    def call(self, context: str, path: str, *, method: str = "GET", body: Any = None) -> Any:
        """One request of the administrator at a server; the JSON answer."""
        document = yaml.safe_load(self.kubeconfig.read_text())
        entry = next(c["context"] for c in document["contexts"] if c["name"] == context)
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.servers[entry["cluster"]] + path,
            data=data,
            method=method,
            headers={
                "Authorization": f"Bearer {self.tokens[entry['user']]}",
                "Content-Type": "application/merge-patch+json"
                if method == "PATCH"
                else "application/json",
            },
        )
        with urllib.request.urlopen(request, timeout=120, context=self._trust) as answer:
            text = answer.read()
        return json.loads(text) if text else None


@pytest.fixture(scope="module")
def start_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., DemoServers]]:
    """Starts demo fleets; all end with the module."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> DemoServers:
        process = subprocess.Popen(
            [sys.executable, "-m", "fleettui", "demo", "--serve", *arguments],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        assert line, "the demo fleet did not start"
        return DemoServers(process, Path(line))

    yield start
    for process in started:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


OPENED = pytest.StashKey[list[Terminal]]()


@pytest.fixture
def open_terminal(
    tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Terminal]]:
    """Starts the program in terminals; all end with the test."""
    opened = request.node.stash.setdefault(OPENED, [])

    def start(*arguments: str, **options: Any) -> Terminal:
        environment = {
            "FLEETTUI_CONFIG_HOME": str(tmp_path / "config"),
            "FLEETTUI_CACHE_HOME": str(tmp_path / "cache"),
            "FLEETTUI_STATE_HOME": str(tmp_path / "state"),
            **options.pop("environment", {}),
        }
        terminal = Terminal(
            [sys.executable, "-m", "fleettui", *arguments], environment=environment, **options
        )
        opened.append(terminal)
        return terminal

    yield start
    for terminal in opened:
        terminal.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Shows the screens of a failed test line by line: pytest cuts long texts in the middle."""
    report = yield
    if report.failed:
        for place, terminal in enumerate(item.stash.get(OPENED, []), 1):
            report.sections.append((f"screen {place}", framed(terminal)))
    return report


def framed(terminal: Terminal) -> str:
    """The screen's lines that are not empty, with their numbers."""
    state = terminal.process.poll()
    head = "runs" if state is None else f"ended with {state}"
    lines = enumerate(terminal.text.splitlines(), 1)
    return "\n".join([head, *(f"{n:3}|{line.rstrip()}" for n, line in lines if line.strip())])


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Where commands come from that need not import the program first."""
    found = Nursery()
    yield found
    found.close()


@pytest.fixture
def words(tmp_path: Path, nursery: Nursery) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the program without a terminal; its own folders are the test's."""

    def run(*arguments: str, timeout_s: float = 240, **variables: str) -> Any:
        environment = {
            **os.environ,
            "FLEETTUI_CONFIG_HOME": str(tmp_path / "config"),
            "FLEETTUI_CACHE_HOME": str(tmp_path / "cache"),
            "FLEETTUI_STATE_HOME": str(tmp_path / "state"),
            **variables,
        }
        return nursery.run(arguments, environment, timeout_s=timeout_s)

    return run
