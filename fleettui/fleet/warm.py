"""A warm start of one context: what was known last time, until the server says more.

Knows which rows changed since they were saved, whom they belong to and when they
may be used again; files are ``recorded.shards``', resuming a watch is ``kube``'s.

What is saved belongs to one cluster (UID of kube-system), one person (what the
server says of the credentials) and one reading of the kind (the reader's
fingerprint). Rows are shown before that can be checked, and forgotten when it
turns out wrong. Any trouble with a file costs a cold start of its scope.
"""

import hashlib
import time
from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fleettui.fleet.warm_rows import heading, records_of
from fleettui.index import Index
from fleettui.index.rows import Row
from fleettui.kinds import KindTable
from fleettui.kinds.batch import Batch, Deleted, Mark, Phase, Scope, ScopeStatus
from fleettui.kinds.record import Record
from fleettui.kinds.spec import Depth, Role
from fleettui.recorded.shards import (
    NEVER,
    SCHEMA,
    Head,
    Manifest,
    Packing,
    Part,
    ShardFolder,
    manifest_scope,
    shard_of,
    shards_for,
)

SAVE_STEP = 32
"""Rows packed between two looks at the clock."""
_RANKS = {Depth.SPINE: 0, Depth.LEAF: 1, Depth.ASKED: 2}

Emit = Callable[[Batch], None]
Turn = Callable[[], Awaitable[float]]
"""Waits for the turn of a slice of work, and tells how long it may be, seconds."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom saved rows belong to."""

    cluster: str
    """UID of kube-system; empty when it may not be read."""
    identity: str


def owner_of(cluster: str, username: str, groups: Sequence[str]) -> Owner:
    """The owner of what this person reads of this cluster."""
    told = "\0".join((username, *sorted(groups)))
    return Owner(cluster, hashlib.blake2b(told.encode(), digest_size=16).hexdigest())


@dataclass(frozen=True, slots=True)
class Resumable:
    """Where a watch can go on."""

    resource_version: str
    taken_at: int
    count: int


@dataclass(slots=True)
class _Kept:
    """What is on the disk of one scope, and what is no longer so."""

    parts: list[Part] = field(default_factory=list)
    resource_version: str = ""
    dirty: set[int] = field(default_factory=set)
    is_all_dirty: bool = True

    def note(self, namespace: str, name: str) -> None:
        if not self.is_all_dirty:
            self.dirty.add(shard_of(namespace, name, len(self.parts)))

    def take(self, shards: int) -> set[int]:
        """The shards to write now, of so many."""
        if self.is_all_dirty or shards != len(self.parts):
            taken = set(range(shards))
            self.parts = [Part("", 0)] * shards
        else:
            taken = self.dirty
        self.dirty = set()
        self.is_all_dirty = False
        return taken


