"""Clocks, chance and pauses of everything here that awaits; tests bring their own."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

SLICE_S = 0.002
"""Longest stretch of work between two pauses for whoever is alone."""


async def _short_pause(_rank: int) -> float:
    await asyncio.sleep(0.001)
    return SLICE_S


def _chance() -> float:
    return random.random()  # noqa: S311 - spreads retries, keeps no secret


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When it is, how long a pause is, and what chance says."""

    clock: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    """Unix seconds."""
    chance: Callable[[], float] = _chance
    """Numbers in [0, 1)."""
    pause: Callable[[int], Awaitable[float]] = _short_pause
    """Lets others run between two slices of work, and tells how long the next may be, seconds;
    must take more than no time. Of those that wait the lowest rank goes on first."""
