"""Programs are started so that they cannot hang, flood or outlive the caller."""

import asyncio
import os
import sys
import time
from pathlib import Path

import pytest

from fleettui.processes import (
    Limits,
    ProgramError,
    _Conversation,
    find_program,
    person_environment,
    run,
    run_async,
)

PYTHON = Path(sys.executable)


def _python(code: str) -> list[str | Path]:
    return [PYTHON, "-c", code]


def test_run_program_that_fails_reports_its_code_and_words() -> None:
    """A failing git would otherwise look like an empty answer."""
    finished = run(
        _python("import sys; print('out'); print('bad', file=sys.stderr); sys.exit(3)"),
        environment={},
    )
    assert (finished.code, finished.stdout, finished.error_text) == (3, b"out\n", "bad")


def test_run_large_stdin_and_stdout_does_not_deadlock() -> None:
    """Asking git for a thousand blobs would otherwise hang with full pipes."""
    code = "import sys; d = sys.stdin.buffer.read(); sys.stdout.buffer.write(d * 2)"
    finished = run(_python(code), environment={}, stdin=b"x" * 400_000)
    assert len(finished.stdout) == 800_000


def test_run_without_stdin_gives_end_of_file() -> None:
    """A program that asks for a password would otherwise wait for the person's terminal."""
    finished = run(_python("import sys; print(repr(sys.stdin.read()))"), environment={})
    assert finished.stdout == b"''\n"


def test_run_environment_is_only_what_was_given() -> None:
    """Tokens in the person's environment would otherwise reach programs run on foreign files."""
    os.environ["FLEETTUI_TEST_TOKEN"] = "leak"
    try:
        finished = run(_python("import os; print(sorted(os.environ))"), environment={"A": "1"})
        assert b"FLEETTUI_TEST_TOKEN" not in finished.stdout
        assert "FLEETTUI_TEST_TOKEN" not in person_environment(B="2")
    finally:
        del os.environ["FLEETTUI_TEST_TOKEN"]


def test_run_over_time_ends_the_whole_group(tmp_path: Path) -> None:
    """A hung helper would otherwise stay behind after the program gave up."""
    note = tmp_path / "child"
    code = (
        "import subprocess, sys, time\n"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(note)!r}, 'w').write(str(p.pid))\n"
        "time.sleep(600)\n"
    )
    limit_s = 1.0
    while not note.exists() or not note.read_text():  # a busy machine starts it more slowly
        with pytest.raises(ProgramError, match=f"took longer than {limit_s:.0f}"):
            run(_python(code), environment={}, limits=Limits(timeout_s=limit_s))
        limit_s *= 2
    child = int(note.read_text())
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and _is_running(child):
        os.sched_yield()
    assert not _is_running(child)


def _is_running(process_id: int) -> bool:
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_run_over_output_is_ended() -> None:
    """A repository's tool could otherwise fill the memory."""
    code = "import sys\nwhile True: sys.stdout.write('x' * 65536)"
    with pytest.raises(ProgramError, match="wrote more than"):
        run(_python(code), environment={}, limits=Limits(output_bytes=200_000))


def test_run_daemon_left_behind_does_not_hold_the_caller() -> None:
    """An ssh connection kept open by the person's settings would otherwise look like a hang."""
    code = (
        "import subprocess, sys\n"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(p.pid)\n"
    )
    finished = run(_python(code), environment={}, limits=Limits(timeout_s=120))
    assert finished.code == 0, "whoever waits for it goes over the limit"
    left = int(finished.stdout)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and _is_running(left):
        os.sched_yield()
    assert not _is_running(left), "nothing of it stays"


class _LateWriter:
    """A process that writes and ends after a look at its pipes, before the next question."""

    def __init__(self) -> None:
        self.pipes = [os.pipe() for _ in range(3)]
        self.stdin = os.fdopen(self.pipes[0][1], "wb")
        self.stdout = os.fdopen(self.pipes[1][0], "rb")
        self.stderr = os.fdopen(self.pipes[2][0], "rb")
        self.questions = 0

    def poll(self) -> int | None:
        self.questions += 1
        if self.questions < 2:
            return None
        if self.questions == 2:
            os.write(self.pipes[1][1], b"late")
        return 0  # the write ends stay open, as a daemon would keep them

    def wait(self, timeout: float | None = None) -> int:
        return 0

    def close(self) -> None:
        self.stdout.close()
        self.stderr.close()
        for descriptor in (self.pipes[0][0], self.pipes[1][1], self.pipes[2][1]):
            os.close(descriptor)


def test_run_output_just_before_the_end_is_never_lost() -> None:
    """A manifest cut short, or empty, would foretell deletions that nobody wants."""
    process = _LateWriter()
    talk = _Conversation(process, "late", b"", Limits(), None)  # type: ignore[arg-type]  # a stand-in
    talk.run()
    process.close()
    assert bytes(talk.stdout) == b"late"


def test_run_missing_program_says_which() -> None:
    """A person without git would otherwise see a stack trace."""
    with pytest.raises(ProgramError, match="cannot start /nowhere/git"):
        run(["/nowhere/git"], environment={})


def test_run_relative_program_is_refused() -> None:
    """A repository holding a file called git would otherwise be run."""
    with pytest.raises(ProgramError, match="not an absolute path"):
        run(["git"], environment={})


async def test_run_async_cancelled_ends_the_program(tmp_path: Path) -> None:
    """Leaving a screen would otherwise leave its git running."""
    note = tmp_path / "pid"
    code = f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    task = asyncio.create_task(run_async(_python(code), environment={}))
    while not note.exists() or not note.read_text():
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and _is_running(int(note.read_text())):
        await asyncio.sleep(0)
    assert not _is_running(int(note.read_text()))


def test_find_program_ignores_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Starting the program inside a hostile check-out would otherwise run its files."""
    trap = tmp_path / "trapped-tool"
    trap.write_text("#!/bin/sh\n")
    trap.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f".:{os.pathsep}bin")
    assert find_program("trapped-tool") is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_program("missing-tool", "trapped-tool") == trap


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds another process's memory")
def test_run_program_that_takes_too_much_memory_fails_alone() -> None:
    """A chart or an overlay of a stranger must not take this machine down."""
    take = "len(bytearray(600 << 20)); print('had it')"
    assert run(_python(take), environment={}).stdout == b"had it\n"
    bounded = (
        "import resource, time\n"
        "until = time.monotonic() + 60\n"
        "while resource.getrlimit(resource.RLIMIT_AS)[0] < 0 and time.monotonic() < until:\n"
        f"    time.sleep(0.01)\n{take}"
    )
    finished = run(_python(bounded), environment={}, limits=Limits(memory_bytes=300 << 20))
    assert finished.code != 0
    assert "MemoryError" in finished.error_text
