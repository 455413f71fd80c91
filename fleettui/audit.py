"""The journal: what was about to be written, and what came of it.

Knows lines of JSON in a file of the person's own; knows no cluster and no verb.
An intent is on the disk before its request leaves, so a program that is killed
leaves a line that says so. Whatever cannot be written is an error: no journal,
no write.

Source: open(2) O_APPEND, O_NOFOLLOW; fsync(2); flock(2).
"""

import fcntl
import getpass
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import msgspec

from fleettui.errors import FleettuiError
from fleettui.redaction import masked

MAX_BYTES = 8 * 1024 * 1024
"""Size above which the next intent starts a new file."""

NAME = "journal.jsonl"


class JournalError(FleettuiError):
    """The journal cannot be written, so nothing may be sent."""


class What(StrEnum):
    """What a line tells."""

    INTENT = "intent"
    OUTCOME = "outcome"
    NOTE = "note"
    """Something about the whole plan: stopped, resumed, undone."""


class Result(StrEnum):
    """What came of a request."""

    WRITTEN = "written"
    """The server accepted it; nothing more is awaited, or it is awaited still."""
    ACKNOWLEDGED = "acknowledged"
    FAILED = "failed"
    """Accepted, and the controller's run then failed."""
    REJECTED = "rejected"
    """The server refused it; nothing changed."""
    UNKNOWN = "unknown"
    """The answer was lost: it may have been done."""
    TIMED_OUT = "timed_out"
    """Accepted, and not acknowledged in time."""
    CANCELLED = "cancelled"
    """Accepted, and nobody waited for the acknowledgement."""


class Who(msgspec.Struct, frozen=True):
    """The person, twice: as the server knows them and as this machine does."""

    server: str = ""
    """Username of a SelfSubjectReview; empty when the server would not say."""
    impersonated: str = ""
    local: str = ""
    """user@host."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line."""

    what: What
    id: str
    """The same for an intent and its outcomes."""
    at: str
    """RFC 3339, UTC."""
    plan: str = ""
    step: int = -1
    verb: str = ""
    who: Who = Who()
    why: str = ""
    context: str = ""
    server: str = ""
    """Address of the API server, so a renamed context stays recognisable."""
    group: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    method: str = ""
    path: str = ""
    """Path of the request, without its query."""
    dry_run: bool = False
    patch: Any = None
    """The body as sent, secrets masked."""
    before: str = ""
    """resourceVersion that was read just before."""
    after: str = ""
    """resourceVersion of the answer."""
    result: Result | None = None
    message: str = ""
    """One raw line; unsafe to show without ``safe_text``."""


class Files(Protocol):
    """What the journal asks of an operating system; tests let it fail."""

    def write(self, descriptor: int, data: bytes) -> int:
        """Bytes written, possibly fewer than given.

        Raises:
            OSError: the disk is full, or gone.
        """
        ...

    def fsync(self, descriptor: int) -> None:
        """Returns once the data is on the disk.

        Raises:
            OSError: it is not.
        """
        ...


class _System:
    def write(self, descriptor: int, data: bytes) -> int:
        return os.write(descriptor, data)

    def fsync(self, descriptor: int) -> None:
        os.fsync(descriptor)


