"""Starts every program that is not this one: git, kubectl, kustomize, helm, plug-ins.

Knows how to run a program so that it cannot harm: no shell, no terminal, an
environment that the caller states, limits on time and output, and a process group
of its own that is ended whole. Refuses to look for programs in the working
directory. Knows nothing of what a program does.

Source: POSIX process groups; git(1) ends its own lock files on SIGTERM.
"""

import asyncio
import os
import resource
import selectors
import signal
import subprocess  # the one module that may
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from fleettui.errors import FleettuiError

PERSON_VARIABLES = (
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "TMPDIR",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "XDG_CONFIG_HOME",
    "XDG_CACHE_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "SSH_AUTH_SOCK",
    "SSH_AGENT_PID",
    "GNUPGHOME",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)
"""What a program needs to act as the person: where things are, and agents."""

_CHUNK_BYTES = 65536
_GRACE_S = 1.0
"""Seconds between asking a program to end and ending it; git removes locks in that time."""


class ProgramError(FleettuiError):
    """A program is missing, took too long, said too much or failed."""


@dataclass(frozen=True, slots=True)
class Finished:
    """What a program left behind."""

    program: str
    code: int
    """Exit status; negative: the signal that ended it."""
    stdout: bytes
    stderr: bytes

    @property
    def error_text(self) -> str:
        """What it wrote to its error output, undecodable bytes replaced."""
        return self.stderr.decode(errors="replace").strip()


@dataclass(frozen=True, slots=True)
class Limits:
    """What a program may use."""

    timeout_s: float = 60.0
    """Wall-clock seconds from start to end."""
    output_bytes: int = 64 * 1024 * 1024
    """Most bytes of its standard output; a quarter of that of its error output."""
    memory_bytes: int = 0
    """Most bytes of its address space; 0: no limit, as where the system has none."""


DEFAULT_LIMITS = Limits()


def find_program(*names: str) -> Path | None:
    """Absolute path of the first of some programs that is installed, or None.

    Looks beside the running Python first (programs that come as Python packages,
    kubectl among them), then along PATH, leaving out its relative parts.
    """
    folders = [Path(sys.executable).parent]
    parts = os.environ.get("PATH", "").split(os.pathsep)
    folders += [Path(part) for part in parts if part.startswith("/")]
    for name in names:
        for folder in folders:
            candidate = folder / name
            if candidate.is_file() and os.access(candidate, os.X_OK):
                return candidate
    return None


def person_environment(**extra: str) -> dict[str, str]:
    """The person's environment cut down to ``PERSON_VARIABLES``, plus some variables."""
    kept = {name: os.environ[name] for name in PERSON_VARIABLES if name in os.environ}
    return kept | extra


def run(
    arguments: Sequence[str | Path],
    *,
    environment: Mapping[str, str],
    folder: Path | None = None,
    stdin: bytes = b"",
    limits: Limits = DEFAULT_LIMITS,
    cancelled: threading.Event | None = None,
) -> Finished:
    """Runs a program to its end; blocks.

    Args:
        arguments: the program's absolute path, then its arguments; no shell reads them.
        environment: everything the program sees.
        folder: its working directory; default: ``/``.
        stdin: all it can read; it never reads a terminal.
        limits: time and output.
        cancelled: ends the program early when set.

    Raises:
        ProgramError: it cannot be started or went over a limit. A program that
            fails by itself is no error here: look at ``Finished.code``.
    """
    program = Path(arguments[0])
    if not program.is_absolute():
        raise ProgramError(f"{program} is not an absolute path", hint="use find_program")
    with _started(arguments, environment, folder or Path("/")) as process:
        _limit_memory(process, limits.memory_bytes)
        talk = _Conversation(process, program.name, stdin, limits, cancelled)
        talk.run()
        code = process.wait()
    return Finished(program.name, code, bytes(talk.stdout), bytes(talk.stderr))


def run_in_front(arguments: Sequence[str | Path], *, environment: Mapping[str, str]) -> int:
    """Gives the terminal to a program of the person until it ends; its exit code. Blocks.

    For editors and pagers, which the person chooses and leaves: no limits, no shell.

    Args:
        arguments: the program's absolute path, then its arguments.
        environment: everything the program sees.

    Raises:
        ProgramError: it cannot be started.
    """
    try:
        return subprocess.run(  # noqa: S603 - a program the person names, no shell
            [str(argument) for argument in arguments], env=dict(environment), check=False
        ).returncode
    except OSError as error:
        raise ProgramError(f"{arguments[0]} cannot be started: {error.strerror}") from error


async def run_async(
    arguments: Sequence[str | Path],
    *,
    environment: Mapping[str, str],
    folder: Path | None = None,
    stdin: bytes = b"",
    limits: Limits = DEFAULT_LIMITS,
) -> Finished:
    """Runs a program to its end while others work; cancelling ends the program.

    Raises:
        ProgramError: as ``run``.
    """
    cancelled = threading.Event()

    def work() -> Finished:
        return run(
            arguments,
            environment=environment,
            folder=folder,
            stdin=stdin,
            limits=limits,
            cancelled=cancelled,
        )

    try:
        return await asyncio.to_thread(work)
    except asyncio.CancelledError:
        cancelled.set()
        raise


