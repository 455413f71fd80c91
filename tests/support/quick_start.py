"""The program without a terminal, in processes that need not import it first.

Reading the program's modules is most of what a short command costs. One process per test
worker reads them once; every command is a fork of it with arguments, environment, folder and
outputs of its own: exit codes, signals and output are those of a process. Starts as such are
tested where the program is started as such (terminals, ``test_e2e_interrupt``).
"""

import array
import atexit
import gc
import importlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

READ_FIRST = (
    "fleettui.cli.app", "fleettui.cli.session", "fleettui.cli.words", "fleettui.cli.acting",
    "fleettui.cli.causes", "fleettui.cli.diff", "fleettui.cli.report", "fleettui.fleet.live",
    "fleettui.fleet.acts", "fleettui.kinds.loader", "aiohttp", "yaml",
)  # fmt: skip
LONGEST_REQUEST = 1 << 20


class Nursery:
    """Starts commands one after another; close it when done."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._line = ours
        self._lock = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())], pass_fds=(theirs.fileno(),)
            )

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str], *, timeout_s: float
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end.

        Raises:
            subprocess.TimeoutExpired: it took longer, and was killed.
        """
        request = {
            "arguments": arguments,
            "environment": dict(environment),
            "folder": str(Path.cwd()),
        }
        with (
            self._lock,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
            Path(os.devnull).open() as nothing,
        ):
            fds = array.array("i", [nothing.fileno(), out.fileno(), err.fileno()])
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)]
            self._line.sendmsg([json.dumps(request).encode()], rights)
            process_id = int(self._line.recv(64))
            self._line.settimeout(timeout_s)
            is_late = False
            try:
                code = int(self._line.recv(64))
            except TimeoutError:
                is_late = True
                os.kill(process_id, signal.SIGKILL)
                self._line.settimeout(None)
                code = int(self._line.recv(64))
            finally:
                self._line.settimeout(None)
            texts = [_whole(file) for file in (out, err)]
        if is_late:
            raise subprocess.TimeoutExpired(list(arguments), timeout_s, *texts)
        return subprocess.CompletedProcess(list(arguments), code, *texts)

    def close(self) -> None:
        """Ends the process that others are forks of."""
        self._line.close()
        self._process.wait(60)


def _whole(file: Any) -> str:
    file.seek(0)
    text: str = file.read().decode(errors="replace").replace("\r\n", "\n")
    return text


def _serve(line: socket.socket) -> None:
    """Forks for every request until nobody asks any more."""
    while True:
        text, rights, _, _ = line.recvmsg(LONGEST_REQUEST, socket.CMSG_SPACE(3 * 4))
        if not text:
            return
        fds = array.array("i", rights[0][2])
        child = os.fork()
        if not child:
            line.close()
            _become(json.loads(text), list(fds))
        for fd in fds:
            os.close(fd)
        line.send(str(child).encode())
        _, status = os.waitpid(child, 0)
        line.send(str(os.waitstatus_to_exitcode(status)).encode())


def _become(request: dict[str, Any], fds: list[int]) -> NoReturn:
    """Is the program from here on."""
    for place, fd in enumerate(fds):
        os.dup2(fd, place)
        os.close(fd)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.argv = ["fleettui", *request["arguments"]]
    for name, fd, mode in (("stdin", 0, "rb"), ("stdout", 1, "wb"), ("stderr", 2, "wb")):
        old = getattr(sys, name)
        raw: Any = os.fdopen(fd, mode, closefd=False)
        new = io.TextIOWrapper(raw, encoding=old.encoding, errors=old.errors)
        new.reconfigure(line_buffering=name == "stderr")
        setattr(sys, name, new)
        setattr(sys, f"__{name}__", new)
    code = _main()
    threading._shutdown()  # type: ignore[attr-defined]  # what the interpreter's end does
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _main() -> int:
    from fleettui.__main__ import main

    try:
        main()
    except SystemExit as leaving:
        if isinstance(leaving.code, str):
            print(leaving.code, file=sys.stderr)
            return 1
        return leaving.code or 0
    except BaseException:  # as at the interpreter's top
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[2])
    for module in READ_FIRST:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()
    _serve(socket.socket(fileno=int(sys.argv[1])))
