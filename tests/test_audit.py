"""The journal: what is on the disk, whatever happens."""

import errno
import os
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleettui.accounts import Wanted, accounts
from fleettui.audit import (
    Entry,
    Journal,
    JournalError,
    Result,
    What,
    Who,
    local_person,
)


def intent(number: str = "1", **more) -> Entry:
    values = {"what": What.INTENT, "id": number, "at": "2026-08-23T10:00:00.000Z"} | more
    return Entry(**values)


def outcome(number: str = "1", result: Result = Result.WRITTEN, **more) -> Entry:
    values = {"what": What.OUTCOME, "id": number, "at": "2026-08-23T10:00:01.000Z"} | more
    return Entry(result=result, **values)


class FailingFiles:
    """An operating system on which one call fails."""

    def __init__(self, *, write_after: int = -1, fsync: bool = False) -> None:
        self.write_after, self.fails_fsync = write_after, fsync

    def write(self, descriptor: int, data: bytes) -> int:
        if self.write_after == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        if self.write_after > 0:
            part = data[: self.write_after]
            self.write_after = 0
            return os.write(descriptor, part)
        return os.write(descriptor, data)

    def fsync(self, descriptor: int) -> None:
        if self.fails_fsync:
            raise OSError(errno.EIO, "Input/output error")
        os.fsync(descriptor)


def test_journal_append_is_read_back_whole(tmp_path):
    """Who, why and what must be found again by whoever asks later."""
    journal = Journal(tmp_path / "state")
    entry = intent(who=Who(server="ann", local="ann@desk"), why="disk", patch={"a": [1, None]})
    journal.append(entry)
    assert list(journal.read()) == [entry]


def test_journal_file_is_private(tmp_path):
    """Others on the machine must not read what was done where."""
    journal = Journal(tmp_path / "state")
    journal.append(intent())
    assert journal.path.stat().st_mode & 0o777 == 0o600
    assert journal.path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("bad", ["symlink", "readable", "folder", "no_folder"])
def test_journal_in_an_unsafe_place_refuses(bad, tmp_path):
    """A journal that somebody else can steer proves nothing."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    path = folder / "journal.jsonl"
    if bad == "symlink":
        path.symlink_to(tmp_path / "elsewhere")
    elif bad == "readable":
        path.touch(mode=0o600)
        path.chmod(0o644)
    elif bad == "folder":
        path.mkdir()
    else:
        folder.rmdir()
        folder.touch()
    with pytest.raises(JournalError):
        Journal(folder).append(intent())
    with pytest.raises(JournalError):
        Journal(folder).check()


@pytest.mark.parametrize(
    "files",
    [FailingFiles(write_after=0), FailingFiles(write_after=20), FailingFiles(fsync=True)],
    ids=["full", "full_in_mid_line", "fsync"],
)
def test_journal_that_cannot_be_written_raises(files, tmp_path):
    """An intent that is not on the disk must stop the request."""
    with pytest.raises(JournalError) as error:
        Journal(tmp_path, files=files).append(intent())
    assert error.value.hint


def test_journal_half_a_line_stays_and_is_passed_over(tmp_path):
    """A crash in mid-write must neither hide later entries nor be painted over."""
    journal = Journal(tmp_path)
    journal.append(intent("1"))
    with pytest.raises(JournalError):
        Journal(tmp_path, files=FailingFiles(write_after=20)).append(intent("2"))
    before = journal.path.read_bytes()
    journal.append(intent("3"))
    assert journal.path.read_bytes().startswith(before)
    assert [entry.id for entry in journal.read()] == ["1", "3"]
    assert journal.damaged() == 1


@settings(max_examples=50, deadline=None)
@given(rubbish=st.binary(max_size=60))
def test_journal_any_rubbish_at_the_end_leaves_entries_readable(rubbish, tmp_path_factory):
    """Whatever a crash leaves behind, the entries before and after are there."""
    journal = Journal(tmp_path_factory.mktemp("journal"))
    journal.append(intent("1"))
    with journal.path.open("ab") as stream:
        stream.write(rubbish)
    journal.append(intent("2"))
    ids = [entry.id for entry in journal.read()]
    assert ids[0] == "1"
    assert ids[-1] == "2"


def test_journal_rotation_loses_no_line(tmp_path):
    """A full file is set aside, not thrown away."""
    journal = Journal(tmp_path, max_bytes=500)
    for number in range(40):
        journal.append(intent(str(number)))
    assert len(list(tmp_path.glob("journal-*.jsonl"))) > 3
    assert [entry.id for entry in journal.read()] == [str(number) for number in range(40)]
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.glob("*.jsonl"))


def test_journal_two_writers_and_rotation_lose_no_line(tmp_path):
    """Two terminals write the same journal; neither may lose or tear the other's lines."""

    def write(prefix: str) -> None:
        journal = Journal(tmp_path, max_bytes=800)
        for number in range(25):
            journal.append(intent(f"{prefix}{number}"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, "abcd"))
    journal = Journal(tmp_path)
    assert len({entry.id for entry in journal.read()}) == 100
    assert journal.damaged() == 0