@contextmanager
def _started(
    arguments: Sequence[str | Path], environment: Mapping[str, str], folder: Path
) -> Iterator[subprocess.Popen[bytes]]:
    try:
        process = subprocess.Popen(  # noqa: S603 — absolute path, list of arguments, no shell
            [str(argument) for argument in arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=dict(environment),
            start_new_session=True,
        )
    except OSError as error:
        raise ProgramError(f"cannot start {arguments[0]}: {error.strerror or error}") from error
    try:
        yield process
    finally:
        _end(process)


def _limit_memory(process: subprocess.Popen[bytes], size_bytes: int) -> None:
    """Bounds what a program may take, on systems that can bound another one."""
    if size_bytes and sys.platform == "linux":
        with suppress(OSError):  # it may have ended already
            resource.prlimit(process.pid, resource.RLIMIT_AS, (size_bytes, size_bytes))


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the program and everything it started, asking first."""
    if process.poll() is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_S)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with suppress(OSError):
                stream.close()


class _Conversation:
    """Feeds a program and listens to it, within limits."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        name: str,
        stdin: bytes,
        limits: Limits,
        cancelled: threading.Event | None,
    ) -> None:
        self.stdout = bytearray()
        self.stderr = bytearray()
        self._process = process
        self._name = name
        self._left = memoryview(stdin)
        self._limits = limits
        self._cancelled = cancelled
        self._deadline = time.monotonic() + limits.timeout_s

    def run(self) -> None:
        """Returns when the program ended; raises when over a limit."""
        with selectors.DefaultSelector() as selector:
            self._register(selector)
            while selector.get_map():
                self._check()
                ended = self._process.poll() is not None  # before looking: nothing comes after
                ready = selector.select(0.1)
                for key, _ in ready:
                    if key.data is None:
                        self._write(selector)
                    else:
                        self._read(selector, key.fd, key.data)
                if ended and not ready:
                    break  # a daemon that it left behind keeps the pipes open
        while self._process.poll() is None:
            self._check()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(0.1)

    def _register(self, selector: selectors.DefaultSelector) -> None:
        process = self._process
        assert process.stdin and process.stdout and process.stderr
        for stream, target in ((process.stdout, self.stdout), (process.stderr, self.stderr)):
            os.set_blocking(stream.fileno(), False)
            selector.register(stream.fileno(), selectors.EVENT_READ, target)
        if self._left:
            os.set_blocking(process.stdin.fileno(), False)
            selector.register(process.stdin.fileno(), selectors.EVENT_WRITE)
        else:
            process.stdin.close()

    def _check(self) -> None:
        if self._cancelled is not None and self._cancelled.is_set():
            raise ProgramError(f"{self._name} was cancelled")
        if time.monotonic() > self._deadline:
            raise ProgramError(
                f"{self._name} took longer than {self._limits.timeout_s:g} s",
                hint="try again, or raise the time limit",
            )

    def _write(self, selector: selectors.DefaultSelector) -> None:
        stream = self._process.stdin
        assert stream is not None
        try:
            written = os.write(stream.fileno(), self._left[:_CHUNK_BYTES])
        except BrokenPipeError:
            written = len(self._left)
        self._left = self._left[written:]
        if not self._left:
            selector.unregister(stream.fileno())
            stream.close()

    def _read(
        self, selector: selectors.DefaultSelector, descriptor: int, target: bytearray
    ) -> None:
        chunk = os.read(descriptor, _CHUNK_BYTES)
        if not chunk:
            selector.unregister(descriptor)
            return
        target += chunk
        limit = self._limits.output_bytes
        if len(target) > (limit if target is self.stdout else limit // 4):
            raise ProgramError(f"{self._name} wrote more than {limit} bytes")


class Companion:
    """A program that runs beside this one until it is told to end.

    Its error output is this program's own; its input stays open as long as this
    program lives, so that it can notice our end.
    """

    def __init__(self, arguments: Sequence[str | Path], *, environment: Mapping[str, str]) -> None:
        """Starts the program in a process group of its own.

        Raises:
            ProgramError: it cannot be started.
        """
        self.name = Path(arguments[0]).name
        try:
            self._process = subprocess.Popen(  # noqa: S603 - no shell, stated arguments
                [str(part) for part in arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=dict(environment),
                start_new_session=True,
            )
        except OSError as error:
            raise ProgramError(f"{self.name} cannot be started: {error.strerror}") from error

    def read_line(self, timeout_s: float) -> str:
        """The next line of its output, without the line feed; blocks.

        Raises:
            ProgramError: it ended, or said nothing in time.
        """
        stdout = self._process.stdout
        assert stdout is not None
        lines: list[bytes] = []
        reader = threading.Thread(target=lambda: lines.append(stdout.readline()), daemon=True)
        reader.start()
        reader.join(timeout_s)
        if reader.is_alive():
            raise ProgramError(f"{self.name} did not get ready within {timeout_s:.0f} s")
        if not lines[0]:
            code = self._process.wait()
            raise ProgramError(f"{self.name} ended with status {code} before it was ready")
        return lines[0].decode(errors="replace").rstrip("\n")

    def stop(self) -> int:
        """Ends the program and what it started; returns its exit status."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        _end(self._process)
        return self._process.wait()
