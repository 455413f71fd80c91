"""A live context as a link: opens it, follows what is planned, tells how it stands.

Knows when to open, plan again, fall back to namespaces and give up; the protocol
is ``kube``'s. One kind's failure never touches another.
"""

import asyncio
import math
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from fleettui.config import ContextSettings
from fleettui.errors import ConnectError, FleettuiError
from fleettui.fleet.context import ContextInfo, ContextState, Emit, EventLine
from fleettui.fleet.depth import Cost, LoadPlan, fits
from fleettui.fleet.events import event_lines
from fleettui.fleet.followers import Followers, Warmth
from fleettui.fleet.gauge import Gauge
from fleettui.fleet.learning import learn_kinds
from fleettui.fleet.scopes import ClusterKey, KindKey, Needs, Sizes, plan_scopes
from fleettui.fleet.warm import Turn, WarmContext, owner_of
from fleettui.fleet.write_rights import WriteRights
from fleettui.index import Index
from fleettui.kinds import KindTable
from fleettui.kinds.batch import Batch, Mark, Phase, Scope, ScopeStatus
from fleettui.kinds.record import ObjectKey, ObjectRef
from fleettui.kinds.spec import Depth, KindSpec
from fleettui.kube.catalog import Catalog
from fleettui.kube.client import LogRequest
from fleettui.kube.context import KubeContext
from fleettui.kube.link import Reach
from fleettui.recorded.shards import Head

FIRST_RETRY_S = 1.0
LAST_RETRY_S = 30.0
REPLAN_S = 0.1
SMALL_SPINE = 600
"""Objects of a spine whose leaves are so few that measuring them costs as much as reading them."""
_UNSETTLED = frozenset({Phase.PENDING, Phase.SYNCING, Phase.CACHED})
_MISSING = frozenset({Phase.FORBIDDEN, Phase.BROKEN, Phase.STALE, Phase.CACHED})

OpenContext = Callable[[], Awaitable[KubeContext]]


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """How one context is to be read."""

    namespace: str = ""
    depth: str = "auto"
    asked: frozenset[KindKey] = frozenset()
    read_only: bool = False
    settings: ContextSettings = field(default_factory=ContextSettings)
    only_fleets: bool = False
    """Whether the context is left out where it serves no kinds of a fleet."""


async def _no_wait() -> None:
    """The turn of whoever is alone."""


