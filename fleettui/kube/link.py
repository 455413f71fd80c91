"""Watches over the connection of one context, on behalf of everything that uses it.

Knows a cheap question and how long it took; tells up and down once, so that forty
kinds do not each knock at a server that is gone. Decides nothing about kinds.

Source: Kubernetes API health endpoints (``/readyz``; 403 is an answer too).
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from fleettui.errors import FleettuiError
from fleettui.kube.faults import ApiError, Fault

PROBE_EVERY_S = 10.0
"""A frozen server keeps its connections: nothing but an answer that does not come tells it."""
MISSES_UNTIL_DOWN = 2
DOWN_FIRST_S = 0.8
DOWN_CAP_S = 30.0
SLEEP_JUMP_S = 60.0
"""A wall clock that ran this much more than ours: the machine was asleep."""

_ALIVE = frozenset({Fault.FORBIDDEN, Fault.UNAUTHORIZED, Fault.NOT_SERVED, Fault.NOT_FOUND})


class Reach(StrEnum):
    """Whether the server answers."""

    UNKNOWN = "unknown"
    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class LinkState:
    """How the connection of a context is."""

    reach: Reach = Reach.UNKNOWN
    since: float = 0.0
    """Unix seconds of the last change."""
    answered_at: float = 0.0
    """Unix seconds of the last answer, 0 for never."""
    error: str = ""
    fault: Fault | None = None

    def age_s(self, now: float) -> float:
        """Seconds since the server last answered; infinite for never."""
        return now - self.answered_at if self.answered_at else float("inf")


class LinkMonitor:
    """Asks a server at intervals whether it is there."""

    def __init__(
        self,
        probe: Callable[[], Awaitable[None]],
        *,
        changed: Callable[[LinkState], None],
        woken: Callable[[], None],
        wall: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
        arrived_at: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """Keep what to ask and whom to tell.

        Args:
            probe: asks once; raises FleettuiError without an answer.
            changed: told of every change between up and down.
            woken: told when this machine was asleep.
            wall: Unix seconds.
            chance: numbers in [0, 1).
            arrived_at: when a byte of any answer last came, Unix seconds; 0 for never.
        """
        self._arrived_at = arrived_at
        self._probe = probe
        self._changed = changed
        self._woken = woken
        self._wall = wall
        self._chance = chance
        self._misses = 0
        self._hurry = asyncio.Event()
        self.state = LinkState(since=wall())

    @property
    def heard_at(self) -> float:
        """Unix seconds of the last sign of life: an answer, or a byte of one; 0 for never."""
        return max(self.state.answered_at, self._arrived_at())

    def hurry(self) -> None:
        """Asks now instead of at the next interval."""
        self._hurry.set()

    def suspect(self) -> None:
        """Asks now if the server was thought to be there."""
        if self._misses == 0:
            self.hurry()

    async def run(self) -> None:
        """Asks for as long as it is not cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await self.ask()
            pause_s = self._pause_s()
            slept_at, wall_at = loop.time(), self._wall()
            self._hurry.clear()
            try:
                async with asyncio.timeout(pause_s):
                    await self._hurry.wait()
            except TimeoutError:
                jump_s = (self._wall() - wall_at) - (loop.time() - slept_at)
                if jump_s > SLEEP_JUMP_S:
                    self._woken()

    async def ask(self) -> None:
        """Asks once and tells if that changes anything."""
        asked_at = self._wall()
        try:
            await self._probe()
        except FleettuiError as error:
            fault = error.fault if isinstance(error, ApiError) else Fault.UNAUTHORIZED
            # Bytes of a watch or a list that came meanwhile are an answer, too: a server that
            # shuts down takes no new connections, and a full link lets questions wait.
            if fault not in _ALIVE and self._arrived_at() <= asked_at:
                self._miss(str(error), fault)
                return
        self._answered()

    def _pause_s(self) -> float:
        if self._misses == 0:
            return PROBE_EVERY_S
        doubled = DOWN_FIRST_S * 2 ** min(self._misses - 1, 10)
        return float(min(doubled, DOWN_CAP_S) * (1 + self._chance()))

    def _answered(self) -> None:
        self._misses = 0
        now = self._wall()
        if self.state.reach is Reach.UP:
            self.state = replace(self.state, answered_at=now)
        else:
            self._set(LinkState(Reach.UP, since=now, answered_at=now))

    def _miss(self, error: str, fault: Fault) -> None:
        self._misses += 1
        if self.state.reach is Reach.DOWN or self._misses < MISSES_UNTIL_DOWN:
            self.state = replace(self.state, error=error, fault=fault)
            return
        self._set(
            replace(self.state, reach=Reach.DOWN, since=self._wall(), error=error, fault=fault)
        )

    def _set(self, state: LinkState) -> None:
        self.state = state
        self._changed(state)
