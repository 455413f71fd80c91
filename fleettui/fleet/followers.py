"""The scopes of one context that are being followed, as tasks.

Knows how a scope is opened, told and let go, and what a warm start knew of it;
decides nothing about which (``scopes``) and nothing about the protocol (``kube``).
One kind's failure never touches another.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fleettui.errors import FleettuiError
from fleettui.fleet.audit import Audits, Listed
from fleettui.fleet.context import Emit
from fleettui.fleet.scopes import LOOKED_AT, MEASURING, Part, ScopePlan, rank_of
from fleettui.fleet.warm import WarmContext
from fleettui.kinds import KindTable
from fleettui.kinds.batch import Batch, Deleted, Event, Mark, Phase, Scope, ScopeStatus
from fleettui.kinds.record import Record
from fleettui.kinds.spec import KindSpec
from fleettui.kube.context import KubeContext
from fleettui.kube.driver import Following
from fleettui.kube.reflection import Saved
from fleettui.kube.resource import Resource

AUDIT_S = 40.0
"""Over how long the kinds of a warm start are compared; within a minute all have been."""
FAR_AUDIT_PAGES = 1
"""Pages compared of a kind behind a link where a whole list of metadata costs a cold start."""

VersionsOf = Callable[[KindSpec], tuple[str, ...]]


@dataclass(slots=True)
class Warmth:
    """The warm start of a context, while it is under way."""

    context: WarmContext | None
    is_loaded: dict[Scope, asyncio.Event] = field(default_factory=dict)
    """Scopes that are being read from the disk."""
    is_checked: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when it is known whether what was read is ours."""


