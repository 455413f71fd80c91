"""What a board shows: rows of cells about objects or groups of them.

The shape that every list beside the tree has (what is paused, kinds, causes, what
changed); knows no widget. A board is asked again after each change.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from fleettui.kinds.record import ObjectRef
from fleettui.tui.layout import Column
from fleettui.tui.lines import Cell, Line


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One line of a board."""

    key: Hashable
    """Identity of the line while it moves."""
    cells: tuple[Cell, ...]
    ref: ObjectRef | None = None
    """The object it is about; keys about objects go there."""
    opens: "Callable[[], Board] | None" = None
    """What ``enter`` opens: the members of a group; without it ``enter`` goes to the object."""
    shows: Callable[[], None] | None = None
    """What ``enter`` does instead, for what is neither a board nor an object."""
    command: str = ""
    """What ``enter`` runs on the command line instead."""
    plan: str = ""
    """Id of the plan that it is a part of, which can be undone or gone on with."""
    is_faded: bool = False


class Board(Protocol):
    """A list with columns."""

    @property
    def title(self) -> str:
        """What it is, raw."""
        ...

    @property
    def columns(self) -> Sequence[Column]:
        """Its columns."""
        ...

    @property
    def empty(self) -> str:
        """What to say when it has no rows."""
        ...

    def rows(self) -> Sequence[BoardRow]:
        """Return its rows as they are now."""
        ...


@dataclass(slots=True)
class BoardSource:
    """Lines of a board for a pane, with those that do not contain a text left out."""

    columns: Sequence[Column]
    rows: Sequence[BoardRow] = ()
    _places: Mapping[Hashable, int] = field(default_factory=dict)

    def take(self, rows: Sequence[BoardRow], needle: str = "") -> None:
        """Show these rows, or only those that contain the text."""
        if needle:
            wanted = needle.lower()
            rows = [row for row in rows if wanted in Line(row.cells).text.lower()]
        self.rows = rows
        self._places = {row.key: place for place, row in enumerate(rows)}

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.rows)

    def window(self, start: int, stop: int) -> Sequence[tuple[Hashable, Line]]:
        """Return keys and lines of a window."""
        return [(row.key, Line(row.cells, is_faded=row.is_faded)) for row in self.rows[start:stop]]

    def position(self, key: Hashable) -> int | None:
        """Return the place of a row."""
        return self._places.get(key)
