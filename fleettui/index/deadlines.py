"""When rows fail by time alone.

Knows a heap of moments and which of them still hold; refuses to know why.
"""

from heapq import heapify, heappop, heappush
from itertools import count

from fleettui.index.rows import Row


class Deadlines:
    """The next moment of each row that has one."""

    def __init__(self) -> None:
        """Start without any."""
        self._due: dict[Row, tuple[int, int]] = {}
        self._heap: list[tuple[int, int, Row]] = []
        self._order = count()

    def __len__(self) -> int:
        """Return how many rows have a deadline."""
        return len(self._due)

    def arm(self, row: Row, at: int, bits: int) -> None:
        """Give the row this deadline instead of any other; 0 for none."""
        if not at:
            self._due.pop(row, None)
            return
        if self._due.get(row) == (at, bits):
            return
        self._due[row] = (at, bits)
        heappush(self._heap, (at, next(self._order), row))
        if len(self._heap) > 2 * len(self._due) + 64:
            self._heap = [(due[0], next(self._order), row) for row, due in self._due.items()]
            heapify(self._heap)

    def next_at(self) -> int:
        """Return when something may be due next, Unix seconds; 0 for never."""
        return self._heap[0][0] if self._heap else 0

    def due(self, now: int) -> list[tuple[Row, int]]:
        """Take out the rows whose moment has come, with the bits they get, earliest first."""
        found = []
        while self._heap and self._heap[0][0] <= now:
            at, _, row = heappop(self._heap)
            armed = self._due.get(row)
            if armed is not None and armed[0] == at:
                del self._due[row]
                found.append((row, armed[1]))
        return found
