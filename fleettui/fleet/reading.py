"""What of a live context is to be read: what was asked for, how deep, within which limits.

Knows needs, the server's kinds and what the rest would cost; opens nothing. Leaves
are read as a whole where they fit, which is measured once the spine is there.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace

from fleettui.fleet.depth import Cost, LoadPlan, fits
from fleettui.fleet.gauge import Gauge
from fleettui.fleet.scopes import (
    LARGE_CONTEXT,
    MAX_OBJECTS,
    ClusterKey,
    KindKey,
    Needs,
    Part,
    ScopePlan,
    Sizes,
    is_optional,
    plan_scopes,
)
from fleettui.fleet.standing import UNSETTLED, Statuses
from fleettui.index.coverage import Offer
from fleettui.kinds import KindTable
from fleettui.kinds.batch import Phase, ScopeStatus
from fleettui.kinds.spec import Depth, KindSpec, Role
from fleettui.kube.catalog import Catalog

SMALL_SPINE = 600
"""Objects of a spine whose leaves are so few that measuring them costs as much as reading them."""


class Crowd:
    """How many clusters the contexts of one process have, which share its memory."""

    def __init__(self) -> None:
        """Start without any."""
        self._clusters: dict[str, int] = {}

    def count(self, context: str, clusters: int) -> int:
        """Keep a context's clusters; returns those of all contexts that have told."""
        self._clusters[context] = clusters
        return sum(self._clusters.values())

    def share(self, context: str) -> float:
        """Return which part of all clusters a context has."""
        return self._clusters.get(context, 0) / max(sum(self._clusters.values()), 1)


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
        crowd: Crowd | None = None,
    ) -> None:
        """Ask for what the person asked for.

        Args:
            table: kinds understood.
            depth: ``auto``, ``spine`` or ``full``.
            asked: kinds to follow whatever their depth.
            namespace: the one that lists are limited to; empty: all.
            statuses: of the context's scopes.
            crowd: all contexts of the process; None for one alone.
        """
        self._crowd = crowd or Crowd()
        self.catalog = Catalog()
        """What the server offers."""
        self._offer: tuple[Catalog, Offer] | None = None
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
        self._is_large: bool | None = None
        """Whether there are so many clusters that other kinds are weighed; None: not known yet."""
        self._weights: dict[KindKey, int] = {}
        """Objects of kinds that were weighed; 0 where the server did not tell."""

    # -- what the server offers ---------------------------------------------------------------
    def is_served(self, group: str, kind: str) -> bool:
        """Whether the server offers a kind."""
        return (group, kind) in self.catalog.kinds

    @property
    def served(self) -> list[KindSpec]:
        """Kinds that the server offers and the program reads; empty while unknown."""
        return [spec for spec in self._table if self.is_served(spec.group, spec.kind)]

    @property
    def offer(self) -> Offer | None:
        """Every kind that the server offers; None while unknown."""
        if not self.catalog.kinds:
            return None
        if self._offer is None or self._offer[0] is not self.catalog:
            kinds = frozenset(self.catalog.kinds)
            self._offer = self.catalog, Offer(kinds, self.catalog.sure_groups())
        return self._offer[1]

    def _leaves(self) -> list[KindSpec]:
        found = self._table.of_depth(Depth.LEAF)
        return [spec for spec in found if self.is_served(spec.group, spec.kind)]

    # -- what is asked for --------------------------------------------------------------------
    def ask(self, kinds: frozenset[KindKey], *, where_they_fit: bool = False) -> None:
        """Follows further kinds from now on, whatever their depth.

        Args:
            kinds: which.
            where_they_fit: leave those out that are too many to be read unasked.
        """
        if where_they_fit:
            self._needs = replace(self._needs, useful=self._needs.useful | kinds)
        else:
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
        self._is_large = False
        self.replan.set()

    # -- what is weighed before it is read ----------------------------------------------------
    def _find_large(self, context: str) -> bool | None:
        """Whether there are very many clusters; None until their first page has told."""
        known = {(s.group, s.kind) for s in self._table.of_role(Role.CLUSTER)}
        known &= set(self.catalog.kinds)
        told = [
            status
            for scope, status in self._statuses.items()
            if (scope.group, scope.kind) in known and not scope.cluster
        ]
        if any(_is_silent(status) for status in told) or (known and not told):
            return None
        clusters = sum(max(s.loaded, s.expected) for s in told)
        return self._crowd.count(context, clusters) > LARGE_CONTEXT

    @property
    def is_weighed(self) -> bool:
        """Whether it is known which kinds are left out for being too many."""
        return self._is_large is not None and self.unweighed() is None

    def unweighed(self) -> list[KindSpec] | None:
        """Return the kinds to weigh before they are read; None when there are none now."""
        if not self._is_large:
            return None
        found = [
            spec
            for spec in self.served
            if (key := (spec.group, spec.kind)) not in self._weights
            and (spec.depth is Depth.SPINE or key in self._needs.useful)
        ]
        return found or None

    async def weigh(self, gauge: Gauge, specs: Sequence[KindSpec]) -> None:
        """Asks how many objects there are of some kinds."""
        await gauge.measure(specs, namespace=self.namespace)
        for spec in specs:
            objects, _ = gauge.sizes.get((spec.group, spec.kind), (0, 0))
            self._weights[spec.group, spec.kind] = objects

    # -- what follows from it -----------------------------------------------------------------
    def load_plan(self, context: str) -> LoadPlan:
        """How deep the context is read, and what the rest would cost."""
        whole = {(s.group, s.kind) for s in self._statuses if not (s.namespace or s.cluster)}
        leaves = {(spec.group, spec.kind) for spec in self._leaves()}
        missing = () if self._needs.with_leaves else tuple(sorted(leaves - whole))
        optional = {(s.group, s.kind) for s in self.served if is_optional(s)}
        left_out = optional & (set(self._weights) - whole)
        return LoadPlan(
            context=context,
            depth=self._depth,
            is_decided=self._needs.with_leaves or self.is_decided,
            loaded=tuple(sorted(whole)),
            known_through_parent=missing,
            left_out=tuple(sorted(left_out)) if self._is_large else (),
            clusters=len({(s.namespace, s.cluster) for s in self._statuses if s.cluster}),
            missing=self._gauge.cost(missing) if self._gauge is not None else Cost(),
        )

    def scopes(self, context: str, *, open_parts: Collection[Part]) -> ScopePlan:
        """Which scopes of the context are to be open."""
        if self._is_large is None:
            self._is_large = False if self._depth == "full" else self._find_large(context)
        most = int(MAX_OBJECTS * self._crowd.share(context))
        return plan_scopes(
            context,
            self._table,
            is_served=self.is_served,
            needs=self._needs,
            namespace=self.namespace,
            sizes=Sizes(self._objects(), self._clusters),
            open_parts=open_parts,
            most_objects=None if self._is_large is False else most,
        )

    def _objects(self) -> dict[KindKey, int]:
        """How many objects of each kind there are, as far as that is known."""
        gauge = self._gauge
        found = {key: count for key, (count, _) in gauge.sizes.items()} if gauge else {}
        if self._is_large:
            for scope, status in self._statuses.items():
                if not (scope.namespace or scope.cluster):
                    found[scope.group, scope.kind] = max(status.loaded, status.expected)
        for key, count in self._weights.items():
            found[key] = max(found.get(key, 0), count)
        return found

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


def _is_silent(status: ScopeStatus) -> bool:
    """Whether a kind has not yet told how many objects it has, and nothing is wrong with it."""
    if status.phase is Phase.SYNCING:
        return not status.loaded
    return status.phase is Phase.PENDING and not (status.error or status.retry_at)
