"""All objects of one resource type: seeds underneath, what changed since on top.

Knows revisions, order and history; refuses to know what an object means.
Source: etcd's multi-version reads (a page sees its list's revision), watch cache history.
"""

from __future__ import annotations

import zlib
from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from fleettui.demo.apiserver.changes import Body, Change, ChangeType, Subscription
from fleettui.demo.apiserver.resources import Resource
from fleettui.demo.apiserver.seeds import REVISION_MARK

Key = tuple[str, str]
"""(namespace, name); the namespace is empty for cluster-scoped objects."""
Slot = int | Key
"""Where an object sits: its index among the seeds, or its key beside them."""

SNAPSHOTS_KEPT = 32
"""Lists in progress whose pages stay consistent; older ones answer 410."""


class Entry:
    """What was written over a seed (or beside the seeds) at one revision."""

    __slots__ = ("_data", "_packed", "revision")

    def __init__(self, revision: int, data: bytes | None, *, packed: bool = False) -> None:
        self.revision = revision
        self._packed = packed and data is not None
        self._data = zlib.compress(data, 1) if packed and data is not None else data

    @property
    def is_deleted(self) -> bool:
        """True if the object was deleted at this revision."""
        return self._data is None

    def body(self) -> bytes | None:
        """The object's JSON, None if deleted."""
        if self._packed and self._data is not None:
            return zlib.decompress(self._data)
        return self._data

    @property
    def size_bytes(self) -> int:
        """Memory the body takes."""
        return len(self._data) if self._data is not None else 0


_ABSENT = Entry(0, None)


class Snapshot:
    """The table as it was at one revision: what changed since, undone."""

    __slots__ = ("revision", "total", "undo")

    def __init__(self, revision: int, *, total: int) -> None:
        self.revision = revision
        self.total = total
        """Live objects at that revision, all namespaces."""
        self.undo: dict[Slot, Entry | None] = {}


