"""When the cycle collector runs: never by itself, and never while somebody types.

Knows the interpreter's collector and how busy the program is. Rows and records are
not seen by the collector at all; what it does see after the first lists (tables,
Textual, the HTTP library) stays for the life of the process and is frozen once.

Source: measurements: a full collection of 600,000 gc-tracked rows takes 0.2 to 3 s;
with the collector off and what is there frozen, no key waits for it.
"""

import gc
from collections.abc import Callable

IDLE_S = 2.0
"""Without keys and work for so long, a collection hurts nobody."""
EVERY_S = 30.0
YOUNG_LIMIT = 50_000
"""Young objects from which the youngest generation is collected while busy."""


class Collector:
    """Decides once a second whether to collect."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        """Start with the collector as ``startup`` left it: off.

        Args:
            clock: monotonic seconds.
        """
        self._clock = clock
        self._is_frozen = False
        self._collected_at = clock()

    def tick(self, *, is_synced: bool, idle_s: float) -> None:
        """Collects and freezes when it is time.

        Args:
            is_synced: whether the first lists are done.
            idle_s: seconds without keys and long work.
        """
        now = self._clock()
        if is_synced and not self._is_frozen and idle_s >= IDLE_S:
            gc.collect(1)
            gc.freeze()
            self._is_frozen = True
            self._collected_at = now
        elif idle_s >= IDLE_S and now - self._collected_at >= EVERY_S:
            gc.collect(2 if self._is_frozen else 1)
            self._collected_at = now
        elif gc.get_count()[0] > YOUNG_LIMIT:
            gc.collect(0)
