"""The initial content of one management cluster, as the store wants it.

Bodies are built when asked for, so 600,000 objects cost no 600,000 dicts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

from fleettui.demo.apiserver.resources import Resource

REVISION_MARK = b'"resourceVersion":"@RV@"'
"""Stands exactly once in every seed body; the store puts the revision in its place."""


class Seeds(Protocol):
    """One management cluster's initial content."""

    def resources(self) -> Sequence[Resource]:
        """All resource types that hold seeds or are to be served, in a fixed order."""
        ...

    def keys(self, resource: Resource) -> Sequence[tuple[str, str]]:
        """(namespace, name) ascending; namespace is empty if cluster scoped; may be lazy."""
        ...

    def body(self, resource: Resource, index: int) -> bytes:
        """Compact JSON of `keys(resource)[index]` in the storage version.

        Complete (uid, generation, creationTimestamp, managedFields, status), starting with
        `{"apiVersion":…,"kind":…,` and holding `REVISION_MARK` exactly once.
        """
        ...

    def log(self, namespace: str, pod: str, container: str) -> Iterable[str]:
        """Lines of one container's log, oldest first, without line ends."""
        ...


@runtime_checkable
class Streamer(Protocol):
    """Seeds that build many bodies in a row for less than one at a time."""

    def bodies(self, resource: Resource, low: int, high: int) -> Iterator[bytes]:
        """What `body` gives for every index from `low` up to `high`, built as they are taken."""
        ...


@runtime_checkable
class Converter(Protocol):
    """Seeds that know how one kind's served versions differ."""

    def convert(self, resource: Resource, body: dict[str, Any], version: str) -> dict[str, Any]:
        """The same object in another served version (either direction)."""
        ...