class Followers:
    """Opens, feeds and closes followings."""

    def __init__(
        self,
        context: KubeContext,
        group: asyncio.TaskGroup,
        *,
        table: KindTable,
        emit: Emit,
        changed: Callable[[], None],
        statuses: dict[Scope, ScopeStatus],
        warmth: Warmth,
        clock: Callable[[], float],
    ) -> None:
        """Follow nothing yet.

        Args:
            context: what is followed.
            group: where tasks live.
            table: gives readers.
            emit: takes batches.
            changed: told when there are other scopes.
            statuses: kept up to date.
            warmth: what is known from last time.
            clock: Unix seconds.
        """
        self._context = context
        self._group = group
        self._table = table
        self._emit = emit
        self._changed = changed
        self._statuses = statuses
        self._warmth = warmth
        self._clock = clock
        self._tasks: dict[Scope | Part, asyncio.Task[None]] = {}
        self._followings: dict[Scope | Part, Following] = {}
        self.audits = Audits(clock)
        """Kinds that a warm start resumed, on their way to be compared."""

    @property
    def parts(self) -> list[Part]:
        """Parts that are followed."""
        return [key for key in self._tasks if isinstance(key, Part)]

    @property
    def decoded_bytes(self) -> int:
        """Bytes of documents read so far."""
        return sum(following.decoded_bytes for following in self._followings.values())

    def positions(self) -> dict[Scope, tuple[str, str]]:
        """resourceVersion and API version of every whole scope that is synced."""
        return {
            key: (following.state.resource_version, following.state.resource.version)
            for key, following in self._followings.items()
            if isinstance(key, Scope)
            and following.state.is_synced
            and following.state.resource_version
            and following.state.resource is not None
        }

    def follow(self, plan: ScopePlan, versions_of: VersionsOf) -> None:
        """Opens what a plan names and is not open; lets go of what it no longer names."""
        for scope, spec in plan.whole.items():
            if scope not in self._tasks:
                if scope not in self._statuses:
                    self._tell(Batch(scope, [ScopeStatus(Phase.PENDING)]))
                self._begin(scope, self._whole(scope, spec, versions_of(spec)))
        for part, spec in plan.parts.items():
            if part not in self._tasks:
                for scope in part.scopes(self._context.name):
                    self._tell(Batch(scope, [ScopeStatus(Phase.PENDING)]))
                self._begin(part, self._part(part, spec, versions_of(spec)))
        for key in tuple(self._tasks):
            if isinstance(key, Part) and key not in plan.parts:
                self._end(key)

    def _begin(self, key: Scope | Part, work: Any) -> None:
        self._tasks[key] = self._group.create_task(work, name=f"follow {key.kind}")

    def _end(self, key: Scope | Part) -> None:
        """Lets what was followed leave memory."""
        self._tasks.pop(key).cancel()
        scopes = [key] if isinstance(key, Scope) else key.scopes(self._context.name)
        for scope in scopes:
            self._tell(Batch(scope, [Mark.FORGET]))

    def leave_namespace(self, namespace: str) -> None:
        """Lets go of every whole kind that is limited to this namespace."""
        for key in tuple(self._tasks):
            if isinstance(key, Scope) and key.namespace == namespace:
                self._end(key)

    # -- whole kinds ------------------------------------------------------------------------
    async def _whole(self, scope: Scope, spec: KindSpec, versions: tuple[str, ...]) -> None:
        saved = await self._saved(scope)
        following = self._context.follow(
            scope,
            self._reader_for,
            versions=versions,
            metadata_only=spec.metadata_only,
            rank=rank_of(spec),
            saved=saved,
        )
        self._followings[scope] = following
        is_unaudited = saved is not None
        try:
            async for batch in following.batches():
                self._tell(batch)
                if is_unaudited and self._statuses[scope].phase is Phase.LIVE:
                    is_unaudited = False
                    if not following.state.counters.lists:
                        self._group.create_task(self._audit(scope, spec, versions, following))
                if not scope.namespace and self._is_forbidden(scope):
                    await self._try_namespaces(scope, spec, versions)
        finally:
            if self._followings.get(scope) is following:
                del self._followings[scope]
            self._context.forget(following)

    async def _audit(
        self, scope: Scope, spec: KindSpec, versions: tuple[str, ...], following: Following
    ) -> None:
        """Compares a kind whose watch was resumed with what the server holds, within a minute."""
        await asyncio.sleep(random.uniform(1, AUDIT_S))  # noqa: S311 - spreads requests
        part = following.part
        if part is None or self._followings.get(scope) is not following:
            return
        pages = 0 if self._context.transport.pace.is_near else FAR_AUDIT_PAGES
        try:
            held = await self._context.client.versions(replace(part, rank=MEASURING), pages=pages)
        except FleettuiError:
            return  # the watch meets the same trouble, and tells of it

        def doubted() -> None:
            if self._followings.get(scope) is following:
                self._warmth.is_loaded.pop(scope, None)  # not from the disk again
                self._tasks[scope].cancel()
                self._begin(scope, self._whole(scope, spec, versions))

        listed = Listed(held.of, held.resource_version, held.is_whole)
        self.audits.add(scope, listed, doubted=doubted)

    async def _saved(self, scope: Scope) -> Saved | None:
        warm = self._warmth.context
        loaded = self._warmth.is_loaded.get(scope)
        if warm is None or loaded is None:
            return None
        await loaded.wait()
        await self._warmth.is_checked.wait()
        found = warm.resumable(scope)
        if found is None:
            return None
        age_s = max(self._clock() - found.taken_at, 0.0)
        return Saved(found.resource_version, age_s, loaded=found.count)

    def _is_forbidden(self, scope: Scope) -> bool:
        status = self._statuses.get(scope)
        return status is not None and status.phase is Phase.FORBIDDEN

    async def _try_namespaces(
        self, scope: Scope, spec: KindSpec, versions: tuple[str, ...]
    ) -> None:
        """Follows the namespaces that may be read when the whole may not."""
        try:
            narrower = await self._context.namespace_scopes(scope)
        except FleettuiError:
            return  # the scope keeps its own reason: forbidden
        for part in narrower:
            if part not in self._tasks:
                self._statuses[part] = ScopeStatus(Phase.PENDING)
                self._begin(part, self._whole(part, spec, versions))
        self._changed()

    # -- single clusters --------------------------------------------------------------------
    async def _part(self, part: Part, spec: KindSpec, versions: tuple[str, ...]) -> None:
        following = self._context.follow(
            Scope(self._context.name, part.group, part.kind, part.namespace),
            self._reader_for,
            versions=versions,
            metadata_only=spec.metadata_only,
            rank=LOOKED_AT,
            selector=part.selector,
        )
        self._followings[part] = following
        sorter = _Sorter({scope.cluster: scope for scope in part.scopes(self._context.name)})
        try:
            async for batch in following.batches():
                for sorted_batch in sorter.sorted_out(batch):
                    self._tell(sorted_batch)
        finally:
            self._followings.pop(part, None)
            self._context.forget(following)

    # -- news -------------------------------------------------------------------------------
    def _tell(self, batch: Batch) -> None:
        for event in batch.events:
            if isinstance(event, ScopeStatus):
                self._statuses[batch.scope] = event
            elif event is Mark.FORGET:
                self._statuses.pop(batch.scope, None)
        if self._warmth.context is not None:
            self._warmth.context.note(batch)
        self._emit(batch)

    def _reader_for(self, resource: Resource) -> Callable[[bytes], Any]:
        return self._table.reader(resource.group, resource.version, resource.kind).read


class _Sorter:
    """Sorts the news of several clusters out by cluster."""

    def __init__(self, scopes: dict[str, Scope]) -> None:
        self._scopes = scopes
        self._cluster_of: dict[tuple[str, str], str] = {}
        """Of every object told: what is deleted does not say."""

    def sorted_out(self, batch: Batch) -> Sequence[Batch]:
        found: dict[Scope, list[Event]] = {}
        for event in batch.events:
            if isinstance(event, Record):
                self._cluster_of[event.namespace, event.name] = event.cluster
                scopes = [self._scopes.get(event.cluster)]
            elif isinstance(event, Deleted):
                cluster = self._cluster_of.pop((event.namespace, event.name), "")
                scopes = [self._scopes.get(cluster)]
            else:
                scopes = list(self._scopes.values())
            for scope in scopes:
                if scope is not None:
                    found.setdefault(scope, []).append(event)
        return [Batch(scope, events) for scope, events in found.items()]
