"""Which rows fail by time, when, and what their health checks say about that.

Knows deadlines and health checks; refuses to know what happens when one is due.
"""

from collections.abc import Iterator

from fleettui.index.deadlines import Deadlines
from fleettui.index.health import TIMER_BITS, deadline_of
from fleettui.index.rows import Row
from fleettui.index.startup import HealthChecks, StartingMachines
from fleettui.kinds.spec import Role


class Timers:
    """The clock of every row."""

    def __init__(self) -> None:
        """Start without any."""
        self._deadlines = Deadlines()
        self._checks = HealthChecks()
        self._starting = StartingMachines()

    def start(self, row: Row, now: int) -> None:
        """Give a judged row its deadline; one that has passed already counts at once."""
        at, bits = deadline_of(row, self._checks.limit_s(row))
        if at and at <= now:
            row.standing |= bits
            at = 0
        self._arm(row, at, bits)

    def stop(self, row: Row) -> None:
        """Forget a row that leaves."""
        self._arm(row, 0, 0)
        if row.place.spec.role is Role.HEALTH_CHECK:
            self._checks.drop(row)

    def _arm(self, row: Row, at: int, bits: int) -> None:
        self._deadlines.arm(row, at, bits)
        if row.place.spec.role is Role.MACHINE:
            if at:
                self._starting.put(row)
            else:
                self._starting.drop(row)

    def due(self, now: int) -> Iterator[Row]:
        """Take out rows whose moment has come, with the bits that say so set."""
        for row, bits in self._deadlines.due(now):
            row.standing |= bits
            self._starting.drop(row)
            yield row

    def next_at(self) -> int:
        """Return when something may be due next, Unix seconds; 0 for never."""
        return self._deadlines.next_at()

    def restarted_by(self, check: Row, now: int) -> Iterator[Row]:
        """Give machines in progress the time-out of their health check, which just changed."""
        self._checks.put(check)
        for row in self._starting.watched_by(check):
            row.standing &= ~TIMER_BITS
            self.start(row, now)
            yield row
