"""A context that is supplied out of memory, in the portions and at the pace of a real one."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from loop_meter import Meter

from fleettui.fleet.context import ContextInfo, ContextState, Emit, EventLine
from fleettui.fleet.depth import LoadPlan
from fleettui.fleet.warm import Owner, WarmContext
from fleettui.index.coverage import Offer
from fleettui.index.index import Index
from fleettui.kinds.batch import Batch, Event, Mark, Phase, Scope, ScopeStatus
from fleettui.kinds.record import ObjectRef, Record
from fleettui.recorded.shards import Head, ShardFolder

T = TypeVar("T")
CONTEXT = "one"
PORTION = 24
"""Records of one slice of a first list: what is decoded within 1.5 ms."""
WATCH_EVERY_S = 0.02
TURN_S = 0.002


class Supply(Protocol):
    """What there is in the context, and what happens to it."""

    @property
    def table(self) -> Any:
        """What kinds mean."""
        ...

    @property
    def kinds(self) -> Sequence[tuple[str, str]]:
        """Every kind that is served, as (group, kind)."""
        ...

    def pages(self) -> Iterator[Mapping[tuple[str, str], Sequence[Record]]]:
        """Everything once, some thousand records of some kinds at a time."""
        ...

    def change(self, number: int) -> Iterator[tuple[tuple[str, str], list[Event]]]:
        """What comes with the next change: by kind, in order."""
        ...


class MemoryLink:
    """Supplies first lists and then changes; making them is excluded from what is timed."""

    name = CONTEXT

    def __init__(
        self, supply: Supply, folder: Path, *, meter: Meter, turn: Callable[[], Awaitable[None]]
    ) -> None:
        self.is_synced = asyncio.Event()
        self.applied = 0
        self.events_per_s = 0
        self.loaded = 0
        self._supply = supply
        self._meter = meter
        self._turn = turn
        self._warm = WarmContext(
            ShardFolder(folder), context=CONTEXT, table=supply.table, clock=time.time
        )
        self._warm.belongs_to(Owner("cluster", "me"))

    def info(self) -> ContextInfo:
        state = ContextState.LIVE if self.is_synced.is_set() else ContextState.SYNCING
        return ContextInfo(CONTEXT, state=state, loaded=self.loaded, read_only=False)

    @property
    def served_kinds(self) -> frozenset[tuple[str, str]]:
        return frozenset(self._supply.kinds)

    @property
    def offer(self) -> Offer | None:
        return None

    def need(self, clusters: frozenset[Any], *, by_namespace: Mapping[str, int]) -> None: ...
    def ask(self, kinds: frozenset[tuple[str, str]], *, where_they_fit: bool = False) -> None: ...
    def load_all(self) -> None: ...
    def set_namespace(self, namespace: str) -> None: ...

    def load_plan(self) -> LoadPlan:
        return LoadPlan(CONTEXT, "auto", True, (), (("x", "Leaf"),))

    def head(self) -> Head | None:
        return None

    def auditing(self, index: Index) -> Iterator[None]:
        """Nothing was resumed."""
        return iter(())

    def saving(self, index: Index) -> Iterator[None]:
        positions = {
            Scope(CONTEXT, group, kind): (str(self.applied), "v1beta2")
            for group, kind in self._supply.kinds
        }
        return self._warm.saving(index, positions)

    async def run(self, emit: Emit, changed: Callable[[], None]) -> None:
        def tell(kind: tuple[str, str], *events: Event) -> None:
            batch = Batch(Scope(CONTEXT, *kind), list(events))
            self._warm.note(batch)
            emit(batch)

        for event in (ScopeStatus(Phase.PENDING), Mark.INIT):
            for kind in self._supply.kinds:
                await self._turn()
                tell(kind, event)
        for page in self._untimed(self._supply.pages()):
            for kind, records in page.items():
                for first in range(0, len(records), PORTION):
                    await self._turn()
                    tell(kind, *records[first : first + PORTION])
                    self.loaded += PORTION
        for kind in self._supply.kinds:
            await self._turn()
            tell(kind, Mark.INIT_DONE, ScopeStatus(Phase.LIVE, loaded=self.loaded))
        self.is_synced.set()
        changed()
        await self._change(tell)

    async def _change(self, tell: Callable[..., None]) -> None:
        """Changes at the pace that was asked for; what a busy machine held up is caught up with."""
        owed, number, last = 0.0, 0, time.monotonic()
        while True:
            await asyncio.sleep(WATCH_EVERY_S if owed < 1 else TURN_S)
            now = time.monotonic()
            owed = min(owed + (now - last) * self.events_per_s, float(self.events_per_s))
            last = now
            portion = min(int(owed), int(self.events_per_s * WATCH_EVERY_S))
            owed -= portion
            for _ in range(portion):
                number += 1
                for kind, events in self._untimed(self._supply.change(number)):
                    tell(kind, *events)
                    self.applied += len(events)

    def _untimed(self, values: Iterator[T]) -> Iterator[T]:
        """The values, made within the callback but not timed."""
        while True:
            begun = time.thread_time()
            value = next(values, None)
            self._meter.excluded += time.thread_time() - begun
            if value is None:
                return
            yield value

    async def body(self, ref: ObjectRef) -> Mapping[str, Any]:
        raise LookupError(ref)

    async def events(self, ref: ObjectRef) -> Sequence[EventLine]:
        return ()

    async def logs(self, ref: ObjectRef, *, container: str, tail: int) -> AsyncIterator[str]:
        return
        yield ""

    async def close(self) -> None: ...
