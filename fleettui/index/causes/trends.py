"""Whether a cause spreads, stands or fades.

Knows since when each affected object is hit, and how many were hit when a person looked
last; knows no history: what recovered in between is not counted.
"""

from dataclasses import dataclass
from typing import Final

from fleettui.index.causes.board import Cause

WINDOW_S: Final = 7200
BUCKETS: Final = 8


@dataclass(frozen=True, slots=True)
class Trend:
    """How a cause came about."""

    starts: tuple[int, ...]
    """Objects newly hit in each eighth of the last two hours, oldest first."""
    change: int | None
    """Objects more than when it was looked at last; None when it was not known then."""

    @property
    def is_spreading(self) -> bool:
        """Whether more is hit than before."""
        return self.change > 0 if self.change is not None else sum(self.starts[-2:]) > 1


def trend_of(cause: Cause, now: int, *, before: int | None = None) -> Trend:
    """The trend of a cause.

    Args:
        cause: as it is now.
        now: Unix seconds.
        before: objects that it hit when it was looked at last; None: not known then.
    """
    starts = [0] * BUCKETS
    for finding in cause.findings:
        age = now - finding.signal.since
        if finding.signal.since and 0 <= age < WINDOW_S:
            starts[BUCKETS - 1 - age * BUCKETS // WINDOW_S] += 1
    return Trend(tuple(starts), None if before is None else cause.objects - before)
