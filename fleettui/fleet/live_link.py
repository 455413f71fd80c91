"""A live context as a link: opens it, follows what is planned, tells how it stands.

Knows when to open, plan again, fall back to namespaces and give up; the protocol
is ``kube``'s. One kind's failure never touches another.
"""

import asyncio
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

from fleettui.config import ContextSettings
from fleettui.errors import ConnectError, FleettuiError
from fleettui.fleet.context import ContextInfo, ContextState, Emit, EventLine
from fleettui.fleet.depth import LoadPlan
from fleettui.fleet.followers import Followers
from fleettui.fleet.live_objects import LiveObjects
from fleettui.fleet.planning import Planning
from fleettui.fleet.reading import Crowd, Reading
from fleettui.fleet.scopes import ClusterKey, KindKey
from fleettui.fleet.standing import standing_of
from fleettui.fleet.warm import Turn, WarmContext
from fleettui.fleet.warm_start import WarmStart
from fleettui.fleet.write_rights import WriteRights
from fleettui.index import Index
from fleettui.index.coverage import Offer
from fleettui.kinds import KindTable
from fleettui.kinds.batch import Batch, Scope, ScopeStatus
from fleettui.kinds.record import ObjectRef
from fleettui.kube.context import KubeContext
from fleettui.recorded.shards import Head

FIRST_RETRY_S = 1.0
LAST_RETRY_S = 30.0

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
    crowd: Crowd = field(default_factory=Crowd)
    """All contexts of the process."""


