"""A live context as a link: opens it, follows what is planned, tells how it stands.

Knows when to open, plan again, fall back to namespaces and give up; the protocol
is ``kube``'s. One kind's failure never touches another.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from fleettui.config import ContextSettings
from fleettui.errors import ConnectError, FleettuiError
from fleettui.fleet.context import ContextInfo, ContextState, Emit, EventLine
from fleettui.fleet.events import event_lines
from fleettui.fleet.scopes import KindKey, plan_scopes
from fleettui.kinds import KindTable, has_contract
from fleettui.kinds.batch import Batch, Mark, Phase, Scope, ScopeStatus
from fleettui.kinds.record import ObjectKey, ObjectRef
from fleettui.kinds.spec import Depth, KindSpec
from fleettui.kube.catalog import Catalog
from fleettui.kube.client import LogRequest
from fleettui.kube.context import KubeContext
from fleettui.kube.link import Reach
from fleettui.kube.resource import Resource

FIRST_RETRY_S = 1.0
LAST_RETRY_S = 30.0
REPLAN_S = 0.1
_UNSETTLED = frozenset({Phase.PENDING, Phase.SYNCING})
_MISSING = frozenset({Phase.FORBIDDEN, Phase.BROKEN, Phase.STALE})

OpenContext = Callable[[], Awaitable[KubeContext]]


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """How one context is to be read."""

    namespace: str = ""
    depth: str = "auto"
    asked: frozenset[KindKey] = frozenset()
    read_only: bool = False
    settings: ContextSettings = field(default_factory=ContextSettings)


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
    ) -> None:
        """Nothing is opened before ``run``.

        Args:
            base: what is known before connecting: name, server, banner, flags.
            opened: makes the context.
            table: kinds understood; grows by what the server's CRDs tell.
            options: how it is read.
            clock: Unix seconds.
        """
        self._info = replace(base, since=int(clock()))
        self._opened = opened
        self._table = table
        self._options = options
        self._clock = clock
        self._context: KubeContext | None = None
        self._catalog = Catalog()
        self._statuses: dict[Scope, ScopeStatus] = {}
        self._tasks: dict[Scope, asyncio.Task[None]] = {}
        self._asked = set(options.asked)
        self._emit: Emit = _ignore
        self._changed: Callable[[], None] = _nothing
        self._replan = asyncio.Event()
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
        if self._context is None or not self._statuses:
            return info
        phases = [status.phase for status in self._statuses.values()]
        link = self._context.link
        state, since, error = ContextState.LIVE, info.since, ""
        if link.reach is Reach.DOWN:
            state, since, error = ContextState.STALE, int(link.answered_at), link.error
        elif not self._is_planned or any(phase in _UNSETTLED for phase in phases):
            state = ContextState.SYNCING
        elif all(phase is Phase.STALE for phase in phases):
            state, since = ContextState.STALE, min(s.since for s in self._statuses.values())
        loaded = sum(status.loaded for status in self._statuses.values())
        expected = [s.expected for s in self._statuses.values() if s.phase in _UNSETTLED]
        return replace(
            info,
            state=state,
            since=since,
            error=error,
            loaded=loaded,
            expected=-1 if any(count < 0 for count in expected) else loaded,
            missing=tuple(self._missing()),
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

    def _set(self, **values: Any) -> None:
        self._info = replace(self._info, **values)
        self._changed()

    # -- life ---------------------------------------------------------------------------------

    async def run(self, emit: Emit, changed: Callable[[], None]) -> None:
        """Connects, again and again if need be, then follows until cancelled."""
        self._emit, self._changed = emit, changed
        context = await self._connected()
        context.start()
        self._set(state=ContextState.SYNCING, since=int(self._clock()), error="", hint="")
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._identify(context))
                group.create_task(self._keep_planned(context, group))
        finally:
            self._tasks.clear()

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

    async def _identify(self, context: KubeContext) -> None:
        try:
            identity = await context.identity()
        except FleettuiError:
            return  # who we are is a nicety; the scopes tell what is wrong
        if identity is not None:
            self._set(user=identity.username)

    async def _keep_planned(self, context: KubeContext, group: asyncio.TaskGroup) -> None:
        generation = -1
        while True:
            if context.discovery.generation != generation:
                generation = context.discovery.generation
                self._catalog = await self._catalog_of(context)
            is_settled = context.definitions.is_settled
            self._learn(context)
            self._open_scopes(context, group)
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

    def _learn(self, context: KubeContext) -> None:
        """Entries for providers that the table does not know, from their CRDs' labels."""
        for definition in tuple(context.definitions.definitions.values()):
            plural, _, group = definition.name.partition(".")
            if not has_contract(definition.labels):
                continue
            for (served_group, kind), resources in self._catalog.kinds.items():
                if served_group == group and resources[0].plural == plural:
                    self._table.add_contract(
                        group=group,
                        kind=kind,
                        plural=plural,
                        labels=definition.labels,
                        served=[resource.version for resource in resources],
                        namespaced=resources[0].namespaced,
                        short_names=resources[0].short_names,
                    )

    # -- scopes -------------------------------------------------------------------------------

    def ask(self, kinds: frozenset[KindKey]) -> None:
        """Follows further kinds from now on, whatever their depth."""
        self._asked |= kinds
        self._replan.set()

    def _open_scopes(self, context: KubeContext, group: asyncio.TaskGroup) -> None:
        plan = plan_scopes(
            self.name,
            self._table,
            is_served=lambda api_group, kind: (api_group, kind) in self._catalog.kinds,
            namespace=self._options.namespace,
            with_leaves=self._options.depth != "spine",
            asked=frozenset(self._asked),
        )
        for scope, spec in plan.items():
            if scope not in self._tasks:
                self._statuses.setdefault(scope, ScopeStatus(Phase.PENDING))
                self._tasks[scope] = group.create_task(
                    self._follow(context, scope, spec, group), name=f"follow {scope.kind}"
                )
        if not plan and not self._statuses and context.definitions.is_settled:
            self._set(
                state=ContextState.LIVE,
                error="serves neither Cluster API nor GitOps kinds",
                hint="choose a management cluster with --context or :ctx",
            )

    async def _follow(
        self, context: KubeContext, scope: Scope, spec: KindSpec, group: asyncio.TaskGroup
    ) -> None:
        following = context.follow(
            scope,
            self._reader_for,
            versions=self._versions_of(context, spec),
            metadata_only=spec.metadata_only,
            rank={Depth.SPINE: 0, Depth.LEAF: 1, Depth.ASKED: 2}[spec.depth],
        )
        try:
            async for batch in following.batches():
                self._note(batch)
                self._emit(batch)
                if self._is_forbidden(scope) and not scope.namespace:
                    await self._try_namespaces(context, scope, spec, group)
        finally:
            context.forget(following)

    def _versions_of(self, context: KubeContext, spec: KindSpec) -> tuple[str, ...]:
        """What the contract labels choose comes before what the entry prefers."""
        from fleettui.kinds import read_version

        served = [r.version for r in self._catalog.kinds.get((spec.group, spec.kind), ())]
        definition = context.definitions.definitions.get(f"{spec.plural}.{spec.group}")
        labels: Mapping[str, str] = definition.labels if definition else {}
        chosen = read_version(labels, served, understood=spec.versions)
        return tuple(dict.fromkeys((chosen, *spec.versions))) if chosen else spec.versions

    def _reader_for(self, resource: Resource) -> Callable[[bytes], Any]:
        return self._table.reader(resource.group, resource.version, resource.kind).read

    def _note(self, batch: Batch) -> None:
        for event in batch.events:
            if isinstance(event, ScopeStatus):
                self._statuses[batch.scope] = event
            elif event is Mark.FORGET:
                self._statuses.pop(batch.scope, None)

    def _is_forbidden(self, scope: Scope) -> bool:
        status = self._statuses.get(scope)
        return status is not None and status.phase is Phase.FORBIDDEN

    async def _try_namespaces(
        self, context: KubeContext, scope: Scope, spec: KindSpec, group: asyncio.TaskGroup
    ) -> None:
        """Follows the namespaces that may be read when the whole may not."""
        try:
            narrower = await context.namespace_scopes(scope)
        except FleettuiError:
            return  # the scope keeps its own reason: forbidden
        for part in narrower:
            if part not in self._tasks:
                self._statuses[part] = ScopeStatus(Phase.PENDING)
                self._tasks[part] = group.create_task(self._follow(context, part, spec, group))
        self._changed()

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
        if self._context is not None:
            await self._context.close()


def _ignore(_batch: Batch) -> None:
    """Where batches go before anybody listens."""


def _nothing() -> None:
    """What happens on a change before anybody listens."""
