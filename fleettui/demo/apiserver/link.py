"""A slow network between the demo servers and their client.

Source: two serial lines, one each way: bytes leave one after another at a fixed rate. Every
request waits one round trip; a new connection waits one more for TCP and one for TLS 1.3.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

CHUNK_BYTES = 16 * 1024
"""Largest piece that one response may send before another gets its turn."""
_HANDSHAKES = 2
"""Round trips of a new connection before its first request: TCP, then TLS 1.3."""
_UNITS = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9}


class Line:
    """One direction: a token bucket that holds nothing, so that no burst is ever faster."""

    def __init__(self, rate_bps: float) -> None:
        self.rate_bps = rate_bps
        """Bits per second."""
        self._free_at = 0.0

    def reserve(self, size_bytes: int, now: float) -> float:
        """Seconds until `size_bytes` more have left the line, if sent now."""
        start = max(now, self._free_at)
        self._free_at = start + size_bytes * 8 / self.rate_bps
        return self._free_at - now


class Link:
    """Two lines of a fixed rate and a delay, shared by all servers of the process."""

    def __init__(
        self, rate_bps: float, delay_ms: float, *, clock: Callable[[], float] | None = None
    ) -> None:
        self.rate_bps = rate_bps
        """Bits per second each way."""
        self.delay_ms = delay_ms
        """Round trip."""
        self.down, self.up = Line(rate_bps), Line(rate_bps)
        """Answers and requests."""
        self._clock = clock

    def _now(self) -> float:
        return self._clock() if self._clock else asyncio.get_running_loop().time()

    async def send(self, size_bytes: int) -> None:
        """Wait until so many bytes of an answer have passed."""
        await asyncio.sleep(self.down.reserve(size_bytes, self._now()))

    async def receive(self, size_bytes: int) -> None:
        """Wait until so many bytes of a request have passed."""
        await asyncio.sleep(self.up.reserve(size_bytes, self._now()))

    def wait_s(self, *, is_new_connection: bool) -> float:
        """Seconds between a request and the first byte of its answer, but for their sizes."""
        return self.delay_ms / 1000 * (1 + (_HANDSHAKES if is_new_connection else 0))

    async def round_trip(self, *, is_new_connection: bool) -> None:
        """Wait as a request does before the first byte of its answer."""
        await asyncio.sleep(self.wait_s(is_new_connection=is_new_connection))

    async def one_way(self) -> None:
        """Wait as a pushed event does."""
        await asyncio.sleep(self.delay_ms / 2000)


def parse_link(text: str) -> Link:
    """The link of `20mbit,80ms` (rate, round trip; either may be left out).

    Raises:
        ValueError: it is spelled differently; the message says how to spell it.
    """
    rate, delay = 1e12, 0.0
    for part in filter(None, (piece.strip().lower() for piece in text.split(","))):
        if found := re.fullmatch(r"(\d+(?:\.\d+)?)([kmg]?)bit(?:/s)?", part):
            rate = float(found[1]) * _UNITS[found[2]]
        elif found := re.fullmatch(r"(\d+(?:\.\d+)?)ms", part):
            delay = float(found[1])
        else:
            raise ValueError(f"{part!r} is neither a rate nor a delay: write 20mbit,80ms")
    if rate <= 0:
        raise ValueError("a link needs a rate above 0: write 20mbit,80ms")
    return Link(rate, delay)
