"""Changes of a store and the queues in which readers receive them.

Refuses to know about HTTP: a watch and a controller read the same queue.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any

import msgspec

from fleettui.demo.apiserver.resources import Resource


class ChangeType(StrEnum):
    """The API's words for what happened to an object."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


Body = Callable[[], bytes | None]


class Change:
    """One change of one object; bodies are decoded when asked for."""

    __slots__ = ("_new", "_old", "name", "namespace", "resource", "revision", "type")

    def __init__(
        self,
        type: ChangeType,
        resource: Resource,
        *,
        key: tuple[str, str],
        revision: int,
        old: Body,
        new: Body,
    ) -> None:
        self.type = type
        self.resource = resource
        self.namespace, self.name = key
        self.revision = revision
        self._old = old
        self._new = new

    @property
    def old_bytes(self) -> bytes | None:
        """The object before, None for ADDED."""
        return self._old()

    @property
    def new_bytes(self) -> bytes | None:
        """The object after; for DELETED its last state at the revision of the deletion."""
        return self._new()

    @property
    def old(self) -> dict[str, Any] | None:
        """A fresh dict of the object before, None for ADDED."""
        data = self._old()
        return None if data is None else msgspec.json.decode(data)

    @property
    def new(self) -> dict[str, Any] | None:
        """A fresh dict of the object after (the last state for DELETED)."""
        data = self._new()
        return None if data is None else msgspec.json.decode(data)


class Subscription:
    """A queue of changes of some resources, filled at once by the store."""

    def __init__(
        self,
        keys: frozenset[tuple[str, str]] | None,
        *,
        close: Callable[[Subscription], None],
        is_watch: bool = False,
        limit: int = 100_000,
    ) -> None:
        self.is_watch = is_watch
        self.keys = keys
        """(group, plural) of the resources wanted; None for all."""
        self.is_ended = False
        """True once the store closed it (too slow a reader, resource gone or changed)."""
        self._queue: deque[Change] = deque()
        self._wake = asyncio.Event()
        self._close = close
        self._limit = limit

    def push(self, change: Change) -> None:
        """Add a change; a reader that lets too many pile up is ended."""
        if self.is_ended:
            return
        if len(self._queue) >= self._limit:
            self.end()
            return
        self._queue.append(change)
        self._wake.set()

    def push_all(self, changes: Iterable[Change]) -> None:
        """Add several changes in order."""
        for change in changes:
            self.push(change)

    def end(self) -> None:
        """Tell the reader that nothing more will come."""
        self.is_ended = True
        self._wake.set()

    def drain(self) -> list[Change]:
        """All changes waiting, oldest first; never blocks."""
        changes = list(self._queue)
        self._queue.clear()
        self._wake.clear()
        if self.is_ended:
            self._wake.set()
        return changes

    async def wait(self, timeout_s: float | None = None) -> list[Change]:
        """The next changes, or an empty list after `timeout_s` seconds or at the end."""
        if not self._queue and not self.is_ended:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._wake.wait()
            except TimeoutError:
                return []
        return self.drain()

    def close(self) -> None:
        """Stop receiving."""
        self.is_ended = True
        self._close(self)
