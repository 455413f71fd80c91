"""When the cycle collector runs: often and briefly, never over what stays anyway.

Knows the interpreter's collector and how long nobody has typed. Rows and records are
not seen by the collector at all; what else a first list or an import leaves behind by
the tens of thousands stays for the life of the process, and is set aside unvisited.

Source: measurements: a full collection of 600,000 gc-tracked rows takes 0.2 to 3 s, of
50,000 young objects 20 ms; ``gc.freeze`` takes none, and 1,000 young ones 0.1 ms.
"""

import gc
from typing import Protocol

YOUNG = 1_000
"""Young objects that are worth a look."""
FLOOD = 10_000
"""Young objects between two looks that only reading or importing makes: hardly garbage, and long
to look at."""
CALM_S = 30.0
"""Without keys for so long, a full collection hurts nobody."""
EVERY_S = 300.0


class Heap(Protocol):
    """What is needed of the module ``gc``."""

    def get_count(self) -> tuple[int, int, int]:
        """Return young objects, and collections since those of older generations."""
        ...

    def freeze(self) -> None:
        """Set everything that lives aside, never to be visited."""
        ...

    def collect(self, generation: int = 2) -> int:
        """Collect garbage of a generation and younger ones."""
        ...


class Collector:
    """Decides at every look whether to collect."""

    def __init__(self, *, now: float, heap: Heap = gc) -> None:
        """Start with the collector as ``startup`` left it: off.

        Args:
            now: monotonic seconds.
            heap: what is collected.
        """
        self._heap = heap
        self._collected_at = now

    def tick(self, now: float, *, is_reading: bool, typed_s: float) -> None:
        """Collects or sets aside when it is time; called at every frame, or less often.

        Args:
            now: monotonic seconds.
            is_reading: whether first lists are under way.
            typed_s: seconds since the last key.
        """
        young = self._heap.get_count()[0]
        if young > FLOOD or (is_reading and young > YOUNG):
            self._heap.freeze()
        elif typed_s >= CALM_S and now - self._collected_at >= EVERY_S:
            self._collected_at = now
            self._heap.collect(2)
        elif young > YOUNG:
            self._heap.collect(0)