class Journal:
    """An append-only file of entries, and the older files beside it."""

    def __init__(
        self, folder: Path, *, max_bytes: int = MAX_BYTES, files: Files | None = None
    ) -> None:
        """Remember the place; nothing is opened yet.

        Args:
            folder: made with mode 0700 when it does not exist.
            max_bytes: size of a file above which a new one is started.
            files: how bytes reach the disk; the operating system by default.
        """
        self._folder = folder
        self._max_bytes = max_bytes
        self._files = files or _System()

    @property
    def path(self) -> Path:
        """The file that is written now."""
        return self._folder / NAME

    def append(self, entry: Entry) -> None:
        """Put one line on the disk; blocks until it is there.

        Raises:
            JournalError: it is not there (or not whole), so nothing may be sent.
        """
        line = msgspec.json.encode(_without_secrets(entry)) + b"\n"
        try:
            with _locked(self._folder) as folder:
                self._rotate(folder)
                self._append_line(folder, line)
        except OSError as error:
            raise self._unwritable(error) from error

    def check(self) -> None:
        """Tell early whether entries can be written at all.

        Raises:
            JournalError: they cannot.
        """
        try:
            with _locked(self._folder) as folder:
                descriptor = _open_for_append(folder)
                try:
                    self._files.fsync(descriptor)
                finally:
                    os.close(descriptor)
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> JournalError:
        return JournalError(
            f"the journal cannot be written: {error.strerror or error}",
            where=str(self.path),
            hint="nothing is sent without a journal; free some space or fix the file",
        )

    def _append_line(self, folder: int, line: bytes) -> None:
        is_new = not _exists(folder, NAME)
        descriptor = _open_for_append(folder)
        try:
            if _ends_in_half_a_line(descriptor):
                line = b"\n" + line
            left = line
            while left:
                left = left[self._files.write(descriptor, left) :]
            self._files.fsync(descriptor)
        finally:
            os.close(descriptor)
        if is_new:
            self._files.fsync(folder)

    def _rotate(self, folder: int) -> None:
        """Move a full file aside under the next free number; nothing is ever deleted."""
        try:
            size = os.stat(NAME, dir_fd=folder, follow_symlinks=False).st_size
        except FileNotFoundError:
            return
        if size < self._max_bytes:
            return
        numbers = [number for number, _ in _older(self._folder)]
        aside = f"journal-{max(numbers, default=0) + 1:06d}.jsonl"
        os.rename(NAME, aside, src_dir_fd=folder, dst_dir_fd=folder)
        self._files.fsync(folder)

    def read(self) -> Iterator[Entry]:
        """Every entry, oldest first, over all files; lines that are no entry are left out.

        Raises:
            JournalError: a file is there and cannot be read.
        """
        for _, entry in self._lines():
            if entry is not None:
                yield entry

    def damaged(self) -> int:
        """How many lines are no entry: a write that was cut short, or a stranger's line."""
        return sum(entry is None for _, entry in self._lines())

    def _lines(self) -> Iterator[tuple[bytes, Entry | None]]:
        if not self._folder.exists():
            return
        try:
            with _locked(self._folder):  # no rotation between the list and the opening
                older = [path for _, path in _older(self._folder)]
                current = self.path.open("rb") if self.path.exists() else None
            for path in older:
                with path.open("rb") as stream:
                    yield from _parsed(stream)
            if current is not None:
                with current:
                    yield from _parsed(current)
        except OSError as error:
            raise JournalError(
                f"the journal cannot be read: {error.strerror or error}", where=str(self.path)
            ) from error


def _parsed(stream: BinaryIO) -> Iterator[tuple[bytes, Entry | None]]:
    """Lines with what they tell; the last may still be half written."""
    yield from ((line, _entry_of(line)) for line in stream if line.strip())


def local_person() -> str:
    """user@host of whoever runs the program."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def moment_text(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, the form in which entries sort as text."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + (
        f"{moment.microsecond // 1000:03d}Z"
    )


def _without_secrets(entry: Entry) -> Entry:
    return msgspec.structs.replace(
        entry,
        patch=masked(entry.patch),
        why=str(masked(entry.why)),
        message=str(masked(entry.message)),
    )


def _entry_of(line: bytes) -> Entry | None:
    try:
        return msgspec.json.decode(line, type=Entry)
    except msgspec.MsgspecError:
        return None


def _older(folder: Path) -> list[tuple[int, Path]]:
    """Files moved aside, oldest first."""
    found = []
    for path in folder.glob("journal-*.jsonl"):
        number = path.stem.removeprefix("journal-")
        if number.isdecimal():
            found.append((int(number), path))
    return sorted(found)


@contextmanager
def _locked(folder: Path) -> Iterator[int]:
    """A descriptor of the folder, locked against other processes of ours."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _exists(folder: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _open_for_append(folder: int) -> int:
    """The current file, which must be a plain file that only its owner may touch."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(NAME, flags, 0o600, dir_fd=folder)
    status = os.fstat(descriptor)
    reason = ""
    if not stat.S_ISREG(status.st_mode):
        reason = "it is not a plain file"
    elif status.st_uid != os.geteuid():
        reason = "it belongs to somebody else"
    elif status.st_mode & 0o077:
        reason = "others may read or write it (chmod 600 it)"
    if reason:
        os.close(descriptor)
        raise PermissionError(0, reason)
    return descriptor


def _ends_in_half_a_line(descriptor: int) -> bool:
    """Whether an earlier write was cut short; its rest stays, a new line is begun."""
    size = os.fstat(descriptor).st_size
    return size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
