"""Checks in the background which joins on the screen are right, a few requests at a time.

A join that nothing but a Secret's name speaks for is shown as such until the Secret's
metadata has been read. Only what is looked at is checked: a fleet has thousands of
kubeconfigs. Where reading is forbidden nobody asks again for a while.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from fleettui.errors import FleettuiError
from fleettui.fleet.pointed_metadata import RowReader, pointed_by
from fleettui.index.joins import Joins
from fleettui.kinds.record import ObjectRef
from fleettui.kube.faults import ApiError, Fault

IN_FLIGHT = 2
MOST_PENDING = 200
"""Objects waiting to be read; more are found again at a later look."""
LOOK_S = 15.0
"""A cluster that is looked at is asked for new appliers this often."""
MOST_LOOKED = 16
"""Clusters whose appliers are gone through at once: a fraction of a millisecond each."""
AGAIN_S = 300.0
"""What was read, or refused, is asked for again after this time, if still looked at."""


class Verifier:
    """Reads what decides the joins of the clusters that are looked at."""

    def __init__(self, fleet: RowReader, *, clock: Callable[[], float]) -> None:
        """Read through this fleet; ``clock`` tells monotonic seconds."""
        self._fleet = fleet
        self._clock = clock
        self._joins = Joins(fleet.index)
        self._asked: dict[ObjectRef, float] = {}
        self._looked: dict[ObjectRef, float] = {}
        self._closed: dict[tuple[str, str], float] = {}
        """Context and namespace where Secrets may not be read, and since when."""
        self._pending: dict[ObjectRef, None] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether anything is being read."""
        return self._task is not None and not self._task.done()

    def looking(self, clusters: Iterable[ObjectRef]) -> Iterator[None]:
        """Does as ``look``, when there is time."""
        yield
        self.look(clusters)

    def look(self, clusters: Iterable[ObjectRef]) -> None:
        """Checks these clusters' joins, soon; returns at once."""
        now = self._clock()
        due = (ref for ref in clusters if now - self._looked.get(ref, -LOOK_S) >= LOOK_S)
        fresh = list(islice(due, MOST_LOOKED))
        if not fresh:
            return
        index = self._fleet.index
        self._joins.refresh()
        for ref in fresh:
            row = index.get(ref)
            if row is None or len(self._pending) >= MOST_PENDING:
                continue
            self._looked[ref] = now
            for user in self._joins.candidates_of(row):
                for pointed in pointed_by(index, self._joins, user):
                    if now - self._asked.get(pointed.ref, -AGAIN_S) >= AGAIN_S:
                        self._pending[pointed.ref] = None
        if self._pending and not self.is_busy:
            self._task = asyncio.create_task(self._work(), name="verify joins")

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(IN_FLIGHT):
                group.create_task(self._read())

    async def _read(self) -> None:
        while self._pending:
            ref = next(iter(self._pending))
            del self._pending[ref]
            now = self._clock()
            self._asked[ref] = now
            place = (ref.context, ref.namespace)
            if now - self._closed.get(place, -AGAIN_S) < AGAIN_S:
                continue
            try:
                await self._fleet.read_row(ref)
            except ApiError as error:
                if error.fault is Fault.FORBIDDEN:
                    self._closed[place] = now
            except FleettuiError:
                continue  # it stays by name only, which the screen says

    async def close(self) -> None:
        """Ends what is under way."""
        self._pending.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
