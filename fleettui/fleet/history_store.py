"""The history of the fleet's health across restarts, in one file of limited size.

Knows where it lies and when it is worth writing; what is kept is ``index.history``'s.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from fleettui.fleet.state_file import read_state, write_state
from fleettui.index.changes import Transition
from fleettui.index.history import History, Moment
from fleettui.kinds.record import ObjectRef

FILE_NAME: Final = "history.msgpack"
LIMIT_BYTES: Final = 64 << 20
SAVE_EVERY_S: Final = 60


class HistoryStore:
    """A history with a file behind it."""

    def __init__(self, folder: Path) -> None:
        """Loads what was kept last time, if it is of use. Blocks."""
        self.history = History()
        self._path = folder / FILE_NAME
        self._is_dirty = False
        self._saved_at = 0
        saved = read_state(self._path, limit_bytes=LIMIT_BYTES)
        if saved:
            self.history.load(saved)

    def note(self, transitions: Iterable[Transition]) -> None:
        """Keeps changes that were just seen."""
        before = len(self.history)
        transitions = list(transitions)
        self.history.add(transitions)
        self._is_dirty |= bool(transitions) or len(self.history) != before

    def is_due(self, now: int) -> bool:
        """Whether there is something to save and the last time is long enough ago."""
        return self._is_dirty and now - self._saved_at >= SAVE_EVERY_S

    def save(self, now: int) -> None:
        """Writes the file, too old ones left out. Blocks.

        Raises:
            FleettuiError: the state folder cannot be written to.
        """
        if not self._is_dirty:
            return
        self.history.prune(now)
        write_state(self._path, self.history.to_bytes())
        self._is_dirty, self._saved_at = False, now

    def moments(self) -> Iterator[tuple[ObjectRef, Moment]]:
        """Every change kept, objects in order of their last change."""
        return self.history.moments()