def test_journal_killed_between_intent_and_answer_reads_unknown(tmp_path):
    """After kill -9 the journal must say that a request may have been done."""
    script = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from fleettui.audit import Entry, Journal, What\n"
        "journal = Journal(Path(sys.argv[1]))\n"
        "journal.append(Entry(what=What.INTENT, id='1', at='2026-08-23T10:00:00.000Z'))\n"
        "print('sent', flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "sent\n"
        process.send_signal(signal.SIGKILL)
    (account,) = accounts(Journal(tmp_path).read())
    assert account.outcome is None
    assert account.result is Result.UNKNOWN


def test_accounts_last_outcome_counts(tmp_path):
    """Written and then acknowledged is acknowledged, not two writes."""
    journal = Journal(tmp_path)
    for entry in (intent(), outcome(), outcome(result=Result.ACKNOWLEDGED)):
        journal.append(entry)
    (account,) = accounts(journal.read())
    assert account.result is Result.ACKNOWLEDGED


def test_accounts_filters_by_what_is_asked(tmp_path):
    """On-call looks for what Ann did to one cluster since this morning."""
    journal = Journal(tmp_path)
    journal.append(intent("1", context="a", verb="pause", who=Who(local="ann@desk")))
    journal.append(intent("2", context="b", verb="pause", who=Who(server="bob")))
    journal.append(outcome("2", Result.REJECTED))

    def found(**wishes) -> list[str]:
        return [account.intent.id for account in accounts(journal.read(), Wanted(**wishes))]

    assert found(context="a") == ["1"]
    assert found(who="bob") == ["2"]
    assert found(verb="pause") == ["1", "2"]
    assert found(results=frozenset({Result.REJECTED})) == ["2"]
    assert found(results=frozenset({Result.UNKNOWN})) == ["1"]
    assert found(since=datetime(2026, 8, 23, 11, tzinfo=UTC)) == []


@pytest.mark.parametrize(
    "patch",
    [
        {"data": {"password": "hunter2"}},
        {"spec": {"values": {"adminToken": {"inner": "hunter2"}}}},
        [{"op": "add", "path": "/metadata/annotations/x~1api-token", "value": "hunter2"}],
        {"kind": "Secret", "data": {"a": "hunter2"}},
        {"spec": {"url": "https://ann:hunter2@git.example/x"}},
        {"metadata": {"annotations": {"x": "eyJhbGciOiJIUzI1NiJ9.hunter2.sig"}}},
        {"env": [{"name": "DB_PASSWORD", "value": "hunter2"}]},
    ],
)
def test_journal_secrets_are_masked(patch, tmp_path):
    """A journal is kept for years; a password in it is a leak for years."""
    journal = Journal(tmp_path)
    journal.append(intent(patch=patch, why="because https://ann:hunter2@git.example"))
    assert "hunter2" not in journal.path.read_text()


def test_journal_patch_without_secrets_is_kept_as_sent(tmp_path):
    """Masking too much would leave no proof of what was done."""
    patch = {
        "metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": "2026-08-23T10:00:00Z"}},
        "spec": {"suspend": None, "kubeConfig": {"secretRef": {"name": "c-kubeconfig"}}},
    }
    journal = Journal(tmp_path)
    journal.append(intent(patch=patch))
    assert next(journal.read()).patch == patch


def test_local_person_names_user_and_host():
    """Several people share an account name; the machine tells them apart."""
    user, at, host = local_person().partition("@")
    assert user
    assert at
    assert host


def test_journal_path_is_where_it_was_told(tmp_path):
    """A journal in another folder than the person set would not be found."""
    assert Journal(Path(tmp_path)).path.parent == tmp_path


class Recorder(FailingFiles):
    """An operating system that remembers in which order it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    def write(self, descriptor: int, data: bytes) -> int:
        self.calls.append("write")
        return super().write(descriptor, data)

    def fsync(self, descriptor: int) -> None:
        self.calls.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "fsync")
        super().fsync(descriptor)


def test_journal_append_returns_only_once_the_line_is_on_the_disk(tmp_path):
    """After a power cut the intent must be there, and the file it stands in."""
    files = Recorder()
    journal = Journal(tmp_path, files=files)
    journal.append(intent("1"))
    assert files.calls == ["write", "fsync", "folder"]
    journal.append(intent("2"))
    assert files.calls[3:] == ["write", "fsync"]