class WarmContext:
    """The saved rows of one context: loads them, and keeps them up to date."""

    def __init__(
        self, folder: ShardFolder, *, context: str, table: KindTable, clock: Callable[[], float]
    ) -> None:
        """Nothing is read yet.

        Args:
            folder: where the rows are.
            context: name of the context.
            table: kinds and their readers.
            clock: Unix seconds.
        """
        self._folder = folder
        self._context = context
        self._table = table
        self._clock = clock
        self._lock = folder.lock()
        self._manifests: dict[Scope, Manifest] = {}
        self._kept: dict[Scope, _Kept] = {}
        self._owner: Owner | None = None
        self._is_swept = False
        """Whether files that no manifest names have been removed."""
        self.problem = ""
        """Why nothing is saved any more; empty while all is well. Raw text."""

    # -- loading --------------------------------------------------------------------------
    def head(self) -> Head | None:
        """What the screen showed of the context last time."""
        return self._folder.head()

    def scopes(self) -> list[Scope]:
        """Scopes that may be loaded, spine first; reads the manifests."""
        for told, manifest in self._folder.manifests().items():
            group, kind, namespace, cluster = told
            spec = self._table.spec_for(group, kind)
            if spec is None or (group, kind) in NEVER:
                continue
            self._manifests[Scope(self._context, group, kind, namespace, cluster)] = manifest
        return sorted(self._manifests, key=self._rank)

    def _rank(self, scope: Scope) -> tuple[int, bool, int]:
        """Clusters first, then what is quickly there."""
        spec = self._table.spec_for(scope.group, scope.kind)
        depth = _RANKS[spec.depth] if spec else 2
        is_cluster = spec is not None and spec.role is Role.CLUSTER
        return (depth, not is_cluster, self._manifests[scope].count)

    async def load(self, scope: Scope, emit: Emit, *, turn: Turn) -> bool:
        """Brings the saved rows of a scope; whether they are whole."""
        manifest = self._manifests.get(scope)
        if manifest is None:
            return False
        # Only now: compiling the readers of a hundred kinds would hold up the first rows.
        reader = self._table.reader(scope.group, manifest.version, scope.kind)
        if reader.fingerprint != manifest.fingerprint:
            self._manifests.pop(scope, None)
            return False
        status = ScopeStatus(Phase.CACHED, since=manifest.taken_at, loaded=manifest.count)
        emit(Batch(scope, [Mark.INIT, status]))
        for part in manifest.parts:
            await turn()
            records = self._folder.records(part) if part.count else ()
            if records is None or scope not in self._manifests:
                # A file that cannot be read, or rows that turned out to be somebody else's.
                self._manifests.pop(scope, None)
                emit(Batch(scope, [Mark.INIT, Mark.INIT_DONE, ScopeStatus(Phase.PENDING)]))
                return False
            await self._take_over(scope, records, emit, turn)
        emit(Batch(scope, [Mark.INIT_DONE]))
        self._kept[scope] = _Kept(
            list(manifest.parts), manifest.resource_version, is_all_dirty=False
        )
        return True

    async def _take_over(
        self, scope: Scope, records: Sequence[Record], emit: Emit, turn: Turn
    ) -> None:
        start = 0
        while start < len(records):
            slice_s = await turn()
            until = time.perf_counter() + slice_s
            while start < len(records) and time.perf_counter() < until:
                emit(Batch(scope, records[start : start + 16]))
                start += 16

    def resumable(self, scope: Scope) -> Resumable | None:
        """Where the watch of a loaded scope can go on; None: list it."""
        manifest = self._manifests.get(scope)
        if manifest is None or self._owner is None or scope not in self._kept:
            return None
        return Resumable(manifest.resource_version, manifest.taken_at, manifest.count)

    def belongs_to(self, owner: Owner) -> bool:
        """Whether what is saved is this owner's; if not, it is dropped here and on disk."""
        self._owner = owner
        if all(
            Owner(manifest.cluster, manifest.identity) == owner
            for manifest in self._manifests.values()
        ):
            return True
        self._manifests.clear()
        self._kept.clear()
        if self._lock.take():
            self._folder.clear()
        return False

    # -- saving ---------------------------------------------------------------------------
    def note(self, batch: Batch) -> None:
        """Remembers which rows are no longer as they were saved."""
        kept = self._kept.get(batch.scope)
        if kept is None or kept.is_all_dirty:
            return
        for event in batch.events:
            if isinstance(event, Record | Deleted):
                kept.note(event.namespace, event.name)
            elif event is Mark.INIT or event is Mark.FORGET:
                kept.is_all_dirty = True
                return

    def saving(self, index: Index, positions: Mapping[Scope, tuple[str, str]]) -> Iterator[None]:
        """Saves what changed, some rows between two yields.

        Args:
            index: all rows.
            positions: resourceVersion and API version of every scope that is synced.
        """
        if self._owner is None or self.problem or not self._lock.take():
            return
        try:
            for scope, (resource_version, version) in positions.items():
                if (scope.group, scope.kind) not in NEVER and not scope.cluster:
                    yield from self._save(index, scope, resource_version, version)
            roots = list(index.roots(self._context))
            head = yield from heading(roots, int(self._clock()))
            self._folder.write_head(head)
            if not self._is_swept:
                self._folder.sweep()
                self._is_swept = True
        except OSError as error:
            self.problem = f"the fleet is not saved for the next start: {error}"

    def _save(
        self, index: Index, scope: Scope, resource_version: str, version: str
    ) -> Iterator[None]:
        owner = self._owner
        assert owner is not None  # checked by the caller
        counts = index.counts((scope.group, scope.kind), context=self._context)
        count = counts.get(scope.namespace, 0) if scope.namespace else sum(counts.values())
        kept = self._kept.setdefault(scope, _Kept())
        before = {part.name for part in kept.parts if part.name}
        dirty = kept.take(shards_for(count))
        if not dirty and kept.resource_version == resource_version:
            return
        taken_at = int(self._clock())
        is_done = False
        try:
            pieces = index.pieces(scope)
            for number, found in (yield from _sorted_out(pieces, dirty, len(kept.parts))).items():
                packing = yield from _packed(found)
                kept.parts[number] = self._folder.write_packed(packing)
            self._folder.write_manifest(
                Manifest(
                    schema=SCHEMA,
                    fingerprint=self._table.reader(scope.group, version, scope.kind).fingerprint,
                    version=version,
                    cluster=owner.cluster,
                    identity=owner.identity,
                    scope=manifest_scope(scope),
                    resource_version=resource_version,
                    taken_at=taken_at,
                    parts=tuple(kept.parts),
                )
            )
            kept.resource_version = resource_version
            is_done = True
            self._folder.drop(before - {part.name for part in kept.parts})
        finally:
            if not is_done:
                kept.is_all_dirty = True

    def close(self) -> None:
        """Lets other instances save."""
        self._lock.drop()


def _sorted_out(
    pieces: Iterable[Sequence[Row]], dirty: set[int], shards: int
) -> Generator[None, None, dict[int, list[Row]]]:
    found: dict[int, list[Row]] = {number: [] for number in dirty}
    if dirty:
        for rows in pieces:
            for row in rows:
                number = shard_of(row.namespace, row.name, shards)
                if number in found:
                    found[number].append(row)
            yield
    return found


def _packed(rows: Sequence[Row]) -> Generator[None, None, Packing]:
    packing = Packing()
    for place, row in enumerate(rows):
        if not row.is_gone:
            for record in records_of(row):
                packing.add(record)
        if place % SAVE_STEP == SAVE_STEP - 1:
            yield
    return packing
