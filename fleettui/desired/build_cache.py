"""Remembers what was built: in memory for a run, on disk for the next one.

Knows keys and objects; refuses to know what builds them. What is derived from secrets is
kept for the run only.
"""

import hashlib
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import msgspec

_FORMAT = "1"


@dataclass(frozen=True, slots=True)
class Built:
    """One object of a build."""

    document: dict[str, object]
    source: str
    """File of the tree that declares it; empty if that is not known."""


@dataclass(frozen=True, slots=True)
class Build:
    """Objects of a folder before variables and owner labels."""

    objects: tuple[Built, ...]
    notes: tuple[str, ...] = ()


class _Stored(msgspec.Struct):
    objects: list[tuple[dict[str, object], str]]
    notes: list[str]


def build_key(*parts: str) -> str:
    """The key of a build that depends on these texts alone."""
    return hashlib.sha256("\0".join((_FORMAT, *parts)).encode()).hexdigest()


@lru_cache(maxsize=8)
def program_version(program: Path) -> str:
    """What changes when a program does."""
    status = program.stat()
    return f"{program}:{status.st_size}:{status.st_mtime_ns}"


class BuildCache:
    """Builds by key."""

    def __init__(self, folder: Path | None) -> None:
        """Names the folder; touches nothing. None: in memory only."""
        self._folder = folder
        self._known: dict[str, Build] = {}

    def recall(self, key: str) -> Build | None:
        """What was built under a key; None if nothing was, or it cannot be read."""
        known = self._known.get(key)
        if known is not None or self._folder is None:
            return known
        try:
            raw = (self._folder / f"{key}.json").read_bytes()
            stored = msgspec.json.decode(raw, type=_Stored)
        except (OSError, msgspec.DecodeError):
            return None
        build = Build(tuple(Built(*item) for item in stored.objects), tuple(stored.notes))
        self._known[key] = build
        return build

    def remember(self, key: str, build: Build, *, on_disk: bool = True) -> Build:
        """Keeps a build; an empty one only for this run, so that a mistake cannot last.

        Args:
            key: of ``build_key``.
            build: what was built; given back.
            on_disk: whether the next run may have it: nothing in it is a secret.
        """
        if key in self._known:
            return build
        self._known[key] = build
        if on_disk and self._folder is not None and build.objects:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            pairs = [(item.document, item.source) for item in build.objects]
            raw = msgspec.json.encode(_Stored(pairs, list(build.notes)))
            descriptor, name = tempfile.mkstemp(dir=self._folder)
            with open(descriptor, "wb") as stream:  # noqa: PTH123 — a descriptor
                stream.write(raw)
            Path(name).replace(self._folder / f"{key}.json")
        return build