class LiveLink:
    """Follows one context of the kubeconfig."""

    def __init__(
        self,
        base: ContextInfo,
        opened: OpenContext,
        *,
        table: KindTable,
        options: LiveOptions,
        clock: Callable[[], float],
        warm: WarmContext | None = None,
        turn: Turn = _no_wait,
    ) -> None:
        """Nothing is opened before ``run``.

        Args:
            base: what is known before connecting: name, server, banner, flags.
            opened: makes the context.
            table: kinds understood; grows by what the server's CRDs tell.
            options: how it is read.
            clock: Unix seconds.
            warm: what was known last time, and is kept for the next.
            turn: waits for the turn of a slice of work.
        """
        self._info = replace(base, since=int(clock()))
        self._opened = opened
        self._table = table
        self._options = options
        self._clock = clock
        self._context: KubeContext | None = None
        self._catalog = Catalog()
        self._statuses: dict[Scope, ScopeStatus] = {}
        self._needs = Needs(with_leaves=options.depth == "full", kinds=options.asked)
        self._followers: Followers | None = None
        self._gauge: Gauge | None = None
        self._is_decided = options.depth != "auto"
        """Whether it is known that leaves are read as a whole, or are not."""
        self._warmth = Warmth(warm)
        self._turn = turn
        self._clusters: Mapping[str, int] = {}
        """Clusters by namespace, as whoever declares needs last told."""
        self._emit: Emit = _ignore
        self._told: Callable[[], None] = _nothing
        self._is_changed = asyncio.Event()
        self._replan = asyncio.Event()
        self._redecide = asyncio.Event()
        self._is_planned = False
        """Whether the scopes of providers that only their CRDs tell of are open as well."""

    @property
    def name(self) -> str:
        """The context's name in the kubeconfig."""
        return self._info.name

    @property
    def context(self) -> KubeContext | None:
        """The opened context; None before it is open."""
        return self._context

    # -- how it stands ------------------------------------------------------------------------

    def info(self) -> ContextInfo:
        """How the context stands, from the state of its scopes and its link."""
        info = self._info
        cached = [s.since for s in self._statuses.values() if s.phase is Phase.CACHED]
        if self._context is None or not self._statuses:
            return replace(info, cached_at=min(cached, default=0))
        phases = [status.phase for status in self._statuses.values()]
        link = self._context.link
        state, since, error = ContextState.LIVE, info.since, ""
        if link.reach is Reach.DOWN:
            state, since, error = ContextState.STALE, int(link.answered_at), link.error
        elif not (self._is_planned and self._is_decided) or any(p in _UNSETTLED for p in phases):
            state = ContextState.SYNCING
        elif all(phase is Phase.STALE for phase in phases):
            state, since = ContextState.STALE, min(s.since for s in self._statuses.values())
        loaded = sum(status.loaded for status in self._statuses.values())
        expected = [s.expected for s in self._statuses.values() if s.phase in _UNSETTLED]
        fastest_s = self._context.transport.pace.round_trip_s
        return replace(
            info,
            state=state,
            since=since,
            round_trip_s=fastest_s if math.isfinite(fastest_s) else -1.0,
            error=error,
            loaded=loaded,
            expected=-1 if any(count < 0 for count in expected) else loaded,
            missing=tuple(self._missing()),
            cached_at=min(cached, default=0),
        )

    def _missing(self) -> list[str]:
        words = []
        for scope, status in self._statuses.items():
            if status.phase not in _MISSING:
                continue
            spec = self._table.spec_for(scope.group, scope.kind)
            plural = f"{spec.plural}.{spec.group}".rstrip(".") if spec else scope.kind
            where = f" in {scope.namespace}" if scope.namespace else ""
            error = f": {status.error}" if status.error else ""
            words.append(f"{status.phase.value}: {plural}{where}{error}")
        return sorted(words)

    def _changed(self) -> None:
        self._is_changed.set()
        self._told()

    def _set(self, **values: Any) -> None:
        self._info = replace(self._info, **values)
        self._changed()

    # -- life ---------------------------------------------------------------------------------

    async def run(self, emit: Emit, changed: Callable[[], None]) -> None:
        """Connects, again and again if need be, then follows until cancelled."""
        self._emit, self._told = emit, changed
        try:
            async with asyncio.TaskGroup() as group:
                loading = group.create_task(self._load_warm())
                try:
                    context = await self._connected()
                except FleettuiError:
                    loading.cancel()
                    raise
                context.start()
                self._set(state=ContextState.SYNCING, since=int(self._clock()), error="", hint="")
                followers = self._followers = Followers(
                    context,
                    group,
                    table=self._table,
                    emit=self._pass_on,
                    changed=self._changed,
                    statuses=self._statuses,
                    warmth=self._warmth,
                    clock=self._clock,
                )
                group.create_task(self._check_owner(context))
                if context.policy.writes:
                    group.create_task(self._keep_rights(context))
                group.create_task(self._keep_planned(context, followers))
                group.create_task(self._decide_depth(context, followers))
        except* FleettuiError as errors:
            raise errors.exceptions[0] from None
        finally:
            self._followers = None

    async def _connected(self) -> KubeContext:
        delay_s = FIRST_RETRY_S
        while True:
            try:
                if self._context is None:
                    self._context = await self._opened()
                self._catalog = await self._context.connect()
                return self._context
            except ConnectError as error:
                self._set(
                    state=ContextState.FAILED,
                    since=int(self._clock()),
                    error=str(error),
                    hint=error.hint,
                )
            except FleettuiError as error:
                self._set(
                    state=ContextState.FAILED,
                    since=int(self._clock()),
                    error=str(error),
                    hint=error.hint,
                )
                raise
            await asyncio.sleep(delay_s)
            delay_s = min(delay_s * 2, LAST_RETRY_S)

    async def _keep_planned(self, context: KubeContext, followers: Followers) -> None:
        generation = -1
        while True:
            if context.discovery.generation != generation:
                generation = context.discovery.generation
                self._catalog = await self._catalog_of(context)
            is_settled = context.definitions.is_settled
            await learn_kinds(context, self._catalog, self._table)
            self._open_scopes(context, followers)
            if is_settled and not self._is_planned:
                self._is_planned = True
                self._changed()
            try:
                async with asyncio.timeout(5.0 if is_settled else REPLAN_S):
                    await self._replan.wait()
            except TimeoutError:
                pass  # nobody asked: look whether the server's kinds changed
            self._replan.clear()

    async def _catalog_of(self, context: KubeContext) -> Catalog:
        try:
            return await context.discovery.catalog()
        except FleettuiError:
            return self._catalog  # the link says what is wrong; what was served is the best guess

    # -- scopes -------------------------------------------------------------------------------

    @property
    def served_kinds(self) -> frozenset[KindKey]:
        """Kinds that the server offers and the program reads; empty while unknown."""
        return frozenset((s.group, s.kind) for s in self._table if self._is_served(s.group, s.kind))

    def ask(self, kinds: frozenset[KindKey]) -> None:
        """Follows further kinds from now on, whatever their depth."""
        self._needs = replace(self._needs, kinds=self._needs.kinds | kinds)
        self._replan.set()

    def need(self, clusters: frozenset[ClusterKey], *, by_namespace: Mapping[str, int]) -> None:
        """Reads the leaves of these clusters, and lets go of others.

        Args:
            clusters: all that are needed now.
            by_namespace: how many clusters each namespace has.
        """
        self._clusters = by_namespace
        if clusters != self._needs.clusters:
            self._needs = replace(self._needs, clusters=clusters)
            if not self._needs.with_leaves:
                self._replan.set()

    def set_namespace(self, namespace: str) -> None:
        """Reads another namespace (empty: all) instead of the one that lists are limited to.

        Where everything is read already nothing changes: showing less is a view's matter.
        """
        before = self._options.namespace
        if before in ("", namespace):
            return
        self._options = replace(self._options, namespace=namespace)
        if self._followers is not None:
            self._followers.leave_namespace(before)
        if self._options.depth == "auto":
            self._needs = replace(self._needs, with_leaves=False)
            self._is_decided = False
            self._redecide.set()
        self._replan.set()
        self._set(namespace=namespace)

    def load_all(self) -> None:
        """Reads everything, whatever it costs."""
        self._needs = replace(self._needs, with_leaves=True)
        self._replan.set()

    def load_plan(self) -> LoadPlan:
        """How deep the context is read, and what the rest would cost."""
        whole = {(s.group, s.kind) for s in self._statuses if not (s.namespace or s.cluster)}
        leaves = {(spec.group, spec.kind) for spec in self._leaf_specs()}
        missing = () if self._needs.with_leaves else tuple(sorted(leaves - whole))
        return LoadPlan(
            context=self.name,
            depth=self._options.depth,
            is_decided=self._needs.with_leaves or self._is_decided,
            loaded=tuple(sorted(whole)),
            known_through_parent=missing,
            clusters=len({(s.namespace, s.cluster) for s in self._statuses if s.cluster}),
            missing=self._gauge.cost(missing) if self._gauge is not None else Cost(),
        )

    def _is_served(self, group: str, kind: str) -> bool:
        return (group, kind) in self._catalog.kinds

    def _leaf_specs(self) -> list[KindSpec]:
        return [
            spec
            for spec in self._table.of_depth(Depth.LEAF)
            if self._is_served(spec.group, spec.kind)
        ]

    def _open_scopes(self, context: KubeContext, followers: Followers) -> None:
        gauge = self._gauge
        objects = {key: count for key, (count, _) in gauge.sizes.items()} if gauge else {}
        plan = plan_scopes(
            self.name,
            self._table,
            is_served=self._is_served,
            needs=self._needs,
            namespace=self._options.namespace,
            sizes=Sizes(objects, self._clusters),
            open_parts=followers.parts,
        )
        followers.follow(plan, lambda spec: self._versions_of(context, spec))
        if not plan.whole and not self._statuses and context.definitions.is_settled:
            self._set(
                state=ContextState.CLOSED if self._options.only_fleets else ContextState.LIVE,
                error="serves neither Cluster API nor GitOps kinds",
                hint="choose a management cluster with --context or :ctx",
            )

    async def _decide_depth(self, context: KubeContext, followers: Followers) -> None:
        """Decides what else is read, at first and whenever lists have other limits."""
        while True:
            self._redecide.clear()
            await self._decide_once(context, followers)
            await self._redecide.wait()

    async def _decide_once(self, context: KubeContext, followers: Followers) -> None:
        """Measures the leaves once the spine is there, and reads them if they fit."""
        started = self._clock()
        while not self._is_spine_settled():
            self._is_changed.clear()
            await self._is_changed.wait()
        gauge = self._gauge = Gauge(context)
        gauge.note_spine(decoded_bytes=followers.decoded_bytes, seconds=self._clock() - started)
        specs = self._leaf_specs()
        is_small = sum(status.loaded for status in self._statuses.values()) <= SMALL_SPINE
        if self._options.depth == "auto" and is_small:
            self._needs = replace(self._needs, with_leaves=True)
        else:
            await gauge.measure(specs, namespace=self._options.namespace)
        if self._redecide.is_set():
            return  # the limits changed meanwhile: what was measured is of before
        if self._options.depth == "auto" and not is_small:
            cost = gauge.cost((spec.group, spec.kind) for spec in specs)
            if fits(cost):
                self._needs = replace(self._needs, with_leaves=True)
        self._is_decided = True
        self._replan.set()
        self._changed()

    def _is_spine_settled(self) -> bool:
        return self._is_planned and not any(
            status.phase in _UNSETTLED
            for scope, status in self._statuses.items()
            if (spec := self._table.spec_for(scope.group, scope.kind)) is None
            or spec.depth is not Depth.LEAF
        )

    def _versions_of(self, context: KubeContext, spec: KindSpec) -> tuple[str, ...]:
        """What the contract labels choose comes before what the entry prefers."""
        from fleettui.kinds import read_version

        served = [r.version for r in self._catalog.kinds.get((spec.group, spec.kind), ())]
        definition = context.definitions.definitions.get(f"{spec.plural}.{spec.group}")
        labels: Mapping[str, str] = definition.labels if definition else {}
        chosen = read_version(labels, served, understood=spec.versions)
        return tuple(dict.fromkeys((chosen, *spec.versions))) if chosen else spec.versions

    # -- the last time ------------------------------------------------------------------------

    async def _load_warm(self) -> None:
        """Brings what was known last time, the spine first."""
        warm = self._warmth.context
        if warm is None:
            return
        scopes = [s for s in warm.scopes() if self._options.namespace in ("", s.namespace)]
        self._warmth.is_loaded.update((scope, asyncio.Event()) for scope in scopes)
        for scope in scopes:
            await warm.load(scope, self._tell_cached, turn=self._turn)
            self._warmth.is_loaded[scope].set()

    def _pass_on(self, batch: Batch) -> None:
        self._emit(batch)
        if batch.events and isinstance(batch.events[-1], ScopeStatus):
            self._is_changed.set()

    def _tell_cached(self, batch: Batch) -> None:
        for event in batch.events:
            if isinstance(event, ScopeStatus):
                self._statuses[batch.scope] = event
            elif event is Mark.FORGET:
                self._statuses.pop(batch.scope, None)
        self._emit(batch)

    async def _check_owner(self, context: KubeContext) -> None:
        """Learns who we are and what this cluster is; drops what was saved of others."""
        warm = self._warmth.context
        try:
            identity, uid = await asyncio.gather(context.identity(), self._uid_of(context, warm))
        except FleettuiError:
            if warm is not None:
                # What cannot be checked is not used; the disk keeps it for a better day.
                warm.close()
                self._warmth.context = None
                self._forget_cached()
            self._warmth.is_checked.set()
            return
        if identity is not None:
            self._set(user=identity.username)
        if warm is not None:
            groups = identity.groups if identity else ()
            owner = owner_of(uid, identity.username if identity else "", groups)
            if not warm.belongs_to(owner):
                self._forget_cached()
        self._warmth.is_checked.set()

    async def _keep_rights(self, context: KubeContext) -> None:
        """Learns whether we may change anything here, once it is known what there is."""
        while not self._is_spine_settled():
            self._is_changed.clear()
            await self._is_changed.wait()

        async def others() -> Iterable[str]:
            followed = {scope.namespace for scope in self._statuses if scope.namespace}
            return await context.tenancy.namespaces() or followed

        await WriteRights(context.access, tell=lambda rule: self._set(lacks=rule)).run(
            lambda: [spec for spec in self._table if self._is_served(spec.group, spec.kind)],
            namespace=lambda: self._options.namespace,
            others=others,
        )

    async def _uid_of(self, context: KubeContext, warm: WarmContext | None) -> str:
        return await context.cluster_uid() if warm is not None else ""

    def _forget_cached(self) -> None:
        for scope, status in tuple(self._statuses.items()):
            if status.phase is Phase.CACHED:
                self._emit(Batch(scope, [Mark.INIT, Mark.INIT_DONE]))
                self._statuses[scope] = ScopeStatus(Phase.PENDING)

    def head(self) -> Head | None:
        """What the screen showed of the context last time; None when that is not known."""
        return self._warmth.context.head() if self._warmth.context is not None else None

    def saving(self, index: Index) -> Iterator[None]:
        """Saves what changed for the next start, some rows between two yields."""
        warm, followers = self._warmth.context, self._followers
        if warm is None or followers is None or not self._is_planned:
            return iter(())
        return warm.saving(index, followers.positions())

    # -- single objects -----------------------------------------------------------------------

    def _require(self) -> KubeContext:
        if self._context is None:
            raise ConnectError("is not connected yet", where=self.name, hint=self._info.error)
        return self._context

    async def body(self, ref: ObjectRef) -> Mapping[str, Any]:
        """The whole object, fetched now.

        Raises:
            FleettuiError: it is gone, may not be read, or the cluster does not answer.
        """
        key = ObjectKey(ref.group, ref.kind, ref.namespace, ref.name)
        document: dict[str, Any] = msgspec.json.decode(await self._require().body(key))
        return document

    async def events(self, ref: ObjectRef) -> Sequence[EventLine]:
        """Events about the object, newest first.

        Raises:
            FleettuiError: they may not be read, or the cluster does not answer.
        """
        key = ObjectKey(ref.group, ref.kind, ref.namespace, ref.name)
        found = await self._require().events(key)
        return event_lines(msgspec.json.decode(event) for event in found)

    async def logs(self, ref: ObjectRef, *, container: str, tail: int) -> AsyncIterator[str]:
        """Lines of a Pod's log, oldest first.

        Raises:
            FleettuiError: it may not be read, or the cluster does not answer.
        """
        wanted = LogRequest(container=container, tail_lines=tail)
        rest = b""
        async for chunk in self._require().logs(ref.namespace, ref.name, wanted=wanted):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield line.decode(errors="replace")
        if rest:
            yield rest.decode(errors="replace")

    async def close(self) -> None:
        """Ends every connection."""
        if self._warmth.context is not None:
            self._warmth.context.close()
        if self._context is not None:
            await self._context.close()


def _ignore(_batch: Batch) -> None:
    """Where batches go before anybody listens."""


def _nothing() -> None:
    """What happens on a change before anybody listens."""
