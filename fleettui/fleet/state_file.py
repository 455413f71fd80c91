"""Small files of the program's own in the state folder: written whole or not at all."""

import os
from contextlib import suppress
from pathlib import Path

from fleettui.errors import FleettuiError


def read_state(path: Path, *, limit_bytes: int) -> bytes:
    """The file's bytes; empty when there is none, it cannot be read or is too large."""
    try:
        with path.open("rb") as stream:
            data = stream.read(limit_bytes + 1)
    except OSError:
        return b""  # a history or a mute that cannot be read is as good as none
    return b"" if len(data) > limit_bytes else data


def write_state(path: Path, data: bytes) -> None:
    """Replaces the file; only its owner may read it. Blocks.

    Raises:
        FleettuiError: the folder cannot be written to.
    """
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(part, flags, 0o600), "wb") as stream:  # noqa: PTH123  (a descriptor)
            stream.write(data)
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise FleettuiError(
            f"cannot be written: {error.strerror or error}",
            where=str(path),
            hint="free some space or fix the folder's rights",
        ) from error
