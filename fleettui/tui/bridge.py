"""Between the fleet's changes and the screen: coalesces, and slows down for slow terminals.

Knows when to settle and repaint; knows neither rows nor widgets. Keys do not
pass here: they repaint at once.
"""

from collections.abc import Callable
from math import inf
from typing import Protocol

from fleettui.fleet.pacer import TYPING_S as TYPING_FOR_S
from fleettui.tui.lull import Lull

FASTEST_S = 1 / 15
"""Shortest time between two repaints for changes."""
TYPING_S = 0.25
"""Shortest time between two while somebody types: a frame under way delays a key."""
SLOWEST_S = 1.0
BACKLOG = 2
"""Frames waiting for the terminal from which it counts as slow."""


class ChangeSource(Protocol):
    """What tells of changes."""

    on_change: Callable[[], None]

    def settle(self) -> None:
        """Apply what is pending; only then further changes are told."""
        ...


class Bridge:
    """Lets changes of a fleet reach the screen at a rate that the terminal can take."""

    def __init__(
        self,
        fleet: ChangeSource,
        *,
        repaint: Callable[[], None],
        call_later: Callable[[float, Callable[[], None]], object],
        clock: Callable[[], float],
        backlog: Callable[[], int],
        typed_s: Callable[[], float] = lambda: inf,
    ) -> None:
        """Listen to the fleet from now on.

        Args:
            fleet: settled before each repaint.
            repaint: brings what changed to the screen.
            call_later: runs a function after seconds.
            clock: monotonic seconds.
            backlog: frames that wait for the terminal.
            typed_s: seconds since the last key.
        """
        self._fleet = fleet
        self._repaint = repaint
        self._call_later = call_later
        self._clock = clock
        self._backlog = backlog
        self._typed_s = typed_s
        self._lull = Lull(typed_s=typed_s, call_later=call_later, clock=clock)
        self._is_due = False
        self._earliest_at = 0.0
        self.interval_s = FASTEST_S
        """Time between two repaints, as the terminal allows."""
        fleet.on_change = self.changed

    def changed(self) -> None:
        """Something changed: the screen follows as soon as it may."""
        if self._is_due:
            return
        self._is_due = True
        delay_s = max(self._earliest_at - self._clock(), 0.0)
        self._call_later(delay_s, lambda: self._lull.run(self.flush))

    def flush(self) -> None:
        """Settles and repaints now."""
        self._is_due = False
        if self._backlog() > BACKLOG:
            self.interval_s = min(self.interval_s * 2, SLOWEST_S)
        else:
            self.interval_s = max(self.interval_s / 2, FASTEST_S)
        is_typing = self._typed_s() < TYPING_FOR_S
        rest_s = max(self.interval_s, TYPING_S) if is_typing else self.interval_s
        self._earliest_at = self._clock() + rest_s
        self._fleet.settle()
        self._repaint()