async def _no_wait() -> float:
    """The turn of whoever is alone."""
    return 1.0


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
        self._statuses: dict[Scope, ScopeStatus] = {}
        self._reading = Reading(
            table,
            depth=options.depth,
            asked=options.asked,
            namespace=options.namespace,
            statuses=self._statuses,
            crowd=options.crowd,
        )
        self._warm = WarmStart(warm, statuses=self._statuses, emit=lambda: self._emit, turn=turn)
        self._objects = LiveObjects(self._require)
        self._followers: Followers | None = None
        self._emit: Emit = _ignore
        self._told: Callable[[], None] = _nothing
        self._planning = Planning(
            self._reading,
            table=table,
            statuses=self._statuses,
            changed=self._changed,
            serves_nothing=self._serves_nothing,
            clock=clock,
        )

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
        return standing_of(
            self._info,
            self._context,
            self._statuses,
            table=self._table,
            is_planned=self._planning.is_whole and self._reading.is_decided,
        )

    def _changed(self) -> None:
        self._planning.look_again()
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
                loading = group.create_task(self._warm.load(namespace=self._reading.namespace))
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
                    warmth=self._warm.warmth,
                    clock=self._clock,
                )
                group.create_task(self._check_owner(context))
                if context.policy.writes:
                    group.create_task(self._keep_rights(context))
                group.create_task(self._planning.keep(context, followers))
                group.create_task(
                    self._reading.deciding(
                        lambda: self._planning.measured(context, followers), decided=self._changed
                    )
                )
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
                self._reading.catalog = await self._context.connect()
                return self._context
            except FleettuiError as error:
                self._set(
                    state=ContextState.FAILED,
                    since=int(self._clock()),
                    error=str(error),
                    hint=error.hint,
                )
                if not isinstance(error, ConnectError):
                    raise  # trying again would not help
            await asyncio.sleep(delay_s)
            delay_s = min(delay_s * 2, LAST_RETRY_S)

    # -- scopes -------------------------------------------------------------------------------
    @property
    def served_kinds(self) -> frozenset[KindKey]:
        """Kinds that the server offers and the program reads; empty while unknown."""
        return frozenset((spec.group, spec.kind) for spec in self._reading.served)

    @property
    def offer(self) -> Offer | None:
        """Every kind that the server offers; None while unknown."""
        return self._reading.offer

    def ask(self, kinds: frozenset[KindKey], *, where_they_fit: bool = False) -> None:
        """Follows further kinds from now on, whatever their depth; see ``Reading.ask``."""
        self._reading.ask(kinds, where_they_fit=where_they_fit)

    def need(self, clusters: frozenset[ClusterKey], *, by_namespace: Mapping[str, int]) -> None:
        """Reads the leaves of these clusters, and lets go of others.

        Args:
            clusters: all that are needed now.
            by_namespace: how many clusters each namespace has.
        """
        self._reading.need(clusters, by_namespace=by_namespace)

    def set_namespace(self, namespace: str) -> None:
        """Reads another namespace (empty: all) instead of the one that lists are limited to.

        Where everything is read already nothing changes: showing less is a view's matter.
        """
        before = self._reading.namespace
        if before in ("", namespace):
            return
        if self._followers is not None:
            self._followers.leave_namespace(before)
        self._reading.limit_to(namespace)
        self._set(namespace=namespace)

    def load_all(self) -> None:
        """Reads everything, whatever it costs."""
        self._reading.load_all()

    def load_plan(self) -> LoadPlan:
        """How deep the context is read, and what the rest would cost."""
        return self._reading.load_plan(self.name)

    def _serves_nothing(self) -> None:
        self._set(
            state=ContextState.CLOSED if self._options.only_fleets else ContextState.LIVE,
            error="serves neither Cluster API nor GitOps kinds",
            hint="choose a management cluster with --context or :ctx",
        )

    # -- the last time ------------------------------------------------------------------------
    def _pass_on(self, batch: Batch) -> None:
        self._emit(batch)
        if batch.events and isinstance(batch.events[-1], ScopeStatus):
            self._planning.look_again()

    async def _check_owner(self, context: KubeContext) -> None:
        name = await self._warm.check_owner(context)
        if name is not None:
            self._set(user=name)

    async def _keep_rights(self, context: KubeContext) -> None:
        """Learns whether we may change anything here, once it is known what there is."""
        await self._planning.spine()

        async def others() -> Iterable[str]:
            followed = {scope.namespace for scope in self._statuses if scope.namespace}
            return await context.tenancy.namespaces() or followed

        await WriteRights(context.access, tell=lambda rule: self._set(lacks=rule)).run(
            lambda: self._reading.served,
            namespace=lambda: self._reading.namespace,
            others=others,
        )

    def head(self) -> Head | None:
        """What the screen showed of the context last time; None when that is not known."""
        return self._warm.head()

    def saving(self, index: Index) -> Iterator[None]:
        """Saves what changed for the next start, some rows between two yields."""
        if self._followers is None or not self._planning.is_whole:
            return iter(())
        return self._warm.saving(index, self._followers)

    def auditing(self, index: Index) -> Iterator[None]:
        """Compares what a warm start resumed with what the server holds."""
        return self._followers.audits.comparing(index) if self._followers else iter(())

    # -- single objects -----------------------------------------------------------------------
    def _require(self) -> KubeContext:
        if self._context is None:
            raise ConnectError("is not connected yet", where=self.name, hint=self._info.error)
        return self._context

    async def body(self, ref: ObjectRef) -> Mapping[str, Any]:
        """The whole object, fetched now; see ``LiveObjects``."""
        return await self._objects.body(ref)

    async def events(self, ref: ObjectRef) -> Sequence[EventLine]:
        """Events about the object, newest first; see ``LiveObjects``."""
        return await self._objects.events(ref)

    def logs(self, ref: ObjectRef, *, container: str, tail: int) -> AsyncIterator[str]:
        """Lines of a Pod's log, oldest first; see ``LiveObjects``."""
        return self._objects.logs(ref, container=container, tail=tail)

    async def close(self) -> None:
        """Ends every connection."""
        self._warm.close()
        if self._context is not None:
            await self._context.close()


def _ignore(_batch: Batch) -> None:
    """Where batches go before anybody listens."""


def _nothing() -> None:
    """What happens on a change before anybody listens."""
