"""Work on rows that waits its turn: what one mark or status makes an index look at.

Knows generators and how many rows each looks at; knows nothing of what is done.
"""

from collections import deque
from collections.abc import Iterator
from typing import Final

AT_ONCE: Final = 2_000
"""Rows that a mark or a status may make an index look at before it returns: milliseconds."""

Work = tuple[int, Iterator[None]]
"""How many rows are looked at, and looking at them."""
NO_WORK: Final[Work] = (0, iter(()))


class Backlog:
    """Work put off, oldest first."""

    def __init__(self, *, at_once: int) -> None:
        """Put off what looks at more rows than ``at_once``."""
        self._at_once = at_once
        self._works: deque[Iterator[None]] = deque()
        self._is_taken = False

    def __bool__(self) -> bool:
        """Tell whether anything waits."""
        return bool(self._works)

    def now_or_later(self, work: Work) -> Iterator[None]:
        """Do the work, or leave it for later when it is much."""
        rows, steps = work
        if rows <= self._at_once:
            yield from steps
        else:
            self.put_off(steps)

    def put_off(self, steps: Iterator[None]) -> None:
        """Leave the work for later."""
        self._works.append(steps)

    def taking(self) -> Iterator[None]:
        """Do what waits, and what comes meanwhile; nobody else does it until the end."""
        self._is_taken = True
        try:
            while self._works:
                for _ in self._works[0]:  # not ``yield from``: who stops midway must not end it
                    yield
                self._works.popleft()
                yield
        finally:
            self._is_taken = False

    def clear(self) -> None:
        """Do what waits at once, unless somebody has taken it."""
        if not self._is_taken:
            for _ in self.taking():
                pass
