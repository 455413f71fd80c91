"""Counts over time as one line of blocks."""

from collections.abc import Sequence
from typing import Final

TICKS: Final = "▁▂▃▄▅▆▇█"


def spark(counts: Sequence[int]) -> str:
    """Counts as a line of blocks, as wide as there are counts; empty ones as dots."""
    most = max(counts, default=0)
    return "".join(
        TICKS[min(len(TICKS) - 1, count * len(TICKS) // (most + 1))] if count else "·"
        for count in counts
    )
