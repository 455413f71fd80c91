"""What of a live context is to be read: what was asked for, how deep, within which limits.

Knows needs, the server's kinds and what the rest would cost; opens nothing. Leaves
are read as a whole where they fit, which is measured once the spine is there.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace

from fleettui.fleet.depth import Cost, LoadPlan, fits
from fleettui.fleet.gauge import Gauge
from fleettui.fleet.scopes import (
    ClusterKey,
    KindKey,
    Needs,
    Part,
    ScopePlan,
    Sizes,
    plan_scopes,
)
from fleettui.fleet.standing import UNSETTLED, Statuses
from fleettui.kinds import KindTable
from fleettui.kinds.spec import Depth, KindSpec
from fleettui.kube.catalog import Catalog

SMALL_SPINE = 600
"""Objects of a spine whose leaves are so few that measuring them costs as much as reading them."""


class Reading:
    """What one context is read for."""

    def __init__(
        self,
        table: KindTable,
        *,
        depth: str,
        asked: frozenset[KindKey],
        namespace: str,
        statuses: Statuses,
    ) -> None:
        """Ask for what the person asked for.

        Args:
            table: kinds understood.
            depth: ``auto``, ``spine`` or ``full``.
            asked: kinds to follow whatever their depth.
            namespace: the one that lists are limited to; empty: all.
            statuses: of the context's scopes.
        """
        self.catalog = Catalog()
        """What the server offers."""
        self.namespace = namespace
        self.is_decided = depth != "auto"
        """Whether it is known that leaves are read as a whole, or are not."""
        self.replan = asyncio.Event()
        """Set when other scopes may have to be opened."""
        self._redecide = asyncio.Event()
        self._table = table
        self._depth = depth
        self._statuses = statuses
        self._needs = Needs(with_leaves=depth == "full", kinds=asked)
        self._gauge: Gauge | None = None
        self._clusters: Mapping[str, int] = {}
        """Clusters by namespace, as whoever declares needs last told."""

    # -- what the server offers ---------------------------------------------------------------
    def is_served(self, group: str, kind: str) -> bool:
        """Whether the server offers a kind."""
        return (group, kind) in self.catalog.kinds

    @property
    def served(self) -> list[KindSpec]:
        """Kinds that the server offers and the program reads; empty while unknown."""
        return [spec for spec in self._table if self.is_served(spec.group, spec.kind)]

    def _leaves(self) -> list[KindSpec]:
        found = self._table.of_depth(Depth.LEAF)
        return [spec for spec in found if self.is_served(spec.group, spec.kind)]

    # -- what is asked for --------------------------------------------------------------------
    def ask(self, kinds: frozenset[KindKey]) -> None:
        """Follows further kinds from now on, whatever their depth."""
        self._needs = replace(self._needs, kinds=self._needs.kinds | kinds)
        self.replan.set()

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
                self.replan.set()

    def limit_to(self, namespace: str) -> None:
        """Reads another namespace (empty: all), and decides anew how deep."""
        self.namespace = namespace
        if self._depth == "auto":
            self._needs = replace(self._needs, with_leaves=False)
            self.is_decided = False
            self._redecide.set()
        self.replan.set()

    def load_all(self) -> None:
        """Reads everything, whatever it costs."""
        self._needs = replace(self._needs, with_leaves=True)
        self.replan.set()

    # -- what follows from it -----------------------------------------------------------------
    def load_plan(self, context: str) -> LoadPlan:
        """How deep the context is read, and what the rest would cost."""
        whole = {(s.group, s.kind) for s in self._statuses if not (s.namespace or s.cluster)}
        leaves = {(spec.group, spec.kind) for spec in self._leaves()}
        missing = () if self._needs.with_leaves else tuple(sorted(leaves - whole))
        return LoadPlan(
            context=context,
            depth=self._depth,
            is_decided=self._needs.with_leaves or self.is_decided,
            loaded=tuple(sorted(whole)),
            known_through_parent=missing,
            clusters=len({(s.namespace, s.cluster) for s in self._statuses if s.cluster}),
            missing=self._gauge.cost(missing) if self._gauge is not None else Cost(),
        )

    def scopes(self, context: str, *, open_parts: Collection[Part]) -> ScopePlan:
        """Which scopes of the context are to be open."""
        gauge = self._gauge
        objects = {key: count for key, (count, _) in gauge.sizes.items()} if gauge else {}
        return plan_scopes(
            context,
            self._table,
            is_served=self.is_served,
            needs=self._needs,
            namespace=self.namespace,
            sizes=Sizes(objects, self._clusters),
            open_parts=open_parts,
        )

    def is_spine_settled(self) -> bool:
        """Whether every scope but those of leaves has answered."""
        return not any(
            status.phase in UNSETTLED
            for scope, status in self._statuses.items()
            if (spec := self._table.spec_for(scope.group, scope.kind)) is None
            or spec.depth is not Depth.LEAF
        )

    # -- how deep -----------------------------------------------------------------------------
    async def deciding(
        self, measured: Callable[[], Awaitable[Gauge]], *, decided: Callable[[], None]
    ) -> None:
        """Decides what else is read, at first and whenever lists have other limits.

        Args:
            measured: waits for the spine, and gives what can measure leaves by it.
            decided: told when it is known.
        """
        while True:
            self._redecide.clear()
            await self._decide(await measured(), decided)
            await self._redecide.wait()

    async def _decide(self, gauge: Gauge, decided: Callable[[], None]) -> None:
        self._gauge = gauge
        specs = self._leaves()
        is_small = sum(status.loaded for status in self._statuses.values()) <= SMALL_SPINE
        if self._depth == "auto" and is_small:
            self._needs = replace(self._needs, with_leaves=True)
        else:
            await gauge.measure(specs, namespace=self.namespace)
        if self._redecide.is_set():
            return  # the limits changed meanwhile: what was measured is of before
        if self._depth == "auto" and not is_small:
            cost = gauge.cost((spec.group, spec.kind) for spec in specs)
            if fits(cost):
                self._needs = replace(self._needs, with_leaves=True)
        self.is_decided = True
        self.replan.set()
        decided()
