"""The order of all writes: revisions, history, compaction, who has been deleted.

One integer revision for all kinds. Refuses to know what may be written.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import Any

import msgspec

from fleettui.demo.apiserver import objects
from fleettui.demo.apiserver.builtins import DEFINITIONS
from fleettui.demo.apiserver.changes import Change, Subscription
from fleettui.demo.apiserver.history import History, end_watches
from fleettui.demo.apiserver.resources import Resource
from fleettui.demo.apiserver.served import ServedTypes

Document = dict[str, Any]


class Ledger:
    """Takes finished objects, gives them revisions and tells everybody."""

    def __init__(
        self, types: ServedTypes, *, max_changes: int, max_bytes: int, unpacked_bytes: int
    ) -> None:
        self.types = types
        self.revision = types.seeded_to
        """The last revision given to a write, of whatever kind."""
        self.compacted = 0
        """Continue tokens and exact reads of older revisions answer 410."""
        self.orphans: deque[tuple[str, str, str]] = deque()
        """(uid, namespace, policy) of deleted owners, for the garbage collector."""
        self.has_orphans = asyncio.Event()
        self._history = History(types.tables, max_changes=max_changes, max_bytes=max_bytes)
        self._written_bytes = 0
        self._unpacked_bytes = unpacked_bytes

    def commit(
        self, resource: Resource, document: Document, *, is_removal: bool = False
    ) -> Document:
        """Store an object, or remove it if it is deleted and nothing holds it.

        Raises:
            NotFound: the type is not (or no longer) served.
        """
        metadata = document["metadata"]
        self.revision += 1
        metadata["resourceVersion"] = str(self.revision)
        data = objects.encoded(document)
        key = (metadata.get("namespace", ""), metadata["name"])
        table = self.types.table(resource)
        if is_removal or objects.is_released(document):
            change = table.remove(key, data, revision=self.revision)
            self.orphan(metadata["uid"], key[0], "Background")
        else:
            self._written_bytes += len(data)
            packed = self._written_bytes > self._unpacked_bytes
            change = table.write(key, data, revision=self.revision, packed=packed)
        self._history.publish(table, change, len(data))
        if resource.key == DEFINITIONS.key:
            self._redefine(change)
        return document

    def orphan(self, uid: str, namespace: str, policy: str) -> None:
        """Note a deletion for the garbage collector."""
        self.orphans.append((uid, namespace, policy))
        self.has_orphans.set()

    def subscribe(
        self, resources: Iterable[Resource] | None = None, *, is_watch: bool = False
    ) -> Subscription:
        """A queue of the changes of these resources (None: of all) from now on.

        Watches end with a change of their type's definition, other readers do not.
        """
        return self._history.subscribe(resources, is_watch=is_watch)

    def compact(self, revision: int | None = None) -> None:
        """Drop history: continue tokens and exact reads below `revision` (now) answer 410."""
        self.compacted = max(self.compacted, self.revision if revision is None else revision)
        for table in self.types.tables.values():
            table.forget_snapshots(self.compacted)

    def expire_watches(self, resource: Resource | None = None) -> None:
        """Drop the watch history: watches from any older revision answer 410."""
        tables = self.types.tables.values() if resource is None else [self.types.table(resource)]
        for table in tables:
            table.floor = self.revision

    def end_watches(self) -> None:
        """End every watch (its clients see a clean end)."""
        for table in self.types.tables.values():
            end_watches(table)

    def _redefine(self, change: Change) -> None:
        gone = self.types.redefine(change, revision=self.revision)
        if gone is None:
            return
        for slot, data in list(gone.scan()):
            self.revision += 1
            final = msgspec.json.decode(data)
            final["metadata"]["resourceVersion"] = str(self.revision)
            body = objects.encoded(final)
            removed = gone.remove(gone.key_of(slot), body, revision=self.revision)
            self._history.publish(gone, removed, len(body))
        self.types.drop(gone)
