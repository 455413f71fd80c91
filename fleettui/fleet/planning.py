"""Keeps what is followed of a live context as it should be.

Knows when to plan again: a need that changed, kinds that the server gained or lost, labels
of its CRDs that arrived. What is to be read is ``reading``'s, how it is followed is
``followers``'.
"""

import asyncio
from collections.abc import Callable, Mapping

from fleettui.errors import FleettuiError
from fleettui.fleet.followers import Followers
from fleettui.fleet.gauge import Gauge
from fleettui.fleet.learning import learn_kinds
from fleettui.fleet.reading import Reading
from fleettui.fleet.standing import Statuses
from fleettui.kinds import KindTable, read_version
from fleettui.kinds.spec import KindSpec
from fleettui.kube.catalog import Catalog
from fleettui.kube.context import KubeContext

REPLAN_S = 0.1
"""How often is looked for CRDs' labels until they are there."""


class Planning:
    """The plan of one context."""

    def __init__(
        self,
        reading: Reading,
        *,
        table: KindTable,
        statuses: Statuses,
        changed: Callable[[], None],
        serves_nothing: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        """Plan nothing yet.

        Args:
            reading: what is to be read.
            table: kinds understood; grows by what the server's CRDs tell.
            statuses: of the context's scopes.
            changed: told when the plan is whole.
            serves_nothing: told when there is nothing to follow.
            clock: Unix seconds.
        """
        self._reading = reading
        self._table = table
        self._statuses = statuses
        self._changed = changed
        self._serves_nothing = serves_nothing
        self._clock = clock
        self._is_changed = asyncio.Event()
        self.is_whole = False
        """Whether the scopes of providers that only their CRDs tell of are open as well."""

    def look_again(self) -> None:
        """Wakes whoever waits for the spine: something may have been read."""
        self._is_changed.set()

    async def keep(self, context: KubeContext, followers: Followers) -> None:
        """Plans again whenever there is a reason, for as long as it is awaited."""
        generation = -1
        while True:
            if context.discovery.generation != generation:
                generation = context.discovery.generation
                self._reading.catalog = await self._catalog_of(context)
            is_settled = context.definitions.is_settled
            await learn_kinds(context, self._reading.catalog, self._table)
            self._open_scopes(context, followers)
            if (unweighed := self._reading.unweighed()) is not None:
                await self._reading.weigh(Gauge(context), unweighed)
                continue
            if is_settled and self._reading.is_weighed and not self.is_whole:
                self.is_whole = True
                self._changed()
            try:
                async with asyncio.timeout(5.0 if self.is_whole else REPLAN_S):
                    await self._reading.replan.wait()
            except TimeoutError:
                pass  # nobody asked: look whether the server's kinds changed
            self._reading.replan.clear()

    async def _catalog_of(self, context: KubeContext) -> Catalog:
        try:
            return await context.discovery.catalog()
        except FleettuiError:
            # the link says what is wrong; what was served is the best guess
            return self._reading.catalog

    def _open_scopes(self, context: KubeContext, followers: Followers) -> None:
        plan = self._reading.scopes(context.name, open_parts=followers.parts)
        followers.follow(plan, lambda spec: self._versions_of(context, spec))
        if not plan.whole and not self._statuses and context.definitions.is_settled:
            self._serves_nothing()

    async def spine(self) -> None:
        """Waits until the spine is there."""
        while not (self.is_whole and self._reading.is_spine_settled()):
            self._is_changed.clear()
            await self._is_changed.wait()

    async def measured(self, context: KubeContext, followers: Followers) -> Gauge:
        """What can measure leaves by the spine, once that is there."""
        started = self._clock()
        await self.spine()
        gauge = Gauge(context)
        gauge.note_spine(decoded_bytes=followers.decoded_bytes, seconds=self._clock() - started)
        return gauge

    def _versions_of(self, context: KubeContext, spec: KindSpec) -> tuple[str, ...]:
        """What the contract labels choose comes before what the entry prefers."""
        served = [r.version for r in self._reading.catalog.kinds.get((spec.group, spec.kind), ())]
        definition = context.definitions.definitions.get(f"{spec.plural}.{spec.group}")
        labels: Mapping[str, str] = definition.labels if definition else {}
        chosen = read_version(labels, served, understood=spec.versions)
        return tuple(dict.fromkeys((chosen, *spec.versions))) if chosen else spec.versions