class Table:
    """Objects of one resource type, ordered by namespace and name."""

    def __init__(
        self,
        resource: Resource,
        keys: Sequence[Key],
        body: Callable[[int], bytes],
        *,
        base: int,
    ) -> None:
        self.resource = resource
        self.keys = keys
        self.base = base
        """Seed i has revision base + i + 1."""
        self.floor = base + len(keys)
        """Watches from an older revision are answered 410."""
        self.count = len(keys)
        self.changed: dict[Slot, Entry] = {}
        self.created: list[Key] = []
        self.log: deque[Change] = deque()
        self.snapshots: dict[int, Snapshot] = {}
        self.subscriptions: set[Subscription] = set()
        self.busy_until = 0.0
        """Monotonic moment until which the storage is (re)initializing (429)."""
        self._seed_body = body
        self.stream: Callable[[int, int], Iterator[bytes]] = self._one_by_one
        """Bodies of a range of seeds, if the seeds know a faster way than one by one."""
        self._looked_up: tuple[Key, int | None] = (("", ""), None)

    def _one_by_one(self, low: int, high: int) -> Iterator[bytes]:
        return map(self._seed_body, range(low, high))

    def seed(self, index: int) -> bytes:
        """Seed `index` with its revision in place."""
        revision = b'"resourceVersion":"%d"' % (self.base + index + 1)
        return self._seed_body(index).replace(REVISION_MARK, revision, 1)

    def seed_index(self, key: Key) -> int | None:
        """Position among the seeds, None if the key is not one of them."""
        # A write looks its key up twice; lazy keys make every comparison cost.
        known, found = self._looked_up
        if known == key:
            return found
        index = bisect_left(self.keys, key)
        found = index if index < len(self.keys) and self.keys[index] == key else None
        self._looked_up = (key, found)
        return found

    def slot_of(self, key: Key) -> Slot:
        """Where the object of a key sits, or would sit."""
        index = self.seed_index(key)
        return key if index is None else index

    def key_of(self, slot: Slot) -> Key:
        """The key of what sits there."""
        return self.keys[slot] if isinstance(slot, int) else slot

    def get(self, key: Key) -> bytes | None:
        """The object's JSON now, None if there is none."""
        slot = self.slot_of(key)
        entry = self.changed.get(slot)
        if entry is not None:
            return entry.body()
        return self.seed(slot) if isinstance(slot, int) else None

    def write(self, key: Key, data: bytes | None, *, revision: int, packed: bool) -> Change:
        """Set or (with None) delete an object; the last state is `final` of a deletion."""
        return self._record(key, Entry(revision, data, packed=packed), final=None)

    def remove(self, key: Key, final: bytes, *, revision: int) -> Change:
        """Delete an object; `final` is what watches see of it."""
        return self._record(key, Entry(revision, None), final=final)

    def _record(self, key: Key, entry: Entry, *, final: bytes | None) -> Change:
        slot = self.slot_of(key)
        before = self.changed.get(slot)
        old = self._body_of(before, slot)
        existed = old is not None
        for snapshot in self.snapshots.values():
            snapshot.undo.setdefault(slot, before)
        if before is None and not isinstance(slot, int):
            insort(self.created, slot)
        self.changed[slot] = entry
        if entry.is_deleted:
            kind = ChangeType.DELETED
            self.count -= 1
        elif existed:
            kind = ChangeType.MODIFIED
        else:
            kind = ChangeType.ADDED
            self.count += 1
        change = Change(
            kind,
            self.resource,
            key=key,
            revision=entry.revision,
            old=old or _nothing,
            new=partial(_same, final) if final is not None else entry.body,
        )
        self.log.append(change)
        return change

    def _body_of(self, entry: Entry | None, slot: Slot) -> Body | None:
        if entry is not None:
            return None if entry.is_deleted else entry.body
        return partial(self.seed, slot) if isinstance(slot, int) else None

    def snapshot(self, revision: int) -> Snapshot | None:
        """The table at `revision`, None if its history is gone."""
        known = self.snapshots.get(revision)
        if known is not None:
            return known
        if revision < self.floor:
            return None
        made = Snapshot(revision, total=self.count)
        for change in reversed(self.log):
            if change.revision <= revision:
                break
            self._undo(made, change)
        self.snapshots[revision] = made
        while len(self.snapshots) > SNAPSHOTS_KEPT:
            del self.snapshots[min(self.snapshots)]
        return made

    def _undo(self, made: Snapshot, change: Change) -> None:
        slot = self.slot_of((change.namespace, change.name))
        if change.type is ChangeType.ADDED:
            made.total -= 1
            made.undo[slot] = _ABSENT
        elif change.type is ChangeType.DELETED:
            made.total += 1
        if change.type is not ChangeType.ADDED:
            made.undo[slot] = Entry(0, change.old_bytes)

    def forget_snapshots(self, before: int) -> None:
        """Drop lists in progress older than a revision (compaction)."""
        for revision in [r for r in self.snapshots if r < before]:
            del self.snapshots[revision]

    def forget_oldest(self) -> None:
        """Drop the oldest change from the history and what only it needed."""
        if not self.log:
            return
        change = self.log.popleft()
        self.floor = max(self.floor, change.revision)
        slot = self.slot_of((change.namespace, change.name))
        entry = self.changed.get(slot)
        if entry is None or not entry.is_deleted or entry.revision != change.revision:
            return
        if self.snapshots or isinstance(slot, int):
            return
        del self.changed[slot]
        self.created.pop(bisect_left(self.created, slot))

    def total(self, namespace: str | None, snapshot: Snapshot | None = None) -> int:
        """Live objects; cost O(1) for all namespaces, O(changed) for one."""
        if namespace is None:
            return self.count if snapshot is None else snapshot.total
        if snapshot is None:
            low, high = _bounds(self.keys, namespace, None)
            count = high - low
            for slot, entry in self.changed.items():
                if isinstance(slot, int):
                    count -= low <= slot < high and entry.is_deleted
                else:
                    count += slot[0] == namespace and not entry.is_deleted
            return count
        return sum(1 for _ in self.scan(namespace=namespace, snapshot=snapshot))

    def scan(
        self,
        *,
        namespace: str | None = None,
        after: Key | None = None,
        snapshot: Snapshot | None = None,
    ) -> Iterator[tuple[Slot, bytes]]:
        """(slot, JSON) in order, from behind `after`, rendered as they are taken.

        Keys of seeds are not looked up on the way: `key_of` a slot where one is needed.
        """
        low, high = _bounds(self.keys, namespace, after)
        undo = snapshot.undo if snapshot is not None else {}
        for key in self.created[slice(*_bounds(self.created, namespace, after))]:
            split = min(max(bisect_left(self.keys, key), low), high)
            yield from self._seeds(low, split, undo)
            low = split
            entry = undo[key] if key in undo else self.changed.get(key)
            data = entry.body() if entry is not None else None
            if data is not None:
                yield key, data
        yield from self._seeds(low, high, undo)

    def _seeds(
        self, low: int, high: int, undo: dict[Slot, Entry | None]
    ) -> Iterator[tuple[Slot, bytes]]:
        if low >= high:
            return
        changed = self.changed
        is_plain = not changed and not undo
        revision = self.base + low
        for index, body in enumerate(self.stream(low, high), low):
            revision += 1
            entry = None if is_plain else undo[index] if index in undo else changed.get(index)
            if entry is None:
                mark = b'"resourceVersion":"%d"' % revision
                yield index, body.replace(REVISION_MARK, mark, 1)
                continue
            data = entry.body()
            if data is not None:
                yield index, data


def _same(data: bytes) -> bytes:
    return data


def _nothing() -> None:
    return None


def _bounds(keys: Sequence[Key], namespace: str | None, after: Key | None) -> tuple[int, int]:
    low, high = 0, len(keys)
    if namespace is not None:
        low = bisect_left(keys, (namespace, ""))
        high = bisect_left(keys, (namespace + "\0", ""))
    if after is not None:
        low = max(low, bisect_right(keys, after))
    return low, max(low, high)
