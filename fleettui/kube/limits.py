"""Keeps one context's requests few and fair.

Knows rates, numbers in flight and who goes first; knows nothing of HTTP. Time
comes from the running loop, so a test can own it.

Source: client-go ``rest.Config`` QPS and Burst; API Priority and Fairness (what
is not asked at once does not have to be rejected).
"""

import asyncio
import heapq
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

SERVED_S = 0.2
"""How long a level counts as being served after its last holder left."""
_ROUNDING = 1e-6
"""A timer may ring that much of a request too early."""


class TokenBucket:
    """Lets requests through at a rate, with a burst."""

    def __init__(self, *, rate_per_s: float = 20.0, burst: float = 100.0) -> None:
        """Start full; the burst covers one list of every kind at the start, once."""
        self._rate = rate_per_s
        self._burst = burst
        self._level = burst
        self._filled_at = 0.0
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = count()
        self._is_due = False
        """Whether somebody is let through by a timer that runs."""

    async def take(self, *, rank: int = 0) -> None:
        """Waits until one more request fits the rate; lower ranks first, equal ones in order."""
        loop = asyncio.get_running_loop()
        if not self._waiting and self._try(loop.time()):
            return
        place: asyncio.Future[None] = loop.create_future()
        heapq.heappush(self._waiting, (rank, next(self._order), place))
        self._wait(loop)
        await place

    def _try(self, now: float) -> bool:
        if self._filled_at:
            self._level = min(self._burst, self._level + (now - self._filled_at) * self._rate)
        self._filled_at = now
        if self._level < 1 - _ROUNDING:
            return False
        self._level -= 1
        return True

    def _wait(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._is_due:
            self._is_due = True
            loop.call_later(max((1 - self._level) / self._rate, 0.0), self._let_in, loop)

    def _let_in(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_due = False
        while self._waiting:
            if self._waiting[0][2].done():  # cancelled: it takes nothing from the others
                heapq.heappop(self._waiting)
            elif self._try(loop.time()):
                heapq.heappop(self._waiting)[2].set_result(None)
            else:
                self._wait(loop)
                return


class Turnstile:
    """Lets a number of holders in at once; the lowest rank waits least."""

    def __init__(self, places: int, *, beside: int | None = None) -> None:
        """Start empty.

        Args:
            places: holders at once.
            beside: holders of one level that come in while an earlier level is being served,
                however many places are free; None: as many as there are. A level counts as
                served for a moment after its last holder left: the next page is on its way.
        """
        self._free = places
        self._beside = places if beside is None else beside
        self._waiting: list[tuple[int, int, int, asyncio.Future[None]]] = []
        self._order = count()
        self._held: Counter[int] = Counter()
        self._served_until: dict[int, float] = {}
        self._is_due = False
        """Whether a timer looks for whom the moment has passed."""

    @asynccontextmanager
    async def hold(self, *, rank: int = 0, level: int = 0) -> AsyncIterator[None]:
        """Holds one place; lower ranks are let in first, equal ones in order.

        Args:
            rank: who goes first.
            level: what the holder belongs to; lower ones have most places to themselves.
        """
        await self._enter(rank, level)
        try:
            yield
        finally:
            self._leave(level)

    async def _enter(self, rank: int, level: int) -> None:
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (rank, next(self._order), level, place))
        self._let_in()
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._leave(level)
            raise

    def _leave(self, level: int) -> None:
        self._held[level] -= 1
        self._served_until[level] = asyncio.get_running_loop().time() + SERVED_S
        self._free += 1
        self._let_in()

    def _let_in(self) -> None:
        while self._free and self._waiting:
            _, _, level, place = self._waiting[0]
            if not place.done():
                if not self._has_room(level):
                    return
                self._free -= 1
                self._held[level] += 1
                place.set_result(None)
            heapq.heappop(self._waiting)

    def _has_room(self, level: int) -> bool:
        """Whether one more of this level takes nothing from those that go before it."""
        if sum(number for own, number in self._held.items() if own >= level) < self._beside:
            return True
        if any(number for own, number in self._held.items() if own < level):
            return False
        until = max((at for own, at in self._served_until.items() if own < level), default=0.0)
        loop = asyncio.get_running_loop()
        rest_s = until - loop.time()
        if rest_s <= 0:
            return True
        if not self._is_due:
            self._is_due = True
            loop.call_later(rest_s, self._look_again)
        return False

    def _look_again(self) -> None:
        self._is_due = False
        self._let_in()
