"""What a fleet does when it has time: reads samples of failures, saves, collects.

Knows intervals and whose turn it is; whatever takes long is a generator for the pacer.
"""

import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Final

from fleettui.fleet.collector import Collector
from fleettui.fleet.depth import DeepLink, Wishes, sampling
from fleettui.fleet.pacer import Pacer
from fleettui.index.coverage import Offer
from fleettui.index.index import Index
from fleettui.kinds import KindTable
from fleettui.kinds.record import ObjectRef
from fleettui.kinds.spec import Role

SAVE_S: Final = 30.0
"""How often what changed is saved."""
SAVE_CALM_S: Final = 1.0
"""Without keys for so long saving begins."""
SAMPLE_S: Final = 5.0
"""How often failures are looked at for clusters whose machines are worth reading."""

DeepLinks = Callable[[], Mapping[str, DeepLink]]


class Upkeep:
    """Looks after links and the process, once a second."""

    def __init__(
        self,
        index: Index,
        pacer: Pacer,
        *,
        table: KindTable,
        links: DeepLinks,
        now: Callable[[], int],
    ) -> None:
        """Do nothing yet.

        Args:
            index: all rows.
            pacer: gives turns.
            table: kinds understood.
            links: the open contexts whose depth can be changed, by name.
            now: Unix seconds.
        """
        self._index = index
        self._pacer = pacer
        self._table = table
        self._links = links
        self._now = now
        self._wishes = Wishes()
        self._declared: dict[str, frozenset[tuple[str, str]]] = {}
        self._offers: dict[str, Offer] = {}
        self._collector = Collector(now=time.monotonic())
        self._sample_at = 0.0
        self.save_at = time.monotonic() + SAVE_S
        """When what changed is saved next, monotonic seconds."""

    def want(self, source: str, clusters: Iterable[ObjectRef]) -> None:
        """Replaces whose leaves a source needs, and lets the links know."""
        if self._wishes.want(source, clusters):
            self._pass_wishes()

    def repeat(self) -> None:
        """Passes on what is wanted once more, for a link that does not know it yet."""
        self._pass_wishes()

    def _pass_wishes(self) -> None:
        for name, link in self._links().items():
            counts: Counter[str] = Counter()
            for spec in self._table.of_role(Role.CLUSTER):
                counts.update(self._index.counts((spec.group, spec.kind), context=name))
            link.need(self._wishes.clusters(name, self._now()), by_namespace=counts)

    def collect(self, *, is_reading: bool) -> None:
        """Lets the cycle collector have what it may; called at every frame."""
        self._collector.tick(time.monotonic(), is_reading=is_reading, typed_s=self._pacer.typed_s())

    def tick(self) -> None:
        """Does at once what is short, and hands the rest to the pacer."""
        now, typed_s = time.monotonic(), self._pacer.typed_s()
        for name, link in self._links().items():
            if (kinds := link.served_kinds) != self._declared.get(name):
                self._declared[name] = kinds
                self._index.declare(name, sorted(kinds))
            offer = link.offer
            if offer is not None and offer is not self._offers.get(name):
                self._offers[name] = offer
                self._index.offer(name, offer)
        if now >= self._sample_at and not self._pacer.is_running("samples"):
            self._sample_at = now + SAMPLE_S
            self._pacer.run("samples", self._sampling(), done=self._pass_wishes)
        if not self._pacer.is_running("audit"):
            self._pacer.run("audit", self._auditing(), done=lambda: None)
        if now >= self.save_at and typed_s >= SAVE_CALM_S and not self._pacer.is_running("save"):
            self.save_at = now + SAVE_S
            self._pacer.run("save", self._saving(), done=lambda: None)

    def _sampling(self) -> Generator[None, None, None]:
        plans = [link.load_plan() for link in self._links().values()]
        partial = [p.context for p in plans if p.known_through_parent and p.is_decided]
        found = yield from sampling(self._index, partial)
        self._wishes.want("failing", found)

    def _auditing(self) -> Generator[None, None, None]:
        for link in self._links().values():
            yield from link.auditing(self._index)

    def _saving(self) -> Generator[None, None, None]:
        for link in self._links().values():
            yield from link.saving(self._index)

    async def save_link(self, name: str, *, within_s: float) -> None:
        """Saves what it can of one context that is about to be closed, in slices."""
        link = self._links().get(name)
        if link is None:
            return
        self._pacer.drop("save")
        until = time.monotonic() + within_s
        work = link.saving(self._index)
        while time.monotonic() < until:
            end = time.perf_counter() + await self._pacer.turn()
            while time.perf_counter() < end:
                if next(work, self) is self:
                    return

    def save(self, *, within_s: float) -> None:
        """Saves what it can for the next start; blocks for at most so many seconds."""
        self._pacer.drop("save")
        until = time.monotonic() + within_s
        work = self._saving()
        while time.monotonic() < until:
            if next(work, self) is self:
                return
        work.close()
